/* The Ansible importer: hosts, groups and groups of groups, variables that hold addresses, and what can't be known. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "foreign_case.h"
#include "rounds.h"
#include "suite_main.h"

static struct fleet fleet;
static struct foreign_notes notes;

static const struct str variables[] = {{"ip4", 3}, {"ip6", 3}};

static struct error *try_import(const char *text, size_t variable_count)
{
	struct foreign_file file = {STR("list.json"), json_text(arena, text)};

	return ansible_read(arena, &file, variables, variable_count, &fleet, &notes);
}

static void import(const char *text)
{
	struct error *error = try_import(text, 2);

	ck_assert_msg(error == NULL, "%s", messages(arena, error));
	check_fleet_whole(arena, &fleet);
	for (const struct error *note = notes.made_right; note != NULL; note = note->next)
		ck_assert(str_starts(note->message, STR("no host has the variable \"ip")));
}

static const char *left_out(void)
{
	return messages(arena, notes.left_out);
}

/* A single host with these variables. */
static void import_host(const char *host, const char *hostvars)
{
	import(str_c(arena, str_format(arena, "{'_meta':{'hostvars':{'%s':{%s}}}}", host, hostvars)));
}

/* --- variables --- */

static const struct {
	const char *variables, *machine, *left_out;
} hosts[] = {
	{"", "roles:\naddresses:\n", ""},
	{"'ansible_host':'10.0.0.1'", "roles:\naddresses: 10.0.0.1\n", ""},
	{"'ansible_ssh_host':'10.0.0.1'", "roles:\naddresses: 10.0.0.1\n", ""},
	{"'ansible_ssh_host':'10.0.0.1','ansible_host':'2001:DB8::1'", "roles:\naddresses: 2001:db8::1\n", ""},
	{"'ansible_host':'h'", "roles:\naddresses:\n", ""},
	{"'ansible_host':'H'", "roles:\naddresses:\n", ""},
	{"'ansible_host':'h.example.com'", "roles:\naddresses:\nssh_host: h.example.com\n", ""},
	{"'ansible_host':'10.0.0.1','ip4':'192.0.2.1'", "roles:\naddresses: 192.0.2.1\nssh_host: 10.0.0.1\n", ""},
	{"'ansible_host':'10.0.0.1','ip4':'10.0.0.1'", "roles:\naddresses: 10.0.0.1\n", ""},
	{"'ansible_host':'10.0.0.1','ip4':'10.0.0.1','ip6':'::1'",
         "roles:\naddresses: 10.0.0.1 ::1\nssh_host: 10.0.0.1\n", ""},
	{"'ip4':['10.0.0.2','10.0.0.1','10.0.0.2'],'ip6':[]", "roles:\naddresses: 10.0.0.1 10.0.0.2\n", ""},
	{"'ip4':' 10.0.0.5/24 ','ip6':'2001:db8::5/128'", "roles:\naddresses: 10.0.0.5 2001:db8::5\n", ""},
	{"'ip4':'10.0.0.5/33'", "roles:\naddresses:\n", "host \"h\": ip4: \"10.0.0.5/33\" is no address"},
	{"'ip4':'10.0.0.5/'", "roles:\naddresses:\n", "host \"h\": ip4: \"10.0.0.5/\" is no address"},
	{"'ip4':'','ip6':null", "roles:\naddresses:\n", ""},
	{"'ip4':'db.example.com'", "roles:\naddresses:\n", "host \"h\": ip4: \"db.example.com\" is no address"},
	{"'ip4':'{{ x }}'", "roles:\naddresses:\n", "host \"h\": ip4: \"{{ x }}\" is a template"},
	{"'ip4':17", "roles:\naddresses:\n", "host \"h\": ip4: it is no string"},
	{"'ip4':['10.0.0.1',['10.0.0.2']]", "roles:\naddresses: 10.0.0.1\n", "host \"h\": ip4: it is no string"},
	{"'ip4':{'__ansible_vault':'$ANSIBLE_VAULT;1.1;AES256'}", "roles:\naddresses:\n",
         "host \"h\": ip4: it is encrypted"},
	{"'ip4':{'__ansible_unsafe':'10.0.0.1'}", "roles:\naddresses: 10.0.0.1\n", ""},
	{"'ip4':'10.0.0.1\\u0000'", "roles:\naddresses:\n", "host \"h\": ip4: \"10.0.0.1\\x00\" is no address"},
	{"'ansible_host':{'__ansible_vault':'x'}", "roles:\naddresses:\n", "host \"h\": ansible_host: it is encrypted"},
	{"'ansible_host':'{{ inventory_hostname }}.x'", "roles:\naddresses:\n",
         "host \"h\": ansible_host: \"{{ inventory_hostname }}.x\" is a template"},
	{"'ansible_host':'-oProxyCommand=x'", "roles:\naddresses:\n",
         "host \"h\": ansible_host: \"-oProxyCommand=x\" is no name of a host"},
	{"'ansible_port':2222", "roles:\naddresses:\nssh_port: 2222\n", ""},
	{"'ansible_port':'2222'", "roles:\naddresses:\nssh_port: 2222\n", ""},
	{"'ansible_ssh_port':23,'ansible_port':22", "roles:\naddresses:\nssh_port: 22\n", ""},
	{"'ansible_ssh_port':23", "roles:\naddresses:\nssh_port: 23\n", ""},
	{"'ansible_port':0", "roles:\naddresses:\n", "host \"h\": ansible_port: it is no port"},
	{"'ansible_port':-22", "roles:\naddresses:\n", "host \"h\": ansible_port: it is no port"},
	{"'ansible_port':65536", "roles:\naddresses:\n", "host \"h\": ansible_port: it is no port"},
	{"'ansible_port':'{{ p }}'", "roles:\naddresses:\n", "host \"h\": ansible_port: it is no port"},
	{"'ansible_port':22.5", "roles:\naddresses:\n", "host \"h\": ansible_port: it is no string"},
	{"'ansible_port':22,'serial':123456789012345678901234567890", "roles:\naddresses:\nssh_port: 22\n", ""},
	{"'ansible_port':null", "roles:\naddresses:\n", ""},
	{"'ip7':'10.0.0.1','secret':{'__ansible_vault':'x'},'n':'\\u0000'", "roles:\naddresses:\n", ""},
};

START_TEST(test_hosts)
{
	const char *expected = hosts[_i].left_out;

	import_host("h", hosts[_i].variables);
	ck_assert_str_eq(machine_lines(arena, &fleet, "h"), hosts[_i].machine);
	if (expected[0] != '\0')
		expected = str_c(arena, str_format(arena, "left out: %s\n", expected));
	ck_assert_str_eq(left_out(), expected);
}
END_TEST

START_TEST(test_without_variables)
{
	ck_assert_ptr_null(
		try_import("{'_meta':{'hostvars':{'h':{'ansible_host':'10.0.0.1','ip4':'10.0.0.2'},'g':7}}}", 0));
	ck_assert_str_eq(machine_lines(arena, &fleet, "h"), "roles:\naddresses: 10.0.0.1\n");
	ck_assert_str_eq(machine_lines(arena, &fleet, "g"), "roles:\naddresses:\n");
	ck_assert_str_eq(left_out(), "left out: host \"g\": its variables are no object\n");
}
END_TEST

/* What no variable says is left alone. */
START_TEST(test_given)
{
	import("{'_meta':{'hostvars':{'a':{},'b':{'ansible_host':'10.0.0.1'},'c':{'ip4':'10.0.0.1'},'d':{'ip4':'x'},'D_"
	       "e':{}}},'g':{'hosts':[]}}");
	ck_assert_uint_eq(fleet_machine(&fleet, STR("a"))->given, GIVEN_ROLES);
	ck_assert_uint_eq(fleet_machine(&fleet, STR("b"))->given, GIVEN_ROLES | GIVEN_ADDRESSES | GIVEN_SSH_HOST);
	ck_assert_uint_eq(fleet_machine(&fleet, STR("c"))->given, GIVEN_ROLES | GIVEN_ADDRESSES);
	ck_assert_uint_eq(fleet_machine(&fleet, STR("d"))->given, GIVEN_ROLES);
	ck_assert_uint_eq(fleet_machine(&fleet, STR("d-e"))->given, GIVEN_ROLES | GIVEN_LABELS | GIVEN_SSH_HOST);
}
END_TEST

/* --- names --- */

static const struct {
	const char *host, *name, *lines;
} names[] = {
	{"db1.example.com", "db1.example.com", "roles:\naddresses:\n"},
	{"DB1", "db1", "roles:\naddresses:\nlabels: ansible-name=DB1\n"},
	{"web_1", "web-1", "roles:\naddresses:\nlabels: ansible-name=web_1\nssh_host: web_1\n"},
	{"10.0.0.5", "10-0-0-5", "roles:\naddresses: 10.0.0.5\nlabels: ansible-name=10.0.0.5\n"},
	{"2001:db8::5", "2001-db8--5", "roles:\naddresses: 2001:db8::5\nlabels: ansible-name=2001:db8::5\n"},
};

START_TEST(test_names)
{
	import_host(names[_i].host, "");
	ck_assert_str_eq(machine_lines(arena, &fleet, names[_i].name), names[_i].lines);
	ck_assert_str_eq(left_out(), "");
}
END_TEST

START_TEST(test_names_alike)
{
	import("{'_meta':{'hostvars':{'a_b':{},'a-b':{},'c':{}}},'web_1':{'hosts':['c']},'web 1':{'hosts':['c']},"
	       "'web-1':{'hosts':['c']},'_x':{'hosts':['c']},'\\u65e5':{'hosts':['c']}}");
	ck_assert_uint_eq(fleet.machine_count, 3);
	ck_assert_str_eq(machine_lines(arena, &fleet, "a-b"), "(no machine)");
	ck_assert(str_starts(fleet.machines[0].name, STR("a-b-")) && str_starts(fleet.machines[1].name, STR("a-b-")));
	ck_assert_uint_eq(fleet.role_count, 5);
	ck_assert_str_eq(role_rules(arena, &fleet, "web_1"), "");
	ck_assert_str_eq(role_rules(arena, &fleet, "web-1"), "(no role)");
	ck_assert_str_eq(role_rules(arena, &fleet, "x"), "");
	ck_assert(str_is(fleet_role(&fleet, STR("x"))->description, "_x"));
	ck_assert_uint_eq(fleet_role(&fleet, STR("x"))->given, GIVEN_DESCRIPTION);
	ck_assert_uint_eq(fleet_role(&fleet, STR("web_1"))->given, 0);
	ck_assert_uint_eq(fleet_machine(&fleet, STR("c"))->role_count, 5);
}
END_TEST

/* --- groups --- */

START_TEST(test_groups)
{
	import("{'_meta':{'hostvars':{'a':{}}},'all':{'children':['ungrouped','top','empty']},'ungrouped':{'hosts':['u'"
	       "]},"
	       "'top':{'children':['left','right']},'left':{'children':['bottom'],'hosts':['l']},"
	       "'right':{'children':['bottom']},'bottom':{'hosts':['a','b','a']},'plain':['b','c']}");
	ck_assert_str_eq(machine_lines(arena, &fleet, "a"), "roles: bottom left right top\naddresses:\n");
	ck_assert_str_eq(machine_lines(arena, &fleet, "b"), "roles: bottom left plain right top\naddresses:\n");
	ck_assert_str_eq(machine_lines(arena, &fleet, "c"), "roles: plain\naddresses:\n");
	ck_assert_str_eq(machine_lines(arena, &fleet, "l"), "roles: left top\naddresses:\n");
	ck_assert_str_eq(machine_lines(arena, &fleet, "u"), "roles:\naddresses:\n");
	ck_assert_str_eq(role_rules(arena, &fleet, "empty"), "");
	ck_assert_uint_eq(fleet.role_count, 6);
	ck_assert_str_eq(left_out(), "");
}
END_TEST

START_TEST(test_circles)
{
	import("{'_meta':{},'a':{'children':['b','a']},'b':{'children':['c']},'c':{'children':['a'],'hosts':['h']}}");
	ck_assert_str_eq(machine_lines(arena, &fleet, "h"), "roles: a b c\naddresses:\n");
}
END_TEST

/* What says nothing of roles takes none away. */
START_TEST(test_no_groups)
{
	import("{'_meta':{'hostvars':{'h':{'ip4':'10.0.0.1'}}},'all':{'children':['ungrouped']},"
	       "'ungrouped':{'hosts':['h']}}");
	ck_assert_uint_eq(fleet.machine_count, 1);
	ck_assert_uint_eq(fleet.machines[0].given & GIVEN_ROLES, 0);
	ck_assert_ptr_nonnull(strstr(messages(arena, notes.made_right), "no host has the variable \"ip6\", which"));
	import("{'_meta':{'hostvars':{'h':{'ip4':'10.0.0.1','ip6':'::1'}}},'g':{'hosts':[]}}");
	ck_assert_uint_ne(fleet.machines[0].given & GIVEN_ROLES, 0);
	ck_assert_ptr_null(notes.made_right);
}
END_TEST

START_TEST(test_groups_that_are_none)
{
	import("{'_meta':{'hostvars':[]},'a':7,'b':{'hosts':{'h':1}},'c':{'hosts':['x',7,''],'children':'d'},"
	       "'e':{'children':[null,'f']},'g':{'vars':{'ip4':'10.0.0.1'}},'i':{'vars':{'other':1}},"
	       "'j':{'vars':{'ansible_port':1}}}");
	ck_assert_str_eq(machine_lines(arena, &fleet, "x"), "roles: c\naddresses:\n");
	ck_assert_uint_eq(fleet.role_count, 8);
	ck_assert_str_eq(
		left_out(),
		"left out: group \"a\": it is not as Ansible writes groups\n"
		"left out: group \"b\": it is not as Ansible writes groups\n"
		"left out: group \"c\": element 1 of hosts is no name\n"
		"left out: group \"c\": element 2 of hosts is no name\n"
		"left out: group \"c\": it is not as Ansible writes groups\n"
		"left out: group \"e\": element 0 of children is no name\n"
		"left out: group \"g\": its variables; without --export, ansible-inventory gives them to hosts\n"
		"left out: group \"j\": its variables; without --export, ansible-inventory gives them to hosts\n"
		"left out: the variables of hosts: hostvars is no object\n");
}
END_TEST

static const struct {
	const char *text, *message;
} refused[] = {
	{"", "the file holds no JSON"},
	{"{", "this is no JSON: string or '}' expected near end of file"},
	{"{'web':{'hosts':['a']}}", "there is neither _meta nor all in it"},
	{"[]", "there is neither _meta nor all in it"},
	{"{'_meta':{}}{'_meta':{}}", "the file holds several JSON values"},
	{"{'_meta':{},'_meta':{}}", "this is no JSON: duplicate object key near '\"_meta\"'"},
};

START_TEST(test_refused)
{
	ck_assert_str_eq(messages(arena, try_import(refused[_i].text, 0)),
	                 str_c(arena, str_format(arena, "%s\n", refused[_i].message)));
	ck_assert_uint_eq(fleet.role_count + fleet.machine_count, 0);
}
END_TEST

/* A chain of 100,000 groups over a host, and 65,536 groups whose names fold to one. */
START_TEST(test_many)
{
	size_t chain = in_full(100000), alike = chain < 65536 ? chain : 65536;
	struct buf buf = buf_new(arena);

	buf_add(&buf, STR("{'_meta':{},'g0':{'hosts':['h','i']}"));
	for (size_t i = 0; i < chain; i++)
		buf_format(&buf, ",'g%zu':{'children':['g%zu']}", i + 1, i);
	for (size_t i = 0; i < alike; i++)
		buf_format(&buf, ",'\\u65%02zx\\u65%02zx':{}", i & 255, i >> 8);
	buf_char(&buf, '}');
	ck_assert_ptr_null(try_import(str_c(arena, buf_str(&buf)), 2));
	ck_assert_uint_eq(fleet.role_count + error_count(notes.left_out), chain + 1 + alike);
	ck_assert_uint_eq(fleet_machine(&fleet, STR("h"))->role_count, chain + 1);
	ck_assert_uint_eq(fleet_machine(&fleet, STR("i"))->role_count, chain + 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ansible");
	TCase *c = tcase_create("ansible");

	tcase_add_checked_fixture(c, arena_setup, arena_teardown);
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, test_hosts, 0, (int)(sizeof hosts / sizeof *hosts));
	tcase_add_test(c, test_without_variables);
	tcase_add_test(c, test_given);
	tcase_add_loop_test(c, test_names, 0, (int)(sizeof names / sizeof *names));
	tcase_add_test(c, test_names_alike);
	tcase_add_test(c, test_groups);
	tcase_add_test(c, test_circles);
	tcase_add_test(c, test_no_groups);
	tcase_add_test(c, test_groups_that_are_none);
	tcase_add_loop_test(c, test_refused, 0, (int)(sizeof refused / sizeof *refused));
	tcase_add_test(c, test_many);
	suite_add_tcase(suite, c);
	return suite_main(suite);
}
