/* The proof that rulesets say what the inventory says (SPEC §6): the bytes are read back by fleetwall/filter.h, what must
 * be comes from fleetwall/intent.h, and both are compared as sets of packets, for each conntrack state. Claimed: the
 * filter table, INPUT, OUTPUT and FORWARD (or the fleetwall chains), every packet of both families, sets included.
 * Not claimed: what other tables, foreign chains or the kernel's limits do; `limit` and time are conditions, compared by
 * their parameters; nothing is said about what LOG writes. Pure: whoever calls brings the bytes. */
#ifndef FLEETWALL_VERIFY_H
#define FLEETWALL_VERIFY_H

#include "fleetwall/digest.h"
#include "fleetwall/filter.h"
#include "fleetwall/intent.h"

enum verify_kind {
	VERIFY_PACKET,      /* a packet that is treated otherwise */
	VERIFY_SET,         /* a set file holds other addresses, or none that a rule needs */
	VERIFY_UNREADABLE,  /* the reader, and so iptables-restore or ipset, would refuse the file */
	VERIFY_MISSING,     /* no ruleset where there must be one, or one where there must be none */
};

struct verify_finding {
	enum verify_kind kind;
	struct str machine;          /* an example; of a set: empty */
	size_t machines;             /* how many have the same ruleset */
	struct str file;             /* "rules.v4", "mysql-….v4" */
	unsigned line;               /* that decides, or is faulty; 0: the policy, or none */
	bool out;
	struct sample packet;        /* VERIFY_PACKET: one that shows it, the least of them */
	struct str wanted, got;      /* "accepted", "dropped", "rejected with tcp-reset", … */
	struct str why;              /* what of the inventory wants it: stage, and rules with their roles; or what is wrong */
};

/* One for a run: it keeps what was proved and read once (sets, lines) for all rulesets. `arena` lives as long. */
struct verifier;
struct verifier *verifier_new(struct arena *arena, const struct fleet *fleet, const struct settings *settings);

/* A set file. It is compared with what the inventory says that the set of this name holds; a set that no rule of the
 * inventory needs is compared with nothing, but must be readable. The bytes are not kept. */
struct error *verify_set(struct arena *arena, struct verifier *verifier, struct str name, struct str bytes,
                         struct verify_finding **findings, size_t *count) MUST_CHECK;

struct verify_files {
	struct str rules[2];   /* v4, v6 */
	struct str *sets;      /* the names in sets.list; each was given to verify_set() before */
	size_t set_count;
};
/* A machine's ruleset. Machines in the same position with the same ruleset need it once: intent_position() says. */
struct error *verify_ruleset(struct arena *arena, struct verifier *verifier, size_t machine,
                             const struct verify_files *files, struct verify_finding **findings,
                             size_t *count) MUST_CHECK;

/* What a proof stands for: remember it, and the same need not be proved again. It covers the ruleset's digest, the
 * position's text, the settings, and the version of the proof itself; of a set its name, digest and wanted addresses. */
struct digest verify_ruleset_key(struct verifier *verifier, size_t machine, const struct digest *ruleset);
struct digest verify_set_key(struct verifier *verifier, struct str name, const struct digest *set);

/* In words, one finding a few lines: what, where, the packet, wanted and got, why. */
void verify_print(struct buf *buf, const struct verify_finding *finding);

#endif
