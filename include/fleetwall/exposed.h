/* What can be reached from outside (SPEC §6 `query exposed`): of a machine, every packet of a new connection that its
 * rules let in from the internet, or from a prefix, told in rows of ports, sources and rules. Exact to the packet: deny
 * and reject are taken away, and a rule is named only where some packet comes in through it. Packet sets
 * (fleetwall/packets.h) of what rules open to those sources; sets of members are cut to them first. Pure. */
#ifndef FLEETWALL_EXPOSED_H
#define FLEETWALL_EXPOSED_H

#include "fleetwall/explain.h"
#include "fleetwall/packets.h"

/* The internet: every address that packets from anywhere in the world may come from. All but what the special-purpose
 * registries of IANA keep from it (RFC 6890): of IPv4 "this" network, private use, shared, loopback, link-local, IETF
 * protocols, documentation, benchmarking, multicast, reserved; of IPv6 all that is not in 2000::/3, and benchmarking,
 * ORCHID, documentation. */
struct addr_set internet_addresses(struct arena *arena, enum family family);

#endif
