/* What the lines of rules files can match at most, as far as their words say so plainly; and which lines there are. A
 * line with a word that is not known here makes the whole text one of which nothing is left out. Each distinct line is
 * taken apart once, however many rulesets have it. It decides nothing of what differs. */
#include <stdlib.h>

#include "difference_parts.h"

enum { SETS_MOST = 4, PORTS_MOST = 16 };

/* --- words --- */

/* With its quotation marks, if it has some. */
static bool next_word(struct str *rest, struct str *word)
{
	size_t end = 0;
	bool quoted = false;

	*rest = str_trim(*rest);
	while (end < rest->n && (quoted || rest->p[end] != ' ')) {
		if (rest->p[end] == '\\' && end + 1 < rest->n)
			end++;
		else if (rest->p[end] == '"')
			quoted = !quoted;
		end++;
	}
	*word = str_slice(*rest, 0, end);
	*rest = str_slice(*rest, end, rest->n);
	return word->n > 0;
}

static bool read_protocol(struct str word, struct line *line)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {{"tcp", 6},   {"udp", 17},       {"udplite", 136}, {"sctp", 132},
	             {"icmp", 1}, {"ipv6-icmp", 58}, {"esp", 50},      {"ah", 51}};
	uint64_t number;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_is(word, names[i].name)) {
			line->protocol = names[i].number;
			return true;
		}
	if (!str_number(word, 255, &number) || number == 0)
		return false;
	line->protocol = (int)number;
	return true;
}

/* "22", "22:23", "80,443,8000:8010". */
static bool read_ports(struct arena *arena, struct str word, struct line *line)
{
	struct str part, first;
	uint64_t numbers[2];

	if (line->ports == NULL)
		line->ports = ARENA_ARRAY(arena, struct numbers, PORTS_MOST);
	while (str_cut(&word, ',', &part)) {
		if (line->port_count == PORTS_MOST || !str_cut(&part, ':', &first) ||
		    !str_number(first, 65535, &numbers[0]) ||
		    !str_number(part.p != NULL ? part : first, 65535, &numbers[1]) || numbers[0] > numbers[1])
			return false;
		line->ports[line->port_count++] = (struct numbers){(unsigned)numbers[0], (unsigned)numbers[1]};
	}
	return true;
}

static bool read_end(struct str word, struct line *line, size_t end)
{
	struct prefix prefix;

	if (prefix_parse(word, &prefix) != PREFIX_OK)
		return false;
	line->has_end[end] = true;
	line->ends[end] = prefix_range(prefix);
	return true;
}

static bool read_set(struct arena *arena, struct str word, struct str *rest, struct line *line)
{
	struct str end;

	if (line->sets == NULL) {
		line->sets = ARENA_ARRAY(arena, struct str, SETS_MOST);
		line->set_ends = ARENA_ARRAY(arena, size_t, SETS_MOST);
	}
	if (line->set_count == SETS_MOST || !next_word(rest, &end) || (!str_is(end, "src") && !str_is(end, "dst")))
		return false;
	line->sets[line->set_count] = word;
	line->set_ends[line->set_count++] = str_is(end, "dst");
	return true;
}

/* --- a line --- */

/* What follows a word, and what it says. */
enum option {
	OPTION_CHAIN,
	OPTION_TARGET,
	OPTION_PROTOCOL,
	OPTION_PORTS,
	OPTION_SOURCE,
	OPTION_DESTINATION,
	OPTION_SET,
	OPTION_COMMENT,
	OPTION_OTHER, /* one word, that makes it match less, or does nothing to what it matches */
};

static const struct {
	const char *word;
	enum option option;
} options[] = {
	{"-A", OPTION_CHAIN},
	{"-j", OPTION_TARGET},
	{"-g", OPTION_TARGET},
	{"-p", OPTION_PROTOCOL},
	{"--dport", OPTION_PORTS},
	{"--dports", OPTION_PORTS},
	{"-s", OPTION_SOURCE},
	{"-d", OPTION_DESTINATION},
	{"--match-set", OPTION_SET},
	{"--comment", OPTION_COMMENT},
	{"-m", OPTION_OTHER},
	{"-i", OPTION_OTHER},
	{"-o", OPTION_OTHER},
	{"--sport", OPTION_OTHER},
	{"--icmp-type", OPTION_OTHER},
	{"--icmpv6-type", OPTION_OTHER},
	{"--ctstate", OPTION_OTHER},
	{"--datestop", OPTION_OTHER},
	{"--limit", OPTION_OTHER},
	{"--limit-burst", OPTION_OTHER},
	{"--hashlimit-upto", OPTION_OTHER},
	{"--hashlimit-burst", OPTION_OTHER},
	{"--hashlimit-mode", OPTION_OTHER},
	{"--hashlimit-name", OPTION_OTHER},
	{"--hashlimit-htable-expire", OPTION_OTHER},
	{"--log-prefix", OPTION_OTHER},
	{"--reject-with", OPTION_OTHER},
};

static bool read_option(struct difference *difference, enum option option, struct str word, struct str *rest,
                        struct line *line)
{
	struct arena *arena = difference->arena;

	switch (option) {
	case OPTION_CHAIN:
		line->chain = names_add(difference->chains, word);
		return true;
	case OPTION_TARGET:
		line->target = names_add(difference->chains, word);
		return true;
	case OPTION_PROTOCOL:
		return read_protocol(word, line);
	case OPTION_PORTS:
		return read_ports(arena, word, line);
	case OPTION_SOURCE:
		return read_end(word, line, 0);
	case OPTION_DESTINATION:
		return read_end(word, line, 1);
	case OPTION_SET:
		return read_set(arena, word, rest, line);
	case OPTION_COMMENT:
		line->comment = word;
		return true;
	case OPTION_OTHER:
		return true;
	}
	return false;
}

static bool read_words(struct difference *difference, struct line *line)
{
	struct str rest = line->text, word, value;

	while (next_word(&rest, &word)) {
		size_t i = 0;

		while (i < sizeof options / sizeof *options && !str_is(word, options[i].word))
			i++;
		if (i == sizeof options / sizeof *options || !next_word(&rest, &value) ||
		    !read_option(difference, options[i].option, value, &rest, line))
			return false;
	}
	return line->chain != NAMES_NONE;
}

uint32_t lines_add(struct difference *difference, struct str text)
{
	uint32_t number = names_add(difference->line_names, text);
	struct line line = {.chain = NAMES_NONE, .target = NAMES_NONE, .protocol = -1};

	if (number < difference->lines.count)
		return number;
	line.text = names_get(difference->line_names, number);
	line.plain = read_words(difference, &line);
	APPEND(difference->arena, &difference->lines, line);
	return number;
}

/* --- what they match --- */

static bool ports_meet(const struct line *a, const struct line *b)
{
	for (size_t i = 0; i < a->port_count; i++)
		for (size_t k = 0; k < b->port_count; k++)
			if (a->ports[i].first <= b->ports[k].last && b->ports[k].first <= a->ports[i].last)
				return true;
	return a->port_count == 0 || b->port_count == 0;
}

bool lines_meet(const struct line *a, const struct line *b)
{
	return (a->protocol < 0 || b->protocol < 0 || a->protocol == b->protocol) && ports_meet(a, b);
}

struct packets lines_packets(const struct line *line)
{
	struct packets all = packets_all(), ports = packets_none();

	if (line->protocol >= 0)
		all = packets_number(FIELD_PROTOCOL, (unsigned)line->protocol);
	for (size_t i = 0; i < line->port_count; i++)
		ports = packets_or(ports,
		                   packets_numbers(FIELD_PORT, line->ports[i].first, line->ports[i].last));
	return line->port_count > 0 ? packets_and(all, ports) : all;
}
