/* The push ledger under several processes: each machine is done exactly once, a killed pusher's work is taken over, and
 * what it says late counts for nothing; what gets in each other's way is tried again; and watch sleeps on. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fleetwall/inventory.h"
#include "ledger_fleet.h"

enum { FLEET = 60, PUSHERS = 4 };

/* Three waves: canaries, a third, the rest. */
static uint64_t three_waves(void)
{
	unsigned waves[FLEET];
	uint64_t run;

	for (unsigned i = 0; i < FLEET; i++)
		waves[i] = i < 2 ? 0 : i < 20 ? 1 : 2;
	must(try_start(1, 0, FLEET, waves, &run));
	return run;
}

static void sleep_for(long milliseconds)
{
	nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL);
}

/* A pusher: works on the run until nothing is left to do for anybody. How many machines it has confirmed. */
static int push_to_the_end(uint64_t run, unsigned lease)
{
	struct push_run_info info = {.state = RUN_RUNNING};
	int done = 0;

	while (info.state == RUN_RUNNING) {
		struct claim *claims;
		unsigned wait;
		size_t count;
		bool taken, stopped;

		must(ledger_claim(arena, db, run, STR("child"), lease, 3, &claims, &count, &info, &wait));
		for (size_t i = 0; i < count; i++) {
			ck_assert_uint_eq(claims[i].item.wave, info.wave);
			must(ledger_offered(arena, db, &claims[i], &taken, &stopped));
			ck_assert(taken);
			must(ledger_confirmed(arena, db, &claims[i], STR("id"), NULL, &taken));
			done += taken;
		}
		if (count == 0 && info.state == RUN_RUNNING)
			sleep_for(wait < 20 ? wait : 20);
	}
	ck_assert_int_eq(info.state, RUN_DONE);
	return done;
}

static pid_t start_pusher(uint64_t run, unsigned lease)
{
	pid_t pid = fork();
	int done;

	if (pid != 0)
		return pid;
	db = postgres_open(conninfo);
	done = push_to_the_end(run, lease);
	_exit(done);
}

/* Of all children: the sum of what they have confirmed. */
static int ended(unsigned children)
{
	int status, sum = 0;

	for (unsigned i = 0; i < children; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert(WIFEXITED(status));
		sum += WEXITSTATUS(status);
	}
	return sum;
}

START_TEST(each_machine_once)
{
	uint64_t run = three_waves();
	struct push_run_info info;

	for (unsigned i = 0; i < PUSHERS; i++)
		ck_assert_int_gt(start_pusher(run, 60), 0);
	ck_assert_int_eq(ended(PUSHERS), FLEET);
	info = run_info(run);
	ck_assert_int_eq(info.state, RUN_DONE);
	ck_assert_uint_eq(info.confirmed, FLEET);
	ck_assert_str_eq(asked("SELECT count(DISTINCT fence) || ' ' || max(attempt) FROM fleetwall.push_work"), "60 1");
	ck_assert_str_eq(
		asked("SELECT count(*) FROM fleetwall.push_machine WHERE confirmed_generation = 1 AND attempts "
	              "= 0"),
		"60");
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.machine_generation WHERE generation = 1"), "60");
	/* No machine of a wave was touched before the wave before it was through. */
	ck_assert_str_eq(
		asked("SELECT count(*) FROM fleetwall.push_work AS a JOIN fleetwall.push_work AS b ON a.wave < "
	              "b.wave AND a.fence > b.fence"),
		"0");
}
END_TEST

/* Claims, with a lease of a second, and is killed. */
static void be_killed(uint64_t run, int out)
{
	struct push_run_info info;
	struct claim *claims;
	unsigned wait_for;
	size_t count;
	ssize_t written;

	db = postgres_open(conninfo);
	must(ledger_claim(arena, db, run, STR("killed"), 1, 2, &claims, &count, &info, &wait_for));
	ck_assert_uint_eq(count, 2);
	written = write(out, &claims[0].fence, sizeof claims[0].fence);
	ck_assert_int_eq(written, sizeof claims[0].fence);
	raise(SIGKILL);
}

START_TEST(a_killed_pusher_is_taken_over)
{
	uint64_t run = three_waves(), fence = 0;
	struct claim late = {.run = run, .item.machine = machine_name(0)};
	int ends[2], status;
	pid_t killed;
	bool taken;

	ck_assert_int_eq(pipe(ends), 0);
	killed = fork();
	if (killed == 0)
		be_killed(run, ends[1]);
	ck_assert_int_eq(read(ends[0], &fence, sizeof fence), sizeof fence);
	ck_assert_int_eq(waitpid(killed, &status, 0), killed);
	ck_assert(WIFSIGNALED(status));
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_gt(start_pusher(run, 60), 0);
	ck_assert_int_eq(ended(2), FLEET);
	ck_assert_str_eq(asked("SELECT string_agg(machine || ' ' || attempt, ', ' ORDER BY machine) FROM "
	                       "fleetwall.push_work WHERE attempt > 1"),
	                 "m00 2, m01 2");
	ck_assert_str_eq(asked(str_c(arena, str_format(arena, "SELECT fence > %llu FROM fleetwall.push_machine WHERE "
	                                                      "machine = 'm00'",
	                                               (unsigned long long)fence))),
	                 "t");
	/* It was only paused, and wakes. */
	late.fence = fence;
	must(ledger_failed(arena, db, &late, FAILURE_UNDO, STR("too late"), 0, &taken));
	ck_assert(!taken);
	must(ledger_confirmed(arena, db, &late, STR("other"), NULL, &taken));
	ck_assert(!taken);
	ck_assert(str_is(state_of_machine("m00").machine_id, "id"));
	ck_assert_uint_eq(run_info(run).confirmed, FLEET);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* Failures that come while others claim: nobody opens the next wave over them. */
static int fail_to_the_end(uint64_t run)
{
	struct push_run_info info = {.state = RUN_RUNNING};
	int failed = 0;

	while (info.state == RUN_RUNNING) {
		struct claim *claims;
		size_t count = claimed(run, 2, &claims, &info);

		for (size_t i = 0; i < count; i++)
			failed += fails_with(&claims[i], FAILURE_UNREACHABLE, 0);
		if (count == 0)
			sleep_for(2);
	}
	ck_assert_int_eq(info.state, RUN_STOPPED);
	return failed;
}

START_TEST(pushers_agree_that_it_stops)
{
	uint64_t run = three_waves(); /* one may fail */

	for (unsigned i = 0; i < PUSHERS; i++)
		if (fork() == 0) {
			db = postgres_open(conninfo);
			_exit(fail_to_the_end(run));
		}
	ck_assert_int_eq(ended(PUSHERS), 2);
	ck_assert_str_eq(asked("SELECT count(*) FILTER (WHERE wave = 0 AND state = 'failed') || ' ' || count(*) FILTER "
	                       "(WHERE wave > 0 AND state = 'waiting') FROM fleetwall.push_work"),
	                 "2 58");
	ck_assert_str_eq(asked("SELECT wave || ' ' || reason FROM fleetwall.push_run"),
	                 "0 2 machines failed in wave 1 of 3, and no more than 1 may");
}
END_TEST

/* Claims, new runs, halts and freezes, all at once: nothing is lost, and nobody hangs. */
static void disturb(unsigned round)
{
	struct str machine = machine_name(round % FLEET), reason = STR("x");
	uint64_t run;
	struct error *error;

	must(ledger_freeze(arena, db, machine, reason));
	must(ledger_unfreeze(arena, db, machine));
	error = try_start(1 + round % 3, 0, FLEET, NULL, &run);
	ck_assert_msg(error == NULL || error->kind == ERROR_GUARD, "%s", error == NULL ? "" : text_of(error));
	if (round % 4 != 3)
		return;
	must(ledger_halt(arena, db, reason));
	must(ledger_unhalt(arena, db));
}

static void claim_and_report(unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		struct push_run_info info;
		struct claim *claims;
		size_t count = 0;
		unsigned wait_for;
		bool taken;

		must(ledger_open_run(arena, db, &info));
		if (info.number != 0)
			must(ledger_claim(arena, db, info.number, STR("child"), 1 + i % 60, 5, &claims, &count, &info,
			                  &wait_for));
		for (size_t k = 0; k < count; k++)
			if (k % 2 == 0)
				must(ledger_confirmed(arena, db, &claims[k], STR("id"), NULL, &taken));
			else
				must(ledger_failed(arena, db, &claims[k], FAILURE_UNREACHABLE, STR("x"), k % 4 == 1,
				                   &taken));
	}
}

START_TEST(everything_at_once)
{
	for (unsigned child = 0; child < PUSHERS; child++)
		if (fork() == 0) {
			db = postgres_open(conninfo);
			for (unsigned i = 0; child == 0 && i < 12; i++)
				disturb(i);
			if (child > 0)
				claim_and_report(30);
			_exit(0);
		}
	ck_assert_int_eq(ended(PUSHERS), 0);
	/* The tallies are what the rows say, and at most one run is running. */
	ck_assert_str_eq(
		asked("SELECT count(*) FROM fleetwall.push_run AS r WHERE (SELECT coalesce(sum(confirmed), 0) FROM "
	              "fleetwall.push_tally WHERE run = r.number) <> (SELECT count(*) FROM fleetwall.push_work "
	              "WHERE run = r.number AND state = 'confirmed')"),
		"0");
	ck_assert_str_eq(asked("SELECT count(*) <= 1 FROM fleetwall.push_run WHERE state = 'running'"), "t");
	ck_assert_str_eq(asked("SELECT count(*) > 3 FROM fleetwall.push_run"), "t");
}
END_TEST

/* A transaction that another one got in the way of begins again, and only that one. */
START_TEST(what_collides_is_tried_again)
{
	struct str reason, who;
	int64_t at;

	sql("CREATE SEQUENCE public.tries; CREATE FUNCTION public.collide() RETURNS trigger LANGUAGE plpgsql AS $$ "
	    "BEGIN "
	    "IF nextval('public.tries') < 4 THEN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END IF; RETURN "
	    "NEW; "
	    "END $$; CREATE TRIGGER collide BEFORE INSERT ON fleetwall.push_halt FOR EACH ROW EXECUTE FUNCTION "
	    "public.collide()");
	must(ledger_halt(arena, db, STR("x")));
	ck_assert_str_eq(asked("SELECT last_value FROM public.tries"), "4");
	must(ledger_halted(arena, db, &reason, &who, &at));
	ck_assert(str_is(reason, "x"));
	must(ledger_unhalt(arena, db));
	sql("SELECT setval('public.tries', 1, false); CREATE OR REPLACE FUNCTION public.collide() RETURNS trigger "
	    "LANGUAGE "
	    "plpgsql AS $$ BEGIN PERFORM nextval('public.tries'); RAISE EXCEPTION 'no'; END $$");
	refuses(ledger_halt(arena, db, STR("x")), ERROR_SURROUNDINGS, "no");
	ck_assert_str_eq(asked("SELECT last_value FROM public.tries"), "1");
	must(ledger_halted(arena, db, &reason, &who, &at));
	ck_assert_uint_eq(reason.n, 0);
	sql("DROP TRIGGER collide ON fleetwall.push_halt; DROP FUNCTION public.collide; DROP SEQUENCE public.tries");
}
END_TEST

static struct inventory_news news_since(struct str since)
{
	struct inventory_news news;

	must(db_begin(db, DB_SNAPSHOT));
	must(inventory_news(arena, db, since, &news));
	db_rollback(db);
	return news;
}

/* Pushing, freezing and probing are no change to what generate makes. */
START_TEST(watch_sleeps_on)
{
	struct inventory_news before = news_since(STR(""));
	struct db *listening = postgres_open(conninfo);
	struct probe probe = {.machine = STR("m00"), .what = STR("22/tcp"), .open = true};
	struct claim claim;
	size_t notices;

	must(db_listen(listening, "fleetwall_change"));
	claim = claimed_one(started_run(1, 2, 0));
	ck_assert(confirm(&claim));
	must(ledger_freeze(arena, db, STR("m01"), STR("x")));
	must(ledger_probe_add(arena, db, &probe));
	must(ledger_approve(arena, db, 1));
	must(ledger_halt(arena, db, STR("x")));
	ck_assert(!news_since(before.snapshot).changed);
	must(db_run(listening, STR("SELECT 1")));
	must(db_notices(listening, &notices));
	ck_assert_uint_eq(notices, 0);
	sql("UPDATE fleetwall.machine SET enabled = false WHERE name = 'm00'");
	ck_assert(news_since(before.snapshot).changed);
	must(db_run(listening, STR("SELECT 1")));
	must(db_notices(listening, &notices));
	ck_assert_uint_eq(notices, 1);
	db_close(listening);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		each_machine_once,  a_killed_pusher_is_taken_over, pushers_agree_that_it_stops,
		everything_at_once, what_collides_is_tried_again,  watch_sleeps_on,
	};

	return fleet_main("ledger_many", tests, sizeof tests / sizeof *tests);
}
