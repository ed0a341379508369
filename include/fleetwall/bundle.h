/* What travels to a machine: one stream of bytes that says what it shall have, whole or as the difference against what
 * it confirmed, and the digests that decide. Reads the store; never connects to anything. The other end is
 * push/fleetwall-host; fleetwall-host(8) describes the format for people.
 *
 *     fleetwall-bundle 1
 *     machine db1
 *     machine-id 9f0c…            as pinned at the first confirm; `-`: not known yet
 *     fence 17                    of this claim; the machine refuses a lower one than it has seen
 *     generation 42               the machine refuses a lower one than it confirmed, unless flag `rollback` is set
 *     token 5b1e…                 32 hexadecimal digits, of this apply; confirming takes it
 *     position 77ab…              SHA-256, see struct position
 *     confirmed 03cd…             the position that the machine is thought to have confirmed; `-`: not known
 *     mode exclusive              exclusive, coexist or monitor (which is loaded as coexist)
 *     deadline 60                 seconds until it goes back by itself
 *     ssh-port 22
 *     management 10.0.0.250 192.0.2.0/24 fd00::/64
 *     flags adopt rollback cut whole
 *     rules.v4 27                 so many lines follow; `same`: what the machine confirmed
 *     rules.v6 26
 *     sets.list 4
 *     set web-dc6e60f51867.v4 whole 7
 *     set app-2bd806c97f0e.v4 diff 1
 *                                 an empty line; then those lines, in that order
 *     end
 *
 * Sets of sets.list without a line are as confirmed. Lines of a difference, by the numbers of the lines of the old
 * file, ascending: `-12` (line 12 goes), `+12 10.0.0.7` (an `add` of this comes behind line 12, in the order given). A
 * first line `script N` may precede all of it, with the N lines of fleetwall-host itself. */
#ifndef FLEETWALL_BUNDLE_H
#define FLEETWALL_BUNDLE_H

#include "fleetwall/addr.h"
#include "fleetwall/store.h"

enum position_mode { POSITION_EXCLUSIVE, POSITION_COEXIST, POSITION_MONITOR };
struct str position_mode_str(enum position_mode mode); /* as in the bundle */

/* Everything that a machine shall have: its ruleset, and the set files that this names. */
struct position {
	struct digest ruleset; /* as in the manifest */
	/* SHA-256 over `HEX  rules\n` with the ruleset's digest, then `HEX  SET.v4\n` for each line of sets.list, in
	 * its order: equal exactly if nothing at all differs. */
	struct digest digest;
	enum position_mode mode; /* as the bytes of rules.v4 say, not the inventory of today */
	struct entry *sets;      /* of sets.list, in its order, with the digests of their files */
	size_t set_count;
};

/* Positions of one generation, each distinct ruleset read once; kept for the time of a run. Needs no lock on the store:
 * the generation must be published, or held (generation_pin). */
struct positions;
struct error *positions_open(struct arena *arena, struct str output, uint64_t generation,
                             struct positions **positions) MUST_CHECK;
/* Its lists, number and digest; not its text, and not its summary. */
const struct generation *positions_generation(const struct positions *positions);
/* By name. *position is NULL where the generation has no ruleset for it. Damaged files are ERROR_SURROUNDINGS. */
struct error *positions_find(struct positions *positions, struct str machine,
                             const struct position **position) MUST_CHECK;
/* All machines of the generation, in the manifest's order: [i] is manifest[i]'s, NULL where its files are damaged, and
 * positions_find() says how. As few reads as there are distinct rulesets. `sets` is empty until positions_find() is
 * asked for a machine of that position. */
const struct position **positions_all(struct positions *positions);

struct bundle_request {
	struct str machine, machine_id; /* machine_id empty: not known */
	uint64_t fence;
	struct str token;
	struct positions *now;
	struct positions *before; /* of the generation that the machine confirmed, or that has the same position; NULL:
	                             not known, or its bytes are gone: everything is sent */
	unsigned deadline, ssh_port;
	const struct prefix *management;
	size_t management_count;
	bool adopt, rollback, cut;
	struct str script; /* fleetwall-host itself goes first, where the machine may lack it; empty: it has it */
};

/* A bundle is read piece by piece, and holds no more than its header and the changes in memory. */
struct bundle;
struct error *bundle_make(struct arena *arena, const struct bundle_request *request, struct bundle **bundle) MUST_CHECK;
size_t bundle_size(const struct bundle *bundle); /* bytes in all */
bool bundle_is_whole(const struct bundle *bundle);
/* The next at most `size` bytes; *got is 0 at the end. */
struct error *bundle_read(struct bundle *bundle, char *bytes, size_t size, size_t *got) MUST_CHECK;
void bundle_close(struct bundle *bundle); /* its descriptors; NULL is fine */

/* How a set file differs from the one before, as the lines of the format above. Pure. Both are set files as generate
 * writes them; false where they are not, or where the whole is shorter. */
bool set_difference(struct str before, struct str after, struct buf *lines, size_t *count);

#endif
