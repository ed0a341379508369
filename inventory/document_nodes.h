/* A document as a tree of values that know where they stand. Private to inventory/. */
#ifndef INVENTORY_DOCUMENT_NODES_H
#define INVENTORY_DOCUMENT_NODES_H

#include "document_lex.h"

struct node {
	const struct spot *spot; /* NULL for the root, which is a group */
	struct str name;         /* empty for elements of lists and arrays */
	struct str string; /* SPOT_STRING: its value, without quotes and escapes; a slice of the document where it can
	                      be */
	bool boolean;            /* SPOT_BOOLEAN */
	struct node *children;   /* SPOT_GROUP, SPOT_LIST, SPOT_ARRAY */
	size_t count;
};

/* What document_nodes gives to those who make a fleet of it. */
struct document {
	struct arena *arena;     /* of the fleet */
	struct str name, text;
	struct faults faults;
	struct error **warnings;
};

/* Fills `fleet` from the tree; faults go to the document's. document_fleet.c. */
struct fleet;
void document_fleet(struct document *document, const struct node *root, struct fleet *fleet);

#endif
