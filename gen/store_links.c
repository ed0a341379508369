/* OUT/machines and OUT/sets, for people and hooks: links into the store, brought in line with a generation. A link is
 * made or replaced in one step, and only if it is wrong. Leaves what is no link alone: it is not ours.
 *
 * Links are not flushed: they lead to what was. A power cut may leave them as they were a moment before; then what was
 * written after them (the cache, by which the next run would take them for right) is not on the disk either, because a
 * journal keeps the order, and that run looks at all of them. Flushing costs ten times what laying twenty links does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "store_disk.h"
#include "store_tree.h"

enum { LINK_TARGET = TREE_PATH + 3, LINK_NAME = 256 };

#define NEW_LINK TREE_NEW "/link"

/* One of the two folders, what it should say, and what is known of what it says. */
struct links {
	struct arena *arena;
	int root;           /* OUT */
	const char *folder; /* "machines" */
	int descriptor;     /* of it; -1: it can't be opened */
	enum object_kind kind;
	const struct entry *entries; /* sorted by name */
	size_t count;
	const struct entry *before; /* what the links say; NULL: `there` and `gone` are what was found */
	size_t before_count;
	bool *there;
	struct {
		struct str *items;
		size_t count, capacity;
	} gone;
};

static void name_of(char name[LINK_NAME], struct str s)
{
	memcpy(name, s.p, s.n);
	name[s.n] = '\0';
}

static void target_of(char target[LINK_TARGET], const struct links *links, const struct digest *digest)
{
	memcpy(target, "../", 3);
	tree_object(target + 3, &(struct object){links->kind, *digest});
}

static struct error *replace_link(const struct links *links, const char *name, const char *target)
{
	int root = links->root;

	if (symlinkat(target, root, NEW_LINK) != 0) {
		TRY(disk_remove(root, NEW_LINK)); /* of one that could not be put in place */
		if (symlinkat(target, root, NEW_LINK) != 0)
			return error_errno("can't make the link %s", NEW_LINK);
	}
	if (renameat(root, NEW_LINK, links->descriptor, name) != 0)
		return error_hint(error_errno("can't put the link %s/%s in place", links->folder, name),
		                  "if something else stands there, remove it");
	return NULL;
}

/* `there`: something stands there, most likely our link to something else. */
static struct error *lay_link(struct links *links, const struct entry *entry, bool there)
{
	char name[LINK_NAME], target[LINK_TARGET];

	name_of(name, entry->name);
	target_of(target, links, &entry->digest);
	if (!there && symlinkat(target, links->descriptor, name) == 0)
		return NULL;
	if (!there && errno != EEXIST)
		return error_errno("can't make the link %s/%s", links->folder, name);
	return replace_link(links, name, target);
}

static bool says(const struct links *links, const struct entry *entry)
{
	char name[LINK_NAME], target[LINK_TARGET], found[LINK_TARGET];
	size_t length;

	name_of(name, entry->name);
	target_of(target, links, &entry->digest);
	return disk_link_target(links->descriptor, name, found, sizeof found, &length) &&
	       str_is((struct str){found, length}, target);
}

static struct error *drop_link(struct links *links, struct str link)
{
	char name[LINK_NAME];
	struct stat status;

	name_of(name, link);
	if (fstatat(links->descriptor, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISLNK(status.st_mode))
		return NULL;
	if (unlinkat(links->descriptor, name, 0) != 0 && errno != ENOENT)
		return error_errno("can't remove %s/%s", links->folder, name);
	return NULL;
}

/* --- by what is found in the folder --- */

static struct error *find_link(void *context, struct str name)
{
	struct links *links = context;
	const struct entry *entry = entries_find(links->entries, links->count, name);

	if (entry != NULL)
		links->there[entry - links->entries] = true;
	else
		APPEND(links->arena, &links->gone, str_copy(links->arena, name));
	return NULL;
}

static struct error *find_links(struct links *links)
{
	links->there = ARENA_ARRAY(links->arena, bool, links->count);
	return disk_list(links->root, links->folder, find_link, links);
}

static struct error *lay_found(struct links *links)
{
	for (size_t i = 0; i < links->count; i++)
		if (!links->there[i] || !says(links, &links->entries[i]))
			TRY(lay_link(links, &links->entries[i], links->there[i]));
	return NULL;
}

static struct error *drop_found(struct links *links)
{
	for (size_t i = 0; i < links->gone.count; i++)
		TRY(drop_link(links, links->gone.items[i]));
	return NULL;
}

/* --- by what they are known to say --- */

/* Goes on from *at, which was for a name before this one. */
static bool find(const struct entry *entries, size_t count, size_t *at, const struct entry *wanted)
{
	int order = -1;

	while (*at < count && (order = entry_order(&entries[*at], wanted)) < 0)
		++*at;
	return order == 0;
}

static struct error *lay_new(struct links *links)
{
	size_t j = 0;

	for (size_t i = 0; i < links->count; i++) {
		const struct entry *entry = &links->entries[i];

		bool there = find(links->before, links->before_count, &j, entry);

		if (!there || !digest_eq(&links->before[j].digest, &entry->digest))
			TRY(lay_link(links, entry, there));
	}
	return NULL;
}

static struct error *drop_old(struct links *links)
{
	size_t j = 0;

	for (size_t i = 0; i < links->before_count; i++) {
		if (!find(links->entries, links->count, &j, &links->before[i]))
			TRY(drop_link(links, links->before[i].name));
	}
	return NULL;
}

/* --- both folders --- */

static struct error *lay(struct links *links)
{
	return links->before != NULL ? lay_new(links) : lay_found(links);
}

static struct error *drop(struct links *links)
{
	return links->before != NULL ? drop_old(links) : drop_found(links);
}

/* The order is the point: a set comes before the first ruleset that names it, and goes after the last. */
static struct error *lay_all(struct links *machines, struct links *sets)
{
	if (machines->before == NULL) {
		TRY(find_links(sets));
		TRY(find_links(machines));
	}
	TRY(lay(sets));
	TRY(lay(machines));
	TRY(drop(machines));
	return drop(sets);
}

static struct error *open_links(struct links *links)
{
	links->descriptor = openat(links->root, links->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return links->descriptor >= 0 ? NULL : error_errno("can't open the folder %s", links->folder);
}

static struct error *open_and_lay(struct links *machines, struct links *sets)
{
	struct error *error = open_links(machines);

	if (error == NULL)
		error = open_links(sets);
	if (error == NULL)
		error = lay_all(machines, sets);
	if (machines->descriptor >= 0)
		(void)close(machines->descriptor);
	if (sets->descriptor >= 0)
		(void)close(sets->descriptor);
	return error;
}

static struct links links_to(struct arena *arena, int root, enum object_kind kind, const struct generation *generation)
{
	bool machines = kind == OBJECT_RULESET;

	return (struct links){.arena = arena,
	                      .root = root,
	                      .folder = machines ? "machines" : "sets",
	                      .descriptor = -1,
	                      .kind = kind,
	                      .entries = machines ? generation->manifest : generation->sets,
	                      .count = machines ? generation->machine_count : generation->set_count};
}

/* `before` may be NULL: nothing is known. */
static struct error *bring_in_line(struct arena *scratch, struct store *store, const struct generation *before,
                                   const struct generation *generation)
{
	static const struct entry none[1];
	struct links machines = links_to(scratch, store->root, OBJECT_RULESET, generation);
	struct links sets = links_to(scratch, store->root, OBJECT_SET, generation);

	if (before != NULL) {
		machines.before = before->machine_count > 0 ? before->manifest : none;
		machines.before_count = before->machine_count;
		sets.before = before->set_count > 0 ? before->sets : none;
		sets.before_count = before->set_count;
	}
	TRY(tree_settle(store)); /* objects that were mended without anything to publish */
	return open_and_lay(&machines, &sets);
}

static struct error *links_of(struct store *store, const struct generation *before,
                              const struct generation *generation)
{
	struct arena *scratch = arena_new();
	struct error *error = bring_in_line(scratch, store, before, generation);

	arena_free(scratch);
	if (error == NULL)
		tree_sweep(store);
	error = error_in(error, "the links for people in %.*s are behind", STR_ARG(store->output));
	/* Who knows what stands in the way knows better what to do. */
	if (error != NULL && error->hint.n > 0)
		return error;
	return error_hint(error, "`current` is right; the next run of `fleetwall generate` mends the links");
}

struct error *store_links(struct arena *arena, struct store *store, const struct generation *generation)
{
	(void)arena; /* nothing of it outlives the call */
	return links_of(store, NULL, generation);
}

struct error *store_links_from(struct arena *arena, struct store *store, const struct generation *before,
                               const struct generation *generation)
{
	(void)arena;
	return links_of(store, before, generation);
}

/* --- a look --- */

/* Names that outlive the look. */
struct link_look {
	struct arena *arena;
	struct str *items;
	size_t count, capacity;
};

static void found_wrong(struct link_look *look, const struct links *links, struct str name)
{
	APPEND(look->arena, look, str_format(look->arena, "%s/%.*s", links->folder, STR_ARG(name)));
}

/* A link that nobody asked for is taken away by whoever lays them; what is no link is not ours. */
static bool is_link(const struct links *links, struct str name)
{
	char target[1], link[LINK_NAME];

	name_of(link, name);
	return readlinkat(links->descriptor, link, target, sizeof target) >= 0;
}

static void look_at_links(struct link_look *look, struct links *links)
{
	/* A folder that is not there has none of them. */
	if (open_links(links) != NULL || find_links(links) != NULL)
		links->there = ARENA_ARRAY(links->arena, bool, links->count);
	for (size_t i = 0; i < links->count; i++)
		if (!links->there[i] || !says(links, &links->entries[i]))
			found_wrong(look, links, links->entries[i].name);
	for (size_t i = 0; i < links->gone.count; i++)
		if (is_link(links, links->gone.items[i]))
			found_wrong(look, links, links->gone.items[i]);
	if (links->descriptor >= 0)
		(void)close(links->descriptor);
}

struct error *store_links_look(struct arena *arena, struct str output, const struct generation *generation,
                               struct link_faults *faults)
{
	struct arena *scratch = arena_new();
	struct link_look look = {.arena = arena};
	int root = open(str_c(scratch, output), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct error *error = root < 0 ? error_errno("can't open the folder") : NULL;

	for (int kind = 0; kind < OBJECT_KINDS && error == NULL; kind++) {
		struct links links = links_to(scratch, root, kind, generation);

		look_at_links(&look, &links);
	}
	*faults = (struct link_faults){look.items, look.count};
	if (root >= 0)
		(void)close(root);
	arena_free(scratch);
	return error_in(error, "output folder %.*s", STR_ARG(output));
}
