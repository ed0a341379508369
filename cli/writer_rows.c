/* Rows one after the other: as items of a JSON document, as CSV, as a table in a file. Of rows that are asked for it
 * keeps nothing but the texts that come again, so that there may be millions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"

#include "wrap.h"
#include "writer_parts.h"

/* --- rows that are there, and those that are asked for --- */

size_t row_count(const struct writer *writer)
{
	if (writer->asked.source != NULL)
		return writer->asked.count;
	return writer->columns > 0 ? writer->rows.count / writer->columns : 0;
}

const struct cell *row_at(struct writer *writer, size_t row)
{
	struct asked_rows *asked = &writer->asked;

	if (asked->source == NULL)
		return &writer->rows.items[row * writer->columns];
	asked->source(asked->context, row, asked->all);
	if (asked->chosen == NULL)
		return asked->all;
	if (asked->some == NULL)
		asked->some = ARENA_ARRAY(writer->arena, struct cell, writer->columns);
	for (size_t i = 0; i < writer->columns; i++)
		asked->some[i] = asked->all[asked->chosen[i]];
	return asked->some;
}

void keep_rows(struct writer *writer)
{
	size_t count = writer->asked.source != NULL ? writer->asked.count : 0;
	struct rows rows = {0};

	for (size_t row = 0; row < count; row++) {
		const struct cell *cells = row_at(writer, row);

		for (size_t i = 0; i < writer->columns; i++)
			APPEND(writer->arena, &rows, cells[i]);
	}
	if (writer->asked.source != NULL)
		writer->rows = rows;
	writer->asked.source = NULL;
}

/* --- cells --- */

typedef struct str cell_form(struct arena *arena, const struct cell *cell);

/* What comes again is made once, and stays. */
static struct str form(const struct writer *writer, struct arena *scratch, const struct cell *cell, cell_form *make)
{
	if (cell->said == NULL)
		return make(scratch, cell);
	if (cell->said->p == NULL)
		*cell->said = str_copy(writer->arena, make(scratch, cell));
	return *cell->said;
}

static void put(struct buf *out)
{
	if (out->n > 0)
		fwrite(out->p, 1, out->n, stdout);
	out->n = 0;
}

/* --- JSON --- */

/* As jansson writes it, three levels in. */
static struct str json_form(struct arena *arena, const struct cell *cell)
{
	struct buf buf = buf_new(arena);
	json_t *value = json_cell(cell);
	char *text = json_dumps(value, JSON_INDENT(1) | JSON_ENCODE_ANY);

	if (text == NULL)
		abort();
	for (const char *c = text; *c != '\0'; c++) {
		buf_char(&buf, *c);
		if (*c == '\n')
			buf_add(&buf, STR("   "));
	}
	free(text);
	json_decref(value);
	return buf_str(&buf);
}

/* A column that was chosen twice is one field. */
static bool is_said(const char *const *names, size_t column)
{
	for (size_t i = 0; i < column; i++)
		if (strcmp(names[i], names[column]) == 0)
			return true;
	return false;
}

/* One item; *many: some came before. */
static void add_item(const struct writer *writer, struct arena *scratch, struct buf *out, const char *const *names,
                     const struct cell *cells, size_t count, bool *many)
{
	buf_add(out, *many ? STR(",\n  {") : STR("\n  {"));
	for (size_t i = 0; i < count; i++) {
		if (is_said(names, i))
			continue;
		buf_format(out, "%s\n   \"%s\": ", i > 0 ? "," : "", names[i]);
		buf_add(out, form(writer, scratch, &cells[i], json_form));
	}
	buf_add(out, STR("\n  }"));
	*many = true;
}

static void write_items(struct writer *writer)
{
	static const char *const document[] = {"document"};
	struct arena *scratch = arena_new();
	struct buf out = buf_new(writer->arena);
	bool many = false;

	for (size_t row = 0; row < row_count(writer); row++) {
		add_item(writer, scratch, &out, writer->names, row_at(writer, row), writer->columns, &many);
		put(&out);
		arena_reset(scratch);
	}
	if (writer->raw.n > 0) {
		struct cell cell = cell_text(buf_str(&writer->raw));

		add_item(writer, scratch, &out, document, &cell, 1, &many);
	}
	if (many)
		buf_add(&out, STR("\n "));
	put(&out);
	arena_free(scratch);
}

void write_json_rows(struct writer *writer, json_t *document)
{
	static const char items[] = "\n \"items\": [";
	char *text = json_dumps(document, JSON_INDENT(1)), *place;

	/* Within a string a line end is not written as one: this is the field. */
	if (text == NULL || (place = strstr(text, items)) == NULL)
		abort();
	place += strlen(items);
	fwrite(text, 1, (size_t)(place - text), stdout);
	write_items(writer);
	printf("%s\n", place);
	free(text);
}

/* --- CSV --- */

/* RFC 4180: a field with a quote, a comma or a line end stands in quotes. */
static struct str csv_form(struct arena *arena, const struct cell *cell)
{
	struct str text = cell_string(arena, cell, ", ");
	struct buf out;

	if (str_find(text, ',') == text.n && str_find(text, '"') == text.n && str_find(text, '\n') == text.n)
		return text;
	out = buf_new(arena);
	buf_char(&out, '"');
	for (size_t i = 0; i < text.n; i++) {
		buf_char(&out, text.p[i]);
		if (text.p[i] == '"')
			buf_char(&out, '"');
	}
	buf_char(&out, '"');
	return buf_str(&out);
}

void write_csv(struct writer *writer)
{
	struct arena *scratch = arena_new();
	struct buf out = buf_new(writer->arena);

	for (size_t i = 0; i < writer->columns && !writer->style.no_headings; i++)
		buf_format(&out, "%s%s", writer->names[i], i + 1 < writer->columns ? "," : "\n");
	for (size_t row = 0; row < row_count(writer); row++) {
		const struct cell *cells = row_at(writer, row);

		for (size_t i = 0; i < writer->columns; i++) {
			buf_add(&out, form(writer, scratch, &cells[i], csv_form));
			buf_char(&out, i + 1 < writer->columns ? ',' : '\n');
		}
		put(&out);
		arena_reset(scratch);
	}
	put(&out);
	arena_free(scratch);
}

/* --- a table --- */

/* What a list may take in a table that goes to a file or a pipe, and what may decide how wide a column is; a text that
 * takes more stands out in its line. */
enum { LIST_MOST = 60, COLUMN_MOST = 80 };

/* Its first items, and how many there are besides. */
static struct str table_form(struct arena *arena, const struct cell *cell)
{
	struct str text = text_shown(arena, cell_string(arena, cell, ", "));
	struct cell some = *cell;
	size_t columns = 0, count = 0;

	if (cell->kind != CELL_LIST || cell->count < 2 || text_columns(text) <= LIST_MOST)
		return text;
	while (count < cell->count) {
		columns += text_columns(cell->items[count]) + 2;
		if (count > 0 && columns > LIST_MOST)
			break;
		count++;
	}
	some.more += cell->count - count;
	some.count = count;
	return text_shown(arena, cell_string(arena, &some, ", "));
}

struct plain_column {
	size_t width;
	bool numbers, others; /* among its cells */
};

/* A heading that is left out keeps its room. */
static struct plain_column *measure(struct writer *writer, struct arena *scratch, const struct str *headings)
{
	struct plain_column *plain = ARENA_ARRAY(writer->arena, struct plain_column, writer->columns);

	for (size_t i = 0; i < writer->columns; i++)
		plain[i].width = headings[i].n;
	for (size_t row = 0; row < row_count(writer); row++) {
		const struct cell *cells = row_at(writer, row);

		for (size_t i = 0; i < writer->columns; i++) {
			size_t width = text_columns(form(writer, scratch, &cells[i], table_form));

			if (width <= COLUMN_MOST && width > plain[i].width)
				plain[i].width = width;
			plain[i].numbers |= cells[i].kind == CELL_NUMBER;
			plain[i].others |= cells[i].kind != CELL_NUMBER && cells[i].kind != CELL_NULL;
		}
		arena_reset(scratch);
	}
	return plain;
}

/* A column of numbers alone is aligned to the right. */
static void add_padded(struct buf *out, struct str text, const struct plain_column *plain, bool last)
{
	bool right = plain->numbers && !plain->others;
	size_t columns = text_columns(text), blanks = columns < plain->width ? plain->width - columns : 0;

	for (size_t i = 0; i < blanks && right; i++)
		buf_char(out, ' ');
	buf_add(out, text);
	for (size_t i = 0; i < blanks && !right && !last; i++)
		buf_char(out, ' ');
	buf_char(out, last ? '\n' : ' ');
}

void write_plain_table(struct writer *writer)
{
	struct arena *scratch = arena_new();
	struct buf out = buf_new(writer->arena);
	struct str *headings = ARENA_ARRAY(writer->arena, struct str, writer->columns);
	struct plain_column *plain;

	for (size_t i = 0; i < writer->columns; i++)
		headings[i] = heading(writer->arena, writer->names[i]);
	plain = measure(writer, scratch, headings);
	for (size_t i = 0; i < writer->columns && !writer->style.no_headings; i++)
		add_padded(&out, headings[i], &plain[i], i + 1 == writer->columns);
	for (size_t row = 0; row < row_count(writer); row++) {
		const struct cell *cells = row_at(writer, row);

		for (size_t i = 0; i < writer->columns; i++)
			add_padded(&out, form(writer, scratch, &cells[i], table_form), &plain[i],
			           i + 1 == writer->columns);
		put(&out);
		arena_reset(scratch);
	}
	arena_free(scratch);
}
