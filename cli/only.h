/* generate --only: what is made for the machines that were named, and everything else as it is published. */
#ifndef ONLY_H
#define ONLY_H

#include "fleetwall/parallel.h"

#include "round.h"

struct only;

/* The machines that options and arguments name; *only is NULL where none are. */
struct error *only_wanted(struct round *round, struct only **only) MUST_CHECK;
/* Makes what these machines get, to the guards and the store, and round->next. ERROR_SURROUNDINGS where what is
 * published can't be read. */
struct error *only_make(struct round *round, struct only *only) MUST_CHECK;
/* Which of round->fleet's machines they are. */
const bool *only_machines(const struct only *only);
/* After only_make(): the distinct objects that it made, sorted. */
size_t only_rulesets(const struct only *only, struct digest **digests);
size_t only_sets(const struct only *only, struct digest **digests);
/* Behind the guards: what the next run's guards compare with. */
void only_sum_up(struct round *round);

#endif
