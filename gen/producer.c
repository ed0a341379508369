/* resolve() and produce() in a process that stays. Decides what may be taken over from the call before: only what the
 * caller's step says is untouched, and only if that step begins at the very fleet that was seen last. After an error
 * nothing is. */
#include "fleetwall/produce.h"

#include <string.h>

#include "fleetwall/arena.h"
#include "produce_worker.h"
#include "resolve_update.h"

/* Of memory that small changes have added, bytes: more is given back by beginning anew. */
#define MEMBERS_GROW ((size_t)32 << 20)

struct producer {
	struct arena *arena;
	struct arena *members; /* of `resolved` */
	size_t fresh;          /* size of `members` when it was new */
	bool usable;
	struct fleet fleet; /* of the last call */
	struct digest base;
	struct resolved *resolved;
	struct production *production;
	size_t ruleset_count, set_count; /* of what the last call left to be known */
	struct secret secret;
};

struct producer *producer_new(void)
{
	struct arena *arena = arena_new();
	struct producer *producer = ARENA_NEW(arena, struct producer);

	*producer = (struct producer){.arena = arena, .members = arena_new(), .production = production_new()};
	return producer;
}

void producer_free(struct producer *producer)
{
	struct arena *arena;

	if (producer == NULL)
		return;
	arena = producer->arena;
	arena_free(producer->members);
	production_free(producer->production);
	arena_free(arena);
}

static bool same_fleet(const struct fleet *a, const struct fleet *b)
{
	return a->machines == b->machines && a->machine_count == b->machine_count && a->roles == b->roles &&
	       a->role_count == b->role_count && a->networks == b->networks && a->services == b->services &&
	       a->clock == b->clock;
}

/* Is all that was made still known? */
static bool knows_all(const struct producer *producer, const struct knowledge *known)
{
	return known != NULL && known->ruleset_count == producer->ruleset_count &&
	       known->set_count == producer->set_count &&
	       memcmp(&known->secret, &producer->secret, sizeof known->secret) == 0;
}

/* Is it a small step from what is here? */
static bool goes_on(const struct producer *producer, const struct fleet *fleet, const struct fleet_step *step,
                    const struct rendition *rendition, const struct knowledge *known)
{
	return producer->usable && step != NULL && same_fleet(&producer->fleet, step->before) &&
	       knows_all(producer, known) && digest_eq(&producer->base, &rendition->base) &&
	       fleet->machine_count == step->before->machine_count &&
	       step->machine_count <= fleet->machine_count / 8 && roles_select_alike(&producer->fleet, fleet) &&
	       !production_is_stale(producer->production) &&
	       arena_size(producer->members) <= producer->fresh + MEMBERS_GROW;
}

static void begin_anew(struct producer *producer, const struct fleet *fleet)
{
	arena_free(producer->members);
	producer->members = arena_new();
	producer->resolved = resolve(producer->members, fleet);
	producer->fresh = arena_size(producer->members);
}

/* As a peer: what sets hold of it. */
static bool peer_same(const struct machine *a, const struct machine *b)
{
	if (a->enabled != b->enabled || a->address_count != b->address_count)
		return false;
	for (size_t i = 0; a->addresses != b->addresses && i < a->address_count; i++)
		if (addr_cmp(a->addresses[i].addr, b->addresses[i].addr) != 0 ||
		    !str_eq(a->addresses[i].label, b->addresses[i].label))
			return false;
	return true;
}

static bool any(const bool *items, size_t count)
{
	return count > 0 && memchr(items, true, count) != NULL;
}

/* The memo, in `scratch`, once what was resolved says what `fleet` says. */
static struct memo go_on(struct producer *producer, struct arena *scratch, const struct fleet *fleet,
                         const struct fleet_step *step)
{
	const struct fleet *before = step->before;
	bool *members = ARENA_ARRAY(scratch, bool, fleet->role_count);
	bool *rules = ARENA_ARRAY(scratch, bool, fleet->role_count);
	bool *peers = ARENA_ARRAY(scratch, bool, fleet->machine_count);

	for (size_t i = 0; i < step->machine_count; i++) {
		uint32_t number = step->machines[i];

		peers[number] = !peer_same(&before->machines[number], &fleet->machines[number]);
	}
	resolve_update(producer->members, producer->resolved, fleet, step->machines, step->machine_count, peers,
	               members, rules);
	return (struct memo){
		.machines = step->machines,
		.machine_count = step->machine_count,
		.peers = peers,
		.members = members,
		.rules = rules,
		.any_rules = any(rules, fleet->role_count),
		.services = before->services != fleet->services || before->service_count != fleet->service_count,
		.networks = before->networks != fleet->networks || before->network_count != fleet->network_count,
	};
}

/* What this call leaves for the next. */
static void keep(struct producer *producer, const struct fleet *fleet, const struct rendition *rendition,
                 const struct knowledge *made)
{
	producer->ruleset_count = made->ruleset_count;
	producer->set_count = made->set_count;
	producer->secret = made->secret;
	producer->fleet = *fleet;
	producer->base = rendition->base;
	producer->usable = true;
}

struct error *producer_make(struct producer *producer, struct arena *arena, const struct fleet *fleet,
                            const struct fleet_step *step, const struct rendition *rendition,
                            const struct knowledge *known, const struct outlet *outlet, struct product *product,
                            struct resolved **resolved)
{
	struct arena *scratch = arena_new();
	bool again = goes_on(producer, fleet, step, rendition, known);
	struct memo memo;
	struct error *error;

	producer->usable = false;
	if (again)
		memo = go_on(producer, scratch, fleet, step);
	else
		begin_anew(producer, fleet);
	*resolved = producer->resolved;
	error = production_make(producer->production, arena, producer->resolved, rendition, known, outlet,
	                        again ? &memo : NULL, product);
	if (error == NULL)
		keep(producer, fleet, rendition, &product->knowledge);
	arena_free(scratch);
	return error;
}
