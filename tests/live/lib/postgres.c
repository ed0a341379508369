/* The throw-away server of live tests, and the few phrases that tests of a database are made of. */
#include "postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/process.h"

struct arena *arena;
struct db *db;
struct str conninfo;
struct server server;

const char *text_of(const struct error *error)
{
	struct buf buf = buf_new(arena);

	error_print(&buf, STR(""), error);
	return str_c(arena, buf_str(&buf));
}

void must(struct error *error)
{
	ck_assert_msg(error == NULL, "%s", error == NULL ? "" : text_of(error));
}

struct db *postgres_open(struct str where)
{
	struct db *connection;

	must(db_open(arena, where, &connection));
	return connection;
}

struct str postgres_conninfo(const char *database)
{
	return str_format(arena, "%.*s dbname=%s", STR_ARG(server.conninfo), database);
}

void sql(const char *text)
{
	must(db_run(db, str_of(text)));
}

const char *asked(const char *query)
{
	struct db_rows rows;

	must(db_query(arena, db, str_of(query), NULL, 0, &rows));
	if (rows.count == 0)
		return "(none)";
	return db_cell(&rows, 0, 0).p == NULL ? "(null)" : str_c(arena, db_cell(&rows, 0, 0));
}

void refused_as(const char *text, enum error_kind kind, const char *part)
{
	struct error *error = db_run(db, str_of(text));

	ck_assert_msg(error != NULL, "not refused: %s", text);
	ck_assert_msg(strstr(text_of(error), part) != NULL, "%s\ngave: %s", text, text_of(error));
	ck_assert_msg(error->kind == kind, "%s\nkind %d: %s", text, (int)error->kind, text_of(error));
	db_rollback(db);
}

void refused(const char *text, const char *part)
{
	refused_as(text, ERROR_INPUT, part);
}

/* --- databases --- */

static void new_database(const char *template)
{
	static unsigned number;
	struct db *first;
	const char *name;

	arena = arena_new();
	name = str_c(arena, str_format(arena, "test_%ld_%u", (long)getpid(), number++));
	first = postgres_open(postgres_conninfo("postgres"));
	must(db_run(first, str_format(arena, "CREATE DATABASE %s TEMPLATE %s", name, template)));
	db_close(first);
	conninfo = postgres_conninfo(name);
	db = postgres_open(conninfo);
}

void postgres_setup(void)
{
	new_database("fleetwall");
}

void postgres_setup_empty(void)
{
	new_database("template0");
}

void postgres_teardown(void)
{
	db_close(db);
	arena_free(arena);
	error_forget_all();
}

/* --- the server --- */

/* The server's own database, which stays empty; what the runner made has it already. */
static struct error *make_template(struct error *(*once)(struct db *connection))
{
	struct error *error;
	struct str roles;
	struct db *made;
	size_t applied;

	TRY(db_open(arena, server.conninfo, &made));
	error = db_init(arena, made, &applied, &roles);
	if (error == NULL && once != NULL)
		error = once(made);
	db_close(made);
	return error;
}

/* What the runner made is copied; without it the server makes its data folder itself. */
static struct error *copy_made(struct str state)
{
	const char *made = getenv("FLEETWALL_MADE"), *target = str_c(arena, state);
	const char *argv[] = {"cp", "-a", NULL, target, NULL};
	struct outcome outcome;

	if (made == NULL || *made == '\0')
		return NULL;
	if (mkdir(target, 0711) != 0)
		return error_errno("making %s", target);
	argv[2] = str_c(arena, str_format(arena, "%s/state/pg", made));
	return process_run(arena, &(struct command){.argv = argv}, &outcome);
}

static struct error *run(struct str state, Suite *suite, struct error *(*once)(struct db *connection), int *failed)
{
	SRunner *runner = srunner_create(suite);
	struct error *error = copy_made(state);
	struct arena *ours = arena;

	if (error == NULL)
		error = server_start(arena, state, &server);
	if (error == NULL)
		error = make_template(once);
	if (error == NULL) {
		srunner_run_all(runner, CK_ENV);
		*failed = srunner_ntests_failed(runner);
	}
	srunner_free(runner);
	arena = ours;
	error_collect(&error, server_stop(arena, state));
	return error;
}

int postgres_main(Suite *suite, struct error *(*once)(struct db *connection))
{
	char memory[] = "/dev/shm/fleetwall-test-XXXXXX", disk[] = "/tmp/fleetwall-test-XXXXXX";
	char *folder = mkdtemp(memory) != NULL ? memory : mkdtemp(disk);
	const char *const argv[] = {"rm", "-rf", "--", folder, NULL};
	struct outcome outcome;
	struct error *error;
	int failed = 1;

	if (folder == NULL || chmod(folder, 0711) != 0) {
		perror(disk);
		return EXIT_FAILURE;
	}
	arena = arena_new();
	error = run(str_format(arena, "%s/state", folder), suite, once, &failed);
	error_collect(&error, process_run(arena, &(struct command){.argv = argv}, &outcome));
	if (error != NULL)
		fputs(text_of(error), stderr);
	arena_free(arena);
	return failed == 0 && error == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}
