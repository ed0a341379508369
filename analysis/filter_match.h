/* What the files that read matches and targets share: the table of extensions and their options, values, and the rule
 * that is being read. Nothing outside filter_*.c includes it. */
#ifndef ANALYSIS_FILTER_MATCH_H
#define ANALYSIS_FILTER_MATCH_H

#include "filter_read.h"

struct buf;

/* --- extensions: filter_match_table.c, filter_match_targets.c --- */

/* What an option's value is; it decides what is refused, and how it is spelled in a condition's name. */
enum value_kind {
	VALUE_NONE,
	VALUE_TEXT,       /* anything */
	VALUE_NUMBER,     /* up to `max` */
	VALUE_NUMBERS,    /* N, N:N, N:, :N up to `max` */
	VALUE_MARK,       /* N[/MASK] of 32 bits */
	VALUE_ADDRESS,    /* an address with a mask */
	VALUE_HOST,       /* an address */
	VALUE_PORTS,      /* a port or a range of them: names too */
	VALUE_WORDS,      /* of a list, in any case, put in order */
	VALUE_BEGINNINGS, /* the same, and each may be short for the first of the list that begins so */
	VALUE_INTERFACE,
	VALUE_RATE,
	VALUE_MAC,
	VALUE_PROBABILITY, /* 0 to 1, in parts of 2^31 as the kernel keeps it */
	VALUE_GROUP,       /* as a mark, or a name that this machine has for one */
	VALUE_FROM,        /* N, N:, N:N */
};

struct option {
	const char *name; /* without the dashes */
	enum value_kind kind;
	bool inverts; /* may stand behind ! */
	unsigned char words;
	const char *same; /* the option of which this is another name */
	uint32_t max;
	const char *list; /* of VALUE_WORDS: "A,B,C" */
};

struct rule_state;
struct part;

enum families { BOTH = 3, ONLY_4 = 1, ONLY_6 = 2 };

struct extension {
	const char *name;
	enum families families;
	bool apart; /* a match: each of its options is a condition by itself */
	bool steady;
	bool bare;          /* it may stand without options */
	bool open;          /* its options are not known here */
	const char *needs;  /* options that must be there, "a,b" */
	const char *one_of; /* options of which exactly one must be */
	int protocol;       /* needs -p of this number; 0: none; -1: of one that has ports */
	unsigned hooks;     /* where it can't stand */
	void (*build)(struct rule_state *rule, struct part *part); /* a match; NULL: conditions */
	enum target_kind target;
	const struct option *options;
	size_t count;
};

/* NULL if there is none. */
const struct extension *extension_match(struct str name, enum family family);
const struct extension *extension_target(struct str name, enum family family);
/* The match that options of a protocol without -m belong to, or NULL. */
const struct extension *extension_of_protocol(unsigned protocol, enum family family);

/* --- a rule while it is read: filter_read_rule.c --- */

struct given {
	const struct option *option;
	bool negated;
	struct word at; /* the option */
	struct word values[2];
};

/* A match or a target with its options. */
struct part {
	const struct extension *extension; /* NULL: nobody knows it */
	struct str name;
	unsigned column;
	struct given *items;
	size_t count, capacity;
	struct buf *text; /* of one whose options nobody knows: its words */
};

struct match_list {
	struct match *items;
	size_t count, capacity;
};

struct rule_state {
	struct reader *reader;
	struct str chain;
	struct match_list matches;
	struct match_list sources, destinations;
	struct word first; /* the last word of addresses, for faults */
	int protocol;      /* -1: none, or negated */
	bool protocol_given, protocol_negated;
	struct match in, out;
	bool in_given, out_given, fragment_given, fragment_negated;
	struct {
		struct part **items;
		size_t count, capacity;
	} parts;
	struct part *target;
	struct str comment;
	bool comment_given, jumps, goes; /* -j, -g */
	struct word jump;
	unsigned hooks;
	struct str hooks_why;
	bool fault, other_family;
};

/* A fault of the rule, at a word. */
#define RULE_FAULT(rule, word, ...)                                        \
	do {                                                               \
		(rule)->fault = true;                                      \
		reader_fault((rule)->reader, (word)->column, __VA_ARGS__); \
	} while (0)

/* Where the reading of the words is. */
struct cursor {
	const struct words *words;
	size_t at;
	bool negated; /* a ! stands before */
};

/* The value of an option; NULL after a fault. `old`: a ! may stand before it. */
const struct word *value_of(struct rule_state *rule, struct cursor *cursor, const struct word *option, bool old);
void add_match_part(struct rule_state *rule, const struct extension *extension, struct str name, unsigned column);

/* --- filter_read_options.c --- */

void read_option(struct rule_state *rule, struct cursor *cursor, const struct word *word);
/* Could it be short for an option of the extensions that were named? */
bool may_be_option(struct rule_state *rule, struct str word);
/* The extension that nobody knows, if it is the last that was named: what follows is its own. */
struct part *unknown_part(struct rule_state *rule);
void read_unknown(struct rule_state *rule, struct cursor *cursor, struct part *part, const struct word *word);

/* --- filter_match.c, filter_match_condition.c --- */

/* Appends what the part says to the rule's matches. */
void part_build(struct rule_state *rule, struct part *part);
void build_conditions(struct rule_state *rule, struct part *part);
/* The part as one condition: for an extension that nobody knows its words, else its options in one order. */
void build_condition(struct rule_state *rule, struct part *part);
/* One option of it as a condition. */
void add_option_condition(struct rule_state *rule, const struct part *part, const struct given *given);
/* `text`, and behind it the options but one. */
struct str add_other_options(struct rule_state *rule, const struct part *part, const struct given *but,
                             struct str text);
struct match *add_match(struct rule_state *rule, enum match_kind kind, bool negated, struct str text);
/* The rule can't be reached from these hooks, for the reason of this match or target. */
void not_in(struct rule_state *rule, unsigned hooks, const char *why);
const struct given *part_option(const struct part *part, const char *name);
/* "LOG --log-prefix x": name and options as they count. */
struct str target_text(struct rule_state *rule, const struct part *part);

void build_ports(struct rule_state *rule, struct part *part);
void build_multiport(struct rule_state *rule, struct part *part);
void build_icmp(struct rule_state *rule, struct part *part);
void build_state(struct rule_state *rule, struct part *part);
void build_conntrack(struct rule_state *rule, struct part *part);
void build_iprange(struct rule_state *rule, struct part *part);
void build_set(struct rule_state *rule, struct part *part);
/* "src,dst" has two; 0: it is none. */
size_t set_dimensions(struct str text);
void build_comment(struct rule_state *rule, struct part *part);
void build_addrtype(struct rule_state *rule, struct part *part);
void build_header(struct rule_state *rule, struct part *part);
void build_limit(struct rule_state *rule, struct part *part);
void build_hashlimit(struct rule_state *rule, struct part *part);
void build_time(struct rule_state *rule, struct part *part);

/* --- filter_match_rare.c --- */

void build_recent(struct rule_state *rule, struct part *part);
void build_connlimit(struct rule_state *rule, struct part *part);
void build_string(struct rule_state *rule, struct part *part);
void build_statistic(struct rule_state *rule, struct part *part);
void build_pkttype(struct rule_state *rule, struct part *part);
void build_tos(struct rule_state *rule, struct part *part);
void build_dscp(struct rule_state *rule, struct part *part);
void build_ecn(struct rule_state *rule, struct part *part);
void build_policy(struct rule_state *rule, struct part *part);
/* Are the options that it needs there, and those that shut each other out not? Tells what is wrong. */
bool options_fit(struct rule_state *rule, const struct part *part);

/* --- filter_match_icmp.c --- */

/* "echo-request", "8", "3/4", "any"; NULL, or what is wrong with it. */
const char *icmp_read(enum family family, struct str text, struct numbers *numbers);

/* --- filter_match_values.c --- */

/* As strtoul(3) with base 0, without sign and blanks. */
bool value_number(struct str text, uint64_t max, uint64_t *number);
bool value_protocol(struct str text, unsigned *number); /* names in any case; 0 is all */
bool value_port(struct str text, unsigned *port);
bool value_ports(struct str text, struct numbers *ports); /* "22", "80:90", ":90", "80:" */
/* An address with a mask, "10.0.0.0/8", "10/8", "::/ffff::"; host bits are put to zero. */
struct masked {
	struct addr addr, mask;
	bool prefix; /* the mask is one */
	unsigned length;
};
bool value_address(enum family family, struct str text, struct masked *masked);
bool value_host(enum family family, struct str text, struct addr *addr);
void masked_print(struct buf *buf, const struct masked *masked);
/* The value as it counts, appended to `buf`. False: it is none of the kind. */
bool value_spell(struct buf *buf, enum family family, const struct option *option, struct str text);
/* Is it one of the comma separated list (any case)? Its place there; -1: it is not. */
int value_word(const char *list, struct str word);
int value_beginning(const char *list, struct str word); /* as VALUE_BEGINNINGS */
/* "6/min": false if it is none. */
bool value_rate(struct str text, struct filter_rate *rate);
bool value_time(struct str text, int64_t *seconds); /* YYYY[-MM[-DD[Thh[:mm[:ss]]]]] */
bool value_daytime(struct str text, unsigned *seconds);

/* --- filter_match_names.c --- */

/* Parts of a second in which the kernel keeps a rate. */
enum rate_scale { SCALE_LIMIT = 10000, SCALE_HASHLIMIT = 1000000 };

uint64_t rate_period(enum rate_scale scale, uint64_t count, unsigned seconds);
void rate_print(struct buf *buf, enum rate_scale scale, uint64_t period);
void time_print_utc(struct buf *buf, int64_t seconds);

#endif
