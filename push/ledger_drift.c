/* Which machines nightly looks at for drift (in time each, as those come first that nobody looked at for longest), and
 * what was found there. Looks at no machine. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

#include "ledger_parts.h"

struct due {
	unsigned most;
	struct str *names;
	size_t count;
};

static struct error *ask_due(struct arena *arena, struct db *db, void *context)
{
	struct due *due = context;
	struct str most = ledger_number(arena, due->most);
	struct db_rows rows;

	TRY(db_query(arena, db, db_sql("push-drift-due"), &most, 1, &rows));
	due->names = ARENA_ARRAY(arena, struct str, rows.count + 1);
	due->count = rows.count;
	for (size_t i = 0; i < rows.count; i++)
		due->names[i] = db_cell(&rows, i, 0);
	return NULL;
}

struct error *ledger_drift_due(struct arena *arena, struct db *db, unsigned most, struct str **names, size_t *count)
{
	struct due due = {.most = most};

	TRY(ledger_do(arena, db, ask_due, &due));
	*names = due.names;
	*count = due.count;
	return NULL;
}

struct looks {
	const struct drift_seen *seen;
	size_t count;
};

enum { SEEN_LISTS = 3 };

static void add_seen(struct arena *arena, struct buf *lists, const struct drift_seen *seen)
{
	buf_add(&lists[0], seen->machine);
	buf_add(&lists[1], ledger_hex(arena, &seen->position));
	buf_add(&lists[2], seen->told ? ledger_line(arena, seen->found) : STR("?"));
}

static struct error *note_seen(struct arena *arena, struct db *db, void *context)
{
	const struct looks *looks = context;
	struct str parameters[SEEN_LISTS];
	struct buf lists[SEEN_LISTS];

	for (size_t k = 0; k < SEEN_LISTS; k++)
		lists[k] = buf_new(arena);
	for (size_t i = 0; i < looks->count; i++) {
		for (size_t k = 0; k < SEEN_LISTS && i > 0; k++)
			buf_char(&lists[k], k == 2 ? '\n' : ',');
		add_seen(arena, lists, &looks->seen[i]);
	}
	for (size_t k = 0; k < SEEN_LISTS; k++)
		parameters[k] = lists[k].n > 0 ? buf_str(&lists[k]) : STR("");
	return db_query(arena, db, db_sql("push-drift-seen"), parameters, SEEN_LISTS, NULL);
}

struct error *ledger_drift_seen(struct arena *arena, struct db *db, const struct drift_seen *seen, size_t count)
{
	return count == 0 ? NULL : ledger_do(arena, db, note_seen, &(struct looks){seen, count});
}
