/* What has been pushed, and what has not: the state of every machine, runs, claims, halts, freezes, probes and
 * approvals, in PostgreSQL (migration 0010). Everything here is one transaction that is committed before the function
 * returns: what was said to be so is so after any crash. Times are the database's. */
#ifndef FLEETWALL_LEDGER_H
#define FLEETWALL_LEDGER_H

#include "fleetwall/db.h"
#include "fleetwall/digest.h"

/* --- machines --- */

/* What a machine was offered, or has confirmed. generation 0: nothing. */
struct held {
	uint64_t generation;
	struct digest ruleset, position;
	int64_t at;
};
struct machine_state {
	struct str machine;
	struct held offered, confirmed, before; /* `before`: confirmed before `confirmed`; for rollback */
	struct str machine_id; /* pinned at the first confirm */
	struct digest script;  /* of the fleetwall-host that it has; all zero: not known */
	unsigned attempts;     /* since the last confirm */
	struct str error;      /* of the last attempt; empty: it went well */
	struct str error_kind; /* enum failure as text */
	int64_t error_at;
	bool needs_person;
	struct str frozen; /* the reason; empty: it is not */
	struct str frozen_by;
	int64_t frozen_at;
	bool whole;       /* it may have something else than it confirmed: its next push sends all of it */
	struct str drift; /* what was found otherwise, the first of it; empty: nothing */
	int64_t drift_at; /* when it was found */
	bool managed;     /* by the inventory of now it is to have a ruleset */
};
/* All machines that the inventory or the ledger knows, sorted by name; or those of `names` (name_count 0: all). One
 * COPY. */
struct error *ledger_machines(struct arena *arena, struct db *db, const struct str *names, size_t name_count,
                              struct machine_state **states, size_t *count) MUST_CHECK;

/* How to reach machines, from the inventory of now. Sorted by name; those that are not in the inventory are missing.
 * name_count 0: all. */
struct contact {
	struct str machine;
	struct str host;   /* ssh_host, else the first address labelled `management`, else the first, else the name;
	                      IPv4 comes before IPv6, and lower addresses before higher ones */
	unsigned ssh_port; /* 0: the configured one */
	bool enabled;
	struct str *roles; /* sorted */
	size_t role_count;
};
struct error *ledger_contacts(struct arena *arena, struct db *db, const struct str *names, size_t name_count,
                              struct contact **contacts, size_t *count) MUST_CHECK;

struct error *ledger_freeze(struct arena *arena, struct db *db, struct str machine, struct str reason) MUST_CHECK;
struct error *ledger_unfreeze(struct arena *arena, struct db *db, struct str machine) MUST_CHECK;

/* --- runs --- */

enum run_state { RUN_RUNNING, RUN_DONE, RUN_STOPPED, RUN_SUPERSEDED };
struct push_run_info {
	uint64_t number, generation;
	enum run_state state;
	struct str reason; /* why it stopped: failures of a wave, a halt */
	struct str who;
	int64_t started, ended; /* ended 0: it has not */
	unsigned wave, waves;   /* the one that is open, from 0; how many there are */
	unsigned max_failures;
	size_t waiting, claimed, confirmed, failed, skipped;
};

struct work_item {
	struct str machine;
	unsigned wave;
	struct digest ruleset, position;
	bool adopt, cut, rollback;
	struct str freeze; /* with `rollback`: why it is frozen when it confirms; empty: it is not */
};

/* A run over these machines. Where a run of this very generation is running, they join it, and *run is its number: what
 * it lacks is added to it, what is final there waits again with all of its tries, what is not has adopt and cut of both
 * from its next claim on; the max_failures of whoever began it holds. Otherwise a new one.
 * Refuses with ERROR_GUARD while pushing is halted, and where a run of a newer generation is running; open runs of an
 * older generation, and stopped ones of the same, are superseded (what they have claimed goes on, what waits does not).
 * Items that all go back are another matter: neither a halt nor a newer run holds them up; what is running is stopped,
 * and may be resumed. Where such a run gives way to a push, machines that it did not take back and that were to be
 * frozen are frozen as they are. Pins the generation until the run ends. The generation's digest must be the one that
 * the database knows, else ERROR_GUARD. */
struct error *ledger_start(struct arena *arena, struct db *db, uint64_t generation, const struct digest *digest,
                           unsigned max_failures, const struct work_item *items, size_t count,
                           uint64_t *run) MUST_CHECK;
/* The open run, or the last one that is not done (for --resume); number 0: there is none. */
struct error *ledger_open_run(struct arena *arena, struct db *db, struct push_run_info *run) MUST_CHECK;
struct error *ledger_run(struct arena *arena, struct db *db, uint64_t number, struct push_run_info *run) MUST_CHECK;
/* Goes on with a run that was stopped or halted: failed items wait again with `again`. */
struct error *ledger_resume(struct arena *arena, struct db *db, uint64_t run, bool again) MUST_CHECK;

/* Stops everybody's pushing, this and later ones, until ledger_unhalt(). What is applied is still confirmed. */
struct error *ledger_halt(struct arena *arena, struct db *db, struct str reason) MUST_CHECK;
struct error *ledger_unhalt(struct arena *arena, struct db *db) MUST_CHECK;
/* *reason empty: not halted. */
struct error *ledger_halted(struct arena *arena, struct db *db, struct str *reason, struct str *who,
                            int64_t *at) MUST_CHECK;

/* --- claims --- */

struct claim {
	struct work_item item;
	uint64_t run, fence;  /* the fence rises with every claim, of all runs */
	unsigned attempt;     /* from 1 */
	struct machine_state state;
	struct contact contact; /* without roles */
};
/* At most `most` items of the open wave: waiting ones that are due, and claimed ones whose lease ended. FOR UPDATE SKIP
 * LOCKED. `pusher` is this process for people ("host:pid"); the lease is `lease` seconds. Frozen and disabled machines
 * are skipped (and noted as such). Advances the wave when all of it is final, stops the run when more than max_failures
 * of it failed (in the first wave: any that was more than unreachable), ends it at the end. *run as it is afterwards;
 * *wait: milliseconds until something may be due, where nothing was claimed and the run is open. */
struct error *ledger_claim(struct arena *arena, struct db *db, uint64_t run, struct str pusher, unsigned lease,
                           size_t most, struct claim **claims, size_t *count, struct push_run_info *info,
                           unsigned *wait) MUST_CHECK;
/* Lengthens the leases of these claims. *lost[i]: it is no longer ours. */
struct error *ledger_renew(struct arena *arena, struct db *db, const struct claim *claims, size_t count,
                           unsigned lease, bool *lost) MUST_CHECK;
/* Gives claims up that came to nothing (the pusher ends): they wait again, and the attempt does not count. Those that
 * are no longer ours are left alone. */
struct error *ledger_give_back(struct arena *arena, struct db *db, const struct claim *claims,
                               size_t count) MUST_CHECK;

/* Why a machine was not reached or not changed. */
enum failure {
	FAILURE_UNREACHABLE, /* no connection, no answer in time: tried again */
	FAILURE_HOST_KEY,    /* the host key is unknown or changed: a person */
	FAILURE_AUTH,        /* login refused: a person */
	FAILURE_REFUSED,     /* fleetwall-host refused (identity, fence, backends, management, adopt, …): a person */
	FAILURE_APPLY,       /* the kernel or a tool did not take it; everything was undone: a person */
	FAILURE_UNDO,        /* and could not be undone: a person, at once */
	FAILURE_ROLLED_BACK, /* applied, not confirmed in time: it went back by itself: a person */
	FAILURE_PROBE,       /* a probe failed; rolled back: a person */
	FAILURE_HOOK,        /* a hook could not be started or failed in its own way */
	FAILURE_DAMAGED,     /* the store's files are damaged: does not count against max_failures */
	FAILURE_BUNDLE,      /* the machine did not get what was sent as it was sent */
	FAILURE_FENCE,       /* somebody else has taken this machine over; not this pusher's any more */
};
struct str failure_str(enum failure failure); /* "unreachable", "host-key", … */
bool failure_needs_person(enum failure failure);

/* Each is true to its fence: *taken false where the claim is not ours any more; then nothing was written. */
/* *stopped: the run was, since it was claimed: nothing is to be sent, and nothing was written. */
struct error *ledger_offered(struct arena *arena, struct db *db, const struct claim *claim, bool *taken,
                             bool *stopped) MUST_CHECK;
/* The machine said so: the item, machine_push, machine_generation and its freeze, as one. Where the claim said that it
 * may have something else, or has, that is over: it was sent all of it. */
struct error *ledger_confirmed(struct arena *arena, struct db *db, const struct claim *claim, struct str machine_id,
                               const struct digest *script, bool *taken) MUST_CHECK;
/* `again_in` > 0: it waits for so many milliseconds, and is claimed again; 0: it has failed. */
struct error *ledger_failed(struct arena *arena, struct db *db, const struct claim *claim, enum failure failure,
                            struct str message, unsigned again_in, bool *taken) MUST_CHECK;

/* Whether it has what it confirmed is not known: the next push sends it all of that again. */
struct error *ledger_forget(struct arena *arena, struct db *db, struct str machine) MUST_CHECK;
/* It was installed anew: who it is is not known either; its next push is its first. */
struct error *ledger_forget_machine(struct arena *arena, struct db *db, struct str machine) MUST_CHECK;

/* Machines that confirmed something, are in the inventory, enabled and not frozen, at most `most`: those first that
 * drift looked at longest ago, or never (push_machine.drift_at), then by name. */
struct error *ledger_drift_due(struct arena *arena, struct db *db, unsigned most, struct str **names,
                               size_t *count) MUST_CHECK;
/* What drift found at a machine. */
struct drift_seen {
	struct str machine;
	struct digest position; /* that it was compared with */
	bool told;              /* false: it did not answer, or it could not be compared */
	struct str found;       /* the first of what differs; empty: nothing does */
};
/* They have been looked at now. Where nothing differs, nothing is left to be mended; what another push is at, or has
 * changed meanwhile, stays as it is noted. */
struct error *ledger_drift_seen(struct arena *arena, struct db *db, const struct drift_seen *seen,
                                size_t count) MUST_CHECK;

/* --- probes --- */

struct probe {
	struct str machine;
	struct str what;   /* "3306/tcp" */
	bool open;         /* must answer; else must not */
	struct str source; /* the machine it is tried from; empty: the pusher */
};
struct error *ledger_probes(struct arena *arena, struct db *db, const struct str *machines, size_t machine_count,
                            struct probe **probes, size_t *count) MUST_CHECK; /* machine_count 0: all */
struct error *ledger_probe_add(struct arena *arena, struct db *db, const struct probe *probe) MUST_CHECK;
/* *removed false: there was none like it. */
struct error *ledger_probe_remove(struct arena *arena, struct db *db, const struct probe *probe,
                                  bool *removed) MUST_CHECK;

/* --- approvals --- */

struct error *ledger_approve(struct arena *arena, struct db *db, uint64_t generation) MUST_CHECK;
struct error *ledger_approved(struct arena *arena, struct db *db, uint64_t generation, bool *approved) MUST_CHECK;

#endif
