/* Arenas, buffers, interned names: what everything else is built in. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/names.h"

#include "suite_main.h"

#if defined(__SANITIZE_ADDRESS__)
#define POISONED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONED 1
#endif
#endif
#ifdef POISONED
#include <sanitizer/asan_interface.h>
#endif

static bool all_are(const unsigned char *p, size_t n, unsigned char byte)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != byte)
			return false;
	return true;
}

/* Objects of many sizes and alignments: zeroed, aligned, and none lies in another. */
static void fill(unsigned seed)
{
	struct {
		unsigned char *p;
		size_t n;
		unsigned char with;
	} objects[500];

	srand(seed);
	for (size_t i = 0; i < 500; i++) {
		size_t align = (size_t)1 << (rand() % 8), n = (size_t)(rand() % (i % 50 == 0 ? 100000 : 300));

		objects[i].p = arena_array(arena, n, 1, align);
		objects[i].n = n;
		objects[i].with = (unsigned char)(rand() % 255 + 1);
		ck_assert_uint_eq((uintptr_t)objects[i].p % align, 0);
		ck_assert(all_are(objects[i].p, n, 0));
		memset(objects[i].p, objects[i].with, n);
	}
	for (size_t i = 0; i < 500; i++)
		ck_assert(all_are(objects[i].p, objects[i].n, objects[i].with));
}

START_TEST(gives_zeroed_aligned_room)
{
	fill(1);
	ck_assert_uint_eq((uintptr_t)arena_alloc(arena, 0) % _Alignof(max_align_t), 0);
	ck_assert_ptr_nonnull(arena_alloc(arena, 0));
	ck_assert_ptr_nonnull(ARENA_ARRAY(arena, int, 0));
}
END_TEST

START_TEST(raw_room_is_room)
{
	unsigned char *before = arena_alloc(arena, 7), *raw = arena_raw(arena, 3000000), *after = arena_alloc(arena, 7);

	ck_assert_uint_eq((uintptr_t)raw % _Alignof(max_align_t), 0);
	memset(raw, 0xff, 3000000);
	ck_assert(all_are(before, 7, 0) && all_are(after, 7, 0));
	ck_assert_ptr_nonnull(arena_raw(arena, 0));
	arena_reset(arena);
	ck_assert(all_are(arena_alloc(arena, 3000000), 3000000, 0));
}
END_TEST

START_TEST(keeps_its_memory_over_a_reset)
{
	size_t size;

	fill(1);
	size = arena_size(arena);
	for (int i = 0; i < 5; i++) {
		arena_reset(arena);
		fill(1);
	}
	ck_assert_uint_eq(arena_size(arena), size);
	arena_reset(arena);
	arena_reset(arena);
	fill(2);
}
END_TEST

/* Rounds that need the same in another order must not take more and more. */
START_TEST(finds_kept_memory_in_any_order)
{
	size_t size = 0;

	for (int i = 0; i < 36; i++) {
		arena_reset(arena);
		arena_alloc(arena, i % 2 ? 300000 : 100);
		arena_alloc(arena, i % 3 ? 50000 : 1500000);
		arena_alloc(arena, i % 2 ? 100 : 300000);
		if (i == 12)
			size = arena_size(arena);
	}
	ck_assert_uint_eq(arena_size(arena), size);
}
END_TEST

START_TEST(free_takes_null)
{
	arena_free(NULL);
	arena_free(arena_new());
}
END_TEST

START_TEST(grows_lists)
{
	struct {
		uint32_t *items;
		size_t count, capacity;
	} list = {NULL, 0, 0};
	uint32_t *early;

	APPEND(arena, &list, 0u);
	early = list.items;
	for (uint32_t i = 1; i < 10000; i++)
		APPEND(arena, &list, i);
	ck_assert_uint_eq(list.count, 10000);
	for (uint32_t i = 0; i < 10000; i++)
		ck_assert_uint_eq(list.items[i], i);
	ck_assert_uint_eq(early[0], 0); /* the old place stays valid */
}
END_TEST

START_TEST(multiplication_overflow_is_out_of_memory)
{
	arena_array(arena, SIZE_MAX / 4, 8, 8);
}
END_TEST

/* Not under ASan or valgrind, which need the address space themselves; the overflow test ends the same way there. */
START_TEST(real_want_of_memory_ends_the_program)
{
#ifndef POISONED
	struct rlimit limit = {(rlim_t)1 << 30, (rlim_t)1 << 30};

	if (getenv("RUNNING_ON_VALGRIND") == NULL && setrlimit(RLIMIT_AS, &limit) == 0)
		arena_alloc(arena, (size_t)2 << 30);
#endif
	arena_alloc(arena, SIZE_MAX);
}
END_TEST

START_TEST(poisons_what_it_has_not_handed_out)
{
#ifdef POISONED
	unsigned char *p = arena_alloc(arena, 24);

	ck_assert(!__asan_address_is_poisoned(p) && !__asan_address_is_poisoned(p + 23));
	ck_assert(__asan_address_is_poisoned(p + 24));
	arena_reset(arena);
	ck_assert(__asan_address_is_poisoned(p));
#endif
}
END_TEST

START_TEST(buffer_puts_together)
{
	struct buf buf = buf_new(arena);

	ck_assert_uint_eq(buf_str(&buf).n, 0);
	ck_assert_ptr_nonnull(buf_str(&buf).p);
	buf_add(&buf, (struct str){NULL, 0});
	buf_add(&buf, STR("a\0b"));
	buf_char(&buf, ' ');
	buf_number(&buf, 0);
	buf_char(&buf, ' ');
	buf_number(&buf, UINT64_MAX);
	buf_format(&buf, " %s-%03d", "x", 7);
	ck_assert(str_eq(buf_str(&buf), STR("a\0b 0 18446744073709551615 x-007")));
}
END_TEST

START_TEST(buffer_grows)
{
	struct buf buf = buf_new(arena);
	struct str all;

	for (int i = 0; i < 5000; i++)
		buf_format(&buf, "%04d", i);
	all = buf_str(&buf);
	ck_assert_uint_eq(all.n, 20000);
	for (int i = 0; i < 5000; i++)
		ck_assert(str_eq(str_slice(all, (size_t)i * 4, (size_t)i * 4 + 4), str_format(arena, "%04d", i)));
}
END_TEST

START_TEST(buffer_does_not_move_after_reserve)
{
	struct buf buf = buf_new(arena);
	const char *p;

	buf_reserve(&buf, 1000);
	p = buf.p;
	for (int i = 0; i < 1000; i++)
		buf_char(&buf, 'x');
	ck_assert_ptr_eq(buf.p, p);
}
END_TEST

START_TEST(names_are_numbered_in_order_of_arrival)
{
	struct names *names = names_new(arena);
	char text[] = "web";

	ck_assert_uint_eq(names_find(names, STR("web")), NAMES_NONE);
	ck_assert_uint_eq(names_add(names, str_of(text)), 0);
	text[0] = 'x'; /* it has its own copy */
	ck_assert_uint_eq(names_add(names, STR("db")), 1);
	ck_assert_uint_eq(names_add(names, STR("web")), 0);
	ck_assert_uint_eq(names_add(names, STR("")), 2);
	ck_assert_uint_eq(names_add(names, STR("web\0")), 3);
	ck_assert_uint_eq(names_find(names, STR("db")), 1);
	ck_assert_uint_eq(names_count(names), 4);
	ck_assert(str_is(names_get(names, 0), "web"));
}
END_TEST

START_TEST(names_hold_many)
{
	struct names *names = names_new(arena);

	for (int round = 0; round < 2; round++)
		for (unsigned i = 0; i < 10000; i++)
			if (names_add(names, str_format(arena, "machine-%u", i)) != i)
				ck_abort_msg("machine-%u", i);
	for (unsigned i = 0; i < 10000; i += 7)
		ck_assert(str_eq(names_get(names, i), str_format(arena, "machine-%u", i)));
	ck_assert_uint_eq(names_find(names, STR("machine-10000")), NAMES_NONE);
}
END_TEST

/* Names of every length, some alike but for one byte, wherever it is. */
START_TEST(names_differ_by_any_byte)
{
	struct names *names = names_new(arena);
	char text[40];

	for (size_t n = 0; n < sizeof text; n++) {
		memset(text, 'a', sizeof text);
		ck_assert_uint_eq(names_find(names, (struct str){text, n}), NAMES_NONE);
		ck_assert_uint_eq(names_add(names, (struct str){text, n}), names_count(names) - 1);
		for (size_t i = 0; i < n; i++) {
			text[i] = 'b';
			ck_assert_uint_eq(names_find(names, (struct str){text, n}), NAMES_NONE);
			uint32_t number = names_add(names, (struct str){text, n});
			ck_assert_uint_eq(number, names_count(names) - 1);
			ck_assert(str_eq(names_get(names, number), (struct str){text, n}));
			text[i] = 'a';
		}
	}
}
END_TEST

START_TEST(names_that_are_kept_are_not_copied)
{
	struct names *names = names_new(arena);
	struct str name = str_copy(arena, STR("web"));

	ck_assert_uint_eq(names_keep(names, name), 0);
	ck_assert_ptr_eq(names_get(names, 0).p, name.p);
	ck_assert_uint_eq(names_add(names, STR("web")), 0);
	ck_assert_uint_eq(names_keep(names, STR("web")), 0);
	ck_assert_ptr_eq(names_get(names, 0).p, name.p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory");
	TCase *tcase = tcase_create("memory");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_test(tcase, gives_zeroed_aligned_room);
	tcase_add_test(tcase, raw_room_is_room);
	tcase_add_test(tcase, keeps_its_memory_over_a_reset);
	tcase_add_test(tcase, finds_kept_memory_in_any_order);
	tcase_add_test(tcase, free_takes_null);
	tcase_add_test(tcase, grows_lists);
	tcase_add_exit_test(tcase, multiplication_overflow_is_out_of_memory, 3);
	tcase_add_exit_test(tcase, real_want_of_memory_ends_the_program, 3);
	tcase_add_test(tcase, poisons_what_it_has_not_handed_out);
	tcase_add_test(tcase, buffer_puts_together);
	tcase_add_test(tcase, buffer_grows);
	tcase_add_test(tcase, buffer_does_not_move_after_reserve);
	tcase_add_test(tcase, names_are_numbered_in_order_of_arrival);
	tcase_add_test(tcase, names_hold_many);
	tcase_add_test(tcase, names_differ_by_any_byte);
	tcase_add_test(tcase, names_that_are_kept_are_not_copied);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
