/* What the files of nightly share: the night. nightly.c orders its stations and reports, nightly_push.c gets
 * what was made to the machines and looks at some of the others. */
#ifndef NIGHTLY_H
#define NIGHTLY_H

#include "outcome.h"
#include "push.h"

struct night {
	struct run *run;
	int lock; /* OUT/.nightly, which also tells which settings and templates were pushed last */
	uint64_t before; /* the generation of the evening; 0: there was none */
	struct regeneration result;
	struct str held; /* why nothing was pushed, where something could have been; empty: nothing held it */
	struct push_report pushed;
	struct drift_report drift;
};

/* Each decides by itself whether there is something to do. */
struct error *nightly_push_changes(struct night *night) MUST_CHECK;
struct error *nightly_look_for_drift(struct night *night) MUST_CHECK;

/* Did pushing or looking come to anything that a person should read? */
bool nightly_push_happened(const struct night *night);
void nightly_say_push(struct night *night);
/* The same for programs. */
enum { NIGHTLY_PUSH_COLUMNS = 7 };
extern const char *const nightly_push_names[NIGHTLY_PUSH_COLUMNS];
void nightly_push_cells(struct night *night, struct cell *cells);

#endif
