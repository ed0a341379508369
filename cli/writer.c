/* Answers as tables, records or JSON; errors as text or JSON. How a table looks is not its matter. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fleetwall/arena.h"

#include "writer_parts.h"

struct cell cell_text(struct str text)
{
	return (struct cell){.kind = text.p != NULL ? CELL_TEXT : CELL_NULL, .text = text};
}

struct cell cell_null(void)
{
	return (struct cell){.kind = CELL_NULL};
}

struct cell cell_some(struct str text)
{
	return text.n > 0 ? cell_text(text) : cell_null();
}

struct cell cell_positive(uint64_t number)
{
	return number > 0 ? cell_number((int64_t)number) : cell_null();
}

struct cell cell_number(int64_t number)
{
	return (struct cell){.kind = CELL_NUMBER, .number = number};
}

struct cell cell_bool(bool value)
{
	return (struct cell){.kind = CELL_BOOL, .number = value};
}

struct cell cell_list(const struct str *items, size_t count)
{
	return (struct cell){.kind = CELL_LIST, .items = items, .count = count};
}

struct cell cell_json(struct str text)
{
	return (struct cell){.kind = text.p != NULL ? CELL_JSON : CELL_NULL, .text = text};
}

struct writer *writer_new(struct arena *arena, bool json, const struct style *style, const char *command)
{
	struct writer *writer = ARENA_NEW(arena, struct writer);

	*writer = (struct writer){.arena = arena, .json = json, .style = *style, .command = command,
	                          .layout = LAYOUT_SILENT, .said = buf_new(arena), .last = buf_new(arena),
	                          .raw = buf_new(arena)};
	return writer;
}

bool writer_is_json(const struct writer *writer)
{
	return writer->json;
}

void writer_columns(struct writer *writer, enum layout layout, const char *const *names, size_t count)
{
	writer->layout = layout;
	writer->names = names;
	writer->columns = count;
}

void writer_row(struct writer *writer, const struct cell *cells)
{
	for (size_t i = 0; i < writer->columns; i++)
		APPEND(writer->arena, &writer->rows, cells[i]);
}

void writer_rows(struct writer *writer, size_t count, writer_source *source, void *context)
{
	writer->asked = (struct asked_rows){.count = count,
	                                    .columns = writer->columns,
	                                    .source = source,
	                                    .context = context,
	                                    .all = ARENA_ARRAY(writer->arena, struct cell, writer->columns)};
}

void writer_field(struct writer *writer, const char *name, struct str value)
{
	struct field field = {name, value};

	APPEND(writer->arena, &writer->fields, field);
}

__attribute__((format(printf, 2, 0))) static void add_line(struct buf *lines, const char *format, va_list arguments)
{
	char *line;
	int length = vasprintf(&line, format, arguments);

	if (length < 0)
		return;
	buf_add(lines, (struct str){line, (size_t)length});
	buf_char(lines, '\n');
	free(line);
}

void writer_say(struct writer *writer, const char *format, ...)
{
	va_list arguments;

	if (writer->json)
		return;
	va_start(arguments, format);
	add_line(&writer->said, format, arguments);
	va_end(arguments);
}

void writer_say_last(struct writer *writer, const char *format, ...)
{
	va_list arguments;

	if (writer->json)
		return;
	va_start(arguments, format);
	add_line(&writer->last, format, arguments);
	va_end(arguments);
}

void writer_raw(struct writer *writer, struct str bytes)
{
	buf_add(&writer->raw, bytes);
}

void writer_keep(struct writer *writer)
{
	writer->keep = true;
}

bool writer_partial(const struct writer *writer)
{
	return writer->keep;
}

/* --- JSON --- */

json_t *json_of(struct str text)
{
	json_t *value = json_stringn(text.p, text.n);
	struct arena *scratch;
	struct buf shown;

	if (value != NULL)
		return value;
	/* The database and the readers let only UTF-8 in; arguments and paths may hold anything. */
	scratch = arena_new();
	shown = buf_new(scratch);
	for (size_t i = 0; i < text.n; i++)
		buf_format(&shown, (unsigned char)text.p[i] < 0x80 ? "%c" : "\\x%02x", (unsigned char)text.p[i]);
	value = json_stringn(shown.p, shown.n);
	arena_free(scratch);
	return value != NULL ? value : json_null();
}

json_t *json_cell(const struct cell *cell)
{
	json_t *list;

	switch (cell->kind) {
	case CELL_NULL:
		return json_null();
	case CELL_TEXT:
		return json_of(cell->text);
	case CELL_JSON:
		list = json_loadb(cell->text.p, cell->text.n, JSON_DECODE_ANY, NULL);
		return list != NULL ? list : json_of(cell->text);
	case CELL_NUMBER:
		return json_integer(cell->number);
	case CELL_BOOL:
		return json_boolean(cell->number);
	case CELL_LIST:
		list = json_array();
		for (size_t i = 0; i < cell->count; i++)
			json_array_append_new(list, json_of(cell->items[i]));
		return list;
	}
	return json_null();
}

static const char *kind_name(enum error_kind kind)
{
	switch (kind) {
	case ERROR_USAGE:
		return "usage";
	case ERROR_INPUT:
		return "input";
	case ERROR_UNKNOWN:
		return "unknown";
	case ERROR_SURROUNDINGS:
		return "surroundings";
	case ERROR_GUARD:
		return "guard";
	}
	return "surroundings";
}

static json_t *json_error(const struct error *error)
{
	json_t *object = json_object();

	json_object_set_new(object, "kind", json_string(kind_name(error->kind)));
	json_object_set_new(object, "message", json_of(error->message));
	json_object_set_new(object, "file", error->place.file.n > 0 ? json_of(error->place.file) : json_null());
	json_object_set_new(object, "line", error->place.line > 0 ? json_integer(error->place.line) : json_null());
	json_object_set_new(object, "column",
	                    error->place.column > 0 ? json_integer(error->place.column) : json_null());
	json_object_set_new(object, "hint", error->hint.n > 0 ? json_of(error->hint) : json_null());
	return object;
}

static json_t *json_errors(const struct error *errors)
{
	json_t *list = json_array();

	for (; errors != NULL; errors = errors->next)
		json_array_append_new(list, json_error(errors));
	return list;
}

static json_t *json_rows(const char *const *names, size_t columns, const struct cell *cells, size_t count)
{
	json_t *rows = json_array();

	for (size_t row = 0; row < count; row++) {
		json_t *object = json_object();

		for (size_t i = 0; i < columns; i++)
			json_object_set_new(object, names[i], json_cell(&cells[row * columns + i]));
		json_array_append_new(rows, object);
	}
	return rows;
}

struct cell cell_rows(struct arena *arena, const char *const *names, size_t columns, const struct cell *cells,
                      size_t rows)
{
	json_t *list = json_rows(names, columns, cells, rows);
	char *text = json_dumps(list, JSON_COMPACT);
	struct str copy = str_copy(arena, str_of(text));

	json_decref(list);
	free(text);
	return cell_json(copy);
}

static void print_json(json_t *document, size_t flags)
{
	json_dumpf(document, stdout, flags);
	fputc('\n', stdout);
	json_decref(document);
}

/* "error" is the first, "errors" are all of them. */
static void add_errors(json_t *document, const struct error *errors)
{
	json_object_set_new(document, "error", json_error(errors));
	json_object_set_new(document, "errors", json_errors(errors));
}

static void write_json(struct writer *writer, const struct error *warnings, const struct error *errors)
{
	json_t *document = json_object();

	json_object_set_new(document, "format", json_integer(1));
	json_object_set_new(document, "command", json_string(writer->command));
	json_object_set_new(document, "items", json_array());
	for (size_t i = 0; i < writer->fields.count; i++)
		json_object_set_new(document, writer->fields.items[i].name, json_of(writer->fields.items[i].value));
	json_object_set_new(document, "warnings", json_errors(warnings));
	if (errors != NULL)
		add_errors(document, errors);
	write_json_rows(writer, document);
	json_decref(document);
}

static void write_json_line(const struct writer *writer, const char *const *names, const struct cell *cells,
                            size_t count, const struct error *warnings)
{
	json_t *document = json_object();

	json_object_set_new(document, "format", json_integer(1));
	json_object_set_new(document, "command", json_string(writer->command));
	for (size_t i = 0; i < count; i++)
		json_object_set_new(document, names[i], json_cell(&cells[i]));
	json_object_set_new(document, "warnings", json_errors(warnings));
	print_json(document, JSON_COMPACT | JSON_REAL_PRECISION(9));
}

/* --- for people --- */

struct str cell_string(struct arena *arena, const struct cell *cell, const char *separator)
{
	struct buf buf = buf_new(arena);

	switch (cell->kind) {
	case CELL_NULL:
		break;
	case CELL_TEXT:
	case CELL_JSON:
		return cell->text;
	case CELL_NUMBER:
		buf_format(&buf, "%lld", (long long)cell->number);
		break;
	case CELL_BOOL:
		return cell->number != 0 ? STR("yes") : STR("no");
	case CELL_LIST:
		for (size_t i = 0; i < cell->count; i++) {
			buf_add(&buf, i > 0 ? str_of(separator) : (struct str){NULL, 0});
			buf_add(&buf, cell->items[i]);
		}
		if (cell->more > 0)
			buf_format(&buf, "%sand %zu more", str_is(str_of(separator), ", ") ? " " : separator,
			           cell->more);
		break;
	}
	return buf_str(&buf);
}

struct str heading(struct arena *arena, const char *name)
{
	char *text = str_c(arena, str_of(name));

	for (char *c = text; *c != '\0'; c++)
		*c = *c == '_' ? ' ' : *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	return str_of(text);
}

static void put(const struct buf *buf, FILE *stream)
{
	if (buf->n > 0)
		fwrite(buf->p, 1, buf->n, stream);
}

/* "name: value"; lists one an indented line. Fields that are empty are left out. */
static void write_records(const struct writer *writer)
{
	for (size_t row = 0; row < writer->rows.count; row += writer->columns) {
		if (row > 0)
			fputc('\n', stdout);
		for (size_t i = 0; i < writer->columns; i++) {
			const struct cell *cell = &writer->rows.items[row + i];
			bool many = cell->kind == CELL_LIST && cell->count > 1;
			struct str text = cell_string(writer->arena, cell, many ? "\n    " : "");

			if (text.n > 0)
				printf("%s:%s%.*s\n", writer->names[i], many ? "\n    " : " ", STR_ARG(text));
		}
	}
}

/* An empty list is no line at all, in a file as under cron; but people at a terminal wait for an answer. */
static void say_nothing(const struct writer *writer)
{
	if (writer->layout == LAYOUT_TABLE && writer->said.n == 0 && writer->raw.n == 0 && isatty(STDERR_FILENO))
		fputs("nothing\n", stderr);
}

static void write_text(struct writer *writer)
{
	put(&writer->said, stdout);
	put(&writer->raw, stdout);
	if (writer->style.csv && writer->layout != LAYOUT_SILENT)
		write_csv(writer);
	else if (row_count(writer) == 0)
		say_nothing(writer);
	else if (writer->layout == LAYOUT_TABLE)
		write_table(writer);
	else if (writer->layout == LAYOUT_RECORD)
		write_records(writer);
	put(&writer->last, stdout);
}

static size_t column_find(const struct writer *writer, struct str name)
{
	size_t i = 0;

	while (i < writer->columns && !str_is(name, writer->names[i]))
		i++;
	return i;
}

static struct error *column_unknown(const struct writer *writer, struct str name)
{
	struct buf all = buf_new(writer->arena);

	for (size_t i = 0; i < writer->columns; i++)
		buf_format(&all, "%s%s", i > 0 ? ", " : "", writer->names[i]);
	return error_hint(error_new(ERROR_USAGE, "there is no column \"%.*s\"", STR_ARG(name)), "the columns are %.*s",
	                  (int)all.n, all.p);
}

/* Leaves the columns that --columns names, in its order. */
static struct error *select_columns(struct writer *writer)
{
	struct str rest = writer->style.columns, name;
	const char **names;
	struct rows rows = {0};
	size_t *chosen, count = 0;

	/* What a change says is no list: it is done already, and a column must not make it fail. */
	if (rest.n == 0 || writer->columns == 0 || writer->layout == LAYOUT_SILENT)
		return NULL;
	chosen = ARENA_ARRAY(writer->arena, size_t, rest.n + 1);
	names = ARENA_ARRAY(writer->arena, const char *, rest.n + 1);
	while (str_cut(&rest, ',', &name)) {
		name = str_lower(writer->arena, str_trim(name));
		chosen[count] = column_find(writer, name);
		if (chosen[count] == writer->columns)
			return column_unknown(writer, name);
		names[count] = writer->names[chosen[count]];
		count++;
	}
	for (size_t row = 0; row < writer->rows.count; row += writer->columns)
		for (size_t i = 0; i < count; i++)
			APPEND(writer->arena, &rows, writer->rows.items[row + chosen[i]]);
	writer->rows = rows;
	writer->asked.chosen = chosen;
	writer->names = names;
	writer->columns = count;
	return NULL;
}

struct error *writer_flush(void)
{
	/* A buffer that was written before and failed shows in ferror() alone. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && errno != EPIPE)
		return error_errno("standard output");
	return NULL;
}

struct error *writer_end(struct writer *writer, const struct error *warnings, const struct error *errors)
{
	if (writer->lines)
		return NULL;
	TRY(select_columns(writer));
	if (writer->json)
		write_json(writer, warnings, errors);
	else
		write_text(writer);
	return writer_flush();
}

void writer_by_lines(struct writer *writer)
{
	writer->lines = true;
}

struct error *writer_line(struct writer *writer, const char *const *names, const struct cell *cells, size_t count,
                          struct str said, const struct error *warnings)
{
	struct error *error;

	if (writer->json)
		write_json_line(writer, names, cells, count, warnings);
	else
		printf("%.*s\n", STR_ARG(said));
	error = writer_flush();
	clearerr(stdout); /* the next line may find room again */
	return error;
}

void write_errors(struct arena *arena, bool json, const struct error *errors)
{
	struct buf buf = buf_new(arena);

	if (json) {
		json_t *document = json_object();

		json_object_set_new(document, "format", json_integer(1));
		add_errors(document, errors);
		print_json(document, JSON_COMPACT);
		return;
	}
	error_print(&buf, isatty(STDERR_FILENO) ? STR("\033[31merror:\033[0m ") : STR("error: "), errors);
	put(&buf, stderr);
}

void write_warnings(struct arena *arena, const struct error *warnings)
{
	struct buf buf = buf_new(arena);

	if (warnings == NULL)
		return;
	error_print(&buf, STR("warning: "), warnings);
	put(&buf, stderr);
}
