/* verify: does what is published, or what a folder holds, say what the inventory says? Proves it anew each time, and
 * keeps nothing: what nightly remembers is not asked. Changes nothing. */
#include <dirent.h>
#include <stdlib.h>

#include "fleetwall/document.h"
#include "fleetwall/parallel.h"

#include "prove.h"

enum { FINDINGS_SHOWN = 20 }; /* to people */

static const char *const columns[] = {"kind", "machine",   "machines", "file",   "line",   "text",
                                      "chain", "direction", "packet",   "wanted", "got",    "why"};
enum { COLUMNS = 12 };

/* --- saying it --- */

static struct cell packet_cell(struct run *run, const struct verify_finding *finding)
{
	if (finding->kind != VERIFY_PACKET)
		return cell_null();
	return cell_text(verify_packet_str(run->arena, finding));
}

static void write_finding(struct run *run, const struct verify_finding *finding)
{
	bool packet = finding->kind == VERIFY_PACKET;

	writer_row(run->writer, (struct cell[COLUMNS]){
					cell_text(verify_kind_str(finding->kind)),
					cell_some(finding->machine),
					cell_positive(finding->machines),
					cell_some(finding->file),
					cell_positive(finding->line),
					cell_some(finding->text),
					cell_some(finding->chain),
					packet ? cell_text(finding->out ? STR("out") : STR("in")) : cell_null(),
					packet_cell(run, finding),
					cell_some(finding->wanted),
					cell_some(finding->got),
					cell_some(finding->why),
				});
}

static void say_finding(struct run *run, const struct verify_finding *finding)
{
	struct buf buf = buf_new(run->arena);
	struct str text, line;

	verify_print(&buf, finding);
	text = str_trim(buf_str(&buf));
	while (str_cut(&text, '\n', &line))
		writer_say(run->writer, "%.*s", STR_ARG(line));
}

static void write_findings(struct run *run, const struct verify_findings *findings)
{
	writer_columns(run->writer, LAYOUT_SILENT, columns, COLUMNS);
	for (size_t i = 0; i < findings->count; i++) {
		write_finding(run, &findings->items[i]);
		if (i < FINDINGS_SHOWN)
			say_finding(run, &findings->items[i]);
	}
	if (findings->count > FINDINGS_SHOWN)
		writer_say(run->writer, "and %zu findings more; --json has them all", findings->count - FINDINGS_SHOWN);
	run->no = findings->count > 0;
}

static void say_claims(struct run *run)
{
	writer_field(run->writer, "compared", str_of(verify_claims));
	writer_field(run->writer, "not_compared", str_of(verify_disclaims));
	writer_say(run->writer, "compared: %s", verify_claims);
	writer_say(run->writer, "not compared: %s", verify_disclaims);
}

/* --- what is published --- */

static struct error *choose_machines(struct run *run, const struct fleet *fleet, const bool **chosen)
{
	bool *machines = run->argument_count > 0 ? ARENA_ARRAY(run->arena, bool, fleet->machine_count) : NULL;
	struct error *errors = NULL;

	for (size_t i = 0; i < run->argument_count; i++)
		error_collect(&errors, machines_match(run->arena, fleet, run->arguments[i], machines));
	*chosen = machines;
	return errors;
}

static void say_counts(struct run *run, const struct proved *proved, uint64_t generation)
{
	size_t findings = proved->findings.count;

	if (proved->left_out > 0) {
		writer_field(run->writer, "not_looked_at", str_format(run->arena, "%zu rulesets", proved->left_out));
		writer_say(run->writer, "with so many findings, %zu rulesets more that may differ were not looked at",
		           proved->left_out);
	}
	writer_say(run->writer, "generation %llu: %zu machine%s in %zu ruleset%s, %zu set%s: %s the inventory says now",
	           (unsigned long long)generation, proved->machines, proved->machines == 1 ? "" : "s",
	           proved->rulesets, proved->rulesets == 1 ? "" : "s", proved->sets, proved->sets == 1 ? "" : "s",
	           findings == 0 ? "proved to be what" : "not what");
	if (findings > 0)
		writer_say(run->writer, "hint: where the inventory changed since: fleetwall generate");
}

static struct error *verify_published(struct run *run, const struct fleet *fleet)
{
	struct generation generation;
	struct proved proved;
	struct prove_order order = {
		.fleet = fleet,
		.settings = &run->config.settings,
		.output = run->config.output,
		.generation = &generation,
		.workers = run->config.threads > 0 ? run->config.threads : parallel_workers(),
	};

	TRY(choose_machines(run, fleet, &order.machines));
	TRY(generation_read(run->arena, run->config.output, &generation));
	if (generation.number == 0)
		return error_hint(error_new(ERROR_SURROUNDINGS, "nothing is published in %.*s",
		                            STR_ARG(run->config.output)),
		                  "fleetwall generate publishes what the inventory says");
	TRY(prove(run->arena, &order, &proved));
	write_findings(run, &proved.findings);
	say_counts(run, &proved, generation.number);
	say_claims(run);
	return NULL;
}

/* --- a folder --- */

struct set_texts {
	struct filter_text *items;
	size_t count, capacity;
};

static struct str path_in(struct run *run, const char *below, struct str name)
{
	return str_format(run->arena, "%.*s/%s%.*s", STR_ARG(run_option(run, "against")), below, STR_ARG(name));
}

static struct error *add_set(struct run *run, struct set_texts *texts, const char *below, struct str name)
{
	struct filter_text text = {.file = str_copy(run->arena, name)};

	TRY(file_text(run->arena, path_in(run, below, name), &text.text));
	APPEND(run->arena, texts, text);
	return NULL;
}

static int text_order(const void *a, const void *b)
{
	return str_cmp(((const struct filter_text *)a)->file, ((const struct filter_text *)b)->file);
}

static bool is_set_file(struct str name)
{
	return (str_ends(name, STR(".v4")) || str_ends(name, STR(".v6"))) && !str_starts(name, STR("rules.")) &&
	       name.p[0] != '.';
}

/* A folder that is not there holds none. */
static struct error *add_folder(struct run *run, struct set_texts *texts, const char *below)
{
	DIR *dir = opendir(str_c(run->arena, path_in(run, below, STR(""))));
	struct error *error = NULL;
	struct dirent *entry;

	if (dir == NULL)
		return NULL;
	while (error == NULL && (entry = readdir(dir)) != NULL)
		if (is_set_file(str_of(entry->d_name)))
			error = add_set(run, texts, below, str_of(entry->d_name));
	closedir(dir);
	if (texts->count > 1)
		qsort(texts->items, texts->count, sizeof *texts->items, text_order);
	return error;
}

/* Beside the list, or in sets/ below it. */
static struct error *add_listed(struct run *run, struct set_texts *texts, struct str list)
{
	struct error *error;
	struct str name;

	while (str_cut(&list, '\n', &name)) {
		if (name.n == 0)
			continue;
		if (str_find(name, '/') < name.n)
			return error_new(ERROR_INPUT, "sets.list names \"%.*s\", which is no name of a file",
			                 STR_ARG(name));
		error = add_set(run, texts, "", name);
		if (error != NULL && error->kind == ERROR_UNKNOWN)
			error = add_set(run, texts, "sets/", name);
		TRY(error);
	}
	return NULL;
}

static struct error *read_folder(struct run *run, struct verify_files *files)
{
	struct set_texts *texts = ARENA_NEW(run->arena, struct set_texts);
	static const struct filter_text none;

	TRY(file_text(run->arena, path_in(run, "", STR("rules.v4")), &files->rules[0]));
	TRY(file_text(run->arena, path_in(run, "", STR("rules.v6")), &files->rules[1]));
	if (file_read(run->arena, path_in(run, "", STR("sets.list")), &files->sets_list) == NULL) {
		TRY(add_listed(run, texts, files->sets_list));
	} else {
		TRY(add_folder(run, texts, ""));
		TRY(add_folder(run, texts, "sets/"));
	}
	files->sets = texts->count > 0 ? texts->items : &none;
	files->set_count = texts->count;
	return NULL;
}

/* Sets hold what they hold: what counts is what becomes of packets. */
static struct error *judge_folder(struct run *run, const struct fleet *fleet, size_t machine,
                                  const struct verify_files *files, struct verify_findings *findings)
{
	struct error *error = NULL;
	struct verifier *verifier =
		verifier_new(run->arena, fleet, &run->config.settings, prove_program(run->arena));

	packets_begin();
	packets_bound(PACKETS_WORK_MOST);
	if (intent_position(verifier_intent(verifier), machine).n > 0) {
		(void)verify_ruleset(run->arena, run->arena, verifier, machine, 1,
		                     verify_read(run->arena, verifier, files), findings);
	} else {
		struct verify_finding finding = {
			.kind = VERIFY_MISSING,
			.machine = fleet->machines[machine].name,
			.machines = 1,
			.why = STR("it must have no ruleset: it is disabled or unmanaged"),
		};

		APPEND(run->arena, findings, finding);
	}
	if (packets_spent())
		error = error_new(ERROR_INPUT,
		                  "machine %.*s: to find out what these files do takes more than %d steps, and nothing "
		                  "is proved",
		                  STR_ARG(fleet->machines[machine].name), PACKETS_WORK_MOST);
	packets_end();
	verifier_free(verifier);
	return error;
}

static struct error *verify_folder(struct run *run, const struct fleet *fleet)
{
	struct verify_findings findings = {0};
	struct verify_files files = {0};
	const struct machine *machine;
	struct str name;

	if (run->argument_count != 1)
		return error_hint(error_new(ERROR_USAGE, "--against holds a folder against one machine"),
		                  "fleetwall verify MACHINE --against DIR");
	name = str_lower(run->arena, run->arguments[0]);
	machine = fleet_machine(fleet, name);
	if (machine == NULL)
		return unknown_machine(run->arena, fleet, name);
	TRY(read_folder(run, &files));
	TRY(judge_folder(run, fleet, (size_t)(machine - fleet->machines), &files, &findings));
	write_findings(run, &findings);
	writer_say(run->writer, "%.*s, and %zu set file%s: %s the inventory says of %.*s now",
	           STR_ARG(run_option(run, "against")), files.set_count, files.set_count == 1 ? "" : "s",
	           findings.count == 0 ? "proved to be what" : "not what", STR_ARG(machine->name));
	say_claims(run);
	return NULL;
}

struct error *run_verify(struct run *run)
{
	struct fleet fleet;

	TRY(run_load(run, &fleet));
	return run_has(run, "against") ? verify_folder(run, &fleet) : verify_published(run, &fleet);
}
