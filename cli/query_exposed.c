/* query exposed: what the internet, or a prefix, reaches at each machine, and through which rules. Programs get the
 * rows of each machine, people each row once. */
#include "fleetwall/exposed.h"

#include "query.h"

static const char *const columns[] = {"machine", "what", "sources", "except", "stage", "roles", "rules"};
enum { COLUMNS = sizeof columns / sizeof *columns };

struct question {
	struct fleet fleet;
	struct prefix from;
	const struct role *role; /* NULL: any */
	bool *named;             /* machines, by their places */
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

	question->named = ARENA_ARRAY(run->arena, bool, question->fleet.machine_count);
	for (size_t i = 0; i < run->argument_count; i++)
		error_collect(&errors,
		              machines_match(run->arena, &question->fleet, run->arguments[i], question->named));
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
	struct cell cell = cell_shown(run, items, count, SHOWN_MOST);

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

/* --- for people: a row once, with the machines that have it --- */

enum { MACHINES_SHOWN = 3 };

struct group {
	const struct cell *cells; /* but for the machines */
	struct {
		uint32_t *items;
		size_t count, capacity;
	} machines;
};

struct groups {
	struct names *known; /* by all that a row says */
	struct {
		struct group *items;
		size_t count, capacity;
	} all;
};

static void add_words(struct buf *key, const struct str *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_add(key, words[i]);
		buf_char(key, '\n');
	}
	buf_char(key, '\n');
}

static uint32_t group_of(struct run *run, struct groups *groups, const struct exposure *row, const struct cell *cells)
{
	struct group group = {.cells = cells};
	struct buf key = buf_new(run->arena);
	uint32_t number;

	add_words(&key, row->what, row->what_count);
	add_words(&key, row->sources, row->source_count);
	add_words(&key, row->except, row->except_count);
	add_words(&key, row->roles, row->role_count);
	add_words(&key, row->ids, row->rule_count);
	buf_add(&key, stage_str(row->stage));
	number = names_add(groups->known, buf_str(&key));
	if (number == groups->all.count)
		APPEND(run->arena, &groups->all, group);
	return number;
}

/* The groups of the rows that machines in one position share. */
static uint32_t *groups_of(struct run *run, struct groups *groups, const struct told *told)
{
	uint32_t *numbers = ARENA_ARRAY(run->arena, uint32_t, told->rows->count);

	for (size_t i = 0; i < told->rows->count; i++)
		numbers[i] = group_of(run, groups, &told->rows->items[i], &told->cells[i * COLUMNS]);
	return numbers;
}

static void fill_groups(struct run *run, struct groups *groups, const struct telling *telling)
{
	uint32_t **numbers = ARENA_ARRAY(run->arena, uint32_t *, telling->told.count);

	for (size_t i = 0; i < telling->machine_count; i++) {
		const struct machine_rows *rows = &telling->machines[i];
		const struct told *told = &telling->told.items[rows->told];

		if (numbers[rows->told] == NULL)
			numbers[rows->told] = groups_of(run, groups, told);
		for (size_t k = 0; k < told->rows->count; k++) {
			struct group *group = &groups->all.items[numbers[rows->told][k]];

			APPEND(run->arena, &group->machines, (uint32_t)rows->machine);
		}
	}
}

static struct cell machines_cell(struct run *run, const struct telling *telling, const struct group *group,
                                 size_t asked)
{
	size_t count = group->machines.count, shown = count > MACHINES_SHOWN ? MACHINES_SHOWN : count;
	struct str *names = ARENA_ARRAY(run->arena, struct str, MACHINES_SHOWN);
	struct cell cell = cell_list(names, shown);

	for (size_t i = 0; i < shown; i++)
		names[i] = telling->fleet->machines[group->machines.items[i]].name;
	if (count <= MACHINES_SHOWN)
		return cell;
	if (count == asked)
		return cell_text(str_format(run->arena, "all %zu machines", count));
	names[0] = str_format(run->arena, "%zu machines: %.*s", count, STR_ARG(names[0]));
	cell.more = count - shown;
	return cell;
}

static void write_groups(struct run *run, const struct telling *telling, size_t asked)
{
	struct groups groups = {.known = names_new(run->arena)};

	fill_groups(run, &groups, telling);
	for (size_t i = 0; i < groups.all.count; i++) {
		const struct group *group = &groups.all.items[i];
		struct cell cells[COLUMNS];

		for (size_t k = 1; k < COLUMNS; k++)
			cells[k] = group->cells[k];
		cells[0] = machines_cell(run, telling, group, asked);
		writer_row(run->writer, cells);
	}
}

/* Which machines are asked about, by their places. */
static bool *chosen(struct run *run, const struct question *question, const struct intent *intent)
{
	bool *chosen = ARENA_ARRAY(run->arena, bool, question->fleet.machine_count);
	size_t count = question->fleet.machine_count;
	const uint32_t *members = NULL;

	if (question->role != NULL)
		members = intent_members(intent, (size_t)(question->role - question->fleet.roles), &count);
	for (size_t i = 0; i < count; i++) {
		size_t place = members != NULL ? members[i] : i;

		chosen[place] = run->argument_count == 0 || question->named[place];
	}
	return chosen;
}

static void answer(struct run *run, struct question *question)
{
	struct intent *intent = intent_new(run->arena, &question->fleet, &run->config.settings);
	struct telling *telling = ARENA_NEW(run->arena, struct telling);
	const bool *asked = chosen(run, question, intent);
	size_t count = 0;

	packets_begin();
	question->exposed = exposed_new(run->arena, intent, &question->fleet, &run->config.settings,
	                                run_has(run, "from") ? &question->from : NULL);
	telling->fleet = &question->fleet;
	telling->known = names_new(run->arena);
	telling->machines = ARENA_ARRAY(run->arena, struct machine_rows, question->fleet.machine_count);
	for (size_t i = 0; i < question->fleet.machine_count; i++)
		if (asked[i]) {
			add_machine(run, telling, question, i);
			count++;
		}
	writer_columns(run->writer, LAYOUT_TABLE, columns, COLUMNS);
	if (writer_is_json(run->writer) || run->globals->style.csv)
		writer_rows(run->writer, telling->row_count, give_row, telling);
	else
		write_groups(run, telling, count);
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
