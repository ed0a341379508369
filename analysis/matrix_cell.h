/* What the files of a cell share: what passes between the kinds of machines at its ends. Nothing outside matrix*.c
 * includes it. */
#ifndef ANALYSIS_MATRIX_CELL_H
#define ANALYSIS_MATRIX_CELL_H

#include "matrix_parts.h"

/* Machines at which the same passes. */
struct kind {
	struct packets packets;
	bool depends;               /* on who the peers are */
	struct {
		struct standing **items;
		size_t count, capacity;
	} standings;
	struct addr_set *addresses; /* NULL: not asked yet */
};

struct kind_list {
	struct kind *items;
	size_t count, capacity;
};

/* Senders of one kind and receivers of another, and the ports that some of them may. */
struct meeting {
	size_t family;
	struct kind *from, *to;
	struct packets in, out;
};

struct crossing {
	struct matrix *matrix;
	struct arena *scratch;
	const struct cell *cell;
	struct matrix_end *from, *to;
	struct packets *opened[FAMILIES];           /* by rule of the cell */
	struct kind_list in[FAMILIES], out[FAMILIES]; /* of `to`, of `from` */
	struct packets all[FAMILIES], some[FAMILIES];
	bool pairs[FAMILIES]; /* are there addresses of the family at both ends? */
	struct {
		struct meeting *items;
		size_t count, capacity;
	} meetings;
};

/* Does any of `what` pass there through this rule of the cell? */
bool meeting_passes(struct crossing *crossing, const struct meeting *meeting, size_t rule, struct packets what);

/* --- matrix_rows.c --- */

/* What all pairs may, and what some. */
void matrix_rows(struct crossing *crossing);

#endif
