/* What one inventory lets in that another did not: asked before an old generation is published again, and where the
 * bytes of one are gone. It names too much rather than too little: that two rules of other words let the same packets
 * in is not seen here, but by fleetwall/difference.h. Pure. */
#ifndef FLEETWALL_OPENS_H
#define FLEETWALL_OPENS_H

#include "fleetwall/resolve.h"
#include "fleetwall/settings.h"

enum opening_kind {
	OPENING_ENFORCEMENT,  /* machines that refused, and refuse nothing any more; `subject`: disabled, monitor, … */
	OPENING_MODE,         /* exclusive or coexist became `subject`: other hands decide what ours refused, or theirs
	                         no longer refuse */
	OPENING_EGRESS,       /* closed egress is open */
	OPENING_MANAGEMENT,   /* the management sources get in on another port: `subject` */
	OPENING_RULE,         /* machines get an allow rule that they did not have */
	OPENING_REFUSAL,      /* machines lose a deny or reject rule */
	OPENING_PEER,         /* a peer of allow rules stands for more addresses */
	OPENING_REFUSED_PEER, /* a peer of deny or reject rules stands for fewer */
	OPENING_SERVICE,      /* a service of allow rules has more ports */
	OPENING_REFUSED_SERVICE, /* a service of deny or reject rules has fewer */
};

enum { OPENING_SHOWN = 5 };

struct opening {
	enum opening_kind kind;
	struct str subject;     /* a canonical peer, a service, …; empty for a rule */
	struct str role, rule;  /* the rule; of a peer or service, the first by name that speaks of it */
	size_t rules;           /* how many do */
	struct str *items;      /* the first OPENING_SHOWN prefixes, or all ports, that came or went */
	size_t item_count, item_total;
	struct str *machines;   /* the first OPENING_SHOWN by name */
	size_t machine_shown, machine_count;
};

/* Nothing, or everything that `after` opens, sorted by kind, then by name. Only machines that enforce their ruleset
 * afterwards are looked at rule by rule; one that is new, or did not enforce before, counts as having had no rule. The
 * settings are the same for both. Strings are the fleets', or in `arena`. */
size_t opens(struct arena *arena, const struct resolved *before, const struct resolved *after,
             const struct settings *settings, struct opening **openings);

/* One line for people, without a newline: "role mysql: allow 3306/tcp from role:app, on 2 machines: db1, db2". */
void opening_print(struct buf *buf, const struct opening *opening);
struct str opening_kind_str(enum opening_kind kind); /* for programs: "rule", "refused-peer" */

#endif
