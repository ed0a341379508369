/* Between the files of arenas: large pieces of memory. Safe to use from any thread. */
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

#include <stddef.h>

/* Smaller ones are the business of malloc. */
#define PAGES_LEAST ((size_t)128 << 10)

/* Not cleared, aligned for any type; NULL when there is no more memory. */
void *pages_take(size_t size);
void pages_give(void *piece);
/* So many bytes that were given back stay with the process. */
void pages_keep(size_t size);

#endif
