/* Starting programs: the look-up, the child between fork and exec, waiting, and throw-away network namespaces. No other
 * file forks or executes. Never hands anything to a shell, and lets no descriptor of ours through. */
#include "fleetwall/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "process_fork.h"
#include "process_pump.h"

#define NOT_STARTED 127 /* what a shell says for a program that it can't start */
#define MOST_GROUPS 256

/* All that the child needs, put together before the fork: after it only async-signal-safe calls are left. */
struct launch {
	const char *path;
	char *const *argv;
	char **environment;
	const struct command *command;
	gid_t groups[MOST_GROUPS];
	int group_count;
	sigset_t mask;
	int in, out, err, report;
};

enum step { STEP_STREAMS, STEP_USER, STEP_EXEC };

/* What the child says through the report pipe when it can't become the program. */
struct failure {
	enum step step;
	int number; /* errno */
};

static bool is_program(const char *path)
{
	struct stat status;

	return access(path, X_OK) == 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* The program's path, or NULL. */
static char *look_up(struct arena *arena, const char *program)
{
	static const char fallback[] = "/usr/local/sbin:/usr/sbin:/sbin";
	const char *path = getenv("PATH");
	struct str rest, folder;

	if (strchr(program, '/') != NULL)
		return is_program(program) ? str_c(arena, str_of(program)) : NULL;
	rest = str_format(arena, "%s:%s", path != NULL ? path : "/usr/local/bin:/usr/bin:/bin", fallback);
	while (str_cut(&rest, ':', &folder)) {
		struct str candidate;

		if (folder.n == 0 || folder.p[0] != '/')
			continue; /* never from the folder that we happen to be in */
		candidate = str_format(arena, "%.*s/%s", STR_ARG(folder), program);
		if (is_program(candidate.p))
			return str_c(arena, candidate);
	}
	return NULL;
}

bool process_exists(const char *program)
{
	struct arena *scratch = arena_new();
	bool exists = look_up(scratch, program) != NULL;

	arena_free(scratch);
	return exists;
}

struct str process_identity(struct arena *arena, const char *program)
{
	char *path = look_up(arena, program), file[PATH_MAX];
	struct stat status;

	if (path == NULL || realpath(path, file) == NULL || stat(file, &status) != 0)
		return STR("");
	return str_format(arena, "%s %jd %jd.%09ld", file, (intmax_t)status.st_size, (intmax_t)status.st_mtim.tv_sec,
	                  status.st_mtim.tv_nsec);
}

struct variables {
	char **items;
	size_t count, capacity;
};

static void set_variable(struct arena *arena, struct variables *variables, const char *name, const char *value)
{
	struct str start = str_format(arena, "%s=", name);
	char *text = str_c(arena, str_format(arena, "%s=%s", name, value));

	for (size_t i = 0; i < variables->count; i++)
		if (str_starts(str_of(variables->items[i]), start)) {
			variables->items[i] = text;
			return;
		}
	APPEND(arena, variables, text);
}

static char **environment_for(struct arena *arena, const struct command *command)
{
	struct variables variables = {NULL, 0, 0};
	const struct passwd *user = command->as_user != NULL ? getpwuid(command->uid) : NULL;

	for (char **at = environ; at != NULL && *at != NULL; at++)
		APPEND(arena, &variables, *at);
	set_variable(arena, &variables, "LC_ALL", "C");
	if (command->as_user != NULL) {
		set_variable(arena, &variables, "USER", command->as_user);
		set_variable(arena, &variables, "LOGNAME", command->as_user);
		set_variable(arena, &variables, "HOME", user != NULL ? user->pw_dir : "/");
	}
	APPEND(arena, &variables, NULL);
	return variables.items;
}

static struct error *prepare(struct arena *arena, const struct command *command, struct launch *launch)
{
	union {
		const char *const *given;
		char *const *wanted; /* execve takes it so, and changes nothing */
	} argv = {.given = command->argv};

	launch->command = command;
	launch->argv = argv.wanted;
	launch->environment = environment_for(arena, command);
	launch->group_count = MOST_GROUPS;
	if (command->as_user != NULL &&
	    getgrouplist(command->as_user, command->gid, launch->groups, &launch->group_count) < 0)
		return error_new(ERROR_SURROUNDINGS, "user %s is in more than %d groups", command->as_user,
		                 MOST_GROUPS);
	return NULL;
}

static bool become_user(const struct launch *launch)
{
	const struct command *command = launch->command;

	if (command->as_user == NULL)
		return true;
	if (geteuid() == 0 && setgroups((size_t)launch->group_count, launch->groups) != 0)
		return false;
	return setgid(command->gid) == 0 && setuid(command->uid) == 0 && chdir("/") == 0;
}

/* dup2() clears close-on-exec, except where both are the same descriptor. */
static bool place_stream(int from, int to)
{
	return from == to ? fcntl(from, F_SETFD, 0) == 0 : dup2(from, to) == to;
}

static _Noreturn void child_fails(const struct launch *launch, enum step step)
{
	struct failure failure = {step, errno};

	if (write(launch->report, &failure, sizeof failure) < 0)
		_exit(NOT_STARTED);
	_exit(NOT_STARTED);
}

static _Noreturn void child(const struct launch *launch)
{
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &launch->mask, NULL);
	if (launch->command->detached)
		setsid();
	if (!place_stream(launch->in, 0) || !place_stream(launch->out, 1) || !place_stream(launch->err, 2))
		child_fails(launch, STEP_STREAMS);
	/* Ours are opened close-on-exec; this is for those of libraries and of whoever started us. */
	close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
	if (!become_user(launch))
		child_fails(launch, STEP_USER);
	execve(launch->path, launch->argv, launch->environment);
	child_fails(launch, STEP_EXEC);
}

/* A descriptor of 3 or more, so that placing 0, 1 and 2 in the child overwrites none that is still needed. */
static int above_streams(int fd)
{
	int moved;

	if (fd < 0 || fd > 2)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	close(fd);
	return moved;
}

static bool make_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) != 0) {
		ends[0] = ends[1] = -1;
		return false;
	}
	ends[0] = above_streams(ends[0]);
	ends[1] = above_streams(ends[1]);
	return ends[0] >= 0 && ends[1] >= 0;
}

static void close_both(int ends[2])
{
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			close(ends[i]);
	ends[0] = ends[1] = -1;
}

/* Pipes of one child; our ends and its ends. */
struct pipes {
	int in[2], out[2], err[2], report[2];
};

static struct error *open_pipes(const struct command *command, struct pipes *pipes)
{
	*pipes = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
	if (command->input.n == 0) {
		pipes->in[0] = above_streams(open("/dev/null", O_RDONLY | O_CLOEXEC));
		if (pipes->in[0] < 0)
			return error_errno("opening /dev/null");
	} else if (!make_pipe(pipes->in)) {
		return error_errno("making a pipe");
	}
	if (!make_pipe(pipes->out) || !make_pipe(pipes->err) || !make_pipe(pipes->report))
		return error_errno("making a pipe");
	return NULL;
}

static void close_pipes(struct pipes *pipes)
{
	close_both(pipes->in);
	close_both(pipes->out);
	close_both(pipes->err);
	close_both(pipes->report);
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

struct error *process_reap(pid_t pid, int *status)
{
	int raw;

	while (waitpid(pid, &raw, 0) < 0)
		if (errno != EINTR)
			return error_errno("waiting for a child process");
	*status = exit_status(raw);
	return NULL;
}

struct error *process_fork(int (*work)(void *context), void *context, pid_t *pid)
{
	*pid = fork();
	if (*pid < 0)
		return error_errno("starting a child process");
	if (*pid == 0)
		_exit(work(context));
	return NULL;
}

/* Waits until the child has become the program (end of file) or has said why it can't. */
static bool child_failed(int report, struct failure *failure)
{
	ssize_t n;

	do
		n = read(report, failure, sizeof *failure);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof *failure;
}

static struct error *not_started(const struct launch *launch, const struct failure *failure, struct outcome *outcome)
{
	errno = failure->number;
	if (failure->step == STEP_USER)
		return error_errno("becoming user %s to run %s", launch->command->as_user, launch->argv[0]);
	if (failure->step == STEP_STREAMS)
		return error_errno("preparing the streams of %s", launch->argv[0]);
	*outcome = (struct outcome){
		.status = NOT_STARTED,
		.output = STR(""),
		.errors = str_of(strerror(failure->number)),
	};
	return NULL;
}

/* The parent's part after the fork. */
static struct error *attend(struct arena *arena, const struct launch *launch, struct pipes *pipes, pid_t pid,
                            struct outcome *outcome)
{
	struct error *error = NULL;
	struct failure failure;
	int status = 0;

	close_end(&pipes->in[0]);
	close_end(&pipes->out[1]);
	close_end(&pipes->err[1]);
	close_end(&pipes->report[1]);
	if (child_failed(pipes->report[0], &failure)) {
		TRY(process_reap(pid, &status));
		return not_started(launch, &failure, outcome);
	}
	outcome->started = true;
	if (pump(arena, pid, &pipes->in[1], pipes->out[0], pipes->err[0], launch->command->input, outcome) != 0)
		error = error_errno("talking to %s", launch->argv[0]);
	close_pipes(pipes); /* a child that still writes gets SIGPIPE instead of waiting for us */
	error_collect(&error, process_reap(pid, &outcome->status));
	return error;
}

static struct error *start(struct arena *arena, struct launch *launch, struct pipes *pipes, struct outcome *outcome)
{
	sigset_t pipe_signal;
	struct error *error;
	pid_t pid;

	launch->in = pipes->in[0];
	launch->out = pipes->out[1];
	launch->err = pipes->err[1];
	launch->report = pipes->report[1];
	/* Writing to a child that has gone must be EPIPE, not our end. */
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	sigprocmask(SIG_BLOCK, &pipe_signal, &launch->mask);
	pid = fork();
	if (pid == 0)
		child(launch);
	error = pid < 0 ? error_errno("starting %s", launch->path) : attend(arena, launch, pipes, pid, outcome);
	if (!sigismember(&launch->mask, SIGPIPE))
		sigtimedwait(&pipe_signal, NULL, &(struct timespec){.tv_sec = 0}); /* the one that we may have caused */
	sigprocmask(SIG_SETMASK, &launch->mask, NULL);
	return error;
}

struct error *process_run(struct arena *arena, const struct command *command, struct outcome *outcome)
{
	struct launch *launch = ARENA_NEW(arena, struct launch);
	struct pipes pipes;
	struct error *error;

	*outcome = (struct outcome){.status = NOT_STARTED, .output = STR(""), .errors = STR("")};
	launch->path = look_up(arena, command->argv[0]);
	if (launch->path == NULL) {
		outcome->errors = STR("no such program");
		return NULL;
	}
	TRY(prepare(arena, command, launch));
	error = open_pipes(command, &pipes);
	if (error == NULL)
		error = start(arena, launch, &pipes, outcome);
	close_pipes(&pipes);
	return error;
}

struct error *process_become(const char *const *argv)
{
	struct arena *scratch = arena_new();
	const char *path = look_up(scratch, argv[0]);
	struct error *error;
	union {
		const char *const *given;
		char *const *wanted;
	} list = {.given = argv};

	if (path != NULL)
		execve(path, list.wanted, environ);
	error = path == NULL ? error_new(ERROR_SURROUNDINGS, "there is no program %s", argv[0])
	                     : error_errno("starting %s", path);
	arena_free(scratch);
	return error;
}
