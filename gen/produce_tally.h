/* Private to gen/: what tells two collections of addresses apart at a few additions each, whatever their order. The
 * tally of a collection is the sum of what AES makes of each address with a secret that nobody has seen: two that
 * differ have the same one once in 2^63, and nobody can aim at that. */
#ifndef FLEETWALL_GEN_PRODUCE_TALLY_H
#define FLEETWALL_GEN_PRODUCE_TALLY_H

#include "fleetwall/addr.h"
#include "fleetwall/produce.h"

struct tallier;
struct tallier *tallier_new(struct arena *arena, const struct secret *secret);
void tallier_free(struct tallier *tallier);
/* What each address adds. `items` are uint32_t of IPv4, addr_bits of IPv6. */
void tallier_each(struct tallier *tallier, enum family family, const void *items, size_t count, uint64_t *each);

#endif
