/* Starting and ending the private server with pg_ctl, under systemd in a service of its own where that is the way to
 * outlive who starts it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "server_home.h"

#define PATIENCE 20          /* seconds in which what a killed server left must be gone */
#define RECOVERY "300"       /* seconds that a server may take to get ready */
#define LARGEST_LOG 10000000 /* bytes; then it begins anew, and the old one is kept once */

static void pause_for(long milliseconds)
{
	nanosleep(&(struct timespec){.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000}, NULL);
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* --- the log --- */

static off_t log_size(const struct home *home)
{
	struct stat status;

	return lstat(home->log.p, &status) == 0 ? status.st_size : 0;
}

/* As the server's user: in its folder root follows no names that it could change. */
static struct error *turn_log(struct arena *arena, const struct home *home)
{
	const char *argv[] = {
		"mv", "-f", "--", home->log.p, str_c(arena, str_format(arena, "%.*s.old", STR_ARG(home->log))), NULL};
	struct outcome outcome;

	return log_size(home) <= LARGEST_LOG ? NULL : home_run(arena, home, argv, &outcome);
}

/* What the server said since the log had that size. */
static struct str reason(struct arena *arena, const struct home *home, off_t size)
{
	return server_reason(small_file(arena, home->log, size, 16384));
}

/* --- starting --- */

static bool has_systemd(void)
{
	struct stat status;

	return stat("/run/systemd/system", &status) == 0 && S_ISDIR(status.st_mode) && process_exists("systemd-run");
}

/* A service of its own: the unit or cron job that we are part of takes all its processes with it when it ends. */
static struct error *start_by_systemd(struct arena *arena, const struct home *home, const char *options,
                                      struct outcome *outcome)
{
	const char *argv[] = {
		"systemd-run",
		"--quiet",
		"--collect",
		"--service-type=forking",
		"--description=fleetwall's private database",
		str_c(arena, str_format(arena, "--unit=fleetwall-database-%ld", (long)getpid())),
		str_c(arena, str_format(arena, "--uid=%s", home->user)),
		str_c(arena, str_format(arena, "--property=PIDFile=%.*s/postmaster.pid", STR_ARG(home->data))),
		"--property=KillSignal=SIGINT",
		"--property=KillMode=mixed",
		"--property=TimeoutStartSec=" RECOVERY,
		"--property=TimeoutStopSec=120",
		home_program(arena, home, "pg_ctl"),
		"start",
		"--silent",
		"--wait",
		"--timeout=" RECOVERY,
		"--pgdata",
		home->data.p,
		"--log",
		home->log.p,
		"--options",
		options,
		NULL,
	};
	struct command command = {.argv = argv};

	return process_run(arena, &command, outcome);
}

static struct error *start_by_ourselves(struct arena *arena, const struct home *home, const char *options,
                                        struct outcome *outcome)
{
	const char *argv[] = {home_program(arena, home, "pg_ctl"),
	                      "start",
	                      "--silent",
	                      "--wait",
	                      "--timeout=" RECOVERY,
	                      "--pgdata",
	                      home->data.p,
	                      "--log",
	                      home->log.p,
	                      "--options",
	                      options,
	                      NULL};

	return home_run(arena, home, argv, outcome);
}

static struct error *start_once(struct arena *arena, const struct home *home, struct outcome *outcome)
{
	const char *options = str_c(arena, str_format(arena, "-c config_file='%.*s/pg.conf'", STR_ARG(home->state)));
	off_t size = log_size(home);

	if (home->root && has_systemd()) {
		TRY(start_by_systemd(arena, home, options, outcome));
		if ((outcome->started && outcome->status == 0) || log_size(home) != size)
			return NULL;
	}
	return start_by_ourselves(arena, home, options, outcome);
}

/* A server that was killed leaves its children for a moment, and they hold the shared memory; one that another process
 * is starting has the lock file. Both pass. */
static bool passes(struct str text)
{
	static const char *const signs[] = {"pre-existing shared memory", "lock file", "is still in use"};

	for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
		if (memmem(text.p, text.n, signs[i], strlen(signs[i])) != NULL)
			return true;
	return false;
}

static bool is_ready(struct arena *arena, const struct home *home, struct str socket)
{
	struct postmaster postmaster = server_await(arena, home);

	return postmaster.ready && str_eq(postmaster.socket, socket) && postmaster_answers(socket);
}

static struct error *not_started(const struct home *home, struct str why, const struct outcome *outcome)
{
	if (why.n == 0)
		why = outcome->errors.n > 0 ? str_trim(outcome->errors) : STR("it gave no reason");
	return error_hint(error_new(ERROR_SURROUNDINGS, "the private database does not start: %.*s", STR_ARG(why)),
	                  "its log is %.*s", STR_ARG(home->log));
}

struct error *server_run(struct arena *arena, const struct home *home, struct str socket)
{
	time_t end = now() + PATIENCE;
	struct outcome outcome = {0};
	struct str why;

	TRY(turn_log(arena, home));
	for (;;) {
		off_t size = log_size(home);

		TRY(start_once(arena, home, &outcome));
		if (is_ready(arena, home, socket))
			return NULL;
		why = reason(arena, home, size);
		if (!passes(why) || now() >= end)
			return not_started(home, why, &outcome);
		pause_for(200);
	}
}

/* --- waiting and ending --- */

struct postmaster server_await(struct arena *arena, const struct home *home)
{
	time_t end = now() + PATIENCE;
	struct postmaster postmaster = postmaster_read(arena, home);

	while (postmaster_alive(home, &postmaster) && !postmaster.ready && now() < end) {
		pause_for(50);
		postmaster = postmaster_read(arena, home);
	}
	if (!postmaster_alive(home, &postmaster))
		postmaster = (struct postmaster){.socket = STR("")};
	return postmaster;
}

struct error *server_end(struct arena *arena, const struct home *home)
{
	const char *argv[] = {home_program(arena, home, "pg_ctl"),
	                      "stop",
	                      "--silent",
	                      "--wait",
	                      "--timeout=120",
	                      "--mode=fast",
	                      "--pgdata",
	                      home->data.p,
	                      NULL};
	struct postmaster postmaster;
	struct outcome outcome;

	TRY(home_run(arena, home, argv, &outcome));
	postmaster = postmaster_read(arena, home);
	if (!postmaster_alive(home, &postmaster))
		return NULL;
	return error_new(ERROR_SURROUNDINGS, "the private database does not stop: %.*s",
	                 STR_ARG(str_trim(outcome.errors)));
}
