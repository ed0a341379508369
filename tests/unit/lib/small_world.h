/* Small fleets of which every address can be asked: six machines, three roles and two networks within sixteen addresses
 * of each family, with overlapping rules, and every mode and enforcement. */
#ifndef TESTS_SMALL_WORLD_H
#define TESTS_SMALL_WORLD_H

#include "random_rule.h"

/* A document. `four` and `six` are what addresses begin with: "10.0.0." and "fd00::". */
struct str small_world(struct arena *arena, struct rng *rng, const char *four, const char *six);

#endif
