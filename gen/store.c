/* The output tree as a whole: opening and locking it, and the one moment of publishing. Objects, generations and links
 * have files of their own. Refuses to change what is published: everything is complete and on the disk before `current`
 * is renamed. */
#include "fleetwall/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "store_disk.h"
#include "store_tree.h"

static const char *const folders[] = {"store", TREE_RULESETS, TREE_SETS, "generations", "machines", "sets"};

static struct error *lock(struct store *store)
{
	store->lock = openat(store->root, ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (store->lock < 0)
		return error_errno("can't make the file .lock");
	while (flock(store->lock, LOCK_EX) != 0)
		if (errno != EINTR)
			return error_errno("can't lock .lock");
	return NULL;
}

/* A run that was killed may have left something in TREE_NEW; with the lock held, nobody needs it. */
static struct error *prepare(struct store *store)
{
	TRY(lock(store));
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		TRY(disk_make_folder(store->root, folders[i]));
	TRY(disk_remove(store->root, TREE_NEW));
	return disk_make_folder(store->root, TREE_NEW);
}

struct error *store_open(struct arena *arena, struct str output, struct store **store)
{
	struct store *opened = ARENA_NEW(arena, struct store);
	const char *path = str_c(arena, output);

	*opened = (struct store){.arena = arena, .root = -1, .lock = -1, .output = str_copy(arena, output)};
	struct error *error = disk_make_path(path);

	if (error == NULL) {
		opened->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		error = opened->root < 0 ? error_errno("can't open the folder") : prepare(opened);
	}
	if (error != NULL) {
		store_close(opened);
		return error_hint(error_in(error, "output folder %s", path),
		                  "nothing was published; the setting `output` says where it is");
	}
	*store = opened;
	return NULL;
}

void store_close(struct store *store)
{
	if (store == NULL)
		return;
	tree_take_back(store);
	if (store->lock >= 0)
		(void)close(store->lock);
	if (store->root >= 0)
		(void)close(store->root);
	store->lock = store->root = -1;
}

static struct error *highest_number(void *context, struct str name)
{
	uint64_t *highest = context, number;

	if (str_number(name, UINT64_MAX - 1, &number) && number > *highest)
		*highest = number;
	return NULL;
}

struct error *store_next_number(struct store *store, uint64_t at_least, uint64_t *number)
{
	uint64_t highest = at_least;

	TRY(error_in(disk_list(store->root, "generations", highest_number, &highest), "output folder %.*s",
	             STR_ARG(store->output)));
	*number = highest + 1;
	return NULL;
}

struct error *tree_flush(struct store *store)
{
	if (store->unflushed && syncfs(store->root) != 0)
		return error_errno("can't flush to disk");
	store->unflushed = false;
	return NULL;
}

/* Everything that the generation is, under names that nobody reads. */
static struct error *write_generation(struct arena *arena, struct store *store, const struct generation *generation,
                                      const char *target)
{
	struct buf manifest = buf_new(arena), sets = buf_new(arena), summary = buf_new(arena);

	tree_print_entries(&manifest, generation->manifest, generation->machine_count);
	tree_print_entries(&sets, generation->sets, generation->set_count);
	tree_print_summary(&summary, generation);
	TRY(disk_make_folder(store->root, TREE_NEW "/generation"));
	TRY(disk_write(store->root, TREE_NEW "/generation/manifest", buf_str(&manifest)));
	TRY(disk_write(store->root, TREE_NEW "/generation/sets", buf_str(&sets)));
	TRY(disk_write(store->root, TREE_NEW "/generation/summary", buf_str(&summary)));
	if (symlinkat(target, store->root, TREE_NEW "/current") != 0)
		return error_errno("can't make the link %s", TREE_NEW "/current");
	/* The one flush of a run: objects, folders, generation. What `current` leads to is never younger than the disk.
	 */
	store->unflushed = true;
	return tree_flush(store);
}

/* Two renames that need no more room than their folders have. */
static struct error *flip(const struct store *store, const char *target)
{
	if (renameat2(store->root, TREE_NEW "/generation", store->root, target, RENAME_NOREPLACE) != 0 &&
	    (errno != EINVAL || renameat(store->root, TREE_NEW "/generation", store->root, target) != 0))
		return error_errno("can't make %s", target);
	struct error *error = disk_sync_folder(store->root, "generations");

	if (error == NULL && renameat(store->root, TREE_NEW "/current", store->root, "current") != 0)
		error = error_errno("can't rename the link current");
	if (error != NULL)
		error_collect(&error, disk_remove(store->root, target));
	return error;
}

static struct error *publish(struct arena *arena, struct store *store, const struct generation *generation)
{
	char target[40];

	snprintf(target, sizeof target, "generations/%" PRIu64, generation->number);
	struct error *error = write_generation(arena, store, generation, target);

	if (error == NULL)
		error = flip(store, target);
	if (error != NULL) {
		error_collect(&error, disk_remove(store->root, TREE_NEW "/generation"));
		error_collect(&error, disk_remove(store->root, TREE_NEW "/current"));
	}
	return error;
}

struct error *store_publish(struct arena *arena, struct store *store, const struct generation *generation)
{
	assert(generation->number > 0);
	struct error *error = publish(arena, store, generation);

	if (error != NULL) {
		tree_take_back(store);
		return error_hint(error_in(error, "output folder %.*s", STR_ARG(store->output)),
		                  "what was published before is as it was");
	}
	store->made.count = 0;
	error = error_in(disk_sync_folder(store->root, "."), "output folder %.*s", STR_ARG(store->output));
	if (error == NULL)
		error = store_links(arena, store, generation);
	return error_in(error, "generation %" PRIu64 " is published, but", generation->number);
}
