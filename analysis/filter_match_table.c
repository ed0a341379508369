/* The matches that are known, with their options: those of iptables 1.8 and of the kernels that it is for. What is in
 * no table is a match that nobody knows. Options stand in the order of iptables-save, which is that of conditions'
 * names. */
#include <string.h>

#include "filter_match.h"

#define FLAG(name_)                              \
	{                                        \
		.name = (name_), .inverts = true \
	}
#define PLAIN(name_)            \
	{                       \
		.name = (name_) \
	}
#define VALUE(name_, kind_)                                                   \
	{                                                                     \
		.name = (name_), .kind = (kind_), .inverts = true, .words = 1 \
	}
#define ONLY(name_, kind_)                                   \
	{                                                    \
		.name = (name_), .kind = (kind_), .words = 1 \
	}
#define NUMBER(name_, max_)                                                                       \
	{                                                                                         \
		.name = (name_), .kind = VALUE_NUMBER, .inverts = true, .words = 1, .max = (max_) \
	}
#define ONLY_NUMBER(name_, max_)                                                 \
	{                                                                        \
		.name = (name_), .kind = VALUE_NUMBER, .words = 1, .max = (max_) \
	}
#define NUMBERS(name_, max_)                                                                       \
	{                                                                                          \
		.name = (name_), .kind = VALUE_NUMBERS, .inverts = true, .words = 1, .max = (max_) \
	}
#define WORDS(name_, list_)                                                                        \
	{                                                                                          \
		.name = (name_), .kind = VALUE_WORDS, .inverts = true, .words = 1, .list = (list_) \
	}
#define BEGINNINGS(name_, list_)                                                                        \
	{                                                                                               \
		.name = (name_), .kind = VALUE_BEGINNINGS, .inverts = true, .words = 1, .list = (list_) \
	}
#define ONLY_WORDS(name_, list_)                                                  \
	{                                                                         \
		.name = (name_), .kind = VALUE_WORDS, .words = 1, .list = (list_) \
	}
#define PAIR(name_)                                          \
	{                                                    \
		.name = (name_), .inverts = true, .words = 2 \
	}
#define SAME(name_, other_)                       \
	{                                         \
		.name = (name_), .same = (other_) \
	}

#define PORTS                                                                                   \
	VALUE("sport", VALUE_PORTS), VALUE("dport", VALUE_PORTS), SAME("source-port", "sport"), \
		SAME("destination-port", "dport")

static const struct option tcp[] = {PORTS, PAIR("tcp-flags"), FLAG("syn"), NUMBER("tcp-option", 255)};
static const struct option udp[] = {PORTS};
static const struct option sctp[] = {PORTS, PAIR("chunk-types")};
#define DCCP_TYPES "REQUEST,RESPONSE,DATA,ACK,DATAACK,CLOSEREQ,CLOSE,RESET,SYNC,SYNCACK,INVALID"
static const struct option dccp[] = {PORTS, WORDS("dccp-types", DCCP_TYPES), NUMBER("dccp-option", 255)};
static const struct option multiport[] = {
	VALUE("sports", VALUE_TEXT),    VALUE("dports", VALUE_TEXT),         VALUE("ports", VALUE_TEXT),
	SAME("source-ports", "sports"), SAME("destination-ports", "dports"),
};
static const struct option icmp[] = {VALUE("icmp-type", VALUE_TEXT)};
static const struct option icmp6[] = {VALUE("icmpv6-type", VALUE_TEXT)};
static const struct option state[] = {VALUE("state", VALUE_TEXT)};
static const struct option conntrack[] = {
	VALUE("ctstate", VALUE_TEXT),
	VALUE("ctproto", VALUE_TEXT),
	VALUE("ctorigsrc", VALUE_ADDRESS),
	VALUE("ctorigdst", VALUE_ADDRESS),
	VALUE("ctreplsrc", VALUE_ADDRESS),
	VALUE("ctrepldst", VALUE_ADDRESS),
	VALUE("ctorigsrcport", VALUE_PORTS),
	VALUE("ctorigdstport", VALUE_PORTS),
	VALUE("ctreplsrcport", VALUE_PORTS),
	VALUE("ctrepldstport", VALUE_PORTS),
	BEGINNINGS("ctstatus", "NONE,EXPECTED,SEEN_REPLY,ASSURED,CONFIRMED"),
	NUMBERS("ctexpire", UINT32_MAX),
	ONLY_WORDS("ctdir", "ORIGINAL,REPLY"),
};
static const struct option iprange[] = {VALUE("src-range", VALUE_TEXT), VALUE("dst-range", VALUE_TEXT)};
static const struct option set[] = {
	PAIR("match-set"),
	PLAIN("return-nomatch"),
	FLAG("update-counters"),
	FLAG("update-subcounters"),
	NUMBER("packets-eq", UINT32_MAX),
	ONLY_NUMBER("packets-lt", UINT32_MAX),
	ONLY_NUMBER("packets-gt", UINT32_MAX),
	NUMBER("bytes-eq", UINT32_MAX),
	ONLY_NUMBER("bytes-lt", UINT32_MAX),
	ONLY_NUMBER("bytes-gt", UINT32_MAX),
	SAME("set", "match-set"),
};
static const struct option comment[] = {ONLY("comment", VALUE_TEXT)};
#define TYPES "UNSPEC,UNICAST,LOCAL,BROADCAST,ANYCAST,MULTICAST,BLACKHOLE,UNREACHABLE,PROHIBIT,THROW,NAT,XRESOLVE"
static const struct option addrtype[] = {
	BEGINNINGS("src-type", TYPES),
	BEGINNINGS("dst-type", TYPES),
	PLAIN("limit-iface-in"),
	PLAIN("limit-iface-out"),
};
static const struct option mac[] = {VALUE("mac-source", VALUE_MAC)};
static const struct option pkttype[] = {VALUE("pkt-type", VALUE_TEXT)};
static const struct option mark[] = {VALUE("mark", VALUE_MARK)};
static const struct option owner[] = {
	VALUE("uid-owner", VALUE_TEXT),
	VALUE("gid-owner", VALUE_TEXT),
	FLAG("socket-exists"),
	PLAIN("suppl-groups"),
};
static const struct option physdev[] = {
	FLAG("physdev-is-in"),      VALUE("physdev-in", VALUE_INTERFACE),
	FLAG("physdev-is-out"),     VALUE("physdev-out", VALUE_INTERFACE),
	FLAG("physdev-is-bridged"),
};
static const struct option times[] = {
	ONLY("timestart", VALUE_TEXT),
	ONLY("timestop", VALUE_TEXT),
	VALUE("monthdays", VALUE_TEXT),
	VALUE("weekdays", VALUE_TEXT),
	ONLY("datestart", VALUE_TEXT),
	ONLY("datestop", VALUE_TEXT),
	PLAIN("contiguous"),
	PLAIN("kerneltz"),
	PLAIN("utc"),
	PLAIN("localtz"),
};
static const struct option limit[] = {ONLY("limit", VALUE_RATE), ONLY_NUMBER("limit-burst", 10000)};
static const struct option hashlimit[] = {
	ONLY("hashlimit-upto", VALUE_TEXT),
	ONLY("hashlimit-above", VALUE_TEXT),
	ONLY("hashlimit-burst", VALUE_TEXT),
	ONLY("hashlimit-mode", VALUE_TEXT),
	ONLY("hashlimit-name", VALUE_TEXT),
	ONLY_NUMBER("hashlimit-htable-size", UINT32_MAX),
	ONLY_NUMBER("hashlimit-htable-max", UINT32_MAX),
	ONLY_NUMBER("hashlimit-htable-gcinterval", UINT32_MAX),
	ONLY_NUMBER("hashlimit-htable-expire", UINT32_MAX),
	ONLY_NUMBER("hashlimit-srcmask", 128),
	ONLY_NUMBER("hashlimit-dstmask", 128),
	PLAIN("hashlimit-rate-match"),
	ONLY_NUMBER("hashlimit-rate-interval", UINT32_MAX),
	SAME("hashlimit", "hashlimit-upto"),
};
static const struct option recent[] = {
	FLAG("set"),
	FLAG("rcheck"),
	FLAG("update"),
	FLAG("remove"),
	ONLY_NUMBER("seconds", UINT32_MAX),
	PLAIN("reap"),
	ONLY_NUMBER("hitcount", UINT32_MAX),
	PLAIN("rttl"),
	ONLY("name", VALUE_TEXT),
	ONLY("mask", VALUE_HOST),
	PLAIN("rsource"),
	PLAIN("rdest"),
};
static const struct option connlimit[] = {
	NUMBER("connlimit-upto", UINT32_MAX),
	NUMBER("connlimit-above", UINT32_MAX),
	ONLY_NUMBER("connlimit-mask", 128),
	PLAIN("connlimit-saddr"),
	PLAIN("connlimit-daddr"),
};
static const struct option statistic[] = {
	ONLY("mode", VALUE_TEXT),
	VALUE("probability", VALUE_PROBABILITY),
	NUMBER("every", UINT32_MAX),
	ONLY_NUMBER("packet", UINT32_MAX),
};
static const struct option quota[] = {NUMBER("quota", UINT32_MAX)};
static const struct option length[] = {NUMBERS("length", UINT16_MAX)};
static const struct option ttl[] = {NUMBER("ttl-eq", 255), ONLY_NUMBER("ttl-lt", 255), ONLY_NUMBER("ttl-gt", 255),
                                    SAME("ttl", "ttl-eq")};
static const struct option hl[] = {NUMBER("hl-eq", 255), ONLY_NUMBER("hl-lt", 255), ONLY_NUMBER("hl-gt", 255),
                                   SAME("hl", "hl-eq")};
static const struct option tos[] = {VALUE("tos", VALUE_TEXT)};
static const struct option dscp[] = {NUMBER("dscp", 63), VALUE("dscp-class", VALUE_TEXT)};
static const struct option string[] = {
	VALUE("string", VALUE_TEXT),     VALUE("hex-string", VALUE_TEXT), ONLY_WORDS("algo", "bm,kmp,fsm"),
	ONLY_NUMBER("from", UINT16_MAX), ONLY_NUMBER("to", UINT16_MAX),   PLAIN("icase"),
};
static const struct option u32[] = {VALUE("u32", VALUE_TEXT)};
static const struct option helper[] = {VALUE("helper", VALUE_TEXT)};
static const struct option connbytes[] = {
	VALUE("connbytes", VALUE_FROM),
	ONLY_WORDS("connbytes-mode", "packets,bytes,avgpkt"),
	ONLY_WORDS("connbytes-dir", "original,reply,both"),
};
static const struct option policy[] = {
	ONLY_WORDS("dir", "in,out"),
	ONLY("pol", VALUE_TEXT),
	PLAIN("strict"),
	VALUE("reqid", VALUE_TEXT),
	VALUE("spi", VALUE_TEXT),
	VALUE("proto", VALUE_TEXT),
	VALUE("mode", VALUE_TEXT),
	VALUE("tunnel-src", VALUE_ADDRESS),
	VALUE("tunnel-dst", VALUE_ADDRESS),
	PLAIN("next"),
};
static const struct option rpfilter[] = {PLAIN("loose"), PLAIN("validmark"), PLAIN("accept-local"), PLAIN("invert")};
static const struct option socket_[] = {PLAIN("transparent"), PLAIN("nowildcard"), PLAIN("restore-skmark")};
static const struct option tcpmss[] = {NUMBERS("mss", UINT16_MAX)};
static const struct option ecn[] = {FLAG("ecn-tcp-cwr"), FLAG("ecn-tcp-ece"), NUMBER("ecn-ip-ect", 3)};
static const struct option cpu[] = {NUMBER("cpu", UINT32_MAX)};
static const struct option cgroup[] = {VALUE("path", VALUE_TEXT), NUMBER("cgroup", UINT32_MAX)};
static const struct option devgroup[] = {VALUE("src-group", VALUE_GROUP), VALUE("dst-group", VALUE_GROUP)};
static const struct option realm[] = {VALUE("realm", VALUE_GROUP)};
static const struct option ah[] = {NUMBERS("ahspi", UINT32_MAX)};
static const struct option ah6[] = {NUMBERS("ahspi", UINT32_MAX), NUMBER("ahlen", UINT32_MAX), PLAIN("ahres")};
static const struct option esp[] = {NUMBERS("espspi", UINT32_MAX)};
static const struct option ipcomp[] = {NUMBERS("ipcompspi", UINT32_MAX), PLAIN("compres")};
static const struct option cluster[] = {
	ONLY_NUMBER("cluster-total-nodes", UINT32_MAX),
	NUMBER("cluster-local-node", UINT32_MAX),
	NUMBER("cluster-local-nodemask", UINT32_MAX),
	ONLY_NUMBER("cluster-hash-seed", UINT32_MAX),
};
static const struct option bpf[] = {ONLY("bytecode", VALUE_TEXT), ONLY("object-pinned", VALUE_TEXT)};
static const struct option connlabel[] = {VALUE("label", VALUE_TEXT), PLAIN("set")};
static const struct option nfacct[] = {ONLY("nfacct-name", VALUE_TEXT)};
static const struct option osf[] = {VALUE("genre", VALUE_TEXT), ONLY_NUMBER("ttl", 2), ONLY_NUMBER("log", 2)};
static const struct option frag[] = {
	NUMBERS("fragid", UINT32_MAX),
	NUMBER("fraglen", UINT32_MAX),
	PLAIN("fragres"),
	PLAIN("fragfirst"),
	PLAIN("fragmore"),
	PLAIN("fraglast"),
};
static const struct option hbh[] = {NUMBER("hbh-len", UINT32_MAX), ONLY("hbh-opts", VALUE_TEXT)};
static const struct option dst[] = {NUMBER("dst-len", UINT32_MAX), ONLY("dst-opts", VALUE_TEXT)};
static const struct option rt[] = {
	NUMBER("rt-type", UINT32_MAX),  NUMBERS("rt-segsleft", UINT32_MAX),
	NUMBER("rt-len", UINT32_MAX),   PLAIN("rt-0-res"),
	ONLY("rt-0-addrs", VALUE_TEXT), PLAIN("rt-0-not-strict"),
};
static const struct option ipv6header[] = {VALUE("header", VALUE_TEXT), PLAIN("soft")};
static const struct option mh[] = {VALUE("mh-type", VALUE_TEXT)};

#define OPTIONS(list_) .options = (list_), .count = sizeof(list_) / sizeof *(list_)

static const struct extension matches[] = {
	{"tcp", .families = BOTH, .bare = true, .protocol = 6, .build = build_ports, OPTIONS(tcp)},
	{"udp", .families = BOTH, .bare = true, .protocol = 17, .build = build_ports, OPTIONS(udp)},
	{"sctp", .families = BOTH, .bare = true, .protocol = 132, .build = build_ports, OPTIONS(sctp)},
	{"dccp", .families = BOTH, .bare = true, .protocol = 33, .build = build_ports, OPTIONS(dccp)},
	{"multiport", .families = BOTH, .protocol = -1, .build = build_multiport, OPTIONS(multiport)},
	{"icmp", .families = ONLY_4, .protocol = 1, .build = build_icmp, OPTIONS(icmp)},
	{"icmp6", .families = ONLY_6, .protocol = 58, .build = build_icmp, OPTIONS(icmp6)},
	{"icmpv6", .families = ONLY_6, .protocol = 58, .build = build_icmp, OPTIONS(icmp6)},
	{"ipv6-icmp", .families = ONLY_6, .protocol = 58, .build = build_icmp, OPTIONS(icmp6)},
	{"state", .families = BOTH, .build = build_state, OPTIONS(state)},
	{"conntrack", .families = BOTH, .build = build_conntrack, OPTIONS(conntrack)},
	{"iprange", .families = BOTH, .build = build_iprange, OPTIONS(iprange)},
	{"set", .families = BOTH, .build = build_set, OPTIONS(set)},
	{"comment", .families = BOTH, .build = build_comment, OPTIONS(comment)},
	{"addrtype", .families = BOTH, .build = build_addrtype, OPTIONS(addrtype)},
	{"ah", .families = ONLY_4, .bare = true, .protocol = 51, .build = build_header, OPTIONS(ah)},
	{"ah", .families = ONLY_6, .bare = true, .build = build_header, OPTIONS(ah6)},
	{"esp", .families = BOTH, .bare = true, .protocol = 50, .build = build_header, OPTIONS(esp)},
	{"limit", .families = BOTH, .bare = true, .build = build_limit, OPTIONS(limit)},
	{"hashlimit", .families = BOTH, .build = build_hashlimit, OPTIONS(hashlimit)},
	{"time", .families = BOTH, .bare = true, .build = build_time, OPTIONS(times)},
	/* conditions that stay what they are for one packet */
	{"mac", .families = BOTH, .apart = true, .steady = true, .hooks = HOOK_OUTPUT, OPTIONS(mac)},
	{"pkttype", .families = BOTH, .apart = true, .steady = true, .build = build_pkttype, OPTIONS(pkttype)},
	{"mark", .families = BOTH, .apart = true, .steady = true, OPTIONS(mark)},
	{"connmark", .families = BOTH, .apart = true, .steady = true, OPTIONS(mark)},
	{"owner", .families = BOTH, .steady = true, .hooks = HOOK_INPUT | HOOK_FORWARD, OPTIONS(owner)},
	{"physdev", .families = BOTH, .apart = true, .steady = true, OPTIONS(physdev)},
	{"length", .families = BOTH, .apart = true, .steady = true, OPTIONS(length)},
	{"ttl", .families = ONLY_4, .apart = true, .steady = true, .one_of = "ttl-eq,ttl-lt,ttl-gt", OPTIONS(ttl)},
	{"hl", .families = ONLY_6, .apart = true, .steady = true, .one_of = "hl-eq,hl-lt,hl-gt", OPTIONS(hl)},
	{"tos", .families = BOTH, .apart = true, .steady = true, .build = build_tos, OPTIONS(tos)},
	{"dscp", .families = BOTH, .apart = true, .steady = true, .one_of = "dscp,dscp-class", .build = build_dscp,
         OPTIONS(dscp)},
	{"string", .families = BOTH, .steady = true, .needs = "algo", .one_of = "string,hex-string",
         .build = build_string, OPTIONS(string)},
	{"u32", .families = BOTH, .apart = true, .steady = true, OPTIONS(u32)},
	{"helper", .families = BOTH, .apart = true, .steady = true, OPTIONS(helper)},
	{"policy", .families = BOTH, .steady = true, .needs = "dir,pol", .build = build_policy, OPTIONS(policy)},
	{"rpfilter", .families = BOTH, .bare = true, .steady = true, .hooks = HOOKS_ALL, OPTIONS(rpfilter)},
	{"socket", .families = BOTH, .bare = true, .steady = true, .hooks = HOOK_FORWARD | HOOK_OUTPUT,
         OPTIONS(socket_)},
	{"tcpmss", .families = BOTH, .apart = true, .steady = true, .protocol = 6, OPTIONS(tcpmss)},
	{"ecn", .families = BOTH, .apart = true, .steady = true, .build = build_ecn, OPTIONS(ecn)},
	{"cpu", .families = BOTH, .apart = true, .steady = true, OPTIONS(cpu)},
	{"cgroup", .families = BOTH, .apart = true, .steady = true, OPTIONS(cgroup)},
	{"devgroup", .families = BOTH, .apart = true, .steady = true, OPTIONS(devgroup)},
	{"realm", .families = ONLY_4, .apart = true, .steady = true, OPTIONS(realm)},
	{"ipcomp", .families = BOTH, .bare = true, .apart = true, .steady = true, .protocol = 108, OPTIONS(ipcomp)},
	{"cluster", .families = BOTH, .steady = true, OPTIONS(cluster)},
	{"bpf", .families = BOTH, .steady = true, OPTIONS(bpf)},
	{"osf", .families = BOTH, .steady = true, .protocol = 6, OPTIONS(osf)},
	{"frag", .families = ONLY_6, .bare = true, .steady = true, OPTIONS(frag)},
	{"hbh", .families = ONLY_6, .bare = true, .steady = true, OPTIONS(hbh)},
	{"dst", .families = ONLY_6, .bare = true, .steady = true, OPTIONS(dst)},
	{"rt", .families = ONLY_6, .bare = true, .steady = true, OPTIONS(rt)},
	{"ipv6header", .families = ONLY_6, .steady = true, OPTIONS(ipv6header)},
	{"mh", .families = ONLY_6, .bare = true, .apart = true, .steady = true, .protocol = 135, OPTIONS(mh)},
	{"eui64", .families = ONLY_6, .bare = true, .steady = true, .hooks = HOOK_OUTPUT},
	/* conditions that may be otherwise the next time that they are asked */
	{"recent", .families = BOTH, .one_of = "set,rcheck,update,remove", .build = build_recent, OPTIONS(recent)},
	{"connlimit", .families = BOTH, .one_of = "connlimit-upto,connlimit-above", .build = build_connlimit,
         OPTIONS(connlimit)},
	{"statistic", .families = BOTH, .needs = "mode", .build = build_statistic, OPTIONS(statistic)},
	{"quota", .families = BOTH, OPTIONS(quota)},
	{"connbytes", .families = BOTH, .needs = "connbytes,connbytes-mode,connbytes-dir", OPTIONS(connbytes)},
	{"connlabel", .families = BOTH, OPTIONS(connlabel)},
	{"nfacct", .families = BOTH, OPTIONS(nfacct)},
};

const struct extension *extension_match(struct str name, enum family family)
{
	unsigned bit = family == FAMILY_4 ? ONLY_4 : ONLY_6;

	for (size_t i = 0; i < sizeof matches / sizeof *matches; i++)
		if ((matches[i].families & bit) != 0 && name.n > 0 && matches[i].name[0] == name.p[0] &&
		    str_is(name, matches[i].name))
			return &matches[i];
	return NULL;
}

const struct extension *extension_of_protocol(unsigned protocol, enum family family)
{
	static const struct {
		unsigned number;
		const char *name;
	} names[] = {{1, "icmp"}, {6, "tcp"},    {17, "udp"},   {33, "dccp"}, {50, "esp"},
	             {51, "ah"},  {58, "icmp6"}, {132, "sctp"}, {135, "mh"}};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].number == protocol)
			return extension_match(str_of(names[i].name), family);
	return NULL;
}
