/* A difference between two sets of packets as groups that a person can read: a protocol with ports, perhaps an
 * interface, and peers. Each group is a box of packets that all either differ or were let through on both sides, so
 * that nothing is told that is not so; what no box says is told with a packet as an example. */
#include "difference_parts.h"

#include "fleetwall/rule.h"

#define LO STR("lo")
#define PROTOCOLS_MANY 128 /* so many are rather "all" than a list */
#define RANGES_MANY 4
#define PROTOCOL_RARE 253 /* for experiments (RFC 3692) */

struct scene {
	struct comparison *comparison;
	const struct passing *passing;
	enum difference_change change;
	enum packet_field field;  /* the peer's */
	struct packets space;     /* all packets that are spoken of */
	struct packets differ, common; /* that differ; that both let through, as far as it matters */
	struct packets free;      /* both */
	/* Of the part at hand: */
	struct packets left;      /* that no group told before */
	struct packets peers;     /* packets whose peer is one of */
	struct addr_set addresses;
};

struct class {
	struct numbers *protocols;
	size_t count;
	struct packets packets; /* of these protocols */
};

/* --- a group --- */

static bool is_every(const struct addr_set *set)
{
	return set->count == 1 && set->ranges[0].first == 0 && set->ranges[0].last == family_last(set->family);
}

/* What is told, before it is known of whom. */
struct told {
	const struct class *class;
	struct numbers *ports; /* none: all */
	size_t port_count;
	struct str on;
	bool exact; /* with the peers at hand, all of it is free */
};

static void find_peers(struct scene *scene, const struct told *told, struct packets box, struct packets part,
                       struct difference_group *group)
{
	enum family family = scene->passing->family;
	size_t six = family == FAMILY_6;
	struct packets mine;

	group->peers[0].family = FAMILY_4;
	group->peers[1].family = FAMILY_6;
	/* Everybody, even if of some it was told before; else those who are left. */
	group->peers[six] = packets_addr_set(scene->comparison->arena,
	                                     packets_and(packets_and(box, scene->peers), scene->differ), scene->field,
	                                     family);
	if (!is_every(&group->peers[six]))
		group->peers[six] = packets_addr_set(scene->comparison->arena, part, scene->field, family);
	group->any[six] = is_every(&group->peers[six]) || (told->exact && is_every(&scene->addresses));
	mine = packets_and(box, packets_addresses(scene->field, &group->peers[six]));
	group->aside = told->exact && !packets_within(mine, scene->differ);
}

/* `box`: packets of the kind, whoever the peer is. */
static void tell(struct scene *scene, const struct told *told, struct packets box)
{
	struct comparison *comparison = scene->comparison;
	struct packets part = packets_and(packets_and(box, scene->peers), scene->left);
	struct difference_group group = {
		.change = scene->change,
		.way = scene->passing->way,
		.on = told->on,
		.protocols = told->class->protocols,
		.protocol_count = told->class->count,
		.ports = told->ports,
		.port_count = told->port_count,
	};
	struct sample sample;

	if (!packets_sample(comparison->arena, part, &sample))
		return;
	words_what(comparison->arena, scene->passing->family, &group);
	find_peers(scene, told, box, part, &group);
	if (!told->exact)
		group.example = words_packet(comparison->arena, &sample, scene->passing->way);
	cause_find(comparison, scene->passing, part, &group);
	APPEND(comparison->arena, &comparison->groups, group);
	scene->left = packets_without(scene->left, part);
}

/* --- ports --- */

static bool fits(const struct scene *scene, struct packets box)
{
	return packets_within(packets_and(box, scene->peers), scene->free);
}

/* Which ports occur, whatever the rest. */
static struct packets ports_of(struct comparison *comparison, struct packets set, struct numbers **ports,
                               size_t *count)
{
	struct packets all = packets_none();

	*count = packets_number_set(comparison->arena, set, FIELD_PORT, ports);
	for (size_t i = 0; i < *count; i++)
		all = packets_or(all, packets_numbers(FIELD_PORT, (*ports)[i].first, (*ports)[i].last));
	return all;
}

/* Of `rest`, the ports with which every packet of the box is free: told, and taken away from `rest`. */
static struct packets take_ports(struct scene *scene, const struct class *class, struct packets box, struct str on,
                                 struct packets rest)
{
	struct comparison *comparison = scene->comparison;
	struct packets bad = packets_without(packets_and(box, scene->peers), scene->free), good, all;
	struct told told = {.class = class, .on = on, .exact = true};

	good = packets_without(packets_and(rest, box),
	                       ports_of(comparison, bad, &told.ports, &told.port_count));
	if (packets_empty(good))
		return rest;
	all = ports_of(comparison, good, &told.ports, &told.port_count);
	if (packets_empty(bad) && told.port_count > RANGES_MANY)
		told.port_count = 0;
	else
		box = packets_and(box, all);
	tell(scene, &told, box);
	return packets_without(rest, box);
}

static bool interface_of(const struct match *match, enum difference_way way)
{
	return match->kind == (way == DIFFERENCE_OUT ? MATCH_OUT : MATCH_IN) && match->name.n > 0;
}

static void add_interfaces(struct names *names, const struct filter *filter, enum difference_way way)
{
	for (size_t i = 0; i < filter->chain_count; i++)
		for (size_t k = 0; k < filter->chains[i].rule_count; k++) {
			const struct filter_rule *rule = &filter->chains[i].rules[k];

			for (size_t m = 0; m < rule->match_count; m++)
				if (interface_of(&rule->matches[m], way))
					names_add(names, rule->matches[m].name);
		}
}

static struct packets take_interfaces(struct scene *scene, const struct class *class, struct packets rest)
{
	struct comparison *comparison = scene->comparison;
	enum packet_field field = scene->passing->way == DIFFERENCE_OUT ? FIELD_OUT : FIELD_IN;
	size_t six = scene->passing->family == FAMILY_6;
	struct names *names = names_new(comparison->arena);

	for (size_t side = 0; side < 2; side++)
		add_interfaces(names, comparison->filters[side][six], scene->passing->way);
	for (uint32_t i = 0; i < names_count(names) && !packets_empty(rest); i++) {
		struct str name = names_get(names, i);
		struct packets box = packets_and(class->packets, packets_interface(field, name));

		if (!str_eq(name, LO))
			rest = take_ports(scene, class, box, name, rest);
	}
	return rest;
}

static void tell_class(struct scene *scene, const struct class *class, struct packets rest, struct str on)
{
	struct told told = {.class = class, .on = on};

	rest = take_ports(scene, class, class->packets, on, rest);
	if (on.n == 0 && !packets_empty(rest))
		rest = take_interfaces(scene, class, rest);
	if (packets_empty(rest))
		return;
	(void)ports_of(scene->comparison, rest, &told.ports, &told.port_count);
	tell(scene, &told, rest);
}

/* --- protocols --- */

struct class_list {
	struct class *items;
	size_t count, capacity;
};

static struct packets of_protocols(const struct scene *scene, const struct numbers *numbers, size_t count)
{
	struct packets all = packets_none();

	for (size_t i = 0; i < count; i++)
		all = packets_or(all, packets_numbers(FIELD_PROTOCOL, numbers[i].first, numbers[i].last));
	return packets_and(scene->space, all);
}

static void add_protocol(struct comparison *comparison, struct class_list *list, struct packets rest, unsigned protocol)
{
	struct class *class = NULL;

	for (size_t i = 0; i < list->count && class == NULL; i++)
		if (packets_eq(list->items[i].packets, rest))
			class = &list->items[i];
	if (class == NULL) {
		APPEND(comparison->arena, list, ((struct class){.packets = rest}));
		class = &list->items[list->count - 1];
		class->protocols = ARENA_ARRAY(comparison->arena, struct numbers, 256);
	}
	if (class->count > 0 && class->protocols[class->count - 1].last + 1 == protocol)
		class->protocols[class->count - 1].last = protocol;
	else
		class->protocols[class->count++] = (struct numbers){protocol, protocol};
}

/* Protocols with the same packets, but for that they have ports or types of their own. */
static struct class_list classes_of(struct comparison *comparison, struct packets set)
{
	struct class_list list = {0};
	struct numbers *numbers;
	size_t count = packets_number_set(comparison->arena, set, FIELD_PROTOCOL, &numbers);

	for (size_t i = 0; i < count; i++)
		for (unsigned k = numbers[i].first; k <= numbers[i].last; k++)
			add_protocol(comparison, &list,
			             packets_any(packets_and(set, packets_number(FIELD_PROTOCOL, k)),
			                         FIELD_PROTOCOL),
			             k);
	return list;
}

static bool is_many(struct comparison *comparison, struct packets set)
{
	struct numbers *numbers;
	size_t count = packets_number_set(comparison->arena, set, FIELD_PROTOCOL, &numbers), all = 0;

	for (size_t i = 0; i < count; i++)
		all += numbers[i].last - numbers[i].first + 1;
	return all >= PROTOCOLS_MANY;
}

static void tell_all(struct scene *scene, struct packets set, struct str on)
{
	static struct numbers protocols = {0, 255};
	const struct class every = {.protocols = &protocols, .count = 1};
	struct comparison *comparison = scene->comparison;
	struct class_list list;

	if (is_many(comparison, set) && fits(scene, scene->space)) {
		tell(scene, &(struct told){.class = &every, .on = on, .exact = true}, scene->space);
		return;
	}
	list = classes_of(comparison, set);
	for (size_t i = 0; i < list.count; i++) {
		struct class *class = &list.items[i];

		class->packets = of_protocols(scene, class->protocols, class->count);
		tell_class(scene, class, packets_and(set, class->packets), on);
	}
}

/* --- peers --- */

static struct packets point_of(const struct sample *sample, enum packet_field peer)
{
	const struct prefix ends[2] = {{sample->source, family_width(sample->family)},
	                               {sample->destination, family_width(sample->family)}};
	struct packets point = packets_and(packets_family(sample->family), packets_state(sample->state));
	const struct {
		enum packet_field field;
		unsigned number;
	} numbers[] = {{FIELD_PROTOCOL, sample->protocol}, {FIELD_PORT, sample->port},
	               {FIELD_SOURCE_PORT, sample->source_port}, {FIELD_FLAGS, sample->flags},
	               {FIELD_FRAGMENT, sample->fragment}};

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		point = packets_and(point, packets_number(numbers[i].field, numbers[i].number));
	point = packets_and(point, packets_interface(FIELD_IN, sample->in));
	point = packets_and(point, packets_interface(FIELD_OUT, sample->out));
	return packets_and(point, peer == FIELD_SOURCE ? packets_prefix(FIELD_DESTINATION, ends[1])
	                                               : packets_prefix(FIELD_SOURCE, ends[0]));
}

/* All peers with whom one packet is free, then all that is free with each of them and nobody else: a box that has the
 * packet in it, and nothing that is told better of more peers. */
static void tell_part(struct scene *scene, const struct sample *sample, struct str on)
{
	struct comparison *comparison = scene->comparison;
	struct packets with = packets_and(scene->free, point_of(sample, scene->field)), set;

	scene->addresses = packets_addr_set(comparison->arena, with, scene->field, scene->passing->family);
	scene->peers = packets_and(scene->space, packets_addresses(scene->field, &scene->addresses));
	set = packets_any(packets_and(scene->left, scene->peers), scene->field);
	set = packets_without(set, packets_any(packets_without(scene->peers, scene->free), scene->field));
	set = packets_without(packets_and(set, scene->space),
	                      packets_any(packets_without(scene->free, scene->peers), scene->field));
	tell_all(scene, set, on);
	scene->left = packets_without(scene->left, packets_and(set, scene->peers));
}

/* First what differs whatever the protocol: it has much of the rest in it. */
static bool next_sample(struct scene *scene, struct sample *sample)
{
	struct packets rare = packets_and(scene->left, packets_number(FIELD_PROTOCOL, PROTOCOL_RARE));

	return packets_sample(scene->comparison->arena, rare, sample) ||
	       packets_sample(scene->comparison->arena, scene->left, sample);
}

static void tell_differ(struct scene *scene, struct str on)
{
	struct sample sample;

	scene->left = scene->differ;
	while (next_sample(scene, &sample)) {
		size_t mark = packets_mark();

		tell_part(scene, &sample, on);
		scene->left = packets_release_but(mark, scene->left);
	}
}

/* --- what matters --- */

static struct packets peers_of(struct scene *scene, struct packets set, bool *few)
{
	struct addr_set addresses =
		packets_addr_set(scene->comparison->arena, set, scene->field, scene->passing->family);
	addr_bits count = 0, half = family_last(scene->passing->family) / 2;

	for (size_t i = 0; i < addresses.count; i++)
		count += addresses.ranges[i].last - addresses.ranges[i].first;
	*few = count < half;
	return packets_addresses(scene->field, &addresses);
}

/* Of what both sides let through: with the packets that differ, or with every peer that is looked at. */
static struct packets common_of(struct scene *scene, struct packets differ, struct packets both)
{
	struct packets always = packets_surely(both), peers;
	struct packets entering = packets_and(scene->space, scene->passing->entering);
	bool few;

	always = packets_without(scene->space, packets_any(packets_without(entering, always), scene->field));
	both = packets_and(both, packets_or(packets_any(differ, scene->field), always));
	peers = peers_of(scene, differ, &few);
	if (few)
		both = packets_and(both, peers);
	return sets_put(scene->comparison, both);
}

/* Where packets go or come by the loopback interface, nobody else is meant. */
static void find_in(struct scene *scene, struct packets differ, struct packets space, struct str on)
{
	scene->space = space;
	scene->differ = packets_and(differ, space);
	if (packets_empty(scene->differ))
		return;
	scene->common = common_of(scene, scene->differ,
	                          packets_and(space, packets_and(scene->passing->before, scene->passing->after)));
	scene->free = packets_or(scene->differ, scene->common);
	tell_differ(scene, on);
}

static void find_change(struct comparison *comparison, const struct passing *passing, enum difference_change change,
                        struct packets differ)
{
	enum packet_field interface = passing->way == DIFFERENCE_OUT ? FIELD_OUT : FIELD_IN;
	struct packets fresh = packets_and(packets_family(passing->family), packets_state(STATE_NEW));
	struct packets lo = packets_interface(interface, LO);
	struct scene scene = {
		.comparison = comparison,
		.passing = passing,
		.change = change,
		.field = passing->way == DIFFERENCE_OUT ? FIELD_DESTINATION : FIELD_SOURCE,
	};

	if (packets_empty(differ))
		return;
	fresh = packets_and(fresh, packets_number(FIELD_FRAGMENT, 0));
	comparison->states |= !packets_within(differ, fresh);
	differ = sets_put(comparison, packets_and(differ, fresh));
	if (passing->way == DIFFERENCE_FORWARD) {
		find_in(&scene, differ, fresh, STR(""));
		return;
	}
	find_in(&scene, differ, packets_without(fresh, lo), STR(""));
	find_in(&scene, differ, packets_and(fresh, lo), LO);
}

void groups_find(struct comparison *comparison, const struct passing *passing)
{
	find_change(comparison, passing, DIFFERENCE_OPENS, packets_without(passing->after, passing->before));
	find_change(comparison, passing, DIFFERENCE_CLOSES, packets_without(passing->before, passing->after));
}
