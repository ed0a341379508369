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

/* A packet towards or from one machine. */
struct passage {
	struct arena *arena;
	struct explainer *explainer;
	uint32_t machine;
	enum direction direction;
	struct packet packet;
	struct addr other; /* the end that is not the machine */
};

/* The role's rules, indexed the first time. */
const struct indexed_role *explainer_role(struct explainer *explainer, uint32_t role);
/* Does the rule speak of this packet, whatever machine has it? */
bool passage_matches(const struct passage *passage, const struct indexed_rule *indexed);
/* Does the first stage let it pass, whatever the addresses? */
bool passage_is_housekeeping(const struct passage *passage);

#endif
