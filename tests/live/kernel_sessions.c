/* Real sessions between network namespaces: replies need no rule, neighbour discovery works under a policy of DROP,
 * refusals reach the one who asked, and packets of others are forwarded in mode coexist alone. Three namespaces in a
 * row: peer, host (which has the ruleset), far. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "kernel.h"

#define PATIENCE 300 /* milliseconds, for an answer that should not come */
#define HOPE 3000    /* for one that should */

static const char document[] =
	"roles = (\n"
	"  { name = \"served\"; rules = [ \"allow 7001/tcp\", \"reject 7002/tcp\", \"deny 7003/tcp\", \"allow "
        "7001/udp\",\n"
	"      \"reject 7002/udp\", \"allow icmp/echo-request from 10.9.1.2, fd09:1::2\" ]; },\n"
	"  { name = \"tight\"; egress = \"closed\"; rules = [ \"allow 7101/tcp to any\", \"reject 7102/tcp to any\",\n"
	"      \"reject 7102/udp to any\" ]; } );\n"
	"machines = (\n"
	"  { name = \"alone\"; roles = [ \"served\", \"tight\" ]; },\n"
	"  { name = \"beside\"; roles = [ \"served\", \"tight\" ]; mode = \"coexist\"; },\n"
	"  { name = \"watched\"; roles = [ \"served\", \"tight\" ]; enforcement = \"monitor\"; } );\n";

enum spot { PEER, HOST, FAR, SPOTS };

struct scene {
	struct arena *arena;
	struct trial *trial;
	struct backend backend;
	int spots[SPOTS]; /* descriptors of the namespaces */
	const char *what;   /* machine whose ruleset is loaded */
	unsigned passed, failed;
};

static void check(struct scene *scene, bool right, const char *said, int family)
{
	scene->passed += right;
	scene->failed += !right;
	if (!right)
		fprintf(stderr, "FAILED: %s, IPv%d: %s\n", scene->what, family == AF_INET ? 4 : 6, said);
}

/* --- the namespaces --- */

static void go(const struct scene *scene, enum spot spot)
{
	if (setns(scene->spots[spot], CLONE_NEWNET) != 0)
		die("setns: %s", strerror(errno));
}

static int this_namespace(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("/proc/self/ns/net: %s", strerror(errno));
	return fd;
}

static bool make_spots(struct scene *scene)
{
	if (!backend_enter(&scene->backend))
		return false;
	scene->spots[PEER] = this_namespace();
	for (int spot = HOST; spot < SPOTS; spot++) {
		if (unshare(CLONE_NEWNET) != 0)
			die("unshare: %s", strerror(errno));
		scene->spots[spot] = this_namespace();
	}
	return true;
}

static void ip(const struct scene *scene, enum spot spot, struct str batch)
{
	go(scene, spot);
	run(scene->arena, (const char *const[]){"ip", "-batch", "-", NULL}, batch);
}

/* One wire between the host and a spot, 10.9.N.0/24 and fd09:N::/64; the host has ::1. */
static void wire(const struct scene *scene, enum spot spot, int number)
{
	struct str away = str_format(scene->arena, "/proc/%d/fd/%d", (int)getpid(), scene->spots[spot]);

	ip(scene, HOST,
	   str_format(scene->arena,
	              "link set lo up\nlink add name wire%d type veth peer name wire\nlink set wire netns %.*s\n"
	              "addr add 10.9.%d.1/24 dev wire%d\naddr add fd09:%d::1/64 dev wire%d nodad\nlink set wire%d up\n",
	              number, STR_ARG(away), number, number, number, number, number));
	ip(scene, spot,
	   str_format(scene->arena,
	              "link set lo up\naddr add 10.9.%d.2/24 dev wire\naddr add fd09:%d::2/64 dev wire nodad\n"
	              "link set wire up\nroute add default via 10.9.%d.1\nroute add default via fd09:%d::1\n",
	              number, number, number, number));
}

static void write_setting(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		die("%s: %s", path, strerror(errno));
	close(fd);
}

static void wire_up(struct scene *scene)
{
	wire(scene, PEER, 1);
	wire(scene, FAR, 2);
	go(scene, HOST);
	write_setting("/proc/sys/net/ipv4/ip_forward", "1");
	write_setting("/proc/sys/net/ipv6/conf/all/forwarding", "1");
}

static void load(struct scene *scene, const char *machine)
{
	go(scene, HOST);
	scene->what = machine;
	load_nothing(scene->arena, &scene->backend);
	load_ruleset(scene->arena, &scene->backend, trial_ruleset_of(scene->trial, machine));
	/* Neighbours have to be found again under the new rules. */
	run(scene->arena, (const char *const[]){"ip", "neigh", "flush", "all", NULL}, STR(""));
}

/* --- sockets --- */

static struct sockaddr_storage address(int family, const char *four, const char *six, unsigned port)
{
	struct sockaddr_storage storage = {.ss_family = (sa_family_t)family};

	if (family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)&storage;
		inet_pton(AF_INET, four, &in->sin_addr);
		in->sin_port = htons((uint16_t)port);
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;
		inet_pton(AF_INET6, six, &in6->sin6_addr);
		in6->sin6_port = htons((uint16_t)port);
	}
	return storage;
}

static socklen_t length(int family)
{
	return family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static int socket_in(const struct scene *scene, enum spot spot, int family, int type)
{
	int fd;

	go(scene, spot);
	fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		die("socket: %s", strerror(errno));
	return fd;
}

static int listener(const struct scene *scene, enum spot spot, int family, int type, unsigned port)
{
	struct sockaddr_storage any = address(family, "0.0.0.0", "::", port);
	int fd = socket_in(scene, spot, family, type), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&any, length(family)) != 0 || (type == SOCK_STREAM && listen(fd, 8) != 0))
		die("bind to port %u: %s", port, strerror(errno));
	return fd;
}

static bool ready(int fd, short events, int patience)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};

	return poll(&poll_fd, 1, patience) == 1;
}

/* 0: connected; else the error; ETIMEDOUT when nothing came. */
static int connect_outcome(int fd, const struct sockaddr_storage *to, int patience)
{
	int error = 0;
	socklen_t size = sizeof error;

	if (connect(fd, (const struct sockaddr *)to, length(to->ss_family)) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (!ready(fd, POLLOUT, patience))
		return ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error;
}

static int try_connect(const struct scene *scene, enum spot from, int family, const char *four, const char *six,
                       unsigned port, int patience)
{
	struct sockaddr_storage to = address(family, four, six, port);
	int fd = socket_in(scene, from, family, SOCK_STREAM), outcome = connect_outcome(fd, &to, patience);

	close(fd);
	return outcome;
}

/* Words both ways over one TCP session. */
static bool talk(const struct scene *scene, enum spot from, enum spot to, int family, const char *four, const char *six,
                 unsigned port)
{
	struct sockaddr_storage there = address(family, four, six, port);
	int server = listener(scene, to, family, SOCK_STREAM, port),
	    client = socket_in(scene, from, family, SOCK_STREAM), session = -1;
	char word[8] = "";
	bool heard = false;

	if (connect_outcome(client, &there, HOPE) == 0 && ready(server, POLLIN, HOPE))
		session = accept(server, NULL, NULL);
	if (session >= 0 && send(client, "ask", 4, 0) == 4 && ready(session, POLLIN, HOPE) &&
	    recv(session, word, 4, 0) == 4 && send(session, "told", 5, 0) == 5 && ready(client, POLLIN, HOPE) &&
	    recv(client, word, 5, 0) == 5)
		heard = strcmp(word, "told") == 0;
	if (session >= 0)
		close(session);
	close(client);
	close(server);
	return heard;
}

/* What becomes of a datagram: 0 no answer, ECONNREFUSED, EPERM. */
static int udp_outcome(const struct scene *scene, enum spot from, int family, const char *four, const char *six,
                       unsigned port)
{
	struct sockaddr_storage to = address(family, four, six, port);
	int fd = socket_in(scene, from, family, SOCK_DGRAM), outcome = 0;
	char byte;

	if (connect(fd, (struct sockaddr *)&to, length(family)) != 0 || send(fd, "x", 1, 0) != 1)
		outcome = errno;
	else if (ready(fd, POLLIN, PATIENCE) && recv(fd, &byte, 1, 0) < 0)
		outcome = errno;
	close(fd);
	return outcome;
}

/* An answer comes back to a datagram. */
static bool udp_talk(const struct scene *scene, int family, unsigned port)
{
	struct sockaddr_storage to = address(family, "10.9.1.1", "fd09:1::1", port), from;
	int server = listener(scene, HOST, family, SOCK_DGRAM, port),
	    client = socket_in(scene, PEER, family, SOCK_DGRAM);
	socklen_t size = sizeof from;
	char byte = 'x';
	bool heard = connect(client, (struct sockaddr *)&to, length(family)) == 0 && send(client, &byte, 1, 0) == 1 &&
	             ready(server, POLLIN, HOPE) &&
	             recvfrom(server, &byte, 1, 0, (struct sockaddr *)&from, &size) == 1 &&
	             sendto(server, &byte, 1, 0, (struct sockaddr *)&from, size) == 1 && ready(client, POLLIN, HOPE) &&
	             recv(client, &byte, 1, 0) == 1;

	close(client);
	close(server);
	return heard;
}

/* --- ping --- */

static uint16_t checksum(const unsigned char *bytes, size_t count)
{
	uint32_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
	while (total >> 16 != 0)
		total = (total & 0xffff) + (total >> 16);
	return htons((uint16_t)~total);
}

/* Echo request (8; 128) and reply (0; 129) through a raw socket, which on IPv4 shows the network header, too. */
static bool ping(const struct scene *scene, enum spot from, int family, const char *four, const char *six, int patience)
{
	struct sockaddr_storage to = address(family, four, six, 0);
	unsigned char packet[8] = {family == AF_INET ? 8 : 128, 0, 0, 0, 0x12, 0x34, 0, 1}, answer[256];
	bool heard = false;
	uint16_t sum = checksum(packet, sizeof packet);
	int fd;

	go(scene, from);
	fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (fd < 0)
		die("raw socket: %s", strerror(errno));
	if (family == AF_INET) /* the kernel does it on IPv6 */
		memcpy(packet + 2, &sum, sizeof sum);
	if (sendto(fd, packet, sizeof packet, 0, (struct sockaddr *)&to, length(family)) == sizeof packet)
		while (!heard && ready(fd, POLLIN, patience)) {
			ssize_t size = recv(fd, answer, sizeof answer, 0);
			const unsigned char *icmp = family == AF_INET ? answer + 20 : answer;
			heard = size >= (family == AF_INET ? 28 : 8) && icmp[0] == (family == AF_INET ? 0 : 129) &&
			        icmp[4] == 0x12 && icmp[5] == 0x34;
		}
	close(fd);
	return heard;
}

/* --- tests --- */

static void test_inbound(struct scene *scene, int family)
{
	int silent = listener(scene, HOST, family, SOCK_STREAM, 7003),
	    refusing = listener(scene, HOST, family, SOCK_STREAM, 7002);

	check(scene, talk(scene, PEER, HOST, family, "10.9.1.1", "fd09:1::1", 7001), "a session on an allowed port",
	      family);
	check(scene, try_connect(scene, PEER, family, "10.9.1.1", "fd09:1::1", 7002, HOPE) == ECONNREFUSED,
	      "a reset for reject", family);
	check(scene, try_connect(scene, PEER, family, "10.9.1.1", "fd09:1::1", 7003, PATIENCE) == ETIMEDOUT,
	      "silence for deny", family);
	check(scene, udp_talk(scene, family, 7001), "a datagram and its answer", family);
	check(scene, udp_outcome(scene, PEER, family, "10.9.1.1", "fd09:1::1", 7002) == ECONNREFUSED,
	      "port-unreachable for reject", family);
	check(scene, udp_outcome(scene, PEER, family, "10.9.1.1", "fd09:1::1", 7005) == 0, "silence by default",
	      family);
	check(scene, ping(scene, PEER, family, "10.9.1.1", "fd09:1::1", HOPE), "a ping that is allowed", family);
	check(scene, !ping(scene, FAR, family, "10.9.2.1", "fd09:2::1", PATIENCE), "a ping that is not", family);
	close(silent);
	close(refusing);
}

static void test_outbound(struct scene *scene, int family)
{
	int other = listener(scene, PEER, family, SOCK_STREAM, 7103),
	    refusing = listener(scene, PEER, family, SOCK_STREAM, 7102);

	check(scene, talk(scene, HOST, PEER, family, "10.9.1.2", "fd09:1::2", 7101), "a session out, and its replies",
	      family);
	check(scene, try_connect(scene, HOST, family, "10.9.1.2", "fd09:1::2", 7102, HOPE) == ECONNREFUSED,
	      "a reset outbound", family);
	check(scene, try_connect(scene, HOST, family, "10.9.1.2", "fd09:1::2", 7103, PATIENCE) != 0, "closed egress",
	      family);
	check(scene, udp_outcome(scene, HOST, family, "10.9.1.2", "fd09:1::2", 7103) == EPERM,
	      "closed egress for a datagram", family);
	check(scene, udp_outcome(scene, HOST, family, "10.9.1.2", "fd09:1::2", 7102) != 0, "reject for a datagram",
	      family);
	check(scene, talk(scene, HOST, HOST, family, "127.0.0.1", "::1", 7200), "loopback, whatever the rules say",
	      family);
	close(other);
	close(refusing);
}

static void test_watched(struct scene *scene, int family)
{
	check(scene, talk(scene, PEER, HOST, family, "10.9.1.1", "fd09:1::1", 7003), "a session that a rule would deny",
	      family);
	check(scene, talk(scene, PEER, HOST, family, "10.9.1.1", "fd09:1::1", 7002), "one that a rule would reject",
	      family);
	check(scene, talk(scene, HOST, PEER, family, "10.9.1.2", "fd09:1::2", 7103),
	      "one that closed egress would refuse", family);
	check(scene, ping(scene, FAR, family, "10.9.2.1", "fd09:2::1", HOPE), "a ping that no rule allows", family);
}

static void test_forwarding(struct scene *scene, int family, bool forwards)
{
	check(scene, ping(scene, PEER, family, "10.9.2.2", "fd09:2::2", forwards ? HOPE : PATIENCE) == forwards,
	      forwards ? "packets of others are forwarded" : "packets of others are not forwarded", family);
}

/* A session that was open before stays open when its rule goes: replies and all that is established need none. */
static void test_established(struct scene *scene, int family)
{
	struct sockaddr_storage there = address(family, "10.9.1.2", "fd09:1::2", 7103);
	int server, client, session = -1;
	char word[8] = "";

	go(scene, HOST);
	load_nothing(scene->arena, &scene->backend);
	/* conntrack watches only where a rule asks for states. */
	for (int i = 0; i < 2; i++)
		run(scene->arena,
		    (const char *const[]){scene->backend.iptables[i], "-A", "INPUT", "-m", "conntrack", "--ctstate",
		                          "INVALID", NULL},
		    STR(""));
	server = listener(scene, PEER, family, SOCK_STREAM, 7103);
	client = socket_in(scene, HOST, family, SOCK_STREAM);
	if (connect_outcome(client, &there, HOPE) == 0 && ready(server, POLLIN, HOPE))
		session = accept(server, NULL, NULL);
	load(scene, "alone");
	check(scene,
	      session >= 0 && send(client, "ask", 4, 0) == 4 && ready(session, POLLIN, HOPE) &&
	              recv(session, word, 4, 0) == 4 && send(session, "told", 5, 0) == 5 &&
	              ready(client, POLLIN, HOPE) && recv(client, word, 5, 0) == 5,
	      "a session that was open before", family);
	if (session >= 0)
		close(session);
	close(client);
	close(server);
}

static void test_machine(struct scene *scene, const char *machine)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < 2; i++) {
		load(scene, machine);
		if (strcmp(machine, "watched") == 0) {
			test_watched(scene, families[i]);
		} else {
			test_inbound(scene, families[i]);
			test_outbound(scene, families[i]);
		}
		test_forwarding(scene, families[i], strcmp(machine, "alone") != 0);
		if (strcmp(machine, "alone") == 0)
			test_established(scene, families[i]);
	}
}

static int tests(const void *context)
{
	struct scene scene = {.arena = arena_new()};

	scene.backend = backend_of(scene.arena, context);
	if (!make_spots(&scene))
		return SKIPPED;
	scene.trial = trial_of_text(scene.arena, "sessions", str_of(document), trial_settings(scene.arena));
	wire_up(&scene);
	go(&scene, HOST);
	load_sets(scene.arena, &scene.trial->output);
	test_machine(&scene, "alone");
	test_machine(&scene, "beside");
	test_machine(&scene, "watched");
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
