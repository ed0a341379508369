/* Arbitrary valid rules from a seed, for property tests: the same seed gives the same rules on every machine. Rules
 * come as someone's hand would leave them: not canonical, with repeats and overlaps, and edges more often than chance
 * would have it. */
#ifndef FLEETWALL_TESTS_RANDOM_RULE_H
#define FLEETWALL_TESTS_RANDOM_RULE_H

#include "fleetwall/rule.h"

/* splitmix64; any seed is a good one. */
struct rng {
	uint64_t state;
};
uint64_t rng_next(struct rng *rng);
size_t rng_below(struct rng *rng, size_t n); /* 0 … n-1; n > 0 */
bool rng_chance(struct rng *rng, unsigned percent);

/* What rules may name. A list without entries is never drawn from. */
struct rule_names {
	const struct str *roles, *machines, *networks, *services, *labels;
	size_t role_count, machine_count, network_count, service_count, label_count;
};
/* Names at the edges of what is allowed. */
extern const struct rule_names rule_names_odd;

/* Valid, not canonical: rule_normalize() takes it (and may find that it states the default). Lives in the arena and in
 * `names`. */
struct rule random_rule(struct arena *arena, struct rng *rng, const struct rule_names *names);

/* A line that says this rule, as somebody might write it: any case, any order of clauses, spaces about commas, numbers
 * for names, octets, ranges, time zones, a comment. Parsing it gives what rule_normalize() makes of the rule. */
struct str random_spelling(struct arena *arena, struct rng *rng, const struct rule *rule);

/* Member by member; of canonical rules. */
bool rule_same(const struct rule *a, const struct rule *b);

/* One to five changes of single bytes, words and commas in a line: what typing errors leave. */
struct str random_damage(struct arena *arena, struct rng *rng, struct str line);

#endif
