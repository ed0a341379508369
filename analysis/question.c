/* Reads the words of a question: an end (an address, else a machine's name) and a packet ("3306/tcp on eth0"). A packet
 * is one packet: a list or range of ports, a bare "tcp" and "all" are refused with a hint, never widened to "some
 * packet like it". */
#include "explainer.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

static struct error *unknown_machine(const struct explainer *explainer, struct str name)
{
	const struct fleet *fleet = explainer->resolved->fleet;
	struct arena *scratch = arena_new();
	struct str *names = ARENA_ARRAY(scratch, struct str, fleet->machine_count), nearest;
	struct prefix prefix;
	struct error *error = error_new(ERROR_UNKNOWN, "\"%.*s\" is neither an address nor a machine", STR_ARG(name));

	for (size_t i = 0; i < fleet->machine_count; i++)
		names[i] = fleet->machines[i].name;
	nearest = str_nearest(name, names, fleet->machine_count);
	if (prefix_parse(name, &prefix) != PREFIX_BAD)
		error = error_hint(error, "a question is about one address; fleetwall query exposed --from %.*s tells "
		                          "what all of them reach", STR_ARG(name));
	else if (nearest.p != NULL)
		error = error_hint(error, "did you mean %.*s?", STR_ARG(nearest));
	else
		error = error_hint(error, "fleetwall machine list shows those that there are");
	arena_free(scratch);
	return error;
}

struct error *end_parse(const struct explainer *explainer, struct str s, struct end *end)
{
	const struct fleet *fleet = explainer->resolved->fleet;
	struct arena *scratch;
	const struct machine *machine;
	struct addr addr;

	if (addr_parse(s, &addr)) {
		*end = (struct end){.addr = addr};
		return NULL;
	}
	scratch = arena_new();
	machine = fleet_machine(fleet, str_lower(scratch, s));
	arena_free(scratch);
	if (machine == NULL)
		return unknown_machine(explainer, s);
	*end = (struct end){.is_machine = true, .machine = (uint32_t)(machine - fleet->machines)};
	return NULL;
}

/* --- the packet --- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts the first word off `*rest`; empty when there is none. */
static struct str next_word(struct str *rest)
{
	struct str text = str_trim(*rest);
	size_t end = 0;

	while (end < text.n && !is_blank(text.p[end]))
		end++;
	*rest = str_slice(text, end, text.n);
	return str_slice(text, 0, end);
}

static struct error *one_port(const struct port_range *ports, size_t count, uint8_t protocol, struct packet_what *what)
{
	if (count != 1 || ports[0].first != ports[0].last)
		return error_hint(error_new(ERROR_USAGE, "a packet has one port"), "name one of them, as in 443/tcp");
	what->protocol = protocol;
	what->has_port = true;
	what->port = ports[0].first;
	return NULL;
}

static struct error *unknown_service(const struct fleet *fleet, struct str name)
{
	struct arena *scratch = arena_new();
	struct str *names = ARENA_ARRAY(scratch, struct str, fleet->service_count), nearest;
	struct error *error = error_new(ERROR_UNKNOWN, "there is no service \"%.*s\"", STR_ARG(name));

	for (size_t i = 0; i < fleet->service_count; i++)
		names[i] = fleet->services[i].name;
	nearest = str_nearest(name, names, fleet->service_count);
	if (nearest.p != NULL)
		error = error_hint(error, "did you mean %.*s?", STR_ARG(nearest));
	arena_free(scratch);
	return error;
}

static struct error *several_ports(const struct service *service)
{
	struct arena *scratch = arena_new();
	struct buf list = buf_new(scratch);
	struct error *error =
		error_new(ERROR_USAGE, "service %.*s stands for more than one port", STR_ARG(service->name));

	for (size_t i = 0; i < service->count; i++) {
		buf_add(&list, i > 0 ? STR(" ") : STR(""));
		ports_print(&list, service->ports[i].ports, service->ports[i].port_count);
		buf_char(&list, '/');
		protocol_print(&list, service->ports[i].protocol);
	}
	if (service->count > 0)
		error = error_hint(error, "a packet has one; name a port of %.*s", STR_ARG(buf_str(&list)));
	arena_free(scratch);
	return error;
}

static struct error *service_packet(const struct fleet *fleet, struct str name, struct packet_what *what)
{
	const struct service *service = fleet_service(fleet, name);

	if (service == NULL)
		return unknown_service(fleet, name);
	if (service->count != 1 || service->ports[0].port_count != 1 ||
	    service->ports[0].ports[0].first != service->ports[0].ports[0].last)
		return several_ports(service);
	return one_port(service->ports[0].ports, 1, service->ports[0].protocol, what);
}

static struct error *protocol_packet(uint8_t protocol, struct packet_what *what)
{
	if (protocol_has_ports(protocol))
		return error_hint(error_new(ERROR_USAGE, "a packet of this protocol has a port"),
		                  "name it, as in 443/tcp");
	what->protocol = protocol;
	return NULL;
}

/* `icmp` leaves the protocol to the family of the pair; `icmpv4` and `icmpv6` are protocols 1 and 58 in either. */
static void icmp_packet(const struct what *parsed, struct packet_what *what)
{
	what->icmp = parsed->icmp4 && parsed->icmp6;
	if (!what->icmp)
		what->protocol = parsed->icmp4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
	what->icmp_name = parsed->icmp_name == ICMP_ANY ? ICMP_ECHO_REQUEST : parsed->icmp_name;
	what->icmp_type = parsed->icmp_type;
	what->icmp_code = parsed->icmp_code;
}

static struct error *packet_of_what(const struct fleet *fleet, const struct what *parsed, struct packet_what *what)
{
	switch (parsed->kind) {
	case WHAT_ALL:
		return error_hint(error_new(ERROR_USAGE, "\"all\" is not one packet"),
		                  "name one, as 3306/tcp, icmp or esp");
	case WHAT_PROTOCOL:
		return protocol_packet(parsed->protocol, what);
	case WHAT_PORTS:
		return one_port(parsed->ports, parsed->port_count, parsed->protocol, what);
	case WHAT_SERVICE:
		return service_packet(fleet, parsed->service, what);
	case WHAT_ICMP:
		icmp_packet(parsed, what);
		return NULL;
	}
	return NULL;
}

static struct error *interface_parse(const struct explainer *explainer, struct str rest, struct packet_what *what)
{
	struct str word = next_word(&rest), interface;
	struct arena *scratch;
	bool is_on;

	if (word.n == 0)
		return NULL;
	scratch = arena_new();
	is_on = str_is(str_lower(scratch, word), "on");
	arena_free(scratch);
	interface = next_word(&rest);
	if (!is_on || interface.n == 0 || str_trim(rest).n > 0)
		return error_hint(
			error_new(ERROR_USAGE, "expected \"on\" and an interface behind the packet, or nothing"),
			"as in 3306/tcp on eth0");
	if (!interface_valid(interface) || interface.p[interface.n - 1] == '+')
		return error_hint(
			error_new(ERROR_USAGE, "\"%.*s\" is not the name of one interface", STR_ARG(interface)),
			"1 to 15 of A-Z a-z 0-9 _ . @ : -");
	what->interface = str_copy(explainer->arena, interface);
	return NULL;
}

struct error *packet_parse(const struct explainer *explainer, struct str s, struct packet_what *what)
{
	struct arena *scratch = arena_new();
	struct what parsed = {0};
	struct str rest = s, word = next_word(&rest);
	struct error *error = what_parse(scratch, word, &parsed);

	*what = (struct packet_what){.icmp_code = -1};
	if (error == NULL)
		error = packet_of_what(explainer->resolved->fleet, &parsed, what);
	else
		error->kind = ERROR_USAGE;
	arena_free(scratch);
	error_collect(&error, interface_parse(explainer, rest, what));
	return error;
}
