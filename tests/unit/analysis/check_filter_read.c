/* Whole texts of filter tables: chains and policies, commands that change what was there, other tables, what is wrong
 * with a file as a whole, sets, names of conditions, and the firewalls of others below ../shared/dumps. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "arena_fixture.h"
#include "filter_text.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "suite_main.h"

static struct filter *must_read(enum family family, const char *text, const struct filter_sets *sets)
{
	struct filter *filter;
	struct error *error = filter_read(arena, family, STR("f"), str_of(text), sets, &filter);

	none(error);
	return filter;
}

/* --- tables --- */

static const struct {
	const char *text, *read;
} tables[] = {
	{"", ""},
	{"# nothing\n\n", ""},
	{"*filter\nCOMMIT\n", ""},
	{"*filter\n:INPUT DROP [1:2]\n:FORWARD ACCEPT\n:mine - [0:0]\nCOMMIT\n",
         ":INPUT DROP\n:FORWARD ACCEPT\n:mine -\n"},
	{"*filter\n[12:3456] -A INPUT -c 1 2 -j DROP\n[0:0]-A INPUT -j ACCEPT\nCOMMIT",
         ":INPUT ACCEPT\n-> DROP\n-> ACCEPT\n"},
	{"*filter\n-A INPUT -j DROP\n-I INPUT -j ACCEPT\n-I INPUT 2 -j RETURN\n--insert INPUT 4 -p udp\nCOMMIT\n",
         ":INPUT ACCEPT\n-> ACCEPT\n-> RETURN\n-> DROP\nprotocol 17 -> nothing\n"},
	{"*filter\n-A INPUT -s 1.1.1.1,2.2.2.2 -d 3.3.3.3,4.4.4.4 -j DROP\nCOMMIT\n",
         ":INPUT ACCEPT\nsource 1.1.1.1; destination 3.3.3.3 -> DROP\nsource 1.1.1.1; destination 4.4.4.4 -> DROP\n"
         "source 2.2.2.2; destination 3.3.3.3 -> DROP\nsource 2.2.2.2; destination 4.4.4.4 -> DROP\n"},
	{"*filter\n-A INPUT -j DROP\n-I INPUT -s 1.1.1.1,2.2.2.2 -j ACCEPT\nCOMMIT\n",
         ":INPUT ACCEPT\nsource 2.2.2.2 -> ACCEPT\nsource 1.1.1.1 -> ACCEPT\n-> DROP\n"},
	{"*filter\n-A INPUT -p tcp -j DROP\n-A INPUT -s 1.1.1.1\n-A INPUT -j DROP\n-D INPUT -p 6 -j DROP\n-D INPUT 1\n"
         "COMMIT\n",
         ":INPUT ACCEPT\n-> DROP\n"},
	{"*filter\n-A INPUT -j DROP\n-A INPUT -j ACCEPT\n-R INPUT 1 -j RETURN\n-P INPUT DROP\nCOMMIT\n",
         ":INPUT DROP\n-> RETURN\n-> ACCEPT\n"},
	{"*filter\n-N a\n-A a -j DROP\n-A INPUT -g a\n-F INPUT\n-F a\n-X a\n-N b\n-A INPUT -j b\n-Z\nCOMMIT\n",
         ":INPUT ACCEPT\n-> jump b\n:b -\n"},
	{"*filter\n:a - [0:0]\n-A a -j DROP\n:a - [0:0]\nCOMMIT\n", ":a -\n"},
	{"*filter\n-A INPUT -j DROP\n-F\nCOMMIT\n*filter\n:OUTPUT DROP [0:0]\nCOMMIT\n", ":OUTPUT DROP\n"},
	{"*filter\n:INPUT DROP\nCOMMIT\n*filter\n-A INPUT -p 6\n-P INPUT ACCEPT\nCOMMIT\n",
         ":INPUT ACCEPT\nprotocol 6 -> nothing\n"},
	{"*filter\n:ECHO - [0:0]\n-A INPUT -j ECHO\nCOMMIT\n", ":ECHO -\n:INPUT ACCEPT\n-> jump ECHO\n"},
	{"*filter\n-A INPUT -6 -j DROP\n-A INPUT -4 -j ACCEPT\nCOMMIT\n", ":INPUT ACCEPT\n-> ACCEPT\n"},
	/* what a rule changes on the way is not the same answer all the way */
	{"*filter\n-A INPUT -m mark --mark 1\n-A INPUT -j MARK --set-mark 1\nCOMMIT\n",
         ":INPUT ACCEPT\nif mark 0x1 -> nothing\n-> pass MARK --set-xmark 0x1/0xffffffff\n"},
	{"*filter\n-A INPUT -m set --match-set a src\n-A INPUT -j SET --add-set a src\n"
         "-A INPUT -m set --match-set b src\nCOMMIT\n",
         ":INPUT ACCEPT\nif set a src -> nothing\n-> pass SET --add-set a src\nset b src -> nothing\n"},
};

START_TEST(table_is_read)
{
	struct str text = filter_text(arena, must_read(FAMILY_4, tables[_i].text, NULL));

	ck_assert_msg(str_is(text, tables[_i].read), "%s\n--- wanted\n%s--- read\n%.*s", tables[_i].text,
	              tables[_i].read, STR_ARG(text));
}
END_TEST

START_TEST(other_tables_are_counted)
{
	struct filter *filter = must_read(FAMILY_4,
	                                  "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n"
	                                  "*filter\n-A INPUT -j DROP\n-A INPUT -6 -j DROP\nCOMMIT\n"
	                                  "*mangle\n[1:2] -A INPUT -j TTL --ttl-set 4\nCOMMIT\n",
	                                  NULL);

	ck_assert_uint_eq(filter->foreign_lines, 4);
	ck_assert_uint_eq(filter->chain_count, 1);
	ck_assert_ptr_eq(filter_chain(filter, STR("INPUT")), &filter->chains[0]);
	ck_assert_ptr_null(filter_chain(filter, STR("OUTPUT")));
	ck_assert_uint_eq(filter->chains[0].rules[0].line, 6);
}
END_TEST

START_TEST(long_comment_is_cut)
{
	struct buf text = buf_new(arena);
	struct filter *filter;

	buf_add(&text, STR("*filter\n-A INPUT -m comment --comment "));
	for (size_t i = 0; i < 300; i++)
		buf_char(&text, 'x');
	buf_add(&text, STR(" -j DROP\nCOMMIT\n"));
	filter = must_read(FAMILY_4, str_c(arena, buf_str(&text)), NULL);
	ck_assert_uint_eq(filter->chains[0].rules[0].comment.n, 255);
}
END_TEST

/* --- what is wrong with a text --- */

static const struct {
	const char *text, *said; /* the beginning of what is printed, without hints */
} wrong[] = {
	{"-A INPUT -j DROP\n", "f:1:1: a line outside of a table"},
	{"*filter\n-A INPUT -j DROP\n", "f:3: COMMIT was expected before the end"},
	{"*filter\n*nat\nCOMMIT\n", "f:2:1: a table begins inside another"},
	{"COMMIT\n", "f:1:1: COMMIT without a table"},
	{"*\nCOMMIT\n", "f:1:1: a table needs its name"},
	{"*filter\nCOMMIT\n*filtre\n-A INPUT -j DROP\nCOMMIT\n", "f:3:1: there is no table filtre"},
	{"*filter\n:\"mine\" -\nCOMMIT\n", "f:2:2: the name of a chain in quotation marks"},
	{"*filter\n:INPUT DROP\nCOMMIT\n*nat\nCOMMIT\n*filter\n-A INPUT -p 6\nCOMMIT\n",
         "f:8: the policy of INPUT may be DROP, as a table before has it, or ACCEPT"},
	{"*filter\n:OUTPUT DROP\nCOMMIT\n*filter\n:INPUT DROP\nCOMMIT\n",
         "f:6: the policy of OUTPUT may be DROP, as a table before has it, or ACCEPT"},
	{"*filter\r\nCOMMIT\r\n", "f:1:8: a carriage return at the end of the line"},
	{"*filter\n:INPUT\nCOMMIT\n", "f:2: a chain without a policy"},
	{"*filter\n:INPUT RETURN\nCOMMIT\n", "f:2:8: \"RETURN\" is no policy"},
	{"*filter\n:mine DROP\nCOMMIT\n", "f:2:7: only INPUT, FORWARD and OUTPUT have a policy"},
	{"*filter\n:aaaaaaaaaaaaaaaaaaaaaaaaaaaaa -\nCOMMIT\n", "f:2:2: the name of a chain has 1 to 28 bytes"},
	{"*filter\n:-a -\nCOMMIT\n", "f:2:2: the name of a chain does not begin with -"},
	{"*filter\n:LOG -\nCOMMIT\n", "f:2:2: LOG is the name of a target"},
	{"*filter\n-A mine -j DROP\nCOMMIT\n", "f:2:4: there is no chain mine"},
	{"*filter\n-A INPUT -j mine\n:mine -\nCOMMIT\n", "f:2:13: there is no chain or target mine"},
	{"*filter\n-N a\n-N a\nCOMMIT\n", "f:3:4: the chain a is there already"},
	{"*filter\n-P INPUT\nCOMMIT\n", "f:2: a policy was expected"},
	{"*filter\n-I INPUT 2 -j DROP\nCOMMIT\n", "f:2:10: the chain INPUT has no place 2"},
	{"*filter\n-D INPUT 1\nCOMMIT\n", "f:2:10: the chain INPUT has no place 1"},
	{"*filter\n-D INPUT -j DROP\nCOMMIT\n", "f:2: the chain INPUT has no such rule"},
	{"*filter\n-X INPUT\nCOMMIT\n", "f:2: the chain INPUT can't be deleted"},
	{"*filter\n-N a\n-A INPUT -j a\n-X a\nCOMMIT\n", "f:4: the chain a is not empty, or in use"},
	{"*filter\n-E INPUT a\nCOMMIT\n", "f:2:1: \"-E\" is no command for a chain"},
	{"*filter\n-A\nCOMMIT\n", "f:2: -A needs the name of a chain"},
	{"*filter\n[1:x] -A INPUT\nCOMMIT\n", "f:2:1: no counters"},
	{"*filter\n # a\nCOMMIT\n", "f:2:2: \"#\" is no command for a chain"},
	{"*filter\n  \nCOMMIT\n", "f:2: a rule was expected"},
	{"*nat\nnonsense\nCOMMIT\n", "f:2:1: this is no line of a table of rules"},
	{"*filter\n-A INPUT -o eth0 -j DROP\nCOMMIT\n", "f:2:10: packets in INPUT have no output interface"},
	{"*filter\n-A OUTPUT -i eth0 -j DROP\nCOMMIT\n", "f:2:11: packets in OUTPUT have no input interface"},
	{"*filter\n-A INPUT -m owner --uid-owner 0\nCOMMIT\n", "f:2: owner can't be used in INPUT"},
	{"*filter\n-N a\n-A a -m owner --uid-owner 0\n-A FORWARD -j a\nCOMMIT\n",
         "f:3: owner can't be used in FORWARD"},
	{"*filter\n-N a\n-A a -j a\nCOMMIT\n", "f:3:9: the chain a reaches itself"},
	{"*filter\n-N a\n-N b\n-A a -g b\n-A b -j a\n-A INPUT -j a\nCOMMIT\n", "f:5:9: the chain a reaches itself"},
};

START_TEST(text_is_refused)
{
	struct filter *filter;
	struct error *error = filter_read(arena, FAMILY_4, STR("f"), str_of(wrong[_i].text), NULL, &filter);
	struct str said = str_of(printed(error));

	ck_assert_msg(error != NULL, "%s: taken", wrong[_i].text);
	ck_assert_msg(str_starts(said, str_of(wrong[_i].said)), "%s\n%.*s", wrong[_i].text, STR_ARG(said));
	ck_assert_int_eq((int)error->kind, (int)ERROR_INPUT);
}
END_TEST

START_TEST(all_faults_are_told_but_not_more_than_twenty)
{
	struct buf text = buf_new(arena);
	struct filter *filter;
	struct error *error;

	buf_add(&text, STR("*filter\n"));
	for (int i = 0; i < 19; i++)
		buf_format(&text, "-A INPUT -p tcp --dport %d -j DROP\n-A INPUT -j DROP\n", 70000 + i);
	buf_add(&text, STR("COMMIT\n"));
	error = filter_read(arena, FAMILY_4, STR("f"), buf_str(&text), NULL, &filter);
	ck_assert_uint_eq(error_count(error), 19);
	ck_assert_uint_eq(filter_chain(filter, STR("INPUT"))->rule_count, 19);
	for (int i = 0; i < 5000; i++)
		buf_add(&text, STR("nonsense\n"));
	error = filter_read(arena, FAMILY_4, STR("f"), buf_str(&text), NULL, &filter);
	ck_assert_uint_eq(error_count(error), 20);
}
END_TEST

START_TEST(bytes_of_zero_and_lines_without_end_are_refused)
{
	static const char zero[] = "*filter\n-A INPUT -j DR\0OP\nCOMMIT\n";
	struct buf text = buf_new(arena);
	struct filter *filter;
	struct error *error;

	error = filter_read(arena, FAMILY_4, STR("f"), (struct str){zero, sizeof zero - 1}, NULL, &filter);
	ck_assert(str_starts(str_of(printed(error)), STR("f:2:15: a byte of zero")));
	buf_add(&text, STR("*filter\n-A INPUT"));
	for (int i = 0; i < 200; i++)
		buf_add(&text, STR(" -m comment --comment aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	buf_add(&text, STR("\nCOMMIT\n"));
	error = filter_read(arena, FAMILY_4, STR("f"), buf_str(&text), NULL, &filter);
	ck_assert(str_starts(str_of(printed(error)), STR("f:2: a line of more than 10238 bytes")));
}
END_TEST

/* A chain of chains as deep as there are chains: no recursion. */
START_TEST(deep_jumps_are_followed)
{
	struct buf text = buf_new(arena);
	struct filter *filter;

	buf_add(&text, STR("*filter\n"));
	for (int i = 0; i < 20000; i++)
		buf_format(&text, ":c%d - [0:0]\n", i);
	for (int i = 1; i < 20000; i++)
		buf_format(&text, "-A c%d -j c%d\n", i - 1, i);
	buf_add(&text, STR("-A INPUT -j c0\n-A c19999 -m owner --uid-owner 0\nCOMMIT\n"));
	ck_assert(str_starts(str_of(printed(filter_read(arena, FAMILY_4, STR("f"), buf_str(&text), NULL, &filter))),
	                     STR("f:40002: owner can't be used in INPUT")));
}
END_TEST

/* --- sets --- */

static void refuses(const struct filter_sets *sets, const char *text, const char *said)
{
	struct filter *filter;
	const char *faults = printed(filter_read(arena, FAMILY_4, STR("f"), str_of(text), sets, &filter));

	ck_assert_msg(str_starts(str_of(faults), str_of(said)), "%.1500s", faults);
}

START_TEST(sets_must_be_there_and_fit)
{
	struct filter_text file = {STR("s"), STR("create four hash:net\nadd four 10.0.0.0/8\n"
	                                         "create six hash:ip family inet6\ncreate ports hash:ip,port\n")};
	struct filter_sets sets;
	struct filter *filter;

	ck_assert_ptr_null(filter_sets_read(arena, &file, 1, false, &sets));
	filter = must_read(FAMILY_4,
	                   "*filter\n-A INPUT -m set --match-set four src -j DROP\n"
	                   "-A INPUT -m set --match-set ports src -j DROP\nCOMMIT\n",
	                   &sets);
	ck_assert(str_is(filter_text(arena, filter),
	                 ":INPUT ACCEPT\nset four src -> DROP\nalways if set ports src -> DROP\n"));
	refuses(&sets, "*filter\n-A INPUT -m set --match-set six src\nCOMMIT\n", "f:2:29: the set six is one of IPv6");
	refuses(&sets, "*filter\n-A INPUT -m set --match-set no src\nCOMMIT\n", "f:2:29: there is no set no");
	refuses(&sets, "*filter\n-A INPUT -j SET --add-set no src\nCOMMIT\n", "f:2:27: there is no set no");
}
END_TEST

/* --- names of conditions --- */

static void same_name(const char *rule, struct str name)
{
	const char *text = str_c(arena, str_format(arena, "*filter\n-A INPUT %s\nCOMMIT\n", rule));
	const struct filter *filter = must_read(FAMILY_4, text, NULL);
	const struct match *match = &filter->chains[0].rules[0].matches[0];

	ck_assert_int_eq((int)match->kind, (int)MATCH_CONDITION);
	ck_assert_msg(str_eq(match->text, name), "%.*s is not %.*s", STR_ARG(match->text), STR_ARG(name));
}

START_TEST(conditions_have_the_names_that_parameters_make)
{
	struct filter_rate rate = {.count = 6, .seconds = 60, .burst = 5, .mode = STR("dstport,srcip")};

	same_name("-m hashlimit --hashlimit-upto 6/min --hashlimit-burst 5 --hashlimit-mode srcip,dstport "
	          "--hashlimit-name a",
	          filter_hashlimit_name(arena, &rate));
	rate = (struct filter_rate){.count = 120, .seconds = 3600, .burst = 7, .above = true, .expire = 60000};
	same_name("-m hashlimit --hashlimit-above 2/min --hashlimit-burst 7 --hashlimit-name b",
	          filter_hashlimit_name(arena, &rate));
	rate = (struct filter_rate){.count = 50, .seconds = 1, .burst = 50};
	same_name("-m limit --limit 3000/min --limit-burst 50", filter_limit_name(arena, &rate));
	same_name("-m time --datestop 2026-11-23T00:00:00", filter_until_name(arena, 1795392000));
}
END_TEST

/* --- firewalls of others --- */

static struct str file_bytes(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct buf buf = buf_new(arena);
	char block[4096];
	size_t size;

	ck_assert_msg(file != NULL, "%s", path);
	while ((size = fread(block, 1, sizeof block, file)) > 0)
		buf_add(&buf, (struct str){block, size});
	fclose(file);
	return buf_str(&buf);
}

struct counted {
	size_t rules, foreign;
};

/* By a way of its own: lines that begin like rules, in the filter table and outside of it. */
static struct counted count_lines(struct str text)
{
	struct counted counted = {0};
	bool filter = false, inside = false;
	struct str line;

	while (str_cut(&text, '\n', &line)) {
		if (str_starts(line, STR("*"))) {
			inside = true;
			filter = str_is(line, "*filter");
		} else if (str_is(line, "COMMIT")) {
			inside = false;
		} else if (inside && line.n > 0 && line.p[0] != '#') {
			counted.rules += filter && line.p[0] != ':';
			counted.foreign += !filter;
		}
	}
	return counted;
}

static size_t dumps_read, dumps_rules;

/* A text that does not begin like a dump is none (notes beside one); it is refused. */
static void check_dump(const char *path)
{
	struct str text = file_bytes(path);
	struct counted counted = count_lines(text);
	enum family family = strstr(path, "ip6tables") != NULL ? FAMILY_6 : FAMILY_4;
	struct filter *filter;
	struct error *error = filter_read(arena, family, str_of(path), text, NULL, &filter);
	size_t rules = 0;

	if (text.n == 0 || (text.p[0] != '#' && text.p[0] != '*')) {
		ck_assert_msg(error != NULL, "%s: taken", path);
		return;
	}
	none(error);
	for (size_t i = 0; i < filter->chain_count; i++)
		rules += filter->chains[i].rule_count;
	ck_assert_msg(rules == counted.rules, "%s: %zu rules are %zu", path, counted.rules, rules);
	ck_assert_msg(filter->foreign_lines == counted.foreign, "%s: %zu other lines", path, filter->foreign_lines);
	ck_assert(filter_text(arena, filter).p != NULL || filter->chain_count == 0);
	dumps_read++;
	dumps_rules += rules;
}

static void check_dumps(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	ck_assert_msg(dir != NULL, "%s", folder);
	while ((entry = readdir(dir)) != NULL) {
		const char *path = str_c(arena, str_format(arena, "%s/%s", folder, entry->d_name));

		if (entry->d_name[0] == '.')
			continue;
		if (entry->d_type == DT_DIR)
			check_dumps(path);
		else
			check_dump(path);
	}
	closedir(dir);
}

/* The counters of a dump of 2015 may begin a line; -6 and -s a,b are in none of them, so a line is a rule. */
START_TEST(dumps_lose_no_line)
{
	DIR *dir = opendir("../shared/dumps");

	if (dir == NULL) {
		printf("skipped: ../shared/dumps is not there\n");
		return;
	}
	closedir(dir);
	check_dumps("../shared/dumps");
	ck_assert_uint_gt(dumps_read, 10);
	ck_assert_uint_gt(dumps_rules, 500);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("filter_read");
	TCase *tests = tcase_create("texts");

	tcase_add_checked_fixture(tests, arena_setup, arena_teardown);
	tcase_add_loop_test(tests, table_is_read, 0, sizeof tables / sizeof *tables);
	tcase_add_test(tests, other_tables_are_counted);
	tcase_add_test(tests, long_comment_is_cut);
	tcase_add_loop_test(tests, text_is_refused, 0, sizeof wrong / sizeof *wrong);
	tcase_add_test(tests, all_faults_are_told_but_not_more_than_twenty);
	tcase_add_test(tests, bytes_of_zero_and_lines_without_end_are_refused);
	tcase_add_test(tests, deep_jumps_are_followed);
	tcase_add_test(tests, sets_must_be_there_and_fit);
	tcase_add_test(tests, conditions_have_the_names_that_parameters_make);
	tcase_add_test(tests, dumps_lose_no_line);
	suite_add_tcase(suite, tests);
	return suite_main(suite);
}
