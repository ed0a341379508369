/* Parses a line of the rule language: action, what, clauses in any order. After a fault it goes on at the next clause,
 * so that one run shows all that is wrong with a line. Gives canonical rules only, through rule_normalize(); decides
 * nothing about other lines. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "rule_parser.h"

static const char expected_clause[] = "from, to, on, log, limit, since, until or the end";

/* Where clauses began, for faults that show only when the whole line is known. */
struct seen {
	bool clause[CLAUSE_UNTIL + 1];
	size_t at[CLAUSE_UNTIL + 1];
	enum clause last; /* the one before the token; CLAUSE_LOG (which takes nothing) at first */
};

/* What other firewalls call it. */
static const struct {
	const char *foreign, *ours;
} synonyms[] = {
	{"accept", "allow"}, {"permit", "allow"}, {"pass", "allow"}, {"drop", "deny"}, {"block", "deny"},
	{"src", "from"},     {"source", "from"},  {"in", "from"},    {"dst", "to"},    {"destination", "to"},
	{"out", "to"},       {"interface", "on"}, {"via", "on"},     {"dev", "on"},    {"expires", "until"},
	{"before", "until"}, {"after", "since"},  {"rate", "limit"},
};

/* The word of the table that was probably meant, {NULL, 0} if none. */
static struct str meant(const struct word *table, struct str word)
{
	int value;

	for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++)
		if (word_is(word, synonyms[i].foreign) && word_find(table, str_of(synonyms[i].ours), &value))
			return str_of(synonyms[i].ours);
	return word_nearest(table, NULL, word);
}

static void skip_to_clause(struct parser *p)
{
	int clause;

	while (p->token.kind != TOKEN_END &&
	       !(p->token.kind == TOKEN_WORD && word_find(word_clauses, p->token.text, &clause)))
		lex_next(p);
}

/* True when the action, right or mistyped, was there, so that a `what` may be expected behind it. */
static bool parse_action(struct parser *p, struct rule *rule)
{
	int value;

	if (p->token.kind == TOKEN_WORD && word_find(word_actions, p->token.text, &value)) {
		rule->action = (enum action)value;
		lex_next(p);
		return true;
	}
	parser_fault(p, p->token.at, "expected allow, deny or reject, not %s", lex_shown(p).text);
	if (!parser_near(p, meant(word_actions, p->token.text)))
		return false;
	lex_next(p);
	return true;
}

/* --- clauses --- */

/* Takes the word behind a clause's keyword; false when there is none. */
static bool argument(struct parser *p, const char *expected, struct token *word)
{
	*word = p->token;
	if (p->token.kind == TOKEN_WORD) {
		lex_next(p);
		return true;
	}
	return parser_fault(p, p->token.at, "expected %s, not %s", expected, lex_shown(p).text);
}

static bool parse_interface(struct parser *p, struct rule *rule)
{
	struct token word;

	if (!argument(p, "the name of an interface", &word))
		return false;
	rule->interface = str_copy(p->arena, word.text);
	if (interface_valid(word.text))
		return true;
	parser_fault(p, word.at, "\"%s\" is no name of an interface", word_shown(word.text).text);
	return parser_hint(p, "it has 1 to 15 of A-Z a-z 0-9 _ . @ : - and may end in + as a wildcard, "
	                      "like eth0 or wg+");
}

/* "min", "minutes", "s": enough to know which was meant. */
static bool unit_meant(const struct word *word, struct str unit)
{
	struct str name = str_of(word->text);
	bool begins = unit.n > 0 && unit.n < name.n;

	for (size_t i = 0; begins && i < unit.n; i++)
		begins = (unit.p[i] | 0x20) == name.p[i];
	return begins || word_nearest((struct word[]){*word, {NULL, 0}}, NULL, unit).p != NULL;
}

static bool refuse_unit(struct parser *p, struct str unit, size_t at)
{
	parser_fault(p, at, "expected second, minute, hour or day, not \"%s\"", word_shown(unit).text);
	for (const struct word *word = word_units; word->text != NULL; word++)
		if (unit_meant(word, unit))
			return parser_hint(p, "did you mean %s?", word->text);
	return parser_hint(p, "for example limit 10/minute");
}

static bool parse_limit(struct parser *p, struct rule *rule)
{
	struct token word;
	struct str unit;
	size_t slash;
	int value;

	if (!argument(p, "a rate like 10/minute", &word))
		return false;
	slash = str_find(word.text, '/');
	unit = str_slice(word.text, slash + 1, word.text.n);
	if (!parser_number(p, str_slice(word.text, 0, slash), word.at, "limit", 1, 1000, &rule->limit))
		return false;
	if (word_find(word_units, unit, &value)) {
		rule->limit_unit = (enum limit_unit)value;
		return true;
	}
	if (unit.n > 0)
		return refuse_unit(p, unit, word.at + slash + 1);
	parser_fault(p, word.at + word.text.n, "expected /second, /minute, /hour or /day right behind the number");
	return parser_hint(p, "for example limit %u/minute", rule->limit);
}

/* "2026-03-01 12:00", which would be two words. */
static bool is_clock(const struct token *token)
{
	return token->kind == TOKEN_WORD && token->text.n >= 5 && token->text.p[2] == ':' &&
	       word_digits(str_slice(token->text, 0, 2));
}

static bool parse_time(struct parser *p, int64_t *time)
{
	struct token word;

	if (!argument(p, "a time like 2026-03-01T12:00:00Z", &word))
		return false;
	if (is_clock(&p->token)) {
		struct token clock = p->token;

		lex_next(p);
		parser_fault(p, word.at, "no space stands inside a time");
		return parser_hint(p, "write %sT%s", word_shown(word.text).text, word_shown(clock.text).text);
	}
	if (time_parse(word.text, time))
		return true;
	parser_fault(p, word.at, "\"%s\" is no time", word_shown(word.text).text);
	return parser_hint(p, "ISO 8601 in whole seconds: 2026-03-01, 2026-03-01T12:00, 2026-03-01T12:00:00Z, "
	                      "2026-03-01T12:00:00+01:00");
}

static bool clause_argument(struct parser *p, enum clause clause, struct rule *rule)
{
	switch (clause) {
	case CLAUSE_FROM:
	case CLAUSE_TO:
		rule->direction = clause == CLAUSE_TO ? DIRECTION_OUT : DIRECTION_IN;
		rule->any = false;
		return parse_peers(p, rule);
	case CLAUSE_ON:
		return parse_interface(p, rule);
	case CLAUSE_LOG:
		rule->log = true;
		return true;
	case CLAUSE_LIMIT:
		return parse_limit(p, rule);
	case CLAUSE_SINCE:
		return parse_time(p, &rule->since);
	case CLAUSE_UNTIL:
		return parse_time(p, &rule->until);
	}
	return false;
}

/* A clause for the second time; or from and to. Notes it, and that it was seen. */
static void refuse_repeat(struct parser *p, enum clause clause, size_t at, struct seen *seen)
{
	const char *name = word_of(word_clauses, (int)clause);
	bool peers = clause == CLAUSE_FROM || clause == CLAUSE_TO;
	enum clause other = clause == CLAUSE_FROM ? CLAUSE_TO : CLAUSE_FROM;

	if (seen->clause[clause]) {
		parser_fault(p, at, "%s stands twice in a rule", name);
		parser_hint(p, peers ? "separate several peers by commas" : "leave one of them out");
	} else if (peers && seen->clause[other]) {
		parser_fault(p, at, "a rule has either from or to");
		parser_hint(p, "from speaks of packets coming in, to of packets going out; write one rule for each");
	} else {
		seen->at[clause] = at;
	}
	seen->clause[clause] = true;
	seen->last = clause;
}

/* Something that begins no clause. */
static bool refuse_clause(struct parser *p, const struct seen *seen)
{
	bool behind_peers = seen->last == CLAUSE_FROM || seen->last == CLAUSE_TO;
	struct str word = p->token.text;
	int value;

	parser_fault(p, p->token.at, "expected %s, not %s", expected_clause, lex_shown(p).text);
	if (parser_near(p, meant(word_clauses, word)) || p->token.kind != TOKEN_WORD)
		return false;
	if (word_find(word_actions, word, &value))
		return parser_hint(p, "write one rule a line");
	if (behind_peers && word.p[0] == '-')
		return parser_hint(p, "no space stands inside a range: 10.0.0.1-10.0.0.9");
	return behind_peers && parser_hint(p, "peers are separated by commas");
}

static void parse_clauses(struct parser *p, struct rule *rule, struct seen *seen)
{
	while (p->token.kind != TOKEN_END) {
		struct token word = p->token;
		struct rule scratch = *rule;
		int clause;
		bool again;

		if (word.kind != TOKEN_WORD || !word_find(word_clauses, word.text, &clause)) {
			refuse_clause(p, seen);
			skip_to_clause(p);
			continue;
		}
		again = seen->clause[clause];
		refuse_repeat(p, (enum clause)clause, word.at, seen);
		lex_next(p);
		if (!clause_argument(p, (enum clause)clause, again ? &scratch : rule))
			skip_to_clause(p);
	}
}

/* What shows only when the line is known. */
static void check_together(struct parser *p, const struct rule *rule, const struct seen *seen)
{
	parser_check(p, seen->at[CLAUSE_LIMIT], rule_check_limit(rule));
	parser_check(p, seen->at[CLAUSE_UNTIL], rule_check_times(rule));
	parser_check(p, str_find(p->line, '#'), rule_check_comment(rule));
}

/* The comment without its surroundings; tabs, which nothing behind us likes, as spaces. */
static struct str comment_of(const struct parser *p)
{
	struct str trimmed = str_trim(p->comment);
	char *text = ARENA_ARRAY(p->arena, char, trimmed.n);

	for (size_t i = 0; i < trimmed.n; i++)
		text[i] = trimmed.p[i] == '\t' ? ' ' : trimmed.p[i];
	return (struct str){text, trimmed.n};
}

struct error *rule_parse(struct arena *arena, struct str line, struct rule *rule, bool *stored, struct error **warnings)
{
	struct seen seen = {.last = CLAUSE_LOG};
	struct parser p;

	*stored = false;
	*rule = (struct rule){.since = TIME_NONE, .until = TIME_NONE, .what = {.icmp_code = -1}};
	TRY(lex_start(&p, arena, line));
	p.warnings = warnings;
	rule->comment = comment_of(&p);
	if (p.token.kind == TOKEN_END)
		return NULL;
	rule->any = true;
	if (!parse_action(&p, rule) || !parse_what(&p, &rule->what))
		skip_to_clause(&p);
	parse_clauses(&p, rule, &seen);
	check_together(&p, rule, &seen);
	TRY(parser_faults(&p));
	return error_at(rule_normalize(arena, rule, stored), (struct place){.column = 1, .text = p.line});
}
