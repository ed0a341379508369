/* The frame of a rules file, which no single line shows: one filter table, from its first line to COMMIT, with the
 * chains that its mode needs. A file without COMMIT loads nothing and says so to nobody. */
#include "fleetwall/guard.h"

#include "guard_lines.h"

enum { FINDINGS_MAX = 10 };

static struct error *bad_frame(const struct ruleset *ruleset, size_t file, unsigned number, struct str line,
                               const char *what)
{
	return guard_place(error_hint(error_new(ERROR_GUARD, "machine %.*s: %s", STR_ARG(ruleset->example->name), what),
	                              "mend the template; nothing overrides this"),
	                   ruleset, file, number, line);
}

/* The built-in chains, or those that the jumps of a shared table lead to. */
static struct error *check_chains(const struct ruleset *ruleset, size_t file)
{
	static const char *const chains[2][3] = {{"INPUT", "FORWARD", "OUTPUT"},
	                                         {"fleetwall-input", "fleetwall-output", NULL}};
	struct str policy;

	for (size_t i = 0; i < 3; i++) {
		const char *chain = chains[ruleset->mode == MODE_COEXIST][i];

		if (chain != NULL && !guard_declares(ruleset->rules[file], str_of(chain), &policy))
			return error_in(bad_frame(ruleset, file, 1, STR(""), "the chain is not declared"), "%s", chain);
	}
	return NULL;
}

static struct error *check_frame(const struct ruleset *ruleset, size_t file)
{
	struct str rest = ruleset->rules[file], line, last = STR("");
	unsigned number = 0, begun = 0, ended = 0;

	while (guard_next_line(&rest, &number, &line)) {
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (begun == 0 && !str_is(line, "*filter"))
			return bad_frame(ruleset, file, number, line, "the file does not begin with *filter");
		if (line.p[0] == '*' && begun++ > 0)
			return bad_frame(ruleset, file, number, line, "the file has more than one table");
		if (ended > 0)
			return bad_frame(ruleset, file, number, line, "something stands behind COMMIT");
		ended += str_is(line, "COMMIT");
		last = line;
	}
	if (ended == 0)
		return bad_frame(ruleset, file, number > 0 ? number : 1, last, "the file does not end with COMMIT");
	return check_chains(ruleset, file);
}

struct error *guard_frames(const struct output *output)
{
	struct error *errors = NULL;

	for (size_t i = 0; i < output->ruleset_count; i++)
		for (size_t file = 0; file < 2 && error_count(errors) < FINDINGS_MAX; file++)
			error_collect(&errors, check_frame(output->rulesets[i], file));
	return errors;
}
