/* Does a generation open anything on machines that have an older one? By packets, where the bytes of both are there;
 * and by the inventories that they were made from, where machines refuse nothing any more, or other hands decide. What
 * nobody knows counts as opening everything. */
#include "approval.h"

#include <stdlib.h>

#include "fleetwall/inventory.h"
#include "fleetwall/opens.h"
#include "fleetwall/store.h"

#include "diff.h"

enum { SHOWN = 20 }; /* lines: what a mail can hold */

struct approval {
	struct run *run;
	uint64_t generation;
	struct fleet *fleet; /* that it was made from */
	struct resolved *resolved;
	struct buf *lines;
	size_t *found;
};

static void say(struct approval *approval, struct str words)
{
	if ((*approval->found)++ < SHOWN)
		buf_format(approval->lines, "\n  it %.*s", STR_ARG(words));
}

/* --- the inventories --- */

/* Its files may have gone from this pusher; that is no error, a damaged one is. */
static struct error *read_generation(struct run *run, struct arena *arena, uint64_t number,
                                     struct generation *generation, bool *there)
{
	struct error *error = generation_read_number(arena, run->config.output, number, generation);

	*there = error == NULL;
	return error != NULL && error->kind == ERROR_UNKNOWN ? NULL : error;
}

/* The inventory that a generation was made from, at its clock; empty for number 0, and where nobody knows any more. */
static struct error *fleet_of(struct run *run, struct arena *arena, uint64_t number, struct fleet *fleet, bool *known)
{
	struct str parameters[2] = {str_format(arena, "%llu", (unsigned long long)number)};
	struct before before = {.time = TIME_NONE};
	struct generation generation;
	struct db_rows rows;
	char hex[65];
	bool there;

	*fleet = (struct fleet){0};
	*known = false;
	if (number == 0)
		return NULL;
	TRY(read_generation(run, arena, number, &generation, &there));
	if (!there)
		return NULL;
	digest_hex(&generation.digest, hex);
	parameters[1] = str_of(hex);
	TRY(db_query(arena, run->db, db_sql("generation-snapshot"), parameters, 2, &rows));
	if (rows.count == 0 || db_cell(&rows, 0, 0).p == NULL)
		return NULL;
	before.snapshot = db_cell(&rows, 0, 0);
	TRY(inventory_load_before(arena, run->db, &before, fleet));
	fleet->clock = generation.summary.clock;
	*known = true;
	return NULL;
}

/* What no packet of these machines' rulesets tells. */
static bool is_of_machines(enum opening_kind kind)
{
	return kind == OPENING_ENFORCEMENT || kind == OPENING_MODE || kind == OPENING_EGRESS;
}

static void compare_inventories(struct approval *approval, struct arena *arena, const struct fleet *before, bool known)
{
	struct opening *openings;
	size_t count = opens(arena, resolve(arena, before), approval->resolved, &approval->run->config.settings,
	                     &openings);

	for (size_t i = 0; i < count; i++) {
		struct buf line = buf_new(arena);

		if (known && !is_of_machines(openings[i].kind))
			continue;
		buf_add(&line, STR("opens: "));
		opening_print(&line, &openings[i]);
		say(approval, buf_str(&line));
	}
}

/* --- the bytes --- */

static void say_groups(struct approval *approval, struct diff *diff)
{
	struct difference_group *groups;
	size_t count = difference_groups(diff->difference, &groups), told = 0;

	for (size_t i = 0; i < count; i++)
		if (groups[i].change == DIFFERENCE_OPENS) {
			say(approval, diff_group_words(diff, &groups[i]));
			told++;
		}
	if (told == 0 && difference_may_open(diff->difference))
		say(approval, STR("may let in more than before: rates, when rules end, matches that nobody knows "
		                  "here, or packets that begin no connection"));
	for (size_t i = 0; i < diff->fresh.count; i++)
		say(approval, str_format(diff->arena,
		                         "opens what can't be told: %.*s has no ruleset in what it confirmed",
		                         STR_ARG(diff->fresh.items[i])));
}

static struct error *compare_bytes(struct approval *approval, struct diff *diff, uint64_t number)
{
	struct str output = approval->run->config.output;

	TRY(generation_read_number(diff->arena, output, number, &diff->generations[0]));
	TRY(generation_read_number(diff->arena, output, approval->generation, &diff->generations[1]));
	TRY(diff_compare(diff));
	say_groups(approval, diff);
	return NULL;
}

/* That it can't be told is an answer. */
static void compare_rulesets(struct approval *approval, uint64_t number, const struct diff_machines *machines)
{
	struct diff diff = {
		.run = approval->run,
		.arena = arena_new(),
		.only = machines,
		.careful = true,
		.fleet = approval->fleet,
		.resolved = approval->resolved,
	};
	struct error *error;

	packets_begin();
	error = compare_bytes(approval, &diff, number);
	packets_end();
	if (error != NULL)
		say(approval, str_format(diff.arena, "opens what can't be told: %.*s", STR_ARG(error->message)));
	arena_free(diff.arena);
}

/* --- machine by machine --- */

static int machine_order(const void *a, const void *b)
{
	const struct approval_machine *x = a, *y = b;

	if (x->confirmed != y->confirmed)
		return x->confirmed < y->confirmed ? -1 : 1;
	return str_cmp(x->name, y->name);
}

/* Nothing at all is opened to who had nothing; to who had something, nobody knows. */
static void say_unknown(struct approval *approval, const struct approval_machine *machines, size_t count)
{
	struct arena *arena = approval->run->arena;
	struct str others = STR("");

	if (count > 1)
		others = str_format(arena, " and %zu other%s", count - 1, str_plural(count - 1));
	if (machines[0].confirmed > 0)
		say(approval, str_format(arena,
		                         "opens what can't be told: generation %llu, which %.*s%.*s confirmed, is not "
		                         "known any more",
		                         (unsigned long long)machines[0].confirmed, STR_ARG(machines[0].name),
		                         STR_ARG(others)));
}

/* Those that are confirmed on the same generation. */
static struct error *compare_with(struct approval *approval, const struct approval_machine *machines, size_t count)
{
	struct arena *arena = arena_new();
	struct diff_machines names = {0};
	struct fleet fleet;
	bool known;
	struct error *error = fleet_of(approval->run, arena, machines[0].confirmed, &fleet, &known);

	for (size_t i = 0; i < count; i++)
		APPEND(arena, &names, machines[i].name);
	if (error == NULL)
		compare_inventories(approval, arena, &fleet, known);
	if (error == NULL && known)
		compare_rulesets(approval, machines[0].confirmed, &names);
	if (error == NULL && !known)
		say_unknown(approval, machines, count);
	arena_free(arena);
	return error;
}

static struct error *compare_all(struct approval *approval, const struct approval_machine *machines, size_t count)
{
	struct approval_machine *sorted = ARENA_ARRAY(approval->run->arena, struct approval_machine, count);

	for (size_t i = 0; i < count; i++)
		sorted[i] = machines[i];
	if (count > 1)
		qsort(sorted, count, sizeof *sorted, machine_order);
	for (size_t i = 0, k; i < count; i = k) {
		for (k = i; k < count && sorted[k].confirmed == sorted[i].confirmed;)
			k++;
		TRY(compare_with(approval, &sorted[i], k - i));
	}
	return NULL;
}

static struct error *compare(struct approval *approval, const struct approval_machine *machines, size_t count)
{
	struct arena *arena = approval->run->arena;
	bool known;

	approval->fleet = ARENA_NEW(arena, struct fleet);
	TRY(fleet_of(approval->run, arena, approval->generation, approval->fleet, &known));
	approval->resolved = resolve(arena, approval->fleet);
	if (known)
		return compare_all(approval, machines, count);
	buf_add(approval->lines, STR("\n  what it opens can't be told: which inventory it was made from is not known"));
	++*approval->found;
	return NULL;
}

struct error *approval_openings(struct run *run, uint64_t generation, const struct approval_machine *machines,
                                size_t count, struct buf *lines, size_t *found)
{
	struct approval approval = {.run = run, .generation = generation, .lines = lines, .found = found};
	struct error *error;

	TRY(db_begin(run->db, DB_SNAPSHOT));
	error = compare(&approval, machines, count);
	db_rollback(run->db);
	return error;
}
