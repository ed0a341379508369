/* Filters that were taken over, against the kernel: a host's own filter is loaded, and packets that open connections
 * are sent; then what its rules are rendered to, and the same packets. Whoever got in then got in before; where the
 * takeover says that it is proved equal, whoever got in before does so still. One host with chains, lists, sets and
 * answers, and random filters. KERNEL_TAKEOVER_ROUNDS=N: so many of these in each process. */
#include <stdio.h>
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/packets.h"
#include "fleetwall/takeover.h"
#include "kernel.h"
#include "random_filter.h"

enum { ROUNDS = 3, PROBES = 1200, SHOWN = 5 };

struct share {
	const char *infix; /* of the backend */
	uint64_t seed;
};

struct tally_of_hosts {
	size_t hosts, equal, tried, before, behind, wider, narrower;
};

struct round {
	struct arena *arena;
	const struct backend *backend;
	struct judge *judge;
	enum family family;
	struct str rules, sets;
	struct addr *own;
	size_t own_count;
	struct probe *probes;
	size_t probe_count;
	struct tally_of_hosts *tally;
};

/* Housekeeping lets through what the host's filter may not: but for what is INVALID, which opens nothing, it is off. */
static struct settings bare_settings(void)
{
	struct settings settings = settings_default();

	settings.loopback = settings.icmp_errors = settings.neighbour_discovery = settings.dhcp = false;
	return settings;
}

static void must(struct arena *arena, struct error *error, struct str about)
{
	struct buf text = buf_new(arena);

	if (error == NULL)
		return;
	error_print(&text, STR("error: "), error);
	die("%.*s%.*s", STR_ARG(buf_str(&text)), STR_ARG(about));
}

/* The fleet of the one machine; is it proved equal? */
static bool take_over(struct round *round, struct fleet *fleet)
{
	struct takeover_file files[] = {
		{STR("host"), round->family == FAMILY_4 ? STR("rules.v4") : STR("rules.v6"), round->rules},
		{STR("host"), STR("sets"), round->sets}};
	struct settings settings = bare_settings();
	struct fleet present = {.clock = 0};
	struct takeover_summary *summary;
	struct takeover *takeover;
	bool again;

	must(round->arena, takeover_read(round->arena, files, 2, &takeover), round->rules);
	must(round->arena, takeover_fleet(takeover, &present, &settings, fleet), round->rules);
	fleet->clock = 0;
	must(round->arena, takeover_prove(takeover, fleet, &settings, fleet, &again), round->rules);
	if (again || takeover_summaries(takeover, &summary) != 1)
		die("the proof took a rule back:\n%.*s", STR_ARG(round->rules));
	return summary->proved;
}

static void send(struct round *round, bool *passed)
{
	judge_own(round->arena, round->own, round->own_count);
	judge_probes(round->judge, round->probes, round->probe_count);
	for (size_t i = 0; i < round->probe_count; i++)
		passed[i] = round->probes[i].seen && round->probes[i].passed;
}

static void load_host(struct round *round)
{
	load_nothing(round->arena, round->backend);
	run(round->arena, (const char *const[]){"ipset", "destroy", NULL}, STR(""));
	run(round->arena, (const char *const[]){"ipset", "restore", NULL}, round->sets);
	run(round->arena, (const char *const[]){round->backend->restore[round->family == FAMILY_6], NULL},
	    round->rules);
}

static void load_ours(struct round *round, const struct fleet *fleet)
{
	struct trial *trial = trial_of_fleet(round->arena, fleet, bare_settings());

	load_nothing(round->arena, round->backend);
	load_sets(round->arena, &trial->output);
	load_ruleset(round->arena, round->backend, trial_ruleset_of(trial, "host"));
}

static void show(const struct probe *probe, const char *what)
{
	struct arena *scratch = arena_new();

	fprintf(stderr, "DIFFERS: %s: %s protocol %u %.*s -> %.*s port %u type %u on %.*s\n", what,
	        probe->direction == DIRECTION_IN ? "in" : "out", probe->protocol,
	        STR_ARG(addr_str(scratch, probe->source)), STR_ARG(addr_str(scratch, probe->destination)), probe->port,
	        probe->icmp_type, STR_ARG(filter_interfaces[probe->interface]));
	arena_free(scratch);
}

static void judge_host(struct round *round)
{
	bool *before = ARENA_ARRAY(round->arena, bool, round->probe_count), equal;
	bool *behind = ARENA_ARRAY(round->arena, bool, round->probe_count);
	struct tally_of_hosts *tally = round->tally;
	size_t faults = tally->wider + tally->narrower;
	struct fleet fleet;

	equal = take_over(round, &fleet);
	load_host(round);
	send(round, before);
	load_ours(round, &fleet);
	send(round, behind);
	tally->hosts++;
	tally->equal += equal;
	for (size_t i = 0; i < round->probe_count; i++) {
		tally->tried++;
		tally->before += before[i];
		tally->behind += behind[i];
		if (behind[i] && !before[i] && tally->wider++ < SHOWN)
			show(&round->probes[i], "let in by the rules alone");
		if (equal && before[i] && !behind[i] && tally->narrower++ < SHOWN)
			show(&round->probes[i], "proved equal, and not let in");
	}
	if (tally->wider + tally->narrower > faults)
		fprintf(stderr, "of the host\n%.*s%.*s", STR_ARG(round->sets), STR_ARG(round->rules));
}

/* --- one host --- */

static const char host_sets[] = "create guests hash:net family inet\nadd guests 198.51.100.128/26\n"
				"add guests 198.51.100.7\ncreate nobody hash:ip family inet\n";
static const char host_rules[] =
	"*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:f2b - [0:0]\n:web - [0:0]\n"
	"-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
	"-A INPUT -m conntrack --ctstate INVALID -j DROP\n"
	"-A INPUT -p tcp -m multiport --dports 22 -j f2b\n"
	"-A INPUT -s 198.51.100.1/32 -p tcp -m tcp --dport 22 -j ACCEPT\n"
	"-A INPUT -s 198.51.100.0/29 -p tcp -m tcp --dport 22 -j DROP\n"
	"-A INPUT -p tcp -m tcp --dport 22 --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -j ACCEPT\n"
	"-A INPUT -p tcp -j web\n"
	"-A INPUT -i eth01 -p udp -m udp --dport 5000:5001 -j ACCEPT\n"
	"-A INPUT -m set --match-set guests src -p udp -m udp --dport 80 -j ACCEPT\n"
	"-A INPUT -m set --match-set nobody src -j ACCEPT\n"
	"-A INPUT -s 198.51.100.64/26 -p icmp -m icmp --icmp-type 8 -j ACCEPT\n"
	"-A INPUT -p tcp -m tcp --dport 443 -j REJECT --reject-with tcp-reset\n"
	"-A web -s 198.51.100.32/27 -j RETURN\n"
	"-A web -p tcp -m multiport --dports 80,8080 -j ACCEPT\n"
	"-A f2b -s 198.51.100.9/32 -j REJECT --reject-with icmp-port-unreachable\n"
	"-A f2b -s 198.51.100.130/32 -j REJECT --reject-with icmp-port-unreachable\n"
	"-A f2b -j RETURN\n"
	"COMMIT\n";

static void one_host(struct round *round)
{
	static const uint8_t protocols[] = {PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP};
	static const uint16_t ports[] = {22, 79, 80, 443, 5000, 5001, 8080};
	static struct addr own = {0x0a090101, FAMILY_4};

	round->family = FAMILY_4;
	round->rules = str_of(host_rules);
	round->sets = str_of(host_sets);
	round->own = &own;
	round->own_count = 1;
	round->probes = ARENA_ARRAY(round->arena, struct probe, PROBES);
	for (round->probe_count = 0; round->probe_count < PROBES; round->probe_count++) {
		size_t i = round->probe_count;

		round->probes[i] = (struct probe){
			.direction = DIRECTION_IN,
			.interface = (unsigned)(1 + i % 3),
			.source = {0xc6336400 + i * 7 % 256, FAMILY_4},
			.destination = own,
			.protocol = protocols[i / 3 % 3],
			.port = i / 3 % 3 == 2 ? 0 : ports[i / 9 % 7],
			.icmp_type = i / 3 % 3 == 2 ? 8 : 0,
		};
	}
	judge_host(round);
	if (round->tally->equal != 1)
		die("the host was not taken over whole");
}

/* --- random ones --- */

/* Does it open a connection? */
static bool is_opening(const struct random_filter *filter, const struct probe *probe)
{
	uint8_t icmp = filter->family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;

	return probe->direction == filter->direction && !probe->fragment &&
	       (probe->protocol == PROTOCOL_TCP || probe->protocol == PROTOCOL_UDP || probe->protocol == icmp);
}

static void random_host(struct round *round, struct rng *rng, size_t number)
{
	struct random_filter *filter = random_filter(round->arena, rng, number % 2 == 0 ? FAMILY_4 : FAMILY_6,
	                                             number / 2 % 2 == 0 ? DIRECTION_IN : DIRECTION_OUT, false);

	round->family = filter->family;
	round->rules = filter->rules;
	round->sets = filter->sets;
	round->own = filter->addrs[true].items;
	round->own_count = filter->addrs[true].count;
	round->probes = ARENA_ARRAY(round->arena, struct probe, PROBES);
	round->probe_count = 0;
	for (size_t i = 0; i < 10 * PROBES && round->probe_count < PROBES; i++) {
		struct probe probe = random_probe(filter);

		if (!is_opening(filter, &probe))
			continue;
		probe.tcp_flags = 0;
		if (probe.protocol == PROTOCOL_ICMP || probe.protocol == PROTOCOL_ICMPV6) {
			probe.icmp_type = filter->family == FAMILY_4 ? 8 : 128;
			probe.icmp_code = 0;
		}
		round->probes[round->probe_count++] = probe;
	}
	judge_host(round);
}

/* --- all of them --- */

static size_t rounds_wanted(void)
{
	const char *given = getenv("KERNEL_TAKEOVER_ROUNDS");

	return given != NULL ? strtoul(given, NULL, 10) : ROUNDS;
}

static int share_against_kernel(const void *context)
{
	const struct share *share = context;
	struct arena *arena = arena_new(), *scratch = arena_new();
	struct backend backend = backend_of(arena, share->infix);
	struct tally_of_hosts tally = {0};
	struct judge *judge;

	if (!backend_enter(&backend))
		return SKIPPED;
	packets_begin();
	judge = judge_new(arena, filter_interfaces, FILTER_INTERFACES);
	for (size_t i = 0; i <= rounds_wanted(); i++) {
		struct rng rng = {share->seed * 1000003 + i};
		struct round round = {.arena = scratch, .backend = &backend, .judge = judge, .tally = &tally};
		size_t mark = packets_mark();

		if (i == 0)
			one_host(&round);
		else
			random_host(&round, &rng, i + share->seed);
		packets_release(mark);
		arena_reset(scratch);
	}
	printf("iptables%s, seed %llu: %zu hosts, %zu proved equal; %zu packets, %zu let in by the host, %zu by the "
	       "rules; %zu wider, %zu narrower\n",
	       share->infix, (unsigned long long)share->seed, tally.hosts, tally.equal, tally.tried, tally.before,
	       tally.behind, tally.wider, tally.narrower);
	judge_free(judge);
	packets_end();
	arena_free(scratch);
	arena_free(arena);
	return tally.wider == 0 && tally.narrower == 0 && tally.behind > 0 ? 0 : 1;
}

int main(void)
{
	static const struct share shares[] = {{"-nft", 1}, {"-legacy", 2}};
	const void *contexts[] = {&shares[0], &shares[1]};
	const char *missing = netns_missing_program();

	if (missing != NULL) {
		printf("%s is not installed\n", missing);
		return SKIPPED;
	}
	return in_children(share_against_kernel, contexts, 2);
}
