/* The model's small things: looking up by name, what a selector selects, and the words for modes, enforcement and
 * egress. Changes nothing; putting a fleet in order is fleet_normalize.c, references are fleet_check.c. */
#include "fleetwall/fleet.h"

#include <assert.h>

#include "fleetwall/arena.h"

#define MACHINE_ROLE "machine:"

/* All objects begin with their name, which is what makes one search serve for all kinds. */
_Static_assert(offsetof(struct machine, name) == 0 && offsetof(struct role, name) == 0 &&
               offsetof(struct network, name) == 0 && offsetof(struct service, name) == 0, "the name comes first");

static const void *find(const void *objects, size_t count, size_t size, struct str name)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *object = (const char *)objects + middle * size;
		int order = str_cmp(*(const struct str *)(const void *)object, name);

		if (order == 0)
			return object;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct machine *fleet_machine(const struct fleet *fleet, struct str name)
{
	return find(fleet->machines, fleet->machine_count, sizeof *fleet->machines, name);
}

const struct role *fleet_role(const struct fleet *fleet, struct str name)
{
	return find(fleet->roles, fleet->role_count, sizeof *fleet->roles, name);
}

const struct network *fleet_network(const struct fleet *fleet, struct str name)
{
	return find(fleet->networks, fleet->network_count, sizeof *fleet->networks, name);
}

const struct service *fleet_service(const struct fleet *fleet, struct str name)
{
	return find(fleet->services, fleet->service_count, sizeof *fleet->services, name);
}

bool machine_has_address(const struct machine *machine, struct addr addr)
{
	for (size_t i = 0; i < machine->address_count; i++)
		if (addr_cmp(machine->addresses[i].addr, addr) == 0)
			return true;
	return false;
}

/* Both lists are sorted by key, so one pass along both is enough. */
bool labels_contain(const struct label *labels, size_t count, const struct label *selector, size_t selector_count)
{
	size_t at = 0;

	for (size_t i = 0; i < selector_count; i++) {
		while (at < count && str_cmp(labels[at].key, selector[i].key) < 0)
			at++;
		if (at == count || !str_eq(labels[at].key, selector[i].key) ||
		    !str_eq(labels[at].value, selector[i].value))
			return false;
	}
	return true;
}

struct str machine_role_name(struct arena *arena, struct str machine)
{
	return str_format(arena, MACHINE_ROLE "%.*s", STR_ARG(machine));
}

struct str machine_of_role(struct str role)
{
	struct str before = STR(MACHINE_ROLE);

	return str_starts(role, before) ? str_slice(role, before.n, role.n) : STR("");
}

static const char *const modes[] = {[MODE_EXCLUSIVE] = "exclusive", [MODE_COEXIST] = "coexist"};
static const char *const enforcements[] = {
	[ENFORCEMENT_ENFORCE] = "enforce", [ENFORCEMENT_MONITOR] = "monitor", [ENFORCEMENT_UNMANAGED] = "unmanaged",
};
static const char *const egresses[] = {[EGRESS_OPEN] = "open", [EGRESS_CLOSED] = "closed"};

#define COUNT(words) (sizeof(words) / sizeof *(words))

static bool word_parse(struct str s, const char *const *words, size_t count, unsigned *word)
{
	for (unsigned i = 0; i < count; i++)
		if (str_is(s, words[i])) {
			*word = i;
			return true;
		}
	return false;
}

bool mode_parse(struct str s, enum mode *mode)
{
	unsigned word;

	if (!word_parse(s, modes, COUNT(modes), &word))
		return false;
	*mode = (enum mode)word;
	return true;
}

bool enforcement_parse(struct str s, enum enforcement *enforcement)
{
	unsigned word;

	if (!word_parse(s, enforcements, COUNT(enforcements), &word))
		return false;
	*enforcement = (enum enforcement)word;
	return true;
}

bool egress_parse(struct str s, enum egress *egress)
{
	unsigned word;

	if (!word_parse(s, egresses, COUNT(egresses), &word))
		return false;
	*egress = (enum egress)word;
	return true;
}

struct str mode_str(enum mode mode)
{
	assert((size_t)mode < COUNT(modes));
	return str_of(modes[mode]);
}

struct str enforcement_str(enum enforcement enforcement)
{
	assert((size_t)enforcement < COUNT(enforcements));
	return str_of(enforcements[enforcement]);
}

struct str egress_str(enum egress egress)
{
	assert((size_t)egress < COUNT(egresses));
	return str_of(egresses[egress]);
}
