/* Objects of the store: where they lie by their content, and reading them back, checked against their digest. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store_disk.h"
#include "store_tree.h"

#include "fleetwall/arena.h"

const char *const tree_folders[OBJECT_KINDS] = {"store/rulesets", "store/sets"};
const char *const tree_ruleset_files[RULESET_FILES] = {"rules.v4", "rules.v6", "sets.list"};

size_t tree_object_below(char *path, const struct digest *digest)
{
	char hex[65];

	digest_hex(digest, hex);
	path[0] = hex[0];
	path[1] = hex[1];
	path[2] = '/';
	memcpy(path + 3, hex, TREE_NAME);
	path[3 + TREE_NAME] = '\0';
	return 3 + TREE_NAME;
}

bool tree_same_place(const struct digest *a, const struct digest *b)
{
	return memcmp(a->byte, b->byte, TREE_NAME / 2) == 0;
}

bool tree_name_parse(struct str name, struct digest *place)
{
	char hex[65];

	if (name.n != TREE_NAME)
		return false;
	memcpy(hex, name.p, TREE_NAME);
	memset(hex + TREE_NAME, '0', 64 - TREE_NAME);
	return digest_parse((struct str){hex, 64}, place);
}

struct digest tree_place(const struct digest *digest)
{
	struct digest place = {0};

	memcpy(place.byte, digest->byte, TREE_NAME / 2);
	return place;
}

void tree_object(char path[TREE_PATH], const struct object *object)
{
	size_t length = strlen(tree_folders[object->kind]);

	memcpy(path, tree_folders[object->kind], length);
	path[length] = '/';
	(void)tree_object_below(path + length + 1, &object->digest);
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

static struct error *read_files(struct arena *arena, int root, const struct object *object, const char *path,
                                struct str files[RULESET_FILES])
{
	char file[TREE_PATH + 16];
	struct digest digests[RULESET_FILES], found;

	if (object->kind == OBJECT_SET) {
		TRY(disk_read(arena, root, path, &files[0]));
		found = digest_of(files[0]);
		return digest_eq(&found, &object->digest) ? NULL : damaged(path);
	}
	for (size_t i = 0; i < RULESET_FILES; i++) {
		snprintf(file, sizeof file, "%s/%s", path, tree_ruleset_files[i]);
		TRY(disk_read(arena, root, file, &files[i]));
		digests[i] = digest_of(files[i]);
	}
	found = digest_of_sums(tree_ruleset_files, digests, RULESET_FILES);
	return digest_eq(&found, &object->digest) ? NULL : damaged(path);
}

struct error *object_read(struct arena *arena, int root, const struct object *object, struct str files[RULESET_FILES])
{
	char path[TREE_PATH];

	tree_object(path, object);
	return read_files(arena, root, object, path, files);
}

static struct error *read_in_output(struct arena *arena, struct str output, const struct object *object,
                                    struct str files[RULESET_FILES])
{
	int root;
	struct error *error = open_output(arena, output, &root);

	if (error == NULL) {
		error = object_read(arena, root, object, files);
		(void)close(root);
	}
	return error_in(error, "output folder %.*s", STR_ARG(output));
}

struct error *store_read_ruleset(struct arena *arena, struct str output, const struct digest *digest,
                                 struct str rules[2], struct str *sets_list)
{
	struct str files[RULESET_FILES];

	TRY(read_in_output(arena, output, &(struct object){OBJECT_RULESET, *digest}, files));
	rules[0] = files[0];
	rules[1] = files[1];
	*sets_list = files[2];
	return NULL;
}

struct error *store_read_set(struct arena *arena, struct str output, const struct digest *digest, struct str *bytes)
{
	struct str files[RULESET_FILES];

	TRY(read_in_output(arena, output, &(struct object){OBJECT_SET, *digest}, files));
	*bytes = files[0];
	return NULL;
}
