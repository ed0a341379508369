/* Keeps peers' address sets between questions. Nothing is evicted: there are as many sets as peers of the inventory
 * that somebody asked about. Literals have no set; they are compared as the ranges that they are. */
#include "peers.h"

#include <assert.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

struct known_peer {
	const struct peer *peer;
	const struct role *role; /* that `self` stands for */
	struct addr_set *sets[2][2]; /* [refusing][IPv6]; NULL until somebody asks */
};

struct peers {
	struct arena *arena;
	const struct resolved *resolved;
	struct names *texts; /* canonical, with `self` written as its role; the number of a text is that of the peer */
	struct known_peer *items;
	size_t count, capacity;
	struct buf spelling;
};

struct peers *peers_new(struct arena *arena, const struct resolved *resolved)
{
	struct peers *peers = ARENA_NEW(arena, struct peers);

	*peers = (struct peers){
		.arena = arena, .resolved = resolved, .texts = names_new(arena), .spelling = buf_new(arena),
	};
	return peers;
}

uint32_t peers_number(struct peers *peers, const struct peer *peer, const struct role *role)
{
	struct peer spelled = *peer;
	uint32_t number;

	assert(peer->kind != PEER_LITERAL);
	if (peer->kind == PEER_SELF)
		spelled = (struct peer){.kind = PEER_ROLE, .name = role->name};
	peers->spelling.n = 0;
	peer_print(&peers->spelling, &spelled);
	number = names_add(peers->texts, buf_str(&peers->spelling));
	if (number == peers->count)
		APPEND(peers->arena, peers, ((struct known_peer){.peer = peer, .role = role}));
	return number;
}

const struct addr_set *peers_set(struct peers *peers, uint32_t number, bool refusing, enum family family)
{
	struct known_peer *known = &peers->items[number];
	struct addr_set **set = &known->sets[refusing][family == FAMILY_6];

	if (*set == NULL) {
		*set = ARENA_NEW(peers->arena, struct addr_set);
		**set = peer_addresses(peers->arena, peers->resolved, known->peer, known->role, refusing, family);
	}
	return *set;
}
