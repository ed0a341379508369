/* The part of the inventory that a question about few machines needs: one statement finds the names of the objects, and
 * they are loaded as those that changed are. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/inventory.h"
#include "load.h"

static struct str join_names(struct arena *arena, struct name_list names)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < names.count; i++) {
		if (i > 0)
			buf_char(&buf, ',');
		buf_add(&buf, names.items[i]);
	}
	return buf.n == 0 ? STR("") : buf_str(&buf);
}

static struct str join_addresses(struct arena *arena, const struct addr *addresses, size_t count)
{
	struct str *texts = ARENA_ARRAY(arena, struct str, count);

	for (size_t i = 0; i < count; i++)
		texts[i] = addr_str(arena, addresses[i]);
	return join_names(arena, (struct name_list){texts, count});
}

/* So few rows are asked for that compiling the queries, as the planner may want to, costs more than running them; and
 * what is asked for by name has an index. */
static struct error *find_objects(struct loading *loading, const struct around *around)
{
	struct arena *scratch = loading->scratch;
	struct str parameters[] = {
		join_names(scratch, around->machines),
		join_addresses(scratch, around->addresses, around->address_count),
		join_names(scratch, around->roles),
		join_names(scratch, around->others),
		around->letting ? str_format(scratch, "%u", around->protocol) : STR(""),
		around->letting && around->port >= 0 ? str_format(scratch, "%d", around->port) : STR(""),
	};

	TRY(db_run(loading->db, STR("SET LOCAL jit = off")));
	TRY(db_query(scratch, loading->db, db_sql("load-around-set"), parameters, 6, NULL));
	return db_run(loading->db, STR("SET LOCAL enable_seqscan = off"));
}

static struct error *load_part(struct loading *loading, const struct around *around)
{
	TRY(find_objects(loading, around));
	TRY(load_clock(loading));
	loading->which = LOAD_PRESENT;
	TRY(load_services(loading));
	loading->which = LOAD_AROUND;
	TRY(load_networks(loading));
	TRY(load_roles(loading));
	TRY(load_rules(loading));
	TRY(load_machines(loading));
	return db_run(loading->db, STR("SET LOCAL enable_seqscan TO DEFAULT"));
}

struct error *inventory_load_around(struct arena *arena, struct db *db, const struct around *around,
                                    struct fleet *fleet)
{
	struct arena *scratch = arena_new(), *rows = arena_new();
	struct loading loading = loading_new(arena, scratch, rows, db, LOAD_AROUND, fleet);
	struct error *error = load_part(&loading, around);

	arena_free(rows);
	arena_free(scratch);
	return error;
}
