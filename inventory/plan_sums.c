/* How much an import gives and takes, besides whole objects: members, addresses and rules. Pure; tells nothing of which
 * ones, that is plan_describe.c. */
#include "plan.h"

static void sum_members(const struct machine *before, const struct machine *after, struct plan_sums *sums)
{
	size_t i = 0, j = 0;

	while (i < before->role_count || j < after->role_count) {
		int order = i == before->role_count  ? 1
		            : j == after->role_count ? -1
		                                     : str_cmp(before->roles[i], after->roles[j]);

		sums->members_removed += order < 0;
		sums->members_added += order > 0;
		i += order <= 0;
		j += order >= 0;
	}
}

static void sum_addresses(const struct machine *before, const struct machine *after, struct plan_sums *sums)
{
	size_t i = 0, j = 0;

	while (i < before->address_count || j < after->address_count) {
		int order = i == before->address_count ? 1
		            : j == after->address_count
		                    ? -1
		                    : addr_cmp(before->addresses[i].addr, after->addresses[j].addr);

		sums->addresses_removed += order < 0;
		sums->addresses_added += order > 0;
		i += order <= 0;
		j += order >= 0;
	}
}

static void sum_machines(struct pairs pairs, struct plan_sums *sums)
{
	static const struct machine nothing;
	const void *one, *other;

	while (pairs_next(&pairs, &one, &other)) {
		const struct machine *before = one != NULL ? one : &nothing, *after = other != NULL ? other : &nothing;

		sum_members(before, after, sums);
		sum_addresses(before, after, sums);
		sums->with_roles += before->role_count > 0 && other != NULL;
		sums->bared += before->role_count > 0 && other != NULL && after->role_count == 0;
	}
}

static void sum_rules(struct pairs pairs, struct plan_sums *sums)
{
	static const struct role nothing;
	const void *one, *other;

	while (pairs_next(&pairs, &one, &other)) {
		const struct role *before = one != NULL ? one : &nothing, *after = other != NULL ? other : &nothing;
		size_t i = 0, j = 0;

		while (i < before->rule_count || j < after->rule_count) {
			int order = i == before->rule_count  ? 1
			            : j == after->rule_count ? -1
			                                     : str_cmp(before->rules[i].text, after->rules[j].text);

			sums->rules_removed += order < 0;
			sums->rules_added += order > 0;
			i += order <= 0;
			j += order >= 0;
		}
	}
}

struct plan_sums inventory_sums(const struct fleet *present, const struct plan *plan)
{
	struct plan_sums sums = {0};

	sum_machines(PAIRS(present, &plan->target, machines, machine_count), &sums);
	sum_rules(PAIRS(present, &plan->target, roles, role_count), &sums);
	return sums;
}
