/* One-line mutants of rendered files: what a slip in a generator, or of a hand, would leave. */
#ifndef FLEETWALL_TESTS_MUTATE_H
#define FLEETWALL_TESTS_MUTATE_H

#include "random_rule.h"

/* A rules file with one thing changed in one line, or a line gone, doubled or exchanged with another; never the same
 * bytes. *how says in a word what was done. `sets` are names of sets that exist, of that family. */
struct str mutate_rules(struct arena *arena, struct rng *rng, struct str text, const struct str *sets, size_t set_count,
                        const char **how);
/* The same of a set file. */
struct str mutate_set(struct arena *arena, struct rng *rng, struct str text, const char **how);

#endif
