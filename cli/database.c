/* init, and the private PostgreSQL by hand: database start, stop, status, dump. */
#include <stdlib.h>
#include <unistd.h>

#include "fleetwall/process.h"

#include "cli.h"

struct error *run_init(struct run *run)
{
	static const char *const columns[] = {"migrations"};
	size_t applied;
	struct str sql;

	TRY(run_connect_bare(run));
	TRY(db_init(run->arena, run->db, &applied, &sql));
	writer_columns(run->writer, LAYOUT_SILENT, columns, 1);
	writer_row(run->writer, (struct cell[]){cell_number((int64_t)applied)});
	if (sql.n > 0) {
		writer_keep(run->writer);
		writer_say(run->writer, "%.*s", STR_ARG(sql));
		return error_hint(
			error_new(ERROR_SURROUNDINGS,
		                  "this database user may not make the database roles of fleetwall"),
			"an administrator of the server runs the SQL on standard output, then fleetwall init again");
	}
	if (applied > 0)
		writer_say(run->writer, "database ready: %zu migration%s applied", applied, str_plural(applied));
	else
		writer_say(run->writer, "database ready: nothing to do");
	return NULL;
}

/* psql on the right database; what stands behind "--" is its own. */
struct error *run_sql(struct run *run)
{
	struct str conninfo = run->config.database, password;
	const char **argv = ARENA_ARRAY(run->arena, const char *, run->argument_count + 4);
	struct server server;
	size_t count = 0;

	/* Without a look for the schema: that is how a dump is read back. */
	TRY(run_connect_bare(run));
	if (conninfo.n == 0) {
		TRY(server_status(run->arena, run->config.state, &server));
		conninfo = server.conninfo;
	}
	db_close(run->db);
	run->db = NULL;
	TRY(db_conninfo_shown(run->arena, conninfo, &conninfo, &password));
	if (password.p != NULL && setenv("PGPASSWORD", str_c(run->arena, password), 1) != 0)
		return error_errno("handing the password to psql");
	argv[count++] = "psql";
	argv[count++] = "--dbname";
	argv[count++] = str_c(run->arena, conninfo);
	for (size_t i = 0; i < run->argument_count; i++)
		argv[count++] = str_c(run->arena, run->arguments[i]);
	return process_become(argv);
}

static struct error *only_private(const struct run *run)
{
	if (run->config.database.n == 0)
		return NULL;
	return error_hint(
		error_new(ERROR_USAGE, "fleetwall keeps no PostgreSQL of its own here: a database is configured"),
		"use the tools of that server");
}

static void answer(struct run *run, const struct server *server)
{
	static const char *const columns[] = {"state", "data", "socket", "pid", "conninfo"};
	static const char *const states[] = {"none", "stopped", "running"};
	struct str none = {NULL, 0};

	writer_columns(run->writer, LAYOUT_RECORD, columns, 5);
	writer_row(run->writer, (struct cell[]){
		cell_text(str_of(states[server->state])), cell_text(server->data),
		cell_text(server->socket.n > 0 ? server->socket : none),
		server->pid > 0 ? cell_number(server->pid) : cell_text(none),
		cell_text(server->conninfo.n > 0 ? server->conninfo : none),
	});
}

struct error *run_database_start(struct run *run)
{
	struct server server;

	TRY(only_private(run));
	TRY(server_start(run->arena, run->config.state, &server));
	answer(run, &server);
	return NULL;
}

struct error *run_database_status(struct run *run)
{
	struct server server;

	TRY(only_private(run));
	TRY(server_status(run->arena, run->config.state, &server));
	answer(run, &server);
	run->no = server.state != SERVER_RUNNING;
	return NULL;
}

struct error *run_database_stop(struct run *run)
{
	TRY(only_private(run));
	return server_stop(run->arena, run->config.state);
}

struct error *run_database_dump(struct run *run)
{
	bool over;

	TRY(only_private(run));
	over = access(str_c(run->arena, run->arguments[0]), F_OK) == 0;
	TRY(server_dump(run->arena, run->config.state, run->arguments[0]));
	writer_say(run->writer, "%.*s is written%s", STR_ARG(run->arguments[0]),
	           over ? ", in place of what was there" : "");
	return NULL;
}
