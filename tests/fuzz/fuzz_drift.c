/* Any bytes as what a machine prints: taken apart, the parts lie inside of it; a table is no drift from itself,
 * whatever it says; and between two tables what is missing on one side is extra on the other. The first `== sets` cuts
 * the input into two tables. */
#include <stdlib.h>
#include <string.h>

#include "../../push/drift_parts.h"
#include "fleetwall/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static bool inside(struct str part, struct str whole)
{
	return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void take_apart(struct arena *arena, struct str text)
{
	struct host_read read;
	struct error *error = host_read_parse(arena, text, &read);

	demand(error == NULL || (error->kind == ERROR_INPUT && error->message.n > 0 && error->hint.n > 0));
	demand(inside(read.status, text));
	for (size_t i = 0; i < read.sections.count; i++)
		demand(inside(read.sections.items[i].text, text));
	demand(inside(host_status(&read, "position"), text));
}

struct counts {
	long kinds[DRIFT_OTHER + 1];
};

static struct counts count_of(struct arena *arena, enum position_mode mode, struct str ours, struct str theirs)
{
	struct drift_list list = {0};
	struct counts counts = {{0}};

	drift_rules(arena, mode, STR("rules.v4"), ours, theirs, &list);
	for (size_t i = 0; i < list.count; i++) {
		counts.kinds[list.items[i].kind]++;
		demand(list.items[i].line.n > 0 && list.items[i].number <= ours.n);
		for (size_t k = 0; k < list.items[i].line.n; k++)
			demand(list.items[i].line.p[k] >= ' ' && list.items[i].line.p[k] < 0x7f);
	}
	return counts;
}

static void same(struct arena *arena, enum position_mode mode, struct str table)
{
	struct counts counts = count_of(arena, mode, table, table);

	for (int kind = 0; kind < DRIFT_OTHER; kind++)
		demand(counts.kinds[kind] == 0 || (kind == DRIFT_JUMP && mode != POSITION_EXCLUSIVE));
}

/* One way and the other. */
static void different(struct arena *arena, struct str one, struct str other)
{
	struct counts there = count_of(arena, POSITION_EXCLUSIVE, one, other);
	struct counts back = count_of(arena, POSITION_EXCLUSIVE, other, one);

	demand(there.kinds[DRIFT_RULE_MISSING] - there.kinds[DRIFT_RULE_EXTRA] ==
	       back.kinds[DRIFT_RULE_EXTRA] - back.kinds[DRIFT_RULE_MISSING]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	const char *cut = memmem(text.p, text.n, "== sets", 7);
	size_t half = cut != NULL ? (size_t)(cut - text.p) : size / 2;
	struct arena *arena = arena_new();

	take_apart(arena, text);
	same(arena, POSITION_EXCLUSIVE, text);
	same(arena, POSITION_COEXIST, text);
	different(arena, str_slice(text, 0, half), str_slice(text, half, text.n));
	arena_free(arena);
	error_forget_all();
	return 0;
}
