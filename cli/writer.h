/* Answers for people and for programs behind one interface: rows with named columns become a table (libsmartcols), a
 * record a row, or JSON (jansson). Everything goes to standard output at once, at the end; messages go to standard
 * error. */
#ifndef WRITER_H
#define WRITER_H

#include "fleetwall/error.h"

enum cell_kind { CELL_NULL, CELL_TEXT, CELL_NUMBER, CELL_BOOL, CELL_LIST, CELL_JSON };

struct cell {
	enum cell_kind kind;
	struct str text;
	int64_t number; /* CELL_NUMBER, CELL_BOOL */
	const struct str *items;
	size_t count;
	size_t more; /* of a list of which people read the first items: how many there are besides */
	struct str *said; /* of one that comes again and again: how it is written, once it was; or NULL */
};

struct cell cell_text(struct str text); /* {NULL, 0} is null */
struct cell cell_some(struct str text); /* an empty one is null as well */
struct cell cell_null(void);
struct cell cell_number(int64_t number);
struct cell cell_positive(uint64_t number); /* 0 is null */
struct cell cell_bool(bool value);
struct cell cell_json(struct str text); /* a JSON value as the database gave it; {NULL, 0} is null */
struct cell cell_list(const struct str *items, size_t count);
/* Rows within a row: a list of objects with these names. */
struct cell cell_rows(struct arena *arena, const char *const *names, size_t columns, const struct cell *cells,
                      size_t rows);

enum layout {
	LAYOUT_TABLE,  /* a row a line, under headings */
	LAYOUT_RECORD, /* a column a line: for `show` */
	LAYOUT_SILENT, /* rows are for --json alone; people get what writer_say() said */
};

/* How rows are shown to people. */
struct style {
	struct str columns; /* names joined by commas; empty: all */
	bool no_headings;
	bool csv;           /* RFC 4180, with a header row unless no_headings */
};

struct writer;

/* `json`: rows and warnings become one document at writer_end(). `command` is its field of that name. */
struct writer *writer_new(struct arena *arena, bool json, const struct style *style, const char *command);
bool writer_is_json(const struct writer *writer);
/* Names are the JSON fields, and the headings in capitals. Once a command. */
void writer_columns(struct writer *writer, enum layout layout, const char *const *names, size_t count);
/* As many cells as columns. */
void writer_row(struct writer *writer, const struct cell *cells);
/* Instead: so many rows that nobody keeps them. At writer_end() they are asked for one after the other, for a table
 * twice. All that their cells point to stays until then, and is printable ASCII. */
typedef void writer_source(void *context, size_t row, struct cell *cells);
void writer_rows(struct writer *writer, size_t count, writer_source *source, void *context);
/* A line for people; nothing under --json. */
void writer_say(struct writer *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, behind the rows. */
void writer_say_last(struct writer *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A field of the JSON document, beside its items; nothing for people. `name` must stay. */
void writer_field(struct writer *writer, const char *name, struct str value);
/* Bytes as they are (a document); nothing else may be written then. */
void writer_raw(struct writer *writer, struct str bytes);
/* Says that rows stand although the command ends with an error: they are printed before it, or with it under --json. */
void writer_keep(struct writer *writer);
bool writer_partial(const struct writer *writer);
/* For a command that stays: everything is said line by line, and nothing is left for writer_end(). */
void writer_by_lines(struct writer *writer);
/* A row at once: one JSON object with the warnings, or a line for people. A reader that went away is no error. */
struct error *writer_line(struct writer *writer, const char *const *names, const struct cell *cells, size_t count,
                          struct str said, const struct error *warnings) MUST_CHECK;
/* Prints it all; under --json with the errors, which end the command (NULL: none). ERROR_USAGE when a column was asked
 * for that there is not; ERROR_SURROUNDINGS when standard output does not take it (a full disk); a reader that went
 * away is no error. */
struct error *writer_end(struct writer *writer, const struct error *warnings,
                         const struct error *errors) MUST_CHECK;

/* What was printed goes out. ERROR_SURROUNDINGS as above. */
struct error *writer_flush(void) MUST_CHECK;

/* Errors and warnings for people on standard error; under --json, errors as a document of one line on standard output.
 */
void write_errors(struct arena *arena, bool json, const struct error *errors);
void write_warnings(struct arena *arena, const struct error *warnings);

#endif
