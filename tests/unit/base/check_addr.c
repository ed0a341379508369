/* Addresses, prefixes, ranges and exact sets; sets and splitting also against brute force on a small space.
 * valgrind-apart: brute force. */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/addr.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

#include "suite_main.h"

static struct addr parse(const char *text)
{
	struct addr addr;

	ck_assert_msg(addr_parse(str_of(text), &addr), "%s", text);
	return addr;
}

static struct str prefix_text(struct prefix prefix)
{
	struct buf buf = buf_new(arena);

	prefix_print(&buf, prefix);
	return buf_str(&buf);
}

/* Text in, text out as inet_ntop spells it. */
static const struct {
	const char *in, *out;
} good[] = {
	{"0.0.0.0", "0.0.0.0"},
	{"255.255.255.255", "255.255.255.255"},
	{"10.0.0.1", "10.0.0.1"},
	{"::", "::"},
	{"::1", "::1"},
	{"1::", "1::"},
	{"2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"},
	{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
	{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
	{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
	{"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
	{"::ffff:c000:201", "::ffff:192.0.2.1"},
	{"::1.2.3.4", "::1.2.3.4"},
	{"fe80::1", "fe80::1"},
	{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	{"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
};

START_TEST(spells_as_inet_ntop)
{
	ck_assert_str_eq(str_c(arena, addr_str(arena, parse(good[_i].in))), good[_i].out);
}
END_TEST

static const char *const bad[] = {
	"",
	" 10.0.0.1",
	"10.0.0.1 ",
	"10.1",
	"10.0.0.256",
	"10.0.0.01",
	"010.0.0.1",
	"10.0.0",
	"10.0.0.1.2",
	"0x7f.0.0.1",
	"10..0.1",
	"167772161",
	"fe80::1%eth0",
	":::",
	"1:2:3:4:5:6:7:8:9",
	"1:2:3:4:5:6:7",
	"12345::",
	"g::",
	"::1::",
	"1.2.3.4::",
	"[::1]",
	"::ffff:192.0.2.256",
	"localhost",
	"10.0.0.1/8",
	"\xc2\xb2.0.0.1",
	":",
	"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555",
};

START_TEST(refuses_other_spellings)
{
	struct addr addr;

	ck_assert_msg(!addr_parse(str_of(bad[_i]), &addr), "%s", bad[_i]);
}
END_TEST

START_TEST(refuses_nul)
{
	struct addr addr;

	ck_assert(!addr_parse(STR("10.0.0.1\0"), &addr));
	ck_assert(!addr_parse(STR("::1\0x"), &addr));
	ck_assert(!addr_parse((struct str){NULL, 0}, &addr));
}
END_TEST

START_TEST(bytes_and_back)
{
	static const unsigned char six[16] = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xab, 0xcd};
	static const unsigned char four[4] = {192, 0, 2, 7};
	unsigned char out[16];

	addr_to_bytes(addr_of_bytes(FAMILY_6, six), out);
	ck_assert_mem_eq(out, six, 16);
	ck_assert_str_eq(str_c(arena, addr_str(arena, addr_of_bytes(FAMILY_6, six))), "2001:db8::abcd");
	addr_to_bytes(addr_of_bytes(FAMILY_4, four), out);
	ck_assert_mem_eq(out, four, 4);
	ck_assert(addr_of_bytes(FAMILY_4, four).bits == 0xc0000207u);
}
END_TEST

/* Random addresses: what is printed is what inet_ntop prints, and it reads back. */
START_TEST(round_trips_at_random)
{
	srand(1);
	for (int i = 0; i < 20000; i++) {
		unsigned char bytes[16];
		char text[INET6_ADDRSTRLEN];
		struct addr addr, again;
		struct str s;

		for (int j = 0; j < 16; j++)
			bytes[j] = rand() % 3 == 0 ? (unsigned char)rand() : 0;
		addr = addr_of_bytes(i % 2 ? FAMILY_4 : FAMILY_6, bytes);
		s = addr_str(arena, addr);
		inet_ntop(i % 2 ? AF_INET : AF_INET6, bytes, text, sizeof text);
		ck_assert(str_is(s, text));
		ck_assert(addr_parse(s, &again) && addr_cmp(addr, again) == 0);
	}
}
END_TEST

START_TEST(orders_families_then_numbers)
{
	ck_assert_int_lt(addr_cmp(parse("255.255.255.255"), parse("::")), 0);
	ck_assert_int_lt(addr_cmp(parse("9.0.0.0"), parse("10.0.0.0")), 0);
	ck_assert_int_gt(addr_cmp(parse("ffff::"), parse("1::")), 0);
	ck_assert_int_eq(addr_cmp(parse("::1"), parse("0::1")), 0);
}
END_TEST

static const struct {
	const char *in, *out;
	enum prefix_fault fault;
} prefixes[] = {
	{"10.0.0.0/8", "10.0.0.0/8", PREFIX_OK},
	{"10.0.0.1", "10.0.0.1", PREFIX_OK},
	{"10.0.0.1/32", "10.0.0.1", PREFIX_OK},
	{"0.0.0.0/0", "0.0.0.0/0", PREFIX_OK},
	{"::/0", "::/0", PREFIX_OK},
	{"::1/128", "::1", PREFIX_OK},
	{"2001:db8::/32", "2001:db8::/32", PREFIX_OK},
	{"10.0.0.1/8", "10.0.0.0/8", PREFIX_HOST_BITS},
	{"255.255.255.255/0", "0.0.0.0/0", PREFIX_HOST_BITS},
	{"10.0.0.255/31", "10.0.0.254/31", PREFIX_HOST_BITS},
	{"2001:db8::1/32", "2001:db8::/32", PREFIX_HOST_BITS},
	{"::1/0", "::/0", PREFIX_HOST_BITS},
	{"10.0.0.0/33", NULL, PREFIX_BAD},
	{"::/129", NULL, PREFIX_BAD},
	{"10.0.0.0/", NULL, PREFIX_BAD},
	{"10.0.0.0/08", NULL, PREFIX_BAD},
	{"10.0.0.0/-1", NULL, PREFIX_BAD},
	{"10.0.0.0/8/8", NULL, PREFIX_BAD},
	{"10.0.0.0/255.0.0.0", NULL, PREFIX_BAD},
	{"10.0.0.0 /8", NULL, PREFIX_BAD},
	{"/8", NULL, PREFIX_BAD},
	{"", NULL, PREFIX_BAD},
	{"10.0.0.0/99999999999999999999", NULL, PREFIX_BAD},
};

START_TEST(reads_prefixes)
{
	struct prefix prefix;

	ck_assert_int_eq(prefix_parse(str_of(prefixes[_i].in), &prefix), prefixes[_i].fault);
	if (prefixes[_i].fault != PREFIX_BAD)
		ck_assert_str_eq(str_c(arena, prefix_text(prefix)), prefixes[_i].out);
}
END_TEST

/* The fewest prefixes of FIRST-LAST, joined by blanks. */
static struct str split(const char *first, const char *last)
{
	struct range range = {parse(first).bits, parse(last).bits, parse(first).family};
	struct buf buf = buf_new(arena);
	struct prefix prefix;
	bool more = true;

	while (range_cut(&range, &more, &prefix)) {
		buf_add(&buf, buf.n > 0 ? STR(" ") : STR(""));
		prefix_print(&buf, prefix);
	}
	return buf_str(&buf);
}

static const struct {
	const char *first, *last, *prefixes;
} splits[] = {
	{"0.0.0.0", "255.255.255.255", "0.0.0.0/0"},
	{"::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"},
	{"10.0.0.1", "10.0.0.1", "10.0.0.1"},
	{"10.0.0.1", "10.0.0.6", "10.0.0.1 10.0.0.2/31 10.0.0.4/31 10.0.0.6"},
	{"10.0.0.0", "10.0.0.254", "10.0.0.0/25 10.0.0.128/26 10.0.0.192/27 10.0.0.224/28 10.0.0.240/29 10.0.0.248/30 "
	                           "10.0.0.252/31 10.0.0.254"},
	{"255.255.255.254", "255.255.255.255", "255.255.255.254/31"},
	{"255.255.255.255", "255.255.255.255", "255.255.255.255"},
	{"0.0.0.0", "0.0.0.0", "0.0.0.0"},
	{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	{"8000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "8000::/1"},
	{"::1", "::3", "::1 ::2/127"},
	{"2001:db8::", "2001:db8:2:ffff:ffff:ffff:ffff:ffff", "2001:db8::/47 2001:db8:2::/48"},
};

START_TEST(splits_ranges)
{
	ck_assert_str_eq(str_c(arena, split(splits[_i].first, splits[_i].last)), splits[_i].prefixes);
}
END_TEST

/* 1 to the highest address but one takes the most prefixes there can be: 2 * 128 - 2. */
START_TEST(splits_the_worst_range)
{
	struct range range = {1, family_last(FAMILY_6) - 1, FAMILY_6};
	struct prefix prefix;
	addr_bits next = 1;
	size_t count = 0;
	bool more = true;

	while (range_cut(&range, &more, &prefix)) {
		struct range piece = prefix_range(prefix);

		ck_assert(piece.first == next);
		next = piece.last + 1;
		count++;
	}
	ck_assert_uint_eq(count, 254);
	ck_assert(next == family_last(FAMILY_6));
}
END_TEST

START_TEST(knows_a_range_that_is_a_prefix)
{
	struct prefix prefix;

	ck_assert(range_prefix((struct range){0, family_last(FAMILY_6), FAMILY_6}, &prefix) && prefix.length == 0);
	ck_assert(range_prefix((struct range){0, family_last(FAMILY_4), FAMILY_4}, &prefix) && prefix.length == 0);
	ck_assert(range_prefix((struct range){4, 7, FAMILY_4}, &prefix) && prefix.length == 30);
	ck_assert(range_prefix((struct range){7, 7, FAMILY_6}, &prefix) && prefix.length == 128);
	ck_assert(!range_prefix((struct range){4, 6, FAMILY_4}, &prefix));
	ck_assert(!range_prefix((struct range){1, 2, FAMILY_4}, &prefix));
}
END_TEST

START_TEST(compares_ranges)
{
	struct range wide = {0, 10, FAMILY_4}, inner = {3, 10, FAMILY_4}, six = {3, 4, FAMILY_6};

	ck_assert(range_covers(wide, inner) && range_covers(wide, wide));
	ck_assert(!range_covers(inner, wide) && !range_covers(wide, six));
	ck_assert_int_lt(range_cmp(wide, inner), 0);
	ck_assert_int_lt(range_cmp(inner, six), 0);
	ck_assert_int_lt(range_cmp(wide, (struct range){0, 11, FAMILY_4}), 0);
	ck_assert_int_eq(range_cmp(six, six), 0);
}
END_TEST

struct count {
	bool seen[64];
	size_t prefixes;
	addr_bits base;
};

static void mark(void *context, struct prefix prefix)
{
	struct count *count = context;
	struct range range = prefix_range(prefix);

	count->prefixes++;
	for (addr_bits a = range.first; a <= range.last; a++) {
		if (count->seen[a - count->base])
			ck_abort_msg("two prefixes overlap");
		count->seen[a - count->base] = true;
		if (a == range.last)
			break; /* the last address there is must not wrap */
	}
}

/* The fewest prefixes that make up seen[from, to): by trying the whole block, then its halves. */
static size_t fewest(const bool *seen, size_t from, size_t to)
{
	size_t set = 0;

	for (size_t i = from; i < to; i++)
		set += seen[i];
	if (set == 0 || set == to - from)
		return set > 0;
	return fewest(seen, from, (from + to) / 2) + fewest(seen, (from + to) / 2, to);
}

/* Random ranges in the 64 addresses from `base`, against an array of booleans. */
static void against_brute_force(enum family family, addr_bits base)
{
	for (int round = 0; round < 3000; round++) {
		struct range ranges[6];
		size_t n = (size_t)(rand() % 7);
		bool expected[64] = {false};
		struct count found = {.base = base};
		struct addr_set set;

		for (size_t i = 0; i < n; i++) {
			unsigned a = (unsigned)rand() % 64, b = a + (unsigned)rand() % (64 - a);

			ranges[i] =
				(struct range){base + a, base + b, rand() % 5 ? family : (enum family)(10 - family)};
			for (unsigned j = a; j <= b && ranges[i].family == family; j++)
				expected[j] = true;
		}
		set = addr_set_of(arena, family, ranges, n);
		for (size_t i = 0; i + 1 < set.count; i++)
			ck_assert(set.ranges[i].last + 1 < set.ranges[i + 1].first);
		for (unsigned j = 0; j < 64; j++) {
			size_t place = addr_set_place(&set, base + j);

			if (addr_set_has(&set, (struct addr){base + j, family}) != expected[j])
				ck_abort_msg("address %u of round %d", j, round);
			if ((place < set.count && set.ranges[place].last < base + j) ||
			    (place > 0 && set.ranges[place - 1].last >= base + j))
				ck_abort_msg("place %zu of address %u of round %d", place, j, round);
		}
		addr_set_prefixes(&set, mark, &found);
		ck_assert_mem_eq(found.seen, expected, sizeof expected);
		ck_assert_uint_eq(found.prefixes, fewest(expected, 0, 64));
		arena_reset(arena);
	}
}

START_TEST(sets_are_exact)
{
	srand(2);
	against_brute_force(FAMILY_4, 0);
	against_brute_force(FAMILY_4, family_last(FAMILY_4) - 63);
	against_brute_force(FAMILY_6, 0);
	against_brute_force(FAMILY_6, family_last(FAMILY_6) - 63);
	against_brute_force(FAMILY_6, (addr_bits)1 << 64);
}
END_TEST

START_TEST(sets_compare)
{
	struct range whole[] = {{0, family_last(FAMILY_6), FAMILY_6}};
	struct range halves[] = {{(addr_bits)1 << 127, family_last(FAMILY_6), FAMILY_6},
	                         {0, ~(addr_bits)0 >> 1, FAMILY_6}};
	struct addr_set a = addr_set_of(arena, FAMILY_6, whole, 1), b = addr_set_of(arena, FAMILY_6, halves, 2);
	struct addr_set none = addr_set_of(arena, FAMILY_6, NULL, 0), four = addr_set_of(arena, FAMILY_4, NULL, 0);
	struct addr_set half = addr_set_of(arena, FAMILY_6, halves, 1);

	ck_assert(addr_set_eq(&a, &b));
	ck_assert(!addr_set_eq(&a, &none) && !addr_set_eq(&none, &four) && !addr_set_eq(&a, &half));
	ck_assert(addr_set_has(&a, parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")));
	ck_assert(!addr_set_has(&a, parse("1.2.3.4")) && !addr_set_has(&none, parse("::")));
}
END_TEST

/* --- as inet_ntop(3) prints them --- */

static void check_spelled(enum family family, const unsigned char *bytes)
{
	char expected[INET6_ADDRSTRLEN], text[ADDR_TEXT_MAX + 1] = "";
	size_t n = addr_write(text, addr_of_bytes(family, bytes));

	ck_assert_uint_le(n, ADDR_TEXT_MAX);
	text[n] = '\0';
	ck_assert_ptr_nonnull(
		inet_ntop(family == FAMILY_4 ? AF_INET : AF_INET6, bytes, expected, sizeof expected));
	ck_assert_str_eq(text, expected);
}

START_TEST(every_octet_is_spelled)
{
	for (unsigned i = 0; i < 256; i++)
		for (unsigned at = 0; at < 4; at++) {
			unsigned char bytes[4] = {10, 20, 30, 40};

			bytes[at] = (unsigned char)i;
			check_spelled(FAMILY_4, bytes);
		}
}
END_TEST

/* Every pattern of groups that are zero, with short and long ones between; those of mixed spelling are among them. */
START_TEST(every_pattern_of_zeros_is_spelled)
{
	static const unsigned groups[] = {0x1, 0xffff, 0xab0, 0x10, 0x8000};

	for (unsigned zeros = 0; zeros < 256; zeros++)
		for (unsigned kind = 0; kind < sizeof groups / sizeof *groups; kind++) {
			unsigned char bytes[16] = {0};

			for (unsigned i = 0; i < 8; i++) {
				unsigned group = (zeros >> i & 1) != 0 ? 0 : groups[kind];

				bytes[2 * i] = (unsigned char)(group >> 8);
				bytes[2 * i + 1] = (unsigned char)group;
			}
			check_spelled(FAMILY_6, bytes);
		}
}
END_TEST

START_TEST(any_address_is_spelled)
{
	uint64_t state = 1;

	for (unsigned round = 0; round < 20000; round++) {
		unsigned char bytes[16];

		for (unsigned i = 0; i < 16; i++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			bytes[i] = (state >> 40 & 3) == 0 ? 0 : (unsigned char)(state >> 56);
		}
		check_spelled(round % 2 == 0 ? FAMILY_4 : FAMILY_6, bytes);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("addr");
	TCase *tcase = tcase_create("addr");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_loop_test(tcase, spells_as_inet_ntop, 0, sizeof good / sizeof *good);
	tcase_add_loop_test(tcase, refuses_other_spellings, 0, sizeof bad / sizeof *bad);
	tcase_add_test(tcase, refuses_nul);
	tcase_add_test(tcase, bytes_and_back);
	tcase_add_test(tcase, round_trips_at_random);
	tcase_add_test(tcase, orders_families_then_numbers);
	tcase_add_loop_test(tcase, reads_prefixes, 0, sizeof prefixes / sizeof *prefixes);
	tcase_add_loop_test(tcase, splits_ranges, 0, sizeof splits / sizeof *splits);
	tcase_add_test(tcase, splits_the_worst_range);
	tcase_add_test(tcase, knows_a_range_that_is_a_prefix);
	tcase_add_test(tcase, compares_ranges);
	tcase_add_test(tcase, sets_are_exact);
	tcase_add_test(tcase, sets_compare);
	tcase_add_test(tcase, every_octet_is_spelled);
	tcase_add_test(tcase, every_pattern_of_zeros_is_spelled);
	tcase_add_test(tcase, any_address_is_spelled);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
