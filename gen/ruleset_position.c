/* One position in one family as a rules file: gathers the blocks of its rules by stage and hands them, with the
 * settings, to the template of its style. The order of stages, and housekeeping itself, stand in the templates. */
#include "ruleset_position.h"

#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "templates.h"
#include "values.h"

/* The blocks of a position in one family: its items by direction and action, in order of role and text; and its chains.
 */
struct gathered {
	struct items stages[2][ACTIONS];
	const struct chain **chains;
	size_t chain_count;
};

/* What the position's roles have for one family. */
struct shares {
	const struct block **items;
	size_t count;
};

static struct shares find_shares(struct arena *scratch, const struct rendering *rendering,
                                 const struct position *position, enum family family)
{
	struct shares shares = {ARENA_ARRAY(scratch, const struct block *, position->role_count),
	                        position->role_count};

	for (size_t i = 0; i < position->role_count; i++)
		shares.items[i] = rendering->blocks[position->roles[i]][family_index(family)][position->style];
	return shares;
}

/* Limits come last: a kernel whose table of a limit is full drops the packet, which must not keep it from a rule that
 * lets it in without one. */
static struct items gather_stage(struct arena *scratch, const struct shares *shares, size_t direction, size_t action)
{
	struct value *items;
	size_t total = 0, count = 0;

	for (size_t i = 0; i < shares->count; i++)
		for (size_t limited = 0; limited < 2; limited++)
			total += shares->items[i]->stages[direction][action][limited].count;
	if (total == 0)
		return (struct items){0};
	items = arena_raw(scratch, total * sizeof *items);
	for (size_t limited = 0; limited < 2; limited++)
		for (size_t i = 0; i < shares->count; i++) {
			const struct items *some = &shares->items[i]->stages[direction][action][limited];

			if (some->count > 0)
				memcpy(items + count, some->items, some->count * sizeof *items);
			count += some->count;
		}
	return (struct items){items, total};
}

static void gather_chains(struct arena *scratch, const struct shares *shares, struct gathered *gathered)
{
	size_t total = 0;

	for (size_t i = 0; i < shares->count; i++)
		total += shares->items[i]->chain_count;
	gathered->chains = ARENA_ARRAY(scratch, const struct chain *, total);
	for (size_t i = 0; i < shares->count; i++)
		for (size_t k = 0; k < shares->items[i]->chain_count; k++)
			gathered->chains[gathered->chain_count++] = &shares->items[i]->chains[k];
}

static struct gathered gather(struct arena *scratch, const struct rendering *rendering, const struct position *position,
                              enum family family)
{
	struct shares shares = find_shares(scratch, rendering, position, family);
	struct gathered gathered = {.chain_count = 0};

	for (size_t direction = 0; direction < 2; direction++)
		for (size_t action = 0; action < ACTIONS; action++)
			gathered.stages[direction][action] = gather_stage(scratch, &shares, direction, action);
	gather_chains(scratch, &shares, &gathered);
	return gathered;
}

static int chain_order(const void *a, const void *b)
{
	return str_cmp((*(const struct chain *const *)a)->name, (*(const struct chain *const *)b)->name);
}

/* In the order of iptables-save. Rules are told apart by 48 bits in a chain's name: two that share them can't stand in
 * one file. */
static struct error *chain_values(struct arena *scratch, const struct gathered *gathered, struct value *list)
{
	struct value *items = ARENA_ARRAY(scratch, struct value, gathered->chain_count);

	if (gathered->chain_count > 0)
		qsort(gathered->chains, gathered->chain_count, sizeof *gathered->chains, chain_order);
	for (size_t i = 0; i < gathered->chain_count; i++) {
		const struct chain *chain = gathered->chains[i];

		if (i > 0 && str_eq(chain->name, gathered->chains[i - 1]->name))
			return error_hint(error_new(ERROR_INPUT, "two rules with `log` share the chain %.*s",
			                            STR_ARG(chain->name)),
			                  "write one of them another way");
		items[i] = chain->value;
	}
	*list = value_list(items, gathered->chain_count);
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

struct rendering rendering_new(struct arena *arena, const struct settings *settings, const struct templates *templates)
{
	struct rendering rendering = {.settings = settings, .templates = templates};

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
	put(members, STR("pass"), value_string(style_pass(position->style)));
	put(members, STR("in_chain"), value_string(style_chain(position->style, DIRECTION_IN)));
	put(members, STR("out_chain"), value_string(style_chain(position->style, DIRECTION_OUT)));
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
	const struct str names[2][ACTIONS] = {
		[DIRECTION_IN] = {[ACTION_ALLOW] = STR("in_allow"),
	                          [ACTION_DENY] = STR("in_deny"),
	                          [ACTION_REJECT] = STR("in_reject")},
		[DIRECTION_OUT] = {[ACTION_ALLOW] = STR("out_allow"),
	                           [ACTION_DENY] = STR("out_deny"),
	                           [ACTION_REJECT] = STR("out_reject")},
	};
	bool outbound = closed;

	for (size_t direction = 0; direction < 2; direction++)
		for (size_t action = 0; action < ACTIONS; action++) {
			const struct items *stage = &gathered->stages[direction][action];

			put(members, names[direction][action], value_list(stage->items, stage->count));
			outbound |= direction == DIRECTION_OUT && stage->count > 0;
		}
	put(members, STR("outbound"), value_bool(outbound));
}

struct error *position_render(struct arena *scratch, const struct rendering *rendering, const struct position *position,
                              enum family family, struct buf *out)
{
	static const enum template_name templates[] = {
		[STYLE_EXCLUSIVE] = TEMPLATE_EXCLUSIVE,
		[STYLE_COEXIST] = TEMPLATE_COEXIST,
		[STYLE_MONITOR] = TEMPLATE_MONITOR,
	};
	struct gathered gathered = gather(scratch, rendering, position, family);
	struct members members = {.count = 0};
	struct value chains;

	TRY(chain_values(scratch, &gathered, &chains));
	put_position(scratch, &members, position); /* first, because most lines ask for these */
	put_family(&members, family);
	put_settings(&members, rendering->settings);
	put_logs(scratch, &members, rendering);
	put_stages(&members, &gathered, position->closed);
	put(&members, STR("management"), rendering->management[family_index(family)]);
	put(&members, STR("log_chains"), chains);

	const struct value value = value_object(members.items, members.count);

	return templates_render(scratch, rendering->templates, templates[position->style], &value, out);
}
