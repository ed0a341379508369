/* Assertions between files, the inventory and the history: reads them, asks whether they hold, finds out which change
 * brought what does not. It decides nothing about packets. */
#include "fleetwall/buf.h"
#include "fleetwall/inventory.h"

#include "assertions.h"
#include "takeover.h"

enum {
	TOLD = 20,      /* violations that are told one by one */
	CAUSES = 100,   /* those whose cause is asked */
	RECENT = 20000, /* changes of the history that are looked through first */
};

struct error *assertions_load(struct run *run, struct arena *arena, const struct str *paths, size_t count,
                              struct assertions *assertions, struct digest *digest)
{
	struct buf all = buf_new(arena);
	struct error *errors = NULL;

	*assertions = (struct assertions){0};
	for (size_t i = 0; i < count; i++) {
		struct str text, name = paths[i];
		struct error *error = import_file(run, &name, &text);

		if (error == NULL)
			error = assertions_read(arena, name, text, assertions, &run->warnings);
		else
			error = error_hint(error_in(error, "assertions"),
			                   "fleetwall-assertions(5) says what is in such a file");
		if (error == NULL)
			buf_format(&all, "%zu %zu %.*s%.*s", paths[i].n, text.n, STR_ARG(paths[i]), STR_ARG(text));
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

/* --- the change --- */

struct looking {
	struct arena *arena;
	const struct resolved *resolved;
	struct buf lines;
	size_t place;
};

static void look_for(struct looking *looking, const char *kind, struct str name, struct str more)
{
	buf_format(&looking->lines, "%s%zu\t%s %.*s", looking->lines.n > 0 ? "\n" : "", looking->place, kind,
	           STR_ARG(name));
	if (more.n > 0)
		buf_format(&looking->lines, " %.*s", STR_ARG(more));
}

static const struct str nothing_more = {NULL, 0};

static void look_for_machine(struct looking *looking, const struct machine *machine, struct str role)
{
	look_for(looking, "machine", machine->name, nothing_more);
	look_for(looking, "address", machine->name, nothing_more);
	if (role.n > 0)
		look_for(looking, "member", role, machine->name);
	else
		look_for(looking, "member", STR("*"), machine->name);
}

/* What the rule's peers are, as far as the other end is concerned. */
static void look_for_peers(struct looking *looking, const struct effective_rule *rule, const struct machine *other)
{
	for (size_t i = 0; i < rule->held->rule.peer_count; i++) {
		const struct peer *peer = &rule->held->rule.peers[i];
		struct str role = peer->kind == PEER_SELF ? rule->role->name : peer->name;

		if (peer->kind == PEER_NETWORK)
			look_for(looking, "prefix", peer->name, nothing_more);
		if ((peer->kind == PEER_ROLE || peer->kind == PEER_SELF) && other != NULL) {
			look_for(looking, "role", role, nothing_more);
			look_for_machine(looking, other, role);
		}
		if (peer->kind == PEER_MACHINE && other != NULL)
			look_for(looking, "address", peer->name, nothing_more);
	}
}

static void look_for_rule(struct looking *looking, const struct effective_rule *rule)
{
	const struct rule *said = &rule->held->rule;

	look_for(looking, "rule", rule->role->name, str_of(rule->id));
	look_for(looking, "role", rule->role->name, nothing_more);
	if (said->what.kind == WHAT_SERVICE)
		look_for(looking, "port", said->what.service, nothing_more);
}

/* Where no rule decides, one that is gone may have, of any role that the machine has, or had. */
static void look_for_default(struct looking *looking, const struct machine *machine)
{
	const struct fleet *fleet = looking->resolved->fleet;
	const struct resolved_machine *resolved = &looking->resolved->machines[machine - fleet->machines];

	look_for_machine(looking, machine, nothing_more);
	for (size_t i = 0; i < resolved->role_count; i++) {
		look_for(looking, "rule", fleet->roles[resolved->roles[i]].name, nothing_more);
		look_for(looking, "role", fleet->roles[resolved->roles[i]].name, nothing_more);
	}
}

static void look_for_violation(struct looking *looking, const struct policy_violation *violation)
{
	const struct machine *judged = violation->out ? violation->source : violation->destination;
	const struct machine *other = violation->out ? violation->destination : violation->source;

	if (other == NULL)
		other = violation->known;
	if (violation->rule == NULL) {
		look_for_default(looking, judged);
		if (other != NULL)
			look_for_machine(looking, other, nothing_more);
		return;
	}
	look_for_rule(looking, violation->rule);
	look_for_machine(looking, judged, violation->rule->role->name);
	look_for_peers(looking, violation->rule, other);
}

static struct error *ask_history(struct run *run, struct arena *arena, const struct str parameters[3],
                                 struct cause *causes, size_t *found)
{
	struct db_rows rows;

	TRY(db_query(arena, run->db, db_sql("assert-cause"), parameters, 3, &rows));
	for (size_t i = 0; i < rows.count; i++) {
		uint64_t place = 0;

		if (str_number(db_cell(&rows, i, 0), CAUSES - 1, &place))
			causes[place] = (struct cause){db_cell(&rows, i, 1), db_cell(&rows, i, 2),
			                               db_cell(&rows, i, 3), db_cell(&rows, i, 4),
			                               db_cell(&rows, i, 5), db_cell(&rows, i, 6),
			                               db_cell(&rows, i, 7)};
	}
	*found = rows.count;
	return NULL;
}

/* What came last was done lately, as a rule; all of a long history takes seconds. */
struct error *assertions_causes(struct run *run, struct arena *arena, const struct resolved *resolved,
                                const struct policy *policy, struct cause **causes)
{
	struct looking looking = {.arena = arena, .resolved = resolved, .lines = buf_new(arena)};
	struct str parameters[3] = {{NULL, 0}, {NULL, 0}, str_format(arena, "%d", RECENT)};
	size_t found;

	*causes = ARENA_ARRAY(arena, struct cause, policy->count);
	for (; looking.place < policy->count && looking.place < CAUSES; looking.place++)
		look_for_violation(&looking, &policy->violations[looking.place]);
	parameters[0] = buf_str(&looking.lines);
	if (run_has(run, "at"))
		parameters[1] = str_format(arena, "%lld", (long long)resolved->fleet->clock);
	TRY(ask_history(run, arena, parameters, *causes, &found));
	parameters[2] = nothing_more;
	return found < looking.place ? ask_history(run, arena, parameters, *causes, &found) : NULL;
}

struct str cause_str(struct arena *arena, const struct cause *cause)
{
	struct buf buf = buf_new(arena);

	if (cause->number.n == 0)
		return buf_str(&buf);
	buf_format(&buf, "change %.*s, %.*s, by %.*s", STR_ARG(cause->number), STR_ARG(cause->at), STR_ARG(cause->who));
	if (cause->os_user.n > 0 && !str_eq(cause->os_user, cause->who))
		buf_format(&buf, " (%.*s)", STR_ARG(cause->os_user));
	if (cause->ticket.n > 0)
		buf_format(&buf, ", ticket %.*s", STR_ARG(cause->ticket));
	buf_format(&buf, ": %.*s %.*s", STR_ARG(cause->operation), STR_ARG(cause->what));
	return buf_str(&buf);
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
		error = error_hint(error, "it came with %.*s", STR_ARG(brought));
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
	TRY(assertions_causes(run, arena, resolved, policy, &causes));
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
