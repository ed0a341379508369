/* Small changes of membership: the roles of a few machines are found anew, and the lists of members that differ are
 * merged. What does not differ is not looked at. The result is that of resolve(), which a test holds it against. */
#include "resolve_update.h"

#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/digest.h"
#include "resolve_index.h"

/* A machine that joins a role or leaves it. */
struct move {
	uint32_t role, machine;
	bool joins;
};

struct updating {
	struct arena *arena, *scratch;
	struct resolved *resolved;
	const struct fleet *fleet;
	struct role_index index;
	struct memory memory;
	uint32_t *selecting; /* roles with a selector, ascending */
	size_t selecting_count;
	struct {
		struct move *items;
		size_t count, capacity;
	} moves;
	const bool *machines_changed;
	bool *roles_changed, *rules_changed;
};

static bool labels_same(const struct role *a, const struct role *b)
{
	if (a->has_selector != b->has_selector || a->selector_count != b->selector_count)
		return false;
	for (size_t i = 0; a->selector != b->selector && i < a->selector_count; i++)
		if (!str_eq(a->selector[i].key, b->selector[i].key) ||
		    !str_eq(a->selector[i].value, b->selector[i].value))
			return false;
	return true;
}

bool roles_select_alike(const struct fleet *a, const struct fleet *b)
{
	if (a->role_count != b->role_count)
		return false;
	for (size_t i = 0; a->roles != b->roles && i < a->role_count; i++)
		if (!str_eq(a->roles[i].name, b->roles[i].name) || !labels_same(&a->roles[i], &b->roles[i]))
			return false;
	return true;
}

/* --- the roles of one machine --- */

struct list {
	uint32_t *items;
	size_t count, capacity;
};

/* In order, once. */
static void insert(struct arena *scratch, struct list *list, uint32_t number)
{
	size_t at = list->count;

	while (at > 0 && list->items[at - 1] > number)
		at--;
	if (at > 0 && list->items[at - 1] == number)
		return;
	APPEND(scratch, list, number);
	memmove(list->items + at + 1, list->items + at, (list->count - 1 - at) * sizeof *list->items);
	list->items[at] = number;
}

static struct list roles_now(struct updating *updating, const struct machine *machine)
{
	struct found assigned = memory_roles(&updating->memory, &updating->index, machine);
	uint32_t own = role_index_find(&updating->index, machine_role_name(updating->scratch, machine->name));
	struct list roles = {0};

	for (size_t i = 0; i < assigned.count; i++)
		insert(updating->scratch, &roles, updating->memory.numbers[assigned.first + i]);
	if (own != NOBODY)
		insert(updating->scratch, &roles, own);
	for (size_t i = 0; i < updating->selecting_count; i++) {
		const struct role *role = &updating->fleet->roles[updating->selecting[i]];

		if (labels_contain(machine->labels, machine->label_count, role->selector, role->selector_count))
			insert(updating->scratch, &roles, updating->selecting[i]);
	}
	return roles;
}

static void note_moves(struct updating *updating, uint32_t machine, struct list before, struct list now)
{
	for (size_t i = 0, k = 0; i < before.count || k < now.count;) {
		bool leaves = k == now.count || (i < before.count && before.items[i] < now.items[k]);
		bool stays = !leaves && i < before.count && before.items[i] == now.items[k];
		uint32_t role = leaves ? before.items[i] : now.items[k];

		updating->roles_changed[role] |= !stays || updating->machines_changed[machine];
		if (!stays)
			APPEND(updating->scratch, &updating->moves, ((struct move){role, machine, !leaves}));
		i += leaves || stays;
		k += !leaves;
	}
}

static void update_machine(struct updating *updating, uint32_t number)
{
	struct resolved_machine *own = &updating->resolved->machines[number];
	struct list before = {.items = own->roles, .count = own->role_count};
	struct list now = roles_now(updating, &updating->fleet->machines[number]);
	size_t moves = updating->moves.count;

	note_moves(updating, number, before, now);
	if (updating->moves.count == moves)
		return;
	own->roles = arena_raw(updating->arena, now.count * sizeof *own->roles);
	if (now.count > 0)
		memcpy(own->roles, now.items, now.count * sizeof *own->roles);
	own->role_count = now.count;
}

/* --- the members of roles --- */

/* The moves of one role, machines ascending, into its list. */
static void merge_moves(struct arena *arena, struct resolved_role *role, const struct move *moves, size_t count)
{
	uint32_t *merged = arena_raw(arena, (role->member_count + count) * sizeof *merged);
	size_t kept = 0, at = 0;

	for (size_t i = 0; i < count; i++) {
		while (at < role->member_count && role->members[at] < moves[i].machine)
			merged[kept++] = role->members[at++];
		if (moves[i].joins)
			merged[kept++] = moves[i].machine;
		else
			at++; /* it is there, and goes */
	}
	while (at < role->member_count)
		merged[kept++] = role->members[at++];
	role->members = merged;
	role->member_count = kept;
}

/* Moves come by machine; each role wants its own, in that order. */
static void update_members(struct updating *updating)
{
	size_t role_count = updating->fleet->role_count;
	size_t *place = ARENA_ARRAY(updating->scratch, size_t, role_count + 1);
	struct move *sorted = ARENA_ARRAY(updating->scratch, struct move, updating->moves.count);

	for (size_t i = 0; i < updating->moves.count; i++)
		place[updating->moves.items[i].role + 1]++;
	for (size_t i = 0; i < role_count; i++)
		place[i + 1] += place[i];
	for (size_t i = 0; i < updating->moves.count; i++)
		sorted[place[updating->moves.items[i].role]++] = updating->moves.items[i];
	for (size_t i = 0, end; i < updating->moves.count; i = end) {
		for (end = i + 1; end < updating->moves.count && sorted[end].role == sorted[i].role;)
			end++;
		merge_moves(updating->arena, &updating->resolved->roles[sorted[i].role], sorted + i, end - i);
	}
}

/* --- rules --- */

/* Do the same rules count, and is each the very same? */
static bool rules_same(const struct resolved_role *resolved, const struct role *role, int64_t clock)
{
	size_t count = 0;

	for (size_t i = 0; i < role->rule_count; i++) {
		if (!rule_counts(&role->rules[i], clock))
			continue;
		if (count == resolved->rule_count || resolved->rules[count].held != &role->rules[i])
			return false;
		count++;
	}
	return count == resolved->rule_count;
}

static void update_rules(struct updating *updating)
{
	struct digester *digester = digester_new(updating->scratch);

	for (size_t i = 0; i < updating->fleet->role_count; i++) {
		struct resolved_role *resolved = &updating->resolved->roles[i];
		const struct role *role = &updating->fleet->roles[i];

		updating->rules_changed[i] = !rules_same(resolved, role, updating->fleet->clock);
		if (updating->rules_changed[i]) {
			resolve_rules(updating->arena, resolved, role, updating->fleet->clock);
			resolve_ids(resolved, digester);
		}
		resolved->role = role;
		for (size_t k = 0; k < resolved->rule_count; k++)
			resolved->rules[k].role = role;
	}
	digester_free(digester);
}

/* --- all of it --- */

static void find_selecting(struct updating *updating)
{
	const struct fleet *fleet = updating->fleet;

	updating->selecting = ARENA_ARRAY(updating->scratch, uint32_t, fleet->role_count);
	for (size_t i = 0; i < fleet->role_count; i++)
		if (fleet->roles[i].has_selector && machine_of_role(fleet->roles[i].name).n == 0)
			updating->selecting[updating->selecting_count++] = (uint32_t)i;
}

void resolve_update(struct arena *arena, struct resolved *resolved, const struct fleet *fleet, const uint32_t *machines,
                    size_t machine_count, const bool *machines_changed, bool *roles_changed, bool *rules_changed)
{
	struct updating updating = {.arena = arena,
	                            .scratch = arena_new(),
	                            .resolved = resolved,
	                            .fleet = fleet,
	                            .machines_changed = machines_changed,
	                            .roles_changed = roles_changed,
	                            .rules_changed = rules_changed};

	updating.index = role_index_new(updating.scratch, fleet);
	updating.memory = memory_new(updating.scratch);
	find_selecting(&updating);
	resolved->fleet = fleet;
	for (size_t i = 0; i < fleet->machine_count; i++)
		resolved->machines[i].machine = &fleet->machines[i];
	for (size_t i = 0; i < machine_count; i++)
		update_machine(&updating, machines[i]);
	update_members(&updating);
	update_rules(&updating);
	arena_free(updating.scratch);
}
