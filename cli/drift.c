/* drift: what machines really have, against what they confirmed (drift_look.c). Changes nothing on them, unless --mend
 * has what differs pushed again. */
#include "push.h"

/* What differs is to be sent whole: by this push or, if it comes to nothing, by the next one. */
static struct error *forget(struct run *run, const struct drift_report *report, struct selection *selection)
{
	struct str *names = ARENA_ARRAY(run->arena, struct str, report->name_count);
	struct machine_state *states;
	size_t count;

	*selection = (struct selection){names, 0};
	TRY(ledger_machines(run->arena, run->db, report->names, report->name_count, &states, &count));
	for (size_t i = 0; i < count; i++) {
		if (states[i].frozen.n == 0) {
			TRY(ledger_forget(run->arena, run->db, states[i].machine));
			names[selection->count++] = states[i].machine;
			continue;
		}
		run->no = true;
		error_collect(&run->warnings,
		              error_hint(error_new(ERROR_GUARD, "machine %.*s is frozen, and left as it is",
		                                   STR_ARG(states[i].machine)),
		                         "machine unfreeze lets it be pushed"));
	}
	return NULL;
}

static struct error *mend(struct run *run, const struct drift_report *report)
{
	struct push_order order = {0};
	struct push_report pushed;
	struct push_plan plan;
	struct str reason, who;
	int64_t at;

	TRY(ledger_halted(run->arena, run->db, &reason, &who, &at));
	if (reason.n > 0)
		return error_hint(error_new(ERROR_GUARD, "pushing is halted by %.*s: %.*s", STR_ARG(who),
		                            STR_ARG(reason)),
		                  "fleetwall push --resume allows it again");
	TRY(forget(run, report, &order.selection));
	if (order.selection.count == 0)
		return NULL;
	TRY(push_order_plan(run, &order, &plan));
	TRY(push_plan_do(run, &plan, true, &pushed));
	if (!pushed.started)
		return NULL;
	writer_say_last(run->writer, "pushed again: %zu confirmed, %zu failed", pushed.result.run.confirmed,
	                pushed.result.run.failed);
	push_judge(run, &pushed.result);
	return NULL;
}

struct error *run_drift(struct run *run)
{
	struct drift_report report;
	struct str *names;
	size_t count;

	TRY(push_machines(run, &names, &count));
	TRY(drift_look(run, names, count, true, &report));
	error_collect(&run->warnings, report.unnoted);
	writer_say(run->writer, "%zu machine%s asked: %zu differ%s from what %s confirmed, %zu could not be compared",
	           report.asked, str_plural(report.asked), report.drifted, report.drifted == 1 ? "s" : "",
	           report.drifted == 1 ? "it" : "they", report.silent);
	run->no = report.drifted + report.silent > 0;
	writer_keep(run->writer);
	if (run_has(run, "mend") && report.name_count > 0) {
		run->no = report.silent > 0;
		return mend(run, &report);
	}
	return NULL;
}
