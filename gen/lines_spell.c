/* How iptables-save spells rates, prefixes and protocols. Measured against iptables 1.8.9 on both backends:
 * tests/live/spelling.sh. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/digest.h"
#include "lines.h"

/* By enum limit_unit; `parts`: how many of the next smaller unit. */
static const struct {
	const char *name;
	unsigned parts, milliseconds;
} units[] = {
	[LIMIT_SECOND] = {"sec", 0, 1000},
	[LIMIT_MINUTE] = {"min", 60, 60 * 1000},
	[LIMIT_HOUR] = {"hour", 60, 60 * 60 * 1000},
	[LIMIT_DAY] = {"day", 24, 24 * 60 * 60 * 1000},
};

struct rate rate_spell(struct arena *arena, unsigned limit, enum limit_unit unit)
{
	struct rate rate = {.burst = limit < 5 ? limit : 5};
	enum limit_unit said = unit;

	while (unit > LIMIT_SECOND && limit % units[unit].parts == 0)
		limit /= units[unit--].parts;
	rate.number = str_format(arena, "%u/%s", limit, units[unit].name);
	if (unit != said)
		rate.expire = str_format(arena, "%u", units[said].milliseconds);
	return rate;
}

struct rate rate_of_logs(struct arena *arena, const struct settings *settings)
{
	unsigned number = settings->log_rate > 0 ? settings->log_rate : settings_default().log_rate;

	return rate_spell(arena, number, LIMIT_MINUTE);
}

struct str rate_name(struct arena *arena, struct str owner, const struct rate *rate, struct str mode)
{
	struct str parameters = str_format(arena, "%.*s %u %.*s %.*s", STR_ARG(rate->number), rate->burst,
	                                   STR_ARG(mode), STR_ARG(rate->expire));
	struct digest digest = digest_of(parameters);
	char hex[65];

	digest_hex(&digest, hex);
	return str_format(arena, "%.*s-%.8s", STR_ARG(owner), hex);
}

struct str prefix_spell(struct arena *arena, struct prefix prefix)
{
	struct buf buf = buf_new(arena);

	if (prefix.length > 0) {
		addr_print(&buf, prefix.addr);
		buf_char(&buf, '/');
		buf_number(&buf, prefix.length);
	}
	return buf_str(&buf);
}

struct str protocol_spell(struct arena *arena, uint8_t protocol)
{
	switch (protocol) {
	case 0:
		return STR("");
	case PROTOCOL_TCP:
		return STR("tcp");
	case PROTOCOL_UDP:
		return STR("udp");
	case PROTOCOL_UDPLITE:
		return STR("udplite");
	case PROTOCOL_SCTP:
		return STR("sctp");
	case PROTOCOL_ICMP:
		return STR("icmp");
	case PROTOCOL_ICMPV6:
		return STR("ipv6-icmp");
	case PROTOCOL_ESP:
		return STR("esp");
	case PROTOCOL_AH:
		return STR("ah");
	default:
		return str_format(arena, "%u", protocol);
	}
}
