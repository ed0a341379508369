/* Connections, statements, COPY both ways, migrations and the making of database roles, against a real server. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/embedded.h"
#include "postgres.h"

static void fails(struct error *error, enum error_kind kind, const char *part)
{
	ck_assert_msg(error != NULL, "did not fail; wanted: %s", part);
	ck_assert_msg(strstr(text_of(error), part) != NULL, "wanted %s, got: %s", part, text_of(error));
	ck_assert_msg(error->kind == kind, "kind %d: %s", (int)error->kind, text_of(error));
}

/* --- connections --- */

START_TEST(a_connection_that_can_not_be)
{
	struct db *none;

	fails(db_open(arena, STR("host=/nonexistent dbname=x"), &none), ERROR_SURROUNDINGS, "/nonexistent");
	ck_assert_ptr_null(none);
	fails(db_open(arena, STR("host=localhost password 'secret"), &none), ERROR_INPUT, "not valid");
	ck_assert_ptr_null(strstr(text_of(db_open(arena, STR("password hunter2"), &none)), "hunter2"));
	ck_assert_ptr_null(
		strstr(text_of(db_open(arena, STR("host=/nonexistent password=hunter2"), &none)), "hunter2"));
	ck_assert_ptr_null(
		strstr(text_of(db_open(arena, STR("postgresql://u:hunter2@%2Fnonexistent/x"), &none)), "hunter2"));
	fails(db_open(arena, (struct str){"dbname=a\0b", 10}, &none), ERROR_INPUT, "NUL");
	fails(db_open(arena, postgres_conninfo("no_such_database"), &none), ERROR_SURROUNDINGS, "does not exist");
}
END_TEST

START_TEST(a_session_is_set_up)
{
	struct db *second;

	ck_assert_str_eq(asked("SHOW search_path"), "pg_catalog, pg_temp");
	ck_assert_str_eq(asked("SHOW client_encoding"), "UTF8");
	ck_assert_str_eq(asked("SHOW TimeZone"), "UTC");
	ck_assert_str_eq(asked("SHOW application_name"), "fleetwall");
	sql("ALTER ROLE fleetwall SET DateStyle = 'German'; ALTER ROLE fleetwall SET search_path = public");
	setenv("PGAPPNAME", "other", 1);
	setenv("PGHOSTADDR", "192.0.2.1", 1);
	second = postgres_open(conninfo);
	db_close(db);
	db = second;
	ck_assert_str_eq(asked("SELECT '2026-03-01'::date"), "2026-03-01");
	ck_assert_str_eq(asked("SHOW search_path"), "pg_catalog, pg_temp");
	ck_assert_str_eq(asked("SHOW application_name"), "fleetwall");
	sql("ALTER ROLE fleetwall RESET ALL");
	db_close(NULL);
}
END_TEST

/* --- transactions and statements --- */

START_TEST(transactions)
{
	must(db_begin(db, DB_SNAPSHOT));
	fails(db_run(db, STR("CREATE TABLE public.t ()")), ERROR_SURROUNDINGS, "read-only");
	db_rollback(db);
	must(db_begin(db, DB_WRITE));
	sql("CREATE TABLE public.t (i integer UNIQUE)");
	must(db_commit(db));
	must(db_begin(db, DB_WRITE));
	sql("INSERT INTO public.t VALUES (1)");
	fails(db_run(db, STR("INSERT INTO public.t VALUES (1)")), ERROR_INPUT, "t_i_key");
	fails(db_commit(db), ERROR_SURROUNDINGS, "not committed");
	ck_assert_str_eq(asked("SELECT count(*) FROM public.t"), "0");
	must(db_begin(db, DB_WRITE));
	sql("INSERT INTO public.t VALUES (1)");
	db_rollback(db);
	db_rollback(db);
	ck_assert_str_eq(asked("SELECT count(*) FROM public.t"), "0");
}
END_TEST

START_TEST(retryable_failures)
{
	struct db *second = postgres_open(conninfo);

	sql("CREATE TABLE public.t AS SELECT 1 AS i");
	ck_assert(!db_is_retryable(db));
	must(db_run(db, STR("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM public.t")));
	must(db_run(second, STR("UPDATE public.t SET i = 2")));
	fails(db_run(db, STR("UPDATE public.t SET i = 3")), ERROR_SURROUNDINGS, "concurrent update");
	ck_assert(db_is_retryable(db));
	db_rollback(db);
	fails(db_run(db, STR("SELECT 1 / 0")), ERROR_INPUT, "division by zero");
	ck_assert(!db_is_retryable(db));
	db_close(second);
}
END_TEST

START_TEST(parameters_and_cells)
{
	struct str nasty = STR("a'b\"c;--\n\t\\N {}");
	struct str parameters[] = {nasty, {NULL, 0}, STR("")}, nul = {"a\0b", 3};
	struct db_rows rows;

	must(db_query(arena, db, STR("SELECT $1::text AS one, $2::text AS two, $3::text WHERE $2::text IS NULL"),
	              parameters, 3, &rows));
	ck_assert_uint_eq(rows.count, 1);
	ck_assert_uint_eq(rows.columns, 3);
	ck_assert(str_eq(db_cell(&rows, 0, 0), nasty) && db_cell(&rows, 0, 1).p == NULL);
	ck_assert(db_cell(&rows, 0, 2).p != NULL && db_cell(&rows, 0, 2).n == 0);
	ck_assert(str_is(rows.names[0], "one") && str_is(rows.names[1], "two"));
	must(db_query(arena, db, STR("SELECT 1 WHERE false"), NULL, 0, &rows));
	ck_assert_uint_eq(rows.count, 0);
	must(db_query(arena, db, STR("CREATE TABLE public.t ()"), NULL, 0, NULL));
	fails(db_query(arena, db, STR("SELECT $1::text"), &nul, 1, &rows), ERROR_INPUT, "NUL");
	fails(db_query(arena, db, STR("SELECT $1::text"), &STR("\xff"), 1, &rows), ERROR_INPUT,
	      "invalid byte sequence");
	fails(db_query(arena, db, STR("SELECT 1; SELECT 2"), NULL, 0, &rows), ERROR_SURROUNDINGS, "multiple commands");
	fails(db_run(db, STR("SELEC 1")), ERROR_SURROUNDINGS, "syntax error");
}
END_TEST

/* What the server says has one line, with its detail and its hint. */
START_TEST(errors_say_it_all)
{
	struct error *error = db_run(
		db, STR("DO $$ BEGIN RAISE EXCEPTION E'two\\nlines.' USING DETAIL = 'why', HINT = 'do this.'; END $$"));

	ck_assert(str_is(error->message, "two lines: why"));
	ck_assert(str_is(error->hint, "do this"));
}
END_TEST

START_TEST(a_lost_connection)
{
	struct db *second = postgres_open(conninfo);
	const char *pid = asked("SELECT pg_backend_pid()");

	must(db_query(arena, second, str_format(arena, "SELECT pg_terminate_backend(%s)", pid), NULL, 0, NULL));
	fails(db_run(db, STR("SELECT 1")), ERROR_SURROUNDINGS, "terminat");
	fails(db_run(db, STR("SELECT 1")), ERROR_SURROUNDINGS, "connection");
	db_rollback(db);
	db_close(second);
}
END_TEST

/* --- COPY --- */

#define ROWS 200000

struct seen {
	size_t count;
	int64_t sum;
	size_t stop_at;
};

static struct error *see(void *context, const struct str *fields, size_t count)
{
	struct seen *seen = context;
	struct str text = str_format(arena, "row %ld\t\\x", (long)db_int(fields[0]));

	ck_assert_uint_eq(count, 4);
	ck_assert(str_eq(fields[1], text));
	ck_assert(db_int(fields[0]) % 3 == 0 ? fields[2].p == NULL : fields[2].p != NULL && fields[2].n == 0);
	ck_assert(db_bool(fields[3]) == (db_int(fields[0]) % 2 == 0));
	seen->sum += db_int(fields[0]);
	if (++seen->count % 1000 == 0)
		arena_reset(arena);
	return seen->count == seen->stop_at ? error_new(ERROR_INPUT, "enough") : NULL;
}

START_TEST(many_rows_in_and_out)
{
	struct seen seen = {0};
	struct arena *kept = arena;

	arena = arena_new();
	sql("CREATE TABLE public.t (i integer, s text, n text, b boolean)");
	must(db_copy_in(db, STR("public.t (i, s, n, b)")));
	for (long i = 1; i <= ROWS; i++) {
		struct str cells[] = {str_format(arena, "%ld", i), str_format(arena, "row %ld\t\\x", i),
		                      i % 3 == 0 ? (struct str){NULL, 0} : STR(""), i % 2 == 0 ? STR("t") : STR("f")};

		must(db_copy_row(db, cells, 4));
		if (i % 1000 == 0)
			arena_reset(arena);
	}
	must(db_copy_end(db));
	must(db_copy_out(db, STR("SELECT i, s, n, b FROM public.t"), see, &seen));
	ck_assert_uint_eq(seen.count, ROWS);
	ck_assert_int_eq(seen.sum, (int64_t)ROWS * (ROWS + 1) / 2);
	/* Stopped in the middle: the connection goes on. */
	seen = (struct seen){.stop_at = 7};
	fails(db_copy_out(db, STR("SELECT i, s, n, b FROM public.t"), see, &seen), ERROR_INPUT, "enough");
	ck_assert_uint_eq(seen.count, 7);
	ck_assert_str_eq(asked("SELECT count(*) FROM public.t"), "200000");
	arena_free(arena);
	arena = kept;
}
END_TEST

struct kept {
	struct str fields[64];
	size_t count, rows;
};

static struct error *keep(void *context, const struct str *fields, size_t count)
{
	struct kept *kept = context;

	kept->rows++;
	kept->count = count;
	for (size_t i = 0; i < count && i < 64; i++)
		kept->fields[i] = fields[i].p == NULL ? fields[i] : str_copy(arena, fields[i]);
	return NULL;
}

START_TEST(binary_values)
{
	struct kept kept = {0};

	must(db_copy_out(db,
	                 STR("SELECT -2::int2, 2147483647, -9223372036854775808, true, false, '1970-01-01 "
	                     "00:00:01.5Z'::timestamptz,"
	                     " '1969-12-31 23:59:58.5Z'::timestamptz, '1999-12-31 23:59:59Z'::timestamptz, "
	                     "'infinity'::timestamptz,"
	                     " '-infinity'::timestamptz, repeat('x', 3000000), ''::text, NULL -- the end"),
	                 keep, &kept));
	ck_assert_uint_eq(kept.rows, 1);
	ck_assert_uint_eq(kept.count, 13);
	ck_assert_int_eq(db_int(kept.fields[0]), -2);
	ck_assert_int_eq(db_int(kept.fields[1]), 2147483647);
	ck_assert_int_eq(db_int(kept.fields[2]), INT64_MIN);
	ck_assert(db_bool(kept.fields[3]) && !db_bool(kept.fields[4]));
	ck_assert_int_eq(db_seconds(kept.fields[5]), 1);
	ck_assert_int_eq(db_seconds(kept.fields[6]), -2);
	ck_assert_int_eq(db_seconds(kept.fields[7]), 946684799);
	ck_assert_int_eq(db_seconds(kept.fields[8]), INT64_MAX);
	ck_assert_int_eq(db_seconds(kept.fields[9]), INT64_MIN);
	ck_assert_uint_eq(kept.fields[10].n, 3000000);
	ck_assert(kept.fields[11].p != NULL && kept.fields[11].n == 0 && kept.fields[12].p == NULL);
	kept.rows = 0;
	must(db_copy_out(db, STR("SELECT 1 WHERE false"), keep, &kept));
	must(db_copy_out(db, STR("SELECT"), keep, &kept));
	ck_assert_uint_eq(kept.rows, 1);
	ck_assert_uint_eq(kept.count, 0);
	fails(db_copy_out(db, STR("SELECT 1 / (i - 5) FROM generate_series(1, 9) AS i"), keep, &kept), ERROR_INPUT,
	      "division by zero");
	fails(db_copy_out(db, STR("SELECT * FROM public.nothing"), keep, &kept), ERROR_SURROUNDINGS, "does not exist");
	ck_assert_str_eq(asked("SELECT 1"), "1");
}
END_TEST

START_TEST(copy_that_is_refused)
{
	struct str good[] = {STR("1"), STR("x")}, bad[] = {STR("many"), STR("x")}, few[] = {STR("1")},
		   nul[] = {STR("1"), {"a\0b", 3}}, latin[] = {STR("1"), STR("\xe4")};

	sql("CREATE TABLE public.t (i integer CHECK (i < 100), s text)");
	fails(db_copy_in(db, STR("public.nothing (i)")), ERROR_SURROUNDINGS, "does not exist");
	must(db_copy_in(db, STR("public.t (i, s)")));
	must(db_copy_row(db, good, 2));
	must(db_copy_row(db, bad, 2));
	fails(db_copy_end(db), ERROR_INPUT, "line 2, column i");
	must(db_copy_in(db, STR("public.t (i, s)")));
	must(db_copy_row(db, few, 1));
	fails(db_copy_end(db), ERROR_INPUT, "missing data");
	must(db_copy_in(db, STR("public.t (i, s)")));
	must(db_copy_row(db, latin, 2));
	fails(db_copy_end(db), ERROR_INPUT, "invalid byte sequence");
	/* Given up half-way, in a transaction. */
	must(db_begin(db, DB_WRITE));
	must(db_copy_in(db, STR("public.t (i, s)")));
	must(db_copy_row(db, good, 2));
	fails(db_copy_row(db, nul, 2), ERROR_INPUT, "NUL");
	db_rollback(db);
	ck_assert_str_eq(asked("SELECT count(*) FROM public.t"), "0");
	must(db_copy_in(db, STR("public.t (i, s)")));
	must(db_copy_end(db));
	must(db_copy_in(db, STR("public.t (s)")));
	must(db_copy_row(db, &STR("\\N\r\n\\.\t\\"), 1));
	must(db_copy_end(db));
	ck_assert_str_eq(asked("SELECT s = E'\\\\N\\r\\n\\\\.\\t\\\\' FROM public.t"), "t");
}
END_TEST

/* --- the schema --- */

static size_t migrations(void)
{
	size_t count = 0;

	for (const struct embedded *file = embedded_sql; file->name != NULL; file++)
		count += strncmp(file->name, "migrations/", 11) == 0;
	return count;
}

START_TEST(init_once_and_again)
{
	struct str roles;
	size_t applied;

	fails(db_check(arena, db), ERROR_SURROUNDINGS, "fleetwall init");
	must(db_init(arena, db, &applied, &roles));
	ck_assert_uint_eq(applied, migrations());
	ck_assert_uint_eq(roles.n, 0);
	must(db_check(arena, db));
	must(db_init(arena, db, &applied, &roles));
	ck_assert_uint_eq(applied, 0);
	ck_assert_uint_eq(roles.n, 0);
	ck_assert_str_eq(asked("SELECT count(*) FROM pg_roles WHERE rolname IN ('fleetwall_reader', "
	                       "'fleetwall_editor', 'fleetwall_operator')"
	                       " AND NOT rolcanlogin AND NOT rolsuper"),
	                 "3");
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.migration WHERE length(digest) = 32"),
	                 str_c(arena, str_format(arena, "%zu", migrations())));
}
END_TEST

/* All migrations but the last, as a program of then applied them. */
static void init_as_before(void)
{
	struct str record[3];
	unsigned number = 0;

	for (const struct embedded *file = embedded_sql; file->name != NULL; file++) {
		if (strncmp(file->name, "migrations/", 11) != 0 || ++number == migrations())
			continue;
		record[0] = str_format(arena, "%u", number);
		record[1] = str_of(file->name + 11);
		record[2] = (struct str){(const char *)file->data, file->size};
		must(db_run(db, record[2]));
		must(db_query(arena, db, db_sql("schema-record"), record, 3, NULL));
	}
}

/* A migration may bring a column: every table had its rights before, and yet one is missing. */
START_TEST(grants_follow_a_migration)
{
	const char *granted = "SELECT has_column_privilege('fleetwall_editor', 'fleetwall.rule', 'log', 'UPDATE')";
	struct str roles;
	size_t applied;

	init_as_before();
	must(db_run(db, embedded_find(embedded_sql, STR("roles.sql"))));
	sql("GRANT USAGE ON SCHEMA fleetwall TO fleetwall_reader;"
	    "GRANT SELECT ON ALL TABLES IN SCHEMA fleetwall TO fleetwall_reader;"
	    "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA fleetwall TO fleetwall_editor;"
	    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA fleetwall TO fleetwall_editor;"
	    "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA fleetwall TO fleetwall_operator;"
	    "GRANT UPDATE ON ALL SEQUENCES IN SCHEMA fleetwall TO fleetwall_operator;"
	    "REVOKE UPDATE ON fleetwall.rule FROM fleetwall_editor; GRANT UPDATE (role) ON fleetwall.rule TO "
	    "fleetwall_editor");
	ck_assert_str_eq(asked(granted), "f");
	ck_assert_str_eq(asked(str_c(arena, db_sql("schema-granted"))), "t");
	fails(db_check(arena, db), ERROR_SURROUNDINGS, "fleetwall init");
	must(db_init(arena, db, &applied, &roles));
	ck_assert_uint_eq(applied, 1);
	ck_assert_uint_eq(roles.n, 0);
	ck_assert_str_eq(asked(granted), "t");
	must(db_check(arena, db));
}
END_TEST

/* Each of them comes back with success; together they have applied each migration once. */
START_TEST(init_from_several_at_once)
{
	int status, ends[2];
	size_t applied, sum = 0;

	ck_assert_int_eq(pipe(ends), 0);
	for (int i = 0; i < 6; i++)
		if (fork() == 0) {
			struct db *own = postgres_open(conninfo);
			struct str roles;

			must(db_init(arena, own, &applied, &roles));
			db_close(own);
			_exit(write(ends[1], &applied, sizeof applied) == sizeof applied ? 0 : 1);
		}
	for (int i = 0; i < 6; i++) {
		ck_assert(wait(&status) > 0 && status == 0);
		ck_assert_int_eq(read(ends[0], &applied, sizeof applied), sizeof applied);
		sum += applied;
	}
	ck_assert_uint_eq(sum, migrations());
	must(db_check(arena, db));
}
END_TEST

START_TEST(a_database_of_another_version)
{
	struct str roles;
	size_t applied;

	must(db_init(arena, db, &applied, &roles));
	sql("BEGIN; DELETE FROM fleetwall.migration WHERE number > 1");
	fails(db_check(arena, db), ERROR_SURROUNDINGS, "fleetwall init");
	sql("ROLLBACK; INSERT INTO fleetwall.migration (number, name, digest) VALUES (9999, 'future', sha256('x'))");
	fails(db_check(arena, db), ERROR_SURROUNDINGS, "newer fleetwall");
	fails(db_init(arena, db, &applied, &roles), ERROR_SURROUNDINGS, "newer fleetwall");
	sql("DELETE FROM fleetwall.migration WHERE number = 9999; UPDATE fleetwall.migration SET digest = sha256('x') "
	    "WHERE number = 1");
	fails(db_init(arena, db, &applied, &roles), ERROR_SURROUNDINGS, "was changed after");
}
END_TEST

START_TEST(a_schema_that_is_not_ours)
{
	struct str roles;
	size_t applied;

	sql("CREATE SCHEMA fleetwall");
	fails(db_check(arena, db), ERROR_SURROUNDINGS, "fleetwall init");
	fails(db_init(arena, db, &applied, &roles), ERROR_SURROUNDINGS, "already exists");
	ck_assert_uint_eq(applied, 0);
}
END_TEST

START_TEST(another_encoding)
{
	struct str roles;
	size_t applied;

	sql("CREATE DATABASE test_latin ENCODING 'LATIN1' TEMPLATE template0");
	db_close(db);
	db = postgres_open(postgres_conninfo("test_latin"));
	fails(db_init(arena, db, &applied, &roles), ERROR_SURROUNDINGS, "UTF8");
	fails(db_check(arena, db), ERROR_SURROUNDINGS, "UTF8");
}
END_TEST

/* An owner who may not make roles gets the rest of it, and the SQL for who may. */
START_TEST(init_without_the_right_to_make_roles)
{
	struct str roles, again;
	size_t applied;

	sql("ALTER ROLE fleetwall_reader RENAME TO away_reader; ALTER ROLE fleetwall_editor RENAME TO away_editor;"
	    "ALTER ROLE fleetwall_operator RENAME TO away_operator; CREATE ROLE test_owner LOGIN");
	must(db_run(db, str_format(arena, "GRANT CREATE ON DATABASE %s TO test_owner",
	                           asked("SELECT quote_ident(current_database())"))));
	sql("SET SESSION AUTHORIZATION test_owner");
	must(db_init(arena, db, &applied, &roles));
	ck_assert_uint_eq(applied, migrations());
	must(db_check(arena, db));
	ck_assert_ptr_nonnull(strstr(str_c(arena, roles), "CREATE ROLE"));
	sql("RESET SESSION AUTHORIZATION");
	must(db_run(db, roles));
	must(db_run(db, roles));
	sql("SET SESSION AUTHORIZATION test_owner");
	must(db_init(arena, db, &applied, &again));
	ck_assert_uint_eq(applied, 0);
	ck_assert_uint_eq(again.n, 0);
	/* The roles are there, a right is missing: the owner can mend that alone. */
	sql("REVOKE SELECT ON fleetwall.machine FROM fleetwall_reader");
	must(db_init(arena, db, &applied, &again));
	ck_assert_uint_eq(again.n, 0);
	ck_assert_str_eq(asked("SELECT has_table_privilege('fleetwall_reader', 'fleetwall.machine', 'SELECT')"), "t");
}
END_TEST

START_TEST(init_without_any_right)
{
	struct str roles;
	size_t applied;

	sql("CREATE ROLE test_stranger LOGIN; SET SESSION AUTHORIZATION test_stranger");
	fails(db_init(arena, db, &applied, &roles), ERROR_SURROUNDINGS, "permission denied");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("db_session");
	TCase *tcase = tcase_create("session");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, postgres_setup_empty, postgres_teardown);
	tcase_add_test(tcase, a_connection_that_can_not_be);
	tcase_add_test(tcase, a_session_is_set_up);
	tcase_add_test(tcase, transactions);
	tcase_add_test(tcase, retryable_failures);
	tcase_add_test(tcase, parameters_and_cells);
	tcase_add_test(tcase, errors_say_it_all);
	tcase_add_test(tcase, a_lost_connection);
	tcase_add_test(tcase, many_rows_in_and_out);
	tcase_add_test(tcase, binary_values);
	tcase_add_test(tcase, copy_that_is_refused);
	tcase_add_test(tcase, init_once_and_again);
	tcase_add_test(tcase, grants_follow_a_migration);
	tcase_add_test(tcase, init_from_several_at_once);
	tcase_add_test(tcase, a_database_of_another_version);
	tcase_add_test(tcase, a_schema_that_is_not_ours);
	tcase_add_test(tcase, another_encoding);
	tcase_add_test(tcase, init_without_any_right);
	tcase_add_test(tcase, init_without_the_right_to_make_roles);
	suite_add_tcase(suite, tcase);
	return postgres_main(suite, NULL);
}
