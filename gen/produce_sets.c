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

/* All that the machines have as peers of allow rules, as most sets do: the roster knows that by machine. */
static bool is_usual(const struct wanted *wanted)
{
	return wanted->label == ANY_LABEL && !wanted->refusing;
}

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

/* --- what a set holds --- */

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

/* The ranks of what copy_wanted() copies, of usual sets. */
static size_t copy_usual(const struct wanted *wanted, const struct roster_family *family, const uint32_t *of,
                         uint32_t *to)
{
	size_t count = 0;

	for (size_t i = 0; i < wanted->count; i++) {
		uint32_t machine = wanted->machines[i], rank = family->only_rank[machine];

		if (rank < RANK_SOME)
			to[count++] = rank;
		else if (rank == RANK_SOME)
			for (size_t k = family->start[machine]; k < family->start[machine + 1]; k++)
				to[count++] = of[k];
	}
	return count;
}

/* Into the worker's numbers, ascending, each once: how many. */
static size_t gather_ranks(const struct work *work, struct worker *worker, const struct wanted *wanted, unsigned number)
{
	const struct roster_family *family = &work->roster->families[number];
	const uint32_t *of = work->roster->ranks[number].of;
	size_t count;

	make_room(worker, family->count * sizeof *of, false);
	count = is_usual(wanted) ? copy_usual(wanted, family, of, worker->numbers.items)
	                         : copy_wanted(work, wanted, family, (const unsigned char *)of,
	                                       worker->numbers.items, sizeof *of);
	marks_fit(worker->kept, &worker->marks, family->count);
	marks_add(&worker->marks, worker->numbers.items, count);
	return marks_take(&worker->marks, worker->numbers.items);
}

/* Into the worker's numbers, in no order and perhaps repeated: how many. */
static size_t gather_numbers(const struct work *work, struct worker *worker, const struct wanted *wanted,
                             unsigned number)
{
	const struct roster_family *family = &work->roster->families[number];
	size_t size = number == 0 ? sizeof(uint32_t) : sizeof(addr_bits);

	make_room(worker, family->count * size, true);
	return number == 0 ? copy_wanted(work, wanted, family, family->bits, worker->numbers.items, sizeof(uint32_t))
	                   : copy_wanted(work, wanted, family, family->bits, worker->numbers.items, sizeof(addr_bits));
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

/* --- by what it is known again --- */

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

/* What is known of a fleet's machines does not fit into a processor's cache, and members of small roles lie far apart:
 * so many are asked for before they are needed. */
enum { AHEAD = 24 };

static uint64_t tally_usual(const struct wanted *wanted, const uint64_t *adds)
{
	uint64_t tally = 0;

	for (size_t i = 0; i < wanted->count; i++) {
		if (i + AHEAD < wanted->count)
			__builtin_prefetch(&adds[wanted->machines[i + AHEAD]]);
		tally += adds[wanted->machines[i]];
	}
	return tally;
}

static uint64_t tally_wanted(const struct work *work, const struct wanted *wanted, const struct roster_family *family)
{
	uint64_t tally = 0;

	for (size_t i = 0; i < wanted->count; i++) {
		uint32_t machine = wanted->machines[i];

		if (!wanted->refusing && !work->roster->enabled[machine])
			continue;
		for (size_t k = family->start[machine]; k < family->start[machine + 1]; k++)
			if (wanted->label == ANY_LABEL || wanted->label == family->label[k])
				tally += family->each[k];
	}
	return tally;
}

static struct digest key_of(const struct work *work, struct worker *worker, uint32_t number)
{
	const struct production *production = work->production;
	const struct set *set = sets_get(production->naming.sets, number);
	const struct digest *base = &production->rendition->base;

	if (is_ranges(set)) {
		struct addr_set ranges = gather_ranges(worker->scratch, production->resolved->fleet, set);

		return set_key(worker->digester, base, set, ranges_bytes(worker->scratch, &ranges));
	}
	struct wanted wanted = wanted_by(work, set, &production->naming.subjects[number]);
	const struct roster_family *family = &work->roster->families[family_index(set->family)];
	uint64_t tally =
		is_usual(&wanted) ? tally_usual(&wanted, family->adds) : tally_wanted(work, &wanted, family);

	return set_key(worker->digester, base, set, (struct str){(const char *)&tally, sizeof tally});
}

/* --- its file --- */

static void write_ranges(const struct work *work, struct worker *worker, const struct set *set, struct set_text *text)
{
	struct addr_set ranges = gather_ranges(worker->scratch, work->production->resolved->fleet, set);

	set_text_begin(text, ranges.count);
	set_text_ranges(text, &ranges);
}

static void write_ranked(const struct work *work, struct worker *worker, const struct wanted *wanted,
                         struct set_text *text)
{
	unsigned number = family_index(text->family);
	size_t count = gather_ranks(work, worker, wanted, number);

	set_text_begin(text, count);
	ranks_write(&work->roster->ranks[number], worker->numbers.items, count, text);
}

static void write_sorted(const struct work *work, struct worker *worker, const struct wanted *wanted,
                         struct set_text *text)
{
	size_t count = gather_numbers(work, worker, wanted, family_index(text->family));
	void *items = worker->numbers.items, *room = worker->numbers.room;

	set_text_begin(text, count);
	if (text->family == FAMILY_4)
		set_text_numbers(text, sort_numbers(items, room, count), count);
	else
		set_text_addresses(text, sort_addresses(items, room, count), count);
}

static void write_text(const struct work *work, struct worker *worker, uint32_t number, struct buf *out)
{
	const struct set *set = sets_get(work->production->naming.sets, number);
	struct wanted wanted = {0};
	struct set_text text = set_text_new(out, set->ipset, set->family);

	if (!is_ranges(set))
		wanted = wanted_by(work, set, &work->production->naming.subjects[number]);
	if (is_ranges(set))
		write_ranges(work, worker, set, &text);
	else if (work->roster->ranked)
		write_ranked(work, worker, &wanted, &text);
	else
		write_sorted(work, worker, &wanted, &text);
	set_text_end(&text);
}

static struct error *write_set(const struct work *work, unsigned worker_number, uint32_t number, struct digest *digest)
{
	const struct outlet *outlet = work->production->outlet;
	struct worker *worker = &work->production->workers[worker_number];
	struct set_file file = {.name = sets_get(work->production->naming.sets, number)->file};

	worker->text[0].n = 0;
	write_text(work, worker, number, &worker->text[0]);
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
	struct known *made = &production->naming.made[number];
	struct error *error = NULL;

	made->key = key_of(work, worker, number);
	if (!is_known(production, made))
		error = write_set(work, worker_number, number, &made->value);
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

/* The number of bits of its size, 0 for none; and of those of one magnitude IPv6 before IPv4. */
static unsigned magnitude_of(const struct work *work, uint32_t number)
{
	size_t size = size_of(work, number);
	unsigned magnitude = size == 0 ? 0 : 64 - (unsigned)__builtin_clzll(size);

	return 2 * magnitude + family_index(sets_get(work->production->naming.sets, number)->family);
}

/* The largest first, by magnitude: so the threads end at the same time, and memory that was enough once is mostly
 * enough for what follows. Of a family together: what is known of its addresses then stays at hand. */
static void order_work(struct work *work)
{
	enum { MAGNITUDES = 2 * 65 };
	struct arena *kept = work->production->kept;
	uint32_t count = (uint32_t)sets_count(work->production->naming.sets), place[MAGNITUDES + 1] = {0};
	uint32_t *numbers = ARENA_ARRAY(kept, uint32_t, count);
	unsigned char *magnitudes = ARENA_ARRAY(kept, unsigned char, count);

	for (uint32_t i = 0; i < count; i++) {
		if (remember(work->production, i))
			continue;
		magnitudes[work->count] = (unsigned char)(MAGNITUDES - 1 - magnitude_of(work, i));
		place[magnitudes[work->count] + 1]++;
		numbers[work->count++] = i;
	}
	for (size_t i = 0; i < MAGNITUDES; i++)
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
