/* Old generations: which stay, and publishing one again. */
#ifndef GENERATION_H
#define GENERATION_H

#include "fleetwall/store.h"

#include "cli.h"

/* Takes away the generations that nobody needs any more (fleetwall/keep.h), when it is worth the trouble. `store` is
 * open, run->db in no transaction. What goes wrong is a warning: what is published is published, and what could not be
 * asked for or taken away stays. */
void collect_generations(struct run *run, struct store *store);

/* The same in portions of some 10 ms, for who waits for changes meanwhile. All zero is a beginning. */
struct resident;
struct collector;
struct collecting {
	uint64_t since;              /* the generation that was published when it began */
	bool retired;                /* generations went; what they alone named may follow them */
	bool went_on;                /* nothing is left of processes before this one */
	struct collector *collector; /* of what they named */
};
/* Is there anything to do, now that this generation is published? In a pause, or, after too many generations without
 * one, at once. */
enum collecting_need { COLLECT_NOTHING, COLLECT_IN_PAUSE, COLLECT_NOW };
enum collecting_need collecting_need(struct collecting *collecting, const struct run *run, uint64_t published);
/* One portion: opens, locks and closes the store; run->db is in no transaction. What goes wrong is a warning: it begins
 * anew, some generations later. `resident` may be NULL. */
struct error *collect_portion(struct run *run, struct resident *resident, struct collecting *collecting) MUST_CHECK;
void collecting_end(struct collecting *collecting);

/* The number that is the argument; ERROR_USAGE if it is none. */
struct error *generation_number(struct str word, uint64_t *number) MUST_CHECK;
/* ERROR_UNKNOWN, with the nearest of those that are there. */
struct error *unknown_generation(struct run *run, uint64_t number) MUST_CHECK;

#endif
