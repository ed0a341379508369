/* The kernel's word before anything is published: forms of lines that it has not taken yet are loaded for real. Keeps
 * the text of what it took; where it lies is the caller's business. */
#include <stdlib.h>
#include <sys/utsname.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/guard.h"
#include "fleetwall/names.h"
#include "fleetwall/process.h"
#include "guard_forms.h"
#include "guard_trial.h"

/* Kernel and iptables: what one of them took, another may not. */
static struct error *read_header(struct arena *arena, struct str *header, struct str *skipped)
{
	const char *const argv[] = {"iptables-restore", "--version", NULL};
	struct command command = {.argv = argv};
	struct outcome outcome;
	struct utsname kernel;

	if (uname(&kernel) != 0)
		return error_errno("asking for the kernel's release");
	TRY(process_run(arena, &command, &outcome));
	if (!outcome.started || outcome.status != 0)
		*skipped = STR("iptables-restore is not installed");
	struct str version = str_trim(str_slice(outcome.output, 0, str_find(outcome.output, '\n')));

	*header = str_format(arena, "%s %.*s", kernel.release, STR_ARG(version));
	return NULL;
}

/* The forms of the file, unless they were learned from another kernel. */
static struct names *read_known(struct arena *arena, struct str known, struct str header)
{
	struct names *forms = names_new(arena);
	struct str line;

	if (!str_cut(&known, '\n', &line) || !str_eq(line, header))
		return forms;
	while (str_cut(&known, '\n', &line))
		if (line.n > 0)
			(void)names_add(forms, line);
	return forms;
}

static struct forms only_new(struct arena *arena, const struct forms *forms, const struct names *known)
{
	struct forms new = {0};

	for (size_t i = 0; i < forms->count; i++)
		if (names_find(known, forms->items[i].text) == NAMES_NONE)
			APPEND(arena, &new, forms->items[i]);
	return new;
}

static struct str write_known(struct arena *arena, struct str header, struct names *known, const struct forms *learned)
{
	struct buf text = buf_new(arena);

	for (size_t i = 0; i < learned->count; i++)
		(void)names_add(known, learned->items[i].text);
	size_t count = names_count(known);
	struct str *forms = ARENA_ARRAY(arena, struct str, count);

	for (uint32_t i = 0; i < count; i++)
		forms[i] = names_get(known, i);
	if (count > 0)
		qsort(forms, count, sizeof *forms, str_order);
	buf_add(&text, header);
	buf_char(&text, '\n');
	for (size_t i = 0; i < count; i++) {
		buf_add(&text, forms[i]);
		buf_char(&text, '\n');
	}
	return buf_str(&text);
}

static struct error *ask(struct trial *trial, const struct forms *new, bool all)
{
	if (new->count > 0 || all)
		TRY(trial_probe(trial));
	if (new->count > 0 && trial->skipped.n == 0)
		TRY(trial_forms(trial, new));
	if (all && trial->refused == 0 && trial->skipped.n == 0)
		TRY(trial_rulesets(trial));
	return NULL;
}

struct error *guard_kernel(struct arena *arena, const struct output *output, struct str known, bool all,
                           struct str *learned, struct str *skipped)
{
	struct trial trial = {.arena = arena, .output = output};
	struct str header;

	*learned = known;
	*skipped = STR("");
	TRY(read_header(arena, &header, skipped));
	if (skipped->n > 0)
		return NULL;
	struct names *taken = read_known(arena, known, header);
	struct forms forms = forms_of(arena, output), new = only_new(arena, &forms, taken);

	TRY(ask(&trial, &new, all));
	*skipped = trial.skipped;
	if (trial.refused > REFUSALS_MAX)
		error_collect(&trial.refusals, error_new(ERROR_GUARD, "and more"));
	if (trial.refused == 0 && trial.skipped.n == 0)
		*learned = write_known(arena, header, taken, &new);
	return trial.refusals;
}
