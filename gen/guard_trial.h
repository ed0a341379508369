/* Loading rules for real in a throw-away network namespace, for the kernel guard. */
#ifndef FLEETWALL_GEN_GUARD_TRIAL_H
#define FLEETWALL_GEN_GUARD_TRIAL_H

#include "guard_forms.h"

enum { REFUSALS_MAX = 10 };

struct trial {
	struct arena *arena;
	const struct output *output;
	struct str skipped;     /* set: this host can't try anything, and why */
	struct error *refusals; /* at most REFUSALS_MAX */
	size_t refused;
};

/* Can anything be tried here? If not, `skipped` says why: no namespace, a program or a module of the kernel is missing.
 */
struct error *trial_probe(struct trial *trial) MUST_CHECK;
/* One line of each form; where the kernel refuses, each by itself, to find which. */
struct error *trial_forms(struct trial *trial, const struct forms *forms) MUST_CHECK;
/* Every ruleset of the output whole, with the contents of its sets. */
struct error *trial_rulesets(struct trial *trial) MUST_CHECK;

#endif
