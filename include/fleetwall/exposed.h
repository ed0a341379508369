/* What can be reached from outside (SPEC §6 `query exposed`): of a machine, every packet of a new connection that its
 * rules let in from the internet, or from a prefix, told in rows of ports, sources and rules. Exact to the packet: deny
 * and reject are taken away, and a rule is named only where some packet comes in through it. Packet sets
 * (fleetwall/packets.h) of what rules open to those sources; sets of members are cut to them first. Pure. */
#ifndef FLEETWALL_EXPOSED_H
#define FLEETWALL_EXPOSED_H

#include "fleetwall/explain.h"
#include "fleetwall/intent.h"

/* The internet: every address that packets from anywhere in the world may come from. All but what the special-purpose
 * registries of IANA keep from it (RFC 6890): of IPv4 "this" network, private use, shared, loopback, link-local, IETF
 * protocols, documentation, benchmarking, multicast, reserved; of IPv6 all that is not in 2000::/3, and benchmarking,
 * ORCHID, documentation. */
struct addr_set internet_addresses(struct arena *arena, enum family family);

/* Ports that one set of sources reaches through the same rules. */
struct exposure {
	struct str *what;         /* "22,80/tcp", "icmpv4/echo-request", "all", "5001/tcp on eth0" */
	size_t what_count;
	struct str *sources;      /* "anyone"; "0.0.0.0/0", "::/0": of that family; the prefix asked about; "role:app",
	                             "network:office", "machine:db1" that a rule names and all of whom may; prefixes */
	size_t source_count;
	struct str *except;       /* prefixes of the internet that may not, although a rule says anyone */
	size_t except_count;
	enum stage stage;         /* allow, management; of a machine that refuses nothing no-ruleset, monitor */
	struct intent_rule *rules; /* by role, then text */
	struct str *ids;          /* of the rules, beside them */
	size_t rule_count;
	struct str *roles;        /* of the rules, each once */
	size_t role_count;
	struct packets packets[2]; /* IPv4 and IPv6; kept; sources left out */
};

struct exposures {
	struct exposure *items;   /* the widest first */
	size_t count;
};

struct exposed;
/* To whom: `from`, or, where it is NULL, the internet without the addresses that enabled machines of the fleet have.
 * packets_begin() comes before; all live as long as the answers. */
struct exposed *exposed_new(struct arena *arena, struct intent *intent, const struct fleet *fleet,
                            const struct settings *settings, const struct prefix *from);
/* Machines in the same position get the same pointer. */
const struct exposures *exposed_at(struct exposed *exposed, size_t machine);

#endif
