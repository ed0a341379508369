/* An old generation made again, as the files of `generation publish` share it. */
#ifndef GENERATION_AGAIN_H
#define GENERATION_AGAIN_H

#include "diff.h"

struct again {
	struct run *run;
	struct round *round;   /* in the end round->next is what will be published */
	struct generation old; /* the one that is published again */
	struct str snapshot;   /* of the inventory that it was made from; empty: not known */
	struct diff diff;      /* between what is published and that */
};

/* Makes again->old once more, with the rules that count now: round->next, through the guards into the store. A snapshot
 * is open. */
struct error *again_make(struct again *again) MUST_CHECK;
/* What that opens and closes, compared with the published generation. */
struct error *again_compare(struct again *again) MUST_CHECK;

#endif
