/* Rulesets and sets: who shares one, what is in which chain, what names are made of, what is refused. What lines look
 * like is in the golden files. */
#include <check.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/document.h"
#include "fleetwall/embedded.h"
#include "lines.h"
#include "make_output.h"
#include "suite_main.h"

static struct made made;

static void make(const char *text)
{
	struct error *error = make_output(arena, STR("test.conf"), (struct str){text, strlen(text)}, &made);

	none(error);
}

static const struct ruleset *ruleset_of(const char *machine)
{
	for (size_t i = 0; i < made.output.machine_count; i++)
		if (str_eq(made.output.machines[i].machine->name, (struct str){machine, strlen(machine)}))
			return made.output.machines[i].ruleset;
	return NULL;
}

static const char *rules(const char *machine, enum family family)
{
	const struct ruleset *ruleset = ruleset_of(machine);

	ck_assert_msg(ruleset != NULL, "%s has no ruleset", machine);
	return str_c(arena, ruleset->rules[family == FAMILY_6]);
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
		count++;
	return count;
}

#define ck_has(text, part) ck_assert_msg(strstr((text), (part)) != NULL, "no `%s` in\n%s", (part), (text))
#define ck_lacks(text, part) ck_assert_msg(strstr((text), (part)) == NULL, "`%s` in\n%s", (part), (text))

static void ck_before(const char *text, const char *first, const char *second)
{
	ck_has(text, first);
	ck_has(text, second);
	ck_assert_msg(strstr(text, first) < strstr(text, second), "`%s` is not before `%s` in\n%s", first, second,
	              text);
}

static const char *set_bytes(const char *name)
{
	for (size_t i = 0; i < made.output.set_count; i++)
		if (str_eq(made.output.sets[i].name, (struct str){name, strlen(name)}))
			return str_c(arena, made.output.sets[i].bytes);
	ck_abort_msg("no set %s", name);
	return NULL;
}

/* --- sharing --- */

START_TEST(machines_in_the_same_position_share)
{
	make("roles = ( { name = \"a\"; rules = [ \"allow 1/tcp\" ]; }, { name = \"silent\"; } );"
	     "machines = ( { name = \"m1\"; roles = [ \"a\" ]; }, { name = \"m2\"; roles = [ \"a\", \"silent\" ]; }, { "
	     "name = \"m3\"; } );");
	ck_assert_ptr_eq(ruleset_of("m1"), ruleset_of("m2"));
	ck_assert_ptr_ne(ruleset_of("m1"), ruleset_of("m3"));
	ck_assert_uint_eq(made.output.ruleset_count, 2);
	ck_assert(str_eq(ruleset_of("m2")->example->name, STR("m1")));
}
END_TEST

START_TEST(modes_and_egress_are_positions)
{
	make("roles = ( { name = \"a\"; rules = [ \"allow 1/tcp\" ]; }, { name = \"c\"; egress = \"closed\"; } );"
	     "machines = ( { name = \"m1\"; roles = [ \"a\" ]; }, { name = \"m2\"; roles = [ \"a\" ]; mode = "
	     "\"coexist\"; },"
	     " { name = \"m3\"; roles = [ \"a\" ]; enforcement = \"monitor\"; }, { name = \"m4\"; roles = [ \"a\", "
	     "\"c\" ]; },"
	     " { name = \"m5\"; roles = [ \"a\" ]; mode = \"coexist\"; enforcement = \"monitor\"; } );");
	ck_assert_uint_eq(made.output.ruleset_count, 4);
	ck_assert_ptr_eq(ruleset_of("m3"), ruleset_of("m5")); /* monitoring wins over the mode */
	ck_assert_int_eq(ruleset_of("m3")->enforcement, ENFORCEMENT_MONITOR);
	ck_assert_int_eq(ruleset_of("m2")->mode, MODE_COEXIST);
	ck_assert_int_eq(ruleset_of("m1")->mode, MODE_EXCLUSIVE);
}
END_TEST

START_TEST(an_ssh_port_counts_where_management_names_it)
{
	static const char fleet[] = "machines = ( { name = \"m1\"; }, { name = \"m2\"; ssh_port = 2222; }, { name = "
	                            "\"m3\"; ssh_port = 22; } );";

	make(fleet);
	ck_assert_uint_eq(made.output.ruleset_count, 1);
	make(str_c(arena, str_format(arena, "// golden: management=10.0.0.1\n%s", fleet)));
	ck_assert_uint_eq(made.output.ruleset_count, 2);
	ck_assert_ptr_eq(ruleset_of("m1"), ruleset_of("m3"));
	ck_assert_uint_eq(ruleset_of("m2")->ssh_port, 2222);
	ck_has(rules("m2", FAMILY_4), "-A INPUT -s 10.0.0.1/32 -p tcp -m tcp --dport 2222 -j ACCEPT\n");
}
END_TEST

START_TEST(disabled_and_unmanaged_machines_have_none)
{
	make("machines = ( { name = \"m1\"; enabled = false; }, { name = \"m2\"; enforcement = \"unmanaged\"; }, { "
	     "name = \"m3\"; } );");
	ck_assert_ptr_null(ruleset_of("m1"));
	ck_assert_ptr_null(ruleset_of("m2"));
	ck_assert_uint_eq(made.output.machine_count, 1);
}
END_TEST

START_TEST(an_empty_fleet)
{
	make("");
	ck_assert_uint_eq(made.output.machine_count, 0);
	ck_assert_uint_eq(made.output.ruleset_count, 0);
	ck_assert_uint_eq(made.output.set_count, 0);
}
END_TEST

/* --- chains --- */

static const char one_of_all[] =
	"// golden: management=10.0.0.1,fd00::1\n"
	"roles = ( { name = \"r\"; egress = \"closed\"; rules = [ \"allow 1/tcp log\", \"deny 2/tcp\", \"reject all "
        "from 192.0.2.1\", \"allow 3/tcp\","
	"  \"deny 4/tcp log\", \"reject 5/udp log\", \"allow 6/tcp to any log\", \"deny 7/tcp to any\", \"reject 8/tcp "
        "to any log\" ]; } );"
	"machines = ( { name = \"x\"; roles = [ \"r\" ]; }, { name = \"c\"; roles = [ \"r\" ]; mode = \"coexist\"; },"
	" { name = \"m\"; roles = [ \"r\" ]; enforcement = \"monitor\"; } );";

START_TEST(a_monitor_decides_nothing)
{
	make(one_of_all);
	for (unsigned i = 0; i < 2; i++) {
		const char *text = rules("m", i == 0 ? FAMILY_4 : FAMILY_6);

		ck_lacks(text, "DROP");
		ck_lacks(text, "REJECT");
		ck_lacks(text, "ACCEPT");
		ck_has(text, "--log-prefix \"fleetwall monitor: \"");
		ck_lacks(text, "fleetwall default");
		ck_has(text, "-A fleetwall-input -g fleetwall-monitor\n");
		ck_has(text, "-A fleetwall-output -g fleetwall-monitor\n");
	}
}
END_TEST

START_TEST(coexist_declares_only_our_chains)
{
	make(one_of_all);
	for (unsigned i = 0; i < 2; i++) {
		const char *text = rules("c", i == 0 ? FAMILY_4 : FAMILY_6);
		const char *tool = i == 0 ? "iptables" : "ip6tables";
		const char *first = str_c(arena, str_format(arena,
		                                            "# %s-restore --noflush; %s -I INPUT 1 -j fleetwall-input; "
		                                            "%s -I OUTPUT 1 -j fleetwall-output\n",
		                                            tool, tool, tool));

		ck_assert_msg(strncmp(text, first, strlen(first)) == 0, "%s", text);
		ck_assert_uint_eq(count_of(text, "\n:"), count_of(text, "\n:fleetwall-"));
		ck_assert_uint_eq(count_of(text, "\n-A "), count_of(text, "\n-A fleetwall-"));
		ck_assert_uint_eq(count_of(text, "-j ACCEPT"), 2); /* management, in and out */
		ck_before(text, "--dport 22 -j ACCEPT", "-i lo -j RETURN");
		ck_before(text, "--sport 22 -j ACCEPT", "-o lo -j RETURN");
		ck_has(text, "-A fleetwall-input -j DROP\n");
		ck_has(text, "-A fleetwall-output -j DROP\n");
	}
}
END_TEST

START_TEST(both_chains_exist_even_if_empty)
{
	make("machines = ( { name = \"c\"; mode = \"coexist\"; } );");
	ck_has(rules("c", FAMILY_6), ":fleetwall-input - [0:0]\n:fleetwall-output - [0:0]\n");
	ck_lacks(rules("c", FAMILY_6), "-A fleetwall-output");
}
END_TEST

START_TEST(stages_stand_in_order)
{
	make(one_of_all);
	const char *text = rules("x", FAMILY_4);

	ck_before(text, "-i lo -j ACCEPT", "--ctstate RELATED,ESTABLISHED");
	ck_before(text, "--icmp-type 3/4", "--ctstate INVALID");
	ck_before(text, "--ctstate INVALID", "--sport 67 --dport 68");
	ck_before(text, "--sport 67 --dport 68", "-s 10.0.0.1/32 -p tcp -m tcp --dport 22");
	ck_before(text, "-s 10.0.0.1/32", "--dport 2 ");
	ck_before(text, "--dport 2 ", "-s 192.0.2.1/32 -p tcp");
	ck_before(text, "-s 192.0.2.1/32 -p tcp", "-s 192.0.2.1/32 -m comment");
	ck_before(text, "-s 192.0.2.1/32 -m comment", "--dport 3 ");
	ck_before(text, "--dport 3 ", "fleetwall default: ");
	ck_before(text, "fleetwall default: ", "-A OUTPUT -o lo");
	ck_before(text, "-A OUTPUT -d 10.0.0.1/32 -p tcp -m tcp --sport 22 -j ACCEPT", "--dport 7 ");
}
END_TEST

START_TEST(rules_go_by_role_and_text)
{
	make("roles = ( { name = \"b\"; rules = [ \"allow 1/tcp\", \"allow 10/tcp\" ]; }, { name = \"a\"; rules = [ "
	     "\"allow 9/tcp\", \"allow 2/tcp\" ]; } );"
	     "machines = ( { name = \"m\"; roles = [ \"b\", \"a\" ]; } );");
	const char *text = rules("m", FAMILY_4);

	ck_before(text, "--dport 2 ", "--dport 9 ");
	ck_before(text, "--dport 9 ", "--dport 1 ");
	ck_before(text, "--dport 1 ", "--dport 10 ");
}
END_TEST

START_TEST(open_egress_without_rules_has_no_lines)
{
	make("machines = ( { name = \"m\"; } );");
	ck_has(rules("m", FAMILY_4), ":OUTPUT ACCEPT [0:0]\n");
	ck_lacks(rules("m", FAMILY_4), "-A OUTPUT");
}
END_TEST

START_TEST(a_rule_out_brings_housekeeping)
{
	make("roles = ( { name = \"r\"; rules = [ \"deny 25/tcp to 192.0.2.1\" ]; } ); machines = ( { name = \"m\"; "
	     "roles = [ \"r\" ]; } );");
	ck_before(rules("m", FAMILY_4), "-A OUTPUT -o lo -j ACCEPT", "--dport 25 ");
	ck_has(rules("m", FAMILY_4), ":OUTPUT ACCEPT [0:0]\n");
	ck_lacks(rules("m", FAMILY_6), "-A OUTPUT"); /* it does not speak of IPv6 */
}
END_TEST

/* --- limits and times --- */

static void ck_rate(unsigned limit, enum limit_unit unit, const char *number, unsigned burst, const char *expire)
{
	struct rate rate = rate_spell(arena, limit, unit);

	ck_assert_str_eq(str_c(arena, rate.number), number);
	ck_assert_uint_eq(rate.burst, burst);
	ck_assert_str_eq(str_c(arena, rate.expire), expire);
}

START_TEST(rates)
{
	ck_rate(1, LIMIT_DAY, "1/day", 1, "");
	ck_rate(4, LIMIT_SECOND, "4/sec", 4, "");
	ck_rate(1000, LIMIT_SECOND, "1000/sec", 5, "");
	ck_rate(59, LIMIT_MINUTE, "59/min", 5, "");
	ck_rate(60, LIMIT_MINUTE, "1/sec", 5, "60000");
	ck_rate(61, LIMIT_MINUTE, "61/min", 5, "");
	ck_rate(960, LIMIT_HOUR, "16/min", 5, "3600000");
	ck_rate(24, LIMIT_DAY, "1/hour", 5, "86400000");
	ck_rate(25, LIMIT_DAY, "25/day", 5, "");
}
END_TEST

START_TEST(another_rate_is_another_name)
{
	struct rate a = rate_spell(arena, 5, LIMIT_MINUTE), b = rate_spell(arena, 6, LIMIT_MINUTE),
		    c = rate_spell(arena, 1, LIMIT_SECOND), d = rate_spell(arena, 60, LIMIT_MINUTE);

	ck_assert(str_eq(rate_name(arena, STR("x"), &a, STR("srcip")), rate_name(arena, STR("x"), &a, STR("srcip"))));
	ck_assert(!str_eq(rate_name(arena, STR("x"), &a, STR("srcip")), rate_name(arena, STR("x"), &b, STR("srcip"))));
	ck_assert(!str_eq(rate_name(arena, STR("x"), &a, STR("srcip")), rate_name(arena, STR("x"), &a, STR("dstip"))));
	ck_assert(!str_eq(rate_name(arena, STR("x"), &c, STR("srcip")), rate_name(arena, STR("x"), &d, STR("srcip"))));
}
END_TEST

START_TEST(times_end_on_the_machine)
{
	make("roles = ( { name = \"r\"; rules = [ \"allow 1/tcp until 2030-01-01T00:00:00Z\", \"allow 2/tcp until "
	     "2038-01-19T03:14:08Z\","
	     " \"allow 3/tcp until 2038-01-19T03:14:09Z\", \"deny 4/tcp until 2030-01-01T00:00:00Z\", \"reject 5/tcp "
	     "until 2030-01-01T00:00:00Z\" ]; } );"
	     "machines = ( { name = \"m\"; roles = [ \"r\" ]; } );");
	const char *text = rules("m", FAMILY_4);

	ck_has(text, "--dport 1 -m time --datestop 2029-12-31T23:59:59 -m comment");
	ck_has(text, "--dport 2 -m time --datestop 2038-01-19T03:14:07 -m comment");
	ck_has(text, "--dport 3 -m comment");
	ck_has(text, "--dport 4 -m comment");
	ck_has(text, "--dport 5 -m comment");
}
END_TEST

/* --- names --- */

/* printf 'allow\0role:mysql' | sha256sum, and with deny. */
START_TEST(set_names_are_digests)
{
	make("roles = ( { name = \"mysql\"; rules = [ \"allow 1/tcp from self\", \"deny 1/tcp from self\" ]; } );"
	     "machines = ( { name = \"db1\"; addresses = [ \"10.0.0.1\" ]; roles = [ \"mysql\" ]; },"
	     " { name = \"db2\"; addresses = [ \"10.0.0.9\" ]; roles = [ \"mysql\" ]; enabled = false; } );");
	ck_assert_uint_eq(made.output.set_count, 4);
	ck_assert_str_eq(set_bytes("mysql-01d12ac8ea2e.v4"),
	                 "create fw4-mysql-01d12ac8ea2e hash:net family inet maxelem 4294967295\n"
	                 "create fw4-mysql-01d12ac8ea2e.n hash:net family inet maxelem 4294967295\n"
	                 "flush fw4-mysql-01d12ac8ea2e.n\n"
	                 "add fw4-mysql-01d12ac8ea2e.n 10.0.0.1\n"
	                 "swap fw4-mysql-01d12ac8ea2e fw4-mysql-01d12ac8ea2e.n\n"
	                 "destroy fw4-mysql-01d12ac8ea2e.n\n");
	ck_has(set_bytes("mysql-01d12ac8ea2e.v6"),
	       "create fw6-mysql-01d12ac8ea2e hash:net family inet6 maxelem 4294967295\n");
	ck_has(set_bytes("mysql-791b17c94aa8.v4"), "add fw4-mysql-791b17c94aa8.n 10.0.0.9\n"); /* a disabled member */
}
END_TEST

START_TEST(self_and_the_role_by_name_are_one_set)
{
	make("roles = ( { name = \"a\"; rules = [ \"allow 1/tcp from self\" ]; }, { name = \"b\"; rules = [ \"allow "
	     "2/tcp from role:a\" ]; } );"
	     "machines = ( { name = \"m1\"; addresses = [ \"10.0.0.1\" ]; roles = [ \"a\", \"b\" ]; rules = [ \"allow "
	     "3/tcp from self\","
	     " \"allow 4/tcp from machine:m1\" ]; } );");
	ck_assert_uint_eq(made.output.set_count, 4); /* role a and machine m1, two families each */
	ck_assert(str_eq(set_name(arena, false, STR("a"), STR("role:a")), str_slice(made.output.sets[0].name, 0, 14)));
	ck_assert(str_eq(set_name(arena, false, STR("m1"), STR("machine:m1")),
	                 str_slice(made.output.sets[2].name, 0, 15)));
}
END_TEST

START_TEST(names_fit)
{
	struct str longest = set_name(arena, true, STR("a-very-long-name-indeed"), STR("role:a-very-long-name-indeed"));

	ck_assert_uint_eq(longest.n, 25);
	ck_assert(str_eq(str_slice(longest, 0, 13), STR("a-very-long--")));
	ck_assert_uint_le(strlen("fw6-") + longest.n + strlen(".n"), 31);
}
END_TEST

START_TEST(comments_fit)
{
	char name[262] = "machine:";
	struct role role;
	struct effective_rule rule = {.role = &role, .id = "0123456789ab"};
	struct str comment;

	memset(name + 8, 'x', 253);
	role = (struct role){.name = {name, 261}};
	comment = rule_comment(arena, &rule);
	ck_assert_uint_eq(comment.n, COMMENT_MAX);
	ck_assert(str_eq(str_slice(comment, 242, 255), STR(" 0123456789ab")));
	role.name = STR("web");
	ck_assert(str_eq(rule_comment(arena, &rule), STR("web 0123456789ab")));
}
END_TEST

/* --- sets --- */

START_TEST(a_set_holds_two_halves_for_everything)
{
	make("networks = ( { name = \"world\"; prefixes = [ \"0.0.0.0/0\", \"::/0\" ]; } );"
	     "roles = ( { name = \"r\"; rules = [ \"allow 1/tcp from network:world\", \"allow 2/tcp from "
	     "0.0.0.0-127.255.255.255, 128.0.0.0/1\" ]; } );"
	     "machines = ( { name = \"m\"; roles = [ \"r\" ]; } );");
	for (size_t i = 0; i < made.output.set_count; i++) {
		const char *text = str_c(arena, made.output.sets[i].bytes);

		ck_lacks(text, "/0\n");
		ck_assert_uint_eq(count_of(text, "/1\n"), 2);
	}
	ck_assert_uint_eq(made.output.set_count, 3);
}
END_TEST

START_TEST(an_empty_role_is_an_empty_set_in_both_families)
{
	make("roles = ( { name = \"none\"; }, { name = \"r\"; rules = [ \"allow all from role:none\" ]; } ); machines "
	     "= ( { name = \"m\"; roles = [ \"r\" ]; } );");
	ck_assert_uint_eq(made.output.set_count, 2);
	for (size_t i = 0; i < 2; i++)
		ck_lacks(str_c(arena, made.output.sets[i].bytes), "add ");
	ck_assert_uint_eq(count_of(rules("m", FAMILY_4), "--match-set fw4-none-"), 1);
	ck_assert_uint_eq(count_of(rules("m", FAMILY_6), "--match-set fw6-none-"), 1);
}
END_TEST

START_TEST(only_named_sets_are_made)
{
	make("roles = ( { name = \"a\"; rules = [ \"allow 1/tcp from self\" ]; }, { name = \"b\"; rules = [ \"allow "
	     "1/tcp from self\" ]; } );"
	     "machines = ( { name = \"m1\"; roles = [ \"a\" ]; }, { name = \"m2\"; roles = [ \"b\" ]; enabled = false; "
	     "} );");
	ck_assert_uint_eq(made.output.set_count, 2);
	ck_assert_uint_eq(count_of(str_c(arena, ruleset_of("m1")->sets_list), "\n"), 2);
}
END_TEST

/* A new member changes a set, and no ruleset. */
START_TEST(members_change_sets_alone)
{
	static const char before[] = "roles = ( { name = \"a\"; rules = [ \"allow 1/tcp from self\" ]; } );"
				     "machines = ( { name = \"m1\"; addresses = [ \"10.0.0.1\" ]; roles = [ \"a\" ]; "
	                             "}, { name = \"m2\"; addresses = [ \"10.0.0.2\" ]; } );";
	static const char after[] = "roles = ( { name = \"a\"; rules = [ \"allow 1/tcp from self\" ]; } );"
				    "machines = ( { name = \"m1\"; addresses = [ \"10.0.0.1\" ]; roles = [ \"a\" ]; }, "
	                            "{ name = \"m2\"; addresses = [ \"10.0.0.2\" ];"
				    " roles = [ \"a\" ]; } );";
	struct digest ruleset, v4, v6;

	make(before);
	ruleset = ruleset_of("m1")->digest;
	v4 = made.output.sets[0].digest;
	v6 = made.output.sets[1].digest;
	make(after);
	ck_assert(digest_eq(&ruleset, &ruleset_of("m1")->digest));
	ck_assert(!digest_eq(&v4, &made.output.sets[0].digest));
	ck_assert(digest_eq(&v6, &made.output.sets[1].digest));
}
END_TEST

/* --- templates and faults --- */

static struct error *compile_with(const char *name, const char *text, struct templates **templates)
{
	struct template_file files[32];
	size_t count = 0;

	for (; embedded_templates[count].name != NULL; count++) {
		bool replaced = strcmp(embedded_templates[count].name, name) == 0;
		struct str built_in = {(const char *)embedded_templates[count].data, embedded_templates[count].size};

		files[count].name =
			(struct str){embedded_templates[count].name, strlen(embedded_templates[count].name)};
		files[count].text = replaced ? (struct str){text, strlen(text)} : built_in;
	}
	return templates_compile(arena, files, count, templates);
}

/* What no inventory lets in. */
static void rename_role(struct str name)
{
	made.fleet.roles[0].name = name;
	made.fleet.machines[0].roles[0] = name;
}

START_TEST(values_are_escaped)
{
	struct templates *templates;
	struct output output;

	make("roles = ( { name = \"r\"; rules = [ \"allow 1/tcp\" ]; } ); machines = ( { name = \"m\"; roles = [ \"r\" "
	     "]; } );");
	rename_role(STR("a\"b\\c"));
	ck_assert_ptr_null(
		compile_with("rule.mustache", "{{#lines}}[{{comment}}]{{{comment}}}{{/lines}}\n", &templates));
	ck_assert_ptr_null(rulesets_make(arena, resolve(arena, &made.fleet), &made.settings, templates, &output));
	const char *text = str_c(arena, output.rulesets[0]->rules[0]);

	ck_has(text, "[a\\\"b\\\\c ");
	ck_has(text, "]a\"b\\c ");
}
END_TEST

START_TEST(a_replaced_template_is_used)
{
	struct templates *templates;
	struct output output;

	make("machines = ( { name = \"m\"; } );");
	ck_assert_ptr_null(compile_with("exclusive.mustache", "{{restore}} {{#v6}}six{{/v6}}\n", &templates));
	ck_assert_ptr_null(rulesets_make(arena, made.resolved, &made.settings, templates, &output));
	ck_assert(str_eq(output.rulesets[0]->rules[0], STR("iptables-restore \n")));
	ck_assert(str_eq(output.rulesets[0]->rules[1], STR("ip6tables-restore six\n")));
}
END_TEST

START_TEST(faults_of_templates_have_a_place)
{
	struct templates *templates;
	const char *text = printed(compile_with("exclusive.mustache", "a\nb {{> nowhere}}\n", &templates));

	ck_has(text, "exclusive.mustache:2");
	ck_has(text, "nowhere.mustache");
	text = printed(compile_with("coexist.mustache", "{{#open}}\n", &templates));
	ck_has(text, "coexist.mustache:1");
	text = printed(templates_compile(arena, NULL, 0, &templates));
	ck_has(text, "exclusive.mustache");
	ck_has(text, "log-chain.mustache");
}
END_TEST

static const char *fault_of(void)
{
	struct output output;

	return printed(
		rulesets_make(arena, resolve(arena, &made.fleet), &made.settings, make_templates(arena), &output));
}

/* The database and documents refuse all of these; whoever fills a fleet in by hand gets an error, not a broken line. */
START_TEST(what_no_inventory_holds_is_an_error)
{
	static const char fleet[] = "services = ( { name = \"s\"; ports = [ \"1/tcp\" ]; } ); roles = ( { name = "
	                            "\"r\"; rules = [ \"allow s from self\" ]; } );"
				    "machines = ( { name = \"m\"; roles = [ \"r\" ]; } );";

	make(fleet);
	made.fleet.service_count = 0;
	ck_has(fault_of(), "there is no service `s`");
	make(fleet);
	rename_role(STR("a\nb"));
	ck_has(fault_of(), "control character");
	make(fleet);
	rename_role(STR("a b"));
	ck_has(fault_of(), "can't be part of a set's name");
	make(fleet);
	made.fleet.roles[0].rules[0].rule.interface = STR("eth0 -j ACCEPT");
	ck_has(fault_of(), "can't be an interface");
	make(fleet);
	made.settings.log_rate = 1001;
	ck_has(fault_of(), "the rate of logs");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("ruleset");
	TCase *tcase = tcase_create("ruleset");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_test(tcase, machines_in_the_same_position_share);
	tcase_add_test(tcase, modes_and_egress_are_positions);
	tcase_add_test(tcase, an_ssh_port_counts_where_management_names_it);
	tcase_add_test(tcase, disabled_and_unmanaged_machines_have_none);
	tcase_add_test(tcase, an_empty_fleet);
	tcase_add_test(tcase, a_monitor_decides_nothing);
	tcase_add_test(tcase, coexist_declares_only_our_chains);
	tcase_add_test(tcase, both_chains_exist_even_if_empty);
	tcase_add_test(tcase, stages_stand_in_order);
	tcase_add_test(tcase, rules_go_by_role_and_text);
	tcase_add_test(tcase, open_egress_without_rules_has_no_lines);
	tcase_add_test(tcase, a_rule_out_brings_housekeeping);
	tcase_add_test(tcase, rates);
	tcase_add_test(tcase, another_rate_is_another_name);
	tcase_add_test(tcase, times_end_on_the_machine);
	tcase_add_test(tcase, set_names_are_digests);
	tcase_add_test(tcase, self_and_the_role_by_name_are_one_set);
	tcase_add_test(tcase, names_fit);
	tcase_add_test(tcase, comments_fit);
	tcase_add_test(tcase, a_set_holds_two_halves_for_everything);
	tcase_add_test(tcase, an_empty_role_is_an_empty_set_in_both_families);
	tcase_add_test(tcase, only_named_sets_are_made);
	tcase_add_test(tcase, members_change_sets_alone);
	tcase_add_test(tcase, values_are_escaped);
	tcase_add_test(tcase, a_replaced_template_is_used);
	tcase_add_test(tcase, faults_of_templates_have_a_place);
	tcase_add_test(tcase, what_no_inventory_holds_is_an_error);
	suite_add_tcase(s, tcase);
	return s;
}

int main(void)
{
	return suite_main(suite());
}
