/* Parses the `what` of a rule: all, ports/protocol, a protocol by name or number, icmp with type and code, or a
 * service. Knows what the kernel makes of odd numbers, and refuses those; whether a service exists is not asked here.
 */
#include <string.h>

#include "fleetwall/arena.h"
#include "rule_parser.h"

static const char expected_what[] = "all, ports/protocol, a protocol, icmp or a service";

struct port_list {
	struct port_range *items;
	size_t count, capacity;
};

/* Protocol numbers that are better known as ports: `allow 22` would let XNS in, which nobody meant. */
static const struct {
	uint8_t number;
	bool udp;
} well_known[] = {
	{1, false},   {7, false},   {9, false},   {11, false},  {13, false},  {15, false},  {17, false},  {19, false},
	{20, false},  {21, false},  {22, false},  {23, false},  {25, false},  {37, false},  {43, false},  {49, false},
	{53, true},   {67, true},   {68, true},   {69, true},   {70, false},  {79, false},  {80, false},  {88, false},
	{109, false}, {110, false}, {111, false}, {113, false}, {119, false}, {123, true},  {135, false}, {137, true},
	{138, true},  {139, false}, {143, false}, {161, true},  {162, true},  {177, true},  {179, false}, {194, false},
	{102, false}, {104, false}, {106, false}, {163, false}, {164, false}, {174, false}, {199, false}, {209, false},
	{210, false}, {213, true},
};

static void warn_of_port(struct parser *p, uint8_t number, size_t at)
{
	struct error *warning;

	for (size_t i = 0; p->warnings != NULL && i < sizeof well_known / sizeof well_known[0]; i++) {
		if (well_known[i].number != number)
			continue;
		warning = error_new(ERROR_INPUT, "%u alone is protocol number %u, not port %u", number, number, number);
		warning = error_hint(warning, "write %u/%s for the port", number, well_known[i].udp ? "udp" : "tcp");
		error_collect(p->warnings,
		              error_at(warning, (struct place){.column = (unsigned)at + 1, .text = p->line}));
	}
}

static bool refuse_zero_protocol(struct parser *p, size_t at)
{
	parser_fault(p, at, "protocol 0 is not possible: the kernel reads it as every protocol");
	return parser_hint(p, "write all for every packet");
}

static bool refuse_protocol(struct parser *p, struct str word, size_t at)
{
	parser_fault(p, at, "\"%s\" is no protocol", word_shown(word).text);
	if (parser_near(p, word_nearest(word_protocols, NULL, word)))
		return false;
	return parser_hint(p, "protocols with ports are tcp, udp, udplite, sctp and dccp");
}

/* What stands behind the slash of ports. */
static bool ports_protocol(struct parser *p, struct str word, size_t at, uint8_t *protocol)
{
	int families;

	if (word.n == 0) {
		parser_fault(p, at, "expected a protocol behind \"/\"");
		return parser_hint(p, "for example 80/tcp, without a space");
	}
	if (word_is(word, "0"))
		return refuse_zero_protocol(p, at);
	if (word_find(word_icmp, word, &families)) {
		parser_fault(p, at, "%s has no ports", word_shown(word).text);
		return parser_hint(p, "its types are written behind it: icmp/echo-request");
	}
	if (!protocol_parse(word, protocol))
		return refuse_protocol(p, word, at);
	if (protocol_has_ports(*protocol))
		return true;
	parser_fault(p, at, "the protocol %s has no ports", word_shown(word).text);
	return parser_hint(p, "write %s alone; tcp, udp, udplite, sctp and dccp have ports", word_shown(word).text);
}

/* "80" or "80-90". */
static bool port_range(struct parser *p, struct str part, size_t at, struct port_range *range)
{
	size_t dash = str_find(part, '-');
	unsigned first, last;

	if (!parser_number(p, str_slice(part, 0, dash), at, "port", 0, 65535, &first))
		return false;
	last = first;
	if (dash < part.n &&
	    !parser_number(p, str_slice(part, dash + 1, part.n), at + dash + 1, "port", 0, 65535, &last))
		return false;
	*range = (struct port_range){(uint16_t)first, (uint16_t)last};
	if (first <= last)
		return true;
	parser_fault(p, at, "the port range %u-%u ends before it begins", first, last);
	return parser_hint(p, "write %u-%u", last, first);
}

/* The ports ended without "/protocol"; `from` is where they began. */
static bool refuse_bare_ports(struct parser *p, size_t from)
{
	struct str ports = {p->line.p + from, p->spent - from};
	struct str name = p->token.text;
	uint8_t protocol;

	parser_fault(p, p->spent, "expected \"/\" and a protocol right behind the ports");
	if (p->token.kind == TOKEN_WORD && name.p[0] == '-')
		return parser_hint(p, "no space stands inside a range of ports: 80-90/tcp");
	name = str_slice(name, name.n > 0 && name.p[0] == '/', name.n);
	if (p->token.kind != TOKEN_WORD || !protocol_parse(name, &protocol) || !protocol_has_ports(protocol))
		name = STR("tcp");
	return parser_hint(p, "write %s/%s", word_shown(ports).text, word_shown(name).text);
}

/* Does what stands behind a bare number say that it was meant as a port: "22 tcp", "22 /tcp", "22 - 23/tcp"? */
static bool meant_as_port(const struct token *next)
{
	uint8_t protocol;

	if (next->kind != TOKEN_WORD)
		return false;
	if (next->text.p[0] == '/' || next->text.p[0] == '-')
		return true;
	return !word_digits(next->text) && protocol_parse(next->text, &protocol) && protocol_has_ports(protocol);
}

static bool bare_number(struct parser *p, const struct token *word, struct what *what)
{
	unsigned number;
	uint64_t port;

	if (meant_as_port(&p->token))
		return refuse_bare_ports(p, word->at);
	if (word_is(word->text, "0"))
		return refuse_zero_protocol(p, word->at);
	if (str_number(word->text, 65535, &port) && port > 255) {
		number = (unsigned)port;
		parser_fault(p, word->at, "a number alone is a protocol, and %u is out of range (1 to 255)", number);
		return parser_hint(p, "write %u/tcp for the port", number);
	}
	if (!parser_number(p, word->text, word->at, "protocol", 1, 255, &number))
		return false;
	*what = (struct what){.kind = WHAT_PROTOCOL, .protocol = (uint8_t)number, .icmp_code = -1};
	warn_of_port(p, what->protocol, word->at);
	return true;
}

static bool port_list(struct parser *p, struct what *what)
{
	size_t from = p->token.at;
	struct port_list list = {NULL, 0, 0};
	bool good = true;

	for (;;) {
		struct token word = p->token;
		size_t slash = str_find(word.text, '/');
		struct port_range range;

		lex_next(p);
		if (port_range(p, str_slice(word.text, 0, slash), word.at, &range))
			APPEND(p->arena, &list, range);
		else
			good = false;
		if (slash < word.text.n) {
			struct str protocol = str_slice(word.text, slash + 1, word.text.n);

			good = ports_protocol(p, protocol, word.at + slash + 1, &what->protocol) && good;
			break;
		}
		if (p->token.kind != TOKEN_COMMA)
			return good && refuse_bare_ports(p, from);
		lex_next(p);
		if (p->token.kind != TOKEN_WORD)
			return parser_fault(p, p->token.at, "expected a port behind the comma, not %s",
			                    lex_shown(p).text);
	}
	what->kind = WHAT_PORTS;
	what->ports = list.items;
	what->port_count = list.count;
	return good;
}

/* A word that begins with a digit. */
static bool numbers(struct parser *p, struct what *what)
{
	struct token word = p->token;
	struct parser ahead = *p;

	lex_next(&ahead);
	if (word_digits(word.text) && ahead.token.kind != TOKEN_COMMA) {
		lex_next(p);
		return bare_number(p, &word, what);
	}
	if (!port_list(p, what))
		return false;
	if (p->token.kind != TOKEN_COMMA)
		return true;
	parser_fault(p, p->token.at, "the protocol ends the list of ports");
	return parser_hint(p, "all ports of a rule have one protocol: 80,443/tcp; write a rule for each protocol");
}

/* --- icmp --- */

static bool refuse_type(struct parser *p, struct str word, size_t at)
{
	parser_fault(p, at, "\"%s\" is no icmp type", word_shown(word).text);
	if (parser_near(p, word_nearest(word_types, NULL, word)))
		return false;
	return parser_hint(p, "it is a number from 0 to 254, or echo-request, echo-reply, destination-unreachable, "
	                      "time-exceeded, parameter-problem");
}

static bool icmp_type(struct parser *p, struct str word, size_t at, struct what *what)
{
	unsigned number;

	if (icmp_name_parse(word, &what->icmp_name))
		return true;
	if (word_is(word, "255")) {
		parser_fault(p, at, "the icmp type 255 is not possible: the kernel reads it as every type");
		return parser_hint(p, "leave the type out for every type");
	}
	if (word.n > 0 && !word_digits(word))
		return refuse_type(p, word, at);
	if (!parser_number(p, word, at, "icmp type", 0, 254, &number))
		return false;
	what->icmp_name = ICMP_NUMBER;
	what->icmp_type = (uint8_t)number;
	return true;
}

/* "icmp", "icmp/TYPE", "icmp/TYPE/CODE"; `families` as in word_icmp. */
static bool icmp(struct parser *p, const struct token *word, int families, struct what *what)
{
	size_t slash = str_find(word->text, '/'), second;
	struct str rest = str_slice(word->text, slash + 1, word->text.n);
	size_t at = word->at + slash + 1;
	unsigned code;

	*what = (struct what){.kind = WHAT_ICMP, .icmp4 = families != 6, .icmp6 = families != 4, .icmp_code = -1};
	if (slash == word->text.n)
		return true;
	second = str_find(rest, '/');
	if (!icmp_type(p, str_slice(rest, 0, second), at, what))
		return false;
	if (second == rest.n)
		return true;
	if (!parser_number(p, str_slice(rest, second + 1, rest.n), at + second + 1, "icmp code", 0, 255, &code))
		return false;
	what->icmp_code = (int)code;
	return true;
}

/* --- words --- */

static bool service(struct parser *p, const struct token *word, struct what *what)
{
	if (!parser_check(p, word->at, service_name_check(word->text)))
		return false;
	*what = (struct what){.kind = WHAT_SERVICE, .service = str_lower(p->arena, word->text), .icmp_code = -1};
	return true;
}

/* A word with a slash that is neither ports nor icmp: the two ends may have changed places. */
static bool refuse_slashed(struct parser *p, const struct token *word, size_t slash)
{
	struct str head = str_slice(word->text, 0, slash), tail = str_slice(word->text, slash + 1, word->text.n);
	uint8_t protocol;

	parser_fault(p, word->at, "expected %s, not \"%s\"", expected_what, word_shown(word->text).text);
	if (protocol_parse(head, &protocol) && tail.n > 0 && tail.p[0] >= '0' && tail.p[0] <= '9')
		return parser_hint(p, "ports come first: %s/%s", word_shown(tail).text, word_shown(head).text);
	if (parser_near(p, word_nearest(word_icmp, NULL, head)))
		return false;
	return parser_hint(p, "ports are numbers (3306/tcp), and a service stands alone (mysql)");
}

static bool words(struct parser *p, struct what *what)
{
	struct token word = p->token;
	size_t slash = str_find(word.text, '/');
	uint8_t protocol;
	int families;

	lex_next(p);
	if (word_find(word_icmp, str_slice(word.text, 0, slash), &families))
		return icmp(p, &word, families, what);
	if (slash < word.text.n)
		return refuse_slashed(p, &word, slash);
	if (word_is(word.text, "all")) {
		*what = (struct what){.kind = WHAT_ALL, .icmp_code = -1};
		return true;
	}
	if (protocol_parse(word.text, &protocol)) {
		*what = (struct what){.kind = WHAT_PROTOCOL, .protocol = protocol, .icmp_code = -1};
		return true;
	}
	return service(p, &word, what);
}

/* A word of the language that no `what` begins with: "from", "self", "any", … */
static bool begins_no_what(struct str word)
{
	uint8_t protocol;
	int families;

	return word_reserved(word) && !word_is(word, "all") && !protocol_parse(word, &protocol) &&
	       !word_find(word_icmp, word, &families);
}

/* "allow 10.0.0.0/8": whom, in place of what. */
static bool is_address(const struct token *token)
{
	struct prefix prefix;
	struct str word = token->text;

	return token->kind == TOKEN_WORD && (str_find(word, '.') < word.n || str_find(word, ':') < word.n) &&
	       prefix_parse(word, &prefix) != PREFIX_BAD;
}

static bool refuse_address(struct parser *p)
{
	struct str word = p->token.text;

	parser_fault(p, p->token.at, "expected %s, not the address \"%s\"", expected_what, word_shown(word).text);
	parser_hint(p, "write all from %s, or what is let in from %s: 22/tcp from %s", word_shown(word).text,
	            word_shown(word).text, word_shown(word).text);
	lex_next(p);
	return false;
}

bool parse_what(struct parser *p, struct what *what)
{
	struct str word = p->token.text;

	*what = (struct what){.kind = WHAT_ALL, .icmp_code = -1};
	if (is_address(&p->token))
		return refuse_address(p);
	if (p->token.kind == TOKEN_WORD && word.p[0] >= '0' && word.p[0] <= '9')
		return numbers(p, what);
	if (p->token.kind == TOKEN_WORD && !begins_no_what(word))
		return words(p, what);
	parser_fault(p, p->token.at, "expected %s, not %s", expected_what, lex_shown(p).text);
	return parser_hint(p, "write all for every packet");
}

/* --- alone, without a rule around it --- */

/* Nothing may be left. */
static struct error *what_alone(struct arena *arena, struct str s, struct parser *p, struct what *what)
{
	TRY(lex_start(p, arena, s));
	if (parse_what(p, what) && (p->token.kind != TOKEN_END || p->has_comment))
		parser_fault(p, p->token.at, "expected nothing more behind \"%s\"",
		             word_shown((struct str){p->line.p, p->spent}).text);
	return parser_faults(p);
}

struct error *what_parse(struct arena *arena, struct str s, struct what *what)
{
	struct parser p;

	TRY(what_alone(arena, s, &p, what));
	return rule_what_normalize(arena, what);
}

struct error *what_warning(struct arena *arena, struct str s)
{
	struct error *warnings = NULL, *error;
	struct parser p;
	struct what what;

	error = lex_start(&p, arena, s);
	p.warnings = &warnings;
	return error == NULL && parse_what(&p, &what) ? warnings : NULL;
}

struct error *ports_parse(struct arena *arena, struct str s, uint8_t *protocol, struct port_range **ports,
                          size_t *count)
{
	struct parser p;
	struct what what;

	TRY(what_alone(arena, s, &p, &what));
	if (what.kind != WHAT_PORTS) {
		parser_fault(&p, 0, "expected ports/protocol, not \"%s\"", word_shown(s).text);
		parser_hint(&p, "for example 9200/tcp or 53/udp");
		return parser_faults(&p);
	}
	TRY(rule_what_normalize(arena, &what));
	*protocol = what.protocol;
	*ports = what.ports;
	*count = what.port_count;
	return NULL;
}
