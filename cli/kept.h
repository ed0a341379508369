/* The present inventory from what the last run of generate kept of it, for questions that are about much of it. */
#ifndef KEPT_H
#define KEPT_H

#include "fleetwall/fleet.h"

#include "cli.h"

/* From OUT/cache, with what changed since from one snapshot of the database, which is closed again. Tickets, owners and
 * descriptions are missing, as inventory_load_changes() says. *fleet lives in `memory`, which is not run->arena, and in
 * that. *is: false where nothing is kept of this database, or so much changed that reading all of it again costs less;
 * then only the connection is open. */
struct error *kept_load(struct run *run, struct arena *memory, struct fleet *fleet, bool *is) MUST_CHECK;

#endif
