/* What a generation would let in that machines do not let in yet: asked by nightly where only what opens nothing is
 * pushed, and by approve. */
#ifndef APPROVAL_H
#define APPROVAL_H

#include "cli.h"

struct approval_machine {
	struct str name;
	uint64_t confirmed; /* generation; 0: none */
};

/* Lines "\n  it opens …" for people, and how many things were found; what can't be told is one of them. */
struct error *approval_openings(struct run *run, uint64_t generation, const struct approval_machine *machines,
                                size_t count, struct buf *lines, size_t *found) MUST_CHECK;

#endif
