/* The bytes of one test packet. Complete enough for conntrack to call it new wherever the protocol lets a packet be
 * that; it opens no socket and knows no namespace. */
#include <assert.h>
#include <string.h>

#include "packets.h"

enum { TCP_SYN = 0x02, SCTP_INIT = 1, DCCP_REQUEST = 0, EXPERIMENT = 253, PROTOCOL_IPV6_TUNNEL = 41 };
enum { NEXT_FRAGMENT = 44, NEXT_NONE = 59 };
#define FRAGMENT_OFFSET 100 /* in 8 bytes */

static void put16(unsigned char *p, unsigned value)
{
	p[0] = (unsigned char)(value >> 8);
	p[1] = (unsigned char)value;
}

static void put32(unsigned char *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value & 0xffff);
}

/* RFC 1071, not yet complemented. */
static uint32_t sum(const unsigned char *p, size_t n, uint32_t from)
{
	for (size_t i = 0; i < n; i++)
		from += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	return from;
}

static unsigned folded(uint32_t total)
{
	while (total >> 16 != 0)
		total = (total & 0xffff) + (total >> 16);
	return ~total & 0xffff;
}

/* With the pseudo header of the family (RFC 793, RFC 8200 §8.1). */
static unsigned transport_sum(const struct probe *probe, uint8_t protocol, const unsigned char *payload, size_t n)
{
	unsigned char bytes[16];
	uint32_t total = protocol + (uint32_t)n;
	size_t width = family_width(probe->source.family) / 8;

	addr_to_bytes(probe->source, bytes);
	total = sum(bytes, width, total);
	addr_to_bytes(probe->destination, bytes);
	total = sum(bytes, width, total);
	return folded(sum(payload, n, total));
}

/* CRC-32C (RFC 9260 appendix A), bit by bit: a few packets need no table. */
static uint32_t crc32c(const unsigned char *p, size_t n)
{
	uint32_t crc = ~(uint32_t)0;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static void put_ports(unsigned char *p, const struct probe *probe, uint32_t number)
{
	put16(p, probe->source_port != 0 ? probe->source_port : 40000 + number % 20000);
	put16(p + 2, probe->port);
}

/* The sequence number is the packet's, so that a reset tells which packet it answers. */
static size_t build_tcp(unsigned char *p, const struct probe *probe, uint32_t number)
{
	put_ports(p, probe, number);
	put32(p + 4, number);
	p[12] = 5 << 4;
	p[13] = probe->tcp_flags != 0 ? probe->tcp_flags : TCP_SYN;
	put16(p + 14, 65535);
	put16(p + 16, transport_sum(probe, probe->protocol, p, 20));
	return 20;
}

/* UDP-Lite's third field is the checksum coverage: the whole of it, which is UDP's length. Its checksum is made with
 * UDP's protocol number, wrongly: so conntrack's udplite_error() checks it, and takes all others for INVALID. */
static size_t build_udp(unsigned char *p, const struct probe *probe, uint32_t number)
{
	unsigned check;

	put_ports(p, probe, number);
	put16(p + 4, 16);
	check = transport_sum(probe, PROTOCOL_UDP, p, 16);
	put16(p + 6, check == 0 ? 0xffff : check);
	return 16;
}

static size_t build_sctp(unsigned char *p, const struct probe *probe, uint32_t number)
{
	uint32_t crc;

	put_ports(p, probe, number);
	p[12] = SCTP_INIT;
	put16(p + 14, 20);
	put32(p + 16, number);
	put32(p + 20, 65535);
	put16(p + 24, 1);
	put16(p + 26, 1);
	put32(p + 28, 1);
	crc = crc32c(p, 32);
	for (int i = 0; i < 4; i++) /* least significant byte first */
		p[8 + i] = (unsigned char)(crc >> 8 * i);
	return 32;
}

/* A DCCP-Request with 48-bit sequence numbers (RFC 4340 §5.1, §5.2). */
static size_t build_dccp(unsigned char *p, const struct probe *probe, uint32_t number)
{
	put_ports(p, probe, number);
	p[4] = 5; /* data offset in words */
	p[8] = DCCP_REQUEST << 1 | 1;
	put32(p + 12, number);
	put16(p + 6, transport_sum(probe, probe->protocol, p, 20));
	return 20;
}

/* An error carries the head of a packet of a flow that nobody knows. */
static size_t build_icmp(unsigned char *p, const struct probe *probe, uint32_t number)
{
	unsigned char *inner = p + 8;

	p[0] = probe->icmp_type;
	p[1] = probe->icmp_code;
	put32(p + 4, number);
	inner[0] = 0x45;
	put16(inner + 2, 28);
	inner[8] = 64;
	inner[9] = PROTOCOL_UDP;
	addr_to_bytes(probe->destination, inner + 12);
	addr_to_bytes(probe->source, inner + 16);
	put16(inner + 10, folded(sum(inner, 20, 0)));
	put16(inner + 20, 5000);
	put16(inner + 22, 5001);
	put16(inner + 24, 8);
	put16(p + 2, folded(sum(p, 36, 0)));
	return 36;
}

static size_t build_icmp6(unsigned char *p, const struct probe *probe, uint32_t number)
{
	unsigned char *inner = p + 8;

	p[0] = probe->icmp_type;
	p[1] = probe->icmp_code;
	put32(p + 4, number);
	inner[0] = 0x60;
	put16(inner + 4, 8);
	inner[6] = PROTOCOL_UDP;
	inner[7] = 64;
	addr_to_bytes(probe->destination, inner + 8);
	addr_to_bytes(probe->source, inner + 24);
	put16(inner + 40, 5000);
	put16(inner + 42, 5001);
	put16(inner + 44, 8);
	put16(p + 2, transport_sum(probe, probe->protocol, p, 56));
	return 56;
}

/* Every other protocol: a head that is well-formed where somebody on the way looks at it. */
static size_t build_other(unsigned char *p, const struct probe *probe, uint32_t number)
{
	put32(p + 4, number);
	p[0] = probe->icmp_type; /* ICMP inside the other family */
	p[1] = probe->icmp_code;
	switch (probe->protocol) {
	case PROTOCOL_IPIP:
		p[0] = 0x45;
		put16(p + 2, 20);
		p[8] = 64;
		p[9] = NEXT_NONE;
		return 20;
	case PROTOCOL_IPV6_TUNNEL:
		p[0] = 0x60;
		p[6] = NEXT_NONE;
		return 40;
	case PROTOCOL_AH:
		p[0] = EXPERIMENT;
		p[1] = 4; /* 24 bytes, in words, less two */
		return 32;
	case PROTOCOL_IGMP:
		p[0] = 0x16;
		put16(p + 2, folded(sum(p, 16, 0)));
		return 16;
	default:
		return 16;
	}
}

static size_t build_payload(unsigned char *p, const struct probe *probe, uint32_t number)
{
	switch (probe->protocol) {
	case PROTOCOL_TCP:
		return build_tcp(p, probe, number);
	case PROTOCOL_UDP:
	case PROTOCOL_UDPLITE:
		return build_udp(p, probe, number);
	case PROTOCOL_SCTP:
		return build_sctp(p, probe, number);
	case PROTOCOL_DCCP:
		return build_dccp(p, probe, number);
	case PROTOCOL_ICMP:
		if (probe->source.family == FAMILY_4)
			return build_icmp(p, probe, number);
		break;
	case PROTOCOL_ICMPV6:
		if (probe->source.family == FAMILY_6)
			return build_icmp6(p, probe, number);
		break;
	}
	return build_other(p, probe, number);
}

static size_t build_ip4(unsigned char *packet, const struct probe *probe, uint32_t number)
{
	size_t size = 20 + build_payload(packet + 20, probe, number);

	packet[0] = 0x45;
	put16(packet + 2, (unsigned)size);
	put16(packet + 4, number);
	if (probe->fragment)
		put16(packet + 6, FRAGMENT_OFFSET);
	packet[8] = 64;
	packet[9] = probe->protocol;
	addr_to_bytes(probe->source, packet + 12);
	addr_to_bytes(probe->destination, packet + 16);
	put16(packet + 10, folded(sum(packet, 20, 0)));
	return size;
}

/* The hop limit is 255 throughout: neighbour discovery needs it, the others don't mind. */
static size_t build_ip6(unsigned char *packet, const struct probe *probe, uint32_t number)
{
	size_t before = probe->fragment ? 8 : 0, size = before + build_payload(packet + 40 + before, probe, number);

	put32(packet, 6u << 28 | number);
	put16(packet + 4, (unsigned)size);
	packet[6] = probe->protocol;
	if (probe->fragment) {
		packet[6] = NEXT_FRAGMENT;
		packet[40] = probe->protocol;
		put16(packet + 42, FRAGMENT_OFFSET << 3);
		put32(packet + 44, number);
	}
	packet[7] = 255;
	addr_to_bytes(probe->source, packet + 8);
	addr_to_bytes(probe->destination, packet + 24);
	return 40 + size;
}

size_t packet_build(unsigned char packet[PACKET_ROOM], const struct probe *probe, uint32_t number)
{
	assert(number > 0 && number <= 0xffff);
	memset(packet, 0, PACKET_ROOM);
	return probe->source.family == FAMILY_4 ? build_ip4(packet, probe, number) : build_ip6(packet, probe, number);
}
