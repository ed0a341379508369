/* What lint and lint accept share: the findings of the present inventory, and those that were accepted. */
#ifndef CLI_LINT_H
#define CLI_LINT_H

#include "fleetwall/lint.h"

#include "cli.h"

enum { LINT_DAYS_MOST = 36500 };

struct acceptance {
	struct str finding, code, subject, reason, until, who, at; /* `until` empty: for good */
	bool ended;
};

struct acceptances {
	struct acceptance *items; /* sorted by code, then subject */
	size_t count;
};

/* From the transaction that is open, or one of its own. */
struct error *lint_acceptances(struct run *run, struct acceptances *list) MUST_CHECK;
/* Connects; both from one snapshot, which is over when it returns. */
struct error *lint_find_all(struct run *run, const struct lint_options *options, struct acceptances *accepted,
                            struct lint_finding **findings, size_t *count) MUST_CHECK;

#endif
