/* What a machine has from its network interfaces: addresses, and the security groups that hold for all of them. A
 * machine's roles hold for the whole machine; so a group that only some of its interfaces have is left out, for it
 * would open the others. */
#include <stdlib.h>

#include "aws.h"
#include "fleetwall/arena.h"

/* --- addresses --- */

struct address_list {
	struct machine_address *items;
	size_t count, capacity;
};

struct addresses {
	struct aws *aws;
	const struct aws_thing *owner;
	struct str label;
	struct address_list list;
};

static void add_address(struct addresses *addresses, struct str text)
{
	struct machine_address address = {.label = addresses->label};

	if (text.n == 0)
		return;
	if (addr_parse(text, &address.addr))
		APPEND(addresses->aws->foreign.arena, &addresses->list, address);
	else
		foreign_left_out(&addresses->aws->foreign, addresses->owner->file, "%.*s: \"%s\" is no address",
		                 STR_ARG(addresses->owner->id), SHOWN(text));
}

/* What the interface has itself. */
static void add_private(struct addresses *addresses, const json_t *record)
{
	const json_t *v4 = json_object_get(record, "PrivateIpAddresses"),
		     *v6 = json_object_get(record, "Ipv6Addresses");

	add_address(addresses, foreign_member(record, "PrivateIpAddress"));
	add_address(addresses, foreign_member(record, "Ipv6Address"));
	for (size_t i = 0; i < json_array_size(v4); i++)
		add_address(addresses, foreign_member(json_array_get(v4, i), "PrivateIpAddress"));
	for (size_t i = 0; i < json_array_size(v6); i++)
		add_address(addresses, foreign_member(json_array_get(v6, i), "Ipv6Address"));
}

/* What AWS translates to it. */
static void add_public(struct addresses *addresses, const json_t *record)
{
	const json_t *v4 = json_object_get(record, "PrivateIpAddresses");

	add_address(addresses, foreign_member(record, "PublicIpAddress"));
	add_address(addresses, foreign_member(json_object_get(record, "Association"), "PublicIp"));
	add_address(addresses, foreign_member(json_object_get(record, "Association"), "CarrierIp"));
	for (size_t i = 0; i < json_array_size(v4); i++) {
		const json_t *association = json_object_get(json_array_get(v4, i), "Association");

		add_address(addresses, foreign_member(association, "PublicIp"));
		add_address(addresses, foreign_member(association, "CarrierIp"));
	}
}

/* A machine's addresses are single ones. */
static void note_prefixes(struct addresses *addresses, const json_t *record, const char *list_key, const char *key)
{
	const json_t *list = json_object_get(record, list_key);

	for (size_t i = 0; i < json_array_size(list); i++)
		foreign_left_out(&addresses->aws->foreign, addresses->owner->file,
		                 "%.*s: interface %s has the whole prefix \"%s\"", STR_ARG(addresses->owner->id),
		                 SHOWN(foreign_member(record, "NetworkInterfaceId")),
		                 SHOWN(foreign_member(json_array_get(list, i), key)));
}

/* "private" sorts before "public", and is what counts if an address is both. */
static int address_order(const void *a, const void *b)
{
	const struct machine_address *x = a, *y = b;
	int order = addr_cmp(x->addr, y->addr);

	return order != 0 ? order : str_cmp(x->label, y->label);
}

static size_t join_addresses(struct machine_address *list, size_t count)
{
	size_t kept = 0;

	if (count > 1)
		qsort(list, count, sizeof *list, address_order);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || addr_cmp(list[kept - 1].addr, list[i].addr) != 0)
			list[kept++] = list[i];
	return kept;
}

void aws_addresses(struct aws *aws, const struct aws_thing *owner, const json_t *instance,
                   const struct aws_records *records, struct machine *machine)
{
	struct addresses addresses = {.aws = aws, .owner = owner, .label = STR("private")};

	add_private(&addresses, instance);
	for (size_t i = 0; i < records->count; i++)
		add_private(&addresses, records->items[i].json);
	addresses.label = STR("public");
	add_public(&addresses, instance);
	for (size_t i = 0; i < records->count; i++) {
		add_public(&addresses, records->items[i].json);
		note_prefixes(&addresses, records->items[i].json, "Ipv4Prefixes", "Ipv4Prefix");
		note_prefixes(&addresses, records->items[i].json, "Ipv6Prefixes", "Ipv6Prefix");
	}
	machine->addresses = addresses.list.items;
	machine->address_count = join_addresses(addresses.list.items, addresses.list.count);
}

/* --- groups --- */

struct group_ids {
	struct str *items;
	size_t count, capacity;
};

static struct group_ids groups_of(struct arena *arena, const json_t *list)
{
	struct group_ids ids = {0};

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *element = json_array_get(list, i);
		struct str id = json_is_string(element) ? foreign_str(element) : foreign_member(element, "GroupId");

		APPEND(arena, &ids, id);
	}
	if (ids.count > 1)
		qsort(ids.items, ids.count, sizeof *ids.items, str_order);
	return ids;
}

static bool has_group(const struct group_ids *ids, struct str id)
{
	return ids->count > 0 && bsearch(&id, ids->items, ids->count, sizeof id, str_order) != NULL;
}

/* The interface that does not have the group; NULL if all have it. */
static const struct aws_thing *without_group(const struct aws_records *records, const struct group_ids *groups,
                                             struct str id)
{
	for (size_t i = 0; i < records->count; i++)
		if (!has_group(&groups[i], id))
			return &records->items[i];
	return NULL;
}

/* `holder` is the interface that has it; NULL: the instance itself says so. False: it is left out. */
static bool take_group(struct aws *aws, const struct aws_thing *owner, struct str id, const struct aws_thing *holder,
                       const struct aws_thing *without, struct machine *machine)
{
	struct str role = aws_role(aws, id);

	if (without != NULL)
		foreign_left_out(&aws->foreign, owner->file,
		                 "%.*s: security group %s is on interface %s and not on %s, and a machine's roles hold "
		                 "for all its interfaces",
		                 STR_ARG(owner->id), SHOWN(id), SHOWN(holder->id), SHOWN(without->id));
	else if (role.n == 0 && aws->groups.count > 0)
		foreign_left_out(&aws->foreign, owner->file, "%.*s: security group %s is not in these files",
		                 STR_ARG(owner->id), SHOWN(id));
	else if (role.n > 0)
		machine->roles[machine->role_count++] = role;
	return without == NULL && role.n > 0;
}

/* The groups of one interface that no interface before it has: those were dealt with there. */
static bool take_groups(struct aws *aws, const struct aws_thing *owner, const struct aws_records *records,
                        const struct group_ids *groups, size_t number, struct names *seen, struct machine *machine)
{
	bool complete = true;

	for (size_t i = 0; i < groups[number].count; i++) {
		struct str id = groups[number].items[i];

		if (names_find(seen, id) != NAMES_NONE)
			continue;
		names_add(seen, id);
		complete &= take_group(aws, owner, id, records->count > 0 ? &records->items[number] : NULL,
		                       without_group(records, groups, id), machine);
	}
	return complete;
}

bool aws_memberships(struct aws *aws, const struct aws_thing *owner, const json_t *instance,
                     const struct aws_records *records, struct machine *machine)
{
	struct arena *arena = aws->foreign.arena;
	size_t lists = records->count > 0 ? records->count : 1, most = 0;
	struct group_ids *groups = ARENA_ARRAY(arena, struct group_ids, lists);
	struct names *seen = names_new(arena);
	bool complete = true;

	if (records->count == 0)
		groups[0] = groups_of(arena, aws_list(aws, owner, instance, "SecurityGroups"));
	for (size_t i = 0; i < records->count; i++)
		groups[i] = groups_of(arena, aws_list(aws, &records->items[i], records->items[i].json, "Groups"));
	for (size_t i = 0; i < lists; i++)
		most += groups[i].count;
	machine->roles = ARENA_ARRAY(arena, struct str, most);
	for (size_t i = 0; i < lists; i++)
		complete &= take_groups(aws, owner, records, groups, i, seen, machine);
	return complete;
}
