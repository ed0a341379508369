/* explain: one question from the command line, from as much of the inventory as it needs, or one a line from standard
 * input, from all of it. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "fleetwall/explain.h"
#include "fleetwall/inventory.h"

#include "kept.h"
#include "wrap.h"

/* One question gets all of them, a line of many the first six. */
static const char *const columns[] = {"verdict", "source",  "destination", "what",
                                      "stage",   "rules",   "matched",     "would_allow"};
enum { COLUMNS = sizeof columns / sizeof *columns, OF_A_LINE = 6 };

/* A question, as it was given. */
struct question {
	struct str source, destination, what;
};

/* A question that was understood, and its answer. */
struct asked {
	struct end source, destination;
	struct packet_what what;
	struct verdict verdict;
	const struct effective_rule **remedies; /* what would have let it pass; one question alone gets them */
	size_t remedy_count;
	struct pairs pairs;
};

static struct error *ask(struct arena *arena, struct explainer *explainer, const struct question *question,
                         struct asked *asked)
{
	struct error *errors = NULL;

	error_collect(&errors, end_parse(explainer, question->source, &asked->source));
	error_collect(&errors, end_parse(explainer, question->destination, &asked->destination));
	error_collect(&errors, packet_parse(explainer, question->what, &asked->what));
	if (errors != NULL)
		return errors;
	return explain(arena, explainer, &asked->source, &asked->destination, &asked->what, &asked->verdict);
}

/* `details`: the two cells that only one question gets; NULL for a line of many. */
static void answer_row(struct writer *writer, struct arena *arena, const struct question *question,
                       const struct verdict *verdict, const struct cell *details)
{
	struct str *ids = ARENA_ARRAY(arena, struct str, verdict->rule_count);
	struct cell cells[COLUMNS] = {
		cell_text(verdict->allow ? STR("allow") : STR("deny")), cell_text(question->source),
		cell_text(question->destination), cell_text(question->what), cell_text(stage_str(verdict->stage)),
		cell_list(ids, verdict->rule_count),
	};

	for (size_t i = 0; i < verdict->rule_count; i++)
		ids[i] = str_of(verdict->rules[i]->id);
	for (size_t i = OF_A_LINE; details != NULL && i < COLUMNS; i++)
		cells[i] = details[i - OF_A_LINE];
	writer_row(writer, cells);
}

/* --- one question --- */

static struct str addresses_of(struct arena *arena, const struct verdict *verdict)
{
	struct buf buf = buf_new(arena);

	if (!verdict->has_source && !verdict->has_destination)
		return buf_str(&buf);
	buf_add(&buf, STR(", decided for "));
	if (verdict->has_source)
		addr_print(&buf, verdict->source);
	else
		buf_add(&buf, STR("any address"));
	buf_add(&buf, STR(" -> "));
	if (verdict->has_destination)
		addr_print(&buf, verdict->destination);
	else
		buf_add(&buf, STR("any address"));
	return buf_str(&buf);
}

static bool is_denied_by_default(const struct verdict *verdict)
{
	return !verdict->allow && verdict->stage == STAGE_DEFAULT;
}

/* What would have let it pass. */
static void say_remedies(struct run *run, const struct asked *asked)
{
	const struct effective_rule *const *rules = asked->remedies;

	if (!is_denied_by_default(&asked->verdict))
		return;
	writer_say(run->writer, "    no rule of its roles lets it pass%s",
	           asked->remedy_count > 0 ? "; these roles would:" : ", and no other role would");
	for (size_t i = 0; i < asked->remedy_count; i++)
		writer_say(run->writer, "    %s  role %.*s: %.*s", rules[i]->id, STR_ARG(rules[i]->role->name),
		           STR_ARG(text_shortened(run->arena, rules[i]->held->text)));
}

/* Machines often have addresses over which they do not speak to each other. */
static void say_pairs(struct run *run, const struct asked *asked)
{
	const struct pairs *pairs = &asked->pairs;

	if (asked->verdict.allow || pairs->passing == 0)
		return;
	writer_say(run->writer, "    it passes between %zu of %zu pairs of their addresses: %.*s -> %.*s%s",
	           pairs->passing, pairs->count, STR_ARG(addr_str(run->arena, pairs->source)),
	           STR_ARG(addr_str(run->arena, pairs->destination)), pairs->passing > 1 ? ", …" : "");
}

/* "  ticket OPS-17" where there is one. */
static struct str note(struct arena *arena, const char *name, struct str value)
{
	return value.n > 0 ? str_format(arena, "  %s %.*s", name, STR_ARG(value)) : (struct str){NULL, 0};
}

static bool is_assigned(const struct machine *machine, struct str role)
{
	return str_among(role, machine->roles, machine->role_count) || machine_of_role(role).n > 0;
}

/* The rule, and how the machine whose rule it is got the role. */
static void say_rule(struct run *run, const struct resolved *resolved, const struct asked *asked,
                     const struct effective_rule *rule)
{
	const struct end *end =
		rule->held->rule.direction == DIRECTION_OUT ? &asked->source : &asked->destination;
	const struct machine *machine = resolved->machines[end->machine].machine;
	struct str ticket = note(run->arena, "ticket", rule->held->ticket);
	struct str owner = note(run->arena, "owner", rule->held->owner.n > 0 ? rule->held->owner : rule->role->owner);

	writer_say(run->writer, "    %s  role %.*s (%s): %.*s%.*s%.*s", rule->id, STR_ARG(rule->role->name),
	           is_assigned(machine, rule->role->name) ? "assigned" : "by selector",
	           STR_ARG(text_shortened(run->arena, rule->held->text)), STR_ARG(ticket), STR_ARG(owner));
}

static void say(struct run *run, const struct resolved *resolved, const struct question *question,
                const struct asked *asked)
{
	const struct verdict *verdict = &asked->verdict;
	struct str addresses = addresses_of(run->arena, verdict);

	writer_say(run->writer, "%s: %.*s -> %.*s, %.*s", verdict->allow ? "allow" : "deny", STR_ARG(question->source),
	           STR_ARG(question->destination), STR_ARG(question->what));
	writer_say(run->writer, "stage %.*s%.*s", STR_ARG(stage_str(verdict->stage)), STR_ARG(addresses));
	for (size_t i = 0; i < verdict->rule_count; i++)
		say_rule(run, resolved, asked, verdict->rules[i]);
}

static json_t *json_text(struct str text)
{
	return text.n > 0 ? json_stringn(text.p, text.n) : json_null();
}

/* The rules as objects; `via` where the machine that has them is known. */
static struct cell details_cell(struct arena *arena, const struct machine *machine,
                                const struct effective_rule *const *rules, size_t count)
{
	json_t *list = json_array();
	struct cell cell;
	char *text;

	for (size_t i = 0; i < count; i++) {
		const struct role_rule *held = rules[i]->held;
		struct str owner = held->owner.n > 0 ? held->owner : rules[i]->role->owner;
		json_t *object = json_object();

		json_object_set_new(object, "rule_id", json_string(rules[i]->id));
		json_object_set_new(object, "role", json_text(rules[i]->role->name));
		if (machine != NULL)
			json_object_set_new(
				object, "via",
				json_string(is_assigned(machine, rules[i]->role->name) ? "assigned" : "selector"));
		json_object_set_new(object, "rule", json_text(held->text));
		json_object_set_new(object, "ticket", json_text(held->ticket));
		json_object_set_new(object, "owner", json_text(owner));
		json_array_append_new(list, object);
	}
	text = json_dumps(list, JSON_COMPACT);
	cell = cell_json(str_copy(arena, str_of(text)));
	free(text);
	json_decref(list);
	return cell;
}

static void answer_one(struct run *run, const struct resolved *resolved, const struct question *question,
                       const struct asked *asked)
{
	const struct verdict *verdict = &asked->verdict;
	const struct end *end = verdict->rule_count > 0 && verdict->rules[0]->held->rule.direction == DIRECTION_OUT
	                                ? &asked->source
	                                : &asked->destination;
	const struct machine *machine = end->is_machine ? resolved->machines[end->machine].machine : NULL;
	const struct cell details[] = {details_cell(run->arena, machine, verdict->rules, verdict->rule_count),
	                               details_cell(run->arena, NULL, asked->remedies, asked->remedy_count)};

	answer_row(run->writer, run->arena, question, verdict, details);
}

/* WHAT may come as several words: 3306/tcp on eth0. */
static struct str join(struct arena *arena, const struct str *words, size_t count)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_char(&buf, ' ');
		buf_add(&buf, words[i]);
	}
	return buf_str(&buf);
}

/* --- as much of the inventory as one question needs --- */

/* One question on its way: where the inventory comes from, and what was made of it. */
struct asking {
	struct question question;
	struct kept kept;
	struct fleet fleet;
	struct resolved *resolved;
	struct asked asked;
};

/* Who does not exist is told from all there are. */
static struct error *load_part(struct run *run, const struct around *around, struct asking *asking)
{
	struct kept *kept = &asking->kept;
	bool was_kept = kept->is, whole;

	if (was_kept && (kept->whole || kept_part(run->arena, kept, around, &asking->fleet))) {
		if (!around_is_in(around, &asking->fleet) && kept_whole(run->arena, kept))
			asking->fleet = kept->fleet;
		return NULL;
	}
	if (was_kept)
		TRY(db_commit(run->db));
	TRY(run_load_around(run, around, &asking->fleet, &whole));
	return whole ? NULL : db_commit(run->db);
}

/* Asks a part of the fleet that is enough for this one question: `denied` is NULL, or what the default denied, so that
 * the roles come as well that would have let it pass. */
static struct error *ask_part(struct run *run, const struct packet_what *denied, struct asking *asking)
{
	const struct question *question = &asking->question;
	struct str ends[] = {question->source, question->destination}, machines[2];
	struct addr addresses[2];
	struct around around = {
		.machines = {machines, 0}, .addresses = addresses, .letting = denied != NULL, .port = -1};
	struct explainer *explainer;
	struct asked *asked = &asking->asked;

	for (size_t i = 0; i < 2; i++) {
		if (addr_parse(ends[i], &addresses[around.address_count]))
			around.address_count++;
		else
			machines[around.machines.count++] = str_lower(run->arena, ends[i]);
	}
	if (denied != NULL) {
		around.protocol = denied->protocol;
		around.port = denied->has_port ? denied->port : -1;
	}
	TRY(load_part(run, &around, asking));
	asking->resolved = resolve(run->arena, &asking->fleet);
	explainer = explainer_new(run->arena, asking->resolved, &run->config.settings);
	TRY(ask(run->arena, explainer, question, asked));
	asked->pairs = explain_pairs(run->arena, explainer, &asked->source, &asked->destination, &asked->what);
	if (denied != NULL)
		asked->remedy_count = explain_remedies(run->arena, explainer, &asked->source, &asked->destination,
		                                       &asked->what, &asked->verdict, &asked->remedies);
	return NULL;
}

/* --- why rules are there, which generate does not keep --- */

static void add_ids(struct buf *ids, const struct effective_rule *const *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_format(ids, "%s%s", ids->n > 0 ? "," : "", rules[i]->id);
}

/* A row: role, rule, its ticket, its owner, the role's owner. */
static void note_row(struct fleet *fleet, const struct db_rows *rows, size_t row)
{
	const struct role *found = fleet_role(fleet, db_cell(rows, row, 0));
	struct role *role;

	if (found == NULL)
		return;
	role = &fleet->roles[found - fleet->roles];
	role->owner = db_cell(rows, row, 4);
	for (size_t i = 0; i < role->rule_count; i++)
		if (str_eq(role->rules[i].text, db_cell(rows, row, 1))) {
			role->rules[i].ticket = db_cell(rows, row, 2);
			role->rules[i].owner = db_cell(rows, row, 3);
		}
}

/* Of the rules that are shown, into the fleet, where generate's cache told of it: its snapshot is still open, and ends
 * here. */
static struct error *take_notes(struct run *run, struct asking *asking)
{
	const struct asked *asked = &asking->asked;
	struct buf ids = buf_new(run->arena);
	struct db_rows rows = {0};
	struct str list;

	if (!asking->kept.is)
		return NULL;
	add_ids(&ids, asked->verdict.rules, asked->verdict.rule_count);
	if (writer_is_json(run->writer))
		add_ids(&ids, asked->remedies, asked->remedy_count);
	list = buf_str(&ids);
	if (list.n > 0)
		TRY(db_query(run->arena, run->db, db_sql("explain-notes"), &list, 1, &rows));
	for (size_t i = 0; i < rows.count; i++)
		note_row(&asking->fleet, &rows, i);
	return db_commit(run->db);
}

static struct error *find_answer(struct run *run, struct arena *memory, struct asking *asking)
{
	struct packet_what what;

	/* Where something changed, building the whole fleet costs more than the few rows in the tables. */
	if (!run_has(run, "at"))
		TRY(kept_load(run, memory, 0, &asking->kept));
	TRY(ask_part(run, NULL, asking));
	what = asking->asked.what;
	if (is_denied_by_default(&asking->asked.verdict))
		TRY(ask_part(run, &what, asking));
	return take_notes(run, asking);
}

static void answer(struct run *run, const struct asking *asking)
{
	const struct asked *asked = &asking->asked;

	warn_of_packet(run, asking->question.what);
	writer_columns(run->writer, LAYOUT_SILENT, columns, COLUMNS);
	answer_one(run, asking->resolved, &asking->question, asked);
	say(run, asking->resolved, &asking->question, asked);
	say_remedies(run, asked);
	say_pairs(run, asked);
	run->no = !asked->verdict.allow;
}

static struct error *explain_one(struct run *run)
{
	struct arena *memory = arena_new();
	struct asking asking = {.question = {run->arguments[0], run->arguments[1],
	                                     join(run->arena, run->arguments + 2, run->argument_count - 2)}};
	struct error *error = find_answer(run, memory, &asking);

	if (error == NULL)
		answer(run, &asking);
	arena_free(memory);
	return error;
}

/* --- one question a line --- */

static bool cut_word(struct str *rest, struct str *word)
{
	*rest = str_trim(*rest);
	for (word->p = rest->p, word->n = 0; word->n < rest->n && word->p[word->n] != ' ' && word->p[word->n] != '\t';)
		word->n++;
	*rest = str_slice(*rest, word->n, rest->n);
	return word->n > 0;
}

static void answer_line(struct buf *out, const struct question *question, const struct verdict *verdict)
{
	buf_format(out, "%s\t%.*s\t%.*s\t%.*s\t%.*s\t", verdict->allow ? "allow" : "deny", STR_ARG(question->source),
	           STR_ARG(question->destination), STR_ARG(question->what), STR_ARG(stage_str(verdict->stage)));
	for (size_t i = 0; i < verdict->rule_count; i++)
		buf_format(out, "%s%s", i > 0 ? "," : "", verdict->rules[i]->id);
	buf_add(out, verdict->rule_count == 0 ? STR("-\n") : STR("\n"));
}

/* One line: its answer into `out`, or an error for it. */
static struct error *explain_line(struct run *run, struct arena *scratch, struct explainer *explainer, struct str line,
                                  struct buf *out)
{
	struct question question;
	struct str rest = line;
	struct asked asked;

	if (!cut_word(&rest, &question.source) || !cut_word(&rest, &question.destination) ||
	    (rest = str_trim(rest)).n == 0)
		return error_hint(error_new(ERROR_INPUT, "a question has three parts"), "SOURCE DESTINATION WHAT");
	question.what = rest;
	if (run->warnings == NULL)
		warn_of_packet(run, question.what); /* once: thousands may ask alike */
	TRY(ask(scratch, explainer, &question, &asked));
	answer_line(out, &question, &asked.verdict);
	if (writer_is_json(run->writer))
		answer_row(run->writer, run->arena, &question, &asked.verdict, NULL);
	return NULL;
}

static struct error *explain_lines(struct run *run, struct explainer *explainer)
{
	struct str text, rest, line, name = STR("standard input");
	struct arena *scratch = arena_new();
	struct error *errors = NULL;
	struct buf out = buf_new(run->arena);
	unsigned number = 0;
	struct error *error = run_input(run, &text);

	writer_columns(run->writer, LAYOUT_SILENT, columns, OF_A_LINE);
	for (rest = text; error == NULL && rest.n > 0 && str_cut(&rest, '\n', &line); number++) {
		struct error *wrong;

		line = str_trim(line);
		if (line.n == 0)
			continue;
		wrong = explain_line(run, scratch, explainer, line, &out);
		if (wrong != NULL)
			buf_format(&out, "error\t%.*s\n", STR_ARG(line));
		error_collect(&errors, error_at(wrong, (struct place){.file = name, .line = number + 1}));
		arena_reset(scratch);
	}
	arena_free(scratch);
	if (error != NULL)
		return error;
	if (!writer_is_json(run->writer)) {
		writer_raw(run->writer, buf_str(&out));
		writer_keep(run->writer);
		return errors;
	}
	run->incomplete = errors != NULL;
	error_collect(&run->warnings, errors);
	return NULL;
}

struct error *run_explain(struct run *run)
{
	struct fleet fleet;

	if (run->argument_count < 3 && !(run->argument_count == 1 && str_is(run->arguments[0], "-")))
		return error_hint(error_new(ERROR_USAGE, "too few arguments for fleetwall explain"),
		                  "fleetwall explain SOURCE DESTINATION WHAT, or fleetwall explain -");
	if (run->argument_count > 1)
		return explain_one(run);
	TRY(run_load(run, &fleet));
	return explain_lines(run, explainer_new(run->arena, resolve(run->arena, &fleet), &run->config.settings));
}
