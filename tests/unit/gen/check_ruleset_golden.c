/* Golden files: each document of tests/golden, and the fleet that uses everything, becomes the files that stand beside
 * it, byte for byte. Started with --update it writes them instead. No database and no kernel takes part. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "make_output.h"
#include "suite_main.h"

#define FOLDER "tests/golden"

static const struct {
	const char *name, *document;
} cases[] = {
	{"seed", FOLDER "/seed.conf"},
	{"plain", FOLDER "/plain.conf"},
	{"management", FOLDER "/management.conf"},
	{"every", "tests/fleets/every.conf"},
};
#define CASES ((int)(sizeof cases / sizeof *cases))

/* What a case should be, as files below its folder. */
struct golden_file {
	struct str path, bytes;
};

struct golden_files {
	struct golden_file *items;
	size_t count, capacity;
};

static void add(struct golden_files *files, struct str bytes, struct str path)
{
	APPEND(arena, files, ((struct golden_file){path, bytes}));
}

static void add_ruleset(struct golden_files *files, const struct ruleset *ruleset)
{
	struct str name = ruleset->example->name;

	add(files, ruleset->rules[0], str_format(arena, "machines/%.*s/rules.v4", STR_ARG(name)));
	add(files, ruleset->rules[1], str_format(arena, "machines/%.*s/rules.v6", STR_ARG(name)));
	add(files, ruleset->sets_list, str_format(arena, "machines/%.*s/sets.list", STR_ARG(name)));
}

/* Which machine has which ruleset: its digest and the folder that shows it. */
static struct str manifest(const struct output *output)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < output->machine_count; i++) {
		const struct machine_ruleset *given = &output->machines[i];
		char hex[65];

		digest_hex(&given->ruleset->digest, hex);
		buf_format(&buf, "%s  %.*s  as %.*s\n", hex, STR_ARG(given->machine->name),
		           STR_ARG(given->ruleset->example->name));
	}
	return buf_str(&buf);
}

static struct golden_files make_case(int number)
{
	struct golden_files files = {0};
	struct str text, path = {cases[number].document, strlen(cases[number].document)};
	struct made made;
	struct error *error = file_read(arena, path, &text);

	if (error == NULL)
		error = make_output(arena, path, text, &made);
	none(error);
	for (size_t i = 0; i < made.output.ruleset_count; i++)
		add_ruleset(&files, made.output.rulesets[i]);
	for (size_t i = 0; i < made.output.set_count; i++)
		add(&files, made.output.sets[i].bytes,
		    str_format(arena, "sets/%.*s", STR_ARG(made.output.sets[i].name)));
	add(&files, manifest(&made.output), STR("manifest"));
	return files;
}

static struct str case_path(int number, struct str below)
{
	return str_format(arena, FOLDER "/%s/%.*s", cases[number].name, STR_ARG(below));
}

/* --- comparing --- */

static size_t found;

static int count_file(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)path;
	(void)status;
	(void)walk;
	found += kind == FTW_F;
	return 0;
}

static void first_difference(struct str path, struct str expected, struct str made)
{
	unsigned line = 0;
	struct str a = {0}, b = {0};

	while (line++, true) {
		bool more = str_cut(&expected, '\n', &a), other = str_cut(&made, '\n', &b);

		if (!more || !other || !str_eq(a, b))
			break;
	}
	ck_abort_msg("%.*s:%u\n  expected: %.*s\n  made:     %.*s", STR_ARG(path), line, STR_ARG(a), STR_ARG(b));
}

START_TEST(golden_case)
{
	struct golden_files files = make_case(_i);

	for (size_t i = 0; i < files.count; i++) {
		struct str path = case_path(_i, files.items[i].path), expected;
		struct error *error = file_read(arena, path, &expected);

		none(error);
		if (!str_eq(expected, files.items[i].bytes))
			first_difference(path, expected, files.items[i].bytes);
	}
	found = 0;
	ck_assert_int_eq(nftw(str_c(arena, case_path(_i, STR(""))), count_file, 16, FTW_PHYS), 0);
	ck_assert_msg(found == files.count, "%s: %zu files stand there, and %zu are made", cases[_i].name, found,
	              files.count);
}
END_TEST

/* The same document gives the same bytes again. */
START_TEST(made_twice)
{
	struct golden_files once = make_case(_i), again = make_case(_i);

	ck_assert_uint_eq(once.count, again.count);
	for (size_t i = 0; i < once.count; i++) {
		ck_assert(str_eq(once.items[i].path, again.items[i].path));
		ck_assert(str_eq(once.items[i].bytes, again.items[i].bytes));
	}
}
END_TEST

/* --- updating --- */

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

static int make_parents(char *path)
{
	for (char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0777) != 0 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return 0;
}

static int write_file(struct str path, struct str bytes)
{
	char *name = str_c(arena, path);
	FILE *file = make_parents(name) == 0 ? fopen(name, "w") : NULL;
	bool good;

	if (file == NULL)
		return perror(name), -1;
	good = fwrite(bytes.p, 1, bytes.n, file) == bytes.n;
	if (fclose(file) != 0 || !good)
		return perror(name), -1;
	return 0;
}

static int update(void)
{
	arena_setup();
	for (int i = 0; i < CASES; i++) {
		struct golden_files files = make_case(i);

		nftw(str_c(arena, case_path(i, STR(""))), remove_one, 16, FTW_PHYS | FTW_DEPTH);
		for (size_t k = 0; k < files.count; k++)
			if (write_file(case_path(i, files.items[k].path), files.items[k].bytes) != 0)
				return 3;
		printf("%s: %zu files\n", cases[i].name, files.count);
	}
	arena_teardown();
	return 0;
}

static Suite *suite(void)
{
	Suite *s = suite_create("golden");
	TCase *tcase = tcase_create("golden");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_loop_test(tcase, golden_case, 0, CASES);
	tcase_add_loop_test(tcase, made_twice, 0, CASES);
	tcase_set_timeout(tcase, 30);
	suite_add_tcase(s, tcase);
	return s;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--update") == 0)
		return update();

	return suite_main(suite());
}
