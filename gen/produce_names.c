/* Which sets a product has: those that the rules of its rulesets name, found without rendering one of them. */
#include "fleetwall/arena.h"
#include "produce_worker.h"

static void mark_roles(struct production *production)
{
	const struct positions *positions = &production->positions;

	for (size_t i = 0; i < positions->count; i++)
		for (size_t k = 0; k < positions->items[i].role_count; k++)
			production->roles_used[positions->items[i].roles[k]] = true;
}

static struct error *name_role(struct production *production, struct arena *scratch, size_t role)
{
	const struct resolved_role *resolved = &production->resolved->roles[role];

	production->ends[role] = ARENA_ARRAY(production->kept, struct both_ends, resolved->rule_count);
	for (size_t i = 0; i < resolved->rule_count; i++) {
		TRY(rule_ends(production->kept, scratch, production->sets, production->resolved, &resolved->rules[i],
		              &production->ends[role][i]));
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

static void rank_role(struct production *production, const uint32_t *rank_of, size_t role)
{
	const struct both_ends *ends = production->ends[role];
	size_t rule_count = production->resolved->roles[role].rule_count;
	struct role_sets *own = &production->role_sets[role];

	own->ranks = ARENA_ARRAY(production->kept, uint32_t, count_sets(ends, rule_count));
	for (size_t i = 0; i < rule_count; i++)
		for (size_t family = 0; family < 2; family++)
			for (size_t k = 0; k < ends[i].of[family].count; k++)
				if (ends[i].of[family].items[k].set != NO_SET)
					own->ranks[own->count++] = rank_of[ends[i].of[family].items[k].set];
}

static void rank_sets(struct production *production)
{
	size_t role_count = production->resolved->fleet->role_count, count = sets_count(production->sets);
	uint32_t *rank_of = ARENA_ARRAY(production->kept, uint32_t, count);

	production->sorted = sets_sorted(production->kept, production->sets);
	for (size_t i = 0; i < count; i++)
		rank_of[production->sorted[i]] = (uint32_t)i;
	for (size_t i = 0; i < role_count; i++)
		if (production->roles_used[i])
			rank_role(production, rank_of, i);
}

/* In one thread and in order, so that the numbers, and which of several faults is told, are always the same. */
struct error *produce_names(struct production *production)
{
	size_t role_count = production->resolved->fleet->role_count;

	production->roles_used = ARENA_ARRAY(production->kept, bool, role_count);
	production->ends = ARENA_ARRAY(production->kept, struct both_ends *, role_count);
	production->role_sets = ARENA_ARRAY(production->kept, struct role_sets, role_count);
	production->sets = sets_new(production->names, production->workers[0].digester);
	mark_roles(production);
	for (size_t i = 0; i < role_count; i++)
		if (production->roles_used[i])
			TRY(name_role(production, production->workers[0].scratch, i));
	rank_sets(production);
	return NULL;
}
