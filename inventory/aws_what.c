/* Which packets a permission speaks of: protocol, ports, ICMP type and code, as AWS means them. Who is at the other end
 * is aws_rules.c. */
#include "aws.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

struct ports_said {
	bool from_given, to_given; /* not absent */
	int64_t from, to;          /* -1 if absent */
	bool wrong;
};

static bool read_port(const json_t *json, bool *given, int64_t *number)
{
	bool valid = foreign_integer(json, number);

	*given = json != NULL && !json_is_null(json);
	if (!valid)
		*number = -1;
	return valid || !*given;
}

static struct ports_said read_ports(const json_t *permission)
{
	struct ports_said said = {0};
	bool from = read_port(json_object_get(permission, "FromPort"), &said.from_given, &said.from);
	bool to = read_port(json_object_get(permission, "ToPort"), &said.to_given, &said.to);

	said.wrong = !from || !to;
	return said;
}

/* NULL, or what is wrong. */
static const char *icmp_what(struct what *what, const struct ports_said *said)
{
	*what = (struct what){.kind = WHAT_ICMP, .icmp4 = what->protocol == PROTOCOL_ICMP, .icmp_code = -1,
	                      .icmp6 = what->protocol == PROTOCOL_ICMPV6};
	if (said->from_given != said->to_given)
		return "it has a type and no code, or a code and no type";
	if (said->from == -1)
		return said->to == -1 ? NULL : "it has a code, and no type";
	if (said->from < 0 || said->from > 254)
		return "there is no such ICMP type";
	if (said->to < -1 || said->to > 255)
		return "there is no such ICMP code";
	what->icmp_name = ICMP_NUMBER;
	what->icmp_type = (uint8_t)said->from;
	what->icmp_code = (int)said->to;
	return NULL;
}

static const char *ports_what(struct arena *arena, struct what *what, const struct ports_said *said)
{
	if (said->from_given != said->to_given)
		return "it has one end of a port range, and not the other";
	if (said->from == -1 && said->to == -1)
		return NULL;
	if (said->from < 0 || said->to > 65535 || said->from > said->to)
		return "it has no valid port range";
	if (said->from == 0 && said->to == 65535)
		return NULL;
	what->kind = WHAT_PORTS;
	what->ports = ARENA_NEW(arena, struct port_range);
	what->ports[0] = (struct port_range){(uint16_t)said->from, (uint16_t)said->to};
	what->port_count = 1;
	return NULL;
}

/* -1, a number or a name; as a string, and as a number in what other programs write. */
static bool read_protocol(const json_t *json, struct what *what)
{
	struct str text = foreign_str(json);
	int64_t number;
	bool is_number = foreign_integer(json, &number);

	*what = (struct what){.kind = WHAT_PROTOCOL, .icmp_code = -1};
	if (str_is(text, "-1") || (is_number && number == -1)) {
		what->kind = WHAT_ALL;
		return true;
	}
	if (is_number && number >= 1 && number <= 255) {
		what->protocol = (uint8_t)number;
		return true;
	}
	if (word_is(text, "icmp"))
		what->protocol = PROTOCOL_ICMP;
	else if (word_is(text, "icmpv6"))
		what->protocol = PROTOCOL_ICMPV6;
	else
		return text.n > 0 && protocol_parse(text, &what->protocol);
	return true;
}

const char *aws_what(struct arena *arena, const json_t *permission, struct what *what, bool *range_ignored)
{
	struct ports_said said = read_ports(permission);

	*range_ignored = false;
	if (!read_protocol(json_object_get(permission, "IpProtocol"), what))
		return "there is no such protocol";
	if (said.wrong)
		return "its ports are no numbers";
	if (what->kind == WHAT_PROTOCOL && (what->protocol == PROTOCOL_ICMP || what->protocol == PROTOCOL_ICMPV6))
		return icmp_what(what, &said);
	if (what->kind == WHAT_PROTOCOL && (what->protocol == PROTOCOL_TCP || what->protocol == PROTOCOL_UDP))
		return ports_what(arena, what, &said);
	*range_ignored = said.from > 0 || (said.to != -1 && said.to != 65535);
	return NULL;
}

struct str aws_what_said(struct arena *arena, const json_t *permission)
{
	const json_t *protocol = json_object_get(permission, "IpProtocol");
	struct ports_said said = read_ports(permission);
	struct buf buf = buf_new(arena);
	int64_t number;

	if (foreign_integer(protocol, &number))
		buf_format(&buf, "%lld", (long long)number);
	else
		buf_format(&buf, "%s", str_is(foreign_str(protocol), "-1") ? "all" : SHOWN(foreign_str(protocol)));
	if (said.from_given && !said.wrong)
		buf_format(&buf, said.to == said.from ? " %lld" : " %lld-%lld", (long long)said.from,
		           (long long)said.to);
	return buf_str(&buf);
}
