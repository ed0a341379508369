/* Whole files into memory. Waits for nothing but what comes through descriptors that were given to us: a named pipe
 * where a file was meant is refused, as is all else that is no regular file. Does not know what a text means. */
#include "fleetwall/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

#define FILE_MAX ((size_t)1 << 30)
#define READ_SIZE ((size_t)1 << 16)

struct source {
	struct str path;
	int descriptor;
	bool given; /* one that was open when we were started: what comes through it is its owner's business */
};

/* The number of a descriptor that the path names; -1: it names none. They can't all be opened by name: not a socket,
 * as standard input is under ssh. */
static int given_descriptor(struct str path)
{
	static const struct str folders[] = {{"/dev/fd/", 8}, {"/proc/self/fd/", 14}};
	uint64_t number;

	if (str_is(path, "/dev/stdin"))
		return STDIN_FILENO;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (str_starts(path, folders[i]) &&
		    str_number(str_slice(path, folders[i].n, path.n), INT_MAX, &number))
			return (int)number;
	return -1;
}

static struct error *no_file(struct str path)
{
	return error_hint(error_new(ERROR_INPUT, "%.*s is no regular file", STR_ARG(path)),
	                  "what comes through a pipe is read as /dev/stdin, or by <(…) of a shell");
}

static struct error *open_source(struct source *source, const char *name)
{
	int number = given_descriptor(source->path);

	source->given = number >= 0;
	if (source->given)
		source->descriptor = fcntl(number, F_DUPFD_CLOEXEC, 0);
	else
		source->descriptor = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (source->descriptor >= 0)
		return NULL;
	if (errno == ENOENT || errno == ENOTDIR || errno == EBADF)
		return error_new(ERROR_UNKNOWN, "there is no file %.*s", STR_ARG(source->path));
	if (errno == ENXIO || errno == ENODEV)
		return no_file(source->path);
	return error_errno("can't open %.*s", STR_ARG(source->path));
}

/* *size is how much is probably there. */
static struct error *check_source(const struct source *source, size_t *size)
{
	struct stat status;

	if (fstat(source->descriptor, &status) != 0)
		return error_errno("can't look at %.*s", STR_ARG(source->path));
	if (S_ISDIR(status.st_mode))
		return error_new(ERROR_INPUT, "%.*s is a folder", STR_ARG(source->path));
	if (!S_ISREG(status.st_mode) && !source->given)
		return no_file(source->path);
	*size = S_ISREG(status.st_mode) && status.st_size > 0 ? (size_t)status.st_size : 0;
	if (*size > FILE_MAX)
		return error_new(ERROR_INPUT, "%.*s is larger than 1 GiB", STR_ARG(source->path));
	return NULL;
}

/* To its end, whatever its size was said to be. */
static struct error *read_all(const struct source *source, struct buf *buf)
{
	for (;;) {
		ssize_t n;

		buf_reserve(buf, READ_SIZE);
		n = read(source->descriptor, buf->p + buf->n, buf->capacity - buf->n);
		if (n == 0)
			return NULL;
		if (n < 0 && errno != EINTR)
			return error_errno("can't read %.*s", STR_ARG(source->path));
		buf->n += n > 0 ? (size_t)n : 0;
		if (buf->n > FILE_MAX)
			return error_new(ERROR_INPUT, "%.*s is larger than 1 GiB", STR_ARG(source->path));
	}
}

struct error *file_read(struct arena *arena, struct str path, struct str *text)
{
	struct source source = {.path = path};
	struct buf buf = buf_new(arena);
	struct error *error;
	size_t size = 0;

	if (path.n == 0 || str_find(path, '\0') < path.n)
		return error_new(ERROR_INPUT, "\"%.*s\" is no file name", STR_ARG(path));
	TRY(open_source(&source, str_c(arena, path)));
	error = check_source(&source, &size);
	if (error != NULL)
		goto close;
	buf_reserve(&buf, size + READ_SIZE);
	error = read_all(&source, &buf);
	*text = buf_str(&buf);
close:
	close(source.descriptor);
	return error;
}

struct error *file_text(struct arena *arena, struct str path, struct str *text)
{
	struct place place = {.file = path, .line = 1};
	size_t nul;

	TRY(file_read(arena, path, text));
	nul = str_find(*text, '\0');
	if (nul == text->n)
		return NULL;
	for (size_t i = 0; i < nul; i++)
		place.line += text->p[i] == '\n';
	return error_at(error_hint(error_new(ERROR_INPUT, "a NUL byte: this is no text"),
	                           "a file in UTF-16 is saved as UTF-8 first, a compressed one unpacked"),
	                place);
}
