/* What a push would do: positions of the published generation against what the ledger says that machines confirmed. One
 * look at the store, one at the ledger; nobody is contacted, nothing is written. */
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "select.h"

/* What is put together, and from what. */
struct planner {
	struct arena *arena;
	struct push_plan *plan;
	const struct generation *generation;
	const struct position **of; /* of each line of the manifest */
	struct machine_state *states;
	size_t state_count;
	struct contact *contacts; /* sorted by name; of all, or of those that differ */
	size_t contact_count;
	struct str *names; /* that were selected */
	size_t name_count;
};

struct names {
	struct str *items;
	size_t count, capacity;
};

static int state_order(const void *a, const void *b)
{
	return str_cmp(((const struct machine_state *)a)->machine, ((const struct machine_state *)b)->machine);
}

static int contact_order(const void *a, const void *b)
{
	return str_cmp(((const struct contact *)a)->machine, ((const struct contact *)b)->machine);
}

/* What a machine has is what it confirmed, unless somebody saw that it is not, or it was offered something else since:
 * that may have been confirmed without our hearing of it. Then we go and ask; it answers that it has it already, if so.
 */
static bool is_unchanged(const struct machine_state *state, const struct position *position)
{
	const struct held *confirmed = &state->confirmed, *offered = &state->offered;

	return confirmed->generation != 0 && !state->whole && digest_eq(&confirmed->position, &position->digest) &&
	       (offered->generation == 0 || digest_eq(&offered->position, &confirmed->position));
}

static void add_item(struct planner *planner, const struct machine_state *state, const struct position *position)
{
	struct plan_item *item = &planner->plan->items[planner->plan->count++];

	*item = (struct plan_item){
		.work = {.machine = state->machine, .ruleset = position->ruleset, .position = position->digest},
		.position = position,
		.state = *state,
		.first = state->confirmed.generation == 0 && state->machine_id.n == 0,
		.enforce = position->mode != POSITION_MONITOR,
	};
}

/* Nobody can tell whether it would differ; who works on the run says what is wrong, and what to do. */
static void add_damaged(struct planner *planner, const struct machine_state *state, const struct digest *ruleset)
{
	planner->plan->damaged++;
	planner->plan->items[planner->plan->count++] = (struct plan_item){
		.work = {.machine = state->machine, .ruleset = *ruleset}, .state = *state, .damaged = true};
}

/* One selected machine, what both sides know of it (either may be nothing), and its ruleset, if it can be read. */
static void consider(struct planner *planner, struct str name, const struct machine_state *state,
                     const struct entry *line, const struct position *position, struct names *unmanaged,
                     struct names *frozen)
{
	struct machine_state nothing = {.machine = name};

	if (state == NULL)
		state = &nothing;
	if (line == NULL) {
		if (state->confirmed.generation != 0)
			APPEND(planner->arena, unmanaged, name);
	} else if (position != NULL && is_unchanged(state, position)) {
		planner->plan->unchanged++;
	} else if (state->frozen.n > 0) {
		APPEND(planner->arena, frozen, name);
	} else if (position == NULL) {
		add_damaged(planner, state, &line->digest);
	} else {
		add_item(planner, state, position);
	}
}

/* The three lists are sorted by name: each is gone through once. */
static void merge(struct planner *planner)
{
	const struct generation *generation = planner->generation;
	struct names unmanaged = {NULL, 0, 0}, frozen = {NULL, 0, 0};
	size_t line = 0, at = 0;

	for (size_t i = 0; i < planner->name_count; i++) {
		struct str name = planner->names[i];
		bool has_ruleset, is_known;

		while (line < generation->machine_count && str_cmp(generation->manifest[line].name, name) < 0)
			line++;
		while (at < planner->state_count && str_cmp(planner->states[at].machine, name) < 0)
			at++;
		has_ruleset = line < generation->machine_count && str_eq(generation->manifest[line].name, name);
		is_known = at < planner->state_count && str_eq(planner->states[at].machine, name);
		consider(planner, name, is_known ? &planner->states[at] : NULL,
		         has_ruleset ? &generation->manifest[line] : NULL, has_ruleset ? planner->of[line] : NULL,
		         &unmanaged, &frozen);
	}
	planner->plan->unmanaged = unmanaged.items;
	planner->plan->unmanaged_count = unmanaged.count;
	planner->plan->frozen_machines = frozen.items;
	planner->plan->frozen = frozen.count;
}

/* Everything that the inventory, the ledger or the generation knows, sorted, each once. */
static struct str *known_names(struct planner *planner, size_t *count)
{
	const struct generation *generation = planner->generation;
	struct str *names = ARENA_ARRAY(planner->arena, struct str, generation->machine_count + planner->state_count);
	size_t line = 0, at = 0;

	*count = 0;
	while (line < generation->machine_count || at < planner->state_count) {
		int order = line == generation->machine_count ? 1
		          : at == planner->state_count
		                  ? -1
		                  : str_cmp(generation->manifest[line].name, planner->states[at].machine);

		names[(*count)++] = order <= 0 ? generation->manifest[line].name : planner->states[at].machine;
		line += order <= 0;
		at += order >= 0;
	}
	return names;
}

static struct error *select_machines(struct planner *planner, struct db *db, const struct selection *selection)
{
	struct str *known;
	size_t count;

	if (select_has_roles(selection))
		TRY(ledger_contacts(planner->arena, db, NULL, 0, &planner->contacts, &planner->contact_count));
	known = known_names(planner, &count);
	return select_names(planner->arena, selection, known, count, planner->contacts, planner->contact_count,
	                    &planner->names, &planner->name_count);
}

/* How to reach those that differ. One that the inventory has no more, or that is disabled, is nobody's to change. */
static struct error *reach(struct planner *planner, struct db *db)
{
	struct push_plan *plan = planner->plan;
	struct str *names = ARENA_ARRAY(planner->arena, struct str, plan->count);
	size_t kept = 0;

	if (plan->count == 0)
		return NULL;
	for (size_t i = 0; i < plan->count; i++)
		names[i] = plan->items[i].work.machine;
	TRY(ledger_contacts(planner->arena, db, names, plan->count, &planner->contacts, &planner->contact_count));
	if (planner->contact_count > 1)
		qsort(planner->contacts, planner->contact_count, sizeof *planner->contacts, contact_order);
	for (size_t i = 0; i < plan->count; i++) {
		struct contact wanted = {.machine = names[i]}, *contact = NULL;

		if (planner->contact_count > 0)
			contact = bsearch(&wanted, planner->contacts, planner->contact_count, sizeof wanted,
			                  contact_order);
		if (contact == NULL || !contact->enabled) {
			plan->damaged -= plan->items[i].damaged;
			continue;
		}
		plan->items[kept] = plan->items[i];
		plan->items[kept++].contact = *contact;
	}
	plan->count = kept;
	return NULL;
}

static struct error *make_plan(struct planner *planner, struct db *db, const struct push_settings *settings,
                               const struct selection *selection)
{
	struct push_plan *plan = planner->plan;

	TRY(ledger_machines(planner->arena, db, NULL, 0, &planner->states, &planner->state_count));
	if (planner->state_count > 1)
		qsort(planner->states, planner->state_count, sizeof *planner->states, state_order);
	TRY(select_machines(planner, db, selection));
	if (planner->generation->number == 0)
		return error_hint(error_new(ERROR_SURROUNDINGS, "nothing is published in %.*s",
		                            STR_ARG(settings->output)),
		                  "fleetwall generate publishes what the inventory says");
	plan->items = ARENA_ARRAY(planner->arena, struct plan_item, planner->name_count);
	merge(planner);
	TRY(reach(planner, db));
	plan->waves = push_waves(planner->arena, plan->items, plan->count);
	return NULL;
}

struct error *push_plan(struct arena *arena, struct db *db, const struct push_settings *settings,
                        const struct selection *selection, struct positions **positions, struct push_plan *plan)
{
	static const struct generation none;
	struct planner planner = {.arena = arena, .plan = plan, .generation = &none};
	uint64_t number = store_current(settings->output);

	*plan = (struct push_plan){0};
	/* Without one, a name that there is not is still said first. */
	if (number > 0) {
		TRY(positions_open(arena, settings->output, number, positions));
		planner.of = positions_all(*positions);
		planner.generation = positions_generation(*positions);
	}
	plan->generation = planner.generation->number;
	plan->digest = planner.generation->digest;
	return make_plan(&planner, db, settings, selection);
}

struct error *push_permitted(const struct push_settings *settings, const struct push_plan *plan)
{
	size_t enforced = 0;

	for (size_t i = 0; i < plan->count; i++)
		enforced += plan->items[i].enforce;
	if (settings->management_count > 0 || enforced == 0)
		return NULL;
	return error_hint(
		error_new(ERROR_GUARD,
	                  "%zu machine%s would be changed, and no management sources are configured: "
	                  "nothing would make sure that fleetwall gets in again",
	                  enforced, str_plural(enforced)),
		"set `management` to the addresses that fleetwall connects from, and generate again; machines in "
		"monitor need none");
}
