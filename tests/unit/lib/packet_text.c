/* Reads packets of tables; knows the words of packet_text.h and nothing of rules. */
#include "packet_text.h"

#include <check.h>

#include "fleetwall/arena.h"
#include "fleetwall/rule.h"

static const char *const states[] = {
	[STATE_INVALID] = "invalid", [STATE_NEW] = "new",           [STATE_ESTABLISHED] = "established",
	[STATE_RELATED] = "related", [STATE_UNTRACKED] = "untracked"};

static unsigned number(struct str text, unsigned most)
{
	uint64_t value = 0;

	ck_assert_msg(str_number(text, most, &value), "no number: %.*s", STR_ARG(text));
	return (unsigned)value;
}

/* "22/tcp", "icmp/8/0", "gre" */
static void read_what(struct sample *packet, struct str text)
{
	struct str rest = text, first, second = {0}, third = {0};
	uint8_t protocol;

	str_cut(&rest, '/', &first);
	if (rest.p != NULL)
		str_cut(&rest, '/', &second);
	if (rest.p != NULL)
		str_cut(&rest, '/', &third);
	if (str_is(first, "icmp")) {
		packet->protocol = packet->family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
		packet->port = number(second, 255) << 8 | (third.p == NULL ? 0 : number(third, 255));
		return;
	}
	ck_assert_msg(protocol_parse(second.p == NULL ? first : second, &protocol), "%.*s", STR_ARG(text));
	packet->protocol = protocol;
	if (second.p != NULL)
		packet->port = number(first, UINT16_MAX);
}

static bool read_state(struct sample *packet, struct str word)
{
	for (size_t i = 0; i < STATE_COUNT; i++)
		if (str_is(word, states[i])) {
			packet->state = (enum packet_state)i;
			return true;
		}
	return false;
}

static void read_rest(struct arena *arena, struct sample *packet, struct str rest, bool out)
{
	struct str word;

	while (str_cut(&rest, ' ', &word)) {
		if (read_state(packet, word))
			continue;
		if (str_is(word, "if")) {
			packet->conditions = ARENA_NEW(arena, struct str);
			packet->conditions[packet->condition_count++] = rest;
			return;
		}
		if (str_is(word, "on")) {
			str_cut(&rest, ' ', out ? &packet->out : &packet->in);
			continue;
		}
		ck_assert_msg(str_is(word, "sport"), "not understood: %.*s", STR_ARG(word));
		str_cut(&rest, ' ', &word);
		packet->source_port = number(word, UINT16_MAX);
	}
}

struct sample packet_text(struct arena *arena, const char *text, bool out)
{
	struct sample packet = {.state = STATE_NEW, .source_port = 40000};
	struct str rest = str_of(text), word;
	struct addr addr;

	str_cut(&rest, ' ', &word);
	ck_assert_msg(addr_parse(word, &addr), "no address: %s", text);
	packet.family = addr.family;
	packet.source = packet.destination = (struct addr){0, addr.family};
	*(out ? &packet.destination : &packet.source) = addr;
	str_cut(&rest, ' ', &word);
	read_what(&packet, word);
	if (rest.p != NULL)
		read_rest(arena, &packet, rest, out);
	return packet;
}
