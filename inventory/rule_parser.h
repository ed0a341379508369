/* What the files of the rule parser share: the state of one line, its tokens, and how a fault is noted. Private to
 * the files rule*.c. */
#ifndef FLEETWALL_RULE_PARSER_H
#define FLEETWALL_RULE_PARSER_H

#include "rule_words.h"

#define RULE_LENGTH_MAX 65536 /* bytes of a line, and of the canonical text with its comment */
#define COMMENT_LENGTH_MAX 1000 /* characters */

enum token_kind { TOKEN_END, TOKEN_COMMA, TOKEN_WORD };

struct token {
	enum token_kind kind;
	struct str text;
	size_t at; /* offset in the line */
};

struct parser {
	struct arena *arena;
	struct str line;          /* whole, for faults */
	struct str comment;       /* behind #, as it stands */
	bool has_comment;
	size_t end;               /* where the rule's own part ends */
	size_t at;                /* where the next token is looked for */
	struct token token;       /* the one to be looked at */
	size_t spent;             /* where the token before it ended */
	struct error *faults;
	struct error *last;       /* the fault that was noted last, for its hint */
	size_t fault_count;
	struct error **warnings;  /* NULL: not wanted */
	bool assertion;           /* the line is no rule: `self` stands for nobody */
};

/* Length, UTF-8, control characters, ASCII outside of the comment; then stands before the first token. */
struct error *lex_start(struct parser *p, struct arena *arena, struct str line) MUST_CHECK;
void lex_next(struct parser *p);
/* The token to be looked at, as a message names it: `"word"`, `","`, `the end of the rule`. */
struct word_shown lex_shown(const struct parser *p);

/* Nothing more is looked at. */
void lex_end(struct parser *p);

/* Notes a fault at the offset; after too many, the rest of the line is passed over. Returns false, so that a function
 * that parses can end with it. */
bool parser_fault(struct parser *p, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Gives the fault that was noted last a hint. Returns false, likewise. */
bool parser_hint(struct parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Hints at the word that was probably meant, if there is one. */
bool parser_near(struct parser *p, struct str near);
/* Notes what someone else found wrong there (it keeps its hint); true if that is nothing. */
bool parser_check(struct parser *p, size_t at, struct error *error);
/* What has been found wrong: the faults, or NULL. */
struct error *parser_faults(const struct parser *p) MUST_CHECK;
/* A decimal number between low and high, without leading zeros; `noun` is what it is called in the fault ("port"). */
bool parser_number(struct parser *p, struct str digits, size_t at, const char *noun, unsigned low, unsigned high,
                   unsigned *number);

/* Each begins at the current token and leaves the one behind what it took; false when a fault was noted. */
bool parse_what(struct parser *p, struct what *what);
bool parse_peers(struct parser *p, struct rule *rule);

/* Rules that hold between clauses (rule_normalize.c). NULL or one fault. */
struct error *rule_check_limit(const struct rule *rule) MUST_CHECK;
struct error *rule_check_times(const struct rule *rule) MUST_CHECK;
struct error *rule_check_comment(const struct rule *rule) MUST_CHECK;
struct error *rule_what_normalize(struct arena *arena, struct what *what) MUST_CHECK;
/* Is it a point in time that can be written (years 0001 to 9999)? */
bool time_valid(int64_t time);

#endif
