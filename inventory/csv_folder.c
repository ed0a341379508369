/* The CSV files of a folder: which there are, and their texts. Does not know what they mean. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fleet_fields.h"
#include "fleetwall/arena.h"
#include "fleetwall/document.h"

static const char *const csv_names[] = {
	"machines.csv", "addresses.csv", "roles.csv", "members.csv", "networks.csv", "services.csv", "rules.csv",
};

#define CSV_NAMES (sizeof csv_names / sizeof *csv_names)

/* `rule.csv` beside nothing else would be passed over in silence, and its rules with it. */
static struct error *near_name(struct str folder, struct str name)
{
	struct str words[CSV_NAMES], nearest;

	for (size_t i = 0; i < CSV_NAMES; i++) {
		words[i] = str_of(csv_names[i]);
		if (str_eq(name, words[i]))
			return NULL;
	}
	nearest = str_ends(name, STR(".csv")) ? str_nearest(name, words, CSV_NAMES) : STR("");
	if (nearest.n == 0)
		return NULL;
	return error_hint(error_new(ERROR_INPUT, "%.*s/%.*s is not read", STR_ARG(folder), STR_ARG(name)),
	                  "did you mean %.*s?", STR_ARG(nearest));
}

static struct error *look_at_folder(struct arena *arena, struct str folder, struct error **warnings)
{
	DIR *directory = opendir(str_c(arena, folder));
	struct dirent *entry;

	if (directory == NULL && errno == ENOTDIR)
		return error_hint(error_new(ERROR_INPUT, "%.*s is a file, not a folder", STR_ARG(folder)),
		                  "a document is imported without --csv");
	if (directory == NULL && errno == ENOENT)
		return error_new(ERROR_UNKNOWN, "there is no folder %.*s", STR_ARG(folder));
	if (directory == NULL)
		return error_errno("can't read folder %.*s", STR_ARG(folder));
	while ((entry = readdir(directory)) != NULL)
		error_collect(warnings, near_name(folder, str_of(entry->d_name)));
	closedir(directory);
	return NULL;
}

struct error *csv_folder_read(struct arena *arena, struct str folder, struct csv_file **files, size_t *count,
                              struct error **warnings)
{
	if (folder.n == 0 || str_find(folder, '\0') < folder.n)
		return error_new(ERROR_INPUT, "\"%.*s\" is no folder name", STR_ARG(folder));
	TRY(look_at_folder(arena, folder, warnings));
	*files = ARENA_ARRAY(arena, struct csv_file, CSV_NAMES);
	*count = 0;
	for (size_t i = 0; i < CSV_NAMES; i++) {
		struct csv_file *file = &(*files)[*count];

		file->name = str_format(arena, "%.*s/%s", STR_ARG(folder), csv_names[i]);
		if (access(str_c(arena, file->name), F_OK) != 0 && errno == ENOENT)
			continue;
		TRY(file_text(arena, file->name, &file->text));
		(*count)++;
	}
	return NULL;
}
