/* What an import would do: the fleet as it will be, checked, and the changes that lead there. Pure: the database is
 * neither asked nor told. */
#include "plan.h"

#include "fleet_fields.h"
#include "fleetwall/arena.h"

static struct str name_of(const char *object)
{
	return *(const struct str *)(const void *)object;
}

bool pairs_next(struct pairs *pairs, const void **before, const void **after)
{
	if (pairs->before_count + pairs->after_count == 0)
		return false;
	int order = pairs->before_count == 0  ? 1
	            : pairs->after_count == 0 ? -1
	                                      : str_cmp(name_of(pairs->before), name_of(pairs->after));
	*before = order <= 0 ? pairs->before : NULL;
	*after = order >= 0 ? pairs->after : NULL;
	if (order <= 0) {
		pairs->before += pairs->size;
		pairs->before_count--;
	}
	if (order >= 0) {
		pairs->after += pairs->size;
		pairs->after_count--;
	}
	return true;
}

/* The role that rules are added to must exist; a machine's own role comes into being with its first rule. */
static struct error *check_role(struct arena *arena, const struct fleet *present, struct str role)
{
	if (role.n == 0 || fleet_role(present, role) != NULL || fleet_machine(present, machine_of_role(role)) != NULL)
		return NULL;
	struct str *names = ARENA_ARRAY(arena, struct str, present->role_count);
	for (size_t i = 0; i < present->role_count; i++)
		names[i] = present->roles[i].name;
	return hint_nearest(error_new(ERROR_UNKNOWN, "there is no role '%.*s'", STR_ARG(role)), role, names,
	                    present->role_count);
}

struct error *inventory_plan(struct arena *arena, const struct fleet *present, const struct fleet *wanted,
                             const struct import_options *options, struct plan *plan)
{
	*plan = (struct plan){0};
	TRY(check_role(arena, present, options->add_rules_to));
	plan_target(arena, present, wanted, options, &plan->target);
	struct error *errors = plan_check_owners(present, wanted);
	error_collect(&errors, plan_check_removed(arena, present, &plan->target, options->every));
	error_collect(&errors, fleet_check(arena, &plan->target, present));
	if (errors == NULL)
		plan_describe(arena, present, options->brief, plan);
	return errors;
}
