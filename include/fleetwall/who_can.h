/* Who is let in at a machine (SPEC §6 `who-can`): every source from which one packet of a new connection passes, with
 * names where sources have one. It is explain() turned round: of each address it says what explain() says. Sets of
 * addresses are taken as they are, so that a role of 100,000 members costs what sorting its addresses costs. */
#ifndef FLEETWALL_WHO_CAN_H
#define FLEETWALL_WHO_CAN_H

#include "fleetwall/explain.h"

/* In the order of the answer. */
enum source_kind { SOURCE_ANYONE, SOURCE_MANAGEMENT, SOURCE_ROLE, SOURCE_NETWORK, SOURCE_MACHINE, SOURCE_PREFIXES };

/* Sources that are let in, all of them. Those of two may overlap: a role's members in a prefix that a rule names. */
struct let_in {
	enum source_kind kind;
	struct str name;           /* "anyone", "management", "role:app/private", "network:office", "machine:db1";
	                              empty: they have none */
	size_t machines;           /* of a role: those that have such an address */
	struct addr_set sets[2];   /* IPv4, IPv6 */
	size_t prefix_count;       /* addr_set_prefixes() of both gives so many */
	enum stage stage;          /* that lets them in */
	const struct effective_rule **rules; /* through which some of them come; sorted by id, unique */
	size_t rule_count;
};

struct who_can {
	struct let_in *items;      /* by kind, then name, then addresses; together exactly those that are let in */
	size_t count;
};

/* Names of what rules do not name themselves. For each prefix what it is by itself, "network:office", "machine:db1" for
 * the addresses of a machine, several with a comma between; empty: nothing. No prefix comes twice; `names` is
 * cleared. */
typedef struct error *prefix_names(void *context, struct arena *arena, const struct prefix *prefixes, size_t count,
                                   struct str *names);
/* From a whole fleet, which is the context. */
prefix_names fleet_prefix_names;

/* At fleet->machines[machine]. What `names` returns is the only error. */
struct error *who_can(struct arena *arena, struct explainer *explainer, uint32_t machine,
                      const struct packet_what *what, prefix_names *names, void *context,
                      struct who_can *answer) MUST_CHECK;

/* Whom the inbound rules that cover the packet speak of by name: of these roles every member must be in the fleet, and
 * these machines, for who_can() to answer. Each once. */
struct who_can_needs {
	struct str *roles, *machines;
	size_t role_count, machine_count;
};
struct who_can_needs who_can_needs(struct arena *arena, struct explainer *explainer, uint32_t machine,
                                   const struct packet_what *what);

#endif
