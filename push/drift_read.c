/* What `fleetwall-host read` prints, taken apart: status lines, then sections. Lines of a machine that may be anybody's
 * by now: nothing is believed but that it is text, and what is cut short is refused. */
#include "drift_parts.h"

#include "fleetwall/arena.h"

bool drift_line(struct str *rest, struct str *line)
{
	size_t end;

	if (rest->n == 0)
		return false;
	end = str_find(*rest, '\n');
	*line = str_slice(*rest, 0, end);
	*rest = str_slice(*rest, end < rest->n ? end + 1 : end, rest->n);
	return true;
}

static bool begins_section(struct str line)
{
	return str_starts(line, STR("== "));
}

/* Up to the next section. */
static struct str take_lines(struct str *rest)
{
	const char *begin = rest->p;
	struct str line, after = *rest;

	while (drift_line(&after, &line) && !begins_section(line))
		*rest = after;
	return (struct str){begin, (size_t)(rest->p - begin)};
}

static struct error *demand(const struct host_read *read, struct str name)
{
	if (host_section(read, name) != NULL)
		return NULL;
	return error_hint(error_new(ERROR_INPUT, "the machine's answer is not complete: there is no section \"%.*s\"",
	                            STR_ARG(name)),
	                  "see what `fleetwall-host read` prints on the machine");
}

struct error *host_read_parse(struct arena *arena, struct str text, struct host_read *read)
{
	static const struct str needed[] = {{"rules.v4", 8}, {"sets", 4}, {"end", 3}};
	struct str line;

	*read = (struct host_read){.status = take_lines(&text)};
	while (drift_line(&text, &line)) {
		struct host_section section = {.name = str_trim(str_slice(line, 3, line.n))};

		section.text = take_lines(&text);
		APPEND(arena, &read->sections, section);
	}
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		TRY(demand(read, needed[i]));
	return NULL;
}

const struct host_section *host_section(const struct host_read *read, struct str name)
{
	for (size_t i = 0; i < read->sections.count; i++)
		if (str_eq(read->sections.items[i].name, name))
			return &read->sections.items[i];
	return NULL;
}

struct str host_status(const struct host_read *read, const char *key)
{
	struct str rest = read->status, line, word;

	while (drift_line(&rest, &line)) {
		if (!str_cut(&line, ' ', &word) || !str_is(word, key) || line.p == NULL)
			continue;
		line = str_trim(line);
		return str_is(line, "-") ? STR("") : line;
	}
	return STR("");
}

bool drift_section(struct arena *arena, struct str read, struct str name, struct str *text)
{
	struct host_read parsed;
	const struct host_section *section =
		host_read_parse(arena, read, &parsed) == NULL ? host_section(&parsed, name) : NULL;

	if (section != NULL)
		*text = section->text;
	return section != NULL;
}
