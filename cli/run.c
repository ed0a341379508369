/* What most commands begin with: the database, and the inventory from one snapshot of it. */
#include <stdlib.h>
#include <time.h>

#include "fleetwall/document.h"
#include "fleetwall/inventory.h"
#include "fleetwall/rule.h"

#include "cli.h"

enum { PRIVATE_TRIES = 5 };

static struct error *open_private(struct run *run, bool make, struct str *conninfo)
{
	struct server server = {.state = SERVER_NONE};

	if (!make) {
		TRY(server_status(run->arena, run->config.state, &server));
		if (server.state == SERVER_NONE)
			return error_hint(error_new(ERROR_SURROUNDINGS, "there is no database in %.*s",
			                            STR_ARG(run->config.state)),
			                  "fleetwall init makes one");
	}
	/* Each look starts a process of the server. */
	if (server.state != SERVER_RUNNING)
		TRY(server_start(run->arena, run->config.state, &server));
	/* A service file speaks of other servers, and would be asked all the same. */
	unsetenv("PGSERVICE");
	*conninfo = server.conninfo;
	return NULL;
}

static struct error *connect_to(struct run *run, bool make)
{
	const struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};
	struct str conninfo = run->config.database;
	struct error *error;

	run->conninfo = conninfo;
	if (conninfo.n > 0)
		return db_open(run->arena, conninfo, &run->db);
	/* A private server that dies just now still takes the connection; the next look finds it dead and starts it. */
	for (int i = 0;; i++) {
		TRY(open_private(run, make, &conninfo));
		run->conninfo = conninfo;
		error = db_open(run->arena, conninfo, &run->db);
		if (error == NULL || i + 1 == PRIVATE_TRIES)
			return error;
		nanosleep(&pause, NULL);
	}
}

struct error *run_connect_bare(struct run *run)
{
	return connect_to(run, true);
}

struct error *run_connect(struct run *run)
{
	TRY(connect_to(run, false));
	return db_check(run->arena, run->db);
}

/* As of --at. The settings that say so last until the transaction ends; it is rolled back, and writes nothing. */
static struct error *load_at(struct run *run, struct str at, struct fleet *fleet)
{
	struct before before = {0};

	if (!time_parse(at, &before.time))
		return error_hint(error_new(ERROR_USAGE, "--at: \"%.*s\" is no time", STR_ARG(at)),
		                  "for example 2026-03-01T12:00:00Z, or 2026-03-01");
	TRY(db_begin(run->db, DB_SNAPSHOT));
	TRY(inventory_load_before(run->arena, run->db, &before, fleet));
	run->then = true;
	run->then_nothing = fleet->machine_count + fleet->role_count + fleet->network_count == 0;
	return db_commit(run->db);
}

struct error *run_load(struct run *run, struct fleet *fleet)
{
	struct str at = run_option(run, "at");

	TRY(run_connect(run));
	if (at.p != NULL)
		return load_at(run, at, fleet);
	TRY(db_begin(run->db, DB_SNAPSHOT));
	TRY(inventory_load(run->arena, run->db, fleet));
	return db_commit(run->db);
}

bool around_is_in(const struct around *around, const struct fleet *fleet)
{
	for (size_t i = 0; i < around->machines.count; i++)
		if (fleet_machine(fleet, around->machines.items[i]) == NULL)
			return false;
	return true;
}

/* What is no name of a machine is not asked for: it may hold anything. */
static bool are_names(const struct around *around)
{
	for (size_t i = 0; i < around->machines.count; i++)
		if (machine_name_check(around->machines.items[i]) != NULL)
			return false;
	return true;
}

struct error *run_load_around(struct run *run, const struct around *around, struct fleet *fleet, bool *whole)
{
	*whole = true;
	if (run_has(run, "at") || !are_names(around))
		return run_load(run, fleet);
	if (run->db == NULL)
		TRY(run_connect(run));
	TRY(db_begin(run->db, DB_SNAPSHOT));
	TRY(inventory_load_around(run->arena, run->db, around, fleet));
	*whole = !around_is_in(around, fleet);
	if (!*whole)
		return NULL;
	TRY(inventory_load(run->arena, run->db, fleet));
	return db_commit(run->db);
}

void warn_of_packet(struct run *run, struct str what)
{
	struct str word = str_trim(what);

	/* An interface may stand behind it. */
	error_collect(&run->warnings, what_warning(run->arena, str_slice(word, 0, str_find(word, ' '))));
}

struct error *run_input(struct run *run, struct str *text)
{
	if (!run->has_input)
		TRY(file_text(run->arena, STR("/dev/stdin"), &run->input));
	run->has_input = true;
	*text = run->input;
	return NULL;
}

struct error *run_file(struct run *run, struct str *name, struct str *text)
{
	if (!str_is(*name, "-"))
		return file_text(run->arena, *name, text);
	*name = STR("standard input");
	return run_input(run, text);
}
