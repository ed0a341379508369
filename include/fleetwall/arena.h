/* Memory with few lifetimes: run, ruleset, pass. Objects in an arena are never freed one by one; who makes an
 * arena frees it in the same function. Out of memory ends the program from here (exit code 3), so no
 * caller checks. Under AddressSanitizer the arena poisons what it has not handed out. */
#ifndef FLEETWALL_ARENA_H
#define FLEETWALL_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena); /* NULL is fine */
/* Gives all its objects up and keeps the memory for the next round of a loop. */
void arena_reset(struct arena *arena);

/* Zeroed, aligned for any type. size 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);
/* Zeroed, aligned to `align` (a power of two). count * size is checked for overflow. */
void *arena_array(struct arena *arena, size_t count, size_t size, size_t align);
/* Not zeroed, aligned as arena_alloc(): for large blocks that are written as a whole at once. */
void *arena_raw(struct arena *arena, size_t size);

#define ARENA_NEW(arena, type) ((type *)arena_array((arena), 1, sizeof(type), _Alignof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_array((arena), (count), sizeof(type), _Alignof(type)))

/* Room for one more element at the end of an array that lives in `arena`: the array, moved if it had to
 * grow (doubling; the old place stays valid until the arena goes). `count` elements are in use. */
void *arena_grow(struct arena *arena, void *array, size_t count, size_t *capacity, size_t size, size_t align);

/* APPEND(arena, list, value): for a struct with members `items`, `count`, `capacity`. */
#define APPEND(arena, list, value)                                                                                  \
	do {                                                                                                        \
		(list)->items = arena_grow((arena), (list)->items, (list)->count, &(list)->capacity,                \
		                           sizeof *(list)->items, _Alignof(max_align_t));                           \
		(list)->items[(list)->count++] = (value);                                                           \
	} while (0)

/* Of memory that arenas gave up, so many bytes stay with the process for the next arena. For the start of a program. */
void arena_keep(size_t size);

/* Ends the program as every want of memory does; for libraries that say so to their caller. */
_Noreturn void arena_exhausted(void);

/* Bytes taken from the system by this arena, for figures. */
size_t arena_size(const struct arena *arena);

#endif
