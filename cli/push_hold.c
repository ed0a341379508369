/* What holds a push back or lets it go: frozen machines, those that were installed anew, probes, approved generations.
 * Each is one change in the ledger. */
#include "fleetwall/rule.h"

#include "approval.h"
#include "generation.h"
#include "push.h"

/* Each of the machines that the arguments mean. */
static struct error *each_machine(struct run *run,
                                  struct error *(*change)(struct arena *, struct db *, struct str, struct str),
                                  struct str reason, const char *done)
{
	struct str *names;
	size_t count;

	TRY(push_machines(run, &names, &count));
	for (size_t i = 0; i < count; i++) {
		TRY(change(run->arena, run->db, names[i], reason));
		writer_say(run->writer, "machine %.*s %s", STR_ARG(names[i]), done);
	}
	return NULL;
}

struct error *run_machine_freeze(struct run *run)
{
	struct str reason = run_option(run, "reason");

	if (reason.n == 0)
		return error_hint(error_new(ERROR_USAGE, "a machine is frozen for a reason"),
		                  "give --reason WORDS: whoever wonders why nothing is pushed will read it");
	return each_machine(run, ledger_freeze, reason, "is frozen: nothing is pushed to it");
}

struct error *run_machine_unfreeze(struct run *run)
{
	struct machine_state *states;
	size_t count;

	TRY(push_states(run, &states, &count));
	for (size_t i = 0; i < count; i++) {
		bool frozen = states[i].frozen.n > 0;

		if (frozen)
			TRY(ledger_unfreeze(run->arena, run->db, states[i].machine));
		writer_say(run->writer, "machine %.*s %s", STR_ARG(states[i].machine),
		           frozen ? "may be pushed again: the next push does" : "was not frozen");
	}
	return NULL;
}

static struct error *forget(struct arena *arena, struct db *db, struct str machine, struct str reason)
{
	(void)reason;
	return ledger_forget_machine(arena, db, machine);
}

struct error *run_machine_forget(struct run *run)
{
	return each_machine(run, forget, STR(""), "is as one that was never pushed to");
}

/* --- probes --- */

/* MACHINE PORT/tcp open|closed [from MACHINE] */
static struct error *read_probe(struct run *run, struct probe *probe)
{
	const struct str *words = run->arguments;
	bool from = run->argument_count == 5 && str_is(str_lower(run->arena, words[3]), "from");

	*probe = (struct probe){.machine = str_lower(run->arena, words[0]), .what = str_lower(run->arena, words[1])};
	probe->open = str_is(str_lower(run->arena, words[2]), "open");
	if ((run->argument_count != 3 && !from) ||
	    (!probe->open && !str_is(str_lower(run->arena, words[2]), "closed")))
		return error_hint(error_new(ERROR_USAGE, "a probe is MACHINE PORT/tcp open|closed [from MACHINE]"),
		                  "for example: db1 3306/tcp open from app1");
	if (from)
		probe->source = str_lower(run->arena, words[4]);
	return NULL;
}

struct error *run_probe_add(struct run *run)
{
	struct probe probe;

	TRY(read_probe(run, &probe));
	TRY(run_connect(run));
	TRY(ledger_probe_add(run->arena, run->db, &probe));
	writer_say(run->writer, "machine %.*s is probed when it is pushed", STR_ARG(probe.machine));
	return NULL;
}

struct error *run_probe_remove(struct run *run)
{
	struct probe probe;
	bool removed;

	TRY(read_probe(run, &probe));
	TRY(run_connect(run));
	TRY(ledger_probe_remove(run->arena, run->db, &probe, &removed));
	if (!removed)
		return error_hint(error_new(ERROR_UNKNOWN, "there is no such probe"),
		                  "fleetwall probe list shows them");
	return NULL;
}

struct error *run_probe_list(struct run *run)
{
	static const char *const columns[] = {"machine", "what", "expected", "source"};
	struct selection selection = push_words(run);
	struct str *names = NULL;
	struct probe *probes;
	size_t count = 0;

	TRY(run_connect(run));
	if (selection.count > 0)
		TRY(push_select(run->arena, run->db, &selection, &names, &count));
	TRY(ledger_probes(run->arena, run->db, names, count, &probes, &count));
	writer_columns(run->writer, LAYOUT_TABLE, columns, 4);
	for (size_t i = 0; i < count; i++)
		writer_row(run->writer, (struct cell[]){cell_text(probes[i].machine), cell_text(probes[i].what),
		                                        cell_text(probes[i].open ? STR("open") : STR("closed")),
		                                        cell_some(probes[i].source)});
	return NULL;
}

/* --- approvals --- */

/* Machines that confirmed something else, and have a ruleset in this one. */
static size_t concerned(struct run *run, const struct machine_state *states, size_t count,
                        const struct generation *generation, struct approval_machine **machines)
{
	size_t kept = 0;

	*machines = ARENA_ARRAY(run->arena, struct approval_machine, count);
	for (size_t i = 0, k = 0; i < count; i++) {
		while (k < generation->machine_count &&
		       str_cmp(generation->manifest[k].name, states[i].machine) < 0)
			k++;
		if (k < generation->machine_count && str_eq(generation->manifest[k].name, states[i].machine) &&
		    states[i].confirmed.generation > 0 && states[i].confirmed.generation != generation->number)
			(*machines)[kept++] =
				(struct approval_machine){states[i].machine, states[i].confirmed.generation};
	}
	return kept;
}

/* For who approves; that it can't be told stops nobody. */
static struct error *say_openings(struct run *run, uint64_t number)
{
	struct approval_machine *machines;
	struct machine_state *states;
	struct generation generation;
	struct buf lines = buf_new(run->arena);
	size_t count, found = 0;

	TRY(generation_read_number(run->arena, run->config.output, number, &generation));
	TRY(ledger_machines(run->arena, run->db, NULL, 0, &states, &count));
	count = concerned(run, states, count, &generation, &machines);
	TRY(approval_openings(run, number, machines, count, &lines, &found));
	if (found == 0)
		buf_add(&lines, STR(": it opens nothing on machines that confirmed an older one"));
	writer_say(run->writer, "generation %llu may be pushed by nightly%.*s", (unsigned long long)number,
	           (int)lines.n, lines.p);
	return NULL;
}

struct error *run_approve(struct run *run)
{
	struct error *error;
	uint64_t number;

	TRY(generation_number(run->arguments[0], &number));
	TRY(run_connect(run));
	TRY(ledger_approve(run->arena, run->db, number));
	error = say_openings(run, number);
	if (error == NULL)
		return NULL;
	error_collect(&run->warnings, error_in(error, "what it opens can't be told"));
	writer_say(run->writer, "generation %llu may be pushed by nightly", (unsigned long long)number);
	return NULL;
}
