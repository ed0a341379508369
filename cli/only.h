/* generate --only: what is made for the machines that were named, and everything else as it is published. */
#ifndef ONLY_H
#define ONLY_H

#include "fleetwall/parallel.h"

#include "round.h"

struct only;

/* The machines that options and arguments name; *only is NULL where none are. */
struct error *only_wanted(struct round *round, struct only **only) MUST_CHECK;
/* Makes what these machines get, to the guards and the store, and round->next. */
struct error *only_make(struct round *round, struct only *only) MUST_CHECK;
/* Behind the guards: what the next run's guards compare with. */
void only_sum_up(struct round *round);

#endif
