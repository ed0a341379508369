/* The life of the private server: made, used, dumped, stopped, started; several commands at once, kill -9 of either
 * side, files that went. long: it waits. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "private.h"

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
	ck_assert(holds(RUN("cat", dump).output, "COPY public.t (answer)"));
	must(server_stop(arena, state));
	ck_assert_int_eq(state_now(), SERVER_STOPPED);
	ck_assert_int_ne(access(path("pg.run/.s.PGSQL.5432"), F_OK), 0);
	must(server_stop(arena, state));
	again = started();
	ck_assert(str_eq(first.conninfo, again.conninfo)); /* whoever lost it finds it again */
	ck_assert_int_eq(state_now(), SERVER_RUNNING);
	connected(&again);
	ck_assert_str_eq(asked("SELECT answer FROM public.t"), "42");
	db_close(db);
	ck_assert(started().pid == again.pid);
	fails(error_in(server_dump(arena, state, STR("/no/such/folder/dump.sql")), "dump"), "/no/such/folder");
}
END_TEST

/* Read back by psql the inventory is whole: texts, history, triggers. */
START_TEST(a_dump_is_read_back)
{
	struct server found = started();
	const char *dump = path("dump.sql"), *state_of = "SELECT string_agg(text, ',') || (SELECT count(*) FROM "
	                                                 "fleetwall.change) FROM fleetwall.rule";
	const char *before;
	struct str roles;
	size_t applied;

	connected(&found);
	must(db_init(arena, db, &applied, &roles));
	sql("INSERT INTO fleetwall.role (name) VALUES ('r'); BEGIN;"
	    "INSERT INTO fleetwall.rule (key, role, action, what) VALUES (1, 'r', 'allow', 'all');"
	    "INSERT INTO fleetwall.rule_peer (rule, kind) VALUES (1, 'self'); COMMIT");
	sql("CREATE DATABASE again TEMPLATE template0");
	before = asked(state_of);
	db_close(db);
	must(server_dump(arena, state, str_of(dump)));
	conninfo = str_format(arena, "%.*s dbname=again", STR_ARG(found.conninfo));
	ck_assert_int_eq(
		RUN("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", str_c(arena, conninfo), "-f", dump).status, 0);
	db = postgres_open(conninfo);
	must(db_check(arena, db));
	ck_assert_str_eq(asked(state_of), before);
	must(db_init(arena, db, &applied, &roles));
	ck_assert_uint_eq(applied + roles.n, 0);
	sql("UPDATE fleetwall.rule SET log = true");
	ck_assert_str_eq(asked("SELECT after ->> 'rule' FROM fleetwall.change ORDER BY number DESC LIMIT 1"),
	                 "allow all from self log");
	db_close(db);
}
END_TEST

START_TEST(eight_at_once)
{
	in_each_child(8, start_in_child);
	in_each_child(8, start_in_child);
	must(server_stop(arena, state));
	in_each_child(8, start_in_child);
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
	leaks += holds(outcome.output, "/held");
	leaks += holds(outcome.output, "pg.lock");
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

/* The next command may come while the kernel still has the dead one's socket. */
START_TEST(killed_a_moment_ago)
{
	for (int i = 0; i < 3; i++) {
		struct server first = started();

		kill((pid_t)first.pid, SIGKILL);
		start_in_child();
	}
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
	ck_assert(str_eq(first.socket, again.socket));
	ck_assert(gone(first.pid));
	/* And while it does not run: a reboot. */
	must(server_stop(arena, state));
	start_in_child();
}
END_TEST

START_TEST(a_folder_of_the_socket_that_is_not_ours)
{
	struct server first = started(), again;

	kill_hard(first.pid);
	RUN("rm", "-rf", "--", str_c(arena, first.socket));
	/* Whoever has the name must not get the connections. */
	ck_assert_int_eq(mkdir(str_c(arena, first.socket), 0777), 0);
	ck_assert_int_eq(chmod(str_c(arena, first.socket), 0777), 0);
	again = started();
	ck_assert(!str_eq(again.socket, first.socket));
	ck_assert_int_eq(rmdir(str_c(arena, first.socket)), 0);
	must(server_stop(arena, state));
	ck_assert_int_ne(access(str_c(arena, again.socket), F_OK), 0);
}
END_TEST

/* A copy of a state folder whose server runs: each has its own, and the copy's end is not the other's. */
START_TEST(a_copy_of_the_state)
{
	struct str copy = str_format(arena, "%.*s.copy", STR_ARG(state));
	struct server first, second;

	started();
	must(server_stop(arena, state));
	RUN("cp", "-a", "--", str_c(arena, state), str_c(arena, copy));
	first = started();
	must(server_start(arena, copy, &second));
	ck_assert(!str_eq(first.socket, second.socket));
	must(server_stop(arena, copy));
	ck_assert_int_eq(state_now(), SERVER_RUNNING);
	RUN("rm", "-rf", "--", str_c(arena, copy));
}
END_TEST

/* The path of a socket has 107 bytes. */
START_TEST(a_folder_with_a_long_name)
{
	struct str deep = str_format(arena, "%.*s/%080d", STR_ARG(state), 7);
	struct server first;

	must(server_start(arena, deep, &first));
	ck_assert(!str_starts(first.socket, deep));
	must(server_stop(arena, deep));
	ck_assert_int_ne(access(str_c(arena, first.socket), F_OK), 0);
	must(server_start(arena, deep, &first));
	must(server_stop(arena, deep));
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

int main(void)
{
	const TTest *const making[] = {made_used_stopped_started, eight_at_once, killed_starter};
	const TTest *const running[] = {killed_a_moment_ago, a_dump_is_read_back,
	                                nothing_of_ours_leaks_into_it,
	                                killed_server_with_a_busy_backend,
	                                a_number_that_another_program_has,
	                                the_folder_of_the_socket_went,
	                                a_folder_of_the_socket_that_is_not_ours,
	                                a_copy_of_the_state,
	                                a_folder_with_a_long_name,
	                                the_record_went,
	                                a_stopped_process_is_waited_for,
	                                fast_when_it_runs};
	Suite *suite = suite_create("db_server");

	add_making(suite, making, sizeof making / sizeof *making);
	add_running(suite, running, sizeof running / sizeof *running);
	return private_main(suite);
}
