/* A fleet, its generations, and short words for what tests of the push ledger do again and again. */
#include "ledger_fleet.h"

#include <stdio.h>
#include <string.h>

enum { MACHINES = 60, GENERATIONS = 9 };

struct str machine_name(unsigned i)
{
	return str_format(arena, "m%02u", i);
}

struct digest generation_digest_of(uint64_t generation)
{
	return digest_of(str_format(arena, "generation %llu", (unsigned long long)generation));
}

struct digest object_of(uint64_t generation, unsigned machine, char what)
{
	return digest_of(str_format(arena, "%c of m%02u in %llu", what, machine, (unsigned long long)generation));
}

/* --- fixtures --- */

/* The database of this program; a new one for each test would take most of the time. */
static char shared[4096];

static void make_database(void)
{
	postgres_setup();
	snprintf(shared, sizeof shared, "%.*s", STR_ARG(conninfo));
	postgres_teardown();
}

static void setup(void)
{
	arena = arena_new();
	conninfo = str_of(shared);
	db = postgres_open(conninfo);
	/* Of few rows; TRUNCATE would make new files for all tables and indexes. */
	sql("DELETE FROM fleetwall.machine; DELETE FROM fleetwall.role; DELETE FROM fleetwall.push_run; DELETE FROM "
	    "fleetwall.push_machine; DELETE FROM fleetwall.push_halt; DELETE FROM fleetwall.machine_generation; DELETE "
	    "FROM "
	    "fleetwall.generation; ALTER SEQUENCE fleetwall.push_run_number_seq RESTART");
	sql(str_c(arena, str_format(arena,
	                            "INSERT INTO fleetwall.machine (name) SELECT 'm' || lpad(i::text, 2, '0') FROM "
	                            "generate_series(0, %d) AS i;"
	                            "INSERT INTO fleetwall.generation (number, digest, clock, machines) SELECT i, "
	                            "sha256(convert_to('generation ' || i, 'UTF8')), now(), %d FROM generate_series(1, "
	                            "%d) AS i",
	                            MACHINES - 1, MACHINES, GENERATIONS)));
}

int fleet_main(const char *name, const TTest *const *tests, size_t count)
{
	Suite *suite = suite_create(name);
	TCase *cases = tcase_create(name);

	tcase_add_unchecked_fixture(cases, make_database, NULL);
	tcase_add_checked_fixture(cases, setup, postgres_teardown);
	tcase_set_timeout(cases, 60);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(cases, tests[i]);
	suite_add_tcase(suite, cases);
	return postgres_main(suite, NULL);
}

/* --- words --- */

struct work_item *items_of(uint64_t generation, unsigned first, unsigned end, const unsigned *waves)
{
	struct work_item *items = ARENA_ARRAY(arena, struct work_item, end - first);

	for (unsigned i = first; i < end; i++)
		items[i - first] = (struct work_item){
			.machine = machine_name(i),
			.wave = waves != NULL ? waves[i - first] : 0,
			.ruleset = object_of(generation, i, 'r'),
			.position = object_of(generation, i, 'p'),
		};
	return items;
}

struct error *try_start(uint64_t generation, unsigned first, unsigned end, const unsigned *waves, uint64_t *run)
{
	struct digest digest = generation_digest_of(generation);

	return ledger_start(arena, db, generation, &digest, 1, items_of(generation, first, end, waves), end - first,
	                    run);
}

uint64_t started_run(uint64_t generation, unsigned machines, unsigned max_failures)
{
	struct digest digest = generation_digest_of(generation);
	uint64_t run = 0;

	must(ledger_start(arena, db, generation, &digest, max_failures, items_of(generation, 0, machines, NULL),
	                  machines, &run));
	ck_assert_uint_gt(run, 0);
	return run;
}

size_t claimed(uint64_t run, size_t most, struct claim **claims, struct push_run_info *info)
{
	unsigned wait;
	size_t count;

	must(ledger_claim(arena, db, run, STR("here:1"), 60, most, claims, &count, info, &wait));
	ck_assert_uint_le(count, most);
	ck_assert(count == 0 || wait == 0);
	ck_assert(count > 0 || info->state != RUN_RUNNING || (wait > 0 && wait <= 1000));
	return count;
}

struct claim claimed_one(uint64_t run)
{
	struct push_run_info info;
	struct claim *claims;

	ck_assert_uint_eq(claimed(run, 1, &claims, &info), 1);
	return claims[0];
}

struct push_run_info run_info(uint64_t run)
{
	struct push_run_info info;

	must(ledger_run(arena, db, run, &info));
	ck_assert_uint_eq(info.number, run);
	return info;
}

struct machine_state state_of_machine(const char *machine)
{
	struct machine_state *states;
	struct str name = str_of(machine);
	size_t count;

	must(ledger_machines(arena, db, &name, 1, &states, &count));
	ck_assert_uint_eq(count, 1);
	ck_assert(str_eq(states[0].machine, name));
	return states[0];
}

bool confirm(const struct claim *claim)
{
	bool taken;

	must(ledger_confirmed(arena, db, claim, STR(""), NULL, &taken));
	return taken;
}

bool fails_with(const struct claim *claim, enum failure failure, unsigned again_in)
{
	bool taken;

	must(ledger_failed(arena, db, claim, failure, STR("it did not work"), again_in, &taken));
	return taken;
}

void end_leases(void)
{
	sql("UPDATE fleetwall.push_work SET lease = now() - interval '1 second' WHERE state = 'claimed'");
}

void refuses(struct error *error, enum error_kind kind, const char *part)
{
	ck_assert_msg(error != NULL, "not refused: %s", part);
	ck_assert_msg(strstr(text_of(error), part) != NULL, "wanted %s, got: %s", part, text_of(error));
	ck_assert_msg(error->kind == kind, "kind %d: %s", (int)error->kind, text_of(error));
}
