/* The words of a document, before libconfig sees it: where every value stands, and what libconfig would let through
 * silently. Private to inventory/. */
#ifndef INVENTORY_DOCUMENT_LEX_H
#define INVENTORY_DOCUMENT_LEX_H

#include "fleet_faults.h"

enum spot_kind { SPOT_STRING, SPOT_NUMBER, SPOT_BOOLEAN, SPOT_GROUP, SPOT_LIST, SPOT_ARRAY };

/* Where a value stands: its first byte, the string's opening quote, the bracket. In source order these are the settings
 * of libconfig's tree in preorder. */
struct spot {
	enum spot_kind kind;
	unsigned line;       /* of `at` */
	uint32_t line_start; /* offset of that line's first byte */
	uint32_t at, n;      /* the value as written, with quotes; a bracket alone */
	uint32_t name, name_n; /* its name; name_n is 0 for elements */
	uint32_t sibling;    /* 1 + the number of the named spot before it in its group; 0: it is the first */
};

struct spots {
	struct spot *items;
	size_t count, capacity;
};

/* Finds the spots of `text`, and all faults: NUL, \x00, invalid UTF-8, adjacent strings, @include, a string or comment
 * without end, a field that stands twice in its group, and the first place that breaks the grammar. Faults know file,
 * line and column. */
void document_lex(struct arena *arena, struct str name, struct str text, struct spots *spots, struct faults *faults);

#endif
