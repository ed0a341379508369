/* Private to gen/: the fleet's addresses close together, because sets ask for those of the same machines again and
 * again. */
#ifndef FLEETWALL_GEN_PRODUCE_ROSTER_H
#define FLEETWALL_GEN_PRODUCE_ROSTER_H

#include "fleetwall/names.h"
#include "fleetwall/resolve.h"
#include "produce_ranks.h"

/* All addresses of one family, in the order of machines. */
struct roster_family {
	uint32_t *start; /* by machine: its first; one more at the end */
	void *bits;      /* uint32_t of IPv4, addr_bits of IPv6 */
	uint32_t *label; /* a number in `labels` */
	size_t count;
};

struct roster {
	struct roster_family families[2];
	bool *enabled;        /* by machine */
	struct names *labels;
	struct ranks ranks[2]; /* of the families' bits */
	bool ranked;           /* they are there */
};

struct roster roster_new(struct arena *arena, const struct fleet *fleet);
/* For who makes many sets. */
void roster_rank(struct arena *arena, struct roster *roster);
/* Puts the addresses of these machines in place of those that they had, the others having what they have. False: one
 * has more or fewer of them, so that others would move; then the roster is of no use any more. Ranks are gone. */
bool roster_update(struct roster *roster, const struct fleet *fleet, const uint32_t *machines, size_t machine_count);

#endif
