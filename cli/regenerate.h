/* From the inventory as it is now to a published generation, doing only what is new: the way that generate, nightly and
 * watch share. An order of stations: news, load, resolve, produce, guards, store. */
#ifndef REGENERATE_H
#define REGENERATE_H

#include "fleetwall/store.h"

#include "cli.h"

struct regenerate_options {
	bool full;  /* from nothing, and every object is compared with its bytes, every link looked at */
	bool force; /* the collapse guard is not asked */
	bool try_all;
	bool verify; /* proves that it says what the inventory says, before it is published */
};

enum regenerated { REGENERATED_UNCHANGED, REGENERATED_PUBLISHED };

/* What one round did. */
struct regeneration {
	enum regenerated state;
	uint64_t number;                 /* the published generation */
	struct digest digest;
	size_t machines, rulesets, sets; /* of it */
	size_t changed;                  /* machines and sets that differ from the generation before */
	size_t mended;                   /* objects and links that were damaged or gone, and are whole again */
	int64_t clock, next_edge;        /* of the inventory; TIME_NONE: nothing begins or ends */
	double seconds;
};

/* What stays in memory between two rounds (watch); NULL before the first. Frees what it replaces. */
struct resident;
void resident_free(struct resident *resident); /* NULL is fine */
/* Milliseconds until somebody should look whether what is published is whole, which a round of a change does not do:
 * after a short pause at best. UINT64_MAX: it was done. `resident` may be NULL. */
uint64_t resident_look_due(const struct resident *resident);
/* Keeps it in OUT/cache as well, which a round with a resident does not do each time: for quiet moments, and before the
 * end. Does nothing where that was done. */
struct error *resident_settle(struct run *run, struct resident *resident) MUST_CHECK;

/* One round: run->db is in no transaction, or NULL; then it is opened while the store is looked at. Opens, locks and
 * closes the store. `resident` may be NULL: one round only. After an error *resident is as it was or NULL. */
struct error *regenerate(struct run *run, const struct regenerate_options *options, struct resident **resident,
                         struct regeneration *result) MUST_CHECK;

#endif
