/* Imports and exports in live tests. */
#include "importing.h"

#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

const struct import_options as_it_is, pruning = {.prune = true};

struct fleet document(const char *text)
{
	struct fleet fleet;
	struct error *warnings = NULL;
	must(document_read(arena, STR("test.conf"), str_of(text), &fleet, &warnings));
	return fleet;
}

struct plan imported_by(struct db *writer, const struct fleet *wanted, const struct import_options *options)
{
	struct fleet present;
	struct plan plan;
	must(inventory_lock(writer));
	must(inventory_load(arena, writer, &present));
	must(inventory_plan(arena, &present, wanted, options, &plan));
	must(inventory_write(arena, writer, &present, &plan));
	return plan;
}

struct plan imported(const struct fleet *wanted, const struct import_options *options)
{
	must(db_begin(db, DB_WRITE));
	struct plan plan = imported_by(db, wanted, options);
	must(db_commit(db));
	return plan;
}

struct fleet loaded(void)
{
	struct fleet fleet;
	must(db_begin(db, DB_SNAPSHOT));
	must(inventory_load(arena, db, &fleet));
	db_rollback(db);
	return fleet;
}

const char *exported(const struct fleet *fleet)
{
	struct buf buf = buf_new(arena);
	document_write(&buf, fleet);
	return str_c(arena, buf_str(&buf));
}

void imports(const struct fleet *wanted, const struct import_options *options)
{
	struct plan plan = imported(wanted, options);
	struct fleet fleet = loaded();
	ck_assert_str_eq(exported(&fleet), exported(&plan.target));
	const char *changes = asked("SELECT count(*) FROM fleetwall.history");
	plan = imported(wanted, options);
	ck_assert_uint_eq(plan.count, 0);
	ck_assert_str_eq(asked("SELECT count(*) FROM fleetwall.history"), changes);
}

void imports_text(const char *text, const struct import_options *options)
{
	struct fleet wanted = document(text);
	imports(&wanted, options);
}

void comes_back_elsewhere(const char *text)
{
	char *kept = strdup(text);
	postgres_teardown();
	postgres_setup();
	struct fleet wanted = document(kept);
	imports(&wanted, &as_it_is);
	struct fleet fleet = loaded();
	ck_assert_str_eq(exported(&fleet), kept);
	free(kept);
}
