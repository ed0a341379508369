/* Assertions over small random worlds against brute force: each address, packet and interface is asked of explain(),
 * one by one, and what is found must be what policy_judge() says, machine by machine; and each example that it shows
 * must be true. */
#include <check.h>
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/policy.h"
#include "match.h"
#include "policy_world.h"
#include "rounds.h"
#include "suite_main.h"

enum { MACHINES = POLICY_WORLD_MACHINES };

static struct arena *arena;
static struct rng rng;
static struct fleet fleet;
static struct fleet enforced; /* the same, with monitors that refuse */
static struct settings settings;
static struct resolved *resolved;
static struct explainer *explainer;

static const addr_bits fd00 = (addr_bits)0xfd00 << 112;

#define ONE_OF(words) policy_word(&rng, (words), sizeof(words) / sizeof *(words))

/* --- worlds --- */

static void begin_world(uint64_t seed)
{
	static struct prefix management = {{0x0a000008u, FAMILY_4}, 30};
	struct error *warnings = NULL, *error;

	arena = arena_new();
	rng = (struct rng){seed * 7919};
	settings = settings_default();
	settings.management = &management;
	settings.management_count = rng_below(&rng, 2);
	settings.neighbour_discovery = rng_chance(&rng, 70);
	settings.icmp_errors = rng_chance(&rng, 70);
	error = document_read(arena, STR("small"), policy_world(arena, &rng), &fleet, &warnings);
	if (error != NULL)
		ck_abort_msg("%.*s", STR_ARG(error->message));
	fleet.clock = 1767225600;
	resolved = resolve(arena, &fleet);
	enforced = fleet;
	enforced.machines = ARENA_ARRAY(arena, struct machine, fleet.machine_count);
	for (size_t i = 0; i < fleet.machine_count; i++) {
		enforced.machines[i] = fleet.machines[i];
		if (enforced.machines[i].enforcement == ENFORCEMENT_MONITOR)
			enforced.machines[i].enforcement = ENFORCEMENT_ENFORCE;
	}
	explainer = explainer_new(arena, resolve(arena, &enforced), &settings);
}

static void end_world(void)
{
	arena_free(arena);
	error_forget_all();
}

/* --- assertions --- */

static void add_end(struct buf *buf, bool machines)
{
	static const char *const named[] = {"any", "role:a", "role:b", "role:b/private", "role:c", "machine:m1",
	                                    "machine:m2", "role:d", "role:empty"};

	for (size_t i = 0, count = 1 + rng_below(&rng, 2); i < count; i++) {
		buf_add(buf, i > 0 ? STR(", ") : STR(""));
		if (machines)
			buf_add(buf, str_of(ONE_OF(named)));
		else
			policy_peer(&rng, buf);
	}
}

static struct assertions random_assertion(void)
{
	static const char *const kinds[] = {"never", "always", "only"};
	static const char *const whats[] = {"22/tcp", "all", "tcp", "1-30/tcp", "80/tcp", "icmp", "icmpv6", "53/udp",
	                                    "esp", "ssh", "udp", "80/tcp on eth0", "all on eth+", "22/tcp on lo",
	                                    "icmpv4/3", "all on eth1"};
	struct buf buf = buf_new(arena);
	struct assertions list = {0};
	struct error *warnings = NULL, *error;
	bool sent = rng_chance(&rng, 25);

	buf_format(&buf, "%s ", ONE_OF(kinds));
	add_end(&buf, sent || rng_chance(&rng, 50));
	buf_add(&buf, STR(" -> "));
	if (sent)
		policy_literal(&rng, &buf);
	else
		add_end(&buf, true);
	buf_format(&buf, " %s", ONE_OF(whats));
	error = assertions_read(arena, STR("policy"), buf_str(&buf), &list, &warnings);
	ck_assert_msg(error == NULL, "%.*s", STR_ARG(buf_str(&buf)));
	ck_assert_ptr_null(assertions_check(arena, &list, &fleet));
	return list;
}

/* --- brute force --- */

struct sort {
	enum family family;
	struct packet_what what;
};
static struct {
	struct sort *items;
	size_t count, capacity;
} sorts;

static void add_sort(enum family family, const struct packet_what *what)
{
	static const char *const interfaces[] = {"", "eth0", "eth1", "eth7", "et5", "lo", "wan0"};

	for (size_t i = 0; i < sizeof interfaces / sizeof *interfaces; i++) {
		struct sort sort = {family, *what};

		sort.what.interface = str_of(interfaces[i]);
		APPEND(arena, &sorts, sort);
	}
}

static void add_icmp(enum family family, uint8_t type, int code)
{
	struct packet_what what = {.protocol = family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6,
	                           .icmp_name = ICMP_NUMBER, .icmp_type = type, .icmp_code = code};

	add_sort(family, &what);
}

static void all_sorts(void)
{
	static const uint16_t tcp[] = {0, 5, 10, 21, 22, 23, 40, 79, 80, 81, 500, 1023, 1024, 65535};
	static const uint16_t udp[] = {0, 53, 54};
	static const uint8_t others[] = {PROTOCOL_ESP, PROTOCOL_GRE, PROTOCOL_IGMP, 252};
	static const enum family families[] = {FAMILY_4, FAMILY_6};

	sorts.items = NULL;
	sorts.count = sorts.capacity = 0;
	for (size_t f = 0; f < 2; f++) {
		for (size_t i = 0; i < sizeof tcp / sizeof *tcp; i++)
			add_sort(families[f], &(struct packet_what){.protocol = PROTOCOL_TCP, .has_port = true,
			                                            .port = tcp[i]});
		for (size_t i = 0; i < sizeof udp / sizeof *udp; i++)
			add_sort(families[f], &(struct packet_what){.protocol = PROTOCOL_UDP, .has_port = true,
			                                            .port = udp[i]});
		for (size_t i = 0; i < sizeof others; i++)
			add_sort(families[f], &(struct packet_what){.protocol = others[i]});
	}
	add_icmp(FAMILY_4, 8, 0);
	add_icmp(FAMILY_4, 3, 0);
	add_icmp(FAMILY_4, 3, 1);
	add_icmp(FAMILY_4, 3, 4);
	add_icmp(FAMILY_6, 128, 0);
	add_icmp(FAMILY_6, 2, 0);
	add_icmp(FAMILY_6, 130, 0);
	add_icmp(FAMILY_6, 143, 0);
}

static bool is_asked(const struct assertion *assertion, const struct sort *sort)
{
	struct packet packet = packet_of(&sort->what, sort->family);

	if (!what_covers(&fleet, &assertion->what, &packet))
		return false;
	if (assertion->interface.n == 0)
		return !str_is(packet.interface, "lo");
	return interface_covers(assertion->interface, packet.interface);
}

static struct verdict ask(struct end source, struct end destination, const struct packet_what *what)
{
	struct verdict verdict;

	if (explain(arena, explainer, &source, &destination, what, &verdict) != NULL)
		ck_abort_msg("no answer");
	return verdict;
}

static struct end machine_end(size_t machine)
{
	return (struct end){.is_machine = true, .machine = (uint32_t)machine};
}

static struct verdict in_says(size_t machine, struct addr from, const struct packet_what *what)
{
	return ask((struct end){.addr = from}, machine_end(machine), what);
}

static struct verdict out_says(size_t machine, struct addr to, const struct packet_what *what)
{
	return ask(machine_end(machine), (struct end){.addr = to}, what);
}

static bool by_rules(const struct verdict *verdict)
{
	return verdict->allow && (verdict->stage == STAGE_ALLOW || verdict->stage == STAGE_DEFAULT);
}

/* Those of a small world, and two that nobody names. */
static struct {
	struct addr *items;
	size_t count, capacity;
} everywhere;

static void all_addresses(void)
{
	everywhere.items = NULL;
	everywhere.count = everywhere.capacity = 0;
	for (unsigned i = 0; i < 20; i++) {
		APPEND(arena, &everywhere, ((struct addr){0x0a000000u + i, FAMILY_4}));
		APPEND(arena, &everywhere, ((struct addr){fd00 + i, FAMILY_6}));
	}
	APPEND(arena, &everywhere, ((struct addr){0xc0000201u, FAMILY_4}));
	APPEND(arena, &everywhere, ((struct addr){((addr_bits)0x20010db8 << 96) + 1, FAMILY_6}));
}

static bool is_own(size_t machine, struct addr addr)
{
	for (size_t i = 0; i < fleet.machines[machine].address_count; i++)
		if (addr_cmp(fleet.machines[machine].addresses[i].addr, addr) == 0)
			return true;
	return false;
}

static bool peer_has_address(const struct peer *peer, struct addr addr)
{
	struct addr_set set;

	if (peer->kind == PEER_LITERAL)
		return range_covers(peer->literal, (struct range){addr.bits, addr.bits, addr.family});
	set = peer_addresses(arena, resolved, peer, NULL, false, addr.family);
	return addr_set_has(&set, addr);
}

static bool peer_is_machine(const struct peer *peer, size_t machine)
{
	const struct role *role;

	if (peer->kind == PEER_MACHINE)
		return str_eq(peer->name, fleet.machines[machine].name);
	role = peer->kind == PEER_ROLE ? fleet_role(&fleet, peer->name) : NULL;
	for (size_t i = 0; role != NULL && i < resolved->roles[role - fleet.roles].member_count; i++)
		if (resolved->roles[role - fleet.roles].members[i] == machine)
			return true;
	return false;
}

/* What was found: by machine, inbound and outbound. */
struct found {
	bool of[2][MACHINES];
};

static bool has_label(const struct machine_address *address, struct str label)
{
	return label.n == 0 || str_eq(address->label, label);
}

static bool has_family(size_t machine, struct str label, enum family family)
{
	const struct machine *one = &fleet.machines[machine];

	for (size_t i = 0; i < one->address_count; i++)
		if (one->addresses[i].addr.family == family && has_label(&one->addresses[i], label))
			return true;
	return false;
}

/* From addresses to a machine. */
static void try_in(const struct assertion *assertion, size_t to, struct str label, struct addr from,
                   struct found *found)
{
	for (size_t i = 0; i < sorts.count; i++) {
		struct verdict verdict;

		if (sorts.items[i].family != from.family || !is_asked(assertion, &sorts.items[i]) || is_own(to, from) ||
		    (label.n > 0 && !has_family(to, label, from.family)))
			continue;
		verdict = in_says(to, from, &sorts.items[i].what);
		if (assertion->kind == ASSERTION_ALWAYS ? !verdict.allow : by_rules(&verdict))
			found->of[0][to] = true;
	}
}

static void try_out(const struct assertion *assertion, size_t from, struct str label, struct addr to,
                    struct found *found)
{
	for (size_t i = 0; i < sorts.count; i++) {
		struct verdict verdict;

		if (sorts.items[i].family != to.family || !is_asked(assertion, &sorts.items[i]) || is_own(from, to) ||
		    (label.n > 0 && !has_family(from, label, to.family)))
			continue;
		verdict = out_says(from, to, &sorts.items[i].what);
		if (assertion->kind == ASSERTION_ALWAYS ? !verdict.allow : by_rules(&verdict))
			found->of[1][from] = true;
	}
}

/* Does it leave by some interface, where the assertion names none? */
static bool leaves(const struct assertion *assertion, size_t from, struct addr to, const struct sort *sort)
{
	for (size_t i = 0; i < sorts.count; i++) {
		struct packet_what what = sorts.items[i].what, same = sort->what;

		same.interface = what.interface;
		if (sorts.items[i].family != sort->family || what.protocol != same.protocol || what.port != same.port ||
		    what.icmp_type != same.icmp_type || what.icmp_code != same.icmp_code ||
		    !is_asked(assertion, &sorts.items[i]))
			continue;
		if (out_says(from, to, &what).allow)
			return true;
	}
	return false;
}

static void try_pair(const struct assertion *assertion, size_t from, struct addr source, size_t to,
                     struct addr destination, struct found *found)
{
	for (size_t i = 0; i < sorts.count; i++) {
		const struct sort *sort = &sorts.items[i];
		bool unmanaged = !machine_has_ruleset(&fleet.machines[from]);
		struct verdict in, out;

		if (sort->family != source.family || !is_asked(assertion, sort))
			continue;
		in = in_says(to, source, &sort->what);
		out = out_says(from, destination, &sort->what);
		if (assertion->kind == ASSERTION_ALWAYS) {
			found->of[0][to] = found->of[0][to] || (!in.allow && !is_own(to, source));
			found->of[1][from] =
				found->of[1][from] || (!out.allow && !unmanaged && !is_own(from, destination));
		} else if (by_rules(&in) && !is_own(to, source) && leaves(assertion, from, destination, sort)) {
			found->of[0][to] = true;
		}
	}
}

static void try_machines(const struct assertion *assertion, size_t from, struct str from_label, size_t to,
                         struct str to_label, struct found *found)
{
	const struct machine *source = &fleet.machines[from], *destination = &fleet.machines[to];
	bool met = false, sends = false, gets = false;

	if (from == to || (assertion->kind == ASSERTION_ALWAYS && !source->enabled))
		return;
	for (size_t i = 0; i < source->address_count; i++)
		sends = sends || has_label(&source->addresses[i], from_label);
	for (size_t j = 0; j < destination->address_count; j++)
		gets = gets || has_label(&destination->addresses[j], to_label);
	for (size_t i = 0; i < source->address_count; i++)
		for (size_t j = 0; j < destination->address_count; j++) {
			struct addr a = source->addresses[i].addr, b = destination->addresses[j].addr;

			if (a.family != b.family || !has_label(&source->addresses[i], from_label) ||
			    !has_label(&destination->addresses[j], to_label))
				continue;
			met = true;
			try_pair(assertion, from, a, to, b, found);
		}
	if (assertion->kind == ASSERTION_ALWAYS && !met && (sends || from_label.n == 0) && (gets || to_label.n == 0))
		found->of[0][to] = true;
}

static void try_source(const struct assertion *assertion, const struct peer *source, size_t to, struct str label,
                       struct found *found)
{
	if (source == NULL || peer_is_address(source)) {
		for (size_t i = 0; i < everywhere.count; i++)
			if (source == NULL || peer_has_address(source, everywhere.items[i]))
				try_in(assertion, to, label, everywhere.items[i], found);
		return;
	}
	for (size_t from = 0; from < fleet.machine_count; from++)
		if (peer_is_machine(source, from))
			try_machines(assertion, from, source->label, to, label, found);
}

static bool is_inside(const struct assertion *assertion, struct addr addr)
{
	for (size_t i = 0; i < assertion->source.count; i++)
		if (peer_has_address(&assertion->source.peers[i], addr))
			return true;
	return assertion->source.any;
}

static void try_destination(const struct assertion *assertion, size_t to, struct str label, struct found *found)
{
	if (!machine_has_ruleset(&fleet.machines[to]))
		return;
	if (assertion->kind == ASSERTION_ONLY) {
		for (size_t i = 0; i < everywhere.count; i++)
			if (!is_inside(assertion, everywhere.items[i]))
				try_in(assertion, to, label, everywhere.items[i], found);
		return;
	}
	if (assertion->source.any)
		try_source(assertion, NULL, to, label, found);
	for (size_t i = 0; i < assertion->source.count && !assertion->source.any; i++)
		try_source(assertion, &assertion->source.peers[i], to, label, found);
}

static bool machine_has_label(size_t machine, struct str label)
{
	return label.n == 0 || has_family(machine, label, FAMILY_4) || has_family(machine, label, FAMILY_6);
}

/* What machines send to addresses. */
static void try_sent(const struct assertion *assertion, const struct peer *destination, size_t from,
                     struct found *found)
{
	const struct assertion_end *source = &assertion->source;
	bool inside = source->any;

	for (size_t i = 0; i < source->count; i++)
		inside = inside || (peer_is_machine(&source->peers[i], from) &&
		                    machine_has_label(from, source->peers[i].label));
	if (inside == (assertion->kind == ASSERTION_ONLY))
		return;
	for (size_t j = 0; j < everywhere.count; j++) {
		if (!peer_has_address(destination, everywhere.items[j]))
			continue;
		if (source->any || assertion->kind == ASSERTION_ONLY)
			try_out(assertion, from, (struct str){NULL, 0}, everywhere.items[j], found);
		for (size_t i = 0; i < source->count && !source->any && assertion->kind != ASSERTION_ONLY; i++)
			if (peer_is_machine(&source->peers[i], from))
				try_out(assertion, from, source->peers[i].label, everywhere.items[j], found);
	}
}

static struct found brute_force(const struct assertion *assertion)
{
	const struct assertion_end *destination = &assertion->destination;
	struct found found = {0};

	for (size_t machine = 0; machine < fleet.machine_count; machine++) {
		if (destination->any)
			try_destination(assertion, machine, (struct str){NULL, 0}, &found);
		for (size_t i = 0; i < destination->count; i++) {
			const struct peer *peer = &destination->peers[i];

			if (peer_is_address(peer) && machine_has_ruleset(&fleet.machines[machine]))
				try_sent(assertion, peer, machine, &found);
			if (!peer_is_address(peer) && peer_is_machine(peer, machine) &&
			    machine_has_label(machine, peer->label))
				try_destination(assertion, machine, peer->label, &found);
		}
	}
	return found;
}

/* --- what was judged --- */

static bool has_rule(const struct verdict *verdict, const struct policy_violation *violation)
{
	for (size_t i = 0; violation->rule != NULL && i < verdict->rule_count; i++)
		if (str_is(str_of(verdict->rules[i]->id), violation->rule->id))
			return true;
	return violation->rule == NULL;
}

/* The example, as explain() takes it. */
static void check_example(const struct policy_violation *violation)
{
	struct packet_what what;
	struct verdict verdict;
	size_t machine;
	struct buf buf = buf_new(arena);

	policy_packet_print(&buf, violation);
	policy_reason_print(&buf, violation);
	if (violation->stage == STAGE_NO_ADDRESS)
		return;
	ck_assert_msg(packet_parse(explainer, violation->what, &what) == NULL, "%.*s", STR_ARG(violation->what));
	machine = (size_t)((violation->out ? violation->source : violation->destination) - fleet.machines);
	verdict = violation->out ? out_says(machine, violation->to, &what) : in_says(machine, violation->from, &what);
	ck_assert_msg(verdict.allow == (violation->assertion->kind != ASSERTION_ALWAYS) &&
	                      has_rule(&verdict, violation),
	              "%.*s: %.*s", STR_ARG(violation->assertion->text), STR_ARG(buf_str(&buf)));
	/* With open egress a rule that lets out says nothing. */
	if (violation->stage != STAGE_DEFAULT || violation->assertion->kind == ASSERTION_ALWAYS)
		ck_assert_int_eq(verdict.stage, violation->stage);
}

static struct found judged(const struct policy *policy)
{
	struct found found = {0};

	for (size_t i = 0; i < policy->count; i++) {
		const struct policy_violation *violation = &policy->violations[i];

		ck_assert_uint_eq(violation->machine_shown, violation->machine_count);
		for (size_t j = 0; j < violation->machine_shown; j++)
			found.of[violation->out][violation->machines[j]] = true;
		check_example(violation);
	}
	return found;
}

static void compare(uint64_t seed)
{
	struct assertions list = random_assertion();
	struct found wanted = brute_force(&list.items[0]), got;
	struct policy policy;

	policy_judge(arena, resolved, &settings, &list, &policy);
	got = judged(&policy);
	for (size_t way = 0; way < 2; way++)
		for (size_t i = 0; i < MACHINES; i++)
			ck_assert_msg(got.of[way][i] == wanted.of[way][i],
			              "seed %llu: %.*s: m%zu %s is %s, explain says %s", (unsigned long long)seed,
			              STR_ARG(list.items[0].text), i, way ? "out" : "in",
			              got.of[way][i] ? "found" : "not found", wanted.of[way][i] ? "found" : "not");
}

START_TEST(assertions_of_small_worlds)
{
	for (uint64_t seed = 1; seed <= rounds(300); seed++) {
		begin_world(seed);
		all_sorts();
		all_addresses();
		for (size_t i = 0; i < 4; i++)
			compare(seed);
		end_world();
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy");
	TCase *tcase = tcase_create("policy");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, assertions_of_small_worlds);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
