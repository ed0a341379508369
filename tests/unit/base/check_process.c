/* Starting programs: streams, limits, users, missing programs, and throw-away namespaces. Uses sh, cat and friends. */
#include <check.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/process.h"

#include "suite_main.h"

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct outcome run(struct command command)
{
	struct outcome outcome;
	struct error *error = process_run(arena, &command, &outcome);

	ck_assert_msg(error == NULL, "%.*s", error == NULL ? 0 : (int)error->message.n,
	              error == NULL ? "" : error->message.p);
	return outcome;
}

static struct outcome shell(const char *script, struct str input)
{
	return run((struct command){.argv = ARGV("sh", "-c", script), .input = input});
}

START_TEST(collects_streams_and_status)
{
	struct outcome outcome = shell("echo out; echo err >&2; exit 7", STR(""));

	ck_assert(outcome.started);
	ck_assert_int_eq(outcome.status, 7);
	ck_assert(str_is(outcome.output, "out\n"));
	ck_assert(str_is(outcome.errors, "err\n"));
	ck_assert_int_eq(shell("kill -9 $$", STR("")).status, 128 + SIGKILL);
	ck_assert_int_eq(run((struct command){.argv = ARGV("true")}).status, 0);
}
END_TEST

START_TEST(arguments_are_no_shell_line)
{
	struct outcome outcome = run((struct command){.argv = ARGV("printf", "%s|", "a b", "$HOME;", "", "*")});

	ck_assert(str_is(outcome.output, "a b|$HOME;||*|"));
}
END_TEST

START_TEST(feeds_more_than_a_pipe_holds)
{
	struct str input = {arena_alloc(arena, 900000), 900000};
	struct outcome outcome = run((struct command){.argv = ARGV("cat"), .input = input});

	ck_assert_int_eq(outcome.status, 0);
	ck_assert(str_eq(outcome.output, input));
	ck_assert(str_is(shell("cat; echo end", STR("")).output, "end\n"));
}
END_TEST

START_TEST(survives_a_reader_that_leaves)
{
	struct str input = {arena_alloc(arena, 4000000), 4000000};
	sigset_t pending;

	ck_assert_int_eq(run((struct command){.argv = ARGV("true"), .input = input}).status, 0);
	ck_assert_int_eq(shell("exec <&-; sleep 0.1; exit 3", input).status, 3);
	ck_assert(sigpending(&pending) == 0 && !sigismember(&pending, SIGPIPE));
	/* The child gets SIGPIPE as everybody does. */
	ck_assert(str_is(shell("(yes; echo $? >&2) | head -n 1 >&2", STR("")).errors, "y\n141\n") ||
	          str_is(shell("yes | head -n 1", STR("")).output, "y\n"));
}
END_TEST

START_TEST(cuts_what_is_too_long)
{
	struct outcome outcome = shell("head -c 3000000 /dev/zero; head -c 100000 /dev/zero >&2; exit 4", STR(""));

	ck_assert_int_eq(outcome.status, 4);
	ck_assert_uint_eq(outcome.output.n, 1048576);
	ck_assert_uint_eq(outcome.errors.n, 65536);
}
END_TEST

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

START_TEST(a_daemon_does_not_hold_us)
{
	double start = now();
	struct outcome outcome = shell("echo before; sleep 3 & exit 0", STR(""));

	ck_assert(str_is(outcome.output, "before\n"));
	ck_assert(now() - start < 2);
}
END_TEST

START_TEST(says_that_a_program_is_missing)
{
	struct outcome outcome = run((struct command){.argv = ARGV("fleetwall-no-such-program")});

	ck_assert(!outcome.started);
	ck_assert_int_ne(outcome.status, 0);
	ck_assert_uint_gt(outcome.errors.n, 0);
	ck_assert(!run((struct command){.argv = ARGV("/etc/passwd")}).started);
	ck_assert(!run((struct command){.argv = ARGV("/etc")}).started);
	ck_assert(!run((struct command){.argv = ARGV("")}).started);
	ck_assert(process_exists("sh") && process_exists("/bin/sh"));
	ck_assert(!process_exists("fleetwall-no-such-program") && !process_exists("/etc"));
}
END_TEST

/* A file that is executable but no program: exec itself fails. */
START_TEST(says_that_a_program_can_not_be_executed)
{
	char path[] = "/tmp/fleetwall-test-XXXXXX";
	int fd = mkstemp(path);
	struct outcome outcome;

	ck_assert(fd >= 0 && fchmod(fd, 0755) == 0 && write(fd, "\x7f" "ELF", 4) == 4 && close(fd) == 0);
	outcome = run((struct command){.argv = ARGV(path)});
	unlink(path);
	ck_assert(!outcome.started);
	ck_assert(str_is(outcome.errors, "Exec format error"));
}
END_TEST

START_TEST(looks_in_sbin_whatever_the_path)
{
	setenv("PATH", ".:/nonexistent::/bin", 1);
	ck_assert(process_exists("sh"));
	ck_assert(access("/usr/sbin/ipset", X_OK) != 0 || process_exists("ipset"));
	unsetenv("PATH");
	ck_assert(process_exists("sh"));
}
END_TEST

START_TEST(never_runs_from_the_current_folder)
{
	char folder[] = "/tmp/fleetwall-test-XXXXXX";
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	fd = open("fleetwall-here", O_CREAT | O_WRONLY, 0755);
	ck_assert(fd >= 0 && write(fd, "#!/bin/sh\n", 10) == 10 && close(fd) == 0);
	setenv("PATH", ":.:/bin", 1);
	ck_assert(!process_exists("fleetwall-here"));
	ck_assert(process_exists("./fleetwall-here"));
	unlink("fleetwall-here");
	rmdir(folder);
}
END_TEST

START_TEST(child_has_a_clean_start)
{
	int fd = open("/dev/null", O_RDONLY);
	struct outcome outcome;

	ck_assert_int_ge(fd, 3);
	setenv("LC_ALL", "de_DE.UTF-8", 1);
	setenv("FLEETWALL_TEST", "kept", 1);
	outcome = shell("ls /proc/self/fd | tr '\\n' ' '; echo $LC_ALL $FLEETWALL_TEST", STR(""));
	close(fd);
	/* 3 is the folder that ls itself has open. */
	ck_assert_msg(str_is(outcome.output, "0 1 2 3 C kept\n"), "%.*s", STR_ARG(outcome.output));
	ck_assert_str_eq(getenv("LC_ALL"), "de_DE.UTF-8");
}
END_TEST

START_TEST(works_without_standard_streams)
{
	struct outcome outcome;

	close(0);
	outcome = shell("cat; echo out; echo err >&2", STR("in\n"));
	ck_assert(str_is(outcome.output, "in\nout\n"));
	ck_assert(str_is(outcome.errors, "err\n"));
}
END_TEST

START_TEST(detached_is_a_session_of_its_own)
{
	static const char script[] = "test \"$(ps -o sid= -p $$ | tr -d ' ')\" = $$";

	ck_assert_int_eq(run((struct command){.argv = ARGV("sh", "-c", script), .detached = true}).status, 0);
	ck_assert_int_eq(run((struct command){.argv = ARGV("sh", "-c", script)}).status, 1);
}
END_TEST

START_TEST(runs_as_another_user)
{
	const struct passwd *user = getpwnam("nobody");
	struct command command = {.argv = ARGV("sh", "-c", "id -un; id -Gn; pwd; echo $HOME $USER")};
	struct outcome outcome;
	struct error *error;

	ck_assert_ptr_nonnull(user);
	command.uid = user->pw_uid;
	command.gid = user->pw_gid;
	command.as_user = "nobody";
	if (geteuid() == 0) {
		outcome = run(command);
		ck_assert_msg(str_is(outcome.output, "nobody\nnogroup\n/\n/nonexistent nobody\n"), "%.*s",
		              STR_ARG(outcome.output));
		return;
	}
	error = process_run(arena, &command, &outcome);
	ck_assert_ptr_nonnull(error);
	ck_assert(str_starts(error->message, STR("becoming user nobody")));
}
END_TEST

/* What `process_become` turned into, as its parent sees it. */
static int become(const char *const *argv)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(process_become(argv) != NULL ? 99 : 98);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

START_TEST(becomes_a_program)
{
	ck_assert_int_eq(become(ARGV("sh", "-c", "exit 5")), 5);
	ck_assert_int_eq(become(ARGV("fleetwall-no-such-program")), 99);
}
END_TEST

static struct outcome outcomes[4];

static size_t apart(const struct command *commands, size_t count, bool *permitted)
{
	struct error *error;
	size_t ran = 99;

	error = process_run_apart(arena, commands, count, outcomes, &ran, permitted);
	ck_assert_msg(error == NULL, "%.*s", error == NULL ? 0 : (int)error->message.n,
	              error == NULL ? "" : error->message.p);
	return ran;
}

START_TEST(namespace_is_one_for_all_commands_and_goes)
{
	const struct command commands[] = {
		{.argv = ARGV("readlink", "/proc/self/ns/net")},
		{.argv = ARGV("sh", "-c", "readlink /proc/self/ns/net; cat; echo e >&2; id -u; echo $XTABLES_LOCKFILE"),
	         .input = STR("in\n")},
	};
	struct str ours = run(commands[0]).output, inside, rest, line;
	bool permitted;

	if (apart(commands, 2, &permitted) == 0) {
		ck_assert(!permitted);
		return;
	}
	inside = outcomes[0].output;
	ck_assert(permitted && outcomes[0].status == 0 && outcomes[1].status == 0);
	ck_assert(!str_eq(inside, ours));
	ck_assert(str_starts(outcomes[1].output, inside));
	ck_assert(str_is(outcomes[1].errors, "e\n"));
	rest = str_slice(outcomes[1].output, inside.n, outcomes[1].output.n);
	ck_assert(str_starts(rest, STR("in\n0\n")));
	rest = str_slice(rest, 5, rest.n);
	ck_assert(str_cut(&rest, '\n', &line) && line.n > 0);
	/* The folder of the lock is gone. */
	ck_assert_int_ne(access(str_c(arena, line), F_OK), 0);
	*strrchr(str_c(arena, line), '/') = '\0';
	ck_assert(str_eq(run(commands[0]).output, ours));
}
END_TEST

START_TEST(namespace_stops_at_the_first_failure)
{
	const struct command commands[] = {
		{.argv = ARGV("true")},
		{.argv = ARGV("sh", "-c", "echo why >&2; exit 9")},
		{.argv = ARGV("true")},
	};
	const struct command missing[] = {{.argv = ARGV("fleetwall-no-such-program")}, {.argv = ARGV("true")}};
	bool permitted;

	if (apart(commands, 3, &permitted) == 0) {
		ck_assert(!permitted);
		return;
	}
	ck_assert_uint_eq(apart(commands, 3, &permitted), 2);
	ck_assert_int_eq(outcomes[1].status, 9);
	ck_assert(str_is(outcomes[1].errors, "why\n"));
	ck_assert_uint_eq(apart(missing, 2, &permitted), 1);
	ck_assert(!outcomes[0].started);
	ck_assert_uint_eq(apart(commands, 0, &permitted), 0);
}
END_TEST

START_TEST(namespace_carries_large_output)
{
	struct str input = {arena_alloc(arena, 800000), 800000};
	const struct command commands[] = {{.argv = ARGV("cat"), .input = input},
	                                   {.argv = ARGV("cat"), .input = input}};
	bool permitted;

	if (apart(commands, 2, &permitted) == 0) {
		ck_assert(!permitted);
		return;
	}
	ck_assert(str_eq(outcomes[0].output, input) && str_eq(outcomes[1].output, input));
}
END_TEST

/* An ordinary user gets root's rights over the network of the namespace, where the kernel allows it. */
START_TEST(namespace_without_root)
{
	const struct command commands[] = {{.argv = ARGV("id", "-u")}};
	bool permitted;
	size_t ran;

	if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		ck_abort_msg("can't give root up");
	setenv("TMPDIR", "/tmp", 1);
	ran = apart(commands, 1, &permitted);
	ck_assert(ran == (permitted ? 1 : 0));
	ck_assert(!permitted || str_is(outcomes[0].output, "0\n"));
}
END_TEST

START_TEST(no_descriptor_and_no_child_is_left)
{
	const struct command commands[] = {{.argv = ARGV("true")}};
	int before = dup(0), after;
	bool permitted;

	close(before);
	for (int i = 0; i < 20; i++) {
		shell("cat", STR("x"));
		run((struct command){.argv = ARGV("fleetwall-no-such-program")});
		run((struct command){.argv = ARGV("/etc/passwd")});
	}
	apart(commands, 1, &permitted);
	after = dup(0);
	close(after);
	ck_assert_int_eq(before, after);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, collects_streams_and_status);
	tcase_add_test(tcase, arguments_are_no_shell_line);
	tcase_add_test(tcase, feeds_more_than_a_pipe_holds);
	tcase_add_test(tcase, survives_a_reader_that_leaves);
	tcase_add_test(tcase, cuts_what_is_too_long);
	tcase_add_test(tcase, a_daemon_does_not_hold_us);
	tcase_add_test(tcase, says_that_a_program_is_missing);
	tcase_add_test(tcase, says_that_a_program_can_not_be_executed);
	tcase_add_test(tcase, looks_in_sbin_whatever_the_path);
	tcase_add_test(tcase, never_runs_from_the_current_folder);
	tcase_add_test(tcase, child_has_a_clean_start);
	tcase_add_test(tcase, works_without_standard_streams);
	tcase_add_test(tcase, detached_is_a_session_of_its_own);
	tcase_add_test(tcase, runs_as_another_user);
	tcase_add_test(tcase, becomes_a_program);
	tcase_add_test(tcase, namespace_is_one_for_all_commands_and_goes);
	tcase_add_test(tcase, namespace_stops_at_the_first_failure);
	tcase_add_test(tcase, namespace_carries_large_output);
	tcase_add_test(tcase, namespace_without_root);
	tcase_add_test(tcase, no_descriptor_and_no_child_is_left);
}

int main(void)
{
	Suite *suite = suite_create("process");
	TCase *tcase = tcase_create("process");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_set_timeout(tcase, 20);
	add_tests(tcase);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
