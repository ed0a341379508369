/* Rules files as lines and words: see the header. Reads as iptables-restore(8) does, where that is simple; what is not
 * simple it calls odd. */
#include "guard_lines.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The end of the word that begins at `at`: blanks end it, but not between quotes. */
static size_t word_end(struct str line, size_t at, size_t *quotes)
{
	bool open = false;

	for (*quotes = 0; at < line.n && (open || !is_blank(line.p[at])); at++) {
		if (open && line.p[at] == '\\' && at + 1 < line.n)
			at++;
		else if (line.p[at] == '"') {
			open = !open;
			++*quotes;
		}
	}
	return at;
}

void words_of(struct str line, struct words *words)
{
	size_t at = 0;

	words->count = 0;
	words->odd = false;
	for (;;) {
		size_t quotes;

		while (at < line.n && is_blank(line.p[at]))
			at++;
		if (at == line.n)
			return;
		if (words->count == WORDS_MAX) {
			words->odd = true;
			return;
		}
		size_t end = word_end(line, at, &quotes);
		struct str word = str_slice(line, at, end);
		bool quoted = quotes == 2 && word.n >= 2 && word.p[0] == '"' && word.p[word.n - 1] == '"';

		words->odd = words->odd || (quotes > 0 && !quoted);
		words->word[words->count] = quoted ? str_slice(word, 1, word.n - 1) : word;
		words->quoted[words->count++] = quoted;
		at = end;
	}
}

bool guard_next_line(struct str *rest, unsigned *number, struct str *line)
{
	if (rest->n == 0)
		return false;
	size_t end = str_find(*rest, '\n');

	*line = str_slice(*rest, 0, end);
	*rest = str_slice(*rest, end < rest->n ? end + 1 : end, rest->n);
	++*number;
	return true;
}

bool guard_declares(struct str file, struct str chain)
{
	struct str line;
	unsigned number = 0;

	while (guard_next_line(&file, &number, &line))
		if (line.n > chain.n + 1 && line.p[0] == ':' && memcmp(line.p + 1, chain.p, chain.n) == 0 &&
		    is_blank(line.p[chain.n + 1]))
			return true;
	return false;
}

bool guard_is_builtin_chain(struct str name)
{
	return str_is(name, "INPUT") || str_is(name, "OUTPUT") || str_is(name, "FORWARD");
}

bool guard_is_builtin_target(struct str name)
{
	return str_is(name, "ACCEPT") || str_is(name, "DROP") || str_is(name, "RETURN") || str_is(name, "LOG") ||
	       str_is(name, "REJECT");
}

struct str guard_file_name(size_t file)
{
	return file == 0 ? STR("rules.v4") : STR("rules.v6");
}

struct str guard_who(struct arena *arena, struct str machine, size_t machines)
{
	if (machines < 2)
		return str_format(arena, "machine %.*s", STR_ARG(machine));
	return str_format(arena, "machine %.*s and %zu more", STR_ARG(machine), machines - 1);
}

struct error *guard_place(struct error *error, struct str machine, size_t file, unsigned number, struct str line)
{
	char path[300];
	struct str name = guard_file_name(file);
	size_t n = machine.n < 256 ? machine.n : 256;

	memcpy(path, machine.p, n);
	path[n] = '/';
	memcpy(path + n + 1, name.p, name.n);
	return error_at(error, (struct place){.file = {path, n + 1 + name.n}, .line = number, .text = line});
}
