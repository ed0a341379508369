/* What happens to one packet (SPEC §2, §6 `explain`): the verdict, the stage that decided, the rules that matched in
 * it. From the model alone, by another path than the renderer's. Pure. */
#ifndef FLEETWALL_EXPLAIN_H
#define FLEETWALL_EXPLAIN_H

#include "fleetwall/resolve.h"
#include "fleetwall/settings.h"

enum stage {
	STAGE_HOUSEKEEPING, STAGE_MANAGEMENT, STAGE_DENY, STAGE_REJECT, STAGE_ALLOW, STAGE_DEFAULT,
	STAGE_NO_ADDRESS, /* two machines without a common family */
	STAGE_NO_RULESET, /* the machine is disabled or unmanaged: fleetwall refuses nothing there */
	STAGE_MONITOR,    /* would be refused; the machine is only watched */
};
struct str stage_str(enum stage stage);

/* One end: a machine (by index into the fleet), or an address. */
struct end {
	bool is_machine;
	uint32_t machine;
	struct addr addr;
};

/* The packet besides its addresses. */
struct packet_what {
	uint8_t protocol;        /* 0 with `icmp`: ICMP or ICMPv6, by family */
	bool icmp;
	enum icmp_name icmp_name; /* with icmp protocols: a name (number by family), or ICMP_NUMBER with icmp_type */
	uint8_t icmp_type;
	int icmp_code;           /* -1: none given; then a rule that asks for a code matches code 0 */
	bool has_port;
	uint16_t port;
	struct str interface;    /* after "on"; empty: none was named, so rules with `on` do not count */
};

struct verdict {
	bool allow;
	enum stage stage;
	const struct effective_rule **rules; /* that matched in the deciding stage, sorted by id, unique */
	size_t rule_count;
	struct addr source, destination;     /* of the pair that decided; family 0 where an end had none */
	bool has_source, has_destination;
};

/* Keeps peers' address sets between questions. */
struct explainer;
struct explainer *explainer_new(struct arena *arena, const struct resolved *resolved, const struct settings *settings);

/* An address first, then a machine's name. ERROR_UNKNOWN with the nearest name. */
struct error *end_parse(const struct explainer *explainer, struct str s, struct end *end) MUST_CHECK;
/* "3306/tcp", "icmp/echo-request", "esp", a service of one port; then optionally "on" INTERFACE. ERROR_USAGE with a
 * hint. */
struct error *packet_parse(const struct explainer *explainer, struct str s, struct packet_what *what) MUST_CHECK;
/* Two addresses: nobody has a say, ERROR_USAGE. `arena` holds the answer; reset it when you like. */
struct error *explain(struct arena *arena, struct explainer *explainer, const struct end *source,
                      const struct end *destination, const struct packet_what *what,
                      struct verdict *verdict) MUST_CHECK;

/* Of all pairs of addresses of one family that two machines have: how many, and between how many of them it passes; the
 * first of those. None where an end is an address. */
struct pairs {
	size_t count, passing;
	struct addr source, destination;
};
struct pairs explain_pairs(struct arena *arena, struct explainer *explainer, const struct end *source,
                           const struct end *destination, const struct packet_what *what);

/* For a packet that the default stage denied: the allow rules, of roles that the machine does not have, that would let
 * it pass. Sorted by role, then canonical text. None for any other verdict. */
size_t explain_remedies(struct arena *arena, struct explainer *explainer, const struct end *source,
                        const struct end *destination, const struct packet_what *what, const struct verdict *verdict,
                        const struct effective_rule ***rules);

/* Does the rule's `what` cover the packet in some family, whoever its peers are? */
bool rule_covers(const struct fleet *fleet, const struct rule *rule, const struct packet_what *what);

#endif
