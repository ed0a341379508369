/* Any bytes as a packed fleet, and a real one with some of its bytes written over: refused, or a fleet whose every part
 * can be used, and which packs to bytes that give the same again. */
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/inventory.h"
#include "random_fleet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static void use_names(struct buf *buf, const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->machine_count; i++) {
		const struct machine *machine = &fleet->machines[i];

		buf_add(buf, machine->name);
		for (size_t k = 0; k < machine->label_count; k++)
			buf_add(buf, machine->labels[k].value);
		for (size_t k = 0; k < machine->role_count; k++)
			buf_add(buf, machine->roles[k]);
		for (size_t k = 0; k < machine->address_count; k++)
			addr_print(buf, machine->addresses[k].addr);
	}
}

static void use_rules(struct buf *buf, const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->role_count; i++)
		for (size_t k = 0; k < fleet->roles[i].rule_count; k++)
			rule_print(buf, &fleet->roles[i].rules[k].rule);
	for (size_t i = 0; i < fleet->network_count; i++)
		for (size_t k = 0; k < fleet->networks[i].prefix_count; k++)
			prefix_print(buf, fleet->networks[i].prefixes[k]);
	for (size_t i = 0; i < fleet->service_count; i++)
		for (size_t k = 0; k < fleet->services[i].count; k++)
			ports_print(buf, fleet->services[i].ports[k].ports, fleet->services[i].ports[k].port_count);
}

static void try_block(struct arena *arena, const void *bytes, size_t size)
{
	struct fleet fleet, again;
	struct buf buf = buf_new(arena);
	char *block = arena_raw(arena, size);

	if (size > 0)
		memcpy(block, bytes, size);
	if (!fleet_unpack(arena, (struct str){block, size}, &fleet))
		return;
	use_names(&buf, &fleet);
	use_rules(&buf, &fleet);
	struct str packed = fleet_pack(arena, &fleet);

	demand(fleet_unpack(arena, packed, &again));
	demand(str_eq(fleet_pack(arena, &again), packed));
}

/* The first byte chooses the fleet; then come places, of two bytes, and what is written there, of four. */
static void try_patched(struct arena *arena, const uint8_t *data, size_t size)
{
	struct rng rng = {data[0] % 16};
	struct fleet fleet = random_fleet(arena, &rng, 1 + data[0] % 16 / 3);
	struct str packed = fleet_pack(arena, &fleet);
	char *patched = arena_raw(arena, packed.n);

	memcpy(patched, packed.p, packed.n);
	for (size_t i = 1; i + 6 <= size; i += 6)
		memcpy(patched + (size_t)(data[i] << 8 | data[i + 1]) % (packed.n - 3), data + i + 2, 4);
	try_block(arena, patched, packed.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();

	try_block(arena, data, size);
	if (size > 0)
		try_patched(arena, data, size);
	arena_free(arena);
	error_forget_all();
	return 0;
}
