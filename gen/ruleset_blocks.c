/* One role's share of a rules file, as bytes: values for rule.mustache and log-chain.mustache, rendered, and held ready
 * as items of the lists that rulesets are made of. Keeps nothing of its own. */
#include "ruleset_blocks.h"

#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "templates.h"
#include "values.h"

struct item_list {
	struct value *items;
	size_t count, capacity;
};

struct chain_list {
	struct chain *items;
	size_t count, capacity;
};

/* A block while it grows. */
struct making {
	struct arena *arena, *scratch;
	const struct block_source *source;
	enum family family;
	enum style style;
	struct item_list stages[2][ACTIONS][2];
	struct chain_list chains;
};

static struct value line_value(struct arena *scratch, const struct line *line)
{
	struct str burst = str_format(scratch, "%u", line->rate.burst);
	const struct member members[] = {
		{STR("chain"), value_string(line->chain)},
		{STR("source"), value_string(line->source)},
		{STR("destination"), value_string(line->destination)},
		{STR("input"), value_string(line->input)},
		{STR("output"), value_string(line->output)},
		{STR("protocol"), value_string(line->protocol)},
		{STR("header"), value_string(line->header)},
		{STR("module"), value_string(line->module)},
		{STR("dport"), value_string(line->dport)},
		{STR("dports"), value_string(line->dports)},
		{STR("icmp_module"), value_string(line->icmp_module)},
		{STR("icmp_option"), value_string(line->icmp_option)},
		{STR("icmp_type"), value_string(line->icmp_type)},
		{STR("set"), value_string(line->set)},
		{STR("side"), value_string(line->side)},
		{STR("datestop"), value_string(line->datestop)},
		{STR("rate"), value_string(line->rate.number)},
		{STR("rate_burst"), value_string(burst)},
		{STR("rate_mode"), value_string(line->rate_mode)},
		{STR("rate_name"), value_string(line->rate_name)},
		{STR("rate_expire"), value_string(line->rate.expire)},
		{STR("comment"), value_string(line->comment)},
		{STR("jump"), value_string(line->jump)},
		{STR("goto"), value_string(line->go_to)},
		{STR("reject_with"), value_string(line->reject_with)},
	};
	struct member *copy = ARENA_ARRAY(scratch, struct member, sizeof members / sizeof *members);

	memcpy(copy, members, sizeof members);
	return value_object(copy, sizeof members / sizeof *members);
}

/* What a template gave, kept, without its last newline: whoever puts blocks together ends the line. */
static struct str keep(struct arena *arena, const struct buf *buf)
{
	struct str text = buf_str(buf);

	while (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	return str_copy(arena, text);
}

/* *text is empty where the template says nothing for the rule. */
static struct error *render_lines(struct making *making, const struct lines *lines, struct str *text)
{
	struct arena *scratch = making->scratch;
	struct value *items = ARENA_ARRAY(scratch, struct value, lines->count);
	struct buf buf = buf_new(scratch);

	for (size_t i = 0; i < lines->count; i++)
		items[i] = line_value(scratch, &lines->items[i]);
	const struct member members[] = {{STR("lines"), value_list(items, lines->count)}};
	const struct value value = value_object(members, 1);

	TRY(templates_render(scratch, making->source->templates, TEMPLATE_RULE, &value, &buf));
	*text = keep(making->arena, &buf);
	return NULL;
}

static void add_lines(struct making *making, const struct rule *rule, struct str text)
{
	struct member *member = ARENA_NEW(making->arena, struct member);
	bool limited = rule->limit_unit != LIMIT_NONE;

	*member = (struct member){STR("lines"), value_string(text)};
	APPEND(making->arena, &making->stages[rule->direction][rule->action][limited], value_object(member, 1));
}

static void add_chain(struct making *making, struct str chain, const struct buf *lines)
{
	struct member *members = ARENA_ARRAY(making->arena, struct member, 2);
	struct chain made = {.name = str_copy(making->arena, chain)};

	members[0] = (struct member){STR("chain"), value_string(made.name)};
	members[1] = (struct member){STR("lines"), value_string(keep(making->arena, lines))};
	made.value = value_object(members, 2);
	APPEND(making->arena, &making->chains, made);
}

static struct error *render_chain(struct making *making, const struct effective_rule *rule,
                                  const struct rule_lines *expanded)
{
	struct arena *scratch = making->scratch;
	const struct str id = {rule->id, RULE_ID_DIGITS};
	enum action action = rule->held->rule.action;
	bool inbound = rule->held->rule.direction == DIRECTION_IN;
	struct str mode = inbound ? STR("srcip") : STR("dstip");
	struct rate rate = rate_of_logs(scratch, making->source->settings);
	struct str chain = str_format(scratch, "fleetwall-%s", rule->id);
	struct buf buf = buf_new(scratch);
	const struct member members[] = {
		{STR("chain"), value_string(chain)},
		{STR("id"), value_string(id)},
		{STR("comment"), value_string(rule_comment(scratch, rule))},
		{STR("rate"), value_string(rate.number)},
		{STR("rate_burst"), value_string(str_format(scratch, "%u", rate.burst))},
		{STR("rate_expire"), value_string(rate.expire)},
		{STR("rate_mode"), value_string(mode)},
		{STR("rate_name"),
	         value_string(rate_name(scratch, str_format(scratch, "%s-log", rule->id), &rate, mode))},
		{STR("allow"), value_bool(action == ACTION_ALLOW)},
		{STR("pass"), value_string(style_pass(making->style))},
		{STR("deny"), value_bool(action == ACTION_DENY)},
		{STR("reject_tcp"), value_bool(action == ACTION_REJECT && expanded->tcp)},
		{STR("reject_other"), value_bool(action == ACTION_REJECT && expanded->other)},
		{STR("unreachable"), value_string(making->family == FAMILY_4 ? STR("icmp-port-unreachable")
	                                                                     : STR("icmp6-port-unreachable"))},
	};
	const struct value value = value_object(members, sizeof members / sizeof *members);

	TRY(templates_render(scratch, making->source->templates, TEMPLATE_LOG_CHAIN, &value, &buf));
	add_chain(making, chain, &buf);
	return NULL;
}

static struct error *render_rule(struct making *making, const struct effective_rule *rule, const struct ends *ends)
{
	struct rule_lines expanded;
	struct str text;

	rule_expand(making->scratch, making->source->sets, making->source->resolved, rule, ends, making->family,
	            making->style, &expanded);
	if (expanded.lines.count == 0)
		return NULL;
	TRY(render_lines(making, &expanded.lines, &text));
	if (text.n == 0)
		return NULL;
	add_lines(making, &rule->held->rule, text);
	return expanded.logged ? render_chain(making, rule, &expanded) : NULL;
}

static void give(const struct making *making, struct block *block)
{
	for (size_t direction = 0; direction < 2; direction++)
		for (size_t action = 0; action < ACTIONS; action++)
			for (size_t limited = 0; limited < 2; limited++) {
				const struct item_list *list = &making->stages[direction][action][limited];

				block->stages[direction][action][limited] = (struct items){list->items, list->count};
			}
	block->chains = making->chains.items;
	block->chain_count = making->chains.count;
}

struct error *block_render(struct arena *arena, struct arena *scratch, const struct block_source *source,
                           uint32_t role, enum family family, enum style style, struct block *block)
{
	const struct resolved_role *resolved = &source->resolved->roles[role];
	struct making making = {
		.arena = arena, .scratch = scratch, .source = source, .family = family, .style = style};

	for (size_t i = 0; i < resolved->rule_count; i++)
		TRY(render_rule(&making, &resolved->rules[i], &source->ends[role][i].of[family_index(family)]));
	give(&making, block);
	return NULL;
}
