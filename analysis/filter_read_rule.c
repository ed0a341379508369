/* One rule: its words become matches and a target. Options that every rule has are read here, those of extensions by
 * their tables; options of a protocol without -m belong to that protocol's match, as iptables(8) loads it. */
#include <stdio.h>
#include <string.h>

#include "filter_match.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

/* --- options that every rule has --- */

enum common {
	COMMON_SOURCE,
	COMMON_DESTINATION,
	COMMON_PROTOCOL,
	COMMON_IN,
	COMMON_OUT,
	COMMON_FRAGMENT,
	COMMON_JUMP,
	COMMON_GOTO,
	COMMON_MATCH,
	COMMON_COUNTERS,
	COMMON_FAMILY_4,
	COMMON_FAMILY_6,
	COMMON_NOTHING,
	COMMON_REFUSED,
	COMMON_COUNT,
};

static const struct {
	const char *name;
	enum common what;
} commons[] = {
	{"-s", COMMON_SOURCE},
	{"--source", COMMON_SOURCE},
	{"--src", COMMON_SOURCE},
	{"-d", COMMON_DESTINATION},
	{"--destination", COMMON_DESTINATION},
	{"--dst", COMMON_DESTINATION},
	{"-p", COMMON_PROTOCOL},
	{"--protocol", COMMON_PROTOCOL},
	{"--proto", COMMON_PROTOCOL},
	{"-i", COMMON_IN},
	{"--in-interface", COMMON_IN},
	{"-o", COMMON_OUT},
	{"--out-interface", COMMON_OUT},
	{"-f", COMMON_FRAGMENT},
	{"--fragments", COMMON_FRAGMENT},
	{"-j", COMMON_JUMP},
	{"--jump", COMMON_JUMP},
	{"-g", COMMON_GOTO},
	{"--goto", COMMON_GOTO},
	{"-m", COMMON_MATCH},
	{"--match", COMMON_MATCH},
	{"-c", COMMON_COUNTERS},
	{"--set-counters", COMMON_COUNTERS},
	{"-4", COMMON_FAMILY_4},
	{"--ipv4", COMMON_FAMILY_4},
	{"-6", COMMON_FAMILY_6},
	{"--ipv6", COMMON_FAMILY_6},
	{"-v", COMMON_NOTHING},
	{"--verbose", COMMON_NOTHING},
	{"-t", COMMON_REFUSED},
	{"--table", COMMON_REFUSED},
	/* of commands, which a rule that has one already can't have; here so that what begins like them is ambiguous */
	{"--append", COMMON_REFUSED},
	{"--delete", COMMON_REFUSED},
	{"--check", COMMON_REFUSED},
	{"--insert", COMMON_REFUSED},
	{"--replace", COMMON_REFUSED},
	{"--list", COMMON_REFUSED},
	{"--list-rules", COMMON_REFUSED},
	{"--flush", COMMON_REFUSED},
	{"--zero", COMMON_REFUSED},
	{"--new-chain", COMMON_REFUSED},
	{"--delete-chain", COMMON_REFUSED},
	{"--rename-chain", COMMON_REFUSED},
	{"--policy", COMMON_REFUSED},
	{"--numeric", COMMON_REFUSED},
	{"--wait", COMMON_REFUSED},
	{"--exact", COMMON_REFUSED},
	{"--version", COMMON_REFUSED},
	{"--help", COMMON_REFUSED},
	{"--line-numbers", COMMON_REFUSED},
	{"--modprobe", COMMON_REFUSED},
};

static enum common common_of(struct str word)
{
	for (size_t i = 0; i < sizeof commons / sizeof *commons; i++)
		if (word.n > 1 && commons[i].name[1] == word.p[1] && str_is(word, commons[i].name))
			return commons[i].what;
	return COMMON_COUNT;
}

/* A beginning of a long option that is of one alone, as getopt(3) takes it. */
static enum common common_short_for(struct str word)
{
	enum common what = COMMON_COUNT;

	for (size_t i = 0; i < sizeof commons / sizeof *commons; i++) {
		if (word.n < 3 || strlen(commons[i].name) <= word.n || commons[i].name[1] != '-' ||
		    memcmp(commons[i].name, word.p, word.n) != 0)
			continue;
		if (what != COMMON_COUNT && (what != commons[i].what || what == COMMON_REFUSED))
			return COMMON_REFUSED;
		what = commons[i].what;
	}
	return what;
}

/* --- where we are in the line --- */

static const struct word *next_word(struct cursor *cursor)
{
	return cursor->at < cursor->words->count ? &cursor->words->items[cursor->at++] : NULL;
}

/* The value of an option. Of old, the ! stood before the value: `-s ! 10.0.0.0/8`. */
const struct word *value_of(struct rule_state *rule, struct cursor *cursor, const struct word *option, bool old)
{
	const struct word *word = next_word(cursor);

	if (old && word != NULL && !word->quoted && str_is(word->text, "!") && !cursor->negated) {
		cursor->negated = true;
		word = next_word(cursor);
	}
	if (word == NULL)
		RULE_FAULT(rule, option, NULL, "%.*s needs a value", STR_ARG(option->text));
	return word;
}

/* --- addresses --- */

static void add_address(struct rule_state *rule, struct match_list *list, bool source, const struct word *word,
                        struct str text, bool negated)
{
	struct arena *arena = rule->reader->arena;
	enum family family = rule->reader->family;
	struct buf buf = buf_new(arena);
	struct match match = {.kind = source ? MATCH_SOURCE : MATCH_DESTINATION, .negated = negated};
	struct masked masked;

	if (!value_address(family, text, &masked)) {
		RULE_FAULT(rule, word, "names are not looked up here: write the address",
		           "\"%.*s\" is no IPv%d address or prefix", STR_ARG(text), family);
		return;
	}
	if (!masked.prefix) {
		match.kind = MATCH_CONDITION;
		match.steady = true;
		buf_add(&buf, source ? STR("source ") : STR("destination "));
	} else {
		match.ranges = ARENA_NEW(arena, struct range);
		match.range_count = 1;
		*match.ranges = prefix_range((struct prefix){masked.addr, masked.length});
	}
	masked_print(&buf, &masked);
	match.text = buf_str(&buf);
	APPEND(rule->reader->line_arena, list, match);
}

static void read_addresses(struct rule_state *rule, struct cursor *cursor, const struct word *option, bool source)
{
	struct match_list *list = source ? &rule->sources : &rule->destinations;
	const struct word *word = value_of(rule, cursor, option, true);
	struct str rest, part;

	if (word == NULL)
		return;
	if (list->count > 0) {
		RULE_FAULT(rule, option, NULL, "%.*s stands twice", STR_ARG(option->text));
		return;
	}
	rest = word->text;
	rule->first = *word;
	while (str_cut(&rest, ',', &part))
		add_address(rule, list, source, word, str_trim(part), cursor->negated);
}

/* --- protocol, interfaces --- */

static void read_protocol(struct rule_state *rule, struct cursor *cursor, const struct word *option)
{
	const struct word *word = value_of(rule, cursor, option, true);
	unsigned number;

	if (word == NULL)
		return;
	if (rule->protocol_given) {
		RULE_FAULT(rule, option, NULL, "%.*s stands twice", STR_ARG(option->text));
	} else if (!value_protocol(word->text, &number)) {
		RULE_FAULT(rule, word, "write its number", "nobody knows the protocol \"%.*s\" here",
		           STR_ARG(word->text));
	} else if (number == 0 && cursor->negated) {
		RULE_FAULT(rule, word, NULL, "no packet is of no protocol");
	} else {
		rule->protocol_given = true;
		rule->protocol_negated = cursor->negated;
		rule->protocol = (int)number;
	}
}

/* `where`: the chain whose packets have no such interface yet, or any more. */
static void read_interface(struct rule_state *rule, struct cursor *cursor, const struct word *option, bool in)
{
	const struct word *word = value_of(rule, cursor, option, true);
	bool *given = in ? &rule->in_given : &rule->out_given;

	if (word == NULL)
		return;
	if (*given)
		RULE_FAULT(rule, option, NULL, "%.*s stands twice", STR_ARG(option->text));
	else if (word->text.n == 0 || word->text.n > 15)
		RULE_FAULT(rule, word, NULL, "the name of an interface has 1 to 15 bytes");
	else if (str_is(rule->chain, in ? "OUTPUT" : "INPUT"))
		RULE_FAULT(rule, option, NULL, "packets in %.*s have no %s interface", STR_ARG(rule->chain),
		           in ? "input" : "output");
	*given = true;
	*(in ? &rule->in : &rule->out) = (struct match){
		.kind = in ? MATCH_IN : MATCH_OUT, .negated = cursor->negated, .text = word->text, .name = word->text};
}

/* --- matches and targets --- */

static struct part *add_part(struct rule_state *rule, const struct extension *extension, struct str name,
                             unsigned column)
{
	struct part *part = ARENA_NEW(rule->reader->line_arena, struct part);

	part->extension = extension;
	part->name = name;
	part->column = column;
	if (extension == NULL || extension->open) {
		part->text = ARENA_NEW(rule->reader->line_arena, struct buf);
		*part->text = buf_new(rule->reader->arena);
		buf_add(part->text, name);
	}
	return part;
}

void add_match_part(struct rule_state *rule, const struct extension *extension, struct str name, unsigned column)
{
	struct part *part = add_part(rule, extension, name, column);

	APPEND(rule->reader->line_arena, &rule->parts, part);
}

/* A match that is there for the other family alone is none. */
static void read_match(struct rule_state *rule, struct cursor *cursor, const struct word *option)
{
	const struct word *word = next_word(cursor);
	enum family other = rule->reader->family == FAMILY_4 ? FAMILY_6 : FAMILY_4;
	const struct extension *extension;

	if (word == NULL || word->text.n == 0 || word->text.n > CHAIN_NAME_MAX) {
		RULE_FAULT(rule, option, NULL, "%.*s needs the name of a match", STR_ARG(option->text));
		return;
	}
	extension = extension_match(word->text, rule->reader->family);
	if (cursor->negated)
		RULE_FAULT(rule, option, "put it before the match's option", "! before -m");
	else if (extension == NULL && extension_match(word->text, other) != NULL)
		RULE_FAULT(rule, word, NULL, "the match %.*s is one of IPv%d", STR_ARG(word->text), other);
	else
		add_match_part(rule, extension, word->text, word->column);
}

/* A chain of the name of a target that this host does not have is a chain. */
static void find_target(struct rule_state *rule, const struct word *word)
{
	enum family family = rule->reader->family, other = family == FAMILY_4 ? FAMILY_6 : FAMILY_4;
	const struct extension *extension = extension_target(word->text, family);
	bool chain = find_chain(rule->reader, word->text) != NULL || is_builtin(word->text);

	if (extension != NULL && !(extension->open && chain))
		rule->target = add_part(rule, extension, word->text, word->column);
	else if (extension == NULL && extension_target(word->text, other) != NULL)
		RULE_FAULT(rule, word, NULL, "the target %.*s is one of IPv%d", STR_ARG(word->text), other);
	else if (!chain)
		RULE_FAULT(rule, word, "declare a chain before it is used, with a line that begins with a colon",
		           "there is no chain or target %.*s", STR_ARG(word->text));
}

static void read_target(struct rule_state *rule, struct cursor *cursor, const struct word *option, bool goes)
{
	const struct word *word = next_word(cursor);

	if (word == NULL || word->text.n == 0) {
		RULE_FAULT(rule, option, NULL, "%.*s needs a target", STR_ARG(option->text));
		return;
	}
	if (rule->jumps || rule->goes || cursor->negated) {
		RULE_FAULT(rule, option, NULL, "%s", cursor->negated ? "! before a target" : "a second target");
		return;
	}
	rule->jump = *word;
	rule->goes = goes;
	rule->jumps = !goes;
	if (!goes)
		find_target(rule, word);
	else if (find_chain(rule->reader, word->text) == NULL && !is_builtin(word->text))
		RULE_FAULT(rule, word, "declare it before it is used, with a line that begins with a colon",
		           "there is no chain %.*s", STR_ARG(word->text));
}

/* --- all words --- */

static void read_common(struct rule_state *rule, struct cursor *cursor, const struct word *word, enum common what)
{
	switch (what) {
	case COMMON_SOURCE:
	case COMMON_DESTINATION:
		read_addresses(rule, cursor, word, what == COMMON_SOURCE);
		return;
	case COMMON_PROTOCOL:
		read_protocol(rule, cursor, word);
		return;
	case COMMON_IN:
	case COMMON_OUT:
		read_interface(rule, cursor, word, what == COMMON_IN);
		return;
	case COMMON_JUMP:
	case COMMON_GOTO:
		read_target(rule, cursor, word, what == COMMON_GOTO);
		return;
	case COMMON_MATCH:
		read_match(rule, cursor, word);
		return;
	case COMMON_FRAGMENT:
		if (rule->reader->family == FAMILY_6)
			RULE_FAULT(rule, word, "-m frag is for IPv6", "-f is not for IPv6");
		else if (rule->fragment_given)
			RULE_FAULT(rule, word, NULL, "-f stands twice");
		rule->fragment_given = true;
		rule->fragment_negated = cursor->negated;
		return;
	case COMMON_COUNTERS:
		(void)value_of(rule, cursor, word, false);
		(void)value_of(rule, cursor, word, false);
		return;
	case COMMON_FAMILY_4:
	case COMMON_FAMILY_6:
		rule->other_family |= (what == COMMON_FAMILY_4) != (rule->reader->family == FAMILY_4);
		/* fall through */
	case COMMON_NOTHING:
		if (cursor->negated)
			RULE_FAULT(rule, word, NULL, "! before %.*s", STR_ARG(word->text));
		return;
	case COMMON_REFUSED:
	case COMMON_COUNT:
		break;
	}
	RULE_FAULT(rule, word, NULL, "%.*s can't stand in a rule", STR_ARG(word->text));
}

static void read_word(struct rule_state *rule, struct cursor *cursor)
{
	const struct word *word = next_word(cursor);
	enum common what;
	struct part *unknown;

	cursor->negated = !word->quoted && str_is(word->text, "!");
	if (cursor->negated && (word = next_word(cursor)) == NULL) {
		RULE_FAULT(rule, &cursor->words->items[cursor->at - 1], NULL, "nothing stands behind !");
		return;
	}
	what = common_of(word->text);
	unknown = unknown_part(rule);
	if (what == COMMON_COUNT && unknown == NULL && !may_be_option(rule, word->text))
		what = common_short_for(word->text);
	if (what != COMMON_COUNT)
		read_common(rule, cursor, word, what);
	else if (unknown != NULL && str_starts(word->text, STR("--")))
		read_unknown(rule, cursor, unknown, word);
	else if (str_starts(word->text, STR("--")) && word->text.n > 2)
		read_option(rule, cursor, word);
	else
		RULE_FAULT(rule, word, NULL, "\"%.*s\" was not expected here", STR_ARG(word->text));
}

/* --- the whole --- */

/* /0 is no match; `! 0.0.0.0/0` is one that never holds. */
static bool is_everything(const struct match *match)
{
	return match->range_count == 1 && !match->negated && match->ranges->first == 0 &&
	       match->ranges->last == family_last(match->ranges->family);
}

static void build_common(struct rule_state *rule, size_t source, size_t destination)
{
	struct arena *arena = rule->reader->arena, *line_arena = rule->reader->line_arena;

	if (source < rule->sources.count && !is_everything(&rule->sources.items[source]))
		APPEND(line_arena, &rule->matches, rule->sources.items[source]);
	if (destination < rule->destinations.count && !is_everything(&rule->destinations.items[destination]))
		APPEND(line_arena, &rule->matches, rule->destinations.items[destination]);
	if (rule->in_given && !(str_is(rule->in.name, "+") && !rule->in.negated))
		APPEND(line_arena, &rule->matches, rule->in);
	if (rule->out_given && !(str_is(rule->out.name, "+") && !rule->out.negated))
		APPEND(line_arena, &rule->matches, rule->out);
	if (rule->protocol_given && rule->protocol != 0) {
		struct match *match = add_match(rule, MATCH_PROTOCOL, rule->protocol_negated,
		                                str_format(arena, "protocol %d", rule->protocol));

		match->numbers = ARENA_NEW(arena, struct numbers);
		match->number_count = 1;
		*match->numbers = (struct numbers){(unsigned)rule->protocol, (unsigned)rule->protocol};
	}
	if (rule->fragment_given)
		add_match(rule, MATCH_FRAGMENT, rule->fragment_negated, STR("fragment"));
}

static bool negated(const struct match_list *list)
{
	return list->count > 0 && list->items[0].negated;
}

static void add_rule(struct rule_state *rule, struct rule_entries *rules)
{
	struct arena *arena = rule->reader->arena;
	struct rule_entry *entry = ARENA_NEW(arena, struct rule_entry);
	struct match *matches = ARENA_ARRAY(arena, struct match, rule->matches.count);
	const struct extension *target = rule->target != NULL ? rule->target->extension : NULL;

	if (rule->matches.count > 0)
		memcpy(matches, rule->matches.items, rule->matches.count * sizeof *matches);
	entry->rule = (struct filter_rule){
		.line = rule->reader->number,
		.text = rule->reader->line,
		.matches = matches,
		.match_count = rule->matches.count,
		.comment = rule->comment,
		.target = target != NULL ? target->target
	                  : rule->goes   ? TARGET_GOTO
	                                 : TARGET_JUMP,
		.target_text = target != NULL ? target_text(rule, rule->target) : rule->jump.text,
	};
	if (!rule->jumps && !rule->goes)
		entry->rule.target = TARGET_NONE;
	else if (target == NULL)
		entry->jump = rule->jump.text;
	entry->column = rule->jump.column;
	entry->hooks = rule->hooks;
	entry->hooks_why = rule->hooks_why;
	APPEND(rule->reader->line_arena, rules, entry);
}

static void build_rules(struct rule_state *rule, struct rule_entries *rules)
{
	size_t sources, destinations;

	if ((rule->sources.count > 1 || rule->destinations.count > 1) &&
	    (negated(&rule->sources) || negated(&rule->destinations)))
		RULE_FAULT(rule, &rule->first, "write one rule for each", "! with several addresses");
	sources = rule->sources.count > 0 ? rule->sources.count : 1;
	destinations = rule->destinations.count > 0 ? rule->destinations.count : 1;
	for (size_t i = 0; i < sources * destinations && !rule->fault; i++) {
		rule->matches = (struct match_list){0};
		build_common(rule, i / destinations, i % destinations);
		for (size_t k = 0; k < rule->parts.count; k++)
			part_build(rule, rule->parts.items[k]);
		if (!rule->fault)
			add_rule(rule, rules);
	}
}

bool rule_read(struct reader *reader, const struct words *words, size_t from, struct str chain,
               struct rule_entries *rules)
{
	struct rule_state rule = {.reader = reader, .chain = chain, .protocol = -1};
	struct cursor cursor = {.words = words, .at = from};

	while (cursor.at < words->count && !rule.fault && !rule.other_family)
		read_word(&rule, &cursor);
	if (rule.other_family && !rule.fault)
		reader->passed_over++; /* of a file for both families */
	else if (!rule.fault)
		build_rules(&rule, rules);
	return !rule.fault;
}
