/* A packed fleet, opened: its sections, words and lists, and the machines one after the other. Builds nothing but the
 * list of words; looks at every number before it is used, so that nothing outside of the block is read. */
#include <string.h>

#include "fleetwall/arena.h"
#include "pack.h"

static bool read_header(struct str bytes, struct pack_block *block)
{
	uint64_t size;

	if (bytes.n < sizeof *block->header || (uintptr_t)bytes.p % _Alignof(struct pack_header) != 0)
		return false;
	block->bytes = bytes.p;
	block->header = (const void *)bytes.p;
	return memcmp(block->header->magic, PACK_MAGIC, sizeof block->header->magic) == 0 &&
	       pack_layout(block->header, bytes.n, block->at, &size) && size == bytes.n;
}

static bool read_words(struct arena *arena, struct pack_block *block)
{
	uint64_t count = pack_count(block, PACK_WORDS), left = pack_count(block, PACK_SPELLINGS);
	const uint32_t *lengths = pack_section(block, PACK_WORDS);
	const char *spelling = pack_section(block, PACK_SPELLINGS);

	block->words = ARENA_ARRAY(arena, struct str, count);
	for (uint64_t i = 0; i < count; i++) {
		if (lengths[i] > left)
			return false;
		block->words[i] = (struct str){spelling, lengths[i]};
		spelling += lengths[i];
		left -= lengths[i];
	}
	return count > 0 && count < UINT32_MAX && left == 0;
}

/* --- lists --- */

/* Do the lists lie one behind the other, from the first unit to the last? */
static bool starts_hold(const struct pack_block *block, enum pack_section starts, uint64_t units)
{
	uint64_t count = pack_count(block, starts);
	const uint32_t *start = pack_section(block, starts);

	if (count == 0 || start[0] != 0 || start[count - 1] != units)
		return false;
	for (uint64_t i = 1; i < count; i++)
		if (start[i] < start[i - 1])
			return false;
	return true;
}

bool pack_list_at(const struct pack_block *block, enum pack_section starts, uint32_t number, uint32_t *from,
                  uint32_t *count)
{
	const uint32_t *start = pack_section(block, starts);

	if (number >= pack_count(block, starts) - 1)
		return false;
	*from = start[number];
	*count = start[number + 1] - start[number];
	return true;
}

bool pack_open(struct arena *arena, struct str bytes, struct pack_block *block)
{
	return read_header(bytes, block) && read_words(arena, block) &&
	       starts_hold(block, PACK_LABEL_STARTS, pack_count(block, PACK_LABELS)) &&
	       starts_hold(block, PACK_ROLE_STARTS, pack_count(block, PACK_ROLES));
}

/* --- machines --- */

struct pack_cursor pack_cursor_new(const struct pack_block *block)
{
	return (struct pack_cursor){
		.name = pack_section(block, PACK_NAMES),
		.names = pack_count(block, PACK_NAMES),
		.head = pack_section(block, PACK_ADDRESSES),
		.heads = pack_count(block, PACK_ADDRESSES),
		.bits = pack_section(block, PACK_BITS),
		.units = pack_count(block, PACK_BITS),
	};
}

static uint32_t units_of(uint32_t head)
{
	return (head & PACK_IPV6) != 0 ? 4 : 1;
}

static bool skip_addresses(struct pack_cursor *cursor, uint32_t count)
{
	uint64_t units = 0;

	if (count > cursor->heads)
		return false;
	for (uint32_t i = 0; i < count; i++)
		units += units_of(cursor->head[i]);
	if (units > cursor->units)
		return false;
	cursor->bits += units;
	cursor->units -= units;
	cursor->head += count;
	cursor->heads -= count;
	if (cursor->addresses != NULL)
		cursor->addresses += count;
	return true;
}

bool pack_skip(struct pack_cursor *cursor, const struct pack_machine *packed)
{
	if (packed->name_length > cursor->names)
		return false;
	cursor->name += packed->name_length;
	cursor->names -= packed->name_length;
	return skip_addresses(cursor, packed->address_count);
}

bool pack_ends(const struct pack_cursor *cursor)
{
	return cursor->names == 0 && cursor->heads == 0 && cursor->units == 0;
}

struct addr pack_address(const uint32_t *bits, bool six)
{
	struct addr addr = {.bits = bits[0], .family = six ? FAMILY_6 : FAMILY_4};

	for (uint32_t i = 1; six && i < 4; i++)
		addr.bits |= (addr_bits)bits[i] << 32 * i;
	return addr;
}

static bool read_addresses(const struct pack_block *block, struct pack_cursor *cursor, struct machine *machine)
{
	machine->addresses = cursor->addresses;
	for (size_t i = 0; i < machine->address_count; i++) {
		uint32_t head = *cursor->head++, word = head >> 1;

		if (word >= pack_count(block, PACK_WORDS))
			return false;
		*cursor->addresses++ = (struct machine_address){
			pack_address(cursor->bits, (head & PACK_IPV6) != 0),
			block->words[word],
		};
		cursor->bits += units_of(head);
	}
	return true;
}

bool pack_machine_at(const struct pack_block *block, const struct pack_machine *packed, struct pack_cursor *cursor,
                     struct machine *machine)
{
	if (packed->enabled > 1 || packed->mode > MODE_COEXIST || packed->enforcement > ENFORCEMENT_UNMANAGED)
		return false;
	*machine = (struct machine){
		.name = {cursor->name, packed->name_length},
		.given = GIVEN_ALL,
		.enabled = packed->enabled != 0,
		.mode = (enum mode)packed->mode,
		.enforcement = (enum enforcement)packed->enforcement,
		.ssh_port = packed->ssh_port,
		.ssh_host = STR(""),
		.address_count = packed->address_count,
		.document = STR(""),
	};
	cursor->name += packed->name_length;
	return read_addresses(block, cursor, machine);
}
