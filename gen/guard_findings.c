/* Findings in order: see the header. Formats nothing that is not kept: a bad template spoils every ruleset. */
#include "guard_findings.h"

#include <string.h>

#include "guard_lines.h"

static int order(struct str machine, size_t file, const struct finding *b)
{
	int by_name = str_cmp(machine, b->machine);

	return by_name != 0 ? by_name : (file > b->file) - (file < b->file);
}

bool findings_count(struct findings *findings, struct str machine, size_t file)
{
	findings->found++;
	return findings->kept < FINDINGS_MAX || order(machine, file, &findings->items[FINDINGS_MAX - 1]) < 0;
}

static void insert(struct findings *findings, const struct finding *finding)
{
	size_t at = findings->kept;

	while (at > 0 && order(finding->machine, finding->file, &findings->items[at - 1]) < 0)
		at--;
	if (at == FINDINGS_MAX)
		return;
	findings->kept += findings->kept < FINDINGS_MAX;
	memmove(&findings->items[at + 1], &findings->items[at], (findings->kept - 1 - at) * sizeof *finding);
	findings->items[at] = *finding;
}

void findings_keep(struct arena *arena, struct findings *findings, struct finding finding)
{
	finding.machine = str_copy(arena, finding.machine);
	finding.line = str_copy(arena, finding.line);
	finding.message = str_copy(arena, finding.message);
	insert(findings, &finding);
}

void findings_merge(struct findings *findings, const struct findings *more)
{
	for (size_t i = 0; i < more->kept; i++)
		insert(findings, &more->items[i]);
	findings->found += more->found;
}

struct error *findings_errors(const struct findings *findings, const char *rest)
{
	struct error *errors = NULL;

	for (size_t i = 0; i < findings->kept; i++) {
		const struct finding *finding = &findings->items[i];
		struct error *error =
			error_hint(error_new(ERROR_GUARD, "%.*s", STR_ARG(finding->message)), "%s", finding->hint);

		if (finding->number > 0)
			error = guard_place(error, finding->machine, finding->file, finding->number, finding->line);
		error_collect(&errors, error);
	}
	if (findings->found > findings->kept)
		error_collect(&errors,
		              error_new(ERROR_GUARD, "and %zu more %s", findings->found - findings->kept, rest));
	return errors;
}
