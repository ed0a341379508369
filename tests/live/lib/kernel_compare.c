/* Holds the kernel's verdicts against explain()'s, packet by packet. It knows the few places where a packet of a test
 * is no packet of a new connection: ICMP that answers nothing is INVALID to conntrack, and dropped as that. */
#include <stdio.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "kernel.h"

#define SHOWN 20

/* --- addresses that no test packet can have --- */

static bool lies_in(struct addr addr, const char *text)
{
	struct range host = {.first = addr.bits, .last = addr.bits, .family = addr.family};
	struct prefix prefix;

	if (prefix_parse(str_of(text), &prefix) != PREFIX_OK)
		die("bad prefix %s", text);
	return range_covers(prefix_range(prefix), host);
}

const char *address_excluded(struct addr addr)
{
	if (lies_in(addr, "0.0.0.0/8") || lies_in(addr, "::"))
		return "unspecified";
	if (lies_in(addr, "127.0.0.0/8") || lies_in(addr, "::1"))
		return "loopback";
	if (lies_in(addr, "224.0.0.0/4") || lies_in(addr, "255.255.255.255") || lies_in(addr, "ff00::/8"))
		return "multicast or broadcast";
	if (lies_in(addr, "::ffff:0:0/96"))
		return "IPv4-mapped";
	return NULL;
}

/* --- what should become of a packet --- */

struct expected {
	bool passed, refused, refusal_known, invalid;
	struct verdict verdict;
};

static bool is_icmp(const struct probe *probe)
{
	return probe->protocol == (probe->source.family == FAMILY_4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6);
}

static bool is_untracked(const struct probe *probe)
{
	unsigned type = probe->icmp_type;

	return is_icmp(probe) && probe->source.family == FAMILY_6 && ((type >= 130 && type <= 137) || type == 143);
}

/* The types that conntrack takes for the first of a flow (icmp_new() and icmpv6_new() of nf_conntrack), or leaves
 * untracked. */
static bool begins_flow(const struct probe *probe)
{
	unsigned type = probe->icmp_type;

	if (!is_icmp(probe))
		return true;
	if (probe->source.family == FAMILY_4)
		return type == 8 || type == 13 || type == 15 || type == 17;
	return type == 128 || type == 139 || is_untracked(probe);
}

/* Where the kernel always says so when it refuses. It never answers ICMP that may itself be an error, nor protocols
 * whose checksum it can't check (nf_reject_verify_csum()), and sends no reset to the raw IPv4 socket of this machine.
 * Its answer to what is untracked is related to nothing, and our own closed egress stops it. */
static bool must_answer(const struct probe *probe)
{
	if (probe->protocol == PROTOCOL_TCP)
		return probe->direction == DIRECTION_IN || probe->source.family == FAMILY_6;
	return probe->protocol == PROTOCOL_UDP || (is_icmp(probe) && begins_flow(probe) && !is_untracked(probe));
}

static struct packet_what what_of(const struct probe *probe, const struct str *interfaces)
{
	return (struct packet_what){
		.protocol = probe->protocol,
		.icmp_name = ICMP_NUMBER,
		.icmp_type = probe->icmp_type,
		.icmp_code = probe->icmp_code,
		.has_port = protocol_has_ports(probe->protocol),
		.port = probe->port,
		.interface = probe->interface > 0 ? interfaces[probe->interface] : STR(""),
	};
}

static bool is_enforced(const struct machine *machine)
{
	return machine_has_ruleset(machine) && machine->enforcement == ENFORCEMENT_ENFORCE;
}

static struct expected expect(struct arena *arena, struct trial *trial, uint32_t machine, const struct probe *probe,
                              const struct str *interfaces)
{
	struct end own = {.is_machine = true, .machine = machine};
	struct end other = {.addr = probe->direction == DIRECTION_IN ? probe->source : probe->destination};
	struct packet_what what = what_of(probe, interfaces);
	struct expected expected = {0};
	bool in = probe->direction == DIRECTION_IN;
	struct error *error =
		explain(arena, trial->explainer, in ? &other : &own, in ? &own : &other, &what, &expected.verdict);

	if (error != NULL)
		die("explain: %.*s", STR_ARG(error->message));
	expected.passed = expected.verdict.allow;
	expected.refused = expected.verdict.stage == STAGE_REJECT;
	expected.refusal_known = must_answer(probe);
	if (in && !begins_flow(probe) && trial->settings.drop_invalid &&
	    is_enforced(trial->resolved->machines[machine].machine) && expected.verdict.stage != STAGE_HOUSEKEEPING) {
		expected.passed = expected.refused = false;
		expected.invalid = true;
	}
	return expected;
}

/* --- limits --- */

/* Did a rule with a limit let a packet from this address in before? Each has a bucket of its own; one packet always
 * fits. */
static bool bucket_used(struct names *buckets, struct arena *scratch, const struct probe *probe,
                        const struct verdict *verdict)
{
	struct addr other = probe->direction == DIRECTION_IN ? probe->source : probe->destination;
	bool used = false;

	for (size_t i = 0; i < verdict->rule_count; i++) {
		struct buf key = buf_new(scratch);
		uint32_t known = names_count(buckets);
		if (verdict->rules[i]->held->rule.limit_unit == LIMIT_NONE)
			continue;
		buf_format(&key, "%s %d ", verdict->rules[i]->id, (int)probe->direction);
		addr_print(&key, other);
		used |= names_add(buckets, buf_str(&key)) < known;
	}
	return used;
}

/* Leaves out what a limit would make uncertain; the new count, and what is expected of each that stays. */
static size_t drop_uncertain(struct arena *arena, struct trial *trial, uint32_t machine, const struct str *interfaces,
                             struct probe *probes, size_t count, struct expected *expected)
{
	struct arena *scratch = arena_new();
	struct names *buckets = names_new(arena);
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		expected[kept] = expect(arena, trial, machine, &probes[i], interfaces);
		if (!bucket_used(buckets, scratch, &probes[i], &expected[kept].verdict))
			probes[kept++] = probes[i];
		arena_reset(scratch);
	}
	arena_free(scratch);
	return kept;
}

/* --- comparing --- */

static void show(const struct machine *machine, const struct probe *probe, const struct expected *expected,
                 const struct str *interfaces)
{
	struct arena *scratch = arena_new();

	fprintf(stderr, "DIFFERS: %.*s %s %.*s -> %.*s protocol %u", STR_ARG(machine->name),
	        probe->direction == DIRECTION_IN ? "in" : "out", STR_ARG(addr_str(scratch, probe->source)),
	        STR_ARG(addr_str(scratch, probe->destination)), probe->protocol);
	fprintf(stderr, protocol_has_ports(probe->protocol) ? " port %u" : " type %u code %u",
	        protocol_has_ports(probe->protocol) ? probe->port : probe->icmp_type, probe->icmp_code);
	fprintf(stderr, " on %.*s: explain says %s, stage %.*s%s", STR_ARG(interfaces[probe->interface]),
	        expected->verdict.allow ? "allow" : "deny", STR_ARG(stage_str(expected->verdict.stage)),
	        expected->invalid ? " (INVALID)" : "");
	for (size_t i = 0; i < expected->verdict.rule_count; i++)
		fprintf(stderr, ", \"%.*s\"", STR_ARG(expected->verdict.rules[i]->held->text));
	fprintf(stderr, "; the kernel: %s%s\n", !probe->seen ? "not seen" : probe->passed ? "let through" : "stopped",
	        probe->refused ? ", answered with a refusal" : "");
	arena_free(scratch);
}

static bool agrees(const struct probe *probe, const struct expected *expected)
{
	if (probe->passed != expected->passed)
		return false;
	if (probe->refused && !expected->refused)
		return false;
	return probe->refused == expected->refused || !expected->refusal_known;
}

static void count_one(const struct machine *machine, const struct probe *probe, const struct expected *expected,
                      const struct str *interfaces, struct tally *tally)
{
	tally->tried++;
	tally->allowed += probe->passed;
	tally->denied += !probe->passed;
	tally->refused += probe->refused;
	tally->invalid += expected->invalid;
	tally->unseen += !probe->seen;
	if (probe->seen && agrees(probe, expected))
		return;
	if (tally->differing++ < SHOWN)
		show(machine, probe, expected, interfaces);
}

void compare(struct trial *trial, struct judge *judge, uint32_t machine, const struct str *interfaces,
             struct probe *probes, size_t count, struct tally *tally)
{
	const struct machine *own = &trial->fleet.machines[machine];
	struct arena *arena = arena_new();
	struct expected *expected = ARENA_ARRAY(arena, struct expected, count);

	count = drop_uncertain(arena, trial, machine, interfaces, probes, count, expected);
	judge_probes(judge, probes, count);
	for (size_t i = 0; i < count; i++)
		count_one(own, &probes[i], &expected[i], interfaces, tally);
	arena_free(arena);
}

void tally_print(const char *name, const struct tally *tally)
{
	printf("%s: %zu packets tried, %zu let through, %zu stopped (%zu answered with a refusal, %zu INVALID), %zu "
	       "not carried, %zu differ\n",
	       name, tally->tried, tally->allowed, tally->denied, tally->refused, tally->invalid, tally->unseen,
	       tally->differing);
}
