/* Breaks text for people into lines. It knows nothing of tables: what stays together is a word, with the comma behind
 * it, and a short command. */
#include "wrap.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { COMMAND_MOST = 60, SHORTENED_MOST = 80 };

/* The next character of `rest`, which is not empty: its bytes, and the columns that it takes; -1: it can't be shown. */
static size_t next_character(struct str rest, int *columns)
{
	mbstate_t state = {0};
	wchar_t wide;
	size_t bytes;

	*columns = 1;
	if (rest.p[0] >= ' ' && rest.p[0] <= '~')
		return 1;
	bytes = mbrtowc(&wide, rest.p, rest.n, &state);
	*columns = bytes > 0 && bytes <= rest.n ? wcwidth(wide) : -1;
	return bytes > 0 && bytes <= rest.n ? bytes : 1;
}

size_t text_columns(struct str text)
{
	size_t sum = 0;
	int columns;

	while (text.n > 0) {
		size_t bytes = next_character(text, &columns);

		/* Where the locale knows no UTF-8 the terminal may all the same. */
		if (columns < 0)
			columns = ((unsigned char)text.p[0] & 0xc0) != 0x80;
		sum += (size_t)columns;
		text = str_slice(text, bytes, text.n);
	}
	return sum;
}

struct str text_shown(struct arena *arena, struct str text)
{
	struct str rest = text;
	bool plain = true;
	struct buf buf;
	int columns;

	while (rest.n > 0 && plain) {
		rest = str_slice(rest, next_character(rest, &columns), rest.n);
		plain = columns >= 0;
	}
	if (plain)
		return text;
	buf = buf_new(arena);
	while (text.n > 0) {
		size_t bytes = next_character(text, &columns);

		for (size_t i = 0; i < bytes; i++)
			buf_format(&buf, columns >= 0 ? "%c" : "\\x%02x", (unsigned char)text.p[i]);
		text = str_slice(text, bytes, text.n);
	}
	return buf_str(&buf);
}

/* A command, which is there to be copied; sentences may begin with the program's name as well. */
static size_t command_length(struct str rest)
{
	size_t n = 0;

	if (!str_starts(rest, STR("fleetwall ")))
		return 0;
	while (n < rest.n && strchr(",;()", rest.p[n]) == NULL)
		n++;
	return n <= COMMAND_MOST ? n : 0;
}

/* What stays together at the head of `rest`: up to a blank, or up to a comma and with it. */
static struct str first_piece(struct str rest)
{
	size_t n = command_length(rest);

	while (n < rest.n && rest.p[n] != ' ')
		if (rest.p[n++] == ',')
			break;
	return str_slice(rest, 0, n);
}

struct str text_shortened(struct arena *arena, struct str text)
{
	size_t n = SHORTENED_MOST;

	if (text.n <= SHORTENED_MOST)
		return text;
	while (n > 0 && text.p[n - 1] != ' ' && text.p[n - 1] != ',')
		n--;
	return str_format(arena, "%.*s…", STR_ARG(str_slice(text, 0, n > 0 ? n : SHORTENED_MOST)));
}

static size_t blanks_ahead(struct str rest)
{
	size_t n = 0;

	while (n < rest.n && rest.p[n] == ' ')
		n++;
	return n;
}

size_t widest_piece(struct str text)
{
	size_t widest = 0;

	while (text.n > 0) {
		struct str piece = first_piece(text);
		size_t columns = text_columns(piece);

		widest = columns > widest ? columns : widest;
		text = str_slice(text, piece.n, text.n);
		text = str_slice(text, blanks_ahead(text), text.n);
	}
	return widest;
}

void add_wrapped(struct buf *buf, struct str text, size_t at, size_t width, size_t indent)
{
	bool first = true;

	while (text.n > 0) {
		size_t blanks = blanks_ahead(text), gap = blanks;
		struct str piece = first_piece(str_slice(text, blanks, text.n));
		size_t columns = text_columns(piece);

		if (!first && at + blanks + columns > width) {
			buf_char(buf, '\n');
			gap = indent;
			at = 0;
		}
		buf_format(buf, "%*s", (int)gap, "");
		buf_add(buf, piece);
		at += gap + columns;
		first = false;
		text = str_slice(text, blanks + piece.n, text.n);
	}
}
