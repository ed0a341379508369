/* What the files of matrix() share: machines told apart by what refuses, and the ends of a cell. Nothing outside
 * matrix*.c includes it. */
#ifndef ANALYSIS_MATRIX_PARTS_H
#define ANALYSIS_MATRIX_PARTS_H

#include "address_sets.h"
#include "fleetwall/arena.h"
#include "fleetwall/matrix.h"
#include "fleetwall/names.h"

#define FAMILIES 2
static inline enum family family_at(size_t index)
{
	return index == 0 ? FAMILY_4 : FAMILY_6;
}

/* The roles that matter to what a machine refuses. */
struct key {
	bool closed;             /* egress: what no rule lets out stays */
	uint32_t *roles;         /* places in the fleet */
	size_t count;
};

struct key_list {
	struct names *texts;     /* the number of a text is that of its key */
	struct key *items;
	size_t count, capacity;
};

/* By place of a machine: those with the same number refuse the same, whatever they allow. */
struct keys {
	uint32_t *in, *out;
	struct key_list lists[2]; /* [out] */
};

/* Machines of an end that are told alike; as senders by their key out, else by their key in. */
struct standing {
	uint32_t key;
	struct addr_set sets[FAMILIES];
};

/* An address of a machine of an end. */
struct holder {
	addr_bits bits;
	uint32_t machine;        /* counted within the end */
	uint32_t standing;
};

/* Addresses of one standing that no rule of the cell tells apart: the first stands for all. */
struct alike {
	addr_bits bits;
	uint32_t standing;
	bool met;                /* they take part in the row at hand */
};

/* Sets of addresses by which rules tell peers apart. */
struct tellers {
	const struct addr_set **items;
	size_t count, capacity;
};

struct slots {
	struct names *keys;
	struct {
		struct packets *items; /* held; by number of their keys */
		size_t count, capacity;
	} sets;
};

/* One end: who sends, or who is reached. Of machines there is the whole, and of it a view for each cell, which has
 * `sets` and those of its standings. */
struct matrix_end {
	struct arena *arena;
	struct str label;        /* of addresses; empty: all */
	struct standing *items;  /* of an end that is no machines, one with key 0 and addresses alone */
	size_t count, capacity;
	bool has_machines;
	bool everybody;          /* every address */
	size_t machine_count;
	struct {
		struct holder *items; /* of the whole; in the order of addresses */
		size_t count, capacity;
	} holders[FAMILIES];
	struct tellers tellers[FAMILIES]; /* of the whole: by which its machines refuse, or send */
	const struct matrix_end *whole;   /* of a view */
	struct {
		struct alike *items;
		size_t count, capacity;
		uint32_t *of;         /* beside the holders of the whole */
	} alike[FAMILIES];
	struct addr_set sets[FAMILIES];
	struct slots seen;       /* sets cut to this end, and what roles allow or refuse of it */
};

struct matrix {
	struct arena *arena;
	struct intent *intent;
	const struct fleet *fleet;
	struct keys keys;
	struct matrix_end **members; /* by role; NULL: not asked yet */
	struct {
		struct matrix_row *items;
		size_t count, capacity;
	} rows;
};

/* A peer, and the rules of one role that let it in. */
struct cell {
	struct str key, from;    /* `from` for people */
	int rank;                /* of kinds of peers */
	struct peer peer;        /* of a literal: `rules` says which */
	bool anyone;
	const struct role *to;
	struct intent_rule *rules;
	size_t count, capacity;
};

/* --- matrix_ends.c --- */

void keys_find(struct matrix *matrix);
struct matrix_end *end_new(struct arena *arena);
/* The members of a role, by what they refuse as destinations. */
struct matrix_end *end_of_members(struct matrix *matrix, const struct role *role);
/* Whom the cell's peer stands for, by what they may send. In `arena`; end_forget() comes before it is reset. */
struct matrix_end *end_of_peer(struct arena *arena, struct matrix *matrix, const struct cell *cell);
void end_forget(struct matrix_end *end);

/* --- matrix_alike.c --- */

/* Finds by which sets the machines of a whole tell their peers apart. */
void end_tells(struct arena *arena, struct matrix *matrix, struct matrix_end *end, bool out);
/* An end of machines as the rules of a cell see it. `peer` is the other one; `rules`, NULL at those who are reached.
 * end_forget() comes before `arena` is reset. */
struct matrix_end *end_seen(struct arena *arena, const struct matrix *matrix, const struct matrix_end *whole,
                            const struct matrix_end *peer, const struct cell *rules);
/* Those of the standing who are among these (NULL: all of that family) take part. */
void standing_meet(struct matrix_end *end, const struct standing *standing, enum family family,
                   const struct addr_set *among);
/* The machines that took part; nobody has afterwards. */
size_t count_met(struct arena *scratch, struct matrix_end *end);

/* --- matrix_cell.c --- */

/* Adds the rows of a cell. */
void matrix_cell(struct arena *scratch, struct matrix *matrix, const struct cell *cell,
                 struct matrix_end *from, struct matrix_end *to);

#endif
