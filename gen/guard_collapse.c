/* The guard against collapse: an inventory that lost machines or members, or rules that doubled overnight, are more
 * often a broken import than a wish. Compares two summaries; knows nothing of rulesets. */
#include "fleetwall/guard.h"

enum {
	COUNTS_MIN = 10, /* smaller counts never trip */
	RULES_MIN = 100, /* nor do smaller changes of the rules */
};

static bool fell(size_t before, size_t now, unsigned share)
{
	return before >= COUNTS_MIN && now < before && (before - now) * 100 > (size_t)share * before;
}

static bool changed(size_t before, size_t now, unsigned share)
{
	size_t change = now > before ? now - before : before - now;

	return before >= COUNTS_MIN && change >= RULES_MIN && change * 100 > (size_t)share * before;
}

static void trip(struct error **findings, struct error *finding, const char *setting, unsigned share)
{
	error_collect(findings,
	              error_hint(finding,
	                         "at most %u %% at once is expected (setting guard.%s); if this is meant, say --force",
	                         share, setting));
}

/* In percent, rounded to the nearest. */
static size_t percent(size_t change, size_t before)
{
	return (change * 100 + before / 2) / before;
}

static void check_members(struct error **findings, struct str role, size_t before, size_t now, unsigned share)
{
	if (fell(before, now, share))
		trip(findings,
		     error_new(ERROR_GUARD, "the members of role %.*s fell from %zu to %zu, by %zu %%", STR_ARG(role),
		               before, now, percent(before - now, before)),
		     "members_fall", share);
}

/* Both lists are sorted by name; a role that is gone has no members any more. */
static void check_roles(struct error **findings, const struct summary *before, const struct summary *now,
                        unsigned share)
{
	size_t j = 0;

	for (size_t i = 0; i < before->role_count; i++) {
		const struct role_size *role = &before->roles[i];

		while (j < now->role_count && str_cmp(now->roles[j].role, role->role) < 0)
			j++;
		bool there = j < now->role_count && str_eq(now->roles[j].role, role->role);

		check_members(findings, role->role, role->members, there ? now->roles[j].members : 0, share);
	}
}

struct error *guard_collapse(const struct summary *before, const struct summary *now, const struct guard_shares *shares)
{
	struct error *findings = NULL;

	if (fell(before->machines, now->machines, shares->machines_fall))
		trip(&findings,
		     error_new(ERROR_GUARD, "the machines fell from %zu to %zu, by %zu %%", before->machines,
		               now->machines, percent(before->machines - now->machines, before->machines)),
		     "machines_fall", shares->machines_fall);
	check_roles(&findings, before, now, shares->members_fall);
	if (changed(before->rules, now->rules, shares->rules_change)) {
		bool grew = now->rules > before->rules;
		size_t change = grew ? now->rules - before->rules : before->rules - now->rules;

		trip(&findings,
		     error_new(ERROR_GUARD, "the rules of all machines %s from %zu to %zu, by %zu %%",
		               grew ? "grew" : "shrank", before->rules, now->rules, percent(change, before->rules)),
		     "rules_change", shares->rules_change);
	}
	return findings;
}
