/* generation list, pin and unpin: which generations are in the output folder, and what the database knows of them. What
 * is on the disk decides what there is; the database decides what may be pushed, and what must stay. */
#include <stdlib.h>
#include <string.h>

#include "generation.h"

struct error *generation_number(struct str word, uint64_t *number)
{
	if (str_number(word, INT64_MAX - 1, number) && *number > 0)
		return NULL;
	return error_hint(error_new(ERROR_USAGE, "\"%.*s\" is no number of a generation", STR_ARG(word)),
	                  "fleetwall generation list shows them");
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

struct error *unknown_generation(struct run *run, uint64_t number)
{
	struct error *error = error_new(ERROR_UNKNOWN, "there is no generation %llu in %.*s",
	                                (unsigned long long)number, STR_ARG(run->config.output));
	struct generation_info *all;
	size_t count, nearest = 0;

	TRY(store_generations(run->arena, run->config.output, &all, &count));
	if (count == 0)
		return error_hint(error, "fleetwall generate makes the first one");
	for (size_t i = 1; i < count; i++)
		if (distance(all[i].number, number) < distance(all[nearest].number, number))
			nearest = i;
	return error_hint(error, "the nearest is %llu; fleetwall generation list shows those that are there",
	                  (unsigned long long)all[nearest].number);
}

/* --- list --- */

static const char *const columns[] = {"generation", "published", "state",  "at",  "clock", "machines",  "rulesets",
                                      "sets",       "digest",    "who",    "of",  "confirmed", "pins"};
enum { COLUMNS = sizeof columns / sizeof *columns, SHORT_DIGEST = 12 };

/* What the database says of one that is on the disk. */
struct recorded {
	bool known;
	struct str who, of, confirmed, pins;
};

/* Both lists ascend. A row of another digest is of another generation: someone set the database back. */
static struct recorded find(const struct db_rows *rows, size_t *row, const struct generation_info *info)
{
	uint64_t number = 0;
	struct digest digest;

	while (*row < rows->count && str_number(db_cell(rows, *row, 0), UINT64_MAX, &number) && number < info->number)
		++*row;
	if (*row == rows->count || number != info->number || !digest_parse(db_cell(rows, *row, 1), &digest) ||
	    !digest_eq(&digest, &info->digest))
		return (struct recorded){0};
	return (struct recorded){
		.known = true,
		.who = db_cell(rows, *row, 2),
		.of = db_cell(rows, *row, 3),
		.confirmed = db_cell(rows, *row, 4),
		.pins = db_cell(rows, *row, 5),
	};
}

static struct cell number_cell(struct str text)
{
	uint64_t number;

	return str_number(text, INT64_MAX, &number) ? cell_number((int64_t)number) : cell_null();
}

static struct cell time_cell(struct arena *arena, int64_t time)
{
	struct buf buf = buf_new(arena);

	time_print(&buf, time);
	return cell_text(buf_str(&buf));
}

static struct cell digest_cell(struct run *run, const struct digest *digest)
{
	char hex[65];

	digest_hex(digest, hex);
	if (!writer_is_json(run->writer))
		hex[SHORT_DIGEST] = '\0';
	return cell_text(str_copy(run->arena, str_of(hex)));
}

/* One a line. */
static struct cell lines_cell(struct arena *arena, struct str text)
{
	struct {
		struct str *items;
		size_t count, capacity;
	} lines = {0};
	struct str line;

	while (text.p != NULL && str_cut(&text, '\n', &line))
		APPEND(arena, &lines, line);
	return cell_list(lines.items, lines.count);
}

static void write_row(struct run *run, const struct generation_info *info, const struct recorded *recorded)
{
	const struct cell none = cell_null();

	writer_row(run->writer, (struct cell[COLUMNS]){
					cell_number((int64_t)info->number),
					cell_bool(info->current),
					cell_text(info->damaged ? STR("damaged") : STR("whole")),
					time_cell(run->arena, info->at),
					info->damaged ? none : time_cell(run->arena, info->clock),
					info->damaged ? none : cell_number((int64_t)info->machines),
					info->damaged ? none : cell_number((int64_t)info->rulesets),
					info->damaged ? none : cell_number((int64_t)info->sets),
					info->damaged ? none : digest_cell(run, &info->digest),
					cell_text(recorded->who),
					number_cell(recorded->of),
					number_cell(recorded->confirmed),
					lines_cell(run->arena, recorded->pins),
				});
}

/* "3, 4, 5": one warning for all of a kind. */
static void warn(struct run *run, const struct buf *numbers, const char *what, const char *hint)
{
	if (numbers->n > 0)
		error_collect(&run->warnings, error_hint(error_new(ERROR_SURROUNDINGS, "%s: %.*s", what,
		                                                   STR_ARG(buf_str(numbers))),
		                                         "%s", hint));
}

static void add_number(struct buf *numbers, uint64_t number)
{
	buf_format(numbers, "%s%llu", numbers->n > 0 ? ", " : "", (unsigned long long)number);
}

static void write_rows(struct run *run, const struct db_rows *rows, const struct generation_info *all, size_t count)
{
	struct buf damaged = buf_new(run->arena), unknown = buf_new(run->arena);
	size_t row = 0;

	writer_columns(run->writer, LAYOUT_TABLE, columns, COLUMNS);
	for (size_t i = 0; i < count; i++) {
		struct recorded recorded = find(rows, &row, &all[i]);

		write_row(run, &all[i], &recorded);
		if (all[i].damaged)
			add_number(&damaged, all[i].number);
		else if (!recorded.known)
			add_number(&unknown, all[i].number);
	}
	warn(run, &damaged, "generations that are damaged", "they can't be published again, and are never pushed");
	warn(run, &unknown, "generations that the database does not know",
	     "they are never pushed; fleetwall generate makes one that is");
}

struct error *run_generation_list(struct run *run)
{
	struct generation_info *all;
	struct str lowest;
	struct db_rows rows;
	size_t count;

	TRY(run_connect(run));
	TRY(store_generations(run->arena, run->config.output, &all, &count));
	lowest = str_format(run->arena, "%llu", (unsigned long long)(count > 0 ? all[0].number : 0));
	TRY(db_begin(run->db, DB_SNAPSHOT));
	TRY(db_query(run->arena, run->db, db_sql("generation-list"), &lowest, 1, &rows));
	write_rows(run, &rows, all, count);
	return db_commit(run->db);
}

/* --- pin and unpin --- */

static struct error *reason(const struct run *run, struct str *words)
{
	*words = run_has(run, "reason") ? run_option(run, "reason") : STR("by hand");
	if (str_trim(*words).n == 0)
		return error_hint(error_new(ERROR_USAGE, "--reason is empty"),
		                  "say why, or leave it out, which is \"by hand\"");
	return NULL;
}

static struct error *is_there(struct run *run, uint64_t number, struct generation_info *info)
{
	struct generation_info *all;
	size_t count;

	TRY(store_generations(run->arena, run->config.output, &all, &count));
	for (size_t i = 0; i < count; i++)
		if (all[i].number == number) {
			*info = all[i];
			return NULL;
		}
	return unknown_generation(run, number);
}

static struct error *unrecorded(struct run *run, uint64_t number, struct str last)
{
	struct error *error =
		error_new(ERROR_UNKNOWN, "the database does not know generation %llu of %.*s, so nobody can need it",
	                  (unsigned long long)number, STR_ARG(run->config.output));

	if (last.n == 0)
		return error_hint(error, "it knows none; fleetwall generate makes one that it knows");
	return error_hint(error, "the last that it knows is %.*s; fleetwall generation list warns of those that it "
	                         "does not know", STR_ARG(last));
}

static struct error *pin(struct run *run, uint64_t number, const struct generation_info *info, struct str why)
{
	struct str parameters[3] = {run->arguments[0], why};
	struct db_rows rows;
	char hex[65];

	digest_hex(&info->digest, hex);
	parameters[2] = str_of(hex);
	TRY(db_query(run->arena, run->db, db_sql("generation-pin"), parameters, 3, &rows));
	return str_is(db_cell(&rows, 0, 0), "t") ? NULL : unrecorded(run, number, db_cell(&rows, 0, 1));
}

/* Collection and pins keep each other out: what is there once the pin is written stays there. */
struct error *run_generation_pin(struct run *run)
{
	struct generation_info info;
	struct str why;
	uint64_t number;

	TRY(generation_number(run->arguments[0], &number));
	TRY(reason(run, &why));
	TRY(run_connect(run));
	TRY(is_there(run, number, &info));
	if (info.damaged)
		return error_hint(error_new(ERROR_SURROUNDINGS, "generation %llu is damaged",
		                            (unsigned long long)number),
		                  "it can't be published again, so there is nothing to keep");
	TRY(db_begin(run->db, DB_WRITE));
	TRY(pin(run, number, &info, why));
	TRY(is_there(run, number, &info));
	TRY(db_commit(run->db));
	writer_say(run->writer, "generation %llu stays: %.*s", (unsigned long long)number, STR_ARG(why));
	return NULL;
}

struct error *run_generation_unpin(struct run *run)
{
	struct str parameters[2] = {run->arguments[0]};
	struct db_rows rows;
	uint64_t number;

	TRY(generation_number(run->arguments[0], &number));
	TRY(reason(run, &parameters[1]));
	TRY(run_connect(run));
	TRY(db_begin(run->db, DB_WRITE));
	TRY(db_query(run->arena, run->db, db_sql("generation-unpin"), parameters, 2, &rows));
	if (rows.count == 0)
		return error_hint(error_new(ERROR_UNKNOWN, "generation %llu is not pinned: %.*s",
		                            (unsigned long long)number, STR_ARG(parameters[1])),
		                  "fleetwall generation list shows the pins; --reason names one");
	TRY(db_commit(run->db));
	writer_say(run->writer, "generation %llu is not pinned any more: %.*s", (unsigned long long)number,
	           STR_ARG(parameters[1]));
	return NULL;
}
