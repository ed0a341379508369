/* What the inventory says should happen to packets at a machine (SPEC §2), as sets of packets: from the rows, by a way of
 * its own. It uses nothing of what the generator uses: no resolving, no templates, no set files; only the model's rows,
 * the parsed rules, and the settings. So what both say alike is not one mistake made once. Pure. */
#ifndef FLEETWALL_INTENT_H
#define FLEETWALL_INTENT_H

#include "fleetwall/fleet.h"
#include "fleetwall/packets.h"
#include "fleetwall/settings.h"

/* The fleet, looked at: who is in which role, which rules count at the fleet's clock, whom peers stand for. */
struct intent;
struct intent *intent_new(struct arena *arena, const struct fleet *fleet, const struct settings *settings);

/* Machines in the same position are told alike: equal text, equal sets of packets. The text names the kinds of lines
 * and the rules, not the members of their peers; empty: it gets no ruleset. */
struct str intent_position(struct arena *arena, struct intent *intent, size_t machine);

/* How the addresses of a peer (a role, network, machine, or a rule's list of literals) are seen: packets whose `field` is
 * among them. NULL: as they are. `refusing`: as a peer of deny or reject, which counts disabled machines. */
typedef struct packets intent_peer_seen(void *context, const struct addr_set *addresses, enum packet_field field);

/* What must become of packets, family by family. `passed`: let in as far as fleetwall has a say: accepted in exclusive,
 * handed back to the chain above in coexist and monitor. */
struct intended {
	struct packets accepted;  /* coexist: management, accepted whatever others say; exclusive: all that is let in */
	struct packets passed;    /* coexist and monitor */
	struct packets dropped, reset, rejected; /* enforce */
	struct packets watched;   /* monitor: passed, but would have been refused */
};
struct intents {
	struct intended in, out;
	bool forward_dropped;     /* exclusive: every forwarded packet */
};
struct intents intent_of(struct arena *arena, struct intent *intent, size_t machine, enum family family,
                         intent_peer_seen *seen, void *context);

/* Every rule's part of it, for messages: the rules of the machine whose own match covers this packet, in the stage that
 * decides; `stage` as text ("allow", "housekeeping", …). */
struct intent_reason {
	struct str stage;
	const struct role_rule **rules;
	const struct role **roles; /* beside them */
	size_t count;
};
struct intent_reason intent_why(struct arena *arena, struct intent *intent, size_t machine, bool out,
                                const struct sample *packet);

/* The addresses that the set file of this name must hold, where a rule of the inventory needs a set of that name: NULL if
 * none does. */
const struct addr_set *intent_set(struct intent *intent, struct str name, enum family family);

#endif
