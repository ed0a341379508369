/* Numbers of protocols, ports, ICMP types and codes as people say them. */
#include <check.h>

#include "arena_fixture.h"
#include "difference_parts.h"
#include "suite_main.h"

#define CODE(type, code) ((type) * 256 + (code))
#define TYPE(type) CODE(type, 0), CODE(type, 255)

static const struct {
	enum family family;
	unsigned protocol;
	struct numbers ports[3];
	size_t count;
	const char *words;
} cases[] = {
	{FAMILY_4, 6, {{3306, 3306}}, 1, "3306/tcp"},
	{FAMILY_4, 6, {{22, 22}, {80, 90}}, 2, "22,80-90/tcp"},
	{FAMILY_4, 50, {{0, 65535}}, 1, "esp"},
	{FAMILY_4, 1, {{0, 65535}}, 1, "icmpv4"},
	{FAMILY_4, 1, {{TYPE(8)}}, 1, "icmpv4/echo-request"},
	{FAMILY_6, 58, {{TYPE(128)}, {TYPE(8)}}, 2, "icmpv6/echo-request,8"},
	{FAMILY_4, 1, {{CODE(9, 0), CODE(255, 255)}}, 1, "icmpv4/9-255"},
	{FAMILY_4, 1, {{CODE(3, 4), CODE(3, 4)}}, 1, "icmpv4/destination-unreachable/4"},
	{FAMILY_4, 1, {{CODE(9, 1), CODE(9, 3)}}, 1, "icmpv4/9/1-3"},
	{FAMILY_4, 1, {{CODE(0, 0), CODE(3, 3)}, {CODE(3, 5), CODE(7, 255)}, {CODE(9, 0), CODE(255, 255)}}, 3,
         "icmpv4/0-2,destination-unreachable/0-3,destination-unreachable/5-255,4-7,9-255"},
	{FAMILY_4, 1, {{CODE(6, 7), CODE(8, 0)}}, 1, "icmpv4/6/7-255,7,echo-request/0"},
	{FAMILY_4, 1, {{CODE(6, 255), CODE(7, 0)}}, 1, "icmpv4/6/255,7/0"},
	{FAMILY_4, 1, {{CODE(254, 0), CODE(255, 254)}}, 1, "icmpv4/254,255/0-254"},
};

START_TEST(words)
{
	struct numbers protocol = {cases[_i].protocol, cases[_i].protocol}, ports[3];
	struct difference_group group = {
		.protocols = &protocol, .protocol_count = 1, .ports = ports, .port_count = cases[_i].count};

	for (size_t i = 0; i < cases[_i].count; i++)
		ports[i] = cases[_i].ports[i];
	words_what(arena, cases[_i].family, &group);
	ck_assert_msg(str_is(group.what, cases[_i].words), "%.*s, not %s", STR_ARG(group.what), cases[_i].words);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("difference_words");
	TCase *tcase = tcase_create("words");

	tcase_add_checked_fixture(tcase, arena_setup, arena_teardown);
	tcase_add_loop_test(tcase, words, 0, (int)(sizeof cases / sizeof *cases));
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
