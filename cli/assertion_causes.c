/* Which change brought what an assertion does not allow. The history says which changes touch what takes part in it;
 * each is told only if it is shown: the inventory as it was before the change kept to the assertion there, and with the
 * change it does not. What can't be shown is not known, and nothing is said. */
#include <stdlib.h>

#include "fleetwall/buf.h"
#include "fleetwall/inventory.h"

#include "assertions.h"

enum {
	CAUSES = 100,   /* violations whose cause is asked */
	RECENT = 20000, /* changes of the history that are looked through first */
	TRIED = 8,      /* changes that may be it, of one violation */
};

/* --- what takes part --- */

struct looking {
	struct arena *arena;
	const struct resolved *resolved;
	struct cause_wanted wanted;
};

static void look_for_machine(struct looking *looking, const struct machine *machine, struct str role)
{
	cause_want(&looking->wanted, "machine", machine->name, cause_no_more);
	cause_want(&looking->wanted, "address", machine->name, cause_no_more);
	if (role.n > 0)
		cause_want(&looking->wanted, "member", role, machine->name);
	else
		cause_want(&looking->wanted, "member", STR("*"), machine->name);
}

/* What the rule's peers are, as far as the other end is concerned. */
static void look_for_peers(struct looking *looking, const struct effective_rule *rule, const struct machine *other)
{
	for (size_t i = 0; i < rule->held->rule.peer_count; i++) {
		const struct peer *peer = &rule->held->rule.peers[i];
		struct str role = peer->kind == PEER_SELF ? rule->role->name : peer->name;

		if (peer->kind == PEER_NETWORK)
			cause_want(&looking->wanted, "prefix", peer->name, cause_no_more);
		if ((peer->kind == PEER_ROLE || peer->kind == PEER_SELF) && other != NULL) {
			cause_want(&looking->wanted, "role", role, cause_no_more);
			look_for_machine(looking, other, role);
		}
		if (peer->kind == PEER_MACHINE && other != NULL)
			cause_want(&looking->wanted, "address", peer->name, cause_no_more);
	}
}

static void look_for_rule(struct looking *looking, const struct effective_rule *rule)
{
	const struct rule *said = &rule->held->rule;

	cause_want(&looking->wanted, "rule", rule->role->name, str_of(rule->id));
	cause_want(&looking->wanted, "role", rule->role->name, cause_no_more);
	if (said->what.kind == WHAT_SERVICE)
		cause_want(&looking->wanted, "port", said->what.service, cause_no_more);
}

/* Where no rule decides, one that is gone may have, of any role that the machine has, or had. */
static void look_for_default(struct looking *looking, const struct machine *machine)
{
	const struct fleet *fleet = looking->resolved->fleet;
	const struct resolved_machine *resolved = &looking->resolved->machines[machine - fleet->machines];

	look_for_machine(looking, machine, cause_no_more);
	for (size_t i = 0; i < resolved->role_count; i++) {
		cause_want(&looking->wanted, "rule", fleet->roles[resolved->roles[i]].name, cause_no_more);
		cause_want(&looking->wanted, "role", fleet->roles[resolved->roles[i]].name, cause_no_more);
	}
}

/* Of whom the assertion speaks has changed where somebody came to be one of them. */
static void look_for_end(struct looking *looking, const struct assertion_end *end, const struct machine *machine)
{
	for (size_t i = 0; i < end->count; i++) {
		const struct peer *peer = &end->peers[i];

		if (peer->kind == PEER_NETWORK)
			cause_want(&looking->wanted, "prefix", peer->name, cause_no_more);
		if (peer->kind == PEER_ROLE)
			cause_want(&looking->wanted, "role", peer->name, cause_no_more);
		if (peer->kind == PEER_ROLE && machine != NULL)
			look_for_machine(looking, machine, peer->name);
	}
}

static void look_for_assertion(struct looking *looking, const struct policy_violation *violation)
{
	const struct assertion *assertion = violation->assertion;

	look_for_end(looking, &assertion->source, violation->source != NULL ? violation->source : violation->known);
	look_for_end(looking, &assertion->destination, violation->destination);
	if (assertion->what.kind == WHAT_SERVICE)
		cause_want(&looking->wanted, "port", assertion->what.service, cause_no_more);
}

static void look_for_violation(struct looking *looking, const struct policy_violation *violation)
{
	const struct machine *judged = violation->out ? violation->source : violation->destination;
	const struct machine *other = violation->out ? violation->destination : violation->source;

	if (other == NULL)
		other = violation->known;
	look_for_assertion(looking, violation);
	if (violation->rule == NULL) {
		look_for_default(looking, judged);
		if (other != NULL)
			look_for_machine(looking, other, cause_no_more);
		return;
	}
	look_for_rule(looking, violation->rule);
	look_for_machine(looking, judged, violation->rule->role->name);
	look_for_peers(looking, violation->rule, other);
}

/* --- changes that may be it --- */

struct candidate {
	struct cause cause;
	uint64_t number;
	struct str before, after; /* snapshots: of the inventory without it, and with it as the last */
};

struct candidates {
	struct candidate items[TRIED]; /* the latest first */
	size_t count, next;            /* those before `next` are not it */
	bool gone;                     /* without `next` the assertion held */
	bool over;                     /* the cause is found, or can't be */
};

static struct candidate candidate_of(const struct db_rows *rows, size_t i)
{
	struct candidate candidate = {
		.cause = cause_of(rows, i),
		.before = db_cell(rows, i, 8),
		.after = db_cell(rows, i, 9),
	};

	(void)!str_number(candidate.cause.number, UINT64_MAX, &candidate.number);
	return candidate;
}

/* *found: violations with a candidate. */
static struct error *ask_history(struct run *run, struct arena *arena, const struct str parameters[4],
                                 struct candidates *candidates, size_t *found)
{
	struct db_rows rows;

	*found = 0;
	TRY(db_query(arena, run->db, db_sql("assert-cause"), parameters, 4, &rows));
	for (size_t i = 0; i < rows.count; i++) {
		struct candidates *of;
		uint64_t place = 0;

		if (!str_number(db_cell(&rows, i, 0), CAUSES - 1, &place))
			continue;
		of = &candidates[place];
		if (i == 0 || !str_eq(db_cell(&rows, i, 0), db_cell(&rows, i - 1, 0))) {
			of->count = 0;
			++*found;
		}
		if (of->count < TRIED)
			of->items[of->count++] = candidate_of(&rows, i);
	}
	return NULL;
}

/* What came last was done lately, as a rule; all of a long history takes seconds. */
static struct error *find_candidates(struct run *run, struct arena *arena, const struct resolved *resolved,
                                     const struct policy *policy, struct candidates *candidates, size_t count)
{
	struct looking looking = {.arena = arena, .resolved = resolved, .wanted = {buf_new(arena), 0}};
	struct str parameters[4] = {{NULL, 0}, {NULL, 0}, str_format(arena, "%d", RECENT),
	                            str_format(arena, "%d", TRIED)};
	size_t found;

	for (; looking.wanted.place < count; looking.wanted.place++)
		look_for_violation(&looking, &policy->violations[looking.wanted.place]);
	parameters[0] = buf_str(&looking.wanted.text);
	if (run_has(run, "at"))
		parameters[1] = str_format(arena, "%lld", (long long)resolved->fleet->clock);
	TRY(ask_history(run, arena, parameters, candidates, &found));
	parameters[2] = cause_no_more;
	return found < count ? ask_history(run, arena, parameters, candidates, &found) : NULL;
}

/* --- is it so? --- */

/* An inventory of the history, at the present clock: rules begin and end without a change. */
struct then {
	struct run *run;
	struct arena *arena;
	struct fleet fleet;
	struct resolved *resolved;
};

static struct error *then_load(struct then *then, struct str snapshot, int64_t clock)
{
	const struct before before = {.time = TIME_NONE, .snapshot = snapshot};
	struct error *error;

	TRY(db_begin(then->run->db, DB_SNAPSHOT));
	error = inventory_load_before(then->arena, then->run->db, &before, &then->fleet);
	db_rollback(then->run->db);
	then->fleet.clock = clock;
	if (error == NULL)
		then->resolved = resolve(then->arena, &then->fleet);
	return error;
}

static bool same_rule(const struct effective_rule *a, const struct effective_rule *b)
{
	return a == NULL || b == NULL ? a == b
	                              : str_eq(a->role->name, b->role->name) && str_eq(a->held->text, b->held->text);
}

static bool speaks_of(const struct policy_violation *violation, const struct fleet *fleet,
                      const struct machine *machine)
{
	if (machine == NULL || violation->machine_count > violation->machine_shown)
		return true;
	for (size_t i = 0; i < violation->machine_shown; i++)
		if (str_eq(fleet->machines[violation->machines[i]].name, machine->name))
			return true;
	return false;
}

/* For the same reason, on the same machine. What it names did not exist: then it was not violated. */
static bool is_violated(const struct then *then, const struct policy_violation *violation)
{
	struct assertion assertion = *violation->assertion;
	const struct assertions one = {&assertion, 1, 1};
	struct policy policy;

	if (assertions_check(then->arena, &one, &then->fleet) != NULL)
		return false;
	policy_judge(then->arena, then->resolved, &then->run->config.settings, &one, &policy);
	for (size_t i = 0; i < policy.count; i++) {
		const struct policy_violation *other = &policy.violations[i];

		if (other->out == violation->out && other->stage == violation->stage &&
		    same_rule(other->rule, violation->rule) &&
		    speaks_of(other, &then->fleet, violation->out ? violation->source : violation->destination))
			return true;
	}
	return false;
}

struct tracing {
	struct run *run;
	const struct resolved *resolved;
	const struct policy *policy;
	struct candidates *candidates;
	size_t count;
	struct cause *causes;
	unsigned looks; /* at inventories that are left */
};

static const struct candidate *candidate_at(const struct candidates *of)
{
	return !of->over && of->next < of->count ? &of->items[of->next] : NULL;
}

static const struct candidate *latest(const struct tracing *tracing)
{
	const struct candidate *found = NULL;

	for (size_t i = 0; i < tracing->count; i++) {
		const struct candidate *candidate = candidate_at(&tracing->candidates[i]);

		if (candidate != NULL && (found == NULL || candidate->number > found->number))
			found = candidate;
	}
	return found;
}

/* Of those whose turn is a change of that transaction, without it. */
static void look_before(struct tracing *tracing, const struct then *then, struct str before)
{
	for (size_t i = 0; i < tracing->count; i++) {
		const struct candidate *candidate = candidate_at(&tracing->candidates[i]);

		if (candidate == NULL || !str_eq(candidate->before, before))
			continue;
		tracing->candidates[i].gone = !is_violated(then, &tracing->policy->violations[i]);
		if (!tracing->candidates[i].gone)
			tracing->candidates[i].next++;
	}
}

/* With it. Another change brought it, if that was not violated. */
static void look_after(struct tracing *tracing, const struct then *then)
{
	for (size_t i = 0; i < tracing->count; i++) {
		struct candidates *of = &tracing->candidates[i];

		if (of->over || !of->gone)
			continue;
		if (is_violated(then, &tracing->policy->violations[i]))
			tracing->causes[i] = of->items[of->next].cause;
		of->over = true;
	}
}

static bool any_gone(const struct tracing *tracing)
{
	for (size_t i = 0; i < tracing->count; i++)
		if (!tracing->candidates[i].over && tracing->candidates[i].gone)
			return true;
	return false;
}

static struct error *look(struct tracing *tracing, struct arena *arena, const struct candidate *candidate)
{
	struct then then = {.run = tracing->run, .arena = arena};
	int64_t clock = tracing->resolved->fleet->clock;

	tracing->looks--;
	TRY(then_load(&then, candidate->before, clock));
	look_before(tracing, &then, candidate->before);
	if (!any_gone(tracing))
		return NULL;
	arena_reset(arena);
	TRY(then_load(&then, candidate->after, clock));
	look_after(tracing, &then);
	return NULL;
}

struct error *assertions_causes(struct run *run, struct arena *arena, const struct resolved *resolved,
                                const struct policy *policy, unsigned looks, struct cause **causes)
{
	size_t count = policy->count < CAUSES ? policy->count : CAUSES;
	struct tracing tracing = {run, resolved, policy, ARENA_ARRAY(arena, struct candidates, count), count,
	                          ARENA_ARRAY(arena, struct cause, policy->count), looks};
	const struct candidate *candidate;
	struct error *error = NULL;
	struct arena *scratch;

	*causes = tracing.causes;
	TRY(find_candidates(run, arena, resolved, policy, tracing.candidates, count));
	scratch = arena_new();
	while (error == NULL && tracing.looks > 0 && (candidate = latest(&tracing)) != NULL) {
		error = look(&tracing, scratch, candidate);
		arena_reset(scratch);
	}
	arena_free(scratch);
	return error;
}
