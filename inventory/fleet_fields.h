/* What a field may hold, whoever gives it: the same that the database's constraints take. Errors are ERROR_INPUT
 * without a place. Private to inventory/. */
#ifndef INVENTORY_FLEET_FIELDS_H
#define INVENTORY_FLEET_FIELDS_H

#include "fleetwall/error.h"
#include "fleetwall/fleet.h"
#include "rule_words.h"

/* A value of the user's as a message shows it: for "%s". */
#define SHOWN(s) (word_shown(s).text)

/* `s` folded to lower case: itself, or a copy where something changes. */
struct str name_fold(struct arena *arena, struct str s);

/* `true` or `false`, in any case as libconfig and spreadsheets write them. */
bool boolean_parse(struct str s, bool *boolean);
/* What must hold before rule_parse() looks at it: valid UTF-8, no control characters but tabs, a comment as line_check
 * has it. */
struct error *rule_line_check(struct str line) MUST_CHECK;
/* A label: key and value strings of at most 255 bytes without control characters; the key not empty, without `=`. */
struct error *label_check(const struct label *label) MUST_CHECK;
/* A host name or address for ssh: never something that ssh would take for an option. */
struct error *ssh_host_check(struct str s) MUST_CHECK;
/* A role's name, of a machine's own rules too. */
struct error *role_name_check(struct str name) MUST_CHECK;
/* Prefixes: the fault with its hint, for prefix_parse()'s answer. */
struct error *prefix_fault_error(enum prefix_fault fault, struct str text, struct prefix prefix) MUST_CHECK;

/* Sorts by key; joins what repeats; a key with two values is an error. */
struct error *labels_sort(struct label *labels, size_t *count) MUST_CHECK;
/* Sorts a role's rules by text; joins what repeats; the same rule with another ticket, owner, state or comment is an
 * error. */
struct error *role_rules_join(struct role_rule *list, size_t *count) MUST_CHECK;
/* `key=value`, cut at the first `=`. */
struct error *label_cut(struct str s, struct label *label) MUST_CHECK;

/* "did you mean X?" if one of the words is near. */
struct error *hint_nearest(struct error *error, struct str word, const struct str *words, size_t count) MUST_CHECK;

bool labels_same(const struct label *a, size_t a_count, const struct label *b, size_t b_count);

#endif
