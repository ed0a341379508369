/* Takes a CSV file apart (RFC 4180; lines may end with LF alone, a byte order mark is passed over). What is quoted
 * wrongly is refused, never guessed. Knows nothing of what cells mean. */
#include "csv.h"

#include <string.h>

#include "fleet_fields.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

/* --- cells --- */

static void fault_at(const struct csv *csv, size_t at, struct error *error)
{
	faults_add(csv->faults, error_at(error, place_in(csv->name, csv->text, csv->line_start, csv->line, at)));
}

static bool at_line_end(const struct csv *csv)
{
	struct str rest = str_slice(csv->text, csv->at, csv->text.n);

	return rest.n == 0 || rest.p[0] == '\n' || str_starts(rest, STR("\r\n"));
}

static void skip_line_end(struct csv *csv)
{
	if (csv->at < csv->text.n && csv->text.p[csv->at] == '\r')
		csv->at++;
	if (csv->at < csv->text.n) {
		csv->at++;
		csv->next_line++;
	}
}

/* Gives the rest of the line up. */
static bool skip_line(struct csv *csv)
{
	csv->at += str_find(str_slice(csv->text, csv->at, csv->text.n), '\n');
	skip_line_end(csv);
	return false;
}

/* Doubled quotes become one. */
static struct str without_doubles(struct arena *arena, struct str raw)
{
	struct buf buf = buf_new(arena);

	buf_reserve(&buf, raw.n);
	for (size_t i = 0; i < raw.n; i++) {
		buf_char(&buf, raw.p[i]);
		if (raw.p[i] == '"')
			i++;
	}
	return buf_str(&buf);
}

/* From behind the opening quote to behind the closing one. */
static bool quoted_cell(struct csv *csv)
{
	struct csv_cell cell = {.start = csv->at + 1};
	bool doubled = false;

	for (csv->at++; csv->at < csv->text.n; csv->at++) {
		if (csv->text.p[csv->at] == '\n')
			csv->next_line++;
		if (csv->text.p[csv->at] != '"')
			continue;
		if (csv->at + 1 == csv->text.n || csv->text.p[csv->at + 1] != '"')
			break;
		doubled = true;
		csv->at++;
	}
	if (csv->at == csv->text.n) {
		fault_at(csv, cell.start - 1,
		         error_hint(error_new(ERROR_INPUT, "the quote that opens here is never closed"),
		                    "a quote inside a cell is written twice"));
		return false;
	}
	cell.value = str_slice(csv->text, cell.start, csv->at++);
	if (doubled)
		cell.value = without_doubles(csv->arena, cell.value);
	APPEND(csv->arena, &csv->cells, cell);
	if (at_line_end(csv) || csv->text.p[csv->at] == ',')
		return true;
	fault_at(csv, csv->at,
	         error_hint(error_new(ERROR_INPUT, "text behind a closing quote"),
	                    "a quote inside a cell is written twice"));
	return skip_line(csv);
}

static bool plain_cell(struct csv *csv)
{
	struct csv_cell cell = {.start = csv->at};

	while (csv->at < csv->text.n && csv->text.p[csv->at] != ',' && csv->text.p[csv->at] != '\n') {
		if (csv->text.p[csv->at] == '"') {
			fault_at(csv, csv->at,
			         error_hint(error_new(ERROR_INPUT, "a quote inside a cell that is not quoted"),
			                    "put the whole cell in quotes, and write quotes inside it twice"));
			return skip_line(csv);
		}
		csv->at++;
	}
	cell.value = str_slice(csv->text, cell.start, csv->at);
	if ((csv->at == csv->text.n || csv->text.p[csv->at] == '\n') && str_ends(cell.value, STR("\r"))) {
		cell.value.n--;
		csv->at--;
	}
	APPEND(csv->arena, &csv->cells, cell);
	return true;
}

/* The cells of one row, whatever their number. False if it is quoted wrongly; then the line is behind us all the same.
 */
static bool read_row(struct csv *csv)
{
	csv->line = csv->next_line;
	csv->line_start = csv->at;
	csv->cells.count = 0;
	csv->blank = at_line_end(csv);
	for (;;) {
		bool quoted = csv->at < csv->text.n && csv->text.p[csv->at] == '"';

		if (!(quoted ? quoted_cell(csv) : plain_cell(csv)))
			return false;
		if (at_line_end(csv))
			break;
		csv->at++; /* the comma */
	}
	skip_line_end(csv);
	return true;
}

bool csv_next(struct csv *csv)
{
	while (csv->at < csv->text.n) {
		if (!read_row(csv) || csv->blank)
			continue;
		if (csv->cells.count == csv->width)
			return true;
		fault_at(csv, csv->line_start,
		         error_hint(error_new(ERROR_INPUT, "a row of %zu cell%s", csv->cells.count,
		                              csv->cells.count == 1 ? "" : "s"),
		                    "the header has %zu; a cell that holds a comma must be quoted", csv->width));
	}
	return false;
}

size_t csv_rows_at_most(const struct csv *csv)
{
	size_t count = 1;

	for (size_t at = csv->at; at < csv->text.n; count++)
		at += str_find(str_slice(csv->text, at, csv->text.n), '\n') + 1;
	return count;
}

/* --- the header --- */

static size_t count_columns(const struct csv_column *columns, struct str *words)
{
	size_t count = 0;

	for (; columns[count].name != NULL; count++)
		words[count] = str_of(columns[count].name);
	return count;
}

static struct error *hint_columns(const struct csv *csv, struct error *error, const struct str *words, size_t count)
{
	struct buf list = buf_new(csv->arena);

	for (size_t i = 0; i < count; i++)
		buf_format(&list, "%s%.*s", i > 0 ? ", " : "", STR_ARG(words[i]));
	return error_hint(error, "there are: %.*s", (int)list.n, list.p);
}

static void read_column(struct csv *csv, size_t number)
{
	const struct csv_cell *cell = &csv->cells.items[number];
	struct str words[CSV_COLUMNS];
	size_t count = count_columns(csv->columns, words);
	struct error *error;

	for (size_t i = 0; i < count; i++) {
		if (!str_eq(cell->value, words[i]))
			continue;
		if (csv->position[i] != CSV_ABSENT)
			fault_at(csv, cell->start,
			         error_new(ERROR_INPUT, "column \"%s\" stands twice", SHOWN(cell->value)));
		csv->position[i] = number;
		return;
	}
	error = hint_nearest(error_new(ERROR_INPUT, "unknown column \"%s\"", SHOWN(cell->value)), cell->value, words,
	                     count);
	fault_at(csv, cell->start, error->hint.n > 0 ? error : hint_columns(csv, error, words, count));
}

static void check_required(struct csv *csv)
{
	for (size_t i = 0; csv->columns[i].name != NULL; i++)
		if (csv->columns[i].required && csv->position[i] == CSV_ABSENT)
			fault_at(csv, csv->line_start,
			         error_new(ERROR_INPUT, "column \"%s\" is missing", csv->columns[i].name));
}

bool csv_open(struct csv *csv, struct arena *arena, struct str name, struct str text, const struct csv_column *columns,
              struct faults *faults)
{
	size_t before = faults_count(faults);

	*csv = (struct csv){.name = name,
	                    .text = text,
	                    .faults = faults,
	                    .columns = columns,
	                    .arena = arena,
	                    .next_line = 1,
	                    .line = 1};
	if (str_starts(text, STR("\xef\xbb\xbf")))
		csv->at = csv->line_start = 3;
	for (size_t i = 0; i < CSV_COLUMNS; i++)
		csv->position[i] = CSV_ABSENT;
	if (csv->at == text.n) {
		fault_at(csv, csv->at,
		         error_hint(error_new(ERROR_INPUT, "the file is empty"), "its first row names the columns"));
		return false;
	}
	if (!read_row(csv))
		return false;
	csv->width = csv->cells.count;
	for (size_t i = 0; i < csv->width; i++)
		read_column(csv, i);
	check_required(csv);
	return faults_count(faults) == before;
}

/* --- the present row --- */

bool csv_has(const struct csv *csv, size_t column)
{
	return csv->position[column] != CSV_ABSENT;
}

struct str csv_cell(const struct csv *csv, size_t column)
{
	return csv_has(csv, column) ? csv->cells.items[csv->position[column]].value : STR("");
}

struct place csv_place(const struct csv *csv, size_t column, size_t offset)
{
	size_t at = csv->line_start, end;

	if (csv_has(csv, column)) {
		const struct csv_cell *cell = &csv->cells.items[csv->position[column]];

		at = cell->start;
		end = at + cell->value.n;
		/* A cell that was copied had doubled quotes: each is one byte longer in the file. */
		if (cell->value.n > 0 && cell->value.p != csv->text.p + at)
			for (size_t i = 0; i < offset && i < cell->value.n; i++)
				at += cell->value.p[i] == '"' ? 2 : 1;
		else
			at = at + offset < end ? at + offset : end;
	}
	return place_in(csv->name, csv->text, csv->line_start, csv->line, at);
}

void csv_fault(const struct csv *csv, size_t column, struct error *errors)
{
	for (struct error *e = errors; e != NULL; e = e->next) {
		struct place place = csv_place(csv, column, e->place.column > 0 ? e->place.column - 1 : 0);

		e->place = (struct place){.line = place.line, .column = place.column, .text = place.text};
	}
	faults_add(csv->faults, error_at(errors, csv_place(csv, column, 0)));
}
