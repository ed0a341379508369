/* What a filter does with sets of packets. The set that is still undecided goes down a chain, and each rule takes its
 * part of it. A chain that one rule alone leads to is run there. One that several lead to is run at most twice: once
 * for all packets, to know which come back, and once for all those together that enter it, after everything that leads
 * to it. So the time is linear in the rules, however chains call each other. */
#include "fleetwall/filter.h"

#include <assert.h>

#include "filter_run.h"
#include "fleetwall/arena.h"

struct chain_run {
	unsigned references;     /* from chains that can be reached */
	bool visited, summed;
	struct packets back;     /* of all packets, those that come back out of it */
	struct packets entering; /* from several rules */
	struct packets reached;
};

struct run {
	const struct filter *filter;
	struct run_rules rules;
	struct chain_run *chains;
	uint32_t *order; /* those that can be reached, each behind all that it leads to */
	size_t ordered;
	struct packets entering;
	struct packets *room;      /* for the rules of the longest chain */
	struct outcomes *outcomes; /* held */
};

static bool leads_on(const struct filter_rule *rule)
{
	return rule->target == TARGET_JUMP || rule->target == TARGET_GOTO;
}

static void add(struct packets *held, struct packets more)
{
	packets_hold(held, packets_or(*held, more));
}

/* A chain never reaches itself: the reader refuses that. */
static void visit(struct run *run, uint32_t chain)
{
	const struct filter_chain *of = &run->filter->chains[chain];

	run->chains[chain].visited = true;
	for (size_t i = 0; i < of->rule_count; i++) {
		uint32_t next = of->rules[i].chain;

		if (!leads_on(&of->rules[i]))
			continue;
		run->chains[next].references++;
		if (!run->chains[next].visited)
			visit(run, next);
	}
	run->order[run->ordered++] = chain;
}

/* --- down a chain --- */

/* One way down: the packets that no rule has taken yet, and those that leave the chain to where it was called. In
 * earnest, what becomes of packets is noted; else only which come back is asked. */
struct way {
	struct packets undecided, back;
	bool earnest;
};

static struct packets go_down(struct run *run, uint32_t chain, struct packets entering, bool earnest);

/* All that could enter, and which of them come back. */
static struct packets summed_back(struct run *run, uint32_t chain)
{
	struct chain_run *of = &run->chains[chain];

	if (!of->summed) {
		of->summed = true;
		packets_hold(&of->back, go_down(run, chain, run->entering, false));
	}
	return of->back;
}

static struct packets enter(struct run *run, uint32_t chain, struct packets entering, bool earnest)
{
	struct chain_run *of = &run->chains[chain];

	if (of->references == 1)
		return go_down(run, chain, entering, earnest);
	if (earnest)
		add(&of->entering, entering);
	return packets_and(entering, summed_back(run, chain));
}

/* Where the packets of a target that ends their way are counted; NULL: it does not. */
static struct packets *fate(struct outcomes *outcomes, const struct filter_rule *rule)
{
	switch (rule->target) {
	case TARGET_ACCEPT:
		return &outcomes->accepted;
	case TARGET_DROP:
		return &outcomes->dropped;
	case TARGET_REJECT:
		return str_ends(rule->target_text, STR("tcp-reset")) ? &outcomes->reset : &outcomes->rejected;
	case TARGET_UNKNOWN:
		return &outcomes->unknown;
	case TARGET_NONE:
	case TARGET_PASS:
	case TARGET_RETURN:
	case TARGET_JUMP:
	case TARGET_GOTO:
		break;
	}
	return NULL;
}

/* What comes back from a chain that it went to is where a RETURN here would be. */
static void take(struct run *run, struct way *way, const struct filter_rule *rule, struct packets taken)
{
	struct packets *end = fate(run->outcomes, rule);

	if (rule->target == TARGET_JUMP) {
		struct packets back = enter(run, rule->chain, taken, way->earnest);

		packets_hold(&way->undecided, packets_or(packets_without(way->undecided, taken), back));
		return;
	}
	if (rule->target == TARGET_GOTO)
		add(&way->back, enter(run, rule->chain, taken, way->earnest));
	else if (rule->target == TARGET_RETURN)
		add(&way->back, taken);
	else if (end == NULL)
		return;
	else if (way->earnest)
		add(end, taken);
	packets_hold(&way->undecided, packets_without(way->undecided, taken));
}

/* How many rules from this one on send packets the same way: among them, their order is of no matter. */
static size_t count_alike(struct run *run, const struct filter_chain *chain, size_t first)
{
	const struct filter_rule *rule = &chain->rules[first];
	const struct packets *end = fate(run->outcomes, rule);
	size_t i = first + 1;

	if (end == NULL && rule->target != TARGET_RETURN)
		return 1;
	while (i < chain->rule_count && fate(run->outcomes, &chain->rules[i]) == end &&
	       (end != NULL || chain->rules[i].target == TARGET_RETURN))
		i++;
	return i - first;
}

/* Halves first: a union of many is cheap while its parts are small, and cheaper than to take each from what is left. */
static struct packets match_any(struct run *run, uint32_t chain, size_t first, size_t count)
{
	for (size_t i = 0; i < count; i++)
		run->room[i] = run_rule(&run->rules, chain, first + i);
	for (size_t half; count > 1; count = half) {
		half = (count + 1) / 2;
		for (size_t i = 0; i + half < count; i++)
			run->room[i] = packets_or(run->room[i], run->room[i + half]);
	}
	return run->room[0];
}

static struct packets go_down(struct run *run, uint32_t chain, struct packets entering, bool earnest)
{
	const struct filter_chain *of = &run->filter->chains[chain];
	struct way way = {.undecided = packets_none(), .back = packets_none(), .earnest = earnest};
	size_t mark = packets_mark();
	struct packets back;

	if (earnest)
		add(&run->chains[chain].reached, entering);
	packets_hold(&way.undecided, entering);
	for (size_t i = 0, alike; i < of->rule_count && !packets_empty(way.undecided); i += alike) {
		struct packets taken;

		alike = count_alike(run, of, i);
		taken = packets_and(way.undecided, match_any(run, chain, i, alike));
		if (!packets_empty(taken))
			take(run, &way, &of->rules[i], taken);
		packets_release(mark);
	}
	back = packets_or(way.back, way.undecided);
	packets_hold(&way.undecided, packets_none());
	packets_hold(&way.back, packets_none());
	return packets_release_but(mark, back);
}

/* --- all of it --- */

static struct packets give(struct packets *held)
{
	struct packets set = packets_or(*held, packets_none());

	packets_hold(held, packets_none());
	return set;
}

/* What is held becomes the caller's to release. */
static void give_outcomes(struct arena *arena, struct run *run)
{
	struct outcomes *outcomes = run->outcomes;

	outcomes->accepted = give(&outcomes->accepted);
	outcomes->dropped = give(&outcomes->dropped);
	outcomes->reset = give(&outcomes->reset);
	outcomes->rejected = give(&outcomes->rejected);
	outcomes->unknown = give(&outcomes->unknown);
	outcomes->returned = give(&outcomes->returned);
	outcomes->reached = ARENA_ARRAY(arena, struct packets, run->filter->chain_count);
	for (size_t i = 0; i < run->filter->chain_count; i++) {
		outcomes->reached[i] = give(&run->chains[i].reached);
		packets_hold(&run->chains[i].back, packets_none());
		packets_hold(&run->chains[i].entering, packets_none());
	}
	packets_hold(&run->entering, packets_none());
}

static void leave(struct run *run, const struct filter_chain *chain, struct packets back)
{
	if (!chain->builtin)
		add(&run->outcomes->returned, back);
	else if (chain->policy == TARGET_ACCEPT)
		add(&run->outcomes->accepted, back);
	else
		add(&run->outcomes->dropped, back);
}

static size_t longest_chain(const struct filter *filter)
{
	size_t most = 0;

	for (size_t i = 0; i < filter->chain_count; i++)
		if (filter->chains[i].rule_count > most)
			most = filter->chains[i].rule_count;
	return most;
}

struct outcomes filter_run(struct arena *arena, const struct filter *filter, const struct filter_view *view,
                           const struct filter_chain *chain, struct packets entering)
{
	struct arena *scratch = arena_new();
	struct outcomes outcomes = {0};
	struct run run = {.filter = filter,
	                  .rules = run_rules_new(scratch, filter, view),
	                  .chains = ARENA_ARRAY(scratch, struct chain_run, filter->chain_count),
	                  .order = ARENA_ARRAY(scratch, uint32_t, filter->chain_count),
	                  .room = ARENA_ARRAY(scratch, struct packets, longest_chain(filter)),
	                  .outcomes = &outcomes};
	uint32_t start = (uint32_t)(chain - filter->chains);
	size_t mark = packets_mark();

	packets_hold(&run.entering, entering);
	visit(&run, start);
	leave(&run, chain, go_down(&run, start, entering, true));
	for (size_t i = run.ordered; i-- > 0;)
		if (run.chains[run.order[i]].references > 1)
			(void)go_down(&run, run.order[i], run.chains[run.order[i]].entering, true);
	packets_release(mark);
	run_rules_end(&run.rules);
	give_outcomes(arena, &run);
	arena_free(scratch);
	return outcomes;
}

/* --- one packet --- */

/* Where a packet is in a chain; it was called by a jump. */
struct frame {
	uint32_t chain;
	size_t next;
	const struct filter_rule *went; /* the goto that led here, if one did */
};

/* Out of the first chain: by the rule that says RETURN, or else the goto behind whose chain's end it lies. */
static const struct filter_rule *left_by(const struct filter_chain *chain, const struct frame *frame,
                                         const struct filter_rule *rule)
{
	if (chain->builtin)
		return NULL;
	return rule != NULL ? rule : frame->went;
}

static void follow(struct frame *frames, size_t *depth, const struct filter_rule *rule)
{
	if (rule->target == TARGET_JUMP)
		frames[(*depth)++] = (struct frame){rule->chain, 0, NULL};
	else
		frames[*depth - 1] = (struct frame){rule->chain, 0, rule};
}

static const struct filter_rule *walk(struct run_rules *rules, struct frame *frames, const struct sample *packet)
{
	const struct filter_chain *first = &rules->filter->chains[frames[0].chain];
	struct outcomes none = {0};
	size_t depth = 1;

	for (;;) {
		struct frame *frame = &frames[depth - 1];
		const struct filter_chain *chain = &rules->filter->chains[frame->chain];
		const struct filter_rule *rule = frame->next < chain->rule_count ? &chain->rules[frame->next] : NULL;

		if (rule != NULL && !packets_have(run_rule(rules, frame->chain, frame->next), packet)) {
			frame->next++;
			continue;
		}
		if (rule != NULL && fate(&none, rule) != NULL)
			return rule;
		frame->next++;
		if (rule != NULL && leads_on(rule))
			follow(frames, &depth, rule);
		else if ((rule == NULL || rule->target == TARGET_RETURN) && --depth == 0)
			return left_by(first, frame, rule);
	}
}

const struct filter_rule *filter_decider(const struct filter *filter, const struct filter_view *view,
                                         const struct filter_chain *chain, const struct sample *packet)
{
	struct arena *scratch = arena_new();
	struct run_rules rules = run_rules_new(scratch, filter, view);
	struct frame *frames = ARENA_ARRAY(scratch, struct frame, filter->chain_count + 1);
	const struct filter_rule *rule;

	frames[0] = (struct frame){(uint32_t)(chain - filter->chains), 0, NULL};
	rule = walk(&rules, frames, packet);
	run_rules_end(&rules);
	arena_free(scratch);
	return rule;
}
