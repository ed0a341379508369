/* One rule's share of a rules file, as bytes: values for rule.mustache and log-chain.mustache, and a table that keeps
 * what was rendered. */
#include "ruleset_blocks.h"

#include <string.h>

#include "fleetwall/arena.h"
#include "templates.h"
#include "values.h"

#define FAMILIES 2

struct blocks {
	struct arena *arena;
	const struct resolved *resolved;
	const struct settings *settings;
	const struct templates *templates;
	struct sets *sets;
	struct block **roles; /* by role: NULL, or a block for each rule, family and style */
};

struct blocks *blocks_new(struct arena *arena, const struct resolved *resolved, const struct settings *settings,
                          const struct templates *templates, struct sets *sets)
{
	struct blocks *blocks = ARENA_NEW(arena, struct blocks);
	struct block **roles = ARENA_ARRAY(arena, struct block *, resolved->fleet->role_count);

	*blocks = (struct blocks){arena, resolved, settings, templates, sets, roles};
	return blocks;
}

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

static struct error *render_lines(struct arena *scratch, struct blocks *blocks, const struct lines *lines,
                                  struct block *block)
{
	struct value *items = ARENA_ARRAY(scratch, struct value, lines->count);
	struct buf buf = buf_new(scratch);

	for (size_t i = 0; i < lines->count; i++)
		items[i] = line_value(scratch, &lines->items[i]);
	const struct member members[] = {{STR("lines"), value_list(items, lines->count)}};
	const struct value value = value_object(members, 1);

	TRY(templates_render(scratch, blocks->templates, TEMPLATE_RULE, &value, &buf));
	block->lines = keep(blocks->arena, &buf);
	return NULL;
}

static struct error *render_chain(struct arena *scratch, struct blocks *blocks, const struct rule_lines *expanded,
                                  enum family family, enum style style, struct block *block)
{
	const struct effective_rule *rule = block->rule;
	const struct str id = {rule->id, RULE_ID_DIGITS};
	enum action action = rule->held->rule.action;
	bool inbound = rule->held->rule.direction == DIRECTION_IN;
	struct str mode = inbound ? STR("srcip") : STR("dstip");
	struct rate rate = rate_of_logs(scratch, blocks->settings);
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
		{STR("pass"), value_string(style_pass(style))},
		{STR("deny"), value_bool(action == ACTION_DENY)},
		{STR("reject_tcp"), value_bool(action == ACTION_REJECT && expanded->tcp)},
		{STR("reject_other"), value_bool(action == ACTION_REJECT && expanded->other)},
		{STR("unreachable"),
	         value_string(family == FAMILY_4 ? STR("icmp-port-unreachable") : STR("icmp6-port-unreachable"))},
	};
	const struct value value = value_object(members, sizeof members / sizeof *members);

	TRY(templates_render(scratch, blocks->templates, TEMPLATE_LOG_CHAIN, &value, &buf));
	block->chain = str_copy(blocks->arena, chain);
	block->chain_lines = keep(blocks->arena, &buf);
	return NULL;
}

static struct error *make(struct arena *scratch, struct blocks *blocks, enum family family, enum style style,
                          struct block *block)
{
	struct rule_lines expanded;

	TRY(rule_expand(scratch, blocks->sets, blocks->resolved, block->rule, family, style, &expanded));
	if (expanded.lines.count > 0)
		TRY(render_lines(scratch, blocks, &expanded.lines, block));
	if (expanded.lines.count > 0 && expanded.logged)
		TRY(render_chain(scratch, blocks, &expanded, family, style, block));
	block->set_count = expanded.sets.count;
	block->sets = ARENA_ARRAY(blocks->arena, uint32_t, block->set_count);
	for (size_t i = 0; i < block->set_count; i++)
		block->sets[i] = expanded.sets.items[i];
	block->made = true;
	return NULL;
}

struct error *blocks_get(struct blocks *blocks, uint32_t role, size_t rule, enum family family, enum style style,
                         const struct block **block)
{
	const struct resolved_role *resolved = &blocks->resolved->roles[role];
	struct error *error = NULL;
	struct block *wanted;

	if (blocks->roles[role] == NULL)
		blocks->roles[role] =
			ARENA_ARRAY(blocks->arena, struct block, resolved->rule_count * FAMILIES * STYLE_COUNT);
	wanted = &blocks->roles[role][(rule * FAMILIES + family_index(family)) * STYLE_COUNT + style];
	if (!wanted->made) {
		struct arena *scratch = arena_new();

		wanted->rule = &resolved->rules[rule];
		error = make(scratch, blocks, family, style, wanted);
		arena_free(scratch);
	}
	*block = wanted;
	return error;
}
