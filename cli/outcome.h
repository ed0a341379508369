/* What a round of regenerate() came to, as nightly and watch say it. */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "regenerate.h"

enum { OUTCOME_COLUMNS = 8 };
extern const char *const outcome_names[OUTCOME_COLUMNS];

/* For programs: OUTCOME_COLUMNS cells. */
void outcome_cells(struct arena *arena, const struct regeneration *result, struct cell *cells);
/* What so many of those that differ are called. */
const char *outcome_changed(size_t count);
/* For people: one line, without its end. */
struct str outcome_line(struct arena *arena, const struct regeneration *result);

#endif
