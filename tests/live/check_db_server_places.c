/* Where the private server can be and where not, and who may use it: folders that can't be passed, names, a full disk,
 * root and an ordinary user. */
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "private.h"

/* --- places where it can not be --- */

START_TEST(a_parent_that_can_not_be_passed)
{
	const char *parent = str_c(arena, str_format(arena, "%s/a", folder));
	struct server found;

	if (geteuid() != 0) {
		unable("not root");
		return;
	}
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

	if (geteuid() != 0) {
		unable("not root");
		return;
	}
	ck_assert_int_eq(mkdir(mount, 0755), 0);
	if (RUN("mount", "-t", "tmpfs", "-o", "size=16m,mode=755", "tmpfs", mount).status != 0) {
		unable("mounting a tmpfs is not permitted");
		return;
	}
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

	if (geteuid() != 0 || nobody == NULL) {
		unable("not root, or no user nobody");
		return;
	}
	ck_assert_int_eq(chown(folder, nobody->pw_uid, nobody->pw_gid), 0);
	in_each_child(4, start_as_nobody);
	/* Root sees it, and is not let in; that it would be is a matter of starting it as root. */
	must(server_status(arena, state, &found));
	ck_assert_int_eq(found.state, SERVER_RUNNING);
	fails(db_open(arena, found.conninfo, &none), "Peer authentication failed");
	in_each_child(1, stop_as_nobody);
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
	if (geteuid() != 0) {
		unable("not root");
		return;
	}
	server = started();
	in_each_child(1, use_as_nobody);
}
END_TEST

/* --- under systemd --- */

/* A systemd-run that notes what it is told, and does it, or fails. In a mount namespace of our own /run says that
 * systemd is process 1. */
static void under_systemd(const char *script)
{
	const char *programs = str_c(arena, str_format(arena, "%s/bin", folder));
	const char *file = str_c(arena, str_format(arena, "%s/systemd-run", programs));
	FILE *text;

	ck_assert_int_eq(mkdir(programs, 0755), 0);
	text = fopen(file, "w");
	ck_assert_ptr_nonnull(text);
	fprintf(text, "#!/bin/sh\nprintf '%%s\\n' \"$@\" >%s/told\n%s\n", folder, script);
	fclose(text);
	ck_assert_int_eq(chmod(file, 0755), 0);
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mount("tmpfs", "/run", "tmpfs", 0, "mode=755"), 0);
	ck_assert_int_eq(mkdir("/run/systemd", 0755), 0);
	ck_assert_int_eq(mkdir("/run/systemd/system", 0755), 0);
	setenv("PATH", str_c(arena, str_format(arena, "%s:%s", programs, getenv("PATH"))), 1);
}

static bool may_mount(void)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
		                      mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
		              ? 0
		              : 1);
	return waitpid(child, &status, 0) == child && status == 0;
}

START_TEST(a_service_of_its_own)
{
	struct str told;

	if (!may_mount()) {
		unable("a mount namespace is not permitted");
		return;
	}
	under_systemd(
		"while :; do case $1 in --uid=*) user=${1#--uid=}; shift ;; --*) shift ;; *) break ;; esac; done\n"
		"exec runuser -u \"$user\" -- \"$@\"");
	start_in_child();
	told = RUN("cat", str_c(arena, str_format(arena, "%s/told", folder))).output;
	ck_assert(holds(told, "--service-type=forking\n"));
	ck_assert(holds(told, str_c(arena, str_format(arena, "--property=PIDFile=%s\n", path("pg/postmaster.pid")))));
	ck_assert(holds(told, "/pg_ctl\nstart\n"));
	must(server_stop(arena, state));
	ck_assert_int_eq(state_now(), SERVER_STOPPED);
}
END_TEST

/* A container that has the folder, and nobody who answers. */
START_TEST(a_systemd_that_does_not_answer)
{
	if (!may_mount()) {
		unable("a mount namespace is not permitted");
		return;
	}
	under_systemd("echo 'Failed to connect to bus' >&2; exit 1");
	start_in_child();
	must(server_stop(arena, state));
}
END_TEST

int main(void)
{
	const TTest *const making[] = {a_parent_that_can_not_be_passed, a_long_name_and_a_relative_one,
	                               something_else_in_its_place, a_full_disk, an_ordinary_user};
	const TTest *const running[] = {names_that_can_not_be, an_ordinary_user_and_the_server_of_root,
	                                a_service_of_its_own, a_systemd_that_does_not_answer};
	Suite *suite = suite_create("db_server_places");

	add_making(suite, making, sizeof making / sizeof *making);
	add_running(suite, running, sizeof running / sizeof *running);
	return private_main(suite);
}
