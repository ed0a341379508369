/* Sends packets and reads what became of them. Inbound ones are written into the far end of a veth pair, outbound ones
 * go through raw sockets bound to an interface. Routes make every address a local one for what comes in, and every
 * address reachable for what goes out; our own packets carry a mark outbound, so that answers of the kernel are never
 * taken for them. */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "packets.h"

#define MARK 0x66770001
#define MARK_TEXT "0x66770001"
#define BATCH 12000 /* packets are numbered with 16 bits */
#define TRIES 4

struct interface {
	struct str name;
	unsigned index, far_index;
	unsigned char mac[ETH_ALEN], far_mac[ETH_ALEN];
	int raw[2]; /* IPv4, IPv6 */
};

struct judge {
	struct interface *interfaces;
	size_t count;
	int packet; /* AF_PACKET */
};

/* --- making it --- */

static void write_setting(const char *setting, const char *value)
{
	int fd = open(setting, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		die("%s: %s", setting, strerror(errno));
	close(fd);
}

/* No packet is refused for where it comes from, and answers come as fast as packets do. /proc/sys/net is that of our
 * namespace. */
static void write_settings(void)
{
	static const struct {
		const char *setting, *value;
	} settings[] = {
		{"/proc/sys/net/ipv4/conf/all/rp_filter", "0"},
		{"/proc/sys/net/ipv4/conf/default/rp_filter", "0"},
		{"/proc/sys/net/ipv4/icmp_ratemask", "0"},
		{"/proc/sys/net/ipv6/icmp/ratelimit", "0"},
		{"/proc/sys/net/ipv6/icmp/ratemask", "255"}, /* a type that there is not */
		{"/proc/sys/net/ipv6/conf/default/accept_ra", "0"},
		{"/proc/sys/net/ipv6/conf/default/accept_dad", "0"},
		{"/proc/sys/net/ipv6/conf/default/router_solicitations", "0"},
	};

	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		write_setting(settings[i].setting, settings[i].value);
}

/* The far end has no addresses: it is only a place to write packets into. */
static void make_interfaces(struct arena *arena, const struct judge *judge)
{
	struct buf links = buf_new(arena);

	buf_add(&links, STR("link set lo up\n"));
	for (size_t i = 0; i < judge->count; i++) {
		struct str name = judge->interfaces[i].name;
		buf_format(&links, "link add name %.*s type veth peer name ~far%zu\n", STR_ARG(name), i);
		buf_format(&links, "link set dev ~far%zu addrgenmode none\nlink set dev %.*s addrgenmode none\n", i,
		           STR_ARG(name));
		buf_format(&links, "link set dev %.*s arp off up\nlink set dev ~far%zu arp off up\n", STR_ARG(name), i);
		/* A prefix of its own length: in a /64, fe80:: would be an anycast address of ours. */
		buf_format(&links, "addr add fe80::f%zu/128 dev %.*s nodad\n", i, STR_ARG(name));
	}
	run(arena, (const char *const[]){"ip", "-batch", "-", NULL}, buf_str(&links));
}

/* What comes in over the interfaces is for us, whatever its destination; what goes out finds a way on each. */
static void make_routes(struct arena *arena, const struct judge *judge, const char *family)
{
	struct buf routes = buf_new(arena);

	buf_add(&routes, STR("route add local default dev lo table 100\n"));
	for (size_t i = 0; i < judge->count; i++) {
		struct str name = judge->interfaces[i].name;
		buf_format(&routes, "rule add iif %.*s lookup 100\n", STR_ARG(name));
		buf_format(&routes, "route add default dev %.*s metric %zu\n", STR_ARG(name), i + 10);
	}
	run(arena, (const char *const[]){"ip", family, "-batch", "-", NULL}, buf_str(&routes));
}

/* The recorder: what reached the hook, what left the filter table, and what the kernel answered. */
static const char recorder[] =
	"table inet judge {\n"
	"set seen_in4 { typeof ip id; flags dynamic; size 65536; }\n"
	"set seen_in6 { typeof ip6 flowlabel; flags dynamic; size 65536; }\n"
	"set seen_out4 { typeof ip id; flags dynamic; size 65536; }\n"
	"set seen_out6 { typeof ip6 flowlabel; flags dynamic; size 65536; }\n"
	"set passed_in4 { typeof ip id; flags dynamic; size 65536; }\n"
	"set passed_in6 { typeof ip6 flowlabel; flags dynamic; size 65536; }\n"
	"set passed_out4 { typeof ip id; flags dynamic; size 65536; }\n"
	"set passed_out6 { typeof ip6 flowlabel; flags dynamic; size 65536; }\n"
	"set reset4 { typeof tcp ackseq; flags dynamic; size 65536; }\n"
	"set reset6 { typeof tcp ackseq; flags dynamic; size 65536; }\n"
	/* Behind ICMP's 8 bytes stands the refused packet: its identification, or its version and flow label. */
	"set unreachable4 { typeof @th,96,16; flags dynamic; size 65536; }\n"
	"set unreachable6 { typeof @th,64,32; flags dynamic; size 65536; }\n"
	"chain before_in { type filter hook input priority -301;\n"
	"  ip version 4 add @seen_in4 { ip id }; ip6 version 6 add @seen_in6 { ip6 flowlabel }; }\n"
	"chain behind_in { type filter hook input priority 300;\n"
	"  ip version 4 add @passed_in4 { ip id }; ip6 version 6 add @passed_in6 { ip6 flowlabel }; drop; }\n"
	"chain before_out { type filter hook output priority -301; meta mark != " MARK_TEXT " return;\n"
	"  ip version 4 add @seen_out4 { ip id }; ip6 version 6 add @seen_out6 { ip6 flowlabel }; }\n"
	"chain behind_out { type filter hook output priority 300; meta mark " MARK_TEXT " goto ours;\n"
	"  ip protocol tcp tcp flags & rst == rst add @reset4 { tcp ackseq };\n"
	"  ip6 nexthdr tcp tcp flags & rst == rst add @reset6 { tcp ackseq };\n"
	"  icmp type 3 icmp code 3 add @unreachable4 { @th,96,16 };\n"
	"  icmpv6 type 1 icmpv6 code 4 add @unreachable6 { @th,64,32 }; drop; }\n"
	"chain ours {\n"
	"  ip version 4 add @passed_out4 { ip id }; ip6 version 6 add @passed_out6 { ip6 flowlabel }; drop; }\n"
	"}\n";

static void read_mac(int fd, const char *name, unsigned char mac[ETH_ALEN])
{
	struct ifreq request = {0};

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, SIOCGIFHWADDR, &request) != 0)
		die("hardware address of %s: %s", name, strerror(errno));
	memcpy(mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
}

static int raw_socket(int family, const char *name)
{
	int mark = MARK, on = 1, fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) != 0)
		die("raw socket on %s: %s", name, strerror(errno));
	return fd;
}

static void open_interface(struct arena *arena, struct judge *judge, size_t number)
{
	struct interface *interface = &judge->interfaces[number];
	const char *name = str_c(arena, interface->name);
	const char *far = str_c(arena, str_format(arena, "~far%zu", number));

	interface->index = if_nametoindex(name);
	interface->far_index = if_nametoindex(far);
	read_mac(judge->packet, name, interface->mac);
	read_mac(judge->packet, far, interface->far_mac);
	interface->raw[0] = raw_socket(AF_INET, name);
	interface->raw[1] = raw_socket(AF_INET6, name);
}

struct judge *judge_new(struct arena *arena, const struct str *interfaces, size_t count)
{
	struct judge *judge = ARENA_NEW(arena, struct judge);

	judge->interfaces = ARENA_ARRAY(arena, struct interface, count);
	judge->count = count;
	for (size_t i = 0; i < count; i++)
		judge->interfaces[i].name = interfaces[i];
	write_settings();
	make_interfaces(arena, judge);
	make_routes(arena, judge, "-4");
	make_routes(arena, judge, "-6");
	judge->packet = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (judge->packet < 0)
		die("packet socket: %s", strerror(errno));
	for (size_t i = 0; i < count; i++)
		open_interface(arena, judge, i);
	run(arena, (const char *const[]){"nft", "-f", "-", NULL}, str_of(recorder));
	return judge;
}

void judge_free(struct judge *judge)
{
	for (size_t i = 0; i < judge->count; i++) {
		close(judge->interfaces[i].raw[0]);
		close(judge->interfaces[i].raw[1]);
	}
	close(judge->packet);
}

/* Packets reach us without this; but the kernel answers from an address only if its table of local ones has it. */
void judge_own(struct arena *arena, const struct addr *own, size_t count)
{
	struct buf routes = buf_new(arena);

	buf_add(&routes, STR("route flush table local proto 99\n"));
	for (size_t i = 0; i < count; i++)
		if (own[i].family == FAMILY_4)
			buf_format(&routes, "route add local %.*s dev lo table local proto 99\n",
			           STR_ARG(addr_str(arena, own[i])));
	run(arena, (const char *const[]){"ip", "-4", "-batch", "-", NULL}, buf_str(&routes));
}

/* --- sending --- */

static void send_in(const struct judge *judge, const struct probe *probe, uint32_t number)
{
	const struct interface *interface = &judge->interfaces[probe->interface];
	unsigned char frame[ETH_HLEN + PACKET_ROOM];
	uint16_t type = htons(probe->source.family == FAMILY_4 ? ETH_P_IP : ETH_P_IPV6);
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
	                         .sll_ifindex = (int)interface->far_index,
	                         .sll_halen = ETH_ALEN,
	                         .sll_protocol = type};
	size_t size = ETH_HLEN + packet_build(frame + ETH_HLEN, probe, number);

	memcpy(frame, interface->mac, ETH_ALEN);
	memcpy(frame + ETH_ALEN, interface->far_mac, ETH_ALEN);
	memcpy(frame + 2 * ETH_ALEN, &type, sizeof type);
	memcpy(to.sll_addr, interface->mac, ETH_ALEN);
	if (sendto(judge->packet, frame, size, 0, (struct sockaddr *)&to, sizeof to) < 0 && errno != ENOBUFS)
		die("sending into %.*s: %s", STR_ARG(interface->name), strerror(errno));
}

/* What the filter table drops fails with EPERM. Other failures leave the packet unseen, which the caller is told. */
static void send_out(const struct judge *judge, const struct probe *probe, uint32_t number)
{
	const struct interface *interface = &judge->interfaces[probe->interface];
	unsigned char packet[PACKET_ROOM];
	size_t size = packet_build(packet, probe, number);

	if (probe->destination.family == FAMILY_4) {
		struct sockaddr_in to = {.sin_family = AF_INET};
		addr_to_bytes(probe->destination, (unsigned char *)&to.sin_addr);
		(void)!sendto(interface->raw[0], packet, size, 0, (struct sockaddr *)&to, sizeof to);
	} else {
		struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_scope_id = interface->index};
		addr_to_bytes(probe->destination, (unsigned char *)&to.sin6_addr);
		(void)!sendto(interface->raw[1], packet, size, 0, (struct sockaddr *)&to, sizeof to);
	}
}

static void send_unseen(const struct judge *judge, const struct probe *probes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (probes[i].seen)
			continue;
		if (probes[i].direction == DIRECTION_IN)
			send_in(judge, &probes[i], (uint32_t)i + 1);
		else
			send_out(judge, &probes[i], (uint32_t)i + 1);
	}
}

/* --- reading the recorder --- */

/* What numbers in a set stand for. */
struct record {
	const char *set;
	enum direction direction;
	enum family family;
	size_t field;        /* of struct probe: the bool that it makes true */
	uint32_t less, mask; /* number of the packet = (element - less) & mask */
};

#define FIELD(name) offsetof(struct probe, name)
static const struct record records[] = {
	{"seen_in4", DIRECTION_IN, FAMILY_4, FIELD(seen), 0, 0xffff},
	{"seen_in6", DIRECTION_IN, FAMILY_6, FIELD(seen), 0, 0xfffff},
	{"seen_out4", DIRECTION_OUT, FAMILY_4, FIELD(seen), 0, 0xffff},
	{"seen_out6", DIRECTION_OUT, FAMILY_6, FIELD(seen), 0, 0xfffff},
	{"passed_in4", DIRECTION_IN, FAMILY_4, FIELD(passed), 0, 0xffff},
	{"passed_in6", DIRECTION_IN, FAMILY_6, FIELD(passed), 0, 0xfffff},
	{"passed_out4", DIRECTION_OUT, FAMILY_4, FIELD(passed), 0, 0xffff},
	{"passed_out6", DIRECTION_OUT, FAMILY_6, FIELD(passed), 0, 0xfffff},
	{"reset4", DIRECTION_IN, FAMILY_4, FIELD(refused), 1, 0xffffffff},
	{"reset6", DIRECTION_IN, FAMILY_6, FIELD(refused), 1, 0xffffffff},
	{"unreachable4", DIRECTION_IN, FAMILY_4, FIELD(refused), 0, 0xffff},
	{"unreachable6", DIRECTION_IN, FAMILY_6, FIELD(refused), 0, 0xfffff},
};
#define RECORDS (sizeof records / sizeof *records)

/* Whose numbers are read. */
struct reading {
	const struct record *record;
	struct probe *probes;
	size_t count;
};

static void record_number(void *context, uint32_t element)
{
	const struct reading *reading = context;
	const struct record *record = reading->record;
	uint32_t number = (element - record->less) & record->mask;
	struct probe *probe;

	if (number == 0 || number > reading->count)
		return;
	probe = &reading->probes[number - 1];
	/* A reset or unreachable may answer either direction; the others must belong to their own. */
	if (record->field != FIELD(refused) &&
	    (probe->direction != record->direction || probe->source.family != record->family))
		return;
	*(bool *)((char *)probe + record->field) = true;
}

static void read_records(struct probe *probes, size_t count)
{
	for (size_t i = 0; i < RECORDS; i++)
		recorder_read(records[i].set, record_number, &(struct reading){&records[i], probes, count});
}

static void clear_records(void)
{
	const char *sets[RECORDS];

	for (size_t i = 0; i < RECORDS; i++)
		sets[i] = records[i].set;
	recorder_clear(sets, RECORDS);
}

/* --- a batch --- */

/* Packets that were written into an interface and have not come out of it: they wait in a queue of each processor,
 * whose length is the 12th number of its line (softnet_seq_show() of the kernel). */
static unsigned long on_the_way(void)
{
	FILE *file = fopen("/proc/net/softnet_stat", "re");
	unsigned long waiting = 0, length;
	char line[512];

	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "%*x %*x %*x %*x %*x %*x %*x %*x %*x %*x %*x %lx", &length) == 1)
			waiting += length;
	if (file != NULL)
		fclose(file);
	return waiting;
}

/* One that comes later than it is looked for would be taken for one of the next batch. */
static void await_arrival(void)
{
	for (int turns = 0; turns < 20000 && on_the_way() > 0; turns++)
		nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

static size_t unseen(const struct probe *probes, size_t count)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++)
		left += !probes[i].seen;
	return left;
}

/* A packet that a full queue lost is sent again; one that the kernel won't have stays unseen. */
static void judge_batch(const struct judge *judge, struct probe *probes, size_t count)
{
	size_t left = count, before = count + 1;

	await_arrival();
	clear_records();
	for (int try = 0; try < TRIES && left > 0 && left < before; try++) {
		before = left;
		send_unseen(judge, probes, count);
		await_arrival();
		read_records(probes, count);
		left = unseen(probes, count);
	}
}

void judge_probes(struct judge *judge, struct probe *probes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		probes[i].seen = probes[i].passed = probes[i].refused = false;
	for (size_t from = 0; from < count; from += BATCH)
		judge_batch(judge, probes + from, count - from < BATCH ? count - from : BATCH);
}
