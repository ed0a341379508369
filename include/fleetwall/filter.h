/* A reader of what iptables-save and ipset-save print: the filter table as a model, and the model as sets of packets.
 * It knows nothing of how rulesets are rendered, and shares no code with it. What it does not model is never guessed: a
 * match becomes a condition (fleetwall/packets.h), a target of an unknown kind a verdict of its own. Pure. */
#ifndef FLEETWALL_FILTER_H
#define FLEETWALL_FILTER_H

#include "fleetwall/error.h"
#include "fleetwall/packets.h"

/* --- as read --- */

/* What a kind needs of `struct match` beside `negated` and `text`. A match of ports, ICMP or TCP flags never matches a
 * later fragment, negated or not: so it is with the legacy backend. That of nft takes what stands there for a head, so
 * nothing should be claimed of later fragments; where conntrack is used, none comes to a filter. */
enum match_kind {
	MATCH_PROTOCOL, /* numbers: one; -p 0 and `all` give no match. Of IPv6 also -m ah, which looks for the header */
	MATCH_SOURCE,   /* ranges: one; a mask that is no prefix gives a condition */
	MATCH_DESTINATION,
	MATCH_IN, /* name: an interface, or the beginning of one and +; "+" alone is no match, but when negated */
	MATCH_OUT,
	MATCH_FRAGMENT, /* -f */
	MATCH_PORTS, /* numbers: destination ports, of the rule's protocol: --dport, --dports. 0-65535: a bare -m tcp */
	MATCH_SOURCE_PORTS,
	MATCH_EITHER_PORTS, /* multiport --ports: the one or the other */
	MATCH_ICMP,         /* numbers: type << 8 | code, of the family's ICMP (a rule has -p for it) */
	MATCH_TCP_FLAGS,    /* mask, value; --syn is 0x17, 0x02 */
	MATCH_STATE,        /* mask: 1 << packet_state */
	MATCH_SET,          /* name, dimensions; of a set that is modelled (or not known). Else a condition */
	MATCH_RANGE_SOURCE, /* ranges: one; iprange */
	MATCH_RANGE_DESTINATION,
	MATCH_ADDRTYPE_LOCAL, /* text "addrtype dst LOCAL", "addrtype src LOCAL": a steady condition of the machine's */
	MATCH_CONDITION, /* a rate, a time, anything else: its text says what; `steady` says whether the same text is
	                    the same answer within one packet's way (time, mark) or not (limit, hashlimit, recent,
	                    statistic). Of --ctstate with SNAT (value 1), DNAT (2) or both (3) in it: mask has the
	                    states in which it holds anyhow */
};

/* All matches of a rule must hold. The text leaves out what `negated` says, so `! --mark 1` and `--mark 1` are of one
 * name. */
struct match {
	enum match_kind kind;
	bool negated;
	struct str text;         /* canonical: for people, and the name of a condition */
	struct numbers *numbers; /* protocols, ports, ICMP type << 8 | code; sorted, disjoint */
	size_t number_count;
	struct range *ranges; /* addresses */
	size_t range_count;
	struct str name;       /* interface pattern, set */
	struct str dimensions; /* of a set: "src", "src,dst" */
	struct str bucket;     /* of a hashlimit: whoever names it as well shares it, and its rate */
	unsigned mask, value;  /* TCP flags; states */
	bool steady;
};

/* --- names of conditions ---
 *
 * Their parameters, in one order and spelling, whatever the line spells:
 *     "limit 50/sec burst 50"
 *     "hashlimit upto 6/min burst 5 srcip,dstport expire 60000"    (above; the mode left out when there is none;
 *                         further " srcmask 24", " dstmask 24", " htable-max 10" where they are not the default)
 *     "time until 2026-11-23T00:00:00Z"     (--datestop: that second included)
 *     "time from 2026-11-01T00:00:00Z until 2026-11-23T00:00:00Z daily 08:00:00-17:00:00 weekdays Mon,Tue"
 * A rate is in the largest unit (sec, min, hour, day) that iptables-save would use: 60/min is 1/sec. The bucket's name
 * (--hashlimit-name) is no part of it: fleetwall puts an id into it. Whoever must name the same condition (what the
 * inventory says) calls these. */
struct filter_rate {
	uint64_t count;   /* so many packets */
	unsigned seconds; /* in so many: 1, 60, 3600, 86400 */
	unsigned burst;   /* the kernel's default is 5 */
	bool above;       /* --hashlimit-above; else --hashlimit-upto */
	struct str mode;  /* "srcip,dstport", any order; empty: one bucket for all */
	unsigned expire;  /* milliseconds; 0: the unit's, seconds * 1000, as iptables takes it */
};
struct str filter_limit_name(struct arena *arena, const struct filter_rate *rate); /* -m limit: count, seconds, burst */
struct str filter_hashlimit_name(struct arena *arena, const struct filter_rate *rate);
/* `last` is the last second that matches, since 1970 UTC. */
struct str filter_until_name(struct arena *arena, int64_t last);

enum target_kind {
	TARGET_NONE, /* a rule without -j: counts */
	TARGET_ACCEPT,
	TARGET_DROP,
	TARGET_RETURN,
	TARGET_REJECT, /* `text`: what is answered with */
	TARGET_JUMP,
	TARGET_GOTO,
	TARGET_PASS,    /* goes on behind it: LOG, NFLOG, MARK, SET, … */
	TARGET_UNKNOWN, /* nobody knows here whether it ends there, and how: QUEUE, NFQUEUE, … */
};

struct filter_rule {
	unsigned line;   /* in its file, from 1 */
	struct str text; /* the line */
	struct match *matches;
	size_t match_count;
	enum target_kind target;
	struct str target_text; /* "REJECT --reject-with tcp-reset", "LOG --log-prefix …" */
	uint32_t chain;         /* of jump and goto: index */
	struct str comment;     /* of -m comment; no match */
};

struct filter_chain {
	struct str name;
	unsigned line;
	bool builtin;
	enum target_kind policy; /* of a built-in chain: ACCEPT or DROP */
	struct filter_rule *rules;
	size_t rule_count;
};

struct filter {
	enum family family;
	struct str file;
	struct filter_chain *chains; /* in the order of the text */
	size_t chain_count;
	/* Lines that belong to other tables: passed over, counted. */
	size_t foreign_lines;
};

/* iptables-save text (or what iptables-restore takes: the same, and -I, -N, -P, -F as single lines; with counters or
 * without), of that family. Only the filter table counts. What iptables-restore refuses is ERROR_INPUT with file, line,
 * what was expected and a hint; all faults at once, at most twenty. A jump to a chain that does not exist, a chain that
 * reaches itself, a set that `sets` lacks (NULL: any may be there) or has for the other family are faults as well.
 * `file` is for messages. The spellings of iptables before 1.4.3 (`-s ! net`, `--dport ! 22`), which today's tool
 * refuses, are read. One line with several addresses (-s a,b) is several rules, as iptables makes of it. The model
 * refers to `text`.
 *
 * A match that nobody knows here (-m geoip …) is a condition of its name and words; its options end where the next of
 * -m, -j and the like begins, and one that a known match could have as well is a fault, for then it is not certain
 * whose it is. Names of hosts, users and services are not looked up: a service counts by name where the number is the
 * same everywhere. A line for the other family (-6 in IPv4) is among `foreign_lines`. Refused beyond what the tool
 * refuses: a loop that no packet reaches, a chain with the name of a standard target, a quotation mark that is not
 * closed, a date beyond 2038-01-19T03:14:07. What the rules of the text change themselves (SET --add-set, MARK) is no
 * steady condition, and such a set is not modelled. */
struct filter_sets;
struct error *filter_read(struct arena *arena, enum family family, struct str file, struct str text,
                          const struct filter_sets *sets, struct filter **filter) MUST_CHECK;
/* NULL if there is none of that name. */
const struct filter_chain *filter_chain(const struct filter *filter, struct str name);

/* --- sets --- */

struct filter_set {
	struct str name;
	struct str type; /* "hash:net" */
	enum family family;
	bool modelled; /* hash:ip, hash:net, bitmap:ip, list:set of those: `addresses` is exact; else a set match
	                  is a condition */
	bool expires;  /* not modelled, since a time limit ends who is in it */
	struct addr_set addresses;
};
/* What `ipset restore` makes of these texts, one after the other, beginning with nothing: create, add, del, flush,
 * swap, destroy, rename, with -exist or without (which holds from its line to the end of its text); so both `ipset
 * save` and our set files. The sets are sorted by name; those that were destroyed again are not there. Entries with
 * nomatch, and a timeout, make a set not modelled; so do the types with ports, marks, interfaces or MACs, and a list of
 * sets of both families. */
struct filter_sets {
	struct filter_set *sets;
	size_t count;
};
struct filter_text {
	struct str file, text;
};
/* `exist`: as with `ipset -exist restore`. Faults as in filter_read(). */
struct error *filter_sets_read(struct arena *arena, const struct filter_text *texts, size_t count, bool exist,
                               struct filter_sets *sets) MUST_CHECK;
const struct filter_set *filter_set(const struct filter_sets *sets, struct str name);

/* --- as sets of packets --- */

/* Where packets that entered a chain ended. The seven are disjoint, and their union is what entered. */
struct outcomes {
	struct packets accepted, dropped;
	struct packets reset;    /* REJECT with tcp-reset */
	struct packets rejected; /* REJECT otherwise */
	struct packets returned; /* from a user chain that was entered from nowhere: by RETURN or its end */
	struct packets unknown;  /* an unknown target had them */
	struct packets *reached; /* one a chain: packets that entered it (union over all ways); as filter->chains */
	const struct filter_rule *last; /* looked at last, until the bound on packets was passed; NULL: none */
};

/* How the evaluation sees a set that a rule names: packets whose FIELD (source or destination) is in it. NULL: as its
 * addresses. Others may put a condition, so that only names are compared. */
typedef struct packets filter_set_seen(void *context, const struct filter_set *set, enum packet_field field);

struct filter_view {
	const struct filter_sets *sets;
	filter_set_seen *seen;
	void *context;
};

/* A steady condition of the machine's: `! --sport 1 ! --dport 2` leaves out only packets that have both, as
 * iptables-nft 1.8.9 loads it; else those that have either, as it says. */
#define FILTER_PORTS_AS_ONE "! --sport and ! --dport are one comparison"

/* `entering` go into `chain`; from a built-in chain's end the policy takes them. Conditions that are not steady are
 * named by their text and which one of that text it is in the file, from 1 (the first has no number). The time is
 * linear in the rules that packets can reach. Everything is yours to release. */
struct outcomes filter_run(struct arena *arena, const struct filter *filter, const struct filter_view *view,
                           const struct filter_chain *chain, struct packets entering);

/* What `chain` accepts of all packets, in far fewer steps; yours to release. *last as in the outcomes. */
struct packets filter_accepts(const struct filter *filter, const struct filter_view *view,
                              const struct filter_chain *chain, const struct filter_rule **last);

/* The first rule, in the order of the packet's way, that a packet of the set reaches and that decides it: for messages.
 * NULL: the policy, or nothing. */
const struct filter_rule *filter_decider(const struct filter *filter, const struct filter_view *view,
                                         const struct filter_chain *chain, const struct sample *packet);

#endif
