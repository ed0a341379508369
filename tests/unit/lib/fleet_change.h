/* Single changes to a fleet, of every kind that there is, for tests of what a change must bring about. The result is as
 * sorted as a loaded fleet. */
#ifndef TESTS_FLEET_CHANGE_H
#define TESTS_FLEET_CHANGE_H

#include "fleetwall/fleet.h"
#include "random_rule.h"

struct fleet_change {
	const char *name;
	/* Changes *fleet, whose arrays of machines, roles, networks and services may be written to, and nothing that
	 * hangs on them; false where this fleet has nothing to change so. */
	bool (*make)(struct arena *arena, struct rng *rng, struct fleet *fleet);
	bool silent; /* no ruleset and no set depends on it */
};

/* Ends with a name of NULL. */
extern const struct fleet_change fleet_changes[];

#endif
