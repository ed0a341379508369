/* OUT/cache/proofs: keys of what was proved, written and read as the other files of the cache are. Refuses to know what
 * a proof is. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cache_disk.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/cache.h"
#include "store_tree.h"

#define PROOFS "proofs"
#define NEW ".new"
#define PROOFS_MAGIC "fwproof1" /* the last character is the version of the layout */
/* Two million keys. Memory that can't be had would end the program. */
#define PROOFS_MOST ((uint64_t)64 << 20)

/* In the file the keys follow, and the digest of it all. */
struct proofs_header {
	char magic[8];
	uint64_t count;
	struct digest whole;
};

_Static_assert(sizeof(struct proofs_header) == 8 + 8 + 32, "no byte of it is padding");

static struct str read_file(struct arena *arena, struct str output)
{
	uint64_t size;
	int file = cache_open(arena, output, PROOFS, &size);
	struct str bytes = {NULL, 0};

	if (file < 0)
		return bytes;
	char *room = size <= PROOFS_MOST ? arena_raw(arena, size) : NULL;

	if (room != NULL && cache_pread(file, room, size, 0))
		bytes = (struct str){room, size};
	(void)close(file);
	return bytes;
}

static bool is_whole(struct str bytes, const struct proofs_header *header)
{
	size_t keys = bytes.n - sizeof *header - sizeof(struct digest);
	struct digest own = digest_of(str_slice(bytes, 0, bytes.n - sizeof own)), said;

	memcpy(&said, bytes.p + bytes.n - sizeof said, sizeof said);
	return memcmp(header->magic, PROOFS_MAGIC, sizeof header->magic) == 0 && keys % sizeof said == 0 &&
	       header->count == keys / sizeof said && digest_eq(&own, &said);
}

bool cache_read_proofs(struct arena *arena, struct str output, struct proofs *proofs)
{
	struct str bytes = read_file(arena, output);
	struct proofs_header header;

	*proofs = (struct proofs){.count = 0};
	if (bytes.n < sizeof header + sizeof(struct digest))
		return false;
	memcpy(&header, bytes.p, sizeof header);
	if (!is_whole(bytes, &header))
		return false;
	*proofs = (struct proofs){header.whole, ARENA_ARRAY(arena, struct digest, header.count), header.count};
	memcpy(proofs->keys, bytes.p + sizeof header, header.count * sizeof *proofs->keys);
	return true;
}

static struct str print(struct arena *arena, const struct proofs *proofs)
{
	struct proofs_header header = {.magic = PROOFS_MAGIC, .count = proofs->count, .whole = proofs->whole};
	struct buf buf = buf_new(arena);

	buf_reserve(&buf, sizeof header + (proofs->count + 1) * sizeof(struct digest));
	buf_add(&buf, (struct str){(const char *)&header, sizeof header});
	buf_add(&buf, (struct str){(const char *)proofs->keys, proofs->count * sizeof *proofs->keys});
	struct digest own = digest_of(buf_str(&buf));

	buf_add(&buf, (struct str){(const char *)&own, sizeof own});
	return buf_str(&buf);
}

static struct error *write_file(struct arena *scratch, int folder, const struct proofs *proofs)
{
	struct error *error = NULL;
	int file;

	TRY(cache_new_file(folder, PROOFS NEW, &file));
	if (!cache_pwrite(file, print(scratch, proofs), 0))
		error = error_errno("can't write " CACHE_FOLDER "/" PROOFS);
	if (close(file) != 0 && error == NULL)
		error = error_errno("can't write " CACHE_FOLDER "/" PROOFS);
	if (error == NULL && renameat(folder, PROOFS NEW, folder, PROOFS) != 0)
		error = error_errno("can't rename " CACHE_FOLDER "/" PROOFS NEW);
	if (error != NULL)
		(void)unlinkat(folder, PROOFS NEW, 0);
	return error;
}

struct error *cache_write_proofs(struct store *store, const struct proofs *proofs)
{
	struct arena *scratch = arena_new();
	int folder = -1;
	struct error *error = cache_open_folder(store->root, &folder);

	if (error == NULL) {
		error = write_file(scratch, folder, proofs);
		(void)close(folder);
	}
	arena_free(scratch);
	return error_in(error, "output folder %.*s", STR_ARG(store->output));
}
