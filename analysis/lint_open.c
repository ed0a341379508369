/* What is open to everybody and hardly meant so: databases, and ports that one family may reach and the other not. Who
 * everybody is, is said in fleetwall/exposed.h. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/exposed.h"
#include "lint_parts.h"

/* Ports on which nothing but a database answers, as a rule; what others use as well (8123, 9000, 50000) is not among
 * them. They are numbers here because what an inventory calls mysql may be something else. */
static const struct database {
	const char *name;
	uint8_t protocol;
	uint16_t first, last;
} databases[] = {
	{"cassandra", PROTOCOL_TCP, 9042, 9042},     {"couchdb", PROTOCOL_TCP, 5984, 5984},
	{"elasticsearch", PROTOCOL_TCP, 9200, 9200}, {"elasticsearch", PROTOCOL_TCP, 9300, 9300},
	{"etcd", PROTOCOL_TCP, 2379, 2380},          {"influxdb", PROTOCOL_TCP, 8086, 8086},
	{"memcached", PROTOCOL_TCP, 11211, 11211},   {"memcached", PROTOCOL_UDP, 11211, 11211},
	{"mongodb", PROTOCOL_TCP, 27017, 27019},     {"mssql", PROTOCOL_TCP, 1433, 1433},
	{"mssql", PROTOCOL_UDP, 1434, 1434},         {"mysql", PROTOCOL_TCP, 3306, 3306},
	{"mysql", PROTOCOL_TCP, 33060, 33060},       {"neo4j", PROTOCOL_TCP, 7687, 7687},
	{"oracle", PROTOCOL_TCP, 1521, 1521},        {"postgresql", PROTOCOL_TCP, 5432, 5432},
	{"redis", PROTOCOL_TCP, 6379, 6379},
};

enum { TRIES = 100 }; /* machines that are looked at for one on which somebody is let in */

struct opening {
	struct linting *linting;
	struct addr_set internet[FAMILIES];
};

static bool is_inbound_allow(const struct lint_rule *rule)
{
	return !lint_is_refusing(rule) && rule->rule->direction == DIRECTION_IN;
}

/* What the rule says of addresses itself: literals and networks. */
static struct addr_set named_addresses(struct arena *arena, struct linting *linting, const struct lint_rule *rule,
                                       enum family family)
{
	struct {
		struct range *items;
		size_t count, capacity;
	} ranges = {0};

	for (size_t i = 0; i < rule->rule->peer_count; i++) {
		const struct peer *peer = &rule->rule->peers[i];
		struct addr_set set;

		if (peer->kind != PEER_LITERAL && peer->kind != PEER_NETWORK)
			continue;
		set = lint_peer_set(linting, rule, peer, family);
		for (size_t k = 0; k < set.count; k++)
			APPEND(arena, &ranges, set.ranges[k]);
	}
	return rule->rule->any ? lint_whole(family) : addr_set_of(arena, family, ranges.items, ranges.count);
}

static bool is_for_everybody(const struct opening *opening, const struct lint_rule *rule, size_t family)
{
	struct arena *pass = arena_new();
	struct addr_set set = named_addresses(pass, opening->linting, rule, family_of(family));
	bool is = set.count > 0 && lint_set_within(&opening->internet[family], &set);

	arena_free(pass);
	return is && !packets_empty(rule->heads[family]);
}

/* --- databases --- */

/* NULL: it is none's. A range that is wider than a database's says nothing of databases. */
static const struct database *database_of(uint8_t protocol, struct port_range ports)
{
	for (size_t i = 0; i < sizeof databases / sizeof *databases; i++)
		if (protocol == databases[i].protocol && ports.first >= databases[i].first &&
		    ports.last <= databases[i].last)
			return &databases[i];
	return NULL;
}

static const struct database *find_database(struct linting *linting, const struct lint_rule *rule, size_t family,
                                            struct port_range *ports)
{
	struct match_what *whats;
	size_t count = rule_whats(linting->scratch, linting->fleet, rule->rule, family_of(family), &whats);

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < whats[i].port_count; k++) {
			const struct database *database = database_of(whats[i].protocol, whats[i].ports[k]);

			*ports = whats[i].ports[k];
			if (database != NULL)
				return database;
		}
	return NULL;
}

/* A machine of the role where somebody on the internet is let in by it. Of those that refuse the same one after the
 * other, one is asked. */
static bool show_open(const struct opening *opening, const struct lint_rule *rule, size_t family,
                      struct packets heads, struct str *packet)
{
	struct linting *linting = opening->linting;
	const struct resolved_role *role = &linting->resolved->roles[rule->role];
	uint32_t last = UINT32_MAX;

	for (size_t i = 0, tried = 0; i < role->member_count && tried < TRIES; i++) {
		struct shown shown = {linting, role->members[i], false, STAGE_ALLOW, rule};
		const struct machine *machine = &linting->fleet->machines[role->members[i]];

		if (!machine_has_ruleset(machine) || linting->kind_of[role->members[i]] == last)
			continue;
		last = linting->kind_of[role->members[i]];
		tried++;
		if (lint_show(&shown, heads, &opening->internet[family], packet))
			return true;
	}
	return false;
}

static bool check_database(const struct opening *opening, const struct lint_rule *rule, size_t family)
{
	struct linting *linting = opening->linting;
	struct port_range ports;
	const struct database *database = find_database(linting, rule, family, &ports);
	struct packets heads;
	struct str packet;

	if (database == NULL || !is_for_everybody(opening, rule, family))
		return false;
	heads = packets_and(packets_number(FIELD_PROTOCOL, database->protocol),
	                    packets_numbers(FIELD_PORT, ports.first, ports.last));
	if (!show_open(opening, rule, family, packets_and(rule->heads[family], heads), &packet))
		return false;
	lint_find(linting, LINT_DATABASE_OPEN,
	          &(struct lint_words){
			  .subject = lint_rule_subject(linting, rule),
			  .message = str_format(linting->scratch, "%.*s opens the port of a database (%s) to the "
	                                        "internet",
	                                        STR_ARG(lint_rule_words(linting, rule)), database->name),
			  .evidence = packet,
			  .advice = STR("name who may: from role:NAME, or network:NAME"),
		  });
	return true;
}

/* --- one family --- */

/* Only literals: whoever else is named has what addresses he has. */
static bool all_literals(const struct rule *rule)
{
	for (size_t i = 0; i < rule->peer_count; i++)
		if (rule->peers[i].kind != PEER_LITERAL)
			return false;
	return rule->peer_count > 0;
}

/* What one family has, and the other has not, or by other means: IGMP, and either one's DHCP. */
static struct packets of_one_family(void)
{
	struct packets dhcp = packets_or(packets_numbers(FIELD_PORT, 67, 68), packets_numbers(FIELD_PORT, 546, 547));

	dhcp = packets_and(dhcp, packets_number(FIELD_PROTOCOL, PROTOCOL_UDP));
	return packets_or(dhcp, packets_number(FIELD_PROTOCOL, PROTOCOL_IGMP));
}

/* What the rule would let in, if it spoke of that family. */
static struct packets head_in(struct linting *linting, const struct lint_rule *rule, size_t family)
{
	return packets_and(packets_without(rule->heads[family], of_one_family()), linting->left[family][0]);
}

/* Does a rule of the role let some of these packets in, from addresses that it names itself? Then somebody thought of
 * that family. `all icmp` and its like of the one family count as well as prefixes. */
static bool role_speaks(struct linting *linting, uint32_t role, struct packets heads, size_t family)
{
	for (size_t i = linting->first[role]; i < linting->first[role + 1]; i++) {
		const struct lint_rule *rule = &linting->rules[i];
		bool meets;

		if (rule->rule->direction != DIRECTION_IN || packets_empty(packets_and(rule->heads[family], heads)))
			continue;
		meets = rule->rule->any;
		for (size_t k = 0; k < rule->rule->peer_count && !meets; k++) {
			const struct peer *peer = &rule->rule->peers[k];

			meets = (peer->kind == PEER_LITERAL || peer->kind == PEER_NETWORK) &&
			        lint_peer_set(linting, rule, peer, family_of(family)).count > 0;
		}
		if (meets)
			return true;
	}
	return false;
}

enum { NOT_ASKED, SPEAKS, SILENT };

static bool machine_speaks(struct linting *linting, uint32_t machine, struct packets heads, size_t family,
                           unsigned char *answers)
{
	const struct resolved_machine *held = &linting->resolved->machines[machine];

	for (size_t i = 0; i < held->role_count; i++) {
		uint32_t role = held->roles[i];

		if (answers[role] == NOT_ASKED)
			answers[role] = role_speaks(linting, role, heads, family) ? SPEAKS : SILENT;
		if (answers[role] == SPEAKS)
			return true;
	}
	return false;
}

/* Both families, and the internet reaches both, or neither. A link-local address is none that somebody is reached by.
 */
static bool has_both(const struct opening *opening, const struct machine *machine)
{
	static const struct prefix link_local = {{(addr_bits)0xfe80 << 112, FAMILY_6}, 10};
	bool has[FAMILIES] = {false}, open[FAMILIES] = {false};

	for (size_t i = 0; i < machine->address_count; i++) {
		struct addr addr = machine->addresses[i].addr;
		size_t family = addr.family == FAMILY_6;

		if (range_covers(prefix_range(link_local), (struct range){addr.bits, addr.bits, addr.family}))
			continue;
		has[family] = true;
		open[family] = open[family] || addr_set_has(&opening->internet[family], addr);
	}
	return has[0] && has[1] && open[0] == open[1];
}

/* From the internet, if the machine is to be reached from there; else from anywhere. */
static bool show_from(const struct opening *opening, const struct shown *shown, struct packets heads, size_t family,
                      struct str *packet)
{
	struct addr_set whole = lint_whole(family_of(family));

	return lint_show(shown, heads, &opening->internet[family], packet) || lint_show(shown, heads, &whole, packet);
}

/* Open in `family`, on that machine, and closed in the other one by the default alone. */
static bool show_one_family(const struct opening *opening, const struct lint_rule *rule, size_t family,
                            struct packets closed, uint32_t machine, struct str packets[2])
{
	struct linting *linting = opening->linting;
	struct shown open = {linting, machine, false, STAGE_ALLOW, rule};
	struct shown shut = {linting, machine, false, STAGE_DEFAULT, NULL};

	return show_from(opening, &open, rule->heads[family], family, &packets[0]) &&
	       show_from(opening, &shut, closed, 1 - family, &packets[1]);
}

static bool check_family(const struct opening *opening, const struct lint_rule *rule, size_t family)
{
	struct linting *linting = opening->linting;
	const struct resolved_role *role = &linting->resolved->roles[rule->role];
	unsigned char *answers = ARENA_ARRAY(linting->scratch, unsigned char, linting->fleet->role_count);
	struct packets closed = head_in(linting, rule, 1 - family);
	struct str packets[2];

	if (packets_empty(closed) || !is_for_everybody(opening, rule, family))
		return false;
	for (size_t i = 0; i < role->member_count; i++) {
		const struct machine *machine = &linting->fleet->machines[role->members[i]];

		if (!machine->enabled || machine->enforcement != ENFORCEMENT_ENFORCE || !has_both(opening, machine) ||
		    machine_speaks(linting, role->members[i], closed, 1 - family, answers) ||
		    !show_one_family(opening, rule, family, closed, role->members[i], packets))
			continue;
		lint_find(linting, LINT_ONE_FAMILY,
		          &(struct lint_words){
				  .subject = lint_rule_subject(linting, rule),
				  .message = str_format(
					  linting->scratch, "%.*s is open to everybody in IPv%d, and closed in IPv%d",
					  STR_ARG(lint_rule_words(linting, rule)), (int)family_of(family),
					  (int)family_of(1 - family)),
				  .evidence = str_format(linting->scratch, "%.*s is let in, %.*s is not",
		                                         STR_ARG(packets[0]), STR_ARG(packets[1])),
				  .advice = STR("leave the peers out, which is both families; or name both"),
			  });
		return true;
	}
	return false;
}

static bool names_one_family(const struct rule *rule, size_t family)
{
	if (rule->any || !all_literals(rule))
		return false;
	for (size_t i = 0; i < rule->peer_count; i++)
		if (rule->peers[i].literal.family != family_of(family))
			return false;
	return true;
}

static void check_rule(const struct opening *opening, const struct lint_rule *rule)
{
	if (!is_inbound_allow(rule))
		return;
	if (!check_database(opening, rule, 0))
		check_database(opening, rule, 1);
	for (size_t family = 0; family < FAMILIES; family++)
		if (!rule->moot && names_one_family(rule->rule, family))
			check_family(opening, rule, family);
}

void lint_open_check(struct linting *linting)
{
	struct opening opening = {.linting = linting};

	for (size_t i = 0; i < FAMILIES; i++)
		opening.internet[i] = internet_addresses(linting->scratch, family_of(i));
	for (size_t i = 0; i < linting->first[linting->fleet->role_count]; i++) {
		size_t mark = packets_mark();

		check_rule(&opening, &linting->rules[i]);
		packets_release(mark);
	}
}
