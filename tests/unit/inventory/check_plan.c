/* Plans: what an import would change. Fleets are written as documents; a fleet that is "present" is what importing its
 * document into nothing makes. valgrind-apart: many fleets. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/inventory.h"
#include "random_fleet.h"
#include "suite_main.h"

static const struct import_options as_it_is, pruning = {.prune = true};

static struct fleet document(const char *text)
{
	struct fleet fleet;
	struct error *warnings = NULL;
	struct error *errors = document_read(arena, STR("test.conf"), str_of(text), &fleet, &warnings);
	none(errors);
	return fleet;
}

/* A folder with machines.csv, members.csv, and one more file if `name` says so. */
static struct fleet csv(const char *members, const char *name, const char *text)
{
	struct csv_file files[] = {
		{STR("machines.csv"), STR("name\na\nb\nc\n")},
		{STR("members.csv"), str_of(members)},
		{str_of(name), str_of(text)},
	};
	struct fleet fleet;
	struct error *warnings = NULL;
	struct error *errors = csv_read(arena, files, name == NULL ? 2 : 3, &fleet, &warnings);
	none(errors);
	return fleet;
}

/* The plan as it would be printed: a line an object, its details indented below. */
static const char *plan_text(const struct plan *plan)
{
	struct buf buf = buf_new(arena);
	for (size_t i = 0; i < plan->count; i++) {
		const struct change *change = &plan->changes[i];
		buf_format(&buf, "%c %s %.*s\n", (char)change->sign, change->kind, STR_ARG(change->name));
		for (size_t detail = 0; detail < change->detail_count; detail++)
			buf_format(&buf, "    %.*s\n", STR_ARG(change->details[detail]));
	}
	return str_c(arena, buf_str(&buf));
}

static struct plan planned(const struct fleet *present, const struct fleet *wanted,
                           const struct import_options *options)
{
	struct plan plan;
	struct error *errors = inventory_plan(arena, present, wanted, options, &plan);
	none(errors);
	return plan;
}

static const char *refused(const struct fleet *present, const struct fleet *wanted,
                           const struct import_options *options)
{
	struct plan plan;
	struct error *errors = inventory_plan(arena, present, wanted, options, &plan);
	ck_assert_ptr_nonnull(errors);
	return printed(errors);
}

/* What is in the database after importing this into nothing; rules have the keys that rows would have. */
static struct fleet present(const char *text)
{
	static const struct fleet nothing;
	struct fleet wanted = document(text);
	struct fleet fleet = planned(&nothing, &wanted, &as_it_is).target;
	for (size_t i = 0; i < fleet.role_count; i++)
		for (size_t rule = 0; rule < fleet.roles[i].rule_count; rule++)
			fleet.roles[i].rules[rule].key = (int64_t)(100 * (i + 1) + rule);
	return fleet;
}

static void plans(struct fleet before, const char *wanted, const struct import_options *options, const char *expected)
{
	struct fleet after = document(wanted);
	struct plan plan = planned(&before, &after, options);
	ck_assert_str_eq(plan_text(&plan), expected);
	/* What was done need not be done again. */
	struct plan again = planned(&plan.target, &after, options);
	ck_assert_str_eq(plan_text(&again), "");
}

static const char *const company =
	"networks = ( { name = \"office\"; prefixes = [ \"203.0.113.0/24\" ]; }, { name = \"vpn\"; prefixes = [ ]; } "
        ");\n"
	"services = ( { name = \"search\"; ports = [ \"9200/tcp\", \"9300/tcp\" ]; } );\n"
	"roles = ( { name = \"app\"; owner = \"web\"; rules = [ \"allow search from role:db\", \"allow 22/tcp from "
        "network:office\" ]; },\n"
	"  { name = \"db\"; egress = \"closed\"; selector = { tier = \"db\"; };\n"
	"    rules = ( { rule = \"allow 3306/tcp from machine:a # old\"; ticket = \"OPS-1\"; } ); } );\n"
	"machines = ( { name = \"a\"; addresses = [ \"10.0.0.1\", \"fd00::1\" ]; roles = [ \"app\" ]; labels = { env = "
        "\"prod\"; }; ssh_port = 2222; },\n"
	"  { name = \"b\"; mode = \"coexist\"; roles = [ \"app\", \"db\" ]; rules = [ \"allow 80/tcp\" ]; } );\n";

START_TEST(new_objects_have_the_defaults)
{
	struct fleet nothing = {0};
	plans(nothing,
	      "machines = ( { name = \"a\"; } ); roles = ( { name = \"r\"; } ); networks = ( { name = \"n\"; } );",
	      &as_it_is, "+ network n\n+ role r\n+ machine a\n");
	struct fleet fleet = present("machines = ( { name = \"a\"; } );");
	ck_assert_uint_eq(fleet.machine_count, 1);
	const struct machine *machine = &fleet.machines[0];
	ck_assert(machine->enabled && machine->mode == MODE_EXCLUSIVE && machine->enforcement == ENFORCEMENT_ENFORCE);
	ck_assert_uint_eq(machine->ssh_port, 0);
	ck_assert_uint_eq(machine->address_count + machine->role_count + machine->label_count + machine->ssh_host.n, 0);
}
END_TEST

START_TEST(new_objects_are_told_whole)
{
	struct fleet nothing = {0};
	plans(nothing, company, &as_it_is,
	      "+ network office\n    prefix + 203.0.113.0/24\n"
	      "+ network vpn\n"
	      "+ service search\n    ports + 9200,9300/tcp\n"
	      "+ role app\n    owner + web\n    rule + allow 22/tcp from network:office\n    rule + allow search from "
	      "role:db\n"
	      "+ role db\n    egress open -> closed\n    selector + { tier=db }\n    rule + allow 3306/tcp from "
	      "machine:a\n"
	      "+ role machine:b\n    rule + allow 80/tcp\n"
	      "+ machine a\n    ssh_port + 2222\n    label + env=prod\n    address + 10.0.0.1\n    address + fd00::1\n "
	      "   role + app\n"
	      "+ machine b\n    mode exclusive -> coexist\n    role + app\n    role + db\n");
}
END_TEST

START_TEST(what_is_absent_is_left_alone)
{
	plans(present(company), company, &as_it_is, "");
	plans(present(company),
	      "machines = ( { name = \"a\"; }, { name = \"b\"; } ); roles = ( { name = \"app\"; } ); networks = ( { "
	      "name = \"office\"; } );"
	      "services = ( { name = \"search\"; } );",
	      &as_it_is, "");
	plans(present(company), "", &as_it_is, "");
}
END_TEST

START_TEST(what_is_given_replaces)
{
	plans(present(company),
	      "machines = ( { name = \"a\"; enabled = false; enforcement = \"monitor\"; ssh_port = 22; ssh_host = "
	      "\"jump\";\n"
	      "  addresses = ( { address = \"10.0.0.1\"; label = \"private\"; }, \"10.0.0.2\" ); labels = { env = "
	      "\"dev\"; site = \"x\"; }; roles = [ ]; } );\n"
	      "roles = ( { name = \"app\"; owner = \"\"; description = \"front\"; egress = \"closed\"; selector = { "
	      "};\n"
	      "  rules = [ \"allow 22/tcp from network:vpn\", \"allow search from role:db\" ]; } );\n"
	      "networks = ( { name = \"office\"; prefixes = [ \"203.0.112.0/24\", \"2001:db8::/48\" ]; } );\n"
	      "services = ( { name = \"search\"; ports = [ \"9200/tcp\", \"9200/udp\" ]; } );\n",
	      &as_it_is,
	      "~ network office\n    prefix + 203.0.112.0/24\n    prefix - 203.0.113.0/24\n    prefix + 2001:db8::/48\n"
	      "~ service search\n    ports 9200,9300/tcp -> 9200/tcp\n    ports + 9200/udp\n"
	      "~ role app\n    description + front\n    owner - web\n    egress open -> closed\n    selector + { }\n"
	      "    rule - allow 22/tcp from network:office\n    rule + allow 22/tcp from network:vpn\n"
	      "~ machine a\n    enabled true -> false\n    enforcement enforce -> monitor\n    ssh_port 2222 -> 22\n   "
	      " ssh_host + jump\n"
	      "    label env prod -> dev\n    label + site=x\n    address 10.0.0.1 -> 10.0.0.1 label private\n    "
	      "address + 10.0.0.2\n"
	      "    address - fd00::1\n    role - app\n");
}
END_TEST

START_TEST(lists_that_are_given_empty_are_emptied)
{
	plans(present(company),
	      "machines = ( { name = \"a\"; addresses = [ ]; labels = { }; }, { name = \"b\"; rules = [ ]; } );"
	      "roles = ( { name = \"app\"; rules = [ ]; } ); networks = ( { name = \"office\"; prefixes = [ ]; } );",
	      &as_it_is,
	      "~ network office\n    prefix - 203.0.113.0/24\n"
	      "~ role app\n    rule - allow 22/tcp from network:office\n    rule - allow search from role:db\n"
	      "~ role machine:b\n    rule - allow 80/tcp\n"
	      "~ machine a\n    label - env=prod\n    address - 10.0.0.1\n    address - fd00::1\n");
}
END_TEST

START_TEST(a_rule_keeps_its_row_while_its_text_stays)
{
	struct fleet before = present(company);
	struct fleet wanted = document("roles = ( { name = \"db\"; rules = ( { rule = \"ALLOW 3306/tcp FROM "
	                               "machine:a\"; ticket = \"OPS-2\"; owner = \"dba\";"
	                               " enabled = false; }, \"allow 80/tcp\" ); } );");
	struct plan plan = planned(&before, &wanted, &as_it_is);
	ck_assert_str_eq(plan_text(&plan), "~ role db\n"
	                                   "    rule ~ allow 3306/tcp from machine:a: enabled true -> false\n"
	                                   "    rule ~ allow 3306/tcp from machine:a: ticket OPS-1 -> OPS-2\n"
	                                   "    rule ~ allow 3306/tcp from machine:a: owner + dba\n"
	                                   "    rule ~ allow 3306/tcp from machine:a: comment - old\n"
	                                   "    rule + allow 80/tcp\n");
	const struct role *db = fleet_role(&plan.target, STR("db"));
	ck_assert_int_eq(db->rules[0].key, fleet_role(&before, STR("db"))->rules[0].key);
	ck_assert_int_eq(db->rules[1].key, 0);
}
END_TEST

START_TEST(pruning_takes_what_is_not_named)
{
	plans(present(company), "machines = ( { name = \"a\"; roles = [ ]; } ); roles = ( { name = \"new\"; } );",
	      &pruning,
	      "- network office\n- network vpn\n- service search\n- role app\n- role db\n- role machine:b\n+ role new\n"
	      "~ machine a\n    role - app\n- machine b\n");
	plans(present(company), "", &pruning,
	      "- network office\n- network vpn\n- service search\n- role app\n- role db\n- role machine:b\n- machine "
	      "a\n- machine b\n");
}
END_TEST

START_TEST(own_rules_stay_with_their_machine)
{
	plans(present(company), "machines = ( { name = \"b\"; roles = [ ]; } );", &pruning,
	      "- network office\n- network vpn\n- service search\n- role app\n- role db\n- machine a\n~ machine b\n    "
	      "role - app\n    role - db\n");
}
END_TEST

START_TEST(memberships_go_with_a_pruned_role)
{
	plans(present("roles = ( { name = \"x\"; }, { name = \"y\"; } ); machines = ( { name = \"a\"; roles = [ \"x\", "
	              "\"y\" ]; } );"),
	      "roles = ( { name = \"y\"; } ); machines = ( { name = \"a\"; } );", &pruning,
	      "- role x\n~ machine a\n    role - x\n");
}
END_TEST

START_TEST(builtin_services_stay_until_they_are_changed)
{
	struct fleet before = present(company);
	before.services[0].builtin = true;
	plans(before, "roles = ( ); machines = ( );", &pruning,
	      "- network office\n- network vpn\n- role app\n- role db\n- role machine:b\n- machine a\n- machine b\n");
	plans(before, "services = ( { name = \"search\"; ports = [ \"9200,9300/tcp\" ]; } );", &as_it_is, "");
	struct fleet same = document("services = ( { name = \"search\"; ports = [ \"9200,9300/tcp\" ]; } );");
	ck_assert(planned(&before, &same, &as_it_is).target.services[0].builtin);
	struct fleet other = document("services = ( { name = \"search\"; ports = [ \"9200/tcp\" ]; } );");
	ck_assert(!planned(&before, &other, &as_it_is).target.services[0].builtin);
}
END_TEST

START_TEST(what_is_used_does_not_go)
{
	struct fleet before = present(company);
	struct fleet wanted = document("roles = ( { name = \"app\"; } ); machines = ( { name = \"b\"; } );");
	const char *text = refused(&before, &wanted, &pruning);
	ck_assert_msg(strstr(text, "the network 'office' would go, but is still used by role app: 'allow 22/tcp from "
	                           "network:office'") != NULL,
	              "%s", text);
	ck_assert_msg(strstr(text, "the role 'db' would go, but is still used by role app: 'allow search from "
	                           "role:db'") != NULL,
	              "%s", text);
	ck_assert_msg(strstr(text, "the service 'search' would go, but is still used by role app: 'allow search from "
	                           "role:db'") != NULL,
	              "%s", text);
	ck_assert_msg(strstr(text, "machine 'a'") == NULL, "%s", text);
	wanted = document("roles = ( { name = \"db\"; } ); networks = ( { name = \"office\"; } );");
	text = refused(&before, &wanted, &pruning);
	ck_assert_msg(strstr(text, "the machine 'a' would go, but is still used by role db: 'allow 3306/tcp from "
	                           "machine:a'") != NULL,
	              "%s", text);
	wanted = document("roles = ( { name = \"db\"; rules = [ ]; } ); machines = ( { name = \"a\"; roles = [ "
	                  "\"app\", \"db\" ]; } );");
	text = refused(&before, &wanted, &pruning);
	ck_assert_msg(strstr(text, "the role 'app' would go, but is still used by machine a\n") != NULL, "%s", text);
}
END_TEST

START_TEST(many_users_are_counted)
{
	struct buf buf = buf_new(arena);
	buf_add(&buf, STR("networks = ( { name = \"n\"; } ); roles = ( "));
	for (int i = 0; i < 9; i++)
		buf_format(&buf, "%s{ name = \"r%d\"; rules = [ \"allow 22/tcp from network:n\" ]; }",
		           i == 0 ? "" : ", ", i);
	buf_add(&buf, STR(" );"));
	struct fleet before = present(str_c(arena, buf_str(&buf)));
	struct fleet wanted = before;
	wanted.network_count = 0;
	const char *text = refused(&before, &wanted, &pruning);
	ck_assert_msg(strstr(text, "role r4: 'allow 22/tcp from network:n' and 4 more\n") != NULL, "%s", text);
	ck_assert_msg(strstr(text, "role r5") == NULL, "%s", text);
}
END_TEST

START_TEST(unknown_names_are_refused_all_at_once)
{
	struct fleet before = present(company);
	struct fleet wanted = document("roles = ( { name = \"app\"; rules = [ \"allow 22/tcp from network:offce, "
	                               "role:nobody, machine:nil\" ]; } );\n"
	                               "machines = ( { name = \"a\"; roles = [ \"ap\" ]; } );");
	const char *text = refused(&before, &wanted, &as_it_is);
	ck_assert_msg(strstr(text, "offce") != NULL && strstr(text, "office") != NULL, "%s", text);
	ck_assert_msg(strstr(text, "nobody") != NULL && strstr(text, "nil") != NULL && strstr(text, "\"ap\"") != NULL,
	              "%s", text);
}
END_TEST

/* --- CSV --- */

static const char *const three = "roles = ( { name = \"x\"; }, { name = \"y\"; }, { name = \"z\"; } );"
				 "machines = ( { name = \"a\"; roles = [ \"x\", \"z\" ]; }, { name = \"b\"; roles = [ "
                                 "\"x\", \"y\" ]; }, { name = \"c\"; roles = [ \"z\" ]; } );";

START_TEST(members_are_those_of_the_roles_and_machines_that_are_named)
{
	struct fleet before = present(three);
	/* x and a are named: (x,b) goes with x, (z,a) with a; (y,b) and (z,c) stay. */
	struct fleet wanted = csv("role,machine\nx,a\n", NULL, NULL);
	struct plan plan = planned(&before, &wanted, &as_it_is);
	ck_assert_str_eq(plan_text(&plan), "~ machine a\n    role - z\n~ machine b\n    role - x\n");
	wanted = csv("role,machine\ny,c\n", NULL, NULL);
	plan = planned(&before, &wanted, &as_it_is);
	ck_assert_str_eq(plan_text(&plan), "~ machine b\n    role - y\n~ machine c\n    role + y\n    role - z\n");
}
END_TEST

START_TEST(without_members_nothing_moves)
{
	struct fleet before = present(three);
	struct fleet wanted = csv("role,machine\n", NULL, NULL);
	struct plan plan = planned(&before, &wanted, &as_it_is);
	ck_assert_str_eq(plan_text(&plan), "");
}
END_TEST

START_TEST(pruning_takes_memberships_that_are_not_named)
{
	struct fleet before = present(three);
	struct fleet wanted = csv("role,machine\nx,a\n", NULL, NULL);
	struct plan plan = planned(&before, &wanted, &pruning);
	ck_assert_str_eq(plan_text(&plan), "- role y\n- role z\n~ machine a\n    role - z\n~ machine b\n    role - x\n "
	                                   "   role - y\n~ machine c\n    role - z\n");
}
END_TEST

START_TEST(pruning_takes_all_memberships_that_the_file_lacks)
{
	struct fleet before = present(three);
	struct fleet wanted = csv("role,machine\nx,a\n", "roles.csv", "name\nx\ny\nz\n");
	struct plan plan = planned(&before, &wanted, &pruning);
	ck_assert_str_eq(plan_text(&plan), "~ machine a\n    role - z\n~ machine b\n    role - x\n    role - y\n"
	                                   "~ machine c\n    role - z\n");
}
END_TEST

START_TEST(rows_about_what_does_not_exist_are_refused)
{
	struct fleet before = present(three);
	struct fleet wanted = csv("role,machine\nx,d\n", NULL, NULL);
	const char *text = refused(&before, &wanted, &as_it_is);
	ck_assert_msg(strstr(text, "there is no machine \"d\"") != NULL, "%s", text);
	wanted = csv("role,machine\nw,a\n", "roles.csv", "name\nx\n");
	text = refused(&before, &wanted, &as_it_is);
	ck_assert_msg(strstr(text, "there is no role \"w\"") != NULL, "%s", text);
}
END_TEST

START_TEST(own_rules_come_as_rows_too)
{
	struct fleet before = present(three);
	struct fleet wanted = csv("role,machine\n", "rules.csv", "role,rule\nmachine:b,allow 80/tcp\n");
	struct plan plan = planned(&before, &wanted, &as_it_is);
	ck_assert_str_eq(plan_text(&plan), "+ role machine:b\n    rule + allow 80/tcp\n");
}
END_TEST

START_TEST(columns_that_a_file_lacks_are_left_alone)
{
	struct fleet before = present(
		"machines = ( { name = \"a\"; mode = \"coexist\"; labels = { x = \"y\"; }; } ); roles = ( { name = "
	        "\"x\";"
		" rules = ( { rule = \"allow 22/tcp\"; ticket = \"T\"; owner = \"o\"; enabled = false; } ); } );");
	struct fleet wanted = csv("role,machine\n", "rules.csv", "role,rule\nx,allow 22/tcp\nx,allow 80/tcp\n");
	struct plan plan = planned(&before, &wanted, &as_it_is);
	ck_assert_str_eq(plan_text(&plan), "~ role x\n    rule + allow 80/tcp\n+ machine b\n+ machine c\n");
	ck_assert(fleet_role(&plan.target, STR("x"))->rules[1].enabled);
	wanted = csv("role,machine\n", "rules.csv", "role,rule,ticket,owner,enabled\nx,allow 22/tcp,,,\n");
	plan = planned(&before, &wanted, &as_it_is);
	ck_assert_str_eq(plan_text(&plan), "~ role x\n    rule ~ allow 22/tcp: enabled false -> true\n    rule ~ allow "
	                                   "22/tcp: ticket - T\n"
	                                   "    rule ~ allow 22/tcp: owner - o\n+ machine b\n+ machine c\n");
}
END_TEST

/* --- adding rules --- */

static struct fleet rules_for(struct str role, const char *text)
{
	struct fleet fleet = {.roles = ARENA_NEW(arena, struct role), .role_count = 1, .clock = TIME_NONE};
	struct error *warnings = NULL;
	fleet.roles[0] = (struct role){.name = role, .given = GIVEN_RULES};
	struct error *errors = rules_read(arena, STR("rules"), str_of(text), &fleet.roles[0].rules,
	                                  &fleet.roles[0].rule_count, &warnings);
	none(errors);
	errors = fleet_normalize(arena, &fleet);
	none(errors);
	return fleet;
}

START_TEST(rules_are_added)
{
	struct fleet before = present(company);
	struct fleet wanted = rules_for(STR("db"), "DENY ALL\nallow 3306/tcp from machine:a\nallow 22/tcp\n");
	struct import_options options = {.add_rules_to = STR("db")};
	struct plan plan = planned(&before, &wanted, &options);
	ck_assert_str_eq(plan_text(&plan), "~ role db\n    rule + allow 22/tcp\n");
	const struct role *db = fleet_role(&plan.target, STR("db"));
	ck_assert_uint_eq(db->rule_count, 2);
	ck_assert(str_is(db->rules[1].ticket, "OPS-1"));
	ck_assert(str_is(db->rules[1].rule.comment, "old"));
	ck_assert(db->egress == EGRESS_CLOSED);
	struct plan again = planned(&plan.target, &wanted, &options);
	ck_assert_str_eq(plan_text(&again), "");
}
END_TEST

START_TEST(rules_are_added_to_machines)
{
	struct fleet before = present(company);
	struct fleet wanted = rules_for(STR("machine:a"), "allow 22/tcp\n");
	struct import_options options = {.add_rules_to = STR("machine:a")};
	struct plan plan = planned(&before, &wanted, &options);
	ck_assert_str_eq(plan_text(&plan), "+ role machine:a\n    rule + allow 22/tcp\n");
}
END_TEST

START_TEST(rules_are_added_only_to_what_exists)
{
	struct fleet before = present(company);
	struct fleet wanted = rules_for(STR("ap"), "allow 22/tcp\n");
	struct import_options options = {.add_rules_to = STR("ap")};
	const char *text = refused(&before, &wanted, &options);
	ck_assert_msg(strstr(text, "there is no role 'ap'") != NULL && strstr(text, "app") != NULL, "%s", text);
	wanted = rules_for(STR("machine:zz"), "allow 22/tcp\n");
	options.add_rules_to = STR("machine:zz");
	refused(&before, &wanted, &options);
}
END_TEST

/* --- any fleet --- */

/* `wanted`, and for the machines that stay: their own rules, where it names none, are given as none. */
static struct fleet without_old_rules(const struct fleet *before, const struct fleet *wanted)
{
	struct fleet fleet = *wanted;
	fleet.roles = ARENA_ARRAY(arena, struct role, before->role_count + wanted->role_count);
	memcpy(fleet.roles, wanted->roles, wanted->role_count * sizeof *fleet.roles);
	for (size_t i = 0; i < before->role_count; i++) {
		struct str name = before->roles[i].name;
		if (fleet_machine(wanted, machine_of_role(name)) != NULL && fleet_role(wanted, name) == NULL)
			fleet.roles[fleet.role_count++] = (struct role){.name = name, .given = GIVEN_ALL};
	}
	struct error *errors = fleet_normalize(arena, &fleet);
	none(errors);
	return fleet;
}

START_TEST(pruning_makes_any_fleet_another)
{
	for (uint64_t seed = 0; seed < 150; seed++) {
		struct arena *outer = arena;
		struct rng rng = {seed};
		arena = arena_new();
		struct fleet before = random_fleet(arena, &rng, seed % 12),
			     after = random_fleet(arena, &rng, (seed * 7) % 12);
		struct fleet wanted = without_old_rules(&before, &after);
		struct plan plan = planned(&before, &wanted, &pruning);
		struct str difference = fleet_difference(arena, &plan.target, &after);
		ck_assert_msg(difference.n == 0, "seed %llu: %.*s", (unsigned long long)seed, STR_ARG(difference));
		struct plan again = planned(&plan.target, &wanted, &pruning);
		ck_assert_str_eq(plan_text(&again), "");
		arena_free(arena);
		arena = outer;
	}
}
END_TEST

START_TEST(importing_keeps_what_is_not_named)
{
	for (uint64_t seed = 500; seed < 600; seed++) {
		struct arena *outer = arena;
		struct rng rng = {seed};
		arena = arena_new();
		struct fleet before = random_fleet(arena, &rng, seed % 12),
			     after = random_fleet(arena, &rng, (seed * 5) % 12);
		struct plan plan = planned(&before, &after, &as_it_is);
		for (size_t i = 0; i < plan.count; i++)
			ck_assert_int_ne(plan.changes[i].sign, CHANGE_REMOVE);
		struct plan back = planned(&after, &plan.target, &as_it_is);
		struct str difference = fleet_difference(arena, &back.target, &plan.target);
		ck_assert_msg(difference.n == 0, "seed %llu: %.*s", (unsigned long long)seed, STR_ARG(difference));
		arena_free(arena);
		arena = outer;
	}
}
END_TEST

START_TEST(a_brief_plan_tells_the_same_objects)
{
	const struct import_options brief = {.prune = true, .brief = true};
	for (uint64_t seed = 700; seed < 740; seed++) {
		struct rng rng = {seed};
		struct fleet before = random_fleet(arena, &rng, seed % 12),
			     after = random_fleet(arena, &rng, (seed * 7) % 12);
		struct fleet wanted = without_old_rules(&before, &after);
		struct plan whole = planned(&before, &wanted, &pruning);
		struct plan told = planned(&before, &wanted, &brief);
		for (size_t i = 0; i < whole.count; i++)
			whole.changes[i].detail_count = 0;
		ck_assert_str_eq(plan_text(&told), plan_text(&whole));
		ck_assert_uint_eq(fleet_difference(arena, &told.target, &whole.target).n, 0);
	}
}
END_TEST

static Suite *plan_suite(void)
{
	Suite *suite = suite_create("plan");
	TCase *objects = tcase_create("objects"), *rows = tcase_create("csv"), *rules = tcase_create("rules"),
	      *any = tcase_create("any");
	tcase_add_checked_fixture(objects, arena_setup, arena_teardown);
	tcase_add_test(objects, new_objects_have_the_defaults);
	tcase_add_test(objects, new_objects_are_told_whole);
	tcase_add_test(objects, what_is_absent_is_left_alone);
	tcase_add_test(objects, what_is_given_replaces);
	tcase_add_test(objects, lists_that_are_given_empty_are_emptied);
	tcase_add_test(objects, a_rule_keeps_its_row_while_its_text_stays);
	tcase_add_test(objects, pruning_takes_what_is_not_named);
	tcase_add_test(objects, own_rules_stay_with_their_machine);
	tcase_add_test(objects, memberships_go_with_a_pruned_role);
	tcase_add_test(objects, builtin_services_stay_until_they_are_changed);
	tcase_add_test(objects, what_is_used_does_not_go);
	tcase_add_test(objects, many_users_are_counted);
	tcase_add_test(objects, unknown_names_are_refused_all_at_once);
	tcase_add_checked_fixture(rows, arena_setup, arena_teardown);
	tcase_add_test(rows, members_are_those_of_the_roles_and_machines_that_are_named);
	tcase_add_test(rows, without_members_nothing_moves);
	tcase_add_test(rows, pruning_takes_memberships_that_are_not_named);
	tcase_add_test(rows, pruning_takes_all_memberships_that_the_file_lacks);
	tcase_add_test(rows, rows_about_what_does_not_exist_are_refused);
	tcase_add_test(rows, own_rules_come_as_rows_too);
	tcase_add_test(rows, columns_that_a_file_lacks_are_left_alone);
	tcase_add_checked_fixture(rules, arena_setup, arena_teardown);
	tcase_add_test(rules, rules_are_added);
	tcase_add_test(rules, rules_are_added_to_machines);
	tcase_add_test(rules, rules_are_added_only_to_what_exists);
	suite_add_tcase(suite, objects);
	suite_add_tcase(suite, rows);
	tcase_add_checked_fixture(any, arena_setup, arena_teardown);
	tcase_add_test(any, pruning_makes_any_fleet_another);
	tcase_add_test(any, importing_keeps_what_is_not_named);
	tcase_add_test(any, a_brief_plan_tells_the_same_objects);
	tcase_set_timeout(any, 30);
	suite_add_tcase(suite, rules);
	suite_add_tcase(suite, any);
	return suite;
}

int main(void)
{
	return suite_main(plan_suite());
}
