/* What the files of who_can() share: one question's state. Nothing outside who_can*.c includes it. */
#ifndef ANALYSIS_WHO_CAN_PARTS_H
#define ANALYSIS_WHO_CAN_PARTS_H

#include "address_sets.h"
#include "explainer.h"
#include "fleetwall/who_can.h"

#define FAMILIES 2

/* An allow rule that covers the packet in some family, and whom it speaks of there. */
struct letting {
	const struct indexed_rule *rule;
	bool covers[FAMILIES];
	struct addr_set sets[FAMILIES];
};

struct inquiry {
	struct arena *arena, *scratch;
	struct explainer *explainer;
	uint32_t machine;
	struct packet packets[FAMILIES];
	struct {
		struct letting *items;
		size_t count, capacity;
	} rules;
	bool open[FAMILIES];               /* everybody is let in, in this stage */
	enum stage stages[FAMILIES];
	bool plain;                        /* whomever a rule speaks of is let in, and not everybody is */
	struct addr_set let[FAMILIES];     /* all who are let in; everybody, where it is plain */
	struct addr_set managed[FAMILIES]; /* those of them who are by management */
};

static inline enum family family_of(size_t index)
{
	return index == 0 ? FAMILY_4 : FAMILY_6;
}

/* --- who_can_rows.c --- */

/* What is let in, as rows with names. */
struct error *name_sources(struct inquiry *inquiry, prefix_names *names, void *context,
                           struct who_can *answer) MUST_CHECK;

#endif
