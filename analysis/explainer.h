/* What explain() keeps between questions: the rules of each role by direction and action, and the peers' sets. */
#ifndef FLEETWALL_ANALYSIS_EXPLAINER_H
#define FLEETWALL_ANALYSIS_EXPLAINER_H

#include "match.h"
#include "peers.h"

struct indexed_rule {
	const struct effective_rule *effective;
	uint32_t *peers; /* by peer: its number; NAMES_NONE for a literal */
};

struct rule_list {
	struct indexed_rule **items;
	size_t count, capacity;
};

struct indexed_role {
	struct rule_list lists[2][3]; /* [direction][action] */
};

struct explainer {
	struct arena *arena;
	const struct resolved *resolved;
	const struct settings *settings;
	struct peers *peers;
	struct indexed_role **roles; /* as resolved->roles; NULL until a machine that has the role is asked */
};

#endif
