/* The small files around the private server: postmaster.pid, which PostgreSQL writes; its settings, and the record of
 * its socket's folder, which we write. All of ours are in STATE, where only we can write, not in the data folder. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "server_home.h"

#define OWN_FOLDER "/pg.run"
#define SOCKET_FILE ".s.PGSQL." SERVER_PORT
#define ANSWER_WAIT 2000 /* milliseconds */
#define LONGEST_FOLDER 88 /* a socket's path has 107 bytes, and PostgreSQL puts a lock file beside it */

struct str small_file(struct arena *arena, struct str path, off_t offset, size_t most)
{
	int fd = open(str_c(arena, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text;
	ssize_t n;

	if (fd < 0)
		return STR("");
	text = arena_alloc(arena, most);
	n = pread(fd, text, most, offset);
	close(fd);
	return n > 0 ? (struct str){text, (size_t)n} : STR("");
}

struct str server_reason(struct str text)
{
	static const char *const marks[] = {"FATAL:", "PANIC:", "error:"};
	struct str line, last = STR(""), found = STR("");

	while (text.n > 0 && str_cut(&text, '\n', &line)) {
		line = str_trim(line);
		for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
			const char *at = memmem(line.p, line.n, marks[i], 6);

			if (at != NULL)
				found = str_trim(str_slice(line, (size_t)(at - line.p) + 6, line.n));
		}
		if (line.n > 0)
			last = line;
	}
	return found.n > 0 ? found : last;
}

/* --- the postmaster --- */

struct postmaster postmaster_read(struct arena *arena, const struct home *home)
{
	struct str rest = small_file(arena, str_format(arena, "%.*s/postmaster.pid", STR_ARG(home->data)), 0, 8192),
		   line;
	struct postmaster postmaster = {.socket = STR("")};
	uint64_t pid;

	/* pid, data folder, start time, port, socket's folder, listen address, shared memory, status */
	for (int number = 1; rest.p != NULL && str_cut(&rest, '\n', &line); number++) {
		if (number == 1 && str_number(str_trim(line), INT32_MAX, &pid))
			postmaster.pid = (pid_t)pid;
		if (number == 5)
			postmaster.socket = line;
		if (number == 8)
			postmaster.ready = str_is(str_trim(line), "ready");
	}
	return postmaster;
}

/* A server stands in its data folder. So a number that was given to another program meanwhile is not mistaken for it.
 */
bool postmaster_alive(const struct home *home, const struct postmaster *postmaster)
{
	struct stat stands, data;
	char link[64];

	if (postmaster->pid <= 0 || (kill(postmaster->pid, 0) != 0 && errno != EPERM))
		return false;
	snprintf(link, sizeof link, "/proc/%ld/cwd", (long)postmaster->pid);
	return stat(link, &stands) == 0 && stat(home->data.p, &data) == 0 && stands.st_dev == data.st_dev &&
	       stands.st_ino == data.st_ino;
}

/* The question whether it speaks TLS, which a server answers with one byte before anything else. A connection alone
 * proves nothing: it waits in the queue of a process that was just killed, too. One that takes its time is busy, not
 * gone. */
static bool answers(int fd)
{
	static const unsigned char request[8] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
	struct pollfd waiting = {.fd = fd, .events = POLLIN};
	char answer;

	if (send(fd, request, sizeof request, MSG_NOSIGNAL) != (ssize_t)sizeof request)
		return false;
	return poll(&waiting, 1, ANSWER_WAIT) <= 0 || recv(fd, &answer, 1, 0) == 1;
}

bool postmaster_answers(struct str socket_folder)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	bool answered;
	int fd, n;

	n = snprintf(address.sun_path, sizeof address.sun_path, "%.*s/" SOCKET_FILE, STR_ARG(socket_folder));
	if (socket_folder.n == 0 || n < 0 || (size_t)n >= sizeof address.sun_path)
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	answered = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 && answers(fd);
	close(fd);
	return answered;
}

/* --- files of ours --- */

static struct error *write_whole(int fd, struct str text)
{
	while (text.n > 0) {
		ssize_t n = write(fd, text.p, text.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno("writing");
		text = str_slice(text, (size_t)n, text.n);
	}
	return fsync(fd) == 0 ? NULL : error_errno("writing");
}

/* Complete or not at all. Readable for the server's user. */
static struct error *write_file(struct arena *arena, const struct home *home, const char *name, struct str text)
{
	char *path = str_c(arena, str_format(arena, "%.*s/%s", STR_ARG(home->state), name));
	char *temporary = str_c(arena, str_format(arena, "%s.new", path));
	struct error *error;
	int fd;

	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_errno("writing %s", path);
	error = write_whole(fd, text);
	if (error == NULL && fchmod(fd, 0644) != 0)
		error = error_errno("setting its mode");
	close(fd);
	if (error == NULL && rename(temporary, path) != 0)
		error = error_errno("renaming it");
	if (error != NULL)
		unlink(temporary);
	return error_in(error, "%s", path);
}

struct error *settings_write(struct arena *arena, const struct home *home, struct str socket)
{
	struct buf text = buf_new(arena), users = buf_new(arena);
	int state = (int)home->state.n;
	const char *p = home->state.p;

	buf_format(&text, "# Written by fleetwall at every start. Settings of your own go into pg/postgresql.conf.\n");
	buf_format(&text, "include '%.*s/pg/postgresql.conf'\n", state, p);
	buf_format(&text, "listen_addresses = ''\nport = " SERVER_PORT "\nunix_socket_permissions = 0700\n");
	buf_format(&text, "unix_socket_directories = '%.*s'\n", STR_ARG(socket));
	buf_format(&text, "hba_file = '%.*s/pg.hba'\nident_file = '%.*s/pg.ident'\n", state, p, state, p);
	buf_format(&text, "fsync = on\nfull_page_writes = on\ncluster_name = 'fleetwall'\n");
	buf_format(&text, "logging_collector = off\nlog_checkpoints = off\n");
	/* systemd removes the shared memory of an ordinary user who logs out, and the server is to stay. */
	if (!home->root)
		buf_format(&text, "dynamic_shared_memory_type = mmap\n");
	buf_format(&users, "# Written by fleetwall at every start.\nfleetwall \"%s\" " SERVER_ROLE "\n", home->user);
	if (home->root)
		buf_format(&users, "fleetwall root " SERVER_ROLE "\n");
	TRY(write_file(arena, home, "pg.hba",
	               STR("# Written by fleetwall at every start.\nlocal all all peer map=fleetwall\n")));
	TRY(write_file(arena, home, "pg.ident", buf_str(&users)));
	return write_file(arena, home, "pg.conf", buf_str(&text));
}

/* --- the socket's folder --- */

static struct str record_path(struct arena *arena, const struct home *home)
{
	return str_format(arena, "%.*s/pg.socket", STR_ARG(home->state));
}

struct str socket_recorded(struct arena *arena, const struct home *home)
{
	return str_trim(small_file(arena, record_path(arena, home), 0, 4096));
}

struct error *socket_record(struct arena *arena, const struct home *home, struct str folder)
{
	return write_file(arena, home, "pg.socket", str_format(arena, "%.*s\n", STR_ARG(folder)));
}

/* The place that belongs to a state folder alone, so that whoever has its connection string finds the server again
 * after a stop. */
static struct str own_socket(struct arena *arena, const struct home *home)
{
	return str_format(arena, "%.*s" OWN_FOLDER, STR_ARG(home->state));
}

/* A copied state folder records where the socket of the first one is: that is not for the copy to use, or to clear. */
static bool is_anothers(const struct home *home, struct str folder)
{
	struct str state = folder;

	if (!str_ends(folder, STR(OWN_FOLDER)))
		return false;
	state.n -= strlen(OWN_FOLDER);
	return !str_eq(state, home->state);
}

bool socket_usable(const struct home *home, struct str folder)
{
	char path[LONGEST_FOLDER + 1];
	struct stat status;

	if (folder.n == 0 || folder.n > LONGEST_FOLDER || folder.p[0] != '/' || is_anothers(home, folder))
		return false;
	snprintf(path, sizeof path, "%.*s", STR_ARG(folder));
	return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == home->uid &&
	       (status.st_mode & 0777) == 0700;
}

/* PostgreSQL takes a list, with commas; settings put it between quotes. */
static bool plain_name(struct str folder)
{
	for (size_t i = 0; i < folder.n; i++)
		if (strchr(",'\"\\", folder.p[i]) != NULL || (unsigned char)folder.p[i] <= ' ')
			return false;
	return true;
}

/* Not where its name is too long for a socket, or is none for a setting. */
static bool make_in_state(struct arena *arena, const struct home *home, struct str *folder)
{
	char *path;

	*folder = own_socket(arena, home);
	if (folder->n > LONGEST_FOLDER || !plain_name(*folder))
		return false;
	path = str_c(arena, *folder);
	if (mkdir(path, 0700) != 0)
		return errno == EEXIST && socket_usable(home, *folder);
	if (chmod(path, 0700) == 0 && (!home->root || lchown(path, home->uid, home->gid) == 0))
		return true;
	rmdir(path);
	return false;
}

static bool make_in(struct arena *arena, const struct home *home, const char *parent, struct str *folder)
{
	char *path;

	*folder = str_format(arena, "%s/fleetwall-XXXXXX", parent);
	if (parent[0] != '/' || folder->n > LONGEST_FOLDER || !plain_name(*folder))
		return false;
	path = str_c(arena, *folder);
	if (mkdtemp(path) == NULL)
		return false;
	*folder = str_of(path);
	if (!home->root || lchown(path, home->uid, home->gid) == 0)
		return true;
	rmdir(path);
	return false;
}

struct error *socket_make(struct arena *arena, const struct home *home, struct str *folder)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (make_in_state(arena, home, folder))
		return NULL;
	if (home->root && make_in(arena, home, "/run", folder))
		return NULL;
	if (!home->root && runtime != NULL && make_in(arena, home, runtime, folder))
		return NULL;
	if (make_in(arena, home, "/tmp", folder))
		return NULL;
	return error_errno("making a folder for the socket of the private database in /tmp");
}

void socket_clear(struct arena *arena, const struct home *home)
{
	struct str folder = socket_recorded(arena, home);
	bool usable = socket_usable(home, folder);

	if (usable) {
		unlink(str_c(arena, str_format(arena, "%.*s/" SOCKET_FILE, STR_ARG(folder))));
		unlink(str_c(arena, str_format(arena, "%.*s/" SOCKET_FILE ".lock", STR_ARG(folder))));
	}
	if (str_eq(folder, own_socket(arena, home)))
		return;
	if (usable)
		rmdir(str_c(arena, folder));
	unlink(str_c(arena, record_path(arena, home)));
}

/* requirepeer: nobody else may answer in its place. An empty hostaddr keeps PGHOSTADDR out. */
struct str server_conninfo(struct arena *arena, const struct home *home, struct str socket, const char *database)
{
	return str_format(
		arena, "host='%.*s' hostaddr='' port=" SERVER_PORT " dbname=%s user=" SERVER_ROLE " requirepeer='%s'",
		STR_ARG(socket), database, home->user);
}
