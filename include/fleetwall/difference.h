/* What a change of rulesets opens and closes: two rulesets with their set files are read (fleetwall/filter.h), what
 * each lets through becomes sets of packets, and their difference is told in groups of a protocol with ports and
 * peers. Exact to the packet for new connections; rates count as below, dates as not yet reached. It knows bytes alone:
 * names of machines and roles are for the caller. Pure but for the set files that it asks for; used by one thread. */
#ifndef FLEETWALL_DIFFERENCE_H
#define FLEETWALL_DIFFERENCE_H

#include "fleetwall/packets.h"
#include "fleetwall/produce.h"

enum difference_change {
	DIFFERENCE_OPENS,
	DIFFERENCE_CLOSES,
	DIFFERENCE_OTHER, /* rulesets differ, and no packet of a new connection notices: `what` says in what */
};
/* Of INPUT, the peers are sources, else destinations. Forwarded packets have no peers here. */
enum difference_way { DIFFERENCE_IN, DIFFERENCE_OUT, DIFFERENCE_FORWARD };

enum difference_cause {
	CAUSE_NONE, /* settings, templates, or several at once */
	CAUSE_RULE_CAME,
	CAUSE_RULE_WENT,
	CAUSE_SET_GREW,
	CAUSE_SET_SHRANK,
	CAUSE_ENFORCEMENT, /* monitor became enforce, or the reverse */
	CAUSE_MODE,        /* coexist became exclusive, or the reverse */
	CAUSE_EGRESS,      /* what no rule names may leave, or may no longer */
};

struct difference_group {
	enum difference_change change;
	enum difference_way way;
	struct str what;          /* "3306/tcp", "icmpv4/echo-request", "all" */
	struct numbers *protocols, *ports; /* the same as numbers; of ICMP as in FIELD_PORT; no ports: all */
	size_t protocol_count, port_count;
	struct str on;            /* an interface or a pattern; lo only by its name. Empty: all but lo */
	struct addr_set peers[2]; /* IPv4, IPv6: of exactly these addresses some packet differs */
	bool any[2];    /* with those that make no difference because they were let in and are, it is every address */
	bool aside;     /* of `what`, with these peers, some was let in before and still is */
	struct str example; /* not empty: of `what` not all differs, which words can't say; a packet that does */
	enum difference_cause cause;
	struct str rule; /* its comment, "ROLE ID"; the rule that came or went, or that speaks of the set */
	struct str set;  /* the name of the set's file, without its end */
	uint32_t *pairs; /* as they were added, from 0; ascending */
	size_t pair_count;
};

/* Before and after. */
struct difference_pair {
	struct str rules[2][2];  /* [after][IPv6] */
	struct entry *sets[2];   /* [after]: the set files that it needs, sorted by name */
	size_t set_count[2];
};

/* The bytes of a set file. */
typedef struct error *difference_read(void *context, struct arena *arena, const struct digest *digest,
                                      struct str *bytes);

struct difference;
/* packets_begin() comes before. `arena` lives as long. */
struct difference *difference_new(struct arena *arena, difference_read *read, void *context);
/* ERROR_INPUT where the rules can't be read, or as the reader of set files says. Nothing of the pair need stay. */
struct error *difference_add(struct arena *scratch, struct difference *difference,
                             const struct difference_pair *pair) MUST_CHECK;
/* From here on it is looked for as well whether a pair lets through any packet, in any state, that was not let through
 * before, for some answer of what no packet says: rates, dates, matches and targets that nobody knows. */
void difference_careful(struct difference *difference);
bool difference_may_open(const struct difference *difference); /* true wherever anything opens */
/* Of a family, same[IPv6]: do both sides do the same to every packet, in each state and whatever conditions say? Let
 * it through, refuse it in the same way, log it. No where a target is unknown. */
struct error *difference_same(struct arena *scratch, struct difference *difference, const struct difference_pair *pair,
                              bool same[2]) MUST_CHECK;
/* What all pairs have, the same in several as one group; opens first, then closes. In the difference's arena. */
size_t difference_groups(struct difference *difference, struct difference_group **groups);

/* Of one ruleset, without its machines: "3306/tcp to 10.2.0.0/16". */
struct str difference_group_str(struct arena *arena, const struct difference_group *group);
struct str difference_change_str(enum difference_change change); /* "opens", "closes", "other" */
struct str difference_way_str(enum difference_way way);          /* "in", "out", "forward" */
struct str difference_cause_str(enum difference_cause cause);    /* "rule-came", "set-grew"; empty: none */
/* Of two sets of one family: what only the first has, and what both have. */
struct addr_set addr_set_without(struct arena *arena, const struct addr_set *a, const struct addr_set *b);
struct addr_set addr_set_and(struct arena *arena, const struct addr_set *a, const struct addr_set *b);

#endif
