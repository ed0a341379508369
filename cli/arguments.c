/* From argv to a command with its options and arguments. Global options may stand anywhere before "--"; whatever is
 * unknown gets the nearest known word suggested. */
#include <stdio.h>
#include <string.h>

#include "fleetwall/rule.h"

#include "cli.h"

enum { WORDS_MOST = 200, OPTION_SHOWN = 40 };

struct parser {
	struct run *run;
	struct globals *globals;
	char **argv;
	int argc, next;
	bool only_arguments; /* "--" was seen */
};

static const struct option global_options[] = {
	{"config", "FILE", NULL}, {"database", "CONNINFO", NULL}, {"state", "DIR", NULL},   {"output", "DIR", NULL},
	{"json", NULL, NULL},     {"columns", "A,B", NULL},       {"no-headings", NULL, NULL}, {"csv", NULL, NULL},
	{"help", NULL, NULL},     {"version", NULL, NULL},        {NULL, NULL, NULL},
};

bool run_has(const struct run *run, const char *option)
{
	for (size_t i = 0; i < run->option_count; i++)
		if (strcmp(run->options[i].option->name, option) == 0)
			return true;
	return false;
}

struct str run_option(const struct run *run, const char *option)
{
	for (size_t i = run->option_count; i-- > 0;)
		if (strcmp(run->options[i].option->name, option) == 0)
			return run->options[i].value;
	return (struct str){NULL, 0};
}

struct error *run_number(const struct run *run, const char *option, unsigned least, unsigned most, unsigned *number)
{
	struct str text = run_option(run, option);
	uint64_t value;

	if (text.p == NULL)
		return NULL;
	if (!str_number(text, most, &value) || value < least)
		return error_new(ERROR_USAGE, "--%s must be a number from %u to %u, and not \"%.*s\"", option, least,
		                 most, STR_ARG(text));
	*number = (unsigned)value;
	return NULL;
}

static const struct option *option_find(const struct option *options, struct str name)
{
	for (; options != NULL && options->name != NULL; options++)
		if (str_is(name, options->name))
			return options;
	return NULL;
}

static size_t option_names(const struct option *options, struct str *words, size_t count)
{
	for (; options != NULL && options->name != NULL && count < WORDS_MOST; options++)
		words[count++] = str_of(options->name);
	return count;
}

static struct error *option_unknown(const struct parser *parser, struct str name)
{
	struct str words[WORDS_MOST], near;
	const struct command_entry *command = parser->run->command;
	size_t count = option_names(global_options, words, 0);
	struct error *error = error_new(ERROR_USAGE, "there is no option --%.*s%s%s", STR_ARG(name),
	                                command != NULL ? " for fleetwall " : "", command != NULL ? command->name : "");

	if (command != NULL)
		count = option_names(command->options, words, count);
	near = str_nearest(name, words, count);
	if (near.n > 0)
		return error_hint(error, "did you mean --%.*s?", STR_ARG(near));
	return error_hint(error, "fleetwall%s%s --help lists them", command != NULL ? " " : "",
	                  command != NULL ? command->name : "");
}

static void global_set(struct globals *globals, const char *name, struct str value)
{
	if (strcmp(name, "config") == 0)
		globals->config = value;
	else if (strcmp(name, "database") == 0)
		globals->database = value;
	else if (strcmp(name, "state") == 0)
		globals->state = value;
	else if (strcmp(name, "output") == 0)
		globals->output = value;
	else if (strcmp(name, "json") == 0)
		globals->json = true;
	else if (strcmp(name, "columns") == 0)
		globals->style.columns = value;
	else if (strcmp(name, "no-headings") == 0)
		globals->style.no_headings = true;
	else if (strcmp(name, "csv") == 0)
		globals->style.csv = true;
	else if (strcmp(name, "help") == 0)
		globals->help = true;
	else
		globals->version = true;
}

/* The option's value: behind "=", or the next word. */
static struct error *option_value(struct parser *parser, const struct option *option, struct str inside,
                                  bool has_inside, struct str *value)
{
	*value = (struct str){NULL, 0};
	if (option->value == NULL)
		return has_inside ? error_new(ERROR_USAGE, "--%s takes no value", option->name) : NULL;
	if (has_inside) {
		*value = inside;
		return NULL;
	}
	if (parser->next >= parser->argc)
		return error_hint(error_new(ERROR_USAGE, "--%s needs a value", option->name), "--%s %s", option->name,
		                  option->value);
	*value = str_of(parser->argv[parser->next++]);
	return NULL;
}

/* An empty path is most often a shell variable that was never set: the default would be a surprise. So it is with
 * columns. */
static struct error *option_not_empty(const struct option *option, struct str value)
{
	static const char *const kinds[] = {"DIR", "FILE", "A,B"};
	const char *what = option->value;
	bool checked = false;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && what != NULL; i++)
		checked = checked || strcmp(what, kinds[i]) == 0;
	if (value.n > 0 || !checked)
		return NULL;
	return error_hint(error_new(ERROR_USAGE, "--%s is empty", option->name),
	                  "--%s %s, or leave it out", option->name, what);
}

/* Words for people are one line of plain text, which the database keeps so. */
static struct error *option_line(const struct option *option, struct str value)
{
	static const char *const kinds[] = {"WORDS", "TEXT", "TICKET", "OWNER"};
	char name[OPTION_SHOWN];
	bool checked = false;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && option->value != NULL; i++)
		checked = checked || strcmp(option->value, kinds[i]) == 0;
	snprintf(name, sizeof name, "--%s", option->name);
	return checked ? error_at(line_check(value, name), (struct place){.text = value}) : NULL;
}

static struct error *option_take(struct parser *parser, struct str word)
{
	struct run *run = parser->run;
	size_t equals = str_find(word, '=');
	struct str name = str_slice(word, 0, equals), inside = str_slice(word, equals + 1, word.n), value;
	/* The command's own comes first: import has a --csv of its own. */
	const struct option *own = run->command != NULL ? option_find(run->command->options, name) : NULL;
	const struct option *option = own != NULL ? own : option_find(global_options, name);

	if (option == NULL)
		return option_unknown(parser, name);
	TRY(option_value(parser, option, inside, equals < word.n, &value));
	TRY(option_not_empty(option, value));
	TRY(option_line(option, value));
	if (own == NULL)
		global_set(parser->globals, option->name, value);
	else
		run->options[run->option_count++] = (struct given_option){option, value};
	return NULL;
}

/* How many words of `arguments` are the command's name; 0 if they are not. */
static size_t words_matched(const char *name, const struct str *arguments, size_t count)
{
	struct str rest = str_of(name), part;
	size_t n = 0;

	while (str_cut(&rest, ' ', &part)) {
		if (n >= count || !str_eq(part, arguments[n]))
			return 0;
		n++;
	}
	return n;
}

static const struct command_entry *command_find(const struct str *arguments, size_t count, size_t *words)
{
	for (const struct command_entry *command = commands; command->name != NULL; command++) {
		*words = words_matched(command->name, arguments, count);
		if (*words > 0)
			return command;
	}
	return NULL;
}

bool is_group(struct str word)
{
	for (const struct command_entry *command = commands; command->name != NULL; command++) {
		struct str name = str_of(command->name);
		size_t blank = str_find(name, ' ');

		if (blank < name.n && str_eq(str_slice(name, 0, blank), word))
			return true;
	}
	return false;
}

/* Words that may stand at `depth` behind what was given so far. */
static size_t next_words(struct str group, struct str *words)
{
	size_t count = 0;

	for (const struct command_entry *command = commands; command->name != NULL && count < WORDS_MOST; command++) {
		struct str name = str_of(command->name);
		size_t blank = str_find(name, ' ');

		if (group.p == NULL)
			words[count++] = str_slice(name, 0, blank);
		else if (str_eq(str_slice(name, 0, blank), group))
			words[count++] = str_slice(name, blank + 1, name.n);
	}
	return count;
}

static struct error *command_unknown(const struct str *arguments, size_t count)
{
	struct str words[WORDS_MOST], near, word = arguments[0], group = {NULL, 0};
	struct error *error;

	if (is_group(arguments[0])) {
		group = arguments[0];
		if (count == 1)
			return error_hint(error_new(ERROR_USAGE, "fleetwall %.*s what?", STR_ARG(group)),
			                  "fleetwall %.*s --help lists its commands", STR_ARG(group));
		word = arguments[1];
	}
	near = str_nearest(word, words, next_words(group, words));
	error = error_new(ERROR_USAGE, "there is no command \"%.*s%s%.*s\"", STR_ARG(group), group.n > 0 ? " " : "",
	                  STR_ARG(word));
	if (near.n > 0)
		return error_hint(error, "did you mean fleetwall %.*s%s%.*s?", STR_ARG(group), group.n > 0 ? " " : "",
		                  STR_ARG(near));
	return error_hint(error, "fleetwall %.*s%s--help lists the commands", STR_ARG(group), group.n > 0 ? " " : "");
}

/* What the first pass needs to know of an option: whether the next word is its value, and the switches that matter
 * early. */
static bool note_option(struct parser *parser, struct str word)
{
	const struct option *option = option_find(global_options, str_slice(word, 2, word.n));

	if (option == NULL && parser->run->command != NULL)
		option = option_find(parser->run->command->options, str_slice(word, 2, word.n));
	if (str_is(word, "-h") || (option != NULL && strcmp(option->name, "help") == 0))
		parser->globals->help = true;
	if (option != NULL && strcmp(option->name, "json") == 0)
		parser->globals->json = true;
	return option != NULL && option->value != NULL;
}

/* The first pass: the command's words, so that its options are known wherever they stand. A value of a global option is
 * no word. */
static size_t command_words(struct parser *parser, struct str *words, size_t most)
{
	size_t count = 0;

	for (int i = 1; i < parser->argc; i++) {
		struct str word = str_of(parser->argv[i]);

		if (str_is(word, "--"))
			break;
		if (word.n > 1 && word.p[0] == '-')
			i += note_option(parser, word) ? 1 : 0;
		else if (count < most)
			words[count++] = word;
	}
	return count;
}

static struct error *find_command(struct parser *parser, size_t *used)
{
	struct run *run = parser->run;
	struct str words[3];
	size_t count = command_words(parser, words, 3);

	*used = 0;
	if (count == 0)
		return NULL;
	run->command = command_find(words, count, used);
	if (run->command != NULL)
		return NULL;
	if (!parser->globals->help || !is_group(words[0]))
		return command_unknown(words, count);
	run->arguments[run->argument_count++] = words[0];
	return NULL;
}

/* What it takes in place of arguments: its options with a value. */
static struct str valued_options(struct arena *arena, const struct option *option)
{
	struct buf text = buf_new(arena);

	for (; option != NULL && option->name != NULL; option++)
		if (option->value != NULL)
			buf_format(&text, " [--%s %s]", option->name, option->value);
	return text.n > 0 ? buf_str(&text) : STR(" --help");
}

static struct error *check_count(const struct run *run)
{
	struct str takes;

	const struct command_entry *command = run->command;

	if (run->argument_count >= command->least && run->argument_count <= command->most)
		return NULL;
	/* A command that others begin with, and that takes no arguments: its first one was meant as theirs. */
	if (command->most == 0 && is_group(str_of(command->name)))
		return command_unknown((struct str[]){str_of(command->name), run->arguments[0]}, 2);
	takes = command->arguments[0] != '\0' ? str_format(run->arena, " %s", command->arguments)
	                                      : valued_options(run->arena, command->options);
	return error_hint(error_new(ERROR_USAGE, "%s arguments for fleetwall %s",
	                            run->argument_count < command->least ? "too few" : "too many", command->name),
	                  "fleetwall %s%.*s", command->name, STR_ARG(takes));
}

/* How rows look is no option where there are none. */
static struct error *check_style(const struct run *run, const struct style *style)
{
	const char *option = style->csv             ? "csv"
	                     : style->columns.n > 0 ? "columns"
	                     : style->no_headings   ? "no-headings"
	                                            : NULL;

	if (option == NULL || run->command->rows)
		return NULL;
	return error_hint(error_new(ERROR_USAGE, "fleetwall %s has no table, which --%s is about", run->command->name,
	                            option),
	                  "--json is its answer for programs");
}

/* The second pass: options and arguments, without the command's own words. */
static struct error *take_words(struct parser *parser, size_t words_used)
{
	struct run *run = parser->run;
	struct error *errors = NULL;

	for (parser->next = 1; parser->next < parser->argc;) {
		struct str word = str_of(parser->argv[parser->next++]);

		if (!parser->only_arguments && str_is(word, "--"))
			parser->only_arguments = true;
		else if (!parser->only_arguments && str_is(word, "-h"))
			parser->globals->help = true;
		else if (!parser->only_arguments && str_starts(word, STR("--")))
			error_collect(&errors, option_take(parser, str_slice(word, 2, word.n)));
		else if (!parser->only_arguments && word.n > 1 && word.p[0] == '-')
			error_collect(&errors,
			              error_hint(error_new(ERROR_USAGE, "there is no option %.*s", STR_ARG(word)),
			                         "options begin with --; what is no option goes behind \"--\""));
		else if (words_used > 0)
			words_used--;
		else
			run->arguments[run->argument_count++] = word;
	}
	return errors;
}

struct error *arguments_parse(struct run *run, struct globals *globals, int argc, char **argv)
{
	struct parser parser = {.run = run, .globals = globals, .argv = argv, .argc = argc};
	size_t used = 0;

	run->arguments = ARENA_ARRAY(run->arena, struct str, (size_t)argc + 1);
	run->options = ARENA_ARRAY(run->arena, struct given_option, (size_t)argc + 1);
	TRY(find_command(&parser, &used));
	if (run->command == NULL && run->argument_count > 0)
		return NULL; /* help for a group */
	/* Once more, as the values of the command's own options are known now: --reason --help is no question. */
	globals->help = globals->json = false;
	(void)command_words(&parser, NULL, 0);
	TRY(take_words(&parser, used));
	if (globals->help || globals->version)
		return NULL;
	if (run->command == NULL)
		return error_hint(error_new(ERROR_USAGE, "no command was given"),
		                  "fleetwall --help lists the commands");
	TRY(check_style(run, &globals->style));
	return check_count(run);
}
