/* import and export: files on one side, the inventory on the other. */
#include <unistd.h>

#include "fleetwall/document.h"
#include "fleetwall/foreign.h"
#include "fleetwall/inventory.h"

#include "diff.h"
#include "edit.h"
#include "import_say.h"
#include "takeover.h"

enum { NOTES_ALIKE = 5 }; /* so many are shown to people */

/* A file that is absent leaves its objects alone, also with --prune. */
static bool has_file(const struct csv_file *files, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_ends(files[i].name, name))
			return true;
	return false;
}

static struct error *read_csv(struct run *run, struct str folder, struct fleet *fleet, struct import_options *options)
{
	struct csv_file *files;
	size_t count;

	TRY(csv_folder_read(run->arena, folder, &files, &count, &run->warnings));
	options->keep_roles = !has_file(files, count, STR("/roles.csv"));
	options->keep_networks = !has_file(files, count, STR("/networks.csv"));
	options->keep_services = !has_file(files, count, STR("/services.csv"));
	return csv_read(run->arena, files, count, fleet, &run->warnings);
}

static struct error *read_document(struct run *run, struct str name, struct fleet *fleet)
{
	bool of_csv = access(str_c(run->arena, str_format(run->arena, "%.*s/machines.csv", STR_ARG(name))), F_OK) == 0;
	struct str text;
	struct error *error = run_file(run, &name, &text);

	if (error != NULL)
		return of_csv ? error_hint(error, "a folder of CSV files is imported with --csv") : error;
	return document_read(run->arena, name, text, fleet, &run->warnings);
}

static struct error *read_rules(struct run *run, struct str role, struct str file, struct fleet *fleet)
{
	struct str text;

	if (machine_of_role(str_lower(run->arena, role)).n == 0)
		TRY(name_check(role, "role"));
	fleet->roles = ARENA_NEW(run->arena, struct role);
	fleet->role_count = 1;
	fleet->clock = TIME_NONE;
	fleet->roles[0] = (struct role){.name = str_lower(run->arena, role), .given = GIVEN_RULES};
	TRY(run_file(run, &file, &text));
	return rules_read(run->arena, file, text, &fleet->roles[0].rules, &fleet->roles[0].rule_count, &run->warnings);
}

static struct error *unknown_source(struct str kind)
{
	static const struct str kinds[] = {{"aws", 3}, {"ansible", 7}, {"iptables-save", 13}};
	struct str near = str_nearest(kind, kinds, sizeof kinds / sizeof *kinds);
	struct error *error = error_new(ERROR_USAGE, "there is no source --from %.*s", STR_ARG(kind));

	return near.n > 0 ? error_hint(error, "did you mean --from %.*s?", STR_ARG(near))
	                  : error_hint(error, "it is one of: aws, ansible, iptables-save");
}

static struct error *read_foreign_files(struct run *run, struct foreign_file *files)
{
	struct error *errors = NULL;

	for (size_t i = 0; i < run->argument_count; i++) {
		files[i].name = run->arguments[i];
		error_collect(&errors, run_file(run, &files[i].name, &files[i].text));
	}
	return errors;
}

/* What other systems' tools say: what was left out is a warning each, and makes the exit code 1. */
static struct error *read_foreign(struct run *run, struct str kind, struct fleet *fleet)
{
	struct foreign_file *files = ARENA_ARRAY(run->arena, struct foreign_file, run->argument_count);
	struct foreign_notes notes = {0};
	static const char all_of_them[] = "--json lists them all";
	struct str *variables;
	size_t count = edit_values(run, "address-variable", &variables);
	bool aws = str_is(kind, "aws");
	struct error *error;

	if (!aws && !str_is(kind, "ansible"))
		return unknown_source(kind);
	if (run->argument_count == 0 || (!aws && run->argument_count > 1))
		return error_hint(
			error_new(ERROR_USAGE, "--from %.*s needs %s", STR_ARG(kind), aws ? "files" : "one file"),
			aws ? "those that aws ec2 describe-security-groups, describe-instances and "
			      "describe-network-interfaces print"
			    : "what ansible-inventory --list prints, or - for standard input");
	if (aws && count > 0)
		return error_new(ERROR_USAGE, "--address-variable goes with --from ansible");
	TRY(read_foreign_files(run, files));
	error = aws ? aws_read(run->arena, files, run->argument_count, fleet, &notes)
	            : ansible_read(run->arena, files, variables, count, fleet, &notes);
	run->no = notes.left_out != NULL;
	if (!writer_is_json(run->writer)) {
		error_gather(notes.made_right, NOTES_ALIKE, all_of_them);
		error_gather(notes.left_out, NOTES_ALIKE, all_of_them);
	}
	error_collect(&run->warnings, notes.made_right);
	error_collect(&run->warnings, notes.left_out);
	return error;
}

static struct error *read_source(struct run *run, struct fleet *fleet, struct import_options *options,
                                 struct takeover **takeover)
{
	struct str role = run_option(run, "rules"), folder = run_option(run, "csv"), kind = run_option(run, "from");

	if (str_is(kind, "iptables-save") && role.p == NULL && folder.p == NULL)
		return import_filters(run, takeover);
	if (kind.p != NULL && role.p == NULL && folder.p == NULL)
		return read_foreign(run, kind, fleet);
	if (kind.p != NULL || run_has(run, "address-variable") || run->argument_count > 1 ||
	    (folder.p != NULL) == (run->argument_count == 1) || (role.p != NULL && folder.p != NULL))
		return error_hint(error_new(ERROR_USAGE, "one source at a time"),
		                  "fleetwall import FILE, --csv DIR, --rules ROLE FILE, --from aws FILE…, --from "
		                  "ansible FILE, or --from iptables-save MACHINE=FILE…");
	if (folder.p != NULL)
		return read_csv(run, folder, fleet, options);
	if (role.p != NULL) {
		if (options->prune)
			return error_new(ERROR_USAGE, "--rules adds to a role; --prune does not go with it");
		options->add_rules_to = str_lower(run->arena, role);
		return read_rules(run, role, run->arguments[0], fleet);
	}
	return read_document(run, run->arguments[0], fleet);
}

static void show_plan(struct run *run, const struct plan *plan)
{
	static const char *const columns[] = {"sign", "kind", "name", "details"};

	writer_columns(run->writer, LAYOUT_SILENT, columns, 4);
	for (size_t i = 0; i < plan->count; i++) {
		const struct change *change = &plan->changes[i];
		char sign = (char)change->sign;

		writer_row(run->writer, (struct cell[]){cell_text(str_copy(run->arena, (struct str){&sign, 1})),
		                                        cell_text(str_of(change->kind)), cell_text(change->name),
		                                        cell_list(change->details, change->detail_count)});
		writer_say(run->writer, "%c %s %.*s", sign, change->kind, STR_ARG(change->name));
		for (size_t j = 0; j < change->detail_count; j++)
			writer_say(run->writer, "    %.*s", STR_ARG(change->details[j]));
	}
}

/* A source with faults: names that exist nowhere are told in the same run, where there is an inventory to look into. */
static struct error *with_references(struct run *run, struct error *errors, const struct fleet *wanted)
{
	struct fleet present;

	if (errors->kind == ERROR_INPUT && run_load(run, &present) == NULL)
		error_collect(&errors, fleet_check(run->arena, wanted, &present));
	return errors;
}

/* What it would do to packets, in place of what it would do to rows. */
static struct error *show_meaning(struct run *run, const struct fleet *present, const struct plan *plan)
{
	bool left_out = run->no;

	TRY(diff_fleets(run, present, &plan->target, STR("after the import")));
	run->no = run->no || left_out;
	return NULL;
}

static struct error *show_dry(struct run *run, const struct fleet *present, const struct plan *plan)
{
	TRY(db_commit(run->db));
	if (run_has(run, "meaning"))
		return show_meaning(run, present, plan);
	show_plan(run, plan);
	run->no = run->no || plan->count > 0;
	return NULL;
}

static bool names_nothing(const struct fleet *wanted)
{
	return wanted->machine_count + wanted->role_count + wanted->network_count + wanted->service_count == 0;
}

static const char *source_word(const struct run *run)
{
	return run_has(run, "csv") ? "the folder" : run_has(run, "from") ? "the source" : "the document";
}

struct error *run_import(struct run *run)
{
	struct error *errors;
	bool dry = run_has(run, "dry-run");
	struct import_options options = {.prune = run_has(run, "prune"), .brief = !dry};
	struct takeover *takeover = NULL;
	struct fleet wanted = {0}, present;
	struct plan plan;

	if (run_has(run, "meaning") && !dry)
		return error_hint(error_new(ERROR_USAGE, "--meaning goes with --dry-run"),
		                  "fleetwall import --dry-run --meaning tells what would open and close");
	errors = read_source(run, &wanted, &options, &takeover);
	if (errors != NULL)
		return takeover != NULL ? errors : with_references(run, errors, &wanted);
	if (options.prune && names_nothing(&wanted))
		return error_hint(
			error_new(ERROR_INPUT, "the source names nothing, and --prune would remove everything"),
			"an empty file is mostly one that was not written");
	if (takeover == NULL && names_nothing(&wanted))
		error_collect(&run->warnings, error_new(ERROR_INPUT, "%s names nothing", source_word(run)));
	TRY(run_connect(run));
	TRY(db_begin(run->db, dry ? DB_SNAPSHOT : DB_WRITE));
	if (!dry)
		TRY(inventory_lock(run->db));
	TRY(inventory_load(run->arena, run->db, &present));
	if (takeover != NULL)
		TRY(plan_takeover(run, takeover, &present, &options, &plan));
	else
		TRY(inventory_plan(run->arena, &present, &wanted, &options, &plan));
	import_warn(run, &present, &plan);
	if (dry)
		return show_dry(run, &present, &plan);
	TRY(inventory_write(run->arena, run->db, &present, &plan));
	TRY(db_commit(run->db));
	import_say(run, &present, &plan);
	return NULL;
}

struct error *run_export(struct run *run)
{
	struct buf document = buf_new(run->arena);
	struct str owner = run_option(run, "owner");
	struct fleet fleet, part;

	TRY(run_load(run, &fleet));
	if (owner.p != NULL)
		TRY(document_part(run->arena, &fleet, str_lower(run->arena, owner), &part));
	document_write(&document, owner.p != NULL ? &part : &fleet);
	writer_raw(run->writer, buf_str(&document));
	return NULL;
}
