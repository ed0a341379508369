/* import and export: files on one side, the inventory on the other. */
#include <errno.h>
#include <unistd.h>

#include "fleetwall/document.h"
#include "fleetwall/inventory.h"

#include "cli.h"

static const char *const csv_names[] = {
	"machines.csv", "addresses.csv", "roles.csv", "members.csv", "networks.csv", "services.csv", "rules.csv",
};
enum { CSV_FILES = sizeof csv_names / sizeof *csv_names };

static struct error *read_csv(struct run *run, struct str folder, struct fleet *fleet)
{
	struct csv_file files[CSV_FILES];
	size_t count = 0;

	if (access(str_c(run->arena, folder), X_OK | R_OK) != 0)
		return error_errno("%.*s", STR_ARG(folder));
	for (size_t i = 0; i < CSV_FILES; i++) {
		struct str path = str_format(run->arena, "%.*s/%s", STR_ARG(folder), csv_names[i]);

		if (i > 0 && access(str_c(run->arena, path), F_OK) != 0 && errno == ENOENT)
			continue;
		files[count].name = path;
		TRY(file_read(run->arena, path, &files[count].text));
		count++;
	}
	return csv_read(run->arena, files, count, fleet, &run->warnings);
}

static struct error *read_rules(struct run *run, struct str role, struct str file, struct fleet *fleet)
{
	struct str text;

	TRY(name_check(role, "role"));
	fleet->roles = ARENA_NEW(run->arena, struct role);
	fleet->role_count = 1;
	fleet->clock = TIME_NONE;
	fleet->roles[0] = (struct role){.name = str_lower(run->arena, role), .given = GIVEN_RULES};
	TRY(file_read(run->arena, file, &text));
	return rules_read(run->arena, file, text, &fleet->roles[0].rules, &fleet->roles[0].rule_count, &run->warnings);
}

static struct error *read_source(struct run *run, struct fleet *fleet, struct import_options *options)
{
	struct str text, role = run_option(run, "rules"), folder = run_option(run, "csv");

	if ((folder.p != NULL) == (run->argument_count == 1) || (role.p != NULL && folder.p != NULL))
		return error_hint(error_new(ERROR_USAGE, "one source at a time"),
		                  "fleetwall import FILE, fleetwall import --csv DIR, or fleetwall import --rules ROLE FILE");
	if (folder.p != NULL)
		return read_csv(run, folder, fleet);
	if (role.p != NULL) {
		if (options->prune)
			return error_new(ERROR_USAGE, "--rules adds to a role; --prune does not go with it");
		options->add_rules_to = str_lower(run->arena, role);
		return read_rules(run, role, run->arguments[0], fleet);
	}
	TRY(file_read(run->arena, run->arguments[0], &text));
	return document_read(run->arena, run->arguments[0], text, fleet, &run->warnings);
}

static void show_plan(struct run *run, const struct plan *plan)
{
	static const char *const columns[] = {"sign", "kind", "name", "details"};

	writer_columns(run->writer, LAYOUT_SILENT, columns, 4);
	for (size_t i = 0; i < plan->count; i++) {
		const struct change *change = &plan->changes[i];
		char sign = (char)change->sign;

		writer_row(run->writer, (struct cell[]){cell_text(str_copy(run->arena, (struct str){&sign, 1})), cell_text(str_of(change->kind)),
		                                        cell_text(change->name), cell_list(change->details, change->detail_count)});
		writer_say(run->writer, "%c %s %.*s", sign, change->kind, STR_ARG(change->name));
		for (size_t j = 0; j < change->detail_count; j++)
			writer_say(run->writer, "    %.*s", STR_ARG(change->details[j]));
	}
}

/* What an import did, in one line. */
static void show_counts(struct run *run, const struct plan *plan)
{
	static const char *const columns[] = {"added", "changed", "removed"};
	size_t added = 0, changed = 0, removed = 0;

	for (size_t i = 0; i < plan->count; i++) {
		added += plan->changes[i].sign == CHANGE_ADD;
		changed += plan->changes[i].sign == CHANGE_ALTER;
		removed += plan->changes[i].sign == CHANGE_REMOVE;
	}
	writer_columns(run->writer, LAYOUT_SILENT, columns, 3);
	writer_row(run->writer, (struct cell[]){cell_number((int64_t)added), cell_number((int64_t)changed), cell_number((int64_t)removed)});
	if (plan->count == 0)
		writer_say(run->writer, "nothing to do: the inventory says this already");
	else
		writer_say(run->writer, "imported: %zu added, %zu changed, %zu removed", added, changed, removed);
}

struct error *run_import(struct run *run)
{
	struct import_options options = {.prune = run_has(run, "prune")};
	struct fleet wanted = {0}, present;
	struct plan plan;
	bool dry = run_has(run, "dry-run");

	TRY(read_source(run, &wanted, &options));
	TRY(run_connect(run));
	TRY(db_begin(run->db, dry ? DB_SNAPSHOT : DB_WRITE));
	if (!dry)
		TRY(inventory_lock(run->db));
	TRY(inventory_load(run->arena, run->db, &present));
	TRY(inventory_plan(run->arena, &present, &wanted, &options, &plan));
	if (dry) {
		show_plan(run, &plan);
		run->no = plan.count > 0;
		return db_commit(run->db);
	}
	TRY(inventory_write(run->arena, run->db, &present, &plan));
	TRY(db_commit(run->db));
	show_counts(run, &plan);
	return NULL;
}

struct error *run_export(struct run *run)
{
	struct buf document = buf_new(run->arena);
	struct fleet fleet;

	TRY(run_load(run, &fleet));
	document_write(&document, &fleet);
	writer_raw(run->writer, buf_str(&document));
	return NULL;
}
