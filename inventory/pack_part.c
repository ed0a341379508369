/* One block of bytes -> the part of the packed fleet that a question about few machines needs, as load_around.c loads
 * it from the tables. It goes over all machines, by their numbers alone; structures are built of those that were meant.
 */
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/inventory.h"
#include "pack.h"

/* The roles of machines with the same list, as far as they are in the part. */
struct role_list {
	struct str *items;
	size_t count;
	bool built;
};

struct parting {
	struct arena *arena, *scratch, *role; /* the last one for a role that may not be wanted */
	const struct around *around;
	struct pack_block block;
	struct fleet *fleet;
	struct str *names;       /* of machines that are meant, sorted */
	size_t name_count;
	struct machine *held;    /* those of whose rules is asked */
	size_t held_count;
	struct addr *near;       /* who has one of these is meant as well; sorted */
	size_t near_count;
	bool low[256];           /* the lowest bytes that they end in: most addresses end in none of them */
	struct names *roles;     /* that are wanted */
	bool *by_roles, *by_labels; /* lists whose machines are meant */
	struct role_list *lists; /* by their numbers; of those that are taken */
	bool *taken;             /* machines */
	size_t machine_count, address_count;
};

static const struct pack_machine *machines_of(const struct parting *parting)
{
	return pack_section(&parting->block, PACK_MACHINES);
}

static const uint32_t *units_of(const struct parting *parting, enum pack_section which)
{
	return pack_section(&parting->block, which);
}

static struct str word_of(const struct parting *parting, uint32_t number)
{
	return number < pack_count(&parting->block, PACK_WORDS) ? parting->block.words[number] : STR("");
}

/* --- machines that are asked about --- */

static void sort_names(struct parting *parting)
{
	const struct name_list *lists[] = {&parting->around->machines, &parting->around->others}, *roles;

	roles = &parting->around->roles;
	parting->names = ARENA_ARRAY(parting->scratch, struct str, lists[0]->count + lists[1]->count + roles->count);
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < lists[i]->count; k++)
			parting->names[parting->name_count++] = lists[i]->items[k];
	for (size_t i = 0; i < roles->count; i++)
		if (machine_of_role(roles->items[i]).n > 0)
			parting->names[parting->name_count++] = machine_of_role(roles->items[i]);
	if (parting->name_count > 0)
		qsort(parting->names, parting->name_count, sizeof *parting->names, str_order);
}

static bool is_held(const struct parting *parting, struct str name)
{
	for (size_t i = 0; i < parting->around->machines.count; i++)
		if (str_eq(parting->around->machines.items[i], name))
			return true;
	return false;
}

static bool hold(struct parting *parting, const struct pack_machine *packed, struct pack_cursor cursor)
{
	struct machine *machine = &parting->held[parting->held_count];
	uint32_t first, count;

	if (parting->held_count++ == parting->around->machines.count) /* a name that comes twice */
		return false;
	cursor.addresses = ARENA_ARRAY(parting->scratch, struct machine_address, packed->address_count);
	if (!pack_machine_at(&parting->block, packed, &cursor, machine) ||
	    !pack_list_at(&parting->block, PACK_ROLE_STARTS, packed->roles, &first, &count))
		return false;
	for (uint32_t i = first; i < first + count; i++)
		names_add(parting->roles, word_of(parting, units_of(parting, PACK_ROLES)[i]));
	if (!pack_list_at(&parting->block, PACK_LABEL_STARTS, packed->labels, &first, &count))
		return false;
	machine->label_count = count / 2;
	machine->labels = ARENA_ARRAY(parting->scratch, struct label, machine->label_count);
	for (uint32_t i = 0; i < machine->label_count; i++) {
		const uint32_t *unit = units_of(parting, PACK_LABELS) + first + 2 * i;

		machine->labels[i] = (struct label){word_of(parting, unit[0]), word_of(parting, unit[1])};
	}
	names_add(parting->roles, machine_role_name(parting->scratch, machine->name));
	return true;
}

/* Machines are sorted by name, and so are those that are meant. Each machine is passed over here, so that the next ones
 * to go over them need not look whether they lie in the block. */
static bool find_named(struct parting *parting)
{
	const struct pack_machine *packed = machines_of(parting);
	struct pack_cursor cursor = pack_cursor_new(&parting->block);
	size_t count = pack_count(&parting->block, PACK_MACHINES), next = 0;

	parting->taken = ARENA_ARRAY(parting->scratch, bool, count);
	parting->held = ARENA_ARRAY(parting->scratch, struct machine, parting->around->machines.count);
	for (size_t i = 0; i < count; i++) {
		struct pack_cursor here = cursor;
		struct str name = {cursor.name, packed[i].name_length};

		if (!pack_skip(&cursor, &packed[i]))
			return false;
		while (next < parting->name_count && str_cmp(parting->names[next], name) < 0)
			next++;
		parting->taken[i] = next < parting->name_count && str_eq(parting->names[next], name);
		if (parting->taken[i] && is_held(parting, name) && !hold(parting, &packed[i], here))
			return false;
	}
	return pack_ends(&cursor);
}

/* --- roles --- */

static bool selects(const struct parting *parting, const struct role *role)
{
	for (size_t i = 0; role->has_selector && i < parting->held_count; i++)
		if (labels_contain(parting->held[i].labels, parting->held[i].label_count, role->selector,
		                   role->selector_count))
			return true;
	return false;
}

static void want_peers(struct parting *parting, const struct role *role)
{
	for (size_t i = 0; i < role->rule_count; i++)
		for (size_t k = 0; k < role->rules[i].rule.peer_count; k++)
			if (role->rules[i].rule.peers[k].kind == PEER_ROLE)
				names_add(parting->roles, role->rules[i].rule.peers[k].name);
}

/* Where each role begins; those that a machine has are wanted, and whom their rules speak of. */
static bool look_at_roles(struct parting *parting, struct pack_reader *reader, const uint32_t **starts)
{
	struct pack_reader look = *reader;
	struct names *had = names_new(parting->scratch);

	for (uint32_t i = 0; i < names_count(parting->roles); i++)
		names_add(had, names_get(parting->roles, i));
	look.arena = parting->role;
	for (uint64_t i = 0; i < parting->block.header->roles && !look.bad; i++) {
		struct role role;

		starts[i] = look.at;
		unpack_role(&look, &role);
		if (parting->around->letting || selects(parting, &role) || names_find(had, role.name) != NAMES_NONE) {
			names_add(parting->roles, role.name);
			want_peers(parting, &role);
		}
		arena_reset(parting->role);
	}
	reader->at = look.at;
	return !look.bad;
}

static bool take_roles(struct parting *parting, struct pack_reader *reader)
{
	const struct pack_header *header = parting->block.header;
	struct fleet *fleet = parting->fleet;
	const uint32_t **starts;

	if (!unpack_has_roles(reader, header))
		return false;
	starts = ARENA_ARRAY(parting->scratch, const uint32_t *, header->roles);
	if (!look_at_roles(parting, reader, starts))
		return false;
	for (size_t i = 0; i < parting->around->roles.count; i++)
		names_add(parting->roles, parting->around->roles.items[i]);
	fleet->roles = ARENA_ARRAY(parting->arena, struct role, names_count(parting->roles));
	for (uint64_t i = 0; i < header->roles; i++) {
		struct pack_reader again = {.at = starts[i], .end = reader->end};

		again.words = reader->words;
		again.word_count = reader->word_count;
		if (names_find(parting->roles, again.words[*again.at]) == NAMES_NONE)
			continue;
		if (fleet->role_count == names_count(parting->roles)) /* a name that comes twice */
			return false;
		again.arena = parting->arena;
		unpack_role(&again, &fleet->roles[fleet->role_count++]);
	}
	return true;
}

/* --- lists whose machines are meant --- */

static bool list_has_role(const struct parting *parting, const bool *wanted, uint32_t list)
{
	uint32_t first, count;

	if (!pack_list_at(&parting->block, PACK_ROLE_STARTS, list, &first, &count))
		return false;
	for (uint32_t i = first; i < first + count; i++) {
		uint32_t word = units_of(parting, PACK_ROLES)[i];

		if (word < pack_count(&parting->block, PACK_WORDS) && wanted[word])
			return true;
	}
	return false;
}

static void mark_role_lists(struct parting *parting)
{
	size_t words = pack_count(&parting->block, PACK_WORDS), lists = pack_count(&parting->block, PACK_ROLE_STARTS);
	bool *wanted = ARENA_ARRAY(parting->scratch, bool, words);
	struct names *names = names_new(parting->scratch);

	parting->by_roles = ARENA_ARRAY(parting->scratch, bool, lists);
	parting->lists = ARENA_ARRAY(parting->scratch, struct role_list, lists);
	for (size_t i = 0; i < parting->around->roles.count; i++)
		names_add(names, parting->around->roles.items[i]);
	if (names_count(names) == 0)
		return;
	for (size_t i = 0; i < words; i++)
		wanted[i] = names_find(names, parting->block.words[i]) != NAMES_NONE;
	for (uint32_t i = 0; i + 1 < lists; i++)
		parting->by_roles[i] = list_has_role(parting, wanted, i);
}

static const struct label *labels_at(const struct parting *parting, const struct label *labels, uint32_t list,
                                     size_t *count)
{
	uint32_t first, units;

	*count = 0;
	if (!pack_list_at(&parting->block, PACK_LABEL_STARTS, list, &first, &units) || units % 2 != 0 || first % 2 != 0)
		return NULL;
	*count = units / 2;
	return labels + first / 2;
}

static struct label *all_labels(struct parting *parting)
{
	size_t count = pack_count(&parting->block, PACK_LABELS) / 2;
	struct label *labels = ARENA_ARRAY(parting->arena, struct label, count);

	for (size_t i = 0; i < count; i++) {
		const uint32_t *unit = units_of(parting, PACK_LABELS) + 2 * i;

		labels[i] = (struct label){word_of(parting, unit[0]), word_of(parting, unit[1])};
	}
	return labels;
}

static void mark_label_lists(struct parting *parting, const struct label *all)
{
	size_t lists = pack_count(&parting->block, PACK_LABEL_STARTS);

	parting->by_labels = ARENA_ARRAY(parting->scratch, bool, lists);
	for (size_t i = 0; i < parting->around->roles.count; i++) {
		const struct role *role = fleet_role(parting->fleet, parting->around->roles.items[i]);

		for (uint32_t k = 0; role != NULL && role->has_selector && k + 1 < lists; k++) {
			size_t count;
			const struct label *labels = labels_at(parting, all, k, &count);

			parting->by_labels[k] |=
				labels_contain(labels, count, role->selector, role->selector_count);
		}
	}
}

/* --- addresses --- */

static int addr_order(const void *a, const void *b)
{
	return addr_cmp(*(const struct addr *)a, *(const struct addr *)b);
}

static void find_near(struct parting *parting)
{
	size_t count = parting->around->address_count;

	for (size_t i = 0; i < parting->held_count; i++)
		count += parting->held[i].address_count;
	parting->near = ARENA_ARRAY(parting->scratch, struct addr, count);
	for (size_t i = 0; i < parting->around->address_count; i++)
		parting->near[parting->near_count++] = parting->around->addresses[i];
	for (size_t i = 0; i < parting->held_count; i++)
		for (size_t k = 0; k < parting->held[i].address_count; k++)
			parting->near[parting->near_count++] = parting->held[i].addresses[k].addr;
	for (size_t i = 0; i < count; i++)
		parting->low[(unsigned char)parting->near[i].bits] = true;
	if (count > 0)
		qsort(parting->near, count, sizeof *parting->near, addr_order);
}

static bool is_near(const struct parting *parting, const struct pack_cursor *cursor, uint32_t count)
{
	const uint32_t *bits = cursor->bits;

	for (uint32_t i = 0; i < count; i++) {
		bool six = (cursor->head[i] & PACK_IPV6) != 0;

		if (parting->low[*bits & 0xff]) {
			struct addr addr = pack_address(bits, six);

			if (bsearch(&addr, parting->near, parting->near_count, sizeof addr, addr_order) != NULL)
				return true;
		}
		bits += six ? 4 : 1;
	}
	return false;
}

/* --- machines --- */

static bool mark_machines(struct parting *parting)
{
	const struct pack_machine *packed = machines_of(parting);
	struct pack_cursor cursor = pack_cursor_new(&parting->block);
	size_t count = pack_count(&parting->block, PACK_MACHINES);
	size_t roles = pack_count(&parting->block, PACK_ROLE_STARTS) - 1;
	size_t labels = pack_count(&parting->block, PACK_LABEL_STARTS) - 1;

	for (size_t i = 0; i < count; i++) {
		if (packed[i].roles >= roles || packed[i].labels >= labels)
			return false;
		parting->taken[i] |= parting->by_roles[packed[i].roles] || parting->by_labels[packed[i].labels] ||
		                     is_near(parting, &cursor, packed[i].address_count);
		(void)pack_skip(&cursor, &packed[i]);
		parting->machine_count += parting->taken[i];
		parting->address_count += parting->taken[i] ? packed[i].address_count : 0;
	}
	return true;
}

static const struct role_list *roles_at(struct parting *parting, uint32_t number)
{
	struct role_list *list = &parting->lists[number];
	uint32_t first, count;

	if (list->built || !pack_list_at(&parting->block, PACK_ROLE_STARTS, number, &first, &count))
		return list;
	list->built = true;
	list->items = ARENA_ARRAY(parting->arena, struct str, count);
	for (uint32_t i = first; i < first + count; i++) {
		struct str name = word_of(parting, units_of(parting, PACK_ROLES)[i]);

		if (fleet_role(parting->fleet, name) != NULL)
			list->items[list->count++] = name;
	}
	return list;
}

static bool take_machines(struct parting *parting, const struct label *all)
{
	const struct pack_machine *packed = machines_of(parting);
	struct pack_cursor cursor = pack_cursor_new(&parting->block);
	struct fleet *fleet = parting->fleet;
	size_t count = pack_count(&parting->block, PACK_MACHINES);
	struct machine_address *addresses =
		arena_raw(parting->arena, parting->address_count * sizeof *addresses);

	fleet->machines = arena_raw(parting->arena, parting->machine_count * sizeof *fleet->machines);
	for (size_t i = 0; i < count; i++) {
		struct pack_cursor here = cursor;
		struct machine *machine = &fleet->machines[fleet->machine_count];
		const struct role_list *roles;

		(void)pack_skip(&cursor, &packed[i]);
		if (!parting->taken[i])
			continue;
		here.addresses = addresses;
		if (!pack_machine_at(&parting->block, &packed[i], &here, machine))
			return false;
		addresses = here.addresses;
		roles = roles_at(parting, packed[i].roles);
		machine->roles = roles->items;
		machine->role_count = roles->count;
		machine->labels = (struct label *)labels_at(parting, all, packed[i].labels, &machine->label_count);
		fleet->machine_count++;
	}
	return true;
}

static bool take_part(struct parting *parting, struct str bytes)
{
	struct pack_reader reader;
	struct label *labels;

	if (!pack_open(parting->scratch, bytes, &parting->block))
		return false;
	*parting->fleet = (struct fleet){.owner = STR(""), .clock = parting->block.header->clock};
	sort_names(parting);
	reader = pack_reader_new(parting->arena, &parting->block);
	if (!find_named(parting) || !take_roles(parting, &reader) ||
	    !unpack_rest(&reader, parting->block.header, parting->fleet))
		return false;
	labels = all_labels(parting);
	mark_role_lists(parting);
	mark_label_lists(parting, labels);
	find_near(parting);
	return mark_machines(parting) && take_machines(parting, labels);
}

bool fleet_unpack_around(struct arena *arena, struct str bytes, const struct around *around, struct fleet *fleet)
{
	struct arena *scratch = arena_new(), *role = arena_new();
	struct parting parting = {.arena = arena, .scratch = scratch, .role = role, .around = around, .fleet = fleet};
	bool possible;

	parting.roles = names_new(scratch);
	possible = take_part(&parting, bytes);
	arena_free(role);
	arena_free(scratch);
	return possible;
}
