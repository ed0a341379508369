/* From the model to what counts: members of roles, and rules at the fleet's clock. Owns rule ids and the edges of since
 * and until. Pure; what is referred to and does not exist is passed over here, because fleet_check() and the database's
 * foreign keys are the places that refuse it. */
#include "fleetwall/resolve.h"

#include <assert.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/digest.h"
#include "fleetwall/parallel.h"
#include "resolve_members.h"
#include "resolve_update.h"

static void give_id(struct digester *digester, struct str role, struct str text, char id[RULE_ID_DIGITS + 1])
{
	struct digest digest;
	char hex[65];

	digester_add(digester, role);
	digester_add(digester, (struct str){"", 1});
	digester_add(digester, text);
	digest = digester_end(digester);
	digest_hex(&digest, hex);
	memcpy(id, hex, RULE_ID_DIGITS);
	id[RULE_ID_DIGITS] = '\0';
}

void rule_id(struct str role, struct str text, char id[RULE_ID_DIGITS + 1])
{
	struct arena *scratch = arena_new();
	struct digester *digester = digester_new(scratch);

	give_id(digester, role, text, id);
	digester_free(digester);
	arena_free(scratch);
}

bool machine_has_ruleset(const struct machine *machine)
{
	return machine->enabled && machine->enforcement != ENFORCEMENT_UNMANAGED;
}

bool machine_egress_closed(const struct resolved *resolved, size_t machine)
{
	const struct resolved_machine *own = &resolved->machines[machine];

	for (size_t i = 0; i < own->role_count; i++)
		if (resolved->fleet->roles[own->roles[i]].egress == EGRESS_CLOSED)
			return true;
	return false;
}

/* From `since` until just before `until`. No `since` is the least number, so only `until` needs a question. */
bool rule_counts(const struct role_rule *held, int64_t clock)
{
	return held->enabled && held->rule.since <= clock &&
	       (held->rule.until == TIME_NONE || clock < held->rule.until);
}

void resolve_rules(struct arena *arena, struct resolved_role *resolved, const struct role *role, int64_t clock)
{
	resolved->role = role;
	resolved->rules = ARENA_ARRAY(arena, struct effective_rule, role->rule_count);
	resolved->rule_count = 0;
	for (size_t i = 0; i < role->rule_count; i++)
		if (rule_counts(&role->rules[i], clock))
			resolved->rules[resolved->rule_count++] =
				(struct effective_rule){.role = role, .held = &role->rules[i]};
}

void resolve_ids(struct resolved_role *resolved, struct digester *digester)
{
	for (size_t i = 0; i < resolved->rule_count; i++)
		give_id(digester, resolved->role->name, resolved->rules[i].held->text, resolved->rules[i].id);
}

/* What two threads do: neither needs what the other makes. */
struct resolving {
	struct arena *arena;
	struct resolved *resolved;
	unsigned workers;
};

static struct error *find_members(void *context)
{
	const struct resolving *resolving = context;

	resolve_members(resolving->arena, resolving->resolved, resolving->workers);
	return NULL;
}

static struct error *give_ids(void *context)
{
	struct resolved *resolved = ((struct resolving *)context)->resolved;
	struct arena *scratch = arena_new();
	struct digester *digester = digester_new(scratch);

	for (size_t i = 0; i < resolved->fleet->role_count; i++)
		resolve_ids(&resolved->roles[i], digester);
	digester_free(digester);
	arena_free(scratch);
	return NULL;
}

/* Below so many machines threads cost more than they save. */
#define MANY_MACHINES 20000

static void resolve_both(struct resolving *resolving)
{
	struct error *error;

	if (resolving->workers > 1)
		error = parallel_both(find_members, resolving, give_ids, resolving);
	else if ((error = give_ids(resolving)) == NULL)
		error = find_members(resolving);
	assert(error == NULL); /* neither can fail */
	(void)error;
}

struct resolved *resolve(struct arena *arena, const struct fleet *fleet)
{
	struct resolved *resolved = ARENA_NEW(arena, struct resolved);
	unsigned workers = fleet->machine_count < MANY_MACHINES ? 1 : parallel_workers();
	struct resolving resolving = {arena, resolved, workers};

	resolved->fleet = fleet;
	resolved->roles = ARENA_ARRAY(arena, struct resolved_role, fleet->role_count);
	resolved->machines = arena_raw(arena, fleet->machine_count * sizeof *resolved->machines);
	for (size_t i = 0; i < fleet->machine_count; i++)
		resolved->machines[i].machine = &fleet->machines[i];
	for (size_t i = 0; i < fleet->role_count; i++)
		resolve_rules(arena, &resolved->roles[i], &fleet->roles[i], fleet->clock);
	resolve_both(&resolving);
	return resolved;
}

/* When a rule begins or ends to count next, seen from the clock; TIME_NONE: never again. */
static int64_t rule_edge(const struct role_rule *held, int64_t clock)
{
	const struct rule *rule = &held->rule;
	bool ends = rule->until != TIME_NONE;

	if (!held->enabled || (ends && (rule->until <= clock || rule->until <= rule->since)))
		return TIME_NONE;
	if (rule->since > clock)
		return rule->since;
	return rule->until; /* TIME_NONE where it has no end */
}

int64_t fleet_next_edge(const struct fleet *fleet)
{
	int64_t next = TIME_NONE;

	for (size_t i = 0; i < fleet->role_count; i++)
		for (size_t k = 0; k < fleet->roles[i].rule_count; k++) {
			int64_t edge = rule_edge(&fleet->roles[i].rules[k], fleet->clock);

			if (edge != TIME_NONE && (next == TIME_NONE || edge < next))
				next = edge;
		}
	return next;
}
