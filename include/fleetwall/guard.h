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

/* Reads the rendered bytes of each distinct ruleset: would TCP from each management prefix to the SSH port get in,
 * whatever stands before? Not overridable. A ruleset of a monitored machine refuses nothing, so it must hold no
 * refusing target. */
struct error *guard_lockout(struct arena *arena, const struct output *output,
                            const struct settings *settings) MUST_CHECK;

/* Is every rules file one filter table that ends with COMMIT and declares the chains of its mode? No line shows that,
 * and a file without COMMIT loads nothing. At most 10 findings; not overridable. */
struct error *guard_frames(const struct output *output) MUST_CHECK;

/* The kernel's word: every form of rule line (values, names, ids left out) that is not in `known` is loaded for real in
 * a throw-away namespace; with `all`, every ruleset whole, with its sets. `known` is the text of the file of forms
 * (first line: kernel release and iptables version; then one form a line); *learned is the text to keep instead. A
 * refusal names the line, the machine and the kernel's message. Where no namespace can be made, or iptables is missing,
 * *skipped says why. */
struct error *guard_kernel(struct arena *arena, const struct output *output, struct str known, bool all,
                           struct str *learned, struct str *skipped) MUST_CHECK;

#endif
