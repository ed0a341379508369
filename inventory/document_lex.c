/* Reads the words of a document in libconfig's syntax (libconfig manual, "Configuration Files") and follows its grammar
 * with a stack of brackets. It makes no values; libconfig does. It refuses what libconfig would pass over in silence,
 * and says where a syntax error is. */
#include "document_lex.h"

#include <string.h>

#include "fleet_fields.h"
#include "fleetwall/arena.h"

#define DEPTH_MAX 32 /* a document needs seven; libconfig's own limit is its parser's stack */

enum token_kind {
	TOKEN_NAME,
	TOKEN_STRING,
	TOKEN_NUMBER,
	TOKEN_BOOLEAN,
	TOKEN_EQUALS,
	TOKEN_COMMA,
	TOKEN_SEMICOLON,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_GARBAGE,
	TOKEN_END,
};

struct token {
	enum token_kind kind;
	size_t at, n;
	unsigned line;
	size_t line_start;
};

/* What the grammar waits for. */
enum state {
	STATE_NAME,          /* a setting's name, or the end of the group */
	STATE_EQUALS,
	STATE_VALUE,         /* of a setting */
	STATE_TERMINATOR,    /* `;` or `,`, which may be missing; else as STATE_NAME */
	STATE_FIRST_ELEMENT, /* or the end of the list */
	STATE_ELEMENT,       /* after a comma */
	STATE_SEPARATOR,     /* a comma, or the end of the list */
};

struct lexer {
	struct arena *arena;
	struct str name, text;
	struct spots *spots;
	struct faults *faults;
	size_t at;
	unsigned line;
	size_t line_start;
	enum state state;
	bool broken;               /* the grammar's first fault was reported: no more of those */
	struct token open[DEPTH_MAX]; /* brackets that wait for their end */
	unsigned depth;
	uint32_t named[DEPTH_MAX + 1]; /* 1 + the last named spot of the group at each depth */
	struct token setting;      /* the name before `=` */
	struct token previous;
};

static void fault(struct lexer *lexer, const struct token *where, struct error *error)
{
	faults_add(lexer->faults,
	           error_at(error, place_in(lexer->name, lexer->text, where->line_start, where->line, where->at)));
}

/* --- words --- */

static struct token here(const struct lexer *lexer, enum token_kind kind)
{
	return (struct token){
		.kind = kind, .at = lexer->at, .n = 1, .line = lexer->line, .line_start = lexer->line_start};
}

static char peek(const struct lexer *lexer, size_t ahead)
{
	return lexer->at + ahead < lexer->text.n ? lexer->text.p[lexer->at + ahead] : '\0';
}

static void advance(struct lexer *lexer)
{
	if (lexer->text.p[lexer->at++] == '\n') {
		lexer->line++;
		lexer->line_start = lexer->at;
	}
}

static void skip_block_comment(struct lexer *lexer)
{
	struct token begin = here(lexer, TOKEN_END);

	lexer->at += 2;
	while (lexer->at < lexer->text.n) {
		if (peek(lexer, 0) == '*' && peek(lexer, 1) == '/') {
			lexer->at += 2;
			return;
		}
		advance(lexer);
	}
	fault(lexer, &begin,
	      error_hint(error_new(ERROR_INPUT, "the comment that begins here does not end"), "end it with */"));
	lexer->broken = true;
}

static void skip_blanks(struct lexer *lexer)
{
	while (lexer->at < lexer->text.n) {
		char c = peek(lexer, 0), next = peek(lexer, 1);

		if (c == '#' || (c == '/' && next == '/'))
			lexer->at += str_find(str_slice(lexer->text, lexer->at, lexer->text.n), '\n');
		else if (c == '/' && next == '*')
			skip_block_comment(lexer);
		else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f')
			advance(lexer);
		else
			return;
	}
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* A backslash and what belongs to it. `\x00` ends the string for libconfig, in silence. */
static void skip_escape(struct lexer *lexer)
{
	struct token begin = here(lexer, TOKEN_STRING);
	char c = peek(lexer, 1);

	lexer->at++;
	if ((c == 'x' || c == 'X') && is_hex(peek(lexer, 1)) && is_hex(peek(lexer, 2))) {
		if (peek(lexer, 1) == '0' && peek(lexer, 2) == '0')
			fault(lexer, &begin,
			      error_hint(error_new(ERROR_INPUT, "\\x00 in a string: no value holds a NUL byte"),
			                 "remove it"));
		lexer->at += 3;
	} else if (c == '"' || c == '\\') {
		lexer->at++;
	}
}

static struct token string_token(struct lexer *lexer)
{
	struct token token = here(lexer, TOKEN_STRING);

	lexer->at++;
	while (lexer->at < lexer->text.n && peek(lexer, 0) != '"') {
		if (peek(lexer, 0) == '\\')
			skip_escape(lexer);
		else
			advance(lexer);
	}
	if (lexer->at < lexer->text.n) {
		lexer->at++;
	} else {
		fault(lexer, &token,
		      error_hint(error_new(ERROR_INPUT, "the string that begins here does not end"),
		                 "close it with a quote"));
		lexer->broken = true;
	}
	token.n = lexer->at - token.at;
	return token;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '*';
}

static size_t digits(const char *p, size_t n, size_t at)
{
	while (at < n && is_digit(p[at]))
		at++;
	return at;
}

static size_t exponent(const char *p, size_t n, size_t at)
{
	size_t sign, end;

	if (at == n || (p[at] != 'e' && p[at] != 'E'))
		return at;
	sign = at + 1 < n && (p[at + 1] == '+' || p[at + 1] == '-') ? 1 : 0;
	end = digits(p, n, at + 1 + sign);
	return end > at + 1 + sign ? end : at;
}

static size_t suffix(const char *p, size_t n, size_t at)
{
	while (at < n && p[at] == 'L')
		at++;
	return at;
}

/* The length of the number at the front of `s`, 0 if there is none: integers with or without sign and up to two L,
 * hexadecimal ones, floats. */
static size_t number_length(struct str s)
{
	size_t begin = s.n > 0 && (s.p[0] == '+' || s.p[0] == '-') ? 1 : 0, end = digits(s.p, s.n, begin), hex = 2,
	       tail;

	if (s.n > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X') && is_hex(s.p[2])) {
		while (hex < s.n && is_hex(s.p[hex]))
			hex++;
		tail = suffix(s.p, s.n, hex);
		return tail > hex + 2 ? hex + 2 : tail;
	}
	if (end < s.n && s.p[end] == '.')
		return exponent(s.p, s.n, digits(s.p, s.n, end + 1));
	if (end == begin)
		return 0;
	if (exponent(s.p, s.n, end) > end)
		return exponent(s.p, s.n, end);
	tail = suffix(s.p, s.n, end);
	return tail > end + 2 ? end + 2 : tail;
}

static bool is_word(struct str s, const char *word)
{
	size_t i;

	for (i = 0; i < s.n && word[i] != '\0'; i++)
		if ((s.p[i] | 0x20) != word[i])
			return false;
	return i == s.n && word[i] == '\0';
}

static struct token name_token(struct lexer *lexer)
{
	struct token token = here(lexer, TOKEN_NAME);
	struct str word;

	while (is_letter(peek(lexer, 0)) || is_digit(peek(lexer, 0)) || peek(lexer, 0) == '_' || peek(lexer, 0) == '-')
		lexer->at++;
	token.n = lexer->at - token.at;
	word = str_slice(lexer->text, token.at, token.at + token.n);
	if (is_word(word, "true") || is_word(word, "false"))
		token.kind = TOKEN_BOOLEAN;
	return token;
}

static struct token mark_token(struct lexer *lexer)
{
	struct token token = here(lexer, TOKEN_GARBAGE);
	struct str rest = str_slice(lexer->text, lexer->at, lexer->text.n);

	switch (rest.p[0]) {
	case '=': case ':': token.kind = TOKEN_EQUALS; break;
	case ',': token.kind = TOKEN_COMMA; break;
	case ';': token.kind = TOKEN_SEMICOLON; break;
	case '{': case '(': case '[': token.kind = TOKEN_OPEN; break;
	case '}': case ')': case ']': token.kind = TOKEN_CLOSE; break;
	case '@': token.n = str_starts(rest, STR("@include")) ? 8 : 1; break;
	default: break;
	}
	lexer->at += token.n;
	return token;
}

static struct token next_token(struct lexer *lexer)
{
	struct token token;
	char c;

	skip_blanks(lexer);
	if (lexer->at == lexer->text.n) {
		token = here(lexer, TOKEN_END);
		token.n = 0;
		return token;
	}
	c = peek(lexer, 0);
	if (c == '"')
		return string_token(lexer);
	if (is_letter(c))
		return name_token(lexer);
	token = here(lexer, TOKEN_NUMBER);
	token.n = number_length(str_slice(lexer->text, lexer->at, lexer->text.n));
	if (token.n == 0)
		return mark_token(lexer);
	lexer->at += token.n;
	return token;
}

/* --- grammar --- */

static struct str token_text(const struct lexer *lexer, const struct token *token)
{
	return str_slice(lexer->text, token->at, token->at + token->n);
}

static bool in_group(const struct lexer *lexer)
{
	return lexer->depth == 0 || lexer->text.p[lexer->open[lexer->depth - 1].at] == '{';
}

static const char *expected(const struct lexer *lexer)
{
	bool open = lexer->depth > 0;

	switch (lexer->state) {
	case STATE_NAME: return open ? "the name of a field or `}`" : "the name of a setting";
	case STATE_EQUALS: return "`=`";
	case STATE_VALUE: return "a value";
	case STATE_TERMINATOR: return open ? "`;`, the name of a field or `}`" : "`;` or the name of a setting";
	case STATE_FIRST_ELEMENT: return "a value or the end of the list";
	case STATE_ELEMENT: return "a value: no comma stands before the end of a list";
	case STATE_SEPARATOR: return "a comma or the end of the list";
	}
	return "";
}

static void syntax_fault(struct lexer *lexer, const struct token *token)
{
	struct str text = token_text(lexer, token);
	struct error *error;

	if (lexer->broken)
		return;
	lexer->broken = true;
	if (token->kind == TOKEN_END && lexer->depth > 0) {
		const struct token *open = &lexer->open[lexer->depth - 1];

		fault(lexer, open,
		      error_hint(error_new(ERROR_INPUT, "the `%c` here is never closed", lexer->text.p[open->at]),
		                 "at the end of the file, %s was expected", expected(lexer)));
		return;
	}
	if (token->kind == TOKEN_END)
		error = error_new(ERROR_INPUT, "the file ends where %s was expected", expected(lexer));
	else
		error = error_new(ERROR_INPUT, "syntax error at `%s`", SHOWN(text));
	fault(lexer, token, error_hint(error, "expected %s", expected(lexer)));
}

/* libconfig would stop at the first of these, and know only the line. */
static void check_twice(struct lexer *lexer)
{
	struct str name = token_text(lexer, &lexer->setting);

	for (uint32_t i = lexer->named[lexer->depth]; i != 0; i = lexer->spots->items[i - 1].sibling) {
		const struct spot *spot = &lexer->spots->items[i - 1];

		if (!str_eq(str_slice(lexer->text, spot->name, spot->name + spot->name_n), name))
			continue;
		fault(lexer, &lexer->setting,
		      error_hint(error_new(ERROR_INPUT, "field \"%s\" is given twice", SHOWN(name)),
		                 "it is given first in line %u", spot->line));
		return;
	}
}

static void add_spot(struct lexer *lexer, const struct token *token, enum spot_kind kind)
{
	bool named = lexer->state == STATE_VALUE;
	struct spot spot = {.kind = kind,
	                    .line = token->line,
	                    .line_start = (uint32_t)token->line_start,
	                    .at = (uint32_t)token->at,
	                    .n = (uint32_t)token->n,
	                    .name = named ? (uint32_t)lexer->setting.at : 0,
	                    .name_n = named ? (uint32_t)lexer->setting.n : 0};

	if (named) {
		check_twice(lexer);
		spot.sibling = lexer->named[lexer->depth];
		lexer->named[lexer->depth] = (uint32_t)lexer->spots->count + 1;
	}
	APPEND(lexer->arena, lexer->spots, spot);
}

static void after_value(struct lexer *lexer)
{
	lexer->state = in_group(lexer) ? STATE_TERMINATOR : STATE_SEPARATOR;
}

static void open_bracket(struct lexer *lexer, const struct token *token)
{
	char c = lexer->text.p[token->at];

	if (lexer->depth > 0 && lexer->text.p[lexer->open[lexer->depth - 1].at] == '[') {
		lexer->broken = true;
		fault(lexer, token,
		      error_hint(error_new(ERROR_INPUT, "`[ … ]` holds plain values only"),
		                 "write ( … ) around what holds `%c`", c));
		return;
	}
	if (lexer->depth == DEPTH_MAX) {
		lexer->broken = true;
		fault(lexer, token, error_new(ERROR_INPUT, "more than %d brackets are open here", DEPTH_MAX));
		return;
	}
	add_spot(lexer, token, c == '{' ? SPOT_GROUP : c == '(' ? SPOT_LIST : SPOT_ARRAY);
	lexer->open[lexer->depth++] = *token;
	lexer->named[lexer->depth] = 0;
	lexer->state = c == '{' ? STATE_NAME : STATE_FIRST_ELEMENT;
}

static void close_bracket(struct lexer *lexer, const struct token *token)
{
	static const char pairs[] = "{}()[]";
	char c = lexer->text.p[token->at];
	char open = lexer->depth > 0 ? lexer->text.p[lexer->open[lexer->depth - 1].at] : '\0';

	if (open == '\0' || strchr(pairs, open)[1] != c) {
		syntax_fault(lexer, token);
		return;
	}
	lexer->depth--;
	after_value(lexer);
}

static void value(struct lexer *lexer, const struct token *token)
{
	switch (token->kind) {
	case TOKEN_STRING: add_spot(lexer, token, SPOT_STRING); break;
	case TOKEN_NUMBER: add_spot(lexer, token, SPOT_NUMBER); break;
	case TOKEN_BOOLEAN: add_spot(lexer, token, SPOT_BOOLEAN); break;
	case TOKEN_OPEN: open_bracket(lexer, token); return;
	default: syntax_fault(lexer, token); return;
	}
	after_value(lexer);
}

static void in_list(struct lexer *lexer, const struct token *token)
{
	if (lexer->state != STATE_ELEMENT && token->kind == TOKEN_CLOSE)
		close_bracket(lexer, token);
	else if (lexer->state != STATE_SEPARATOR)
		value(lexer, token);
	else if (token->kind == TOKEN_COMMA)
		lexer->state = STATE_ELEMENT;
	else
		syntax_fault(lexer, token);
}

static void in_settings(struct lexer *lexer, const struct token *token)
{
	if (token->kind == TOKEN_NAME) {
		lexer->setting = *token;
		lexer->state = STATE_EQUALS;
	} else if (token->kind == TOKEN_CLOSE) {
		close_bracket(lexer, token);
	} else if (lexer->state == STATE_TERMINATOR && (token->kind == TOKEN_SEMICOLON || token->kind == TOKEN_COMMA)) {
		lexer->state = STATE_NAME;
	} else if (token->kind != TOKEN_END || lexer->depth > 0) {
		syntax_fault(lexer, token);
	}
}

static void step(struct lexer *lexer, const struct token *token)
{
	switch (lexer->state) {
	case STATE_NAME:
	case STATE_TERMINATOR:
		in_settings(lexer, token);
		break;
	case STATE_EQUALS:
		if (token->kind == TOKEN_EQUALS)
			lexer->state = STATE_VALUE;
		else
			syntax_fault(lexer, token);
		break;
	case STATE_VALUE:
		value(lexer, token);
		break;
	case STATE_FIRST_ELEMENT:
	case STATE_ELEMENT:
	case STATE_SEPARATOR:
		in_list(lexer, token);
		break;
	}
}

/* --- what libconfig would let through --- */

/* Bytes that no text has, one fault a line. False if there is a NUL: then it is a file of another kind, and has no
 * words. */
static bool check_bytes(struct lexer *lexer)
{
	struct str rest = lexer->text, line;
	struct token where = {.line = 1};
	bool is_text = true;

	while (str_cut(&rest, '\n', &line)) {
		size_t nul = str_find(line, '\0'), bad = str_utf8_error(line);

		where.line_start = (size_t)(line.p - lexer->text.p);
		where.at = where.line_start + (nul < bad ? nul : bad);
		is_text = is_text && nul == line.n;
		if (nul < line.n && nul < bad)
			fault(lexer, &where,
			      error_hint(error_new(ERROR_INPUT, "a NUL byte"), "a document is plain text"));
		else if (bad < line.n)
			fault(lexer, &where,
			      error_hint(error_new(ERROR_INPUT, "not valid UTF-8 (byte 0x%02x)",
			                           (unsigned char)line.p[bad]),
			                 "save the file as UTF-8"));
		where.line++;
	}
	return is_text;
}

/* Two strings in a row are one for libconfig, and `@include` reads another file: neither is meant by anybody here. True
 * if it was one of these. */
static bool silent(struct lexer *lexer, const struct token *token)
{
	if (token->kind == TOKEN_STRING && lexer->previous.kind == TOKEN_STRING) {
		fault(lexer, token,
		      error_hint(error_new(ERROR_INPUT, "two strings in a row"),
		                 "a comma or semicolon is missing before this one"));
		return true;
	}
	if (token->kind == TOKEN_GARBAGE && token->n > 1) {
		fault(lexer, token,
		      error_hint(error_new(ERROR_INPUT, "@include is not allowed"), "import the other file by itself"));
		lexer->broken = true;
		return true;
	}
	return false;
}

void document_lex(struct arena *arena, struct str name, struct str text, struct spots *spots, struct faults *faults)
{
	struct lexer lexer = {.arena = arena, .name = name, .text = text, .spots = spots, .faults = faults, .line = 1,
	                      .previous = {.kind = TOKEN_END}};
	struct token token;

	if (!check_bytes(&lexer))
		return;
	do {
		token = next_token(&lexer);
		if (!silent(&lexer, &token) && !lexer.broken)
			step(&lexer, &token);
		lexer.previous = token;
	} while (token.kind != TOKEN_END);
}
