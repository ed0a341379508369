/* lint: findings about the inventory, without those that somebody accepted. What is found is found elsewhere
 * (analysis/lint*.c), and how they are accepted is in lint_accept.c. */
#include "lint.h"

#include "fleetwall/inventory.h"
#include "fleetwall/packets.h"

static const char *const columns[] = {"severity", "code", "finding", "subject", "message", "evidence", "advice",
                                      "acceptance"};
static const char *const people_columns[] = {"severity", "code", "finding", "what"};
enum { COLUMNS = sizeof columns / sizeof *columns, PEOPLE_COLUMNS = sizeof people_columns / sizeof *people_columns };

/* --- what there is, and what was accepted --- */

struct error *lint_acceptances(struct run *run, struct acceptances *list)
{
	struct db_rows rows;

	TRY(db_query(run->arena, run->db, db_sql("lint-acceptances"), NULL, 0, &rows));
	list->count = rows.count;
	list->items = ARENA_ARRAY(run->arena, struct acceptance, rows.count);
	for (size_t i = 0; i < rows.count; i++)
		list->items[i] = (struct acceptance){
			.finding = db_cell(&rows, i, 0),
			.code = db_cell(&rows, i, 1),
			.subject = db_cell(&rows, i, 2),
			.reason = db_cell(&rows, i, 3),
			.until = db_cell(&rows, i, 4),
			.who = db_cell(&rows, i, 5),
			.at = db_cell(&rows, i, 6),
			.ended = str_is(db_cell(&rows, i, 7), "t"),
		};
	return NULL;
}

static const struct acceptance *acceptance_of(const struct acceptances *list, const struct lint_finding *finding)
{
	for (size_t i = 0; i < list->count; i++)
		if (str_is(list->items[i].finding, finding->id))
			return &list->items[i];
	return NULL;
}

static struct error *expiring_days(const struct run *run, unsigned *days)
{
	*days = LINT_EXPIRING_DAYS;
	return run_number(run, "expiring", 0, LINT_DAYS_MOST, days);
}

struct error *lint_find_all(struct run *run, const struct lint_options *options, struct acceptances *accepted,
                            struct lint_finding **findings, size_t *count)
{
	struct fleet *fleet = ARENA_NEW(run->arena, struct fleet);

	TRY(run_connect(run));
	TRY(db_begin(run->db, DB_SNAPSHOT));
	TRY(inventory_load(run->arena, run->db, fleet));
	TRY(lint_acceptances(run, accepted));
	TRY(db_commit(run->db));
	*count = lint(run->arena, resolve(run->arena, fleet), &run->config.settings, options, findings);
	packets_end();
	return NULL;
}

/* --- lint --- */

struct wanted {
	enum lint_severity severity; /* at least */
	enum lint_code code;         /* LINT_CODES: any */
	bool all;                    /* those that were accepted as well */
};

static struct error *unknown_word(const char *option, struct str word, const struct str *words, size_t count)
{
	struct error *error = error_new(ERROR_USAGE, "--%s: there is no \"%.*s\"", option, STR_ARG(word));
	struct str near = str_nearest(word, words, count);

	if (near.n > 0)
		return error_hint(error, "did you mean %.*s?", STR_ARG(near));
	if (count < LINT_CODES)
		return error_hint(error, "it is error, warning or notice");
	return error_hint(error, "fleetwall-lint(7) lists them");
}

static struct error *read_wanted(struct run *run, struct wanted *wanted)
{
	struct str severity = run_option(run, "severity"), code = run_option(run, "code"), words[LINT_CODES];
	struct error *errors = NULL;

	*wanted = (struct wanted){LINT_NOTICE, LINT_CODES, run_has(run, "all")};
	for (size_t i = 0; i <= LINT_NOTICE; i++)
		words[i] = lint_severity_str((enum lint_severity)i);
	if (severity.p != NULL && !lint_severity_parse(severity, &wanted->severity))
		error_collect(&errors, unknown_word("severity", severity, words, LINT_NOTICE + 1));
	for (size_t i = 0; i < LINT_CODES; i++)
		words[i] = lint_code_str((enum lint_code)i);
	if (code.p != NULL && !lint_code_parse(code, &wanted->code))
		error_collect(&errors, unknown_word("code", code, words, LINT_CODES));
	return errors;
}

static bool is_wanted(const struct wanted *wanted, const struct lint_finding *finding)
{
	return lint_code_severity(finding->code) <= wanted->severity &&
	       (wanted->code == LINT_CODES || wanted->code == finding->code);
}

/* "accepted until 2026-12-31T00:00:00Z: it is a test network"; one that has ended says so. */
static struct str acceptance_words(struct run *run, const struct acceptance *acceptance)
{
	const char *what = acceptance->ended ? "was accepted" : "accepted";

	if (acceptance->until.n == 0)
		return str_format(run->arena, "%s: %.*s", what, STR_ARG(acceptance->reason));
	return str_format(run->arena, "%s until %.*s: %.*s", what, STR_ARG(acceptance->until),
	                  STR_ARG(acceptance->reason));
}

/* A table for people has one wide column, so that it can be read on a terminal. */
static bool for_people(const struct run *run)
{
	return !writer_is_json(run->writer) && !run->globals->style.csv && run->globals->style.columns.n == 0;
}

static void write_for_people(struct run *run, const struct lint_finding *finding, const struct acceptance *acceptance)
{
	struct buf what = buf_new(run->arena);

	buf_format(&what, "%.*s: %.*s (%.*s); to do: %.*s", STR_ARG(finding->subject), STR_ARG(finding->message),
	           STR_ARG(finding->evidence), STR_ARG(finding->advice));
	if (acceptance != NULL)
		buf_format(&what, "; %.*s", STR_ARG(acceptance_words(run, acceptance)));
	writer_row(run->writer, (struct cell[]){
					cell_text(lint_severity_str(lint_code_severity(finding->code))),
					cell_text(lint_code_str(finding->code)),
					cell_text(str_of(finding->id)),
					cell_text(buf_str(&what)),
				});
}

static void write_finding(struct run *run, const struct lint_finding *finding, const struct acceptance *acceptance)
{
	writer_row(run->writer, (struct cell[]){
					cell_text(lint_severity_str(lint_code_severity(finding->code))),
					cell_text(lint_code_str(finding->code)),
					cell_text(str_of(finding->id)),
					cell_text(finding->subject),
					cell_text(finding->message),
					cell_text(finding->evidence),
					cell_text(finding->advice),
					acceptance == NULL ? cell_null()
							   : cell_text(acceptance_words(run, acceptance)),
				});
}

static void write_findings(struct run *run, const struct wanted *wanted, const struct acceptances *accepted,
                           const struct lint_finding *findings, size_t count)
{
	bool people = for_people(run);
	size_t kept = 0;

	writer_columns(run->writer, LAYOUT_TABLE, people ? people_columns : columns,
	               people ? PEOPLE_COLUMNS : COLUMNS);
	for (size_t i = 0; i < count; i++) {
		const struct acceptance *acceptance = acceptance_of(accepted, &findings[i]);
		bool counts = acceptance != NULL && !acceptance->ended;

		if (!is_wanted(wanted, &findings[i]))
			continue;
		kept += counts;
		run->no = run->no || !counts;
		if (!counts || wanted->all)
			(people ? write_for_people : write_finding)(run, &findings[i], acceptance);
	}
	if (kept > 0 && !wanted->all)
		writer_say(run->writer, "%zu more %s accepted: --all shows %s", kept, kept == 1 ? "is" : "are",
		           kept == 1 ? "it" : "them");
}

struct error *run_lint(struct run *run)
{
	struct lint_options options;
	struct lint_finding *findings;
	struct acceptances accepted;
	struct wanted wanted;
	size_t count;

	TRY(read_wanted(run, &wanted));
	TRY(expiring_days(run, &options.expiring_days));
	TRY(lint_find_all(run, &options, &accepted, &findings, &count));
	write_findings(run, &wanted, &accepted, findings, count);
	return NULL;
}
