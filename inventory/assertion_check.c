/* Does everything that assertions name exist in the fleet? A role without members does, and is no fault. Changes
 * nothing. */
#include "fleetwall/arena.h"
#include "fleetwall/assertion.h"
#include "fleet_faults.h"
#include "fleet_fields.h"

struct check {
	struct arena *arena;
	const struct fleet *fleet;
	struct faults faults;
};

struct words {
	struct str *items;
	size_t count, capacity;
};

static struct words machine_names(const struct check *check)
{
	struct words words = {0};

	for (size_t i = 0; i < check->fleet->machine_count; i++)
		APPEND(check->arena, &words, check->fleet->machines[i].name);
	return words;
}

static struct words network_names(const struct check *check)
{
	struct words words = {0};

	for (size_t i = 0; i < check->fleet->network_count; i++)
		APPEND(check->arena, &words, check->fleet->networks[i].name);
	return words;
}

static struct words role_names(const struct check *check)
{
	struct words words = {0};

	for (size_t i = 0; i < check->fleet->role_count; i++)
		if (machine_of_role(check->fleet->roles[i].name).n == 0)
			APPEND(check->arena, &words, check->fleet->roles[i].name);
	return words;
}

static struct words service_names(const struct check *check)
{
	struct words words = {0};

	for (size_t i = 0; i < check->fleet->service_count; i++)
		APPEND(check->arena, &words, check->fleet->services[i].name);
	return words;
}

static void report(struct check *check, const struct assertion *assertion, unsigned column, const char *kind,
                   struct str name, struct words words)
{
	struct place place = assertion->place;
	struct error *error = error_new(ERROR_UNKNOWN, "there is no %s \"%.*s\"", kind, STR_ARG(name));

	place.column = column;
	faults_add(&check->faults, error_at(hint_nearest(error, name, words.items, words.count), place));
}

static void check_peer(struct check *check, const struct assertion *assertion, const struct peer *peer, unsigned column)
{
	const struct fleet *fleet = check->fleet;

	switch (peer->kind) {
	case PEER_MACHINE:
		if (fleet_machine(fleet, peer->name) == NULL)
			report(check, assertion, column, "machine", peer->name, machine_names(check));
		break;
	case PEER_NETWORK:
		if (fleet_network(fleet, peer->name) == NULL)
			report(check, assertion, column, "network", peer->name, network_names(check));
		break;
	case PEER_ROLE:
		if (fleet_role(fleet, peer->name) == NULL)
			report(check, assertion, column, "role", peer->name, role_names(check));
		break;
	case PEER_LITERAL:
	case PEER_SELF:
		break;
	}
}

static void check_end(struct check *check, const struct assertion *assertion, const struct assertion_end *end)
{
	for (size_t i = 0; i < end->count; i++)
		check_peer(check, assertion, &end->peers[i], end->columns[i]);
}

struct error *assertions_check(struct arena *arena, const struct assertions *assertions, const struct fleet *fleet)
{
	struct check check = {.arena = arena, .fleet = fleet};

	for (size_t i = 0; i < assertions->count; i++) {
		const struct assertion *assertion = &assertions->items[i];
		const struct what *what = &assertion->what;

		check_end(&check, assertion, &assertion->source);
		check_end(&check, assertion, &assertion->destination);
		if (what->kind == WHAT_SERVICE && fleet_service(fleet, what->service) == NULL)
			report(&check, assertion, assertion->what_column, "service", what->service,
			       service_names(&check));
	}
	return faults_end(&check.faults);
}
