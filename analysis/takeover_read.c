/* Which files are what: rules of one family or the other, or sets; and whose. What they say is read by filter_read.c.
 * It only looks at as much of a text as tells its kind. */
#include <stdlib.h>

#include "fleetwall/buf.h"
#include "fleetwall/names.h"
#include "takeover.h"

enum { SETS_NAMED = 5 }; /* of those that are not there */

/* --- the kind of a text --- */

static bool has_word(struct str text, struct str word)
{
	for (size_t i = 0; i + word.n <= text.n; i++)
		if (text.p[i] == word.p[0] && str_starts(str_slice(text, i, text.n), word))
			return true;
	return false;
}

static struct str first_line(struct str text)
{
	struct str line;

	while (text.p != NULL && str_cut(&text, '\n', &line)) {
		line = str_trim(line);
		if (line.n > 0 && line.p[0] != '#')
			return line;
	}
	return STR("");
}

/* ipset save of a host without sets is empty. */
static bool holds_sets(struct str text)
{
	static const struct str words[] = {{"create ", 7}, {"add ", 4}, {"-exist ", 7}, {"-N ", 3}, {"flush", 5}};
	struct str line = first_line(text);

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_starts(line, words[i]))
			return true;
	return line.n == 0 && !has_word(text, STR("tables-save"));
}

/* 0: the line says nothing of a family. */
static int family_of_line(struct str line)
{
	struct str word, rest = line;
	bool address = false;

	if (str_starts(line, STR("#")))
		return has_word(line, STR("ip6tables")) ? 6 : has_word(line, STR("iptables")) ? 4 : 0;
	while (str_cut(&rest, ' ', &word)) {
		struct str bare = str_slice(word, 0, str_find(word, '/'));
		struct addr addr;

		if (str_is(word, "ipv6-icmp") || str_is(word, "icmpv6") || str_is(word, "icmp6") ||
		    str_starts(word, STR("icmp6-")) || str_is(word, "--icmpv6-type"))
			return 6;
		if (str_is(word, "icmp") || str_starts(word, STR("icmp-")))
			return 4;
		if (address && addr_parse(bare, &addr))
			return (int)addr.family;
		address = str_is(word, "-s") || str_is(word, "-d") || str_is(word, "--src-range") ||
		          str_is(word, "--dst-range");
	}
	return 0;
}

static int family_of_name(struct str name)
{
	size_t slash = name.n;

	while (slash > 0 && name.p[slash - 1] != '/')
		slash--;
	if (str_ends(name, STR(".v6")) || has_word(str_slice(name, slash, name.n), STR("ip6tables")))
		return 6;
	return str_ends(name, STR(".v4")) ? 4 : 0;
}

static enum family family_of(struct takeover *takeover, const struct takeover_file *file)
{
	struct str rest = file->text, line;
	int family = 0;

	while (family == 0 && rest.p != NULL && str_cut(&rest, '\n', &line))
		family = family_of_line(line);
	if (family == 0)
		family = family_of_name(file->name);
	if (family == 0)
		remark(takeover, (struct place){.file = file->name},
		       "nothing in it tells its family: it is taken for IPv4");
	return family == 6 ? FAMILY_6 : FAMILY_4;
}

/* Whatever the rules are, they are of a table. Otherwise each line would be a fault. */
static struct error *check_rules(const struct takeover_file *file)
{
	struct str line = first_line(file->text);

	if (line.n == 0 || line.p[0] == '*')
		return NULL;
	return error_hint(error_new(ERROR_INPUT, "%.*s is no output of iptables-save, ip6tables-save or ipset save",
	                            STR_ARG(file->name)),
	                  "it would begin with a table, as *filter; iptables -S and iptables -L print something else");
}

/* --- hosts --- */

static size_t count_lines(struct str text)
{
	size_t count = 1;

	for (size_t i = 0; i < text.n; i++)
		count += text.p[i] == '\n';
	return count;
}

static struct error *add_text(struct takeover *takeover, struct host *host, const struct takeover_file *file)
{
	struct text *text = &host->texts[host->text_count++];
	enum family family;

	*text = (struct text){.name = file->name, .bytes = file->text, .kind = TEXT_SETS};
	text->line_count = count_lines(file->text);
	text->lines = ARENA_ARRAY(takeover->arena, struct line, text->line_count + 1);
	if (holds_sets(file->text))
		return NULL;
	TRY(check_rules(file));
	family = family_of(takeover, file);
	text->kind = family == FAMILY_6 ? TEXT_RULES_6 : TEXT_RULES_4;
	if (host->rules[family == FAMILY_6] != NULL)
		return error_hint(error_new(ERROR_INPUT, "%.*s has the rules of IPv%d twice: %.*s and %.*s",
		                            STR_ARG(host->name), family, STR_ARG(host->rules[family == FAMILY_6]->name),
		                            STR_ARG(file->name)),
		                  "one file for each family, and any number with sets");
	host->rules[family == FAMILY_6] = text;
	return NULL;
}

static struct error *read_sets(struct takeover *takeover, struct host *host, bool *given)
{
	struct filter_text *texts = ARENA_ARRAY(takeover->arena, struct filter_text, host->text_count);
	size_t count = 0;

	for (size_t i = 0; i < host->text_count; i++)
		if (host->texts[i].kind == TEXT_SETS)
			texts[count++] = (struct filter_text){host->texts[i].name, host->texts[i].bytes};
	*given = count > 0;
	TRY(filter_sets_read(takeover->arena, texts, count, true, &host->sets));
	host->networks = ARENA_ARRAY(takeover->arena, struct network_of_set, host->sets.count);
	for (size_t i = 0; i < host->sets.count; i++)
		host->networks[i].set = &host->sets.sets[i];
	return NULL;
}

/* --- sets that rules of other tables change ---
 *
 * The reader knows those of the filter table. A raw or mangle rule that adds to a set does so before the filter looks:
 * who is in it then, nobody knows here. */

static bool changes_sets(struct str option)
{
	return str_is(option, "--add-set") || str_is(option, "--del-set") || str_is(option, "--map-set");
}

static void unsettle(struct takeover *takeover, struct host *host, const struct text *text, unsigned line,
                     struct str name)
{
	for (size_t i = 0; i < host->sets.count; i++) {
		struct filter_set *set = &host->sets.sets[i];
		bool list = str_is(set->type, "list:set");

		if (!set->modelled || !(list || str_eq(set->name, name)))
			continue;
		set->modelled = false;
		remark(takeover, (struct place){.file = text->name, .line = line},
		       "this rule changes set %.*s while packets come: who is in set %.*s is taken for unknown",
		       STR_ARG(name), STR_ARG(set->name));
	}
}

/* The name behind such an option may be in quotes. */
static void unsettle_line(struct takeover *takeover, struct host *host, const struct text *text, unsigned number,
                          struct str line)
{
	bool behind = false;
	struct str word;

	while (str_cut(&line, ' ', &word)) {
		if (behind && word.n >= 2 && word.p[0] == '"' && word.p[word.n - 1] == '"')
			word = str_slice(word, 1, word.n - 1);
		if (behind && word.n > 0)
			unsettle(takeover, host, text, number, word);
		behind = changes_sets(word) || (behind && word.n == 0);
	}
}

static void unsettle_sets(struct takeover *takeover, struct host *host)
{
	for (size_t i = 0; i < host->text_count; i++) {
		struct str rest = host->texts[i].bytes, line;
		bool filter = false;

		if (host->texts[i].kind == TEXT_SETS)
			continue;
		for (unsigned number = 1; rest.p != NULL && str_cut(&rest, '\n', &line); number++) {
			line = str_trim(line);
			if (line.n > 0 && line.p[0] == '*')
				filter = str_is(str_trim(str_slice(line, 1, line.n)), "filter");
			else if (!filter && line.n > 0 && line.p[0] != '#' && line.p[0] != ':')
				unsettle_line(takeover, host, &host->texts[i], number, line);
		}
	}
}

/* --- sets that no file has --- */

static void add_names(struct names *names, const struct filter_chain *chain)
{
	for (size_t i = 0; i < chain->rule_count; i++)
		for (size_t k = 0; k < chain->rules[i].match_count; k++) {
			const struct match *match = &chain->rules[i].matches[k];

			if (match->name.n > 0 && (match->kind == MATCH_SET || match->kind == MATCH_CONDITION))
				(void)names_add(names, match->name);
		}
}

/* Nobody knows then who is in them: one word for the machine, before the lines that are left out for it. */
static void remark_sets(struct takeover *takeover, const struct host *host)
{
	struct names *names = names_new(takeover->arena);
	struct buf buf = buf_new(takeover->arena);
	uint32_t count;

	for (unsigned i = 0; i < 2; i++)
		for (size_t k = 0; host->filters[i] != NULL && k < host->filters[i]->chain_count; k++)
			add_names(names, &host->filters[i]->chains[k]);
	count = names_count(names);
	for (uint32_t i = 0; i < count && i < SETS_NAMED; i++)
		buf_format(&buf, "%s%.*s", i == 0 ? "" : ", ", STR_ARG(names_get(names, i)));
	if (count > SETS_NAMED)
		buf_format(&buf, ", and %u more", count - SETS_NAMED);
	if (count > 0)
		remark_error(takeover,
		             error_hint(error_new(ERROR_INPUT, "%.*s: its rules name sets (%.*s) that no file has",
		                                  STR_ARG(host->name), STR_ARG(buf_str(&buf))),
		                        "give what `ipset save` prints as %.*s=FILE, too", STR_ARG(host->name)));
}

/* --- a host --- */

static struct error *read_host(struct takeover *takeover, struct host *host)
{
	struct error *errors = NULL;
	bool given;

	errors = read_sets(takeover, host, &given);
	if (errors == NULL)
		unsettle_sets(takeover, host);
	for (unsigned i = 0; i < 2 && errors == NULL; i++)
		if (host->rules[i] != NULL)
			error_collect(&errors, filter_read(takeover->arena, i == 1 ? FAMILY_6 : FAMILY_4,
			                                   host->rules[i]->name, host->rules[i]->bytes,
			                                   given ? &host->sets : NULL, &host->filters[i]));
	if (errors == NULL && !given)
		remark_sets(takeover, host);
	if (errors == NULL && host->rules[0] == NULL && host->rules[1] == NULL)
		errors = error_hint(error_new(ERROR_INPUT, "%.*s has no rules", STR_ARG(host->name)),
		                    "give what iptables-save prints, ip6tables-save and ipset save beside it");
	for (unsigned i = 0; i < 2 && errors == NULL; i++)
		if (host->filters[i] != NULL && filter_chain(host->filters[i], STR("INPUT")) == NULL)
			remark(takeover, (struct place){.file = host->rules[i]->name},
			       "there is no filter table in it: nothing is let in");
		else if (host->rules[i] == NULL)
			remark(takeover, (struct place){0},
			       "%.*s: the rules of IPv%d were not given: nothing of it is let in",
			       STR_ARG(host->name), i == 1 ? 6 : 4);
	return errors;
}

static int host_order(const void *a, const void *b)
{
	return str_cmp(((const struct host *)a)->name, ((const struct host *)b)->name);
}

static struct error *make_hosts(struct takeover *takeover, const struct takeover_file *files, size_t count)
{
	struct names *names = names_new(takeover->arena);
	struct error *errors = NULL;

	for (size_t i = 0; i < count; i++) {
		struct str name = str_lower(takeover->arena, files[i].machine);
		uint32_t number = names_add(names, name);
		struct error *error = number == takeover->host_count ? machine_name_check(name) : NULL;

		if (number == takeover->host_count) {
			takeover->hosts[takeover->host_count++] =
				(struct host){.name = name, .texts = ARENA_ARRAY(takeover->arena, struct text, count)};
			error_collect(&errors, error);
		}
		error_collect(&errors, add_text(takeover, &takeover->hosts[number], &files[i]));
	}
	return errors;
}

struct error *takeover_read(struct arena *arena, const struct takeover_file *files, size_t count,
                            struct takeover **result)
{
	struct takeover *takeover = ARENA_NEW(arena, struct takeover);
	struct error *errors = NULL;

	*takeover = (struct takeover){
		.arena = arena, .hosts = ARENA_ARRAY(arena, struct host, count), .bound = PACKETS_WORK_MOST};
	*result = takeover;
	TRY(make_hosts(takeover, files, count));
	if (takeover->host_count > 1)
		qsort(takeover->hosts, takeover->host_count, sizeof *takeover->hosts, host_order);
	for (size_t i = 0; i < takeover->host_count; i++)
		error_collect(&errors, read_host(takeover, &takeover->hosts[i]));
	return errors;
}
