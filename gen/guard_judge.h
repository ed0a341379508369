/* The two guards that judge one scanned rules file. Each gives at most one finding of it. */
#ifndef FLEETWALL_GEN_GUARD_JUDGE_H
#define FLEETWALL_GEN_GUARD_JUDGE_H

#include "fleetwall/settings.h"
#include "guard_findings.h"
#include "guard_memo.h"

/* Where memory of different lifetimes comes from: what is found, and one ruleset. */
struct judge_room {
	struct arena *kept, *scratch;
};

/* Its frame, which no single line shows. */
void judge_frame(const struct judge_room *room, const struct scan *scan, struct findings *findings);
/* Does management get in; does a monitored machine's file refuse nothing. What is proven of a chain is kept in the
 * scan's memo. */
void judge_lockout(const struct judge_room *room, const struct settings *settings, struct scan *scan,
                   struct findings *findings);

#endif
