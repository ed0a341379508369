/* Generations: what publishing would make, what differs between two, and reading them back. What is read is checked
 * against its digest, so that nobody acts on a damaged one. Writes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "store_disk.h"
#include "store_tree.h"

enum { FOLDER = sizeof TREE_GENERATIONS + 21, FOLDER_FILE = FOLDER + 16 };

static const char *const listed_files[] = {"manifest", "sets"};

static void print_lists(struct arena *arena, struct generation *generation)
{
	if (!generation->shared[0])
		generation->text[0] = text_of_entries(arena, generation->manifest, generation->machine_count);
	if (!generation->shared[1])
		generation->text[1] = text_of_entries(arena, generation->sets, generation->set_count);
}

void generation_name(struct generation *generation)
{
	for (size_t i = 0; i < 2; i++)
		if (!generation->shared[i])
			generation->lists[i] = digest_of(generation->text[i]);
	generation->digest = digest_of_sums(listed_files, generation->lists, 2);
}

void generation_digest(struct arena *arena, struct generation *generation)
{
	generation->shared[0] = generation->shared[1] = false;
	print_lists(arena, generation);
	generation_name(generation);
}

static bool same_entries(const struct entry *a, size_t a_count, const struct entry *b, size_t b_count)
{
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++)
		if (!digest_eq(&a[i].digest, &b[i].digest) || entry_order(&a[i], &b[i]) != 0)
			return false;
	return true;
}

static void share(struct generation *generation, const struct generation *published)
{
	generation->shared[0] = same_entries(generation->manifest, generation->machine_count, published->manifest,
	                                     published->machine_count);
	generation->shared[1] =
		same_entries(generation->sets, generation->set_count, published->sets, published->set_count);
	for (size_t i = 0; i < 2; i++)
		generation->lists[i] = published->lists[i];
}

void generation_begin(struct arena *arena, const struct product *product, const struct summary *summary,
                      const struct generation *published, struct generation *generation)
{
	*generation = (struct generation){
		.manifest = product->manifest,
		.machine_count = product->machine_count,
		.sets = product->sets,
		.set_count = product->set_count,
		.summary = *summary,
	};
	if (published != NULL)
		share(generation, published);
	print_lists(arena, generation);
}

void generation_of(struct arena *arena, const struct product *product, const struct summary *summary,
                   struct generation *generation)
{
	generation_begin(arena, product, summary, NULL, generation);
	generation_name(generation);
}

bool generation_same(const struct generation *a, const struct generation *b)
{
	return digest_eq(&a->digest, &b->digest);
}

/* Two rounds of one process share most names. */
int entry_order(const struct entry *a, const struct entry *b)
{
	return a->name.p == b->name.p && a->name.n == b->name.n ? 0 : str_cmp(a->name, b->name);
}

struct difference_list {
	struct arena *arena;
	struct difference *items;
	size_t count, capacity;
};

/* Most entries are as they were. */
static void found_difference(struct difference_list *found, char sign, struct str name)
{
	APPEND(found->arena, found, ((struct difference){sign, name}));
}

size_t entries_compare(struct arena *arena, const struct entry *before, size_t before_count, const struct entry *after,
                       size_t after_count, struct difference **differences)
{
	struct difference_list found = {.arena = arena};
	size_t i = 0, j = 0;

	while (i < before_count || j < after_count) {
		int order = i == before_count  ? 1
		            : j == after_count ? -1
		                               : entry_order(&before[i], &after[j]);

		if (order < 0)
			found_difference(&found, '-', before[i++].name);
		else if (order > 0)
			found_difference(&found, '+', after[j++].name);
		else if (!digest_eq(&before[i++].digest, &after[j++].digest))
			found_difference(&found, '~', after[j - 1].name);
	}
	*differences = found.items;
	return found.count;
}

/* --- distinct objects --- */

/* Digests as they come, each once; a table of places in `items`, counted from 1. */
struct distinct {
	struct arena *arena;
	struct digest *items;
	size_t count, capacity;
	uint32_t *table;
	size_t room; /* a power of two, at least twice the count */
};

static uint32_t *find_place(const struct distinct *distinct, const struct digest *digest)
{
	size_t at;

	memcpy(&at, digest->byte, sizeof at);
	for (;; at++) {
		uint32_t *place = &distinct->table[at & (distinct->room - 1)];

		if (*place == 0 || digest_eq(&distinct->items[*place - 1], digest))
			return place;
	}
}

static void make_room(struct distinct *distinct)
{
	if (2 * (distinct->count + 1) <= distinct->room)
		return;
	distinct->room = distinct->room == 0 ? 1024 : 4 * distinct->room;
	distinct->table = ARENA_ARRAY(distinct->arena, uint32_t, distinct->room);
	for (size_t i = 0; i < distinct->count; i++)
		*find_place(distinct, &distinct->items[i]) = (uint32_t)i + 1;
}

/* Many machines share a ruleset: those that repeat go before what is left is sorted. */
static size_t distinct_digests(struct arena *arena, const struct entry *entries, size_t count,
                               const struct digest **digests)
{
	struct distinct distinct = {.arena = arena};

	for (size_t i = 0; i < count; i++) {
		make_room(&distinct);
		uint32_t *place = find_place(&distinct, &entries[i].digest);

		if (*place != 0)
			continue;
		*place = (uint32_t)distinct.count + 1;
		APPEND(arena, &distinct, entries[i].digest);
	}
	*digests = distinct.items;
	return digests_sort(distinct.items, distinct.count);
}

void generation_objects(struct arena *arena, const struct generation *generation, struct object_list *list)
{
	list->count[OBJECT_RULESET] = distinct_digests(arena, generation->manifest, generation->machine_count,
	                                               &list->digests[OBJECT_RULESET]);
	list->count[OBJECT_SET] =
		distinct_digests(arena, generation->sets, generation->set_count, &list->digests[OBJECT_SET]);
}

/* --- reading --- */

static void folder_of(char folder[FOLDER], uint64_t number)
{
	snprintf(folder, FOLDER, TREE_GENERATIONS "/%" PRIu64, number);
}

static struct error *open_folder(int root, const char *path, int *folder)
{
	*folder = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *folder >= 0 ? NULL : error_errno("can't open the folder %s", path);
}

/* *root is -1 when there is no folder. */
static struct error *open_output(struct arena *arena, struct str output, int *root)
{
	*root = open(str_c(arena, output), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *root >= 0 || errno == ENOENT ? NULL : error_errno("can't open the folder");
}

static struct error *read_summary(struct arena *arena, int folder, struct summary *summary, struct summary_rest *rest)
{
	struct str text;

	TRY(disk_read(arena, folder, "summary", &text));
	return text_read_summary(arena, text, summary, rest);
}

static struct error *read_files(struct arena *arena, int folder, struct generation *generation)
{
	struct str *manifest = &generation->text[0], *sets = &generation->text[1];
	struct summary_rest rest;

	generation->shared[0] = generation->shared[1] = false;
	TRY(disk_read(arena, folder, "manifest", manifest));
	TRY(disk_read(arena, folder, "sets", sets));
	TRY(text_read_entries(arena, "manifest", *manifest, &generation->manifest, &generation->machine_count));
	TRY(text_read_entries(arena, "sets", *sets, &generation->sets, &generation->set_count));
	TRY(read_summary(arena, folder, &generation->summary, &rest));
	generation_name(generation);
	if (!digest_eq(&rest.digest, &generation->digest))
		return error_new(ERROR_SURROUNDINGS, "manifest and sets are not those that were published");
	return NULL;
}

static struct error *read_in(struct arena *arena, int root, const char *path, struct generation *generation)
{
	int folder;

	TRY(open_folder(root, path, &folder));
	struct error *error = read_files(arena, folder, generation);

	(void)close(folder);
	return error_in(error, "%s", path);
}

struct error *generation_current(int root, uint64_t *number)
{
	char target[64];
	size_t length = 0;
	struct str found;

	*number = 0;
	errno = 0;
	if (!disk_link_target(root, "current", target, sizeof target, &length) && errno != ENOENT)
		return error_errno("can't read the link current");
	found = (struct str){target, length};
	if (length > 0 &&
	    !(str_starts(found, STR(TREE_GENERATIONS "/")) &&
	      str_number(str_slice(found, sizeof TREE_GENERATIONS, found.n), UINT64_MAX - 1, number) && *number > 0))
		return error_new(ERROR_SURROUNDINGS, "current leads to %.*s, which is no generation", STR_ARG(found));
	return NULL;
}

static struct error *read_published(struct arena *arena, int root, struct generation *generation)
{
	char folder[FOLDER];

	TRY(generation_current(root, &generation->number));
	if (generation->number == 0)
		return NULL;
	folder_of(folder, generation->number);
	return read_in(arena, root, folder, generation);
}

struct error *generation_read(struct arena *arena, struct str output, struct generation *generation)
{
	int root;

	*generation = (struct generation){0};
	struct error *error = open_output(arena, output, &root);

	if (root >= 0) {
		error = read_published(arena, root, generation);
		(void)close(root);
	}
	return error_hint(error_in(error, "output folder %.*s", STR_ARG(output)),
	                  "the published generation is damaged; move `current` away and generate again: everything is "
	                  "written anew");
}

static struct error *read_summary_in(struct arena *arena, int root, uint64_t number, struct summary *summary)
{
	char path[FOLDER];
	struct summary_rest rest;
	int folder;

	folder_of(path, number);
	TRY(open_folder(root, path, &folder));
	struct error *error = read_summary(arena, folder, summary, &rest);

	(void)close(folder);
	return error_in(error, "%s", path);
}

struct error *generation_read_summary(struct arena *arena, struct str output, uint64_t number, struct summary *summary)
{
	int root = open(str_c(arena, output), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct error *error = root < 0 ? error_errno("can't open the folder")
	                               : read_summary_in(arena, root, number, summary);

	if (root >= 0)
		(void)close(root);
	return error_in(error, "output folder %.*s", STR_ARG(output));
}

struct error *generation_read_number(struct arena *arena, struct str output, uint64_t number,
                                     struct generation *generation)
{
	char folder[FOLDER];
	struct stat status;
	int root;

	*generation = (struct generation){.number = number};
	struct error *error = open_output(arena, output, &root);

	if (error != NULL)
		return error_in(error, "output folder %.*s", STR_ARG(output));
	folder_of(folder, number);
	if (root < 0 || number == 0 || (fstatat(root, folder, &status, 0) != 0 && errno == ENOENT))
		error = error_hint(error_new(ERROR_UNKNOWN, "there is no generation %" PRIu64, number),
		                   "fleetwall generation list");
	else
		error = error_hint(error_in(read_in(arena, root, folder, generation), "output folder %.*s",
		                            STR_ARG(output)),
		                   "this generation is damaged; publish another one");
	if (root >= 0)
		(void)close(root);
	return error;
}

uint64_t store_current(struct str output)
{
	struct arena *scratch = arena_new();
	uint64_t number = 0;
	int root;
	struct error *error = open_output(scratch, output, &root);

	if (root >= 0) {
		error = generation_current(root, &number);
		(void)close(root);
	}
	arena_free(scratch);
	return error == NULL ? number : 0;
}

/* --- without the lists --- */

struct number_list {
	struct arena *arena;
	uint64_t *items;
	size_t count, capacity;
};

static struct error *add_number(void *context, struct str name)
{
	struct number_list *list = context;
	uint64_t number;

	if (str_number(name, UINT64_MAX - 1, &number) && number > 0 && name.p[0] != '0')
		APPEND(list->arena, list, number);
	return NULL;
}

static int number_order(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

struct error *generation_numbers(struct arena *arena, int root, uint64_t **numbers, size_t *count)
{
	struct number_list list = {.arena = arena};

	TRY(disk_list(root, TREE_GENERATIONS, add_number, &list));
	if (list.count > 1)
		qsort(list.items, list.count, sizeof *list.items, number_order);
	*numbers = list.items;
	*count = list.count;
	return NULL;
}

/* An old one, whose summary does not count. */
static struct error *count_lists(struct arena *arena, int folder, struct summary_rest *rest)
{
	struct generation generation;
	struct object_list list;

	TRY(read_files(arena, folder, &generation));
	generation_objects(arena, &generation, &list);
	rest->machines = generation.machine_count;
	rest->sets = generation.set_count;
	memcpy(rest->objects, list.count, sizeof rest->objects);
	return NULL;
}

static struct error *read_head(struct arena *arena, int folder, int64_t *clock, struct summary_rest *rest)
{
	struct str text;

	TRY(disk_read(arena, folder, "summary", &text));
	return text_read_summary_head(text, clock, rest);
}

/* Was it written before the summary, and has it room for so many lines? Then nobody wrote to it since. */
static bool list_left_alone(int folder, const char *file, size_t lines, const struct timespec *published)
{
	enum { LINE_LEAST = 64 + 2 + 1 + 1 }; /* digest, blanks, a name, newline */
	struct stat status;

	if (fstatat(folder, file, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode) ||
	    (uint64_t)status.st_size < (uint64_t)lines * LINE_LEAST)
		return false;
	return status.st_mtim.tv_sec != published->tv_sec ? status.st_mtim.tv_sec < published->tv_sec
	                                                  : status.st_mtim.tv_nsec <= published->tv_nsec;
}

/* Lists that were left alone are not read: fifty times nine megabytes are much for a fleet of 100,000. */
static struct error *read_info(struct arena *arena, int folder, struct generation_info *info)
{
	struct summary_rest rest;
	struct stat status;

	TRY(read_head(arena, folder, &info->clock, &rest));
	/* It is written for each generation, after the lists, and never again. */
	if (fstatat(folder, "summary", &status, 0) != 0)
		return error_errno("can't look at summary");
	if (!rest.counted || !list_left_alone(folder, "manifest", rest.machines, &status.st_mtim) ||
	    !list_left_alone(folder, "sets", rest.sets, &status.st_mtim))
		TRY(count_lists(arena, folder, &rest));
	info->digest = rest.digest;
	info->at = (int64_t)status.st_mtime;
	info->machines = rest.machines;
	info->rulesets = rest.objects[OBJECT_RULESET];
	info->sets = rest.sets;
	return NULL;
}

/* A damaged one is listed, so that it can be collected. */
static void look_at(int root, uint64_t number, struct generation_info *info)
{
	struct arena *scratch = arena_new();
	char path[FOLDER];
	struct stat status;
	int folder = -1;

	folder_of(path, number);
	struct error *error = open_folder(root, path, &folder);

	if (error == NULL)
		error = read_info(scratch, folder, info);
	info->damaged = error != NULL;
	if (info->damaged && folder >= 0 && fstat(folder, &status) == 0)
		info->at = (int64_t)status.st_mtime;
	if (folder >= 0)
		(void)close(folder);
	arena_free(scratch);
}

static struct error *list_all(struct arena *arena, int root, struct generation_info **generations, size_t *count)
{
	uint64_t *numbers, current;

	TRY(generation_numbers(arena, root, &numbers, count));
	TRY(generation_current(root, &current));
	*generations = ARENA_ARRAY(arena, struct generation_info, *count);
	for (size_t i = 0; i < *count; i++) {
		(*generations)[i] = (struct generation_info){.number = numbers[i], .current = numbers[i] == current};
		look_at(root, numbers[i], &(*generations)[i]);
	}
	return NULL;
}

struct error *store_generations(struct arena *arena, struct str output, struct generation_info **generations,
                                size_t *count)
{
	int root;

	*generations = NULL;
	*count = 0;
	struct error *error = open_output(arena, output, &root);

	if (root >= 0) {
		error = list_all(arena, root, generations, count);
		(void)close(root);
	}
	return error_in(error, "output folder %.*s", STR_ARG(output));
}

/* The list must be the one that was published: what it does not name may be collected. */
static bool read_list(struct arena *arena, int folder, const struct summary_rest *rest, struct object_list *list)
{
	struct str text;

	if (!rest->counted || disk_read(arena, folder, "objects", &text) != NULL)
		return false;
	struct digest digest = digest_of(text);

	return digest_eq(&digest, &rest->list) && text_read_objects(text, list);
}

static struct error *read_objects(struct arena *arena, int folder, struct object_list *list)
{
	struct summary_rest rest;
	struct generation generation;
	int64_t clock;

	TRY(read_head(arena, folder, &clock, &rest));
	if (read_list(arena, folder, &rest, list))
		return NULL;
	TRY(read_files(arena, folder, &generation));
	generation_objects(arena, &generation, list);
	return NULL;
}

struct error *generation_read_objects(struct arena *arena, int root, const char *path, struct object_list *list)
{
	int folder;

	TRY(open_folder(root, path, &folder));
	struct error *error = read_objects(arena, folder, list);

	(void)close(folder);
	return error_in(error, "%s", path);
}

/* --- untouched? --- */

static bool left_alone(int root, const char *path, const struct timespec *mark)
{
	struct stat status;

	if (fstatat(root, path, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	return status.st_ctim.tv_sec < mark->tv_sec ||
	       (status.st_ctim.tv_sec == mark->tv_sec && status.st_ctim.tv_nsec < mark->tv_nsec);
}

static bool files_left_alone(int root, uint64_t number, const struct timespec *mark)
{
	static const char *const files[] = {"manifest", "sets", "summary"};
	char folder[FOLDER], path[FOLDER_FILE];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec < mark->tv_sec || (now.tv_sec == mark->tv_sec && now.tv_nsec < mark->tv_nsec))
		return false;
	folder_of(folder, number);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, files[i]);
		if (!left_alone(root, path, mark))
			return false;
	}
	return left_alone(root, folder, mark);
}

static bool is_whole(struct arena *scratch, int root, uint64_t number, const struct timespec *mark)
{
	struct generation generation;
	char folder[FOLDER];

	if (files_left_alone(root, number, mark))
		return true;
	/* A file that generations share is touched when one of them goes. */
	folder_of(folder, number);
	return read_in(scratch, root, folder, &generation) == NULL;
}

bool store_generation_whole(struct str output, uint64_t number, const struct timespec *mark)
{
	struct arena *scratch = arena_new();
	bool whole = false;
	int root;

	if (open_output(scratch, output, &root) == NULL && root >= 0) {
		whole = is_whole(scratch, root, number, mark);
		(void)close(root);
	}
	arena_free(scratch);
	return whole;
}
