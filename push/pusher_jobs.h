/* What a job of the pusher is for the ledger. */
#ifndef PUSHER_JOBS_H
#define PUSHER_JOBS_H

#include "pusher_db.h"

/* Asks the ledger, and puts the answer into the job. `pusher` is whose claims they are. */
struct error *pusher_job_do(struct db *db, struct str pusher, struct db_job *job) MUST_CHECK;

#endif
