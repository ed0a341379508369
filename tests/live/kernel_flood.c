/* A flood from more sources than the kernel's table of a limit holds. A full table drops whatever reaches it, so nobody
 * may reach it whom another rule lets in, and what is only logged must not fill one. */
#include <stdio.h>

#include "fleetwall/arena.h"
#include "kernel.h"

#define OWN "10.9.0.1"
#define MANAGEMENT "192.0.2.201"
/* Eight times the 8,192 buckets that xt_hashlimit makes where there is a gigabyte of memory, and some more. */
#define FLOOD 66000
#define PART 11000 /* of it, at a time */
#define FIRST_SOURCE "198.18.0.0"
#define NEW_SOURCE "198.19.255.1"  /* not one of them */
#define KNOWN_SOURCE "203.0.113.9" /* whom a rule without a limit lets in */

/* By name, the role with the limit comes first. */
static const char document[] =
	"roles = (\n"
	"  { name = \"a-limited\"; rules = [ \"allow 53/udp limit 2/hour\", \"allow 99/udp limit 2/hour\" ]; },\n"
	"  { name = \"z-plain\"; rules = [ \"allow 53/udp from 203.0.113.0/24\", \"allow 123/udp\",\n"
	"      \"allow 443/udp log\" ]; } );\n"
	"machines = (\n"
	"  { name = \"alone\"; roles = [ \"a-limited\", \"z-plain\" ]; },\n"
	"  { name = \"beside\"; roles = [ \"a-limited\", \"z-plain\" ]; mode = \"coexist\"; },\n"
	"  { name = \"watched\"; roles = [ \"a-limited\", \"z-plain\" ]; enforcement = \"monitor\"; } );\n";

struct scene {
	struct arena *arena, *pass;
	struct trial *trial;
	struct judge *judge;
	struct backend backend;
	const char *machine;
	unsigned passed, failed;
};

static void check(struct scene *scene, bool right, const char *what)
{
	scene->passed += right;
	scene->failed += !right;
	if (!right)
		fprintf(stderr, "FAILED: %s: %s\n", scene->machine, what);
}

static struct addr addr_of(const char *text)
{
	struct addr addr;

	if (!addr_parse(str_of(text), &addr))
		die("bad address %s", text);
	return addr;
}

static struct probe packet(struct addr source, uint8_t protocol, uint16_t port)
{
	return (struct probe){
		.direction = DIRECTION_IN,
		.source = source,
		.destination = addr_of(OWN),
		.protocol = protocol,
		.port = port,
	};
}

static bool passes(struct scene *scene, const char *source, uint8_t protocol, uint16_t port)
{
	struct probe probe = packet(addr_of(source), protocol, port);

	judge_probes(scene->judge, &probe, 1);
	if (!probe.seen)
		die("the kernel did not carry a packet");
	return probe.passed;
}

/* One packet from each source; how many got through. */
static size_t flood(struct scene *scene, uint16_t port)
{
	struct addr first = addr_of(FIRST_SOURCE);
	struct probe *probes = ARENA_ARRAY(scene->pass, struct probe, PART);
	size_t passed = 0;

	for (size_t sent = 0; sent < FLOOD; sent += PART) {
		for (size_t i = 0; i < PART; i++) {
			probes[i] = packet(first, PROTOCOL_UDP, port);
			probes[i].source.bits += sent + i;
		}
		judge_probes(scene->judge, probes, PART);
		for (size_t i = 0; i < PART; i++)
			passed += probes[i].passed;
	}
	arena_reset(scene->pass);
	return passed;
}

static void load(struct scene *scene, const char *machine)
{
	scene->machine = machine;
	load_nothing(scene->arena, &scene->backend);
	load_ruleset(scene->arena, &scene->backend, trial_ruleset_of(scene->trial, machine));
}

static void test_full_table(struct scene *scene)
{
	check(scene, passes(scene, FIRST_SOURCE, PROTOCOL_UDP, 53), "a source below its rate gets in");
	size_t passed = flood(scene, 53);

	check(scene, passed > FLOOD / 2 && passed < FLOOD, "as many sources as the table holds get in");
	check(scene, !passes(scene, NEW_SOURCE, PROTOCOL_UDP, 53), "the table is full: no new source gets in");
	check(scene, passes(scene, KNOWN_SOURCE, PROTOCOL_UDP, 53), "a rule without a limit lets in, same port");
	check(scene, passes(scene, NEW_SOURCE, PROTOCOL_UDP, 123), "a rule without a limit lets in, another port");
	check(scene, passes(scene, NEW_SOURCE, PROTOCOL_UDP, 443), "a rule that logs lets in");
	check(scene, passes(scene, NEW_SOURCE, PROTOCOL_UDP, 99), "a rule with a limit of its own lets in");
	check(scene, passes(scene, MANAGEMENT, PROTOCOL_TCP, 22), "management gets in");
	check(scene, !passes(scene, NEW_SOURCE, PROTOCOL_UDP, 54), "and nothing else does");
}

static void test_log(struct scene *scene)
{
	check(scene, flood(scene, 443) == FLOOD, "a log loses none of the packets that its rule lets in");
}

static void test_monitor(struct scene *scene)
{
	load(scene, "watched");
	check(scene, flood(scene, 54) == FLOOD, "a monitor loses none of those that it logs");
	check(scene, passes(scene, NEW_SOURCE, PROTOCOL_UDP, 53), "nor one that a limit would let in");
}

static int tests(const void *context)
{
	const char *machine = context;
	struct scene scene = {.arena = arena_new(), .pass = arena_new(), .machine = machine};
	struct str interfaces[] = {STR("eth0")};

	scene.backend = backend_of(scene.arena, "");
	if (!backend_enter(&scene.backend))
		return SKIPPED;
	scene.trial = trial_of_text(scene.arena, "flood", str_of(document), trial_settings(scene.arena));
	scene.judge = judge_new(scene.arena, interfaces, 1);
	load_sets(scene.arena, &scene.trial->output);
	if (str_is(str_of(machine), "watched")) {
		test_monitor(&scene);
	} else {
		load(&scene, machine);
		test_full_table(&scene);
		if (str_is(str_of(machine), "alone"))
			test_log(&scene);
	}
	judge_free(scene.judge);
	arena_free(scene.pass);
	arena_free(scene.arena);
	printf("%s: %u checks passed, %u failed\n", machine, scene.passed, scene.failed);
	return scene.failed > 0 ? 1 : 0;
}

int main(void)
{
	static const void *const machines[] = {"alone", "beside", "watched"};
	const char *missing = netns_missing_program();

	if (missing != NULL) {
		printf("%s is not installed\n", missing);
		return SKIPPED;
	}
	return in_children(tests, machines, 3);
}
