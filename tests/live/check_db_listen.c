/* Notifications against a real server: heard after the commit, once a transaction, by whoever listened before; and what
 * is heard of a connection that is gone. */
#include <poll.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "postgres.h"

enum { PATIENCE = 10000 }; /* milliseconds */

static struct db *listener;

static void setup(void)
{
	postgres_setup();
	listener = postgres_open(conninfo);
	must(db_listen(listener, "fleetwall_change"));
}

static void teardown(void)
{
	db_close(listener);
	postgres_teardown();
}

/* Is there something to read within so many milliseconds? */
static bool readable(int milliseconds)
{
	struct pollfd wait = {.fd = db_socket(listener), .events = POLLIN};

	return poll(&wait, 1, milliseconds) > 0;
}

static size_t heard(void)
{
	size_t count;

	must(db_notices(listener, &count));
	return count;
}

START_TEST(a_commit_is_heard_once)
{
	ck_assert_uint_eq(heard(), 0);
	must(db_begin(db, DB_WRITE));
	sql("INSERT INTO fleetwall.role (name) VALUES ('a'), ('b')");
	sql("INSERT INTO fleetwall.role (name) VALUES ('c'); DELETE FROM fleetwall.role WHERE name = 'a'");
	ck_assert(!readable(50));
	ck_assert_uint_eq(heard(), 0);
	must(db_commit(db));
	ck_assert(readable(PATIENCE));
	ck_assert_uint_eq(heard(), 1);
	ck_assert_uint_eq(heard(), 0);
}
END_TEST

START_TEST(what_is_undone_is_not_heard)
{
	must(db_begin(db, DB_WRITE));
	sql("INSERT INTO fleetwall.role (name) VALUES ('a')");
	db_rollback(db);
	sql("UPDATE fleetwall.role SET name = name WHERE false");
	sql("NOTIFY other");
	ck_assert(!readable(50));
	ck_assert_uint_eq(heard(), 0);
}
END_TEST

/* libpq takes notices in while it reads the answer of a statement: the socket has nothing left then. */
START_TEST(notices_during_a_statement)
{
	struct db_rows rows;

	for (int i = 0; i < 3; i++)
		sql("INSERT INTO fleetwall.role (name) VALUES ('r' || (SELECT count(*) FROM fleetwall.role))");
	must(db_query(arena, listener, STR("SELECT 1"), NULL, 0, &rows));
	must(db_query(arena, listener, STR("SELECT 1"), NULL, 0, &rows));
	ck_assert(!readable(0));
	ck_assert_uint_eq(heard(), 3);
}
END_TEST

START_TEST(a_channel_is_a_name_not_sql)
{
	must(db_listen(listener, "a\"; DROP SCHEMA fleetwall CASCADE; --"));
	ck_assert_str_eq(asked("SELECT count(*) FROM pg_namespace WHERE nspname = 'fleetwall'"), "1");
	sql("NOTIFY \"a\"\"; DROP SCHEMA fleetwall CASCADE; --\"");
	ck_assert(readable(PATIENCE));
	ck_assert_uint_eq(heard(), 1);
}
END_TEST

START_TEST(a_lost_connection_is_seen)
{
	struct error *error = NULL;
	size_t count;

	ck_assert(!db_is_lost(listener));
	sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'");
	for (int i = 0; i < 100 && error == NULL; i++) {
		ck_assert(readable(PATIENCE));
		error = db_notices(listener, &count);
	}
	ck_assert_ptr_nonnull(error);
	ck_assert_int_eq(error->kind, ERROR_SURROUNDINGS);
	ck_assert_ptr_nonnull(strstr(text_of(error), "connection to the database was lost"));
	ck_assert(db_is_lost(listener));
	error = db_listen(listener, "fleetwall_change");
	ck_assert_ptr_nonnull(error);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("listen");
	TCase *tests = tcase_create("listen");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_commit_is_heard_once);
	tcase_add_test(tests, what_is_undone_is_not_heard);
	tcase_add_test(tests, notices_during_a_statement);
	tcase_add_test(tests, a_channel_is_a_name_not_sql);
	tcase_add_test(tests, a_lost_connection_is_seen);
	suite_add_tcase(suite, tests);
	return postgres_main(suite, NULL);
}
