/* lint accept, accepted, withdraw: findings that are right as they are, for a time or for good, and why. A finding is
 * accepted by its id, and only while it is found. */
#include <time.h>

#include "fleetwall/rule.h"
#include "lint.h"

static const char *const columns[] = {"finding", "code", "subject", "reason", "until", "who", "at", "ended"};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* --- accept --- */

/* {NULL, 0}: for good. */
static struct error *read_until(const struct run *run, struct str *until)
{
	struct buf buf = buf_new(run->arena);
	struct str text = run_option(run, "until");
	int64_t end;

	*until = (struct str){NULL, 0};
	if (text.p == NULL)
		return NULL;
	if (!time_parse(text, &end))
		return error_hint(error_new(ERROR_USAGE, "--until: \"%.*s\" is no time", STR_ARG(text)),
		                  "for example 2026-12-31, or 2026-12-31T12:00:00Z");
	if (end <= (int64_t)time(NULL))
		return error_new(ERROR_USAGE, "--until: %.*s has passed", STR_ARG(text));
	time_print(&buf, end);
	*until = buf_str(&buf);
	return NULL;
}

static struct error *read_reason(const struct run *run, struct str *reason)
{
	*reason = str_trim(run_option(run, "reason"));
	if (reason->n > 0)
		return NULL;
	return error_hint(error_new(ERROR_USAGE, "a finding is accepted for a reason"),
	                  "give --reason WORDS: whoever wonders why it is right will read it");
}

static struct error *unknown_finding(struct str id, const struct str *ids, size_t count)
{
	struct error *error = error_new(ERROR_UNKNOWN, "there is no finding \"%.*s\"", STR_ARG(id));
	struct str near = str_nearest(id, ids, count);

	if (near.n > 0)
		return error_hint(error, "did you mean %.*s?", STR_ARG(near));
	return error_hint(error, "fleetwall lint shows them");
}

static size_t place_of(struct str id, const struct str *ids, size_t count)
{
	size_t i = 0;

	while (i < count && !str_eq(ids[i], id))
		i++;
	return i;
}

/* Which findings the arguments are; all that are none are told at once. */
static struct error *choose(struct run *run, const struct lint_finding *findings, size_t count,
                            const struct lint_finding **chosen)
{
	struct str *ids = ARENA_ARRAY(run->arena, struct str, count);
	struct error *errors = NULL;

	for (size_t i = 0; i < count; i++)
		ids[i] = str_of(findings[i].id);
	for (size_t i = 0; i < run->argument_count; i++) {
		struct str id = str_lower(run->arena, run->arguments[i]);
		size_t place = place_of(id, ids, count);

		if (place == count)
			error_collect(&errors, unknown_finding(id, ids, count));
		else
			chosen[i] = &findings[place];
	}
	return errors;
}

static struct error *accept(struct run *run, const struct lint_finding *finding, struct str reason, struct str until)
{
	struct str values[] = {str_of(finding->id), lint_code_str(finding->code), finding->subject, reason, until};

	TRY(db_query(run->arena, run->db, db_sql("lint-withdraw"), values, 1, NULL));
	TRY(db_query(run->arena, run->db, db_sql("lint-accept"), values, 5, NULL));
	writer_say(run->writer, "finding %s is accepted: %.*s", finding->id, STR_ARG(finding->message));
	return NULL;
}

struct error *run_lint_accept(struct run *run)
{
	const struct lint_options options = {LINT_DAYS_MOST};
	const struct lint_finding **chosen = ARENA_ARRAY(run->arena, const struct lint_finding *, run->argument_count);
	struct lint_finding *findings;
	struct acceptances accepted;
	struct str reason, until;
	size_t count;

	TRY(read_reason(run, &reason));
	TRY(read_until(run, &until));
	TRY(lint_find_all(run, &options, &accepted, &findings, &count));
	TRY(choose(run, findings, count, chosen));
	TRY(db_begin(run->db, DB_WRITE));
	for (size_t i = 0; i < run->argument_count; i++)
		TRY(accept(run, chosen[i], reason, until));
	return db_commit(run->db);
}

/* --- accepted, withdraw --- */

struct error *run_lint_accepted(struct run *run)
{
	struct acceptances list;

	TRY(run_connect(run));
	TRY(lint_acceptances(run, &list));
	writer_columns(run->writer, LAYOUT_TABLE, columns, COLUMNS);
	for (size_t i = 0; i < list.count; i++) {
		const struct acceptance *acceptance = &list.items[i];

		writer_row(run->writer, (struct cell[]){
						cell_text(acceptance->finding),
						cell_text(acceptance->code),
						cell_text(acceptance->subject),
						cell_text(acceptance->reason),
						cell_some(acceptance->until),
						cell_text(acceptance->who),
						cell_text(acceptance->at),
						cell_bool(acceptance->ended),
					});
	}
	return NULL;
}

static struct error *not_accepted(struct str id, const struct str *ids, size_t count)
{
	struct error *error = error_new(ERROR_UNKNOWN, "finding \"%.*s\" is not accepted", STR_ARG(id));
	struct str near = str_nearest(id, ids, count);

	if (near.n > 0)
		return error_hint(error, "did you mean %.*s?", STR_ARG(near));
	return error_hint(error, count == 0 ? "none is: there is nothing to withdraw"
	                                    : "fleetwall lint accepted shows those that are");
}

/* It must have been accepted; the nearest of those that were. */
static struct error *withdraw(struct run *run, struct str id, const struct str *ids, size_t count)
{
	struct db_rows rows;

	TRY(db_query(run->arena, run->db, db_sql("lint-withdraw"), &id, 1, &rows));
	if (rows.count == 0)
		return not_accepted(id, ids, count);
	writer_say(run->writer, "finding %.*s is accepted no longer", STR_ARG(id));
	return NULL;
}

struct error *run_lint_withdraw(struct run *run)
{
	struct error *errors = NULL;
	struct acceptances list;
	struct str *ids;

	TRY(run_connect(run));
	TRY(db_begin(run->db, DB_WRITE));
	TRY(lint_acceptances(run, &list));
	ids = ARENA_ARRAY(run->arena, struct str, list.count);
	for (size_t i = 0; i < list.count; i++)
		ids[i] = list.items[i].finding;
	for (size_t i = 0; i < run->argument_count; i++)
		error_collect(&errors, withdraw(run, str_lower(run->arena, run->arguments[i]), ids, list.count));
	return errors != NULL ? errors : db_commit(run->db);
}
