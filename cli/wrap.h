/* Text for people in lines: at blanks and behind commas, never inside a word. */
#ifndef WRAP_H
#define WRAP_H

#include "fleetwall/buf.h"

/* What a terminal would obey or can't show is written as \xNN. */
struct str text_shown(struct arena *arena, struct str text);
/* How many columns of a terminal it takes. */
size_t text_columns(struct str text);
/* Of what can't be broken. */
size_t widest_piece(struct str text);
/* A long list of addresses is cut, and ends with "…". */
struct str text_shortened(struct arena *arena, struct str text);
/* Adds `text`, which begins in column `at`, so that it stays within `width` where its words let it; further lines begin
 * with `indent` blanks. */
void add_wrapped(struct buf *buf, struct str text, size_t at, size_t width, size_t indent);

#endif
