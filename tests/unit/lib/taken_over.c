/* Hosts' filters taken over, without a database: what it wants stands in the place of what is there. */
#include "taken_over.h"

#include <check.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

static struct fleet target_of(struct arena *arena, const struct fleet *present, const struct fleet *wanted)
{
	struct fleet target = *wanted;

	target.machines = ARENA_ARRAY(arena, struct machine, wanted->machine_count + present->machine_count);
	target.roles = ARENA_ARRAY(arena, struct role, wanted->role_count + present->role_count);
	for (size_t i = 0; i < wanted->machine_count; i++)
		target.machines[i] = wanted->machines[i];
	for (size_t i = 0; i < present->machine_count; i++)
		if (fleet_machine(wanted, present->machines[i].name) == NULL)
			target.machines[target.machine_count++] = present->machines[i];
	for (size_t i = 0; i < wanted->role_count; i++)
		target.roles[i] = wanted->roles[i];
	for (size_t i = 0; i < present->role_count; i++)
		if (fleet_role(wanted, present->roles[i].name) == NULL)
			target.roles[target.role_count++] = present->roles[i];
	target.clock = 0;
	return target;
}

struct takeover *taken_over(struct arena *arena, const struct takeover_file *files, size_t count,
                            const struct settings *settings, const struct fleet *present, struct fleet *wanted)
{
	struct takeover *takeover;
	struct fleet target;
	bool again;

	ck_assert_ptr_null(takeover_read(arena, files, count, &takeover));
	ck_assert_ptr_null(takeover_fleet(takeover, present, settings, wanted));
	target = target_of(arena, present, wanted);
	ck_assert_ptr_null(fleet_normalize(arena, &target));
	ck_assert_ptr_null(takeover_prove(takeover, &target, settings, wanted, &again));
	ck_assert(!again);
	return takeover;
}

struct str rules_text(struct arena *arena, const struct fleet *fleet, struct str name)
{
	const struct role *role = fleet_role(fleet, name);
	struct buf buf = buf_new(arena);

	for (size_t i = 0; role != NULL && i < role->rule_count; i++) {
		buf_add(&buf, role->rules[i].text);
		if (role->rules[i].rule.comment.n > 0)
			buf_format(&buf, " # %.*s", STR_ARG(role->rules[i].rule.comment));
		buf_char(&buf, '\n');
	}
	return buf_str(&buf);
}
