/* What a single packet of a new connection does not show: limits above their rate, rules that end by themselves, DHCP,
 * packets in odd states, management before everything, and the rules of others in modes coexist and monitor. */
#include <netinet/tcp.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "kernel.h"

#define OWN_4 "10.9.0.1"
#define OWN_6 "fd09::1"
#define MANAGEMENT_4 "192.0.2.201"
#define MANAGEMENT_6 "2001:db8:6:ff::7"
#define OTHER_4 "203.0.113.9"
#define OTHER_6 "2001:db8:9::9"

static const char document[] =
	"roles = (\n"
	"  { name = \"served\"; rules = [ \"allow 7001/tcp\", \"deny 7003/tcp\", \"allow 7005/tcp limit 2/hour\",\n"
	"      \"allow 7006/tcp limit 9/day\", \"deny 22/tcp\" ]; },\n"
	"  { name = \"tight\"; egress = \"closed\"; rules = [ \"deny 7001/tcp to any\" ]; },\n"
	"  { name = \"ending\"; rules = [ \"allow 7007/tcp until %s\", \"allow 7008/tcp until 2037-01-01T00:00:00Z\",\n"
	"      \"deny 7009/tcp until %s\", \"allow 7009/tcp\" ]; } );\n"
	"machines = (\n"
	"  { name = \"alone\"; roles = [ \"served\", \"tight\" ]; },\n"
	"  { name = \"open\"; roles = [ \"served\" ]; },\n"
	"  { name = \"beside\"; roles = [ \"served\", \"tight\" ]; mode = \"coexist\"; },\n"
	"  { name = \"watched\"; roles = [ \"served\", \"tight\" ]; enforcement = \"monitor\"; },\n"
	"  { name = \"ending\"; roles = [ \"ending\" ]; } );\n";

/* What the tests share. */
struct scene {
	struct arena *arena;
	struct trial *trial;
	struct judge *judge;
	struct backend backend;
	int64_t end; /* when the rules of `ending` end */
	unsigned passed, failed;
};

static void check(struct scene *scene, bool right, const char *what)
{
	scene->passed += right;
	scene->failed += !right;
	if (!right)
		fprintf(stderr, "FAILED: %s\n", what);
}

static void load(struct scene *scene, const char *machine)
{
	load_nothing(scene->arena, &scene->backend);
	load_ruleset(scene->arena, &scene->backend, trial_ruleset_of(scene->trial, machine));
}

/* --- packets --- */

static struct addr addr_of(const char *text)
{
	struct addr addr;

	if (!addr_parse(str_of(text), &addr))
		die("bad address %s", text);
	return addr;
}

static struct probe packet_in(const char *source, uint8_t protocol, uint16_t port)
{
	struct addr from = addr_of(source);

	return (struct probe){
		.direction = DIRECTION_IN,
		.source = from,
		.destination = addr_of(from.family == FAMILY_4 ? OWN_4 : OWN_6),
		.protocol = protocol,
		.port = port,
	};
}

static struct probe packet_out(const char *destination, uint8_t protocol, uint16_t port)
{
	struct probe probe = packet_in(destination, protocol, port);
	struct addr own = probe.destination;

	probe.direction = DIRECTION_OUT;
	probe.destination = probe.source;
	probe.source = own;
	return probe;
}

static struct probe with_source_port(struct probe probe, uint16_t port)
{
	probe.source_port = port;
	return probe;
}

static struct probe with_flags(struct probe probe, uint8_t flags)
{
	probe.tcp_flags = flags;
	return probe;
}

static bool passes(struct scene *scene, struct probe probe)
{
	judge_probes(scene->judge, &probe, 1);
	if (!probe.seen)
		die("the kernel did not carry a packet");
	return probe.passed;
}

static unsigned count_passing(struct scene *scene, struct probe probe, unsigned times)
{
	struct probe probes[32];
	unsigned passed = 0;

	for (unsigned i = 0; i < times; i++)
		probes[i] = probe;
	judge_probes(scene->judge, probes, times);
	for (unsigned i = 0; i < times; i++)
		passed += probes[i].passed;
	return passed;
}

/* --- limits: burst min(N, 5), each source for itself, above it the rule does not match --- */

static void test_limits(struct scene *scene)
{
	load(scene, "open");
	check(scene, count_passing(scene, packet_in(OTHER_4, PROTOCOL_TCP, 7005), 20) == 2,
	      "2/hour lets two of twenty in");
	check(scene, count_passing(scene, packet_in(OTHER_4, PROTOCOL_TCP, 7005), 20) == 0, "and none after them");
	check(scene, count_passing(scene, packet_in("203.0.113.10", PROTOCOL_TCP, 7005), 20) == 2,
	      "another source has its own two");
	check(scene, count_passing(scene, packet_in(OTHER_6, PROTOCOL_TCP, 7005), 20) == 2, "2/hour on IPv6");
	check(scene, count_passing(scene, packet_in(OTHER_4, PROTOCOL_TCP, 7006), 20) == 5,
	      "9/day has a burst of five");
	check(scene, count_passing(scene, packet_in(OTHER_4, PROTOCOL_TCP, 7001), 20) == 20, "no limit, no limit");
}

/* --- housekeeping by source port --- */

static void test_dhcp(struct scene *scene)
{
	static const char *const machines[] = {"alone", "beside"};

	for (size_t i = 0; i < 2; i++) {
		load(scene, machines[i]);
		check(scene, passes(scene, with_source_port(packet_in(OTHER_4, PROTOCOL_UDP, 68), 67)), "DHCP replies");
		check(scene, !passes(scene, with_source_port(packet_in(OTHER_4, PROTOCOL_UDP, 68), 66)),
		      "from port 66");
		check(scene, !passes(scene, with_source_port(packet_in(OTHER_4, PROTOCOL_UDP, 69), 67)), "to port 69");
		check(scene, passes(scene, with_source_port(packet_in("fe80::5", PROTOCOL_UDP, 546), 547)),
		      "DHCPv6 replies");
		check(scene, passes(scene, with_source_port(packet_in("febf::5", PROTOCOL_UDP, 546), 547)),
		      "from fe80::/10's end");
		check(scene, !passes(scene, with_source_port(packet_in("fec0::5", PROTOCOL_UDP, 546), 547)),
		      "from behind it");
		check(scene, !passes(scene, with_source_port(packet_in("fe80::5", PROTOCOL_UDP, 68), 67)),
		      "67 to 68 on IPv6");
		check(scene, passes(scene, with_source_port(packet_out(OTHER_4, PROTOCOL_UDP, 67), 68)),
		      "DHCP requests");
		check(scene, !passes(scene, with_source_port(packet_out(OTHER_4, PROTOCOL_UDP, 67), 69)),
		      "from port 69");
		check(scene, passes(scene, with_source_port(packet_out(OTHER_6, PROTOCOL_UDP, 547), 546)),
		      "DHCPv6 requests");
		check(scene, !passes(scene, with_source_port(packet_out(OTHER_6, PROTOCOL_UDP, 547), 545)),
		      "from port 545");
	}
}

/* --- management, and packets that conntrack knows nothing of --- */

/* A session that conntrack never saw must not hang, whatever closed egress says. */
static void test_management_out(struct scene *scene)
{
	static const char *const machines[] = {"alone", "beside"};

	for (size_t i = 0; i < 2; i++) {
		load(scene, machines[i]);
		check(scene,
		      passes(scene,
		             with_flags(with_source_port(packet_out(MANAGEMENT_4, PROTOCOL_TCP, 5000), 22), TH_ACK)),
		      "an answer from the SSH port to a management source");
		check(scene,
		      passes(scene,
		             with_flags(with_source_port(packet_out(MANAGEMENT_6, PROTOCOL_TCP, 5000), 22), TH_ACK)),
		      "on IPv6");
		check(scene,
		      passes(scene,
		             with_flags(with_source_port(packet_out(MANAGEMENT_4, PROTOCOL_TCP, 7001), 22), TH_ACK)),
		      "no rule takes that away");
		check(scene,
		      !passes(scene, with_flags(with_source_port(packet_out(OTHER_4, PROTOCOL_TCP, 5000), 22), TH_ACK)),
		      "to anybody else");
		check(scene, !passes(scene, with_source_port(packet_out(MANAGEMENT_4, PROTOCOL_TCP, 5000), 23)),
		      "from port 23");
	}
}

static void test_management_in(struct scene *scene)
{
	static const char *const machines[] = {"alone", "open", "beside"};

	for (size_t i = 0; i < 3; i++) {
		load(scene, machines[i]);
		check(scene, passes(scene, packet_in(MANAGEMENT_4, PROTOCOL_TCP, 22)),
		      "management, though a rule denies the port");
		check(scene, passes(scene, packet_in(MANAGEMENT_6, PROTOCOL_TCP, 22)), "management on IPv6");
		check(scene, !passes(scene, packet_in(OTHER_4, PROTOCOL_TCP, 22)), "the SSH port for others");
	}
}

/* Coexist: management in any state, before everything; exclusive: the invalid check comes first. */
static void test_invalid(struct scene *scene)
{
	load(scene, "alone");
	check(scene, !passes(scene, with_flags(packet_in(OTHER_4, PROTOCOL_TCP, 7001), TH_RST)),
	      "exclusive drops what is INVALID");
	check(scene, !passes(scene, with_flags(packet_in(MANAGEMENT_4, PROTOCOL_TCP, 22), TH_RST)),
	      "from management, too");
	load(scene, "beside");
	check(scene, !passes(scene, with_flags(packet_in(OTHER_6, PROTOCOL_TCP, 7001), TH_RST)),
	      "coexist drops what is INVALID");
	check(scene, passes(scene, with_flags(packet_in(MANAGEMENT_4, PROTOCOL_TCP, 22), TH_RST)),
	      "but management in any state");
	check(scene, passes(scene, with_flags(packet_in(MANAGEMENT_6, PROTOCOL_TCP, 22), TH_RST)), "on IPv6");
	load(scene, "watched");
	check(scene, passes(scene, with_flags(packet_in(OTHER_4, PROTOCOL_TCP, 7001), TH_RST)),
	      "monitor drops nothing");
}

/* --- the rules of others --- */

static void add_foreign(struct scene *scene)
{
	static const char *const rules[][2] = {
		{"7001", "DROP"}, {"7003", "ACCEPT"}, {"7777", "ACCEPT"}, {"7778", "DROP"}, {"22", "DROP"}};

	for (int family = 0; family < 2; family++)
		for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
			run(scene->arena,
			    (const char *const[]){scene->backend.iptables[family], "-A", "INPUT", "-p", "tcp",
			                          "--dport", rules[i][0], "-j", rules[i][1], NULL},
			    STR(""));
}

static void test_coexist(struct scene *scene)
{
	static const char *const sources[] = {OTHER_4, OTHER_6};

	load(scene, "beside");
	check(scene, passes(scene, packet_in(OTHER_4, PROTOCOL_TCP, 7001)), "an allowed port, with nobody else there");
	add_foreign(scene);
	for (size_t i = 0; i < 2; i++) {
		check(scene, !passes(scene, packet_in(sources[i], PROTOCOL_TCP, 7001)),
		      "others may refuse what we allow");
		check(scene, !passes(scene, packet_in(sources[i], PROTOCOL_TCP, 7003)), "nobody lets in what we deny");
		check(scene, !passes(scene, packet_in(sources[i], PROTOCOL_TCP, 7777)), "nor what our default refuses");
	}
	check(scene, passes(scene, packet_in(MANAGEMENT_4, PROTOCOL_TCP, 22)), "nobody refuses management");
}

static void test_monitor(struct scene *scene)
{
	load(scene, "watched");
	check(scene, passes(scene, packet_in(OTHER_4, PROTOCOL_TCP, 7003)),
	      "monitor refuses nothing that a rule denies");
	check(scene, passes(scene, packet_in(OTHER_4, PROTOCOL_TCP, 9999)), "nor by default");
	check(scene, passes(scene, packet_out(OTHER_4, PROTOCOL_TCP, 7001)), "nor outbound");
	check(scene, passes(scene, packet_out(OTHER_6, PROTOCOL_TCP, 9999)), "nor by closed egress");
	add_foreign(scene);
	check(scene, passes(scene, packet_in(OTHER_4, PROTOCOL_TCP, 7003)), "others accept");
	check(scene, !passes(scene, packet_in(OTHER_4, PROTOCOL_TCP, 7001)), "others refuse what we would allow");
	check(scene, !passes(scene, packet_in(OTHER_6, PROTOCOL_TCP, 7778)), "and what we would not");
}

/* --- rules that end, though nobody pushes --- */

static void test_before_end(struct scene *scene)
{
	load(scene, "ending");
	if (time(NULL) >= scene->end)
		die("this machine was too slow for a rule of some seconds");
	check(scene, passes(scene, packet_in(OTHER_4, PROTOCOL_TCP, 7007)), "an allow rule before its end");
	check(scene, passes(scene, packet_in(OTHER_6, PROTOCOL_TCP, 7007)), "on IPv6");
	check(scene, passes(scene, packet_in(OTHER_4, PROTOCOL_TCP, 7008)), "one that ends later");
	check(scene, !passes(scene, packet_in(OTHER_4, PROTOCOL_TCP, 7009)), "a deny rule before its end");
}

static void test_after_end(struct scene *scene)
{
	struct timespec moment = {.tv_nsec = 100000000};

	while (time(NULL) <= scene->end)
		nanosleep(&moment, NULL);
	load(scene, "ending");
	check(scene, !passes(scene, packet_in(OTHER_4, PROTOCOL_TCP, 7007)), "an allow rule after its end");
	check(scene, !passes(scene, packet_in(OTHER_6, PROTOCOL_TCP, 7007)), "on IPv6");
	check(scene, passes(scene, packet_in(OTHER_4, PROTOCOL_TCP, 7008)), "one that ends later");
	check(scene, !passes(scene, packet_in(OTHER_4, PROTOCOL_TCP, 7009)), "a deny rule stays until the next push");
}

/* --- all of it --- */

static void set_scene(struct scene *scene)
{
	static const struct str interfaces[] = {{"~none", 5}};
	struct buf end = buf_new(scene->arena);
	const char *text;

	scene->end = time(NULL) + 5;
	time_print(&end, scene->end);
	text = str_c(scene->arena, buf_str(&end));
	scene->trial = trial_of_text(scene->arena, "states", str_format(scene->arena, document, text, text),
	                             trial_settings(scene->arena));
	scene->judge = judge_new(scene->arena, interfaces, 1);
	load_sets(scene->arena, &scene->trial->output);
}

static int tests(const void *context)
{
	struct scene scene = {.arena = arena_new()};

	scene.backend = backend_of(scene.arena, context);
	if (!backend_enter(&scene.backend))
		return SKIPPED;
	set_scene(&scene);
	test_before_end(&scene);
	test_limits(&scene);
	test_dhcp(&scene);
	test_management_out(&scene);
	test_management_in(&scene);
	test_invalid(&scene);
	test_coexist(&scene);
	test_monitor(&scene);
	test_after_end(&scene);
	judge_free(scene.judge);
	arena_free(scene.arena);
	printf("iptables%s: %u checks passed, %u failed\n", (const char *)context, scene.passed, scene.failed);
	return scene.failed > 0 ? 1 : 0;
}

int main(void)
{
	static const void *const backends[] = {"-nft", "-legacy"};
	const char *missing = netns_missing_program();

	if (missing != NULL) {
		printf("%s is not installed\n", missing);
		return SKIPPED;
	}
	return in_children(tests, backends, 2);
}
