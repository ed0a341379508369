/* The guard against lock-outs: reads the bytes that would be loaded, line by line, and asks whether fleetwall itself
 * still gets in on the SSH port, and its answers out. It believes no template: between the start of a chain and the
 * line that lets the packet through, nothing may be able to refuse it, and what it can't read, it takes for a refusal.
 * What was proven of the first lines of a chain is not walked through again. */
#include "fleetwall/addr.h"
#include "fleetwall/arena.h"
#include "guard_judge.h"
#include "guard_lines.h"
#include "guard_match.h"

#define NO_LINE SIZE_MAX

/* What is wrong, and where; NO_LINE: at the end of the chain. */
struct fault {
	const char *what;
	size_t line;
};

/* One chain of a file, as far as its lines may match such packets. */
struct chain {
	const struct scan *scan;
	const struct numbers *places;
	bool end_lets_through; /* at the end of the chain, and by RETURN */
};

static const struct known_line *chain_line(const struct chain *chain, size_t i)
{
	return scan_line(chain->scan, chain->places->items[i]);
}

static const struct line_match *chain_match(const struct chain *chain, size_t i)
{
	const struct memo *memo = chain->scan->memo;

	return &memo->matches.items[memo_more(memo, chain_line(chain, i))->match];
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

/* A line that may match: does it let through what must be let through, or may it refuse it? */
static bool refuses(const struct chain *chain, const struct line_match *match)
{
	return match->drops_when_full || match->effect == LINE_REFUSES ||
	       (match->effect == LINE_RETURNS && !chain->end_lets_through);
}

/* *seen grows to how many lines of the chain the answer depends on; more than all: on where it ends, too. */
static bool walk(struct arena *scratch, const struct chain *chain, enum packet_state state, struct range sources,
                 size_t *seen, struct fault *fault)
{
	struct remaining remaining = {0};

	APPEND(scratch, &remaining, sources);
	for (size_t i = 0; i < chain->places->count; i++) {
		const struct line_match *match = chain_match(chain, i);

		if (!(match->may & state) || !touches(&remaining, match))
			continue;
		if (refuses(chain, match)) {
			*fault = (struct fault){"this line may refuse it", chain->places->items[i]};
			return false;
		}
		if (match->effect == LINE_GOES_ON || !(match->must & state) || (match->has_range && match->outside))
			continue;
		take_away(scratch, &remaining, match->has_range ? match->range : sources);
		if (remaining.count == 0) {
			*seen = *seen > i + 1 ? *seen : i + 1;
			return true;
		}
	}
	*seen = chain->places->count + 1;
	*fault = (struct fault){"no line of the chain lets it through", NO_LINE};
	return chain->end_lets_through;
}

/* In as a new connection and as an open one, and the answers out. */
static bool gets_in(struct arena *scratch, const struct chain chains[WALKS], struct prefix source, size_t seen[WALKS],
                    struct fault *fault)
{
	const struct chain *in = &chains[WALK_IN], *out = &chains[WALK_OUT];
	struct range sources = prefix_range(source);

	return walk(scratch, in, PACKET_NEW, sources, &seen[WALK_IN], fault) &&
	       walk(scratch, in, PACKET_ESTABLISHED, sources, &seen[WALK_IN], fault) &&
	       walk(scratch, out, PACKET_ESTABLISHED, sources, &seen[WALK_OUT], fault);
}

/* --- what was proven before --- */

static bool is_proven(const struct chain *chain, const struct proof *proof)
{
	if (!proof->valid || proof->end_lets_through != chain->end_lets_through ||
	    chain->places->count < proof->lines.count || (proof->whole && chain->places->count > proof->lines.count))
		return false;
	for (size_t i = 0; i < proof->lines.count; i++)
		if (!same_print(&chain_line(chain, i)->print, &proof->lines.items[i]))
			return false;
	return true;
}

static void keep_proof(struct memo *memo, const struct chain *chain, size_t seen, struct proof *proof)
{
	proof->whole = seen > chain->places->count;
	proof->lines.count = 0;
	for (size_t i = 0; i < seen && i < chain->places->count; i++)
		APPEND(memo->arena, &proof->lines, chain_line(chain, i)->print);
	proof->end_lets_through = chain->end_lets_through;
	proof->valid = true;
}

/* --- one file --- */

/* In mode coexist, whether others refuse our answers is theirs to say; that they may not keep us out is ours. */
static void set_chains(const struct scan *scan, struct chain chains[WALKS])
{
	static const uint32_t numbers[WALKS] = {[WALK_IN] = CHAIN_INPUT, [WALK_OUT] = CHAIN_OUTPUT};
	bool shared = scan->ruleset->mode == MODE_COEXIST;

	for (enum line_walk i = WALK_IN; i < WALKS; i++)
		chains[i] = (struct chain){
			.scan = scan,
			.places = &scan->walks[i],
			.end_lets_through = shared ? i == WALK_OUT : scan_accepts(scan, numbers[i]),
		};
}

/* Only lines that append, declare, comment or frame: anything else could change a chain behind our back. */
static bool is_plain(const struct scan *scan, struct fault *fault)
{
	size_t tables = 0;

	if (scan->odd == 0 && scan->tables <= 1)
		return true;
	for (size_t i = 0; i < scan->lines.count; i++) {
		enum line_kind kind = scan_line(scan, i)->kind;

		tables += kind == LINE_FILTER || kind == LINE_TABLE;
		if (kind == LINE_ODD || kind == LINE_TABLE || (kind == LINE_FILTER && tables > 1)) {
			*fault = (struct fault){"the guard does not know what this line does", i};
			return false;
		}
	}
	return true;
}

static void locked_out(const struct judge_room *room, const struct scan *scan, struct prefix source,
                       const struct fault *fault, struct findings *findings)
{
	const struct ruleset *ruleset = scan->ruleset;
	struct finding finding = {
		.machine = ruleset->example->name,
		.file = scan->file,
		.hint = "mend the template, so that management comes before whatever may refuse; where an old "
			"generation knows other management sources, publish what generate makes; nothing overrides "
			"this",
	};
	if (!findings_count(findings, finding.machine, finding.file))
		return;
	struct str who = guard_who(room->scratch, finding.machine, ruleset->machines);
	struct str name = guard_file_name(scan->file), from = addr_str(room->scratch, source.addr);

	finding.message =
		str_format(room->scratch, "%.*s: %.*s would not let the management source %.*s/%u in on port %u: %s",
	                   STR_ARG(who), STR_ARG(name), STR_ARG(from), source.length, ruleset->ssh_port, fault->what);
	if (fault->line != NO_LINE) {
		finding.number = (unsigned)fault->line + 1;
		finding.line = scan_text(scan, fault->line);
	}
	findings_keep(room->kept, findings, finding);
}

static bool has_source(const struct settings *settings, enum family family, struct prefix *first)
{
	for (size_t i = 0; i < settings->management_count; i++)
		if (settings->management[i].addr.family == family) {
			*first = settings->management[i];
			return true;
		}
	return false;
}

/* Every source, through both chains; *blamed is the first that does not get in. */
static bool all_get_in(struct arena *scratch, const struct settings *settings, struct scan *scan, struct prefix *blamed,
                       struct fault *fault)
{
	struct chain chains[WALKS];
	struct proof *proofs = scan->memo->proofs;
	size_t seen[WALKS] = {0};

	set_chains(scan, chains);
	if (is_proven(&chains[WALK_IN], &proofs[WALK_IN]) && is_proven(&chains[WALK_OUT], &proofs[WALK_OUT]))
		return true;
	for (size_t i = 0; i < settings->management_count; i++) {
		if (settings->management[i].addr.family != blamed->addr.family)
			continue;
		*blamed = settings->management[i];
		if (!gets_in(scratch, chains, *blamed, seen, fault))
			return false;
	}
	for (enum line_walk i = WALK_IN; i < WALKS; i++)
		keep_proof(scan->memo, &chains[i], seen[i], &proofs[i]);
	return true;
}

static void judge_enforced(const struct judge_room *room, const struct settings *settings, struct scan *scan,
                           struct findings *findings)
{
	struct prefix source;
	struct fault fault;

	if (!has_source(settings, scan->file == 0 ? FAMILY_4 : FAMILY_6, &source))
		return;
	if (!is_plain(scan, &fault) || !all_get_in(room->scratch, settings, scan, &source, &fault))
		locked_out(room, scan, source, &fault, findings);
}

static bool may_refuse(const struct scan *scan, size_t place)
{
	const struct known_line *line = scan_line(scan, place);

	return line->harm == HARM_ALWAYS ||
	       (line->harm == HARM_UNLESS_DECLARED && !scan_declares(scan, memo_more(scan->memo, line)->target));
}

static void judge_monitored(const struct judge_room *room, const struct scan *scan, struct findings *findings)
{
	struct str machine = scan->ruleset->example->name;
	size_t i = 0;

	while (i < scan->loud.count && !may_refuse(scan, scan->loud.items[i]))
		i++;
	if (i == scan->loud.count || !findings_count(findings, machine, scan->file))
		return;
	struct str who = guard_who(room->scratch, machine, scan->ruleset->machines);
	struct finding finding = {
		.machine = machine,
		.file = scan->file,
		.number = scan->loud.items[i] + 1,
		.line = scan_text(scan, scan->loud.items[i]),
		.message = str_format(room->scratch, "%.*s is only monitored, but this line may refuse packets",
	                              STR_ARG(who)),
		.hint = "mend the template `monitor`; nothing overrides this",
	};
	findings_keep(room->kept, findings, finding);
}

void judge_lockout(const struct judge_room *room, const struct settings *settings, struct scan *scan,
                   struct findings *findings)
{
	if (scan->ruleset->enforcement == ENFORCEMENT_MONITOR)
		judge_monitored(room, scan, findings);
	else
		judge_enforced(room, settings, scan, findings);
}
