/* Private to gen/: what the rule lines of one rule are, as data that templates print, and how parts are spelled. */
#ifndef FLEETWALL_GEN_LINES_H
#define FLEETWALL_GEN_LINES_H

#include "fleetwall/error.h"
#include "fleetwall/resolve.h"
#include "fleetwall/settings.h"
#include "sets.h"

/* How a ruleset is laid out (SPEC §2): which chains, and what letting in and refusing are called there. */
enum style { STYLE_EXCLUSIVE, STYLE_COEXIST, STYLE_MONITOR, STYLE_COUNT };

/* 0 and 1 for IPv4 and IPv6: as the arrays of two are indexed. */
static inline unsigned family_index(enum family family)
{
	return family == FAMILY_6;
}

/* What letting in is called: ACCEPT or RETURN. */
struct str style_pass(enum style style);
/* The chain of new packets: INPUT, OUTPUT, or ours. */
struct str style_chain(enum style style, enum direction direction);

#define COMMENT_MAX 255 /* bytes that the comment match keeps */

/* A rate as iptables-save gives it back: in the smallest unit that it is a whole number of. Where that is not the unit
 * of the rule, the time after which an idle source is forgotten is spelled out, because it would follow the unit. */
struct rate {
	struct str number; /* "5/min" */
	unsigned burst;
	struct str expire; /* milliseconds; empty: the unit's own */
};

struct rate rate_spell(struct arena *arena, unsigned limit, enum limit_unit unit);
/* Of logs that are not the default stage's: as configured, or the default where that log is off. */
struct rate rate_of_logs(struct arena *arena, const struct settings *settings);
/* "<owner>-<8 hexadecimal digits over rate and mode>": a hashlimit name keeps its old rate, so another rate is another
 * name. */
struct str rate_name(struct arena *arena, struct str owner, const struct rate *rate, struct str mode);
/* "10.0.0.0/8", "10.0.0.5/32"; empty for /0, which is no match. */
struct str prefix_spell(struct arena *arena, struct prefix prefix);
/* The name that iptables-save itself knows, otherwise the number; empty for 0. */
struct str protocol_spell(struct arena *arena, uint8_t protocol);

#define MULTIPORT_SLOTS 15 /* a range takes two */

struct port_chunk {
	struct port_range *ports; /* sorted */
	size_t count;
};
/* The fewest chunks of at most MULTIPORT_SLOTS that say exactly these ports (sorted, disjoint, not touching, at least
 * one). */
size_t ports_chunk(struct arena *arena, const struct port_range *ports, size_t count, struct port_chunk **chunks);
/* "22", "80:90"; joined by commas. */
struct str ports_spell(struct arena *arena, const struct port_range *ports, size_t count);

/* One line. An empty string means that the line does not have it. */
struct line {
	struct str chain, source, destination, input, output, protocol;
	struct str header;        /* -m HEADER: an extension header of IPv6 */
	struct str module, dport; /* -m MODULE --dport DPORT */
	struct str dports;        /* -m multiport */
	struct str icmp_module, icmp_option, icmp_type;
	struct str set, side; /* src, dst */
	struct str datestop;
	struct rate rate;
	struct str rate_mode, rate_name;
	struct str comment;
	struct str jump, go_to, reject_with;
};

struct lines {
	struct line *items;
	size_t count, capacity;
};

/* One end of the packets that a rule speaks of: a set, or without one a prefix, or with neither anyone. */
struct end {
	uint32_t set;                /* NO_SET: none */
	const struct range *literal; /* NULL: none; otherwise exactly one prefix */
};

/* All of them in one family, in the order of their lines. None: the rule says nothing in this family. */
struct ends {
	struct end *items;
	size_t count;
};

struct both_ends {
	struct ends of[2]; /* by family */
};

/* The ends of a rule in both families, into `arena`; the sets among them are put into `sets`. So whoever lists sets and
 * whoever writes lines go by the same answer. ERROR_UNKNOWN where the rule names a service that is not there,
 * ERROR_INPUT for a value that a rules file can't hold. */
struct error *rule_ends(struct arena *arena, struct arena *scratch, struct sets *sets, const struct resolved *resolved,
                        const struct effective_rule *rule, struct both_ends *ends) MUST_CHECK;

/* What a rule becomes in one family and style. */
struct rule_lines {
	struct lines lines;
	bool logged;     /* the lines lead to the chain fleetwall-<id> */
	bool tcp, other; /* whether tcp, and anything but tcp, is among what they match */
};

/* Into `arena`. `ends` are those that rule_ends() gave for this family. */
void rule_expand(struct arena *arena, const struct sets *sets, const struct resolved *resolved,
                 const struct effective_rule *rule, const struct ends *ends, enum family family, enum style style,
                 struct rule_lines *out);
/* "ROLE ID", the role cut so that it fits. */
struct str rule_comment(struct arena *arena, const struct effective_rule *rule);

#endif
