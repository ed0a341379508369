/* What needs no server: binary values, the queries that were built in, and the small files around the private server.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/embedded.h"
#include "server_home.h"
#include "suite_main.h"

static char folder[] = "/tmp/fleetwall-unit-XXXXXX";
static struct home home;

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	home = (struct home){.state = str_of(folder), .user = "somebody", .uid = geteuid(), .gid = getegid()};
	home.data = str_format(arena, "%s/pg", folder);
	ck_assert_int_eq(mkdir(home.data.p, 0700), 0);
}

static void remove_file(const char *name)
{
	unlink(str_c(arena, str_format(arena, "%s/%s", folder, name)));
}

static void teardown(void)
{
	static const char *const files[] = {"pg/postmaster.pid", "pg.socket", "pg.conf", "pg.hba", "pg.ident", "link"};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		remove_file(files[i]);
	rmdir(home.data.p);
	ck_assert_int_eq(rmdir(folder), 0);
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
}

static void write_text(const char *name, const char *text)
{
	FILE *file = fopen(str_c(arena, str_format(arena, "%s/%s", folder, name)), "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

static struct str read_text(const char *name)
{
	return small_file(arena, str_format(arena, "%s/%s", folder, name), 0, 4096);
}

/* --- values --- */

#define BYTES(literal) ((struct str){(literal), sizeof(literal) - 1})

START_TEST(binary_integers)
{
	ck_assert_int_eq(db_int(BYTES("\x00\x00")), 0);
	ck_assert_int_eq(db_int(BYTES("\x12\x34")), 0x1234);
	ck_assert_int_eq(db_int(BYTES("\xff\xff")), -1);
	ck_assert_int_eq(db_int(BYTES("\x80\x00\x00\x00")), INT32_MIN);
	ck_assert_int_eq(db_int(BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff")), INT64_MAX);
	ck_assert_int_eq(db_int(BYTES("\x80\x00\x00\x00\x00\x00\x00\x00")), INT64_MIN);
	ck_assert(db_bool(BYTES("\x01")) && !db_bool(BYTES("\x00")));
}
END_TEST

START_TEST(times_round_down)
{
	ck_assert_int_eq(db_seconds(BYTES("\x00\x00\x00\x00\x00\x00\x00\x00")), 946684800);
	ck_assert_int_eq(db_seconds(BYTES("\x00\x00\x00\x00\x00\x0f\x42\x3f")), 946684800);
	ck_assert_int_eq(db_seconds(BYTES("\x00\x00\x00\x00\x00\x0f\x42\x40")), 946684801);
	ck_assert_int_eq(db_seconds(BYTES("\xff\xff\xff\xff\xff\xff\xff\xff")), 946684799);
	ck_assert_int_eq(db_seconds(BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff")), INT64_MAX);
	ck_assert_int_eq(db_seconds(BYTES("\x80\x00\x00\x00\x00\x00\x00\x00")), INT64_MIN);
}
END_TEST

/* Migrations are numbered from 1 without gaps; each query can be found by its name, and no text is empty. */
START_TEST(what_is_built_in)
{
	unsigned migrations = 0;

	for (const struct embedded *file = embedded_sql; file->name != NULL; file++) {
		char name[200];

		ck_assert_msg(file->size > 0, "%s", file->name);
		if (sscanf(file->name, "queries/%190[^.].sql", name) == 1)
			ck_assert_uint_eq(db_sql(name).n, file->size);
		if (strncmp(file->name, "migrations/", 11) == 0)
			ck_assert_int_eq(atoi(file->name + 11), (int)++migrations);
	}
	ck_assert_uint_ge(migrations, 2);
}
END_TEST

/* --- files --- */

START_TEST(the_reason_in_what_a_program_says)
{
	ck_assert(str_is(server_reason(STR("")), ""));
	ck_assert(str_is(server_reason(STR("\n\n")), ""));
	ck_assert(str_is(server_reason(STR("one\ntwo\n\n")), "two"));
	ck_assert(str_is(server_reason(STR("initdb: error: no room\ninitdb: removing contents of x\n")), "no room"));
	ck_assert(str_is(
		server_reason(STR("2026 UTC [7] FATAL:  one\n2026 UTC [7] HINT:  x\n2026 [8] PANIC:  two\n[8] LOG: y")),
		"two"));
	ck_assert(str_is(server_reason(STR("FATAL:")), "FATAL:"));
}
END_TEST

START_TEST(the_postmaster_file)
{
	struct postmaster postmaster = postmaster_read(arena, &home);

	ck_assert_int_eq(postmaster.pid, 0);
	write_text("pg/postmaster.pid", "");
	ck_assert_int_eq(postmaster_read(arena, &home).pid, 0);
	write_text("pg/postmaster.pid", "nonsense\n\n");
	ck_assert_int_eq(postmaster_read(arena, &home).pid, 0);
	write_text("pg/postmaster.pid", "99999999999999999999\n\n");
	ck_assert_int_eq(postmaster_read(arena, &home).pid, 0);
	write_text("pg/postmaster.pid", "4711\n/data\n1\n5432\n/run/x y\n\n  5432001    32\nstarting\n");
	postmaster = postmaster_read(arena, &home);
	ck_assert_int_eq(postmaster.pid, 4711);
	ck_assert(!postmaster.ready && str_is(postmaster.socket, "/run/x y"));
	write_text("pg/postmaster.pid", "4711\n/data\n1\n5432\n/run/x y\n\n  5432001    32\nready   \n");
	ck_assert(postmaster_read(arena, &home).ready);
}
END_TEST

/* A server stands in its data folder; this process does when it goes there. */
START_TEST(a_process_that_is_no_server)
{
	struct postmaster postmaster = {.pid = getpid()};

	ck_assert(!postmaster_alive(&home, &postmaster));
	ck_assert_int_eq(chdir(home.data.p), 0);
	ck_assert(postmaster_alive(&home, &postmaster));
	ck_assert_int_eq(chdir("/"), 0);
	postmaster.pid = 0;
	ck_assert(!postmaster_alive(&home, &postmaster));
	ck_assert(!postmaster_answers(STR("")) && !postmaster_answers(home.state));
	ck_assert(!postmaster_answers(str_format(arena, "/%0200d", 1)));
}
END_TEST

/* Takes one connection and behaves like a server that lives (answers), or like one that was killed (says nothing more).
 */
static pid_t listener(bool living)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	pid_t child;

	snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.5432", folder);
	unlink(address.sun_path);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	child = fork();
	if (child == 0) {
		char request[8];
		int client = accept(fd, NULL, NULL);

		if (living && recv(client, request, sizeof request, MSG_WAITALL) == 8 && send(client, "N", 1, 0) == 1)
			pause();
		_exit(0);
	}
	close(fd);
	return child;
}

START_TEST(who_answers_at_the_socket)
{
	pid_t living = listener(true), dying;

	ck_assert(postmaster_answers(home.state));
	kill(living, SIGKILL);
	waitpid(living, NULL, 0);
	ck_assert(!postmaster_answers(home.state));
	dying = listener(false);
	ck_assert(!postmaster_answers(home.state));
	waitpid(dying, NULL, 0);
	remove_file(".s.PGSQL.5432");
}
END_TEST

START_TEST(the_folder_of_the_socket)
{
	struct str made, again, link = str_format(arena, "%s/link", folder);

	ck_assert_uint_eq(socket_recorded(arena, &home).n, 0);
	ck_assert_ptr_null(socket_make(arena, &home, &made));
	ck_assert(str_eq(made, str_format(arena, "%s/pg.run", folder)) && socket_usable(&home, made));
	ck_assert_ptr_null(socket_record(arena, &home, made));
	ck_assert(str_eq(socket_recorded(arena, &home), made));
	ck_assert_int_eq(chmod(made.p, 0755), 0);
	ck_assert(!socket_usable(&home, made));
	ck_assert_int_eq(chmod(made.p, 0700), 0);
	home.uid++;
	ck_assert(!socket_usable(&home, made));
	home.uid--;
	ck_assert_int_eq(symlink(made.p, link.p), 0);
	ck_assert(!socket_usable(&home, link));
	ck_assert(!socket_usable(&home, STR("")) && !socket_usable(&home, STR("relative")));
	/* What a dead server left there goes, and the next one is found at the same place. */
	write_text("pg.run/.s.PGSQL.5432", "");
	socket_clear(arena, &home);
	ck_assert(str_eq(socket_recorded(arena, &home), made));
	ck_assert_ptr_null(socket_make(arena, &home, &again));
	ck_assert(str_eq(again, made));
	/* A copy of the state folder does not take its first one's socket, nor does it clear it. */
	write_text("pg.run/.s.PGSQL.5432", "");
	home.state = str_format(arena, "%s/pg", folder);
	ck_assert(!socket_usable(&home, made));
	ck_assert_ptr_null(socket_record(arena, &home, made));
	socket_clear(arena, &home);
	ck_assert_uint_eq(socket_recorded(arena, &home).n, 0);
	home.state = str_of(folder);
	ck_assert_int_eq(unlink(str_c(arena, str_format(arena, "%.*s/.s.PGSQL.5432", STR_ARG(made)))), 0);
	ck_assert_int_eq(rmdir(made.p), 0); /* so it was empty */
}
END_TEST

/* Where the state's folder has a name that PostgreSQL would take for a list, or that is too long for a socket. */
START_TEST(another_folder_of_the_socket)
{
	struct str state = home.state, made;

	home.state = STR("/tmp/a,b");
	setenv("XDG_RUNTIME_DIR", folder, 1);
	ck_assert_ptr_null(socket_make(arena, &home, &made));
	ck_assert(str_starts(made, str_format(arena, "%s/fleetwall-", folder)) && socket_usable(&home, made));
	home.state = state;
	ck_assert_ptr_null(socket_record(arena, &home, made));
	socket_clear(arena, &home);
	ck_assert_int_ne(access(made.p, F_OK), 0);
	ck_assert_uint_eq(socket_recorded(arena, &home).n, 0);
	home.state = STR("/tmp/a,b");
	setenv("XDG_RUNTIME_DIR", "/tmp/a,b", 1);
	ck_assert_ptr_null(socket_make(arena, &home, &made));
	ck_assert(str_starts(made, STR("/tmp/fleetwall-")));
	ck_assert_int_eq(rmdir(made.p), 0);
	home.state = state;
}
END_TEST

START_TEST(settings_of_the_server)
{
	ck_assert_ptr_null(settings_write(arena, &home, STR("/run/x")));
	ck_assert_ptr_nonnull(strstr(str_c(arena, read_text("pg.conf")), "\nlisten_addresses = ''\n"));
	ck_assert_ptr_nonnull(strstr(str_c(arena, read_text("pg.conf")), "\nunix_socket_directories = '/run/x'\n"));
	ck_assert_ptr_nonnull(strstr(str_c(arena, read_text("pg.conf")), "\nfsync = on\n"));
	ck_assert_ptr_nonnull(strstr(str_c(arena, read_text("pg.hba")), "\nlocal all all peer map=fleetwall\n"));
	ck_assert_ptr_nonnull(strstr(str_c(arena, read_text("pg.ident")), "\nfleetwall \"somebody\" fleetwall\n"));
	ck_assert_ptr_null(strstr(str_c(arena, read_text("pg.ident")), "root"));
	home.root = true;
	ck_assert_ptr_null(settings_write(arena, &home, STR("/run/x")));
	ck_assert_ptr_nonnull(strstr(str_c(arena, read_text("pg.ident")), "\nfleetwall root fleetwall\n"));
}
END_TEST

/* In a folder of root's nobody may make us write elsewhere, nor read. */
START_TEST(links_are_not_followed)
{
	char *target = str_c(arena, str_format(arena, "%s/link", folder));

	write_text("link", "precious");
	ck_assert_int_eq(symlink(target, str_c(arena, str_format(arena, "%s/pg.socket", folder))), 0);
	ck_assert_uint_eq(socket_recorded(arena, &home).n, 0);
	ck_assert_ptr_null(socket_record(arena, &home, STR("/run/x")));
	ck_assert(str_is(read_text("link"), "precious"));
	ck_assert(str_is(socket_recorded(arena, &home), "/run/x"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("db");
	TCase *tcase = tcase_create("db");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, binary_integers);
	tcase_add_test(tcase, times_round_down);
	tcase_add_test(tcase, what_is_built_in);
	tcase_add_test(tcase, the_reason_in_what_a_program_says);
	tcase_add_test(tcase, the_postmaster_file);
	tcase_add_test(tcase, a_process_that_is_no_server);
	tcase_add_test(tcase, who_answers_at_the_socket);
	tcase_add_test(tcase, the_folder_of_the_socket);
	tcase_add_test(tcase, another_folder_of_the_socket);
	tcase_add_test(tcase, settings_of_the_server);
	tcase_add_test(tcase, links_are_not_followed);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
