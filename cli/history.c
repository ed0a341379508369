/* What changed, when, by whom; and taking it back. */
#include <string.h>

#include "edit.h"

static const char *const columns[] = {"change", "transaction", "at",   "who",    "os_user",
                                      "ticket", "operation",   "what", "before", "after"};
enum { COLUMNS = sizeof columns / sizeof *columns, FOR_PEOPLE = 8 };

static struct error *parse_time(struct run *run, const char *option, struct str *seconds)
{
	struct str value = run_option(run, option);
	int64_t time;

	*seconds = (struct str){NULL, 0};
	if (value.p == NULL)
		return NULL;
	if (!time_parse(value, &time))
		return error_hint(error_new(ERROR_USAGE, "--%s: \"%.*s\" is no time", option, STR_ARG(value)),
		                  "for example 2026-03-01T12:00:00Z, or 2026-03-01");
	*seconds = str_format(run->arena, "%lld", (long long)time);
	return NULL;
}

static void write_changes(struct run *run, const struct db_rows *rows)
{
	size_t count = writer_is_json(run->writer) ? COLUMNS : FOR_PEOPLE;

	writer_columns(run->writer, LAYOUT_TABLE, columns, count);
	for (size_t row = 0; row < rows->count; row++) {
		struct cell cells[COLUMNS];

		for (size_t i = 0; i < COLUMNS; i++) {
			struct str text = db_cell(rows, row, i);
			uint64_t number = 0;

			cells[i] = i >= FOR_PEOPLE ? cell_json(text)
			           : i < 2 && str_number(text, INT64_MAX, &number) ? cell_number((int64_t)number)
			                                                           : cell_text(text);
		}
		writer_row(run->writer, cells);
	}
}

/* Nothing came: is there such an object at all, or was there one once? Built-in services never changed. */
static struct error *must_be_known(struct run *run, struct str what)
{
	struct str ever[5] = {what, {NULL, 0}, {NULL, 0}, STR("1"), {NULL, 0}}, name = what, near;
	struct db_rows rows;
	struct error *error;
	bool known = false;

	TRY(db_query(run->arena, run->db, db_sql("history"), ever, 5, &rows));
	if (rows.count > 0)
		return NULL;
	if (run->argument_count == 2)
		name = run->arguments[1];
	TRY(db_query(run->arena, run->db, db_sql("history-names"), NULL, 0, &rows));
	for (size_t i = 0; i < rows.count; i++)
		known = known || str_eq(db_cell(&rows, i, 0), name);
	if (known)
		return NULL;
	near = str_nearest(name, rows.cells, rows.count);
	error = error_new(ERROR_UNKNOWN, "there is no \"%.*s\", and there never was", STR_ARG(what));
	return near.n > 0 ? error_hint(error, "did you mean %.*s?", STR_ARG(near))
	                  : error_hint(error, "a name, an address, the id of a rule, or as \"machine db1\"");
}

struct error *run_history(struct run *run)
{
	struct str parameters[5] = {{NULL, 0}, {NULL, 0}, run_option(run, "by"), run_option(run, "limit"), {NULL, 0}};
	struct db_rows rows;
	unsigned limit;

	if (run->argument_count > 0)
		parameters[0] = edit_words(run, 0);
	TRY(parse_time(run, "since", &parameters[1]));
	TRY(parse_time(run, "at", &parameters[4]));
	TRY(run_number(run, "limit", 1, 1000000000, &limit));
	TRY(run_connect(run));
	TRY(db_begin(run->db, DB_SNAPSHOT));
	TRY(db_query(run->arena, run->db, db_sql("history"), parameters, 5, &rows));
	if (rows.count == 0 && parameters[0].p != NULL)
		TRY(must_be_known(run, parameters[0]));
	write_changes(run, &rows);
	return db_commit(run->db);
}

/* --- undo --- */

static struct error *find_change(struct run *run, struct before *before)
{
	struct db_rows rows;
	uint64_t change, transaction = 0;

	if (!str_number(run->arguments[0], INT64_MAX, &change))
		return error_hint(
			error_new(ERROR_USAGE, "\"%.*s\" is no number of a change", STR_ARG(run->arguments[0])),
			"fleetwall history shows them");
	TRY(db_query(run->arena, run->db, db_sql("undo-change"), run->arguments, 1, &rows));
	if (rows.count == 0 || !str_number(db_cell(&rows, 0, 0), INT64_MAX, &transaction))
		return error_hint(error_new(ERROR_UNKNOWN, "there is no change %.*s", STR_ARG(run->arguments[0])),
		                  "fleetwall history shows them");
	*before = (struct before){.time = TIME_NONE};
	if (run_has(run, "alone"))
		before->change = (int64_t)change;
	else
		before->transaction = (int64_t)transaction;
	return NULL;
}

/* The transaction and the change, of which one is null, as the queries take them. */
static void before_parameters(struct run *run, const struct before *before, struct str *parameters)
{
	parameters[0] = parameters[1] = (struct str){NULL, 0};
	if (before->transaction > 0)
		parameters[0] = str_format(run->arena, "%lld", (long long)before->transaction);
	else
		parameters[1] = str_format(run->arena, "%lld", (long long)before->change);
}

/* A row that was changed again since is not ours to put back. */
static struct error *check_later(struct run *run, const struct before *before)
{
	struct error *errors = NULL;
	struct str parameters[2];
	struct db_rows rows;

	before_parameters(run, before, parameters);
	TRY(db_query(run->arena, run->db, db_sql("undo-later"), parameters, 2, &rows));
	for (size_t i = 0; i < rows.count; i++)
		error_collect(&errors,
		              error_hint(error_new(ERROR_INPUT, "%.*s was changed again since, by change %.*s",
		                                   STR_ARG(db_cell(&rows, i, 1)), STR_ARG(db_cell(&rows, i, 0))),
		                         "take that one back first"));
	return errors;
}

/* What came to be with it would go, and something that came later is a part of that. */
static struct error *check_used(struct run *run, const struct before *before)
{
	struct error *errors = NULL;
	struct str parameters[2];
	struct db_rows rows;

	before_parameters(run, before, parameters);
	TRY(db_query(run->arena, run->db, db_sql("undo-used"), parameters, 2, &rows));
	for (size_t i = 0; i < rows.count; i++) {
		struct str change = db_cell(&rows, i, 3);
		struct error *error = error_new(ERROR_INPUT, "%.*s %.*s is used by %.*s, since change %.*s",
		                                STR_ARG(db_cell(&rows, i, 0)), STR_ARG(db_cell(&rows, i, 1)),
		                                STR_ARG(db_cell(&rows, i, 2)), STR_ARG(change));

		if (str_is(db_cell(&rows, i, 4), "t"))
			error = error_hint(error, "without --alone all that was done with it is taken back");
		else
			error = error_hint(error, "take that one back first: fleetwall undo %.*s", STR_ARG(change));
		error_collect(&errors, error);
	}
	return errors;
}

struct error *run_undo(struct run *run)
{
	struct before before;
	struct edit edit;

	TRY(edit_begin(&edit, run));
	TRY(find_change(run, &before));
	TRY(check_later(run, &before));
	TRY(check_used(run, &before));
	TRY(inventory_load_before(run->arena, run->db, &before, &edit.wanted));
	edit.options.prune = edit.options.every = true;
	return edit_end(&edit);
}
