/* Whole files into memory, and which files a CSV folder has. Reads regular files, pipes and
 * standard input; of what never ends, not more than a document can be. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleet_fields.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"

#define FILE_MAX ((size_t)1 << 30)
#define READ_SIZE ((size_t)1 << 16)

/* /dev/stdin can't be opened by name where it is a socket, as under ssh. */
static bool is_standard_input(struct str path)
{
	return str_is(path, "/dev/stdin");
}

static struct error *open_file(struct str path, const char *name, int *descriptor)
{
	if (is_standard_input(path))
		*descriptor = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	else
		*descriptor = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (*descriptor >= 0)
		return NULL;
	if (errno == ENOENT || errno == ENOTDIR)
		return error_new(ERROR_UNKNOWN, "there is no file %.*s", STR_ARG(path));
	return error_errno("can't open %.*s", STR_ARG(path));
}

/* *size is how much is probably there. */
static struct error *check_file(struct str path, int descriptor, size_t *size)
{
	struct stat status;

	if (fstat(descriptor, &status) != 0)
		return error_errno("can't look at %.*s", STR_ARG(path));
	if (S_ISDIR(status.st_mode))
		return error_hint(error_new(ERROR_INPUT, "%.*s is a folder", STR_ARG(path)),
		                  "a folder of CSV files is imported with --csv");
	if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode) && !is_standard_input(path))
		return error_new(ERROR_INPUT, "%.*s is no regular file", STR_ARG(path));
	*size = S_ISREG(status.st_mode) && status.st_size > 0 ? (size_t)status.st_size : 0;
	if (*size > FILE_MAX)
		return error_new(ERROR_INPUT, "%.*s is larger than 1 GiB", STR_ARG(path));
	return NULL;
}

/* To its end, whatever its size was said to be. */
static struct error *read_all(struct str path, int descriptor, struct buf *buf)
{
	for (;;) {
		ssize_t n;

		buf_reserve(buf, READ_SIZE);
		n = read(descriptor, buf->p + buf->n, buf->capacity - buf->n);
		if (n == 0)
			return NULL;
		if (n < 0 && errno != EINTR)
			return error_errno("can't read %.*s", STR_ARG(path));
		buf->n += n > 0 ? (size_t)n : 0;
		if (buf->n > FILE_MAX)
			return error_new(ERROR_INPUT, "%.*s is larger than 1 GiB", STR_ARG(path));
	}
}

struct error *file_read(struct arena *arena, struct str path, struct str *text)
{
	struct buf buf = buf_new(arena);
	struct error *error;
	size_t size = 0;
	int descriptor;

	if (path.n == 0 || str_find(path, '\0') < path.n)
		return error_new(ERROR_INPUT, "\"%.*s\" is no file name", STR_ARG(path));
	TRY(open_file(path, str_c(arena, path), &descriptor));
	error = check_file(path, descriptor, &size);
	if (error != NULL)
		goto close;
	buf_reserve(&buf, size + READ_SIZE);
	error = read_all(path, descriptor, &buf);
	*text = buf_str(&buf);
close:
	close(descriptor);
	return error;
}

/* --- a CSV folder --- */

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

	if (directory == NULL && (errno == ENOENT || errno == ENOTDIR))
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
		TRY(file_read(arena, file->name, &file->text));
		(*count)++;
	}
	return NULL;
}
