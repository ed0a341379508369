/* One wording of what a round came to, for people and for programs. Prints nothing itself. */
#include "outcome.h"

const char *const outcome_names[OUTCOME_COLUMNS] = {"generation", "state", "digest",  "machines",
                                                    "rulesets",   "sets",  "changed", "seconds"};

static const char *state_name(const struct regeneration *result)
{
	switch (result->state) {
	case REGENERATED_UNCHANGED:
		return "unchanged";
	case REGENERATED_PUBLISHED:
		return "published";
	}
	return "unchanged";
}

void outcome_cells(struct arena *arena, const struct regeneration *result, struct cell *cells)
{
	char hex[65];

	digest_hex(&result->digest, hex);
	cells[0] = cell_number((int64_t)result->number);
	cells[1] = cell_text(str_of(state_name(result)));
	cells[2] = cell_text(str_copy(arena, str_of(hex)));
	cells[3] = cell_number((int64_t)result->machines);
	cells[4] = cell_number((int64_t)result->rulesets);
	cells[5] = cell_number((int64_t)result->sets);
	cells[6] = cell_number((int64_t)result->changed);
	cells[7] = cell_json(str_format(arena, "%.3f", result->seconds));
}

const char *outcome_changed(size_t count)
{
	return count == 1 ? "machine or set" : "machines and sets";
}

struct str outcome_line(struct arena *arena, const struct regeneration *result)
{
	return str_format(arena,
	                  "generation %llu %s: %zu machine%s, %zu distinct ruleset%s, %zu set file%s; %zu %s changed "
	                  "(%.3f s)",
	                  (unsigned long long)result->number, state_name(result), result->machines,
	                  str_plural(result->machines), result->rulesets, str_plural(result->rulesets), result->sets,
	                  str_plural(result->sets), result->changed,
	                  outcome_changed(result->changed), result->seconds);
}
