/* push: which machines, in which waves, and the work on it. An order of stations: plan, permit, start, work, tell.
 * Stopping everybody (--halt) and going on (--resume) are here as well. */
#include "kept.h"
#include "push.h"

#include <stdlib.h>
#include <string.h>

/* All values of an option that may be repeated. */
static size_t option_values(struct run *run, const char *option, struct str *values)
{
	size_t count = 0;

	for (size_t i = 0; i < run->option_count; i++)
		if (strcmp(run->options[i].option->name, option) == 0)
			values[count++] = run->options[i].value;
	return count;
}

struct selection push_words(struct run *run)
{
	struct str *words = ARENA_ARRAY(run->arena, struct str, run->argument_count + run->option_count + 1);
	size_t count = option_values(run, "only", words);

	for (size_t i = 0; i < run->argument_count; i++)
		words[count++] = run->arguments[i];
	for (size_t i = 0; i < count; i++)
		words[i] = str_lower(run->arena, words[i]);
	return (struct selection){words, count};
}

struct error *push_machines(struct run *run, struct str **names, size_t *count)
{
	const struct selection selection = push_words(run);

	TRY(run_connect(run));
	return push_select(run->arena, run->db, &selection, names, count);
}

struct error *push_states(struct run *run, struct machine_state **states, size_t *count)
{
	struct str *names;

	TRY(push_machines(run, &names, count));
	return ledger_machines(run->arena, run->db, names, *count, states, count);
}

/* They stand for settings this once. */
static struct error *read_overrides(struct run *run)
{
	TRY(run_number(run, "parallel", 1, 1000, &run->config.push.parallel));
	return run_number(run, "max-failures", 0, 1000000, &run->config.push.max_failures);
}

/* --- the plan --- */

/* --adopt is by machine: one that has nothing to be pushed is a slip of the pen. */
static struct error *mark_adopted(const struct push_order *order, struct push_plan *plan)
{
	struct error *errors = NULL;

	for (size_t i = 0; i < order->adopt_count; i++) {
		bool found = false;

		for (size_t k = 0; k < plan->count && !found; k++)
			found = str_eq(plan->items[k].work.machine, order->adopt[i]);
		if (!found)
			error_collect(&errors, error_hint(error_new(ERROR_UNKNOWN,
			                                            "--adopt %.*s: nothing is to be pushed to a "
			                                            "machine of this name",
			                                            STR_ARG(order->adopt[i])),
			                                  "fleetwall push --dry-run lists them"));
	}
	for (size_t k = 0; k < plan->count; k++) {
		plan->items[k].work.adopt = str_among(plan->items[k].work.machine, order->adopt, order->adopt_count);
		plan->items[k].work.cut = order->cut;
	}
	return errors;
}

static size_t first_enforced(const struct push_plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += plan->items[i].first && plan->items[i].enforce;
	return count;
}

static void warn(struct run *run, const struct push_plan *plan)
{
	size_t first = first_enforced(plan);

	if (first > 0)
		error_collect(&run->warnings,
		              error_hint(error_new(ERROR_GUARD,
		                                   "%zu machine%s first ruleset: open sessions that it does not let "
		                                   "in are cut",
		                                   first, first == 1 ? " gets its" : "s get their"),
		                         "machine set NAME --enforcement monitor shows beforehand what would be "
		                         "refused"));
	for (size_t i = 0; i < plan->unmanaged_count; i++)
		error_collect(&run->warnings, error_hint(error_new(ERROR_GUARD,
		                                                   "machine %.*s has no ruleset any more, and keeps "
		                                                   "the one it confirmed",
		                                                   STR_ARG(plan->unmanaged[i])),
		                                         "fleetwall-host(8) says how to take it away"));
	if (plan->damaged > 0)
		error_collect(&run->warnings,
		              error_hint(error_new(ERROR_GUARD,
		                                   "the published files of %zu machine%s are damaged: nothing is "
		                                   "sent there",
		                                   plan->damaged, str_plural(plan->damaged)),
		                         "fleetwall generate writes them again, and the next push sends them"));
	for (size_t i = 0; i < plan->frozen; i++)
		error_collect(&run->warnings,
		              error_hint(error_new(ERROR_GUARD, "machine %.*s is frozen, and left as it is",
		                                   STR_ARG(plan->frozen_machines[i])),
		                         "machine unfreeze lets it be pushed"));
}

/* Whoever watches may still end the push. Programs get it with the answer. */
static void warn_now(struct run *run)
{
	if (writer_is_json(run->writer))
		return;
	write_warnings(run->arena, run->warnings);
	run->warnings = NULL;
}

struct error *push_order_plan(struct run *run, const struct push_order *order, struct push_plan *plan)
{
	struct positions *positions;

	TRY(push_plan(run->arena, run->db, &run->config.push, &order->selection, &positions, plan));
	TRY(mark_adopted(order, plan));
	warn(run, plan);
	return NULL;
}

static struct str why(const struct plan_item *item)
{
	if (item->damaged)
		return STR("damaged");
	return item->first ? STR("first") : STR("changed");
}

static void plan_row(struct run *run, const struct plan_item *item)
{
	const struct held *confirmed = &item->state.confirmed;

	writer_row(run->writer, (struct cell[]){
					cell_text(item->work.machine),
					cell_number(item->work.wave + 1),
					item->damaged ? cell_null()
					              : cell_text(position_mode_str(item->position->mode)),
					cell_positive(confirmed->generation),
					cell_text(why(item)),
					cell_text(item->contact.host),
				});
}

static void say_nothing_to_push(struct run *run, size_t unchanged, size_t frozen)
{
	writer_say(run->writer, "nothing to push: %zu machine%s what is published%s", unchanged,
	           unchanged == 1 ? " has" : "s have", frozen > 0 ? ", and some are frozen" : "");
}

static struct error *dry_run(struct run *run, const struct push_order *order)
{
	static const char *const columns[] = {"machine", "wave", "mode", "confirmed", "why", "host"};
	struct push_plan plan;

	TRY(push_order_plan(run, order, &plan));
	writer_columns(run->writer, LAYOUT_TABLE, columns, 6);
	for (size_t i = 0; i < plan.count; i++)
		plan_row(run, &plan.items[i]);
	run->no = plan.count > 0;
	if (plan.count == 0)
		say_nothing_to_push(run, plan.unchanged, plan.frozen);
	TRY(kept_warn_of_changes(run));
	writer_keep(run->writer);
	return push_permitted(&run->config.push, &plan);
}

/* --- the work --- */

struct error *push_run_do(struct run *run, uint64_t number, bool quiet, struct push_result *result)
{
	struct push_say say;
	struct error *error;

	push_say_open(&say, run, quiet);
	error = push_work(run->arena, run->conninfo, &run->config.push, number, push_say_event, &say, result);
	error_collect(&error, push_say_close(&say));
	return error;
}

struct error *push_plan_do(struct run *run, const struct push_plan *plan, bool quiet, struct push_report *report)
{
	struct work_item *items = ARENA_ARRAY(run->arena, struct work_item, plan->count);
	uint64_t number;

	*report = (struct push_report){
		.unchanged = plan->unchanged, .frozen = plan->frozen, .unmanaged = plan->unmanaged_count};
	if (plan->count == 0)
		return NULL;
	TRY(push_permitted(&run->config.push, plan));
	for (size_t i = 0; i < plan->count; i++)
		items[i] = plan->items[i].work;
	TRY(ledger_start(run->arena, run->db, plan->generation, &plan->digest, run->config.push.max_failures, items,
	                 plan->count, &number));
	report->started = true;
	if (!quiet)
		warn_now(run);
	return push_run_do(run, number, quiet, &report->result);
}

void push_judge(struct run *run, const struct push_result *result)
{
	run->no = run->no || result->people_count > 0 || result->run.failed > 0 || result->run.state != RUN_DONE ||
	          result->interrupted;
}

/* Where there was nothing to push, nobody else would say it. */
static struct error *warn_halted(struct run *run)
{
	struct str reason, who;
	int64_t at;

	TRY(ledger_halted(run->arena, run->db, &reason, &who, &at));
	if (reason.n > 0)
		error_collect(&run->warnings, error_hint(error_new(ERROR_GUARD, "pushing is halted by %.*s: %.*s",
		                                                   STR_ARG(who), STR_ARG(reason)),
		                                         "fleetwall push --resume allows it again"));
	return NULL;
}

static struct error *push_now(struct run *run)
{
	struct str *adopt = ARENA_ARRAY(run->arena, struct str, run->option_count + 1);
	struct push_order order = {.selection = push_words(run), .adopt = adopt, .cut = run_has(run, "cut")};
	struct push_report report;
	struct push_plan plan;

	order.adopt_count = option_values(run, "adopt", adopt);
	if (run_has(run, "dry-run"))
		return dry_run(run, &order);
	TRY(push_order_plan(run, &order, &plan));
	TRY(push_plan_do(run, &plan, false, &report));
	if (!report.started) {
		say_nothing_to_push(run, report.unchanged, report.frozen);
		TRY(kept_warn_of_changes(run));
		return warn_halted(run);
	}
	push_judge(run, &report.result);
	return push_summary(run, &report.result);
}

/* --- going on, and stopping everybody --- */

static struct error *resume(struct run *run)
{
	struct push_run_info info;
	struct push_result result;

	TRY(ledger_unhalt(run->arena, run->db));
	TRY(ledger_open_run(run->arena, run->db, &info));
	if (info.number == 0) {
		writer_say(run->writer, "pushes may run; there is none to go on with");
		return NULL;
	}
	TRY(ledger_resume(run->arena, run->db, info.number, true));
	TRY(push_run_do(run, info.number, false, &result));
	push_judge(run, &result);
	return push_summary(run, &result);
}

static struct error *halt(struct run *run)
{
	struct str reason = run_option(run, "reason");

	TRY(ledger_halt(run->arena, run->db, reason.n > 0 ? reason : STR("by hand")));
	writer_say(run->writer,
	           "pushing is halted, everywhere, until fleetwall push --resume or --unhalt; what is applied is still "
	           "confirmed, or goes back by itself; fleetwall rollback works");
	return NULL;
}

static struct error *unhalt(struct run *run)
{
	TRY(ledger_unhalt(run->arena, run->db));
	writer_say(run->writer, "pushes may run; none was begun");
	return NULL;
}

/* Switches that are commands of their own: they speak of all machines. */
static const struct {
	const char *name;
	command_run *run;
} switches[] = {{"halt", halt}, {"unhalt", unhalt}, {"resume", resume}};
enum { SWITCHES = sizeof switches / sizeof *switches };

static struct error *check_usage(struct run *run)
{
	bool narrowed = run->argument_count > 0 || run_has(run, "only") || run_has(run, "dry-run");
	const char *given = NULL;

	for (size_t i = 0; i < SWITCHES; i++) {
		if (!run_has(run, switches[i].name))
			continue;
		if (given != NULL)
			return error_new(ERROR_USAGE, "--%s and --%s don't go together", given, switches[i].name);
		given = switches[i].name;
	}
	if (run_has(run, "reason") && !run_has(run, "halt"))
		return error_new(ERROR_USAGE, "--reason says why pushing is halted, so it needs --halt");
	if (given != NULL && narrowed)
		return error_new(ERROR_USAGE, "--%s speaks of all machines, and takes no names and no --dry-run",
		                 given);
	return NULL;
}

struct error *run_push(struct run *run)
{
	TRY(check_usage(run));
	TRY(read_overrides(run));
	TRY(run_connect(run));
	for (size_t i = 0; i < SWITCHES; i++)
		if (run_has(run, switches[i].name))
			return switches[i].run(run);
	return push_now(run);
}
