/* What a chain lets in, of all packets there are: filter_run() says it too, but this is found by another way and in
 * fewer steps, as it says nothing of other packets. Nothing goes down a chain here: rules side by side are joined to
 * what they do together, by halves, and a chain is known once, for all that lead to it. */
#include "filter_run.h"
#include "fleetwall/arena.h"

/* What rules let in, by what becomes of packets that go on behind them, and of those that they send back to where the
 * chain was called: whether these are let in. */
struct fate {
	struct packets of[2][2]; /* [behind][back]; held */
};

/* Which of the four are wanted, as bits. */
#define WANTED(behind, back) (1U << (2 * (behind) + (back)))
#define WANTED_ENDS (WANTED(0, 0) | WANTED(1, 1)) /* who comes to a chain's end goes back */
#define WANTED_ALL 0xfU

struct chain_fate {
	struct packets of[2]; /* by whether packets that come back are let in; held */
	bool known;
};

struct accepting {
	const struct filter *filter;
	struct run_rules rules;
	struct chain_fate *chains;
};

static struct packets constant(bool all)
{
	return all ? packets_all() : packets_none();
}

static void fate_drop(struct fate *fate)
{
	for (unsigned behind = 0; behind < 2; behind++)
		for (unsigned back = 0; back < 2; back++)
			packets_hold(&fate->of[behind][back], packets_none());
}

static struct fate fate_of(struct accepting *accepting, uint32_t chain, size_t first, size_t count, unsigned wanted);

static const struct chain_fate *chain_fate(struct accepting *accepting, uint32_t chain)
{
	struct chain_fate *of = &accepting->chains[chain];
	struct fate fate;

	if (of->known)
		return of;
	of->known = true;
	fate = fate_of(accepting, chain, 0, accepting->filter->chains[chain].rule_count, WANTED_ENDS);
	packets_hold(&of->of[0], fate.of[0][0]);
	packets_hold(&of->of[1], fate.of[1][1]);
	fate_drop(&fate);
	return of;
}

/* What of the packets that match is let in. */
static struct packets let_in(struct accepting *accepting, const struct filter_rule *rule, bool behind, bool back)
{
	switch (rule->target) {
	case TARGET_ACCEPT:
		return packets_all();
	case TARGET_DROP:
	case TARGET_REJECT:
	case TARGET_UNKNOWN:
		break;
	case TARGET_RETURN:
		return constant(back);
	case TARGET_NONE:
	case TARGET_PASS:
		return constant(behind);
	case TARGET_JUMP:
		return chain_fate(accepting, rule->chain)->of[behind];
	case TARGET_GOTO:
		return chain_fate(accepting, rule->chain)->of[back];
	}
	return packets_none();
}

static bool passes(const struct filter_rule *rule)
{
	return rule->target == TARGET_NONE || rule->target == TARGET_PASS;
}

static struct fate rule_fate(struct accepting *accepting, uint32_t chain, size_t number, unsigned wanted)
{
	const struct filter_rule *rule = &accepting->filter->chains[chain].rules[number];
	struct packets match = passes(rule) ? packets_none() : run_rule(&accepting->rules, chain, number), set;
	struct fate fate = {0};

	for (unsigned behind = 0; behind < 2; behind++)
		for (unsigned back = 0; back < 2; back++) {
			if ((wanted & WANTED(behind, back)) == 0)
				continue;
			set = packets_if(match, let_in(accepting, rule, behind, back), constant(behind));
			packets_hold(&fate.of[behind][back], set);
		}
	return fate;
}

/* The second stands behind the first. */
static struct fate fate_join(const struct fate *first, const struct fate *second, unsigned wanted)
{
	struct fate fate = {0};
	struct packets set;

	for (unsigned behind = 0; behind < 2; behind++)
		for (unsigned back = 0; back < 2; back++) {
			if ((wanted & WANTED(behind, back)) == 0)
				continue;
			set = packets_if(second->of[behind][back], first->of[1][back], first->of[0][back]);
			packets_hold(&fate.of[behind][back], set);
		}
	return fate;
}

/* What the first half must be known for, that the whole is. */
static unsigned wanted_before(unsigned wanted)
{
	unsigned before = 0;

	for (unsigned back = 0; back < 2; back++)
		if (wanted & (WANTED(0, back) | WANTED(1, back)))
			before |= WANTED(0, back) | WANTED(1, back);
	return before;
}

static struct fate fate_of(struct accepting *accepting, uint32_t chain, size_t first, size_t count, unsigned wanted)
{
	struct fate fate = {.of = {{packets_none(), packets_none()}, {packets_all(), packets_all()}}}, before, behind;
	size_t mark = packets_mark();

	if (count == 0)
		return fate;
	if (count == 1) {
		fate = rule_fate(accepting, chain, first, wanted);
	} else {
		before = fate_of(accepting, chain, first, count / 2, wanted_before(wanted));
		behind = fate_of(accepting, chain, first + count / 2, count - count / 2, wanted);
		fate = fate_join(&before, &behind, wanted);
		fate_drop(&before);
		fate_drop(&behind);
	}
	packets_release(mark);
	return fate;
}

struct packets filter_accepts(const struct filter *filter, const struct filter_view *view,
                              const struct filter_chain *chain, const struct filter_rule **last)
{
	struct arena *scratch = arena_new();
	struct accepting accepting = {.filter = filter,
	                              .rules = run_rules_new(scratch, filter, view),
	                              .chains = ARENA_ARRAY(scratch, struct chain_fate, filter->chain_count)};
	bool policy = chain->builtin && chain->policy == TARGET_ACCEPT;
	size_t mark = packets_mark();
	struct packets accepted = chain_fate(&accepting, (uint32_t)(chain - filter->chains))->of[policy];

	accepted = packets_release_but(mark, accepted);
	for (size_t i = 0; i < filter->chain_count; i++)
		for (unsigned k = 0; k < 2; k++)
			packets_hold(&accepting.chains[i].of[k], packets_none());
	*last = accepting.rules.last;
	run_rules_end(&accepting.rules);
	arena_free(scratch);
	return accepted;
}
