/* Whole files: what is read, and what is refused without waiting for it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/file.h"

#include "suite_main.h"

static char folder[64];

static void setup(void)
{
	strcpy(folder, "/tmp/fleetwall-files-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
	ck_assert_int_eq(rmdir(folder), 0);
}

static bool holds(struct str s, const char *part)
{
	return memmem(s.p == NULL ? "" : s.p, s.n, part, strlen(part)) != NULL;
}

static struct str path(const char *name)
{
	return str_format(arena, "%s/%s", folder, name);
}

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

/* What a shell's <(…) gives: a pipe, which has no size beforehand. */
START_TEST(reads_given_descriptors)
{
	char block[30000];
	struct str text;
	int ends[2];

	memset(block, 'y', sizeof block);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], block, sizeof block), (ssize_t)sizeof block);
	close(ends[1]);
	ck_assert_ptr_null(file_read(arena, str_format(arena, "/dev/fd/%d", ends[0]), &text));
	ck_assert(str_eq(text, (struct str){block, sizeof block}));
	ck_assert_ptr_null(file_read(arena, str_format(arena, "/proc/self/fd/%d", ends[0]), &text));
	ck_assert_uint_eq(text.n, 0);
	close(ends[0]);
	ck_assert_int_eq(file_read(arena, str_format(arena, "/dev/fd/%d", ends[0]), &text)->kind, ERROR_UNKNOWN);
}
END_TEST

START_TEST(follows_links)
{
	struct str text;

	put("small", STR("abc"));
	ck_assert_int_eq(symlink("small", str_c(arena, path("link"))), 0);
	ck_assert_ptr_null(file_read(arena, path("link"), &text));
	ck_assert(str_is(text, "abc"));
	ck_assert_int_eq(unlink(str_c(arena, path("small"))), 0);
	ck_assert_int_eq(file_read(arena, path("link"), &text)->kind, ERROR_UNKNOWN);
	ck_assert_int_eq(unlink(str_c(arena, path("link"))), 0);
}
END_TEST

/* Nobody writes into the pipe: who waits, waits for ever. */
START_TEST(waits_for_nothing)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
	struct str text;

	ck_assert_int_eq(mkfifo(str_c(arena, path("fifo")), 0600), 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", folder);
	ck_assert_int_eq(bind(descriptor, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(symlink("fifo", str_c(arena, path("link"))), 0);
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = {"link", "fifo", "socket"};
		struct error *error = file_read(arena, path(names[i]), &text);

		ck_assert_int_eq(error->kind, ERROR_INPUT);
		ck_assert(holds(error->message, "is no regular file"));
		ck_assert(holds(error->hint, "/dev/stdin"));
		ck_assert_int_eq(unlink(str_c(arena, path(names[i]))), 0);
	}
	close(descriptor);
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
	ck_assert(holds(error->message, "is a folder"));
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

/* One fault, with the line of the first. */
START_TEST(text_has_no_zero_byte)
{
	struct str text;
	struct error *error;

	put("text", STR("a\nb\n"));
	ck_assert_ptr_null(file_text(arena, path("text"), &text));
	ck_assert(str_eq(text, STR("a\nb\n")));
	put("text", STR("a\nb\0\n\0\n"));
	error = file_text(arena, path("text"), &text);
	ck_assert_int_eq(error->kind, ERROR_INPUT);
	ck_assert(str_eq(error->place.file, path("text")));
	ck_assert_uint_eq(error->place.line, 2);
	ck_assert(holds(error->message, "a NUL byte"));
	ck_assert_ptr_null(error->next);
	ck_assert_int_eq(unlink(str_c(arena, path("text"))), 0);
	ck_assert_int_eq(file_text(arena, path("text"), &text)->kind, ERROR_UNKNOWN);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("file");
	TCase *files = tcase_create("files");

	tcase_add_checked_fixture(files, arena_setup, arena_teardown);
	tcase_add_checked_fixture(files, setup, teardown);
	tcase_add_test(files, reads_whole_files);
	tcase_add_test(files, reads_standard_input);
	tcase_add_test(files, reads_given_descriptors);
	tcase_add_test(files, follows_links);
	tcase_add_test(files, waits_for_nothing);
	tcase_add_test(files, says_what_is_no_file);
	tcase_add_test(files, refuses_what_is_too_large);
	tcase_add_test(files, text_has_no_zero_byte);
	suite_add_tcase(suite, files);
	return suite_main(suite);
}
