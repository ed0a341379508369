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

/* Objects that changed, of all kinds: beyond that a part of the tables is read sooner. */
enum { FEW_CHANGES = 500 };

static struct error *load_changes(struct keeping *keeping)
{
	struct run *run = keeping->run;
	struct kept *kept = keeping->kept;
	struct inventory_touched touched;
	struct inventory_changes *changes;
	struct fleet before;

	TRY(inventory_find_changes(run->arena, run->db, keeping->round.head.snapshot, keeping->round.head.machines,
	                           &changes));
	kept->is = inventory_changes_count(changes) <= FEW_CHANGES && kept_whole(keeping->memory, kept);
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
	return keeping->kept->is && round->news.changed ? load_changes(keeping) : NULL;
}

struct error *kept_load(struct run *run, struct arena *memory, struct kept *kept)
{
	struct keeping keeping = {.run = run,
	                          .memory = memory,
	                          .round = {.run = run, .arena = run->arena, .has_head = true},
	                          .kept = kept};

	TRY(parallel_both(open_connection, &keeping, read_kept, &keeping));
	if (!kept->is)
		return NULL;
	TRY(db_begin(run->db, DB_SNAPSHOT));
	TRY(load_from_snapshot(&keeping));
	return kept->is ? NULL : db_commit(run->db);
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

static bool has_address(const struct machine *machine, const struct addr *addresses, size_t count)
{
	for (size_t i = 0; i < machine->address_count; i++)
		for (size_t k = 0; k < count; k++)
			if (addr_cmp(machine->addresses[i].addr, addresses[k]) == 0)
				return true;
	return false;
}

/* The addresses that were asked about, and those of machines that were. */
static struct addr *near_addresses(struct arena *arena, const struct fleet *whole, const struct around *around,
                                   size_t *count)
{
	struct {
		struct addr *items;
		size_t count, capacity;
	} near = {0};

	for (size_t i = 0; i < around->address_count; i++)
		APPEND(arena, &near, around->addresses[i]);
	for (size_t i = 0; i < around->machines.count; i++) {
		const struct machine *machine = fleet_machine(whole, around->machines.items[i]);

		for (size_t k = 0; machine != NULL && k < machine->address_count; k++)
			APPEND(arena, &near, machine->addresses[k].addr);
	}
	*count = near.count;
	return near.items;
}

/* Those that were asked about, and who has an address that is meant: of so few, memberships in all roles are found
 * soon. */
static void leave_machines(struct arena *arena, const struct fleet *whole, const struct around *around,
                           struct fleet *part)
{
	size_t near_count;
	const struct addr *near = near_addresses(arena, whole, around, &near_count);
	struct {
		struct machine *items;
		size_t count, capacity;
	} machines = {0};

	for (size_t i = 0; i < whole->machine_count; i++)
		if (has_address(&whole->machines[i], near, near_count) ||
		    is_among(around->machines, whole->machines[i].name))
			APPEND(arena, &machines, whole->machines[i]);
	part->machines = machines.items;
	part->machine_count = machines.count;
}

bool kept_part(struct arena *arena, struct kept *kept, const struct around *around, struct fleet *part)
{
	if (!kept->whole) {
		kept->is = fleet_unpack_around(arena, kept->packed, around, part);
		part->clock = kept->clock;
		return kept->is;
	}
	*part = kept->fleet;
	if (around->roles.count + around->others.count > 0)
		leave_roles(arena, &kept->fleet, around, part);
	else
		leave_machines(arena, &kept->fleet, around, part);
	return true;
}
