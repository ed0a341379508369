/* What the files of the Ansible importer share: hosts and groups, by name. Private to inventory/. */
#ifndef INVENTORY_ANSIBLE_H
#define INVENTORY_ANSIBLE_H

#include "foreign.h"

struct ansible_host {
	struct str original, name; /* name is empty: it is left out */
	const json_t *variables;   /* may be NULL */
};

struct ansible {
	struct foreign foreign;
	struct str file;
	const struct str *variables; /* those that hold addresses */
	bool *variable_seen; /* some host has it */
	size_t variable_count;
	struct names *host_names;
	struct {
		struct ansible_host *items; /* the number of a name in host_names is its place here */
		size_t count, capacity;
	} hosts;
	struct fleet *fleet;
};

/* The number of the host, new if it was not known. */
uint32_t ansible_host_number(struct ansible *ansible, struct str name);

/* Reads the groups: hosts that they name are added to `hosts`. ansible_end_groups() then gives the roles, and each
 * machine its own; machines[i] belongs to hosts.items[i]. */
struct ansible_groups;
struct ansible_groups *ansible_read_groups(struct ansible *ansible, json_t *document);
void ansible_end_groups(struct ansible *ansible, struct ansible_groups *groups, struct machine *machines);

/* What the variables of a host say: its addresses, where ssh finds it. */
void ansible_variables(struct ansible *ansible, const struct ansible_host *host, struct machine *machine);

/* Tells things apart that have no id: 8 hexadecimal digits of FNV-1a of the name. */
struct str ansible_id(struct arena *arena, struct str name);

#endif
