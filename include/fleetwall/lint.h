/* Findings about an inventory (SPEC §6 `lint`): rules and rows that hardly say what somebody meant. Each is right, or
 * it is not there: shown from rows, or from exact sets of packets; a packet that is told as evidence was asked of
 * explain() first. What only may be wrong is not told. Pure; used by one thread, packets_begin() comes before. */
#ifndef FLEETWALL_LINT_H
#define FLEETWALL_LINT_H

#include "fleetwall/resolve.h"
#include "fleetwall/settings.h"

#define LINT_ID_DIGITS 12
#define LINT_EXPIRING_DAYS 14

enum lint_severity { LINT_ERROR, LINT_WARNING, LINT_NOTICE };

enum lint_code {
	LINT_DATABASE_OPEN,       /* a database's port is open to everybody */
	LINT_NO_MANAGEMENT,       /* no management sources are configured */
	LINT_COVERED,             /* an allow rule that others cover, whoever its peers stand for */
	LINT_CUT_ROLE,            /* a deny rule takes away a whole role that an allow rule names */
	LINT_DENIED,              /* an allow rule that deny rules take away wherever it counts */
	LINT_MANAGEMENT_FAMILY,   /* push connects to an address of a family without a management source */
	LINT_NO_ADDRESS,          /* a machine without addresses is a peer of rules */
	LINT_NO_LABEL,            /* of a role's addresses rules name those with a label, and a member's has none */
	LINT_NO_MATCH,            /* a rule that matches no packet */
	LINT_ONE_FAMILY,          /* open to everybody in one family, closed in the other */
	LINT_COVERED_NOW,         /* an allow rule that others cover, with the addresses that its peers have now */
	LINT_EMPTY_PEER,          /* a peer that stands for nobody */
	LINT_ENDED,               /* a rule that has ended */
	LINT_EXPIRES,             /* a rule that ends soon */
	LINT_LITERAL_MACHINE,     /* an address in rules of several roles is a machine's */
	LINT_MANAGEMENT_DENIED,   /* a deny rule speaks of management, which is let in all the same */
	LINT_NO_HOST,             /* push has nothing but a machine's name to connect to */
	LINT_NOT_ENFORCED,        /* a machine that is watched only, or not managed */
	LINT_OPEN_EGRESS,         /* an outbound allow rule where everything may leave */
	LINT_OVERLAPPING_NETWORKS,
	LINT_PARTLY_DENIED,       /* a deny rule takes some away of what an allow rule lets through */
	LINT_SHARED_ADDRESS,      /* two machines have an address */
	LINT_UNUSED_NETWORK,
	LINT_UNUSED_ROLE,
	LINT_CODES,
};

struct lint_finding {
	enum lint_code code;
	char id[LINT_ID_DIGITS + 1]; /* of code, subject and what makes it this finding: the same as long as that is */
	struct str subject;  /* "rule 0123456789ab", "role:app", "machine:db1", "network:office", "address 10.0.0.5" */
	struct str message;  /* what is wrong, a sentence without its full stop */
	struct str evidence; /* a packet, "203.0.113.7 -> db1 3306/tcp", or what rows say */
	struct str advice;   /* what to do */
};

struct lint_options {
	unsigned expiring_days;
};

/* Sorted by severity, code, then subject. Everything lives in `arena`. */
size_t lint(struct arena *arena, const struct resolved *resolved, const struct settings *settings,
            const struct lint_options *options, struct lint_finding **findings);

struct str lint_code_str(enum lint_code code); /* "database-open" */
bool lint_code_parse(struct str s, enum lint_code *code);
enum lint_severity lint_code_severity(enum lint_code code);
struct str lint_severity_str(enum lint_severity severity); /* "error", "warning", "notice" */
bool lint_severity_parse(struct str s, enum lint_severity *severity);

#endif
