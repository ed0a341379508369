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
static bool has_chains(const struct scan *scan, struct fault *fault)
{
	bool shared = scan->ruleset->mode == MODE_COEXIST;
	uint32_t first = shared ? CHAIN_OUR_INPUT : CHAIN_INPUT, last = shared ? CHAIN_OUR_OUTPUT : CHAIN_OUTPUT;

	for (uint32_t i = first; i <= last; i++)
		if (!scan_declares(scan, i)) {
			*fault = (struct fault){"is not declared", chain_names[i], 1};
			return false;
		}
	return true;
}

/* One table that begins first and one COMMIT that comes last: the order of all else does not matter. */
static bool is_framed(const struct scan *scan)
{
	size_t first = 0, last = scan->lines.count;

	if (scan->tables != 1 || scan->commits != 1)
		return false;
	while (scan_line(scan, first)->kind == LINE_NOTHING)
		first++;
	while (scan_line(scan, last - 1)->kind == LINE_NOTHING)
		last--;
	return scan_line(scan, first)->kind == LINE_FILTER && scan_line(scan, last - 1)->kind == LINE_COMMIT;
}

/* What is wrong with a file that is not framed. */
static struct fault find_fault(const struct scan *scan)
{
	size_t begun = 0, ended = 0, last = 1;

	for (size_t i = 0; i < scan->lines.count; i++) {
		enum line_kind kind = scan_line(scan, i)->kind;

		if (kind == LINE_NOTHING)
			continue;
		last = i + 1;
		if (begun == 0 && kind != LINE_FILTER)
			return (struct fault){"the file does not begin with *filter", NULL, last};
		if ((kind == LINE_FILTER || kind == LINE_TABLE) && begun++ > 0)
			return (struct fault){"the file has more than one table", NULL, last};
		if (ended > 0)
			return (struct fault){"something stands behind COMMIT", NULL, last};
		ended += kind == LINE_COMMIT;
	}
	return (struct fault){"the file does not end with COMMIT", NULL, last};
}

static bool is_whole(const struct scan *scan, struct fault *fault)
{
	if (is_framed(scan))
		return has_chains(scan, fault);
	*fault = find_fault(scan);
	return false;
}

void judge_frame(const struct judge_room *room, const struct scan *scan, struct findings *findings)
{
	struct str machine = scan->ruleset->example->name;
	struct fault fault;

	if (is_whole(scan, &fault) || !findings_count(findings, machine, scan->file))
		return;
	struct finding finding = {
		.machine = machine,
		.file = scan->file,
		.number = (unsigned)fault.number,
		.hint = "mend the template; nothing overrides this",
	};
	if (fault.number <= scan->lines.count && fault.chain == NULL)
		finding.line = scan_text(scan, fault.number - 1);
	finding.message = fault.chain == NULL
	                          ? str_format(room->scratch, "machine %.*s: %s", STR_ARG(machine), fault.what)
	                          : str_format(room->scratch, "machine %.*s: the chain %s %s", STR_ARG(machine),
	                                       fault.chain, fault.what);
	findings_keep(room->kept, findings, finding);
}
