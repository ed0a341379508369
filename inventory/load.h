/* What the files that load the inventory share: the state of one load, rows while they come, and fields in PostgreSQL's
 * binary form. */
#ifndef INVENTORY_LOAD_H
#define INVENTORY_LOAD_H

#include "fleetwall/db.h"
#include "fleetwall/fleet.h"

/* Which rows: those that are there, those that the history brings back, or those of a few objects. A query has a
 * variant for each. LOAD_AROUND: of a few objects as well, and memberships in other roles are left out. */
enum load_which { LOAD_PRESENT, LOAD_BEFORE, LOAD_CHANGED, LOAD_AROUND };

/* One load. `scratch` goes when it ends, `rows` is reset after each table. The number that `machines`, `roles`, … give
 * a name is its index in the fleet. */
struct loading {
	struct arena *arena, *scratch, *rows;
	struct db *db;
	enum load_which which;
	struct fleet *fleet;
	struct names *machines, *roles, *networks, *services;
	struct names *words;       /* strings that few rows have and many repeat: address labels, owners of documents */
	struct label_lists *labels;
};

/* Everything but the clock, in an order in which owners come before what they own: */
struct error *load_services(struct loading *loading) MUST_CHECK;
struct error *load_networks(struct loading *loading) MUST_CHECK;
struct error *load_roles(struct loading *loading) MUST_CHECK; /* without their rules */
struct error *load_rules(struct loading *loading) MUST_CHECK;
struct error *load_machines(struct loading *loading) MUST_CHECK; /* with addresses and memberships */
/* What of a machine is to come; LOAD_THERE is what comes of it: there is a row. */
enum load_part { LOAD_ROW = 1, LOAD_ADDRESSES = 2, LOAD_MEMBERS = 4, LOAD_THERE = 8 };
/* Of the machines of these names, in their order, the parts that each byte says. Roles of memberships are named, and
 * nobody looks whether they are there. */
struct error *load_machine_parts(struct loading *loading, const struct str *names, unsigned char *parts,
                                 size_t count) MUST_CHECK;
struct error *load_clock(struct loading *loading) MUST_CHECK;

/* A load of `which` into *fleet, with a `scratch` and `rows` that the caller frees. */
struct loading loading_new(struct arena *arena, struct arena *scratch, struct arena *rows, struct db *db,
                           enum load_which which, struct fleet *fleet);
/* COPY of the query's variant. */
struct error *load_copy(struct loading *loading, const char *query, db_row *each, void *context) MUST_CHECK;

/* --- rows while they come --- */

/* In blocks that stay where they are, so that no row is moved and little room is wasted. */
struct rows {
	struct arena *arena;
	size_t size, count; /* size: of one row */
	struct {
		unsigned char **items;
		size_t count, capacity;
	} blocks;
};

struct rows rows_new(struct arena *arena, size_t size);
void *rows_add(struct rows *rows); /* room for one more; not cleared */
void *rows_get(const struct rows *rows, size_t i);

/* Rows that begin with the number of their owner, a uint32_t. When all are put to their places — that of an owner's
 * next row is next[owner]++ — those of owner o are start[o] … start[o + 1] - 1, in the order in which they came. */
struct grouped {
	uint32_t *start, *next;
};
struct grouped load_group(struct arena *scratch, const struct rows *rows, size_t owner_count);

/* The number of the owner's name, which the foreign key says must be there. *owner is that of the row before, or
 * NAMES_NONE: rows of one owner mostly come one after the other, and those of the next owner behind them. */
struct error *load_owner(const struct loading *loading, const struct names *names, const char *kind,
                         struct str name, uint32_t *owner) MUST_CHECK;
/* The error for a row whose owner is not there. */
struct error *load_orphan(const struct loading *loading, const char *kind, struct str name) MUST_CHECK;

/* --- fields; what the server cannot have sent is ERROR_SURROUNDINGS --- */

struct error *load_unreadable(const char *type) MUST_CHECK;
/* NULL gives the empty string. */
struct str load_text(struct arena *arena, struct str field);
/* The same for a string of which there are few: one copy of each. */
struct str load_word(struct loading *loading, struct str field);
/* inet and cidr: the address and its prefix length. */
struct error *load_inet(struct str field, struct addr *addr, unsigned *length) MUST_CHECK;
/* int4multirange of ports. NULL gives none. */
struct error *load_ports(struct arena *arena, struct str field, struct port_range **ports, size_t *count) MUST_CHECK;
/* A jsonb object of strings, sorted by key. NULL gives none. */
struct error *load_labels(struct arena *arena, struct str field, struct label **labels, size_t *count) MUST_CHECK;
/* The same; machines with the same labels share one list. */
struct error *load_label_list(struct loading *loading, struct str field, struct label **labels,
                              size_t *count) MUST_CHECK;
/* NULL gives TIME_NONE. */
struct error *load_time(struct str field, int64_t *time) MUST_CHECK;

#endif
