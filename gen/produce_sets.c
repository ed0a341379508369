/* The set files of a product: gathers what each set holds, knows it again by that, and writes those that are new. Sets
 * are made in parallel, the largest first. What a set is called is for sets.c to say. */
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/parallel.h"
#include "produce_keys.h"
#include "produce_roster.h"
#include "produce_set_text.h"
#include "produce_sort.h"
#include "produce_worker.h"
#include "resolve_index.h"

#define ANY_LABEL UINT32_MAX

struct work {
	struct production *production;
	const struct roster *roster;
	uint32_t *order; /* numbers of the sets that are looked at, largest first */
	size_t count;
};

/* Whose addresses a set holds; of machines and roles. */
struct wanted {
	const uint32_t *machines;
	size_t count;
	uint32_t label; /* ANY_LABEL: any */
	bool refusing;
};

static bool is_ranges(const struct set *set)
{
	return set->peer == NULL || set->peer->kind == PEER_NETWORK;
}

/* `subject` is the set's, and lives as long as what is wanted. */
static struct wanted wanted_by(const struct work *work, const struct set *set, const uint32_t *subject)
{
	const struct resolved *resolved = work->production->resolved;
	struct wanted wanted = {.refusing = set->refusing, .label = ANY_LABEL};

	if (*subject == NOBODY)
		return wanted;
	if (set->peer->kind == PEER_MACHINE) {
		wanted.machines = subject;
		wanted.count = 1;
		return wanted;
	}
	wanted.machines = resolved->roles[*subject].members;
	wanted.count = resolved->roles[*subject].member_count;
	if (set->peer->kind == PEER_ROLE && set->peer->label.n > 0) {
		wanted.label = names_find(work->roster->labels, set->peer->label);
		if (wanted.label == NAMES_NONE) /* a label that no address has */
			wanted.count = 0;
	}
	return wanted;
}

/* Copies what stands for the addresses in `from`, in the order of machines: how many. `size` is that of one of them,
 * and a constant where this is inlined. */
static inline size_t copy_wanted(const struct work *work, const struct wanted *wanted,
                                 const struct roster_family *family, const unsigned char *from, unsigned char *to,
                                 size_t size)
{
	size_t count = 0;

	for (size_t i = 0; i < wanted->count; i++) {
		uint32_t machine = wanted->machines[i];

		if (!wanted->refusing && !work->roster->enabled[machine])
			continue;
		for (size_t k = family->start[machine]; k < family->start[machine + 1]; k++) {
			if (wanted->label != ANY_LABEL && wanted->label != family->label[k])
				continue;
			memcpy(to + count++ * size, from + k * size, size);
		}
	}
	return count;
}

/* Room for all addresses of a family, which no set has more of: each machine is a member once. */
static void make_room(struct worker *worker, size_t bytes, bool sorts)
{
	if (bytes <= worker->numbers.capacity)
		return;
	worker->numbers.items = arena_raw(worker->kept, bytes);
	worker->numbers.room = sorts ? arena_raw(worker->kept, bytes) : NULL;
	worker->numbers.capacity = bytes;
}

static size_t gather_numbers(const struct work *work, struct worker *worker, const struct set *set,
                             const uint32_t *subject)
{
	const struct roster_family *family = &work->roster->families[family_index(set->family)];
	size_t size = set->family == FAMILY_4 ? sizeof(uint32_t) : sizeof(addr_bits);
	struct wanted wanted = wanted_by(work, set, subject);

	make_room(worker, family->count * size, !work->roster->ranked);
	return set->family == FAMILY_4
	               ? copy_wanted(work, &wanted, family, family->bits, worker->numbers.items, sizeof(uint32_t))
	               : copy_wanted(work, &wanted, family, family->bits, worker->numbers.items, sizeof(addr_bits));
}

/* In place of the addresses, which are fewer bytes then. */
static void mark_ranks(const struct work *work, struct worker *worker, const struct set *set, const uint32_t *subject)
{
	unsigned number = family_index(set->family);
	const struct roster_family *family = &work->roster->families[number];
	const struct ranks *ranks = &work->roster->ranks[number];
	struct wanted wanted = wanted_by(work, set, subject);
	size_t count = copy_wanted(work, &wanted, family, (const unsigned char *)ranks->of, worker->numbers.items,
	                           sizeof(uint32_t));

	marks_fit(worker->kept, &worker->marks, family->count);
	marks_add(&worker->marks, worker->numbers.items, count);
}

/* Literals and networks, which are ranges already. */
static struct addr_set gather_ranges(struct arena *scratch, const struct fleet *fleet, const struct set *set)
{
	const struct network *network;
	struct range *ranges;
	size_t count = 0;

	if (set->peer == NULL) {
		count = rule_literals(scratch, set->rule, set->family, &ranges);
		return addr_set_of(scratch, set->family, ranges, count);
	}
	network = fleet_network(fleet, set->peer->name);
	ranges = ARENA_ARRAY(scratch, struct range, network != NULL ? network->prefix_count : 0);
	for (size_t i = 0; network != NULL && i < network->prefix_count; i++)
		ranges[count++] = prefix_range(network->prefixes[i]);
	return addr_set_of(scratch, set->family, ranges, count);
}

/* For the key: structs have gaps, whose bytes say nothing. */
static struct str ranges_bytes(struct arena *scratch, const struct addr_set *set)
{
	addr_bits *bits = arena_raw(scratch, set->count * 2 * sizeof *bits);

	for (size_t i = 0; i < set->count; i++) {
		bits[2 * i] = set->ranges[i].first;
		bits[2 * i + 1] = set->ranges[i].last;
	}
	return (struct str){(const char *)bits, set->count * 2 * sizeof *bits};
}

/* What a set holds: as ranges, or as numbers in the worker's memory, in no order and perhaps repeated. */
struct contents {
	struct addr_set ranges;
	size_t number_count;
	struct str bytes; /* of either, for the key */
};

static struct contents gather(const struct work *work, struct worker *worker, const struct set *set,
                              const uint32_t *subject)
{
	struct contents contents = {.number_count = 0};

	if (is_ranges(set)) {
		contents.ranges = gather_ranges(worker->scratch, work->production->resolved->fleet, set);
		contents.bytes = ranges_bytes(worker->scratch, &contents.ranges);
		return contents;
	}
	contents.number_count = gather_numbers(work, worker, set, subject);
	contents.bytes = (struct str){worker->numbers.items,
	                              contents.number_count *
	                                      (set->family == FAMILY_4 ? sizeof(uint32_t) : sizeof(addr_bits))};
	return contents;
}

static void sort_contents(struct worker *worker, enum family family, size_t count, struct set_text *text)
{
	void *items = worker->numbers.items, *room = worker->numbers.room;

	if (family == FAMILY_4)
		set_text_numbers(text, sort_numbers(items, room, count), count);
	else
		set_text_addresses(text, sort_addresses(items, room, count), count);
}

static void write_contents(const struct work *work, struct worker *worker, uint32_t number,
                           const struct contents *contents, struct buf *out)
{
	const struct set *set = sets_get(work->production->naming.sets, number);
	struct set_text text;

	set_text_begin(&text, out, set->ipset, set->family, contents->number_count);
	if (is_ranges(set)) {
		set_text_ranges(&text, &contents->ranges);
	} else if (work->roster->ranked) {
		mark_ranks(work, worker, set, &work->production->naming.subjects[number]);
		marks_write(&worker->marks, &work->roster->ranks[family_index(set->family)], &text);
	} else {
		sort_contents(worker, set->family, contents->number_count, &text);
	}
	set_text_end(&text);
}

static struct error *write_set(const struct work *work, unsigned worker_number, uint32_t number,
                               const struct contents *contents, struct digest *digest)
{
	const struct outlet *outlet = work->production->outlet;
	struct worker *worker = &work->production->workers[worker_number];
	struct set_file file = {.name = sets_get(work->production->naming.sets, number)->file};

	worker->text[0].n = 0;
	write_contents(work, worker, number, contents, &worker->text[0]);
	file.bytes = buf_str(&worker->text[0]);
	*digest = file.digest = digester_of(worker->digester, file.bytes);
	worker->rendered_sets++;
	return outlet->set(outlet->context, worker_number, &file);
}

/* --- what is known without looking --- */

/* Is what the set holds what it was in the call before? Literals are their text. */
static bool is_untouched(const struct production *production, uint32_t number)
{
	const struct memo *memo = production->memo;
	const struct set *set = sets_get(production->naming.sets, number);
	uint32_t subject = production->naming.subjects[number];

	if (set->peer == NULL)
		return true;
	if (set->peer->kind == PEER_NETWORK)
		return !memo->networks;
	if (subject == NOBODY)
		return false;
	return set->peer->kind == PEER_MACHINE ? !memo->peers[subject] : !memo->members[subject];
}

/* What was made of it in the call before, if that still holds. */
static bool remember(const struct production *production, uint32_t number)
{
	const struct naming *naming = &production->naming, *before = &production->before;
	uint32_t old;

	if (production->memo == NULL || !is_untouched(production, number))
		return false;
	if (before->arena == NULL)
		return true;
	old = sets_like(before->sets, sets_get(naming->sets, number));
	if (old != NO_SET)
		naming->made[number] = before->made[old];
	return old != NO_SET;
}

static bool is_known(const struct production *production, struct known *made)
{
	const struct knowledge *known = production->known;

	return known != NULL && known_find(known->sets, known->set_count, &made->key, &made->value);
}

static struct error *make_set(void *context, unsigned worker_number, size_t item)
{
	const struct work *work = context;
	struct production *production = work->production;
	struct worker *worker = &production->workers[worker_number];
	uint32_t number = work->order[item];
	const struct set *set = sets_get(production->naming.sets, number);
	struct known *made = &production->naming.made[number];
	struct contents contents = gather(work, worker, set, &production->naming.subjects[number]);
	struct error *error = NULL;

	made->key = set_key(worker->digester, &production->rendition->base, set, contents.bytes);
	if (!is_known(production, made))
		error = write_set(work, worker_number, number, &contents, &made->value);
	arena_reset(worker->scratch);
	return error;
}

/* --- the order of work --- */

static size_t size_of(const struct work *work, uint32_t number)
{
	const struct set *set = sets_get(work->production->naming.sets, number);
	uint32_t subject = work->production->naming.subjects[number];

	if (subject == NOBODY || set->peer->kind == PEER_MACHINE)
		return 0;
	return work->production->resolved->roles[subject].member_count;
}

/* The number of bits of its size, 0 for none. */
static unsigned magnitude_of(const struct work *work, uint32_t number)
{
	size_t size = size_of(work, number);

	return size == 0 ? 0 : 64 - (unsigned)__builtin_clzll(size);
}

/* The largest first, by magnitude: so the threads end at the same time, and memory that was enough once is mostly
 * enough for what follows. */
static void order_work(struct work *work)
{
	struct arena *kept = work->production->kept;
	uint32_t count = (uint32_t)sets_count(work->production->naming.sets), place[66] = {0};
	uint32_t *numbers = ARENA_ARRAY(kept, uint32_t, count);
	unsigned char *magnitudes = ARENA_ARRAY(kept, unsigned char, count);

	for (uint32_t i = 0; i < count; i++) {
		if (remember(work->production, i))
			continue;
		magnitudes[work->count] = (unsigned char)(64 - magnitude_of(work, i));
		place[magnitudes[work->count] + 1]++;
		numbers[work->count++] = i;
	}
	for (size_t i = 0; i < 65; i++)
		place[i + 1] += place[i];
	work->order = ARENA_ARRAY(kept, uint32_t, work->count);
	for (size_t i = 0; i < work->count; i++)
		work->order[place[magnitudes[i]]++] = numbers[i];
}

static void list_sets(const struct production *production)
{
	const struct naming *naming = &production->naming;
	struct product *product = production->product;
	size_t count = sets_count(naming->sets);

	product->sets = ARENA_ARRAY(production->arena, struct entry, count);
	product->set_count = count;
	for (size_t i = 0; i < count; i++) {
		uint32_t number = naming->sorted[i];

		product->sets[i] = (struct entry){
			naming->made[number].value,
			str_copy(production->arena, sets_get(naming->sets, number)->file),
		};
	}
	product->knowledge.sets = ARENA_ARRAY(production->arena, struct known, count);
	product->knowledge.set_count = count;
	known_sort(production->kept, product->knowledge.sets, naming->made, count);
}

struct error *produce_sets(struct production *production)
{
	struct work work = {.production = production, .roster = &production->roster};

	order_work(&work);
	TRY(parallel_each(production->rendition->workers, work.count, make_set, &work));
	list_sets(production);
	for (unsigned i = 0; i < production->rendition->workers; i++)
		production->product->rendered_sets += production->workers[i].rendered_sets;
	return NULL;
}
