/* Which forms were met, and where first. First is by the name of the machine, whoever came first: so a refusal names
 * the same line on every run. What is kept of a ruleset is copied, and only where a form's first line stands in it. */
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/names.h"
#include "guard_forms.h"
#include "guard_lines.h"

struct forms *forms_new(struct arena *arena)
{
	struct forms *forms = ARENA_NEW(arena, struct forms);

	forms->arena = arena;
	forms->texts = names_new(arena);
	forms->highest = ARENA_NEW(arena, struct buf);
	*forms->highest = buf_new(arena);
	return forms;
}

void forms_begin(struct forms *forms, const struct ruleset *ruleset)
{
	struct str machine = ruleset->example->name;

	forms->ascends = str_cmp(machine, buf_str(forms->highest)) > 0;
	if (!forms->ascends)
		return;
	forms->highest->n = 0;
	buf_add(forms->highest, machine);
}

/* --- sources --- */

static struct str put(char **at, struct str s)
{
	struct str copy = {*at, s.n};

	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

static void fill_source(struct arena *arena, struct form_source *source, const struct scan *scan)
{
	const struct ruleset *ruleset = scan->ruleset;
	struct str rules = ruleset->rules[scan->file], machine = ruleset->example->name;
	size_t need = machine.n + rules.n + ruleset->sets_list.n;
	char *at;

	if (need > source->capacity) {
		source->capacity = need + need / 2;
		source->bytes = arena_alloc(arena, source->capacity);
	}
	at = source->bytes;
	source->machine = put(&at, machine);
	source->rules = put(&at, rules);
	source->sets_list = put(&at, ruleset->sets_list);
	source->machines = ruleset->machines;
	source->file = scan->file;
}

static struct form_source *source_of(struct forms *forms, const struct scan *scan)
{
	struct form_source *source = forms->spare;

	if (forms->current != NULL)
		return forms->current;
	if (source == NULL)
		source = ARENA_NEW(forms->arena, struct form_source);
	else
		forms->spare = source->next;
	fill_source(forms->arena, source, scan);
	return forms->current = source;
}

static void let_go(struct forms *forms, struct form_source *source)
{
	if (source == NULL || --source->forms > 0)
		return;
	source->next = forms->spare;
	forms->spare = source;
}

/* --- meeting --- */

static bool is_first(const struct form *form, struct str machine, size_t number)
{
	int order = form->source == NULL ? -1 : str_cmp(machine, form->source->machine);

	return order < 0 || (order == 0 && number < form->number);
}

static void note(struct forms *forms, struct form *form, const struct scan *scan, size_t number)
{
	if (!is_first(form, scan->ruleset->example->name, number))
		return;
	struct form_source *source = source_of(forms, scan);

	source->forms++;
	let_go(forms, form->source);
	form->source = source;
	form->number = (unsigned)number;
}

static uint32_t form_with(struct forms *forms, struct str text)
{
	uint32_t number = names_add(forms->texts, text);

	if (number == forms->list.count) {
		struct form *form = ARENA_NEW(forms->arena, struct form);

		form->text = names_get(forms->texts, number);
		APPEND(forms->arena, &forms->list, form);
	}
	return number;
}

static void meet(struct arena *scratch, struct forms *forms, const struct scan *scan, size_t place)
{
	struct known_line *line = scan_line(scan, place);
	struct line_more *more = memo_more(scan->memo, line);

	if (!line->has_form)
		return;
	bool home = more != NULL && scan_declares(scan, more->home);
	bool target = more != NULL && scan_declares(scan, more->target);
	uint32_t *number = more == NULL ? &line->form : &more->forms[2 * home + target];

	if (*number == FORM_NONE) {
		*number = form_with(forms, form_of(scratch, scan->file, scan_text(scan, place), home, target));
		line->quiet = more == NULL && line->kind == LINE_RULE && line->harm == HARM_NONE;
	} else if (forms->ascends)
		return;
	struct form *form = forms->list.items[*number];

	if (form->met != forms->files)
		note(forms, form, scan, place + 1);
	form->met = forms->files;
}

/* Where no form's first line can be in it, the quiet lines of a ruleset need no look. */
void forms_meet(struct arena *scratch, struct forms *forms, const struct scan *scan)
{
	const struct numbers *loud = &scan->loud;

	forms->current = NULL;
	forms->files++;
	if (forms->ascends)
		for (size_t i = 0; i < loud->count; i++)
			meet(scratch, forms, scan, loud->items[i]);
	else
		for (size_t i = 0; i < scan->lines.count; i++)
			meet(scratch, forms, scan, i);
}

/* --- all workers --- */

static int form_order(const void *a, const void *b)
{
	const struct form *const *left = a, *const *right = b;
	const struct form *x = *left, *y = *right;
	int by_machine = str_cmp(x->source->machine, y->source->machine);

	if (by_machine != 0)
		return by_machine;
	if (x->source->file != y->source->file)
		return x->source->file < y->source->file ? -1 : 1;
	return x->number != y->number ? (x->number > y->number) - (x->number < y->number) : str_cmp(x->text, y->text);
}

struct form_list forms_merge(struct arena *arena, struct forms *const *workers, size_t count)
{
	struct names *texts = names_new(arena);
	struct form_list all = {0};

	for (size_t w = 0; w < count; w++)
		for (size_t i = 0; i < workers[w]->list.count; i++) {
			struct form *form = workers[w]->list.items[i];
			uint32_t number = names_add(texts, form->text);

			if (number == all.count)
				APPEND(arena, &all, form);
			else if (is_first(all.items[number], form->source->machine, form->number))
				all.items[number] = form;
		}
	if (all.count > 1)
		qsort(all.items, all.count, sizeof *all.items, form_order);
	return all;
}

struct str form_line(const struct form *form)
{
	struct str rest = form->source->rules, line = STR("");
	unsigned number = 0;

	while (number < form->number && guard_next_line(&rest, &number, &line))
		continue;
	return line;
}
