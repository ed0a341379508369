/* What the guards that read rulesets found, of one kind: the first by machine and file, in whatever order they came,
 * and how many there were. */
#ifndef FLEETWALL_GEN_GUARD_FINDINGS_H
#define FLEETWALL_GEN_GUARD_FINDINGS_H

#include "fleetwall/ruleset.h"

enum { FINDINGS_MAX = 10 };

struct finding {
	struct str machine; /* the ruleset's example: a file of a machine is found once */
	size_t file;
	unsigned number; /* of the line; 0: no line is to blame */
	struct str line, message;
	const char *hint;
};

struct findings {
	struct finding items[FINDINGS_MAX]; /* in order */
	size_t kept, found;
};

/* Counts a finding. True if it is among the first: then it must be given to findings_keep(). */
bool findings_count(struct findings *findings, struct str machine, size_t file);
/* Copies the strings into `arena`. */
void findings_keep(struct arena *arena, struct findings *findings, struct finding finding);
/* Takes over what `more` has. */
void findings_merge(struct findings *findings, const struct findings *more);
/* As a chain of errors; `rest` says what the others are ("rules files that …"). */
struct error *findings_errors(const struct findings *findings, const char *rest) MUST_CHECK;

#endif
