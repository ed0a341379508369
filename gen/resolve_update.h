/* Private to gen/: what was resolved, brought up to date. */
#ifndef FLEETWALL_GEN_RESOLVE_UPDATE_H
#define FLEETWALL_GEN_RESOLVE_UPDATE_H

#include "fleetwall/digest.h"
#include "fleetwall/resolve.h"

/* Does who is a member of a role follow from the same words in both? The same names at the same places, and the same
 * selectors. */
bool roles_select_alike(const struct fleet *a, const struct fleet *b);

/* `resolved` was made from a fleet whose machines and roles had the places and names that they have in `fleet`, and
 * whose selectors were the same; of the machines only those listed differ. Becomes what resolve() says of `fleet`;
 * lists that change are made anew in `arena`. roles_changed[i] is set where a member of role i came or went, or is one
 * of the machines for which machines_changed[] is set; rules_changed[i] where other rules of role i count, or the same
 * lie elsewhere. */
void resolve_update(struct arena *arena, struct resolved *resolved, const struct fleet *fleet, const uint32_t *machines,
                    size_t machine_count, const bool *machines_changed, bool *roles_changed, bool *rules_changed);

/* Of resolve.c: the rules of a role that count at the clock. */
void resolve_rules(struct arena *arena, struct resolved_role *resolved, const struct role *role, int64_t clock);
void resolve_ids(struct resolved_role *resolved, struct digester *digester);
bool rule_counts(const struct role_rule *held, int64_t clock);

#endif
