/* What differs between two whole fleets, object by object, in words. Every field that can differ has its detail: an
 * object without one is not in the plan, and is not written. */
#include "plan.h"

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

struct details {
	struct arena *arena;
	struct str *items;
	size_t count, capacity;
};

/* "rule + allow 22/tcp" */
static void detail(struct details *details, const char *what, char sign, struct str value)
{
	struct str field = str_of(what);
	struct buf line = buf_new(details->arena);
	buf_reserve(&line, field.n + 3 + value.n);
	buf_add(&line, field);
	buf_char(&line, ' ');
	buf_char(&line, sign);
	buf_char(&line, ' ');
	buf_add(&line, value);
	APPEND(details->arena, details, buf_str(&line));
}

/* "mode exclusive -> coexist"; a value that was or becomes empty is one that came or went. */
static void detail_value(struct details *details, const char *what, struct str before, struct str after)
{
	if (str_eq(before, after))
		return;
	if (before.n == 0 || after.n == 0)
		detail(details, what, before.n == 0 ? '+' : '-', before.n == 0 ? after : before);
	else
		APPEND(details->arena, details,
		       str_format(details->arena, "%s %.*s -> %.*s", what, STR_ARG(before), STR_ARG(after)));
}

static struct str yes_no(bool value)
{
	return value ? STR("true") : STR("false");
}

static struct str number_str(struct arena *arena, unsigned number)
{
	return number == 0 ? STR("") : str_format(arena, "%u", number);
}

/* --- networks and services --- */

static void network_details(struct details *details, const void *object_before, const void *object_after)
{
	const struct network *before = object_before, *after = object_after;
	size_t i = 0, j = 0;
	detail_value(details, "document", before->document, after->document);
	while (i < before->prefix_count || j < after->prefix_count) {
		int order = i == before->prefix_count ? 1
		          : j == after->prefix_count ? -1
		          : range_cmp(prefix_range(before->prefixes[i]), prefix_range(after->prefixes[j]));
		if (order != 0)
			detail(details, "prefix", order < 0 ? '-' : '+',
			       prefix_str(details->arena, order < 0 ? before->prefixes[i] : after->prefixes[j]));
		i += order <= 0;
		j += order >= 0;
	}
}

static struct str ports_text(struct arena *arena, const struct service_port *port)
{
	struct buf text = buf_new(arena);
	ports_print(&text, port->ports, port->port_count);
	buf_char(&text, '/');
	protocol_print(&text, port->protocol);
	return buf_str(&text);
}

static void service_details(struct details *details, const void *object_before, const void *object_after)
{
	const struct service *before = object_before, *after = object_after;
	size_t i = 0, j = 0;
	detail_value(details, "document", before->document, after->document);
	while (i < before->count || j < after->count) {
		int order = i == before->count ? 1
		          : j == after->count ? -1
		          : before->ports[i].protocol - after->ports[j].protocol;
		detail_value(details, "ports", order <= 0 ? ports_text(details->arena, &before->ports[i]) : STR(""),
		             order >= 0 ? ports_text(details->arena, &after->ports[j]) : STR(""));
		i += order <= 0;
		j += order >= 0;
	}
}

/* --- labels, of machines and selectors --- */

static void label_detail(struct details *details, const struct label *before, const struct label *after)
{
	struct arena *arena = details->arena;
	if (before == NULL || after == NULL) {
		const struct label *label = before == NULL ? after : before;
		struct str text = str_format(arena, "%.*s=%.*s", STR_ARG(label->key), STR_ARG(label->value));
		detail(details, "label", before == NULL ? '+' : '-', text);
	} else if (!str_eq(before->value, after->value)) {
		APPEND(arena, details,
		       str_format(arena, "label %.*s %.*s -> %.*s", STR_ARG(before->key), STR_ARG(before->value),
		                  STR_ARG(after->value)));
	}
}

static void label_details(struct details *details, const struct machine *before, const struct machine *after)
{
	size_t i = 0, j = 0;
	while (i < before->label_count || j < after->label_count) {
		int order = i == before->label_count ? 1
		          : j == after->label_count ? -1
		          : str_cmp(before->labels[i].key, after->labels[j].key);
		label_detail(details, order <= 0 ? &before->labels[i] : NULL, order >= 0 ? &after->labels[j] : NULL);
		i += order <= 0;
		j += order >= 0;
	}
}

/* Empty where the role has none. */
static struct str selector_text(struct arena *arena, const struct role *role)
{
	if (!role->has_selector)
		return STR("");
	struct buf text = buf_new(arena);
	buf_char(&text, '{');
	for (size_t i = 0; i < role->selector_count; i++)
		buf_format(&text, "%s %.*s=%.*s", i == 0 ? "" : ",", STR_ARG(role->selector[i].key),
		           STR_ARG(role->selector[i].value));
	buf_add(&text, STR(" }"));
	return buf_str(&text);
}

/* --- machines --- */

static struct str address_text(struct arena *arena, const struct machine_address *address)
{
	struct buf text = buf_new(arena);
	addr_print(&text, address->addr);
	if (address->label.n > 0) {
		buf_add(&text, STR(" label "));
		buf_add(&text, address->label);
	}
	return buf_str(&text);
}

static void address_detail(struct details *details, const struct machine_address *before,
                           const struct machine_address *after)
{
	struct arena *arena = details->arena;
	if (before == NULL || after == NULL)
		detail(details, "address", before == NULL ? '+' : '-',
		       address_text(arena, before == NULL ? after : before));
	else if (!str_eq(before->label, after->label))
		detail_value(details, "address", address_text(arena, before), address_text(arena, after));
}

static void address_details(struct details *details, const struct machine *before, const struct machine *after)
{
	size_t i = 0, j = 0;
	while (i < before->address_count || j < after->address_count) {
		int order = i == before->address_count ? 1
		          : j == after->address_count ? -1
		          : addr_cmp(before->addresses[i].addr, after->addresses[j].addr);
		address_detail(details, order <= 0 ? &before->addresses[i] : NULL,
		               order >= 0 ? &after->addresses[j] : NULL);
		i += order <= 0;
		j += order >= 0;
	}
}

static void member_details(struct details *details, const struct machine *before, const struct machine *after)
{
	size_t i = 0, j = 0;
	if (before->roles == after->roles && before->role_count == after->role_count)
		return;
	while (i < before->role_count || j < after->role_count) {
		int order = i == before->role_count  ? 1
		            : j == after->role_count ? -1
		                                     : str_cmp(before->roles[i], after->roles[j]);
		if (order != 0)
			detail(details, "role", order < 0 ? '-' : '+', order < 0 ? before->roles[i] : after->roles[j]);
		i += order <= 0;
		j += order >= 0;
	}
}

static void machine_details(struct details *details, const void *object_before, const void *object_after)
{
	const struct machine *before = object_before, *after = object_after;
	struct arena *arena = details->arena;
	detail_value(details, "document", before->document, after->document);
	if (before->enabled != after->enabled)
		detail_value(details, "enabled", yes_no(before->enabled), yes_no(after->enabled));
	if (before->mode != after->mode)
		detail_value(details, "mode", mode_str(before->mode), mode_str(after->mode));
	if (before->enforcement != after->enforcement)
		detail_value(details, "enforcement", enforcement_str(before->enforcement),
		             enforcement_str(after->enforcement));
	if (before->ssh_port != after->ssh_port)
		detail_value(details, "ssh_port", number_str(arena, before->ssh_port),
		             number_str(arena, after->ssh_port));
	detail_value(details, "ssh_host", before->ssh_host, after->ssh_host);
	label_details(details, before, after);
	address_details(details, before, after);
	member_details(details, before, after);
}

/* --- roles --- */

/* A rule of the same text in both. */
static void rule_detail(struct details *details, const struct role_rule *before, const struct role_rule *after)
{
	struct details fields = {.arena = details->arena};
	if (before->enabled != after->enabled)
		detail_value(&fields, "enabled", yes_no(before->enabled), yes_no(after->enabled));
	detail_value(&fields, "ticket", before->ticket, after->ticket);
	detail_value(&fields, "owner", before->owner, after->owner);
	detail_value(&fields, "comment", before->rule.comment, after->rule.comment);
	for (size_t i = 0; i < fields.count; i++)
		APPEND(details->arena, details,
		       str_format(details->arena, "rule ~ %.*s: %.*s", STR_ARG(after->text), STR_ARG(fields.items[i])));
}

static void rule_details(struct details *details, const struct role *before, const struct role *after)
{
	size_t i = 0, j = 0;
	while (i < before->rule_count || j < after->rule_count) {
		int order = i == before->rule_count ? 1
		          : j == after->rule_count ? -1
		          : str_cmp(before->rules[i].text, after->rules[j].text);
		if (order == 0)
			rule_detail(details, &before->rules[i], &after->rules[j]);
		else
			detail(details, "rule", order < 0 ? '-' : '+',
			       order < 0 ? before->rules[i].text : after->rules[j].text);
		i += order <= 0;
		j += order >= 0;
	}
}

static void role_details(struct details *details, const void *object_before, const void *object_after)
{
	const struct role *before = object_before, *after = object_after;
	struct arena *arena = details->arena;
	detail_value(details, "document", before->document, after->document);
	detail_value(details, "description", before->description, after->description);
	detail_value(details, "owner", before->owner, after->owner);
	if (before->egress != after->egress)
		detail_value(details, "egress", egress_str(before->egress), egress_str(after->egress));
	detail_value(details, "selector", selector_text(arena, before), selector_text(arena, after));
	rule_details(details, before, after);
}

/* --- objects --- */

/* A kind of object: what one has by default, and how two of them are compared. */
struct kind {
	const char *name;
	const void *nothing;
	void (*details)(struct details *details, const void *before, const void *after);
};

struct changes {
	struct change *items;
	size_t count, capacity;
	struct arena *details; /* forgotten after each object; NULL: they are told */
};

/* Of what is new, everything that it does not have by default is told; of what goes, only that it goes. */
static void describe(struct arena *arena, struct changes *changes, const struct kind *kind, struct pairs pairs)
{
	const void *before, *after;
	while (pairs_next(&pairs, &before, &after)) {
		struct details details = {.arena = changes->details != NULL ? changes->details : arena};
		if (after != NULL)
			kind->details(&details, before != NULL ? before : kind->nothing, after);
		if (before != NULL && after != NULL && details.count == 0)
			continue;
		struct change change = {
			.sign = before == NULL ? CHANGE_ADD : after == NULL ? CHANGE_REMOVE : CHANGE_ALTER,
			.kind = kind->name,
			.name = *(const struct str *)(after != NULL ? after : before),
		};
		if (changes->details == NULL) {
			change.details = details.items;
			change.detail_count = details.count;
		} else {
			arena_reset(changes->details);
		}
		APPEND(arena, changes, change);
	}
}

void plan_describe(struct arena *arena, const struct fleet *present, bool brief, struct plan *plan)
{
	static const struct network no_network;
	static const struct service no_service;
	static const struct role no_role;
	static const struct machine no_machine = {.enabled = true};
	static const struct kind network = {"network", &no_network, network_details},
				 service = {"service", &no_service, service_details};
	static const struct kind role = {"role", &no_role, role_details},
				 machine = {"machine", &no_machine, machine_details};
	const struct fleet *target = &plan->target;
	struct changes changes = {.details = brief ? arena_new() : NULL};
	describe(arena, &changes, &network, PAIRS(present, target, networks, network_count));
	describe(arena, &changes, &service, PAIRS(present, target, services, service_count));
	describe(arena, &changes, &role, PAIRS(present, target, roles, role_count));
	describe(arena, &changes, &machine, PAIRS(present, target, machines, machine_count));
	plan->changes = changes.items;
	plan->count = changes.count;
	arena_free(changes.details);
}
