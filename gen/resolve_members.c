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

/* --- lists that machines share --- */

/* Many machines have the very same list of labels or roles in memory: what was found for one is remembered by where the
 * list lies. A place is overwritten by the next list that falls there, so lists of their own cost little more. */
struct found {
	const void *list;
	size_t count;
	uint32_t first, found; /* what was found, in the numbers */
};

enum { MEMORY_BITS = 13 };

struct memory {
	struct found *places;
	struct list numbers;
	size_t capacity;
};

static struct memory memory_new(struct arena *scratch)
{
	return (struct memory){.places = ARENA_ARRAY(scratch, struct found, (size_t)1 << MEMORY_BITS)};
}

static struct found *memory_place(const struct memory *memory, const void *list)
{
	return &memory->places[mix((uintptr_t)list, 0) >> (64 - MEMORY_BITS)];
}

static void memory_add(struct arena *scratch, struct memory *memory, uint32_t number)
{
	memory->numbers.items = arena_grow(scratch, memory->numbers.items, memory->numbers.count, &memory->capacity,
	                                   sizeof number, _Alignof(uint32_t));
	memory->numbers.items[memory->numbers.count++] = number;
}

/* --- assigned --- */

/* Where a machine's role is the role's own string, its place in memory tells which. */
struct place_slot {
	const char *p; /* NULL is free */
	uint32_t n, number;
};

struct role_index {
	const struct fleet *fleet;
	struct table by_name;
	struct place_slot *by_place; /* as many as in `by_name` */
};

static uint64_t hash_place(struct str name)
{
	return mix((uintptr_t)name.p, name.n);
}

static void put_place(struct role_index *index, struct str name, uint32_t number)
{
	size_t at = hash_place(name) & index->by_name.mask;

	while (index->by_place[at].p != NULL)
		at = (at + 1) & index->by_name.mask;
	index->by_place[at] = (struct place_slot){name.p, (uint32_t)name.n, number};
}

static struct role_index index_roles(struct arena *scratch, const struct fleet *fleet)
{
	struct role_index index = {.fleet = fleet, .by_name = table_new(scratch, fleet->role_count)};

	index.by_place = ARENA_ARRAY(scratch, struct place_slot, index.by_name.mask + 1);
	for (size_t i = 0; i < fleet->role_count; i++) {
		table_put(&index.by_name, hash_str(fleet->roles[i].name), i);
		put_place(&index, fleet->roles[i].name, (uint32_t)i);
	}
	return index;
}

static uint32_t find_role_by_name(const struct role_index *index, struct str name)
{
	const struct table *table = &index->by_name;
	uint64_t hash = hash_str(name);

	for (size_t at = hash & table->mask; table->slots[at].number != 0; at = (at + 1) & table->mask) {
		uint32_t number = table->slots[at].number - 1;

		if (table->slots[at].hash == (uint32_t)(hash >> 32) && str_eq(index->fleet->roles[number].name, name))
			return number;
	}
	return NOBODY;
}

static uint32_t find_role(const struct role_index *index, struct str name)
{
	size_t mask = index->by_name.mask, at = hash_place(name) & mask;

	for (; index->by_place[at].p != NULL; at = (at + 1) & mask)
		if (index->by_place[at].p == name.p && index->by_place[at].n == name.n)
			return index->by_place[at].number;
	return find_role_by_name(index, name);
}

/* The numbers of a machine's roles, which exist: where they are in memory->numbers. */
static struct found number_roles(struct arena *scratch, const struct role_index *index, struct memory *memory,
                                 const struct machine *machine)
{
	struct found *found = memory_place(memory, machine->roles);

	if (found->list == machine->roles && found->count == machine->role_count)
		return *found;
	*found = (struct found){machine->roles, machine->role_count, (uint32_t)memory->numbers.count, 0};
	for (size_t i = 0; i < machine->role_count; i++) {
		uint32_t role = find_role(index, machine->roles[i]);

		if (role == NOBODY)
			continue;
		memory_add(scratch, memory, role);
		found->found++;
	}
	return *found;
}

/* A machine that names a role twice is its member once. */
static void assign(struct list *members, uint32_t machine)
{
	if (members->count == 0 || members->items[members->count - 1] != machine)
		members->items[members->count++] = machine;
}

/* The roles of all machines in memory->numbers; how often each role is named. */
static struct found *number_machines(struct joining *joining, struct memory *memory, uint32_t *counts)
{
	const struct fleet *fleet = joining->fleet;
	struct role_index index = index_roles(joining->scratch, fleet);
	struct found *machines = arena_raw(joining->scratch, fleet->machine_count * sizeof *machines);

	for (size_t i = 0; i < fleet->machine_count; i++) {
		machines[i] = number_roles(joining->scratch, &index, memory, &fleet->machines[i]);
		for (size_t k = 0; k < machines[i].found; k++)
			counts[memory->numbers.items[machines[i].first + k]]++;
	}
	return machines;
}

static void find_assigned(struct joining *joining)
{
	const struct fleet *fleet = joining->fleet;
	struct memory memory = memory_new(joining->scratch);
	uint32_t *counts = ARENA_ARRAY(joining->scratch, uint32_t, fleet->role_count);
	const struct found *machines = number_machines(joining, &memory, counts);

	joining->assigned = ARENA_ARRAY(joining->scratch, struct list, fleet->role_count);
	for (size_t i = 0; i < fleet->role_count; i++)
		joining->assigned[i].items = arena_raw(joining->arena, counts[i] * sizeof(uint32_t));
	for (size_t i = 0; i < fleet->machine_count; i++)
		for (size_t k = 0; k < machines[i].found; k++)
			assign(&joining->assigned[memory.numbers.items[machines[i].first + k]], (uint32_t)i);
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

/* The wanted ones among a machine's labels, as number_roles(). */
static struct found number_labels(const struct joining *joining, struct memory *memory, const struct machine *machine)
{
	struct found *found = memory_place(memory, machine->labels);

	if (found->list == machine->labels && found->count == machine->label_count)
		return *found;
	*found = (struct found){machine->labels, machine->label_count, (uint32_t)memory->numbers.count, 0};
	for (size_t i = 0; i < machine->label_count; i++) {
		const struct label *label = &machine->labels[i];
		const struct wanted_label *wanted = find_label(joining, label, hash_label(label));

		if (wanted == NULL)
			continue;
		memory_add(joining->scratch, memory, (uint32_t)(wanted - joining->wanted.items));
		found->found++;
	}
	return *found;
}

static void add_labelled(struct arena *scratch, struct wanted_label *wanted, uint32_t machine)
{
	wanted->machines.items = arena_grow(scratch, wanted->machines.items, wanted->machines.count, &wanted->capacity,
	                                    sizeof(uint32_t), _Alignof(uint32_t));
	wanted->machines.items[wanted->machines.count++] = machine;
}

static void find_labelled(struct joining *joining)
{
	const struct fleet *fleet = joining->fleet;
	struct memory memory = memory_new(joining->scratch);

	index_labels(joining);
	for (size_t i = 0; joining->wanted.count > 0 && i < fleet->machine_count; i++) {
		struct found found = number_labels(joining, &memory, &fleet->machines[i]);

		for (size_t k = 0; k < found.found; k++)
			add_labelled(joining->scratch, &joining->wanted.items[memory.numbers.items[found.first + k]],
			             (uint32_t)i);
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

/* Where each machine's roles begin in one array of all; the number of all. */
static uint32_t *place_machines(struct arena *scratch, const struct resolved *resolved, size_t *total)
{
	size_t machine_count = resolved->fleet->machine_count;
	uint32_t *start = ARENA_ARRAY(scratch, uint32_t, machine_count + 1);

	for (size_t i = 0; i < resolved->fleet->role_count; i++)
		for (size_t k = 0; k < resolved->roles[i].member_count; k++)
			start[resolved->roles[i].members[k] + 1]++;
	for (size_t i = 0; i < machine_count; i++)
		start[i + 1] += start[i];
	*total = start[machine_count];
	return start;
}

/* The other way round; roles come in ascending order, so each machine's do. */
static void give_roles(struct arena *arena, struct arena *scratch, struct resolved *resolved)
{
	size_t total;
	uint32_t *next = place_machines(scratch, resolved, &total), begun = 0;
	uint32_t *room = arena_raw(arena, total * sizeof *room);

	for (size_t i = 0; i < resolved->fleet->role_count; i++)
		for (size_t k = 0; k < resolved->roles[i].member_count; k++)
			room[next[resolved->roles[i].members[k]]++] = (uint32_t)i;
	for (size_t i = 0; i < resolved->fleet->machine_count; i++) {
		resolved->machines[i].roles = room + begun;
		resolved->machines[i].role_count = next[i] - begun;
		begun = next[i];
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
	give_roles(arena, joining.scratch, resolved);
	arena_free(joining.scratch);
}
