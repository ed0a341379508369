/* What `ipset restore` makes of texts, line by line: sets made, filled, emptied, exchanged, renamed, destroyed. Most
 * lines add an address to the set of the line before: those are read without being cut into words. */
#include "filter_sets.h"

#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/names.h"

/* --- names --- */

static struct set_entry *find_set(struct sets_reader *sets, struct str name)
{
	uint32_t number = names_find(sets->names, name);

	return number == NAMES_NONE || !sets->sets.items[number].there ? NULL : &sets->sets.items[number];
}

static struct set_entry *set_at(struct sets_reader *sets, const struct word *word)
{
	struct set_entry *set = find_set(sets, word->text);

	if (set == NULL)
		reader_fault(&sets->reader, word->column, NULL, "there is no set %.*s", STR_ARG(word->text));
	return set;
}

static struct set_entry *make_set(struct sets_reader *sets, struct str name, struct content *content)
{
	uint32_t number = names_add(sets->names, name);

	if (number == sets->sets.count)
		APPEND(sets->reader.arena, &sets->sets, (struct set_entry){0});
	sets->sets.items[number] =
		(struct set_entry){.name = names_get(sets->names, number), .there = true, .content = content};
	sets->last = NULL;
	return &sets->sets.items[number];
}

static bool name_taken(struct sets_reader *sets, const struct word *word)
{
	if (word->text.n > SET_NAME_MAX)
		reader_fault(&sets->reader, word->column, "shorten it", "the name of a set has at most %d bytes",
		             SET_NAME_MAX);
	else if (find_set(sets, word->text) != NULL)
		reader_fault(&sets->reader, word->column, NULL, "the set %.*s is there already", STR_ARG(word->text));
	else
		return false;
	return true;
}

/* --- commands --- */

static void create(struct sets_reader *sets, const struct words *words)
{
	const struct word *name = &words->items[1];
	struct content *content = set_create(sets, words, 2);
	struct set_entry *there = find_set(sets, name->text);

	if (content == NULL)
		return;
	if (there != NULL && sets->exist_now && str_eq(there->content->parameters, content->parameters))
		return;
	if (!name_taken(sets, name))
		make_set(sets, name->text, content);
}

static void told(struct sets_reader *sets, const struct word *word, enum member_change change, bool added,
                 const struct content *content)
{
	if (change == MEMBER_FULL)
		reader_fault(&sets->reader, word->column, "a larger maxelem", "the set is full with %llu members",
		             (unsigned long long)content->most);
	else if (change == MEMBER_SAME && !sets->exist_now)
		reader_fault(&sets->reader, word->column, "with -exist it is no fault", "%.*s is %s",
		             STR_ARG(word->text), added ? "there already" : "not there");
}

static void change_addresses(struct sets_reader *sets, struct content *content, const struct word *word, bool added)
{
	struct arena *arena = sets->reader.arena;
	struct members ranges = {0};

	if (!member_read(sets, content, word, &ranges))
		return;
	for (size_t i = 0; i < ranges.count; i++)
		told(sets, word,
		     added ? member_add(arena, content, ranges.items[i], sets->exist_now)
		           : member_delete(arena, content, ranges.items[i]),
		     added, content);
}

static void add_to_list(struct sets_reader *sets, struct content *list, const struct word *word,
                        struct set_entry *member)
{
	uint32_t number = (uint32_t)(member - sets->sets.items);

	for (size_t i = 0; i < list->lists.count; i++)
		if (list->lists.items[i] == number) {
			told(sets, word, MEMBER_SAME, true, list);
			return;
		}
	APPEND(sets->reader.arena, &list->lists, number);
	member->uses++;
}

static void delete_from_list(struct sets_reader *sets, struct content *list, const struct word *word,
                             struct set_entry *member)
{
	uint32_t number = (uint32_t)(member - sets->sets.items);

	for (size_t i = 0; i < list->lists.count; i++) {
		if (list->lists.items[i] != number)
			continue;
		list->lists.items[i] = list->lists.items[--list->lists.count];
		member->uses--;
		return;
	}
	told(sets, word, MEMBER_SAME, false, list);
}

static void change_list(struct sets_reader *sets, struct content *list, const struct word *word, bool added)
{
	struct set_entry *member = set_at(sets, word);

	if (member == NULL)
		return;
	if (member->content->kind == SET_LIST)
		reader_fault(&sets->reader, word->column, NULL, "a list of sets in a list of sets");
	else if (added)
		add_to_list(sets, list, word, member);
	else
		delete_from_list(sets, list, word, member);
}

/* What may stand behind a member. A time limit, and nomatch, are more than the model holds. */
static bool member_options(struct sets_reader *sets, struct content *content, const struct words *words)
{
	static const char *const with_value[] = {"comment", "packets",  "bytes",  "skbmark",
	                                         "skbprio", "skbqueue", "before", "after"};

	for (size_t i = 3; i < words->count; i++) {
		const struct word *word = &words->items[i];
		size_t known = 0;

		if (str_is(word->text, "nomatch") || str_is(word->text, "timeout")) {
			content->modelled = false;
			content->expires |= str_is(word->text, "timeout");
			i += str_is(word->text, "timeout");
			continue;
		}
		for (; known < sizeof with_value / sizeof *with_value; known++)
			if (str_is(word->text, with_value[known]))
				break;
		if (known == sizeof with_value / sizeof *with_value || i + 1 == words->count) {
			reader_fault(&sets->reader, word->column, NULL, "\"%.*s\" was not expected here",
			             STR_ARG(word->text));
			return false;
		}
		i++;
	}
	return true;
}

static void change(struct sets_reader *sets, const struct words *words, bool added)
{
	struct set_entry *set = set_at(sets, &words->items[1]);

	if (set == NULL || !member_options(sets, set->content, words))
		return;
	if (set->content->kind == SET_LIST)
		change_list(sets, set->content, &words->items[2], added);
	else if (set->content->kind != SET_OTHER)
		change_addresses(sets, set->content, &words->items[2], added);
}

static void add(struct sets_reader *sets, const struct words *words)
{
	change(sets, words, true);
}

static void delete (struct sets_reader *sets, const struct words *words)
{
	change(sets, words, false);
}

static void empty(struct sets_reader *sets, struct set_entry *set)
{
	for (size_t i = 0; i < set->content->lists.count; i++)
		sets->sets.items[set->content->lists.items[i]].uses--;
	set->content->lists.count = 0;
	set->content->members = (struct members){0};
}

static void flush(struct sets_reader *sets, const struct words *words)
{
	struct set_entry *set = words->count > 1 ? set_at(sets, &words->items[1]) : NULL;

	for (size_t i = 0; i < sets->sets.count; i++)
		if (sets->sets.items[i].there && (words->count == 1 || &sets->sets.items[i] == set))
			empty(sets, &sets->sets.items[i]);
}

static void destroy(struct sets_reader *sets, const struct words *words)
{
	const struct word *word = words->count > 1 ? &words->items[1] : NULL;
	struct set_entry *set;

	if (word == NULL) { /* all at once: lists hold nobody back */
		for (size_t i = 0; i < sets->sets.count; i++)
			sets->sets.items[i].there = false;
		sets->last = NULL;
		return;
	}
	if (sets->exist_now && find_set(sets, word->text) == NULL)
		return;
	set = set_at(sets, word);
	if (set == NULL)
		return;
	if (set->uses > 0) {
		reader_fault(&sets->reader, word->column, NULL, "the set %.*s is a member of another",
		             STR_ARG(word->text));
		return;
	}
	empty(sets, set);
	set->there = false;
	sets->last = NULL;
}

/* What is in them must be of one kind: a bitmap of addresses goes for a hash of them. */
static bool swappable(const struct content *a, const struct content *b)
{
	struct str x = a->type, y = b->type;
	bool bitmap = str_starts(x, STR("bitmap:")) != str_starts(y, STR("bitmap:"));
	bool hash = str_starts(x, STR("hash:")) || str_starts(y, STR("hash:"));

	if (bitmap && hash) {
		x = str_slice(x, str_find(x, ':'), x.n);
		y = str_slice(y, str_find(y, ':'), y.n);
	}
	return str_eq(x, y) && a->family == b->family;
}

/* The number of elements need not be equal. */
static void swap(struct sets_reader *sets, const struct words *words)
{
	struct set_entry *a = set_at(sets, &words->items[1]), *b = set_at(sets, &words->items[2]);
	struct content *content;

	if (a == NULL || b == NULL)
		return;
	if (!swappable(a->content, b->content)) {
		reader_fault(&sets->reader, words->items[2].column, "sets of one type and family",
		             "the sets can't be swapped");
		return;
	}
	content = a->content;
	a->content = b->content;
	b->content = content;
}

static void rename_set(struct sets_reader *sets, const struct words *words)
{
	struct set_entry *set = set_at(sets, &words->items[1]);
	struct content *content;

	if (set == NULL || name_taken(sets, &words->items[2]))
		return;
	if (set->uses > 0) {
		reader_fault(&sets->reader, words->items[1].column, NULL, "the set %.*s is a member of another",
		             STR_ARG(words->items[1].text));
		return;
	}
	content = set->content;
	set->there = false;
	make_set(sets, words->items[2].text, content);
}

static void nothing(struct sets_reader *sets, const struct words *words)
{
	(void)sets;
	(void)words;
}

static const struct command {
	const char *names[4];
	size_t least, most; /* words */
	void (*run)(struct sets_reader *sets, const struct words *words);
} commands[] = {
	{{"add", "-A", "--add", NULL}, 3, WORDS_MAX, add},
	{{"create", "-N", "--create", "n"}, 3, WORDS_MAX, create},
	{{"del", "-D", "--del", NULL}, 3, WORDS_MAX, delete},
	{{"flush", "-F", "--flush", NULL}, 1, 2, flush},
	{{"destroy", "-X", "--destroy", "x"}, 1, 2, destroy},
	{{"swap", "-W", "--swap", "w"}, 3, 3, swap},
	{{"rename", "-E", "--rename", "e"}, 3, 3, rename_set},
	{{"COMMIT", NULL, NULL, NULL}, 1, 1, nothing},
};

static const struct command *command_of(struct str word)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		for (size_t k = 0; k < 4 && commands[i].names[k] != NULL; k++)
			if (str_is(word, commands[i].names[k]))
				return &commands[i];
	return NULL;
}

static void run(struct sets_reader *sets, const struct words *words)
{
	const struct command *command = command_of(words->items[0].text);

	if (command == NULL)
		reader_fault(&sets->reader, words->items[0].column, "create, add, del, flush, swap, rename or destroy",
		             "\"%.*s\" is no command for sets", STR_ARG(words->items[0].text));
	else if (words->count < command->least)
		reader_fault(&sets->reader, 0, NULL, "%s needs more words", command->names[0]);
	else if (words->count > command->most)
		reader_fault(&sets->reader, words->items[command->most].column, NULL, "\"%.*s\" was not expected here",
		             STR_ARG(words->items[command->most].text));
	else
		command->run(sets, words);
}

/* --- lines --- */

/* -exist may stand anywhere in a line, and holds for all that follow in the text. */
static void take_exist(struct sets_reader *sets, struct words *words)
{
	size_t kept = 0;

	for (size_t i = 0; i < words->count; i++) {
		bool exist = !words->items[i].quoted &&
		             (str_is(words->items[i].text, "-exist") || str_is(words->items[i].text, "-!"));

		sets->exist_now |= exist;
		if (!exist)
			words->items[kept++] = words->items[i];
	}
	words->count = kept;
}

static void read_line(struct sets_reader *sets, struct str line)
{
	struct words words;

	line = str_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return;
	if (str_find(line, '\0') < line.n) {
		reader_fault(&sets->reader, 0, NULL, "a byte of zero");
		return;
	}
	if (!words_read(&sets->reader, line, (size_t)(line.p - sets->reader.line.p), &words))
		return;
	take_exist(sets, &words);
	if (words.count > 0)
		run(sets, &words);
	if (words.count > 1 && str_is(words.items[0].text, "add"))
		sets->last = find_set(sets, words.items[1].text);
}

/* "10.1.2.3" and "10.1.0.0/16", up to the line's end; false: let another look at it. */
static bool plain_prefix(const char *p, const char *end, struct range *range)
{
	uint32_t bits = 0, host, length = 32;

	for (unsigned part = 0; part < 4; part++) {
		uint32_t number = 0;
		const char *from = p;

		for (; p < end && *p >= '0' && *p <= '9' && p - from < 4; p++)
			number = number * 10 + (uint32_t)(*p - '0');
		if (p == from || number > 255 || (*from == '0' && p - from > 1))
			return false;
		bits = bits << 8 | number;
		if (part < 3 && (p == end || *p++ != '.'))
			return false;
	}
	if (p < end && *p == '/') {
		if (end - p < 2 || end - p > 3)
			return false;
		for (length = 0, p++; p < end && *p >= '0' && *p <= '9'; p++)
			length = length * 10 + (uint32_t)(*p - '0');
		if (length == 0 || length > 32)
			return false;
	}
	host = length == 32 ? 0 : UINT32_MAX >> length;
	*range = (struct range){bits & ~host, bits | host, FAMILY_4};
	return p == end;
}

static bool plain_member(enum family family, struct str text, struct range *range)
{
	struct prefix prefix;

	if (family == FAMILY_4)
		return plain_prefix(text.p, text.p + text.n, range);
	if (prefix_parse(text, &prefix) == PREFIX_BAD || prefix.addr.family != FAMILY_6 || prefix.length == 0)
		return false;
	*range = prefix_range(prefix);
	return true;
}

/* An address or prefix for the same set as the line before. False: read it as any other. */
static bool read_again(struct sets_reader *sets, struct str line)
{
	struct content *content;
	struct range range;
	size_t name;

	if (sets->last == NULL || !sets->exist_now)
		return false;
	content = sets->last->content;
	name = sets->last->name.n;
	if (content->kind != SET_NET || line.n < name + 6 || memcmp(line.p, "add ", 4) != 0 ||
	    line.p[4 + name] != ' ' || memcmp(line.p + 4, sets->last->name.p, name) != 0 ||
	    !plain_member(content->family, str_slice(line, 5 + name, line.n), &range))
		return false;
	if (member_add(sets->reader.arena, content, range, true) == MEMBER_CHANGED)
		return true;
	told(sets, &(struct word){.text = line, .column = 1}, MEMBER_FULL, true, content);
	return true;
}

static void read_text(struct sets_reader *sets, const struct filter_text *text)
{
	struct str rest = text->text, line;

	sets->reader.file = text->file;
	sets->reader.number = 0;
	sets->exist_now = sets->exist;
	while (rest.p != NULL && sets->reader.fault_count < FAULTS_MAX && str_cut(&rest, '\n', &line)) {
		sets->reader.number++;
		sets->reader.line = line;
		if (!read_again(sets, line))
			read_line(sets, line);
	}
}

/* --- the sets --- */

static int set_order(const void *a, const void *b)
{
	return str_cmp(((const struct filter_set *)a)->name, ((const struct filter_set *)b)->name);
}

/* A list is all that its sets are, where they are of one family. */
static void finish_list(struct sets_reader *sets, const struct content *list, struct filter_set *set)
{
	struct arena *arena = sets->reader.arena;
	struct members all = {0};

	for (size_t i = 0; i < list->lists.count; i++) {
		const struct content *member = sets->sets.items[list->lists.items[i]].content;

		if (i == 0)
			set->family = member->family;
		if (!member->modelled || member->family != set->family)
			set->modelled = false;
		set->expires |= member->expires;
		for (size_t k = 0; k < member->members.count; k++)
			APPEND(arena, &all, member->members.items[k]);
	}
	if (set->modelled)
		set->addresses = addr_set_of(arena, set->family, all.items, all.count);
}

static void finish(struct sets_reader *sets, struct filter_sets *result)
{
	*result = (struct filter_sets){.sets = ARENA_ARRAY(sets->reader.arena, struct filter_set, sets->sets.count)};
	for (size_t i = 0; i < sets->sets.count; i++) {
		const struct set_entry *entry = &sets->sets.items[i];
		const struct content *content = entry->content;
		struct filter_set *set = &result->sets[result->count];

		if (!entry->there)
			continue;
		*set = (struct filter_set){.name = entry->name,
		                           .type = content->type,
		                           .family = content->family,
		                           .modelled = content->modelled,
		                           .expires = content->expires,
		                           .addresses = {.family = content->family}};
		if (content->kind == SET_LIST)
			finish_list(sets, content, set);
		else if (content->modelled)
			set->addresses = members_addresses(sets->reader.arena, content);
		result->count++;
	}
	if (result->count > 1)
		qsort(result->sets, result->count, sizeof *result->sets, set_order);
}

struct error *filter_sets_read(struct arena *arena, const struct filter_text *texts, size_t count, bool exist,
                               struct filter_sets *sets)
{
	struct sets_reader reader = {.reader = {.arena = arena, .no_escapes = true}, .exist = exist};

	reader.names = names_new(arena);
	for (size_t i = 0; i < count; i++)
		read_text(&reader, &texts[i]);
	finish(&reader, sets);
	return reader.reader.faults;
}

const struct filter_set *filter_set(const struct filter_sets *sets, struct str name)
{
	struct filter_set key = {.name = name};

	return sets->count == 0 ? NULL : bsearch(&key, sets->sets, sets->count, sizeof key, set_order);
}
