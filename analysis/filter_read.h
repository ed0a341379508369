/* What the files of the reader share: words of a line, faults, rules and chains before their jumps are found. Nothing
 * outside filter_*.c includes it. */
#ifndef ANALYSIS_FILTER_READ_H
#define ANALYSIS_FILTER_READ_H

#include "fleetwall/filter.h"

#define FAULTS_MAX 20
#define WORDS_MAX 250 /* iptables-restore takes 255 with its own */
#define WORD_BYTES_MAX 1023
#define LINE_BYTES_MAX 10238
#define CHAIN_NAME_MAX 28
#define COMMENT_MAX 255 /* what is longer is cut */

struct word {
	struct str text;
	unsigned column; /* from 1 */
	bool quoted;
};
struct words {
	struct word items[WORDS_MAX];
	size_t count;
};

/* A rule whose jump is a name yet. */
struct rule_entry {
	struct filter_rule rule;
	struct str jump;
	unsigned column;      /* of the name */
	unsigned hooks;       /* enum hook, as bits: where its matches and target can't stand */
	struct str hooks_why; /* the match or target that can't */
};
struct rule_entries {
	struct rule_entry **items;
	size_t count, capacity;
};
struct chain_entry {
	struct str name;
	unsigned line;
	bool builtin, there;
	bool dropped; /* its policy was DROP in a filter table before this one, which has not named any yet */
	enum target_kind policy;
	struct rule_entries rules;
};

enum hook { HOOK_INPUT = 1, HOOK_FORWARD = 2, HOOK_OUTPUT = 4, HOOKS_ALL = 7 };

struct reader {
	struct arena *arena;
	struct arena *line_arena; /* for what is needed while a line is read */
	enum family family;
	struct str file;
	const struct filter_sets *sets;
	struct error *faults;
	size_t fault_count;
	bool no_escapes; /* a backslash is a character like others */
	/* the line that is read */
	unsigned number;
	struct str line;
	/* the filter table */
	struct names *names;
	struct {
		struct chain_entry *items; /* as `names` numbers them */
		size_t count, capacity;
	} chains;
	size_t passed_over; /* lines of the other family */
	/* what rules change on a packet's way: then what asks for it is not the same answer all the way */
	bool changes_mark, changes_connmark;
	struct {
		struct str *items;
		size_t count, capacity;
	} changed_sets;
};

/* A fault at a column of the present line (0: the line as a whole). The hint may be NULL. */
void reader_fault(struct reader *reader, unsigned column, const char *hint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

struct chain_entry *find_chain(struct reader *reader, struct str name); /* NULL if it is not there */
struct chain_entry *make_chain(struct reader *reader, struct str name); /* anew, and empty */
bool is_builtin(struct str name);
/* These tell what is wrong. The kernel's own chains are there without being declared. */
bool name_fits(struct reader *reader, const struct word *word);
struct chain_entry *chain_of(struct reader *reader, const struct word *word);
void set_policy(struct reader *reader, struct chain_entry *chain, const struct word *word);

/* --- filter_read_commands.c --- */

void command_run(struct reader *reader, const struct words *words);

/* --- filter_read_words.c --- */

/* The words of a line as iptables-restore cuts it. False after a fault. `offset` is where the text begins in the line.
 */
bool words_read(struct reader *reader, struct str text, size_t offset, struct words *words);

/* --- filter_read_rule.c --- */

/* The rules that the words from `from` on say, without their command and chain; several if there are several addresses.
 * False after a fault. */
bool rule_read(struct reader *reader, const struct words *words, size_t from, struct str chain,
               struct rule_entries *rules);

/* --- filter_read_check.c --- */

/* Jumps become numbers; what leads nowhere or around is a fault. */
struct filter *filter_finish(struct reader *reader, size_t foreign_lines);

#endif
