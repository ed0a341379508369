/* The fleet of tests/unit/analysis/intent.conf, looked at as the inventory's intent; for check_intent*.c. */
#ifndef FLEETWALL_TESTS_INTENT_FIXTURE_H
#define FLEETWALL_TESTS_INTENT_FIXTURE_H

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/intent.h"
#include "packet_text.h"

extern struct arena *fixture_arena;
extern struct fleet fleet;       /* its clock is 2026-01-01T00:00:00Z */
extern struct settings settings; /* the defaults, with 192.0.2.128/25 and 2001:db8:f::/64 as management sources */
extern struct intent *intent;

void intent_set_up(void);
void intent_tear_down(void);

size_t place_of(const char *machine);
/* Which of the sets the packet is in: "accepted", "passed", "watched" (of what passes), "dropped", "reset",
 * "rejected". In none or two of them: the test fails. */
const char *outcome_of(const struct intended *intended, const struct sample *packet);

#endif
