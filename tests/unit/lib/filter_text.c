/* The model of a filter table as text: see the header. It asserts what the model promises: names of jumps that are
 * there, sorted numbers, ranges of the right family. */
#include "filter_text.h"

#include <check.h>

#include "fleetwall/buf.h"

static void add_range(struct buf *buf, struct range range)
{
	addr_print(buf, (struct addr){range.first, range.family});
	if (range.first == range.last)
		return;
	buf_char(buf, '-');
	addr_print(buf, (struct addr){range.last, range.family});
}

static void add_numbers(struct buf *buf, const struct match *match)
{
	ck_assert_uint_gt(match->number_count, 0);
	for (size_t i = 0; i < match->number_count; i++) {
		struct numbers numbers = match->numbers[i];

		ck_assert_uint_le(numbers.first, numbers.last);
		ck_assert(i == 0 || match->numbers[i - 1].last + 1 < numbers.first);
		buf_format(buf, "%s%u", i == 0 ? " " : ",", numbers.first);
		if (numbers.last > numbers.first)
			buf_format(buf, "-%u", numbers.last);
	}
}

static void add_ranges(struct buf *buf, enum family family, const struct match *match)
{
	buf_char(buf, ' ');
	for (size_t i = 0; i < match->range_count; i++) {
		ck_assert_int_eq((int)match->ranges[i].family, (int)family);
		add_range(buf, match->ranges[i]);
	}
	if (match->range_count == 0)
		buf_add(buf, STR("none"));
}

static void add_match(struct buf *buf, enum family family, const struct match *match)
{
	static const char *const names[] = {
		[MATCH_PROTOCOL] = "protocol",
		[MATCH_SOURCE] = "source",
		[MATCH_DESTINATION] = "destination",
		[MATCH_IN] = "in",
		[MATCH_OUT] = "out",
		[MATCH_FRAGMENT] = "fragment",
		[MATCH_PORTS] = "dport",
		[MATCH_SOURCE_PORTS] = "sport",
		[MATCH_EITHER_PORTS] = "port",
		[MATCH_ICMP] = "icmp",
		[MATCH_TCP_FLAGS] = "flags",
		[MATCH_STATE] = "state",
		[MATCH_SET] = "set",
		[MATCH_RANGE_SOURCE] = "from",
		[MATCH_RANGE_DESTINATION] = "to",
		[MATCH_ADDRTYPE_LOCAL] = "local",
		[MATCH_CONDITION] = "if",
	};

	buf_format(buf, "%s%s%s", match->kind == MATCH_CONDITION && match->steady ? "always " : "",
	           match->negated ? "!" : "", names[match->kind]);
	ck_assert_uint_gt(match->text.n, 0);
	if (match->kind == MATCH_IN || match->kind == MATCH_OUT)
		buf_format(buf, " %.*s", STR_ARG(match->name));
	else if (match->kind == MATCH_SET)
		buf_format(buf, " %.*s %.*s", STR_ARG(match->name), STR_ARG(match->dimensions));
	else if (match->kind == MATCH_TCP_FLAGS)
		buf_format(buf, " 0x%02x 0x%02x", match->mask, match->value);
	else if (match->kind == MATCH_STATE)
		buf_format(buf, " 0x%x", match->mask);
	else if (match->kind == MATCH_CONDITION || match->kind == MATCH_ADDRTYPE_LOCAL)
		buf_format(buf, " %.*s", STR_ARG(match->text));
	else if (match->kind == MATCH_SOURCE || match->kind == MATCH_DESTINATION || match->kind == MATCH_RANGE_SOURCE ||
	         match->kind == MATCH_RANGE_DESTINATION)
		add_ranges(buf, family, match);
	else if (match->kind != MATCH_FRAGMENT)
		add_numbers(buf, match);
	if (match->kind == MATCH_CONDITION && match->mask != 0)
		buf_format(buf, " (or state 0x%x)", match->mask);
}

static void add_target(struct buf *buf, const struct filter *filter, const struct filter_rule *rule)
{
	static const char *const words[] = {[TARGET_NONE] = "nothing",
	                                    [TARGET_JUMP] = "jump",
	                                    [TARGET_GOTO] = "goto",
	                                    [TARGET_PASS] = "pass",
	                                    [TARGET_UNKNOWN] = "unknown"};
	const char *word = rule->target <= TARGET_UNKNOWN ? words[rule->target] : NULL;

	if (word != NULL)
		buf_format(buf, "%s ", word);
	if (rule->target == TARGET_JUMP || rule->target == TARGET_GOTO) {
		ck_assert_uint_lt(rule->chain, filter->chain_count);
		ck_assert(!filter->chains[rule->chain].builtin);
		ck_assert(str_eq(filter->chains[rule->chain].name, rule->target_text));
	}
	buf_add(buf, rule->target_text);
}

struct str filter_rule_text(struct arena *arena, const struct filter *filter, const struct filter_rule *rule)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < rule->match_count; i++) {
		if (i > 0)
			buf_add(&buf, STR("; "));
		add_match(&buf, filter->family, &rule->matches[i]);
	}
	buf_add(&buf, rule->match_count > 0 ? STR(" -> ") : STR("-> "));
	add_target(&buf, filter, rule);
	if (rule->comment.n > 0)
		buf_format(&buf, " # %.*s", STR_ARG(rule->comment));
	return str_trim(buf_str(&buf));
}

struct str filter_text(struct arena *arena, const struct filter *filter)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < filter->chain_count; i++) {
		const struct filter_chain *chain = &filter->chains[i];

		buf_format(&buf, ":%.*s %s\n", STR_ARG(chain->name),
		           chain->policy == TARGET_ACCEPT ? "ACCEPT"
		           : chain->policy == TARGET_DROP ? "DROP"
		                                          : "-");
		ck_assert(chain->builtin == (chain->policy != TARGET_NONE));
		for (size_t k = 0; k < chain->rule_count; k++)
			buf_format(&buf, "%.*s\n", STR_ARG(filter_rule_text(arena, filter, &chain->rules[k])));
	}
	return buf_str(&buf);
}

struct str filter_set_text(struct arena *arena, const struct filter_set *set)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < set->addresses.count; i++) {
		if (i > 0)
			buf_char(&buf, ' ');
		add_range(&buf, set->addresses.ranges[i]);
	}
	return buf_str(&buf);
}
