/* Old generations: which stay, and publishing one again. */
#ifndef GENERATION_H
#define GENERATION_H

#include "fleetwall/store.h"

#include "cli.h"

/* Takes away the generations that nobody needs any more (fleetwall/keep.h), when it is worth the trouble. `store` is
 * open, run->db in no transaction. What goes wrong is a warning: what is published is published, and what could not be
 * asked for or taken away stays. */
void collect_generations(struct run *run, struct store *store);

/* The number that is the argument; ERROR_USAGE if it is none. */
struct error *generation_number(struct str word, uint64_t *number) MUST_CHECK;
/* ERROR_UNKNOWN, with the nearest of those that are there. */
struct error *unknown_generation(struct run *run, uint64_t number) MUST_CHECK;

#endif
