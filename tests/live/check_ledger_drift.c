/* The push ledger where machines have something else than was thought: what drift found, what is to be sent whole, what
 * goes back and stays, what is stopped before it is sent, and what is damaged. */
#include "ledger_fleet.h"

/* --- drift --- */

static struct drift_seen seen_at(const char *machine, const char *found)
{
	return (struct drift_seen){.machine = str_of(machine),
	                           .position = state_of_machine(machine).confirmed.position,
	                           .told = true,
	                           .found = str_of(found)};
}

static void confirm_some(uint64_t generation, unsigned count)
{
	struct push_run_info info;
	struct claim *claims;
	size_t n = claimed(started_run(generation, count, 0), count, &claims, &info);

	ck_assert_uint_eq(n, count);
	for (size_t i = 0; i < n; i++)
		ck_assert(confirm(&claims[i]));
	(void)claimed(claims[0].run, 1, &claims, &info);
}

START_TEST(what_was_seen_is_known)
{
	struct drift_seen seen[4];
	int64_t since;

	confirm_some(1, 4);
	seen[0] = seen_at("m00", "rule extra, rules.v4: -A INPUT -j ACCEPT");
	seen[1] = seen_at("m01", "");
	seen[2] = seen_at("m02", "a\nb");
	seen[3] = seen_at("m03", "");
	seen[3].told = false;
	must(ledger_drift_seen(arena, db, seen, 4));
	ck_assert(str_is(state_of_machine("m00").drift, "rule extra, rules.v4: -A INPUT -j ACCEPT"));
	since = state_of_machine("m00").drift_at;
	ck_assert_int_gt(since, 1600000000);
	ck_assert_uint_eq(state_of_machine("m01").drift.n, 0);
	ck_assert(str_is(state_of_machine("m02").drift, "a b"));
	ck_assert_str_eq(asked("SELECT count(drift_at) || ' ' || count(drifted_at) FROM fleetwall.push_machine"),
	                 "4 2");
	ck_assert_str_eq(asked("SELECT state || ' ' || drift FROM fleetwall.push_status WHERE machine = 'm02'"),
	                 "drifted a b");

	/* It is known since it was seen first; one that can't be looked at stays as it is known. */
	sql("UPDATE fleetwall.push_machine SET drifted_at = drifted_at - interval '1 day' WHERE drift IS NOT NULL");
	seen[0].found = STR("policy, rules.v6");
	seen[2].told = false;
	must(ledger_drift_seen(arena, db, seen, 3));
	ck_assert(str_is(state_of_machine("m00").drift, "policy, rules.v6"));
	ck_assert_int_lt(state_of_machine("m00").drift_at, since);
	ck_assert(str_is(state_of_machine("m02").drift, "a b"));
	seen[0].found = STR("");
	must(ledger_drift_seen(arena, db, seen, 1));
	ck_assert_uint_eq(state_of_machine("m00").drift.n, 0);
}
END_TEST

/* What was compared with something else than what is confirmed now, or while somebody pushes, says nothing. */
START_TEST(what_was_seen_too_late)
{
	struct drift_seen seen;
	struct claim claim;

	confirm_some(1, 1);
	seen = seen_at("m00", "policy");
	claim = claimed_one(started_run(2, 1, 0));
	must(ledger_drift_seen(arena, db, &seen, 1));
	ck_assert_uint_eq(state_of_machine("m00").drift.n, 0);
	ck_assert(confirm(&claim));
	must(ledger_drift_seen(arena, db, &seen, 1));
	ck_assert_uint_eq(state_of_machine("m00").drift.n, 0);
	seen = seen_at("m00", "policy");
	must(ledger_drift_seen(arena, db, &seen, 1));
	ck_assert(str_is(state_of_machine("m00").drift, "policy"));
}
END_TEST

/* A push that knew of it has sent all of it. One that began before may have sent a difference. */
START_TEST(what_a_push_mends)
{
	struct drift_seen seen;
	struct claim claim;

	confirm_some(1, 1);
	claim = claimed_one(started_run(2, 1, 0));
	must(ledger_forget(arena, db, STR("m00")));
	ck_assert(confirm(&claim));
	ck_assert(state_of_machine("m00").whole);
	seen = seen_at("m00", "policy");
	must(ledger_drift_seen(arena, db, &seen, 1));
	claim = claimed_one(started_run(3, 1, 0));
	ck_assert(claim.state.whole && str_is(claim.state.drift, "policy"));
	ck_assert(fails_with(&claim, FAILURE_UNREACHABLE, 0));
	ck_assert(state_of_machine("m00").whole && state_of_machine("m00").drift.n > 0);
	claim = claimed_one(started_run(4, 1, 0));
	ck_assert(confirm(&claim));
	ck_assert(!state_of_machine("m00").whole && state_of_machine("m00").drift.n == 0);

	/* It mended itself: there is nothing to be sent. */
	must(ledger_forget(arena, db, STR("m00")));
	seen = seen_at("m00", "");
	must(ledger_drift_seen(arena, db, &seen, 1));
	ck_assert(!state_of_machine("m00").whole);
	must(ledger_forget(arena, db, STR("m00")));
	seen = seen_at("m00", "policy");
	must(ledger_drift_seen(arena, db, &seen, 1));
	must(ledger_forget_machine(arena, db, STR("m00")));
	ck_assert(!state_of_machine("m00").whole && state_of_machine("m00").drift.n == 0);
}
END_TEST

/* --- going back, and staying there --- */

static uint64_t going_back(uint64_t generation, unsigned count)
{
	struct digest digest = generation_digest_of(generation);
	struct work_item *items = items_of(generation, 0, count, NULL);
	uint64_t run;

	for (unsigned i = 0; i < count; i++) {
		items[i].rollback = true;
		items[i].freeze = i == 1 ? STR("") : STR("rolled back");
	}
	must(ledger_start(arena, db, generation, &digest, 0, items, count, &run));
	return run;
}

START_TEST(what_went_back_stays)
{
	uint64_t run;
	struct push_run_info info;
	struct claim *claims;

	confirm_some(5, 2);
	run = going_back(4, 2);
	ck_assert_uint_eq(claimed(run, 2, &claims, &info), 2);
	ck_assert_uint_eq(state_of_machine("m00").frozen.n, 0);
	ck_assert(confirm(&claims[0]) && confirm(&claims[1]));
	/* Nobody had to come back for that. */
	ck_assert(str_is(state_of_machine("m00").frozen, "rolled back"));
	ck_assert_uint_eq(state_of_machine("m01").frozen.n, 0);
	ck_assert_uint_eq(claimed(started_run(5, 1, 0), 2, &claims, &info), 0);
	ck_assert_uint_eq(info.skipped, 1);
}
END_TEST

/* Whoever froze it meanwhile has said why; one that left the inventory is nobody's to freeze. */
START_TEST(what_else_went_back)
{
	struct push_run_info info;
	struct claim *claims;

	confirm_some(5, 3);
	ck_assert_uint_eq(claimed(going_back(4, 3), 3, &claims, &info), 3);
	must(ledger_freeze(arena, db, STR("m00"), STR("a new disk")));
	sql("DELETE FROM fleetwall.machine WHERE name = 'm02'");
	for (unsigned i = 0; i < 3; i++)
		ck_assert(confirm(&claims[i]));
	ck_assert(str_is(state_of_machine("m00").frozen, "a new disk"));
	ck_assert_uint_eq(state_of_machine("m02").confirmed.generation, 4);
}
END_TEST

/* A push that takes the place of an unfinished rollback takes none of its machines forward. */
START_TEST(a_push_in_place_of_a_rollback)
{
	struct push_run_info info;
	struct claim *claims;

	confirm_some(5, 4);
	ck_assert_uint_eq(claimed(going_back(4, 3), 1, &claims, &info), 1); /* its pusher is killed */
	end_leases();
	ck_assert_uint_eq(claimed(started_run(5, 4, 0), 9, &claims, &info), 2);
	ck_assert(str_is(claims[0].item.machine, "m01")); /* was not to stay */
	ck_assert(str_is(claims[1].item.machine, "m03"));
	ck_assert(str_ends(state_of_machine("m00").frozen, STR("gave way to run 3")));
	ck_assert(str_ends(state_of_machine("m02").frozen, STR("gave way to run 3")));
}
END_TEST

START_TEST(a_rollback_in_place_of_a_rollback)
{
	struct push_run_info info;
	struct claim *claims;

	confirm_some(5, 3);
	ck_assert_uint_eq(claimed(going_back(4, 3), 1, &claims, &info), 1);
	end_leases();
	ck_assert_uint_eq(claimed(going_back(4, 3), 9, &claims, &info), 3);
	ck_assert_uint_eq(state_of_machine("m00").frozen.n, 0);
	/* Those that it does not take back are not forgotten. */
	end_leases();
	ck_assert_uint_eq(claimed(going_back(4, 1), 9, &claims, &info), 1);
	ck_assert_uint_eq(state_of_machine("m00").frozen.n, 0);
	ck_assert(str_ends(state_of_machine("m02").frozen, STR("gave way to run 4")));
}
END_TEST

/* --- before it is sent --- */

START_TEST(stopped_before_it_is_sent)
{
	uint64_t run = started_run(1, 3, 0);
	struct push_run_info info;
	struct claim *claims;
	bool taken, stopped;

	ck_assert_uint_eq(claimed(run, 2, &claims, &info), 2);
	must(ledger_offered(arena, db, &claims[0], &taken, &stopped));
	ck_assert(taken && !stopped);
	must(ledger_halt(arena, db, STR("a fire")));
	must(ledger_offered(arena, db, &claims[1], &taken, &stopped));
	ck_assert(taken && stopped);
	ck_assert_uint_eq(state_of_machine("m01").offered.generation, 0);
	ck_assert(confirm(&claims[0])); /* it has it */
	must(ledger_give_back(arena, db, &claims[1], 1));
	info = run_info(run);
	ck_assert_uint_eq(info.waiting, 2);
	ck_assert_uint_eq(info.confirmed, 1);
}
END_TEST

/* A claim of a run that gave way goes on, but not while pushing is halted; what goes back does, whatever is halted. */
START_TEST(stopped_all_the_same)
{
	struct claim old = claimed_one(started_run(1, 1, 0)), *claims;
	struct push_run_info info;
	bool taken, stopped;

	(void)started_run(2, 1, 0);
	must(ledger_offered(arena, db, &old, &taken, &stopped));
	ck_assert(taken && !stopped);
	sql("INSERT INTO fleetwall.push_halt (reason) VALUES ('by hand')");
	must(ledger_offered(arena, db, &old, &taken, &stopped));
	ck_assert(taken && stopped);
	ck_assert(confirm(&old));
	ck_assert_uint_eq(claimed(going_back(1, 1), 1, &claims, &info), 1);
	must(ledger_offered(arena, db, &claims[0], &taken, &stopped));
	ck_assert(taken && !stopped);
}
END_TEST

/* A pusher that slept while another run claimed its machine does not hold it any more, whatever its own run says. */
START_TEST(a_lease_of_a_former_run)
{
	struct claim old = claimed_one(started_run(1, 1, 0)), new;
	uint64_t run = started_run(2, 1, 0);
	bool lost;

	must(ledger_renew(arena, db, &old, 1, 60, &lost));
	ck_assert(!lost);
	end_leases();
	new = claimed_one(run);
	must(ledger_renew(arena, db, &old, 1, 60, &lost));
	ck_assert(lost);
	ck_assert(fails_with(&new, FAILURE_UNREACHABLE, 1));
	sql("UPDATE fleetwall.push_work SET due = now()");
	new = claimed_one(run); /* nobody is in the way */
	ck_assert_uint_eq(new.attempt, 2);
	ck_assert(confirm(&new));
}
END_TEST

/* --- what is damaged here --- */

/* Nobody was contacted for it: it is no reason to keep the rest from what they shall have. */
START_TEST(damage_does_not_count)
{
	uint64_t run = started_run(1, 6, 0);
	struct push_run_info info;
	struct claim *claims;

	ck_assert_uint_eq(claimed(run, 3, &claims, &info), 3);
	for (unsigned i = 0; i < 3; i++)
		ck_assert(fails_with(&claims[i], FAILURE_DAMAGED, 0));
	ck_assert_uint_eq(claimed(run, 3, &claims, &info), 3);
	ck_assert_uint_eq(info.failed, 3);
	ck_assert(fails_with(&claims[0], FAILURE_BUNDLE, 0)); /* this one was */
	ck_assert_uint_eq(claimed(run, 3, &claims, &info), 0);
	ck_assert_int_eq(info.state, RUN_STOPPED);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		what_was_seen_is_known,        what_was_seen_too_late,
		what_a_push_mends,             what_went_back_stays,
		what_else_went_back,           a_push_in_place_of_a_rollback,
		a_rollback_in_place_of_a_rollback, stopped_before_it_is_sent,
		stopped_all_the_same,          a_lease_of_a_former_run,
		damage_does_not_count,
	};

	return fleet_main("ledger_drift", tests, sizeof tests / sizeof *tests);
}
