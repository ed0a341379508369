/* Folders, processes and servers for tests of the private server. */
#include "private.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fleetwall/arena.h"

/* Below it each test has a folder; in memory where there is such a place, for PostgreSQL flushes a lot. */
static struct str base;
/* A state folder with a data folder that was made before: the runner's, or one of our own. */
static struct str made;
char folder[PATH_MAX];
struct str state;

struct outcome private_run(const char *const *argv)
{
	struct outcome outcome;

	must(process_run(arena, &(struct command){.argv = argv}, &outcome));
	return outcome;
}

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
		RUN("cp", "-a", str_c(arena, str_format(arena, "%.*s/pg", STR_ARG(made))), str_c(arena, state)).status,
		0);
}

static void teardown(void)
{
	must(server_stop(arena, state));
	RUN("rm", "-rf", "--", folder);
	arena_free(arena);
	error_forget_all();
}

const char *path(const char *name)
{
	return str_c(arena, str_format(arena, "%.*s/%s", STR_ARG(state), name));
}

bool holds(struct str text, const char *part)
{
	return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

void unable(const char *why)
{
	fprintf(stderr, "skipped a test of the private server: %s\n", why);
}

void pause_for(long milliseconds)
{
	nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL);
}

bool gone(long pid)
{
	char link[64], target[PATH_MAX];

	snprintf(link, sizeof link, "/proc/%ld/cwd", pid);
	return readlink(link, target, sizeof target) < 0;
}

void kill_hard(long pid)
{
	kill((pid_t)pid, SIGKILL);
	for (int i = 0; i < 100 && !gone(pid); i++)
		pause_for(20);
	ck_assert(gone(pid));
}

struct server started(void)
{
	struct server found;

	must(server_start(arena, state, &found));
	ck_assert_int_eq(found.state, SERVER_RUNNING);
	ck_assert_int_gt(found.pid, 0);
	ck_assert_int_eq(kill((pid_t)found.pid, 0), 0);
	return found;
}

enum server_state state_now(void)
{
	struct server found;

	must(server_status(arena, state, &found));
	return found.state;
}

void connected(const struct server *found)
{
	db = postgres_open(found->conninfo);
}

void fails(struct error *error, const char *part)
{
	ck_assert_msg(error != NULL, "did not fail; wanted: %s", part);
	ck_assert_msg(strstr(text_of(error), part) != NULL, "wanted %s, got: %s", part, text_of(error));
	ck_assert_int_eq(error->kind, ERROR_SURROUNDINGS);
}

void in_each_child(size_t count, void (*work)(void))
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

void start_in_child(void)
{
	struct server found = started();

	connected(&found);
	ck_assert_str_eq(asked("SELECT current_database()"), "fleetwall");
	db_close(db);
}

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

static bool make(void)
{
	struct server found;
	struct error *error;

	made = str_format(arena, "%.*s/made", STR_ARG(base));
	error = server_start(arena, made, &found);
	error_collect(&error, server_stop(arena, made));
	if (error != NULL)
		fputs(text_of(error), stderr);
	return error == NULL;
}

static bool prepare(void)
{
	static char shared[] = "/dev/shm/fleetwall-test-XXXXXX", usual[] = "/tmp/fleetwall-test-XXXXXX";
	const char *runners = getenv("FLEETWALL_MADE");
	char *place = mkdtemp(shared);

	if (place == NULL)
		place = mkdtemp(usual);
	if (place == NULL || chmod(place, 0755) != 0) {
		perror(usual);
		return false;
	}
	base = str_of(place);
	if (runners == NULL || *runners == '\0')
		return make();
	made = str_format(arena, "%s/state", runners);
	return true;
}

void add_making(Suite *suite, const TTest *const *tests, size_t count)
{
	add(suite, "making", setup, tests, count);
}

void add_running(Suite *suite, const TTest *const *tests, size_t count)
{
	add(suite, "running", setup_made, tests, count);
}

int private_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	struct arena *ours = arena_new();
	int failed = 1;

	arena = ours;
	if (prepare()) {
		srunner_run_all(runner, CK_ENV);
		failed = srunner_ntests_failed(runner);
		arena = ours;
	}
	srunner_free(runner);
	sweep();
	arena_free(arena);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
