/* Whom a rule speaks of, in each family: anyone, a prefix, or sets. The one answer to which sets a rule names. Refuses
 * values that a rules file can't hold, whoever made the fleet. */
#include "fleetwall/arena.h"
#include "lines.h"

struct asking {
	struct arena *arena, *scratch;
	struct sets *sets;
	const struct resolved *resolved;
	const struct effective_rule *effective;
	const struct rule *rule;
};

/* What the inventory refuses long before: nothing may end a line or a quoted value early. */
static struct error *check_values(const struct effective_rule *rule)
{
	const struct str interface = rule->held->rule.interface;

	if (str_has_control(rule->role->name))
		return error_new(ERROR_INPUT, "the name of role `%.*s` holds a control character",
		                 STR_ARG(rule->role->name));
	if (interface.n > 0 && !interface_valid(interface))
		return error_new(ERROR_INPUT, "role %.*s: rule %s: `%.*s` can't be an interface",
		                 STR_ARG(rule->role->name), rule->id, STR_ARG(interface));
	return NULL;
}

static struct error *check_service(const struct resolved *resolved, const struct effective_rule *rule)
{
	const struct what *what = &rule->held->rule.what;

	if (what->kind == WHAT_SERVICE && fleet_service(resolved->fleet, what->service) == NULL)
		return error_new(ERROR_UNKNOWN, "role %.*s: rule %s: there is no service `%.*s`",
		                 STR_ARG(rule->role->name), rule->id, STR_ARG(what->service));
	return NULL;
}

/* The literals of one family: /0 is no match, one prefix is a match, anything else a set. */
static struct error *add_literals(struct asking *asking, enum family family, struct ends *ends)
{
	struct range *ranges;
	struct end end = {.set = NO_SET};
	size_t count = rule_literals(asking->scratch, asking->rule, family, &ranges);

	if (count == 0)
		return NULL;
	if (count != 1 || !range_prefix(ranges[0], &end.prefix))
		TRY(sets_literals(asking->sets, asking->rule, family, &end.set));
	APPEND(asking->arena, ends, end);
	return NULL;
}

static struct error *find_ends(struct asking *asking, enum family family, struct ends *ends)
{
	const struct rule *rule = asking->rule;
	struct end end = {.set = NO_SET};

	if (rule->any) {
		APPEND(asking->arena, ends, end);
		return NULL;
	}
	TRY(add_literals(asking, family, ends));
	for (size_t i = 0; i < rule->peer_count; i++) {
		const struct peer *peer = &rule->peers[i];

		if (peer->kind == PEER_LITERAL)
			continue;
		TRY(sets_peer(asking->sets, asking->effective->role, peer, rule->action != ACTION_ALLOW, family,
		              &end.set));
		APPEND(asking->arena, ends, end);
	}
	return NULL;
}

/* Is there a packet of the family that the rule matches, whoever its peers are? */
static bool says_something(const struct asking *asking, enum family family)
{
	struct match_what *whats;

	return rule_speaks(asking->rule, family) &&
	       rule_whats(asking->scratch, asking->resolved->fleet, asking->rule, family, &whats) > 0;
}

struct error *rule_ends(struct arena *arena, struct arena *scratch, struct sets *sets, const struct resolved *resolved,
                        const struct effective_rule *rule, struct both_ends *ends)
{
	static const enum family families[] = {FAMILY_4, FAMILY_6};
	struct asking asking = {arena, scratch, sets, resolved, rule, &rule->held->rule};

	*ends = (struct both_ends){0};
	TRY(check_values(rule));
	TRY(check_service(resolved, rule));
	for (size_t i = 0; i < 2; i++) {
		if (says_something(&asking, families[i]))
			TRY(error_in(find_ends(&asking, families[i], &ends->of[i]), "role %.*s: rule %s",
			             STR_ARG(rule->role->name), rule->id));
	}
	return NULL;
}
