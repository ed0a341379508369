/* When rules begin and end to count next. */
#include <check.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/document.h"
#include "fleetwall/resolve.h"
#include "random_fleet.h"
#include "suite_main.h"

#define RULES(rules) "roles = ( { name = \"r\"; rules = " rules "; } );"

static struct fleet fleet;

static void read(const char *text)
{
	struct error *warnings = NULL;

	ck_assert_ptr_null(
		document_read(arena, STR("test.conf"), (struct str){text, strlen(text)}, &fleet, &warnings));
}

/* How many rules count, summed up so that no two sets of rules look the same. */
static uint64_t rules_now(const struct fleet *now)
{
	const struct resolved *seen = resolve(arena, now);
	uint64_t sum = 0;

	for (size_t i = 0; i < now->role_count; i++)
		for (size_t k = 0; k < seen->roles[i].rule_count; k++)
			sum = sum * 31 + (uint64_t)(seen->roles[i].rules[k].held - now->roles[i].rules) + i * 101 + 1;
	return sum;
}

static bool is_edge(struct fleet changing, int64_t time)
{
	uint64_t at, before;

	changing.clock = time;
	at = rules_now(&changing);
	changing.clock = time - 1;
	before = rules_now(&changing);
	return at != before;
}

/* The first of all times that rules name, behind the clock, at which something changes. */
static int64_t next_edge_slowly(const struct fleet *random)
{
	int64_t next = TIME_NONE;

	for (size_t i = 0; i < random->role_count; i++)
		for (size_t k = 0; k < random->roles[i].rule_count; k++) {
			const struct rule *rule = &random->roles[i].rules[k].rule;
			const int64_t times[] = {rule->since, rule->until};

			for (size_t t = 0; t < 2; t++)
				if (times[t] > random->clock && (next == TIME_NONE || times[t] < next) &&
				    is_edge(*random, times[t]))
					next = times[t];
		}
	return next;
}

START_TEST(the_next_edge_is_the_next_change)
{
	struct rng rng = {(uint64_t)_i + 1};
	struct fleet random = random_fleet(arena, &rng, 6);
	int64_t edge;
	int steps = 0;

	random.clock = -((int64_t)1 << 40);
	do {
		edge = fleet_next_edge(&random);
		ck_assert_int_eq(edge, next_edge_slowly(&random));
		random.clock = edge;
		steps++;
	} while (edge != TIME_NONE && steps < 20);
}
END_TEST

START_TEST(edges_of_one_rule)
{
	static const char both[] = RULES("[ \"allow 1/tcp since 2026-03-01T12:00:00Z until 2026-03-01T13:00:00Z\" ]");
	const int64_t since = 1772366400, until = since + 3600;

	read(both);
	fleet.clock = since - 10;
	ck_assert_int_eq(fleet_next_edge(&fleet), since);
	fleet.clock = since - 1;
	ck_assert_int_eq(fleet_next_edge(&fleet), since);
	fleet.clock = since;
	ck_assert_int_eq(fleet_next_edge(&fleet), until);
	fleet.clock = until;
	ck_assert_int_eq(fleet_next_edge(&fleet), TIME_NONE);
	fleet.clock = since;
	fleet.roles[0].rules[0].enabled = false;
	ck_assert_int_eq(fleet_next_edge(&fleet), TIME_NONE);
	read(RULES("[ \"allow 1/tcp\" ]"));
	fleet.clock = since;
	ck_assert_int_eq(fleet_next_edge(&fleet), TIME_NONE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("edges");
	TCase *tcase = tcase_create("edges");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_loop_test(tcase, the_next_edge_is_the_next_change, 0, 10);
	tcase_add_test(tcase, edges_of_one_rule);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
