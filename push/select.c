/* Which machines the words of a command speak of: names, globs, role:NAME. A word that speaks of nothing is an error,
 * with the nearest name that there is; all such words at once. Asks the ledger for names and roles, and nobody else. */
#include "select.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "fleetwall/arena.h"

struct found {
	struct str *items;
	size_t count, capacity;
};

static bool role_word(struct str word, struct str *role)
{
	*role = str_starts(word, STR("role:")) ? str_slice(word, 5, word.n) : STR("");
	return str_starts(word, STR("role:"));
}

bool select_has_roles(const struct selection *selection)
{
	struct str role;

	for (size_t i = 0; i < selection->count; i++)
		if (role_word(selection->words[i], &role))
			return true;
	return false;
}

static bool is_glob(struct str word)
{
	return str_find(word, '*') < word.n || str_find(word, '?') < word.n || str_find(word, '[') < word.n;
}

/* Sorted, each once. */
static size_t sort_names(struct str *names, size_t count)
{
	size_t kept = 0;

	if (count > 1)
		qsort(names, count, sizeof *names, str_order);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || !str_eq(names[kept - 1], names[i]))
			names[kept++] = names[i];
	return kept;
}

static void add_role(struct arena *arena, struct found *found, struct str role, const struct contact *contacts,
                     size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < contacts[i].role_count; k++)
			if (str_eq(contacts[i].roles[k], role)) {
				APPEND(arena, found, contacts[i].machine);
				break;
			}
}

/* Machines' names are host names: they hold no NUL, and nothing that a glob would take for special. */
static void add_glob(struct arena *arena, struct found *found, struct str word, const struct str *known, size_t count)
{
	struct arena *scratch = arena_new();
	const char *pattern = str_c(scratch, word);

	for (size_t i = 0; i < count; i++) {
		if (fnmatch(pattern, str_c(scratch, known[i]), 0) == 0)
			APPEND(arena, found, known[i]);
		if (i % 1024 == 1023) {
			arena_reset(scratch);
			pattern = str_c(scratch, word);
		}
	}
	arena_free(scratch);
}

static void add_name(struct arena *arena, struct found *found, struct str word, const struct str *known, size_t count)
{
	const struct str *name = count == 0 ? NULL : bsearch(&word, known, count, sizeof *known, str_order);

	if (name != NULL)
		APPEND(arena, found, *name);
}

static struct str nearest_role(struct arena *arena, struct str role, const struct contact *contacts, size_t count)
{
	struct found roles = {NULL, 0, 0};

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < contacts[i].role_count; k++)
			APPEND(arena, &roles, contacts[i].roles[k]);
	return str_nearest(role, roles.items, sort_names(roles.items, roles.count));
}

/* Where nothing is near: where to look. */
static struct error *near_to(struct error *error, const char *kind, const char *before, struct str near)
{
	if (near.p != NULL)
		return error_hint(error, "did you mean %s%.*s?", before, STR_ARG(near));
	return error_hint(error, "fleetwall %s list shows those that there are", kind);
}

static struct error *speaks_of_none(struct arena *arena, struct str word, const struct str *known, size_t known_count,
                                    const struct contact *contacts, size_t contact_count)
{
	struct str role;

	if (role_word(word, &role))
		return near_to(error_new(ERROR_UNKNOWN, "no machine has the role \"%.*s\"", STR_ARG(role)),
		               "role", "role:", nearest_role(arena, role, contacts, contact_count));
	if (is_glob(word))
		return near_to(error_new(ERROR_UNKNOWN, "no machine's name is like \"%.*s\"", STR_ARG(word)),
		               "machine", "", (struct str){NULL, 0});
	return near_to(error_new(ERROR_UNKNOWN, "there is no machine \"%.*s\"", STR_ARG(word)), "machine", "",
	               str_nearest(word, known, known_count));
}

struct error *select_names(struct arena *arena, const struct selection *selection, const struct str *known,
                           size_t known_count, const struct contact *contacts, size_t contact_count, struct str **names,
                           size_t *count)
{
	struct found found = {NULL, 0, 0};
	struct error *errors = NULL;

	for (size_t i = 0; i < known_count && selection->count == 0; i++)
		APPEND(arena, &found, known[i]);
	for (size_t i = 0; i < selection->count; i++) {
		struct str word = str_lower(arena, selection->words[i]), role;
		size_t before = found.count;

		if (role_word(word, &role))
			add_role(arena, &found, role, contacts, contact_count);
		else if (is_glob(word))
			add_glob(arena, &found, word, known, known_count);
		else
			add_name(arena, &found, word, known, known_count);
		if (found.count == before)
			error_collect(&errors,
			              speaks_of_none(arena, word, known, known_count, contacts, contact_count));
	}
	*count = sort_names(found.items, found.count);
	*names = found.items;
	return errors;
}

struct error *push_select(struct arena *arena, struct db *db, const struct selection *selection, struct str **names,
                          size_t *count)
{
	struct machine_state *states = NULL;
	struct contact *contacts = NULL;
	size_t state_count = 0, contact_count = 0;
	struct str *known;

	TRY(ledger_machines(arena, db, NULL, 0, &states, &state_count));
	if (select_has_roles(selection))
		TRY(ledger_contacts(arena, db, NULL, 0, &contacts, &contact_count));
	known = ARENA_ARRAY(arena, struct str, state_count);
	for (size_t i = 0; i < state_count; i++)
		known[i] = states[i].machine;
	if (state_count > 1)
		qsort(known, state_count, sizeof *known, str_order);
	return select_names(arena, selection, known, state_count, contacts, contact_count, names, count);
}
