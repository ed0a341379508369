/* Arbitrary valid fleets from a seed, with every feature of the model, for property tests: the same seed gives the same
 * fleet on every machine. */
#ifndef FLEETWALL_TESTS_RANDOM_FLEET_H
#define FLEETWALL_TESTS_RANDOM_FLEET_H

#include "fleetwall/fleet.h"
#include "random_rule.h"

/* Normalized, complete in itself (fleet_check() without another fleet passes), every field given. About `size`
 * machines, and as many objects as go with them; at least one of each kind. */
struct fleet random_fleet(struct arena *arena, struct rng *rng, size_t size);

/* Text for people: one line with quotes, backslashes, comment signs and characters of several bytes; not beginning or
 * ending with a blank. */
struct str random_line(struct arena *arena, struct rng *rng);

/* Where two normalized fleets first differ ("role app: rules"), or empty. What is compared is what a document can say:
 * not places, keys, `given`, `builtin`, nor roles of machines that say nothing. */
struct str fleet_difference(struct arena *arena, const struct fleet *a, const struct fleet *b);

#endif
