/* The difference of two set files: applied by lines and nothing else, it gives the new file's bytes, whatever the two
 * hold; and it is as small as it can be. valgrind-apart: many sets. */
#include <check.h>
#include <stdlib.h>

#include "arena_fixture.h"
#include "fleetwall/buf.h"
#include "push_fixture.h"
#include "random_rule.h"
#include "suite_main.h"

/* --- the other end, written for this test alone: it knows lines, and nothing of addresses --- */

struct lines {
	struct str *items;
	size_t count, capacity;
};

static struct lines lines_of(struct str text)
{
	struct lines lines = {0};
	struct str line;

	while (text.n > 0 && str_cut(&text, '\n', &line))
		APPEND(arena, &lines, line);
	return lines;
}

static size_t number_at(struct str line, size_t *end)
{
	size_t number = 0, at = 1;

	while (at < line.n && line.p[at] >= '0' && line.p[at] <= '9')
		number = 10 * number + (size_t)(line.p[at++] - '0');
	ck_assert_msg(at > 1, "%.*s", STR_ARG(line));
	*end = at;
	return number;
}

/* "flush X.n" is the third line. */
static void add_member(struct buf *result, const struct lines *old, struct str member)
{
	buf_format(result, "add %.*s %.*s\n", STR_ARG(str_slice(old->items[2], 6, old->items[2].n)), STR_ARG(member));
}

static struct str applied(struct str before, struct str difference)
{
	struct lines old = lines_of(before), changes = lines_of(difference);
	struct buf result = buf_new(arena);
	size_t next = 0, end = 0, last = 0;

	for (size_t i = 0; i < old.count; i++) {
		bool gone = next < changes.count && changes.items[next].p[0] == '-' &&
		            number_at(changes.items[next], &end) == i + 1;

		if (gone)
			next++;
		else
			buf_format(&result, "%.*s\n", STR_ARG(old.items[i]));
		while (next < changes.count && changes.items[next].p[0] == '+' &&
		       number_at(changes.items[next], &end) == i + 1) {
			ck_assert_int_eq(changes.items[next].p[end], ' ');
			add_member(&result, &old, str_slice(changes.items[next], end + 1, changes.items[next].n));
			next++;
		}
		if (next < changes.count) {
			ck_assert_uint_ge(number_at(changes.items[next], &end), last);
			last = number_at(changes.items[next], &end);
		}
	}
	ck_assert_uint_eq(next, changes.count);
	return buf_str(&result);
}

/* How many lines it has. */
static size_t differs_rightly(struct str before, struct str after)
{
	struct buf lines = buf_new(arena);
	size_t count = 0;
	struct str result;

	ck_assert(set_difference(before, after, &lines, &count));
	result = applied(before, buf_str(&lines));
	ck_assert_msg(str_eq(result, after), "%.*s\n--- and\n%.*s\n--- by\n%.*s", STR_ARG(before), STR_ARG(after),
	              STR_ARG(buf_str(&lines)));
	ck_assert_uint_eq(lines_of(buf_str(&lines)).count, count);
	ck_assert_uint_lt(lines.n, after.n);
	return count;
}

/* --- one by one --- */

static const struct {
	const char *name, *before, *after, *lines;
} cases[] = {
	{"w-0.v4", "", "", ""},
	{"w-0.v4", "10.0.0.1\n", "10.0.0.1\n", ""},
	{"w-0.v4", "", "10.0.0.1\n", "+3 10.0.0.1\n"},
	{"w-0.v4", "10.0.0.1\n", "", "-4\n"},
	{"w-0.v4", "10.0.0.5\n", "10.0.0.1\n10.0.0.5\n", "+3 10.0.0.1\n"},
	{"w-0.v4", "10.0.0.5\n", "10.0.0.5\n10.0.0.7\n10.0.0.9\n", "+4 10.0.0.7\n+4 10.0.0.9\n"},
	{"w-0.v4", "9.0.0.1\n10.0.0.5\n", "10.0.0.5\n", "-4\n"},
	{"w-0.v4", "9.0.0.1\n10.0.0.5\n", "9.0.0.1\n", "-5\n"},
	{"w-0.v4", "10.0.0.5\n", "10.0.0.6\n", "-4\n+4 10.0.0.6\n"},
	{"w-0.v4", "10.0.0.6\n", "10.0.0.5\n", "+3 10.0.0.5\n-4\n"},
	{"w-0.v4", "10.0.0.4/31\n", "10.0.0.4\n", "-4\n+4 10.0.0.4\n"},
	{"w-0.v4", "10.0.0.4\n", "10.0.0.4/31\n", "-4\n+4 10.0.0.4/31\n"},
	{"w-0.v6", "fd00::1\nfd00::a\n", "fd00::1\nfd00::9\nfd00::a\nfd00::b\n", "+4 fd00::9\n+5 fd00::b\n"},
	{"w-0.v6", "::ffff:1.2.3.4\n", "::ffff:1.2.3.4\n2001:db8::/32\n", "+4 2001:db8::/32\n"},
};

START_TEST(test_cases)
{
	struct str name = str_of(cases[_i].name);
	struct str before = set_file_of(arena, name, str_of(cases[_i].before));
	struct str after = set_file_of(arena, name, str_of(cases[_i].after));
	struct buf lines = buf_new(arena);
	size_t count;

	ck_assert(set_difference(before, after, &lines, &count));
	ck_assert_msg(str_is(buf_str(&lines), cases[_i].lines), "%.*s", STR_ARG(buf_str(&lines)));
	differs_rightly(before, after);
}
END_TEST

/* --- at random --- */

static struct str member_at(enum family family, size_t place)
{
	struct buf text = buf_new(arena);
	addr_bits first = family == FAMILY_4 ? (addr_bits)9 << 24 : (addr_bits)0x2001 << 112;

	addr_print(&text, (struct addr){first + 4 * (addr_bits)place, family});
	if (place % 7 == 0)
		buf_format(&text, "/%u", family_width(family) - 1 - (unsigned)(place % 2));
	buf_char(&text, '\n');
	return buf_str(&text);
}

START_TEST(test_random)
{
	struct rng rng = {77 + (uint64_t)_i};
	enum family family = _i % 2 == 0 ? FAMILY_4 : FAMILY_6;
	struct str name = family == FAMILY_4 ? STR("app-0123456789ab.v4") : STR("app-0123456789ab.v6");
	struct buf texts[2] = {buf_new(arena), buf_new(arena)};
	size_t members = rng_below(&rng, 300), kept = rng_below(&rng, 101), changed = 0;

	for (size_t i = 0; i < members; i++) {
		bool in[2];

		in[0] = rng_chance(&rng, 70);
		in[1] = rng_chance(&rng, (unsigned)kept) ? in[0] : rng_chance(&rng, 70);
		changed += in[0] != in[1];
		for (int side = 0; side < 2; side++)
			if (in[side])
				buf_add(&texts[side], member_at(family, i));
	}
	struct str before = set_file_of(arena, name, buf_str(&texts[0]));
	struct str after = set_file_of(arena, name, buf_str(&texts[1]));
	struct buf lines = buf_new(arena);
	size_t count;

	if (set_difference(before, after, &lines, &count))
		ck_assert_uint_eq(differs_rightly(before, after), changed);
	else
		ck_assert_uint_ge(changed * 20, after.n / 2); /* the whole is shorter */
}
END_TEST

/* --- no difference --- */

static const struct {
	const char *before, *after;
} odd[] = {
	{"", "x\n"},
	{"create\n", "create\n"},
	{"create a\ncreate a.n\nflush a.n\nswap a a.n\ndestroy a.n\n",
	 "create a\ncreate a.n\nflush a.n\nadd a.n x\nswap a a.n\ndestroy a.n"},
	{"create a\ncreate a.n\nflush a.n\nswap a a.n\ndestroy a.n\n",
	 "create a x\ncreate a.n\nflush a.n\nadd a.n 1.1.1.1\nswap a a.n\ndestroy a.n\n"},
	{"create a\ncreate a.n\nflush a.n\nswap a a.n\ndestroy a.n\n",
	 "create a\ncreate a.n\nflush a.n\nadd b.n 1.1.1.1\nswap a a.n\ndestroy a.n\n"},
	{"create a\ncreate a.n\nflush a.n\nadd a.n nonsense\nswap a a.n\ndestroy a.n\n",
	 "create a\ncreate a.n\nflush a.n\nadd a.n 1.1.1.1\nswap a a.n\ndestroy a.n\n"},
	{"a\nb\nc\nd\n", "a\nb\nc\nd\n"},
	{"a\nb\nflush x.n\nd\n", "a\nb\nflush x.n\nd\n"},
};

START_TEST(test_odd)
{
	struct buf lines = buf_new(arena);
	size_t count;

	buf_add(&lines, STR("kept"));
	ck_assert(!set_difference(str_of(odd[_i].before), str_of(odd[_i].after), &lines, &count));
	ck_assert(str_is(buf_str(&lines), "kept"));
}
END_TEST

START_TEST(test_whole_is_shorter)
{
	struct str before = set_file_of(arena, STR("w-0.v4"), many_members(arena, FAMILY_4, 5000));
	struct str after = set_file_of(arena, STR("w-0.v4"), STR("11.0.0.1\n"));
	struct buf lines = buf_new(arena);
	size_t count;

	ck_assert(!set_difference(before, after, &lines, &count));
	ck_assert_uint_eq(lines.n, 0);
	ck_assert_uint_eq(differs_rightly(after, before), 5001);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("difference");
	TCase *tcase = tcase_create("difference");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_loop_test(tcase, test_cases, 0, sizeof cases / sizeof *cases);
	tcase_add_loop_test(tcase, test_random, 0, 60);
	tcase_add_loop_test(tcase, test_odd, 0, sizeof odd / sizeof *odd);
	tcase_add_test(tcase, test_whole_is_shorter);
	suite_add_tcase(s, tcase);
	return s;
}

int main(void)
{
	return suite_main(suite());
}
