/* diff: what differs between two generations, or between one and what the inventory says now, and what that opens and
 * closes. An order of stations: read or make both sides, pair the machines, compare by meaning, name, say. Publishes
 * and writes nothing. */
#include "diff.h"

#include <stdlib.h>
#include <string.h>

#include "generation.h"

static const char *const columns[] = {"change", "machines", "machine_count", "roles", "direction", "what",    "on",
                                      "peers",  "peer_names", "aside",       "example", "cause",   "rule_id",
                                      "changes"};
enum { COLUMNS = sizeof columns / sizeof *columns, NAMES_SHOWN = 3 };

/* --- machines --- */

static void copy_names(struct arena *arena, struct diff_machines *machines)
{
	for (size_t i = 0; i < machines->count; i++)
		machines->items[i] = str_copy(arena, machines->items[i]);
}

struct diff_machines diff_group_machines(struct diff *diff, const struct difference_group *group)
{
	struct arena *arena = diff->run->arena;
	struct diff_machines all = {0};

	for (size_t i = 0; i < group->pair_count; i++) {
		const struct diff_machines *some =
			&diff->pairs.items[diff->compared[group->pairs[i]]].machines;

		for (size_t k = 0; k < some->count; k++)
			APPEND(arena, &all, str_copy(arena, some->items[k]));
	}
	if (all.count > 1)
		qsort(all.items, all.count, sizeof *all.items, str_order);
	return all;
}

/* "12 machines of role mysql: db1, db2, db3, …" */
static struct str machines_words(struct diff *diff, const struct diff_machines *machines)
{
	struct buf buf = buf_new(diff->run->arena);
	struct str *roles;
	size_t role_count = diff_roles(diff, machines, &roles);

	if (machines->count == 1)
		buf_format(&buf, "machine %.*s", STR_ARG(machines->items[0]));
	else
		buf_format(&buf, "%zu machines", machines->count);
	for (size_t i = 0; i < role_count && i < NAMES_SHOWN; i++)
		buf_format(&buf, "%s%.*s", i > 0 ? ", " : " of role ", STR_ARG(roles[i]));
	if (machines->count == 1)
		return buf_str(&buf);
	for (size_t i = 0; i < machines->count && i < NAMES_SHOWN; i++)
		buf_format(&buf, "%s%.*s", i > 0 ? ", " : " (", STR_ARG(machines->items[i]));
	buf_format(&buf, "%s)", machines->count > NAMES_SHOWN ? ", …" : "");
	return buf_str(&buf);
}

/* --- groups --- */

static struct cell rule_cell(struct arena *arena, const struct difference_group *group)
{
	size_t blank = str_find(group->rule, ' ');

	return blank < group->rule.n ? cell_text(str_copy(arena, str_slice(group->rule, blank + 1, group->rule.n)))
	                             : cell_null();
}

static void put_row(struct diff *diff, const struct cell cells[COLUMNS])
{
	if (!diff->keeps) {
		writer_row(diff->run->writer, cells);
		return;
	}
	for (size_t i = 0; i < COLUMNS; i++)
		APPEND(diff->run->arena, &diff->kept, cells[i]);
}

struct cell diff_rows(const struct diff *diff, struct str change)
{
	struct arena *arena = diff->run->arena;
	struct cell *cells = ARENA_ARRAY(arena, struct cell, diff->kept.count);
	size_t rows = 0;

	for (size_t i = 0; i < diff->kept.count; i += COLUMNS)
		if (change.n == 0 || str_eq(diff->kept.items[i].text, change))
			memcpy(&cells[COLUMNS * rows++], &diff->kept.items[i], COLUMNS * sizeof *cells);
	return cell_rows(arena, columns, COLUMNS, cells, rows);
}

static void write_group(struct diff *diff, const struct difference_group *group, const struct diff_machines *machines)
{
	struct arena *arena = diff->run->arena;
	bool other = group->change == DIFFERENCE_OTHER;
	struct str *roles, *prefixes, *names;
	size_t role_count = diff_roles(diff, machines, &roles), prefix_count = diff_prefixes(diff, group, &prefixes);
	size_t name_count = diff_peer_names(diff, group, &names);

	put_row(diff,
	           (struct cell[COLUMNS]){
			   cell_text(difference_change_str(group->change)),
			   cell_list(machines->items, machines->count),
			   cell_number((int64_t)machines->count),
			   cell_list(roles, role_count),
			   other ? cell_null() : cell_text(difference_way_str(group->way)),
			   cell_text(str_copy(arena, group->what)),
			   cell_some(str_copy(arena, group->on)),
			   cell_list(prefixes, prefix_count),
			   cell_list(names, name_count),
			   cell_bool(group->aside),
			   cell_some(str_copy(arena, group->example)),
			   cell_some(diff_cause(diff, group)),
			   rule_cell(arena, group),
			   diff_changes_cell(diff, group),
		   });
}

static const char *way_words(enum difference_way way)
{
	switch (way) {
	case DIFFERENCE_IN:
		return "on";
	case DIFFERENCE_OUT:
		return "out of";
	case DIFFERENCE_FORWARD:
		return "forwarded by";
	}
	return "";
}

static struct str group_words(struct diff *diff, const struct difference_group *group,
                              const struct diff_machines *machines)
{
	struct buf buf = buf_new(diff->run->arena);
	struct str cause = diff_cause(diff, group), change = diff_changes_words(diff, group);
	bool opens = group->change == DIFFERENCE_OPENS;

	buf_format(&buf, "%.*s %s%.*s ", STR_ARG(difference_change_str(group->change)),
	           group->example.n > 0 ? "some of " : "", STR_ARG(group->what));
	if (group->on.n > 0)
		buf_format(&buf, "by interface %.*s ", STR_ARG(group->on));
	buf_format(&buf, "%s %.*s", way_words(group->way), STR_ARG(machines_words(diff, machines)));
	if (group->way != DIFFERENCE_FORWARD)
		buf_format(&buf, " to %.*s", STR_ARG(diff_peers(diff, group)));
	if (group->aside)
		buf_add(&buf, opens ? STR(", but for what was let through before")
		                    : STR(", but for what is still let through"));
	if (group->example.n > 0)
		buf_format(&buf, ", for example %.*s", STR_ARG(group->example));
	if (cause.n > 0)
		buf_format(&buf, ": %.*s", STR_ARG(cause));
	if (change.n > 0)
		buf_format(&buf, " (%.*s)", STR_ARG(change));
	return buf_str(&buf);
}

struct str diff_group_words(struct diff *diff, const struct difference_group *group)
{
	const struct diff_machines machines = diff_group_machines(diff, group);

	return group_words(diff, group, &machines);
}

static void say_other(struct diff *diff, const struct difference_group *group, const struct diff_machines *machines)
{
	writer_say(diff->run->writer, "%.*s differ%s, and no new connection notices: %.*s",
	           STR_ARG(machines_words(diff, machines)), machines->count == 1 ? "s" : "", STR_ARG(group->what));
}

/* --- machines that came or went --- */

static void tell_one_sided(struct diff *diff, const char *change, struct diff_machines *machines, const char *says)
{
	struct cell cells[COLUMNS] = {{.kind = CELL_NULL}};
	struct run *run = diff->run;
	struct str *roles;
	size_t role_count;

	if (machines->count == 0)
		return;
	copy_names(run->arena, machines);
	role_count = diff_roles(diff, machines, &roles);
	cells[0] = cell_text(str_of(change));
	cells[1] = cell_list(machines->items, machines->count);
	cells[2] = cell_number((int64_t)machines->count);
	cells[3] = cell_list(roles, role_count);
	cells[7] = cells[8] = cell_list(NULL, 0);
	cells[9] = cell_bool(false);
	cells[13] = cell_rows(run->arena, NULL, 0, NULL, 0);
	put_row(diff, cells);
	writer_say(run->writer, "%.*s: %s", STR_ARG(machines_words(diff, machines)), says);
}

/* --- all of it --- */

static size_t tell_change(struct diff *diff, enum difference_change change)
{
	size_t told = 0;

	for (size_t i = 0; i < diff->group_count; i++) {
		const struct difference_group *group = &diff->groups[i];
		struct diff_machines machines;

		if (group->change != change)
			continue;
		machines = diff_group_machines(diff, group);
		write_group(diff, group, &machines);
		if (change == DIFFERENCE_OTHER)
			say_other(diff, group, &machines);
		else
			writer_say(diff->run->writer, "%.*s", STR_ARG(group_words(diff, group, &machines)));
		told++;
	}
	return told;
}

static struct str side_words(struct diff *diff, size_t side)
{
	unsigned long long number = diff->generations[side].number;

	if (diff->sides[side].n > 0)
		return diff->sides[side];
	return number == 0 ? STR("now") : str_format(diff->run->arena, "generation %llu", number);
}

size_t diff_machine_count(const struct diff *diff)
{
	return diff->changed + diff->fresh.count + diff->gone.count;
}

void diff_tell(struct diff *diff)
{
	struct run *run = diff->run;
	size_t closes, machines = diff_machine_count(diff);
	bool differs = machines > 0;

	if (!diff->keeps)
		writer_columns(run->writer, LAYOUT_SILENT, columns, COLUMNS);
	if (differs && tell_change(diff, DIFFERENCE_OPENS) == 0)
		writer_say(run->writer, "opens nothing%s", diff->changed > 0 ? "" : " on machines that both have");
	closes = differs ? tell_change(diff, DIFFERENCE_CLOSES) : 0;
	if (differs && closes == 0)
		writer_say(run->writer, "closes nothing%s", diff->changed > 0 ? "" : " on machines that both have");
	tell_one_sided(diff, "new", &diff->fresh, "a ruleset for the first time");
	tell_one_sided(diff, "gone", &diff->gone, "no ruleset any more");
	(void)tell_change(diff, DIFFERENCE_OTHER);
	writer_say(run->writer, "%.*s and %.*s: %zu machine%s differ%s", STR_ARG(side_words(diff, 0)),
	           STR_ARG(side_words(diff, 1)), machines, str_plural(machines), machines == 1 ? "s" : "");
}

/* --- both sides --- */

static struct error *read_side(struct diff *diff, size_t side, uint64_t number)
{
	struct run *run = diff->run;
	struct error *error =
		generation_read_number(diff->arena, run->config.output, number, &diff->generations[side]);

	return error != NULL && error->kind == ERROR_UNKNOWN ? unknown_generation(run, number) : error;
}

/* Names are a help: without them the answer is the same. */
static void find_names(struct diff *diff)
{
	struct run *run = diff->run;
	struct fleet *fleet = ARENA_NEW(diff->arena, struct fleet);
	struct error *error;

	if (diff->fleet != NULL)
		return;
	if (diff->round != NULL) {
		diff->fleet = &diff->round->fleet;
		diff->resolved = diff->round->resolved;
		return;
	}
	error = run_load(run, fleet);
	if (error != NULL) {
		error_collect(&run->warnings, error_in(error, "names are missing"));
		return;
	}
	diff->fleet = fleet;
	diff->resolved = resolve(diff->arena, fleet);
}

static struct error *make_now(struct diff *diff)
{
	struct round *round = diff->round;
	struct outlet outlet;

	TRY(round_prepare(round));
	TRY(round_ask(round));
	if (!round_may_differ(round) && diff->generations[0].number == store_current(diff->run->config.output)) {
		diff->generations[1] = diff->generations[0];
		diff->generations[1].number = 0;
		return NULL;
	}
	TRY(round_load(round));
	outlet = diff_outlet(diff);
	TRY(round_make(round, &outlet));
	diff->generations[1] = round->next;
	diff->generations[1].number = 0;
	return NULL;
}

struct error *diff_find(struct diff *diff)
{
	struct error *error;

	packets_begin();
	error = diff_compare(diff);
	if (error == NULL && diff_machine_count(diff) > 0)
		find_names(diff);
	if (error == NULL)
		diff->group_count = difference_groups(diff->difference, &diff->groups);
	packets_end();
	return error;
}

static struct error *answer(struct diff *diff)
{
	TRY(diff_find(diff));
	TRY(diff_find_changes(diff));
	diff_tell(diff);
	diff->run->no = diff_machine_count(diff) > 0;
	return NULL;
}

static struct error *between(struct diff *diff, uint64_t before, uint64_t after)
{
	TRY(read_side(diff, 0, before));
	TRY(read_side(diff, 1, after));
	return answer(diff);
}

static struct error *until_now(struct diff *diff, uint64_t before)
{
	const struct regenerate_options options = {0};
	struct error *error;

	TRY(read_side(diff, 0, before));
	TRY(run_connect(diff->run));
	diff->round = round_begin(diff->run, &options, NULL);
	error = make_now(diff);
	if (error == NULL)
		error = answer(diff);
	db_rollback(diff->run->db);
	round_end(diff->round);
	return error;
}

static struct error *choose(struct diff *diff)
{
	struct run *run = diff->run;
	uint64_t numbers[2] = {store_current(run->config.output), 0};

	for (size_t i = 0; i < run->argument_count; i++)
		TRY(generation_number(run->arguments[i], &numbers[i]));
	if (numbers[0] == 0)
		return error_hint(error_new(ERROR_SURROUNDINGS, "nothing is published in %.*s",
		                            STR_ARG(run->config.output)),
		                  "fleetwall generate publishes what the inventory says");
	return numbers[1] > 0 ? between(diff, numbers[0], numbers[1]) : until_now(diff, numbers[0]);
}

struct error *run_diff(struct run *run)
{
	struct diff diff = {.run = run, .arena = arena_new()};
	struct error *error = choose(&diff);

	diff_taken_free(&diff);
	arena_free(diff.arena);
	return error;
}
