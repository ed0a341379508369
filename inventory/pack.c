/* A fleet -> one block of bytes. Owns the layout of the block and what belongs into it: that which rulesets depend on,
 * and nothing else. Numbers are given in one pass, in the order of the fleet; then the bytes can be written by as many
 * as are free, each a portion. Does not look whether the fleet is a right one, and touches no file. */
#include <assert.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/inventory.h"
#include "fleetwall/parallel.h"
#include "pack.h"

static const size_t element_size[PACK_SECTIONS] = {
	[PACK_MACHINES] = sizeof(struct pack_machine),
	[PACK_ADDRESSES] = sizeof(uint32_t),
	[PACK_BITS] = sizeof(uint32_t),
	[PACK_LABEL_STARTS] = sizeof(uint32_t),
	[PACK_LABELS] = sizeof(uint32_t),
	[PACK_ROLE_STARTS] = sizeof(uint32_t),
	[PACK_ROLES] = sizeof(uint32_t),
	[PACK_OBJECTS] = sizeof(uint32_t),
	[PACK_WORDS] = sizeof(uint32_t),
	[PACK_SPELLINGS] = 1,
	[PACK_NAMES] = 1,
};

bool pack_layout(const struct pack_header *header, uint64_t most, uint64_t at[PACK_SECTIONS], uint64_t *size)
{
	*size = sizeof *header;
	for (size_t i = 0; i < PACK_SECTIONS; i++) {
		at[i] = *size;
		if (*size > most || header->count[i] > (most - *size) / element_size[i])
			return false;
		*size += header->count[i] * element_size[i];
	}
	return *size <= most;
}

/* Where in their sections the machines of a portion begin. */
struct portion {
	uint64_t name, bits;
};

/* One packing: first everything gets its number, then the block its size, then its bytes. */
struct packing {
	const struct fleet *fleet;
	struct pack_words words;
	struct pack_lists labels, roles;
	uint32_t *objects;
	uint32_t *label_list, *role_list; /* of each machine */
	uint32_t *addresses;              /* as PACK_ADDRESSES */
	struct portion *portions;
	struct pack_header header;
	char *block;
	uint64_t at[PACK_SECTIONS];
};

static size_t units_of(struct addr addr)
{
	return addr.family == FAMILY_6 ? 4 : 1;
}

/* --- numbers --- */

/* How much room the lists take at most. */
static void make_room(struct packing *packing, struct arena *scratch)
{
	const struct fleet *fleet = packing->fleet;
	size_t count = fleet->machine_count, labels = 0, roles = 0, addresses = 0;

	for (size_t i = 0; i < count; i++) {
		labels += 2 * fleet->machines[i].label_count;
		roles += fleet->machines[i].role_count;
		addresses += fleet->machines[i].address_count;
	}
	packing->labels = pack_lists_new(scratch, count, labels);
	packing->roles = pack_lists_new(scratch, count, roles);
	packing->label_list = arena_raw(scratch, count * sizeof *packing->label_list);
	packing->role_list = arena_raw(scratch, count * sizeof *packing->role_list);
	packing->addresses = arena_raw(scratch, addresses * sizeof *packing->addresses);
	packing->portions = ARENA_ARRAY(scratch, struct portion, count / PACK_PORTION + 1);
}

static uint32_t number_labels(struct packing *packing, const struct machine *machine)
{
	struct pack_lists *lists = &packing->labels;
	uint32_t *unit = lists->units + lists->used;
	struct pack_memo *memo;

	if (pack_list_known(lists, machine->labels, machine->label_count, &memo))
		return memo->number;
	for (size_t i = 0; i < machine->label_count; i++) {
		*unit++ = pack_word(&packing->words, machine->labels[i].key);
		*unit++ = pack_word(&packing->words, machine->labels[i].value);
	}
	return memo->number = pack_list(lists, 2 * machine->label_count);
}

static uint32_t number_roles(struct packing *packing, const struct machine *machine)
{
	struct pack_lists *lists = &packing->roles;
	uint32_t *unit = lists->units + lists->used;
	struct pack_memo *memo;

	if (pack_list_known(lists, machine->roles, machine->role_count, &memo))
		return memo->number;
	for (size_t i = 0; i < machine->role_count; i++)
		*unit++ = pack_word(&packing->words, machine->roles[i]);
	return memo->number = pack_list(lists, machine->role_count);
}

static void number_addresses(struct packing *packing, const struct machine *machine)
{
	uint64_t *count = packing->header.count;

	for (size_t i = 0; i < machine->address_count; i++) {
		const struct machine_address *address = &machine->addresses[i];

		packing->addresses[count[PACK_ADDRESSES]++] = pack_word(&packing->words, address->label) << 1 |
		                                              (address->addr.family == FAMILY_6 ? PACK_IPV6 : 0);
		count[PACK_BITS] += units_of(address->addr);
	}
}

static void number_machines(struct packing *packing)
{
	uint64_t *count = packing->header.count;

	count[PACK_MACHINES] = packing->fleet->machine_count;
	for (size_t i = 0; i < packing->fleet->machine_count; i++) {
		const struct machine *machine = &packing->fleet->machines[i];

		if (i % PACK_PORTION == 0)
			packing->portions[i / PACK_PORTION] = (struct portion){count[PACK_NAMES], count[PACK_BITS]};
		count[PACK_NAMES] += machine->name.n;
		packing->label_list[i] = number_labels(packing, machine);
		packing->role_list[i] = number_roles(packing, machine);
		number_addresses(packing, machine);
	}
}

static void number_all(struct packing *packing)
{
	const struct fleet *fleet = packing->fleet;
	struct pack_header *header = &packing->header;

	memcpy(header->magic, PACK_MAGIC, sizeof header->magic);
	header->clock = fleet->clock;
	header->roles = fleet->role_count;
	header->networks = fleet->network_count;
	header->services = fleet->service_count;
	number_machines(packing);
	packing->objects = pack_objects(packing->words.arena, &packing->words, fleet, &header->count[PACK_OBJECTS]);
	header->count[PACK_LABEL_STARTS] = packing->labels.count + 1;
	header->count[PACK_LABELS] = packing->labels.used;
	header->count[PACK_ROLE_STARTS] = packing->roles.count + 1;
	header->count[PACK_ROLES] = packing->roles.used;
	header->count[PACK_WORDS] = packing->words.count;
	header->count[PACK_SPELLINGS] = packing->words.bytes;
}

/* --- bytes --- */

static void *section(const struct packing *packing, enum pack_section which)
{
	return packing->block + packing->at[which];
}

static uint32_t *write_bits(uint32_t *at, struct addr addr)
{
	for (size_t i = 0, units = units_of(addr); i < units; i++)
		*at++ = (uint32_t)(addr.bits >> 32 * i);
	return at;
}

static void write_machine(const struct packing *packing, size_t number, struct pack_machine *packed)
{
	const struct machine *machine = &packing->fleet->machines[number];

	*packed = (struct pack_machine){
		.name_length = (uint32_t)machine->name.n,
		.address_count = (uint32_t)machine->address_count,
		.ssh_port = machine->ssh_port,
		.labels = packing->label_list[number],
		.roles = packing->role_list[number],
		.enabled = machine->enabled,
		.mode = (uint8_t)machine->mode,
		.enforcement = (uint8_t)machine->enforcement,
	};
}

static struct error *write_portion(void *context, unsigned worker, size_t item)
{
	const struct packing *packing = context;
	const struct fleet *fleet = packing->fleet;
	struct pack_machine *packed = section(packing, PACK_MACHINES);
	char *name = (char *)section(packing, PACK_NAMES) + packing->portions[item].name;
	uint32_t *bits = (uint32_t *)section(packing, PACK_BITS) + packing->portions[item].bits;
	size_t first = item * PACK_PORTION, end = first + PACK_PORTION;

	(void)worker;
	for (size_t i = first; i < end && i < fleet->machine_count; i++) {
		const struct machine *machine = &fleet->machines[i];

		write_machine(packing, i, &packed[i]);
		memcpy(name, machine->name.p, machine->name.n);
		name += machine->name.n;
		for (size_t k = 0; k < machine->address_count; k++)
			bits = write_bits(bits, machine->addresses[k].addr);
	}
	return NULL;
}

static void write_machines(struct packing *packing)
{
	size_t portions = (packing->fleet->machine_count + PACK_PORTION - 1) / PACK_PORTION;
	struct error *error = parallel_each(portions > 1 ? parallel_workers() : 1, portions, write_portion, packing);

	assert(error == NULL);
	(void)error;
}

static void write_words(const struct packing *packing)
{
	uint32_t *lengths = section(packing, PACK_WORDS);
	char *spellings = section(packing, PACK_SPELLINGS);

	for (size_t i = 0; i < packing->words.count; i++) {
		struct str word = packing->words.items[i];

		lengths[i] = (uint32_t)word.n;
		memcpy(spellings, word.p, word.n);
		spellings += word.n;
	}
}

static void write_units(const struct packing *packing, enum pack_section which, const uint32_t *units)
{
	size_t count = packing->header.count[which];

	if (count > 0)
		memcpy(section(packing, which), units, count * sizeof *units);
}

static struct str write_all(struct arena *arena, struct packing *packing)
{
	uint64_t size;
	bool possible = pack_layout(&packing->header, SIZE_MAX / 4, packing->at, &size);

	assert(possible);
	(void)possible;
	packing->block = arena_raw(arena, size);
	memcpy(packing->block, &packing->header, sizeof packing->header);
	write_machines(packing);
	write_units(packing, PACK_ADDRESSES, packing->addresses);
	write_units(packing, PACK_LABEL_STARTS, packing->labels.starts);
	write_units(packing, PACK_LABELS, packing->labels.units);
	write_units(packing, PACK_ROLE_STARTS, packing->roles.starts);
	write_units(packing, PACK_ROLES, packing->roles.units);
	write_units(packing, PACK_OBJECTS, packing->objects);
	write_words(packing);
	return (struct str){packing->block, size};
}

struct str fleet_pack(struct arena *arena, const struct fleet *fleet)
{
	struct arena *scratch = arena_new();
	struct packing packing = {
		.fleet = fleet,
		.words = pack_words_new(scratch),
	};

	make_room(&packing, scratch);
	number_all(&packing);
	struct str packed = write_all(arena, &packing);

	arena_free(scratch);
	return packed;
}
