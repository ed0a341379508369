/* One position in one family as a rules file: gathers the blocks of its rules by stage and hands them, with the
 * settings, to the template of its style. The order of stages, and housekeeping itself, stand in the templates. */
#include "ruleset_position.h"

#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "templates.h"
#include "values.h"

#define STAGES 3 /* deny, reject, allow: by enum action */

struct values {
	struct value *items;
	size_t count, capacity;
};

struct block_list {
	const struct block **items;
	size_t count, capacity;
};

/* The blocks of a position that say something: by direction and action, in order of role and text; and those with a
 * chain. */
struct gathered {
	struct values stages[2][STAGES];
	struct block_list chains;
};

static struct value block_value(struct arena *scratch, const struct block *block)
{
	struct member *member = ARENA_NEW(scratch, struct member);

	*member = (struct member){STR("lines"), value_string(block->lines)};
	return value_object(member, 1);
}

static void gather_block(struct arena *scratch, const struct block *block, struct gathered *gathered,
                         struct set_numbers *used)
{
	const struct rule *rule = &block->rule->held->rule;

	if (block->lines.n == 0)
		return;
	APPEND(scratch, &gathered->stages[rule->direction][rule->action], block_value(scratch, block));
	if (block->chain.n > 0)
		APPEND(scratch, &gathered->chains, block);
	for (size_t i = 0; i < block->set_count; i++)
		APPEND(scratch, used, block->sets[i]);
}

static bool has_limit(const struct rendering *rendering, uint32_t role, size_t rule)
{
	return rendering->resolved->roles[role].rules[rule].held->rule.limit_unit != LIMIT_NONE;
}

/* Rules with a limit, or those without. */
static struct error *gather_some(struct arena *scratch, const struct rendering *rendering,
                                 const struct position *position, enum family family, bool limited,
                                 struct gathered *gathered, struct set_numbers *used)
{
	const struct block *block;

	for (size_t i = 0; i < position->role_count; i++) {
		size_t count = rendering->resolved->roles[position->roles[i]].rule_count;

		for (size_t k = 0; k < count; k++) {
			if (has_limit(rendering, position->roles[i], k) != limited)
				continue;
			TRY(blocks_get(rendering->blocks, position->roles[i], k, family, position->style, &block));
			gather_block(scratch, block, gathered, used);
		}
	}
	return NULL;
}

/* Limits come last: a kernel whose table of a limit is full drops the packet, which must not keep it from a rule that
 * lets it in without one. */
static struct error *gather(struct arena *scratch, const struct rendering *rendering, const struct position *position,
                            enum family family, struct gathered *gathered, struct set_numbers *used)
{
	TRY(gather_some(scratch, rendering, position, family, false, gathered, used));
	return gather_some(scratch, rendering, position, family, true, gathered, used);
}

static int chain_order(const void *a, const void *b)
{
	return str_cmp((*(const struct block *const *)a)->chain, (*(const struct block *const *)b)->chain);
}

/* In the order of iptables-save. Rules are told apart by 48 bits in a chain's name: two that share them can't stand in
 * one file. */
static struct error *chain_values(struct arena *scratch, struct block_list *chains, struct value *list)
{
	struct value *items = ARENA_ARRAY(scratch, struct value, chains->count);

	if (chains->count > 0)
		qsort(chains->items, chains->count, sizeof *chains->items, chain_order);
	for (size_t i = 0; i < chains->count; i++) {
		const struct block *block = chains->items[i];
		struct member *members = ARENA_ARRAY(scratch, struct member, 2);

		if (i > 0 && str_eq(block->chain, chains->items[i - 1]->chain))
			return error_hint(
				error_new(ERROR_INPUT, "two rules with `log` share the id %s", block->rule->id),
				"write one of them another way");
		members[0] = (struct member){STR("chain"), value_string(block->chain)};
		members[1] = (struct member){STR("lines"), value_string(block->chain_lines)};
		items[i] = value_object(members, 2);
	}
	*list = value_list(items, chains->count);
	return NULL;
}

static struct value management_value(struct arena *scratch, const struct settings *settings, enum family family)
{
	struct value *items = ARENA_ARRAY(scratch, struct value, settings->management_count);
	size_t count = 0;

	for (size_t i = 0; i < settings->management_count; i++) {
		struct member *member = ARENA_NEW(scratch, struct member);

		if (settings->management[i].addr.family != family)
			continue;
		*member = (struct member){STR("prefix"), value_string(prefix_spell(scratch, settings->management[i]))};
		items[count++] = value_object(member, 1);
	}
	return value_list(items, count);
}

struct rendering rendering_new(struct arena *arena, const struct resolved *resolved, const struct settings *settings,
                               const struct templates *templates, struct blocks *blocks)
{
	struct rendering rendering = {
		.resolved = resolved, .settings = settings, .templates = templates, .blocks = blocks};

	rendering.log = rate_of_logs(arena, settings);
	rendering.log_in = rate_name(arena, STR("default-in"), &rendering.log, STR("srcip,dstport"));
	rendering.log_out = rate_name(arena, STR("default-out"), &rendering.log, STR("dstip,dstport"));
	rendering.monitor_mode = STR("srcip,dstip,dstport");
	rendering.monitor_name = rate_name(arena, STR("monitor"), &rendering.log, rendering.monitor_mode);
	rendering.management[0] = management_value(arena, settings, FAMILY_4);
	rendering.management[1] = management_value(arena, settings, FAMILY_6);
	return rendering;
}

/* --- members of the template's value --- */

#define MEMBERS_MAX 48

struct members {
	struct member items[MEMBERS_MAX];
	size_t count;
};

static void put(struct members *members, struct str name, struct value value)
{
	if (members->count == MEMBERS_MAX)
		abort(); /* a member was added without room for it: a bug */
	members->items[members->count++] = (struct member){name, value};
}

static void put_family(struct members *members, enum family family)
{
	bool v4 = family == FAMILY_4;

	put(members, STR("restore"), value_string(v4 ? STR("iptables-restore") : STR("ip6tables-restore")));
	put(members, STR("iptables"), value_string(v4 ? STR("iptables") : STR("ip6tables")));
	put(members, STR("v4"), value_bool(v4));
	put(members, STR("v6"), value_bool(!v4));
}

static void put_position(struct arena *scratch, struct members *members, const struct position *position)
{
	put(members, STR("in_chain"), value_string(style_chain(position->style, DIRECTION_IN)));
	put(members, STR("out_chain"), value_string(style_chain(position->style, DIRECTION_OUT)));
	put(members, STR("pass"), value_string(style_pass(position->style)));
	put(members, STR("refuse"),
	    value_string(position->style == STYLE_MONITOR ? STR("-g fleetwall-monitor") : STR("-j DROP")));
	put(members, STR("ssh_port"), value_string(str_format(scratch, "%u", position->ssh_port)));
	put(members, STR("closed"), value_bool(position->closed));
}

static void put_settings(struct members *members, const struct settings *settings)
{
	put(members, STR("loopback"), value_bool(settings->loopback));
	put(members, STR("icmp_errors"), value_bool(settings->icmp_errors));
	put(members, STR("established"), value_bool(settings->established));
	put(members, STR("neighbour_discovery"), value_bool(settings->neighbour_discovery));
	put(members, STR("drop_invalid"), value_bool(settings->drop_invalid));
	put(members, STR("dhcp"), value_bool(settings->dhcp));
}

static void put_logs(struct arena *scratch, struct members *members, const struct rendering *rendering)
{
	struct str burst = str_format(scratch, "%u", rendering->log.burst);

	put(members, STR("log_rate"),
	    value_string(rendering->settings->log_rate > 0 ? rendering->log.number : STR("")));
	put(members, STR("log_burst"), value_string(burst));
	put(members, STR("log_expire"), value_string(rendering->log.expire));
	put(members, STR("log_in"), value_string(rendering->log_in));
	put(members, STR("log_out"), value_string(rendering->log_out));
	put(members, STR("monitor_rate"), value_string(rendering->log.number));
	put(members, STR("monitor_burst"), value_string(burst));
	put(members, STR("monitor_expire"), value_string(rendering->log.expire));
	put(members, STR("monitor_mode"), value_string(rendering->monitor_mode));
	put(members, STR("monitor_name"), value_string(rendering->monitor_name));
}

static void put_stages(struct members *members, const struct gathered *gathered, bool closed)
{
	const struct str names[2][STAGES] = {
		[DIRECTION_IN] = {[ACTION_ALLOW] = STR("in_allow"),
	                          [ACTION_DENY] = STR("in_deny"),
	                          [ACTION_REJECT] = STR("in_reject")},
		[DIRECTION_OUT] = {[ACTION_ALLOW] = STR("out_allow"),
	                           [ACTION_DENY] = STR("out_deny"),
	                           [ACTION_REJECT] = STR("out_reject")},
	};
	bool outbound = closed;

	for (size_t direction = 0; direction < 2; direction++)
		for (size_t action = 0; action < STAGES; action++) {
			const struct values *stage = &gathered->stages[direction][action];

			put(members, names[direction][action], value_list(stage->items, stage->count));
			outbound |= direction == DIRECTION_OUT && stage->count > 0;
		}
	put(members, STR("outbound"), value_bool(outbound));
}

struct error *position_render(struct arena *scratch, const struct rendering *rendering, const struct position *position,
                              enum family family, struct set_numbers *used, struct buf *out)
{
	static const enum template_name templates[] = {
		[STYLE_EXCLUSIVE] = TEMPLATE_EXCLUSIVE,
		[STYLE_COEXIST] = TEMPLATE_COEXIST,
		[STYLE_MONITOR] = TEMPLATE_MONITOR,
	};
	struct gathered gathered = {0};
	struct members members = {.count = 0};
	struct value chains;

	TRY(gather(scratch, rendering, position, family, &gathered, used));
	TRY(chain_values(scratch, &gathered.chains, &chains));
	put_family(&members, family);
	put_position(scratch, &members, position);
	put_settings(&members, rendering->settings);
	put_logs(scratch, &members, rendering);
	put_stages(&members, &gathered, position->closed);
	put(&members, STR("management"), rendering->management[family_index(family)]);
	put(&members, STR("log_chains"), chains);

	const struct value value = value_object(members.items, members.count);

	return templates_render(scratch, rendering->templates, templates[position->style], &value, out);
}
