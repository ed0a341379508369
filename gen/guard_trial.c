/* Trials: files made of single lines, or whole rulesets, given to the very programs that load them, in a network
 * namespace that is thrown away. What the kernel says is its last word; --test would not do (it takes MASQUERADE in
 * INPUT, and jumps to chains that do not exist). */
#include "guard_trial.h"

#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/error.h"
#include "fleetwall/names.h"
#include "fleetwall/process.h"
#include "guard_lines.h"

static const char *const load_sets[] = {"ipset", "-exist", "restore", NULL};
static const char *const load_rules[2][2] = {{"iptables-restore", NULL}, {"ip6tables-restore", NULL}};

enum { BATCH = 64 }; /* whole rulesets in one namespace */

/* What came of a list of commands: how many went well, and what the next one said. */
struct result {
	size_t done;
	bool failed;
	unsigned line; /* of its input, where the message names one */
	struct str message;
};

/* The tools' own advice helps nobody here. */
static bool is_noise(struct str line)
{
	return line.n == 0 || str_starts(line, STR("Try `")) || str_starts(line, STR("Error occurred at line"));
}

/* "line 17: …" or "line 17 failed" in what iptables-restore says: 17; 0 where it names none. */
static unsigned line_of_message(struct str message)
{
	for (size_t i = 0; i < message.n; i++) {
		struct str rest = str_slice(message, i, message.n);
		uint64_t number;

		if (!str_starts(rest, STR("line ")) && !str_starts(rest, STR("line: ")))
			continue;
		rest = str_trim(str_slice(rest, 5, rest.n));
		size_t digits = 0;

		while (digits < rest.n && rest.p[digits] >= '0' && rest.p[digits] <= '9')
			digits++;
		if (str_number(str_slice(rest, 0, digits), 1000000, &number))
			return (unsigned)number;
	}
	return 0;
}

/* Without the "line 17: " at its start: the number is one of a file that nobody sees, or it is shown as a place. */
static struct str without_line(struct str line)
{
	size_t colon = str_find(line, ':');

	if (!str_starts(line, STR("line ")) || line_of_message(str_slice(line, 0, colon)) == 0)
		return line;
	return str_trim(str_slice(line, colon + 1, line.n));
}

/* One line of what a tool wrote in several. */
static struct str flatten(struct arena *arena, struct str text)
{
	struct buf buf = buf_new(arena);
	struct str line;

	while (str_cut(&text, '\n', &line)) {
		line = without_line(str_trim(line));
		if (is_noise(line))
			continue;
		if (buf.n > 0)
			buf_char(&buf, ' ');
		buf_add(&buf, line);
	}
	return buf.n > 0 ? buf_str(&buf) : STR("it says nothing");
}

/* Runs the commands until one fails. A program that is missing, or no namespace, ends all trials. */
static struct error *run(struct trial *trial, const struct command *commands, size_t count, struct result *result)
{
	struct outcome *outcomes = ARENA_ARRAY(trial->arena, struct outcome, count);
	size_t ran = 0;
	bool permitted = false;

	*result = (struct result){0};
	TRY(process_run_apart(trial->arena, commands, count, outcomes, &ran, &permitted));
	if (!permitted || ran == 0) {
		trial->skipped = STR("no network namespace can be made here");
		return NULL;
	}
	const struct outcome *last = &outcomes[ran - 1];

	if (!last->started) {
		trial->skipped = str_format(trial->arena, "%s is not installed", commands[ran - 1].argv[0]);
		return NULL;
	}
	result->failed = last->status != 0;
	result->done = result->failed ? ran - 1 : ran;
	result->line = line_of_message(last->errors);
	result->message = flatten(trial->arena, last->errors.n > 0 ? last->errors : last->output);
	return NULL;
}

/* A kernel that takes not even an empty table says nothing about rules. */
struct error *trial_probe(struct trial *trial)
{
	struct str table = STR("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n");
	struct command commands[] = {
		{.argv = load_rules[0], .input = table},
		{.argv = load_rules[1], .input = table},
		{.argv = load_sets, .input = STR("create fleetwall-probe hash:net\n")},
	};
	struct result result;

	TRY(run(trial, commands, trial->output->set_count > 0 ? 3 : 2, &result));
	if (result.failed)
		trial->skipped = str_format(trial->arena, "%s does not work in a namespace here: %.*s",
		                            commands[result.done].argv[0], STR_ARG(result.message));
	return NULL;
}

/* --- sets --- */

static int set_order(const void *name, const void *set)
{
	return str_cmp(*(const struct str *)name, ((const struct set_file *)set)->name);
}

static const struct set_file *find_set(const struct output *output, struct str file)
{
	if (output->set_count == 0)
		return NULL;
	return bsearch(&file, output->sets, output->set_count, sizeof *output->sets, set_order);
}

/* The line of a set's file that makes the set that rules name: "create fw4-SET …". */
static void add_create_line(struct trial *trial, struct str ipset, struct buf *text)
{
	struct str file = str_format(trial->arena, "%.*s.v%c", STR_ARG(str_slice(ipset, 4, ipset.n)), ipset.p[2]);
	struct str create = str_format(trial->arena, "create %.*s ", STR_ARG(ipset)), line;
	const struct set_file *set = find_set(trial->output, file);
	unsigned number = 0;

	if (set == NULL)
		return;
	for (struct str rest = set->bytes; guard_next_line(&rest, &number, &line);)
		if (str_starts(line, create)) {
			buf_add(text, line);
			buf_char(text, '\n');
			return;
		}
}

/* Empty sets for the lines of the forms. A set that the output does not have is left to fail. */
static struct str sets_of_forms(struct trial *trial, const struct forms *forms)
{
	struct names *met = names_new(trial->arena);
	struct buf text = buf_new(trial->arena);

	for (size_t i = 0; i < forms->count; i++) {
		struct words words;

		words_of(forms->items[i].line, &words);
		for (size_t w = 0; w + 1 < words.count; w++) {
			struct str name = words.word[w + 1];
			uint32_t before = names_count(met);

			if (str_is(words.word[w], "--match-set") && name.n > 4 && names_add(met, name) == before)
				add_create_line(trial, name, &text);
		}
	}
	return buf_str(&text);
}

/* --- one line of each form --- */

static bool is_builtin(struct str chain)
{
	return str_is(chain, "INPUT") || str_is(chain, "OUTPUT") || str_is(chain, "FORWARD");
}

static void declare(struct names *met, struct buf *text, struct str chain)
{
	uint32_t before = names_count(met);

	if (chain.n > 0 && names_add(met, chain) == before)
		buf_format(text, ":%.*s %s [0:0]\n", STR_ARG(chain), is_builtin(chain) ? "ACCEPT" : "-");
}

/* Does the line jump to the chain? */
static bool jumps_to(struct str line, struct str chain)
{
	struct words words;

	words_of(line, &words);
	for (size_t w = 0; w + 1 < words.count; w++)
		if ((str_is(words.word[w], "-j") || str_is(words.word[w], "-g")) && str_eq(words.word[w + 1], chain))
			return true;
	return false;
}

/* From where the file comes to this chain; empty if from nowhere. The two chains of the mode coexist are jumped to by
 * lines of the machine's own. */
static struct str parent_of(struct str rules, struct str chain)
{
	struct str line;
	unsigned number = 0;

	if (str_is(chain, "fleetwall-input"))
		return STR("INPUT");
	if (str_is(chain, "fleetwall-output"))
		return STR("OUTPUT");
	while (guard_next_line(&rules, &number, &line))
		if (str_starts(line, STR("-A ")) && jumps_to(line, chain))
			return str_slice(line, 3, 3 + str_find(str_slice(line, 3, line.n), ' '));
	return STR("");
}

/* What a line may do depends on the hooks that it is reached from, so its chain is made reachable as it is in its own
 * file. */
static void reach(struct trial *trial, struct names *met, struct buf *declarations, struct buf *jumps,
                  const struct form *form, struct str chain)
{
	struct str rules = form->ruleset->rules[form->file];

	for (unsigned depth = 0; depth < 8 && chain.n > 0 && !is_builtin(chain); depth++) {
		struct str parent = parent_of(rules, chain);
		struct str jump = str_format(trial->arena, "-A %.*s -j %.*s\n", STR_ARG(parent), STR_ARG(chain));

		declare(met, declarations, parent);
		uint32_t before = names_count(met);

		if (parent.n > 0 && names_add(met, jump) == before)
			buf_add(jumps, jump);
		chain = parent;
	}
}

/* The chains that a line names, if its own file declares them: what is declared nowhere must fail here, too. */
static void add_chains(struct trial *trial, struct names *met, struct buf *declarations, struct buf *jumps,
                       const struct form *form)
{
	struct words words;
	struct str policy;

	words_of(form->line, &words);
	for (size_t w = 0; w + 1 < words.count; w++) {
		struct str option = words.word[w], chain = words.word[w + 1];
		bool home = str_is(option, "-A");

		if (!home && !str_is(option, "-j") && !str_is(option, "-g"))
			continue;
		if (!guard_declares(form->ruleset->rules[form->file], chain, &policy))
			continue;
		declare(met, declarations, chain);
		if (home)
			reach(trial, met, declarations, jumps, form, chain);
	}
}

/* A rules file of those forms that are of this family; empty if there is none. */
static struct str file_of_forms(struct trial *trial, const struct form *forms, size_t count, size_t file)
{
	struct names *met = names_new(trial->arena);
	struct buf text = buf_new(trial->arena), lines = buf_new(trial->arena), jumps = buf_new(trial->arena);

	buf_add(&text, STR("*filter\n"));
	for (size_t i = 0; i < count; i++) {
		if (forms[i].file != file)
			continue;
		add_chains(trial, met, &text, &jumps, &forms[i]);
		buf_add(&lines, forms[i].line);
		buf_char(&lines, '\n');
	}
	buf_add(&text, buf_str(&jumps));
	buf_add(&text, buf_str(&lines));
	buf_add(&text, STR("COMMIT\n"));
	return lines.n > 0 ? buf_str(&text) : STR("");
}

static void refuse(struct trial *trial, const struct form *form, struct str message)
{
	struct error *error;

	if (++trial->refused > REFUSALS_MAX)
		return;
	error = error_new(ERROR_GUARD, "%.*s: the kernel does not take this line: %.*s",
	                  STR_ARG(guard_who(trial->arena, trial->output, form->ruleset)), STR_ARG(message));
	error = error_hint(error,
	                   "change the rule or the template; `uname -r` and `iptables --version` tell what was asked");
	error_collect(&trial->refusals, guard_place(error, form->ruleset, form->file, form->number, form->line));
}

/* Each form by itself; goes on behind one that was refused. */
static struct error *find_refused(struct trial *trial, const struct forms *forms, struct str sets)
{
	struct command *commands = ARENA_ARRAY(trial->arena, struct command, forms->count + 1);
	struct result result;

	for (size_t from = 0; from < forms->count && trial->refused < REFUSALS_MAX && trial->skipped.n == 0;
	     from += result.done) {
		size_t count = 0;

		commands[count++] = (struct command){.argv = load_sets, .input = sets};
		for (size_t i = from; i < forms->count; i++)
			commands[count++] = (struct command){
				.argv = load_rules[forms->items[i].file],
				.input = file_of_forms(trial, &forms->items[i], 1, forms->items[i].file),
			};
		/* Without sets there may be no ipset. */
		size_t first = sets.n == 0;

		TRY(run(trial, commands + first, count - first, &result));
		if (!result.failed || (result.done == 0 && first == 0))
			return NULL;
		result.done -= 1 - first;
		refuse(trial, &forms->items[from + result.done], result.message);
		result.done++;
	}
	return NULL;
}

/* No line alone is to blame. */
static struct error *refused_together(struct str what, struct str message)
{
	return error_hint(
		error_new(ERROR_GUARD, "the kernel does not take %.*s: %.*s", STR_ARG(what), STR_ARG(message)),
		"generate --try-all names the machine");
}

struct error *trial_forms(struct trial *trial, const struct forms *forms)
{
	struct str sets = sets_of_forms(trial, forms);
	struct command commands[3];
	struct result result;
	size_t count = 0;

	if (sets.n > 0)
		commands[count++] = (struct command){.argv = load_sets, .input = sets};
	for (size_t file = 0; file < 2; file++) {
		struct str text = file_of_forms(trial, forms->items, forms->count, file);

		if (text.n > 0)
			commands[count++] = (struct command){.argv = load_rules[file], .input = text};
	}
	TRY(run(trial, commands, count, &result));
	if (!result.failed || trial->skipped.n > 0)
		return NULL;
	if (result.done == 0 && sets.n > 0) {
		trial->refused++;
		error_collect(&trial->refusals, refused_together(STR("the sets of the rules"), result.message));
		return NULL;
	}
	TRY(find_refused(trial, forms, sets));
	if (trial->refused == 0 && trial->skipped.n == 0) {
		trial->refused++;
		error_collect(&trial->refusals,
		              refused_together(STR("the lines of the rules together"), result.message));
	}
	return NULL;
}

/* --- whole rulesets --- */

/* The contents of the sets that rulesets [from, to) name. */
static struct str sets_of_rulesets(struct trial *trial, struct arena *scratch, size_t from, size_t to)
{
	struct names *met = names_new(scratch);
	struct buf text = buf_new(scratch);

	for (size_t i = from; i < to; i++) {
		struct str rest = trial->output->rulesets[i]->sets_list, name;
		unsigned number = 0;

		while (guard_next_line(&rest, &number, &name)) {
			const struct set_file *set = find_set(trial->output, name);
			uint32_t before = names_count(met);

			if (set != NULL && names_add(met, name) == before)
				buf_add(&text, set->bytes);
		}
	}
	return buf_str(&text);
}

/* The legacy backend names COMMIT, where it failed as a whole: then there is no line to show. */
static struct str line_at(struct str rules, unsigned wanted)
{
	struct str line;
	unsigned number = 0;

	while (guard_next_line(&rules, &number, &line))
		if (number == wanted)
			return str_starts(line, STR("-A")) ? line : STR("");
	return STR("");
}

static void refuse_ruleset(struct trial *trial, const struct ruleset *ruleset, size_t file, const struct result *result)
{
	struct form form = {.ruleset = ruleset, .file = file, .number = result->line};
	struct str who = guard_who(trial->arena, trial->output, ruleset), name = guard_file_name(file);

	form.line = line_at(ruleset->rules[file], form.number);
	if (form.line.n > 0) {
		refuse(trial, &form, result->message);
		return;
	}
	if (++trial->refused <= REFUSALS_MAX)
		error_collect(&trial->refusals,
		              error_hint(error_new(ERROR_GUARD, "%.*s: the kernel does not take %.*s: %.*s",
		                                   STR_ARG(who), STR_ARG(name), STR_ARG(result->message)),
		                         "change the rule or the template"));
}

/* Rulesets [from, to); *next is where to go on. Each load replaces the table of the one before. */
static struct error *try_batch(struct trial *trial, struct arena *scratch, size_t from, size_t to, size_t *next)
{
	struct command commands[1 + 2 * BATCH];
	struct str sets = sets_of_rulesets(trial, scratch, from, to);
	struct result result;
	size_t count = 0, first;

	if (sets.n > 0)
		commands[count++] = (struct command){.argv = load_sets, .input = sets};
	first = count;
	for (size_t i = from; i < to; i++)
		for (size_t file = 0; file < 2; file++)
			commands[count++] = (struct command){.argv = load_rules[file],
			                                     .input = trial->output->rulesets[i]->rules[file]};
	TRY(run(trial, commands, count, &result));
	*next = to;
	if (!result.failed || trial->skipped.n > 0)
		return NULL;
	if (result.done < first) {
		trial->refused++;
		error_collect(&trial->refusals, refused_together(STR("the contents of the sets"), result.message));
		return NULL;
	}
	size_t index = from + (result.done - first) / 2;

	refuse_ruleset(trial, trial->output->rulesets[index], (result.done - first) % 2, &result);
	*next = index + 1;
	return NULL;
}

struct error *trial_rulesets(struct trial *trial)
{
	struct arena *scratch = arena_new();
	struct error *error = NULL;
	size_t count = trial->output->ruleset_count;

	for (size_t at = 0; at < count && error == NULL && trial->skipped.n == 0 && trial->refused < REFUSALS_MAX;) {
		error = try_batch(trial, scratch, at, count - at < BATCH ? count : at + BATCH, &at);
		arena_reset(scratch);
	}
	arena_free(scratch);
	return error;
}
