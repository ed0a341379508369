/* Which generations stay. Owns the policy alone; who holds a generation, and taking it away, is for others to know and
 * do. In doubt it keeps: a clock that was set back makes nothing old. */
#include "fleetwall/keep.h"

#include "fleetwall/arena.h"

enum { SLACK = 8, DAY = 24 * 60 * 60 };

struct keeping {
	const struct keep_generation *list;
	size_t listed;
	const struct keep_limits *limits;
	int64_t now;
	size_t current; /* place of the published one, or `listed` */
};

static size_t published(const struct keep_generation *list, size_t listed)
{
	size_t i = 0;

	while (i < listed && !list[i].current)
		i++;
	return i;
}

/* In seconds; none is 0. */
static int64_t age(const struct keeping *keeping, const struct keep_generation *generation)
{
	return generation->at < keeping->now ? keeping->now - generation->at : 0;
}

/* What nobody may take away. */
static bool is_safe(const struct keeping *keeping, size_t place)
{
	return keeping->current == keeping->listed || place + 1 >= keeping->current || keeping->list[place].held;
}

static bool may_go(const struct keeping *keeping, size_t place)
{
	const struct keep_limits *limits = keeping->limits;

	if (is_safe(keeping, place))
		return false;
	return keeping->listed - 1 - place > limits->generations ||
	       (limits->days > 0 && age(keeping, &keeping->list[place]) > (int64_t)limits->days * DAY);
}

/* Worth the trouble? */
static bool is_overdue(const struct keeping *keeping, size_t going, int64_t oldest)
{
	const struct keep_limits *limits = keeping->limits;
	int64_t allowed = (int64_t)limits->days * DAY;

	return going > limits->generations / SLACK || (limits->days > 0 && oldest > allowed + allowed / SLACK);
}

uint64_t *keep_choose(struct arena *arena, const struct keep_generation *list, size_t listed,
                      const struct keep_limits *limits, int64_t now, size_t *count)
{
	const struct keeping keeping = {list, listed, limits, now, published(list, listed)};
	uint64_t *keep = ARENA_ARRAY(arena, uint64_t, listed);
	size_t going = 0, kept = 0;
	int64_t oldest = 0;

	for (size_t i = 0; i < listed; i++)
		if (may_go(&keeping, i)) {
			going++;
			oldest = age(&keeping, &list[i]) > oldest ? age(&keeping, &list[i]) : oldest;
		}
	bool all = going == 0 || !is_overdue(&keeping, going, oldest);

	for (size_t i = 0; i < listed; i++)
		if (all || !may_go(&keeping, i))
			keep[kept++] = list[i].number;
	*count = kept;
	return keep;
}
