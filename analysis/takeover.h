/* Between the files that take over a host's filter: a host and its lines, what its rules do to packets, and the pieces
 * that become rules. Nothing outside takeover*.c includes it.
 *
 * "Cells" are what a rule of ours can tell apart: family, protocol, port or ICMP type, interface, the other end's
 * address. A set of cells is a set of packets that depends on nothing else. */
#ifndef TAKEOVER_PARTS_H
#define TAKEOVER_PARTS_H

#include "fleetwall/arena.h"
#include "fleetwall/filter.h"
#include "fleetwall/intent.h"
#include "fleetwall/takeover.h"

/* --- lines --- */

/* In the order of what counts where a line has several: the last. */
enum line_kind { LINE_NOTHING, LINE_UNREACHED, LINE_HOUSEKEEPING, LINE_REPRESENTED, LINE_LEFT_OUT };

struct line {
	enum line_kind kind;
	struct str why; /* LINE_LEFT_OUT */
};

enum text_kind { TEXT_RULES_4, TEXT_RULES_6, TEXT_SETS };

struct text {
	struct str name, bytes;
	enum text_kind kind;
	struct line *lines; /* by number, from 1 */
	size_t line_count;
};

struct network_of_set {
	const struct filter_set *set;
	struct str name; /* of the network */
	bool used;       /* a rule of ours names it */
};

struct piece_list {
	struct piece *items;
	size_t count, capacity;
};

struct host {
	struct str name;
	struct text *texts;
	size_t text_count;
	struct filter *filters[2]; /* NULL: not given */
	struct text *rules[2];
	struct filter_sets sets;
	struct network_of_set *networks; /* as sets.sets */
	struct piece_list pieces;
	bool open[2];     /* by family: everything may leave, but for what rules refuse */
	bool closed;      /* outbound */
	bool coexists;    /* what is forwarded is not touched */
	bool *reached[2]; /* by chain: from INPUT or OUTPUT */
	struct role role; /* with its rules: the machine's own, or that of all that are alike */
	bool shared;
	size_t rule_count;
	bool proved;
	struct packet_texts {
		struct str *items;
		size_t count, capacity;
	} narrower, wider;
};

struct takeover {
	struct arena *arena;
	struct host *hosts; /* sorted by name */
	size_t host_count;
	struct error *remarks, **remarks_end;
	uint64_t bound;
	struct place at; /* the rule that was looked at last, until the bound was passed */
	bool stopped;    /* it was */
};

void line_note(struct text *text, unsigned number, enum line_kind kind, struct str why);
/* This rule (NULL: of the file, nobody knows which) was looked at: noted, until the bound on packets is passed. */
void reach(struct takeover *takeover, const struct text *text, const struct filter_rule *rule);
/* Of the machine there is no answer then. */
struct error *reached_bound(const struct takeover *takeover, struct str machine) MUST_CHECK;
/* Every line that nobody noted, when all is done: what is forwarded, chains that nothing leads to, other tables,
 * sets. */
void lines_rest(struct takeover *takeover, struct host *host);
void remark_error(struct takeover *takeover, struct error *error);
void remark(struct takeover *takeover, struct place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Why a set that is there says nothing of who is in it; and whether that holds for one. */
#define SET_EXPIRES "its members expire, so who is in it is not known"
bool set_expires(const struct filter_sets *sets, struct str name);

/* --- what rules do (takeover_walk.c) --- */

enum unit_kind {
	UNIT_ACCEPT,
	UNIT_DROP,
	UNIT_RESET, /* REJECT with tcp-reset */
	UNIT_REJECT,
	UNIT_UNKNOWN,
	UNIT_PASS,   /* LOG and the like: packets go on behind it */
	UNIT_ONWARD, /* into another chain, or back out of this one */
};

/* Rules of a chain that do the same with no other between them, and differ in the address of the other end alone; or
 * the policy. Sets are held. */
struct unit {
	uint32_t chain;
	uint32_t *rules; /* their places in the chain */
	size_t count;    /* 0: the chain's policy */
	enum unit_kind kind;
	struct packets nominal;   /* what they would match, were there no rules before them */
	struct packets effective; /* what comes to them and matches */
	struct packets opened;    /* of that, what opens a connection and is not let through in any case; see choose */
	struct packets cells;     /* of `nominal`, where that opens something */
	bool whole;               /* `nominal` is a set of cells */
	bool log;                 /* a LOG with the same matches stands before it */
};

struct run_rules;
struct walk {
	struct arena *arena;
	const struct filter *filter;
	struct filter_view view;
	bool out;
	struct unit *items; /* by chains in the order in which packets can come to them */
	size_t count, capacity;
	struct run_rules *rules;
	bool *reached; /* by chain */
};
void walk_run(struct walk *walk, struct packets all);
/* The part of `set` that this rule, without those before it, matches. */
struct packets walk_rule(const struct walk *walk, uint32_t chain, size_t rule);
/* The rule that was gone to last. */
const struct filter_rule *walk_last(const struct walk *walk);
void walk_end(struct walk *walk);

/* --- what is compared (takeover_space.c) --- */

struct space {
	enum family family;
	bool out;
	struct packets all;             /* of the family, in every state: intent_compared() */
	struct packets opening;         /* that open a connection between ordinary ends */
	struct packets kept;            /* housekeeping and management let them through in any case, in every state */
	struct packets free;            /* cells in which there is no packet to decide */
	struct packets free_everywhere; /* those that are free at every interface, without it */
	struct packets cells;           /* in which some packet opens a connection */
};
/* What is there without any rule comes from the intent of a machine that has none. */
struct space space_of(struct arena *arena, const struct filter *filter, const struct settings *settings,
                      unsigned ssh_port, bool out);
/* The cells in which some packet of the set may lie. */
struct packets space_cells(const struct space *space, struct packets set);

/* --- large sets, made small (takeover_thin.c) --- */

struct thinning;
/* For the choice of rules of this space. */
struct thinning *thinning_new(struct arena *arena, const struct filter *filter, const struct filter_sets *sets,
                              const struct space *space);
/* To be looked at in place of the whole ones. */
const struct filter_sets *thinning_sets(const struct thinning *thinning);
/* Addresses that were found out with these sets, as they are with the whole ones. */
struct addr_set thinning_put_back(struct thinning *thinning, struct arena *arena, struct addr_set small);

/* --- cells as rules (takeover_cells.c) --- */

/* What one rule of ours says, of one family. */
struct piece {
	enum family family;
	bool out;
	enum action action;
	struct what what;
	struct str interface;
	bool any;
	struct addr_set peers;
	const struct range *literals; /* as the lines spell them, where they are the same addresses */
	size_t literal_count;
	bool log;
	unsigned limit; /* with a unit; else none */
	enum limit_unit limit_unit;
	struct str comment;
	struct packets cells; /* held */
};
struct patterns {
	struct str *items;
	size_t count, capacity;
	struct str own; /* of the line: asked first; empty: it has none */
};
/* Appends pieces that together are cells of `wanted`: all that can be said, and beyond them at most `space->free`. */
void cells_pieces(struct arena *arena, const struct space *space, const struct patterns *patterns,
                  struct packets wanted, struct piece_list *pieces);

/* --- which rules (takeover_choose.c) --- */

void choose_rules(struct takeover *takeover, struct host *host, const struct settings *settings, unsigned ssh_port,
                  enum family family, bool out);

/* --- what becomes of lines (takeover_lines.c) --- */

/* What the chosen rules do with packets of space->opening. Sets are held by the caller. */
struct chosen {
	struct packets let_in;   /* of space->opening, without what is kept */
	struct packets lost;     /* that the filter perhaps lets in, and the rules do not */
	struct packets rejected; /* answered */
	struct packets logged;   /* refused and logged: all that is not let in, but what rules refuse silently */
	bool open;               /* outbound: everything may leave */
};
void lines_judge(struct takeover *takeover, struct host *host, const struct walk *walk, const struct space *space,
                 const struct chosen *chosen);

/* --- machines that are alike (takeover_alike.c) --- */

/* Those whose roles say the same get one name for them. */
void share_roles(struct takeover *takeover, const struct fleet *present);
/* Did a takeover make it for several machines? */
bool is_shared_role(const struct role *role);

/* --- peers with names (takeover_names.c) --- */

struct peer_list {
	struct peer *items;
	size_t count, capacity;
};
struct range_list {
	struct range *items;
	size_t count, capacity;
};
struct finder;
struct finder *finder_new(struct arena *arena, const struct fleet *present);
/* A rule speaks of these addresses, and of all of a family where `every` says so: the peers that are exactly these, by
 * name where machines or a role stand for them. */
void finder_peers(struct finder *finder, const struct range_list *ranges, const bool every[2], bool refusing,
                  struct peer_list *peers);

#endif
