/* The kernel as the judge: a network namespace of our own, in which packets with any addresses meet a loaded ruleset,
 * and a recorder behind the filter table says of each one whether it got through. Each packet is known by a number that
 * it carries (IPv4 identification, IPv6 flow label), so nothing is inferred from counters. Every packet is dropped
 * behind the recorder: conntrack never sees a flow begin. */
#ifndef FLEETWALL_TESTS_PACKETS_H
#define FLEETWALL_TESTS_PACKETS_H

#include "fleetwall/rule.h"

/* One packet, and what became of it. */
struct probe {
	enum direction direction;
	unsigned interface; /* index into the judge's interfaces: input of an inbound, output of an outbound packet */
	struct addr source, destination;
	uint8_t protocol;
	uint16_t port;             /* tcp, udp, udplite, sctp, dccp */
	uint16_t source_port;      /* 0: an ordinary one */
	uint8_t tcp_flags;         /* 0: SYN */
	uint8_t icmp_type, icmp_code; /* protocols 1 and 58 */
	bool fragment;             /* a later one, of outbound packets: what stands there is no head of the protocol */
	bool seen;                 /* it arrived at the hook of its direction; without this there is no verdict */
	bool passed;               /* it left the filter table */
	bool refused;              /* a reset or port-unreachable answered it */
};

/* --- packets_build.c: bytes of one packet, from the network header on --- */

#define PACKET_ROOM 128
/* With valid checksums, a SYN, INIT or request where the protocol has one, an ordinary source port; its size. */
size_t packet_build(unsigned char packet[PACKET_ROOM], const struct probe *probe, uint32_t number);

/* --- packets_netns.c: the surroundings --- */

/* Exit code of a test that could not run. */
#define SKIPPED 77

/* Moves this process into a new network namespace (with a user namespace around it when not root). NULL, or why it
 * can't be. */
const char *netns_enter(void);
/* Name of the program in PATH or sbin that is missing of those that the tests need; NULL if all are there. */
const char *netns_missing_program(void);
/* Runs a program with `input`; its standard output in `arena`. A failure ends the test with the program's words. */
struct str run(struct arena *arena, const char *const *argv, struct str input);
/* The same for programs that may fail: the exit code. */
int run_status(struct arena *arena, const char *const *argv, struct str input);
/* Runs `work` for each context in a process of its own, which takes the namespaces that it entered along when it ends;
 * two at a time. Says how many passed (0), were SKIPPED and failed; the exit code for all. */
int in_children(int (*work)(const void *), const void *const *contexts, size_t count);
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* --- packets_recorder.c: sets of numbers in the table inet judge --- */

void recorder_clear(const char *const *sets, size_t count);
/* Each number that a set has, in no order. */
void recorder_read(const char *set, void (*found)(void *context, uint32_t number), void *context);

/* --- packets_judge.c --- */

struct judge;
/* Makes the interfaces (veth pairs by these names) and the recorder in the namespace that we are in. */
struct judge *judge_new(struct arena *arena, const struct str *interfaces, size_t count);
/* The IPv4 addresses that count as the machine's own from now on, instead of the former ones: refusals are sent from no
 * others. */
void judge_own(struct arena *arena, const struct addr *own, size_t count);
/* Sends every probe and fills in what became of it. */
void judge_probes(struct judge *judge, struct probe *probes, size_t count);
void judge_free(struct judge *judge);

#endif
