/* Recognising lines: the line that stood behind this one last time is compared with what stands there now, and only
 * where it is another one, the line is looked up by a hash of it, and read if it is new. Judges nothing. */
#include "guard_memo.h"

#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/names.h"
#include "guard_lines.h"

__extension__ typedef unsigned __int128 product;

static uint64_t load(const char *p, size_t n)
{
	uint64_t word = 0;

	memcpy(&word, p, n);
	return word;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	product both = (product)a * b;

	return (uint64_t)both ^ (uint64_t)(both >> 64);
}

/* Equal lines are compared byte by byte, so this need not be strong, but quick: 16 bytes at a time, of which the next
 * do not wait for the last. */
static uint64_t hash_line(struct str line)
{
	const uint64_t odd = 0x9e3779b97f4a7c15, other = 0xd1b54a32d192ed03;
	uint64_t hash = line.n * odd;
	size_t at = 0;

	for (; at + 16 <= line.n; at += 16)
		hash += mix(load(line.p + at, 8) ^ (odd + at), load(line.p + at + 8, 8) ^ (other - at));
	size_t left = line.n - at, half = left < 8 ? left : 8;

	hash += mix(load(line.p + at, half) ^ odd, load(line.p + at + half, left - half) ^ other);
	return mix(hash ^ odd, other);
}

struct scope scope_of(const struct ruleset *ruleset, size_t file)
{
	return (struct scope){file, ruleset->mode, ruleset->enforcement, ruleset->ssh_port};
}

struct memo *memo_new(struct arena *arena, const struct scope *scope)
{
	struct memo *memo = ARENA_NEW(arena, struct memo);

	memo->arena = arena;
	memo->scope = *scope;
	memo->capacity = 1024;
	memo->slots = ARENA_ARRAY(arena, struct known_line *, memo->capacity);
	memo->hashes = ARENA_ARRAY(arena, uint64_t, memo->capacity);
	memo->chains = names_new(arena);
	memo->bytes = sizeof *memo + memo->capacity * (sizeof *memo->slots + sizeof *memo->hashes);
	return memo;
}

/* --- what a line means --- */

static uint32_t chain_number(struct memo *memo, struct str name)
{
	uint32_t chain = names_add(memo->chains, name);

	while (chain >= memo->declared_capacity)
		memo->declared = arena_grow(memo->arena, memo->declared, memo->declared_capacity,
		                            &memo->declared_capacity, sizeof *memo->declared,
		                            _Alignof(struct declared));
	return chain;
}

/* ":INPUT DROP [0:0]": the name ends at a blank, and so does the policy. */
static void read_declaration(struct memo *memo, struct known_line *line, struct str text)
{
	size_t end = 1;

	line->kind = LINE_CHAIN;
	while (end < text.n && text.p[end] != ' ' && text.p[end] != '\t')
		end++;
	if (end == text.n || end == 1)
		return; /* declares nothing */
	line->home = chain_number(memo, str_slice(text, 1, end));
	struct str policy = str_trim(str_slice(text, end, text.n));

	line->accepts = str_is(str_slice(policy, 0, str_find(policy, ' ')), "ACCEPT");
}

static bool cut_chain(struct str line, struct str *chain)
{
	if (!str_starts(line, STR("-A ")))
		return false;
	struct str rest = str_slice(line, 3, line.n);

	*chain = str_slice(rest, 0, str_find(rest, ' '));
	return chain->n > 0 && str_find(*chain, '"') == chain->n;
}

static enum line_walk walk_of(const struct scope *scope, struct str chain)
{
	bool shared = scope->mode == MODE_COEXIST;

	if (scope->enforcement == ENFORCEMENT_MONITOR)
		return WALK_NONE;
	if (str_is(chain, shared ? "fleetwall-input" : "INPUT"))
		return WALK_IN;
	return str_is(chain, shared ? "fleetwall-output" : "OUTPUT") ? WALK_OUT : WALK_NONE;
}

/* Every target of a monitored machine lets the packet go on, returns, or is a chain of the same file. */
static enum line_harm harm_of(const struct line_match *match)
{
	if (match->odd)
		return HARM_ALWAYS;
	if (match->effect != LINE_REFUSES)
		return HARM_NONE;
	return match->target.n > 0 ? HARM_UNLESS_DECLARED : HARM_ALWAYS;
}

static void read_rule(struct memo *memo, struct known_line *line, struct str text, struct str chain)
{
	enum line_walk walk = walk_of(&memo->scope, chain);
	struct ssh_packet packet = {
		.outbound = walk == WALK_OUT,
		.port = memo->scope.port,
		.family = memo->scope.file == 0 ? FAMILY_4 : FAMILY_6,
	};
	struct line_match *match = ARENA_NEW(memo->arena, struct line_match);

	line->kind = LINE_RULE;
	line->walk = walk;
	line->home = chain_number(memo, chain);
	line_match_read(text, &packet, match);
	line->match = match;
	line->harm = harm_of(match);
	if (match->target.n > 0)
		line->target = chain_number(memo, match->target);
}

/* What a monitored machine's chain does at its end. */
static bool policy_refuses(struct str text)
{
	struct str policy = str_slice(text, str_find(text, ' ') + 1, text.n);

	return !str_starts(policy, STR("- ")) && !str_is(policy, "-") && !str_starts(policy, STR("ACCEPT"));
}

static void read_line(struct memo *memo, struct known_line *line, struct str text)
{
	struct str chain;

	line->kind = LINE_ODD;
	line->home = line->target = CHAIN_NONE;
	line->has_form = text.n > 0 && text.p[0] == '-';
	if (text.n == 0 || text.p[0] == '#')
		line->kind = LINE_NOTHING;
	else if (str_is(text, "*filter"))
		line->kind = LINE_FILTER;
	else if (text.p[0] == '*')
		line->kind = LINE_TABLE;
	else if (str_is(text, "COMMIT"))
		line->kind = LINE_COMMIT;
	else if (text.p[0] == ':')
		read_declaration(memo, line, text);
	else if (cut_chain(text, &chain))
		read_rule(memo, line, text, chain);
	if (line->kind == LINE_TABLE || line->kind == LINE_ODD || (line->kind == LINE_CHAIN && policy_refuses(text)))
		line->harm = HARM_ALWAYS;
}

static struct known_line *learn(struct memo *memo, struct str text)
{
	struct known_line *line = arena_alloc(memo->arena, sizeof *line + text.n + 1);

	line->n = text.n;
	memcpy(line->text, text.p, text.n);
	line->text[text.n] = '\n';
	read_line(memo, line, (struct str){line->text, line->n});
	memo->bytes += sizeof *line + text.n + 1;
	return line;
}

/* --- recognising --- */

/* Where the line is, or where it belongs. */
static size_t slot_of(const struct memo *memo, uint64_t hash, struct str text)
{
	size_t at = (size_t)hash & (memo->capacity - 1);

	while (memo->slots[at] != NULL && (memo->hashes[at] != hash || memo->slots[at]->n != text.n ||
	                                   memcmp(memo->slots[at]->text, text.p, text.n) != 0))
		at = (at + 1) & (memo->capacity - 1);
	return at;
}

static void grow(struct memo *memo)
{
	struct memo old = *memo;

	memo->capacity *= 2;
	memo->slots = ARENA_ARRAY(memo->arena, struct known_line *, memo->capacity);
	memo->hashes = ARENA_ARRAY(memo->arena, uint64_t, memo->capacity);
	memo->bytes += memo->capacity * (sizeof *memo->slots + sizeof *memo->hashes);
	for (size_t i = 0; i < old.capacity; i++) {
		size_t at = (size_t)old.hashes[i] & (memo->capacity - 1);

		if (old.slots[i] == NULL)
			continue;
		while (memo->slots[at] != NULL)
			at = (at + 1) & (memo->capacity - 1);
		memo->slots[at] = old.slots[i];
		memo->hashes[at] = old.hashes[i];
	}
}

static struct known_line *look_up(struct memo *memo, struct str text)
{
	uint64_t hash = hash_line(text);
	size_t at = slot_of(memo, hash, text);

	if (memo->slots[at] != NULL)
		return memo->slots[at];
	if (2 * memo->count >= memo->capacity) {
		grow(memo);
		at = slot_of(memo, hash, text);
	}
	memo->count++;
	memo->hashes[at] = hash;
	return memo->slots[at] = learn(memo, text);
}

/* Cuts a line off the front of `rest`, which is not empty. `guess` is what is expected there, and learns. */
static struct known_line *next_line(struct memo *memo, struct known_line **guess, struct str *rest)
{
	struct known_line *line = *guess;

	if (line == NULL || rest->n <= line->n || memcmp(rest->p, line->text, line->n + 1) != 0) {
		struct str text = str_slice(*rest, 0, str_find(*rest, '\n'));

		line = *guess = look_up(memo, text);
	}
	*rest = str_slice(*rest, line->n + 1, rest->n);
	return line;
}

static void keep_line(struct arena *arena, struct scan *scan, struct known_line *line)
{
	struct declared *declared;

	if (line->walk != WALK_NONE)
		APPEND(arena, &scan->walks[line->walk], (uint32_t)scan->count);
	if (line->kind == LINE_CHAIN && line->home != CHAIN_NONE) {
		declared = &scan->memo->declared[line->home];
		declared->scan = scan->memo->scan;
		declared->accepts = line->accepts;
	}
	if (scan->count == scan->capacity)
		scan->lines = arena_grow(arena, scan->lines, scan->count, &scan->capacity, sizeof *scan->lines,
		                         _Alignof(struct known_line *));
	scan->lines[scan->count++] = line;
}

void memo_scan(struct arena *arena, struct memo *memo, const struct ruleset *ruleset, struct scan *scan)
{
	struct str rest = ruleset->rules[memo->scope.file];
	struct known_line **guess = &memo->first;

	scan->memo = memo;
	scan->ruleset = ruleset;
	scan->file = memo->scope.file;
	scan->count = scan->walks[WALK_IN].count = scan->walks[WALK_OUT].count = 0;
	memo->scan++;
	while (rest.n > 0) {
		struct known_line *line = next_line(memo, guess, &rest);

		keep_line(arena, scan, line);
		guess = &line->follower;
	}
}

bool scan_declares_name(const struct scan *scan, struct str chain, bool *accepts)
{
	uint32_t number = names_find(scan->memo->chains, chain);

	if (number == NAMES_NONE || !scan_declares(scan, number))
		return false;
	*accepts = scan->memo->declared[number].accepts;
	return true;
}
