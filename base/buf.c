/* The buffer that all output is put together in. Grows by doubling inside its arena, so the places it outgrew stay
 * behind until the arena goes; buf_reserve() avoids that where the size is known. Writes to no descriptor. */
#include "fleetwall/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fleetwall/arena.h"

struct buf buf_new(struct arena *arena)
{
	return (struct buf){.arena = arena};
}

void buf_reserve(struct buf *buf, size_t more)
{
	char *larger;
	size_t capacity = buf->capacity * 2;

	if (more <= buf->capacity - buf->n)
		return;
	if (capacity < buf->n + more)
		capacity = buf->n + more;
	if (capacity < 64)
		capacity = 64;
	larger = arena_raw(buf->arena, capacity);
	if (buf->n > 0)
		memcpy(larger, buf->p, buf->n);
	buf->p = larger;
	buf->capacity = capacity;
}

void buf_number(struct buf *buf, uint64_t number)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	buf_add(buf, (struct str){digits + at, sizeof digits - at});
}

void buf_format(struct buf *buf, const char *format, ...)
{
	va_list arguments, again;
	int n;

	va_start(arguments, format);
	va_copy(again, arguments);
	n = vsnprintf(NULL, 0, format, arguments);
	assert(n >= 0);
	buf_reserve(buf, (size_t)n + 1); /* vsnprintf writes a NUL behind it */
	vsnprintf(buf->p + buf->n, (size_t)n + 1, format, again);
	buf->n += (size_t)n;
	va_end(again);
	va_end(arguments);
}

struct str buf_str(const struct buf *buf)
{
	return buf->p == NULL ? STR("") : (struct str){buf->p, buf->n};
}
