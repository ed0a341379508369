/* Forms of rule lines, for the kernel guard: what kernel and iptables judge a line by, without what they don't. Two
 * lines of one form are both taken, or neither is. */
#ifndef FLEETWALL_GEN_GUARD_FORMS_H
#define FLEETWALL_GEN_GUARD_FORMS_H

#include "fleetwall/ruleset.h"

/* A form, and the first line that has it. `text` begins with "v4 " or "v6 ". */
struct form {
	struct str text, line;
	const struct ruleset *ruleset;
	size_t file; /* 0: rules.v4 */
	unsigned number;
};

struct forms {
	struct form *items;
	size_t count, capacity;
};

/* Every distinct form of the output, in the order in which they are met. */
struct forms forms_of(struct arena *arena, const struct output *output);

/* The form of one line of a file. */
struct str form_of(struct arena *arena, struct str rules, size_t file, struct str line);

#endif
