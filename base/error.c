/* Errors as values: made, given context on their way up, collected, printed. They live in memory of their own for the
 * whole run, so whoever passes one on need not think about memory; each thread has an arena, which outlives it. Decides
 * no exit code and writes nowhere. */
#include "fleetwall/error.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

#define SHOWN_BEFORE 80 /* bytes of a long line that are shown before the column, and behind it */
#define SHOWN_BEHIND 60

/* The arenas of all threads that ever made an error. */
struct kept {
	struct arena *arena;
	struct kept *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept *all;
static _Thread_local struct arena *memory;

static struct arena *error_memory(void)
{
	if (memory != NULL)
		return memory;
	memory = arena_new();
	struct kept *kept = ARENA_NEW(memory, struct kept);

	kept->arena = memory;
	pthread_mutex_lock(&lock);
	kept->next = all;
	all = kept;
	pthread_mutex_unlock(&lock);
	return memory;
}

/* By the last thread: no other may be there that has made an error. */
void error_forget_all(void)
{
	pthread_mutex_lock(&lock);
	for (struct kept *kept = all, *next; kept != NULL; kept = next) {
		next = kept->next;
		arena_free(kept->arena);
	}
	all = NULL;
	pthread_mutex_unlock(&lock);
	memory = NULL;
}

__attribute__((format(printf, 1, 0))) static struct str format_list(const char *format, va_list arguments)
{
	va_list again;
	char *text;
	int n;

	va_copy(again, arguments);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (n < 0)
		return STR("(a message that can't be formatted)");
	text = arena_array(error_memory(), (size_t)n + 1, 1, 1);
	vsnprintf(text, (size_t)n + 1, format, arguments);
	return (struct str){text, (size_t)n};
}

static struct error *make(enum error_kind kind, struct str message)
{
	struct error *error = ARENA_NEW(error_memory(), struct error);

	*error = (struct error){.kind = kind, .message = message};
	return error;
}

struct error *error_new(enum error_kind kind, const char *format, ...)
{
	va_list arguments;
	struct str message;

	va_start(arguments, format);
	message = format_list(format, arguments);
	va_end(arguments);
	return make(kind, message);
}

struct error *error_errno(const char *format, ...)
{
	int saved = errno;
	va_list arguments;
	struct str doing;

	va_start(arguments, format);
	doing = format_list(format, arguments);
	va_end(arguments);
	return make(ERROR_SURROUNDINGS, str_format(error_memory(), "%.*s: %s", STR_ARG(doing), strerror(saved)));
}

struct error *error_hint(struct error *error, const char *format, ...)
{
	va_list arguments;

	if (error == NULL)
		return NULL;
	va_start(arguments, format);
	error->hint = format_list(format, arguments);
	va_end(arguments);
	return error;
}

struct error *error_at(struct error *error, struct place place)
{
	for (struct error *e = error; e != NULL; e = e->next) {
		/* A column, and the text under it, belong to a line: those of another one are of no use. */
		bool same_line = e->place.line == 0 || place.line == 0 || e->place.line == place.line;

		if (e->place.file.n == 0)
			e->place.file = str_copy(error_memory(), place.file);
		if (e->place.line == 0)
			e->place.line = place.line;
		if (e->place.column == 0 && same_line)
			e->place.column = place.column;
		if (e->place.text.n == 0 && same_line)
			e->place.text = str_copy(error_memory(), place.text);
	}
	return error;
}

struct error *error_in(struct error *error, const char *format, ...)
{
	va_list arguments;
	struct str context;

	if (error == NULL)
		return NULL;
	va_start(arguments, format);
	context = format_list(format, arguments);
	va_end(arguments);
	for (struct error *e = error; e != NULL; e = e->next)
		e->message = str_format(error_memory(), "%.*s: %.*s", STR_ARG(context), STR_ARG(e->message));
	return error;
}

void error_collect(struct error **chain, struct error *more)
{
	while (*chain != NULL)
		chain = &(*chain)->next;
	*chain = more;
}

/* How many like `error` are from `from` up to it, without it. */
static size_t alike_before(struct error *from, const struct error *error, struct error **last)
{
	size_t count = 0;

	for (; from != error; from = from->next) {
		if (from->like != error->like)
			continue;
		*last = from;
		count++;
	}
	return count;
}

/* Kept ones are few: those before one are looked through again for each. */
void error_gather(struct error *chain, size_t most, const char *rest)
{
	struct error **end = &chain;

	for (struct error *error = chain, *last = NULL; error != NULL; error = error->next) {
		if (error->like == NULL || alike_before(chain, error, &last) < most) {
			*end = error;
			end = &error->next;
			continue;
		}
		*end = error->next;
		last->more++;
	}
	for (struct error *error = chain; error != NULL; error = error->next)
		if (error->more > 0)
			error->hint = str_format(error_memory(), "%.*s%sand %zu more like it; %s", STR_ARG(error->hint),
			                         error->hint.n > 0 ? "; " : "", error->more, rest);
}

size_t error_count(const struct error *chain)
{
	size_t count = 0;

	for (; chain != NULL; chain = chain->next)
		count++;
	return count;
}

/* The bytes of the character at the front of `s` if a terminal may be given them as they are; 0 if it is a control
 * character (those of ISO 6429's second half, U+0080–U+009F, too) or not UTF-8. */
static size_t printable_length(struct str s)
{
	unsigned char first = (unsigned char)s.p[0];
	size_t n = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (first < 0x20 || first == 0x7f || n > s.n)
		return 0;
	if (first == 0xc2 && (unsigned char)s.p[1] < 0xa0)
		return 0;
	return str_utf8_error(str_slice(s, 0, n)) == n ? n : 0;
}

static void add_visible(struct buf *buf, struct str s, bool keep_tabs)
{
	for (size_t at = 0; at < s.n;) {
		struct str rest = str_slice(s, at, s.n);
		size_t n = keep_tabs && rest.p[0] == '\t' ? 1 : printable_length(rest);

		if (n > 0)
			buf_add(buf, str_slice(rest, 0, n));
		else
			buf_format(buf, "\\x%02x", (unsigned char)rest.p[0]);
		at += n > 0 ? n : 1;
	}
}

/* Blanks as wide as add_visible() shows `s`: tabs stay tabs, a character of several bytes is one column. */
static void add_blanks(struct buf *buf, struct str s)
{
	for (size_t at = 0; at < s.n;) {
		struct str rest = str_slice(s, at, s.n);
		size_t n = rest.p[0] == '\t' ? 1 : printable_length(rest);

		if (rest.p[0] == '\t')
			buf_char(buf, '\t');
		else
			buf_add(buf, n > 0 ? STR(" ") : STR("    "));
		at += n > 0 ? n : 1;
	}
}

/* Moves `at` back to where a character begins. */
static size_t character_start(struct str s, size_t at)
{
	while (at > 0 && at < s.n && ((unsigned char)s.p[at] & 0xc0) == 0x80)
		at--;
	return at;
}

/* The line with a caret under the column; of a long line the part around the column. */
static void print_line(struct buf *buf, struct str text, unsigned column)
{
	size_t caret = column > 0 ? column - 1 : 0, from = 0, to = text.n;

	if (caret > text.n)
		caret = text.n;
	if (text.n > SHOWN_BEFORE + SHOWN_BEHIND) {
		from = character_start(text, caret > SHOWN_BEFORE ? caret - SHOWN_BEFORE : 0);
		to = character_start(text, text.n - caret > SHOWN_BEHIND ? caret + SHOWN_BEHIND : text.n);
	}
	buf_add(buf, STR("    "));
	buf_add(buf, from > 0 ? STR("...") : STR(""));
	add_visible(buf, str_slice(text, from, to), true);
	buf_add(buf, to < text.n ? STR("...\n") : STR("\n"));
	if (column == 0)
		return;
	buf_add(buf, STR("    "));
	buf_add(buf, from > 0 ? STR("   ") : STR(""));
	add_blanks(buf, str_slice(text, from, caret));
	buf_add(buf, STR("^\n"));
}

static void print_place(struct buf *buf, const struct place *place)
{
	add_visible(buf, place->file, false);
	if (place->file.n > 0)
		buf_char(buf, ':');
	else if (place->line > 0)
		buf_add(buf, STR("line "));
	if (place->line > 0)
		buf_format(buf, "%u:", place->line);
	if (place->line > 0 && place->column > 0)
		buf_format(buf, "%u:", place->column);
	if (place->file.n > 0 || place->line > 0)
		buf_char(buf, ' ');
}

void error_print(struct buf *buf, struct str lead, const struct error *chain)
{
	for (const struct error *e = chain; e != NULL; e = e->next) {
		buf_add(buf, lead);
		print_place(buf, &e->place);
		add_visible(buf, e->message, false);
		buf_char(buf, '\n');
		if (e->place.text.n > 0)
			print_line(buf, e->place.text, e->place.column);
		if (e->hint.n > 0) {
			buf_add(buf, STR("    hint: "));
			add_visible(buf, e->hint, false);
			buf_char(buf, '\n');
		}
	}
}
