/* Options of matches and targets: whose an option is, which value belongs to it, and where the words of an extension
 * end that nobody knows here. */
#include <string.h>

#include "filter_match.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

/* How an option was found: nothing, one, or several that it could be short for. */
struct found {
	struct part *part;
	const struct option *option;
	size_t others;
	bool exact;
};

static void look_in(struct found *found, struct part *part, struct str name)
{
	const struct extension *extension = part->extension;

	for (size_t i = 0; extension != NULL && i < extension->count && !found->exact; i++) {
		const struct option *option = &extension->options[i];
		size_t length = strlen(option->name);

		if (length < name.n || memcmp(option->name, name.p, name.n) != 0)
			continue;
		found->exact = length == name.n;
		if (found->option == NULL || found->exact) {
			found->part = part;
			found->option = option;
		} else {
			found->others++;
		}
	}
}

/* The latest extension comes first, as getopt(3) sees them. */
static struct found look_up(struct rule_state *rule, struct str name)
{
	struct found found = {0};

	if (rule->target != NULL)
		look_in(&found, rule->target, name);
	for (size_t i = rule->parts.count; i > 0 && !found.exact; i--)
		look_in(&found, rule->parts.items[i - 1], name);
	return found;
}

bool may_be_option(struct rule_state *rule, struct str word)
{
	struct str name = str_slice(word, 2, str_find(word, '='));

	return str_starts(word, STR("--")) && look_up(rule, name).option != NULL;
}

/* Options of a protocol without -m. */
static struct found find_option(struct rule_state *rule, const struct word *word, struct str name)
{
	const struct extension *extension;
	struct found found = look_up(rule, name);

	if (found.option != NULL || !rule->protocol_given || rule->protocol_negated)
		return found;
	extension = extension_of_protocol((unsigned)rule->protocol, rule->reader->family);
	if (extension == NULL)
		return found;
	add_match_part(rule, extension, str_of(extension->name), word->column);
	found = look_up(rule, name);
	if (found.option == NULL)
		rule->parts.count--;
	return found;
}

static const struct option *option_itself(const struct part *part, const struct option *option)
{
	const struct extension *extension = part->extension;

	for (size_t i = 0; option->same != NULL && i < extension->count; i++)
		if (strcmp(extension->options[i].name, option->same) == 0)
			return &extension->options[i];
	return option;
}

static void give_option(struct rule_state *rule, struct cursor *cursor, struct part *part, const struct option *option,
                        const struct word *word, const struct word *joined)
{
	struct given given = {.option = option_itself(part, option), .at = *word};

	for (unsigned i = 0; i < given.option->words; i++) {
		const struct word *value =
			i == 0 && joined != NULL ? joined : value_of(rule, cursor, word, given.option->inverts);

		if (value == NULL)
			return;
		given.values[i] = *value;
	}
	given.negated = cursor->negated;
	if (given.negated && !given.option->inverts) {
		RULE_FAULT(rule, word, NULL, "%.*s can't be negated", STR_ARG(word->text));
		return;
	}
	if (part->extension->protocol < 0 && !rule->protocol_given) {
		RULE_FAULT(rule, part, "put -p with the protocol before it", "%.*s needs its protocol",
		           STR_ARG(part->name));
		return;
	}
	for (size_t i = 0; i < part->count; i++)
		if (part->items[i].option == given.option) {
			RULE_FAULT(rule, word, NULL, "%.*s stands twice", STR_ARG(word->text));
			return;
		}
	APPEND(rule->reader->line_arena, part, given);
}

void read_option(struct rule_state *rule, struct cursor *cursor, const struct word *word)
{
	size_t equals = str_find(word->text, '=');
	struct str name = str_slice(word->text, 2, equals);
	struct word joined = {.text = str_slice(word->text, equals + 1, word->text.n), .column = word->column};
	struct found found = find_option(rule, word, name);

	if (found.option == NULL)
		RULE_FAULT(rule, word, "a match needs its -m, and -p the protocol, before its options",
		           "nobody knows the option %.*s here", STR_ARG(word->text));
	else if (!found.exact && found.others > 0)
		RULE_FAULT(rule, word, "write it out", "%.*s is short for more than one option", STR_ARG(word->text));
	else if (equals < word->text.n && found.option->words != 1)
		RULE_FAULT(rule, word, NULL, "%.*s takes no value that way", STR_ARG(word->text));
	else
		give_option(rule, cursor, found.part, found.option, word, equals < word->text.n ? &joined : NULL);
}

/* The extension that nobody knows, if it is the last that was named: what follows is its own. */
struct part *unknown_part(struct rule_state *rule)
{
	struct part *last = rule->parts.count > 0 ? rule->parts.items[rule->parts.count - 1] : NULL;

	if (rule->target != NULL)
		return rule->target->text != NULL ? rule->target : NULL;
	return last != NULL && last->text != NULL ? last : NULL;
}

static void add_quoted(struct buf *buf, const struct word *word)
{
	bool quote = word->quoted || word->text.n == 0;

	buf_add(buf, quote ? STR(" \"") : STR(" "));
	buf_add(buf, word->text);
	if (quote)
		buf_char(buf, '"');
}

/* An option of an extension that nobody knows, with the words up to the next option. One that a known match before it
 * has as well could be either's: then it is not certain what belongs to whom. */
void read_unknown(struct rule_state *rule, struct cursor *cursor, struct part *part, const struct word *word)
{
	struct found found = find_option(rule, word, str_slice(word->text, 2, str_find(word->text, '=')));

	if (found.option != NULL) {
		RULE_FAULT(rule, word, "put the options of a match right behind it",
		           "%.*s may belong to %.*s, which nobody knows here, or to %.*s", STR_ARG(word->text),
		           STR_ARG(part->name), STR_ARG(found.part->name));
		return;
	}
	if (cursor->negated)
		buf_add(part->text, STR(" !"));
	add_quoted(part->text, word);
	for (; cursor->at < cursor->words->count; cursor->at++) {
		const struct word *value = &cursor->words->items[cursor->at];

		if (!value->quoted && (str_is(value->text, "!") || str_starts(value->text, STR("-"))))
			break;
		add_quoted(part->text, value);
	}
}
