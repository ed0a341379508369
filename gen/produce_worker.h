/* Private to gen/: what produce()'s stations share while it runs, and what each thread has for itself. */
#ifndef FLEETWALL_GEN_PRODUCE_WORKER_H
#define FLEETWALL_GEN_PRODUCE_WORKER_H

#include "fleetwall/produce.h"
#include "produce_positions.h"
#include "produce_roster.h"
#include "ruleset_position.h"
#include "sets.h"

/* One thread's own memory. */
struct worker {
	struct arena *scratch; /* reset for each piece */
	struct arena *kept;    /* as long as produce() */
	struct digester *digester;
	struct buf text[3];    /* in `kept`, used again for each piece */
	struct {               /* addresses of a set, and room to sort them; in `kept` */
		void *items, *room;
		size_t capacity; /* bytes of each */
	} numbers;
	size_t rendered_sets;
};

/* The sets that a role's rules name, of both families: their ranks, in no order, perhaps repeated. */
struct role_sets {
	uint32_t *ranks;
	size_t count;
};

/* What a call leaves for the next one: the key of each set. */
struct set_keys {
	struct sets *sets;
	struct digest *keys; /* by number */
};

/* What is known from the call before, whose roles and machines had the same places. */
struct memo {
	struct set_keys before;
	const bool *roles;    /* by role: its members, or the addresses of one, differ */
	const bool *machines; /* by machine: its addresses differ, or whether it is enabled */
};

struct production {
	struct arena *arena; /* of the product */
	struct arena *kept;  /* as long as produce() */
	struct arena *names; /* of the sets; as long as their keys are wanted */
	const struct memo *memo; /* NULL: none */
	struct arena *called; /* likewise, for the roster, which is made aside */
	const struct resolved *resolved;
	const struct rendition *rendition;
	const struct knowledge *known;
	const struct outlet *outlet;
	struct product *product;
	struct worker *workers; /* as many as the rendition says */

	struct roster roster;
	struct positions positions;
	bool *roles_used;             /* by role: it has rules, and some position has it */
	struct sets *sets;
	struct digest *set_keys;      /* by number */
	struct both_ends **ends;      /* by role: of each of its rules; of used ones */
	uint32_t *sorted;             /* numbers of sets by name: its indexes are ranks */
	struct role_sets *role_sets;  /* by role */
	struct rendering rendering;
};

/* All of it. `names` is where what is left for the next call goes. */
struct error *produce_again(struct arena *arena, const struct resolved *resolved, const struct rendition *rendition,
                            const struct knowledge *known, const struct outlet *outlet, const struct memo *memo,
                            struct arena *names, struct product *product, struct set_keys *left) MUST_CHECK;

/* The stations, in this order. */
/* Names the sets of all rules that some ruleset has. */
struct error *produce_names(struct production *production) MUST_CHECK;
/* Makes the sets that are not known, and the product's list of all. */
struct error *produce_sets(struct production *production) MUST_CHECK;
/* Makes the rulesets that are not known, and the manifest. */
struct error *produce_rulesets(struct production *production) MUST_CHECK;

#endif
