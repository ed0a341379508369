/* Questions about rows: which machine gets which rule, who has a role and who speaks of it. The present is answered by
 * the views that people may rely on; what needs packets, or another time, by the model. All from one snapshot. */
#include <string.h>

#include "fleetwall/explain.h"
#include "fleetwall/inventory.h"

#include "lint.h"
#include "query.h"

enum column_kind { TEXT, NUMBER, BOOL, LINES };

struct column {
	const char *name;
	enum column_kind kind;
};

enum { COLUMNS_MOST = 12 };

static struct error *unknown(struct run *run, const char *kind, struct str name)
{
	struct fleet fleet;

	TRY(inventory_load(run->arena, run->db, &fleet));
	if (strcmp(kind, "machine") == 0)
		return unknown_machine(run->arena, &fleet, name);
	if (strcmp(kind, "role") == 0)
		return unknown_role(run->arena, &fleet, name);
	if (strcmp(kind, "network") == 0)
		return unknown_network(run->arena, &fleet, name);
	return unknown_rule(name);
}

/* Whose name is near is looked for among all only where there is none of it. */
static struct error *must_exist(struct run *run, const char *kind, struct str name)
{
	const struct str parameters[2] = {str_of(kind), name};
	struct db_rows rows;

	TRY(db_query(run->arena, run->db, db_sql("query-known"), parameters, 2, &rows));
	return str_is(db_cell(&rows, 0, 0), "t") ? NULL : unknown(run, kind, name);
}

static struct cell lines_cell(struct arena *arena, struct str text)
{
	struct {
		struct str *items;
		size_t count, capacity;
	} lines = {0};
	struct str line;

	while (text.n > 0 && str_cut(&text, '\n', &line))
		APPEND(arena, &lines, line);
	return cell_list(lines.items, lines.count);
}

static struct cell make_cell(struct arena *arena, struct str text, enum column_kind kind)
{
	uint64_t number = 0;

	switch (kind) {
	case TEXT:
		return cell_text(text);
	case NUMBER:
		return str_number(text, INT64_MAX, &number) ? cell_number((int64_t)number) : cell_text(text);
	case BOOL:
		return cell_bool(str_is(text, "t"));
	case LINES:
		return lines_cell(arena, text);
	}
	return cell_text(text);
}

size_t count_shown(const struct run *run, size_t count, size_t most)
{
	bool all = writer_is_json(run->writer) || run->globals->style.csv;

	return all || count <= most ? count : most;
}

struct cell cell_shown(struct run *run, const struct str *items, size_t count, size_t most)
{
	struct cell cell = cell_list(items, count_shown(run, count, most));

	cell.more = count - cell.count;
	return cell;
}

static void set_columns(struct run *run, const struct column *columns, size_t count)
{
	const char **names = ARENA_ARRAY(run->arena, const char *, count);

	for (size_t i = 0; i < count; i++)
		names[i] = columns[i].name;
	writer_columns(run->writer, LAYOUT_TABLE, names, count);
}

/* Runs the query of that name, and writes its rows; the columns come in its order. */
static struct error *answer(struct run *run, const char *query, const struct str *parameters, size_t parameter_count,
                            const struct column *columns, size_t count)
{
	struct cell cells[COLUMNS_MOST];
	struct db_rows rows;

	TRY(db_query(run->arena, run->db, db_sql(query), parameters, parameter_count, &rows));
	set_columns(run, columns, count);
	for (size_t row = 0; row < rows.count; row++) {
		for (size_t i = 0; i < count; i++)
			cells[i] = make_cell(run->arena, db_cell(&rows, row, i), columns[i].kind);
		writer_row(run->writer, cells);
	}
	return db_commit(run->db);
}

static struct error *begin(struct run *run)
{
	TRY(run_connect(run));
	return db_begin(run->db, DB_SNAPSHOT);
}

/* As of --at. */
static struct error *load_then(struct run *run, struct resolved **resolved)
{
	struct fleet *fleet = ARENA_NEW(run->arena, struct fleet);

	TRY(run_load(run, fleet));
	*resolved = resolve(run->arena, fleet);
	return NULL;
}

/* How many of these options were given; more than one is a contradiction. */
static struct error *one_of(const struct run *run, const char *const *options, size_t count, size_t *given)
{
	*given = 0;
	for (size_t i = 0; i < count; i++)
		*given += run_has(run, options[i]);
	return *given < 2 ? NULL : error_hint(error_new(ERROR_USAGE, "one question at a time"), "fleetwall %s --help",
	                                      run->command->name);
}

/* --- query rules --- */

static const struct column rule_columns[] = {
	{"machine", TEXT}, {"role", TEXT},   {"via", TEXT},   {"rule_id", TEXT},
	{"rule", TEXT},    {"ticket", TEXT}, {"owner", TEXT}, {"until", TEXT},
};
enum { RULE_COLUMNS = sizeof rule_columns / sizeof *rule_columns };

static const struct column role_rule_columns[] = {
	{"role", TEXT},   {"rule_id", TEXT}, {"rule", TEXT},      {"until", TEXT},
	{"ticket", TEXT}, {"owner", TEXT},   {"members", NUMBER},
};
enum { ROLE_RULE_COLUMNS = sizeof role_rule_columns / sizeof *role_rule_columns };

static struct str via(const struct machine *machine, const struct role *role)
{
	bool assigned = machine_of_role(role->name).n > 0 ||
	                str_among(role->name, machine->roles, machine->role_count);

	return assigned ? STR("assigned") : STR("selector");
}

static void write_rule(struct run *run, const struct machine *machine, const struct effective_rule *rule)
{
	struct buf until = buf_new(run->arena);
	struct str none = {NULL, 0};

	if (rule->held->rule.until != TIME_NONE)
		time_print(&until, rule->held->rule.until);
	writer_row(run->writer, (struct cell[]){
					cell_text(machine->name),
					cell_text(rule->role->name),
					cell_text(via(machine, rule->role)),
					cell_text(str_copy(run->arena, str_of(rule->id))),
					cell_text(rule->held->text),
					cell_text(rule->held->ticket.n > 0 ? rule->held->ticket : none),
					cell_text(rule->held->owner.n > 0 ? rule->held->owner : none),
					cell_text(until.n > 0 ? buf_str(&until) : none),
				});
}

/* The rules of a machine as of another time. */
static struct error *rules_at(struct run *run, struct str name)
{
	const struct machine *machine;
	struct resolved *resolved;
	struct fleet fleet;

	TRY(run_load(run, &fleet));
	machine = fleet_machine(&fleet, name);
	if (machine == NULL)
		return unknown_machine(run->arena, &fleet, name);
	resolved = resolve(run->arena, &fleet);
	set_columns(run, rule_columns, RULE_COLUMNS);
	if (!machine_has_ruleset(machine))
		return NULL;
	for (size_t i = 0; i < resolved->machines[machine - fleet.machines].role_count; i++) {
		const struct resolved_role *role =
			&resolved->roles[resolved->machines[machine - fleet.machines].roles[i]];

		for (size_t j = 0; j < role->rule_count; j++)
			write_rule(run, machine, &role->rules[j]);
	}
	return NULL;
}

static struct error *rules_of_roles(struct run *run)
{
	struct str days = run_option(run, "expiring");
	struct resolved *resolved;
	unsigned number = 0;

	TRY(run_number(run, "expiring", 0, LINT_DAYS_MOST, &number));
	if (run_has(run, "at")) {
		TRY(load_then(run, &resolved));
		set_columns(run, role_rule_columns, ROLE_RULE_COLUMNS);
		return rules_then(run, resolved, number, days.p == NULL);
	}
	TRY(begin(run));
	if (days.p != NULL)
		return answer(run, "query-expiring", &days, 1, role_rule_columns, ROLE_RULE_COLUMNS);
	return answer(run, "query-unused-rules", NULL, 0, role_rule_columns, ROLE_RULE_COLUMNS);
}

struct error *run_query_rules(struct run *run)
{
	static const char *const options[] = {"expiring", "unused"};
	struct str machine;
	size_t given;

	TRY(one_of(run, options, 2, &given));
	if (given + run->argument_count != 1)
		return error_hint(given + run->argument_count == 0
		                          ? error_new(ERROR_USAGE, "which rules?")
		                          : error_new(ERROR_USAGE, "too many arguments for fleetwall query rules"),
		                  "fleetwall query rules MACHINE, or --expiring DAYS, or --unused; fleetwall rule list "
		                  "shows all");
	if (given == 1)
		return rules_of_roles(run);
	machine = str_lower(run->arena, run->arguments[0]);
	if (run_has(run, "at"))
		return rules_at(run, machine);
	TRY(begin(run));
	TRY(must_exist(run, "machine", machine));
	return answer(run, "query-rules", &machine, 1, rule_columns, RULE_COLUMNS);
}

/* --- query machines --- */

static const struct column member_columns[] = {
	{"machine", TEXT}, {"role", TEXT}, {"via", TEXT}, {"enabled", BOOL}, {"mode", TEXT}, {"enforcement", TEXT},
};
static const struct column opens_columns[] = {{"machine", TEXT}, {"role", TEXT}, {"rule_id", TEXT}, {"rule", TEXT}};

static void write_member(struct run *run, const struct machine *machine, const struct role *role)
{
	writer_row(run->writer, (struct cell[]){
					cell_text(machine->name),
					cell_text(role->name),
					cell_text(via(machine, role)),
					cell_bool(machine->enabled),
					cell_text(mode_str(machine->mode)),
					cell_text(enforcement_str(machine->enforcement)),
				});
}

static struct error *members_at(struct run *run, struct str name)
{
	const struct role *role;
	struct resolved *resolved;
	struct fleet fleet;

	TRY(run_load(run, &fleet));
	role = fleet_role(&fleet, name);
	if (role == NULL)
		return unknown_role(run->arena, &fleet, name);
	resolved = resolve(run->arena, &fleet);
	set_columns(run, member_columns, 6);
	for (size_t i = 0; i < resolved->roles[role - fleet.roles].member_count; i++)
		write_member(run, &fleet.machines[resolved->roles[role - fleet.roles].members[i]], role);
	return NULL;
}

static struct error *members(struct run *run, struct str role)
{
	if (run_has(run, "at"))
		return members_at(run, role);
	TRY(begin(run));
	TRY(must_exist(run, "role", role));
	return answer(run, "query-members", &role, 1, member_columns, 6);
}

static void write_opening(struct run *run, const struct machine *machine, const struct effective_rule *rule)
{
	writer_row(run->writer,
	           (struct cell[]){cell_text(machine->name), cell_text(rule->role->name),
	                           cell_text(str_copy(run->arena, str_of(rule->id))), cell_text(rule->held->text)});
}

/* Every rule that opens it, whoever its peers are: the rule says to whom. */
static void openings(struct run *run, const struct resolved *resolved, size_t machine, const struct packet_what *what)
{
	const struct resolved_machine *held = &resolved->machines[machine];

	for (size_t i = 0; i < held->role_count; i++) {
		const struct resolved_role *role = &resolved->roles[held->roles[i]];

		for (size_t j = 0; j < role->rule_count; j++) {
			const struct rule *rule = &role->rules[j].held->rule;

			if (rule->action == ACTION_ALLOW && rule->direction == DIRECTION_IN &&
			    rule_covers(resolved->fleet, rule, what))
				write_opening(run, held->machine, &role->rules[j]);
		}
	}
}

/* Machines that let it in from there, and by which rules. */
static struct error *openings_from(struct run *run, struct explainer *explainer, const struct end *source,
                                   uint32_t machine, const struct resolved *resolved, const struct packet_what *what)
{
	struct end destination = {.is_machine = true, .machine = machine};
	struct verdict verdict;

	TRY(explain(run->arena, explainer, source, &destination, what, &verdict));
	for (size_t i = 0; verdict.allow && verdict.stage == STAGE_ALLOW && i < verdict.rule_count; i++)
		write_opening(run, resolved->machines[machine].machine, verdict.rules[i]);
	return NULL;
}

static struct error *opens(struct run *run, struct str text)
{
	struct str from = run_option(run, "from");
	struct explainer *explainer;
	struct resolved *resolved;
	struct packet_what what;
	struct fleet fleet;
	struct end source = {0};

	TRY(run_load(run, &fleet));
	resolved = resolve(run->arena, &fleet);
	explainer = explainer_new(run->arena, resolved, &run->config.settings);
	TRY(packet_parse(explainer, text, &what));
	warn_of_packet(run, text);
	if (from.p != NULL)
		TRY(end_parse(explainer, from, &source));
	set_columns(run, opens_columns, 4);
	for (uint32_t i = 0; i < fleet.machine_count; i++) {
		if (!machine_has_ruleset(&fleet.machines[i]))
			continue;
		if (from.p != NULL)
			TRY(openings_from(run, explainer, &source, i, resolved, &what));
		else
			openings(run, resolved, i, &what);
	}
	return NULL;
}

struct error *run_query_machines(struct run *run)
{
	static const char *const options[] = {"role", "opens", "rule"};
	struct resolved *resolved;
	struct str id;
	size_t given;

	TRY(one_of(run, options, 3, &given));
	if (given == 0)
		return error_hint(error_new(ERROR_USAGE, "which machines?"),
		                  "--role ROLE, --opens 3306/tcp or --rule ID; fleetwall machine list shows all");
	if (run_has(run, "from") && !run_has(run, "opens"))
		return error_new(ERROR_USAGE, "--from goes with --opens");
	if (run_has(run, "opens"))
		return opens(run, run_option(run, "opens"));
	if (run_has(run, "role"))
		return members(run, str_lower(run->arena, run_option(run, "role")));
	id = str_lower(run->arena, run_option(run, "rule"));
	if (run_has(run, "at")) {
		TRY(load_then(run, &resolved));
		set_columns(run, opens_columns, 4);
		return rule_machines_then(run, resolved, id);
	}
	TRY(begin(run));
	TRY(must_exist(run, "rule", id));
	return answer(run, "query-rule-machines", &id, 1, opens_columns, 4);
}

/* --- query roles, networks --- */

static struct error *users(struct run *run, const char *kind, const char *query, const struct column *columns,
                           size_t count, struct error *(*then)(struct run *run, const struct resolved *resolved))
{
	struct str parameters[2] = {{NULL, 0}, {NULL, 0}};
	struct resolved *resolved;

	if (run_has(run, "at")) {
		TRY(load_then(run, &resolved));
		set_columns(run, columns, count);
		return then(run, resolved);
	}
	if (run->argument_count > 0)
		parameters[0] = str_lower(run->arena, run->arguments[0]);
	if (run_has(run, "unused"))
		parameters[1] = STR("unused");
	TRY(begin(run));
	if (parameters[0].p != NULL)
		TRY(must_exist(run, kind, parameters[0]));
	return answer(run, query, parameters, 2, columns, count);
}

struct error *run_query_roles(struct run *run)
{
	static const struct column columns[] = {
		{"role", TEXT}, {"members", NUMBER}, {"rules", NUMBER}, {"egress", TEXT}, {"used_by", LINES}};

	return users(run, "role", "query-roles", columns, 5, roles_then);
}

struct error *run_query_networks(struct run *run)
{
	static const struct column columns[] = {{"network", TEXT}, {"prefixes", LINES}, {"used_by", LINES}};

	return users(run, "network", "query-networks", columns, 3, networks_then);
}
