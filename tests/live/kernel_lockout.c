/* The guard against lock-outs, held against the kernel: chains of random lines, as a bad template might make them.
 * Where the guard says that a management source gets in, every packet of it must. Where it says that it does not, the
 * kernel may know better: the guard is cautious, but how often is counted, and it must not be always. */
#include <stdio.h>
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/guard.h"
#include "kernel.h"
#include "output_build.h"
#include "random_rule.h"

#define CHAINS 400 /* of each mode */
#define PORT 22

static const char *const sources[] = {"192.0.2.0",   "192.0.2.1",   "192.0.2.63",  "192.0.2.64", "192.0.2.127",
                                      "192.0.2.128", "192.0.2.191", "192.0.2.192", "192.0.2.255"};
static const char *const ports[] = {"1500", "30000", "65535"}; /* of the client */

static const char *one_of(struct rng *rng, const char *const *words, size_t count)
{
	return words[rng_below(rng, count)];
}

#define ONE_OF(rng, ...) \
	one_of((rng), (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* A part of a line, in some of all lines. */
static void some(struct rng *rng, struct buf *line, unsigned percent, const char *part)
{
	if (rng_chance(rng, percent))
		buf_add(line, str_of(part));
}

static void random_ports(struct rng *rng, struct buf *line)
{
	some(rng, line, 60,
	     ONE_OF(rng, " -m tcp --dport 22", " -m tcp --dport 22", " -m tcp --dport 20:30", " -m tcp --dport 23",
	            " -m tcp ! --dport 22", " -m tcp ! --dport 23:", " -m tcp --dport :22",
	            " -m multiport --dports 80,22", " -m multiport --dports 80,443", " -m multiport ! --dports 22,80",
	            " -m tcp --sport 1024:", " -m tcp --sport :1023", " -m tcp --sport 2000:60000 --dport 22"));
}

/* What the line asks of a packet. */
static void random_matches(struct rng *rng, struct buf *line)
{
	some(rng, line, 50,
	     ONE_OF(rng, " -s 192.0.2.0/24", " -s 192.0.2.0/24", " -s 192.0.2.0/25", " -s 192.0.2.128/25",
	            " -s 192.0.2.64/26", " -s 192.0.2.255", " ! -s 192.0.2.0/24", " ! -s 192.0.2.0/25",
	            " -s 192.0.0.0/16", " ! -s 192.0.0.0/16", " -s 198.51.100.0/24", " ! -s 198.51.100.0/24",
	            " -s 0.0.0.0/0"));
	some(rng, line, 10, ONE_OF(rng, " -d 203.0.113.5", " -d 203.0.113.6", " ! -d 203.0.113.6"));
	some(rng, line, 10, ONE_OF(rng, " -i eth0", " -i lo", " ! -i lo", " -i eth+"));
	if (rng_chance(rng, 60)) {
		buf_add(line, STR(" -p tcp"));
		random_ports(rng, line);
	} else
		some(rng, line, 50, ONE_OF(rng, " -p udp", " ! -p tcp", " ! -p udp", " -p 6", " -p 17", " -p icmp"));
	some(rng, line, 30,
	     ONE_OF(rng, " -m conntrack --ctstate NEW", " -m conntrack --ctstate INVALID",
	            " -m conntrack --ctstate RELATED,ESTABLISHED", " -m conntrack --ctstate NEW,ESTABLISHED",
	            " -m conntrack ! --ctstate INVALID", " -m conntrack ! --ctstate NEW"));
	some(rng, line, 10, " -m comment --comment \"-j DROP\"");
}

static void random_line(struct rng *rng, struct buf *rules, const char *chain, bool calls)
{
	buf_format(rules, "-A %s", chain);
	random_matches(rng, rules);
	some(rng, rules, 95,
	     calls && rng_chance(rng, 15)
	             ? ONE_OF(rng, " -j extra", " -g extra")
	             : ONE_OF(rng, " -j ACCEPT", " -j ACCEPT", " -j DROP", " -j REJECT", " -j RETURN", " -j LOG"));
	buf_char(rules, '\n');
}

/* The line that should be there, in most chains. */
static void management_line(struct rng *rng, struct buf *rules, const char *chain)
{
	if (rng_chance(rng, 80))
		buf_format(rules, "-A %s%s -p tcp -m tcp --dport 22 -j ACCEPT\n", chain,
		           ONE_OF(rng, " -s 192.0.2.0/24", " -s 192.0.2.0/24", "", " -s 192.0.0.0/16",
		                  " -s 192.0.2.0/25"));
}

static struct str random_rules(struct arena *arena, struct rng *rng, enum mode mode)
{
	const char *chain = mode == MODE_EXCLUSIVE ? "INPUT" : "fleetwall-input";
	struct buf rules = buf_new(arena);
	size_t before = rng_below(rng, 5), after = rng_below(rng, 3);

	buf_add(&rules, STR("*filter\n"));
	if (mode == MODE_EXCLUSIVE)
		buf_format(&rules, ":INPUT %s [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n",
		           ONE_OF(rng, "DROP", "DROP", "DROP", "ACCEPT"));
	else
		buf_add(&rules, STR(":fleetwall-input - [0:0]\n:fleetwall-output - [0:0]\n"));
	buf_add(&rules, STR(":extra - [0:0]\n"));
	for (size_t i = 0; i < before; i++)
		random_line(rng, &rules, chain, true);
	management_line(rng, &rules, chain);
	for (size_t i = 0; i < after; i++)
		random_line(rng, &rules, chain, true);
	random_line(rng, &rules, "extra", false);
	buf_add(&rules, STR("COMMIT\n"));
	return buf_str(&rules);
}

static bool guard_agrees(struct arena *arena, struct str rules, enum mode mode)
{
	struct output_build build = output_build_new(arena);
	struct ruleset *ruleset = output_build_ruleset(&build, rules, rules, STR(""));
	struct prefix source;
	struct settings settings = {.management = &source, .management_count = 1};

	if (prefix_parse(STR("192.0.2.0/24"), &source) != PREFIX_OK)
		die("the prefix of the test is none");
	ruleset->mode = mode;
	ruleset->ssh_port = PORT;
	output_build_machine(&build, STR("m"), ruleset);
	struct guards *guards = guards_new(arena, &settings, 1);

	guards_ruleset(guards, 0, ruleset);
	bool agrees = guards_findings(guards) == NULL;

	guards_free(guards);
	error_forget_all();
	return agrees;
}

/* How the file would stand on a machine of the mode coexist whose own INPUT lets nothing in. */
static struct str with_surroundings(struct arena *arena, struct str rules, enum mode mode)
{
	if (mode == MODE_EXCLUSIVE)
		return rules;
	return str_format(arena, "*filter\n:INPUT DROP [0:0]\n%.*s-A INPUT -j fleetwall-input\nCOMMIT\n",
	                  STR_ARG(str_slice(rules, sizeof "*filter\n" - 1, rules.n - (sizeof "COMMIT\n" - 1))));
}

enum { PROBES = sizeof sources / sizeof *sources * sizeof ports / sizeof *ports };

static struct addr address(const char *text)
{
	struct addr addr;

	if (!addr_parse(str_of(text), &addr))
		die("%s is no address", text);
	return addr;
}

/* Do all packets of the management source get in? */
static bool kernel_agrees(struct judge *judge)
{
	struct probe probes[PROBES];
	size_t count = 0, passed = 0;

	for (size_t s = 0; s < sizeof sources / sizeof *sources; s++)
		for (size_t p = 0; p < sizeof ports / sizeof *ports; p++)
			probes[count++] = (struct probe){
				.direction = DIRECTION_IN,
				.source = address(sources[s]),
				.destination = address("203.0.113.5"),
				.protocol = 6,
				.port = PORT,
				.source_port = (uint16_t)strtoul(ports[p], NULL, 10),
			};
	judge_probes(judge, probes, count);
	for (size_t i = 0; i < count; i++) {
		if (!probes[i].seen)
			die("a packet did not arrive");
		passed += probes[i].passed;
	}
	return passed == count;
}

struct counts {
	size_t right_in, right_out, cautious, wrong;
};

static void try_chain(struct arena *arena, struct rng *rng, struct judge *judge, const struct backend *backend,
                      enum mode mode, struct counts *counts)
{
	struct str rules = random_rules(arena, rng, mode), loaded = with_surroundings(arena, rules, mode);

	run(arena, (const char *const[]){backend->restore[0], NULL}, loaded);
	bool guard = guard_agrees(arena, rules, mode), kernel = kernel_agrees(judge);

	counts->right_in += guard && kernel;
	counts->right_out += !guard && !kernel;
	counts->cautious += !guard && kernel;
	counts->wrong += guard && !kernel;
	if (guard && !kernel)
		printf("the guard let this pass, the kernel did not:\n%.*s", STR_ARG(loaded));
}

static int against_kernel(const void *context)
{
	enum mode mode = *(const enum mode *)context;
	struct arena *arena = arena_new(), *pass = arena_new();
	struct backend backend = backend_of(arena, "");
	struct str interfaces[] = {STR("eth0")};
	struct addr own = address("203.0.113.5");
	struct rng rng = {mode == MODE_EXCLUSIVE ? 7 : 8};
	struct counts counts = {0};

	if (!backend_enter(&backend))
		return SKIPPED;
	struct judge *judge = judge_new(arena, interfaces, 1);

	judge_own(arena, &own, 1);
	for (size_t i = 0; i < CHAINS; i++) {
		try_chain(pass, &rng, judge, &backend, mode, &counts);
		arena_reset(pass);
	}
	printf("%.*s: in %zu, out %zu, out for the guard alone %zu, in for the guard alone %zu\n",
	       STR_ARG(mode_str(mode)), counts.right_in, counts.right_out, counts.cautious, counts.wrong);
	judge_free(judge);
	arena_free(pass);
	arena_free(arena);
	return counts.wrong == 0 && counts.right_in > CHAINS / 20 && counts.right_out > CHAINS / 20 ? 0 : 1;
}

int main(void)
{
	static const enum mode modes[] = {MODE_EXCLUSIVE, MODE_COEXIST};
	const void *contexts[] = {&modes[0], &modes[1]};
	const char *missing = netns_missing_program();

	if (missing != NULL) {
		printf("%s is not installed\n", missing);
		return SKIPPED;
	}
	return in_children(against_kernel, contexts, 2);
}
