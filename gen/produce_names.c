/* Which sets a product has: those that the rules of its rulesets name, found without rendering one of them. */
#include <string.h>

#include "fleetwall/arena.h"
#include "produce_worker.h"
#include "resolve_index.h"

static bool *find_used(const struct production *production)
{
	const struct positions *positions = &production->positions;
	bool *used = ARENA_ARRAY(production->kept, bool, production->resolved->fleet->role_count);

	for (size_t i = 0; i < positions->count; i++)
		for (size_t k = 0; positions->items[i].machines > 0 && k < positions->items[i].role_count; k++)
			used[positions->items[i].roles[k]] = true;
	return used;
}

/* Do the same rules speak, with the same services? Then they name the same sets. */
static bool may_stay(const struct production *production, const bool *used)
{
	const struct memo *memo = production->memo;
	size_t role_count = production->resolved->fleet->role_count;

	return memo != NULL && !memo->any_rules && !memo->services &&
	       (role_count == 0 || memcmp(used, production->naming.roles_used, role_count * sizeof *used) == 0);
}

static struct error *name_role(struct naming *naming, struct arena *scratch, const struct resolved *resolved,
                               size_t role)
{
	const struct resolved_role *own = &resolved->roles[role];

	naming->ends[role] = ARENA_ARRAY(naming->arena, struct both_ends, own->rule_count);
	for (size_t i = 0; i < own->rule_count; i++) {
		TRY(rule_ends(naming->arena, scratch, naming->sets, resolved, &own->rules[i], &naming->ends[role][i]));
		arena_reset(scratch);
	}
	return NULL;
}

static size_t count_sets(const struct both_ends *ends, size_t rule_count)
{
	size_t count = 0;

	for (size_t i = 0; i < rule_count; i++)
		for (size_t family = 0; family < 2; family++)
			for (size_t k = 0; k < ends[i].of[family].count; k++)
				count += ends[i].of[family].items[k].set != NO_SET;
	return count;
}

static void rank_role(struct naming *naming, const uint32_t *rank_of, size_t role, size_t rule_count)
{
	const struct both_ends *ends = naming->ends[role];
	struct role_sets *own = &naming->role_sets[role];

	own->ranks = ARENA_ARRAY(naming->arena, uint32_t, count_sets(ends, rule_count));
	for (size_t i = 0; i < rule_count; i++)
		for (size_t family = 0; family < 2; family++)
			for (size_t k = 0; k < ends[i].of[family].count; k++)
				if (ends[i].of[family].items[k].set != NO_SET)
					own->ranks[own->count++] = rank_of[ends[i].of[family].items[k].set];
}

static void rank_sets(struct production *production)
{
	struct naming *naming = &production->naming;
	size_t role_count = production->resolved->fleet->role_count, count = sets_count(naming->sets);
	uint32_t *rank_of = ARENA_ARRAY(production->kept, uint32_t, count);

	naming->sorted = sets_sorted(naming->arena, naming->sets);
	for (size_t i = 0; i < count; i++)
		rank_of[naming->sorted[i]] = (uint32_t)i;
	for (size_t i = 0; i < role_count; i++)
		if (naming->roles_used[i])
			rank_role(naming, rank_of, i, production->resolved->roles[i].rule_count);
}

static uint32_t subject_of(const struct fleet *fleet, const struct set *set)
{
	const struct machine *machine;
	const struct role *role;

	if (set->peer == NULL || set->peer->kind == PEER_NETWORK)
		return NOBODY;
	if (set->peer->kind == PEER_MACHINE) {
		machine = fleet_machine(fleet, set->peer->name);
		return machine != NULL ? (uint32_t)(machine - fleet->machines) : NOBODY;
	}
	role = set->peer->kind == PEER_SELF ? set->role : fleet_role(fleet, set->peer->name);
	return role != NULL ? (uint32_t)(role - fleet->roles) : NOBODY;
}

static void find_subjects(struct naming *naming, const struct fleet *fleet)
{
	size_t count = sets_count(naming->sets);

	naming->subjects = ARENA_ARRAY(naming->arena, uint32_t, count);
	for (size_t i = 0; i < count; i++)
		naming->subjects[i] = subject_of(fleet, sets_get(naming->sets, (uint32_t)i));
}

static void begin_naming(struct production *production, const bool *used)
{
	struct naming *naming = &production->naming;
	size_t role_count = production->resolved->fleet->role_count;

	production->before = *naming;
	*naming = (struct naming){.arena = arena_new()};
	naming->roles_used = ARENA_ARRAY(naming->arena, bool, role_count);
	memcpy(naming->roles_used, used, role_count * sizeof *used);
	naming->ends = ARENA_ARRAY(naming->arena, struct both_ends *, role_count);
	naming->role_sets = ARENA_ARRAY(naming->arena, struct role_sets, role_count);
	naming->sets = sets_new(naming->arena, production->workers[0].digester);
}

/* In one thread and in order, so that the numbers, and which of several faults is told, are always the same. */
struct error *produce_names(struct production *production)
{
	const struct resolved *resolved = production->resolved;
	struct naming *naming = &production->naming;
	bool *used = find_used(production);

	if (may_stay(production, used))
		return NULL;
	begin_naming(production, used);
	for (size_t i = 0; i < resolved->fleet->role_count; i++)
		if (used[i])
			TRY(name_role(naming, production->workers[0].scratch, resolved, i));
	rank_sets(production);
	find_subjects(naming, resolved->fleet);
	naming->made = ARENA_ARRAY(naming->arena, struct known, sets_count(naming->sets));
	return NULL;
}
