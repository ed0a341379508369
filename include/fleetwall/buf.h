/* A buffer that grows, in an arena. All output is put together in one of these; only cli/, push/ and the store write
 * to descriptors. */
#ifndef FLEETWALL_BUF_H
#define FLEETWALL_BUF_H

#include <string.h>

#include "fleetwall/str.h"

struct buf {
	struct arena *arena;
	char *p;
	size_t n, capacity;
};

struct buf buf_new(struct arena *arena);
/* Also makes room: an exact capacity saves copies where the size is known. */
void buf_reserve(struct buf *buf, size_t more);
/* These two are here because most of what is put together is a few bytes at a time. */
static inline void buf_add(struct buf *buf, struct str s)
{
	if (s.n == 0)
		return;
	if (s.n > buf->capacity - buf->n)
		buf_reserve(buf, s.n);
	memcpy(buf->p + buf->n, s.p, s.n);
	buf->n += s.n;
}
static inline void buf_char(struct buf *buf, char c)
{
	if (buf->n == buf->capacity)
		buf_reserve(buf, 1);
	buf->p[buf->n++] = c;
}
void buf_number(struct buf *buf, uint64_t number);
void buf_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What is in it now; valid until the next addition. */
struct str buf_str(const struct buf *buf);

#endif
