/* Who goes first: a machine for each role, then a growing share. Pure, and the same however the machines came. */
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/names.h"
#include "fleetwall/push.h"

/* A machine, by the numbers of its roles. */
struct candidate {
	size_t item;
	uint32_t *roles;
	size_t count, gain; /* so many of them, at most, no canary has yet */
};

struct cover {
	struct candidate *candidates;
	size_t count;
	unsigned *covered; /* by role: how many canaries have it */
	uint32_t roles;
};

/* The role of one machine alone would make each a canary. */
static bool is_own(struct str role)
{
	return str_starts(role, STR("machine:"));
}

static bool has_role(const struct candidate *candidate, uint32_t role)
{
	for (size_t i = 0; i < candidate->count; i++)
		if (candidate->roles[i] == role)
			return true;
	return false;
}

static void number_roles(struct arena *arena, struct names *names, const struct contact *contact,
                         struct candidate *candidate)
{
	candidate->roles = ARENA_ARRAY(arena, uint32_t, contact->role_count);
	for (size_t i = 0; i < contact->role_count; i++) {
		uint32_t role = is_own(contact->roles[i]) ? NAMES_NONE : names_keep(names, contact->roles[i]);

		if (role != NAMES_NONE && !has_role(candidate, role))
			candidate->roles[candidate->count++] = role;
	}
	candidate->gain = candidate->count;
}

/* Few roles first; the items are sorted by name. */
static int candidate_order(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	if (left->count != right->count)
		return left->count < right->count ? -1 : 1;
	return left->item < right->item ? -1 : left->item > right->item;
}

static struct cover cover_of(struct arena *arena, const struct plan_item *items, size_t count)
{
	struct cover cover = {.candidates = ARENA_ARRAY(arena, struct candidate, count), .count = count};
	struct names *names = names_new(arena);

	for (size_t i = 0; i < count; i++) {
		cover.candidates[i].item = i;
		if (!items[i].damaged) /* it comes to nothing, and is nobody's canary */
			number_roles(arena, names, &items[i].contact, &cover.candidates[i]);
	}
	cover.roles = names_count(names);
	cover.covered = ARENA_ARRAY(arena, unsigned, cover.roles);
	qsort(cover.candidates, count, sizeof *cover.candidates, candidate_order);
	return cover;
}

static size_t gain_of(const struct cover *cover, const struct candidate *candidate)
{
	size_t gain = 0;

	for (size_t i = 0; i < candidate->count; i++)
		gain += cover->covered[candidate->roles[i]] == 0;
	return gain;
}

static void count_roles(struct cover *cover, const struct candidate *candidate, int by)
{
	for (size_t i = 0; i < candidate->count; i++)
		cover->covered[candidate->roles[i]] += (unsigned)by;
}

/* Whoever has most roles that nobody has yet. Gains only fall, so one look at each candidate for each possible gain is
 * enough. */
static size_t choose(struct cover *cover, size_t *chosen)
{
	size_t count = 0, most = 0;

	for (size_t i = 0; i < cover->count; i++)
		most = cover->candidates[i].gain > most ? cover->candidates[i].gain : most;
	for (size_t gain = most; gain > 0; gain--) {
		for (size_t i = 0; i < cover->count; i++) {
			struct candidate *candidate = &cover->candidates[i];

			if (candidate->gain < gain || (candidate->gain = gain_of(cover, candidate)) < gain)
				continue;
			count_roles(cover, candidate, 1);
			chosen[count++] = i;
		}
	}
	return count;
}

/* One whose roles the others have all is not needed. */
static bool is_needed(const struct cover *cover, const struct candidate *candidate)
{
	for (size_t i = 0; i < candidate->count; i++)
		if (cover->covered[candidate->roles[i]] == 1)
			return true;
	return false;
}

static size_t canaries(struct arena *arena, struct cover *cover, bool *is_canary)
{
	size_t *chosen = ARENA_ARRAY(arena, size_t, cover->count);
	size_t count = choose(cover, chosen), kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct candidate *candidate = &cover->candidates[chosen[i]];

		if (is_needed(cover, candidate)) {
			is_canary[candidate->item] = true;
			kept++;
		} else {
			count_roles(cover, candidate, -1);
		}
	}
	return kept;
}

/* Every tenth by name, so that what is named alike does not go all at once; then three more of ten. */
static unsigned wave_of(size_t place)
{
	if (place % 10 == 0)
		return 1;
	return place % 10 <= 3 ? 2 : 3;
}

static int name_order(const void *a, const void *b)
{
	return str_cmp(((const struct plan_item *)a)->work.machine, ((const struct plan_item *)b)->work.machine);
}

static int wave_order(const void *a, const void *b)
{
	const struct plan_item *left = a, *right = b;

	if (left->work.wave != right->work.wave)
		return left->work.wave < right->work.wave ? -1 : 1;
	return name_order(a, b);
}

static size_t first_whole(const struct plan_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!items[i].damaged)
			return i;
	return 0;
}

unsigned push_waves(struct arena *arena, struct plan_item *items, size_t count)
{
	bool *is_canary = ARENA_ARRAY(arena, bool, count);
	struct cover cover;

	if (count == 0)
		return 0;
	qsort(items, count, sizeof *items, name_order);
	cover = cover_of(arena, items, count);
	if (canaries(arena, &cover, is_canary) == 0)
		is_canary[first_whole(items, count)] = true; /* nobody has a role */
	for (size_t i = 0, place = 0; i < count; i++)
		items[i].work.wave = is_canary[i] ? 0 : wave_of(place++);
	qsort(items, count, sizeof *items, wave_order);
	return items[count - 1].work.wave + 1;
}
