/* The push ledger: what machines were offered and have confirmed, runs and how they give way, claims, fences and
 * results, failures, halts and freezes. */
#include <string.h>

#include "ledger_fleet.h"

/* --- one machine --- */

START_TEST(a_machine_from_claim_to_confirm)
{
	uint64_t run = started_run(3, 1, 0);
	struct push_run_info info;
	struct machine_state state;
	struct claim *claims;
	struct digest script = digest_of(STR("script"));
	bool taken, stopped;

	must(ledger_open_run(arena, db, &info));
	ck_assert_uint_eq(info.number, run);
	ck_assert_uint_eq(info.waiting, 1);
	ck_assert_str_eq(asked("SELECT string_agg(generation || ' ' || holder, ',') FROM fleetwall.generation_pin"),
	                 "3 push run 1");

	ck_assert_uint_eq(claimed(run, 5, &claims, &info), 1);
	ck_assert_uint_eq(info.claimed, 1);
	ck_assert_uint_eq(info.waiting, 0);
	ck_assert_uint_eq(claims[0].run, run);
	ck_assert_uint_eq(claims[0].attempt, 1);
	ck_assert(str_is(claims[0].item.machine, "m00"));
	struct digest wanted = object_of(3, 0, 'p');
	ck_assert(digest_eq(&claims[0].item.position, &wanted));
	ck_assert(str_is(claims[0].contact.host, "m00"));
	ck_assert(str_is(claims[0].state.machine, "m00"));
	ck_assert_uint_eq(claims[0].state.confirmed.generation, 0);

	must(ledger_offered(arena, db, &claims[0], &taken, &stopped));
	ck_assert(taken);
	state = state_of_machine("m00");
	ck_assert_uint_eq(state.offered.generation, 3);
	ck_assert(digest_eq(&state.offered.position, &wanted));
	ck_assert_int_gt(state.offered.at, 1600000000);
	ck_assert_uint_eq(state.confirmed.generation, 0);
	ck_assert_uint_eq(state.attempts, 1);

	must(ledger_confirmed(arena, db, &claims[0], STR("9f0c"), &script, &taken));
	ck_assert(taken);
	state = state_of_machine("m00");
	ck_assert_uint_eq(state.confirmed.generation, 3);
	ck_assert(digest_eq(&state.confirmed.position, &wanted));
	wanted = object_of(3, 0, 'r');
	ck_assert(digest_eq(&state.confirmed.ruleset, &wanted));
	ck_assert_uint_eq(state.before.generation, 0);
	ck_assert(str_is(state.machine_id, "9f0c"));
	ck_assert(digest_eq(&state.script, &script));
	ck_assert_uint_eq(state.attempts, 0);
	ck_assert_str_eq(asked("SELECT machine || generation FROM fleetwall.machine_generation"), "m003");
	ck_assert(!confirm(&claims[0])); /* once */

	info = run_info(run);
	ck_assert_int_eq(info.state, RUN_RUNNING); /* until somebody asks for more */
	ck_assert_uint_eq(info.confirmed, 1);
	ck_assert_uint_eq(claimed(run, 1, &claims, &info), 0);
	ck_assert_int_eq(info.state, RUN_DONE);
	ck_assert_int_ge(info.ended, info.started);
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.generation_pin"), "0");
	must(ledger_open_run(arena, db, &info));
	ck_assert_uint_eq(info.number, 0);
}
END_TEST

static void push_once(uint64_t generation, bool same)
{
	struct digest digest = generation_digest_of(generation);
	struct work_item *items = items_of(same ? 1 : generation, 0, 1, NULL);
	struct claim claim;
	uint64_t run;

	must(ledger_start(arena, db, generation, &digest, 0, items, 1, &run));
	claim = claimed_one(run);
	ck_assert(confirm(&claim));
}

/* What it had before is what differed, not an older number of the same. */
START_TEST(what_it_had_before_is_kept)
{
	struct machine_state state;

	push_once(1, false);
	push_once(2, true);
	state = state_of_machine("m00");
	ck_assert_uint_eq(state.confirmed.generation, 2);
	ck_assert_uint_eq(state.before.generation, 0);
	push_once(3, false);
	state = state_of_machine("m00");
	ck_assert_uint_eq(state.confirmed.generation, 3);
	ck_assert_uint_eq(state.before.generation, 2);
	push_once(4, false);
	state = state_of_machine("m00");
	ck_assert_uint_eq(state.before.generation, 3);

	must(ledger_forget(arena, db, STR("m00")));
	state = state_of_machine("m00");
	ck_assert(state.whole);
	ck_assert_uint_eq(state.confirmed.generation, 4);
	ck_assert_uint_eq(state.before.generation, 3);
	ck_assert_str_eq(asked("SELECT generation FROM fleetwall.machine_generation"), "4");
}
END_TEST

/* The generations that the store must keep. */
START_TEST(generations_are_held)
{
	struct db_rows rows;

	push_once(1, false);
	push_once(2, false);
	(void)started_run(3, 1, 0);
	must(db_query(arena, db, db_sql("generation-held"), NULL, 0, &rows));
	ck_assert_uint_eq(rows.count, 3);
	for (size_t i = 0; i < rows.count; i++)
		ck_assert_int_eq(db_cell(&rows, i, 0).p[0], "123"[i]);
}
END_TEST

/* --- fences and leases --- */

START_TEST(a_late_result_is_refused)
{
	uint64_t run = started_run(1, 1, 0);
	struct claim old = claimed_one(run), new;
	struct push_run_info info;
	struct claim *claims;
	bool taken, stopped, lost[1];

	ck_assert_uint_eq(claimed(run, 1, &claims, &info), 0);
	must(ledger_renew(arena, db, &old, 1, 60, lost));
	ck_assert(!lost[0]);
	end_leases();
	new = claimed_one(run);
	ck_assert_uint_gt(new.fence, old.fence);
	ck_assert_uint_eq(new.attempt, 2);
	must(ledger_renew(arena, db, &old, 1, 60, lost));
	ck_assert(lost[0]);
	must(ledger_offered(arena, db, &old, &taken, &stopped));
	ck_assert(!taken);
	ck_assert(!fails_with(&old, FAILURE_UNDO, 0));
	ck_assert(!confirm(&old));
	must(ledger_give_back(arena, db, &old, 1));
	ck_assert_uint_eq(state_of_machine("m00").confirmed.generation, 0);
	ck_assert_uint_eq(state_of_machine("m00").error.n, 0);
	ck_assert_uint_eq(run_info(run).claimed, 1);
	ck_assert(confirm(&new));
}
END_TEST

START_TEST(claims_that_are_given_back)
{
	uint64_t run = started_run(1, 3, 0);
	struct push_run_info info;
	struct claim *claims, *again;

	ck_assert_uint_eq(claimed(run, 3, &claims, &info), 3);
	must(ledger_give_back(arena, db, claims, 2));
	info = run_info(run);
	ck_assert_uint_eq(info.waiting, 2);
	ck_assert_uint_eq(info.claimed, 1);
	ck_assert_uint_eq(claimed(run, 3, &again, &info), 2);
	ck_assert_uint_eq(again[0].attempt, 1);
	ck_assert_uint_eq(again[0].state.attempts, 1);
	ck_assert_uint_gt(again[0].fence, claims[2].fence);
}
END_TEST

/* A machine that somebody is at is not claimed for the next run, until the lease ends. */
START_TEST(two_runs_and_one_machine)
{
	struct claim old = claimed_one(started_run(1, 1, 0)), new;
	uint64_t next = started_run(2, 1, 0);
	struct push_run_info info;
	struct claim *claims;

	ck_assert_uint_eq(claimed(next, 1, &claims, &info), 0);
	ck_assert_int_eq(info.state, RUN_RUNNING);
	end_leases();
	new = claimed_one(next);
	ck_assert(!confirm(&old)); /* though its own row still says that it is claimed */
	ck_assert(confirm(&new));
	ck_assert_uint_eq(state_of_machine("m00").confirmed.generation, 2);
	ck_assert_uint_eq(run_info(old.run).claimed, 1);
	(void)started_run(3, 1, 0);
	ck_assert_uint_eq(run_info(old.run).claimed, 0); /* its pusher did not come back */
	ck_assert_uint_eq(run_info(old.run).skipped, 1);
}
END_TEST

START_TEST(fences_rise_after_a_dump_was_read_back)
{
	struct claim claim = claimed_one(started_run(1, 2, 0)), later;

	sql("SELECT setval('fleetwall.push_fence', 1)");
	later = claimed_one(started_run(1, 2, 0));
	ck_assert_uint_gt(later.fence, claim.fence);
}
END_TEST

/* --- retries and failures --- */

START_TEST(a_failure_is_tried_again_later)
{
	uint64_t run = started_run(1, 1, 0);
	struct claim claim = claimed_one(run);
	struct machine_state state;
	struct push_run_info info;
	struct claim *claims;
	size_t count;
	unsigned wait;
	bool taken;

	must(ledger_failed(arena, db, &claim, FAILURE_UNREACHABLE, STR(" no route\nto \377host\t"), 400, &taken));
	ck_assert(taken);
	state = state_of_machine("m00");
	ck_assert(str_is(state.error, "no route to ?host"));
	ck_assert(str_is(state.error_kind, "unreachable"));
	ck_assert(!state.needs_person);
	ck_assert_int_gt(state.error_at, 1600000000);
	must(ledger_claim(arena, db, run, STR("here:1"), 60, 1, &claims, &count, &info, &wait));
	ck_assert_uint_eq(count, 0);
	ck_assert_uint_eq(info.waiting, 1);
	ck_assert(wait > 0 && wait <= 400);
	sql("UPDATE fleetwall.push_work SET due = now() WHERE state = 'waiting'");
	claim = claimed_one(run);
	ck_assert_uint_eq(claim.attempt, 2);
	ck_assert_uint_eq(claim.state.attempts, 2);
	ck_assert(fails_with(&claim, FAILURE_HOST_KEY, 0));
	ck_assert(state_of_machine("m00").needs_person);
	ck_assert_uint_eq(run_info(run).failed, 1);
	ck_assert_uint_eq(claimed(run, 1, &claims, &info), 0);
	ck_assert_int_eq(info.state, RUN_STOPPED);
}
END_TEST

/* In the first wave only unreachable machines may fail. */
START_TEST(the_first_wave_is_strict)
{
	uint64_t run = started_run(1, 4, 3);
	struct push_run_info info;
	struct claim claim = claimed_one(run), *claims;

	ck_assert(fails_with(&claim, FAILURE_UNREACHABLE, 0));
	claim = claimed_one(run);
	ck_assert(fails_with(&claim, FAILURE_APPLY, 0));
	ck_assert_uint_eq(claimed(run, 1, &claims, &info), 0);
	ck_assert_int_eq(info.state, RUN_STOPPED);
	ck_assert(str_is(info.reason, "1 of the first machines failed"));
	ck_assert_uint_eq(info.waiting, 2);
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.generation_pin"), "1");
}
END_TEST

START_TEST(a_wave_with_too_many_failures_stops)
{
	static const unsigned waves[] = {0, 1, 1, 1, 1, 2};
	struct push_run_info info;
	struct claim *claims, claim;
	uint64_t run;

	must(try_start(1, 0, 6, waves, &run)); /* one may fail */
	ck_assert_uint_eq(claimed(run, 6, &claims, &info), 1);
	ck_assert_uint_eq(info.wave, 0);
	ck_assert_uint_eq(info.waves, 3);
	ck_assert(confirm(&claims[0]));
	ck_assert_uint_eq(claimed(run, 6, &claims, &info), 4);
	ck_assert_uint_eq(info.wave, 1);
	ck_assert(fails_with(&claims[0], FAILURE_APPLY, 0));
	ck_assert_uint_eq(claimed(run, 6, (struct claim *[]){NULL}, &info), 0);
	ck_assert_int_eq(info.state, RUN_RUNNING);
	ck_assert(fails_with(&claims[1], FAILURE_UNREACHABLE, 0));
	ck_assert_uint_eq(claimed(run, 6, (struct claim *[]){NULL}, &info), 0);
	ck_assert_int_eq(info.state, RUN_STOPPED);
	ck_assert(str_is(info.reason, "2 machines failed in wave 2 of 3, and no more than 1 may"));
	ck_assert(confirm(&claims[2])); /* what was applied is still confirmed */

	must(ledger_resume(arena, db, run, false));
	info = run_info(run);
	ck_assert_int_eq(info.state, RUN_RUNNING);
	ck_assert_uint_eq(info.reason.n, 0);
	ck_assert(confirm(&claims[3]));
	claim = claimed_one(run); /* old failures do not stop it again */
	ck_assert_uint_eq(claim.item.wave, 2);
	ck_assert(confirm(&claim));
	ck_assert_uint_eq(claimed(run, 6, &claims, &info), 0);
	ck_assert_int_eq(info.state, RUN_DONE);
	ck_assert_uint_eq(info.confirmed, 4);
	ck_assert_uint_eq(info.failed, 2);
}
END_TEST

START_TEST(resume_with_what_failed)
{
	static const unsigned waves[] = {0, 0, 1};
	struct push_run_info info;
	struct claim claim, *claims;
	uint64_t run;

	must(try_start(1, 0, 3, waves, &run));
	ck_assert_uint_eq(claimed(run, 2, &claims, &info), 2);
	ck_assert(fails_with(&claims[0], FAILURE_UNREACHABLE, 0));
	ck_assert(confirm(&claims[1]));
	ck_assert_uint_eq(claimed(run, 2, &claims, &info), 1);
	ck_assert_uint_eq(info.wave, 1);
	must(ledger_halt(arena, db, STR("wait")));
	must(ledger_unhalt(arena, db));
	must(ledger_resume(arena, db, run, true));
	info = run_info(run);
	ck_assert_uint_eq(info.wave, 0);
	ck_assert_uint_eq(info.waiting, 1);
	ck_assert_uint_eq(info.failed, 0);
	claim = claimed_one(run);
	ck_assert(str_is(claim.item.machine, "m00"));
	ck_assert_uint_eq(claim.attempt, 1); /* with all of its tries */
}
END_TEST

/* --- one run takes the place of another --- */

START_TEST(a_newer_generation_supersedes)
{
	uint64_t old = started_run(3, 4, 0), run;
	struct push_run_info info;
	struct claim *claims;

	ck_assert_uint_eq(claimed(old, 2, &claims, &info), 2);
	refuses(try_start(2, 0, 4, NULL, &run), ERROR_GUARD, "which is newer than 2");
	ck_assert_int_eq(run_info(old).state, RUN_RUNNING);
	must(try_start(4, 0, 4, NULL, &run));
	info = run_info(old);
	ck_assert_int_eq(info.state, RUN_SUPERSEDED);
	ck_assert_uint_eq(info.skipped, 2);
	ck_assert_uint_eq(info.claimed, 2);
	ck_assert(confirm(&claims[0])); /* what was claimed goes on */
	ck_assert(fails_with(&claims[1], FAILURE_UNREACHABLE, 10));
	ck_assert_uint_eq(run_info(old).failed, 1); /* and does not wait */
	ck_assert_uint_eq(run_info(old).waiting, 0);
	ck_assert_uint_eq(claimed(old, 2, &claims, &info), 0);
	ck_assert_int_eq(info.state, RUN_SUPERSEDED);
	refuses(ledger_resume(arena, db, old, true), ERROR_GUARD, "superseded");
	ck_assert_str_eq(asked("SELECT string_agg(generation || ' ' || holder, ',') FROM fleetwall.generation_pin"),
	                 "4 push run 2");
}
END_TEST

/* Another push of the same generation shares the run: nothing of it is taken away, and what it asks for is done. */
START_TEST(the_same_generation_is_shared)
{
	static const unsigned waves[] = {0, 0, 0, 0, 1, 1};
	uint64_t run = started_run(3, 4, 2), joined;
	struct push_run_info info;
	struct claim *claims;

	ck_assert_uint_eq(claimed(run, 3, &claims, &info), 3);
	ck_assert(confirm(&claims[0]));
	ck_assert(fails_with(&claims[1], FAILURE_UNREACHABLE, 0));
	must(try_start(3, 0, 6, waves, &joined));
	ck_assert_uint_eq(joined, run);
	info = run_info(run);
	ck_assert_int_eq(info.state, RUN_RUNNING);
	ck_assert_uint_eq(info.confirmed + info.failed + info.skipped, 0);
	ck_assert_uint_eq(info.claimed, 1); /* who holds it goes on */
	ck_assert_uint_eq(info.waiting, 5);
	ck_assert_uint_eq(info.waves, 2);
	ck_assert(confirm(&claims[2]));
	ck_assert_uint_eq(claimed(run, 9, &claims, &info), 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert(confirm(&claims[i]));
	ck_assert_uint_eq(claimed(run, 9, &claims, &info), 2); /* the second wave */
	ck_assert(confirm(&claims[0]));
	ck_assert(confirm(&claims[1]));
	ck_assert_uint_eq(claimed(run, 9, &claims, &info), 0);
	ck_assert_int_eq(info.state, RUN_DONE);
	ck_assert_uint_eq(info.confirmed, 6);
}
END_TEST

/* What it says of a machine holds of one that waits or is held as well; what was said before is not taken back. What
 * was final begins anew, with all of its tries. */
START_TEST(what_joins_is_heeded)
{
	uint64_t run = started_run(3, 3, 3), joined;
	struct digest digest = generation_digest_of(3);
	struct work_item *items = items_of(3, 0, 3, NULL);
	struct push_run_info info;
	struct claim *claims;

	ck_assert_uint_eq(claimed(run, 2, &claims, &info), 2);
	ck_assert(fails_with(&claims[1], FAILURE_UNREACHABLE, 0));
	items[0].cut = items[1].adopt = items[2].adopt = items[2].cut = true;
	must(ledger_start(arena, db, 3, &digest, 0, items, 3, &joined));
	ck_assert_uint_eq(joined, run);
	must(try_start(3, 0, 3, NULL, &joined));
	end_leases();
	ck_assert_uint_eq(claimed(run, 9, &claims, &info), 3);
	ck_assert(claims[0].item.cut && !claims[0].item.adopt);
	ck_assert(claims[1].item.adopt && !claims[1].item.cut);
	ck_assert(claims[2].item.adopt && claims[2].item.cut);
	ck_assert_uint_eq(claims[0].attempt, 2);
	ck_assert_uint_eq(claims[1].attempt, 1);
}
END_TEST

/* In an emergency neither a halt nor a newer run is in the way of going back. */
START_TEST(a_rollback_goes_through)
{
	uint64_t newer = started_run(5, 4, 0), run;
	struct digest digest = generation_digest_of(4);
	struct work_item *items = items_of(4, 0, 2, NULL);
	struct push_run_info info;
	struct claim *claims;

	items[0].rollback = items[1].rollback = true;
	must(ledger_start(arena, db, 4, &digest, 0, items, 2, &run));
	ck_assert_int_eq(run_info(newer).state, RUN_STOPPED);
	must(ledger_halt(arena, db, STR("a storm")));
	ck_assert_int_eq(run_info(run).state, RUN_STOPPED);
	must(ledger_start(arena, db, 4, &digest, 0, items, 2, &run));
	ck_assert_uint_eq(claimed(run, 9, &claims, &info), 2);
	ck_assert(claims[0].item.rollback);
	ck_assert(confirm(&claims[0]));
	ck_assert(confirm(&claims[1]));
	ck_assert_uint_eq(claimed(run, 9, &claims, &info), 0);
	ck_assert_int_eq(info.state, RUN_DONE);
	refuses(try_start(5, 0, 2, NULL, &run), ERROR_GUARD, "a storm");
	must(ledger_unhalt(arena, db));
	must(ledger_resume(arena, db, newer, true));
	ck_assert_uint_eq(claimed(newer, 9, &claims, &info), 4);
}
END_TEST

/* A stopped run of a newer generation is not in the way of a rollback, and can't go on behind its back. */
START_TEST(stopped_runs)
{
	uint64_t newer = started_run(5, 2, 0), run;
	struct claim claim = claimed_one(newer), *claims;
	struct push_run_info info;

	ck_assert(fails_with(&claim, FAILURE_APPLY, 0));
	ck_assert_uint_eq(claimed(newer, 1, &claims, &info), 0);
	ck_assert_int_eq(info.state, RUN_STOPPED);
	must(ledger_open_run(arena, db, &info));
	ck_assert_uint_eq(info.number, newer);
	must(try_start(4, 0, 2, NULL, &run));
	must(ledger_open_run(arena, db, &info));
	ck_assert_uint_eq(info.number, run);
	refuses(ledger_resume(arena, db, newer, true), ERROR_GUARD, "run 2 is running");
	must(try_start(6, 0, 1, NULL, &run));
	ck_assert_int_eq(run_info(newer).state, RUN_SUPERSEDED);
}
END_TEST

START_TEST(what_can_not_begin_or_go_on)
{
	struct digest wrong = generation_digest_of(2);
	uint64_t run;

	refuses(try_start(77, 0, 1, NULL, &run), ERROR_GUARD, "does not know generation 77");
	refuses(ledger_start(arena, db, 1, &wrong, 0, items_of(1, 0, 1, NULL), 1, &run), ERROR_GUARD,
	        "its digest differs");
	refuses(ledger_resume(arena, db, 5, false), ERROR_UNKNOWN, "no push run 5");
	refuses(ledger_run(arena, db, 5, &(struct push_run_info){0}), ERROR_UNKNOWN, "no push run 5");
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.push_run"), "0");
	must(try_start(1, 0, 0, NULL, &run)); /* nothing to do */
	ck_assert_uint_eq(claimed(run, 1, (struct claim *[]){NULL}, &(struct push_run_info){0}), 0);
	ck_assert_int_eq(run_info(run).state, RUN_DONE);
	refuses(ledger_resume(arena, db, run, false), ERROR_GUARD, "is done");
}
END_TEST

/* --- halts and freezes --- */

START_TEST(a_halt_stops_everybody)
{
	uint64_t run = started_run(1, 3, 0), other;
	struct claim claim = claimed_one(run), *claims;
	struct push_run_info info;
	struct str reason, who;
	int64_t at;

	must(ledger_halted(arena, db, &reason, &who, &at));
	ck_assert_uint_eq(reason.n, 0);
	refuses(ledger_halt(arena, db, STR("  ")), ERROR_INPUT, "reason");
	must(ledger_halt(arena, db, STR("datacentre on fire")));
	must(ledger_halted(arena, db, &reason, &who, &at));
	ck_assert(str_is(reason, "datacentre on fire"));
	ck_assert(who.n > 0 && at > 1600000000);
	info = run_info(run);
	ck_assert_int_eq(info.state, RUN_STOPPED);
	ck_assert(str_ends(info.reason, STR(": datacentre on fire")));
	ck_assert_uint_eq(claimed(run, 1, &claims, &info), 0);
	refuses(try_start(2, 0, 1, NULL, &other), ERROR_GUARD, "datacentre on fire");
	refuses(ledger_resume(arena, db, run, true), ERROR_GUARD, "datacentre on fire");
	ck_assert(confirm(&claim));
	must(ledger_unhalt(arena, db));
	ck_assert_int_eq(run_info(run).state, RUN_STOPPED);
	must(ledger_resume(arena, db, run, false));
	ck_assert_uint_eq(claimed(run, 5, &claims, &info), 2);
}
END_TEST

/* Somebody who halts with plain SQL stops claims as well. */
START_TEST(a_halt_by_plain_sql)
{
	uint64_t run = started_run(1, 3, 0);
	struct push_run_info info;
	struct claim *claims;

	sql("INSERT INTO fleetwall.push_halt (reason) VALUES ('by hand')");
	ck_assert_uint_eq(claimed(run, 1, &claims, &info), 0);
	ck_assert_int_eq(info.state, RUN_STOPPED);
	ck_assert(str_ends(info.reason, STR(": by hand")));
}
END_TEST

START_TEST(what_must_not_be_pushed_to_is_skipped)
{
	uint64_t run = started_run(1, 6, 0);
	struct claim claim = claimed_one(run), *claims; /* m00 */
	struct push_run_info info;

	must(ledger_freeze(arena, db, STR("m00"), STR("being repaired")));
	must(ledger_freeze(arena, db, STR("m01"), STR("being\nrepaired")));
	sql("UPDATE fleetwall.machine_freeze SET who = E'no\\nline' WHERE machine = 'm01'"); /* an editor may */
	sql("UPDATE fleetwall.machine SET enabled = false WHERE name = 'm02'; DELETE FROM fleetwall.machine WHERE name "
	    "= "
	    "'m03'");
	ck_assert_uint_eq(claimed(run, 1, &claims, &info), 1);
	ck_assert(str_is(claims[0].item.machine, "m04")); /* one was wanted, and four were looked at */
	ck_assert_uint_eq(info.skipped, 3);
	ck_assert_uint_eq(info.waiting, 1);
	ck_assert(confirm(&claim)); /* it was at it already */
	ck_assert_str_eq(
		asked("SELECT string_agg(machine || ' ' || regexp_replace(message, 'by .*:', 'by X:'), ', ' ORDER "
	              "BY machine) FROM fleetwall.push_work WHERE state = 'skipped'"),
		"m01 frozen by X: being repaired, m02 it is disabled, m03 it is not in the inventory any more");
	ck_assert(str_is(state_of_machine("m01").frozen, "being repaired"));
	ck_assert_uint_gt(state_of_machine("m01").frozen_by.n, 0);
	ck_assert_int_gt(state_of_machine("m01").frozen_at, 1600000000);
	must(ledger_unfreeze(arena, db, STR("m01")));
	must(ledger_unfreeze(arena, db, STR("m01")));
	ck_assert_uint_eq(state_of_machine("m01").frozen.n, 0);
	refuses(ledger_freeze(arena, db, STR("m03"), STR("x")), ERROR_UNKNOWN, "no machine m03");
	refuses(ledger_unfreeze(arena, db, STR("m03")), ERROR_UNKNOWN, "no machine m03");
	refuses(ledger_freeze(arena, db, STR("m05"), STR("\n")), ERROR_INPUT, "reason");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_machine_from_claim_to_confirm,
		what_it_had_before_is_kept,
		generations_are_held,
		a_late_result_is_refused,
		claims_that_are_given_back,
		two_runs_and_one_machine,
		fences_rise_after_a_dump_was_read_back,
		a_failure_is_tried_again_later,
		the_first_wave_is_strict,
		a_wave_with_too_many_failures_stops,
		resume_with_what_failed,
		a_newer_generation_supersedes,
		the_same_generation_is_shared,
		what_joins_is_heeded,
		a_rollback_goes_through,
		stopped_runs,
		what_can_not_begin_or_go_on,
		a_halt_stops_everybody,
		a_halt_by_plain_sql,
		what_must_not_be_pushed_to_is_skipped,
	};

	return fleet_main("ledger", tests, sizeof tests / sizeof *tests);
}
