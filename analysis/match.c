/* Compares one packet with the `what` and the interface of a rule, straight from the model: numbers against numbers. It
 * does not go through what the generator made of a rule, so that explain() can be held against the kernel. */
#include "match.h"

static uint8_t type_of(const struct packet_what *what, enum family numbers)
{
	enum icmp_name name = what->icmp_name == ICMP_ANY ? ICMP_ECHO_REQUEST : what->icmp_name;
	uint8_t type = what->icmp_type;
	if (name != ICMP_NUMBER)
		icmp_number(name, numbers, &type);
	return type;
}

struct packet packet_of(const struct packet_what *what, enum family family)
{
	struct packet packet = {
		.family = family,
		.protocol = what->protocol,
		.has_port = what->has_port,
		.port = what->port,
		.interface = what->interface,
	};
	if (what->icmp)
		packet.protocol = family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
	/* A name's number is that of the protocol, also where ICMP travels over the other family. */
	if (packet.protocol == PROTOCOL_ICMP || packet.protocol == PROTOCOL_ICMPV6) {
		packet.icmp_type = type_of(what, packet.protocol == PROTOCOL_ICMP ? FAMILY_4 : FAMILY_6);
		packet.icmp_code = what->icmp_code < 0 ? 0 : (uint8_t)what->icmp_code;
	}
	return packet;
}

bool packet_is_icmp(const struct packet *packet, enum family family)
{
	return packet->family == family && packet->protocol == (family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6);
}

/* IPv6 hides routing, fragment and destination options headers behind the last protocol (SPEC §3). */
static bool is_extension_header(const struct packet *packet)
{
	return packet->family == FAMILY_6 &&
	       (packet->protocol == 43 || packet->protocol == 44 || packet->protocol == 60);
}

static bool ports_cover(const struct port_range *ports, size_t count, const struct packet *packet)
{
	if (!packet->has_port)
		return false;
	for (size_t i = 0; i < count; i++)
		if (ports[i].first <= packet->port && packet->port <= ports[i].last)
			return true;
	return false;
}

static bool service_covers(const struct service *service, const struct packet *packet)
{
	for (size_t i = 0; service != NULL && i < service->count; i++) {
		const struct service_port *port = &service->ports[i];
		if (port->protocol == packet->protocol && ports_cover(port->ports, port->port_count, packet))
			return true;
	}
	return false;
}

static bool icmp_covers(const struct what *what, const struct packet *packet)
{
	if (!packet_is_icmp(packet, packet->family) || !(packet->family == FAMILY_4 ? what->icmp4 : what->icmp6))
		return false;
	if (what->icmp_name == ICMP_ANY)
		return true;
	uint8_t type = what->icmp_type;
	if (what->icmp_name != ICMP_NUMBER && !icmp_number(what->icmp_name, packet->family, &type))
		return false;
	return type == packet->icmp_type && (what->icmp_code < 0 || what->icmp_code == packet->icmp_code);
}

bool what_covers(const struct fleet *fleet, const struct what *what, const struct packet *packet)
{
	switch (what->kind) {
	case WHAT_ALL:
		return true;
	case WHAT_PROTOCOL:
		return what->protocol == packet->protocol && !is_extension_header(packet);
	case WHAT_PORTS:
		return what->protocol == packet->protocol && ports_cover(what->ports, what->port_count, packet);
	case WHAT_SERVICE:
		return service_covers(fleet_service(fleet, what->service), packet);
	case WHAT_ICMP:
		return icmp_covers(what, packet);
	}
	return false;
}

bool interface_covers(struct str rule, struct str packet)
{
	if (rule.n == 0)
		return true;
	if (packet.n == 0)
		return false;
	if (rule.p[rule.n - 1] == '+')
		return str_starts(packet, str_slice(rule, 0, rule.n - 1));
	return str_eq(rule, packet);
}
