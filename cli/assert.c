/* assert: does the inventory keep to the fleet's own policy? */
#include <jansson.h>
#include <stdlib.h>

#include "fleetwall/buf.h"

#include "assertions.h"

static const char *const columns[] = {"file",   "line",     "assertion", "holds",
                                      "judged", "left_out", "monitored", "violations"};
enum {
	COLUMNS = sizeof columns / sizeof *columns,
	LOOKS = 12, /* at inventories before a change */
};

struct asserting {
	struct run *run;
	struct resolved *resolved;
	struct policy policy;
	struct cause *causes;
};

/* --- for programs --- */

static json_t *json_text(struct str text)
{
	return text.n > 0 ? json_stringn(text.p, text.n) : json_null();
}

static json_t *json_end(struct arena *arena, const struct machine *machine, bool has_addr, struct addr addr)
{
	json_t *object = json_object();

	json_object_set_new(object, "machine", machine != NULL ? json_text(machine->name) : json_null());
	json_object_set_new(object, "address", has_addr ? json_text(addr_str(arena, addr)) : json_null());
	return object;
}

static json_t *json_cause(const struct cause *cause)
{
	struct str values[CAUSE_FIELDS];
	json_t *object;

	if (cause->number.n == 0)
		return json_null();
	object = json_object();
	cause_values(cause, values);
	for (size_t i = 0; i < CAUSE_FIELDS; i++)
		json_object_set_new(object, cause_fields[i], json_text(values[i]));
	return object;
}

static void set_rule(json_t *object, const struct effective_rule *rule)
{
	json_object_set_new(object, "rule_id", rule != NULL ? json_string(rule->id) : json_null());
	json_object_set_new(object, "role", rule != NULL ? json_text(rule->role->name) : json_null());
	json_object_set_new(object, "rule", rule != NULL ? json_text(rule->held->text) : json_null());
	json_object_set_new(object, "ticket", rule != NULL ? json_text(rule->held->ticket) : json_null());
}

static json_t *json_violation(const struct asserting *asserting, const struct policy_violation *violation,
                              const struct cause *cause)
{
	struct arena *arena = asserting->run->arena;
	json_t *object = json_object(), *machines = json_array();

	json_object_set_new(object, "source",
	                    json_end(arena, violation->source, violation->has_from, violation->from));
	json_object_set_new(object, "destination",
	                    json_end(arena, violation->destination, violation->has_to, violation->to));
	json_object_set_new(object, "what", json_text(violation->what));
	json_object_set_new(object, "direction", json_string(violation->out ? "out" : "in"));
	json_object_set_new(object, "stage", json_text(stage_str(violation->stage)));
	set_rule(object, violation->rule);
	for (size_t i = 0; i < violation->machine_shown; i++)
		json_array_append_new(machines,
		                      json_text(asserting->resolved->fleet->machines[violation->machines[i]].name));
	json_object_set_new(object, "machines", machines);
	json_object_set_new(object, "machine_count", json_integer((json_int_t)violation->machine_count));
	json_object_set_new(object, "cause", json_cause(cause));
	return object;
}

static struct cell violations_cell(const struct asserting *asserting, const struct assertion *assertion, bool *holds)
{
	json_t *list = json_array();
	struct cell cell;
	char *text;

	for (size_t i = 0; i < asserting->policy.count; i++)
		if (asserting->policy.violations[i].assertion == assertion)
			json_array_append_new(list, json_violation(asserting, &asserting->policy.violations[i],
			                                           &asserting->causes[i]));
	*holds = json_array_size(list) == 0;
	text = json_dumps(list, JSON_COMPACT);
	cell = cell_json(str_copy(asserting->run->arena, str_of(text)));
	free(text);
	json_decref(list);
	return cell;
}

static void write_row(const struct asserting *asserting, const struct policy_note *note)
{
	const struct assertion *assertion = note->assertion;
	bool holds;
	struct cell violations = violations_cell(asserting, assertion, &holds);

	writer_row(asserting->run->writer,
	           (struct cell[]){cell_text(assertion->place.file), cell_number(assertion->place.line),
	                           cell_text(assertion->text), cell_bool(holds), cell_number((int64_t)note->judged),
	                           cell_number((int64_t)note->left_out), cell_number((int64_t)note->monitored),
	                           violations});
}

/* --- for people --- */

static void say_violation(const struct asserting *asserting, size_t place)
{
	const struct policy_violation *violation = &asserting->policy.violations[place];
	struct run *run = asserting->run;
	struct buf packet = buf_new(run->arena), machines = buf_new(run->arena);
	struct str cause = cause_str(run->arena, &asserting->causes[place]);

	policy_packet_print(&packet, violation);
	buf_char(&packet, ' ');
	policy_reason_print(&packet, violation);
	policy_machines_print(&machines, asserting->resolved->fleet, violation);
	writer_say(run->writer, "    %.*s", STR_ARG(buf_str(&packet)));
	writer_say(run->writer, "        %.*s", STR_ARG(buf_str(&machines)));
	if (cause.n > 0)
		writer_say(run->writer, "        since %.*s", STR_ARG(cause));
	else
		writer_say(run->writer, "        since when is not known");
}

static void say_assertion(const struct asserting *asserting, const struct policy_note *note)
{
	const struct assertion *assertion = note->assertion;
	bool begun = false;

	for (size_t i = 0; i < asserting->policy.count; i++) {
		if (asserting->policy.violations[i].assertion != assertion)
			continue;
		if (!begun)
			writer_say(asserting->run->writer, "%.*s:%u: does not hold: %.*s",
			           STR_ARG(assertion->place.file), assertion->place.line, STR_ARG(assertion->text));
		begun = true;
		say_violation(asserting, i);
	}
}

static void sum_up(const struct asserting *asserting)
{
	const struct policy *policy = &asserting->policy;
	struct writer *writer = asserting->run->writer;
	size_t broken = 0, left_out = policy->left_out;

	for (size_t i = 0; i < policy->count; i++)
		broken += i == 0 || policy->violations[i].assertion != policy->violations[i - 1].assertion;
	if (broken == 0)
		writer_say(writer, "%zu assertion%s hold%s", policy->note_count, str_plural(policy->note_count),
		           policy->note_count == 1 ? "s" : "");
	else
		writer_say(writer, "%zu of %zu assertion%s do%s not hold", broken, policy->note_count,
		           str_plural(policy->note_count), broken == 1 ? "es" : "");
	if (left_out > 0)
		writer_say(writer, "%zu machine%s without a ruleset (disabled, unmanaged) %s left out", left_out,
		           str_plural(left_out), left_out == 1 ? "is" : "are");
}

/* --- the command --- */

static struct error *read(struct run *run, struct assertions *assertions)
{
	const struct str *paths = run->argument_count > 0 ? run->arguments : run->config.assertions.arguments;
	size_t count = run->argument_count > 0 ? run->argument_count : run->config.assertions.count;
	struct digest digest;

	if (count == 0)
		return error_hint(error_new(ERROR_USAGE, "there is no file of assertions"),
		                  "fleetwall assert FILE, or the setting assertions = \"/etc/fleetwall/assertions\"; "
		                  "fleetwall-assertions(5) says what is in it");
	return assertions_unread(run, run->arena,
	                         assertions_load(run, run->arena, paths, count, assertions, &digest), assertions);
}

struct error *run_assert(struct run *run)
{
	struct asserting asserting = {.run = run};
	struct assertions assertions;
	struct fleet fleet;

	TRY(read(run, &assertions));
	TRY(run_load(run, &fleet));
	TRY(assertions_check(run->arena, &assertions, &fleet));
	asserting.resolved = resolve(run->arena, &fleet);
	policy_judge(run->arena, asserting.resolved, &run->config.settings, &assertions, &asserting.policy);
	error_collect(&run->warnings, policy_warnings(&asserting.policy));
	if (asserting.policy.count > 0)
		TRY(assertions_causes(run, run->arena, asserting.resolved, &asserting.policy, LOOKS,
		                      &asserting.causes));
	writer_columns(run->writer, LAYOUT_SILENT, columns, COLUMNS);
	for (size_t i = 0; i < asserting.policy.note_count; i++) {
		write_row(&asserting, &asserting.policy.notes[i]);
		say_assertion(&asserting, &asserting.policy.notes[i]);
	}
	sum_up(&asserting);
	run->no = asserting.policy.count > 0;
	return NULL;
}
