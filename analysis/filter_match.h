/* What the files that read matches and targets share. Nothing outside filter_*.c includes it. */
#ifndef ANALYSIS_FILTER_MATCH_H
#define ANALYSIS_FILTER_MATCH_H

#include "fleetwall/filter.h"

struct buf;

/* --- filter_match_names.c --- */

/* Parts of a second in which the kernel keeps a rate. */
enum rate_scale { SCALE_LIMIT = 10000, SCALE_HASHLIMIT = 1000000 };

uint64_t rate_period(enum rate_scale scale, uint64_t count, unsigned seconds);
void rate_print(struct buf *buf, enum rate_scale scale, uint64_t period);
void mode_print(struct buf *buf, struct str mode); /* " srcip,dstport", in one order; nothing for an empty one */
void time_print_utc(struct buf *buf, int64_t seconds);

#endif
