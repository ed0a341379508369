/* The store under fire: killed at every system call and at random moments, on a disk that is full, on one that is
 * read-only. What was published must stay whole, every link must lead to something complete at any moment, and the next
 * run must mend what is left. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/parallel.h"
#include "fleetwall/process.h"
#include "fleetwall/store.h"
#include "output_build.h"

/* How often runs are killed, at system calls and at random moments; STORE_KILLS says otherwise. With 10000 it is at
 * every system call. */
static unsigned kills(void)
{
	const char *wanted = getenv("STORE_KILLS");

	return wanted != NULL && atoi(wanted) > 0 ? (unsigned)atoi(wanted) : 60;
}

static struct arena *arena;
static char home[200], out[250];
static unsigned workers = 2;

/* In memory where that can be had: what is tried here is the order of things, not the disk. */
static const char *base_folder(void)
{
	const char *base = getenv("TMPDIR");

	if (access("/dev/shm", W_OK | X_OK) == 0)
		return "/dev/shm";
	return base != NULL ? base : "/tmp";
}

static void setup(void)
{
	snprintf(home, sizeof home, "%s/check_store_kill-XXXXXX", base_folder());
	ck_assert_ptr_nonnull(mkdtemp(home));
	snprintf(out, sizeof out, "%s/out", home);
	arena = arena_new();
}

static void run(const char *const *argv)
{
	struct command command = {.argv = argv};
	struct outcome outcome;

	ck_assert_ptr_null(process_run(arena, &command, &outcome));
	ck_assert_msg(outcome.started && outcome.status == 0, "%s: %.*s%.*s", argv[0], STR_ARG(outcome.output),
	              STR_ARG(outcome.errors));
}

static void teardown(void)
{
	(void)umount2(home, MNT_DETACH);
	run((const char *const[]){"rm", "-rf", home, NULL});
	arena_free(arena);
	error_forget_all();
}

static void none(const struct error *error)
{
	struct buf buf = buf_new(arena);

	error_print(&buf, STR(""), error);
	ck_assert_msg(error == NULL, "%.*s", STR_ARG(buf_str(&buf)));
}

/* --- outputs --- */

/* `machines` machines in half as many rulesets, each with a set of its own and one of a few shared ones. Every round
 * has other contents; each second set and each fifth machine come and go. */
static struct output make(struct arena *to, unsigned round, unsigned machines)
{
	struct output_build build = output_build_new(to);
	struct ruleset *ruleset = NULL;

	for (unsigned i = 0; i < machines; i++) {
		if (i % 5 == round % 5)
			continue;
		struct str set = str_format(to, "set-%u-%u.v4", i / 2, i % 4 < 2 ? 0 : round % 3);

		if (ruleset == NULL || i % 2 == 0) {
			ruleset = output_build_ruleset(&build, str_format(to, "# round %u, machine %u\n", round, i),
			                               str_format(to, "# round %u\n", round % 2 * i),
			                               str_format(to, "%.*s\nshared.v6\n", STR_ARG(set)));
			output_build_set(&build, set, str_format(to, "create %u\nadd %u\n", i / 2, round));
		}
		output_build_machine(&build, str_format(to, "machine-%03u", i), ruleset);
	}
	output_build_set(&build, STR("shared.v6"), str_format(to, "create shared\nadd %u\n", round));
	return output_build_done(&build);
}

struct round {
	struct store *store;
	const struct output *output;
};

static struct error *put_set(void *context, unsigned worker, size_t item)
{
	const struct round *round = context;

	(void)worker;
	return store_put_set(round->store, &round->output->sets[item]);
}

static struct error *put_ruleset(void *context, unsigned worker, size_t item)
{
	const struct round *round = context;

	(void)worker;
	return store_put_ruleset(round->store, round->output->rulesets[item]);
}

static void make_generation(struct arena *to, const struct output *output, struct generation *generation)
{
	static const struct summary summary = {.clock = 1, .machines = 2, .rules = 3};
	struct product product = {.machine_count = output->machine_count, .set_count = output->set_count};

	product.manifest = ARENA_ARRAY(to, struct entry, output->machine_count);
	product.sets = ARENA_ARRAY(to, struct entry, output->set_count);
	for (size_t i = 0; i < output->machine_count; i++)
		product.manifest[i] =
			(struct entry){output->machines[i].ruleset->digest, output->machines[i].machine->name};
	for (size_t i = 0; i < output->set_count; i++)
		product.sets[i] = (struct entry){output->sets[i].digest, output->sets[i].name};
	generation_of(to, &product, &summary, generation);
}

/* All generations but the last ones go. */
enum { KEPT_MOST = 3 };
static size_t kept = KEPT_MOST;

static struct error *collect(struct arena *to, struct store *store)
{
	struct generation_info *all;
	uint64_t keep[KEPT_MOST];
	size_t count, removed;

	TRY(store_generations(to, str_of(out), &all, &count));
	if (count <= kept)
		return NULL;
	for (size_t i = 0; i < kept; i++)
		keep[i] = all[count - kept + i].number;
	return store_collect(to, store, keep, kept, &removed);
}

/* As generate does it. */
static struct error *publish_open(struct arena *to, struct store *store, const struct output *output)
{
	struct round round = {store, output};
	struct generation before, now;

	TRY(generation_read(to, str_of(out), &before));
	make_generation(to, output, &now);
	TRY(parallel_each(workers, output->set_count, put_set, &round));
	TRY(parallel_each(workers, output->ruleset_count, put_ruleset, &round));
	if (before.number > 0 && generation_same(&before, &now)) {
		TRY(store_links(to, store, &before));
		return collect(to, store);
	}
	TRY(store_next_number(store, before.number, &now.number));
	TRY(store_publish(to, store, &now));
	TRY(store_links(to, store, &now));
	return collect(to, store);
}

static struct error *publish(unsigned round, unsigned machines)
{
	struct arena *pass = arena_new();
	struct store *store = NULL;
	struct output output = make(pass, round, machines);
	struct error *error = store_open(pass, str_of(out), &store);

	if (error == NULL)
		error = publish_open(pass, store, &output);
	store_close(store);
	arena_free(pass);
	return error;
}

/* --- what must hold at any moment --- */

static void check_ruleset(const struct digest *digest, bool linked)
{
	struct str rules[2], list, line;
	char path[400];
	struct stat status;

	none(store_read_ruleset(arena, str_of(out), digest, rules, &list));
	while (linked && str_cut(&list, '\n', &line))
		if (line.n > 0) {
			snprintf(path, sizeof path, "%s/sets/%.*s", out, STR_ARG(line));
			ck_assert_msg(stat(path, &status) == 0, "a ruleset that is linked needs %.*s", STR_ARG(line));
		}
}

static void check_set(const struct digest *digest, bool linked)
{
	struct str bytes;

	(void)linked;
	none(store_read_set(arena, str_of(out), digest, &bytes));
}

/* Every link leads to an object that is what its name says. */
static size_t check_links(const char *folder, void (*check)(const struct digest *digest, bool linked))
{
	char path[300], link[600], target[200];
	size_t count = 0;

	snprintf(path, sizeof path, "%s/%s", out, folder);
	DIR *links = opendir(path);

	for (const struct dirent *entry; links != NULL && (entry = readdir(links)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(link, sizeof link, "%s/%s", path, entry->d_name);
		ssize_t n = readlink(link, target, sizeof target);
		struct digest digest;

		ck_assert_msg(n > 64 && digest_parse((struct str){target + n - 64, 64}, &digest), "%s", link);
		check(&digest, true);
		count++;
	}
	if (links != NULL)
		closedir(links);
	return count;
}

static struct generation check_published(void)
{
	struct generation generation;

	none(generation_read(arena, str_of(out), &generation));
	for (size_t i = 0; i < generation.machine_count; i++)
		check_ruleset(&generation.manifest[i].digest, false);
	for (size_t i = 0; i < generation.set_count; i++)
		check_set(&generation.sets[i].digest, false);
	check_links("machines", check_ruleset);
	check_links("sets", check_set);
	return generation;
}

static size_t count_files(const char *folder);

static size_t count_distinct(const struct entry *entries, size_t count)
{
	struct digest *digests;

	return entries_digests(arena, entries, count, &digests);
}

/* A run that ended well leaves nothing to mend, and nothing that no generation names. */
static void check_mended(const struct generation *generation)
{
	struct generation_info *all;
	size_t count, rulesets, sets;

	ck_assert_uint_eq(check_links("machines", check_ruleset), generation->machine_count);
	ck_assert_uint_eq(check_links("sets", check_set), generation->set_count);
	ck_assert_uint_eq(count_files("store/new"), 0);
	none(store_generations(arena, str_of(out), &all, &count));
	if (count > 1)
		return;
	rulesets = count_distinct(generation->manifest, generation->machine_count);
	sets = count_distinct(generation->sets, generation->set_count);
	ck_assert_uint_eq(count_files("store"), 3 * rulesets + sets);
}

/* By other eyes than ours. */
static void check_with_sha256sum(void)
{
	static const char rest[] = "cd \"$0\" && sed 's#  #  sets/#' current/sets | sha256sum -c --strict --quiet && "
				   "while read -r digest name; do test \"$(cd machines/$name && sha256sum rules.v4 "
				   "rules.v6 sets.list | sha256sum)\" = "
				   "\"$digest  -\" || exit 1; done <current/manifest";

	run((const char *const[]){"sh", "-c", rest, out, NULL});
}

static void mend(unsigned round, unsigned machines)
{
	none(publish(round, machines));
	struct generation generation = check_published();

	check_mended(&generation);
}

/* --- killed --- */

/* A small file system of its own over `home`, gone with this process. False, with a word about it, where that is not
 * permitted. */
static bool mount_small(const char *options)
{
	bool mounted;

	if (geteuid() == 0)
		mounted = unshare(CLONE_NEWNS) == 0;
	else
		mounted = unshare(CLONE_NEWNS | CLONE_NEWUSER) == 0;
	mounted = mounted && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	          mount("none", home, "tmpfs", 0, options) == 0;
	if (!mounted)
		fprintf(stderr, "no file system can be mounted here: the store was not tried on a full disk\n");
	return mounted;
}


/* In the child: is stopped at once, for the parent to count system calls. */
static _Noreturn void traced_child(unsigned round, unsigned machines)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(78);
	raise(SIGSTOP);
	_exit(publish(round, machines) == NULL ? 0 : 1);
}

enum ending { ENDED, KILLED, NOT_PERMITTED };

/* Lets it go as far as the `stops`th stop at a system call (each has two: before, after), then kills it. *stopped is
 * how often it was. */
static enum ending run_until(unsigned round, unsigned machines, unsigned stops, unsigned *stopped)
{
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0)
		traced_child(round, machines);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	if (WIFEXITED(status))
		return NOT_PERMITTED;
	for (*stopped = 0; *stopped < stops; ++*stopped) {
		ck_assert_int_eq(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		if (WIFEXITED(status)) {
			ck_assert_int_eq(WEXITSTATUS(status), 0);
			return ENDED;
		}
	}
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return KILLED;
}

/* All along a run that adds, changes, removes and collects, on top of a published generation. Three times of four
 * nothing is mended in between. */
START_TEST(test_system_calls)
{
	unsigned round = 6, killed = 0, stopped, step;
	uint64_t number;
	enum ending ending = KILLED;

	workers = 1; /* so that each run makes the same calls */
	for (unsigned i = 0; i < 5; i++)
		mend(i, 6);
	if (run_until(5, 6, UINT_MAX, &stopped) == NOT_PERMITTED) {
		fprintf(stderr, "ptrace is not permitted here: the store was not killed at system calls\n");
		return;
	}
	step = 2 * (stopped / 2 / kills() + 1);
	number = check_published().number;
	for (unsigned stops = 1; ending == KILLED; stops += step, round++) {
		ending = run_until(round, 6, stops, &stopped);
		struct generation generation = check_published();

		ck_assert(generation.number >= number);
		number = generation.number;
		killed += ending == KILLED;
		if (round % 4 == 0)
			mend(round, 6);
		arena_reset(arena);
	}
	ck_assert_msg(killed >= 30, "only at %u system calls", killed);
	kept = 1;
	mend(round, 6);
	check_with_sha256sum();
}
END_TEST

static void pause_for(double seconds)
{
	struct timespec time = {.tv_sec = (time_t)seconds,
	                        .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};

	while (nanosleep(&time, &time) != 0)
		ck_assert_int_eq(errno, EINTR);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Was it killed before it ended? */
static bool kill_after(unsigned round, double seconds)
{
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(publish(round, 150) == NULL ? 0 : 1);
	pause_for(seconds);
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}

START_TEST(test_random_moments)
{
	unsigned killed = 0;
	double before, length;

	none(publish(0, 150));
	before = now();
	none(publish(1, 150));
	length = now() - before;
	srand(2);
	/* On a busy machine the runs do not take the time that was measured: go on until enough of them were cut short. */
	for (unsigned round = 2; round < 2 + kills() || (killed < 20 && round < 602); round++) {
		uint64_t number = check_published().number;

		killed += kill_after(round, length * (double)rand() / RAND_MAX);
		ck_assert(check_published().number >= number);
		if (round % 4 == 0)
			mend(round, 150);
		arena_reset(arena);
	}
	ck_assert_msg(killed >= 20, "only %u runs of 600 were killed in time", killed);
	kept = 1;
	mend(1, 150);
	check_with_sha256sum();
}
END_TEST

/* --- disks --- */

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
static void fill(unsigned size, unsigned left)
{
	char path[300];

	snprintf(path, sizeof path, "%s/filler", home);
	int file = open(path, O_RDWR | O_CREAT, 0600);

	ck_assert_int_ge(file, 0);
	/* Once full, as much as is wanted is given back. */
	for (off_t at = (off_t)size * 1024; posix_fallocate(file, 0, at) != 0; at -= 4096)
		ck_assert_int_gt(at, 0);
	struct stat status;

	ck_assert_int_eq(fstat(file, &status), 0);
	ck_assert_int_eq(ftruncate(file, status.st_size - (off_t)left * 1024), 0);
	close(file);
}

static void empty(void)
{
	char path[300];

	snprintf(path, sizeof path, "%s/filler", home);
	ck_assert(unlink(path) == 0 || errno == ENOENT);
}

static size_t found_files;

static int count_file(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)path;
	(void)status;
	(void)walk;
	found_files += flag == FTW_F;
	return 0;
}

static size_t count_files(const char *folder)
{
	char path[300];

	snprintf(path, sizeof path, "%s/%s", out, folder);
	found_files = 0;
	ck_assert_int_eq(nftw(path, count_file, 16, FTW_PHYS), 0);
	return found_files;
}

/* With 0, 4, 8 … KB left, until it goes through: wherever the disk is full, nothing is left behind. */
START_TEST(test_full_disk)
{
	unsigned refused = 0;
	struct error *error = NULL;

	if (!mount_small("size=4m"))
		return;
	none(publish(0, 20));
	size_t files = count_files("store");

	do {
		uint64_t number = check_published().number;

		fill(4096, 4 * refused);
		error = publish(1, 20);
		empty();
		struct generation generation = check_published();

		if (error != NULL) {
			expect_refusal(error, "No space left on device");
			ck_assert_uint_eq(generation.number, number);
			ck_assert_uint_eq(count_files("store"), files);
			refused++;
		}
		ck_assert_uint_lt(refused, 1000);
		arena_reset(arena);
	} while (error != NULL);
	ck_assert_msg(refused > 20, "only %u times", refused);
	mend(1, 20);
}
END_TEST

/* Another generation with the same manifest. */
static void publish_same_machines(void)
{
	struct output output = make(arena, 0, 20);
	struct store *store;

	output.sets[0].bytes = STR("create other\n");
	output.sets[0].digest = digest_of(output.sets[0].bytes);
	none(store_open(arena, str_of(out), &store));
	none(publish_open(arena, store, &output));
	store_close(store);
}

START_TEST(test_no_inodes)
{
	if (!mount_small("size=16m,nr_inodes=250"))
		return;
	none(publish(0, 20));
	expect_refusal(publish(1, 400), "No space left on device");
	ck_assert_uint_eq(check_published().number, 1);
	mend(2, 20);
}
END_TEST

/* The lists of the generation before can't be linked to from another file system: they are written. */
START_TEST(test_other_file_system)
{
	char before[300], copy[300];

	if (!mount_small("size=16m"))
		return;
	none(publish(0, 20));
	snprintf(before, sizeof before, "%s/generations/1", out);
	snprintf(copy, sizeof copy, "%s/copy", home);
	run((const char *const[]){"cp", "-a", before, copy, NULL});
	ck_assert_int_eq(mount("none", before, "tmpfs", 0, "size=1m"), 0);
	run((const char *const[]){"sh", "-c", "cp -a \"$0\"/* \"$1\"", copy, before, NULL});
	kept = KEPT_MOST;
	publish_same_machines();
	ck_assert_uint_eq(check_published().number, 2);
	ck_assert_int_eq(umount2(before, MNT_DETACH), 0);
	check_published();
}
END_TEST

START_TEST(test_read_only)
{
	if (!mount_small("size=4m"))
		return;
	none(publish(0, 20));
	ck_assert_int_eq(mount("none", home, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	expect_refusal(publish(1, 20), "Read-only file system");
	ck_assert_uint_eq(check_published().number, 1);
	ck_assert_int_eq(mount("none", home, NULL, MS_REMOUNT, NULL), 0);
	mend(1, 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_kill");
	TCase *killed = tcase_create("killed"), *disks = tcase_create("disks");

	tcase_add_checked_fixture(killed, setup, teardown);
	tcase_set_timeout(killed, getenv("STORE_KILLS") != NULL ? 3600 : 120);
	tcase_add_test(killed, test_system_calls);
	tcase_add_test(killed, test_random_moments);
	suite_add_tcase(suite, killed);
	tcase_add_checked_fixture(disks, setup, teardown);
	tcase_set_timeout(disks, 60);
	tcase_add_test(disks, test_full_disk);
	tcase_add_test(disks, test_no_inodes);
	tcase_add_test(disks, test_other_file_system);
	tcase_add_test(disks, test_read_only);
	suite_add_tcase(suite, disks);
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
