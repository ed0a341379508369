/* Sets of a machine against the set files of its position: which there are, and whether their digests are equal; by
 * members where the machine was asked for them. */
#include <stdlib.h>

#include "drift_parts.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

/* A member, and on which line of our file it stands; 0 on the machine. */
struct set_member {
	struct str text;
	unsigned number;
};
struct member_list {
	struct set_member *items;
	size_t count, capacity;
};

/* What the machine says of one set. */
struct live_set {
	struct str name, digest, count; /* "fw4-web-dc6e60f51867" */
	bool known;
};
struct live_list {
	struct live_set *items;
	size_t count, capacity;
};

/* --- the machine's --- */

static bool is_ours(struct str name)
{
	return str_starts(name, STR("fw4-")) || str_starts(name, STR("fw6-"));
}

static int live_order(const void *a, const void *b)
{
	return str_cmp(((const struct live_set *)a)->name, ((const struct live_set *)b)->name);
}

static void live_sets(struct arena *arena, struct str text, struct live_list *list)
{
	struct str line;

	while (drift_line(&text, &line)) {
		struct live_set set = {0};

		if (!str_cut(&line, ' ', &set.name) || !is_ours(set.name))
			continue;
		str_cut(&line, ' ', &set.digest);
		str_cut(&line, ' ', &set.count);
		APPEND(arena, list, set);
	}
	if (list->count > 1)
		qsort(list->items, list->count, sizeof *list->items, live_order);
}

static struct live_set *live_set(const struct live_list *list, struct str name)
{
	struct live_set key = {.name = name};

	return list->count == 0 ? NULL : bsearch(&key, list->items, list->count, sizeof *list->items, live_order);
}

/* "web-dc6e60f51867.v4" is fw4-web-dc6e60f51867; and back. */
static struct str ipset_of(struct arena *arena, struct str file)
{
	return str_format(arena, "fw%c-%.*s", file.p[file.n - 1], STR_ARG(str_slice(file, 0, file.n - 3)));
}

static struct str file_of(struct arena *arena, struct str ipset)
{
	return str_format(arena, "%.*s.v%c", STR_ARG(str_slice(ipset, 4, ipset.n)), ipset.p[2]);
}

/* --- members --- */

static int member_order(const void *a, const void *b)
{
	return str_cmp(((const struct set_member *)a)->text, ((const struct set_member *)b)->text);
}

static void sort(struct member_list *list)
{
	if (list->count > 1)
		qsort(list->items, list->count, sizeof *list->items, member_order);
}

/* Of a set file: lines `add SET MEMBER`. */
static void our_members(struct arena *arena, struct str text, struct member_list *list)
{
	struct str line, word, set;

	for (unsigned number = 1; drift_line(&text, &line); number++) {
		struct set_member member = {.number = number};

		if (!str_cut(&line, ' ', &word) || !str_is(word, "add") || !str_cut(&line, ' ', &set))
			continue;
		member.text = line;
		APPEND(arena, list, member);
	}
	sort(list);
}

static void their_members(struct arena *arena, struct str text, struct member_list *list)
{
	struct str line;

	while (drift_line(&text, &line)) {
		struct set_member member = {.text = str_trim(line)};

		if (member.text.n > 0)
			APPEND(arena, list, member);
	}
	sort(list);
}

/* As the machine makes it: sorted, one a line. */
static struct digest digest_of_members(struct arena *arena, const struct member_list *list)
{
	struct buf text = buf_new(arena);

	for (size_t i = 0; i < list->count; i++) {
		buf_add(&text, list->items[i].text);
		buf_char(&text, '\n');
	}
	return digest_of(buf_str(&text));
}

static void tell_members(struct arena *arena, struct str file, const struct member_list *ours,
                         const struct member_list *theirs, struct drift_list *list)
{
	size_t i = 0, j = 0;

	while (i < ours->count || j < theirs->count) {
		int order = i == ours->count     ? 1
		            : j == theirs->count ? -1
		                                 : str_cmp(ours->items[i].text, theirs->items[j].text);

		if (order < 0)
			drift_add(arena, list, DRIFT_MEMBER_MISSING, file, ours->items[i].text, ours->items[i].number);
		else if (order > 0)
			drift_add(arena, list, DRIFT_MEMBER_EXTRA, file, theirs->items[j].text, 0);
		i += order <= 0;
		j += order >= 0;
	}
}

/* --- one set --- */

static void tell_difference(struct arena *arena, const struct host_read *read, const struct entry *set,
                            const struct live_set *live, const struct member_list *ours, struct drift_list *list)
{
	const struct host_section *section = host_section(read, live->name);
	struct member_list theirs = {0};

	if (section == NULL) {
		drift_add(arena, list, DRIFT_OTHER, set->name,
		          str_format(arena, "%.*s has other members: %.*s, of %zu", STR_ARG(live->name),
		                     STR_ARG(live->count), ours->count),
		          0);
		return;
	}
	their_members(arena, section->text, &theirs);
	tell_members(arena, set->name, ours, &theirs, list);
}

/* `scratch` is for the file, which may be large; what is told of it is copied. */
static struct error *compare_set(struct arena *arena, struct arena *scratch, struct str output,
                                 const struct entry *set, const struct host_read *read, const struct live_set *live,
                                 struct drift_list *list)
{
	struct member_list ours = {0};
	struct digest expected, found;
	size_t from = list->count;
	struct str bytes;

	TRY(store_read_set(scratch, output, &set->digest, &bytes));
	our_members(scratch, bytes, &ours);
	expected = digest_of_members(scratch, &ours);
	if (digest_parse(live->digest, &found) && digest_eq(&expected, &found))
		return NULL;
	tell_difference(arena, read, set, live, &ours, list);
	for (size_t i = from; i < list->count; i++)
		list->items[i].line = str_copy(arena, list->items[i].line);
	return NULL;
}

struct error *drift_sets(struct arena *arena, struct str output, const struct position *position,
                         const struct host_read *read, struct drift_list *list)
{
	struct live_list live = {0};
	struct arena *scratch = arena_new();
	struct error *error = NULL;

	live_sets(arena, host_section(read, STR("sets"))->text, &live);
	for (size_t i = 0; i < position->set_count && error == NULL; i++) {
		const struct entry *set = &position->sets[i];
		struct str name = ipset_of(arena, set->name);
		struct live_set *found = live_set(&live, name);

		if (found == NULL) {
			drift_add(arena, list, DRIFT_SET_MISSING, set->name, name, 0);
			continue;
		}
		found->known = true;
		arena_reset(scratch);
		error = compare_set(arena, scratch, output, set, read, found, list);
	}
	for (size_t i = 0; i < live.count && error == NULL; i++)
		if (!live.items[i].known)
			drift_add(arena, list, DRIFT_SET_EXTRA, file_of(arena, live.items[i].name),
			          live.items[i].name, 0);
	arena_free(scratch);
	return error;
}
