/* A filter table as text, ours or what iptables-save printed: chains, and rules by chain. Comments, counters and the
 * lines around a table mean nothing; lines that are none of all that are kept apart. */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "drift_parts.h"
#include "fleetwall/arena.h"

static struct str without_last_word(struct str line, struct str word)
{
	return str_trim(str_slice(line, 0, word.n > 0 ? (size_t)(word.p - line.p) : line.n));
}

/* ":INPUT DROP [0:0]" */
static void add_chain(struct arena *arena, const struct table_names *names, struct str line, unsigned number,
                      struct table *table)
{
	struct str rest = str_slice(line, 1, line.n), name, policy = STR(""), counters = STR("");
	struct table_chain chain = {.number = number};

	str_cut(&rest, ' ', &name);
	str_cut(&rest, ' ', &policy);
	str_cut(&rest, ' ', &counters);
	chain.chain = names_add(names->chains, name);
	chain.policy = policy;
	chain.line = without_last_word(line, counters);
	APPEND(arena, &table->chains, chain);
}

static bool add_rule(struct arena *arena, const struct table_names *names, struct str line, unsigned number,
                     struct table *table)
{
	struct canonical canonical;

	if (!drift_canonical(arena, line, &canonical))
		return false;
	struct table_rule rule = {
		.chain = names_add(names->chains, canonical.chain),
		.text = names_add(names->texts, canonical.text),
		.target = canonical.target,
		.line = line,
		.number = number,
	};

	APPEND(arena, &table->rules, rule);
	return true;
}

/* What iptables-save says in a comment when it could not print everything. */
static bool says_nothing(struct str line)
{
	return line.n == 0 || str_is(line, "COMMIT") || str_is(line, "*filter") ||
	       (line.p[0] == '#' && !str_ends(line, STR("use 'nft' tool.")));
}

static_assert(offsetof(struct table_chain, chain) == 0 && offsetof(struct table_rule, chain) == 0,
              "place_of() finds the chain at the beginning");

/* By chain, so that they are found fast, however many a machine says that it has. */
static int chain_order(const void *a, const void *b)
{
	const struct table_chain *left = a, *right = b;

	if (left->chain != right->chain)
		return left->chain < right->chain ? -1 : 1;
	return left->number < right->number ? -1 : left->number > right->number;
}

static int rule_order(const void *a, const void *b)
{
	const struct table_rule *left = a, *right = b;

	if (left->chain != right->chain)
		return left->chain < right->chain ? -1 : 1;
	return left->number < right->number ? -1 : left->number > right->number;
}

void drift_table(struct arena *arena, const struct table_names *names, struct str text, struct table *table)
{
	struct str line;

	*table = (struct table){0};
	for (unsigned number = 1; drift_line(&text, &line); number++) {
		line = str_trim(line);
		if (says_nothing(line))
			continue;
		if (line.p[0] == ':')
			add_chain(arena, names, line, number, table);
		else if (!add_rule(arena, names, line, number, table))
			APPEND(arena, &table->odd, line);
	}
	if (table->chains.count > 1)
		qsort(table->chains.items, table->chains.count, sizeof *table->chains.items, chain_order);
	if (table->rules.count > 1)
		qsort(table->rules.items, table->rules.count, sizeof *table->rules.items, rule_order);
}

/* Chains and rules begin with the number of their chain, and are in its order: the place of the first that is not
 * before this one. */
static size_t place_of(const void *items, size_t size, size_t count, uint32_t chain)
{
	const unsigned char *bytes = items;
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint32_t there;

		memcpy(&there, bytes + middle * size, sizeof there);
		if (there < chain)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct table_rule *table_rules(const struct table *table, uint32_t chain, size_t *count)
{
	size_t first = place_of(table->rules.items, sizeof *table->rules.items, table->rules.count, chain), end;

	for (end = first; end < table->rules.count && table->rules.items[end].chain == chain; end++)
		;
	*count = end - first;
	return *count == 0 ? NULL : table->rules.items + first;
}

const struct table_chain *table_chain(const struct table *table, uint32_t chain)
{
	size_t at = place_of(table->chains.items, sizeof *table->chains.items, table->chains.count, chain);

	return at < table->chains.count && table->chains.items[at].chain == chain ? &table->chains.items[at] : NULL;
}
