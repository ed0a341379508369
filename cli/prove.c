/* A generation held against the inventory: its sets one by one, then each ruleset with each position that has it, once.
 * Reads the store and asks the verifier; judges nothing by itself. Reading and hashing are done by all processors; the
 * diagrams have one thread, which judges while the next rulesets are read. */
#include "prove.h"

#include <string.h>

#include "fleetwall/embedded.h"
#include "fleetwall/parallel.h"

enum { RULESETS_AT_ONCE = 64 };
/* With so many findings something is wrong with all; to put addresses in for each ruleset would take long. */
enum { FINDINGS_ENOUGH = 200 };

/* A ruleset, and machines in the same position that have it. */
struct group {
	struct digest ruleset, key;
	size_t machine, machines; /* the first, and how many */
	bool proved;
};

struct set_entry {
	const struct entry *entry;
	struct digest key;
	bool known;
	struct verify_set set;
};

struct proving {
	struct arena *arena, *scratch; /* of the answer; of all of this */
	const struct prove_order *order;
	struct proved *proved;
	struct verifier *verifier;
	struct {
		struct group *items;
		size_t count, capacity;
	} groups;
	struct {
		struct set_entry *items;
		size_t count, capacity;
	} sets;
	struct {
		struct digest *items;
		size_t count, capacity;
	} keys;
	struct names *seen; /* of groups: ruleset and position */
};

struct str prove_program(struct arena *arena)
{
	return str_format(arena, "fleetwall %s %s", FLEETWALL_VERSION, embedded_build);
}

static void remember(struct proving *proving, const struct digest *key)
{
	if (proving->order->known != NULL)
		APPEND(proving->scratch, &proving->keys, *key);
}

static bool is_known(const struct proving *proving, const struct digest *key)
{
	const struct proofs *known = proving->order->known;

	return known != NULL && digests_have(known->keys, known->count, key);
}

/* --- who has what --- */

static void find_missing(struct proving *proving, struct str machine, const char *why)
{
	struct verify_finding finding = {
		.kind = VERIFY_MISSING, .machine = machine, .machines = 1, .why = str_of(why)};

	APPEND(proving->arena, &proving->proved->findings, finding);
}

/* Texts of positions are one and the same where they are equal, so that their place says which it is. */
static void add_machine(struct proving *proving, size_t machine, struct str position, const struct digest *ruleset)
{
	char name[sizeof *ruleset + sizeof position.p];
	struct group group = {.ruleset = *ruleset, .machine = machine};
	uint32_t number;

	memcpy(name, ruleset, sizeof *ruleset);
	memcpy(name + sizeof *ruleset, &position.p, sizeof position.p);
	number = names_add(proving->seen, (struct str){name, sizeof name});
	if (number == proving->groups.count) {
		if (proving->order->known != NULL)
			group.key = verify_ruleset_key(proving->verifier, position, ruleset);
		group.proved = is_known(proving, &group.key);
		APPEND(proving->scratch, &proving->groups, group);
	}
	proving->groups.items[number].machines++;
	proving->proved->machines++;
}

static void look_at_machine(struct proving *proving, size_t machine, const struct entry *entry)
{
	const struct machine *about = &proving->order->fleet->machines[machine];
	struct str position = intent_position(verifier_intent(proving->verifier), machine);

	if (position.n > 0 && entry != NULL)
		add_machine(proving, machine, position, &entry->digest);
	else if (position.n > 0)
		find_missing(proving, about->name, "it must have a ruleset, and has none");
	else if (entry != NULL)
		find_missing(proving, about->name, "it has a ruleset, and must have none: it is disabled or unmanaged");
}

/* Both lists are sorted by name. */
static void look_at_machines(struct proving *proving)
{
	const struct prove_order *order = proving->order;
	const struct generation *generation = order->generation;
	size_t k = 0;

	for (size_t i = 0; i < order->fleet->machine_count; i++) {
		struct str name = order->fleet->machines[i].name;
		bool wanted = order->machines == NULL || order->machines[i], has;

		for (; k < generation->machine_count && str_cmp(generation->manifest[k].name, name) < 0; k++)
			if (order->machines == NULL)
				find_missing(proving, generation->manifest[k].name,
				             "it has a ruleset, and is no machine of the inventory");
		has = k < generation->machine_count && str_eq(generation->manifest[k].name, name);
		if (wanted)
			look_at_machine(proving, i, has ? &generation->manifest[k] : NULL);
		k += has;
	}
	for (; k < generation->machine_count && order->machines == NULL; k++)
		find_missing(proving, generation->manifest[k].name,
		             "it has a ruleset, and is no machine of the inventory");
}

/* --- which sets --- */

static void add_set(struct proving *proving, const struct entry *entry)
{
	struct set_entry set = {.entry = entry};

	APPEND(proving->scratch, &proving->sets, set);
}

/* Of a few machines: those that their rulesets name. */
static struct error *add_sets_of(struct proving *proving, struct names *added, const struct digest *ruleset)
{
	const struct generation *generation = proving->order->generation;
	struct str rules[2], list, name;

	TRY(store_read_ruleset(proving->scratch, proving->order->output, ruleset, rules, &list));
	while (str_cut(&list, '\n', &name)) {
		const struct entry *entry = entries_find(generation->sets, generation->set_count, name);
		size_t before = names_count(added);

		if (entry != NULL && names_keep(added, name) == before)
			add_set(proving, entry);
	}
	return NULL;
}

static struct error *choose_sets(struct proving *proving)
{
	const struct generation *generation = proving->order->generation;
	struct names *added = names_new(proving->scratch);

	for (size_t i = 0; proving->order->machines == NULL && i < generation->set_count; i++)
		add_set(proving, &generation->sets[i]);
	for (size_t i = 0; proving->order->machines != NULL && i < proving->groups.count; i++)
		TRY(add_sets_of(proving, added, &proving->groups.items[i].ruleset));
	return NULL;
}

/* --- sets, by everybody at once --- */

struct set_worker {
	struct arena *arena, *scratch; /* until the end; of one set */
	struct digester *digester;
};

struct set_work {
	struct proving *proving;
	struct set_worker workers[PARALLEL_MOST];
};

static void keep_finding(struct arena *arena, struct verify_set *set)
{
	set->finding.why = str_copy(arena, set->finding.why);
	set->finding.text = str_copy(arena, set->finding.text);
	if (set->found.count > 0)
		set->found = addr_set_of(arena, set->found.family, set->found.ranges, set->found.count);
}

static struct error *read_set(struct proving *proving, struct set_worker *worker, struct set_entry *set)
{
	struct str bytes;

	TRY(store_read_set(worker->scratch, proving->order->output, &set->entry->digest, &bytes));
	verify_set_read(worker->scratch, &set->set, bytes);
	if (!set->set.same || !set->set.needed)
		keep_finding(worker->arena, &set->set);
	return NULL;
}

/* What is known is as it must be, without a look. */
static struct error *prove_set(void *context, unsigned number, size_t item)
{
	struct set_work *work = context;
	struct proving *proving = work->proving;
	struct set_worker *worker = &work->workers[number];
	struct set_entry *set = &proving->sets.items[item];
	struct error *error = NULL;

	verify_set_begin(worker->scratch, proving->verifier, set->entry->name, &set->set);
	if (proving->order->known != NULL)
		set->key = verify_set_key(worker->digester, proving->verifier, &set->set, &set->entry->digest);
	set->known = set->set.needed && is_known(proving, &set->key);
	set->set.same = set->known;
	if (!set->known)
		error = read_set(proving, worker, set);
	set->set.wanted = NULL;
	arena_reset(worker->scratch);
	return error;
}

static struct error *prove_sets(void *context)
{
	struct set_work *work = context;
	struct proving *proving = work->proving;

	return parallel_each(proving->order->workers, proving->sets.count, prove_set, work);
}

static void begin_sets(struct proving *proving, struct set_work *work)
{
	work->proving = proving;
	for (unsigned i = 0; i < proving->order->workers; i++) {
		struct set_worker *worker = &work->workers[i];

		worker->arena = arena_new();
		worker->scratch = arena_new();
		worker->digester = digester_new(worker->arena);
	}
	for (size_t i = 0; i < proving->sets.count; i++)
		verify_set_name(proving->verifier, proving->sets.items[i].entry->name);
	proving->proved->sets = proving->sets.count;
}

static void end_sets(struct proving *proving)
{
	for (size_t i = 0; i < proving->sets.count; i++) {
		struct set_entry *set = &proving->sets.items[i];

		if (set->set.same)
			remember(proving, &set->key);
		proving->proved->again += !set->known;
		if (!set->set.same)
			keep_finding(proving->arena, &set->set);
		verify_set_end(proving->arena, proving->verifier, &set->set, &proving->proved->findings);
	}
}

static void free_sets(struct proving *proving, struct set_work *work)
{
	for (unsigned i = 0; i < proving->order->workers; i++) {
		digester_free(work->workers[i].digester);
		arena_free(work->workers[i].scratch);
		arena_free(work->workers[i].arena);
	}
}

/* --- rulesets --- */

/* Some that are read while others are judged. */
struct ruleset_batch {
	struct proving *proving;
	struct group *groups[RULESETS_AT_ONCE];
	struct verify_text *texts[RULESETS_AT_ONCE];
	size_t count;
	struct arena *arena;
	bool names; /* they are judged by the names of sets alone */
};

static struct error *read_batch(void *context)
{
	struct ruleset_batch *batch = context;
	const struct prove_order *order = batch->proving->order;

	for (size_t i = 0; i < batch->count; i++) {
		struct verify_files files = {.sets = NULL};

		TRY(store_read_ruleset(batch->arena, order->output, &batch->groups[i]->ruleset, files.rules,
		                       &files.sets_list));
		batch->texts[i] = verify_read(batch->arena, batch->proving->verifier, &files);
	}
	return NULL;
}

static void judge_one(struct ruleset_batch *batch, struct arena *scratch, size_t i)
{
	struct proving *proving = batch->proving;
	struct group *group = batch->groups[i];

	if (batch->names)
		group->proved = verify_by_names(scratch, proving->verifier, group->machine, batch->texts[i]);
	else if (proving->proved->findings.count >= FINDINGS_ENOUGH)
		proving->proved->left_out++;
	else
		(void)verify_ruleset(proving->arena, scratch, proving->verifier, group->machine, group->machines,
		                     batch->texts[i], &proving->proved->findings);
}

static struct error *judge_batch(void *context)
{
	struct ruleset_batch *batch = context;
	struct arena *scratch = arena_new();

	for (size_t i = 0; i < batch->count; i++) {
		judge_one(batch, scratch, i);
		arena_reset(scratch);
	}
	arena_free(scratch);
	return NULL;
}

static void fill_batch(struct ruleset_batch *batch, size_t *next)
{
	struct proving *proving = batch->proving;

	arena_reset(batch->arena);
	batch->count = 0;
	for (; *next < proving->groups.count && batch->count < RULESETS_AT_ONCE; ++*next)
		if (!proving->groups.items[*next].proved)
			batch->groups[batch->count++] = &proving->groups.items[*next];
}

static struct error *judge_all(struct ruleset_batch *here, struct ruleset_batch *next)
{
	size_t at = 0;

	fill_batch(here, &at);
	TRY(read_batch(here));
	while (here->count > 0) {
		struct ruleset_batch *judged = here;

		fill_batch(next, &at);
		TRY(parallel_both(judge_batch, here, read_batch, next));
		here = next;
		next = judged;
	}
	return NULL;
}

/* All that are not proved yet. */
static struct error *judge_rulesets(struct proving *proving, bool names)
{
	struct ruleset_batch *batches = ARENA_ARRAY(proving->scratch, struct ruleset_batch, 2);
	struct error *error;

	for (size_t i = 0; i < 2; i++)
		batches[i] = (struct ruleset_batch){.proving = proving, .arena = arena_new(), .names = names};
	error = judge_all(&batches[0], &batches[1]);
	arena_free(batches[0].arena);
	arena_free(batches[1].arena);
	return error;
}

static struct error *judge_by_names(void *context)
{
	return judge_rulesets(context, true);
}

static size_t count_unproved(const struct proving *proving)
{
	size_t count = 0;

	for (size_t i = 0; i < proving->groups.count; i++)
		count += !proving->groups.items[i].proved;
	return count;
}

/* Where names don't decide, what is proved is so as long as sets hold what they hold, and not remembered. */
static struct error *judge_the_rest(struct proving *proving)
{
	end_sets(proving);
	for (size_t i = 0; i < proving->groups.count; i++)
		if (proving->groups.items[i].proved)
			remember(proving, &proving->groups.items[i].key);
	return count_unproved(proving) > 0 ? judge_rulesets(proving, false) : NULL;
}

/* Nothing of a set's contents is needed where names decide, so that both go on at once. */
static struct error *judge_both(struct proving *proving, struct set_work *work)
{
	size_t unproved = count_unproved(proving);
	struct error *error;

	proving->proved->rulesets = proving->groups.count;
	proving->proved->again += unproved;
	if (unproved > 0)
		packets_begin();
	error = parallel_both(judge_by_names, proving, prove_sets, work);
	if (error == NULL)
		error = judge_the_rest(proving);
	if (unproved > 0)
		packets_end();
	return error;
}

/* --- all of it --- */

static struct error *judge_sets_and_rulesets(struct proving *proving)
{
	struct set_work *work = ARENA_NEW(proving->scratch, struct set_work);
	struct error *error;

	begin_sets(proving, work);
	if (proving->order->machines == NULL)
		intent_hurry(verifier_intent(proving->verifier));
	error = judge_both(proving, work);
	free_sets(proving, work);
	return error;
}

static struct error *work(struct proving *proving)
{
	struct proofs *proofs = &proving->proved->proofs;

	look_at_machines(proving);
	TRY(choose_sets(proving));
	TRY(judge_sets_and_rulesets(proving));
	proving->keys.count = digests_sort(proving->keys.items, proving->keys.count);
	proofs->keys = ARENA_ARRAY(proving->arena, struct digest, proving->keys.count);
	proofs->count = proving->keys.count;
	if (proofs->count > 0)
		memcpy(proofs->keys, proving->keys.items, proofs->count * sizeof *proofs->keys);
	return NULL;
}

struct error *prove(struct arena *arena, const struct prove_order *order, struct proved *proved)
{
	struct proving proving = {
		.arena = arena, .scratch = arena_new(), .order = order, .proved = proved};
	struct error *error;

	*proved = (struct proved){.machines = 0};
	proving.seen = names_new(proving.scratch);
	proving.verifier =
		verifier_new(proving.scratch, order->fleet, order->settings, prove_program(proving.scratch));
	error = work(&proving);
	verifier_free(proving.verifier);
	arena_free(proving.scratch);
	return error;
}
