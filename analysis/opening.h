/* What the files of opens() share: the two sides of one comparison, and the list that it makes. */
#ifndef OPENING_H
#define OPENING_H

#include "fleetwall/opens.h"

struct machine_list {
	uint32_t *items; /* places in the fleet of one side, ascending */
	size_t count, capacity;
};

struct side {
	const struct resolved *resolved;
	uint32_t *other;  /* for each machine its place on the other side, or NAMES_NONE */
	bool *enforces;   /* it has a ruleset that refuses */
};

/* A peer or a service that rules of both sides speak of. */
struct subject {
	bool refusing;
	struct str text;
	const struct peer *peer;       /* NULL: a service */
	uint32_t role[2];              /* of the first rule, before and after: what `self` means */
	const struct effective_rule *first;
	size_t rules;
	struct {
		uint32_t *items;       /* roles (after) whose rules speak of it */
		size_t count, capacity;
	} roles;
};

struct comparison {
	struct arena *arena;   /* of the answer */
	struct arena *scratch; /* until the end */
	struct arena *pass;    /* for one subject */
	struct side before, after;
	const struct settings *settings;
	struct machine_list *kept; /* for each role (after): machines that had it and have it, and enforce both times */
	struct names *names;       /* of subjects, allow and deny apart */
	struct {
		struct subject *items;
		size_t count, capacity;
	} subjects;
	struct {
		struct opening *items;
		size_t count, capacity;
	} openings;
};

/* `machines` are places on `side`; without any there is no opening: NULL. */
struct opening *opening_add(struct comparison *comparison, enum opening_kind kind, const struct side *side,
                            const struct machine_list *machines);

/* A rule that both sides have, and machines that had it and have it: remembers what it speaks of. */
void subjects_note(struct comparison *comparison, const struct effective_rule *rule, uint32_t role_before,
                   uint32_t role_after);
/* Compares what was remembered. */
void subjects_compare(struct comparison *comparison);

#endif
