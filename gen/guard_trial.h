/* Loading rules for real in a throw-away network namespace, for the guards that ask the kernel. */
#ifndef FLEETWALL_GEN_GUARD_TRIAL_H
#define FLEETWALL_GEN_GUARD_TRIAL_H

#include "fleetwall/process.h"
#include "guard_findings.h"
#include "guard_forms.h"

extern const char *const trial_load_sets[];
extern const char *const trial_load_rules[2][2]; /* of each family */

struct trial {
	struct arena *arena;
	struct str skipped;     /* set: this host can't try anything, and why */
	struct error *refusals; /* at most FINDINGS_MAX */
	size_t refused;
};

/* What came of a list of commands: how many went well, and what the next one said. */
struct trial_result {
	size_t done;
	bool failed;
	unsigned line;      /* of its input, where the message names one */
	struct str message; /* on one line */
};

/* `outcomes` of the commands that ran: all of them, or up to the first that failed. A program that is missing sets
 * `skipped`. */
void trial_read(struct trial *trial, const struct command *commands, const struct outcome *outcomes, size_t ran,
                struct trial_result *result);
/* Runs the commands in a namespace until one fails. That there is none sets `skipped`. */
struct error *trial_run(struct trial *trial, const struct command *commands, size_t count,
                        struct trial_result *result) MUST_CHECK;
/* Can anything be tried here? If not, `skipped` says why: no namespace, a program or a module of the kernel is missing.
 */
struct error *trial_probe(struct trial *trial, bool sets) MUST_CHECK;

/* One line of each form; where the kernel refuses, each by itself, to find which. */
struct error *trial_forms(struct trial *trial, const struct form_list *forms) MUST_CHECK;

#endif
