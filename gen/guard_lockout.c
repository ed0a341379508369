/* The guard against lock-outs: reads the bytes that would be loaded, line by line, and asks whether fleetwall itself
 * still gets in on the SSH port, and its answers out. It believes no template: between the start of a chain and the
 * line that lets the packet through, nothing may be able to refuse it, and what it can't read, it takes for a refusal.
 */
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/guard.h"
#include "guard_lines.h"
#include "guard_match.h"

enum { FINDINGS_MAX = 10 };

/* The lines of one chain, read when they are first asked about. */
struct chain_line {
	struct str text;
	unsigned number;
	bool read;
	struct line_match match;
};

struct chain {
	struct str name;
	struct ssh_packet packet;
	bool end_lets_through; /* at the end of the chain, and by RETURN */
	struct chain_line *items;
	size_t count, capacity;
};

/* One rules file. */
struct file {
	struct arena *scratch;
	const struct ruleset *ruleset;
	size_t index;
	struct chain in, out;
};

/* What is wrong, and where; text empty: at the end of the chain. */
struct finding {
	const char *what;
	struct str text;
	unsigned number;
};

static bool cut_chain(struct str line, struct str *chain)
{
	if (!str_starts(line, STR("-A ")))
		return false;
	struct str rest = str_slice(line, 3, line.n);

	*chain = str_slice(rest, 0, str_find(rest, ' '));
	return chain->n > 0 && str_find(*chain, '"') == chain->n;
}

static void keep_line(struct file *file, struct str chain, struct str line, unsigned number)
{
	struct chain_line kept = {.text = line, .number = number};

	if (str_eq(chain, file->in.name))
		APPEND(file->scratch, &file->in, kept);
	else if (str_eq(chain, file->out.name))
		APPEND(file->scratch, &file->out, kept);
}

/* Only lines that append, declare, comment or frame: anything else could change a chain behind our back. */
static bool split_file(struct file *file, struct finding *finding)
{
	struct str rest = file->ruleset->rules[file->index], line, chain;
	unsigned number = 0, tables = 0;

	while (guard_next_line(&rest, &number, &line)) {
		if (cut_chain(line, &chain)) {
			keep_line(file, chain, line, number);
			continue;
		}
		tables += line.n > 0 && line.p[0] == '*';
		if (line.n == 0 || line.p[0] == '#' || line.p[0] == ':' || str_is(line, "COMMIT") ||
		    (str_is(line, "*filter") && tables == 1))
			continue;
		*finding = (struct finding){"the guard does not know what this line does", line, number};
		return false;
	}
	return true;
}

/* What of the management prefix no line has let through yet. */
struct remaining {
	struct range *items;
	size_t count, capacity;
};

static bool overlap(struct range a, struct range b)
{
	return a.first <= b.last && b.first <= a.last;
}

static bool touches(const struct remaining *remaining, const struct line_match *match)
{
	for (size_t i = 0; i < remaining->count; i++)
		if (!match->has_range || (match->outside ? !range_covers(match->range, remaining->items[i])
		                                         : overlap(match->range, remaining->items[i])))
			return true;
	return false;
}

static void take_away(struct arena *scratch, struct remaining *remaining, struct range range)
{
	struct remaining left = {0};

	for (size_t i = 0; i < remaining->count; i++) {
		struct range whole = remaining->items[i], before = whole, after = whole;

		if (!overlap(whole, range)) {
			APPEND(scratch, &left, whole);
			continue;
		}
		before.last = range.first - 1;
		after.first = range.last + 1;
		if (whole.first < range.first)
			APPEND(scratch, &left, before);
		if (range.last < whole.last)
			APPEND(scratch, &left, after);
	}
	*remaining = left;
}

static const struct line_match *match_of(struct chain *chain, size_t line)
{
	struct chain_line *asked = &chain->items[line];

	if (!asked->read)
		line_match_read(asked->text, &chain->packet, &asked->match);
	asked->read = true;
	return &asked->match;
}

/* A line that may match: does it let through what must be let through, or may it refuse it? */
static bool refuses(const struct chain *chain, const struct line_match *match)
{
	return match->drops_when_full || match->effect == LINE_REFUSES ||
	       (match->effect == LINE_RETURNS && !chain->end_lets_through);
}

static bool walk(struct arena *scratch, struct chain *chain, enum packet_state state, struct range sources,
                 struct finding *finding)
{
	struct remaining remaining = {0};

	APPEND(scratch, &remaining, sources);
	for (size_t i = 0; i < chain->count; i++) {
		const struct line_match *match = match_of(chain, i);

		if (!(match->may & state) || !touches(&remaining, match))
			continue;
		if (refuses(chain, match)) {
			*finding = (struct finding){"this line may refuse it", chain->items[i].text,
			                            chain->items[i].number};
			return false;
		}
		if (match->effect == LINE_GOES_ON || !(match->must & state) || (match->has_range && match->outside))
			continue;
		take_away(scratch, &remaining, match->has_range ? match->range : sources);
		if (remaining.count == 0)
			return true;
	}
	*finding = (struct finding){"no line of the chain lets it through", STR(""), 0};
	return chain->end_lets_through;
}

/* In as a new connection and as an open one, and the answers out. */
static bool gets_in(struct file *file, struct prefix source, struct finding *finding)
{
	struct range sources = prefix_range(source);

	return walk(file->scratch, &file->in, PACKET_NEW, sources, finding) &&
	       walk(file->scratch, &file->in, PACKET_ESTABLISHED, sources, finding) &&
	       walk(file->scratch, &file->out, PACKET_ESTABLISHED, sources, finding);
}

static struct error *locked_out(struct file *file, const struct output *output, struct prefix source,
                                const struct finding *finding)
{
	struct str who = guard_who(file->scratch, output, file->ruleset), from = addr_str(file->scratch, source.addr);
	struct str name = guard_file_name(file->index);
	struct error *error = error_new(
		ERROR_GUARD, "%.*s: %.*s would not let the management source %.*s/%u in on port %u: %s", STR_ARG(who),
		STR_ARG(name), STR_ARG(from), source.length, file->ruleset->ssh_port, finding->what);

	error = error_hint(error, "mend the template, so that management comes before whatever may refuse; nothing "
	                          "overrides this");
	return finding->text.n == 0 ? error
	                            : guard_place(error, file->ruleset, file->index, finding->number, finding->text);
}

static struct chain chain_of(const struct file *file, struct str exclusive, struct str coexist, bool outbound)
{
	bool shared = file->ruleset->mode == MODE_COEXIST;
	struct str policy = STR("");
	struct chain chain = {
		.name = shared ? coexist : exclusive,
		.packet = {.outbound = outbound,
	                   .port = file->ruleset->ssh_port,
	                   .family = file->index == 0 ? FAMILY_4 : FAMILY_6},
	};
	if (shared)
		chain.end_lets_through = outbound; /* whether others refuse our answers is theirs to say; that they may
		                                      not keep us out is ours */
	else
		chain.end_lets_through = guard_declares(file->ruleset->rules[file->index], exclusive, &policy) &&
		                         str_is(policy, "ACCEPT");
	return chain;
}

static struct error *check_enforced(struct file *file, const struct output *output, const struct settings *settings)
{
	enum family family = file->index == 0 ? FAMILY_4 : FAMILY_6;
	struct finding finding;
	bool read = false;

	for (size_t i = 0; i < settings->management_count; i++) {
		struct prefix source = settings->management[i];

		if (source.addr.family != family)
			continue;
		if (!read) {
			file->in = chain_of(file, STR("INPUT"), STR("fleetwall-input"), false);
			file->out = chain_of(file, STR("OUTPUT"), STR("fleetwall-output"), true);
			if (!split_file(file, &finding))
				return locked_out(file, output, source, &finding);
			read = true;
		}
		if (!gets_in(file, source, &finding))
			return locked_out(file, output, source, &finding);
	}
	return NULL;
}

/* A monitored machine's file: every target must be one that lets the packet go on, return, or a chain of the same file.
 */
static bool monitors(const struct file *file, struct str line)
{
	struct str rules = file->ruleset->rules[file->index], policy, chain;
	struct ssh_packet any = {.family = FAMILY_4};
	struct line_match match;

	if (line.n == 0 || line.p[0] == '#' || str_is(line, "COMMIT") || str_is(line, "*filter"))
		return true;
	if (line.p[0] == ':') {
		policy = str_slice(line, str_find(line, ' ') + 1, line.n);
		return str_starts(policy, STR("- ")) || str_is(policy, "-") || str_starts(policy, STR("ACCEPT"));
	}
	if (!cut_chain(line, &chain))
		return false;
	line_match_read(line, &any, &match);
	return match.effect != LINE_REFUSES || (match.target.n > 0 && guard_declares(rules, match.target, &policy));
}

static struct error *check_monitored(const struct file *file, const struct output *output)
{
	struct str rest = file->ruleset->rules[file->index], line;
	unsigned number = 0;

	while (guard_next_line(&rest, &number, &line)) {
		if (monitors(file, line))
			continue;
		struct str who = guard_who(file->scratch, output, file->ruleset);

		return guard_place(
			error_hint(error_new(ERROR_GUARD, "%.*s is only monitored, but this line may refuse packets",
		                             STR_ARG(who)),
		                   "mend the template `monitor`; nothing overrides this"),
			file->ruleset, file->index, number, line);
	}
	return NULL;
}

static struct error *check_file(struct file *file, const struct output *output, const struct settings *settings)
{
	if (file->ruleset->enforcement == ENFORCEMENT_MONITOR)
		return check_monitored(file, output);
	return check_enforced(file, output, settings);
}

struct error *guard_lockout(struct arena *arena, const struct output *output, const struct settings *settings)
{
	struct arena *scratch = arena_new();
	struct error *findings = NULL;
	size_t found = 0;

	(void)arena; /* findings live by themselves */
	for (size_t i = 0; i < output->ruleset_count; i++)
		for (size_t index = 0; index < 2; index++) {
			struct file file = {.scratch = scratch, .ruleset = output->rulesets[i], .index = index};
			struct error *error = check_file(&file, output, settings);

			arena_reset(scratch);
			found += error != NULL;
			if (error != NULL && found <= FINDINGS_MAX)
				error_collect(&findings, error);
		}
	if (found > FINDINGS_MAX)
		error_collect(&findings,
		              error_new(ERROR_GUARD, "and %zu more rules files that management would not get through",
		                        found - FINDINGS_MAX));
	arena_free(scratch);
	return findings;
}
