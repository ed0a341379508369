/* The AWS importer: what each permission, group, instance and interface becomes; what is left out, by its id. */
#include <check.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "foreign_case.h"
#include "suite_main.h"

static struct fleet fleet;
static struct foreign_notes notes;

/* One file of this JSON, in single quotes. */
static void import(const char *text)
{
	struct foreign_file file = {STR("dump.json"), json_text(arena, text)};
	struct error *error = aws_read(arena, &file, 1, &fleet, &notes);

	ck_assert_msg(error == NULL, "%s", messages(arena, error));
	check_fleet_whole(arena, &fleet);
}

static const char *left_out(void)
{
	return messages(arena, notes.left_out);
}

static const char *made_right(void)
{
	return messages(arena, notes.made_right);
}

/* The group sg-1, called web, with these members of its JSON; and sg-2, called app. */
static void import_group(const char *members)
{
	import(str_c(arena, str_format(arena,
	                               "{'SecurityGroups':[{'GroupId':'sg-1','GroupName':'web','VpcId':'vpc-1',%s},"
	                               "{'GroupId':'sg-2','GroupName':'app','VpcId':'vpc-1','IpPermissions':[],"
	                               "'IpPermissionsEgress':[]}]}",
	                               members)));
}

/* --- what a permission speaks of --- */

/* Between {'IpRanges':[{'CidrIp':'0.0.0.0/0'}],'Ipv6Ranges':[{'CidrIpv6':'::/0'}], and }. */
static const struct {
	const char *permission, *rules, *left_out;
} whats[] = {
	{"'IpProtocol':'-1'", "allow all\n", ""},
	{"'IpProtocol':-1", "allow all\n", ""},
	{"'IpProtocol':'-1','FromPort':-1,'ToPort':-1", "allow all\n", ""},
	{"'IpProtocol':'-1','FromPort':0,'ToPort':65535", "allow all\n", ""},
	{"'IpProtocol':'tcp','FromPort':22,'ToPort':22", "allow 22/tcp\n", ""},
	{"'IpProtocol':'TCP','FromPort':22,'ToPort':22", "allow 22/tcp\n", ""},
	{"'IpProtocol':'6','FromPort':22,'ToPort':22", "allow 22/tcp\n", ""},
	{"'IpProtocol':6,'FromPort':22,'ToPort':22", "allow 22/tcp\n", ""},
	{"'IpProtocol':'17','FromPort':0,'ToPort':0", "allow 0/udp\n", ""},
	{"'IpProtocol':'udp','FromPort':1000,'ToPort':65535", "allow 1000-65535/udp\n", ""},
	{"'IpProtocol':'tcp','FromPort':0,'ToPort':65535", "allow tcp\n", ""},
	{"'IpProtocol':'tcp','FromPort':-1,'ToPort':-1", "allow tcp\n", ""},
	{"'IpProtocol':'udp'", "allow udp\n", ""},
	{"'IpProtocol':'udp','FromPort':null,'ToPort':null", "allow udp\n", ""},
	{"'IpProtocol':'icmp','FromPort':-1,'ToPort':-1", "allow icmpv4\n", ""},
	{"'IpProtocol':'1','FromPort':8,'ToPort':-1", "allow icmpv4/echo-request\n", ""},
	{"'IpProtocol':'icmp','FromPort':8,'ToPort':0", "allow icmpv4/echo-request/0\n", ""},
	{"'IpProtocol':'icmp','FromPort':3,'ToPort':4", "allow icmpv4/destination-unreachable/4\n", ""},
	{"'IpProtocol':'icmp','FromPort':13,'ToPort':-1", "allow icmpv4/13\n", ""},
	{"'IpProtocol':'icmp','FromPort':0,'ToPort':255", "allow icmpv4/echo-reply/255\n", ""},
	{"'IpProtocol':'icmpv6','FromPort':-1,'ToPort':-1", "allow icmpv6\n", ""},
	{"'IpProtocol':'58','FromPort':128,'ToPort':0", "allow icmpv6/echo-request/0\n", ""},
	{"'IpProtocol':'50'", "allow esp\n", ""},
	{"'IpProtocol':'112'", "allow vrrp\n", ""},
	{"'IpProtocol':'254'", "allow 254\n", ""},
	{"'IpProtocol':'132'", "allow sctp\n", ""},
	{"'IpProtocol':'4','FromPort':-1,'ToPort':-1", "allow ipip\n", ""},
	{"'IpProtocol':'0'", "", "0: there is no such protocol"},
	{"'IpProtocol':'256'", "", "256: there is no such protocol"},
	{"'IpProtocol':'-2'", "", "-2: there is no such protocol"},
	{"'IpProtocol':-2", "", "-2: there is no such protocol"},
	{"'IpProtocol':300", "", "300: there is no such protocol"},
	{"'IpProtocol':'nonsense'", "", "nonsense: there is no such protocol"},
	{"'IpProtocol':''", "", ": there is no such protocol"},
	{"'FromPort':1,'ToPort':2", "", " 1-2: there is no such protocol"},
	{"'IpProtocol':null", "", ": there is no such protocol"},
	{"'IpProtocol':{'a':1}", "", ": there is no such protocol"},
	{"'IpProtocol':'tcp','FromPort':22", "", "tcp 22--1: it has one end of a port range, and not the other"},
	{"'IpProtocol':'tcp','ToPort':22", "", "tcp: it has one end of a port range, and not the other"},
	{"'IpProtocol':'tcp','FromPort':-1,'ToPort':22", "", "tcp -1-22: it has no valid port range"},
	{"'IpProtocol':'tcp','FromPort':22,'ToPort':-1", "", "tcp 22--1: it has no valid port range"},
	{"'IpProtocol':'tcp','FromPort':23,'ToPort':22", "", "tcp 23-22: it has no valid port range"},
	{"'IpProtocol':'tcp','FromPort':1,'ToPort':65536", "", "tcp 1-65536: it has no valid port range"},
	{"'IpProtocol':'tcp','FromPort':-2,'ToPort':-2", "", "tcp -2: it has no valid port range"},
	{"'IpProtocol':'tcp','FromPort':'22','ToPort':'22'", "", "tcp: its ports are no numbers"},
	{"'IpProtocol':'tcp','FromPort':22.5,'ToPort':22.5", "", "tcp: its ports are no numbers"},
	{"'IpProtocol':'tcp','FromPort':1e300,'ToPort':1e300", "", "tcp: its ports are no numbers"},
	{"'IpProtocol':'tcp','FromPort':22.0,'ToPort':22.0", "allow 22/tcp\n", ""},
	{"'IpProtocol':'icmp','FromPort':255,'ToPort':-1", "", "icmp 255--1: there is no such ICMP type"},
	{"'IpProtocol':'icmp','FromPort':-2,'ToPort':-1", "", "icmp -2--1: there is no such ICMP type"},
	{"'IpProtocol':'icmp','FromPort':8,'ToPort':256", "", "icmp 8-256: there is no such ICMP code"},
	{"'IpProtocol':'icmp','FromPort':-1,'ToPort':0", "", "icmp -1-0: it has a code, and no type"},
	{"'IpProtocol':'icmp','FromPort':8", "", "icmp 8--1: it has a type and no code, or a code and no type"},
};

START_TEST(test_whats)
{
	const char *expected = "";

	import_group(str_c(arena, str_format(arena,
	                                     "'IpPermissions':[{'IpRanges':[{'CidrIp':'0.0.0.0/0'}],'Ipv6Ranges':"
	                                     "[{'CidrIpv6':'::/0'}],%s}],'IpPermissionsEgress':[]",
	                                     whats[_i].permission)));
	ck_assert_str_eq(role_rules(arena, &fleet, "web"), whats[_i].rules);
	if (whats[_i].left_out[0] != '\0')
		expected = str_c(arena, str_format(arena, "left out: security group sg-1, inbound %s\n",
		                                   whats[_i].left_out));
	ck_assert_str_eq(left_out(), expected);
	ck_assert_str_eq(made_right(), "");
}
END_TEST

START_TEST(test_ranges_of_other_protocols)
{
	import_group("'IpPermissions':[{'IpProtocol':'132','FromPort':80,'ToPort':81,'IpRanges':"
	             "[{'CidrIp':'10.0.0.0/8'}]}],'IpPermissionsEgress':[]");
	ck_assert_str_eq(role_rules(arena, &fleet, "web"), "allow sctp from 10.0.0.0/8\n");
	ck_assert_str_eq(left_out(), "");
	ck_assert_str_eq(made_right(), "security group sg-1, inbound 132 80-81: AWS passes over the port range of this "
	                               "protocol, so the rule has none\n");
}
END_TEST

/* --- who is at the other end --- */

/* Behind {'IpProtocol':'tcp','FromPort':22,'ToPort':22, */
static const struct {
	const char *peers, *rules, *left_out, *made_right;
} peers[] = {
	{"'IpRanges':[{'CidrIp':'10.0.0.0/8'},{'CidrIp':'192.0.2.7/32'}]", "allow 22/tcp from 10.0.0.0/8, 192.0.2.7\n",
         "", ""},
	{"'IpRanges':[{'CidrIp':'0.0.0.0/0'}]", "allow 22/tcp from 0.0.0.0/0\n", "", ""},
	{"'Ipv6Ranges':[{'CidrIpv6':'::/0'}]", "allow 22/tcp from ::/0\n", "", ""},
	{"'Ipv6Ranges':[{'CidrIpv6':'2001:DB8::/32'}],'IpRanges':[]", "allow 22/tcp from 2001:db8::/32\n", "", ""},
	{"'IpRanges':[{'CidrIp':'2.2.2.2/28'}]", "allow 22/tcp from 2.2.2.0/28\n", "",
         "prefix \"2.2.2.2/28\" has host bits set; they are cleared"},
	{"'IpRanges':[{'CidrIp':'10.0.0.0/33'}]", "", "\"10.0.0.0/33\" is no IPv4 prefix", ""},
	{"'IpRanges':[{'CidrIp':'::/0'}]", "", "\"::/0\" is no IPv4 prefix", ""},
	{"'Ipv6Ranges':[{'CidrIpv6':'10.0.0.0/8'}]", "", "\"10.0.0.0/8\" is no IPv6 prefix", ""},
	{"'IpRanges':[{'CidrIp':''}]", "", "\"\" is no IPv4 prefix", ""},
	{"'IpRanges':[{'CidrIp':null},{'CidrIp':'192.0.2.0/24'}]", "allow 22/tcp from 192.0.2.0/24\n",
         "\"\" is no IPv4 prefix", ""},
	{"'IpRanges':['10.0.0.0/8']", "", "\"\" is no IPv4 prefix", ""},
	{"'UserIdGroupPairs':[{'GroupId':'sg-2','UserId':'1'}]", "allow 22/tcp from role:app/private\n", "", ""},
	{"'UserIdGroupPairs':[{'GroupId':'sg-1'}]", "allow 22/tcp from role:web/private\n", "", ""},
	{"'UserIdGroupPairs':[{'GroupId':'sg-2'},{'GroupId':'sg-1'}],'IpRanges':[{'CidrIp':'10.0.0.0/8'}]",
         "allow 22/tcp from 10.0.0.0/8, role:app/private, role:web/private\n", "", ""},
	{"'UserIdGroupPairs':[{'GroupId':'sg-9','UserId':'123'}]", "",
         "security group sg-9 (of account 123) is not in these files", ""},
	{"'UserIdGroupPairs':[{'GroupId':'sg-2','PeeringStatus':'active','VpcPeeringConnectionId':'pcx-1'}]",
         "allow 22/tcp from role:app/private\n", "", ""},
	{"'UserIdGroupPairs':[{'GroupId':'sg-2','PeeringStatus':'deleted'}]", "",
         "security group sg-2 is over a peering connection that is \"deleted\"", ""},
	{"'UserIdGroupPairs':[{'GroupName':'app'}]", "", "it names a group by \"app\", and not by an id", ""},
	{"'UserIdGroupPairs':[7]", "", "it names a group by \"\", and not by an id", ""},
	{"'PrefixListIds':[{'PrefixListId':'pl-63a5400a'}]", "",
         "the addresses of prefix list pl-63a5400a are not in these files", ""},
	{"'PrefixListIds':[{'PrefixListId':'pl-1'}],'IpRanges':[{'CidrIp':'10.0.0.0/8'}]",
         "allow 22/tcp from 10.0.0.0/8\n", "the addresses of prefix list pl-1 are not in these files", ""},
	{"'IpRanges':[],'Ipv6Ranges':[],'PrefixListIds':[],'UserIdGroupPairs':[]", "", "",
         "it names nobody, so there is no rule"},
	{"'IpRanges':null", "", "", "it names nobody, so there is no rule"},
	{"'IpRanges':[{'CidrIp':'0.0.0.0/0'}],'Condition':{'a':1}", "",
         "it has the field \"Condition\", which is not known here", ""},
	{"'IpRanges':[{'CidrIp':'10.0.0.0/8'}],'Condition':[],'Other':null", "allow 22/tcp from 10.0.0.0/8\n", "", ""},
};

static const char *about(const char *note)
{
	return note[0] == '\0' ? ""
	                       : str_c(arena, str_format(arena, "security group sg-1, inbound tcp 22: %s\n", note));
}

START_TEST(test_peers)
{
	import_group(str_c(arena, str_format(arena,
	                                     "'IpPermissions':[{'IpProtocol':'tcp','FromPort':22,'ToPort':22,%s}],'"
	                                     "IpPermissionsEgress':[]",
	                                     peers[_i].peers)));
	ck_assert_str_eq(role_rules(arena, &fleet, "web"), peers[_i].rules);
	ck_assert_str_eq(left_out(),
	                 peers[_i].left_out[0] == '\0'
	                         ? ""
	                         : str_c(arena, str_format(arena, "left out: %s", about(peers[_i].left_out))));
	ck_assert_str_eq(made_right(), about(peers[_i].made_right));
}
END_TEST

START_TEST(test_lists_that_are_none)
{
	import_group("'IpPermissions':[{'IpProtocol':'-1','IpRanges':{'CidrIp':'0.0.0.0/0'}},7],"
	             "'IpPermissionsEgress':'all'");
	ck_assert_str_eq(role_rules(arena, &fleet, "web"), "");
	ck_assert_str_eq(left_out(), "left out: IpPermissionsEgress of sg-1: it is no list\n"
	                             "left out: IpRanges of sg-1: it is no list\n"
	                             "left out: security group sg-1: element 1 of IpPermissions is no object\n");
	ck_assert_int_eq(fleet_role(&fleet, STR("web"))->egress, EGRESS_CLOSED);
}
END_TEST

/* On IPv6 they are extension headers, which ip6tables never sees as protocols. */
START_TEST(test_protocols_of_ipv4_alone)
{
	import_group("'IpPermissions':[{'IpProtocol':'44','IpRanges':[{'CidrIp':'10.0.0.0/8'}],"
	             "'Ipv6Ranges':[{'CidrIpv6':'2001:db8::/32'}],'UserIdGroupPairs':[{'GroupId':'sg-2'}]}]");
	ck_assert_str_eq(role_rules(arena, &fleet, "web"), "allow 44 from 10.0.0.0/8, role:app/private\n");
	ck_assert_str_eq(
		left_out(),
		"left out: security group sg-1, inbound 44: 2001:db8::/32: on IPv6 this protocol is an extension "
		"header, which no rule matches\n"
		"left out: security group sg-1, inbound 44: IPv6 addresses of the groups: on IPv6 this protocol is "
		"an extension header, which no rule matches\n");
}
END_TEST

/* --- egress --- */

START_TEST(test_egress)
{
	import_group(
		"'IpPermissions':[],'IpPermissionsEgress':[{'IpProtocol':'-1','IpRanges':[{'CidrIp':'0.0.0.0/0'}]},"
		"{'IpProtocol':'tcp','FromPort':443,'ToPort':443,'UserIdGroupPairs':[{'GroupId':'sg-2'}],"
		"'PrefixListIds':[{'PrefixListId':'pl-1'}]}]");
	ck_assert_str_eq(role_rules(arena, &fleet, "web"),
	                 "allow 443/tcp to role:app/private\nallow all to 0.0.0.0/0\n");
	ck_assert_str_eq(role_rules(arena, &fleet, "app"), "");
	for (size_t i = 0; i < fleet.role_count; i++) {
		ck_assert_int_eq(fleet.roles[i].egress, EGRESS_CLOSED);
		ck_assert_uint_eq(fleet.roles[i].given, GIVEN_DESCRIPTION | GIVEN_EGRESS | GIVEN_RULES);
	}
	ck_assert_str_eq(left_out(),
	                 "left out: security group sg-1, outbound tcp 443: the addresses of prefix list pl-1 "
	                 "are not in these files\n");
}
END_TEST

START_TEST(test_egress_that_nobody_says)
{
	import("{'SecurityGroups':[{'GroupId':'sg-1','GroupName':'old','IpPermissions':[],'IpPermissionsEgress':[]},"
	       "{'GroupId':'sg-2','GroupName':'cut','VpcId':'v'}]}");
	ck_assert_int_eq(fleet_role(&fleet, STR("old"))->egress, EGRESS_CLOSED);
	ck_assert_int_eq(fleet_role(&fleet, STR("cut"))->egress, EGRESS_CLOSED);
	ck_assert_str_eq(made_right(), "security group sg-1 has no VPC, and no permissions for what leaves: its role "
	                               "is closed outbound\n"
	                               "security group sg-2 has no IpPermissionsEgress: its role is closed outbound\n");
	ck_assert_str_eq(left_out(), "");
}
END_TEST

/* --- descriptions --- */

START_TEST(test_descriptions)
{
	import_group(
		"'Description':'a\\tb\\u0000c','IpPermissions':[{'IpProtocol':'tcp','FromPort':1,'ToPort':1,"
		"'IpRanges':[{'CidrIp':'0.0.0.0/0','Description':'all'}],'Ipv6Ranges':[{'CidrIpv6':'::/0'}]},"
		"{'IpProtocol':'tcp','FromPort':2,'ToPort':2,'IpRanges':[{'CidrIp':'10.0.0.1/32','Description':'b'},"
		"{'CidrIp':'10.0.0.2/32','Description':'a\\n# c'},{'CidrIp':'10.0.0.3/32'},"
		"{'CidrIp':'10.0.0.4/32','Description':'b'}]}]");
	ck_assert_str_eq(role_rules(arena, &fleet, "web"), "allow 1/tcp # all\n"
	                                                   "allow 2/tcp from 10.0.0.1, 10.0.0.4 # b\n"
	                                                   "allow 2/tcp from 10.0.0.2 # a # c\n"
	                                                   "allow 2/tcp from 10.0.0.3\n");
	ck_assert(str_is(fleet_role(&fleet, STR("web"))->description, "web (sg-1 in vpc-1): a b c"));
	ck_assert(str_is(fleet_role(&fleet, STR("app"))->description, "app (sg-2 in vpc-1)"));
}
END_TEST

START_TEST(test_same_rule_twice)
{
	import_group("'IpPermissions':[{'IpProtocol':'6','FromPort':1,'ToPort':1,'IpRanges':[{'CidrIp':'10.0.0.1/8',"
	             "'Description':'b'}]},{'IpProtocol':'tcp','FromPort':1,'ToPort':1,'IpRanges':[{'CidrIp':"
	             "'10.0.0.0/8','Description':'a'}]},{'IpProtocol':'tcp','FromPort':1,'ToPort':1,'IpRanges':"
	             "[{'CidrIp':'10.0.0.0/8'}]}],'IpPermissionsEgress':[]");
	ck_assert_str_eq(role_rules(arena, &fleet, "web"), "allow 1/tcp from 10.0.0.0/8 # a; b\n");
}
END_TEST

START_TEST(test_long_lists)
{
	struct buf buf = buf_new(arena);
	struct addr_set expected, found;
	struct range *ranges = ARENA_ARRAY(arena, struct range, 9000);
	size_t count = 0;

	buf_add(&buf, STR("'IpPermissions':[{'IpProtocol':'-1','Ipv6Ranges':["));
	for (size_t i = 0; i < 3000; i++)
		buf_format(&buf, "%s{'CidrIpv6':'2001:db8:1111:2222:3333:4444:%zx:0/112'}", i > 0 ? "," : "", 2 * i);
	buf_add(&buf, STR("]}]"));
	import_group(str_c(arena, buf_str(&buf)));
	ck_assert_uint_ge(fleet_role(&fleet, STR("web"))->rule_count, 2);
	for (size_t i = 0; i < fleet_role(&fleet, STR("web"))->rule_count; i++) {
		const struct rule *rule = &fleet_role(&fleet, STR("web"))->rules[i].rule;

		for (size_t j = 0; j < rule->peer_count; j++)
			ranges[count++] = rule->peers[j].literal;
	}
	ck_assert_uint_eq(count, 3000);
	found = addr_set_of(arena, FAMILY_6, ranges, count);
	for (size_t i = 0; i < count; i++) {
		struct prefix prefix;

		ck_assert_int_eq(
			prefix_parse(str_format(arena, "2001:db8:1111:2222:3333:4444:%zx:0/112", 2 * i), &prefix),
			PREFIX_OK);
		ranges[i] = prefix_range(prefix);
	}
	expected = addr_set_of(arena, FAMILY_6, ranges, count);
	ck_assert(addr_set_eq(&found, &expected));
	ck_assert_str_eq(left_out(), "");
}
END_TEST

/* --- names of groups --- */

START_TEST(test_group_names)
{
	struct str long_name = str_format(arena, "%0120d", 7);

	import(str_c(arena, str_format(arena,
	                               "{'SecurityGroups':[{'GroupId':'sg-1','GroupName':'default','VpcId':'vpc-1'},"
	                               "{'GroupId':'sg-2','GroupName':'default','VpcId':'vpc-2'},"
	                               "{'GroupId':'sg-3','GroupName':'Caf\\u00e9 (web) / 1','VpcId':'vpc-2'},"
	                               "{'GroupId':'sg-4','GroupName':'\\u65e5\\u672c','VpcId':'vpc-2'},"
	                               "{'GroupId':'sg-5','GroupName':'default-sg-1','VpcId':'vpc-2'},"
	                               "{'GroupId':'sg-6','GroupName':'%.*s','VpcId':'vpc-2'},"
	                               "{'GroupId':'sg-7','VpcId':'vpc-2'},"
	                               "{'GroupId':'sg-8','GroupName':'DB','VpcId':'vpc-2'}]}",
	                               STR_ARG(long_name))));
	ck_assert_str_eq(role_rules(arena, &fleet, "default"), "(no role)");
	ck_assert_str_eq(role_rules(arena, &fleet, "default-sg-1"), "");
	ck_assert_str_eq(role_rules(arena, &fleet, "default-sg-2"), "");
	ck_assert_str_eq(role_rules(arena, &fleet, "default-sg-1-sg-5"), "");
	ck_assert_str_eq(role_rules(arena, &fleet, "caf---web----1"), "");
	ck_assert_str_eq(role_rules(arena, &fleet, "sg-4"), "");
	ck_assert_str_eq(role_rules(arena, &fleet, "sg-7"), "");
	ck_assert_str_eq(role_rules(arena, &fleet, "db"), "");
	ck_assert_str_eq(role_rules(arena, &fleet, str_c(arena, str_format(arena, "%095d-sg-6", 0))), "");
	ck_assert_uint_eq(fleet.role_count, 8);
	ck_assert(str_is(fleet_role(&fleet, STR("caf---web----1"))->description,
	                 "Caf\xc3\xa9 (web) / 1 (sg-3 in vpc-2)"));
	ck_assert_str_eq(left_out(), "");
}
END_TEST

/* Ids that were never AWS's: what can't be told apart is left out, and nobody else gets its members. */
START_TEST(test_ids_that_fold)
{
	import("{'SecurityGroups':[{'GroupId':'sg-a','GroupName':'x','VpcId':'v','IpPermissions':[{'IpProtocol':'-1',"
	       "'UserIdGroupPairs':[{'GroupId':'SG-A'}]}]},{'GroupId':'SG-A','GroupName':'x','VpcId':'v'},"
	       "{'GroupId':'sg b','GroupName':'y'},{'GroupId':'','GroupName':'y'},{'GroupName':'y'},7]}");
	ck_assert_uint_eq(fleet.role_count, 0);
	ck_assert_str_eq(left_out(),
	                 "left out: element 2 of SecurityGroups: it has no valid GroupId\n"
	                 "left out: element 3 of SecurityGroups: it has no valid GroupId\n"
	                 "left out: element 4 of SecurityGroups: it has no valid GroupId\n"
	                 "left out: element 5 of SecurityGroups: it has no valid GroupId\n"
	                 "left out: security group SG-A: its name can't be told from that of another one\n"
	                 "left out: security group sg-a: its name can't be told from that of another one\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("aws");
	TCase *c = tcase_create("groups");

	tcase_add_checked_fixture(c, arena_setup, arena_teardown);
	tcase_add_loop_test(c, test_whats, 0, (int)(sizeof whats / sizeof *whats));
	tcase_add_test(c, test_ranges_of_other_protocols);
	tcase_add_loop_test(c, test_peers, 0, (int)(sizeof peers / sizeof *peers));
	tcase_add_test(c, test_lists_that_are_none);
	tcase_add_test(c, test_protocols_of_ipv4_alone);
	tcase_add_test(c, test_egress);
	tcase_add_test(c, test_egress_that_nobody_says);
	tcase_add_test(c, test_descriptions);
	tcase_add_test(c, test_same_rule_twice);
	tcase_add_test(c, test_long_lists);
	tcase_add_test(c, test_group_names);
	tcase_add_test(c, test_ids_that_fold);
	suite_add_tcase(suite, c);
	return suite_main(suite);
}
