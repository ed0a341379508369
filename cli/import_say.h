/* What an import says of itself, besides its plan. */
#ifndef IMPORT_SAY_H
#define IMPORT_SAY_H

#include "fleetwall/inventory.h"

#include "cli.h"

/* Afterwards: how much came, changed and went, and which objects went. */
void import_say(struct run *run, const struct fleet *present, const struct plan *plan);
/* Before: where so much goes that it may not be meant. */
void import_warn(struct run *run, const struct fleet *present, const struct plan *plan);

#endif
