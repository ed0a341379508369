/* Which machines nightly looks at for drift: in time each, as those come first that nobody looked at for longest. */
#include "fleetwall/arena.h"

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

struct seen {
	const struct str *names;
	size_t count;
};

static struct error *note_seen(struct arena *arena, struct db *db, void *context)
{
	const struct seen *seen = context;
	struct str names = ledger_joined(arena, seen->names, seen->count);

	return db_query(arena, db, db_sql("push-drift-seen"), &names, 1, NULL);
}

struct error *ledger_drift_seen(struct arena *arena, struct db *db, const struct str *names, size_t count)
{
	return ledger_do(arena, db, note_seen, &(struct seen){names, count});
}
