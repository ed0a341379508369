/* The output tree: what is published, what is kept, what is mended, and what is refused. A real folder under TMPDIR. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/process.h"
#include "fleetwall/store.h"
#include "output_build.h"

static struct arena *arena;
static char home[100], out[200];

static void run_shell(const char *line)
{
	const char *const argv[] = {"sh", "-c", line, NULL};
	struct command command = {.argv = argv};
	struct outcome outcome;

	ck_assert_ptr_null(process_run(arena, &command, &outcome));
	ck_assert_msg(outcome.started && outcome.status == 0, "%s: %.*s%.*s", line, STR_ARG(outcome.output), STR_ARG(outcome.errors));
}

__attribute__((format(printf, 1, 2))) static void shell(const char *format, ...)
{
	char line[2000];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	run_shell(line);
}

static void setup(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(home, sizeof home, "%s/check_store-XXXXXX", base != NULL ? base : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(home));
	snprintf(out, sizeof out, "%s/out", home);
	arena = arena_new();
}

static void teardown(void)
{
	shell("rm -rf '%s'", home);
	arena_free(arena);
	error_forget_all();
}

static const char *at(const char *path)
{
	return str_c(arena, str_format(arena, "%s/%s", out, path));
}

static struct str read_file(const char *path)
{
	static char bytes[4096];
	int file = open(path, O_RDONLY);

	ck_assert_msg(file >= 0, "%s: %s", path, strerror(errno));
	ssize_t n = read(file, bytes, sizeof bytes);

	close(file);
	ck_assert_int_ge(n, 0);
	return str_copy(arena, (struct str){bytes, (size_t)n});
}

static void expect_file(const char *path, const char *text)
{
	struct str bytes = read_file(at(path));

	ck_assert_msg(str_is(bytes, text), "%s: %.*s", path, STR_ARG(bytes));
}

static bool exists(const char *path)
{
	struct stat status;

	return lstat(at(path), &status) == 0;
}

static ino_t inode(const char *path)
{
	struct stat status;

	ck_assert_msg(lstat(at(path), &status) == 0, "%s: %s", path, strerror(errno));
	return status.st_ino;
}

static void expect_link(const char *path, const char *prefix)
{
	char target[200] = "";

	ck_assert_msg(readlink(at(path), target, sizeof target - 1) > 0, "%s", path);
	ck_assert_msg(str_starts(str_of(target), str_of(prefix)), "%s -> %s", path, target);
}

static void none(struct error *error)
{
	struct buf buf = buf_new(arena);

	error_print(&buf, STR("error: "), error);
	ck_assert_msg(error == NULL, "%.*s", STR_ARG(buf_str(&buf)));
}

static struct str message_of(const struct error *error)
{
	ck_assert_ptr_nonnull(error);
	ck_assert_int_eq(error->kind, ERROR_SURROUNDINGS);
	return error->message;
}

static void expect_message(const struct error *error, const char *part)
{
	struct str message = message_of(error);

	ck_assert_msg(memmem(message.p, message.n, part, strlen(part)) != NULL, "%.*s", STR_ARG(message));
}

/* --- two outputs --- */

static struct role_size first_roles[] = {{{"machine:a", 9}, 1}, {{"web", 3}, 2}};
static const struct summary first_summary = {.clock = 1760000000, .machines = 3, .rules = 7, .roles = first_roles, .role_count = 2};
static const struct summary second_summary = {.clock = -1, .machines = 2, .rules = 4};

/* a and b share a ruleset, c has its own; two sets. */
static struct output first_output(void)
{
	struct output_build build = output_build_new(arena);
	struct ruleset *shared = output_build_ruleset(&build, STR("four\n"), STR("six\n"), STR("web-0.v4\nweb-0.v6\n"));
	struct ruleset *own = output_build_ruleset(&build, STR("own4\n"), STR("own6\n"), STR(""));

	output_build_set(&build, STR("web-0.v6"), STR("create fw6-web-0\n"));
	output_build_set(&build, STR("web-0.v4"), STR("create fw4-web-0\n"));
	output_build_machine(&build, STR("c"), own);
	output_build_machine(&build, STR("a"), shared);
	output_build_machine(&build, STR("b"), shared);
	return output_build_done(&build);
}

/* a as before, with another content of web-0.v4; b needs a new set; c is gone, web-0.v6 too. */
static struct output second_output(void)
{
	struct output_build build = output_build_new(arena);
	struct ruleset *shared = output_build_ruleset(&build, STR("four\n"), STR("six\n"), STR("web-0.v4\nweb-0.v6\n"));
	struct ruleset *other = output_build_ruleset(&build, STR("new4\n"), STR("new6\n"), STR("db-1.v4\n"));

	output_build_set(&build, STR("web-0.v4"), STR("create fw4-web-0\nadd fw4-web-0 10.0.0.1\n"));
	output_build_set(&build, STR("db-1.v4"), STR("create fw4-db-1\n"));
	output_build_machine(&build, STR("a"), shared);
	output_build_machine(&build, STR("b"), other);
	return output_build_done(&build);
}

/* What generate does. Gives the number, or 0 when there was nothing to publish. */
static struct error *try_publish(const struct output *output, const struct summary *summary, uint64_t *number)
{
	struct store *store;
	struct generation before, now;

	TRY(store_open(arena, str_of(out), &store));
	struct error *error = generation_read(arena, str_of(out), &before);

	generation_of(arena, output, summary, &now);
	*number = 0;
	if (error == NULL)
		error = store_write_objects(arena, store, output, &before);
	if (error == NULL && generation_same(&before, &now))
		error = store_links(arena, store, &before);
	else if (error == NULL) {
		error = store_next_number(store, before.number, &now.number);
		*number = now.number;
		if (error == NULL)
			error = store_publish(arena, store, &now);
	}
	store_close(store);
	return error;
}

static uint64_t publish(struct output output, const struct summary *summary)
{
	uint64_t number;

	none(try_publish(&output, summary, &number));
	return number;
}

static struct generation published(void)
{
	struct generation generation;

	none(generation_read(arena, str_of(out), &generation));
	return generation;
}

static const char *ruleset_path(const char *machine)
{
	return str_c(arena, str_format(arena, "machines/%s", machine));
}

/* --- tests --- */

START_TEST(test_nothing)
{
	struct generation generation = published();

	ck_assert_uint_eq(generation.number, 0);
	ck_assert_uint_eq(generation.machine_count, 0);
	ck_assert(!exists("."));
}
END_TEST

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
	shell("cd '%s/current' && test \"$(sha256sum manifest sets | sha256sum | cut -d' ' -f1)\" = \"$(sed -n 's/^digest //p' summary)\"", out);
	shell("cd '%s' && sed 's#  #  sets/#' current/sets | sha256sum -c --strict --quiet", out);
	shell("cd '%s' && while read -r digest name; do test \"$(cd machines/$name && sha256sum rules.v4 rules.v6 sets.list | sha256sum)\" = "
	      "\"$digest  -\" || exit 1; test \"$(basename \"$(readlink machines/$name)\")\" = $digest || exit 1; done < current/manifest", out);
	shell("cd '%s/current' && sort -c -k2 manifest && LC_ALL=C sort -c summary && grep -q '^[0-9a-f]\\{64\\}  a$' manifest", out);
}
END_TEST

START_TEST(test_read_back)
{
	struct output output = first_output();
	struct generation made, read;

	publish(output, &first_summary);
	read = published();
	generation_of(arena, &output, &first_summary, &made);
	ck_assert(generation_same(&made, &read));
	ck_assert_uint_eq(read.number, 1);
	ck_assert_uint_eq(read.machine_count, 3);
	ck_assert(str_is(read.manifest[2].name, "c"));
	ck_assert_uint_eq(read.set_count, 2);
	ck_assert_int_eq(read.summary.clock, 1760000000);
	ck_assert_uint_eq(read.summary.machines, 3);
	ck_assert_uint_eq(read.summary.rules, 7);
	ck_assert_uint_eq(read.summary.role_count, 2);
	ck_assert(str_is(read.summary.roles[0].role, "machine:a") && read.summary.roles[1].members == 2);
}
END_TEST

START_TEST(test_second)
{
	publish(first_output(), &first_summary);
	struct str manifest = read_file(at("generations/1/manifest"));
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
	ck_assert(str_eq(read_file(at("generations/1/manifest")), manifest));
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
	shell("cd '%s' && rm machines/a sets/web-0.v4 && ln -sfn ../store/rulesets/00/gone machines/b && ln -s nowhere machines/old "
	      "&& ln -s nowhere sets/old.v4 && echo mine >machines/README", out);
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

	expect_message(error, "generation 1 is published, but");
	expect_message(error, "can't put the link machines/a in place");
	ck_assert_uint_eq(published().number, 1);
	shell("rmdir '%s/machines/a/b' '%s/machines/a'", out, out);
	ck_assert_uint_eq(publish(output, &first_summary), 0);
	expect_file("machines/a/rules.v4", "four\n");
}
END_TEST

/* Objects that no published generation lists are compared by content; those that one lists, by size. */
START_TEST(test_damaged_objects)
{
	struct output output = first_output();
	const char *path = ruleset_path("a");

	publish(output, &first_summary);
	shell("cd '%s' && printf 'four!' >%s/rules.v4 && rm machines/c/rules.v6 && : >sets/web-0.v4 && printf 'CREATE fw6-web-0\\n' >sets/web-0.v6",
	      out, path);
	shell("cd '%s' && echo 'FOUR' >machines/b/rules.v4 && echo toomuch >>machines/a/sets.list", out);
	publish(output, &first_summary);
	expect_file("machines/a/rules.v4", "four\n");
	expect_file("machines/c/rules.v6", "own6\n");
	expect_file("sets/web-0.v4", "create fw4-web-0\n");
	expect_file("sets/web-0.v6", "CREATE fw6-web-0\n"); /* trusted */
	shell("cd '%s' && rm current", out);
	publish(output, &first_summary);
	expect_file("sets/web-0.v6", "create fw6-web-0\n"); /* not any more */
	ck_assert(!exists("store/new/ruleset") && !exists("store/new/set"));
}
END_TEST

START_TEST(test_object_is_no_folder)
{
	publish(first_output(), &first_summary);
	shell("cd '%s' && c=$(readlink -f machines/c) && rm -r \"$c\" && echo x >\"$c\" && s=$(readlink -f sets/web-0.v4) && rm \"$s\" && "
	      "mkdir -p \"$s/deep\" && echo x >\"$s/deep/file\"", out);
	publish(first_output(), &first_summary);
	expect_file("machines/c/rules.v4", "own4\n");
	expect_file("sets/web-0.v4", "create fw4-web-0\n");
}
END_TEST

START_TEST(test_left_overs)
{
	publish(first_output(), &first_summary);
	shell("cd '%s/store/new' && mkdir -p ruleset generation/deep && echo x >ruleset/rules.v4 && echo x >set && ln -s x link && ln -s x current", out);
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
	struct generation before = {0}, now;

	shell("mkdir -p '%s/generations/1' && touch '%s/generations/1/x'", out, out);
	none(store_open(arena, str_of(out), &store));
	generation_of(arena, &output, &first_summary, &now);
	now.number = 1;
	none(store_write_objects(arena, store, &output, &before));
	expect_message(store_publish(arena, store, &now), "can't make generations/1: File exists");
	ck_assert(exists("generations/1/x") && !exists("current") && !exists("store/new/generation") && !exists("store/new/current"));
	store_close(store);
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
	shell("test -z \"$(find '%s' -type d ! -perm 0750)\" && test -z \"$(find '%s' -type f ! -perm 0640)\"", out, out);
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

static const struct {
	const char *damage; /* in OUT/current */
	const char *message;
} damages[] = {
	{"sed -i 's/  b$/  bb/' manifest", "manifest and sets are not those that were published"},
	{": >sets", "manifest and sets are not those that were published"},
	{"printf '%s' \"$(cat manifest)\" >m && mv m manifest", "manifest, line 3: this is not what fleetwall wrote"},
	{"tac manifest >m && mv m manifest", "manifest, line 2: this is not what fleetwall wrote"},
	{"sed -i p sets", "sets, line 2: this is not what fleetwall wrote"},
	{"sed -i 's/  a$/ a/' manifest", "manifest, line 1: this is not what fleetwall wrote"},
	{"sed -i 's#  a$#  ../a#' manifest", "manifest, line 1: this is not what fleetwall wrote"},
	{"sed -i 's/  a$/  ./' manifest", "manifest, line 1: this is not what fleetwall wrote"},
	{"sed -i '2s/^./X/' manifest", "manifest, line 2: this is not what fleetwall wrote"},
	{"echo >>manifest", "manifest, line 4: this is not what fleetwall wrote"},
	{"rm manifest", "can't open manifest"},
	{"rm sets; mkdir sets", "sets is not a file"},
	{"sed -i /digest/d summary", "summary: lines are missing"},
	{": >summary", "summary: lines are missing"},
	{"sed -i 's/^machines.*/machines -3/' summary", "summary, line 3: this is not what fleetwall wrote"},
	{"sed -i 's/^clock.*/clock soon/' summary", "summary, line 1: this is not what fleetwall wrote"},
	{"sed -i 's/^role web.*/role a 3/' summary", "summary, line 5: this is not what fleetwall wrote"},
	{"sed -i 's/^role web.*/role web/' summary", "summary, line 5: this is not what fleetwall wrote"},
	{"echo 'more 1' >>summary", "summary, line 7: this is not what fleetwall wrote"},
	{"cd ..; rm -r 1", "can't open the folder generations/1"},
	{"cd ../..; ln -sfn store/rulesets current", "current leads to store/rulesets, which is no generation"},
	{"cd ../..; ln -sfn generations/x current", "current leads to generations/x, which is no generation"},
	{"cd ../..; rm current; mkdir current", "can't read the link current"},
};

START_TEST(test_damaged_generation)
{
	struct generation generation;

	publish(first_output(), &first_summary);
	shell("cd -P '%s/current' && %s", out, damages[_i].damage);
	struct error *error = generation_read(arena, str_of(out), &generation);

	expect_message(error, damages[_i].message);
	expect_message(error, "output folder ");
	ck_assert_uint_gt(error->hint.n, 0);
}
END_TEST

START_TEST(test_read_objects)
{
	struct output output = first_output();
	struct generation generation;
	struct str rules[2], sets_list, bytes;

	publish(output, &first_summary);
	generation = published();
	none(store_read_ruleset(arena, str_of(out), &generation.manifest[0].digest, rules, &sets_list));
	ck_assert(str_is(rules[0], "four\n") && str_is(rules[1], "six\n") && str_is(sets_list, "web-0.v4\nweb-0.v6\n"));
	none(store_read_set(arena, str_of(out), &generation.sets[1].digest, &bytes));
	ck_assert(str_is(bytes, "create fw6-web-0\n"));
	shell("cd '%s' && echo FOUR >machines/a/rules.v4 && echo X >sets/web-0.v6", out);
	expect_message(store_read_ruleset(arena, str_of(out), &generation.manifest[0].digest, rules, &sets_list), "is not what its name says");
	expect_message(store_read_set(arena, str_of(out), &generation.sets[1].digest, &bytes), "is not what its name says");
	expect_message(store_read_set(arena, str_of(out), &generation.manifest[0].digest, &bytes), "No such file");
}
END_TEST

START_TEST(test_compare)
{
	struct output first = first_output(), second = second_output();
	struct generation before, after;
	struct difference *found;

	generation_of(arena, &first, &first_summary, &before);
	generation_of(arena, &second, &second_summary, &after);
	ck_assert_uint_eq(entries_compare(arena, before.manifest, 3, after.manifest, 2, &found), 2);
	ck_assert(found[0].sign == '~' && str_is(found[0].name, "b") && found[1].sign == '-' && str_is(found[1].name, "c"));
	ck_assert_uint_eq(entries_compare(arena, before.sets, 2, after.sets, 2, &found), 3);
	ck_assert(found[0].sign == '+' && str_is(found[0].name, "db-1.v4") && found[1].sign == '~' && found[2].sign == '-');
	ck_assert_uint_eq(entries_compare(arena, before.sets, 2, before.sets, 2, &found), 0);
	ck_assert_uint_eq(entries_compare(arena, NULL, 0, before.sets, 2, &found), 2);
	ck_assert(!generation_same(&before, &after));
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

	tcase_add_checked_fixture(store, setup, teardown);
	tcase_set_timeout(store, 30);
	tcase_add_test(store, test_nothing);
	tcase_add_test(store, test_first);
	tcase_add_test(store, test_sha256sum);
	tcase_add_test(store, test_read_back);
	tcase_add_test(store, test_second);
	tcase_add_test(store, test_nothing_changed);
	tcase_add_test(store, test_links_behind);
	tcase_add_test(store, test_foreign_folder);
	tcase_add_test(store, test_damaged_objects);
	tcase_add_test(store, test_object_is_no_folder);
	tcase_add_test(store, test_left_overs);
	tcase_add_test(store, test_numbers);
	tcase_add_test(store, test_number_taken);
	tcase_add_test(store, test_locked);
	tcase_add_test(store, test_moved);
	tcase_add_test(store, test_permissions);
	tcase_add_test(store, test_no_folder);
	tcase_add_test(store, test_not_permitted);
	tcase_add_loop_test(store, test_damaged_generation, 0, sizeof damages / sizeof *damages);
	tcase_add_test(store, test_read_objects);
	tcase_add_test(store, test_compare);
	tcase_add_test(store, test_empty);
	suite_add_tcase(suite, store);
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
