/* Exact sets of packets, as decision diagrams. A packet is everything that a filter may look at: family, conntrack
 * state, protocol, ports or ICMP type and code, TCP flags, interfaces, both addresses; and conditions: what can't be
 * seen in a packet (a rate, the time, a match that nobody modelled), each a free yes or no of its own.
 *
 * There is one space of packets in a process, used by one thread: the library behind it has only one. What is not kept
 * is given back by packets_release(); memory is bounded by what is kept. Nothing here knows rules, files or the fleet.
 * Running out of memory ends the program, as everywhere. */
#ifndef FLEETWALL_PACKETS_H
#define FLEETWALL_PACKETS_H

#include "fleetwall/addr.h"

/* A set: a number, to be copied freely. Equal sets are equal numbers. Valid until the release of a mark that is older
 * than it, unless packets_keep() was called for it. */
struct packets {
	int node;
};

void packets_begin(void); /* once; a second call does nothing */
void packets_end(void);

/* Everything made since the mark is given back by its release, but for what was kept. Marks nest. */
size_t packets_mark(void);
void packets_release(size_t mark);
struct packets packets_keep(struct packets set); /* until packets_end() */
/* `value` lives in the slot, whatever is released, until another is put there; what was there before is given up. A
 * slot begins with none, and must end with it. */
void packets_hold(struct packets *slot, struct packets value);
/* Survives the release of `mark`, as if it had been made before it. */
struct packets packets_release_but(size_t mark, struct packets set);

/* --- a bound ---
 *
 * Foreign rules may ask for more than there is time or memory for. Past a bound on the steps from now on (0: there is
 * none), each set that is made is none, and nothing that is found out says anything: who sets a bound asks whether it
 * was passed before it believes an answer. Steps are counted, not timed, so that the same input always ends the same
 * way. It stays passed until packets_end(). A second of a processor has some millions of them; packets_work() adds what
 * a caller does beside, of which each step is one. */
#define PACKETS_WORK_MOST 200000000
void packets_bound(uint64_t steps);
bool packets_spent(void);
void packets_work(uint64_t steps);

/* --- what a packet has --- */

enum packet_field {
	FIELD_FAMILY,      /* 0: IPv4, 1: IPv6 */
	FIELD_STATE,       /* enum packet_state */
	FIELD_PROTOCOL,    /* 8 bits */
	FIELD_PORT,        /* destination port, 16 bits; of ICMP: type in the high 8 bits, code in the low ones */
	FIELD_SOURCE_PORT, /* 16 bits */
	FIELD_FLAGS,       /* of TCP, the 8 bits of its byte 13 */
	FIELD_FRAGMENT,    /* 1: a later fragment, which has no ports */
	FIELD_IN,          /* input interface: a name of at most 15 bytes; none: the empty name */
	FIELD_OUT,         /* output interface; likewise */
	FIELD_SOURCE,      /* IPv4 in the first 32 bits */
	FIELD_DESTINATION,
	FIELD_COUNT
};

/* As iptables names them. Every packet has exactly one. */
enum packet_state { STATE_INVALID, STATE_NEW, STATE_ESTABLISHED, STATE_RELATED, STATE_UNTRACKED, STATE_COUNT };

struct packets packets_none(void);
/* Every packet that can be. */
struct packets packets_all(void);

struct packets packets_family(enum family family);
struct packets packets_state(enum packet_state state);
/* A number, and a range of numbers, in a field of at most 16 bits. first <= last. */
struct packets packets_number(enum packet_field field, unsigned number);
struct packets packets_numbers(enum packet_field field, unsigned first, unsigned last);
/* Those whose bits of the field under `mask` are those of `value`: none, if it has others. Not of FIELD_STATE. */
struct packets packets_bits(enum packet_field field, unsigned mask, unsigned value);
/* FIELD_IN or FIELD_OUT. "eth+" is every name that begins with eth, "+" every name, "" no interface. At most 15 bytes
 * without the plus. */
struct packets packets_interface(enum packet_field field, struct str pattern);
/* FIELD_SOURCE or FIELD_DESTINATION; only packets of the family. */
struct packets packets_prefix(enum packet_field field, struct prefix prefix);
struct packets packets_range(enum packet_field field, struct range range);
/* Any number of them, in linear time: 100,000 addresses are a matter of a tenth of a second. */
struct packets packets_addresses(enum packet_field field, const struct addr_set *set);

/* The condition of that name: the same name is the same condition, for as long as the space lives. */
struct packets packets_condition(struct str name);
/* Conditions that get their name from now on stand below the addresses. Where each belongs to addresses of its own (the
 * limits of a filter's lines), sets stay small that way; where each belongs to the same many, the other. */
void packets_conditions_last(void);

/* --- what can be done with sets --- */

struct packets packets_and(struct packets a, struct packets b);
struct packets packets_or(struct packets a, struct packets b);
struct packets packets_without(struct packets a, struct packets b);
struct packets packets_not(struct packets a); /* all without it */
struct packets packets_if(struct packets condition, struct packets then, struct packets otherwise);
/* A set that is the same among `cared` and is more simply said, as any other packets may be in it. */
struct packets packets_simpler(struct packets set, struct packets cared);
static inline bool packets_eq(struct packets a, struct packets b)
{
	return a.node == b.node;
}
bool packets_empty(struct packets set);
bool packets_within(struct packets inner, struct packets outer);

/* The set whatever the conditions are ("surely"), and for some of them ("perhaps"). */
struct packets packets_surely(struct packets set);
struct packets packets_perhaps(struct packets set);
/* What is left of the set when a condition is put as this set of packets: for what was only named at first. */
struct packets packets_put(struct packets set, struct str condition, struct packets value);
/* The set with the field left out: every packet that some value of the field puts into it. */
struct packets packets_any(struct packets set, enum packet_field field);
/* The set with every field left out but these, as bits (1 << field), and every condition. */
struct packets packets_only(struct packets set, unsigned fields);
/* The names of the conditions that the set depends on, sorted. */
size_t packets_conditions(struct arena *arena, struct packets set, struct str **names);
bool packets_depends(struct packets set, enum packet_field field);

/* --- what it says --- */

/* One packet of the set: the first in an order of its own, so that the same set gives the same one. */
struct sample {
	enum family family;
	enum packet_state state;
	unsigned protocol, port, source_port, flags;
	bool fragment;
	struct str in, out;           /* empty: any would do, or a name of no bytes */
	struct addr source, destination;
	bool needs[FIELD_COUNT];      /* the set depends on this field there; else its value is one of many */
	struct str *conditions;       /* those that must hold; the others of the set must not */
	size_t condition_count;
};
bool packets_sample(struct arena *arena, struct packets set, struct sample *sample); /* false: empty */
/* Is this very packet in the set, with exactly these conditions holding? */
bool packets_have(struct packets set, const struct sample *sample);

/* The addresses that occur in FIELD_SOURCE or FIELD_DESTINATION, and the numbers of a field of at most 16 bits,
 * whatever the rest. Exact for the field by itself. */
struct addr_set packets_addr_set(struct arena *arena, struct packets set, enum packet_field field, enum family family);
struct numbers {
	unsigned first, last;
};
size_t packets_number_set(struct arena *arena, struct packets set, enum packet_field field, struct numbers **numbers);

/* How many nodes the set has: for figures and limits. */
size_t packets_size(struct packets set);

#endif
