/* Which rules stay where they are: as many as dynamic programming finds, for short chains at random; and canonical
 * text: one for all spellings of a rule, another for another rule. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "arena_fixture.h"
#include "drift_parts.h"
#include "fleetwall/arena.h"
#include "random_rule.h"
#include "suite_main.h"

/* --- order --- */

enum { MOST = 40 };

static size_t longest(const struct table_rule *a, size_t n, const struct table_rule *b, size_t m)
{
	size_t length[MOST + 1][MOST + 1] = {{0}};

	for (size_t i = 1; i <= n; i++)
		for (size_t j = 1; j <= m; j++) {
			size_t without = length[i - 1][j] > length[i][j - 1] ? length[i - 1][j] : length[i][j - 1];

			length[i][j] = a[i - 1].text == b[j - 1].text ? length[i - 1][j - 1] + 1 : without;
		}
	return length[n][m];
}

static size_t stayed(const struct table_rule *rules, size_t count, const bool *stay, uint32_t *texts)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		if (stay[i])
			texts[found++] = rules[i].text;
	return found;
}

static void check_order(const struct table_rule *a, size_t n, const struct table_rule *b, size_t m)
{
	bool a_stay[MOST] = {0}, b_stay[MOST] = {0};
	uint32_t a_texts[MOST], b_texts[MOST];
	size_t count;

	drift_common(arena, a, n, b, m, a_stay, b_stay);
	count = stayed(a, n, a_stay, a_texts);
	ck_assert_uint_eq(count, stayed(b, m, b_stay, b_texts));
	ck_assert_int_eq(memcmp(a_texts, b_texts, count * sizeof *a_texts), 0);
	ck_assert_uint_eq(count, longest(a, n, b, m));
}

static size_t random_chain(struct rng *rng, size_t alphabet, struct table_rule *rules)
{
	size_t count = rng_below(rng, MOST + 1);

	for (size_t i = 0; i < count; i++)
		rules[i] = (struct table_rule){.text = (uint32_t)rng_below(rng, alphabet)};
	return count;
}

START_TEST(test_random_order)
{
	struct rng rng = {3 + (uint64_t)_i};

	for (int round = 0; round < 200; round++) {
		struct table_rule a[MOST], b[MOST];
		size_t alphabet = 1 + rng_below(&rng, 40);
		size_t n = random_chain(&rng, alphabet, a), m = random_chain(&rng, alphabet, b);

		check_order(a, n, b, m);
		check_order(a, n, a, n);
	}
}
END_TEST

/* --- canonical text --- */

static struct canonical canonical_of(const char *line)
{
	struct canonical canonical;

	ck_assert_msg(drift_canonical(arena, str_of(line), &canonical), "%s", line);
	return canonical;
}

static const struct {
	const char *one, *other;
	bool same;
} spellings[] = {
	{"-A INPUT -p gre -j ACCEPT", "-A INPUT -p 47 -j ACCEPT", true},
	{"-A INPUT -p ipencap -j ACCEPT", "-A INPUT -p 4 -j ACCEPT", true},
	{"-A INPUT -p ipv4 -j ACCEPT", "-A INPUT -p 4 -j ACCEPT", true},
	{"-A INPUT -p ipip -j ACCEPT", "-A INPUT -p 4 -j ACCEPT", false},
	{"-A INPUT -p vrrp -j ACCEPT", "-A INPUT -p 112 -j ACCEPT", true},
	{"-A INPUT -p carp -j ACCEPT", "-A INPUT -p vrrp -j ACCEPT", true},
	{"-A INPUT -p dccp -m dccp --dport 1 -j ACCEPT", "-A INPUT -p 33 -m dccp --dport 1 -j ACCEPT", true},
	{"-A INPUT ! -p gre -j ACCEPT", "-A INPUT ! -p 47 -j ACCEPT", true},
	{"-A INPUT ! -p gre -j ACCEPT", "-A INPUT -p 47 -j ACCEPT", false},
	{"-A INPUT -p tcp -s 10.0.0.1 -j DROP", "-A INPUT -s 10.0.0.1/32 -p tcp -j DROP", true},
	{"-A INPUT -p tcp -i lo -s fd00::1 -j DROP", "-A INPUT -s fd00:0::1/128 -i lo -p tcp -j DROP", true},
	{"-A INPUT -s 10.0.0.1 -j DROP", "-A INPUT -d 10.0.0.1 -j DROP", false},
	{"-A INPUT -s 10.0.0.0/8 -j DROP", "-A INPUT -s 10.0.0.0/9 -j DROP", false},
	{"-A INPUT -m limit --limit 60/min", "-A INPUT -m limit --limit 1/second", true},
	{"-A INPUT -m limit --limit 24/day", "-A INPUT -m limit --limit 1/hour", true},
	{"-A INPUT -m limit --limit 60/min", "-A INPUT -m limit --limit 60/sec", false},
	{"-A INPUT -m limit --limit 7/min", "-A INPUT -m limit --limit 7/minute", true},
	{"-A I -m conntrack --ctstate NEW,RELATED,ESTABLISHED", "-A I -m conntrack --ctstate ESTABLISHED,NEW,RELATED",
	 true},
	{"-A I -m conntrack --ctstate NEW", "-A I -m conntrack --ctstate NEW,RELATED", false},
	{"-A I -m comment --comment \"web 1\"", "-A I -m comment --comment web 1", false},
	{"-A I -m comment --comment \"web\"", "-A I -m comment --comment web", true},
	{"-A I -m comment --comment \"a\\\"b\"", "-A I -m comment --comment \"a\"b\"", false},
	{"-A I -m comment --comment -s -j ACCEPT", "-A I -s -j -m comment --comment ACCEPT", false},
	{"-A I -m comment --comment \"-p\" -p tcp", "-A I -p tcp -m comment --comment -p", true},
	{"[1:2] -A I -j ACCEPT", "-A I -j ACCEPT", true},
	{"-A I -j ACCEPT", "-A I -g ACCEPT", false},
	{"-A I --jump ACCEPT", "-A I -j ACCEPT", true},
	{"-A I -m tcp -m limit -j ACCEPT", "-A I -m limit -m tcp -j ACCEPT", false},
	{"  -A   I\t-j  ACCEPT ", "-A I -j ACCEPT", true},
};

START_TEST(test_spellings)
{
	struct canonical one = canonical_of(spellings[_i].one), other = canonical_of(spellings[_i].other);

	ck_assert_msg(str_eq(one.text, other.text) == spellings[_i].same, "%.*s--- and\n%.*s", STR_ARG(one.text),
	              STR_ARG(other.text));
	ck_assert(str_eq(one.chain, other.chain));
}
END_TEST

START_TEST(test_targets)
{
	ck_assert(str_is(canonical_of("-A INPUT -j fleetwall-input").target, "fleetwall-input"));
	ck_assert(str_is(canonical_of("-A INPUT -p tcp --goto x").target, "x"));
	ck_assert_uint_eq(canonical_of("-A INPUT -m comment --comment -j").target.n, 0);
}
END_TEST

static const char *const odd[] = {"", "-A", "-D INPUT -j ACCEPT", "COMMIT", "INPUT", "[1:2]", "[1:2] -X I"};

START_TEST(test_odd)
{
	struct canonical canonical;

	ck_assert(!drift_canonical(arena, str_of(odd[_i]), &canonical));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("drift_order");
	TCase *tcase = tcase_create("drift_order");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_loop_test(tcase, test_random_order, 0, 10);
	tcase_add_loop_test(tcase, test_spellings, 0, sizeof spellings / sizeof *spellings);
	tcase_add_test(tcase, test_targets);
	tcase_add_loop_test(tcase, test_odd, 0, sizeof odd / sizeof *odd);
	suite_add_tcase(s, tcase);
	return s;
}

int main(void)
{
	return suite_main(suite());
}
