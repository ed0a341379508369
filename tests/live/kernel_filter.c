/* The reader and the sets of packets against the kernel: random filter tables are loaded for real, and thousands of
 * packets at the edges of what they name must meet there the fate that filter_read() and filter_run() give them, in
 * each state that conntrack gave them. What the kernel prints of the table must mean the same. KERNEL_FILTER_ROUNDS=N:
 * so many tables in each process; KERNEL_FILTER_SEED=N: the first of their seeds. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/filter.h"
#include "fleetwall/process.h"
#include "random_filter.h"

#define ROUNDS 6 /* in each process */
#define PROBES 2500
#define SHOWN 5

/* Packets of flows that conntrack is told of: those of UDP from the one port to the other, and errors about them. */
#define FLOWS 6
#define FLOW_FROM 5001
#define FLOW_TO 5000
#define IN_AH 253 /* the protocol in our packets of AH */

struct share {
	const char *infix; /* of the backend */
	/* Without conntrack. Not for nft, which takes what stands in a later fragment for a head (Linux 6.18). */
	bool fragments;
	uint64_t seed;
};

struct tally_of_states {
	size_t tried, unseen, differing, passed, refused, of[STATE_COUNT];
};

struct round {
	struct arena *arena;
	const struct backend *backend;
	bool legacy;
	struct judge *judge;
	struct random_filter *filter;
	struct filter_sets sets;
	struct filter *read;
	struct outcomes outcomes;
	struct tally_of_states *tally;
};

/* --- which state conntrack gives --- */

#define OUR_MARK "0x66770001"

/* Every eighth packet is not tracked. What conntrack made of the others is noted before the filter. */
static const char watcher[] =
	"table inet states {\n"
	"%s"
	"chain raw_in { type filter hook prerouting priority -300;\n"
	"  ip id & 7 == 5 notrack; ip6 flowlabel & 7 == 5 notrack; }\n"
	"chain raw_out { type filter hook output priority -300; meta mark != " OUR_MARK " return;\n"
	"  ip id & 7 == 5 notrack; ip6 flowlabel & 7 == 5 notrack; }\n"
	"chain note_in { type filter hook input priority -1; goto note; }\n"
	"chain note_out { type filter hook output priority -1; meta mark != " OUR_MARK " return; goto note; }\n"
	"chain note {\n%s}\n}\n";

static const char *const state_names[STATE_COUNT] = {"invalid", "new", "established", "related", "untracked"};

static void watch_states(struct arena *arena)
{
	struct buf sets = buf_new(arena), notes = buf_new(arena);

	for (size_t i = 0; i < STATE_COUNT; i++) {
		buf_format(&sets,
		           "set %s4 { typeof ip id; flags dynamic; size 65536; }\n"
		           "set %s6 { typeof ip6 flowlabel; flags dynamic; size 65536; }\n",
		           state_names[i], state_names[i]);
		buf_format(&notes, "ip version 4 ct state %s add @%s4 { ip id }\n", state_names[i], state_names[i]);
		buf_format(&notes, "ip6 version 6 ct state %s add @%s6 { ip6 flowlabel }\n", state_names[i],
		           state_names[i]);
	}
	run(arena, (const char *const[]){"nft", "-f", "-", NULL},
	    str_format(arena, watcher, str_c(arena, buf_str(&sets)), str_c(arena, buf_str(&notes))));
}

static void forget_states(struct arena *arena)
{
	struct buf script = buf_new(arena);

	for (size_t i = 0; i < STATE_COUNT; i++)
		buf_format(&script, "flush set inet states %s4\nflush set inet states %s6\n", state_names[i],
		           state_names[i]);
	run(arena, (const char *const[]){"nft", "-f", "-", NULL}, buf_str(&script));
}

/* The state of each packet by its number; STATE_COUNT: none was noted. */
static void read_states(struct arena *arena, enum family family, enum packet_state *states, size_t count)
{
	for (size_t i = 0; i < count; i++)
		states[i] = STATE_COUNT;
	for (enum packet_state state = 0; state < STATE_COUNT; state++) {
		const char *set = str_c(arena, str_format(arena, "%s%d", state_names[state], (int)family));
		const char *text = str_c(arena, run(arena,
		                                    (const char *const[]){"nft", "-n", "list", "set", "inet",
		                                                          "states", set, NULL},
		                                    STR("")));
		const char *at = strstr(text, "elements = {");

		for (at = at == NULL ? "" : at + strlen("elements = {"); *at != '\0' && *at != '}'; at++)
			if (*at >= '0' && *at <= '9') {
				char *end;
				unsigned long number = strtoul(at, &end, 0);

				at = end - 1;
				if (number > 0 && number <= count)
					states[number - 1] = state;
			}
	}
}

/* Without the program there are no such flows, and the states are only those of first packets. */
static void add_flow(struct round *round, const struct probe *probe)
{
	const struct addr *ends[] = {&probe->destination, &probe->source};
	const char *text[2];
	char from[8], to[8];

	for (size_t i = 0; i < 2; i++)
		text[i] = str_c(round->arena, addr_str(round->arena, *ends[i]));
	snprintf(from, sizeof from, "%d", FLOW_TO);
	snprintf(to, sizeof to, "%d", FLOW_FROM);
	(void)run_status(round->arena,
	                 (const char *const[]){"conntrack", "-I", "-p", "udp", "-s", text[0], "-d", text[1], "--sport",
	                                       from, "--dport", to, "-t", "600", "-u", "SEEN_REPLY,ASSURED", NULL},
	                 STR(""));
}

/* Packets of the flows, and errors about them, are some of all packets. */
static void make_flows(struct round *round, struct probe *probes, size_t count)
{
	bool known = process_exists("conntrack");

	for (size_t i = 0; i < count; i++) {
		const struct probe *flow = &probes[i % FLOWS];

		if (i < FLOWS && known)
			add_flow(round, flow);
		if (i % 5 != 0)
			continue;
		probes[i].source = flow->source;
		probes[i].destination = flow->destination;
		if (i % 10 == 0) {
			probes[i].protocol = PROTOCOL_UDP;
			probes[i].source_port = FLOW_FROM;
			probes[i].port = FLOW_TO;
		} else {
			probes[i].protocol = flow->source.family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
			probes[i].icmp_type = flow->source.family == FAMILY_4 ? 3 : 1;
		}
	}
}

/* --- what is expected --- */

/* ip6tables-legacy looks behind AH, as behind headers of IPv6, and sees the protocol there. */
static unsigned protocol_seen(const struct round *round, const struct probe *probe)
{
	return probe->protocol == PROTOCOL_AH && probe->source.family == FAMILY_6 && round->legacy ? IN_AH
	                                                                                           : probe->protocol;
}

static struct sample sample_of(const struct round *round, const struct probe *probe, enum packet_state state)
{
	static struct str as_one = {FILTER_PORTS_AS_ONE, sizeof FILTER_PORTS_AS_ONE - 1};
	struct str interface = filter_interfaces[probe->interface];
	bool in = probe->direction == DIRECTION_IN;
	bool icmp = probe->protocol == (probe->source.family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6);

	return (struct sample){
		.family = probe->source.family,
		.state = state,
		.protocol = protocol_seen(round, probe),
		.port = icmp ? (unsigned)probe->icmp_type << 8 | probe->icmp_code : probe->port,
		.source_port = probe->source_port,
		.flags = probe->tcp_flags,
		.fragment = probe->fragment,
		.in = in ? interface : STR(""),
		.out = in ? STR("") : interface,
		.source = probe->source,
		.destination = probe->destination,
		.conditions = &as_one,
		.condition_count = !round->legacy,
	};
}

/* The kernel answers no error, no reset, and on its way out nothing that the recorder could see. */
static bool must_answer(const struct round *round, const struct probe *probe, enum packet_state state)
{
	if (probe->direction != DIRECTION_IN || round->filter->other_answers || state == STATE_INVALID)
		return false;
	return probe->protocol == PROTOCOL_UDP || (probe->protocol == PROTOCOL_TCP && probe->tcp_flags == TH_SYN);
}

static void show(const struct round *round, const struct probe *probe, const struct sample *sample)
{
	struct arena *scratch = arena_new();
	const struct filter_view view = {.sets = &round->sets};
	const struct filter_chain *chain =
		filter_chain(round->read, probe->direction == DIRECTION_IN ? STR("INPUT") : STR("OUTPUT"));
	const struct filter_rule *rule = filter_decider(round->read, &view, chain, sample);

	fprintf(stderr,
	        "DIFFERS: %s %.*s:%u -> %.*s:%u protocol %u flags 0x%02x icmp %u/%u on %.*s, %s: the kernel %s%s; by "
	        "line %u: %.*s\n",
	        probe->direction == DIRECTION_IN ? "in" : "out", STR_ARG(addr_str(scratch, probe->source)),
	        probe->source_port, STR_ARG(addr_str(scratch, probe->destination)), probe->port, probe->protocol,
	        probe->tcp_flags, probe->icmp_type, probe->icmp_code,
	        STR_ARG(filter_interfaces[probe->interface]), state_names[sample->state],
	        probe->passed ? "accepts" : "drops", probe->refused ? ", refuses" : "", rule == NULL ? 0 : rule->line,
	        rule == NULL ? 6 : (int)rule->text.n, rule == NULL ? "policy" : rule->text.p);
	arena_free(scratch);
}

static bool agrees(const struct round *round, const struct probe *probe, const struct sample *sample)
{
	bool refused = packets_have(round->outcomes.reset, sample) || packets_have(round->outcomes.rejected, sample);

	if (packets_have(round->outcomes.accepted, sample) != probe->passed || (probe->refused && !refused))
		return false;
	return probe->refused == refused || !must_answer(round, probe, sample->state);
}

static void judge_one(struct round *round, const struct probe *probe, enum packet_state state)
{
	struct tally_of_states *tally = round->tally;
	struct sample sample = sample_of(round, probe, state);

	tally->tried++;
	if (!probe->seen || state == STATE_COUNT) {
		tally->unseen++;
		return;
	}
	tally->of[state]++;
	tally->passed += probe->passed;
	tally->refused += probe->refused;
	if (!agrees(round, probe, &sample) && tally->differing++ < SHOWN)
		show(round, probe, &sample);
}

/* --- one table --- */

static struct filter *read_table(struct round *round, const char *name, struct str text)
{
	struct filter *filter;
	struct buf buf = buf_new(round->arena);
	struct error *error =
		filter_read(round->arena, round->filter->family, str_of(name), text, &round->sets, &filter);

	if (error == NULL)
		return filter;
	error_print(&buf, STR("error: "), error);
	die("the kernel takes what the reader refuses:\n%.*s%.*s", STR_ARG(buf_str(&buf)), STR_ARG(text));
}

static struct outcomes run_table(struct round *round, const struct filter *filter)
{
	const struct filter_view view = {.sets = &round->sets};
	bool in = round->filter->direction == DIRECTION_IN;

	return filter_run(round->arena, filter, &view, filter_chain(filter, in ? STR("INPUT") : STR("OUTPUT")),
	                  packets_family(round->filter->family));
}

static void load_and_read(struct round *round)
{
	const struct random_filter *filter = round->filter;
	const struct filter_text sets = {STR("sets"), filter->sets};
	size_t family = filter->family == FAMILY_6;
	struct error *error;

	load_nothing(round->arena, round->backend);
	run(round->arena, (const char *const[]){"ipset", "destroy", NULL}, STR(""));
	run(round->arena, (const char *const[]){"ipset", "restore", NULL}, filter->sets);
	if (run_status(round->arena, (const char *const[]){round->backend->restore[family], NULL}, filter->rules) != 0)
		die("%s does not load:\n%.*s", round->backend->restore[family], STR_ARG(filter->rules));
	error = filter_sets_read(round->arena, &sets, 1, false, &round->sets);
	if (error != NULL)
		die("sets: %.*s", STR_ARG(error->message));
	round->read = read_table(round, "given", filter->rules);
	round->outcomes = run_table(round, round->read);
}

/* Another spelling, and packets end where they did. */
static void read_back(struct round *round)
{
	const char *iptables = round->backend->iptables[round->filter->family == FAMILY_6];
	const char *program = str_c(round->arena, str_format(round->arena, "%s-save", iptables));
	struct str saved = run(round->arena, (const char *const[]){program, "-t", "filter", NULL}, STR(""));
	struct outcomes outcomes = run_table(round, read_table(round, "saved", saved));

	if (packets_eq(outcomes.accepted, round->outcomes.accepted) &&
	    packets_eq(outcomes.dropped, round->outcomes.dropped) &&
	    packets_eq(outcomes.reset, round->outcomes.reset) &&
	    packets_eq(outcomes.rejected, round->outcomes.rejected))
		return;
	round->tally->differing++;
	fprintf(stderr, "DIFFERS: what was given:\n%.*sand what was saved:\n%.*s", STR_ARG(round->filter->rules),
	        STR_ARG(saved));
}

static void round_against_kernel(struct round *round)
{
	struct probe *probes = ARENA_ARRAY(round->arena, struct probe, PROBES);
	enum packet_state *states = ARENA_ARRAY(round->arena, enum packet_state, PROBES);
	size_t before = round->tally->differing, mark = packets_mark();

	load_and_read(round);
	read_back(round);
	for (size_t i = 0; i < PROBES; i++)
		probes[i] = random_probe(round->filter);
	if (!round->filter->fragments) {
		make_flows(round, probes, PROBES);
		forget_states(round->arena);
	}
	judge_own(round->arena, round->filter->addrs[true].items, round->filter->addrs[true].count);
	judge_probes(round->judge, probes, PROBES);
	for (size_t i = 0; i < PROBES; i++)
		states[i] = STATE_UNTRACKED;
	if (!round->filter->fragments)
		read_states(round->arena, round->filter->family, states, PROBES);
	for (size_t i = 0; i < PROBES; i++)
		judge_one(round, &probes[i], states[i]);
	if (round->tally->differing > before)
		fprintf(stderr, "of the table\n%.*s%.*s", STR_ARG(round->filter->sets), STR_ARG(round->filter->rules));
	packets_release(mark);
}

/* --- all of them --- */

static size_t number_of_environment(const char *name, size_t otherwise)
{
	const char *text = getenv(name);
	uint64_t number;

	if (text == NULL)
		return otherwise;
	if (!str_number(str_of(text), 1000000, &number))
		die("%s is no number", name);
	return (size_t)number;
}

static int share_against_kernel(const void *context)
{
	const struct share *share = context;
	struct arena *arena = arena_new(), *scratch = arena_new();
	struct backend backend = backend_of(arena, share->infix);
	struct tally_of_states tally = {0};
	size_t rounds = number_of_environment("KERNEL_FILTER_ROUNDS", ROUNDS);
	struct judge *judge;

	if (!backend_enter(&backend))
		return SKIPPED;
	packets_begin();
	judge = judge_new(arena, filter_interfaces, FILTER_INTERFACES);
	if (!share->fragments)
		watch_states(arena);
	for (size_t i = 0; i < rounds; i++) {
		struct rng rng = {share->seed * 1000003 + i};
		struct round round = {.arena = scratch, .backend = &backend, .judge = judge, .tally = &tally};

		round.legacy = str_is(str_of(share->infix), "-legacy");
		round.filter = random_filter(scratch, &rng, i % 2 == 0 ? FAMILY_4 : FAMILY_6,
		                             share->fragments || i / 2 % 3 == 2 ? DIRECTION_OUT : DIRECTION_IN,
		                             share->fragments);
		round_against_kernel(&round);
		arena_reset(scratch);
	}
	printf("iptables%s, seed %llu: %zu packets tried, %zu accepted, %zu answered with a refusal, %zu not carried, "
	       "%zu differ; %zu invalid, %zu new, %zu established, %zu related, %zu untracked\n",
	       share->infix, (unsigned long long)share->seed, tally.tried, tally.passed, tally.refused, tally.unseen,
	       tally.differing, tally.of[STATE_INVALID], tally.of[STATE_NEW], tally.of[STATE_ESTABLISHED],
	       tally.of[STATE_RELATED], tally.of[STATE_UNTRACKED]);
	judge_free(judge);
	packets_end();
	arena_free(scratch);
	arena_free(arena);
	return tally.differing == 0 && tally.passed > 0 && tally.unseen * 4 < tally.tried ? 0 : 1;
}

int main(void)
{
	const char *missing = netns_missing_program();
	uint64_t seed;

	if (missing != NULL) {
		printf("%s is not installed\n", missing);
		return SKIPPED;
	}
	seed = number_of_environment("KERNEL_FILTER_SEED", 1);
	struct share shares[] = {{"-nft", false, seed},        {"-legacy", false, seed},
	                         {"-nft", false, seed + 1},    {"-legacy", false, seed + 2},
	                         {"-legacy", true, seed + 3}, {"-legacy", true, seed + 4}};
	const void *contexts[] = {&shares[0], &shares[1], &shares[2], &shares[3], &shares[4], &shares[5]};

	return in_children(share_against_kernel, contexts, 6);
}
