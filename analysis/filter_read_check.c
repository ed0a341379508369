/* The end of reading: names of chains become numbers; a jump that leads nowhere or around, and what the kernel does not
 * take where a chain is reached from, are faults. */
#include "filter_read.h"
#include "fleetwall/arena.h"
#include "fleetwall/names.h"

struct check {
	struct reader *reader;
	struct filter *filter;
	uint32_t *numbers;            /* of a chain entry: its place in the filter */
	struct chain_entry **entries; /* of a chain of the filter */
	/* for the walk */
	enum { NEW, OPEN, DONE } * marks;
	size_t *next;    /* the rule where the walk goes on */
	uint32_t *order; /* chains, those that are jumped to first */
	size_t order_count;
	unsigned *hooks; /* enum hook, as bits: from where a chain is reached */
};

static void at_rule(struct check *check, const struct rule_entry *entry)
{
	check->reader->number = entry->rule.line;
	check->reader->line = entry->rule.text;
}

/* --- numbers --- */

static void number_chains(struct check *check)
{
	struct reader *reader = check->reader;
	uint32_t count = 0;

	check->numbers = ARENA_ARRAY(reader->arena, uint32_t, reader->chains.count);
	check->entries = ARENA_ARRAY(reader->arena, struct chain_entry *, reader->chains.count);
	for (size_t i = 0; i < reader->chains.count; i++) {
		if (!reader->chains.items[i].there)
			continue;
		check->entries[count] = &reader->chains.items[i];
		check->numbers[i] = count++;
	}
	check->filter->chain_count = count;
	check->filter->chains = ARENA_ARRAY(reader->arena, struct filter_chain, count);
}

static void find_jump(struct check *check, struct rule_entry *entry)
{
	struct reader *reader = check->reader;
	uint32_t number = names_find(reader->names, entry->jump);
	bool there = number != NAMES_NONE && reader->chains.items[number].there;

	if (entry->jump.n == 0)
		return;
	if (there && !reader->chains.items[number].builtin) {
		entry->rule.chain = check->numbers[number];
		return;
	}
	at_rule(check, entry);
	reader_fault(reader, entry->column, NULL, "%.*s can't be jumped to", STR_ARG(entry->jump));
}

static void find_jumps(struct check *check)
{
	for (size_t i = 0; i < check->filter->chain_count; i++) {
		struct rule_entries *rules = &check->entries[i]->rules;

		for (size_t k = 0; k < rules->count; k++)
			find_jump(check, rules->items[k]);
	}
}

/* --- loops --- */

static bool jumps(const struct rule_entry *entry)
{
	return entry->rule.target == TARGET_JUMP || entry->rule.target == TARGET_GOTO;
}

/* One step of the walk from `at`: the chain to go into, or NAMES_NONE when it is done. */
static uint32_t step(struct check *check, uint32_t at)
{
	struct rule_entries *rules = &check->entries[at]->rules;

	while (check->next[at] < rules->count) {
		struct rule_entry *entry = rules->items[check->next[at]++];

		if (!jumps(entry) || check->marks[entry->rule.chain] == DONE)
			continue;
		if (check->marks[entry->rule.chain] == NEW)
			return entry->rule.chain;
		at_rule(check, entry);
		reader_fault(check->reader, entry->column, "a packet would go around for ever",
		             "the chain %.*s reaches itself", STR_ARG(entry->jump));
	}
	return NAMES_NONE;
}

static void walk(struct check *check, uint32_t from, uint32_t *stack)
{
	size_t depth = 0;

	if (check->marks[from] != NEW)
		return;
	stack[depth++] = from;
	check->marks[from] = OPEN;
	while (depth > 0) {
		uint32_t at = stack[depth - 1], into = step(check, at);

		if (into != NAMES_NONE) {
			check->marks[into] = OPEN;
			stack[depth++] = into;
			continue;
		}
		check->marks[at] = DONE;
		check->order[check->order_count++] = at;
		depth--;
	}
}

static void find_loops(struct check *check)
{
	struct arena *arena = check->reader->arena;
	size_t count = check->filter->chain_count;
	uint32_t *stack = ARENA_ARRAY(arena, uint32_t, count);

	check->marks = arena_array(arena, count, sizeof *check->marks, _Alignof(unsigned));
	check->next = ARENA_ARRAY(arena, size_t, count);
	check->order = ARENA_ARRAY(arena, uint32_t, count);
	for (uint32_t i = 0; i < count; i++)
		walk(check, i, stack);
}

/* --- where a chain is reached from --- */

static unsigned hook_of(struct str name)
{
	return str_is(name, "INPUT") ? HOOK_INPUT : str_is(name, "FORWARD") ? HOOK_FORWARD : HOOK_OUTPUT;
}

static void check_hooks(struct check *check, struct rule_entry *entry, unsigned reached)
{
	unsigned wrong = entry->hooks & reached;

	if (jumps(entry))
		check->hooks[entry->rule.chain] |= reached;
	if (wrong == 0)
		return;
	at_rule(check, entry);
	reader_fault(check->reader, 0, NULL, "%.*s can't be used in %s", STR_ARG(entry->hooks_why),
	             wrong & HOOK_INPUT     ? "INPUT"
	             : wrong & HOOK_FORWARD ? "FORWARD"
	                                    : "OUTPUT");
}

/* Backwards through the order: all that jump to a chain come before it. */
static void find_hooks(struct check *check)
{
	check->hooks = ARENA_ARRAY(check->reader->arena, unsigned, check->filter->chain_count);
	for (size_t i = check->order_count; i > 0; i--) {
		uint32_t at = check->order[i - 1];
		struct chain_entry *chain = check->entries[at];

		if (chain->builtin)
			check->hooks[at] |= hook_of(chain->name);
		for (size_t k = 0; k < chain->rules.count; k++)
			check_hooks(check, chain->rules.items[k], check->hooks[at]);
	}
}

/* --- what changes on the way --- */

/* A list of sets changes with any of them. */
static bool set_changes(const struct reader *reader, struct str name)
{
	const struct filter_set *set = reader->sets != NULL ? filter_set(reader->sets, name) : NULL;

	if (set != NULL && str_is(set->type, "list:set") && reader->changed_sets.count > 0)
		return true;
	return str_among(name, reader->changed_sets.items, reader->changed_sets.count);
}

/* A set that a rule changes is not what its file says; a mark that one sets is not what it was. */
static void unsettle(const struct reader *reader, struct match *match)
{
	if (match->name.n > 0 && (match->kind == MATCH_SET || match->kind == MATCH_CONDITION) &&
	    set_changes(reader, match->name)) {
		match->kind = MATCH_CONDITION;
		match->steady = false;
	}
	if (match->kind == MATCH_CONDITION && ((reader->changes_mark && str_starts(match->text, STR("mark "))) ||
	                                       (reader->changes_connmark && str_starts(match->text, STR("connmark ")))))
		match->steady = false;
}

static void unsettle_rules(struct check *check)
{
	const struct reader *reader = check->reader;

	if (!reader->changes_mark && !reader->changes_connmark && reader->changed_sets.count == 0)
		return;
	for (size_t i = 0; i < check->filter->chain_count; i++) {
		const struct filter_chain *chain = &check->filter->chains[i];

		for (size_t k = 0; k < chain->rule_count; k++)
			for (size_t m = 0; m < chain->rules[k].match_count; m++)
				unsettle(reader, &chain->rules[k].matches[m]);
	}
}

/* --- the model --- */

static void fill_chain(struct check *check, size_t at)
{
	const struct chain_entry *entry = check->entries[at];
	struct filter_rule *rules = ARENA_ARRAY(check->reader->arena, struct filter_rule, entry->rules.count);

	for (size_t i = 0; i < entry->rules.count; i++)
		rules[i] = entry->rules.items[i]->rule;
	check->filter->chains[at] = (struct filter_chain){
		.name = entry->name,
		.line = entry->line,
		.builtin = entry->builtin,
		.policy = entry->policy,
		.rules = rules,
		.rule_count = entry->rules.count,
	};
}

struct filter *filter_finish(struct reader *reader, size_t foreign_lines)
{
	struct check check = {.reader = reader, .filter = ARENA_NEW(reader->arena, struct filter)};
	size_t faults;

	*check.filter = (struct filter){.family = reader->family, .file = reader->file, .foreign_lines = foreign_lines};
	number_chains(&check);
	faults = reader->fault_count;
	find_jumps(&check);
	if (reader->fault_count == faults) {
		find_loops(&check);
		find_hooks(&check);
	}
	for (size_t i = 0; i < check.filter->chain_count; i++)
		fill_chain(&check, i);
	unsettle_rules(&check);
	return check.filter;
}
