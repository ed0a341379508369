/* What the server says when it refuses, as an error: message, detail and hint in one sentence and a hint, and the kind
 * by SQLSTATE. Never shows parameters or connection strings, which may hold secrets. */
#include <string.h>

#include "connection.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

/* One line: blanks for newlines and runs of blanks, no full stop at the end. */
static void add_line(struct buf *buf, const char *text)
{
	struct str s = str_trim(str_of(text));
	bool blank = false;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ' ' || s.p[i] == '\n' || s.p[i] == '\t' || s.p[i] == '\r') {
			blank = true;
			continue;
		}
		if (blank)
			buf_char(buf, ' ');
		blank = false;
		if (i + 1 < s.n || s.p[i] != '.')
			buf_char(buf, s.p[i]);
	}
}

/* Broken constraints, values that a type does not take, and missing rights are the input's fault. */
static enum error_kind kind_of(const char *state)
{
	if (strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0 || strcmp(state, "42501") == 0)
		return ERROR_INPUT;
	return ERROR_SURROUNDINGS;
}

/* libpq's first line says what happened, the others what it may mean. */
static struct error *of_connection(struct db *db)
{
	struct arena *scratch = arena_new();
	struct str rest = str_trim(str_of(pq.errorMessage(db->connection))), first = STR("");
	struct buf text = buf_new(scratch), advice = buf_new(scratch);
	struct error *error;

	str_cut(&rest, '\n', &first);
	add_line(&text, str_c(scratch, first));
	add_line(&advice, rest.p != NULL ? str_c(scratch, rest) : "");
	if (text.n == 0)
		buf_add(&text, STR("the database gave no answer"));
	error = error_new(ERROR_SURROUNDINGS, "PostgreSQL: %.*s", STR_ARG(buf_str(&text)));
	if (advice.n > 0)
		error = error_hint(error, "%.*s", STR_ARG(buf_str(&advice)));
	arena_free(scratch);
	return error;
}

static struct error *of_result(struct db *db, const PGresult *result, const char *primary)
{
	const char *detail = pq.resultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *hint = pq.resultErrorField(result, PG_DIAG_MESSAGE_HINT);
	const char *context = pq.resultErrorField(result, PG_DIAG_CONTEXT);
	struct arena *scratch = arena_new();
	struct buf text = buf_new(scratch), advice = buf_new(scratch);
	struct error *error;

	add_line(&text, primary);
	if (detail != NULL) {
		buf_add(&text, STR(": "));
		add_line(&text, detail);
	}
	if (context != NULL && strncmp(context, "COPY ", 5) == 0) {
		buf_add(&text, STR(" ("));
		add_line(&text, context);
		buf_char(&text, ')');
	}
	if (hint != NULL)
		add_line(&advice, hint);
	error = error_new(kind_of(db->state), "%.*s", STR_ARG(buf_str(&text)));
	if (advice.n > 0)
		error = error_hint(error, "%.*s", STR_ARG(buf_str(&advice)));
	arena_free(scratch);
	return error;
}

struct error *db_failure(struct db *db, const PGresult *result)
{
	const char *state = result != NULL ? pq.resultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	const char *primary = result != NULL ? pq.resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;

	memset(db->state, 0, sizeof db->state);
	if (state != NULL)
		memcpy(db->state, state, strnlen(state, sizeof db->state - 1));
	if (primary == NULL)
		return of_connection(db);
	return of_result(db, result, primary);
}

struct error *db_done(struct db *db, PGresult *result, ExecStatusType wanted)
{
	struct error *error = NULL;

	if (result == NULL || pq.resultStatus(result) != wanted)
		error = db_failure(db, result);
	pq.clear(result);
	return error;
}

bool db_is_retryable(const struct db *db)
{
	return strcmp(db->state, "40001") == 0 || strcmp(db->state, "40P01") == 0;
}
