/* What watch said last, so that a trouble that is met again and again is said once. Knows no clock and writes nowhere.
 */
#ifndef WATCH_SAID_H
#define WATCH_SAID_H

#include <stdint.h>

#include "fleetwall/arena.h"
#include "fleetwall/str.h"

struct said {
	struct arena *arena;
	struct str text; /* {NULL, 0}: nothing */
	int64_t at;      /* when it was said */
	bool exact;      /* another number in it makes it another text; otherwise for an hour none */
};

/* Need this not be said? If it must be, it was said from now on. `now` is in seconds, of a clock that never goes back.
 */
bool said_before(struct said *said, struct str text, int64_t now);
void said_forget(struct said *said);

#endif
