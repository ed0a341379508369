/* Whom a changed line concerns: the addresses that it names, the members of its set, or those who came into the set or
 * left it, where these are few; and which other lines packets of theirs may meet. */
#include "difference_parts.h"
#include "fleetwall/buf.h"

enum { FEW = 4096 };

/* Half of all addresses are rather all. */
static bool are_few(const struct addr_set *set)
{
	addr_bits count = 0, half = family_last(set->family) / 2;

	for (size_t i = 0; i < set->count && count < half; i++)
		count += set->ranges[i].last - set->ranges[i].first;
	return set->count <= FEW && count < half;
}

/* Large sets are not copied to be looked at. */
static bool are_many(struct comparison *comparison, size_t number)
{
	for (size_t side = 0; side < 2; side++) {
		const struct addr_set *held = comparison->sets[number].have[side]
		                                      ? sets_addresses(comparison, number, side == 1)
		                                      : NULL;

		if (held != NULL && held->count > FEW)
			return true;
	}
	return false;
}

static void name_concern(struct comparison *comparison, size_t number, bool moved, struct str *name)
{
	struct buf buf = buf_new(comparison->arena);
	const struct both_sets *set = &comparison->sets[number];

	buf_char(&buf, moved ? '1' : '0');
	for (size_t side = 0; side < 2; side++)
		if (set->have[side])
			buf_add(&buf, (struct str){(const char *)&set->digest[side], sizeof set->digest[side]});
	*name = buf_str(&buf);
}

static void concern_set(struct comparison *comparison, const struct line *line, size_t place, bool by_set,
                        struct concern *concern)
{
	size_t number = sets_find(comparison, line->sets[place]), end = line->set_ends[place];
	struct addr_set held;

	if (number == comparison->set_count || concern->has_end[end] || (!by_set && are_many(comparison, number)) ||
	    !sets_held(comparison, number, by_set, &held) || !are_few(&held))
		return;
	concern->has_end[end] = true;
	concern->ends[end] = held;
	name_concern(comparison, number, by_set, &concern->names[end]);
}

/* `by_set`: the line is the same, and what its set holds is not. */
struct concern concern_of(struct comparison *comparison, uint32_t number, bool by_set)
{
	const struct line *line = &comparison->difference->lines.items[number];
	struct concern concern = {.line = number};

	for (size_t end = 0; end < 2; end++) {
		struct addr_set one = {line->ends[end].family, (struct range *)(uintptr_t)&line->ends[end], 1};

		if (!line->has_end[end] || !are_few(&one))
			continue;
		concern.has_end[end] = true;
		concern.ends[end] = addr_set_of(comparison->arena, one.family, one.ranges, 1);
	}
	for (size_t i = 0; i < line->set_count && (!by_set || line->set_count == 1); i++)
		concern_set(comparison, line, i, by_set, &concern);
	return concern;
}

/* --- other lines --- */

static bool have_common(struct comparison *comparison, const struct addr_set *a, const struct addr_set *b)
{
	return addr_set_and(comparison->arena, a, b).count > 0;
}

/* Asked again for the next ruleset that has both. */
static bool meets_set(struct comparison *comparison, const struct concern *concern, size_t end, size_t number)
{
	struct difference *difference = comparison->difference;
	const struct both_sets *set = &comparison->sets[number];
	const struct addr_set *held = sets_addresses(comparison, number, set->have[1]);
	struct str key;
	uint32_t place;

	if (held == NULL || concern->names[end].n == 0)
		return held == NULL || have_common(comparison, &concern->ends[end], held);
	key = str_format(comparison->arena, "%.*s%.*s", STR_ARG(concern->names[end]), (int)sizeof set->digest[0],
	                 (const char *)&set->digest[set->have[1]]);
	place = names_add(difference->meetings, key);
	if (place == difference->met.count)
		APPEND(difference->arena, &difference->met, have_common(comparison, &concern->ends[end], held));
	return difference->met.items[place];
}

bool concern_meets(struct comparison *comparison, const struct concern *concern, const struct line *line)
{
	if (!lines_meet(&comparison->difference->lines.items[concern->line], line))
		return false;
	for (size_t end = 0; end < 2; end++) {
		const struct addr_set one = {line->ends[end].family, (struct range *)(uintptr_t)&line->ends[end], 1};

		if (concern->has_end[end] && line->has_end[end] &&
		    !have_common(comparison, &concern->ends[end], &one))
			return false;
	}
	for (size_t i = 0; i < line->set_count; i++) {
		size_t number = sets_find(comparison, line->sets[i]), end = line->set_ends[i];

		if (number < comparison->set_count && concern->has_end[end] &&
		    !meets_set(comparison, concern, end, number))
			return false;
	}
	return true;
}
