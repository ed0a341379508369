/* The system calls of the cache. What anybody else could have written is as good as not there: files and their folder
 * must belong to us or to root, and be closed to writers. Refuses to follow links. */
#include "cache_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool trusted(const struct stat *status)
{
	return (status->st_uid == geteuid() || status->st_uid == 0) && (status->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static int open_folder(struct arena *arena, struct str output)
{
	const char *path = str_c(arena, str_format(arena, "%.*s/" CACHE_FOLDER, STR_ARG(output)));
	struct stat status;
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (folder >= 0 && (fstat(folder, &status) != 0 || !trusted(&status))) {
		(void)close(folder);
		return -1;
	}
	return folder;
}

int cache_open(struct arena *arena, struct str output, const char *name, uint64_t *size)
{
	int folder = open_folder(arena, output);
	struct stat status;

	if (folder < 0)
		return -1;
	/* Whoever put a pipe there is not waited for. */
	int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	(void)close(folder);
	if (file >= 0 && (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || !trusted(&status))) {
		(void)close(file);
		return -1;
	}
	if (file >= 0)
		*size = (uint64_t)status.st_size;
	return file;
}

static struct error *close_to_others(int folder)
{
	struct stat status;

	if (fstat(folder, &status) != 0)
		return error_errno("can't look at the folder " CACHE_FOLDER);
	if (status.st_uid != geteuid() && status.st_uid != 0)
		return error_new(ERROR_SURROUNDINGS, "the folder " CACHE_FOLDER " belongs to somebody else");
	if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0 && fchmod(folder, S_IRWXU) != 0)
		return error_errno("can't change the mode of the folder " CACHE_FOLDER);
	return NULL;
}

struct error *cache_open_folder(int root, int *folder)
{
	if (mkdirat(root, CACHE_FOLDER, S_IRWXU) != 0 && errno != EEXIST)
		return error_errno("can't make the folder " CACHE_FOLDER);
	*folder = openat(root, CACHE_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*folder < 0)
		return error_errno("can't open the folder " CACHE_FOLDER);
	struct error *error = close_to_others(*folder);

	if (error != NULL) {
		(void)close(*folder);
		*folder = -1;
	}
	return error;
}

struct error *cache_new_file(int folder, const char *name, int *file)
{
	/* A run that was killed may have left one. */
	if (unlinkat(folder, name, 0) != 0 && errno != ENOENT)
		return error_errno("can't remove " CACHE_FOLDER "/%s", name);
	*file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	return *file >= 0 ? NULL : error_errno("can't make " CACHE_FOLDER "/%s", name);
}

bool cache_pread(int file, void *bytes, size_t size, uint64_t at)
{
	char *to = bytes;

	while (size > 0) {
		ssize_t got = pread(file, to, size, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		to += got;
		size -= (size_t)got;
		at += (uint64_t)got;
	}
	return true;
}

bool cache_pwrite(int file, struct str bytes, uint64_t at)
{
	while (bytes.n > 0) {
		ssize_t written = pwrite(file, bytes.p, bytes.n, (off_t)at);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		bytes = str_slice(bytes, (size_t)written, bytes.n);
		at += (uint64_t)written;
	}
	return true;
}
