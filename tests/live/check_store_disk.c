/* The store on disks that are full, read-only, or not one: what was published stays, nothing is left behind, and the
 * next run goes on. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store_rounds.h"
#include "suite_main.h"

/* A small file system of its own over `rounds.home`, gone with this process. False, with a word about it, where that is
 * not permitted. */
static bool mount_small(const char *options)
{
	bool mounted;

	if (geteuid() == 0)
		mounted = unshare(CLONE_NEWNS) == 0;
	else
		mounted = unshare(CLONE_NEWNS | CLONE_NEWUSER) == 0;
	mounted = mounted && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	          mount("none", rounds.home, "tmpfs", 0, options) == 0;
	if (!mounted)
		fprintf(stderr, "no file system can be mounted here: the store was not tried on a full disk\n");
	return mounted;
}

static void expect_refusal(const struct error *error, const char *part)
{
	ck_assert_ptr_nonnull(error);
	ck_assert_int_eq(error->kind, ERROR_SURROUNDINGS);
	ck_assert_msg(memmem(error->message.p, error->message.n, part, strlen(part)) != NULL, "%.*s",
	              STR_ARG(error->message));
	ck_assert_ptr_null(error->next);
	ck_assert_uint_gt(error->hint.n, 0);
}

/* A file that leaves `left` kilobytes. */
static void fill(unsigned left)
{
	char path[300];
	struct statvfs room;

	snprintf(path, sizeof path, "%s/filler", rounds.home);
	int file = open(path, O_RDWR | O_CREAT, 0600);

	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(statvfs(rounds.home, &room), 0);
	off_t size = (off_t)(room.f_bavail * room.f_frsize) - (off_t)left * 1024;

	ck_assert_int_eq(size > 0 ? posix_fallocate(file, 0, size) : 0, 0);
	close(file);
}

static void empty(void)
{
	char path[300];

	snprintf(path, sizeof path, "%s/filler", rounds.home);
	ck_assert(unlink(path) == 0 || errno == ENOENT);
}

/* With 0, 4, 8 … KB left, until it goes through: wherever the disk is full, nothing is left behind. */
START_TEST(test_full_disk)
{
	unsigned refused = 0;
	struct error *error = NULL;

	if (!mount_small("size=4m"))
		return;
	rounds_none(rounds_publish(0, 20));
	size_t files = rounds_count_files("store");

	do {
		uint64_t number = rounds_check_published().number;

		fill(4 * refused);
		error = rounds_publish(1, 20);
		empty();
		struct generation generation = rounds_check_published();

		if (error != NULL) {
			expect_refusal(error, "No space left on device");
			ck_assert_uint_eq(generation.number, number);
			ck_assert_uint_eq(rounds_count_files("store"), files);
			refused++;
		}
		ck_assert_uint_lt(refused, 1000);
		arena_reset(rounds.arena);
	} while (error != NULL);
	ck_assert_msg(refused > 20, "only %u times", refused);
	rounds_mend(1, 20);
}
END_TEST

/* Another generation with the same manifest. */
static void publish_same_machines(void)
{
	struct output output = rounds_make(rounds.arena, 0, 20);
	struct store *store;

	output.sets[0].bytes = STR("create other\n");
	output.sets[0].digest = digest_of(output.sets[0].bytes);
	rounds_none(store_open(rounds.arena, str_of(rounds.out), &store));
	rounds_none(rounds_publish_in(rounds.arena, store, &output));
	store_close(store);
}

START_TEST(test_no_inodes)
{
	if (!mount_small("size=16m,nr_inodes=250"))
		return;
	rounds_none(rounds_publish(0, 20));
	expect_refusal(rounds_publish(1, 400), "No space left on device");
	ck_assert_uint_eq(rounds_check_published().number, 1);
	rounds_mend(2, 20);
}
END_TEST

/* The lists of the generation before can't be linked to from another file system: they are written. */
START_TEST(test_other_file_system)
{
	char before[300], copy[300];

	if (!mount_small("size=16m"))
		return;
	rounds_none(rounds_publish(0, 20));
	snprintf(before, sizeof before, "%s/generations/1", rounds.out);
	snprintf(copy, sizeof copy, "%s/copy", rounds.home);
	rounds_run((const char *const[]){"cp", "-a", before, copy, NULL});
	ck_assert_int_eq(mount("none", before, "tmpfs", 0, "size=1m"), 0);
	rounds_run((const char *const[]){"sh", "-c", "cp -a \"$0\"/* \"$1\"", copy, before, NULL});
	publish_same_machines();
	ck_assert_uint_eq(rounds_check_published().number, 2);
	ck_assert_int_eq(umount2(before, MNT_DETACH), 0);
	rounds_check_published();
}
END_TEST

START_TEST(test_read_only)
{
	if (!mount_small("size=4m"))
		return;
	rounds_none(rounds_publish(0, 20));
	ck_assert_int_eq(mount("none", rounds.home, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	expect_refusal(rounds_publish(1, 20), "Read-only file system");
	ck_assert_uint_eq(rounds_check_published().number, 1);
	ck_assert_int_eq(mount("none", rounds.home, NULL, MS_REMOUNT, NULL), 0);
	rounds_mend(1, 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_disk");
	TCase *disks = tcase_create("disks");

	tcase_add_checked_fixture(disks, rounds_setup, rounds_teardown);
	tcase_set_timeout(disks, 60);
	tcase_add_test(disks, test_full_disk);
	tcase_add_test(disks, test_no_inodes);
	tcase_add_test(disks, test_other_file_system);
	tcase_add_test(disks, test_read_only);
	suite_add_tcase(suite, disks);

	return suite_main(suite);
}
