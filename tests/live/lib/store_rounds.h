/* Rounds of publishing into a store below /dev/shm, and what must hold after each, whatever happened to the run: for
 * tests that kill runs and fill disks. */
#ifndef TESTS_STORE_ROUNDS_H
#define TESTS_STORE_ROUNDS_H

#include "fleetwall/arena.h"
#include "fleetwall/store.h"
#include "output_build.h"

enum { ROUNDS_KEPT_MOST = 3, ROUNDS_TURNS = 12 };

extern struct rounds {
	struct arena *arena;      /* of the test */
	char home[200], out[250]; /* out is in home */
	unsigned workers;         /* that put objects */
	size_t kept;              /* generations, at most ROUNDS_KEPT_MOST; older ones are collected */
	bool in_turns;            /* ROUNDS_TURNS of them a run, so that much is left for runs after it */
} rounds;

/* A checked fixture. */
void rounds_setup(void);
void rounds_teardown(void);
void rounds_run(const char *const *argv);
void rounds_none(const struct error *error);

/* `machines` machines in half as many rulesets, each with a set of its own and one of a few shared ones. Every round
 * has other contents; each second set and each fifth machine come and go. */
struct output rounds_make(struct arena *to, unsigned round, unsigned machines);
/* As generate does it; in a store that is open, or all of it. */
struct error *rounds_publish_in(struct arena *to, struct store *store, const struct output *output) MUST_CHECK;
struct error *rounds_publish(unsigned round, unsigned machines) MUST_CHECK;

/* What must hold at any moment: what is published is whole, and every link leads to something that is. */
struct generation rounds_check_published(void);
/* A run that ends well, and leaves nothing to mend, and nothing that no generation names. */
void rounds_mend(unsigned round, unsigned machines);
/* By other eyes than ours. */
void rounds_check_with_sha256sum(void);
size_t rounds_count_files(const char *folder);

#endif
