/* What watch says: a line for what was published, and each trouble once, however often it is met. Decides nothing. */
#include <stdio.h>
#include <time.h>

#include "fleetwall/buf.h"

#include "outcome.h"
#include "watch.h"

void say_open(struct watch *watch)
{
	watch->trouble.arena = arena_new();
	watch->warning.arena = arena_new();
	/* Each tells of something that happened, or was mended. */
	watch->warning.exact = true;
}

void say_close(struct watch *watch)
{
	arena_free(watch->trouble.arena);
	arena_free(watch->warning.arena);
}

/* From now on it was said. */
static bool repeats(struct said *said, const struct error *errors)
{
	struct arena *scratch = arena_new();
	struct buf text = buf_new(scratch);
	struct timespec now;
	bool before;

	clock_gettime(CLOCK_BOOTTIME, &now);
	error_print(&text, STR(""), errors);
	before = said_before(said, buf_str(&text), now.tv_sec);
	arena_free(scratch);
	return before;
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

	said_forget(&watch->trouble);
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
