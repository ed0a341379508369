/* What the intent makes of rows, against what PostgreSQL itself says of the same rows by the views that people rely on:
 * members, the addresses that peers stand for, the rules that each machine gets. On random fleets and on real ones,
 * whose own firewalls' answers are asked as well; where the real ones are missing, it says so and skips those. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/digest.h"
#include "fleetwall/intent.h"
#include "importing.h"
#include "random_fleet.h"

#define FLEETS "../shared/fleets"
#define PROBE "zzzz-probe" /* sorts behind all others */

static struct fleet fleet;
static struct settings settings;
static struct intent *intent;

/* --- the fleet, with a role whose rules name each peer that there can be --- */

struct rule_list {
	struct role_rule *items;
	size_t count, capacity;
};

static void add_rule(struct rule_list *list, struct str text)
{
	struct role_rule held = {.enabled = true};
	struct error *warnings = NULL;
	bool stored;

	must(rule_parse(arena, text, &held.rule, &stored, &warnings));
	held.text = rule_text(arena, &held.rule);
	APPEND(arena, list, held);
}

static void add_peer(struct rule_list *list, struct str peer)
{
	add_rule(list, str_format(arena, "allow all from %.*s", STR_ARG(peer)));
	add_rule(list, str_format(arena, "deny all from %.*s", STR_ARG(peer)));
}

static const char *const labels[] = {"private", "public", "management", "0"};
#define LABELS (sizeof labels / sizeof *labels)

static void add_probe(void)
{
	struct role *roles = ARENA_ARRAY(arena, struct role, fleet.role_count + 1);
	struct rule_list list = {0};

	for (size_t i = 0; i < fleet.role_count; i++) {
		struct str name = fleet.roles[i].name;

		roles[i] = fleet.roles[i];
		ck_assert_int_lt(str_cmp(name, STR(PROBE)), 0);
		if (machine_of_role(name).n > 0)
			continue;
		add_peer(&list, str_format(arena, "role:%.*s", STR_ARG(name)));
		for (size_t j = 0; j < LABELS; j++)
			add_peer(&list, str_format(arena, "role:%.*s/%s", STR_ARG(name), labels[j]));
	}
	for (size_t i = 0; i < fleet.machine_count; i++)
		add_peer(&list, str_format(arena, "machine:%.*s", STR_ARG(fleet.machines[i].name)));
	for (size_t i = 0; i < fleet.network_count; i++)
		add_peer(&list, str_format(arena, "network:%.*s", STR_ARG(fleet.networks[i].name)));
	roles[fleet.role_count] = (struct role){.name = STR(PROBE), .rules = list.items, .rule_count = list.count};
	fleet.roles = roles;
	fleet.role_count++;
}

/* In the snapshot that the views are asked in, too. */
static void look(void)
{
	must(db_begin(db, DB_SNAPSHOT));
	must(inventory_load(arena, db, &fleet));
	add_probe();
	settings = settings_default();
	packets_begin();
	intent = intent_new(arena, &fleet, &settings);
}

static void end(void)
{
	db_rollback(db);
	packets_end();
}

/* --- views --- */

static void lines_are(const char *what, struct str lines, const char *query)
{
	struct str wanted = str_of(asked(query));
	size_t at = 0;

	while (at < wanted.n && at < lines.n && wanted.p[at] == lines.p[at])
		at++;
	ck_assert_msg(str_eq(lines, wanted), "%s: PostgreSQL says …%.80s, not …%.*s", what, wanted.p + at,
	              (int)(lines.n - at < 80 ? lines.n - at : 80), lines.p + at);
}

static void members_are_those_of_the_view(void)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < fleet.role_count; i++) {
		size_t count;
		const uint32_t *members = intent_members(intent, i, &count);

		for (size_t j = 0; j < count; j++)
			buf_format(&buf, "%.*s %.*s\n", STR_ARG(fleet.roles[i].name),
			           STR_ARG(fleet.machines[members[j]].name));
	}
	lines_are(
		"members", buf_str(&buf),
		"SELECT coalesce(string_agg(role || ' ' || machine || E'\\n', '' ORDER BY role COLLATE \"C\", machine "
		"COLLATE \"C\"), '') FROM fleetwall.role_member");
}

static void rules_are_those_of_the_view(void)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < fleet.machine_count; i++) {
		struct intent_rule *rules;
		size_t count = intent_rules(arena, intent, i, &rules);

		for (size_t j = 0; j < count; j++)
			buf_format(&buf, "%.*s %.*s %.*s\n", STR_ARG(fleet.machines[i].name),
			           STR_ARG(rules[j].role->name), STR_ARG(rules[j].rule->text));
	}
	lines_are("rules", buf_str(&buf),
	          "SELECT coalesce(string_agg(machine || ' ' || role || ' ' || rule || E'\\n', '' ORDER BY machine "
	          "COLLATE "
	          "\"C\", role COLLATE \"C\", rule COLLATE \"C\"), '') FROM fleetwall.machine_rule");
}

/* --- addresses --- */

struct range_list {
	struct range *items;
	size_t count, capacity;
};

/* "10.0.0.1/32 fd00::/8": what a query says, as a set. */
static struct addr_set set_of(const char *text, enum family family)
{
	struct range_list list = {0};
	struct str rest = str_of(text), word;

	while (str_cut(&rest, ' ', &word)) {
		struct prefix prefix;

		if (word.n == 0)
			continue;
		ck_assert_msg(prefix_parse(word, &prefix) == PREFIX_OK, "%.*s", STR_ARG(word));
		APPEND(arena, &list, prefix_range(prefix));
	}
	return addr_set_of(arena, family, list.items, list.count);
}

/* As SPEC §5 names sets. */
static struct str set_name_of(const char *action, struct str name, struct str peer)
{
	struct buf buf = buf_new(arena);
	struct digest digest;
	char hex[65];

	buf_add(&buf, str_of(action));
	buf_char(&buf, '\0');
	buf_add(&buf, peer);
	digest = digest_of(buf_str(&buf));
	digest_hex(&digest, hex);
	return str_format(arena, "%.*s-%.12s", STR_ARG(str_slice(name, 0, 12)), hex);
}

static void set_is(const char *action, struct str name, struct str peer, struct str query)
{
	const char *said = asked(str_c(arena, query));
	struct str set = set_name_of(action, name, peer);

	for (size_t i = 0; i < 2; i++) {
		enum family family = i == 0 ? FAMILY_4 : FAMILY_6;
		const struct addr_set *held = intent_set(intent, set, family);
		struct addr_set wanted = set_of(said, family);

		ck_assert_msg(held != NULL && addr_set_eq(held, &wanted),
		              "%s from %.*s: %zu ranges, PostgreSQL has %zu (%s)", action, STR_ARG(peer),
		              held == NULL ? 0 : held->count, wanted.count, said);
	}
}

#define ALL_OF "SELECT coalesce(string_agg(DISTINCT a.address::text, ' '), '') FROM "

/* Allow rules see what role_address says; deny and reject rules disabled members as well. */
static void role_is(struct str name)
{
	struct str peer = str_format(arena, "role:%.*s", STR_ARG(name));

	set_is("allow", name, peer,
	       str_format(arena, ALL_OF "fleetwall.role_address AS a WHERE role = '%.*s'", STR_ARG(name)));
	set_is("deny", name, peer,
	       str_format(arena, ALL_OF "fleetwall.role_member AS m JOIN fleetwall.address AS a USING (machine) WHERE "
	                                "m.role = '%.*s'", STR_ARG(name)));
	for (size_t j = 0; j < LABELS; j++) {
		peer = str_format(arena, "role:%.*s/%s", STR_ARG(name), labels[j]);
		set_is("allow", name, peer,
		       str_format(arena, ALL_OF "fleetwall.role_address AS a WHERE role = '%.*s' AND label = '%s'",
		                  STR_ARG(name), labels[j]));
		set_is("deny", name, peer,
		       str_format(arena,
		                  ALL_OF "fleetwall.role_member AS m JOIN fleetwall.address AS a USING (machine) "
		                         "WHERE m.role = '%.*s' AND a.label = '%s'",
		                  STR_ARG(name), labels[j]));
	}
}

static void peers_are_those_of_the_views(void)
{
	for (size_t i = 0; i < fleet.role_count; i++)
		if (machine_of_role(fleet.roles[i].name).n == 0 && !str_is(fleet.roles[i].name, PROBE))
			role_is(fleet.roles[i].name);
	for (size_t i = 0; i < fleet.machine_count; i++) {
		struct str name = fleet.machines[i].name, peer = str_format(arena, "machine:%.*s", STR_ARG(name));

		set_is("allow", name, peer,
		       str_format(arena,
		                  ALL_OF "fleetwall.address AS a JOIN fleetwall.machine AS m ON m.name = a.machine "
		                         "WHERE m.enabled AND a.machine = '%.*s'",
		                  STR_ARG(name)));
		set_is("deny", name, peer,
		       str_format(arena, ALL_OF "fleetwall.address AS a WHERE a.machine = '%.*s'", STR_ARG(name)));
	}
	for (size_t i = 0; i < fleet.network_count; i++) {
		struct str name = fleet.networks[i].name, peer = str_format(arena, "network:%.*s", STR_ARG(name));
		struct str query = str_format(arena, "SELECT coalesce(string_agg(prefix::text, ' '), '') FROM "
		                                     "fleetwall.network_prefix WHERE network = '%.*s'", STR_ARG(name));

		set_is("allow", name, peer, query);
		set_is("deny", name, peer, query);
	}
}

static void rows_mean_what_the_views_say(void)
{
	look();
	members_are_those_of_the_view();
	rules_are_those_of_the_view();
	peers_are_those_of_the_views();
	end();
}

START_TEST(random_fleets)
{
	struct rng rng = {4711 + (uint64_t)_i};
	struct fleet wanted = random_fleet(arena, &rng, 30);

	imported(&wanted, &as_it_is);
	rows_mean_what_the_views_say();
}
END_TEST

/* --- real fleets --- */

static void import_folder(const char *folder)
{
	struct csv_file *files;
	size_t count;
	struct fleet wanted;
	struct error *warnings = NULL;

	must(csv_folder_read(arena, str_of(folder), &files, &count, &warnings));
	must(csv_read(arena, files, count, &wanted, &warnings));
	imported(&wanted, &as_it_is);
}

/* "machine,direction,peer,protocol,port,verdict": a packet of a new connection from an ordinary port. */
struct row {
	struct str machine, direction, peer, protocol, port, verdict;
};

static struct row row_of(struct str line)
{
	struct row row;
	struct str *cells[] = {&row.machine, &row.direction, &row.peer, &row.protocol, &row.port, &row.verdict};

	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
		ck_assert(str_cut(&line, ',', cells[i]));
	return row;
}

static unsigned port_of(const struct row *row, enum family family)
{
	uint64_t port;

	if (str_starts(row->protocol, STR("icmp")))
		return family == FAMILY_4 ? 8 << 8 : 128 << 8;
	return str_number(row->port, UINT16_MAX, &port) ? (unsigned)port : 0;
}

static struct sample packet_of_row(const struct row *row, bool out)
{
	struct sample packet = {.state = STATE_NEW, .source_port = 50000};
	struct addr addr;
	uint8_t protocol;

	ck_assert(addr_parse(row->peer, &addr));
	if (str_starts(row->protocol, STR("icmp")))
		protocol = addr.family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
	else
		ck_assert_msg(protocol_parse(row->protocol, &protocol), "%.*s", STR_ARG(row->protocol));
	packet.family = addr.family;
	packet.protocol = protocol;
	packet.port = port_of(row, addr.family);
	packet.source = packet.destination = (struct addr){.family = addr.family};
	*(out ? &packet.destination : &packet.source) = addr;
	return packet;
}

static void answers_like_its_firewall(struct arena *scratch, struct str line)
{
	struct row row = row_of(line);
	const struct machine *machine = fleet_machine(&fleet, row.machine);
	bool out = str_is(row.direction, "out"), passes;
	struct sample packet = packet_of_row(&row, out);
	struct intents intents;
	const struct intended *way = out ? &intents.out : &intents.in;

	ck_assert_msg(machine != NULL, "%.*s", STR_ARG(row.machine));
	intents = intent_of(scratch, intent, (size_t)(machine - fleet.machines), packet.family, NULL, NULL);
	passes = packets_have(packets_or(way->accepted, way->passed), &packet);
	ck_assert_msg(passes == str_is(row.verdict, "allow"), "%.*s: %s", STR_ARG(line),
	              passes ? "passes" : "is refused");
}

static void questions_are_answered(const char *file)
{
	struct arena *scratch = arena_new();
	struct str text = {0}, line;
	size_t count = 0;

	must(file_read(arena, str_of(file), &text));
	look();
	str_cut(&text, '\n', &line);
	while (str_cut(&text, '\n', &line)) {
		size_t mark = packets_mark();

		if (str_trim(line).n > 0) {
			answers_like_its_firewall(scratch, str_trim(line));
			count++;
		}
		packets_release(mark);
		arena_reset(scratch);
	}
	ck_assert_uint_gt(count, 1000);
	end();
	arena_free(scratch);
}

static void real_fleet(const char *folder, const char *questions)
{
	import_folder(folder);
	rows_mean_what_the_views_say();
	questions_are_answered(questions);
}

START_TEST(opendev)
{
	real_fleet(FLEETS "/opendev", FLEETS "/opendev/queries.csv");
}
END_TEST

START_TEST(fedora_infra)
{
	real_fleet(FLEETS "/fedora-infra", FLEETS "/fedora-infra/queries.csv");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("intent_views");
	TCase *cases = tcase_create("intent_views");

	tcase_add_checked_fixture(cases, postgres_setup, postgres_teardown);
	tcase_add_loop_test(cases, random_fleets, 0, 3);
	if (access(FLEETS "/opendev", R_OK) == 0 && access(FLEETS "/fedora-infra", R_OK) == 0) {
		tcase_add_test(cases, opendev);
		tcase_add_test(cases, fedora_infra);
	} else {
		puts("the real fleets of " FLEETS " are not there: not looked at");
	}
	tcase_set_timeout(cases, 120);
	suite_add_tcase(suite, cases);
	return postgres_main(suite, NULL);
}
