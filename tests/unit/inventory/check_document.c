/* Documents: what is read, what is written, and that one is the other's inverse. Faults are check_document_bad.c. */
#include <check.h>
#include <stdlib.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "random_fleet.h"
#include "rounds.h"
#include "suite_main.h"

static struct fleet read_document(struct str text)
{
	struct error *warnings = NULL, *error;
	struct fleet fleet;

	error = document_read(arena, STR("doc"), text, &fleet, &warnings);
	ck_assert_msg(error == NULL, "%s\nin:\n%.*s", printed(error), STR_ARG(text));
	return fleet;
}

static struct str written(const struct fleet *fleet)
{
	struct buf buf = buf_new(arena);

	document_write(&buf, fleet);
	return buf_str(&buf);
}

static void same(struct str s, const char *expected)
{
	ck_assert_msg(str_is(s, expected), "%.*s\nis not\n%s", STR_ARG(s), expected);
}

/* The example of the contract, word for word. */
static const char example[] =
	"    networks = ( { name = \"office\"; prefixes = [ \"203.0.113.0/24\", \"2001:db8:1::/48\" ]; } );\n"
	"    services = ( { name = \"search\"; ports = [ \"9200/tcp\", \"9300/tcp\" ]; } );\n"
	"    roles = (\n"
	"      { name = \"default\"; selector = { }; rules = [ \"allow all from self\" ]; },\n"
	"      { name = \"bastion\"; rules = [ \"allow 22/tcp\" ]; },\n"
	"      { name = \"monitor\"; },\n"
	"      { name = \"mysql\"; description = \"databases\"; owner = \"dba\"; egress = \"open\";\n"
	"        rules = ( { rule = \"allow mysql from 10.0.0.0/8\"; ticket = \"OPS-17\"; }, \"allow 9104/tcp from "
        "role:monitor\" ); } );\n"
	"    machines = (\n"
	"      { name = \"db1\"; addresses = [ \"10.0.0.5\", \"fd00::5\" ]; roles = [ \"mysql\" ]; labels = { env = "
        "\"prod\"; };\n"
	"        mode = \"exclusive\"; enforcement = \"enforce\"; ssh_port = 22; } );\n";

START_TEST(reads_the_roles_of_the_example)
{
	struct fleet fleet = read_document(str_of(example));
	const struct role *role = fleet_role(&fleet, STR("mysql"));

	ck_assert_uint_eq(fleet.role_count, 4);
	ck_assert_uint_eq(role->given, GIVEN_DESCRIPTION | GIVEN_OWNER | GIVEN_EGRESS | GIVEN_RULES);
	same(role->description, "databases");
	same(role->owner, "dba");
	ck_assert_uint_eq(role->rule_count, 2);
	same(role->rules[0].text, "allow 9104/tcp from role:monitor");
	ck_assert_uint_eq(role->rules[0].ticket.n, 0);
	same(role->rules[1].text, "allow mysql from 10.0.0.0/8");
	same(role->rules[1].ticket, "OPS-17");
	ck_assert(role->rules[1].enabled);
	ck_assert_uint_eq(role->rules[1].place.line, 8);
	ck_assert_uint_eq(role->rules[1].place.column, 29);
	role = fleet_role(&fleet, STR("default"));
	ck_assert(role->has_selector);
	ck_assert_uint_eq(role->selector_count, 0);
	ck_assert_uint_eq(role->given, GIVEN_SELECTOR | GIVEN_RULES);
	role = fleet_role(&fleet, STR("monitor"));
	ck_assert_uint_eq(role->given, 0);
	ck_assert(!role->referred);
	ck_assert_uint_eq(role->place.line, 6);
}
END_TEST

START_TEST(reads_the_rest_of_the_example)
{
	struct fleet fleet = read_document(str_of(example));
	const struct machine *machine = fleet_machine(&fleet, STR("db1"));

	ck_assert_uint_eq(fleet.machine_count, 1);
	ck_assert_uint_eq(machine->address_count, 2);
	same(addr_str(arena, machine->addresses[0].addr), "10.0.0.5");
	same(addr_str(arena, machine->addresses[1].addr), "fd00::5");
	ck_assert_uint_eq(machine->role_count, 1);
	same(machine->roles[0], "mysql");
	ck_assert_uint_eq(machine->label_count, 1);
	same(machine->labels[0].key, "env");
	same(machine->labels[0].value, "prod");
	ck_assert_uint_eq(machine->ssh_port, 22);
	ck_assert(machine->enabled);
	ck_assert_uint_eq(machine->given, GIVEN_ADDRESSES | GIVEN_ROLES | GIVEN_LABELS | GIVEN_MODE |
	                                          GIVEN_ENFORCEMENT | GIVEN_SSH_PORT);
	ck_assert_uint_eq(fleet_network(&fleet, STR("office"))->prefix_count, 2);
	ck_assert_uint_eq(fleet_service(&fleet, STR("search"))->count, 1);
	ck_assert_uint_eq(fleet_service(&fleet, STR("search"))->ports[0].port_count, 2);
	ck_assert(fleet.clock == TIME_NONE);
}
END_TEST

START_TEST(writes_the_example_in_order)
{
	struct fleet fleet = read_document(str_of(example));

	same(written(&fleet), "networks = (\n"
	                      "  { name = \"office\"; prefixes = [ \"203.0.113.0/24\", \"2001:db8:1::/48\" ]; }\n"
	                      ");\n"
	                      "services = (\n"
	                      "  { name = \"search\"; ports = [ \"9200,9300/tcp\" ]; }\n"
	                      ");\n"
	                      "roles = (\n"
	                      "  { name = \"bastion\"; rules = [ \"allow 22/tcp\" ]; },\n"
	                      "  { name = \"default\"; selector = { }; rules = [ \"allow all from self\" ]; },\n"
	                      "  { name = \"monitor\"; },\n"
	                      "  { name = \"mysql\"; description = \"databases\"; owner = \"dba\"; egress = \"open\";\n"
	                      "    rules = ( \"allow 9104/tcp from role:monitor\", { rule = \"allow mysql from "
	                      "10.0.0.0/8\"; ticket = \"OPS-17\"; } ); }\n"
	                      ");\n"
	                      "machines = (\n"
	                      "  { name = \"db1\"; addresses = [ \"10.0.0.5\", \"fd00::5\" ]; roles = [ \"mysql\" ]; "
	                      "labels = { env = \"prod\"; };\n"
	                      "    mode = \"exclusive\"; enforcement = \"enforce\"; ssh_port = 22; }\n"
	                      ");\n");
}
END_TEST

START_TEST(reads_every_spelling_of_a_field)
{
	struct fleet fleet = read_document(STR(
		"\xef\xbb\xbf// a comment\n"
		"roles : ( { name = \"A\", selector = [ \"kubernetes.io/x=a=b\", \"env=\" ] } # no terminators\n"
		", { name = \"b\" selector = \"none\" rules = ( \"allow 22/tcp # a \\\"b\\\" \\x41\" ) } /* \" */ );\n"
		"machines = ( { name = \"WEB1\"; addresses = ( { address = \"10.0.0.5\"; label = \"Private\"; }, "
	        "\"::1\" );\n"
		"  enabled = FALSE; ssh_port = 0; ssh_host = \"\"; labels = [ ]; roles = ( );\n"
		"  rules = [ \"allow 80/tcp\", \"deny all\" ]; mode = \"coexist\"; enforcement = \"unmanaged\"; } )"));
	const struct machine *machine = fleet_machine(&fleet, STR("web1"));
	const struct role *own = fleet_role(&fleet, STR("machine:web1")), *a = fleet_role(&fleet, STR("a"));

	ck_assert(a->has_selector);
	ck_assert_uint_eq(a->selector_count, 2);
	same(a->selector[0].key, "env");
	same(a->selector[0].value, "");
	same(a->selector[1].key, "kubernetes.io/x");
	same(a->selector[1].value, "a=b");
	ck_assert(!fleet_role(&fleet, STR("b"))->has_selector);
	ck_assert_uint_eq(fleet_role(&fleet, STR("b"))->given, GIVEN_SELECTOR | GIVEN_RULES);
	same(fleet_role(&fleet, STR("b"))->rules[0].rule.comment, "a \"b\" A");
	ck_assert(!machine->enabled);
	same(machine->addresses[0].label, "private");
	ck_assert_uint_eq(machine->given & (GIVEN_ROLES | GIVEN_LABELS | GIVEN_SSH_PORT | GIVEN_SSH_HOST),
	                  GIVEN_ROLES | GIVEN_LABELS | GIVEN_SSH_PORT | GIVEN_SSH_HOST);
	ck_assert_int_eq(machine->mode, MODE_COEXIST);
	ck_assert_int_eq(machine->enforcement, ENFORCEMENT_UNMANAGED);
	ck_assert_uint_eq(own->rule_count, 1);
	ck_assert_uint_eq(own->given, GIVEN_RULES);
}
END_TEST

START_TEST(an_empty_document_is_an_empty_fleet)
{
	struct fleet fleet = read_document(STR(""));

	ck_assert_uint_eq(fleet.machine_count + fleet.role_count + fleet.network_count + fleet.service_count, 0);
	ck_assert_uint_eq(written(&fleet).n, 0);
	fleet = read_document(STR("# nothing yet"));
	ck_assert_uint_eq(fleet.machine_count, 0);
}
END_TEST

START_TEST(what_repeats_counts_once)
{
	struct fleet fleet = read_document(
		STR("roles = ( { name = \"a\"; rules = [ \"allow 22/tcp\", \"ALLOW  22/TCP from any\" ]; }, { name = "
	            "\"A\"; rules = [ \"allow 22/tcp\" ]; } );\n"
	            "machines = ( { name = \"m\"; addresses = [ \"::1\", \"0::1\" ]; roles = [ \"a\", \"A\" ]; labels "
	            "= [ \"a=b\", \"a=b\" ]; } );\n"
	            "networks = ( { name = \"n\"; prefixes = [ \"::1\", \"0::1/128\" ]; } );\n"
	            "services = ( { name = \"s\"; ports = [ \"1/tcp\", \"2/tcp\", \"1-2/TCP\" ]; } );\n"));

	ck_assert_uint_eq(fleet.role_count, 1);
	ck_assert_uint_eq(fleet.roles[0].rule_count, 1);
	ck_assert_uint_eq(fleet.machines[0].address_count, 1);
	ck_assert_uint_eq(fleet.machines[0].role_count, 1);
	ck_assert_uint_eq(fleet.machines[0].label_count, 1);
	ck_assert_uint_eq(fleet.networks[0].prefix_count, 1);
	ck_assert_uint_eq(fleet.services[0].count, 1);
	ck_assert_uint_eq(fleet.services[0].ports[0].port_count, 1);
}
END_TEST

/* A machine's own role: its rules stand with the machine, the rest among the roles, and both are one role. */
START_TEST(a_machines_own_role_has_two_halves)
{
	static const char text[] =
		"roles = (\n"
		"  { name = \"machine:m\"; egress = \"closed\"; }\n"
		");\n"
		"machines = (\n"
		"  { name = \"m\"; rules = [ \"allow 22/tcp\" ]; }\n"
		");\n";
	struct fleet fleet = read_document(str_of(text));

	ck_assert_uint_eq(fleet.role_count, 1);
	ck_assert_uint_eq(fleet.roles[0].given, GIVEN_EGRESS | GIVEN_RULES);
	ck_assert_int_eq(fleet.roles[0].egress, EGRESS_CLOSED);
	ck_assert_uint_eq(fleet.roles[0].rule_count, 1);
	same(written(&fleet), text);
}
END_TEST

START_TEST(warnings_know_their_place)
{
	struct error *warnings = NULL;
	struct fleet fleet;
	struct error *error = document_read(
		arena, STR("doc"),
		STR("roles = (\n  { name = \"a\"; rules = [ \"allow 22/tcp\",\n    \"allow 80\" ]; } );\n"), &fleet,
		&warnings);

	ck_assert_ptr_null(error);
	ck_assert_uint_eq(error_count(warnings), 1);
	ck_assert_uint_eq(warnings->place.line, 3);
	ck_assert_uint_eq(warnings->place.column, 12);
	ck_assert(str_is(warnings->place.text, "    \"allow 80\" ]; } );"));
}
END_TEST

START_TEST(built_in_services_are_not_written)
{
	struct fleet fleet = read_document(STR("services = ( { name = \"ssh\"; ports = [ \"22/tcp\" ]; } );"));

	fleet.services[0].builtin = true;
	ck_assert_uint_eq(written(&fleet).n, 0);
}
END_TEST

/* --- round trips --- */

static unsigned some_bits(struct rng *rng, unsigned among)
{
	return (unsigned)rng_next(rng) & among;
}

/* Takes fields away, as a document may leave them out: the fields themselves, too, because only what is given is
 * compared. */
static void make_partial(struct fleet *fleet, struct rng *rng)
{
	for (size_t i = 0; i < fleet->machine_count; i++)
		fleet->machines[i].given =
			some_bits(rng, GIVEN_ADDRESSES | GIVEN_ROLES | GIVEN_LABELS | GIVEN_MODE | GIVEN_ENFORCEMENT |
		                               GIVEN_ENABLED | GIVEN_SSH_PORT | GIVEN_SSH_HOST);
	for (size_t i = 0; i < fleet->role_count; i++)
		fleet->roles[i].given =
			some_bits(rng, GIVEN_DESCRIPTION | GIVEN_OWNER | GIVEN_SELECTOR | GIVEN_EGRESS) | GIVEN_RULES;
	for (size_t i = 0; i < fleet->network_count; i++)
		fleet->networks[i].given = some_bits(rng, GIVEN_PREFIXES);
	for (size_t i = 0; i < fleet->service_count; i++)
		fleet->services[i].given = some_bits(rng, GIVEN_PORTS);
}

/* Only an element that stands alone in its line may be longer. */
static void check_lines_are_short(struct str text)
{
	struct str rest = text, line;

	while (str_cut(&rest, '\n', &line))
		ck_assert_msg(line.n <= 120 || str_starts(line, STR("      \"")) || str_starts(line, STR("      {")),
		              "%.*s", STR_ARG(line));
}

static void check_round_trip(size_t seed)
{
	struct rng rng = {seed + 1};
	struct fleet fleet = random_fleet(arena, &rng, rng_below(&rng, 30)), again;
	struct str text = written(&fleet), difference;

	check_lines_are_short(text);
	again = read_document(text);
	difference = fleet_difference(arena, &fleet, &again);
	ck_assert_msg(difference.n == 0, "%.*s\nin:\n%.*s", STR_ARG(difference), STR_ARG(text));
	ck_assert(str_eq(written(&again), text));
	ck_assert_ptr_null(fleet_check(arena, &again, NULL));
}

START_TEST(reading_what_was_written_gives_the_same_fleet)
{
	for (size_t i = 0; i < in_full(200); i++) {
		check_round_trip(i);
		arena_reset(arena);
		error_forget_all();
	}
}
END_TEST

static void check_partial(size_t seed)
{
	struct rng rng = {seed + 1000};
	struct fleet fleet = random_fleet(arena, &rng, rng_below(&rng, 20)), again;
	struct str text;

	make_partial(&fleet, &rng);
	text = written(&fleet);
	again = read_document(text);
	ck_assert_msg(str_eq(written(&again), text), "%.*s\nis not\n%.*s", STR_ARG(written(&again)), STR_ARG(text));
	ck_assert_uint_eq(again.machine_count, fleet.machine_count);
	for (size_t i = 0; i < again.machine_count; i++)
		ck_assert_uint_eq(again.machines[i].given, fleet.machines[i].given);
}

START_TEST(reading_a_partial_document_gives_the_same_fields)
{
	for (size_t i = 0; i < in_full(100); i++) {
		check_partial(i);
		arena_reset(arena);
		error_forget_all();
	}
}
END_TEST

/* The order of objects, and of what is in them, says nothing: a fleet written backwards is the same document. */
static void check_order(size_t seed)
{
	struct rng rng = {seed + 2000};
	struct fleet fleet = random_fleet(arena, &rng, 12);
	struct str text = written(&fleet);

	for (size_t i = 0; i < fleet.machine_count / 2; i++) {
		struct machine swapped = fleet.machines[i];

		fleet.machines[i] = fleet.machines[fleet.machine_count - 1 - i];
		fleet.machines[fleet.machine_count - 1 - i] = swapped;
	}
	for (size_t i = 0; i < fleet.role_count / 2; i++) {
		struct role swapped = fleet.roles[i];

		fleet.roles[i] = fleet.roles[fleet.role_count - 1 - i];
		fleet.roles[fleet.role_count - 1 - i] = swapped;
	}
	ck_assert_ptr_null(fleet_normalize(arena, &fleet));
	ck_assert(str_eq(written(&fleet), text));
}

START_TEST(order_says_nothing)
{
	for (size_t i = 0; i < in_full(40); i++) {
		check_order(i);
		arena_reset(arena);
		error_forget_all();
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("document");
	TCase *reading = tcase_create("reading"), *trips = tcase_create("round trips");

	tcase_add_checked_fixture(reading, arena_setup, arena_teardown);
	tcase_add_test(reading, reads_the_roles_of_the_example);
	tcase_add_test(reading, reads_the_rest_of_the_example);
	tcase_add_test(reading, writes_the_example_in_order);
	tcase_add_test(reading, reads_every_spelling_of_a_field);
	tcase_add_test(reading, an_empty_document_is_an_empty_fleet);
	tcase_add_test(reading, what_repeats_counts_once);
	tcase_add_test(reading, a_machines_own_role_has_two_halves);
	tcase_add_test(reading, warnings_know_their_place);
	tcase_add_test(reading, built_in_services_are_not_written);
	tcase_add_checked_fixture(trips, arena_setup, arena_teardown);
	tcase_set_timeout(trips, 60);
	tcase_add_test(trips, reading_what_was_written_gives_the_same_fleet);
	tcase_add_test(trips, reading_a_partial_document_gives_the_same_fields);
	tcase_add_test(trips, order_says_nothing);
	suite_add_tcase(suite, reading);
	suite_add_tcase(suite, trips);
	return suite_main(suite);
}
