/* Ports and protocols of sets of packets as words that the rule language and explain know. */
#ifndef ANALYSIS_WHAT_WORDS_H
#define ANALYSIS_WHAT_WORDS_H

#include "fleetwall/packets.h"

struct word_list {
	struct str *items;
	size_t count, capacity;
	size_t numbers; /* how many pairs of protocol and port they stand for, at most: to tell wide from narrow */
};

/* Input interfaces by the patterns that rules name: each cell is one of them without those that lie within it. */
struct interface_cells;
struct interface_cells *interface_cells(struct arena *arena, const struct str *patterns, size_t count);

/* Adds what `set` says of protocols, ports and input interfaces, whatever its other fields: "22,80-90/tcp",
 * "icmpv4/echo-request", "gre", "all", "5001/tcp on eth0", "all on any but eth0". A word that is there is not added
 * again. `cells` NULL: on some interface. The loopback interface is not spoken of. */
void what_words(struct arena *arena, struct packets set, enum family family, const struct interface_cells *cells,
                struct word_list *words);
/* Behind the last: what is there of ICMP and the same of ICMPv6 becomes "icmp". */
void what_words_end(struct arena *arena, struct word_list *words);

#endif
