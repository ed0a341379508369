/* Parses assertions: a keyword, two lists of peers with an arrow between them, what, an interface. Peers and what are
 * the rule language's, parsed by its own functions, so that the same words mean the same. What an assertion means is
 * not decided here. */
#include "fleetwall/arena.h"
#include "fleetwall/assertion.h"
#include "fleet_faults.h"
#include "fleet_fields.h"
#include "rule_parser.h"

static const struct word word_kinds[] = {
	{"never", ASSERTION_NEVER}, {"always", ASSERTION_ALWAYS}, {"only", ASSERTION_ONLY}, {NULL, 0},
};

struct str assertion_kind_str(enum assertion_kind kind)
{
	return str_of(word_of(word_kinds, (int)kind));
}

bool peer_is_address(const struct peer *peer)
{
	return peer->kind == PEER_LITERAL || peer->kind == PEER_NETWORK;
}

static bool is_arrow(const struct token *token)
{
	return token->kind == TOKEN_WORD && str_is(token->text, "->");
}

static void skip_to_arrow(struct parser *p)
{
	while (p->token.kind != TOKEN_END && !is_arrow(&p->token))
		lex_next(p);
}

/* A word that is none of them is passed over, unless it is the first of the sources. */
static void refuse_kind(struct parser *p)
{
	struct parser ahead = *p;
	struct str word = p->token.text;
	int value;

	parser_fault(p, p->token.at, "expected never, always or only, not %s", lex_shown(p).text);
	if (word_find(word_actions, word, &value))
		parser_hint(p, "this is a rule; an assertion says what rules must come to: "
		               "never any -> role:mysql 3306/tcp");
	else
		parser_near(p, word_nearest(word_kinds, NULL, word));
	lex_next(&ahead);
	if (!is_arrow(&ahead.token))
		lex_next(p);
}

static void parse_kind(struct parser *p, struct assertion *assertion)
{
	int value;

	if (p->token.kind == TOKEN_WORD && word_find(word_kinds, p->token.text, &value)) {
		assertion->kind = (enum assertion_kind)value;
		lex_next(p);
		return;
	}
	refuse_kind(p);
}

/* --- ends --- */

/* `at` stands before the list's first word; each word that is no "any" is a peer, in that order. */
static void place_peers(struct parser *p, struct parser at, struct assertion_end *end)
{
	end->columns = ARENA_ARRAY(p->arena, unsigned, end->count);
	for (size_t i = 0; i < end->count; lex_next(&at))
		if (at.token.kind == TOKEN_WORD && !word_is(at.token.text, "any") && !word_is(at.token.text, "all"))
			end->columns[i++] = (unsigned)at.token.at + 1;
}

static bool refuse_self(struct parser *p, const struct assertion_end *end)
{
	bool good = true;

	for (size_t i = 0; i < end->count; i++)
		if (end->peers[i].kind == PEER_SELF) {
			parser_fault(p, end->columns[i] - 1, "self stands for the role of a rule, and this is none");
			good = parser_hint(p, "name the role, as in role:web");
		}
	return good;
}

static bool parse_end(struct parser *p, struct assertion_end *end)
{
	const struct parser before = *p;
	struct rule list = {0};
	bool good = parse_peers(p, &list);

	if (!good)
		return false;
	*end = (struct assertion_end){.any = list.any, .peers = list.peers, .count = list.peer_count};
	place_peers(p, before, end);
	return refuse_self(p, end);
}

/* With a hint for what other languages write. */
static bool parse_arrow(struct parser *p)
{
	static const struct word likely[] = {{"->", 0}, {"=>", 0}, {"to", 0}, {">", 0}, {"-->", 0}, {NULL, 0}};
	int value;

	if (is_arrow(&p->token)) {
		lex_next(p);
		return true;
	}
	parser_fault(p, p->token.at, "expected -> between sources and destinations, not %s",
	             lex_shown(p).text);
	if (word_find(likely, p->token.text, &value))
		return parser_hint(p, "write ->");
	return parser_hint(p, "for example never any -> role:mysql 3306/tcp");
}

/* "any->role:mysql" would be read as many things. */
static bool check_arrows(struct parser *p)
{
	for (struct parser ahead = *p; ahead.token.kind != TOKEN_END; lex_next(&ahead)) {
		struct str word = ahead.token.text;

		for (size_t i = 0; i + 1 < word.n && word.n > 2; i++)
			if (word.p[i] == '-' && word.p[i + 1] == '>') {
				parser_fault(p, ahead.token.at + i, "the arrow is a word of its own");
				return parser_hint(p, "write blanks around it: any -> role:mysql");
			}
	}
	return true;
}

static bool parse_ends(struct parser *p, struct assertion *assertion)
{
	bool good;

	if (!check_arrows(p))
		return false;
	good = parse_end(p, &assertion->source);
	if (!good)
		skip_to_arrow(p);
	if (!good && p->token.kind == TOKEN_END)
		return false;
	return parse_arrow(p) && parse_end(p, &assertion->destination) && good;
}

/* --- what, and the interface --- */

static bool parse_interface(struct parser *p, struct str *interface)
{
	struct token word;

	lex_next(p);
	word = p->token;
	if (word.kind != TOKEN_WORD) {
		parser_fault(p, word.at, "expected an interface behind on");
		return parser_hint(p, "for example on eth0, or on eth+ for all that begin so");
	}
	if (!interface_valid(word.text)) {
		parser_fault(p, word.at, "\"%s\" can't be the name of an interface", word_shown(word.text).text);
		return parser_hint(p, "1 to 15 of A-Z a-z 0-9 _ . @ : -, and one + at the end for all that begin so");
	}
	*interface = word.text;
	lex_next(p);
	return true;
}

static bool parse_rest(struct parser *p, struct assertion *assertion)
{
	assertion->what_column = (unsigned)p->token.at + 1;
	if (!parse_what(p, &assertion->what))
		return false;
	if (!parser_check(p, assertion->what_column - 1, rule_what_normalize(p->arena, &assertion->what)))
		return false;
	if (p->token.kind == TOKEN_WORD && word_is(p->token.text, "on") &&
	    !parse_interface(p, &assertion->interface))
		return false;
	if (p->token.kind == TOKEN_END)
		return true;
	parser_fault(p, p->token.at, "expected on or the end, not %s", lex_shown(p).text);
	return parser_hint(p, "an assertion is never, always or only; sources -> destinations; what; on INTERFACE");
}

/* An address is never looked up to a machine: who sends to an address must be named as machines. */
static void check_senders(struct parser *p, const struct assertion *assertion)
{
	const struct assertion_end *source = &assertion->source, *destination = &assertion->destination;
	bool sent = false;

	for (size_t i = 0; i < destination->count; i++)
		sent = sent || peer_is_address(&destination->peers[i]);
	for (size_t i = 0; sent && i < source->count; i++)
		if (peer_is_address(&source->peers[i])) {
			parser_fault(p, source->columns[i] - 1,
			             "both ends are addresses, so no machine has a say");
			parser_hint(p, "to an address machines send: name any, role:NAME or machine:NAME");
		}
}

struct error *assertion_parse(struct arena *arena, struct str line, struct assertion *assertion, bool *said,
                              struct error **warnings)
{
	struct parser p;

	*assertion = (struct assertion){.what = {.icmp_code = -1}};
	*said = false;
	TRY(lex_start(&p, arena, line));
	p.warnings = warnings;
	p.assertion = true;
	if (p.token.kind == TOKEN_END)
		return NULL;
	assertion->comment = str_trim(p.comment);
	assertion->text = str_trim(str_slice(p.line, 0, p.end));
	parse_kind(&p, assertion);
	if (parse_ends(&p, assertion) && parse_rest(&p, assertion))
		check_senders(&p, assertion);
	*said = true;
	return parser_faults(&p);
}

/* --- files --- */

static struct error *read_line(struct arena *arena, struct place place, struct assertions *assertions,
                               struct error **warnings)
{
	struct assertion assertion;
	struct error *more = NULL;
	bool said = false;

	TRY(error_in_piece(rule_line_check(place.text), place));
	TRY(error_in_piece(assertion_parse(arena, place.text, &assertion, &said, &more), place));
	error_collect(warnings, error_in_piece(more, place));
	if (!said)
		return NULL;
	assertion.place = place;
	APPEND(arena, assertions, assertion);
	return NULL;
}

struct error *assertions_read(struct arena *arena, struct str name, struct str text, struct assertions *assertions,
                              struct error **warnings)
{
	struct lines lines = lines_of(name, text);
	struct faults faults = {0};

	while (lines_next(&lines))
		faults_add(&faults, read_line(arena, lines.place, assertions, warnings));
	return faults_end(&faults);
}
