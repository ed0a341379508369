/* A line of the rule language as tokens: words, commas, the end. Refuses what no rule may hold (NUL, control
 * characters, bytes that are not UTF-8, anything but ASCII outside of the comment) before a token is made, so that the
 * parser deals with printable ASCII alone. */
#include <string.h>

#include "fleetwall/arena.h"
#include "rule_parser.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct error *placed(struct error *error, struct str line, size_t at)
{
	return error_at(error, (struct place){.column = (unsigned)at + 1, .text = line});
}

static struct error *refuse_control(struct str line, size_t at)
{
	unsigned char c = (unsigned char)line.p[at];

	if (c == '\n')
		return placed(error_hint(error_new(ERROR_INPUT, "a rule is one line; here is a line break in it"),
		                         "write one rule a line"), line, at);
	if (c == '\0')
		return placed(error_new(ERROR_INPUT, "a NUL byte can't stand in a rule"), line, at);
	return placed(error_new(ERROR_INPUT, "the control character \\x%02x can't stand in a rule", c), line, at);
}

/* Word processors and web pages bring these. */
static struct error *refuse_character(struct str line, size_t at)
{
	struct str rest = str_slice(line, at, line.n);
	struct error *error =
		error_new(ERROR_INPUT, "a rule is written in ASCII; only its comment may hold other characters");

	if (str_starts(rest, STR("\xe2\x80\x93")) || str_starts(rest, STR("\xe2\x80\x94")) ||
	    str_starts(rest, STR("\xe2\x88\x92")))
		error = error_hint(error, "this is a dash; write - (the minus sign of the keyboard)");
	else if (str_starts(rest, STR("\xc2\xa0")))
		error = error_hint(error, "this is a no-break space; write a plain one");
	return placed(error, line, at);
}

static struct error *check_bytes(struct str line, size_t comment)
{
	size_t bad = str_utf8_error(line);

	for (size_t i = 0; i < bad; i++) {
		unsigned char c = (unsigned char)line.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return refuse_control(line, i);
		if (c >= 0x80 && i < comment)
			return refuse_character(line, i);
	}
	if (bad == line.n)
		return NULL;
	return placed(error_new(ERROR_INPUT, "the byte \\x%02x is not UTF-8", (unsigned char)line.p[bad]), line, bad);
}

struct error *lex_start(struct parser *p, struct arena *arena, struct str line)
{
	size_t comment;

	while (line.n > 0 && (is_blank(line.p[line.n - 1]) || line.p[line.n - 1] == '\r'))
		line.n--;
	if (line.n > RULE_LENGTH_MAX)
		return error_hint(error_new(ERROR_INPUT, "the line is %zu bytes long; a rule has at most %d", line.n,
		                            RULE_LENGTH_MAX),
		                  "put long lists of addresses into a network, and name it: from network:NAME");
	comment = str_find(line, '#');
	TRY(check_bytes(line, comment));
	*p = (struct parser){.arena = arena, .line = line, .end = comment};
	p->has_comment = comment < line.n;
	p->comment = str_slice(line, comment + 1, line.n);
	while (p->end > 0 && is_blank(line.p[p->end - 1]))
		p->end--;
	lex_next(p);
	return NULL;
}

/* Where something is missing, the caret stands behind the last word. */
void lex_end(struct parser *p)
{
	p->at = p->end;
	p->token = (struct token){TOKEN_END, {"", 0}, p->end};
}

void lex_next(struct parser *p)
{
	const char *text = p->line.p;
	size_t from, to;

	p->spent = p->token.at + p->token.text.n;
	while (p->at < p->end && is_blank(text[p->at]))
		p->at++;
	from = to = p->at;
	if (from >= p->end) {
		lex_end(p);
		return;
	}
	while (to < p->end && !is_blank(text[to]) && text[to] != ',')
		to++;
	if (to == from)
		to++;
	p->at = to;
	p->token = (struct token){text[from] == ',' ? TOKEN_COMMA : TOKEN_WORD, {text + from, to - from}, from};
}

struct word_shown lex_shown(const struct parser *p)
{
	struct word_shown shown = word_shown(p->token.text);
	size_t n = strlen(shown.text);

	if (p->token.kind == TOKEN_END)
		return p->assertion ? (struct word_shown){"the end of the assertion"}
		                    : (struct word_shown){"the end of the rule"};
	memmove(shown.text + 1, shown.text, n);
	shown.text[0] = '"';
	shown.text[n + 1] = '"';
	shown.text[n + 2] = '\0';
	return shown;
}
