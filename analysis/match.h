/* One packet of a new connection, and whether what a rule names covers it. Knows no machines, stages or sets. */
#ifndef FLEETWALL_ANALYSIS_MATCH_H
#define FLEETWALL_ANALYSIS_MATCH_H

#include "fleetwall/explain.h"

/* A question's packet made concrete for one family: numbers as they stand in the headers. */
struct packet {
	enum family family;
	uint8_t protocol;
	bool has_port;
	uint16_t port;           /* destination port */
	uint8_t icmp_type, icmp_code; /* of protocols 1 and 58, whatever the family */
	struct str interface;    /* empty: none was named */
};

struct packet packet_of(const struct packet_what *what, enum family family);

/* ICMP on IPv4, ICMPv6 on IPv6; not the one's number inside the other. */
bool packet_is_icmp(const struct packet *packet, enum family family);

bool what_covers(const struct fleet *fleet, const struct what *what, const struct packet *packet);
/* "eth+" covers every name that begins with "eth". A rule's empty interface covers all; a packet without one is covered
 * by no other. */
bool interface_covers(struct str rule, struct str packet);

#endif
