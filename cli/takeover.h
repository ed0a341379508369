/* Between the files of `import`: hosts' own filters are planned with the inventory at hand. */
#ifndef TAKEOVER_H
#define TAKEOVER_H

#include "fleetwall/inventory.h"
#include "fleetwall/packets.h"
#include "fleetwall/takeover.h"

#include "cli.h"

/* Reads MACHINE=FILE…. */
struct error *import_filters(struct run *run, struct takeover **takeover) MUST_CHECK;
/* Chooses the rules, plans them, and proves that the planned fleet lets in no more than what runs; says what became of
 * the lines. */
struct error *plan_takeover(struct run *run, struct takeover *takeover, const struct fleet *present,
                            const struct import_options *options, struct plan *plan) MUST_CHECK;

#endif
