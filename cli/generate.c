/* generate: an order of stations. Load one snapshot, resolve, make the rulesets, ask the guards, write objects, record
 * the generation, publish. Nothing is published before all of that holds. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/document.h"
#include "fleetwall/embedded.h"
#include "fleetwall/inventory.h"

#include "generate.h"

struct file_list {
	struct template_file *items;
	size_t count, capacity;
};

static struct error *read_folder(struct run *run, struct str folder, struct file_list *files)
{
	struct dirent *entry;
	DIR *dir = opendir(str_c(run->arena, folder));
	struct error *error = NULL;

	if (dir == NULL)
		return error_errno("templates %.*s", STR_ARG(folder));
	while (error == NULL && (entry = readdir(dir)) != NULL) {
		struct template_file file = {.name = str_copy(run->arena, str_of(entry->d_name))};

		if (!str_ends(file.name, STR(".mustache")) || entry->d_name[0] == '.')
			continue;
		error = file_read(run->arena, str_format(run->arena, "%.*s/%s", STR_ARG(folder), entry->d_name),
		                  &file.text);
		APPEND(run->arena, files, file);
	}
	closedir(dir);
	return error;
}

static bool has_template(const struct file_list *files, const char *name)
{
	for (size_t i = 0; i < files->count; i++)
		if (str_is(files->items[i].name, name))
			return true;
	return false;
}

/* The administrator's templates, and the built-in ones that they do not replace. */
static struct error *read_templates(struct run *run, struct file_list *files)
{
	struct str folder = run_has(run, "templates") ? run_option(run, "templates") : run->config.templates;

	if (folder.n > 0)
		TRY(read_folder(run, folder, files));
	for (const struct embedded *file = embedded_templates; file->name != NULL; file++)
		if (!has_template(files, file->name))
			APPEND(run->arena, files,
			       ((struct template_file){str_of(file->name), {(const char *)file->data, file->size}}));
	return NULL;
}

static struct error *load(struct job *job)
{
	struct run *run = job->run;

	TRY(db_begin(run->db, DB_SNAPSHOT));
	TRY(inventory_load(run->arena, run->db, &job->fleet));
	return db_commit(run->db);
}

static void sum_up(struct job *job, struct summary *summary)
{
	struct arena *arena = job->run->arena;

	*summary = (struct summary){
		.clock = job->fleet.clock, .machines = job->fleet.machine_count, .role_count = job->fleet.role_count};
	summary->roles = ARENA_ARRAY(arena, struct role_size, summary->role_count);
	for (size_t i = 0; i < job->fleet.role_count; i++)
		summary->roles[i] = (struct role_size){job->fleet.roles[i].name, job->resolved->roles[i].member_count};
	for (size_t i = 0; i < job->fleet.machine_count; i++) {
		const struct resolved_machine *machine = &job->resolved->machines[i];

		for (size_t j = 0; machine_has_ruleset(machine->machine) && j < machine->role_count; j++)
			summary->rules += job->resolved->roles[machine->roles[j]].rule_count;
	}
}

static struct error *make(struct job *job)
{
	struct run *run = job->run;
	struct templates *templates;
	struct file_list files = {0};
	struct summary summary;

	TRY(read_templates(run, &files));
	TRY(templates_compile(run->arena, files.items, files.count, &templates));
	job->resolved = resolve(run->arena, &job->fleet);
	TRY(rulesets_make(run->arena, job->resolved, &run->config.settings, templates, &job->output));
	sum_up(job, &summary);
	generation_of(run->arena, &job->output, &summary, &job->next);
	return only_some(job);
}

/* --- guards --- */

static struct str forms_path(const struct run *run)
{
	return str_format(run->arena, "%.*s/kernel-forms", STR_ARG(run->config.state));
}

/* What the kernel took before is a cache: when it can't be kept, the next run asks again. */
static void keep_forms(struct run *run, struct str forms)
{
	struct str path = forms_path(run), fresh = str_format(run->arena, "%.*s.%ld", STR_ARG(path), (long)getpid());
	FILE *file;
	bool good;

	if (mkdir(str_c(run->arena, run->config.state), 0755) != 0 && errno != EEXIST)
		return;
	file = fopen(str_c(run->arena, fresh), "wxe");
	if (file == NULL)
		return;
	good = fwrite(forms.p, 1, forms.n, file) == forms.n;
	good &= fclose(file) == 0;
	if (!good || rename(str_c(run->arena, fresh), str_c(run->arena, path)) != 0)
		unlink(str_c(run->arena, fresh));
}

static struct error *ask_kernel(struct job *job)
{
	struct run *run = job->run;
	struct str known = {NULL, 0}, learned = {NULL, 0}, skipped = {NULL, 0};

	/* It is a cache: what can't be read is asked again. */
	if (file_read(run->arena, forms_path(run), &known) != NULL)
		known = (struct str){NULL, 0};
	TRY(guard_kernel(run->arena, &job->output, known, run_has(run, "try-all"), &learned, &skipped));
	if (skipped.n > 0)
		error_collect(&run->warnings,
		              error_hint(error_new(ERROR_GUARD, "the kernel was not asked: %.*s", STR_ARG(skipped)),
		                         "the rules were not loaded for real before publishing"));
	else if (!str_eq(known, learned))
		keep_forms(run, learned);
	return NULL;
}

static struct error *ask_guards(struct job *job)
{
	struct run *run = job->run;
	struct error *errors = NULL;

	if (run->config.settings.management_count == 0)
		error_collect(&run->warnings, error_hint(error_new(ERROR_GUARD, "no management sources are configured"),
		                                         "in /etc/fleetwall/fleetwall.conf, or the file of --config: "
		                                         "management = [ \"ADDRESS\", … ]"));
	/* Where nothing would be published, there is nothing to stop. */
	if (job->published.number > 0 && !run_has(run, "force") && !generation_same(&job->published, &job->next))
		error_collect(&errors,
		              guard_collapse(&job->published.summary, &job->next.summary, &run->config.shares));
	error_collect(&errors, guard_frames(&job->output));
	error_collect(&errors, guard_lockout(run->arena, &job->output, &run->config.settings));
	error_collect(&errors, ask_kernel(job));
	return errors;
}

/* --- publishing --- */

/* The number is taken in the database first: a generation that it does not know is never pushed. */
static struct error *record(struct job *job)
{
	struct run *run = job->run;
	struct db_rows rows;
	uint64_t highest = 0;
	char hex[65];
	struct str parameters[4];

	TRY(db_begin(run->db, DB_WRITE));
	TRY(db_query(run->arena, run->db, db_sql("generation-highest"), NULL, 0, &rows));
	if (!str_number(db_cell(&rows, 0, 0), INT64_MAX - 1, &highest))
		return error_hint(
			error_new(ERROR_SURROUNDINGS, "the database has no room for another generation number"),
			"look at fleetwall.generation: its highest number can't be right");
	TRY(store_next_number(job->store, highest, &job->next.number));
	digest_hex(&job->next.digest, hex);
	parameters[0] = str_format(run->arena, "%llu", (unsigned long long)job->next.number);
	parameters[1] = str_of(hex);
	parameters[2] = str_format(run->arena, "%lld", (long long)job->fleet.clock);
	parameters[3] = str_format(run->arena, "%zu", job->next.machine_count);
	TRY(db_query(run->arena, run->db, db_sql("generation-add"), parameters, 4, NULL));
	return db_commit(run->db);
}

static struct error *publish(struct job *job)
{
	struct arena *arena = job->run->arena;

	TRY(store_write_objects(job->store, &job->output));
	TRY(record(job));
	return store_publish(arena, job->store, &job->next);
}

/* --- answers --- */

static double seconds_since(const struct timespec *started)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - started->tv_sec) + (double)(now.tv_nsec - started->tv_nsec) / 1e9;
}

static void answer(struct job *job, const char *state, size_t changed)
{
	static const char *const columns[] = {"generation", "state", "digest", "machines",
	                                      "rulesets",   "sets",  "changed"};
	const struct generation *shown = job->next.number > 0 ? &job->next : &job->published;
	char hex[65];

	digest_hex(&job->next.digest, hex);
	writer_columns(job->run->writer, LAYOUT_SILENT, columns, 7);
	writer_row(job->run->writer, (struct cell[]){
					     cell_number((int64_t)shown->number),
					     cell_text(str_of(state)),
					     cell_text(str_copy(job->run->arena, str_of(hex))),
					     cell_number((int64_t)job->next.machine_count),
					     cell_number((int64_t)job->output.ruleset_count),
					     cell_number((int64_t)job->next.set_count),
					     cell_number((int64_t)changed),
				     });
	writer_say(job->run->writer,
	           "generation %llu %s: %zu machines, %zu distinct rulesets, %zu set files; %zu machines and sets "
	           "changed (%.2f s)",
	           (unsigned long long)shown->number, state, job->next.machine_count, job->output.ruleset_count,
	           job->next.set_count, changed, seconds_since(&job->started));
}

static size_t list_changes(struct job *job, const char *kind, const struct entry *before, size_t before_count,
                           const struct entry *after, size_t after_count, bool rows)
{
	struct difference *differences;
	size_t count = entries_compare(job->run->arena, before, before_count, after, after_count, &differences);

	for (size_t i = 0; rows && i < count; i++) {
		writer_row(job->run->writer,
		           (struct cell[]){cell_text(str_copy(job->run->arena, (struct str){&differences[i].sign, 1})),
		                           cell_text(str_of(kind)), cell_text(differences[i].name)});
		writer_say(job->run->writer, "%c %s %.*s", differences[i].sign, kind, STR_ARG(differences[i].name));
	}
	return count;
}

static size_t changes(struct job *job, bool rows)
{
	size_t count = list_changes(job, "set", job->published.sets, job->published.set_count, job->next.sets,
	                            job->next.set_count, rows);

	return count + list_changes(job, "machine", job->published.manifest, job->published.machine_count,
	                            job->next.manifest, job->next.machine_count, rows);
}

static void dry_run(struct job *job)
{
	static const char *const columns[] = {"sign", "kind", "name"};
	size_t count;

	writer_columns(job->run->writer, LAYOUT_SILENT, columns, 3);
	count = changes(job, true);
	job->run->no = count > 0;
	if (count == 0)
		writer_say(job->run->writer, "nothing to do: generation %llu says this already",
		           (unsigned long long)job->published.number);
	else
		writer_say(job->run->writer, "%zu machines and sets would change", count);
}

static struct error *finish(struct job *job)
{
	if (generation_same(&job->published, &job->next) && job->published.number > 0) {
		/* What was removed or cut short by hand is put back; nothing else is written. */
		TRY(store_write_objects(job->store, &job->output));
		TRY(store_links(job->run->arena, job->store, &job->published));
		answer(job, "unchanged", 0);
		return NULL;
	}
	TRY(publish(job));
	answer(job, "published", changes(job, false));
	return NULL;
}

struct error *run_generate(struct run *run)
{
	struct job job = {.run = run};
	struct error *error = NULL;
	bool dry = run_has(run, "dry-run");

	clock_gettime(CLOCK_MONOTONIC, &job.started);
	if (run->argument_count > 0 && !run_has(run, "only"))
		return error_hint(error_new(ERROR_USAGE, "generate makes the rulesets of all machines"),
		                  "fleetwall generate --only MACHINE…");
	TRY(run_connect(run));
	/* The lock before the snapshot: a run that waited for another must not publish what it read before. */
	if (!dry)
		TRY(store_open(run->arena, run->config.output, &job.store));
	error = load(&job);
	if (error == NULL)
		error = generation_read(run->arena, run->config.output, &job.published);
	if (error == NULL)
		error = make(&job);
	/* What would change is shown also where a guard would stop it. */
	if (error == NULL && dry) {
		dry_run(&job);
		writer_keep(run->writer);
	}
	if (error == NULL)
		error = ask_guards(&job);
	if (error == NULL && !dry)
		error = finish(&job);
	if (job.store != NULL)
		store_close(job.store);
	return error;
}
