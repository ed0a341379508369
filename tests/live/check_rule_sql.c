/* The rule language in C and the schema's own reading of it agree: texts, ids, names, times, ports and ranges. Whoever
 * looks at the database and whoever reads a ruleset must speak of the same rules. */
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/inventory.h"
#include "fleetwall/names.h"
#include "fleetwall/resolve.h"
#include "lib/postgres.h"
#include "random_rule.h"

#define RULES 3000
#define ROUNDS 1500

static struct rng rng;

static void setup(void)
{
	const char *seed = getenv("FLEETWALL_SEED");

	rng = (struct rng){seed != NULL ? strtoull(seed, NULL, 10) : 20260301};
	postgres_setup();
}

/* The one cell that a query of one parameter gives; {NULL, 0} when the database refuses it. */
static struct str answer(const char *query, struct str parameter)
{
	struct db_rows rows;

	if (db_query(arena, db, str_of(query), &parameter, 1, &rows) != NULL) {
		error_forget_all();
		return (struct str){NULL, 0};
	}
	ck_assert_uint_eq(rows.count, 1);
	return db_cell(&rows, 0, 0);
}

/* --- rules --- */

/* Everything that random rules may name; each role has room for `room` rules. */
static struct fleet fleet_of_names(size_t room)
{
	const struct rule_names *odd = &rule_names_odd;
	struct fleet fleet = {.clock = TIME_NONE};
	struct port_range *port = ARENA_NEW(arena, struct port_range);
	struct service_port *ports = ARENA_NEW(arena, struct service_port);

	*port = (struct port_range){3306, 3306};
	*ports = (struct service_port){.protocol = PROTOCOL_TCP, .ports = port, .port_count = 1};
	fleet.roles = ARENA_ARRAY(arena, struct role, odd->role_count);
	fleet.machines = ARENA_ARRAY(arena, struct machine, odd->machine_count);
	fleet.networks = ARENA_ARRAY(arena, struct network, odd->network_count);
	fleet.services = ARENA_ARRAY(arena, struct service, odd->service_count);
	for (size_t i = 0; i < odd->role_count; i++)
		fleet.roles[fleet.role_count++] =
			(struct role){.name = odd->roles[i], .rules = ARENA_ARRAY(arena, struct role_rule, room)};
	for (size_t i = 0; i < odd->machine_count; i++)
		fleet.machines[fleet.machine_count++] = (struct machine){.name = odd->machines[i], .enabled = true};
	for (size_t i = 0; i < odd->network_count; i++)
		fleet.networks[fleet.network_count++] = (struct network){.name = odd->networks[i]};
	for (size_t i = 0; i < odd->service_count; i++)
		fleet.services[fleet.service_count++] =
			(struct service){.name = odd->services[i], .ports = ports, .count = 1};
	for (size_t i = 0; i < odd->role_count; i++)
		fleet.roles[i].given = (unsigned)GIVEN_ALL;
	for (size_t i = 0; i < odd->service_count; i++)
		fleet.services[i].given = (unsigned)GIVEN_ALL;
	return fleet;
}

/* A fleet whose roles hold random rules, no role one twice. */
static struct fleet fleet_of_rules(size_t wanted)
{
	struct fleet fleet = fleet_of_names(wanted);
	struct names *seen = names_new(arena);

	while (names_count(seen) < wanted) {
		struct role *role = &fleet.roles[rng_below(&rng, fleet.role_count)];
		struct role_rule held = {.rule = random_rule(arena, &rng, &rule_names_odd),
		                         .enabled = rng_chance(&rng, 80)};
		uint32_t before = names_count(seen);
		bool stored;

		must(rule_normalize(arena, &held.rule, &stored));
		held.text = rule_text(arena, &held.rule);
		if (!stored)
			continue;
		names_add(seen, str_format(arena, "%.*s %.*s", STR_ARG(role->name), STR_ARG(held.text)));
		if (names_count(seen) == before)
			continue;
		role->rules[role->rule_count++] = held;
	}
	must(fleet_normalize(arena, &fleet));
	return fleet;
}

static void write_fleet(const struct fleet *wanted)
{
	struct import_options options = {.prune = true};
	struct fleet present;
	struct plan plan;

	must(db_begin(db, DB_WRITE));
	must(inventory_lock(db));
	must(inventory_load(arena, db, &present));
	must(inventory_plan(arena, &present, wanted, &options, &plan));
	must(inventory_write(arena, db, &present, &plan));
	must(db_commit(db));
}

/* Texts and ids as the database derived them from columns and peers. */
static void compare_rows(const struct fleet *fleet)
{
	struct db_rows rows;
	size_t row = 0;

	must(db_query(arena, db,
	              STR("SELECT role, text, id, fleetwall.rule_text(key) FROM fleetwall.rule"
	                  " ORDER BY role COLLATE \"C\", text COLLATE \"C\""),
	              NULL, 0, &rows));
	for (size_t i = 0; i < fleet->role_count; i++) {
		for (size_t j = 0; j < fleet->roles[i].rule_count; j++, row++) {
			struct str name = fleet->roles[i].name, text = fleet->roles[i].rules[j].text;
			char id[RULE_ID_DIGITS + 1];

			ck_assert_uint_lt(row, rows.count);
			rule_id(name, text, id);
			ck_assert(str_eq(db_cell(&rows, row, 0), name));
			ck_assert_msg(str_eq(db_cell(&rows, row, 1), text), "\"%.*s\" is \"%.*s\" in the database",
			              STR_ARG(text), STR_ARG(db_cell(&rows, row, 1)));
			ck_assert_msg(str_is(db_cell(&rows, row, 2), id), "\"%.*s\": another id", STR_ARG(text));
			ck_assert(str_eq(db_cell(&rows, row, 3), text));
		}
	}
	ck_assert_uint_eq(row, rows.count);
	ck_assert_uint_eq(row, RULES);
}

START_TEST(rules_have_the_same_text_and_id)
{
	struct fleet wanted = fleet_of_rules(RULES);

	write_fleet(&wanted);
	compare_rows(&wanted);
}
END_TEST

START_TEST(rules_come_back_as_they_were)
{
	struct fleet wanted = fleet_of_rules(RULES), loaded;

	write_fleet(&wanted);
	must(db_begin(db, DB_SNAPSHOT));
	must(inventory_load(arena, db, &loaded));
	db_rollback(db);
	for (size_t i = 0; i < wanted.role_count; i++) {
		const struct role *role = fleet_role(&loaded, wanted.roles[i].name);

		ck_assert(role != NULL && role->rule_count == wanted.roles[i].rule_count);
		for (size_t j = 0; j < role->rule_count; j++) {
			const struct role_rule *a = &wanted.roles[i].rules[j], *b = &role->rules[j];

			ck_assert_msg(str_eq(a->text, b->text) && rule_same(&a->rule, &b->rule) &&
			                      a->enabled == b->enabled,
			              "\"%.*s\" comes back as \"%.*s\"", STR_ARG(a->text), STR_ARG(b->text));
		}
	}
}
END_TEST

/* --- names --- */

/* Strings near the edge between names and none. */
static struct str random_name(void)
{
	static const struct str pieces[] = {
		{"a", 1},  {"z", 1},   {"0", 1}, {"9", 1},  {".", 1},   {"_", 1},        {"-", 1},   {"A", 1},
		{"/", 1},  {":", 1},   {" ", 1}, {"\n", 1}, {"1.2", 3}, {"10.0.0.1", 8}, {"web", 3}, {"\xc3\xa4", 2},
		{"\t", 1}, {"tcp", 3}, {"+", 1}, {"@", 1},  {"'", 1},   {"b.c", 3},      {"log", 3}, {"x-y", 3},
	};
	static const size_t lengths[] = {1, 1, 2, 3, 4, 15, 16, 62, 63, 64, 99, 100, 101};
	struct buf buf = buf_new(arena);
	size_t plain = rng_chance(&rng, 30) ? lengths[rng_below(&rng, sizeof lengths / sizeof *lengths)] : 0;

	for (size_t i = 0; i < plain; i++)
		buf_char(&buf, (char)('a' + rng_below(&rng, 26)));
	for (size_t i = plain > 0 ? rng_below(&rng, 2) : 1 + rng_below(&rng, 4); i > 0; i--)
		buf_add(&buf, pieces[rng_below(&rng, sizeof pieces / sizeof *pieces)]);
	return buf_str(&buf);
}

static bool is_lower(struct str s)
{
	return str_eq(s, str_lower(arena, s));
}

/* The schema keeps names folded; capitals are no fault in C, where they are folded first. */
static void compare_name(struct str name, unsigned *valid)
{
	bool role = name_check(name, "role") == NULL && is_lower(name);
	bool service = service_name_check(name) == NULL && is_lower(name);
	bool machine = machine_name_check(name) == NULL, interface = interface_valid(name);

	ck_assert_msg((answer("SELECT $1::fleetwall.name", name).p != NULL) == role, "name \"%.*s\"", STR_ARG(name));
	ck_assert_msg((answer("SELECT $1::fleetwall.machine_name", name).p != NULL) == machine, "machine \"%.*s\"",
	              STR_ARG(name));
	ck_assert_msg((answer("SELECT s::text FROM (SELECT $1::fleetwall.service_name) AS t(s)"
	                     " WHERE NOT fleetwall.is_keyword(s) UNION ALL SELECT NULL LIMIT 1",
	                     name).p != NULL) == service,
	              "service \"%.*s\"", STR_ARG(name));
	ck_assert_msg((answer("INSERT INTO try_interface VALUES ($1) RETURNING interface", name).p != NULL) ==
	                      interface,
	              "interface \"%.*s\"", STR_ARG(name));
	*valid += role + service + machine + interface;
}

START_TEST(names_are_valid_in_both)
{
	static const char *const words[] = {
		"allow",   "deny",    "reject", "all",    "any",     "from",   "to",     "on",    "log",
		"limit",   "since",   "until",  "second", "minute",  "hour",   "day",    "self",  "role",
		"network", "machine", "tcp",    "udp",    "udplite", "sctp",   "dccp",   "gre",   "esp",
		"ah",      "ipip",    "vrrp",   "igmp",   "icmp",    "icmpv4", "icmpv6", "mysql", "icmp6"};
	unsigned valid = 0;

	must(db_run(db, STR("CREATE TEMP TABLE try_interface (interface text)")));
	must(db_run(db, STR("DO $$ DECLARE c record; BEGIN FOR c IN SELECT pg_get_constraintdef(oid) AS d FROM "
	                    "pg_constraint"
	                    " WHERE conrelid = 'fleetwall.rule'::regclass AND pg_get_constraintdef(oid) LIKE "
	                    "'%interface ~%' LOOP"
	                    " EXECUTE 'ALTER TABLE try_interface ADD ' || c.d; END LOOP; END $$")));
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		compare_name(str_of(words[i]), &valid);
	for (int i = 0; i < ROUNDS; i++)
		compare_name(random_name(), &valid);
	/* Neither may be so strict, or so lenient, that nothing was compared. */
	ck_assert_uint_gt(valid, ROUNDS / 4);
	ck_assert_uint_lt(valid, ROUNDS * 3);
}
END_TEST

/* --- spellings --- */

START_TEST(protocols_have_the_same_names)
{
	for (unsigned i = 2; i <= 255; i++) {
		struct buf buf = buf_new(arena);
		struct str name = answer("SELECT fleetwall.protocol_name($1::integer)", str_format(arena, "%u", i));

		protocol_print(&buf, (uint8_t)i);
		ck_assert_msg(str_eq(name, buf_str(&buf)) || i == PROTOCOL_ICMPV6, "%u is \"%.*s\"", i, STR_ARG(name));
	}
}
END_TEST

START_TEST(ranges_are_spelled_alike)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct rule rule = random_rule(arena, &rng, &(struct rule_names){.roles = NULL});

		for (size_t j = 0; j < rule.peer_count; j++) {
			struct range range = rule.peers[j].literal;
			struct str ends[] = {addr_str(arena, (struct addr){range.first, range.family}),
			                     addr_str(arena, (struct addr){range.last, range.family})};
			struct buf buf = buf_new(arena);
			struct db_rows rows;

			if (rule.peers[j].kind != PEER_LITERAL)
				continue;
			peer_print(&buf, &rule.peers[j]);
			must(db_query(arena, db, STR("SELECT fleetwall.range_text($1::inet, $2::inet)"), ends, 2,
			              &rows));
			ck_assert_msg(str_eq(db_cell(&rows, 0, 0), buf_str(&buf)), "%.*s is \"%.*s\" in the database",
			              STR_ARG(buf_str(&buf)), STR_ARG(db_cell(&rows, 0, 0)));
		}
	}
}
END_TEST

START_TEST(times_are_spelled_alike)
{
	for (int i = 0; i < ROUNDS; i++) {
		int64_t time = (int64_t)(rng_next(&rng) % 315537897600u) - 62135596800;
		struct buf buf = buf_new(arena);
		struct str text;

		time_print(&buf, i == 0 ? -62135596800 : i == 1 ? 253402300799 : time);
		text = answer("SELECT fleetwall.time_text($1::timestamptz)", buf_str(&buf));
		ck_assert_msg(str_eq(text, buf_str(&buf)), "%.*s is \"%.*s\" in the database", STR_ARG(buf_str(&buf)),
		              STR_ARG(text));
		ck_assert(str_is(answer("SELECT fleetwall.time_valid($1::timestamptz)", buf_str(&buf)), "t"));
	}
	ck_assert(str_is(answer("SELECT fleetwall.time_valid($1::timestamptz)", STR("infinity")), "f"));
	ck_assert(str_is(answer("SELECT fleetwall.time_valid($1::timestamptz)", STR("2026-03-01 12:00:00.5Z")), "f"));
}
END_TEST

START_TEST(ports_are_spelled_alike)
{
	for (int i = 0; i < ROUNDS; i++) {
		size_t count = 1 + rng_below(&rng, 8);
		struct port_range *ports = ARENA_ARRAY(arena, struct port_range, count);
		struct buf given = buf_new(arena), buf = buf_new(arena);
		struct str text;

		buf_char(&given, '{');
		for (size_t j = 0; j < count; j++) {
			unsigned first = (unsigned)rng_below(&rng, rng_chance(&rng, 50) ? 20 : 65536);
			unsigned last = rng_chance(&rng, 50) ? first : first + (unsigned)rng_below(&rng, 65536 - first);

			ports[j] = (struct port_range){(uint16_t)first, (uint16_t)last};
			buf_format(&given, "%s[%u,%u]", j > 0 ? "," : "", first, last);
		}
		buf_char(&given, '}');
		text = answer("SELECT fleetwall.ports_text($1::int4multirange)", buf_str(&given));
		ports_print(&buf, ports, ports_normalize(ports, count));
		ck_assert_msg(str_eq(text, buf_str(&buf)), "%.*s is \"%.*s\", in the database \"%.*s\"",
		              STR_ARG(buf_str(&given)), STR_ARG(buf_str(&buf)), STR_ARG(text));
	}
}
END_TEST

static Suite *rule_suite(void)
{
	Suite *suite = suite_create("rule_sql");
	TCase *cases = tcase_create("rule_sql");

	tcase_add_checked_fixture(cases, setup, postgres_teardown);
	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, rules_have_the_same_text_and_id);
	tcase_add_test(cases, rules_come_back_as_they_were);
	tcase_add_test(cases, names_are_valid_in_both);
	tcase_add_test(cases, protocols_have_the_same_names);
	tcase_add_test(cases, ranges_are_spelled_alike);
	tcase_add_test(cases, times_are_spelled_alike);
	tcase_add_test(cases, ports_are_spelled_alike);
	suite_add_tcase(suite, cases);
	return suite;
}

int main(void)
{
	return postgres_main(rule_suite(), NULL);
}
