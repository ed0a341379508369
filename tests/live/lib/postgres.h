/* A throw-away PostgreSQL for live tests: our own private server below a temporary folder, ended and removed with the
 * program. Each test has a database of its own. */
#ifndef FLEETWALL_TESTS_POSTGRES_H
#define FLEETWALL_TESTS_POSTGRES_H

#include <check.h>

#include "fleetwall/db.h"

/* What the tests of a program share. `arena`, `db` and `conninfo` are those of the test that runs. */
extern struct arena *arena;
extern struct db *db;
extern struct str conninfo;
extern struct server server;

/* Runs the suite with a server around it; what main() returns. `once` (may be NULL) is called before the first test,
 * with a connection to the database that those of the tests will be copies of. */
int postgres_main(Suite *suite, struct error *(*once)(struct db *connection));

/* Fixtures: a new database with the inventory's schema, or an empty one, and an open connection to it. */
void postgres_setup(void);
void postgres_setup_empty(void);
void postgres_teardown(void);

/* These end the test where they fail. */
void must(struct error *error);
struct db *postgres_open(struct str where);
struct str postgres_conninfo(const char *database);
void sql(const char *text);
/* The first cell of the answer as a C string; "(null)" for NULL, "(none)" for no rows. */
const char *asked(const char *query);
/* The statements fail, the message (or hint) holds `part`; the connection is usable afterwards. */
void refused(const char *text, const char *part);
/* As `refused`, and says whose fault it is. */
void refused_as(const char *text, enum error_kind kind, const char *part);
/* The error's message and hint. */
const char *text_of(const struct error *error);

#endif
