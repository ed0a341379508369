/* generate --dry-run. */
#ifndef DRY_RUN_H
#define DRY_RUN_H

#include "round.h"

/* Says what a run would change and mend, and whether guards would stop it; round->run->no if there is something. */
struct error *dry_run(struct round *round) MUST_CHECK;

#endif
