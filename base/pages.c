/* Large pieces of memory, from blocks that the kernel is asked to back with huge pages, while those come quickly: to
 * touch a megabyte of small ones for the first time costs more than most of what is done with it, and gives a fork as
 * many entries to copy. Pieces of one block are taken one behind the other, and its memory is free again when all of
 * them are. */
#include "pages.h"

#include <assert.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

#define BLOCK ((size_t)2 << 20) /* a huge page where pages have 4 KiB; blocks begin at multiples of it */
#define LINE ((size_t)64)       /* pieces begin at multiples of it */

/* A huge page takes 0.2 ms to be cleared, and the small ones in its place 0.8 ms. But where the machine is a virtual
 * one that gives free memory back to its host, huge pages are what it gives back, and each takes 4 ms to come again. */
#define HUGE_SLOW (1000 * 1000) /* nanoseconds */

struct block {
	alignas(64) struct block *next; /* in a list */
	size_t size, used, pieces;
};

static struct {
	pthread_mutex_t lock;
	struct block *open;  /* of one BLOCK, with room in them, or empty */
	struct block *spare; /* larger ones, each of them empty */
	size_t kept, most;   /* bytes of empty blocks */
	bool begun;          /* there is a block */
	bool small;          /* pages are what blocks get from now on */
} store = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* --- blocks --- */

static void *map(size_t size)
{
	void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mapped == MAP_FAILED ? NULL : mapped;
}

/* The kernel mostly puts a mapping in front of the last one, so that one in its place makes the next ones fit too. */
static char *map_aligned(size_t size)
{
	char *mapped = map(size);

	if (mapped == NULL || ((uintptr_t)mapped & (BLOCK - 1)) == 0)
		return mapped;
	(void)munmap(mapped, size);
	mapped = map(size + BLOCK);
	if (mapped == NULL)
		return NULL;
	size_t before = -(uintptr_t)mapped & (BLOCK - 1);

	if (before > 0)
		(void)munmap(mapped, before);
	(void)munmap(mapped + before + size, BLOCK - before);
	return mapped + before;
}

static int64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* One after the other, because those that were in use a moment ago come quickly, and the next one may not. A last huge
 * page that would be half empty is left small. Without huge pages everything is. */
static void touch_huge(struct block *block, size_t need)
{
	size_t size = (need + BLOCK / 2) & ~(BLOCK - 1);

	for (size_t at = 0; at < size && !store.small; at += BLOCK) {
		volatile char *page = (char *)block + at;
		int64_t begun = nanoseconds();

		(void)madvise((void *)page, BLOCK, MADV_HUGEPAGE);
		*page = 0;
		store.small = nanoseconds() - begun > HUGE_SLOW;
	}
}

/* Who needs a single block need not have all of it cleared. */
static struct block *block_new(size_t need)
{
	size_t size = (need + BLOCK - 1) & ~(BLOCK - 1);
	struct block *block = (void *)map_aligned(size);

	if (block == NULL)
		return NULL;
	if (store.begun && !store.small)
		touch_huge(block, need);
	if (!store.begun || store.small)
		(void)madvise(block, size, MADV_NOHUGEPAGE);
	store.begun = true;
	*block = (struct block){.size = size, .used = sizeof *block};
	return block;
}

static struct block *block_of(void *piece)
{
	return (void *)((char *)piece - ((uintptr_t)piece & (BLOCK - 1)));
}

static void remove_from(struct block **link, const struct block *block)
{
	while (*link != NULL && *link != block)
		link = &(*link)->next;
	if (*link != NULL)
		*link = block->next;
}

/* --- pieces --- */

static struct block *with_room(size_t size)
{
	for (struct block *block = store.open; block != NULL; block = block->next)
		if (block->size - block->used >= size)
			return block;
	struct block *block = block_new(BLOCK);

	if (block != NULL) {
		block->next = store.open;
		store.open = block;
		store.kept += block->size;
	}
	return block;
}

static struct block *large_one(size_t need)
{
	for (struct block **link = &store.spare; *link != NULL; link = &(*link)->next) {
		struct block *block = *link;

		if (block->size < need || block->size / 2 > need)
			continue;
		*link = block->next;
		return block;
	}
	struct block *block = block_new(need);

	if (block != NULL)
		store.kept += block->size;
	return block;
}

static void *take(size_t size)
{
	bool small = size <= BLOCK - sizeof(struct block);
	struct block *block = small ? with_room(size) : large_one(size + sizeof *block);

	if (block == NULL)
		return NULL;
	char *piece = (char *)block + block->used;

	if (block->pieces++ == 0)
		store.kept -= block->size;
	block->used += size;
	if (small && block->size - block->used < PAGES_LEAST)
		remove_from(&store.open, block);
	return piece;
}

void *pages_take(size_t size)
{
	if (size > SIZE_MAX / 4)
		return NULL;
	pthread_mutex_lock(&store.lock);
	void *piece = take((size + LINE - 1) & ~(LINE - 1));

	pthread_mutex_unlock(&store.lock);
	return piece;
}

/* The block is empty: it is kept, or goes back. */
static void give_up(struct block *block)
{
	struct block **list = block->size == BLOCK ? &store.open : &store.spare;

	remove_from(list, block);
	if (store.kept + block->size > store.most) {
		(void)munmap(block, block->size);
		return;
	}
	store.kept += block->size;
	block->used = sizeof *block;
	block->next = *list;
	*list = block;
}

void pages_give(void *piece)
{
	struct block *block = block_of(piece);

	pthread_mutex_lock(&store.lock);
	assert(block->pieces > 0);
	if (--block->pieces == 0)
		give_up(block);
	pthread_mutex_unlock(&store.lock);
}

void pages_keep(size_t size)
{
	pthread_mutex_lock(&store.lock);
	store.most = size;
	pthread_mutex_unlock(&store.lock);
}
