/* The create line of a set: its type and options, as ipset(8) takes them. */
#include <string.h>

#include "filter_match.h"
#include "filter_sets.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

static const struct {
	const char *name, *other; /* the second from before ipset 6 */
	enum set_kind kind;
	bool family; /* of two */
} types[] = {
	{"hash:net", "nethash", SET_NET, true},
	{"hash:ip", "iphash", SET_IP, true},
	{"bitmap:ip", "ipmap", SET_BITMAP, false},
	{"list:set", "setlist", SET_LIST, false},
	{"hash:ip,port", "ipporthash", SET_OTHER, true},
	{"hash:ip,port,ip", "ipportiphash", SET_OTHER, true},
	{"hash:ip,port,net", "ipportnethash", SET_OTHER, true},
	{"hash:ip,mark", "hash:ip,mark", SET_OTHER, true},
	{"hash:net,port", "hash:net,port", SET_OTHER, true},
	{"hash:net,net", "hash:net,net", SET_OTHER, true},
	{"hash:net,port,net", "hash:net,port,net", SET_OTHER, true},
	{"hash:net,iface", "hash:net,iface", SET_OTHER, true},
	{"hash:mac", "machash", SET_OTHER, false},
	{"hash:ip,mac", "hash:ip,mac", SET_OTHER, true},
	{"bitmap:ip,mac", "macipmap", SET_OTHER, false},
	{"bitmap:port", "portmap", SET_OTHER, false},
};

/* What an option is followed by, and what it changes. */
enum create_value { PLAIN, NUMBER, WORD };

static const struct {
	const char *name;
	enum create_value value;
	bool counts;     /* it must be equal for the set to be the same */
	bool unmodelled; /* members go by themselves */
} options[] = {
	{"family", WORD, false, false},    {"hashsize", NUMBER, false, false}, {"maxelem", NUMBER, true, false},
	{"timeout", NUMBER, true, true},   {"counters", PLAIN, true, false},   {"comment", PLAIN, true, false},
	{"skbinfo", PLAIN, true, false},   {"forceadd", PLAIN, true, false},   {"netmask", NUMBER, true, false},
	{"bitmask", WORD, true, true},     {"markmask", WORD, true, false},    {"bucketsize", NUMBER, false, false},
	{"initval", NUMBER, false, false}, {"range", WORD, true, false},       {"size", NUMBER, false, false},
	{"from", WORD, true, true},        {"to", WORD, true, true},           {"network", WORD, true, true},
	{"probes", NUMBER, false, false},  {"resize", NUMBER, false, false},   {"gc", NUMBER, false, false},
	{"wildcard", PLAIN, true, true},
};

#define OPTIONS (sizeof options / sizeof *options)

static size_t option_of(struct str word)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (str_is(word, options[i].name))
			return i;
	return OPTIONS;
}

struct create {
	struct sets_reader *sets;
	struct content *content;
	const struct word *values[OPTIONS]; /* the option itself where it has no value */
	bool family;                        /* it may be said */
};

static const struct word *value_named(const struct create *create, const char *name)
{
	return create->values[option_of(str_of(name))];
}

static bool find_type(struct create *create, const struct word *word)
{
	struct content *content = create->content;

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (!str_is(word->text, types[i].name) && !str_is(word->text, types[i].other))
			continue;
		*content = (struct content){
			.type = str_of(types[i].name), .kind = types[i].kind, .family = FAMILY_4, .most = 65536};
		content->modelled = content->kind != SET_OTHER;
		create->family = types[i].family;
		return true;
	}
	reader_fault(&create->sets->reader, word->column, "hash:net, hash:ip, list:set, …",
	             "there is no type of sets \"%.*s\"", STR_ARG(word->text));
	return false;
}

static bool value_fits(const struct create *create, size_t option, const struct word *word)
{
	uint64_t number;

	if (options[option].value != NUMBER || value_number(word->text, UINT32_MAX, &number))
		return true;
	reader_fault(&create->sets->reader, word->column, NULL, "\"%.*s\" is no number", STR_ARG(word->text));
	return false;
}

static bool read_options(struct create *create, const struct words *words, size_t from)
{
	for (size_t i = from; i < words->count; i++) {
		const struct word *word = &words->items[i];
		size_t option = option_of(word->text);

		if (option == OPTIONS) {
			reader_fault(&create->sets->reader, word->column, NULL, "a set has no option \"%.*s\"",
			             STR_ARG(word->text));
			return false;
		}
		if (options[option].value != PLAIN) {
			if (++i == words->count) {
				reader_fault(&create->sets->reader, word->column, NULL, "%s needs a value",
				             options[option].name);
				return false;
			}
			word = &words->items[i];
		}
		if (!value_fits(create, option, word))
			return false;
		create->values[option] = word;
		create->content->modelled &= !options[option].unmodelled;
		create->content->expires |= strcmp(options[option].name, "timeout") == 0;
	}
	return true;
}

static bool take_family(struct create *create)
{
	const struct word *word = value_named(create, "family");

	if (word == NULL)
		return true;
	if (create->family && (str_is(word->text, "inet6") || str_is(word->text, "ipv6") || str_is(word->text, "-6")))
		create->content->family = FAMILY_6;
	else if (!str_is(word->text, "inet") && !str_is(word->text, "ipv4") && !str_is(word->text, "-4")) {
		reader_fault(&create->sets->reader, word->column, "inet or inet6", "this set has no family \"%.*s\"",
		             STR_ARG(word->text));
		return false;
	}
	return true;
}

static bool take_netmask(struct create *create)
{
	struct content *content = create->content;
	const struct word *word = value_named(create, "netmask");
	uint64_t bits;

	if (word == NULL)
		return true;
	if (content->kind == SET_NET || content->kind == SET_LIST ||
	    !value_number(word->text, family_width(content->family), &bits) || bits == 0) {
		reader_fault(&create->sets->reader, word->column, NULL, "this set has no netmask %.*s",
		             STR_ARG(word->text));
		return false;
	}
	content->netmask = (unsigned)bits;
	return true;
}

/* Of a bitmap: a prefix, or first and last address. */
static bool take_bounds(struct create *create)
{
	struct content *content = create->content, net = {.type = content->type, .kind = SET_IP, .family = FAMILY_4};
	const struct word *word = value_named(create, "range");
	struct members bounds = {0};

	if (content->kind != SET_BITMAP || !content->modelled)
		return true;
	if (word == NULL) {
		reader_fault(&create->sets->reader, 0, "add range FIRST-LAST", "a bitmap needs its range");
		return false;
	}
	net.netmask = content->netmask;
	net.kind = SET_BITMAP;
	net.bounds = (struct range){0, family_last(FAMILY_4), FAMILY_4};
	if (!member_read(create->sets, &net, word, &bounds))
		return false;
	content->bounds = bounds.items[0];
	return true;
}

/* These are in the parameters as numbers. */
static bool is_elsewhere(const struct content *content, const char *name)
{
	return strcmp(name, "maxelem") == 0 || (strcmp(name, "range") == 0 && content->kind == SET_BITMAP);
}

static void print_parameters(struct create *create)
{
	struct content *content = create->content;
	struct buf buf = buf_new(create->sets->reader.arena);

	/* the family is not looked at */
	buf_format(&buf, "%.*s %llu %llu %llu", STR_ARG(content->type), (unsigned long long)content->most,
	           (unsigned long long)content->bounds.first, (unsigned long long)content->bounds.last);
	for (size_t i = 0; i < OPTIONS; i++)
		if (options[i].counts && create->values[i] != NULL && !is_elsewhere(content, options[i].name))
			buf_format(&buf, " %s %.*s", options[i].name, STR_ARG(create->values[i]->text));
	content->parameters = buf_str(&buf);
}

struct content *set_create(struct sets_reader *sets, const struct words *words, size_t from)
{
	struct create create = {.sets = sets, .content = ARENA_NEW(sets->reader.arena, struct content)};
	const struct word *most;

	if (words->count <= from) {
		reader_fault(&sets->reader, 0, "create NAME hash:net …", "a set needs its type");
		return NULL;
	}
	if (!find_type(&create, &words->items[from]) || !read_options(&create, words, from + 1) ||
	    !take_family(&create) || !take_netmask(&create) || !take_bounds(&create))
		return NULL;
	most = value_named(&create, "maxelem");
	if (most != NULL)
		(void)value_number(most->text, UINT32_MAX, &create.content->most);
	print_parameters(&create);
	create.content->type = str_copy(sets->reader.arena, create.content->type);
	return create.content;
}
