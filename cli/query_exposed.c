/* query exposed: what the internet, or a prefix, reaches at each machine, and through which rules. */
#include "fleetwall/exposed.h"

#include "query.h"

static const char *const columns[] = {"machine", "what", "sources", "except", "stage", "roles", "rules"};
enum { COLUMNS = sizeof columns / sizeof *columns };

struct question {
	struct fleet fleet;
	struct prefix from;
	const struct role *role; /* NULL: any */
	struct exposed *exposed;
};

static struct error *read_prefix(const struct run *run, struct question *question)
{
	struct str text = run_option(run, "from");
	struct error *error;

	switch (prefix_parse(text, &question->from)) {
	case PREFIX_OK:
		return NULL;
	case PREFIX_BAD:
		error = error_new(ERROR_USAGE, "--from: \"%.*s\" is no prefix", STR_ARG(text));
		return error_hint(error, "for example 203.0.113.0/24, 2001:db8::/32 or one address");
	case PREFIX_HOST_BITS:
		break;
	}
	error = error_new(ERROR_USAGE, "--from: \"%.*s\" has host bits set", STR_ARG(text));
	return error_hint(error, "%.*s/%u", STR_ARG(addr_str(run->arena, question->from.addr)),
	                  question->from.length);
}

/* Do all machines and the role that were named exist? */
static struct error *read_names(struct run *run, struct question *question)
{
	struct error *errors = NULL;
	struct str role = run_option(run, "role");

	for (size_t i = 0; i < run->argument_count; i++) {
		struct str name = str_lower(run->arena, run->arguments[i]);

		if (fleet_machine(&question->fleet, name) == NULL)
			error_collect(&errors, unknown_machine(run->arena, &question->fleet, name));
	}
	if (role.p != NULL) {
		role = str_lower(run->arena, role);
		question->role = fleet_role(&question->fleet, role);
		if (question->role == NULL)
			error_collect(&errors, unknown_role(run->arena, &question->fleet, role));
	}
	return errors;
}

/* --- rows --- */

static void write_row(struct run *run, const struct machine *machine, const struct exposure *row)
{
	struct str *roles = ARENA_ARRAY(run->arena, struct str, row->rule_count);
	size_t role_count = 0;

	for (size_t i = 0; i < row->rule_count; i++)
		if (i == 0 || row->rules[i].role != row->rules[i - 1].role)
			roles[role_count++] = row->rules[i].role->name;
	writer_row(run->writer, (struct cell[]){
					cell_text(machine->name),
					cell_list(row->what, row->what_count),
					cell_shown(run, row->sources, row->source_count),
					cell_shown(run, row->except, row->except_count),
					cell_text(stage_str(row->stage)),
					cell_list(roles, role_count),
					cell_list(row->ids, row->rule_count),
				});
}

static size_t write_machine(struct run *run, const struct question *question, size_t machine)
{
	const struct exposures *rows = exposed_at(question->exposed, machine);

	for (size_t i = 0; i < rows->count; i++)
		write_row(run, &question->fleet.machines[machine], &rows->items[i]);
	return rows->count;
}

/* Which machines are asked about, by their places. */
static bool *chosen(struct run *run, const struct question *question, const struct intent *intent)
{
	bool *chosen = ARENA_ARRAY(run->arena, bool, question->fleet.machine_count);
	size_t count = question->fleet.machine_count;
	const uint32_t *members = NULL;

	if (question->role != NULL)
		members = intent_members(intent, (size_t)(question->role - question->fleet.roles), &count);
	for (size_t i = 0; i < count; i++)
		chosen[members != NULL ? members[i] : i] = run->argument_count == 0;
	for (size_t i = 0; i < run->argument_count; i++) {
		struct str name = str_lower(run->arena, run->arguments[i]);
		size_t place = (size_t)(fleet_machine(&question->fleet, name) - question->fleet.machines);
		bool member = members == NULL;

		for (size_t k = 0; k < count && !member; k++)
			member = members[k] == place;
		chosen[place] = member;
	}
	return chosen;
}

static void answer(struct run *run, struct question *question)
{
	struct intent *intent = intent_new(run->arena, &question->fleet, &run->config.settings);
	const bool *asked = chosen(run, question, intent);
	size_t count = 0;

	packets_begin();
	question->exposed = exposed_new(run->arena, intent, &question->fleet, &run->config.settings,
	                                run_has(run, "from") ? &question->from : NULL);
	writer_columns(run->writer, LAYOUT_TABLE, columns, COLUMNS);
	for (size_t i = 0; i < question->fleet.machine_count; i++)
		if (asked[i])
			count += write_machine(run, question, i);
	if (count == 0)
		writer_say(run->writer, "nothing");
	packets_end();
}

struct error *run_query_exposed(struct run *run)
{
	struct question question = {0};

	if (run_has(run, "from"))
		TRY(read_prefix(run, &question));
	TRY(run_load(run, &question.fleet));
	TRY(read_names(run, &question));
	answer(run, &question);
	return NULL;
}
