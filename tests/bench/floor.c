/* The floor under writing an output tree: reads a published one, current generation only, without what is no output
 * (the cache and the lock), then writes the same files, folders and links into a new folder, from memory, in a plain
 * loop, and times that alone. What it takes to have it on the disk (syncfs) is timed apart. Prints one line:
 * `seconds TAB seconds of syncfs TAB folders TAB files TAB links TAB bytes`. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/str.h"

/* In the order in which it must be made: a folder comes before what is in it. */
struct thing {
	mode_t kind;     /* S_IFDIR, S_IFREG, S_IFLNK */
	const char *path;
	struct str bytes; /* of a file; of a link, where it leads (with a NUL behind it) */
};

struct tree {
	struct arena *arena;
	int root;
	struct thing *items;
	size_t count, capacity;
	size_t folders, files, links, bytes;
};

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(3);
}

static double now(void)
{
	struct timespec clock;

	clock_gettime(CLOCK_MONOTONIC, &clock);
	return (double)clock.tv_sec + (double)clock.tv_nsec / 1e9;
}

/* --- reading --- */

static struct str read_bytes(struct tree *tree, const char *path, size_t size)
{
	char *bytes = arena_alloc(tree->arena, size + 1);
	size_t have = 0;
	int file = openat(tree->root, path, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		fail(path);
	while (have < size) {
		ssize_t n = read(file, bytes + have, size - have);
		if (n <= 0)
			fail(path);
		have += (size_t)n;
	}
	close(file);
	return (struct str){bytes, size};
}

static struct str read_link(struct tree *tree, const char *path, size_t size)
{
	char *target = arena_alloc(tree->arena, size + 2);
	ssize_t n = readlinkat(tree->root, path, target, size + 1);

	if (n < 0 || (size_t)n > size)
		fail(path);
	return (struct str){target, (size_t)n};
}

/* Generations other than the current one, the cache, the lock, and what a run has for itself. */
static bool is_no_output(const char *path, struct str generation)
{
	if (strncmp(path, "generations/", 12) == 0)
		return strncmp(path, generation.p, generation.n) != 0 ||
		       (path[generation.n] != '/' && path[generation.n] != '\0');
	return strcmp(path, "cache") == 0 || strcmp(path, "store/new") == 0 || strcmp(path, ".lock") == 0;
}

static void read_folder(struct tree *tree, const char *path, struct str generation);

static void read_thing(struct tree *tree, const char *path, struct str generation)
{
	struct stat status;
	struct thing thing = {.path = path};

	if (fstatat(tree->root, path, &status, AT_SYMLINK_NOFOLLOW) != 0)
		fail(path);
	thing.kind = status.st_mode & S_IFMT;
	if (thing.kind == S_IFREG) {
		thing.bytes = read_bytes(tree, path, (size_t)status.st_size);
		tree->files++;
		tree->bytes += thing.bytes.n;
	} else if (thing.kind == S_IFLNK) {
		thing.bytes = read_link(tree, path, (size_t)status.st_size);
		tree->links++;
	} else if (thing.kind == S_IFDIR) {
		tree->folders++;
	} else {
		return;
	}
	APPEND(tree->arena, tree, thing);
	if (thing.kind == S_IFDIR)
		read_folder(tree, path, generation);
}

static void read_folder(struct tree *tree, const char *path, struct str generation)
{
	struct dirent **entries;
	int count = scandirat(tree->root, path, &entries, NULL, alphasort);

	if (count < 0)
		fail(path);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		struct str inner = strcmp(path, ".") == 0 ? str_format(tree->arena, "%s", name)
		                                          : str_format(tree->arena, "%s/%s", path, name);
		const char *text = str_c(tree->arena, inner);
		if (!is_no_output(text, generation))
			read_thing(tree, text, generation);
	}
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
}

/* --- writing --- */

static void write_file(int root, const struct thing *thing)
{
	size_t done = 0;
	int file = openat(root, thing->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

	if (file < 0)
		fail(thing->path);
	while (done < thing->bytes.n) {
		ssize_t n = write(file, thing->bytes.p + done, thing->bytes.n - done);
		if (n < 0)
			fail(thing->path);
		done += (size_t)n;
	}
	close(file);
}

static void write_tree(const struct tree *tree, int root)
{
	for (size_t i = 0; i < tree->count; i++) {
		const struct thing *thing = &tree->items[i];
		if (thing->kind == S_IFREG)
			write_file(root, thing);
		else if (thing->kind == S_IFDIR ? mkdirat(root, thing->path, 0755) != 0
		                                : symlinkat(thing->bytes.p, root, thing->path) != 0)
			fail(thing->path);
	}
}

static int open_folder(const char *path)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		fail(path);
	return folder;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: floor PUBLISHED-OUTPUT NEW-FOLDER\n", stderr);
		return 2;
	}
	struct tree tree = {.arena = arena_new(), .root = open_folder(argv[1])};
	struct stat status;
	if (fstatat(tree.root, "current", &status, AT_SYMLINK_NOFOLLOW) != 0)
		fail("current");
	read_folder(&tree, ".", read_link(&tree, "current", (size_t)status.st_size));

	double begun = now();
	if (mkdir(argv[2], 0755) != 0)
		fail(argv[2]);
	int root = open_folder(argv[2]);
	write_tree(&tree, root);
	double written = now();
	if (syncfs(root) != 0)
		fail(argv[2]);
	printf("%.6f\t%.6f\t%zu\t%zu\t%zu\t%zu\n", written - begun, now() - written, tree.folders, tree.files,
	       tree.links, tree.bytes);
	arena_free(tree.arena);
	return 0;
}
