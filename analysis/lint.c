/* The order of the checks, and what findings have in common: their codes, how grave each is, and ids that stay. It
 * looks at nothing itself. */
#include "fleetwall/lint.h"

#include <stdlib.h>
#include <string.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/digest.h"
#include "explainer.h"
#include "lint_parts.h"

static const struct {
	const char *name;
	enum lint_severity severity;
} codes[LINT_CODES] = {
	[LINT_DATABASE_OPEN] = {"database-open", LINT_ERROR},
	[LINT_NO_MANAGEMENT] = {"no-management", LINT_ERROR},
	[LINT_COVERED] = {"covered", LINT_WARNING},
	[LINT_CUT_ROLE] = {"cut-role", LINT_WARNING},
	[LINT_DENIED] = {"denied", LINT_WARNING},
	[LINT_MANAGEMENT_FAMILY] = {"management-family", LINT_WARNING},
	[LINT_NO_ADDRESS] = {"no-address", LINT_WARNING},
	[LINT_NO_LABEL] = {"no-label", LINT_WARNING},
	[LINT_NO_MATCH] = {"no-match", LINT_WARNING},
	[LINT_ONE_FAMILY] = {"one-family", LINT_WARNING},
	[LINT_COVERED_NOW] = {"covered-now", LINT_NOTICE},
	[LINT_EMPTY_PEER] = {"empty-peer", LINT_NOTICE},
	[LINT_ENDED] = {"ended", LINT_NOTICE},
	[LINT_EXPIRES] = {"expires", LINT_NOTICE},
	[LINT_LITERAL_MACHINE] = {"literal-machine", LINT_NOTICE},
	[LINT_MANAGEMENT_DENIED] = {"management-denied", LINT_NOTICE},
	[LINT_NO_HOST] = {"no-host", LINT_NOTICE},
	[LINT_NOT_ENFORCED] = {"not-enforced", LINT_NOTICE},
	[LINT_OPEN_EGRESS] = {"open-egress", LINT_NOTICE},
	[LINT_OVERLAPPING_NETWORKS] = {"overlapping-networks", LINT_NOTICE},
	[LINT_PARTLY_DENIED] = {"partly-denied", LINT_NOTICE},
	[LINT_SHARED_ADDRESS] = {"shared-address", LINT_NOTICE},
	[LINT_UNUSED_NETWORK] = {"unused-network", LINT_NOTICE},
	[LINT_UNUSED_ROLE] = {"unused-role", LINT_NOTICE},
};

static const char *const severities[] = {
	[LINT_ERROR] = "error", [LINT_WARNING] = "warning", [LINT_NOTICE] = "notice"};

struct str lint_code_str(enum lint_code code)
{
	return str_of(codes[code].name);
}

bool lint_code_parse(struct str s, enum lint_code *code)
{
	for (size_t i = 0; i < LINT_CODES; i++)
		if (str_is(s, codes[i].name)) {
			*code = (enum lint_code)i;
			return true;
		}
	return false;
}

enum lint_severity lint_code_severity(enum lint_code code)
{
	return codes[code].severity;
}

struct str lint_severity_str(enum lint_severity severity)
{
	return str_of(severities[severity]);
}

bool lint_severity_parse(struct str s, enum lint_severity *severity)
{
	for (size_t i = 0; i < sizeof severities / sizeof *severities; i++)
		if (str_is(s, severities[i])) {
			*severity = (enum lint_severity)i;
			return true;
		}
	return false;
}

/* --- a finding --- */

static void give_id(struct linting *linting, const struct lint_words *words, struct lint_finding *finding)
{
	struct buf text = buf_new(linting->scratch);
	struct digest digest;
	char hex[65];

	buf_add(&text, lint_code_str(finding->code));
	buf_char(&text, '\0');
	buf_add(&text, words->subject);
	buf_char(&text, '\0');
	buf_add(&text, words->detail);
	digest = digest_of(buf_str(&text));
	digest_hex(&digest, hex);
	memcpy(finding->id, hex, LINT_ID_DIGITS);
}

void lint_find(struct linting *linting, enum lint_code code, const struct lint_words *words)
{
	struct lint_finding finding = {
		.code = code,
		.subject = str_copy(linting->arena, words->subject),
		.message = str_copy(linting->arena, words->message),
		.evidence = str_copy(linting->arena, words->evidence),
		.advice = str_copy(linting->arena, words->advice),
	};

	give_id(linting, words, &finding);
	APPEND(linting->arena, &linting->findings, finding);
}

static int compare_findings(const void *a, const void *b)
{
	const struct lint_finding *x = a, *y = b;
	int severity = (int)codes[x->code].severity - (int)codes[y->code].severity;
	int code = (int)x->code - (int)y->code, subject;

	if (severity != 0 || code != 0)
		return severity != 0 ? severity : code;
	subject = str_cmp(x->subject, y->subject);
	return subject != 0 ? subject : strcmp(x->id, y->id);
}

/* Rules that have no effect are found before those that others make superfluous: nothing is covered by what is to
 * go. */
size_t lint(struct arena *arena, const struct resolved *resolved, const struct settings *settings,
            const struct lint_options *options, struct lint_finding **findings)
{
	struct arena *scratch = arena_new();
	struct linting linting = {
		.arena = arena,
		.scratch = scratch,
		.fleet = resolved->fleet,
		.resolved = resolved,
		.settings = settings,
		.options = options,
		.explainer = explainer_new(scratch, resolved, settings),
	};
	size_t mark;

	linting.peers = linting.explainer->peers;
	packets_begin();
	mark = packets_mark();
	lint_rules_collect(&linting);
	lint_rows_check(&linting);
	lint_management_check(&linting);
	lint_rules_check(&linting);
	lint_denied_check(&linting);
	lint_cover_check(&linting);
	lint_deny_check(&linting);
	lint_open_check(&linting);
	packets_release(mark);
	arena_free(scratch);
	if (linting.findings.count > 0)
		qsort(linting.findings.items, linting.findings.count, sizeof *linting.findings.items,
		      compare_findings);
	*findings = linting.findings.items;
	return linting.findings.count;
}
