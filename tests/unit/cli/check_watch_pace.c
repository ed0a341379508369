/* The pace of watch: alone at once, in a stream with rests, after failures ever later, and never longer than a minute
 * without a look. */
#include <check.h>

#include "suite_main.h"
#include "watch_pace.h"

static struct pace pace;

static void setup(void)
{
	pace = (struct pace){0};
}

START_TEST(begins_at_once)
{
	pace_hurry(&pace);
	ck_assert_uint_eq(pace_wait(&pace, 1000000), 0);
	pace_begin(&pace);
	ck_assert(!pace.wanted);
}
END_TEST

START_TEST(a_lone_change_is_taken_at_once)
{
	pace_done(&pace, 5000, 5040, PACE_NEVER);
	pace.wanted = true;
	ck_assert_uint_eq(pace_wait(&pace, 6000), 0);
}
END_TEST

/* A change is there whenever a round may begin. The time that `rounds` of them take, of which they work `took` each. */
static uint64_t stream(unsigned rounds, uint64_t took)
{
	uint64_t now = 5000;

	for (unsigned i = 0; i < rounds; i++) {
		uint64_t began = now + pace_wait(&pace, now);

		pace_begin(&pace);
		now = began + took;
		pace_done(&pace, began, now, PACE_NEVER);
		pace.wanted = true;
	}
	return now + pace_wait(&pace, now) - 5000;
}

START_TEST(a_few_are_taken_at_once)
{
	ck_assert_uint_eq(stream(6, 40), 240);
}
END_TEST

START_TEST(a_stream_has_half_of_the_time)
{
	static const uint64_t lengths[] = {1, 5, 40, 100, 249, 250};

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		setup();
		ck_assert_uint_eq(stream(1000, lengths[i]), 2 * 1000 * lengths[i] - 250);
	}
}
END_TEST

START_TEST(idle_time_pays)
{
	for (uint64_t began = 5000; began < 50000; began += 101) {
		pace.wanted = true;
		ck_assert_uint_eq(pace_wait(&pace, began), 0);
		pace_done(&pace, began, began + 50, PACE_NEVER);
	}
}
END_TEST

START_TEST(a_long_round_needs_no_long_rest)
{
	pace_done(&pace, 5000, 35000, PACE_NEVER);
	pace.wanted = true;
	ck_assert_uint_eq(pace_wait(&pace, 35000), 250);
	ck_assert_uint_eq(pace_wait(&pace, 35249), 1);
	ck_assert_uint_eq(pace_wait(&pace, 35250), 0);
	pace_done(&pace, 35250, 65000, PACE_NEVER);
	ck_assert_uint_eq(pace_wait(&pace, 65000), 250);
}
END_TEST

START_TEST(it_looks_once_a_minute)
{
	pace_done(&pace, 5000, 5040, PACE_NEVER);
	ck_assert_uint_eq(pace_wait(&pace, 5040), 60000);
	ck_assert_uint_eq(pace_wait(&pace, 65040), 0);
	pace_done(&pace, 5000, 5040, 3600000);
	ck_assert_uint_eq(pace_wait(&pace, 5040), 60000);
}
END_TEST

START_TEST(an_edge_wakes_it)
{
	pace_done(&pace, 5000, 5040, 1700);
	ck_assert_uint_eq(pace_wait(&pace, 5040), 1700);
	ck_assert_uint_eq(pace_wait(&pace, 6739), 1);
	/* One that is there already leaves the rest. */
	pace_done(&pace, 10000, 10300, 0);
	ck_assert_uint_eq(pace_wait(&pace, 10300), 50);
}
END_TEST

START_TEST(failures_back_off)
{
	static const uint64_t longest[] = {100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000};

	for (unsigned i = 0; i < sizeof longest / sizeof *longest; i++) {
		struct pace other = pace;

		pace_failed(&pace, 5000, 0);
		ck_assert_uint_eq(pace_wait(&pace, 5000), longest[i] / 2);
		pace_failed(&other, 5000, (unsigned)longest[i] / 2);
		ck_assert_uint_eq(pace_wait(&other, 5000), longest[i]);
		/* What is asked for meanwhile does not shorten it. */
		pace.wanted = true;
		ck_assert_uint_eq(pace_wait(&pace, 5000), longest[i] / 2);
	}
	pace_begin(&pace);
	pace_done(&pace, 20000, 20001, PACE_NEVER);
	pace_failed(&pace, 30000, 0);
	ck_assert_uint_eq(pace_wait(&pace, 30000), 50);
}
END_TEST

START_TEST(chance_stays_within_bounds)
{
	for (unsigned chance = 0; chance < 5000; chance += 7) {
		setup();
		pace_failed(&pace, 1000, chance * 858993459u);
		ck_assert_uint_ge(pace_wait(&pace, 1000), 50);
		ck_assert_uint_le(pace_wait(&pace, 1000), 100);
	}
	for (unsigned i = 0; i < 100000; i++)
		pace_failed(&pace, 1000, i);
	ck_assert_uint_le(pace_wait(&pace, 1000), 10000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("watch_pace");
	TCase *tests = tcase_create("pace");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, begins_at_once);
	tcase_add_test(tests, a_lone_change_is_taken_at_once);
	tcase_add_test(tests, a_few_are_taken_at_once);
	tcase_add_test(tests, a_stream_has_half_of_the_time);
	tcase_add_test(tests, idle_time_pays);
	tcase_add_test(tests, a_long_round_needs_no_long_rest);
	tcase_add_test(tests, it_looks_once_a_minute);
	tcase_add_test(tests, an_edge_wakes_it);
	tcase_add_test(tests, failures_back_off);
	tcase_add_test(tests, chance_stays_within_bounds);
	suite_add_tcase(suite, tests);
	return suite_main(suite);
}
