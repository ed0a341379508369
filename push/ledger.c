/* The ledger's transactions, and values on their way into statements and out of rows. Knows no table: each of the other
 * files of the ledger knows its own. */
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "ledger_parts.h"

enum { TRIES = 8, LINE_MOST = 1000, NAMES_FEW = 1000 };

static struct error *once(struct arena *arena, struct db *db, ledger_work *work, void *context)
{
	TRY(db_begin(db, DB_WRITE));
	TRY(work(arena, db, context));
	return db_commit(db);
}

/* What a deadlock or a conflict ended has left nothing behind. */
struct error *ledger_do(struct arena *arena, struct db *db, ledger_work *work, void *context)
{
	for (int i = 1;; i++) {
		struct error *error = once(arena, db, work, context);

		if (error == NULL)
			return NULL;
		db_rollback(db);
		if (i == TRIES || error->kind != ERROR_SURROUNDINGS || !db_is_retryable(db))
			return error;
	}
}

/* --- parameters --- */

struct str ledger_number(struct arena *arena, uint64_t number)
{
	return str_format(arena, "%llu", (unsigned long long)number);
}

struct str ledger_hex(struct arena *arena, const struct digest *digest)
{
	char hex[65];

	digest_hex(digest, hex);
	return str_copy(arena, str_of(hex));
}

/* At most so many bytes, and no character cut in two. */
static struct str cut(struct str text, size_t most)
{
	if (text.n <= most)
		return text;
	while (most > 0 && ((unsigned char)text.p[most] & 0xc0) == 0x80)
		most--;
	return str_slice(text, 0, most);
}

struct str ledger_line(struct arena *arena, struct str text)
{
	struct buf line = buf_new(arena);

	text = str_trim(text);
	while (text.n > 0) {
		size_t good = str_utf8_error(text);

		for (size_t i = 0; i < good; i++)
			buf_char(&line, (unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f ? ' ' : text.p[i]);
		if (good < text.n)
			buf_char(&line, '?');
		text = str_slice(text, good + 1, text.n);
	}
	return cut(buf_str(&line), LINE_MOST);
}

struct str ledger_some_line(struct arena *arena, struct str text)
{
	struct str line = ledger_line(arena, text);

	return line.n > 0 ? line : (struct str){NULL, 0};
}

struct str ledger_joined(struct arena *arena, const struct str *words, size_t count)
{
	struct buf joined = buf_new(arena);

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_char(&joined, ',');
		buf_add(&joined, words[i]);
	}
	return count > 0 ? buf_str(&joined) : STR("");
}

/* --- cells and rows --- */

uint64_t ledger_cell_number(const struct db_rows *rows, size_t row, size_t column)
{
	struct str cell = db_cell(rows, row, column);
	uint64_t number = 0;

	return cell.p != NULL && str_number(cell, UINT64_MAX, &number) ? number : 0;
}

bool ledger_cell_bool(const struct db_rows *rows, size_t row, size_t column)
{
	return str_is(db_cell(rows, row, column), "t");
}

/* A word with a comma in it names nothing, and must not become two that do. */
static struct str names_joined(struct arena *arena, const struct str *names, size_t count)
{
	struct str *whole = ARENA_ARRAY(arena, struct str, count);
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (str_find(names[i], ',') == names[i].n)
			whole[n++] = names[i];
	return ledger_joined(arena, whole, n);
}

struct error *ledger_copy(struct arena *arena, struct db *db, const char *name, const struct str *names,
                          size_t name_count, db_row *each, void *context)
{
	struct str joined;

	if (name_count == 0 || name_count > NAMES_FEW)
		return db_copy_out(db, db_sql(name), each, context);
	joined = names_joined(arena, names, name_count);
	TRY(db_query(arena, db, db_sql("push-names"), &joined, 1, NULL));
	return db_copy_out(db, db_sql(str_c(arena, str_format(arena, "%s-named", name))), each, context);
}

void *ledger_row_add(struct ledger_rows *rows)
{
	rows->items = arena_grow(rows->arena, rows->items, rows->count, &rows->capacity, rows->size,
	                         _Alignof(max_align_t));
	return rows->items + rows->size * rows->count++;
}

static struct str name_of(const struct ledger_rows *rows, size_t row)
{
	struct str name;

	memcpy(&name, rows->items + row * rows->size, sizeof name);
	return name;
}

size_t ledger_keep_named(struct ledger_rows *rows, const struct str *names, size_t name_count)
{
	struct str *sorted;
	size_t kept = 0, at = 0;

	if (name_count <= NAMES_FEW)
		return rows->count;
	sorted = ARENA_ARRAY(rows->arena, struct str, name_count);
	memcpy(sorted, names, name_count * sizeof *names);
	qsort(sorted, name_count, sizeof *sorted, str_order);
	for (size_t i = 0; i < rows->count; i++) {
		struct str name = name_of(rows, i);

		while (at < name_count && str_cmp(sorted[at], name) < 0)
			at++;
		if (at < name_count && str_eq(sorted[at], name))
			memmove(rows->items + kept++ * rows->size, rows->items + i * rows->size, rows->size);
	}
	return rows->count = kept;
}
