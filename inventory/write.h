/* What the files that write the inventory share: rows in PostgreSQL's text form, and which of them come, change and go.
 */
#ifndef INVENTORY_WRITE_H
#define INVENTORY_WRITE_H

#include "fleetwall/inventory.h"

/* Rows of one table, cell after cell; p == NULL is SQL NULL. */
struct rows {
	struct str *items;
	size_t count, capacity; /* of cells */
};

/* The differences of one table. `deleted` rows are keys alone. */
struct table_rows {
	struct rows deleted, updated, inserted;
};

/* In the order of their foreign keys: what is referred to comes first. Rules are apart, because their rows have numbers
 * for keys. */
enum table {
	TABLE_NETWORK,
	TABLE_NETWORK_PREFIX,
	TABLE_SERVICE,
	TABLE_SERVICE_PORT,
	TABLE_MACHINE,
	TABLE_ADDRESS,
	TABLE_ROLE,
	TABLE_MEMBER,
	TABLES,
};

/* Everything that a plan changes. */
struct write_rows {
	struct table_rows tables[TABLES];
	/* Keys of rules that go; (key, enabled, ticket, owner, comment) of those that stay and change. */
	struct rows rules_deleted, rules_updated;
	/* Rules that come; they have no keys yet. */
	struct new_rule {
		struct str role;
		const struct role_rule *rule;
	} *items;
	size_t count, capacity;
};

/* The cells of a table that make up its key; they come first. */
extern const unsigned write_key_cells[TABLES];
extern const unsigned write_cells[TABLES];

/* From the objects that the plan names. */
void write_rows_collect(struct arena *arena, const struct fleet *present, const struct plan *plan,
                        struct write_rows *rows);
/* The rules of one role; either may be NULL. */
void write_rules_collect(struct arena *arena, const struct role *before, const struct role *after,
                         struct write_rows *rows);

/* Sends rows by COPY; `into` is the table with its columns. Nothing is sent where there is nothing. */
struct error *write_copy(struct db *db, const char *into, const struct rows *rows, size_t cells) MUST_CHECK;
/* Runs a query whose parameters are arrays, one for each cell of a row. Nothing is run where there is nothing. */
struct error *write_arrays(struct arena *arena, struct db *db, const char *query, const struct rows *rows,
                           size_t cells) MUST_CHECK;

struct error *write_rules_delete(struct arena *arena, struct db *db, const struct write_rows *rows) MUST_CHECK;
struct error *write_rules(struct arena *arena, struct db *db, const struct write_rows *rows) MUST_CHECK;

/* --- cells --- */

void write_row(struct arena *arena, struct rows *rows, const struct str *cells, size_t count);
struct str write_boolean(bool value);
struct str write_number(struct arena *arena, int64_t number);
struct str write_address(struct arena *arena, enum family family, addr_bits bits);
struct str write_ports(struct arena *arena, const struct port_range *ports, size_t count);
struct str write_labels(struct arena *arena, const struct label *labels, size_t count);
/* The empty string is NULL. */
struct str write_optional(struct str text);

#endif
