/* Sets of a pair of rulesets: what is the same on both sides is a condition, whatever it holds; of what differs, only
 * the addresses that came or went are seen. So a set of 100,000 addresses becomes no diagram because one joined. Reads
 * set files when their addresses matter, each once. */
#include <stdlib.h>

#include "difference_parts.h"

#define FEW 16 /* times fewer */

/* --- sets of addresses --- */

struct range_list {
	struct arena *arena;
	struct range *items;
	size_t count, capacity;
};

static void add_range(struct range_list *list, struct range range)
{
	APPEND(list->arena, list, range);
}

/* A few addresses are looked up among many. */
static struct addr_set few_among(struct arena *arena, const struct addr_set *few, const struct addr_set *many)
{
	struct range_list list = {.arena = arena};

	for (size_t i = 0; i < few->count; i++) {
		const struct range *x = &few->ranges[i];

		for (size_t k = addr_set_place(many, x->first); k < many->count && many->ranges[k].first <= x->last;
		     k++) {
			const struct range *y = &many->ranges[k];

			add_range(&list, (struct range){x->first > y->first ? x->first : y->first,
			                                x->last < y->last ? x->last : y->last, few->family});
		}
	}
	return (struct addr_set){few->family, list.items, list.count};
}

struct addr_set addr_set_and(struct arena *arena, const struct addr_set *a, const struct addr_set *b)
{
	struct range_list list = {.arena = arena};

	if (a->count < b->count / FEW)
		return few_among(arena, a, b);
	if (b->count < a->count / FEW)
		return few_among(arena, b, a);
	for (size_t i = 0, k = 0; i < a->count && k < b->count;) {
		const struct range *x = &a->ranges[i], *y = &b->ranges[k];
		addr_bits first = x->first > y->first ? x->first : y->first;
		addr_bits last = x->last < y->last ? x->last : y->last;

		if (first <= last)
			add_range(&list, (struct range){first, last, a->family});
		if (x->last < y->last)
			i++;
		else
			k++;
	}
	return (struct addr_set){a->family, list.items, list.count};
}

/* What of the range no range of `b` has; *k is the first of them that may touch it. */
static void add_rest(struct range_list *list, struct range range, const struct addr_set *b, size_t *k)
{
	while (*k < b->count && b->ranges[*k].last < range.first)
		++*k;
	for (size_t i = *k; i < b->count && b->ranges[i].first <= range.last; i++) {
		if (b->ranges[i].first > range.first)
			add_range(list, (struct range){range.first, b->ranges[i].first - 1, range.family});
		if (b->ranges[i].last >= range.last)
			return;
		range.first = b->ranges[i].last + 1;
	}
	add_range(list, range);
}

struct addr_set addr_set_without(struct arena *arena, const struct addr_set *a, const struct addr_set *b)
{
	struct range_list list = {.arena = arena};
	size_t k = 0;

	for (size_t i = 0; i < a->count; i++)
		add_rest(&list, a->ranges[i], b, &k);
	return (struct addr_set){a->family, list.items, list.count};
}

/* --- the sets of a pair --- */

/* "mysql-0123456789ab.v4" is the file of fw4-mysql-0123456789ab. */
static struct both_sets set_of_file(struct arena *arena, struct str file)
{
	bool six = str_ends(file, STR(".v6"));
	struct str bare = str_slice(file, 0, file.n > 3 ? file.n - 3 : 0);

	return (struct both_sets){.file = file,
	                          .family = six ? FAMILY_6 : FAMILY_4,
	                          .name = str_format(arena, "fw%c-%.*s", six ? '6' : '4', STR_ARG(bare))};
}

static int set_order(const void *a, const void *b)
{
	return str_cmp(((const struct both_sets *)a)->name, ((const struct both_sets *)b)->name);
}

static void join_sets(struct comparison *comparison, const struct difference_pair *pair)
{
	struct arena *arena = comparison->arena;
	struct both_sets *sets = ARENA_ARRAY(arena, struct both_sets, pair->set_count[0] + pair->set_count[1]);
	size_t count = 0, at[2] = {0, 0};

	while (at[0] < pair->set_count[0] || at[1] < pair->set_count[1]) {
		const struct entry *next[2];
		int order;

		for (size_t side = 0; side < 2; side++)
			next[side] = at[side] < pair->set_count[side] ? &pair->sets[side][at[side]] : NULL;
		order = next[0] == NULL ? 1 : next[1] == NULL ? -1 : str_cmp(next[0]->name, next[1]->name);
		sets[count] = set_of_file(arena, next[order > 0]->name);
		for (size_t side = 0; side < 2; side++) {
			if (order != 0 && (order > 0) != side)
				continue;
			sets[count].have[side] = true;
			sets[count].digest[side] = next[side]->digest;
			at[side]++;
		}
		count++;
	}
	if (count > 0)
		qsort(sets, count, sizeof *sets, set_order);
	comparison->sets = sets;
	comparison->set_count = count;
}

void sets_prepare(struct comparison *comparison, const struct difference_pair *pair)
{
	struct arena *arena = comparison->arena;

	join_sets(comparison, pair);
	comparison->conditions = names_new(arena);
	comparison->favoured = names_new(arena);
	for (size_t side = 0; side < 2; side++) {
		struct filter_sets *known = &comparison->known[side];

		known->sets = ARENA_ARRAY(arena, struct filter_set, comparison->set_count);
		for (size_t i = 0; i < comparison->set_count; i++)
			if (comparison->sets[i].have[side])
				known->sets[known->count++] = (struct filter_set){.name = comparison->sets[i].name,
				                                                  .type = STR("hash:net"),
				                                                  .family = comparison->sets[i].family,
				                                                  .modelled = true};
	}
}

size_t sets_find(const struct comparison *comparison, struct str name)
{
	const struct both_sets key = {.name = name};
	const struct both_sets *found = comparison->set_count == 0
	                                        ? NULL
	                                        : bsearch(&key, comparison->sets, comparison->set_count,
	                                                  sizeof *comparison->sets, set_order);

	return found == NULL ? comparison->set_count : (size_t)(found - comparison->sets);
}

bool sets_differ(const struct both_sets *set)
{
	return set->have[0] && set->have[1] && !digest_eq(&set->digest[0], &set->digest[1]);
}

/* --- what they hold --- */

static struct error *read_set(struct comparison *comparison, const struct both_sets *set, const struct digest *digest)
{
	struct difference *difference = comparison->difference;
	struct filter_sets found = {0};
	struct filter_text text = {.file = set->file};
	const struct filter_set *held;

	TRY(difference->read(difference->context, comparison->arena, digest, &text.text));
	TRY(filter_sets_read(difference->arena, &text, 1, true, &found));
	held = filter_set(&found, set->name);
	if (held == NULL || !held->modelled)
		return error_new(ERROR_SURROUNDINGS, "the set file %.*s does not fill the set %.*s", STR_ARG(set->file),
		                 STR_ARG(set->name));
	APPEND(difference->arena, &difference->loaded, held->addresses);
	return NULL;
}

const struct addr_set *sets_addresses(struct comparison *comparison, size_t number, bool after)
{
	struct difference *difference = comparison->difference;
	const struct both_sets *set = &comparison->sets[number];
	const struct digest *digest = &set->digest[after];
	const struct str key = {(const char *)digest->byte, sizeof digest->byte};
	uint32_t place = names_find(difference->digests, key);
	struct error *error;

	if (place != NAMES_NONE)
		return &difference->loaded.items[place];
	error = read_set(comparison, set, digest);
	if (error != NULL) {
		error_collect(&comparison->error, error);
		return NULL;
	}
	names_add(difference->digests, key);
	return &difference->loaded.items[difference->loaded.count - 1];
}

/* Many rulesets name the same sets: they are compared once. */
static bool compare_set(struct comparison *comparison, size_t number)
{
	struct difference *difference = comparison->difference;
	struct both_sets *set = &comparison->sets[number];
	const struct addr_set *before = sets_addresses(comparison, number, false);
	const struct addr_set *after = sets_addresses(comparison, number, true);
	uint32_t place;

	if (set->compared)
		return true;
	if (before == NULL || after == NULL)
		return false;
	place = names_add(difference->compared,
	                  (struct str){(const char *)set->digest, sizeof set->digest});
	if (place == difference->moves.count)
		APPEND(difference->arena, &difference->moves,
		       ((struct moved_set){addr_set_without(difference->arena, before, after),
		                           addr_set_without(difference->arena, after, before)}));
	set->removed = difference->moves.items[place].removed;
	set->added = difference->moves.items[place].added;
	set->compared = true;
	return true;
}

bool sets_held(struct comparison *comparison, size_t number, bool moved, struct addr_set *held)
{
	const struct both_sets *set = &comparison->sets[number];
	struct range_list list = {.arena = comparison->arena};

	if (moved && !(sets_differ(set) && compare_set(comparison, number)))
		return false;
	for (size_t side = 0; side < 2; side++) {
		const struct addr_set *part = side == 0 ? &set->removed : &set->added;

		if (!moved && (!set->have[side] || (side == 1 && set->have[0] && !sets_differ(set))))
			continue;
		if (!moved)
			part = sets_addresses(comparison, number, side == 1);
		if (part == NULL)
			return false;
		for (size_t i = 0; i < part->count; i++)
			add_range(&list, part->ranges[i]);
	}
	*held = addr_set_of(comparison->arena, set->family, list.items, list.count);
	return true;
}

bool sets_moved(struct comparison *comparison)
{
	struct range_list lists[2] = {{.arena = comparison->arena}, {.arena = comparison->arena}};

	for (size_t i = 0; i < comparison->set_count; i++) {
		const struct both_sets *set = &comparison->sets[i];
		struct range_list *list = &lists[set->family == FAMILY_6];

		if (!set->have[0] || !set->have[1] || (sets_differ(set) && !compare_set(comparison, i)))
			return false;
		for (size_t k = 0; k < set->removed.count; k++)
			add_range(list, set->removed.ranges[k]);
		for (size_t k = 0; k < set->added.count; k++)
			add_range(list, set->added.ranges[k]);
	}
	for (size_t i = 0; i < 2; i++)
		comparison->moved[i] = addr_set_of(comparison->arena, i == 1 ? FAMILY_6 : FAMILY_4, lists[i].items,
		                                   lists[i].count);
	return true;
}

/* --- as packets --- */

static struct packets see_moved(const struct side_view *view, size_t number, enum packet_field field)
{
	struct comparison *comparison = view->comparison;
	const struct addr_set *held = sets_addresses(comparison, number, view->after);
	struct addr_set both;

	if (held == NULL)
		return packets_none();
	both = addr_set_and(comparison->arena, held, view->moved);
	return packets_addresses(field, &both);
}

static struct packets condition_of(struct comparison *comparison, size_t set, enum packet_field field)
{
	struct str name = str_format(comparison->arena, "difference %zu %s", set,
	                             field == FIELD_SOURCE ? "src" : "dst");
	uint32_t number = names_add(comparison->conditions, name);

	if (number == comparison->condition_count) {
		comparison->condition_sets =
			arena_grow(comparison->arena, comparison->condition_sets, comparison->condition_count,
		                   &comparison->condition_capacity, sizeof *comparison->condition_sets,
		                   _Alignof(struct condition_of_set));
		comparison->condition_sets[comparison->condition_count++] = (struct condition_of_set){set, field};
	}
	return packets_condition(name);
}

struct packets sets_see(void *context, const struct filter_set *named, enum packet_field field)
{
	const struct side_view *view = context;
	struct comparison *comparison = view->comparison;
	size_t number = sets_find(comparison, named->name);
	const struct both_sets *set = &comparison->sets[number];
	struct packets seen, removed, added;

	if (view->moved != NULL)
		return see_moved(view, number, field);
	seen = condition_of(comparison, number, field);
	if (sets_differ(set)) {
		if (!compare_set(comparison, number))
			return packets_none();
		removed = packets_addresses(field, &set->removed);
		added = packets_addresses(field, &set->added);
		seen = packets_without(seen, packets_or(removed, added));
		seen = packets_or(seen, view->after ? added : removed);
	}
	return packets_and(packets_family(set->family), seen);
}

struct packets sets_see_sample(void *context, const struct filter_set *named, enum packet_field field)
{
	const struct side_view *view = context;
	const struct sample *sample = view->sample;
	const struct addr_set *held =
		sets_addresses(view->comparison, sets_find(view->comparison, named->name), view->after);

	if (held == NULL || !addr_set_has(held, field == FIELD_SOURCE ? sample->source : sample->destination))
		return packets_none();
	return packets_family(named->family);
}

/* Of the set that the condition stands for, the addresses that occur in `wide`. */
static struct packets put_one(struct comparison *comparison, struct packets packets, struct str name,
                              struct packets wide)
{
	struct arena *arena = comparison->arena;
	const struct condition_of_set *of =
		&comparison->condition_sets[names_find(comparison->conditions, name)];
	const struct both_sets *set = &comparison->sets[of->set];
	const struct addr_set *held = sets_addresses(comparison, of->set, set->have[1]);
	struct addr_set matters, both;

	if (held == NULL)
		return packets_none();
	matters = packets_addr_set(arena, wide, of->field, set->family);
	both = addr_set_and(arena, held, &matters);
	return packets_put(packets, name, packets_addresses(of->field, &both));
}

/* Sets that all of the packets are in come first: of the others only these members matter then. */
struct packets sets_put(struct comparison *comparison, struct packets packets)
{
	struct packets wide = packets_perhaps(packets);
	struct str *names;
	size_t count = packets_conditions(comparison->arena, packets, &names), left = 0;

	for (size_t i = 0; i < count; i++) {
		if (names_find(comparison->conditions, names[i]) == NAMES_NONE)
			continue;
		if (packets_within(packets, packets_condition(names[i])))
			packets = put_one(comparison, packets, names[i], wide);
		else
			names[left++] = names[i];
	}
	if (left < count)
		wide = packets_perhaps(packets);
	for (size_t i = 0; i < left; i++)
		packets = put_one(comparison, packets, names[i], wide);
	return packets;
}

struct packets sets_favour(struct comparison *comparison, struct packets packets)
{
	struct str *names;
	size_t count = packets_conditions(comparison->arena, packets, &names);

	for (size_t i = 0; i < count; i++) {
		if (names_find(comparison->conditions, names[i]) != NAMES_NONE)
			continue;
		names_add(comparison->favoured, names[i]);
		packets = packets_or(packets_put(packets, names[i], packets_all()),
		                     packets_put(packets, names[i], packets_none()));
	}
	return packets;
}
