/* The proof that rulesets say what the inventory says (SPEC §6): the bytes are read back by fleetwall/filter.h, what
 * must be comes from fleetwall/intent.h, and both are compared as sets of packets, for each conntrack state. Claimed:
 * the filter table, INPUT, OUTPUT and FORWARD (or the fleetwall chains), every packet of both families, sets included.
 * Not claimed: what other tables, foreign chains or the kernel's limits do; `limit` and time are conditions, compared
 * by their parameters; nothing is said about what LOG writes. Pure: whoever calls brings the bytes.
 *
 * Sets are compared with the inventory one by one, and rulesets by the names of sets. So a ruleset that was proved
 * stays proved whoever joins a role, and no set of 100,000 addresses becomes a diagram, unless it takes part in a
 * difference. */
#ifndef FLEETWALL_VERIFY_H
#define FLEETWALL_VERIFY_H

#include "fleetwall/digest.h"
#include "fleetwall/filter.h"
#include "fleetwall/intent.h"

/* What is claimed, and what is not, in a sentence each. */
extern const char verify_claims[], verify_disclaims[];

enum verify_kind {
	VERIFY_PACKET, /* a packet that is treated otherwise */
	VERIFY_SET, /* a set file holds other addresses than the inventory says, or sets.list names other sets than the
	               rules do */
	VERIFY_UNREADABLE, /* the reader, and so iptables-restore or ipset, would refuse the file */
	VERIFY_CHAIN,      /* the file has no chain that it must have, or touches one that is not ours */
	VERIFY_MISSING,    /* no ruleset where there must be one, or one where there must be none */
};
struct str verify_kind_str(enum verify_kind kind); /* "packet", "set", … */

struct verify_finding {
	enum verify_kind kind;
	struct str machine;      /* an example; of a set: empty */
	size_t machines;         /* how many have the same ruleset */
	struct str file;         /* "rules.v4", "mysql-….v4"; may be empty */
	unsigned line;           /* that decides, or is faulty; 0: the policy, or none */
	struct str text;         /* of that line */
	struct str chain;        /* VERIFY_PACKET: that it enters: "INPUT", "fleetwall-output", … */
	bool out;
	struct sample packet;    /* VERIFY_PACKET: one that shows it, an ordinary one if there is one */
	struct str *untrue;      /* conditions that must not hold */
	size_t untrue_count;
	struct str wanted, got;  /* "accepted", "dropped", "rejected with tcp-reset", … */
	struct str why; /* what of the inventory wants it: stage, and rules with their roles; or what is wrong */
};
struct verify_findings {
	struct verify_finding *items;
	size_t count, capacity;
};

/* One for a run; `arena`, fleet and settings live as long. `program` names the build, whose code a proof depends on.
 * packets_begin() comes before the first ruleset is judged. Used by one thread but where another word is said. */
struct verifier;
struct verifier *verifier_new(struct arena *arena, const struct fleet *fleet, const struct settings *settings,
                              struct str program);
struct intent *verifier_intent(struct verifier *verifier);

/* --- sets: each file is begun, read and ended, and named before the first ruleset that names it is read --- */

struct verify_set {
	struct str name;               /* "mysql-0123456789ab.v4" */
	const struct addr_set *wanted; /* NULL: no rule that counts needs it */
	bool needed;                   /* somebody does, wherever `wanted` has gone */
	bool same;                     /* it holds what is wanted; of a set that nobody needs: it can be read */
	struct addr_set found;         /* where it is not the same, or nobody needs it */
	struct verify_finding finding; /* where it is not the same */
};

/* There is a file of this name. Not needed where verify_set_end() comes before the first ruleset. */
void verify_set_name(struct verifier *verifier, struct str name);
/* These two by any thread, into its arena; what is wanted lies there. Meanwhile rulesets may be judged by names. The
 * bytes are not kept. */
void verify_set_begin(struct arena *arena, struct verifier *verifier, struct str name, struct verify_set *set);
void verify_set_read(struct arena *arena, struct verify_set *set, struct str bytes);
/* `set` as it was read; or with `same` set by who knows, by its key, that this was proved before. */
void verify_set_end(struct arena *arena, struct verifier *verifier, const struct verify_set *set,
                    struct verify_findings *findings);

/* --- rulesets --- */

struct verify_files {
	struct str rules[2];            /* v4, v6 */
	struct str sets_list;           /* names of set files, one a line */
	const struct filter_text *sets; /* NULL: those that were ended; else these files, whatever they hold */
	size_t set_count;               /* of `sets` */
};
/* Read back, to be judged. By any thread, into its arena, while nobody begins or ends sets. The texts must stay. */
struct verify_text;
struct verify_text *verify_read(struct arena *arena, const struct verifier *verifier, const struct verify_files *files);

/* Is this what the inventory says of the machine? Machines in the same position with the same ruleset need it once:
 * intent_position() says; `machines` is how many they are. */
enum verify_verdict {
	VERIFY_PROVED,       /* whatever its sets hold */
	VERIFY_PROVED_TODAY, /* as long as its sets hold what they hold now: nothing to remember */
	VERIFY_REFUTED,      /* with findings */
};
/* Findings are in `arena`; nothing of them is the text's. After the sets. */
enum verify_verdict verify_ruleset(struct arena *arena, struct arena *scratch, struct verifier *verifier,
                                   size_t machine, size_t machines, const struct verify_text *text,
                                   struct verify_findings *findings);
/* The same by the names of sets alone, with nothing to say: is it VERIFY_PROVED? */
bool verify_by_names(struct arena *scratch, struct verifier *verifier, size_t machine,
                     const struct verify_text *text);

/* --- what was proved before --- */

/* What a proof stands for: the ruleset's digest, the position's text, the settings and the program; of a set its name,
 * digest and wanted addresses. */
struct digest verify_ruleset_key(struct verifier *verifier, struct str position, const struct digest *ruleset);
struct digest verify_set_key(struct digester *digester, const struct verifier *verifier, const struct verify_set *set,
                             const struct digest *file);
void verifier_free(struct verifier *verifier); /* what it holds beside its arena; NULL is fine */

/* In words, one finding a few lines: what, where, the packet, wanted and got, why. */
void verify_print(struct buf *buf, const struct verify_finding *finding);
/* The same as an error of kind ERROR_GUARD. */
struct error *verify_error(const struct verify_finding *finding) MUST_CHECK;
/* "new tcp 10.0.0.1 -> 10.0.0.2 port 3306 in on eth0": what matters of the finding's packet. */
struct str verify_packet_str(struct arena *arena, const struct verify_finding *finding);

#endif
