/* The ends of a cell: whom a peer stands for, who has a role; and machines told apart by what they refuse alone, so
 * that thousands of positions are few. It asks for no packets. */
#include <stdlib.h>

#include "fleetwall/buf.h"
#include "matrix_parts.h"

/* --- keys --- */

struct keying {
	struct matrix *matrix;
	struct arena *scratch;
	const bool *closed;
	struct names *positions;
	struct {
		uint32_t *items;
		size_t count, capacity;
	} in, out; /* by position */
};

static bool *closed_machines(struct arena *arena, const struct matrix *matrix)
{
	bool *closed = ARENA_ARRAY(arena, bool, matrix->fleet->machine_count);

	for (size_t i = 0; i < matrix->fleet->role_count; i++) {
		size_t count;
		const uint32_t *members = intent_members(matrix->intent, i, &count);

		for (size_t k = 0; k < count && matrix->fleet->roles[i].egress == EGRESS_CLOSED; k++)
			closed[members[k]] = true;
	}
	return closed;
}

static bool refuses_nothing(const struct machine *machine)
{
	return !machine->enabled || machine->enforcement != ENFORCEMENT_ENFORCE;
}

/* The roles whose rules matter beside those that allow; on the way out of a closed machine, all that speak of it. */
static struct key key_of(const struct keying *keying, const struct intent_rule *rules, size_t count, bool out,
                         bool closed)
{
	struct key key = {closed, ARENA_ARRAY(keying->matrix->arena, uint32_t, count), 0};
	const struct role *last = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct rule *rule = &rules[i].rule->rule;

		if ((rule->direction == DIRECTION_OUT) != out || rules[i].role == last ||
		    (rule->action == ACTION_ALLOW && !closed))
			continue;
		key.roles[key.count++] = (uint32_t)(rules[i].role - keying->matrix->fleet->roles);
		last = rules[i].role;
	}
	return key;
}

static uint32_t key_number(const struct keying *keying, struct key_list *list, struct key key)
{
	struct buf buf = buf_new(keying->scratch);
	uint32_t number;

	buf_char(&buf, key.closed ? 'c' : 'o');
	buf_add(&buf, (struct str){(const char *)key.roles, key.count * sizeof *key.roles});
	number = names_add(list->texts, buf_str(&buf));
	if (number == list->count)
		APPEND(keying->matrix->arena, list, key);
	return number;
}

/* Of a machine that refuses nothing no rule matters. */
static void note_position(struct keying *keying, size_t machine)
{
	struct keys *keys = &keying->matrix->keys;
	struct intent_rule *rules = NULL;
	size_t count = 0;
	bool closed = false;

	if (!refuses_nothing(&keying->matrix->fleet->machines[machine])) {
		count = intent_rules(keying->scratch, keying->matrix->intent, machine, &rules);
		closed = keying->closed[machine];
	}
	APPEND(keying->scratch, &keying->in,
	       key_number(keying, &keys->lists[0], key_of(keying, rules, count, false, false)));
	APPEND(keying->scratch, &keying->out,
	       key_number(keying, &keys->lists[1], key_of(keying, rules, count, true, closed)));
}

void keys_find(struct matrix *matrix)
{
	struct keying keying = {.matrix = matrix, .scratch = arena_new()};
	size_t count = matrix->fleet->machine_count;
	const struct key open = {0};

	keying.closed = closed_machines(keying.scratch, matrix);
	keying.positions = names_new(keying.scratch);
	matrix->keys.in = ARENA_ARRAY(matrix->arena, uint32_t, count);
	matrix->keys.out = ARENA_ARRAY(matrix->arena, uint32_t, count);
	for (size_t out = 0; out < 2; out++) {
		matrix->keys.lists[out].texts = names_new(matrix->arena);
		key_number(&keying, &matrix->keys.lists[out], open);
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t position = names_add(keying.positions, intent_position(matrix->intent, i));

		if (position == keying.in.count)
			note_position(&keying, i);
		matrix->keys.in[i] = keying.in.items[position];
		matrix->keys.out[i] = keying.out.items[position];
	}
	arena_free(keying.scratch);
}

/* --- ends --- */

struct matrix_end *end_new(struct arena *arena)
{
	struct matrix_end *end = ARENA_NEW(arena, struct matrix_end);

	end->arena = arena;
	end->seen.keys = names_new(arena);
	return end;
}

void end_forget(struct matrix_end *end)
{
	for (size_t i = 0; end != NULL && i < end->seen.sets.count; i++)
		packets_hold(&end->seen.sets.items[i], packets_none());
}

static bool is_of_end(const struct matrix_end *end, const struct machine_address *address)
{
	return end->label.n == 0 || str_eq(end->label, address->label);
}

static struct standing *standing_of(struct arena *arena, struct matrix_end *end, uint32_t key)
{
	for (size_t i = 0; i < end->count; i++)
		if (end->items[i].key == key)
			return &end->items[i];
	APPEND(arena, end, (struct standing){.key = key});
	return &end->items[end->count - 1];
}

/* Enabled ones with an address. */
static void add_machine(struct arena *arena, const struct matrix *matrix, struct matrix_end *end, uint32_t number,
                        const uint32_t *keys)
{
	const struct machine *machine = &matrix->fleet->machines[number];
	struct holder holder = {.machine = (uint32_t)end->machine_count};
	bool has = false;

	if (!machine->enabled)
		return;
	for (size_t i = 0; i < machine->address_count; i++) {
		if (!is_of_end(end, &machine->addresses[i]))
			continue;
		if (!has)
			holder.standing = (uint32_t)(standing_of(arena, end, keys[number]) - end->items);
		has = true;
		holder.bits = machine->addresses[i].addr.bits;
		APPEND(arena, &end->holders[machine->addresses[i].addr.family == FAMILY_6], holder);
	}
	end->machine_count += has;
}

static int holder_order(const void *a, const void *b)
{
	const struct holder *left = a, *right = b;

	return (left->bits > right->bits) - (left->bits < right->bits);
}

/* Its machines are there. */
static void finish_machines(struct arena *arena, struct matrix *matrix, struct matrix_end *end, bool out)
{
	end->has_machines = true;
	for (size_t f = 0; f < FAMILIES; f++)
		if (end->holders[f].count > 0)
			qsort(end->holders[f].items, end->holders[f].count, sizeof *end->holders[f].items,
			      holder_order);
	end_tells(arena, matrix, end, out);
}

static void add_members(struct arena *arena, struct matrix *matrix, struct matrix_end *end,
                        const struct role *role, bool out)
{
	size_t count;
	const uint32_t *members =
		intent_members(matrix->intent, (size_t)(role - matrix->fleet->roles), &count);

	for (size_t i = 0; i < count; i++)
		add_machine(arena, matrix, end, members[i], out ? matrix->keys.out : matrix->keys.in);
	finish_machines(arena, matrix, end, out);
}

struct matrix_end *end_of_members(struct matrix *matrix, const struct role *role)
{
	struct matrix_end **end = &matrix->members[role - matrix->fleet->roles];

	if (*end == NULL) {
		*end = end_new(matrix->arena);
		add_members(matrix->arena, matrix, *end, role, false);
	}
	return *end;
}

/* --- peers --- */

struct range_list {
	struct range *items;
	size_t count, capacity;
};

static void add_range(struct arena *arena, struct range_list *lists, struct range range)
{
	APPEND(arena, &lists[range.family == FAMILY_6], range);
}

/* Addresses that are nobody's of ours. */
static void set_ranges(struct arena *arena, struct matrix_end *end, const struct range_list *lists)
{
	struct standing *standing = standing_of(arena, end, 0);

	for (size_t f = 0; f < FAMILIES; f++)
		standing->sets[f] = end->sets[f] =
			addr_set_of(arena, family_at(f), lists[f].items, lists[f].count);
}

static void add_network(struct arena *arena, struct range_list *lists, const struct network *network)
{
	for (size_t i = 0; network != NULL && i < network->prefix_count; i++)
		add_range(arena, lists, prefix_range(network->prefixes[i]));
}

static void add_literals(struct arena *arena, struct range_list *lists, const struct rule *rule)
{
	for (size_t i = 0; i < rule->peer_count; i++)
		if (rule->peers[i].kind == PEER_LITERAL)
			add_range(arena, lists, rule->peers[i].literal);
}

static void add_everybody(struct arena *arena, struct range_list *lists)
{
	for (size_t f = 0; f < FAMILIES; f++)
		add_range(arena, lists, (struct range){0, family_last(family_at(f)), family_at(f)});
}

struct matrix_end *end_of_peer(struct arena *arena, struct matrix *matrix, const struct cell *cell)
{
	struct matrix_end *end = end_new(arena);
	const struct fleet *fleet = matrix->fleet;
	struct range_list lists[FAMILIES] = {{0}};
	const struct machine *machine;
	const struct role *role;

	end->label = cell->peer.label;
	end->everybody = cell->anyone;
	if (!cell->anyone && cell->peer.kind == PEER_ROLE) {
		role = fleet_role(fleet, cell->peer.name);
		if (role != NULL)
			add_members(arena, matrix, end, role, true);
		return end;
	}
	if (!cell->anyone && cell->peer.kind == PEER_MACHINE) {
		machine = fleet_machine(fleet, cell->peer.name);
		if (machine != NULL)
			add_machine(arena, matrix, end, (uint32_t)(machine - fleet->machines), matrix->keys.out);
		finish_machines(arena, matrix, end, true);
		return end;
	}
	if (cell->anyone)
		add_everybody(arena, lists);
	else if (cell->peer.kind == PEER_NETWORK)
		add_network(arena, lists, fleet_network(fleet, cell->peer.name));
	else
		add_literals(arena, lists, &cell->rules[0].rule->rule);
	set_ranges(arena, end, lists);
	return end;
}
