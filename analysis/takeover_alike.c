/* Machines whose filters say the same have one role between them, named after what their names begin with. A role of
 * that name is only taken again if a takeover made it, and nobody else is in it. It chooses no rules. */
#include <stdlib.h>

#include "fleetwall/buf.h"
#include "fleetwall/names.h"
#include "takeover.h"

#define SAYS_THE_SAME "machines whose filters said the same: "
enum { NAMED_MOST = 20, BEGINNING_LEAST = 2 };

/* --- which are alike --- */

static int text_order(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* All that the rules say, in any order. */
static struct str key_of(struct arena *arena, const struct role *role)
{
	struct str *lines = ARENA_ARRAY(arena, struct str, role->rule_count);
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < role->rule_count; i++)
		lines[i] = str_format(arena, "%.*s # %.*s\n", STR_ARG(role->rules[i].text),
		                      STR_ARG(role->rules[i].rule.comment));
	if (role->rule_count > 1)
		qsort(lines, role->rule_count, sizeof *lines, text_order);
	for (size_t i = 0; i < role->rule_count; i++)
		buf_add(&buf, lines[i]);
	return buf_str(&buf);
}

struct group {
	struct host **hosts; /* sorted by name */
	size_t count;
};

static bool is_host(const struct takeover *takeover, struct str machine)
{
	for (size_t i = 0; i < takeover->host_count; i++)
		if (str_eq(takeover->hosts[i].name, machine))
			return true;
	return false;
}

/* --- its name --- */

bool is_shared_role(const struct role *role)
{
	return str_starts(role->description, STR(SAYS_THE_SAME));
}

/* Nobody has it, or those alone that get it again now, or leave it. */
static bool is_free(const struct takeover *takeover, const struct fleet *present, struct str name)
{
	const struct role *role = fleet_role(present, name);

	for (size_t i = 0; i < takeover->host_count; i++)
		if (str_eq(takeover->hosts[i].role.name, name))
			return false;
	if (role == NULL)
		return true;
	if (!is_shared_role(role) || role->has_selector)
		return false;
	for (size_t i = 0; i < present->machine_count; i++)
		if (str_among(name, present->machines[i].roles, present->machines[i].role_count) &&
		    !is_host(takeover, present->machines[i].name))
			return false;
	return true;
}

/* "web" of web1 and web2; empty where too little is the same. */
static struct str common_beginning(const struct group *group)
{
	struct str name = group->hosts[0]->name;

	for (size_t i = 1; i < group->count; i++) {
		struct str other = group->hosts[i]->name;
		size_t same = 0;

		while (same < name.n && same < other.n && name.p[same] == other.p[same])
			same++;
		name.n = same;
	}
	while (name.n > 0 && !(name.p[name.n - 1] >= 'a' && name.p[name.n - 1] <= 'z'))
		name.n--;
	return name.n >= BEGINNING_LEAST ? name : STR("");
}

static struct str free_name(struct takeover *takeover, const struct group *group, const struct fleet *present)
{
	struct str first = common_beginning(group), name = first;
	struct error *error = name_check(name, "role");

	if (first.n == 0 || error != NULL)
		first = str_format(takeover->arena, "alike-%.*s", STR_ARG(str_slice(group->hosts[0]->name, 0, 40)));
	name = first;
	for (unsigned i = 2; !is_free(takeover, present, name); i++)
		name = str_format(takeover->arena, "%.*s-alike-%u", STR_ARG(first), i);
	return name;
}

static struct str description_of(struct arena *arena, const struct group *group)
{
	struct buf buf = buf_new(arena);

	buf_add(&buf, STR(SAYS_THE_SAME));
	for (size_t i = 0; i < group->count && i < NAMED_MOST; i++)
		buf_format(&buf, "%s%.*s", i > 0 ? ", " : "", STR_ARG(group->hosts[i]->name));
	if (group->count > NAMED_MOST)
		buf_format(&buf, ", and %zu more", group->count - NAMED_MOST);
	return buf_str(&buf);
}

/* --- all of it --- */

static void share(struct takeover *takeover, const struct group *group, const struct fleet *present)
{
	struct str name = free_name(takeover, group, present);

	for (size_t i = 0; i < group->count; i++) {
		struct host *host = group->hosts[i];

		host->shared = true;
		host->role.name = name;
		host->role.given |= GIVEN_DESCRIPTION;
		host->role.description = description_of(takeover->arena, group);
	}
}

void share_roles(struct takeover *takeover, const struct fleet *present)
{
	struct arena *scratch = arena_new();
	struct names *keys = names_new(scratch);
	struct group *groups = ARENA_ARRAY(scratch, struct group, takeover->host_count);

	for (size_t i = 0; i < takeover->host_count; i++) {
		struct host *host = &takeover->hosts[i];
		struct group *group;

		if (host->role.rule_count == 0)
			continue;
		group = &groups[names_add(keys, key_of(scratch, &host->role))];
		if (group->hosts == NULL)
			group->hosts = ARENA_ARRAY(scratch, struct host *, takeover->host_count);
		group->hosts[group->count++] = host;
	}
	for (size_t i = 0; i < names_count(keys); i++)
		if (groups[i].count > 1)
			share(takeover, &groups[i], present);
	arena_free(scratch);
}
