/* The commands of a filter table: rules appended, inserted, replaced and deleted, chains made, flushed and deleted, as
 * iptables(8) does them in a table that begins empty. What a rule says is read in filter_read_rule.c. */
#include "filter_read.h"

#include "fleetwall/arena.h"

/* --- commands --- */

struct command_line {
	struct reader *reader;
	const struct words *words;
	struct chain_entry *chain; /* of commands that have one */
	struct str name;           /* its name: the entry may move */
};

static void insert(struct reader *reader, struct rule_entries *rules, size_t at, const struct rule_entries *added)
{
	for (size_t i = 0; i < added->count; i++)
		APPEND(reader->arena, rules, NULL);
	for (size_t i = rules->count; i > at + added->count; i--)
		rules->items[i - 1] = rules->items[i - 1 - added->count];
	for (size_t i = 0; i < added->count; i++)
		rules->items[at + i] = added->items[i];
}

static void append_rules(struct command_line *line)
{
	struct rule_entries rules = {0};

	if (!rule_read(line->reader, line->words, 2, line->name, &rules))
		return;
	for (size_t i = 0; i < rules.count; i++)
		APPEND(line->reader->arena, &line->chain->rules, rules.items[i]);
}

/* A number behind the chain, where there may be one; 0: none. False after a fault. */
static bool number_behind(struct command_line *line, size_t last, uint64_t *number)
{
	const struct word *word = &line->words->items[2];

	*number = 0;
	if (line->words->count < 3 || !str_number(word->text, UINT32_MAX, number))
		return true;
	if (*number >= 1 && *number <= last)
		return true;
	reader_fault(line->reader, word->column, NULL, "the chain %.*s has no place %llu", STR_ARG(line->name),
	             (unsigned long long)*number);
	return false;
}

/* Several at once stand there the other way round, as iptables puts each before the last. */
static void insert_rules(struct command_line *line)
{
	struct rule_entries rules = {0};
	uint64_t place;

	if (!number_behind(line, line->chain->rules.count + 1, &place) ||
	    !rule_read(line->reader, line->words, place > 0 ? 3 : 2, line->name, &rules))
		return;
	for (size_t i = 0; i < rules.count / 2; i++) {
		struct rule_entry *other = rules.items[i];

		rules.items[i] = rules.items[rules.count - 1 - i];
		rules.items[rules.count - 1 - i] = other;
	}
	insert(line->reader, &line->chain->rules, place > 0 ? place - 1 : 0, &rules);
}

static void replace_rule(struct command_line *line)
{
	struct rule_entries rules = {0};
	uint64_t place;

	if (!number_behind(line, line->chain->rules.count, &place))
		return;
	if (place == 0)
		reader_fault(line->reader, 0, NULL, "-R needs the number of a rule");
	else if (rule_read(line->reader, line->words, 3, line->name, &rules)) {
		if (rules.count == 1)
			line->chain->rules.items[place - 1] = rules.items[0];
		else
			reader_fault(line->reader, 0, NULL, "-R with several addresses");
	}
}

static bool same_rule(const struct rule_entry *a, const struct rule_entry *b)
{
	if (a->rule.match_count != b->rule.match_count || a->rule.target != b->rule.target ||
	    !str_eq(a->rule.target_text, b->rule.target_text) || !str_eq(a->rule.comment, b->rule.comment))
		return false;
	for (size_t i = 0; i < a->rule.match_count; i++) {
		const struct match *x = &a->rule.matches[i], *y = &b->rule.matches[i];

		if (x->kind != y->kind || x->negated != y->negated || !str_eq(x->text, y->text))
			return false;
	}
	return true;
}

static void remove_at(struct rule_entries *rules, size_t at)
{
	for (size_t i = at + 1; i < rules->count; i++)
		rules->items[i - 1] = rules->items[i];
	rules->count--;
}

static void delete_like(struct command_line *line, const struct rule_entry *wanted)
{
	struct rule_entries *rules = &line->chain->rules;

	for (size_t i = 0; i < rules->count; i++)
		if (same_rule(rules->items[i], wanted)) {
			remove_at(rules, i);
			return;
		}
	reader_fault(line->reader, 0, "nothing is there before the first line of a file",
	             "the chain %.*s has no such rule", STR_ARG(line->name));
}

static void delete_rules(struct command_line *line)
{
	struct rule_entries rules = {0};
	uint64_t place;

	if (!number_behind(line, line->chain->rules.count, &place))
		return;
	if (place > 0) {
		remove_at(&line->chain->rules, place - 1);
		return;
	}
	if (!rule_read(line->reader, line->words, 2, line->name, &rules))
		return;
	for (size_t i = 0; i < rules.count; i++)
		delete_like(line, rules.items[i]);
}

static void new_chain(struct command_line *line)
{
	const struct word *word = &line->words->items[1];

	if (!name_fits(line->reader, word))
		return;
	if (find_chain(line->reader, word->text) != NULL || is_builtin(word->text))
		reader_fault(line->reader, word->column, NULL, "the chain %.*s is there already", STR_ARG(word->text));
	else
		make_chain(line->reader, word->text);
}

static void policy(struct command_line *line)
{
	if (line->words->count != 3)
		reader_fault(line->reader, 0, "write -P CHAIN ACCEPT or -P CHAIN DROP", "a policy was expected");
	else
		set_policy(line->reader, line->chain, &line->words->items[2]);
}

/* -F and -X: one chain, or all. */
static void flush(struct command_line *line)
{
	if (line->chain != NULL) {
		line->chain->rules.count = 0;
		return;
	}
	for (size_t i = 0; i < line->reader->chains.count; i++)
		line->reader->chains.items[i].rules.count = 0;
}

static bool is_used(const struct reader *reader, struct str name)
{
	for (size_t i = 0; i < reader->chains.count; i++) {
		const struct chain_entry *chain = &reader->chains.items[i];

		for (size_t k = 0; chain->there && k < chain->rules.count; k++)
			if (str_eq(chain->rules.items[k]->jump, name))
				return true;
	}
	return false;
}

static void delete_chain(struct command_line *line, struct chain_entry *chain)
{
	if (chain->builtin)
		reader_fault(line->reader, 0, NULL, "the chain %.*s can't be deleted", STR_ARG(chain->name));
	else if (chain->rules.count > 0 || is_used(line->reader, chain->name))
		reader_fault(line->reader, 0, "flush it first", "the chain %.*s is not empty, or in use",
		             STR_ARG(chain->name));
	else
		chain->there = false;
}

static void delete_chains(struct command_line *line)
{
	if (line->chain != NULL) {
		delete_chain(line, line->chain);
		return;
	}
	for (size_t i = 0; i < line->reader->chains.count; i++)
		if (line->reader->chains.items[i].there && !line->reader->chains.items[i].builtin)
			delete_chain(line, &line->reader->chains.items[i]);
}

static void zero(struct command_line *line)
{
	(void)line; /* counters are not kept */
}

static const struct command {
	const char *name, *other;
	bool chain;  /* there must be one, and it must be there */
	bool may;    /* there may be one */
	size_t most; /* so many words */
	void (*run)(struct command_line *line);
} commands[] = {
	{"-A", "--append", true, false, WORDS_MAX, append_rules},
	{"-I", "--insert", true, false, WORDS_MAX, insert_rules},
	{"-D", "--delete", true, false, WORDS_MAX, delete_rules},
	{"-R", "--replace", true, false, WORDS_MAX, replace_rule},
	{"-P", "--policy", true, false, 3, policy},
	{"-N", "--new-chain", false, false, 2, new_chain},
	{"-F", "--flush", true, true, 2, flush},
	{"-X", "--delete-chain", true, true, 2, delete_chains},
	{"-Z", "--zero", true, true, 2, zero},
};

static const struct command *command_of(struct str word)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (str_is(word, commands[i].name) || str_is(word, commands[i].other))
			return &commands[i];
	return NULL;
}

void command_run(struct reader *reader, const struct words *words)
{
	const struct command *command = command_of(words->items[0].text);
	struct command_line line = {.reader = reader, .words = words};

	if (command == NULL) {
		reader_fault(reader, words->items[0].column, "a rule begins with -A and its chain",
		             "\"%.*s\" is no command for a chain", STR_ARG(words->items[0].text));
		return;
	}
	if (words->count < 2 && !command->may) {
		reader_fault(reader, 0, NULL, "%s needs the name of a chain", command->name);
		return;
	}
	if (words->count > command->most) {
		reader_fault(reader, words->items[command->most].column, NULL, "\"%.*s\" was not expected here",
		             STR_ARG(words->items[command->most].text));
		return;
	}
	if (command->chain && words->count > 1) {
		line.chain = chain_of(reader, &words->items[1]);
		line.name = words->items[1].text;
		if (line.chain == NULL)
			return;
	}
	command->run(&line);
}
