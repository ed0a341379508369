/* Which rules of two chains stay where they are: a longest common subsequence, by Hunt and Szymanski (CACM 20, 1977):
 * nearly linear where few lines repeat, as in rules. Equal chains are done in one pass. */
#include <stdlib.h>

#include "drift_parts.h"
#include "fleetwall/arena.h"

/* So many equal lines of ours are looked at for one of theirs; with more of them, what stays may not be the most. */
enum { TWINS_MOST = 64 };

/* A rule of ours, to be found by its text. */
struct twin {
	uint32_t text, at;
};

/* One step of a common subsequence; `before` is the one before it, counted from 1. */
struct link {
	uint32_t ours, theirs, before;
};

struct common {
	struct arena *arena;
	struct twin *twins;  /* of ours, by text, then the last first */
	size_t twin_count;
	struct {
		struct link *items;
		size_t count, capacity;
	} links;
	uint32_t *ends; /* by length: the link with which such a subsequence ends soonest in ours, from 1 */
	size_t length;
};

static int twin_order(const void *a, const void *b)
{
	const struct twin *left = a, *right = b;

	if (left->text != right->text)
		return left->text < right->text ? -1 : 1;
	return left->at > right->at ? -1 : left->at < right->at;
}

static void index_ours(struct common *common, const struct table_rule *ours, size_t from, size_t to)
{
	common->twin_count = to - from;
	common->twins = ARENA_ARRAY(common->arena, struct twin, to - from);
	common->ends = ARENA_ARRAY(common->arena, uint32_t, to - from);
	for (size_t i = from; i < to; i++)
		common->twins[i - from] = (struct twin){ours[i].text, (uint32_t)i};
	if (common->twin_count > 1)
		qsort(common->twins, common->twin_count, sizeof *common->twins, twin_order);
}

static size_t first_twin(const struct common *common, uint32_t text)
{
	size_t low = 0, high = common->twin_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (common->twins[middle].text < text)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The longest subsequence that can be made longer by this pair: all that end before it. */
static size_t length_before(const struct common *common, uint32_t ours)
{
	size_t low = 0, high = common->length;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (common->links.items[common->ends[middle] - 1].ours < ours)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add_pair(struct common *common, uint32_t ours, uint32_t theirs)
{
	size_t length = length_before(common, ours);
	struct link link = {ours, theirs, length == 0 ? 0 : common->ends[length - 1]};

	if (length < common->length && common->links.items[common->ends[length] - 1].ours == ours)
		return;
	APPEND(common->arena, &common->links, link);
	common->ends[length] = (uint32_t)common->links.count;
	if (length == common->length)
		common->length++;
}

static void add_theirs(struct common *common, uint32_t text, uint32_t theirs)
{
	size_t at = first_twin(common, text);

	for (size_t seen = 0; seen < TWINS_MOST && at < common->twin_count && common->twins[at].text == text;
	     seen++)
		add_pair(common, common->twins[at++].at, theirs);
}

void drift_common(struct arena *arena, const struct table_rule *ours, size_t our_count,
                  const struct table_rule *theirs, size_t their_count, bool *ours_stay, bool *theirs_stay)
{
	struct common common = {.arena = arena};
	size_t from = 0, cut = 0;

	while (from < our_count && from < their_count && ours[from].text == theirs[from].text) {
		ours_stay[from] = theirs_stay[from] = true;
		from++;
	}
	while (from + cut < our_count && from + cut < their_count &&
	       ours[our_count - 1 - cut].text == theirs[their_count - 1 - cut].text) {
		ours_stay[our_count - 1 - cut] = theirs_stay[their_count - 1 - cut] = true;
		cut++;
	}
	index_ours(&common, ours, from, our_count - cut);
	for (size_t i = from; i < their_count - cut; i++)
		add_theirs(&common, theirs[i].text, (uint32_t)i);
	for (uint32_t link = common.length == 0 ? 0 : common.ends[common.length - 1]; link != 0;) {
		const struct link *pair = &common.links.items[link - 1];

		ours_stay[pair->ours] = theirs_stay[pair->theirs] = true;
		link = pair->before;
	}
}
