/* Real fleets in a real database, in and back. They are not part of this repository: where they are missing, this says
 * so and skips. */
#include <stdio.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "importing.h"

#define FLEETS "../shared/fleets"

static void folder_comes_back(const char *folder, size_t machines)
{
	struct csv_file *files;
	size_t count;
	struct fleet wanted;
	struct error *warnings = NULL;
	must(csv_folder_read(arena, str_of(folder), &files, &count, &warnings));
	must(csv_read(arena, files, count, &wanted, &warnings));
	imports(&wanted, &as_it_is);
	struct fleet fleet = loaded();
	ck_assert_uint_eq(fleet.machine_count, machines);
	imports(&wanted, &pruning);
	comes_back_elsewhere(exported(&fleet));
}

START_TEST(opendev_comes_back)
{
	folder_comes_back(FLEETS "/opendev", 159);
}
END_TEST

START_TEST(fedora_infra_comes_back)
{
	folder_comes_back(FLEETS "/fedora-infra", 443);
}
END_TEST

int main(void)
{
	if (access(FLEETS "/opendev", R_OK) != 0 || access(FLEETS "/fedora-infra", R_OK) != 0) {
		puts("the real fleets of " FLEETS " are not there");
		return 77;
	}
	Suite *suite = suite_create("inventory_real");
	TCase *cases = tcase_create("inventory_real");
	tcase_add_checked_fixture(cases, postgres_setup, postgres_teardown);
	tcase_add_test(cases, opendev_comes_back);
	tcase_add_test(cases, fedora_infra_comes_back);
	tcase_set_timeout(cases, 120);
	suite_add_tcase(suite, cases);
	return postgres_main(suite, NULL);
}
