/* machine enable and disable. */
#include "fleetwall/inventory.h"

#include "cli.h"

static struct error *switch_machines(struct run *run, bool enabled)
{
	static const char *const columns[] = {"changed", "machines"};
	struct str *names = ARENA_ARRAY(run->arena, struct str, run->argument_count);
	size_t changed;

	for (size_t i = 0; i < run->argument_count; i++)
		names[i] = str_lower(run->arena, run->arguments[i]);
	TRY(run_connect(run));
	TRY(db_begin(run->db, DB_WRITE));
	TRY(inventory_enable(run->arena, run->db, names, run->argument_count, enabled, &changed));
	TRY(db_commit(run->db));
	writer_columns(run->writer, LAYOUT_SILENT, columns, 2);
	writer_row(run->writer, (struct cell[]){cell_number((int64_t)changed), cell_list(names, run->argument_count)});
	writer_say(run->writer, "%zu of %zu machines %s; generate carries it into the rulesets", changed,
	           run->argument_count, enabled ? "enabled" : "disabled");
	return NULL;
}

struct error *run_machine_enable(struct run *run)
{
	return switch_machines(run, true);
}

struct error *run_machine_disable(struct run *run)
{
	return switch_machines(run, false);
}
