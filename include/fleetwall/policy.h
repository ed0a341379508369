/* Do assertions (fleetwall/assertion.h) hold of an inventory? Judged from the model alone, rule by rule, with sets of
 * addresses for all packets that one packet stands for; it agrees with fleetwall/explain.h for each packet, but that a
 * monitored machine is judged by what it would refuse. fleetwall-assertions(5) says what assertions mean. Pure. */
#ifndef FLEETWALL_POLICY_H
#define FLEETWALL_POLICY_H

#include "fleetwall/assertion.h"
#include "fleetwall/explain.h"

enum { POLICY_SHOWN = 5 }; /* machines by name */

/* One reason why an assertion does not hold. */
struct policy_violation {
	const struct assertion *assertion;
	bool out;         /* the source's ruleset decides; otherwise the destination's */
	enum stage stage; /* STAGE_ALLOW, _DENY, _REJECT with a rule; STAGE_DEFAULT, _NO_ADDRESS without */
	const struct effective_rule *rule;
	const struct machine *source, *destination; /* of an example; NULL: no machine, an address */
	const struct machine *known;                /* whose address a source is that stands for itself; may be NULL */
	struct addr from, to;                       /* where has_… says so */
	bool has_from, has_to;
	struct str what;                            /* "3306/tcp", "icmpv4/8/0 on eth0"; empty without addresses */
	uint32_t *machines; /* whose ruleset decides so: the first POLICY_SHOWN by name, by place in the fleet */
	size_t machine_shown, machine_count;
};

/* What is to be said of an assertion beside that. */
struct policy_note {
	const struct assertion *assertion;
	size_t judged;    /* machines whose rulesets were looked at */
	size_t left_out;  /* that have no ruleset */
	size_t monitored; /* of those judged: they refuse nothing now */
	bool vacuous;     /* it speaks of nobody */
};

struct policy {
	struct policy_violation *violations; /* in the order of the assertions, then by role and rule */
	size_t count;
	struct policy_note *notes; /* one an assertion */
	size_t note_count;
	size_t left_out, monitored; /* by any of them */
};

/* What the assertions name must exist (assertions_check()). Everything that *policy refers to is the caller's, or in
 * `arena`. */
void policy_judge(struct arena *arena, const struct resolved *resolved, const struct settings *settings,
                  const struct assertions *assertions, struct policy *policy);

/* "203.0.113.7 -> db1 3306/tcp". */
void policy_packet_print(struct buf *buf, const struct policy_violation *violation);
/* "passes, through rule 0123456789ab of role mysql: allow 3306/tcp". */
void policy_reason_print(struct buf *buf, const struct policy_violation *violation);
/* "on 12 machines: db1, db2, db3, db4, db5, and 7 more". */
void policy_machines_print(struct buf *buf, const struct fleet *fleet, const struct policy_violation *violation);
/* What the notes warn of. */
struct error *policy_warnings(const struct policy *policy) MUST_CHECK;

#endif
