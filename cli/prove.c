/* A generation held against the inventory: its sets one by one, then each ruleset with each position that has it, once.
 * Reads the store and asks the verifier; judges nothing by itself. Reading and hashing are done by all processors; the
 * diagrams have one thread, which judges while the next rulesets are read. */
#include "prove.h"

#include <string.h>

#include "fleetwall/embedded.h"
#include "fleetwall/parallel.h"

enum { SETS_AT_ONCE = 64, RULESETS_AT_ONCE = 64 };

/* A ruleset, and machines in the same position that have it. */
struct group {
	struct digest ruleset, key;
	size_t machine, machines; /* the first, and how many */
	bool known;
};

struct set_entry {
	const struct entry *entry;
	struct digest key;
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
		group.known = is_known(proving, &group.key);
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

static const struct entry *entry_of(const struct generation *generation, struct str name)
{
	size_t low = 0, high = generation->set_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (str_cmp(generation->sets[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < generation->set_count && str_eq(generation->sets[low].name, name) ? &generation->sets[low] : NULL;
}

static void add_set(struct proving *proving, const struct entry *entry)
{
	struct set_entry set = {.entry = entry};

	APPEND(proving->scratch, &proving->sets, set);
}

/* Of a few machines: those that their rulesets name. */
static struct error *add_sets_of(struct proving *proving, struct names *added, const struct digest *ruleset)
{
	struct str rules[2], list, name;

	TRY(store_read_ruleset(proving->scratch, proving->order->output, ruleset, rules, &list));
	while (str_cut(&list, '\n', &name)) {
		const struct entry *entry = entry_of(proving->order->generation, name);
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

/* --- sets --- */

/* Some at once: begun and ended here, read by everybody. */
struct set_batch {
	struct proving *proving;
	struct verify_set sets[SETS_AT_ONCE];
	struct set_entry *entries[SETS_AT_ONCE];
	size_t count;
	struct arena *arenas[PARALLEL_MOST];
};

static struct error *read_set(void *context, unsigned worker, size_t item)
{
	struct set_batch *batch = context;
	const struct entry *entry = batch->entries[item]->entry;
	struct str bytes;

	TRY(store_read_set(batch->arenas[worker], batch->proving->order->output, &entry->digest, &bytes));
	verify_set_read(batch->arenas[worker], &batch->sets[item], bytes);
	return NULL;
}

/* What is known is as it must be, without a look. */
static void begin_set(struct set_batch *batch, struct set_entry *entry)
{
	struct proving *proving = batch->proving;
	struct verify_set *set = &batch->sets[batch->count];

	verify_set_begin(proving->verifier, entry->entry->name, set);
	if (proving->order->known != NULL)
		entry->key = verify_set_key(proving->verifier, set, &entry->entry->digest);
	if (set->wanted != NULL && is_known(proving, &entry->key)) {
		set->same = true;
		verify_set_end(proving->arena, proving->verifier, set, &proving->proved->findings);
		remember(proving, &entry->key);
		return;
	}
	batch->entries[batch->count++] = entry;
	proving->proved->again++;
}

static void keep_finding(struct arena *arena, struct verify_set *set)
{
	set->finding.file = str_copy(arena, set->finding.file);
	set->finding.why = str_copy(arena, set->finding.why);
	set->finding.text = str_copy(arena, set->finding.text);
}

static struct error *finish_batch(struct set_batch *batch)
{
	struct proving *proving = batch->proving;
	unsigned workers = proving->order->workers;

	TRY(parallel_each(workers, batch->count, read_set, batch));
	for (size_t i = 0; i < batch->count; i++) {
		struct verify_set *set = &batch->sets[i];

		if (!set->same)
			keep_finding(proving->arena, set);
		else
			remember(proving, &batch->entries[i]->key);
		verify_set_end(proving->arena, proving->verifier, set, &proving->proved->findings);
	}
	for (unsigned i = 0; i < workers; i++)
		arena_reset(batch->arenas[i]);
	batch->count = 0;
	return NULL;
}

static struct error *read_sets(struct set_batch *batch)
{
	struct proving *proving = batch->proving;

	for (size_t i = 0; i < proving->sets.count; i++) {
		begin_set(batch, &proving->sets.items[i]);
		if (batch->count == SETS_AT_ONCE)
			TRY(finish_batch(batch));
	}
	return finish_batch(batch);
}

static struct error *prove_sets(struct proving *proving)
{
	struct set_batch *batch = ARENA_NEW(proving->scratch, struct set_batch);
	struct error *error;

	batch->proving = proving;
	for (unsigned i = 0; i < proving->order->workers; i++)
		batch->arenas[i] = arena_new();
	proving->proved->sets = proving->sets.count;
	error = read_sets(batch);
	for (unsigned i = 0; i < proving->order->workers; i++)
		arena_free(batch->arenas[i]);
	return error;
}

/* --- rulesets --- */

/* Some that are read while others are judged. */
struct ruleset_batch {
	struct proving *proving;
	struct group *groups[RULESETS_AT_ONCE];
	struct verify_text *texts[RULESETS_AT_ONCE];
	size_t count;
	struct arena *arena;
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

static struct error *judge_batch(void *context)
{
	struct ruleset_batch *batch = context;
	struct proving *proving = batch->proving;
	struct arena *scratch = arena_new();

	for (size_t i = 0; i < batch->count; i++) {
		const struct group *group = batch->groups[i];

		if (verify_ruleset(proving->arena, scratch, proving->verifier, group->machine, group->machines,
		                   batch->texts[i], &proving->proved->findings) == VERIFY_PROVED)
			remember(proving, &group->key);
		arena_reset(scratch);
	}
	proving->proved->again += batch->count;
	arena_free(scratch);
	return NULL;
}

static void fill_batch(struct ruleset_batch *batch, size_t *next)
{
	struct proving *proving = batch->proving;

	arena_reset(batch->arena);
	batch->count = 0;
	for (; *next < proving->groups.count && batch->count < RULESETS_AT_ONCE; ++*next) {
		struct group *group = &proving->groups.items[*next];

		if (group->known)
			remember(proving, &group->key);
		else
			batch->groups[batch->count++] = group;
	}
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

static struct error *prove_rulesets(struct proving *proving)
{
	struct ruleset_batch *batches = ARENA_ARRAY(proving->scratch, struct ruleset_batch, 2);
	struct error *error;

	proving->proved->rulesets = proving->groups.count;
	for (size_t i = 0; i < 2; i++)
		batches[i] = (struct ruleset_batch){.proving = proving, .arena = arena_new()};
	packets_begin();
	error = judge_all(&batches[0], &batches[1]);
	packets_end();
	arena_free(batches[0].arena);
	arena_free(batches[1].arena);
	return error;
}

/* --- all of it --- */

static struct error *work(struct proving *proving)
{
	struct proofs *proofs = &proving->proved->proofs;

	look_at_machines(proving);
	TRY(choose_sets(proving));
	TRY(prove_sets(proving));
	TRY(prove_rulesets(proving));
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
