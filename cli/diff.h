/* What the files of diff share: two generations, one of which may not be published yet, and what differs. */
#ifndef DIFF_H
#define DIFF_H

#include "fleetwall/difference.h"

#include "cause.h"
#include "round.h"

/* Machines that went from one ruleset, with its sets, to another. */
struct diff_machines {
	struct str *items; /* names, ascending */
	size_t count, capacity;
};
struct diff_pair {
	struct digest ruleset[2];
	bool affected; /* the rulesets differ, or a set that they name */
	struct diff_machines machines;
};

/* Of a group: changes of the history that can be its cause, the latest first. */
struct diff_changes {
	struct cause *items;
	size_t count, capacity;
	size_t all; /* that there are; `count` of them are told */
};

struct taken; /* pieces that are made and not published */

struct diff {
	struct run *run;
	struct arena *arena;
	struct generation generations[2]; /* before, after; number 0: now */
	struct str sides[2];              /* what they are called; empty: by their numbers */
	const struct diff_machines *only; /* these machines alone; NULL: all */
	bool careful;                     /* difference_careful() */
	struct round *round;              /* of now; NULL: two generations */
	struct taken *taken;
	struct {
		struct diff_pair *items;
		size_t count, capacity;
	} pairs;
	struct diff_machines fresh, gone; /* with a ruleset on one side alone */
	size_t changed;                   /* machines that have another ruleset or other sets */
	struct difference *difference;
	struct difference_group *groups;
	size_t group_count;
	struct diff_changes *changes; /* of each group; NULL: not asked */
	bool keeps; /* rows are kept for diff_rows(), for who writes rows of its own */
	struct {
		struct cell *items;
		size_t count, capacity;
	} kept;
	uint32_t *compared; /* by number of the difference's pair: place in `pairs` */
	size_t compared_count, compared_capacity;
	const struct fleet *fleet; /* for names; NULL: none at hand */
	const struct resolved *resolved;
	struct names *peers; /* addresses that were named, and beside them how */
	struct {
		struct diff_machines *items;
		size_t count, capacity;
	} named;
};

/* "opens 3306/tcp on 12 machines of role mysql (db1, …) to 10.1.0.7 (app7): role:app grew by app7" */
struct str diff_group_words(struct diff *diff, const struct difference_group *group);
/* What becomes of machines when the inventory `before` becomes `after`, said and written as diff does; run->no: they
 * differ. `when` is what that is called. Nothing need be published, and nothing is written. */
struct error *diff_fleets(struct run *run, const struct fleet *before, const struct fleet *after,
                          struct str when) MUST_CHECK;
/* The machines of a group, by name. */
struct diff_machines diff_group_machines(struct diff *diff, const struct difference_group *group);
/* The two halves of an answer, for a diff that has both sides: what differs, grouped, with names where they are at
 * hand; then saying it. */
struct error *diff_find(struct diff *diff) MUST_CHECK;
void diff_tell(struct diff *diff);
size_t diff_machine_count(const struct diff *diff); /* those that differ, and those with a ruleset on one side alone */
/* The rows that were kept; `change`: those alone. */
struct cell diff_rows(const struct diff *diff, struct str change);

/* --- which machines: diff_pairs.c --- */

/* Where pieces go that are made for the side `now`. */
struct outlet diff_outlet(struct diff *diff);
void diff_taken_free(struct diff *diff);
/* Fills pairs, fresh, gone, and the difference. packets_begin() comes before. */
struct error *diff_compare(struct diff *diff) MUST_CHECK;

/* --- names: diff_names.c --- */

struct str diff_peers(struct diff *diff, const struct difference_group *group); /* for people */
size_t diff_prefixes(struct diff *diff, const struct difference_group *group, struct str **prefixes);
/* Names of machines, or the one role or network that is exactly these addresses; none where they have none. */
size_t diff_peer_names(struct diff *diff, const struct difference_group *group, struct str **names);
/* The peer that the group's set is of, "role:app", or "the set NAME". */
struct str diff_set_peer(struct diff *diff, const struct difference_group *group);
/* "role:app grew by app7"; empty: not known. */
struct str diff_cause(struct diff *diff, const struct difference_group *group);
/* Roles that all of these machines have and no other one with a ruleset has. */
size_t diff_roles(struct diff *diff, const struct diff_machines *machines, struct str **roles);

/* --- who, and when: diff_changes.c --- */

/* Fills `changes`, where both sides are of the history, and run->db is open. In any transaction or none. */
struct error *diff_find_changes(struct diff *diff) MUST_CHECK;
/* "change 17 by alice at 2026-03-01T12:00:00Z: insert member app app7"; empty: not known. */
struct str diff_changes_words(struct diff *diff, const struct difference_group *group);
struct cell diff_changes_cell(struct diff *diff, const struct difference_group *group);

#endif
