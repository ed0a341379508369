/* A bundle: a header and the changes of sets in memory, and files of the store that are opened one at a time, when
 * their turn comes; so that a thousand of them may be under way. What it says is settled when it is made. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "positions.h"

/* A part of the stream: text, or an object of the store. Many bundles are under way at once, so it is small. */
enum { PIECE_SET = RULESET_FILES }; /* else one of ruleset_files */
struct piece {
	const char *text;            /* NULL: a file */
	const struct digest *object;
	uint64_t size;
	unsigned file;
};

struct bundle {
	struct str output;
	struct piece *pieces;
	size_t count;
	size_t next;   /* the piece that is read */
	uint64_t done; /* of it */
	int descriptor;
	uint64_t size;
	bool whole;
};

/* What is sent to one machine, while it is put together. */
struct making {
	struct arena *arena;
	const struct bundle_request *request;
	const struct held_position *now, *before; /* before NULL: everything */
	struct bundle *bundle;
	struct buf header;
};

static void add_piece(struct making *making, struct piece piece)
{
	struct bundle *bundle = making->bundle;

	bundle->size += piece.size;
	if (piece.size > 0)
		bundle->pieces[bundle->count++] = piece;
}

static void add_text(struct making *making, struct str text)
{
	add_piece(making, (struct piece){.text = text.p, .size = text.n});
}

/* --- the header --- */

static void add_field(struct buf *header, const char *name, struct str value)
{
	buf_format(header, "%s %.*s\n", name, STR_ARG(value.n > 0 ? value : STR("-")));
}

static void add_digest(struct buf *header, const char *name, const struct digest *digest)
{
	char hex[65];

	digest_hex(digest, hex);
	add_field(header, name, str_of(hex));
}

static void add_management(struct buf *header, const struct bundle_request *request)
{
	buf_add(header, STR("management"));
	for (size_t i = 0; i < request->management_count; i++) {
		buf_char(header, ' ');
		prefix_print(header, request->management[i]);
	}
	buf_char(header, '\n');
}

static void add_flags(struct buf *header, const struct bundle_request *request, bool whole)
{
	buf_format(header, "flags%s%s%s%s\n", request->adopt ? " adopt" : "", request->rollback ? " rollback" : "",
	           request->cut ? " cut" : "", whole ? " whole" : "");
}

static void add_header(struct making *making)
{
	const struct bundle_request *request = making->request;
	const struct position *position = &making->now->position;
	struct buf *header = &making->header;

	buf_add(header, STR("fleetwall-bundle 1\n"));
	add_field(header, "machine", request->machine);
	add_field(header, "machine-id", request->machine_id);
	buf_format(header, "fence %" PRIu64 "\n", request->fence);
	buf_format(header, "generation %" PRIu64 "\n", positions_generation(request->now)->number);
	add_field(header, "token", request->token);
	add_digest(header, "position", &position->digest);
	if (making->before != NULL)
		add_digest(header, "confirmed", &making->before->position.digest);
	else
		add_field(header, "confirmed", STR("-"));
	add_field(header, "mode", position_mode_str(position->mode));
	buf_format(header, "deadline %u\nssh-port %u\n", request->deadline, request->ssh_port);
	add_management(header, request);
	add_flags(header, request, making->before == NULL);
}

/* --- what follows it --- */

static void add_rules(struct making *making)
{
	for (size_t i = 0; i < RULESET_FILES; i++) {
		const struct file_facts *file = &making->now->files[i];
		struct str name = ruleset_files[i];

		if (making->before != NULL && digest_eq(&file->digest, &making->before->files[i].digest)) {
			buf_format(&making->header, "%.*s same\n", STR_ARG(name));
			continue;
		}
		buf_format(&making->header, "%.*s %zu\n", STR_ARG(name), file->lines);
		add_piece(making, (struct piece){.object = &making->now->position.ruleset,
		                                 .file = (unsigned)i,
		                                 .size = file->size});
	}
}

static struct error *add_set(struct making *making, const struct entry *set)
{
	const struct bundle_request *request = making->request;
	const struct position *had = making->before == NULL ? NULL : &making->before->position;
	const struct entry *before = had == NULL ? NULL : entries_find(had->sets, had->set_count, set->name);
	const struct set_change *change = NULL;
	const struct file_facts *facts;

	if (before != NULL && digest_eq(&before->digest, &set->digest))
		return NULL;
	if (before != NULL)
		change = positions_change(request->now, request->before, &before->digest, &set->digest);
	if (change != NULL) {
		buf_format(&making->header, "set %.*s diff %zu\n", STR_ARG(set->name), change->count);
		add_text(making, change->lines);
		return NULL;
	}
	TRY(positions_set(request->now, &set->digest, &facts));
	buf_format(&making->header, "set %.*s whole %zu\n", STR_ARG(set->name), facts->lines);
	add_piece(making, (struct piece){.object = &set->digest, .file = PIECE_SET, .size = facts->size});
	return NULL;
}

static void add_script(struct making *making)
{
	struct str script = making->request->script;
	size_t lines = 0;

	if (script.n == 0)
		return;
	assert(script.p[script.n - 1] == '\n');
	for (size_t i = 0; i < script.n; i++)
		lines += script.p[i] == '\n';
	add_text(making, str_format(making->arena, "script %zu\n", lines));
	add_text(making, script);
}

/* The header, in `scratch`, and what stands behind it. */
static struct error *describe(struct making *making)
{
	const struct position *position = &making->now->position;

	add_header(making);
	add_rules(making);
	for (size_t i = 0; i < position->set_count; i++)
		TRY(error_in(add_set(making, &position->sets[i]), "set %.*s", STR_ARG(position->sets[i].name)));
	buf_char(&making->header, '\n');
	return NULL;
}

enum { PIECES_BESIDES = 4 + RULESET_FILES }; /* two for the script, header, `end`; rules */

/* The header stands before what it counts, and is known when all of that is: its place is kept. */
static struct error *fill(struct making *making)
{
	struct bundle *bundle = making->bundle;
	struct arena *scratch = arena_new();
	struct error *error;
	struct piece *header;

	bundle->pieces = ARENA_ARRAY(making->arena, struct piece,
	                             PIECES_BESIDES + making->now->position.set_count);
	add_script(making);
	header = &bundle->pieces[bundle->count++];
	making->header = buf_new(scratch);
	error = describe(making);
	header->text = str_copy(making->arena, buf_str(&making->header)).p;
	header->size = making->header.n;
	bundle->size += header->size;
	add_text(making, STR("end\n"));
	arena_free(scratch);
	return error;
}

/* What can't be told of what was confirmed is as good as nothing: all is sent. */
static const struct held_position *held_before(const struct bundle_request *request)
{
	const struct held_position *held = NULL;

	if (request->before == NULL || positions_held(request->before, request->machine, &held) != NULL)
		return NULL;
	return held;
}

struct error *bundle_make(struct arena *arena, const struct bundle_request *request, struct bundle **bundle)
{
	struct making making = {.arena = arena, .request = request};
	struct bundle *made = ARENA_NEW(arena, struct bundle);

	TRY(positions_held(request->now, request->machine, &making.now));
	if (making.now == NULL)
		return error_new(ERROR_UNKNOWN, "generation %" PRIu64 " has no ruleset for the machine %.*s",
		                 positions_generation(request->now)->number, STR_ARG(request->machine));
	making.before = held_before(request);
	making.bundle = made;
	made->output = positions_output(request->now);
	made->descriptor = -1;
	made->whole = making.before == NULL;
	TRY(error_in(fill(&making), "machine %.*s", STR_ARG(request->machine)));
	*bundle = made;
	return NULL;
}

size_t bundle_size(const struct bundle *bundle)
{
	return (size_t)bundle->size;
}

bool bundle_is_whole(const struct bundle *bundle)
{
	return bundle->whole;
}

/* --- reading --- */

static struct str path_of(struct arena *scratch, const struct bundle *bundle, const struct piece *piece)
{
	if (piece->file == PIECE_SET)
		return store_set_path(scratch, bundle->output, piece->object);
	return store_ruleset_path(scratch, bundle->output, piece->object, ruleset_files[piece->file]);
}

static struct error *open_piece(struct bundle *bundle, const struct piece *piece)
{
	struct arena *scratch = arena_new();
	const char *path = str_c(scratch, path_of(scratch, bundle, piece));
	struct error *error = NULL;

	bundle->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (bundle->descriptor < 0)
		error = error_errno("can't open %s", path);
	arena_free(scratch);
	return error;
}

/* The header has promised so many lines: a file that is shorter or longer now would be read as something else. */
static struct error *changed(const struct bundle *bundle, const struct piece *piece)
{
	struct arena *scratch = arena_new();
	struct str path = path_of(scratch, bundle, piece);
	struct error *error = error_hint(error_new(ERROR_SURROUNDINGS, "%.*s was changed", STR_ARG(path)),
	                                 "remove it; `fleetwall generate` writes it again where it is still needed");

	arena_free(scratch);
	return error;
}

static struct error *read_file(struct bundle *bundle, const struct piece *piece, char *bytes, size_t size,
                               size_t *got)
{
	ssize_t count;

	if (bundle->descriptor < 0)
		TRY(open_piece(bundle, piece));
	do
		count = read(bundle->descriptor, bytes, size);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return error_errno("can't read a file of the store");
	if (count == 0)
		return changed(bundle, piece);
	*got = (size_t)count;
	return NULL;
}

static struct error *read_piece(struct bundle *bundle, const struct piece *piece, char *bytes, size_t size,
                                size_t *got)
{
	uint64_t left = piece->size - bundle->done;

	if (size > left)
		size = (size_t)left;
	if (piece->text == NULL)
		return read_file(bundle, piece, bytes, size, got);
	memcpy(bytes, piece->text + bundle->done, size);
	*got = size;
	return NULL;
}

static void next_piece(struct bundle *bundle)
{
	if (bundle->descriptor >= 0)
		(void)close(bundle->descriptor);
	bundle->descriptor = -1;
	bundle->done = 0;
	bundle->next++;
}

struct error *bundle_read(struct bundle *bundle, char *bytes, size_t size, size_t *got)
{
	*got = 0;
	while (*got < size && bundle->next < bundle->count) {
		const struct piece *piece = &bundle->pieces[bundle->next];
		size_t count = 0;

		TRY(read_piece(bundle, piece, bytes + *got, size - *got, &count));
		*got += count;
		bundle->done += count;
		if (bundle->done == piece->size)
			next_piece(bundle);
	}
	return NULL;
}

void bundle_close(struct bundle *bundle)
{
	if (bundle == NULL)
		return;
	if (bundle->descriptor >= 0)
		(void)close(bundle->descriptor);
	bundle->descriptor = -1;
	bundle->next = bundle->count;
}
