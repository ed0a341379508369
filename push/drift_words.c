/* A rule as canonical text, so that two spellings of one rule are equal and two rules never are: counters go, names of
 * options and protocols are one of several, addresses have a length, rates the largest unit that holds them. The order
 * of matches stays: a limit takes tokens for what comes before it. */
#include <stdlib.h>

#include "drift_parts.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

struct word {
	struct str text;
	bool quoted;
};
struct word_list {
	struct word *items;
	size_t count, capacity;
};

/* --- words, as iptables-restore(8) reads them --- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* One word, without its quotes and backslashes; what is left behind it. */
static struct str cut_word(struct arena *arena, struct str line, struct word *word)
{
	struct buf text = buf_new(arena);
	bool open = false;
	size_t at = 0;

	word->quoted = false;
	for (; at < line.n && (open || !is_blank(line.p[at])); at++) {
		char c = line.p[at];

		if (c == '"') {
			open = !open;
			word->quoted = true;
		} else {
			if (open && c == '\\' && at + 1 < line.n)
				c = line.p[++at];
			buf_char(&text, c);
		}
	}
	word->text = buf_str(&text);
	return str_slice(line, at, line.n);
}

static struct word_list words_of(struct arena *arena, struct str line)
{
	struct word_list words = {0};

	for (line = str_trim(line); line.n > 0; line = str_trim(line)) {
		struct word word;

		line = cut_word(arena, line, &word);
		APPEND(arena, &words, word);
	}
	return words;
}

/* --- values --- */

static struct str address(struct arena *arena, struct str text)
{
	struct prefix prefix;
	struct buf buf = buf_new(arena);

	if (prefix_parse(text, &prefix) != PREFIX_OK)
		return text;
	addr_print(&buf, prefix.addr);
	buf_format(&buf, "/%u", prefix.length);
	return buf_str(&buf);
}

static struct str protocol(struct arena *arena, struct str text)
{
	uint8_t number;

	return drift_protocol(text, &number) ? str_format(arena, "%u", number) : text;
}

/* Words between commas, sorted: the states of a connection are a set. */
static struct str states(struct arena *arena, struct str text)
{
	struct {
		struct str *items;
		size_t count, capacity;
	} list = {0};
	struct buf buf = buf_new(arena);
	struct str word;

	while (str_cut(&text, ',', &word))
		APPEND(arena, &list, word);
	if (list.count > 1)
		qsort(list.items, list.count, sizeof *list.items, str_order);
	for (size_t i = 0; i < list.count; i++)
		buf_format(&buf, "%s%.*s", i == 0 ? "" : ",", STR_ARG(list.items[i]));
	return buf_str(&buf);
}

static const struct {
	const char *names[4];
	unsigned seconds;
} units[] = {
	{{"s", "sec", "second", NULL}, 1},
	{{"m", "min", "minute", NULL}, 60},
	{{"h", "hour", NULL, NULL}, 60 * 60},
	{{"d", "day", NULL, NULL}, 24 * 60 * 60},
};

static unsigned unit_seconds(struct str name)
{
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		for (size_t k = 0; units[i].names[k] != NULL; k++)
			if (str_is(name, units[i].names[k]))
				return units[i].seconds;
	return 0;
}

/* "60/min" is "1/sec": so many in so many seconds, as a fraction in its lowest terms. */
static struct str rate(struct arena *arena, struct str text)
{
	struct str rest = text, number;
	uint64_t count, a, b;
	unsigned seconds;

	if (!str_cut(&rest, '/', &number) || rest.p == NULL || !str_number(number, UINT32_MAX, &count) || count == 0 ||
	    (seconds = unit_seconds(rest)) == 0)
		return text;
	for (a = count, b = seconds; b != 0;) {
		uint64_t left = a % b;

		a = b;
		b = left;
	}
	return str_format(arena, "%u in %u", (unsigned)(count / a), (unsigned)(seconds / a));
}

static struct str verbatim(struct arena *arena, struct str text)
{
	(void)arena;
	return text;
}

/* --- options --- */

/* The place of those that iptables-save prints first; the others keep theirs. */
enum slot { SLOT_SOURCE, SLOT_DESTINATION, SLOT_INPUT, SLOT_OUTPUT, SLOT_PROTOCOL, SLOTS, NO_SLOT = SLOTS };

static const struct option {
	const char *names[4];
	enum slot slot;
	struct str (*value)(struct arena *arena, struct str text);
} options[] = {
	{{"-s", "--source", "--src", NULL}, SLOT_SOURCE, address},
	{{"-d", "--destination", "--dst", NULL}, SLOT_DESTINATION, address},
	{{"-i", "--in-interface", NULL, NULL}, SLOT_INPUT, verbatim},
	{{"-o", "--out-interface", NULL, NULL}, SLOT_OUTPUT, verbatim},
	{{"-p", "--protocol", "--proto", NULL}, SLOT_PROTOCOL, protocol},
	{{"-j", "--jump", NULL, NULL}, NO_SLOT, verbatim},
	{{"-g", "--goto", NULL, NULL}, NO_SLOT, verbatim},
	{{"-m", "--match", NULL, NULL}, NO_SLOT, verbatim},
	{{"--ctstate", NULL, NULL, NULL}, NO_SLOT, states},
	{{"--limit", NULL, NULL, NULL}, NO_SLOT, rate},
	{{"--hashlimit-upto", NULL, NULL, NULL}, NO_SLOT, rate},
	{{"--hashlimit-above", NULL, NULL, NULL}, NO_SLOT, rate},
	/* what people may write into these looks like anything */
	{{"--comment", NULL, NULL, NULL}, NO_SLOT, verbatim},
	{{"--log-prefix", NULL, NULL, NULL}, NO_SLOT, verbatim},
	{{"--nflog-prefix", NULL, NULL, NULL}, NO_SLOT, verbatim},
};

static const struct option *option_of(const struct word *word)
{
	for (size_t i = 0; i < sizeof options / sizeof *options && !word->quoted; i++)
		for (size_t k = 0; options[i].names[k] != NULL; k++)
			if (str_is(word->text, options[i].names[k]))
				return &options[i];
	return NULL;
}

struct spelling {
	struct buf slots[SLOTS], rest;
	struct str target;
};

static void add_word(struct buf *buf, struct str word)
{
	buf_add(buf, word);
	buf_char(buf, '\n');
}

/* An option, its value, and the `!` before it. */
static void add_option(struct arena *arena, struct spelling *spelling, const struct option *option, bool inverted,
                       struct str value)
{
	struct buf *to = option->slot == NO_SLOT ? &spelling->rest : &spelling->slots[option->slot];

	if (inverted)
		add_word(to, STR("!"));
	add_word(to, str_of(option->names[0]));
	add_word(to, option->value(arena, value));
	if (option->names[0][1] == 'j' || option->names[0][1] == 'g')
		spelling->target = value;
}

static void spell(struct arena *arena, const struct word_list *words, struct spelling *spelling)
{
	for (size_t i = 2; i < words->count; i++) {
		bool inverted = str_is(words->items[i].text, "!") && !words->items[i].quoted;
		size_t at = i + inverted;
		const struct option *option = at + 1 < words->count ? option_of(&words->items[at]) : NULL;

		if (option == NULL) {
			add_word(&spelling->rest, words->items[i].text);
			continue;
		}
		add_option(arena, spelling, option, inverted, words->items[at + 1].text);
		i = at + 1;
	}
}

static struct str without_counters(struct str line)
{
	size_t end = str_find(line, ']');

	return line.n > 0 && line.p[0] == '[' && end < line.n ? str_trim(str_slice(line, end + 1, line.n)) : line;
}

bool drift_canonical(struct arena *arena, struct str line, struct canonical *canonical)
{
	struct word_list words = words_of(arena, without_counters(line));
	struct spelling spelling = {.rest = buf_new(arena)};
	struct buf text = buf_new(arena);

	if (words.count < 2 || !(str_is(words.items[0].text, "-A") || str_is(words.items[0].text, "--append")))
		return false;
	for (size_t i = 0; i < SLOTS; i++)
		spelling.slots[i] = buf_new(arena);
	spell(arena, &words, &spelling);
	for (size_t i = 0; i < SLOTS; i++)
		buf_add(&text, buf_str(&spelling.slots[i]));
	buf_add(&text, buf_str(&spelling.rest));
	*canonical = (struct canonical){words.items[1].text, buf_str(&text), spelling.target};
	return true;
}
