/* Looking for drift: machines are asked what they have, many at once, and that is compared with what they confirmed.
 * They are asked in batches, so that memory does not grow with the fleet; each generation that machines confirmed is
 * read once. Changes nothing on machines; the ledger is told what was found. */
#include "push.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Of each machine of a batch its answer, the members of its sets, and both as one are held. Longer answers are rare:
 * such a machine is asked alone. */
enum { BATCH = 100, SHARE = 128 << 10, ALONE = 64 << 20, REASON_MOST = 300, JUDGED_MOST = 300 };
static_assert(BATCH * SHARE * 4 < 64 << 20, "a batch fits into the memory that a pusher may have");

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
	struct drift_seen *seen; /* of a batch, for the ledger */
	size_t seen_count;
	size_t limit; /* of an answer */
	bool rows;
};

/* One machine of a batch. */
struct seen {
	const struct contact *contact;
	const struct machine_state *state;
	const struct position *position; /* NULL: nobody knows what it should have */
	struct answer answer;
	struct drift *drifts;
	size_t count;
	size_t findings; /* so many; the rest is only spelled otherwise */
	struct str kind, why; /* it could not be compared; kind empty: it was */
	bool long_answer;     /* it is asked alone */
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

/* What is to be asked for the members of sets that differ; false: there are none. */
static bool wants_members(struct look *look, const struct seen *seen, struct host_question *question)
{
	struct str *words = ARENA_ARRAY(look->arena, struct str, seen->count + 1);
	size_t count = 0;

	words[count++] = STR("read-set");
	for (size_t i = 0; i < seen->count; i++)
		if (is_set_kind(seen->drifts[i].kind) && seen->drifts[i].file.n > 3 &&
		    !str_starts(seen->drifts[i].file, STR("rules.")))
			words[count++] = set_of(look->arena, seen->drifts[i].file);
	*question = (struct host_question){seen->contact, words, count};
	return count > 1;
}

static struct str both(struct arena *arena, struct str first, struct str second)
{
	char *bytes = arena_raw(arena, first.n + second.n + 1);

	if (first.n > 0)
		memcpy(bytes, first.p, first.n);
	if (second.n > 0)
		memcpy(bytes + first.n, second.p, second.n);
	return (struct str){bytes, first.n + second.n};
}

static void silent(struct seen *seen, struct str kind, struct str why)
{
	seen->kind = kind;
	seen->why = why;
}

/* What one machine answers, or a damaged file here, must not keep us from looking at the others. */
static void compare(struct look *look, struct seen *seen)
{
	struct error *error = drift_compare(look->arena, look->run->config.output, seen->position,
	                                    seen->answer.output, &seen->drifts, &seen->count);

	if (error != NULL) {
		silent(seen, error->kind == ERROR_INPUT ? STR("unreadable") : STR("damaged"), error->message);
		return;
	}
	seen->findings = seen->count;
}

/* Where very many differ, most of them by the same hand, the rest is told by its text. */
static void judge_packets(struct look *look, struct seen *seen)
{
	if (seen->kind.n > 0 || seen->count == 0 || seen->long_answer || look->report->judged == JUDGED_MOST)
		return;
	look->report->judged++;
	drift_judge(look->arena, look->run->config.output, seen->position, seen->answer.output, &seen->drifts,
	            &seen->count);
	seen->findings = 0;
	while (seen->findings < seen->count && seen->drifts[seen->findings].kind != DRIFT_SPELLING)
		seen->findings++;
}

static void judge(struct look *look, struct seen *seen)
{
	const struct answer *answer = &seen->answer;
	struct error *error;

	seen->long_answer = answer->cut && look->limit < ALONE;
	if (seen->long_answer)
		return;
	if (!answer->answered || answer->status != 0) {
		silent(seen, answer->answered ? STR("refused") : failure_str(answer->failure), answer->message);
		return;
	}
	error = expected(look, seen->state, &seen->position);
	if (error != NULL)
		silent(seen, STR("damaged"), error->message);
	else if (seen->position != NULL)
		compare(look, seen);
	else
		silent(seen, STR("unknown"), STR("the generation that it confirmed is gone"));
}

/* --- asking --- */

static struct error *ask(struct look *look, const struct host_question *questions, size_t count,
                         struct answer **answers)
{
	*answers = ARENA_ARRAY(look->arena, struct answer, count);
	return push_ask(look->arena, &look->run->config.push, questions, count, look->limit, *answers);
}

static struct error *ask_what_they_have(struct look *look, struct seen *seen, size_t count)
{
	static const struct str word = {"read", 4};
	struct host_question *questions = ARENA_ARRAY(look->arena, struct host_question, count);
	struct answer *answers;

	for (size_t i = 0; i < count; i++)
		questions[i] = (struct host_question){seen[i].contact, &word, 1};
	TRY(ask(look, questions, count, &answers));
	for (size_t i = 0; i < count; i++) {
		seen[i].answer = answers[i];
		judge(look, &seen[i]);
	}
	return NULL;
}

/* Of the sets that differ: put behind the first answer, and all of it compared once more. */
static struct error *ask_for_members(struct look *look, struct seen *seen, size_t count)
{
	struct host_question *questions = ARENA_ARRAY(look->arena, struct host_question, count);
	struct seen **of = ARENA_ARRAY(look->arena, struct seen *, count);
	struct answer *answers;
	size_t asked = 0;

	for (size_t i = 0; i < count; i++)
		if (seen[i].count > 0 && wants_members(look, &seen[i], &questions[asked]))
			of[asked++] = &seen[i];
	if (asked == 0)
		return NULL;
	TRY(ask(look, questions, asked, &answers));
	for (size_t i = 0; i < asked; i++) {
		of[i]->long_answer = answers[i].cut && look->limit < ALONE;
		if (!answers[i].answered || answers[i].status != 0)
			continue;
		of[i]->answer.output = both(look->arena, of[i]->answer.output, answers[i].output);
		compare(look, of[i]);
	}
	return NULL;
}

static struct error *ask_all(struct look *look, struct seen *seen, size_t count)
{
	TRY(ask_what_they_have(look, seen, count));
	if (look->rows)
		TRY(ask_for_members(look, seen, count));
	for (size_t i = 0; i < count; i++)
		judge_packets(look, &seen[i]);
	return NULL;
}

/* --- telling --- */

/* In a line: the first difference, and how many there are. */
static struct str reason_of(struct arena *arena, const struct seen *seen)
{
	const struct drift *first = seen->drifts;
	struct buf text = buf_new(arena);

	if (seen->kind.n > 0 || seen->findings == 0)
		return STR("");
	buf_add(&text, drift_kind_str(first->kind));
	if (first->file.n > 0)
		buf_format(&text, ", %.*s", STR_ARG(first->file));
	if (first->line.n > 0)
		buf_format(&text, ": %.*s", STR_ARG(str_slice(first->line, 0, REASON_MOST)));
	if (seen->findings > 1)
		buf_format(&text, "; and %zu more", seen->findings - 1);
	return buf_str(&text);
}

static void tell(struct look *look, const struct seen *seen)
{
	struct drift_report *report = look->report;
	struct arena *kept = look->run->arena;
	struct str machine = seen->contact->machine;

	report->asked++;
	look->seen[look->seen_count++] = (struct drift_seen){
		.machine = machine,
		.position = seen->state->confirmed.position,
		.told = seen->kind.n == 0,
		.found = str_copy(kept, reason_of(look->arena, seen)),
	};
	if (seen->kind.n > 0) {
		report->reasons[report->silent++] = str_format(kept, "%.*s: %.*s: %.*s", STR_ARG(machine),
		                                               STR_ARG(seen->kind), STR_ARG(seen->why));
		row(look, machine, seen->kind, STR(""), 0, seen->why);
		return;
	}
	for (size_t i = 0; i < seen->count; i++)
		row(look, machine, drift_kind_str(seen->drifts[i].kind), seen->drifts[i].file, seen->drifts[i].number,
		    seen->drifts[i].line);
	if (seen->findings > 0) {
		report->drifted++;
		report->names[report->name_count++] = machine;
	}
}

/* With memory of its own, that goes before the next one is asked. */
static struct error *look_alone(struct look *look, const struct seen *seen)
{
	struct seen one = {.contact = seen->contact, .state = seen->state, .kind = STR("")};
	struct look alone = *look;
	struct error *error;

	alone.arena = arena_new();
	alone.limit = ALONE;
	error = ask_all(&alone, &one, 1);
	if (error == NULL)
		tell(&alone, &one);
	look->bases = alone.bases;
	look->seen_count = alone.seen_count;
	arena_free(alone.arena);
	return error;
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

static struct error *look_at(struct look *look, const struct contact *contacts, size_t count,
                             const struct machine_state *states, size_t state_count)
{
	struct seen *seen = ARENA_ARRAY(look->arena, struct seen, count);

	look->seen = ARENA_ARRAY(look->arena, struct drift_seen, count);
	look->seen_count = 0;
	for (size_t i = 0; i < count; i++)
		seen[i] = (struct seen){.contact = &contacts[i],
		                        .state = state_of(states, state_count, contacts[i].machine),
		                        .kind = STR("")};
	TRY(ask_all(look, seen, count));
	for (size_t i = 0; i < count; i++) {
		if (seen[i].long_answer)
			TRY(look_alone(look, &seen[i]));
		else
			tell(look, &seen[i]);
	}
	return NULL;
}

/* What was seen is told, also where the ledger can't take it. */
static struct error *look_batch(struct look *look, const struct contact *contacts, size_t count,
                                const struct machine_state *states, size_t state_count)
{
	TRY(look_at(look, contacts, count, states, state_count));
	if (look->report->unnoted == NULL)
		look->report->unnoted = error_in(
			ledger_drift_seen(look->run->arena, look->run->db, look->seen, look->seen_count),
			"what was found could not be noted");
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
	struct look look = {.run = run, .report = report, .rows = rows, .limit = SHARE};
	struct machine_state *states;
	struct contact *contacts;
	struct error *error = NULL;
	size_t state_count, contact_count;

	*report = (struct drift_report){.names = ARENA_ARRAY(run->arena, struct str, count + 1),
	                                .reasons = ARENA_ARRAY(run->arena, struct str, count + 1)};
	TRY(ledger_machines(run->arena, run->db, names, count, &states, &state_count));
	TRY(ledger_contacts(run->arena, run->db, names, count, &contacts, &contact_count));
	contact_count = askable(contacts, contact_count, states, state_count);
	if (rows)
		writer_columns(run->writer, LAYOUT_TABLE, columns, COLUMNS);
	look.arena = arena_new();
	for (size_t i = 0; i < contact_count && error == NULL; i += BATCH) {
		size_t here = contact_count - i < BATCH ? contact_count - i : BATCH;

		error = look_batch(&look, contacts + i, here, states, state_count);
		arena_reset(look.arena);
	}
	arena_free(look.arena);
	return error;
}
