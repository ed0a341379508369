/* Which machines have another ruleset, or one of the same that names a set which changed, and what that opens and
 * closes: each pair of rulesets is compared once, however many machines have it. Objects are read from the store; those
 * that are made for the first time are taken as they are made. */
#include "diff.h"

#include <stdlib.h>

#include "fleetwall/document.h"

/* --- what is made now --- */

struct piece {
	struct digest digest;
	struct str rules[2], text; /* of a set: its bytes; of a ruleset: sets.list */
};

struct pieces {
	struct arena *arena;
	struct piece *items;
	size_t count, capacity;
};

struct taken {
	struct pieces workers[PARALLEL_MOST];
	struct digest *rulesets, *sets; /* that are in the store already; sorted */
	size_t ruleset_count, set_count;
	struct names *places; /* of digests, once all is made: beside them where */
	struct piece **pieces;
};

static void take(struct taken *taken, unsigned worker, const struct digest *digest, const struct str rules[2],
                 struct str text)
{
	struct pieces *pieces = &taken->workers[worker];
	struct piece piece = {.digest = *digest};

	if (pieces->arena == NULL)
		pieces->arena = arena_new();
	piece.text = str_copy(pieces->arena, text);
	for (size_t i = 0; i < 2 && rules != NULL; i++)
		piece.rules[i] = str_copy(pieces->arena, rules[i]);
	APPEND(pieces->arena, pieces, piece);
}

static struct error *take_set(void *context, unsigned worker, const struct set_file *set)
{
	struct taken *taken = context;

	if (!digests_have(taken->sets, taken->set_count, &set->digest))
		take(taken, worker, &set->digest, NULL, set->bytes);
	return NULL;
}

static struct error *take_ruleset(void *context, unsigned worker, const struct ruleset *ruleset)
{
	struct taken *taken = context;

	if (!digests_have(taken->rulesets, taken->ruleset_count, &ruleset->digest))
		take(taken, worker, &ruleset->digest, ruleset->rules, ruleset->sets_list);
	return NULL;
}

struct outlet diff_outlet(struct diff *diff)
{
	const struct generation *before = &diff->generations[0];
	struct taken *taken = ARENA_NEW(diff->arena, struct taken);

	taken->ruleset_count =
		entries_digests(diff->arena, before->manifest, before->machine_count, &taken->rulesets);
	taken->set_count = entries_digests(diff->arena, before->sets, before->set_count, &taken->sets);
	diff->taken = taken;
	return (struct outlet){taken, take_set, take_ruleset};
}

void diff_taken_free(struct diff *diff)
{
	for (size_t i = 0; diff->taken != NULL && i < PARALLEL_MOST; i++)
		arena_free(diff->taken->workers[i].arena);
}

static struct str digest_key(const struct digest *digest)
{
	return (struct str){(const char *)digest->byte, sizeof digest->byte};
}

static void index_taken(struct diff *diff)
{
	struct taken *taken = diff->taken;
	size_t count = 0;

	if (taken == NULL)
		return;
	for (size_t i = 0; i < PARALLEL_MOST; i++)
		count += taken->workers[i].count;
	taken->places = names_new(diff->arena);
	taken->pieces = ARENA_ARRAY(diff->arena, struct piece *, count);
	for (size_t i = 0; i < PARALLEL_MOST; i++)
		for (size_t k = 0; k < taken->workers[i].count; k++) {
			struct piece *piece = &taken->workers[i].items[k];

			taken->pieces[names_keep(taken->places, digest_key(&piece->digest))] = piece;
		}
}

static const struct piece *taken_piece(const struct diff *diff, const struct digest *digest)
{
	uint32_t place = diff->taken != NULL ? names_find(diff->taken->places, digest_key(digest)) : NAMES_NONE;

	return place != NAMES_NONE ? diff->taken->pieces[place] : NULL;
}

/* --- reading --- */

static struct error *read_set(void *context, struct arena *arena, const struct digest *digest, struct str *bytes)
{
	const struct diff *diff = context;
	const struct piece *piece = taken_piece(diff, digest);

	if (piece == NULL)
		return store_read_set(arena, diff->run->config.output, digest, bytes);
	*bytes = piece->text;
	return NULL;
}

static struct error *read_ruleset(struct diff *diff, struct arena *arena, const struct digest *digest,
                                  struct str rules[2], struct str *sets_list)
{
	const struct piece *piece = taken_piece(diff, digest);

	if (piece == NULL)
		return store_read_ruleset(arena, diff->run->config.output, digest, rules, sets_list);
	rules[0] = piece->rules[0];
	rules[1] = piece->rules[1];
	*sets_list = piece->text;
	return NULL;
}

static const struct entry *set_entry(const struct generation *generation, struct str name)
{
	return entries_find(generation->sets, generation->set_count, name);
}

static struct error *list_sets(struct arena *arena, const struct generation *generation, struct str list,
                               struct entry **sets, size_t *count)
{
	struct {
		struct entry *items;
		size_t count, capacity;
	} found = {0};
	struct str name;

	while (str_cut(&list, '\n', &name)) {
		const struct entry *entry = set_entry(generation, name);

		if (name.n == 0)
			continue;
		if (entry == NULL)
			return error_new(ERROR_SURROUNDINGS, "a ruleset of generation %llu names the set file %.*s, "
			                                     "which the generation does not have",
			                 (unsigned long long)generation->number, STR_ARG(name));
		APPEND(arena, &found, *entry);
	}
	*sets = found.items;
	*count = found.count;
	return NULL;
}

/* --- pairs --- */

/* Do both generations have the same content for every set that the ruleset names? */
static struct error *same_sets(struct diff *diff, const struct digest *ruleset, bool *same)
{
	struct arena *scratch = arena_new();
	struct str rules[2], list, name;
	struct error *error = read_ruleset(diff, scratch, ruleset, rules, &list);

	*same = true;
	while (error == NULL && *same && str_cut(&list, '\n', &name)) {
		const struct entry *before = set_entry(&diff->generations[0], name);
		const struct entry *after = set_entry(&diff->generations[1], name);

		*same = (before == NULL) == (after == NULL) &&
		        (before == NULL || digest_eq(&before->digest, &after->digest));
	}
	arena_free(scratch);
	return error;
}

static struct error *new_pair(struct diff *diff, const struct digest *before, const struct digest *after,
                              bool sets_changed)
{
	struct diff_pair pair = {.ruleset = {*before, *after}, .affected = true};

	if (digest_eq(before, after)) {
		pair.affected = sets_changed;
		if (sets_changed) {
			bool same;

			TRY(same_sets(diff, before, &same));
			pair.affected = !same;
		}
	}
	APPEND(diff->arena, &diff->pairs, pair);
	return NULL;
}

struct pairing {
	struct diff *diff;
	struct names *keys;
	bool sets_changed;
};

static struct error *add_both(struct pairing *pairing, const struct entry *before, const struct entry *after)
{
	struct diff *diff = pairing->diff;
	struct digest both[2] = {before->digest, after->digest};
	uint32_t number = names_add(pairing->keys, (struct str){(const char *)both, sizeof both});
	struct diff_pair *pair;

	if (number == diff->pairs.count)
		TRY(new_pair(diff, &both[0], &both[1], pairing->sets_changed));
	pair = &diff->pairs.items[number];
	if (pair->affected) {
		APPEND(diff->arena, &pair->machines, after->name);
		diff->changed++;
	}
	return NULL;
}

static bool any_set_changed(const struct diff *diff)
{
	const struct generation *a = &diff->generations[0], *b = &diff->generations[1];
	bool same = a->set_count == b->set_count;

	for (size_t i = 0; same && i < a->set_count; i++)
		same = digest_eq(&a->sets[i].digest, &b->sets[i].digest) &&
		       str_eq(a->sets[i].name, b->sets[i].name);
	return !same;
}

static bool is_asked(const struct diff *diff, struct str name)
{
	const struct diff_machines *only = diff->only;

	return only == NULL ||
	       (only->count > 0 && bsearch(&name, only->items, only->count, sizeof name, str_order) != NULL);
}

/* NULL: it has no ruleset on that side. */
static struct error *add_machine(struct pairing *pairing, const struct entry *before, const struct entry *after)
{
	struct diff *diff = pairing->diff;

	if (!is_asked(diff, before != NULL ? before->name : after->name))
		return NULL;
	if (before != NULL && after != NULL)
		return add_both(pairing, before, after);
	if (after == NULL)
		APPEND(diff->arena, &diff->gone, before->name);
	else
		APPEND(diff->arena, &diff->fresh, after->name);
	return NULL;
}

static struct error *find_pairs(struct diff *diff)
{
	const struct generation *a = &diff->generations[0], *b = &diff->generations[1];
	struct pairing pairing = {
		.diff = diff, .keys = names_new(diff->arena), .sets_changed = any_set_changed(diff)};

	for (size_t i = 0, k = 0; i < a->machine_count || k < b->machine_count;) {
		int order = i == a->machine_count   ? 1
		            : k == b->machine_count ? -1
		                                    : str_cmp(a->manifest[i].name, b->manifest[k].name);

		TRY(add_machine(&pairing, order <= 0 ? &a->manifest[i] : NULL, order >= 0 ? &b->manifest[k] : NULL));
		i += order <= 0;
		k += order >= 0;
	}
	return NULL;
}

/* --- comparing --- */

static struct error *fill_side(struct diff *diff, struct arena *scratch, const struct diff_pair *pair, size_t side,
                               struct difference_pair *filled)
{
	struct str list;

	TRY(read_ruleset(diff, scratch, &pair->ruleset[side], filled->rules[side], &list));
	return list_sets(scratch, &diff->generations[side], list, &filled->sets[side], &filled->set_count[side]);
}

static struct error *compare_pair(struct diff *diff, struct arena *scratch, const struct diff_pair *pair)
{
	struct difference_pair filled = {0};

	for (size_t side = 0; side < 2; side++)
		TRY(fill_side(diff, scratch, pair, side, &filled));
	return difference_add(scratch, diff->difference, &filled);
}

static void note_compared(struct diff *diff, size_t place)
{
	diff->compared = arena_grow(diff->arena, diff->compared, diff->compared_count, &diff->compared_capacity,
	                            sizeof *diff->compared, _Alignof(uint32_t));
	diff->compared[diff->compared_count++] = (uint32_t)place;
}

struct error *diff_compare(struct diff *diff)
{
	struct arena *scratch = arena_new();
	struct error *error;

	index_taken(diff);
	diff->difference = difference_new(diff->arena, read_set, diff);
	if (diff->careful)
		difference_careful(diff->difference);
	error = find_pairs(diff);
	for (size_t i = 0; i < diff->pairs.count && error == NULL; i++) {
		const struct diff_pair *pair = &diff->pairs.items[i];

		if (!pair->affected)
			continue;
		error = error_in(compare_pair(diff, scratch, pair), "machine %.*s", STR_ARG(pair->machines.items[0]));
		note_compared(diff, i);
		arena_reset(scratch);
	}
	arena_free(scratch);
	return error;
}
