/* Whose an object is: a document that has an owner changes nothing that the document of another owner says. Only to
 * name such an object, and to speak of it in rules and memberships, is free. Documents without an owner, CSV and
 * commands are not held back here. */
#include "plan.h"

#include "fleet_faults.h"

struct owning {
	const struct fleet *present;
	struct str owner;
	struct faults faults;
};

static void check(struct owning *owning, const char *kind, struct str name, struct str present, unsigned given,
                  struct place place)
{
	struct error *error;

	if (given == 0 || present.n == 0 || str_eq(present, owning->owner))
		return;
	error = error_new(ERROR_INPUT, "the %s '%.*s' belongs to the document of '%.*s', not to that of '%.*s'", kind,
	                  STR_ARG(name), STR_ARG(present), STR_ARG(owning->owner));
	faults_add(
		&owning->faults,
		error_at(error_hint(error, "'%.*s' may refer to it, and name it without fields; '%.*s' says what it is",
	                            STR_ARG(owning->owner), STR_ARG(present)),
	                 place));
}

static void check_machines(struct owning *owning, struct pairs pairs)
{
	const void *before, *after;

	while (pairs_next(&pairs, &before, &after)) {
		const struct machine *present = before, *wanted = after;
		if (present != NULL && wanted != NULL)
			check(owning, "machine", wanted->name, present->document, wanted->given, wanted->place);
	}
}

/* A machine's own rules are the machine's. */
static struct str role_document(const struct owning *owning, const struct role *wanted)
{
	struct str name = machine_of_role(wanted->name);
	const struct machine *machine = name.n > 0 ? fleet_machine(owning->present, name) : NULL;
	const struct role *role = fleet_role(owning->present, wanted->name);

	return machine != NULL ? machine->document : role != NULL ? role->document : STR("");
}

static void check_roles(struct owning *owning, const struct fleet *wanted)
{
	for (size_t i = 0; i < wanted->role_count; i++) {
		const struct role *role = &wanted->roles[i];
		check(owning, "role", role->name, role_document(owning, role), role->given, role->place);
	}
}

static void check_networks(struct owning *owning, struct pairs pairs)
{
	const void *before, *after;

	while (pairs_next(&pairs, &before, &after)) {
		const struct network *present = before, *wanted = after;
		if (present != NULL && wanted != NULL)
			check(owning, "network", wanted->name, present->document, wanted->given, wanted->place);
	}
}

static void check_services(struct owning *owning, struct pairs pairs)
{
	const void *before, *after;

	while (pairs_next(&pairs, &before, &after)) {
		const struct service *present = before, *wanted = after;
		if (present != NULL && wanted != NULL)
			check(owning, "service", wanted->name, present->document, wanted->given, wanted->place);
	}
}

struct error *plan_check_owners(const struct fleet *present, const struct fleet *wanted)
{
	struct owning owning = {.present = present, .owner = wanted->owner};

	if (wanted->owner.n == 0)
		return NULL;
	check_networks(&owning, PAIRS(present, wanted, networks, network_count));
	check_services(&owning, PAIRS(present, wanted, services, service_count));
	check_roles(&owning, wanted);
	check_machines(&owning, PAIRS(present, wanted, machines, machine_count));
	return faults_end(&owning.faults);
}
