/* Values of options: numbers, ports, addresses with masks, marks, rates and times, as iptables(8) reads them. No name
 * is ever looked up: a protocol or service is known here by a name that means the same number everywhere, or not at
 * all. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "filter_match.h"
#include "fleetwall/buf.h"

/* --- numbers --- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

bool value_number(struct str text, uint64_t max, uint64_t *number)
{
	unsigned base = 10;
	size_t at = 0;

	if (text.n > 2 && text.p[0] == '0' && (text.p[1] == 'x' || text.p[1] == 'X')) {
		base = 16;
		at = 2;
	} else if (text.n > 1 && text.p[0] == '0') {
		base = 8;
		at = 1;
	}
	if (text.n > 1 && text.p[0] == '+') /* strtoul(3) takes it */
		text = str_slice(text, 1, text.n);
	*number = 0;
	for (; at < text.n; at++) {
		unsigned digit = (unsigned)digit_of(text.p[at]);

		if (digit >= base || __builtin_mul_overflow(*number, (uint64_t)base, number) ||
		    __builtin_add_overflow(*number, (uint64_t)digit, number))
			return false;
	}
	return text.n > 0 && *number <= max;
}

/* --- protocols and ports --- */

struct named {
	const char *name;
	unsigned number;
};

static const struct named protocols[] = {
	/* iptables itself knows these; the others it takes from /etc/protocols */
	{"all", 0},
	{"tcp", 6},
	{"udp", 17},
	{"udplite", 136},
	{"icmp", 1},
	{"ipv6-icmp", 58},
	{"icmpv6", 58},
	{"esp", 50},
	{"ah", 51},
	{"sctp", 132},
	{"mobility-header", 135},
	{"ipv6-mh", 135},
	{"mh", 135},
	{"ip", 0},
	{"hopopt", 0},
	{"igmp", 2},
	{"ggp", 3},
	{"ipencap", 4},
	{"st", 5},
	{"egp", 8},
	{"igp", 9},
	{"pup", 12},
	{"hmp", 20},
	{"xns-idp", 22},
	{"rdp", 27},
	{"iso-tp4", 29},
	{"dccp", 33},
	{"xtp", 36},
	{"ddp", 37},
	{"idpr-cmtp", 38},
	{"ipv6", 41},
	{"ipv6-route", 43},
	{"ipv6-frag", 44},
	{"idrp", 45},
	{"rsvp", 46},
	{"gre", 47},
	{"ipv6-nonxt", 59},
	{"ipv6-opts", 60},
	{"rspf", 73},
	{"vmtp", 81},
	{"eigrp", 88},
	{"ospf", 89},
	{"ospfigp", 89},
	{"ax.25", 93},
	{"ipip", 94},
	{"etherip", 97},
	{"encap", 98},
	{"pim", 103},
	{"ipcomp", 108},
	{"vrrp", 112},
	{"l2tp", 115},
	{"isis", 124},
	{"fc", 133},
	{"mpls-in-ip", 137},
	{"manet", 138},
	{"hip", 139},
	{"shim6", 140},
	{"wesp", 141},
	{"rohc", 142},
	{"ethernet", 143},
};

/* The registered ports that every list of services has had for decades. */
static const struct named services[] = {
	{"ftp-data", 20},  {"ftp", 21},        {"ssh", 22},         {"telnet", 23},        {"smtp", 25},
	{"domain", 53},    {"bootps", 67},     {"bootpc", 68},      {"tftp", 69},          {"http", 80},
	{"www", 80},       {"kerberos", 88},   {"pop3", 110},       {"sunrpc", 111},       {"auth", 113},
	{"nntp", 119},     {"ntp", 123},       {"netbios-ns", 137}, {"netbios-dgm", 138},  {"netbios-ssn", 139},
	{"imap2", 143},    {"imap", 143},      {"snmp", 161},       {"snmp-trap", 162},    {"snmptrap", 162},
	{"bgp", 179},      {"ldap", 389},      {"https", 443},      {"microsoft-ds", 445}, {"submission", 587},
	{"ipp", 631},      {"ldaps", 636},     {"domain-s", 853},   {"imaps", 993},        {"pop3s", 995},
	{"openvpn", 1194}, {"radius", 1812},   {"nfs", 2049},       {"mysql", 3306},       {"postgresql", 5432},
	{"mdns", 5353},    {"http-alt", 8080},
};

static bool lookup(const struct named *list, size_t count, struct str name, bool any_case, unsigned *number)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(list[i].name) != name.n ||
		    (any_case ? strncasecmp(list[i].name, name.p, name.n) : memcmp(list[i].name, name.p, name.n)) != 0)
			continue;
		*number = list[i].number;
		return true;
	}
	return false;
}

bool value_protocol(struct str text, unsigned *number)
{
	uint64_t value;

	if (value_number(text, UINT8_MAX, &value)) {
		*number = (unsigned)value;
		return true;
	}
	return lookup(protocols, sizeof protocols / sizeof *protocols, text, true, number);
}

bool value_port(struct str text, unsigned *port)
{
	uint64_t value;

	if (value_number(text, UINT16_MAX, &value)) {
		*port = (unsigned)value;
		return true;
	}
	return lookup(services, sizeof services / sizeof *services, text, false, port);
}

bool value_ports(struct str text, struct numbers *ports)
{
	size_t colon = str_find(text, ':');

	if (colon == text.n) {
		if (!value_port(text, &ports->first))
			return false;
		ports->last = ports->first;
		return true;
	}
	*ports = (struct numbers){0, UINT16_MAX};
	if (colon > 0 && !value_port(str_slice(text, 0, colon), &ports->first))
		return false;
	if (colon + 1 < text.n && !value_port(str_slice(text, colon + 1, text.n), &ports->last))
		return false;
	return ports->first <= ports->last;
}

/* --- addresses --- */

/* "10", "10.1", "10.1.2.3": what is missing is 0. */
static bool dotted(struct str text, addr_bits *bits)
{
	struct str part;
	unsigned parts = 0;
	uint64_t value;

	for (*bits = 0; str_cut(&text, '.', &part); parts++) {
		if (parts == 4 || !value_number(part, UINT8_MAX, &value))
			return false;
		*bits |= (addr_bits)value << (24 - 8 * parts);
	}
	return true;
}

bool value_host(enum family family, struct str text, struct addr *addr)
{
	if (family == FAMILY_6)
		return addr_parse(text, addr) && addr->family == FAMILY_6;
	addr->family = FAMILY_4;
	return dotted(text, &addr->bits);
}

static addr_bits mask_of(enum family family, unsigned length)
{
	addr_bits last = family_last(family);

	return length == 0 ? 0 : last ^ (length == family_width(family) ? 0 : last >> length);
}

static bool mask_read(enum family family, struct str text, struct masked *masked)
{
	uint64_t length;

	masked->mask.family = family;
	if (value_number(text, family_width(family), &length)) {
		masked->mask.bits = mask_of(family, (unsigned)length);
		return true;
	}
	if (family == FAMILY_6)
		return addr_parse(text, &masked->mask) && masked->mask.family == FAMILY_6;
	return str_find(text, '.') < text.n && addr_parse(text, &masked->mask);
}

bool value_address(enum family family, struct str text, struct masked *masked)
{
	size_t slash = str_find(text, '/');
	unsigned width = family_width(family);

	masked->mask = (struct addr){family_last(family), family};
	masked->addr = (struct addr){0, family};
	if (slash < text.n && !mask_read(family, str_slice(text, slash + 1, text.n), masked))
		return false;
	/* what stands before a mask of nothing is not looked at: "any/0" */
	if (masked->mask.bits != 0 && !value_host(family, str_slice(text, 0, slash), &masked->addr))
		return false;
	masked->addr.bits &= masked->mask.bits;
	for (masked->length = 0; masked->length < width; masked->length++)
		if (masked->mask.bits == mask_of(family, masked->length))
			break;
	masked->prefix = masked->mask.bits == mask_of(family, masked->length);
	return true;
}

void masked_print(struct buf *buf, const struct masked *masked)
{
	addr_print(buf, masked->addr);
	if (!masked->prefix) {
		buf_char(buf, '/');
		addr_print(buf, masked->mask);
	} else if (masked->length < family_width(masked->addr.family)) {
		buf_format(buf, "/%u", masked->length);
	}
}

/* --- words of lists --- */

int value_word(const char *list, struct str word)
{
	struct str rest = str_of(list), part;

	for (int i = 0; str_cut(&rest, ',', &part); i++)
		if (part.n == word.n && strncasecmp(part.p, word.p, word.n) == 0)
			return i;
	return -1;
}

int value_beginning(const char *list, struct str word)
{
	struct str rest = str_of(list), part;

	for (int i = 0; str_cut(&rest, ',', &part); i++)
		if (word.n > 0 && part.n >= word.n && strncasecmp(part.p, word.p, word.n) == 0)
			return i;
	return -1;
}

static bool spell_words(struct buf *buf, const char *list, bool beginnings, struct str text)
{
	struct str part, rest = str_of(list);
	uint64_t set = 0;
	bool first = true;

	while (str_cut(&text, ',', &part)) {
		int place = beginnings ? value_beginning(list, part) : value_word(list, part);

		if (place < 0)
			return false;
		set |= (uint64_t)1 << place;
	}
	for (int i = 0; str_cut(&rest, ',', &part); i++) {
		if ((set >> i & 1) == 0)
			continue;
		buf_format(buf, "%s%.*s", first ? "" : ",", STR_ARG(part));
		first = false;
	}
	return true;
}

/* --- spelling --- */

static bool spell_mark(struct buf *buf, struct str text)
{
	size_t slash = str_find(text, '/');
	uint64_t value, mask = UINT32_MAX;

	if (!value_number(str_slice(text, 0, slash), UINT32_MAX, &value) ||
	    (slash < text.n && !value_number(str_slice(text, slash + 1, text.n), UINT32_MAX, &mask)))
		return false;
	buf_format(buf, "0x%x", (unsigned)value);
	if (mask != UINT32_MAX)
		buf_format(buf, "/0x%x", (unsigned)mask);
	return true;
}

static bool spell_numbers(struct buf *buf, uint64_t max, struct str text)
{
	size_t colon = str_find(text, ':');
	uint64_t first = 0, last = max;

	if ((colon > 0 || text.n == 0) && !value_number(str_slice(text, 0, colon), max, &first))
		return false;
	if (colon == text.n)
		last = first;
	else if (colon + 1 < text.n && !value_number(str_slice(text, colon + 1, text.n), max, &last))
		return false;
	buf_number(buf, first);
	if (last != first)
		buf_format(buf, ":%llu", (unsigned long long)last);
	return true; /* the wrong way round is taken, and never matches */
}

static bool spell_ports(struct buf *buf, struct str text)
{
	size_t colon = str_find(text, ':');
	unsigned first = 0, last = UINT16_MAX;

	/* the wrong way round is taken here, and never matches */
	if ((colon > 0 || text.n == 0) && !value_port(str_slice(text, 0, colon), &first))
		return false;
	if (colon == text.n)
		last = first;
	else if (colon + 1 < text.n && !value_port(str_slice(text, colon + 1, text.n), &last))
		return false;
	buf_number(buf, first);
	if (last != first)
		buf_format(buf, ":%u", last);
	return true;
}

static bool spell_rate(struct buf *buf, struct str text)
{
	struct filter_rate rate;

	if (!value_rate(text, &rate))
		return false;
	rate_print(buf, SCALE_LIMIT, rate_period(SCALE_LIMIT, rate.count, rate.seconds));
	return true;
}

static bool spell_mac(struct buf *buf, struct str text)
{
	struct str part;
	unsigned parts = 0;

	for (; str_cut(&text, ':', &part); parts++) {
		if (part.n == 0 || part.n > 2 || digit_of(part.p[0]) > 15 || digit_of(part.p[part.n - 1]) > 15)
			return false;
		buf_format(buf, "%s%02x", parts == 0 ? "" : ":",
		           (part.n == 2 ? digit_of(part.p[0]) * 16 : 0) + digit_of(part.p[part.n - 1]));
	}
	return parts == 6;
}

static bool spell_probability(struct buf *buf, struct str text)
{
	char copy[64], *end;
	double value;

	if (text.n == 0 || text.n >= sizeof copy || (digit_of(text.p[0]) > 9 && text.p[0] != '.'))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	value = strtod(copy, &end);
	buf_format(buf, "%llu/2147483648", (unsigned long long)(value * 2147483648.0 + 0.5));
	return *end == '\0' && value >= 0 && value <= 1;
}

/* "100", "100:" and "100:18446744073709551615" are one. */
static bool spell_from(struct buf *buf, struct str text)
{
	size_t colon = str_find(text, ':');
	uint64_t from, to = UINT64_MAX;

	if (!value_number(str_slice(text, 0, colon), UINT64_MAX, &from) ||
	    (colon + 1 < text.n && !value_number(str_slice(text, colon + 1, text.n), UINT64_MAX, &to)))
		return false;
	buf_number(buf, from);
	if (to != UINT64_MAX)
		buf_format(buf, ":%llu", (unsigned long long)to);
	return true;
}

/* "10.1.8" is 10.1.8.0 to -s, and 10.1.0.8 to these: it must be written out. */
static bool whole_address(enum family family, struct str text)
{
	struct addr addr;

	return addr_parse(str_slice(text, 0, str_find(text, '/')), &addr) && addr.family == family;
}

bool value_spell(struct buf *buf, enum family family, const struct option *option, struct str text)
{
	struct masked masked;
	struct addr addr;
	uint64_t number;

	switch (option->kind) {
	case VALUE_NUMBER:
		if (!value_number(text, option->max, &number))
			return false;
		buf_number(buf, number);
		return true;
	case VALUE_NUMBERS:
		return spell_numbers(buf, option->max, text);
	case VALUE_MARK:
		return spell_mark(buf, text);
	case VALUE_ADDRESS:
		if (!whole_address(family, text) || !value_address(family, text, &masked))
			return false;
		masked_print(buf, &masked);
		return true;
	case VALUE_HOST:
		if (!whole_address(family, text) || !value_host(family, text, &addr))
			return false;
		addr_print(buf, addr);
		return true;
	case VALUE_PORTS:
		return spell_ports(buf, text);
	case VALUE_WORDS:
	case VALUE_BEGINNINGS:
		return spell_words(buf, option->list, option->kind == VALUE_BEGINNINGS, text);
	case VALUE_RATE:
		return spell_rate(buf, text);
	case VALUE_INTERFACE:
		buf_add(buf, text);
		return text.n > 0 && text.n <= 15;
	case VALUE_MAC:
		return spell_mac(buf, text);
	case VALUE_PROBABILITY:
		return spell_probability(buf, text);
	case VALUE_FROM:
		return spell_from(buf, text);
	case VALUE_GROUP:
		if (!spell_mark(buf, text))
			buf_add(buf, text);
		return text.n > 0;
	case VALUE_TEXT:
	case VALUE_NONE:
		break;
	}
	buf_add(buf, text);
	return true;
}

/* --- rates and times --- */

static unsigned unit_seconds(struct str name)
{
	static const struct named units[] = {{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400}};

	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (name.n > 0 && name.n <= strlen(units[i].name) && strncasecmp(units[i].name, name.p, name.n) == 0)
			return units[i].number;
	return 0;
}

bool value_rate(struct str text, struct filter_rate *rate)
{
	size_t slash = str_find(text, '/');

	*rate = (struct filter_rate){.seconds = 1, .burst = 5};
	if (slash < text.n)
		rate->seconds = unit_seconds(str_slice(text, slash + 1, text.n));
	return rate->seconds > 0 && str_number(str_slice(text, 0, slash), UINT32_MAX, &rate->count) && rate->count > 0;
}

/* The next number of `text`, which is cut off with the separator behind it. */
static bool part_of_time(struct str *text, char separator, unsigned max, unsigned *number)
{
	size_t end = str_find(*text, separator);
	uint64_t value;

	if (!str_number(str_slice(*text, 0, end), max, &value))
		return false;
	*number = (unsigned)value;
	*text = str_slice(*text, end + 1, text->n);
	return true;
}

bool value_daytime(struct str text, unsigned *seconds)
{
	unsigned hour, minute, second = 0;

	if (str_find(text, ':') == text.n || !part_of_time(&text, ':', 23, &hour) || text.n == 0 ||
	    !part_of_time(&text, ':', 59, &minute) || (text.n > 0 && !part_of_time(&text, ':', 59, &second)))
		return false;
	*seconds = (hour * 60 + minute) * 60 + second;
	return text.n == 0;
}

bool value_time(struct str text, int64_t *seconds)
{
	unsigned year, month = 1, day = 1, clock[3] = {0};
	size_t t = str_find(text, 'T');
	struct str date = str_slice(text, 0, t), rest = str_slice(text, t + 1, text.n);
	struct tm tm;

	if (!part_of_time(&date, '-', 2038, &year) || year < 1970 ||
	    (date.n > 0 && (!part_of_time(&date, '-', 12, &month) || month == 0)) ||
	    (date.n > 0 && (!part_of_time(&date, '-', 31, &day) || day == 0)) || date.n > 0)
		return false;
	for (size_t i = 0; i < 3 && rest.n > 0; i++)
		if (!part_of_time(&rest, ':', i == 0 ? 23 : 59, &clock[i]))
			return false;
	tm = (struct tm){.tm_year = (int)year - 1900,
	                 .tm_mon = (int)month - 1,
	                 .tm_mday = (int)day,
	                 .tm_hour = (int)clock[0],
	                 .tm_min = (int)clock[1],
	                 .tm_sec = (int)clock[2]};
	*seconds = timegm(&tm);
	return rest.n == 0 && *seconds <= INT32_MAX;
}
