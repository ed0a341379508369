/* The vocabulary of the rule language, for the files rule*.c and names_check.c alone: tables of words, look-up in any
 * case, the nearest word, and how a word of the user's is shown in a message. */
#ifndef FLEETWALL_RULE_WORDS_H
#define FLEETWALL_RULE_WORDS_H

#include "fleetwall/rule.h"

/* A row with text NULL ends a table. */
struct word {
	const char *text;
	int value;
};

enum clause { CLAUSE_FROM, CLAUSE_TO, CLAUSE_ON, CLAUSE_LOG, CLAUSE_LIMIT, CLAUSE_SINCE, CLAUSE_UNTIL };

extern const struct word word_actions[];   /* enum action */
extern const struct word word_clauses[];   /* enum clause */
extern const struct word word_units[];     /* enum limit_unit */
extern const struct word word_protocols[]; /* protocol numbers; without icmp, icmpv4, icmpv6 */
extern const struct word word_icmp[];      /* the three of them: 4, 6, 46 for the families */
extern const struct word word_types[];     /* enum icmp_name */

bool word_is(struct str s, const char *lower);
bool word_find(const struct word *table, struct str s, int *value);
/* The first word of this value; NULL if there is none. */
const char *word_of(const struct word *table, int value);
/* The word that was probably meant, {NULL, 0} if none is near. `also` (may be NULL) is a second table. */
struct str word_nearest(const struct word *table, const struct word *also, struct str s);
/* Is it a keyword or a protocol, so that no service may be named so? */
bool word_reserved(struct str s);

bool word_digits(struct str s); /* at least one, and nothing else */

/* A word as a message shows it: cut after some 80 bytes, everything but printable ASCII as \xNN.
 *     printf("%s", word_shown(s).text) */
#define WORD_SHOWN_MAX 80
struct word_shown {
	char text[4 * WORD_SHOWN_MAX + 6]; /* with "..." and, for lex_shown(), quotes */
};
struct word_shown word_shown(struct str s);

#endif
