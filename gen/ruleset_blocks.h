/* Private to gen/: the text that one rule contributes to rules files. A role's rules look the same on every machine
 * that has the role, so each is rendered once for a family and style, and rulesets are put together from these. */
#ifndef FLEETWALL_GEN_RULESET_BLOCKS_H
#define FLEETWALL_GEN_RULESET_BLOCKS_H

#include "fleetwall/ruleset.h"
#include "lines.h"
#include "sets.h"

struct block {
	bool made;
	const struct effective_rule *rule;
	struct str lines; /* without the newline at the end; empty: the rule says nothing in this family */
	struct str chain; /* of its log: "fleetwall-0123456789ab"; empty: none */
	struct str chain_lines;
	uint32_t *sets; /* numbers of the sets that it names */
	size_t set_count;
};

struct blocks;

struct blocks *blocks_new(struct arena *arena, const struct resolved *resolved, const struct settings *settings,
                          const struct templates *templates, struct sets *sets);
struct error *blocks_get(struct blocks *blocks, uint32_t role, size_t rule, enum family family, enum style style,
                         const struct block **block) MUST_CHECK;

#endif
