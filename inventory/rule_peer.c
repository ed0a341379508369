/* Parses the peers of a rule: all or any, addresses, prefixes, ranges, octets, self, and the names of roles, networks
 * and machines. Looks no name up, neither in the inventory nor in the DNS. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "rule_parser.h"

struct peer_list {
	struct peer *items;
	size_t count, capacity;
};

static const char expected_peer[] = "any, an address, a prefix, a range, self, role:NAME, network:NAME or machine:NAME";

static struct error *no_peer(struct str word)
{
	return error_new(ERROR_INPUT, "expected %s, not \"%s\"", expected_peer, word_shown(word).text);
}

static bool literal(struct peer *peer, struct range range)
{
	*peer = (struct peer){.kind = PEER_LITERAL, .literal = range};
	return true;
}

/* "10.*.*.*": numbers, then stars, four in all. */
static bool octets(struct parser *p, struct str word, size_t at, struct peer *peer)
{
	struct range range = {0, 0, FAMILY_4};
	struct str rest = word, part;
	unsigned count = 0, numbers = 0;
	uint64_t number;

	while (str_cut(&rest, '.', &part) && count < 5) {
		bool star = str_is(part, "*");

		if (!star && (!str_number(part, 255, &number) || (part.n > 1 && part.p[0] == '0') || numbers < count))
			break;
		numbers += !star;
		range.first = range.first << 8 | (star ? 0 : number);
		range.last = range.last << 8 | (star ? 255 : number);
		count++;
	}
	if (count == 4 && rest.p == NULL)
		return literal(peer, range);
	parser_fault(p, at, error_hint(error_new(ERROR_INPUT, "\"%s\" is no address with stars", word_shown(word).text),
	                               "four parts, numbers from 0 to 255 first, stars only at the end: 10.*.*.*"));
	return false;
}

static bool range_end(struct parser *p, struct str word, size_t at, struct addr *addr)
{
	struct error *error;

	if (addr_parse(word, addr))
		return true;
	if (word.n == 0)
		error = error_new(ERROR_INPUT, "expected an address on both sides of \"-\"");
	else
		error = error_new(ERROR_INPUT, "expected an address, not \"%s\"", word_shown(word).text);
	parser_fault(p, at, error_hint(error, "a range is FIRST-LAST, without spaces: 10.0.0.1-10.0.0.9"));
	return false;
}

/* "10.0.0.1-10.0.0.9". */
static bool range(struct parser *p, struct str word, size_t at, struct peer *peer)
{
	size_t dash = str_find(word, '-');
	struct addr first, last;

	if (!range_end(p, str_slice(word, 0, dash), at, &first) ||
	    !range_end(p, str_slice(word, dash + 1, word.n), at + dash + 1, &last))
		return false;
	if (first.family == last.family && first.bits <= last.bits)
		return literal(peer, (struct range){first.bits, last.bits, first.family});
	if (first.family != last.family)
		parser_fault(p, at,
		             error_new(ERROR_INPUT, "the range \"%s\" begins in one family and ends in the other",
		                       word_shown(word).text));
	else
		parser_fault(p, at,
		             error_hint(error_new(ERROR_INPUT, "the range \"%s\" ends before it begins",
		                                  word_shown(word).text),
		                        "write %s-%s", word_shown(str_slice(word, dash + 1, word.n)).text,
		                        word_shown(str_slice(word, 0, dash)).text));
	return false;
}

/* "10.0.0.0/255.0.0.0": the prefix that it means, for the hint. */
static bool netmask(struct str word, struct prefix *prefix)
{
	size_t slash = str_find(word, '/');
	struct addr addr, mask;
	addr_bits host;

	if (!addr_parse(str_slice(word, 0, slash), &addr) || !addr_parse(str_slice(word, slash + 1, word.n), &mask))
		return false;
	host = ~mask.bits & family_last(mask.family);
	if (addr.family != mask.family || (host & (host + 1)) != 0)
		return false;
	*prefix = (struct prefix){{addr.bits & mask.bits, addr.family}, family_width(addr.family)};
	for (; host != 0; host >>= 1)
		prefix->length--;
	return true;
}

static struct str prefix_text(struct arena *arena, struct prefix prefix)
{
	struct buf buf = buf_new(arena);

	prefix_print(&buf, prefix);
	return buf_str(&buf);
}

/* A word that begins like an address and is none. */
static void refuse_address(struct parser *p, struct str word, size_t at)
{
	struct error *error = error_new(ERROR_INPUT, "\"%s\" is no address or prefix", word_shown(word).text);
	size_t percent = str_find(word, '%'), slash = str_find(word, '/');
	struct prefix prefix;
	struct addr addr;

	if (percent < word.n)
		error = error_hint(error, "an interface is named by a clause: on %s",
		                   word_shown(str_slice(word, percent + 1, word.n)).text);
	else if (netmask(word, &prefix))
		error = error_hint(error, "write %.*s", STR_ARG(prefix_text(p->arena, prefix)));
	else if (slash < word.n && addr_parse(str_slice(word, 0, slash), &addr))
		error = error_hint(error, "the length of a prefix of this family is a number from 0 to %u",
		                   family_width(addr.family));
	else if (str_find(word, ':') < word.n)
		error = error_hint(error, "an IPv6 address is eight groups of hexadecimal digits, or fewer and one ::, "
		                          "without brackets and without a zone");
	else
		error = error_hint(error, "an IPv4 address is four numbers from 0 to 255 without leading zeros: "
		                          "10.0.0.1, 10.0.0.0/8");
	parser_fault(p, at, error);
}

/* A word of the user's that is nothing at all, or the bare name of something. */
static void refuse_word(struct parser *p, struct str word, size_t at)
{
	static const struct word likely[] = {{"any", 0}, {"all", 0}, {"self", 0}, {NULL, 0}};
	struct str near = word_nearest(likely, NULL, word);
	struct str lower = str_lower(p->arena, word);
	struct error *error = no_peer(word);

	if (near.p != NULL)
		error = error_hint(error, "did you mean %.*s?", STR_ARG(near));
	else if (lower.n <= 100 && name_check(lower, "role") == NULL)
		error = error_hint(error, "a name needs its kind before it: role:%.*s, network:%.*s or machine:%.*s",
		                   STR_ARG(lower), STR_ARG(lower), STR_ARG(lower));
	parser_fault(p, at, error);
}

static bool address(struct parser *p, struct str word, size_t at, struct peer *peer)
{
	struct prefix prefix;
	bool like_address = (word.p[0] >= '0' && word.p[0] <= '9') || str_find(word, ':') < word.n;

	switch (prefix_parse(word, &prefix)) {
	case PREFIX_OK:
		return literal(peer, prefix_range(prefix));
	case PREFIX_HOST_BITS:
		parser_fault(
			p, at,
			error_hint(error_new(ERROR_INPUT, "the prefix \"%s\" has host bits set", word_shown(word).text),
		                   "write %.*s", STR_ARG(prefix_text(p->arena, prefix))));
		return false;
	case PREFIX_BAD:
		break;
	}
	if (like_address)
		refuse_address(p, word, at);
	else
		refuse_word(p, word, at);
	return false;
}

/* --- names --- */

static const struct word kinds[] = {
	{"machine", PEER_MACHINE}, {"network", PEER_NETWORK}, {"role", PEER_ROLE}, {NULL, 0},
};

/* What is written like the kind of a name: letters before the first colon, with something that is no hexadecimal digit.
 */
static bool is_kind(struct str word, size_t colon)
{
	bool letters = colon > 0 && colon < word.n, beyond_hex = false;

	for (size_t i = 0; letters && i < colon; i++) {
		char c = (char)(word.p[i] | 0x20);

		letters = c >= 'a' && c <= 'z';
		beyond_hex = beyond_hex || c > 'f';
	}
	return letters && beyond_hex;
}

static void refuse_kind(struct parser *p, struct str word, size_t colon, size_t at)
{
	struct str near = word_nearest(kinds, NULL, str_slice(word, 0, colon));
	struct error *error = no_peer(word);

	if (near.p != NULL)
		error = error_hint(error, "did you mean %.*s:?", STR_ARG(near));
	parser_fault(p, at, error);
}

static bool named(struct parser *p, struct str word, size_t colon, size_t at, struct peer *peer)
{
	struct str name = str_slice(word, colon + 1, word.n);
	size_t slash = str_find(name, '/');
	struct str label = str_slice(name, slash + 1, name.n);
	bool good;
	int kind;

	if (!word_find(kinds, str_slice(word, 0, colon), &kind)) {
		refuse_kind(p, word, colon, at);
		return false;
	}
	at += colon + 1;
	*peer = (struct peer){.kind = (enum peer_kind)kind};
	if (kind == PEER_ROLE && slash < name.n)
		name.n = slash;
	else
		label = STR("");
	peer->name = str_lower(p->arena, name);
	peer->label = str_lower(p->arena, label);
	if (name.n == 0) {
		parser_fault(p, at, error_hint(error_new(ERROR_INPUT, "expected a name right behind the colon"),
		                               "for example %s:web, without a space", word_of(kinds, kind)));
		return false;
	}
	if (kind == PEER_MACHINE)
		return parser_name(p, at, machine_name_check(peer->name));
	good = parser_name(p, at, name_check(peer->name, kind == PEER_ROLE ? "role" : "network"));
	if (slash < word.n - colon - 1 && kind == PEER_ROLE)
		good = parser_name(p, at + slash + 1, name_check(peer->label, "address label")) && good;
	return good;
}

static bool one_peer(struct parser *p, struct peer *peer, bool *any)
{
	struct str word = p->token.text;
	size_t at = p->token.at, colon = str_find(word, ':');

	if (word_is(word, "any") || word_is(word, "all")) {
		*any = true;
		return true;
	}
	if (word_is(word, "self")) {
		*peer = (struct peer){.kind = PEER_SELF};
		return true;
	}
	if (is_kind(word, colon))
		return named(p, word, colon, at, peer);
	if (str_find(word, '*') < word.n)
		return octets(p, word, at, peer);
	if (str_find(word, '-') < word.n && ((word.p[0] >= '0' && word.p[0] <= '9') || colon < word.n))
		return range(p, word, at, peer);
	return address(p, word, at, peer);
}

bool parse_peers(struct parser *p, struct rule *rule)
{
	struct peer_list list = {NULL, 0, 0};
	bool good = true;

	for (;;) {
		struct peer peer;
		bool any = false;
		int clause;

		if (p->token.kind != TOKEN_WORD || word_find(word_clauses, p->token.text, &clause)) {
			parser_fault(p, p->token.at,
			             error_new(ERROR_INPUT, "expected %s, not %s", expected_peer,
			                       lex_shown(&p->token).text));
			if (p->token.kind != TOKEN_COMMA)
				return false;
			good = false;
		} else {
			good = one_peer(p, &peer, &any) && good;
			if (good && !any)
				APPEND(p->arena, &list, peer);
			rule->any = rule->any || any;
			lex_next(p);
		}
		if (p->token.kind != TOKEN_COMMA)
			break;
		lex_next(p);
	}
	rule->peers = list.items;
	rule->peer_count = list.count;
	return good;
}
