/* What the files of exposed_at() share: the question, and one position while it is asked. Nothing outside exposed*.c
 * includes it. */
#ifndef ANALYSIS_EXPOSED_PARTS_H
#define ANALYSIS_EXPOSED_PARTS_H

#include "address_sets.h"
#include "fleetwall/arena.h"
#include "fleetwall/exposed.h"
#include "fleetwall/names.h"
#include "peers.h"
#include "what_words.h"

#define FAMILIES 2
static inline enum family family_at(size_t index)
{
	return index == 0 ? FAMILY_4 : FAMILY_6;
}

/* An allow rule, and what it speaks of to those who were asked about, whatever is refused. Kept. */
struct opening {
	struct intent_rule rule;
	struct packets packets[FAMILIES];
	struct packets what[FAMILIES]; /* the same, whatever the sources */
	bool any[FAMILIES]; /* it says: from anyone */
};

/* Sources that some packets have in common: those of one diagram. */
struct sources {
	struct addr_set set; /* cut to the universe: see exposed_whole() */
	bool whole;          /* all of it, but for own addresses */
	bool own;            /* own addresses alone */
};

/* Whom a peer stands for, of those who were asked about. */
struct cut_peer {
	bool known;
	struct addr_set sets[FAMILIES];
};

struct thin;

struct exposed {
	struct arena *arena;
	struct arena *pass;                 /* for what holds as long as the universe: `arena`, or the position's own */
	struct intent *intent;
	const struct fleet *fleet;
	const struct settings *settings;
	const struct prefix *from;
	struct thin *thin;                  /* where a prefix is asked about; else NULL */
	struct addr_set universe[FAMILIES]; /* who is asked about; of a prefix those that stand for all of it in the
	                                       present position, of which all that follows is then: */
	struct addr_set own[FAMILIES];      /* less these */
	struct packets space[FAMILIES];     /* packets that are spoken of; kept */
	struct names *rule_keys;
	struct {
		struct opening *items; /* by number of their keys */
		size_t count, capacity;
	} openings;
	struct names *set_keys;
	struct {
		struct packets *items; /* sets as they are seen; kept */
		size_t count, capacity;
	} sets;
	struct names *source_keys;
	struct {
		struct sources **items; /* by number of their keys */
		size_t count, capacity;
	} sources;
	struct names *row_keys;
	struct {
		struct ranked **items;  /* rows that positions share; likewise */
		size_t count, capacity;
	} rows;
	struct names *positions;
	struct {
		const struct exposures **items;
		size_t count, capacity;
	} answers;
	const struct resolved *resolved;
	struct peers *peers; /* for their numbers */
	struct {
		struct cut_peer *items; /* by number of the peer */
		size_t count, capacity;
	} cut;
};

/* A row of one family while it grows. */
struct raw_row {
	size_t family;
	struct packets what;     /* kept; sources left out */
	const struct sources *sources;
	const struct opening **openings; /* in the order of the position's rules */
	size_t opening_count;
	enum stage stage;
	bool plain;              /* exactly those that the rules speak of: nothing is refused */
	bool joined;             /* is part of another */
};

struct raw_rows {
	struct raw_row *items;
	size_t count, capacity;
};

/* --- exposed_thin.c --- */

/* Of the prefix, which is the universe. */
struct thin *thin_new(struct exposed *exposed);
/* One address for all that are the same to a machine with these rules: in `scratch`, which must live until the next
 * position. */
struct addr_set thin_position(struct thin *thin, struct arena *scratch, const struct exposed *exposed,
                              const struct intent_rule *rules, size_t count);
/* All that these stand for; and how many addresses that are. */
struct addr_set thin_whole(const struct thin *thin, struct arena *arena, const struct addr_set *picked);
addr_bits thin_size(const struct thin *thin, const struct addr_set *picked);
static inline struct addr_set exposed_whole(const struct exposed *exposed, struct arena *arena,
                                            const struct addr_set *set)
{
	return exposed->thin == NULL || set->count == 0 ? *set : thin_whole(exposed->thin, arena, set);
}

/* --- exposed_rows.c --- */

/* Joins, names and sorts. `scratch` is for what need not stay; `patterns` are the interfaces that rules name. */
const struct exposures *exposed_rows(struct exposed *exposed, struct arena *scratch, struct raw_rows *raw,
                                     const struct str *patterns, size_t pattern_count);

/* --- exposed_names.c --- */

/* Sources and exceptions of a row whose sets and rules are there. */
void exposed_name(struct exposed *exposed, struct arena *scratch, const struct raw_row *const *rows, size_t count,
                  struct exposure *exposure);

#endif
