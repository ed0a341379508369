/* The inventory as it is in the database -> struct fleet: one COPY a table, in the snapshot of the caller's
 * transaction. Objects come ordered by name; rows that belong to them come in any order and are put to their owners
 * here, so that no order of rows reaches the fleet. */
#include "fleetwall/inventory.h"

#include <assert.h>
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/names.h"
#include "load.h"

struct grouped load_group(struct arena *scratch, const struct owners *owners, size_t owner_count)
{
	struct grouped grouped = {
		.start = ARENA_ARRAY(scratch, uint32_t, owner_count + 2),
		.row = ARENA_ARRAY(scratch, uint32_t, owners->count),
	};
	/* Counts first, then where the owner's next row goes: in the end, the next owner's start. */
	uint32_t *next = grouped.start + 1;
	for (size_t i = 0; i < owners->count; i++)
		next[owners->items[i] + 1]++;
	for (size_t owner = 0; owner < owner_count; owner++)
		next[owner + 1] += next[owner];
	for (size_t i = 0; i < owners->count; i++)
		grouped.row[next[owners->items[i]]++] = (uint32_t)i;
	return grouped;
}

struct error *load_owner(struct loading *loading, const struct names *names, const char *kind, struct str name,
                         struct owners *owners)
{
	/* Rows of one owner mostly come one after the other. */
	uint32_t owner = owners->count > 0 ? owners->items[owners->count - 1] : NAMES_NONE;
	if (owner == NAMES_NONE || !str_eq(names_get(names, owner), name))
		owner = names_find(names, name);
	if (owner == NAMES_NONE)
		return error_new(ERROR_SURROUNDINGS, "the database holds rows of a %s '%.*s' that does not exist", kind,
		                 STR_ARG(name));
	APPEND(loading->scratch, owners, owner);
	return NULL;
}

struct str load_query(const struct loading *loading, const char *name)
{
	return db_sql(loading->before ? str_c(loading->scratch, str_format(loading->scratch, "%s-before", name))
	                              : name);
}

/* Few documents own many objects. */
static struct str load_document(const struct loading *loading, struct str field)
{
	return field.n == 0 ? STR("") : names_get(loading->words, names_add(loading->words, field));
}

/* The name of an object, at the place in the fleet that its number says. */
static struct str own_name(struct names *names, struct str name, size_t index)
{
	uint32_t number = names_add(names, name);
	assert(number == index);
	return names_get(names, number);
}

static struct error *clock_row(void *context, const struct str *fields, size_t count)
{
	struct loading *loading = context;
	assert(count == 1);
	loading->fleet->clock = db_int(fields[0]);
	return NULL;
}

/* --- machines --- */

struct machine_rows {
	struct loading *loading;
	struct machine *items;
	size_t count, capacity;
};

static struct error *machine_row(void *context, const struct str *fields, size_t count)
{
	struct machine_rows *rows = context;
	struct arena *arena = rows->loading->arena;
	assert(count == 8);
	struct machine machine = {
		.name = own_name(rows->loading->machines, fields[0], rows->count),
		.given = GIVEN_ALL,
		.enabled = db_bool(fields[1]),
		.ssh_port = fields[4].p == NULL ? 0 : (unsigned)db_int(fields[4]),
		.ssh_host = load_text(arena, fields[5]),
		.document = load_document(rows->loading, fields[7]),
	};
	if (!mode_parse(fields[2], &machine.mode) || !enforcement_parse(fields[3], &machine.enforcement))
		return load_unreadable("machine");
	TRY(load_labels(arena, fields[6], &machine.labels, &machine.label_count));
	APPEND(rows->loading->scratch, rows, machine);
	return NULL;
}

static struct error *load_machines(struct loading *loading)
{
	struct machine_rows rows = {.loading = loading};
	TRY(db_copy_out(loading->db, load_query(loading, "load-machine"), machine_row, &rows));
	struct fleet *fleet = loading->fleet;
	fleet->machine_count = rows.count;
	fleet->machines = ARENA_ARRAY(loading->arena, struct machine, rows.count);
	for (size_t i = 0; i < rows.count; i++)
		fleet->machines[i] = rows.items[i];
	return NULL;
}

/* --- addresses --- */

struct address_rows {
	struct loading *loading;
	struct owners owners;
	struct machine_address *items;
	size_t count, capacity;
};

static struct error *address_row(void *context, const struct str *fields, size_t count)
{
	struct address_rows *rows = context;
	struct loading *loading = rows->loading;
	assert(count == 3);
	struct machine_address address = {.label = STR("")};
	unsigned length;
	TRY(load_owner(loading, loading->machines, "machine", fields[0], &rows->owners));
	TRY(load_inet(fields[1], &address.addr, &length));
	if (fields[2].p != NULL)
		address.label = names_get(loading->words, names_add(loading->words, fields[2]));
	APPEND(loading->scratch, rows, address);
	return NULL;
}

static int address_order(const void *a, const void *b)
{
	return addr_cmp(((const struct machine_address *)a)->addr, ((const struct machine_address *)b)->addr);
}

static struct error *load_addresses(struct loading *loading)
{
	struct address_rows rows = {.loading = loading};
	TRY(db_copy_out(loading->db, load_query(loading, "load-address"), address_row, &rows));
	struct fleet *fleet = loading->fleet;
	struct grouped by_machine = load_group(loading->scratch, &rows.owners, fleet->machine_count);
	struct machine_address *all = ARENA_ARRAY(loading->arena, struct machine_address, rows.count);
	for (size_t i = 0; i < rows.count; i++)
		all[i] = rows.items[by_machine.row[i]];
	for (size_t i = 0; i < fleet->machine_count; i++) {
		struct machine *machine = &fleet->machines[i];
		machine->addresses = all + by_machine.start[i];
		machine->address_count = by_machine.start[i + 1] - by_machine.start[i];
		if (machine->address_count > 1)
			qsort(machine->addresses, machine->address_count, sizeof *all, address_order);
	}
	return NULL;
}

/* --- roles and memberships --- */

struct role_rows {
	struct loading *loading;
	struct role *items;
	size_t count, capacity;
};

static struct error *role_row(void *context, const struct str *fields, size_t count)
{
	struct role_rows *rows = context;
	struct arena *arena = rows->loading->arena;
	assert(count == 6);
	struct role role = {
		.name = own_name(rows->loading->roles, fields[0], rows->count),
		.given = GIVEN_ALL,
		.description = load_text(arena, fields[1]),
		.owner = load_text(arena, fields[2]),
		.has_selector = fields[3].p != NULL,
		.document = load_document(rows->loading, fields[5]),
	};
	if (!egress_parse(fields[4], &role.egress))
		return load_unreadable("role");
	TRY(load_labels(arena, fields[3], &role.selector, &role.selector_count));
	APPEND(arena, rows, role);
	return NULL;
}

static struct error *load_roles(struct loading *loading)
{
	struct role_rows rows = {.loading = loading};
	TRY(db_copy_out(loading->db, load_query(loading, "load-role"), role_row, &rows));
	loading->fleet->roles = rows.items;
	loading->fleet->role_count = rows.count;
	return NULL;
}

struct member_rows {
	struct loading *loading;
	struct owners machines, roles;
};

static struct error *member_row(void *context, const struct str *fields, size_t count)
{
	struct member_rows *rows = context;
	struct loading *loading = rows->loading;
	assert(count == 2);
	TRY(load_owner(loading, loading->machines, "machine", fields[0], &rows->machines));
	return load_owner(loading, loading->roles, "role", fields[1], &rows->roles);
}

/* The numbers of roles are in the order of their names: sorted by number is sorted by name. */
static int number_order(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	return (left > right) - (left < right);
}

static struct error *load_members(struct loading *loading)
{
	struct member_rows rows = {.loading = loading};
	TRY(db_copy_out(loading->db, load_query(loading, "load-member"), member_row, &rows));
	struct fleet *fleet = loading->fleet;
	size_t count = rows.roles.count;
	struct grouped by_machine = load_group(loading->scratch, &rows.machines, fleet->machine_count);
	uint32_t *numbers = ARENA_ARRAY(loading->scratch, uint32_t, count);
	struct str *names = ARENA_ARRAY(loading->arena, struct str, count);
	for (size_t i = 0; i < count; i++)
		numbers[i] = rows.roles.items[by_machine.row[i]];
	for (size_t i = 0; i < fleet->machine_count; i++) {
		struct machine *machine = &fleet->machines[i];
		uint32_t start = by_machine.start[i];
		machine->roles = names + start;
		machine->role_count = by_machine.start[i + 1] - start;
		if (machine->role_count > 1)
			qsort(numbers + start, machine->role_count, sizeof *numbers, number_order);
		for (size_t role = 0; role < machine->role_count; role++)
			machine->roles[role] = fleet->roles[numbers[start + role]].name;
	}
	return NULL;
}

/* --- networks --- */

struct network_rows {
	struct loading *loading;
	struct network *items;
	size_t count, capacity;
};

static struct error *network_row(void *context, const struct str *fields, size_t count)
{
	struct network_rows *rows = context;
	assert(count == 2);
	struct network network = {
		.name = own_name(rows->loading->networks, fields[0], rows->count),
		.given = GIVEN_ALL,
		.document = load_document(rows->loading, fields[1]),
	};
	APPEND(rows->loading->arena, rows, network);
	return NULL;
}

struct prefix_rows {
	struct loading *loading;
	struct owners owners;
	struct prefix *items;
	size_t count, capacity;
};

static struct error *prefix_row(void *context, const struct str *fields, size_t count)
{
	struct prefix_rows *rows = context;
	struct loading *loading = rows->loading;
	assert(count == 2);
	struct prefix prefix;
	TRY(load_owner(loading, loading->networks, "network", fields[0], &rows->owners));
	TRY(load_inet(fields[1], &prefix.addr, &prefix.length));
	APPEND(loading->scratch, rows, prefix);
	return NULL;
}

static int prefix_order(const void *a, const void *b)
{
	return range_cmp(prefix_range(*(const struct prefix *)a), prefix_range(*(const struct prefix *)b));
}

static struct error *load_networks(struct loading *loading)
{
	struct network_rows rows = {.loading = loading};
	TRY(db_copy_out(loading->db, load_query(loading, "load-network"), network_row, &rows));
	struct prefix_rows prefixes = {.loading = loading};
	TRY(db_copy_out(loading->db, load_query(loading, "load-network-prefix"), prefix_row, &prefixes));
	loading->fleet->networks = rows.items;
	loading->fleet->network_count = rows.count;
	struct grouped by_network = load_group(loading->scratch, &prefixes.owners, rows.count);
	struct prefix *all = ARENA_ARRAY(loading->arena, struct prefix, prefixes.count);
	for (size_t i = 0; i < prefixes.count; i++)
		all[i] = prefixes.items[by_network.row[i]];
	for (size_t i = 0; i < rows.count; i++) {
		struct network *network = &rows.items[i];
		network->prefixes = all + by_network.start[i];
		network->prefix_count = by_network.start[i + 1] - by_network.start[i];
		qsort(network->prefixes, network->prefix_count, sizeof *all, prefix_order);
	}
	return NULL;
}

/* --- services --- */

struct service_rows {
	struct loading *loading;
	struct service *items;
	size_t count, capacity;
};

static struct error *service_row(void *context, const struct str *fields, size_t count)
{
	struct service_rows *rows = context;
	assert(count == 3);
	struct service service = {
		.name = own_name(rows->loading->services, fields[0], rows->count),
		.given = GIVEN_ALL,
		.builtin = db_bool(fields[1]),
		.document = load_document(rows->loading, fields[2]),
	};
	APPEND(rows->loading->arena, rows, service);
	return NULL;
}

struct port_rows {
	struct loading *loading;
	struct owners owners;
	struct service_port *items;
	size_t count, capacity;
};

static struct error *port_row(void *context, const struct str *fields, size_t count)
{
	struct port_rows *rows = context;
	struct loading *loading = rows->loading;
	assert(count == 3);
	struct service_port port = {.protocol = (uint8_t)db_int(fields[1])};
	TRY(load_owner(loading, loading->services, "service", fields[0], &rows->owners));
	TRY(load_ports(loading->arena, fields[2], &port.ports, &port.port_count));
	APPEND(loading->scratch, rows, port);
	return NULL;
}

static int protocol_order(const void *a, const void *b)
{
	return ((const struct service_port *)a)->protocol - ((const struct service_port *)b)->protocol;
}

static struct error *load_services(struct loading *loading)
{
	struct service_rows rows = {.loading = loading};
	TRY(db_copy_out(loading->db, load_query(loading, "load-service"), service_row, &rows));
	struct port_rows ports = {.loading = loading};
	TRY(db_copy_out(loading->db, load_query(loading, "load-service-port"), port_row, &ports));
	loading->fleet->services = rows.items;
	loading->fleet->service_count = rows.count;
	struct grouped by_service = load_group(loading->scratch, &ports.owners, rows.count);
	struct service_port *all = ARENA_ARRAY(loading->arena, struct service_port, ports.count);
	for (size_t i = 0; i < ports.count; i++)
		all[i] = ports.items[by_service.row[i]];
	for (size_t i = 0; i < rows.count; i++) {
		struct service *service = &rows.items[i];
		service->ports = all + by_service.start[i];
		service->count = by_service.start[i + 1] - by_service.start[i];
		qsort(service->ports, service->count, sizeof *all, protocol_order);
	}
	return NULL;
}

static struct error *load_all(struct loading *loading)
{
	TRY(db_copy_out(loading->db, db_sql("load-clock"), clock_row, loading));
	TRY(load_services(loading));
	TRY(load_networks(loading));
	TRY(load_machines(loading));
	TRY(load_addresses(loading));
	TRY(load_roles(loading));
	TRY(load_members(loading));
	return load_rules(loading);
}

static struct error *load_fleet(struct arena *arena, struct db *db, struct fleet *fleet, bool before)
{
	*fleet = (struct fleet){.clock = TIME_NONE};
	struct arena *scratch = arena_new();
	struct loading loading = {
		.arena = arena,
		.scratch = scratch,
		.db = db,
		.fleet = fleet,
		.before = before,
		.machines = names_new(arena),
		.roles = names_new(arena),
		.networks = names_new(arena),
		.services = names_new(arena),
		.words = names_new(arena),
	};
	struct error *error = load_all(&loading);
	arena_free(scratch);
	return error;
}

struct error *inventory_load(struct arena *arena, struct db *db, struct fleet *fleet)
{
	return load_fleet(arena, db, fleet, false);
}

struct error *inventory_load_before(struct arena *arena, struct db *db, const struct before *before,
                                    struct fleet *fleet)
{
	struct str none = {NULL, 0}, parameters[4] = {none, none, none, none};
	if (before->time != TIME_NONE)
		parameters[0] = str_format(arena, "%lld", (long long)before->time);
	if (before->transaction > 0)
		parameters[1] = str_format(arena, "%lld", (long long)before->transaction);
	if (before->change > 0)
		parameters[2] = str_format(arena, "%lld", (long long)before->change);
	if (before->snapshot.n > 0)
		parameters[3] = before->snapshot;
	TRY(db_query(arena, db, db_sql("load-before-set"), parameters, 4, NULL));
	TRY(load_fleet(arena, db, fleet, true));
	if (before->time != TIME_NONE)
		fleet->clock = before->time;
	return NULL;
}
