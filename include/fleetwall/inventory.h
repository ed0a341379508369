/* The inventory in PostgreSQL: struct fleet <-> rows. SPEC §4. */
#ifndef FLEETWALL_INVENTORY_H
#define FLEETWALL_INVENTORY_H

#include "fleetwall/db.h"
#include "fleetwall/fleet.h"

/* Loads everything from the snapshot of the open transaction, by COPY … (FORMAT binary). fleet->clock is now() of that
 * transaction. Rules come canonical; a row that the language does not allow (impossible through the constraints) is an
 * error, never passed over. */
struct error *inventory_load(struct arena *arena, struct db *db, struct fleet *fleet) MUST_CHECK;

/* Which changes of the history to take back: all after a time (its clock is then that time), those of one transaction,
 * or a single one. Exactly one is given; the others are TIME_NONE and 0. */
struct before {
	int64_t time;
	int64_t transaction, change;
};

/* The inventory as it was, or would be, without these changes. Rules have no key. The transaction must be one that may
 * set settings; nothing is written. */
struct error *inventory_load_before(struct arena *arena, struct db *db, const struct before *before,
                                    struct fleet *fleet) MUST_CHECK;

enum change_sign { CHANGE_ADD = '+', CHANGE_REMOVE = '-', CHANGE_ALTER = '~' };

/* One line of a plan. */
struct change {
	enum change_sign sign;
	const char *kind;    /* "machine", "role", "network", "service" */
	struct str name;
	struct str *details; /* for people: "address + 10.0.0.5", "rule - allow 22/tcp", "mode exclusive -> coexist" */
	size_t detail_count;
};

struct plan {
	struct change *changes; /* sorted by kind (network, service, role, machine), then name */
	size_t count;
	struct fleet target;    /* the whole fleet as it will be */
};

struct import_options {
	bool prune;             /* remove objects that `wanted` does not name (built-in services stay): of those that
	                           documents own, and of the others, only those with the owner that `wanted` has */
	bool every;             /* `wanted` is the whole inventory, and says who owns what: prune spares no owner */
	bool keep_roles, keep_networks, keep_services; /* the source has no list of these (a CSV file that is absent):
	                                                  prune leaves them alone */
	struct str add_rules_to; /* "import --rules ROLE FILE": the rules of `wanted`'s role are added, nothing is taken
	                            away */
};

/* What must change in `present` so that it says what `wanted` says. Pure. Checks references (fleet_check) and that
 * nothing that goes is still used. */
struct error *inventory_plan(struct arena *arena, const struct fleet *present, const struct fleet *wanted,
                             const struct import_options *options, struct plan *plan) MUST_CHECK;

/* Keeps every writer out until the transaction ends, so that a plan stays true: call it before inventory_load().
 * Imports serialise. */
struct error *inventory_lock(struct db *db) MUST_CHECK;

/* Writes the plan's difference between `present` and plan->target, by COPY and set-based statements. All in the open
 * transaction. */
struct error *inventory_write(struct arena *arena, struct db *db, const struct fleet *present,
                              const struct plan *plan) MUST_CHECK;

#endif
