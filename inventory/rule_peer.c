/* Parses the peers of a rule: all or any, addresses, prefixes, ranges, octets, self, and the names of roles, networks
 * and machines. Looks no name up, neither in the inventory nor in the DNS. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "rule_parser.h"

struct peer_list {
	struct peer *items;
	size_t count, capacity;
};

static const char *expected_peer(const struct parser *p)
{
	return p->assertion ? "any, an address, a prefix, a range, role:NAME, network:NAME or machine:NAME"
	                    : "any, an address, a prefix, a range, self, role:NAME, network:NAME or machine:NAME";
}

static bool refuse_peer(struct parser *p, struct str word, size_t at)
{
	return parser_fault(p, at, "expected %s, not \"%s\"", expected_peer(p), word_shown(word).text);
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
	parser_fault(p, at, "\"%s\" is no address with stars", word_shown(word).text);
	return parser_hint(p, "four parts, numbers from 0 to 255 first, stars only at the end: 10.*.*.*");
}

static bool range_end(struct parser *p, struct str word, size_t at, struct addr *addr)
{
	if (addr_parse(word, addr))
		return true;
	if (word.n == 0)
		parser_fault(p, at, "expected an address on both sides of \"-\"");
	else
		parser_fault(p, at, "expected an address, not \"%s\"", word_shown(word).text);
	return parser_hint(p, "a range is FIRST-LAST, without spaces: 10.0.0.1-10.0.0.9");
}

/* "10.0.0.1-10.0.0.9". */
static bool range(struct parser *p, struct str word, size_t at, struct peer *peer)
{
	size_t dash = str_find(word, '-');
	struct str before = str_slice(word, 0, dash), behind = str_slice(word, dash + 1, word.n);
	struct addr first, last;

	if (!range_end(p, before, at, &first) || !range_end(p, behind, at + dash + 1, &last))
		return false;
	if (first.family != last.family)
		return parser_fault(p, at, "the range \"%s\" begins in one family and ends in the other",
		                    word_shown(word).text);
	if (first.bits <= last.bits)
		return literal(peer, (struct range){first.bits, last.bits, first.family});
	parser_fault(p, at, "the range \"%s\" ends before it begins", word_shown(word).text);
	return parser_hint(p, "write %s-%s", word_shown(behind).text, word_shown(before).text);
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

/* A word that begins like an address and is none. */
static bool refuse_address(struct parser *p, struct str word, size_t at)
{
	size_t percent = str_find(word, '%'), slash = str_find(word, '/');
	struct prefix prefix;
	struct addr addr;

	parser_fault(p, at, "\"%s\" is no address or prefix", word_shown(word).text);
	if (percent < word.n)
		return parser_hint(p, "an interface is named by a clause: on %s",
		                   word_shown(str_slice(word, percent + 1, word.n)).text);
	if (netmask(word, &prefix))
		return parser_hint(p, "write %.*s", STR_ARG(prefix_str(p->arena, prefix)));
	if (slash < word.n && addr_parse(str_slice(word, 0, slash), &addr))
		return parser_hint(p, "the length of a prefix of this family is a number from 0 to %u",
		                   family_width(addr.family));
	if (str_find(word, ':') < word.n)
		return parser_hint(p, "an IPv6 address is eight groups of hexadecimal digits, or fewer and one ::, "
		                      "without brackets and without a zone");
	return parser_hint(p, "an IPv4 address is four numbers from 0 to 255 without leading zeros: "
	                      "10.0.0.1, 10.0.0.0/8");
}

/* A word of the user's that is nothing at all, or the bare name of something. */
static bool refuse_word(struct parser *p, struct str word, size_t at)
{
	static const struct word likely[] = {{"self", 0}, {"any", 0}, {"all", 0}, {NULL, 0}};
	struct str lower = str_lower(p->arena, word);

	refuse_peer(p, word, at);
	if (parser_near(p, word_nearest(p->assertion ? likely + 1 : likely, NULL, word)) ||
	    name_check(lower, "role") != NULL)
		return false;
	return parser_hint(p, "a name needs its kind before it: role:%.*s, network:%.*s or machine:%.*s",
	                   STR_ARG(lower), STR_ARG(lower), STR_ARG(lower));
}

static bool address(struct parser *p, struct str word, size_t at, struct peer *peer)
{
	struct prefix prefix;

	switch (prefix_parse(word, &prefix)) {
	case PREFIX_OK:
		return literal(peer, prefix_range(prefix));
	case PREFIX_HOST_BITS:
		parser_fault(p, at, "the prefix \"%s\" has host bits set", word_shown(word).text);
		return parser_hint(p, "write %.*s", STR_ARG(prefix_str(p->arena, prefix)));
	case PREFIX_BAD:
		break;
	}
	if ((word.p[0] >= '0' && word.p[0] <= '9') || str_find(word, ':') < word.n)
		return refuse_address(p, word, at);
	return refuse_word(p, word, at);
}

/* --- names --- */

static const struct word kinds[] = {
	{"machine", PEER_MACHINE}, {"network", PEER_NETWORK}, {"role", PEER_ROLE}, {NULL, 0},
};

/* What is written like the kind of a name: letters before the first colon, not all of them hexadecimal digits. */
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

static bool refuse_kind(struct parser *p, struct str word, size_t colon, size_t at)
{
	struct str near = word_nearest(kinds, NULL, str_slice(word, 0, colon));

	refuse_peer(p, word, at);
	return near.p != NULL && parser_hint(p, "did you mean %.*s:?", STR_ARG(near));
}

/* "app" or "app/private". */
static bool role_name(struct parser *p, struct str name, size_t at, struct peer *peer)
{
	size_t slash = str_find(name, '/');
	bool good = parser_check(p, at, name_check(str_slice(name, 0, slash), "role"));

	if (slash < name.n)
		good = parser_check(p, at + slash + 1,
		                    name_check(str_slice(name, slash + 1, name.n), "address label")) &&
		       good;
	peer->name = str_slice(name, 0, slash);
	peer->label = str_slice(name, slash + 1, name.n);
	return good;
}

static bool named(struct parser *p, struct str word, size_t colon, size_t at, struct peer *peer)
{
	struct str name = str_lower(p->arena, str_slice(word, colon + 1, word.n));
	int kind;

	if (!word_find(kinds, str_slice(word, 0, colon), &kind))
		return refuse_kind(p, word, colon, at);
	at += colon + 1;
	if (name.n == 0) {
		parser_fault(p, at, "expected a name right behind the colon");
		return parser_hint(p, "for example %s:web, without a space", word_of(kinds, kind));
	}
	*peer = (struct peer){.kind = (enum peer_kind)kind, .name = name};
	if (kind == PEER_ROLE)
		return role_name(p, name, at, peer);
	return parser_check(p, at, kind == PEER_MACHINE ? machine_name_check(name) : name_check(name, "network"));
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
			parser_fault(p, p->token.at, "expected %s, not %s", expected_peer(p), lex_shown(p).text);
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
