/* Publishing in parts, as a process that stays does it: what comes out is what publishing at once gives, whatever was
 * written early, and lists that did not change are shared with the generation before. */
#include <check.h>

#include "store_fixture.h"
#include "suite_main.h"

/* As the first one, but for what a set holds: the machines have what they had. */
static struct output other_set(void)
{
	struct output output = first_output();

	for (size_t i = 0; i < output.set_count; i++)
		if (str_is(output.sets[i].name, "web-0.v4")) {
			output.sets[i].bytes = STR("create fw4-web-0\nadd fw4-web-0 10.9.9.9\n");
			output.sets[i].digest = digest_of(output.sets[i].bytes);
		}
	return output;
}

/* A store in which the first output is published, with the objects of another. */
struct opened {
	struct store *store;
	struct generation before;
};

static struct opened open_after_first(const struct output *output)
{
	struct opened opened;

	publish(first_output(), &first_summary);
	opened.before = published();
	none(store_open(arena, str_of(out), &opened.store));
	none(put_objects(opened.store, output));
	return opened;
}

static struct generation begin(const struct opened *opened, const struct output *output)
{
	struct product product = product_of(arena, output);
	struct generation generation;

	generation_begin(arena, &product, &second_summary, &opened->before, &generation);
	generation.number = 2;
	return generation;
}

static void expect_published(const struct output *output)
{
	struct generation wanted = generation_for(arena, output, &second_summary), found = published();

	ck_assert_uint_eq(found.number, 2);
	ck_assert(generation_same(&wanted, &found));
	ck_assert(!exists("store/new/generation") && !exists("store/new/unpublished"));
}

START_TEST(test_in_parts)
{
	struct output output = second_output();
	struct opened opened = open_after_first(&output);
	struct generation next = begin(&opened, &output);

	ck_assert(!next.shared[0] && !next.shared[1]);
	none(store_prepare(opened.store, &next));
	generation_name(&next);
	ck_assert(exists("store/new/generation/manifest") && !exists("store/new/generation/summary"));
	none(store_complete(opened.store, &next));
	ck_assert(exists("store/new/generation/summary"));
	ck_assert_uint_eq(published().number, 1);
	none(store_publish(arena, opened.store, &next));
	store_close(opened.store);
	expect_published(&output);
}
END_TEST

/* With the file of before there; and without it, which can't be linked then. */
START_TEST(test_shared_list)
{
	struct output output = other_set();
	struct opened opened = open_after_first(&output);
	struct generation next = begin(&opened, &output);
	ino_t manifest = inode("generations/1/manifest");

	ck_assert(next.shared[0] && !next.shared[1] && next.text[0].p == NULL);
	generation_name(&next);
	if (_i == 1)
		shell("mv '%s/generations/1/manifest' '%s/moved'", out, out); /* or another gets its inode */
	if (_i != 2)
		none(store_prepare(opened.store, &next));
	none(store_publish(arena, opened.store, &next));
	store_close(opened.store);
	expect_published(&output);
	ck_assert_int_eq(inode("generations/2/manifest") == manifest, _i != 1);
}
END_TEST

START_TEST(test_all_shared)
{
	struct output output = first_output();
	struct opened opened = open_after_first(&output);
	struct generation next = begin(&opened, &output);

	ck_assert(next.shared[0] && next.shared[1]);
	generation_name(&next);
	ck_assert(generation_same(&next, &opened.before));
	store_close(opened.store);
}
END_TEST

/* What was prepared last, or the number of another, says nothing. */
START_TEST(test_prepared_for_another)
{
	struct output output = second_output(), other = other_set();
	struct opened opened = open_after_first(&output);
	struct generation next = begin(&opened, &output), wrong = begin(&opened, &other);

	generation_name(&next);
	generation_name(&wrong);
	none(put_objects(opened.store, &other));
	none(store_prepare(opened.store, &next));
	if (_i == 1)
		none(store_complete(opened.store, &wrong));
	else
		none(store_prepare(opened.store, &wrong));
	none(store_publish(arena, opened.store, &next));
	store_close(opened.store);
	expect_published(&output);
}
END_TEST

/* A guard said no. */
START_TEST(test_not_published)
{
	struct output output = second_output();
	struct opened opened = open_after_first(&output);
	struct generation next = begin(&opened, &output);

	generation_name(&next);
	if (_i == 1)
		none(store_complete(opened.store, &next));
	else
		none(store_prepare(opened.store, &next));
	store_close(opened.store);
	ck_assert(!exists("store/new/generation") && !exists("generations/2"));
	ck_assert_uint_eq(published().number, 1);
	expect_file("machines/c/rules.v4", "own4\n");
	ck_assert_uint_eq(publish(second_output(), &second_summary), 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_prepare");
	TCase *tcase = tcase_create("store_prepare");

	tcase_add_checked_fixture(tcase, store_setup, store_teardown);
	tcase_add_test(tcase, test_in_parts);
	tcase_add_loop_test(tcase, test_shared_list, 0, 3);
	tcase_add_test(tcase, test_all_shared);
	tcase_add_loop_test(tcase, test_prepared_for_another, 0, 2);
	tcase_add_loop_test(tcase, test_not_published, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
