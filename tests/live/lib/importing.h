/* Imports and exports in live tests: documents in, the inventory out, compared as the documents that they would be
 * exported as. On the database of the test that runs (postgres.h). */
#ifndef FLEETWALL_TESTS_IMPORTING_H
#define FLEETWALL_TESTS_IMPORTING_H

#include "fleetwall/document.h"
#include "fleetwall/inventory.h"
#include "postgres.h"

extern const struct import_options as_it_is, pruning;

struct fleet document(const char *text);
/* In the open transaction of `writer`, with its lock. */
struct plan imported_by(struct db *writer, const struct fleet *wanted, const struct import_options *options);
/* In a transaction of its own. */
struct plan imported(const struct fleet *wanted, const struct import_options *options);
/* After the import the database holds what the plan said, and the same import has nothing to do and writes nothing. */
void imports(const struct fleet *wanted, const struct import_options *options);
void imports_text(const char *text, const struct import_options *options);

struct fleet loaded(void);
const char *exported(const struct fleet *fleet);
/* The text, imported into an empty database, is exported as the same bytes. Changes to a new database, and frees what
 * was made before. */
void comes_back_elsewhere(const char *text);

#endif
