/* Sets of addresses taken from each other: ranges in order, walked side by side. It knows no rules. */
#include "address_sets.h"

#include "fleetwall/arena.h"

struct addr_set set_none(enum family family)
{
	return (struct addr_set){.family = family};
}

struct addr_set set_all(enum family family)
{
	static struct range all[] = {{0, UINT32_MAX, FAMILY_4}, {0, ~(addr_bits)0, FAMILY_6}};

	return (struct addr_set){.family = family, .ranges = &all[family == FAMILY_6], .count = 1};
}

bool set_is_all(const struct addr_set *set)
{
	return set->count == 1 && set->ranges[0].first == 0 && set->ranges[0].last == family_last(set->family);
}

/* Behind those that are there: none of them begins later. */
static void put_behind(struct addr_set *set, struct range range)
{
	struct range *last = set->count == 0 ? NULL : &set->ranges[set->count - 1];

	/* `first - 1` can't wrap: a range that begins at 0 is covered by `first <= last->last`. */
	if (last == NULL || (range.first > last->last && range.first - 1 > last->last))
		set->ranges[set->count++] = range;
	else if (range.last > last->last)
		last->last = range.last;
}

struct addr_set set_or(struct arena *arena, const struct addr_set *a, const struct addr_set *b)
{
	struct addr_set both = {.family = a->family};
	size_t i = 0, j = 0;

	if (a->count == 0 || b->count == 0 || (a->ranges == b->ranges && a->count == b->count))
		return a->count == 0 ? *b : *a;
	both.ranges = arena_raw(arena, (a->count + b->count) * sizeof(struct range));
	while (i < a->count || j < b->count) {
		bool first = j == b->count || (i < a->count && a->ranges[i].first <= b->ranges[j].first);

		put_behind(&both, first ? a->ranges[i++] : b->ranges[j++]);
	}
	return both;
}

/* One range of `a`, without those of `b` from *next on; *next is then the first that may reach behind it. Where `rest`
 * has no memory, what would be put there is counted. */
static void cut_out(struct addr_set *rest, struct range range, const struct addr_set *b, size_t *next)
{
	while (*next < b->count && b->ranges[*next].last < range.first)
		++*next;
	for (; *next < b->count && b->ranges[*next].first <= range.last; ++*next) {
		const struct range *hole = &b->ranges[*next];

		if (range.first < hole->first) {
			if (rest->ranges != NULL)
				rest->ranges[rest->count] =
					(struct range){range.first, hole->first - 1, range.family};
			rest->count++;
		}
		if (hole->last >= range.last)
			return;
		range.first = hole->last + 1;
	}
	if (rest->ranges != NULL)
		rest->ranges[rest->count] = range;
	rest->count++;
}

static void cut_all(struct addr_set *rest, const struct addr_set *a, const struct addr_set *b)
{
	size_t next = 0;

	rest->count = 0;
	for (size_t i = 0; i < a->count; i++)
		cut_out(rest, a->ranges[i], b, &next);
}

/* Mostly little is left, or all of it: so it is counted first. */
struct addr_set set_without(struct arena *arena, const struct addr_set *a, const struct addr_set *b)
{
	struct addr_set rest = {.family = a->family};

	if (a->count == 0 || b->count == 0)
		return *a;
	cut_all(&rest, a, b);
	rest.ranges = arena_raw(arena, rest.count * sizeof(struct range));
	cut_all(&rest, a, b);
	return rest;
}

/* Ranges of a set do not touch: what lies in a set lies in one of its ranges. */
bool set_within(const struct addr_set *inner, const struct addr_set *outer)
{
	if (inner->ranges == outer->ranges && inner->count == outer->count)
		return true;
	for (size_t i = 0; i < inner->count; i++) {
		size_t place = addr_set_place(outer, inner->ranges[i].first);

		if (place == outer->count || !range_covers(outer->ranges[place], inner->ranges[i]))
			return false;
	}
	return true;
}

/* From here on looking for each costs more than walking by the others. */
enum { FAR_FEWER = 16 };

static bool meet_side_by_side(const struct addr_set *a, const struct addr_set *b)
{
	size_t i = 0, j = 0;

	while (i < a->count && j < b->count) {
		if (a->ranges[i].last < b->ranges[j].first)
			i++;
		else if (b->ranges[j].last < a->ranges[i].first)
			j++;
		else
			return true;
	}
	return false;
}

bool sets_meet(const struct addr_set *a, const struct addr_set *b)
{
	const struct addr_set *few = a->count < b->count ? a : b, *many = few == a ? b : a;

	if (few->count > many->count / FAR_FEWER)
		return meet_side_by_side(a, b);
	for (size_t i = 0; i < few->count; i++) {
		size_t place = addr_set_place(many, few->ranges[i].first);

		if (place < many->count && many->ranges[place].first <= few->ranges[i].last)
			return true;
	}
	return false;
}
