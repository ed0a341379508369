/* Objects of the store: rulesets and set files, named by their content, and the same bytes for ever. They are written
 * under a name that nobody reads and renamed into place, so a killed run leaves none that is half. One that is there
 * already is compared byte by byte: a power cut, or a hand, may have changed what its name says. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "store_disk.h"
#include "store_tree.h"

static const char *const ruleset_files[] = {"rules.v4", "rules.v6", "sets.list"};

void tree_object(char path[TREE_PATH], const char *folder, const struct digest *digest)
{
	char hex[65];

	digest_hex(digest, hex);
	snprintf(path, TREE_PATH, "%s/%.2s/%s", folder, hex, hex);
}

/* The folder of the fan-out that an object lies in. */
static void fan_of(char fan[TREE_PATH], const char *path)
{
	snprintf(fan, TREE_PATH, "%.*s", (int)(strrchr(path, '/') - path), path);
}

/* Puts what was written as TREE_NEW/… in its place, in a folder of the fan-out that may not be there yet. */
static struct error *place_object(struct store *store, const char *from, struct made made)
{
	char path[TREE_PATH], fan[TREE_PATH];
	struct stat status;

	tree_object(path, made.folder, &made.digest);
	fan_of(fan, path);
	if (fstatat(store->root, fan, &status, 0) != 0)
		TRY(disk_make_folder(store->root, fan));
	bool is_new = fstatat(store->root, path, &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;

	store->unflushed = true;
	TRY(disk_replace(store->root, from, path));
	if (is_new)
		APPEND(store->arena, &store->made, made);
	return NULL;
}

void tree_take_back(struct store *store)
{
	char path[TREE_PATH], fan[TREE_PATH];

	for (size_t i = 0; i < store->made.count; i++) {
		tree_object(path, store->made.items[i].folder, &store->made.items[i].digest);
		struct error *left = disk_remove(store->root, path);

		(void)left; /* it stays, complete and unused */
		fan_of(fan, path);
		(void)unlinkat(store->root, fan, AT_REMOVEDIR); /* if it is empty now */
	}
	store->made.count = 0;
}

static struct str ruleset_file(const struct ruleset *ruleset, size_t file)
{
	return file < 2 ? ruleset->rules[file] : ruleset->sets_list;
}

static bool has_ruleset(const struct store *store, const char *path, const struct ruleset *ruleset)
{
	char file[TREE_PATH + 16];

	for (size_t i = 0; i < 3; i++) {
		snprintf(file, sizeof file, "%s/%s", path, ruleset_files[i]);
		if (!disk_has(store->root, file, ruleset_file(ruleset, i)))
			return false;
	}
	return true;
}

static struct error *write_ruleset(struct store *store, const struct ruleset *ruleset)
{
	char path[TREE_PATH], file[TREE_PATH];

	tree_object(path, TREE_RULESETS, &ruleset->digest);
	if (has_ruleset(store, path, ruleset))
		return NULL;
	TRY(disk_make_folder(store->root, TREE_NEW "/ruleset"));
	for (size_t i = 0; i < 3; i++) {
		snprintf(file, sizeof file, "%s/ruleset/%s", TREE_NEW, ruleset_files[i]);
		TRY(disk_write(store->root, file, ruleset_file(ruleset, i)));
	}
	return place_object(store, TREE_NEW "/ruleset", (struct made){TREE_RULESETS, ruleset->digest});
}

static struct error *write_set(struct store *store, const struct set_file *set)
{
	char path[TREE_PATH];

	tree_object(path, TREE_SETS, &set->digest);
	if (disk_has(store->root, path, set->bytes))
		return NULL;
	TRY(disk_write(store->root, TREE_NEW "/set", set->bytes));
	return place_object(store, TREE_NEW "/set", (struct made){TREE_SETS, set->digest});
}

static struct error *write_objects(struct store *store, const struct output *output)
{
	for (size_t i = 0; i < output->set_count; i++)
		TRY(write_set(store, &output->sets[i]));
	for (size_t i = 0; i < output->ruleset_count; i++)
		TRY(write_ruleset(store, output->rulesets[i]));
	return NULL;
}

struct error *store_write_objects(struct store *store, const struct output *output)
{
	struct error *error = write_objects(store, output);

	if (error == NULL)
		return NULL;
	error_collect(&error, disk_remove(store->root, TREE_NEW "/ruleset"));
	error_collect(&error, disk_remove(store->root, TREE_NEW "/set"));
	tree_take_back(store);
	return error_hint(error_in(error, "output folder %.*s", STR_ARG(store->output)),
	                  "what was published before is as it was");
}

/* Opens OUT to read from it. */
static struct error *open_output(struct arena *arena, struct str output, int *root)
{
	*root = open(str_c(arena, output), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *root >= 0 ? NULL : error_errno("can't open the folder");
}

static struct error *damaged(const char *path)
{
	return error_hint(error_new(ERROR_SURROUNDINGS, "%s is not what its name says", path),
	                  "remove it; `fleetwall generate` writes it again where it is still needed");
}

static struct error *read_ruleset(struct arena *arena, int root, const struct digest *digest, struct str files[3])
{
	char path[TREE_PATH], file[TREE_PATH + 16];
	struct digest digests[3];

	tree_object(path, TREE_RULESETS, digest);
	for (size_t i = 0; i < 3; i++) {
		snprintf(file, sizeof file, "%s/%s", path, ruleset_files[i]);
		TRY(disk_read(arena, root, file, &files[i]));
		digests[i] = digest_of(files[i]);
	}
	struct digest found = digest_of_sums(ruleset_files, digests, 3);

	return digest_eq(&found, digest) ? NULL : damaged(path);
}

static struct error *read_set(struct arena *arena, int root, const struct digest *digest, struct str *bytes)
{
	char path[TREE_PATH];

	tree_object(path, TREE_SETS, digest);
	TRY(disk_read(arena, root, path, bytes));
	struct digest found = digest_of(*bytes);

	return digest_eq(&found, digest) ? NULL : damaged(path);
}

struct error *store_read_ruleset(struct arena *arena, struct str output, const struct digest *digest,
                                 struct str rules[2], struct str *sets_list)
{
	int root;
	struct str files[3];
	struct error *error = open_output(arena, output, &root);

	if (error == NULL) {
		error = read_ruleset(arena, root, digest, files);
		(void)close(root);
	}
	if (error != NULL)
		return error_in(error, "output folder %.*s", STR_ARG(output));
	rules[0] = files[0];
	rules[1] = files[1];
	*sets_list = files[2];
	return NULL;
}

struct error *store_read_set(struct arena *arena, struct str output, const struct digest *digest, struct str *bytes)
{
	int root;
	struct error *error = open_output(arena, output, &root);

	if (error == NULL) {
		error = read_set(arena, root, digest, bytes);
		(void)close(root);
	}
	return error_in(error, "output folder %.*s", STR_ARG(output));
}
