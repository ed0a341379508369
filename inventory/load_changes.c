/* The inventory as it is now, from one that was loaded before: the history says which objects were touched since, only
 * those are loaded, and everything else is taken over. Trusts the history alone: what was written past its triggers
 * (session_replication_role, TRUNCATE of rule_peer) it does not see. */
#include "load.h"

#include <assert.h>
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

static struct error *find_changes(struct arena *arena, struct db *db, struct str since, size_t machine_count,
                                  struct inventory_changes *changes)
{
	struct db_rows rows;
	struct str parameters[] = {since, str_format(arena, "%zu", most_changes(machine_count))};
	TRY(db_query(arena, db, db_sql("load-changes"), parameters, 2, &rows));
	*changes = (struct inventory_changes){
		.everything = of_kind(arena, &rows, "everything").count > 0,
		.machines = of_kind(arena, &rows, "machine"),
		.roles = of_kind(arena, &rows, "role"),
		.networks = of_kind(arena, &rows, "network"),
		.services = of_kind(arena, &rows, "service"),
	};
	return NULL;
}

static bool are_many(const struct inventory_changes *changes, const struct fleet *before)
{
	return changes->everything || changes->machines.count > fair_share(before->machine_count) ||
	       changes->roles.count > fair_share(before->role_count);
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

/* One partial load: `before` becomes `after`. */
struct renewal {
	struct loading loading;
	struct arena *machines; /* for their list; NULL: that of `before`, if it fits */
	const struct inventory_changes *changes;
	const struct fleet *before;
	struct fleet part, *after;
	struct inventory_touched *touched;
};

static struct str joined(struct arena *arena, const struct changed *changed)
{
	struct buf buf = buf_new(arena);
	for (size_t i = 0; i < changed->count; i++) {
		if (i > 0)
			buf_char(&buf, ',');
		buf_add(&buf, changed->items[i]);
	}
	return buf.n == 0 ? STR("") : buf_str(&buf);
}

static struct error *name_changed(struct arena *scratch, struct db *db, const struct inventory_changes *changes)
{
	struct str names[] = {joined(scratch, &changes->machines), joined(scratch, &changes->roles),
	                      joined(scratch, &changes->networks), joined(scratch, &changes->services)};
	return db_query(scratch, db, db_sql("load-changed-set"), names, 4, NULL);
}

static struct error *renew_services(struct renewal *renewal)
{
	const struct fleet *before = renewal->before, *part = &renewal->part;
	if (renewal->changes->services.count == 0)
		return NULL;
	TRY(load_services(&renewal->loading));
	struct merging merged = merge(renewal->loading.arena, LIST(before->services, before->service_count),
	                              LIST(part->services, part->service_count), &renewal->changes->services);
	renewal->after->services = (void *)merged.items;
	renewal->after->service_count = merged.count;
	renewal->touched->services = true;
	return NULL;
}

static struct error *renew_networks(struct renewal *renewal)
{
	const struct fleet *before = renewal->before, *part = &renewal->part;
	if (renewal->changes->networks.count == 0)
		return NULL;
	TRY(load_networks(&renewal->loading));
	struct merging merged = merge(renewal->loading.arena, LIST(before->networks, before->network_count),
	                              LIST(part->networks, part->network_count), &renewal->changes->networks);
	renewal->after->networks = (void *)merged.items;
	renewal->after->network_count = merged.count;
	renewal->touched->networks = true;
	return NULL;
}

static struct error *renew_roles(struct renewal *renewal)
{
	const struct fleet *before = renewal->before, *part = &renewal->part;
	if (renewal->changes->roles.count == 0)
		return NULL;
	TRY(load_roles(&renewal->loading));
	TRY(load_rules(&renewal->loading));
	struct merging merged = merge(renewal->loading.arena, LIST(before->roles, before->role_count),
	                              LIST(part->roles, part->role_count), &renewal->changes->roles);
	renewal->after->roles = (void *)merged.items;
	renewal->after->role_count = merged.count;
	renewal->touched->roles = true;
	return NULL;
}

/* Behind the roles, which memberships refer to. */
static struct error *renew_machines(struct renewal *renewal)
{
	const struct fleet *before = renewal->before, *part = &renewal->part;
	if (renewal->changes->machines.count == 0)
		return NULL;
	renewal->loading.whole = renewal->after;
	TRY(load_machines(&renewal->loading));
	struct list old = LIST(before->machines, before->machine_count);
	struct list now = LIST(part->machines, part->machine_count);
	const struct changed *changed = &renewal->changes->machines;
	bool alone = renewal->machines == NULL;
	struct arena *arena = alone ? renewal->loading.arena : renewal->machines;
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
	struct loading *loading = &renewal->loading;
	*renewal->after = *renewal->before;
	*renewal->touched = (struct inventory_touched){0};
	TRY(name_changed(loading->scratch, loading->db, renewal->changes));
	TRY(load_clock(loading));
	renewal->after->clock = renewal->part.clock;
	TRY(renew_services(renewal));
	TRY(renew_networks(renewal));
	TRY(renew_roles(renewal));
	return renew_machines(renewal);
}

static struct error *renew_some(struct arena *arena, struct arena *scratch, struct db *db, struct renewal *renewal)
{
	struct arena *rows = arena_new();
	renewal->loading = loading_new(arena, scratch, rows, db, LOAD_CHANGED, &renewal->part);
	struct error *error = renew(renewal);
	arena_free(rows);
	return error;
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

/* The planner does not know how few rows these queries are about, and its statistics of the history may be those of
 * yesterday: it is told to use the indexes that are there for them. */
static struct error *by_indexes(struct db *db, bool yes)
{
	return db_run(db, yes ? STR("SET LOCAL enable_seqscan = off") : STR("SET LOCAL enable_seqscan TO DEFAULT"));
}

struct error *inventory_find_changes(struct arena *arena, struct db *db, struct str since, size_t machine_count,
                                     struct inventory_changes **changes)
{
	*changes = ARENA_NEW(arena, struct inventory_changes);
	(*changes)->everything = since.n == 0;
	if (since.n == 0)
		return NULL;
	TRY(by_indexes(db, true));
	TRY(find_changes(arena, db, since, machine_count, *changes));
	return by_indexes(db, false);
}

size_t inventory_changes_count(const struct inventory_changes *changes)
{
	if (changes->everything)
		return SIZE_MAX;
	return changes->machines.count + changes->roles.count + changes->networks.count + changes->services.count;
}

struct error *inventory_load_found(struct arena *arena, struct arena *machines, struct db *db,
                                   const struct inventory_changes *changes, const struct fleet *before,
                                   struct fleet *after, struct inventory_touched *touched)
{
	struct renewal renewal = {
		.machines = machines, .changes = changes, .before = before, .after = after, .touched = touched};
	if (are_many(changes, before))
		return renew_all(arena, db, after, touched);
	TRY(by_indexes(db, true));
	struct arena *scratch = arena_new();
	struct error *error = renew_some(arena, scratch, db, &renewal);
	arena_free(scratch);
	return error != NULL ? error : by_indexes(db, false);
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
