/* Filter tables at random, in the spelling that iptables-restore takes: chains that call each other, every match that a
 * single packet shows and the reader models, and packets at the edges of all that the rules name. */
#ifndef FLEETWALL_TESTS_RANDOM_FILTER_H
#define FLEETWALL_TESTS_RANDOM_FILTER_H

#include "kernel.h"
#include "random_fleet.h"

#define FILTER_INTERFACES 4
extern const struct str filter_interfaces[FILTER_INTERFACES];

struct addr_list {
	struct addr *items;
	size_t count, capacity;
};
struct port_list {
	unsigned *items;
	size_t count, capacity;
};

/* One family's table, its sets, and the values near which a rule decides. */
struct random_filter {
	struct arena *arena;
	struct rng *rng;
	enum family family;
	enum direction direction; /* its INPUT or its OUTPUT has rules; what answers may say passes */
	struct str rules, sets;
	struct addr_list addrs[2]; /* of the other end, and the machine's own */
	struct port_list ports;
	bool fragments; /* without conntrack, which puts them together: no states */
	bool other_answers; /* some rule refuses otherwise than by a reset or port-unreachable */
};

/* `fragments`: outbound ones, for inbound ones are put together before the filter. */
struct random_filter *random_filter(struct arena *arena, struct rng *rng, enum family family, enum direction direction,
                                    bool fragments);
struct probe random_probe(const struct random_filter *filter);

#endif
