/* Who reaches whom, role by role (SPEC §6 `query matrix`): for each role and each peer that its rules let in, the ports
 * that really pass, from every member to every member or between some. Deny, reject, and what sources may send are
 * taken away. Packet sets of what a role's rules open to one peer; machines are told apart only by what refuses, so
 * that roles of 100,000 members cost what their addresses cost. Pure. */
#ifndef FLEETWALL_MATRIX_H
#define FLEETWALL_MATRIX_H

#include "fleetwall/intent.h"

/* Ports that pass from one end to the members of a role through rules that this role holds. A pair is an address of the
 * one end and one of the other, of one family; members are enabled machines. One that refuses nothing (monitored,
 * unmanaged) passes all that the rules name. */
struct matrix_row {
	struct str from;      /* "anyone", "role:app", "role:app/private", "network:office", "machine:adm"; prefixes */
	const struct role *from_role; /* NULL: `from` is no role */
	const struct role *to;
	struct str *what;     /* "22,80/tcp", "icmpv4/echo-request", "all" */
	size_t what_count;
	bool all;             /* between all pairs and on every interface; else some pair, on some interface */
	size_t from_machines; /* members of `from`, and of `to`, that take part in a pair that passes */
	size_t to_machines;
	bool has_machines;    /* false: `from` is no machines, and from_machines says nothing */
	struct str *ids;      /* of the rules through which something passes, sorted */
	size_t rule_count;
	struct packets packets; /* `what` as protocols and ports; kept */
};

/* Which rows; all members NULL: every peer that rules name. */
struct matrix_asked {
	const struct role *from;   /* what its members reach, whoever the rules name */
	const struct role *to;
	const struct role *either; /* at one of the ends */
};

/* Sorted by from, to; all before some. A machine's own role is left out as `to`, unless it is asked for.
 * packets_begin() comes before. */
size_t matrix(struct arena *arena, struct intent *intent, const struct fleet *fleet, const struct matrix_asked *asked,
              struct matrix_row **rows);

#endif
