/* Lines of rules files that were met before, and what each means to the guards: most lines stand in thousands of
 * rulesets, so a line is read once and then recognised. One memo belongs to one worker
 * and one kind of file (a scope): in it a line means one thing, wherever it stands. */
#ifndef FLEETWALL_GEN_GUARD_MEMO_H
#define FLEETWALL_GEN_GUARD_MEMO_H

#include "fleetwall/ruleset.h"
#include "guard_match.h"

enum line_kind {
	LINE_NONE,    /* a place in the memo where no line is */
	LINE_NOTHING, /* empty, or a comment */
	LINE_FILTER,  /* "*filter" */
	LINE_TABLE,   /* another table */
	LINE_CHAIN,   /* ":NAME …" */
	LINE_RULE,    /* "-A CHAIN …" */
	LINE_COMMIT,
	LINE_ODD, /* anything else: it could change a chain behind our back */
};

/* What the guard against lock-outs walks through: lines that may match an SSH packet. */
enum line_walk { WALK_NONE, WALK_IN, WALK_OUT, WALKS };

/* What a line may do on a machine that is only monitored. */
enum line_harm { HARM_NONE, HARM_UNLESS_DECLARED, HARM_ALWAYS };

/* The chains that frames and walks ask for have fixed numbers. */
enum { CHAIN_INPUT, CHAIN_FORWARD, CHAIN_OUTPUT, CHAIN_OUR_INPUT, CHAIN_OUR_OUTPUT, CHAINS_FIXED };
extern const char *const chain_names[CHAINS_FIXED];

#define CHAIN_NONE UINT32_MAX
#define FORM_NONE UINT32_MAX

/* Which line it is. Two lines of one fingerprint are taken for one; it is made with secrets of this run, so nobody can
 * aim at that, and chance does it once in 2^64. Texts are not kept: those of a fleet do not fit into a processor's
 * caches, and looking at them would cost more than all the rest. */
struct fingerprint {
	uint64_t first, second;
};
static inline bool same_print(const struct fingerprint *a, const struct fingerprint *b)
{
	return a->first == b->first && a->second == b->second;
}
struct secrets {
	uint64_t word[3];
};

/* Lines are named by their place in memo->lines, which does not change while a file is scanned. */
struct known_line {
	struct fingerprint print;
	uint32_t form; /* with more: its place in memo->more; else the form of an option line, or FORM_NONE */
	uint8_t kind, walk, harm;
	bool has_form : 1; /* it begins with an option */
	bool has_more : 1;
	bool accepts : 1; /* declares the policy ACCEPT */
	bool quiet : 1;   /* a rule that no guard needs to look at again, whatever file it is in */
};

/* Of a line that declares a chain, depends on what its file declares, or is walked through. */
struct line_more {
	uint32_t home,
		target;    /* chains that a file must declare: the one that it is of, and the one that it jumps to */
	uint32_t match;    /* in memo->matches, where it is walked through */
	uint32_t forms[4]; /* by what the file declares, see forms_meet(); FORM_NONE: not met yet */
};

/* What the meaning of a line depends on, besides its text. */
struct scope {
	size_t file; /* 0: rules.v4 */
	enum mode mode;
	enum enforcement enforcement;
	unsigned port;
};

struct numbers {
	uint32_t *items;
	size_t count, capacity;
};

void numbers_add(struct arena *arena, struct numbers *numbers, uint32_t number);

struct fingerprints {
	struct fingerprint *items;
	size_t count, capacity;
};

/* Lines of a walk that let management through: a chain that begins with them does, too. */
struct proof {
	struct fingerprints lines;
	bool valid;
	bool whole; /* the chain must end there */
	bool end_lets_through;
};

struct memo {
	struct arena *arena;
	struct scope scope;
	struct memo *next;
	struct secrets secrets;
	struct known_line *lines; /* a hash table */
	size_t count, capacity;   /* a power of two */
	struct {
		struct line_more *items;
		size_t count, capacity;
	} more;
	struct {
		struct line_match *items;
		size_t count, capacity;
	} matches;
	struct names *chains;
	struct declared {
		uint64_t scan; /* the last one that declares the chain */
		bool accepts;  /* by the last declaration there, which is the one that counts */
	} * declared;          /* by chain */
	size_t declared_capacity;
	uint64_t scan;
	struct proof proofs[WALKS];
};

/* One rules file, recognised. Line number i + 1 is lines.items[i]; the others hold such i. */
struct scan {
	struct memo *memo;
	const struct ruleset *ruleset;
	size_t file;
	struct fingerprints prints;
	struct numbers lines, starts; /* and where they begin in the file */
	struct numbers loud;          /* those that are not quiet */
	struct numbers walks[WALKS];
	size_t tables, commits, odd;
};

struct memo *memo_new(struct arena *arena, const struct scope *scope, const struct secrets *secrets);
/* How much memory it takes. */
size_t memo_bytes(const struct memo *memo);
struct scope scope_of(const struct ruleset *ruleset, size_t file);
/* Recognises the lines of a file of the memo's scope; what is not known yet is read and kept in the memo's arena. The
 * scan's lists live in `arena` and are used again the next time. */
void memo_scan(struct arena *arena, struct memo *memo, const struct ruleset *ruleset, struct scan *scan);

static inline struct known_line *memo_line(const struct memo *memo, uint32_t line)
{
	return &memo->lines[line];
}
/* NULL: it has none. */
static inline struct line_more *memo_more(const struct memo *memo, const struct known_line *line)
{
	return line->has_more ? &memo->more.items[line->form] : NULL;
}
static inline struct known_line *scan_line(const struct scan *scan, size_t i)
{
	return memo_line(scan->memo, scan->lines.items[i]);
}
struct str scan_text(const struct scan *scan, size_t i);

/* Does the scanned file declare the chain? */
static inline bool scan_declares(const struct scan *scan, uint32_t chain)
{
	return chain != CHAIN_NONE && scan->memo->declared[chain].scan == scan->memo->scan;
}
/* With the policy ACCEPT? */
static inline bool scan_accepts(const struct scan *scan, uint32_t chain)
{
	return scan_declares(scan, chain) && scan->memo->declared[chain].accepts;
}

/* --- within the memo --- */

/* Chains are numbered in the order in which they are met. */
uint32_t chain_number(struct memo *memo, struct str name);
/* Learns what a new line means. */
void line_read(struct memo *memo, struct known_line *line, struct str text);

#endif
