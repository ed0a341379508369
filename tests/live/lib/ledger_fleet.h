/* What tests of the push ledger are made of: a fleet of machines m00…, generations with known digests, runs over them,
 * and claims that are expected to succeed. */
#ifndef FLEETWALL_TESTS_LEDGER_FLEET_H
#define FLEETWALL_TESTS_LEDGER_FLEET_H

#include "fleetwall/arena.h"
#include "fleetwall/ledger.h"
#include "postgres.h"

/* Runs tests, each with generations 1 to 9 and the machines m00 to m59 and nothing else, in one database: what main()
 * returns. */
int fleet_main(const char *name, const TTest *const *tests, size_t count);

struct str machine_name(unsigned i);
struct digest generation_digest_of(uint64_t generation);
/* What a machine shall have in a generation; `what`: 'r' its ruleset, 'p' its position. */
struct digest object_of(uint64_t generation, unsigned machine, char what);

/* Items for the machines from `first` to before `end`; `waves[i - first]` (NULL: all in wave 0). */
struct work_item *items_of(uint64_t generation, unsigned first, unsigned end, const unsigned *waves);
/* Starts a run over machines m00 … of one wave; its number. */
uint64_t started_run(uint64_t generation, unsigned machines, unsigned max_failures);
struct error *try_start(uint64_t generation, unsigned first, unsigned end, const unsigned *waves, uint64_t *run);

/* Claims at most so many; *info as it is then. */
size_t claimed(uint64_t run, size_t most, struct claim **claims, struct push_run_info *info);
/* The one claim of a machine, which must be there. */
struct claim claimed_one(uint64_t run);
struct push_run_info run_info(uint64_t run);
struct machine_state state_of_machine(const char *machine);
bool confirm(const struct claim *claim);
bool fails_with(const struct claim *claim, enum failure failure, unsigned again_in);
/* All leases end now. */
void end_leases(void);
/* The error's kind and a part of its message or hint. */
void refuses(struct error *error, enum error_kind kind, const char *part);

#endif
