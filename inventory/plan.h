/* What the files that make a plan share. The stages: the target (present overlaid with wanted), the check that nothing
 * used goes away, and the description of what differs between present and target. Pure. */
#ifndef INVENTORY_PLAN_H
#define INVENTORY_PLAN_H

#include "fleetwall/inventory.h"

/* Two lists of objects, each sorted by name, walked together. An object's name is its first member, in every kind. */
struct pairs {
	const char *before, *after; /* the next of each */
	size_t before_count, after_count, size;
};
#define PAIRS(fleet_before, fleet_after, list, number)                                                                 \
	((struct pairs){(const char *)(fleet_before)->list, (const char *)(fleet_after)->list, (fleet_before)->number, \
	                (fleet_after)->number, sizeof *(fleet_before)->list})
/* The next name: the object of that name on each side, or NULL. False at the end. */
bool pairs_next(struct pairs *pairs, const void **before, const void **after);

/* The whole fleet as it will be; what it refers to is not looked up. */
void plan_target(struct arena *arena, const struct fleet *present, const struct fleet *wanted,
                 const struct import_options *options, struct fleet *target);

/* A document that gives fields of what another document owns: one error for each such object. */
struct error *plan_check_owners(const struct fleet *present, const struct fleet *wanted) MUST_CHECK;

/* Is anything that `target` refers to there no more, but was there? One error for each such object, with those that use
 * it. `every`: of import_options. */
struct error *plan_check_removed(struct arena *arena, const struct fleet *present, const struct fleet *target,
                                 bool every) MUST_CHECK;

/* What differs between two fleets that have all their fields; with `brief`, in which objects. */
void plan_describe(struct arena *arena, const struct fleet *present, bool brief, struct plan *plan);

#endif
