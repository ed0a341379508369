/* One block of bytes -> the fleet that was packed into it. Names, words and nothing else stay in the block; the
 * structures are built beside it, because they are three times as large: reading them, and the digest that the caller
 * takes of the block, would cost more than building does. What building costs is mostly new memory, page by page, so
 * that it is spread over the processors. Every number is looked at before it is used. */
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/inventory.h"
#include "fleetwall/parallel.h"
#include "pack.h"

/* What is left of the sections that machines take from, one after the other. */
struct cursor {
	const char *name;
	uint64_t names;
	const uint32_t *head, *bits;
	uint64_t heads, units;
	struct machine_address *addresses;
};

struct unpacking {
	struct arena *arena;
	const char *block;
	const struct pack_header *header;
	uint64_t at[PACK_SECTIONS];
	struct fleet *fleet;
	struct str *words;
	struct str *labels, *roles; /* of all distinct lists */
	struct cursor *portions;    /* where each portion of the machines begins */
	bool *possible;             /* of each piece of work */
};

static const void *section(const struct unpacking *unpacking, enum pack_section which)
{
	return unpacking->block + unpacking->at[which];
}

static uint64_t count_of(const struct unpacking *unpacking, enum pack_section which)
{
	return unpacking->header->count[which];
}

/* --- words and lists --- */

static bool read_words(struct arena *scratch, struct unpacking *unpacking)
{
	uint64_t count = count_of(unpacking, PACK_WORDS), left = count_of(unpacking, PACK_SPELLINGS);
	const uint32_t *lengths = section(unpacking, PACK_WORDS);
	const char *spelling = section(unpacking, PACK_SPELLINGS);

	unpacking->words = ARENA_ARRAY(scratch, struct str, count);
	for (uint64_t i = 0; i < count; i++) {
		if (lengths[i] > left)
			return false;
		unpacking->words[i] = (struct str){spelling, lengths[i]};
		spelling += lengths[i];
		left -= lengths[i];
	}
	return count > 0 && count < UINT32_MAX && left == 0;
}

/* Do the lists lie one behind the other, from the first unit to the last? */
static bool starts_hold(const struct unpacking *unpacking, enum pack_section starts, uint64_t units)
{
	uint64_t count = count_of(unpacking, starts);
	const uint32_t *start = section(unpacking, starts);

	if (count == 0 || start[0] != 0 || start[count - 1] != units)
		return false;
	for (uint64_t i = 1; i < count; i++)
		if (start[i] < start[i - 1])
			return false;
	return true;
}

static bool read_list_words(const struct unpacking *unpacking, enum pack_section which, struct str *read)
{
	uint64_t count = count_of(unpacking, which), words = count_of(unpacking, PACK_WORDS);
	const uint32_t *units = section(unpacking, which);

	for (uint64_t i = 0; i < count; i++) {
		if (units[i] >= words)
			return false;
		read[i] = unpacking->words[units[i]];
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

/* Goes over the addresses of a machine; false when there are not so many. */
static bool skip_addresses(struct cursor *cursor, uint32_t count)
{
	if (count > cursor->heads)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t units = (cursor->head[i] & PACK_IPV6) != 0 ? 4 : 1;

		if (units > cursor->units)
			return false;
		cursor->bits += units;
		cursor->units -= units;
	}
	cursor->head += count;
	cursor->heads -= count;
	cursor->addresses += count;
	return true;
}

/* Where each portion begins. After this all names and addresses are known to lie in their sections. */
static bool find_portions(struct unpacking *unpacking, struct cursor cursor)
{
	const struct pack_machine *packed = section(unpacking, PACK_MACHINES);

	for (size_t i = 0; i < unpacking->fleet->machine_count; i++) {
		if (i % PACK_PORTION == 0)
			unpacking->portions[i / PACK_PORTION] = cursor;
		if (packed[i].name_length > cursor.names)
			return false;
		cursor.name += packed[i].name_length;
		cursor.names -= packed[i].name_length;
		if (!skip_addresses(&cursor, packed[i].address_count))
			return false;
	}
	return cursor.names == 0 && cursor.heads == 0 && cursor.units == 0;
}

static bool read_list(const struct unpacking *unpacking, enum pack_section starts, uint32_t number, uint32_t *from,
                      uint32_t *count)
{
	const uint32_t *start = section(unpacking, starts);

	if (number >= count_of(unpacking, starts) - 1)
		return false;
	*from = start[number];
	*count = start[number + 1] - start[number];
	return true;
}

static bool read_address(const struct unpacking *unpacking, struct cursor *cursor, struct machine_address *address)
{
	uint32_t head = *cursor->head++, word = head >> 1, units = (head & PACK_IPV6) != 0 ? 4 : 1;

	if (word >= count_of(unpacking, PACK_WORDS))
		return false;
	*address = (struct machine_address){
		.addr = {.bits = cursor->bits[0], .family = units == 4 ? FAMILY_6 : FAMILY_4},
		.label = unpacking->words[word],
	};
	for (uint32_t i = 1; i < units; i++)
		address->addr.bits |= (addr_bits)cursor->bits[i] << 32 * i;
	cursor->bits += units;
	return true;
}

static bool read_addresses(const struct unpacking *unpacking, struct cursor *cursor, struct machine *machine)
{
	machine->addresses = cursor->addresses;
	for (size_t i = 0; i < machine->address_count; i++)
		if (!read_address(unpacking, cursor, cursor->addresses++))
			return false;
	return true;
}

static bool read_machine(const struct unpacking *unpacking, const struct pack_machine *packed, struct cursor *cursor,
                         struct machine *machine)
{
	uint32_t labels, label_words, roles, role_count;

	if (packed->enabled > 1 || packed->mode > MODE_COEXIST || packed->enforcement > ENFORCEMENT_UNMANAGED ||
	    !read_list(unpacking, PACK_LABEL_STARTS, packed->labels, &labels, &label_words) ||
	    !read_list(unpacking, PACK_ROLE_STARTS, packed->roles, &roles, &role_count) || label_words % 2 != 0)
		return false;
	*machine = (struct machine){
		.name = {cursor->name, packed->name_length},
		.given = GIVEN_ALL,
		.enabled = packed->enabled != 0,
		.mode = (enum mode)packed->mode,
		.enforcement = (enum enforcement)packed->enforcement,
		.ssh_port = packed->ssh_port,
		.ssh_host = STR(""),
		.labels = labels_at(unpacking, labels),
		.label_count = label_words / 2,
		.address_count = packed->address_count,
		.roles = unpacking->roles + roles,
		.role_count = role_count,
		.document = STR(""),
	};
	cursor->name += packed->name_length;
	return read_addresses(unpacking, cursor, machine);
}

static bool read_portion(const struct unpacking *unpacking, size_t portion)
{
	const struct pack_machine *packed = section(unpacking, PACK_MACHINES);
	struct cursor cursor = unpacking->portions[portion];
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
	struct cursor cursor = {
		.name = section(unpacking, PACK_NAMES),
		.names = count_of(unpacking, PACK_NAMES),
		.head = section(unpacking, PACK_ADDRESSES),
		.heads = count_of(unpacking, PACK_ADDRESSES),
		.bits = section(unpacking, PACK_BITS),
		.units = count_of(unpacking, PACK_BITS),
	};

	fleet->machine_count = count_of(unpacking, PACK_MACHINES);
	fleet->machines = arena_raw(unpacking->arena, fleet->machine_count * sizeof *fleet->machines);
	cursor.addresses = arena_raw(unpacking->arena, cursor.heads * sizeof *cursor.addresses);
	unpacking->labels = arena_raw(unpacking->arena, count_of(unpacking, PACK_LABELS) * sizeof(struct str));
	unpacking->roles = arena_raw(unpacking->arena, count_of(unpacking, PACK_ROLES) * sizeof(struct str));
	unpacking->portions = ARENA_ARRAY(scratch, struct cursor, fleet->machine_count / PACK_PORTION + 1);
	return find_portions(unpacking, cursor) &&
	       starts_hold(unpacking, PACK_LABEL_STARTS, count_of(unpacking, PACK_LABELS)) &&
	       starts_hold(unpacking, PACK_ROLE_STARTS, count_of(unpacking, PACK_ROLES));
}

/* --- all of it --- */

static bool read_objects(const struct unpacking *unpacking)
{
	const uint32_t *units = section(unpacking, PACK_OBJECTS);
	struct pack_reader reader = {
		.arena = unpacking->arena,
		.at = units,
		.end = units + count_of(unpacking, PACK_OBJECTS),
		.words = unpacking->words,
		.word_count = count_of(unpacking, PACK_WORDS),
	};

	return unpack_objects(&reader, unpacking->header, unpacking->fleet);
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

static bool read_header(struct str bytes, struct unpacking *unpacking)
{
	uint64_t size;

	if (bytes.n < sizeof *unpacking->header || (uintptr_t)bytes.p % _Alignof(struct pack_header) != 0)
		return false;
	unpacking->block = bytes.p;
	unpacking->header = (const void *)bytes.p;
	return memcmp(unpacking->header->magic, PACK_MAGIC, sizeof unpacking->header->magic) == 0 &&
	       pack_layout(unpacking->header, bytes.n, unpacking->at, &size) && size == bytes.n;
}

bool fleet_unpack(struct arena *arena, struct str bytes, struct fleet *fleet)
{
	struct unpacking unpacking = {.arena = arena, .fleet = fleet};

	if (!read_header(bytes, &unpacking))
		return false;
	struct arena *scratch = arena_new();

	*fleet = (struct fleet){.owner = STR(""), .clock = unpacking.header->clock};
	bool possible = read_words(scratch, &unpacking) && prepare_machines(scratch, &unpacking) &&
	                do_all(scratch, &unpacking);

	arena_free(scratch);
	return possible;
}
