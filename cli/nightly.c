/* nightly: what cron runs, an order of stations. Quiet when nothing happened: cron mails whatever is said, and a mail
 * that comes every night is not read. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

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

	night->before = store_current(run->config.output);
	return regenerate(run, &options, NULL, &night->result);
}

/* --- report --- */

/* For people the first of a kind, for programs all. */
static void list_changes(struct run *run, json_t *list, const char *kind, const struct entry *before,
                         size_t before_count, const struct entry *after, size_t after_count)
{
	struct difference *differences;
	size_t count = entries_compare(run->arena, before, before_count, after, after_count, &differences);

	for (size_t i = 0; i < count; i++) {
		struct str name = differences[i].name;

		json_array_append_new(list, json_pack("{s:s%, s:s, s:s%}", "sign", &differences[i].sign, (size_t)1,
		                                      "kind", kind, "name", name.p, name.n));
		if (i < NAMES_SHOWN)
			writer_say(run->writer, "%c %s %.*s", differences[i].sign, kind, STR_ARG(name));
	}
	if (count > NAMES_SHOWN)
		writer_say(run->writer, "  and %zu more %ss", count - NAMES_SHOWN, kind);
}

static struct error *list_all(struct night *night, json_t *list)
{
	struct run *run = night->run;
	struct str output = run->config.output;
	struct generation before, after;

	TRY(generation_read_number(run->arena, output, night->before, &before));
	TRY(generation_read_number(run->arena, output, night->result.number, &after));
	list_changes(run, list, "machine", before.manifest, before.machine_count, after.manifest, after.machine_count);
	list_changes(run, list, "set", before.sets, before.set_count, after.sets, after.set_count);
	return NULL;
}

/* Null where there was nothing to compare with, or it can't be read. */
static struct cell say_changes(struct night *night)
{
	struct run *run = night->run;
	bool published = night->result.state == REGENERATED_PUBLISHED;
	json_t *list = json_array();
	struct error *error = published && night->before > 0 ? list_all(night, list) : NULL;
	bool known = error == NULL && (!published || night->before > 0);
	char *text = known ? json_dumps(list, JSON_COMPACT) : NULL;
	struct cell cell = cell_json(text != NULL ? str_copy(run->arena, str_of(text)) : (struct str){NULL, 0});

	free(text);
	json_decref(list);
	/* It is published; that the one before can't be read takes nothing of that away. */
	error_collect(&run->warnings, error);
	return cell;
}

static bool nothing_happened(const struct night *night)
{
	return night->result.state == REGENERATED_UNCHANGED && night->result.mended == 0;
}

static struct error *report(struct night *night)
{
	struct run *run = night->run;
	const char **names = ARENA_ARRAY(run->arena, const char *, OUTCOME_COLUMNS + 1);
	struct cell cells[OUTCOME_COLUMNS + 1];

	memcpy(names, outcome_names, sizeof outcome_names);
	names[OUTCOME_COLUMNS] = "changes";
	outcome_cells(run->arena, &night->result, cells);
	if (!nothing_happened(night))
		writer_say(run->writer, "%.*s", STR_ARG(outcome_line(run->arena, &night->result)));
	else if (!writer_is_json(run->writer))
		run->warnings = NULL; /* what there is to warn of was said in the night of the change */
	cells[OUTCOME_COLUMNS] = say_changes(night);
	writer_columns(run->writer, LAYOUT_SILENT, names, OUTCOME_COLUMNS + 1);
	writer_row(run->writer, cells);
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
