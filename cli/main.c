/* The way in and the way out: arguments, configuration, one command, its answer, the exit code. It decides nothing
 * else. */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli.h"

/* SPEC §6. No default: the compiler finds a kind that is missing. */
static int exit_code(enum error_kind kind)
{
	switch (kind) {
	case ERROR_USAGE:
	case ERROR_INPUT:
	case ERROR_UNKNOWN:
		return 2;
	case ERROR_SURROUNDINGS:
		return 3;
	case ERROR_GUARD:
		return 4;
	}
	return 3;
}

/* What needs no command: the program's help and version. True if that was asked for. */
static bool said_something(struct run *run, const struct globals *globals)
{
	struct buf text = buf_new(run->arena);

	if (globals->version)
		buf_format(&text, "fleetwall %s\n", FLEETWALL_VERSION);
	else if (globals->help && run->command != NULL)
		help_command(&text, run->command);
	else if (globals->help && run->argument_count > 0)
		help_group(&text, run->arguments[0]);
	else if (globals->help)
		help_program(&text);
	if (text.n > 0)
		fwrite(text.p, 1, text.n, stdout);
	return text.n > 0;
}

enum { TRIES = 5 };

/* Runs the command. What another transaction got in the way of (a deadlock, a conflict) left nothing behind, and is
 * tried again. */
static struct error *run_command(struct run *run, const struct globals *globals)
{
	struct error *error;
	bool again;

	for (int i = 0;; i++) {
		run->writer = writer_new(run->arena, globals->json, &globals->style, run->command->name);
		run->warnings = NULL;
		error = run->command->run(run);
		again = error != NULL && run->db != NULL && db_is_retryable(run->db) && i + 1 < TRIES;
		db_close(run->db);
		run->db = NULL;
		if (!again)
			return error;
	}
}

/* What was not there then may be there now, where the hints look. An answer that is empty because all was says so. */
static struct error *as_of_then(struct run *run, struct error *errors)
{
	struct str at = run_option(run, "at");

	if (errors == NULL && run->then_nothing)
		error_collect(&run->warnings,
		              error_hint(error_new(ERROR_INPUT, "as of %.*s there was no machine, role or network",
		                                   STR_ARG(at)),
		                         "fleetwall history tells what there was, and since when"));
	if (errors == NULL || errors->kind != ERROR_UNKNOWN || !run->then)
		return errors;
	for (struct error *error = errors; error != NULL; error = error->next)
		if (!str_starts(error->hint, STR("did you mean")))
			error->hint = STR("fleetwall history tells what there was, and since when");
	return error_in(errors, "as of %.*s", STR_ARG(at));
}

/* *said: the error is in the answer. What standard output did not take is told on standard error. */
static struct error *work(struct run *run, struct globals *globals, int argc, char **argv, bool *said)
{
	struct error *error, *unwritten;

	TRY(arguments_parse(run, globals, argc, argv));
	if (said_something(run, globals))
		return writer_flush();
	run->globals = globals;
	TRY(config_of(run->arena, globals, &run->config));
	error = as_of_then(run, run_command(run, globals));
	if (!globals->json)
		write_warnings(run->arena, run->warnings);
	/* Lines that could not be answered do not take the answers of the others away, nor does a guard the plan. */
	if (error != NULL && !writer_partial(run->writer))
		return error;
	unwritten = writer_end(run->writer, run->warnings, error);
	*said = globals->json && unwritten == NULL;
	globals->json = *said;
	error_collect(&error, unwritten);
	return error;
}

int main(int argc, char **argv)
{
	struct run run = {.arena = arena_new()};
	struct globals globals = {0};
	struct error *error;
	bool said = false;
	int code;

	/* Who closed one of the three gets an empty one: the next file that is opened must not be taken for it. */
	int null = open("/dev/null", O_RDWR);

	while (null >= 0 && null <= STDERR_FILENO)
		null = dup(null);
	(void)close(null);
	arena_keep((size_t)128 << 20);
	/* For the width of characters in tables alone; all else is bytes. */
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	error = work(&run, &globals, argc, argv, &said);
	if (error != NULL && !said)
		write_errors(run.arena, globals.json, error);
	code = error != NULL ? exit_code(error->kind) : run.incomplete ? 2 : run.no ? 1 : 0;
	if (fflush(stdout) != 0 && code == 0)
		code = 3;
	arena_free(run.arena);
	error_forget_all();
	return code;
}
