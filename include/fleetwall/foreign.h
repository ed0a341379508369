/* What other systems' tools say of a fleet, as a fleet of ours: text -> struct fleet. No database. SPEC §4;
 * fleetwall-import(5) says what becomes what. What can't be represented exactly is left out and named by its id, never
 * widened; the rest is there. The fleet is normalized and `given` is set; nothing of it refers to the texts. */
#ifndef FLEETWALL_FOREIGN_H
#define FLEETWALL_FOREIGN_H

#include "fleetwall/fleet.h"

struct foreign_file {
	struct str name; /* for messages */
	struct str text;
};

/* Both lists are in an order that does not depend on that of the files. */
struct foreign_notes {
	struct error *left_out;   /* what is not in the fleet: an import with one of these ends with exit code 1 */
	struct error *made_right; /* what is in the fleet otherwise than the source spells it */
};

/* Any number of files with the JSON of `aws ec2 describe-security-groups`, `describe-instances` and
 * `describe-network-interfaces`, in any order; pages, one behind the other or in a list, too. Text that is no JSON, and
 * JSON that is nothing of these, is ERROR_INPUT. */
struct error *aws_read(struct arena *arena, const struct foreign_file *files, size_t count, struct fleet *fleet,
                       struct foreign_notes *notes) MUST_CHECK;

/* The JSON of `ansible-inventory --list`. Addresses are those of `variables`; of a host that none of them gives one,
 * ansible_host. */
struct error *ansible_read(struct arena *arena, const struct foreign_file *file, const struct str *variables,
                           size_t variable_count, struct fleet *fleet, struct foreign_notes *notes) MUST_CHECK;

#endif
