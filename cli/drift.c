/* drift: what machines really have, against what they confirmed. Machines are asked in batches, so that memory does not
 * grow with the fleet; each generation that machines confirmed is read once. Changes nothing, unless --mend has what
 * differs pushed again. */
#include "push.h"

#include <stdlib.h>

enum { BATCH = 100, READ_LIMIT = 64 << 20 };

/* One generation that machines are confirmed on. */
struct base {
	uint64_t generation;
	struct positions *positions; /* NULL: its bytes are gone */
	struct base *next;
};

struct look {
	struct run *run;
	struct arena *arena; /* of a batch */
	struct base *bases;
	struct drift_report *report;
	bool rows;
};

static const char *const columns[] = {"machine", "kind", "file", "number", "line"};
enum { COLUMNS = 5 };

static void row(struct look *look, struct str machine, struct str kind, struct str file, unsigned number,
                struct str line)
{
	if (!look->rows)
		return;
	writer_row(look->run->writer, (struct cell[COLUMNS]){
					      cell_text(str_copy(look->run->arena, machine)),
					      cell_text(kind),
					      cell_some(str_copy(look->run->arena, file)),
					      cell_positive(number),
					      cell_some(str_copy(look->run->arena, line)),
				      });
}

/* --- what they should have --- */

static struct positions *base_of(struct look *look, uint64_t generation)
{
	struct base *base = look->bases;

	while (base != NULL && base->generation != generation)
		base = base->next;
	if (base != NULL)
		return base->positions;
	base = ARENA_NEW(look->run->arena, struct base);
	*base = (struct base){.generation = generation, .next = look->bases};
	look->bases = base;
	error_collect(&look->run->warnings, positions_open(look->run->arena, look->run->config.output, generation,
	                                                   &base->positions));
	return base->positions;
}

static struct error *expected(struct look *look, const struct machine_state *state, const struct position **position)
{
	struct positions *positions = base_of(look, state->confirmed.generation);

	*position = NULL;
	return positions != NULL ? positions_find(positions, state->machine, position) : NULL;
}

/* --- what they have --- */

static bool is_set_kind(enum drift_kind kind)
{
	return kind == DRIFT_OTHER || kind == DRIFT_MEMBER_MISSING || kind == DRIFT_MEMBER_EXTRA;
}

/* The ipset of a file "app-0123456789ab.v4". */
static struct str set_of(struct arena *arena, struct str file)
{
	return str_format(arena, "fw%c-%.*s", file.p[file.n - 1], (int)file.n - 3, file.p);
}

/* The members of the sets that differ, asked for once more and put behind the answer. */
static struct error *ask_members(struct look *look, const struct contact *contact, const struct drift *drifts,
                                 size_t count, struct answer *answer)
{
	struct str *words = ARENA_ARRAY(look->arena, struct str, count + 1);
	struct buf whole = buf_new(look->arena);
	struct answer more = {0};
	size_t asked = 0;

	words[asked++] = STR("read-set");
	for (size_t i = 0; i < count; i++)
		if (is_set_kind(drifts[i].kind) && drifts[i].file.n > 3 && !str_starts(drifts[i].file, STR("rules.")))
			words[asked++] = set_of(look->arena, drifts[i].file);
	if (asked == 1)
		return NULL;
	TRY(push_ask(look->arena, &look->run->config.push, contact, 1, words, asked, READ_LIMIT, &more));
	if (!more.answered || more.status != 0)
		return NULL;
	buf_add(&whole, answer->output);
	buf_add(&whole, more.output);
	answer->output = buf_str(&whole);
	return NULL;
}

static void silent(struct look *look, struct str machine, struct str kind, struct str why)
{
	look->report->reasons[look->report->silent++] =
		str_format(look->run->arena, "%.*s: %.*s: %.*s", STR_ARG(machine), STR_ARG(kind), STR_ARG(why));
	row(look, machine, kind, STR(""), 0, why);
}

static void unanswered(struct look *look, const struct answer *answer)
{
	struct str kind = answer->answered ? STR("refused") : failure_str(answer->failure);

	silent(look, answer->machine, kind, answer->message);
}

static struct error *differences(struct look *look, const struct position *position, const struct contact *contact,
                                 struct answer *answer, struct drift **drifts, size_t *count)
{
	struct str output = look->run->config.output;

	TRY(drift_compare(look->arena, output, position, answer->output, drifts, count));
	if (!look->rows || *count == 0)
		return NULL;
	TRY(ask_members(look, contact, *drifts, *count, answer));
	return drift_compare(look->arena, output, position, answer->output, drifts, count);
}

/* What one machine answers must not keep us from looking at the others. */
static struct error *compare(struct look *look, const struct machine_state *state, const struct contact *contact,
                             struct answer *answer)
{
	const struct position *position;
	struct error *error;
	struct drift *drifts;
	size_t count;

	TRY(expected(look, state, &position));
	if (position == NULL) {
		silent(look, state->machine, STR("unknown"), STR("the generation that it confirmed is gone"));
		return NULL;
	}
	error = differences(look, position, contact, answer, &drifts, &count);
	if (error != NULL && error->kind == ERROR_INPUT) {
		silent(look, state->machine, STR("unreadable"), error->message);
		return NULL;
	}
	TRY(error);
	for (size_t i = 0; i < count; i++)
		row(look, state->machine, drift_kind_str(drifts[i].kind), drifts[i].file, drifts[i].number,
		    drifts[i].line);
	if (count > 0) {
		look->report->drifted++;
		look->report->names[look->report->name_count++] = str_copy(look->run->arena, state->machine);
	}
	return NULL;
}

/* Both lists are sorted by name; machines that the inventory no longer has can't be asked. */
static const struct machine_state *state_of(const struct machine_state *states, size_t count, struct str name)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (str_cmp(states[middle].machine, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && str_eq(states[low].machine, name) ? &states[low] : NULL;
}

static struct error *look_batch(struct look *look, const struct contact *contacts, size_t count,
                                const struct machine_state *states, size_t state_count)
{
	const struct str words[] = {STR("read")};
	struct answer *answers = ARENA_ARRAY(look->arena, struct answer, count);

	TRY(push_ask(look->arena, &look->run->config.push, contacts, count, words, 1, READ_LIMIT, answers));
	for (size_t i = 0; i < count; i++) {
		const struct machine_state *state = state_of(states, state_count, contacts[i].machine);

		look->report->asked++;
		if (!answers[i].answered || answers[i].status != 0)
			unanswered(look, &answers[i]);
		else
			TRY(compare(look, state, &contacts[i], &answers[i]));
	}
	return NULL;
}

/* Those that confirmed something and can be asked. */
static size_t askable(struct contact *contacts, size_t count, const struct machine_state *states, size_t state_count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		const struct machine_state *state = state_of(states, state_count, contacts[i].machine);

		if (state != NULL && state->confirmed.generation > 0)
			contacts[kept++] = contacts[i];
	}
	return kept;
}

struct error *drift_look(struct run *run, const struct str *names, size_t count, bool rows, struct drift_report *report)
{
	struct look look = {.run = run, .report = report, .rows = rows};
	struct machine_state *states;
	struct contact *contacts;
	struct error *error = NULL;
	size_t state_count, contact_count;

	*report = (struct drift_report){.names = ARENA_ARRAY(run->arena, struct str, count + 1),
	                                .reasons = ARENA_ARRAY(run->arena, struct str, count + 1)};
	TRY(ledger_machines(run->arena, run->db, names, count, &states, &state_count));
	TRY(ledger_contacts(run->arena, run->db, names, count, &contacts, &contact_count));
	contact_count = askable(contacts, contact_count, states, state_count);
	look.arena = arena_new();
	for (size_t i = 0; i < contact_count && error == NULL; i += BATCH) {
		size_t here = contact_count - i < BATCH ? contact_count - i : BATCH;

		error = look_batch(&look, contacts + i, here, states, state_count);
		arena_reset(look.arena);
	}
	arena_free(look.arena);
	return error;
}

/* --- the command --- */

/* Forgetting what a machine has is only for those that get it again at once. */
static struct error *forget(struct run *run, const struct drift_report *report, struct selection *selection)
{
	struct str *names = ARENA_ARRAY(run->arena, struct str, report->name_count);
	struct machine_state *states;
	size_t count;

	*selection = (struct selection){names, 0};
	TRY(ledger_machines(run->arena, run->db, report->names, report->name_count, &states, &count));
	for (size_t i = 0; i < count; i++) {
		if (states[i].frozen.n == 0) {
			TRY(ledger_forget(run->arena, run->db, states[i].machine));
			names[selection->count++] = states[i].machine;
			continue;
		}
		run->no = true;
		error_collect(&run->warnings,
		              error_hint(error_new(ERROR_GUARD, "machine %.*s is frozen, and left as it is",
		                                   STR_ARG(states[i].machine)),
		                         "machine unfreeze lets it be pushed"));
	}
	return NULL;
}

static struct error *mend(struct run *run, const struct drift_report *report)
{
	struct push_order order = {0};
	struct push_report pushed;
	struct push_plan plan;
	struct str reason, who;
	int64_t at;

	TRY(ledger_halted(run->arena, run->db, &reason, &who, &at));
	if (reason.n > 0)
		return error_hint(error_new(ERROR_GUARD, "pushing is halted by %.*s: %.*s", STR_ARG(who),
		                            STR_ARG(reason)),
		                  "fleetwall push --resume allows it again");
	TRY(forget(run, report, &order.selection));
	if (order.selection.count == 0)
		return NULL;
	TRY(push_order_plan(run, &order, &plan));
	TRY(push_plan_do(run, &plan, true, &pushed));
	if (!pushed.started)
		return NULL;
	writer_say(run->writer, "pushed again: %zu confirmed, %zu failed", pushed.result.run.confirmed,
	           pushed.result.run.failed);
	push_judge(run, &pushed.result);
	return NULL;
}

struct error *run_drift(struct run *run)
{
	const struct selection selection = push_words(run);
	struct drift_report report;
	struct str *names;
	size_t count;

	TRY(run_connect(run));
	TRY(push_select(run->arena, run->db, &selection, &names, &count));
	writer_columns(run->writer, LAYOUT_TABLE, columns, COLUMNS);
	TRY(drift_look(run, names, count, true, &report));
	writer_say(run->writer, "%zu machine%s asked: %zu differ%s from what %s confirmed, %zu could not be compared",
	           report.asked, report.asked == 1 ? "" : "s", report.drifted, report.drifted == 1 ? "s" : "",
	           report.drifted == 1 ? "it" : "they", report.silent);
	run->no = report.drifted + report.silent > 0;
	writer_keep(run->writer);
	if (run_has(run, "mend") && report.name_count > 0) {
		run->no = report.silent > 0;
		return mend(run, &report);
	}
	return NULL;
}
