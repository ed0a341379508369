/* The private server under everything that happens to one: several commands at once, kill -9 of either side, files that
 * went, folders that can't be passed, a full disk, root and an ordinary user. Each test has a STATE of its own. */
#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/db.h"
#include "fleetwall/process.h"
#include "postgres.h"

static struct str
	base; /* below it each test has a folder; on memory where there is such a place, for PostgreSQL flushes a lot */
static char folder[PATH_MAX];
static struct str state;

static struct outcome run(const char *const *argv)
{
	struct outcome outcome;

	must(process_run(arena, &(struct command){.argv = argv}, &outcome));
	return outcome;
}
#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static void setup(void)
{
	arena = arena_new();
	snprintf(folder, sizeof folder, "%.*s/XXXXXX", STR_ARG(base));
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chmod(folder, 0755), 0);
	state = str_format(arena, "%s/a/state", folder);
}

/* With a data folder that was made before. */
static void setup_made(void)
{
	setup();
	RUN("mkdir", "-p", str_c(arena, state));
	ck_assert_int_eq(
		RUN("cp", "-a", str_c(arena, str_format(arena, "%.*s/made/pg", STR_ARG(base))), str_c(arena, state))
			.status,
		0);
}

static void teardown(void)
{
	must(server_stop(arena, state));
	RUN("rm", "-rf", "--", folder);
	arena_free(arena);
	error_forget_all();
}

static const char *path(const char *name)
{
	return str_c(arena, str_format(arena, "%.*s/%s", STR_ARG(state), name));
}

static void pause_for(long milliseconds)
{
	nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL);
}

/* Is the process no more, or only the entry that its parent did not take yet? */
static bool gone(long pid)
{
	char link[64], target[PATH_MAX];

	snprintf(link, sizeof link, "/proc/%ld/cwd", pid);
	return readlink(link, target, sizeof target) < 0;
}

static void kill_hard(long pid)
{
	kill((pid_t)pid, SIGKILL);
	for (int i = 0; i < 100 && !gone(pid); i++)
		pause_for(20);
	ck_assert(gone(pid));
}

static struct server started(void)
{
	struct server found;

	must(server_start(arena, state, &found));
	ck_assert_int_eq(found.state, SERVER_RUNNING);
	ck_assert_int_gt(found.pid, 0);
	ck_assert_int_eq(kill((pid_t)found.pid, 0), 0);
	return found;
}

static enum server_state state_now(void)
{
	struct server found;

	must(server_status(arena, state, &found));
	return found.state;
}

/* Sets `arena`'s neighbours: a connection to what runs there. */
static void connected(const struct server *found)
{
	db = postgres_open(found->conninfo);
}

static void fails(struct error *error, const char *part)
{
	ck_assert_msg(error != NULL, "did not fail; wanted: %s", part);
	ck_assert_msg(strstr(text_of(error), part) != NULL, "wanted %s, got: %s", part, text_of(error));
	ck_assert_int_eq(error->kind, ERROR_SURROUNDINGS);
}

static void in_children(size_t count, void (*work)(void))
{
	int status;

	for (size_t i = 0; i < count; i++)
		if (fork() == 0) {
			work();
			_exit(0);
		}
	for (size_t i = 0; i < count; i++)
		ck_assert(wait(&status) > 0 && status == 0);
}

/* --- from nothing to a dump --- */

START_TEST(made_used_stopped_started)
{
	struct server first, again;
	struct stat status;
	const char *dump = path("dump.sql");

	ck_assert_int_eq(state_now(), SERVER_NONE);
	must(server_stop(arena, state));
	fails(server_dump(arena, state, str_of(dump)), "fleetwall init");
	first = started();
	ck_assert_int_eq(stat(str_c(arena, state), &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, geteuid() == 0 ? 0711 : 0700);
	ck_assert_int_eq(stat(path("pg"), &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0700);
	ck_assert(geteuid() != 0 || status.st_uid != 0);
	ck_assert_int_eq(stat(str_c(arena, first.socket), &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0700);
	connected(&first);
	ck_assert_str_eq(asked("SELECT current_setting('listen_addresses') || current_setting('fsync') || "
	                       "current_setting('server_encoding')"
	                       " || current_setting('data_checksums') || current_database()"),
	                 "onUTF8onfleetwall");
	sql("CREATE TABLE public.t AS SELECT 42 AS answer");
	db_close(db);
	must(server_dump(arena, state, str_of(dump)));
	ck_assert_ptr_nonnull(strstr(RUN("cat", dump).output.p, "COPY public.t (answer)"));
	must(server_stop(arena, state));
	ck_assert_int_eq(state_now(), SERVER_STOPPED);
	ck_assert_int_ne(access(str_c(arena, first.socket), F_OK), 0);
	must(server_stop(arena, state));
	again = started();
	ck_assert_int_eq(state_now(), SERVER_RUNNING);
	connected(&again);
	ck_assert_str_eq(asked("SELECT answer FROM public.t"), "42");
	db_close(db);
	ck_assert(started().pid == again.pid);
	fails(error_in(server_dump(arena, state, STR("/no/such/folder/dump.sql")), "dump"), "/no/such/folder");
}
END_TEST

static void start_in_child(void)
{
	struct server found = started();

	connected(&found);
	ck_assert_str_eq(asked("SELECT current_database()"), "fleetwall");
	db_close(db);
}

START_TEST(eight_at_once)
{
	in_children(8, start_in_child);
	in_children(8, start_in_child);
	must(server_stop(arena, state));
	in_children(8, start_in_child);
}
END_TEST

/* What a cron job holds must not be held by the server that it happened to start. */
START_TEST(nothing_of_ours_leaks_into_it)
{
	int leaks = 0, held;
	struct outcome outcome;
	struct server found;

	held = open(str_c(arena, str_format(arena, "%s/held", folder)), O_RDWR | O_CREAT, 0600);
	ck_assert_int_ge(held, 0);
	found = started();
	outcome = RUN("ls", "-l", str_c(arena, str_format(arena, "/proc/%ld/fd", found.pid)));
	ck_assert_int_eq(outcome.status, 0);
	leaks += memmem(outcome.output.p, outcome.output.n, "/held", 5) != NULL;
	leaks += memmem(outcome.output.p, outcome.output.n, "pg.lock", 7) != NULL;
	ck_assert_msg(leaks == 0, "%.*s", STR_ARG(outcome.output));
	ck_assert_int_ne(getsid((pid_t)found.pid), getsid(0));
	close(held);
}
END_TEST

/* --- what is killed --- */

START_TEST(killed_server_with_a_busy_backend)
{
	struct server first = started(), again;
	pid_t client = fork();

	if (client == 0) {
		struct db *busy;

		must(db_open(arena, first.conninfo, &busy));
		error_collect(&(struct error *){NULL}, db_run(busy, STR("SELECT pg_sleep(20)")));
		_exit(0);
	}
	pause_for(300);
	kill_hard(first.pid);
	again = started();
	ck_assert_int_ne(again.pid, first.pid);
	connected(&again);
	ck_assert_str_eq(asked("SELECT 1"), "1");
	db_close(db);
	waitpid(client, NULL, 0);
}
END_TEST

/* At any moment of the way from nothing to a running server. */
START_TEST(killed_starter)
{
	static const long moments[] = {20, 100, 300, 600, 1000, 1500, 2500};

	for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
		pid_t starter = fork();

		if (starter == 0) {
			start_in_child();
			_exit(0);
		}
		pause_for(moments[i]);
		kill(starter, SIGKILL);
		waitpid(starter, NULL, 0);
	}
	start_in_child();
	pause_for(500); /* an initdb that lost its starter may still be at it */
	must(server_stop(arena, state));
	start_in_child();
	ck_assert_int_ne(RUN("sh", "-c", "ls -d \"$0\"/pg.new.*", str_c(arena, state)).status, 0);
}
END_TEST

START_TEST(a_number_that_another_program_has)
{
	struct server found = started();
	struct stat status;
	pid_t other;
	FILE *file;

	ck_assert_int_eq(stat(path("pg"), &status), 0);
	must(server_stop(arena, state));
	/* PostgreSQL itself takes a process of its own user for a server. */
	other = fork();
	if (other == 0) {
		if (setuid(status.st_uid) == 0)
			pause();
		_exit(1);
	}
	file = fopen(path("pg/postmaster.pid"), "w");
	ck_assert_ptr_nonnull(file);
	fprintf(file, "%ld\n%s\n1\n5432\n%.*s\n\n  5432 1\nready   \n", (long)other, path("pg"), STR_ARG(found.socket));
	fclose(file);
	ck_assert_int_eq(chown(path("pg/postmaster.pid"), status.st_uid, status.st_gid), 0);
	pause_for(100);
	ck_assert_int_eq(state_now(), SERVER_STOPPED);
	must(server_stop(arena, state));
	ck_assert_int_eq(kill(other, 0), 0);
	ck_assert_int_ne(started().pid, other);
	ck_assert_int_eq(waitpid(other, NULL, WNOHANG), 0);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
}
END_TEST

/* --- what goes away --- */

START_TEST(the_folder_of_the_socket_went)
{
	struct server first = started(), again;

	RUN("rm", "-rf", "--", str_c(arena, first.socket));
	ck_assert_int_eq(state_now(), SERVER_STOPPED);
	again = started();
	ck_assert(!str_eq(first.socket, again.socket));
	ck_assert(gone(first.pid));
	/* And while it does not run: a reboot. */
	must(server_stop(arena, state));
	start_in_child();
}
END_TEST

START_TEST(a_folder_of_the_socket_that_is_not_ours)
{
	struct server first = started();

	kill_hard(first.pid);
	RUN("rm", "-rf", "--", str_c(arena, first.socket));
	/* After a reboot somebody else may have the name in /tmp. */
	ck_assert_int_eq(mkdir(str_c(arena, first.socket), 0777), 0);
	ck_assert_int_eq(chmod(str_c(arena, first.socket), 0777), 0);
	ck_assert(!str_eq(started().socket, first.socket));
	ck_assert_int_eq(rmdir(str_c(arena, first.socket)), 0);
}
END_TEST

START_TEST(the_record_went)
{
	struct server first = started();

	ck_assert_int_eq(unlink(path("pg.socket")), 0);
	ck_assert(started().pid == first.pid);
	ck_assert_int_eq(state_now(), SERVER_RUNNING);
}
END_TEST

START_TEST(a_stopped_process_is_waited_for)
{
	struct server first = started();
	struct db *none;

	kill((pid_t)first.pid, SIGSTOP);
	ck_assert_int_eq(state_now(), SERVER_RUNNING);
	fails(db_open(arena, str_format(arena, "%.*s connect_timeout=2", STR_ARG(first.conninfo)), &none),
	      "timeout expired");
	kill((pid_t)first.pid, SIGCONT);
	start_in_child();
}
END_TEST

/* --- places where it can not be --- */

START_TEST(a_parent_that_can_not_be_passed)
{
	const char *parent = str_c(arena, str_format(arena, "%s/a", folder));
	struct server found;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(mkdir(parent, 0700), 0);
	fails(server_start(arena, state, &found), str_c(arena, str_format(arena, "the folder %s\n", parent)));
	ck_assert_int_eq(chmod(parent, 0711), 0);
	/* And STATE itself is put right. */
	ck_assert_int_eq(chmod(str_c(arena, state), 0700), 0);
	start_in_child();
}
END_TEST

START_TEST(names_that_can_not_be)
{
	struct server found;

	ck_assert_ptr_nonnull(server_start(arena, STR("/tmp/fleetwall-$(id)"), &found));
	ck_assert_ptr_nonnull(server_start(arena, STR("/tmp/fleetwall\"x"), &found));
	ck_assert_ptr_nonnull(server_start(arena, STR(""), &found));
	fails(server_start(arena, STR("/dev/null/state"), &found), "/dev/null");
	fails(server_start(arena, STR("/proc/state"), &found), "/proc/state");
}
END_TEST

START_TEST(a_long_name_and_a_relative_one)
{
	struct str long_state = str_format(arena, "%s/%0100d/%0100d", folder, 1, 2), usual = state;
	struct server found;

	state = long_state;
	start_in_child();
	must(server_stop(arena, state));
	ck_assert_int_eq(chdir(folder), 0);
	state = STR("a b/");
	start_in_child();
	must(server_status(arena, str_format(arena, "%s/a b", folder), &found));
	ck_assert_int_eq(found.state, SERVER_RUNNING);
	must(server_stop(arena, state));
	state = usual;
}
END_TEST

START_TEST(something_else_in_its_place)
{
	struct server found;

	RUN("mkdir", "-p", path("pg"));
	RUN("touch", path("pg/precious"));
	fails(server_start(arena, state, &found), path("pg"));
	ck_assert_int_eq(access(path("pg/precious"), F_OK), 0);
	/* An empty folder is fine. */
	ck_assert_int_eq(unlink(path("pg/precious")), 0);
	start_in_child();
}
END_TEST

START_TEST(a_full_disk)
{
	const char *mount = str_c(arena, str_format(arena, "%s/a", folder));
	struct server found;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(mkdir(mount, 0755), 0);
	if (RUN("mount", "-t", "tmpfs", "-o", "size=16m,mode=755", "tmpfs", mount).status != 0)
		return; /* not permitted here */
	fails(server_start(arena, state, &found), "No space left on device");
	ck_assert_int_eq(state_now(), SERVER_NONE);
	ck_assert_int_eq(RUN("mount", "-o", "remount,size=300m", mount).status, 0);
	start_in_child();
	must(server_stop(arena, state));
	ck_assert_int_eq(RUN("umount", mount).status, 0);
}
END_TEST

/* --- who --- */

static bool as_nobody(void)
{
	const struct passwd *nobody = getpwnam("nobody");

	return nobody != NULL && setgid(nobody->pw_gid) == 0 && setuid(nobody->pw_uid) == 0;
}

static void stop_as_nobody(void)
{
	if (!as_nobody())
		_exit(1);
	must(server_stop(arena, state));
}

static void start_as_nobody(void)
{
	struct server found;
	struct stat status;

	if (!as_nobody())
		_exit(1);
	unsetenv("XDG_RUNTIME_DIR");
	start_in_child();
	must(server_status(arena, state, &found));
	if (stat(path("pg"), &status) != 0 || status.st_uid != geteuid())
		_exit(2);
}

START_TEST(an_ordinary_user)
{
	const struct passwd *nobody = getpwnam("nobody");
	struct server found;
	struct db *none;

	if (geteuid() != 0 || nobody == NULL)
		return;
	ck_assert_int_eq(chown(folder, nobody->pw_uid, nobody->pw_gid), 0);
	in_children(4, start_as_nobody);
	/* Root sees it, and is not let in; that it would be is a matter of starting it as root. */
	must(server_status(arena, state, &found));
	ck_assert_int_eq(found.state, SERVER_RUNNING);
	fails(db_open(arena, found.conninfo, &none), "Peer authentication failed");
	in_children(1, stop_as_nobody);
	ck_assert_int_eq(state_now(), SERVER_STOPPED);
	start_in_child();
}
END_TEST

static void use_as_nobody(void)
{
	struct server found;
	struct db *none;
	struct str conninfo_of_root = server.conninfo;

	if (!as_nobody())
		_exit(1);
	fails(server_start(arena, state, &found), "belongs to another user");
	fails(server_status(arena, state, &found), "belongs to another user");
	fails(server_stop(arena, state), "belongs to another user");
	fails(db_open(arena, conninfo_of_root, &none), "Permission denied");
}

START_TEST(an_ordinary_user_and_the_server_of_root)
{
	if (geteuid() != 0)
		return;
	server = started();
	in_children(1, use_as_nobody);
}
END_TEST

START_TEST(fast_when_it_runs)
{
	struct timespec before, after;
	long best = LONG_MAX;

	started();
	for (int i = 0; i < 20; i++) {
		struct server found;
		long took;

		clock_gettime(CLOCK_MONOTONIC, &before);
		must(server_start(arena, state, &found));
		clock_gettime(CLOCK_MONOTONIC, &after);
		took = (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
		best = took < best ? took : best;
	}
	ck_assert_int_lt(best, 5000); /* microseconds */
}
END_TEST

/* Outside of a test nothing may be asserted. */
static struct str output_of(const char *const *argv)
{
	struct outcome outcome;
	struct error *ignored = process_run(arena, &(struct command){.argv = argv}, &outcome);

	return ignored == NULL ? outcome.output : STR("");
}

/* Tests that failed, or that were ended, leave servers behind. */
static void sweep(void)
{
	const char *folders = str_c(arena, base);
	struct str names = output_of((const char *const[]){"ls", folders, NULL}), name;

	while (names.n > 0 && str_cut(&names, '\n', &name)) {
		struct error *ignored =
			server_stop(arena, str_format(arena, "%s/%.*s/a/state", folders, STR_ARG(name)));

		(void)ignored;
	}
	output_of((const char *const[]){"rm", "-rf", "--", folders, NULL});
}

static void add(Suite *suite, const char *name, void (*before)(void), const TTest *const *tests, size_t count)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 90);
	tcase_add_checked_fixture(tcase, before, teardown);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
}

static bool prepare(void)
{
	static char shared[] = "/dev/shm/fleetwall-test-XXXXXX", usual[] = "/tmp/fleetwall-test-XXXXXX";
	char *made = mkdtemp(shared);
	struct server found;
	struct error *error;

	if (made == NULL)
		made = mkdtemp(usual);
	if (made == NULL || chmod(made, 0755) != 0) {
		perror(usual);
		return false;
	}
	base = str_of(made);
	error = server_start(arena, str_format(arena, "%s/made", made), &found);
	error_collect(&error, server_stop(arena, str_format(arena, "%s/made", made)));
	if (error != NULL)
		fputs(text_of(error), stderr);
	return error == NULL;
}

int main(void)
{
	const TTest *const making[] = {
		made_used_stopped_started,
		eight_at_once,
		killed_starter,
		a_parent_that_can_not_be_passed,
		a_long_name_and_a_relative_one,
		something_else_in_its_place,
		a_full_disk,
		an_ordinary_user,
	};
	const TTest *const running[] = {
		nothing_of_ours_leaks_into_it,           killed_server_with_a_busy_backend,
		a_number_that_another_program_has,       the_folder_of_the_socket_went,
		a_folder_of_the_socket_that_is_not_ours, the_record_went,
		a_stopped_process_is_waited_for,         names_that_can_not_be,
		an_ordinary_user_and_the_server_of_root, fast_when_it_runs,
	};
	Suite *suite = suite_create("db_server");
	int failed = 1;

	arena = arena_new();
	if (prepare()) {
		struct arena *ours = arena;
		SRunner *runner;

		add(suite, "making", setup, making, sizeof making / sizeof *making);
		add(suite, "running", setup_made, running, sizeof running / sizeof *running);
		runner = srunner_create(suite);
		srunner_run_all(runner, CK_ENV);
		failed = srunner_ntests_failed(runner);
		srunner_free(runner);
		arena = ours;
	}
	sweep();
	arena_free(arena);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
