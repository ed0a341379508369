/* query matrix: who reaches whom, role by role. */
#include "fleetwall/matrix.h"

#include "query.h"
#include "wrap.h"

static const char *const columns[] = {"from", "to", "what", "extent", "from_machines", "to_machines", "rules"};
enum { COLUMNS = sizeof columns / sizeof *columns };

static struct error *find_role(struct run *run, const struct fleet *fleet, const char *option,
                               const struct role **role)
{
	struct str name = run_option(run, option);

	*role = NULL;
	if (name.p == NULL)
		return NULL;
	name = str_lower(run->arena, name);
	*role = fleet_role(fleet, name);
	return *role != NULL ? NULL : unknown_role(run->arena, fleet, name);
}

static struct error *read_asked(struct run *run, const struct fleet *fleet, struct matrix_asked *asked)
{
	struct error *errors = NULL;

	error_collect(&errors, find_role(run, fleet, "from", &asked->from));
	error_collect(&errors, find_role(run, fleet, "to", &asked->to));
	error_collect(&errors, find_role(run, fleet, "role", &asked->either));
	return errors;
}

/* As a peer is spelled. */
static struct str role_text(struct run *run, const struct role *role)
{
	return machine_of_role(role->name).n > 0 ? role->name
	                                         : str_format(run->arena, "role:%.*s", STR_ARG(role->name));
}

/* A peer of many addresses is told by the first ones. */
static struct str from_text(struct run *run, struct str from)
{
	return count_shown(run, SIZE_MAX, SHOWN_MOST) == SIZE_MAX ? from : text_shortened(run->arena, from);
}

static void write_row(struct run *run, const struct matrix_row *row)
{
	writer_row(run->writer, (struct cell[]){
					cell_text(from_text(run, row->from)),
					cell_text(role_text(run, row->to)),
					cell_list(row->what, row->what_count),
					cell_text(row->all ? STR("all") : STR("some")),
					row->has_machines ? cell_number((int64_t)row->from_machines) : cell_null(),
					cell_number((int64_t)row->to_machines),
					cell_shown(run, row->ids, row->rule_count, SHOWN_MOST),
				});
}

struct error *run_query_matrix(struct run *run)
{
	struct matrix_asked asked;
	struct matrix_row *rows;
	struct fleet fleet;
	size_t count;

	if (run_has(run, "role") && (run_has(run, "from") || run_has(run, "to")))
		return error_hint(error_new(ERROR_USAGE, "--role goes with neither --from nor --to"),
		                  "--role ROLE: at one of the ends");
	TRY(run_load(run, &fleet));
	TRY(read_asked(run, &fleet, &asked));
	packets_begin();
	count = matrix(run->arena, intent_new(run->arena, &fleet, &run->config.settings), &fleet, &asked, &rows);
	writer_columns(run->writer, LAYOUT_TABLE, columns, COLUMNS);
	for (size_t i = 0; i < count; i++)
		write_row(run, &rows[i]);
	packets_end();
	return NULL;
}
