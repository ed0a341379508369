/* What the files of lint share. Nothing outside lint*.c includes it. */
#ifndef ANALYSIS_LINT_PARTS_H
#define ANALYSIS_LINT_PARTS_H

#include "fleetwall/explain.h"
#include "fleetwall/lint.h"
#include "fleetwall/packets.h"
#include "peers.h"

#define FAMILIES 2
static inline enum family family_of(size_t index)
{
	return index == 0 ? FAMILY_4 : FAMILY_6;
}

/* A rule that counts now. */
struct lint_rule {
	const struct effective_rule *effective;
	const struct rule *rule;
	uint32_t role;
	struct packets heads[FAMILIES]; /* what and interface */
	bool moot;    /* it was found that it has no effect: nothing is to be built on it, or told of it besides */
};

/* Roles with deny or reject rules that a machine has. */
struct refusing {
	uint32_t *roles;
	size_t count;
};

struct linting {
	struct arena *arena;   /* of the findings */
	struct arena *scratch; /* of the run */
	const struct fleet *fleet;
	const struct resolved *resolved;
	const struct settings *settings;
	const struct lint_options *options;
	struct explainer *explainer;
	struct peers *peers;
	struct lint_rule *rules; /* by role, then text */
	size_t *first;           /* by role, and one more: where its rules begin */
	struct packets left[FAMILIES][2]; /* [family][out]: what housekeeping leaves to rules */
	struct refusing *kinds;  /* lists of refusing roles */
	uint32_t *kind_of;       /* by machine: which of them it has; of no use without a ruleset */
	struct {
		struct lint_finding *items;
		size_t count, capacity;
	} findings;
};

/* What makes a finding. Strings may live in scratch memory. */
struct lint_words {
	struct str subject, detail; /* `detail`: what besides the subject makes it this finding */
	struct str message, evidence, advice;
};
void lint_find(struct linting *linting, enum lint_code code, const struct lint_words *words);

/* --- lint_rules.c: rules, and what each speaks of --- */

void lint_rules_collect(struct linting *linting);
struct packets lint_head(struct linting *linting, struct lint_rule *rule, enum family family);
/* The addresses of one peer, as the rule sees it. */
struct addr_set lint_peer_set(struct linting *linting, const struct lint_rule *rule, const struct peer *peer,
                              enum family family);
/* Of all of its peers. */
struct addr_set lint_all_peers(struct linting *linting, const struct lint_rule *rule, enum family family);
struct addr_set lint_whole(enum family family);
bool lint_is_refusing(const struct lint_rule *rule);
struct str lint_rule_subject(struct linting *linting, const struct lint_rule *rule);
/* "allow 22/tcp" of role:app */
struct str lint_rule_words(struct linting *linting, const struct lint_rule *rule);
/* Several of them, after one another; the first few. */
struct str lint_rules_words(struct linting *linting, struct lint_rule *const *rules, size_t count);
void lint_rules_check(struct linting *linting);

/* --- lint_cover.c: is what a rule speaks of within what others speak of? --- */

enum cover_by {
	COVER_BY_NAME, /* whoever roles, networks and machines stand for */
	COVER_BY_ADDRESS,
};
/* `used` gets those that it takes, if it is covered. */
bool lint_covered(struct linting *linting, struct lint_rule *rule, struct lint_rule *const *others, size_t count,
                  enum cover_by by, struct lint_rule ***used, size_t *used_count);
void lint_cover_check(struct linting *linting);
/* As many steps as `inner` has ranges, and none behind the first that lies elsewhere. */
bool lint_set_within(const struct addr_set *inner, const struct addr_set *outer);

/* --- lint_deny.c --- */

void lint_denied_check(struct linting *linting);
void lint_deny_check(struct linting *linting);

/* --- lint_open.c, lint_rows.c, lint_management.c --- */

void lint_open_check(struct linting *linting);
void lint_rows_check(struct linting *linting);
void lint_management_check(struct linting *linting);

/* --- lint_packet.c: packets as evidence --- */

/* A new connection's packet of the set at the machine, to or from one of the addresses, that explain() decides in this
 * stage, by this rule (NULL: any): false where none was found. *text: "203.0.113.7 -> db1 3306/tcp". */
struct shown {
	struct linting *linting;
	uint32_t machine;
	bool out;
	enum stage stage;
	const struct lint_rule *by;
};
bool lint_show(const struct shown *shown, struct packets heads, const struct addr_set *others, struct str *text);
unsigned lint_ssh_port(const struct linting *linting, const struct machine *machine);

#endif
