/* OUT/cache: what was written is read, and everything else is no cache: damage anywhere, files that somebody else could
 * have written, halves that do not belong together. What can't be written leaves what was there.
 * no-valgrind: thousands of damaged files, and megabytes of content; all of it runs under the sanitizers. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fleetwall/buf.h"
#include "fleetwall/cache.h"
#include "store_fixture.h"
#include "suite_main.h"

/* --- what is written: everything follows from a number --- */

struct content {
	struct cache_head head;
	struct str fleet;
	struct knowledge knowledge;
};

static struct digest *digests_of(size_t count, unsigned char with)
{
	struct digest *digests = ARENA_ARRAY(arena, struct digest, count);

	for (size_t i = 0; i < count; i++)
		memset(digests[i].byte, with + (int)i, sizeof digests[i].byte);
	return digests;
}

static struct known *known_of(size_t count, unsigned char with)
{
	return (struct known *)(void *)digests_of(2 * count, with);
}

static struct content content_of(unsigned number, size_t fleet_size)
{
	char *fleet = arena_raw(arena, fleet_size);

	for (size_t i = 0; i < fleet_size; i++)
		fleet[i] = (char)(i * 31 + i / 251 + number);
	return (struct content){
		.head = {
			.base = *digests_of(1, (unsigned char)(number + 1)),
			.identity = str_format(arena, "database %u", number),
			.snapshot = str_format(arena, "%u:%u:", number, number + 5),
			.number = number,
			.digest = *digests_of(1, (unsigned char)(number + 2)),
			.machines = number + 1000,
			.set_names = number + 2000,
			.clock = -(int64_t)number,
			.next_edge = TIME_NONE,
			.mark = {.tv_sec = 1700000000, .tv_nsec = 999999999},
			.rulesets = digests_of(number % 7 + 3, 10),
			.ruleset_count = number % 7 + 3,
			.sets = digests_of(number % 5, 90),
			.set_count = number % 5,
		},
		.fleet = {fleet, fleet_size},
		.knowledge = {
			.rulesets = known_of(number % 9 + 1, 30),
			.ruleset_count = number % 9 + 1,
			.sets = known_of(number % 4, 60),
			.set_count = number % 4,
			.secret = {{(unsigned char)number, [15] = 7}},
		},
	};
}

static struct error *try_write(struct content *content)
{
	struct store *store;

	TRY(store_open(arena, str_of(out), &store));
	struct error *error = cache_write(store, &content->head, content->fleet, &content->knowledge);

	store_close(store);
	return error;
}

static struct content written(unsigned number, size_t fleet_size)
{
	struct content content = content_of(number, fleet_size);

	none(try_write(&content));
	return content;
}

static bool has_head(struct cache_head *head)
{
	return cache_read_head(arena, str_of(out), head);
}

static bool has_model(const struct cache_head *head)
{
	struct str fleet;
	struct knowledge knowledge;

	bool whole = cache_read_model(arena, str_of(out), head, &fleet, &knowledge);

	/* Damage of what is not kept counts as well. */
	ck_assert_int_eq(cache_read_fleet(arena, str_of(out), head, &fleet), whole);
	return whole;
}

static bool usable(void)
{
	struct cache_head head;

	return has_head(&head) && has_model(&head);
}

static bool bytes_same(const void *a, size_t a_size, const void *b, size_t b_size)
{
	return a_size == b_size && (a_size == 0 || memcmp(a, b, a_size) == 0);
}

static bool digests_same(const struct digest *a, size_t a_count, const struct digest *b, size_t b_count)
{
	return bytes_same(a, a_count * sizeof *a, b, b_count * sizeof *b);
}

static bool heads_same(const struct cache_head *a, const struct cache_head *b)
{
	return digest_eq(&a->base, &b->base) && str_eq(a->identity, b->identity) && str_eq(a->snapshot, b->snapshot) &&
	       a->number == b->number && digest_eq(&a->digest, &b->digest) && a->machines == b->machines &&
	       a->set_names == b->set_names && a->clock == b->clock && a->next_edge == b->next_edge &&
	       a->mark.tv_sec == b->mark.tv_sec && a->mark.tv_nsec == b->mark.tv_nsec &&
	       digests_same(a->rulesets, a->ruleset_count, b->rulesets, b->ruleset_count) &&
	       digests_same(a->sets, a->set_count, b->sets, b->set_count) && digest_eq(&a->model, &b->model);
}

static bool knowledge_same(const struct knowledge *a, const struct knowledge *b)
{
	return bytes_same(a->rulesets, a->ruleset_count * sizeof *a->rulesets, b->rulesets,
	                  b->ruleset_count * sizeof *b->rulesets) &&
	       bytes_same(a->sets, a->set_count * sizeof *a->sets, b->sets, b->set_count * sizeof *b->sets) &&
	       bytes_same(&a->secret, sizeof a->secret, &b->secret, sizeof b->secret);
}

static void expect_content(const struct content *content)
{
	struct cache_head head;
	struct str fleet;
	struct knowledge knowledge;

	ck_assert(has_head(&head));
	ck_assert(heads_same(&head, &content->head));
	ck_assert(cache_read_model(arena, str_of(out), &head, &fleet, &knowledge));
	ck_assert(str_eq(fleet, content->fleet) && knowledge_same(&knowledge, &content->knowledge));
	ck_assert_uint_eq((uintptr_t)fleet.p % _Alignof(max_align_t), 0);
	ck_assert(cache_read_fleet(arena, str_of(out), &head, &fleet));
	ck_assert(str_eq(fleet, content->fleet));
	ck_assert_uint_eq((uintptr_t)fleet.p % _Alignof(max_align_t), 0);
}

/* --- written and read --- */

START_TEST(what_was_written_is_read)
{
	static const size_t sizes[] = {0, 1, 4096, (1 << 20) - 32, 1 << 20, 3500001};
	struct cache_head head;

	ck_assert(!has_head(&head));
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct content content = written(i + 1, sizes[i]);

		expect_content(&content);
	}
	shell("cd '%s' && test \"$(stat -c %%a cache cache/head cache/model | xargs)\" = '700 600 600' && "
	      "test \"$(ls -A cache | xargs)\" = 'head model'",
	      out);
}
END_TEST

START_TEST(nothing_is_something)
{
	struct content content = {.head = {.number = 1}, .fleet = STR("x")};

	none(try_write(&content));
	expect_content(&content);
}
END_TEST

/* A head of its own leaves the model alone. */
START_TEST(a_head_without_a_model)
{
	struct content content = written(3, 100000);
	ino_t model = inode("cache/model");
	struct str fleet = content.fleet;

	content.head.mark.tv_sec++;
	content.fleet = (struct str){NULL, 0};
	none(try_write(&content));
	content.fleet = fleet;
	expect_content(&content);
	ck_assert_uint_eq(inode("cache/model"), model);
}
END_TEST

START_TEST(what_is_dropped_is_gone)
{
	struct cache_head head;
	struct store *store;

	none(store_open(arena, str_of(out), &store));
	none(cache_drop(store));
	store_close(store);
	written(1, 10);
	ck_assert(usable());
	none(store_open(arena, str_of(out), &store));
	none(cache_drop(store));
	none(cache_drop(store));
	store_close(store);
	ck_assert(!has_head(&head) && exists("cache/model"));
}
END_TEST

START_TEST(a_model_belongs_to_its_head)
{
	struct content first = written(1, 5000);

	shell("cd '%s/cache' && cp -p model ../other", out);
	struct content second = written(2, 5000);

	expect_content(&second);
	ck_assert(!has_model(&first.head));
	shell("cd '%s/cache' && mv ../other model", out);
	ck_assert(!usable() && has_model(&first.head));
	shell("rm '%s/cache/model'", out);
	ck_assert(!usable());
}
END_TEST

/* --- damage --- */

/* A new file: ext4 writes one that is written over to disk at once. */
static void put_file(const char *path, struct str bytes)
{
	umask(022);
	ck_assert_int_eq(unlink(at(path)), 0);
	FILE *file = fopen(at(path), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes.p, 1, bytes.n, file), bytes.n);
	ck_assert_int_eq(fclose(file), 0);
}

static struct str get_file(const char *path)
{
	FILE *file = fopen(at(path), "r");
	struct buf buf = buf_new(arena);
	char chunk[65536];
	size_t n;

	ck_assert_ptr_nonnull(file);
	while ((n = fread(chunk, 1, sizeof chunk, file)) > 0)
		buf_add(&buf, (struct str){chunk, n});
	ck_assert_int_eq(fclose(file), 0);
	return buf_str(&buf);
}

static void expect_refused(const char *path, struct str bytes, const char *what, size_t place)
{
	put_file(path, bytes);
	ck_assert_msg(!usable(), "%s: %s at %zu is taken", path, what, place);
}

/* One bit, the rest of the file cut off, two parts swapped: at every `step`th place. */
static void damage(const char *path, size_t first, size_t step)
{
	struct str bytes = get_file(path);
	char *damaged = arena_raw(arena, bytes.n + 1);

	for (size_t place = first; place < bytes.n; place += step) {
		memcpy(damaged, bytes.p, bytes.n);
		damaged[place] = (char)(damaged[place] ^ 1 << place % 8);
		expect_refused(path, (struct str){damaged, bytes.n}, "a bit", place);
		expect_refused(path, str_slice(bytes, 0, place), "the end", place);
		memcpy(damaged, bytes.p + place, bytes.n - place);
		memcpy(damaged + bytes.n - place, bytes.p, place);
		if (place > 0 && memcmp(damaged, bytes.p, bytes.n) != 0)
			expect_refused(path, (struct str){damaged, bytes.n}, "a swap", place);
	}
	memcpy(damaged, bytes.p, bytes.n);
	damaged[bytes.n] = '\0';
	expect_refused(path, (struct str){damaged, bytes.n + 1}, "a byte more", bytes.n);
	put_file(path, bytes);
	ck_assert(usable());
}

START_TEST(damage_to_the_head_is_seen)
{
	written(6, 50);
	damage("cache/head", 0, 1);
}
END_TEST

START_TEST(damage_to_the_model_is_seen)
{
	written(6, 300);
	damage("cache/model", 0, 1);
}
END_TEST

START_TEST(damage_to_a_large_model_is_seen)
{
	struct content content = written(6, 2600000);
	struct str bytes;

	damage("cache/model", 31, 500009);
	bytes = get_file("cache/model");
	char *swapped = arena_raw(arena, bytes.n);
	const size_t block = 1 << 20;

	memcpy(swapped, bytes.p + block, block);
	memcpy(swapped + block, bytes.p, block);
	memcpy(swapped + 2 * block, bytes.p + 2 * block, bytes.n - 2 * block);
	expect_refused("cache/model", (struct str){swapped, bytes.n}, "a swap of blocks", block);
	put_file("cache/model", bytes);
	expect_content(&content);
}
END_TEST

/* A file of holes that says of itself that it is huge must not be given memory. */
START_TEST(huge_files_are_refused)
{
	written(1, 10);
	shell("truncate -s 7T '%s/cache/head'", out);
	ck_assert(!usable());
	written(1, 10);
	shell("truncate -s 7T '%s/cache/model'", out);
	ck_assert(!usable());
}
END_TEST

/* --- whose files they are --- */

START_TEST(what_others_may_write_is_refused)
{
	static const char *const lines[] = {"chmod 0770 cache", "chmod 0702 cache", "chmod 0620 cache/head",
	                                    "chmod 0602 cache/head", "chmod 0660 cache/model",
	                                    "chmod 0666 cache/model"};

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		written(2, 10);
		ck_assert(usable());
		shell("cd '%s' && %s", out, lines[i]);
		ck_assert_msg(!usable(), "%s", lines[i]);
	}
	written(2, 10);
	ck_assert(usable());
	shell("test \"$(stat -c %%a '%s/cache')\" = 700", out);
}
END_TEST

START_TEST(what_others_own_is_refused)
{
	static const char *const paths[] = {"cache/head", "cache/model", "cache"};
	struct content content = content_of(2, 10);

	if (geteuid() != 0)
		return;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		none(try_write(&content));
		ck_assert(usable());
		shell("chown 12345 '%s/%s'", out, paths[i]);
		ck_assert_msg(!usable(), "%s", paths[i]);
	}
	expect_message(try_write(&content), "cache belongs to somebody else");
	shell("chown 0 '%s/cache'", out);
	ck_assert(usable());
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	static const char *const lines[] = {
		"mv head ../there && ln -s ../there head",   "mv model ../there && ln -s ../there model",
		"rm head && mkfifo -m 600 head",             "rm model && mkfifo -m 600 model",
		"rm head && mkdir -m 700 head",              "rm model && mkdir -m 700 model",
		"cd .. && mv cache c && ln -s c cache",      "cd .. && rm -r cache && touch cache",
	};

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		written(2, 10);
		ck_assert(usable());
		shell("cd '%s/cache' && %s", out, lines[i]);
		ck_assert_msg(!usable(), "%s", lines[i]);
		shell("cd '%s' && rm -rf cache c there", out);
	}
}
END_TEST

/* --- what can't be written --- */

static void expect_kept(struct content *before, const char *message)
{
	struct content content = content_of(5, 3000000);

	expect_message(try_write(&content), message);
	shell("test \"$(ls -A '%s/cache' | xargs)\" = 'head model'", out);
	expect_content(before);
}

static void limit_files(rlim_t size)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The model does not fit; then it does, but the head does not. */
START_TEST(a_full_disk_leaves_what_was_there)
{
	struct content content = written(4, 100);

	signal(SIGXFSZ, SIG_IGN);
	limit_files(2000000);
	expect_kept(&content, "can't write cache/model: File too large");
	limit_files(RLIM_INFINITY);
	struct content next = content_of(7, 10);

	next.head.rulesets = digests_of(3000, 1);
	next.head.ruleset_count = 3000;
	limit_files(50000);
	expect_message(try_write(&next), "can't write cache/head: File too large");
	limit_files(RLIM_INFINITY);
	signal(SIGXFSZ, SIG_DFL);
	shell("test \"$(ls -A '%s/cache' | xargs)\" = 'head model'", out);
	expect_content(&content);
}
END_TEST

START_TEST(a_folder_that_can_not_be_written)
{
	struct content content = written(4, 100);
	struct store *store;

	if (geteuid() != 0)
		return;
	none(store_open(arena, str_of(out), &store));
	ck_assert_int_eq(seteuid(65534), 0);
	struct content next = content_of(5, 10);

	expect_message(cache_write(store, &next.head, next.fleet, &next.knowledge), "Permission denied");
	expect_message(cache_drop(store), "Permission denied");
	ck_assert(!usable());
	ck_assert_int_eq(seteuid(0), 0);
	store_close(store);
	expect_content(&content);
}
END_TEST

START_TEST(odd_things_in_the_way)
{
	struct content content = written(4, 100), next = content_of(5, 100);

	shell("cd '%s/cache' && echo left >head.new && ln -s /nowhere model.new", out);
	none(try_write(&next));
	expect_content(&next);
	shell("cd '%s/cache' && mv head model .. && mkdir head", out);
	expect_message(try_write(&content), "can't rename cache/head.new");
	shell("cd '%s/cache' && rmdir head && mv ../head . && test \"$(ls -A | xargs)\" = 'head model'", out);
	ck_assert(!usable());
	shell("cd '%s/cache' && mv ../model .", out);
	expect_content(&next);
	shell("cd '%s' && mv cache c && ln -s c cache", out);
	expect_message(try_write(&content), "can't open the folder cache");
}
END_TEST

/* --- at the same time --- */

static void write_again_and_again(void)
{
	struct content contents[] = {content_of(1, 1500000), content_of(2, 1500001)};
	struct store *store;
	struct error *error = store_open(arena, str_of(out), &store);

	for (unsigned i = 0; i < 60 && error == NULL; i++) {
		struct content *content = &contents[i % 2];

		error = cache_write(store, &content->head, content->fleet, &content->knowledge);
	}
	_exit(error != NULL);
}

/* A reader gets one content or the other, or none; never a mixture. */
START_TEST(a_reader_beside_a_writer)
{
	struct content contents[] = {written(1, 1500000), written(2, 1500001)};
	struct arena *kept = arena;
	pid_t writer = fork();
	int status;
	size_t read = 0;

	if (writer == 0)
		write_again_and_again();
	ck_assert_int_gt(writer, 0);
	while (waitpid(writer, &status, WNOHANG) == 0) {
		struct cache_head head;
		struct str fleet;
		struct knowledge knowledge;

		arena = arena_new();
		if (has_head(&head)) {
			const struct content *content = &contents[head.number - 1];

			ck_assert(heads_same(&head, &content->head));
			if (cache_read_model(arena, str_of(out), &head, &fleet, &knowledge)) {
				ck_assert(str_eq(fleet, content->fleet));
				ck_assert(knowledge_same(&knowledge, &content->knowledge));
				read++;
			}
		}
		arena_free(arena);
		arena = kept;
	}
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_uint_gt(read, 0);
	expect_content(&contents[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cache");
	TCase *cache = tcase_create("cache");

	tcase_add_checked_fixture(cache, store_setup, store_teardown);
	tcase_set_timeout(cache, 60);
	tcase_add_test(cache, what_was_written_is_read);
	tcase_add_test(cache, nothing_is_something);
	tcase_add_test(cache, a_head_without_a_model);
	tcase_add_test(cache, what_is_dropped_is_gone);
	tcase_add_test(cache, a_model_belongs_to_its_head);
	tcase_add_test(cache, damage_to_the_head_is_seen);
	tcase_add_test(cache, damage_to_the_model_is_seen);
	tcase_add_test(cache, damage_to_a_large_model_is_seen);
	tcase_add_test(cache, huge_files_are_refused);
	tcase_add_test(cache, what_others_may_write_is_refused);
	tcase_add_test(cache, what_others_own_is_refused);
	tcase_add_test(cache, what_is_no_file_is_refused);
	tcase_add_test(cache, a_full_disk_leaves_what_was_there);
	tcase_add_test(cache, a_folder_that_can_not_be_written);
	tcase_add_test(cache, odd_things_in_the_way);
	tcase_add_test(cache, a_reader_beside_a_writer);
	suite_add_tcase(suite, cache);

	return suite_main(suite);
}
