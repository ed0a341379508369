/* Private to gen/: the keys that pieces are known by. A key is SHA-256 over all that the bytes of its piece depend on;
 * each function here says what that is. */
#ifndef FLEETWALL_GEN_PRODUCE_KEYS_H
#define FLEETWALL_GEN_PRODUCE_KEYS_H

#include "fleetwall/produce.h"
#include "ruleset_position.h"
#include "sets.h"

/* What a role contributes to a ruleset. */
struct digest role_key(struct arena *scratch, struct digester *digester, const struct resolved *resolved,
                       uint32_t role);
/* `roles`: role keys by role. */
struct digest position_key(struct digester *digester, const struct digest *base, const struct position *position,
                           const struct digest *roles);
/* `contents`: the addresses that the set holds, as produce_gather() gives them. */
struct digest set_key(struct digester *digester, const struct digest *base, const struct set *set, struct str contents);

/* The value of a key. */
bool known_find(const struct known *items, size_t count, const struct digest *key, struct digest *value);
/* Sorts by key: from `items` to `sorted`, which has room for as many. */
void known_sort(struct arena *scratch, struct known *sorted, const struct known *items, size_t count);

#endif
