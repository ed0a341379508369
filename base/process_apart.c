/* Running commands in a network namespace of their own, thrown away with the process that holds it. The parent stays
 * where it is; what came of each command travels back through a pipe. Spawns by process_fork() alone. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/process.h"
#include "process_fork.h"

enum report_kind { REPORT_OUTCOME, REPORT_ERROR, REPORT_NOT_PERMITTED };

/* The head of a report; the two texts follow it. */
struct report {
	enum report_kind kind;
	bool started;
	int status;
	size_t first, second; /* lengths: output and errors, or message and hint */
};

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

/* A user namespace in which we are root, so that a network namespace is ours to change (user_namespaces(7)). */
static bool enter_as_user(uid_t uid, gid_t gid)
{
	char uid_map[32], gid_map[32];

	snprintf(uid_map, sizeof uid_map, "0 %u 1", uid);
	snprintf(gid_map, sizeof gid_map, "0 %u 1", gid);
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && write_text("/proc/self/setgroups", "deny") &&
	       write_text("/proc/self/uid_map", uid_map) && write_text("/proc/self/gid_map", gid_map);
}

/* Root in a container may lack the right to a bare network namespace, and still have that to one inside a user
 * namespace. */
static bool enter_namespace(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	return (uid == 0 && unshare(CLONE_NEWNET) == 0) || enter_as_user(uid, gid);
}

static bool send_all(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t written = write(fd, bytes, n);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		bytes += written;
		n -= (size_t)written;
	}
	return true;
}

static bool send_report(int fd, struct report report, struct str first, struct str second)
{
	char head[sizeof report];

	report.first = first.n;
	report.second = second.n;
	memcpy(head, &report, sizeof report);
	return send_all(fd, head, sizeof head) && send_all(fd, first.p, first.n) && send_all(fd, second.p, second.n);
}

/* What the child is given. */
struct task {
	const struct command *commands;
	size_t count;
	const char *lock;
	int report;
};

/* In the child: runs them until one fails. */
static int run_all(struct arena *arena, const struct task *task)
{
	for (size_t i = 0; i < task->count; i++) {
		struct outcome outcome;
		struct error *error = process_run(arena, &task->commands[i], &outcome);
		struct report report = {
			.kind = error != NULL ? REPORT_ERROR : REPORT_OUTCOME,
			.started = outcome.started,
			.status = outcome.status,
		};
		bool sent = error != NULL ? send_report(task->report, report, error->message, error->hint)
		                          : send_report(task->report, report, outcome.output, outcome.errors);

		if (!sent)
			return 1;
		if (error != NULL || !outcome.started || outcome.status != 0)
			break;
	}
	return 0;
}

static int child(void *context)
{
	const struct task *task = context;
	struct arena *arena = arena_new();
	int status;

	/* The legacy backend's lock lies in /run, which is not ours to write when we are not root. */
	if (!enter_namespace())
		status = !send_report(task->report, (struct report){.kind = REPORT_NOT_PERMITTED}, STR(""), STR(""));
	else if (setenv("XTABLES_LOCKFILE", task->lock, 1) != 0)
		status = 1;
	else
		status = run_all(arena, task);
	arena_free(arena);
	return status;
}

static struct error *read_all(struct arena *arena, int fd, struct str *text)
{
	struct buf buf = buf_new(arena);
	char bytes[16384];

	for (;;) {
		ssize_t n = read(fd, bytes, sizeof bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno("reading what came of the commands in a namespace");
		if (n == 0)
			break;
		buf_add(&buf, (struct str){bytes, (size_t)n});
	}
	*text = buf_str(&buf);
	return NULL;
}

static struct error *cut_short(void)
{
	return error_new(ERROR_SURROUNDINGS, "the process that ran commands in a namespace ended early");
}

/* Cuts one report off the front of `text`. */
static bool next_report(struct str *text, struct report *report, struct str *first, struct str *second)
{
	if (text->n < sizeof *report)
		return false;
	memcpy(report, text->p, sizeof *report);
	*text = str_slice(*text, sizeof *report, text->n);
	if (report->first > text->n || report->second > text->n - report->first)
		return false;
	*first = str_slice(*text, 0, report->first);
	*second = str_slice(*text, report->first, report->first + report->second);
	*text = str_slice(*text, report->first + report->second, text->n);
	return true;
}

static struct error *read_reports(struct str text, size_t count, struct outcome *outcomes, size_t *ran, bool *permitted)
{
	struct report report = {.kind = REPORT_OUTCOME};
	struct str first, second;

	*ran = 0;
	*permitted = true;
	while (*ran < count) {
		if (!next_report(&text, &report, &first, &second))
			return cut_short();
		if (report.kind == REPORT_NOT_PERMITTED) {
			*permitted = false;
			return NULL;
		}
		if (report.kind == REPORT_ERROR)
			return error_hint(error_new(ERROR_SURROUNDINGS, "%.*s", STR_ARG(first)), "%.*s",
			                  STR_ARG(second));
		outcomes[(*ran)++] = (struct outcome){report.started, report.status, first, second};
		if (!report.started || report.status != 0)
			break;
	}
	return NULL;
}

/* The pipe and the child between them; `folder` is there for the lock. */
static struct error *run_in(struct arena *arena, struct task *task, struct str *text)
{
	struct error *error;
	int ends[2], status = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_errno("making a pipe");
	task->report = ends[1];
	error = process_fork(child, task, &pid);
	close(ends[1]);
	if (error == NULL) {
		error = read_all(arena, ends[0], text);
		error_collect(&error, process_reap(pid, &status));
	}
	close(ends[0]);
	if (error == NULL && status != 0)
		error = cut_short();
	return error;
}

struct error *process_run_apart(struct arena *arena, const struct command *commands, size_t count,
                                struct outcome *outcomes, size_t *ran, bool *permitted)
{
	const char *base = getenv("TMPDIR");
	char *folder =
		str_c(arena, str_format(arena, "%s/fleetwall-XXXXXX", base != NULL && *base == '/' ? base : "/tmp"));
	struct task task = {.commands = commands, .count = count};
	struct str text = STR("");
	struct error *error;

	if (mkdtemp(folder) == NULL)
		return error_errno("making a temporary folder %s", folder);
	task.lock = str_c(arena, str_format(arena, "%s/xtables.lock", folder));
	error = run_in(arena, &task, &text);
	unlink(task.lock);
	rmdir(folder);
	return error != NULL ? error : read_reports(text, count, outcomes, ran, permitted);
}
