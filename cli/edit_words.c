/* network and service: add, set, remove. */
#include "edit.h"

static struct error *parse_prefixes(struct run *run, struct network *network)
{
	struct error *errors = NULL;

	network->prefixes = ARENA_ARRAY(run->arena, struct prefix, run->argument_count);
	for (size_t i = 1; i < run->argument_count; i++) {
		struct str text = run->arguments[i];
		struct prefix *prefix = &network->prefixes[network->prefix_count++];

		switch (prefix_parse(text, prefix)) {
		case PREFIX_OK:
			break;
		case PREFIX_BAD:
			error_collect(&errors, error_hint(error_new(ERROR_INPUT, "\"%.*s\" is no address and no prefix",
			                                            STR_ARG(text)),
			                                  "for example 10.0.0.0/8 or 2001:db8::/32"));
			break;
		case PREFIX_HOST_BITS:
			error_collect(&errors,
			              error_hint(error_new(ERROR_INPUT, "\"%.*s\" has host bits set", STR_ARG(text)),
			                         "the prefix is %.*s", STR_ARG(prefix_str(run->arena, *prefix))));
			break;
		}
	}
	return errors;
}

static struct error *network_change(struct run *run, bool adding)
{
	struct str name = str_lower(run->arena, run->arguments[0]);
	struct edit edit;

	TRY(edit_begin(&edit, run));
	TRY(edit_must(fleet_network(&edit.present, name) != NULL, adding, "network", name));
	edit.wanted.networks = ARENA_NEW(run->arena, struct network);
	edit.wanted.network_count = 1;
	*edit.wanted.networks = (struct network){.name = name, .given = GIVEN_PREFIXES};
	TRY(parse_prefixes(run, edit.wanted.networks));
	return edit_end(&edit);
}

struct error *run_network_add(struct run *run)
{
	return network_change(run, true);
}

struct error *run_network_set(struct run *run)
{
	return network_change(run, false);
}

/* The entry of this protocol, for more ports of it. */
static struct service_port *port_entry(struct service *service, uint8_t protocol)
{
	for (size_t i = 0; i < service->count; i++)
		if (service->ports[i].protocol == protocol)
			return &service->ports[i];
	service->ports[service->count] = (struct service_port){.protocol = protocol};
	return &service->ports[service->count++];
}

static struct error *parse_ports(struct run *run, struct service *service)
{
	struct error *errors = NULL;

	service->ports = ARENA_ARRAY(run->arena, struct service_port, run->argument_count);
	for (size_t i = 1; i < run->argument_count; i++) {
		struct port_range *ports, *all;
		struct service_port *entry;
		uint8_t protocol;
		size_t count;
		struct error *error =
			ports_parse(run->arena, str_lower(run->arena, run->arguments[i]), &protocol, &ports, &count);

		error_collect(&errors, error);
		if (error != NULL)
			continue;
		entry = port_entry(service, protocol);
		all = ARENA_ARRAY(run->arena, struct port_range, entry->port_count + count);
		for (size_t j = 0; j < entry->port_count + count; j++)
			all[j] = j < entry->port_count ? entry->ports[j] : ports[j - entry->port_count];
		entry->ports = all;
		entry->port_count = ports_normalize(all, entry->port_count + count);
	}
	return errors;
}

static struct error *service_change(struct run *run, bool adding)
{
	struct str name = str_lower(run->arena, run->arguments[0]);
	struct edit edit;

	TRY(edit_begin(&edit, run));
	TRY(edit_must(fleet_service(&edit.present, name) != NULL, adding, "service", name));
	edit.wanted.services = ARENA_NEW(run->arena, struct service);
	edit.wanted.service_count = 1;
	*edit.wanted.services = (struct service){.name = name, .given = GIVEN_PORTS};
	TRY(parse_ports(run, edit.wanted.services));
	return edit_end(&edit);
}

struct error *run_service_add(struct run *run)
{
	return service_change(run, true);
}

struct error *run_service_set(struct run *run)
{
	return service_change(run, false);
}

/* Folds the names, and says which of them there are not. */
static struct error *must_exist(struct run *run, const struct fleet *fleet, const char *kind, bool network)
{
	struct error *errors = NULL;

	for (size_t i = 0; i < run->argument_count; i++) {
		struct str name = str_lower(run->arena, run->arguments[i]);
		bool there = network ? fleet_network(fleet, name) != NULL : fleet_service(fleet, name) != NULL;

		run->arguments[i] = name;
		error_collect(&errors, edit_must(there, false, kind, name));
	}
	return errors;
}

struct error *run_network_remove(struct run *run)
{
	struct edit edit;
	size_t kept = 0;

	TRY(edit_begin(&edit, run));
	TRY(must_exist(run, &edit.present, "network", true));
	edit_all(&edit);
	for (size_t i = 0; i < edit.present.network_count; i++)
		if (!edit_named(run, edit.present.networks[i].name))
			edit.wanted.networks[kept++] = edit.present.networks[i];
	edit.wanted.network_count = kept;
	return edit_end(&edit);
}

struct error *run_service_remove(struct run *run)
{
	struct error *errors = NULL;
	struct edit edit;
	size_t kept = 0;

	TRY(edit_begin(&edit, run));
	TRY(must_exist(run, &edit.present, "service", false));
	edit_all(&edit);
	for (size_t i = 0; i < edit.present.service_count; i++) {
		const struct service *service = &edit.present.services[i];

		if (!edit_named(run, service->name))
			edit.wanted.services[kept++] = *service;
		else if (service->builtin)
			error_collect(&errors, error_hint(error_new(ERROR_INPUT, "service %.*s came with the schema",
			                                            STR_ARG(service->name)),
			                                  "fleetwall service set gives it other ports"));
	}
	edit.wanted.service_count = kept;
	return errors != NULL ? errors : edit_end(&edit);
}
