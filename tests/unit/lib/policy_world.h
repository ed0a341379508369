/* Random documents for tests of assertions: five machines m0 … m4, roles a, b, c, d, empty, addresses in 10.0.0.0/27
 * and fd00::/123, rules about a few ports and interfaces, in and out. */
#ifndef TESTS_POLICY_WORLD_H
#define TESTS_POLICY_WORLD_H

#include "random_rule.h"

enum { POLICY_WORLD_MACHINES = 5 };

struct buf;
struct str policy_world(struct arena *arena, struct rng *rng);
/* A peer of the world, and one of its literals, as text. */
void policy_peer(struct rng *rng, struct buf *buf);
void policy_literal(struct rng *rng, struct buf *buf);
const char *policy_word(struct rng *rng, const char *const *words, size_t count);

#endif
