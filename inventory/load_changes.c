/* The inventory as it is now, from one that was loaded before: the history says which objects were touched since, only
 * those are loaded, and everything else is taken over. Trusts the history alone: what was written past its triggers
 * (session_replication_role, TRUNCATE of rule_peer) it does not see. */
#include "load.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/inventory.h"

/* What is cheaper than to load everything: objects, of so many; and changes, each of which costs a little. */
static size_t fair_share(size_t count)
{
	return 1000 + count / 5;
}

static size_t most_changes(size_t machine_count)
{
	return 4000 + machine_count / 4;
}

/* Names in order. */
struct changed {
	struct str *items;
	size_t count;
};

struct inventory_changes {
	bool everything;
	struct changed machines, roles, networks, services;
	unsigned char *parts; /* what changed of each machine; enum load_part */
	size_t machine_count; /* that there are, about */
	bool fetched;
	struct fleet now; /* if so: of the machines those parts, and of the others those that are there */
};

/* The part of the rows that is about this kind: rows are in the order of kind and name. */
static struct changed of_kind(struct arena *arena, const struct db_rows *rows, const char *kind)
{
	struct changed changed = {ARENA_ARRAY(arena, struct str, rows->count), 0};
	for (size_t i = 0; i < rows->count; i++)
		if (str_is(db_cell(rows, i, 0), kind))
			changed.items[changed.count++] = db_cell(rows, i, 1);
	return changed;
}

static int spelling_order(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The names of all three, each once. */
static struct changed united(struct arena *arena, const struct changed parts[3])
{
	struct changed all = {NULL, 0};
	size_t most = parts[0].count + parts[1].count + parts[2].count, count = 0;
	struct str *names = all.items = ARENA_ARRAY(arena, struct str, most);
	for (int i = 0; i < 3; i++)
		for (size_t j = 0; j < parts[i].count; j++)
			names[count++] = parts[i].items[j];
	if (count > 1)
		qsort(names, count, sizeof *names, spelling_order);
	for (size_t i = 0; i < count; i++)
		if (all.count == 0 || !str_eq(names[all.count - 1], names[i]))
			names[all.count++] = names[i];
	return all;
}

static void find_machines(struct arena *arena, const struct db_rows *rows, struct inventory_changes *changes)
{
	static const unsigned char part[] = {LOAD_ROW, LOAD_ADDRESSES, LOAD_MEMBERS};
	const struct changed parts[] = {of_kind(arena, rows, "machine"), of_kind(arena, rows, "address"),
	                                of_kind(arena, rows, "member")};
	changes->machines = united(arena, parts);
	changes->parts = ARENA_ARRAY(arena, unsigned char, changes->machines.count);
	for (int i = 0; i < 3; i++)
		for (size_t j = 0, place = 0; j < parts[i].count; j++) {
			while (!str_eq(changes->machines.items[place], parts[i].items[j]))
				place++;
			changes->parts[place] |= part[i];
		}
}

static struct error *find_changes(struct arena *arena, struct db *db, struct str since,
                                  struct inventory_changes *changes)
{
	struct db_rows rows;
	struct str parameters[] = {since, str_format(arena, "%zu", most_changes(changes->machine_count))};
	TRY(db_query(arena, db, db_sql("load-changes"), parameters, 2, &rows));
	changes->everything = of_kind(arena, &rows, "everything").count > 0;
	changes->roles = of_kind(arena, &rows, "role");
	changes->networks = of_kind(arena, &rows, "network");
	changes->services = of_kind(arena, &rows, "service");
	find_machines(arena, &rows, changes);
	return NULL;
}

static bool are_many(const struct inventory_changes *changes, size_t machine_count, size_t role_count)
{
	return changes->everything || changes->machines.count > fair_share(machine_count) ||
	       changes->roles.count > fair_share(role_count);
}

/* --- taking over --- */

/* A list of the fleet, of objects that begin with their name. */
struct list {
	const unsigned char *items;
	size_t count, size;
};

static struct str name_at(const struct list *list, size_t i)
{
	struct str name;
	memcpy(&name, list->items + i * list->size, sizeof name);
	return name;
}

/* The first at or behind `from` that is not before `name`. */
static size_t place_of(const struct list *list, size_t from, struct str name)
{
	size_t end = list->count;
	while (from < end) {
		size_t middle = from + (end - from) / 2;
		if (str_cmp(name_at(list, middle), name) < 0)
			from = middle + 1;
		else
			end = middle;
	}
	return from;
}

/* A list that is being put together. */
struct merging {
	unsigned char *items;
	size_t count, size;
	uint32_t *places; /* of those that are new or loaded again */
	size_t place_count;
	bool moved; /* some came or went */
};

static void take_over(struct merging *to, const struct list *from, size_t first, size_t end)
{
	if (end > first)
		memcpy(to->items + to->count * to->size, from->items + first * from->size, (end - first) * from->size);
	to->count += end - first;
}

/* An object that was loaded; its name stays where it was, if it was there, because others may share it. */
static void take_new(struct merging *to, const struct list *now, size_t i, const struct str *old)
{
	to->places[to->place_count++] = (uint32_t)to->count;
	take_over(to, now, i, i + 1);
	if (old->p != NULL)
		memcpy(to->items + (to->count - 1) * to->size, old, sizeof *old);
}

/* `before` with the objects `now` in place of those that changed; `now` has all of these that are still there. */
static struct merging merge(struct arena *arena, struct list before, struct list now, const struct changed *changed)
{
	struct merging to = {
		.items = arena_raw(arena, (before.count + now.count) * before.size),
		.size = before.size,
		.places = ARENA_ARRAY(arena, uint32_t, now.count),
	};
	size_t done = 0, used = 0;
	for (size_t i = 0; i < changed->count; i++) {
		struct str name = changed->items[i], old = {NULL, 0};
		size_t place = place_of(&before, done, name);
		take_over(&to, &before, done, place);
		done = place;
		if (place < before.count && str_eq(name_at(&before, place), name))
			old = name_at(&before, done++);
		bool is = used < now.count && str_eq(name_at(&now, used), name);
		if (is)
			take_new(&to, &now, used++, &old);
		to.moved |= is != (old.p != NULL);
	}
	assert(used == now.count);
	take_over(&to, &before, done, before.count);
	return to;
}

/* Do the same objects come as were there? */
static bool fits(struct list before, struct list now, const struct changed *changed)
{
	if (now.count != changed->count)
		return false;
	for (size_t i = 0, place = 0; i < changed->count; i++) {
		place = place_of(&before, place, changed->items[i]);
		if (place == before.count || !str_eq(name_at(&before, place), changed->items[i]))
			return false;
	}
	return true;
}

/* What merge() gives, in the memory of `before`. */
static struct merging put_in(struct arena *arena, struct list before, struct list now)
{
	struct merging to = {.items = (unsigned char *)before.items,
	                     .size = before.size,
	                     .places = ARENA_ARRAY(arena, uint32_t, now.count)};
	for (size_t i = 0, place = 0; i < now.count; i++) {
		place = place_of(&before, place, name_at(&now, i));
		struct str old = name_at(&before, place);
		to.count = place;
		take_new(&to, &now, i, &old);
	}
	to.count = before.count;
	return to;
}

#define LIST(items, count) ((struct list){(const unsigned char *)(items), (count), sizeof *(items)})

/* --- loading what changed --- */

/* Those that have one of the parts, or all. */
static struct str joined(struct arena *arena, const struct changed *changed, const unsigned char *parts, unsigned part)
{
	struct buf buf = buf_new(arena);
	for (size_t i = 0; i < changed->count; i++) {
		if (parts != NULL && !(parts[i] & part))
			continue;
		if (buf.n > 0)
			buf_char(&buf, ',');
		buf_add(&buf, changed->items[i]);
	}
	return buf.n == 0 ? STR("") : buf_str(&buf);
}

static struct error *name_changed(struct arena *scratch, struct db *db, const struct inventory_changes *changes)
{
	const struct changed *machines = &changes->machines;
	struct str names[] = {joined(scratch, machines, changes->parts, LOAD_ROW),
	                      joined(scratch, machines, changes->parts, LOAD_ADDRESSES),
	                      joined(scratch, machines, changes->parts, LOAD_MEMBERS),
	                      joined(scratch, &changes->roles, NULL, 0),
	                      joined(scratch, &changes->networks, NULL, 0),
	                      joined(scratch, &changes->services, NULL, 0)};
	return db_query(scratch, db, db_sql("load-changed-set"), names, 6, NULL);
}

static struct error *load_changed(struct loading *loading, struct inventory_changes *changes)
{
	TRY(name_changed(loading->scratch, loading->db, changes));
	TRY(load_clock(loading));
	if (changes->services.count > 0)
		TRY(load_services(loading));
	if (changes->networks.count > 0)
		TRY(load_networks(loading));
	if (changes->roles.count > 0) {
		TRY(load_roles(loading));
		TRY(load_rules(loading));
	}
	return load_machine_parts(loading, changes->machines.items, changes->parts, changes->machines.count);
}

/* The planner does not know how few rows these queries are about, and its statistics of the history may be those of
 * yesterday: it is told to use the indexes that are there for them. */
static struct error *by_indexes(struct db *db, bool yes)
{
	return db_run(db, yes ? STR("SET LOCAL enable_seqscan = off") : STR("SET LOCAL enable_seqscan TO DEFAULT"));
}

static struct error *fetch(struct arena *arena, struct db *db, struct inventory_changes *changes)
{
	struct arena *scratch = arena_new(), *rows = arena_new();
	struct loading loading = loading_new(arena, scratch, rows, db, LOAD_CHANGED, &changes->now);
	struct error *error = by_indexes(db, true);
	if (error == NULL)
		error = load_changed(&loading, changes);
	arena_free(rows);
	arena_free(scratch);
	changes->fetched = error == NULL;
	return error != NULL ? error : by_indexes(db, false);
}

/* --- from what was to what is --- */

/* One partial load: `before` becomes `after`. */
struct renewal {
	struct arena *arena;
	struct arena *machines; /* for their list; NULL: that of `before`, if it fits */
	const struct inventory_changes *changes;
	const struct fleet *before;
	struct fleet *after;
	struct inventory_touched *touched;
};

static void renew_services(struct renewal *renewal)
{
	const struct fleet *before = renewal->before, *now = &renewal->changes->now;
	if (renewal->changes->services.count == 0)
		return;
	struct merging merged = merge(renewal->arena, LIST(before->services, before->service_count),
	                              LIST(now->services, now->service_count), &renewal->changes->services);
	renewal->after->services = (void *)merged.items;
	renewal->after->service_count = merged.count;
	renewal->touched->services = true;
}

static void renew_networks(struct renewal *renewal)
{
	const struct fleet *before = renewal->before, *now = &renewal->changes->now;
	if (renewal->changes->networks.count == 0)
		return;
	struct merging merged = merge(renewal->arena, LIST(before->networks, before->network_count),
	                              LIST(now->networks, now->network_count), &renewal->changes->networks);
	renewal->after->networks = (void *)merged.items;
	renewal->after->network_count = merged.count;
	renewal->touched->networks = true;
}

static void renew_roles(struct renewal *renewal)
{
	const struct fleet *before = renewal->before, *now = &renewal->changes->now;
	if (renewal->changes->roles.count == 0)
		return;
	struct merging merged = merge(renewal->arena, LIST(before->roles, before->role_count),
	                              LIST(now->roles, now->role_count), &renewal->changes->roles);
	renewal->after->roles = (void *)merged.items;
	renewal->after->role_count = merged.count;
	renewal->touched->roles = true;
}

/* Names of roles are those of the fleet's roles. */
static struct error *look_up_roles(const struct fleet *fleet, struct machine *machine)
{
	for (size_t i = 0; i < machine->role_count; i++) {
		const struct role *role = fleet_role(fleet, machine->roles[i]);
		if (role == NULL)
			return load_orphan(&(struct loading){.which = LOAD_CHANGED}, "role", machine->roles[i]);
		machine->roles[i] = role->name;
	}
	return NULL;
}

/* The parts that did not change are as they were. `was`: NULL if it was not there. */
static void complete(struct machine *machine, const struct machine *was, unsigned parts)
{
	struct machine fetched = *machine;
	if (was == NULL)
		return;
	if (!(parts & LOAD_ROW))
		*machine = *was;
	machine->addresses = parts & LOAD_ADDRESSES ? fetched.addresses : was->addresses;
	machine->address_count = parts & LOAD_ADDRESSES ? fetched.address_count : was->address_count;
	machine->roles = parts & LOAD_MEMBERS ? fetched.roles : was->roles;
	machine->role_count = parts & LOAD_MEMBERS ? fetched.role_count : was->role_count;
}

/* Of the machines that changed, those that are there, whole. */
static struct error *complete_machines(struct renewal *renewal, struct list *now)
{
	const struct inventory_changes *changes = renewal->changes;
	const struct fleet *before = renewal->before;
	struct list old = LIST(before->machines, before->machine_count);
	struct machine *machines = changes->now.machines;
	size_t count = 0;
	for (size_t i = 0, place = 0; i < changes->machines.count; i++) {
		struct machine *machine = &machines[i];
		unsigned parts = changes->parts[i];
		place = place_of(&old, place, machine->name);
		bool was = place < old.count && str_eq(before->machines[place].name, machine->name);
		if (parts & LOAD_ROW ? !(parts & LOAD_THERE) : !was)
			continue;
		if (parts & LOAD_MEMBERS)
			TRY(look_up_roles(renewal->after, machine));
		complete(machine, was ? &before->machines[place] : NULL, parts);
		machines[count++] = *machine;
	}
	*now = LIST(machines, count);
	return NULL;
}

/* Behind the roles, which memberships refer to. */
static struct error *renew_machines(struct renewal *renewal)
{
	const struct fleet *before = renewal->before;
	const struct changed *changed = &renewal->changes->machines;
	if (changed->count == 0)
		return NULL;
	struct list old = LIST(before->machines, before->machine_count), now;
	TRY(complete_machines(renewal, &now));
	bool alone = renewal->machines == NULL;
	struct arena *arena = alone ? renewal->arena : renewal->machines;
	struct merging merged = alone && fits(old, now, changed) ? put_in(arena, old, now)
	                                                         : merge(arena, old, now, changed);
	renewal->after->machines = (void *)merged.items;
	renewal->after->machine_count = merged.count;
	renewal->touched->machines = merged.places;
	renewal->touched->machine_count = merged.place_count;
	renewal->touched->machines_moved = merged.moved;
	return NULL;
}

static struct error *renew(struct renewal *renewal)
{
	*renewal->after = *renewal->before;
	*renewal->touched = (struct inventory_touched){0};
	renewal->after->clock = renewal->changes->now.clock;
	renew_services(renewal);
	renew_networks(renewal);
	renew_roles(renewal);
	return renew_machines(renewal);
}

static struct error *renew_all(struct arena *arena, struct db *db, struct fleet *after,
                               struct inventory_touched *touched)
{
	TRY(inventory_load(arena, db, after));
	*touched = (struct inventory_touched){
		.machines = ARENA_ARRAY(arena, uint32_t, after->machine_count),
		.machine_count = after->machine_count,
		.machines_moved = true,
		.roles = true,
		.networks = true,
		.services = true,
	};
	for (size_t i = 0; i < after->machine_count; i++)
		touched->machines[i] = (uint32_t)i;
	return NULL;
}

/* --- the steps --- */

struct error *inventory_find_changes(struct arena *arena, struct db *db, struct str since, size_t machine_count,
                                     struct inventory_changes **changes)
{
	*changes = ARENA_NEW(arena, struct inventory_changes);
	(*changes)->everything = since.n == 0;
	(*changes)->machine_count = machine_count;
	if (since.n == 0)
		return NULL;
	TRY(by_indexes(db, true));
	TRY(find_changes(arena, db, since, *changes));
	return by_indexes(db, false);
}

/* Addresses or memberships that came for a machine of which neither `before` nor the history knows: somebody wrote past
 * the triggers. */
static bool names_strangers(const struct inventory_changes *changes, const struct fleet *before)
{
	for (size_t i = 0; i < changes->machines.count; i++) {
		const struct machine *machine = &changes->now.machines[i];

		if (!(changes->parts[i] & LOAD_ROW) && machine->address_count + machine->role_count > 0 &&
		    fleet_machine(before, machine->name) == NULL)
			return true;
	}
	return false;
}

size_t inventory_changes_count(const struct inventory_changes *changes)
{
	if (changes->everything)
		return SIZE_MAX;
	return changes->machines.count + changes->roles.count + changes->networks.count + changes->services.count;
}

struct error *inventory_fetch_found(struct arena *arena, struct db *db, struct inventory_changes *changes)
{
	return are_many(changes, changes->machine_count, 0) ? NULL : fetch(arena, db, changes);
}

struct error *inventory_load_found(struct arena *arena, struct arena *machines, struct db *db,
                                   struct inventory_changes *changes, const struct fleet *before,
                                   struct fleet *after, struct inventory_touched *touched)
{
	struct renewal renewal = {arena, machines, changes, before, after, touched};
	if (!changes->fetched && are_many(changes, before->machine_count, before->role_count))
		return renew_all(arena, db, after, touched);
	if (!changes->fetched)
		TRY(fetch(arena, db, changes));
	return names_strangers(changes, before) ? renew_all(arena, db, after, touched) : renew(&renewal);
}

struct error *inventory_load_changes(struct arena *arena, struct arena *machines, struct db *db, struct str since,
                                     const struct fleet *before, struct fleet *after,
                                     struct inventory_touched *touched)
{
	struct arena *scratch = arena_new();
	struct inventory_changes *changes;
	struct error *error = inventory_find_changes(scratch, db, since, before->machine_count, &changes);
	if (error == NULL)
		error = inventory_load_found(arena, machines, db, changes, before, after, touched);
	arena_free(scratch);
	return error;
}
