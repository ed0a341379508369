/* Large sets, made small for the choice of rules, which is the same with fewer members: of addresses that all other
 * sets, rules and housekeeping treat alike, one stretch stays a member, the others count as addresses that are in no
 * large set and otherwise the same, where there are such. What is found out about the smaller sets is true of the whole
 * ones, once the addresses of pieces are put back. It chooses nothing; the proof looks at the sets as they are. */
#include <stdlib.h>
#include <string.h>

#include "fleetwall/names.h"
#include "takeover.h"

/* Sets of fewer ranges stay; addresses that more rules name than this are left alone. */
enum { LARGE = 8, TOGETHER_MOST = 256 };

/* Of the bound, what an address costs that is put back: less time than memory. */
enum { WORK_OF_RANGE = 16 };

/* All addresses from `first` to `last` are in the same sources. */
struct stretch {
	addr_bits first, last;
	uint32_t class;
	bool alone; /* no other address is known to be like these */
	bool gone;  /* out of the large sets */
};

struct stretches {
	struct stretch *items;
	size_t count, capacity;
};

/* Stretches in the same sources. */
struct class {
	uint32_t outside;       /* the class in no large set, and otherwise the same; NAMES_NONE: there is none */
	bool any;               /* it has a stretch that is not alone: */
	addr_bits first;        /* of the first of them, which stays */
};

struct known {
	struct addr_set small, whole;
};

struct knowns {
	struct known *items;
	size_t count, capacity;
};

struct ranges {
	struct range *items;
	size_t count, capacity;
};

struct thinning {
	struct arena *arena;
	enum family family;
	const struct filter_sets *whole;
	struct filter_sets sets; /* the same with fewer members */
	bool *large;             /* by set */
	bool any;                /* some set is large */
	struct stretches stretches;
	struct class *classes;
	struct knowns knowns;
};

/* --- which sets --- */

static void find_large(struct thinning *thinning, const struct filter *filter)
{
	thinning->large = ARENA_ARRAY(thinning->arena, bool, thinning->whole->count);
	for (size_t i = 0; i < filter->chain_count; i++)
		for (size_t k = 0; k < filter->chains[i].rule_count; k++)
			for (size_t m = 0; m < filter->chains[i].rules[k].match_count; m++) {
				const struct match *match = &filter->chains[i].rules[k].matches[m];
				const struct filter_set *set =
					match->kind == MATCH_SET ? filter_set(thinning->whole, match->name) : NULL;

				if (set == NULL || !set->modelled || set->family != thinning->family ||
				    set->addresses.count < LARGE)
					continue;
				thinning->large[set - thinning->whole->sets] = true;
				thinning->any = true;
			}
}

/* Some address of the largest. */
static struct addr usual_address(const struct thinning *thinning)
{
	const struct addr_set *largest = NULL;

	for (size_t i = 0; i < thinning->whole->count; i++)
		if (thinning->large[i] &&
		    (largest == NULL || thinning->whole->sets[i].addresses.count > largest->count))
			largest = &thinning->whole->sets[i].addresses;
	return (struct addr){largest->ranges[largest->count / 2].first, thinning->family};
}

/* --- sources: what an address may be in ---
 *
 * The first are addresses that are left alone, then what rules name, then the large sets. */

struct end {
	addr_bits at; /* from here on */
	uint32_t source;
	bool begins;
};

struct sources {
	struct arena *arena;
	struct end *items;
	size_t count, capacity;
	uint32_t alone, large; /* the first behind those left alone, and the first large set */
};

static void add_range(struct sources *sources, uint32_t number, struct range range)
{
	APPEND(sources->arena, sources, ((struct end){range.first, number, true}));
	if (range.last < family_last(range.family))
		APPEND(sources->arena, sources, ((struct end){range.last + 1, number, false}));
}

static void add_set(struct sources *sources, uint32_t number, const struct addr_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		add_range(sources, number, set->ranges[i]);
}

/* Addresses that these packets do not treat as they treat the usual one. */
static struct addr_set unlike(struct arena *arena, struct packets set, enum packet_field field, struct addr usual)
{
	struct prefix prefix = {usual, family_width(usual.family)};
	size_t mark = packets_mark();
	struct packets same = packets_any(packets_and(set, packets_prefix(field, prefix)), field);
	struct packets other = packets_or(packets_without(set, same), packets_without(same, set));
	struct addr_set found = packets_addr_set(arena, other, field, usual.family);

	packets_release(mark);
	return found;
}

static void add_alone(struct sources *sources, const struct space *space, struct addr usual)
{
	static const enum packet_field fields[] = {FIELD_SOURCE, FIELD_DESTINATION};

	for (unsigned i = 0; i < 2; i++) {
		struct addr_set kept = unlike(sources->arena, space->kept, fields[i], usual);
		struct addr_set opening = unlike(sources->arena, space->opening, fields[i], usual);

		add_set(sources, sources->alone++, &kept);
		add_set(sources, sources->alone++, &opening);
	}
}

static int range_order(const void *a, const void *b)
{
	return range_cmp(*(const struct range *)a, *(const struct range *)b);
}

static struct ranges ranges_of(struct arena *arena, const struct filter *filter)
{
	struct ranges ranges = {0};

	for (size_t i = 0; i < filter->chain_count; i++)
		for (size_t k = 0; k < filter->chains[i].rule_count; k++)
			for (size_t m = 0; m < filter->chains[i].rules[k].match_count; m++) {
				const struct match *match = &filter->chains[i].rules[k].matches[m];

				for (size_t r = 0; r < match->range_count; r++)
					APPEND(arena, &ranges, match->ranges[r]);
			}
	if (ranges.count > 1)
		qsort(ranges.items, ranges.count, sizeof *ranges.items, range_order);
	return ranges;
}

static int end_order(const void *a, const void *b)
{
	const struct end *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

static struct sources sources_of(struct arena *arena, const struct thinning *thinning, const struct filter *filter,
                                 const struct space *space)
{
	const struct filter_sets *sets = thinning->whole;
	struct ranges ranges = ranges_of(arena, filter);
	struct sources sources = {.arena = arena};
	uint32_t number;

	add_alone(&sources, space, usual_address(thinning));
	number = sources.alone;
	for (size_t i = 0; i < ranges.count; i++)
		if (i == 0 || range_cmp(ranges.items[i - 1], ranges.items[i]) != 0)
			add_range(&sources, number++, ranges.items[i]);
	for (size_t i = 0; i < sets->count; i++)
		if (!thinning->large[i] && sets->sets[i].modelled && sets->sets[i].family == thinning->family)
			add_set(&sources, number++, &sets->sets[i].addresses);
	sources.large = number;
	for (size_t i = 0; i < sets->count; i++)
		if (thinning->large[i])
			add_set(&sources, number + (uint32_t)i, &sets->sets[i].addresses);
	if (sources.count > 1)
		qsort(sources.items, sources.count, sizeof *sources.items, end_order);
	return sources;
}

/* --- stretches and their classes --- */

/* Sources that an address is in, sorted. */
struct inside {
	uint32_t *items;
	size_t count, capacity;
};

struct cutting {
	struct thinning *thinning;
	const struct sources *sources;
	struct arena *arena;
	struct names *small, *all; /* classes as their sources: without large sets, and with */
	struct inside alone, named, large;
};

static void enter(struct arena *arena, struct inside *inside, uint32_t source)
{
	size_t i;

	APPEND(arena, inside, source);
	for (i = inside->count - 1; i > 0 && inside->items[i - 1] > source; i--)
		inside->items[i] = inside->items[i - 1];
	inside->items[i] = source;
}

static void leave(struct inside *inside, uint32_t source)
{
	size_t kept = 0;

	for (size_t i = 0; i < inside->count; i++)
		if (inside->items[i] != source)
			inside->items[kept++] = inside->items[i];
	inside->count = kept;
}

static void pass(struct cutting *cutting, const struct end *end)
{
	struct inside *inside = end->source < cutting->sources->alone   ? &cutting->alone
	                        : end->source < cutting->sources->large ? &cutting->named
	                                                                : &cutting->large;

	if (end->begins)
		enter(cutting->arena, inside, end->source);
	else
		leave(inside, end->source);
}

static struct str bytes_of(const uint32_t *numbers, size_t count)
{
	return (struct str){(const char *)numbers, count * sizeof *numbers};
}

/* What is named too often is alone, so that it need not be told apart. */
static uint32_t class_here(struct cutting *cutting)
{
	size_t named = cutting->named.count <= TOGETHER_MOST ? cutting->named.count : 0;
	uint32_t *key = ARENA_ARRAY(cutting->arena, uint32_t, cutting->large.count + 1);

	key[0] = names_add(cutting->small, bytes_of(cutting->named.items, named));
	for (size_t i = 0; i < cutting->large.count; i++)
		key[i + 1] = cutting->large.items[i] - cutting->sources->large;
	return names_keep(cutting->all, bytes_of(key, cutting->large.count + 1));
}

static void cut(struct cutting *cutting)
{
	const struct sources *sources = cutting->sources;
	addr_bits at = 0;
	size_t i = 0;

	for (;;) {
		struct stretch stretch = {.first = at};

		while (i < sources->count && sources->items[i].at == at)
			pass(cutting, &sources->items[i++]);
		stretch.last = i < sources->count ? sources->items[i].at - 1 : family_last(cutting->thinning->family);
		stretch.class = class_here(cutting);
		stretch.alone = cutting->alone.count > 0 || cutting->named.count > TOGETHER_MOST;
		APPEND(cutting->thinning->arena, &cutting->thinning->stretches, stretch);
		if (i == sources->count)
			return;
		at = sources->items[i].at;
	}
}

static void find_classes(struct cutting *cutting)
{
	struct thinning *thinning = cutting->thinning;
	uint32_t count = names_count(cutting->all);

	thinning->classes = ARENA_ARRAY(thinning->arena, struct class, count);
	for (uint32_t i = 0; i < count; i++)
		thinning->classes[i].outside =
			names_find(cutting->all, str_slice(names_get(cutting->all, i), 0, sizeof(uint32_t)));
	for (size_t i = 0; i < thinning->stretches.count; i++) {
		const struct stretch *stretch = &thinning->stretches.items[i];
		struct class *class = &thinning->classes[stretch->class];

		if (stretch->alone || class->any)
			continue;
		class->any = true;
		class->first = stretch->first;
	}
}

/* Is it one of several in large sets, and are there such addresses in none? */
static bool may_go(const struct thinning *thinning, const struct stretch *stretch)
{
	const struct class *class = &thinning->classes[stretch->class];

	return !stretch->alone && class->outside != NAMES_NONE && class->outside != stretch->class &&
	       thinning->classes[class->outside].any && class->first != stretch->first;
}

/* --- the smaller sets --- */

static void give_stretch(struct cutting *cutting, struct ranges *members, const struct stretch *stretch)
{
	struct str key = names_get(cutting->all, stretch->class);
	struct range range = {stretch->first, stretch->last, cutting->thinning->family};

	for (size_t i = sizeof(uint32_t); i < key.n; i += sizeof(uint32_t)) {
		uint32_t set;

		memcpy(&set, key.p + i, sizeof set);
		APPEND(cutting->arena, &members[set], range);
	}
}

static void make_sets(struct cutting *cutting)
{
	struct thinning *thinning = cutting->thinning;
	struct ranges *members = ARENA_ARRAY(cutting->arena, struct ranges, thinning->whole->count);

	for (size_t i = 0; i < thinning->stretches.count; i++) {
		struct stretch *stretch = &thinning->stretches.items[i];

		stretch->gone = may_go(thinning, stretch);
		if (!stretch->gone)
			give_stretch(cutting, members, stretch);
	}
	thinning->sets.sets = ARENA_ARRAY(thinning->arena, struct filter_set, thinning->whole->count);
	for (size_t i = 0; i < thinning->whole->count; i++) {
		thinning->sets.sets[i] = thinning->whole->sets[i];
		if (thinning->large[i])
			thinning->sets.sets[i].addresses = addr_set_of(thinning->arena, thinning->family,
			                                               members[i].items, members[i].count);
	}
}

struct thinning *thinning_new(struct arena *arena, const struct filter *filter, const struct filter_sets *sets,
                              const struct space *space)
{
	struct thinning *thinning = ARENA_NEW(arena, struct thinning);
	struct arena *scratch = arena_new();

	*thinning = (struct thinning){.arena = arena, .family = filter->family, .whole = sets, .sets = *sets};
	find_large(thinning, filter);
	if (thinning->any) {
		struct sources sources = sources_of(scratch, thinning, filter, space);
		struct cutting cutting = {.thinning = thinning,
		                          .sources = &sources,
		                          .arena = scratch,
		                          .small = names_new(scratch),
		                          .all = names_new(scratch)};

		cut(&cutting);
		find_classes(&cutting);
		make_sets(&cutting);
	}
	arena_free(scratch);
	return thinning;
}

const struct filter_sets *thinning_sets(const struct thinning *thinning)
{
	return &thinning->sets;
}

/* --- putting back --- */

static bool has(const struct thinning *thinning, const struct addr_set *set, addr_bits bits)
{
	return addr_set_has(set, (struct addr){bits, thinning->family});
}

/* What of the range did not go; *next is the first stretch that may lie in it. */
static void add_staying(const struct thinning *thinning, struct ranges *ranges, struct arena *arena,
                        struct range range, size_t *next)
{
	const struct stretches *stretches = &thinning->stretches;

	while (*next < stretches->count && stretches->items[*next].last < range.first)
		++*next;
	for (size_t i = *next; i < stretches->count && stretches->items[i].first <= range.last; i++) {
		const struct stretch *stretch = &stretches->items[i];
		struct range part = {stretch->first > range.first ? stretch->first : range.first,
		                     stretch->last < range.last ? stretch->last : range.last, thinning->family};

		if (!stretch->gone)
			APPEND(arena, ranges, part);
	}
}

/* A stretch that went is in it where the one that stayed for its class is. */
static struct addr_set put_back(const struct thinning *thinning, struct arena *arena, const struct addr_set *small)
{
	struct arena *scratch = arena_new();
	struct ranges ranges = {0};
	struct addr_set whole;
	size_t next = 0;

	for (size_t i = 0; i < small->count; i++)
		add_staying(thinning, &ranges, scratch, small->ranges[i], &next);
	for (size_t i = 0; i < thinning->stretches.count; i++) {
		const struct stretch *stretch = &thinning->stretches.items[i];

		if (stretch->gone && has(thinning, small, thinning->classes[stretch->class].first))
			APPEND(scratch, &ranges, ((struct range){stretch->first, stretch->last, thinning->family}));
	}
	packets_work(WORK_OF_RANGE * ranges.count);
	if (packets_spent())
		ranges.count = 0;
	whole = addr_set_of(arena, thinning->family, ranges.items, ranges.count);
	arena_free(scratch);
	return whole;
}

/* The set whose smaller one it is. */
static const struct addr_set *set_of(const struct thinning *thinning, const struct addr_set *small)
{
	for (size_t i = 0; i < thinning->whole->count; i++)
		if (thinning->large[i] && addr_set_eq(&thinning->sets.sets[i].addresses, small))
			return &thinning->whole->sets[i].addresses;
	return NULL;
}

struct addr_set thinning_put_back(struct thinning *thinning, struct arena *arena, struct addr_set small)
{
	const struct addr_set *set = thinning->any ? set_of(thinning, &small) : &small;
	struct known known = {.small = small};

	if (set != NULL)
		return *set;
	for (size_t i = 0; i < thinning->knowns.count; i++)
		if (addr_set_eq(&thinning->knowns.items[i].small, &small))
			return thinning->knowns.items[i].whole;
	known.whole = put_back(thinning, arena, &small);
	APPEND(thinning->arena, &thinning->knowns, known);
	return known.whole;
}
