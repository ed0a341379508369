/* Documents that have owners: what becomes theirs, what they may not touch, what --prune spares. */
#include <check.h>
#include <string.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "fleetwall/inventory.h"

#include "suite_main.h"

static const struct import_options as_it_is, pruning = {.prune = true}, everything = {.prune = true, .every = true};

static struct fleet document(const char *text)
{
	struct error *warnings = NULL, *errors;
	struct fleet fleet;

	errors = document_read(arena, STR("test.conf"), str_of(text), &fleet, &warnings);
	none(errors);
	return fleet;
}

static struct plan planned(const struct fleet *present, const struct fleet *wanted,
                           const struct import_options *options)
{
	struct plan plan;
	struct error *errors = inventory_plan(arena, present, wanted, options, &plan);

	none(errors);
	return plan;
}

/* What importing this makes of the fleet; importing it again changes nothing. */
static struct fleet after(struct fleet present, const char *text, const struct import_options *options,
                          const char *expected)
{
	struct fleet wanted = document(text);
	struct plan plan = planned(&present, &wanted, options), again = planned(&plan.target, &wanted, options);
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < plan.count; i++) {
		const struct change *change = &plan.changes[i];
		buf_format(&buf, "%c %s %.*s", (char)change->sign, change->kind, STR_ARG(change->name));
		for (size_t detail = 0; detail < change->detail_count; detail++)
			buf_format(&buf, "; %.*s", STR_ARG(change->details[detail]));
		buf_char(&buf, '\n');
	}
	ck_assert_str_eq(str_c(arena, buf_str(&buf)), expected);
	ck_assert_uint_eq(again.count, 0);
	return plan.target;
}

static void refused(struct fleet present, const char *text, const struct import_options *options, size_t count,
                    const char *expected)
{
	struct fleet wanted = document(text);
	struct plan plan;
	struct error *errors = inventory_plan(arena, &present, &wanted, options, &plan);
	size_t found = 0;

	for (const struct error *error = errors; error != NULL; error = error->next)
		found++;
	ck_assert_msg(found == count, "%zu errors, not %zu: %s", found, count, printed(errors));
	ck_assert_msg(strstr(printed(errors), expected) != NULL, "%s", printed(errors));
}

static const char *const base =
	"owner = \"base\";\n"
	"networks = ( { name = \"office\"; prefixes = [ \"203.0.113.0/24\" ]; } );\n"
	"services = ( { name = \"search\"; ports = [ \"9200/tcp\" ]; } );\n"
	"roles = ( { name = \"admin\"; rules = [ \"allow 22/tcp from network:office\" ]; }, { name = \"spare\"; } );\n"
	"machines = ( { name = \"jump\"; roles = [ \"admin\" ]; rules = [ \"allow 80/tcp\" ]; } );\n";
static const char *const shop =
	"owner = \"Shop\";\n"
	"roles = ( { name = \"web\"; rules = [ \"allow search from role:admin, network:office\" ]; }, { name = "
	"\"admin\"; } );\n"
	"machines = ( { name = \"web1\"; roles = [ \"web\", \"admin\" ]; }, { name = \"web2\"; } );\n";

/* Both documents, and what nobody owns. */
static struct fleet company(void)
{
	struct fleet fleet = {0};

	fleet = after(fleet, base, &as_it_is,
	              "+ network office; document + base; prefix + 203.0.113.0/24\n"
	              "+ service search; document + base; ports + 9200/tcp\n"
	              "+ role admin; document + base; rule + allow 22/tcp from network:office\n"
	              "+ role machine:jump; rule + allow 80/tcp\n"
	              "+ role spare; document + base\n"
	              "+ machine jump; document + base; role + admin\n");
	fleet = after(fleet, shop, &pruning,
	              "+ role web; document + shop; rule + allow search from network:office, role:admin\n"
	              "+ machine web1; document + shop; role + admin; role + web\n"
	              "+ machine web2; document + shop\n");
	return after(fleet,
	             "networks = ( { name = \"free\"; } ); roles = ( { name = \"loose\"; } ); machines = ( { name = "
	             "\"own\"; roles = [ \"loose\", \"web\" ]; } );",
	             &as_it_is, "+ network free\n+ role loose\n+ machine own; role + loose; role + web\n");
}

START_TEST(pruning_spares_what_others_own)
{
	struct fleet fleet = company();

	fleet = after(fleet, shop, &pruning, "");
	fleet = after(fleet,
	              "owner = \"base\"; networks = ( { name = \"office\"; } ); services = ( { name = \"search\"; } ); "
	              "roles = ( { name = \"admin\"; } );",
	              &pruning, "- role machine:jump\n- role spare\n- machine jump\n");
	fleet = after(fleet, "", &pruning, "- network free\n- role loose\n- machine own\n");
	fleet = after(fleet, "owner = \"shop\";", &pruning, "- role web\n- machine web1\n- machine web2\n");
	fleet = after(fleet, "owner = \"nobody\";", &pruning, "");
	after(fleet, "owner = \"base\";", &pruning, "- network office\n- service search\n- role admin\n");
}
END_TEST

START_TEST(what_nobody_owns_becomes_the_documents)
{
	struct fleet fleet = company();

	fleet = after(
		fleet,
		"owner = \"late\"; machines = ( { name = \"own\"; } ); networks = ( { name = \"free\"; prefixes = "
		"[ \"10.0.0.0/8\" ]; } );",
		&as_it_is, "~ network free; document + late; prefix + 10.0.0.0/8\n~ machine own; document + late\n");
	refused(fleet, "", &pruning, 1, "the role 'loose' would go, but is still used by machine own");
	after(fleet, "owner = \"late\";", &pruning, "- network free\n- machine own\n");
}
END_TEST

START_TEST(a_role_that_anothers_machine_has_stays)
{
	struct fleet fleet = company();

	refused(fleet,
	        "owner = \"base\"; networks = ( { name = \"office\"; } ); services = ( { name = \"search\"; } );",
	        &pruning, 1, "the role 'admin' would go, but is still used by machine web1, role web: 'allow search");
	/* The machine that nobody owns loses the membership with the role. */
	fleet = after(fleet,
	              "owner = \"shop\"; machines = ( { name = \"web1\"; roles = [ ]; }, { name = \"web2\"; } );",
	              &pruning, "- role web\n~ machine own; role - web\n~ machine web1; role - admin; role - web\n");
	after(fleet, "owner = \"base\";", &pruning,
	      "- network office\n- service search\n- role admin\n- role machine:jump\n- role spare\n- machine jump\n");
}
END_TEST

START_TEST(fields_of_anothers_are_refused)
{
	static const char *const one[] = {
		"machines = ( { name = \"jump\"; enabled = false; } );",
		"machines = ( { name = \"jump\"; rules = [ ]; } );",
		"roles = ( { name = \"admin\"; rules = [ ]; } );",
		"networks = ( { name = \"office\"; prefixes = [ ]; } );",
		"services = ( { name = \"search\"; ports = [ \"9200/tcp\" ]; } );",
	};
	struct fleet fleet = company(), wanted;

	for (size_t i = 0; i < sizeof one / sizeof *one; i++) {
		refused(fleet, str_c(arena, str_format(arena, "owner = \"shop\";\n%s", one[i])), &as_it_is, 1,
		        "belongs to the document of 'base', not to that of 'shop'");
		/* Its owner may, and who has none. */
		wanted = document(one[i]);
		planned(&fleet, &wanted, &as_it_is);
		wanted = document(str_c(arena, str_format(arena, "owner = \"base\";\n%s", one[i])));
		planned(&fleet, &wanted, &as_it_is);
	}
	refused(fleet,
	        "owner = \"shop\"; networks = ( { name = \"office\"; prefixes = [ ]; } ); roles = ( { name = "
	        "\"spare\"; "
	        "owner = \"me\"; } );",
	        &as_it_is, 2, "'shop' may refer to it, and name it without fields; 'base' says what it is");
	refused(fleet, "owner = \"shop\";\nmachines = (\n  { name = \"jump\"; mode = \"coexist\"; } );", &as_it_is, 1,
	        "test.conf:3:");
}
END_TEST

START_TEST(services_that_came_with_the_schema_are_nobodys)
{
	struct fleet fleet = {0};
	struct service_port port = {.protocol = 6, .ports = &(struct port_range){3306, 3306}, .port_count = 1};
	struct service mysql = {
		.name = STR("mysql"), .given = GIVEN_ALL, .builtin = true, .ports = &port, .count = 1};

	fleet.services = &mysql;
	fleet.service_count = 1;
	fleet = after(fleet, "owner = \"shop\"; services = ( { name = \"mysql\"; ports = [ \"3306/tcp\" ]; } );",
	              &pruning, "");
	ck_assert_uint_eq(fleet.services[0].document.n, 0);
	fleet = after(fleet, "owner = \"shop\"; services = ( { name = \"mysql\"; ports = [ \"3307/tcp\" ]; } );",
	              &pruning, "~ service mysql; document + shop; ports 3306/tcp -> 3307/tcp\n");
	after(fleet, "owner = \"shop\";", &pruning, "- service mysql\n");
}
END_TEST

START_TEST(the_whole_inventory_says_who_owns_what)
{
	struct fleet fleet = company(), wanted = fleet;
	struct plan plan;

	wanted.machines = ARENA_ARRAY(arena, struct machine, fleet.machine_count);
	memcpy(wanted.machines, fleet.machines, fleet.machine_count * sizeof *fleet.machines);
	wanted.machines[0].document = STR("");
	wanted.machines[1].document = STR("base");
	wanted.machine_count = 3;
	plan = planned(&fleet, &wanted, &everything);
	ck_assert_uint_eq(plan.count, 3);
	ck_assert_uint_eq(plan.target.machines[0].document.n, 0);
	ck_assert(str_is(plan.target.machines[1].document, "base"));
	ck_assert(plan.changes[2].sign == CHANGE_REMOVE && str_is(plan.changes[2].name, "web2"));
}
END_TEST

static const char *written(const struct fleet *fleet)
{
	struct buf buf = buf_new(arena);

	document_write(&buf, fleet);
	return str_c(arena, buf_str(&buf));
}

START_TEST(a_part_is_its_owners_document)
{
	struct fleet fleet = company(), part, again;
	struct error *error = document_part(arena, &fleet, STR("base"), &part);

	ck_assert(error == NULL);
	ck_assert_uint_eq(part.machine_count + part.network_count + part.service_count, 3);
	ck_assert_uint_eq(part.role_count, 3);
	again = document(written(&part));
	ck_assert(str_is(again.owner, "base"));
	ck_assert_str_eq(written(&again), written(&part));
	after(fleet, written(&part), &pruning, "");
	ck_assert(strncmp(written(&part), "owner = \"base\";\n", 16) == 0);
	ck_assert_ptr_null(strstr(written(&fleet), "owner = \"base\""));

	error = document_part(arena, &fleet, STR("shpo"), &part);
	ck_assert(error != NULL && error->kind == ERROR_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(printed(error), "did you mean \"shop\"?"));
}
END_TEST

START_TEST(owners_are_names)
{
	static const char *const bad[] = {"owner = \"\";", "owner = \"two words\";", "owner = 3;", "owner = ( );",
	                                  "owner = \"a\"; owner = \"a\";"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct error *warnings = NULL;
		struct fleet fleet;
		ck_assert_msg(document_read(arena, STR("x"), str_of(bad[i]), &fleet, &warnings) != NULL, "%s", bad[i]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan owners");
	TCase *tests = tcase_create("owners");

	tcase_add_checked_fixture(tests, arena_setup, arena_teardown);
	tcase_add_test(tests, pruning_spares_what_others_own);
	tcase_add_test(tests, what_nobody_owns_becomes_the_documents);
	tcase_add_test(tests, a_role_that_anothers_machine_has_stays);
	tcase_add_test(tests, fields_of_anothers_are_refused);
	tcase_add_test(tests, services_that_came_with_the_schema_are_nobodys);
	tcase_add_test(tests, the_whole_inventory_says_who_owns_what);
	tcase_add_test(tests, a_part_is_its_owners_document);
	tcase_add_test(tests, owners_are_names);
	suite_add_tcase(suite, tests);
	return suite_main(suite);
}
