/* What the files of the ledger share: transactions that are tried again, and values as statements take them and rows
 * give them. */
#ifndef PUSH_LEDGER_PARTS_H
#define PUSH_LEDGER_PARTS_H

#include "fleetwall/ledger.h"

/* What one transaction does. `arena` is for what stays; work that is tried again begins anew. */
typedef struct error *ledger_work(struct arena *arena, struct db *db, void *context);
/* Runs `work` between begin and commit, and once more where another transaction got in the way. */
struct error *ledger_do(struct arena *arena, struct db *db, ledger_work *work, void *context) MUST_CHECK;

/* Parameters. */
struct str ledger_number(struct arena *arena, uint64_t number);
struct str ledger_hex(struct arena *arena, const struct digest *digest);
/* Text from outside as the domain fleetwall.line takes it: one line of valid UTF-8, at most 1000 bytes. */
struct str ledger_line(struct arena *arena, struct str text);
/* The same, or NULL where it is empty. */
struct str ledger_some_line(struct arena *arena, struct str text);
struct str ledger_joined(struct arena *arena, const struct str *words, size_t count);

/* Cells; NULL is 0. */
uint64_t ledger_cell_number(const struct db_rows *rows, size_t row, size_t column);
bool ledger_cell_bool(const struct db_rows *rows, size_t row, size_t column);

/* Runs `NAME` for all, or sets the names and runs `NAME-named`: as COPY, within a transaction. For many names it reads
 * all as well: that is quicker, and ledger_keep_named() drops what was not asked for. */
struct error *ledger_copy(struct arena *arena, struct db *db, const char *name, const struct str *names,
                          size_t name_count, db_row *each, void *context) MUST_CHECK;

/* A list of rows of one size that grows. */
struct ledger_rows {
	struct arena *arena;
	unsigned char *items;
	size_t size, count, capacity;
};
void *ledger_row_add(struct ledger_rows *rows);
/* Of rows that begin with a name and are in its order, keeps those that are named; name_count 0: all. How many. */
size_t ledger_keep_named(struct ledger_rows *rows, const struct str *names, size_t name_count);

/* Within a transaction; as ledger_machines(), ledger_contacts() (without roles) and ledger_run(). */
struct error *ledger_read_machines(struct arena *arena, struct db *db, const struct str *names, size_t name_count,
                                   struct machine_state **states, size_t *count) MUST_CHECK;
struct error *ledger_read_contacts(struct arena *arena, struct db *db, const struct str *names, size_t name_count,
                                   struct contact **contacts, size_t *count) MUST_CHECK;
/* `number` NULL: the open one. info->number is 0 where there is none. */
struct error *ledger_read_run(struct arena *arena, struct db *db, const struct str *number,
                              struct push_run_info *info) MUST_CHECK;

/* ERROR_UNKNOWN unless the inventory has this machine. */
struct error *ledger_check_machine(struct arena *arena, struct db *db, struct str machine) MUST_CHECK;

#endif
