/* nightly: what cron runs, an order of stations. Quiet when nothing happened: cron mails whatever is said, and a mail
 * that comes every night is not read. */
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "fleetwall/store.h"

#include "nightly.h"

enum { NAMES_SHOWN = 20 }; /* of a kind: what a mail can hold */

/* --- one at a time --- */

/* A night that takes longer than a day is not joined by the next one. The lock ends with the process. */
static struct error *lock(struct run *run, int *descriptor)
{
	struct str path = str_format(run->arena, "%.*s/.nightly", STR_ARG(run->config.output));
	struct store *store;

	/* The store knows how its folder is made. */
	TRY(store_open(run->arena, run->config.output, &store));
	store_close(store);
	*descriptor = open(str_c(run->arena, path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*descriptor < 0)
		return error_errno("opening %.*s", STR_ARG(path));
	if (flock(*descriptor, LOCK_EX | LOCK_NB) == 0)
		return NULL;
	return error_hint(error_new(ERROR_GUARD, "another nightly is still at work for %.*s",
	                            STR_ARG(run->config.output)),
	                  "fleetwall status tells how far its push is");
}

/* --- generate --- */

static struct error *make_rulesets(struct night *night)
{
	struct run *run = night->run;
	const struct regenerate_options options = {.verify = true};

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
		writer_say(run->writer, "  and %zu more %s%s", count - NAMES_SHOWN, kind,
		           str_plural(count - NAMES_SHOWN));
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
	return night->result.state == REGENERATED_UNCHANGED && night->result.mended == 0 &&
	       !nightly_push_happened(night);
}

static bool generated(const struct night *night)
{
	return night->result.state == REGENERATED_PUBLISHED || night->result.mended > 0;
}

static void report(struct night *night)
{
	enum { COLUMNS = OUTCOME_COLUMNS + 1 + NIGHTLY_PUSH_COLUMNS };
	struct run *run = night->run;
	const char **names = ARENA_ARRAY(run->arena, const char *, COLUMNS);
	struct cell cells[COLUMNS];

	memcpy(names, outcome_names, sizeof outcome_names);
	names[OUTCOME_COLUMNS] = "changes";
	memcpy(names + OUTCOME_COLUMNS + 1, nightly_push_names, sizeof nightly_push_names);
	outcome_cells(run->arena, &night->result, cells);
	if (generated(night))
		writer_say(run->writer, "%.*s", STR_ARG(outcome_line(run->arena, &night->result)));
	cells[OUTCOME_COLUMNS] = say_changes(night);
	nightly_push_cells(night, cells + OUTCOME_COLUMNS + 1);
	nightly_say_push(night);
	if (nothing_happened(night) && !writer_is_json(run->writer))
		run->warnings = NULL; /* what there is to warn of was said in the night of the change */
	writer_columns(run->writer, LAYOUT_SILENT, names, COLUMNS);
	writer_row(run->writer, cells);
	writer_keep(run->writer);
}

/* --- the night --- */

/* What was made stays made, and is reported, whatever becomes of the push. */
static struct error *work(struct night *night)
{
	struct error *error;

	TRY(run_connect(night->run));
	TRY(make_rulesets(night));
	error = nightly_push_changes(night);
	if (error == NULL)
		error = nightly_look_for_drift(night);
	report(night);
	return error;
}

struct error *run_nightly(struct run *run)
{
	struct night night = {.run = run, .lock = -1};
	struct error *error;

	error = lock(run, &night.lock);
	if (error == NULL)
		error = work(&night);
	if (night.lock >= 0)
		(void)close(night.lock);
	return error;
}
