/* Machines by position: what a ruleset depends on, found for every machine of the fleet in one pass, or for a few that
 * changed, by a hash over a few numbers. Knows nothing of what roles say, but whether they have rules and close egress.
 */
#include "produce_positions.h"

#include <string.h>

#include "fleetwall/arena.h"

/* What matters of a role, small, because each machine asks for all of its roles. */
enum role_flag { ROLE_HAS_RULES = 1, ROLE_CLOSES = 2 };

struct finding {
	struct positions *found;
	const struct resolved *resolved;
	const struct settings *settings;
};

#define FIRST_SLOTS 1024
#define ROOM 16384

static unsigned char flags_of(const struct resolved *resolved, size_t role)
{
	return (unsigned char)((resolved->roles[role].rule_count > 0 ? ROLE_HAS_RULES : 0) |
	                       (resolved->fleet->roles[role].egress == EGRESS_CLOSED ? ROLE_CLOSES : 0));
}

/* Monitoring comes first: a monitored machine refuses nothing in either mode. */
static enum style style_of(const struct machine *machine)
{
	if (machine->enforcement == ENFORCEMENT_MONITOR)
		return STYLE_MONITOR;
	return machine->mode == MODE_COEXIST ? STYLE_COEXIST : STYLE_EXCLUSIVE;
}

/* Its roles are in found->roles for now. */
static struct position position_of(const struct finding *finding, size_t number)
{
	const struct resolved_machine *own = &finding->resolved->machines[number];
	struct position position = {
		.style = style_of(own->machine),
		.ssh_port = own->machine->ssh_port != 0 ? own->machine->ssh_port : finding->settings->ssh_port,
		.roles = finding->found->roles,
		.example = (uint32_t)number,
	};
	unsigned char all = 0;

	for (size_t i = 0; i < own->role_count; i++) {
		unsigned char flags = finding->found->flags[own->roles[i]];

		all |= flags;
		finding->found->roles[position.role_count] = own->roles[i];
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

static void grow_slots(struct positions *found)
{
	found->slot_count *= 2;
	found->slots = ARENA_ARRAY(found->arena, uint32_t, found->slot_count);
	for (size_t i = 0; i < found->count; i++) {
		size_t at = found->hashes[i] & (found->slot_count - 1);

		while (found->slots[at] != 0)
			at = (at + 1) & (found->slot_count - 1);
		found->slots[at] = (uint32_t)i + 1;
	}
}

static const uint32_t *keep_roles(struct positions *found, const struct position *position)
{
	uint32_t *kept;

	if (position->role_count > found->room_left) {
		found->room_left = position->role_count > ROOM ? position->role_count : ROOM;
		found->room = ARENA_ARRAY(found->arena, uint32_t, found->room_left);
	}
	kept = found->room;
	if (position->role_count == 0)
		return kept;
	memcpy(kept, position->roles, position->role_count * sizeof *kept);
	found->room += position->role_count;
	found->room_left -= position->role_count;
	return kept;
}

/* One that no machine is in yet. */
static uint32_t add(struct positions *found, struct position position, uint64_t hash)
{
	size_t count = found->count;

	position.roles = keep_roles(found, &position);
	found->hashes = arena_grow(found->arena, found->hashes, count, &found->hash_capacity, sizeof *found->hashes,
	                           _Alignof(uint64_t));
	found->hashes[count] = hash;
	APPEND(found->arena, found, position);
	found->left++;
	if (found->count * 2 > found->slot_count)
		grow_slots(found);
	return (uint32_t)count;
}

static uint32_t find(struct positions *found, const struct position *position)
{
	uint64_t hash = position_hash(position);
	size_t at = hash & (found->slot_count - 1);

	for (; found->slots[at] != 0; at = (at + 1) & (found->slot_count - 1)) {
		uint32_t number = found->slots[at] - 1;

		if (found->hashes[number] == hash && same(&found->items[number], position))
			return number;
	}
	found->slots[at] = (uint32_t)found->count + 1;
	return add(found, *position, hash);
}

static void join(struct positions *found, uint32_t number, uint32_t machine)
{
	struct position *position = &found->items[number];

	found->left -= position->machines == 0;
	if (position->machines++ == 0 || machine < position->example)
		position->example = machine;
}

/* True: somebody else is the first that has it now. */
static bool leave(struct positions *found, uint32_t number, uint32_t machine)
{
	struct position *position = &found->items[number];

	found->left += --position->machines == 0;
	return position->machines > 0 && position->example == machine;
}

static uint32_t place(const struct finding *finding, uint32_t machine)
{
	if (!machine_has_ruleset(finding->resolved->machines[machine].machine))
		return NO_POSITION;
	struct position position = position_of(finding, machine);

	return find(finding->found, &position);
}

struct positions machine_positions(struct arena *arena, const struct resolved *resolved,
                                   const struct settings *settings)
{
	size_t machine_count = resolved->fleet->machine_count, role_count = resolved->fleet->role_count;
	struct positions found = {
		.arena = arena,
		.of_machine = arena_raw(arena, machine_count * sizeof(uint32_t)),
		.flags = ARENA_ARRAY(arena, unsigned char, role_count),
		.roles = ARENA_ARRAY(arena, uint32_t, role_count),
		.slots = ARENA_ARRAY(arena, uint32_t, FIRST_SLOTS),
		.slot_count = FIRST_SLOTS,
	};
	const struct finding finding = {&found, resolved, settings};

	for (size_t i = 0; i < role_count; i++)
		found.flags[i] = flags_of(resolved, i);
	for (uint32_t i = 0; i < machine_count; i++) {
		found.of_machine[i] = place(&finding, i);
		if (found.of_machine[i] != NO_POSITION)
			join(&found, found.of_machine[i], i);
	}
	return found;
}

/* As leave() says. */
static bool update(const struct finding *finding, uint32_t machine)
{
	struct positions *found = finding->found;
	uint32_t before = found->of_machine[machine], now = place(finding, machine);

	if (before == now)
		return false;
	found->of_machine[machine] = now;
	if (now != NO_POSITION)
		join(found, now, machine);
	return before != NO_POSITION && leave(found, before, machine);
}

/* One pass for all that lost theirs. */
static void renew_examples(struct positions *positions, size_t machine_count)
{
	for (size_t i = machine_count; i > 0; i--)
		if (positions->of_machine[i - 1] != NO_POSITION)
			positions->items[positions->of_machine[i - 1]].example = (uint32_t)i - 1;
}

/* Roles whose flags differ: how many. */
static size_t renew_flags(struct positions *positions, const struct resolved *resolved, uint32_t *roles)
{
	size_t count = 0;

	for (uint32_t i = 0; i < resolved->fleet->role_count; i++) {
		unsigned char flags = flags_of(resolved, i);

		if (flags != positions->flags[i])
			roles[count++] = i;
		positions->flags[i] = flags;
	}
	return count;
}

/* All flags before the first machine, which may have several roles whose flags differ. Who left such a role is among
 * the machines. */
void positions_update(struct positions *positions, const struct resolved *resolved, const struct settings *settings,
                      const uint32_t *machines, size_t machine_count)
{
	const struct finding finding = {positions, resolved, settings};
	struct arena *scratch = arena_new();
	uint32_t *roles = ARENA_ARRAY(scratch, uint32_t, resolved->fleet->role_count);
	size_t role_count = renew_flags(positions, resolved, roles);
	bool lost = false;

	for (size_t i = 0; i < machine_count; i++)
		lost |= update(&finding, machines[i]);
	for (size_t i = 0; i < role_count; i++)
		for (size_t k = 0; k < resolved->roles[roles[i]].member_count; k++)
			lost |= update(&finding, resolved->roles[roles[i]].members[k]);
	if (lost)
		renew_examples(positions, resolved->fleet->machine_count);
	arena_free(scratch);
}
