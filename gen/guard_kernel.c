/* The kernel's word before anything is published: forms of lines that it has not taken yet are loaded for real. Keeps
 * the text of what it took; where it lies is the caller's business. */
#include <stdlib.h>
#include <sys/utsname.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/names.h"
#include "fleetwall/process.h"
#include "guard_trial.h"
#include "guards.h"

/* Kernel and programs: what one of them took, another may not. Nothing is started to find out. */
static struct error *read_header(struct arena *arena, struct str *header, struct str *skipped)
{
	static const char *const programs[] = {"iptables-restore", "ip6tables-restore"};
	struct utsname kernel;

	if (uname(&kernel) != 0)
		return error_errno("asking for the kernel's release");
	*header = str_format(arena, "%s %s", kernel.release, kernel.version);
	for (size_t i = 0; i < 2; i++) {
		struct str identity = process_identity(arena, programs[i]);

		if (identity.n == 0)
			*skipped = str_format(arena, "%s is not installed", programs[i]);
		*header = str_format(arena, "%.*s, %.*s", STR_ARG(*header), STR_ARG(identity));
	}
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

static struct form_list only_new(struct arena *arena, const struct form_list *forms, const struct names *known)
{
	struct form_list new = {0};

	for (size_t i = 0; i < forms->count; i++)
		if (names_find(known, forms->items[i]->text) == NAMES_NONE)
			APPEND(arena, &new, forms->items[i]);
	return new;
}

static struct str write_known(struct arena *arena, struct str header, struct names *known,
                              const struct form_list *learned)
{
	struct buf text = buf_new(arena);

	for (size_t i = 0; i < learned->count; i++)
		(void)names_add(known, learned->items[i]->text);
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

static struct form_list forms_of_all(const struct guards *guards)
{
	struct forms **forms = ARENA_ARRAY(guards->arena, struct forms *, guards->count);

	for (unsigned i = 0; i < guards->count; i++)
		forms[i] = guards->workers[i].forms;
	return forms_merge(guards->arena, forms, guards->count);
}

static bool any_sets(const struct form_list *forms)
{
	for (size_t i = 0; i < forms->count; i++)
		if (forms->items[i]->source->sets_list.n > 0)
			return true;
	return false;
}

static struct error *ask(struct trial *trial, const struct form_list *new)
{
	TRY(trial_probe(trial, any_sets(new)));
	if (trial->skipped.n == 0)
		TRY(trial_forms(trial, new));
	if (trial->refused > FINDINGS_MAX)
		error_collect(&trial->refusals, error_new(ERROR_GUARD, "and more"));
	return trial->refusals;
}

struct error *guards_kernel(struct guards *guards, struct str known, struct str *learned, struct str *skipped)
{
	struct arena *arena = guards->arena;
	struct trial trial = {.arena = arena};
	struct str header;

	*learned = known;
	*skipped = STR("");
	TRY(read_header(arena, &header, skipped));
	if (skipped->n > 0)
		return NULL;
	struct names *taken = read_known(arena, known, header);
	struct form_list forms = forms_of_all(guards), new = only_new(arena, &forms, taken);

	if (new.count == 0)
		return NULL;
	TRY(ask(&trial, &new));
	*skipped = trial.skipped;
	if (skipped->n == 0)
		*learned = write_known(arena, header, taken, &new);
	return NULL;
}
