/* The push ledger and people: how machines are reached, probes, approvals, what plain SQL can't write, what the view
 * says, and who may do what. */
#include <string.h>

#include "ledger_fleet.h"

/* --- contacts --- */

static struct contact contact_of(const char *machine)
{
	struct str name = str_of(machine);
	struct contact *contacts;
	size_t count;

	must(ledger_contacts(arena, db, &name, 1, &contacts, &count));
	ck_assert_uint_eq(count, 1);
	return contacts[0];
}

static const char *roles_of(const struct contact *contact)
{
	const char *roles = "";

	for (size_t i = 0; i < contact->role_count; i++)
		roles = str_c(arena,
		              str_format(arena, "%s%s%.*s", roles, i > 0 ? " " : "", STR_ARG(contact->roles[i])));
	return roles;
}

static void make_contacts(void)
{
	sql("INSERT INTO fleetwall.address VALUES ('m00', '10.0.0.9', NULL), ('m00', '10.0.0.10', 'private'), ('m00', "
	    "'9.0.0.1', NULL), ('m00', '::1', NULL), ('m01', 'fd00::9', 'management'), ('m01', '10.0.0.1', NULL), "
	    "('m01', "
	    "'fd00::8', 'management'), ('m02', '10.0.0.2', 'management');"
	    "UPDATE fleetwall.machine SET ssh_host = 'jump.example', ssh_port = 2222 WHERE name = 'm02';"
	    "UPDATE fleetwall.machine SET enabled = false WHERE name = 'm03';"
	    "UPDATE fleetwall.machine SET labels = '{\"env\": \"prod\"}' WHERE name IN ('m00', 'm03');"
	    "INSERT INTO fleetwall.role (name, selector) VALUES ('web', NULL), ('app', NULL), ('prod', '{\"env\": "
	    "\"prod\"}');"
	    "INSERT INTO fleetwall.role (name, machine) VALUES ('machine:m00', 'm00');"
	    "INSERT INTO fleetwall.member VALUES ('web', 'm00'), ('app', 'm00'), ('prod', 'm00'), ('web', 'm01')");
}

START_TEST(how_machines_are_reached)
{
	struct contact contact;

	make_contacts();
	contact = contact_of("m00");
	ck_assert(str_is(contact.host, "9.0.0.1")); /* by number, not by spelling */
	ck_assert_uint_eq(contact.ssh_port, 0);
	ck_assert(contact.enabled);
	ck_assert_str_eq(roles_of(&contact), "app machine:m00 prod web");
	contact = contact_of("m01");
	ck_assert(str_is(contact.host, "fd00::8"));
	ck_assert_str_eq(roles_of(&contact), "web");
	contact = contact_of("m02");
	ck_assert(str_is(contact.host, "jump.example"));
	ck_assert_uint_eq(contact.ssh_port, 2222);
	ck_assert_str_eq(roles_of(&contact), "");
	contact = contact_of("m03");
	ck_assert(str_is(contact.host, "m03"));
	ck_assert(!contact.enabled);
	ck_assert_str_eq(roles_of(&contact), "prod");
}
END_TEST

/* All at once, a few by name and many by name say the same. */
START_TEST(all_and_by_name)
{
	enum { MANY = 2000 };
	struct str *names = ARENA_ARRAY(arena, struct str, MANY);
	struct contact *all, *many;
	struct machine_state *states;
	size_t count, many_count, state_count;

	make_contacts();
	must(ledger_freeze(arena, db, STR("m05"), STR("x")));
	must(ledger_contacts(arena, db, NULL, 0, &all, &count));
	ck_assert_uint_eq(count, 60);
	for (unsigned i = 0; i < MANY; i++)
		names[i] = i % 3 == 0 ? STR("nobody") : machine_name((MANY - i) % 50); /* again and again */
	must(ledger_contacts(arena, db, names, MANY, &many, &many_count));
	ck_assert_uint_eq(many_count, 50);
	for (size_t i = 0; i < many_count; i++) {
		struct contact one = contact_of(str_c(arena, all[i].machine));

		ck_assert(str_eq(all[i].machine, many[i].machine) && str_eq(all[i].machine, machine_name((unsigned)i)));
		ck_assert(str_eq(all[i].host, many[i].host) && str_eq(all[i].host, one.host));
		ck_assert_str_eq(roles_of(&all[i]), roles_of(&many[i]));
		ck_assert_str_eq(roles_of(&all[i]), roles_of(&one));
	}
	must(ledger_machines(arena, db, names, MANY, &states, &state_count));
	ck_assert_uint_eq(state_count, 50);
	ck_assert(str_is(states[5].frozen, "x"));
	must(ledger_contacts(arena, db, names, 1, &many, &many_count)); /* nobody */
	ck_assert_uint_eq(many_count, 0);
	names[0] = STR("m01,m02");
	must(ledger_machines(arena, db, names, 1, &states, &state_count));
	ck_assert_uint_eq(state_count, 0);
}
END_TEST

/* What a machine has outlives its row; a freeze does not. */
START_TEST(machines_that_went)
{
	struct claim claim = claimed_one(started_run(1, 1, 0));
	struct machine_state *states;
	size_t count;

	ck_assert(confirm(&claim));
	must(ledger_freeze(arena, db, STR("m00"), STR("x")));
	sql("DELETE FROM fleetwall.machine WHERE name = 'm00'");
	ck_assert_uint_eq(state_of_machine("m00").confirmed.generation, 1);
	ck_assert_uint_eq(state_of_machine("m00").frozen.n, 0);
	must(ledger_machines(arena, db, NULL, 0, &states, &count));
	ck_assert_uint_eq(count, 60);
	ck_assert(str_is(states[0].machine, "m00"));
	ck_assert_str_eq(asked("SELECT state FROM fleetwall.push_status WHERE machine = 'm00'"), "gone");
}
END_TEST

/* --- probes and approvals --- */

static struct probe probe_of(const char *machine, const char *what, bool open, const char *source)
{
	return (struct probe){str_of(machine), str_of(what), open, str_of(source)};
}

static struct error *add_probe(const char *machine, const char *what, bool open, const char *source)
{
	struct probe probe = probe_of(machine, what, open, source);

	return ledger_probe_add(arena, db, &probe);
}

START_TEST(probes)
{
	struct str names[] = {STR("m01"), STR("m07")};
	struct probe *found, gone = probe_of("m01", "22/tcp", false, "");
	bool removed;
	size_t count;

	must(add_probe("m01", "3306/tcp", true, "m02"));
	must(add_probe("m01", "443/tcp", false, ""));
	must(add_probe("m01", "3306/tcp", false, ""));
	must(add_probe("m00", "1/tcp", true, ""));
	must(add_probe("m00", "1/tcp", true, "")); /* twice is once */
	refuses(add_probe("m00", "1/tcp", false, ""), ERROR_INPUT, "is to be open already");
	must(ledger_probes(arena, db, NULL, 0, &found, &count));
	ck_assert_uint_eq(count, 4);
	ck_assert(str_is(found[0].machine, "m00"));
	must(ledger_probes(arena, db, names, 2, &found, &count));
	ck_assert_uint_eq(count, 3);
	ck_assert(str_is(found[0].what, "443/tcp") && !found[0].open && found[0].source.n == 0);
	ck_assert(str_is(found[1].what, "3306/tcp") && !found[1].open);
	ck_assert(str_is(found[2].what, "3306/tcp") && found[2].open && str_is(found[2].source, "m02"));
	must(ledger_probe_remove(arena, db, &gone, &removed));
	ck_assert(!removed);
	gone = found[2];
	gone.open = false;
	must(ledger_probe_remove(arena, db, &gone, &removed));
	ck_assert(!removed);
	gone.open = true;
	must(ledger_probe_remove(arena, db, &gone, &removed));
	ck_assert(removed);
	sql("UPDATE fleetwall.machine SET name = 'renamed' WHERE name = 'm00'; DELETE FROM fleetwall.machine WHERE "
	    "name = "
	    "'m01'");
	ck_assert_str_eq(asked("SELECT string_agg(machine || what, ' ') FROM fleetwall.probe"), "renamed1/tcp");
}
END_TEST

START_TEST(probes_that_are_none)
{
	static const char *const wrong[] = {"0/tcp",    "65536/tcp", "022/tcp", "22/udp",
	                                    "22",       "/tcp",      "ssh",     "22-23/tcp",
	                                    "22/tcp/x", "+22/tcp",   "",        "99999999999999999999/tcp"};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		refuses(add_probe("m00", wrong[i], true, ""), ERROR_INPUT, "PORT/tcp");
		refused(str_c(arena, str_format(arena,
		                                "INSERT INTO fleetwall.probe (machine, what, open) VALUES ('m00', "
		                                "'%s', true)",
		                                wrong[i])),
		        "probe_what_check");
	}
	refuses(add_probe("nobody", "22/tcp", true, ""), ERROR_UNKNOWN, "no machine nobody");
	refuses(add_probe("m00", "22/tcp", true, "nobody"), ERROR_UNKNOWN, "no machine nobody");
	refuses(add_probe("m00", "22/tcp", true, "m00"), ERROR_INPUT, "from itself");
	must(add_probe("m00", "1/tcp", true, ""));
	must(add_probe("m00", "65535/tcp", true, ""));
}
END_TEST

START_TEST(approvals)
{
	bool approved;

	must(ledger_approved(arena, db, 3, &approved));
	ck_assert(!approved);
	must(ledger_approve(arena, db, 3));
	must(ledger_approve(arena, db, 3));
	must(ledger_approved(arena, db, 3, &approved));
	ck_assert(approved);
	must(ledger_approved(arena, db, 4, &approved));
	ck_assert(!approved);
	refuses(ledger_approve(arena, db, 77), ERROR_UNKNOWN, "does not know generation 77");
}
END_TEST

/* --- plain SQL --- */

START_TEST(what_can_not_be_written)
{
	static const struct {
		const char *sql, *reason;
	} attempts[] = {
		{"INSERT INTO fleetwall.machine_freeze (machine, reason) VALUES ('m00', '  ')", "reason_check"},
		{"INSERT INTO fleetwall.machine_freeze (machine, reason) VALUES ('nobody', 'x')", "machine_fkey"},
		{"INSERT INTO fleetwall.push_halt (reason) VALUES ('')", "reason_check"},
		{"INSERT INTO fleetwall.push_halt (one, reason) VALUES (false, 'x')", "push_halt_one_check"},
		{"INSERT INTO fleetwall.push_halt (reason) VALUES ('x'), ('y')", "push_halt_pkey"},
		{"INSERT INTO fleetwall.push_run (generation, waves, max_failures, items) VALUES (2, 1, 0, 1)",
	         "push_run_one"},
		{"UPDATE fleetwall.push_run SET wave = 1", "push_run_wave"},
		{"UPDATE fleetwall.push_run SET state = 'paused', ended = now()", "push_run_state_check"},
		{"UPDATE fleetwall.push_run SET state = 'done'", "push_run_ended"},
		{"UPDATE fleetwall.push_run SET state = 'stopped', ended = now()", "push_run_reason"},
		{"UPDATE fleetwall.push_work SET state = 'claimed'", "push_work_claimed"},
		{"UPDATE fleetwall.push_work SET lease = now()", "push_work_claimed"},
		{"UPDATE fleetwall.push_work SET lease = 'infinity', state = 'claimed', fence = 1, pusher = 'x'",
	         "push_work_lease_check"},
		{"UPDATE fleetwall.push_work SET state = 'failed'", "push_work_failed"},
		{"UPDATE fleetwall.push_work SET state = 'skipped'", "push_work_skipped"},
		{"UPDATE fleetwall.push_work SET ruleset = 'x'", "push_work_ruleset_check"},
		{"INSERT INTO fleetwall.push_machine (machine, confirmed_generation) VALUES ('m00', 1)",
	         "push_machine_confirmed"},
		{"INSERT INTO fleetwall.push_machine (machine, needs_person) VALUES ('m00', true)",
	         "push_machine_failure"},
		{"INSERT INTO fleetwall.push_machine (machine, machine_id) VALUES ('m00', 'a b')", "machine_id_check"},
		{"INSERT INTO fleetwall.generation_approval (generation) VALUES (77)", "generation_fkey"},
		{"DELETE FROM fleetwall.generation WHERE number = 1", "push_run_generation_fkey"},
	};

	(void)started_run(1, 1, 0);
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
		refused(attempts[i].sql, attempts[i].reason);
}
END_TEST

#define STATES                                                                                                        \
	"SELECT string_agg(machine || ' ' || state, ', ' ORDER BY machine) FROM fleetwall.push_status WHERE machine " \
	"< 'm07'"

START_TEST(the_view_says_how_it_is)
{
	struct push_run_info info;
	struct claim *claims;
	uint64_t run;

	run = started_run(3, 5, 9);
	ck_assert_uint_eq(claimed(run, 4, &claims, &info), 4);
	ck_assert(confirm(&claims[0]));
	ck_assert(fails_with(&claims[1], FAILURE_UNREACHABLE, 0));
	ck_assert(fails_with(&claims[2], FAILURE_HOST_KEY, 0));
	must(ledger_freeze(arena, db, STR("m05"), STR("x")));
	sql("UPDATE fleetwall.machine SET enabled = false WHERE name = 'm06'");
	ck_assert_str_eq(asked(STATES),
	                 "m00 confirmed, m01 failed, m02 needs-person, m03 pushing, m04 waiting, m05 frozen, "
	                 "m06 disabled");
	ck_assert_str_eq(asked("SELECT generation || ' ' || attempts FROM fleetwall.push_status WHERE machine = 'm00'"),
	                 "3 0");
	ck_assert_str_eq(asked("SELECT failure || ': ' || message || ' ' || attempts FROM fleetwall.push_status WHERE "
	                       "machine = 'm02'"),
	                 "host-key: it did not work 1");
	ck_assert_str_eq(asked("SELECT run || ' ' || pusher FROM fleetwall.push_status WHERE machine = 'm03'"),
	                 "1 here:1");
	ck_assert_str_eq(asked("SELECT count(*) || ' ' || count(DISTINCT machine) FROM fleetwall.push_status"),
	                 "60 60");
	end_leases();
	ck_assert_str_eq(asked("SELECT state FROM fleetwall.push_status WHERE machine = 'm03'"), "waiting");
	must(ledger_halt(arena, db, STR("x")));
	ck_assert_str_eq(asked("SELECT state FROM fleetwall.push_status WHERE machine = 'm04'"), "never");
}
END_TEST

/* Of a million machines in runs that ended, and a hundred such runs, no more are kept. */
START_TEST(old_runs_go)
{
	uint64_t run;

	sql("INSERT INTO fleetwall.push_run (generation, waves, max_failures, items, state, ended) SELECT 1, 1, 0, 1, "
	    "'done', now() FROM generate_series(1, 150)");
	run = started_run(1, 1, 0);
	ck_assert_uint_eq(run, 151);
	ck_assert_str_eq(asked("SELECT min(number) || ' ' || count(*) FROM fleetwall.push_run"), "51 101");
	sql("UPDATE fleetwall.push_run SET items = 600000 WHERE number IN (140, 142)");
	run = started_run(2, 1, 0);
	ck_assert_str_eq(asked("SELECT min(number) || ' ' || count(*) FROM fleetwall.push_run"), "141 12");
}
END_TEST

/* --- rights --- */

static void everything_about_pushing(void)
{
	struct claim claim = claimed_one(started_run(1, 3, 0));
	struct probe probe = probe_of("m00", "22/tcp", true, "");
	bool taken, stopped;

	must(ledger_offered(arena, db, &claim, &taken, &stopped));
	ck_assert(taken && confirm(&claim));
	claim = claimed_one(claim.run);
	must(ledger_renew(arena, db, &claim, 1, 60, &taken));
	must(ledger_give_back(arena, db, &claim, 1));
	claim = claimed_one(claim.run);
	ck_assert(fails_with(&claim, FAILURE_UNREACHABLE, 0));
	must(ledger_halt(arena, db, STR("x")));
	must(ledger_unhalt(arena, db));
	must(ledger_resume(arena, db, claim.run, true));
	must(ledger_freeze(arena, db, STR("m00"), STR("x")));
	must(ledger_unfreeze(arena, db, STR("m00")));
	must(ledger_probe_add(arena, db, &probe));
	must(ledger_probe_remove(arena, db, &probe, &taken));
	must(ledger_approve(arena, db, 1));
	must(ledger_forget(arena, db, STR("m00")));
	(void)started_run(2, 3, 0);
}

START_TEST(an_operator_can_do_all_of_it)
{
	sql("SET ROLE fleetwall_operator");
	everything_about_pushing();
}
END_TEST

START_TEST(others_can_do_little_of_it)
{
	static const char *const denied = "permission denied";
	struct probe probe = probe_of("m00", "22/tcp", true, "");
	struct machine_state *states;
	struct push_run_info info;
	uint64_t run = started_run(1, 1, 0);
	struct claim claim = claimed_one(run), *claims;
	size_t count;
	unsigned wait;
	bool taken;

	for (int editor = 0; editor < 2; editor++) {
		sql(editor ? "SET ROLE fleetwall_editor" : "SET ROLE fleetwall_reader");
		must(ledger_machines(arena, db, NULL, 0, &states, &count));
		must(ledger_open_run(arena, db, &info));
		ck_assert_uint_eq(info.number, run);
		ck_assert_str_eq(asked("SELECT state FROM fleetwall.push_status WHERE machine = 'm00'"), "pushing");
		refuses(try_start(2, 0, 1, NULL, &run), ERROR_INPUT, denied);
		refuses(ledger_claim(arena, db, run, STR("x"), 60, 1, &claims, &count, &info, &wait), ERROR_INPUT,
		        denied);
		refuses(ledger_confirmed(arena, db, &claim, STR(""), NULL, &taken), ERROR_INPUT, denied);
		refuses(ledger_failed(arena, db, &claim, FAILURE_APPLY, STR("x"), 0, &taken), ERROR_INPUT, denied);
		refuses(ledger_halt(arena, db, STR("x")), ERROR_INPUT, denied);
		refuses(ledger_unhalt(arena, db), ERROR_INPUT, denied);
		refuses(ledger_approve(arena, db, 1), ERROR_INPUT, denied);
		refuses(ledger_forget(arena, db, STR("m00")), ERROR_INPUT, denied);
		refused("SELECT nextval('fleetwall.push_fence')", denied);
		if (!editor) {
			refuses(ledger_freeze(arena, db, STR("m00"), STR("x")), ERROR_INPUT, denied);
			refuses(ledger_unfreeze(arena, db, STR("m00")), ERROR_INPUT, denied);
			refuses(ledger_probe_add(arena, db, &probe), ERROR_INPUT, denied);
			refuses(ledger_probe_remove(arena, db, &probe, &taken), ERROR_INPUT, denied);
		}
	}
	must(ledger_freeze(arena, db, STR("m00"), STR("x")));
	must(ledger_freeze(arena, db, STR("m00"), STR("y")));
	ck_assert_str_eq(asked("SELECT reason FROM fleetwall.machine_freeze"), "y");
	refused("UPDATE fleetwall.machine_freeze SET who = 'somebody'", denied);
	refused("UPDATE fleetwall.machine_freeze SET reason = 'z'", denied);
	refused("INSERT INTO fleetwall.machine_freeze (machine, reason, who) VALUES ('m01', 'x', 'somebody')", denied);
	must(ledger_unfreeze(arena, db, STR("m00")));
	must(ledger_probe_add(arena, db, &probe));
	refused("UPDATE fleetwall.probe SET at = '1970-01-01'", denied);
	refused("INSERT INTO fleetwall.probe (machine, what, open, who) VALUES ('m00', '23/tcp', true, 'somebody')",
	        denied);
	must(ledger_probe_remove(arena, db, &probe, &taken));
	ck_assert(taken);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		how_machines_are_reached,     all_and_by_name,
		machines_that_went,           probes,
		probes_that_are_none,         approvals,
		what_can_not_be_written,      the_view_says_how_it_is,
		old_runs_go,                  an_operator_can_do_all_of_it,
		others_can_do_little_of_it,
	};

	return fleet_main("ledger_people", tests, sizeof tests / sizeof *tests);
}
