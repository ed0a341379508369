/* rollback: machines go back to the ruleset that they confirmed before the present one, by a push like any other. They
 * stay there: each is frozen as it confirms, or the next push would bring back what was just taken away. */
#include "push.h"

#include <stdlib.h>

struct back {
	struct work_item item;
	uint64_t generation, from; /* where it goes, and what it has */
};

/* The newest generation first: what is left of its run does not give way to the run of an older one. */
static int back_order(const void *a, const void *b)
{
	const struct back *left = a, *right = b;

	if (left->generation != right->generation)
		return left->generation > right->generation ? -1 : 1;
	return str_cmp(left->item.machine, right->item.machine);
}

/* Nothing, where it is not to stay. */
static struct str why_frozen(struct run *run, uint64_t generation)
{
	if (run_has(run, "no-freeze"))
		return STR("");
	return str_format(run->arena, "rolled back to generation %llu", (unsigned long long)generation);
}

static struct error *add(struct run *run, const struct machine_state *state, struct back *backs, size_t *count)
{
	if (state->frozen.n > 0) {
		error_collect(&run->warnings,
		              error_hint(error_new(ERROR_GUARD, "machine %.*s is frozen, and left as it is: %.*s",
		                                   STR_ARG(state->machine), STR_ARG(state->frozen)),
		                         "machine unfreeze lets it go back, too"));
		run->no = true;
		return NULL;
	}
	if (state->confirmed.generation == 0)
		return error_hint(error_new(ERROR_INPUT, "machine %.*s has confirmed nothing yet",
		                            STR_ARG(state->machine)),
		                  "fleetwall status shows what machines have");
	if (state->before.generation == 0)
		return error_hint(error_new(ERROR_INPUT, "machine %.*s confirmed nothing before what it has",
		                            STR_ARG(state->machine)),
		                  "generation publish makes an older generation the present one for all");
	backs[(*count)++] = (struct back){.item = {.machine = state->machine,
	                                           .ruleset = state->before.ruleset,
	                                           .position = state->before.position,
	                                           .rollback = true,
	                                           .freeze = why_frozen(run, state->before.generation)},
	                                  .generation = state->before.generation,
	                                  .from = state->confirmed.generation};
	return NULL;
}

/* One run for each generation that machines go back to. */
static struct error *run_one(struct run *run, const struct back *backs, size_t count, struct push_result *result)
{
	struct work_item *items = ARENA_ARRAY(run->arena, struct work_item, count);
	struct positions *positions;
	uint64_t number;

	TRY(positions_open(run->arena, run->config.output, backs->generation, &positions));
	for (size_t i = 0; i < count; i++)
		items[i] = backs[i].item;
	TRY(ledger_start(run->arena, run->db, backs->generation, &positions_generation(positions)->digest,
	                 run->config.push.max_failures, items, count, &number));
	return push_run_do(run, number, false, result);
}

/* Of those that go back to other generations; whoever interrupts one run does not want the next. */
static void warn_of_rest(struct run *run, size_t count)
{
	error_collect(&run->warnings,
	              error_hint(error_new(ERROR_GUARD, "%zu machine%s %s not begun with, and not frozen", count,
	                                   str_plural(count), count == 1 ? "was" : "were"),
	                         "fleetwall rollback again brings them back as well"));
}

static struct error *go_back(struct run *run, struct back *backs, size_t count)
{
	size_t end;

	qsort(backs, count, sizeof *backs, back_order);
	for (size_t i = 0; i < count; i = end) {
		struct push_result result;

		end = i + 1;
		while (end < count && backs[end].generation == backs[i].generation)
			end++;
		TRY(run_one(run, backs + i, end - i, &result));
		push_judge(run, &result);
		TRY(push_summary(run, &result));
		if (result.interrupted && end < count) {
			warn_of_rest(run, count - end);
			break;
		}
	}
	return NULL;
}

static void dry_run(struct run *run, const struct back *backs, size_t count)
{
	static const char *const columns[] = {"machine", "confirmed", "back_to"};

	writer_columns(run->writer, LAYOUT_TABLE, columns, 3);
	for (size_t i = 0; i < count; i++)
		writer_row(run->writer, (struct cell[]){cell_text(backs[i].item.machine),
		                                        cell_number((int64_t)backs[i].from),
		                                        cell_number((int64_t)backs[i].generation)});
	run->no = run->no || count > 0;
}

struct error *run_rollback(struct run *run)
{
	struct error *errors = NULL;
	struct machine_state *states;
	struct back *backs;
	size_t count, back_count = 0;

	TRY(push_states(run, &states, &count));
	backs = ARENA_ARRAY(run->arena, struct back, count + 1);
	for (size_t i = 0; i < count; i++)
		error_collect(&errors, add(run, &states[i], backs, &back_count));
	if (back_count == 0)
		return errors;
	/* One that can't go back keeps the others from nothing. */
	run->no = run->no || errors != NULL;
	error_collect(&run->warnings, errors);
	if (run_has(run, "dry-run")) {
		dry_run(run, backs, back_count);
		return NULL;
	}
	return go_back(run, backs, back_count);
}
