/* Where an object of the store lies, as a path for others. Looks at nothing: that it is there, and whole, is for the
 * reader. */
#include "fleetwall/arena.h"
#include "store_tree.h"

static struct str object_path(struct arena *arena, struct str output, enum object_kind kind,
                              const struct digest *digest)
{
	char path[TREE_PATH];

	tree_object(path, &(struct object){kind, *digest});
	return str_format(arena, "%.*s/%s", STR_ARG(output), path);
}

struct str store_ruleset_path(struct arena *arena, struct str output, const struct digest *digest, struct str file)
{
	struct str folder = object_path(arena, output, OBJECT_RULESET, digest);

	return file.n == 0 ? folder : str_format(arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(file));
}

struct str store_set_path(struct arena *arena, struct str output, const struct digest *digest)
{
	return object_path(arena, output, OBJECT_SET, digest);
}
