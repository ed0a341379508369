/* What the files of the intent share. Nothing outside intent*.c includes it. */
#ifndef ANALYSIS_INTENT_PARTS_H
#define ANALYSIS_INTENT_PARTS_H

#include "fleetwall/digest.h"
#include "fleetwall/intent.h"

#define FAMILIES 2
static inline size_t family_index(enum family family)
{
	return family == FAMILY_6;
}

struct number_list {
	uint32_t *items;
	size_t count, capacity;
};

/* A set that rules need: of a role, machine or network, or of the literals of a rule. */
struct meant_set {
	struct str name;             /* as SPEC §5 names it */
	struct peer peer;            /* PEER_LITERAL: those of `rule`; never PEER_SELF */
	const struct rule *rule;
	bool refusing;
	bool needed[FAMILIES];
	struct addr_set *addresses[FAMILIES]; /* NULL until somebody asks */
};

/* What a rule's literals of one family are. */
struct meant_literals {
	enum { LITERALS_NONE, LITERALS_PREFIX, LITERALS_SET } kind;
	struct prefix prefix;
	uint32_t set;
};

/* A rule that counts now. */
struct meant_rule {
	const struct role_rule *held;
	struct meant_literals literals[FAMILIES];
	uint32_t *sets; /* of its other peers */
	size_t set_count;
	struct str rate, ending;       /* names of conditions; empty: none */
	struct packets head[FAMILIES]; /* what and interface, kept; made when somebody asks */
	bool made[FAMILIES];
};

struct meant_role {
	struct number_list members; /* machines, ascending; disabled ones too */
	struct meant_rule *rules;   /* sorted by text */
	size_t rule_count;
	struct digest digest; /* of the rules that count, for positions; made when somebody asks */
	bool digested;
};

/* Housekeeping of one family and direction: lets pass, drops, lets pass, in this order. */
struct housekeeping {
	struct packets before, drop, behind;
	bool made;
};

/* The addresses of all machines, of one family, in order: see intent_ranks.c. */
struct ranks {
	addr_bits *bits;  /* by rank, ascending */
	size_t count;
	uint32_t *first;  /* as fleet->machines, and one more: where its slots begin */
	uint32_t *of;     /* by slot: rank */
	uint32_t *labels; /* by slot: number in intent->labels */
};

struct intent {
	struct arena *arena;
	const struct fleet *fleet;
	const struct settings *settings;
	struct meant_role *roles;    /* as fleet->roles */
	struct number_list *held;    /* as fleet->machines: the roles of each, ascending */
	struct names *role_names;    /* their numbers are places in fleet->roles */
	struct names *set_names;
	struct {
		struct meant_set *items; /* by number of their names */
		size_t count, capacity;
	} sets;
	struct housekeeping housekeeping[FAMILIES][2]; /* [family][out] */
	struct names *positions;
	uint32_t *position_of;       /* as fleet->machines; NAMES_NONE: not asked yet */
	struct {
		struct str *items;   /* texts, by number of position */
		size_t count, capacity;
	} texts;
	struct buf *key;             /* room for keys of positions */
	bool hurried;                /* what follows is there */
	struct ranks ranks[FAMILIES];
	struct names *labels;
	bool *counts;                /* as fleet->machines: it is enabled */
};

/* --- intent_members.c: who is in which role --- */

void members_find(struct intent *intent);

/* --- intent_rules.c: which rules count, and what each matches --- */

void rules_find(struct intent *intent);
/* How rules are looked at for one machine, family and direction. */
struct view {
	struct intent *intent;
	enum family family;
	bool out, monitor;
	intent_peer_seen *seen;
	void *context;
};
struct packets rule_packets(const struct view *view, struct meant_rule *rule);
/* The union of the role's rules of that action. */
struct packets role_packets(struct arena *scratch, const struct view *view, struct meant_role *role,
                            enum action action);
/* Halves first: a union of many is cheap while its parts are small. The sets are written over. */
struct packets union_of(struct packets *sets, size_t count);
/* Without peers and conditions. Kept. */
struct packets rule_head(const struct intent *intent, struct meant_rule *rule, enum family family);

/* --- intent_sets.c: whom peers stand for --- */

/* The number of the set of this peer, which is no literal, or of the rule's literals (`peer` is one of them). */
uint32_t set_number(struct intent *intent, struct arena *scratch, const struct role *role, const struct rule *rule,
                    const struct peer *peer);
const struct addr_set *set_addresses(struct intent *intent, uint32_t set, enum family family);

/* --- intent_ranks.c --- */

/* The set of a role with these members, after intent_hurry(). */
struct addr_set ranked_set(struct arena *arena, struct arena *scratch, const struct intent *intent,
                           const struct meant_set *set, const struct number_list *members, enum family family);

/* --- intent_stages.c: what stands before and behind the rules --- */

const struct housekeeping *housekeeping_of(struct intent *intent, enum family family, bool out);
/* TCP to the machine's SSH port from the management sources; outbound the way back. */
struct packets management_of(const struct intent *intent, size_t machine, enum family family, bool out);
bool has_ruleset(const struct machine *machine);
bool egress_closed(const struct intent *intent, size_t machine);
unsigned ssh_port_of(const struct intent *intent, size_t machine);

#endif
