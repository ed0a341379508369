/* What became of each line: said by rules, there in any case, reached by nothing, or left out, and why. Every line that
 * says something is of exactly one kind, so that the counts add up. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "fleetwall/buf.h"

#include "takeover.h"
#include "what_words.h"

enum { PORTS_SHOWN = 100 };

/* --- notes --- */

void line_note(struct text *text, unsigned number, enum line_kind kind, struct str why)
{
	struct line *line = &text->lines[number - 1];

	if (kind > line->kind)
		*line = (struct line){kind, why};
}

void remark_error(struct takeover *takeover, struct error *error)
{
	if (takeover->remarks == NULL)
		takeover->remarks_end = &takeover->remarks;
	*takeover->remarks_end = error;
	takeover->remarks_end = &error->next;
}

void remark(struct takeover *takeover, struct place place, const char *format, ...)
{
	char text[1000];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	remark_error(takeover, error_at(error_new(ERROR_INPUT, "%s", text), place));
}

/* --- the bound --- */

void takeover_bound(struct takeover *takeover, uint64_t steps)
{
	takeover->bound = steps;
}

void reach(struct takeover *takeover, const struct text *text, const struct filter_rule *rule)
{
	if (takeover->stopped)
		return;
	takeover->at = (struct place){.file = text->name};
	if (rule != NULL) {
		takeover->at.line = rule->line;
		takeover->at.text = rule->text;
	}
	takeover->stopped = packets_spent();
}

struct error *reached_bound(const struct takeover *takeover, struct str machine)
{
	struct error *error;

	if (!packets_spent())
		return NULL;
	error = error_new(ERROR_INPUT,
	                  "machine %.*s: to find out what its rules do takes more than %" PRIu64 " steps, which ended "
	                  "here; nothing is taken over",
	                  STR_ARG(machine), takeover->bound);
	return error_hint(error_at(error, takeover->at),
	                  "most are for large sets, and for addresses, ports and interfaces that each rule mixes anew: "
	                  "leave such lines out of the file, and say them with fleetwall rule add");
}

struct judging {
	struct takeover *takeover;
	struct text *text;
	const struct walk *walk;
	const struct space *space;
	const struct chosen *chosen;
};

static const struct filter_rule *rule_of(const struct judging *judging, const struct unit *unit, size_t number)
{
	return &judging->walk->filter->chains[unit->chain].rules[unit->rules[number]];
}

static void note_unit(struct judging *judging, const struct unit *unit, enum line_kind kind, struct str why)
{
	for (size_t i = 0; i < unit->count; i++)
		line_note(judging->text, rule_of(judging, unit, i)->line, kind, why);
	if (unit->count == 0 && judging->walk->filter->chains[unit->chain].line > 0)
		line_note(judging->text, judging->walk->filter->chains[unit->chain].line, kind, why);
}

/* Those of the unit that have a part in `lost`; the others are represented. */
static void note_lost(struct judging *judging, const struct unit *unit, struct packets lost, struct str why)
{
	size_t mark = packets_mark();

	if (unit->count <= 1)
		note_unit(judging, unit, LINE_LEFT_OUT, why);
	for (size_t i = 0; i < unit->count && unit->count > 1; i++) {
		struct packets own = packets_and(walk_rule(judging->walk, unit->chain, unit->rules[i]), lost);

		line_note(judging->text, rule_of(judging, unit, i)->line,
		          packets_empty(own) ? LINE_REPRESENTED : LINE_LEFT_OUT, why);
		packets_release(mark);
	}
}

/* --- why --- */

#define WHY_WAY "packets come to it in a way that rules can't say"

static struct str why_condition(struct arena *arena, const struct filter_sets *sets, const struct match *match)
{
	const char *more = "";

	if (match->name.n > 0 && filter_set(sets, match->name) == NULL)
		more = ", which no file has";
	else if (match->name.n > 0 && set_expires(sets, match->name))
		more = ": " SET_EXPIRES;
	return str_format(arena, "it depends on \"%.*s\"%s", STR_ARG(str_slice(match->text, 0, 120)), more);
}

static struct str why_match(struct arena *arena, const struct walk *walk, const struct match *match)
{
	switch (match->kind) {
	case MATCH_SOURCE_PORTS:
	case MATCH_EITHER_PORTS:
		return STR("it looks at the source port");
	case MATCH_DESTINATION:
	case MATCH_RANGE_DESTINATION:
		return walk->out ? STR("") : STR("it looks at the destination address");
	case MATCH_SOURCE:
	case MATCH_RANGE_SOURCE:
		return walk->out ? STR("it looks at the source address") : STR("");
	case MATCH_FRAGMENT:
		return STR("it speaks of fragments");
	case MATCH_IN:
	case MATCH_OUT:
		return match->negated ? STR("it speaks of all interfaces but one") : STR("");
	case MATCH_PROTOCOL:
		return match->negated ? STR("it speaks of all protocols but one") : STR("");
	case MATCH_ADDRTYPE_LOCAL:
	case MATCH_CONDITION:
		return why_condition(arena, walk->view.sets, match);
	case MATCH_SET:
		return filter_set(walk->view.sets, match->name) == NULL ? why_condition(arena, walk->view.sets, match)
		                                                        : STR("");
	case MATCH_PORTS:
	case MATCH_ICMP:
	case MATCH_TCP_FLAGS:
	case MATCH_STATE:
		break;
	}
	return STR("");
}

/* A match of the line itself that rules have no words for; empty: none. */
static struct str why_line(const struct judging *judging, const struct unit *unit)
{
	struct str why = STR("");

	for (size_t i = 0; unit->count > 0 && why.n == 0 && i < rule_of(judging, unit, 0)->match_count; i++)
		why = why_match(judging->takeover->arena, judging->walk, &rule_of(judging, unit, 0)->matches[i]);
	return why;
}

static unsigned line_of(const struct judging *judging, const struct unit *unit)
{
	return unit->count > 0 ? rule_of(judging, unit, 0)->line : judging->walk->filter->chains[unit->chain].line;
}

static bool names_protocol(const struct judging *judging, const struct unit *unit)
{
	for (size_t i = 0; unit->count > 0 && i < rule_of(judging, unit, 0)->match_count; i++)
		if (rule_of(judging, unit, 0)->matches[i].kind == MATCH_PROTOCOL)
			return true;
	return false;
}

/* ": 22/tcp", where the line does not say what it is about; nothing where that is most of all there is. */
static struct str ports_lost(const struct judging *judging, const struct unit *unit, struct packets lost)
{
	struct arena *arena = judging->takeover->arena;
	struct word_list words = {0};
	struct buf buf = buf_new(arena);

	if (!names_protocol(judging, unit))
		what_words(arena, lost, judging->walk->filter->family, NULL, &words);
	for (size_t i = 0; i < words.count && words.numbers <= PORTS_SHOWN; i++)
		buf_format(&buf, "%s%.*s", i == 0 ? ": " : ", ", STR_ARG(words.items[i]));
	return buf_str(&buf);
}

/* A unit that refuses some of those cells. */
static struct str why_cut(const struct judging *judging, const struct unit *of, struct packets lost)
{
	struct packets cells = packets_and(space_cells(judging->space, lost), judging->space->opening);
	size_t mark = packets_mark();

	for (size_t i = 0; i < judging->walk->count; i++) {
		const struct unit *unit = &judging->walk->items[i];
		bool cuts = unit->kind != UNIT_ACCEPT && unit->kind != UNIT_PASS && unit->kind != UNIT_ONWARD &&
		            !packets_empty(packets_and(packets_and(unit->effective, cells), cells));

		packets_release(mark);
		if (cuts && unit->count > 0)
			return str_format(judging->takeover->arena,
			                  "line %u refuses some of it in a way that rules can't say%.*s",
			                  line_of(judging, unit), STR_ARG(ports_lost(judging, of, lost)));
	}
	return STR(WHY_WAY);
}

static struct str why_lost(const struct judging *judging, const struct unit *unit, struct packets lost,
                           struct packets whole)
{
	struct str why = why_line(judging, unit);

	if (why.n == 0)
		why = why_cut(judging, unit, lost);
	if (packets_eq(lost, whole))
		return why;
	return str_format(judging->takeover->arena, "in part: %.*s", STR_ARG(why));
}

/* --- units --- */

/* What conntrack doesn't track opens no connection for it, and no rule of ours speaks of it alone. */
static bool names_untracked(const struct judging *judging, const struct unit *unit)
{
	struct packets untracked;
	bool named = false;

	for (size_t i = 0; unit->count > 0 && i < rule_of(judging, unit, 0)->match_count; i++)
		named = named || rule_of(judging, unit, 0)->matches[i].kind == MATCH_STATE;
	if (!named)
		return false;
	untracked = packets_and(unit->effective, packets_state(STATE_UNTRACKED));
	return !packets_within(untracked, judging->space->kept);
}

static void judge_accept(struct judging *judging, const struct unit *unit)
{
	struct packets opened = unit->opened, lost;

	if (!packets_empty(opened)) {
		lost = judging->chosen->open ? packets_none() : packets_without(opened, judging->chosen->let_in);
		if (packets_empty(lost))
			note_unit(judging, unit, LINE_REPRESENTED, STR(""));
		else
			note_lost(judging, unit, lost, why_lost(judging, unit, lost, opened));
	} else if (names_untracked(judging, unit)) {
		note_unit(judging, unit, LINE_LEFT_OUT,
		          STR("in part: packets that conntrack does not track are not let in"));
	} else if (!packets_empty(packets_and(unit->effective, judging->space->kept))) {
		note_unit(judging, unit, LINE_HOUSEKEEPING, STR(""));
	} else {
		note_unit(judging, unit, LINE_LEFT_OUT, STR("it lets through only packets that open no connection"));
	}
}

static bool is_our_answer(const struct filter_rule *rule)
{
	return str_ends(rule->target_text, STR("tcp-reset")) || str_ends(rule->target_text, STR("port-unreachable"));
}

/* Does it refuse by what cells don't know, and cost something that would have been let in? */
static bool cuts(const struct judging *judging, const struct unit *unit, struct packets opened)
{
	struct packets nominal, whole, lost = judging->chosen->lost;

	if (judging->chosen->open || packets_empty(lost))
		return false;
	nominal = packets_and(unit->nominal, judging->space->opening);
	whole = packets_and(space_cells(judging->space, nominal), judging->space->opening);
	return !packets_within(packets_without(whole, judging->space->kept), nominal) &&
	       !packets_empty(packets_and(space_cells(judging->space, opened), space_cells(judging->space, lost)));
}

static void judge_refused(struct judging *judging, const struct unit *unit, struct packets opened)
{
	struct packets dropped = packets_without(opened, judging->chosen->rejected);

	if (cuts(judging, unit, opened)) {
		struct str why = why_line(judging, unit);

		note_unit(judging, unit, LINE_LEFT_OUT,
		          str_format(judging->takeover->arena, "%.*s; what it may refuse is not let in",
		                     STR_ARG(why.n > 0 ? why : STR(WHY_WAY))));
	} else if (unit->kind == UNIT_DROP || (packets_empty(dropped) && is_our_answer(rule_of(judging, unit, 0))))
		note_unit(judging, unit, LINE_REPRESENTED, STR(""));
	else if (packets_empty(dropped))
		note_unit(judging, unit, LINE_LEFT_OUT,
		          STR("in part: what it refuses is refused, but answered as rules answer: tcp-reset, or "
		              "port-unreachable"));
	else
		note_unit(judging, unit, LINE_LEFT_OUT,
		          STR("in part: what it refuses is refused, but by the default, which answers nothing"));
}

static void judge_refuse(struct judging *judging, const struct unit *unit)
{
	struct packets opened = unit->opened;

	if (!packets_empty(opened))
		judge_refused(judging, unit, opened);
	else if (packets_within(unit->effective, packets_state(STATE_INVALID)))
		note_unit(judging, unit, LINE_HOUSEKEEPING, STR(""));
	else if (unit->count == 0)
		note_unit(judging, unit, LINE_REPRESENTED, STR(""));
	else
		note_unit(judging, unit, LINE_LEFT_OUT,
		          STR("it refuses only packets that open no connection, or that housekeeping lets through"));
}

/* What is logged before it is dropped by the default is logged there. */
static void judge_pass(struct judging *judging, const struct unit *unit, const struct unit *next)
{
	const struct filter_rule *rule = rule_of(judging, unit, 0);
	struct packets opened = unit->opened;
	bool log = str_starts(rule->target_text, STR("LOG")) || str_starts(rule->target_text, STR("NFLOG"));
	size_t end = str_find(rule->target_text, ' ');

	if (rule->target == TARGET_NONE || (next != NULL && next->log) ||
	    (log && !packets_empty(opened) && packets_within(opened, judging->chosen->logged)))
		note_unit(judging, unit, LINE_REPRESENTED, STR(""));
	else if (log)
		note_unit(judging, unit, LINE_LEFT_OUT, STR("no rule logs what it logs"));
	else
		note_unit(judging, unit, LINE_LEFT_OUT,
		          str_format(judging->takeover->arena, "rules have no %.*s",
		                     STR_ARG(str_slice(rule->target_text, 0, end))));
}

static void judge_unit(struct judging *judging, size_t number)
{
	const struct unit *unit = &judging->walk->items[number], *next = NULL;

	if (number + 1 < judging->walk->count && judging->walk->items[number + 1].chain == unit->chain)
		next = &judging->walk->items[number + 1];
	if (packets_empty(unit->effective)) {
		note_unit(judging, unit, unit->count > 0 ? LINE_UNREACHED : LINE_REPRESENTED, STR(""));
		return;
	}
	switch (unit->kind) {
	case UNIT_ACCEPT:
		judge_accept(judging, unit);
		break;
	case UNIT_DROP:
	case UNIT_RESET:
	case UNIT_REJECT:
		judge_refuse(judging, unit);
		break;
	case UNIT_UNKNOWN:
		note_unit(judging, unit, LINE_LEFT_OUT,
		          STR("nobody knows here what becomes of packets there; they are not let in"));
		break;
	case UNIT_PASS:
		judge_pass(judging, unit, next);
		break;
	case UNIT_ONWARD:
		note_unit(judging, unit, LINE_REPRESENTED, STR(""));
		break;
	}
}

void lines_judge(struct takeover *takeover, struct host *host, const struct walk *walk, const struct space *space,
                 const struct chosen *chosen)
{
	struct judging judging = {takeover, host->rules[walk->filter->family == FAMILY_6], walk, space, chosen};
	size_t mark = packets_mark();

	for (size_t i = 0; i < walk->count; i++) {
		judge_unit(&judging, i);
		packets_release(mark);
	}
	for (size_t i = 0; i < walk->filter->chain_count; i++)
		if (walk->reached[i] && !walk->filter->chains[i].builtin && walk->filter->chains[i].line > 0)
			line_note(judging.text, walk->filter->chains[i].line, LINE_REPRESENTED, STR(""));
}
