/* Proving a generation: that its objects, as they lie in the store, are what the inventory says (fleetwall/verify.h).
 * What verify, generate --verify and nightly share. */
#ifndef PROVE_H
#define PROVE_H

#include "fleetwall/cache.h"
#include "fleetwall/verify.h"

#include "cli.h"

struct prove_order {
	const struct fleet *fleet;
	const struct settings *settings;
	struct str output;
	const struct generation *generation;
	const bool *machines;       /* as fleet->machines: these alone; NULL: all */
	const struct proofs *known; /* what need not be proved again; NULL: nothing is known, and no keys are wanted */
	unsigned workers;
};

struct proved {
	struct verify_findings findings;
	size_t machines, rulesets, sets; /* that were asked about; rulesets: with each position that has them once */
	size_t again;                    /* rulesets and sets that were not known */
	size_t left_out; /* rulesets that names alone don't prove, and that nobody looked at further: there
	                    were findings enough */
	struct proofs proofs;            /* of what was asked about, without `whole` */
};

/* The answer is in `arena`. An error is of the surroundings: what can't be read. */
struct error *prove(struct arena *arena, const struct prove_order *order, struct proved *proved) MUST_CHECK;

/* The build, as far as proofs depend on it. */
struct str prove_program(struct arena *arena);

#endif
