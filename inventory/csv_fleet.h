/* The fleet that a CSV folder makes, while its files are read. Private to inventory/. */
#ifndef INVENTORY_CSV_FLEET_H
#define INVENTORY_CSV_FLEET_H

#include "csv.h"
#include "fleetwall/fleet.h"

struct csv_file;

#define CSV_LIST(type)                                                                                              \
	struct {                                                                                                    \
		type *items;                                                                                        \
		size_t count, capacity;                                                                             \
	}

/* A row that belongs to the object number `owner` of its list. */
struct address_row {
	uint32_t owner;
	unsigned line;
	size_t line_start;
	struct machine_address address;
};
struct member_row {
	uint32_t owner; /* the machine */
	struct str role;
};
struct rule_row {
	uint32_t owner; /* the role */
	struct role_rule rule;
};
struct prefix_row {
	uint32_t owner;
	struct prefix prefix;
};
struct port_row {
	uint32_t owner;
	struct service_port port;
};

/* Room for the rows of a file at once: a list that grows leaves its old places behind, and rows are most of what is
 * read. `more` are added to what a list holds. */
#define CSV_ROOM(arena, list, more)                                                                                  \
	do {                                                                                                        \
		size_t room_ = (list)->count + (more);                                                              \
		void *old_ = (list)->items;                                                                         \
		if (room_ > (list)->capacity) {                                                                     \
			(list)->items = arena_raw((arena), room_ * sizeof *(list)->items);                          \
			(list)->capacity = room_;                                                                   \
			if ((list)->count > 0)                                                                      \
				memcpy((list)->items, old_, (list)->count * sizeof *(list)->items);                 \
		}                                                                                                   \
	} while (0)

/* Objects are known by the number that `names` gave them; one whose name is faulty has an empty name and stays so. */
struct csv_fleet {
	struct arena *arena;
	struct arena *rows; /* until they are gathered */
	struct faults faults;
	struct error **warnings;
	struct names *machine_names, *role_names, *network_names, *service_names;
	CSV_LIST(struct machine) machines;
	CSV_LIST(struct role) roles;
	CSV_LIST(struct network) networks;
	CSV_LIST(struct service) services;
	CSV_LIST(struct address_row) addresses;
	CSV_LIST(struct member_row) members;
	CSV_LIST(struct rule_row) rules;
	CSV_LIST(struct prefix_row) prefixes;
	CSV_LIST(struct port_row) ports;
	bool has_roles_file; /* then a role that is not in it must exist already */
};

/* Objects of one kind: csv_objects.c. Each reads the rows of its file. */
void csv_read_machines(struct csv_fleet *fleet, struct csv *csv);
void csv_read_roles(struct csv_fleet *fleet, struct csv *csv);
void csv_read_networks(struct csv_fleet *fleet, struct csv *csv);
void csv_read_services(struct csv_fleet *fleet, struct csv *csv);
/* Rows about machines and roles: csv_rows.c. */
void csv_read_addresses(struct csv_fleet *fleet, struct csv *csv);
void csv_read_members(struct csv_fleet *fleet, struct csv *csv);
void csv_read_rules(struct csv_fleet *fleet, struct csv *csv);

extern const struct csv_column csv_machine_columns[], csv_role_columns[], csv_network_columns[], csv_service_columns[],
	csv_address_columns[], csv_member_columns[], csv_rule_columns[];

/* The number of the machine (role) that a cell names, made with `referred` if this is the first time. */
uint32_t csv_machine_number(struct csv_fleet *fleet, const struct csv *csv, size_t column);
uint32_t csv_role_number(struct csv_fleet *fleet, const struct csv *csv, size_t column);

/* Gives every object its rows. */
void csv_gather(struct csv_fleet *fleet, const struct csv_file *addresses);

#endif
