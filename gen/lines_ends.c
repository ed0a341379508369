/* Whom a rule speaks of, in each family: anyone, a prefix, or sets. The one answer to which sets a rule names. Refuses
 * values that a rules file can't hold, whoever made the fleet. */
#include "fleetwall/arena.h"
#include "lines.h"

static const enum family families[] = {FAMILY_4, FAMILY_6};

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

/* Is there a packet of the family that the rule matches, whoever its peers are? */
static bool says_something(const struct asking *asking, enum family family)
{
	struct match_what *whats;

	return rule_speaks(asking->rule, family) &&
	       rule_whats(asking->scratch, asking->resolved->fleet, asking->rule, family, &whats) > 0;
}

static void add_end(struct ends *ends, uint32_t set, const struct range *literal)
{
	ends->items[ends->count++] = (struct end){set, literal};
}

/* The first literal of a family, and whether it is the only one. */
static const struct range *first_literal(const struct rule *rule, enum family family, bool *only)
{
	const struct range *first = NULL;

	*only = true;
	for (size_t i = 0; i < rule->peer_count; i++) {
		if (rule->peers[i].kind != PEER_LITERAL || rule->peers[i].literal.family != family)
			continue;
		*only = first == NULL;
		if (first != NULL)
			break;
		first = &rule->peers[i].literal;
	}
	return first;
}

/* Literals: /0 is no match, one prefix is a match, anything else a set for the family. */
static struct error *add_literals(struct asking *asking, const bool speaks[2], struct both_ends *ends)
{
	const struct range *first[2];
	bool of_set[2];
	uint32_t numbers[2];

	for (size_t i = 0; i < 2; i++) {
		struct prefix prefix;
		bool only;

		first[i] = first_literal(asking->rule, families[i], &only);
		of_set[i] = speaks[i] && first[i] != NULL && (!only || !range_prefix(*first[i], &prefix));
	}
	if (of_set[0] || of_set[1])
		TRY(sets_literals(asking->sets, asking->rule, of_set, numbers));
	for (size_t i = 0; i < 2; i++)
		if (of_set[i])
			add_end(&ends->of[i], numbers[i], NULL);
		else if (speaks[i] && first[i] != NULL)
			add_end(&ends->of[i], NO_SET, first[i]);
	return NULL;
}

static struct error *add_peer(struct asking *asking, const struct peer *peer, const bool speaks[2],
                              struct both_ends *ends)
{
	uint32_t numbers[2];

	TRY(sets_peer(asking->sets, asking->effective->role, peer, asking->rule->action != ACTION_ALLOW, speaks,
	              numbers));
	for (size_t i = 0; i < 2; i++)
		if (speaks[i])
			add_end(&ends->of[i], numbers[i], NULL);
	return NULL;
}

static struct error *add_ends(struct asking *asking, const bool speaks[2], struct both_ends *ends)
{
	const struct rule *rule = asking->rule;

	for (size_t i = 0; i < 2; i++) {
		ends->of[i].items = arena_raw(asking->arena, (rule->peer_count + 1) * sizeof(struct end));
		if (speaks[i] && rule->any)
			add_end(&ends->of[i], NO_SET, NULL);
	}
	if (rule->any)
		return NULL;
	TRY(add_literals(asking, speaks, ends));
	for (size_t i = 0; i < rule->peer_count; i++)
		if (rule->peers[i].kind != PEER_LITERAL)
			TRY(add_peer(asking, &rule->peers[i], speaks, ends));
	return NULL;
}

struct error *rule_ends(struct arena *arena, struct arena *scratch, struct sets *sets, const struct resolved *resolved,
                        const struct effective_rule *rule, struct both_ends *ends)
{
	struct asking asking = {arena, scratch, sets, resolved, rule, &rule->held->rule};
	bool speaks[2];

	*ends = (struct both_ends){0};
	TRY(check_values(rule));
	TRY(check_service(resolved, rule));
	for (size_t i = 0; i < 2; i++)
		speaks[i] = says_something(&asking, families[i]);
	if (!speaks[0] && !speaks[1])
		return NULL;
	return error_in(add_ends(&asking, speaks, ends), "role %.*s: rule %s", STR_ARG(rule->role->name), rule->id);
}
