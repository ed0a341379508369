/* Firewalls that programs of the trade make (tests/live/firewalls) against the kernel: each is loaded for real, and
 * packets that open connections, at the edges of what its rules name, must be let in where filter_run() is sure of it,
 * and dropped where it is sure of that. What depends on something that no packet shows may be either.
 * KERNEL_FIREWALLS_PROBES=N: so many packets for each; KERNEL_FIREWALLS_SEED=N: others. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/file.h"
#include "fleetwall/filter.h"
#include "fleetwall/packets.h"
#include "kernel.h"
#include "random_filter.h"

#define FOLDER "tests/live/firewalls"

enum { PROBES = 1000, SHOWN = 5 };

struct firewall {
	struct arena *arena;
	const char *name;
	bool legacy;
	enum family family;
	struct rng rng;
	struct str rules, sets_text;
	struct filter_sets sets;
	struct filter *filter;
	struct addr_list addrs[2]; /* sources, destinations */
	struct port_list ports;
	struct packets sure[2], perhaps[2]; /* let in, out */
};

struct tally_of_firewalls {
	size_t firewalls, tried, unseen, sure_in, sure_out, differing;
};

/* --- what its rules name --- */

static void note_addr(struct firewall *firewall, size_t end, addr_bits bits)
{
	struct addr addr = {bits & family_last(firewall->family), firewall->family};

	if (address_excluded(addr) == NULL)
		APPEND(firewall->arena, &firewall->addrs[end], addr);
}

static void note_range(struct firewall *firewall, size_t end, struct range range)
{
	if (range.family != firewall->family)
		return;
	note_addr(firewall, end, range.first - 1);
	note_addr(firewall, end, range.first);
	note_addr(firewall, end, range.last);
	note_addr(firewall, end, range.last + 1);
}

static void note_ports(struct firewall *firewall, const struct match *match)
{
	for (size_t i = 0; i < match->number_count; i++) {
		unsigned edges[] = {match->numbers[i].first - 1, match->numbers[i].first, match->numbers[i].last,
		                    match->numbers[i].last + 1};

		for (size_t k = 0; k < 4; k++)
			if (edges[k] > 0 && edges[k] <= UINT16_MAX)
				APPEND(firewall->arena, &firewall->ports, edges[k]);
	}
}

static void note_match(struct firewall *firewall, const struct match *match)
{
	bool destination = match->kind == MATCH_DESTINATION || match->kind == MATCH_RANGE_DESTINATION;

	for (size_t i = 0; i < match->range_count; i++)
		note_range(firewall, destination, match->ranges[i]);
	if (match->kind == MATCH_PORTS || match->kind == MATCH_SOURCE_PORTS || match->kind == MATCH_EITHER_PORTS)
		note_ports(firewall, match);
}

/* Two ends that no rule names are among them always. */
static void note_all(struct firewall *firewall)
{
	addr_bits six = (addr_bits)0x20010db800640001 << 64, base = firewall->family == FAMILY_4 ? 0xc6336400 : six;

	note_addr(firewall, 0, base + 7);
	note_addr(firewall, 1, base + 256 + 7);
	APPEND(firewall->arena, &firewall->ports, 65000);
	for (size_t c = 0; c < firewall->filter->chain_count; c++)
		for (size_t r = 0; r < firewall->filter->chains[c].rule_count; r++)
			for (size_t m = 0; m < firewall->filter->chains[c].rules[r].match_count; m++)
				note_match(firewall, &firewall->filter->chains[c].rules[r].matches[m]);
	for (size_t i = 0; i < firewall->sets.count; i++)
		for (size_t k = 0; k < firewall->sets.sets[i].addresses.count; k++)
			note_range(firewall, 0, firewall->sets.sets[i].addresses.ranges[k]);
}

#define ANY_OF(firewall, list) ((list).items[rng_below(&(firewall)->rng, (list).count)])

static struct probe some_probe(struct firewall *firewall)
{
	bool v4 = firewall->family == FAMILY_4;
	uint8_t protocols[] = {PROTOCOL_TCP, PROTOCOL_TCP, PROTOCOL_UDP, v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6};
	struct probe probe = {
		.direction = rng_chance(&firewall->rng, 80) ? DIRECTION_IN : DIRECTION_OUT,
		.interface = (unsigned)rng_below(&firewall->rng, FILTER_INTERFACES),
		.source = ANY_OF(firewall, firewall->addrs[0]),
		.destination = ANY_OF(firewall, firewall->addrs[1]),
		.protocol = protocols[rng_below(&firewall->rng, 4)],
		.port = (uint16_t)ANY_OF(firewall, firewall->ports),
		.source_port = (uint16_t)ANY_OF(firewall, firewall->ports),
		.icmp_type = v4 ? 8 : 128,
	};

	return probe;
}

/* --- loading and judging --- */

/* Empty where it need not be there. */
static struct str read_part(struct firewall *firewall, struct str name, bool must)
{
	struct str text = STR("");
	struct error *error =
		file_read(firewall->arena, str_format(firewall->arena, FOLDER "/%.*s", STR_ARG(name)), &text);

	if (error != NULL && must)
		die("%.*s", STR_ARG(error->message));
	return error == NULL ? text : STR("");
}

static void no_fault(struct firewall *firewall, struct error *error)
{
	struct buf buf = buf_new(firewall->arena);

	if (error == NULL)
		return;
	error_print(&buf, STR("error: "), error);
	die("%s: the kernel takes it, the reader does not:\n%.*s", firewall->name, STR_ARG(buf_str(&buf)));
}

/* False where this kernel lacks one of its extensions. */
static bool load(struct firewall *firewall, const struct backend *backend)
{
	struct str stem = str_slice(str_of(firewall->name), 0, strlen(firewall->name) - strlen(".v4"));
	struct str sets = str_format(firewall->arena, "%.*s.ipset", STR_ARG(stem));

	firewall->rules = read_part(firewall, str_of(firewall->name), true);
	firewall->sets_text = read_part(firewall, sets, false);
	load_nothing(firewall->arena, backend);
	run(firewall->arena, (const char *const[]){"ipset", "destroy", NULL}, STR(""));
	run(firewall->arena, (const char *const[]){"ipset", "restore", NULL}, firewall->sets_text);
	return run_status(firewall->arena,
	                  (const char *const[]){backend->restore[firewall->family == FAMILY_6], NULL},
	                  firewall->rules) == 0;
}

static void evaluate(struct firewall *firewall)
{
	const struct filter_text text = {STR("sets"), firewall->sets_text};
	const struct filter_view view = {.sets = &firewall->sets};
	struct arena *arena = firewall->arena;

	no_fault(firewall, filter_sets_read(arena, &text, 1, false, &firewall->sets));
	no_fault(firewall, filter_read(arena, firewall->family, str_of(firewall->name), firewall->rules,
	                               &firewall->sets, &firewall->filter));
	for (size_t out = 0; out < 2; out++) {
		const struct filter_chain *chain = filter_chain(firewall->filter, out ? STR("OUTPUT") : STR("INPUT"));
		struct outcomes ends =
			filter_run(arena, firewall->filter, &view, chain, packets_family(firewall->family));

		firewall->sure[out] = packets_surely(ends.accepted);
		firewall->perhaps[out] = packets_perhaps(packets_or(ends.accepted, ends.unknown));
	}
}

static struct sample sample_of(const struct firewall *firewall, const struct probe *probe)
{
	bool in = probe->direction == DIRECTION_IN;
	bool ports = probe->protocol == PROTOCOL_TCP || probe->protocol == PROTOCOL_UDP;
	struct str interface = filter_interfaces[probe->interface];

	return (struct sample){
		.family = firewall->family,
		.state = STATE_NEW,
		.protocol = probe->protocol,
		.port = ports ? probe->port : (unsigned)probe->icmp_type << 8,
		.source_port = ports ? probe->source_port : 0,
		.flags = probe->protocol == PROTOCOL_TCP ? 0x02 : 0,
		.in = in ? interface : STR(""),
		.out = in ? STR("") : interface,
		.source = probe->source,
		.destination = probe->destination,
	};
}

static void show(const struct firewall *firewall, const struct probe *probe)
{
	fprintf(stderr, "DIFFERS: %s%s: %s %.*s:%u -> %.*s:%u protocol %u on %.*s: the kernel %s\n", firewall->name,
	        firewall->legacy ? ", legacy" : "", probe->direction == DIRECTION_IN ? "in" : "out",
	        STR_ARG(addr_str(firewall->arena, probe->source)), probe->source_port,
	        STR_ARG(addr_str(firewall->arena, probe->destination)), probe->port, probe->protocol,
	        STR_ARG(filter_interfaces[probe->interface]), probe->passed ? "accepts" : "drops");
}

static void judge_one(struct firewall *firewall, const struct probe *probe, struct tally_of_firewalls *tally)
{
	bool out = probe->direction == DIRECTION_OUT;
	struct sample sample = sample_of(firewall, probe);
	bool sure = packets_have(firewall->sure[out], &sample);
	bool perhaps = packets_have(firewall->perhaps[out], &sample);

	tally->tried++;
	tally->unseen += !probe->seen;
	if (!probe->seen)
		return;
	tally->sure_in += sure;
	tally->sure_out += !perhaps;
	if ((sure && !probe->passed) || (!perhaps && probe->passed))
		if (tally->differing++ < SHOWN)
			show(firewall, probe);
}

static size_t number_of_environment(const char *name, size_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoul(text, NULL, 10) : otherwise;
}

static void judge_firewall(struct firewall *firewall, const struct backend *backend, struct judge *judge,
                           struct tally_of_firewalls *tally)
{
	size_t count = number_of_environment("KERNEL_FIREWALLS_PROBES", PROBES);
	struct probe *probes = ARENA_ARRAY(firewall->arena, struct probe, count);

	firewall->family = str_ends(str_of(firewall->name), STR(".v6")) ? FAMILY_6 : FAMILY_4;
	if (!load(firewall, backend)) {
		printf("%s does not load here\n", firewall->name);
		return;
	}
	evaluate(firewall);
	note_all(firewall);
	for (size_t i = 0; i < count; i++)
		probes[i] = some_probe(firewall);
	judge_probes(judge, probes, count);
	for (size_t i = 0; i < count; i++)
		judge_one(firewall, &probes[i], tally);
	tally->firewalls++;
}

/* --- all of them --- */

static int is_rules(const struct dirent *entry)
{
	struct str name = str_of(entry->d_name);

	return str_ends(name, STR(".v4")) || str_ends(name, STR(".v6"));
}

static struct tally_of_firewalls judge_all(const char *infix, const struct backend *backend, struct judge *judge)
{
	struct tally_of_firewalls tally = {0};
	struct arena *arena = arena_new();
	struct dirent **entries;
	int count = scandir(FOLDER, &entries, is_rules, alphasort);

	if (count <= 0)
		die(FOLDER " is not there");
	for (int i = 0; i < count; i++) {
		struct firewall firewall = {.arena = arena, .name = entries[i]->d_name};
		size_t mark = packets_mark();

		firewall.legacy = strcmp(infix, "-legacy") == 0;
		firewall.rng.state = number_of_environment("KERNEL_FIREWALLS_SEED", 1) + (size_t)i;
		judge_firewall(&firewall, backend, judge, &tally);
		packets_release(mark);
		arena_reset(arena);
		free(entries[i]);
	}
	free(entries);
	arena_free(arena);
	return tally;
}

static int share_against_kernel(const void *context)
{
	const char *infix = context;
	struct arena *arena = arena_new();
	struct backend backend = backend_of(arena, infix);
	struct tally_of_firewalls tally;
	struct judge *judge;

	if (!backend_enter(&backend))
		return SKIPPED;
	packets_begin();
	judge = judge_new(arena, filter_interfaces, FILTER_INTERFACES);
	tally = judge_all(infix, &backend, judge);
	printf("iptables%s: %zu firewalls; %zu packets, %zu not carried, %zu surely let in, %zu surely not; %zu "
	       "differ\n",
	       infix, tally.firewalls, tally.tried, tally.unseen, tally.sure_in, tally.sure_out, tally.differing);
	judge_free(judge);
	packets_end();
	arena_free(arena);
	if (tally.differing > 0 || tally.firewalls <= 6 || tally.sure_in == 0)
		return 1;
	return tally.unseen * 4 < tally.tried ? 0 : 1;
}

int main(void)
{
	const char *missing = netns_missing_program();
	const void *contexts[] = {"-nft", "-legacy"};

	if (missing != NULL) {
		printf("%s is not installed\n", missing);
		return SKIPPED;
	}
	return in_children(share_against_kernel, contexts, 2);
}
