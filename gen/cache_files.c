/* The layout of `head` and `model`. Both are read by the program that wrote them, on the machine that wrote them, so
 * that numbers are as they lie in memory; a head ends with the digest of all that is before it. Touches no file. */
#include <string.h>

#include "cache_files.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

/* The last character is the version of the layout. */
#define HEAD_MAGIC "fwhead01"
#define MODEL_MAGIC "fwmodel3"

/* In the file there follow identity, snapshot, the digests of rulesets and of sets, and the digest of it all. */
struct head_header {
	char magic[8];
	struct digest base, digest, model;
	uint64_t number, machines, set_names;
	int64_t clock, next_edge;
	int64_t mark_seconds, mark_nanoseconds;
	uint64_t identity_length, snapshot_length, ruleset_count, set_count;
};

_Static_assert(sizeof(struct head_header) == 8 + 3 * 32 + 11 * 8, "no byte of it is padding");
_Static_assert(sizeof(struct model_header) % _Alignof(max_align_t) == 0, "the fleet behind it is aligned");
_Static_assert(sizeof(struct known) == 64 && sizeof(struct digest) == 32, "they are bytes and nothing else");

/* --- head --- */

static struct str digest_bytes(const struct digest *digests, size_t count)
{
	return (struct str){(const char *)digests, count * sizeof *digests};
}

struct str head_print(struct arena *arena, const struct cache_head *head)
{
	struct head_header header = {
		.magic = HEAD_MAGIC,
		.base = head->base,
		.digest = head->digest,
		.model = head->model,
		.number = head->number,
		.machines = head->machines,
		.set_names = head->set_names,
		.clock = head->clock,
		.next_edge = head->next_edge,
		.mark_seconds = head->mark.tv_sec,
		.mark_nanoseconds = head->mark.tv_nsec,
		.identity_length = head->identity.n,
		.snapshot_length = head->snapshot.n,
		.ruleset_count = head->ruleset_count,
		.set_count = head->set_count,
	};
	struct str rulesets = digest_bytes(head->rulesets, head->ruleset_count);
	struct str sets = digest_bytes(head->sets, head->set_count);
	struct buf buf = buf_new(arena);

	buf_reserve(&buf, sizeof header + head->identity.n + head->snapshot.n + rulesets.n + sets.n +
	                          sizeof(struct digest));
	buf_add(&buf, (struct str){(const char *)&header, sizeof header});
	buf_add(&buf, head->identity);
	buf_add(&buf, head->snapshot);
	buf_add(&buf, rulesets);
	buf_add(&buf, sets);
	struct digest own = digest_of(buf_str(&buf));

	buf_add(&buf, digest_bytes(&own, 1));
	return buf_str(&buf);
}

/* Takes a part off the front; false when there is not so much left. */
static bool take(struct str *rest, uint64_t count, size_t size, struct str *part)
{
	if (count > rest->n / size)
		return false;
	*part = str_slice(*rest, 0, count * size);
	*rest = str_slice(*rest, count * size, rest->n);
	return true;
}

static bool take_digests(struct str *rest, uint64_t count, struct digest **digests)
{
	struct str part;

	if (!take(rest, count, sizeof **digests, &part))
		return false;
	*digests = (struct digest *)(void *)part.p;
	return true;
}

static bool digest_holds(struct str bytes, struct str *inside)
{
	struct digest own, wanted;

	if (bytes.n < sizeof wanted)
		return false;
	*inside = str_slice(bytes, 0, bytes.n - sizeof wanted);
	memcpy(&wanted, bytes.p + inside->n, sizeof wanted);
	own = digest_of(*inside);
	return digest_eq(&own, &wanted);
}

bool head_parse(struct str bytes, struct cache_head *head)
{
	struct head_header header;
	struct str rest, part;

	if (!digest_holds(bytes, &rest) || !take(&rest, 1, sizeof header, &part))
		return false;
	memcpy(&header, part.p, sizeof header);
	*head = (struct cache_head){
		.base = header.base,
		.digest = header.digest,
		.model = header.model,
		.number = header.number,
		.machines = header.machines,
		.set_names = header.set_names,
		.clock = header.clock,
		.next_edge = header.next_edge,
		.mark = {.tv_sec = header.mark_seconds, .tv_nsec = (long)header.mark_nanoseconds},
		.ruleset_count = header.ruleset_count,
		.set_count = header.set_count,
	};
	return memcmp(header.magic, HEAD_MAGIC, sizeof header.magic) == 0 && header.number > 0 &&
	       take(&rest, header.identity_length, 1, &head->identity) &&
	       take(&rest, header.snapshot_length, 1, &head->snapshot) &&
	       take_digests(&rest, header.ruleset_count, &head->rulesets) &&
	       take_digests(&rest, header.set_count, &head->sets) && rest.n == 0;
}

/* --- model --- */

static struct str known_bytes(const struct known *known, size_t count)
{
	return (struct str){(const char *)known, count * sizeof *known};
}

void model_pieces(struct model_header *header, struct str fleet, const struct knowledge *knowledge,
                  struct str pieces[MODEL_PIECES])
{
	*header = (struct model_header){
		.magic = MODEL_MAGIC,
		.fleet_size = fleet.n,
		.ruleset_count = knowledge->ruleset_count,
		.set_count = knowledge->set_count,
		.secret = knowledge->secret,
	};
	pieces[MODEL_HEADER] = (struct str){(const char *)header, sizeof *header};
	pieces[MODEL_FLEET] = fleet;
	pieces[MODEL_RULESETS] = known_bytes(knowledge->rulesets, knowledge->ruleset_count);
	pieces[MODEL_SETS] = known_bytes(knowledge->sets, knowledge->set_count);
}

bool model_size(const struct model_header *header, uint64_t *size)
{
	uint64_t rulesets, sets;

	*size = sizeof *header;
	return memcmp(header->magic, MODEL_MAGIC, sizeof header->magic) == 0 &&
	       !__builtin_mul_overflow(header->ruleset_count, sizeof(struct known), &rulesets) &&
	       !__builtin_mul_overflow(header->set_count, sizeof(struct known), &sets) &&
	       !__builtin_add_overflow(*size, header->fleet_size, size) &&
	       !__builtin_add_overflow(*size, rulesets, size) && !__builtin_add_overflow(*size, sets, size);
}

bool model_fleet(const char *bytes, uint64_t size, struct str *fleet)
{
	struct model_header header;

	if (size < sizeof header)
		return false;
	memcpy(&header, bytes, sizeof header);
	*fleet = (struct str){bytes + sizeof header, header.fleet_size};
	return header.fleet_size <= size - sizeof header;
}

bool model_parse(char *bytes, uint64_t size, struct str *fleet, struct knowledge *knowledge)
{
	struct model_header header;
	char *at = bytes + sizeof header;
	uint64_t said;

	if (size < sizeof header)
		return false;
	memcpy(&header, bytes, sizeof header);
	if (!model_size(&header, &said) || said != size)
		return false;
	*fleet = (struct str){at, header.fleet_size};
	at += header.fleet_size;
	knowledge->rulesets = (struct known *)(void *)at;
	knowledge->ruleset_count = header.ruleset_count;
	at += header.ruleset_count * sizeof(struct known);
	knowledge->sets = (struct known *)(void *)at;
	knowledge->set_count = header.set_count;
	knowledge->secret = header.secret;
	return true;
}
