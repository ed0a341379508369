/* A folder of CSV files becomes a fleet (SPEC §4): which files there are, in which order they are read, and what is
 * left of the faults. Rows are csv_objects.c and csv_rows.c; opens no file. */
#include "fleetwall/document.h"

#include "csv_fleet.h"
#include "fleet_fields.h"
#include "fleetwall/arena.h"

/* In the order of reading: objects before the rows that speak of them. */
enum { FILE_MACHINES, FILE_ROLES, FILE_NETWORKS, FILE_SERVICES, FILE_ADDRESSES, FILE_MEMBERS, FILE_RULES, FILES };

static const struct kind {
	const char *name;
	const struct csv_column *columns;
	void (*read)(struct csv_fleet *fleet, struct csv *csv);
} kinds[FILES] = {
	[FILE_MACHINES] = {"machines.csv", csv_machine_columns, csv_read_machines},
	[FILE_ROLES] = {"roles.csv", csv_role_columns, csv_read_roles},
	[FILE_NETWORKS] = {"networks.csv", csv_network_columns, csv_read_networks},
	[FILE_SERVICES] = {"services.csv", csv_service_columns, csv_read_services},
	[FILE_ADDRESSES] = {"addresses.csv", csv_address_columns, csv_read_addresses},
	[FILE_MEMBERS] = {"members.csv", csv_member_columns, csv_read_members},
	[FILE_RULES] = {"rules.csv", csv_rule_columns, csv_read_rules},
};

static struct str last_part(struct str path)
{
	struct str part;

	while (str_cut(&path, '/', &part))
		;
	return part;
}

static void sort_file(struct csv_fleet *fleet, const struct csv_file *file, const struct csv_file **files)
{
	struct str words[FILES], name = last_part(file->name);
	struct error *error;

	for (size_t i = 0; i < FILES; i++) {
		words[i] = str_of(kinds[i].name);
		if (!str_eq(name, words[i]))
			continue;
		if (files[i] != NULL)
			faults_add(&fleet->faults, error_new(ERROR_INPUT, "%s is given twice", kinds[i].name));
		files[i] = file;
		return;
	}
	error = error_new(ERROR_INPUT, "%.*s is no file of a CSV folder", STR_ARG(file->name));
	faults_add(&fleet->faults, hint_nearest(error, name, words, FILES));
}

static void read_file(struct csv_fleet *fleet, const struct csv_file *file, const struct kind *kind)
{
	struct csv csv;

	if (csv_open(&csv, fleet->arena, file->name, file->text, kind->columns, &fleet->faults))
		kind->read(fleet, &csv);
}

/* Objects whose names were faulty are left out; the faults were reported. */
#define TAKE(into, into_count, list)                                                                                \
	do {                                                                                                        \
		(into) = (list).items;                                                                              \
		for (size_t i_ = 0; i_ < (list).count; i_++)                                                        \
			if ((list).items[i_].name.n > 0)                                                            \
				(into)[(into_count)++] = (list).items[i_];                                          \
	} while (0)

static void take(struct csv_fleet *from, const struct csv_file *files, size_t count, struct fleet *fleet)
{
	*fleet = (struct fleet){
		.clock = TIME_NONE, .source_count = count, .sources = ARENA_ARRAY(from->arena, struct source, count)};
	for (size_t i = 0; i < count; i++)
		fleet->sources[i] = (struct source){files[i].name, files[i].text};
	TAKE(fleet->machines, fleet->machine_count, from->machines);
	TAKE(fleet->roles, fleet->role_count, from->roles);
	TAKE(fleet->networks, fleet->network_count, from->networks);
	TAKE(fleet->services, fleet->service_count, from->services);
}

struct error *csv_read(struct arena *arena, const struct csv_file *files, size_t count, struct fleet *fleet,
                       struct error **warnings)
{
	struct csv_fleet reading = {.arena = arena,
	                            .rows = arena_new(),
	                            .warnings = warnings,
	                            .machine_names = names_new(arena),
	                            .role_names = names_new(arena),
	                            .network_names = names_new(arena),
	                            .service_names = names_new(arena)};
	const struct csv_file *known[FILES] = {NULL};
	struct error *errors;

	for (size_t i = 0; i < count; i++)
		sort_file(&reading, &files[i], known);
	if (known[FILE_MACHINES] == NULL)
		faults_add(&reading.faults, error_hint(error_new(ERROR_INPUT, "machines.csv is missing"),
		                                       "it is the one file that must be there"));
	reading.has_roles_file = known[FILE_ROLES] != NULL;
	for (size_t i = 0; i < FILES; i++)
		if (known[i] != NULL)
			read_file(&reading, known[i], &kinds[i]);
	csv_gather(&reading, known[FILE_ADDRESSES]);
	arena_free(reading.rows);
	take(&reading, files, count, fleet);
	errors = fleet_normalize(arena, fleet);
	faults_add(&reading.faults, errors);
	return faults_end(&reading.faults);
}
