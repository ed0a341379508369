/* Files of rule lines, and files as such. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"

static struct arena *arena;
static struct error *warnings;
static char folder[64];

static void setup(void)
{
	arena = arena_new();
	warnings = NULL;
	strcpy(folder, "/tmp/fleetwall-files-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
	rmdir(folder);
	arena_free(arena);
	error_forget_all();
}

static bool holds(struct str s, const char *part)
{
	return memmem(s.p == NULL ? "" : s.p, s.n, part, strlen(part)) != NULL;
}

static struct str path(const char *name)
{
	return str_format(arena, "%s/%s", folder, name);
}

/* --- rules --- */

/* The oldest example there is. */
START_TEST(reads_the_seed)
{
	struct role_rule *rules;
	size_t count;

	ck_assert_ptr_null(rules_read(arena, STR("seed"),
	                              STR("DENY ALL\nALLOW 22/TCP FROM ALL\nALLOW 5606/TCP FROM 10.*.*.*\n"), &rules,
	                              &count, &warnings));
	ck_assert_uint_eq(count, 2);
	ck_assert(str_is(rules[0].text, "allow 22/tcp"));
	ck_assert(str_is(rules[1].text, "allow 5606/tcp from 10.0.0.0/8"));
	ck_assert_uint_eq(rules[1].place.line, 3);
	ck_assert(rules[1].enabled);
	ck_assert_ptr_null(warnings);
}
END_TEST

START_TEST(reads_blank_lines_comments_and_crlf)
{
	struct role_rule *rules;
	size_t count;

	ck_assert_ptr_null(rules_read(arena, STR("f"),
	                              STR("\xef\xbb\xbf# head\r\n\r\n  allow 22/tcp\t# ssh\r\n   \nallow 80"), &rules,
	                              &count, &warnings));
	ck_assert_uint_eq(count, 2);
	ck_assert(str_is(rules[0].rule.comment, "ssh"));
	ck_assert_uint_eq(error_count(warnings), 1);
	ck_assert_uint_eq(warnings->place.line, 5);
	ck_assert(str_is(warnings->place.file, "f"));
	ck_assert_ptr_null(rules_read(arena, STR("f"), STR(""), &rules, &count, &warnings));
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(lines_that_repeat_count_once)
{
	struct role_rule *rules;
	size_t count;
	struct error *error;

	ck_assert_ptr_null(rules_read(arena, STR("f"),
	                              STR("allow 80/tcp\nallow 22/tcp # a\nALLOW 80/tcp\nallow 22/tcp #a"), &rules,
	                              &count, &warnings));
	ck_assert_uint_eq(count, 2);
	ck_assert(str_is(rules[0].text, "allow 22/tcp"));
	error = rules_read(arena, STR("f"), STR("allow 22/tcp # a\nallow 80/tcp\nallow 22/tcp # b"), &rules, &count,
	                   &warnings);
	ck_assert_uint_eq(error_count(error), 1);
	ck_assert_uint_eq(error->place.line, 3);
	ck_assert(str_is(error->hint, "it is given first in f:1"));
}
END_TEST

/* Under ssh it is a socket, which can't be opened by name. */
START_TEST(reads_standard_input)
{
	struct str text;
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	ck_assert_int_eq(write(ends[1], "abc", 3), 3);
	close(ends[1]);
	ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	ck_assert_ptr_null(file_read(arena, STR("/dev/stdin"), &text));
	ck_assert(str_is(text, "abc"));
}
END_TEST

START_TEST(shows_all_faults_with_places)
{
	static const unsigned lines[] = {1, 2, 4}, columns[] = {19, 7, 8};
	struct role_rule *rules;
	size_t count, i = 0;
	struct error *error = rules_read(
		arena, STR("f"), STR("allow 22/tcp from 10.0.0.1/8\nallow 99999/tcp\nallow 80/tcp\nallow 2\0/tcp\n"),
		&rules, &count, &warnings);

	for (const struct error *e = error; e != NULL; e = e->next, i++) {
		ck_assert_uint_lt(i, 3);
		ck_assert_uint_eq(e->place.line, lines[i]);
		ck_assert_uint_eq(e->place.column, columns[i]);
		ck_assert(str_is(e->place.file, "f"));
	}
	ck_assert_uint_eq(i, 3);
	ck_assert(str_is(error->place.text, "allow 22/tcp from 10.0.0.1/8"));
}
END_TEST

/* --- files --- */

static void put(const char *name, struct str text)
{
	FILE *file = fopen(str_c(arena, path(name)), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text.p, 1, text.n, file), text.n);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(reads_whole_files)
{
	struct str text, large = {NULL, 300000};
	char *bytes = arena_alloc(arena, large.n);

	memset(bytes, 'x', large.n);
	large.p = bytes;
	put("small", STR("a\0b\n"));
	ck_assert_ptr_null(file_read(arena, path("small"), &text));
	ck_assert(str_eq(text, STR("a\0b\n")));
	put("small", STR(""));
	ck_assert_ptr_null(file_read(arena, path("small"), &text));
	ck_assert_uint_eq(text.n, 0);
	put("small", large);
	ck_assert_ptr_null(file_read(arena, path("small"), &text));
	ck_assert(str_eq(text, large));
	ck_assert_int_eq(unlink(str_c(arena, path("small"))), 0);
}
END_TEST

/* A pipe has no size beforehand. */
START_TEST(reads_pipes)
{
	const char *fifo = str_c(arena, path("fifo"));
	struct str text;
	pid_t child;

	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		int descriptor = open(fifo, O_WRONLY);
		char block[1000];

		memset(block, 'y', sizeof block);
		for (int i = 0; i < 200; i++)
			if (write(descriptor, block, sizeof block) != (ssize_t)sizeof block)
				_exit(1);
		_exit(0);
	}
	ck_assert_ptr_null(file_read(arena, path("fifo"), &text));
	ck_assert_uint_eq(text.n, 200000);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_int_eq(unlink(fifo), 0);
}
END_TEST

START_TEST(says_what_is_no_file)
{
	struct str text;
	struct error *error;

	error = file_read(arena, path("absent"), &text);
	ck_assert_int_eq(error->kind, ERROR_UNKNOWN);
	ck_assert(holds(error->message, "there is no file"));
	error = file_read(arena, str_of(folder), &text);
	ck_assert_int_eq(error->kind, ERROR_INPUT);
	ck_assert(holds(error->message, "is a folder") && holds(error->hint, "--csv"));
	error = file_read(arena, STR("/dev/zero"), &text);
	ck_assert_int_eq(error->kind, ERROR_INPUT);
	ck_assert(holds(error->message, "no regular file"));
	ck_assert_int_eq(file_read(arena, STR(""), &text)->kind, ERROR_INPUT);
	ck_assert_int_eq(file_read(arena, STR("a\0b"), &text)->kind, ERROR_INPUT);
}
END_TEST

/* Sparse, so that it takes no room. */
START_TEST(refuses_what_is_too_large)
{
	const char *name = str_c(arena, path("large"));
	struct str text;
	struct error *error;

	put("large", STR(""));
	ck_assert_int_eq(truncate(name, ((off_t)1 << 30) + 1), 0);
	error = file_read(arena, path("large"), &text);
	ck_assert_int_eq(error->kind, ERROR_INPUT);
	ck_assert(holds(error->message, "larger than 1 GiB"));
	ck_assert_int_eq(unlink(name), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("document_files");
	TCase *rules = tcase_create("rules"), *files = tcase_create("files");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(rules, setup, teardown);
	tcase_add_test(rules, reads_the_seed);
	tcase_add_test(rules, reads_blank_lines_comments_and_crlf);
	tcase_add_test(rules, lines_that_repeat_count_once);
	tcase_add_test(rules, shows_all_faults_with_places);
	tcase_add_checked_fixture(files, setup, teardown);
	tcase_add_test(files, reads_whole_files);
	tcase_add_test(files, reads_pipes);
	tcase_add_test(files, reads_standard_input);
	tcase_add_test(files, says_what_is_no_file);
	tcase_add_test(files, refuses_what_is_too_large);
	suite_add_tcase(suite, rules);
	suite_add_tcase(suite, files);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
