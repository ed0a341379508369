/* Packets in a few words, for tables of tests: "192.0.2.1 22/tcp", "2001:db8::9 icmp/128/0 untracked on eth0",
 * "192.0.2.1 68/udp sport 67", "10.0.0.1 80/tcp if hashlimit upto 6/min …". */
#ifndef FLEETWALL_TESTS_PACKET_TEXT_H
#define FLEETWALL_TESTS_PACKET_TEXT_H

#include "fleetwall/packets.h"

/* The address is the other end: the source of a packet in, the destination of one out; the interface is the one that
 * it comes in or goes out by. A new connection, where no state is named. What stands behind "if" is one condition
 * that holds; without it none does. A text that is none fails the test. */
struct sample packet_text(struct arena *arena, const char *text, bool out);

#endif
