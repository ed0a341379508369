/* Whole rulesets, with the contents of their sets, as the store has them, loaded for real. Rulesets are shared out
 * among processes, each with a namespace of its own in which it loads one after the other: each replaces the one
 * before. Many go into one start of iptables-restore; only where that fails, each is loaded by itself. */
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/guard.h"
#include "fleetwall/names.h"
#include "guard_lines.h"
#include "guard_trial.h"

enum {
	BATCH = 64,       /* rulesets in one start of a program */
	FILE_OF_SETS = 2, /* where 0 is rules.v4 */
	KINDS = 3,
	SETS_BYTES_MAX = 8 << 20, /* in one start of ipset */
};

/* A ruleset and who has it. */
struct whole {
	const struct digest *digest;
	struct str machine; /* the first */
	size_t machines;
};

struct plan {
	struct str output;
	const struct generation *generation;
	struct whole *items; /* by machine */
	size_t count;
	unsigned workers;
};

/* One process. */
struct tries {
	const struct plan *plan;
	struct arena *arena, *scratch; /* of the process, of a batch */
	struct names *sets;            /* those that were loaded */
	struct buf *answer;            /* "PLACE FILE LINE MESSAGE" for each refusal; PLACE is one in plan->items */
	size_t refused[KINDS]; /* by file; of each, the first of a batch are found, so the first of all are among them
	                        */
};

/* One of a batch, read. */
struct loaded {
	size_t place;
	struct str rules[2], sets_list;
};

static void refuse(struct tries *tries, size_t place, size_t file, unsigned line, struct str message)
{
	buf_format(tries->answer, "%zu %zu %u %.*s\n", place, file, line, STR_ARG(message));
	tries->refused[file]++;
}

/* Loads the text; *good: without a word against it. */
static struct error *load(struct tries *tries, const char *const *argv, struct str text, struct trial_result *result)
{
	struct trial trial = {.arena = tries->scratch};
	struct command command = {.argv = argv, .input = text};
	struct outcome outcome;

	*result = (struct trial_result){0};
	TRY(process_run(tries->scratch, &command, &outcome));
	trial_read(&trial, &command, &outcome, 1, result);
	if (trial.skipped.n > 0)
		return error_new(ERROR_SURROUNDINGS, "%.*s", STR_ARG(trial.skipped));
	return NULL;
}

/* --- sets --- */

/* A set that is to be loaded, and the first ruleset that needs it. */
struct wanted {
	struct str name, bytes;
	size_t place;
};
struct wanted_list {
	struct wanted *items;
	size_t count, capacity, bytes;
};

static struct error *read_set(struct tries *tries, struct str name, struct str *bytes)
{
	const struct generation *generation = tries->plan->generation;
	const struct entry *entry = entries_find(generation->sets, generation->set_count, name);

	*bytes = STR(""); /* what the generation does not have is left to fail */
	return entry == NULL ? NULL : store_read_set(tries->scratch, tries->plan->output, &entry->digest, bytes);
}

static struct error *load_each_set(struct tries *tries, const struct wanted_list *wanted)
{
	for (size_t i = 0; i < wanted->count && tries->refused[FILE_OF_SETS] < FINDINGS_MAX; i++) {
		const struct wanted *set = &wanted->items[i];
		struct trial_result result;

		TRY(load(tries, trial_load_sets, set->bytes, &result));
		if (result.failed)
			refuse(tries, set->place, FILE_OF_SETS, 0,
			       str_format(tries->scratch, "the set file %.*s: %.*s", STR_ARG(set->name),
			                  STR_ARG(result.message)));
	}
	return NULL;
}

static struct error *load_wanted(struct tries *tries, struct wanted_list *wanted)
{
	struct buf text = buf_new(tries->scratch);
	struct trial_result result;

	buf_reserve(&text, wanted->bytes);
	for (size_t i = 0; i < wanted->count; i++)
		buf_add(&text, wanted->items[i].bytes);
	if (text.n > 0) {
		TRY(load(tries, trial_load_sets, buf_str(&text), &result));
		if (result.failed)
			TRY(load_each_set(tries, wanted));
	}
	wanted->count = wanted->bytes = 0;
	return NULL;
}

/* What the rulesets of the batch name and the namespace does not have yet. */
static struct error *load_sets(struct tries *tries, const struct loaded *batch, size_t count)
{
	struct wanted_list wanted = {0};

	for (size_t i = 0; i < count; i++) {
		struct str rest = batch[i].sets_list;
		struct wanted set = {.place = batch[i].place};
		unsigned number = 0;

		while (guard_next_line(&rest, &number, &set.name)) {
			uint32_t before = names_count(tries->sets);

			if (names_add(tries->sets, set.name) != before)
				continue;
			TRY(read_set(tries, set.name, &set.bytes));
			APPEND(tries->scratch, &wanted, set);
			wanted.bytes += set.bytes.n;
			if (wanted.bytes > SETS_BYTES_MAX)
				TRY(load_wanted(tries, &wanted));
		}
	}
	return load_wanted(tries, &wanted);
}

/* --- rules --- */

static struct error *load_each_file(struct tries *tries, const struct loaded *batch, size_t count, size_t file)
{
	for (size_t i = 0; i < count && tries->refused[file] < FINDINGS_MAX; i++) {
		struct trial_result result;

		TRY(load(tries, trial_load_rules[file], batch[i].rules[file], &result));
		if (result.failed)
			refuse(tries, batch[i].place, file, result.line, result.message);
	}
	return NULL;
}

/* A file that does not end with COMMIT would swallow the next. */
static bool join(struct arena *scratch, const struct loaded *batch, size_t count, size_t file, struct str *text)
{
	struct buf all = buf_new(scratch);

	for (size_t i = 0; i < count; i++) {
		if (!str_ends(batch[i].rules[file], STR("\nCOMMIT\n")))
			return false;
		buf_add(&all, batch[i].rules[file]);
	}
	*text = buf_str(&all);
	return true;
}

static struct error *load_rules(struct tries *tries, const struct loaded *batch, size_t count)
{
	for (size_t file = 0; file < 2; file++) {
		struct trial_result result = {.failed = true};
		struct str text;

		if (join(tries->scratch, batch, count, file, &text))
			TRY(load(tries, trial_load_rules[file], text, &result));
		if (result.failed)
			TRY(load_each_file(tries, batch, count, file));
	}
	return NULL;
}

/* --- in each process --- */

/* The next of this worker's share; *next is where to go on. */
static struct error *try_batch(struct tries *tries, size_t *next)
{
	const struct plan *plan = tries->plan;
	struct loaded *batch = ARENA_ARRAY(tries->scratch, struct loaded, BATCH);
	size_t count = 0;

	for (; *next < plan->count && count < BATCH; *next += plan->workers) {
		struct loaded *one = &batch[count++];

		one->place = *next;
		TRY(store_read_ruleset(tries->scratch, plan->output, plan->items[*next].digest, one->rules,
		                       &one->sets_list));
	}
	TRY(load_sets(tries, batch, count));
	return load_rules(tries, batch, count);
}

static bool has_enough(const struct tries *tries)
{
	size_t refused = 0;

	for (size_t i = 0; i < KINDS; i++)
		refused += tries->refused[i];
	return refused >= FINDINGS_MAX;
}

/* The worker's share is every so-manieth, in order: so the first findings of all are among the first of each. */
static struct error *try_share(struct arena *arena, void *context, unsigned worker, struct buf *answer)
{
	const struct plan *plan = context;
	struct tries tries = {.plan = plan, .arena = arena, .scratch = arena_new(), .answer = answer};
	struct error *error = NULL;

	tries.sets = names_new(arena);
	for (size_t next = worker; next < plan->count && error == NULL && !has_enough(&tries);) {
		error = try_batch(&tries, &next);
		arena_reset(tries.scratch);
	}
	arena_free(tries.scratch);
	return error;
}

/* --- what came of it --- */

struct refusal {
	size_t place, file;
	unsigned line;
	struct str message;
};
struct refusals {
	struct refusal *items;
	size_t count, capacity;
};

static size_t cut_number(struct str *line)
{
	struct str word;
	uint64_t number = 0;

	if (str_cut(line, ' ', &word))
		(void)str_number(word, UINT32_MAX, &number);
	return (size_t)number;
}

static void read_answer(struct arena *arena, struct str answer, struct refusals *refusals)
{
	struct str line;
	unsigned number = 0;

	while (guard_next_line(&answer, &number, &line)) {
		struct refusal refusal;

		refusal.place = cut_number(&line);
		refusal.file = cut_number(&line);
		refusal.line = (unsigned)cut_number(&line);
		refusal.message = line;
		APPEND(arena, refusals, refusal);
	}
}

/* A set is loaded by each worker that needs it, and found at the first ruleset of each. */
static bool was_told(const struct refusals *refusals, size_t at)
{
	const struct refusal *refusal = &refusals->items[at];

	if (refusal->file == FILE_OF_SETS)
		for (size_t i = 0; i < at; i++)
			if (refusals->items[i].file == FILE_OF_SETS &&
			    str_eq(refusals->items[i].message, refusal->message))
				return true;
	return false;
}

static int refusal_order(const void *a, const void *b)
{
	const struct refusal *x = a, *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return x->file != y->file ? (x->file > y->file) - (x->file < y->file) : str_cmp(x->message, y->message);
}

/* The legacy backend names COMMIT, where it failed as a whole: then there is no line to show. */
static struct error *show_line(struct arena *arena, const struct plan *plan, const struct refusal *refusal,
                               struct str *shown)
{
	struct str rules[2], sets_list, line;
	unsigned number = 0;

	*shown = STR("");
	if (refusal->file == FILE_OF_SETS || refusal->line == 0)
		return NULL;
	TRY(store_read_ruleset(arena, plan->output, plan->items[refusal->place].digest, rules, &sets_list));
	for (struct str rest = rules[refusal->file]; guard_next_line(&rest, &number, &line);)
		if (number == refusal->line && str_starts(line, STR("-A")))
			*shown = line;
	return NULL;
}

static struct error *tell(struct arena *arena, const struct plan *plan, const struct refusal *refusal,
                          struct error **findings)
{
	const struct whole *whole = &plan->items[refusal->place];
	struct str who = guard_who(arena, whole->machine, whole->machines), what = STR("a set"), line;
	struct error *error;

	TRY(show_line(arena, plan, refusal, &line));
	if (line.n > 0)
		what = STR("this line");
	else if (refusal->file != FILE_OF_SETS)
		what = guard_file_name(refusal->file);
	error = error_hint(error_new(ERROR_GUARD, "%.*s: the kernel does not take %.*s: %.*s", STR_ARG(who),
	                             STR_ARG(what), STR_ARG(refusal->message)),
	                   "change the rule or the template; `uname -r` and `iptables --version` tell what was asked");
	if (line.n > 0)
		error = guard_place(error, whole->machine, refusal->file, refusal->line, line);
	error_collect(findings, error);
	return NULL;
}

static struct error *tell_all(struct arena *arena, const struct plan *plan, const struct str *answers)
{
	struct refusals refusals = {0};
	struct error *findings = NULL;
	size_t told = 0;

	for (unsigned i = 0; i < plan->workers; i++)
		read_answer(arena, answers[i], &refusals);
	if (refusals.count > 1)
		qsort(refusals.items, refusals.count, sizeof *refusals.items, refusal_order);
	for (size_t i = 0; i < refusals.count && told < FINDINGS_MAX; i++) {
		if (was_told(&refusals, i))
			continue;
		TRY(tell(arena, plan, &refusals.items[i], &findings));
		told++;
	}
	if (told == FINDINGS_MAX)
		error_collect(&findings, error_new(ERROR_GUARD, "there may be more: the trial ended here"));
	return findings;
}

/* --- the plan --- */

static int whole_order(const void *a, const void *b)
{
	return str_cmp(((const struct whole *)a)->machine, ((const struct whole *)b)->machine);
}

/* Rulesets that no machine has are nobody's business. */
static void plan_rulesets(struct arena *arena, const struct digest *rulesets, size_t count, struct plan *plan)
{
	const struct generation *generation = plan->generation;

	plan->items = ARENA_ARRAY(arena, struct whole, count);
	for (size_t i = 0; i < generation->machine_count; i++) {
		const struct entry *entry = &generation->manifest[i];
		size_t place = digests_place(rulesets, count, &entry->digest);

		if (place == count || !digest_eq(&rulesets[place], &entry->digest))
			continue;
		struct whole *whole = &plan->items[place];

		if (whole->machines++ == 0)
			*whole = (struct whole){&rulesets[place], entry->name, 1};
	}
	for (size_t i = 0; i < count; i++)
		if (plan->items[i].machines > 0)
			plan->items[plan->count++] = plan->items[i];
	if (plan->count > 1)
		qsort(plan->items, plan->count, sizeof *plan->items, whole_order);
}

struct error *guard_try_all(struct arena *arena, struct str output, const struct generation *generation,
                            const struct digest *rulesets, size_t count, unsigned workers, struct str *skipped)
{
	struct plan plan = {.output = output, .generation = generation, .workers = workers};
	struct trial trial = {.arena = arena, .skipped = STR("")};
	struct str *answers = ARENA_ARRAY(arena, struct str, workers);
	bool permitted = true;

	*skipped = STR("");
	plan_rulesets(arena, rulesets, count, &plan);
	if (plan.count == 0)
		return NULL;
	TRY(trial_probe(&trial, generation->set_count > 0));
	*skipped = trial.skipped;
	if (skipped->n > 0)
		return NULL;
	TRY(process_apart_each(arena, workers, try_share, &plan, answers, &permitted));
	if (!permitted)
		*skipped = STR("no network namespace can be made here");
	return permitted ? tell_all(arena, &plan, answers) : NULL;
}
