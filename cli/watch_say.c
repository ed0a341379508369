/* What watch says: a line for what was published, and each trouble once, however often it is met. Decides nothing. */
#include <stdio.h>

#include "fleetwall/buf.h"

#include "outcome.h"
#include "watch.h"

void say_open(struct watch *watch)
{
	watch->trouble.arena = arena_new();
	watch->warning.arena = arena_new();
}

void say_close(struct watch *watch)
{
	arena_free(watch->trouble.arena);
	arena_free(watch->warning.arena);
}

static void forget(struct said *said)
{
	said->text = (struct str){NULL, 0};
	arena_reset(said->arena);
}

/* Was this said last? From now on it was. */
static bool repeats(struct said *said, const struct error *errors)
{
	struct arena *scratch = arena_new();
	struct buf text = buf_new(scratch);
	bool same;

	error_print(&text, STR(""), errors);
	same = said->text.p != NULL && str_eq(buf_str(&text), said->text);
	if (!same) {
		forget(said);
		said->text = str_copy(said->arena, buf_str(&text));
	}
	arena_free(scratch);
	return same;
}

static bool worth_saying(const struct watch *watch, const struct regeneration *result)
{
	return result->state == REGENERATED_PUBLISHED || result->mended > 0 || watch->troubled ||
	       watch->last.number == 0;
}

/* For programs each line has all of its own; for people they are said once. */
void say_warning(struct watch *watch, const struct error *warning)
{
	struct arena *scratch;

	if (warning == NULL || writer_is_json(watch->run->writer) || repeats(&watch->warning, warning))
		return;
	scratch = arena_new();
	write_warnings(scratch, warning);
	arena_free(scratch);
}

struct error *say_outcome(struct watch *watch, const struct regeneration *result)
{
	struct run *run = watch->run;
	struct cell cells[OUTCOME_COLUMNS];

	forget(&watch->trouble);
	say_warning(watch, run->warnings);
	if (!worth_saying(watch, result))
		return NULL;
	outcome_cells(run->arena, result, cells);
	return writer_line(run->writer, outcome_names, cells, OUTCOME_COLUMNS, outcome_line(run->arena, result),
	                   run->warnings);
}

void say_trouble(struct watch *watch, const struct error *error)
{
	struct arena *scratch;

	watch->troubled = true;
	if (repeats(&watch->trouble, error))
		return;
	scratch = arena_new();
	write_errors(scratch, writer_is_json(watch->run->writer), error);
	arena_free(scratch);
	(void)fflush(stdout);
	clearerr(stdout);
}
