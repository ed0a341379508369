/* import --from iptables-save: the order of stations from files to a plan that is proved, and what is said of it. */
#include "takeover.h"

enum { SHOWN_MOST = 4 };

/* --- files --- */

static struct error *cut_argument(struct str argument, struct takeover_file *file)
{
	size_t equals = str_find(argument, '=');

	if (equals == 0 || equals + 1 >= argument.n)
		return error_hint(error_new(ERROR_USAGE, "\"%.*s\" is not MACHINE=FILE", STR_ARG(argument)),
		                  "fleetwall import --from iptables-save web1=rules.v4 web1=rules.v6 web1=ipsets");
	file->machine = str_slice(argument, 0, equals);
	file->name = str_slice(argument, equals + 1, argument.n);
	return NULL;
}

struct error *import_filters(struct run *run, struct takeover **takeover)
{
	struct takeover_file *files = ARENA_ARRAY(run->arena, struct takeover_file, run->argument_count);
	struct error *errors = NULL;

	if (run->argument_count == 0)
		return error_new(ERROR_USAGE, "--from iptables-save needs MACHINE=FILE…");
	if (run_has(run, "prune"))
		return error_new(ERROR_USAGE, "--prune does not go with --from iptables-save, which says nothing of "
		                              "other machines");
	if (run_has(run, "address-variable"))
		return error_new(ERROR_USAGE, "--address-variable goes with --from ansible");
	for (size_t i = 0; i < run->argument_count; i++)
		error_collect(&errors, cut_argument(run->arguments[i], &files[i]));
	for (size_t i = 0; i < run->argument_count && errors == NULL; i++)
		error_collect(&errors, run_file(run, &files[i].name, &files[i].text));
	if (errors != NULL)
		return errors;
	return takeover_read(run->arena, files, run->argument_count, takeover);
}

/* --- what is said --- */

#define NARROWER "narrower by, for one:"
#define WIDER "WIDER than what runs, for one:"

static void say_packets(struct run *run, const char *what, const struct str *items, size_t count)
{
	for (size_t i = 0; i < count && i < SHOWN_MOST; i++)
		writer_say(run->writer, "    %s %.*s", what, STR_ARG(items[i]));
}

/* The same in --json, a line for each. */
static void add_packets(struct buf *buf, const char *what, const struct str *items, size_t count)
{
	for (size_t i = 0; i < count && i < SHOWN_MOST; i++)
		buf_format(buf, "\n%s %.*s", what, STR_ARG(items[i]));
}

static struct str counts_str(struct run *run, const struct takeover_summary *summary)
{
	const struct takeover_counts *counts = &summary->counts;

	return str_format(run->arena,
	                  "%.*s: %zu line%s: %zu represented, %zu by housekeeping, nothing reaches %zu, %zu not "
	                  "represented; %zu rule%s%s%.*s",
	                  STR_ARG(summary->machine), counts->lines, str_plural(counts->lines), counts->represented,
	                  counts->housekeeping, counts->unreached, counts->left_out, summary->rules,
	                  str_plural(summary->rules), summary->shared.n > 0 ? " of role " : "",
	                  STR_ARG(summary->shared));
}

static void say_machine(struct run *run, const struct takeover_summary *summary)
{
	writer_say(run->writer, "%.*s", STR_ARG(counts_str(run, summary)));
	if (summary->proved)
		writer_say(run->writer, "    proved: what will be rendered lets in exactly what runs");
	else if (summary->wider_count == 0)
		writer_say(run->writer, "    proved: what will be rendered lets in no more than what runs");
	say_packets(run, NARROWER, summary->narrower, summary->narrower_count);
	say_packets(run, WIDER, summary->wider, summary->wider_count);
}

static void say_takeover(struct run *run, const struct takeover *takeover)
{
	struct takeover_summary *summaries;
	size_t count = takeover_summaries(takeover, &summaries);
	struct buf all = buf_new(run->arena);
	struct error *left_out = takeover_left_out(takeover);

	for (size_t i = 0; i < count; i++) {
		say_machine(run, &summaries[i]);
		buf_format(&all, "%s%.*s%s", i > 0 ? "\n" : "", STR_ARG(counts_str(run, &summaries[i])),
		           summaries[i].proved ? "; proved equal" : "");
		add_packets(&all, NARROWER, summaries[i].narrower, summaries[i].narrower_count);
		add_packets(&all, WIDER, summaries[i].wider, summaries[i].wider_count);
		run->no = run->no || !summaries[i].proved;
	}
	writer_field(run->writer, "taken_over", buf_str(&all));
	writer_field(run->writer, "compared", str_of(takeover_claims));
	writer_say(run->writer, "compared: %s", takeover_claims);
	run->no = run->no || left_out != NULL;
	error_collect(&run->warnings, takeover_remarks(takeover));
	error_collect(&run->warnings, left_out);
}

/* --- the plan --- */

static struct error *plan_proved(struct run *run, struct takeover *takeover, const struct fleet *present,
                                 const struct import_options *options, struct plan *plan)
{
	struct fleet wanted;
	bool again = true;

	TRY(takeover_fleet(takeover, present, &run->config.settings, &wanted));
	while (again) {
		TRY(inventory_plan(run->arena, present, &wanted, options, plan));
		TRY(takeover_prove(takeover, &plan->target, &run->config.settings, &wanted, &again));
	}
	return NULL;
}

struct error *plan_takeover(struct run *run, struct takeover *takeover, const struct fleet *present,
                            const struct import_options *options, struct plan *plan)
{
	struct error *error;

	packets_begin();
	error = plan_proved(run, takeover, present, options, plan);
	packets_end();
	if (error == NULL)
		say_takeover(run, takeover);
	return error;
}
