/* Positions: what two machines must have in common for the same to become of their packets. The text
 * is the same in every process, so that a proof can be remembered by it; what it leaves out is in the settings and in
 * the contents of sets. */
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "intent_parts.h"

#define TEXT_MOST 128 /* "exclusive enforce ssh 22 egress open rules …", as a rule */

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

/* Of the role's name and its rules, and of what they name besides peers. */
static const struct digest *role_digest(struct intent *intent, uint32_t number)
{
	struct meant_role *role = &intent->roles[number];
	struct arena *scratch;
	struct buf buf;

	if (role->digested)
		return &role->digest;
	scratch = arena_new();
	buf = buf_new(scratch);
	buf_add(&buf, intent->fleet->roles[number].name);
	for (size_t i = 0; i < role->rule_count; i++) {
		const struct role_rule *held = role->rules[i].held;

		buf_char(&buf, '\n');
		buf_add(&buf, held->text);
		if (held->rule.what.kind == WHAT_SERVICE)
			spell_service(&buf, fleet_service(intent->fleet, held->rule.what.service));
	}
	role->digest = digest_of(buf_str(&buf));
	role->digested = true;
	arena_free(scratch);
	return &role->digest;
}

static void spell_roles(struct buf *buf, struct intent *intent, const struct number_list *held)
{
	struct arena *scratch = arena_new();
	struct buf all = buf_new(scratch);
	struct digest digest;
	char hex[65];

	for (size_t i = 0; i < held->count; i++)
		if (intent->roles[held->items[i]].rule_count > 0)
			buf_add(&all, (struct str){(const char *)role_digest(intent, held->items[i]),
			                           sizeof(struct digest)});
	digest = digest_of(buf_str(&all));
	digest_hex(&digest, hex);
	buf_add(buf, str_of(hex));
	arena_free(scratch);
}

static struct str text_of(struct intent *intent, size_t number)
{
	const struct machine *machine = &intent->fleet->machines[number];
	struct buf buf = buf_new(intent->arena);

	buf_reserve(&buf, TEXT_MOST);
	buf_add(&buf, mode_str(machine->mode));
	buf_char(&buf, ' ');
	buf_add(&buf, enforcement_str(machine->enforcement));
	buf_format(&buf, " ssh %u egress ", ssh_port_of(intent, number));
	buf_add(&buf, egress_str(egress_closed(intent, number) ? EGRESS_CLOSED : EGRESS_OPEN));
	buf_add(&buf, STR(" rules "));
	spell_roles(&buf, intent, &intent->held[number]);
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
