/* OUT/cache: what one run of generate leaves for the next, so that it need not begin from nothing. Three files:
 * `head`, which tells in a moment whether there is anything to do; `model`, the fleet and what was made from it; and
 * `proofs`, what need not be proved again. They are only ever a cache: what is missing, damaged, or not made by this
 * very build of the program is passed over, and the next run is a full one. Nothing in them is trusted beyond that:
 * they lie in a folder that only their owner can enter. */
#ifndef FLEETWALL_CACHE_H
#define FLEETWALL_CACHE_H

#include "fleetwall/store.h"

struct cache_head {
	struct digest base;           /* rendition.base of that run */
	struct str identity, snapshot; /* of the database, see inventory_news(); identity with its `newest` */
	uint64_t number;              /* of the generation that is published; never 0 */
	struct digest digest;         /* its digest */
	size_t machines, set_names;   /* how many its manifest and its list of sets name */
	int64_t clock;                /* of the fleet in `model`; edges up to here are in it */
	int64_t next_edge;            /* fleet_next_edge() */
	struct timespec mark;         /* store_mark() after everything was written */
	struct digest *rulesets, *sets; /* the distinct objects of the generation, sorted */
	size_t ruleset_count, set_count;
	struct digest model;          /* SHA-256 over the sums of each 1 MiB of the file `model` */
};

/* False: there is none that can be used. */
bool cache_read_head(struct arena *arena, struct str output, struct cache_head *head);
/* The packed fleet (see fleet_unpack(); writable, aligned, lives as long as `arena`) and the knowledge. False: there is
 * none that belongs to the head. */
bool cache_read_model(struct arena *arena, struct str output, const struct cache_head *head, struct str *fleet,
                      struct knowledge *knowledge);
/* The packed fleet alone. */
bool cache_read_fleet(struct arena *arena, struct str output, const struct cache_head *head, struct str *fleet);

/* Under the store's lock: the model alone, where nobody reads it yet. Its digest is what head->model must be. */
struct error *cache_prepare(struct store *store, struct str fleet, const struct knowledge *knowledge,
                            struct digest *model) MUST_CHECK;
/* The head, and with it the model that was prepared. */
struct error *cache_complete(struct store *store, const struct cache_head *head) MUST_CHECK;
/* What was prepared is not wanted any more. */
void cache_abandon(struct store *store);
/* Under the store's lock. The model first, then the head; head->model is filled in. Without a model (fleet.p == NULL)
 * the one that is there stays, and head->model must be its digest. Neither is flushed to disk: what a power cut leaves
 * is seen by its sums. */
struct error *cache_write(struct store *store, struct cache_head *head, struct str fleet,
                          const struct knowledge *knowledge) MUST_CHECK;
/* OUT/cache/proofs: what was proved to be what the inventory says, by keys (fleetwall/verify.h). A cache as the others
 * are: what can't be used is proved again. */
struct proofs {
	struct digest whole; /* of all that was proved together; zero: of nothing */
	struct digest *keys; /* sorted */
	size_t count;
};
/* False: there are none that can be used. */
bool cache_read_proofs(struct arena *arena, struct str output, struct proofs *proofs);
/* Under the store's lock; in place of those that are there. */
struct error *cache_write_proofs(struct store *store, const struct proofs *proofs) MUST_CHECK;

/* Removes the head: what is published is no longer what a run would make of the inventory (`generate --only`). */
struct error *cache_drop(struct store *store) MUST_CHECK;

#endif
