/* Which machines the words of a command speak of: names, globs, role:NAME. */
#ifndef SELECT_H
#define SELECT_H

#include "fleetwall/push.h"

/* Sorted names, each once. No words: all of `known`, which are sorted. `contacts` are asked where a word is a role's.
 * ERROR_UNKNOWN for each word that speaks of none. Pure. */
struct error *select_names(struct arena *arena, const struct selection *selection, const struct str *known,
                           size_t known_count, const struct contact *contacts, size_t contact_count, struct str **names,
                           size_t *count) MUST_CHECK;
/* Is one of the words a role's? */
bool select_has_roles(const struct selection *selection);

#endif
