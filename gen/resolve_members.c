/* Membership: assigned, selected by labels, and a machine's own role. Every run does this for the whole fleet, so it is
 * done by counting and by position: names are looked up by hash, once each, machines are taken in their order, and
 * nothing is sorted. */
#include "resolve_members.h"

#include <string.h>

#include "fleetwall/arena.h"

#define NOBODY UINT32_MAX

/* Numbers by the hash of what they stand for. */
struct slot {
	uint32_t hash, number; /* number + 1; 0 is free */
};

struct table {
	struct slot *slots;
	size_t mask;
};

/* Machines in ascending order. */
struct list {
	uint32_t *items;
	size_t count;
};

/* A label that some selector asks for, and the machines that have it. */
struct wanted_label {
	struct label label;
	uint64_t hash;
	struct list machines;
	size_t capacity;
};

struct joining {
	struct arena *arena, *scratch;
	struct resolved *resolved;
	const struct fleet *fleet;
	struct list *assigned; /* by role */
	struct table labels;
	struct {
		struct wanted_label *items;
		size_t count, capacity;
	} wanted;
};

/* --- tables --- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

static uint64_t hash_str(struct str s)
{
	uint64_t hash = s.n, word;

	for (; s.n >= sizeof word; s.p += sizeof word, s.n -= sizeof word) {
		memcpy(&word, s.p, sizeof word);
		hash = mix(hash, word);
	}
	for (word = 0; s.n > 0; s.n--)
		word = word << 8 | (unsigned char)s.p[s.n - 1];
	return mix(hash, word);
}

static struct table table_new(struct arena *scratch, size_t count)
{
	size_t size = 64;

	while (size < count * 2)
		size *= 2;
	return (struct table){ARENA_ARRAY(scratch, struct slot, size), size - 1};
}

/* Puts a number that is not there. */
static void table_put(struct table *table, uint64_t hash, size_t number)
{
	size_t at = hash & table->mask;

	while (table->slots[at].number != 0)
		at = (at + 1) & table->mask;
	table->slots[at] = (struct slot){(uint32_t)(hash >> 32), (uint32_t)number + 1};
}

/* --- assigned --- */

static struct table index_roles(struct arena *scratch, const struct fleet *fleet)
{
	struct table table = table_new(scratch, fleet->role_count);

	for (size_t i = 0; i < fleet->role_count; i++)
		table_put(&table, hash_str(fleet->roles[i].name), i);
	return table;
}

static uint32_t find_role(const struct table *table, const struct fleet *fleet, struct str name)
{
	uint64_t hash = hash_str(name);

	for (size_t at = hash & table->mask; table->slots[at].number != 0; at = (at + 1) & table->mask) {
		uint32_t number = table->slots[at].number - 1;

		if (table->slots[at].hash == (uint32_t)(hash >> 32) && str_eq(fleet->roles[number].name, name))
			return number;
	}
	return NOBODY;
}

/* The numbers of all roles that machines name, one after the other; how often each is named. */
static uint32_t *number_roles(struct joining *joining)
{
	const struct fleet *fleet = joining->fleet;
	struct table table = index_roles(joining->scratch, fleet);
	size_t total = 0, at = 0;
	uint32_t *numbers;

	for (size_t i = 0; i < fleet->machine_count; i++)
		total += fleet->machines[i].role_count;
	numbers = arena_raw(joining->scratch, total * sizeof *numbers);
	for (size_t i = 0; i < fleet->machine_count; i++)
		for (size_t k = 0; k < fleet->machines[i].role_count; k++) {
			uint32_t role = find_role(&table, fleet, fleet->machines[i].roles[k]);

			numbers[at++] = role;
			if (role != NOBODY)
				joining->assigned[role].count++;
		}
	return numbers;
}

/* A machine that names a role twice is its member once. */
static void assign(struct list *members, uint32_t machine)
{
	if (members->count == 0 || members->items[members->count - 1] != machine)
		members->items[members->count++] = machine;
}

static void find_assigned(struct joining *joining)
{
	const struct fleet *fleet = joining->fleet;
	const uint32_t *numbers;

	joining->assigned = ARENA_ARRAY(joining->scratch, struct list, fleet->role_count);
	numbers = number_roles(joining);
	for (size_t i = 0; i < fleet->role_count; i++) {
		joining->assigned[i].items = arena_raw(joining->arena, joining->assigned[i].count * sizeof(uint32_t));
		joining->assigned[i].count = 0;
	}
	for (size_t i = 0; i < fleet->machine_count; i++)
		for (size_t k = 0; k < fleet->machines[i].role_count; k++, numbers++)
			if (*numbers != NOBODY)
				assign(&joining->assigned[*numbers], (uint32_t)i);
}

/* --- selected --- */

static uint64_t hash_label(const struct label *label)
{
	return mix(hash_str(label->key), hash_str(label->value));
}

static struct wanted_label *find_label(const struct joining *joining, const struct label *label, uint64_t hash)
{
	const struct table *table = &joining->labels;

	for (size_t at = hash & table->mask; table->slots[at].number != 0; at = (at + 1) & table->mask) {
		struct wanted_label *wanted = &joining->wanted.items[table->slots[at].number - 1];

		if (wanted->hash == hash && str_eq(wanted->label.value, label->value) &&
		    str_eq(wanted->label.key, label->key))
			return wanted;
	}
	return NULL;
}

/* The labels that selectors ask for. */
static void index_labels(struct joining *joining)
{
	const struct fleet *fleet = joining->fleet;
	size_t total = 0;

	for (size_t i = 0; i < fleet->role_count; i++)
		total += fleet->roles[i].selector_count;
	joining->labels = table_new(joining->scratch, total);
	for (size_t i = 0; i < fleet->role_count; i++)
		for (size_t k = 0; k < fleet->roles[i].selector_count; k++) {
			const struct label *label = &fleet->roles[i].selector[k];
			struct wanted_label wanted = {.label = *label, .hash = hash_label(label)};

			if (find_label(joining, label, wanted.hash) != NULL)
				continue;
			table_put(&joining->labels, wanted.hash, joining->wanted.count);
			APPEND(joining->scratch, &joining->wanted, wanted);
		}
}

static void find_labelled(struct joining *joining)
{
	const struct fleet *fleet = joining->fleet;

	index_labels(joining);
	for (size_t i = 0; joining->wanted.count > 0 && i < fleet->machine_count; i++)
		for (size_t k = 0; k < fleet->machines[i].label_count; k++) {
			const struct label *label = &fleet->machines[i].labels[k];
			struct wanted_label *wanted = find_label(joining, label, hash_label(label));

			if (wanted == NULL)
				continue;
			wanted->machines.items = arena_grow(joining->scratch, wanted->machines.items,
			                                    wanted->machines.count, &wanted->capacity,
			                                    sizeof(uint32_t), _Alignof(uint32_t));
			wanted->machines.items[wanted->machines.count++] = (uint32_t)i;
		}
}

/* The machines of the selector's rarest label. */
static struct list rarest(const struct joining *joining, const struct role *role)
{
	const struct wanted_label *best = NULL;

	for (size_t i = 0; i < role->selector_count; i++) {
		const struct label *label = &role->selector[i];
		const struct wanted_label *wanted = find_label(joining, label, hash_label(label));

		if (best == NULL || wanted->machines.count < best->machines.count)
			best = wanted;
	}
	return best->machines;
}

static struct list everybody(struct arena *arena, const struct fleet *fleet)
{
	struct list list = {arena_raw(arena, fleet->machine_count * sizeof(uint32_t)), fleet->machine_count};

	for (size_t i = 0; i < fleet->machine_count; i++)
		list.items[i] = (uint32_t)i;
	return list;
}

static struct list select_members(const struct joining *joining, const struct role *role)
{
	struct list some, found = {0};

	if (role->selector_count == 0)
		return everybody(joining->arena, joining->fleet);
	some = rarest(joining, role);
	found.items = arena_raw(joining->arena, some.count * sizeof *found.items);
	for (size_t i = 0; i < some.count; i++) {
		const struct machine *machine = &joining->fleet->machines[some.items[i]];

		if (role->selector_count == 1 ||
		    labels_contain(machine->labels, machine->label_count, role->selector, role->selector_count))
			found.items[found.count++] = some.items[i];
	}
	return found;
}

/* --- both --- */

/* A machine's own role has that machine for its member, and no selector. */
static struct list extra_members(const struct joining *joining, const struct role *role)
{
	struct str owner = machine_of_role(role->name);
	const struct machine *machine;
	struct list list = {0};

	if (owner.n == 0)
		return role->has_selector ? select_members(joining, role) : list;
	machine = fleet_machine(joining->fleet, owner);
	if (machine == NULL)
		return list;
	list.items = ARENA_NEW(joining->arena, uint32_t);
	list.items[list.count++] = (uint32_t)(machine - joining->fleet->machines);
	return list;
}

static struct list join(struct arena *arena, struct list a, struct list b)
{
	struct list both = {0};

	if (a.count == 0)
		return b;
	if (b.count == 0)
		return a;
	both.items = arena_raw(arena, (a.count + b.count) * sizeof *both.items);
	for (size_t i = 0, k = 0; i < a.count || k < b.count;) {
		bool first = k == b.count || (i < a.count && a.items[i] <= b.items[k]);
		uint32_t next = first ? a.items[i++] : b.items[k++];

		if (both.count == 0 || both.items[both.count - 1] != next)
			both.items[both.count++] = next;
	}
	return both;
}

/* The other way round; roles come in ascending order, so each machine's do. */
static void give_roles(struct arena *arena, struct resolved *resolved)
{
	const struct fleet *fleet = resolved->fleet;
	struct resolved_machine *machines = resolved->machines;
	size_t total = 0;
	uint32_t *room;

	for (size_t i = 0; i < fleet->role_count; i++) {
		total += resolved->roles[i].member_count;
		for (size_t k = 0; k < resolved->roles[i].member_count; k++)
			machines[resolved->roles[i].members[k]].role_count++;
	}
	room = arena_raw(arena, total * sizeof *room);
	for (size_t i = 0; i < fleet->machine_count; i++) {
		machines[i].roles = room;
		room += machines[i].role_count;
		machines[i].role_count = 0;
	}
	for (size_t i = 0; i < fleet->role_count; i++)
		for (size_t k = 0; k < resolved->roles[i].member_count; k++) {
			struct resolved_machine *machine = &machines[resolved->roles[i].members[k]];

			machine->roles[machine->role_count++] = (uint32_t)i;
		}
}

void resolve_members(struct arena *arena, struct resolved *resolved)
{
	const struct fleet *fleet = resolved->fleet;
	struct joining joining = {.arena = arena, .scratch = arena_new(), .resolved = resolved, .fleet = fleet};

	find_assigned(&joining);
	find_labelled(&joining);
	for (size_t i = 0; i < fleet->role_count; i++) {
		struct list members =
			join(arena, joining.assigned[i], extra_members(&joining, &fleet->roles[i]));

		resolved->roles[i].members = members.items;
		resolved->roles[i].member_count = members.count;
	}
	give_roles(arena, resolved);
	arena_free(joining.scratch);
}
