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

struct addr_set set_or(struct arena *arena, const struct addr_set *a, const struct addr_set *b)
{
	struct range *both;

	if (a->count == 0 || b->count == 0)
		return a->count == 0 ? *b : *a;
	both = ARENA_ARRAY(arena, struct range, a->count + b->count);
	for (size_t i = 0; i < a->count + b->count; i++)
		both[i] = i < a->count ? a->ranges[i] : b->ranges[i - a->count];
	return addr_set_of(arena, a->family, both, a->count + b->count);
}

/* One range of `a`, without those of `b` from *next on; *next is then the first that may reach behind it. */
static void cut_out(struct addr_set *rest, struct range range, const struct addr_set *b, size_t *next)
{
	while (*next < b->count && b->ranges[*next].last < range.first)
		++*next;
	for (; *next < b->count && b->ranges[*next].first <= range.last; ++*next) {
		const struct range *hole = &b->ranges[*next];

		if (range.first < hole->first)
			rest->ranges[rest->count++] = (struct range){range.first, hole->first - 1, range.family};
		if (hole->last >= range.last)
			return;
		range.first = hole->last + 1;
	}
	rest->ranges[rest->count++] = range;
}

struct addr_set set_without(struct arena *arena, const struct addr_set *a, const struct addr_set *b)
{
	struct addr_set rest = {.family = a->family, .ranges = ARENA_ARRAY(arena, struct range, a->count + b->count)};
	size_t next = 0;

	for (size_t i = 0; i < a->count; i++)
		cut_out(&rest, a->ranges[i], b, &next);
	return rest;
}

/* The first range that does not end before the address. */
static size_t place_of(const struct addr_set *set, addr_bits bits)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->ranges[middle].last < bits)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Ranges of a set do not touch: what lies in a set lies in one of its ranges. */
bool set_within(const struct addr_set *inner, const struct addr_set *outer)
{
	for (size_t i = 0; i < inner->count; i++) {
		size_t place = place_of(outer, inner->ranges[i].first);

		if (place == outer->count || !range_covers(outer->ranges[place], inner->ranges[i]))
			return false;
	}
	return true;
}

bool sets_meet(const struct addr_set *a, const struct addr_set *b)
{
	const struct addr_set *few = a->count < b->count ? a : b, *many = few == a ? b : a;

	for (size_t i = 0; i < few->count; i++) {
		size_t place = place_of(many, few->ranges[i].first);

		if (place < many->count && many->ranges[place].first <= few->ranges[i].last)
			return true;
	}
	return false;
}
