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

/* The cells of a machine's rows, but for its name. Machines in the same position share them. */
struct told {
	const struct exposures *rows;
	struct cell *cells;
};

/* All rows of the answer. */
struct telling {
	const struct fleet *fleet;
	struct {
		struct told *items;
		size_t count, capacity;
	} told;
	struct names *known; /* by their answers; the number of an answer is its place in `told` */
	struct machine_rows {
		size_t machine, first; /* the number of its first row */
		uint32_t told;
	} *machines; /* that have rows */
	size_t machine_count, row_count;
};

/* A list that comes again for each machine. */
static struct cell shared(struct run *run, const struct str *items, size_t count)
{
	struct cell cell = cell_shown(run, items, count);

	cell.said = ARENA_NEW(run->arena, struct str);
	return cell;
}

static void tell_row(struct run *run, const struct exposure *row, struct cell *cells)
{
	const struct cell told[COLUMNS] = {
		cell_null(),
		shared(run, row->what, row->what_count),
		shared(run, row->sources, row->source_count),
		shared(run, row->except, row->except_count),
		cell_text(stage_str(row->stage)),
		shared(run, row->roles, row->role_count),
		shared(run, row->ids, row->rule_count),
	};

	for (size_t i = 0; i < COLUMNS; i++)
		cells[i] = told[i];
}

static uint32_t tell(struct run *run, struct telling *telling, const struct exposures *rows)
{
	uint32_t number = names_add(telling->known, (struct str){(const char *)&rows, sizeof rows});
	struct told told = {rows, NULL};

	if (number < telling->told.count)
		return number;
	told.cells = ARENA_ARRAY(run->arena, struct cell, rows->count * COLUMNS);
	for (size_t i = 0; i < rows->count; i++)
		tell_row(run, &rows->items[i], &told.cells[i * COLUMNS]);
	APPEND(run->arena, &telling->told, told);
	return number;
}

static void add_machine(struct run *run, struct telling *telling, struct question *question, size_t machine)
{
	const struct exposures *rows = exposed_at(question->exposed, machine);

	if (rows->count == 0)
		return;
	telling->machines[telling->machine_count++] =
		(struct machine_rows){machine, telling->row_count, tell(run, telling, rows)};
	telling->row_count += rows->count;
}

static const struct machine_rows *machine_of(const struct telling *telling, size_t row)
{
	size_t low = 0, high = telling->machine_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (telling->machines[middle].first <= row)
			low = middle;
		else
			high = middle;
	}
	return &telling->machines[low];
}

static void give_row(void *context, size_t row, struct cell *cells)
{
	const struct telling *telling = context;
	const struct machine_rows *rows = machine_of(telling, row);
	const struct cell *told = &telling->told.items[rows->told].cells[(row - rows->first) * COLUMNS];

	cells[0] = cell_text(telling->fleet->machines[rows->machine].name);
	for (size_t i = 1; i < COLUMNS; i++)
		cells[i] = told[i];
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
	struct telling *telling = ARENA_NEW(run->arena, struct telling);
	const bool *asked = chosen(run, question, intent);

	packets_begin();
	question->exposed = exposed_new(run->arena, intent, &question->fleet, &run->config.settings,
	                                run_has(run, "from") ? &question->from : NULL);
	telling->fleet = &question->fleet;
	telling->known = names_new(run->arena);
	telling->machines = ARENA_ARRAY(run->arena, struct machine_rows, question->fleet.machine_count);
	for (size_t i = 0; i < question->fleet.machine_count; i++)
		if (asked[i])
			add_machine(run, telling, question, i);
	writer_columns(run->writer, LAYOUT_TABLE, columns, COLUMNS);
	writer_rows(run->writer, telling->row_count, give_row, telling);
	packets_end();
}

struct error *run_query_exposed(struct run *run)
{
	struct question *question = ARENA_NEW(run->arena, struct question);

	if (run_has(run, "from"))
		TRY(read_prefix(run, question));
	TRY(run_load(run, &question->fleet));
	TRY(read_names(run, question));
	answer(run, question);
	return NULL;
}
