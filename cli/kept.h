/* The present inventory from what the last run of generate kept of it, for questions that are about few machines and
 * whom their rules speak of, be they many. */
#ifndef KEPT_H
#define KEPT_H

#include "fleetwall/inventory.h"

#include "cli.h"

/* As of one snapshot of the database. Tickets, owners and descriptions are missing, as inventory_load_changes() says.
 */
struct kept {
	bool is;            /* false: nothing is kept of this database, or so much changed since that reading the
	                       tables costs less */
	struct str packed;  /* where nothing changed: see fleet_unpack() */
	int64_t clock;
	struct fleet fleet; /* where something did, or kept_whole() was asked: all of it */
	bool whole;         /* it is there */
};

/* From OUT/cache, with what changed since, which are so many objects at most: of more nothing is kept. The connection
 * stays open, and where kept->is the snapshot, which the caller ends. It lives in `memory`, which is not run->arena,
 * and in that. */
struct error *kept_load(struct run *run, struct arena *memory, size_t most_changes, struct kept *kept) MUST_CHECK;
/* The part that inventory_load_around() would load, or more of it; but not what `letting` asks for, unless all is still
 * packed. False: it can't be had, because what is kept is damaged; then nothing is kept. */
bool kept_part(struct arena *arena, struct kept *kept, const struct around *around, struct fleet *part);
/* All of it; false likewise. */
bool kept_whole(struct arena *arena, struct kept *kept);

/* A warning where the inventory changed since what is published was made: push alone does not bring that to machines.
 * Connected, and in no transaction. Says nothing where nothing is kept. */
struct error *kept_warn_of_changes(struct run *run) MUST_CHECK;

#endif
