/* What fleetwall-host printed, as values. fleetwall-host(8) describes the lines. */
#ifndef ANSWER_H
#define ANSWER_H

#include "fleetwall/push.h"

/* Its exit codes. */
enum host_status {
	HOST_OK = 0,
	HOST_NO = 1,
	HOST_BAD = 2, /* wrong usage, or a damaged bundle; also what sh says when there is no script */
	HOST_REFUSED = 4,
	HOST_UNDONE = 5,
	HOST_NOT_UNDONE = 6,
	HOST_LATE = 7,
	HOST_BASE = 8, /* what a difference is against is not what it has */
	HOST_SCRIPT = 9,
	SHELL_NOT_EXECUTABLE = 126, /* from a shell */
	SHELL_NOT_FOUND = 127,
};

enum answer_kind { ANSWER_NONE, ANSWER_APPLIED, ANSWER_ALREADY, ANSWER_CONFIRMED, ANSWER_ERROR };

struct host_answer {
	enum answer_kind kind;  /* what the last line that decides says; an error in any case if there is one */
	struct digest position; /* applied, already, confirmed */
	uint64_t generation;
	struct str machine_id;  /* empty: it was not told */
	struct digest script;   /* all zero: it was not told */
	unsigned sessions;      /* that would be cut; 0 if it was not told */
	struct str *warnings;   /* plain text */
	size_t warning_count;
	struct str word, text;  /* of an error: "fence", "…"; plain text */
};

/* Lines that are not known are passed over. */
struct host_answer answer_of(struct arena *arena, struct str output);
/* Did fleetwall-host not run, or is it another version? It travels with the next bundle then. */
bool answer_lacks_script(const struct host_answer *answer, int status);

#endif
