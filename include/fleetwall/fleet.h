/* What the fleet is: the model of the inventory, as documents say it and as the database holds it. The same structures
 * carry both: a document may leave fields out (`given` tells which are there), a fleet that was loaded from the
 * database has them all. */
#ifndef FLEETWALL_FLEET_H
#define FLEETWALL_FLEET_H

#include "fleetwall/names.h"
#include "fleetwall/rule.h"

enum mode { MODE_EXCLUSIVE, MODE_COEXIST };
enum enforcement { ENFORCEMENT_ENFORCE, ENFORCEMENT_MONITOR, ENFORCEMENT_UNMANAGED };
enum egress { EGRESS_OPEN, EGRESS_CLOSED };

/* Key and value of a machine's label or a role's selector; lists are sorted by key, keys are unique. */
struct label {
	struct str key, value;
};

struct machine_address {
	struct addr addr;
	struct str label; /* empty: none */
};

/* A rule as a role holds it. */
struct role_rule {
	struct rule rule;     /* canonical; its comment belongs to it */
	struct str text;      /* canonical text */
	struct str ticket, owner;
	bool enabled;
	unsigned absent; /* of GIVEN_TICKET, GIVEN_OWNER, GIVEN_ENABLED: fields that stay as they are (CSV without the
	                    column) */
	struct place place;
	int64_t key;          /* of its row in the database; 0 when it has none */
};

/* Which fields a document gave. A loaded fleet has ~0u. */
enum given {
	GIVEN_ADDRESSES = 1 << 0,
	GIVEN_ROLES = 1 << 1,
	GIVEN_LABELS = 1 << 2,
	GIVEN_MODE = 1 << 3,
	GIVEN_ENFORCEMENT = 1 << 4,
	GIVEN_ENABLED = 1 << 5,
	GIVEN_SSH_PORT = 1 << 6,
	GIVEN_SSH_HOST = 1 << 7,
	GIVEN_RULES = 1 << 8,
	GIVEN_DESCRIPTION = 1 << 9,
	GIVEN_OWNER = 1 << 10,
	GIVEN_SELECTOR = 1 << 11,
	GIVEN_EGRESS = 1 << 12,
	GIVEN_PREFIXES = 1 << 13,
	GIVEN_PORTS = 1 << 14,
	GIVEN_MEMBERS = 1 << 15, /* a role whose member list was given as a whole (CSV members.csv) */
	GIVEN_TICKET = 1 << 16,  /* of a rule, see role_rule.absent */
	GIVEN_ALL = ~0,
};

struct machine {
	struct str name;
	unsigned given;
	struct place place;
	bool referred; /* only rows about it were given (CSV): it must exist already, see fleet_check() */
	bool enabled;
	enum mode mode;
	enum enforcement enforcement;
	unsigned ssh_port;                /* 0: the configured one */
	struct str ssh_host;              /* empty: none */
	struct label *labels;
	size_t label_count;
	struct machine_address *addresses; /* sorted by addr_cmp, unique */
	size_t address_count;
	struct str *roles;                /* assigned ones, sorted, unique; the role `machine:NAME` is not among them */
	size_t role_count;
	struct str document;              /* the owner of the document that owns it; empty: none does */
};

struct role {
	struct str name; /* also "machine:NAME": the machine's own rules; its only member is that machine */
	unsigned given;
	struct place place;
	bool referred;                    /* as in struct machine */
	struct str description, owner;
	bool has_selector;                /* false: no selector, selects nobody; an empty selector selects everybody */
	struct label *selector;
	size_t selector_count;
	enum egress egress;
	struct role_rule *rules;          /* sorted by text, unique */
	size_t rule_count;
	struct str document;              /* of a machine's own role always empty: its machine's counts */
};

struct network {
	struct str name;
	unsigned given;
	struct place place;
	struct prefix *prefixes;          /* sorted by range_cmp, unique */
	size_t prefix_count;
	struct str document;              /* as in struct machine */
};

struct service_port {
	uint8_t protocol;
	struct port_range *ports;         /* sorted, disjoint, not touching */
	size_t port_count;
};

struct service {
	struct str name;
	unsigned given;
	struct place place;
	bool builtin;                     /* came with the schema and was not changed since */
	struct service_port *ports;       /* sorted by protocol, unique */
	size_t count;
	struct str document;              /* as in struct machine; of a built-in one empty */
};

/* A text that a fleet was read from. Strings of the fleet may be slices of it, which is how the place of a reference is
 * found. */
struct source {
	struct str name, text;
};

/* All lists are sorted by name, names are unique. Everything lives in one arena. */
struct fleet {
	struct machine *machines;
	size_t machine_count;
	struct role *roles;
	size_t role_count;
	struct network *networks;
	size_t network_count;
	struct service *services;
	size_t service_count;
	struct source *sources;           /* may be none */
	size_t source_count;
	struct str owner;                 /* of a document: what it names becomes its own; empty: it owns nothing */
	int64_t clock; /* of the database's snapshot, in seconds since 1970; TIME_NONE for a document */
};

/* Binary search by name; NULL if there is none. */
const struct machine *fleet_machine(const struct fleet *fleet, struct str name);
const struct role *fleet_role(const struct fleet *fleet, struct str name);
const struct network *fleet_network(const struct fleet *fleet, struct str name);
const struct service *fleet_service(const struct fleet *fleet, struct str name);

bool machine_has_address(const struct machine *machine, struct addr addr);

/* Sorts every list, joins what repeats, folds names (the strings that change are copied). A name or field that is given
 * twice with different content is an error (place of the second, hint with the place of the first). Names are checked
 * (name_check …), labels too. What is referred to is NOT looked up here: see fleet_check(). */
struct error *fleet_normalize(struct arena *arena, struct fleet *fleet) MUST_CHECK;

/* Does everything that `fleet` refers to exist in `fleet` or in `also` (the database's state; may be NULL)? Roles of
 * machines, peers and services of rules, `machine:NAME` roles' machines, and objects that are only `referred` to (those
 * must be in `also`). Each fault is ERROR_UNKNOWN… with the place of the reference and the nearest name as a hint. */
struct error *fleet_check(struct arena *arena, const struct fleet *fleet, const struct fleet *also) MUST_CHECK;

/* Does the machine have all labels of the selector? */
bool labels_contain(const struct label *labels, size_t count, const struct label *selector, size_t selector_count);

/* "machine:" + name: the role of a machine's own rules; and back: the machine's name, or empty. */
struct str machine_role_name(struct arena *arena, struct str machine);
struct str machine_of_role(struct str role);

bool mode_parse(struct str s, enum mode *mode);
bool enforcement_parse(struct str s, enum enforcement *enforcement);
bool egress_parse(struct str s, enum egress *egress);
struct str mode_str(enum mode mode);
struct str enforcement_str(enum enforcement enforcement);
struct str egress_str(enum egress egress);

#endif
