/* Loading only what changed gives what loading everything gives, whoever changed it and however: random edits in plain
 * SQL to all tables, in transactions that are open while the snapshot is taken, taken back, or cut short. And what
 * inventory_news() knows before anything is loaded. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "edits.h"
#include "importing.h"
#include "random_fleet.h"

static struct db *other; /* a second connection, whose transaction may stay open */

static void setup(void)
{
	postgres_setup();
	other = postgres_open(conninfo);
	must(db_run(db, STR("SET lock_timeout = '20ms'")));
	must(db_run(other, STR("SET lock_timeout = '20ms'")));
}

static void teardown(void)
{
	db_close(other);
	postgres_teardown();
}

/* --- what was loaded, and what is --- */

struct loaded {
	struct fleet fleet;
	struct str snapshot;
};

static struct inventory_news news_since(struct str since)
{
	struct inventory_news news;
	must(db_begin(db, DB_SNAPSHOT));
	must(inventory_news(arena, db, since, &news));
	db_rollback(db);
	return news;
}

static struct loaded load_now(void)
{
	struct loaded now;
	struct inventory_news news;
	must(db_begin(db, DB_SNAPSHOT));
	must(inventory_news(arena, db, STR(""), &news));
	must(inventory_load(arena, db, &now.fleet));
	db_rollback(db);
	now.snapshot = news.snapshot;
	return now;
}

#define NAMES_SAME(a, b, list, number)                                                   \
	do {                                                                             \
		ck_assert_uint_eq((a)->number, (b)->number);                             \
		for (size_t same_ = 0; same_ < (a)->number; same_++)                     \
			ck_assert(str_eq((a)->list[same_].name, (b)->list[same_].name)); \
	} while (0)

static void fleets_same(const struct fleet *a, const struct fleet *b)
{
	struct str difference = fleet_difference(arena, a, b);
	ck_assert_msg(difference.n == 0, "%.*s", STR_ARG(difference));
	NAMES_SAME(a, b, machines, machine_count);
	NAMES_SAME(a, b, roles, role_count);
	NAMES_SAME(a, b, networks, network_count);
	NAMES_SAME(a, b, services, service_count);
	ck_assert_int_eq(a->clock, b->clock);
}

static bool machines_moved(const struct fleet *a, const struct fleet *b)
{
	if (a->machine_count != b->machine_count)
		return true;
	for (size_t i = 0; i < a->machine_count; i++)
		if (!str_eq(a->machines[i].name, b->machines[i].name))
			return true;
	return false;
}

/* The same objects in memory, but for those that were touched. */
static void touched_right(const struct fleet *before, const struct fleet *after,
                          const struct inventory_touched *touched)
{
	size_t next = 0;
	ck_assert(touched->machines_moved == machines_moved(before, after) || touched->machines_moved);
	for (size_t i = 0; i < after->machine_count; i++) {
		const struct machine *machine = &after->machines[i], *old = fleet_machine(before, machine->name);
		if (next < touched->machine_count && touched->machines[next] == i) {
			next++;
			continue;
		}
		ck_assert_msg(old != NULL && old->addresses == machine->addresses && old->roles == machine->roles,
		              "machine %.*s is another and was not touched", STR_ARG(machine->name));
	}
	ck_assert_uint_eq(next, touched->machine_count);
	ck_assert(touched->roles || after->roles == before->roles);
	ck_assert(touched->networks || after->networks == before->networks);
	ck_assert(touched->services || after->services == before->services);
}

/* In the memory of `before`, of whose list of machines this is a copy; what changed was fetched without it. */
static void renew_in_place(const struct loaded *before, const struct inventory_touched *wanted, struct fleet *now)
{
	struct fleet old = before->fleet;
	struct inventory_touched touched;
	old.machines = ARENA_ARRAY(arena, struct machine, old.machine_count);
	for (size_t i = 0; i < old.machine_count; i++)
		old.machines[i] = before->fleet.machines[i];
	struct inventory_changes *changes;
	must(inventory_find_changes(arena, db, before->snapshot, old.machine_count, &changes));
	must(inventory_fetch_found(arena, db, changes));
	must(inventory_load_found(arena, NULL, db, changes, &old, now, &touched));
	ck_assert_uint_eq(touched.machine_count, wanted->machine_count);
	for (size_t i = 0; i < touched.machine_count; i++)
		ck_assert_uint_eq(touched.machines[i], wanted->machines[i]);
	ck_assert(touched.machines_moved == wanted->machines_moved);
	ck_assert(!touched.machines_moved || now->machines != old.machines);
}

/* `before` as it is now; all ways give the same. */
static struct loaded renewed(const struct loaded *before, struct inventory_touched *touched)
{
	struct loaded now;
	struct fleet whole, in_place;
	struct inventory_news news;
	must(db_begin(db, DB_SNAPSHOT));
	must(inventory_news(arena, db, before->snapshot, &news));
	must(inventory_load_changes(arena, arena, db, before->snapshot, &before->fleet, &now.fleet, touched));
	renew_in_place(before, touched, &in_place);
	must(inventory_load(arena, db, &whole));
	db_rollback(db);
	fleets_same(&now.fleet, &whole);
	fleets_same(&in_place, &whole);
	ck_assert_int_eq(news.clock, whole.clock);
	whole.clock = before->fleet.clock;
	if (!news.changed)
		fleets_same(&before->fleet, &whole);
	now.snapshot = news.snapshot;
	return now;
}

/* --- edits --- */

/* The edit with a number in place of each $. */
static struct str edit_of(size_t edit, uint64_t number)
{
	struct str text = str_of(edits[edit]), part;
	struct str digits = str_format(arena, "%" PRIu64, number);
	struct buf buf = buf_new(arena);
	while (str_cut(&text, '$', &part)) {
		buf_add(&buf, part);
		if (text.p != NULL)
			buf_add(&buf, digits);
	}
	return buf_str(&buf);
}

/* Did the database take it? An open transaction goes on as if it had not been tried. */
static bool try_edit(struct db *where, struct str edit, bool open)
{
	if (!open)
		return db_run(where, edit) == NULL;
	must(db_run(where, STR("SAVEPOINT before")));
	bool taken = db_run(where, edit) == NULL;
	must(db_run(where, taken ? STR("RELEASE before") : STR("ROLLBACK TO before")));
	return taken;
}

struct editing {
	struct rng rng;
	size_t next; /* edit */
	size_t taken[EDITS];
	bool open; /* the other connection is in a transaction */
};

static void edit_once(struct editing *editing, struct db *where, bool open)
{
	size_t edit = editing->next++ * 23 % EDITS; /* each in its turn, neighbours not behind each other */
	if (where == other && strstr(edits[edit], "TRUNCATE") != NULL)
		return; /* its lock keeps readers out */
	editing->taken[edit] += try_edit(where, edit_of(edit, 1 + rng_below(&editing->rng, 99999)), open);
}

/* Several edits as one transaction, a part of which is taken back. */
static void edit_together(struct editing *editing)
{
	must(db_begin(db, DB_WRITE));
	edit_once(editing, db, true);
	must(db_run(db, STR("SAVEPOINT part")));
	edit_once(editing, db, true);
	must(db_run(db, rng_chance(&editing->rng, 50) ? STR("ROLLBACK TO part") : STR("RELEASE part")));
	edit_once(editing, db, true);
	if (db_commit(db) != NULL)
		db_rollback(db);
}

/* Begins, goes on, or ends a transaction that others do not see meanwhile. */
static void edit_elsewhere(struct editing *editing)
{
	if (!editing->open) {
		must(db_begin(other, DB_WRITE));
		if (rng_chance(&editing->rng, 50)) /* it has its number before it changes anything */
			must(db_run(other, STR("SELECT pg_current_xact_id()")));
		editing->open = true;
	}
	edit_once(editing, other, true);
	if (rng_chance(&editing->rng, 40))
		return;
	if (rng_chance(&editing->rng, 20) || db_commit(other) != NULL)
		db_rollback(other);
	editing->open = false;
}

/* As `undo` does it. */
static void undo_last(void)
{
	struct before last = {.time = TIME_NONE};
	struct fleet present, wanted;
	struct plan plan;
	const struct import_options all = {.prune = true, .every = true};
	last.transaction = atoll(asked("SELECT coalesce(max(number), 0) FROM fleetwall.history_transaction"));
	if (last.transaction == 0)
		return;
	must(db_begin(db, DB_WRITE));
	struct error *error = inventory_load(arena, db, &present);
	if (error == NULL)
		error = inventory_load_before(arena, db, &last, &wanted);
	if (error == NULL)
		error = inventory_plan(arena, &present, &wanted, &all, &plan);
	if (error == NULL)
		error = inventory_write(arena, db, &present, &plan);
	if (error != NULL || db_commit(db) != NULL)
		db_rollback(db);
}

static void fill_again(struct editing *editing)
{
	struct fleet wanted = random_fleet(arena, &editing->rng, 8);
	struct fleet present;
	struct plan plan;
	must(db_begin(db, DB_WRITE));
	must(inventory_load(arena, db, &present));
	struct error *error = inventory_plan(arena, &present, &wanted, &as_it_is, &plan);
	if (error == NULL)
		error = inventory_write(arena, db, &present, &plan);
	if (error != NULL || db_commit(db) != NULL)
		db_rollback(db);
}

static void edit_somehow(struct editing *editing, const struct fleet *fleet)
{
	if (fleet->machine_count < 4 || fleet->role_count < 3)
		fill_again(editing);
	if (rng_chance(&editing->rng, 30))
		edit_elsewhere(editing);
	if (rng_chance(&editing->rng, 20))
		edit_together(editing);
	if (rng_chance(&editing->rng, 10))
		undo_last();
	for (size_t more = rng_below(&editing->rng, 3); more > 0; more--)
		edit_once(editing, db, false);
}

static void random_edits(uint64_t seed, size_t rounds, struct editing *editing)
{
	editing->rng = (struct rng){seed};
	fill_again(editing);
	struct loaded before = load_now();
	for (size_t i = 0; i < rounds; i++) {
		struct inventory_touched touched;
		edit_somehow(editing, &before.fleet);
		struct loaded now = renewed(&before, &touched);
		touched_right(&before.fleet, &now.fleet, &touched);
		if (rng_chance(&editing->rng, 70))
			before = now;
	}
	db_rollback(other);
	editing->open = false;
	struct inventory_touched touched;
	renewed(&before, &touched);
}

START_TEST(any_edits_load_as_everything_does)
{
	struct editing editing = {.rng = {0}};
	random_edits(4, 130, &editing);
	for (size_t i = 0; i < EDITS; i++)
		ck_assert_msg(editing.taken[i] > 0, "never taken: %.*s", STR_ARG(str_slice(str_of(edits[i]), 0, 200)));
}
END_TEST

/* --- one by one --- */

static const char *const two =
	"machines = ( { name = \"a\"; addresses = [ \"10.0.0.1\" ]; roles = [ \"web\" ]; }, { name = \"b\"; roles = [ "
        "\"db\" "
	"]; } ); roles = ( { name = \"web\"; rules = [ \"allow 80/tcp\" ]; }, { name = \"db\"; rules = [ \"allow "
        "5432/tcp "
	"from role:web\" ]; } ); networks = ( { name = \"office\"; prefixes = [ \"192.0.2.0/24\" ]; } );";

/* What one edit touches: machines by name, and the rest as letters. */
static const char *touches(const char *edit)
{
	struct inventory_touched touched;
	struct loaded before = load_now();
	sql(edit);
	struct loaded now = renewed(&before, &touched);
	touched_right(&before.fleet, &now.fleet, &touched);
	struct buf buf = buf_new(arena);
	for (size_t i = 0; i < touched.machine_count; i++)
		buf_format(&buf, "%.*s ", STR_ARG(now.fleet.machines[touched.machines[i]].name));
	buf_format(&buf, "%s%s%s%s", touched.machines_moved ? "m" : "", touched.roles ? "r" : "",
	           touched.networks ? "n" : "", touched.services ? "s" : "");
	return str_c(arena, buf_str(&buf));
}

START_TEST(only_what_changed_is_touched)
{
	static const char *const pairs[][2] = {
		{"SELECT 1", ""},
		{"UPDATE fleetwall.machine SET mode = 'coexist' WHERE name = 'a'", "a "},
		{"UPDATE fleetwall.address SET address = '10.0.0.2'", "a "},
		{"UPDATE fleetwall.address SET machine = 'b'", "a b "},
		{"INSERT INTO fleetwall.member VALUES ('db', 'a')", "a "},
		{"INSERT INTO fleetwall.machine (name) VALUES ('c')", "c m"},
		{"DELETE FROM fleetwall.machine WHERE name = 'c'", "m"},
		{"INSERT INTO fleetwall.role (name, machine) VALUES ('machine:b', 'b')", "b r"},
		{"UPDATE fleetwall.machine SET name = 'bb' WHERE name = 'b'", "bb mr"},
		{"UPDATE fleetwall.rule SET enabled = false WHERE role = 'web'", "r"},
		{"UPDATE fleetwall.role SET name = 'www' WHERE name = 'web'", "a r"},
		{"UPDATE fleetwall.network SET name = 'home'", "n"},
		{"INSERT INTO fleetwall.network_prefix VALUES ('home', '198.51.100.0/24')", "n"},
		{"UPDATE fleetwall.service_port SET ports = '{[3307,3308)}' WHERE service = 'mysql'", "s"},
		{"TRUNCATE fleetwall.member", "a bb "},
		{"BEGIN; UPDATE fleetwall.machine SET enabled = false; ROLLBACK", ""},
	};
	imports_text(two, &as_it_is);
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		ck_assert_msg(strcmp(touches(pairs[i][0]), pairs[i][1]) == 0, "%s", pairs[i][0]);
}
END_TEST

START_TEST(a_transaction_that_was_open_counts_when_it_ends)
{
	static const char *const begins[] = {"SELECT 1", "SELECT pg_current_xact_id()",
	                                     "UPDATE fleetwall.machine SET enabled = false WHERE name = 'a'"};
	imports_text(two, &as_it_is);
	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
		struct inventory_touched touched;
		must(db_begin(other, DB_WRITE));
		must(db_run(other, str_of(begins[i])));
		struct loaded before = load_now();
		sql("UPDATE fleetwall.machine SET ssh_port = coalesce(ssh_port, 0) + 1 WHERE name = 'b'");
		struct loaded later = renewed(&before, &touched);
		ck_assert_uint_eq(touched.machine_count, 1);
		ck_assert(!news_since(later.snapshot).changed);
		must(db_run(other,
		            str_format(arena, "UPDATE fleetwall.machine SET ssh_host = 'h%zu' WHERE name = 'a'", i)));
		ck_assert(!news_since(later.snapshot).changed);
		must(db_commit(other));
		ck_assert(news_since(later.snapshot).changed);
		struct loaded now = renewed(&later, &touched);
		ck_assert_uint_eq(touched.machine_count, 1);
		ck_assert(str_is(now.fleet.machines[touched.machines[0]].name, "a"));
		renewed(&before, &touched);
		ck_assert_uint_eq(touched.machine_count, 2);
	}
}
END_TEST

START_TEST(a_machine_that_the_history_never_had_makes_everything_be_loaded)
{
	struct inventory_touched touched;
	imports_text(two, &as_it_is);
	struct loaded before = load_now();
	sql("SET session_replication_role = replica; INSERT INTO fleetwall.machine (name) VALUES ('past'); "
	    "SET session_replication_role = origin");
	sql("INSERT INTO fleetwall.address VALUES ('past', '10.0.0.9')");
	struct loaded now = renewed(&before, &touched);
	ck_assert_uint_eq(now.fleet.machine_count, 3);
	ck_assert_uint_eq(touched.machine_count, 3);
}
END_TEST

START_TEST(where_much_changed_everything_is_loaded)
{
	struct inventory_touched touched;
	imports_text(two, &as_it_is);
	struct loaded before = load_now();
	sql("INSERT INTO fleetwall.machine (name) SELECT 'm' || i FROM generate_series(1, 1200) AS i");
	struct loaded now = renewed(&before, &touched);
	ck_assert_uint_eq(touched.machine_count, 1202);
	ck_assert(touched.machines_moved && touched.roles && touched.networks && touched.services);
	sql("UPDATE fleetwall.machine SET ssh_port = 1 WHERE name LIKE 'm1%'");
	struct loaded later = renewed(&now, &touched);
	ck_assert(touched.machine_count > 0 && touched.machine_count < 1000 && !touched.roles);
	for (size_t i = 0; i < 5; i++)
		sql("UPDATE fleetwall.machine SET ssh_port = coalesce(ssh_port, 0) + 1");
	renewed(&later, &touched);
	ck_assert_uint_eq(touched.machine_count, 1202);
}
END_TEST

START_TEST(without_a_snapshot_everything_is_loaded)
{
	static const char *const strange[] = {"", "999999999:999999999:"};
	imports_text(two, &as_it_is);
	for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
		struct inventory_touched touched;
		struct loaded before = load_now();
		before.snapshot = str_of(strange[i]);
		ck_assert(news_since(before.snapshot).changed);
		renewed(&before, &touched);
		ck_assert(touched.machine_count == 2 && touched.roles && touched.machines_moved);
	}
}
END_TEST

/* Transaction numbers of another server, above or among our own: they say nothing, and cost no full load. */
START_TEST(history_that_was_read_back_from_a_dump)
{
	struct inventory_touched touched;
	imports_text(two, &as_it_is);
	sql("INSERT INTO fleetwall.history_transaction (xact, at) SELECT (5000000 + i)::text::xid8, '2020-01-01' FROM "
	    "generate_series(1, 100) AS i; INSERT INTO fleetwall.history (transaction, kind, operation, before) SELECT "
	    "number, 'machine', 'D', '{\"name\": \"old\"}' FROM fleetwall.history_transaction WHERE at < '2021-01-01'");
	struct loaded before = load_now();
	ck_assert(!news_since(before.snapshot).changed);
	sql("UPDATE fleetwall.machine SET enabled = false WHERE name = 'a'");
	struct loaded now = renewed(&before, &touched);
	ck_assert_uint_eq(touched.machine_count, 1);
	ck_assert(!news_since(now.snapshot).changed);
}
END_TEST

/* --- news --- */

START_TEST(news_of_generations)
{
	struct inventory_news news = news_since(STR(""));
	ck_assert(news.generation == 0 && news.digest.n == 0 && news.changed && news.snapshot.n > 0);
	ck_assert(news.clock > 1700000000);
	struct str since = news.snapshot;
	sql("INSERT INTO fleetwall.generation (number, digest, clock, machines) VALUES (9, sha256('a'), now(), 0), "
	    "(10, "
	    "sha256('b'), '2100-01-01 00:00:00.5+00', 0)");
	news = news_since(since);
	ck_assert(!news.changed);
	ck_assert_uint_eq(news.generation, 10);
	ck_assert_str_eq(str_c(arena, news.digest), asked("SELECT encode(sha256('b'), 'hex')"));
	ck_assert_int_eq(news.clock, 4102444801);
}
END_TEST

START_TEST(a_schema_that_was_made_anew_is_another)
{
	struct str roles, identity = news_since(STR("")).identity;
	size_t applied;
	ck_assert(str_eq(news_since(STR("")).identity, identity));
	must(db_begin(other, DB_SNAPSHOT));
	struct inventory_news news;
	must(inventory_news(arena, other, STR(""), &news));
	db_rollback(other);
	ck_assert(str_eq(news.identity, identity));
	sql("DROP SCHEMA fleetwall CASCADE");
	must(db_init(arena, db, &applied, &roles));
	ck_assert(!str_eq(news_since(STR("")).identity, identity));
}
END_TEST

START_TEST(another_database_is_another)
{
	char *first = strdup(str_c(arena, news_since(STR("")).identity));
	teardown();
	setup();
	ck_assert_str_ne(str_c(arena, news_since(STR("")).identity), first);
	free(first);
}
END_TEST

START_TEST(a_reader_may_know_and_load)
{
	static const char *const roles[] = {"SET ROLE fleetwall_reader", "SET ROLE fleetwall_operator"};
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
		struct inventory_touched touched;
		imports_text(two, &as_it_is);
		struct loaded before = load_now();
		sql("UPDATE fleetwall.machine SET enabled = NOT enabled WHERE name = 'a'");
		sql(roles[i]);
		renewed(&before, &touched);
		ck_assert_uint_eq(touched.machine_count, 1);
		sql("RESET ROLE");
	}
}
END_TEST

/* The planner's settings are as they were. */
START_TEST(the_transaction_is_left_as_it_was)
{
	struct inventory_news news;
	struct inventory_touched touched;
	struct fleet fleet;
	struct loaded before = load_now();
	must(db_begin(db, DB_SNAPSHOT));
	must(inventory_news(arena, db, before.snapshot, &news));
	ck_assert_str_eq(asked("SHOW enable_seqscan"), "on");
	must(inventory_load_changes(arena, arena, db, before.snapshot, &before.fleet, &fleet, &touched));
	ck_assert_str_eq(asked("SHOW enable_seqscan"), "on");
	db_rollback(db);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inventory_changes");
	TCase *cases = tcase_create("inventory_changes");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, any_edits_load_as_everything_does);
	tcase_add_test(cases, only_what_changed_is_touched);
	tcase_add_test(cases, a_transaction_that_was_open_counts_when_it_ends);
	tcase_add_test(cases, a_machine_that_the_history_never_had_makes_everything_be_loaded);
	tcase_add_test(cases, where_much_changed_everything_is_loaded);
	tcase_add_test(cases, without_a_snapshot_everything_is_loaded);
	tcase_add_test(cases, history_that_was_read_back_from_a_dump);
	tcase_add_test(cases, news_of_generations);
	tcase_add_test(cases, a_schema_that_was_made_anew_is_another);
	tcase_add_test(cases, another_database_is_another);
	tcase_add_test(cases, a_reader_may_know_and_load);
	tcase_add_test(cases, the_transaction_is_left_as_it_was);
	tcase_set_timeout(cases, 60);
	suite_add_tcase(suite, cases);
	return postgres_main(suite, NULL);
}
