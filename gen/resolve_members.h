/* Private to gen/: who is a member of what. */
#ifndef FLEETWALL_GEN_RESOLVE_MEMBERS_H
#define FLEETWALL_GEN_RESOLVE_MEMBERS_H

#include "fleetwall/resolve.h"

/* Fills in the members of all roles and the roles of all machines. The same with any number of workers. */
void resolve_members(struct arena *arena, struct resolved *resolved, unsigned workers);

#endif
