/* The ends of a cell: whom a peer stands for, who has a role; and machines told apart by what they refuse alone, so that
 * thousands of positions are few. It asks for no packets. */
#include "matrix_parts.h"

#include "fleetwall/buf.h"

/* --- keys --- */

struct keying {
	struct matrix *matrix;
	struct arena *scratch;
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
static uint32_t key_of(const struct keying *keying, struct names *texts, const struct intent_rule *rules, size_t count,
                       bool out, bool closed)
{
	struct buf buf = buf_new(keying->scratch);
	const struct role *last = NULL;

	if (closed)
		buf_char(&buf, 'c');
	for (size_t i = 0; i < count; i++) {
		const struct rule *rule = &rules[i].rule->rule;

		if ((rule->direction == DIRECTION_OUT) != out || rules[i].role == last ||
		    (rule->action == ACTION_ALLOW && !closed))
			continue;
		buf_format(&buf, " %zu", (size_t)(rules[i].role - keying->matrix->fleet->roles));
		last = rules[i].role;
	}
	return buf.n == 0 ? 0 : names_add(texts, buf_str(&buf)) + 1;
}

static void note_position(struct keying *keying, size_t machine)
{
	struct keys *keys = &keying->matrix->keys;
	uint32_t in = 0, out = 0;

	if (!refuses_nothing(&keying->matrix->fleet->machines[machine])) {
		struct intent_rule *rules;
		size_t count = intent_rules(keying->scratch, keying->matrix->intent, machine, &rules);

		in = key_of(keying, keys->texts[0], rules, count, false, false);
		out = key_of(keying, keys->texts[1], rules, count, true, keys->closed[machine]);
	}
	APPEND(keying->scratch, &keying->in, in);
	APPEND(keying->scratch, &keying->out, out);
}

void keys_find(struct matrix *matrix)
{
	struct keying keying = {.matrix = matrix, .scratch = arena_new()};
	size_t count = matrix->fleet->machine_count;

	keying.positions = names_new(keying.scratch);
	matrix->keys = (struct keys){ARENA_ARRAY(matrix->arena, uint32_t, count),
	                             ARENA_ARRAY(matrix->arena, uint32_t, count),
	                             closed_machines(matrix->arena, matrix),
	                             {names_new(matrix->arena), names_new(matrix->arena)}};
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
	struct standing *standing;
	bool has = false;

	for (size_t i = 0; i < machine->address_count; i++)
		has |= is_of_end(end, &machine->addresses[i]);
	if (!has || !machine->enabled)
		return;
	standing = standing_of(arena, end, keys[number]);
	if (standing->machines.count == 0)
		standing->sample = number;
	APPEND(arena, &standing->machines, number);
}

struct range_list {
	struct range *items;
	size_t count, capacity;
};

static void set_addresses(struct arena *arena, struct addr_set *sets, const struct range_list *ranges)
{
	for (size_t f = 0; f < FAMILIES; f++)
		sets[f] = addr_set_of(arena, family_at(f), ranges->items, ranges->count);
}

static void collect_addresses(struct arena *scratch, const struct matrix *matrix, const struct matrix_end *end,
                              const struct standing *standing, struct range_list *ranges)
{
	for (size_t i = 0; i < standing->machines.count; i++) {
		const struct machine *machine = &matrix->fleet->machines[standing->machines.items[i]];

		for (size_t k = 0; k < machine->address_count; k++) {
			struct addr addr = machine->addresses[k].addr;

			if (is_of_end(end, &machine->addresses[k]))
				APPEND(scratch, ranges, ((struct range){addr.bits, addr.bits, addr.family}));
		}
	}
}

/* Its machines are there; now their addresses, apart and all together. */
static void finish_machines(struct arena *arena, const struct matrix *matrix, struct matrix_end *end)
{
	struct arena *scratch = arena_new();
	struct range_list all = {0};

	for (size_t i = 0; i < end->count; i++) {
		struct standing *standing = &end->items[i];
		struct range_list ranges = {0};

		collect_addresses(scratch, matrix, end, standing, &ranges);
		set_addresses(arena, standing->sets, &ranges);
		standing->met = ARENA_ARRAY(arena, bool, standing->machines.count);
		collect_addresses(scratch, matrix, end, standing, &all);
	}
	set_addresses(arena, end->sets, &all);
	end->has_machines = true;
	arena_free(scratch);
}

static void add_members(struct arena *arena, const struct matrix *matrix, struct matrix_end *end,
                        const struct role *role, const uint32_t *keys)
{
	size_t count;
	const uint32_t *members =
		intent_members(matrix->intent, (size_t)(role - matrix->fleet->roles), &count);

	for (size_t i = 0; i < count; i++)
		add_machine(arena, matrix, end, members[i], keys);
	finish_machines(arena, matrix, end);
}

struct matrix_end *end_of_members(struct matrix *matrix, const struct role *role)
{
	struct matrix_end **end = &matrix->members[role - matrix->fleet->roles];

	if (*end == NULL) {
		*end = ARENA_NEW(matrix->arena, struct matrix_end);
		add_members(matrix->arena, matrix, *end, role, matrix->keys.in);
	}
	return *end;
}

/* --- peers --- */

/* Addresses that are nobody's of ours. */
static void set_ranges(struct arena *arena, struct matrix_end *end, const struct range_list *ranges)
{
	struct standing *standing = standing_of(arena, end, 0);

	set_addresses(arena, end->sets, ranges);
	for (size_t f = 0; f < FAMILIES; f++)
		standing->sets[f] = end->sets[f];
}

static void add_network(struct arena *arena, struct range_list *ranges, const struct network *network)
{
	for (size_t i = 0; network != NULL && i < network->prefix_count; i++)
		APPEND(arena, ranges, prefix_range(network->prefixes[i]));
}

static void add_literals(struct arena *arena, struct range_list *ranges, const struct rule *rule)
{
	for (size_t i = 0; i < rule->peer_count; i++)
		if (rule->peers[i].kind == PEER_LITERAL)
			APPEND(arena, ranges, rule->peers[i].literal);
}

static void add_everybody(struct arena *arena, struct range_list *ranges)
{
	for (size_t f = 0; f < FAMILIES; f++)
		APPEND(arena, ranges, ((struct range){0, family_last(family_at(f)), family_at(f)}));
}

struct matrix_end *end_of_peer(struct arena *arena, struct matrix *matrix, const struct cell *cell)
{
	struct matrix_end *end = ARENA_NEW(arena, struct matrix_end);
	const struct fleet *fleet = matrix->fleet;
	struct range_list ranges = {0};
	const struct machine *machine;
	const struct role *role;

	*end = (struct matrix_end){.label = cell->peer.label, .everybody = cell->anyone};
	if (!cell->anyone && cell->peer.kind == PEER_ROLE) {
		role = fleet_role(fleet, cell->peer.name);
		if (role != NULL)
			add_members(arena, matrix, end, role, matrix->keys.out);
		return end;
	}
	if (!cell->anyone && cell->peer.kind == PEER_MACHINE) {
		machine = fleet_machine(fleet, cell->peer.name);
		if (machine != NULL)
			add_machine(arena, matrix, end, (uint32_t)(machine - fleet->machines), matrix->keys.out);
		finish_machines(arena, matrix, end);
		return end;
	}
	if (cell->anyone)
		add_everybody(arena, &ranges);
	else if (cell->peer.kind == PEER_NETWORK)
		add_network(arena, &ranges, fleet_network(fleet, cell->peer.name));
	else
		add_literals(arena, &ranges, &cell->rules[0].rule->rule);
	set_ranges(arena, end, &ranges);
	return end;
}

/* --- who takes part --- */

void standing_meet(const struct matrix *matrix, const struct matrix_end *end, struct standing *standing,
                   enum family family, const struct addr_set *among)
{
	for (size_t i = 0; i < standing->machines.count; i++) {
		const struct machine *machine = &matrix->fleet->machines[standing->machines.items[i]];

		for (size_t k = 0; k < machine->address_count && !standing->met[i]; k++) {
			const struct machine_address *address = &machine->addresses[k];

			standing->met[i] = address->addr.family == family && is_of_end(end, address) &&
			                   (among == NULL || addr_set_has(among, address->addr));
		}
	}
}
