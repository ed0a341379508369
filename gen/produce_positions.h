/* Private to gen/: which machines are in which position. */
#ifndef FLEETWALL_GEN_PRODUCE_POSITIONS_H
#define FLEETWALL_GEN_PRODUCE_POSITIONS_H

#include "ruleset_position.h"

#define NO_POSITION UINT32_MAX

struct positions {
	struct position *items; /* those of one call in the order of their first machines; some that no machine is in */
	size_t count, capacity;
	size_t left;          /* so many that no machine is in any more */
	uint32_t *of_machine; /* NO_POSITION: no ruleset */

	/* How they are found; nobody else's business. */
	struct arena *arena;
	unsigned char *flags; /* by role */
	uint32_t *roles;      /* of the machine in hand */
	uint32_t *slots;      /* a hash table of positions: number + 1; 0 is free */
	size_t slot_count;    /* a power of two */
	uint64_t *hashes;     /* of positions */
	size_t hash_capacity;
	uint32_t *room;       /* where the next position's roles go */
	size_t room_left;
};

struct positions machine_positions(struct arena *arena, const struct resolved *resolved,
                                   const struct settings *settings);
/* What machine_positions() would say of a fleet whose machines and roles have the places that they had; of the machines
 * only those listed differ, of the roles any may. Positions keep their numbers. */
void positions_update(struct positions *positions, const struct resolved *resolved, const struct settings *settings,
                      const uint32_t *machines, size_t machine_count);

#endif
