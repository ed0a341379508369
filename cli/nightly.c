/* nightly: what cron runs, an order of stations. Quiet when nothing happened: cron mails whatever is said, and a mail
 * that comes every night is not read. */
#include "fleetwall/store.h"

#include "outcome.h"

enum { NAMES_SHOWN = 20 }; /* of a kind: what a mail can hold */

struct night {
	struct run *run;
	uint64_t before; /* the generation of the evening; 0: there was none */
	struct regeneration result;
};

typedef struct error *station(struct night *night);

/* --- generate --- */

static struct error *make_rulesets(struct night *night)
{
	struct run *run = night->run;
	const struct regenerate_options options = {0};

	TRY(run_connect(run));
	night->before = store_current(run->config.output);
	return regenerate(run, &options, NULL, &night->result);
}

/* --- report --- */

static void list_changes(struct run *run, const char *kind, const struct entry *before, size_t before_count,
                         const struct entry *after, size_t after_count)
{
	struct difference *differences;
	size_t count = entries_compare(run->arena, before, before_count, after, after_count, &differences);

	for (size_t i = 0; i < count && i < NAMES_SHOWN; i++)
		writer_say(run->writer, "%c %s %.*s", differences[i].sign, kind, STR_ARG(differences[i].name));
	if (count > NAMES_SHOWN)
		writer_say(run->writer, "  and %zu more %ss", count - NAMES_SHOWN, kind);
}

static struct error *say_changes(struct night *night)
{
	struct run *run = night->run;
	struct str output = run->config.output;
	struct generation before, after;

	TRY(generation_read_number(run->arena, output, night->before, &before));
	TRY(generation_read_number(run->arena, output, night->result.number, &after));
	list_changes(run, "machine", before.manifest, before.machine_count, after.manifest, after.machine_count);
	list_changes(run, "set", before.sets, before.set_count, after.sets, after.set_count);
	return NULL;
}

static bool nothing_happened(const struct night *night)
{
	return night->result.state == REGENERATED_UNCHANGED && night->result.mended == 0;
}

static struct error *report(struct night *night)
{
	struct run *run = night->run;
	struct cell cells[OUTCOME_COLUMNS];

	outcome_cells(run->arena, &night->result, cells);
	writer_columns(run->writer, LAYOUT_SILENT, outcome_names, OUTCOME_COLUMNS);
	writer_row(run->writer, cells);
	if (nothing_happened(night)) {
		/* What there is to warn of was said in the night of the change. */
		run->warnings = writer_is_json(run->writer) ? run->warnings : NULL;
		return NULL;
	}
	writer_say(run->writer, "%.*s", STR_ARG(outcome_line(run->arena, &night->result)));
	if (night->result.state == REGENERATED_PUBLISHED && night->before > 0)
		/* It is published; that the one before can't be read takes nothing of that away. */
		error_collect(&run->warnings, say_changes(night));
	return NULL;
}

/* The first that fails ends the night. */
static station *const stations[] = {make_rulesets, report};

struct error *run_nightly(struct run *run)
{
	struct night night = {.run = run};

	for (size_t i = 0; i < sizeof stations / sizeof *stations; i++)
		TRY(stations[i](&night));
	return NULL;
}
