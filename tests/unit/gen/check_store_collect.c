/* Old generations: what they share, how they are listed, and collecting them: everything that one which stays names
 * stays, and nothing else. valgrind-apart: thousands of small files. */
#include <check.h>
#include <string.h>
#include <time.h>

#include "rounds.h"
#include "store_fixture.h"
#include "suite_main.h"

/* Three generations: first, second, first again with another clock. */
static void publish_three(void)
{
	struct summary later = first_summary;

	later.clock++;
	publish(first_output(), &first_summary);
	publish(second_output(), &second_summary);
	ck_assert_uint_eq(publish(first_output(), &later), 3);
}

static struct error *try_collect(const uint64_t *keep, size_t count, size_t *removed)
{
	struct store *store;

	none(store_open(arena, str_of(out), &store));
	struct error *error = store_collect(arena, store, keep, count, removed);

	store_close(store);
	return error;
}

#define COLLECT(...)                                                                                                \
	collect((const uint64_t[]){__VA_ARGS__}, sizeof(const uint64_t[]){__VA_ARGS__} / sizeof(uint64_t))

static size_t collect(const uint64_t *keep, size_t count)
{
	size_t removed;

	none(try_collect(keep, count, &removed));
	return removed;
}

/* Every object that a generation names is what its name says. */
static void expect_whole(uint64_t number)
{
	struct generation generation;
	struct str rules[2], bytes;

	none(generation_read_number(arena, str_of(out), number, &generation));
	for (size_t i = 0; i < generation.machine_count; i++)
		none(store_read_ruleset(arena, str_of(out), &generation.manifest[i].digest, rules, &bytes));
	for (size_t i = 0; i < generation.set_count; i++)
		none(store_read_set(arena, str_of(out), &generation.sets[i].digest, &bytes));
}

static void expect_objects(unsigned rulesets, unsigned sets)
{
	shell("cd '%s/store' && test $(find rulesets -mindepth 2 -maxdepth 2 | wc -l) = %u && test $(find sets -type f "
	      "| "
	      "wc -l) = %u && test -z \"$(ls -A new)\"",
	      out, rulesets, sets);
}

/* --- sharing --- */

START_TEST(test_shared_files)
{
	struct output output = first_output();

	publish(output, &first_summary);
	output.sets[0].bytes = STR("create fw4-web-0\nadd fw4-web-0 10.0.0.1\n");
	output.sets[0].digest = digest_of(output.sets[0].bytes);
	ck_assert_uint_eq(publish(output, &first_summary), 2);
	ck_assert_uint_eq(inode("generations/1/manifest"), inode("generations/2/manifest"));
	ck_assert_uint_ne(inode("generations/1/sets"), inode("generations/2/sets"));
	ck_assert_uint_ne(inode("generations/1/summary"), inode("generations/2/summary"));
	ck_assert_uint_eq(published().number, 2);
	/* What was damaged is not shared. */
	shell("cd '%s/current' && chmod u+w manifest && sed -i s/b$/x/ manifest", out);
	ck_assert_uint_eq(store_current(str_of(out)), 2);
	shell("rm '%s/current'", out);
	ck_assert_uint_eq(publish(output, &first_summary), 3);
	ck_assert_uint_eq(published().machine_count, 3);
}
END_TEST

START_TEST(test_damage_is_not_shared)
{
	struct store *store;
	struct output output = second_output();
	struct generation now = generation_for(arena, &output, &second_summary);

	publish(output, &second_summary);
	shell("cd '%s/generations/1' && chmod u+w manifest && sed -i s/b$/x/ manifest", out);
	none(store_open(arena, str_of(out), &store));
	none(put_objects(store, &output));
	now.number = 2;
	none(store_publish(arena, store, &now));
	store_close(store);
	expect_whole(2);
}
END_TEST

/* --- listing --- */

START_TEST(test_list)
{
	struct generation_info *all;
	size_t count;
	int64_t now = (int64_t)time(NULL);

	none(store_generations(arena, str_of(out), &all, &count));
	ck_assert_uint_eq(count, 0);
	publish_three();
	shell("mkdir '%s/generations/x' '%s/generations/04' && touch '%s/generations/7'", out, out, out);
	none(store_generations(arena, str_of(out), &all, &count));
	ck_assert_uint_eq(count, 4);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(all[i].number, i + 1);
		ck_assert(!all[i].damaged && all[i].current == (i == 2));
		ck_assert(all[i].at >= now && all[i].at <= now + 60);
	}
	ck_assert(all[0].clock == 1760000000 && all[1].clock == -1 && all[2].clock == 1760000001);
	ck_assert(all[0].machines == 3 && all[0].rulesets == 2 && all[0].sets == 2);
	ck_assert(all[1].machines == 2 && all[1].rulesets == 2 && all[1].sets == 2);
	ck_assert(digest_eq(&all[0].digest, &all[2].digest) && !digest_eq(&all[0].digest, &all[1].digest));
	ck_assert(all[3].number == 7 && all[3].damaged);
}
END_TEST

START_TEST(test_read_number)
{
	struct generation generation;

	publish_three();
	none(generation_read_number(arena, str_of(out), 2, &generation));
	ck_assert(generation.number == 2 && generation.machine_count == 2 && generation.summary.clock == -1);
	struct error *error = generation_read_number(arena, str_of(out), 9, &generation);

	ck_assert_ptr_nonnull(error);
	ck_assert_int_eq(error->kind, ERROR_UNKNOWN);
	error = generation_read_number(arena, str_of(out), 0, &generation);
	ck_assert_int_eq(error->kind, ERROR_UNKNOWN);
	shell("cd '%s/generations/2' && chmod u+w sets && : >sets", out);
	expect_message(generation_read_number(arena, str_of(out), 2, &generation), "manifest and sets are not those");
	strcat(out, "x");
	error = generation_read_number(arena, str_of(out), 1, &generation);
	ck_assert_int_eq(error->kind, ERROR_UNKNOWN);
}
END_TEST

/* --- what an older fleetwall left: no list of objects, no counts --- */

static void make_old(unsigned number)
{
	shell("cd '%s/generations/%u' && rm objects && chmod u+w summary && sed -i '/^list/d; /^counts/d' summary",
	      out, number);
}

START_TEST(test_old_layout)
{
	struct generation_info *all;
	size_t count;

	publish_three();
	make_old(1);
	make_old(2);
	make_old(3);
	ck_assert_uint_eq(published().machine_count, 3);
	none(store_generations(arena, str_of(out), &all, &count));
	ck_assert(count == 3 && all[0].machines == 3 && all[0].rulesets == 2 && all[0].sets == 2 && !all[0].damaged);
	ck_assert_uint_eq(COLLECT(2, 3), 1);
	expect_whole(2);
	expect_whole(3);
	expect_objects(3, 4);
	ck_assert_uint_eq(COLLECT(3), 1);
	expect_objects(2, 2);
	ck_assert_uint_eq(publish(second_output(), &second_summary), 4);
	ck_assert_uint_eq(COLLECT(4), 1);
	expect_whole(4);
	expect_objects(2, 2);
}
END_TEST

/* --- collecting --- */

START_TEST(test_collect)
{
	publish_three();
	ck_assert_uint_eq(COLLECT(1, 2, 3), 0);
	ck_assert_uint_eq(COLLECT(1, 3), 1);
	ck_assert(!exists("generations/2") && exists("generations/1"));
	expect_objects(2, 2);
	expect_whole(1);
	expect_whole(3);
	ck_assert_uint_eq(COLLECT(3, 99), 1);
	expect_objects(2, 2);
	expect_whole(3);
	expect_file("machines/a/rules.v4", "four\n");
}
END_TEST

START_TEST(test_published_stays)
{
	size_t removed;

	publish_three();
	expect_message(try_collect((const uint64_t[]){1, 2}, 2, &removed), "generation 3 is the published one");
	expect_message(try_collect(NULL, 0, &removed), "generation 3 is the published one");
	ck_assert(exists("generations/1") && exists("generations/3"));
	expect_objects(3, 4);
}
END_TEST

/* What was put and is going to be named stays, though the only generation that names it goes. */
START_TEST(test_put_stays)
{
	struct store *store;
	struct output output = second_output();
	struct generation now = generation_for(arena, &output, &second_summary);
	size_t removed;

	publish_three();
	none(store_open(arena, str_of(out), &store));
	none(put_objects(store, &output));
	none(store_collect(arena, store, (const uint64_t[]){3}, 1, &removed));
	ck_assert_uint_eq(removed, 2);
	now.number = 4;
	none(store_publish(arena, store, &now));
	none(store_links(arena, store, &now));
	store_close(store);
	expect_whole(3);
	expect_whole(4);
	ck_assert_uint_eq(COLLECT(4), 1);
	expect_objects(2, 2);
}
END_TEST

/* The list of objects is only a short cut. */
START_TEST(test_damaged_list)
{
	publish_three();
	shell("cd '%s/generations/3' && chmod u+w objects && printf X | dd of=objects bs=1 seek=20 conv=notrunc "
	      "2>/dev/null",
	      out);
	shell("cd '%s/generations/1' && rm objects", out);
	ck_assert_uint_eq(COLLECT(3), 2);
	expect_whole(3);
	expect_objects(2, 2);
}
END_TEST

START_TEST(test_damaged_one_stays)
{
	size_t removed;

	publish_three();
	shell("cd '%s/generations/1' && rm objects && chmod u+w manifest && : >manifest", out);
	struct error *error = try_collect((const uint64_t[]){1, 3}, 2, &removed);

	expect_message(error, "generations/1: manifest and sets are not those that were published");
	ck_assert_uint_gt(error->hint.n, 0);
	ck_assert(removed == 0 && exists("generations/2"));
	expect_objects(3, 4);
}
END_TEST

/* Nobody knows what it named: all objects are looked at. */
START_TEST(test_damaged_one_goes)
{
	publish_three();
	shell("cd '%s/generations' && rm -r 2/objects 2/manifest && mkdir 5 && touch 6", out);
	ck_assert_uint_eq(COLLECT(3), 4);
	expect_whole(3);
	expect_objects(2, 2);
	ck_assert(!exists("generations/5") && !exists("generations/6"));
}
END_TEST

/* --- in portions --- */

static void retire(const uint64_t *keep, size_t count)
{
	struct store *store;
	size_t removed;

	none(store_open(arena, str_of(out), &store));
	none(store_retire(store, keep, count, &removed));
	store_close(store);
}

/* The smallest portion there is, with the store opened for it. */
static struct collected collect_some(struct collector *collector)
{
	struct collected collected;
	struct store *store;

	none(store_open(arena, str_of(out), &store));
	none(store_collect_some(store, collector, 0, &collected));
	store_close(store);
	return collected;
}

static void collect_rest(struct collector *collector)
{
	unsigned portions = 0;
	struct collected collected;

	do
		collected = collect_some(collector);
	while (!collected.done && ++portions < 100);
	ck_assert(collected.done);
	collector_free(collector);
}

START_TEST(test_portions)
{
	struct generation_info *all;
	size_t count;

	publish_three();
	retire((const uint64_t[]){3}, 1);
	ck_assert(!exists("generations/1") && !exists("generations/2"));
	none(store_generations(arena, str_of(out), &all, &count));
	ck_assert_uint_eq(count, 1);
	expect_objects(3, 4);
	collect_rest(collector_new());
	expect_whole(3);
	expect_objects(2, 2);
	shell("test -z \"$(ls -A '%s/store/old')\"", out);
}
END_TEST

/* After how many portions somebody comes: each number, or where that takes long some that are as far apart. */
enum { PORTIONS = 16, FEW = 3 };

static int moments(void)
{
	int all = (int)in_full(PORTIONS);

	return all > FEW ? all : FEW;
}

static int portions(int test)
{
	return test * PORTIONS / moments();
}

/* Whenever it stops, the next one ends it: another collector, or somebody who collects at once. */
START_TEST(test_portions_cut_short)
{
	publish_three();
	retire((const uint64_t[]){3}, 1);
	struct collector *first = collector_new();

	for (int i = 0; i < portions(_i); i++)
		(void)collect_some(first);
	expect_whole(3);
	if (portions(_i) % 2 == 0)
		collect_rest(collector_new());
	else
		ck_assert_uint_eq(COLLECT(3), 0);
	expect_whole(3);
	expect_objects(2, 2);
	/* And the first one, which knows nothing of that, does no harm. */
	ck_assert_uint_eq(publish(second_output(), &second_summary), 4);
	collect_rest(first);
	expect_whole(3);
	expect_whole(4);
	expect_objects(3, 4);
}
END_TEST

/* What a generation names that came in the middle stays; so does what it names that a portion had taken away. */
START_TEST(test_published_between_portions)
{
	publish_three();
	retire((const uint64_t[]){3}, 1);
	struct collector *collector = collector_new();

	for (int i = 0; i < portions(_i); i++)
		(void)collect_some(collector);
	ck_assert_uint_eq(publish(second_output(), &second_summary), 4);
	ck_assert(published().number == 4);
	collect_rest(collector);
	expect_whole(3);
	expect_whole(4);
	expect_objects(3, 4);
	ck_assert_uint_eq(COLLECT(4), 1);
	expect_objects(2, 2);
}
END_TEST

/* A number that came back, as after a database was set back, is another generation. */
START_TEST(test_number_comes_back)
{
	publish_three();
	retire((const uint64_t[]){3}, 1);
	struct collector *collector = collector_new();

	for (int i = 0; i < portions(_i); i++)
		(void)collect_some(collector);
	shell("rm -r '%s/generations/3' '%s/current'", out, out);
	(void)publish(second_output(), &second_summary);
	shell("cd '%s' && n=$(readlink current) && mv $n generations/3 && ln -sfn generations/3 current", out);
	collect_rest(collector);
	expect_whole(3);
	expect_file("machines/a/rules.v6", "six\n");
}
END_TEST

/* Two of one number. */
START_TEST(test_retired_twice)
{
	publish_three();
	shell("mkdir -p '%s/store/old/1' && touch '%s/store/old/1/manifest'", out, out);
	retire((const uint64_t[]){2, 3}, 2);
	ck_assert(exists("store/old/1.2/manifest"));
	ck_assert_uint_eq(COLLECT(3), 1);
	expect_whole(3);
	expect_objects(2, 2);
	shell("test -z \"$(ls -A '%s/store/old')\"", out);
}
END_TEST

START_TEST(test_retire_spares_the_published)
{
	struct store *store;
	size_t removed;

	publish_three();
	none(store_open(arena, str_of(out), &store));
	expect_message(store_retire(store, (const uint64_t[]){1, 2}, 2, &removed),
	               "generation 3 is the published one");
	store_close(store);
	ck_assert(exists("generations/3"));
}
END_TEST

/* --- what killed runs left --- */

static void leave_behind(void)
{
	shell("cd '%s/store' && mkdir -p rulesets/ab/$(printf 'ab%%030d' 1) sets/cd && touch rulesets/ab/$(printf "
	      "'ab%%030d' 1)/rules.v4 sets/cd/$(printf 'cd%%030d' 2) sets/cd/README && touch new/unpublished",
	      out);
}

START_TEST(test_swept_by_publish)
{
	publish(first_output(), &first_summary);
	leave_behind();
	publish(second_output(), &second_summary);
	expect_whole(1);
	expect_whole(2);
	shell("rm '%s/store/sets/cd/README'", out); /* not ours */
	expect_objects(3, 4);
}
END_TEST

START_TEST(test_swept_by_the_next)
{
	struct store *store;

	publish_three();
	leave_behind();
	none(store_open(arena, str_of(out), &store));
	store_close(store);
	shell("rm '%s/store/sets/cd/README'", out);
	expect_objects(3, 4);
}
END_TEST

START_TEST(test_not_swept_blindly)
{
	struct store *store;

	publish_three();
	leave_behind();
	shell("cd '%s/generations/1' && rm objects && chmod u+w manifest && : >manifest", out);
	none(store_open(arena, str_of(out), &store));
	store_close(store);
	ck_assert(exists("store/new/unpublished") && exists("store/sets/cd"));
	ck_assert_uint_eq(COLLECT(2, 3), 1);
	shell("rm '%s/store/sets/cd/README'", out);
	expect_objects(3, 4);
}
END_TEST

/* The mark of a run that is at work is there from its first new object to its end. */
START_TEST(test_mark_of_a_run)
{
	struct store *store;
	struct output first = first_output(), second = second_output();

	publish(first, &first_summary);
	none(store_open(arena, str_of(out), &store));
	none(put_objects(store, &first));
	ck_assert(!exists("store/new/unpublished"));
	none(put_objects(store, &second));
	ck_assert(exists("store/new/unpublished"));
	store_close(store);
	ck_assert(!exists("store/new/unpublished"));
	expect_objects(2, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_collect");
	TCase *store = tcase_create("store_collect");

	tcase_add_checked_fixture(store, store_setup, store_teardown);
	tcase_set_timeout(store, 30);
	tcase_add_test(store, test_shared_files);
	tcase_add_test(store, test_damage_is_not_shared);
	tcase_add_test(store, test_list);
	tcase_add_test(store, test_read_number);
	tcase_add_test(store, test_old_layout);
	tcase_add_test(store, test_collect);
	tcase_add_test(store, test_published_stays);
	tcase_add_test(store, test_put_stays);
	tcase_add_test(store, test_damaged_list);
	tcase_add_test(store, test_damaged_one_stays);
	tcase_add_test(store, test_damaged_one_goes);
	tcase_add_test(store, test_swept_by_publish);
	tcase_add_test(store, test_swept_by_the_next);
	tcase_add_test(store, test_not_swept_blindly);
	tcase_add_test(store, test_mark_of_a_run);
	tcase_add_test(store, test_portions);
	tcase_add_loop_test(store, test_portions_cut_short, 0, moments());
	tcase_add_loop_test(store, test_published_between_portions, 0, moments());
	tcase_add_loop_test(store, test_number_comes_back, 0, moments());
	tcase_add_test(store, test_retired_twice);
	tcase_add_test(store, test_retire_spares_the_published);
	suite_add_tcase(suite, store);

	return suite_main(suite);
}
