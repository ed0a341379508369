/* Which position each machine of a generation has: rulesets are read once each, checked against their digest, and all
 * but their figures is forgotten again. Lists of sets, and set files, are looked at for machines that are asked for by
 * name: a plan over a fleet in which nothing changed needs none. Writes nothing. */
#include "positions.h"

#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/names.h"

/* Of differences that are held; what is beyond travels as a whole, which needs no memory. */
enum { CHANGES_MOST = 16 << 20 };

const struct str ruleset_files[RULESET_FILES] = {{"rules.v4", 8}, {"rules.v6", 8}, {"sets.list", 9}};

struct set_list {
	struct entry *sets;
	size_t count;
};

/* Each list has its items in the order of the numbers of its names; these are digests, as their bytes. */
struct positions {
	struct arena *arena;
	struct str output;
	struct generation generation;
	struct {
		struct names *names;
		struct held_position **items;
		size_t count, capacity;
	} rulesets;
	struct {
		struct names *names;
		struct set_list *items;
		size_t count, capacity;
	} lists;
	struct {
		struct names *names;
		struct file_facts **items;
		size_t count, capacity;
	} sets;
	struct {
		struct names *names; /* two digests */
		struct set_change **items;
		size_t count, capacity;
	} changes;
	size_t changes_size;
};

static struct str key_of(const struct digest *digest)
{
	return (struct str){(const char *)digest->byte, sizeof digest->byte};
}

/* Names alone, in one piece: the lines that they were read from take ten times as much. */
static struct entry *keep_entries(struct arena *arena, const struct entry *read, size_t count)
{
	struct entry *kept = ARENA_ARRAY(arena, struct entry, count);
	size_t size = 0;
	char *names;

	for (size_t i = 0; i < count; i++)
		size += read[i].name.n;
	names = arena_raw(arena, size);
	for (size_t i = 0; i < count; i++) {
		memcpy(names, read[i].name.p, read[i].name.n);
		kept[i] = (struct entry){read[i].digest, {names, read[i].name.n}};
		names += read[i].name.n;
	}
	return kept;
}

static struct error *read_generation(struct arena *arena, struct str output, uint64_t number,
                                     struct generation *generation)
{
	struct arena *scratch = arena_new();
	struct generation read;
	struct error *error = generation_read_number(scratch, output, number, &read);

	if (error == NULL)
		*generation = (struct generation){
			.number = read.number,
			.digest = read.digest,
			.manifest = keep_entries(arena, read.manifest, read.machine_count),
			.machine_count = read.machine_count,
			.sets = keep_entries(arena, read.sets, read.set_count),
			.set_count = read.set_count,
		};
	arena_free(scratch);
	return error;
}

struct error *positions_open(struct arena *arena, struct str output, uint64_t generation, struct positions **positions)
{
	struct positions *made = ARENA_NEW(arena, struct positions);

	made->arena = arena;
	made->output = str_copy(arena, output);
	TRY(read_generation(arena, output, generation, &made->generation));
	made->rulesets.names = names_new(arena);
	made->lists.names = names_new(arena);
	made->sets.names = names_new(arena);
	made->changes.names = names_new(arena);
	*positions = made;
	return NULL;
}

const struct generation *positions_generation(const struct positions *positions)
{
	return &positions->generation;
}

struct str positions_output(const struct positions *positions)
{
	return positions->output;
}

/* --- figures of a file --- */

static size_t count_lines(struct str text)
{
	size_t count = 0;
	const char *at = text.p, *end = text.p + text.n;

	while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		count++;
		at++;
	}
	return count;
}

/* Lines are what a bundle counts: one that does not end could not be told from the next file. */
static struct error *look_at(struct str text, struct file_facts *facts)
{
	*facts = (struct file_facts){.digest = digest_of(text), .size = text.n, .lines = count_lines(text)};
	if (text.n == 0 || text.p[text.n - 1] == '\n')
		return NULL;
	return error_hint(error_new(ERROR_INPUT, "its last line does not end"),
	                  "let the template end with a newline, and generate again");
}

/* --- rulesets --- */

static bool declares(struct str rules, const char *chain)
{
	return memmem(rules.p, rules.n, chain, strlen(chain)) != NULL;
}

/* The first line says how the file is loaded (SPEC §5); only monitors have the chain. Templates may be anybody's: a
 * file that does not say what becomes of INPUT is never one that replaces the whole table. */
static enum position_mode mode_of(struct str rules)
{
	struct str first = str_slice(rules, 0, str_find(rules, '\n'));

	if (memmem(first.p, first.n, "--noflush", 9) == NULL && declares(rules, "\n:INPUT "))
		return POSITION_EXCLUSIVE;
	return declares(rules, "\n:fleetwall-monitor ") ? POSITION_MONITOR : POSITION_COEXIST;
}

struct str position_mode_str(enum position_mode mode)
{
	switch (mode) {
	case POSITION_EXCLUSIVE:
		return STR("exclusive");
	case POSITION_COEXIST:
		return STR("coexist");
	case POSITION_MONITOR:
		return STR("monitor");
	}
	return STR("");
}

static struct error *find_set(const struct positions *positions, struct str name, const struct entry **set)
{
	const struct generation *generation = &positions->generation;

	*set = entries_find(generation->sets, generation->set_count, name);
	if (*set != NULL)
		return NULL;
	return error_hint(error_new(ERROR_SURROUNDINGS, "sets.list names %.*s, which the generation does not have",
	                            STR_ARG(name)),
	                  "publish another generation");
}

static struct error *fill_list(struct positions *positions, struct str text, struct set_list *list)
{
	const struct entry *set;
	struct str line;

	list->sets = ARENA_ARRAY(positions->arena, struct entry, count_lines(text));
	while (text.n > 0 && str_cut(&text, '\n', &line)) {
		TRY(find_set(positions, line, &set));
		list->sets[list->count++] = *set;
	}
	return NULL;
}

/* Machines in different positions often need the same sets. */
static struct error *list_of(struct positions *positions, const struct file_facts *facts, struct str text,
                             struct set_list *list)
{
	uint32_t number = names_find(positions->lists.names, key_of(&facts->digest));

	if (number == NAMES_NONE) {
		struct set_list made = {0};

		TRY(fill_list(positions, text, &made));
		number = names_add(positions->lists.names, key_of(&facts->digest));
		APPEND(positions->arena, &positions->lists, made);
	}
	*list = positions->lists.items[number];
	return NULL;
}

static void add_sum(struct buf *buf, const struct digest *digest, struct str name)
{
	char hex[65];

	digest_hex(digest, hex);
	buf_add(buf, (struct str){hex, 64});
	buf_add(buf, STR("  "));
	buf_add(buf, name);
	buf_char(buf, '\n');
}

static struct error *digest_of_position(struct arena *scratch, const struct positions *positions,
                                        const struct digest *ruleset, struct str list, struct digest *digest)
{
	struct buf sums = buf_new(scratch);
	const struct entry *set;
	struct str line;

	add_sum(&sums, ruleset, STR("rules"));
	while (list.n > 0 && str_cut(&list, '\n', &line)) {
		TRY(find_set(positions, line, &set));
		add_sum(&sums, &set->digest, set->name);
	}
	*digest = digest_of(buf_str(&sums));
	return NULL;
}

/* What a plan over all machines needs. */
static struct error *fill_position(struct arena *scratch, const struct positions *positions,
                                   const struct digest *ruleset, const struct str texts[RULESET_FILES],
                                   struct position *position)
{
	position->ruleset = *ruleset;
	position->mode = mode_of(texts[0]);
	return digest_of_position(scratch, positions, ruleset, texts[2], &position->digest);
}

/* And what one needs to which something is sent, or that is asked what it has. */
static struct error *complete(struct positions *positions, const struct str texts[RULESET_FILES],
                              struct held_position *held)
{
	struct set_list list;

	for (size_t i = 0; i < RULESET_FILES; i++)
		TRY(error_in(look_at(texts[i], &held->files[i]), "%.*s", STR_ARG(ruleset_files[i])));
	TRY(list_of(positions, &held->files[2], texts[2], &list));
	held->position.sets = list.sets;
	held->position.set_count = list.count;
	held->is_complete = true;
	return NULL;
}

static struct error *read_ruleset(struct arena *scratch, struct positions *positions, const struct digest *ruleset,
                                  bool whole, struct held_position **held)
{
	struct held_position made = {0};
	struct str texts[RULESET_FILES];

	TRY(store_read_ruleset(scratch, positions->output, ruleset, texts, &texts[2]));
	if (*held == NULL) {
		TRY(fill_position(scratch, positions, ruleset, texts, &made.position));
		*held = ARENA_NEW(positions->arena, struct held_position);
		**held = made;
		(void)names_keep(positions->rulesets.names, key_of(ruleset));
		APPEND(positions->arena, &positions->rulesets, *held);
	}
	return whole ? complete(positions, texts, *held) : NULL;
}

/* `scratch` is emptied. */
static struct error *ruleset_of(struct arena *scratch, struct positions *positions, const struct entry *machine,
                                bool whole, struct held_position **held)
{
	uint32_t number = names_find(positions->rulesets.names, key_of(&machine->digest));

	*held = number == NAMES_NONE ? NULL : positions->rulesets.items[number];
	if (*held != NULL && (!whole || (*held)->is_complete))
		return NULL;
	arena_reset(scratch);
	return error_in(read_ruleset(scratch, positions, &machine->digest, whole, held), "machine %.*s",
	                STR_ARG(machine->name));
}

struct error *positions_held(struct positions *positions, struct str machine, const struct held_position **held)
{
	const struct generation *generation = &positions->generation;
	const struct entry *entry = entries_find(generation->manifest, generation->machine_count, machine);
	struct held_position *found = NULL;
	struct arena *scratch;
	struct error *error;

	*held = NULL;
	if (entry == NULL)
		return NULL;
	scratch = arena_new();
	error = ruleset_of(scratch, positions, entry, true, &found);
	arena_free(scratch);
	*held = error == NULL ? found : NULL;
	return error;
}

struct error *positions_find(struct positions *positions, struct str machine, const struct position **position)
{
	const struct held_position *held;

	*position = NULL;
	TRY(positions_held(positions, machine, &held));
	*position = held == NULL ? NULL : &held->position;
	return NULL;
}

const struct position **positions_all(struct positions *positions)
{
	const struct generation *generation = &positions->generation;
	const struct position **found = ARENA_ARRAY(positions->arena, const struct position *,
	                                            generation->machine_count);
	struct arena *scratch = arena_new();

	for (size_t i = 0; i < generation->machine_count; i++) {
		struct held_position *held;

		/* Why not is told to whoever asks for this machine by name. */
		if (ruleset_of(scratch, positions, &generation->manifest[i], false, &held) == NULL)
			found[i] = &held->position;
	}
	arena_free(scratch);
	return found;
}

/* --- sets --- */

static struct error *read_facts(struct positions *positions, const struct digest *set, struct file_facts *facts)
{
	struct arena *scratch = arena_new();
	struct str bytes;
	struct error *error = store_read_set(scratch, positions->output, set, &bytes);

	if (error == NULL)
		error = look_at(bytes, facts);
	arena_free(scratch);
	return error;
}

struct error *positions_set(struct positions *positions, const struct digest *set, const struct file_facts **facts)
{
	uint32_t number = names_find(positions->sets.names, key_of(set));

	if (number == NAMES_NONE) {
		struct file_facts *made = ARENA_NEW(positions->arena, struct file_facts);

		TRY(read_facts(positions, set, made));
		number = names_add(positions->sets.names, key_of(set));
		APPEND(positions->arena, &positions->sets, made);
	}
	*facts = positions->sets.items[number];
	return NULL;
}

static struct set_change *make_change(struct positions *positions, struct str before, struct str after,
                                      struct arena *scratch)
{
	struct buf lines = buf_new(scratch);
	struct set_change *change;
	size_t count;

	if (!set_difference(before, after, &lines, &count) || lines.n > CHANGES_MOST - positions->changes_size)
		return NULL;
	change = ARENA_NEW(positions->arena, struct set_change);
	*change = (struct set_change){str_copy(positions->arena, buf_str(&lines)), count};
	positions->changes_size += lines.n;
	return change;
}

static struct set_change *read_change(struct positions *positions, const struct positions *before,
                                      const struct digest *from, const struct digest *to)
{
	struct arena *scratch = arena_new();
	struct str old, new;
	struct set_change *change = NULL;

	/* What can't be read of the old one is no fault: the whole travels. Of the new one it is, and is said when
	 * the whole is to be read. */
	if (store_read_set(scratch, before->output, from, &old) == NULL &&
	    store_read_set(scratch, positions->output, to, &new) == NULL)
		change = make_change(positions, old, new, scratch);
	arena_free(scratch);
	return change;
}

const struct set_change *positions_change(struct positions *positions, const struct positions *before,
                                          const struct digest *from, const struct digest *to)
{
	const struct digest both[2] = {*from, *to};
	struct str key = {(const char *)both, sizeof both};
	uint32_t number = names_find(positions->changes.names, key);

	if (number == NAMES_NONE) {
		struct set_change *made = read_change(positions, before, from, to);

		number = names_add(positions->changes.names, key);
		APPEND(positions->arena, &positions->changes, made);
	}
	return positions->changes.items[number];
}
