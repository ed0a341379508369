/* A packet in the words of a finding: what matters of it is said as iptables spells it. */
#include <check.h>

#include "arena_fixture.h"
#include "fleetwall/verify.h"
#include "suite_main.h"

static struct sample tcp_packet(unsigned flags)
{
	struct sample sample = {.family = FAMILY_4, .state = STATE_NEW, .protocol = 6, .port = 22, .flags = flags};

	sample.needs[FIELD_FLAGS] = true;
	sample.source = sample.destination = (struct addr){.family = FAMILY_4};
	return sample;
}

static const struct {
	unsigned flags;
	const char *words;
} flags[] = {
	{0x02, "new tcp 0.0.0.0 -> 0.0.0.0 port 22 flags SYN"},
	{0x12, "new tcp 0.0.0.0 -> 0.0.0.0 port 22 flags SYN,ACK"},
	{0x29, "new tcp 0.0.0.0 -> 0.0.0.0 port 22 flags FIN,PSH,URG"},
	{0xc4, "new tcp 0.0.0.0 -> 0.0.0.0 port 22 flags RST,ECE,CWR"},
	{0x00, "new tcp 0.0.0.0 -> 0.0.0.0 port 22 without flags"},
};
enum { FLAGS = sizeof flags / sizeof *flags };

START_TEST(flags_are_words)
{
	struct verify_finding finding = {.kind = VERIFY_PACKET, .packet = tcp_packet(flags[_i].flags)};

	ck_assert_str_eq(str_c(arena, verify_packet_str(arena, &finding)), flags[_i].words);
}
END_TEST

START_TEST(flags_that_do_not_matter_are_left_out)
{
	struct verify_finding finding = {.kind = VERIFY_PACKET, .packet = tcp_packet(0x02)};

	finding.packet.needs[FIELD_FLAGS] = false;
	ck_assert_str_eq(str_c(arena, verify_packet_str(arena, &finding)), "new tcp 0.0.0.0 -> 0.0.0.0 port 22");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verify_say");
	TCase *packets = tcase_create("packets");

	tcase_add_checked_fixture(packets, arena_setup, arena_teardown);
	tcase_add_loop_test(packets, flags_are_words, 0, FLAGS);
	tcase_add_test(packets, flags_that_do_not_matter_are_left_out);
	suite_add_tcase(suite, packets);
	return suite_main(suite);
}
