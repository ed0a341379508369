/* Slices of bytes: comparing, cutting, numbers, UTF-8, nearest words. Owns no memory; what it makes goes into the
 * caller's arena. Knows no locale: letters are ASCII letters, order is byte order. */
#include "fleetwall/str.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fleetwall/arena.h"

#define NEAREST_MAX 64 /* longer words are not compared: nobody mistypes those */

struct str str_of(const char *text)
{
	return text == NULL ? STR("") : (struct str){text, strlen(text)};
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

bool str_is(struct str s, const char *text)
{
	return str_eq(s, str_of(text));
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_slice(s, 0, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq(str_slice(s, s.n - suffix.n, s.n), suffix);
}

size_t str_find(struct str s, char byte)
{
	const char *found = s.n == 0 ? NULL : memchr(s.p, byte, s.n);

	return found == NULL ? s.n : (size_t)(found - s.p);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = (struct str){s.p + 1, s.n - 1};
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str str_slice(struct str s, size_t from, size_t to)
{
	if (to > s.n)
		to = s.n;
	if (from > to)
		from = to;
	return from == 0 ? (struct str){s.p, to} : (struct str){s.p + from, to - from};
}

bool str_cut(struct str *rest, char separator, struct str *part)
{
	size_t end;

	if (rest->p == NULL)
		return false;
	end = str_find(*rest, separator);
	*part = (struct str){rest->p, end};
	if (end == rest->n)
		*rest = (struct str){NULL, 0};
	else
		*rest = (struct str){rest->p + end + 1, rest->n - end - 1};
	return true;
}

bool str_number(struct str s, uint64_t max, uint64_t *number)
{
	uint64_t value = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';

		if (digit > 9 || value > max / 10 || digit > max - value * 10)
			return false;
		value = value * 10 + digit;
	}
	*number = value;
	return true;
}

/* How many bytes the character at the front of `s` has; 0 if it is not well formed (RFC 3629 §4). */
static size_t utf8_length(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0; /* overlong below */
	else if (p[0] == 0xed)
		high = 0x9f; /* surrogates above */
	else if (p[0] == 0xf0)
		low = 0x90; /* overlong below */
	else if (p[0] == 0xf4)
		high = 0x8f; /* beyond U+10FFFF above */
	if (s.n < n || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return n;
}

size_t str_utf8_error(struct str s)
{
	size_t at = 0;

	while (at < s.n) {
		size_t n = utf8_length(str_slice(s, at, s.n));

		if (n == 0)
			return at;
		at += n;
	}
	return s.n;
}

bool str_has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

struct str str_copy(struct arena *arena, struct str s)
{
	char *copy = arena_array(arena, s.n, 1, 1);

	if (s.n > 0)
		memcpy(copy, s.p, s.n);
	return (struct str){copy, s.n};
}

char *str_c(struct arena *arena, struct str s)
{
	char *copy = arena_array(arena, s.n + 1, 1, 1);

	assert(str_find(s, '\0') == s.n);
	if (s.n > 0)
		memcpy(copy, s.p, s.n);
	return copy;
}

struct str str_lower(struct arena *arena, struct str s)
{
	char *copy = arena_array(arena, s.n, 1, 1);

	for (size_t i = 0; i < s.n; i++)
		copy[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + ('a' - 'A')) : s.p[i];
	return (struct str){copy, s.n};
}

struct str str_format(struct arena *arena, const char *format, ...)
{
	va_list arguments, again;
	char *text;
	int n;

	va_start(arguments, format);
	va_copy(again, arguments);
	n = vsnprintf(NULL, 0, format, arguments);
	assert(n >= 0);
	text = arena_array(arena, (size_t)n + 1, 1, 1);
	vsnprintf(text, (size_t)n + 1, format, again);
	va_end(again);
	va_end(arguments);
	return (struct str){text, (size_t)n};
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: insert, delete, replace and swapping two neighbours each cost one. */
static size_t edit_distance(struct str a, struct str b)
{
	size_t rows[3][NEAREST_MAX + 1];

	for (size_t j = 0; j <= b.n; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			row[j] = above[j - 1] + (a.p[i - 1] != b.p[j - 1]);
			row[j] = least(row[j], least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				row[j] = least(row[j], rows[(i + 1) % 3][j - 2] + 1);
		}
	}
	return rows[a.n % 3][b.n];
}

bool str_among(struct str s, const struct str *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(items[i], s))
			return true;
	return false;
}

struct str str_nearest(struct str word, const struct str *words, size_t count)
{
	struct str nearest = {NULL, 0};
	size_t best = word.n / 3 > 1 ? word.n / 3 : 1;

	if (word.n == 0 || word.n > NEAREST_MAX)
		return nearest;
	for (size_t i = 0; i < count; i++) {
		size_t distance;

		if (words[i].n == 0 || words[i].n > NEAREST_MAX)
			continue;
		distance = edit_distance(word, words[i]);
		/* A distance of the word's whole length shares nothing with it. */
		if (distance > best || distance >= word.n + (word.n == 1) || (nearest.p != NULL && distance == best))
			continue;
		best = distance;
		nearest = words[i];
	}
	return nearest;
}

int str_order(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

const char *str_plural(size_t count)
{
	return count == 1 ? "" : "s";
}
