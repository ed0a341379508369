/* Reads the fleet and begins the space of packets; ends both. */
#include "intent_fixture.h"

#include <check.h>

#include "fleetwall/document.h"

#define DOCUMENT "tests/unit/analysis/intent.conf"

struct arena *fixture_arena;
struct fleet fleet;
struct settings settings;
struct intent *intent;

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;

	ck_assert_int_eq(prefix_parse(str_of(text), &prefix), PREFIX_OK);
	return prefix;
}

void intent_set_up(void)
{
	static struct prefix management[2];
	struct error *warnings = NULL, *error;
	struct str text = {0};
	struct buf faults;

	fixture_arena = arena_new();
	error = file_read(fixture_arena, STR(DOCUMENT), &text);
	if (error == NULL)
		error = document_read(fixture_arena, STR(DOCUMENT), text, &fleet, &warnings);
	if (error == NULL)
		error = fleet_check(fixture_arena, &fleet, NULL);
	faults = buf_new(fixture_arena);
	error_print(&faults, STR(""), error);
	buf_char(&faults, '\0');
	ck_assert_msg(error == NULL, "%s", faults.p);
	fleet.clock = 1767225600;
	management[0] = prefix_of("192.0.2.128/25");
	management[1] = prefix_of("2001:db8:f::/64");
	settings = settings_default();
	settings.management = management;
	settings.management_count = 2;
	packets_begin();
	intent = intent_new(fixture_arena, &fleet, &settings);
}

void intent_tear_down(void)
{
	packets_end();
	arena_free(fixture_arena);
	error_forget_all();
}

size_t place_of(const char *machine)
{
	const struct machine *found = fleet_machine(&fleet, str_of(machine));

	ck_assert_msg(found != NULL, "no machine %s", machine);
	return (size_t)(found - fleet.machines);
}

const char *outcome_of(const struct intended *intended, const struct sample *packet)
{
	const struct {
		const char *name;
		struct packets set;
	} outcomes[] = {{"accepted", intended->accepted}, {"passed", intended->passed},
	                {"dropped", intended->dropped},   {"reset", intended->reset},
	                {"rejected", intended->rejected}};
	const char *found = NULL;

	for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
		if (!packets_have(outcomes[i].set, packet))
			continue;
		ck_assert_msg(found == NULL, "a packet that is %s and %s", found, outcomes[i].name);
		found = outcomes[i].name;
	}
	ck_assert_msg(found != NULL, "a packet that nothing becomes of");
	if (!packets_have(intended->watched, packet))
		return found;
	ck_assert_msg(str_is(str_of(found), "passed"), "a packet that is watched and %s", found);
	return "watched";
}
