/* Collecting faults, and the places where they stand. Decides nothing about what is a fault. */
#include "fleet_faults.h"

#include <stdlib.h>
#include <string.h>

#define LINE_SHOWN 65536 /* a longer line is of no help to anybody, and would be copied for each fault */

void faults_add(struct faults *faults, struct error *errors)
{
	while (errors != NULL) {
		struct error *next = errors->next;

		errors->next = NULL;
		if (faults->shown < FAULTS_SHOWN) {
			error_collect(&faults->chain, errors);
			faults->shown++;
		} else {
			faults->left_out++;
		}
		errors = next;
	}
}

size_t faults_count(const struct faults *faults)
{
	return faults->shown + faults->left_out;
}

/* By file, line, column: people go through a file from top to bottom. */
static int place_order(const void *a, const void *b)
{
	const struct place *x = &(*(struct error *const *)a)->place, *y = &(*(struct error *const *)b)->place;
	int order = str_cmp(x->file, y->file);

	if (order == 0)
		order = (x->line > y->line) - (x->line < y->line);
	return order != 0 ? order : (x->column > y->column) - (x->column < y->column);
}

static void sort_by_place(struct error **chain, size_t count)
{
	struct error *list[FAULTS_SHOWN], *error = *chain, **next = chain;

	for (size_t i = 0; i < count; i++, error = error->next)
		list[i] = error;
	qsort(list, count, sizeof *list, place_order);
	for (size_t i = 0; i < count; i++) {
		*next = list[i];
		next = &list[i]->next;
	}
	*next = NULL;
}

struct error *faults_end(struct faults *faults)
{
	sort_by_place(&faults->chain, faults->shown);
	if (faults->left_out > 0)
		error_collect(&faults->chain, error_new(ERROR_INPUT, "%zu more fault%s not shown", faults->left_out,
		                                        faults->left_out == 1 ? " is" : "s are"));
	faults->left_out = 0;
	return faults->chain;
}

struct place place_in(struct str file, struct str text, size_t from, unsigned line, size_t at)
{
	const char *next;
	size_t length;

	while (from < at && (next = memchr(text.p + from, '\n', at - from)) != NULL) {
		from = (size_t)(next - text.p) + 1;
		line++;
	}
	length = str_find(str_slice(text, from, text.n), '\n');
	if (length > 0 && text.p[from + length - 1] == '\r')
		length--;
	return (struct place){.file = file, .line = line, .column = (unsigned)(at - from) + 1,
	                      .text = str_slice(text, from, from + (length > LINE_SHOWN ? 0 : length))};
}

struct error *error_in_piece(struct error *errors, struct place piece)
{
	for (struct error *e = errors; e != NULL; e = e->next) {
		unsigned offset = e->place.column > 0 ? e->place.column - 1 : 0;

		e->place = (struct place){.column = piece.column + offset};
	}
	return error_at(errors, piece);
}

struct lines lines_of(struct str file, struct str text)
{
	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_slice(text, 3, text.n);
	return (struct lines){.place = {.file = file, .column = 1}, .rest = text};
}

bool lines_next(struct lines *lines)
{
	struct str *line = &lines->place.text;

	if (!str_cut(&lines->rest, '\n', line))
		return false;
	if (str_ends(*line, STR("\r")))
		line->n--;
	lines->place.line++;
	return true;
}
