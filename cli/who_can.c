/* who-can: every source that one machine lets in, from as much of the inventory as that needs. */
#include "fleetwall/who_can.h"

#include "fleetwall/inventory.h"

#include "kept.h"
#include "query.h"

static const char *const columns[] = {"source", "machines", "prefixes", "stage", "roles", "rules"};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* --- names that no rule says --- */

static struct str join_prefixes(struct arena *arena, const struct prefix *prefixes, size_t count)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_char(&buf, ',');
		prefix_print(&buf, prefixes[i]);
	}
	return buf_str(&buf);
}

/* From the snapshot that is open: the part that was loaded does not know everybody. */
static struct error *names_in_database(void *context, struct arena *arena, const struct prefix *prefixes, size_t count,
                                       struct str *names)
{
	struct run *run = context;
	struct str list = join_prefixes(arena, prefixes, count);
	struct db_rows rows;

	if (count == 0)
		return NULL;
	TRY(db_query(arena, run->db, db_sql("query-prefix-names"), &list, 1, &rows));
	for (size_t i = 0; i < rows.count; i++) {
		uint64_t place;

		if (str_number(db_cell(&rows, i, 0), count, &place) && place > 0)
			names[place - 1] = db_cell(&rows, i, 1);
	}
	return NULL;
}

/* --- the answer --- */

struct texts {
	struct arena *arena;
	struct str *items;
	size_t count, most;
};

static void add_text(void *context, struct prefix prefix)
{
	struct texts *texts = context;
	struct buf buf;

	if (texts->count == texts->most)
		return;
	buf = buf_new(texts->arena);
	prefix_print(&buf, prefix);
	texts->items[texts->count++] = buf_str(&buf);
}

static struct cell prefixes_cell(struct run *run, const struct let_in *row)
{
	size_t most = row->name.n > 0 ? SHOWN_BESIDE_NAME : SHOWN_MOST;
	struct texts texts = {.arena = run->arena, .most = count_shown(run, row->prefix_count, most)};

	texts.items = ARENA_ARRAY(run->arena, struct str, texts.most);
	for (size_t i = 0; i < 2; i++)
		addr_set_prefixes(&row->sets[i], add_text, &texts);
	return cell_shown(run, texts.items, row->prefix_count, most);
}

static bool is_among(const struct str *items, size_t count, struct str item)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(items[i], item))
			return true;
	return false;
}

static void write_row(struct run *run, const struct let_in *row)
{
	struct str *ids = ARENA_ARRAY(run->arena, struct str, row->rule_count);
	struct str *roles = ARENA_ARRAY(run->arena, struct str, row->rule_count);
	size_t role_count = 0;

	for (size_t i = 0; i < row->rule_count; i++) {
		ids[i] = str_of(row->rules[i]->id);
		if (!is_among(roles, role_count, row->rules[i]->role->name))
			roles[role_count++] = str_copy(run->arena, row->rules[i]->role->name);
	}
	writer_row(run->writer, (struct cell[]){
					cell_some(row->name),
					row->kind == SOURCE_ROLE ? cell_number((int64_t)row->machines) : cell_null(),
					prefixes_cell(run, row),
					cell_text(stage_str(row->stage)),
					cell_list(roles, role_count),
					cell_list(ids, row->rule_count),
				});
}

/* What the rows alone would not tell a person. */
static void say(struct run *run, const struct machine *machine, const struct who_can *answer)
{
	if (!machine->enabled)
		writer_say(run->writer, "%.*s is disabled and has no ruleset: fleetwall refuses nothing there",
		           STR_ARG(machine->name));
	else if (machine->enforcement == ENFORCEMENT_UNMANAGED)
		writer_say(run->writer, "%.*s is unmanaged and has no ruleset: fleetwall refuses nothing there",
		           STR_ARG(machine->name));
	else if (machine->enforcement == ENFORCEMENT_MONITOR)
		writer_say(run->writer, "%.*s is watched only: what its rules would refuse is logged, and passes",
		           STR_ARG(machine->name));
	else if (answer->count == 0)
		writer_say(run->writer, "nobody");
}

struct question {
	struct fleet fleet;  /* all that the answer needs */
	struct kept kept;    /* where the fleet comes from, and names of prefixes; if it is none: */
	struct fleet *whole; /* they come from here; */
	bool open;           /* or from the snapshot, which is still open */
	const struct resolved *resolved;
	struct explainer *explainer;
	const struct machine *machine;
	struct packet_what what;
};

/* Is there such a machine, and such a packet? Both faults are told at once. */
static struct error *understand(struct run *run, struct str what, struct question *question)
{
	struct error *errors = NULL;
	struct str name = str_lower(run->arena, run->arguments[0]);

	question->resolved = resolve(run->arena, &question->fleet);
	question->explainer = explainer_new(run->arena, question->resolved, &run->config.settings);
	question->machine = fleet_machine(&question->fleet, name);
	if (question->machine == NULL)
		errors = unknown_machine(run->arena, &question->fleet, name);
	error_collect(&errors, packet_parse(question->explainer, what, &question->what));
	return errors;
}

static uint32_t place_of(const struct question *question)
{
	return (uint32_t)(question->machine - question->fleet.machines);
}

/* Leaves the snapshot open, unless all of it came. */
static struct error *load_from_tables(struct run *run, const struct around *around, struct question *question)
{
	bool whole;

	if (question->open)
		return inventory_load_around(run->arena, run->db, around, &question->fleet);
	TRY(run_load_around(run, around, &question->fleet, &whole));
	question->open = !whole;
	question->whole = whole ? &question->fleet : NULL;
	return NULL;
}

/* Who does not exist is told from all there are. */
static struct error *load(struct run *run, const struct around *around, struct question *question)
{
	struct kept *kept = &question->kept;

	if (!kept->is)
		return load_from_tables(run, around, question);
	if (!kept_part(run->arena, kept, around, &question->fleet)) {
		TRY(db_commit(run->db));
		return load_from_tables(run, around, question);
	}
	if (fleet_machine(&question->fleet, around->machines.items[0]) == NULL && kept_whole(run->arena, kept))
		question->fleet = kept->fleet;
	return NULL;
}

/* First the machine and its rules; then whom those rules speak of that cover the packet, be they 100,000. */
static struct error *prepare(struct run *run, struct str what, struct question *question)
{
	struct str name = str_lower(run->arena, run->arguments[0]);
	struct around around = {.machines = {&name, 1}};
	struct who_can_needs needs;

	TRY(load(run, &around, question));
	TRY(understand(run, what, question));
	if (question->whole != NULL)
		return NULL;
	needs = who_can_needs(run->arena, question->explainer, place_of(question), &question->what);
	if (needs.role_count + needs.machine_count == 0)
		return NULL;
	around.roles = (struct name_list){needs.roles, needs.role_count};
	around.others = (struct name_list){needs.machines, needs.machine_count};
	TRY(load(run, &around, question));
	return understand(run, what, question);
}

/* --- the answer --- */

/* Machines that have one of these addresses, and all networks, are enough. */
static struct error *names_in_kept(void *context, struct arena *arena, const struct prefix *prefixes, size_t count,
                                   struct str *names)
{
	struct addr *hosts = ARENA_ARRAY(arena, struct addr, count);
	struct around around = {.addresses = hosts};
	struct kept *kept = context;
	struct fleet part;

	if (kept->whole)
		return fleet_prefix_names(&kept->fleet, arena, prefixes, count, names);
	for (size_t i = 0; i < count; i++)
		if (prefixes[i].length == family_width(prefixes[i].addr.family))
			hosts[around.address_count++] = prefixes[i].addr;
	if (count == 0 || !kept_part(arena, kept, &around, &part))
		return NULL;
	return fleet_prefix_names(&part, arena, prefixes, count, names);
}

static struct error *ask(struct run *run, struct question *question, struct who_can *who)
{
	struct {
		prefix_names *names;
		void *context;
	} in = {fleet_prefix_names, question->whole};

	if (question->kept.is) {
		in.names = names_in_kept;
		in.context = &question->kept;
	} else if (question->open) {
		in.names = names_in_database;
		in.context = run;
	}
	return who_can(run->arena, question->explainer, place_of(question), &question->what, in.names, in.context,
	               who);
}

static struct error *answer(struct run *run, struct question *question)
{
	struct who_can who;

	TRY(ask(run, question, &who));
	writer_columns(run->writer, LAYOUT_TABLE, columns, COLUMNS);
	for (size_t i = 0; i < who.count; i++)
		write_row(run, &who.items[i]);
	say(run, question->machine, &who);
	run->no = who.count == 0;
	return question->open || question->kept.is ? db_commit(run->db) : NULL;
}

/* Objects that changed, of all kinds: beyond that a part of the tables is read sooner. */
enum { FEW_CHANGES = 500 };

struct error *run_who_can(struct run *run)
{
	struct arena *memory = arena_new();
	struct buf what = buf_new(run->arena);
	struct question question = {0};
	struct error *error = NULL;

	for (size_t i = 1; i < run->argument_count; i++) {
		if (i > 1)
			buf_char(&what, ' ');
		buf_add(&what, run->arguments[i]);
	}
	if (!run_has(run, "at"))
		error = kept_load(run, memory, FEW_CHANGES, &question.kept);
	if (error == NULL)
		error = prepare(run, buf_str(&what), &question);
	if (error == NULL) {
		warn_of_packet(run, buf_str(&what));
		error = answer(run, &question);
	}
	arena_free(memory);
	return error;
}
