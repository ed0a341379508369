/* The pusher against a real ledger and machines that are scripts: what is done, what is tried again, what is told and
 * written; and what is left when it is killed, when the database goes away, and when there are two of them. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "private.h"
#include "push_fleet.h"

static bool has(struct str text, const char *part)
{
	return text.n > 0 && memmem(text.p, text.n, part, strlen(part)) != NULL;
}

/* --- all is well --- */

START_TEST(pushes_what_differs)
{
	struct push_result result;
	struct push_plan plan;

	(void)push_fleet(12, 1);
	plan = push_planned();
	ck_assert_uint_eq(plan.count, 12);
	ck_assert(plan.items[0].first && plan.items[0].enforce);
	result = push_done_all();
	ck_assert_int_eq(result.run.state, RUN_DONE);
	ck_assert_uint_eq(result.run.confirmed, 12);
	ck_assert_uint_eq(result.people_count, 0);
	ck_assert(!result.interrupted);
	for (unsigned i = 0; i < 12; i++) {
		host_is_done(i);
		ck_assert_uint_eq(host_lines(i, "calls", ""), 3); /* apply, confirm, and the end */
	}
	ck_assert_uint_eq(push_told.kinds[PUSH_STARTED], 1);
	ck_assert_uint_eq(push_told.kinds[PUSH_CLAIMED], 12);
	ck_assert_uint_eq(push_told.kinds[PUSH_APPLIED], 12);
	ck_assert_uint_eq(push_told.kinds[PUSH_CONFIRMED], 12);
	ck_assert_uint_eq(push_told.kinds[PUSH_DONE], 1);
	ck_assert_uint_eq(push_told.kinds[PUSH_WARNING], 24);
	ck_assert(has(push_told.warnings, "3 open sessions") && has(push_told.warnings, "monitor") &&
	          has(push_told.warnings, "not real"));
	ck_assert_str_eq(asked("SELECT machine_id FROM fleetwall.push_machine WHERE machine = 'm007'"), "00ffm007");
	ck_assert_uint_eq(push_planned().count, 0);
	ck_assert_uint_eq(push_planned().unchanged, 12);
}
END_TEST

/* The second generation travels as a difference, and without the script; where that is not right, as a whole. */
START_TEST(sends_what_differs)
{
	(void)push_fleet(4, 1);
	ck_assert_uint_eq(push_done_all().run.confirmed, 4);
	ck_assert_uint_eq(host_lines(1, "sent", "script "), 1);
	(void)push_fleet(4, 2);
	host_has(0, "forgot", "");
	ck_assert_int_eq(remove(str_c(arena, str_format(arena, "%s/hosts/m002/script", push_home))), 0);
	ck_assert_uint_eq(push_done_all().run.confirmed, 4);
	ck_assert_uint_eq(host_lines(0, "header", "flags whole"), 1);
	ck_assert_uint_eq(host_lines(0, "calls", "apply"), 3);
	ck_assert_uint_eq(host_lines(1, "header", "flags whole"), 0);
	ck_assert_uint_eq(host_lines(1, "header", "set app-0123456789ab.v4 diff"), 1);
	ck_assert_uint_eq(host_lines(1, "calls", "apply"), 2);
	ck_assert_uint_eq(host_lines(1, "sent", "script "), 0);
	ck_assert_uint_eq(host_lines(2, "sent", "script "), 1);
	hosts_are_done(4);
}
END_TEST

/* It was confirmed, and nobody heard of it: the next push asks, and is push_told. */
START_TEST(has_it_already)
{
	(void)push_fleet(2, 1);
	(void)push_done_all();
	sql("UPDATE fleetwall.push_machine SET confirmed_generation = NULL, confirmed_ruleset = NULL, "
	    "confirmed_position = "
	    "NULL, confirmed_at = NULL WHERE machine = 'm001'");
	ck_assert_uint_eq(push_planned().count, 1);
	ck_assert_uint_eq(push_done_all().run.confirmed, 1);
	ck_assert_uint_eq(push_told.kinds[PUSH_UNCHANGED], 1);
	host_is_done(1);
}
END_TEST

/* --- what goes wrong --- */

/* The confirmation of the last one arrived, its answer did not. */
START_TEST(tries_again)
{
	(void)push_fleet(4, 1);
	host_has(0, "unreachable", "1");
	host_has(1, "lock", "1");
	host_has(2, "deaf", "1"); /* to the confirmation */
	host_has(3, "mute", "1");
	ck_assert_uint_eq(push_done_all().run.confirmed, 4);
	ck_assert_uint_eq(push_told.kinds[PUSH_RETRY], 2);
	ck_assert_uint_eq(push_told.failures[FAILURE_UNREACHABLE], 1);
	ck_assert_uint_eq(push_told.failures[FAILURE_APPLY], 1);
	ck_assert_uint_eq(host_lines(2, "calls", "apply"), 1);
	ck_assert_uint_eq(host_lines(2, "calls", "confirm"), 2);
	ck_assert_uint_eq(host_lines(3, "log", "confirmed"), 1);
	hosts_are_done(4);
}
END_TEST

START_TEST(gives_up)
{
	struct push_result result;

	(void)push_fleet(6, 1);
	push_settings.max_failures = 10;
	push_settings.deadline = 2;
	push_settings.step = push_settings.connect = 1;
	push_settings.retries = 0;
	host_has(0, "unreachable", "9");
	host_has(1, "key", "");
	host_has(2, "refuse", "");
	host_has(3, "silent", ""); /* applied, never confirmed */
	host_has(4, "hang", "");
	result = push_done_all();
	ck_assert_uint_eq(result.run.confirmed, 1);
	ck_assert_uint_eq(push_told.failures[FAILURE_UNREACHABLE], 2);
	ck_assert_uint_eq(push_told.failures[FAILURE_HOST_KEY], 1);
	ck_assert_uint_eq(push_told.failures[FAILURE_REFUSED], 1);
	ck_assert_uint_eq(push_told.failures[FAILURE_ROLLED_BACK], 1);
	ck_assert_uint_eq(push_told.kinds[PUSH_FAILED], 5);
	ck_assert_uint_eq(result.people_count, 5);
	ck_assert(str_is(result.people[1].machine, "m001") && result.people[1].needs_person);
	ck_assert(str_is(result.people[3].machine, "m003") && has(result.people[3].error, "went back"));
	ck_assert(has(result.people[4].error, "did not end in time"));
	ck_assert_str_eq(host_text(3, "confirmed"), "");
}
END_TEST

/* Failing within a wave stops the run; what is left waits. */
START_TEST(too_many_failures)
{
	struct push_result result;

	(void)push_fleet(30, 1);
	push_settings.max_failures = 0;
	push_settings.parallel = 1;
	host_has(0, "refuse", "");
	result = push_done_all();
	ck_assert_int_eq(result.run.state, RUN_STOPPED);
	ck_assert_uint_eq(push_told.kinds[PUSH_STOPPED], 1);
	ck_assert_uint_gt(result.run.waiting, 25);
}
END_TEST

/* Nothing is sent before the ledger has it that it is. */
START_TEST(nothing_is_sent_unknown)
{
	struct push_result result;
	struct push_plan plan;
	struct error *error;
	uint64_t run;

	(void)push_fleet(1, 1);
	sql("CREATE FUNCTION public.no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not now''; END';"
	    "CREATE TRIGGER no BEFORE UPDATE OF offered_position ON fleetwall.push_machine FOR EACH ROW EXECUTE "
	    "FUNCTION "
	    "public.no()");
	plan = push_planned();
	run = push_started(&plan);
	error = push_work_on(run, &result);
	ck_assert(error != NULL && has(error->message, "not now"));
	ck_assert_str_eq(host_text(0, "calls"), "");
}
END_TEST

/* The store of this pusher has another generation by that number. */
START_TEST(another_store)
{
	struct push_result result;
	struct push_plan plan;
	struct error *error;
	uint64_t run;

	(void)push_fleet(2, 1);
	plan = push_planned();
	run = push_started(&plan);
	sql("UPDATE fleetwall.generation SET digest = sha256('x')");
	error = push_work_on(run, &result);
	ck_assert(error != NULL && error->kind == ERROR_GUARD);
	ck_assert_str_eq(host_text(0, "calls"), "");
}
END_TEST

START_TEST(damaged_store)
{
	(void)push_fleet(2, 1);
	struct push_plan plan = push_planned();
	uint64_t run = push_started(&plan);

	ck_assert_int_eq(system(str_c(arena, str_format(arena, "rm -r %s/out/store/sets/*", push_home))), 0);
	push_settings.retries = 0;
	ck_assert_uint_eq(push_worked(run).run.confirmed, 1);
	ck_assert_uint_eq(push_told.failures[FAILURE_DAMAGED], 1);
	ck_assert_str_eq(host_text(1, "confirmed"), "");
}
END_TEST

/* --- fences --- */

/* A pusher of the future was there: the ledger says that the machine is ours, so a person hears of it. */
START_TEST(a_higher_fence)
{
	(void)push_fleet(1, 1);
	host_has(0, "fence", "999999999999999");
	ck_assert_uint_eq(push_done_all().run.failed, 1);
	ck_assert_uint_eq(push_told.failures[FAILURE_FENCE], 1);
}
END_TEST

/* Somebody took it over meanwhile: not a word. */
START_TEST(is_taken_over)
{
	struct push_plan plan;
	uint64_t run;
	pid_t other;
	int status;

	(void)push_fleet(1, 1);
	plan = push_planned();
	run = push_started(&plan);
	host_has(0, "deaf", "2"); /* we are held up: 0.5 and 1 seconds */
	push_settings.parallel = 1;
	other = fork();
	if (other == 0) {
		pause_for(500);
		db = postgres_open(conninfo);
		sql("UPDATE fleetwall.push_work SET lease = now() - interval '1 second'");
		_exit(push_worked(run).run.confirmed == 1 ? 0 : 1);
	}
	ck_assert_uint_eq(push_worked(run).run.confirmed, 1);
	ck_assert_int_eq(waitpid(other, &status, 0), other);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(
		push_told.kinds[PUSH_CONFIRMED] + push_told.kinds[PUSH_UNCHANGED] + push_told.kinds[PUSH_FAILED], 0);
	ck_assert_uint_eq(host_lines(0, "log", "confirmed"), 1);
	host_is_done(0);
}
END_TEST

/* --- several, and killed ones --- */

static pid_t pusher(uint64_t run)
{
	pid_t child = fork();
	struct push_result result;

	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(push_work_on(run, &result) == NULL && result.run.state == RUN_DONE ? 0 : 1);
	return child;
}

static void all_done_once(unsigned machines)
{
	for (unsigned i = 0; i < machines; i++) {
		host_is_done(i);
		ck_assert_uint_eq(host_lines(i, "log", "confirmed"), 1);
	}
}

START_TEST(two_share_a_run)
{
	pid_t children[2];
	int status;

	(void)push_fleet(14, 1);
	struct push_plan plan = push_planned();
	uint64_t run = push_started(&plan);

	for (int i = 0; i < 2; i++)
		children[i] = pusher(run);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
		ck_assert_int_eq(status, 0);
	}
	all_done_once(14);
	for (unsigned i = 0; i < 14; i++)
		ck_assert_uint_eq(host_lines(i, "log", "applied"), 1);
	ck_assert_str_eq(asked("SELECT count(DISTINCT pusher) FROM fleetwall.push_work"), "2");
}
END_TEST

/* At a random moment; its machines are free when their leases have ended, which is now. */
static void kill_one(uint64_t run, unsigned moment)
{
	pid_t child = pusher(run);
	int status;

	pause_for(moment);
	(void)kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	sql("UPDATE fleetwall.push_work SET lease = now() - interval '1 second' WHERE state = 'claimed'");
}

START_TEST(killed_and_resumed)
{
	unsigned kills = getenv("PUSHER_KILLS") != NULL ? (unsigned)atoi(getenv("PUSHER_KILLS")) : 5;
	struct push_plan plan;
	uint64_t run;

	srand((unsigned)time(NULL));
	(void)push_fleet(20, 1);
	plan = push_planned();
	run = push_started(&plan);
	push_settings.parallel = 4;
	for (unsigned i = 0; i < kills; i++)
		kill_one(run, (unsigned)rand() % 200);
	ck_assert_uint_eq(push_worked(run).run.confirmed, 20);
	all_done_once(20);
}
END_TEST

START_TEST(told_to_end)
{
	struct push_result result;
	struct push_plan plan;
	uint64_t run;
	pid_t child;

	(void)push_fleet(24, 1);
	plan = push_planned();
	run = push_started(&plan);
	push_settings.parallel = 4;
	child = fork();
	if (child == 0) {
		pause_for(200);
		kill(getppid(), SIGTERM);
		_exit(0);
	}
	result = push_worked(run);
	ck_assert(result.interrupted);
	ck_assert_int_eq(result.run.state, RUN_RUNNING);
	ck_assert_uint_eq(result.run.claimed, 0);
	ck_assert_uint_lt(result.run.confirmed, 24);
	ck_assert_uint_eq(result.run.failed, 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	for (unsigned i = 0; i < 24; i++) /* what was applied was confirmed */
		ck_assert_uint_eq(host_lines(i, "log", "applied"), host_lines(i, "log", "confirmed"));
	ck_assert_uint_eq(push_worked(run).run.confirmed, 24);
	all_done_once(24);
}
END_TEST

/* The second time it does not wait for anybody, and takes its ssh along. */
START_TEST(told_twice)
{
	struct push_plan plan;
	long waits;
	pid_t child;
	int status;

	(void)push_fleet(1, 1);
	push_settings.step = 60;
	plan = push_planned();
	host_has(0, "hang", "");
	child = pusher(push_started(&plan));
	for (int i = 0; i < 100 && host_text(0, "pid")[0] == '\0'; i++)
		pause_for(50);
	waits = atol(host_text(0, "pid"));
	ck_assert_int_gt(waits, 0);
	ck_assert_int_eq(kill(child, SIGTERM), 0);
	pause_for(100);
	ck_assert_int_eq(waitpid(child, &status, WNOHANG), 0);
	ck_assert_int_eq(kill(child, SIGTERM), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	ck_assert_str_eq(asked("SELECT state FROM fleetwall.push_work"), "claimed");
	for (int i = 0; i < 100 && !gone(waits); i++)
		pause_for(50);
	ck_assert(gone(waits));
}
END_TEST

/* --- the database --- */

/* Every connection but our own is cut off, again and again, while machines are worked on. */
START_TEST(database_comes_and_goes)
{
	struct push_plan plan;
	uint64_t run;
	pid_t child;
	int status;

	(void)push_fleet(24, 1);
	plan = push_planned();
	run = push_started(&plan);
	push_settings.parallel = 4;
	child = pusher(run);
	for (int i = 0; i < 5; i++) {
		pause_for(120);
		sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname "
		    "= "
		    "current_database()");
	}
	while (waitpid(child, &status, WNOHANG) == 0) { /* claims that nobody heard of are free when their leases end */
		sql("UPDATE fleetwall.push_work SET lease = now() WHERE state = 'claimed' AND at < now() - interval '2 "
		    "seconds'");
		pause_for(200);
	}
	ck_assert_int_eq(status, 0);
	all_done_once(24);
}
END_TEST

/* Nobody may connect for a second: what was applied is confirmed meanwhile, and written when it is back. */
START_TEST(database_is_away)
{
	const char *name = asked("SELECT current_database()");
	struct push_plan plan;
	struct db *other;
	pid_t child;

	(void)push_fleet(4, 1);
	plan = push_planned();
	uint64_t run = push_started(&plan);

	for (unsigned i = 0; i < 4; i++)
		host_has(i, "deaf", "1");
	child = fork();
	if (child == 0) {
		other = postgres_open(postgres_conninfo("postgres"));
		pause_for(300);
		must(db_run(other, str_format(arena, "ALTER DATABASE %s ALLOW_CONNECTIONS false", name)));
		must(db_run(other,
		            str_format(arena,
		                       "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'",
		                       name)));
		pause_for(700);
		must(db_run(other, str_format(arena, "ALTER DATABASE %s ALLOW_CONNECTIONS true", name)));
		_exit(0);
	}
	ck_assert_uint_eq(push_worked(run).run.confirmed, 4);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_uint_eq(push_told.kinds[PUSH_DATABASE], 2);
	db_close(db);
	db = postgres_open(conninfo);
	all_done_once(4);
}
END_TEST

/* --- probes --- */

static unsigned listening(int *descriptor)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;

	*descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(*descriptor, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(*descriptor, 5), 0);
	ck_assert_int_eq(getsockname(*descriptor, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin_port);
}

static void add_probe(const char *machine, unsigned port, bool open, const char *source)
{
	struct probe probe = {.machine = str_of(machine),
	                      .what = str_format(arena, "%u/tcp", port),
	                      .open = open,
	                      .source = str_of(source)};

	must(ledger_probe_add(arena, db, &probe));
}

START_TEST(probes)
{
	int descriptor;
	unsigned port = listening(&descriptor);

	(void)push_fleet(7, 1);
	push_settings.max_failures = 10;
	push_settings.retries = 0;
	sql("UPDATE fleetwall.machine SET ssh_host = '127.0.0.1'");
	host_has(6, "unreachable", "9");
	add_probe("m001", 7, true, "m006"); /* can't be tried, besides */
	add_probe("m000", port, true, "");
	add_probe("m000", 1, false, "");
	add_probe("m001", port, false, ""); /* answers, and must not */
	add_probe("m002", 1, true, "");     /* must, and does not */
	add_probe("m003", 7, true, "m005");
	add_probe("m004", 7, true, "m000"); /* can't reach it */
	host_has(5, "reaches", "");
	ck_assert_uint_eq(push_done_all().run.confirmed, 3);
	ck_assert_uint_eq(push_told.failures[FAILURE_PROBE], 3);
	ck_assert(has(push_told.last_failed.message, "it was taken back"));
	for (unsigned i = 0; i < 6; i++) {
		bool good = i == 0 || i == 3 || i == 5;

		ck_assert_uint_eq(host_lines(i, "calls", "rollback"), !good);
		ck_assert_uint_eq(host_lines(i, "log", "confirmed"), good);
	}
	close(descriptor);
}
END_TEST

/* A source that is down says nothing about the machine: that is taken back and tried again, and as one of the first it
 * stops nothing. */
START_TEST(probes_that_could_not_be_tried)
{
	struct push_result result;

	(void)push_fleet(4, 1);
	push_settings.retries = 1;
	sql("UPDATE fleetwall.machine SET ssh_host = '127.0.0.1'");
	host_has(3, "unreachable", "99");
	add_probe("m000", 7, true, "m003");
	result = push_done_all();
	ck_assert_int_eq(result.run.state, RUN_DONE);
	ck_assert_uint_eq(result.run.confirmed, 2);
	ck_assert_uint_eq(push_told.kinds[PUSH_RETRY], 2); /* m000 and m003 */
	ck_assert_uint_eq(push_told.failures[FAILURE_PROBE], 0);
	ck_assert_uint_eq(host_lines(0, "calls", "rollback"), 2);
	ck_assert_uint_eq(result.people_count, 2);
	ck_assert(str_is(result.people[0].machine, "m000") && !result.people[0].needs_person);
	ck_assert(str_is(result.people[0].error_kind, "unreachable"));
	ck_assert(has(result.people[0].error, "could not be tried") &&
	          has(result.people[0].error, "it was taken back"));
}
END_TEST

/* --- asking --- */

START_TEST(asks_many)
{
	struct contact contacts[30];
	struct host_question questions[30];
	struct answer answers[30];
	struct str word = STR("status");

	for (unsigned i = 0; i < 30; i++) {
		struct str name = str_format(arena, "m%03u", i);

		contacts[i] = (struct contact){.machine = name, .host = name};
		questions[i] = (struct host_question){&contacts[i], &word, 1};
		host_has(i, i == 7 ? "key" : "confirmed", "00\n");
	}
	contacts[8].host = STR("-oProxyCommand=x");
	must(push_ask(arena, &push_settings, questions, 30, 1000, answers));
	for (unsigned i = 0; i < 30; i++) {
		ck_assert(str_eq(answers[i].machine, contacts[i].machine));
		ck_assert_int_eq(answers[i].answered, i != 7 && i != 8);
		if (answers[i].answered)
			ck_assert(str_is(answers[i].output, "position 00\n") && answers[i].status == 0);
	}
	ck_assert_int_eq(answers[7].failure, FAILURE_HOST_KEY);
	ck_assert(has(answers[8].message, "no address"));
}
END_TEST

/* A case of its own, so that it can be run alone: CK_RUN_CASE=name. */
static void add(Suite *suite, const char *name, const TTest *test)
{
	TCase *one = tcase_create(name);

	tcase_add_checked_fixture(one, push_fleet_setup, push_fleet_teardown);
	tcase_add_test(one, test);
	suite_add_tcase(suite, one);
}

#define ADD(test) add(suite, #test, test)

int main(void)
{
	Suite *suite = suite_create("pusher");

	ADD(pushes_what_differs);
	ADD(sends_what_differs);
	ADD(has_it_already);
	ADD(tries_again);
	ADD(gives_up);
	ADD(too_many_failures);
	ADD(nothing_is_sent_unknown);
	ADD(another_store);
	ADD(damaged_store);
	ADD(a_higher_fence);
	ADD(is_taken_over);
	ADD(two_share_a_run);
	ADD(killed_and_resumed);
	ADD(told_to_end);
	ADD(told_twice);
	ADD(database_comes_and_goes);
	ADD(database_is_away);
	ADD(probes);
	ADD(probes_that_could_not_be_tried);
	ADD(asks_many);
	return postgres_main(suite, NULL);
}
