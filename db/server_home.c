/* Where the private server lives: its folders and who may pass through them, the user it runs as, PostgreSQL's
 * programs, the lock that keeps several commands from starting it at once. Changes nothing inside the data folder. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "server_home.h"

#define DEBIAN_PROGRAMS "/usr/lib/postgresql"
#define OLDEST_VERSION 14

static struct error *absolute(struct arena *arena, struct str state, struct str *path)
{
	char here[PATH_MAX];

	while (state.n > 1 && state.p[state.n - 1] == '/')
		state.n--;
	*path = str_of(str_c(arena, state));
	if (state.n == 0)
		return error_new(ERROR_INPUT, "the state folder has no name");
	/* pg_ctl puts paths into a shell line between double quotes. */
	for (size_t i = 0; i < state.n; i++)
		if (strchr("\"'`$\\", state.p[i]) != NULL || (unsigned char)state.p[i] < ' ')
			return error_new(ERROR_INPUT,
			                 "the name of the state folder may not hold quotes, $, ` or \\: %.*s",
			                 STR_ARG(state));
	if (state.p[0] == '/')
		return NULL;
	if (getcwd(here, sizeof here) == NULL)
		return error_errno("finding the current folder");
	*path = str_format(arena, "%s/%.*s", here, STR_ARG(state));
	return NULL;
}

/* --- users --- */

static void take_user(struct arena *arena, struct home *home, const struct passwd *user)
{
	home->user = str_c(arena, str_of(user->pw_name));
	home->uid = user->pw_uid;
	home->gid = user->pw_gid;
}

static bool usable(const struct passwd *user)
{
	return user != NULL && user->pw_uid != 0;
}

/* Root's server runs as whoever has the data already, else as fleetwall or postgres. */
static struct error *choose_for_root(struct arena *arena, struct home *home, const struct stat *data)
{
	static const char *const names[] = {"fleetwall", "postgres"};
	const struct passwd *user = NULL;

	if (data != NULL) {
		user = getpwuid(data->st_uid);
		if (!usable(user)) /* PostgreSQL itself refuses root */
			return error_new(ERROR_SURROUNDINGS, "%.*s belongs to user %lu, as whom no server can run",
			                 STR_ARG(home->data), (unsigned long)data->st_uid);
	}
	for (size_t i = 0; i < sizeof names / sizeof names[0] && !usable(user); i++)
		user = getpwnam(names[i]);
	if (!usable(user))
		return error_hint(
			error_new(ERROR_SURROUNDINGS, "there is no user that the private database could run as"),
			"install the package postgresql, or make a system user fleetwall; PostgreSQL does not run as "
		        "root");
	take_user(arena, home, user);
	return NULL;
}

static struct error *choose_ourselves(struct arena *arena, struct home *home)
{
	const struct passwd *user = getpwuid(geteuid());

	if (user == NULL)
		return error_new(ERROR_SURROUNDINGS,
		                 "user %lu has no name, so that the private database could not tell who connects",
		                 (unsigned long)geteuid());
	take_user(arena, home, user);
	return NULL;
}

static struct error *foreign(const struct home *home)
{
	return error_hint(
		error_new(ERROR_SURROUNDINGS, "the private database %.*s belongs to another user", STR_ARG(home->data)),
		"run fleetwall as root or as that user, or choose another state folder (--state)");
}

/* PostgreSQL writes PG_VERSION into each data folder; a folder without one is as good as none. */
static struct error *look_at_data(struct arena *arena, const struct home *home, struct stat *data, bool *exists)
{
	struct str version = str_format(arena, "%.*s/PG_VERSION", STR_ARG(home->data));

	*exists = lstat(home->data.p, data) == 0 && lstat(version.p, data) == 0;
	if (!*exists && errno == EACCES)
		return foreign(home);
	if (!*exists && errno != ENOENT && errno != ENOTDIR)
		return error_errno("looking at %.*s", STR_ARG(home->data));
	return *exists && !home->root && data->st_uid != geteuid() ? foreign(home) : NULL;
}

struct error *home_find(struct arena *arena, struct str state, struct home *home, bool *exists)
{
	struct stat data;

	*home = (struct home){.root = geteuid() == 0, .programs = STR("")};
	TRY(absolute(arena, state, &home->state));
	home->data = str_format(arena, "%.*s/pg", STR_ARG(home->state));
	home->log = str_format(arena, "%.*s/server.log", STR_ARG(home->data));
	TRY(look_at_data(arena, home, &data, exists));
	return home->root ? choose_for_root(arena, home, *exists ? &data : NULL) : choose_ourselves(arena, home);
}

/* --- folders --- */

/* mkdir with exactly that mode, whatever the umask is. */
static struct error *make_folder(struct str path, mode_t mode)
{
	if (mkdir(path.p, mode) == 0)
		return chmod(path.p, mode) == 0 ? NULL : error_errno("setting the mode of %.*s", STR_ARG(path));
	return errno == EEXIST ? NULL : error_errno("making the folder %.*s", STR_ARG(path));
}

/* Calls `each` with "/", "/var", "/var/lib" … and the path itself. */
static struct error *each_folder(struct arena *arena, struct str path,
                                 struct error *(*each)(struct arena *, const struct home *, struct str),
                                 const struct home *home)
{
	for (size_t end = 1; end <= path.n; end++) {
		if (end > 1 && end < path.n && path.p[end] != '/')
			continue;
		TRY(each(arena, home, str_copy(arena, str_slice(path, 0, end))));
	}
	return NULL;
}

static struct error *ensure_folder(struct arena *arena, const struct home *home, struct str path)
{
	struct stat status;

	path = str_format(arena, "%.*s", STR_ARG(path));
	if (stat(path.p, &status) == 0)
		return S_ISDIR(status.st_mode) ? NULL
		                               : error_new(ERROR_SURROUNDINGS, "%.*s is not a folder", STR_ARG(path));
	if (path.n == home->state.n)
		return make_folder(path, home->root ? 0711 : 0700);
	return make_folder(path, 0755);
}

/* Where the mode alone does not settle it, the user itself tries. */
static struct error *check_passable(struct arena *arena, const struct home *home, struct str path)
{
	const char *argv[] = {"test", "-x", str_c(arena, path), NULL};
	struct outcome outcome;
	struct stat status;

	if (stat(argv[2], &status) == 0 && (status.st_mode & 0111) == 0111)
		return NULL;
	TRY(home_run(arena, home, argv, &outcome));
	if (!outcome.started || outcome.status == 0)
		return NULL;
	return error_hint(error_new(ERROR_SURROUNDINGS,
	                            "user %s, as whom the private database runs, can't pass through the folder %.*s",
	                            home->user, STR_ARG(path)),
	                  "chmod o+x %.*s, or choose another state folder (--state, or `state` in the configuration)",
	                  STR_ARG(path));
}

struct error *home_prepare(struct arena *arena, const struct home *home)
{
	struct stat status;

	TRY(each_folder(arena, home->state, ensure_folder, home));
	if (!home->root)
		return NULL;
	if (stat(home->state.p, &status) == 0 && (status.st_mode & 07777) != 0711 && chmod(home->state.p, 0711) != 0)
		return error_errno("setting the mode of %.*s", STR_ARG(home->state));
	return each_folder(arena, home->state, check_passable, home);
}

struct error *home_lock(struct arena *arena, const struct home *home, int *fd)
{
	struct str path = str_format(arena, "%.*s/pg.lock", STR_ARG(home->state));

	*fd = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0)
		return error_errno("opening %.*s", STR_ARG(path));
	while (flock(*fd, LOCK_EX) != 0)
		if (errno != EINTR) {
			struct error *error = error_errno("locking %.*s", STR_ARG(path));

			close(*fd);
			*fd = -1;
			return error;
		}
	return NULL;
}

/* --- programs --- */

struct error *home_run(struct arena *arena, const struct home *home, const char *const *argv, struct outcome *outcome)
{
	struct command command = {.argv = argv, .detached = true};

	if (home->root) {
		command.as_user = home->user;
		command.uid = home->uid;
		command.gid = home->gid;
	}
	return process_run(arena, &command, outcome);
}

const char *home_program(struct arena *arena, const struct home *home, const char *name)
{
	if (home->programs.n == 0)
		return name;
	return str_c(arena, str_format(arena, "%.*s/%s", STR_ARG(home->programs), name));
}

static bool has_programs(struct arena *arena, struct str folder)
{
	struct home home = {.programs = folder};

	return process_exists(home_program(arena, &home, "initdb")) &&
	       process_exists(home_program(arena, &home, "pg_ctl")) &&
	       process_exists(home_program(arena, &home, "postgres"));
}

static struct str debian_folder(struct arena *arena, uint64_t version)
{
	return str_format(arena, DEBIAN_PROGRAMS "/%lu/bin", (unsigned long)version);
}

/* The newest version that Debian's packages have installed, 0 if none. */
static uint64_t newest_version(struct arena *arena)
{
	DIR *folder = opendir(DEBIAN_PROGRAMS);
	const struct dirent *entry;
	uint64_t newest = 0, version;

	while (folder != NULL && (entry = readdir(folder)) != NULL)
		if (str_number(str_of(entry->d_name), 1000, &version) && version > newest &&
		    has_programs(arena, debian_folder(arena, version)))
			newest = version;
	if (folder != NULL)
		closedir(folder);
	return newest;
}

/* Of the programs in PATH: "pg_ctl (PostgreSQL) 15.18 (Debian …)". 0: there are none. */
static struct error *version_in_path(struct arena *arena, const struct home *home, uint64_t *version)
{
	const char *argv[] = {"pg_ctl", "--version", NULL};
	struct outcome outcome;
	struct str text;
	size_t from, to;

	*version = 0;
	if (!has_programs(arena, STR("")))
		return NULL;
	TRY(home_run(arena, home, argv, &outcome));
	text = outcome.output;
	from = str_find(text, ')');
	text = str_trim(str_slice(text, from + 1, text.n));
	for (to = 0; to < text.n && text.p[to] >= '0' && text.p[to] <= '9'; to++)
		;
	if (!str_number(str_slice(text, 0, to), 1000, version))
		*version = 0;
	return NULL;
}

static struct error *no_programs(const struct home *home, uint64_t wanted)
{
	if (wanted == 0)
		return error_hint(error_new(ERROR_SURROUNDINGS, "PostgreSQL's server programs (initdb, pg_ctl, "
		                                                "postgres), 14 or newer, were not found"),
		                  "install the package postgresql, or name a database of your own in the configuration "
		                  "(`database`)");
	return error_hint(
		error_new(ERROR_SURROUNDINGS,
	                  "the private database %.*s was made by PostgreSQL %lu, whose programs were not found",
	                  STR_ARG(home->data), (unsigned long)wanted),
		"install the package postgresql-%lu", (unsigned long)wanted);
}

struct error *home_programs(struct arena *arena, struct home *home, bool exists)
{
	uint64_t wanted = 0, version;

	if (exists &&
	    !str_number(str_trim(small_file(arena, str_format(arena, "%.*s/PG_VERSION", STR_ARG(home->data)), 0, 16)),
	                1000, &wanted))
		return error_new(ERROR_SURROUNDINGS, "%.*s is not a data folder of PostgreSQL", STR_ARG(home->data));
	version = wanted != 0 ? wanted : newest_version(arena);
	home->programs = debian_folder(arena, version);
	if (version >= OLDEST_VERSION && has_programs(arena, home->programs))
		return NULL;
	home->programs = STR("");
	TRY(version_in_path(arena, home, &version));
	if (version >= OLDEST_VERSION && (wanted == 0 || version == wanted))
		return NULL;
	return no_programs(home, wanted);
}
