/* Who reaches whom, role by role: over small worlds each pair of addresses, port and interface by brute force against
 * explain(); and how rows read. */
#include <check.h>

#include "explainer.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/matrix.h"
#include "rounds.h"
#include "small_world.h"
#include "suite_main.h"

static struct arena *arena;
static struct rng rng;
static struct fleet fleet;
static struct settings settings;
static struct resolved *resolved;
static struct explainer *explainer;
static struct intent *intent;

static void begin(uint64_t seed)
{
	arena = arena_new();
	rng = (struct rng){seed};
	settings = settings_default();
}

static void end(void)
{
	arena_free(arena);
	error_forget_all();
}

static void look_at(struct str text)
{
	struct error *warnings = NULL;

	ck_assert_ptr_null(document_read(arena, STR("small"), text, &fleet, &warnings));
	fleet.clock = 1767225600;
	resolved = resolve(arena, &fleet);
	explainer = explainer_new(arena, resolved, &settings);
	intent = intent_new(arena, &fleet, &settings);
}

/* --- one pair, one packet --- */

/* None of these is decided by housekeeping. */
static const struct {
	uint8_t protocol;
	uint16_t port; /* of ICMP: the type */
} whats[] = {{PROTOCOL_TCP, 22}, {PROTOCOL_TCP, 80}, {PROTOCOL_TCP, 101}, {PROTOCOL_UDP, 53}, {50, 0},
             {PROTOCOL_ICMP, 8}, {PROTOCOL_ICMPV6, 128}};
enum { WHATS = sizeof whats / sizeof *whats };
/* One of each kind that the rules of a small world tell apart; the first is any other. */
static const char *const interfaces[] = {"", "eth0", "eth1", "wg1"};
enum { INTERFACES = 4 };

static struct packet_what what_of(size_t what, size_t interface)
{
	return (struct packet_what){
		.protocol = whats[what].protocol,
		.icmp_name = ICMP_NUMBER,
		.icmp_type = (uint8_t)whats[what].port,
		.icmp_code = 0,
		.has_port = protocol_has_ports(whats[what].protocol),
		.port = whats[what].port,
		.interface = str_of(interfaces[interface]),
	};
}

static struct verdict ask(struct end source, struct end destination, const struct packet_what *what)
{
	struct verdict verdict;

	ck_assert_ptr_null(explain(arena, explainer, &source, &destination, what, &verdict));
	return verdict;
}

static bool is_sent(uint32_t machine, struct addr to, const struct packet_what *what)
{
	struct end source = {.is_machine = true, .machine = machine}, destination = {.addr = to};

	return ask(source, destination, what).allow;
}

/* Does an allow rule of the role cover it, and, where `named` is not empty, name this peer? */
static bool is_opened(const struct role *role, struct str named, uint32_t machine, struct addr from,
                      const struct packet_what *what)
{
	const struct indexed_role *indexed = explainer_role(explainer, (uint32_t)(role - fleet.roles));
	const struct rule_list *list = &indexed->lists[DIRECTION_IN][ACTION_ALLOW];
	struct passage passage = {.arena = arena, .explainer = explainer, .machine = machine,
	                          .direction = DIRECTION_IN, .packet = packet_of(what, from.family), .other = from};

	for (size_t i = 0; i < list->count; i++) {
		const struct rule *rule = &list->items[i]->effective->held->rule;
		bool names = named.n == 0;

		for (size_t k = 0; k < rule->peer_count && !names; k++)
			names = (rule->peers[k].kind == PEER_ROLE && rule->peers[k].label.n == 0 &&
			         str_eq(rule->peers[k].name, named)) ||
			        (rule->peers[k].kind == PEER_SELF && str_eq(role->name, named));
		if (names && passage_matches(&passage, list->items[i]))
			return true;
	}
	return false;
}

static bool is_let_in(const struct role *role, struct str named, uint32_t machine, struct addr from,
                      const struct packet_what *what)
{
	struct end source = {.addr = from}, destination = {.is_machine = true, .machine = machine};
	enum stage stage = ask(source, destination, what).stage;

	return stage != STAGE_DENY && stage != STAGE_REJECT && is_opened(role, named, machine, from, what);
}

/* --- a cell --- */

struct judged {
	bool pairs[2], all[2], some[2];
	bool *from, *to; /* by machine: takes part */
};

static bool *mark_of(bool **marks)
{
	if (*marks == NULL)
		*marks = ARENA_ARRAY(arena, bool, fleet.machine_count);
	return *marks;
}

static void judge_pair(struct judged *judged, size_t what, const struct role *to, struct str named, uint32_t a,
                       struct addr from, uint32_t b, struct addr there)
{
	size_t f = from.family == FAMILY_6;
	bool sent[INTERFACES], let[INTERFACES], all = true, some = false;

	for (size_t i = 0; i < INTERFACES; i++) {
		struct packet_what asked = what_of(what, i);

		sent[i] = is_sent(a, there, &asked);
		let[i] = is_let_in(to, named, b, from, &asked);
	}
	for (size_t i = 0; i < INTERFACES * INTERFACES; i++) {
		bool passes = sent[i / INTERFACES] && let[i % INTERFACES];

		all = all && passes;
		some = some || passes;
	}
	judged->all[f] = all && (!judged->pairs[f] || judged->all[f]);
	judged->pairs[f] = true;
	judged->some[f] |= some;
	mark_of(&judged->from)[a] |= some;
	mark_of(&judged->to)[b] |= some;
}

static void judge_machines(struct judged *judged, size_t what, const struct role *to, struct str named, uint32_t a,
                           uint32_t b)
{
	const struct machine *one = &fleet.machines[a], *other = &fleet.machines[b];

	for (size_t i = 0; i < one->address_count; i++)
		for (size_t k = 0; k < other->address_count; k++)
			if (one->addresses[i].addr.family == other->addresses[k].addr.family)
				judge_pair(judged, what, to, named, a, one->addresses[i].addr, b,
				           other->addresses[k].addr);
}

static struct judged judge(size_t what, const struct role *from, const struct role *to, bool by_name)
{
	const struct resolved_role *senders = &resolved->roles[from - fleet.roles];
	const struct resolved_role *members = &resolved->roles[to - fleet.roles];
	struct judged judged = {0};

	for (size_t i = 0; i < senders->member_count; i++)
		for (size_t k = 0; k < members->member_count; k++)
			if (fleet.machines[senders->members[i]].enabled && fleet.machines[members->members[k]].enabled)
				judge_machines(&judged, what, to, by_name ? from->name : (struct str){NULL, 0},
				               senders->members[i], members->members[k]);
	return judged;
}

static bool says(const struct matrix_row *row, size_t what)
{
	bool icmp = whats[what].protocol == PROTOCOL_ICMP || whats[what].protocol == PROTOCOL_ICMPV6;
	struct sample sample = {.family = FAMILY_4, .state = STATE_NEW, .protocol = whats[what].protocol,
	                        .port = icmp ? (unsigned)whats[what].port << 8 : whats[what].port};

	return packets_have(row->packets, &sample);
}

static size_t count(const bool *marks)
{
	size_t marked = 0;

	for (size_t i = 0; marks != NULL && i < fleet.machine_count; i++)
		marked += marks[i];
	return marked;
}

/* Of these rows, does one tell of these ends and this packet: 'a'll, 's'ome, or '-'? */
static char told(const struct matrix_row *rows, size_t row_count, const struct role *from, const struct role *to,
                 size_t what, const struct judged *judged)
{
	char told = '-';

	for (size_t i = 0; i < row_count; i++) {
		const struct matrix_row *row = &rows[i];

		if (row->from_role != from || row->to != to || str_find(row->from, '/') < row->from.n ||
		    !says(row, what))
			continue;
		ck_assert_msg(told == '-', "twice");
		told = row->all ? 'a' : 's';
		ck_assert_uint_ge(row->from_machines, count(judged->from));
		ck_assert_uint_ge(row->to_machines, count(judged->to));
		ck_assert_uint_gt(row->rule_count, 0);
	}
	return told;
}

static char meant(const struct judged *judged, size_t what)
{
	bool four = judged->pairs[0] && whats[what].protocol != PROTOCOL_ICMPV6;
	bool six = judged->pairs[1] && whats[what].protocol != PROTOCOL_ICMP;

	if (!judged->some[0] && !judged->some[1])
		return '-';
	return (!four || judged->all[0]) && (!six || judged->all[1]) ? 'a' : 's';
}

static void same_of(const struct matrix_row *rows, size_t row_count, const struct role *from, const struct role *to,
                    bool by_name)
{
	for (size_t what = 0; what < WHATS; what++) {
		struct judged judged = judge(what, from, to, by_name);
		char here = told(rows, row_count, from, to, what, &judged), there = meant(&judged, what);

		if (here != there)
			ck_abort_msg("%.*s to %.*s, protocol %u port %u: %c, explain says %c", STR_ARG(from->name),
			             STR_ARG(to->name), whats[what].protocol, whats[what].port, here, there);
	}
}

static void ask_world(uint64_t seed)
{
	struct matrix_asked asked = {0};
	struct matrix_row *rows;
	size_t row_count;

	begin(seed);
	look_at(small_world(arena, &rng, "10.0.0.", "fd00::"));
	row_count = matrix(arena, intent, &fleet, &asked, &rows);
	for (size_t i = 0; i < fleet.role_count; i++)
		for (size_t k = 0; k < fleet.role_count; k++)
			same_of(rows, row_count, &fleet.roles[i], &fleet.roles[k], true);
	asked.from = &fleet.roles[rng_below(&rng, fleet.role_count)];
	row_count = matrix(arena, intent, &fleet, &asked, &rows);
	for (size_t k = 0; k < fleet.role_count; k++)
		same_of(rows, row_count, asked.from, &fleet.roles[k], false);
	end();
}

START_TEST(every_pair_of_small_worlds)
{
	packets_begin();
	for (uint64_t seed = 1; seed <= rounds(16); seed++) {
		size_t mark = packets_mark();

		ask_world(seed * 7919);
		packets_release(mark);
	}
	packets_end();
}
END_TEST

/* --- how rows read --- */

static const char fleet_told[] =
	"networks = ( { name = \"office\"; prefixes = [ \"203.0.113.0/24\" ]; } );\n"
	"roles = ( { name = \"app\"; }, { name = \"shut\"; egress = \"closed\";\n"
	"    rules = [ \"allow 3306/tcp to role:db\", \"allow all from self\" ]; },\n"
	"  { name = \"db\"; rules = [ \"allow 3306/tcp from role:app, role:shut, network:office\",\n"
	"    \"allow 22/tcp from role:app/private\", \"deny 9000/tcp from machine:app2\",\n"
	"    \"allow 9000-9001/tcp from role:app\", \"allow 1-9/udp from 10.0.0.0/8, 192.0.2.1\",\n"
	"    \"allow 81/tcp from machine:adm\", \"allow icmp from role:app\",\n"
	"    \"allow 4000/tcp from role:talk\" ]; },\n"
	"  { name = \"talk\"; rules = [ \"deny 4000/tcp to machine:db2\" ]; },\n"
	"  { name = \"web\"; rules = [ \"allow 80,443/tcp\", \"allow 8080/tcp from role:empty\" ]; },\n"
	"  { name = \"empty\"; } );\n"
	"machines = ( { name = \"app1\"; addresses = ( { address = \"10.1.0.1\"; label = \"private\"; },\n"
	"    { address = \"fd00::1\"; } );\n"
	"    roles = [ \"app\" ]; },\n"
	"  { name = \"app2\"; addresses = [ \"10.1.0.2\" ]; roles = [ \"app\" ]; },\n"
	"  { name = \"app3\"; addresses = [ \"10.1.0.3\" ]; roles = [ \"app\" ]; enabled = false; },\n"
	"  { name = \"shut1\"; addresses = [ \"10.2.0.1\" ]; roles = [ \"shut\" ]; },\n"
	"  { name = \"shut2\"; addresses = [ \"10.2.0.2\" ]; roles = [ \"shut\" ]; },\n"
	"  { name = \"db1\"; addresses = [ \"10.3.0.1\", \"fd00::3\" ]; roles = [ \"db\" ]; },\n"
	"  { name = \"db2\"; addresses = [ \"10.3.0.2\" ]; roles = [ \"db\" ]; },\n"
	"  { name = \"db3\"; addresses = [ \"10.3.0.3\" ]; roles = [ \"db\" ]; enforcement = \"monitor\"; },\n"
	"  { name = \"talk1\"; addresses = [ \"10.6.0.1\" ]; roles = [ \"talk\" ]; },\n"
	"  { name = \"web1\"; addresses = [ \"10.4.0.1\" ]; roles = [ \"web\" ]; },\n"
	"  { name = \"adm\"; addresses = [ \"10.5.0.1\" ]; rules = [ \"allow 5/tcp from role:app\" ]; } );\n";

static void set_up(void)
{
	packets_begin();
	begin(1);
	look_at(str_of(fleet_told));
}

static void tear_down(void)
{
	end();
	packets_end();
}

static const struct role *role(const char *name)
{
	return fleet_role(&fleet, str_of(name));
}

/* One line a row: from, to, what, extent, machines, how many rules. */
static const char *rows_of(struct matrix_asked asked)
{
	struct buf buf = buf_new(arena);
	struct matrix_row *rows;
	size_t row_count = matrix(arena, intent, &fleet, &asked, &rows);

	for (size_t i = 0; i < row_count; i++) {
		buf_format(&buf, "%.*s > %.*s: ", STR_ARG(rows[i].from), STR_ARG(rows[i].to->name));
		for (size_t k = 0; k < rows[i].what_count; k++)
			buf_format(&buf, "%s%.*s", k > 0 ? ";" : "", STR_ARG(rows[i].what[k]));
		buf_format(&buf, " %s %zu %zu %zu\n", rows[i].all ? "all" : "some", rows[i].from_machines,
		           rows[i].to_machines, rows[i].rule_count);
	}
	return str_c(arena, buf_str(&buf));
}

START_TEST(rows_read_well)
{
	ck_assert_str_eq(rows_of((struct matrix_asked){0}),
	                 "anyone > web: 80,443/tcp all 0 1 1\n"
	                 "role:app > db: icmp;3306,9001/tcp all 2 3 3\n"
	                 "role:app > db: 9000/tcp some 2 3 1\n"
	                 "role:app/private > db: 22/tcp all 1 3 1\n"
	                 "role:shut > db: 3306/tcp all 2 3 1\n"
	                 "role:talk > db: 4000/tcp some 1 2 1\n"
	                 "network:office > db: 3306/tcp all 0 3 1\n"
	                 "machine:adm > db: 81/tcp all 1 3 1\n"
	                 "10.0.0.0/8, 192.0.2.1 > db: 1-9/udp all 0 3 1\n");
}
END_TEST

START_TEST(rows_that_were_asked_for)
{
	ck_assert_str_eq(rows_of((struct matrix_asked){.from = role("shut")}),
	                 "role:shut > db: 3306/tcp all 2 3 1\n");
	ck_assert_str_eq(rows_of((struct matrix_asked){.from = role("app"), .to = role("db")}),
	                 "role:app > db: icmp;3306,9001/tcp all 2 3 3\n"
	                 "role:app > db: 22,9000/tcp;1-9/udp some 2 3 3\n");
	ck_assert_str_eq(rows_of((struct matrix_asked){.to = role("web")}), "anyone > web: 80,443/tcp all 0 1 1\n");
	ck_assert_str_eq(rows_of((struct matrix_asked){.either = role("web")}),
	                 "anyone > web: 80,443/tcp all 0 1 1\n");
	ck_assert_str_eq(rows_of((struct matrix_asked){.either = role("machine:adm")}),
	                 "role:app > machine:adm: 5/tcp all 2 1 1\n"
	                 "machine:adm > db: 81/tcp all 1 3 1\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("matrix");
	TCase *brute = tcase_create("brute"), *rows = tcase_create("rows");

	tcase_set_timeout(brute, 120);
	tcase_add_test(brute, every_pair_of_small_worlds);
	suite_add_tcase(suite, brute);
	tcase_add_checked_fixture(rows, set_up, tear_down);
	tcase_add_test(rows, rows_read_well);
	tcase_add_test(rows, rows_that_were_asked_for);
	suite_add_tcase(suite, rows);
	return suite_main(suite);
}
