/* Assertions between files and the inventory: reads them, asks whether they hold, refuses. It decides nothing about
 * packets; which change brought what does not hold is found in assertion_causes.c. */
#include "fleetwall/buf.h"
#include "fleetwall/inventory.h"

#include "assertions.h"

enum {
	TOLD = 20, /* violations that are told one by one */
	LOOKS = 2, /* at inventories before a change: who watches sees the latest one refused */
};

/* One that was not written, or in which all is a comment: nothing is watched over by it. */
static void warn_empty(struct run *run, struct str name)
{
	struct error *error = error_new(ERROR_INPUT, "the file holds no assertion");

	error_collect(&run->warnings, error_at(error_hint(error, "fleetwall-assertions(5) says what is in such a file"),
	                                       (struct place){.file = name}));
}

struct error *assertions_load(struct run *run, struct arena *arena, const struct str *paths, size_t count,
                              struct assertions *assertions, struct digest *digest)
{
	struct buf all = buf_new(arena);
	struct error *errors = NULL;
	size_t before = 0;

	*assertions = (struct assertions){0};
	for (size_t i = 0; i < count; i++) {
		struct str text, name = paths[i];
		struct error *error = run_file(run, &name, &text);

		if (error == NULL)
			error = assertions_read(arena, name, text, assertions, &run->warnings);
		else
			error = error_hint(error_in(error, "assertions"),
			                   "fleetwall-assertions(5) says what is in such a file");
		if (error == NULL)
			buf_format(&all, "%zu %zu %.*s%.*s", paths[i].n, text.n, STR_ARG(paths[i]), STR_ARG(text));
		if (error == NULL && assertions->count == before)
			warn_empty(run, name);
		before = assertions->count;
		error_collect(&errors, error);
	}
	*digest = digest_of(buf_str(&all));
	return errors;
}

struct error *assertions_unread(struct run *run, struct arena *arena, struct error *errors,
                                const struct assertions *assertions)
{
	struct fleet fleet;

	if (errors == NULL || assertions->count == 0 || (run->db == NULL && run_connect(run) != NULL) ||
	    db_begin(run->db, DB_SNAPSHOT) != NULL)
		return errors;
	if (inventory_load(arena, run->db, &fleet) == NULL)
		error_collect(&errors, assertions_check(arena, assertions, &fleet));
	db_rollback(run->db);
	return errors;
}

/* --- what a round does with it --- */

static struct error *refusal(struct arena *arena, const struct fleet *fleet, const struct policy_violation *violation,
                             const struct cause *cause)
{
	struct place place = violation->assertion->place;
	struct str brought = cause_str(arena, cause);
	struct buf text = buf_new(arena);
	struct error *error;

	place.column = 0;
	policy_packet_print(&text, violation);
	buf_char(&text, ' ');
	policy_reason_print(&text, violation);
	buf_add(&text, STR("; "));
	policy_machines_print(&text, fleet, violation);
	error = error_new(ERROR_GUARD, "an assertion does not hold: %.*s", STR_ARG(buf_str(&text)));
	if (brought.n > 0)
		error = error_hint(error, "since %.*s", STR_ARG(brought));
	else
		error = error_hint(error, "fleetwall assert tells more");
	return error_at(error, place);
}

static struct error *refusals(struct run *run, struct arena *arena, const struct resolved *resolved,
                              const struct policy *policy)
{
	struct error *errors = NULL;
	struct cause *causes;

	if (policy->count == 0)
		return NULL;
	TRY(assertions_causes(run, arena, resolved, policy, LOOKS, &causes));
	for (size_t i = 0; i < policy->count && i < TOLD; i++)
		error_collect(&errors, refusal(arena, resolved->fleet, &policy->violations[i], &causes[i]));
	if (policy->count > TOLD)
		error_collect(&errors, error_hint(error_new(ERROR_GUARD, "%zu more reasons why assertions do not hold",
		                                            policy->count - TOLD),
		                                  "fleetwall assert tells all of them"));
	return errors;
}

struct error *assertions_hold(struct run *run, struct arena *arena, const struct resolved *resolved,
                              const struct assertions *assertions)
{
	struct policy policy;

	TRY(assertions_check(arena, assertions, resolved->fleet));
	policy_judge(arena, resolved, &run->config.settings, assertions, &policy);
	error_collect(&run->warnings, policy_warnings(&policy));
	return refusals(run, arena, resolved, &policy);
}
