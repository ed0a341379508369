/* How to reach machines, and which roles each has, from the inventory as it is. Memberships are most of the rows that
 * there are: they come in no order, and are put in order here. Nobody who claims work waits for them. */
#include <assert.h>
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/names.h"
#include "ledger_parts.h"

struct membership {
	uint32_t contact, role;
};

struct contacts {
	struct ledger_rows rows;
	struct arena *scratch;
	struct names *machines, *roles; /* the numbers of machines are their places */
	struct membership *items;
	size_t count, capacity;
};

static struct contact *contact_at(const struct contacts *contacts, size_t i)
{
	return (struct contact *)(void *)contacts->rows.items + i;
}

static struct error *contact_row(void *context, const struct str *fields, size_t count)
{
	struct contacts *contacts = context;
	struct contact *contact = ledger_row_add(&contacts->rows);

	assert(count == 4);
	*contact = (struct contact){
		.machine = str_copy(contacts->rows.arena, fields[0]),
		.host = str_copy(contacts->rows.arena, fields[1]),
		.ssh_port = (unsigned)db_int(fields[2]),
		.enabled = db_bool(fields[3]),
	};
	return NULL;
}

/* Machines that are not wanted, or that came since, are passed over. */
static struct error *role_row(void *context, const struct str *fields, size_t count)
{
	struct contacts *contacts = context;
	uint32_t contact = names_find(contacts->machines, fields[0]);

	assert(count == 2);
	if (contact != NAMES_NONE)
		APPEND(contacts->scratch, contacts,
		       ((struct membership){contact, names_add(contacts->roles, fields[1])}));
	return NULL;
}

/* --- roles in the order of their spelling --- */

struct ranked {
	struct str name;
	uint32_t number;
};

static int name_order(const void *a, const void *b)
{
	return str_cmp(((const struct ranked *)a)->name, ((const struct ranked *)b)->name);
}

/* Gives each role its place among all: comparing places is cheap. by_rank[place] is its name. */
static void rank_roles(struct contacts *contacts, struct str *by_rank)
{
	uint32_t count = names_count(contacts->roles);
	struct ranked *ranked = ARENA_ARRAY(contacts->scratch, struct ranked, count);
	uint32_t *rank = ARENA_ARRAY(contacts->scratch, uint32_t, count);

	for (uint32_t i = 0; i < count; i++)
		ranked[i] = (struct ranked){names_get(contacts->roles, i), i};
	qsort(ranked, count, sizeof *ranked, name_order);
	for (uint32_t i = 0; i < count; i++) {
		rank[ranked[i].number] = i;
		by_rank[i] = str_copy(contacts->rows.arena, ranked[i].name);
	}
	for (size_t i = 0; i < contacts->count; i++)
		contacts->items[i].role = rank[contacts->items[i].role];
}

static int membership_order(const void *a, const void *b)
{
	const struct membership *left = a, *right = b;

	if (left->contact != right->contact)
		return left->contact < right->contact ? -1 : 1;
	return (left->role > right->role) - (left->role < right->role);
}

/* One and the same membership may be there twice. */
static void give_roles(struct contacts *contacts, const struct str *by_rank)
{
	struct str *roles = ARENA_ARRAY(contacts->rows.arena, struct str, contacts->count);

	for (size_t i = 0; i < contacts->count; i++) {
		const struct membership *item = &contacts->items[i];
		struct contact *contact = contact_at(contacts, item->contact);

		if (i > 0 && membership_order(item - 1, item) == 0)
			continue;
		if (contact->role_count == 0)
			contact->roles = roles;
		contact->role_count++;
		*roles++ = by_rank[item->role];
	}
}

static struct error *read_roles(struct db *db, struct contacts *contacts, const struct str *names, size_t name_count)
{
	struct str *by_rank;

	contacts->machines = names_new(contacts->scratch);
	contacts->roles = names_new(contacts->scratch);
	for (size_t i = 0; i < contacts->rows.count; i++)
		names_keep(contacts->machines, contact_at(contacts, i)->machine);
	TRY(ledger_copy(contacts->scratch, db, "push-roles", names, name_count, role_row, contacts));
	if (contacts->count == 0)
		return NULL;
	by_rank = ARENA_ARRAY(contacts->rows.arena, struct str, names_count(contacts->roles));
	rank_roles(contacts, by_rank);
	qsort(contacts->items, contacts->count, sizeof *contacts->items, membership_order);
	give_roles(contacts, by_rank);
	return NULL;
}

static struct error *read_contacts(struct db *db, struct contacts *contacts, const struct str *names, size_t name_count)
{
	TRY(ledger_copy(contacts->scratch, db, "push-contacts", names, name_count, contact_row, contacts));
	ledger_keep_named(&contacts->rows, names, name_count);
	return NULL;
}

struct error *ledger_read_contacts(struct arena *arena, struct db *db, const struct str *names, size_t name_count,
                                   struct contact **list, size_t *count)
{
	struct contacts contacts = {.rows = {.arena = arena, .size = sizeof **list}, .scratch = arena_new()};
	struct error *error = read_contacts(db, &contacts, names, name_count);

	*list = (struct contact *)(void *)contacts.rows.items;
	*count = contacts.rows.count;
	arena_free(contacts.scratch);
	return error;
}

/* --- as a transaction --- */

struct reading {
	const struct str *names;
	size_t name_count;
	struct contact *contacts;
	size_t count;
};

static struct error *read_both(struct arena *arena, struct db *db, void *context)
{
	struct reading *reading = context;
	struct contacts contacts = {.rows = {.arena = arena, .size = sizeof(struct contact)}, .scratch = arena_new()};
	struct error *error = read_contacts(db, &contacts, reading->names, reading->name_count);

	if (error == NULL)
		error = read_roles(db, &contacts, reading->names, reading->name_count);
	reading->contacts = (struct contact *)(void *)contacts.rows.items;
	reading->count = contacts.rows.count;
	arena_free(contacts.scratch);
	return error;
}

struct error *ledger_contacts(struct arena *arena, struct db *db, const struct str *names, size_t name_count,
                              struct contact **contacts, size_t *count)
{
	struct reading reading = {.names = names, .name_count = name_count};

	TRY(ledger_do(arena, db, read_both, &reading));
	*contacts = reading.contacts;
	*count = reading.count;
	return NULL;
}
