/* What a filter does with sets of packets. The set that is still undecided goes down a chain, and the rules take their
 * parts of it. A chain that one rule alone leads to is run there. One that several lead to is run at most twice: once
 * for all packets, to know which come back, and once for all those together that enter it, after everything that leads
 * to it. So the time is linear in the rules, however chains call each other. */
#include "fleetwall/filter.h"

#include "filter_run.h"
#include "fleetwall/arena.h"

struct chain_run {
	unsigned references;     /* from chains that can be reached */
	bool visited, summed;
	struct packets back;     /* of all packets, those that come back out of it */
	struct packets entering; /* from several rules */
	struct packets reached;
};

/* Where packets end. */
enum end { END_ACCEPTED, END_DROPPED, END_RESET, END_REJECTED, END_UNKNOWN, END_BACK, END_NONE };

struct run {
	const struct filter *filter;
	struct run_rules rules;
	struct chain_run *chains;
	uint32_t *order; /* those that can be reached, each behind all that it leads to */
	size_t ordered;
	struct packets entering;
	struct packets ends[END_NONE]; /* held */
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

/* Where a rule's packets end their way down the chain; END_NONE: they don't, or in another chain. */
static enum end end_of(const struct filter_rule *rule)
{
	switch (rule->target) {
	case TARGET_ACCEPT:
		return END_ACCEPTED;
	case TARGET_DROP:
		return END_DROPPED;
	case TARGET_REJECT:
		return str_ends(rule->target_text, STR("tcp-reset")) ? END_RESET : END_REJECTED;
	case TARGET_UNKNOWN:
		return END_UNKNOWN;
	case TARGET_RETURN:
		return END_BACK;
	case TARGET_NONE:
	case TARGET_PASS:
	case TARGET_JUMP:
	case TARGET_GOTO:
		break;
	}
	return END_NONE;
}

/* --- a stretch of rules that lead nowhere else --- */

/* What becomes of all packets there; sets are held. */
struct part {
	struct packets of[END_NONE];
	struct packets taken; /* together */
};

static void part_drop(struct part *part)
{
	for (enum end end = 0; end < END_NONE; end++)
		packets_hold(&part->of[end], packets_none());
	packets_hold(&part->taken, packets_none());
}

/* The second gets what the first leaves; where both take packets to one end alone, that makes no difference. */
static void part_join(struct part *first, struct part *second)
{
	size_t mark = packets_mark();

	for (enum end end = 0; end < END_NONE; end++) {
		struct packets more = second->of[end];

		if (packets_empty(more))
			continue;
		if (!packets_eq(first->of[end], first->taken))
			more = packets_without(more, first->taken);
		add(&first->of[end], more);
	}
	add(&first->taken, second->taken);
	part_drop(second);
	packets_release(mark);
}

/* By halves: two small sets are joined quickly, and there are few large ones. One packet of a large set after the other
 * would be looked at for each rule, if each took its own from what those before it left. */
static struct part part_of(struct run *run, uint32_t chain, size_t first, size_t count)
{
	struct part part = {0}, rest;
	enum end end;

	if (count > 1) {
		part = part_of(run, chain, first, count / 2);
		rest = part_of(run, chain, first + count / 2, count - count / 2);
		part_join(&part, &rest);
		return part;
	}
	end = end_of(&run->filter->chains[chain].rules[first]);
	if (end != END_NONE) {
		packets_hold(&part.of[end], run_rule(&run->rules, chain, first));
		packets_hold(&part.taken, part.of[end]);
	}
	return part;
}

/* How many rules there are from this one on that lead nowhere else. */
static size_t stretch(const struct filter_chain *chain, size_t first)
{
	size_t i = first;

	while (i < chain->rule_count && !leads_on(&chain->rules[i]))
		i++;
	return i - first;
}

static void take_stretch(struct run *run, struct way *way, uint32_t chain, size_t first, size_t count)
{
	struct part part = part_of(run, chain, first, count);

	for (enum end end = 0; end < END_NONE; end++) {
		if (end == END_BACK)
			add(&way->back, packets_and(way->undecided, part.of[end]));
		else if (way->earnest && !packets_empty(part.of[end]))
			add(&run->ends[end], packets_and(way->undecided, part.of[end]));
	}
	packets_hold(&way->undecided, packets_without(way->undecided, part.taken));
	part_drop(&part);
}

/* What comes back from a chain that it went to is where a RETURN here would be. */
static void take_leading(struct run *run, struct way *way, uint32_t chain, size_t number)
{
	const struct filter_rule *rule = &run->filter->chains[chain].rules[number];
	struct packets taken = packets_and(way->undecided, run_rule(&run->rules, chain, number)), back;

	if (packets_empty(taken))
		return;
	back = enter(run, rule->chain, taken, way->earnest);
	packets_hold(&way->undecided, packets_without(way->undecided, taken));
	add(rule->target == TARGET_JUMP ? &way->undecided : &way->back, back);
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
	for (size_t i = 0; i < of->rule_count && !packets_empty(way.undecided);) {
		size_t count = stretch(of, i);

		if (count > 0)
			take_stretch(run, &way, chain, i, count);
		else
			take_leading(run, &way, chain, i);
		packets_release(mark);
		i += count > 0 ? count : 1;
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
static struct outcomes give_outcomes(struct arena *arena, struct run *run)
{
	struct outcomes outcomes = {
		.accepted = give(&run->ends[END_ACCEPTED]),
		.dropped = give(&run->ends[END_DROPPED]),
		.reset = give(&run->ends[END_RESET]),
		.rejected = give(&run->ends[END_REJECTED]),
		.returned = give(&run->ends[END_BACK]),
		.unknown = give(&run->ends[END_UNKNOWN]),
		.reached = ARENA_ARRAY(arena, struct packets, run->filter->chain_count),
	};

	for (size_t i = 0; i < run->filter->chain_count; i++) {
		outcomes.reached[i] = give(&run->chains[i].reached);
		packets_hold(&run->chains[i].back, packets_none());
		packets_hold(&run->chains[i].entering, packets_none());
	}
	packets_hold(&run->entering, packets_none());
	return outcomes;
}

static void leave(struct run *run, const struct filter_chain *chain, struct packets back)
{
	if (!chain->builtin)
		add(&run->ends[END_BACK], back);
	else if (chain->policy == TARGET_ACCEPT)
		add(&run->ends[END_ACCEPTED], back);
	else
		add(&run->ends[END_DROPPED], back);
}

struct outcomes filter_run(struct arena *arena, const struct filter *filter, const struct filter_view *view,
                           const struct filter_chain *chain, struct packets entering)
{
	struct arena *scratch = arena_new();
	struct outcomes outcomes;
	struct run run = {.filter = filter,
	                  .rules = run_rules_new(scratch, filter, view),
	                  .chains = ARENA_ARRAY(scratch, struct chain_run, filter->chain_count),
	                  .order = ARENA_ARRAY(scratch, uint32_t, filter->chain_count)};
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
	outcomes = give_outcomes(arena, &run);
	outcomes.last = run.rules.last;
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
	size_t depth = 1;

	for (;;) {
		struct frame *frame = &frames[depth - 1];
		const struct filter_chain *chain = &rules->filter->chains[frame->chain];
		const struct filter_rule *rule = frame->next < chain->rule_count ? &chain->rules[frame->next] : NULL;

		if (rule != NULL && !packets_have(run_rule(rules, frame->chain, frame->next), packet)) {
			frame->next++;
			continue;
		}
		if (rule != NULL && end_of(rule) < END_BACK)
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
