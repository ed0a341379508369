/* The vocabulary of the rule language: keywords, protocols, types of ICMP, units, and their look-up. What the words
 * mean is said elsewhere; nothing here asks /etc/protocols, which says ipip is 94, or is missing. */
#include "rule_words.h"

#include <string.h>

#include "fleetwall/buf.h"

#define WORD_MAX WORD_SHOWN_MAX /* longer ones are never compared or shown whole */

const struct word word_actions[] = {
	{"allow", ACTION_ALLOW}, {"deny", ACTION_DENY}, {"reject", ACTION_REJECT}, {NULL, 0},
};

const struct word word_clauses[] = {
	{"from", CLAUSE_FROM},   {"to", CLAUSE_TO},       {"on", CLAUSE_ON},       {"log", CLAUSE_LOG},
	{"limit", CLAUSE_LIMIT}, {"since", CLAUSE_SINCE}, {"until", CLAUSE_UNTIL}, {NULL, 0},
};

const struct word word_units[] = {
	{"second", LIMIT_SECOND}, {"minute", LIMIT_MINUTE}, {"hour", LIMIT_HOUR}, {"day", LIMIT_DAY}, {NULL, 0},
};

const struct word word_protocols[] = {
	{"tcp", PROTOCOL_TCP},   {"udp", PROTOCOL_UDP}, {"udplite", PROTOCOL_UDPLITE}, {"sctp", PROTOCOL_SCTP},
	{"dccp", PROTOCOL_DCCP}, {"gre", PROTOCOL_GRE}, {"esp", PROTOCOL_ESP},         {"ah", PROTOCOL_AH},
	{"ipip", PROTOCOL_IPIP}, {"vrrp", PROTOCOL_VRRP}, {"igmp", PROTOCOL_IGMP},     {NULL, 0},
};

const struct word word_icmp[] = {{"icmp", 46}, {"icmpv4", 4}, {"icmpv6", 6}, {NULL, 0}};

const struct word word_types[] = {
	{"echo-request", ICMP_ECHO_REQUEST},
	{"echo-reply", ICMP_ECHO_REPLY},
	{"destination-unreachable", ICMP_DESTINATION_UNREACHABLE},
	{"time-exceeded", ICMP_TIME_EXCEEDED},
	{"parameter-problem", ICMP_PARAMETER_PROBLEM},
	{NULL, 0},
};

/* The other words of the grammar: they begin nothing but are no names of services either. */
static const struct word others[] = {
	{"all", 0}, {"any", 0}, {"self", 0}, {"role", 0}, {"network", 0}, {"machine", 0}, {NULL, 0},
};

static char folded(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool word_is(struct str s, const char *lower)
{
	size_t i = 0;

	while (i < s.n && lower[i] != '\0' && folded(s.p[i]) == lower[i])
		i++;
	return i == s.n && lower[i] == '\0';
}

bool word_find(const struct word *table, struct str s, int *value)
{
	for (const struct word *word = table; word->text != NULL; word++) {
		if (!word_is(s, word->text))
			continue;
		*value = word->value;
		return true;
	}
	return false;
}

const char *word_of(const struct word *table, int value)
{
	for (const struct word *word = table; word->text != NULL; word++)
		if (word->value == value)
			return word->text;
	return NULL;
}

struct str word_nearest(const struct word *table, const struct word *also, struct str s)
{
	struct str words[32];
	char lower[WORD_MAX];
	size_t count = 0;

	if (s.n > sizeof lower)
		return (struct str){NULL, 0};
	for (size_t i = 0; i < s.n; i++)
		lower[i] = folded(s.p[i]);
	for (const struct word *word = table; word->text != NULL; word++)
		words[count++] = str_of(word->text);
	for (const struct word *word = also; word != NULL && word->text != NULL; word++)
		words[count++] = str_of(word->text);
	return str_nearest((struct str){lower, s.n}, words, count);
}

bool word_reserved(struct str s)
{
	static const struct word *const tables[] = {
		word_actions, word_clauses, word_units, word_protocols, word_icmp, others,
	};
	int value;

	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		if (word_find(tables[i], s, &value))
			return true;
	return false;
}

bool word_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

struct word_shown word_shown(struct str s)
{
	static const char digits[] = "0123456789abcdef";
	struct word_shown shown;
	size_t n = 0;

	for (size_t i = 0; i < s.n && i < WORD_MAX; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= 0x20 && c < 0x7f) {
			shown.text[n++] = (char)c;
			continue;
		}
		shown.text[n++] = '\\';
		shown.text[n++] = 'x';
		shown.text[n++] = digits[c >> 4];
		shown.text[n++] = digits[c & 15];
	}
	memcpy(shown.text + n, s.n > WORD_MAX ? "..." : "", s.n > WORD_MAX ? 4 : 1);
	return shown;
}

/* --- what rule.h offers of it --- */

bool protocol_parse(struct str s, uint8_t *protocol)
{
	uint64_t number;
	int named;

	if (word_find(word_protocols, s, &named)) {
		*protocol = (uint8_t)named;
		return true;
	}
	if (!str_number(s, 255, &number) || s.p[0] == '0')
		return false;
	*protocol = (uint8_t)number;
	return true;
}

void protocol_print(struct buf *buf, uint8_t protocol)
{
	const char *name = word_of(word_protocols, protocol);

	if (protocol == PROTOCOL_ICMP)
		name = "icmpv4";
	else if (protocol == PROTOCOL_ICMPV6)
		name = "icmpv6";
	if (name != NULL)
		buf_add(buf, str_of(name));
	else
		buf_number(buf, protocol);
}

bool protocol_has_ports(uint8_t protocol)
{
	return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_UDPLITE ||
	       protocol == PROTOCOL_SCTP || protocol == PROTOCOL_DCCP;
}

bool icmp_number(enum icmp_name name, enum family family, uint8_t *type)
{
	static const uint8_t numbers[][2] = {
		[ICMP_ECHO_REQUEST] = {8, 128},      [ICMP_ECHO_REPLY] = {0, 129},
		[ICMP_DESTINATION_UNREACHABLE] = {3, 1}, [ICMP_TIME_EXCEEDED] = {11, 3},
		[ICMP_PARAMETER_PROBLEM] = {12, 4},
	};

	if (name < ICMP_ECHO_REQUEST || name > ICMP_PARAMETER_PROBLEM)
		return false;
	*type = numbers[name][family == FAMILY_6];
	return true;
}

struct str icmp_name_str(enum icmp_name name)
{
	return str_of(word_of(word_types, (int)name));
}

bool icmp_name_parse(struct str s, enum icmp_name *name)
{
	int value;

	if (!word_find(word_types, s, &value))
		return false;
	*name = (enum icmp_name)value;
	return true;
}

bool interface_valid(struct str s)
{
	static const char others_allowed[] = "_.@:-";

	if (s.n == 0 || s.n > 15 || (s.n == 1 && s.p[0] == '+'))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = folded(s.p[i]);

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			continue;
		if (c != '\0' && strchr(others_allowed, c) != NULL)
			continue;
		if (c != '+' || i + 1 < s.n)
			return false;
	}
	return true;
}
