/* The addresses that peers of rules stand for (roles, networks, machines; not literals), built when first asked for and
 * kept: one set a peer, kind of rule and family. */
#ifndef FLEETWALL_ANALYSIS_PEERS_H
#define FLEETWALL_ANALYSIS_PEERS_H

#include "fleetwall/resolve.h"

struct peers;
struct peers *peers_new(struct arena *arena, const struct resolved *resolved);

/* The number of a peer that is no literal; `self` is `role`. The same peer has the same number in every rule. */
uint32_t peers_number(struct peers *peers, const struct peer *peer, const struct role *role);
/* `refusing` as in peer_addresses(). */
const struct addr_set *peers_set(struct peers *peers, uint32_t number, bool refusing, enum family family);

#endif
