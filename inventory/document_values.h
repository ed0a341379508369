/* Reading the values of a document's nodes. Faults go to the document, with the place of the node. Private to
 * inventory/. */
#ifndef INVENTORY_DOCUMENT_VALUES_H
#define INVENTORY_DOCUMENT_VALUES_H

#include "document_nodes.h"
#include "fleetwall/fleet.h"

#define LIST(type)                                                                                                  \
	struct {                                                                                                    \
		struct type *items;                                                                                 \
		size_t count, capacity;                                                                             \
	}

struct reader {
	struct document *document;
	struct arena *arena;
	struct str owner;
	LIST(machine) machines;
	LIST(role) roles;
	LIST(network) networks;
	LIST(service) services;
};

/* A field of a group: reads `node` into the object. Tables end with an entry without name; the first field must be
 * there. */
typedef void read_field(struct reader *reader, const struct node *node, void *object);
struct field {
	const char *name;
	unsigned given; /* the bit that says that it is there, or 0 */
	read_field *read;
};

/* Reads the fields of a group into `object`; the bits of those that are there. `kind` is for messages: "machine". */
unsigned node_group(struct reader *reader, const struct node *node, const struct field *fields, const char *kind,
                    void *object);

/* Where the value stands; where its name stands. */
struct place node_place(const struct reader *reader, const struct node *node);
struct place node_name_place(const struct reader *reader, const struct node *node);
/* Collects `errors` (NULL is fine); a column that one knows counts bytes of the node's string. */
void node_fault(struct reader *reader, const struct node *node, struct error *errors);

/* These report the fault, with an example of what is right. */
void node_wrong_kind(struct reader *reader, const struct node *node, const char *wanted, const char *example);
bool node_is_string(struct reader *reader, const struct node *node, const char *example);
bool node_is_list(struct reader *reader, const struct node *node, const char *example); /* ( ) or [ ] */
void node_unknown_word(struct reader *reader, const struct node *node, const char *field, const struct str *words,
                       size_t count);

/* Free text; empty after a fault. */
struct str node_line(struct reader *reader, const struct node *node, const char *field);
/* A name in lower case; empty if it is no string. Then node_checked: the name, or empty where there is an error, which
 * is collected. */
struct str node_name(struct reader *reader, const struct node *node);
struct str node_checked(struct reader *reader, const struct node *node, struct str name, struct error *error);
bool node_boolean(struct reader *reader, const struct node *node, bool otherwise);
/* A group, or a list of "key=value"; sorted. */
void node_labels(struct reader *reader, const struct node *node, struct label **labels, size_t *count);
/* Appends to the role's rules. */
void node_rules(struct reader *reader, const struct node *node, struct role *role);

#endif
