/* A buffer that grows, in an arena. All output is put together in one of these; only cli/, push/ and the store write
 * to descriptors. */
#ifndef FLEETWALL_BUF_H
#define FLEETWALL_BUF_H

#include "fleetwall/str.h"

struct buf {
	struct arena *arena;
	char *p;
	size_t n, capacity;
};

struct buf buf_new(struct arena *arena);
/* Also makes room: an exact capacity saves copies where the size is known. */
void buf_reserve(struct buf *buf, size_t more);
void buf_add(struct buf *buf, struct str s);
void buf_char(struct buf *buf, char c);
void buf_number(struct buf *buf, uint64_t number);
void buf_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What is in it now; valid until the next addition. */
struct str buf_str(const struct buf *buf);

#endif
