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
	struct marks marks;    /* the same by their ranks; in `kept` */
	size_t rendered_sets;
};

/* The sets that a role's rules name, of both families: their ranks, in no order, perhaps repeated. */
struct role_sets {
	uint32_t *ranks;
	size_t count;
};

/* What names give, and what sets are by their numbers; until rules or services differ. */
struct naming {
	struct arena *arena;
	bool *roles_used;             /* by role: it has rules, and some position has it */
	struct sets *sets;
	struct both_ends **ends;      /* by role: of each of its rules; of used ones */
	uint32_t *sorted;             /* numbers of sets by name: its indexes are ranks */
	struct role_sets *role_sets;  /* by role */
	uint32_t *subjects;           /* by number: the role or machine whose addresses it holds; NOBODY: none */
	struct known *made;           /* by number */
};

/* The rulesets by position, and what their keys are made of. */
struct keyring {
	struct digest *roles; /* by role */
	bool *has_role;
	struct known *made;   /* by position */
	bool *has_made;
	size_t count, capacity; /* of positions */
};

/* In what way a call differs from the one before, whose roles and machines had the same places. What does not is taken
 * over, and everything that was made is known still. */
struct memo {
	const uint32_t *machines; /* those that differ, ascending */
	size_t machine_count;
	const bool *peers;   /* by machine: its addresses differ, or whether it is enabled */
	const bool *members; /* by role: its members, or one of them as a peer */
	const bool *rules;   /* by role */
	bool any_rules, services, networks; /* some may differ */
};

struct production {
	/* Of one call. */
	struct arena *arena; /* of the product */
	struct arena *kept;
	const struct memo *memo; /* NULL: everything is made anew */
	const struct fleet *fleet;
	const struct resolved *resolved;
	struct resolved **unresolved; /* gets what the fleet is resolved to, in `resolving`; NULL: that is known */
	struct arena *resolving;
	const struct rendition *rendition;
	const struct knowledge *known;
	const struct outlet *outlet;
	struct product *product;
	struct worker *workers; /* as many as the rendition says */
	struct naming before;   /* what `naming` takes the place of; without an arena: nothing */
	struct rendering rendering;

	/* From call to call. */
	struct arena *placed; /* for positions and keys */
	struct positions positions;
	struct keyring keys;
	struct arena *called; /* for the roster, which is made aside */
	struct roster roster;
	struct naming naming;
};

struct production *production_new(void);
void production_free(struct production *production); /* NULL is fine */
/* Is there so much that nobody needs any more that beginning anew is cheaper? */
bool production_is_stale(const struct production *production);

/* All of it. The production must be new or that of a call that gave no error; without a memo it begins anew. Where
 * `resolved` is NULL, the production says what is to be resolved. */
struct error *production_make(struct production *production, struct arena *arena, const struct resolved *resolved,
                              const struct rendition *rendition, const struct knowledge *known,
                              const struct outlet *outlet, const struct memo *memo,
                              struct product *product) MUST_CHECK;

/* The stations, in this order. */
/* Names the sets of all rules that some ruleset has. */
struct error *produce_names(struct production *production) MUST_CHECK;
/* Makes the sets that are not known, and the product's list of all. */
struct error *produce_sets(struct production *production) MUST_CHECK;
/* Makes the rulesets that are not known, and the manifest. */
struct error *produce_rulesets(struct production *production) MUST_CHECK;

#endif
