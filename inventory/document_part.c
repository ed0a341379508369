/* The part of the inventory that the document of one owner owns, as a fleet of its own. Copies no strings, looks up no
 * references: a part may speak of what others own. */
#include "fleetwall/document.h"

#include "fleet_fields.h"
#include "fleetwall/arena.h"

static void part_machines(struct arena *arena, const struct fleet *fleet, struct fleet *part)
{
	part->machines = ARENA_ARRAY(arena, struct machine, fleet->machine_count);
	for (size_t i = 0; i < fleet->machine_count; i++)
		if (str_eq(fleet->machines[i].document, part->owner))
			part->machines[part->machine_count++] = fleet->machines[i];
}

/* A machine's own role goes where its machine goes. */
static void part_roles(struct arena *arena, const struct fleet *fleet, struct fleet *part)
{
	part->roles = ARENA_ARRAY(arena, struct role, fleet->role_count);
	for (size_t i = 0; i < fleet->role_count; i++) {
		const struct role *role = &fleet->roles[i];
		struct str machine = machine_of_role(role->name);

		if (machine.n > 0 ? fleet_machine(part, machine) != NULL : str_eq(role->document, part->owner))
			part->roles[part->role_count++] = *role;
	}
}

static void part_networks(struct arena *arena, const struct fleet *fleet, struct fleet *part)
{
	part->networks = ARENA_ARRAY(arena, struct network, fleet->network_count);
	for (size_t i = 0; i < fleet->network_count; i++)
		if (str_eq(fleet->networks[i].document, part->owner))
			part->networks[part->network_count++] = fleet->networks[i];
}

static void part_services(struct arena *arena, const struct fleet *fleet, struct fleet *part)
{
	part->services = ARENA_ARRAY(arena, struct service, fleet->service_count);
	for (size_t i = 0; i < fleet->service_count; i++)
		if (str_eq(fleet->services[i].document, part->owner))
			part->services[part->service_count++] = fleet->services[i];
}

static struct error *nothing_owned(struct arena *arena, const struct fleet *fleet, struct str owner)
{
	struct str *words = ARENA_ARRAY(arena, struct str, fleet->machine_count + fleet->role_count);
	size_t count = 0;

	for (size_t i = 0; i < fleet->machine_count; i++)
		words[count++] = fleet->machines[i].document;
	for (size_t i = 0; i < fleet->role_count; i++)
		words[count++] = fleet->roles[i].document;
	return hint_nearest(error_new(ERROR_UNKNOWN, "no document of the owner '%.*s' owns anything", STR_ARG(owner)),
	                    owner, words, count);
}

struct error *document_part(struct arena *arena, const struct fleet *fleet, struct str owner, struct fleet *part)
{
	*part = (struct fleet){.owner = owner, .clock = fleet->clock};
	part_machines(arena, fleet, part);
	part_roles(arena, fleet, part);
	part_networks(arena, fleet, part);
	part_services(arena, fleet, part);
	if (part->machine_count + part->role_count + part->network_count + part->service_count > 0)
		return NULL;
	return nothing_owned(arena, fleet, owner);
}
