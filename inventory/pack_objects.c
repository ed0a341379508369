/* Roles with their rules, networks and services as a stream of 32-bit units, and back. There are few of them and they
 * come in many shapes, so each field is a unit of its own, in the order of the structures; writing and reading stand
 * side by side, and must be changed together. What is read is checked: numbers of words, counts, enumerations. */
#include <assert.h>

#include "fleetwall/arena.h"
#include "pack.h"

/* Of how many units each is at least, with nothing in it. A peer that is a literal has more than others. */
enum {
	UNITS_OF_LITERAL = 10,
	LEAST_OF_PEER = 3,
	LEAST_OF_RULE = 24,
	LEAST_OF_ROLE = 5,
	LEAST_OF_LABEL = 2,
	LEAST_OF_PREFIX = 6,
	LEAST_OF_NETWORK = 2,
	LEAST_OF_PORTS = 2,
	LEAST_OF_SERVICE = 3,
};

/* --- units --- */

struct writer {
	struct pack_words *words;
	uint32_t *at;
};

static void put(struct writer *writer, uint32_t unit)
{
	*writer->at++ = unit;
}

static void put_64(struct writer *writer, uint64_t number)
{
	put(writer, (uint32_t)number);
	put(writer, (uint32_t)(number >> 32));
}

static void put_bits(struct writer *writer, addr_bits bits)
{
	put_64(writer, (uint64_t)bits);
	put_64(writer, (uint64_t)(bits >> 64));
}

static void put_word(struct writer *writer, struct str s)
{
	put(writer, pack_word(writer->words, s));
}

static uint32_t take(struct pack_reader *reader)
{
	if (reader->at < reader->end)
		return *reader->at++;
	reader->bad = true;
	return 0;
}

/* One of 0 … count - 1: an enumeration, or a boolean. */
static unsigned take_one_of(struct pack_reader *reader, uint32_t count)
{
	uint32_t unit = take(reader);

	if (unit < count)
		return unit;
	reader->bad = true;
	return 0;
}

static bool take_bool(struct pack_reader *reader)
{
	return take_one_of(reader, 2) == 1;
}

static uint64_t take_64(struct pack_reader *reader)
{
	uint64_t low = take(reader);

	return low | (uint64_t)take(reader) << 32;
}

/* Far beyond every time that the language or PostgreSQL knows; near enough for arithmetic. */
static int64_t take_time(struct pack_reader *reader)
{
	const int64_t end = INT64_MAX / 4;
	int64_t time = (int64_t)take_64(reader);

	reader->bad |= time != TIME_NONE && (time < -end || time > end);
	return time;
}

static addr_bits take_bits(struct pack_reader *reader, enum family family)
{
	addr_bits bits = take_64(reader);

	bits |= (addr_bits)take_64(reader) << 64;
	reader->bad |= bits > family_last(family);
	return bits;
}

static struct str take_word(struct pack_reader *reader)
{
	return reader->words[take_one_of(reader, (uint32_t)reader->word_count)];
}

/* How many things follow, each of `least` units or more: so that nobody asks for more memory than the block has. */
static size_t take_count(struct pack_reader *reader, size_t least)
{
	size_t count = take(reader);

	if (count <= (size_t)(reader->end - reader->at) / least)
		return count;
	reader->bad = true;
	return 0;
}

/* --- ports --- */

static void put_ports(struct writer *writer, const struct port_range *ports, size_t count)
{
	put(writer, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		put(writer, (uint32_t)ports[i].first << 16 | ports[i].last);
}

static struct port_range *take_ports(struct pack_reader *reader, size_t *count)
{
	*count = take_count(reader, 1);
	struct port_range *ports = ARENA_ARRAY(reader->arena, struct port_range, *count);

	for (size_t i = 0; i < *count; i++) {
		uint32_t unit = take(reader);

		ports[i] = (struct port_range){(uint16_t)(unit >> 16), (uint16_t)unit};
	}
	return ports;
}

/* --- rules --- */

static void put_what(struct writer *writer, const struct what *what)
{
	put(writer, what->kind);
	put(writer, what->protocol);
	put_ports(writer, what->ports, what->port_count);
	put_word(writer, what->service);
	put(writer, what->icmp4);
	put(writer, what->icmp6);
	put(writer, what->icmp_name);
	put(writer, what->icmp_type);
	put(writer, (uint32_t)(what->icmp_code + 1));
}

static void take_what(struct pack_reader *reader, struct what *what)
{
	what->kind = (enum what_kind)take_one_of(reader, WHAT_ICMP + 1);
	what->protocol = (uint8_t)take_one_of(reader, UINT8_MAX + 1);
	what->ports = take_ports(reader, &what->port_count);
	what->service = take_word(reader);
	what->icmp4 = take_bool(reader);
	what->icmp6 = take_bool(reader);
	what->icmp_name = (enum icmp_name)take_one_of(reader, ICMP_PARAMETER_PROBLEM + 1);
	what->icmp_type = (uint8_t)take_one_of(reader, UINT8_MAX + 1);
	what->icmp_code = (int)take_one_of(reader, UINT8_MAX + 2) - 1;
}

static void put_peer(struct writer *writer, const struct peer *peer)
{
	put(writer, peer->kind);
	if (peer->kind == PEER_LITERAL) {
		put(writer, peer->literal.family == FAMILY_6);
		put_bits(writer, peer->literal.first);
		put_bits(writer, peer->literal.last);
	} else {
		put_word(writer, peer->name);
		put_word(writer, peer->label);
	}
}

static enum family take_family(struct pack_reader *reader)
{
	return take_bool(reader) ? FAMILY_6 : FAMILY_4;
}

static void take_peer(struct pack_reader *reader, struct peer *peer)
{
	peer->kind = (enum peer_kind)take_one_of(reader, PEER_ROLE + 1);
	if (peer->kind == PEER_LITERAL) {
		peer->literal.family = take_family(reader);
		peer->literal.first = take_bits(reader, peer->literal.family);
		peer->literal.last = take_bits(reader, peer->literal.family);
		reader->bad |= peer->literal.first > peer->literal.last;
	} else {
		peer->name = take_word(reader);
		peer->label = take_word(reader);
	}
}

static void put_rule(struct writer *writer, const struct rule *rule)
{
	put(writer, rule->action);
	put(writer, rule->direction);
	put_what(writer, &rule->what);
	put(writer, rule->any);
	put(writer, (uint32_t)rule->peer_count);
	for (size_t i = 0; i < rule->peer_count; i++)
		put_peer(writer, &rule->peers[i]);
	put_word(writer, rule->interface);
	put(writer, rule->log);
	put(writer, rule->limit);
	put(writer, rule->limit_unit);
	put_64(writer, (uint64_t)rule->since);
	put_64(writer, (uint64_t)rule->until);
	put_word(writer, rule->comment);
}

static void take_peers(struct pack_reader *reader, struct rule *rule)
{
	rule->peer_count = take_count(reader, LEAST_OF_PEER);
	rule->peers = ARENA_ARRAY(reader->arena, struct peer, rule->peer_count);
	for (size_t i = 0; i < rule->peer_count; i++)
		take_peer(reader, &rule->peers[i]);
}

static void take_rule(struct pack_reader *reader, struct rule *rule)
{
	rule->action = (enum action)take_one_of(reader, ACTION_REJECT + 1);
	rule->direction = (enum direction)take_one_of(reader, DIRECTION_OUT + 1);
	take_what(reader, &rule->what);
	rule->any = take_bool(reader);
	take_peers(reader, rule);
	rule->interface = take_word(reader);
	rule->log = take_bool(reader);
	rule->limit = take(reader);
	rule->limit_unit = (enum limit_unit)take_one_of(reader, LIMIT_DAY + 1);
	rule->since = take_time(reader);
	rule->until = take_time(reader);
	rule->comment = take_word(reader);
}

/* --- roles --- */

static void put_role(struct writer *writer, const struct role *role)
{
	put_word(writer, role->name);
	put(writer, role->egress);
	put(writer, role->has_selector);
	put(writer, (uint32_t)role->selector_count);
	for (size_t i = 0; i < role->selector_count; i++) {
		put_word(writer, role->selector[i].key);
		put_word(writer, role->selector[i].value);
	}
	put(writer, (uint32_t)role->rule_count);
	for (size_t i = 0; i < role->rule_count; i++) {
		const struct role_rule *held = &role->rules[i];

		put_rule(writer, &held->rule);
		put_word(writer, held->text);
		put(writer, held->enabled);
	}
}

static void take_selector(struct pack_reader *reader, struct role *role)
{
	role->has_selector = take_bool(reader);
	role->selector_count = take_count(reader, LEAST_OF_LABEL);
	role->selector = ARENA_ARRAY(reader->arena, struct label, role->selector_count);
	for (size_t i = 0; i < role->selector_count; i++) {
		role->selector[i].key = take_word(reader);
		role->selector[i].value = take_word(reader);
	}
}

static void take_rules(struct pack_reader *reader, struct role *role)
{
	role->rule_count = take_count(reader, LEAST_OF_RULE);
	role->rules = ARENA_ARRAY(reader->arena, struct role_rule, role->rule_count);
	for (size_t i = 0; i < role->rule_count && !reader->bad; i++) {
		struct role_rule *held = &role->rules[i];

		take_rule(reader, &held->rule);
		held->text = take_word(reader);
		held->enabled = take_bool(reader);
		held->ticket = held->owner = STR("");
	}
}

void unpack_role(struct pack_reader *reader, struct role *role)
{
	const struct str nothing = STR("");

	*role = (struct role){.given = GIVEN_ALL, .description = nothing, .owner = nothing, .document = nothing};
	role->name = take_word(reader);
	role->egress = (enum egress)take_one_of(reader, EGRESS_CLOSED + 1);
	take_selector(reader, role);
	take_rules(reader, role);
}

/* --- networks and services --- */

static void put_network(struct writer *writer, const struct network *network)
{
	put_word(writer, network->name);
	put(writer, (uint32_t)network->prefix_count);
	for (size_t i = 0; i < network->prefix_count; i++) {
		const struct prefix *prefix = &network->prefixes[i];

		put(writer, prefix->addr.family == FAMILY_6);
		put_bits(writer, prefix->addr.bits);
		put(writer, prefix->length);
	}
}

static void take_network(struct pack_reader *reader, struct network *network)
{
	*network = (struct network){.name = take_word(reader), .given = GIVEN_ALL, .document = STR("")};
	network->prefix_count = take_count(reader, LEAST_OF_PREFIX);
	network->prefixes = ARENA_ARRAY(reader->arena, struct prefix, network->prefix_count);
	for (size_t i = 0; i < network->prefix_count; i++) {
		struct prefix *prefix = &network->prefixes[i];

		prefix->addr.family = take_family(reader);
		prefix->addr.bits = take_bits(reader, prefix->addr.family);
		prefix->length = take_one_of(reader, family_width(prefix->addr.family) + 1);
	}
}

static void put_service(struct writer *writer, const struct service *service)
{
	put_word(writer, service->name);
	put(writer, service->builtin);
	put(writer, (uint32_t)service->count);
	for (size_t i = 0; i < service->count; i++) {
		put(writer, service->ports[i].protocol);
		put_ports(writer, service->ports[i].ports, service->ports[i].port_count);
	}
}

static void take_service(struct pack_reader *reader, struct service *service)
{
	*service = (struct service){.name = take_word(reader), .given = GIVEN_ALL, .document = STR("")};
	service->builtin = take_bool(reader);
	service->count = take_count(reader, LEAST_OF_PORTS);
	service->ports = ARENA_ARRAY(reader->arena, struct service_port, service->count);
	for (size_t i = 0; i < service->count; i++) {
		service->ports[i].protocol = (uint8_t)take_one_of(reader, UINT8_MAX + 1);
		service->ports[i].ports = take_ports(reader, &service->ports[i].port_count);
	}
}

/* --- all of them --- */

static size_t room_for_role(const struct role *role)
{
	size_t units = LEAST_OF_ROLE + LEAST_OF_LABEL * role->selector_count + LEAST_OF_RULE * role->rule_count;

	for (size_t i = 0; i < role->rule_count; i++)
		units += role->rules[i].rule.what.port_count + UNITS_OF_LITERAL * role->rules[i].rule.peer_count;
	return units;
}

static size_t room_for_service(const struct service *service)
{
	size_t units = LEAST_OF_SERVICE + LEAST_OF_PORTS * service->count;

	for (size_t i = 0; i < service->count; i++)
		units += service->ports[i].port_count;
	return units;
}

/* How many units there will be at most. */
static size_t room_for(const struct fleet *fleet)
{
	size_t units = 0;

	for (size_t i = 0; i < fleet->role_count; i++)
		units += room_for_role(&fleet->roles[i]);
	for (size_t i = 0; i < fleet->network_count; i++)
		units += LEAST_OF_NETWORK + LEAST_OF_PREFIX * fleet->networks[i].prefix_count;
	for (size_t i = 0; i < fleet->service_count; i++)
		units += room_for_service(&fleet->services[i]);
	return units;
}

uint32_t *pack_objects(struct arena *arena, struct pack_words *words, const struct fleet *fleet, uint64_t *count)
{
	size_t room = room_for(fleet);
	uint32_t *units = arena_raw(arena, room * sizeof *units);
	struct writer writer = {words, units};

	for (size_t i = 0; i < fleet->role_count; i++)
		put_role(&writer, &fleet->roles[i]);
	for (size_t i = 0; i < fleet->network_count; i++)
		put_network(&writer, &fleet->networks[i]);
	for (size_t i = 0; i < fleet->service_count; i++)
		put_service(&writer, &fleet->services[i]);
	*count = (uint64_t)(writer.at - units);
	assert(*count <= room);
	return units;
}

struct pack_reader pack_reader_new(struct arena *arena, const struct pack_block *block)
{
	const uint32_t *units = pack_section(block, PACK_OBJECTS);

	return (struct pack_reader){
		.arena = arena,
		.at = units,
		.end = units + pack_count(block, PACK_OBJECTS),
		.words = block->words,
		.word_count = pack_count(block, PACK_WORDS),
	};
}

static bool fits(const struct pack_reader *reader, uint64_t count, size_t least)
{
	return count <= (size_t)(reader->end - reader->at) / least;
}

bool unpack_has_roles(const struct pack_reader *reader, const struct pack_header *header)
{
	return fits(reader, header->roles, LEAST_OF_ROLE);
}

bool unpack_rest(struct pack_reader *reader, const struct pack_header *header, struct fleet *fleet)
{
	if (!fits(reader, header->networks, LEAST_OF_NETWORK) || !fits(reader, header->services, LEAST_OF_SERVICE))
		return false;
	fleet->network_count = header->networks;
	fleet->networks = ARENA_ARRAY(reader->arena, struct network, fleet->network_count);
	for (size_t i = 0; i < fleet->network_count && !reader->bad; i++)
		take_network(reader, &fleet->networks[i]);
	fleet->service_count = header->services;
	fleet->services = ARENA_ARRAY(reader->arena, struct service, fleet->service_count);
	for (size_t i = 0; i < fleet->service_count && !reader->bad; i++)
		take_service(reader, &fleet->services[i]);
	return !reader->bad && reader->at == reader->end;
}

bool unpack_objects(struct pack_reader *reader, const struct pack_header *header, struct fleet *fleet)
{
	if (!unpack_has_roles(reader, header))
		return false;
	fleet->role_count = header->roles;
	fleet->roles = ARENA_ARRAY(reader->arena, struct role, fleet->role_count);
	for (size_t i = 0; i < fleet->role_count && !reader->bad; i++)
		unpack_role(reader, &fleet->roles[i]);
	return unpack_rest(reader, header, fleet);
}
