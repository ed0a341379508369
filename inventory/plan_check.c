/* What would go away although something that stays refers to it. Each such object is one error, which lists who uses
 * it: a plan never takes a peer out of a rule by itself, because that would change whom the rule lets in. */
#include "plan.h"

#include <stdlib.h>

#include "fleet_faults.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

#define USERS_SHOWN 5

struct use {
	const char *kind; /* of what is used */
	struct str name, user;
};

struct checking {
	struct arena *arena;
	const struct fleet *present, *target;
	bool every; /* a command's wish: there is no document that could name what goes */
	struct use *items;
	size_t count, capacity;
};

static void used(struct checking *checking, const char *kind, struct str name, struct str user)
{
	APPEND(checking->arena, checking, ((struct use){kind, name, user}));
}

static bool peer_goes(const struct checking *checking, const struct peer *peer, const char **kind)
{
	switch (peer->kind) {
	case PEER_LITERAL:
	case PEER_SELF:
		return false;
	case PEER_MACHINE:
		*kind = "machine";
		return fleet_machine(checking->target, peer->name) == NULL &&
		       fleet_machine(checking->present, peer->name) != NULL;
	case PEER_NETWORK:
		*kind = "network";
		return fleet_network(checking->target, peer->name) == NULL &&
		       fleet_network(checking->present, peer->name) != NULL;
	case PEER_ROLE:
		*kind = "role";
		return fleet_role(checking->target, peer->name) == NULL &&
		       fleet_role(checking->present, peer->name) != NULL;
	}
	return false;
}

static bool service_goes(const struct checking *checking, const struct what *what)
{
	return what->kind == WHAT_SERVICE && fleet_service(checking->target, what->service) == NULL &&
	       fleet_service(checking->present, what->service) != NULL;
}

static void check_rule(struct checking *checking, const struct role *role, const struct role_rule *held)
{
	const struct rule *rule = &held->rule;
	const char *kind;
	struct str user = {0};
	for (size_t i = 0; i <= rule->peer_count; i++) {
		bool service = i == rule->peer_count;
		if (!(service ? service_goes(checking, &rule->what) : peer_goes(checking, &rule->peers[i], &kind)))
			continue;
		if (user.n == 0)
			user = str_format(checking->arena, "role %.*s: '%.*s'", STR_ARG(role->name),
			                  STR_ARG(held->text));
		used(checking, service ? "service" : kind, service ? rule->what.service : rule->peers[i].name, user);
	}
}

static void check_role(struct checking *checking, const struct role *role)
{
	struct str machine = machine_of_role(role->name);
	if (machine.n > 0 && fleet_machine(checking->target, machine) == NULL &&
	    fleet_machine(checking->present, machine) != NULL)
		used(checking, "machine", machine, STR("its own rules"));
	for (size_t i = 0; i < role->rule_count; i++)
		check_rule(checking, role, &role->rules[i]);
}

/* A role that was left over has been taken from the machine already: one that is still there was given. */
static void check_machine(struct checking *checking, const struct machine *machine)
{
	for (size_t i = 0; i < machine->role_count; i++) {
		struct str role = machine->roles[i];
		if (fleet_role(checking->target, role) == NULL && fleet_role(checking->present, role) != NULL)
			used(checking, "role", role,
			     str_format(checking->arena, "machine %.*s", STR_ARG(machine->name)));
	}
}

static int use_order(const void *a, const void *b)
{
	const struct use *left = a, *right = b;
	int order = str_cmp(str_of(left->kind), str_of(right->kind));
	if (order == 0)
		order = str_cmp(left->name, right->name);
	return order != 0 ? order : str_cmp(left->user, right->user);
}

/* The error for the object that the first `count` uses speak of. */
static struct error *use_error(const struct checking *checking, const struct use *uses, size_t count)
{
	struct buf users = buf_new(checking->arena);
	for (size_t i = 0; i < count && i < USERS_SHOWN; i++) {
		buf_add(&users, i == 0 ? STR("") : STR(", "));
		buf_add(&users, uses[i].user);
	}
	if (count > USERS_SHOWN)
		buf_format(&users, " and %zu more", count - USERS_SHOWN);
	return error_hint(error_new(ERROR_INPUT, "the %s '%.*s' would go, but is still used by %.*s", uses[0].kind,
	                            STR_ARG(uses[0].name), STR_ARG(buf_str(&users))),
	                  "take it out of what uses it first%s",
	                  checking->every ? "" : "; an import may also name it, and so keep it");
}

static struct error *use_errors(struct checking *checking)
{
	struct faults faults = {0};
	if (checking->count > 1)
		qsort(checking->items, checking->count, sizeof *checking->items, use_order);
	for (size_t i = 0, end; i < checking->count; i = end) {
		const struct use *uses = checking->items + i;
		end = i + 1;
		while (end < checking->count && str_is(str_of(uses->kind), checking->items[end].kind) &&
		       str_eq(uses->name, checking->items[end].name))
			end++;
		faults_add(&faults, use_error(checking, uses, end - i));
	}
	return faults_end(&faults);
}

/* Does the target have everything that was present? Then nothing can be missed. */
static bool nothing_goes(const struct fleet *present, const struct fleet *target)
{
	struct pairs all[] = {
		PAIRS(present, target, machines, machine_count),
		PAIRS(present, target, roles, role_count),
		PAIRS(present, target, networks, network_count),
		PAIRS(present, target, services, service_count),
	};
	const void *before, *after;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		while (pairs_next(&all[i], &before, &after))
			if (after == NULL)
				return false;
	return true;
}

struct error *plan_check_removed(struct arena *arena, const struct fleet *present, const struct fleet *target,
                                 bool every)
{
	if (nothing_goes(present, target))
		return NULL;
	struct checking checking = {.arena = arena, .present = present, .target = target, .every = every};
	for (size_t i = 0; i < target->role_count; i++)
		check_role(&checking, &target->roles[i]);
	for (size_t i = 0; i < target->machine_count; i++)
		check_machine(&checking, &target->machines[i]);
	return use_errors(&checking);
}
