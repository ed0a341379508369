/* What the inventory says should happen to packets at a machine (SPEC §2), as sets of packets: from the rows, by a
 * way of its own. It uses nothing of what the generator uses: no resolving, no templates, no set files; only the
 * model's rows, the parsed rules, and the settings. So what both say alike is not one mistake made once. Pure. */
#ifndef FLEETWALL_INTENT_H
#define FLEETWALL_INTENT_H

#include "fleetwall/fleet.h"
#include "fleetwall/packets.h"
#include "fleetwall/settings.h"

/* The fleet, looked at: who is in which role, which rules count at the fleet's clock, whom peers stand for. Fleet,
 * settings and arena live as long; packets_begin() comes before the first question for packets, packets_end() after
 * the last. */
struct intent;
struct intent *intent_new(struct arena *arena, const struct fleet *fleet, const struct settings *settings);

/* What it found: the members of a role (places in fleet->machines, ascending, disabled ones too), and the rules that a
 * machine gets now, sorted by role, then text (none for disabled and unmanaged ones). */
const uint32_t *intent_members(const struct intent *intent, size_t role, size_t *count);
struct intent_rule {
	const struct role *role;
	const struct role_rule *rule;
};
size_t intent_rules(struct arena *arena, const struct intent *intent, size_t machine, struct intent_rule **rules);
/* Those of a role that count now, whoever has it; sorted by text. */
size_t intent_role_rules(struct arena *arena, const struct intent *intent, size_t role, struct intent_rule **rules);

/* Machines in the same position are told alike: equal text, equal sets of packets, whatever the members of peers are.
 * A line that stands for all that the position depends on but the settings and the contents of sets: mode,
 * enforcement, SSH port, egress, and a digest of the rules with their roles and of what services stand for. Empty: it
 * gets no ruleset. Texts live as long as the intent; of machines in the same position they are one and the same
 * (equal pointers). */
struct str intent_position(struct intent *intent, size_t machine);

/* How the addresses of a set are seen: packets of that family whose `field` is among them. `set` is its name (SPEC
 * §5, "mysql-0123456789ab"): of a role, network or machine, and of a rule's literals of a family where they are more
 * than one prefix; intent_set() has the addresses. Single prefixes are seen as they are, without asking. NULL: all as
 * they are. So 100,000 addresses need not become a diagram, and a proof by names holds whoever joins a role. Asked
 * anew in each call. */
typedef struct packets intent_peer_seen(void *context, struct str set, enum family family, enum packet_field field);

/* What is spoken of: all packets of the family that are no later fragments. Conntrack puts fragments together before
 * the filter sees them; without it a later fragment has no ports, and nothing is claimed of it. */
struct packets intent_compared(enum family family);

/* What must become of packets, family by family. Conditions are those of fleetwall/filter.h: a limit, and the end of
 * a rule that allows, each one condition, named by its parameters alone, however many lines it takes. The first five
 * are disjoint, and together intent_compared(). */
struct intended {
	struct packets accepted;  /* coexist: management, accepted whatever others say; exclusive: all that is let in */
	struct packets passed;    /* coexist and monitor: handed back to the chain above */
	struct packets dropped, reset, rejected; /* enforce */
	struct packets watched;   /* monitor: those of `passed` that would have been refused */
};
struct intents {
	struct intended in, out;
	bool forward_dropped;     /* exclusive: every forwarded packet */
};
/* Of a machine without a ruleset everything is `passed`. */
struct intents intent_of(struct arena *arena, struct intent *intent, size_t machine, enum family family,
                         intent_peer_seen *seen, void *context);

/* Its pieces by themselves, whatever the others say: what one rule speaks of; what the machine's deny and reject rules
 * do, also where nothing is enforced; what housekeeping and management let pass. */
struct packets intent_rule_packets(struct intent *intent, const struct intent_rule *rule, enum family family,
                                   intent_peer_seen *seen, void *context);
/* The sets of addresses that its peers stand for: packets whose peers are in the same ones are the same to it. */
size_t intent_rule_sets(struct arena *arena, struct intent *intent, const struct intent_rule *rule, enum family family,
                        const struct addr_set ***sets);
struct packets intent_refused(struct arena *arena, struct intent *intent, size_t machine, enum family family, bool out,
                              intent_peer_seen *seen, void *context);
/* The part of it that one role has; or all that its rules allow. */
struct packets intent_role_packets(struct arena *arena, struct intent *intent, size_t role, enum action action,
                                   enum family family, bool out, intent_peer_seen *seen, void *context);
struct packets intent_housekeeping(struct intent *intent, enum family family, bool out);
struct packets intent_management(const struct intent *intent, size_t machine, enum family family, bool out);

/* Every rule's part of it, for messages: the rules of the machine whose own match covers this packet, in the stage
 * that decides; `stage` as text ("allow", "housekeeping", …; "no-ruleset"). Which limits and dates hold is in
 * packet->conditions; addresses are compared with the members of sets. Sorted by role, then text. */
struct intent_reason {
	struct str stage;
	const struct role_rule **rules;
	const struct role **roles; /* beside them */
	size_t count;
};
struct intent_reason intent_why(struct arena *arena, struct intent *intent, size_t machine, bool out,
                                const struct sample *packet);

/* The addresses that the set file of this name must hold, where a rule that counts now needs a set of that name in
 * that family, whether a machine has its role or not: NULL if none does. Lives as long as the intent. */
const struct addr_set *intent_set(struct intent *intent, struct str name, enum family family);
/* The same by any thread, found anew, in its arena. */
const struct addr_set *intent_set_into(struct arena *arena, const struct intent *intent, struct str name,
                                       enum family family);
/* For who asks for most of the sets: brings all addresses in order once, instead of set by set. */
void intent_hurry(struct intent *intent);

#endif
