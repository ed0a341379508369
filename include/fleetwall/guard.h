/* Guards: what must hold before anything is published (SPEC §5). Each says what it found and what to do; ERROR_GUARD.
 */
#ifndef FLEETWALL_GUARD_H
#define FLEETWALL_GUARD_H

#include "fleetwall/ruleset.h"
#include "fleetwall/store.h"

struct guard_shares { /* in percent of the last generation */
	unsigned machines_fall, members_fall, rules_change;
};

/* Machines, a role's members, or the whole of the rules changed by more than the shares allow. Counts below 10 and
 * changes of fewer than 100 rules never trip. A role that is gone counts as fallen to 0. All findings at once.
 * Overridden by --force. */
struct error *guard_collapse(const struct summary *before, const struct summary *now,
                             const struct guard_shares *shares) MUST_CHECK;

/* The guards that read what was rendered: each ruleset is handed over once, as soon as it is there, from several
 * threads at once. They judge bytes, and trust no template:
 *
 * - Would TCP from each management prefix to the SSH port get in, whatever stands before? A ruleset of a monitored
 *   machine refuses nothing, so it must hold no refusing target.
 * - Is each rules file one filter table that ends with COMMIT and declares the chains of its mode? No line shows that,
 *   and a file without COMMIT loads nothing.
 * - Which forms of rule line are there (values, names, ids left out), for the kernel to be asked.
 *
 * None of these can be overridden. */
struct guards;
/* `settings` must live as long as the guards do. */
struct guards *guards_new(struct arena *arena, const struct settings *settings, unsigned workers);
void guards_free(struct guards *guards); /* the workers' memory */
/* `worker` is below the number of workers and used by one thread at a time. Of `ruleset`, the bytes, mode, enforcement,
 * port, example and number of machines count; nothing of it is needed afterwards. */
void guards_ruleset(struct guards *guards, unsigned worker, const struct ruleset *ruleset);
/* What was found in the rulesets handed over: of each kind the first 10 by machine, and how many more there are. It
 * depends neither on the order in which they came nor on who read them. ERROR_GUARD. */
struct error *guards_findings(struct guards *guards) MUST_CHECK;

/* The kernel's word: every form that was met and is not in `known` is loaded for real, once, in a throw-away namespace.
 * `known` is the text of the file of forms (first line: which kernel and which programs; then one form a line);
 * *learned is the text to keep instead, `known` itself where there is nothing new: then nothing was started. A refusal
 * names the line, the machine and the kernel's message. Where no namespace can be made, or iptables is missing,
 * *skipped says why. Starts processes by fork(), so no other thread should run meanwhile. */
struct error *guards_kernel(struct guards *guards, struct str known, struct str *learned,
                            struct str *skipped) MUST_CHECK;

/* Loads every ruleset of `rulesets` (sorted digests) whole, with its sets, as they stand in the store under `output`;
 * `generation` says what the sets are and who has the rulesets. In `workers` namespaces at once, each a process. Where
 * that is not possible, *skipped says why. */
struct error *guard_try_all(struct arena *arena, struct str output, const struct generation *generation,
                            const struct digest *rulesets, size_t count, unsigned workers,
                            struct str *skipped) MUST_CHECK;

#endif
