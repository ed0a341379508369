/* One rule into lines: its peers, times what it matches, times the multiport matches that its ports need, in that
 * order. Owns which target a verdict is in which style; knows nothing of templates, and of other rules. */
#include "lines.h"

#include <inttypes.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

struct expansion {
	struct arena *arena;
	const struct sets *sets;
	const struct resolved *resolved;
	const struct effective_rule *effective;
	const struct rule *rule;
	enum family family;
	enum style style;
	struct rule_lines *out;
};

static bool refusing(const struct rule *rule)
{
	return rule->action != ACTION_ALLOW;
}

/* --- what is common to all lines of a rule --- */

/* A cut name keeps the id: it is what people search for. Names are ASCII, so no character is cut in two. */
struct str rule_comment(struct arena *arena, const struct effective_rule *rule)
{
	struct str role = str_slice(rule->role->name, 0, COMMENT_MAX - 1 - RULE_ID_DIGITS);

	return str_format(arena, "%.*s %s", STR_ARG(role), rule->id);
}

/* The last second that counts, which --datestop includes; empty where the kernel's clock for it ends. */
static struct str datestop(struct arena *arena, const struct rule *rule)
{
	struct buf buf = buf_new(arena);

	if (refusing(rule) || rule->until == TIME_NONE || rule->until - 1 > INT32_MAX || rule->until - 1 <= 0)
		return STR("");
	time_print(&buf, rule->until - 1);
	return str_slice(buf_str(&buf), 0, buf.n - 1); /* iptables takes no Z; it reads UTC */
}

struct str style_pass(enum style style)
{
	return style == STYLE_EXCLUSIVE ? STR("ACCEPT") : STR("RETURN");
}

struct str style_chain(enum style style, enum direction direction)
{
	if (style == STYLE_EXCLUSIVE)
		return direction == DIRECTION_IN ? STR("INPUT") : STR("OUTPUT");
	return direction == DIRECTION_IN ? STR("fleetwall-input") : STR("fleetwall-output");
}

static void give_rate(struct expansion *x, struct line *line)
{
	struct str id = {x->effective->id, RULE_ID_DIGITS};

	/* A full table of limits drops the packet, and a monitor refuses nothing: there the limit is left out. */
	if (x->rule->limit_unit == LIMIT_NONE || x->style == STYLE_MONITOR)
		return;
	line->rate = rate_spell(x->arena, x->rule->limit, x->rule->limit_unit);
	line->rate_mode = x->rule->direction == DIRECTION_IN ? STR("srcip") : STR("dstip");
	line->rate_name = rate_name(x->arena, id, &line->rate, line->rate_mode);
}

/* Where the rule leads. What a reject answers with depends on the protocol: see add_lines(). */
static void give_target(struct expansion *x, struct line *line)
{
	if (x->style == STYLE_MONITOR && refusing(x->rule))
		line->go_to = STR("fleetwall-monitor");
	else if (x->rule->log)
		line->go_to = str_format(x->arena, "fleetwall-%s", x->effective->id);
	else if (x->rule->action == ACTION_DENY)
		line->jump = STR("DROP");
	else if (x->rule->action == ACTION_REJECT)
		line->jump = STR("REJECT");
	else
		line->jump = style_pass(x->style);
	x->out->logged = x->rule->log && line->go_to.n > 0 && !(x->style == STYLE_MONITOR && refusing(x->rule));
}

static struct line common_line(struct expansion *x)
{
	struct line line = {.chain = style_chain(x->style, x->rule->direction),
	                    .datestop = datestop(x->arena, x->rule)};

	if (x->rule->direction == DIRECTION_IN)
		line.input = x->rule->interface;
	else
		line.output = x->rule->interface;
	line.comment = rule_comment(x->arena, x->effective);
	give_rate(x, &line);
	give_target(x, &line);
	return line;
}

/* --- lines --- */

static void give_end(const struct expansion *x, struct line *line, const struct end *end)
{
	bool inbound = x->rule->direction == DIRECTION_IN;
	struct prefix prefix;

	if (end->set != NO_SET) {
		line->set = sets_get(x->sets, end->set)->ipset;
		line->side = inbound ? STR("src") : STR("dst");
	} else if (end->literal != NULL && range_prefix(*end->literal, &prefix)) {
		*(inbound ? &line->source : &line->destination) = prefix_spell(x->arena, prefix);
	}
}

/* A line for each answer: a reset is only for tcp, so a rule that rejects everything needs two. */
static void add_line(struct expansion *x, struct line line, uint8_t protocol)
{
	bool rejects = str_eq(line.jump, STR("REJECT"));

	x->out->tcp |= protocol == 0 || protocol == PROTOCOL_TCP;
	x->out->other |= protocol != PROTOCOL_TCP;
	if (rejects && (protocol == 0 || protocol == PROTOCOL_TCP)) {
		struct line reset = line;

		reset.protocol = STR("tcp");
		reset.reject_with = STR("tcp-reset");
		APPEND(x->arena, &x->out->lines, reset);
		if (protocol == PROTOCOL_TCP)
			return;
	}
	if (rejects)
		line.reject_with = x->family == FAMILY_4 ? STR("icmp-port-unreachable") : STR("icmp6-port-unreachable");
	APPEND(x->arena, &x->out->lines, line);
}

static void give_icmp(struct expansion *x, struct line *line, const struct match_what *what)
{
	line->icmp_module = x->family == FAMILY_4 ? STR("icmp") : STR("icmp6");
	line->icmp_option = x->family == FAMILY_4 ? STR("icmp-type") : STR("icmpv6-type");
	line->icmp_type = what->icmp_code < 0 ? str_format(x->arena, "%d", what->icmp_type)
	                                      : str_format(x->arena, "%d/%d", what->icmp_type, what->icmp_code);
}

/* udplite has no match of its own for ports, only multiport. */
static void give_ports(struct expansion *x, struct line *line, const struct port_chunk *chunk, uint8_t protocol)
{
	struct str spelled = ports_spell(x->arena, chunk->ports, chunk->count);

	line->module = line->dport = line->dports = STR("");
	if (chunk->count > 1 || protocol == PROTOCOL_UDPLITE) {
		line->dports = spelled;
		return;
	}
	line->module = protocol == PROTOCOL_DCCP ? STR("dccp") : line->protocol;
	line->dport = spelled;
}

static void add_lines(struct expansion *x, struct line line, const struct match_what *what)
{
	struct port_chunk *chunks;
	size_t count;

	/* The legacy backend looks past an authentication header of IPv6 for the protocol: there `-p ah` never matches.
	 */
	if (x->family == FAMILY_6 && what->protocol == PROTOCOL_AH)
		line.header = STR("ah");
	else
		line.protocol = protocol_spell(x->arena, what->protocol);
	if (what->icmp_type >= 0)
		give_icmp(x, &line, what);
	if (what->port_count == 0) {
		add_line(x, line, what->protocol);
		return;
	}
	count = ports_chunk(x->arena, what->ports, what->port_count, &chunks);
	for (size_t i = 0; i < count; i++) {
		give_ports(x, &line, &chunks[i], what->protocol);
		add_line(x, line, what->protocol);
	}
}

void rule_expand(struct arena *arena, const struct sets *sets, const struct resolved *resolved,
                 const struct effective_rule *rule, const struct ends *ends, enum family family, enum style style,
                 struct rule_lines *out)
{
	struct expansion x = {arena, sets, resolved, rule, &rule->held->rule, family, style, out};
	struct match_what *whats;
	struct line common;
	size_t count;

	*out = (struct rule_lines){0};
	if (ends->count == 0)
		return;
	count = rule_whats(arena, resolved->fleet, x.rule, family, &whats);
	common = common_line(&x);
	for (size_t i = 0; i < ends->count; i++) {
		struct line line = common;

		give_end(&x, &line, &ends->items[i]);
		for (size_t k = 0; k < count; k++)
			add_lines(&x, line, &whats[k]);
	}
}
