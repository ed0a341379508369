/* What each rule of a filter has of the packets: which come to it and match, whatever chains they came through, and
 * which it would match were there no rules before it. Rules that stand together, do the same, and differ in the other
 * end's address alone are one unit, so that a list of thousands costs what its diagram costs. Judges nothing. */
#include "filter_run.h"
#include "fleetwall/buf.h"
#include "fleetwall/names.h"
#include "takeover.h"

struct chain_walk {
	bool visited;
	struct packets back;     /* of all packets, those that come back out of it; held */
	struct packets entering; /* held */
	struct packets path;     /* that could enter, were there no rules before those that lead to it; held */
};

struct walking {
	struct walk *walk;
	struct run_rules rules;
	struct chain_walk *chains;
	uint32_t *order; /* each behind all that it leads to */
	size_t ordered;
	struct packets all;
};

static bool leads_on(const struct filter_rule *rule)
{
	return rule->target == TARGET_JUMP || rule->target == TARGET_GOTO;
}

static void add(struct packets *held, struct packets more)
{
	packets_hold(held, packets_or(*held, more));
}

static void take(struct packets *held, struct packets gone)
{
	packets_hold(held, packets_without(*held, gone));
}

static void visit(struct walking *walking, uint32_t chain)
{
	const struct filter_chain *of = &walking->walk->filter->chains[chain];

	walking->chains[chain].visited = true;
	for (size_t i = 0; i < of->rule_count; i++)
		if (leads_on(&of->rules[i]) && !walking->chains[of->rules[i].chain].visited)
			visit(walking, of->rules[i].chain);
	walking->order[walking->ordered++] = chain;
}

/* --- units --- */

static enum unit_kind kind_of(const struct filter_rule *rule)
{
	switch (rule->target) {
	case TARGET_ACCEPT:
		return UNIT_ACCEPT;
	case TARGET_DROP:
		return UNIT_DROP;
	case TARGET_REJECT:
		return str_ends(rule->target_text, STR("tcp-reset")) ? UNIT_RESET : UNIT_REJECT;
	case TARGET_UNKNOWN:
		return UNIT_UNKNOWN;
	case TARGET_NONE:
	case TARGET_PASS:
		return UNIT_PASS;
	case TARGET_RETURN:
	case TARGET_JUMP:
	case TARGET_GOTO:
		break;
	}
	return UNIT_ONWARD;
}

/* Is it the match of the other end, which may differ within a unit? */
static bool is_peer(const struct match *match, bool out)
{
	return match->kind == (out ? MATCH_DESTINATION : MATCH_SOURCE) && !match->negated;
}

static bool same_match(const struct match *a, const struct match *b)
{
	return a->kind == b->kind && a->negated == b->negated && str_eq(a->text, b->text);
}

/* A LOG says what the next rule decides: it has the same matches, but perhaps for a rate. */
static bool same_but_rate(const struct filter_rule *log, const struct filter_rule *next)
{
	size_t k = 0;

	for (size_t i = 0; i < log->match_count; i++) {
		const struct match *match = &log->matches[i];

		if (match->kind == MATCH_CONDITION && !match->negated &&
		    (str_starts(match->text, STR("limit ")) || str_starts(match->text, STR("hashlimit "))))
			continue;
		if (k == next->match_count || !same_match(match, &next->matches[k++]))
			return false;
	}
	return k == next->match_count;
}

static bool is_logged(const struct filter_chain *chain, size_t rule)
{
	const struct filter_rule *before = rule > 0 ? &chain->rules[rule - 1] : NULL;

	return before != NULL && before->target == TARGET_PASS && str_starts(before->target_text, STR("LOG")) &&
	       same_but_rate(before, &chain->rules[rule]);
}

/* By halves: small sets are joined quickly, and there are few large ones. */
static struct packets union_of_rules(struct walking *walking, uint32_t chain, const uint32_t *rules, size_t count)
{
	struct packets held = {0}, set;
	size_t mark = packets_mark();

	if (count == 1)
		return run_rule(&walking->rules, chain, rules[0]);
	packets_hold(&held, union_of_rules(walking, chain, rules, count / 2));
	set = packets_or(held, union_of_rules(walking, chain, rules + count / 2, count - count / 2));
	packets_hold(&held, packets_none());
	return packets_release_but(mark, set);
}

/* How many rules there are from this one on that do the same, so that it makes no difference which is first. */
static size_t stretch(const struct filter_chain *chain, size_t first)
{
	enum unit_kind kind = kind_of(&chain->rules[first]);
	size_t end = first + 1;

	if (kind == UNIT_PASS || kind == UNIT_ONWARD || kind == UNIT_UNKNOWN)
		return 1;
	while (end < chain->rule_count && kind_of(&chain->rules[end]) == kind)
		end++;
	return end - first;
}

/* What rules of one unit have in common. A rate counts by itself. */
static struct str key_of(struct buf *buf, const struct filter_chain *chain, size_t number, bool out)
{
	const struct filter_rule *rule = &chain->rules[number];

	buf->n = 0;
	buf_format(buf, "%d %.*s\n%.*s\n", is_logged(chain, number), STR_ARG(rule->target_text),
	           STR_ARG(rule->comment));
	for (size_t i = 0; i < rule->match_count; i++) {
		const struct match *match = &rule->matches[i];

		if (match->kind == MATCH_CONDITION && !match->steady)
			buf_format(buf, "%zu ", number);
		if (is_peer(match, out))
			buf_add(buf, STR("peer"));
		else
			buf_format(buf, "%d %d %.*s", (int)match->kind, match->negated, STR_ARG(match->text));
		buf_char(buf, '\n');
	}
	return buf_str(buf);
}

/* The units of a stretch, without their sets. */
struct units {
	struct unit *items;
	size_t count;
};

static struct units cut_stretch(struct walking *walking, uint32_t chain, size_t first, size_t count)
{
	const struct filter_chain *of = &walking->walk->filter->chains[chain];
	struct arena *arena = walking->walk->arena, *scratch = arena_new();
	struct names *keys = names_new(scratch);
	uint32_t *numbers = ARENA_ARRAY(scratch, uint32_t, count);
	struct units units = {0};
	struct buf buf = buf_new(scratch);

	for (size_t i = 0; i < count; i++)
		numbers[i] = names_add(keys, key_of(&buf, of, first + i, walking->walk->out));
	units.count = names_count(keys);
	units.items = ARENA_ARRAY(arena, struct unit, units.count);
	for (size_t i = 0; i < count; i++)
		units.items[numbers[i]].count++;
	for (size_t i = 0; i < count; i++) {
		struct unit *unit = &units.items[numbers[i]];

		if (unit->rules == NULL) {
			*unit = (struct unit){.chain = chain,
			                      .rules = ARENA_ARRAY(arena, uint32_t, unit->count),
			                      .kind = kind_of(&of->rules[first + i]),
			                      .log = is_logged(of, first + i)};
		}
		unit->rules[unit->count++] = (uint32_t)(first + i);
	}
	arena_free(scratch);
	return units;
}

/* --- down a chain --- */

/* Units that stand together and lead into no other chain, as the leaves of a tree: each node knows what its units
 * match. So each of them is looked at with those packets alone, and not with all that are undecided. */
struct tree {
	struct unit *units;
	size_t count;
	struct packets *seen, *taken; /* by node, from 1: matched by its units, and by those that end a packet's way */
};

struct way {
	struct packets undecided, back; /* held */
	bool noted;
};

static void note_unit(struct walking *walking, struct unit unit, struct packets match, struct packets effective)
{
	struct unit *noted;

	APPEND(walking->walk->arena, walking->walk, unit);
	noted = &walking->walk->items[walking->walk->count - 1];
	packets_hold(&noted->nominal, packets_and(walking->chains[unit.chain].path, match));
	packets_hold(&noted->effective, effective);
}

static void note_policy(struct walking *walking, uint32_t chain, struct packets undecided)
{
	bool accepts = walking->walk->filter->chains[chain].policy == TARGET_ACCEPT;

	note_unit(walking, (struct unit){.chain = chain, .kind = accepts ? UNIT_ACCEPT : UNIT_DROP}, walking->all,
	          undecided);
}

static void grow(struct walking *walking, struct tree *tree, size_t node, size_t first, size_t count)
{
	const struct unit *unit = &tree->units[first];
	size_t mark = packets_mark();

	if (count == 1) {
		packets_hold(&tree->seen[node], union_of_rules(walking, unit->chain, unit->rules, unit->count));
		if (unit->kind != UNIT_PASS)
			packets_hold(&tree->taken[node], tree->seen[node]);
	} else {
		grow(walking, tree, 2 * node, first, count / 2);
		grow(walking, tree, 2 * node + 1, first + count / 2, count - count / 2);
		packets_hold(&tree->seen[node], packets_or(tree->seen[2 * node], tree->seen[2 * node + 1]));
		packets_hold(&tree->taken[node], packets_or(tree->taken[2 * node], tree->taken[2 * node + 1]));
	}
	packets_release(mark);
}

static void take_leaf(struct walking *walking, struct way *way, const struct tree *tree, size_t node,
                      const struct unit *unit, struct packets effective)
{
	if (way->noted)
		note_unit(walking, *unit, tree->seen[node], effective);
	if (unit->kind == UNIT_ONWARD)
		add(&way->back, effective);
}

/* `undecided` are only packets that the node's units match. */
static void pick(struct walking *walking, struct way *way, const struct tree *tree, size_t node, size_t first,
                 size_t count, struct packets undecided)
{
	size_t mark = packets_mark();
	struct packets right;

	if (count == 1) {
		take_leaf(walking, way, tree, node, &tree->units[first], undecided);
		return;
	}
	right = packets_and(packets_without(undecided, tree->taken[2 * node]), tree->seen[2 * node + 1]);
	pick(walking, way, tree, 2 * node, first, count / 2, packets_and(undecided, tree->seen[2 * node]));
	pick(walking, way, tree, 2 * node + 1, first + count / 2, count - count / 2, right);
	packets_release(mark);
}

static void fell(struct tree *tree, size_t nodes)
{
	for (size_t i = 0; i < nodes; i++) {
		packets_hold(&tree->seen[i], packets_none());
		packets_hold(&tree->taken[i], packets_none());
	}
}

static void take_units(struct walking *walking, struct way *way, struct unit *units, size_t count)
{
	struct arena *scratch = arena_new();
	size_t nodes = 4 * count + 1, mark = packets_mark();
	struct tree tree = {units, count, ARENA_ARRAY(scratch, struct packets, nodes),
	                    ARENA_ARRAY(scratch, struct packets, nodes)};

	grow(walking, &tree, 1, 0, count);
	pick(walking, way, &tree, 1, 0, count, packets_and(way->undecided, tree.seen[1]));
	take(&way->undecided, tree.taken[1]);
	packets_release(mark);
	fell(&tree, nodes);
	arena_free(scratch);
}

/* A jump or goto. */
static void take_leading(struct walking *walking, struct way *way, const struct unit *unit)
{
	const struct filter_rule *rule = &walking->walk->filter->chains[unit->chain].rules[unit->rules[0]];
	size_t mark = packets_mark();
	struct packets match = run_rule(&walking->rules, unit->chain, unit->rules[0]);
	struct packets taken = packets_and(way->undecided, match);

	if (way->noted) {
		note_unit(walking, *unit, match, taken);
		add(&walking->chains[rule->chain].entering, taken);
		add(&walking->chains[rule->chain].path, packets_and(walking->chains[unit->chain].path, match));
	}
	take(&way->undecided, match);
	add(rule->target == TARGET_JUMP ? &way->undecided : &way->back,
	    packets_and(taken, walking->chains[rule->chain].back));
	packets_release(mark);
}

/* All units of a chain, in order. */
static struct units cut_chain(struct walking *walking, uint32_t chain)
{
	const struct filter_chain *of = &walking->walk->filter->chains[chain];
	struct units all = {.items = ARENA_ARRAY(walking->walk->arena, struct unit, of->rule_count)};

	for (size_t i = 0, count; i < of->rule_count; i += count) {
		struct units here;

		count = stretch(of, i);
		here = cut_stretch(walking, chain, i, count);
		for (size_t k = 0; k < here.count; k++)
			all.items[all.count++] = here.items[k];
	}
	return all;
}

static struct packets go_down(struct walking *walking, uint32_t chain, struct packets entering, bool noted)
{
	const struct filter_chain *of = &walking->walk->filter->chains[chain];
	struct units units = cut_chain(walking, chain);
	struct way way = {.noted = noted};
	size_t mark = packets_mark(), end;
	struct packets back;

	packets_hold(&way.undecided, entering);
	for (size_t i = 0; i < units.count; i = end) {
		for (end = i; end < units.count && !leads_on(&of->rules[units.items[end].rules[0]]);)
			end++;
		if (end > i)
			take_units(walking, &way, &units.items[i], end - i);
		else
			take_leading(walking, &way, &units.items[end++]);
	}
	back = packets_or(way.back, way.undecided);
	if (noted && of->builtin)
		note_policy(walking, chain, back);
	packets_hold(&way.undecided, packets_none());
	packets_hold(&way.back, packets_none());
	return packets_release_but(mark, back);
}

/* Which come back from a chain is known before it is asked what it does; what enters it, before it is gone down. */
static void go(struct walking *walking, uint32_t start)
{
	struct chain_walk *chains = walking->chains;

	visit(walking, start);
	for (size_t i = 0; i + 1 < walking->ordered; i++)
		packets_hold(&chains[walking->order[i]].back, go_down(walking, walking->order[i], walking->all, false));
	packets_hold(&chains[start].entering, walking->all);
	packets_hold(&chains[start].path, walking->all);
	for (size_t i = walking->ordered; i-- > 0;) {
		uint32_t chain = walking->order[i];

		walking->walk->reached[chain] = !packets_empty(chains[chain].entering);
		(void)go_down(walking, chain, chains[chain].entering, true);
	}
}

static void let_go(struct walking *walking)
{
	for (size_t i = 0; i < walking->walk->filter->chain_count; i++) {
		packets_hold(&walking->chains[i].back, packets_none());
		packets_hold(&walking->chains[i].entering, packets_none());
		packets_hold(&walking->chains[i].path, packets_none());
	}
}

void walk_run(struct walk *walk, struct packets all)
{
	const struct filter_chain *start = filter_chain(walk->filter, walk->out ? STR("OUTPUT") : STR("INPUT"));
	struct walking walking = {.walk = walk, .all = all};
	size_t mark = packets_mark();

	walk->reached = ARENA_ARRAY(walk->arena, bool, walk->filter->chain_count);
	walk->rules = ARENA_NEW(walk->arena, struct run_rules);
	*walk->rules = run_rules_new(walk->arena, walk->filter, &walk->view);
	if (start == NULL)
		return;
	walking.rules = *walk->rules;
	walking.chains = ARENA_ARRAY(walk->arena, struct chain_walk, walk->filter->chain_count);
	walking.order = ARENA_ARRAY(walk->arena, uint32_t, walk->filter->chain_count);
	go(&walking, (uint32_t)(start - walk->filter->chains));
	let_go(&walking);
	packets_release(mark);
	walk->rules->last = walking.rules.last;
}

const struct filter_rule *walk_last(const struct walk *walk)
{
	return walk->rules->last;
}

struct packets walk_rule(const struct walk *walk, uint32_t chain, size_t rule)
{
	return run_rule(walk->rules, chain, rule);
}

void walk_end(struct walk *walk)
{
	for (size_t i = 0; i < walk->count; i++) {
		packets_hold(&walk->items[i].nominal, packets_none());
		packets_hold(&walk->items[i].effective, packets_none());
		packets_hold(&walk->items[i].opened, packets_none());
		packets_hold(&walk->items[i].cells, packets_none());
	}
	run_rules_end(walk->rules);
}
