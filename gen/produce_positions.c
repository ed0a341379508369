/* Machines by position: what a ruleset depends on, found for every machine of the fleet in one pass, by a hash over a
 * few numbers. Knows nothing of what roles say, but whether they have rules and close egress. */
#include "produce_positions.h"

#include <string.h>

#include "fleetwall/arena.h"

/* What matters of a role, small, because each machine asks for all of its roles. */
enum role_flag { ROLE_HAS_RULES = 1, ROLE_CLOSES = 2 };

struct finding {
	struct arena *arena;
	const struct resolved *resolved;
	const struct settings *settings;
	unsigned char *flags;    /* by role */
	uint32_t *roles;         /* of the machine in hand */
	struct positions found;
	uint32_t *slots;         /* a hash table of positions: number + 1; 0 is free */
	size_t slot_count;       /* a power of two */
	uint64_t *hashes;        /* of positions */
	size_t hash_capacity;
	uint32_t *room;          /* where the next position's roles go */
	size_t room_left;
};

#define FIRST_SLOTS 1024
#define ROOM 16384

static unsigned char *flag_roles(struct arena *scratch, const struct resolved *resolved)
{
	unsigned char *flags = ARENA_ARRAY(scratch, unsigned char, resolved->fleet->role_count);

	for (size_t i = 0; i < resolved->fleet->role_count; i++)
		flags[i] = (unsigned char)((resolved->roles[i].rule_count > 0 ? ROLE_HAS_RULES : 0) |
		                           (resolved->fleet->roles[i].egress == EGRESS_CLOSED ? ROLE_CLOSES : 0));
	return flags;
}

/* Monitoring comes first: a monitored machine refuses nothing in either mode. */
static enum style style_of(const struct machine *machine)
{
	if (machine->enforcement == ENFORCEMENT_MONITOR)
		return STYLE_MONITOR;
	return machine->mode == MODE_COEXIST ? STYLE_COEXIST : STYLE_EXCLUSIVE;
}

/* Its roles are in finding->roles for now. */
static struct position position_of(const struct finding *finding, size_t number)
{
	const struct resolved_machine *own = &finding->resolved->machines[number];
	struct position position = {
		.style = style_of(own->machine),
		.ssh_port = own->machine->ssh_port != 0 ? own->machine->ssh_port : finding->settings->ssh_port,
		.roles = finding->roles,
		.example = (uint32_t)number,
	};
	unsigned char all = 0;

	for (size_t i = 0; i < own->role_count; i++) {
		unsigned char flags = finding->flags[own->roles[i]];

		all |= flags;
		finding->roles[position.role_count] = own->roles[i];
		position.role_count += (flags & ROLE_HAS_RULES) != 0;
	}
	position.closed = (all & ROLE_CLOSES) != 0;
	return position;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

static uint64_t position_hash(const struct position *position)
{
	uint64_t hash = mix(position->ssh_port, (uint64_t)position->style << 1 | position->closed);

	for (size_t i = 0; i < position->role_count; i++)
		hash = mix(hash, position->roles[i]);
	return hash;
}

static bool same(const struct position *a, const struct position *b)
{
	return a->style == b->style && a->closed == b->closed && a->ssh_port == b->ssh_port &&
	       a->role_count == b->role_count &&
	       (a->role_count == 0 || memcmp(a->roles, b->roles, a->role_count * sizeof *a->roles) == 0);
}

static void grow_slots(struct finding *finding)
{
	finding->slot_count *= 2;
	finding->slots = ARENA_ARRAY(finding->arena, uint32_t, finding->slot_count);
	for (size_t i = 0; i < finding->found.count; i++) {
		size_t at = finding->hashes[i] & (finding->slot_count - 1);

		while (finding->slots[at] != 0)
			at = (at + 1) & (finding->slot_count - 1);
		finding->slots[at] = (uint32_t)i + 1;
	}
}

static const uint32_t *keep_roles(struct finding *finding, const struct position *position)
{
	uint32_t *kept;

	if (position->role_count > finding->room_left) {
		finding->room_left = position->role_count > ROOM ? position->role_count : ROOM;
		finding->room = ARENA_ARRAY(finding->arena, uint32_t, finding->room_left);
	}
	kept = finding->room;
	if (position->role_count > 0)
		memcpy(kept, position->roles, position->role_count * sizeof *kept);
	finding->room += position->role_count;
	finding->room_left -= position->role_count;
	return kept;
}

static uint32_t add(struct finding *finding, struct position position, uint64_t hash)
{
	size_t count = finding->found.count;

	position.roles = keep_roles(finding, &position);
	finding->hashes = arena_grow(finding->arena, finding->hashes, count, &finding->hash_capacity,
	                             sizeof *finding->hashes, _Alignof(uint64_t));
	finding->hashes[count] = hash;
	APPEND(finding->arena, &finding->found, position);
	if (finding->found.count * 2 > finding->slot_count)
		grow_slots(finding);
	return (uint32_t)count;
}

static uint32_t find(struct finding *finding, const struct position *position)
{
	uint64_t hash = position_hash(position);
	size_t at = hash & (finding->slot_count - 1);

	for (; finding->slots[at] != 0; at = (at + 1) & (finding->slot_count - 1)) {
		uint32_t number = finding->slots[at] - 1;

		if (finding->hashes[number] == hash && same(&finding->found.items[number], position))
			return number;
	}
	finding->slots[at] = (uint32_t)finding->found.count + 1;
	return add(finding, *position, hash);
}

static size_t most_roles(const struct resolved *resolved)
{
	size_t most = 0;

	for (size_t i = 0; i < resolved->fleet->machine_count; i++)
		if (resolved->machines[i].role_count > most)
			most = resolved->machines[i].role_count;
	return most;
}

static void find_all(struct finding *finding)
{
	for (size_t i = 0; i < finding->resolved->fleet->machine_count; i++) {
		finding->found.of_machine[i] = NO_POSITION;
		if (!machine_has_ruleset(finding->resolved->machines[i].machine))
			continue;
		struct position position = position_of(finding, i);

		finding->found.of_machine[i] = find(finding, &position);
		finding->found.items[finding->found.of_machine[i]].machines++;
	}
}

struct positions positions_find(struct arena *arena, const struct resolved *resolved, const struct settings *settings)
{
	struct finding finding = {.arena = arena, .resolved = resolved, .settings = settings};

	finding.flags = flag_roles(arena, resolved);
	finding.roles = ARENA_ARRAY(arena, uint32_t, most_roles(resolved) + 1);
	finding.slot_count = FIRST_SLOTS;
	finding.slots = ARENA_ARRAY(arena, uint32_t, FIRST_SLOTS);
	finding.found.of_machine = arena_raw(arena, resolved->fleet->machine_count * sizeof(uint32_t));
	find_all(&finding);
	return finding.found;
}
