/* What the guards that read rulesets have found so far. Private to gen/guard*. */
#ifndef FLEETWALL_GEN_GUARDS_H
#define FLEETWALL_GEN_GUARDS_H

#include "fleetwall/guard.h"
#include "guard_findings.h"
#include "guard_forms.h"

/* All that one worker may touch; nothing of it is shared. */
struct guard_worker {
	struct arena *kept, *lines, *scratch; /* for the run, for the memos, for a ruleset */
	struct memo *memos;
	struct scan scan;
	struct forms *forms;
	struct findings frames, lockouts;
};

struct guards {
	struct arena *arena;
	const struct settings *settings;
	struct guard_worker *workers;
	unsigned count;
	struct secrets secrets;
};

#endif
