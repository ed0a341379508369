/* The words of a question: ends and packets, what is read, what is refused, each refusal with its kind and hint. */
#include <check.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/document.h"
#include "fleetwall/explain.h"

#include "suite_main.h"

static const char document[] =
	"services = ( { name = \"one\"; ports = [ \"700/udp\" ]; }, { name = \"two\"; ports = [ \"701,703/tcp\" ]; },\n"
	"  { name = \"both\"; ports = [ \"53/tcp\", \"53/udp\" ]; }, { name = \"none\"; ports = [ ]; } );\n"
	"machines = ( { name = \"web1.example.org\"; addresses = [ \"10.0.0.1\" ]; }, { name = \"db1.example.org\"; } "
        ");\n";

static struct explainer *explainer;
static struct fleet fleet;
static struct settings settings;

static void set_up(void)
{
	struct error *warnings = NULL;

	ck_assert_ptr_null(document_read(arena, STR("fleet.conf"), STR(document), &fleet, &warnings));
	settings = settings_default();
	explainer = explainer_new(arena, resolve(arena, &fleet), &settings);
}

START_TEST(test_ends)
{
	struct end end;

	ck_assert_ptr_null(end_parse(explainer, STR("192.0.2.1"), &end));
	ck_assert(!end.is_machine && end.addr.family == FAMILY_4);
	ck_assert_ptr_null(end_parse(explainer, STR("2001:DB8::1"), &end));
	ck_assert(!end.is_machine && end.addr.family == FAMILY_6);
	ck_assert_ptr_null(end_parse(explainer, STR("Web1.Example.org"), &end));
	ck_assert(end.is_machine && str_is(fleet.machines[end.machine].name, "web1.example.org"));
}
END_TEST

START_TEST(test_unknown_ends)
{
	struct end end;
	struct error *error = end_parse(explainer, STR("web2.example.org"), &end);

	ck_assert_ptr_nonnull(error);
	ck_assert_int_eq(error->kind, ERROR_UNKNOWN);
	ck_assert(str_is(error->hint, "did you mean web1.example.org?"));
	error = end_parse(explainer, STR("10.0.0.0/8"), &end);
	ck_assert_ptr_nonnull(error);
	ck_assert_int_eq(error->kind, ERROR_UNKNOWN);
	ck_assert_ptr_nonnull(end_parse(explainer, STR(""), &end));
}
END_TEST

/* Nobody has a say where both ends are addresses, even those of machines. */
START_TEST(test_two_addresses)
{
	struct end source, destination;
	struct packet_what what;
	struct verdict verdict;
	struct error *error;

	ck_assert_ptr_null(end_parse(explainer, STR("192.0.2.1"), &source));
	ck_assert_ptr_null(end_parse(explainer, STR("10.0.0.1"), &destination));
	ck_assert_ptr_null(packet_parse(explainer, STR("80/tcp"), &what));
	error = explain(arena, explainer, &source, &destination, &what, &verdict);
	ck_assert_ptr_nonnull(error);
	ck_assert_int_eq(error->kind, ERROR_USAGE);
	ck_assert_uint_gt(error->hint.n, 0);
}
END_TEST

static const struct {
	const char *text;
	struct packet_what what;
} packets[] = {
	{"3306/tcp", {.protocol = PROTOCOL_TCP, .has_port = true, .port = 3306, .icmp_code = -1}},
	{"0/UDP", {.protocol = PROTOCOL_UDP, .has_port = true, .port = 0, .icmp_code = -1}},
	{"65535/dccp", {.protocol = PROTOCOL_DCCP, .has_port = true, .port = 65535, .icmp_code = -1}},
	{"5-5/sctp", {.protocol = PROTOCOL_SCTP, .has_port = true, .port = 5, .icmp_code = -1}},
	{"one", {.protocol = PROTOCOL_UDP, .has_port = true, .port = 700, .icmp_code = -1}},
	{"esp", {.protocol = PROTOCOL_ESP, .icmp_code = -1}},
	{"ipip", {.protocol = PROTOCOL_IPIP, .icmp_code = -1}},
	{"255", {.protocol = 255, .icmp_code = -1}},
	{"icmp", {.icmp = true, .icmp_name = ICMP_ECHO_REQUEST, .icmp_code = -1}},
	{"icmpv4", {.protocol = PROTOCOL_ICMP, .icmp_name = ICMP_ECHO_REQUEST, .icmp_code = -1}},
	{"icmpv6", {.protocol = PROTOCOL_ICMPV6, .icmp_name = ICMP_ECHO_REQUEST, .icmp_code = -1}},
	{"icmp/echo-reply", {.icmp = true, .icmp_name = ICMP_ECHO_REPLY, .icmp_code = -1}},
	{"icmp/8", {.icmp = true, .icmp_name = ICMP_NUMBER, .icmp_type = 8, .icmp_code = -1}},
	{"icmpv4/3/4", {.protocol = PROTOCOL_ICMP, .icmp_name = ICMP_DESTINATION_UNREACHABLE, .icmp_code = 4}},
	{"icmpv6/135", {.protocol = PROTOCOL_ICMPV6, .icmp_name = ICMP_NUMBER, .icmp_type = 135, .icmp_code = -1}},
	{" 22/tcp on eth0.100 ",
         {.protocol = PROTOCOL_TCP, .has_port = true, .port = 22, .icmp_code = -1, .interface = {"eth0.100", 8}}},
};

START_TEST(test_packets)
{
	const struct packet_what *wanted = &packets[_i].what;
	struct packet_what what;

	ck_assert_ptr_null(packet_parse(explainer, str_of(packets[_i].text), &what));
	ck_assert_uint_eq(what.protocol, wanted->protocol);
	ck_assert_int_eq(what.icmp, wanted->icmp);
	ck_assert_int_eq(what.icmp_code, wanted->icmp_code);
	if (wanted->icmp || wanted->icmp_name != ICMP_ANY)
		ck_assert_int_eq(what.icmp_name, wanted->icmp_name);
	if (wanted->icmp_name == ICMP_NUMBER)
		ck_assert_uint_eq(what.icmp_type, wanted->icmp_type);
	ck_assert_int_eq(what.has_port, wanted->has_port);
	ck_assert_uint_eq(what.port, wanted->port);
	ck_assert(str_eq(what.interface, wanted->interface));
}
END_TEST

static const struct {
	const char *text;
	enum error_kind kind;
} refused[] = {
	{"", ERROR_USAGE},
	{"all", ERROR_USAGE},
	{"tcp", ERROR_USAGE},
	{"17", ERROR_USAGE},
	{"80,443/tcp", ERROR_USAGE},
	{"80-81/tcp", ERROR_USAGE},
	{"80/tcp,", ERROR_USAGE},
	{"65536/tcp", ERROR_USAGE},
	{"0", ERROR_USAGE},
	{"256", ERROR_USAGE},
	{"80/esp", ERROR_USAGE},
	{"icmp/255", ERROR_USAGE},
	{"icmp/nonsense", ERROR_USAGE},
	{"two", ERROR_USAGE},
	{"both", ERROR_USAGE},
	{"none", ERROR_USAGE},
	{"onee", ERROR_UNKNOWN},
	{"80/tcp on", ERROR_USAGE},
	{"80/tcp eth0", ERROR_USAGE},
	{"80/tcp on eth+", ERROR_USAGE},
	{"80/tcp on eth0 eth1", ERROR_USAGE},
	{"80/tcp on a/b", ERROR_USAGE},
	{"80/tcp on 1234567890123456", ERROR_USAGE},
};

START_TEST(test_refused)
{
	struct packet_what what;
	struct error *error = packet_parse(explainer, str_of(refused[_i].text), &what);

	ck_assert_msg(error != NULL, "%s", refused[_i].text);
	ck_assert_int_eq(error->kind, refused[_i].kind);
	ck_assert_uint_gt(error->message.n, 0);
}
END_TEST

START_TEST(test_hints)
{
	struct packet_what what;

	ck_assert(str_is(packet_parse(explainer, STR("onee"), &what)->hint, "did you mean one?"));
	ck_assert(str_is(packet_parse(explainer, STR("both"), &what)->hint,
	                 "a packet has one; name a port of 53/tcp 53/udp"));
	ck_assert(str_is(packet_parse(explainer, STR("tcp"), &what)->hint, "name it, as in 443/tcp"));
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof *(table))

int main(void)
{
	Suite *suite = suite_create("question");
	TCase *tests = tcase_create("question");

	tcase_add_checked_fixture(tests, arena_setup, arena_teardown);
	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, test_ends);
	tcase_add_test(tests, test_unknown_ends);
	tcase_add_test(tests, test_two_addresses);
	tcase_add_loop_test(tests, test_packets, 0, COUNT(packets));
	tcase_add_loop_test(tests, test_refused, 0, COUNT(refused));
	tcase_add_test(tests, test_hints);
	suite_add_tcase(suite, tests);
	return suite_main(suite);
}
