/* From pieces to a fleet: what both families say alike becomes one rule, lists of addresses are joined, sets become
 * networks; each machine's rules are its own role's. */
#include <stdlib.h>

#include "fleetwall/buf.h"
#include "fleetwall/names.h"
#include "takeover.h"

enum { PEERS_MOST = 48, COMMENT_MOST = 1000 };

/* Of the bound, what an address costs that becomes a peer of a rule: less time than memory. */
enum { WORK_OF_PEER = 64 };

/* Pieces that differ in nothing but their addresses. */
struct joined {
	const struct piece *first;
	struct what what;
	bool present[2], every[2]; /* by family */
	struct range_list ranges;
	struct peer_list networks;
};
struct joined_list {
	struct joined *items;
	size_t count, capacity;
};

struct building {
	struct takeover *takeover;
	struct host *host;
	struct finder *finder;
	struct fleet *wanted;
	struct joined_list joined;
	struct names *keys;
	struct names *texts; /* of the role's rules */
};

/* --- networks --- */

static struct str network_name(struct arena *arena, struct str set)
{
	struct str lower = str_slice(str_lower(arena, set), 0, 60);
	char *copy = str_c(arena, lower);

	for (size_t i = 0; i < lower.n; i++) {
		char c = copy[i];
		bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (!alnum && (i == 0 || (c != '.' && c != '_' && c != '-')))
			copy[i] = i == 0 ? 'n' : '-';
	}
	return (struct str){copy, lower.n};
}

/* Is every set of this name in the import of these addresses? */
static bool is_everybodys(const struct takeover *takeover, const struct filter_set *set)
{
	for (size_t i = 0; i < takeover->host_count; i++) {
		const struct filter_set *other = filter_set(&takeover->hosts[i].sets, set->name);

		if (other != NULL && (!other->modelled || !addr_set_eq(&other->addresses, &set->addresses)))
			return false;
	}
	return true;
}

static void add_prefix(void *context, struct prefix prefix)
{
	struct network *network = context;

	network->prefixes[network->prefix_count++] = prefix;
}

static void count_prefix(void *context, struct prefix prefix)
{
	size_t *count = context;

	(void)prefix;
	++*count;
}

static struct network network_of(struct arena *arena, struct str name, const struct filter_set *set)
{
	struct network network = {.name = name, .given = GIVEN_PREFIXES};
	size_t count = 0;

	addr_set_prefixes(&set->addresses, count_prefix, &count);
	network.prefixes = ARENA_ARRAY(arena, struct prefix, count);
	addr_set_prefixes(&set->addresses, add_prefix, &network);
	return network;
}

static bool says_the_same(const struct network *present, const struct network *wanted)
{
	for (size_t i = 0; i < wanted->prefix_count && present->prefix_count == wanted->prefix_count; i++)
		if (addr_cmp(present->prefixes[i].addr, wanted->prefixes[i].addr) != 0 ||
		    present->prefixes[i].length != wanted->prefixes[i].length)
			return false;
	return present->prefix_count == wanted->prefix_count;
}

static const struct network *wanted_network(const struct fleet *wanted, struct str name)
{
	for (size_t i = 0; i < wanted->network_count; i++)
		if (str_eq(wanted->networks[i].name, name))
			return &wanted->networks[i];
	return NULL;
}

/* Its own name where that is free, or means the same already; else the machine's before it. */
static void name_networks(struct building *building, const struct fleet *present)
{
	struct arena *arena = building->takeover->arena;
	struct host *host = building->host;

	for (size_t i = 0; i < host->sets.count; i++) {
		const struct filter_set *set = &host->sets.sets[i];
		struct str name = network_name(arena, set->name);
		struct network network = network_of(arena, name, set);
		const struct network *there = fleet_network(present, name);
		const struct network *here = wanted_network(building->wanted, name);

		if ((there != NULL && !says_the_same(there, &network)) || !is_everybodys(building->takeover, set) ||
		    (here != NULL && !says_the_same(here, &network)))
			name = network_name(arena,
			                    str_format(arena, "%.*s-%.*s", STR_ARG(host->name), STR_ARG(set->name)));
		host->networks[i].name = name;
	}
}

static void need_network(struct building *building, struct network_of_set *of)
{
	struct fleet *wanted = building->wanted;

	if (wanted_network(wanted, of->name) == NULL)
		wanted->networks[wanted->network_count++] = network_of(building->takeover->arena, of->name, of->set);
}

/* The set whose addresses these are, where the lines did not spell them. */
static struct network_of_set *set_of_piece(const struct building *building, const struct piece *piece)
{
	for (size_t i = 0; i < building->host->sets.count && piece->literals == NULL; i++) {
		struct network_of_set *of = &building->host->networks[i];

		if (of->set->modelled && of->set->family == piece->family && piece->peers.count > 0 &&
		    (of->set->addresses.ranges == piece->peers.ranges ||
		     addr_set_eq(&of->set->addresses, &piece->peers)))
			return of;
	}
	return NULL;
}

/* --- joining --- */

/* ICMP of both families is one word where its type has one name. */
static struct what joined_what(const struct piece *piece)
{
	static const enum icmp_name names[] = {ICMP_ECHO_REQUEST, ICMP_ECHO_REPLY, ICMP_DESTINATION_UNREACHABLE,
	                                       ICMP_TIME_EXCEEDED, ICMP_PARAMETER_PROBLEM};
	struct what what = piece->what;
	uint8_t type;

	if (what.kind != WHAT_ICMP)
		return what;
	for (size_t i = 0; what.icmp_name == ICMP_NUMBER && what.icmp_code < 0 && i < sizeof names / sizeof *names; i++)
		if (icmp_number(names[i], piece->family, &type) && type == what.icmp_type) {
			what.icmp_name = names[i];
			what.icmp_type = 0;
			break;
		}
	if (what.icmp_name != ICMP_NUMBER)
		what.icmp4 = what.icmp6 = true;
	return what;
}

static struct str key_of(struct arena *arena, const struct piece *piece, const struct what *what)
{
	struct buf buf = buf_new(arena);

	buf_format(&buf, "%d %d %d %u/%d ", piece->out, (int)piece->action, piece->log, piece->limit,
	           (int)piece->limit_unit);
	what_print(&buf, what);
	buf_char(&buf, ' ');
	buf_add(&buf, piece->interface);
	buf_char(&buf, ' ');
	buf_add(&buf, piece->comment);
	return buf_str(&buf);
}

static struct joined *joined_of(struct building *building, const struct piece *piece)
{
	struct arena *arena = building->takeover->arena;
	struct what what = joined_what(piece);
	uint32_t number = names_add(building->keys, key_of(arena, piece, &what));

	if (number == building->joined.count)
		APPEND(arena, &building->joined, ((struct joined){.first = piece, .what = what}));
	return &building->joined.items[number];
}

static void add_ranges(struct arena *arena, struct range_list *list, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		APPEND(arena, list, ranges[i]);
}

static void join_piece(struct building *building, const struct piece *piece)
{
	struct arena *arena = building->takeover->arena;
	struct joined *joined = joined_of(building, piece);
	struct network_of_set *of = piece->any ? NULL : set_of_piece(building, piece);
	unsigned which = piece->family == FAMILY_6;

	joined->present[which] = true;
	if (piece->any) {
		joined->every[which] = true;
	} else if (of != NULL) {
		need_network(building, of);
		APPEND(arena, &joined->networks, ((struct peer){.kind = PEER_NETWORK, .name = of->name}));
	} else if (piece->literals != NULL) {
		add_ranges(arena, &joined->ranges, piece->literals, piece->literal_count);
	} else {
		add_ranges(arena, &joined->ranges, piece->peers.ranges, piece->peers.count);
	}
}

/* --- rules --- */

static struct error *add_rule(struct building *building, const struct joined *joined, const struct peer *peers,
                              size_t count, bool any)
{
	struct role *role = &building->host->role;
	struct arena *arena = building->takeover->arena;
	struct role_rule held = {.enabled = true};
	bool stored;

	held.rule = (struct rule){.action = joined->first->action,
	                          .direction = joined->first->out ? DIRECTION_OUT : DIRECTION_IN,
	                          .what = joined->what,
	                          .any = any,
	                          .peers = ARENA_ARRAY(arena, struct peer, count),
	                          .peer_count = count,
	                          .interface = joined->first->interface,
	                          .log = joined->first->log,
	                          .limit = joined->first->limit,
	                          .limit_unit = joined->first->limit_unit,
	                          .since = TIME_NONE,
	                          .until = TIME_NONE,
	                          .comment = str_slice(joined->first->comment, 0, COMMENT_MOST)};
	for (size_t i = 0; i < count; i++)
		held.rule.peers[i] = peers[i];
	TRY(error_in(rule_normalize(arena, &held.rule, &stored), "machine %.*s", STR_ARG(building->host->name)));
	if (!stored)
		return NULL;
	held.text = rule_text(arena, &held.rule);
	if (names_keep(building->texts, held.text) == role->rule_count)
		role->rules[role->rule_count++] = held;
	return NULL;
}

/* Of one family alone: words for ICMP of that family need no addresses. */
static bool is_any(struct joined *joined)
{
	if (joined->what.kind == WHAT_ICMP && joined->present[0] != joined->present[1]) {
		joined->what.icmp4 = joined->present[0];
		joined->what.icmp6 = joined->present[1];
	}
	return (joined->every[0] || (joined->what.kind == WHAT_ICMP && !joined->what.icmp4)) &&
	       (joined->every[1] || (joined->what.kind == WHAT_ICMP && !joined->what.icmp6));
}

static struct error *add_joined(struct building *building, struct joined *joined)
{
	struct peer_list peers = {0};

	if (is_any(joined))
		return add_rule(building, joined, NULL, 0, true);
	packets_work(WORK_OF_PEER * joined->ranges.count);
	reach(building->takeover, building->host->rules[joined->first->family == FAMILY_6], NULL);
	if (packets_spent())
		return reached_bound(building->takeover, building->host->name);
	finder_peers(building->finder, &joined->ranges, joined->every, joined->first->action != ACTION_ALLOW, &peers);
	for (size_t i = 0; i < joined->networks.count; i++)
		APPEND(building->takeover->arena, &peers, joined->networks.items[i]);
	for (size_t i = 0; i < peers.count; i += PEERS_MOST)
		TRY(add_rule(building, joined, peers.items + i,
		             peers.count - i < PEERS_MOST ? peers.count - i : PEERS_MOST, false));
	return NULL;
}

static size_t most_rules(const struct building *building)
{
	const struct host *host = building->host;
	size_t count = 2 * host->pieces.count;

	for (size_t i = 0; i < host->pieces.count; i++) {
		const struct piece *piece = &host->pieces.items[i];

		if (piece->any || set_of_piece(building, piece) == NULL)
			count += (piece->peers.count + piece->literal_count) / PEERS_MOST + 1;
	}
	return count;
}

static struct error *make_rules(struct building *building)
{
	struct host *host = building->host;

	host->role.rules = ARENA_ARRAY(building->takeover->arena, struct role_rule, most_rules(building));
	for (size_t i = 0; i < host->pieces.count; i++) {
		const struct piece *piece = &host->pieces.items[i];

		if (!piece->out || host->closed || piece->action != ACTION_ALLOW)
			join_piece(building, piece);
	}
	for (size_t i = 0; i < building->joined.count; i++)
		TRY(add_joined(building, &building->joined.items[i]));
	host->rule_count = host->role.rule_count;
	return NULL;
}

/* --- closed egress --- */

/* A role that says nothing but that; one of another meaning keeps its name to itself. */
static struct str closing_role(struct arena *arena, const struct fleet *present)
{
	struct str name = STR("egress-closed");

	for (unsigned i = 2;; i++) {
		const struct role *role = fleet_role(present, name);

		if (role == NULL || (role->egress == EGRESS_CLOSED && role->rule_count == 0))
			return name;
		name = str_format(arena, "egress-closed-%u", i);
	}
}

static void add_role(struct fleet *wanted, struct role role)
{
	for (size_t i = 0; i < wanted->role_count; i++)
		if (str_eq(wanted->roles[i].name, role.name))
			return;
	wanted->roles[wanted->role_count++] = role;
}

/* --- machines --- */

/* Does the machine keep it? The one that closes, and those of machines that were alike, it has by this takeover. */
static bool keeps(const struct host *host, const struct fleet *present, struct str role, struct str closing)
{
	const struct role *of = fleet_role(present, role);

	if (str_eq(role, closing))
		return host->closed;
	return of == NULL || !is_shared_role(of) || (host->shared && str_eq(role, host->role.name));
}

static void give_role(struct machine *machine, struct str role)
{
	if (str_among(role, machine->roles, machine->role_count))
		return;
	machine->roles[machine->role_count++] = role;
	machine->given |= GIVEN_ROLES;
}

static void give_roles(struct takeover *takeover, const struct host *host, const struct fleet *present,
                       struct str closing, struct machine *machine)
{
	const struct machine *there = fleet_machine(present, host->name);
	size_t count = there != NULL ? there->role_count : 0;

	machine->roles = ARENA_ARRAY(takeover->arena, struct str, count + 2);
	for (size_t i = 0; i < count; i++)
		if (keeps(host, present, there->roles[i], closing))
			machine->roles[machine->role_count++] = there->roles[i];
	if (machine->role_count < count)
		machine->given |= GIVEN_ROLES;
	if (host->closed)
		give_role(machine, closing);
	if (host->shared)
		give_role(machine, host->role.name);
}

/* What was the machine's own before is said by what it has with others. */
static void empty_own_role(struct takeover *takeover, const struct host *host, const struct fleet *present,
                           struct fleet *wanted)
{
	struct str own = machine_role_name(takeover->arena, host->name);

	if (host->shared && fleet_role(present, own) != NULL)
		add_role(wanted, (struct role){.name = own, .given = GIVEN_RULES});
}

static void make_machine(struct takeover *takeover, const struct host *host, const struct fleet *present,
                         struct fleet *wanted)
{
	struct str closing = closing_role(takeover->arena, present);
	struct machine machine = {.name = host->name, .enabled = true};

	give_roles(takeover, host, present, closing, &machine);
	wanted->machines[wanted->machine_count++] = machine;
	add_role(wanted, host->role);
	empty_own_role(takeover, host, present, wanted);
	if (host->closed)
		add_role(wanted,
		         (struct role){.name = closing,
		                       .given = GIVEN_EGRESS | GIVEN_DESCRIPTION | GIVEN_RULES,
		                       .description = STR("machines from which only what a rule allows may leave"),
		                       .egress = EGRESS_CLOSED});
}

/* --- all of it --- */

static void choose(struct takeover *takeover, struct host *host, const struct settings *settings,
                   const struct machine *present)
{
	unsigned port = present != NULL ? present->ssh_port : 0;

	host->coexists = present != NULL && present->mode == MODE_COEXIST;
	for (unsigned i = 0; i < 2; i++) {
		if (host->filters[i] == NULL)
			continue;
		choose_rules(takeover, host, settings, port, i == 1 ? FAMILY_6 : FAMILY_4, false);
		choose_rules(takeover, host, settings, port, i == 1 ? FAMILY_6 : FAMILY_4, true);
		host->closed = host->closed || !host->open[i];
	}
	lines_rest(takeover, host);
}

static struct fleet room_for(struct takeover *takeover)
{
	size_t sets = 0;

	for (size_t i = 0; i < takeover->host_count; i++)
		sets += takeover->hosts[i].sets.count;
	return (struct fleet){.machines = ARENA_ARRAY(takeover->arena, struct machine, takeover->host_count),
	                      .roles = ARENA_ARRAY(takeover->arena, struct role, 3 * takeover->host_count),
	                      .networks = ARENA_ARRAY(takeover->arena, struct network, sets),
	                      .clock = TIME_NONE};
}

struct error *takeover_fleet(struct takeover *takeover, const struct fleet *present, const struct settings *settings,
                             struct fleet *wanted)
{
	struct finder *finder = finder_new(takeover->arena, present);

	packets_conditions_last(); /* most are those of one line */
	*wanted = room_for(takeover);
	for (size_t i = 0; i < takeover->host_count; i++) {
		struct host *host = &takeover->hosts[i];
		struct building building = {.takeover = takeover,
		                            .host = host,
		                            .finder = finder,
		                            .wanted = wanted,
		                            .keys = names_new(takeover->arena),
		                            .texts = names_new(takeover->arena)};

		host->role.name = machine_role_name(takeover->arena, host->name);
		host->role.given = GIVEN_RULES;
		packets_bound(takeover->bound);
		choose(takeover, host, settings, fleet_machine(present, host->name));
		TRY(reached_bound(takeover, host->name));
		name_networks(&building, present);
		TRY(make_rules(&building));
	}
	share_roles(takeover, present);
	for (size_t i = 0; i < takeover->host_count; i++)
		make_machine(takeover, &takeover->hosts[i], present, wanted);
	return fleet_normalize(takeover->arena, wanted);
}
