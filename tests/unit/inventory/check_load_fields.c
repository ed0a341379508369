/* Binary fields of rows: what the server sends is read, what it can't have sent is refused, and nothing is read beyond
 * the field's end (each is put at the end of a block of its own, where AddressSanitizer and valgrind see it). */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/names.h"
#include "load.h"
#include "random_rule.h"
#include "suite_main.h"

static char *block;

static void teardown(void)
{
	free(block);
	block = NULL;
}

/* The same bytes in a block that ends with them. */
static struct str tight(struct str bytes)
{
	free(block);
	block = malloc(bytes.n > 0 ? bytes.n : 1);
	memcpy(block, bytes.p, bytes.n);
	return (struct str){block, bytes.n};
}

#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}
static const struct str address4 = BYTES("\2\40\0\4\12\0\0\5");
static const struct str prefix6 = BYTES("\3\60\1\20\x20\1\15\270\0\1\0\0\0\0\0\0\0\0\0\0");
/* {[80,83),[443,444)} */
static const struct str ports = BYTES("\0\0\0\2\0\0\0\21\2\0\0\0\4\0\0\0\120\0\0\0\4\0\0\0\123"
                                      "\0\0\0\21\2\0\0\0\4\0\0\1\273\0\0\0\4\0\0\1\274");
static const struct str labels = BYTES("\1{\"b\": \"\", \"aa\": \"x\\\"y\\\\z\", \"\303\274\": \"{, }\"}");

START_TEST(addresses)
{
	struct addr addr;
	unsigned length;
	ck_assert_ptr_null(load_inet(tight(address4), &addr, &length));
	ck_assert(str_is(addr_str(arena, addr), "10.0.0.5"));
	ck_assert_uint_eq(length, 32);
	ck_assert_ptr_null(load_inet(tight(prefix6), &addr, &length));
	ck_assert(str_is(addr_str(arena, addr), "2001:db8:1::"));
	ck_assert_uint_eq(length, 48);
	for (size_t n = 0; n < prefix6.n; n++)
		if (n != 8)
			ck_assert_ptr_nonnull(load_inet(tight(str_slice(prefix6, 0, n)), &addr, &length));
	ck_assert_ptr_nonnull(load_inet(STR("\2\41\0\4\12\0\0\5"), &addr, &length));
	ck_assert_ptr_nonnull(load_inet(STR("\2\40\0\20\12\0\0\5"), &addr, &length));
}
END_TEST

START_TEST(port_ranges)
{
	struct port_range *ranges;
	size_t count;
	ck_assert_ptr_null(load_ports(arena, tight(ports), &ranges, &count));
	ck_assert_uint_eq(count, 2);
	ck_assert(ranges[0].first == 80 && ranges[0].last == 82 && ranges[1].first == 443 && ranges[1].last == 443);
	ck_assert_ptr_null(load_ports(arena, (struct str){0}, &ranges, &count));
	ck_assert_uint_eq(count, 0);
	for (size_t n = 0; n < ports.n; n++)
		ck_assert_ptr_nonnull(load_ports(arena, tight(str_slice(ports, 0, n)), &ranges, &count));
	ck_assert_ptr_nonnull(load_ports(arena, STR("\0\0\0\0x"), &ranges, &count));
	ck_assert_ptr_nonnull(load_ports(arena, STR("\377\377\377\377"), &ranges, &count));
}
END_TEST

static const char *ports_of(const char *first, const char *end)
{
	struct port_range *ranges;
	size_t count;
	char bytes[25];
	memcpy(bytes, "\0\0\0\1\0\0\0\21\2\0\0\0\4....\0\0\0\4....", 25);
	memcpy(bytes + 13, first, 4);
	memcpy(bytes + 21, end, 4);
	return load_ports(arena, (struct str){bytes, 25}, &ranges, &count) == NULL ? "good" : "bad";
}

START_TEST(port_ranges_have_limits)
{
	ck_assert_str_eq(ports_of("\0\0\0\0", "\0\1\0\0"), "good");
	ck_assert_str_eq(ports_of("\0\0\377\377", "\0\1\0\0"), "good");
	ck_assert_str_eq(ports_of("\0\0\0\0", "\0\1\0\1"), "bad");
	ck_assert_str_eq(ports_of("\0\0\0\5", "\0\0\0\5"), "bad");
	ck_assert_str_eq(ports_of("\377\377\377\377", "\0\0\0\5"), "bad");
}
END_TEST

START_TEST(label_lists)
{
	struct label *list;
	size_t count;
	ck_assert_ptr_null(load_labels(arena, tight(labels), &list, &count));
	ck_assert_uint_eq(count, 3);
	ck_assert(str_is(list[0].key, "aa") && str_is(list[0].value, "x\"y\\z"));
	ck_assert(str_is(list[1].key, "b") && list[1].value.n == 0);
	ck_assert(str_is(list[2].key, "\303\274") && str_is(list[2].value, "{, }"));
	ck_assert_ptr_null(load_labels(arena, STR("\1{}"), &list, &count));
	ck_assert_uint_eq(count, 0);
	ck_assert_ptr_null(load_labels(arena, (struct str){0}, &list, &count));
	ck_assert_uint_eq(count, 0);
	for (size_t n = 1; n < labels.n; n++)
		ck_assert_ptr_nonnull(load_labels(arena, tight(str_slice(labels, 0, n)), &list, &count));
}
END_TEST

START_TEST(label_lists_that_jsonb_does_not_write)
{
	static const char *const wrong[] = {"\2{}",
	                                    "\1[]",
	                                    "\1{} ",
	                                    "\1{\"a\": 1}",
	                                    "\1{\"a\":\"b\"}",
	                                    "\1{\"a\": \"b\",\"c\": \"d\"}",
	                                    "\1{\"a\": \"\\u0041\"}",
	                                    "\1{\"a\": \"b\\",
	                                    "\1{\"a\": \"b\"}}",
	                                    "\1{a: \"b\"}"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct label *list;
		size_t count;
		ck_assert_msg(load_labels(arena, tight(str_of(wrong[i])), &list, &count) != NULL, "%s", wrong[i] + 1);
	}
}
END_TEST

START_TEST(equal_label_lists_are_one)
{
	struct arena *scratch = arena_new();
	struct loading loading = {.arena = arena, .scratch = scratch};
	struct label *first, *second;
	size_t count;
	ck_assert_ptr_null(load_label_list(&loading, tight(labels), &first, &count));
	ck_assert_uint_eq(count, 3);
	ck_assert_ptr_null(load_label_list(&loading, tight(labels), &second, &count));
	ck_assert(count == 3 && first == second);
	ck_assert_ptr_nonnull(load_label_list(&loading, STR("\1{\"a\"}"), &second, &count));
	ck_assert_ptr_null(load_label_list(&loading, STR("\1{}"), &second, &count));
	ck_assert_uint_eq(count, 0);
	arena_free(scratch);
	ck_assert(str_is(first[0].key, "aa") && str_is(first[0].value, "x\"y\\z"));
}
END_TEST

/* More than are remembered. */
START_TEST(label_lists_of_which_none_is_like_another)
{
	struct arena *scratch = arena_new();
	struct loading loading = {.arena = arena, .scratch = scratch};
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 10000; i++) {
			struct str value = str_format(scratch, "%u", i);
			struct str field = str_format(scratch, "\1{\"id\": \"%u\"}", i);
			struct label *list;
			size_t count;
			struct error *error = load_label_list(&loading, field, &list, &count);
			if (error != NULL || count != 1 || !str_eq(list[0].value, value))
				ck_abort_msg("list %u", i);
		}
	}
	arena_free(scratch);
}
END_TEST

START_TEST(words_are_kept_once)
{
	struct loading loading = {.arena = arena, .words = names_new(arena)};
	struct str first = load_word(&loading, tight(STR("private"))),
		   second = load_word(&loading, tight(STR("private")));
	ck_assert(str_is(first, "private") && first.p == second.p);
	ck_assert(load_word(&loading, (struct str){NULL, 0}).n == 0 && load_word(&loading, STR("")).n == 0);
}
END_TEST

START_TEST(times)
{
	int64_t time;
	ck_assert_ptr_null(load_time((struct str){0}, &time));
	ck_assert(time == TIME_NONE);
	ck_assert_ptr_null(load_time(STR("\0\0\0\0\0\0\0\0"), &time));
	ck_assert_int_eq(time, 946684800);
	ck_assert_ptr_nonnull(load_time(STR("\177\377\377\377\377\377\377\377"), &time));
	ck_assert_ptr_nonnull(load_time(STR("\200\0\0\0\0\0\0\0"), &time));
}
END_TEST

/* Nothing that is read needs to mean something; nothing may be read that is not there. */
START_TEST(damaged_fields)
{
	const struct str whole[] = {address4, prefix6, ports, labels};
	struct rng rng = {3};
	for (size_t i = 0; i < 4000; i++) {
		struct str field = str_copy(arena, whole[i % 4]);
		struct addr addr;
		unsigned length;
		struct port_range *ranges;
		struct label *list;
		size_t count;
		for (size_t changes = 1 + rng_below(&rng, 3); changes > 0; changes--)
			((char *)(uintptr_t)field.p)[rng_below(&rng, field.n)] = (char)rng_next(&rng);
		field = tight(str_slice(field, 0, field.n - rng_below(&rng, 3)));
		struct error *errors[] = {load_inet(field, &addr, &length), load_ports(arena, field, &ranges, &count),
		                          load_labels(arena, field, &list, &count)};
		ck_assert(errors[0] != NULL || errors[1] != NULL || errors[2] != NULL);
		arena_reset(arena);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("load_fields");
	TCase *cases = tcase_create("load_fields");
	tcase_add_checked_fixture(cases, arena_setup, arena_teardown);
	tcase_add_checked_fixture(cases, NULL, teardown);
	tcase_add_test(cases, addresses);
	tcase_add_test(cases, port_ranges);
	tcase_add_test(cases, port_ranges_have_limits);
	tcase_add_test(cases, label_lists);
	tcase_add_test(cases, label_lists_that_jsonb_does_not_write);
	tcase_add_test(cases, equal_label_lists_are_one);
	tcase_add_test(cases, label_lists_of_which_none_is_like_another);
	tcase_add_test(cases, words_are_kept_once);
	tcase_add_test(cases, times);
	tcase_add_test(cases, damaged_fields);
	suite_add_tcase(suite, cases);
	return suite_main(suite);
}
