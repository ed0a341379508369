/* Is everything there that a push needs: management sources, something to connect to, an address that they may reach?
 * And what is not enforced. That management is let in at all is no question: no rule takes it away. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "lint_parts.h"

static bool is_pushed(const struct machine *machine)
{
	return machine_has_ruleset(machine);
}

static struct str machine_subject(struct linting *linting, const struct machine *machine)
{
	return str_format(linting->scratch, "machine:%.*s", STR_ARG(machine->name));
}

/* --- sources --- */

static void check_sources(struct linting *linting)
{
	size_t pushed = 0, enforced = 0;

	for (size_t i = 0; i < linting->fleet->machine_count; i++) {
		pushed += is_pushed(&linting->fleet->machines[i]);
		enforced += is_pushed(&linting->fleet->machines[i]) &&
		            linting->fleet->machines[i].enforcement == ENFORCEMENT_ENFORCE;
	}
	if (linting->settings->management_count > 0 || enforced == 0)
		return;
	lint_find(linting, LINT_NO_MANAGEMENT,
	          &(struct lint_words){
			  .subject = STR("settings"),
			  .message = STR("no management sources are configured: SSH from fleetwall's own addresses "
	                                 "is let in only where a rule says so, and push refuses to begin"),
			  .evidence = str_format(linting->scratch, "%zu machine%s with a ruleset, %zu of them enforced",
	                                         pushed, str_plural(pushed), enforced),
			  .advice = STR("set management = [ \"ADDRESS\", … ] in the configuration"),
		  });
}

/* --- what push connects to --- */

/* The address labelled management, else the first; NULL: there is none. */
static const struct machine_address *contact(const struct machine *machine)
{
	for (size_t i = 0; i < machine->address_count; i++)
		if (str_is(machine->addresses[i].label, "management"))
			return &machine->addresses[i];
	return machine->address_count > 0 ? &machine->addresses[0] : NULL;
}

static bool has_source(const struct settings *settings, enum family family)
{
	for (size_t i = 0; i < settings->management_count; i++)
		if (settings->management[i].addr.family == family)
			return true;
	return false;
}

static void tell_no_host(struct linting *linting, const struct machine *machine)
{
	lint_find(linting, LINT_NO_HOST,
	          &(struct lint_words){
			  .subject = machine_subject(linting, machine),
			  .message = str_format(linting->scratch, "for a push, %.*s has nothing but its name",
	                                        STR_ARG(machine->name)),
			  .evidence = STR("no ssh_host, no addresses"),
			  .advice = str_format(linting->scratch, "fleetwall machine set %.*s --address ADDRESS, or "
	                                       "--ssh-host HOST, unless the DNS knows the name",
	                                       STR_ARG(machine->name)),
		  });
}

static void tell_family(struct linting *linting, const struct machine *machine, struct addr addr)
{
	int family = addr.family == FAMILY_4 ? 4 : 6;

	lint_find(linting, LINT_MANAGEMENT_FAMILY,
	          &(struct lint_words){
			  .subject = machine_subject(linting, machine),
			  .message = str_format(linting->scratch, "push connects to %.*s over IPv%d, and no management "
	                                        "source is an IPv%d one", STR_ARG(machine->name), family, family),
			  .evidence = str_format(linting->scratch, "push connects to %.*s",
	                                         STR_ARG(addr_str(linting->scratch, addr))),
			  .advice = STR("configure a management source of that family, label another address "
	                                "management, or set ssh_host"),
		  });
}

static void check_contact(struct linting *linting, const struct machine *machine)
{
	const struct machine_address *address = contact(machine);

	if (!is_pushed(machine) || machine->ssh_host.n > 0)
		return;
	if (address == NULL)
		tell_no_host(linting, machine);
	else if (linting->settings->management_count > 0 && machine->enforcement == ENFORCEMENT_ENFORCE &&
	         !has_source(linting->settings, address->addr.family))
		tell_family(linting, machine, address->addr);
}

/* --- what is not enforced --- */

static void check_enforcement(struct linting *linting, const struct machine *machine)
{
	bool monitored = machine->enforcement == ENFORCEMENT_MONITOR;

	if (!machine->enabled || machine->enforcement == ENFORCEMENT_ENFORCE)
		return;
	lint_find(linting, LINT_NOT_ENFORCED,
	          &(struct lint_words){
			  .subject = machine_subject(linting, machine),
			  .detail = enforcement_str(machine->enforcement),
			  .message = str_format(linting->scratch, "fleetwall refuses nothing at %.*s: %s",
	                                        STR_ARG(machine->name),
	                                        monitored ? "it is watched only" : "it gets no ruleset"),
			  .evidence = str_format(linting->scratch, "enforcement %.*s",
	                                         STR_ARG(enforcement_str(machine->enforcement))),
			  .advice = str_format(linting->scratch, "fleetwall machine set %.*s --enforcement enforce, "
	                                       "when it is time", STR_ARG(machine->name)),
		  });
}

/* --- refusing rules that speak of management --- */

/* The management sources among the rule's peers, of one family. */
static struct addr_set sources_of(struct linting *linting, const struct lint_rule *rule, enum family family)
{
	struct {
		struct range *items;
		size_t count, capacity;
	} ranges = {0};

	for (size_t i = 0; i < linting->settings->management_count; i++) {
		struct range source = prefix_range(linting->settings->management[i]);

		if (source.family != family)
			continue;
		if (rule->rule->any)
			APPEND(linting->scratch, &ranges, source);
		for (size_t k = 0; k < rule->rule->peer_count; k++) {
			struct addr_set set = lint_peer_set(linting, rule, &rule->rule->peers[k], family);

			for (size_t m = 0; m < set.count; m++) {
				const struct range *range = &set.ranges[m];
				struct range both = {range->first > source.first ? range->first : source.first,
				                     range->last < source.last ? range->last : source.last, family};

				if (both.first <= both.last)
					APPEND(linting->scratch, &ranges, both);
			}
		}
	}
	return addr_set_of(linting->scratch, family, ranges.items, ranges.count);
}

static bool show_management(struct linting *linting, const struct lint_rule *rule, size_t family, struct str *packet)
{
	struct addr_set sources = sources_of(linting, rule, family_of(family));
	const struct resolved_role *role = &linting->resolved->roles[rule->role];
	unsigned last = 0;

	for (size_t i = 0; sources.count > 0 && i < role->member_count; i++) {
		const struct machine *machine = &linting->fleet->machines[role->members[i]];
		struct shown shown = {linting, role->members[i], false, STAGE_MANAGEMENT, NULL};

		if (!is_pushed(machine) || lint_ssh_port(linting, machine) == last)
			continue;
		last = lint_ssh_port(linting, machine);
		if (lint_show(&shown, rule->heads[family], &sources, packet))
			return true;
	}
	return false;
}

static void check_refusing(struct linting *linting, const struct lint_rule *rule)
{
	struct str packet;

	if (!lint_is_refusing(rule) || rule->rule->direction != DIRECTION_IN ||
	    (!show_management(linting, rule, 0, &packet) && !show_management(linting, rule, 1, &packet)))
		return;
	lint_find(linting, LINT_MANAGEMENT_DENIED,
	          &(struct lint_words){
			  .subject = lint_rule_subject(linting, rule),
			  .message = str_format(linting->scratch, "%.*s speaks of management, which is let in "
	                                        "before any rule is asked", STR_ARG(lint_rule_words(linting, rule))),
			  .evidence = str_format(linting->scratch, "%.*s is let in all the same", STR_ARG(packet)),
			  .advice = STR("nothing, if that is known; otherwise take the source out of the setting "
	                                "management"),
		  });
}

void lint_management_check(struct linting *linting)
{
	check_sources(linting);
	for (size_t i = 0; i < linting->fleet->machine_count; i++) {
		check_contact(linting, &linting->fleet->machines[i]);
		check_enforcement(linting, &linting->fleet->machines[i]);
	}
	for (size_t i = 0; i < linting->first[linting->fleet->role_count]; i++)
		check_refusing(linting, &linting->rules[i]);
}
