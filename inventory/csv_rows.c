/* addresses.csv, members.csv, rules.csv: rows about machines and roles, and the step that gives every object its rows.
 * A row is read once and sorted to its owner by counting, so that 100,000 machines take no longer than reading the
 * text. */
#include "fleetwall/document.h"

#include <stdlib.h>
#include <string.h>

#include "csv_fleet.h"
#include "fleet_fields.h"
#include "fleetwall/arena.h"

enum address_column { ADDRESS_MACHINE, ADDRESS_ADDRESS, ADDRESS_LABEL };
const struct csv_column csv_address_columns[] = {{"machine", true}, {"address", true}, {"label", false}, {0}};

enum member_column { MEMBER_ROLE, MEMBER_MACHINE };
const struct csv_column csv_member_columns[] = {{"role", true}, {"machine", true}, {0}};

enum rule_column { RULE_ROLE, RULE_RULE, RULE_TICKET, RULE_OWNER, RULE_ENABLED };
const struct csv_column csv_rule_columns[] = {
	{"role", true}, {"rule", true}, {"ticket", false}, {"owner", false}, {"enabled", false}, {0},
};

/* --- reading --- */

static struct str read_label(struct csv_fleet *fleet, const struct csv *csv)
{
	struct str label = name_fold(fleet->arena, csv_cell(csv, ADDRESS_LABEL));
	struct error *error = label.n > 0 ? name_check(label, "address label") : NULL;

	csv_fault(csv, ADDRESS_LABEL, error);
	return error == NULL ? label : STR("");
}

/* An empty address names the machine and adds nothing. */
void csv_read_addresses(struct csv_fleet *fleet, struct csv *csv)
{
	CSV_ROOM(fleet->rows, &fleet->addresses, csv_rows_at_most(csv));
	while (csv_next(csv)) {
		struct str cell = csv_cell(csv, ADDRESS_ADDRESS);
		struct address_row row = {.owner = csv_machine_number(fleet, csv, ADDRESS_MACHINE), .line = csv->line,
		                          .line_start = csv->line_start};
		bool good = cell.n > 0 && addr_parse(cell, &row.address.addr);

		fleet->machines.items[row.owner].given |= GIVEN_ADDRESSES;
		if (cell.n > 0 && !good)
			csv_fault(
				csv, ADDRESS_ADDRESS,
				error_hint(error_new(ERROR_INPUT, "\"%s\" is no IPv4 or IPv6 address", SHOWN(cell)),
			                   "one host address, without prefix length; names are not looked up"));
		row.address.label = read_label(fleet, csv);
		if (good)
			APPEND(fleet->rows, &fleet->addresses, row);
	}
}

void csv_read_members(struct csv_fleet *fleet, struct csv *csv)
{
	CSV_ROOM(fleet->rows, &fleet->members, csv_rows_at_most(csv));
	while (csv_next(csv)) {
		struct member_row row = {.role = name_fold(fleet->arena, csv_cell(csv, MEMBER_ROLE))};
		uint32_t role = csv_role_number(fleet, csv, MEMBER_ROLE);

		row.owner = csv_machine_number(fleet, csv, MEMBER_MACHINE);
		fleet->roles.items[role].given |= GIVEN_MEMBERS;
		fleet->machines.items[row.owner].given |= GIVEN_ROLES;
		if (machine_of_role(row.role).n > 0)
			csv_fault(csv, MEMBER_ROLE,
			          error_new(ERROR_INPUT, "the only member of %s is that machine", SHOWN(row.role)));
		else if (fleet->roles.items[role].name.n > 0)
			APPEND(fleet->rows, &fleet->members, row);
	}
}

static bool read_enabled(const struct csv *csv)
{
	struct str word = csv_cell(csv, RULE_ENABLED);
	bool enabled = true;

	if (word.n > 0 && !boolean_parse(word, &enabled))
		csv_fault(csv, RULE_ENABLED,
		          error_hint(error_new(ERROR_INPUT, "enabled can't be \"%s\"", SHOWN(word)),
		                     "it is one of: true, false"));
	return enabled;
}

static struct str read_line(const struct csv *csv, size_t column, const char *field)
{
	struct error *error = line_check(csv_cell(csv, column), field);

	csv_fault(csv, column, error);
	return error == NULL ? csv_cell(csv, column) : STR("");
}

/* Warnings know columns within the rule, as errors do. */
static void warn(struct csv_fleet *fleet, const struct csv *csv, struct error *warnings)
{
	for (struct error *e = warnings; e != NULL; e = e->next) {
		struct place place = csv_place(csv, RULE_RULE, e->place.column > 0 ? e->place.column - 1 : 0);

		e->place = (struct place){.line = place.line, .column = place.column, .text = place.text};
	}
	error_collect(fleet->warnings, error_at(warnings, csv_place(csv, RULE_RULE, 0)));
}

/* Fields that the file has no column for are left alone where the rule is there already. */
static unsigned absent_fields(const struct csv *csv)
{
	return (csv_has(csv, RULE_TICKET) ? 0 : GIVEN_TICKET) | (csv_has(csv, RULE_OWNER) ? 0 : GIVEN_OWNER) |
	       (csv_has(csv, RULE_ENABLED) ? 0 : GIVEN_ENABLED);
}

/* False if the row adds no rule: it is faulty, empty, or a bare `deny all`. */
static bool read_rule(struct csv_fleet *fleet, const struct csv *csv, struct role_rule *rule)
{
	struct str line = csv_cell(csv, RULE_RULE);
	struct error *error = rule_line_check(line), *warnings = NULL;
	bool stored = false;

	if (error == NULL)
		error = rule_parse(fleet->arena, line, &rule->rule, &stored, &warnings);
	csv_fault(csv, RULE_RULE, error);
	warn(fleet, csv, warnings);
	rule->ticket = read_line(csv, RULE_TICKET, "ticket");
	rule->owner = read_line(csv, RULE_OWNER, "owner");
	rule->enabled = read_enabled(csv);
	rule->absent = absent_fields(csv);
	rule->place = csv_place(csv, RULE_RULE, 0);
	if (error != NULL || !stored)
		return false;
	rule->text = rule_text(fleet->arena, &rule->rule);
	return true;
}

void csv_read_rules(struct csv_fleet *fleet, struct csv *csv)
{
	while (csv_next(csv)) {
		struct rule_row row = {.owner = csv_role_number(fleet, csv, RULE_ROLE)};

		fleet->roles.items[row.owner].given |= GIVEN_RULES;
		if (read_rule(fleet, csv, &row.rule))
			APPEND(fleet->rows, &fleet->rules, row);
	}
}

/* --- gathering --- */

/* Rows in the order of their owners, and within one owner as they were written: order[start[i]] … order[start[i + 1] -
 * 1] are the rows of i. */
struct groups {
	size_t *order, *start;
};

/* Every row begins with its owner's number. */
static struct groups group_rows(struct arena *arena, const void *rows, size_t count, size_t size, size_t owners)
{
	struct groups groups = {ARENA_ARRAY(arena, size_t, count), ARENA_ARRAY(arena, size_t, owners + 2)};
	const char *p = rows;

	/* Shifted by two, so that filling below moves each start to where it belongs. */
	for (size_t i = 0; i < count; i++)
		groups.start[*(const uint32_t *)(const void *)(p + i * size) + 2]++;
	for (size_t i = 2; i < owners + 2; i++)
		groups.start[i] += groups.start[i - 1];
	for (size_t i = 0; i < count; i++)
		groups.order[groups.start[*(const uint32_t *)(const void *)(p + i * size) + 1]++] = i;
	return groups;
}

static int address_row_order(const void *a, const void *b)
{
	const struct address_row *x = a, *y = b;
	int order = addr_cmp(x->address.addr, y->address.addr);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static void relabelled(struct csv_fleet *fleet, const struct csv_file *file, const struct address_row *first,
                       const struct address_row *second)
{
	struct error *error =
		error_new(ERROR_INPUT, "address %.*s of machine %.*s is given twice, with different labels",
	                  STR_ARG(addr_str(fleet->arena, second->address.addr)),
	                  STR_ARG(fleet->machines.items[second->owner].name));

	faults_add(&fleet->faults,
	           error_at(error_hint(error, "it is given first in line %u", first->line),
	                    place_in(file->name, file->text, second->line_start, second->line, second->line_start)));
}

/* One machine's rows become its addresses. */
static size_t join_addresses(struct csv_fleet *fleet, const struct csv_file *file, struct address_row *rows,
                             size_t count, struct machine_address *into)
{
	size_t kept = 0;
	const struct address_row *first = rows;

	qsort(rows, count, sizeof *rows, address_row_order);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && addr_cmp(first->address.addr, rows[i].address.addr) == 0) {
			if (!str_eq(first->address.label, rows[i].address.label))
				relabelled(fleet, file, first, &rows[i]);
			continue;
		}
		first = &rows[i];
		into[kept++] = rows[i].address;
	}
	return kept;
}

static void gather_addresses(struct csv_fleet *fleet, const struct csv_file *file)
{
	size_t count = fleet->addresses.count;
	struct groups groups = group_rows(fleet->rows, fleet->addresses.items, count, sizeof *fleet->addresses.items,
	                                  fleet->machines.count);
	struct address_row *rows = ARENA_ARRAY(fleet->rows, struct address_row, count);
	struct machine_address *addresses = ARENA_ARRAY(fleet->arena, struct machine_address, count);

	for (size_t i = 0; i < count; i++)
		rows[i] = fleet->addresses.items[groups.order[i]];
	for (size_t i = 0; i < fleet->machines.count; i++) {
		size_t start = groups.start[i];
		struct machine *machine = &fleet->machines.items[i];

		machine->addresses = addresses + start;
		machine->address_count =
			join_addresses(fleet, file, rows + start, groups.start[i + 1] - start, addresses + start);
	}
}

static void gather_members(struct csv_fleet *fleet)
{
	size_t count = fleet->members.count;
	struct groups groups = group_rows(fleet->rows, fleet->members.items, count, sizeof *fleet->members.items,
	                                  fleet->machines.count);
	struct str *roles = ARENA_ARRAY(fleet->arena, struct str, count);

	for (size_t i = 0; i < count; i++)
		roles[i] = fleet->members.items[groups.order[i]].role;
	for (size_t i = 0; i < fleet->machines.count; i++) {
		fleet->machines.items[i].roles = roles + groups.start[i];
		fleet->machines.items[i].role_count = groups.start[i + 1] - groups.start[i];
	}
}

static void gather_rules(struct csv_fleet *fleet)
{
	size_t count = fleet->rules.count;
	struct groups groups =
		group_rows(fleet->rows, fleet->rules.items, count, sizeof *fleet->rules.items, fleet->roles.count);
	struct role_rule *rules = ARENA_ARRAY(fleet->arena, struct role_rule, count);

	for (size_t i = 0; i < count; i++)
		rules[i] = fleet->rules.items[groups.order[i]].rule;
	for (size_t i = 0; i < fleet->roles.count; i++) {
		fleet->roles.items[i].rules = rules + groups.start[i];
		fleet->roles.items[i].rule_count = groups.start[i + 1] - groups.start[i];
	}
}

static void gather_prefixes(struct csv_fleet *fleet)
{
	size_t count = fleet->prefixes.count;
	struct groups groups = group_rows(fleet->rows, fleet->prefixes.items, count, sizeof *fleet->prefixes.items,
	                                  fleet->networks.count);
	struct prefix *prefixes = ARENA_ARRAY(fleet->arena, struct prefix, count);

	for (size_t i = 0; i < count; i++)
		prefixes[i] = fleet->prefixes.items[groups.order[i]].prefix;
	for (size_t i = 0; i < fleet->networks.count; i++) {
		fleet->networks.items[i].prefixes = prefixes + groups.start[i];
		fleet->networks.items[i].prefix_count = groups.start[i + 1] - groups.start[i];
	}
}

static void gather_ports(struct csv_fleet *fleet)
{
	size_t count = fleet->ports.count;
	struct groups groups =
		group_rows(fleet->rows, fleet->ports.items, count, sizeof *fleet->ports.items, fleet->services.count);
	struct service_port *ports = ARENA_ARRAY(fleet->arena, struct service_port, count);

	for (size_t i = 0; i < count; i++)
		ports[i] = fleet->ports.items[groups.order[i]].port;
	for (size_t i = 0; i < fleet->services.count; i++) {
		fleet->services.items[i].ports = ports + groups.start[i];
		fleet->services.items[i].count = groups.start[i + 1] - groups.start[i];
	}
}

void csv_gather(struct csv_fleet *fleet, const struct csv_file *addresses)
{
	if (addresses != NULL)
		gather_addresses(fleet, addresses);
	gather_members(fleet);
	gather_rules(fleet);
	gather_prefixes(fleet);
	gather_ports(fleet);
}
