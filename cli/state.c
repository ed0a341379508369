/* machine enable and disable. */
#include "edit.h"

static struct error *switch_machines(struct run *run, bool enabled)
{
	struct edit edit;
	struct str *names;
	size_t count;

	TRY(edit_begin(&edit, run));
	TRY(edit_machines(run, &edit.present, 0, &names, &count));
	edit.wanted.machines = ARENA_ARRAY(run->arena, struct machine, count);
	edit.wanted.machine_count = count;
	for (size_t i = 0; i < count; i++)
		edit.wanted.machines[i] =
			(struct machine){.name = names[i], .given = GIVEN_ENABLED, .enabled = enabled};
	return edit_end(&edit);
}

struct error *run_machine_enable(struct run *run)
{
	return switch_machines(run, true);
}

struct error *run_machine_disable(struct run *run)
{
	return switch_machines(run, false);
}
