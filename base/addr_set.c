/* Exact sets of addresses of one family, as ranges that are sorted, disjoint and don't touch: so two sets are equal
 * exactly if their ranges are. */
#include <stdlib.h>

#include "fleetwall/addr.h"
#include "fleetwall/arena.h"

static int range_order(const void *a, const void *b)
{
	return range_cmp(*(const struct range *)a, *(const struct range *)b);
}

/* --- sorting --- */

/* Below so many, comparing is as quick as counting. */
enum { FEW_HOSTS = 64 };

static bool in_order(const struct range *ranges, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (range_cmp(ranges[i - 1], ranges[i]) > 0)
			return false;
	return true;
}

static bool are_hosts(const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ranges[i].first != ranges[i].last)
			return false;
	return true;
}

/* `to` are those of `from` in the order of the byte that begins at `shift`; those with the same byte stay in theirs. */
static void sort_by_byte(const addr_bits *from, addr_bits *to, size_t count, unsigned shift)
{
	size_t place[256] = {0}, next = 0;

	for (size_t i = 0; i < count; i++)
		place[(unsigned char)(from[i] >> shift)]++;
	for (size_t byte = 0; byte < 256; byte++) {
		size_t n = place[byte];

		place[byte] = next;
		next += n;
	}
	for (size_t i = 0; i < count; i++)
		to[place[(unsigned char)(from[i] >> shift)]++] = from[i];
}

/* Hosts of a fleet are many, and few of their bytes differ: it is done byte by byte, the lowest first. */
static void sort_hosts(struct range *hosts, size_t count)
{
	struct arena *scratch = arena_new();
	addr_bits *from = arena_raw(scratch, count * sizeof *from), *to = arena_raw(scratch, count * sizeof *to);
	addr_bits different = 0;

	for (size_t i = 0; i < count; i++) {
		from[i] = hosts[i].first;
		different |= from[i] ^ from[0];
	}
	for (unsigned shift = 0; shift < 128; shift += 8) {
		addr_bits *sorted = to;

		if ((unsigned char)(different >> shift) == 0)
			continue;
		sort_by_byte(from, to, count, shift);
		to = from;
		from = sorted;
	}
	for (size_t i = 0; i < count; i++)
		hosts[i].first = hosts[i].last = from[i];
	arena_free(scratch);
}

static void sort_ranges(struct range *ranges, size_t count)
{
	if (in_order(ranges, count))
		return;
	if (count >= FEW_HOSTS && are_hosts(ranges, count))
		sort_hosts(ranges, count);
	else
		qsort(ranges, count, sizeof *ranges, range_order);
}

/* --- sets --- */

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
	struct addr_set set = {.family = family, .ranges = arena_raw(arena, count * sizeof(struct range))};

	for (size_t i = 0; i < count; i++)
		if (ranges[i].family == family)
			set.ranges[set.count++] = ranges[i];
	sort_ranges(set.ranges, set.count);
	set.count = merge(set.ranges, set.count);
	return set;
}

size_t addr_set_place(const struct addr_set *set, addr_bits bits)
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

bool addr_set_has(const struct addr_set *set, struct addr addr)
{
	size_t place;

	if (addr.family != set->family)
		return false;
	place = addr_set_place(set, addr.bits);
	return place < set->count && set->ranges[place].first <= addr.bits;
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
		struct prefix prefix = {{range.first, range.family}, family_width(range.family)};
		bool more = range.first != range.last;

		if (!more)
			each(context, prefix);
		while (range_cut(&range, &more, &prefix))
			each(context, prefix);
	}
}
