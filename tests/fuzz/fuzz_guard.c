/* Any bytes as a rules file, read by the guard against lock-outs in each mode: findings are the guard's, with places
 * inside of the text; and a file whose chain begins by dropping everything never passes. */
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static bool has(struct str text, const char *part)
{
	return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

/* The same ruleset twice: what is remembered of the first must not change the answer. Is it locked out? */
static bool ask(struct arena *arena, struct str rules, enum mode mode, enum enforcement enforcement)
{
	struct machine machine = {.name = STR("m")};
	struct ruleset ruleset = {
		.rules = {rules, rules},
		.mode = mode,
		.enforcement = enforcement,
		.ssh_port = 22,
		.example = &machine,
		.machines = 1,
	};
	struct prefix sources[2];
	struct settings settings = {.management = sources, .management_count = 2};
	size_t found = 0, lockouts = 0;

	demand(prefix_parse(STR("192.0.2.0/24"), &sources[0]) == PREFIX_OK);
	demand(prefix_parse(STR("2001:db8::/32"), &sources[1]) == PREFIX_OK);
	struct guards *guards = guards_new(arena, &settings, 1);

	guards_ruleset(guards, 0, &ruleset);
	guards_ruleset(guards, 0, &ruleset);
	for (const struct error *e = guards_findings(guards); e != NULL; e = e->next) {
		demand(e->kind == ERROR_GUARD && e->message.n > 0 && e->hint.n > 0 && e->place.line <= rules.n + 1);
		found++;
		lockouts += has(e->message, "would not let the management source") ||
		            has(e->message, "is only monitored");
	}
	demand(found % 2 == 0 && lockouts % 2 == 0);
	guards_free(guards);
	return lockouts > 0;
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

	(void)ask(arena, rules, MODE_EXCLUSIVE, ENFORCEMENT_ENFORCE);
	(void)ask(arena, rules, MODE_COEXIST, ENFORCEMENT_ENFORCE);
	(void)ask(arena, rules, MODE_COEXIST, ENFORCEMENT_MONITOR);
	demand(ask(arena, dropping_first(arena, rules, "INPUT"), MODE_EXCLUSIVE, ENFORCEMENT_ENFORCE));
	demand(ask(arena, dropping_first(arena, rules, "fleetwall-input"), MODE_COEXIST, ENFORCEMENT_ENFORCE));
	demand(ask(arena, dropping_first(arena, rules, "x"), MODE_COEXIST, ENFORCEMENT_MONITOR));
	arena_free(arena);
	error_forget_all();
	return 0;
}
