/* Large pieces of memory: none lies in another, whatever came and went, and what nobody has goes back, or is kept.
 * a-process-each: what a test before has given back is kept. no-valgrind: it writes hundreds of megabytes. */
#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fleetwall/parallel.h"
#include "pages.h"
#include "suite_main.h"

#define MIB ((size_t)1 << 20)

enum { HELD = 20, ROUNDS = 100 };

struct held {
	unsigned char *p;
	size_t n;
	unsigned char with;
};

static void take_one(struct held *held, unsigned *seed)
{
	size_t n = PAGES_LEAST + (size_t)rand_r(seed) % (rand_r(seed) % 8 == 0 ? 5 * MIB : MIB);

	*held = (struct held){.p = pages_take(n), .n = n, .with = (unsigned char)rand_r(seed)};
	ck_assert_ptr_nonnull(held->p);
	ck_assert_uint_eq((uintptr_t)held->p % _Alignof(max_align_t), 0);
	memset(held->p, held->with, n);
}

static void give_one(struct held *held)
{
	size_t wrong = 0;

	for (size_t i = 0; i < held->n; i++)
		wrong += held->p[i] != held->with;
	ck_assert_uint_eq(wrong, 0);
	pages_give(held->p);
	held->p = NULL;
}

static struct error *come_and_go(void *context, unsigned worker, size_t item)
{
	struct held all[HELD] = {{0}};
	unsigned seed = (unsigned)item + 1;

	(void)context;
	(void)worker;
	for (int i = 0; i < ROUNDS; i++) {
		struct held *held = &all[rand_r(&seed) % HELD];

		if (held->p != NULL)
			give_one(held);
		else
			take_one(held, &seed);
	}
	for (size_t i = 0; i < HELD; i++)
		if (all[i].p != NULL)
			give_one(&all[i]);
	return NULL;
}

START_TEST(none_lies_in_another)
{
	pages_keep(_i == 0 ? 0 : 32 * MIB);
	ck_assert_ptr_null(come_and_go(NULL, 0, 0));
}
END_TEST

START_TEST(any_thread_may_ask)
{
	pages_keep(8 * MIB);
	ck_assert_ptr_null(parallel_each(4, 4, come_and_go, NULL));
}
END_TEST

static bool is_mapped(void *p)
{
	unsigned char resident;
	void *page = (char *)p - ((uintptr_t)p & 4095);

	return mincore(page, 4096, &resident) == 0 || errno != ENOMEM;
}

START_TEST(what_nobody_has_goes_back)
{
	void *small = pages_take(PAGES_LEAST), *other = pages_take(PAGES_LEAST), *large = pages_take(9 * MIB);

	pages_give(large);
	ck_assert(!is_mapped(large));
	pages_give(small);
	ck_assert(is_mapped(small)); /* the other is of the same block */
	pages_give(other);
	ck_assert(!is_mapped(small));
}
END_TEST

START_TEST(what_is_kept_is_handed_out_again)
{
	pages_keep(16 * MIB);
	void *small = pages_take(PAGES_LEAST), *large = pages_take(9 * MIB);

	pages_give(small);
	pages_give(large);
	ck_assert(is_mapped(small) && is_mapped(large));
	ck_assert_ptr_eq(pages_take(PAGES_LEAST), small);
	ck_assert_ptr_eq(pages_take(8 * MIB), large);
	ck_assert_ptr_ne(pages_take(8 * MIB), large);
}
END_TEST

/* Three of 8 MiB, as they are mapped. */
START_TEST(no_more_is_kept_than_was_said)
{
	void *pieces[3];
	int mapped = 0;

	pages_keep(20 * MIB);
	for (int i = 0; i < 3; i++)
		pieces[i] = pages_take(7 * MIB);
	for (int i = 0; i < 3; i++)
		pages_give(pieces[i]);
	for (int i = 0; i < 3; i++)
		mapped += is_mapped(pieces[i]);
	ck_assert_int_eq(mapped, 2);
}
END_TEST

START_TEST(what_is_not_there_is_not_given)
{
	ck_assert_ptr_null(pages_take(SIZE_MAX));
	ck_assert_ptr_null(pages_take(SIZE_MAX / 8));
	ck_assert_ptr_nonnull(pages_take(PAGES_LEAST));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pages");
	TCase *tcase = tcase_create("pages");

	tcase_add_loop_test(tcase, none_lies_in_another, 0, 2);
	tcase_add_test(tcase, any_thread_may_ask);
	tcase_add_test(tcase, what_nobody_has_goes_back);
	tcase_add_test(tcase, what_is_kept_is_handed_out_again);
	tcase_add_test(tcase, no_more_is_kept_than_was_said);
	tcase_add_test(tcase, what_is_not_there_is_not_given);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
