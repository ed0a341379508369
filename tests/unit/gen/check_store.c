/* The output tree: what is published, what is kept, what is mended, and what is refused. Reading it is tested in
 * check_store_read.c. valgrind-apart: many small files. */
#include <check.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/parallel.h"
#include "store_fixture.h"
#include "suite_main.h"

START_TEST(test_first)
{
	ck_assert_uint_eq(publish(first_output(), &first_summary), 1);
	char target[100] = "";

	ck_assert_int_gt(readlink(at("current"), target, sizeof target - 1), 0);
	ck_assert_str_eq(target, "generations/1");
	expect_link("machines/a", "../store/rulesets/");
	expect_link("sets/web-0.v4", "../store/sets/");
	expect_file("machines/a/rules.v4", "four\n");
	expect_file("machines/b/rules.v6", "six\n");
	expect_file("machines/b/sets.list", "web-0.v4\nweb-0.v6\n");
	expect_file("machines/c/rules.v4", "own4\n");
	expect_file("sets/web-0.v6", "create fw6-web-0\n");
	ck_assert_uint_eq(inode("machines/a/rules.v4"), inode("machines/b/rules.v4"));
	ck_assert(!exists("store/new/generation") && !exists("store/new/ruleset") && !exists("store/new/set"));
}
END_TEST

/* The digests are what sha256sum says. */
START_TEST(test_sha256sum)
{
	publish(first_output(), &first_summary);
	shell("cd '%s/current' && test \"$(sha256sum manifest sets | sha256sum | cut -d' ' -f1)\" = \"$(sed -n "
	      "'s/^digest //p' summary)\"",
	      out);
	shell("cd '%s' && sed 's#  #  sets/#' current/sets | sha256sum -c --strict --quiet", out);
	shell("cd '%s' && while read -r digest name; do test \"$(cd machines/$name && sha256sum rules.v4 rules.v6 "
	      "sets.list | sha256sum)\" = "
	      "\"$digest  -\" || exit 1; test \"$(basename \"$(readlink machines/$name)\")\" = $(printf %%.32s "
	      "$digest) || "
	      "exit 1; done "
	      "< current/manifest",
	      out);
	shell("cd '%s/current' && sort -c -k2 manifest && LC_ALL=C sort -c summary && grep -q '^[0-9a-f]\\{64\\}  a$' "
	      "manifest",
	      out);
}
END_TEST

START_TEST(test_second)
{
	publish(first_output(), &first_summary);
	struct str manifest = read_whole(at("generations/1/manifest"));
	ino_t kept = inode("machines/a"), changed = inode("sets/web-0.v4"), object = inode("machines/a/rules.v4");

	ck_assert_uint_eq(publish(second_output(), &second_summary), 2);
	ck_assert(published().summary.clock == -1 && published().number == 2);
	ck_assert_uint_eq(inode("machines/a"), kept);
	ck_assert_uint_eq(inode("machines/a/rules.v4"), object);
	ck_assert_uint_ne(inode("sets/web-0.v4"), changed);
	expect_file("sets/web-0.v4", "create fw4-web-0\nadd fw4-web-0 10.0.0.1\n");
	expect_file("sets/db-1.v4", "create fw4-db-1\n");
	expect_file("machines/b/rules.v4", "new4\n");
	ck_assert(!exists("machines/c") && !exists("sets/web-0.v6"));
	/* What was published stays as it was. */
	ck_assert(str_eq(read_whole(at("generations/1/manifest")), manifest));
	ck_assert_uint_eq(publish(first_output(), &first_summary), 3);
	expect_file("machines/c/rules.v4", "own4\n");
	expect_file("sets/web-0.v6", "create fw6-web-0\n");
}
END_TEST

START_TEST(test_nothing_changed)
{
	publish(first_output(), &first_summary);
	ino_t link = inode("machines/a"), current = inode("current");

	ck_assert_uint_eq(publish(first_output(), &first_summary), 0);
	ck_assert_uint_eq(inode("machines/a"), link);
	ck_assert_uint_eq(inode("current"), current);
	ck_assert(!exists("generations/2"));
}
END_TEST

/* What a run left that was killed between `current` and the last link. */
START_TEST(test_links_behind)
{
	publish(first_output(), &first_summary);
	shell("cd '%s' && rm machines/a sets/web-0.v4 && ln -sfn ../store/rulesets/00/gone machines/b && ln -s nowhere "
	      "machines/old "
	      "&& ln -s nowhere sets/old.v4 && echo mine >machines/README",
	      out);
	ck_assert_uint_eq(publish(first_output(), &first_summary), 0);
	expect_file("machines/a/rules.v4", "four\n");
	expect_file("machines/b/rules.v4", "four\n");
	expect_file("sets/web-0.v4", "create fw4-web-0\n");
	ck_assert(!exists("machines/old") && !exists("sets/old.v4"));
	expect_file("machines/README", "mine\n");
}
END_TEST

START_TEST(test_foreign_folder)
{
	struct output output = first_output();
	uint64_t number;

	shell("mkdir -p '%s/machines/a/b'", out);
	struct error *error = try_publish(&output, &first_summary, &number);

	expect_message(error, "the links for people in");
	expect_message(error, "can't put the link machines/a in place");
	ck_assert_uint_eq(published().number, 1);
	shell("rmdir '%s/machines/a/b' '%s/machines/a'", out, out);
	ck_assert_uint_eq(publish(output, &first_summary), 0);
	expect_file("machines/a/rules.v4", "four\n");
}
END_TEST

/* Objects are compared by content, whether they are published or not. */
START_TEST(test_damaged_objects)
{
	struct output output = first_output();
	const char *path = "machines/a";

	publish(output, &first_summary);
	shell("cd '%s' && chmod -R u+w store && printf 'four!' >%s/rules.v4 && rm machines/c/rules.v6 && : "
	      ">sets/web-0.v4 && printf 'CREATE "
	      "fw6-web-0\\n' >sets/web-0.v6",
	      out, path);
	shell("cd '%s' && echo 'FOUR' >machines/b/rules.v4 && echo toomuch >>machines/a/sets.list", out);
	publish(output, &first_summary);
	expect_file("machines/a/rules.v4", "four\n");
	expect_file("machines/c/rules.v6", "own6\n");
	expect_file("sets/web-0.v4", "create fw4-web-0\n");
	expect_file("sets/web-0.v6", "create fw6-web-0\n");
	ck_assert(!exists("store/new/ruleset") && !exists("store/new/set"));
}
END_TEST

START_TEST(test_object_is_no_folder)
{
	publish(first_output(), &first_summary);
	shell("cd '%s' && c=$(readlink -f machines/c) && rm -r \"$c\" && echo x >\"$c\" && s=$(readlink -f "
	      "sets/web-0.v4) && rm \"$s\" && "
	      "mkdir -p \"$s/deep\" && echo x >\"$s/deep/file\"",
	      out);
	publish(first_output(), &first_summary);
	expect_file("machines/c/rules.v4", "own4\n");
	expect_file("sets/web-0.v4", "create fw4-web-0\n");
}
END_TEST

START_TEST(test_left_overs)
{
	publish(first_output(), &first_summary);
	shell("cd '%s/store/new' && mkdir -p ruleset generation/deep && echo x >ruleset/rules.v4 && echo x >set && ln "
	      "-s x link && ln -s x current",
	      out);
	ck_assert_uint_eq(publish(second_output(), &second_summary), 2);
	shell("test -z \"$(ls -A '%s/store/new')\"", out);
}
END_TEST

START_TEST(test_numbers)
{
	struct store *store;
	uint64_t number;

	publish(first_output(), &first_summary);
	none(store_open(arena, str_of(out), &store));
	none(store_next_number(store, 0, &number));
	ck_assert_uint_eq(number, 2);
	none(store_next_number(store, 41, &number));
	ck_assert_uint_eq(number, 42);
	shell("mkdir '%s/generations/50' && touch '%s/generations/x99'", out, out);
	none(store_next_number(store, 41, &number));
	ck_assert_uint_eq(number, 51);
	store_close(store);
	store_close(NULL);
}
END_TEST

START_TEST(test_number_taken)
{
	struct store *store;
	struct output output = first_output();
	struct generation now;

	shell("mkdir -p '%s/generations/1' && touch '%s/generations/1/x'", out, out);
	none(store_open(arena, str_of(out), &store));
	now = generation_for(arena, &output, &first_summary);
	now.number = 1;
	none(put_objects(store, &output));
	expect_message(store_publish(arena, store, &now), "can't make generations/1: File exists");
	shell("test -z \"$(find '%s/store' -type f)\"", out);
	ck_assert(exists("generations/1/x") && !exists("current") && !exists("store/new/generation") &&
	          !exists("store/new/current"));
	store_close(store);
}
END_TEST

/* What was written and not published goes again; what was mended stays. */
START_TEST(test_not_published)
{
	struct store *store;
	struct output output = second_output();
	struct generation before;

	publish(first_output(), &first_summary);
	before = published();
	shell("cd '%s' && rm -r machines/c/rules.v6 && : >sets/web-0.v6 && find store -type f | sort >../before", out);
	none(store_open(arena, str_of(out), &store));
	none(put_objects(store, &output));
	store_close(store);
	shell("cd '%s' && find store -type f | sort | cmp - ../before", out);
	output = first_output();
	none(store_open(arena, str_of(out), &store));
	none(put_objects(store, &output));
	none(store_links(arena, store, &before));
	store_close(store);
	expect_file("machines/c/rules.v6", "own6\n");
	expect_file("sets/web-0.v6", "create fw6-web-0\n");
}
END_TEST

/* --- several threads --- */

struct crowd {
	struct store *store;
	const struct output *output;
};

static struct error *put_one(void *context, unsigned worker, size_t item)
{
	const struct crowd *crowd = context;
	const struct output *output = crowd->output;
	size_t which = item % (output->ruleset_count + output->set_count);

	(void)worker;
	if (which < output->ruleset_count)
		return store_put_ruleset(crowd->store, output->rulesets[which]);
	return store_put_set(crowd->store, &output->sets[which - output->ruleset_count]);
}

static struct output many(unsigned count)
{
	struct output_build build = output_build_new(arena);

	for (unsigned i = 0; i < count; i++) {
		output_build_machine(&build, str_format(arena, "m%u", i),
		                     output_build_ruleset(&build, str_format(arena, "four %u\n", i), STR("six\n"),
		                                          STR("")));
		output_build_set(&build, str_format(arena, "s%u", i), str_format(arena, "create %u\n", i));
	}
	return output_build_done(&build);
}

/* Everything three times, by four threads: each object once, and whole; half of them were there, some damaged. */
START_TEST(test_threads)
{
	struct output output = many(400), half = many(200);
	struct crowd crowd = {.output = &output};
	struct generation now = generation_for(arena, &output, &first_summary);

	publish(half, &first_summary);
	shell("cd '%s/machines' && chmod -R u+w ../store && for i in 1 2 3 4 5 6 7; do echo x >m$i/rules.v4; rm "
	      "m1$i/rules.v6; : >../sets/s$i; rm -r $(readlink m2$i); done",
	      out);
	none(store_open(arena, str_of(out), &crowd.store));
	none(parallel_each(4, 3 * 800, put_one, &crowd));
	none(store_next_number(crowd.store, 0, &now.number));
	none(store_publish(arena, crowd.store, &now));
	none(store_links(arena, crowd.store, &now));
	store_close(crowd.store);
	for (unsigned i = 0; i < 400; i++) {
		struct str text = str_format(arena, "four %u\n", i);

		expect_file(str_c(arena, str_format(arena, "machines/m%u/rules.v4", i)), str_c(arena, text));
		expect_file(str_c(arena, str_format(arena, "machines/m%u/rules.v6", i)), "six\n");
		expect_file(str_c(arena, str_format(arena, "sets/s%u", i)),
		            str_c(arena, str_format(arena, "create %u\n", i)));
	}
	shell("cd '%s/store' && test $(find rulesets -type f | wc -l) = 1200 && test $(find sets -type f | wc -l) = "
	      "400 && "
	      "test -z \"$(ls -A new)\"",
	      out);
}
END_TEST

/* What a killed run leaves half, and what is not published, goes; by several threads as well. */
START_TEST(test_threads_take_back)
{
	struct output output = many(100);
	struct crowd crowd = {.output = &output};

	none(store_open(arena, str_of(out), &crowd.store));
	none(parallel_each(4, 2 * 200, put_one, &crowd));
	store_close(crowd.store);
	shell("cd '%s/store' && test -z \"$(ls -A rulesets sets new | grep -v :)\"", out);
}
END_TEST

/* A folder without some of its files, and one with half of one: as a killed run leaves them. */
START_TEST(test_half_objects)
{
	struct output output = first_output();
	char hex[3][65];

	digest_hex(&output.rulesets[0]->digest, hex[0]);
	digest_hex(&output.rulesets[1]->digest, hex[1]);
	digest_hex(&output.sets[0].digest, hex[2]);
	shell("mkdir -p '%s/store/new' && cd '%s/store' && mkdir -p rulesets/%.2s/%.32s rulesets/%.2s/%.32s sets/%.2s "
	      "&& "
	      "printf fo >rulesets/%.2s/%.32s/rules.v4 && : >sets/%.2s/%.32s && touch new/unpublished",
	      out, out, hex[0], hex[0], hex[1], hex[1], hex[2], hex[1], hex[1], hex[2], hex[2]);
	publish(output, &first_summary);
	expect_file("machines/a/rules.v4", "four\n");
	expect_file("machines/c/sets.list", "");
	expect_file("sets/web-0.v4", "create fw4-web-0\n");
	ck_assert(!exists("store/new/unpublished"));
}
END_TEST

static atomic_bool mended;

static struct error *mend_often(void *context)
{
	struct arena *pass = arena_new();
	struct output output = first_output();
	struct generation generation = published();
	char path[300];

	(void)context;
	snprintf(path, sizeof path, "%s/machines/a/rules.v4", out);
	for (int i = 0; i < 100; i++) {
		struct store *store;

		ck_assert_int_eq(chmod(path, 0600), 0);
		ck_assert_int_eq(truncate(path, i % 5), 0);
		none(store_open(pass, str_of(out), &store));
		none(put_objects(store, &output));
		none(store_links(pass, store, &generation));
		store_close(store);
	}
	atomic_store(&mended, true);
	arena_free(pass);
	return NULL;
}

/* Another file of the damaged object, as an older generation's reader opens it. */
static struct error *read_often(void *context)
{
	const char *path = context;
	char bytes[8];

	while (!atomic_load(&mended)) {
		int file = open(path, O_RDONLY);

		ck_assert_int_ge(file, 0);
		ck_assert_int_eq(read(file, bytes, sizeof bytes), 4);
		ck_assert(memcmp(bytes, "six\n", 4) == 0);
		close(file);
	}
	return NULL;
}

/* Never a moment without it. */
START_TEST(test_mended_in_one_step)
{
	char hex[65], path[400];

	publish(first_output(), &first_summary);
	digest_hex(&published().manifest[0].digest, hex);
	snprintf(path, sizeof path, "%s/store/rulesets/%.2s/%.32s/rules.v6", out, hex, hex);
	none(parallel_both(read_often, path, mend_often, NULL));
}
END_TEST

START_TEST(test_locked)
{
	struct store *store;
	int lock;

	none(store_open(arena, str_of(out), &store));
	lock = open(at(".lock"), O_RDWR);
	ck_assert_int_ge(lock, 0);
	ck_assert_int_eq(flock(lock, LOCK_EX | LOCK_NB), -1);
	store_close(store);
	ck_assert_int_eq(flock(lock, LOCK_EX | LOCK_NB), 0);
	close(lock);
}
END_TEST

START_TEST(test_moved)
{
	publish(first_output(), &first_summary);
	shell("mv '%s' '%s-elsewhere'", out, out);
	strcat(out, "-elsewhere");
	expect_file("machines/a/rules.v4", "four\n");
	ck_assert_uint_eq(published().number, 1);
}
END_TEST

START_TEST(test_permissions)
{
	umask(0027);
	publish(first_output(), &first_summary);
	shell("test -z \"$(find '%s' -type d ! -perm 0750)\" && test -z \"$(find '%s' -type f ! -name .lock ! -perm "
	      "0440)\"",
	      out, out);
}
END_TEST

START_TEST(test_no_folder)
{
	struct store *store;
	struct generation generation;

	shell("echo x >'%s'", out);
	struct error *error = store_open(arena, str_of(out), &store);

	expect_message(error, "can't open the folder");
	ck_assert_uint_gt(error->hint.n, 0);
	expect_message(generation_read(arena, str_of(out), &generation), "Not a directory");
	strcat(out, "/below");
	expect_message(store_open(arena, str_of(out), &store), "can't make the folder");
}
END_TEST

/* As an ordinary user in somebody else's folder. */
START_TEST(test_not_permitted)
{
	struct store *store;

	publish(first_output(), &first_summary);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	else
		shell("chmod -R a-w '%s'", out);
	expect_message(store_open(arena, str_of(out), &store), "Permission denied");
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	else
		shell("chmod -R u+w '%s'", out);
	ck_assert_uint_eq(published().number, 1);
}
END_TEST

/* An output with nothing in it is a generation, too; not having any is not the same. */
START_TEST(test_empty)
{
	struct output nothing = {0};
	const struct summary summary = {0};

	ck_assert_uint_eq(publish(nothing, &summary), 1);
	ck_assert_uint_eq(published().number, 1);
	ck_assert_uint_eq(publish(nothing, &summary), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	TCase *store = tcase_create("store");

	tcase_add_checked_fixture(store, store_setup, store_teardown);
	tcase_set_timeout(store, 30);
	tcase_add_test(store, test_first);
	tcase_add_test(store, test_sha256sum);
	tcase_add_test(store, test_second);
	tcase_add_test(store, test_nothing_changed);
	tcase_add_test(store, test_links_behind);
	tcase_add_test(store, test_foreign_folder);
	tcase_add_test(store, test_damaged_objects);
	tcase_add_test(store, test_object_is_no_folder);
	tcase_add_test(store, test_left_overs);
	tcase_add_test(store, test_numbers);
	tcase_add_test(store, test_number_taken);
	tcase_add_test(store, test_not_published);
	tcase_add_test(store, test_threads);
	tcase_add_test(store, test_threads_take_back);
	tcase_add_test(store, test_half_objects);
	tcase_add_test(store, test_mended_in_one_step);
	tcase_add_test(store, test_locked);
	tcase_add_test(store, test_moved);
	tcase_add_test(store, test_permissions);
	tcase_add_test(store, test_no_folder);
	tcase_add_test(store, test_not_permitted);
	tcase_add_test(store, test_empty);
	suite_add_tcase(suite, store);

	return suite_main(suite);
}
