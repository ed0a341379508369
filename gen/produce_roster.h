/* Private to gen/: the fleet's addresses close together, because sets ask for those of the same machines again and
 * again. */
#ifndef FLEETWALL_GEN_PRODUCE_ROSTER_H
#define FLEETWALL_GEN_PRODUCE_ROSTER_H

#include "fleetwall/names.h"
#include "fleetwall/resolve.h"
#include "produce_ranks.h"
#include "produce_tally.h"

/* All addresses of one family, in the order of machines. */
struct roster_family {
	uint32_t *start; /* by machine: its first; one more at the end */
	void *bits;      /* uint32_t of IPv4, addr_bits of IPv6 */
	uint32_t *label; /* a number in `labels` */
	uint64_t *each;  /* what it adds to a tally */
	size_t count;
	/* By machine, as the peer of an allow rule: a disabled one has no address. */
	uint64_t *adds;      /* what all its addresses add to a tally */
	uint32_t *only_rank; /* of its only address; RANK_NONE; RANK_SOME: it has several; where there are ranks */
};

#define RANK_NONE UINT32_MAX
#define RANK_SOME (UINT32_MAX - 1)

struct roster {
	struct roster_family families[2];
	bool *enabled;        /* by machine */
	struct names *labels;
	struct ranks ranks[2]; /* of the families' bits */
	bool ranked;           /* they are there */
	struct secret secret;  /* of tallies */
};

struct roster roster_new(struct arena *arena, const struct fleet *fleet, const struct secret *secret);
/* For who makes many sets. */
void roster_rank(struct arena *arena, struct roster *roster, size_t machine_count);
/* Puts the addresses of these machines in place of those that they had, the others having what they have. False: one
 * has more or fewer of them, so that others would move; then the roster is of no use any more. Ranks are gone. */
bool roster_update(struct roster *roster, const struct fleet *fleet, const uint32_t *machines, size_t machine_count);

#endif
