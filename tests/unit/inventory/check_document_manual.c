/* The examples of the manual page are true: each is read, and the references in it hold. */
#include <check.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"

#include "suite_main.h"

static struct error *warnings;

static void setup(void)
{
	warnings = NULL;
}

/* Everything that an example may refer to. */
static struct fleet known(void)
{
	struct fleet fleet;

	none(document_read(
		arena, STR("known"),
		STR("roles = ( { name = \"web\"; }, { name = \"monitor\"; } ); networks = ( { name = \"office\"; } );"
	            "machines = ( { name = \"db1\"; } ); services = ( { name = \"mysql\"; } );"),
		&fleet, &warnings));
	return fleet;
}

static void check_document(struct str text)
{
	struct fleet fleet, also = known();

	none(document_read(arena, STR("example"), text, &fleet, &warnings));
	none(fleet_check(arena, &fleet, &also));
}

static void check_csv(struct str text)
{
	struct csv_file files[] = {{STR("machines.csv"), STR("name\n")}, {STR("rules.csv"), text}};
	struct fleet fleet, also = known();

	none(csv_read(arena, files, 2, &fleet, &warnings));
	none(fleet_check(arena, &fleet, &also));
	ck_assert_uint_eq(fleet.role_count, 2);
}

static void check_rules(struct str text)
{
	struct role_rule *rules;
	size_t count;

	none(rules_read(arena, STR("example"), text, &rules, &count, &warnings));
	ck_assert_uint_eq(count, 2);
}

static void check_example(struct str text)
{
	if (str_starts(text, STR("role,")))
		check_csv(text);
	else if (str_starts(text, STR("DENY")))
		check_rules(text);
	else
		check_document(text);
}

START_TEST(the_examples_are_read)
{
	struct str page, rest, line;
	struct buf example = buf_new(arena);
	bool inside = false;
	size_t count = 0;

	none(file_read(arena, STR("packaging/man/fleetwall-document.5"), &page));
	rest = page;
	while (str_cut(&rest, '\n', &line)) {
		if (str_starts(line, STR(".Ed"))) {
			check_example(buf_str(&example));
			inside = false;
			count++;
		} else if (str_starts(line, STR(".Bd"))) {
			inside = true;
			example.n = 0;
		} else if (inside) {
			buf_add(&example, line);
			buf_char(&example, '\n');
		}
	}
	ck_assert_uint_eq(count, 6);
	ck_assert_ptr_null(warnings);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("document_manual");
	TCase *examples = tcase_create("examples");

	tcase_add_checked_fixture(examples, arena_setup, arena_teardown);
	tcase_add_checked_fixture(examples, setup, NULL);
	tcase_add_test(examples, the_examples_are_read);
	suite_add_tcase(suite, examples);
	return suite_main(suite);
}
