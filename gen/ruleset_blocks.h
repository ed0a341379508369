/* Private to gen/: what one role contributes to the rules files of one family and style. It looks the same on every
 * machine that has the role, so it is rendered once, and rulesets are put together from these. */
#ifndef FLEETWALL_GEN_RULESET_BLOCKS_H
#define FLEETWALL_GEN_RULESET_BLOCKS_H

#include "fleetwall/ruleset.h"
#include "lines.h"

#define ACTIONS 3 /* by enum action */

/* Items for the lists of templates, ready made: objects with `lines` (and `chain`). */
struct items {
	const struct value *items;
	size_t count;
};

/* The chain of a rule with `log`: "fleetwall-0123456789ab". */
struct chain {
	struct str name;
	struct value value;
};

struct block {
	struct items stages[2][ACTIONS][2]; /* by direction, action, and whether the rules have a limit; in order of
	                                       text */
	struct chain *chains;
	size_t chain_count;
};

/* What is needed to render one. Read only, so that many may be rendered at once. */
struct block_source {
	const struct resolved *resolved;
	const struct settings *settings;
	const struct templates *templates;
	const struct sets *sets;
	struct both_ends *const *ends; /* by role: of each of its rules */
};

struct error *block_render(struct arena *arena, struct arena *scratch, const struct block_source *source,
                           uint32_t role, enum family family, enum style style, struct block *block) MUST_CHECK;

#endif
