/* OUT/cache/proofs: what was written is read; everything else is no proof of anything. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "fleetwall/cache.h"
#include "store_fixture.h"
#include "suite_main.h"

static struct proofs proofs_of(size_t count, unsigned char with)
{
	struct proofs proofs = {.keys = ARENA_ARRAY(arena, struct digest, count), .count = count};

	memset(&proofs.whole, with, sizeof proofs.whole);
	for (size_t i = 0; i < count; i++)
		memset(&proofs.keys[i], (int)i + 1, sizeof *proofs.keys);
	return proofs;
}

static void write_proofs(const struct proofs *proofs)
{
	struct store *store;

	none(store_open(arena, str_of(out), &store));
	none(cache_write_proofs(store, proofs));
	store_close(store);
}

static bool usable(void)
{
	struct proofs proofs;
	bool read = cache_read_proofs(arena, str_of(out), &proofs);

	ck_assert(read || proofs.count == 0);
	return read;
}

START_TEST(what_was_written_is_read)
{
	static const size_t counts[] = {0, 1, 2, 200, 7};

	ck_assert(!usable());
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		struct proofs proofs = proofs_of(counts[i], (unsigned char)(i + 7)), read;

		write_proofs(&proofs);
		ck_assert(cache_read_proofs(arena, str_of(out), &read));
		ck_assert_uint_eq(read.count, proofs.count);
		ck_assert(digest_eq(&read.whole, &proofs.whole));
		ck_assert(proofs.count == 0 ||
		          memcmp(read.keys, proofs.keys, proofs.count * sizeof *proofs.keys) == 0);
	}
	shell("cd '%s' && test \"$(stat -c %%a cache cache/proofs | xargs)\" = '700 600' && "
	      "test \"$(ls -A cache)\" = proofs",
	      out);
}
END_TEST

static void put_back(struct str bytes)
{
	FILE *file = fopen(at("cache/proofs"), "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes.p, 1, bytes.n, file), bytes.n);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(damage_is_seen)
{
	struct proofs proofs = proofs_of(3, 1);
	struct str bytes;
	char *copy;

	write_proofs(&proofs);
	bytes = read_whole(at("cache/proofs"));
	copy = arena_raw(arena, bytes.n + 1);
	for (size_t i = 0; i < bytes.n; i++) {
		memcpy(copy, bytes.p, bytes.n);
		copy[i] ^= 4;
		put_back((struct str){copy, bytes.n});
		ck_assert_msg(!usable(), "byte %zu", i);
		put_back(str_slice(bytes, 0, i));
		ck_assert_msg(!usable(), "cut at %zu", i);
	}
	memcpy(copy, bytes.p, bytes.n);
	copy[bytes.n] = 0;
	put_back((struct str){copy, bytes.n + 1});
	ck_assert(!usable());
	put_back(bytes);
	ck_assert(usable());
}
END_TEST

START_TEST(what_others_may_write_is_refused)
{
	struct proofs proofs = proofs_of(3, 1);

	write_proofs(&proofs);
	shell("chmod 0622 '%s'", at("cache/proofs"));
	ck_assert(!usable());
	shell("chmod 0600 '%s' && chmod 0777 '%s'", at("cache/proofs"), at("cache"));
	ck_assert(!usable());
	shell("chmod 0700 '%s'", at("cache"));
	ck_assert(usable());
	shell("mv '%s' '%s/elsewhere' && ln -s ../elsewhere '%s'", at("cache/proofs"), out, at("cache/proofs"));
	ck_assert(!usable());
	write_proofs(&proofs);
	ck_assert(usable());
	shell("rm '%s' && mkfifo '%s'", at("cache/proofs"), at("cache/proofs"));
	ck_assert(!usable());
	shell("rm '%s' && truncate -s 10G '%s'", at("cache/proofs"), at("cache/proofs"));
	ck_assert(!usable());
}
END_TEST

START_TEST(what_can_not_be_written_leaves_what_was_there)
{
	struct proofs proofs = proofs_of(3, 1), more = proofs_of(5, 2), read;
	struct store *store;

	write_proofs(&proofs);
	shell("mkdir -p '%s/in'", at("cache/proofs.new"));
	none(store_open(arena, str_of(out), &store));
	expect_message(cache_write_proofs(store, &more), "proofs.new");
	store_close(store);
	ck_assert(cache_read_proofs(arena, str_of(out), &read) && read.count == 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cache_proofs");
	TCase *proofs = tcase_create("proofs");

	tcase_add_checked_fixture(proofs, store_setup, store_teardown);
	tcase_add_test(proofs, what_was_written_is_read);
	tcase_add_test(proofs, damage_is_seen);
	tcase_add_test(proofs, what_others_may_write_is_refused);
	tcase_add_test(proofs, what_can_not_be_written_leaves_what_was_there);
	suite_add_tcase(suite, proofs);

	return suite_main(suite);
}
