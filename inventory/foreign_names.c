/* Names of foreign things become names of ours (SPEC §1): what is not possible becomes `-`, what is alike is told apart
 * by the foreign id. Judges nothing: who asked looks at what came out. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "foreign.h"

#define ROLE_MAX 100
#define MACHINE_MAX 253
#define PART_MAX 63

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool foreign_id_valid(struct str id)
{
	if (id.n == 0 || id.n > FOREIGN_ID_MAX)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];

		if (is_alnum(c) || (c >= 'A' && c <= 'Z') || (i > 0 && (c == '.' || c == '_' || c == '-')))
			continue;
		return false;
	}
	return true;
}

/* Without what is neither letter nor digit at its end. */
static struct str ends_well(struct str s)
{
	while (s.n > 0 && !is_alnum(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Lower case; one `-` for each character that is not among `also`. */
static struct str plain(struct arena *arena, struct str s, const char *also)
{
	struct buf buf = buf_new(arena);

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] - 'A' + 'a') : s.p[i];
		bool fine = is_alnum(c) || (c != '\0' && str_find(str_of(also), c) < str_of(also).n);

		if (fine || ((unsigned char)c & 0xc0) != 0x80)
			buf_char(&buf, fine ? c : '-');
	}
	return buf_str(&buf);
}

static struct str role_name(struct arena *arena, struct str original)
{
	struct str name = plain(arena, original, "._-");

	while (name.n > 0 && !is_alnum(name.p[0]))
		name = str_slice(name, 1, name.n);
	return name;
}

/* Part by part; parts of which nothing is left go. Four numbers are no name, but an address. */
static struct str machine_name(struct arena *arena, struct str original)
{
	struct str rest = plain(arena, original, ".-"), part;
	struct buf buf = buf_new(arena);

	while (str_cut(&rest, '.', &part)) {
		while (part.n > 0 && part.p[0] == '-')
			part = str_slice(part, 1, part.n);
		part = ends_well(part);
		if (part.n > 0 && buf.n > 0)
			buf_char(&buf, '.');
		buf_add(&buf, part);
	}
	for (size_t i = 0; i < buf.n && str_find(buf_str(&buf), '.') < buf.n; i++)
		if (buf.p[i] != '.' && (buf.p[i] < '0' || buf.p[i] > '9'))
			return buf_str(&buf);
	return plain(arena, buf_str(&buf), "-");
}

static bool fits(enum foreign_kind kind, struct str name)
{
	struct str rest = name, part;

	if (kind == FOREIGN_ROLE)
		return name.n <= ROLE_MAX;
	while (str_cut(&rest, '.', &part))
		if (part.n > PART_MAX)
			return false;
	return name.n <= MACHINE_MAX;
}

/* So much of `name` that `more` bytes can follow. Parts in the middle that are too long are cut, too. */
static struct str cut(struct arena *arena, enum foreign_kind kind, struct str name, size_t more)
{
	struct str rest = name, part;
	struct buf buf = buf_new(arena);

	if (kind == FOREIGN_ROLE)
		return ends_well(str_slice(name, 0, ROLE_MAX - more));
	while (str_cut(&rest, '.', &part)) {
		size_t most = rest.p == NULL ? PART_MAX - more : PART_MAX;

		part = ends_well(str_slice(part, 0, most));
		if (buf.n + 1 + part.n + more + PART_MAX > MACHINE_MAX && rest.p != NULL)
			continue;
		if (buf.n > 0)
			buf_char(&buf, '.');
		buf_add(&buf, part);
	}
	return buf_str(&buf);
}

static struct str named(struct arena *arena, enum foreign_kind kind, struct str original)
{
	return kind == FOREIGN_ROLE ? role_name(arena, original) : machine_name(arena, original);
}

static void add_id(struct arena *arena, enum foreign_kind kind, struct foreign_name *thing)
{
	struct str id = ends_well(named(arena, kind, thing->id)), front = cut(arena, kind, thing->name, id.n + 1);

	thing->name = str_format(arena, "%.*s-%.*s", STR_ARG(front), STR_ARG(id));
}

/* How many have each name. */
struct counts {
	struct names *names;
	size_t *of;
};

static struct counts count_names(struct arena *arena, const struct foreign_name *list, size_t count)
{
	struct counts counts = {names_new(arena), ARENA_ARRAY(arena, size_t, count)};

	for (size_t i = 0; i < count; i++)
		counts.of[names_add(counts.names, list[i].name)]++;
	return counts;
}

/* One that already has its id stays as it is; the other one, that was called so, gets its own. */
static bool tell_apart(struct arena *arena, enum foreign_kind kind, struct foreign_name *list, size_t count,
                       bool *has_id)
{
	struct counts counts = count_names(arena, list, count);
	bool changed = false;

	for (size_t i = 0; i < count; i++) {
		if (has_id[i] || counts.of[names_find(counts.names, list[i].name)] < 2)
			continue;
		add_id(arena, kind, &list[i]);
		has_id[i] = changed = true;
	}
	return changed;
}

void foreign_names(struct arena *arena, enum foreign_kind kind, struct foreign_name *list, size_t count)
{
	bool *has_id = ARENA_ARRAY(arena, bool, count);
	struct counts counts;

	for (size_t i = 0; i < count; i++) {
		list[i].name = named(arena, kind, list[i].original);
		if (list[i].name.n == 0)
			list[i].name = ends_well(named(arena, kind, list[i].id));
		else if (!fits(kind, list[i].name))
			add_id(arena, kind, &list[i]), has_id[i] = true;
	}
	while (tell_apart(arena, kind, list, count, has_id))
		;
	counts = count_names(arena, list, count);
	for (size_t i = 0; i < count; i++)
		if (counts.of[names_find(counts.names, list[i].name)] > 1)
			list[i].name = STR("");
}
