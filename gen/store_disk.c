/* The system calls of the store: new files, moves, links, removal. Nothing is ever written over: a file that is there
 * gives way to another one by rename. What belongs where is the store's business. */
#include "store_disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/arena.h"

/* A manifest of ten million machines is below it; memory is for what we wrote, not for what somebody put there. */
#define LARGEST ((off_t)1 << 30)

/* Bytes of a file that the disk begins to write at once: whoever flushes later waits for less. */
#define LARGE ((size_t)64 << 10)

/* Bytes of one write(): the page cache takes a huge page for more than 2 MiB. On a virtual machine that gives free
 * memory back to its host, these are what it gave, and come again slowly: 9 MB took 22 ms to write on ext4, and take 2
 * ms. */
#define PIECE ((size_t)1 << 19)

bool disk_name_ok(struct str name)
{
	/* A hundred thousand names a run: the two that begin with a dot are the exception. */
	if (name.n == 0 || name.n > 255 || (name.p[0] == '.' && (str_is(name, ".") || str_is(name, ".."))))
		return false;
	return memchr(name.p, '/', name.n) == NULL && memchr(name.p, '\0', name.n) == NULL;
}

struct error *disk_make_folder(int at, const char *path)
{
	if (mkdirat(at, path, 0755) != 0 && errno != EEXIST)
		return error_errno("can't make the folder %s", path);
	return NULL;
}

struct error *disk_make_path(const char *path)
{
	char part[4096];
	size_t length = strlen(path);

	if (length >= sizeof part)
		return error_new(ERROR_SURROUNDINGS, "the path %s is too long", path);
	for (size_t i = 1; i <= length; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		TRY(disk_make_folder(AT_FDCWD, part));
	}
	return NULL;
}

static bool write_all(int descriptor, struct str bytes)
{
	while (bytes.n > 0) {
		ssize_t written = write(descriptor, bytes.p, bytes.n < PIECE ? bytes.n : PIECE);

		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0)
			bytes = str_slice(bytes, (size_t)written, bytes.n);
	}
	return true;
}

static struct error *write_new(int at, const char *path, struct str bytes, bool early, bool *made)
{
	int descriptor = openat(at, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

	*made = descriptor >= 0;
	if (descriptor < 0)
		return errno == EEXIST ? NULL : error_errno("can't make the file %s", path);
	struct error *error = write_all(descriptor, bytes) ? NULL : error_errno("can't write %s", path);

	if ((early || bytes.n >= LARGE) && error == NULL)
		(void)sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE); /* no promise, and none is needed */
	/* Some file systems tell of a full disk only here. */
	if (close(descriptor) != 0 && error == NULL)
		error = error_errno("can't write %s", path);
	return error;
}

struct error *disk_write_new(int at, const char *path, struct str bytes, bool *made)
{
	return write_new(at, path, bytes, false, made);
}

static struct error *write_alone(int at, const char *path, struct str bytes, bool early)
{
	bool made;

	TRY(write_new(at, path, bytes, early, &made));
	if (made)
		return NULL;
	errno = EEXIST;
	return error_errno("can't make the file %s", path);
}

struct error *disk_write(int at, const char *path, struct str bytes)
{
	return write_alone(at, path, bytes, false);
}

struct error *disk_write_early(int at, const char *path, struct str bytes)
{
	return write_alone(at, path, bytes, true);
}

static bool read_all(int descriptor, char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t got = read(descriptor, bytes, count);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			errno = got == 0 ? EIO : errno;
			return false;
		}
		bytes += got;
		count -= (size_t)got;
	}
	return true;
}

struct error *disk_read(struct arena *arena, int at, const char *path, struct str *bytes)
{
	struct stat status;
	struct error *error = NULL;
	int descriptor = openat(at, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us */

	if (descriptor < 0)
		return error_errno("can't open %s", path);
	if (fstat(descriptor, &status) != 0)
		error = error_errno("can't read %s", path);
	else if (!S_ISREG(status.st_mode))
		error = error_new(ERROR_SURROUNDINGS, "%s is not a file", path);
	else if (status.st_size > LARGEST)
		error = error_new(ERROR_SURROUNDINGS, "%s is too large for a file of fleetwall", path);
	if (error == NULL) {
		size_t size = (size_t)status.st_size;
		char *buffer = arena_raw(arena, size);

		if (!read_all(descriptor, buffer, size))
			error = error_errno("can't read %s", path);
		*bytes = (struct str){buffer, size};
	}
	(void)close(descriptor);
	return error;
}

static bool same_bytes(int descriptor, struct str bytes)
{
	char chunk[16384];

	while (bytes.n > 0) {
		size_t size = bytes.n < sizeof chunk ? bytes.n : sizeof chunk;

		if (!read_all(descriptor, chunk, size) || memcmp(chunk, bytes.p, size) != 0)
			return false;
		bytes = str_slice(bytes, size, bytes.n);
	}
	return true;
}

bool disk_has(int at, const char *path, struct str bytes)
{
	struct stat status;
	int descriptor = openat(at, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (descriptor < 0)
		return false;
	bool same = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
	            (uint64_t)status.st_size == bytes.n && same_bytes(descriptor, bytes);

	(void)close(descriptor);
	return same;
}

/* A folder can't be renamed over one that has something in it: they change places, or, where the file system can't do
 * that, the old one goes first. */
static struct error *replace_folder(int at, const char *from, const char *to)
{
	if (renameat2(at, from, at, to, RENAME_EXCHANGE) == 0)
		return NULL;
	TRY(disk_remove(at, to));
	if (renameat(at, from, at, to) != 0)
		return error_errno("can't move %s to %s", from, to);
	return NULL;
}

struct error *disk_replace(int at, const char *from, const char *to)
{
	if (renameat(at, from, at, to) == 0)
		return NULL;
	switch (errno) {
	case ENOTEMPTY:
	case EEXIST:
	case ENOTDIR:
	case EISDIR:
		return replace_folder(at, from, to);
	default:
		return error_errno("can't move %s to %s", from, to);
	}
}

bool disk_link_target(int at, const char *path, char *target, size_t size, size_t *length)
{
	ssize_t got = readlinkat(at, path, target, size);

	if (got < 0 || (size_t)got == size)
		return false;
	*length = (size_t)got;
	return true;
}

static struct error *each_entry(DIR *folder, const char *path, struct error *(*each)(void *context, struct str name),
                                void *context)
{
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(folder);

		if (entry == NULL)
			return errno == 0 ? NULL : error_errno("can't read the folder %s", path);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			TRY(each(context, str_of(entry->d_name)));
	}
}

struct error *disk_list(int at, const char *path, struct error *(*each)(void *context, struct str name), void *context)
{
	int descriptor = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *folder = descriptor < 0 ? NULL : fdopendir(descriptor);

	if (folder == NULL) {
		struct error *error = error_errno("can't open the folder %s", path);

		if (descriptor >= 0)
			(void)close(descriptor);
		return error;
	}
	struct error *error = each_entry(folder, path, each, context);

	(void)closedir(folder);
	return error;
}

/* The folder whose entries are being removed. */
struct removal {
	int at;
	const char *path;
};

static struct error *remove_entry(void *context, struct str name)
{
	const struct removal *removal = context;
	char path[4096];

	if (snprintf(path, sizeof path, "%s/%.*s", removal->path, STR_ARG(name)) >= (int)sizeof path)
		return error_new(ERROR_SURROUNDINGS, "the folder %s is too deep to be removed", removal->path);
	return disk_remove(removal->at, path);
}

struct error *disk_remove(int at, const char *path)
{
	struct removal removal = {.at = at, .path = path};

	if (unlinkat(at, path, 0) == 0 || errno == ENOENT)
		return NULL;
	if (errno != EISDIR && errno != EPERM)
		return error_errno("can't remove %s", path);
	TRY(disk_list(at, path, remove_entry, &removal));
	if (unlinkat(at, path, AT_REMOVEDIR) != 0)
		return error_errno("can't remove the folder %s", path);
	return NULL;
}

struct error *disk_sync(int at, const char *path)
{
	int descriptor = openat(at, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (descriptor < 0)
		return error_errno("can't open %s", path);
	struct error *error = fsync(descriptor) == 0 ? NULL : error_errno("can't flush %s", path);

	(void)close(descriptor);
	return error;
}
