/* Loads the inventory as the last run of generate left it in OUT/cache, and brings it up to date by the history. Trusts
 * what generate itself goes by: that the head is of this very database, and that changes are in the history. Writes
 * nothing, and asks for nothing that is not there: without a cache the caller reads the tables. Where nothing changed,
 * which is what a question mostly meets, the fleet stays packed: building 100,000 machines costs more than any answer.
 */
#include "kept.h"

#include "fleetwall/parallel.h"

#include "round.h"

struct keeping {
	struct run *run;
	struct arena *memory;
	struct round round; /* of which the head alone */
	size_t most_changes;
	struct kept *kept;
};

/* In a thread of its own: the connection is opened meanwhile. */
static struct error *read_kept(void *context)
{
	struct keeping *keeping = context;
	struct cache_head *head = &keeping->round.head;
	struct str output = keeping->run->config.output;

	keeping->kept->is = cache_read_head(keeping->memory, output, head) &&
	                    cache_read_fleet(keeping->memory, output, head, &keeping->kept->packed);
	return NULL;
}

static struct error *open_connection(void *context)
{
	struct keeping *keeping = context;

	return keeping->run->db == NULL ? run_connect(keeping->run) : NULL;
}

bool kept_whole(struct arena *arena, struct kept *kept)
{
	if (!kept->whole) {
		kept->whole = kept->is = fleet_unpack(arena, kept->packed, &kept->fleet);
		kept->fleet.clock = kept->clock;
	}
	return kept->whole;
}

static struct error *load_changes(struct keeping *keeping)
{
	struct run *run = keeping->run;
	struct kept *kept = keeping->kept;
	struct inventory_touched touched;
	struct inventory_changes *changes;
	struct fleet before;

	TRY(inventory_find_changes(run->arena, run->db, keeping->round.head.snapshot, keeping->round.head.machines,
	                           &changes));
	kept->is = inventory_changes_count(changes) <= keeping->most_changes && kept_whole(keeping->memory, kept);
	if (!kept->is)
		return NULL;
	before = kept->fleet;
	return inventory_load_found(keeping->memory, NULL, run->db, changes, &before, &kept->fleet, &touched);
}

static struct error *load_from_snapshot(struct keeping *keeping)
{
	struct round *round = &keeping->round;

	TRY(inventory_news(round->arena, keeping->run->db, round->head.snapshot, &round->news));
	TRY(round_check_head(round));
	keeping->kept->is = round->has_head;
	keeping->kept->clock = round->news.clock;
	if (!keeping->kept->is || !round->news.changed)
		return NULL;
	keeping->kept->is = keeping->most_changes > 0;
	return keeping->kept->is ? load_changes(keeping) : NULL;
}

struct error *kept_load(struct run *run, struct arena *memory, size_t most_changes, struct kept *kept)
{
	struct keeping keeping = {.run = run,
	                          .memory = memory,
	                          .most_changes = most_changes,
	                          .round = {.run = run, .arena = run->arena, .has_head = true},
	                          .kept = kept};

	TRY(parallel_both(open_connection, &keeping, read_kept, &keeping));
	if (!kept->is)
		return NULL;
	TRY(db_begin(run->db, DB_SNAPSHOT));
	TRY(load_from_snapshot(&keeping));
	return kept->is ? NULL : db_commit(run->db);
}

struct error *kept_warn_of_changes(struct run *run)
{
	struct round round = {.run = run, .arena = run->arena};
	uint64_t current = store_current(run->config.output);

	round.has_head = current != 0 && cache_read_head(run->arena, run->config.output, &round.head) &&
	                 round.head.number == current;
	if (!round.has_head)
		return NULL;
	TRY(db_begin(run->db, DB_SNAPSHOT));
	TRY(inventory_news(run->arena, run->db, round.head.snapshot, &round.news));
	TRY(round_check_head(&round));
	if (round.has_head && round.news.changed)
		error_collect(&run->warnings,
		              error_hint(error_new(ERROR_GUARD, "the inventory has changed since generation %llu",
		                                   (unsigned long long)current),
		                         "fleetwall generate"));
	return db_commit(run->db);
}

/* --- a part of all of it --- */

static bool is_among(struct name_list list, struct str name)
{
	for (size_t i = 0; i < list.count; i++)
		if (str_eq(list.items[i], name))
			return true;
	return false;
}

static bool has_role(const struct machine *machine, const struct role *role)
{
	return is_among((struct name_list){machine->roles, machine->role_count}, role->name) ||
	       str_eq(machine_of_role(role->name), machine->name) ||
	       (role->has_selector &&
	        labels_contain(machine->labels, machine->label_count, role->selector, role->selector_count));
}

/* Of all roles those alone that the machines have, and those whose members are meant: memberships in others need not be
 * found. */
static void leave_roles(struct arena *arena, const struct fleet *whole, const struct around *around,
                        struct fleet *part)
{
	part->roles = ARENA_ARRAY(arena, struct role, whole->role_count);
	part->role_count = 0;
	for (size_t i = 0; i < whole->role_count; i++) {
		bool wanted = is_among(around->roles, whole->roles[i].name);

		for (size_t k = 0; k < around->machines.count && !wanted; k++) {
			const struct machine *machine = fleet_machine(whole, around->machines.items[k]);

			wanted = machine != NULL && has_role(machine, &whole->roles[i]);
		}
		if (wanted)
			part->roles[part->role_count++] = whole->roles[i];
	}
}

/* One machine by itself is enough to say whom its rules speak of. */
static void leave_machines(const struct fleet *whole, const struct around *around, struct fleet *part)
{
	const struct machine *machine;

	if (around->machines.count != 1 || around->roles.count + around->others.count + around->address_count > 0)
		return;
	machine = fleet_machine(whole, around->machines.items[0]);
	part->machine_count = machine != NULL;
	part->machines = whole->machines + (machine != NULL ? machine - whole->machines : 0);
}

bool kept_part(struct arena *arena, struct kept *kept, const struct around *around, struct fleet *part)
{
	if (!kept->whole) {
		kept->is = fleet_unpack_around(arena, kept->packed, around, part);
		part->clock = kept->clock;
		return kept->is;
	}
	*part = kept->fleet;
	leave_roles(arena, &kept->fleet, around, part);
	leave_machines(&kept->fleet, around, part);
	return true;
}
