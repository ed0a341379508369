/* One block of bytes -> the fleet that was packed into it. Names, words and nothing else stay in the block; the
 * structures are built beside it, because they are three times as large: reading them, and the digest that the caller
 * takes of the block, would cost more than building does. What building costs is mostly new memory, page by page, so
 * that it is spread over the processors. Every number is looked at before it is used. */
#include "fleetwall/arena.h"
#include "fleetwall/inventory.h"
#include "fleetwall/parallel.h"
#include "pack.h"

struct unpacking {
	struct arena *arena;
	struct pack_block block;
	struct fleet *fleet;
	struct str *labels, *roles;   /* of all distinct lists */
	struct pack_cursor *portions; /* where each portion of the machines begins */
	bool *possible;               /* of each piece of work */
};

/* --- words and lists --- */

static bool read_list_words(const struct unpacking *unpacking, enum pack_section which, struct str *read)
{
	uint64_t count = pack_count(&unpacking->block, which), words = pack_count(&unpacking->block, PACK_WORDS);
	const uint32_t *units = pack_section(&unpacking->block, which);

	for (uint64_t i = 0; i < count; i++) {
		if (units[i] >= words)
			return false;
		read[i] = unpacking->block.words[units[i]];
	}
	return true;
}

/* A list of labels is one of words, two a label. */
_Static_assert(sizeof(struct label) == 2 * sizeof(struct str), "a label is two strings and nothing else");

static struct label *labels_at(const struct unpacking *unpacking, uint32_t word)
{
	return (struct label *)(void *)(unpacking->labels + word);
}

/* --- machines --- */

/* Where each portion begins. After this all names and addresses are known to lie in their sections. */
static bool find_portions(struct unpacking *unpacking, struct pack_cursor cursor)
{
	const struct pack_machine *packed = pack_section(&unpacking->block, PACK_MACHINES);

	for (size_t i = 0; i < unpacking->fleet->machine_count; i++) {
		if (i % PACK_PORTION == 0)
			unpacking->portions[i / PACK_PORTION] = cursor;
		if (!pack_skip(&cursor, &packed[i]))
			return false;
	}
	return pack_ends(&cursor);
}

static bool read_machine(const struct unpacking *unpacking, const struct pack_machine *packed,
                         struct pack_cursor *cursor, struct machine *machine)
{
	uint32_t labels, label_words, roles, role_count;

	if (!pack_machine_at(&unpacking->block, packed, cursor, machine) ||
	    !pack_list_at(&unpacking->block, PACK_LABEL_STARTS, packed->labels, &labels, &label_words) ||
	    !pack_list_at(&unpacking->block, PACK_ROLE_STARTS, packed->roles, &roles, &role_count))
		return false;
	machine->labels = labels_at(unpacking, labels);
	machine->label_count = label_words / 2;
	machine->roles = unpacking->roles + roles;
	machine->role_count = role_count;
	return label_words % 2 == 0;
}

static bool read_portion(const struct unpacking *unpacking, size_t portion)
{
	const struct pack_machine *packed = pack_section(&unpacking->block, PACK_MACHINES);
	struct pack_cursor cursor = unpacking->portions[portion];
	size_t first = portion * PACK_PORTION, end = first + PACK_PORTION;

	if (end > unpacking->fleet->machine_count)
		end = unpacking->fleet->machine_count;
	for (size_t i = first; i < end; i++)
		if (!read_machine(unpacking, &packed[i], &cursor, &unpacking->fleet->machines[i]))
			return false;
	return true;
}

/* Room for what the pieces of work build, so that none of them needs the arena. */
static bool prepare_machines(struct arena *scratch, struct unpacking *unpacking)
{
	struct fleet *fleet = unpacking->fleet;
	struct pack_cursor cursor = pack_cursor_new(&unpacking->block);

	fleet->machine_count = pack_count(&unpacking->block, PACK_MACHINES);
	fleet->machines = arena_raw(unpacking->arena, fleet->machine_count * sizeof *fleet->machines);
	cursor.addresses = arena_raw(unpacking->arena, cursor.heads * sizeof *cursor.addresses);
	unpacking->labels =
		arena_raw(unpacking->arena, pack_count(&unpacking->block, PACK_LABELS) * sizeof(struct str));
	unpacking->roles = arena_raw(unpacking->arena, pack_count(&unpacking->block, PACK_ROLES) * sizeof(struct str));
	unpacking->portions = ARENA_ARRAY(scratch, struct pack_cursor, fleet->machine_count / PACK_PORTION + 1);
	return find_portions(unpacking, cursor);
}

/* --- all of it --- */

static bool read_objects(const struct unpacking *unpacking)
{
	struct pack_reader reader = pack_reader_new(unpacking->arena, &unpacking->block);

	return unpack_objects(&reader, unpacking->block.header, unpacking->fleet);
}

/* The pieces of work. Only the first one takes from the arena. */
enum { WORK_OBJECTS, WORK_LABELS, WORK_ROLES, WORK_PORTIONS };

static struct error *do_work(void *context, unsigned worker, size_t item)
{
	struct unpacking *unpacking = context;
	bool *possible = &unpacking->possible[item];

	(void)worker;
	switch (item) {
	case WORK_OBJECTS:
		*possible = read_objects(unpacking);
		return NULL;
	case WORK_LABELS:
		*possible = read_list_words(unpacking, PACK_LABELS, unpacking->labels);
		return NULL;
	case WORK_ROLES:
		*possible = read_list_words(unpacking, PACK_ROLES, unpacking->roles);
		return NULL;
	default:
		*possible = read_portion(unpacking, item - WORK_PORTIONS);
		return NULL;
	}
}

static bool do_all(struct arena *scratch, struct unpacking *unpacking)
{
	size_t portions = (unpacking->fleet->machine_count + PACK_PORTION - 1) / PACK_PORTION;
	size_t count = WORK_PORTIONS + portions;
	bool possible = true;

	unpacking->possible = ARENA_ARRAY(scratch, bool, count);
	if (parallel_each(portions > 1 ? parallel_workers() : 1, count, do_work, unpacking) != NULL)
		return false;
	for (size_t i = 0; i < count; i++)
		possible &= unpacking->possible[i];
	return possible;
}

bool fleet_unpack(struct arena *arena, struct str bytes, struct fleet *fleet)
{
	struct unpacking unpacking = {.arena = arena, .fleet = fleet};
	struct arena *scratch = arena_new();
	bool possible = pack_open(scratch, bytes, &unpacking.block);

	if (possible) {
		*fleet = (struct fleet){.owner = STR(""), .clock = unpacking.block.header->clock};
		possible = prepare_machines(scratch, &unpacking) && do_all(scratch, &unpacking);
	}
	arena_free(scratch);
	return possible;
}
