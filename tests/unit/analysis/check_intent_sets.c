/* Names and addresses of the sets that rules need, and positions: who is in the same, and what tells them apart. */
#include <check.h>

#include "intent_fixture.h"
#include "suite_main.h"

static const char *set_text(const char *name, enum family family)
{
	const struct addr_set *set = intent_set(intent, str_of(name), family);
	struct buf buf = buf_new(fixture_arena);

	if (set == NULL)
		return "(none)";
	for (size_t i = 0; i < set->count; i++) {
		struct addr first = {set->ranges[i].first, family}, last = {set->ranges[i].last, family};

		buf_add(&buf, i == 0 ? STR("") : STR(" "));
		addr_print(&buf, first);
		if (first.bits == last.bits)
			continue;
		buf_char(&buf, '-');
		addr_print(&buf, last);
	}
	return str_c(fixture_arena, buf_str(&buf));
}

/* The digits are what `printf 'allow\0role:client' | sha256sum` prints. */
static const struct {
	const char *name, *four, *six;
} sets[] = {
	/* allow role:client: no disabled machine; deny role:client: all */
	{"client-17ab6d817821", "10.0.0.9 10.1.0.1 10.1.0.3 198.51.100.1", ""},
	{"client-94a03a1ff838", "10.0.0.9 10.1.0.1-10.1.0.3 198.51.100.1", ""},
	{"client-47de98c58d36", "10.1.0.1", ""}, /* allow role:client/private */
	{"peers-7cf987ba8d37", "10.0.0.6", "fd00::6"}, /* allow role:peers: self */
	{"own1-7c51665ab5dc", "10.0.0.11", ""}, /* allow machine:own1: self in its own role, and by name */
	{"world-0874e7b30b14", "0.0.0.0-255.255.255.255", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	{"empty-f733af35fc8c", "", ""},  /* allow network:empty */
	{"nobody-0515b085412b", "", ""}, /* allow role:nobody */
	{"nobody-b7c758b04d05", "", ""}, /* deny role:nobody, for a rule that rejects */
	{"sleeper-dc0c2a53e873", "10.1.0.2", ""}, /* deny machine:sleeper */
	{"sleeper-cc8f4e4e526c", "", ""},         /* allow machine:sleeper */
	{"selected-c4cb9ed274d5", "10.0.0.9", ""},
	{"list-2b63dcf7c643", "192.0.2.3-192.0.2.9", "(none)"}, /* allow 192.0.2.3-192.0.2.9 */
	/* no rule needs them: another name before the digits, other digits, only one prefix a family */
	{"nothing-17ab6d817821", "(none)", "(none)"},
	{"client-17ab6d817822", "(none)", "(none)"},
	{"list-d4d5fbd203ad", "(none)", "(none)"},
};

START_TEST(sets_have_names)
{
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		ck_assert_msg(str_is(str_of(set_text(sets[i].name, FAMILY_4)), sets[i].four), "%s: %s", sets[i].name,
		              set_text(sets[i].name, FAMILY_4));
		ck_assert_msg(str_is(str_of(set_text(sets[i].name, FAMILY_6)), sets[i].six), "%s: %s", sets[i].name,
		              set_text(sets[i].name, FAMILY_6));
	}
}
END_TEST

/* --- positions --- */

static const char *position(const char *machine)
{
	return str_c(fixture_arena, intent_position(intent, place_of(machine)));
}

START_TEST(the_same_position)
{
	/* The role that everybody has says nothing, and 22 is the configured port. */
	ck_assert_str_eq(position("web1"), position("twin1"));
	ck_assert_ptr_eq(intent_position(intent, place_of("web1")).p, intent_position(intent, place_of("twin1")).p);
	ck_assert_str_ne(position("web1"), position("web2"));
	ck_assert_str_ne(position("web1"), position("guest"));
	ck_assert_str_ne(position("web1"), position("strict1"));
	ck_assert_str_ne(position("plain1"), position("tight1"));
	ck_assert_str_eq(position("foreign"), "");
	ck_assert_str_eq(position("sleeper"), "");
}
END_TEST

/* As they were before the change. */
static const char **noted;

static void note(void)
{
	noted = ARENA_ARRAY(fixture_arena, const char *, fleet.machine_count);
	intent = intent_new(fixture_arena, &fleet, &settings);
	for (size_t i = 0; i < fleet.machine_count; i++)
		noted[i] = str_c(fixture_arena, intent_position(intent, i));
}

/* The text is compared between runs: it tells what changed, and nothing of members. */
static void changed(const char *what, const char *const *machines)
{
	const char **before = noted;

	note();
	for (size_t i = 0; i < fleet.machine_count; i++) {
		bool expected = false;

		for (size_t j = 0; machines[j] != NULL; j++)
			expected = expected || str_is(fleet.machines[i].name, machines[j]);
		ck_assert_msg(str_is(str_of(before[i]), noted[i]) != expected, "%s: %.*s: %s, %s", what,
		              STR_ARG(fleet.machines[i].name), before[i], noted[i]);
	}
}
#define CHANGED(what, ...) changed(what, (const char *const[]){__VA_ARGS__})

static struct role *role(const char *name)
{
	return &fleet.roles[fleet_role(&fleet, str_of(name)) - fleet.roles];
}

START_TEST(what_positions_depend_on)
{
	struct service *two = &fleet.services[fleet_service(&fleet, STR("two")) - fleet.services];

	note();
	CHANGED("nothing", NULL);
	fleet.machines[place_of("client1")].address_count = 1;
	CHANGED("a peer's addresses", NULL);
	fleet.networks[0].prefix_count = 0;
	CHANGED("a network", NULL);
	two->ports[0].ports[0].last++;
	CHANGED("a service", "guest", "shared", "strict1", "twin1", "watched", "web1", "web2", NULL);
	role("strict")->rules[0].enabled = false;
	CHANGED("a rule", "closed1", "shared", "strict1", "watched", NULL);
	role("peers")->egress = EGRESS_CLOSED;
	CHANGED("egress", "peers1", NULL);
	settings.ssh_port = 23;
	note();
	settings.ssh_port = 2222;
	CHANGED("the port, of all but one of its own", "client1", "clauses1", "closed1", "guest", "open1", "own1",
	        "peers1", "plain1", "shared", "strict1", "tight1", "watched", "web1", NULL);
	fleet.clock++;
	CHANGED("the clock, where there are times", "clauses1", "watched", NULL);
	fleet.machines[place_of("web1")].mode = MODE_COEXIST;
	CHANGED("mode", "web1", NULL);
	fleet.machines[place_of("web1")].enforcement = ENFORCEMENT_MONITOR;
	CHANGED("enforcement", "web1", NULL);
	fleet.machines[place_of("web1")].enabled = false;
	CHANGED("enabled", "web1", NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("intent_sets");
	TCase *tcase = tcase_create("sets");

	tcase_add_checked_fixture(tcase, intent_set_up, intent_tear_down);
	tcase_add_test(tcase, sets_have_names);
	tcase_add_test(tcase, the_same_position);
	tcase_add_test(tcase, what_positions_depend_on);
	suite_add_tcase(suite, tcase);
	return suite_main(suite);
}
