/* Private to gen/: numbers sorted by counting their bytes. */
#ifndef FLEETWALL_GEN_PRODUCE_SORT_H
#define FLEETWALL_GEN_PRODUCE_SORT_H

#include "fleetwall/addr.h"

/* Ascending. `room` holds as many; the result is one of the two. */
uint32_t *sort_numbers(uint32_t *items, uint32_t *room, size_t count);
addr_bits *sort_addresses(addr_bits *items, addr_bits *room, size_t count);

#endif
