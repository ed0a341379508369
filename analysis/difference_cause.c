/* Why a packet's verdict became another one: the rules that decide it before and after, and what came or went of them;
 * and in what rulesets differ where no packet of a new connection notices. */
#include "difference_parts.h"

#include <stdlib.h>

#include "fleetwall/buf.h"

const struct filter_chain *comparison_chain(const struct filter *filter, enum difference_way way)
{
	static const struct str names[2][3] = {{{"fleetwall-input", 15}, {"fleetwall-output", 16}, {"", 0}},
	                                       {{"INPUT", 5}, {"OUTPUT", 6}, {"FORWARD", 7}}};
	bool exclusive = filter_chain(filter, names[1][DIFFERENCE_IN]) != NULL;

	return filter_chain(filter, names[exclusive][way]);
}

/* --- the cause --- */

static bool has_comment(const struct filter *filter, struct str comment)
{
	for (size_t i = 0; i < filter->chain_count; i++)
		for (size_t k = 0; k < filter->chains[i].rule_count; k++)
			if (str_eq(filter->chains[i].rules[k].comment, comment))
				return true;
	return false;
}

/* The rule that decides there; NULL: the policy, or nothing. */
static const struct filter_rule *decider(struct comparison *comparison, const struct passing *passing, bool after,
                          const struct sample *sample)
{
	const struct filter *filter = comparison->filters[after][passing->family == FAMILY_6];
	const struct filter_chain *chain = comparison_chain(filter, passing->way);
	struct side_view side = {.comparison = comparison, .after = after, .sample = sample};
	const struct filter_view view = {&comparison->known[after], sets_see_sample, &side};

	return chain != NULL ? filter_decider(filter, &view, chain, sample) : NULL;
}

static bool in_changed_set(struct comparison *comparison, size_t number, const struct sample *sample,
                           enum difference_cause *cause)
{
	const struct both_sets *set = &comparison->sets[number];
	struct addr peer;

	for (int end = 0; end < 2 && sets_differ(set) && set->compared; end++) {
		peer = end == 0 ? sample->source : sample->destination;
		*cause = CAUSE_SET_GREW;
		if (addr_set_has(&set->added, peer))
			return true;
		*cause = CAUSE_SET_SHRANK;
		if (addr_set_has(&set->removed, peer))
			return true;
	}
	return false;
}

static bool changed_set_of_rule(struct comparison *comparison, const struct filter_rule *rule,
                                const struct sample *sample, struct difference_group *group)
{
	for (size_t i = 0; i < rule->match_count; i++) {
		size_t number = rule->matches[i].kind == MATCH_SET ? sets_find(comparison, rule->matches[i].name)
		                                                   : comparison->set_count;

		if (number == comparison->set_count ||
		    !in_changed_set(comparison, number, sample, &group->cause))
			continue;
		group->rule = rule->comment;
		group->set = str_slice(comparison->sets[number].file, 0, comparison->sets[number].file.n - 3);
		return true;
	}
	return false;
}

/* A set that this packet's peer came into or left, of a rule of that name. */
static bool changed_set(struct comparison *comparison, const struct filter *filter, struct str comment,
                        const struct sample *sample, struct difference_group *group)
{
	for (size_t i = 0; i < filter->chain_count; i++)
		for (size_t k = 0; k < filter->chains[i].rule_count; k++) {
			const struct filter_rule *rule = &filter->chains[i].rules[k];

			if (str_eq(rule->comment, comment) &&
			    changed_set_of_rule(comparison, rule, sample, group))
				return true;
		}
	group->cause = CAUSE_NONE;
	return false;
}

static bool caused_by(struct comparison *comparison, const struct passing *passing, const struct sample *sample,
                      bool after, struct difference_group *group)
{
	const struct filter_rule *rule = decider(comparison, passing, after, sample);
	struct str comment = rule != NULL ? rule->comment : STR("");
	size_t six = passing->family == FAMILY_6;

	if (comment.n == 0)
		return false;
	if (!has_comment(comparison->filters[!after][six], comment)) {
		group->cause = after ? CAUSE_RULE_CAME : CAUSE_RULE_WENT;
		group->rule = comment;
		return true;
	}
	return changed_set(comparison, comparison->filters[after][six], comment, sample, group);
}

/* How the whole ruleset is loaded says more than a rule of it. */
static bool caused_by_kind(struct comparison *comparison, const struct passing *passing,
                           struct difference_group *group)
{
	bool monitors[2], exclusive[2];

	for (size_t i = 0; i < 2; i++) {
		const struct filter *filter = comparison->filters[i][passing->family == FAMILY_6];

		monitors[i] = filter_chain(filter, STR("fleetwall-monitor")) != NULL;
		exclusive[i] = filter_chain(filter, STR("INPUT")) != NULL;
	}
	if (monitors[0] != monitors[1])
		group->cause = CAUSE_ENFORCEMENT;
	else if (passing->way == DIFFERENCE_FORWARD && exclusive[0] != exclusive[1])
		group->cause = CAUSE_MODE;
	return group->cause != CAUSE_NONE;
}

/* Outbound, what no rule names meets the end of the chain only where egress is closed; else a rule lets it out (of
 * management, say, which is no rule of a role). */
static void caused_by_end(struct comparison *comparison, const struct passing *passing, const struct sample *sample,
                          struct difference_group *group)
{
	bool after = group->change == DIFFERENCE_CLOSES;
	const struct filter *filter = comparison->filters[after][passing->family == FAMILY_6];
	const struct filter_chain *chain = comparison_chain(filter, passing->way);
	const struct filter_rule *rule = decider(comparison, passing, after, sample);

	if (passing->way == DIFFERENCE_OUT && chain != NULL && chain->rule_count > 0 &&
	    (rule == NULL || rule == &chain->rules[chain->rule_count - 1]) &&
	    decider(comparison, passing, !after, sample) == NULL)
		group->cause = CAUSE_EGRESS;
}

void cause_find(struct comparison *comparison, const struct passing *passing, struct packets part,
                struct difference_group *group)
{
	struct sample sample;
	struct str *held = ARENA_ARRAY(comparison->arena, struct str, names_count(comparison->favoured));

	if (!packets_sample(comparison->arena, part, &sample))
		return;
	for (uint32_t i = 0; i < names_count(comparison->favoured); i++)
		held[i] = names_get(comparison->favoured, i);
	sample.conditions = held;
	sample.condition_count = names_count(comparison->favoured);
	/* What decides now, first: a rule that came explains more than the one that it hides. */
	if (!caused_by_kind(comparison, passing, group) && !caused_by(comparison, passing, &sample, true, group) &&
	    !caused_by(comparison, passing, &sample, false, group))
		caused_by_end(comparison, passing, &sample, group);
}

/* --- what no packet notices --- */

enum aspect { ASPECT_LOG = 1, ASPECT_RATE = 2, ASPECT_TIME = 4, ASPECT_COMMENT = 8, ASPECT_ALL = 15 };

static bool is_log(const struct filter_rule *rule)
{
	return rule->target == TARGET_PASS || rule->target == TARGET_NONE;
}

static unsigned aspect_of(const struct match *match)
{
	if (match->kind != MATCH_CONDITION)
		return 0;
	return str_starts(match->text, STR("time ")) ? ASPECT_TIME : ASPECT_RATE;
}

/* The rules, with the named aspects and without the others. */
static struct str rules_seen(struct arena *arena, const struct filter *filter, unsigned aspects)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < filter->chain_count; i++) {
		buf_format(&buf, ":%.*s\n", i > 0 && !filter->chains[i].builtin ? 0 : (int)filter->chains[i].name.n,
		           filter->chains[i].name.p);
		for (size_t k = 0; k < filter->chains[i].rule_count; k++) {
			const struct filter_rule *rule = &filter->chains[i].rules[k];

			if (is_log(rule) && (aspects & ASPECT_LOG) == 0)
				continue;
			for (size_t m = 0; m < rule->match_count; m++)
				if ((aspect_of(&rule->matches[m]) & ~aspects) == 0)
					buf_format(&buf, "%c%.*s ", rule->matches[m].negated ? '!' : ' ',
					           STR_ARG(rule->matches[m].text));
			if ((aspects & ASPECT_COMMENT) != 0)
				buf_add(&buf, rule->comment);
			/* The name of a chain is a rule's. */
			if (rule->target != TARGET_JUMP && rule->target != TARGET_GOTO)
				buf_add(&buf, rule->target_text);
			buf_char(&buf, '\n');
		}
	}
	return buf_str(&buf);
}

static bool differ_in(struct comparison *comparison, unsigned aspects)
{
	for (size_t six = 0; six < 2; six++)
		if (!str_eq(rules_seen(comparison->arena, comparison->filters[0][six], aspects),
		            rules_seen(comparison->arena, comparison->filters[1][six], aspects)))
			return true;
	return false;
}

static bool any_set_differs(const struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->set_count; i++)
		if (sets_differ(&comparison->sets[i]))
			return true;
	return false;
}

struct str cause_of_nothing(struct comparison *comparison)
{
	static const struct {
		unsigned aspect;
		const char *word;
	} aspects[] = {{ASPECT_RATE, "rates"}, {ASPECT_TIME, "when rules end"}};
	struct buf buf = buf_new(comparison->difference->arena);

	if (comparison->states)
		buf_add(&buf, STR(", packets that begin no connection"));
	for (size_t i = 0; i < sizeof aspects / sizeof *aspects; i++)
		if (differ_in(comparison, aspects[i].aspect) && !differ_in(comparison, 0))
			buf_format(&buf, ", %s", aspects[i].word);
	if (differ_in(comparison, ASPECT_LOG | ASPECT_RATE | ASPECT_TIME) &&
	    !differ_in(comparison, ASPECT_RATE | ASPECT_TIME))
		buf_add(&buf, STR(", what is logged"));
	if (differ_in(comparison, 0))
		buf_add(&buf, STR(", rules, in how packets are refused or which rule decides"));
	else if (buf.n == 0 && differ_in(comparison, ASPECT_COMMENT))
		buf_add(&buf, STR(", comments"));
	if (any_set_differs(comparison))
		buf_add(&buf, STR(", members of sets"));
	if (buf.n == 0)
		buf_add(&buf, STR(", spelling"));
	return str_slice(buf_str(&buf), 2, buf.n);
}
