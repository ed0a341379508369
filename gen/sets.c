/* The sets that rules name: what they are called (SPEC §5), and which peer each stands for. A set is known once,
 * however many rules name it. Refuses two different peers under one name. */
#include "sets.h"

#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/digest.h"

#define NAME_PART 12
#define DIGEST_PART 12

/* What both families of a peer share. */
struct stem {
	struct str name;     /* SET of the specification */
	uint32_t numbers[2]; /* by family; NO_SET: not named there */
};

struct sets {
	struct arena *arena;
	struct digester *digester;
	struct names *texts; /* action and canonical text: what tells peers apart; its numbers index `stems` */
	struct names *names; /* of stems */
	struct {
		struct stem *items;
		size_t count, capacity;
	} stems;
	struct set *items;
	size_t count, capacity;
	struct buf text; /* used again for each peer */
};

static struct str name_with(struct arena *arena, struct digester *digester, bool refusing, struct str name,
                            struct str text)
{
	struct digest digest;
	char hex[65];

	digester_add(digester, refusing ? STR("deny") : STR("allow"));
	digester_add(digester, (struct str){"", 1});
	digester_add(digester, text);
	digest = digester_end(digester);
	digest_hex(&digest, hex);
	return str_format(arena, "%.*s-%.*s", STR_ARG(str_slice(name, 0, NAME_PART)), DIGEST_PART, hex);
}

struct str set_name(struct arena *arena, bool refusing, struct str name, struct str text)
{
	struct digester *digester = digester_new(arena);
	struct str made = name_with(arena, digester, refusing, name, text);

	digester_free(digester);
	return made;
}

struct sets *sets_new(struct arena *arena, struct digester *digester)
{
	struct sets *sets = ARENA_NEW(arena, struct sets);

	*sets = (struct sets){.arena = arena,
	                      .digester = digester,
	                      .texts = names_new(arena),
	                      .names = names_new(arena),
	                      .text = buf_new(arena)};
	return sets;
}

/* Nothing but what names are made of may reach a set's name: it stands unquoted in rules and set files. */
static bool name_safe(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
			return false;
	}
	return name.n > 0;
}

/* The text of a stem, without the action in front of it. */
static struct str text_of(const struct sets *sets, uint32_t stem)
{
	struct str text = names_get(sets->texts, stem);

	return str_slice(text, 1, text.n);
}

static uint32_t stem_with_name(const struct sets *sets, struct str name)
{
	uint32_t i = 0;

	while (!str_eq(sets->stems.items[i].name, name))
		i++;
	return i;
}

/* A stem that was not there, whose text has just been given its number. */
static struct error *add_stem(struct sets *sets, bool refusing, struct str name, uint32_t number)
{
	struct str text = text_of(sets, number);
	struct stem stem = {.numbers = {NO_SET, NO_SET}};

	if (!name_safe(name))
		return error_new(ERROR_INPUT, "`%.*s` can't be part of a set's name", STR_ARG(name));
	stem.name = name_with(sets->arena, sets->digester, refusing, name, text);
	if (names_find(sets->names, stem.name) != NAMES_NONE) {
		struct str known = text_of(sets, stem_with_name(sets, stem.name));

		return error_hint(error_new(ERROR_INPUT, "the peers `%.*s` and `%.*s` would share the set name %.*s",
		                            STR_ARG(known), STR_ARG(text), STR_ARG(stem.name)),
		                  "write one of the two another way");
	}
	names_add(sets->names, stem.name);
	APPEND(sets->arena, &sets->stems, stem);
	return NULL;
}

static struct str joined(struct arena *arena, struct str before, struct str name, struct str behind)
{
	struct buf buf = buf_new(arena);

	buf_reserve(&buf, before.n + name.n + behind.n);
	buf_add(&buf, before);
	buf_add(&buf, name);
	buf_add(&buf, behind);
	return buf_str(&buf);
}

/* The stem's set in one family. `set` has everything but family, text and names. */
static uint32_t family_set(struct sets *sets, uint32_t stem_number, struct set set, size_t family)
{
	struct stem *stem = &sets->stems.items[stem_number];

	if (stem->numbers[family] != NO_SET)
		return stem->numbers[family];
	set.family = family == 0 ? FAMILY_4 : FAMILY_6;
	set.text = text_of(sets, stem_number);
	set.file = joined(sets->arena, STR(""), stem->name, family == 0 ? STR(".v4") : STR(".v6"));
	set.ipset = joined(sets->arena, family == 0 ? STR("fw4-") : STR("fw6-"), stem->name, STR(""));
	stem->numbers[family] = (uint32_t)sets->count;
	APPEND(sets->arena, sets, set);
	return stem->numbers[family];
}

/* The text is in sets->text, behind the action; `name` is what the set's name begins with. */
static struct error *sets_put(struct sets *sets, struct set set, struct str name, const bool families[2],
                              uint32_t numbers[2])
{
	uint32_t stem = names_add(sets->texts, buf_str(&sets->text));

	if (stem == sets->stems.count)
		TRY(add_stem(sets, set.refusing, name, stem));
	for (size_t i = 0; i < 2; i++)
		if (families[i])
			numbers[i] = family_set(sets, stem, set, i);
	return NULL;
}

/* Puts a peer's text behind the action; what its set's name begins with. `self` is the role that it stands in. */
static struct str put_peer(struct buf *text, const struct role *role, const struct peer *peer)
{
	struct str owner;

	if (peer->kind != PEER_SELF) {
		peer_print(text, peer);
		return peer->name;
	}
	owner = machine_of_role(role->name);
	if (owner.n == 0)
		buf_add(text, STR("role:"));
	buf_add(text, role->name);
	return owner.n > 0 ? owner : role->name;
}

static void begin_text(struct sets *sets, bool refusing)
{
	sets->text.n = 0;
	buf_char(&sets->text, refusing ? 'd' : 'a');
}

struct error *sets_peer(struct sets *sets, const struct role *role, const struct peer *peer, bool refusing,
                        const bool families[2], uint32_t numbers[2])
{
	struct set set = {.refusing = refusing, .peer = peer, .role = role};
	struct str name;

	begin_text(sets, refusing);
	name = put_peer(&sets->text, role, peer);
	return sets_put(sets, set, name, families, numbers);
}

struct error *sets_literals(struct sets *sets, const struct rule *rule, const bool families[2], uint32_t numbers[2])
{
	struct set set = {.refusing = rule->action != ACTION_ALLOW, .rule = rule};
	size_t begun;

	begin_text(sets, set.refusing);
	begun = sets->text.n;
	for (size_t i = 0; i < rule->peer_count; i++) {
		if (rule->peers[i].kind != PEER_LITERAL)
			continue;
		if (sets->text.n > begun)
			buf_add(&sets->text, STR(", "));
		peer_print(&sets->text, &rule->peers[i]);
	}
	return sets_put(sets, set, STR("list"), families, numbers);
}

uint32_t sets_like(const struct sets *sets, const struct set *set)
{
	/* The text stands behind its action in the memory that it comes from. */
	uint32_t stem = names_find(sets->texts, (struct str){set->text.p - 1, set->text.n + 1});

	return stem == NAMES_NONE ? NO_SET : sets->stems.items[stem].numbers[set->family == FAMILY_6];
}

const struct set *sets_get(const struct sets *sets, uint32_t number)
{
	return &sets->items[number];
}

size_t sets_count(const struct sets *sets)
{
	return sets->count;
}

/* The first bytes of a name as a number, which decides most comparisons. */
struct filed {
	uint64_t head;
	struct str file;
	uint32_t number;
};

static uint64_t head_of(struct str s)
{
	uint64_t head = 0;

	for (size_t i = 0; i < sizeof head; i++)
		head = head << 8 | (i < s.n ? (unsigned char)s.p[i] : 0);
	return head;
}

static int file_order(const void *a, const void *b)
{
	const struct filed *x = a, *y = b;

	return x->head != y->head ? (x->head < y->head ? -1 : 1) : str_cmp(x->file, y->file);
}

uint32_t *sets_sorted(struct arena *arena, const struct sets *sets)
{
	uint32_t *numbers = ARENA_ARRAY(arena, uint32_t, sets->count);
	struct arena *scratch = arena_new();
	struct filed *filed = ARENA_ARRAY(scratch, struct filed, sets->count);

	for (size_t i = 0; i < sets->count; i++)
		filed[i] = (struct filed){head_of(sets->items[i].file), sets->items[i].file, (uint32_t)i};
	if (sets->count > 0)
		qsort(filed, sets->count, sizeof *filed, file_order);
	for (size_t i = 0; i < sets->count; i++)
		numbers[i] = filed[i].number;
	arena_free(scratch);
	return numbers;
}
