/* Any bytes as a rules file, read by the guard against lock-outs in each mode: findings are the guard's, with places
 * inside of the text; and a file whose chain begins by dropping everything never passes. */
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static struct error *ask(struct arena *arena, struct str rules, enum mode mode, enum enforcement enforcement)
{
	struct machine machine = {.name = STR("m")};
	struct ruleset ruleset = {
		.rules = {rules, rules},
		.mode = mode,
		.enforcement = enforcement,
		.ssh_port = 22,
		.example = &machine,
	};
	struct ruleset *rulesets[] = {&ruleset};
	struct machine_ruleset machines[] = {{&machine, &ruleset}};
	struct output output = {.rulesets = rulesets, .ruleset_count = 1, .machines = machines, .machine_count = 1};
	struct prefix sources[2];
	struct settings settings = {.management = sources, .management_count = 2};

	demand(prefix_parse(STR("192.0.2.0/24"), &sources[0]) == PREFIX_OK);
	demand(prefix_parse(STR("2001:db8::/32"), &sources[1]) == PREFIX_OK);
	struct error *error = guard_lockout(arena, &output, &settings);

	for (const struct error *e = error; e != NULL; e = e->next)
		demand(e->kind == ERROR_GUARD && e->message.n > 0 && e->hint.n > 0 && e->place.line <= rules.n + 1);
	return error;
}

/* At the start of its chain, wherever the rest begins. */
static struct str dropping_first(struct arena *arena, struct str rules, const char *chain)
{
	return str_format(arena, "-A %s -j DROP\n%.*s", chain, STR_ARG(rules));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rules = {(const char *)data, size};
	struct arena *arena = arena_new();

	(void)!ask(arena, rules, MODE_EXCLUSIVE, ENFORCEMENT_ENFORCE);
	(void)!ask(arena, rules, MODE_COEXIST, ENFORCEMENT_ENFORCE);
	(void)!ask(arena, rules, MODE_COEXIST, ENFORCEMENT_MONITOR);
	demand(ask(arena, dropping_first(arena, rules, "INPUT"), MODE_EXCLUSIVE, ENFORCEMENT_ENFORCE) != NULL);
	demand(ask(arena, dropping_first(arena, rules, "fleetwall-input"), MODE_COEXIST, ENFORCEMENT_ENFORCE) != NULL);
	demand(ask(arena, dropping_first(arena, rules, "x"), MODE_COEXIST, ENFORCEMENT_MONITOR) != NULL);
	arena_free(arena);
	error_forget_all();
	return 0;
}
