/* The second half of a night: what was published goes to the machines, where that is wanted, and some of the machines
 * where nothing changed are asked whether they still have it. Quiet about what went well, by the caller's choice. */
#include <string.h>
#include <unistd.h>

#include "approval.h"
#include "nightly.h"
#include "round.h"

enum { SHOWN = 20 }; /* lines of a kind: what a mail can hold */

/* --- may it be pushed? --- */

enum { HEX = 64 };

/* What rules open is seen in the inventory; what settings and templates open is not. Those that were pushed last are
 * kept as a digest: where they are others, or nobody knows, a person looks. */
static struct error *settings_known(struct night *night, bool *known)
{
	char kept[HEX] = "", hex[HEX + 1];
	struct digest digest;

	TRY(round_look(night->run, &digest));
	digest_hex(&digest, hex);
	*known = pread(night->lock, kept, HEX, 0) == HEX && memcmp(kept, hex, HEX) == 0;
	return NULL;
}

/* A power cut that tears it makes a person look. */
static struct error *keep_settings(struct night *night)
{
	char hex[HEX + 1];
	struct digest digest;

	TRY(round_look(night->run, &digest));
	digest_hex(&digest, hex);
	if (pwrite(night->lock, hex, HEX, 0) != HEX)
		return error_errno("noting the settings in %.*s/.nightly", STR_ARG(night->run->config.output));
	return NULL;
}

/* nightly_push = approved: what opens something waits for a person. */
static struct error *check_approved(struct night *night, const struct push_plan *plan)
{
	struct run *run = night->run;
	struct approval_machine *machines = ARENA_ARRAY(run->arena, struct approval_machine, plan->count);
	struct buf lines = buf_new(run->arena);
	size_t found = 0;
	bool approved, known;

	TRY(ledger_approved(run->arena, run->db, plan->generation, &approved));
	if (approved)
		return NULL;
	for (size_t i = 0; i < plan->count; i++)
		machines[i] = (struct approval_machine){plan->items[i].state.machine,
		                                        plan->items[i].state.confirmed.generation};
	TRY(approval_openings(run, plan->generation, machines, plan->count, &lines, &found));
	TRY(settings_known(night, &known));
	if (!known)
		buf_add(&lines, STR("\n  settings or templates are not known to be those that were pushed last"));
	if (found > 0 || !known)
		night->held = str_format(run->arena,
		                         "generation %llu opens something, and waits for: fleetwall approve %llu%.*s",
		                         (unsigned long long)plan->generation, (unsigned long long)plan->generation,
		                         (int)lines.n, lines.p);
	return NULL;
}

static struct error *check_halted(struct night *night)
{
	struct run *run = night->run;
	struct str reason, who;
	int64_t at;

	TRY(ledger_halted(run->arena, run->db, &reason, &who, &at));
	if (reason.n > 0)
		night->held = str_format(run->arena, "pushing is halted by %.*s: %.*s", STR_ARG(who), STR_ARG(reason));
	return NULL;
}

static struct error *check(struct night *night, const struct push_plan *plan)
{
	if (plan->count == 0)
		return NULL;
	TRY(check_halted(night));
	if (night->held.n == 0 && night->run->config.nightly_push == NIGHTLY_PUSH_APPROVED)
		TRY(check_approved(night, plan));
	return NULL;
}

/* --- the stations --- */

/* One plan: what is pushed is what was looked at. */
struct error *nightly_push_changes(struct night *night)
{
	struct run *run = night->run;
	const struct push_order everything = {0};
	struct push_plan plan;

	if (run->config.nightly_push == NIGHTLY_PUSH_OFF || night->result.number == 0)
		return NULL;
	TRY(push_order_plan(run, &everything, &plan));
	TRY(check(night, &plan));
	if (night->held.n > 0) {
		run->no = true;
		return NULL;
	}
	TRY(push_plan_do(run, &plan, true, &night->pushed));
	if (night->pushed.started)
		push_judge(run, &night->pushed.result);
	return night->pushed.started || plan.frozen == 0 ? keep_settings(night) : NULL;
}

/* Those that nobody looked at for longest come first, so that in time each is looked at. */
struct error *nightly_look_for_drift(struct night *night)
{
	struct run *run = night->run;
	struct str *names;
	size_t count;

	if (run->config.nightly_push == NIGHTLY_PUSH_OFF || run->config.drift_sample == 0)
		return NULL;
	TRY(ledger_drift_due(run->arena, run->db, run->config.drift_sample, &names, &count));
	if (count == 0)
		return NULL;
	TRY(drift_look(run, names, count, false, &night->drift));
	run->no = run->no || night->drift.drifted + night->drift.silent > 0;
	return night->drift.unnoted;
}

/* --- the report --- */

bool nightly_push_happened(const struct night *night)
{
	return night->held.n > 0 || night->pushed.started || night->drift.drifted + night->drift.silent > 0;
}

static void say_people(struct run *run, const struct push_result *result)
{
	for (size_t i = 0; i < result->people_count; i++)
		writer_say(run->writer, "%s %.*s: %.*s", result->people[i].needs_person ? "needs a person:" : "left:",
		           STR_ARG(result->people[i].machine),
		           STR_ARG(push_trouble(run->arena, &result->people[i])));
}

void nightly_say_push(struct night *night)
{
	struct run *run = night->run;
	const struct push_run_info *info = &night->pushed.result.run;

	if (night->held.n > 0)
		writer_say(run->writer, "not pushed: %.*s", STR_ARG(night->held));
	if (night->pushed.started) {
		writer_say(run->writer, "push %llu: %zu confirmed, %zu failed, %zu skipped%s%.*s",
		           (unsigned long long)info->number, info->confirmed, info->failed, info->skipped,
		           info->reason.n > 0 ? "; stopped: " : "", STR_ARG(info->reason));
		say_people(run, &night->pushed.result);
	}
	for (size_t i = 0; i < night->drift.name_count && i < SHOWN; i++)
		writer_say(run->writer, "%.*s differs from what it confirmed: fleetwall drift %.*s",
		           STR_ARG(night->drift.names[i]), STR_ARG(night->drift.names[i]));
	for (size_t i = 0; i < night->drift.silent && i < SHOWN; i++)
		writer_say(run->writer, "not looked at for drift: %.*s", STR_ARG(night->drift.reasons[i]));
}

const char *const nightly_push_names[NIGHTLY_PUSH_COLUMNS] = {"push", "held", "confirmed", "failed", "left", "drifted",
                                                              "not_looked_at"};

/* Machines that were not confirmed, by name. */
static struct cell left(struct run *run, const struct push_result *result)
{
	struct str *names = ARENA_ARRAY(run->arena, struct str, result->people_count + 1);

	for (size_t i = 0; i < result->people_count; i++)
		names[i] = result->people[i].machine;
	return cell_list(names, result->people_count);
}

void nightly_push_cells(struct night *night, struct cell *cells)
{
	const struct push_result *result = &night->pushed.result;

	cells[0] = cell_positive(night->pushed.started ? result->run.number : 0);
	cells[1] = cell_some(night->held);
	cells[2] = cell_number((int64_t)result->run.confirmed);
	cells[3] = cell_number((int64_t)result->run.failed);
	cells[4] = left(night->run, result);
	cells[5] = cell_list(night->drift.names, night->drift.name_count);
	cells[6] = cell_list(night->drift.reasons, night->drift.silent);
}
