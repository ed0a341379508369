/* What an import says of itself: sums, names of what went, and a warning where it takes so much that it may not be
 * meant. Decides nothing. */
#include "import_say.h"

#include "edit.h"

enum { NAMES_SHOWN = 10, MANY = 10 };

struct counts {
	size_t added, changed, removed;
};

static struct counts count(const struct plan *plan)
{
	struct counts counts = {0};

	for (size_t i = 0; i < plan->count; i++) {
		counts.added += plan->changes[i].sign == CHANGE_ADD;
		counts.changed += plan->changes[i].sign == CHANGE_ALTER;
		counts.removed += plan->changes[i].sign == CHANGE_REMOVE;
	}
	return counts;
}

/* "machine a", "role b". */
static struct str *names_of_removed(struct run *run, const struct plan *plan, size_t removed)
{
	struct str *names = ARENA_ARRAY(run->arena, struct str, removed);
	size_t used = 0;

	for (size_t i = 0; i < plan->count; i++)
		if (plan->changes[i].sign == CHANGE_REMOVE)
			names[used++] = str_format(run->arena, "%s %.*s", plan->changes[i].kind,
			                           STR_ARG(plan->changes[i].name));
	return names;
}

static void say_removed(struct run *run, const struct str *names, size_t removed)
{
	struct buf line = buf_new(run->arena);

	for (size_t i = 0; i < removed && i < NAMES_SHOWN; i++)
		buf_format(&line, "%s%.*s", i > 0 ? ", " : "", STR_ARG(names[i]));
	if (removed > NAMES_SHOWN)
		buf_format(&line, ", and %zu more", removed - NAMES_SHOWN);
	if (removed > 0)
		writer_say(run->writer, "removed: %.*s", (int)line.n, line.p);
}

/* "members +1 -2, "; nothing where nothing came or went. */
static void add_sum(struct buf *line, const char *what, size_t added, size_t removed)
{
	if (added + removed == 0)
		return;
	buf_format(line, "%s%s", line->n > 0 ? ", " : "", what);
	if (added > 0)
		buf_format(line, " +%zu", added);
	if (removed > 0)
		buf_format(line, " -%zu", removed);
}

static void say(struct run *run, const struct counts *counts, const struct plan_sums *sums, size_t machines)
{
	struct buf line = buf_new(run->arena);

	add_sum(&line, "members", sums->members_added, sums->members_removed);
	add_sum(&line, "addresses", sums->addresses_added, sums->addresses_removed);
	add_sum(&line, "rules", sums->rules_added, sums->rules_removed);
	writer_say(run->writer, "imported: %zu added, %zu changed, %zu removed%s%.*s; touches %zu machine%s",
	           counts->added, counts->changed, counts->removed, line.n > 0 ? "; " : "", (int)line.n, line.p,
	           machines, str_plural(machines));
}

void import_say(struct run *run, const struct fleet *present, const struct plan *plan)
{
	static const char *const columns[] = {"added",           "changed",       "removed",
	                                      "members_added",   "members_removed", "addresses_added",
	                                      "addresses_removed", "rules_added", "rules_removed",
	                                      "touches",         "removed_names"};
	const struct counts counts = count(plan);
	const struct plan_sums sums = inventory_sums(present, plan);
	struct str *names = names_of_removed(run, plan, counts.removed);
	size_t machines = plan->count > 0 ? edit_touches(run, present, plan) : 0;

	writer_columns(run->writer, LAYOUT_SILENT, columns, 11);
	writer_row(run->writer, (struct cell[]){
					cell_number((int64_t)counts.added),
					cell_number((int64_t)counts.changed),
					cell_number((int64_t)counts.removed),
					cell_number((int64_t)sums.members_added),
					cell_number((int64_t)sums.members_removed),
					cell_number((int64_t)sums.addresses_added),
					cell_number((int64_t)sums.addresses_removed),
					cell_number((int64_t)sums.rules_added),
					cell_number((int64_t)sums.rules_removed),
					cell_number((int64_t)machines),
					cell_list(names, counts.removed),
				});
	if (plan->count == 0)
		writer_say(run->writer, "nothing to do: the inventory says this already");
	else
		say(run, &counts, &sums, machines);
	say_removed(run, names, counts.removed);
}

/* A source that says nothing of roles where others did is mostly one of the wrong form. */
void import_warn(struct run *run, const struct fleet *present, const struct plan *plan)
{
	const struct plan_sums sums = inventory_sums(present, plan);

	if (sums.bared < 2 || (sums.bared < MANY && sums.bared * 2 < sums.with_roles))
		return;
	error_collect(&run->warnings,
	              error_hint(error_new(ERROR_INPUT, "%zu of %zu machines with roles lose all of them", sums.bared,
	                                   sums.with_roles),
	                         "import --dry-run shows each; fleetwall undo takes an import back"));
}
