/* The rule language (SPEC §3): one line of text <-> struct rule. A struct rule that rule_parse() gave is canonical
 * already: two rules mean the same line exactly if they print the same. No I/O, no clock. */
#ifndef FLEETWALL_RULE_H
#define FLEETWALL_RULE_H

#include "fleetwall/addr.h"
#include "fleetwall/error.h"

enum action { ACTION_ALLOW, ACTION_DENY, ACTION_REJECT };
enum direction { DIRECTION_IN, DIRECTION_OUT }; /* from, to */

enum what_kind {
	WHAT_ALL,      /* every packet */
	WHAT_PROTOCOL, /* `protocol`, any port */
	WHAT_PORTS,    /* `ports` of `protocol` */
	WHAT_SERVICE,  /* `service`, a name that the inventory explains */
	WHAT_ICMP,     /* icmp, icmpv4, icmpv6, with type and code or without */
};

/* IANA protocol numbers that have names here (SPEC §3). */
enum {
	PROTOCOL_ICMP = 1,
	PROTOCOL_IGMP = 2,
	PROTOCOL_IPIP = 4,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_DCCP = 33,
	PROTOCOL_GRE = 47,
	PROTOCOL_ESP = 50,
	PROTOCOL_AH = 51,
	PROTOCOL_ICMPV6 = 58,
	PROTOCOL_VRRP = 112,
	PROTOCOL_SCTP = 132,
	PROTOCOL_UDPLITE = 136,
};

struct port_range {
	uint16_t first, last;
};

/* icmp types that have names: the number differs by family. ICMP_NUMBER: `icmp_type` is the number as written. */
enum icmp_name {
	ICMP_ANY, ICMP_NUMBER,
	ICMP_ECHO_REQUEST, ICMP_ECHO_REPLY, ICMP_DESTINATION_UNREACHABLE, ICMP_TIME_EXCEEDED, ICMP_PARAMETER_PROBLEM,
};

struct what {
	enum what_kind kind;
	uint8_t protocol;           /* WHAT_PROTOCOL, WHAT_PORTS */
	struct port_range *ports;   /* WHAT_PORTS: sorted, disjoint, not touching, at least one */
	size_t port_count;
	struct str service;         /* WHAT_SERVICE */
	bool icmp4, icmp6;          /* WHAT_ICMP: the families it speaks of, at least one */
	enum icmp_name
		icmp_name; /* under icmpv4/icmpv6 a number that has a name is the name; under icmp it stays a number */
	uint8_t icmp_type;          /* 0–254, with ICMP_NUMBER */
	int icmp_code;              /* 0–255, or -1 for none */
};

/* In the canonical order of peers. */
enum peer_kind { PEER_LITERAL, PEER_SELF, PEER_MACHINE, PEER_NETWORK, PEER_ROLE };

struct peer {
	enum peer_kind kind;
	struct range literal; /* PEER_LITERAL: an address, prefix or range */
	struct str name;      /* PEER_MACHINE, PEER_NETWORK, PEER_ROLE */
	struct str label;     /* PEER_ROLE: only addresses with this label; empty for all */
};

enum limit_unit { LIMIT_NONE, LIMIT_SECOND, LIMIT_MINUTE, LIMIT_HOUR, LIMIT_DAY };

/* Seconds since 1970-01-01T00:00:00Z. */
#define TIME_NONE INT64_MIN

struct rule {
	enum action action;
	enum direction direction;
	struct what what;
	bool any;              /* from or to anyone; then a canonical rule has no peers */
	struct peer *peers;    /* canonical order, no duplicates; one at least, unless `any` */
	size_t peer_count;
	struct str interface;  /* empty: any */
	bool log;
	unsigned limit;        /* 1–1000, with a unit */
	enum limit_unit limit_unit;
	int64_t since, until;  /* counts from since until just before until; TIME_NONE */
	struct str comment;    /* what stood behind #, trimmed; not part of the canonical text */
};

/* Parses one line. On success *rule is canonical, in `arena`. Faults are ERROR_INPUT with column (counted in bytes from
 * 1) and the text, what was expected, and a hint; several may be chained. The line may hold no newline. What a rule
 * names (services, roles, …) is not looked up here. Warnings (a bare number that is also a well-known port) are
 * collected into *warnings, which may be NULL. A line has at most 64 KiB, a comment 1000 characters.
 * `*stored` is false for a bare `deny all`, which states the default, and for a line that is empty or a comment. */
struct error *rule_parse(struct arena *arena, struct str line, struct rule *rule, bool *stored,
                         struct error **warnings) MUST_CHECK;

/* Puts a rule that was made by hand (rows, importers, generators of tests) into canonical form: sorts, joins, drops.
 * Checks all that rule_parse() checks, up to the first fault; without a place. The arrays of ports and peers are
 * copied, so they may be shared. `*stored` as above. */
struct error *rule_normalize(struct arena *arena, struct rule *rule, bool *stored) MUST_CHECK;

/* The canonical text, without the comment. Peers are joined by ", ", ports by ",". */
void rule_print(struct buf *buf, const struct rule *rule);
struct str rule_text(struct arena *arena, const struct rule *rule);
/* The canonical text of one peer, and of a `what`. */
void peer_print(struct buf *buf, const struct peer *peer);
void what_print(struct buf *buf, const struct what *what);

/* Pieces of the language that others need too. Names are case-insensitive. */
/* A name of SPEC §3 or a number 1–255; not icmp, icmpv4, icmpv6 by name. */
bool protocol_parse(struct str s, uint8_t *protocol);
void protocol_print(struct buf *buf, uint8_t protocol); /* its name where SPEC §3 names it */
bool protocol_has_ports(uint8_t protocol);
/* "80,443/tcp" as in a service; merged and sorted. */
struct error *ports_parse(struct arena *arena, struct str s, uint8_t *protocol, struct port_range **ports,
                          size_t *count) MUST_CHECK;
/* "80,443,1000-2000", without the protocol. */
void ports_print(struct buf *buf, const struct port_range *ports, size_t count);
/* Sorts and joins in place; the new count. */
size_t ports_normalize(struct port_range *ports, size_t count);
/* A `what` with nothing behind it, as `explain` and `query --opens` take it. */
struct error *what_parse(struct arena *arena, struct str s, struct what *what) MUST_CHECK;
/* What a rule with this `what` is warned of: a number alone that is better known as a port. NULL: nothing. */
struct error *what_warning(struct arena *arena, struct str s) MUST_CHECK;
/* The number of a named type in a family; false where it has none (never, for the names above). */
bool icmp_number(enum icmp_name name, enum family family, uint8_t *type);
/* The type's name as written in a rule ("echo-request"), for printing and for storing; empty for ICMP_ANY and
 * ICMP_NUMBER. */
struct str icmp_name_str(enum icmp_name name);
bool icmp_name_parse(struct str s, enum icmp_name *name);
bool interface_valid(struct str s); /* 1–15 of [A-Za-z0-9_.@:-]; the last may be +, which is no name alone */
/* Of ISO 8601: YYYY-MM-DD, optionally THH:MM or THH:MM:SS (or a blank for T; .000 behind it says nothing), optionally
 * Z, ±HH:MM, ±HHMM or ±HH; UTC where it names no zone. */
bool time_parse(struct str s, int64_t *time);
void time_print(struct buf *buf, int64_t time); /* 2026-03-01T12:00:00Z */

/* Names (SPEC §1): [a-z0-9][a-z0-9._-]{0,99} after folding, so capitals are no fault here; NULL or what is wrong,
 * ERROR_INPUT. `kind` is for the message: "role". */
struct error *name_check(struct str name, const char *kind) MUST_CHECK;
/* A machine's: DNS host name rules, lower case (fold first), at most 253, no IPv4 address. */
struct error *machine_name_check(struct str name) MUST_CHECK;
/* A service's: as name_check, begins with a letter, no keyword or protocol of the language. */
struct error *service_name_check(struct str name) MUST_CHECK;
/* Words for people: one line of UTF-8 without control characters, of at most 1000 characters. The place has the column;
 * `field` is what messages call it. */
struct error *line_check(struct str s, const char *field) MUST_CHECK;

#endif
