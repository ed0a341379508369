/* Labels in one cell. Private to inventory/. */
#ifndef INVENTORY_CSV_LABELS_H
#define INVENTORY_CSV_LABELS_H

#include "fleetwall/error.h"
#include "fleetwall/fleet.h"

/* A JSON object of strings, {"env":"prod"}, or env=prod;tier=web. Sorted by key. The cell is not empty. Errors may know
 * a column. */
struct error *csv_labels(struct arena *arena, struct str cell, struct label **labels, size_t *count) MUST_CHECK;

#endif
