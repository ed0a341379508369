/* Strings are slices, {pointer, length}, passed by value. Nothing relies on a NUL at the end, and a
 * str owns nothing: it lives as long as the memory it points into (an arena, or a literal). */
#ifndef FLEETWALL_STR_H
#define FLEETWALL_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
/* For printf's "%.*s". */
#define STR_ARG(s) (int)(s).n, (s).p

/* The text of a NUL-terminated string, without the NUL; NULL gives the empty str. */
struct str str_of(const char *text);

bool str_eq(struct str a, struct str b);
/* Byte order, as memcmp; a prefix sorts before what it begins. Never depends on a locale. */
int str_cmp(struct str a, struct str b);
/* Is `s` this NUL-terminated text? */
bool str_is(struct str s, const char *text);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Where `byte` first stands in `s`, or s.n. */
size_t str_find(struct str s, char byte);
struct str str_trim(struct str s);                     /* without space, tab, CR, LF at both ends */
struct str str_slice(struct str s, size_t from, size_t to); /* clamped to s */

/* Cuts the part before the next `separator` off `*rest`. False when `*rest` is used up. "a,,b" gives "a",
 * "", "b"; the empty string gives one empty part. Start with *rest = the whole; rest->p == NULL ends. */
bool str_cut(struct str *rest, char separator, struct str *part);

/* Decimal digits only, no sign, no blanks; false when it is not a number or is above `max`. */
bool str_number(struct str s, uint64_t max, uint64_t *number);

/* Strict UTF-8 (RFC 3629): no overlong forms, no surrogates. The offset of the first bad byte, or s.n. */
size_t str_utf8_error(struct str s);
/* Has it a byte below 0x20, or 0x7f? */
bool str_has_control(struct str s);

struct str str_copy(struct arena *arena, struct str s);
/* With a NUL behind it, for the C library and execve; `s` must hold no NUL (asserted). */
char *str_c(struct arena *arena, struct str s);
struct str str_lower(struct arena *arena, struct str s); /* ASCII only */
struct str str_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool str_among(struct str s, const struct str *items, size_t count);

/* The word of `words` that is nearest to `word` by edit distance (transpositions count one), if it is near
 * enough to be what was meant: at most a third of its length, and at least one. {NULL, 0} otherwise. */
struct str str_nearest(struct str word, const struct str *words, size_t count);

/* The end of a word that so many are counted with: "s", or nothing for one. */
const char *str_plural(size_t count);

/* For qsort over arrays of str. */
int str_order(const void *a, const void *b);

#endif
