/* Lines of a filter table, one by one: what each says, field by field, and what is refused, where and why. What is here
 * was held against iptables-restore(8); tests/live/filter_spelling.c does so again. */
#include <check.h>

#include "arena_fixture.h"
#include "filter_text.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "suite_main.h"

static struct error *read_rule(enum family family, const char *rule, struct filter **filter)
{
	struct str text = str_format(arena, "*filter\n:C - [0:0]\n-A C %s\nCOMMIT\n", rule);

	return filter_read(arena, family, STR("rules"), text, NULL, filter);
}

/* --- what is read --- */

static const struct {
	enum family family;
	const char *rule, *read;
} rules[] = {
	{FAMILY_4, "-j ACCEPT", "-> ACCEPT"},
	{FAMILY_4, "-s 10.1.2.3 -j DROP", "source 10.1.2.3 -> DROP"},
	{FAMILY_4, "-s 10.1.2.3/8 -d 192.0.2.0/255.255.255.0 -j DROP",
         "source 10.0.0.0-10.255.255.255; destination 192.0.2.0-192.0.2.255 -> DROP"},
	{FAMILY_4, "! -s 10/8 ! -d 0.0.0.0/0 -j DROP",
         "!source 10.0.0.0-10.255.255.255; !destination 0.0.0.0-255.255.255.255 -> DROP"},
	{FAMILY_4, "-s ! 10.0.0.0/8 -j DROP", "!source 10.0.0.0-10.255.255.255 -> DROP"},
	{FAMILY_4, "-s 0/0 -j DROP", "-> DROP"},
	{FAMILY_4, "-s 010.0.0.1 -j DROP", "source 8.0.0.1 -> DROP"},
	{FAMILY_4, "-s 10.1 -j DROP", "source 10.1.0.0 -> DROP"},
	{FAMILY_4, "-s 10.0.0.1/255.0.255.0 -j DROP", "always if source 10.0.0.0/255.0.255.0 -> DROP"},
	{FAMILY_6, "-s 2001:db8::1/64 -d ::/0 -j DROP", "source 2001:db8::-2001:db8::ffff:ffff:ffff:ffff -> DROP"},
	{FAMILY_6, "! -d 2001:db8::/ffff:: -j DROP",
         "!destination 2001::-2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff -> DROP"},
	{FAMILY_4, "-i eth0 -j DROP", "in eth0 -> DROP"},
	{FAMILY_4, "! -i eth+ -o + -j DROP", "!in eth+ -> DROP"},
	{FAMILY_4, "! -o + -j DROP", "!out + -> DROP"},
	{FAMILY_4, "-p tcp -j DROP", "protocol 6 -> DROP"},
	{FAMILY_4, "! -p 17 -j DROP", "!protocol 17 -> DROP"},
	{FAMILY_4, "-p ! UDP -j DROP", "!protocol 17 -> DROP"},
	{FAMILY_4, "-p all -j DROP", "-> DROP"},
	{FAMILY_4, "-p 0 -j DROP", "-> DROP"},
	{FAMILY_4, "-m string --algo bm --string \"a b\" --to 65535 -j DROP",
         "always if string string a b algo bm from 0 to 65535 -> DROP"},
	{FAMILY_4, "-p ip -j DROP", "-> DROP"},
	{FAMILY_6, "-p ipv6-icmp -j DROP", "protocol 58 -> DROP"},
	{FAMILY_4, "-p gre -j DROP", "protocol 47 -> DROP"},
	{FAMILY_4, "-f -j DROP", "fragment -> DROP"},
	{FAMILY_4, "! -f -j DROP", "!fragment -> DROP"},
	{FAMILY_4, "-p tcp -m tcp -j DROP", "protocol 6; dport 0-65535 -> DROP"},
	{FAMILY_4, "-p tcp --dport 22 -j ACCEPT", "protocol 6; dport 22 -> ACCEPT"},
	{FAMILY_4, "-p 6 --dport=22 -j ACCEPT", "protocol 6; dport 22 -> ACCEPT"},
	{FAMILY_4, "-p tcp -m tcp --sport 1024: ! --dport 80:90 -j ACCEPT",
         "protocol 6; sport 1024-65535; !dport 80-90 -> ACCEPT"},
	{FAMILY_4, "-p tcp --dport ! 22 -j ACCEPT", "protocol 6; !dport 22 -> ACCEPT"},
	{FAMILY_4, "-p tcp --destination-port :22 -j ACCEPT", "protocol 6; dport 0-22 -> ACCEPT"},
	{FAMILY_4, "-p tcp --dpor ssh -j ACCEPT", "protocol 6; dport 22 -> ACCEPT"},
	{FAMILY_4, "-p tcp --dport 022 -j ACCEPT", "protocol 6; dport 18 -> ACCEPT"},
	{FAMILY_4, "-p udp -m udp --sport 68 --dport 67 -j ACCEPT", "protocol 17; sport 68; dport 67 -> ACCEPT"},
	{FAMILY_4, "-p sctp -m sctp --dport 5060 -j ACCEPT", "protocol 132; dport 5060 -> ACCEPT"},
	{FAMILY_4, "-p dccp -m dccp --dport 7003 --dccp-types REQUEST -j ACCEPT",
         "protocol 33; dport 7003; always if dccp-types REQUEST -> ACCEPT"},
	{FAMILY_4, "-p tcp -m multiport --dports 443,22,80:90,91 -j ACCEPT",
         "protocol 6; dport 22,80-91,443 -> ACCEPT"},
	{FAMILY_4, "-p udp -m multiport ! --sports 53 -j ACCEPT", "protocol 17; !sport 53 -> ACCEPT"},
	{FAMILY_4, "-p udplite -m multiport --ports 5,6 -j ACCEPT", "protocol 136; port 5-6 -> ACCEPT"},
	{FAMILY_4, "-m multiport -p tcp --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14:15 -j ACCEPT",
         "protocol 6; dport 1-15 -> ACCEPT"},
	{FAMILY_4, "-p icmp -m icmp --icmp-type 8 -j ACCEPT", "protocol 1; icmp 2048-2303 -> ACCEPT"},
	{FAMILY_4, "-p icmp --icmp-type 3/4 -j ACCEPT", "protocol 1; icmp 772 -> ACCEPT"},
	{FAMILY_4, "-p icmp --icmp-type port-unreachable -j ACCEPT", "protocol 1; icmp 771 -> ACCEPT"},
	{FAMILY_4, "-p icmp ! --icmp-type ping -j ACCEPT", "protocol 1; !icmp 2048-2303 -> ACCEPT"},
	{FAMILY_4, "-p icmp --icmp-type any -j ACCEPT", "protocol 1; icmp 0-65535 -> ACCEPT"},
	{FAMILY_4, "-p icmp --icmp-type 255 -j ACCEPT", "protocol 1; icmp 0-65535 -> ACCEPT"},
	{FAMILY_6, "-p icmpv6 --icmpv6-type echo-request -j ACCEPT", "protocol 58; icmp 32768-33023 -> ACCEPT"},
	{FAMILY_6, "-p 58 -m icmp6 --icmpv6-type 1/4 -j ACCEPT", "protocol 58; icmp 260 -> ACCEPT"},
	{FAMILY_6, "-p icmpv6 -m icmpv6 --icmpv6-type 255 -j ACCEPT", "protocol 58; icmp 65280-65535 -> ACCEPT"},
	{FAMILY_4, "-p tcp --syn -j ACCEPT", "protocol 6; flags 0x17 0x02 -> ACCEPT"},
	{FAMILY_4, "-p tcp ! --syn --dport 22 -j ACCEPT", "protocol 6; dport 22; !flags 0x17 0x02 -> ACCEPT"},
	{FAMILY_4, "-p tcp --tcp-flags ALL NONE -j ACCEPT", "protocol 6; flags 0x3f 0x00 -> ACCEPT"},
	{FAMILY_4, "-p tcp -m tcp --tcp-flags SYN,ACK SYN,FIN -j ACCEPT", "protocol 6; flags 0x12 0x03 -> ACCEPT"},
	{FAMILY_4, "-p tcp --tcp-option 5 -j ACCEPT", "protocol 6; always if tcp-option 5 -> ACCEPT"},
	{FAMILY_4, "-m state --state EST,re -j ACCEPT", "state 0xc -> ACCEPT"},
	{FAMILY_4, "-m addrtype --dst-type Loc -j ACCEPT", "local addrtype dst LOCAL -> ACCEPT"},
	{FAMILY_4, "-m state --state RELATED,ESTABLISHED -j ACCEPT", "state 0xc -> ACCEPT"},
	{FAMILY_4, "-m conntrack --ctstate new,UNTRACKED,INVALID -j ACCEPT", "state 0x13 -> ACCEPT"},
	{FAMILY_4, "-m conntrack ! --ctstate NEW --ctproto tcp --ctorigsrc 10.0.0.0/8 -j ACCEPT",
         "!state 0x2; always if ctproto 6; always if conntrack ctorigsrc 10.0.0.0/8 -> ACCEPT"},
	{FAMILY_4, "-m conntrack --ctstate DNAT,NEW -j ACCEPT", "always if ctstate NEW,DNAT (or state 0x2) -> ACCEPT"},
	{FAMILY_4, "-m conntrack ! --ctstate SNAT -j ACCEPT", "always !if ctstate SNAT -> ACCEPT"},
	{FAMILY_4, "-m iprange --src-range 10.0.0.1-10.0.0.9 ! --dst-range 192.0.2.7 -j ACCEPT",
         "from 10.0.0.1-10.0.0.9; !to 192.0.2.7 -> ACCEPT"},
	{FAMILY_4, "-m iprange --src-range 10.0.0.9-10.0.0.1 -j ACCEPT", "from none -> ACCEPT"},
	{FAMILY_4, "-m set --match-set office src -j ACCEPT", "set office src -> ACCEPT"},
	{FAMILY_4, "-m set ! --match-set office dst -j ACCEPT", "!set office dst -> ACCEPT"},
	{FAMILY_4, "-m set --match-set pairs src,dst -j ACCEPT", "always if set pairs src,dst -> ACCEPT"},
	{FAMILY_4, "-m set --match-set office src --return-nomatch -j ACCEPT",
         "if set office src return-nomatch -> ACCEPT"},
	{FAMILY_4, "-m comment --comment \"a \\\"b\\\" \\\\ 'c'\" -j ACCEPT", "-> ACCEPT # a \"b\" \\ 'c'"},
	{FAMILY_4, "-m comment --comment x -m comment --comment y -j ACCEPT", "-> ACCEPT # x"},
	{FAMILY_4, "-m comment --comment \"-j DROP\" -j ACCEPT", "-> ACCEPT # -j DROP"},
	{FAMILY_4, "-m addrtype --dst-type LOCAL -j ACCEPT", "local addrtype dst LOCAL -> ACCEPT"},
	{FAMILY_4, "-m addrtype ! --src-type local -j ACCEPT", "!local addrtype src LOCAL -> ACCEPT"},
	{FAMILY_4, "-m addrtype --dst-type MULTICAST,BROADCAST -j ACCEPT",
         "always if addrtype dst BROADCAST,MULTICAST -> ACCEPT"},
	{FAMILY_4, "-m addrtype --dst-type LOCAL --limit-iface-in -j ACCEPT",
         "always if addrtype dst LOCAL limit-iface-in -> ACCEPT"},
	{FAMILY_4, "-p ah -m ah -j ACCEPT", "protocol 51 -> ACCEPT"},
	{FAMILY_6, "-m ah -j ACCEPT", "protocol 51 -> ACCEPT"},
	{FAMILY_4, "-p esp -m esp ! --espspi 5:9 -j ACCEPT", "protocol 50; always !if espspi 5:9 -> ACCEPT"},
	{FAMILY_4, "-m mark --mark 1 -j ACCEPT", "always if mark 0x1 -> ACCEPT"},
	{FAMILY_4, "-m mark ! --mark 0x1/0xff -j ACCEPT", "always !if mark 0x1/0xff -> ACCEPT"},
	{FAMILY_4, "-m connmark --mark 1/0xffffffff -j ACCEPT", "always if connmark mark 0x1 -> ACCEPT"},
	{FAMILY_4, "-m owner --uid-owner 0 ! --gid-owner 5 -j ACCEPT",
         "always if owner uid-owner 0 ! gid-owner 5 -> ACCEPT"},
	{FAMILY_4, "-m physdev --physdev-in eth0 ! --physdev-is-bridged -j ACCEPT",
         "always if physdev-in eth0; always !if physdev-is-bridged -> ACCEPT"},
	{FAMILY_4, "-m mac ! --mac-source 0:1:2:AA:4:5 -j ACCEPT", "always !if mac-source 00:01:02:aa:04:05 -> ACCEPT"},
	{FAMILY_4, "-m pkttype --pkt-type host -j ACCEPT", "always if pkttype unicast -> ACCEPT"},
	{FAMILY_4, "-m length --length 10: -j ACCEPT", "always if length 10:65535 -> ACCEPT"},
	{FAMILY_4, "-m ttl --ttl 5 -j ACCEPT", "always if ttl-eq 5 -> ACCEPT"},
	{FAMILY_6, "-m hl --hl-lt 5 -j ACCEPT", "always if hl-lt 5 -> ACCEPT"},
	{FAMILY_4, "-m dscp --dscp-class EF -j ACCEPT", "always if dscp 46 -> ACCEPT"},
	{FAMILY_4, "-m tos --tos Minimize-Delay -j ACCEPT", "always if tos 0x10/0x3f -> ACCEPT"},
	{FAMILY_4, "-m limit --limit 60/min -j LOG", "if limit 1/sec burst 5 -> pass LOG"},
	{FAMILY_4, "-m limit --limit 7/m --limit-burst 9 -j LOG", "if limit 7/min burst 9 -> pass LOG"},
	{FAMILY_4, "-m limit -j LOG", "if limit 3/hour burst 5 -> pass LOG"},
	{FAMILY_4,
         "-m hashlimit --hashlimit-upto 6/min --hashlimit-burst 6 --hashlimit-mode dstport,srcip --hashlimit-name x -j "
         "LOG",
         "if hashlimit upto 6/min burst 6 srcip,dstport expire 60000 -> pass LOG"},
	{FAMILY_4, "-m hashlimit --hashlimit 60/minute --hashlimit-name y -j LOG",
         "if hashlimit upto 1/sec burst 5 expire 60000 -> pass LOG"},
	{FAMILY_4,
         "-m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 5 --hashlimit-name z --hashlimit-htable-expire 60000 "
         "-j LOG",
         "if hashlimit upto 1/sec burst 5 expire 60000 -> pass LOG"},
	{FAMILY_4,
         "-m hashlimit --hashlimit-above 5/day --hashlimit-burst 1 --hashlimit-name z --hashlimit-srcmask 24 -j LOG",
         "if hashlimit above 5/day burst 1 expire 86400000 srcmask 24 -> pass LOG"},
	{FAMILY_4, "-m hashlimit --hashlimit-above 10kb/s --hashlimit-name z -j LOG",
         "if hashlimit hashlimit-above 10kb/s hashlimit-name z -> pass LOG"},
	{FAMILY_4, "-m recent --name ssh --rcheck --seconds 60 --hitcount 4 -j DROP",
         "if recent rcheck seconds 60 hitcount 4 name ssh mask 255.255.255.255 rsource -> DROP"},
	{FAMILY_4, "-m recent --set -j DROP", "if recent set name DEFAULT mask 255.255.255.255 rsource -> DROP"},
	{FAMILY_4, "-m connlimit ! --connlimit-upto 3 --connlimit-mask 24 -j DROP",
         "if connlimit connlimit-above 3 connlimit-mask 24 connlimit-saddr -> DROP"},
	{FAMILY_4, "-m statistic --mode random --probability 0.5 -j DROP",
         "if statistic mode random probability 1073741824/2147483648 -> DROP"},
	{FAMILY_4, "-m statistic --mode nth --every 3 --packet 1 -j DROP",
         "if statistic mode nth every 3 packet 1 -> DROP"},
	{FAMILY_4, "-m quota --quota 1000 -j DROP", "if quota quota 1000 -> DROP"},
	{FAMILY_4, "-m time --datestop 2026-11-23 -j ACCEPT", "always if time until 2026-11-23T00:00:00Z -> ACCEPT"},
	{FAMILY_4, "-m time --datestart 2026-11-01T10:00 --datestop 2026-11-23T09:59:59 -j ACCEPT",
         "always if time from 2026-11-01T10:00:00Z until 2026-11-23T09:59:59Z -> ACCEPT"},
	{FAMILY_4, "-m time --timestart 8:00 --timestop 17:30:05 --weekdays Mon,2,Fr -j ACCEPT",
         "always if time daily 08:00:00-17:30:05 weekdays Mon,Tue,Fri -> ACCEPT"},
	{FAMILY_4, "-m time ! --weekdays Sat,Sun --kerneltz -j ACCEPT",
         "always if time weekdays Mon,Tue,Wed,Thu,Fri kerneltz -> ACCEPT"},
	{FAMILY_4, "-m time --datestop 2038-01-19T03:14:07 -j ACCEPT", "-> ACCEPT"},
	{FAMILY_4, "-m geoip ! --source-country CN,RU --other \"a b\" -j DROP",
         "if geoip ! --source-country CN,RU --other \"a b\" -> DROP"},
	{FAMILY_4, "-m layer7 --l7proto ftp -p tcp -m tcp --dport 21 -j DROP",
         "protocol 6; if layer7 --l7proto ftp; dport 21 -> DROP"},
	{FAMILY_4, "-m unheard-of -p udp -j DROP", "protocol 17; if unheard-of -> DROP"},
	{FAMILY_4, "-j REJECT", "-> REJECT --reject-with icmp-port-unreachable"},
	{FAMILY_6, "-j REJECT", "-> REJECT --reject-with icmp6-port-unreachable"},
	{FAMILY_4, "-j REJECT --reject-with host-prohib", "-> REJECT --reject-with icmp-host-prohibited"},
	{FAMILY_4, "-p tcp -j REJECT --reject-with tcp-rst", "protocol 6 -> REJECT --reject-with tcp-reset"},
	{FAMILY_6, "-j REJECT --reject-with adm-prohibited", "-> REJECT --reject-with icmp6-adm-prohibited"},
	{FAMILY_4, "-j RETURN", "-> RETURN"},
	{FAMILY_4, "-p tcp", "protocol 6 -> nothing"},
	{FAMILY_4, "-j LOG --log-prefix \"a b: \" --log-level warning --log-uid",
         "-> pass LOG --log-prefix \"a b: \" --log-uid"},
	{FAMILY_4, "-j LOG --log-level debug --log-prefix \"0123456789012345678901234567890\"",
         "-> pass LOG --log-prefix 01234567890123456789012345678 --log-level 7"},
	{FAMILY_4, "-j NFLOG --nflog-group 2 --nflog-prefix x", "-> pass NFLOG --nflog-prefix x --nflog-group 2"},
	{FAMILY_4, "-j MARK --set-mark 0x3/0x5", "-> pass MARK --set-xmark 0x3/0x7"},
	{FAMILY_4, "-j MARK --and-mark 0xf", "-> pass MARK --set-xmark 0x0/0xfffffff0"},
	{FAMILY_4, "-j CONNMARK --restore-mark --mask 0xf",
         "-> pass CONNMARK --restore-mark --nfmask 0xf --ctmask 0xf"},
	{FAMILY_4, "-j SET --add-set seen src --exist", "-> pass SET --add-set seen src --exist"},
	{FAMILY_4, "-j NFQUEUE --queue-num 3", "-> unknown NFQUEUE --queue-num 3"},
	{FAMILY_4, "-j QUEUE", "-> unknown QUEUE"},
	{FAMILY_4, "-p tcp -j TARPIT --honeypot", "protocol 6 -> unknown TARPIT --honeypot"},
	{FAMILY_4, "-p tcp -j REJECT --reject-with tcp-reset -m tcp --dport 5",
         "protocol 6; dport 5 -> REJECT --reject-with tcp-reset"},
	{FAMILY_4, "--source 1.2.3.4 --dst 5.6.7.8 --in-interface lo --protocol udp --jump DROP",
         "source 1.2.3.4; destination 5.6.7.8; in lo; protocol 17 -> DROP"},
	{FAMILY_4, "--dest 1.2.3.4 -j DROP", "destination 1.2.3.4 -> DROP"},
	{FAMILY_4, "-c 12 3456 -j DROP", "-> DROP"},
	{FAMILY_4, "-4 -v -j DROP", "-> DROP"},
};

START_TEST(rule_is_read)
{
	struct filter *filter;
	struct error *error = read_rule(rules[_i].family, rules[_i].rule, &filter);
	struct str text;

	ck_assert_msg(error == NULL, "%s: %.*s", rules[_i].rule, STR_ARG(error != NULL ? error->message : STR("")));
	ck_assert_uint_eq(filter->chain_count, 1);
	ck_assert_uint_eq(filter->chains[0].rule_count, 1);
	ck_assert_uint_eq(filter->chains[0].rules[0].line, 3);
	text = filter_rule_text(arena, filter, &filter->chains[0].rules[0]);
	ck_assert_msg(str_is(text, rules[_i].read), "%s\n  %s\n  %.*s", rules[_i].rule, rules[_i].read, STR_ARG(text));
}
END_TEST

/* --- what is refused --- */

static const struct {
	enum family family;
	const char *rule;
	unsigned column;
	const char *message;
} faults[] = {
	{FAMILY_4, "-s localhost -j DROP", 9, "\"localhost\" is no IPv4 address or prefix"},
	{FAMILY_4, "-s 10.0.0.1/33 -j DROP", 9, "\"10.0.0.1/33\" is no IPv4 address or prefix"},
	{FAMILY_4, "-s 2001:db8::1 -j DROP", 9, "\"2001:db8::1\" is no IPv4 address or prefix"},
	{FAMILY_6, "-s 10.0.0.1 -j DROP", 9, "\"10.0.0.1\" is no IPv6 address or prefix"},
	{FAMILY_4, "-s 256.1.1.1 -j DROP", 9, "\"256.1.1.1\" is no IPv4 address or prefix"},
	{FAMILY_4, "-s 1.2.3.4.5 -j DROP", 9, "\"1.2.3.4.5\" is no IPv4 address or prefix"},
	{FAMILY_4, "-s 1..2 -j DROP", 9, "\"1..2\" is no IPv4 address or prefix"},
	{FAMILY_4, "-s \"\" -j DROP", 9, "\"\" is no IPv4 address or prefix"},
	{FAMILY_4, "-s 1.1.1.1, -j DROP", 9, "\"\" is no IPv4 address or prefix"},
	{FAMILY_4, "! -s 1.1.1.1,2.2.2.2 -j DROP", 11, "! with several addresses"},
	{FAMILY_4, "-s 1.1.1.1,2.2.2.2 ! -d 3.3.3.3 -j DROP", 30, "! with several addresses"},
	{FAMILY_4, "-s 1.1.1.1 -s 2.2.2.2 -j DROP", 17, "-s stands twice"},
	{FAMILY_4, "-s", 6, "-s needs a value"},
	{FAMILY_4, "-i averyverylongname -j DROP", 9, "the name of an interface has 1 to 15 bytes"},
	{FAMILY_4, "-i \"\" -j DROP", 9, "the name of an interface has 1 to 15 bytes"},
	{FAMILY_4, "-i a -i b -j DROP", 11, "-i stands twice"},
	{FAMILY_4, "-p 256 -j DROP", 9, "nobody knows the protocol \"256\" here"},
	{FAMILY_4, "-p nonsense -j DROP", 9, "nobody knows the protocol \"nonsense\" here"},
	{FAMILY_4, "! -p 0 -j DROP", 11, "no packet is of no protocol"},
	{FAMILY_4, "-p tcp -p udp -j DROP", 13, "-p stands twice"},
	{FAMILY_6, "-f -j DROP", 6, "-f is not for IPv6"},
	{FAMILY_4, "--dport 22 -j DROP", 6, "nobody knows the option --dport here"},
	{FAMILY_4, "-p udplite --dport 22 -j DROP", 17, "nobody knows the option --dport here"},
	{FAMILY_4, "-p tcp --dport 65536 -j DROP", 21, "\"65536\" is no port or range of ports"},
	{FAMILY_4, "-p tcp --dport 80:22 -j DROP", 21, "\"80:22\" is no port or range of ports"},
	{FAMILY_4, "-p tcp --dport 22,23 -j DROP", 21, "\"22,23\" is no port or range of ports"},
	{FAMILY_4, "-p tcp --dport nosuchservice -j DROP", 21, "\"nosuchservice\" is no port or range of ports"},
	{FAMILY_4, "-p tcp --dport 22 --dport 23 -j DROP", 24, "--dport stands twice"},
	{FAMILY_4, "-p tcp -m udp --dport 22 -j DROP", 16, "udp needs its protocol"},
	{FAMILY_4, "! -p tcp -m tcp --dport 22 -j DROP", 18, "tcp needs its protocol"},
	{FAMILY_4, "-m multiport --dports 22 -j DROP", 9, "multiport needs its protocol"},
	{FAMILY_4, "-m multiport --dports 22 -p tcp -j DROP", 9, "multiport needs its protocol"},
	{FAMILY_4, "-m rpfilter --invert -j DROP", 9, "rpfilter is for other tables"},
	{FAMILY_4, "-p gre -m multiport --dports 22 -j DROP", 16, "multiport needs its protocol"},
	{FAMILY_4, "-p tcp -m multiport -j DROP", 16, "multiport needs options"},
	{FAMILY_4, "-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 -j DROP", 35,
         "more than 15 ports in one match"},
	{FAMILY_4, "-p tcp -m multiport --dports 90:80 -j DROP", 35, "\"90:80\" is no port or range of ports"},
	{FAMILY_4, "-p tcp -m multiport --dports 80: -j DROP", 35, "\"80:\" is no port or range of ports"},
	{FAMILY_4, "-p tcp -m multiport --dports 1 --sports 2 -j DROP", 37, "multiport has one list"},
	{FAMILY_4, "-p icmp -m icmp -j DROP", 17, "icmp needs options"},
	{FAMILY_4, "-p icmp --icmp-type 256 -j DROP", 26, "\"256\" is no type of ICMP"},
	{FAMILY_4, "-p icmp --icmp-type echo -j DROP", 26, "\"echo\" is short for more than one type of ICMP"},
	{FAMILY_4, "-p icmp --icmp-type 3/256 -j DROP", 26, "\"3/256\" has no code of ICMP behind the slash"},
	{FAMILY_4, "-p icmp -m icmp6 --icmpv6-type 1 -j DROP", 17, "the match icmp6 is one of IPv6"},
	{FAMILY_6, "-p icmpv6 -m icmp --icmp-type 8 -j DROP", 19, "the match icmp is one of IPv4"},
	{FAMILY_4, "-m icmp --icmp-type 8 -j DROP", 9, "icmp needs its protocol"},
	{FAMILY_4, "-p tcp --tcp-flags SYN -j DROP", 32, "\"DROP\" was not expected here"},
	{FAMILY_4, "-p tcp --tcp-flags FOO SYN -j DROP", 25, "no flags of tcp"},
	{FAMILY_4, "-p tcp --syn --tcp-flags ALL SYN -j DROP", 13, "--syn beside --tcp-flags"},
	{FAMILY_4, "-m state --state NEWER -j DROP", 23, "\"NEWER\" is no list of states"},
	{FAMILY_4, "-m state --state SNAT -j DROP", 23, "\"SNAT\" is no list of states"},
	{FAMILY_4, "-m state -j DROP", 9, "state needs options"},
	{FAMILY_4, "-m conntrack --ctorigsrc 2001:db8::1 -j DROP", 31, "\"2001:db8::1\" is no value of --ctorigsrc"},
	{FAMILY_4, "-m iprange --src-range 10.0.0.1-x -j DROP", 29, "\"10.0.0.1-x\" is no range of IPv4 addresses"},
	{FAMILY_4, "-m set --match-set office from -j DROP", 32, "\"from\" is no list of src and dst"},
	{FAMILY_4, "-m set --match-set abcdefghijklmnopqrstuvwxyz0123456789 src -j DROP", 25,
         "the name of a set has 1 to 31 bytes"},
	{FAMILY_4, "-m addrtype -j DROP", 9, "addrtype needs options"},
	{FAMILY_4, "-m addrtype --dst-type NOWHERE -j DROP", 29, "\"NOWHERE\" is no value of --dst-type"},
	{FAMILY_4, "-m mark --mark x -j DROP", 21, "\"x\" is no value of --mark"},
	{FAMILY_4, "-m limit --limit 20000/sec -j DROP", 23, "a rate of more than 10000 in a second"},
	{FAMILY_4, "-m limit --limit 1/fortnight -j DROP", 23, "\"1/fortnight\" is no rate"},
	{FAMILY_4, "-m limit --limit 0/sec -j DROP", 23, "\"0/sec\" is no rate"},
	{FAMILY_4, "-m limit ! --limit 1/sec -j DROP", 17, "--limit can't be negated"},
	{FAMILY_4, "-m hashlimit --hashlimit-upto 1/sec -j DROP", 9,
         "hashlimit needs a --hashlimit-name, without a slash"},
	{FAMILY_4, "-m hashlimit --hashlimit-name x -j DROP", 9,
         "hashlimit needs one of --hashlimit-upto and --hashlimit-above"},
	{FAMILY_4, "-m hashlimit --hashlimit-upto 1/day --hashlimit-name x -j DROP", 9,
         "more than the kernel can count at this rate"},
	{FAMILY_4, "-m hashlimit --hashlimit-upto 1/sec --hashlimit-name x --hashlimit-mode none -j DROP", 78,
         "\"none\" is no mode of hashlimit"},
	{FAMILY_4, "-m hashlimit --hashlimit-upto 1/sec --hashlimit-name x --hashlimit-srcmask 33 -j DROP", 9,
         "a mask of more than 32 bits"},
	{FAMILY_4, "-m time --datestop 2039-01-01 -j DROP", 25, "\"2039-01-01\" is no time that the kernel knows"},
	{FAMILY_4, "-m time --timestart 25:00 -j DROP", 26, "\"25:00\" is no time of day"},
	{FAMILY_4, "-m time --weekdays Foo -j DROP", 25, "\"Foo\" is no day"},
	{FAMILY_4, "-m recent --rcheck --update -j DROP", 9, "recent needs one of --set,rcheck,update,remove"},
	{FAMILY_4, "-m recent --seconds 4 -j DROP", 9, "recent needs one of --set,rcheck,update,remove"},
	{FAMILY_4, "-m connlimit --connlimit-mask 3 -j DROP", 9,
         "connlimit needs one of --connlimit-upto,connlimit-above"},
	{FAMILY_4, "-m statistic --mode random -j DROP", 9, "mode random needs --probability alone"},
	{FAMILY_4, "-m statistic --mode random --probability 1.5 -j DROP", 47, "\"1.5\" is no value of --probability"},
	{FAMILY_4, "-m comment --comment", 17, "--comment needs a value"},
	{FAMILY_4, "-m comment -j DROP", 9, "comment needs options"},
	{FAMILY_4, "-m \"\"", 6, "-m needs the name of a match"},
	{FAMILY_4, "-m", 6, "-m needs the name of a match"},
	{FAMILY_4, "-m hl --hl-eq 1 -j DROP", 9, "the match hl is one of IPv6"},
	{FAMILY_4, "-m unheard-of --dport 5 -p tcp --dport 22 -m tcp --sport 3 -j DROP", 37,
         "--dport may belong to unheard-of, which nobody knows here, or to tcp"},
	{FAMILY_4, "-m tcp -p tcp -m unheard-of --dport 22 -j DROP", 34,
         "--dport may belong to unheard-of, which nobody knows here, or to tcp"},
	{FAMILY_4, "-j NOWHERE", 9, "there is no chain or target NOWHERE"},
	{FAMILY_4, "-j", 6, "-j needs a target"},
	{FAMILY_4, "-j INPUT", 9, "INPUT can't be jumped to"},
	{FAMILY_4, "-g NOWHERE", 9, "there is no chain NOWHERE"},
	{FAMILY_4, "-g DROP", 9, "there is no chain DROP"},
	{FAMILY_4, "-j DROP -j ACCEPT", 14, "a second target"},
	{FAMILY_4, "-g C -j DROP", 11, "a second target"},
	{FAMILY_4, "! -j DROP", 8, "! before a target"},
	{FAMILY_4, "-j DROP --nonsense", 14, "nobody knows the option --nonsense here"},
	{FAMILY_4, "-j DROP extra", 14, "\"extra\" was not expected here"},
	{FAMILY_4, "-j MASQUERADE", 9, "MASQUERADE is for other tables"},
	{FAMILY_4, "-j NOTRACK", 9, "NOTRACK is for other tables"},
	{FAMILY_4, "-p udp -j TCPMSS --set-mss 5", 16, "TCPMSS needs -p tcp"},
	{FAMILY_4, "-j REJECT --reject-with tcp-reset", 30, "tcp-reset is for tcp alone"},
	{FAMILY_4, "-j REJECT --reject-with icmp6-no-route", 30, "IPv4 has no answer \"icmp6-no-route\""},
	{FAMILY_6, "-j REJECT --reject-with icmp-host-unreachable", 30, "IPv6 has no answer \"icmp-host-unreachable\""},
	{FAMILY_4, "-j REJECT --reject-with", 16, "--reject-with needs a value"},
	{FAMILY_4, "-j LOG --log-level 9", 25, "no log level"},
	{FAMILY_4, "-j LOG --log-level warn", 25, "no log level"},
	{FAMILY_4, "-j LOG --log-prefix \"\"", 13, "an empty prefix"},
	{FAMILY_4, "-j MARK", 9, "MARK needs one of --set-xmark,set-mark,and-mark,or-mark,xor-mark"},
	{FAMILY_4, "-j MARK --set-mark 1 --or-mark 2", 9,
         "MARK needs one of --set-xmark,set-mark,and-mark,or-mark,xor-mark"},
	{FAMILY_4, "-t filter -j DROP", 6, "-t can't stand in a rule"},
	{FAMILY_4, "-n -j DROP", 6, "\"-n\" was not expected here"},
	{FAMILY_4, "-p6 -j DROP", 6, "\"-p6\" was not expected here"},
	{FAMILY_4, "!", 6, "nothing stands behind !"},
	{FAMILY_4, "! ! -s 1.1.1.1 -j DROP", 8, "\"!\" was not expected here"},
	{FAMILY_4, "-m comment --comment \"open", 27, "a quotation mark is not closed"},
	{FAMILY_4, "\"a\"b", 6, "\"a\" was not expected here"},
	{FAMILY_4, "-p tcp --s 22 -j DROP", 13, "--s can't stand in a rule"},
};

START_TEST(rule_is_refused)
{
	struct filter *filter;
	struct error *error = read_rule(faults[_i].family, faults[_i].rule, &filter);

	ck_assert_msg(error != NULL, "%s: taken", faults[_i].rule);
	ck_assert_int_eq((int)error->kind, (int)ERROR_INPUT);
	ck_assert_msg(str_is(error->message, faults[_i].message), "%s: %.*s", faults[_i].rule, STR_ARG(error->message));
	ck_assert_msg(error->place.column == faults[_i].column, "%s: column %u", faults[_i].rule, error->place.column);
	ck_assert_uint_eq(error->place.line, 3);
	ck_assert(str_is(error->place.file, "rules"));
	ck_assert_ptr_null(error->next);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("filter_rules");
	TCase *tests = tcase_create("rules");

	tcase_add_checked_fixture(tests, arena_setup, arena_teardown);
	tcase_add_loop_test(tests, rule_is_read, 0, sizeof rules / sizeof *rules);
	tcase_add_loop_test(tests, rule_is_refused, 0, sizeof faults / sizeof *faults);
	suite_add_tcase(suite, tests);
	return suite_main(suite);
}
