/* Comma-separated values, RFC 4180: a header row, then rows whose cells are known by the name of their column. Private
 * to inventory/. */
#ifndef INVENTORY_CSV_H
#define INVENTORY_CSV_H

#include "fleet_faults.h"

#define CSV_COLUMNS 8 /* no file has more */

struct csv_column {
	const char *name;
	bool required;
};

struct csv_cell {
	struct str value;
	size_t start; /* offset in the text of its first byte, behind the quote */
};

struct csv {
	struct str name, text;
	struct faults *faults;
	const struct csv_column *columns; /* ends with a name of NULL */
	size_t position[CSV_COLUMNS];     /* where in a row column i stands; CSV_ABSENT */
	size_t width;                     /* cells in the header */
	/* The present row. */
	unsigned line;
	size_t line_start;
	struct {
		struct csv_cell *items;
		size_t count, capacity;
	} cells;
	/* What comes next. */
	struct arena *arena;
	size_t at;
	unsigned next_line;
	bool blank; /* the row is an empty line */
};

#define CSV_ABSENT SIZE_MAX

/* Reads the header. False if the rows can't be read because of it; the faults say why. Cells are slices of `text` where
 * they can be, otherwise in `arena`. */
bool csv_open(struct csv *csv, struct arena *arena, struct str name, struct str text, const struct csv_column *columns,
              struct faults *faults);
/* The next row that has as many cells as the header; rows that have not, or are quoted wrongly, are faults. Empty lines
 * are passed over. False at the end. */
bool csv_next(struct csv *csv);

/* No more rows than this are still to come. */
size_t csv_rows_at_most(const struct csv *csv);

bool csv_has(const struct csv *csv, size_t column);
/* Of the present row; empty where the column is absent. */
struct str csv_cell(const struct csv *csv, size_t column);
/* Byte `offset` of a cell's value, as a place. */
struct place csv_place(const struct csv *csv, size_t column, size_t offset);
/* Collects errors about a cell (NULL is fine); a column that one knows counts bytes of the cell's value. */
void csv_fault(const struct csv *csv, size_t column, struct error *errors);

#endif
