/* Loads what was rendered with the stock tools, as an administrator would by hand: the sets, then the rules. */
#include <stdio.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/process.h"
#include "kernel.h"

static const char *program(struct arena *arena, const char *family, const char *infix, const char *suffix)
{
	return str_c(arena, str_format(arena, "%s%s%s", family, infix, suffix));
}

struct backend backend_of(struct arena *arena, const char *infix)
{
	return (struct backend){
		.restore = {program(arena, "iptables", infix, "-restore"),
	                    program(arena, "ip6tables", infix, "-restore")},
		.iptables = {program(arena, "iptables", infix, ""), program(arena, "ip6tables", infix, "")},
	};
}

static const char empty[] = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";

bool backend_enter(const struct backend *backend)
{
	const char *why = netns_enter();
	struct arena *scratch = arena_new();
	bool works = why == NULL;

	for (int family = 0; family < 2 && works; family++)
		works = process_exists(backend->restore[family]) &&
		        run_status(scratch, (const char *const[]){backend->restore[family], NULL}, str_of(empty)) == 0;
	if (why != NULL)
		printf("SKIP %s: no network namespace can be made here: %s\n", backend->iptables[0], why);
	else if (!works)
		printf("SKIP %s: this backend does not work here\n", backend->iptables[0]);
	arena_free(scratch);
	return works;
}

void load_sets(struct arena *arena, const struct output *output)
{
	struct buf all = buf_new(arena);

	for (size_t i = 0; i < output->set_count; i++)
		buf_add(&all, output->sets[i].bytes);
	if (all.n > 0)
		run(arena, (const char *const[]){"ipset", "-exist", "restore", NULL}, buf_str(&all));
}

void load_nothing(struct arena *arena, const struct backend *backend)
{
	for (int family = 0; family < 2; family++)
		run(arena, (const char *const[]){backend->restore[family], NULL}, str_of(empty));
}

static void load_beside(struct arena *arena, const char *restore, const char *iptables, struct str rules)
{
	run(arena, (const char *const[]){restore, "--noflush", NULL}, rules);
	run(arena, (const char *const[]){iptables, "-I", "INPUT", "1", "-j", "fleetwall-input", NULL}, STR(""));
	run(arena, (const char *const[]){iptables, "-I", "OUTPUT", "1", "-j", "fleetwall-output", NULL}, STR(""));
}

void load_ruleset(struct arena *arena, const struct backend *backend, const struct ruleset *ruleset)
{
	bool beside = ruleset->mode == MODE_COEXIST || ruleset->enforcement == ENFORCEMENT_MONITOR;

	if (beside)
		load_nothing(arena, backend);
	for (int family = 0; family < 2; family++) {
		if (beside)
			load_beside(arena, backend->restore[family], backend->iptables[family], ruleset->rules[family]);
		else
			run(arena, (const char *const[]){backend->restore[family], NULL}, ruleset->rules[family]);
	}
}
