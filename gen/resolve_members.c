/* Membership: assigned, selected by labels, and a machine's own role. Every run does this for the whole fleet, so it is
 * done by counting and by position: machines are taken in their order, in as many portions as there are workers, and
 * nothing is sorted. */
#include "resolve_members.h"

#include <assert.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/parallel.h"
#include "resolve_index.h"

/* Machines in ascending order. */
struct list {
	uint32_t *items;
	size_t count, capacity;
};

/* Some machines that follow each other, and what one worker finds out about them. */
struct portion {
	struct arena *scratch;
	size_t begin, end;
	struct memory roles, labels;
	struct found *assigned; /* by machine, from `begin` */
	uint32_t *places; /* by role: how many of them are assigned it; then where the next one goes in its list */
	struct list *labelled;  /* by label that is asked for */
	uint32_t *room;         /* by machine: how many roles; then where its next one goes, from `first` */
	size_t first;           /* of all memberships, where theirs begin */
};

struct joining {
	struct arena *arena, *scratch;
	struct resolved *resolved;
	const struct fleet *fleet;
	struct role_index role_index;
	struct label_index label_index;
	struct list *assigned, *labelled; /* by role; by label */
	uint32_t *memberships;            /* roles of all machines, one machine after the other */
	struct portion *portions;
	unsigned portion_count;
};

/* --- what each machine says --- */

static void number_assigned(const struct joining *joining, struct portion *portion)
{
	portion->roles = memory_new(portion->scratch);
	portion->assigned = arena_raw(portion->scratch, (portion->end - portion->begin) * sizeof(struct found));
	portion->places = ARENA_ARRAY(portion->scratch, uint32_t, joining->fleet->role_count);
	for (size_t i = portion->begin; i < portion->end; i++) {
		struct found found = memory_roles(&portion->roles, &joining->role_index, &joining->fleet->machines[i]);

		portion->assigned[i - portion->begin] = found;
		for (size_t k = 0; k < found.count; k++)
			portion->places[portion->roles.numbers[found.first + k]]++;
	}
}

static void find_labelled(const struct joining *joining, struct portion *portion)
{
	size_t label_count = joining->label_index.labels.count;

	portion->labels = memory_new(portion->scratch);
	portion->labelled = ARENA_ARRAY(portion->scratch, struct list, label_count);
	for (size_t i = portion->begin; label_count > 0 && i < portion->end; i++) {
		struct found found =
			memory_labels(&portion->labels, &joining->label_index, &joining->fleet->machines[i]);

		for (size_t k = 0; k < found.count; k++)
			APPEND(portion->scratch, &portion->labelled[portion->labels.numbers[found.first + k]],
			       (uint32_t)i);
	}
}

static struct error *read_portion(void *context, unsigned worker, size_t item)
{
	const struct joining *joining = context;

	(void)worker;
	number_assigned(joining, &joining->portions[item]);
	find_labelled(joining, &joining->portions[item]);
	return NULL;
}

/* --- assigned --- */

/* Room for all that are assigned a role, and where in it each portion's begin. */
static void place_assigned(struct joining *joining)
{
	joining->assigned = ARENA_ARRAY(joining->scratch, struct list, joining->fleet->role_count);
	for (size_t i = 0; i < joining->fleet->role_count; i++) {
		struct list *list = &joining->assigned[i];

		for (unsigned k = 0; k < joining->portion_count; k++) {
			uint32_t count = joining->portions[k].places[i];

			joining->portions[k].places[i] = (uint32_t)list->count;
			list->count += count;
		}
		list->items = arena_raw(joining->arena, list->count * sizeof *list->items);
	}
}

static struct error *fill_assigned(void *context, unsigned worker, size_t item)
{
	const struct joining *joining = context;
	const struct portion *portion = &joining->portions[item];

	(void)worker;
	for (size_t i = portion->begin; i < portion->end; i++) {
		struct found found = portion->assigned[i - portion->begin];

		for (size_t k = 0; k < found.count; k++) {
			uint32_t role = portion->roles.numbers[found.first + k];

			joining->assigned[role].items[portion->places[role]++] = (uint32_t)i;
		}
	}
	return NULL;
}

/* --- selected --- */

static void join_labelled(struct joining *joining)
{
	size_t label_count = joining->label_index.labels.count;

	joining->labelled = ARENA_ARRAY(joining->scratch, struct list, label_count);
	for (size_t i = 0; i < label_count; i++) {
		struct list *list = &joining->labelled[i];
		size_t total = 0;

		for (unsigned k = 0; k < joining->portion_count; k++)
			total += joining->portions[k].labelled[i].count;
		list->items = arena_raw(joining->scratch, total * sizeof *list->items);
		for (unsigned k = 0; k < joining->portion_count; k++) {
			const struct list *some = &joining->portions[k].labelled[i];

			if (some->count > 0)
				memcpy(list->items + list->count, some->items, some->count * sizeof *some->items);
			list->count += some->count;
		}
	}
}

/* The machines of the selector's rarest label. */
static const struct list *rarest(const struct joining *joining, const struct role *role)
{
	const struct list *best = NULL;

	for (size_t i = 0; i < role->selector_count; i++) {
		const struct list *list =
			&joining->labelled[label_index_find(&joining->label_index, &role->selector[i])];

		if (best == NULL || list->count < best->count)
			best = list;
	}
	return best;
}

static struct list everybody(struct arena *arena, const struct fleet *fleet)
{
	struct list list = {.items = arena_raw(arena, fleet->machine_count * sizeof(uint32_t))};

	for (; list.count < fleet->machine_count; list.count++)
		list.items[list.count] = (uint32_t)list.count;
	return list;
}

static struct list select_members(const struct joining *joining, const struct role *role)
{
	const struct list *some;
	struct list found = {0};

	if (role->selector_count == 0)
		return everybody(joining->arena, joining->fleet);
	some = rarest(joining, role);
	found.items = arena_raw(joining->arena, some->count * sizeof *found.items);
	for (size_t i = 0; i < some->count; i++) {
		const struct machine *machine = &joining->fleet->machines[some->items[i]];

		if (role->selector_count == 1 ||
		    labels_contain(machine->labels, machine->label_count, role->selector, role->selector_count))
			found.items[found.count++] = some->items[i];
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

static void give_members(struct joining *joining)
{
	for (size_t i = 0; i < joining->fleet->role_count; i++) {
		struct list members = join(joining->arena, joining->assigned[i],
		                           extra_members(joining, &joining->fleet->roles[i]));

		joining->resolved->roles[i].members = members.items;
		joining->resolved->roles[i].member_count = members.count;
	}
}

/* --- the other way round --- */

/* The first member that is not before `machine`. */
static size_t members_before(const struct resolved_role *role, size_t machine)
{
	size_t low = 0, high = role->member_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (role->members[middle] < machine)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct error *count_roles(void *context, unsigned worker, size_t item)
{
	const struct joining *joining = context;
	struct portion *portion = &joining->portions[item];
	size_t total = 0;

	(void)worker;
	portion->room = ARENA_ARRAY(portion->scratch, uint32_t, portion->end - portion->begin);
	for (size_t i = 0; i < joining->fleet->role_count; i++) {
		const struct resolved_role *role = &joining->resolved->roles[i];

		for (size_t k = members_before(role, portion->begin);
		     k < role->member_count && role->members[k] < portion->end; k++)
			portion->room[role->members[k] - portion->begin]++;
	}
	for (size_t i = 0; i < portion->end - portion->begin; i++) {
		uint32_t count = portion->room[i];

		portion->room[i] = (uint32_t)total;
		total += count;
	}
	portion->first = total; /* for place_memberships() */
	return NULL;
}

static void place_memberships(struct joining *joining)
{
	size_t total = 0;

	for (unsigned i = 0; i < joining->portion_count; i++) {
		size_t count = joining->portions[i].first;

		joining->portions[i].first = total;
		total += count;
	}
	joining->memberships = arena_raw(joining->arena, total * sizeof *joining->memberships);
}

/* Roles come in ascending order, so each machine's do. */
static struct error *give_roles(void *context, unsigned worker, size_t item)
{
	const struct joining *joining = context;
	const struct portion *portion = &joining->portions[item];
	uint32_t *memberships = joining->memberships + portion->first, begun = 0;

	(void)worker;
	for (size_t i = 0; i < joining->fleet->role_count; i++) {
		const struct resolved_role *role = &joining->resolved->roles[i];

		for (size_t k = members_before(role, portion->begin);
		     k < role->member_count && role->members[k] < portion->end; k++)
			memberships[portion->room[role->members[k] - portion->begin]++] = (uint32_t)i;
	}
	for (size_t i = portion->begin; i < portion->end; i++) {
		uint32_t ended = portion->room[i - portion->begin];

		joining->resolved->machines[i].roles = memberships + begun;
		joining->resolved->machines[i].role_count = ended - begun;
		begun = ended;
	}
	return NULL;
}

/* --- all of it --- */

static void divide(struct joining *joining, unsigned portions)
{
	size_t count = joining->fleet->machine_count;

	joining->portions = ARENA_ARRAY(joining->scratch, struct portion, portions);
	joining->portion_count = portions;
	for (unsigned i = 0; i < portions; i++) {
		joining->portions[i].scratch = arena_new();
		joining->portions[i].begin = count * i / portions;
		joining->portions[i].end = count * (i + 1) / portions;
	}
}

/* None of these can fail. */
static void each_portion(struct joining *joining, parallel_item *work)
{
	struct error *error = parallel_each(joining->portion_count, joining->portion_count, work, joining);

	assert(error == NULL);
	(void)error;
}

void resolve_members(struct arena *arena, struct resolved *resolved, unsigned workers)
{
	struct joining joining = {
		.arena = arena, .scratch = arena_new(), .resolved = resolved, .fleet = resolved->fleet};

	joining.role_index = role_index_new(joining.scratch, resolved->fleet);
	joining.label_index = label_index_new(joining.scratch, resolved->fleet);
	divide(&joining, workers);
	each_portion(&joining, read_portion);
	place_assigned(&joining);
	each_portion(&joining, fill_assigned);
	join_labelled(&joining);
	give_members(&joining);
	each_portion(&joining, count_roles);
	place_memberships(&joining);
	each_portion(&joining, give_roles);
	for (unsigned i = 0; i < joining.portion_count; i++)
		arena_free(joining.portions[i].scratch);
	arena_free(joining.scratch);
}
