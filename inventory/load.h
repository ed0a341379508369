/* What the files that load the inventory share: the state of one load, fields in PostgreSQL's binary form, and rows put
 * to their owners. */
#ifndef INVENTORY_LOAD_H
#define INVENTORY_LOAD_H

#include "fleetwall/db.h"
#include "fleetwall/fleet.h"

/* One load. `scratch` goes when it ends. The number that `machines`, `roles`, … give a name is its index in the fleet:
 * these come ordered by name. */
struct loading {
	struct arena *arena, *scratch;
	struct db *db;
	struct fleet *fleet;
	bool before; /* as the history says it was, not as it is */
	struct names *machines, *roles, *networks, *services;
	struct names *words; /* strings that few rows have and many repeat: address labels */
};

/* The text of the query: of the present rows, or of those that the history brings back. */
struct str load_query(const struct loading *loading, const char *name);

/* Rows that belong to an owner, in the order in which they came: owners.items[i] is the owner's number of row i. */
struct owners {
	uint32_t *items;
	size_t count, capacity;
};

/* The same rows by owner: those of owner o are row[start[o]] … row[start[o + 1] - 1], in the order in which they came.
 */
struct grouped {
	uint32_t *start, *row;
};
struct grouped load_group(struct arena *scratch, const struct owners *owners, size_t owner_count);

/* The number of the owner's name, which the foreign key says must be there. */
struct error *load_owner(struct loading *loading, const struct names *names, const char *kind, struct str name,
                         struct owners *owners) MUST_CHECK;

/* --- fields; what the server cannot have sent is ERROR_SURROUNDINGS --- */

struct error *load_unreadable(const char *type) MUST_CHECK;
/* NULL gives the empty string. */
struct str load_text(struct arena *arena, struct str field);
/* inet and cidr: the address and its prefix length. */
struct error *load_inet(struct str field, struct addr *addr, unsigned *length) MUST_CHECK;
/* int4multirange of ports. NULL gives none. */
struct error *load_ports(struct arena *arena, struct str field, struct port_range **ports, size_t *count) MUST_CHECK;
/* A jsonb object of strings, sorted by key. NULL gives none. */
struct error *load_labels(struct arena *arena, struct str field, struct label **labels, size_t *count) MUST_CHECK;
/* NULL gives TIME_NONE. */
struct error *load_time(struct str field, int64_t *time) MUST_CHECK;

/* Rules and their peers, into the roles. */
struct error *load_rules(struct loading *loading) MUST_CHECK;

#endif
