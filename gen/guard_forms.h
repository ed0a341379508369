/* Forms of rule lines, for the kernel guard: what kernel and iptables judge a line by, without what they don't. Two
 * lines of one form are both taken, or neither is. */
#ifndef FLEETWALL_GEN_GUARD_FORMS_H
#define FLEETWALL_GEN_GUARD_FORMS_H

#include "guard_memo.h"

/* A file of a ruleset that the first line of some form stands in. Its bytes are a copy. */
struct form_source {
	struct str machine; /* the ruleset's example */
	size_t machines;
	size_t file; /* 0: rules.v4 */
	struct str rules, sets_list;
	char *bytes;
	size_t capacity;
	size_t forms;             /* how many name it; when none does any more, it is used again */
	struct form_source *next; /* of those that are free */
};

/* A form, and the first line that has it, by machine and number. `text` begins with "v4 " or "v6 ". */
struct form {
	struct str text;
	struct form_source *source;
	unsigned number;
	uint64_t met; /* the file that it was met in last */
};

struct form_list {
	struct form **items;
	size_t count, capacity;
};

/* The forms that one worker met. */
struct forms {
	struct arena *arena;
	struct names *texts;
	struct form_list list; /* by number in `texts` */
	struct form_source *current, *spare;
	uint64_t files;      /* how many were read */
	struct buf *highest; /* the highest example that was met */
	bool ascends;        /* the ruleset at hand comes behind all others: no form's first line can be in it */
};

struct forms *forms_new(struct arena *arena);
/* Before the files of a ruleset. */
void forms_begin(struct forms *forms, const struct ruleset *ruleset);
void forms_meet(struct arena *scratch, struct forms *forms, const struct scan *scan);

/* Of several workers: each form once, with its first line; in the order of those lines. */
struct form_list forms_merge(struct arena *arena, struct forms *const *workers, size_t count);
/* The first line of a form. */
struct str form_line(const struct form *form);

/* The form of one line of a file; which of its chains the file declares makes a difference. */
struct str form_of(struct arena *arena, size_t file, struct str line, bool home_declared, bool target_declared);

#endif
