/* References: does everything that a fleet names exist, in it or in the database's state? Each missing name is reported
 * once, where it is first named, with the nearest name that exists. Changes nothing. */
#include "fleetwall/fleet.h"

#include "fleet_faults.h"
#include "fleet_fields.h"
#include "fleetwall/arena.h"

/* So many words are compared for hints in one run; a fleet of 100,000 machines full of faults must not take minutes. */
#define HINT_WORDS 1000000

enum kind { KIND_MACHINE, KIND_ROLE, KIND_NETWORK, KIND_SERVICE, KINDS };

static const char *const kind_names[KINDS] = {"machine", "role", "network", "service"};

struct words {
	struct str *items;
	size_t count, capacity;
};

struct check {
	const struct fleet *fleet, *also; /* also: may be NULL */
	struct arena *arena;
	struct names *missing[KINDS];     /* those that were reported */
	struct words words[KINDS];        /* all names that exist, made when the first hint is wanted */
	size_t compared;
	struct faults faults;
};

static bool exists_in(const struct fleet *fleet, enum kind kind, struct str name)
{
	switch (kind) {
	case KIND_MACHINE: return fleet_machine(fleet, name) != NULL;
	case KIND_ROLE: return fleet_role(fleet, name) != NULL;
	case KIND_NETWORK: return fleet_network(fleet, name) != NULL;
	case KIND_SERVICE: return fleet_service(fleet, name) != NULL;
	case KINDS: break;
	}
	return false;
}

static void add_words(struct check *check, enum kind kind, const struct fleet *fleet)
{
	struct words *words = &check->words[kind];

	switch (kind) {
	case KIND_MACHINE:
		for (size_t i = 0; i < fleet->machine_count; i++)
			if (!fleet->machines[i].referred)
				APPEND(check->arena, words, fleet->machines[i].name);
		break;
	case KIND_ROLE:
		for (size_t i = 0; i < fleet->role_count; i++)
			if (!fleet->roles[i].referred)
				APPEND(check->arena, words, fleet->roles[i].name);
		break;
	case KIND_NETWORK:
		for (size_t i = 0; i < fleet->network_count; i++)
			APPEND(check->arena, words, fleet->networks[i].name);
		break;
	case KIND_SERVICE:
		for (size_t i = 0; i < fleet->service_count; i++)
			APPEND(check->arena, words, fleet->services[i].name);
		break;
	case KINDS:
		break;
	}
}

static struct error *with_nearest(struct check *check, struct error *error, enum kind kind, struct str name)
{
	struct words *words = &check->words[kind];

	if (check->compared > HINT_WORDS)
		return error;
	if (words->count == 0) {
		add_words(check, kind, check->fleet);
		if (check->also != NULL)
			add_words(check, kind, check->also);
	}
	check->compared += words->count;
	error = hint_nearest(error, name, words->items, words->count);
	if (error->hint.n > 0)
		return error;
	return error_hint(error, "fleetwall %s list shows those that there are", kind_names[kind]);
}

static void report(struct check *check, enum kind kind, struct str name, const char *context, struct str of,
                   struct place place)
{
	struct error *error;
	uint32_t known = names_count(check->missing[kind]);

	if (names_add(check->missing[kind], name) < known)
		return;
	error = error_new(ERROR_UNKNOWN, "%s %.*s: there is no %s \"%.*s\"", context, STR_ARG(of), kind_names[kind],
	                  STR_ARG(name));
	faults_add(&check->faults, error_at(with_nearest(check, error, kind, name), place));
}

static void check_name(struct check *check, enum kind kind, struct str name, const char *context, struct str of,
                       struct place place)
{
	if (!exists_in(check->fleet, kind, name) && (check->also == NULL || !exists_in(check->also, kind, name)))
		report(check, kind, name, context, of, place);
}

static void check_peer(struct check *check, const struct peer *peer, const struct role *role, struct place place)
{
	switch (peer->kind) {
	case PEER_MACHINE: check_name(check, KIND_MACHINE, peer->name, "a rule of role", role->name, place); break;
	case PEER_NETWORK: check_name(check, KIND_NETWORK, peer->name, "a rule of role", role->name, place); break;
	case PEER_ROLE: check_name(check, KIND_ROLE, peer->name, "a rule of role", role->name, place); break;
	case PEER_LITERAL:
	case PEER_SELF: break;
	}
}

static void check_rule(struct check *check, const struct role *role, const struct role_rule *rule)
{
	struct place place = rule->place.line > 0 ? rule->place : role->place;

	if (rule->rule.what.kind == WHAT_SERVICE)
		check_name(check, KIND_SERVICE, rule->rule.what.service, "a rule of role", role->name, place);
	for (size_t i = 0; i < rule->rule.peer_count; i++)
		check_peer(check, &rule->rule.peers[i], role, place);
}

/* What rows only refer to must be in the database already: the fleet itself does not make it. */
static void check_referred(struct check *check, enum kind kind, struct str name, struct place place)
{
	struct error *error;

	if (check->also != NULL && exists_in(check->also, kind, name))
		return;
	if (names_find(check->missing[kind], name) != NAMES_NONE)
		return;
	names_add(check->missing[kind], name);
	error = error_new(ERROR_UNKNOWN, "there is no %s \"%.*s\"", kind_names[kind], STR_ARG(name));
	faults_add(&check->faults, error_at(with_nearest(check, error, kind, name), place));
}

static void check_role(struct check *check, const struct role *role)
{
	struct str machine = machine_of_role(role->name);

	if (role->referred)
		check_referred(check, KIND_ROLE, role->name, role->place);
	if (machine.n > 0)
		check_name(check, KIND_MACHINE, machine, "role", role->name, role->place);
	for (size_t i = 0; i < role->rule_count; i++)
		check_rule(check, role, &role->rules[i]);
}

/* A string that is a slice of a source stands there; others stand where their object does. */
static struct place place_of(const struct fleet *fleet, struct str s, struct place otherwise)
{
	for (size_t i = 0; i < fleet->source_count; i++) {
		const struct source *source = &fleet->sources[i];
		uintptr_t begin = (uintptr_t)source->text.p, at = (uintptr_t)s.p;

		if (at >= begin && at < begin + source->text.n)
			return place_in(source->name, source->text, 0, 1, at - begin);
	}
	return otherwise;
}

static void check_machine(struct check *check, const struct machine *machine)
{
	if (machine->referred)
		check_referred(check, KIND_MACHINE, machine->name, machine->place);
	for (size_t i = 0; i < machine->role_count; i++) {
		struct str role = machine->roles[i];

		if (!exists_in(check->fleet, KIND_ROLE, role) &&
		    (check->also == NULL || !exists_in(check->also, KIND_ROLE, role)))
			report(check, KIND_ROLE, role, "machine", machine->name,
			       place_of(check->fleet, role, machine->place));
	}
}

struct error *fleet_check(struct arena *arena, const struct fleet *fleet, const struct fleet *also)
{
	struct check check = {.fleet = fleet, .also = also, .arena = arena};

	for (enum kind kind = 0; kind < KINDS; kind++)
		check.missing[kind] = names_new(arena);
	for (size_t i = 0; i < fleet->role_count; i++)
		check_role(&check, &fleet->roles[i]);
	for (size_t i = 0; i < fleet->machine_count; i++)
		check_machine(&check, &fleet->machines[i]);
	return faults_end(&check.faults);
}
