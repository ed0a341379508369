/* What became of a claim: offered, confirmed, failed. Each is true to its fence: where somebody else has claimed the
 * machine since, for whatever run, nothing is written. */
#include "fleetwall/arena.h"
#include "ledger_parts.h"

enum { PARAMETERS_MOST = 7 };

struct result {
	const char *query;
	const struct claim *claim;
	struct str parameters[PARAMETERS_MOST]; /* the first three are the claim's */
	size_t count;
	bool taken, stopped;
};

static struct error *write_result(struct arena *arena, struct db *db, void *context)
{
	struct result *result = context;
	struct db_rows rows;

	TRY(db_query(arena, db, db_sql(result->query), result->parameters, result->count, &rows));
	result->taken = rows.count > 0;
	result->stopped = rows.count > 0 && str_is(db_cell(&rows, 0, 0), "f");
	return NULL;
}

static struct error *report(struct arena *arena, struct db *db, struct result *result, bool *taken)
{
	result->parameters[0] = ledger_number(arena, result->claim->run);
	result->parameters[1] = result->claim->item.machine;
	result->parameters[2] = ledger_number(arena, result->claim->fence);
	*taken = false;
	TRY(error_in(ledger_do(arena, db, write_result, result), "machine %.*s", STR_ARG(result->claim->item.machine)));
	*taken = result->taken;
	return NULL;
}

struct error *ledger_offered(struct arena *arena, struct db *db, const struct claim *claim, bool *taken, bool *stopped)
{
	struct result result = {.query = "push-offered", .claim = claim, .count = 3};

	*stopped = false;
	TRY(report(arena, db, &result, taken));
	*stopped = result.stopped;
	return NULL;
}

static bool is_zero(const struct digest *digest)
{
	static const struct digest zero;

	return digest_eq(digest, &zero);
}

struct error *ledger_confirmed(struct arena *arena, struct db *db, const struct claim *claim, struct str machine_id,
                               const struct digest *script, bool *taken)
{
	struct result result = {.query = "push-confirmed", .claim = claim, .count = 6};

	if (machine_id.n > 0)
		result.parameters[3] = machine_id;
	if (script != NULL && !is_zero(script))
		result.parameters[4] = ledger_hex(arena, script);
	result.parameters[5] = claim->state.whole || claim->state.drift.n > 0 ? STR("t") : STR("f");
	return report(arena, db, &result, taken);
}

struct error *ledger_failed(struct arena *arena, struct db *db, const struct claim *claim, enum failure failure,
                            struct str message, unsigned again_in, bool *taken)
{
	struct result result = {.query = "push-failed", .claim = claim, .count = PARAMETERS_MOST};

	result.parameters[3] = failure_str(failure);
	result.parameters[4] = ledger_line(arena, message);
	result.parameters[5] = failure_needs_person(failure) ? STR("t") : STR("f");
	result.parameters[6] = ledger_number(arena, again_in);
	return report(arena, db, &result, taken);
}
