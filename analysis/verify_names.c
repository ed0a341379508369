/* Sets by their names: for as long as a family of one ruleset is judged, each name is a condition, the same for the
 * file and for the inventory. What is equal whatever these conditions are is equal whatever the sets hold. Conditions
 * are numbered anew each time, so that a fleet with thousands of sets needs no more of them than its largest ruleset.
 */
#include <assert.h>

#include "verifier.h"

void locals_begin(struct verifier *verifier)
{
	verifier->local_count = 0;
}

/* The conditions of the n-th local set; the diagrams keep them. */
static struct str condition_name(struct arena *arena, size_t local, bool destination)
{
	return str_format(arena, "set %zu %s", local + 1, destination ? "dst" : "src");
}

static struct packets condition_of(struct verifier *verifier, size_t local, bool destination)
{
	while (verifier->condition_count <= 2 * local + 1) {
		size_t n = verifier->condition_count;
		struct str name = condition_name(verifier->arena, n / 2, n % 2 == 1);

		verifier->conditions = arena_grow(verifier->arena, verifier->conditions, n,
		                                  &verifier->condition_capacity, sizeof *verifier->conditions,
		                                  _Alignof(struct packets));
		verifier->conditions[n] = packets_keep(packets_condition(name));
		verifier->condition_count++;
	}
	return verifier->conditions[2 * local + destination];
}

static size_t local_of(struct verifier *verifier, struct str name, bool own, const struct addr_set *addresses)
{
	struct local_set local = {name, own, addresses};

	for (size_t i = 0; i < verifier->local_count; i++)
		if (verifier->locals[i].own == own && str_eq(verifier->locals[i].name, name))
			return i;
	verifier->locals = arena_grow(verifier->arena, verifier->locals, verifier->local_count,
	                              &verifier->local_capacity, sizeof local, _Alignof(struct local_set));
	verifier->locals[verifier->local_count] = local;
	return verifier->local_count++;
}

static struct packets seen(struct verifier *verifier, size_t local, enum family family, enum packet_field field)
{
	assert(field == FIELD_SOURCE || field == FIELD_DESTINATION);
	return packets_and(packets_family(family), condition_of(verifier, local, field == FIELD_DESTINATION));
}

/* A set that was given as it is may hold something else than what the inventory wants by that name. */
struct packets locals_see_file(void *context, const struct filter_set *set, enum packet_field field)
{
	const struct local_view *view = context;
	struct verifier *verifier = view->verifier;
	struct str name = set_own_name(set->name);
	const struct addr_set *wanted, *addresses = &set->addresses;
	bool own = false;

	if (view->text->as_given) {
		wanted = intent_set(verifier->intent, name, set->family);
		own = wanted == NULL || !addr_set_eq(wanted, addresses);
	}
	return seen(verifier, local_of(verifier, name, own, addresses), set->family, field);
}

struct packets locals_see_wanted(void *context, struct str set, enum family family, enum packet_field field)
{
	struct verifier *verifier = context;
	const struct addr_set *addresses = intent_set(verifier->intent, set, family);

	assert(addresses != NULL);
	return seen(verifier, local_of(verifier, set, false, addresses), family, field);
}

static struct packets put(struct verifier *verifier, size_t local, bool destination, struct packets set)
{
	struct arena *scratch = arena_new();
	enum packet_field field = destination ? FIELD_DESTINATION : FIELD_SOURCE;

	set = packets_put(set, condition_name(scratch, local, destination),
	                  packets_addresses(field, verifier->locals[local].addresses));
	arena_free(scratch);
	return set;
}

static bool has(const struct str *names, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

struct packets locals_put(struct verifier *verifier, enum family family, struct packets set)
{
	struct arena *scratch = arena_new();
	struct str *names;
	size_t count = packets_conditions(scratch, set, &names);

	set = packets_and(set, packets_family(family));
	for (size_t i = 0; i < 2 * verifier->local_count; i++)
		if (has(names, count, condition_name(scratch, i / 2, i % 2 == 1)))
			set = put(verifier, i / 2, i % 2 == 1, set);
	arena_free(scratch);
	return set;
}
