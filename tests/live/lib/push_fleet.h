/* A fleet to be pushed to in live tests: machines m000 … of the database of the test that runs, generations of them in
 * a store, and for each a script that plays ssh and fleetwall-host. What happens is kept as events. */
#ifndef FLEETWALL_TESTS_PUSH_FLEET_H
#define FLEETWALL_TESTS_PUSH_FLEET_H

#include "fleetwall/arena.h"
#include "fleetwall/push.h"
#include "postgres.h"

extern struct push_settings push_settings; /* of the test; to be changed before push() */
extern char push_home[200];                /* the test's folder; machines are below it, in hosts/ */

void push_fleet_setup(void);
void push_fleet_teardown(void);

/* So many machines in the inventory, and a generation of them: its number. Each `mark` is another ruleset for all;
 * every second machine has a set besides. */
uint64_t push_fleet(unsigned machines, unsigned mark);
/* The set's contents by a mark of their own. */
uint64_t push_fleet_sets(unsigned machines, unsigned mark, unsigned set_mark);

struct push_tally {
	unsigned kinds[PUSH_DONE + 1]; /* how often each was told */
	unsigned failures[FAILURE_FENCE + 1]; /* PUSH_FAILED and PUSH_RETRY, by failure */
	struct push_event last_failed;
	struct str warnings; /* all of them */
};
extern struct push_tally push_told;

/* The plan of everything; and a run of it. */
struct push_plan push_planned(void);
uint64_t push_started(const struct push_plan *plan);
/* Works on the run, which must do so without an error. */
struct push_result push_worked(uint64_t run);
struct error *push_work_on(uint64_t run, struct push_result *result) MUST_CHECK;
/* All of it. */
struct push_result push_done_all(void);

/* A file of a machine: written, or its text; "" where it is not there. */
void host_has(unsigned machine, const char *file, const char *text);
const char *host_text(unsigned machine, const char *file);
/* How many lines that begin with `start`. */
unsigned host_lines(unsigned machine, const char *file, const char *start);
/* The machine has confirmed what the published generation says, and the ledger knows so. */
void host_is_done(unsigned machine);
void hosts_are_done(unsigned count); /* the first ones */

#endif
