/* What the editing commands share: the transaction around a change, and the line that says what it did. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/resolve.h"

#include "edit.h"

struct error *edit_begin(struct edit *edit, struct run *run)
{
	*edit = (struct edit){.run = run, .wanted = {.clock = TIME_NONE}};
	TRY(run_connect(run));
	TRY(db_begin(run->db, DB_WRITE));
	TRY(inventory_lock(run->db));
	return inventory_load(run->arena, run->db, &edit->present);
}

size_t edit_touches(struct run *run, const struct fleet *present, const struct plan *plan)
{
	struct fleet after = plan->target;

	after.clock = present->clock;
	return machines_touched(resolve(run->arena, present), resolve(run->arena, &after));
}

static void say_line(struct edit *edit, struct str line)
{
	if (edit->rule_id.p == NULL)
		writer_say(edit->run->writer, "%.*s", STR_ARG(line));
	else if (!writer_is_json(edit->run->writer))
		fprintf(stderr, "%.*s\n", STR_ARG(line));
}

/* "+ machine db1: address + 10.0.0.5; touches 3 machines" */
static void say(struct edit *edit, const struct plan *plan)
{
	static const char *const columns[] = {"sign", "kind", "name", "details", "touches", "rule_id"};
	struct run *run = edit->run;
	size_t machines = edit_touches(run, &edit->present, plan);

	writer_columns(run->writer, LAYOUT_SILENT, columns, 6);
	for (size_t i = 0; i < plan->count; i++) {
		const struct change *change = &plan->changes[i];
		struct buf details = buf_new(run->arena);
		char sign = (char)change->sign;

		for (size_t j = 0; j < change->detail_count; j++)
			buf_format(&details, "%s%.*s", j > 0 ? ", " : ": ", STR_ARG(change->details[j]));
		writer_row(run->writer, (struct cell[]){cell_text(str_copy(run->arena, (struct str){&sign, 1})),
		                                        cell_text(str_of(change->kind)), cell_text(change->name),
		                                        cell_list(change->details, change->detail_count),
		                                        cell_number((int64_t)machines), cell_text(edit->rule_id)});
		if (plan->count <= 3)
			say_line(edit, str_format(run->arena, "%c %s %.*s%.*s; touches %zu machine%s", sign,
			                          change->kind, STR_ARG(change->name), (int)details.n, details.p,
			                          machines, str_plural(machines)));
	}
	if (plan->count > 3)
		say_line(edit, str_format(run->arena, "%zu objects changed; touches %zu machine%s", plan->count,
		                          machines, str_plural(machines)));
	else if (plan->count == 0)
		say_line(edit, STR("nothing to do: the inventory says this already"));
	if (edit->rule_id.p != NULL)
		writer_say(run->writer, "%.*s", STR_ARG(edit->rule_id));
}

struct error *edit_end(struct edit *edit)
{
	struct run *run = edit->run;
	struct plan plan;

	TRY(fleet_normalize(run->arena, &edit->wanted));
	TRY(inventory_plan(run->arena, &edit->present, &edit->wanted, &edit->options, &plan));
	TRY(db_ticket(run->db, run_option(run, "ticket")));
	TRY(inventory_write(run->arena, run->db, &edit->present, &plan));
	TRY(db_commit(run->db));
	say(edit, &plan);
	return NULL;
}

void edit_all(struct edit *edit)
{
	struct arena *arena = edit->run->arena;
	const struct fleet *present = &edit->present;
	struct fleet *wanted = &edit->wanted;

	*wanted = *present;
	wanted->clock = TIME_NONE;
	wanted->machines = ARENA_ARRAY(arena, struct machine, present->machine_count);
	wanted->roles = ARENA_ARRAY(arena, struct role, present->role_count);
	wanted->networks = ARENA_ARRAY(arena, struct network, present->network_count);
	wanted->services = ARENA_ARRAY(arena, struct service, present->service_count);
	memcpy(wanted->machines, present->machines, present->machine_count * sizeof *wanted->machines);
	memcpy(wanted->roles, present->roles, present->role_count * sizeof *wanted->roles);
	memcpy(wanted->networks, present->networks, present->network_count * sizeof *wanted->networks);
	memcpy(wanted->services, present->services, present->service_count * sizeof *wanted->services);
	edit->options.prune = edit->options.every = true;
}

bool edit_gives(const struct run *run, const char *name)
{
	struct str no = str_format(run->arena, "no-%s", name);

	return run_has(run, name) || run_has(run, str_c(run->arena, no));
}

size_t edit_values(const struct run *run, const char *name, struct str **values)
{
	size_t count = 0;

	*values = ARENA_ARRAY(run->arena, struct str, run->option_count);
	for (size_t i = 0; i < run->option_count; i++)
		if (strcmp(run->options[i].option->name, name) == 0)
			(*values)[count++] = run->options[i].value;
	return count;
}

bool edit_named(const struct run *run, struct str name)
{
	return str_among(name, run->arguments, run->argument_count);
}

struct str edit_words(const struct run *run, size_t first)
{
	struct buf words = buf_new(run->arena);

	for (size_t i = first; i < run->argument_count; i++) {
		if (i > first)
			buf_char(&words, ' ');
		buf_add(&words, run->arguments[i]);
	}
	return buf_str(&words);
}

struct error *edit_must(bool there, bool adding, const char *kind, struct str name)
{
	if (there && adding)
		return error_hint(error_new(ERROR_INPUT, "there is a %s \"%.*s\" already", kind, STR_ARG(name)),
		                  "fleetwall %s set changes it", kind);
	if (!there && !adding)
		return error_hint(error_new(ERROR_UNKNOWN, "there is no %s \"%.*s\"", kind, STR_ARG(name)),
		                  "fleetwall %s add makes it", kind);
	return NULL;
}

struct error *edit_machines(struct run *run, const struct fleet *fleet, size_t first, struct str **names, size_t *count)
{
	bool *marked = ARENA_ARRAY(run->arena, bool, fleet->machine_count);
	struct error *errors = NULL;

	for (size_t i = first; i < run->argument_count; i++)
		error_collect(&errors, machines_match(run->arena, fleet, run->arguments[i], marked));
	*names = ARENA_ARRAY(run->arena, struct str, fleet->machine_count);
	*count = 0;
	for (size_t i = 0; i < fleet->machine_count; i++)
		if (marked[i])
			(*names)[(*count)++] = fleet->machines[i].name;
	return errors;
}
