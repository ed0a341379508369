/* A round's proof: what is going to be published, or is, says what the inventory says; otherwise the round ends.
 * What was proved is kept in OUT/cache, so that the next round proves what is new, and a quiet one nothing at all. */
#include "prove.h"
#include "round.h"

enum { FINDINGS_TOLD = 10 };

/* All that a proof of a whole generation depends on: how bytes are made and read, what the inventory said, and what was
 * made of it. As long as no round finds a change, nothing of it is other than it was. */
static struct digest whole_of(struct arena *arena, const struct cache_head *head)
{
	struct buf buf = buf_new(arena);

	buf_add(&buf, (struct str){(const char *)&head->base, sizeof head->base});
	buf_add(&buf, (struct str){(const char *)&head->digest, sizeof head->digest});
	buf_add(&buf, head->identity);
	buf_char(&buf, '\n');
	buf_add(&buf, head->snapshot);
	return digest_of(buf_str(&buf));
}

static struct digest whole_next(struct round *round, const struct generation *generation)
{
	const struct cache_head head = {
		.base = round->rendition.base,
		.digest = generation->digest,
		.identity = round_identity(round->arena, &round->news, round->news.newest),
		.snapshot = round->news.snapshot,
	};

	return whole_of(round->arena, &head);
}

static struct error *told(const struct verify_findings *findings)
{
	struct error *errors = NULL;

	for (size_t i = 0; i < findings->count && i < FINDINGS_TOLD; i++)
		error_collect(&errors, verify_error(&findings->items[i]));
	if (findings->count > FINDINGS_TOLD)
		error_collect(&errors,
		              error_new(ERROR_GUARD, "and %zu findings more", findings->count - FINDINGS_TOLD));
	return error_in(errors, "not what the inventory says");
}

/* What can't be kept is proved again by the next round. */
static void keep(struct round *round, const struct proofs *proofs)
{
	error_collect(&round->run->warnings, error_hint(cache_write_proofs(round->store, proofs),
	                                                "the next proof begins from nothing, which takes longer"));
}

static struct error *prove_some(struct round *round, const struct generation *generation, const bool *machines,
                                const struct proofs *known, struct proved *proved)
{
	const struct prove_order order = {
		.fleet = &round->fleet,
		.settings = &round->run->config.settings,
		.output = round->run->config.output,
		.generation = generation,
		.machines = machines,
		.known = known,
		.workers = round->rendition.workers,
	};

	TRY(prove(round->arena, &order, proved));
	return told(&proved->findings);
}

/* Who asked for a proof hears of it; a night is quiet. */
static void say(struct round *round, const struct proved *proved)
{
	if (run_has(round->run, "verify"))
		writer_say(round->run->writer,
		           "proved to be what the inventory says: %zu ruleset%s, %zu set%s; %zu anew", proved->rulesets,
		           proved->rulesets == 1 ? "" : "s", proved->sets, proved->sets == 1 ? "" : "s", proved->again);
}

struct error *round_prove(struct round *round, const struct generation *generation)
{
	struct proofs known;
	struct proved proved;

	cache_read_proofs(round->arena, round->run->config.output, &known);
	TRY(prove_some(round, generation, NULL, &known, &proved));
	proved.proofs.whole = whole_next(round, generation);
	keep(round, &proved.proofs);
	say(round, &proved);
	return NULL;
}

struct error *round_prove_machines(struct round *round, const bool *machines)
{
	struct proved proved;

	TRY(prove_some(round, &round->next, machines, NULL, &proved));
	say(round, &proved);
	return NULL;
}

struct error *round_prove_published(struct round *round)
{
	struct digest whole = whole_of(round->arena, &round->head);
	struct proofs known;

	if (cache_read_proofs(round->arena, round->run->config.output, &known) && digest_eq(&whole, &known.whole)) {
		if (run_has(round->run, "verify"))
			writer_say(round->run->writer, "proved before to be what the inventory says");
		return NULL;
	}
	TRY(round_load(round));
	return round_prove(round, &round->published);
}
