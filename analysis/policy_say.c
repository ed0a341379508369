/* Violations in words: the packet, what becomes of it and why, the machines. It looks nothing up. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/policy.h"

static void print_end(struct buf *buf, const struct machine *machine, bool has_addr, struct addr addr,
                      const struct machine *known)
{
	if (machine != NULL)
		buf_add(buf, machine->name);
	else if (has_addr)
		addr_print(buf, addr);
	if (machine == NULL && known != NULL)
		buf_format(buf, " (%.*s)", STR_ARG(known->name));
	if (machine != NULL && has_addr) {
		buf_add(buf, STR(" ("));
		addr_print(buf, addr);
		buf_char(buf, ')');
	}
}

/* The machine whose ruleset decides is told without its address, which decides nothing there; unless it is one of many
 * that the other end's ruleset tells apart. */
void policy_packet_print(struct buf *buf, const struct policy_violation *violation)
{
	bool pair = violation->source != NULL && violation->destination != NULL;

	print_end(buf, violation->source, violation->has_from && (pair || violation->source == NULL), violation->from,
	          violation->source == NULL ? violation->known : NULL);
	buf_add(buf, STR(" -> "));
	print_end(buf, violation->destination, violation->has_to && (pair || violation->destination == NULL),
	          violation->to, violation->destination == NULL ? violation->known : NULL);
	if (violation->what.n > 0)
		buf_format(buf, " %.*s", STR_ARG(violation->what));
}

static void print_rule(struct buf *buf, const struct policy_violation *violation)
{
	buf_format(buf, "rule %s of role %.*s: %.*s", violation->rule->id, STR_ARG(violation->rule->role->name),
	           STR_ARG(violation->rule->held->text));
}

static void print_default(struct buf *buf, const struct policy_violation *violation)
{
	if (violation->assertion->kind != ASSERTION_ALWAYS)
		buf_add(buf, STR("passes: the source's egress is open, and no rule refuses it"));
	else if (violation->out)
		buf_add(buf, STR("does not pass: the source's egress is closed, and no rule lets it out"));
	else
		buf_add(buf, STR("does not pass: no rule lets it in"));
}

void policy_reason_print(struct buf *buf, const struct policy_violation *violation)
{
	switch (violation->stage) {
	case STAGE_ALLOW:
		buf_add(buf, violation->out ? STR("passes: it is let out by ") : STR("passes: it is let in by "));
		print_rule(buf, violation);
		break;
	case STAGE_DENY:
	case STAGE_REJECT:
		buf_add(buf, STR("does not pass: it is refused by "));
		print_rule(buf, violation);
		break;
	case STAGE_NO_ADDRESS:
		buf_add(buf, STR("can't pass: they have no addresses of one family"));
		break;
	case STAGE_HOUSEKEEPING:
	case STAGE_MANAGEMENT:
	case STAGE_NO_RULESET:
	case STAGE_MONITOR:
	case STAGE_DEFAULT:
		print_default(buf, violation);
		break;
	}
}

void policy_machines_print(struct buf *buf, const struct fleet *fleet, const struct policy_violation *violation)
{
	buf_format(buf, "on %zu machine%s: ", violation->machine_count, str_plural(violation->machine_count));
	for (size_t i = 0; i < violation->machine_shown; i++)
		buf_format(buf, "%s%.*s", i > 0 ? ", " : "", STR_ARG(fleet->machines[violation->machines[i]].name));
	if (violation->machine_count > violation->machine_shown)
		buf_format(buf, ", and %zu more", violation->machine_count - violation->machine_shown);
}

static struct error *speaks_of_nobody(const struct policy_note *note)
{
	struct place place = note->assertion->place;

	place.column = 0;
	return error_at(error_hint(error_new(ERROR_INPUT, "this speaks of nobody, so it holds"),
	                           "its roles have no members with a ruleset and addresses"),
	                place);
}

struct error *policy_warnings(const struct policy *policy)
{
	bool one = policy->monitored == 1;
	struct error *errors = NULL;

	for (size_t i = 0; i < policy->note_count; i++)
		if (policy->notes[i].vacuous)
			error_collect(&errors, speaks_of_nobody(&policy->notes[i]));
	if (policy->monitored > 0)
		error_collect(&errors,
		              error_hint(error_new(ERROR_INPUT,
		                                   "%zu machine%s of which assertions speak %s in monitor, and "
		                                   "refuse%s nothing", policy->monitored, str_plural(policy->monitored),
		                                   one ? "is" : "are", one ? "s" : ""),
		                         "judged is what they would refuse"));
	return errors;
}
