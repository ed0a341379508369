/* Lines of rules files that were met before, and what each means to the guards: most lines stand in thousands of
 * rulesets, and mostly behind the same line, so a line is read once and then recognised. One memo belongs to one worker
 * and one kind of file (a scope): in it a line means one thing, wherever it stands. */
#ifndef FLEETWALL_GEN_GUARD_MEMO_H
#define FLEETWALL_GEN_GUARD_MEMO_H

#include "fleetwall/ruleset.h"
#include "guard_match.h"

enum line_kind {
	LINE_NOTHING, /* empty, or a comment */
	LINE_FILTER,  /* "*filter" */
	LINE_TABLE,   /* another table */
	LINE_CHAIN,   /* ":NAME …" */
	LINE_RULE,    /* "-A CHAIN …" */
	LINE_COMMIT,
	LINE_ODD, /* anything else: it could change a chain behind our back */
};

/* A rule's place in what the guard against lock-outs walks through. */
enum line_walk { WALK_NONE, WALK_IN, WALK_OUT, WALKS };

/* What a line may do on a machine that is only monitored. */
enum line_harm { HARM_NONE, HARM_UNLESS_DECLARED, HARM_ALWAYS };

#define CHAIN_NONE UINT32_MAX

struct form;

struct known_line {
	struct known_line *follower; /* what stood behind it last time; NULL: not met yet */
	struct form *forms[4];       /* by what the file declares, see forms_meet(); NULL: not met yet */
	const struct line_match *match; /* of a rule */
	enum line_kind kind;
	enum line_walk walk;
	enum line_harm harm;
	uint32_t home, target; /* chains: the one that it is of (or declares), and the one that it jumps to */
	bool has_form;         /* it begins with an option */
	bool accepts;          /* declares the policy ACCEPT */
	size_t n;                    /* bytes of the text, without its newline */
	char text[];                 /* with a newline */
};

/* What the meaning of a line depends on, besides its text. */
struct scope {
	size_t file; /* 0: rules.v4 */
	enum mode mode;
	enum enforcement enforcement;
	unsigned port;
};

/* Lines of a walk that let management through: a chain that begins with them does, too. */
struct proof {
	const struct known_line **lines;
	size_t count, capacity;
	bool valid;
	bool whole;            /* the chain must end there */
	bool end_lets_through;
};

struct memo {
	struct arena *arena;
	struct scope scope;
	struct memo *next;
	struct known_line *first; /* of the file that was scanned last */
	struct known_line **slots;
	uint64_t *hashes;
	size_t count, capacity; /* a power of two, at least twice the count */
	size_t bytes;
	struct names *chains;
	struct declared {
		uint64_t scan; /* the last one that declares the chain */
		bool accepts;  /* by the last declaration there, which is the one that counts */
	} *declared;           /* by chain */
	size_t declared_capacity;
	uint64_t scan;
	struct proof proofs[WALKS];
};

/* One rules file, recognised. Line number i + 1 is lines[i]. Walks hold such i. */
struct places {
	uint32_t *items;
	size_t count, capacity;
};
struct scan {
	struct memo *memo;
	const struct ruleset *ruleset;
	size_t file;
	struct known_line **lines;
	size_t count, capacity;
	struct places walks[WALKS];
};

struct memo *memo_new(struct arena *arena, const struct scope *scope);
struct scope scope_of(const struct ruleset *ruleset, size_t file);
/* Recognises the lines of a file of the memo's scope; what is not known yet is read and kept in the memo's arena. The
 * scan's lists live in `arena` and are used again the next time. */
void memo_scan(struct arena *arena, struct memo *memo, const struct ruleset *ruleset, struct scan *scan);
/* Does the scanned file declare the chain? */
static inline bool scan_declares(const struct scan *scan, uint32_t chain)
{
	return chain != CHAIN_NONE && scan->memo->declared[chain].scan == scan->memo->scan;
}
static inline struct str scan_line(const struct scan *scan, size_t line)
{
	return (struct str){scan->lines[line]->text, scan->lines[line]->n};
}
/* By name; *accepts: with the policy ACCEPT. */
bool scan_declares_name(const struct scan *scan, struct str chain, bool *accepts);

#endif
