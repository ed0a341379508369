/* What the files of policy_judge() share. Private to policy*.c. */
#ifndef ANALYSIS_POLICY_PARTS_H
#define ANALYSIS_POLICY_PARTS_H

#include "explainer.h"
#include "fleetwall/policy.h"

enum { POLICY_FAMILIES = 2, POLICY_ACTIONS = 3 };

static inline enum family family_at(size_t index)
{
	return index == 0 ? FAMILY_4 : FAMILY_6;
}

/* --- addresses: policy_search.c --- */

/* Sets of one family that stand for what is in any of them. */
struct set_list {
	const struct addr_set **items;
	size_t count, capacity;
};

/* Addresses that are in one of each list, or in none where it says `without`. */
struct search {
	struct {
		const struct set_list *sets;
		bool without;
	} terms[8];
	size_t count;
	enum family family;
};

void search_add(struct search *search, const struct set_list *sets, bool without);
bool search_has(const struct search *search, addr_bits at);
/* The first from `from` on. */
bool search_next(const struct search *search, addr_bits from, addr_bits *found);

/* --- rules: policy_rules.c --- */

/* A rule with the addresses that it speaks of, once somebody asked. */
struct weighed {
	const struct effective_rule *effective;
	const struct indexed_rule *indexed;
	bool weighed[POLICY_FAMILIES];
	struct set_list sets[POLICY_FAMILIES];
	uint64_t asked; /* the question that knows which of its others comes first */
	bool meets[POLICY_FAMILIES];
	addr_bits first[POLICY_FAMILIES];
};
struct weighed_list {
	struct weighed **items;
	size_t count, capacity;
};
struct weighed_role {
	struct weighed_list lists[2][POLICY_ACTIONS]; /* [direction][action] */
};

enum { RULED_NOT, RULED_ENFORCED, RULED_MONITORED };

struct judging {
	struct arena *arena;   /* what is answered, and all that is kept */
	struct arena *lasting; /* for an assertion */
	struct arena *scratch; /* for a question, or a class */
	struct explainer *explainer;
	const struct resolved *resolved;
	const struct settings *settings;
	struct weighed_role **roles;  /* as resolved->roles; NULL until it is needed */
	struct set_list managed[POLICY_FAMILIES];
	uint32_t *position_of;        /* by machine: who has the same, has the same ruleset */
	uint32_t position_count;
	struct {
		struct policy_violation *items;
		size_t count, capacity;
	} violations;
	struct {
		unsigned char **items; /* by violation: which machines it has, a bit each */
		size_t count, capacity;
	} counted;
	struct names *reasons; /* of the assertion that is judged: the number of one is that of its violation … */
	size_t first;          /* … counted from this one */
	uint64_t questions;    /* so many were asked */
	bool probing;          /* nothing is added: is there anything at all? */
	bool found;
	unsigned char *ruled;  /* by machine: RULED_… */
	unsigned char *seen;   /* by machine: SEEN_… by the assertion that is judged */
	unsigned char *ever;   /* … by any of them */
};

const struct weighed_role *weighed_role(struct judging *judging, uint32_t role);
const struct set_list *rule_addresses(struct judging *judging, struct weighed *weighed, size_t family);
void policy_positions(struct judging *judging);
unsigned machine_ssh_port(const struct judging *judging, uint32_t machine);
/* Is there a packet that both speak of, whatever the interface? It may say yes where there is none. */
bool whats_meet(struct judging *judging, const struct what *a, const struct what *b);

/* --- classes of machines: policy_classes.c --- */

/* Machines whose rulesets say the same to a question. */
struct class {
	enum direction direction;
	bool closed;           /* outbound: egress */
	unsigned ssh_port;
	struct weighed_list lists[POLICY_ACTIONS];
	uint32_t *machines;    /* ascending */
	size_t machine_count;
};

/* A list of machines; those without a ruleset may be among them. */
struct machines {
	uint32_t *items;
	size_t count, capacity;
};

/* The addresses of other ends: those of machines are put together when first asked for. */
struct others {
	const struct machines *machines; /* NULL: the sets are there */
	struct str label;
	struct set_list sets[POLICY_FAMILIES];
};

/* What is asked of machines: do packets between them and others pass? */
struct question {
	struct judging *judging;
	const struct assertion *assertion;
	bool always;                     /* all must pass; otherwise none may */
	enum direction direction;        /* of the machines that are judged */
	struct machines judged;
	struct str label;                /* of their addresses; empty: all */
	struct others *others;
	bool outside;                    /* all addresses but those */
	bool between;                    /* the others are machines, so that both need addresses of one family */
	struct machines other_machines;  /* with `between` */
	const struct class *senders;     /* what the others' rulesets say of it; NULL: nothing */
};

struct classes {
	struct class *items;
	size_t count, capacity;
};
/* With the rules that can matter to the question. */
struct classes classes_of(const struct question *question);

/* --- packets: policy_packets.c --- */

struct packets_list {
	struct packet *items;
	size_t count, capacity;
};
/* One for each sort that rules of these classes (`also` may be NULL) tell apart, of those that the assertion speaks of.
 * Interfaces are those of `class`. */
struct packets_list packets_for(const struct question *question, const struct class *class, const struct class *also,
                                enum family family);
/* The interfaces that the rules of a class tell apart. */
struct str *interfaces_for(const struct question *question, const struct class *class, size_t *count);
struct str packet_str(struct arena *arena, const struct packet *packet);

/* --- judging: policy_ask.c --- */

/* Adds what is found to the violations. */
void question_ask(const struct question *question);
/* Does the rule speak of some of the others; which is the first? */
bool question_meets(const struct question *question, struct weighed *weighed, size_t family, addr_bits *first);

/* --- what was found: policy.c --- */

/* The violation's place, given now if it has none: the same stage and rule of more machines is one. */
size_t violation_place(struct judging *judging, const struct policy_violation *violation);
bool violation_has(const struct judging *judging, size_t place, uint32_t machine);
void violation_add(struct judging *judging, size_t place, uint32_t machine);
/* Marks machines as judged, or as left out where they have no ruleset. */
void machines_judged(struct judging *judging, const struct machines *machines);
void machines_monitored(struct judging *judging, const struct machines *machines);
void machine_left_out(struct judging *judging, uint32_t machine);

/* --- the ends of assertions: policy_ends.c --- */

/* The addresses of the others. */
const struct set_list *question_others(const struct question *question, size_t family);
/* The machine's next address, from *place on, of this family and label. */
bool machine_address(const struct machine *machine, struct str label, enum family family, size_t *place);
/* False where it speaks of nobody. */
bool assertion_judge(struct judging *judging, const struct assertion *assertion);

#endif
