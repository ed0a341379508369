/* Machines, their addresses and memberships: nearly all the rows that there are, so this is where loading takes its
 * time. Rows come as the tables hold them; what is to be in order is sorted here, where that usually costs a look. */
#include "load.h"

#include <assert.h>
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/names.h"

/* --- machines --- */

struct machine_rows {
	struct loading *loading;
	struct rows rows;
};

static struct error *machine_row(void *context, const struct str *fields, size_t count)
{
	struct machine_rows *machines = context;
	struct loading *loading = machines->loading;
	assert(count == 8);
	struct machine machine = {
		.name = str_copy(loading->arena, fields[0]),
		.given = GIVEN_ALL,
		.enabled = db_bool(fields[1]),
		.ssh_port = fields[4].p == NULL ? 0 : (unsigned)db_int(fields[4]),
		.ssh_host = load_text(loading->arena, fields[5]),
		.document = load_word(loading, fields[7]),
	};
	if (!mode_parse(fields[2], &machine.mode) || !enforcement_parse(fields[3], &machine.enforcement))
		return load_unreadable("machine");
	TRY(load_label_list(loading, fields[6], &machine.labels, &machine.label_count));
	*(struct machine *)rows_add(&machines->rows) = machine;
	return NULL;
}

static int name_order(const void *a, const void *b)
{
	return str_cmp((*(struct machine *const *)a)->name, (*(struct machine *const *)b)->name);
}

static const struct machine **by_name(const struct rows *rows)
{
	const struct machine **order = ARENA_ARRAY(rows->arena, const struct machine *, rows->count);
	bool sorted = true;
	for (size_t i = 0; i < rows->count; i++) {
		order[i] = rows_get(rows, i);
		sorted = sorted && (i == 0 || name_order(&order[i - 1], &order[i]) < 0);
	}
	if (!sorted)
		qsort(order, rows->count, sizeof(const struct machine *), name_order);
	return order;
}

static struct error *load_machine_rows(struct loading *loading)
{
	struct machine_rows machines = {loading, rows_new(loading->rows, sizeof(struct machine))};
	TRY(load_copy(loading, "load-machine", machine_row, &machines));
	const struct machine **order = by_name(&machines.rows);
	struct fleet *fleet = loading->fleet;
	fleet->machine_count = machines.rows.count;
	fleet->machines = arena_raw(loading->arena, fleet->machine_count * sizeof(struct machine));
	for (size_t i = 0; i < fleet->machine_count; i++) {
		fleet->machines[i] = *order[i];
		uint32_t number = names_keep(loading->machines, order[i]->name);
		assert(number == i);
	}
	arena_reset(loading->rows);
	return NULL;
}

/* --- addresses --- */

struct address_row {
	uint32_t machine;
	struct machine_address address;
};

struct address_rows {
	struct loading *loading;
	struct rows rows;
	uint32_t machine;
};

static struct error *address_row(void *context, const struct str *fields, size_t count)
{
	struct address_rows *addresses = context;
	struct loading *loading = addresses->loading;
	assert(count == 3);
	struct machine_address address;
	unsigned length;
	TRY(load_owner(loading, loading->machines, "machine", fields[0], &addresses->machine));
	TRY(load_inet(fields[1], &address.addr, &length));
	address.label = load_word(loading, fields[2]);
	*(struct address_row *)rows_add(&addresses->rows) = (struct address_row){addresses->machine, address};
	return NULL;
}

static int address_order(const void *a, const void *b)
{
	return addr_cmp(((const struct machine_address *)a)->addr, ((const struct machine_address *)b)->addr);
}

static void sort_addresses(struct machine *machine)
{
	for (size_t i = 1; i < machine->address_count; i++) {
		if (address_order(&machine->addresses[i - 1], &machine->addresses[i]) <= 0)
			continue;
		qsort(machine->addresses, machine->address_count, sizeof *machine->addresses, address_order);
		return;
	}
}

static struct error *load_addresses(struct loading *loading)
{
	struct address_rows addresses = {loading, rows_new(loading->rows, sizeof(struct address_row)), NAMES_NONE};
	TRY(load_copy(loading, "load-address", address_row, &addresses));
	struct fleet *fleet = loading->fleet;
	size_t count = addresses.rows.count;
	struct grouped by_machine = load_group(loading->rows, &addresses.rows, fleet->machine_count);
	struct machine_address *all = arena_raw(loading->arena, count * sizeof *all);
	for (size_t i = 0; i < count; i++) {
		const struct address_row *row = rows_get(&addresses.rows, i);
		all[by_machine.next[row->machine]++] = row->address;
	}
	for (size_t i = 0; i < fleet->machine_count; i++) {
		struct machine *machine = &fleet->machines[i];
		machine->addresses = all + by_machine.start[i];
		machine->address_count = by_machine.start[i + 1] - by_machine.start[i];
		sort_addresses(machine);
	}
	arena_reset(loading->rows);
	return NULL;
}

/* --- memberships --- */

struct member_row {
	uint32_t machine, role;
};

struct member_rows {
	struct loading *loading;
	struct rows rows;
	uint32_t machine;
};

/* Where only what changed is loaded, the roles are not at hand: then it is the number of a word. */
static struct error *member_role(struct loading *loading, struct str name, uint32_t *number)
{
	if (loading->which == LOAD_CHANGED)
		(void)load_word(loading, name);
	*number = names_find(loading->which == LOAD_CHANGED ? loading->words : loading->roles, name);
	return *number != NAMES_NONE ? NULL : load_orphan(loading, "role", name);
}

static struct error *member_row(void *context, const struct str *fields, size_t count)
{
	struct member_rows *members = context;
	struct loading *loading = members->loading;
	assert(count == 2);
	struct member_row row;
	TRY(load_owner(loading, loading->machines, "machine", fields[0], &members->machine));
	TRY(member_role(loading, fields[1], &row.role));
	row.machine = members->machine;
	*(struct member_row *)rows_add(&members->rows) = row;
	return NULL;
}

static int number_order(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	return (left > right) - (left < right);
}

/* The numbers of roles are in the order of their names: sorted by number is sorted by name. */
static void sort_numbers(uint32_t *numbers, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (numbers[i - 1] < numbers[i])
			continue;
		qsort(numbers, count, sizeof *numbers, number_order);
		return;
	}
}

static int spelling_order(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void name_roles(const struct loading *loading, struct machine *machine, uint32_t *numbers)
{
	if (loading->which != LOAD_CHANGED) {
		sort_numbers(numbers, machine->role_count);
		for (size_t i = 0; i < machine->role_count; i++)
			machine->roles[i] = loading->fleet->roles[numbers[i]].name;
		return;
	}
	for (size_t i = 0; i < machine->role_count; i++)
		machine->roles[i] = names_get(loading->words, numbers[i]);
	if (machine->role_count > 1)
		qsort(machine->roles, machine->role_count, sizeof *machine->roles, spelling_order);
}

static struct error *load_members(struct loading *loading)
{
	struct member_rows members = {loading, rows_new(loading->rows, sizeof(struct member_row)), NAMES_NONE};
	TRY(load_copy(loading, "load-member", member_row, &members));
	struct fleet *fleet = loading->fleet;
	size_t count = members.rows.count;
	struct grouped by_machine = load_group(loading->rows, &members.rows, fleet->machine_count);
	uint32_t *numbers = arena_raw(loading->rows, count * sizeof *numbers);
	struct str *names = arena_raw(loading->arena, count * sizeof *names);
	for (size_t i = 0; i < count; i++) {
		const struct member_row *row = rows_get(&members.rows, i);
		numbers[by_machine.next[row->machine]++] = row->role;
	}
	for (size_t i = 0; i < fleet->machine_count; i++) {
		struct machine *machine = &fleet->machines[i];
		uint32_t start = by_machine.start[i];
		machine->roles = names + start;
		machine->role_count = by_machine.start[i + 1] - start;
		name_roles(loading, machine, numbers + start);
	}
	arena_reset(loading->rows);
	return NULL;
}

struct error *load_machines(struct loading *loading)
{
	TRY(load_machine_rows(loading));
	TRY(load_addresses(loading));
	return load_members(loading);
}

/* --- parts of a few --- */

static struct error *load_some_rows(struct loading *loading, unsigned char *parts)
{
	struct machine_rows machines = {loading, rows_new(loading->rows, sizeof(struct machine))};
	TRY(load_copy(loading, "load-machine", machine_row, &machines));
	for (size_t i = 0; i < machines.rows.count; i++) {
		const struct machine *machine = rows_get(&machines.rows, i);
		uint32_t place = names_find(loading->machines, machine->name);
		if (place == NAMES_NONE)
			return load_orphan(loading, "machine", machine->name);
		loading->fleet->machines[place] = *machine;
		parts[place] |= LOAD_THERE;
	}
	arena_reset(loading->rows);
	return NULL;
}

struct error *load_machine_parts(struct loading *loading, const struct str *names, unsigned char *parts, size_t count)
{
	struct fleet *fleet = loading->fleet;
	unsigned any = 0;
	fleet->machines = ARENA_ARRAY(loading->arena, struct machine, count);
	fleet->machine_count = count;
	for (size_t i = 0; i < count; i++) {
		fleet->machines[i].name = names[i];
		uint32_t number = names_keep(loading->machines, names[i]);
		assert(number == i);
		any |= parts[i];
	}
	if (any & LOAD_ROW)
		TRY(load_some_rows(loading, parts));
	if (any & LOAD_ADDRESSES)
		TRY(load_addresses(loading));
	return any & LOAD_MEMBERS ? load_members(loading) : NULL;
}
