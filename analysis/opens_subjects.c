/* What peers and services stand for, on both sides of a comparison: allow rules open by more of it, deny and reject
 * rules by less. Each is looked at once, however many rules speak of it. */
#include <stdlib.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "opening.h"

/* --- remembering --- */

static struct str peer_text(struct arena *scratch, const struct peer *peer, const struct role *role)
{
	struct peer named = *peer;
	struct buf buf = buf_new(scratch);

	if (peer->kind == PEER_SELF && machine_of_role(role->name).n > 0)
		return role->name; /* "machine:NAME": its only member */
	if (peer->kind == PEER_SELF)
		named = (struct peer){.kind = PEER_ROLE, .name = role->name};
	peer_print(&buf, &named);
	return buf_str(&buf);
}

static struct subject *subject_of(struct comparison *comparison, const char *kind, struct str text,
                                  const struct subject *fresh)
{
	struct arena *scratch = comparison->scratch;
	const char *action = fresh->refusing ? "deny" : "allow";
	uint32_t number =
		names_add(comparison->names, str_format(scratch, "%s %s %.*s", action, kind, STR_ARG(text)));

	if (number == comparison->subjects.count) {
		APPEND(scratch, &comparison->subjects, *fresh);
		comparison->subjects.items[number].text = str_copy(comparison->arena, text);
	}
	return &comparison->subjects.items[number];
}

static void speak(struct comparison *comparison, struct subject *subject, uint32_t role)
{
	subject->rules++;
	if (subject->roles.count == 0 || subject->roles.items[subject->roles.count - 1] != role)
		APPEND(comparison->scratch, &subject->roles, role);
}

void subjects_note(struct comparison *comparison, const struct effective_rule *rule, uint32_t role_before,
                   uint32_t role_after)
{
	const struct rule *told = &rule->held->rule;
	struct subject fresh = {
		.refusing = told->action != ACTION_ALLOW, .role = {role_before, role_after}, .first = rule};

	for (size_t i = 0; i < told->peer_count; i++) {
		const struct peer *peer = &told->peers[i];

		if (peer->kind == PEER_LITERAL)
			continue;
		fresh.peer = peer;
		speak(comparison,
		      subject_of(comparison, "peer", peer_text(comparison->pass, peer, rule->role), &fresh),
		      role_after);
		arena_reset(comparison->pass);
	}
	fresh.peer = NULL;
	if (told->what.kind == WHAT_SERVICE)
		speak(comparison, subject_of(comparison, "service", told->what.service, &fresh), role_after);
}

/* --- comparing --- */

struct texts {
	struct arena *arena;
	struct str *items;
	size_t count, capacity;
	size_t total; /* of which only the first OPENING_SHOWN have a text */
};

static void add_prefix(void *context, struct prefix prefix)
{
	struct texts *texts = context;

	if (texts->total++ < OPENING_SHOWN)
		APPEND(texts->arena, texts, prefix_str(texts->arena, prefix));
}

struct ranges {
	struct range *items;
	size_t count, capacity;
};

/* What `more` has and `less` has not; the ranges of both are sorted and disjoint. */
static struct ranges without(struct arena *pass, const struct addr_set *more, const struct addr_set *less)
{
	struct ranges left = {0};
	size_t k = 0;

	for (size_t i = 0; i < more->count; i++) {
		struct range rest = more->ranges[i];
		bool used_up = false;

		while (k < less->count && less->ranges[k].last < rest.first)
			k++;
		for (size_t j = k; !used_up && j < less->count && less->ranges[j].first <= rest.last; j++) {
			const struct range *cut = &less->ranges[j];

			if (cut->first > rest.first)
				APPEND(pass, &left, ((struct range){rest.first, cut->first - 1, rest.family}));
			used_up = cut->last >= rest.last;
			rest.first = used_up ? rest.first : cut->last + 1;
		}
		if (!used_up)
			APPEND(pass, &left, rest);
	}
	return left;
}

static struct addr_set addresses(struct comparison *comparison, const struct subject *subject, bool after,
                                 enum family family)
{
	const struct resolved *resolved = after ? comparison->after.resolved : comparison->before.resolved;

	return peer_addresses(comparison->pass, resolved, subject->peer, &resolved->fleet->roles[subject->role[after]],
	                      subject->refusing, family);
}

static void compare_peer(struct comparison *comparison, const struct subject *subject, struct texts *texts)
{
	static const enum family families[] = {FAMILY_4, FAMILY_6};

	for (size_t i = 0; i < 2; i++) {
		struct addr_set more = addresses(comparison, subject, !subject->refusing, families[i]);
		struct addr_set less = addresses(comparison, subject, subject->refusing, families[i]);
		struct ranges left = without(comparison->pass, &more, &less);
		struct addr_set set = addr_set_of(comparison->pass, families[i], left.items, left.count);

		addr_set_prefixes(&set, add_prefix, texts);
	}
}

static const struct service_port *find_protocol(const struct service *service, uint8_t protocol)
{
	for (size_t i = 0; service != NULL && i < service->count; i++)
		if (service->ports[i].protocol == protocol)
			return &service->ports[i];
	return NULL;
}

static bool has_port(const struct service_port *ports, unsigned port)
{
	for (size_t i = 0; ports != NULL && i < ports->port_count; i++)
		if (ports->ports[i].first <= port && port <= ports->ports[i].last)
			return true;
	return false;
}

/* One protocol's ports that `less` has not, as "80,443/tcp". */
static void compare_ports(struct comparison *comparison, const struct service_port *more,
                          const struct service_port *less, struct texts *texts)
{
	struct buf buf = buf_new(comparison->arena);
	struct {
		struct port_range *items;
		size_t count, capacity;
	} left = {0};

	for (size_t i = 0; i < more->port_count; i++)
		for (unsigned port = more->ports[i].first; port <= more->ports[i].last; port++)
			if (!has_port(less, port))
				APPEND(comparison->pass, &left, ((struct port_range){(uint16_t)port, (uint16_t)port}));
	if (left.count == 0)
		return;
	ports_print(&buf, left.items, ports_normalize(left.items, left.count));
	buf_char(&buf, '/');
	protocol_print(&buf, more->protocol);
	APPEND(texts->arena, texts, buf_str(&buf));
	texts->total++;
}

static void compare_service(struct comparison *comparison, const struct subject *subject, struct texts *texts)
{
	const struct service *before = fleet_service(comparison->before.resolved->fleet, subject->text);
	const struct service *after = fleet_service(comparison->after.resolved->fleet, subject->text);
	const struct service *more = subject->refusing ? before : after, *less = subject->refusing ? after : before;

	for (size_t i = 0; more != NULL && i < more->count; i++)
		compare_ports(comparison, &more->ports[i], find_protocol(less, more->ports[i].protocol), texts);
}

static int place_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The machines that had a rule with it and have it still, each once. */
static struct machine_list machines_of(struct comparison *comparison, const struct subject *subject)
{
	struct machine_list all = {0};
	size_t kept = 0;

	for (size_t i = 0; i < subject->roles.count; i++) {
		const struct machine_list *some = &comparison->kept[subject->roles.items[i]];

		for (size_t k = 0; k < some->count; k++)
			APPEND(comparison->pass, &all, some->items[k]);
	}
	if (all.count > 0)
		qsort(all.items, all.count, sizeof *all.items, place_order);
	for (size_t i = 0; i < all.count; i++)
		if (kept == 0 || all.items[kept - 1] != all.items[i])
			all.items[kept++] = all.items[i];
	all.count = kept;
	return all;
}

static enum opening_kind kind_of(const struct subject *subject)
{
	if (subject->peer != NULL)
		return subject->refusing ? OPENING_REFUSED_PEER : OPENING_PEER;
	return subject->refusing ? OPENING_REFUSED_SERVICE : OPENING_SERVICE;
}

static void compare(struct comparison *comparison, const struct subject *subject)
{
	struct texts texts = {.arena = comparison->arena};
	struct opening *opening;

	if (subject->peer != NULL)
		compare_peer(comparison, subject, &texts);
	else
		compare_service(comparison, subject, &texts);
	if (texts.total == 0)
		return;
	struct machine_list machines = machines_of(comparison, subject);

	opening = opening_add(comparison, kind_of(subject), &comparison->after, &machines);
	opening->subject = subject->text;
	opening->role = subject->first->role->name;
	opening->rule = subject->first->held->text;
	opening->rules = subject->rules;
	opening->items = texts.items;
	opening->item_count = texts.count;
	opening->item_total = texts.total;
}

void subjects_compare(struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->subjects.count; i++) {
		compare(comparison, &comparison->subjects.items[i]);
		arena_reset(comparison->pass);
	}
}
