/* One line of each form, as the kernel sees it: files made of single lines, with the chains and the sets that they need
 * to stand on. */
#include "guard_trial.h"

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/names.h"
#include "guard_lines.h"

/* --- sets --- */

/* Does the ruleset's sets.list name the set's file? */
static bool lists_set(struct str sets_list, struct str file)
{
	struct str line;
	unsigned number = 0;

	while (guard_next_line(&sets_list, &number, &line))
		if (str_eq(line, file))
			return true;
	return false;
}

/* "create fw4-SET …". Of what kind our sets are is settled (SPEC §5); their contents do not matter to a rule. */
static void add_create_line(struct trial *trial, const struct form *form, struct str ipset, struct buf *text)
{
	struct str file = str_format(trial->arena, "%.*s.v%c", STR_ARG(str_slice(ipset, 4, ipset.n)), ipset.p[2]);

	if (lists_set(form->source->sets_list, file))
		buf_format(text, "create %.*s hash:net family %s\n", STR_ARG(ipset),
		           ipset.p[2] == '6' ? "inet6" : "inet");
}

/* Empty sets for the lines of the forms. A set that a ruleset does not list is left to fail. */
static struct str sets_of_forms(struct trial *trial, const struct form_list *forms)
{
	struct names *met = names_new(trial->arena);
	struct buf text = buf_new(trial->arena);

	for (size_t i = 0; i < forms->count; i++) {
		struct words words;

		words_of(form_line(forms->items[i]), &words);
		for (size_t w = 0; w + 1 < words.count; w++) {
			struct str name = words.word[w + 1];
			uint32_t before = names_count(met);

			if (str_is(words.word[w], "--match-set") && name.n > 4 && names_add(met, name) == before)
				add_create_line(trial, forms->items[i], name, &text);
		}
	}
	return buf_str(&text);
}

/* --- one line of each form --- */

static void declare(struct names *met, struct buf *text, struct str chain)
{
	uint32_t before = names_count(met);

	if (chain.n > 0 && names_add(met, chain) == before)
		buf_format(text, ":%.*s %s [0:0]\n", STR_ARG(chain), guard_is_builtin_chain(chain) ? "ACCEPT" : "-");
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
	struct str rules = form->source->rules;

	for (unsigned depth = 0; depth < 8 && chain.n > 0 && !guard_is_builtin_chain(chain); depth++) {
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

	words_of(form_line(form), &words);
	for (size_t w = 0; w + 1 < words.count; w++) {
		struct str option = words.word[w], chain = words.word[w + 1];
		bool home = str_is(option, "-A");

		if (!home && !str_is(option, "-j") && !str_is(option, "-g"))
			continue;
		if (!guard_declares(form->source->rules, chain))
			continue;
		declare(met, declarations, chain);
		if (home)
			reach(trial, met, declarations, jumps, form, chain);
	}
}

/* A rules file of those forms that are of this family; empty if there is none. */
static struct str file_of_forms(struct trial *trial, struct form *const *forms, size_t count, size_t file)
{
	struct names *met = names_new(trial->arena);
	struct buf text = buf_new(trial->arena), lines = buf_new(trial->arena), jumps = buf_new(trial->arena);

	buf_add(&text, STR("*filter\n"));
	for (size_t i = 0; i < count; i++) {
		if (forms[i]->source->file != file)
			continue;
		add_chains(trial, met, &text, &jumps, forms[i]);
		buf_add(&lines, form_line(forms[i]));
		buf_char(&lines, '\n');
	}
	buf_add(&text, buf_str(&jumps));
	buf_add(&text, buf_str(&lines));
	buf_add(&text, STR("COMMIT\n"));
	return lines.n > 0 ? buf_str(&text) : STR("");
}

static void refuse(struct trial *trial, const struct form *form, struct str message)
{
	const struct form_source *source = form->source;
	struct error *error;

	if (++trial->refused > FINDINGS_MAX)
		return;
	error = error_new(ERROR_GUARD, "%.*s: the kernel does not take this line: %.*s",
	                  STR_ARG(guard_who(trial->arena, source->machine, source->machines)), STR_ARG(message));
	error = error_hint(error,
	                   "change the rule or the template; `uname -r` and `iptables --version` tell what was asked");
	error_collect(&trial->refusals,
	              guard_place(error, source->machine, source->file, form->number, form_line(form)));
}

/* Each form by itself; goes on behind one that was refused. */
static struct error *find_refused(struct trial *trial, const struct form_list *forms, struct str sets)
{
	struct command *commands = ARENA_ARRAY(trial->arena, struct command, forms->count + 1);
	struct trial_result result;

	for (size_t from = 0; from < forms->count && trial->refused < FINDINGS_MAX && trial->skipped.n == 0;
	     from += result.done) {
		size_t count = 0;

		commands[count++] = (struct command){.argv = trial_load_sets, .input = sets};
		for (size_t i = from; i < forms->count; i++)
			commands[count++] = (struct command){
				.argv = trial_load_rules[forms->items[i]->source->file],
				.input = file_of_forms(trial, &forms->items[i], 1, forms->items[i]->source->file),
			};
		/* Without sets there may be no ipset. */
		size_t first = sets.n == 0;

		TRY(trial_run(trial, commands + first, count - first, &result));
		if (!result.failed || (result.done == 0 && first == 0))
			return NULL;
		result.done -= 1 - first;
		refuse(trial, forms->items[from + result.done], result.message);
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

struct error *trial_forms(struct trial *trial, const struct form_list *forms)
{
	struct str sets = sets_of_forms(trial, forms);
	struct command commands[3];
	struct trial_result result;
	size_t count = 0;

	if (sets.n > 0)
		commands[count++] = (struct command){.argv = trial_load_sets, .input = sets};
	for (size_t file = 0; file < 2; file++) {
		struct str text = file_of_forms(trial, forms->items, forms->count, file);

		if (text.n > 0)
			commands[count++] = (struct command){.argv = trial_load_rules[file], .input = text};
	}
	TRY(trial_run(trial, commands, count, &result));
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
