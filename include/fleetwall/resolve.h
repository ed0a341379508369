/* From the model to what each machine gets: members of roles, rules that count now, addresses of peers. Pure; the clock
 * is fleet->clock. The generator and `explain` both start here. SPEC §1, §2. */
#ifndef FLEETWALL_RESOLVE_H
#define FLEETWALL_RESOLVE_H

#include "fleetwall/fleet.h"

#define RULE_ID_DIGITS 12

/* A rule that counts now: enabled, since <= clock < until, in a role. */
struct effective_rule {
	const struct role *role;
	const struct role_rule *held;
	char id[RULE_ID_DIGITS + 1]; /* SHA-256 over role, NUL, canonical rule */
};

struct resolved_role {
	const struct role *role;
	uint32_t *members; /* indexes into fleet->machines, ascending; disabled machines too */
	size_t member_count;
	struct effective_rule *rules; /* sorted by canonical text; of an ended or disabled rule there is none */
	size_t rule_count;
};

struct resolved_machine {
	const struct machine *machine;
	uint32_t *roles; /* indexes into fleet->roles, ascending: assigned, selected, and machine:NAME */
	size_t role_count;
};

struct resolved {
	const struct fleet *fleet;
	struct resolved_role *roles;       /* as fleet->roles */
	struct resolved_machine *machines; /* as fleet->machines */
};

struct resolved *resolve(struct arena *arena, const struct fleet *fleet);
/* The next second after fleet->clock at which an enabled rule of a role begins or ends to count; TIME_NONE if there is
 * none. */
int64_t fleet_next_edge(const struct fleet *fleet);

/* The id of a rule, for any role and canonical text. */
void rule_id(struct str role, struct str text, char id[RULE_ID_DIGITS + 1]);

/* Does this machine get a ruleset: enabled, and not unmanaged? */
bool machine_has_ruleset(const struct machine *machine);
/* Closed egress: one of its roles says so. */
bool machine_egress_closed(const struct resolved *resolved, size_t machine);

/* The addresses of a peer that is not a literal: `self` is a peer of the role it stands in. `refusing` (deny, reject)
 * counts disabled machines too. */
struct addr_set peer_addresses(struct arena *arena, const struct resolved *resolved, const struct peer *peer,
                               const struct role *role, bool refusing, enum family family);
/* The literals of a rule, of one family, as ranges in canonical order. */
size_t rule_literals(struct arena *arena, const struct rule *rule, enum family family, struct range **ranges);
/* Can the rule match a packet of this family at all: by its `what`, and by its peers (a rule whose peers are all
 * literals of the other family does not; one with a role, network or machine among its peers does, members or not)? */
bool rule_speaks(const struct rule *rule, enum family family);

/* What a rule's `what` means as protocols: one entry for WHAT_ALL (protocol 0, no ports), one a protocol for a service,
 * in order of protocol. `icmp_type` is -1 for any. For `family`; none where the `what` does not speak of it. */
struct match_what {
	uint8_t protocol; /* 0: every protocol */
	const struct port_range *ports;
	size_t port_count; /* 0: every port */
	int icmp_type, icmp_code;
};
size_t rule_whats(struct arena *arena, const struct fleet *fleet, const struct rule *rule, enum family family,
                  struct match_what **whats);

/* How many machines get another ruleset, or a set of other addresses, than before: what a change of the inventory
 * touches. */
size_t machines_touched(const struct resolved *before, const struct resolved *after);

#endif
