/* What a line of a rules file means to the guards, all that can be told from the line and the kind of file alone. Reads
 * each line once; who has met it before is the memo's business. */
#include "fleetwall/arena.h"
#include "fleetwall/names.h"
#include "guard_lines.h"
#include "guard_memo.h"

const char *const chain_names[CHAINS_FIXED] = {
	[CHAIN_INPUT] = "INPUT",
	[CHAIN_FORWARD] = "FORWARD",
	[CHAIN_OUTPUT] = "OUTPUT",
	[CHAIN_OUR_INPUT] = "fleetwall-input",
	[CHAIN_OUR_OUTPUT] = "fleetwall-output",
};

uint32_t chain_number(struct memo *memo, struct str name)
{
	uint32_t chain = names_add(memo->chains, name);

	while (chain >= memo->declared_capacity)
		memo->declared =
			arena_grow(memo->arena, memo->declared, memo->declared_capacity, &memo->declared_capacity,
		                   sizeof *memo->declared, _Alignof(struct declared));
	return chain;
}

static void add_more(struct memo *memo, struct known_line *line, struct line_more more)
{
	for (size_t i = 0; i < sizeof more.forms / sizeof *more.forms; i++)
		more.forms[i] = FORM_NONE;
	line->has_more = true;
	line->form = (uint32_t)memo->more.count;
	APPEND(memo->arena, &memo->more, more);
}

/* ":INPUT DROP [0:0]": the name ends at a blank, and so does the policy. */
static void read_declaration(struct memo *memo, struct known_line *line, struct str text)
{
	size_t end = 1;

	line->kind = LINE_CHAIN;
	while (end < text.n && text.p[end] != ' ' && text.p[end] != '\t')
		end++;
	if (end == text.n || end == 1)
		return; /* declares nothing */
	struct str policy = str_trim(str_slice(text, end, text.n));

	add_more(memo, line,
	         (struct line_more){.home = chain_number(memo, str_slice(text, 1, end)), .target = CHAIN_NONE});
	line->accepts = str_is(str_slice(policy, 0, str_find(policy, ' ')), "ACCEPT");
}

static bool cut_chain(struct str line, struct str *chain)
{
	if (!str_starts(line, STR("-A ")))
		return false;
	struct str rest = str_slice(line, 3, line.n);

	*chain = str_slice(rest, 0, str_find(rest, ' '));
	return chain->n > 0 && str_find(*chain, '"') == chain->n;
}

static enum line_walk walk_of(const struct scope *scope, struct str chain)
{
	bool shared = scope->mode == MODE_COEXIST;

	if (scope->enforcement == ENFORCEMENT_MONITOR)
		return WALK_NONE;
	if (str_is(chain, shared ? "fleetwall-input" : "INPUT"))
		return WALK_IN;
	return str_is(chain, shared ? "fleetwall-output" : "OUTPUT") ? WALK_OUT : WALK_NONE;
}

/* Every target of a monitored machine lets the packet go on, returns, or is a chain of the same file. */
static enum line_harm harm_of(const struct line_match *match)
{
	if (match->odd)
		return HARM_ALWAYS;
	if (match->effect != LINE_REFUSES)
		return HARM_NONE;
	return match->target.n > 0 && !guard_is_builtin_target(match->target) ? HARM_UNLESS_DECLARED : HARM_ALWAYS;
}

static void read_rule(struct memo *memo, struct known_line *line, struct str text, struct str chain)
{
	enum line_walk walk = walk_of(&memo->scope, chain);
	struct ssh_packet packet = {
		.outbound = walk == WALK_OUT,
		.port = memo->scope.port,
		.family = memo->scope.file == 0 ? FAMILY_4 : FAMILY_6,
	};
	struct line_match match;

	line->kind = LINE_RULE;
	line_match_read(text, &packet, &match);
	line->harm = harm_of(&match);
	bool home = !guard_is_builtin_chain(chain);
	bool target = match.target.n > 0 && !guard_is_builtin_target(match.target);

	if (walk != WALK_NONE && (match.may & (PACKET_NEW | PACKET_ESTABLISHED)))
		line->walk = walk;
	if (!home && !target && line->walk == WALK_NONE)
		return;
	struct line_more more = {
		.home = home ? chain_number(memo, chain) : CHAIN_NONE,
		.target = target ? chain_number(memo, match.target) : CHAIN_NONE,
		.match = (uint32_t)memo->matches.count,
	};
	match.target = STR(""); /* the text goes with the ruleset */
	if (line->walk != WALK_NONE)
		APPEND(memo->arena, &memo->matches, match);
	add_more(memo, line, more);
}

/* What a monitored machine's chain does at its end. */
static bool policy_refuses(struct str text)
{
	struct str policy = str_slice(text, str_find(text, ' ') + 1, text.n);

	return !str_starts(policy, STR("- ")) && !str_is(policy, "-") && !str_starts(policy, STR("ACCEPT"));
}

void line_read(struct memo *memo, struct known_line *line, struct str text)
{
	struct str chain;

	line->kind = LINE_ODD;
	line->form = FORM_NONE;
	line->has_form = text.n > 0 && text.p[0] == '-';
	if (text.n == 0 || text.p[0] == '#')
		line->kind = LINE_NOTHING;
	else if (str_is(text, "*filter"))
		line->kind = LINE_FILTER;
	else if (text.p[0] == '*')
		line->kind = LINE_TABLE;
	else if (str_is(text, "COMMIT"))
		line->kind = LINE_COMMIT;
	else if (text.p[0] == ':')
		read_declaration(memo, line, text);
	else if (cut_chain(text, &chain))
		read_rule(memo, line, text, chain);
	if (line->kind == LINE_TABLE || line->kind == LINE_ODD || (line->kind == LINE_CHAIN && policy_refuses(text)))
		line->harm = HARM_ALWAYS;
	if (memo->scope.enforcement != ENFORCEMENT_MONITOR)
		line->harm = HARM_NONE;
	line->quiet = line->kind == LINE_NOTHING;
}
