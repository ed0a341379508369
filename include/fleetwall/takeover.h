/* What a host's own filter table says (iptables-save, ip6tables-save, ipset save), as rules of ours: SPEC §4
 * `import --from iptables-save`. Text and fleet in, fleet out; pure.
 *
 * A filter is a list, our rules are a set. So it is asked what the list does to packets, and rules are chosen whose
 * union does the same; what can't be said exactly is left out, so that less is let in, never more. Compared are packets
 * that open a connection between ordinary ends (takeover_claims), beside housekeeping and management, which are there
 * in any case. Each line is counted once: represented, represented by housekeeping, reached by no packet, or left out,
 * with the reason. */
#ifndef FLEETWALL_TAKEOVER_H
#define FLEETWALL_TAKEOVER_H

#include "fleetwall/fleet.h"
#include "fleetwall/settings.h"

/* What is compared, in a sentence. */
extern const char takeover_claims[];

struct takeover_file {
	struct str machine; /* as it was given */
	struct str name;    /* for messages */
	struct str text;
};

struct takeover_counts {
	size_t lines; /* that say something: rules, chains, sets and their members; the sum of the others */
	size_t represented, housekeeping, unreached, left_out;
};

/* All of it lives in `arena`. What iptables-restore or ipset would refuse is ERROR_INPUT with file and line; so is a
 * family of a machine that is there twice. Texts must stay. */
struct takeover;
struct error *takeover_read(struct arena *arena, const struct takeover_file *files, size_t count,
                            struct takeover **takeover) MUST_CHECK;

/* Steps that each machine may take to be chosen for, and again to be proved (PACKETS_WORK_MOST, where nobody says it);
 * past them takeover_fleet() and takeover_prove() give ERROR_INPUT with the rule that was reached. */
void takeover_bound(struct takeover *takeover, uint64_t steps);

/* The rules of the machines, and the networks and roles that they need: a fleet with only what is new, normalized, with
 * `given` set. Machines that `present` has keep all else that it says of them; the others have no addresses. Between
 * packets_begin() and packets_end(). */
struct error *takeover_fleet(struct takeover *takeover, const struct fleet *present, const struct settings *settings,
                             struct fleet *wanted) MUST_CHECK;

/* Is what the rows of `target` will have rendered within what the filters let in? `target` is the whole fleet as it
 * will be. A rule of ours that lets in more is taken out of `wanted`, and *again says that there is a new target to be
 * proved. */
struct error *takeover_prove(struct takeover *takeover, const struct fleet *target, const struct settings *settings,
                             struct fleet *wanted, bool *again) MUST_CHECK;

/* --- what there is to say, after these --- */

/* A machine: its counts over all its files. */
struct takeover_summary {
	struct str machine;
	struct takeover_counts counts;
	size_t rules;          /* that it gets */
	struct str shared;     /* the role that has them, where other machines say the same; else empty */
	bool proved;           /* after takeover_prove(): lets in exactly what runs */
	struct str *narrower;  /* packets that the filter lets in and the rules do not, one a direction and family */
	size_t narrower_count;
	struct str *wider;     /* packets that other roles of the machine let in, with the role */
	size_t wider_count;
};
size_t takeover_summaries(const struct takeover *takeover, struct takeover_summary **summaries);
/* A warning for each stretch of lines that was left out for one reason, in the order of the files. */
struct error *takeover_left_out(const struct takeover *takeover);
/* What is worth a word beside (an open policy, a family that was not given). */
struct error *takeover_remarks(const struct takeover *takeover);

#endif
