/* The private PostgreSQL in STATE/pg, for who has configured none: found, made, started, stopped, dumped. A Unix socket
 * only; started on need, left running. Everything that changes something happens under the lock of STATE. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "server_home.h"

static void describe(struct arena *arena, const struct home *home, const struct postmaster *postmaster,
                     struct server *server)
{
	server->state = SERVER_RUNNING;
	server->pid = postmaster->pid;
	server->socket = postmaster->socket;
	server->conninfo = server_conninfo(arena, home, postmaster->socket, SERVER_ROLE);
}

/* What is there, without touching it. The record is written when the database in it is complete, so that who finds both
 * may use it. */
static void look(struct arena *arena, const struct home *home, bool exists, struct server *server)
{
	struct postmaster postmaster = postmaster_read(arena, home);
	struct str recorded = socket_recorded(arena, home);

	*server = (struct server){.state = exists ? SERVER_STOPPED : SERVER_NONE,
	                          .data = home->data,
	                          .socket = STR(""),
	                          .conninfo = STR("")};
	if (exists && postmaster.ready && str_eq(postmaster.socket, recorded) && postmaster_alive(home, &postmaster) &&
	    socket_usable(home, recorded) && postmaster_answers(recorded))
		describe(arena, home, &postmaster, server);
}

struct error *server_status(struct arena *arena, struct str state, struct server *server)
{
	struct home home;
	bool exists;

	TRY(home_find(arena, state, &home, &exists));
	look(arena, &home, exists, server);
	return NULL;
}

/* --- starting --- */

static struct error *ensure_database(struct arena *arena, const struct home *home, struct str socket)
{
	struct db_rows rows;
	struct error *error;
	struct db *db;

	TRY(db_open(arena, server_conninfo(arena, home, socket, "postgres"), &db));
	error = db_query(arena, db, STR("SELECT FROM pg_database WHERE datname = '" SERVER_ROLE "'"), NULL, 0, &rows);
	if (error == NULL && rows.count == 0)
		error = db_run(db, STR("CREATE DATABASE " SERVER_ROLE " TEMPLATE template0 ENCODING 'UTF8'"));
	db_close(db);
	return error;
}

/* A number in postmaster.pid that another program has now would keep the server from starting. Where nobody has it,
 * PostgreSQL sees that itself. */
static void drop_stale(struct arena *arena, const struct home *home)
{
	struct postmaster postmaster = postmaster_read(arena, home);

	if (postmaster.pid != 0 && !postmaster_alive(home, &postmaster) &&
	    (kill(postmaster.pid, 0) == 0 || errno == EPERM))
		unlink(str_c(arena, str_format(arena, "%.*s/postmaster.pid", STR_ARG(home->data))));
}

static struct error *start_stopped(struct arena *arena, const struct home *home, struct str *socket)
{
	*socket = socket_recorded(arena, home);
	if (!socket_usable(home, *socket))
		TRY(socket_make(arena, home, socket));
	drop_stale(arena, home);
	TRY(settings_write(arena, home, *socket));
	return server_run(arena, home, *socket);
}

/* A server whose socket is gone (a cleaner of /tmp, the end of a login) can't be reached, only ended. */
static struct error *ensure_running(struct arena *arena, const struct home *home, struct str *socket)
{
	struct postmaster postmaster = server_await(arena, home);

	*socket = postmaster.socket;
	if (postmaster.pid != 0 && postmaster.ready && socket_usable(home, *socket) && postmaster_answers(*socket))
		return NULL;
	if (postmaster.pid != 0)
		TRY(server_end(arena, home));
	return start_stopped(arena, home, socket);
}

static struct error *ensure_data(struct arena *arena, struct home *home, bool exists)
{
	TRY(home_programs(arena, home, exists));
	server_sweep(arena, home);
	return exists ? NULL : server_make(arena, home);
}

static struct error *start_locked(struct arena *arena, struct str state, struct server *server)
{
	struct postmaster postmaster;
	struct home home;
	struct str socket;
	bool exists;

	TRY(home_find(arena, state, &home, &exists));
	look(arena, &home, exists, server);
	if (server->state == SERVER_RUNNING)
		return NULL;
	TRY(ensure_data(arena, &home, exists));
	TRY(ensure_running(arena, &home, &socket));
	TRY(ensure_database(arena, &home, socket));
	TRY(socket_record(arena, &home, socket));
	postmaster = postmaster_read(arena, &home);
	describe(arena, &home, &postmaster, server);
	return NULL;
}

struct error *server_start(struct arena *arena, struct str state, struct server *server)
{
	struct error *error;
	struct home home;
	bool exists;
	int lock;

	TRY(home_find(arena, state, &home, &exists));
	look(arena, &home, exists, server);
	if (server->state == SERVER_RUNNING)
		return NULL;
	TRY(home_prepare(arena, &home));
	TRY(home_lock(arena, &home, &lock));
	error = start_locked(arena, state, server);
	close(lock);
	return error;
}

/* --- stopping --- */

static struct error *stop_locked(struct arena *arena, struct home *home)
{
	struct postmaster postmaster = postmaster_read(arena, home);

	if (postmaster_alive(home, &postmaster)) {
		TRY(home_programs(arena, home, true));
		TRY(server_end(arena, home));
	}
	socket_clear(arena, home);
	return NULL;
}

struct error *server_stop(struct arena *arena, struct str state)
{
	struct error *error;
	struct home home;
	bool exists;
	int lock;

	TRY(home_find(arena, state, &home, &exists));
	if (!exists)
		return NULL;
	TRY(home_lock(arena, &home, &lock));
	error = stop_locked(arena, &home);
	close(lock);
	return error;
}

/* --- dumping --- */

static struct error *run_dump(struct arena *arena, struct home *home, const struct server *server, const char *file)
{
	const char *argv[] = {NULL, "--no-owner", "--no-password", "--dbname", str_c(arena, server->conninfo), "--file",
	                      file, NULL};
	struct command command = {.argv = argv};
	struct outcome outcome;

	TRY(home_programs(arena, home, true));
	argv[0] = home_program(arena, home, "pg_dump");
	TRY(process_run(arena, &command, &outcome));
	if (outcome.started && outcome.status == 0)
		return NULL;
	return error_new(ERROR_SURROUNDINGS, "pg_dump failed: %.*s", STR_ARG(str_trim(outcome.errors)));
}

/* Flushed and renamed; the file is there whole or not at all. */
static struct error *dump_beside(struct arena *arena, struct home *home, const struct server *server, const char *file)
{
	char *temporary = str_c(arena, str_format(arena, "%s.XXXXXX", file));
	int fd = mkostemp(temporary, O_CLOEXEC);
	struct error *error;

	if (fd < 0)
		return error_errno("writing %s", file);
	error = run_dump(arena, home, server, temporary);
	if (error == NULL && fsync(fd) != 0)
		error = error_errno("writing %s", file);
	if (error == NULL && rename(temporary, file) != 0)
		error = error_errno("writing %s", file);
	close(fd);
	if (error != NULL)
		unlink(temporary);
	return error;
}

struct error *server_dump(struct arena *arena, struct str state, struct str file)
{
	const char *path = str_c(arena, file);
	struct server server;
	struct stat status;
	struct home home;
	bool exists;

	TRY(home_find(arena, state, &home, &exists));
	if (!exists)
		return error_hint(
			error_new(ERROR_SURROUNDINGS, "there is no private database in %.*s", STR_ARG(home.state)),
			"run: fleetwall init");
	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return error_new(ERROR_INPUT, "%s is there and is no regular file", path);
	TRY(server_start(arena, state, &server));
	return dump_beside(arena, &home, &server, path);
}
