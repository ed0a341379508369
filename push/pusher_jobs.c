/* What the jobs of a pusher are for the ledger: each is a call of it, or two. Connections are another file's. */
#include "pusher_jobs.h"

#include "fleetwall/arena.h"

/* The probes of what was claimed, and how to reach the machines that they are tried from. */
static struct error *find_probes(struct db *db, struct db_job *job)
{
	struct str *names = ARENA_ARRAY(job->arena, struct str, job->claim_count);
	size_t count = 0;

	for (size_t i = 0; i < job->claim_count; i++)
		names[i] = job->claims[i].item.machine;
	TRY(ledger_probes(job->arena, db, names, job->claim_count, &job->probes, &job->probe_count));
	names = ARENA_ARRAY(job->arena, struct str, job->probe_count);
	for (size_t i = 0; i < job->probe_count; i++)
		if (job->probes[i].source.n > 0)
			names[count++] = job->probes[i].source;
	return count == 0 ? NULL
	                  : ledger_contacts(job->arena, db, names, count, &job->sources, &job->source_count);
}

static struct error *claim(struct db *db, struct str pusher, struct db_job *job)
{
	TRY(ledger_claim(job->arena, db, job->run, pusher, job->lease, job->most, &job->claims, &job->claim_count,
	                 &job->info, &job->wait));
	return job->claim_count == 0 ? NULL : find_probes(db, job);
}

static struct error *find_people(struct db *db, struct db_job *job)
{
	struct str run = str_format(job->arena, "%llu", (unsigned long long)job->run), *names;
	struct db_rows rows;

	TRY(ledger_run(job->arena, db, job->run, &job->info));
	TRY(db_query(job->arena, db, db_sql("push-people"), &run, 1, &rows));
	if (rows.count == 0)
		return NULL;
	names = ARENA_ARRAY(job->arena, struct str, rows.count);
	for (size_t i = 0; i < rows.count; i++)
		names[i] = db_cell(&rows, i, 0);
	return ledger_machines(job->arena, db, names, rows.count, &job->people, &job->people_count);
}

struct error *pusher_job_do(struct db *db, struct str pusher, struct db_job *job)
{
	switch (job->kind) {
	case JOB_CLAIM:
		return claim(db, pusher, job);
	case JOB_OFFERED:
		return ledger_offered(job->arena, db, job->claims, &job->taken, &job->run_stopped);
	case JOB_CONFIRMED:
		return ledger_confirmed(job->arena, db, job->claims, job->machine_id, &job->script, &job->taken);
	case JOB_FAILED:
		return ledger_failed(job->arena, db, job->claims, job->failure, job->message, job->again_in,
		                     &job->taken);
	case JOB_GIVE_BACK:
		return ledger_give_back(job->arena, db, job->claims, job->claim_count);
	case JOB_RENEW:
		job->lost = ARENA_ARRAY(job->arena, bool, job->claim_count);
		return ledger_renew(job->arena, db, job->claims, job->claim_count, job->lease, job->lost);
	case JOB_RESULT:
		return find_people(db, job);
	}
	return NULL;
}
