/* The output tree as a whole: opening and locking it, and the one moment of publishing. Objects, generations and links
 * have files of their own. Refuses to change what is published: everything is complete and on the disk before `current`
 * is renamed. */
#include "fleetwall/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "store_disk.h"
#include "store_tree.h"

#define NEW_GENERATION TREE_NEW "/generation"
#define NEW_CURRENT TREE_NEW "/current"

enum { PATH = 64 };

static struct error *lock(struct store *store)
{
	store->lock = openat(store->root, ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (store->lock < 0)
		return error_errno("can't make the file .lock");
	while (flock(store->lock, LOCK_EX) != 0)
		if (errno != EINTR)
			return error_errno("can't lock .lock");
	return NULL;
}

static struct error *empty_new(void *context, struct str name)
{
	struct store *store = context;
	char path[sizeof TREE_NEW + 256];

	snprintf(path, sizeof path, "%s/%.*s", TREE_NEW, STR_ARG(name));
	if (!str_is(str_of(path), TREE_UNPUBLISHED))
		return disk_remove(store->root, path);
	store->sweep |= store->puts == NULL; /* it is not ours: the store is being opened */
	return NULL;
}

/* A run that was killed may have left something in TREE_NEW; with the lock held, nobody needs it. Where all is as it
 * should be, nothing is written. */
static struct error *make_tree(struct store *store)
{
	static const char *const folders[] = {"store",      TREE_NEW,         TREE_OLD,   "store/rulesets",
	                                      "store/sets", TREE_GENERATIONS, "machines", "sets"};

	TRY(lock(store));
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		TRY(disk_make_folder(store->root, folders[i]));
	TRY(disk_list(store->root, TREE_NEW, empty_new, store));
	store->puts = puts_new();
	return NULL;
}

/* What was damaged and gave way is still there, for its readers. */
static void clean_up(struct store *store)
{
	if (store->puts == NULL)
		return;
	tree_take_back(store);
	tree_sweep(store);
	struct error *left = disk_list(store->root, TREE_NEW, empty_new, store);

	(void)left; /* the next run tries again */
	puts_free(store->puts);
	store->puts = NULL;
}

struct error *store_open(struct arena *arena, struct str output, struct store **store)
{
	struct store *opened = ARENA_NEW(arena, struct store);
	const char *path = str_c(arena, output);

	*opened = (struct store){.arena = arena, .root = -1, .lock = -1, .output = str_copy(arena, output)};
	struct error *error = disk_make_path(path);

	if (error == NULL) {
		opened->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		error = opened->root < 0 ? error_errno("can't open the folder") : make_tree(opened);
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
	clean_up(store);
	if (store->lock >= 0)
		(void)close(store->lock);
	if (store->root >= 0)
		(void)close(store->root);
	store->lock = store->root = -1;
}

struct error *store_next_number(struct store *store, uint64_t at_least, uint64_t *number)
{
	struct arena *scratch = arena_new();
	uint64_t *numbers;
	size_t count;
	struct error *error = generation_numbers(scratch, store->root, &numbers, &count);

	*number = at_least + 1;
	if (error == NULL && count > 0 && numbers[count - 1] > at_least)
		*number = numbers[count - 1] + 1;
	arena_free(scratch);
	return error_in(error, "output folder %.*s", STR_ARG(store->output));
}

static bool share_file(const struct store *store, uint64_t before, const char *name)
{
	char old[PATH], new[PATH];

	snprintf(old, sizeof old, "%s/%" PRIu64 "/%s", TREE_GENERATIONS, before, name);
	snprintf(new, sizeof new, "%s/%s", NEW_GENERATION, name);
	return before > 0 && linkat(store->root, old, store->root, new, 0) == 0;
}

static bool has_file(const struct store *store, uint64_t before, const char *name, struct str text)
{
	char old[PATH];

	snprintf(old, sizeof old, "%s/%" PRIu64 "/%s", TREE_GENERATIONS, before, name);
	return before > 0 && disk_has(store->root, old, text);
}

/* A file of the new generation: the one of the generation before, where that has the same bytes. A file system may
 * refuse another link (too many of them, or none at all): then it is written. */
static struct error *write_file(const struct store *store, uint64_t before, const char *name, struct str text)
{
	char new[PATH];

	if (has_file(store, before, name, text) && share_file(store, before, name))
		return NULL;
	snprintf(new, sizeof new, "%s/%s", NEW_GENERATION, name);
	return disk_write_early(store->root, new, text);
}

/* Manifest or sets. One that is shared was not printed. */
static struct error *write_list(struct arena *scratch, const struct store *store, const struct generation *generation,
                                uint64_t before, bool sets)
{
	const char *name = sets ? "sets" : "manifest";
	struct str text = generation->text[sets];

	if (!generation->shared[sets])
		return write_file(store, before, name, text);
	if (share_file(store, before, name))
		return NULL;
	text = sets ? text_of_entries(scratch, generation->sets, generation->set_count)
	            : text_of_entries(scratch, generation->manifest, generation->machine_count);
	return write_file(store, 0, name, text);
}

static struct error *write_lists(struct arena *scratch, struct store *store, const struct generation *generation)
{
	struct prepared *prepared = &store->prepared;
	struct object_list list;
	uint64_t before;

	/* A damaged one is not shared with. */
	if (generation_current(store->root, &before) != NULL)
		before = 0;
	TRY(disk_remove(store->root, NEW_GENERATION)); /* of another generation that was prepared */
	TRY(disk_make_folder(store->root, NEW_GENERATION));
	TRY(write_list(scratch, store, generation, before, false));
	TRY(write_list(scratch, store, generation, before, true));
	generation_objects(scratch, generation, &list);
	struct str objects = text_of_objects(scratch, &list);

	prepared->list = digest_of(objects);
	memcpy(prepared->objects, list.count, sizeof prepared->objects);
	return write_file(store, before, "objects", objects);
}

/* Where the lists lie in memory tells. */
static bool is_prepared(const struct store *store, const struct generation *generation)
{
	return store->prepared.whose == generation && store->prepared.manifest == generation->manifest &&
	       store->prepared.sets == generation->sets;
}

static struct error *prepare(struct store *store, const struct generation *generation)
{
	struct arena *scratch = arena_new();
	struct error *error;

	store->prepared = (struct prepared){0};
	error = write_lists(scratch, store, generation);
	if (error == NULL) {
		store->prepared.whose = generation;
		store->prepared.manifest = generation->manifest;
		store->prepared.sets = generation->sets;
	}
	arena_free(scratch);
	return error;
}

static struct error *is_as_before(struct error *error, const struct store *store)
{
	return error_hint(error_in(error, "output folder %.*s", STR_ARG(store->output)),
	                  "what was published before is as it was");
}

struct error *store_prepare(struct store *store, const struct generation *generation)
{
	return is_as_before(prepare(store, generation), store);
}

/* Never shared: its time is that of the generation. */
static struct error *write_summary(const struct store *store, const struct generation *generation)
{
	const struct prepared *prepared = &store->prepared;
	const struct summary_rest rest = {
		.digest = generation->digest,
		.list = prepared->list,
		.machines = generation->machine_count,
		.sets = generation->set_count,
		.objects = {prepared->objects[OBJECT_RULESET], prepared->objects[OBJECT_SET]},
	};
	struct arena *scratch = arena_new();
	struct error *error =
		write_file(store, 0, "summary", text_of_summary(scratch, &generation->summary, &rest));

	arena_free(scratch);
	return error;
}

static struct error *complete(struct store *store, const struct generation *generation)
{
	if (!is_prepared(store, generation))
		TRY(prepare(store, generation));
	if (store->prepared.complete)
		return NULL;
	TRY(write_summary(store, generation));
	/* The one flush of a run: objects, folders, generation. What `current` leads to is never younger than the disk.
	 */
	TRY(tree_flush(store));
	store->prepared.complete = true;
	return NULL;
}

struct error *store_complete(struct store *store, const struct generation *generation)
{
	return is_as_before(complete(store, generation), store);
}

/* Everything that the generation is, under names that nobody reads, and on the disk; the link to it needs no flush. */
static struct error *write_generation(const struct generation *generation, struct store *store, const char *target)
{
	TRY(complete(store, generation));
	if (symlinkat(target, store->root, NEW_CURRENT) != 0)
		return error_errno("can't make the link %s", NEW_CURRENT);
	return NULL;
}

/* Two renames that need no more room than their folders have. */
static struct error *flip(const struct store *store, const char *target)
{
	if (renameat2(store->root, NEW_GENERATION, store->root, target, RENAME_NOREPLACE) != 0 &&
	    (errno != EINVAL || renameat(store->root, NEW_GENERATION, store->root, target) != 0))
		return error_errno("can't make %s", target);
	struct error *error = disk_sync(store->root, TREE_GENERATIONS);

	if (error == NULL && renameat(store->root, NEW_CURRENT, store->root, "current") != 0)
		error = error_errno("can't rename the link current");
	if (error != NULL)
		error_collect(&error, disk_remove(store->root, target));
	return error;
}

static struct error *publish(struct store *store, const struct generation *generation)
{
	char target[PATH];

	snprintf(target, sizeof target, "%s/%" PRIu64, TREE_GENERATIONS, generation->number);
	struct error *error = write_generation(generation, store, target);

	store->prepared = (struct prepared){0};
	if (error == NULL)
		error = flip(store, target);
	if (error != NULL) {
		error_collect(&error, disk_remove(store->root, NEW_GENERATION));
		error_collect(&error, disk_remove(store->root, NEW_CURRENT));
	}
	return error;
}

struct error *store_publish(struct arena *arena, struct store *store, const struct generation *generation)
{
	(void)arena; /* nothing of it outlives the call */
	assert(generation->number > 0 &&
	       (generation->shared[0] || generation->text[0].n > 0 || generation->machine_count == 0));
	struct error *error = publish(store, generation);

	if (error != NULL) {
		tree_take_back(store);
		return is_as_before(error, store);
	}
	error = disk_sync(store->root, ".");
	error_collect(&error, tree_settle(store));
	return error_in(error_in(error, "output folder %.*s", STR_ARG(store->output)),
	                "generation %" PRIu64 " is published, but", generation->number);
}
