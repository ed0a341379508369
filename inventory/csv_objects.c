/* machines.csv, roles.csv, networks.csv, services.csv: rows that make objects. A row that repeats counts once; one that
 * differs is a fault. */
#include "fleetwall/document.h"

#include <string.h>

#include "csv_fleet.h"
#include "csv_labels.h"
#include "fleet_fields.h"
#include "fleetwall/arena.h"

enum machine_column {
	MACHINE_NAME,
	MACHINE_LABELS,
	MACHINE_MODE,
	MACHINE_ENFORCEMENT,
	MACHINE_ENABLED,
	MACHINE_SSH_PORT,
	MACHINE_SSH_HOST
};
const struct csv_column csv_machine_columns[] = {
	{"name", true},     {"labels", false},   {"mode", false},     {"enforcement", false},
	{"enabled", false}, {"ssh_port", false}, {"ssh_host", false}, {0},
};

enum role_column { ROLE_NAME, ROLE_DESCRIPTION, ROLE_OWNER, ROLE_SELECTOR, ROLE_EGRESS };
const struct csv_column csv_role_columns[] = {
	{"name", true}, {"description", false}, {"owner", false}, {"selector", false}, {"egress", false}, {0},
};

enum network_column { NETWORK_NAME, NETWORK_PREFIX };
const struct csv_column csv_network_columns[] = {{"name", true}, {"prefix", true}, {0}};

enum service_column { SERVICE_NAME, SERVICE_PORT };
const struct csv_column csv_service_columns[] = {{"name", true}, {"port", true}, {0}};

/* --- what a cell may say --- */

static struct error *unknown_word(const char *field, struct str word, const char *choices)
{
	return error_hint(error_new(ERROR_INPUT, "%s can't be \"%s\"", field, SHOWN(word)), "it is one of: %s",
	                  choices);
}

static void read_labels(struct csv_fleet *fleet, const struct csv *csv, size_t column, struct label **labels,
                        size_t *count)
{
	struct error *error;

	if (csv_cell(csv, column).n == 0)
		return;
	error = csv_labels(fleet->arena, csv_cell(csv, column), labels, count);
	if (error != NULL)
		*count = 0;
	csv_fault(csv, column, error);
}

static void read_mode(const struct csv *csv, struct machine *machine)
{
	struct str word = csv_cell(csv, MACHINE_MODE);

	if (word.n > 0 && !mode_parse(word, &machine->mode))
		csv_fault(csv, MACHINE_MODE, unknown_word("mode", word, "exclusive, coexist"));
}

static void read_enforcement(const struct csv *csv, struct machine *machine)
{
	struct str word = csv_cell(csv, MACHINE_ENFORCEMENT);

	if (word.n > 0 && !enforcement_parse(word, &machine->enforcement))
		csv_fault(csv, MACHINE_ENFORCEMENT, unknown_word("enforcement", word, "enforce, monitor, unmanaged"));
}

static void read_enabled(const struct csv *csv, struct machine *machine)
{
	struct str word = csv_cell(csv, MACHINE_ENABLED);

	machine->enabled = true;
	if (word.n > 0 && !boolean_parse(word, &machine->enabled))
		csv_fault(csv, MACHINE_ENABLED, unknown_word("enabled", word, "true, false"));
}

static void read_ssh(const struct csv *csv, struct machine *machine)
{
	struct str port = csv_cell(csv, MACHINE_SSH_PORT);
	uint64_t number = 0;
	struct error *error;

	if (port.n > 0 && (!str_number(port, 65535, &number) || number == 0))
		csv_fault(csv, MACHINE_SSH_PORT,
		          error_hint(error_new(ERROR_INPUT, "ssh_port \"%s\" is no port", SHOWN(port)),
		                     "1 to 65535; an empty cell is the configured port"));
	machine->ssh_port = (unsigned)number;
	error = ssh_host_check(csv_cell(csv, MACHINE_SSH_HOST));
	csv_fault(csv, MACHINE_SSH_HOST, error);
	if (error == NULL)
		machine->ssh_host = csv_cell(csv, MACHINE_SSH_HOST);
}

static struct str read_line(const struct csv *csv, size_t column, const char *field)
{
	struct error *error = line_check(csv_cell(csv, column), field);

	csv_fault(csv, column, error);
	return error == NULL ? csv_cell(csv, column) : STR("");
}

/* The bits of those columns that the file has; bit i belongs to column i. */
static unsigned given_columns(const struct csv *csv, const unsigned *bits, size_t count)
{
	unsigned given = 0;

	for (size_t i = 0; i < count; i++)
		if (csv_has(csv, i))
			given |= bits[i];
	return given;
}

static void differs(const struct csv *csv, const char *kind, struct str name, struct place first)
{
	struct error *error =
		error_new(ERROR_INPUT, "%s %.*s is given twice, with different content", kind, STR_ARG(name));

	csv_fault(csv, 0, error_hint(error, "it is given first in line %u", first.line));
}

/* --- objects by their names --- */

uint32_t csv_machine_number(struct csv_fleet *fleet, const struct csv *csv, size_t column)
{
	struct machine machine = {
		.name = name_fold(fleet->arena, csv_cell(csv, column)), .referred = true, .enabled = true};
	uint32_t number = names_add(fleet->machine_names, machine.name);
	struct error *error;

	if (number < fleet->machines.count)
		return number;
	machine.place = csv_place(csv, column, 0);
	error = machine_name_check(machine.name);
	csv_fault(csv, column, error);
	if (error != NULL)
		machine.name = STR("");
	APPEND(fleet->arena, &fleet->machines, machine);
	return number;
}

/* A machine's own role is made with its first rule. */
uint32_t csv_role_number(struct csv_fleet *fleet, const struct csv *csv, size_t column)
{
	struct role role = {.name = name_fold(fleet->arena, csv_cell(csv, column))};
	uint32_t number = names_add(fleet->role_names, role.name);
	struct error *error;

	if (number < fleet->roles.count)
		return number;
	role.place = csv_place(csv, column, 0);
	role.referred = fleet->has_roles_file && machine_of_role(role.name).n == 0;
	error = role_name_check(role.name);
	csv_fault(csv, column, error);
	if (error != NULL)
		role.name = STR("");
	APPEND(fleet->arena, &fleet->roles, role);
	return number;
}

/* --- machines and roles --- */

static struct machine machine_of_row(struct csv_fleet *fleet, const struct csv *csv)
{
	static const unsigned bits[] = {
		0, GIVEN_LABELS, GIVEN_MODE, GIVEN_ENFORCEMENT, GIVEN_ENABLED, GIVEN_SSH_PORT, GIVEN_SSH_HOST};
	struct machine machine = {.place = csv_place(csv, MACHINE_NAME, 0)};

	machine.given = given_columns(csv, bits, sizeof bits / sizeof *bits);
	read_labels(fleet, csv, MACHINE_LABELS, &machine.labels, &machine.label_count);
	read_mode(csv, &machine);
	read_enforcement(csv, &machine);
	read_enabled(csv, &machine);
	read_ssh(csv, &machine);
	return machine;
}

static bool same_machine(const struct machine *a, const struct machine *b)
{
	return a->mode == b->mode && a->enforcement == b->enforcement && a->enabled == b->enabled &&
	       a->ssh_port == b->ssh_port && str_eq(a->ssh_host, b->ssh_host) &&
	       labels_same(a->labels, a->label_count, b->labels, b->label_count);
}

/* machines.csv is read first, so what is there already came from a row above. */
void csv_read_machines(struct csv_fleet *fleet, struct csv *csv)
{
	CSV_ROOM(fleet->arena, &fleet->machines, csv_rows_at_most(csv));
	while (csv_next(csv)) {
		uint32_t number = csv_machine_number(fleet, csv, MACHINE_NAME);
		struct machine machine = machine_of_row(fleet, csv), *present = &fleet->machines.items[number];

		machine.name = present->name;
		if (present->referred)
			*present = machine;
		else if (machine.name.n > 0 && !same_machine(present, &machine))
			differs(csv, "machine", machine.name, present->place);
	}
}

static void read_selector(struct csv_fleet *fleet, const struct csv *csv, struct role *role)
{
	if (csv_cell(csv, ROLE_SELECTOR).n > 0 && machine_of_role(csv_cell(csv, ROLE_NAME)).n > 0) {
		csv_fault(csv, ROLE_SELECTOR,
		          error_new(ERROR_INPUT, "the only member of %s is that machine: it has no selector",
		                    SHOWN(csv_cell(csv, ROLE_NAME))));
		return;
	}
	role->has_selector = csv_cell(csv, ROLE_SELECTOR).n > 0;
	read_labels(fleet, csv, ROLE_SELECTOR, &role->selector, &role->selector_count);
}

static void read_egress(const struct csv *csv, struct role *role)
{
	struct str word = csv_cell(csv, ROLE_EGRESS);

	if (word.n > 0 && !egress_parse(word, &role->egress))
		csv_fault(csv, ROLE_EGRESS, unknown_word("egress", word, "open, closed"));
}

static struct role role_of_row(struct csv_fleet *fleet, const struct csv *csv)
{
	static const unsigned bits[] = {0, GIVEN_DESCRIPTION, GIVEN_OWNER, GIVEN_SELECTOR, GIVEN_EGRESS};
	struct role role = {.place = csv_place(csv, ROLE_NAME, 0)};

	role.given = given_columns(csv, bits, sizeof bits / sizeof *bits);
	role.description = read_line(csv, ROLE_DESCRIPTION, "description");
	role.owner = read_line(csv, ROLE_OWNER, "owner");
	read_selector(fleet, csv, &role);
	read_egress(csv, &role);
	return role;
}

static bool same_role(const struct role *a, const struct role *b)
{
	return str_eq(a->description, b->description) && str_eq(a->owner, b->owner) && a->egress == b->egress &&
	       a->has_selector == b->has_selector &&
	       labels_same(a->selector, a->selector_count, b->selector, b->selector_count);
}

/* roles.csv is read before the files that refer to roles; every new number is a role of this row. */
void csv_read_roles(struct csv_fleet *fleet, struct csv *csv)
{
	while (csv_next(csv)) {
		size_t before = fleet->roles.count;
		uint32_t number = csv_role_number(fleet, csv, ROLE_NAME);
		struct role role = role_of_row(fleet, csv), *present = &fleet->roles.items[number];

		role.name = present->name;
		if (fleet->roles.count > before)
			*present = role;
		else if (role.name.n > 0 && !same_role(present, &role))
			differs(csv, "role", role.name, present->place);
	}
}

/* --- networks and services --- */

static uint32_t network_number(struct csv_fleet *fleet, const struct csv *csv)
{
	struct network network = {.name = name_fold(fleet->arena, csv_cell(csv, NETWORK_NAME)),
	                          .given = GIVEN_PREFIXES};
	uint32_t number = names_add(fleet->network_names, network.name);
	struct error *error;

	if (number < fleet->networks.count)
		return number;
	network.place = csv_place(csv, NETWORK_NAME, 0);
	error = name_check(network.name, "network");
	csv_fault(csv, NETWORK_NAME, error);
	if (error != NULL)
		network.name = STR("");
	APPEND(fleet->arena, &fleet->networks, network);
	return number;
}

/* An empty prefix names the network and adds nothing. */
void csv_read_networks(struct csv_fleet *fleet, struct csv *csv)
{
	while (csv_next(csv)) {
		struct str cell = csv_cell(csv, NETWORK_PREFIX);
		struct prefix_row row = {.owner = network_number(fleet, csv)};
		enum prefix_fault fault;

		if (cell.n == 0)
			continue;
		fault = prefix_parse(cell, &row.prefix);
		csv_fault(csv, NETWORK_PREFIX, prefix_fault_error(fault, cell, row.prefix));
		if (fault == PREFIX_OK)
			APPEND(fleet->rows, &fleet->prefixes, row);
	}
}

static uint32_t service_number(struct csv_fleet *fleet, const struct csv *csv)
{
	struct service service = {.name = name_fold(fleet->arena, csv_cell(csv, SERVICE_NAME)), .given = GIVEN_PORTS};
	uint32_t number = names_add(fleet->service_names, service.name);
	struct error *error;

	if (number < fleet->services.count)
		return number;
	service.place = csv_place(csv, SERVICE_NAME, 0);
	error = service_name_check(service.name);
	csv_fault(csv, SERVICE_NAME, error);
	if (error != NULL)
		service.name = STR("");
	APPEND(fleet->arena, &fleet->services, service);
	return number;
}

void csv_read_services(struct csv_fleet *fleet, struct csv *csv)
{
	while (csv_next(csv)) {
		struct str cell = csv_cell(csv, SERVICE_PORT);
		struct port_row row = {.owner = service_number(fleet, csv)};
		struct error *error;

		if (cell.n == 0)
			continue;
		error = ports_parse(fleet->arena, cell, &row.port.protocol, &row.port.ports, &row.port.port_count);
		csv_fault(csv, SERVICE_PORT, error);
		if (error == NULL)
			APPEND(fleet->rows, &fleet->ports, row);
	}
}
