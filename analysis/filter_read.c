/* The text of a filter table, line by line: tables, chains, commands. What a rule says is read in filter_read_rule.c.
 * Lines of other tables are counted and passed over; no line that is not understood is. */
#include "filter_match.h"

#include <stdarg.h>
#include <stdio.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/names.h"

/* --- faults --- */

void reader_fault(struct reader *reader, unsigned column, const char *hint, const char *format, ...)
{
	char message[512];
	struct error *error;
	va_list arguments;

	if (reader->fault_count++ >= FAULTS_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	error = error_new(ERROR_INPUT, "%s", message);
	if (hint != NULL)
		error = error_hint(error, "%s", hint);
	error = error_at(error, (struct place){reader->file, reader->number, column, str_slice(reader->line, 0, 500)});
	error_collect(&reader->faults, error);
}

/* --- chains --- */

struct chain_entry *find_chain(struct reader *reader, struct str name)
{
	uint32_t number = names_find(reader->names, name);

	return number == NAMES_NONE || !reader->chains.items[number].there ? NULL : &reader->chains.items[number];
}

bool is_builtin(struct str name)
{
	return str_is(name, "INPUT") || str_is(name, "FORWARD") || str_is(name, "OUTPUT");
}

struct chain_entry *make_chain(struct reader *reader, struct str name)
{
	uint32_t number = names_keep(reader->names, name);
	bool dropped;

	if (number == reader->chains.count)
		APPEND(reader->arena, &reader->chains, (struct chain_entry){0});
	dropped = reader->chains.items[number].dropped;
	reader->chains.items[number] = (struct chain_entry){
		.name = name,
		.line = reader->number,
		.there = true,
		.dropped = dropped,
		.builtin = is_builtin(name),
		.policy = is_builtin(name) ? TARGET_ACCEPT : TARGET_NONE,
	};
	return &reader->chains.items[number];
}

static bool is_target(struct str name, enum family family)
{
	const struct extension *target = extension_target(name, family);

	return target != NULL && !target->open;
}

bool name_fits(struct reader *reader, const struct word *word)
{
	if (word->text.n == 0 || word->text.n > CHAIN_NAME_MAX)
		reader_fault(reader, word->column, "shorten it", "the name of a chain has 1 to %d bytes",
		             CHAIN_NAME_MAX);
	else if (word->text.p[0] == '-' || word->text.p[0] == '!')
		reader_fault(reader, word->column, NULL, "the name of a chain does not begin with %c", word->text.p[0]);
	else if (str_find(word->text, ' ') < word->text.n || str_has_control(word->text))
		reader_fault(reader, word->column, NULL, "the name of a chain has no blanks");
	else if (is_target(word->text, reader->family))
		reader_fault(reader, word->column, "choose another", "%.*s is the name of a target",
		             STR_ARG(word->text));
	else
		return true;
	return false;
}

/* The chain that a command speaks of. The kernel's own are there without being declared. */
struct chain_entry *chain_of(struct reader *reader, const struct word *word)
{
	struct chain_entry *chain = find_chain(reader, word->text);

	if (chain == NULL && is_builtin(word->text))
		return make_chain(reader, word->text);
	if (chain == NULL)
		reader_fault(reader, word->column, "declare it with a line that begins with a colon",
		             "there is no chain %.*s", STR_ARG(word->text));
	return chain;
}

void set_policy(struct reader *reader, struct chain_entry *chain, const struct word *word)
{
	if (!chain->builtin)
		reader_fault(reader, word->column, "write - for it", "only INPUT, FORWARD and OUTPUT have a policy");
	else if (str_is(word->text, "ACCEPT"))
		chain->policy = TARGET_ACCEPT;
	else if (str_is(word->text, "DROP"))
		chain->policy = TARGET_DROP;
	else
		reader_fault(reader, word->column, "ACCEPT or DROP", "\"%.*s\" is no policy", STR_ARG(word->text));
	chain->dropped = false;
}

static bool is_counters(struct str text)
{
	struct str inner = str_slice(text, 1, text.n - 1);
	size_t colon = str_find(inner, ':');
	uint64_t number;

	return text.n > 2 && text.p[0] == '[' && text.p[text.n - 1] == ']' &&
	       str_number(str_slice(inner, 0, colon), UINT64_MAX, &number) && colon < inner.n &&
	       str_number(str_slice(inner, colon + 1, inner.n), UINT64_MAX, &number);
}

/* ":INPUT DROP [0:0]": the chain is there. One of ours is empty then; the kernel's own keep what they have. */
static void declare(struct reader *reader, struct words *words)
{
	struct word *name = &words->items[0], *policy = &words->items[1];
	struct chain_entry *chain;

	if (words->count < 2) {
		reader_fault(reader, 0, "write :CHAIN POLICY [0:0], with - where it has none",
		             "a chain without a policy");
		return;
	}
	if (name->quoted)
		reader_fault(reader, name->column, "write it without", "the name of a chain in quotation marks");
	if (name->quoted || !name_fits(reader, name))
		return;
	chain = find_chain(reader, name->text);
	if (chain == NULL)
		chain = make_chain(reader, name->text);
	if (!chain->builtin)
		chain->rules.count = 0;
	if (!str_is(policy->text, "-"))
		set_policy(reader, chain, policy);
}

/* "[12:3456] -A …": the counters that iptables-save -c prints. */
static void rule_line(struct reader *reader, struct str text)
{
	struct words words;
	size_t offset = 0;

	if (text.n > 0 && text.p[0] == '[') {
		offset = str_find(text, ']') + 1;
		if (!is_counters(str_slice(text, 0, offset))) {
			reader_fault(reader, 1, "write [PACKETS:BYTES], or nothing", "no counters");
			return;
		}
	}
	if (!words_read(reader, str_slice(text, offset, text.n), offset, &words))
		return;
	if (words.count == 0)
		reader_fault(reader, 0, NULL, "a rule was expected");
	else
		command_run(reader, &words);
}

/* --- lines --- */

enum where { OUTSIDE, IN_FILTER, IN_FOREIGN };

struct lines {
	struct reader *reader;
	enum where where;
	size_t foreign;
};

static bool is_table(struct str name)
{
	static const char *const tables[] = {"filter", "nat", "mangle", "raw", "security"};

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		if (str_is(name, tables[i]))
			return true;
	return false;
}

/* A second filter table replaces the first, as a second restore would. */
static void begin_table(struct lines *lines, struct str name)
{
	struct reader *reader = lines->reader;

	if (lines->where != OUTSIDE)
		reader_fault(reader, 1, "a table ends with a line COMMIT", "a table begins inside another");
	if (name.n == 0 || name.n > 31 || str_find(name, ' ') < name.n) {
		reader_fault(reader, 1, "write *filter", "a table needs its name");
		return;
	}
	lines->where = str_is(name, "filter") ? IN_FILTER : IN_FOREIGN;
	if (!is_table(name))
		reader_fault(reader, 1, "filter, nat, mangle, raw or security", "there is no table %.*s",
		             STR_ARG(name));
	if (lines->where != IN_FILTER)
		return;
	for (size_t i = 0; i < reader->chains.count; i++) {
		struct chain_entry *chain = &reader->chains.items[i];

		chain->dropped |= chain->there && chain->builtin && chain->policy == TARGET_DROP;
		chain->there = false;
	}
}

/* Where a second table does not name it, iptables-legacy keeps the policy, and iptables-nft goes back to ACCEPT. */
static void check_policies(struct reader *reader)
{
	for (size_t i = 0; i < reader->chains.count; i++)
		if (reader->chains.items[i].dropped)
			reader_fault(reader, 0, "name it in the last filter table as well",
			             "the policy of %.*s may be DROP, as a table before has it, or ACCEPT",
			             STR_ARG(reader->chains.items[i].name));
}

static void end_table(struct lines *lines)
{
	if (lines->where == OUTSIDE)
		reader_fault(lines->reader, 1, "a table begins with its name: *filter", "COMMIT without a table");
	if (lines->where == IN_FILTER)
		check_policies(lines->reader);
	lines->where = OUTSIDE;
}

static void foreign_line(struct lines *lines, struct str line)
{
	lines->foreign++;
	if (line.p[0] != ':' && line.p[0] != '-' && line.p[0] != '[')
		reader_fault(lines->reader, 1, "a rule begins with -A and its chain",
		             "this is no line of a table of rules");
}

static void filter_line(struct lines *lines, struct str line)
{
	struct words words;

	if (line.p[0] != ':')
		rule_line(lines->reader, line);
	else if (words_read(lines->reader, str_slice(line, 1, line.n), 1, &words))
		declare(lines->reader, &words);
}

/* What no line may have. */
static bool line_fits(struct reader *reader, struct str line)
{
	if (line.n > LINE_BYTES_MAX)
		reader_fault(reader, 0, NULL, "a line of more than %d bytes", LINE_BYTES_MAX);
	else if (line.p[line.n - 1] == '\r')
		reader_fault(reader, (unsigned)line.n, "write it with the line ends of Unix",
		             "a carriage return at the end of the line");
	else if (str_find(line, '\0') < line.n)
		reader_fault(reader, (unsigned)str_find(line, '\0') + 1, NULL, "a byte of zero");
	else
		return true;
	return false;
}

static void read_line(struct lines *lines, struct str line)
{
	if (line.n == 0 || line.p[0] == '#' || !line_fits(lines->reader, line))
		return;
	if (line.p[0] == '*')
		begin_table(lines, str_trim(str_slice(line, 1, line.n)));
	else if (str_is(line, "COMMIT"))
		end_table(lines);
	else if (lines->where == IN_FILTER)
		filter_line(lines, line);
	else if (lines->where == IN_FOREIGN)
		foreign_line(lines, line);
	else
		reader_fault(lines->reader, 1, "a table begins with its name: *filter", "a line outside of a table");
}

struct error *filter_read(struct arena *arena, enum family family, struct str file, struct str text,
                          const struct filter_sets *sets, struct filter **filter)
{
	struct reader reader = {.arena = arena, .family = family, .file = file, .sets = sets};
	struct lines lines = {.reader = &reader};
	struct str rest = text, line;

	reader.names = names_new(arena);
	reader.line_arena = arena_new();
	while (rest.p != NULL && reader.fault_count < FAULTS_MAX && str_cut(&rest, '\n', &line)) {
		reader.number++;
		reader.line = line;
		read_line(&lines, line);
		arena_reset(reader.line_arena);
	}
	arena_free(reader.line_arena);
	reader.line = STR("");
	if (lines.where != OUTSIDE)
		reader_fault(&reader, 0, "the file may be cut off", "COMMIT was expected before the end");
	*filter = filter_finish(&reader, lines.foreign + reader.passed_over);
	return reader.faults;
}

const struct filter_chain *filter_chain(const struct filter *filter, struct str name)
{
	for (size_t i = 0; i < filter->chain_count; i++)
		if (str_eq(filter->chains[i].name, name))
			return &filter->chains[i];
	return NULL;
}
