/* Writes the canonical document of a fleet: what is short stands in one line, long lists are wrapped at 120 columns.
 * Writes into a buffer only, and reads no clock: the same fleet gives the same bytes. */
#include "fleetwall/document.h"

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

#define WIDTH 120
#define FIELD_INDENT 4
#define ELEMENT_INDENT 6

struct writer {
	struct buf *out;
	struct arena *scratch; /* of one object */
	size_t line_start;     /* where the present line begins in `out` */
	bool first_object;
	bool first_field;
	bool wrapped;          /* the field before took several lines */
};

/* The elements of a list or group, each as written. */
struct elements {
	struct str *items;
	size_t count, capacity;
	const char *open, *close;
	const char *between; /* a comma in lists; fields of groups end by themselves */
	bool one_a_line;     /* when it has to be wrapped */
};

/* --- text --- */

/* Bytes that a string can't hold as they are; control characters never get this far, but would come back the same. */
static void add_string(struct buf *buf, struct str s)
{
	buf_char(buf, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			buf_format(buf, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_format(buf, "\\x%02x", c);
		else
			buf_char(buf, (char)c);
	}
	buf_char(buf, '"');
}

static struct str quoted(struct writer *writer, struct str s)
{
	struct buf buf = buf_new(writer->scratch);

	add_string(&buf, s);
	return buf_str(&buf);
}

static void new_line(struct writer *writer, size_t indent)
{
	buf_char(writer->out, '\n');
	writer->line_start = writer->out->n;
	for (size_t i = 0; i < indent; i++)
		buf_char(writer->out, ' ');
}

static size_t column(const struct writer *writer)
{
	return writer->out->n - writer->line_start;
}

/* Is there room for so many bytes, and the object's end behind them? */
static bool fits(const struct writer *writer, size_t bytes)
{
	return column(writer) + bytes + sizeof " }," - 1 <= WIDTH;
}

/* --- fields --- */

/* A field in one line, or in a new line if this one is full. */
static void add_field(struct writer *writer, struct str field)
{
	if (writer->first_field || (!writer->wrapped && fits(writer, field.n + 1)))
		buf_char(writer->out, ' ');
	else
		new_line(writer, FIELD_INDENT);
	writer->first_field = writer->wrapped = false;
	buf_add(writer->out, field);
}

static void field_string(struct writer *writer, const char *name, struct str value)
{
	add_field(writer, str_format(writer->scratch, "%s = %.*s;", name, STR_ARG(quoted(writer, value))));
}

static void field_plain(struct writer *writer, const char *name, struct str value)
{
	add_field(writer, str_format(writer->scratch, "%s = %.*s;", name, STR_ARG(value)));
}

static struct str in_one_line(struct writer *writer, const struct elements *elements)
{
	struct buf buf = buf_new(writer->scratch);

	buf_format(&buf, "%s ", elements->open);
	for (size_t i = 0; i < elements->count; i++) {
		buf_add(&buf, elements->items[i]);
		buf_format(&buf, "%s ", i + 1 < elements->count ? elements->between : "");
	}
	buf_add(&buf, str_of(elements->close));
	return buf_str(&buf);
}

static void add_wrapped(struct writer *writer, const char *name, const struct elements *elements)
{
	new_line(writer, FIELD_INDENT);
	writer->first_field = false;
	writer->wrapped = true;
	buf_format(writer->out, "%s = %s", name, elements->open);
	new_line(writer, ELEMENT_INDENT);
	for (size_t i = 0; i < elements->count; i++) {
		bool at_start = column(writer) == ELEMENT_INDENT;

		if (!at_start && (elements->one_a_line || column(writer) + elements->items[i].n + 2 > WIDTH))
			new_line(writer, ELEMENT_INDENT);
		else if (!at_start)
			buf_char(writer->out, ' ');
		buf_add(writer->out, elements->items[i]);
		buf_add(writer->out, str_of(i + 1 < elements->count ? elements->between : ""));
	}
	new_line(writer, FIELD_INDENT);
	buf_format(writer->out, "%s;", elements->close);
}

static void field_elements(struct writer *writer, const char *name, const struct elements *elements)
{
	struct str line = str_format(writer->scratch, "%s = %.*s;", name, STR_ARG(in_one_line(writer, elements)));

	if (line.n + FIELD_INDENT + sizeof " }," - 1 <= WIDTH)
		add_field(writer, line);
	else
		add_wrapped(writer, name, elements);
}

static struct elements array(void)
{
	return (struct elements){.open = "[", .close = "]", .between = ","};
}

/* --- objects --- */

static void begin_object(struct writer *writer, struct str name)
{
	arena_reset(writer->scratch);
	if (!writer->first_object)
		buf_char(writer->out, ',');
	new_line(writer, 2);
	buf_char(writer->out, '{');
	writer->first_object = false;
	writer->first_field = true;
	field_string(writer, "name", name);
}

static void end_object(struct writer *writer)
{
	buf_add(writer->out, STR(" }"));
}

static void begin_setting(struct writer *writer, const char *name)
{
	buf_format(writer->out, "%s = (", name);
	writer->first_object = true;
}

static void end_setting(struct writer *writer)
{
	buf_add(writer->out, STR("\n);\n"));
}

/* What libconfig takes for a name; `true` and `false`, in any case, it takes for values. */
static bool is_name(struct writer *writer, struct str s)
{
	struct str lower = str_lower(writer->scratch, s);

	for (size_t i = 0; i < lower.n; i++) {
		char c = lower.p[i];
		bool letter = c >= 'a' && c <= 'z', other = c == '-' || c == '_' || (c >= '0' && c <= '9');

		if (!letter && (i == 0 || !other))
			return false;
	}
	return lower.n > 0 && !str_is(lower, "true") && !str_is(lower, "false");
}

static struct str label_text(struct writer *writer, const struct label *label, bool group)
{
	struct str both;

	if (group)
		return str_format(writer->scratch, "%.*s = %.*s;", STR_ARG(label->key),
		                  STR_ARG(quoted(writer, label->value)));
	both = str_format(writer->scratch, "%.*s=%.*s", STR_ARG(label->key), STR_ARG(label->value));
	return quoted(writer, both);
}

static void field_labels(struct writer *writer, const char *name, const struct label *labels, size_t count)
{
	struct elements elements = array();
	bool group = true;

	for (size_t i = 0; i < count; i++)
		group = group && is_name(writer, labels[i].key);
	if (group)
		elements = (struct elements){.open = "{", .close = "}", .between = ""};
	for (size_t i = 0; i < count; i++)
		APPEND(writer->scratch, &elements, label_text(writer, &labels[i], group));
	field_elements(writer, name, &elements);
}

/* A comment goes with the rule's text; ticket, owner and disabled make a group of it. */
static bool is_plain(const struct role_rule *rule)
{
	return rule->ticket.n == 0 && rule->owner.n == 0 && rule->enabled;
}

static struct str rule_element(struct writer *writer, const struct role_rule *rule)
{
	struct buf buf = buf_new(writer->scratch);
	struct str text = rule->text, comment = str_trim(rule->rule.comment);

	if (comment.n > 0)
		text = str_format(writer->scratch, "%.*s # %.*s", STR_ARG(text), STR_ARG(comment));
	if (is_plain(rule))
		return quoted(writer, text);
	buf_add(&buf, STR("{ rule = "));
	add_string(&buf, text);
	if (rule->ticket.n > 0)
		buf_format(&buf, "; ticket = %.*s", STR_ARG(quoted(writer, rule->ticket)));
	if (rule->owner.n > 0)
		buf_format(&buf, "; owner = %.*s", STR_ARG(quoted(writer, rule->owner)));
	if (!rule->enabled)
		buf_add(&buf, STR("; enabled = false"));
	buf_add(&buf, STR("; }"));
	return buf_str(&buf);
}

static void field_rules(struct writer *writer, const struct role *role)
{
	struct elements elements = array();

	elements.one_a_line = true;
	for (size_t i = 0; i < role->rule_count; i++) {
		if (!is_plain(&role->rules[i])) {
			elements.open = "(";
			elements.close = ")";
		}
		APPEND(writer->scratch, &elements, rule_element(writer, &role->rules[i]));
	}
	field_elements(writer, "rules", &elements);
}

/* --- networks and services --- */

static void write_network(struct writer *writer, const struct network *network)
{
	struct elements elements = array();

	begin_object(writer, network->name);
	for (size_t i = 0; i < network->prefix_count; i++)
		APPEND(writer->scratch, &elements, quoted(writer, prefix_str(writer->scratch, network->prefixes[i])));
	if (network->given & GIVEN_PREFIXES)
		field_elements(writer, "prefixes", &elements);
	end_object(writer);
}

static void write_service(struct writer *writer, const struct service *service)
{
	struct elements elements = array();

	begin_object(writer, service->name);
	for (size_t i = 0; i < service->count; i++) {
		const struct service_port *port = &service->ports[i];
		struct buf buf = buf_new(writer->scratch);

		ports_print(&buf, port->ports, port->port_count);
		buf_char(&buf, '/');
		protocol_print(&buf, port->protocol);
		APPEND(writer->scratch, &elements, quoted(writer, buf_str(&buf)));
	}
	if (service->given & GIVEN_PORTS)
		field_elements(writer, "ports", &elements);
	end_object(writer);
}

/* --- roles and machines --- */

static void write_role(struct writer *writer, const struct role *role, bool own)
{
	begin_object(writer, role->name);
	if (role->given & GIVEN_DESCRIPTION)
		field_string(writer, "description", role->description);
	if (role->given & GIVEN_OWNER)
		field_string(writer, "owner", role->owner);
	if ((role->given & GIVEN_SELECTOR) && !own) {
		if (role->has_selector)
			field_labels(writer, "selector", role->selector, role->selector_count);
		else
			field_string(writer, "selector", STR("none"));
	}
	if (role->given & GIVEN_EGRESS)
		field_string(writer, "egress", egress_str(role->egress));
	if ((role->given & GIVEN_RULES) && !own)
		field_rules(writer, role);
	end_object(writer);
}

/* A machine's own role stands among the roles only for what its machine can't say: of a loaded fleet, what is not as
 * usual. */
static bool has_more_than_rules(const struct role *role)
{
	bool usual = role->description.n == 0 && role->owner.n == 0 && role->egress == EGRESS_OPEN;

	if (role->given == (unsigned)GIVEN_ALL)
		return !usual;
	return (role->given & (GIVEN_DESCRIPTION | GIVEN_OWNER | GIVEN_EGRESS)) != 0;
}

static bool says_rules(const struct role *role)
{
	return role != NULL &&
	       (role->rule_count > 0 || (role->given != (unsigned)GIVEN_ALL && (role->given & GIVEN_RULES)));
}

static bool is_listed(const struct role *role)
{
	return machine_of_role(role->name).n == 0 || has_more_than_rules(role);
}

static struct str address_element(struct writer *writer, const struct machine_address *address)
{
	struct str text = quoted(writer, addr_str(writer->scratch, address->addr));

	if (address->label.n == 0)
		return text;
	return str_format(writer->scratch, "{ address = %.*s; label = %.*s; }", STR_ARG(text),
	                  STR_ARG(quoted(writer, address->label)));
}

static void field_addresses(struct writer *writer, const struct machine *machine)
{
	struct elements elements = array();

	for (size_t i = 0; i < machine->address_count; i++) {
		if (machine->addresses[i].label.n > 0) {
			elements.open = "(";
			elements.close = ")";
		}
		APPEND(writer->scratch, &elements, address_element(writer, &machine->addresses[i]));
	}
	field_elements(writer, "addresses", &elements);
}

static void field_roles(struct writer *writer, const struct machine *machine)
{
	struct elements elements = array();

	for (size_t i = 0; i < machine->role_count; i++)
		APPEND(writer->scratch, &elements, quoted(writer, machine->roles[i]));
	field_elements(writer, "roles", &elements);
}

static void write_machine(struct writer *writer, const struct fleet *fleet, const struct machine *machine)
{
	const struct role *own;

	begin_object(writer, machine->name);
	if (machine->given & GIVEN_ADDRESSES)
		field_addresses(writer, machine);
	if (machine->given & GIVEN_ROLES)
		field_roles(writer, machine);
	if (machine->given & GIVEN_LABELS)
		field_labels(writer, "labels", machine->labels, machine->label_count);
	if (machine->given & GIVEN_MODE)
		field_string(writer, "mode", mode_str(machine->mode));
	if (machine->given & GIVEN_ENFORCEMENT)
		field_string(writer, "enforcement", enforcement_str(machine->enforcement));
	if (machine->given & GIVEN_ENABLED)
		field_plain(writer, "enabled", machine->enabled ? STR("true") : STR("false"));
	if (machine->given & GIVEN_SSH_PORT)
		field_plain(writer, "ssh_port", str_format(writer->scratch, "%u", machine->ssh_port));
	if (machine->given & GIVEN_SSH_HOST)
		field_string(writer, "ssh_host", machine->ssh_host);
	own = fleet_role(fleet, machine_role_name(writer->scratch, machine->name));
	if (says_rules(own))
		field_rules(writer, own);
	end_object(writer);
}

/* --- the whole --- */

static void write_networks(struct writer *writer, const struct fleet *fleet)
{
	if (fleet->network_count == 0)
		return;
	begin_setting(writer, "networks");
	for (size_t i = 0; i < fleet->network_count; i++)
		write_network(writer, &fleet->networks[i]);
	end_setting(writer);
}

/* Settings that would be empty are left out, so they begin with their first object. */
static void write_services(struct writer *writer, const struct fleet *fleet)
{
	bool any = false;

	for (size_t i = 0; i < fleet->service_count; i++) {
		if (fleet->services[i].builtin)
			continue;
		if (!any)
			begin_setting(writer, "services");
		any = true;
		write_service(writer, &fleet->services[i]);
	}
	if (any)
		end_setting(writer);
}

static void write_roles(struct writer *writer, const struct fleet *fleet)
{
	bool any = false;

	for (size_t i = 0; i < fleet->role_count; i++) {
		if (!is_listed(&fleet->roles[i]))
			continue;
		if (!any)
			begin_setting(writer, "roles");
		any = true;
		write_role(writer, &fleet->roles[i], machine_of_role(fleet->roles[i].name).n > 0);
	}
	if (any)
		end_setting(writer);
}

static void write_machines(struct writer *writer, const struct fleet *fleet)
{
	if (fleet->machine_count == 0)
		return;
	begin_setting(writer, "machines");
	for (size_t i = 0; i < fleet->machine_count; i++)
		write_machine(writer, fleet, &fleet->machines[i]);
	end_setting(writer);
}

void document_write(struct buf *buf, const struct fleet *fleet)
{
	struct writer writer = {.out = buf, .scratch = arena_new()};

	if (fleet->owner.n > 0)
		buf_format(buf, "owner = %.*s;\n", STR_ARG(quoted(&writer, fleet->owner)));
	write_networks(&writer, fleet);
	write_services(&writer, fleet);
	write_roles(&writer, fleet);
	write_machines(&writer, fleet);
	arena_free(writer.scratch);
}
