/* Changes of the history as causes: the lines that the queries are asked with, a change as a row of theirs has it, and
 * in words. Which of them is the cause is not decided here. */
#include "cause.h"

const struct str cause_no_more = {NULL, 0};
const char *const cause_fields[CAUSE_FIELDS] = {"change", "at", "who", "os_user", "ticket", "operation", "what"};

void cause_values(const struct cause *cause, struct str values[CAUSE_FIELDS])
{
	const struct str all[CAUSE_FIELDS] = {cause->number, cause->at,        cause->who, cause->os_user,
	                                      cause->ticket, cause->operation, cause->what};

	for (size_t i = 0; i < CAUSE_FIELDS; i++)
		values[i] = all[i];
}

void cause_want(struct cause_wanted *wanted, const char *kind, struct str name, struct str more)
{
	buf_format(&wanted->text, "%s%zu\t%s %.*s", wanted->text.n > 0 ? "\n" : "", wanted->place, kind, STR_ARG(name));
	if (more.n > 0)
		buf_format(&wanted->text, " %.*s", STR_ARG(more));
}

struct cause cause_of(const struct db_rows *rows, size_t row)
{
	return (struct cause){db_cell(rows, row, 1), db_cell(rows, row, 2), db_cell(rows, row, 3),
	                      db_cell(rows, row, 4), db_cell(rows, row, 5), db_cell(rows, row, 6),
	                      db_cell(rows, row, 7)};
}

struct str cause_str(struct arena *arena, const struct cause *cause)
{
	struct buf buf = buf_new(arena);

	if (cause->number.n == 0)
		return buf_str(&buf);
	buf_format(&buf, "change %.*s by %.*s", STR_ARG(cause->number), STR_ARG(cause->who));
	if (cause->os_user.n > 0 && !str_eq(cause->os_user, cause->who))
		buf_format(&buf, " (%.*s)", STR_ARG(cause->os_user));
	buf_format(&buf, " at %.*s", STR_ARG(cause->at));
	if (cause->ticket.n > 0)
		buf_format(&buf, ", ticket %.*s", STR_ARG(cause->ticket));
	buf_format(&buf, ": %.*s %.*s", STR_ARG(cause->operation), STR_ARG(cause->what));
	return buf_str(&buf);
}
