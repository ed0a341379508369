/* Collecting: old generations, and objects that none of those that stay names. A generation's folder goes from its
 * place, in one step, before the first of its objects goes; TREE_UNPUBLISHED is there meanwhile, so that a run that
 * comes after a killed one finds what that one did not get to.
 *
 * What goes is what the generations that go name (or, after a killed run, all that is in the store) without what each
 * of those that stay names. Their lists of objects are 32 bytes an object: collecting one of fifty generations of 5,000
 * rulesets and 5,400 sets reads 16 MB, not the 430 MB of their manifests. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "store_disk.h"
#include "store_tree.h"

enum { PATH = 64 };

/* Digests that may go; sorted once they are all there. */
struct candidates {
	struct digest *items;
	size_t count, capacity;
};

struct collection {
	struct arena *arena, *pass; /* of all of it; of one list */
	struct store *store;
	const uint64_t *numbers; /* all generations, ascending */
	size_t count;
	const uint64_t *keep;
	size_t keep_count;
	bool sweep; /* the whole store is looked through */
	struct candidates candidates[OBJECT_KINDS];
};

static bool is_kept(const struct collection *collection, uint64_t number)
{
	size_t low = 0, high = collection->keep_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (collection->keep[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < collection->keep_count && collection->keep[low] == number;
}

static struct error *read_list(struct collection *collection, uint64_t number, struct object_list *list)
{
	char path[PATH];

	snprintf(path, sizeof path, "%s/%" PRIu64, TREE_GENERATIONS, number);
	return generation_read_objects(collection->pass, collection->store->root, path, list);
}

/* --- what may go --- */

/* All that generations name which go. One that can't be read names who knows what: then the store is looked through. */
static void add_named(struct collection *collection)
{
	struct object_list list;

	for (size_t i = 0; i < collection->count && !collection->sweep; i++) {
		if (is_kept(collection, collection->numbers[i]))
			continue;
		collection->sweep = read_list(collection, collection->numbers[i], &list) != NULL;
		for (size_t kind = 0; kind < OBJECT_KINDS && !collection->sweep; kind++)
			for (size_t j = 0; j < list.count[kind]; j++)
				APPEND(collection->arena, &collection->candidates[kind],
				       tree_place(&list.digests[kind][j]));
		arena_reset(collection->pass);
	}
}

/* The folder of the fan-out that is being listed. */
struct fan {
	struct collection *collection;
	enum object_kind kind;
	struct str name; /* "ab" */
};

static struct error *add_found(void *context, struct str name)
{
	const struct fan *fan = context;
	struct digest digest;

	/* What is no object is not ours. */
	if (tree_name_parse(name, &digest) && str_starts(name, fan->name))
		APPEND(fan->collection->arena, &fan->collection->candidates[fan->kind], digest);
	return NULL;
}

static struct error *add_fan(void *context, struct str name)
{
	struct fan fan = *(const struct fan *)context;
	char path[TREE_PATH];

	if (name.n != 2)
		return NULL;
	fan.name = name;
	snprintf(path, sizeof path, "%s/%.2s", tree_folders[fan.kind], name.p);
	return disk_list(fan.collection->store->root, path, add_found, &fan);
}

static struct error *add_all(struct collection *collection)
{
	struct fan fan = {.collection = collection};

	for (size_t kind = 0; kind < OBJECT_KINDS; kind++) {
		fan.kind = kind;
		TRY(disk_list(collection->store->root, tree_folders[kind], add_fan, &fan));
	}
	return NULL;
}

static struct error *find_candidates(struct collection *collection)
{
	add_named(collection);
	if (collection->sweep) {
		collection->candidates[OBJECT_RULESET].count = collection->candidates[OBJECT_SET].count = 0;
		TRY(add_all(collection));
	}
	for (size_t kind = 0; kind < OBJECT_KINDS; kind++)
		collection->candidates[kind].count =
			digests_sort(collection->candidates[kind].items, collection->candidates[kind].count);
	return NULL;
}

/* --- what stays --- */

/* Is there an object in this place? The place is the least digest of its name, so such an object would come first. */
static bool is_named(const struct digest *place, const struct digest *named, size_t count)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (digest_cmp(&named[middle], place) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && tree_same_place(&named[low], place);
}

/* Both sorted; most often there are few candidates, and the list is long. */
static void strike(struct candidates *candidates, const struct digest *named, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < candidates->count; i++)
		if (!is_named(&candidates->items[i], named, count))
			candidates->items[kept++] = candidates->items[i];
	candidates->count = kept;
}

/* What this run put is going to be named. */
static void strike_put(struct collection *collection)
{
	for (size_t kind = 0; kind < OBJECT_KINDS; kind++) {
		struct candidates *candidates = &collection->candidates[kind];
		size_t kept = 0;

		for (size_t i = 0; i < candidates->count; i++)
			if (!tree_is_put(collection->store, &(struct object){kind, candidates->items[i]}))
				candidates->items[kept++] = candidates->items[i];
		candidates->count = kept;
	}
}

static struct error *strike_kept(struct collection *collection)
{
	struct candidates *candidates = collection->candidates;
	struct object_list list;

	for (size_t i = 0; i < collection->count; i++) {
		if (!is_kept(collection, collection->numbers[i]))
			continue;
		if (candidates[OBJECT_RULESET].count + candidates[OBJECT_SET].count == 0)
			return NULL;
		TRY(error_hint(read_list(collection, collection->numbers[i], &list),
		               "without its lists nobody knows which objects it needs; remove the folder of this "
		               "generation if nobody does"));
		for (size_t kind = 0; kind < OBJECT_KINDS; kind++)
			strike(&candidates[kind], list.digests[kind], list.count[kind]);
		arena_reset(collection->pass);
	}
	strike_put(collection);
	return NULL;
}

/* --- going --- */

/* From here on they are not there, whatever becomes of their folders. */
static struct error *move_away(struct collection *collection, size_t *removed)
{
	int root = collection->store->root;
	char path[PATH], gone[PATH];

	for (size_t i = 0; i < collection->count; i++) {
		if (is_kept(collection, collection->numbers[i]))
			continue;
		snprintf(path, sizeof path, "%s/%" PRIu64, TREE_GENERATIONS, collection->numbers[i]);
		snprintf(gone, sizeof gone, "%s/%" PRIu64, TREE_NEW, collection->numbers[i]);
		if (renameat(root, path, root, gone) != 0)
			return error_errno("can't move %s to %s", path, gone);
		++*removed;
	}
	return *removed > 0 ? disk_sync(root, TREE_GENERATIONS) : NULL;
}

static struct error *remove_folders(const struct collection *collection)
{
	char gone[PATH];

	for (size_t i = 0; i < collection->count; i++) {
		if (is_kept(collection, collection->numbers[i]))
			continue;
		snprintf(gone, sizeof gone, "%s/%" PRIu64, TREE_NEW, collection->numbers[i]);
		TRY(disk_remove(collection->store->root, gone));
	}
	return NULL;
}

static struct error *remove_objects(const struct collection *collection)
{
	char path[TREE_PATH];

	for (size_t kind = 0; kind < OBJECT_KINDS; kind++)
		for (size_t i = 0; i < collection->candidates[kind].count; i++) {
			tree_object(path, &(struct object){kind, collection->candidates[kind].items[i]});
			TRY(disk_remove(collection->store->root, path));
		}
	return NULL;
}

static struct error *go(struct collection *collection, size_t *removed)
{
	TRY(find_candidates(collection));
	TRY(strike_kept(collection));
	TRY(tree_mark_unpublished(collection->store));
	TRY(move_away(collection, removed));
	TRY(remove_objects(collection));
	return remove_folders(collection);
}

static struct error *collect(struct collection *collection, size_t *removed)
{
	struct store *store = collection->store;
	uint64_t current;
	size_t going = 0;

	TRY(generation_numbers(collection->arena, store->root, (uint64_t **)&collection->numbers, &collection->count));
	TRY(generation_current(store->root, &current));
	if (current > 0 && !is_kept(collection, current))
		return error_new(ERROR_SURROUNDINGS, "generation %" PRIu64 " is the published one, and stays", current);
	for (size_t i = 0; i < collection->count; i++)
		going += !is_kept(collection, collection->numbers[i]);
	collection->sweep = store->sweep;
	if (going == 0 && !collection->sweep)
		return NULL;
	TRY(go(collection, removed));
	store->sweep = false;
	return tree_unmark(store);
}

struct error *store_collect(struct arena *arena, struct store *store, const uint64_t *keep, size_t keep_count,
                            size_t *removed)
{
	struct collection collection = {.arena = arena_new(),
	                                .pass = arena_new(),
	                                .store = store,
	                                .keep = keep,
	                                .keep_count = keep_count};

	(void)arena; /* nothing of it outlives the call */
	*removed = 0;
	struct error *error = collect(&collection, removed);

	arena_free(collection.pass);
	arena_free(collection.arena);
	return error_in(error, "output folder %.*s", STR_ARG(store->output));
}

void tree_sweep(struct store *store)
{
	struct arena *scratch;
	uint64_t *numbers;
	size_t count, removed;

	if (!store->sweep)
		return;
	scratch = arena_new();
	struct error *error = generation_numbers(scratch, store->root, &numbers, &count);

	if (error == NULL)
		error = store_collect(scratch, store, numbers, count, &removed);
	(void)error; /* later, then */
	arena_free(scratch);
}
