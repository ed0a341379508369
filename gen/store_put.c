/* Putting objects into the store, from several threads at once, and what becomes of them: flushed and kept when the
 * generation that names them is published, taken back otherwise. Never changes an object that is right.
 *
 * A new object is written in place, without a rename of its own (a tenth of what it costs). Nobody reads it before a
 * generation names it, and none does before everything is written and on the disk; a killed run leaves half of it at
 * worst. So one that is there already is trusted only when all its bytes are the right ones, and gives way in one step,
 * by rename, when they are not: whoever reads it through an older generation sees the damaged one or the right one, and
 * is never without. Two threads that put the same digest do not meet: the first one claims it. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "store_disk.h"
#include "store_tree.h"

enum { FILE_PATH = TREE_PATH + 16 };

/* A claimed digest, in a table with open addressing. */
struct claim {
	struct object object;
	bool taken;
};

struct puts {
	struct arena *arena; /* its own: the store's may be in use by another thread */
	sem_t lock;          /* over all below; a semaphore, because making threads is not the store's business */
	struct claim *claims;
	size_t claim_count, claim_room;
	struct {
		struct object *items;
		size_t count, capacity;
	} made;             /* where nothing was; taken back unless they are published */
	bool unflushed;     /* something was made or mended */
	size_t mended;      /* stood there, and was something else */
	atomic_bool marked; /* TREE_UNPUBLISHED is there */
	atomic_bool fans[OBJECT_KINDS][256];
};

/* What a killed run left half done is no damage. */
size_t store_mended(const struct store *store)
{
	return store->sweep ? 0 : store->puts->mended;
}

size_t store_restored(const struct store *store, const struct generation *published)
{
	const struct puts *puts = store->puts;
	struct arena *scratch = arena_new();
	struct digest *digests[OBJECT_KINDS];
	size_t counts[OBJECT_KINDS], restored = 0;

	counts[OBJECT_RULESET] =
		entries_digests(scratch, published->manifest, published->machine_count, &digests[OBJECT_RULESET]);
	counts[OBJECT_SET] = entries_digests(scratch, published->sets, published->set_count, &digests[OBJECT_SET]);
	for (size_t i = 0; i < puts->made.count; i++) {
		const struct object *object = &puts->made.items[i];

		restored += digests_have(digests[object->kind], counts[object->kind], &object->digest);
	}
	arena_free(scratch);
	return restored;
}

struct puts *puts_new(void)
{
	struct arena *arena = arena_new();
	struct puts *puts = ARENA_NEW(arena, struct puts);

	puts->arena = arena;
	(void)sem_init(&puts->lock, 0, 1);
	return puts;
}

void puts_free(struct puts *puts)
{
	if (puts == NULL)
		return;
	(void)sem_destroy(&puts->lock);
	arena_free(puts->arena);
}

static void lock(struct puts *puts)
{
	while (sem_wait(&puts->lock) != 0)
		assert(errno == EINTR);
}

static void unlock(struct puts *puts)
{
	(void)sem_post(&puts->lock);
}

/* --- claims --- */

static bool same_object(const struct object *a, const struct object *b)
{
	return a->kind == b->kind && tree_same_place(&a->digest, &b->digest);
}

/* Where the object's claim is, or would be. The bytes of a digest are as good as random. */
static struct claim *find_claim(const struct puts *puts, const struct object *object)
{
	size_t at;

	memcpy(&at, object->digest.byte, sizeof at);
	for (at += object->kind;; at++) {
		struct claim *claim = &puts->claims[at & (puts->claim_room - 1)];

		if (!claim->taken || same_object(&claim->object, object))
			return claim;
	}
}

static void make_room(struct puts *puts)
{
	const struct claim *before = puts->claims;
	size_t room = puts->claim_room;

	if (2 * (puts->claim_count + 1) <= room)
		return;
	puts->claim_room = room == 0 ? 256 : 2 * room;
	puts->claims = ARENA_ARRAY(puts->arena, struct claim, puts->claim_room);
	for (size_t i = 0; i < room; i++)
		if (before[i].taken)
			*find_claim(puts, &before[i].object) = before[i];
}

/* False: another one is at it, or was. */
static bool claim_object(struct puts *puts, const struct object *object)
{
	lock(puts);
	make_room(puts);
	struct claim *claim = find_claim(puts, object);
	bool first = !claim->taken;

	if (first) {
		*claim = (struct claim){.object = *object, .taken = true};
		puts->claim_count++;
	}
	unlock(puts);
	return first;
}

bool tree_is_put(const struct store *store, const struct object *object)
{
	const struct puts *puts = store->puts;

	return puts->claim_room > 0 && find_claim(puts, object)->taken;
}

/* --- writing --- */

static void note_written(struct puts *puts, const struct object *object, bool made)
{
	lock(puts);
	if (made)
		APPEND(puts->arena, &puts->made, *object);
	else
		puts->mended++;
	puts->unflushed = true;
	unlock(puts);
}

struct error *tree_mark_unpublished(struct store *store)
{
	struct puts *puts = store->puts;
	struct error *error = NULL;
	bool made;

	lock(puts);
	if (!atomic_load(&puts->marked))
		error = disk_write_new(store->root, TREE_UNPUBLISHED, STR(""), &made);
	atomic_store(&puts->marked, error == NULL);
	unlock(puts);
	return error;
}

/* Before the first object that is not there: a killed run may leave some. */
static struct error *mark_before(struct store *store, const char *path)
{
	struct stat status;

	if (atomic_load(&store->puts->marked) || fstatat(store->root, path, &status, AT_SYMLINK_NOFOLLOW) == 0)
		return NULL;
	return tree_mark_unpublished(store);
}

/* The folder of the fan-out that the object lies in. */
static struct error *make_fan(struct store *store, const struct object *object)
{
	struct puts *puts = store->puts;
	unsigned char byte = object->digest.byte[0];
	char path[TREE_PATH];

	if (atomic_load(&puts->fans[object->kind][byte]))
		return NULL;
	snprintf(path, sizeof path, "%s/%02x", tree_folders[object->kind], byte);
	TRY(disk_make_folder(store->root, path));
	atomic_store(&puts->fans[object->kind][byte], true);
	return NULL;
}

static void ruleset_file(char file[FILE_PATH], const char *folder, size_t i)
{
	snprintf(file, FILE_PATH, "%s/%s", folder, tree_ruleset_files[i]);
}

static struct error *write_ruleset(const struct store *store, const char *folder, const struct str *files)
{
	char file[FILE_PATH];

	for (size_t i = 0; i < RULESET_FILES; i++) {
		ruleset_file(file, folder, i);
		TRY(disk_write(store->root, file, files[i]));
	}
	return NULL;
}

static bool has_object(const struct store *store, enum object_kind kind, const char *path, const struct str *files)
{
	char file[FILE_PATH];

	if (kind == OBJECT_SET)
		return disk_has(store->root, path, files[0]);
	for (size_t i = 0; i < RULESET_FILES; i++) {
		ruleset_file(file, path, i);
		if (!disk_has(store->root, file, files[i]))
			return false;
	}
	return true;
}

/* In place; *made is false when something stands there. */
static struct error *make_object(struct store *store, const struct object *object, const char *path,
                                 const struct str *files, bool *made)
{
	struct error *error;

	if (object->kind == OBJECT_SET) {
		error = disk_write_new(store->root, path, files[0], made);
		if (*made)
			note_written(store->puts, object, true);
		return error;
	}
	*made = mkdirat(store->root, path, 0755) == 0;
	if (!*made)
		return errno == EEXIST ? NULL : error_errno("can't make the folder %s", path);
	note_written(store->puts, object, true);
	return write_ruleset(store, path, files);
}

static struct error *write_fresh(const struct store *store, enum object_kind kind, const char *fresh,
                                 const struct str *files)
{
	if (kind == OBJECT_SET)
		return disk_write(store->root, fresh, files[0]);
	TRY(disk_make_folder(store->root, fresh));
	return write_ruleset(store, fresh, files);
}

/* Under a name that nobody reads, then into the place of what is damaged. */
static struct error *mend_object(struct store *store, const struct object *object, const char *path,
                                 const struct str *files)
{
	char fresh[TREE_PATH], hex[65];

	digest_hex(&object->digest, hex);
	snprintf(fresh, sizeof fresh, "%s/%s", TREE_NEW, hex);
	struct error *error = write_fresh(store, object->kind, fresh, files);

	if (error == NULL)
		error = disk_replace(store->root, fresh, path);
	if (error != NULL)
		error_collect(&error, disk_remove(store->root, fresh));
	else
		note_written(store->puts, object, false);
	return error;
}

static struct error *put(struct store *store, const struct object *object, const struct str *files)
{
	char path[TREE_PATH];
	bool made;

	tree_object(path, object);
	TRY(mark_before(store, path));
	TRY(make_fan(store, object));
	TRY(make_object(store, object, path, files, &made));
	if (made || has_object(store, object->kind, path, files))
		return NULL;
	return mend_object(store, object, path, files);
}

static struct error *put_once(struct store *store, enum object_kind kind, const struct digest *digest,
                              const struct str *files)
{
	const struct object object = {kind, *digest};

	if (!claim_object(store->puts, &object))
		return NULL;
	return error_hint(error_in(put(store, &object, files), "output folder %.*s", STR_ARG(store->output)),
	                  "what was published before is as it was");
}

struct error *store_put_ruleset(struct store *store, const struct ruleset *ruleset)
{
	const struct str files[RULESET_FILES] = {ruleset->rules[0], ruleset->rules[1], ruleset->sets_list};

	return put_once(store, OBJECT_RULESET, &ruleset->digest, files);
}

struct error *store_put_set(struct store *store, const struct set_file *set)
{
	return put_once(store, OBJECT_SET, &set->digest, &set->bytes);
}

/* --- what becomes of them --- */

/* Everything at once. A file system has one journal, so an fsync of each new file and of the folders that name it costs
 * as many commits: with one changed set on ext4 (a virtual disk, other programs at work) publishing took 34 ms so, and
 * 2 to 26 ms with syncfs; while another program wrote 400 MB/s, 25 ms both. */
struct error *tree_flush(struct store *store)
{
	if (syncfs(store->root) != 0)
		return error_errno("can't flush to disk");
	store->puts->unflushed = false;
	return NULL;
}

static void forget(struct puts *puts)
{
	puts->made.count = 0;
	puts->claim_count = 0;
	if (puts->claim_room > 0)
		memset(puts->claims, 0, puts->claim_room * sizeof *puts->claims);
	memset(puts->fans, 0, sizeof puts->fans);
}

struct error *tree_unmark(struct store *store)
{
	if (!atomic_load(&store->puts->marked) || store->sweep || store->puts->made.count > 0)
		return NULL;
	atomic_store(&store->puts->marked, false);
	return disk_remove(store->root, TREE_UNPUBLISHED);
}

struct error *tree_settle(struct store *store)
{
	if (store->puts->unflushed)
		TRY(tree_flush(store));
	forget(store->puts);
	return tree_unmark(store);
}

void tree_take_back(struct store *store)
{
	struct puts *puts = store->puts;
	struct error *errors = NULL;
	char path[TREE_PATH];

	for (size_t i = 0; i < puts->made.count; i++) {
		tree_object(path, &puts->made.items[i]);
		error_collect(&errors, disk_remove(store->root, path));
		*strrchr(path, '/') = '\0';
		(void)unlinkat(store->root, path, AT_REMOVEDIR); /* if it is empty now */
	}
	forget(puts);
	/* What could not be removed is found by the run after. */
	if (errors == NULL)
		errors = tree_unmark(store);
}
