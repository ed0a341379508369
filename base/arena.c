/* Memory in chunks that grow, given up all at once. The one place that calls malloc and free for our own objects (large
 * chunks are pages), and the one place where the program ends for want of memory. Under AddressSanitizer everything not
 * handed out is poisoned, with a gap behind each object, so that an overrun is seen although malloc knows nothing of
 * it. */
#include "fleetwall/arena.h"

#include <assert.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pages.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define ARENA_POISONS 1
#endif

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define GAP 16
#define PAGED 0 /* all of it from malloc, so that LeakSanitizer finds what only an arena refers to */
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define GAP 0
#define PAGED 1
#endif

#define FIRST_CHUNK ((size_t)4 << 10)
#define LARGEST_CHUNK (((size_t)1 << 20) - 128) /* two of them, with their heads, are no more than a huge page */
#define OUT_OF_MEMORY 3 /* the exit code for surroundings that failed */

struct chunk {
	struct chunk *next;
	size_t size, used;
	_Alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct chunk *first, *current;
	size_t next_size, total;
};

_Noreturn void arena_exhausted(void)
{
	static const char message[] = "fleetwall: out of memory\n";

	/* Nothing can be done if this fails as well. */
	if (write(STDERR_FILENO, message, sizeof message - 1) < 0)
		_exit(OUT_OF_MEMORY);
	exit(OUT_OF_MEMORY);
}

static bool is_paged(size_t size)
{
	return PAGED && size >= PAGES_LEAST;
}

static void *memory_take(size_t size)
{
	return is_paged(size) ? pages_take(size) : malloc(size);
}

static void memory_give(void *memory, size_t size)
{
	if (is_paged(size))
		pages_give(memory);
	else
		free(memory);
}

static struct chunk *chunk_new(struct arena *arena, size_t size)
{
	struct chunk *chunk;

	if (size > SIZE_MAX / 2)
		arena_exhausted();
	if (size < arena->next_size)
		size = arena->next_size;
	chunk = memory_take(sizeof *chunk + size);
	if (chunk == NULL)
		arena_exhausted();
	*chunk = (struct chunk){.size = size};
	ASAN_POISON_MEMORY_REGION(chunk->data, size);
	arena->total += sizeof *chunk + size;
	if (arena->next_size < LARGEST_CHUNK)
		arena->next_size = arena->next_size * 2 < LARGEST_CHUNK ? arena->next_size * 2 : LARGEST_CHUNK;
	return chunk;
}

/* The first touch of a page costs more than most of what is done with it, and large pieces would be mapped and
 * unmapped each time; those of libraries as well. */
void arena_keep(size_t size)
{
	const size_t largest = (size_t)32 << 20; /* that malloc takes from its heap */

	(void)mallopt(M_MMAP_THRESHOLD, (int)largest);
	(void)mallopt(M_TRIM_THRESHOLD, (int)(size < INT32_MAX ? size : INT32_MAX));
	pages_keep(size);
}

struct arena *arena_new(void)
{
	struct arena *arena = malloc(sizeof *arena);

	if (arena == NULL)
		arena_exhausted();
	*arena = (struct arena){.next_size = FIRST_CHUNK, .total = sizeof *arena};
	return arena;
}

void arena_free(struct arena *arena)
{
	struct chunk *chunk, *next;

	if (arena == NULL)
		return;
	for (chunk = arena->first; chunk != NULL; chunk = next) {
		next = chunk->next;
		ASAN_UNPOISON_MEMORY_REGION(chunk->data, chunk->size);
		memory_give(chunk, sizeof *chunk + chunk->size);
	}
	free(arena);
}

void arena_reset(struct arena *arena)
{
	for (struct chunk *chunk = arena->first; chunk != NULL; chunk = chunk->next) {
		chunk->used = 0;
		ASAN_POISON_MEMORY_REGION(chunk->data, chunk->size);
	}
	arena->current = arena->first;
}

/* Where in the chunk an object of this alignment would begin. */
static size_t aligned_place(const struct chunk *chunk, size_t align)
{
	uintptr_t end = (uintptr_t)chunk->data + chunk->used;

	return chunk->used + (size_t)(-end & (align - 1));
}

static bool chunk_holds(const struct chunk *chunk, size_t size, size_t align)
{
	size_t place = aligned_place(chunk, align);

	return place <= chunk->size && size <= chunk->size - place;
}

/* Takes the first chunk that holds the object out of the list that begins at `*link`; NULL if none does. */
static struct chunk *take_kept(struct chunk **link, size_t size, size_t align)
{
	struct chunk *chunk;

	while (*link != NULL && !chunk_holds(*link, size, align))
		link = &(*link)->next;
	chunk = *link;
	if (chunk != NULL)
		*link = chunk->next;
	return chunk;
}

/* The chunk to take from: the current one, else one that a reset has kept, else a new one. Those before the current one
 * are in use, those behind it are empty. */
static struct chunk *chunk_for(struct arena *arena, size_t size, size_t align)
{
	struct chunk **link = arena->current != NULL ? &arena->current->next : &arena->first, *chunk;

	if (arena->current != NULL && chunk_holds(arena->current, size, align))
		return arena->current;
	chunk = take_kept(link, size, align);
	if (chunk == NULL)
		chunk = chunk_new(arena, size + align);
	chunk->next = *link;
	*link = chunk;
	arena->current = chunk;
	return chunk;
}

/* Memory for an object, as the last round left it. */
static void *take(struct arena *arena, size_t bytes, size_t align)
{
	struct chunk *chunk;
	unsigned char *object;
	size_t place;

	if (bytes > SIZE_MAX / 4)
		arena_exhausted();
	chunk = chunk_for(arena, bytes + GAP, align);
	place = aligned_place(chunk, align);
	chunk->used = place + bytes + GAP;
	object = chunk->data + place;
	ASAN_UNPOISON_MEMORY_REGION(object, bytes);
	return object;
}

void *arena_array(struct arena *arena, size_t count, size_t size, size_t align)
{
	size_t bytes;

	assert(align != 0 && (align & (align - 1)) == 0);
	if (__builtin_mul_overflow(count, size, &bytes))
		arena_exhausted();
	return memset(take(arena, bytes, align), 0, bytes);
}

void *arena_raw(struct arena *arena, size_t size)
{
	return take(arena, size, _Alignof(max_align_t));
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return arena_array(arena, size, 1, _Alignof(max_align_t));
}

void *arena_grow(struct arena *arena, void *array, size_t count, size_t *capacity, size_t size, size_t align)
{
	void *larger;

	if (count < *capacity)
		return array;
	if (*capacity > SIZE_MAX / 4)
		arena_exhausted();
	*capacity = *capacity == 0 ? 8 : *capacity * 2;
	larger = arena_array(arena, *capacity, size, align);
	if (count > 0)
		memcpy(larger, array, count * size);
	return larger;
}

size_t arena_size(const struct arena *arena)
{
	return arena->total;
}
