/* Exact sets of addresses of one family, as ranges that are sorted, disjoint and don't touch: so two sets are equal
 * exactly if their ranges are. */
#include <stdlib.h>

#include "fleetwall/addr.h"
#include "fleetwall/arena.h"

static int range_order(const void *a, const void *b)
{
	return range_cmp(*(const struct range *)a, *(const struct range *)b);
}

/* Merges sorted ranges in place: those that overlap, and neighbours. */
static size_t merge(struct range *ranges, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct range *last = kept == 0 ? NULL : &ranges[kept - 1];

		/* `first - 1` can't wrap: a range that begins at 0 is covered by `first <= last->last`. */
		if (last == NULL || (ranges[i].first > last->last && ranges[i].first - 1 > last->last))
			ranges[kept++] = ranges[i];
		else if (ranges[i].last > last->last)
			last->last = ranges[i].last;
	}
	return kept;
}

struct addr_set addr_set_of(struct arena *arena, enum family family, const struct range *ranges, size_t count)
{
	struct addr_set set = {.family = family, .ranges = ARENA_ARRAY(arena, struct range, count)};

	for (size_t i = 0; i < count; i++)
		if (ranges[i].family == family)
			set.ranges[set.count++] = ranges[i];
	qsort(set.ranges, set.count, sizeof *set.ranges, range_order);
	set.count = merge(set.ranges, set.count);
	return set;
}

bool addr_set_has(const struct addr_set *set, struct addr addr)
{
	size_t low = 0, high = set->count;

	if (addr.family != set->family)
		return false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->ranges[middle].last < addr.bits)
			low = middle + 1;
		else
			high = middle;
	}
	return low < set->count && set->ranges[low].first <= addr.bits;
}

bool addr_set_eq(const struct addr_set *a, const struct addr_set *b)
{
	if (a->family != b->family || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (range_cmp(a->ranges[i], b->ranges[i]) != 0)
			return false;
	return true;
}

void addr_set_prefixes(const struct addr_set *set, void (*each)(void *context, struct prefix prefix), void *context)
{
	for (size_t i = 0; i < set->count; i++) {
		struct range range = set->ranges[i];
		struct prefix prefix;
		bool more = true;

		while (range_cut(&range, &more, &prefix))
			each(context, prefix);
	}
}
