/* Set files, one by one: what `ipset -exist restore` makes of each is what the inventory says that the set of its name
 * holds. Then rulesets are read back against the sets that were ended here. Judges no packets. */
#include <stdlib.h>

#include "fleetwall/buf.h"
#include "verifier.h"

/* --- names --- */

bool set_file_name(struct str file, struct str *name, enum family *family)
{
	if (!str_ends(file, STR(".v4")) && !str_ends(file, STR(".v6")))
		return false;
	*name = str_slice(file, 0, file.n - 3);
	*family = file.p[file.n - 1] == '4' ? FAMILY_4 : FAMILY_6;
	return true;
}

struct str set_own_name(struct str name)
{
	return str_starts(name, STR("fw4-")) || str_starts(name, STR("fw6-")) ? str_slice(name, 4, name.n) : name;
}

static bool is_name_of(struct str set, struct str file)
{
	struct str name;
	enum family family;

	return set_file_name(file, &name, &family) && set.n == name.n + 4 &&
	       str_starts(set, family == FAMILY_4 ? STR("fw4-") : STR("fw6-")) && str_ends(set, name);
}

/* --- a set --- */

void verify_set_begin(struct arena *arena, struct verifier *verifier, struct str name, struct verify_set *set)
{
	struct str own;
	enum family family;

	*set = (struct verify_set){.name = name};
	if (set_file_name(name, &own, &family))
		set->wanted = intent_set_into(arena, verifier->intent, own, family);
	set->needed = set->wanted != NULL;
}

static void differs(struct verify_set *set, enum verify_kind kind, struct str why)
{
	set->same = false;
	set->finding = (struct verify_finding){.kind = kind, .file = set->name, .why = why};
}

static void unreadable(struct arena *arena, struct verify_set *set, const struct error *fault)
{
	differs(set, VERIFY_UNREADABLE, fault->message);
	set->finding.line = fault->place.line;
	set->finding.text = str_copy(arena, fault->place.text);
}

/* The least address of `set` that is not in `other`. */
static bool least_beyond(const struct addr_set *set, const struct addr_set *other, struct addr *least)
{
	size_t k = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct range rest = set->ranges[i];

		while (k < other->count && other->ranges[k].last < rest.first)
			k++;
		*least = (struct addr){rest.first, set->family};
		if (k == other->count || other->ranges[k].first > rest.first)
			return true;
		if (other->ranges[k].last < rest.last) {
			least->bits = other->ranges[k].last + 1;
			return true;
		}
	}
	return false;
}

static struct str tell_difference(struct arena *arena, const struct addr_set *found, const struct addr_set *wanted)
{
	struct buf buf = buf_new(arena);
	struct addr least;
	bool lacks = least_beyond(wanted, found, &least);

	if (lacks) {
		buf_add(&buf, STR("it lacks "));
		addr_print(&buf, least);
	}
	if (least_beyond(found, wanted, &least)) {
		buf_add(&buf, lacks ? STR(", and holds ") : STR("it holds "));
		addr_print(&buf, least);
		buf_add(&buf, STR(", which is no member"));
	}
	return buf_str(&buf);
}

/* The set that the file leaves, which must be one of its name. */
static bool read_one(struct arena *arena, struct verify_set *set, struct str bytes, struct filter_set *found)
{
	const struct filter_text text = {set->name, bytes};
	struct filter_sets sets;
	struct error *error = filter_sets_read(arena, &text, 1, true, &sets);

	if (error != NULL)
		unreadable(arena, set, error);
	else if (sets.count != 1 || !is_name_of(sets.sets[0].name, set->name))
		differs(set, VERIFY_SET, STR("it does not leave exactly the set of its name"));
	else if (!sets.sets[0].modelled || !str_is(sets.sets[0].type, "hash:net") ||
	         sets.sets[0].family != (str_ends(set->name, STR(".v4")) ? FAMILY_4 : FAMILY_6))
		differs(set, VERIFY_SET, STR("its set is no plain hash:net of the family that its name says"));
	else
		*found = sets.sets[0];
	return found->name.n > 0;
}

static bool read_quickly(struct arena *arena, struct verify_set *set, struct str bytes)
{
	struct filter_set found = {.name = {NULL, 0}};
	struct verify_set frame = {.name = set->name};
	struct addr_set first;
	struct str text;

	return set->wanted != NULL && quick_frame(arena, bytes, set->wanted, &text, &first) &&
	       read_one(arena, &frame, text, &found) && addr_set_eq(&found.addresses, &first);
}

void verify_set_read(struct arena *arena, struct verify_set *set, struct str bytes)
{
	struct filter_set found = {.name = {NULL, 0}};

	set->same = read_quickly(arena, set, bytes);
	if (set->same || !read_one(arena, set, bytes, &found))
		return;
	set->found = found.addresses;
	set->same = set->wanted == NULL || addr_set_eq(set->wanted, &set->found);
	if (!set->same)
		differs(set, VERIFY_SET, tell_difference(arena, &set->found, set->wanted));
}

static struct addr_set keep_addresses(struct arena *arena, const struct addr_set *addresses)
{
	return addr_set_of(arena, addresses->family, addresses->ranges, addresses->count);
}

/* Its place; UINT32_MAX: that is no name of a set file. */
static uint32_t place_of(struct verifier *verifier, struct str file)
{
	struct known_set known = {.set = {.type = STR("hash:net"), .modelled = true}};
	uint32_t place = names_find(verifier->files, file);
	struct str name;

	if (place != NAMES_NONE || !set_file_name(file, &name, &known.set.family))
		return place;
	known.set.name = str_format(verifier->arena, "fw%c-%.*s", known.set.family == FAMILY_4 ? '4' : '6',
	                            STR_ARG(name));
	known.set.addresses.family = known.set.family;
	verifier->known = arena_grow(verifier->arena, verifier->known, verifier->known_count,
	                             &verifier->known_capacity, sizeof known, _Alignof(struct known_set));
	verifier->known[verifier->known_count++] = known;
	return names_add(verifier->files, file);
}

void verify_set_name(struct verifier *verifier, struct str name)
{
	(void)place_of(verifier, name);
}

void verify_set_end(struct arena *arena, struct verifier *verifier, const struct verify_set *set,
                    struct verify_findings *findings)
{
	uint32_t place = place_of(verifier, set->name);

	if (!set->same)
		APPEND(arena, findings, set->finding);
	/* What is needed is taken for what it must be: if it is not, that was found here, once for all rulesets. */
	if (place != NAMES_NONE && !set->needed && set->found.count > 0)
		verifier->known[place].set.addresses = keep_addresses(verifier->arena, &set->found);
}

enum { HASHED_AT_ONCE = 128 };

/* Addresses as the bytes that tell them: 8 a range of IPv4, 32 of IPv6. */
static void add_ranges(struct digester *digester, const struct addr_set *set)
{
	size_t width = family_width(set->family) / 8, n = 0;
	unsigned char bytes[HASHED_AT_ONCE * 32];

	for (size_t i = 0; i < set->count; i++) {
		addr_to_bytes((struct addr){set->ranges[i].first, set->family}, bytes + n);
		addr_to_bytes((struct addr){set->ranges[i].last, set->family}, bytes + n + width);
		n += 2 * width;
		if (n + 2 * width > sizeof bytes || i + 1 == set->count) {
			digester_add(digester, (struct str){(const char *)bytes, n});
			n = 0;
		}
	}
}

struct digest verify_set_key(struct digester *digester, const struct verifier *verifier, const struct verify_set *set,
                             const struct digest *file)
{
	digester_add(digester, STR("set\n"));
	digester_add(digester, (struct str){(const char *)&verifier->base, sizeof verifier->base});
	digester_add(digester, (struct str){(const char *)file, sizeof *file});
	digester_add(digester, set->name);
	digester_add(digester, set->wanted == NULL ? STR("\nnobody\n") : STR("\nwanted\n"));
	if (set->wanted != NULL)
		add_ranges(digester, set->wanted);
	return digester_end(digester);
}

/* --- reading rulesets --- */

static int set_order(const void *a, const void *b)
{
	return str_cmp(((const struct filter_set *)a)->name, ((const struct filter_set *)b)->name);
}

static size_t count_lines(struct str text)
{
	size_t count = 1;

	for (size_t i = 0; i < text.n; i++)
		count += text.p[i] == '\n';
	return count;
}

static void know_sets(struct arena *arena, const struct verifier *verifier, struct str list, struct verify_text *text)
{
	size_t most = count_lines(list);
	struct str name;

	text->sets.sets = ARENA_ARRAY(arena, struct filter_set, most);
	text->listed = ARENA_ARRAY(arena, struct str, most);
	while (str_cut(&list, '\n', &name)) {
		uint32_t place = names_find(verifier->files, name);

		if (place != NAMES_NONE)
			text->sets.sets[text->sets.count++] = verifier->known[place].set;
		else if (name.n > 0)
			text->listed[text->listed_count++] = name;
	}
	qsort(text->sets.sets, text->sets.count, sizeof *text->sets.sets, set_order);
}

/* An answer of another kind than the inventory can want is a fate of its own. And a rate is a condition by its
 * parameters alone, as the inventory knows it: which bucket counts is not claimed. */
static void prepare_rule(struct filter_rule *rule, struct str unreachable)
{
	if (rule->target == TARGET_REJECT && !str_ends(rule->target_text, STR("tcp-reset")) &&
	    !str_ends(rule->target_text, unreachable) && !str_is(rule->target_text, "REJECT"))
		rule->target = TARGET_UNKNOWN;
	for (size_t i = 0; i < rule->match_count; i++)
		if (str_starts(rule->matches[i].text, STR("hashlimit ")))
			rule->matches[i].steady = true;
}

static void prepare(struct filter *filter)
{
	struct str unreachable =
		filter->family == FAMILY_4 ? STR("icmp-port-unreachable") : STR("icmp6-port-unreachable");

	for (size_t i = 0; i < filter->chain_count; i++)
		for (size_t k = 0; k < filter->chains[i].rule_count; k++)
			prepare_rule(&filter->chains[i].rules[k], unreachable);
}

struct verify_text *verify_read(struct arena *arena, const struct verifier *verifier, const struct verify_files *files)
{
	static const char *const names[2] = {"rules.v4", "rules.v6"};
	struct verify_text *text = ARENA_NEW(arena, struct verify_text);

	text->as_given = files->sets != NULL;
	if (text->as_given)
		text->set_faults = filter_sets_read(arena, files->sets, files->set_count, true, &text->sets);
	else
		know_sets(arena, verifier, files->sets_list, text);
	for (size_t i = 0; i < 2; i++) {
		text->texts[i] = files->rules[i];
		text->faults[i] = filter_read(arena, i == 0 ? FAMILY_4 : FAMILY_6, str_of(names[i]), files->rules[i],
		                              &text->sets, &text->filters[i]);
		if (text->faults[i] != NULL)
			text->filters[i] = NULL;
		else
			prepare(text->filters[i]);
	}
	return text;
}
