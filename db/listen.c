/* Notifications: a session listens on a channel, and hears of a transaction that notified it once that has committed.
 * Waits for nothing: when there is something to read is the business of whoever has the socket. */
#include <string.h>

#include "connection.h"
#include "fleetwall/arena.h"

struct error *db_listen(struct db *db, const char *channel)
{
	char *name = pq.escapeIdentifier(db->connection, channel, strlen(channel));
	struct arena *scratch;
	struct error *error;

	if (name == NULL)
		return db_failure(db, NULL);
	scratch = arena_new();
	error = db_command(db, str_c(scratch, str_format(scratch, "LISTEN %s", name)));
	pq.freemem(name);
	arena_free(scratch);
	return error;
}

int db_socket(const struct db *db)
{
	return pq.socket(db->connection);
}

bool db_is_lost(const struct db *db)
{
	return pq.status(db->connection) != CONNECTION_OK;
}

struct error *db_notices(struct db *db, size_t *count)
{
	bool read = pq.consumeInput(db->connection) == 1;
	PGnotify *notice;

	*count = 0;
	while ((notice = pq.notifies(db->connection)) != NULL) {
		pq.freemem(notice);
		++*count;
	}
	if (read && !db_is_lost(db))
		return NULL;
	return error_in(db_failure(db, NULL), "the connection to the database was lost");
}
