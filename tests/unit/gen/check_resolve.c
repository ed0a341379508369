/* Resolving: who is a member, which rules count at which second, what peers and services stand for. Fleets are written
 * as documents. */
#include <check.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/resolve.h"
#include "random_rule.h"
#include "suite_main.h"

static struct fleet fleet;
static struct resolved *resolved;

static void read_at(const char *text, int64_t clock)
{
	struct error *warnings = NULL, *error;

	error = document_read(arena, STR("test.conf"), (struct str){text, strlen(text)}, &fleet, &warnings);
	if (error == NULL)
		error = fleet_check(arena, &fleet, NULL);
	none(error);
	fleet.clock = clock;
	resolved = resolve(arena, &fleet);
}

static size_t role_number(const char *name)
{
	const struct role *role = fleet_role(&fleet, (struct str){name, strlen(name)});

	ck_assert_msg(role != NULL, "no role %s", name);
	return (size_t)(role - fleet.roles);
}

/* The members' names, joined by blanks. */
static const char *members(const char *role)
{
	const struct resolved_role *own = &resolved->roles[role_number(role)];
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < own->member_count; i++) {
		if (i > 0)
			buf_char(&buf, ' ');
		buf_add(&buf, fleet.machines[own->members[i]].name);
	}
	return str_c(arena, buf_str(&buf));
}

static const char *roles_of(const char *machine)
{
	const struct machine *found = fleet_machine(&fleet, (struct str){machine, strlen(machine)});
	const struct resolved_machine *own;
	struct buf buf = buf_new(arena);

	ck_assert_ptr_nonnull(found);
	own = &resolved->machines[found - fleet.machines];
	ck_assert_ptr_eq(own->machine, found);
	for (size_t i = 0; i < own->role_count; i++) {
		if (i > 0)
			buf_char(&buf, ' ');
		buf_add(&buf, fleet.roles[own->roles[i]].name);
	}
	return str_c(arena, buf_str(&buf));
}

static void add_text(void *context, struct prefix prefix)
{
	struct buf *buf = context;

	if (buf->n > 0)
		buf_char(buf, ' ');
	prefix_print(buf, prefix);
}

/* What the only peer of a line stands for, as prefixes joined by blanks, in a rule of `role`. */
static const char *addresses(const char *role, const char *line, enum family family)
{
	struct error *warnings = NULL;
	struct rule rule;
	bool stored;
	struct buf buf = buf_new(arena);

	ck_assert_ptr_null(rule_parse(arena, (struct str){line, strlen(line)}, &rule, &stored, &warnings));
	ck_assert_uint_eq(rule.peer_count, 1);
	struct addr_set set = peer_addresses(arena, resolved, &rule.peers[0], &fleet.roles[role_number(role)],
	                                     rule.action != ACTION_ALLOW, family);
	ck_assert_int_eq(set.family, family);
	addr_set_prefixes(&set, add_text, &buf);
	return str_c(arena, buf_str(&buf));
}

/* --- members --- */

static const char people[] = "roles = ( { name = \"all\"; selector = { }; }, { name = \"none\"; }, { name = \"prod\"; "
                             "selector = { env = \"prod\"; }; },"
			     "  { name = \"prod-web\"; selector = { env = \"prod\"; tier = \"web\"; }; }, { name = "
                             "\"odd\"; selector = [ \"a/b=c=d\" ]; },"
			     "  { name = \"assigned\"; rules = [ \"allow 1/tcp from self\" ]; } );"
			     "machines = ("
			     "  { name = \"a\"; addresses = ( { address = \"10.0.0.1\"; label = \"private\"; }, "
                             "\"192.0.2.1\", \"fd00::1\" );"
			     "    labels = { env = \"prod\"; tier = \"web\"; }; roles = [ \"assigned\", \"prod\" ]; },"
			     "  { name = \"b\"; addresses = ( { address = \"10.0.0.2\"; label = \"private\"; } ); "
                             "labels = { env = \"prod\"; };"
			     "    roles = [ \"assigned\" ]; enabled = false; },"
			     "  { name = \"c\"; addresses = [ \"10.0.0.3\" ]; labels = { env = \"test\"; tier = "
                             "\"web\"; }; roles = [ \"assigned\" ];"
			     "    enforcement = \"unmanaged\"; rules = [ \"allow 2/tcp from self\" ]; },"
			     "  { name = \"d\"; labels = [ \"a/b=c=d\", \"prod=env\" ]; } );";

START_TEST(members_are_assigned_or_selected)
{
	read_at(people, 0);
	ck_assert_str_eq(members("assigned"), "a b c");
	ck_assert_str_eq(members("prod"), "a b");
	ck_assert_str_eq(members("prod-web"), "a");
	ck_assert_str_eq(members("odd"), "d");
}
END_TEST

START_TEST(empty_selector_is_everybody_and_none_is_nobody)
{
	read_at(people, 0);
	ck_assert_str_eq(members("all"), "a b c d");
	ck_assert_str_eq(members("none"), "");
}
END_TEST

START_TEST(a_machines_own_role_has_that_machine_alone)
{
	read_at(people, 0);
	ck_assert_str_eq(members("machine:c"), "c");
	ck_assert_str_eq(roles_of("c"), "all assigned machine:c");
}
END_TEST

START_TEST(a_machine_has_a_role_once)
{
	read_at(people, 0);
	ck_assert_str_eq(roles_of("a"), "all assigned prod prod-web");
	ck_assert_str_eq(roles_of("d"), "all odd");
}
END_TEST

START_TEST(who_gets_a_ruleset)
{
	read_at(people, 0);
	ck_assert(machine_has_ruleset(&fleet.machines[0]));
	ck_assert(!machine_has_ruleset(&fleet.machines[1])); /* disabled */
	ck_assert(!machine_has_ruleset(&fleet.machines[2])); /* unmanaged */
	ck_assert(machine_has_ruleset(&fleet.machines[3]));
}
END_TEST

/* Random labels and selectors, against the definition. */
START_TEST(selectors_by_definition)
{
	struct rng rng = {4711 + (uint64_t)_i};
	struct buf buf = buf_new(arena);
	size_t machines = 1 + rng_below(&rng, 60), roles = 1 + rng_below(&rng, 20);

	buf_add(&buf, STR("roles = ( "));
	for (size_t i = 0; i < roles; i++) {
		buf_format(&buf, "%s{ name = \"r%zu\"; selector = { ", i > 0 ? ", " : "", i);
		for (unsigned k = 0; k < 3; k++)
			if (rng_chance(&rng, 40))
				buf_format(&buf, "k%u = \"%zu\"; ", k, rng_below(&rng, 3));
		buf_add(&buf, STR("}; }"));
	}
	buf_add(&buf, STR(" ); machines = ( "));
	for (size_t i = 0; i < machines; i++) {
		buf_format(&buf, "%s{ name = \"m%zu\"; labels = { ", i > 0 ? ", " : "", i);
		for (unsigned k = 0; k < 4; k++)
			if (rng_chance(&rng, 70))
				buf_format(&buf, "k%u = \"%zu\"; ", k, rng_below(&rng, 3));
		buf_add(&buf, STR("}; }"));
	}
	buf_add(&buf, STR(" );"));
	read_at(str_c(arena, buf_str(&buf)), 0);
	for (size_t r = 0; r < fleet.role_count; r++) {
		const struct role *role = &fleet.roles[r];
		size_t next = 0;

		for (size_t m = 0; m < fleet.machine_count; m++) {
			const struct machine *machine = &fleet.machines[m];

			if (!labels_contain(machine->labels, machine->label_count, role->selector,
			                    role->selector_count))
				continue;
			ck_assert_uint_lt(next, resolved->roles[r].member_count);
			ck_assert_uint_eq(resolved->roles[r].members[next++], m);
		}
		ck_assert_uint_eq(next, resolved->roles[r].member_count);
	}
}
END_TEST

/* --- peers --- */

START_TEST(disabled_machines_are_peers_of_refusals_alone)
{
	read_at(people, 0);
	ck_assert_str_eq(addresses("none", "allow all from role:assigned", FAMILY_4), "10.0.0.1 10.0.0.3 192.0.2.1");
	ck_assert_str_eq(addresses("none", "deny all from role:assigned", FAMILY_4), "10.0.0.1 10.0.0.2/31 192.0.2.1");
	ck_assert_str_eq(addresses("none", "reject all from role:assigned", FAMILY_4),
	                 "10.0.0.1 10.0.0.2/31 192.0.2.1");
	ck_assert_str_eq(addresses("none", "allow all from machine:b", FAMILY_4), "");
	ck_assert_str_eq(addresses("none", "deny all from machine:b", FAMILY_4), "10.0.0.2");
}
END_TEST

START_TEST(a_label_narrows_a_role)
{
	read_at(people, 0);
	ck_assert_str_eq(addresses("none", "allow all from role:assigned/private", FAMILY_4), "10.0.0.1");
	ck_assert_str_eq(addresses("none", "deny all from role:assigned/private", FAMILY_4), "10.0.0.1 10.0.0.2");
	ck_assert_str_eq(addresses("none", "allow all from role:assigned/public", FAMILY_4), "");
	ck_assert_str_eq(addresses("none", "allow all from role:assigned/private", FAMILY_6), "");
}
END_TEST

START_TEST(self_is_the_role_that_a_rule_stands_in)
{
	read_at(people, 0);
	ck_assert_str_eq(addresses("prod-web", "allow all from self", FAMILY_4), "10.0.0.1 192.0.2.1");
	ck_assert_str_eq(addresses("prod-web", "allow all from self", FAMILY_6), "fd00::1");
	ck_assert_str_eq(addresses("machine:c", "allow all from self", FAMILY_4), "10.0.0.3");
	ck_assert_str_eq(addresses("none", "allow all from self", FAMILY_4), "");
}
END_TEST

START_TEST(networks_and_literals)
{
	read_at("networks = ( { name = \"n\"; prefixes = [ \"10.0.0.0/24\", \"10.0.1.0/24\", \"10.0.0.7\", "
	        "\"fd00::/8\" ]; },"
	        " { name = \"empty\"; prefixes = [ ]; } ); roles = ( { name = \"r\"; } );",
	        0);
	ck_assert_str_eq(addresses("r", "allow all from network:n", FAMILY_4), "10.0.0.0/23");
	ck_assert_str_eq(addresses("r", "allow all from network:n", FAMILY_6), "fd00::/8");
	ck_assert_str_eq(addresses("r", "allow all from network:empty", FAMILY_4), "");
	ck_assert_str_eq(addresses("r", "allow all from 10.0.0.1-10.0.0.4", FAMILY_4), "10.0.0.1 10.0.0.2/31 10.0.0.4");
	ck_assert_str_eq(addresses("r", "allow all from 10.0.0.1-10.0.0.4", FAMILY_6), "");
}
END_TEST

/* --- rules and the clock --- */

#define RULES(list) "roles = ( { name = \"r\"; rules = " list "; } );"

static size_t rules_at(const char *text, int64_t clock)
{
	read_at(text, clock);
	return resolved->roles[role_number("r")].rule_count;
}

START_TEST(a_rule_counts_from_since_until_just_before_until)
{
	static const char text[] = RULES("[ \"allow 1/tcp since 2026-03-01T12:00:00Z until 2026-03-01T13:00:00Z\" ]");
	const int64_t since = 1772366400, until = since + 3600;

	ck_assert_uint_eq(rules_at(text, since - 1), 0);
	ck_assert_uint_eq(rules_at(text, since), 1);
	ck_assert_uint_eq(rules_at(text, until - 1), 1);
	ck_assert_uint_eq(rules_at(text, until), 0);
}
END_TEST

START_TEST(one_edge_alone)
{
	static const char since[] = RULES("[ \"deny 1/tcp since 2026-03-01T12:00:00Z\" ]");
	static const char until[] = RULES("[ \"reject 1/tcp until 2026-03-01T12:00:00Z\" ]");
	const int64_t edge = 1772366400;

	ck_assert_uint_eq(rules_at(since, edge - 1), 0);
	ck_assert_uint_eq(rules_at(since, edge), 1);
	ck_assert_uint_eq(rules_at(since, INT64_MAX), 1);
	ck_assert_uint_eq(rules_at(until, edge - 1), 1);
	ck_assert_uint_eq(rules_at(until, edge), 0);
	ck_assert_uint_eq(rules_at(until, 0), 1);
}
END_TEST

START_TEST(a_disabled_rule_does_not_count)
{
	ck_assert_uint_eq(rules_at(RULES("( { rule = \"allow 1/tcp\"; enabled = false; }, \"allow 2/tcp\" )"), 0), 1);
	ck_assert(str_eq(resolved->roles[0].rules[0].held->text, STR("allow 2/tcp")));
	ck_assert_ptr_eq(resolved->roles[0].rules[0].role, &fleet.roles[0]);
}
END_TEST

/* printf 'seed\0allow 22/tcp' | sha256sum */
START_TEST(ids_are_digests_of_role_and_text)
{
	char id[RULE_ID_DIGITS + 1];

	rule_id(STR("seed"), STR("allow 22/tcp"), id);
	ck_assert_str_eq(id, "916a885070f2");
	read_at("roles = ( { name = \"seed\"; rules = [ \"ALLOW 22/TCP FROM ANY\" ]; } );", 0);
	ck_assert_str_eq(resolved->roles[0].rules[0].id, "916a885070f2");
}
END_TEST

START_TEST(one_role_closes_egress)
{
	read_at("roles = ( { name = \"c\"; egress = \"closed\"; }, { name = \"o\"; egress = \"open\"; } );"
	        "machines = ( { name = \"a\"; roles = [ \"o\" ]; }, { name = \"b\"; roles = [ \"c\", \"o\" ]; }, { "
	        "name = \"c\"; } );",
	        0);
	ck_assert(!machine_egress_closed(resolved, 0));
	ck_assert(machine_egress_closed(resolved, 1));
	ck_assert(!machine_egress_closed(resolved, 2));
}
END_TEST

/* --- what a rule speaks of --- */

static struct rule parsed(const char *line)
{
	struct error *warnings = NULL;
	struct rule rule;
	bool stored;
	struct error *error = rule_parse(arena, (struct str){line, strlen(line)}, &rule, &stored, &warnings);

	none(error);
	return rule;
}

static const struct {
	const char *line;
	bool v4, v6;
} speaks[] = {
	{"allow all", true, true},
	{"allow 22/tcp from 10.0.0.0/8", true, false},
	{"allow 22/tcp from fd00::/8", false, true},
	{"allow 22/tcp from 10.0.0.0/8, fd00::/8", true, true},
	{"allow 22/tcp from 0.0.0.0/0", true, false},
	{"allow 22/tcp from ::/0", false, true},
	{"allow 22/tcp from 10.0.0.0/8, self", true, true},
	{"allow 22/tcp from role:x", true, true},
	{"allow 22/tcp from network:x", true, true},
	{"allow 22/tcp from machine:x", true, true},
	{"allow icmp", true, true},
	{"allow icmpv4", true, false},
	{"allow icmpv6", false, true},
	{"allow icmpv6 from 10.0.0.1", false, false},
	{"allow 1", true, false},
	{"allow 58", false, true},
	{"allow 43", true, false},
	{"allow 44", true, false},
	{"allow 60", true, false},
	{"allow 60 from fd00::1", false, false},
	{"allow 61", true, true},
	{"allow ah", true, true},
};

START_TEST(families)
{
	struct rule rule = parsed(speaks[_i].line);
	struct match_what *whats;

	ck_assert_msg(rule_speaks(&rule, FAMILY_4) == speaks[_i].v4, "%s", speaks[_i].line);
	ck_assert_msg(rule_speaks(&rule, FAMILY_6) == speaks[_i].v6, "%s", speaks[_i].line);
	if (speaks[_i].v4)
		ck_assert_uint_eq(rule_whats(arena, &fleet, &rule, FAMILY_4, &whats), 1);
	if (speaks[_i].v6)
		ck_assert_uint_eq(rule_whats(arena, &fleet, &rule, FAMILY_6, &whats), 1);
}
END_TEST

/* A rule whose last peer was taken away matches nobody, never anybody. */
START_TEST(no_peers_are_nobody)
{
	struct rule rule = parsed("allow 22/tcp from 10.0.0.1");
	struct range *ranges;

	rule.peer_count = 0;
	ck_assert(!rule_speaks(&rule, FAMILY_4));
	ck_assert(!rule_speaks(&rule, FAMILY_6));
	ck_assert_uint_eq(rule_literals(arena, &rule, FAMILY_4, &ranges), 0);
}
END_TEST

START_TEST(literals_by_family)
{
	struct rule rule = parsed("allow all from fd00::1, self, 10.0.0.9, 10.0.0.1-10.0.0.3");
	struct range *ranges;

	ck_assert_uint_eq(rule_literals(arena, &rule, FAMILY_4, &ranges), 2);
	ck_assert(ranges[0].first == 0x0a000001 && ranges[0].last == 0x0a000003);
	ck_assert(ranges[1].first == 0x0a000009 && ranges[1].last == 0x0a000009);
	ck_assert_uint_eq(rule_literals(arena, &rule, FAMILY_6, &ranges), 1);
}
END_TEST

START_TEST(services_are_their_ports)
{
	struct rule rule = parsed("allow mixed");
	struct match_what *whats;

	read_at("services = ( { name = \"mixed\"; ports = [ \"53,80-90/udp\", \"0-65535/tcp\" ]; }, { name = "
	        "\"silent\"; ports = [ ]; } );",
	        0);
	ck_assert_uint_eq(rule_whats(arena, &fleet, &rule, FAMILY_6, &whats), 2);
	ck_assert_uint_eq(whats[0].protocol, PROTOCOL_TCP);
	ck_assert_uint_eq(whats[0].port_count, 0);
	ck_assert_uint_eq(whats[1].protocol, PROTOCOL_UDP);
	ck_assert_uint_eq(whats[1].port_count, 2);
	ck_assert_int_eq(whats[1].icmp_type, -1);
	rule = parsed("allow silent");
	ck_assert_uint_eq(rule_whats(arena, &fleet, &rule, FAMILY_4, &whats), 0);
	rule = parsed("allow missing");
	ck_assert_uint_eq(rule_whats(arena, &fleet, &rule, FAMILY_4, &whats), 0);
}
END_TEST

static const struct {
	const char *line;
	int type4, type6, code; /* -2: the rule does not speak of the family */
} icmps[] = {
	{"allow icmp", -1, -1, -1},
	{"allow icmp/echo-request", 8, 128, -1},
	{"allow icmp/echo-reply", 0, 129, -1},
	{"allow icmp/destination-unreachable", 3, 1, -1},
	{"allow icmp/time-exceeded/1", 11, 3, 1},
	{"allow icmp/parameter-problem/0", 12, 4, 0},
	{"allow icmp/8", 8, 8, -1},
	{"allow icmp/254/255", 254, 254, 255},
	{"allow icmpv4/8", 8, -2, -1},
	{"allow icmpv6/128/3", -2, 128, 3},
};

START_TEST(icmp_types)
{
	struct rule rule = parsed(icmps[_i].line);
	struct match_what *whats;
	size_t count4 = rule_whats(arena, &fleet, &rule, FAMILY_4, &whats);

	ck_assert_uint_eq(count4, icmps[_i].type4 != -2);
	if (count4 > 0) {
		ck_assert_uint_eq(whats[0].protocol, PROTOCOL_ICMP);
		ck_assert_int_eq(whats[0].icmp_type, icmps[_i].type4);
		ck_assert_int_eq(whats[0].icmp_code, icmps[_i].code);
	}
	size_t count6 = rule_whats(arena, &fleet, &rule, FAMILY_6, &whats);

	ck_assert_uint_eq(count6, icmps[_i].type6 != -2);
	if (count6 > 0) {
		ck_assert_uint_eq(whats[0].protocol, PROTOCOL_ICMPV6);
		ck_assert_int_eq(whats[0].icmp_type, icmps[_i].type6);
		ck_assert_int_eq(whats[0].icmp_code, icmps[_i].code);
	}
}
END_TEST

/* Whoever fills a fleet in by hand may name a role twice, in any order. */
START_TEST(a_role_that_is_named_twice_is_had_once)
{
	struct str names[] = {STR("b"), STR("a"), STR("b"), STR("gone"), STR("a")};

	read_at("roles = ( { name = \"a\"; }, { name = \"b\"; } ); machines = ( { name = \"m\"; }, { name = \"n\"; } "
	        ");",
	        0);
	fleet.machines[0].roles = names;
	fleet.machines[0].role_count = 5;
	resolved = resolve(arena, &fleet);
	ck_assert_uint_eq(resolved->machines[0].role_count, 2);
	ck_assert_uint_eq(resolved->machines[0].roles[0], 0);
	ck_assert_uint_eq(resolved->machines[0].roles[1], 1);
	ck_assert_str_eq(members("a"), "m");
	ck_assert_str_eq(members("b"), "m");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("resolve");
	TCase *tcase = tcase_create("resolve");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_test(tcase, members_are_assigned_or_selected);
	tcase_add_test(tcase, empty_selector_is_everybody_and_none_is_nobody);
	tcase_add_test(tcase, a_machines_own_role_has_that_machine_alone);
	tcase_add_test(tcase, a_machine_has_a_role_once);
	tcase_add_test(tcase, who_gets_a_ruleset);
	tcase_add_loop_test(tcase, selectors_by_definition, 0, 10);
	tcase_add_test(tcase, disabled_machines_are_peers_of_refusals_alone);
	tcase_add_test(tcase, a_label_narrows_a_role);
	tcase_add_test(tcase, self_is_the_role_that_a_rule_stands_in);
	tcase_add_test(tcase, networks_and_literals);
	tcase_add_test(tcase, a_rule_counts_from_since_until_just_before_until);
	tcase_add_test(tcase, one_edge_alone);
	tcase_add_test(tcase, a_disabled_rule_does_not_count);
	tcase_add_test(tcase, ids_are_digests_of_role_and_text);
	tcase_add_test(tcase, a_role_that_is_named_twice_is_had_once);
	tcase_add_test(tcase, one_role_closes_egress);
	tcase_add_loop_test(tcase, families, 0, sizeof speaks / sizeof *speaks);
	tcase_add_test(tcase, no_peers_are_nobody);
	tcase_add_test(tcase, literals_by_family);
	tcase_add_test(tcase, services_are_their_ports);
	tcase_add_loop_test(tcase, icmp_types, 0, sizeof icmps / sizeof *icmps);
	suite_add_tcase(s, tcase);
	return s;
}

int main(void)
{
	return suite_main(suite());
}
