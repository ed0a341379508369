/* What the files of the writer share: what was said so far, and cells as text. Nothing but writer*.c includes it. */
#ifndef WRITER_PARTS_H
#define WRITER_PARTS_H

#include <jansson.h>

#include "fleetwall/buf.h"

#include "writer.h"

struct rows {
	struct cell *items; /* `columns` cells a row, one behind the other */
	size_t count, capacity;
};

struct field {
	const char *name;
	struct str value;
};

/* Rows that are asked for. */
struct asked_rows {
	size_t count, columns; /* before some of them were chosen */
	writer_source *source; /* NULL: all rows are there */
	void *context;
	size_t *chosen;        /* which columns; NULL: all */
	struct cell *all, *some;
};

struct writer {
	struct arena *arena;
	bool json;
	struct style style;
	bool keep;
	bool lines;
	const char *command;
	enum layout layout;
	const char *const *names;
	size_t columns;
	struct rows rows;
	struct asked_rows asked;
	struct {
		struct field *items;
		size_t count, capacity;
	} fields;
	struct buf said; /* lines for people, in front of the rows */
	struct buf last; /* and behind them */
	struct buf raw;
};

/* --- writer.c --- */

json_t *json_of(struct str text);
json_t *json_cell(const struct cell *cell);
/* For people; what a list is joined by. */
struct str cell_string(struct arena *arena, const struct cell *cell, const char *separator);
/* A column's name in capitals. */
struct str heading(struct arena *arena, const char *name);

/* --- writer_rows.c --- */

size_t row_count(const struct writer *writer);
/* Its cells, until the next is asked for. */
const struct cell *row_at(struct writer *writer, size_t row);
/* From now on all rows are there. */
void keep_rows(struct writer *writer);
/* The items of the document, in which they are an empty list. */
void write_json_rows(struct writer *writer, json_t *document);
void write_csv(struct writer *writer);
/* A row a line, for files and pipes. */
void write_plain_table(struct writer *writer);

/* --- writer_table.c --- */

/* In the shape that where it goes to asks for. */
void write_table(struct writer *writer);

#endif
