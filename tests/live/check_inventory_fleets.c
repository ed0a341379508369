/* Whole fleets in a real database, in and back: any random one, and the one that uses every clause. */
#include "fleetwall/arena.h"
#include "importing.h"
#include "random_fleet.h"

/* Each is made from the one before by what differs. Own rules stay with their machines, and would keep the roles that
 * they name. */
START_TEST(any_fleet_becomes_any_other)
{
	struct rng rng = {20};
	for (size_t i = 0; i < 12; i++) {
		struct fleet wanted = random_fleet(arena, &rng, i * 3 % 14);
		sql("DELETE FROM fleetwall.role WHERE machine IS NOT NULL");
		struct plan plan = imported(&wanted, &pruning);
		struct fleet fleet = loaded();
		struct str difference = fleet_difference(arena, &fleet, &plan.target);
		ck_assert_msg(difference.n == 0, "fleet %zu: %.*s", i, STR_ARG(difference));
		struct plan again = imported(&wanted, &pruning);
		ck_assert_uint_eq(again.count, 0);
	}
}
END_TEST

START_TEST(any_fleet_comes_back_elsewhere)
{
	struct rng rng = {7};
	struct fleet wanted = random_fleet(arena, &rng, 30);
	imports(&wanted, &as_it_is);
	struct fleet fleet = loaded();
	comes_back_elsewhere(exported(&fleet));
}
END_TEST

START_TEST(every_clause_comes_back)
{
	struct str text;
	struct fleet wanted;
	struct error *warnings = NULL;
	must(file_read(arena, STR("tests/fleets/every.conf"), &text));
	must(document_read(arena, STR("every.conf"), text, &wanted, &warnings));
	imports(&wanted, &as_it_is);
	struct fleet fleet = loaded();
	comes_back_elsewhere(exported(&fleet));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inventory_fleets");
	TCase *cases = tcase_create("inventory_fleets");
	tcase_add_checked_fixture(cases, postgres_setup, postgres_teardown);
	tcase_add_test(cases, every_clause_comes_back);
	tcase_add_test(cases, any_fleet_becomes_any_other);
	tcase_add_test(cases, any_fleet_comes_back_elsewhere);
	tcase_set_timeout(cases, 60);
	suite_add_tcase(suite, cases);
	return postgres_main(suite, NULL);
}
