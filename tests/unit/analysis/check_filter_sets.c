/* What ipset makes of texts: members of each type, commands that change sets, what is refused, and any order of adding
 * and deleting against a list that is gone through. tests/live/filter_ipset.c holds the same against ipset(8).
 * valgrind-apart: random texts. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "arena_fixture.h"
#include "filter_text.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "random_rule.h"
#include "suite_main.h"

static struct error *read_sets(const char *text, bool exist, struct filter_sets *sets)
{
	struct filter_text file = {STR("f"), str_of(text)};

	return filter_sets_read(arena, &file, 1, exist, sets);
}

/* "NAME TYPE 4: 10.0.0.1-10.0.0.2\n" for each; "?" for one that is not modelled. */
static struct str sets_text(const struct filter_sets *sets)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < sets->count; i++) {
		const struct filter_set *set = &sets->sets[i];

		ck_assert_ptr_eq(filter_set(sets, set->name), set);
		buf_format(&buf, "%.*s %.*s %d:%s%.*s\n", STR_ARG(set->name), STR_ARG(set->type), set->family,
		           !set->modelled             ? " ?"
		           : set->addresses.count > 0 ? " "
		                                      : "",
		           STR_ARG(set->modelled ? filter_set_text(arena, set) : STR("")));
	}
	ck_assert_ptr_null(filter_set(sets, STR("nothing")));
	return buf_str(&buf);
}

/* --- texts --- */

static const struct {
	const char *text, *read;
} texts[] = {
	{"", ""},
	{"# nothing\n\n  \n", ""},
	{"create a hash:net\n", "a hash:net 4:\n"},
	{"create a hash:net\nadd a 10.1.2.3/8\nadd a 11.0.0.0\nadd a 11.0.0.1/32\n",
         "a hash:net 4: 10.0.0.0-11.0.0.1\n"},
	{"create a hash:net\nadd a 10.0.0.0-10.0.0.9\ndel a 10.0.0.8/31\n", "a hash:net 4: 10.0.0.0-10.0.0.7\n"},
	{"create a hash:net\nadd a 10.0.0.0/8\nadd a 10.0.0.1\ndel a 10.0.0.0/8\n", "a hash:net 4: 10.0.0.1\n"},
	{"create a hash:net family inet6\nadd a 2001:db8::1/64\n",
         "a hash:net 6: 2001:db8::-2001:db8::ffff:ffff:ffff:ffff\n"},
	{"create a hash:ip\nadd a 10.0.0.0/30\ndel a 10.0.0.1\n", "a hash:ip 4: 10.0.0.0 10.0.0.2-10.0.0.3\n"},
	{"create a hash:ip\nadd a 10.0.0.5-10.0.0.1\ndel a 10.0.0.2-10.0.0.4\n", "a hash:ip 4: 10.0.0.1 10.0.0.5\n"},
	{"create a hash:ip netmask 24\nadd a 10.0.0.1\nadd a 10.0.1.7\n", "a hash:ip 4: 10.0.0.0-10.0.1.255\n"},
	{"create a hash:ip family inet6\nadd a ::2\nadd a ::1\n", "a hash:ip 6: ::1-::2\n"},
	{"create a bitmap:ip range 10.0.0.0/24\nadd a 10.0.0.9\nadd a 10.0.0.1-10.0.0.3\n",
         "a bitmap:ip 4: 10.0.0.1-10.0.0.3 10.0.0.9\n"},
	{"create b hash:ip\ncreate a hash:net\nadd b 10.0.0.1\nadd a 10.0.0.2\ncreate l list:set size 4\nadd l b\nadd "
         "l a\n",
         "a hash:net 4: 10.0.0.2\nb hash:ip 4: 10.0.0.1\nl list:set 4: 10.0.0.1-10.0.0.2\n"},
	{"create a hash:ip\ncreate b hash:ip\nadd b 1.1.1.1\ncreate l list:set\nadd l a\nswap a b\n",
         "a hash:ip 4: 1.1.1.1\nb hash:ip 4:\nl list:set 4: 1.1.1.1\n"},
	{"create a hash:ip\ncreate b hash:ip family inet6\ncreate l list:set\nadd l a\nadd l b\n",
         "a hash:ip 4:\nb hash:ip 6:\nl list:set 4: ?\n"},
	{"create a hash:net\nadd a 10.0.0.0/8\nadd a 10.1.0.0/16 nomatch\n", "a hash:net 4: ?\n"},
	{"create a hash:net timeout 0\nadd a 10.0.0.0/8\n", "a hash:net 4: ?\n"},
	{"create a hash:ip,port\nadd a 1.1.1.1,tcp:80\n", "a hash:ip,port 4: ?\n"},
	{"create a hash:net counters comment skbinfo maxelem 9 hashsize 64 bucketsize 12 initval 0x4f\n"
         "add a 10.0.0.1 packets 1 bytes 2 comment \"x \\\" skbprio 1:2\n",
         "a hash:net 4: 10.0.0.1\n"},
	{"create a hash:net\nadd a 10.0.0.1\nflush a\nadd a 10.0.0.2\nrename a b\n", "b hash:net 4: 10.0.0.2\n"},
	{"create a hash:net\ncreate b hash:net\ndestroy a\n", "b hash:net 4:\n"},
	{"create a hash:net\ncreate l list:set\nadd l a\ndestroy\n", ""},
	{"create a hash:net\ncreate l list:set\nadd l a\nflush\ndestroy a\n", "l list:set 4:\n"},
	{"-N a iphash\n-A a 10.0.0.1\nCOMMIT\n", "a hash:ip 4: 10.0.0.1\n"},
	{" create a hash:ip\r\nadd a 1.1.1.1\r\n", "a hash:ip 4: 1.1.1.1\n"},
	{"create a hash:ip -exist\ncreate a hash:ip -exist\nadd a 1.1.1.1\n-! add a 1.1.1.1\ndel a 2.2.2.2 -exist\n"
         "-exist destroy b\n",
         "a hash:ip 4: 1.1.1.1\n"},
	{"create a hash:ip hashsize 64\n-exist create a hash:ip hashsize 4096\n", "a hash:ip 4:\n"},
	/* a set file of fleetwall's, behind what was there */
	{"create fw4-a hash:net family inet maxelem 4294967295\nadd fw4-a 9.9.9.9\n"
         "create fw4-a.n hash:net family inet maxelem 4294967295\nflush fw4-a.n\nadd fw4-a.n 10.8.0.0/23\n"
         "add fw4-a.n 10.8.2.7\nswap fw4-a fw4-a.n\ndestroy fw4-a.n\n",
         "fw4-a hash:net 4: 10.8.0.0-10.8.1.255 10.8.2.7\n"},
};

START_TEST(texts_are_read)
{
	struct filter_sets sets;
	struct error *error = read_sets(texts[_i].text, false, &sets);
	struct str read = sets_text(&sets);

	none(error);
	ck_assert_msg(str_is(read, texts[_i].read), "%s\n%.*s", texts[_i].text, STR_ARG(read));
}
END_TEST

static const struct {
	const char *text, *said;
} wrong[] = {
	{"add a 1.1.1.1\n", "f:1:5: there is no set a"},
	{"flush a\n", "f:1:7: there is no set a"},
	{"destroy a\n", "f:1:9: there is no set a"},
	{"quit\n", "f:1:1: \"quit\" is no command for sets"},
	{"create a\n", "f:1: create needs more words"},
	{"create a hash:nope\n", "f:1:10: there is no type of sets \"hash:nope\""},
	{"create a hash:ip foo\n", "f:1:18: a set has no option \"foo\""},
	{"create a hash:ip netmask 33\n", "f:1:26: this set has no netmask 33"},
	{"create a hash:net netmask 24\n", "f:1:27: this set has no netmask 24"},
	{"create a hash:ip hashsize x\n", "f:1:27: \"x\" is no number"},
	{"create a hash:ip hashsize\n", "f:1:18: hashsize needs a value"},
	{"create a hash:ip family inet5\n", "f:1:25: this set has no family \"inet5\""},
	{"create a bitmap:ip\n", "f:1: a bitmap needs its range"},
	{"create aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa hash:ip\n", "f:1:8: the name of a set has at most 31 bytes"},
	{"create a hash:ip\ncreate a hash:ip\n", "f:2:8: the set a is there already"},
	{"create a hash:ip\n-exist create a hash:ip maxelem 5\n", "f:2:15: the set a is there already"},
	{"create a hash:ip\nadd a\n", "f:2: add needs more words"},
	{"create a hash:ip\nadd a localhost\n", "f:2:7: \"localhost\" is no member of a hash:ip of IPv4"},
	{"create a hash:ip\nadd a ::1\n", "f:2:7: \"::1\" is no member of a hash:ip of IPv4"},
	{"create a hash:ip\nadd a 0.0.0.0\n", "f:2:7: \"0.0.0.0\" is no member of a hash:ip of IPv4: it can't hold"},
	{"create a hash:net\nadd a 0.0.0.0/0\n", "f:2:7: \"0.0.0.0/0\" is no member of a hash:net of IPv4: /0"},
	{"create a hash:net family inet6\nadd a ::1-::5\n",
         "f:2:7: \"::1-::5\" is no member of a hash:net of IPv6, which"},
	{"create a hash:ip family inet6\nadd a 2001:db8::/127\n", "f:2:7: \"2001:db8::/127\" is no member"},
	{"create a bitmap:ip range 10.0.0.0/24\nadd a 10.0.1.1\n", "f:2:7: \"10.0.1.1\" is no member of a bitmap:ip"},
	{"create a hash:ip\nadd a 1.1.1.1\nadd a 1.1.1.1\n", "f:3:7: 1.1.1.1 is there already"},
	{"create a hash:ip\nadd a 1.1.1.0/30\nadd a 1.1.1.1\n", "f:3:7: 1.1.1.1 is there already"},
	{"create a hash:net\ndel a 1.1.1.1\n", "f:2:7: 1.1.1.1 is not there"},
	{"create a hash:ip maxelem 2\nadd a 1.1.1.1\nadd a 1.1.1.2\nadd a 1.1.1.3\n", "f:4:7: the set is full with 2"},
	{"create a hash:ip\nadd a 1.1.1.1 foo\n", "f:2:15: \"foo\" was not expected here"},
	{"create a hash:ip\ncreate b hash:net\nswap a b\n", "f:3:8: the sets can't be swapped"},
	{"create a hash:ip\ncreate b hash:ip family inet6\nswap a b\n", "f:3:8: the sets can't be swapped"},
	{"create a hash:ip\ncreate l list:set\nadd l a\nadd l a\n", "f:4:7: a is there already"},
	{"create a hash:ip\ncreate l list:set\nadd l a\ndestroy a\n", "f:4:9: the set a is a member of another"},
	{"create a hash:ip\ncreate l list:set\nadd l a\nrename a b\n", "f:4:8: the set a is a member of another"},
	{"create l list:set\nadd l x\n", "f:2:7: there is no set x"},
	{"create l list:set\nadd l l\n", "f:2:7: a list of sets in a list of sets"},
	{"create a hash:ip comment\nadd a 1.1.1.1 comment \"x\n", "f:2:23: a quotation mark is not closed"},
};

START_TEST(texts_are_refused)
{
	struct filter_sets sets;
	struct error *error = read_sets(wrong[_i].text, false, &sets);
	struct str said = str_of(printed(error));

	ck_assert_msg(error != NULL, "%s: taken", wrong[_i].text);
	ck_assert_msg(str_starts(said, str_of(wrong[_i].said)), "%s\n%.*s", wrong[_i].text, STR_ARG(said));
	ck_assert_int_eq((int)error->kind, (int)ERROR_INPUT);
}
END_TEST

START_TEST(files_come_one_after_the_other)
{
	const struct filter_text files[] = {
		{STR("one"), STR("create a hash:net\nadd a 10.0.0.1\n")},
		{STR("two"), STR("create a hash:net\nadd a 10.0.0.1\nadd a 10.0.0.2\n")},
	};
	struct filter_sets sets;
	struct error *error = filter_sets_read(arena, files, 2, false, &sets);

	ck_assert_uint_eq(error_count(error), 2);
	ck_assert(str_starts(str_of(printed(error)), STR("two:1:8: the set a is there already")));
	ck_assert_ptr_null(filter_sets_read(arena, files, 2, true, &sets));
	ck_assert(str_is(sets_text(&sets), "a hash:net 4: 10.0.0.1-10.0.0.2\n"));
}
END_TEST

/* --- any order of changes --- */

#define PLACES 40

/* What of the 256 addresses is in the set, by a list of the elements that are in it. */
struct model {
	bool net;
	struct {
		unsigned first, length; /* of an address, or of a prefix */
		bool in;
	} items[512];
	size_t count;
};

static bool *model_find(struct model *model, unsigned first, unsigned length)
{
	for (size_t i = 0; i < model->count; i++)
		if (model->items[i].first == first && model->items[i].length == length)
			return &model->items[i].in;
	model->items[model->count].first = first;
	model->items[model->count].length = length;
	model->items[model->count].in = false;
	return &model->items[model->count++].in;
}

static void model_change(struct model *model, unsigned first, unsigned length, bool in)
{
	unsigned size = 1u << (32 - length);

	if (model->net) {
		*model_find(model, first, length) = in;
		return;
	}
	for (unsigned i = first; i < first + size; i++)
		*model_find(model, i, 32) = in;
}

static bool model_has(const struct model *model, unsigned address)
{
	for (size_t i = 0; i < model->count; i++)
		if (model->items[i].in && address >= model->items[i].first &&
		    address < model->items[i].first + (1u << (32 - model->items[i].length)))
			return true;
	return false;
}

static void any_order(struct rng *rng, bool net)
{
	struct buf text = buf_new(arena);
	struct model *model = ARENA_NEW(arena, struct model);
	struct filter_sets sets;
	const struct filter_set *set;
	struct error *error;

	model->net = net;
	buf_format(&text, "create a hash:%s\n", net ? "net" : "ip");
	for (size_t i = 0, count = rng_below(rng, PLACES); i < count; i++) {
		unsigned length = 28 + (unsigned)rng_below(rng, 5), size = 1u << (32 - length);
		unsigned first = (unsigned)rng_below(rng, 256) / size * size;
		bool in = rng_chance(rng, 65);

		buf_format(&text, "%s a 10.0.0.%u/%u\n", in ? "add" : "del", first, length);
		model_change(model, first, length, in);
	}
	error = read_sets(str_c(arena, buf_str(&text)), true, &sets);
	none(error);
	set = filter_set(&sets, STR("a"));
	for (unsigned i = 0; i < 256; i++)
		ck_assert_msg(addr_set_has(&set->addresses, (struct addr){0x0a000000 + i, FAMILY_4}) ==
		                      model_has(model, i),
		              "10.0.0.%u after\n%.*s", i, STR_ARG(buf_str(&text)));
}

START_TEST(changes_in_any_order)
{
	struct rng rng = {(uint64_t)_i * 7919 + 1};

	for (int i = 0; i < 60; i++)
		any_order(&rng, i % 2 == 0);
}
END_TEST

/* A full set counts an element once, however often it is added. */
START_TEST(a_full_set_counts_elements_once)
{
	struct buf text = buf_new(arena);
	struct filter_sets sets;

	buf_add(&text, STR("create a hash:net maxelem 100\n"));
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 100; i++)
			buf_format(&text, "add a 10.0.%d.0/24\n", i);
	ck_assert_ptr_null(read_sets(str_c(arena, buf_str(&text)), true, &sets));
	buf_add(&text, STR("del a 10.0.7.0/24\nadd a 11.0.0.0/8\nadd a 12.0.0.0/8\n"));
	ck_assert(str_starts(str_of(printed(read_sets(str_c(arena, buf_str(&text)), true, &sets))),
	                     STR("f:304:1: the set is full with 100 members")));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("filter_sets");
	TCase *tests = tcase_create("sets");

	tcase_add_checked_fixture(tests, arena_setup, arena_teardown);
	tcase_add_loop_test(tests, texts_are_read, 0, sizeof texts / sizeof *texts);
	tcase_add_loop_test(tests, texts_are_refused, 0, sizeof wrong / sizeof *wrong);
	tcase_add_test(tests, files_come_one_after_the_other);
	tcase_add_loop_test(tests, changes_in_any_order, 0, 8);
	tcase_add_test(tests, a_full_set_counts_elements_once);
	suite_add_tcase(suite, tests);
	return suite_main(suite);
}
