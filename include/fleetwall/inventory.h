/* The inventory in PostgreSQL: struct fleet <-> rows. SPEC §4. */
#ifndef FLEETWALL_INVENTORY_H
#define FLEETWALL_INVENTORY_H

#include "fleetwall/db.h"
#include "fleetwall/fleet.h"

/* Loads everything from the snapshot of the open transaction, by COPY … (FORMAT binary). fleet->clock is now() of that
 * transaction. Rules come canonical; a row that the language does not allow (impossible through the constraints) is an
 * error, never passed over. */
struct error *inventory_load(struct arena *arena, struct db *db, struct fleet *fleet) MUST_CHECK;

/* A list of names in a question. */
struct name_list {
	const struct str *items;
	size_t count;
};

/* What a question is about. Unknown names are passed over; none has a comma. */
struct around {
	struct name_list machines; /* of whose rules is asked */
	const struct addr *addresses;
	size_t address_count;
	struct name_list roles;    /* of which all members come */
	struct name_list others;   /* machines that come as well, without their rules */
	bool letting;              /* also the roles with a rule that may allow packets like this one: */
	unsigned protocol;         /* 0: ICMP of both families */
	int port;                  /* -1: it has none */
};

/* The part of the inventory, of the open snapshot, from which the machines' rules can be told as from the whole: the
 * machines; every service; the machines' roles with their rules, and the networks and roles that these speak of. Who is
 * there of the members of roles: who has one of the addresses, or one of the machines', and all those of `roles`. So
 * explain() answers of these machines and addresses as from the whole; explain_remedies() with `letting`; who_can()
 * with what who_can_needs() says. */
struct error *inventory_load_around(struct arena *arena, struct db *db, const struct around *around,
                                    struct fleet *fleet) MUST_CHECK;

/* Which changes of the history to take back: all after a time (its clock is then that time), those of one transaction,
 * a single one, or all that a snapshot did not see (its clock is then the present one). Exactly one is given; the
 * others are TIME_NONE, 0 and empty. */
struct before {
	int64_t time;
	int64_t transaction, change;
	struct str snapshot; /* as inventory_news() gave it */
};

/* The inventory as it was, or would be, without these changes. Rules have no key. The transaction must be one that may
 * set settings; nothing is written. */
struct error *inventory_load_before(struct arena *arena, struct db *db, const struct before *before,
                                    struct fleet *fleet) MUST_CHECK;

/* What a run can know about the inventory before it loads anything; of the open snapshot. */
struct inventory_news {
	int64_t clock;           /* as inventory_load() would say */
	struct str identity;     /* of this database: another one, or one that was made anew, has another */
	struct str snapshot;     /* of the open transaction: give it back as `since` later */
	uint64_t generation;     /* the highest number that the database knows; 0: none */
	struct str digest;       /* its digest, 64 hexadecimal digits */
	bool changed;            /* the inventory differs, or may, from what the snapshot `since` saw */
	struct str seen, newest; /* the last change that `since` saw, and that this one sees. If `seen` is not what
	                            `newest` was then, the server's files were set back: `changed` means nothing */
};
/* `since`: a snapshot of an earlier transaction of this same database (see identity), or empty: then `changed` is true.
 * A transaction that began before that snapshot and committed after it counts. */
struct error *inventory_news(struct arena *arena, struct db *db, struct str since,
                             struct inventory_news *news) MUST_CHECK;

/* What a partial load replaced; numbers are places in the new fleet. */
struct inventory_touched {
	uint32_t *machines; /* ascending; new or changed ones (rows, addresses, memberships) */
	size_t machine_count;
	bool machines_moved; /* machines came or went: places are not those of before */
	bool roles, networks, services; /* some came, went or changed; rules belong to roles */
};
/* `before` as it is now, in the open snapshot: what changed since the snapshot `since` is loaded, everything else is
 * taken over. *after shares memory with `before`, which stays as it is. As far as rulesets go it says what
 * inventory_load() would say; what they do not depend on (descriptions, owners, tickets, documents) may be older. Where
 * so much changed that loading all is cheaper, it does that. What was written past the triggers of the history
 * (session_replication_role, TRUNCATE of rule_peer) is not seen. `machines` is what the list of machines lives in,
 * where that is made anew: the one thing that is large however small a change is. NULL: nobody needs `before` any more,
 * and its list becomes that of *after where machines neither came nor went. */
struct error *inventory_load_changes(struct arena *arena, struct arena *machines, struct db *db, struct str since,
                                     const struct fleet *before, struct fleet *after,
                                     struct inventory_touched *touched) MUST_CHECK;
/* The same in steps: what changed can be asked before `before` is there. `machine_count`: about how many it has.
 * *changes lives in `arena`. */
struct inventory_changes;
struct error *inventory_find_changes(struct arena *arena, struct db *db, struct str since, size_t machine_count,
                                     struct inventory_changes **changes) MUST_CHECK;
/* How many objects changed; SIZE_MAX: so many that nobody counted them. */
size_t inventory_changes_count(const struct inventory_changes *changes);
/* So can the objects that changed, unless it is all that will be loaded. They live in `arena`, as long as *after does.
 * Otherwise inventory_load_found() asks. */
struct error *inventory_fetch_found(struct arena *arena, struct db *db, struct inventory_changes *changes) MUST_CHECK;
struct error *inventory_load_found(struct arena *arena, struct arena *machines, struct db *db,
                                   struct inventory_changes *changes, const struct fleet *before,
                                   struct fleet *after, struct inventory_touched *touched) MUST_CHECK;

/* A fleet as one block of bytes, for the next run of the same program on the same machine: what rulesets depend on
 * (with the comments of rules), and nothing else. The same fleet gives the same bytes, wherever it lies in memory. */
struct str fleet_pack(struct arena *arena, const struct fleet *fleet);
/* The other way. Names and words of the fleet stay in `bytes`, which must outlive it and be aligned as malloc() aligns;
 * lists of labels and of roles that are the same are one list of all the machines that have it, so that nobody may
 * write into them. The bytes must be what fleet_pack() gave (the caller has a digest of them); whatever they are,
 * nothing outside of them is read: false means that they can't be. */
bool fleet_unpack(struct arena *arena, struct str bytes, struct fleet *fleet);
/* Of it what inventory_load_around() would load, and every network; of the rest nothing is built. With `letting` every
 * role comes. Memberships in roles that did not come are left out. */
bool fleet_unpack_around(struct arena *arena, struct str bytes, const struct around *around, struct fleet *fleet);

enum change_sign { CHANGE_ADD = '+', CHANGE_REMOVE = '-', CHANGE_ALTER = '~' };

/* One line of a plan. */
struct change {
	enum change_sign sign;
	const char *kind;    /* "machine", "role", "network", "service" */
	struct str name;
	struct str *details; /* for people: "address + 10.0.0.5", "rule - allow 22/tcp", "mode exclusive -> coexist" */
	size_t detail_count;
};

struct plan {
	struct change *changes; /* sorted by kind (network, service, role, machine), then name */
	size_t count;
	struct fleet target;    /* the whole fleet as it will be */
};

struct import_options {
	bool prune;             /* remove objects that `wanted` does not name (built-in services stay): of those that
	                           documents own, and of the others, only those with the owner that `wanted` has */
	bool every;             /* `wanted` is the whole inventory, and says who owns what: prune spares no owner */
	bool keep_roles, keep_networks, keep_services; /* the source has no list of these (a CSV file that is absent):
	                                                  prune leaves them alone */
	bool brief;             /* changes are told without their details, which take much memory */
	struct str add_rules_to; /* "import --rules ROLE FILE": the rules of `wanted`'s role are added, nothing is taken
	                            away */
};

/* What must change in `present` so that it says what `wanted` says. Pure. Checks references (fleet_check) and that
 * nothing that goes is still used. */
struct error *inventory_plan(struct arena *arena, const struct fleet *present, const struct fleet *wanted,
                             const struct import_options *options, struct plan *plan) MUST_CHECK;

/* What comes and goes by a plan, besides whole objects. */
struct plan_sums {
	size_t members_added, members_removed; /* memberships */
	size_t addresses_added, addresses_removed;
	size_t rules_added, rules_removed;
	size_t with_roles, bared; /* machines that stay and had roles; of these, those that have none then */
};
struct plan_sums inventory_sums(const struct fleet *present, const struct plan *plan);

/* Keeps every writer out until the transaction ends, so that a plan stays true: call it before inventory_load().
 * Imports serialise. */
struct error *inventory_lock(struct db *db) MUST_CHECK;

/* Writes the plan's difference between `present` and plan->target, by COPY and set-based statements. All in the open
 * transaction. */
struct error *inventory_write(struct arena *arena, struct db *db, const struct fleet *present,
                              const struct plan *plan) MUST_CHECK;

#endif
