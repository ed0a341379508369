/* Security groups become roles. AWS lets a group's permissions in and nothing else, in both directions; so each role
 * has closed egress, and what may leave is what an `allow … to …` rule says. */
#include "aws.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

void aws_name_roles(struct aws *aws)
{
	struct arena *arena = aws->foreign.arena;
	size_t count = aws->groups.count;
	struct foreign_name *list = ARENA_ARRAY(arena, struct foreign_name, count + 1);

	aws->group_ids = names_new(arena);
	aws->roles = ARENA_ARRAY(arena, struct str, count);
	for (size_t i = 0; i < count; i++) {
		list[i].original = foreign_member(aws->groups.items[i].json, "GroupName");
		list[i].id = aws->groups.items[i].id;
		names_add(aws->group_ids, aws->groups.items[i].id);
	}
	list[count] = (struct foreign_name){.original = STR("aws-left-out"), .id = STR("closed")};
	foreign_names(arena, FOREIGN_ROLE, list, count + 1);
	for (size_t i = 0; i < count; i++) {
		aws->roles[i] = list[i].name;
		if (list[i].name.n == 0)
			foreign_left_out(&aws->foreign, aws->groups.items[i].file,
			                 "security group %.*s: its name can't be told from that of another one",
			                 STR_ARG(list[i].id));
	}
	aws->closed_role = list[count].name;
}

/* NAME (ID in VPC): DESCRIPTION */
static struct str description(struct arena *arena, const struct aws_thing *group)
{
	struct str name = foreign_member(group->json, "GroupName"), vpc = foreign_member(group->json, "VpcId"),
		   text = foreign_member(group->json, "Description");
	struct buf buf = buf_new(arena);

	if (str_eq(text, name))
		text = STR("");
	buf_add(&buf, name);
	buf_format(&buf, " (%.*s%s", STR_ARG(group->id), vpc.n > 0 ? " in " : "");
	buf_add(&buf, vpc);
	buf_add(&buf, text.n > 0 ? STR("): ") : STR(")"));
	buf_add(&buf, text);
	return foreign_line(arena, buf_str(&buf));
}

/* An empty list says that nothing may leave. No list at all is what somebody cut out of a dump; and groups of
 * EC2-Classic, known by having no VPC, had an empty one and let everything out. */
static void note_egress(struct aws *aws, const struct aws_thing *group)
{
	const json_t *list = json_object_get(group->json, "IpPermissionsEgress");
	bool classic = foreign_member(group->json, "VpcId").n == 0;

	if (json_array_size(list) == 0 && (classic || !json_is_array(list)))
		foreign_made_right(&aws->foreign, group->file,
		                   "security group %.*s has no %s: its role is closed outbound", STR_ARG(group->id),
		                   classic ? "VPC, and no permissions for what leaves" : "IpPermissionsEgress");
}

static void make_role(struct aws *aws, size_t number, struct role *role)
{
	const struct aws_thing *group = &aws->groups.items[number];

	*role = (struct role){.name = aws->roles[number],
	                      .given = GIVEN_DESCRIPTION | GIVEN_EGRESS | GIVEN_RULES,
	                      .place = {.file = group->file},
	                      .description = description(aws->foreign.arena, group),
	                      .egress = EGRESS_CLOSED};
	note_egress(aws, group);
	aws_make_rules(aws, number, role);
}

void aws_make_roles(struct aws *aws)
{
	struct fleet *fleet = aws->fleet;

	fleet->roles = ARENA_ARRAY(aws->foreign.arena, struct role, aws->groups.count + 1);
	for (size_t i = 0; i < aws->groups.count; i++)
		if (aws->roles[i].n > 0)
			make_role(aws, i, &fleet->roles[fleet->role_count++]);
	if (aws->closed_role_used)
		fleet->roles[fleet->role_count++] =
			(struct role){.name = aws->closed_role,
		                      .given = GIVEN_DESCRIPTION | GIVEN_EGRESS | GIVEN_RULES,
		                      .description = STR("instances whose security groups were all left out: nothing "
		                                         "may leave them"),
		                      .egress = EGRESS_CLOSED};
}
