/* opens(): each kind of opening on a small fleet, nothing where nothing opens, and against explain() on arbitrary
 * fleets: whatever packet was refused and is let in now, opens() has something to say. Fleets are written as documents;
 * an opening is spelled as people read it.
 * no-valgrind: random fleets by the hundred; all of it runs under the sanitizers. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/explain.h"
#include "fleetwall/opens.h"
#include "random_fleet.h"
#include "suite_main.h"

#define CLOCK 1772366400 /* 2026-03-01T12:00:00Z */

static struct settings settings;

static void setup(void)
{
	static struct prefix management = {.addr = {.bits = 0xc0000201, .family = FAMILY_4}, .length = 32};

	settings = settings_default();
	settings.management = &management;
	settings.management_count = 1;
}

static struct resolved *read_fleet(const char *text)
{
	struct fleet *fleet = ARENA_NEW(arena, struct fleet);
	struct error *warnings = NULL, *error;

	error = document_read(arena, STR("test.conf"), str_of(text), fleet, &warnings);
	if (error == NULL)
		error = fleet_check(arena, fleet, NULL);
	none(error);
	fleet->clock = CLOCK;
	return resolve(arena, fleet);
}

/* One opening a line: kind, and what people read. */
static const char *openings(const char *before, const char *after)
{
	struct opening *list;
	size_t count = opens(arena, read_fleet(before), read_fleet(after), &settings, &list);
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < count; i++) {
		buf_format(&buf, "%s%.*s: ", i > 0 ? "\n" : "", STR_ARG(opening_kind_str(list[i].kind)));
		opening_print(&buf, &list[i]);
	}
	return str_c(arena, buf_str(&buf));
}

/* --- one fleet, and what is changed in it --- */

#define NETWORKS(prefixes) "networks = ( { name = \"office\"; prefixes = [ " prefixes " ]; } );"
#define SERVICES(ports) "services = ( { name = \"search\"; ports = [ " ports " ]; } );"
#define ROLES(web, db)                                                                                            \
	"roles = ( { name = \"app\"; }, { name = \"db\"; rules = [ " db " ]; }, { name = \"web\"; rules = [ " web \
	" ]; } );"
#define MACHINE(name, address, roles, more)                                                                         \
	"{ name = \"" name "\"; addresses = [ \"" address "\" ]; roles = [ " roles " ]; " more " }"
#define MACHINES(list) "machines = ( " list " );"

#define OFFICE NETWORKS("\"203.0.113.0/24\"")
#define SEARCH SERVICES("\"9200/tcp\"")
#define WEB "\"allow 443/tcp\", \"deny all from network:office\""
#define DB "\"allow search from role:app\", \"reject 9200/tcp from machine:w1\", \"allow 22/tcp from self\""
#define TWO                                    \
	MACHINE("a1", "10.0.0.1", "\"app\"", ) \
	", " MACHINE("d1", "10.0.1.1", "\"db\"", ) ", " MACHINE("w1", "10.0.2.1", "\"web\"", )

#define BASE OFFICE SEARCH ROLES(WEB, DB) MACHINES(TWO)

static const struct {
	const char *name, *before, *after, *opens;
} cases[] = {
	{"nothing", BASE, BASE, ""},
	{"a new allow rule", BASE, OFFICE SEARCH ROLES(WEB ", \"allow 80/tcp\"", DB) MACHINES(TWO),
         "rule: role web: allow 80/tcp; on 1 machine: w1"},
	{"an allow rule less", OFFICE SEARCH ROLES(WEB ", \"allow 80/tcp\"", DB) MACHINES(TWO), BASE, ""},
	{"a new deny rule", BASE, OFFICE SEARCH ROLES(WEB ", \"deny 80/tcp\"", DB) MACHINES(TWO), ""},
	{"a deny rule less", OFFICE SEARCH ROLES(WEB ", \"deny 80/tcp\"", DB) MACHINES(TWO), BASE,
         "refusal: role web, gone: deny 80/tcp; on 1 machine: w1"},
	{"reject instead of deny", OFFICE SEARCH ROLES("\"deny 80/tcp\"", DB) MACHINES(TWO),
         OFFICE SEARCH ROLES("\"reject 80/tcp\"", DB) MACHINES(TWO),
         "refusal: role web, gone: deny 80/tcp; on 1 machine: w1"},
	{"a rule of a role that nobody has", BASE,
         OFFICE SEARCH "roles = ( { name = \"app\"; }, { name = \"db\"; rules = [ " DB
                       " ]; }, { name = \"web\"; rules = [ " WEB
                       " ]; }, { name = \"idle\"; rules = [ \"allow all\" ]; } );" MACHINES(TWO),
         ""},
	{"a rule that has begun", OFFICE SEARCH ROLES(WEB ", \"allow 80/tcp since 2026-03-02\"", DB) MACHINES(TWO),
         OFFICE SEARCH ROLES(WEB ", \"allow 80/tcp since 2026-02-02\"", DB) MACHINES(TWO),
         "rule: role web: allow 80/tcp since 2026-02-02T00:00:00Z; on 1 machine: w1"},
	{"a machine gets a role", BASE,
         OFFICE SEARCH ROLES(WEB, DB) MACHINES(MACHINE("a1", "10.0.0.1", "\"app\", \"web\"", ) ", " MACHINE(
		 "d1", "10.0.1.1", "\"db\"", ) ", " MACHINE("w1", "10.0.2.1", "\"web\"", )),
         "rule: role web: allow 443/tcp; on 1 machine: a1"},
	{"a machine loses a role with a deny rule", BASE,
         OFFICE SEARCH ROLES(WEB, DB) MACHINES(MACHINE("a1", "10.0.0.1", "\"app\"", ) ", " MACHINE(
		 "d1", "10.0.1.1", "\"db\"", ) ", " MACHINE("w1", "10.0.2.1", "\"app\"", )),
         "refusal: role web, gone: deny all from network:office; on 1 machine: w1\n"
         "peer: role:app is more: 10.0.2.1; in role db: allow search from role:app; on 1 machine: d1"},
	{"a new machine", OFFICE SEARCH ROLES(WEB, DB) MACHINES(TWO),
         OFFICE SEARCH ROLES(WEB, DB) MACHINES(TWO ", " MACHINE("d2", "10.0.1.2", "\"db\"", )),
         "rule: role db: allow 22/tcp from self; on 1 machine: d2\n"
         "rule: role db: allow search from role:app; on 1 machine: d2\n"
         "peer: role:db is more: 10.0.1.2; in role db: allow 22/tcp from self; on 1 machine: d1"},
	{"a machine is removed", BASE,
         OFFICE SEARCH ROLES(WEB, "\"allow search from role:app\", \"allow 22/tcp from self\"")
                 MACHINES(MACHINE("a1", "10.0.0.1", "\"app\"", ) ", " MACHINE("d1", "10.0.1.1", "\"db\"", )),
         "enforcement: removed: nothing is refused any more; on 1 machine: w1\n"
         "refusal: role db, gone: reject 9200/tcp from machine:w1; on 1 machine: d1"},
	{"a machine is disabled", BASE,
         OFFICE SEARCH ROLES(WEB, DB) MACHINES(MACHINE("a1", "10.0.0.1", "\"app\"", ) ", " MACHINE(
		 "d1", "10.0.1.1", "\"db\"", "enabled = false;") ", " MACHINE("w1", "10.0.2.1", "\"web\"", )),
         "enforcement: disabled: nothing is refused any more; on 1 machine: d1"},
	{"machines are monitored, and unmanaged", BASE,
         OFFICE SEARCH ROLES(WEB, DB)
                 MACHINES(MACHINE("a1", "10.0.0.1", "\"app\"", "enforcement = \"unmanaged\";") ", " MACHINE(
			 "d1", "10.0.1.1", "\"db\"", "enforcement = \"monitor\";") ", " MACHINE("w1", "10.0.2.1",
                                                                                                "\"web\"", )),
         "enforcement: monitor: nothing is refused any more; on 1 machine: d1\n"
         "enforcement: unmanaged: nothing is refused any more; on 1 machine: a1"},
	{"a mode, and an SSH port", BASE,
         OFFICE SEARCH ROLES(WEB, DB) MACHINES(MACHINE("a1", "10.0.0.1", "\"app\"", "mode = \"coexist\";") ", " MACHINE(
		 "d1", "10.0.1.1", "\"db\"", "ssh_port = 22;") ", " MACHINE("w1", "10.0.2.1", "\"web\"",
                                                                            "ssh_port = 2222;")),
         "mode: mode becomes coexist; on 1 machine: a1\n"
         "management: management sources get in on 2222/tcp; on 1 machine: w1"},
	{"closed egress opens",
         "roles = ( { name = \"shut\"; egress = \"closed\"; } );" MACHINES(MACHINE("a1", "10.0.0.1", "\"shut\"", )),
         "roles = ( { name = \"shut\"; } );" MACHINES(MACHINE("a1", "10.0.0.1", "\"shut\"", )),
         "egress: closed egress becomes open; on 1 machine: a1"},
	{"a network grows", BASE, NETWORKS("\"203.0.112.0/22\", \"2001:db8::/32\"") SEARCH ROLES(WEB, DB) MACHINES(TWO),
         ""},
	{"a network of a deny rule shrinks", BASE,
         NETWORKS("\"203.0.113.0/25\", \"203.0.113.192/26\"") SEARCH ROLES(WEB, DB) MACHINES(TWO),
         "refused-peer: network:office is less: 203.0.113.128/26; in role web: deny all from network:office; on 1 "
         "machine: w1"},
	{"a network of allow rules grows",
         OFFICE ROLES("\"allow 1/tcp from network:office\", \"allow 2/tcp from network:office\"",
                      "\"allow 3/tcp from network:office\"") MACHINES(TWO),
         NETWORKS("\"203.0.112.0/22\", \"2001:db8::/32\"")
                 ROLES("\"allow 1/tcp from network:office\", \"allow 2/tcp from network:office\"",
                       "\"allow 3/tcp from network:office\"") MACHINES(TWO),
         "peer: network:office is more: 203.0.112.0/24, 203.0.114.0/23, 2001:db8::/32; in role db: allow 3/tcp from "
         "network:office (and 2 more); on 2 machines: d1, w1"},
	{"a service of an allow rule grows", BASE,
         OFFICE SERVICES("\"9200,9300,9301/tcp\", \"53/udp\"") ROLES(WEB, DB) MACHINES(TWO),
         "service: service search is more: 9300-9301/tcp, 53/udp; in role db: allow search from role:app; on 1 "
         "machine: d1"},
	{"a service of an allow rule shrinks", OFFICE SERVICES("\"9200,9300/tcp\"") ROLES(WEB, DB) MACHINES(TWO), BASE,
         ""},
	{"a service of a deny rule shrinks",
         SERVICES("\"9200,9300/tcp\", \"53/udp\"") ROLES("\"deny search\"", "\"allow 1/tcp\"") MACHINES(TWO),
         SERVICES("\"9200/tcp\"") ROLES("\"deny search\"", "\"allow 1/tcp\"") MACHINES(TWO),
         "refused-service: service search is less: 9300/tcp, 53/udp; in role web: deny search; on 1 machine: w1"},
	{"a machine that is a peer gets another address", BASE,
         OFFICE SEARCH ROLES(WEB, DB) MACHINES(MACHINE("a1", "10.0.0.1", "\"app\"", ) ", " MACHINE(
		 "d1", "10.0.1.1", "\"db\"", ) ", " MACHINE("w1", "10.0.2.2", "\"web\"", )),
         "refused-peer: machine:w1 is less: 10.0.2.1; in role db: reject 9200/tcp from machine:w1; on 1 machine: d1"},
	{"a machine that was monitored",
         OFFICE SEARCH ROLES(WEB, DB) MACHINES(MACHINE("a1", "10.0.0.1", "\"app\"", ) ", " MACHINE(
		 "d1", "10.0.1.1", "\"db\"", ) ", " MACHINE("w1", "10.0.2.1", "\"web\"", "enforcement = \"monitor\";")),
         BASE, "rule: role web: allow 443/tcp; on 1 machine: w1"},
	{"from nothing", "",
         "roles = ( { name = \"web\"; rules = [ \"allow 1/tcp from role:web/x\" ]; } ); " MACHINES(
		 MACHINE("w1", "10.0.2.1", "\"web\"", ) ", " MACHINE("w2", "10.0.2.2", "\"web\"", )),
         "rule: role web: allow 1/tcp from role:web/x; on 2 machines: w1, w2"},
};

START_TEST(every_kind)
{
	const char *found = openings(cases[_i].before, cases[_i].after);

	ck_assert_msg(strcmp(found, cases[_i].opens) == 0, "%s:\n%s\nand not\n%s", cases[_i].name, found,
	              cases[_i].opens);
}
END_TEST

/* Long lists are cut, their length is told. */
START_TEST(many_are_counted)
{
	struct buf before = buf_new(arena), after = buf_new(arena);

	buf_add(&before, STR("roles = ( { name = \"app\"; rules = [ \"allow 1/tcp from self\" ]; } ); machines = ( "));
	for (unsigned i = 10; i < 30; i++)
		buf_format(&before, "%s{ name = \"m%u\"; addresses = [ \"10.0.0.%u\" ]; roles = [ %s ]; }",
		           i > 10 ? ", " : "", i, 2 * i, i < 20 ? "\"app\"" : "");
	buf_add(&before, STR(" );"));
	buf_add(&after, STR("roles = ( { name = \"app\"; rules = [ \"allow 1/tcp from self\" ]; } ); machines = ( "));
	for (unsigned i = 10; i < 30; i++)
		buf_format(&after, "%s{ name = \"m%u\"; addresses = [ \"10.0.0.%u\" ]; roles = [ \"app\" ]; }",
		           i > 10 ? ", " : "", i, 2 * i);
	buf_add(&after, STR(" );"));
	ck_assert_str_eq(openings(str_c(arena, buf_str(&before)), str_c(arena, buf_str(&after))),
	                 "rule: role app: allow 1/tcp from self; on 10 machines: m20, m21, m22, m23, m24, … (10)\n"
	                 "peer: role:app is more: 10.0.0.40, 10.0.0.42, 10.0.0.44, 10.0.0.46, 10.0.0.48, … (10); in "
	                 "role app: allow 1/tcp from self; on 10 machines: m10, m11, m12, m13, m14, … (10)");
}
END_TEST

/* --- against explain --- */

/* A fleet like another, whose arrays may be changed. */
static struct fleet like(const struct fleet *fleet)
{
	struct fleet copy = *fleet;

	copy.machines = ARENA_ARRAY(arena, struct machine, fleet->machine_count);
	memcpy(copy.machines, fleet->machines, fleet->machine_count * sizeof *copy.machines);
	copy.roles = ARENA_ARRAY(arena, struct role, fleet->role_count);
	memcpy(copy.roles, fleet->roles, fleet->role_count * sizeof *copy.roles);
	copy.networks = ARENA_ARRAY(arena, struct network, fleet->network_count);
	memcpy(copy.networks, fleet->networks, fleet->network_count * sizeof *copy.networks);
	copy.services = ARENA_ARRAY(arena, struct service, fleet->service_count);
	memcpy(copy.services, fleet->services, fleet->service_count * sizeof *copy.services);
	for (size_t i = 0; i < copy.role_count; i++) {
		copy.roles[i].rules = ARENA_ARRAY(arena, struct role_rule, fleet->roles[i].rule_count);
		memcpy(copy.roles[i].rules, fleet->roles[i].rules,
		       fleet->roles[i].rule_count * sizeof *copy.roles->rules);
	}
	for (size_t i = 0; i < copy.service_count; i++) {
		copy.services[i].ports = ARENA_ARRAY(arena, struct service_port, fleet->services[i].count);
		memcpy(copy.services[i].ports, fleet->services[i].ports,
		       fleet->services[i].count * sizeof *copy.services->ports);
	}
	return copy;
}

static void change_machine(struct rng *rng, struct machine *machine)
{
	switch (rng_below(rng, 6)) {
	case 0:
		machine->enabled = !machine->enabled;
		return;
	case 1:
		machine->enforcement = (enum enforcement)rng_below(rng, 3);
		return;
	case 2:
		machine->ssh_port = machine->ssh_port == 0 ? 2222 : 0;
		return;
	case 3:
		machine->address_count -= machine->address_count > 0;
		return;
	case 4:
		machine->label_count -= machine->label_count > 0;
		return;
	case 5:
		machine->role_count -= machine->role_count > 0;
		return;
	}
}

static void change_role(struct rng *rng, struct role *role)
{
	switch (rng_below(rng, 4)) {
	case 0:
		role->egress = role->egress == EGRESS_OPEN ? EGRESS_CLOSED : EGRESS_OPEN;
		return;
	case 1:
		role->has_selector = machine_of_role(role->name).n == 0 && !role->has_selector;
		return;
	case 2:
		role->rule_count -= role->rule_count > 0;
		return;
	case 3:
		if (role->rule_count > 0) {
			struct role_rule *rule = &role->rules[rng_below(rng, role->rule_count)];

			rule->enabled = !rule->enabled;
		}
		return;
	}
}

static void change_something(struct rng *rng, struct fleet *fleet)
{
	struct network *network = &fleet->networks[rng_below(rng, fleet->network_count)];
	struct service *service = &fleet->services[rng_below(rng, fleet->service_count)];

	switch (rng_below(rng, 6)) {
	case 0:
	case 1:
		change_machine(rng, &fleet->machines[rng_below(rng, fleet->machine_count)]);
		return;
	case 2:
	case 3:
		change_role(rng, &fleet->roles[rng_below(rng, fleet->role_count)]);
		return;
	case 4:
		network->prefix_count -= network->prefix_count > 0;
		return;
	case 5:
		service->count -= service->count > 0;
		return;
	}
}

/* An address that a rule's peers have on one of two sides; any machine's, where it names none. */
static bool some_address(struct rng *rng, const struct resolved *resolved, const struct effective_rule *rule,
                         struct addr *addr)
{
	const struct rule *told = &rule->held->rule;
	enum family family = rng_chance(rng, 60) ? FAMILY_4 : FAMILY_6;
	struct addr_set set = {0};

	if (told->peer_count > 0 && rng_chance(rng, 80))
		set = peer_addresses(arena, resolved, &told->peers[rng_below(rng, told->peer_count)], rule->role,
		                     told->action != ACTION_ALLOW, family);
	if (set.count > 0) {
		addr->bits = set.ranges[rng_below(rng, set.count)].last;
		addr->family = family;
		return true;
	}
	const struct machine *machine =
		&resolved->fleet->machines[rng_below(rng, resolved->fleet->machine_count)];

	if (machine->address_count == 0)
		return false;
	*addr = machine->addresses[rng_below(rng, machine->address_count)].addr;
	return true;
}

/* A packet that the rule speaks of. */
static bool some_packet(struct rng *rng, const struct fleet *fleet, const struct rule *rule, enum family family,
                        struct packet_what *packet)
{
	struct match_what *whats;
	size_t count = rule_whats(arena, fleet, rule, family, &whats);
	bool wild = rule->interface.n > 0 && rule->interface.p[rule->interface.n - 1] == '+';

	*packet = (struct packet_what){.icmp_code = -1, .interface = wild ? STR("") : rule->interface};
	if (count == 0)
		return false;
	const struct match_what *what = &whats[rng_below(rng, count)];

	packet->protocol = what->protocol != 0 ? what->protocol : PROTOCOL_TCP;
	packet->has_port = protocol_has_ports(packet->protocol);
	packet->port = what->port_count > 0 ? what->ports[rng_below(rng, what->port_count)].last : 4711;
	if (packet->protocol == PROTOCOL_ICMP || packet->protocol == PROTOCOL_ICMPV6) {
		packet->icmp_name = ICMP_NUMBER;
		packet->icmp_type = (uint8_t)(what->icmp_type >= 0 ? what->icmp_type : 8);
		packet->icmp_code = what->icmp_code;
	}
	return true;
}

/* Two fleets of the same machines, side by side. */
struct pair {
	struct resolved *resolved[2];
	struct explainer *explainer[2];
};

static bool lets(const struct pair *pair, int side, uint32_t machine, struct addr addr, bool out,
                 const struct packet_what *packet)
{
	const struct end self = {.is_machine = true, .machine = machine}, other = {.addr = addr};
	struct verdict verdict;

	ck_assert_ptr_null(explain(arena, pair->explainer[side], out ? &self : &other, out ? &other : &self, packet,
	                           &verdict));
	return verdict.allow;
}

/* One packet: refused on the first side and let in on the second? */
static bool flips(struct rng *rng, const struct pair *pair)
{
	const struct resolved *told = pair->resolved[rng_below(rng, 2)];
	uint32_t number = (uint32_t)rng_below(rng, told->fleet->machine_count);
	const struct resolved_machine *machine = &told->machines[number];
	const struct resolved_role *role;
	struct packet_what packet;
	struct addr addr;

	if (machine->role_count == 0)
		return false;
	role = &told->roles[machine->roles[rng_below(rng, machine->role_count)]];
	if (role->rule_count == 0)
		return false;
	const struct effective_rule *rule = &role->rules[rng_below(rng, role->rule_count)];
	bool out = rule->held->rule.direction == DIRECTION_OUT;

	return some_address(rng, told, rule, &addr) &&
	       some_packet(rng, told->fleet, &rule->held->rule, addr.family, &packet) &&
	       !lets(pair, 0, number, addr, out, &packet) && lets(pair, 1, number, addr, out, &packet);
}

static struct pair pair_of(struct fleet *before, struct fleet *after)
{
	struct pair pair;

	for (int i = 0; i < 2; i++) {
		pair.resolved[i] = resolve(arena, i == 0 ? before : after);
		pair.explainer[i] = explainer_new(arena, pair.resolved[i], &settings);
	}
	return pair;
}

START_TEST(no_packet_opens_unseen)
{
	size_t opened = 0, closed = 0;

	for (uint64_t seed = 0; seed < 300; seed++) {
		struct rng rng = {.state = seed * 77 + 5};
		struct fleet before = random_fleet(arena, &rng, 4), after;
		struct opening *list;
		bool flipped = false;

		before.clock = CLOCK;
		after = like(&before);
		for (size_t i = rng_below(&rng, 3); i < 3; i++)
			change_something(&rng, &after);
		struct pair pair = rng_chance(&rng, 50) ? pair_of(&before, &after) : pair_of(&after, &before);
		size_t count = opens(arena, pair.resolved[0], pair.resolved[1], &settings, &list);

		for (size_t i = 0; !flipped && i < 200; i++)
			flipped = flips(&rng, &pair);
		ck_assert_msg(!flipped || count > 0, "seed %llu: a packet is let in, and nothing was said",
		              (unsigned long long)seed);
		ck_assert_uint_eq(opens(arena, pair.resolved[1], pair.resolved[1], &settings, &list), 0);
		opened += flipped;
		closed += count == 0;
		arena_reset(arena);
	}
	/* Both happen, or this proves nothing. */
	ck_assert_msg(opened >= 20 && closed >= 20, "%zu openings, %zu times nothing", opened, closed);
}
END_TEST

/* The order of machines, roles and rules in memory is that of names, so the answer has one order; said twice, it is the
 * same. */
START_TEST(the_same_twice)
{
	struct rng rng = {.state = 3};
	struct fleet before = random_fleet(arena, &rng, 20), after = random_fleet(arena, &rng, 20);
	struct buf text[2] = {buf_new(arena), buf_new(arena)};
	struct opening *list;

	before.clock = after.clock = CLOCK;
	for (int round = 0; round < 2; round++) {
		size_t count =
			opens(arena, resolve(arena, &before), resolve(arena, &after), &settings, &list);

		ck_assert_uint_gt(count, 0);
		for (size_t i = 0; i < count; i++) {
			opening_print(&text[round], &list[i]);
			buf_char(&text[round], '\n');
			ck_assert(i == 0 || list[i - 1].kind <= list[i].kind);
			ck_assert_uint_gt(list[i].machine_count, 0);
		}
	}
	ck_assert(str_eq(buf_str(&text[0]), buf_str(&text[1])));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("opens");
	TCase *tests = tcase_create("opens");

	tcase_add_checked_fixture(tests, arena_setup, arena_teardown);
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_loop_test(tests, every_kind, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tests, many_are_counted);
	tcase_add_test(tests, no_packet_opens_unseen);
	tcase_add_test(tests, the_same_twice);
	suite_add_tcase(suite, tests);

	return suite_main(suite);
}
