/* COPY … TO STDOUT (FORMAT binary): the stream cut into rows and fields, and the binary forms of the few types that are
 * read so. Trusts no length that it has not checked. */
#include <assert.h>
#include <endian.h>
#include <string.h>

#include "connection.h"
#include "fleetwall/arena.h"

#define MOST_FIELDS 1600 /* PostgreSQL's own limit */

static const char signature[11] = "PGCOPY\n\377\r\n"; /* with the NUL */

struct stream {
	struct str bytes;   /* what is there and was not used yet */
	bool begun, ended;  /* the header was seen, the trailer was seen */
	db_row *each;
	void *context;
	struct str fields[MOST_FIELDS];
};

/* Of 2, 4 or 8 bytes. */
static int64_t big_endian(const char *p, size_t n)
{
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	switch (n) {
	case 2:
		memcpy(&two, p, sizeof two);
		return (int16_t)be16toh(two);
	case 4:
		memcpy(&four, p, sizeof four);
		return (int32_t)be32toh(four);
	default:
		memcpy(&eight, p, sizeof eight);
		return (int64_t)be64toh(eight);
	}
}

static struct error *garbled(void)
{
	return error_new(ERROR_SURROUNDINGS, "the database sent COPY data that can't be read");
}

/* Takes the header off. *more is false when it is not complete yet. */
static struct error *take_header(struct stream *stream, bool *more)
{
	struct str s = stream->bytes;
	int64_t extension;

	*more = false;
	if (s.n < sizeof signature + 8)
		return NULL;
	extension = big_endian(s.p + sizeof signature + 4, 4);
	if (memcmp(s.p, signature, sizeof signature) != 0 || extension < 0)
		return garbled();
	if (s.n < sizeof signature + 8 + (size_t)extension)
		return NULL;
	stream->bytes = str_slice(s, sizeof signature + 8 + (size_t)extension, s.n);
	stream->begun = *more = true;
	return NULL;
}

/* One field, its length before it, from *s. *more as above. */
static struct error *take_field(struct str *s, struct str *field, bool *more)
{
	int64_t length;

	*more = false;
	if (s->n < 4)
		return NULL;
	length = big_endian(s->p, 4);
	if (length < -1)
		return garbled();
	if (length > 0 && s->n - 4 < (size_t)length)
		return NULL;
	*field = length < 0 ? (struct str){NULL, 0} : (struct str){s->p + 4, (size_t)length};
	*s = (struct str){s->p + 4 + field->n, s->n - 4 - field->n};
	*more = true;
	return NULL;
}

/* One row, if it is there whole. */
static struct error *take_row(struct stream *stream, bool *more)
{
	struct str s = stream->bytes;
	int64_t count;

	*more = false;
	if (s.n < 2)
		return NULL;
	count = big_endian(s.p, 2);
	if (count < -1 || count > MOST_FIELDS || stream->ended)
		return garbled();
	s = (struct str){s.p + 2, s.n - 2};
	for (int64_t i = 0; i < count; i++) {
		TRY(take_field(&s, &stream->fields[i], more));
		if (!*more)
			return NULL;
	}
	stream->bytes = s;
	*more = true;
	if (count >= 0)
		return stream->each(stream->context, stream->fields, (size_t)count);
	stream->ended = true;
	return NULL;
}

static struct error *take_rows(struct stream *stream)
{
	bool more = true;

	if (!stream->begun)
		TRY(take_header(stream, &more));
	while (more)
		TRY(take_row(stream, &more));
	return NULL;
}

/* Messages and rows usually come out even, but nothing promises it: what is left of one is put before the next. */
static struct error *feed(struct arena *scratch, struct stream *stream, struct str message)
{
	struct str kept = stream->bytes;
	struct error *error;

	stream->bytes = message;
	if (kept.n > 0) {
		char *joined = arena_alloc(scratch, kept.n + message.n);

		memcpy(joined, kept.p, kept.n);
		memcpy(joined + kept.n, message.p, message.n);
		stream->bytes = (struct str){joined, kept.n + message.n};
	}
	error = take_rows(stream);
	if (stream->bytes.n > 0)
		stream->bytes = str_copy(scratch, stream->bytes);
	else if (kept.n > 0)
		arena_reset(scratch);
	return error;
}

/* The reader wants no more: without the cancellation all the rest would still come. */
static void stop_sending(struct db *db)
{
	PGcancel *cancel = pq.getCancel(db->connection);
	char message[256], *rest;

	if (cancel != NULL)
		pq.cancel(cancel, message, sizeof message);
	pq.freeCancel(cancel);
	while (pq.getCopyData(db->connection, &rest, 0) > 0)
		pq.freemem(rest);
	db_drain(db);
}

static struct error *receive(struct db *db, struct arena *scratch, struct stream *stream)
{
	char *message;
	int n;

	while ((n = pq.getCopyData(db->connection, &message, 0)) > 0) {
		struct error *error = feed(scratch, stream, (struct str){message, (size_t)n});

		pq.freemem(message);
		if (error != NULL) {
			stop_sending(db);
			return error;
		}
	}
	TRY(db_done(db, pq.getResult(db->connection), PGRES_COMMAND_OK));
	db_drain(db);
	return stream->ended ? NULL : garbled();
}

struct error *db_copy_out(struct db *db, struct str sql, db_row *each, void *context)
{
	struct arena *scratch = arena_new(), *rest = arena_new();
	struct stream *stream = ARENA_NEW(scratch, struct stream);
	struct str copy = str_format(scratch, "COPY (%.*s\n) TO STDOUT (FORMAT binary)", STR_ARG(sql));
	struct error *error = db_done(db, pq.exec(db->connection, str_c(scratch, copy)), PGRES_COPY_OUT);

	stream->each = each;
	stream->context = context;
	if (error == NULL)
		error = receive(db, rest, stream);
	arena_free(rest);
	arena_free(scratch);
	return error;
}

int64_t db_int(struct str field)
{
	assert(field.p != NULL && (field.n == 2 || field.n == 4 || field.n == 8));
	return big_endian(field.p, field.n);
}

bool db_bool(struct str field)
{
	assert(field.p != NULL && field.n == 1);
	return field.p[0] != 0;
}

/* On the wire: microseconds since 2000-01-01. */
int64_t db_seconds(struct str timestamptz)
{
	const int64_t second = 1000000, year_2000 = 946684800;
	int64_t t = db_int(timestamptz), seconds;

	if (t == INT64_MIN || t == INT64_MAX)
		return t;
	seconds = t / second;
	if (t % second < 0)
		seconds--;
	return seconds + year_2000;
}
