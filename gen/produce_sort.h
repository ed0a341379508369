/* Private to gen/: numbers sorted by counting their bytes. */
#ifndef FLEETWALL_GEN_PRODUCE_SORT_H
#define FLEETWALL_GEN_PRODUCE_SORT_H

#include "fleetwall/addr.h"

/* An address, and what belongs to it. */
struct placed_number {
	uint32_t bits, place;
};
struct placed {
	addr_bits bits;
	uint32_t place;
};

/* Ascending. `room` holds as many; the result is one of the two. */
uint32_t *sort_numbers(uint32_t *items, uint32_t *room, size_t count);
addr_bits *sort_addresses(addr_bits *items, addr_bits *room, size_t count);
/* By the bits; those of the same bits stay in their order. */
struct placed_number *sort_placed_numbers(struct placed_number *items, struct placed_number *room, size_t count);
struct placed *sort_placed(struct placed *items, struct placed *room, size_t count);

#endif
