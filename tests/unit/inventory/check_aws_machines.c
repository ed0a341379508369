/* The AWS importer: instances and interfaces, several interfaces, pages, files in any order, and files that are none of
 * AWS's. */
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

#define FILES_MAX 8

/* Files a.json, b.json, … with these texts (JSON in single quotes), to a NULL. */
static struct error *try_import(const char *const *texts)
{
	struct foreign_file files[FILES_MAX];
	size_t count = 0;

	for (; texts[count] != NULL; count++)
		files[count] = (struct foreign_file){str_format(arena, "%c.json", (int)('a' + count)),
		                                     json_text(arena, texts[count])};
	return aws_read(arena, files, count, &fleet, &notes);
}

static void import(const char *const *texts)
{
	struct error *error = try_import(texts);

	ck_assert_msg(error == NULL, "%s", messages(arena, error));
	check_fleet_whole(arena, &fleet);
}
#define IMPORT(...) import((const char *const[]){__VA_ARGS__, NULL})
#define REFUSED(...) messages(arena, try_import((const char *const[]){__VA_ARGS__, NULL}))

static const char *left_out(void)
{
	return messages(arena, notes.left_out);
}

#define GROUPS                                                                                                       \
	"{'SecurityGroups':[{'GroupId':'sg-1','GroupName':'web','VpcId':'v','IpPermissions':[{'IpProtocol':'-1',"    \
	"'UserIdGroupPairs':[{'GroupId':'sg-2'}]}]},{'GroupId':'sg-2','GroupName':'app','VpcId':'v'},"               \
	"{'GroupId':'sg-3','GroupName':'db','VpcId':'v'}]}"

#define INSTANCE(id, more) "{'Reservations':[{'Instances':[{'InstanceId':'" id "'," more "}]}]}"

/* --- names and labels --- */

/* The Name tag's value in JSON, and the machine's name. */
static const struct {
	const char *tag, *name, *label;
} names[] = {
	{"web-1.example.com", "web-1.example.com", "Name=web-1.example.com aws-id=i-1"},
	{"Web1", "web1", "Name=Web1 aws-id=i-1"},
	{"web server", "web-server", "Name=web server aws-id=i-1"},
	{"border_01", "border-01", "Name=border_01 aws-id=i-1"},
	{" x ", "x", "Name= x  aws-id=i-1"},
	{"-a-.-b..c-", "a.b.c", "Name=-a-.-b..c- aws-id=i-1"},
	{"10.0.0.5", "10-0-0-5", "Name=10.0.0.5 aws-id=i-1"},
	{"caf\\u00e9", "caf", "Name=caf\xc3\xa9 aws-id=i-1"},
	{"\\u65e5\\u672c", "i-1", "Name=\xe6\x97\xa5\xe6\x9c\xac aws-id=i-1"},
	{"", "i-1", "Name= aws-id=i-1"},
	{"...", "i-1", "Name=... aws-id=i-1"},
};

START_TEST(test_names)
{
	IMPORT(str_c(arena, str_format(arena, INSTANCE("i-1", "'Tags':[{'Key':'Name','Value':'%s'}]"), names[_i].tag)));
	ck_assert_str_eq(machine_lines(arena, &fleet, names[_i].name),
	                 str_c(arena, str_format(arena, "roles:\naddresses:\nlabels: %s\n", names[_i].label)));
	ck_assert_str_eq(left_out(), "");
}
END_TEST

START_TEST(test_long_names)
{
	struct buf parts = buf_new(arena);

	for (size_t i = 0; i < 40; i++)
		buf_add(&parts, STR("abcdefg."));
	IMPORT(str_c(arena, str_format(arena, INSTANCE("i-1", "'Tags':[{'Key':'Name','Value':'%0100d'}]"), 1)),
	       str_c(arena, str_format(arena, INSTANCE("i-2", "'Tags':[{'Key':'Name','Value':'%.*szz'}]"),
	                               STR_ARG(buf_str(&parts)))),
	       str_c(arena, str_format(arena, INSTANCE("i-3", "'Tags':[{'Key':'Name','Value':'%0250d.a'}]"), 1)));
	ck_assert_uint_eq(fleet.machine_count, 3);
	ck_assert(str_ends(fleet.machines[0].name, STR("0-i-1")));
	ck_assert_uint_eq(fleet.machines[0].name.n, 63);
	ck_assert(str_ends(fleet.machines[1].name, STR("0.a-i-3")));
	ck_assert(str_ends(fleet.machines[2].name, STR("abcdefg.zz-i-2")));
	ck_assert_str_eq(left_out(), "left out: tag \"Name\" of i-2: label \"Name\": value is longer than 255 bytes\n");
}
END_TEST

START_TEST(test_names_alike)
{
	IMPORT(INSTANCE("i-1", "'Tags':[{'Key':'Name','Value':'web'}]"),
	       INSTANCE("i-2", "'Tags':[{'Key':'Name','Value':'Web'}]"),
	       INSTANCE("i-3", "'Tags':[{'Key':'Name','Value':'i-4'}]"), INSTANCE("i-4", "'Tags':[]"),
	       INSTANCE("i-5", "'Tags':[{'Key':'Name','Value':'web-i-1'}]"));
	ck_assert_uint_eq(fleet.machine_count, 5);
	ck_assert_ptr_nonnull(fleet_machine(&fleet, STR("web-i-1")));
	ck_assert_ptr_nonnull(fleet_machine(&fleet, STR("web-i-2")));
	ck_assert_ptr_nonnull(fleet_machine(&fleet, STR("i-4-i-3")));
	ck_assert_ptr_nonnull(fleet_machine(&fleet, STR("i-4-i-4")));
	ck_assert_ptr_nonnull(fleet_machine(&fleet, STR("web-i-1-i-5")));
}
END_TEST

START_TEST(test_tags)
{
	IMPORT(INSTANCE("i-1",
	                "'VpcId':'vpc-1','Tags':[{'Key':'env','Value':'prod'},{'Key':'aws:x/y','Value':''},"
	                "{'Key':'a=b','Value':'c'},{'Key':'bad','Value':'a\\u0000b'},{'Key':'aws-id','Value':'x'},"
	                "{'Key':'env','Value':'prod'},{'Value':'x'},7]"));
	ck_assert_str_eq(machine_lines(arena, &fleet, "i-1"),
	                 "roles:\naddresses:\nlabels: aws-id=i-1 aws-vpc=vpc-1 aws:x/y= env=prod\n");
	ck_assert_str_eq(left_out(),
	                 "left out: tag \"\" of i-1: a label has no key\n"
	                 "left out: tag \"a=b\" of i-1: label key \"a=b\" holds `=`\n"
	                 "left out: tag \"aws-id\" of i-1: there is a label of this key already\n"
	                 "left out: tag \"bad\" of i-1: label \"bad\": value holds a control character (byte "
	                 "0x00)\n"
	                 "left out: tag \"env\" of i-1: there is a label of this key already\n");
}
END_TEST

/* --- addresses --- */

START_TEST(test_addresses)
{
	IMPORT(INSTANCE("i-1",
	                "'PrivateIpAddress':'10.0.0.1','PublicIpAddress':'192.0.2.1','Ipv6Address':'2001:db8::1',"
	                "'NetworkInterfaces':[{'NetworkInterfaceId':'eni-1','PrivateIpAddress':'10.0.0.1',"
	                "'Association':{'PublicIp':'192.0.2.1'},'PrivateIpAddresses':[{'PrivateIpAddress':"
	                "'10.0.0.1','Association':{'PublicIp':'192.0.2.1'}},{'PrivateIpAddress':'10.0.0.9',"
	                "'Association':{'PublicIp':'192.0.2.9','CarrierIp':'192.0.2.10'}},{'PrivateIpAddress':"
	                "'192.0.2.10'}],'Ipv6Addresses':[{'Ipv6Address':'2001:db8::1'},{'Ipv6Address':"
	                "'2001:db8::2'}]},{'NetworkInterfaceId':'eni-2','PrivateIpAddress':'10.1.0.1',"
	                "'Ipv4Prefixes':[{'Ipv4Prefix':'10.9.0.0/28'}],'Ipv6Prefixes':[{'Ipv6Prefix':"
	                "'2001:db8:1::/80'}],'Ipv6Addresses':[{'Ipv6Address':'nonsense'}]}]"));
	ck_assert_str_eq(machine_lines(arena, &fleet, "i-1"),
	                 "roles:\naddresses: 10.0.0.1=private 10.0.0.9=private 10.1.0.1=private 192.0.2.1=public "
	                 "192.0.2.9=public 192.0.2.10=private 2001:db8::1=private 2001:db8::2=private\n"
	                 "labels: aws-id=i-1\n");
	ck_assert_str_eq(left_out(), "left out: i-1: \"nonsense\" is no address\n"
	                             "left out: i-1: interface eni-2 has the whole prefix \"10.9.0.0/28\"\n"
	                             "left out: i-1: interface eni-2 has the whole prefix \"2001:db8:1::/80\"\n");
}
END_TEST

/* --- groups of machines --- */

START_TEST(test_one_interface)
{
	IMPORT(GROUPS,
	       INSTANCE("i-1", "'SecurityGroups':[{'GroupId':'sg-3'}],'NetworkInterfaces':[{"
	                       "'NetworkInterfaceId':'eni-1','Groups':[{'GroupId':'sg-2','GroupName':'old name'},"
	                       "{'GroupId':'sg-1'}]}]"));
	ck_assert_str_eq(machine_lines(arena, &fleet, "i-1"), "roles: app web\naddresses:\nlabels: aws-id=i-1\n");
	ck_assert_str_eq(left_out(), "");
}
END_TEST

/* Without a list of interfaces the instance's own list counts. */
START_TEST(test_no_interface)
{
	IMPORT(GROUPS, INSTANCE("i-1", "'SecurityGroups':[{'GroupId':'sg-2'},{'GroupId':'sg-9'}]"));
	ck_assert_str_eq(machine_lines(arena, &fleet, "i-1"), "roles: app\naddresses:\nlabels: aws-id=i-1\n");
	ck_assert_str_eq(left_out(), "left out: i-1: security group sg-9 is not in these files\n");
}
END_TEST

/* Roles hold for the whole machine: what only one interface has would open the other. */
START_TEST(test_interfaces_that_differ)
{
	IMPORT(GROUPS,
	       INSTANCE("i-1", "'NetworkInterfaces':[{'NetworkInterfaceId':'eni-1','PrivateIpAddress':'10.0.0.1',"
	                       "'Groups':[{'GroupId':'sg-1'},{'GroupId':'sg-2'}]},{'NetworkInterfaceId':'eni-2',"
	                       "'PrivateIpAddress':'10.0.0.2','Groups':[{'GroupId':'sg-2'},{'GroupId':'sg-3'}]}]"));
	ck_assert_str_eq(machine_lines(arena, &fleet, "i-1"),
	                 "roles: app\naddresses: 10.0.0.1=private 10.0.0.2=private\nlabels: aws-id=i-1\n");
	ck_assert_str_eq(left_out(), "left out: i-1: security group sg-1 is on interface eni-1 and not on eni-2, and a "
	                             "machine's roles hold for all its interfaces\n"
	                             "left out: i-1: security group sg-3 is on interface eni-2 and not on eni-1, and a "
	                             "machine's roles hold for all its interfaces\n");
}
END_TEST

/* No role would mean that everything may leave, which no group that was left out would have let. */
START_TEST(test_all_groups_left_out)
{
	IMPORT(GROUPS,
	       INSTANCE("i-1", "'NetworkInterfaces':[{'Groups':[{'GroupId':'sg-1'}]},{'Groups':[{'GroupId':'sg-3'}]}]"),
	       INSTANCE("i-2", "'SecurityGroups':[]"));
	ck_assert_str_eq(machine_lines(arena, &fleet, "i-1"), "roles: aws-left-out\naddresses:\nlabels: aws-id=i-1\n");
	ck_assert_int_eq(fleet_role(&fleet, STR("aws-left-out"))->egress, EGRESS_CLOSED);
	ck_assert_uint_eq(fleet_role(&fleet, STR("aws-left-out"))->rule_count, 0);
	ck_assert_str_eq(machine_lines(arena, &fleet, "i-2"), "roles:\naddresses:\nlabels: aws-id=i-2\n");
	ck_assert_uint_eq(error_count(notes.left_out), 2);
}
END_TEST

START_TEST(test_attached_interfaces)
{
	IMPORT("{'NetworkInterfaces':[{'NetworkInterfaceId':'eni-1','Attachment':{'InstanceId':'i-1'},'"
	       "PrivateIpAddress':"
	       "'10.0.0.1','Groups':[{'GroupId':'sg-1'}],'Association':{'PublicIp':'192.0.2.1'}},"
	       "{'NetworkInterfaceId':'eni-2','Attachment':{'InstanceId':'i-1'},'PrivateIpAddress':'10.0.0.2',"
	       "'Groups':[{'GroupId':'sg-1'}]}]}",
	       GROUPS,
	       INSTANCE("i-1", "'NetworkInterfaces':[{'NetworkInterfaceId':'eni-1','PrivateIpAddress':'10.0.0.1',"
	                       "'Groups':[{'GroupId':'sg-1'}]}]"));
	ck_assert_uint_eq(fleet.machine_count, 1);
	ck_assert_str_eq(
		machine_lines(arena, &fleet, "i-1"),
		"roles: web\naddresses: 10.0.0.1=private 10.0.0.2=private 192.0.2.1=public\nlabels: aws-id=i-1\n");
	ck_assert_str_eq(left_out(), "");
}
END_TEST

/* Load balancers, databases: peers that are no hosts of ours. */
START_TEST(test_interfaces_alone)
{
	IMPORT(GROUPS,
	       "{'NetworkInterfaces':[{'NetworkInterfaceId':'eni-1','Attachment':{'InstanceOwnerId':'amazon-elb'},"
	       "'Description':'ELB app/x','VpcId':'v','PrivateIpAddress':'10.0.0.1','Groups':[{'GroupId':'sg-2'}],"
	       "'TagSet':[{'Key':'team','Value':'a'}]},{'NetworkInterfaceId':'eni-2','Groups':[],'Attachment':"
	       "{'InstanceId':'i-77'},'TagSet':[{'Key':'Name','Value':'NAT gateway'}]}]}");
	ck_assert_str_eq(machine_lines(arena, &fleet, "eni-1"),
	                 "roles: app\naddresses: 10.0.0.1=private\nlabels: aws-description=ELB app/x aws-id=eni-1 "
	                 "aws-vpc=v team=a\nunmanaged\n");
	ck_assert_str_eq(machine_lines(arena, &fleet, "nat-gateway"),
	                 "roles:\naddresses:\nlabels: Name=NAT gateway aws-id=eni-2\nunmanaged\n");
	ck_assert_str_eq(left_out(), "");
}
END_TEST

START_TEST(test_states)
{
	IMPORT(INSTANCE("i-1", "'State':{'Name':'terminated'},'Tags':[{'Key':'Name','Value':'web'}]"),
	       INSTANCE("i-2", "'State':{'Name':'shutting-down'}"),
	       INSTANCE("i-3", "'State':{'Name':'stopped'},'Tags':[{'Key':'Name','Value':'web'}]"));
	ck_assert_uint_eq(fleet.machine_count, 1);
	ck_assert_str_eq(machine_lines(arena, &fleet, "web"), "roles:\naddresses:\nlabels: Name=web aws-id=i-3\n");
	ck_assert_str_eq(left_out(), "left out: instance i-1: it is terminated\n"
	                             "left out: instance i-2: it is shutting-down\n");
}
END_TEST

/* --- files --- */

#define INTERFACES                                                                                                   \
	"{'NetworkInterfaces':[{'NetworkInterfaceId':'eni-2','Groups':[{'GroupId':'sg-3'}],'Ipv4Prefixes':"          \
	"[{'Ipv4Prefix':'x'}]},{'NetworkInterfaceId':'eni-1'},{'x':1}]}"

START_TEST(test_any_order)
{
	const char *texts[] = {
		GROUPS,
		INSTANCE("i-1", "'SecurityGroups':[{'GroupId':'sg-1'},{'GroupId':'sg-9'}],'Tags':[{'Key':'Name','Value'"
	                        ":'a'}]"),
		INSTANCE("i-2", "'SecurityGroups':[{'GroupId':'sg-2'}],'Tags':[{'Key':'Name','Value':'a'}]"),
		INTERFACES};
	struct foreign_file files[4], turned[4];
	const char *first;

	for (size_t i = 0; i < 4; i++)
		files[i] = (struct foreign_file){str_format(arena, "%zu", i), json_text(arena, texts[i])};
	ck_assert_ptr_null(aws_read(arena, files, 4, &fleet, &notes));
	first = whole_import(arena, &fleet, &notes);
	ck_assert_uint_eq(error_count(notes.left_out), 3);
	for (size_t turn = 0; turn < 24; turn++) {
		size_t rest[] = {0, 1, 2, 3}, code = turn;

		for (size_t i = 0; i < 4; i++) {
			size_t pick = code % (4 - i);

			code /= 4 - i;
			turned[i] = files[rest[pick]];
			memmove(&rest[pick], &rest[pick + 1], (3 - pick) * sizeof *rest);
		}
		ck_assert_ptr_null(aws_read(arena, turned, 4, &fleet, &notes));
		ck_assert_str_eq(whole_import(arena, &fleet, &notes), first);
	}
}
END_TEST

START_TEST(test_pages)
{
	IMPORT("[{'SecurityGroups':[{'GroupId':'sg-1','GroupName':'a','VpcId':'v','IpPermissionsEgress':[]}],'"
	       "NextToken':null},"
	       "{'SecurityGroups':[{'GroupId':'sg-2','GroupName':'b','VpcId':'v','IpPermissionsEgress':[]}]}]",
	       "\xef\xbb\xbf{'Reservations':[],'ResponseMetadata':{'x':1}}\n{'Reservations':[{'Instances':[{'"
	       "InstanceId':"
	       "'i-1'}]}],'SecurityGroups':[{'GroupId':'sg-2','VpcId':'v','GroupName':'b',"
	       "'IpPermissionsEgress':[]}]} ",
	       "{'Reservations':[{'Instances':[{'InstanceId':'i-1'}]},{'ReservationId':'r-1'}],'Vpcs':[],'NextToken':'"
	       "abc'}");
	ck_assert_uint_eq(fleet.role_count, 2);
	ck_assert_uint_eq(fleet.machine_count, 1);
	ck_assert_str_eq(left_out(), "left out: element 1 of Reservations: it has no list of Instances\n"
	                             "left out: what follows: NextToken says that this is one page of several\n");
	ck_assert_str_eq(messages(arena, notes.made_right), "Vpcs is passed over: it is not read from here\n");
}
END_TEST

START_TEST(test_described_twice)
{
	IMPORT("{'SecurityGroups':[{'GroupId':'sg-1','GroupName':'b','VpcId':'v'}]}",
	       "{'SecurityGroups':[{'GroupId':'sg-1','GroupName':'a','VpcId':'v'}]}");
	ck_assert_uint_eq(fleet.role_count, 1);
	ck_assert(str_is(fleet.roles[0].name, "a"));
	ck_assert_str_eq(left_out(),
	                 "left out: security group sg-1: it is described twice, with different content; what "
	                 "b.json says counts\n");
}
END_TEST

static const struct {
	const char *text, *message;
} refused[] = {
	{"", "the file holds no JSON"},
	{" \n", "the file holds no JSON"},
	{"{'SecurityGroups':[", "this is no JSON: ']' expected near end of file"},
	{"{'SecurityGroups':[]}}", "this is no JSON: '[' or '{' expected near '}'"},
	{"{'SecurityGroups':[],'SecurityGroups':[]}",
         "this is no JSON: duplicate object key near '\"SecurityGroups\"'"},
	{"{'a\\u0000b':1}", "this is no JSON: NUL byte in object key not supported near '\"a\\u0000b\"'"},
	{"{'a':'\xff'}", "this is no JSON: unable to decode byte 0xff near '\"'"},
	{"\xff\xfe{", "this is no JSON: unable to decode byte 0xff"},
	{"{}", "there is neither SecurityGroups nor Reservations nor NetworkInterfaces in it"},
	{"{'Vpcs':[]}", "there is neither SecurityGroups nor Reservations nor NetworkInterfaces in it"},
	{"[7]", "there is neither SecurityGroups nor Reservations nor NetworkInterfaces in it"},
	{"[]", "the list is empty"},
	{"{'SecurityGroups':{}}", "what it has by the name of a list is no list"},
	{"{'SecurityGroups':null}", "what it has by the name of a list is no list"},
};

START_TEST(test_refused)
{
	ck_assert_str_eq(REFUSED(GROUPS, refused[_i].text),
	                 str_c(arena, str_format(arena, "%s\n", refused[_i].message)));
	ck_assert_uint_eq(fleet.role_count + fleet.machine_count, 0);
}
END_TEST

START_TEST(test_all_faults_at_once)
{
	struct error *errors = try_import((const char *const[]){"{\n'SecurityGroups': [,]}", "[", GROUPS, NULL});

	ck_assert_uint_eq(error_count(errors), 2);
	ck_assert(str_is(errors->place.file, "a.json"));
	ck_assert_uint_eq(errors->place.line, 2);
	ck_assert_uint_eq(errors->place.column, 20);
	ck_assert(str_is(errors->next->place.file, "b.json"));
}
END_TEST

START_TEST(test_deep_nesting)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < 200000; i++)
		buf_char(&buf, '[');
	ck_assert_str_eq(REFUSED(str_c(arena, buf_str(&buf))),
	                 "this is no JSON: maximum parsing depth reached near '['\n");
}
END_TEST

/* In a time that a person waits. */
START_TEST(test_many)
{
	size_t groups = in_full(100000), interfaces = groups / 5;
	struct buf buf = buf_new(arena);

	buf_add(&buf, STR("{'SecurityGroups':["));
	for (size_t i = 0; i < groups; i++)
		buf_format(&buf,
		           "%s{'GroupId':'sg-%zx','GroupName':'%s','VpcId':'v','IpPermissions':[{'IpProtocol':'0'}]}",
		           i > 0 ? "," : "", i, i % 2 == 0 ? "same" : "Same");
	buf_add(&buf, STR("],'Reservations':[{'Instances':[{'InstanceId':'i-1','NetworkInterfaces':["));
	for (size_t i = 0; i < interfaces; i++)
		buf_format(&buf, "%s{'Groups':[{'GroupId':'sg-%zx'}]}", i > 0 ? "," : "", i);
	buf_add(&buf, STR("]}]}]}"));
	ck_assert_str_eq(REFUSED(str_c(arena, buf_str(&buf))), "");
	ck_assert_uint_eq(fleet.role_count, groups + 1);
	ck_assert_uint_eq(error_count(notes.left_out), groups + interfaces);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("aws-machines");
	TCase *c = tcase_create("machines");

	tcase_add_checked_fixture(c, arena_setup, arena_teardown);
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, test_names, 0, (int)(sizeof names / sizeof *names));
	tcase_add_test(c, test_long_names);
	tcase_add_test(c, test_names_alike);
	tcase_add_test(c, test_tags);
	tcase_add_test(c, test_addresses);
	tcase_add_test(c, test_one_interface);
	tcase_add_test(c, test_no_interface);
	tcase_add_test(c, test_interfaces_that_differ);
	tcase_add_test(c, test_all_groups_left_out);
	tcase_add_test(c, test_attached_interfaces);
	tcase_add_test(c, test_interfaces_alone);
	tcase_add_test(c, test_states);
	tcase_add_test(c, test_any_order);
	tcase_add_test(c, test_pages);
	tcase_add_test(c, test_described_twice);
	tcase_add_loop_test(c, test_refused, 0, (int)(sizeof refused / sizeof *refused));
	tcase_add_test(c, test_all_faults_at_once);
	tcase_add_test(c, test_deep_nesting);
	tcase_add_test(c, test_many);
	suite_add_tcase(suite, c);
	return suite_main(suite);
}
