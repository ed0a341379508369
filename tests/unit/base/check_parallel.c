/* Work spread over threads: everything is done once, whoever does it, and the error is always the same. */
#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "fleetwall/parallel.h"

#include "suite_main.h"

enum { ITEMS = 5000 };

struct tally {
	atomic_uint done[ITEMS];
	atomic_uint workers[PARALLEL_MOST];
	size_t fails_from; /* items from here on fail */
};

static struct error *count(void *context, unsigned worker, size_t item)
{
	struct tally *tally = context;

	atomic_fetch_add(&tally->done[item], 1);
	atomic_fetch_add(&tally->workers[worker], 1);
	if (item < tally->fails_from)
		return NULL;
	/* The later ones are quicker: the lowest must win nevertheless. */
	if (item == tally->fails_from)
		usleep(20000);
	return error_in(error_new(ERROR_INPUT, "no"), "item %zu", item);
}

START_TEST(test_each_once)
{
	static const unsigned workers[] = {1, 2, 7, 100};
	static struct tally tally;

	tally = (struct tally){.fails_from = ITEMS};
	ck_assert_ptr_null(parallel_each(workers[_i], ITEMS, count, &tally));
	for (size_t i = 0; i < ITEMS; i++)
		ck_assert_uint_eq(atomic_load(&tally.done[i]), 1);
	for (size_t i = workers[_i]; i < PARALLEL_MOST; i++)
		ck_assert_uint_eq(atomic_load(&tally.workers[i]), 0);
}
END_TEST

START_TEST(test_lowest_error)
{
	static struct tally tally;

	tally = (struct tally){.fails_from = 137};
	struct error *error = parallel_each((unsigned)_i + 1, ITEMS, count, &tally);

	ck_assert_ptr_nonnull(error);
	ck_assert(str_is(error->message, "item 137: no"));
	for (size_t i = 0; i <= 137; i++)
		ck_assert_uint_eq(atomic_load(&tally.done[i]), 1);
	ck_assert_uint_eq(atomic_load(&tally.done[ITEMS - 1]), 0);
	error_forget_all();
}
END_TEST

START_TEST(test_nothing)
{
	ck_assert_ptr_null(parallel_each(4, 0, count, NULL));
	ck_assert_uint_ge(parallel_workers(), 1);
	ck_assert_uint_le(parallel_workers(), PARALLEL_MOST);
}
END_TEST

static struct error *refuse(void *context)
{
	return error_new(ERROR_INPUT, "%s", (const char *)context);
}

static struct error *succeed(void *context)
{
	*(bool *)context = true;
	return NULL;
}

START_TEST(test_both)
{
	static char here[] = "here", aside[] = "aside";
	bool first = false, second = false;

	ck_assert_ptr_null(parallel_both(succeed, &first, succeed, &second));
	ck_assert(first && second);
	struct error *errors = parallel_both(refuse, here, refuse, aside);

	ck_assert_uint_eq(error_count(errors), 2);
	ck_assert(str_is(errors->message, "here"));
	ck_assert(str_is(errors->next->message, "aside"));
	second = false;
	ck_assert_uint_eq(error_count(parallel_both(refuse, here, succeed, &second)), 1);
	ck_assert(second);
	error_forget_all();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("parallel");
	TCase *tests = tcase_create("parallel");

	tcase_add_loop_test(tests, test_each_once, 0, 4);
	tcase_add_loop_test(tests, test_lowest_error, 0, 4);
	tcase_add_test(tests, test_nothing);
	tcase_add_test(tests, test_both);
	suite_add_tcase(suite, tests);

	return suite_main(suite);
}
