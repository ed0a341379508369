/* Talking to one child through its three streams at once, without either side waiting for the other. */
#ifndef BASE_PROCESS_PUMP_H
#define BASE_PROCESS_PUMP_H

#include "fleetwall/process.h"

/* Feeds `input` to *in (closed and set to -1 when all is written, or nobody reads), and collects `out` and `err` into
 * the outcome, until the child has ended and what it wrote is read, or both streams are closed. 0, or -1 with errno.
 * SIGPIPE must be blocked. */
int pump(struct arena *arena, pid_t child, int *in, int out, int err, struct str input, struct outcome *outcome);

#endif
