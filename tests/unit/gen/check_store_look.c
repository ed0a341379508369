/* Is the store as it was left? Every kind of damage is found, nothing else is, and what was only touched is told from
 * what was changed. valgrind-apart: many small files. */
#include <check.h>
#include <string.h>
#include <time.h>

#include "store_fixture.h"
#include "suite_main.h"

static struct timespec mark;

/* The first output, published and marked. */
static struct generation publish_and_mark(void)
{
	struct store *store;

	publish(first_output(), &first_summary);
	none(store_open(arena, str_of(out), &store));
	none(store_mark(store, &mark));
	store_close(store);
	return published();
}

static struct store_faults look_with(const struct timespec *since, unsigned workers)
{
	struct generation generation = published();
	struct store_faults faults;
	struct digest *rulesets, *sets;
	size_t ruleset_count = entries_digests(arena, generation.manifest, generation.machine_count, &rulesets);
	size_t set_count = entries_digests(arena, generation.sets, generation.set_count, &sets);

	none(store_look(arena, str_of(out), since, workers, rulesets, ruleset_count, sets, set_count, &faults));
	return faults;
}

static struct store_faults look(void)
{
	return look_with(&mark, 2);
}

static void expect_faults(struct store_faults faults, size_t rulesets, size_t sets, bool links, bool touched)
{
	ck_assert_uint_eq(faults.ruleset_count, rulesets);
	ck_assert_uint_eq(faults.set_count, sets);
	ck_assert_int_eq(faults.links, links);
	ck_assert_int_eq(faults.touched, touched);
}

START_TEST(test_nothing_touched)
{
	publish_and_mark();
	for (unsigned workers = 1; workers <= 4; workers++)
		expect_faults(look_with(&mark, workers), 0, 0, false, false);
}
END_TEST

/* The mark is after what was written before it, and what is written after it is not before it, however fast one comes
 * after the other. */
START_TEST(test_mark)
{
	struct generation generation;
	char hex[65];

	for (unsigned round = 0; round < 20; round++) {
		generation = publish_and_mark();
		expect_faults(look(), 0, 0, false, false);
		digest_hex(&generation.sets[0].digest, hex);
		shell("cd '%s/store/sets' && printf X >>%.2s/%.32s", out, hex, hex);
		expect_faults(look(), 0, 1, false, true);
		publish(first_output(), &first_summary);
	}
}
END_TEST

START_TEST(test_mark_leaves_nothing)
{
	struct store *store;
	struct timespec later;

	publish_and_mark();
	none(store_open(arena, str_of(out), &store));
	none(store_mark(store, &later));
	ck_assert(later.tv_sec > mark.tv_sec || (later.tv_sec == mark.tv_sec && later.tv_nsec > mark.tv_nsec));
	shell("test -z \"$(ls -A '%s/store/new')\"", out);
	store_close(store);
	expect_faults(look(), 0, 0, false, false);
}
END_TEST

/* In OUT, where $a is the folder of the ruleset of machine a, and $s is the set file of web-0.v4. */
static const struct {
	const char *damage;
	size_t rulesets, sets;
	bool links;
} damages[] = {
	{"printf X >>$a/rules.v4", 1, 0, false},
	{"printf X >>$a/rules.v6", 1, 0, false},
	{"printf X >>$a/sets.list", 1, 0, false},
	{": >$a/rules.v6", 1, 0, false},
	{"printf 'FOUR\\n' >$a/rules.v4", 1, 0, false},
	{"rm $a/sets.list", 1, 0, false},
	{"rm -r $a", 1, 0, false},
	{"mv $a elsewhere", 1, 0, false},
	{"c=$(readlink -f machines/c) && mv $a x && mv $c $a && mv x $c", 2, 0, false},
	{"mv $a/rules.v4 x && mv $a/rules.v6 $a/rules.v4 && mv x $a/rules.v6", 1, 0, false},
	{"rm $a/rules.v4 && mkdir $a/rules.v4", 1, 0, false},
	{"rm -r $a && : >$a", 1, 0, false},
	{"rm -r $a && ln -s nowhere $a", 1, 0, false},
	{"cp -p $a/rules.v4 x && printf 'FOUR\\n' >$a/rules.v4 && touch -r x $a/rules.v4", 1, 0, false},
	{"cp -rp $a x && printf 'FOUR\\n' >x/rules.v4 && rm -r $a && mv x $a", 1, 0, false},
	{"rm $a/rules.v4 && mkfifo $a/rules.v4", 1, 0, false},
	{"touch store/rulesets/$(basename $a | cut -c1-2)/other && printf X >>$a/rules.v4", 1, 0, false},
	{"touch store/sets/$(basename $s | cut -c1-2)/other && printf X >>$s", 0, 1, false},
	{"truncate -s 1T $a/rules.v4 || truncate -s 2G $a/rules.v4", 1, 0, false},
	{"truncate -s 1T $s || truncate -s 2G $s", 0, 1, false},
	{"printf X >>$s", 0, 1, false},
	{": >$s", 0, 1, false},
	{"rm $s", 0, 1, false},
	{"rm $s && mkdir $s", 0, 1, false},
	{"t=$(readlink -f sets/web-0.v6) && mv $s x && mv $t $s && mv x $t", 0, 2, false},
	{"rm -r store/sets/*", 0, 2, false},
	{"rm -r store/sets", 0, 2, false},
	{"rm -r store", 2, 2, false},
	{"rm machines/a", 0, 0, true},
	{"ln -sfn ../store/rulesets/00/gone machines/a", 0, 0, true},
	{"ln -s nowhere machines/x", 0, 0, true},
	{"rm sets/web-0.v4", 0, 0, true},
	{"rm -r machines && mkdir machines", 0, 0, true},
	{"rm -r sets", 0, 0, true},
};

START_TEST(test_damage)
{
	publish_and_mark();
	shell("cd '%s' && chmod -R u+w store && a=$(readlink -f machines/a) && s=$(readlink -f sets/web-0.v4) && "
	      "%s",
	      out, damages[_i].damage);
	struct store_faults faults = look();

	expect_faults(faults, damages[_i].rulesets, damages[_i].sets, damages[_i].links, true);
	for (size_t i = 1; i < faults.ruleset_count; i++)
		ck_assert_int_lt(digest_cmp(&faults.rulesets[i - 1], &faults.rulesets[i]), 0);
	for (size_t i = 1; i < faults.set_count; i++)
		ck_assert_int_lt(digest_cmp(&faults.sets[i - 1], &faults.sets[i]), 0);
	/* And it is mended. */
	publish(first_output(), &first_summary);
	none(store_look(arena, str_of(out), &(struct timespec){0}, 2, faults.rulesets, faults.ruleset_count,
	                faults.sets, faults.set_count, &faults));
	ck_assert_uint_eq(faults.ruleset_count + faults.set_count, 0);
	expect_file("machines/a/rules.v4", "four\n");
	expect_file("machines/a/rules.v6", "six\n");
	expect_file("machines/a/sets.list", "web-0.v4\nweb-0.v6\n");
	expect_file("machines/c/rules.v4", "own4\n");
	expect_file("sets/web-0.v4", "create fw4-web-0\n");
	expect_file("sets/web-0.v6", "create fw6-web-0\n");
}
END_TEST

/* Touched, but as it was: nothing to mend, and a new mark is due. */
static const char *const touches[] = {
	"touch $a/rules.v4",
	"chmod 0400 $s",
	"cp -r $a x && rm -r $a && mv x $a",
	"touch store/rulesets/$(basename $a | cut -c1-2)/other",
	"mkdir store/sets/zz",
};

START_TEST(test_touch)
{
	publish_and_mark();
	shell("cd '%s' && a=$(readlink -f machines/a) && s=$(readlink -f sets/web-0.v4) && %s", out, touches[_i]);
	expect_faults(look(), 0, 0, false, true);
}
END_TEST

/* A folder that nothing of ours lies in, and the folder of everything that is new. */
START_TEST(test_not_looked_at)
{
	publish_and_mark();
	shell("cd '%s' && touch store/new/x cache generations/7", out);
	expect_faults(look(), 0, 0, false, false);
}
END_TEST

/* A clock that was set back: everything is read. */
START_TEST(test_clock_behind)
{
	struct timespec ahead = {.tv_sec = time(NULL) + 100};

	publish_and_mark();
	expect_faults(look_with(&ahead, 2), 0, 0, true, true);
	shell("cd '%s' && printf 'FOUR\\n' >machines/a/rules.v4", out);
	expect_faults(look_with(&ahead, 2), 1, 0, true, true);
}
END_TEST

START_TEST(test_no_mark)
{
	publish_and_mark();
	expect_faults(look_with(&(struct timespec){0}, 2), 0, 0, true, true);
}
END_TEST

START_TEST(test_no_output)
{
	struct store_faults faults;

	expect_message(store_look(arena, str_of(out), &mark, 1, NULL, 0, NULL, 0, &faults), "can't open the folder");
}
END_TEST

/* --- the generation's own files --- */

START_TEST(test_generation_whole)
{
	ck_assert_uint_eq(store_current(str_of(out)), 0);
	publish_and_mark();
	ck_assert_uint_eq(store_current(str_of(out)), 1);
	ck_assert(store_generation_whole(str_of(out), 1, &mark));
	ck_assert(!store_generation_whole(str_of(out), 2, &mark));
	/* Touched is not damaged. */
	shell("touch '%s/generations/1/manifest' '%s/generations/1'", out, out);
	ck_assert(store_generation_whole(str_of(out), 1, &mark));
	shell("chmod u+w '%s/generations/1/manifest' && sed -i s/b$/x/ '%s/generations/1/manifest'", out, out);
	ck_assert(!store_generation_whole(str_of(out), 1, &mark));
	shell("ln -sfn nowhere '%s/current'", out);
	ck_assert_uint_eq(store_current(str_of(out)), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_look");
	TCase *look_case = tcase_create("look");

	tcase_add_checked_fixture(look_case, store_setup, store_teardown);
	tcase_set_timeout(look_case, 30);
	tcase_add_test(look_case, test_nothing_touched);
	tcase_add_test(look_case, test_mark);
	tcase_add_test(look_case, test_mark_leaves_nothing);
	tcase_add_loop_test(look_case, test_damage, 0, sizeof damages / sizeof *damages);
	tcase_add_loop_test(look_case, test_touch, 0, sizeof touches / sizeof *touches);
	tcase_add_test(look_case, test_not_looked_at);
	tcase_add_test(look_case, test_clock_behind);
	tcase_add_test(look_case, test_no_mark);
	tcase_add_test(look_case, test_no_output);
	tcase_add_test(look_case, test_generation_whole);
	suite_add_tcase(suite, look_case);

	return suite_main(suite);
}
