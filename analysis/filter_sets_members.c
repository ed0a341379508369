/* Members of sets of addresses. A member of a hash:net is a prefix and only equal to itself, however it overlaps with
 * others; those of the other types are addresses, and a range is all of them. */
#include <string.h>

#include "filter_match.h"
#include "filter_sets.h"
#include "fleetwall/arena.h"

/* --- reading --- */

static bool bad_member(struct sets_reader *sets, const struct content *content, const struct word *word,
                       const char *why)
{
	reader_fault(&sets->reader, word->column, "names are not looked up here: write the address",
	             "\"%.*s\" is no member of a %.*s of IPv%d%s", STR_ARG(word->text), STR_ARG(content->type),
	             content->family, why);
	return false;
}

static void add_range(struct arena *arena, struct members *ranges, struct range range)
{
	APPEND(arena, ranges, range);
}

/* A netmask makes a network of each address. */
static struct range widened(const struct content *content, struct range range)
{
	addr_bits low;

	if (content->netmask == 0)
		return range;
	low = family_last(content->family) >> content->netmask;
	if (content->netmask == family_width(content->family))
		low = 0;
	return (struct range){range.first & ~low, range.last | low, range.family};
}

static bool take_range(struct sets_reader *sets, const struct content *content, const struct word *word,
                       struct range range, struct members *ranges)
{
	struct prefix prefix;
	bool more = true;

	if (content->kind != SET_NET) {
		range = widened(content, range);
		if (content->kind == SET_IP && range.first == 0)
			return bad_member(sets, content, word, ": it can't hold the address of all zeros");
		if (content->kind == SET_BITMAP && !range_covers(content->bounds, range))
			return bad_member(sets, content, word, ": it is out of the set's range");
		add_range(sets->reader.arena, ranges, range);
		return true;
	}
	while (range_cut(&range, &more, &prefix)) {
		if (prefix.length == 0)
			return bad_member(sets, content, word, ": /0 can't be one");
		add_range(sets->reader.arena, ranges, prefix_range(prefix));
	}
	return true;
}

static bool dash_read(struct sets_reader *sets, const struct content *content, const struct word *word, size_t dash,
                      struct members *ranges)
{
	struct addr first, last;

	if (content->family == FAMILY_6)
		return bad_member(sets, content, word, ", which has no ranges");
	if (!addr_parse(str_slice(word->text, 0, dash), &first) || first.family != FAMILY_4 ||
	    !addr_parse(str_slice(word->text, dash + 1, word->text.n), &last) || last.family != FAMILY_4)
		return bad_member(sets, content, word, "");
	if (first.bits > last.bits) { /* it takes them the other way round as well */
		struct addr other = first;

		first = last;
		last = other;
	}
	return take_range(sets, content, word, (struct range){first.bits, last.bits, FAMILY_4}, ranges);
}

bool member_read(struct sets_reader *sets, const struct content *content, const struct word *word,
                 struct members *ranges)
{
	struct prefix prefix;
	size_t dash = str_find(word->text, '-');

	if (dash < word->text.n)
		return dash_read(sets, content, word, dash, ranges);
	if (prefix_parse(word->text, &prefix) == PREFIX_BAD || prefix.addr.family != content->family)
		return bad_member(sets, content, word, "");
	if (content->kind == SET_IP && content->family == FAMILY_6 && prefix.length != 128)
		return bad_member(sets, content, word, ", which has no prefixes");
	return take_range(sets, content, word, prefix_range(prefix), ranges);
}

/* --- finding --- */

static uint64_t hash(struct range range)
{
	uint64_t h = 0x9e3779b97f4a7c15u;

	h = (h ^ (uint64_t)range.first) * 0xff51afd7ed558ccdu;
	h = (h ^ (h >> 32) ^ (uint64_t)(range.first >> 64)) * 0xc4ceb9fe1a85ec53u;
	h = (h ^ (h >> 29) ^ (uint64_t)range.last) * 0xff51afd7ed558ccdu;
	return h ^ (h >> 32);
}

static bool same_range(struct range a, struct range b)
{
	return a.first == b.first && a.last == b.last && a.family == b.family;
}

/* The place of a member in the table, or of the free slot for it. */
static size_t slot_of(const struct members *members, struct range range)
{
	size_t mask = members->slots - 1, at = hash(range) & mask;

	while (members->index[at] != 0 && !same_range(members->items[members->index[at] - 1], range))
		at = (at + 1) & mask;
	return at;
}

/* Brings the table up to date. What is there twice is deleted; so the number of members is exact from here on. */
static void make_index(struct arena *arena, struct members *members)
{
	if (members->slots < members->count * 2) {
		members->slots = 64;
		while (members->slots < members->count * 4)
			members->slots *= 2;
		members->index = ARENA_ARRAY(arena, uint32_t, members->slots);
		members->indexed = 0;
	}
	for (; members->indexed < members->count; members->indexed++) {
		struct range *item = &members->items[members->indexed];
		size_t slot;

		if (item->family == 0)
			continue;
		slot = slot_of(members, *item);
		if (members->index[slot] == 0) {
			members->index[slot] = (uint32_t)members->indexed + 1;
		} else {
			item->family = 0;
			members->deleted++;
		}
	}
}

static struct range *find(struct arena *arena, struct members *members, struct range range)
{
	size_t slot;

	make_index(arena, members);
	if (members->slots == 0)
		return NULL;
	slot = slot_of(members, range);
	return members->index[slot] == 0 ? NULL : &members->items[members->index[slot] - 1];
}

/* Of addresses: does one of the ranges have one of them? By the table where all are single ones. */
static bool overlaps(struct arena *arena, struct members *members, struct range range)
{
	if (members->wide == 0 && range.first == range.last)
		return find(arena, members, range) != NULL;
	for (size_t i = 0; i < members->count; i++)
		if (members->items[i].family != 0 && members->items[i].first <= range.last &&
		    range.first <= members->items[i].last)
			return true;
	return false;
}

/* --- changing --- */

static void drop(struct members *members, struct range *item)
{
	item->family = 0;
	members->deleted++;
}

/* As many elements as the kernel counts. */
static bool is_full(struct arena *arena, struct content *content)
{
	struct members *members = &content->members;
	struct addr_set set;
	addr_bits count = 0, size = 1;

	if (content->kind == SET_BITMAP)
		return false;
	if (content->kind == SET_NET || members->wide == 0) {
		if (members->count - members->deleted <= content->most)
			return false;
		make_index(arena, members);
		return members->count - members->deleted > content->most;
	}
	if (content->netmask > 0)
		size = (addr_bits)1 << (family_width(content->family) - content->netmask);
	set = members_addresses(arena, content);
	for (size_t i = 0; i < set.count; i++)
		count += (set.ranges[i].last - set.ranges[i].first) / size + 1;
	return count > content->most;
}

static bool is_single(const struct content *content, struct range range)
{
	struct range one = widened(content, (struct range){range.first, range.first, range.family});

	return same_range(one, range);
}

enum member_change member_add(struct arena *arena, struct content *content, struct range range, bool exist)
{
	struct members *members = &content->members;

	if (!exist &&
	    (content->kind == SET_NET ? find(arena, members, range) != NULL : overlaps(arena, members, range)))
		return MEMBER_SAME;
	APPEND(arena, members, range);
	members->wide += content->kind != SET_NET && !is_single(content, range);
	if (!is_full(arena, content))
		return MEMBER_CHANGED;
	drop(members, &members->items[members->count - 1]);
	return MEMBER_FULL;
}

/* What is left of the members without a range. */
static void cut_out(struct arena *arena, struct members *members, struct range range)
{
	size_t count = members->count;

	for (size_t i = 0; i < count; i++) {
		struct range item = members->items[i];

		if (item.family == 0 || item.last < range.first || range.last < item.first)
			continue;
		drop(members, &members->items[i]);
		if (item.first < range.first)
			APPEND(arena, members, ((struct range){item.first, range.first - 1, item.family}));
		if (range.last < item.last)
			APPEND(arena, members, ((struct range){range.last + 1, item.last, item.family}));
	}
}

/* Is every address of the range a member? */
static bool covers(struct arena *arena, const struct content *content, struct range range)
{
	struct addr_set set = members_addresses(arena, content);

	for (size_t i = 0; i < set.count; i++)
		if (range_covers(set.ranges[i], range))
			return true;
	return false;
}

enum member_change member_delete(struct arena *arena, struct content *content, struct range range)
{
	struct members *members = &content->members;
	struct range *found;

	if (content->kind != SET_NET && (members->wide > 0 || !is_single(content, range))) {
		bool all = covers(arena, content, range);

		cut_out(arena, members, range);
		return all ? MEMBER_CHANGED : MEMBER_SAME;
	}
	found = find(arena, members, range);
	if (found == NULL)
		return MEMBER_SAME;
	drop(members, found);
	return MEMBER_CHANGED;
}

/* Without sorting where they stand in order already, as in files of ours. */
struct addr_set members_addresses(struct arena *arena, const struct content *content)
{
	const struct members *members = &content->members;
	struct addr_set set = {content->family, NULL, 0};
	size_t i = 0;

	set.ranges = ARENA_ARRAY(arena, struct range, members->count);
	for (; i < members->count; i++) {
		struct range item = members->items[i], *last = set.count > 0 ? &set.ranges[set.count - 1] : NULL;

		if (item.family == 0)
			continue;
		if (last != NULL && item.first < last->first)
			break;
		if (last == NULL || (item.first > last->last && item.first - 1 > last->last))
			set.ranges[set.count++] = item;
		else if (item.last > last->last)
			last->last = item.last;
	}
	return i == members->count ? set : addr_set_of(arena, content->family, members->items, members->count);
}
