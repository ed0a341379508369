/* Services, networks and roles, with what belongs to them but for the rules: one COPY a table. Objects come ordered by
 * name; the rows of an object come in any order and are put to it here, so that no order of rows reaches the fleet. */
#include "load.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/names.h"

/* The objects of one table. */
struct object_rows {
	struct loading *loading;
	struct rows rows;
};

/* The name of an object, at the place in the fleet that its number says. */
static struct str own_name(struct loading *loading, struct names *names, struct str field, size_t index)
{
	struct str name = str_copy(loading->arena, field);
	uint32_t number = names_keep(names, name);
	assert(number == index);
	return name;
}

/* The rows as one array. */
static void *as_array(struct arena *arena, const struct rows *rows)
{
	unsigned char *array = arena_raw(arena, rows->count * rows->size);
	for (size_t i = 0; i < rows->count; i++)
		memcpy(array + i * rows->size, rows_get(rows, i), rows->size);
	return array;
}

/* --- roles --- */

static struct error *role_row(void *context, const struct str *fields, size_t count)
{
	struct object_rows *roles = context;
	struct loading *loading = roles->loading;
	assert(count == 6);
	struct role role = {
		.name = own_name(loading, loading->roles, fields[0], roles->rows.count),
		.given = GIVEN_ALL,
		.description = load_text(loading->arena, fields[1]),
		.owner = load_word(loading, fields[2]),
		.has_selector = fields[3].p != NULL,
		.document = load_word(loading, fields[5]),
	};
	if (!egress_parse(fields[4], &role.egress))
		return load_unreadable("role");
	TRY(load_labels(loading->arena, fields[3], &role.selector, &role.selector_count));
	*(struct role *)rows_add(&roles->rows) = role;
	return NULL;
}

struct error *load_roles(struct loading *loading)
{
	struct object_rows roles = {loading, rows_new(loading->rows, sizeof(struct role))};
	TRY(load_copy(loading, "load-role", role_row, &roles));
	loading->fleet->roles = as_array(loading->arena, &roles.rows);
	loading->fleet->role_count = roles.rows.count;
	arena_reset(loading->rows);
	return NULL;
}

/* --- networks --- */

static struct error *network_row(void *context, const struct str *fields, size_t count)
{
	struct object_rows *networks = context;
	struct loading *loading = networks->loading;
	assert(count == 2);
	struct network network = {
		.name = own_name(loading, loading->networks, fields[0], networks->rows.count),
		.given = GIVEN_ALL,
		.document = load_word(loading, fields[1]),
	};
	*(struct network *)rows_add(&networks->rows) = network;
	return NULL;
}

struct prefix_row {
	uint32_t network;
	struct prefix prefix;
};

struct prefix_rows {
	struct loading *loading;
	struct rows rows;
	uint32_t network;
};

static struct error *prefix_row(void *context, const struct str *fields, size_t count)
{
	struct prefix_rows *prefixes = context;
	struct loading *loading = prefixes->loading;
	assert(count == 2);
	struct prefix prefix;
	TRY(load_owner(loading, loading->networks, "network", fields[0], &prefixes->network));
	TRY(load_inet(fields[1], &prefix.addr, &prefix.length));
	*(struct prefix_row *)rows_add(&prefixes->rows) = (struct prefix_row){prefixes->network, prefix};
	return NULL;
}

static int prefix_order(const void *a, const void *b)
{
	return range_cmp(prefix_range(*(const struct prefix *)a), prefix_range(*(const struct prefix *)b));
}

static void give_prefixes(struct loading *loading, const struct rows *rows)
{
	struct fleet *fleet = loading->fleet;
	struct grouped by_network = load_group(loading->rows, rows, fleet->network_count);
	struct prefix *all = ARENA_ARRAY(loading->arena, struct prefix, rows->count);
	for (size_t i = 0; i < rows->count; i++) {
		const struct prefix_row *row = rows_get(rows, i);
		all[by_network.next[row->network]++] = row->prefix;
	}
	for (size_t i = 0; i < fleet->network_count; i++) {
		struct network *network = &fleet->networks[i];
		network->prefixes = all + by_network.start[i];
		network->prefix_count = by_network.start[i + 1] - by_network.start[i];
		qsort(network->prefixes, network->prefix_count, sizeof *all, prefix_order);
	}
}

struct error *load_networks(struct loading *loading)
{
	struct object_rows networks = {loading, rows_new(loading->rows, sizeof(struct network))};
	struct prefix_rows prefixes = {loading, rows_new(loading->rows, sizeof(struct prefix_row)), NAMES_NONE};
	TRY(load_copy(loading, "load-network", network_row, &networks));
	TRY(load_copy(loading, "load-network-prefix", prefix_row, &prefixes));
	loading->fleet->networks = as_array(loading->arena, &networks.rows);
	loading->fleet->network_count = networks.rows.count;
	give_prefixes(loading, &prefixes.rows);
	arena_reset(loading->rows);
	return NULL;
}

/* --- services --- */

static struct error *service_row(void *context, const struct str *fields, size_t count)
{
	struct object_rows *services = context;
	struct loading *loading = services->loading;
	assert(count == 3);
	struct service service = {
		.name = own_name(loading, loading->services, fields[0], services->rows.count),
		.given = GIVEN_ALL,
		.builtin = db_bool(fields[1]),
		.document = load_word(loading, fields[2]),
	};
	*(struct service *)rows_add(&services->rows) = service;
	return NULL;
}

struct port_row {
	uint32_t service;
	struct service_port port;
};

struct port_rows {
	struct loading *loading;
	struct rows rows;
	uint32_t service;
};

static struct error *port_row(void *context, const struct str *fields, size_t count)
{
	struct port_rows *ports = context;
	struct loading *loading = ports->loading;
	assert(count == 3);
	struct service_port port = {.protocol = (uint8_t)db_int(fields[1])};
	TRY(load_owner(loading, loading->services, "service", fields[0], &ports->service));
	TRY(load_ports(loading->arena, fields[2], &port.ports, &port.port_count));
	*(struct port_row *)rows_add(&ports->rows) = (struct port_row){ports->service, port};
	return NULL;
}

static int protocol_order(const void *a, const void *b)
{
	return ((const struct service_port *)a)->protocol - ((const struct service_port *)b)->protocol;
}

static void give_ports(struct loading *loading, const struct rows *rows)
{
	struct fleet *fleet = loading->fleet;
	struct grouped by_service = load_group(loading->rows, rows, fleet->service_count);
	struct service_port *all = ARENA_ARRAY(loading->arena, struct service_port, rows->count);
	for (size_t i = 0; i < rows->count; i++) {
		const struct port_row *row = rows_get(rows, i);
		all[by_service.next[row->service]++] = row->port;
	}
	for (size_t i = 0; i < fleet->service_count; i++) {
		struct service *service = &fleet->services[i];
		service->ports = all + by_service.start[i];
		service->count = by_service.start[i + 1] - by_service.start[i];
		qsort(service->ports, service->count, sizeof *all, protocol_order);
	}
}

struct error *load_services(struct loading *loading)
{
	struct object_rows services = {loading, rows_new(loading->rows, sizeof(struct service))};
	struct port_rows ports = {loading, rows_new(loading->rows, sizeof(struct port_row)), NAMES_NONE};
	TRY(load_copy(loading, "load-service", service_row, &services));
	TRY(load_copy(loading, "load-service-port", port_row, &ports));
	loading->fleet->services = as_array(loading->arena, &services.rows);
	loading->fleet->service_count = services.rows.count;
	give_ports(loading, &ports.rows);
	arena_reset(loading->rows);
	return NULL;
}
