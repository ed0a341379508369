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

#define ANY_LABEL UINT32_MAX

struct work {
	struct production *production;
	struct roster roster;
	uint32_t *order;    /* numbers of sets, largest first */
	struct known *made; /* by number */
};

/* Whose addresses a set holds; of machines and roles. */
struct wanted {
	const uint32_t *machines;
	size_t count;
	uint32_t label; /* ANY_LABEL: any */
	bool refusing;
};

static const struct resolved_role *members_of(const struct resolved *resolved, const struct set *set)
{
	const struct role *role =
		set->peer->kind == PEER_SELF ? set->role : fleet_role(resolved->fleet, set->peer->name);

	return role != NULL ? &resolved->roles[role - resolved->fleet->roles] : NULL;
}

/* `own` is where the number of a machine peer is put. */
static struct wanted wanted_by(const struct work *work, const struct set *set, uint32_t *own)
{
	const struct resolved *resolved = work->production->resolved;
	struct wanted wanted = {.refusing = set->refusing, .label = ANY_LABEL};

	if (set->peer->kind == PEER_MACHINE) {
		const struct machine *machine = fleet_machine(resolved->fleet, set->peer->name);

		*own = machine != NULL ? (uint32_t)(machine - resolved->fleet->machines) : 0;
		wanted.machines = own;
		wanted.count = machine != NULL;
		return wanted;
	}
	const struct resolved_role *members = members_of(resolved, set);

	if (members != NULL) {
		wanted.machines = members->members;
		wanted.count = members->member_count;
	}
	if (set->peer->kind == PEER_ROLE && set->peer->label.n > 0) {
		wanted.label = names_find(work->roster.labels, set->peer->label);
		if (wanted.label == NAMES_NONE) /* a label that no address has */
			wanted.count = 0;
	}
	return wanted;
}

/* Copies the addresses in the order of machines: how many. `size` is a constant where this is inlined. */
static inline size_t copy_wanted(const struct work *work, const struct wanted *wanted,
                                 const struct roster_family *family, unsigned char *to, size_t size)
{
	const unsigned char *bits = family->bits;
	size_t count = 0;

	for (size_t i = 0; i < wanted->count; i++) {
		uint32_t machine = wanted->machines[i];

		if (!wanted->refusing && !work->roster.enabled[machine])
			continue;
		for (size_t k = family->start[machine]; k < family->start[machine + 1]; k++) {
			if (wanted->label != ANY_LABEL && wanted->label != family->label[k])
				continue;
			memcpy(to + count++ * size, bits + k * size, size);
		}
	}
	return count;
}

/* Room for all addresses of a family, which no set has more of: each machine is a member once. */
static void make_room(struct worker *worker, size_t bytes)
{
	if (bytes <= worker->numbers.capacity)
		return;
	worker->numbers.items = arena_raw(worker->kept, bytes);
	worker->numbers.room = arena_raw(worker->kept, bytes);
	worker->numbers.capacity = bytes;
}

static size_t gather_numbers(const struct work *work, struct worker *worker, const struct set *set)
{
	const struct roster_family *family = &work->roster.families[family_index(set->family)];
	size_t size = set->family == FAMILY_4 ? sizeof(uint32_t) : sizeof(addr_bits);
	uint32_t own;
	struct wanted wanted = wanted_by(work, set, &own);

	make_room(worker, family->count * size);
	return set->family == FAMILY_4 ? copy_wanted(work, &wanted, family, worker->numbers.items, sizeof(uint32_t))
	                               : copy_wanted(work, &wanted, family, worker->numbers.items, sizeof(addr_bits));
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

static bool is_ranges(const struct set *set)
{
	return set->peer == NULL || set->peer->kind == PEER_NETWORK;
}

/* What a set holds: as ranges, or as numbers in the worker's memory, in no order and perhaps repeated. */
struct contents {
	struct addr_set ranges;
	size_t number_count;
	struct str bytes; /* of either, for the key */
};

static struct contents gather(const struct work *work, struct worker *worker, const struct set *set)
{
	struct contents contents = {.number_count = 0};

	if (is_ranges(set)) {
		contents.ranges = gather_ranges(worker->scratch, work->production->resolved->fleet, set);
		contents.bytes = ranges_bytes(worker->scratch, &contents.ranges);
		return contents;
	}
	contents.number_count = gather_numbers(work, worker, set);
	contents.bytes = (struct str){worker->numbers.items,
	                              contents.number_count *
	                                      (set->family == FAMILY_4 ? sizeof(uint32_t) : sizeof(addr_bits))};
	return contents;
}

static void write_contents(struct worker *worker, const struct set *set, const struct contents *contents,
                           struct buf *out)
{
	struct set_text text;

	set_text_begin(&text, out, set->ipset, set->family, contents->number_count);
	if (is_ranges(set))
		set_text_ranges(&text, &contents->ranges);
	else if (set->family == FAMILY_4)
		set_text_numbers(&text, sort_numbers(worker->numbers.items, worker->numbers.room,
		                                     contents->number_count),
		                 contents->number_count);
	else
		set_text_addresses(&text, sort_addresses(worker->numbers.items, worker->numbers.room,
		                                         contents->number_count),
		                   contents->number_count);
	set_text_end(&text);
}

static struct error *write_set(const struct work *work, unsigned number, const struct set *set,
                               const struct contents *contents, struct digest *digest)
{
	const struct outlet *outlet = work->production->outlet;
	struct worker *worker = &work->production->workers[number];
	struct set_file file = {.name = set->file};

	worker->text[0].n = 0;
	write_contents(worker, set, contents, &worker->text[0]);
	file.bytes = buf_str(&worker->text[0]);
	*digest = file.digest = digester_of(worker->digester, file.bytes);
	worker->rendered_sets++;
	return outlet->set(outlet->context, number, &file);
}

/* --- what is known without looking --- */

/* Is what the set holds what it was in the call before? Of networks and literals nobody says; they are small. */
static bool is_untouched(const struct work *work, const struct set *set)
{
	const struct resolved *resolved = work->production->resolved;
	const struct memo *memo = work->production->memo;
	const struct resolved_role *members;
	const struct machine *machine;

	if (is_ranges(set))
		return false;
	if (set->peer->kind == PEER_MACHINE) {
		machine = fleet_machine(resolved->fleet, set->peer->name);
		return machine != NULL && !memo->machines[machine - resolved->fleet->machines];
	}
	members = members_of(resolved, set);
	return members != NULL && !memo->roles[members - resolved->roles];
}

/* The key of before, if it still holds. */
static bool remember_key(const struct work *work, const struct set *set, struct digest *key)
{
	const struct memo *memo = work->production->memo;
	uint32_t number;

	if (memo == NULL || !is_untouched(work, set))
		return false;
	number = sets_like(memo->before.sets, set);
	if (number != NO_SET)
		*key = memo->before.keys[number];
	return number != NO_SET;
}

static bool is_known(const struct production *production, struct known *made)
{
	const struct knowledge *known = production->known;

	return known != NULL && known_find(known->sets, known->set_count, &made->key, &made->value);
}

static struct error *make_set(void *context, unsigned number, size_t item)
{
	const struct work *work = context;
	struct production *production = work->production;
	struct worker *worker = &production->workers[number];
	const struct set *set = sets_get(production->sets, work->order[item]);
	struct known *made = &work->made[work->order[item]];
	struct error *error = NULL;

	if (remember_key(work, set, &made->key) && is_known(production, made))
		return NULL;
	struct contents contents = gather(work, worker, set);

	made->key = set_key(worker->digester, &production->rendition->base, set, contents.bytes);
	if (!is_known(production, made))
		error = write_set(work, number, set, &contents, &made->value);
	arena_reset(worker->scratch);
	return error;
}

/* --- the order of work --- */

static size_t size_of(const struct work *work, const struct set *set)
{
	const struct resolved_role *members;

	if (set->peer == NULL || (set->peer->kind != PEER_ROLE && set->peer->kind != PEER_SELF))
		return 0;
	members = members_of(work->production->resolved, set);
	return members != NULL ? members->member_count : 0;
}

/* The number of bits of its size, 0 for none. */
static unsigned magnitude_of(const struct work *work, uint32_t number)
{
	size_t size = size_of(work, sets_get(work->production->sets, number));

	return size == 0 ? 0 : 64 - (unsigned)__builtin_clzll(size);
}

/* The largest first, by magnitude: so the threads end at the same time, and memory that was enough once is mostly
 * enough for what follows. */
static void order_work(struct work *work)
{
	struct production *production = work->production;
	uint32_t count = (uint32_t)sets_count(production->sets), place[66] = {0};
	unsigned char *magnitudes = ARENA_ARRAY(production->kept, unsigned char, count);

	work->order = ARENA_ARRAY(production->kept, uint32_t, count);
	for (uint32_t i = 0; i < count; i++) {
		magnitudes[i] = (unsigned char)(64 - magnitude_of(work, i));
		place[magnitudes[i] + 1]++;
	}
	for (size_t i = 0; i < 65; i++)
		place[i + 1] += place[i];
	for (uint32_t i = 0; i < count; i++)
		work->order[place[magnitudes[i]]++] = i;
}

static void list_sets(const struct work *work)
{
	struct production *production = work->production;
	struct product *product = production->product;
	size_t count = sets_count(production->sets);

	product->sets = ARENA_ARRAY(production->arena, struct entry, count);
	product->set_count = count;
	for (size_t i = 0; i < count; i++) {
		uint32_t number = production->sorted[i];

		product->sets[i] =
			(struct entry){work->made[number].value,
		                       str_copy(production->arena, sets_get(production->sets, number)->file)};
	}
	product->knowledge.sets = ARENA_ARRAY(production->arena, struct known, count);
	product->knowledge.set_count = count;
	known_sort(production->kept, product->knowledge.sets, work->made, count);
}

static void keep_keys(const struct work *work)
{
	struct production *production = work->production;
	size_t count = sets_count(production->sets);

	production->set_keys = arena_raw(production->names, count * sizeof *production->set_keys);
	for (size_t i = 0; i < count; i++)
		production->set_keys[i] = work->made[i].key;
}

struct error *produce_sets(struct production *production)
{
	struct work work = {.production = production};
	size_t count = sets_count(production->sets);

	work.roster = production->roster;
	work.made = ARENA_ARRAY(production->kept, struct known, count);
	order_work(&work);
	TRY(parallel_each(production->rendition->workers, count, make_set, &work));
	list_sets(&work);
	keep_keys(&work);
	for (unsigned i = 0; i < production->rendition->workers; i++)
		production->product->rendered_sets += production->workers[i].rendered_sets;
	return NULL;
}
