/* Generations: what publishing would make, its text, and reading it back. What is read is checked: format, order,
 * names, and the digest of manifest and sets, so that nobody acts on a damaged one. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "store_disk.h"
#include "store_tree.h"

static const char *const listed_files[] = {"manifest", "sets"};

void tree_print_entries(struct buf *buf, const struct entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char hex[65];

		assert(disk_name_ok(entries[i].name));
		digest_hex(&entries[i].digest, hex);
		buf_add(buf, str_of(hex));
		buf_add(buf, STR("  "));
		buf_add(buf, entries[i].name);
		buf_char(buf, '\n');
	}
}

/* Lines in byte order, as every list that we write. */
void tree_print_summary(struct buf *buf, const struct generation *generation)
{
	const struct summary *summary = &generation->summary;
	char hex[65];

	digest_hex(&generation->digest, hex);
	buf_format(buf, "clock %" PRId64 "\n", summary->clock);
	buf_format(buf, "digest %s\n", hex);
	buf_format(buf, "machines %zu\n", summary->machines);
	for (size_t i = 0; i < summary->role_count; i++)
		buf_format(buf, "role %.*s %zu\n", STR_ARG(summary->roles[i].role), summary->roles[i].members);
	buf_format(buf, "rules %zu\n", summary->rules);
}

static struct digest digest_of_lists(struct str manifest, struct str sets)
{
	struct digest digests[] = {digest_of(manifest), digest_of(sets)};

	return digest_of_sums(listed_files, digests, 2);
}

void generation_digest(struct arena *scratch, struct generation *generation)
{
	struct buf manifest = buf_new(scratch), sets = buf_new(scratch);

	tree_print_entries(&manifest, generation->manifest, generation->machine_count);
	tree_print_entries(&sets, generation->sets, generation->set_count);
	generation->digest = digest_of_lists(buf_str(&manifest), buf_str(&sets));
}

void generation_of(struct arena *arena, const struct output *output, const struct summary *summary,
                   struct generation *generation)
{
	struct entry *manifest = ARENA_ARRAY(arena, struct entry, output->machine_count);
	struct entry *sets = ARENA_ARRAY(arena, struct entry, output->set_count);

	for (size_t i = 0; i < output->machine_count; i++)
		manifest[i] = (struct entry){output->machines[i].ruleset->digest, output->machines[i].machine->name};
	for (size_t i = 0; i < output->set_count; i++)
		sets[i] = (struct entry){output->sets[i].digest, output->sets[i].name};
	*generation = (struct generation){
		.manifest = manifest,
		.machine_count = output->machine_count,
		.sets = sets,
		.set_count = output->set_count,
		.summary = *summary,
	};
	generation_digest(arena, generation);
}

bool generation_same(const struct generation *a, const struct generation *b)
{
	return digest_eq(&a->digest, &b->digest);
}

/* How many lines a file has. */
static size_t count_lines(struct str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.n; i++)
		count += text.p[i] == '\n';
	return count;
}

static struct error *bad_line(const char *file, size_t line)
{
	return error_new(ERROR_SURROUNDINGS, "%s, line %zu: this is not what fleetwall wrote", file, line);
}

/* Cuts the next line, which must end with a newline. */
static bool cut_line(struct str *rest, struct str *line)
{
	size_t end = str_find(*rest, '\n');

	if (end == rest->n)
		return false;
	*line = str_slice(*rest, 0, end);
	*rest = str_slice(*rest, end + 1, rest->n);
	return true;
}

static bool parse_entry(struct str line, struct entry *entry)
{
	entry->name = str_slice(line, 66, line.n);
	return digest_parse(str_slice(line, 0, 64), &entry->digest) && str_eq(str_slice(line, 64, 66), STR("  ")) &&
	       disk_name_ok(entry->name);
}

static struct error *parse_entries(struct arena *arena, const char *file, struct str text, struct entry **entries,
                                   size_t *count)
{
	struct entry *parsed = ARENA_ARRAY(arena, struct entry, count_lines(text));
	size_t n = 0;
	struct str line;

	for (; text.n > 0; n++) {
		if (!cut_line(&text, &line) || !parse_entry(line, &parsed[n]) ||
		    (n > 0 && str_cmp(parsed[n - 1].name, parsed[n].name) >= 0))
			return bad_line(file, n + 1);
	}
	*entries = parsed;
	*count = n;
	return NULL;
}

/* A summary while it is read: every line but those of roles is there once. */
struct reading {
	struct generation *generation;
	unsigned seen;
};

enum { SEEN_CLOCK = 1, SEEN_DIGEST = 2, SEEN_MACHINES = 4, SEEN_RULES = 8, SEEN_ALL = 15 };

static bool parse_clock(struct str s, int64_t *clock)
{
	bool negative = str_starts(s, STR("-"));
	uint64_t number;

	if (!str_number(negative ? str_slice(s, 1, s.n) : s, (uint64_t)INT64_MAX + negative, &number))
		return false;
	*clock = negative ? (int64_t)(0 - number) : (int64_t)number;
	return true;
}

static bool parse_size(struct str s, size_t *size)
{
	uint64_t number;

	if (!str_number(s, SIZE_MAX, &number))
		return false;
	*size = (size_t)number;
	return true;
}

static bool parse_role(struct str s, struct summary *summary)
{
	struct role_size *role = &summary->roles[summary->role_count];
	size_t blank = str_find(s, ' ');

	role->role = str_slice(s, 0, blank);
	if (blank == 0 || blank == s.n || !parse_size(str_slice(s, blank + 1, s.n), &role->members))
		return false;
	return summary->role_count == 0 || str_cmp(role[-1].role, role->role) < 0;
}

static bool parse_summary_line(struct reading *reading, struct str line)
{
	struct summary *summary = &reading->generation->summary;
	size_t blank = str_find(line, ' ');
	struct str key = str_slice(line, 0, blank), value = str_slice(line, blank + 1, line.n);

	if (str_is(key, "role")) {
		bool ok = parse_role(value, summary);

		summary->role_count += ok;
		return ok;
	}
	if (str_is(key, "clock")) {
		reading->seen |= SEEN_CLOCK;
		return parse_clock(value, &summary->clock);
	}
	if (str_is(key, "digest")) {
		reading->seen |= SEEN_DIGEST;
		return digest_parse(value, &reading->generation->digest);
	}
	if (str_is(key, "machines")) {
		reading->seen |= SEEN_MACHINES;
		return parse_size(value, &summary->machines);
	}
	reading->seen |= SEEN_RULES;
	return str_is(key, "rules") && parse_size(value, &summary->rules);
}

static struct error *parse_summary(struct arena *arena, struct str text, struct generation *generation)
{
	struct reading reading = {.generation = generation};
	struct str line;

	generation->summary.roles = ARENA_ARRAY(arena, struct role_size, count_lines(text));
	for (size_t n = 1; text.n > 0; n++)
		if (!cut_line(&text, &line) || !parse_summary_line(&reading, line))
			return bad_line("summary", n);
	return reading.seen == SEEN_ALL ? NULL : error_new(ERROR_SURROUNDINGS, "summary: lines are missing");
}

static struct error *read_generation(struct arena *arena, int folder, struct generation *generation)
{
	struct str manifest, sets, summary;

	TRY(disk_read(arena, folder, "manifest", &manifest));
	TRY(disk_read(arena, folder, "sets", &sets));
	TRY(disk_read(arena, folder, "summary", &summary));
	TRY(parse_entries(arena, "manifest", manifest, &generation->manifest, &generation->machine_count));
	TRY(parse_entries(arena, "sets", sets, &generation->sets, &generation->set_count));
	TRY(parse_summary(arena, summary, generation));
	struct digest digest = digest_of_lists(manifest, sets);

	if (!digest_eq(&digest, &generation->digest))
		return error_new(ERROR_SURROUNDINGS, "manifest and sets are not those that were published");
	return NULL;
}

/* Where `current` leads. `target` stays empty when nothing was ever published. */
static struct error *read_current(const char *path, char target[64], uint64_t *number)
{
	char link[4200];
	size_t length = 0;
	struct str found;

	if (snprintf(link, sizeof link, "%s/current", path) >= (int)sizeof link)
		return error_new(ERROR_SURROUNDINGS, "the path is too long");
	errno = 0;
	if (!disk_link_target(AT_FDCWD, link, target, 64, &length) && errno != ENOENT)
		return error_errno("can't read the link current");
	target[length] = '\0';
	found = str_of(target);
	if (length > 0 && !(str_starts(found, STR("generations/")) &&
	                    str_number(str_slice(found, 12, found.n), UINT64_MAX - 1, number)))
		return error_new(ERROR_SURROUNDINGS, "current leads to %s, which is no generation", target);
	return NULL;
}

static struct error *read_published(struct arena *arena, const char *path, struct generation *generation)
{
	char target[64], folder_path[4200];

	TRY(read_current(path, target, &generation->number));
	if (target[0] == '\0')
		return NULL;
	snprintf(folder_path, sizeof folder_path, "%s/%s", path, target);
	int folder = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return error_errno("can't open the folder %s", target);
	struct error *error = read_generation(arena, folder, generation);

	(void)close(folder);
	return error_in(error, "%s", target);
}

struct error *generation_read(struct arena *arena, struct str output, struct generation *generation)
{
	const char *path = str_c(arena, output);

	*generation = (struct generation){0};
	return error_hint(error_in(read_published(arena, path, generation), "output folder %s", path),
	                  "the published generation is damaged; move `current` away and generate again: everything is "
	                  "written anew");
}

size_t entries_compare(struct arena *arena, const struct entry *before, size_t before_count, const struct entry *after,
                       size_t after_count, struct difference **differences)
{
	struct difference *found = ARENA_ARRAY(arena, struct difference, before_count + after_count);
	size_t count = 0, i = 0, j = 0;

	while (i < before_count || j < after_count) {
		int order = i == before_count ? 1 : j == after_count ? -1 : str_cmp(before[i].name, after[j].name);

		if (order < 0)
			found[count++] = (struct difference){'-', before[i++].name};
		else if (order > 0)
			found[count++] = (struct difference){'+', after[j++].name};
		else if (!digest_eq(&before[i++].digest, &after[j++].digest))
			found[count++] = (struct difference){'~', after[j - 1].name};
	}
	*differences = found;
	return count;
}
