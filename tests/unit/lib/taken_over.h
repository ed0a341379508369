/* Hosts' filters taken over, as the command does: rules chosen, the fleet that comes of it, the proof. */
#ifndef TAKEN_OVER_H
#define TAKEN_OVER_H

#include "fleetwall/takeover.h"

/* The test fails where anything does, or a rule has to be taken back. Between packets_begin() and packets_end(). */
struct takeover *taken_over(struct arena *arena, const struct takeover_file *files, size_t count,
                            const struct settings *settings, const struct fleet *present, struct fleet *wanted);
/* The rules of a role, a line each; empty: there is no such role. */
struct str rules_text(struct arena *arena, const struct fleet *fleet, struct str role);

#endif
