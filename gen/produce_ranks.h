/* Private to gen/: all addresses of a family in order, each printed once. A set is then some of them: marked, and
 * copied in order. Large sets are neither sorted nor printed. */
#ifndef FLEETWALL_GEN_PRODUCE_RANKS_H
#define FLEETWALL_GEN_PRODUCE_RANKS_H

#include "produce_set_text.h"

struct ranks {
	enum family family;
	size_t count;         /* distinct addresses */
	uint32_t *of;         /* by the place where an address was given: which of the distinct ones it is */
	addr_bits *addresses; /* ascending */
	bool *joins;          /* the next one follows without a gap */
	char *texts;          /* of all, each with a newline */
	uint32_t *text;       /* where in them each begins; one more at the end */
};

/* `items` are uint32_t of IPv4, addr_bits of IPv6. */
struct ranks ranks_new(struct arena *arena, enum family family, const void *items, size_t count);

/* Some of the ranks of a family. Not shared between threads. */
struct marks {
	uint64_t *words, *filled; /* a bit for each rank; a bit for each word that is not 0 */
	size_t room;              /* ranks */
};
/* Room for so many ranks; none of them is marked. */
void marks_fit(struct arena *arena, struct marks *marks, size_t count);
/* In any order, perhaps repeated. */
void marks_add(struct marks *marks, const uint32_t *ranks, size_t count);
/* What is marked, ascending, each once: how many; afterwards nothing is marked. `ranks` may be what was added. */
size_t marks_take(struct marks *marks, uint32_t *ranks);
/* Writes ranks, ascending, as the fewest prefixes. */
void ranks_write(const struct ranks *ranks, const uint32_t *sorted, size_t count, struct set_text *text);

#endif
