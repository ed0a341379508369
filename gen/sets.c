/* The sets that rulesets name: what they are called (SPEC §5), whose addresses they hold, and the bytes of their files.
 * A set is known once, however many rules name it. Refuses two different peers under one name. */
#include "sets.h"

#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/digest.h"

#define NAME_PART 12
#define DIGEST_PART 12
/* Part of what a live set is, so one constant: a set of another maxelem could not be created over it. */
#define MAXELEM "4294967295"

struct set {
	enum family family;
	bool refusing;
	const struct peer *peer; /* NULL: the literals of `rule` */
	const struct role *role; /* that `self` means */
	const struct rule *rule;
	struct str text; /* action and canonical text: tells collisions from repetitions */
	struct str ipset, file;
};

struct sets {
	struct arena *arena;
	const struct resolved *resolved;
	struct names *names; /* of files */
	struct set *items;   /* by the number of the name */
	size_t count, capacity;
};

struct str set_name(struct arena *arena, bool refusing, struct str name, struct str text)
{
	struct str pieces[] = {refusing ? STR("deny") : STR("allow"), {"", 1}, text};
	struct digest digest = digest_of_pieces(pieces, 3);
	char hex[65];

	digest_hex(&digest, hex);
	return str_format(arena, "%.*s-%.*s", STR_ARG(str_slice(name, 0, NAME_PART)), DIGEST_PART, hex);
}

struct sets *sets_new(struct arena *arena, const struct resolved *resolved)
{
	struct sets *sets = ARENA_NEW(arena, struct sets);

	*sets = (struct sets){.arena = arena, .resolved = resolved, .names = names_new(arena)};
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

/* `set` has everything but its names. */
static struct error *sets_put(struct sets *sets, struct set set, struct str name, uint32_t *number)
{
	if (!name_safe(name))
		return error_new(ERROR_INPUT, "`%.*s` can't be part of a set's name", STR_ARG(name));
	struct str stem = set_name(sets->arena, set.refusing, name, set.text);
	int version = set.family == FAMILY_4 ? 4 : 6;

	set.file = str_format(sets->arena, "%.*s.v%d", STR_ARG(stem), version);
	*number = names_add(sets->names, set.file);
	if (*number < sets->count) {
		const struct set *known = &sets->items[*number];

		if (known->refusing == set.refusing && str_eq(known->text, set.text))
			return NULL;
		return error_hint(error_new(ERROR_INPUT, "the peers `%.*s` and `%.*s` would share the set name %.*s",
		                            STR_ARG(known->text), STR_ARG(set.text), STR_ARG(stem)),
		                  "write one of the two another way");
	}
	set.text = str_copy(sets->arena, set.text);
	set.ipset = str_format(sets->arena, "fw%d-%.*s", version, STR_ARG(stem));
	APPEND(sets->arena, sets, set);
	return NULL;
}

/* What a peer is called in the digest and at the head of the set's name: `self` as the role that it stands in. */
static struct str peer_text(struct arena *arena, const struct role *role, const struct peer *peer, struct str *name)
{
	struct buf buf = buf_new(arena);
	struct str owner;

	*name = peer->name;
	if (peer->kind != PEER_SELF) {
		peer_print(&buf, peer);
		return buf_str(&buf);
	}
	owner = machine_of_role(role->name);
	*name = owner.n > 0 ? owner : role->name;
	if (owner.n == 0)
		buf_add(&buf, STR("role:"));
	buf_add(&buf, role->name);
	return buf_str(&buf);
}

struct error *sets_peer(struct sets *sets, const struct role *role, const struct peer *peer, bool refusing,
                        enum family family, uint32_t *number)
{
	struct set set = {.family = family, .refusing = refusing, .peer = peer, .role = role};
	struct str name;

	set.text = peer_text(sets->arena, role, peer, &name);
	return sets_put(sets, set, name, number);
}

struct error *sets_literals(struct sets *sets, const struct rule *rule, enum family family, uint32_t *number)
{
	struct set set = {.family = family, .refusing = rule->action != ACTION_ALLOW, .rule = rule};
	struct buf buf = buf_new(sets->arena);

	for (size_t i = 0; i < rule->peer_count; i++) {
		if (rule->peers[i].kind != PEER_LITERAL)
			continue;
		if (buf.n > 0)
			buf_add(&buf, STR(", "));
		peer_print(&buf, &rule->peers[i]);
	}
	set.text = buf_str(&buf);
	return sets_put(sets, set, STR("list"), number);
}

struct str sets_ipset(const struct sets *sets, uint32_t number)
{
	return sets->items[number].ipset;
}

struct str sets_file(const struct sets *sets, uint32_t number)
{
	return sets->items[number].file;
}

size_t sets_count(const struct sets *sets)
{
	return sets->count;
}

static struct addr_set set_addresses(struct arena *scratch, const struct resolved *resolved, const struct set *set)
{
	struct range *ranges;

	if (set->peer != NULL)
		return peer_addresses(scratch, resolved, set->peer, set->role, set->refusing, set->family);
	size_t count = rule_literals(scratch, set->rule, set->family, &ranges);
	return addr_set_of(scratch, set->family, ranges, count);
}

struct adding {
	struct buf *buf;
	struct str ipset;
};

static void add_prefix(void *context, struct prefix prefix)
{
	struct adding *adding = context;

	if (prefix.length == 0) { /* hash:net holds no /0 */
		struct prefix half = {.addr = prefix.addr, .length = 1};

		add_prefix(context, half);
		half.addr.bits = (addr_bits)1 << (family_width(prefix.addr.family) - 1);
		add_prefix(context, half);
		return;
	}
	buf_add(adding->buf, STR("add "));
	buf_add(adding->buf, adding->ipset);
	buf_add(adding->buf, STR(".n "));
	prefix_print(adding->buf, prefix);
	buf_char(adding->buf, '\n');
}

/* A second set is filled and swapped in, so that the live one is never half full. A killed run may have left the second
 * one, hence the flush. */
static void write_set(struct buf *buf, struct str ipset, const struct addr_set *addresses)
{
	const char *family = addresses->family == FAMILY_4 ? "inet" : "inet6";
	struct adding adding = {buf, ipset};

	buf_format(buf, "create %.*s hash:net family %s maxelem " MAXELEM "\n", STR_ARG(ipset), family);
	buf_format(buf, "create %.*s.n hash:net family %s maxelem " MAXELEM "\n", STR_ARG(ipset), family);
	buf_format(buf, "flush %.*s.n\n", STR_ARG(ipset));
	addr_set_prefixes(addresses, add_prefix, &adding);
	buf_format(buf, "swap %.*s %.*s.n\n", STR_ARG(ipset), STR_ARG(ipset));
	buf_format(buf, "destroy %.*s.n\n", STR_ARG(ipset));
}

static int file_order(const void *a, const void *b)
{
	return str_cmp(((const struct set_file *)a)->name, ((const struct set_file *)b)->name);
}

void sets_write(struct arena *arena, const struct sets *sets, struct set_file **files, size_t *count)
{
	struct arena *scratch = arena_new();

	*files = ARENA_ARRAY(arena, struct set_file, sets->count);
	*count = sets->count;
	for (size_t i = 0; i < sets->count; i++) {
		struct set_file *file = &(*files)[i];
		struct buf buf = buf_new(scratch);
		struct addr_set addresses = set_addresses(scratch, sets->resolved, &sets->items[i]);

		write_set(&buf, sets->items[i].ipset, &addresses);
		file->name = str_copy(arena, sets->items[i].file);
		file->bytes = str_copy(arena, buf_str(&buf));
		file->digest = digest_of(file->bytes);
		arena_reset(scratch);
	}
	qsort(*files, *count, sizeof **files, file_order);
	arena_free(scratch);
}
