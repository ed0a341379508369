/* How a push is told: to a terminal one line that moves, and failures as they happen; to a file or a mail a line per
 * event; to programs an object a line. Decides nothing. */
#include "push.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "fleetwall/rule.h"

enum { REDRAW = 100 }; /* milliseconds between two drawings of the line */

static uint64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void push_say_open(struct push_say *say, struct run *run, bool quiet)
{
	bool terminal = isatty(STDERR_FILENO) && !writer_is_json(run->writer);

	*say = (struct push_say){.run = run, .scratch = arena_new(), .began = milliseconds()};
	say->how = quiet ? SAY_NOTHING : terminal ? SAY_TERMINAL : SAY_LINES;
	if (!quiet)
		writer_by_lines(run->writer);
}

/* --- words --- */

static const char *event_name(enum push_event_kind kind)
{
	switch (kind) {
	case PUSH_STARTED:
		return "started";
	case PUSH_CLAIMED:
		return "claimed";
	case PUSH_APPLIED:
		return "applied";
	case PUSH_CONFIRMED:
		return "confirmed";
	case PUSH_UNCHANGED:
		return "unchanged";
	case PUSH_RETRY:
		return "retry";
	case PUSH_FAILED:
		return "failed";
	case PUSH_WARNING:
		return "warning";
	case PUSH_WAVE:
		return "wave";
	case PUSH_DATABASE:
		return "database";
	case PUSH_STOPPED:
		return "stopped";
	case PUSH_DONE:
		return "done";
	}
	return "";
}

/* Is it about one machine that did not do what was wanted? */
static bool is_failure(enum push_event_kind kind)
{
	return kind == PUSH_FAILED || kind == PUSH_RETRY;
}

/* The middle steps are for programs, and for the line that moves. */
static bool worth_a_line(enum push_event_kind kind, enum say_how how)
{
	switch (kind) {
	case PUSH_CLAIMED:
	case PUSH_APPLIED:
		return false;
	case PUSH_CONFIRMED:
	case PUSH_UNCHANGED:
	case PUSH_WAVE:
		return how == SAY_LINES;
	case PUSH_STARTED:
	case PUSH_RETRY:
	case PUSH_FAILED:
	case PUSH_WARNING:
	case PUSH_DATABASE:
	case PUSH_STOPPED:
		return true;
	case PUSH_DONE:
		return false; /* the summary says it */
	}
	return true;
}

static struct str said(struct arena *arena, const struct push_event *event)
{
	const char *name = event_name(event->kind);

	switch (event->kind) {
	case PUSH_STARTED:
		return str_format(arena, "push %llu of generation %llu: %zu machine%s in %u wave%s",
		                  (unsigned long long)event->run, (unsigned long long)event->generation, event->total,
		                  str_plural(event->total), event->waves, str_plural(event->waves));
	case PUSH_WAVE:
		return str_format(arena, "wave %u of %u", event->wave + 1, event->waves);
	case PUSH_CLAIMED:
	case PUSH_APPLIED:
	case PUSH_CONFIRMED:
	case PUSH_UNCHANGED:
		return str_format(arena, "%.*s: %s (%.2f s)", STR_ARG(event->machine), name,
		                  event->milliseconds / 1000.0);
	case PUSH_RETRY:
	case PUSH_FAILED:
		return str_format(arena, "%.*s: %s: %.*s: %.*s", STR_ARG(event->machine),
		                  event->kind == PUSH_RETRY ? "tried again later" : "failed",
		                  STR_ARG(failure_str(event->failure)), STR_ARG(event->message));
	case PUSH_WARNING:
	case PUSH_DATABASE:
	case PUSH_STOPPED:
	case PUSH_DONE:
		return str_format(arena, "%.*s%s%s: %.*s", STR_ARG(event->machine), event->machine.n > 0 ? ": " : "",
		                  name, STR_ARG(event->message));
	}
	return STR("");
}

/* --- a line for programs and files --- */

enum { EVENT_COLUMNS = 16 };
static const char *const event_columns[EVENT_COLUMNS] = {
	"event", "run",   "generation", "machine", "failure", "message", "attempt", "wave",
	"waves", "total", "done",       "failed",  "running", "seconds", "bytes",   "at",
};

static struct cell counted(size_t number)
{
	return cell_number((int64_t)number);
}

static struct error *write_event(struct push_say *say, const struct push_event *event)
{
	struct arena *arena = say->scratch;
	bool timed = event->milliseconds > 0;
	struct buf at = buf_new(arena);

	time_print(&at, time(NULL));
	const struct cell cells[EVENT_COLUMNS] = {
		cell_text(str_of(event_name(event->kind))),
		counted(event->run),
		counted(event->generation),
		cell_some(event->machine),
		is_failure(event->kind) ? cell_text(failure_str(event->failure)) : cell_null(),
		cell_some(event->message),
		counted(event->attempt),
		counted(event->wave + 1),
		counted(event->waves),
		counted(event->total),
		counted(event->done),
		counted(event->failed),
		counted(event->running),
		timed ? cell_json(str_format(arena, "%.3f", event->milliseconds / 1000.0))
		      : cell_null(),
		counted(event->bytes),
		cell_text(buf_str(&at)),
	};

	return writer_line(say->run->writer, event_columns, cells, EVENT_COLUMNS, said(arena, event), NULL);
}

/* --- the line that moves --- */

static void clear_line(void)
{
	fputs("\r\033[K", stderr);
}

static void draw_line(struct push_say *say, bool now)
{
	const struct push_event *last = &say->last;
	uint64_t time = milliseconds(), spent = time - say->began;
	size_t finished = last->done + last->failed, here = finished - say->before;

	if (last->total == 0 || (!now && time - say->drawn < REDRAW))
		return;
	say->drawn = time;
	clear_line();
	fprintf(stderr, "wave %u of %u: %zu of %zu done, %zu failed, %zu running", last->wave + 1, last->waves,
	        last->done, last->total, last->failed, last->running);
	if (here > 0 && finished < last->total) {
		uint64_t left = spent * (last->total - finished) / here / 1000;

		fprintf(stderr, ", about %llu:%02llu left", (unsigned long long)left / 60,
		        (unsigned long long)left % 60);
	}
	(void)fflush(stderr);
}

static void tell_terminal(struct push_say *say, const struct push_event *event)
{
	if (worth_a_line(event->kind, SAY_TERMINAL)) {
		struct str line = said(say->scratch, event);

		clear_line();
		fprintf(stderr, "%.*s\n", STR_ARG(line));
		draw_line(say, true);
	} else {
		draw_line(say, event->kind == PUSH_DONE);
	}
}

void push_say_event(void *context, const struct push_event *event)
{
	struct push_say *say = context;

	if (say->last.total == 0)
		say->before = event->done + event->failed;
	if (event->total > 0)
		say->last = *event;
	if (say->how == SAY_TERMINAL)
		tell_terminal(say, event);
	else if (say->how == SAY_LINES &&
	         (writer_is_json(say->run->writer) || worth_a_line(event->kind, SAY_LINES)) && say->error == NULL)
		say->error = write_event(say, event);
	arena_reset(say->scratch);
}

struct error *push_say_close(struct push_say *say)
{
	if (say->how == SAY_TERMINAL)
		clear_line();
	arena_free(say->scratch);
	return say->error;
}

/* --- the end --- */

struct str push_trouble(struct arena *arena, const struct machine_state *state)
{
	if (state->error.n > 0)
		return str_format(arena, "%.*s: %.*s", STR_ARG(state->error_kind), STR_ARG(state->error));
	if (state->frozen.n > 0)
		return str_format(arena, "frozen: %.*s", STR_ARG(state->frozen));
	return STR("not reached before the run ended");
}

static struct error *write_person(struct run *run, const struct machine_state *state)
{
	static const char *const columns[] = {"event", "machine", "failure", "message", "attempt", "needs_person"};
	const struct cell cells[] = {
		cell_text(STR("left")),        cell_some(state->machine),
		cell_some(state->error_kind), cell_some(state->error),
		counted(state->attempts),      cell_bool(state->needs_person),
	};
	struct str line = str_format(run->arena, "%s %.*s: %.*s", state->needs_person ? "needs a person:" : "left:",
	                             STR_ARG(state->machine), STR_ARG(push_trouble(run->arena, state)));

	return writer_line(run->writer, columns, cells, 6, line, NULL);
}

static const char *run_word(const struct push_result *result)
{
	if (result->interrupted)
		return "interrupted";
	switch (result->run.state) {
	case RUN_RUNNING:
		return "not finished";
	case RUN_DONE:
		return "done";
	case RUN_STOPPED:
		return "stopped";
	case RUN_SUPERSEDED:
		return "superseded";
	}
	return "";
}

struct error *push_summary(struct run *run, const struct push_result *result)
{
	static const char *const columns[] = {"event",     "run",    "generation", "state",  "reason",
	                                      "confirmed", "failed", "skipped",    "waiting"};
	const struct push_run_info *info = &result->run;
	const struct cell cells[] = {
		cell_text(STR("summary")),  counted(info->number), counted(info->generation),
		cell_text(str_of(run_word(result))), cell_some(info->reason), counted(info->confirmed),
		counted(info->failed),      counted(info->skipped), counted(info->waiting + info->claimed),
	};
	struct str line;

	for (size_t i = 0; i < result->people_count; i++)
		TRY(write_person(run, &result->people[i]));
	line = str_format(run->arena,
	                  "push %llu of generation %llu %s%s%.*s: %zu confirmed, %zu failed, %zu skipped, "
	                  "%zu waiting%s",
	                  (unsigned long long)info->number, (unsigned long long)info->generation, run_word(result),
	                  info->reason.n > 0 ? ": " : "", STR_ARG(info->reason), info->confirmed, info->failed,
	                  info->skipped, info->waiting + info->claimed,
	                  result->interrupted && info->waiting > 0 ? "; fleetwall push --resume goes on" : "");
	return writer_line(run->writer, columns, cells, 9, line, NULL);
}
