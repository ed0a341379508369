/* Sums over the bytes of a cache. */
#ifndef GEN_CACHE_SUM_H
#define GEN_CACHE_SUM_H

#include <stdint.h>

#include "fleetwall/str.h"

enum { SUM_STRIPE = 32 };

/* Bytes may come in pieces; the sum is that of all of them, however they were cut. */
struct summing {
	uint64_t lanes[2], length;
	size_t held; /* of a stripe that is not full yet */
	char stripe[SUM_STRIPE];
};

struct summing sum_begin(void);
void sum_add(struct summing *summing, struct str bytes);
uint64_t sum_end(struct summing *summing);
uint64_t sum_of(struct str bytes);

#endif
