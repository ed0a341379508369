/* Assertions as text: what lines say, and lines that are refused, with their place and what is suggested; files, all of
 * whose faults are shown at once; names that do not exist. */
#include <check.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/assertion.h"
#include "fleetwall/buf.h"
#include "suite_main.h"

static void print_end(struct buf *buf, const struct assertion_end *end)
{
	const char *comma = "";

	if (end->any) {
		buf_add(buf, STR("any"));
		comma = ", ";
	}
	for (size_t i = 0; i < end->count; i++) {
		buf_format(buf, "%s", comma);
		peer_print(buf, &end->peers[i]);
		buf_format(buf, "@%u", end->columns[i]);
		comma = ", ";
	}
}

/* Everything that was understood, with the places of names. */
static struct str understood(const struct assertion *assertion)
{
	struct buf buf = buf_new(arena);

	buf_format(&buf, "%.*s ", STR_ARG(assertion_kind_str(assertion->kind)));
	print_end(&buf, &assertion->source);
	buf_add(&buf, STR(" -> "));
	print_end(&buf, &assertion->destination);
	buf_char(&buf, ' ');
	what_print(&buf, &assertion->what);
	buf_format(&buf, "@%u", assertion->what_column);
	if (assertion->interface.n > 0)
		buf_format(&buf, " on %.*s", STR_ARG(assertion->interface));
	if (assertion->comment.n > 0)
		buf_format(&buf, " # %.*s", STR_ARG(assertion->comment));
	return buf_str(&buf);
}

static const struct {
	const char *line, *said;
} good[] = {
	{"never any -> role:mysql 3306/tcp", "never any -> role:mysql@14 3306/tcp@25"},
	{"  ALWAYS Role:Bastion -> ANY 22/TCP  ", "always role:bastion@10 -> any 22/tcp@30"},
	{"only role:app/private,network:office -> role:mysql mysql # OPS-12",
	 "only role:app/private@6, network:office@23 -> role:mysql@41 mysql@52 # OPS-12"},
	{"never\tall\t->\tmachine:db1\tall", "never any -> machine:db1@14 all@26"},
	{"never 10.*.*.*, 192.0.2.1-192.0.2.9 , 2001:db8::/32 -> any 80,81,1-3/tcp on eth+",
	 "never 10.0.0.0/8@7, 192.0.2.1-192.0.2.9@17, 2001:db8::/32@39 -> any 1-3,80-81/tcp@60 on eth+"},
	{"never any, role:a -> role:b, 0.0.0.0/0, any, ::/0 gre",
	 "never any, role:a@12 -> any, role:b@22, 0.0.0.0/0@30, ::/0@46 gre@51"},
	{"only machine:proxy -> network:partners 443/tcp", "only machine:proxy@6 -> network:partners@23 443/tcp@40"},
	{"never any -> any icmpv6/133", "never any -> any icmpv6/133@18"},
	{"never any -> any 6", "never any -> any tcp@18"},
};

START_TEST(what_lines_say)
{
	struct assertion assertion;
	struct error *error;
	bool said;

	error = assertion_parse(arena, str_of(good[_i].line), &assertion, &said, NULL);
	ck_assert_msg(error == NULL, "%s", good[_i].line);
	ck_assert(said);
	ck_assert_msg(str_is(understood(&assertion), good[_i].said), "%.*s", STR_ARG(understood(&assertion)));
}
END_TEST

START_TEST(lines_that_say_nothing)
{
	static const char *const lines[] = {"", "   \t", "# never any -> any all", " #", "\r"};
	struct assertion assertion;

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		bool said = true;

		ck_assert_ptr_null(assertion_parse(arena, str_of(lines[i]), &assertion, &said, NULL));
		ck_assert(!said);
	}
}
END_TEST

#define PEER "expected any, an address, a prefix, a range, role:NAME, network:NAME or machine:NAME, not "

/* One fault each. */
static const struct {
	const char *line;
	unsigned column;
	const char *message, *hint;
} bad[] = {
	{"nevr any -> any all", 1, "expected never, always or only, not \"nevr\"", "did you mean never?"},
	{"any -> any all", 1, "expected never, always or only, not \"any\"", NULL},
	{"allow any -> any all", 1, "expected never, always or only, not \"allow\"",
	 "this is a rule; an assertion says what rules must come to: never any -> role:mysql 3306/tcp"},
	{"never", 6, PEER "the end of the assertion", NULL},
	{"never slef -> any 22/tcp", 7, PEER "\"slef\"",
         "a name needs its kind before it: role:slef, network:slef or machine:slef"},
	{"never any", 10, "expected -> between sources and destinations, not the end of the assertion",
	 "for example never any -> role:mysql 3306/tcp"},
	{"never any => role:mysql all", 11, "expected -> between sources and destinations, not \"=>\"", "write ->"},
	{"never any to role:mysql all", 11, "expected -> between sources and destinations, not \"to\"", "write ->"},
	{"never any->role:mysql all", 10, "the arrow is a word of its own",
	 "write blanks around it: any -> role:mysql"},
	{"never any ->role:mysql all", 11, "the arrow is a word of its own",
	 "write blanks around it: any -> role:mysql"},
	{"never any -> 22/tcp", 14, "\"22/tcp\" is no address or prefix", NULL},
	{"never any -> role:mysql", 24, NULL, NULL},
	{"never self -> any all", 7, "self stands for the role of a rule, and this is none",
	 "name the role, as in role:web"},
	{"never any -> role:a, self all", 22, "self stands for the role of a rule, and this is none",
	 "name the role, as in role:web"},
	{"never role:a, 10.0.0.1 -> 192.0.2.1 all", 15, "both ends are addresses, so no machine has a say",
	 "to an address machines send: name any, role:NAME or machine:NAME"},
	{"never network:n -> network:m all", 7, "both ends are addresses, so no machine has a say",
	 "to an address machines send: name any, role:NAME or machine:NAME"},
	{"never any -> any 70000/tcp", 18, "the port 70000 is out of range", "it is a number from 0 to 65535"},
	{"never any -> any 0", 18, NULL, NULL},
	{"never any -> any all on", 24, "expected an interface behind on",
	 "for example on eth0, or on eth+ for all that begin so"},
	{"never any -> any all on eth0/1", 25, "\"eth0/1\" can't be the name of an interface",
	 "1 to 15 of A-Z a-z 0-9 _ . @ : -, and one + at the end for all that begin so"},
	{"never any -> any all log", 22, "expected on or the end, not \"log\"",
	 "an assertion is never, always or only; sources -> destinations; what; on INTERFACE"},
	{"never any -> any all on eth0 eth1", 30, "expected on or the end, not \"eth1\"",
	 "an assertion is never, always or only; sources -> destinations; what; on INTERFACE"},
	{"never 10.0.0.1/8 -> any all", 7, "the prefix \"10.0.0.1/8\" has host bits set", "write 10.0.0.0/8"},
	{"never any \xe2\x86\x92 any all", 11, "a rule is written in ASCII; only its comment may hold other characters",
	 NULL},
};

START_TEST(lines_that_are_refused)
{
	struct assertion assertion;
	struct error *error;
	bool said;

	error = assertion_parse(arena, str_of(bad[_i].line), &assertion, &said, NULL);
	ck_assert_msg(error != NULL, "%s", bad[_i].line);
	ck_assert_msg(error->next == NULL, "%s: a second fault: %.*s", bad[_i].line,
	              error->next != NULL ? (int)error->next->message.n : 0,
	              error->next != NULL ? error->next->message.p : "");
	ck_assert_int_eq(error->kind, ERROR_INPUT);
	ck_assert_msg(error->place.column == bad[_i].column, "%s: column %u", bad[_i].line, error->place.column);
	if (bad[_i].message != NULL)
		ck_assert_msg(str_is(error->message, bad[_i].message), "%.*s", STR_ARG(error->message));
	if (bad[_i].hint != NULL)
		ck_assert_msg(str_is(error->hint, bad[_i].hint), "%.*s", STR_ARG(error->hint));
}
END_TEST

START_TEST(all_faults_of_a_file)
{
	struct assertions list = {0};
	struct error *warnings = NULL;
	struct error *error = assertions_read(arena, STR("policy"),
	                                      STR("\xef\xbb\xbfnever any -> any all\r\n"
	                                          "# a comment\n\n"
	                                          "nevr role:# -> any\n"
	                                          "only any -> any 1-0/tcp # why\n"),
	                                      &list, &warnings);

	ck_assert_uint_eq(list.count, 1);
	ck_assert_uint_eq(list.items[0].place.line, 1);
	ck_assert_str_eq(printed(error),
	                 "policy:4:1: expected never, always or only, not \"nevr\"\n"
	                 "    nevr role:# -> any\n"
	                 "    ^\n"
	                 "    hint: did you mean never?\n"
	                 "policy:4:11: expected a name right behind the colon\n"
	                 "    nevr role:# -> any\n"
	                 "              ^\n"
	                 "    hint: for example role:web, without a space\n"
	                 "policy:5:17: the port range 1-0 ends before it begins\n"
	                 "    only any -> any 1-0/tcp # why\n"
	                 "                    ^\n"
	                 "    hint: write 0-1\n");
}
END_TEST

START_TEST(names_that_do_not_exist)
{
	struct role roles[] = {{.name = STR("app")}, {.name = STR("machine:db1")}, {.name = STR("mysql")}};
	struct machine machines[] = {{.name = STR("db1")}};
	struct network networks[] = {{.name = STR("office")}};
	struct service services[] = {{.name = STR("mysql")}};
	const struct fleet fleet = {.machines = machines, .machine_count = 1, .roles = roles, .role_count = 3,
	                            .networks = networks, .network_count = 1, .services = services, .service_count = 1};
	struct assertions list = {0};
	struct error *warnings = NULL;

	ck_assert_ptr_null(assertions_read(arena, STR("policy"),
	                                   STR("never role:app, network:office -> machine:db1 mysql\n"
	                                       "never role:ap, network:ofice -> role:mysql, machine:db2 mysq\n"),
	                                   &list, &warnings));
	ck_assert_str_eq(printed(assertions_check(arena, &list, &fleet)),
	                 "policy:2:7: there is no role \"ap\"\n"
	                 "    never role:ap, network:ofice -> role:mysql, machine:db2 mysq\n"
	                 "          ^\n"
	                 "    hint: did you mean \"app\"?\n"
	                 "policy:2:16: there is no network \"ofice\"\n"
	                 "    never role:ap, network:ofice -> role:mysql, machine:db2 mysq\n"
	                 "                   ^\n"
	                 "    hint: did you mean \"office\"?\n"
	                 "policy:2:45: there is no machine \"db2\"\n"
	                 "    never role:ap, network:ofice -> role:mysql, machine:db2 mysq\n"
	                 "                                                ^\n"
	                 "    hint: did you mean \"db1\"?\n"
	                 "policy:2:57: there is no service \"mysq\"\n"
	                 "    never role:ap, network:ofice -> role:mysql, machine:db2 mysq\n"
	                 "                                                            ^\n"
	                 "    hint: did you mean \"mysql\"?\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("assertion");
	TCase *tcase = tcase_create("assertion");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_loop_test(tcase, what_lines_say, 0, sizeof good / sizeof *good);
	tcase_add_test(tcase, lines_that_say_nothing);
	tcase_add_loop_test(tcase, lines_that_are_refused, 0, sizeof bad / sizeof *bad);
	tcase_add_test(tcase, all_faults_of_a_file);
	tcase_add_test(tcase, names_that_do_not_exist);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
