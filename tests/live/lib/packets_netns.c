/* The surroundings of the kernel tests: a namespace of our own, and running programs in it. It changes nothing outside:
 * once in the namespace, there is no way back for this process. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/process.h"
#include "packets.h"

void die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

/* Not root: a user namespace in which we are (user_namespaces(7)). */
static bool enter_as_user(void)
{
	char uid_map[32], gid_map[32];

	snprintf(uid_map, sizeof uid_map, "0 %u 1", geteuid());
	snprintf(gid_map, sizeof gid_map, "0 %u 1", getegid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && write_text("/proc/self/setgroups", "deny") &&
	       write_text("/proc/self/uid_map", uid_map) && write_text("/proc/self/gid_map", gid_map);
}

const char *netns_enter(void)
{
	if (geteuid() == 0 ? unshare(CLONE_NEWNET) != 0 : !enter_as_user())
		return strerror(errno);
	/* The lock of the legacy backend lies in /run; here nobody else has rules to keep from. */
	setenv("XTABLES_LOCKFILE", "/dev/null", 1);
	return NULL;
}

const char *netns_missing_program(void)
{
	static const char *const programs[] = {"ip",       "nft",      "ipset", "iptables-restore", "ip6tables-restore",
	                                       "iptables", "ip6tables"};

	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
		if (!process_exists(programs[i]))
			return programs[i];
	return NULL;
}

static struct outcome run_any(struct arena *arena, const char *const *argv, struct str input)
{
	struct command command = {.argv = argv, .input = input};
	struct outcome outcome;
	struct error *error = process_run(arena, &command, &outcome);

	if (error != NULL)
		die("%s: %.*s", argv[0], STR_ARG(error->message));
	if (!outcome.started)
		die("%s: not found", argv[0]);
	return outcome;
}

struct str run(struct arena *arena, const char *const *argv, struct str input)
{
	struct outcome outcome = run_any(arena, argv, input);

	if (outcome.status != 0)
		die("%s %s: exit code %d: %.*s", argv[0], argv[1] != NULL ? argv[1] : "", outcome.status,
		    STR_ARG(outcome.errors));
	return outcome.output;
}

int run_status(struct arena *arena, const char *const *argv, struct str input)
{
	return run_any(arena, argv, input).status;
}

static pid_t start(int (*work)(const void *), const void *context)
{
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child < 0)
		die("fork: %s", strerror(errno));
	if (child == 0) {
		int code = work(context);
		fflush(NULL);
		_exit(code);
	}
	return child;
}

static int finish(pid_t child)
{
	int status;

	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Ends of children, by exit code. */
struct ends {
	unsigned passed, failed, skipped;
};

static void count_end(struct ends *ends, int code)
{
	ends->passed += code == 0;
	ends->skipped += code == SKIPPED;
	ends->failed += code != 0 && code != SKIPPED;
}

int in_children(int (*work)(const void *), const void *const *contexts, size_t count)
{
	struct ends ends = {0};

	for (size_t from = 0; from < count; from += 2) {
		pid_t one = start(work, contexts[from]), other = from + 1 < count ? start(work, contexts[from + 1]) : 0;
		count_end(&ends, finish(one));
		if (other > 0)
			count_end(&ends, finish(other));
	}
	if (ends.passed + ends.failed == 0)
		return SKIPPED;
	printf("%u passed, %u failed, %u skipped\n", ends.passed, ends.failed, ends.skipped);
	return ends.failed > 0 ? 1 : 0;
}
