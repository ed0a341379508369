/* Work in a network namespace of its own, thrown away with the process that holds it. The parent stays where it is;
 * what came of the work travels back through a pipe. Spawns by process_fork() alone. */
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

/* What a child sends: this, and then its answer, or the message and the hint of an error. */
enum report_kind { REPORT_ANSWER, REPORT_ERROR, REPORT_NOT_PERMITTED };

struct report {
	enum report_kind kind;
	enum error_kind error;
	size_t first, second; /* lengths: the answer and nothing, or message and hint */
};

/* What the children are given, and who they are. */
struct child {
	pid_t pid;
	int report; /* our end of the pipe; -1: none, or read */
};

struct task {
	process_work *work;
	void *context;
	struct arena *arena; /* the parent's */
	const char *folder;  /* for the locks */
	unsigned worker;
	int report;
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

static char *lock_path(struct arena *arena, const char *folder, unsigned worker)
{
	return str_c(arena, str_format(arena, "%s/xtables.lock.%u", folder, worker));
}

static bool do_work(struct arena *arena, const struct task *task)
{
	struct buf answer = buf_new(arena);
	struct error *error = task->work(arena, task->context, task->worker, &answer);
	struct report report = {.kind = REPORT_ANSWER};

	if (error == NULL)
		return send_report(task->report, report, buf_str(&answer), STR(""));
	report = (struct report){.kind = REPORT_ERROR, .error = error->kind};
	return send_report(task->report, report, error->message, error->hint);
}

static int child(void *context)
{
	const struct task *task = context;
	struct arena *arena = arena_new();
	bool good = false;

	/* The legacy backend's lock lies in /run, which is not ours to write when we are not root. */
	if (!enter_namespace())
		good = send_report(task->report, (struct report){.kind = REPORT_NOT_PERMITTED}, STR(""), STR(""));
	else if (setenv("XTABLES_LOCKFILE", lock_path(arena, task->folder, task->worker), 1) == 0)
		good = do_work(arena, task);
	arena_free(arena);
	return good ? 0 : 1;
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
			return error_errno("reading what was done in a namespace");
		if (n == 0)
			break;
		buf_add(&buf, (struct str){bytes, (size_t)n});
	}
	*text = buf_str(&buf);
	return NULL;
}

static struct error *cut_short(void)
{
	return error_new(ERROR_SURROUNDINGS, "the process that worked in a namespace ended early");
}

static struct error *read_report(struct str text, struct str *answer, bool *permitted)
{
	struct report report;
	struct str first, second;

	if (text.n < sizeof report)
		return cut_short();
	memcpy(&report, text.p, sizeof report);
	text = str_slice(text, sizeof report, text.n);
	if (report.first > text.n || report.second != text.n - report.first)
		return cut_short();
	first = str_slice(text, 0, report.first);
	second = str_slice(text, report.first, text.n);
	*permitted = *permitted && report.kind != REPORT_NOT_PERMITTED;
	if (report.kind == REPORT_ERROR)
		return error_hint(error_new(report.error, "%.*s", STR_ARG(first)), "%.*s", STR_ARG(second));
	*answer = first;
	return NULL;
}

static struct error *begin(struct task *task, struct child *started)
{
	struct error *error;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_errno("making a pipe");
	task->report = ends[1];
	error = process_fork(child, task, &started->pid);
	close(ends[1]);
	if (error != NULL)
		close(ends[0]);
	else
		started->report = ends[0];
	return error;
}

/* Waits for the child. A child whose pipe is full waits for us meanwhile, which holds up nobody else. */
static struct error *finish(struct arena *arena, struct child *started, struct str *answer, bool *permitted)
{
	struct str text = STR("");
	struct error *error = read_all(arena, started->report, &text);
	int status = 0;

	close(started->report);
	error_collect(&error, process_reap(started->pid, &status));
	if (error == NULL && status != 0)
		error = cut_short();
	return error != NULL ? error : read_report(text, answer, permitted);
}

static struct error *run_children(struct task *task, unsigned workers, struct str *answers, bool *permitted)
{
	struct child *children = ARENA_ARRAY(task->arena, struct child, workers);
	struct error *error = NULL;
	unsigned started = 0;

	for (; started < workers && error == NULL; started += error == NULL) {
		task->worker = started;
		error = begin(task, &children[started]);
	}
	for (unsigned i = 0; i < started; i++)
		error_collect(&error, finish(task->arena, &children[i], &answers[i], permitted));
	return error;
}

struct error *process_apart_each(struct arena *arena, unsigned workers, process_work *work, void *context,
                                 struct str *answers, bool *permitted)
{
	const char *base = getenv("TMPDIR");
	char *folder =
		str_c(arena, str_format(arena, "%s/fleetwall-XXXXXX", base != NULL && *base == '/' ? base : "/tmp"));
	struct task task = {.work = work, .context = context, .arena = arena, .folder = folder};
	struct error *error;

	*permitted = true;
	if (mkdtemp(folder) == NULL)
		return error_errno("making a temporary folder %s", folder);
	error = run_children(&task, workers, answers, permitted);
	for (unsigned i = 0; i < workers; i++)
		unlink(lock_path(arena, folder, i));
	rmdir(folder);
	return error;
}

/* --- commands --- */

struct commands {
	const struct command *items;
	size_t count;
};

/* The head of what came of a command; the two texts follow it. */
struct result {
	int started, status;
	size_t output, errors;
};

/* In the child: runs them until one fails. */
static struct error *run_all(struct arena *arena, void *context, unsigned worker, struct buf *answer)
{
	const struct commands *commands = context;

	(void)worker; /* there is one */
	for (size_t i = 0; i < commands->count; i++) {
		struct outcome outcome;

		TRY(process_run(arena, &commands->items[i], &outcome));
		struct result result = {outcome.started, outcome.status, outcome.output.n, outcome.errors.n};

		buf_add(answer, (struct str){(const char *)&result, sizeof result});
		buf_add(answer, outcome.output);
		buf_add(answer, outcome.errors);
		if (!outcome.started || outcome.status != 0)
			break;
	}
	return NULL;
}

/* What our own child wrote. */
static struct outcome next_outcome(struct str *text)
{
	struct result result;
	struct outcome outcome;

	memcpy(&result, text->p, sizeof result);
	outcome.started = result.started;
	outcome.status = result.status;
	*text = str_slice(*text, sizeof result, text->n);
	outcome.output = str_slice(*text, 0, result.output);
	outcome.errors = str_slice(*text, result.output, result.output + result.errors);
	*text = str_slice(*text, result.output + result.errors, text->n);
	return outcome;
}

struct error *process_run_apart(struct arena *arena, const struct command *commands, size_t count,
                                struct outcome *outcomes, size_t *ran, bool *permitted)
{
	struct commands all = {commands, count};
	struct str answer = STR("");

	*ran = 0;
	TRY(process_apart_each(arena, 1, run_all, &all, &answer, permitted));
	while (answer.n > 0 && *ran < count)
		outcomes[(*ran)++] = next_outcome(&answer);
	return NULL;
}
