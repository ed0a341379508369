/* Assertions in a round: read before anything else is done, judged before anything is published, and not judged again
 * while neither they nor the inventory are others. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleetwall/buf.h"
#include "fleetwall/document.h"

#include "assertions.h"
#include "round.h"

struct error *round_read_assertions(struct round *round)
{
	const struct hook *files = &round->run->config.assertions;

	struct error *errors = assertions_load(round->run, round->arena, files->arguments, files->count,
	                                       &round->assertions, &round->assertion_digest);

	return assertions_unread(round->run, round->arena, errors, &round->assertions);
}

static struct str held_path(const struct round *round)
{
	return str_format(round->arena, "%.*s/assertions-held", STR_ARG(round->run->config.state));
}

/* The assertions, the settings, and the inventory as round->head knows it: what holds of these holds the next time. */
static struct str held_key(const struct round *round)
{
	const struct cache_head *head = &round->head;
	struct buf buf = buf_new(round->arena);
	struct digest digest;
	char hex[65];

	digest_hex(&round->assertion_digest, hex);
	buf_add(&buf, str_of(hex));
	digest_hex(&round->rendition.base, hex);
	buf_format(&buf, " %s %.*s %.*s %lld", hex, STR_ARG(head->identity), STR_ARG(head->snapshot),
	           (long long)head->next_edge);
	digest = digest_of(buf_str(&buf));
	digest_hex(&digest, hex);
	return str_format(round->arena, "%s\n", hex);
}

bool round_asserted(const struct round *round)
{
	struct str held;

	if (round->run->config.assertions.count == 0)
		return true;
	/* What can't be read is judged again. */
	return file_read(round->arena, held_path(round), &held) == NULL && str_eq(held, held_key(round));
}

void round_keep_asserted(struct round *round)
{
	struct arena *arena = round->arena;
	struct str path = held_path(round), fresh = str_format(arena, "%.*s.%ld", STR_ARG(path), (long)getpid());
	struct str key = held_key(round);
	FILE *file;
	bool good;

	if (round->run->config.assertions.count == 0 ||
	    (mkdir(str_c(arena, round->run->config.state), 0755) != 0 && errno != EEXIST))
		return;
	file = fopen(str_c(arena, fresh), "wxe");
	if (file == NULL)
		return;
	good = fwrite(key.p, 1, key.n, file) == key.n;
	good &= fclose(file) == 0;
	if (!good || rename(str_c(arena, fresh), str_c(arena, path)) != 0)
		unlink(str_c(arena, fresh));
}

struct error *round_assert(struct round *round)
{
	if (round->assertions.count == 0)
		return NULL;
	if (round->resolved == NULL)
		round->resolved = resolve(round->arena, &round->fleet);
	return assertions_hold(round->run, round->arena, round->resolved, &round->assertions);
}
