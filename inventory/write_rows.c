/* Which rows of which tables a plan changes: the rows of an object before and after, compared by their keys. Objects
 * that the plan does not name are not looked at, so this costs what the plan costs. */
#include "write.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

const unsigned write_key_cells[TABLES] = {
	[TABLE_NETWORK] = 1, [TABLE_NETWORK_PREFIX] = 2, [TABLE_SERVICE] = 1, [TABLE_SERVICE_PORT] = 2,
	[TABLE_MACHINE] = 1, [TABLE_ADDRESS] = 2,        [TABLE_ROLE] = 1,    [TABLE_MEMBER] = 2,
};
const unsigned write_cells[TABLES] = {
	[TABLE_NETWORK] = 2, [TABLE_NETWORK_PREFIX] = 2, [TABLE_SERVICE] = 2, [TABLE_SERVICE_PORT] = 3,
	[TABLE_MACHINE] = 8, [TABLE_ADDRESS] = 3,        [TABLE_ROLE] = 7,    [TABLE_MEMBER] = 2,
};

/* --- cells --- */

void write_row(struct arena *arena, struct rows *rows, const struct str *cells, size_t count)
{
	for (size_t i = 0; i < count; i++)
		APPEND(arena, rows, cells[i]);
}

struct str write_boolean(bool value)
{
	return value ? STR("t") : STR("f");
}

struct str write_number(struct arena *arena, int64_t number)
{
	return str_format(arena, "%lld", (long long)number);
}

struct str write_optional(struct str text)
{
	return text.n == 0 ? (struct str){0} : text;
}

struct str write_address(struct arena *arena, enum family family, addr_bits bits)
{
	return addr_str(arena, (struct addr){.bits = bits, .family = family});
}

struct str write_ports(struct arena *arena, const struct port_range *ports, size_t count)
{
	struct buf buf = buf_new(arena);
	for (size_t i = 0; i < count; i++)
		buf_format(&buf, "%s[%u,%u]", i == 0 ? "{" : ",", ports[i].first, ports[i].last);
	buf_add(&buf, count == 0 ? STR("{}") : STR("}"));
	return buf_str(&buf);
}

/* Labels hold no control characters, so that only these two need escaping. */
static void json_string(struct buf *buf, struct str s)
{
	buf_char(buf, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_char(buf, '\\');
		buf_char(buf, s.p[i]);
	}
	buf_char(buf, '"');
}

struct str write_labels(struct arena *arena, const struct label *labels, size_t count)
{
	if (count == 0)
		return STR("{}");
	struct buf buf = buf_new(arena);
	for (size_t i = 0; i < count; i++) {
		buf_char(&buf, i == 0 ? '{' : ',');
		json_string(&buf, labels[i].key);
		buf_char(&buf, ':');
		json_string(&buf, labels[i].value);
	}
	buf_char(&buf, '}');
	return buf_str(&buf);
}

/* --- the rows of an object --- */

#define ROW(arena, rows, ...)                                         \
	write_row((arena), (rows), (const struct str[]){__VA_ARGS__}, \
	          sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))

static void network_row(struct arena *arena, const void *object, struct rows *rows)
{
	const struct network *network = object;
	ROW(arena, rows, network->name, write_optional(network->document));
}

static void prefix_rows(struct arena *arena, const void *object, struct rows *rows)
{
	const struct network *network = object;
	for (size_t i = 0; i < network->prefix_count; i++)
		ROW(arena, rows, network->name, prefix_str(arena, network->prefixes[i]));
}

/* Triggers keep `builtin`: it ends when the ports change. */
static void service_row(struct arena *arena, const void *object, struct rows *rows)
{
	const struct service *service = object;
	ROW(arena, rows, service->name, write_optional(service->document));
}

static void port_rows(struct arena *arena, const void *object, struct rows *rows)
{
	const struct service *service = object;
	for (size_t i = 0; i < service->count; i++) {
		const struct service_port *port = &service->ports[i];
		ROW(arena, rows, service->name, write_number(arena, port->protocol),
		    write_ports(arena, port->ports, port->port_count));
	}
}

static void machine_row(struct arena *arena, const void *object, struct rows *rows)
{
	const struct machine *machine = object;
	ROW(arena, rows, machine->name, write_boolean(machine->enabled), mode_str(machine->mode),
	    enforcement_str(machine->enforcement),
	    machine->ssh_port == 0 ? (struct str){0} : write_number(arena, machine->ssh_port),
	    write_optional(machine->ssh_host), write_labels(arena, machine->labels, machine->label_count),
	    write_optional(machine->document));
}

static void address_rows(struct arena *arena, const void *object, struct rows *rows)
{
	const struct machine *machine = object;
	for (size_t i = 0; i < machine->address_count; i++)
		ROW(arena, rows, machine->name, addr_str(arena, machine->addresses[i].addr),
		    write_optional(machine->addresses[i].label));
}

static void member_rows(struct arena *arena, const void *object, struct rows *rows)
{
	const struct machine *machine = object;
	for (size_t i = 0; i < machine->role_count; i++)
		ROW(arena, rows, machine->roles[i], machine->name);
}

static void role_row(struct arena *arena, const void *object, struct rows *rows)
{
	const struct role *role = object;
	struct str selector = {0};
	if (role->has_selector)
		selector = write_labels(arena, role->selector, role->selector_count);
	ROW(arena, rows, role->name, write_optional(machine_of_role(role->name)), write_optional(role->description),
	    write_optional(role->owner), selector, egress_str(role->egress), write_optional(role->document));
}

/* --- comparing --- */

static bool cell_same(struct str a, struct str b)
{
	return (a.p == NULL) == (b.p == NULL) && str_eq(a, b);
}

static bool cells_same(const struct str *a, const struct str *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!cell_same(a[i], b[i]))
			return false;
	return true;
}

static int key_cmp(const struct str *a, const struct str *b, size_t keys)
{
	int order = 0;
	for (size_t i = 0; i < keys && order == 0; i++)
		order = str_cmp(a[i], b[i]);
	return order;
}

static int key_order(const void *a, const void *b, void *keys)
{
	return key_cmp(a, b, *(const unsigned *)keys);
}

/* One table's rows of one object, before and after. */
static void compare(struct arena *arena, enum table table, struct rows *before, struct rows *after,
                    struct table_rows *out)
{
	unsigned keys = write_key_cells[table], cells = write_cells[table];
	size_t i = 0, j = 0;
	if (before->count > 0 && after->count > 0) {
		qsort_r(before->items, before->count / cells, cells * sizeof *before->items, key_order, &keys);
		qsort_r(after->items, after->count / cells, cells * sizeof *after->items, key_order, &keys);
	}
	while (i < before->count || j < after->count) {
		const struct str *old = i < before->count ? before->items + i : NULL;
		const struct str *new = j < after->count ? after->items + j : NULL;
		int order = old == NULL ? 1 : new == NULL ? -1 : key_cmp(old, new, keys);
		if (order < 0)
			write_row(arena, &out->deleted, old, keys);
		else if (order > 0)
			write_row(arena, &out->inserted, new, cells);
		else if (!cells_same(old, new, cells))
			write_row(arena, &out->updated, new, cells);
		i += order <= 0 ? cells : 0;
		j += order >= 0 ? cells : 0;
	}
}

typedef void object_rows(struct arena *arena, const void *object, struct rows *rows);

struct collecting {
	struct arena *arena;
	struct rows before, after; /* of one object, used again */
	struct write_rows *out;
};

static void collect(struct collecting *collecting, enum table table, object_rows *rows_of, const void *before,
                    const void *after)
{
	collecting->before.count = collecting->after.count = 0;
	if (before != NULL)
		rows_of(collecting->arena, before, &collecting->before);
	if (after != NULL)
		rows_of(collecting->arena, after, &collecting->after);
	compare(collecting->arena, table, &collecting->before, &collecting->after, &collecting->out->tables[table]);
}

static void collect_network(struct collecting *collecting, const struct network *before, const struct network *after)
{
	collect(collecting, TABLE_NETWORK, network_row, before, after);
	collect(collecting, TABLE_NETWORK_PREFIX, prefix_rows, before, after);
}

static void collect_service(struct collecting *collecting, const struct service *before, const struct service *after)
{
	collect(collecting, TABLE_SERVICE, service_row, before, after);
	collect(collecting, TABLE_SERVICE_PORT, port_rows, before, after);
}

static void collect_machine(struct collecting *collecting, const struct machine *before, const struct machine *after)
{
	collect(collecting, TABLE_MACHINE, machine_row, before, after);
	collect(collecting, TABLE_ADDRESS, address_rows, before, after);
	collect(collecting, TABLE_MEMBER, member_rows, before, after);
}

static void collect_role(struct collecting *collecting, const struct role *before, const struct role *after)
{
	collect(collecting, TABLE_ROLE, role_row, before, after);
	write_rules_collect(collecting->arena, before, after, collecting->out);
}

/* Room at once for the rows of new machines, which are nearly all that a first import writes: a list that grows leaves
 * its old places behind. */
static void make_room(struct arena *arena, const struct plan *plan, struct write_rows *rows)
{
	size_t counts[TABLES] = {0};
	for (size_t i = 0; i < plan->count; i++) {
		const struct change *change = &plan->changes[i];
		if (change->sign != CHANGE_ADD || strcmp(change->kind, "machine") != 0)
			continue;
		const struct machine *machine = fleet_machine(&plan->target, change->name);
		counts[TABLE_MACHINE]++;
		counts[TABLE_ADDRESS] += machine->address_count;
		counts[TABLE_MEMBER] += machine->role_count;
	}
	for (enum table table = 0; table < TABLES; table++) {
		struct rows *inserted = &rows->tables[table].inserted;
		inserted->capacity = counts[table] * write_cells[table];
		inserted->items = arena_raw(arena, inserted->capacity * sizeof *inserted->items);
	}
}

void write_rows_collect(struct arena *arena, const struct fleet *present, const struct plan *plan,
                        struct write_rows *rows)
{
	struct collecting collecting = {.arena = arena, .out = rows};
	const struct fleet *target = &plan->target;
	make_room(arena, plan, rows);
	for (size_t i = 0; i < plan->count; i++) {
		struct str name = plan->changes[i].name, kind = str_of(plan->changes[i].kind);
		if (str_is(kind, "network"))
			collect_network(&collecting, fleet_network(present, name), fleet_network(target, name));
		else if (str_is(kind, "service"))
			collect_service(&collecting, fleet_service(present, name), fleet_service(target, name));
		else if (str_is(kind, "role"))
			collect_role(&collecting, fleet_role(present, name), fleet_role(target, name));
		else if (str_is(kind, "machine"))
			collect_machine(&collecting, fleet_machine(present, name), fleet_machine(target, name));
		else
			assert(!"a kind of object that has no rows");
	}
}
