/* What one line of a rules file means for one packet: TCP between a management source and the SSH port. For the guard
 * against lock-outs. */
#ifndef FLEETWALL_GEN_GUARD_MATCH_H
#define FLEETWALL_GEN_GUARD_MATCH_H

#include "fleetwall/addr.h"
#include "fleetwall/str.h"

enum packet_state { PACKET_NEW = 1, PACKET_ESTABLISHED = 2 };

/* Which packets are asked about: towards the SSH port, or from it. */
struct ssh_packet {
	bool outbound;
	unsigned port;
	enum family family;
};

enum line_effect { LINE_GOES_ON, LINE_ACCEPTS, LINE_RETURNS, LINE_REFUSES };

/* Every doubt makes `may` larger and `must` smaller. */
struct line_match {
	enum line_effect effect;
	struct str target;       /* empty: none */
	unsigned may;            /* states in which the line may match such a packet */
	unsigned must;           /* states in which it matches every such packet whose peer lies in the range */
	bool odd;                /* it could not be read: a refusal that may match anything */
	bool drops_when_full;    /* hashlimit: a full table drops the packet, whatever the target is */
	bool has_range, outside; /* of the peer's addresses; outside: it must not lie in it */
	struct range range;
};

void line_match_read(struct str line, const struct ssh_packet *packet, struct line_match *match);

#endif
