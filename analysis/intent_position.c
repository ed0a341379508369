/* Positions: what two machines must have in common for the same to become of their packets. Spelled out, so that a
 * proof can be remembered by it; what it leaves out is in the settings and in the contents of sets. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "intent_parts.h"

/* The places of roles in the fleet tell positions apart within one intent; never outside it. */
static struct str key_of(struct intent *intent, size_t number)
{
	const struct machine *machine = &intent->fleet->machines[number];
	const struct number_list *held = &intent->held[number];
	uint32_t head[] = {machine->mode, machine->enforcement, ssh_port_of(intent, number),
	                   egress_closed(intent, number)};

	intent->key->n = 0;
	buf_add(intent->key, (struct str){(const char *)head, sizeof head});
	for (size_t i = 0; i < held->count; i++)
		if (intent->roles[held->items[i]].rule_count > 0)
			buf_add(intent->key, (struct str){(const char *)&held->items[i], sizeof *held->items});
	return buf_str(intent->key);
}

static void spell_service(struct buf *buf, const struct service *service)
{
	buf_add(buf, STR(" ="));
	for (size_t i = 0; service != NULL && i < service->count; i++) {
		buf_char(buf, ' ');
		ports_print(buf, service->ports[i].ports, service->ports[i].port_count);
		buf_char(buf, '/');
		protocol_print(buf, service->ports[i].protocol);
	}
}

static void spell_role(struct buf *buf, const struct intent *intent, uint32_t number)
{
	const struct meant_role *role = &intent->roles[number];

	for (size_t i = 0; i < role->rule_count; i++) {
		const struct role_rule *held = role->rules[i].held;

		buf_add(buf, intent->fleet->roles[number].name);
		buf_add(buf, STR(": "));
		buf_add(buf, held->text);
		if (held->rule.what.kind == WHAT_SERVICE)
			spell_service(buf, fleet_service(intent->fleet, held->rule.what.service));
		buf_char(buf, '\n');
	}
}

static struct str text_of(struct intent *intent, size_t number)
{
	const struct machine *machine = &intent->fleet->machines[number];
	const struct number_list *held = &intent->held[number];
	struct buf buf = buf_new(intent->arena);

	buf_add(&buf, mode_str(machine->mode));
	buf_char(&buf, ' ');
	buf_add(&buf, enforcement_str(machine->enforcement));
	buf_format(&buf, " ssh %u egress ", ssh_port_of(intent, number));
	buf_add(&buf, egress_str(egress_closed(intent, number) ? EGRESS_CLOSED : EGRESS_OPEN));
	buf_char(&buf, '\n');
	for (size_t i = 0; i < held->count; i++)
		spell_role(&buf, intent, held->items[i]);
	return buf_str(&buf);
}

struct str intent_position(struct intent *intent, size_t machine)
{
	uint32_t *position = &intent->position_of[machine];

	if (!has_ruleset(&intent->fleet->machines[machine]))
		return STR("");
	if (*position == NAMES_NONE) {
		*position = names_add(intent->positions, key_of(intent, machine));
		if (*position == intent->texts.count)
			APPEND(intent->arena, &intent->texts, text_of(intent, machine));
	}
	return intent->texts.items[*position];
}
