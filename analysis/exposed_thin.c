/* Of a prefix that was asked about, one address for all those to which a position does the same. Whatever looks at
 * sources there looks at sets of addresses; addresses that are in the same ones of these are the same to it. A set of
 * 50,000 members is a large diagram, a few addresses that stand for them a small one. Names nothing. */
#include "exposed_parts.h"

#include <assert.h>
#include <stdlib.h>

/* A set as runs of places: first, last, first, last, … */
struct runs {
	uint32_t *items;
	size_t count, capacity;
};

/* Pieces of the prefix that no set cuts, in order, and to which class of the present position each belongs. */
struct thin {
	struct arena *arena;
	size_t family;
	struct addr_set whole;  /* the prefix */
	addr_bits *pieces;      /* where each begins */
	size_t count;
	uint32_t *class_of;
	struct names *set_keys; /* sets by where they lie in memory */
	struct {
		struct runs *items;
		size_t count, capacity;
	} sets;
	struct class_splits {
		uint32_t *into, *by; /* by class: which part of it is in the set, found for the set of this number */
		size_t capacity;
	} splits;
	uint32_t classes, set;  /* so many there are; the number of the set that splits them now */
	struct addr_set picked; /* one address of each class */
	uint32_t *picked_class;
	addr_bits *sizes;       /* of the classes */
};

/* --- pieces --- */

struct places {
	struct arena *arena;
	const struct range *whole;
	addr_bits *items;
	size_t count, capacity;
};

static int bits_order(const void *a, const void *b)
{
	addr_bits one = *(const addr_bits *)a, other = *(const addr_bits *)b;

	return (one > other) - (one < other);
}

/* Pieces begin where a range does, and behind its end. */
static void cut_at(struct places *places, struct range range)
{
	if (range.family != places->whole->family || range.last < places->whole->first ||
	    range.first > places->whole->last)
		return;
	if (range.first > places->whole->first)
		APPEND(places->arena, places, range.first);
	if (range.last < places->whole->last)
		APPEND(places->arena, places, range.last + 1);
}

static void cut_at_rules(struct places *places, const struct role *role)
{
	for (size_t i = 0; i < role->rule_count; i++)
		for (size_t k = 0; k < role->rules[i].rule.peer_count; k++)
			if (role->rules[i].rule.peers[k].kind == PEER_LITERAL)
				cut_at(places, role->rules[i].rule.peers[k].literal);
}

static void cut_at_all(struct places *places, const struct fleet *fleet, const struct settings *settings)
{
	for (size_t i = 0; i < fleet->machine_count; i++)
		for (size_t k = 0; k < fleet->machines[i].address_count; k++) {
			struct addr addr = fleet->machines[i].addresses[k].addr;

			cut_at(places, (struct range){addr.bits, addr.bits, addr.family});
		}
	for (size_t i = 0; i < fleet->network_count; i++)
		for (size_t k = 0; k < fleet->networks[i].prefix_count; k++)
			cut_at(places, prefix_range(fleet->networks[i].prefixes[k]));
	for (size_t i = 0; i < fleet->role_count; i++)
		cut_at_rules(places, &fleet->roles[i]);
	for (size_t i = 0; i < settings->management_count; i++)
		cut_at(places, prefix_range(settings->management[i]));
}

/* DHCP replies come from there (SPEC §2). */
static struct range link_local(void)
{
	return prefix_range((struct prefix){{(addr_bits)0xfe80 << 112, FAMILY_6}, 10});
}

struct thin *thin_new(struct exposed *exposed)
{
	struct thin *thin = ARENA_NEW(exposed->arena, struct thin);
	struct places places = {.arena = exposed->arena};

	thin->arena = exposed->arena;
	thin->set_keys = names_new(exposed->arena);
	thin->family = exposed->universe[0].count == 0;
	thin->whole = exposed->universe[thin->family];
	places.whole = &thin->whole.ranges[0];
	APPEND(places.arena, &places, places.whole->first);
	cut_at_all(&places, exposed->fleet, exposed->settings);
	cut_at(&places, link_local());
	qsort(places.items, places.count, sizeof *places.items, bits_order);
	thin->pieces = places.items;
	for (size_t i = 0; i < places.count; i++)
		if (i == 0 || places.items[i] != places.items[i - 1])
			thin->pieces[thin->count++] = places.items[i];
	thin->class_of = ARENA_ARRAY(exposed->arena, uint32_t, thin->count);
	return thin;
}

/* The last piece that begins at or before the address, from one that does. */
static size_t piece_of(const struct thin *thin, size_t from, addr_bits bits)
{
	size_t end = thin->count;

	while (end - from > 1) {
		size_t middle = from + (end - from) / 2;

		if (thin->pieces[middle] <= bits)
			from = middle;
		else
			end = middle;
	}
	return from;
}

static struct range piece_range(const struct thin *thin, size_t piece)
{
	bool last = piece + 1 == thin->count;

	return (struct range){thin->pieces[piece], last ? thin->whole.ranges[0].last : thin->pieces[piece + 1] - 1,
	                      thin->whole.family};
}

/* --- sets as places --- */

static struct runs runs_of(struct arena *arena, const struct thin *thin, const struct addr_set *set)
{
	const struct range *whole = &thin->whole.ranges[0];
	struct runs runs = {0};
	size_t piece = 0;

	for (size_t i = addr_set_place(set, whole->first); i < set->count && set->ranges[i].first <= whole->last; i++) {
		const struct range *range = &set->ranges[i];

		piece = piece_of(thin, piece, range->first > whole->first ? range->first : whole->first);
		assert(range->first <= whole->first || thin->pieces[piece] == range->first);
		APPEND(arena, &runs, (uint32_t)piece);
		piece = piece_of(thin, piece, range->last < whole->last ? range->last : whole->last);
		assert(range->last >= whole->last || piece_range(thin, piece).last == range->last);
		APPEND(arena, &runs, (uint32_t)piece);
	}
	return runs;
}

/* Sets that the intent keeps are found once. */
static const struct runs *kept_runs(struct thin *thin, const struct addr_set *set)
{
	uint32_t number = names_add(thin->set_keys, (struct str){(const char *)&set, sizeof set});

	if (number == thin->sets.count) {
		struct runs runs = runs_of(thin->arena, thin, set);

		APPEND(thin->arena, &thin->sets, runs);
	}
	return &thin->sets.items[number];
}

/* --- classes --- */

static void make_room(struct thin *thin)
{
	size_t capacity = thin->splits.capacity == 0 ? 1024 : 2 * thin->splits.capacity;
	struct class_splits splits = {ARENA_ARRAY(thin->arena, uint32_t, capacity),
	                              ARENA_ARRAY(thin->arena, uint32_t, capacity), capacity};

	for (size_t i = 0; i < thin->splits.capacity; i++) {
		splits.into[i] = thin->splits.into[i];
		splits.by[i] = thin->splits.by[i];
	}
	thin->splits = splits;
}

static uint32_t split_class(struct thin *thin, uint32_t class)
{
	if (thin->splits.by[class] == thin->set)
		return thin->splits.into[class];
	if (thin->classes >= thin->splits.capacity)
		make_room(thin);
	thin->splits.by[class] = thin->set;
	thin->splits.by[thin->classes] = 0;
	return thin->splits.into[class] = thin->classes++;
}

/* What of each class is in the set becomes a class of its own. */
static void split(struct thin *thin, const struct runs *runs)
{
	thin->set++;
	for (size_t i = 0; i < runs->count; i += 2)
		for (size_t piece = runs->items[i]; piece <= runs->items[i + 1]; piece++)
			thin->class_of[piece] = split_class(thin, thin->class_of[piece]);
}

static void split_by_rule(struct thin *thin, struct arena *scratch, struct intent *intent,
                          const struct intent_rule *rule)
{
	const struct addr_set **sets;
	size_t count = intent_rule_sets(scratch, intent, rule, thin->whole.family, &sets);

	for (size_t i = 0; i < count; i++) {
		/* Of one prefix: it is made for this question. */
		if (sets[i]->count <= 1) {
			struct runs runs = runs_of(scratch, thin, sets[i]);

			split(thin, &runs);
		} else {
			split(thin, kept_runs(thin, sets[i]));
		}
	}
}

static void split_by_range(struct thin *thin, struct arena *scratch, struct range range)
{
	struct addr_set set = {range.family, &range, 1};
	struct runs runs;

	if (range.family != thin->whole.family)
		return;
	runs = runs_of(scratch, thin, &set);
	split(thin, &runs);
}

/* The first address of each class that is left, in their order. */
static void pick(struct thin *thin, struct arena *scratch)
{
	bool *seen = ARENA_ARRAY(scratch, bool, thin->classes);
	struct range *ranges = ARENA_ARRAY(scratch, struct range, thin->classes);
	size_t count = 0;

	thin->picked_class = ARENA_ARRAY(scratch, uint32_t, thin->classes);
	thin->sizes = ARENA_ARRAY(scratch, addr_bits, thin->classes);
	for (size_t i = 0; i < thin->count; i++) {
		struct range range = piece_range(thin, i);

		thin->sizes[thin->class_of[i]] += range.last - range.first + 1;
		if (seen[thin->class_of[i]])
			continue;
		seen[thin->class_of[i]] = true;
		thin->picked_class[count] = thin->class_of[i];
		ranges[count++] = (struct range){thin->pieces[i], thin->pieces[i], thin->whole.family};
	}
	thin->picked = (struct addr_set){thin->whole.family, ranges, count};
}

struct addr_set thin_position(struct thin *thin, struct arena *scratch, const struct exposed *exposed,
                              const struct intent_rule *rules, size_t count)
{
	for (size_t i = 0; i < thin->count; i++)
		thin->class_of[i] = 0;
	if (thin->splits.capacity == 0)
		make_room(thin);
	thin->classes = 1;
	thin->splits.by[0] = 0;
	for (size_t i = 0; i < count; i++)
		if (rules[i].rule->rule.direction == DIRECTION_IN)
			split_by_rule(thin, scratch, exposed->intent, &rules[i]);
	for (size_t i = 0; i < exposed->settings->management_count; i++)
		split_by_range(thin, scratch, prefix_range(exposed->settings->management[i]));
	split_by_range(thin, scratch, link_local());
	pick(thin, scratch);
	return addr_set_of(scratch, thin->whole.family, thin->picked.ranges, thin->picked.count);
}

static bool stands_in(const struct thin *thin, size_t pick, const struct addr_set *picked)
{
	struct addr addr = {thin->picked.ranges[pick].first, thin->whole.family};

	return picked->family == addr.family && addr_set_has(picked, addr);
}

addr_bits thin_size(const struct thin *thin, const struct addr_set *picked)
{
	addr_bits size = 0;

	for (size_t i = 0; i < thin->picked.count; i++)
		if (stands_in(thin, i, picked))
			size += thin->sizes[thin->picked_class[i]];
	return size;
}

/* Pieces come in order, and one may begin where the one before it ends. */
struct addr_set thin_whole(const struct thin *thin, struct arena *arena, const struct addr_set *picked)
{
	struct arena *scratch = arena_new();
	bool *in = ARENA_ARRAY(scratch, bool, thin->classes);
	struct {
		struct range *items;
		size_t count, capacity;
	} ranges = {0};

	for (size_t i = 0; i < thin->picked.count; i++)
		in[thin->picked_class[i]] = stands_in(thin, i, picked);
	for (size_t i = 0; i < thin->count; i++) {
		if (!in[thin->class_of[i]])
			continue;
		if (i > 0 && in[thin->class_of[i - 1]])
			ranges.items[ranges.count - 1].last = piece_range(thin, i).last;
		else
			APPEND(arena, &ranges, piece_range(thin, i));
	}
	arena_free(scratch);
	return (struct addr_set){thin->whole.family, ranges.items, ranges.count};
}
