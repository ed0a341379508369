/* Sets by their names: each name is a condition, the same for every file and for the inventory. What is equal
 * whatever these conditions are is equal whatever the sets hold. Only where names alone do not decide, addresses are
 * put in their place. */
#include <assert.h>

#include "verifier.h"

#define OWN "own " /* no name of a set has a blank */

/* --- names --- */

static struct str key_of(struct arena *arena, struct str name, bool own)
{
	return own ? str_format(arena, OWN "%.*s", STR_ARG(name)) : name;
}

static struct seen_set *seen_of(struct verifier *verifier, struct str key)
{
	uint32_t number = names_add(verifier->seen_names, key);

	if (number == verifier->seen.count) {
		struct seen_set seen = {.name = names_get(verifier->seen_names, number)};

		APPEND(verifier->arena, &verifier->seen, seen);
	}
	return &verifier->seen.items[number];
}

static struct packets condition_of(struct verifier *verifier, struct seen_set *seen, enum family family,
                                   enum packet_field field)
{
	size_t destination = field == FIELD_DESTINATION;
	const char *suffix = destination ? "dst" : "src";

	assert(field == FIELD_SOURCE || destination);
	if (!seen->made[destination]) {
		struct str name = str_format(verifier->arena, "set %.*s %s", STR_ARG(seen->name), suffix);

		seen->conditions[destination] = packets_keep(packets_condition(name));
		seen->made[destination] = true;
	}
	return packets_and(packets_family(family), seen->conditions[destination]);
}

/* --- how both sides see them --- */

/* A set that was given as it is may hold something else than what the inventory wants by that name. */
static bool is_own(const struct local_view *view, const struct filter_set *set, struct str name)
{
	const struct addr_set *wanted;

	if (!view->text->as_given)
		return false;
	wanted = intent_set(view->verifier->intent, name, set->family);
	return wanted == NULL || !addr_set_eq(wanted, &set->addresses);
}

struct packets locals_see_file(void *context, const struct filter_set *set, enum packet_field field)
{
	const struct local_view *view = context;
	struct verifier *verifier = view->verifier;
	struct str name = set_own_name(set->name);
	struct arena *scratch = arena_new();
	struct seen_set *seen = seen_of(verifier, key_of(scratch, name, is_own(view, set, name)));

	arena_free(scratch);
	seen->addresses[set->family == FAMILY_6] = &set->addresses;
	return condition_of(verifier, seen, set->family, field);
}

struct packets locals_see_wanted(void *context, struct str set, enum family family, enum packet_field field)
{
	struct verifier *verifier = context;

	return condition_of(verifier, seen_of(verifier, set), family, field);
}

/* --- addresses instead of names --- */

/* "set NAME src" */
static bool is_condition(const struct verifier *verifier, struct str condition, uint32_t *number,
                         enum packet_field *field)
{
	struct str name = str_slice(condition, 4, condition.n > 4 ? condition.n - 4 : 0);

	if (!str_starts(condition, STR("set ")))
		return false;
	*field = str_ends(condition, STR(" dst")) ? FIELD_DESTINATION : FIELD_SOURCE;
	*number = names_find(verifier->seen_names, name);
	return *number != NAMES_NONE;
}

static const struct addr_set *addresses_of(struct verifier *verifier, const struct seen_set *seen, enum family family)
{
	const struct addr_set *wanted =
		str_starts(seen->name, STR(OWN)) ? NULL : intent_set(verifier->intent, seen->name, family);

	return wanted != NULL ? wanted : seen->addresses[family == FAMILY_6];
}

const struct addr_set *locals_addresses(const struct local_view *view, const struct filter_set *set)
{
	const struct addr_set *wanted =
		view->text->as_given ? NULL
				     : intent_set(view->verifier->intent, set_own_name(set->name), set->family);

	return wanted != NULL ? wanted : &set->addresses;
}

struct packets locals_put(struct verifier *verifier, enum family family, struct packets set)
{
	struct arena *scratch = arena_new();
	struct str *names;
	size_t count = packets_conditions(scratch, set, &names);

	set = packets_and(set, packets_family(family));
	for (size_t i = 0; i < count && !packets_empty(set); i++) {
		const struct addr_set *addresses;
		enum packet_field field;
		uint32_t number;

		if (!is_condition(verifier, names[i], &number, &field))
			continue;
		addresses = addresses_of(verifier, &verifier->seen.items[number], family);
		set = packets_put(set, names[i],
		                  addresses != NULL ? packets_addresses(field, addresses) : packets_none());
	}
	arena_free(scratch);
	return set;
}
