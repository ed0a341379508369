/* The reader of sets against ipset(8): commands at random, with and without -exist, are refused by both or by neither,
 * and what `ipset save` prints afterwards reads as the commands do. FILTER_ROUNDS=N is so many times as much,
 * FILTER_SEED=N another beginning. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "filter_text.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/process.h"
#include "random_rule.h"
#include "suite_main.h"

#define TEXTS 80

static struct arena *arena;
static struct rng rng;

static void setup(void)
{
	const char *seed = getenv("FILTER_SEED");

	arena = arena_new();
	rng.state = seed != NULL ? strtoull(seed, NULL, 10) : 20261122;
}

static void teardown(void)
{
	arena_free(arena);
	error_forget_all();
}

/* --- commands --- */

static const char *const creates[] = {
	"hash:net",
	"hash:net",
	"hash:ip",
	"hash:ip netmask 30",
	"hash:net family inet6",
	"hash:ip family inet6 maxelem 3",
	"bitmap:ip range 10.0.0.0/24",
	"list:set size 4",
	"hash:ip,port",
	"hash:net counters comment",
	"hash:ip maxelem 6",
};
static const char *const members[] = {
	"10.0.0.%",
	"10.0.0.%/30",
	"10.0.0.%/31",
	"10.0.0.%-10.0.0.9",
	"10.0.0.1-10.0.0.%",
	"2001:db8::%",
	"2001:db8::%/126",
	"10.0.0.%,tcp:80",
	"a",
	"b",
	"0.0.0.%",
	"10.0.%.1",
};

/* Each % is a small number. */
static void add_member(struct buf *text, const char *member)
{
	for (; *member != '\0'; member++) {
		if (*member == '%')
			buf_format(text, "%zu", rng_below(&rng, 16));
		else
			buf_char(text, *member);
	}
}

static void add_command(struct buf *text)
{
	char set = (char)('a' + rng_below(&rng, 3)), other = (char)('a' + rng_below(&rng, 4));
	const char *exist = rng_chance(&rng, 30) ? " -exist" : "";
	size_t what = rng_below(&rng, 20);

	if (what < 10) {
		buf_format(text, "%s %c ", rng_chance(&rng, 75) ? "add" : "del", set);
		add_member(text, members[rng_below(&rng, sizeof members / sizeof *members)]);
		buf_format(text, "%s\n", exist);
	} else if (what < 14) {
		buf_format(text, "create %c %s%s\n", other, creates[rng_below(&rng, sizeof creates / sizeof *creates)],
		           exist);
	} else if (what < 16) {
		buf_format(text, "swap %c %c\n", set, other);
	} else if (what < 17) {
		buf_format(text, "flush %c\n", set);
	} else if (what < 19) {
		buf_format(text, "rename %c %c\n", set, other);
	} else {
		buf_format(text, "destroy %c%s\n", set, exist);
	}
}

/* Most begin with sets, so that there is something to change. */
static struct str random_text(void)
{
	struct buf text = buf_new(arena);

	for (char set = 'a'; set <= 'c'; set++)
		buf_format(&text, "create %c %s\n", set, creates[rng_below(&rng, sizeof creates / sizeof *creates)]);
	for (size_t i = 0, count = rng_below(&rng, 9); i < count; i++)
		add_command(&text);
	return buf_str(&text);
}

/* --- both --- */

static struct str sets_said(const struct filter_sets *sets)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < sets->count; i++) {
		const struct filter_set *set = &sets->sets[i];

		buf_format(&buf, "%.*s %.*s %d %d %.*s\n", STR_ARG(set->name), STR_ARG(set->type),
		           set->addresses.count > 0 ? (int)set->family : 0, set->modelled,
		           STR_ARG(filter_set_text(arena, set)));
	}
	return buf_str(&buf);
}

static struct error *read_text(struct str text, struct str *said)
{
	struct filter_text file = {STR("f"), text};
	struct filter_sets sets;
	struct error *error = filter_sets_read(arena, &file, 1, false, &sets);

	*said = sets_said(&sets);
	return error;
}

/* Addresses beside ports are not looked into here. */
static bool has_other_types(struct str said)
{
	return strstr(str_c(arena, said), ",port") != NULL;
}

static void check_text(struct str text, struct str answer)
{
	struct str ours, theirs;
	struct error *error = read_text(text, &ours);
	bool refused = str_starts(answer, STR("refused"));
	struct buf buf = buf_new(arena);

	error_print(&buf, STR(""), error);
	ck_assert_msg((error != NULL) == refused || (refused && has_other_types(text)), "%.*s\n%.*s\n%.*s",
	              STR_ARG(text), STR_ARG(str_slice(answer, 0, 600)), STR_ARG(str_slice(buf_str(&buf), 0, 600)));
	if (refused)
		return;
	error = read_text(answer, &theirs);
	ck_assert_msg(error == NULL && str_eq(ours, theirs), "%.*s\nread:\n%.*s\nsaved:\n%.*s\n%.*s", STR_ARG(text),
	              STR_ARG(ours), STR_ARG(theirs), STR_ARG(str_slice(answer, 0, 800)));
}

/* --- ipset --- */

START_TEST(ipset_makes_the_same_of_it)
{
	size_t count = TEXTS;
	struct command *commands = ARENA_ARRAY(arena, struct command, count);
	struct outcome *outcomes = ARENA_ARRAY(arena, struct outcome, count);
	static const char *const shell[] = {
		"sh", "-c",
		"ipset flush; ipset destroy; said=$(ipset restore 2>&1) && exec ipset save; echo \"refused: $said\"",
		NULL};
	size_t ran, taken = 0;
	bool permitted;

	rng.state += (uint64_t)_i * 1000003;
	for (size_t i = 0; i < count; i++)
		commands[i] = (struct command){.argv = shell, .input = random_text()};
	ck_assert_ptr_null(process_run_apart(arena, commands, count, outcomes, &ran, &permitted));
	ck_assert_msg(permitted && ran == count, "no namespace");
	for (size_t i = 0; i < count; i++) {
		check_text(commands[i].input, outcomes[i].output);
		taken += !str_starts(outcomes[i].output, STR("refused"));
	}
	ck_assert_uint_gt(taken, count / 20);
	ck_assert_uint_lt(taken, count);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("filter_ipset");
	TCase *tests = tcase_create("sets");
	const char *rounds = getenv("FILTER_ROUNDS");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, ipset_makes_the_same_of_it, 0, rounds != NULL ? atoi(rounds) : 1);
	suite_add_tcase(suite, tests);
	return suite_main(suite);
}
