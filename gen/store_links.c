/* OUT/machines and OUT/sets, for people and hooks: links into the store, brought in line with a generation. A link is
 * made or replaced in one step, and only if it is wrong. Leaves what is no link alone: it is not ours. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "store_disk.h"
#include "store_tree.h"

enum { LINK_PATH = 300 };

#define NEW_LINK TREE_NEW "/link"

/* One of the two folders, and what it should say. */
struct links {
	const struct store *store;
	const char *folder;          /* "machines" */
	const char *objects;         /* TREE_RULESETS */
	const struct entry *entries; /* sorted by name */
	size_t count;
	bool changed;
};

static struct error *replace_link(const struct links *links, const char *path, const char *target)
{
	TRY(disk_remove(links->store->root, NEW_LINK));
	if (symlinkat(target, links->store->root, NEW_LINK) != 0)
		return error_errno("can't make the link %s", NEW_LINK);
	if (renameat(links->store->root, NEW_LINK, links->store->root, path) != 0)
		return error_hint(error_errno("can't put the link %s in place", path),
		                  "if something else stands there, remove it");
	return NULL;
}

static struct error *lay_link(struct links *links, const struct entry *entry)
{
	char path[LINK_PATH], object[TREE_PATH], target[TREE_PATH + 3], found[TREE_PATH + 3];
	size_t length;

	tree_object(object, links->objects, &entry->digest);
	snprintf(target, sizeof target, "../%s", object);
	snprintf(path, sizeof path, "%s/%.*s", links->folder, STR_ARG(entry->name));
	if (disk_link_target(links->store->root, path, found, sizeof found, &length) &&
	    str_is((struct str){found, length}, target))
		return NULL;
	links->changed = true;
	if (symlinkat(target, links->store->root, path) == 0)
		return NULL;
	if (errno != EEXIST)
		return error_errno("can't make the link %s", path);
	return replace_link(links, path, target);
}

static struct error *lay(struct links *links)
{
	for (size_t i = 0; i < links->count; i++)
		TRY(lay_link(links, &links->entries[i]));
	return NULL;
}

static int name_order(const void *name, const void *entry)
{
	return str_cmp(*(const struct str *)name, ((const struct entry *)entry)->name);
}

static struct error *drop_link(void *context, struct str name)
{
	struct links *links = context;
	char path[LINK_PATH];
	struct stat status;

	if (links->count > 0 &&
	    bsearch(&name, links->entries, links->count, sizeof *links->entries, name_order) != NULL)
		return NULL;
	snprintf(path, sizeof path, "%s/%.*s", links->folder, STR_ARG(name));
	if (fstatat(links->store->root, path, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISLNK(status.st_mode))
		return NULL;
	links->changed = true;
	return disk_remove(links->store->root, path);
}

static struct error *drop(struct links *links)
{
	return disk_list(links->store->root, links->folder, drop_link, links);
}

static struct error *flush(const struct links *links)
{
	return links->changed ? disk_sync_folder(links->store->root, links->folder) : NULL;
}

/* The order is the point: a set comes before the first ruleset that names it, and goes after the last. */
static struct error *lay_all(struct links *machines, struct links *sets)
{
	TRY(lay(sets));
	TRY(lay(machines));
	TRY(drop(machines));
	TRY(drop(sets));
	TRY(flush(sets));
	return flush(machines);
}

struct error *store_links(struct arena *arena, struct store *store, const struct generation *generation)
{
	struct links machines = {.store = store,
	                         .folder = "machines",
	                         .objects = TREE_RULESETS,
	                         .entries = generation->manifest,
	                         .count = generation->machine_count};
	struct links sets = {.store = store,
	                     .folder = "sets",
	                     .objects = TREE_SETS,
	                     .entries = generation->sets,
	                     .count = generation->set_count};
	struct error *error = tree_flush(store); /* objects that were mended without anything to publish */

	(void)arena;           /* nothing needs it; the contract leaves room for it */
	store->made.count = 0; /* objects of a published generation, if any */
	if (error == NULL)
		error = lay_all(&machines, &sets);
	if (error == NULL)
		return NULL;
	return error_hint(error_in(error, "the links for people in %.*s are behind", STR_ARG(store->output)),
	                  "`current` is right; the next run of `fleetwall generate` mends the links");
}
