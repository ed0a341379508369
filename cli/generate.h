/* One run of generate, as its files share it. */
#ifndef GENERATE_H
#define GENERATE_H

#include <time.h>

#include "fleetwall/ruleset.h"
#include "fleetwall/store.h"

#include "cli.h"

struct job {
	struct run *run;
	struct fleet fleet;
	struct resolved *resolved;
	struct output output;
	struct store *store;
	struct generation published, next;
	struct timespec started;
};

/* With --only: narrows job->output to the machines named, and makes job->next say what is published for all others. */
struct error *only_some(struct job *job) MUST_CHECK;

#endif
