/* Mutants of rendered files, line by line. Knows how the files are spelled, and nothing of what they mean. */
#include "mutate.h"

#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

struct lines {
	struct str *items;
	size_t count, capacity;
};

struct mutating {
	struct arena *arena;
	struct rng *rng;
	struct lines lines;
	const struct str *sets;
	size_t set_count;
};

static void split(struct mutating *mutating, struct str text)
{
	struct str line;

	if (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	while (str_cut(&text, '\n', &line))
		APPEND(mutating->arena, &mutating->lines, line);
}

static struct str join(const struct mutating *mutating)
{
	struct buf buf = buf_new(mutating->arena);

	for (size_t i = 0; i < mutating->lines.count; i++) {
		buf_add(&buf, mutating->lines.items[i]);
		buf_char(&buf, '\n');
	}
	return buf_str(&buf);
}

/* --- places in a line --- */

/* Behind the word, at random where it is there more than once; line.n: it is not there. */
static size_t behind(struct mutating *mutating, struct str line, const char *word)
{
	size_t n = strlen(word), found[32], count = 0;

	for (size_t i = 0; i + n <= line.n && count < 32; i++)
		if (memcmp(line.p + i, word, n) == 0)
			found[count++] = i + n;
	return count > 0 ? found[rng_below(mutating->rng, count)] : line.n;
}

static struct str replaced(struct mutating *mutating, struct str line, size_t from, size_t to, struct str by)
{
	return str_format(mutating->arena, "%.*s%.*s%.*s", (int)from, line.p, STR_ARG(by), (int)(line.n - to),
	                  line.p + to);
}

/* One word for another; the line as it is where it has none. */
static struct str exchange(struct mutating *mutating, struct str line, const char *word, const char *by)
{
	size_t at = behind(mutating, line, word);

	return at == line.n && !str_ends(line, str_of(word))
	               ? line
	               : replaced(mutating, line, at - strlen(word), at, str_of(by));
}

/* A number of the value behind the word, one more or less; numbers begin at one of `starts` or at once. */
static struct str step_number(struct mutating *mutating, struct str line, const char *word, const char *starts)
{
	size_t at = behind(mutating, line, word), firsts[64], count = 0, end;
	uint64_t number;

	for (size_t i = at; i < line.n && line.p[i] != ' ' && count < 64; i++)
		if (line.p[i] >= '0' && line.p[i] <= '9' &&
		    ((i == at && starts[0] == '=') || (i > at && strchr(starts, line.p[i - 1]) != NULL)))
			firsts[count++] = i;
	if (count == 0)
		return line;
	at = end = firsts[rng_below(mutating->rng, count)];
	while (end < line.n && line.p[end] >= '0' && line.p[end] <= '9')
		end++;
	if (!str_number(str_slice(line, at, end), UINT32_MAX, &number))
		return line;
	/* iptables 1.8.9 takes 65536 behind a colon, for 0. */
	number = number < UINT16_MAX && (number == 0 || rng_chance(mutating->rng, 50)) ? number + 1 : number - 1;
	return replaced(mutating, line, at, end, str_format(mutating->arena, "%llu", (unsigned long long)number));
}

/* --- in a line of rules --- */

static struct str port(struct mutating *mutating, struct str line)
{
	static const char *const words[] = {"--dport ", "--dports ", "--sport "};

	return step_number(mutating, line, words[rng_below(mutating->rng, 3)], "=,:");
}

static struct str prefix_length(struct mutating *mutating, struct str line)
{
	return step_number(mutating, line, rng_chance(mutating->rng, 80) ? " -s " : " -d ", "/");
}

static struct str address(struct mutating *mutating, struct str line)
{
	return step_number(mutating, line, rng_chance(mutating->rng, 80) ? " -s " : " -d ", "=.:");
}

static struct str icmp_type(struct mutating *mutating, struct str line)
{
	return step_number(mutating, line, rng_chance(mutating->rng, 50) ? "--icmp-type " : "--icmpv6-type ", "=/");
}

static struct str negate(struct mutating *mutating, struct str line)
{
	static const char *const words[] = {" -s ", " -d ", " -p ", " -i ", " -o ", " --dport ",
	                                    " --dports ", " --match-set ", " --ctstate ", " --icmp-type "};
	const char *word = words[rng_below(mutating->rng, sizeof words / sizeof *words)];
	struct str by = str_format(mutating->arena, " !%s", word);

	return exchange(mutating, line, word, by.p);
}

static struct str state(struct mutating *mutating, struct str line)
{
	static const char *const by[] = {"RELATED", "ESTABLISHED", "NEW,RELATED,ESTABLISHED",
	                                 "RELATED,ESTABLISHED,UNTRACKED"};

	if (rng_chance(mutating->rng, 30))
		return exchange(mutating, line, "--ctstate INVALID", "--ctstate NEW");
	return exchange(mutating, line, "RELATED,ESTABLISHED", by[rng_below(mutating->rng, 4)]);
}

static struct str verdict(struct mutating *mutating, struct str line)
{
	static const char *const words[][2] = {{" ACCEPT", " DROP"},      {" DROP", " ACCEPT"}, {" RETURN", " DROP"},
	                                       {" RETURN", " ACCEPT"},    {" DROP", " RETURN"}, {" ACCEPT", " RETURN"},
	                                       {"tcp-reset", "icmp-port-unreachable"}};
	size_t i = rng_below(mutating->rng, sizeof words / sizeof *words);

	return exchange(mutating, line, words[i][0], words[i][1]);
}

static struct str protocol(struct mutating *mutating, struct str line)
{
	static const char *const words[][2] = {{"-p tcp -m tcp", "-p udp -m udp"}, {"-p udp -m udp", "-p tcp -m tcp"},
	                                       {"-p tcp -m multi", "-p udp -m multi"}, {"-p tcp ", "-p udp "},
	                                       {"-p 47 ", "-p 48 "}, {"-p esp", "-p ah"}};
	size_t i = rng_below(mutating->rng, sizeof words / sizeof *words);

	return exchange(mutating, line, words[i][0], words[i][1]);
}

static struct str set_match(struct mutating *mutating, struct str line)
{
	static const char word[] = "--match-set ";
	size_t at = behind(mutating, line, word), end = at;

	if (at == line.n)
		return line;
	if (rng_chance(mutating->rng, 25))
		return exchange(mutating, line, " src", " dst");
	while (end < line.n && line.p[end] != ' ')
		end++;
	return replaced(mutating, line, at, end, mutating->sets[rng_below(mutating->rng, mutating->set_count)]);
}

static struct str interface(struct mutating *mutating, struct str line)
{
	size_t at = behind(mutating, line, rng_chance(mutating->rng, 60) ? " -i " : " -o "), end = at;

	while (end < line.n && line.p[end] != ' ')
		end++;
	return at == line.n ? line : replaced(mutating, line, end, end, STR("7"));
}

static struct str jump(struct mutating *mutating, struct str line)
{
	return exchange(mutating, line, " -g ", " -j ");
}

static struct str chain_name(struct mutating *mutating, struct str line)
{
	return rng_chance(mutating->rng, 50) ? exchange(mutating, line, "-A INPUT", "-A OUTPUT")
	                                     : exchange(mutating, line, "-A OUTPUT", "-A FORWARD");
}

struct change {
	const char *how;
	struct str (*in)(struct mutating *mutating, struct str line);
};

static const struct change changes[] = {
	{"port", port},         {"port", port},           {"prefix", prefix_length}, {"prefix", prefix_length},
	{"address", address},   {"icmp", icmp_type},      {"negation", negate},      {"negation", negate},
	{"state", state},       {"verdict", verdict},     {"verdict", verdict},      {"protocol", protocol},
	{"set", set_match},     {"set", set_match},       {"interface", interface},  {"jump", jump},
	{"chain", chain_name},
};

/* --- lines as a whole --- */

static void drop_line(struct mutating *mutating, size_t at)
{
	struct lines *lines = &mutating->lines;

	memmove(lines->items + at, lines->items + at + 1, (lines->count - at - 1) * sizeof *lines->items);
	lines->count--;
}

static void double_line(struct mutating *mutating, size_t at)
{
	struct lines *lines = &mutating->lines;
	struct str line = lines->items[at];

	APPEND(mutating->arena, lines, line);
	memmove(lines->items + at + 1, lines->items + at, (lines->count - at - 1) * sizeof *lines->items);
	lines->items[at] = line;
}

static void swap_lines(struct mutating *mutating, size_t at)
{
	struct lines *lines = &mutating->lines;
	size_t other = rng_chance(mutating->rng, 60) ? (at + 1) % lines->count
	                                             : rng_below(mutating->rng, lines->count);
	struct str line = lines->items[at];

	lines->items[at] = lines->items[other];
	lines->items[other] = line;
}

static const char *change_lines(struct mutating *mutating)
{
	size_t at = rng_below(mutating->rng, mutating->lines.count);

	switch (rng_below(mutating->rng, 3)) {
	case 0:
		drop_line(mutating, at);
		return "removed";
	case 1:
		double_line(mutating, at);
		return "doubled";
	default:
		swap_lines(mutating, at);
		return "swapped";
	}
}

static const char *change_line(struct mutating *mutating)
{
	const struct change *change = &changes[rng_below(mutating->rng, sizeof changes / sizeof *changes)];
	struct str *line = &mutating->lines.items[rng_below(mutating->rng, mutating->lines.count)];

	*line = change->in(mutating, *line);
	return change->how;
}

struct str mutate_rules(struct arena *arena, struct rng *rng, struct str text, const struct str *sets, size_t set_count,
                        const char **how)
{
	for (;;) {
		struct mutating mutating = {.arena = arena, .rng = rng, .sets = sets, .set_count = set_count};
		struct str result;

		split(&mutating, text);
		*how = rng_chance(rng, 25) ? change_lines(&mutating) : change_line(&mutating);
		result = join(&mutating);
		if (!str_eq(result, text))
			return result;
	}
}

/* --- sets --- */

static struct str change_entry(struct mutating *mutating, struct str line)
{
	size_t at = line.n;

	while (at > 0 && line.p[at - 1] != '.' && line.p[at - 1] != ':' && line.p[at - 1] != ' ' &&
	       line.p[at - 1] != '/')
		at--;
	return str_format(mutating->arena, "%.*s%zu", (int)at, line.p, rng_below(mutating->rng, 33));
}

struct str mutate_set(struct arena *arena, struct rng *rng, struct str text, const char **how)
{
	for (;;) {
		struct mutating mutating = {.arena = arena, .rng = rng};
		struct str result, *line;

		split(&mutating, text);
		line = &mutating.lines.items[rng_below(rng, mutating.lines.count)];
		*how = "set entry";
		if (str_starts(*line, STR("add ")) && rng_chance(rng, 50))
			*line = change_entry(&mutating, *line);
		else
			*how = change_lines(&mutating);
		result = join(&mutating);
		if (!str_eq(result, text))
			return result;
	}
}
