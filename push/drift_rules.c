/* The filter table of one family against our file. In mode exclusive all of it is ours; else only chains whose names
 * begin with fleetwall, and the two jumps into them. */
#include <string.h>

#include "drift_parts.h"
#include "fleetwall/arena.h"

/* One family's comparison. */
struct tables {
	struct arena *arena;
	struct drift_list *list;
	struct str file;
	bool exclusive;
	struct table_names names;
	struct table ours, theirs;
	uint32_t *moved; /* by text: so many of these were found elsewhere in the chain */
};

static void tell(struct tables *tables, enum drift_kind kind, struct str line, unsigned number)
{
	drift_add(tables->arena, tables->list, kind, tables->file, line, number);
}

static bool is_fleetwall(struct str chain)
{
	return str_starts(chain, STR("fleetwall"));
}

static bool counts(const struct tables *tables, uint32_t chain)
{
	return tables->exclusive || is_fleetwall(names_get(tables->names.chains, chain));
}

/* --- chains --- */

/* A table that was never touched has these, declared or not. */
static bool is_empty_builtin(const struct table_chain *chain, struct str name)
{
	return (str_is(name, "INPUT") || str_is(name, "FORWARD") || str_is(name, "OUTPUT")) &&
	       (chain == NULL || str_is(chain->policy, "ACCEPT"));
}

static void compare_chain(struct tables *tables, uint32_t number)
{
	const struct table_chain *ours = table_chain(&tables->ours, number);
	const struct table_chain *theirs = table_chain(&tables->theirs, number);
	struct str name = names_get(tables->names.chains, number);

	if (ours != NULL && theirs != NULL) {
		if (!str_eq(ours->policy, theirs->policy))
			tell(tables, DRIFT_POLICY, theirs->line, ours->number);
	} else if (ours != NULL && !is_empty_builtin(ours, name)) {
		tell(tables, str_is(ours->policy, "-") ? DRIFT_CHAIN : DRIFT_POLICY, ours->line, ours->number);
	} else if (theirs != NULL && !is_empty_builtin(theirs, name)) {
		tell(tables, str_is(theirs->policy, "-") ? DRIFT_CHAIN : DRIFT_POLICY, theirs->line, 0);
	}
}

/* --- rules --- */

/* Ours that are not in their place. What is elsewhere in the chain was moved, the rest is missing. */
static void tell_ours(struct tables *tables, const struct table_rule *rules, size_t count, const bool *stay)
{
	for (size_t i = 0; i < count; i++) {
		bool moved = !stay[i] && tables->moved[rules[i].text] > 0;

		if (stay[i])
			continue;
		if (moved)
			tables->moved[rules[i].text]--;
		tell(tables, moved ? DRIFT_RULE_ORDER : DRIFT_RULE_MISSING, rules[i].line, rules[i].number);
	}
}

/* Theirs that are not ours. `ours_left` of each text were told as moved. */
static void tell_theirs(struct tables *tables, const struct table_rule *rules, size_t count, const bool *stay)
{
	for (size_t i = count; i > 0; i--) {
		uint32_t *left = &tables->moved[rules[i - 1].text];

		/* What is left of these now has no counterpart of ours: the last ones. */
		if (stay[i - 1] || *left == 0)
			continue;
		--*left;
		tell(tables, DRIFT_RULE_EXTRA, rules[i - 1].line, 0);
	}
}

static void compare_rules(struct tables *tables, uint32_t chain)
{
	size_t our_count, their_count;
	const struct table_rule *ours = table_rules(&tables->ours, chain, &our_count);
	const struct table_rule *theirs = table_rules(&tables->theirs, chain, &their_count);
	bool *ours_stay = ARENA_ARRAY(tables->arena, bool, our_count);
	bool *theirs_stay = ARENA_ARRAY(tables->arena, bool, their_count);

	drift_common(tables->arena, ours, our_count, theirs, their_count, ours_stay, theirs_stay);
	for (size_t i = 0; i < their_count; i++)
		tables->moved[theirs[i].text] += !theirs_stay[i];
	tell_ours(tables, ours, our_count, ours_stay);
	tell_theirs(tables, theirs, their_count, theirs_stay);
}

/* --- jumps --- */

/* The one rule of INPUT or OUTPUT that is ours. */
static uint32_t jump_text(struct tables *tables, struct str line)
{
	struct canonical canonical;

	(void)drift_canonical(tables->arena, line, &canonical);
	return names_add(tables->names.texts, canonical.text);
}

static void tell_jump(struct tables *tables, struct str line, const char *what)
{
	tell(tables, DRIFT_JUMP, str_format(tables->arena, "%.*s # %s", STR_ARG(line), what), 0);
}

/* Exactly one, at the head. Another way into a chain of ours is none of ours. */
static void compare_jumps(struct tables *tables, uint32_t chain, struct str line)
{
	size_t count, found = 0;
	const struct table_rule *rules = table_rules(&tables->theirs, chain, &count);
	uint32_t wanted = line.n > 0 ? jump_text(tables, line) : NAMES_NONE;

	for (size_t i = 0; i < count; i++) {
		if (rules[i].text != wanted) {
			if (is_fleetwall(rules[i].target))
				tell_jump(tables, rules[i].line, "not ours");
			continue;
		}
		if (++found > 1)
			tell_jump(tables, rules[i].line, "more than once");
		else if (i > 0)
			tell_jump(tables, rules[i].line, "not at the head");
	}
	if (line.n > 0 && found == 0)
		tell_jump(tables, line, "missing");
}

static struct str line_of_jump(struct str chain)
{
	if (str_is(chain, "INPUT"))
		return STR("-A INPUT -j fleetwall-input");
	return str_is(chain, "OUTPUT") ? STR("-A OUTPUT -j fleetwall-output") : STR("");
}

/* --- all --- */

static void compare_table(struct tables *tables)
{
	uint32_t chains;

	if (!tables->exclusive) {
		names_add(tables->names.chains, STR("INPUT"));
		names_add(tables->names.chains, STR("OUTPUT"));
	}
	chains = names_count(tables->names.chains);
	tables->moved = ARENA_ARRAY(tables->arena, uint32_t, names_count(tables->names.texts));
	for (uint32_t i = 0; i < chains; i++)
		if (counts(tables, i))
			compare_chain(tables, i);
	for (uint32_t i = 0; i < chains; i++) {
		if (counts(tables, i))
			compare_rules(tables, i);
		else
			compare_jumps(tables, i, line_of_jump(names_get(tables->names.chains, i)));
	}
}

void drift_rules(struct arena *arena, enum position_mode mode, struct str file, struct str ours, struct str theirs,
                 struct drift_list *list)
{
	struct tables tables = {
		.arena = arena,
		.list = list,
		.file = file,
		.exclusive = mode == POSITION_EXCLUSIVE,
		.names = {names_new(arena), names_new(arena)},
	};

	drift_table(arena, &tables.names, ours, &tables.ours);
	drift_table(arena, &tables.names, theirs, &tables.theirs);
	for (size_t i = 0; i < tables.theirs.odd.count; i++)
		tell(&tables, DRIFT_OTHER, tables.theirs.odd.items[i], 0);
	compare_table(&tables);
}
