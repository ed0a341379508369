/* What the files of the AWS importer share: the things of the dump, by id. Stages: the things are collected (aws.c),
 * groups become roles (aws_groups.c, aws_rules.c), instances and interfaces become machines (aws_machines.c,
 * aws_interfaces.c). Private to inventory/. */
#ifndef INVENTORY_AWS_H
#define INVENTORY_AWS_H

#include "foreign.h"

/* A security group, an instance or a network interface. */
struct aws_thing {
	struct str id;
	json_t *json; /* an object */
	struct str file;
};
struct aws_things { /* sorted by id, unique, once aws_read() has collected them */
	struct aws_thing *items;
	size_t count, capacity;
};

struct aws {
	struct foreign foreign;
	struct aws_things groups, instances, interfaces;
	struct names *group_ids; /* the number of an id is its place in `groups` */
	struct str *roles;       /* the role of each group; empty: it is left out */
	struct str closed_role;  /* of machines whose groups are all left out: closed outbound, as each of those is */
	bool closed_role_used;
	size_t groupless; /* machines whose groups are not known, because no file says anything of groups */
	struct fleet *fleet;
};

/* The role of a group of the dump; empty if there is none. */
struct str aws_role(const struct aws *aws, struct str group_id);
/* The member's value if it is a list that holds something; NULL if there is nothing. What is neither list nor null is
 * left out, with a note about `owner`. */
const json_t *aws_list(struct aws *aws, const struct aws_thing *owner, const json_t *object, const char *key);

/* Names the roles. Must come first. */
void aws_name_roles(struct aws *aws);
/* Fills fleet->roles; the closed role is among them if a machine uses it. Comes last. */
void aws_make_roles(struct aws *aws);
/* What a permission speaks of: NULL, or why it can't be told exactly. `*range_ignored`: it gives a port range that
 * means nothing with its protocol. */
const char *aws_what(struct arena *arena, const json_t *permission, struct what *what, bool *range_ignored);
/* The same as the permission spells it, for messages: "tcp 22-80". */
struct str aws_what_said(struct arena *arena, const json_t *permission);
/* The rules of one group, sorted by text, unique. */
void aws_make_rules(struct aws *aws, size_t group, struct role *role);
/* Fills fleet->machines. */
void aws_make_machines(struct aws *aws);

/* One machine's interfaces: those that its instance lists and those that are attached to it; or one alone. */
struct aws_records {
	struct aws_thing *items; /* ids are those of interfaces; may be empty */
	size_t count, capacity;
};
/* Sets machine->addresses. `instance` may be NULL. */
void aws_addresses(struct aws *aws, const struct aws_thing *owner, const json_t *instance,
                   const struct aws_records *records, struct machine *machine);
/* Sets machine->roles: those of groups that all interfaces have. False: a group was left out. */
bool aws_memberships(struct aws *aws, const struct aws_thing *owner, const json_t *instance,
                     const struct aws_records *records, struct machine *machine);

#endif
