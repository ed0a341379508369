/* Set files against what the inventory wants of them: what is the same however it is spelled, and what is not, with the
 * address that shows it. valgrind-apart: large sets. */
#include <check.h>

#include "fleetwall/verify.h"
#include "intent_fixture.h"
#include "suite_main.h"

#define NAME "client-94a03a1ff838" /* deny role:client: 10.0.0.9 10.1.0.1-10.1.0.3 198.51.100.1 */
#define CREATE(name) "create fw4-" name " hash:net family inet maxelem 4294967295\n"
#define BEGIN CREATE(NAME) CREATE(NAME ".n") "flush fw4-" NAME ".n\n"
#define ADD(member) "add fw4-" NAME ".n " member "\n"
#define SWAP "swap fw4-" NAME " fw4-" NAME ".n\n"
#define DESTROY "destroy fw4-" NAME ".n\n"
#define MEMBERS ADD("10.0.0.9") ADD("10.1.0.1") ADD("10.1.0.2/31") ADD("198.51.100.1")

/* "same"; otherwise what is said of it. */
static const char *told(const char *file, const char *text)
{
	struct verifier *verifier = verifier_new(fixture_arena, &fleet, &settings, STR("test"));
	struct verify_findings findings = {0};
	struct verify_set set;

	verify_set_begin(fixture_arena, verifier, str_of(file), &set);
	verify_set_read(fixture_arena, &set, str_of(text));
	verify_set_end(fixture_arena, verifier, &set, &findings);
	verifier_free(verifier);
	ck_assert_uint_eq(findings.count, !set.same);
	return set.same ? "same" : str_c(fixture_arena, findings.items[0].why);
}

static void tells(const char *text, const char *part)
{
	const char *said = told(NAME ".v4", text);

	ck_assert_msg(strstr(said, part) != NULL, "%s: %s", text, said);
}

START_TEST(the_same_in_other_words)
{
	tells(BEGIN MEMBERS SWAP DESTROY, "same");
	tells(BEGIN ADD("198.51.100.1") ADD("10.1.0.3") ADD("10.1.0.2") ADD("10.1.0.1") ADD("10.0.0.9") SWAP DESTROY,
	      "same");
	tells(BEGIN MEMBERS ADD("10.1.0.1") SWAP DESTROY, "same");
	tells(BEGIN MEMBERS "del fw4-" NAME ".n 10.1.0.7\n" SWAP DESTROY, "same");
	tells(BEGIN ADD("192.0.2.1") "flush fw4-" NAME ".n\n" MEMBERS SWAP DESTROY, "same");
	tells(CREATE(NAME) "add fw4-" NAME " 10.0.0.9\nadd fw4-" NAME " 10.1.0.1\nadd fw4-" NAME
	      " 10.1.0.2/31\nadd fw4-" NAME " 198.51.100.1\n", "same");
}
END_TEST

START_TEST(other_members)
{
	tells(BEGIN ADD("10.0.0.9") ADD("10.1.0.1") ADD("198.51.100.1") SWAP DESTROY, "lacks 10.1.0.2");
	tells(BEGIN MEMBERS ADD("198.51.100.2") SWAP DESTROY, "holds 198.51.100.2, which is no member");
	tells(BEGIN ADD("10.0.0.8") ADD("10.1.0.1") ADD("10.1.0.2/31") ADD("198.51.100.1") SWAP DESTROY,
	      "lacks 10.0.0.9, and holds 10.0.0.8");
	tells(BEGIN ADD("10.0.0.9") ADD("10.1.0.0/30") ADD("198.51.100.1") SWAP DESTROY, "holds 10.1.0.0");
	tells(BEGIN SWAP DESTROY, "lacks 10.0.0.9");
	tells(BEGIN MEMBERS "flush fw4-" NAME ".n\n" SWAP DESTROY, "lacks 10.0.0.9");
	tells(BEGIN MEMBERS "del fw4-" NAME ".n 10.1.0.1\n" SWAP DESTROY, "lacks 10.1.0.1");
	tells(BEGIN MEMBERS SWAP DESTROY "flush fw4-" NAME "\n", "lacks 10.0.0.9");
}
END_TEST

START_TEST(other_sets)
{
	tells(BEGIN MEMBERS DESTROY, "lacks 10.0.0.9");
	tells(BEGIN MEMBERS SWAP, "exactly the set of its name");
	tells(BEGIN MEMBERS, "exactly the set of its name");
	tells(CREATE("other"), "exactly the set of its name");
	tells("", "exactly the set of its name");
	tells("create fw4-" NAME " hash:ip family inet maxelem 4294967295\n", "hash:net");
	tells(BEGIN MEMBERS "swap fw4-" NAME " fw4-other\n" DESTROY, "fw4-other");
	ck_assert_str_eq(told("client-17ab6d817822.v4", CREATE("client-17ab6d817822")), "same");
	ck_assert_str_eq(told("nobody-0515b085412b.v4", CREATE("nobody-0515b085412b")), "same");
	ck_assert_str_ne(told("nobody-0515b085412b.v6", CREATE("nobody-0515b085412b")), "same");
}
END_TEST

/* Members that find no room are lost, and ipset says so. */
START_TEST(no_room)
{
	tells("create fw4-" NAME " hash:net family inet maxelem 3\n" "create fw4-" NAME
	      ".n hash:net family inet maxelem 3\n" MEMBERS SWAP DESTROY, "full");
}
END_TEST

/* Each byte of a file that is right, changed: it is another file, or it can't be read, or it says the same. */
START_TEST(damage_is_no_surprise)
{
	static const char text[] = BEGIN MEMBERS SWAP DESTROY;
	static const char bytes[] = " \n0.a";

	for (size_t i = 0; i + 1 < sizeof text; i++)
		for (size_t k = 0; k + 1 < sizeof bytes; k++) {
			char *copy = str_c(fixture_arena, str_of(text));

			copy[i] = bytes[k];
			ck_assert_ptr_nonnull(told(NAME ".v4", copy));
		}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verify_sets");
	TCase *sets = tcase_create("sets");

	tcase_add_checked_fixture(sets, intent_set_up, intent_tear_down);
	tcase_add_test(sets, the_same_in_other_words);
	tcase_add_test(sets, other_members);
	tcase_add_test(sets, other_sets);
	tcase_add_test(sets, no_room);
	tcase_add_test(sets, damage_is_no_surprise);
	suite_add_tcase(suite, sets);

	return suite_main(suite);
}
