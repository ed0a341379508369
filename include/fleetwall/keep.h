/* Which generations stay, and which go. Pure: no I/O, no clock. SPEC §5. */
#ifndef FLEETWALL_KEEP_H
#define FLEETWALL_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* What the administrator wants to have kept. */
struct keep_limits {
	unsigned generations; /* the latest so many */
	unsigned days;        /* and of those, what is not older; 0: however old */
};

struct keep_generation {
	uint64_t number;
	int64_t at;   /* when it was published, in seconds since 1970 */
	bool current; /* it is published */
	bool held;    /* a machine is confirmed on it, or it is pinned */
};

/* `list` in ascending order of number. The numbers to keep, ascending, in `arena`; *count is how many. All but those
 * that have too many newer ones or are too old; always the published one and the one before it, newer ones than that,
 * and held ones; all where none is published.
 *
 * Taking a few away costs nearly as much as taking many away. So as long as no more than an eighth of
 * limits->generations would go, and none is older than the days and an eighth, all are kept: then *count == `listed`.
 */
uint64_t *keep_choose(struct arena *arena, const struct keep_generation *list, size_t listed,
                      const struct keep_limits *limits, int64_t now, size_t *count);

#endif
