/* Tables for people at a terminal: as they are where they fit; else without columns that hold nothing, and with cells
 * that go on in the next line; where that leaves columns too narrow to read, a block of lines for each row. The only
 * file that knows libsmartcols; what goes to files and pipes is writer_rows.c's. */
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fleetwall/arena.h"

#include "wrap.h"
#include "writer_parts.h"

/* A column that goes on in the next line is not narrower than that, if it has as much to say; further lines of a block
 * stand behind so many blanks. */
enum { NARROWEST = 16, INDENT = 4 };

struct shape {
	struct str *texts; /* by row, then column */
	size_t rows, columns;
	size_t *natural;   /* what the widest cell of a column takes, or its heading */
	size_t *least;     /* … without breaking a word */
	size_t *widths;
};

static bool is_number_column(const struct writer *writer, size_t column)
{
	bool numbers = false;

	for (size_t i = column; i < writer->rows.count; i += writer->columns) {
		if (writer->rows.items[i].kind != CELL_NUMBER && writer->rows.items[i].kind != CELL_NULL)
			return false;
		numbers = numbers || writer->rows.items[i].kind == CELL_NUMBER;
	}
	return numbers;
}

static size_t most(size_t a, size_t b)
{
	return a > b ? a : b;
}

static void measure(const struct writer *writer, struct shape *shape, size_t column)
{
	size_t natural = text_columns(heading(writer->arena, writer->names[column])), widest = natural;

	for (size_t row = 0; row < shape->rows; row++) {
		struct str text = shape->texts[row * shape->columns + column];

		natural = most(natural, text_columns(text));
		widest = most(widest, widest_piece(text));
	}
	shape->natural[column] = natural;
	shape->least[column] = natural < NARROWEST ? natural : most(widest, NARROWEST);
}

static struct shape shape_of(const struct writer *writer)
{
	struct arena *arena = writer->arena;
	struct shape shape = {.texts = ARENA_ARRAY(arena, struct str, writer->rows.count),
	                      .rows = writer->rows.count / writer->columns,
	                      .columns = writer->columns,
	                      .natural = ARENA_ARRAY(arena, size_t, writer->columns),
	                      .least = ARENA_ARRAY(arena, size_t, writer->columns),
	                      .widths = ARENA_ARRAY(arena, size_t, writer->columns)};

	for (size_t i = 0; i < writer->rows.count; i++)
		shape.texts[i] = text_shown(arena, cell_string(arena, &writer->rows.items[i], ", "));
	for (size_t i = 0; i < writer->columns; i++)
		measure(writer, &shape, i);
	return shape;
}

static size_t natural_width(const struct shape *shape)
{
	size_t width = shape->columns - 1;

	for (size_t i = 0; i < shape->columns; i++)
		width += shape->natural[i];
	return width;
}

static bool is_empty(const struct shape *shape, size_t column)
{
	for (size_t row = 0; row < shape->rows; row++)
		if (shape->texts[row * shape->columns + column].n > 0)
			return false;
	return true;
}

/* Where there is no room for all, columns without a word go first; unless somebody asked for them. */
static bool leave_empty_out(struct writer *writer, const struct shape *shape)
{
	const char **names = ARENA_ARRAY(writer->arena, const char *, writer->columns);
	size_t *left = ARENA_ARRAY(writer->arena, size_t, writer->columns), count = 0;
	struct rows rows = {0};

	for (size_t i = 0; i < shape->columns; i++)
		if (!is_empty(shape, i)) {
			names[count] = writer->names[i];
			left[count++] = i;
		}
	if (count == 0 || count == shape->columns || writer->style.columns.n > 0)
		return false;
	for (size_t row = 0; row < shape->rows; row++)
		for (size_t i = 0; i < count; i++)
			APPEND(writer->arena, &rows, writer->rows.items[row * shape->columns + left[i]]);
	writer->rows = rows;
	writer->names = names;
	writer->columns = count;
	return true;
}

/* One column more for the narrowest of those that want it. */
static bool widen(struct shape *shape)
{
	size_t narrow = shape->columns;

	for (size_t i = 0; i < shape->columns; i++)
		if (shape->widths[i] < shape->natural[i] &&
		    (narrow == shape->columns || shape->widths[i] < shape->widths[narrow]))
			narrow = i;
	if (narrow < shape->columns)
		shape->widths[narrow]++;
	return narrow < shape->columns;
}

/* False: not even with words alone in their lines. */
static bool fit(struct shape *shape, size_t room)
{
	size_t used = shape->columns - 1;

	for (size_t i = 0; i < shape->columns; i++) {
		shape->widths[i] = shape->least[i];
		used += shape->least[i];
	}
	if (used > room)
		return false;
	for (; used < room && widen(shape); used++)
		;
	return true;
}

static size_t lines_of(size_t columns, size_t width)
{
	return columns == 0 ? 0 : (columns + width - 1) / width;
}

/* Would blocks take fewer lines? They have a line for each cell that is not empty, and one between them. */
static bool is_tall(const struct shape *shape, size_t room)
{
	size_t table = 0, blocks = 0;

	for (size_t row = 0; row < shape->rows; row++) {
		size_t tallest = 1;

		for (size_t i = 0; i < shape->columns; i++) {
			size_t columns = text_columns(shape->texts[row * shape->columns + i]);

			tallest = most(tallest, lines_of(columns, shape->widths[i]));
			blocks += lines_of(columns, room > NARROWEST ? room - INDENT : NARROWEST);
		}
		table += tallest;
		blocks++;
	}
	return table > blocks;
}

static void write_blocks(const struct writer *writer, const struct shape *shape, size_t room)
{
	struct buf out = buf_new(writer->arena);

	for (size_t row = 0; row < shape->rows; row++) {
		if (row > 0)
			buf_char(&out, '\n');
		for (size_t i = 0; i < shape->columns; i++) {
			struct str text = shape->texts[row * shape->columns + i];

			if (text.n == 0)
				continue;
			buf_format(&out, "%s: ", writer->names[i]);
			add_wrapped(&out, text, text_columns(str_of(writer->names[i])) + 2, room, INDENT);
			buf_char(&out, '\n');
		}
		fwrite(out.p, 1, out.n, stdout);
		out.n = 0;
	}
}

static void add_column(const struct writer *writer, struct libscols_table *table, size_t i)
{
	const char *name = str_c(writer->arena, heading(writer->arena, writer->names[i]));
	int flags = is_number_column(writer, i) ? SCOLS_FL_RIGHT : SCOLS_FL_WRAP;
	struct libscols_column *column = scols_table_new_column(table, name, 0, flags);

	if (column == NULL)
		abort();
	scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
	/* The line ends are ours, and the rest was made fit to be shown already. */
	scols_column_set_safechars(column, "\n\\");
}

static void add_line(const struct writer *writer, struct libscols_table *table, const struct shape *shape, size_t row)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	if (line == NULL)
		abort();
	for (size_t i = 0; i < shape->columns; i++) {
		struct buf text = buf_new(writer->arena);

		add_wrapped(&text, shape->texts[row * shape->columns + i], 0, shape->widths[i], 0);
		scols_line_set_data(line, i, str_c(writer->arena, buf_str(&text)));
	}
}

static void print(const struct writer *writer, struct libscols_table *table, const struct shape *shape)
{
	for (size_t i = 0; i < shape->columns; i++)
		add_column(writer, table, i);
	for (size_t row = 0; row < shape->rows; row++)
		add_line(writer, table, shape, row);
	scols_table_set_stream(table, stdout);
	scols_table_enable_noheadings(table, writer->style.no_headings);
	scols_print_table(table);
}

void write_table(struct writer *writer)
{
	struct libscols_table *table;
	struct shape shape;
	size_t room;

	if (!isatty(STDOUT_FILENO)) {
		write_plain_table(writer);
		return;
	}
	table = scols_new_table();
	if (table == NULL)
		abort();
	keep_rows(writer);
	room = scols_table_get_termwidth(table);
	shape = shape_of(writer);
	if (natural_width(&shape) > room && leave_empty_out(writer, &shape))
		shape = shape_of(writer);
	if (fit(&shape, room) && !is_tall(&shape, room))
		print(writer, table, &shape);
	else
		write_blocks(writer, &shape, room);
	scols_unref_table(table);
}
