/* When the next round of watch begins: arithmetic on milliseconds of a clock that never goes back. Knows no loop and no
 * database. */
#ifndef WATCH_PACE_H
#define WATCH_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_NEVER UINT64_MAX

struct pace {
	bool wanted;       /* somebody asked for a round that has not begun */
	uint64_t rest;     /* no round begins before */
	uint64_t paid;     /* then all rounds have been rested for */
	uint64_t due;      /* then one begins, wanted or not */
	unsigned failures; /* in a row */
};

/* A round begins: it takes everything that was asked for by now. */
void pace_begin(struct pace *pace);
/* A round came to its end, also where the answer was no. `edge`: milliseconds until a rule begins or ends to count, or
 * PACE_NEVER. */
void pace_done(struct pace *pace, uint64_t began, uint64_t ended, uint64_t edge);
/* The surroundings failed: again after a while. `chance` is any number. */
void pace_failed(struct pace *pace, uint64_t now, unsigned chance);
/* At once, whatever was. */
void pace_hurry(struct pace *pace);
/* Milliseconds from now to the next round; 0: now. */
uint64_t pace_wait(const struct pace *pace, uint64_t now);

#endif
