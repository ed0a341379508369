/* Which rules say what a chain does. Known first are the cells in which each packet is let in, and those in which none
 * is. A unit that lets in gives the rule that its words say, where those cells are all let in or refused by rules; else
 * as much of it as is let in. A unit that refuses gives a rule where no packet of its cells is let in, and some rule
 * would open them. So what comes out is never wider. */
#include "takeover.h"

enum { LIMIT_MOST = 1000, BURST_MOST = 5 };
/* Behind the actions: those with a limit, and those that refuse without a log. */
enum { SAID_LIMITED = ACTION_REJECT + 1, SAID_SILENT, SAID_KINDS };

struct choice {
	struct takeover *takeover;
	struct host *host;
	struct walk walk;
	struct space space;
	struct thinning *thinning;
	struct patterns patterns;
	struct piece_list pieces; /* of this family and direction */
	struct packets compared;  /* space.opening without what is kept; held, as all below */
	struct packets accepted;  /* of that */
	struct packets open;      /* cells of which every packet is let in */
	struct packets touched;   /* cells of which some packet may be let in */
	struct packets offered;   /* cells that some unit would let in, were there no rules before it */
	struct packets
		said[SAID_KINDS]; /* cells of the pieces: by action, without those with a limit; and other sums */
	struct packets may;       /* cells that a rule may let in: what refuses comes before it */
	struct packets cared;     /* cells that make a difference to what a rule that lets in says; find_may() */
	struct packets left;      /* cells that are open, and nobody has said yet */
	size_t summed;            /* pieces that are in the sums */
	struct packets limited;   /* packets that these let in, below it */
};

static void add(struct packets *held, struct packets more)
{
	packets_hold(held, packets_or(*held, more));
}

/* By halves: small sets are joined quickly, and there are few large ones. */
static struct packets union_of(const struct packets *sets, size_t count)
{
	struct packets held = {0}, set;
	size_t mark = packets_mark();

	if (count <= 1)
		return count == 0 ? packets_none() : sets[0];
	packets_hold(&held, union_of(sets, count / 2));
	set = packets_or(held, union_of(sets + count / 2, count - count / 2));
	packets_hold(&held, packets_none());
	return packets_release_but(mark, set);
}

/* --- what is to be said --- */

static void add_pattern(struct choice *choice, struct str name)
{
	if (!str_among(name, choice->patterns.items, choice->patterns.count))
		APPEND(choice->takeover->arena, &choice->patterns, name);
}

/* The interfaces that rules speak of: no others make a difference. */
static void find_patterns(struct choice *choice)
{
	const struct filter *filter = choice->walk.filter;
	enum match_kind kind = choice->walk.out ? MATCH_OUT : MATCH_IN;

	for (size_t i = 0; i < filter->chain_count; i++)
		for (size_t k = 0; k < filter->chains[i].rule_count; k++)
			for (size_t m = 0; m < filter->chains[i].rules[k].match_count; m++) {
				const struct match *match = &filter->chains[i].rules[k].matches[m];

				if (match->kind == kind && interface_valid(match->name))
					add_pattern(choice, match->name);
			}
}

/* Most units look at nothing but cells. */
static void find_unit_cells(struct choice *choice, struct unit *unit)
{
	struct packets cells = space_cells(&choice->space, unit->nominal);

	unit->whole = packets_eq(packets_and(cells, choice->space.all), unit->nominal);
	packets_hold(&unit->cells,
	             unit->whole ? packets_and(cells, choice->space.cells)
	                         : space_cells(&choice->space, packets_and(unit->nominal, choice->space.opening)));
}

static void reach_unit(struct choice *choice, const struct unit *unit)
{
	const struct filter_chain *chain = &choice->walk.filter->chains[unit->chain];

	reach(choice->takeover, choice->host->rules[choice->space.family == FAMILY_6],
	      unit->count > 0 ? &chain->rules[unit->rules[0]] : NULL);
}

static void find_opened(struct choice *choice)
{
	size_t mark = packets_mark();

	packets_hold(&choice->compared, packets_without(choice->space.opening, choice->space.kept));
	for (size_t i = 0; i < choice->walk.count; i++) {
		struct unit *unit = &choice->walk.items[i];

		packets_hold(&unit->opened, packets_and(unit->effective, choice->compared));
		if (!packets_empty(unit->opened) && unit->kind != UNIT_PASS)
			find_unit_cells(choice, unit);
		reach_unit(choice, unit);
		packets_release(mark);
	}
}

static void find_accepted(struct choice *choice)
{
	struct arena *scratch = arena_new();
	struct packets *opened = ARENA_ARRAY(scratch, struct packets, choice->walk.count);
	struct packets *cells = ARENA_ARRAY(scratch, struct packets, choice->walk.count);
	size_t count = 0, mark = packets_mark();

	for (size_t i = 0; i < choice->walk.count; i++) {
		const struct unit *unit = &choice->walk.items[i];

		if (unit->kind != UNIT_ACCEPT || packets_empty(unit->opened))
			continue;
		opened[count] = unit->opened;
		cells[count++] = unit->cells;
	}
	packets_hold(&choice->accepted, union_of(opened, count));
	packets_hold(&choice->offered, union_of(cells, count));
	packets_release(mark);
	arena_free(scratch);
}

static void find_cells(struct choice *choice)
{
	const struct space *space = &choice->space;
	size_t mark = packets_mark();
	struct packets refused = packets_without(choice->compared, choice->accepted);

	packets_hold(&choice->open, packets_without(packets_family(space->family), space_cells(space, refused)));
	packets_hold(&choice->touched, space_cells(space, choice->accepted));
	packets_release(mark);
}

/* --- saying it --- */

static struct str clean_comment(struct arena *arena, struct str comment)
{
	char *copy = arena_alloc(arena, comment.n + 1);

	if (str_utf8_error(comment) < comment.n)
		return STR("");
	for (size_t i = 0; i < comment.n; i++)
		copy[i] = (unsigned char)comment.p[i] < ' ' || comment.p[i] == 0x7f ? ' ' : comment.p[i];
	return str_trim((struct str){copy, comment.n});
}

/* The addresses as the lines of the unit write them. */
static void give_literals(struct choice *choice, const struct unit *unit, struct piece *piece)
{
	const struct filter_chain *chain = &choice->walk.filter->chains[unit->chain];
	struct range *list = ARENA_ARRAY(choice->takeover->arena, struct range, unit->count);
	enum match_kind kind = choice->walk.out ? MATCH_DESTINATION : MATCH_SOURCE;
	struct addr_set set;
	size_t count = 0;

	for (size_t i = 0; i < unit->count; i++)
		for (size_t m = 0; m < chain->rules[unit->rules[i]].match_count; m++) {
			const struct match *match = &chain->rules[unit->rules[i]].matches[m];

			if (match->kind == kind && !match->negated && match->range_count == 1 && count < unit->count)
				list[count++] = match->ranges[0];
		}
	set = addr_set_of(choice->takeover->arena, piece->family, list, count);
	if (addr_set_eq(&set, &piece->peers)) {
		piece->literals = list;
		piece->literal_count = count;
	}
}

/* The interface that the unit's lines name. */
static struct str own_pattern(const struct choice *choice, const struct unit *unit)
{
	const struct filter_rule *rule;

	if (unit->count == 0)
		return STR("");
	rule = &choice->walk.filter->chains[unit->chain].rules[unit->rules[0]];
	for (size_t i = 0; i < rule->match_count; i++)
		if (rule->matches[i].kind == (choice->walk.out ? MATCH_OUT : MATCH_IN) && !rule->matches[i].negated &&
		    interface_valid(rule->matches[i].name))
			return rule->matches[i].name;
	return STR("");
}

/* `as` has the action, and a limit. The cells that were said. */
static struct packets say_as(struct choice *choice, const struct unit *unit, const struct piece *as,
                             struct packets cells)
{
	const struct filter_chain *chain = &choice->walk.filter->chains[unit->chain];
	struct arena *arena = choice->takeover->arena;
	struct packets said = packets_none();
	size_t first = choice->pieces.count;

	choice->patterns.own = own_pattern(choice, unit);
	cells_pieces(arena, &choice->space, &choice->patterns, cells, &choice->pieces);
	for (size_t i = first; i < choice->pieces.count; i++) {
		struct piece *piece = &choice->pieces.items[i];

		piece->action = as->action;
		piece->limit = as->limit;
		piece->limit_unit = as->limit_unit;
		piece->log = unit->log;
		if (!piece->any)
			piece->peers = thinning_put_back(choice->thinning, arena, piece->peers);
		if (unit->count > 0)
			piece->comment = clean_comment(arena, chain->rules[unit->rules[0]].comment);
		if (!piece->any && unit->count > 0)
			give_literals(choice, unit, piece);
		said = packets_or(said, piece->cells);
	}
	return said;
}

static struct packets say(struct choice *choice, const struct unit *unit, enum action action, struct packets cells)
{
	return say_as(choice, unit, &(struct piece){.action = action}, cells);
}

/* Which pieces' cells are asked for. */
static bool is_of(const struct piece *piece, unsigned which)
{
	if (which == SAID_SILENT)
		return piece->action != ACTION_ALLOW && !piece->log;
	if (which == SAID_LIMITED)
		return piece->limit > 0;
	return (unsigned)piece->action == which && piece->limit == 0;
}

/* What was said up to here, all at once. */
static void sum_up(struct choice *choice)
{
	struct arena *scratch = arena_new();
	struct packets *cells = ARENA_ARRAY(scratch, struct packets, choice->pieces.count);
	size_t mark = packets_mark();

	for (unsigned which = 0; which < SAID_KINDS && choice->summed < choice->pieces.count; which++) {
		size_t count = 0;

		for (size_t i = 0; i < choice->pieces.count; i++)
			if (is_of(&choice->pieces.items[i], which))
				cells[count++] = choice->pieces.items[i].cells;
		packets_hold(&choice->said[which], union_of(cells, count));
	}
	choice->summed = choice->pieces.count;
	packets_release(mark);
	arena_free(scratch);
}

static struct packets refused_cells(const struct choice *choice)
{
	return packets_or(choice->said[ACTION_DENY], choice->said[ACTION_REJECT]);
}

static enum packet_field peer_field(const struct space *space)
{
	return space->out ? FIELD_DESTINATION : FIELD_SOURCE;
}

/* A rule that refuses comes before all that let in: so it must touch nothing that is let in. */
static void say_refusing(struct choice *choice, const struct unit *unit)
{
	enum action action = unit->kind == UNIT_DROP ? ACTION_DENY : ACTION_REJECT;
	struct packets cells = unit->cells;

	if (packets_empty(unit->opened) || !packets_empty(packets_and(cells, choice->touched)))
		return;
	if (action == ACTION_REJECT || !packets_empty(packets_and(cells, choice->offered)))
		say(choice, unit, action, cells);
}

/* Does the unit say no more of packets than cells do? */
static bool is_plain(const struct choice *choice, const struct unit *unit, struct packets cells)
{
	return unit->whole || packets_within(packets_and(cells, choice->compared), unit->nominal);
}

/* Cells that a rule may let in: those that are open, and those that rules refuse, of which it makes no difference what
 * is said. But where all of a port is refused it counts as shut, lest it be said for being beside one that is open. */
static void find_may(struct choice *choice)
{
	size_t mark = packets_mark();
	struct packets refused = refused_cells(choice), others = packets_not(refused);

	packets_hold(&choice->may, packets_or(choice->open, refused));
	packets_hold(&choice->cared,
	             packets_or(others, packets_not(packets_any(others, peer_field(&choice->space)))));
	packets_release(mark);
}

/* Of what is refused, all at the protocols and ports of which some is open. */
static struct packets open_and_refused(const struct choice *choice, struct packets cells, struct packets open)
{
	enum packet_field interface = choice->walk.out ? FIELD_OUT : FIELD_IN;
	struct packets whats = packets_any(packets_any(open, peer_field(&choice->space)), interface);

	return packets_and(packets_and(cells, choice->may), whats);
}

static void take_back(struct choice *choice, size_t first)
{
	while (choice->pieces.count > first)
		packets_hold(&choice->pieces.items[--choice->pieces.count].cells, packets_none());
}

/* Cells that may not all be let in: those that are open are said, and with them what makes it simple of those that
 * rules refuse. What has no words by itself may have some with all of these. */
static void say_open(struct choice *choice, const struct unit *unit)
{
	struct packets open = packets_and(unit->cells, choice->open);
	struct packets simple = packets_and(packets_simpler(open, choice->cared), unit->cells);
	struct packets more = open_and_refused(choice, unit->cells, open), said;
	size_t first = choice->pieces.count;

	if (packets_size(simple) < packets_size(more)) {
		said = packets_or(say(choice, unit, ACTION_ALLOW, simple), choice->space.free);
		if (packets_within(open, packets_or(said, refused_cells(choice))))
			return;
		take_back(choice, first);
	}
	say(choice, unit, ACTION_ALLOW, more);
}

static void say_letting(struct choice *choice, const struct unit *unit)
{
	if (packets_empty(unit->opened) || !is_plain(choice, unit, unit->cells))
		return;
	if (packets_within(unit->cells, choice->may))
		say(choice, unit, ACTION_ALLOW, unit->cells);
	else
		say_open(choice, unit);
}

/* --- limits --- */

/* Is the condition the limit of a rule of ours, and which? */
static bool limit_of(struct arena *arena, const struct match *match, bool out, struct piece *limit)
{
	static const struct {
		enum limit_unit unit;
		unsigned seconds;
	} units[] = {{LIMIT_SECOND, 1}, {LIMIT_MINUTE, 60}, {LIMIT_HOUR, 3600}, {LIMIT_DAY, 86400}};
	struct str beginning = STR("hashlimit upto "), number;
	struct str rest = str_slice(match->text, beginning.n, match->text.n);
	uint64_t count;

	if (match->kind != MATCH_CONDITION || match->negated || !str_starts(match->text, beginning) ||
	    !str_cut(&rest, '/', &number) || !str_number(number, LIMIT_MOST, &count) || count == 0)
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		struct filter_rate rate = {.count = count,
		                           .seconds = units[i].seconds,
		                           .burst = count < BURST_MOST ? (unsigned)count : BURST_MOST,
		                           .mode = out ? STR("dstip") : STR("srcip")};

		if (!str_eq(filter_hashlimit_name(arena, &rate), match->text))
			continue;
		limit->limit = (unsigned)count;
		limit->limit_unit = units[i].unit;
		return true;
	}
	return false;
}

/* A rule with a limit lets in what its unit does while that holds: where all of that is let in then. */
static void say_limited(struct choice *choice, const struct unit *unit)
{
	const struct filter_chain *chain = &choice->walk.filter->chains[unit->chain];
	struct packets within = packets_none();
	struct piece limit = {0};

	if (packets_empty(unit->opened) || unit->count != 1)
		return;
	for (size_t i = 0; i < chain->rules[unit->rules[0]].match_count && limit.limit == 0; i++) {
		const struct match *match = &chain->rules[unit->rules[0]].matches[i];

		if (limit_of(choice->takeover->arena, match, choice->walk.out, &limit))
			within =
				packets_and(packets_condition(match->text), packets_and(unit->cells, choice->compared));
	}
	if (limit.limit == 0 || !packets_within(within, unit->nominal) ||
	    !packets_within(packets_without(within, refused_cells(choice)), choice->accepted))
		return;
	add(&choice->limited, packets_and(within, say_as(choice, unit, &limit, unit->cells)));
}

/* Units that say more than cells can may together make cells whole. */
static void say_rest(struct choice *choice, const struct unit *unit)
{
	struct packets cells = packets_and(choice->left, unit->cells);

	if (packets_empty(unit->opened) || packets_empty(cells))
		return;
	/* with what is let through in any case, where the unit names it, lest its addresses have holes */
	cells = packets_or(cells, packets_and(choice->space.free, unit->cells));
	cells = say(choice, unit, ACTION_ALLOW, cells);
	packets_hold(&choice->left, packets_without(choice->left, cells));
}

static void for_units(struct choice *choice, bool accepting, void (*each)(struct choice *, const struct unit *))
{
	size_t mark = packets_mark();

	for (size_t i = 0; i < choice->walk.count; i++) {
		const struct unit *unit = &choice->walk.items[i];
		bool refusing = unit->kind == UNIT_DROP || unit->kind == UNIT_RESET || unit->kind == UNIT_REJECT;

		if (accepting ? unit->kind == UNIT_ACCEPT : refusing)
			each(choice, unit);
		reach_unit(choice, unit);
		packets_release(mark);
	}
	sum_up(choice);
}

/* --- what came out --- */

/* Everything but what rules refuse may leave: then no rule need say so. */
static bool all_leaves(const struct choice *choice)
{
	struct packets all =
		packets_or(packets_or(choice->said[ACTION_ALLOW], refused_cells(choice)), choice->space.free);

	return packets_eq(all, packets_family(choice->space.family));
}

/* A rule that drops what no rule lets in says no more than the default does. */
static bool is_needed(const struct choice *choice, const struct piece *piece, bool open)
{
	return open || piece->action != ACTION_DENY ||
	       !packets_empty(packets_and(piece->cells, choice->said[ACTION_ALLOW])) ||
	       !packets_empty(packets_and(piece->cells, choice->said[SAID_LIMITED]));
}

static void keep_pieces(struct choice *choice, bool open)
{
	for (size_t i = 0; i < choice->pieces.count; i++) {
		bool needed = is_needed(choice, &choice->pieces.items[i], open);

		packets_hold(&choice->pieces.items[i].cells, packets_none());
		if (needed)
			APPEND(choice->takeover->arena, &choice->host->pieces, choice->pieces.items[i]);
	}
}

static void note_reached(struct choice *choice)
{
	bool **reached = &choice->host->reached[choice->space.family == FAMILY_6];

	if (*reached == NULL)
		*reached = ARENA_ARRAY(choice->takeover->arena, bool, choice->walk.filter->chain_count);
	for (size_t i = 0; i < choice->walk.filter->chain_count; i++)
		(*reached)[i] |= choice->walk.reached[i];
}

static void judge(struct choice *choice, bool open)
{
	struct packets refusing = refused_cells(choice);
	struct chosen chosen = {.open = open};

	chosen.let_in = packets_or(packets_and(choice->compared, choice->said[ACTION_ALLOW]), choice->limited);
	chosen.let_in = packets_without(chosen.let_in, refusing);
	chosen.rejected =
		packets_without(packets_and(choice->compared, choice->said[ACTION_REJECT]), choice->said[ACTION_DENY]);
	chosen.logged = packets_without(packets_without(choice->compared, chosen.let_in), choice->said[SAID_SILENT]);
	chosen.lost = packets_without(choice->accepted, chosen.let_in);
	lines_judge(choice->takeover, choice->host, &choice->walk, &choice->space, &chosen);
}

static void let_go(struct choice *choice)
{
	struct packets *held[] = {&choice->compared, &choice->accepted, &choice->open, &choice->touched,
	                          &choice->offered,  &choice->limited,  &choice->may,  &choice->left,
	                          &choice->cared};

	for (size_t i = 0; i < sizeof held / sizeof *held; i++)
		packets_hold(held[i], packets_none());
	for (unsigned i = 0; i < SAID_KINDS; i++)
		packets_hold(&choice->said[i], packets_none());
	walk_end(&choice->walk);
}

/* What refuses first, as what lets in need not spare it. */
static void say_all(struct choice *choice)
{
	struct packets said;

	for_units(choice, false, say_refusing);
	find_may(choice);
	for_units(choice, true, say_letting);
	said = packets_or(choice->said[ACTION_ALLOW], refused_cells(choice));
	packets_hold(&choice->left, packets_without(packets_and(choice->open, choice->touched), said));
	for_units(choice, true, say_rest);
	for_units(choice, true, say_limited);
}

/* Worth a word. */
static void remark_policy(struct choice *choice)
{
	for (size_t i = 0; i < choice->walk.count && !choice->walk.out; i++) {
		const struct unit *unit = &choice->walk.items[i];

		if (unit->count == 0 && unit->kind == UNIT_ACCEPT && !packets_empty(unit->opened))
			remark(choice->takeover,
			       (struct place){.file = choice->host->rules[choice->space.family == FAMILY_6]->name},
			       "the policy of INPUT is ACCEPT: what no line refuses is let in from anywhere");
	}
}

void choose_rules(struct takeover *takeover, struct host *host, const struct settings *settings, unsigned ssh_port,
                  enum family family, bool out)
{
	size_t mark = packets_mark();
	const struct filter *filter = host->filters[family == FAMILY_6];
	struct choice choice = {.takeover = takeover, .host = host};
	struct arena *scratch = arena_new();
	bool open;

	choice.space = space_of(takeover->arena, filter, settings, ssh_port, out);
	choice.thinning = thinning_new(scratch, filter, &host->sets, &choice.space);
	choice.walk = (struct walk){.arena = takeover->arena,
	                            .filter = filter,
	                            .view = {.sets = thinning_sets(choice.thinning)},
	                            .out = out};
	walk_run(&choice.walk, choice.space.all);
	reach(takeover, host->rules[family == FAMILY_6], walk_last(&choice.walk));
	find_patterns(&choice);
	find_opened(&choice);
	find_accepted(&choice);
	find_cells(&choice);
	remark_policy(&choice);
	say_all(&choice);
	open = out && (all_leaves(&choice) || filter_chain(choice.walk.filter, STR("OUTPUT")) == NULL);
	judge(&choice, open);
	keep_pieces(&choice, open);
	note_reached(&choice);
	if (out)
		host->open[family == FAMILY_6] = open;
	let_go(&choice);
	packets_release(mark);
	arena_free(scratch);
}
