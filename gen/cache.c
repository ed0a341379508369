/* OUT/cache, read and written. Both files get their bytes under another name and then their place, the model first;
 * what does not fit together is found by sums. Reading never fails a run: whatever is odd about the files, there is
 * no cache then. Refuses to know what a fleet is, and what makes a head outdated: that is for those who use it. */
#include "fleetwall/cache.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cache_disk.h"
#include "cache_files.h"
#include "cache_sum.h"
#include "fleetwall/arena.h"
#include "fleetwall/parallel.h"
#include "store_tree.h"

#define HEAD "head"
#define MODEL "model"
#define NEW ".new"

/* --- head --- */

bool cache_read_head(struct arena *arena, struct str output, struct cache_head *head)
{
	uint64_t size;
	int file = cache_open(arena, output, HEAD, &size);
	/* A million digests are 32 MB. Memory that can't be had would end the program. */
	const uint64_t most = (uint64_t)256 << 20;

	if (file < 0)
		return false;
	char *bytes = size <= most ? arena_raw(arena, size) : NULL;
	bool whole = bytes != NULL && cache_pread(file, bytes, size, 0);

	(void)close(file);
	return whole && head_parse((struct str){bytes, size}, head);
}

/* --- model, in blocks: each is a piece of work --- */

enum { BLOCK = 1 << 20 };

/* The file that is read or written, and the sum of each block of it. */
struct blocks {
	int file;
	uint64_t size;
	char *bytes;                     /* reading: the first `kept`, and room for a block for each worker */
	uint64_t kept;
	struct str pieces[MODEL_PIECES]; /* writing */
	uint64_t *sums;
	bool *done; /* reading */
};

static size_t block_count(uint64_t size)
{
	return (size_t)((size + BLOCK - 1) / BLOCK);
}

/* What the head knows the file by. */
static struct digest digest_of_blocks(const struct blocks *blocks)
{
	size_t size = block_count(blocks->size) * sizeof *blocks->sums;

	return digest_of((struct str){(const char *)blocks->sums, size});
}

static struct error *read_block(void *context, unsigned worker, size_t item)
{
	struct blocks *blocks = context;
	uint64_t at = (uint64_t)item * BLOCK, left = blocks->size - at;
	char *to = blocks->bytes + (at < blocks->kept ? at : blocks->kept + (uint64_t)worker * BLOCK);
	struct str bytes = {to, left < BLOCK ? left : BLOCK};

	blocks->done[item] = cache_pread(blocks->file, to, bytes.n, at);
	if (blocks->done[item])
		blocks->sums[item] = sum_of(bytes);
	return NULL;
}

static bool read_blocks(struct arena *scratch, struct blocks *blocks, const struct digest *wanted)
{
	size_t count = block_count(blocks->size);

	blocks->sums = ARENA_ARRAY(scratch, uint64_t, count);
	blocks->done = ARENA_ARRAY(scratch, bool, count);
	if (parallel_each(parallel_workers(), count, read_block, blocks) != NULL)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!blocks->done[i])
			return false;
	struct digest digest = digest_of_blocks(blocks);

	return digest_eq(&digest, wanted);
}

/* `fleet_alone`: what is known of its bytes is looked at as well, for the digest, but not kept. */
static bool read_model(struct arena *arena, struct arena *scratch, struct blocks *blocks, const struct digest *wanted,
                       bool fleet_alone)
{
	struct model_header header;
	uint64_t size;

	if (!cache_pread(blocks->file, &header, sizeof header, 0) || !model_size(&header, &size) ||
	    size != blocks->size || size > SIZE_MAX / 8)
		return false;
	blocks->kept = (uint64_t)block_count(sizeof header + header.fleet_size) * BLOCK;
	if (!fleet_alone || blocks->kept > size)
		blocks->kept = size;
	blocks->bytes = arena_raw(arena, blocks->kept + (size > blocks->kept ? parallel_workers() * BLOCK : 0));
	return read_blocks(scratch, blocks, wanted);
}

static bool open_and_read(struct arena *arena, struct str output, const struct cache_head *head, bool fleet_alone,
                          struct blocks *blocks)
{
	struct arena *scratch = arena_new();
	bool whole = false;

	blocks->file = cache_open(scratch, output, MODEL, &blocks->size);
	if (blocks->file >= 0) {
		whole = read_model(arena, scratch, blocks, &head->model, fleet_alone);
		(void)close(blocks->file);
	}
	arena_free(scratch);
	return whole;
}

bool cache_read_model(struct arena *arena, struct str output, const struct cache_head *head, struct str *fleet,
                      struct knowledge *knowledge)
{
	struct blocks blocks = {0};

	return open_and_read(arena, output, head, false, &blocks) &&
	       model_parse(blocks.bytes, blocks.size, fleet, knowledge);
}

bool cache_read_fleet(struct arena *arena, struct str output, const struct cache_head *head, struct str *fleet)
{
	struct blocks blocks = {0};

	return open_and_read(arena, output, head, true, &blocks) && model_fleet(blocks.bytes, blocks.kept, fleet);
}

/* --- writing --- */

/* What of the pieces lies between two places of the file. */
static size_t cut_pieces(const struct str *pieces, uint64_t from, uint64_t to, struct str cut[MODEL_PIECES])
{
	uint64_t start = 0;
	size_t count = 0;

	for (size_t i = 0; i < MODEL_PIECES; i++) {
		uint64_t end = start + pieces[i].n;

		if (start < to && end > from && start < end)
			cut[count++] = str_slice(pieces[i], from > start ? from - start : 0, to - start);
		start = end;
	}
	return count;
}

static struct error *write_block(void *context, unsigned worker, size_t item)
{
	struct blocks *blocks = context;
	struct str cut[MODEL_PIECES];
	uint64_t at = (uint64_t)item * BLOCK;
	size_t count = cut_pieces(blocks->pieces, at, at + BLOCK, cut);
	struct summing summing = sum_begin();

	(void)worker;
	for (size_t i = 0; i < count; i++) {
		sum_add(&summing, cut[i]);
		if (!cache_pwrite(blocks->file, cut[i], at))
			return error_errno("can't write " CACHE_FOLDER "/" MODEL);
		at += cut[i].n;
	}
	blocks->sums[item] = sum_end(&summing);
	return NULL;
}

static struct error *close_written(int file, const char *name, struct error *error)
{
	if (close(file) != 0 && error == NULL)
		error = error_errno("can't write " CACHE_FOLDER "/%s", name);
	return error;
}

static struct error *write_model(int folder, struct str fleet, const struct knowledge *knowledge,
                                 struct digest *digest)
{
	struct model_header header;
	struct blocks blocks = {0};

	TRY(cache_new_file(folder, MODEL NEW, &blocks.file));
	struct arena *scratch = arena_new();

	model_pieces(&header, fleet, knowledge, blocks.pieces);
	for (size_t i = 0; i < MODEL_PIECES; i++)
		blocks.size += blocks.pieces[i].n;
	blocks.sums = ARENA_ARRAY(scratch, uint64_t, block_count(blocks.size));
	struct error *error = parallel_each(parallel_workers(), block_count(blocks.size), write_block, &blocks);

	*digest = digest_of_blocks(&blocks);
	arena_free(scratch);
	return close_written(blocks.file, MODEL, error);
}

static struct error *write_head(int folder, const struct cache_head *head)
{
	int file;

	TRY(cache_new_file(folder, HEAD NEW, &file));
	struct arena *scratch = arena_new();
	struct error *error = NULL;

	if (!cache_pwrite(file, head_print(scratch, head), 0))
		error = error_errno("can't write " CACHE_FOLDER "/" HEAD);
	arena_free(scratch);
	return close_written(file, HEAD, error);
}

static struct error *put_in_place(int folder, const char *from, const char *to)
{
	if (renameat(folder, from, folder, to) != 0)
		return error_errno("can't rename " CACHE_FOLDER "/%s", from);
	return NULL;
}

static struct error *put_all_in_place(int folder, bool with_model)
{
	if (with_model)
		TRY(put_in_place(folder, MODEL NEW, MODEL));
	return put_in_place(folder, HEAD NEW, HEAD);
}

static struct error *complete(int folder, const struct cache_head *head, bool with_model)
{
	struct error *error = write_head(folder, head);

	return error != NULL ? error : put_all_in_place(folder, with_model);
}

/* Whatever fails, what was there stays, and nothing else does. */
static struct error *or_remove(int folder, struct error *error)
{
	if (error != NULL) {
		(void)unlinkat(folder, MODEL NEW, 0);
		(void)unlinkat(folder, HEAD NEW, 0);
	}
	return error;
}

static struct error *in_output(const struct store *store, struct error *error)
{
	return error_in(error, "output folder %.*s", STR_ARG(store->output));
}

struct error *cache_prepare(struct store *store, struct str fleet, const struct knowledge *knowledge,
                            struct digest *model)
{
	int folder = -1;
	struct error *error = cache_open_folder(store->root, &folder);

	if (error == NULL) {
		error = or_remove(folder, write_model(folder, fleet, knowledge, model));
		(void)close(folder);
	}
	return in_output(store, error);
}

static struct error *write_head_of(struct store *store, const struct cache_head *head, bool with_model)
{
	int folder = -1;

	assert(head->number > 0);
	struct error *error = cache_open_folder(store->root, &folder);

	if (error == NULL) {
		error = or_remove(folder, complete(folder, head, with_model));
		(void)close(folder);
	}
	return in_output(store, error);
}

struct error *cache_complete(struct store *store, const struct cache_head *head)
{
	return write_head_of(store, head, true);
}

void cache_abandon(struct store *store)
{
	(void)unlinkat(store->root, CACHE_FOLDER "/" MODEL NEW, 0);
}

struct error *cache_write(struct store *store, struct cache_head *head, struct str fleet,
                          const struct knowledge *knowledge)
{
	if (fleet.p != NULL)
		TRY(cache_prepare(store, fleet, knowledge, &head->model));
	return write_head_of(store, head, fleet.p != NULL);
}

struct error *cache_drop(struct store *store)
{
	if (unlinkat(store->root, CACHE_FOLDER "/" HEAD, 0) == 0 || errno == ENOENT || errno == ENOTDIR)
		return NULL;
	return error_in(error_errno("can't remove " CACHE_FOLDER "/" HEAD), "output folder %.*s",
	                STR_ARG(store->output));
}
