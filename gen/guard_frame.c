/* The frame of a rules file, which no single line shows: one filter table, from its first line to COMMIT, with the
 * chains that its mode needs. A file without COMMIT loads nothing and says so to nobody. */
#include "fleetwall/arena.h"
#include "guard_judge.h"
#include "guard_lines.h"

struct fault {
	const char *what;
	const char *chain; /* NULL, or the one that `what` is about */
	size_t number;
};

/* The built-in chains, or those that the jumps of a shared table lead to. */
static bool chains_are_there(const struct scan *scan, struct fault *fault)
{
	static const char *const chains[2][3] = {{"INPUT", "FORWARD", "OUTPUT"},
	                                         {"fleetwall-input", "fleetwall-output", NULL}};
	bool accepts;

	for (size_t i = 0; i < 3; i++) {
		const char *chain = chains[scan->ruleset->mode == MODE_COEXIST][i];

		if (chain != NULL && !scan_declares_name(scan, str_of(chain), &accepts)) {
			*fault = (struct fault){"is not declared", chain, 1};
			return false;
		}
	}
	return true;
}

static bool is_framed(const struct scan *scan, struct fault *fault)
{
	size_t begun = 0, ended = 0, last = 1;

	fault->chain = NULL;
	for (size_t i = 0; i < scan->count; i++) {
		enum line_kind kind = scan->lines[i]->kind;

		if (kind == LINE_NOTHING)
			continue;
		fault->number = last = i + 1;
		if (begun == 0 && kind != LINE_FILTER) {
			fault->what = "the file does not begin with *filter";
			return false;
		}
		if ((kind == LINE_FILTER || kind == LINE_TABLE) && begun++ > 0) {
			fault->what = "the file has more than one table";
			return false;
		}
		if (ended > 0) {
			fault->what = "something stands behind COMMIT";
			return false;
		}
		ended += kind == LINE_COMMIT;
	}
	*fault = (struct fault){"the file does not end with COMMIT", NULL, last};
	return ended > 0 && chains_are_there(scan, fault);
}

void judge_frame(const struct judge_room *room, const struct scan *scan, struct findings *findings)
{
	struct str machine = scan->ruleset->example->name;
	struct fault fault;

	if (is_framed(scan, &fault) || !findings_count(findings, machine, scan->file))
		return;
	struct finding finding = {
		.machine = machine,
		.file = scan->file,
		.number = (unsigned)fault.number,
		.hint = "mend the template; nothing overrides this",
	};
	if (fault.number <= scan->count && fault.chain == NULL)
		finding.line = scan_line(scan, fault.number - 1);
	finding.message = fault.chain == NULL
	                          ? str_format(room->scratch, "machine %.*s: %s", STR_ARG(machine), fault.what)
	                          : str_format(room->scratch, "machine %.*s: the chain %s %s", STR_ARG(machine),
	                                       fault.chain, fault.what);
	findings_keep(room->kept, findings, finding);
}
