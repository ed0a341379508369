/* Private to gen/: which machines are in which position. */
#ifndef FLEETWALL_GEN_PRODUCE_POSITIONS_H
#define FLEETWALL_GEN_PRODUCE_POSITIONS_H

#include "ruleset_position.h"

#define NO_POSITION UINT32_MAX

struct positions {
	struct position *items; /* in the order of their first machines */
	size_t count, capacity;
	uint32_t *of_machine; /* NO_POSITION: no ruleset */
};

struct positions positions_find(struct arena *arena, const struct resolved *resolved, const struct settings *settings);

#endif
