/* CSV folders: what rows mean, what is left alone, and each fault at its file, line and column. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena_fixture.h"
#include "fleetwall/arena.h"
#include "fleetwall/buf.h"
#include "fleetwall/document.h"
#include "random_fleet.h"
#include "suite_main.h"

static struct error *warnings;

static void setup(void)
{
	warnings = NULL;
}

static bool holds(struct str s, const char *part)
{
	return memmem(s.p == NULL ? "" : s.p, s.n, part, strlen(part)) != NULL;
}

#define FILES_MAX 8

/* Name and text in turns, to a NULL. machines.csv with the machine m is there if it is not given. */
static struct error *read_files(struct fleet *fleet, const char *const *texts)
{
	struct csv_file files[FILES_MAX] = {{STR("d/machines.csv"), STR("name\nm\n")}};
	size_t count = texts[0] != NULL && strcmp(texts[0], "machines") == 0 ? 0 : 1;

	for (; *texts != NULL; texts += 2, count++)
		files[count] = (struct csv_file){str_format(arena, "d/%s.csv", texts[0]), str_of(texts[1])};
	return csv_read(arena, files, count, fleet, &warnings);
}

static struct fleet good(const char *const *texts)
{
	struct fleet fleet;
	struct error *error = read_files(&fleet, texts);

	none(error);
	return fleet;
}
#define GOOD(...) good((const char *const[]){__VA_ARGS__, NULL})

static void same(struct str s, const char *expected)
{
	ck_assert_msg(str_is(s, expected), "\"%.*s\" is not \"%s\"", STR_ARG(s), expected);
}

/* --- meaning --- */

START_TEST(machines_alone_are_enough)
{
	struct fleet fleet = GOOD("machines", "name\nWEB1\nweb2.example.net");
	const struct machine *machine = fleet_machine(&fleet, STR("web1"));

	ck_assert_uint_eq(fleet.machine_count, 2);
	ck_assert_uint_eq(machine->given, 0);
	ck_assert(machine->enabled && !machine->referred);
	ck_assert_uint_eq(machine->place.line, 2);
	ck_assert_uint_eq(machine->place.column, 1);
	ck_assert_ptr_nonnull(fleet_machine(&fleet, STR("web2.example.net")));
}
END_TEST

START_TEST(an_empty_cell_is_the_default)
{
	struct fleet fleet =
		GOOD("machines",
	             "ssh_host,name,labels,mode,enforcement,enabled,ssh_port\n,a,,,,,\n"
	             "h,b,\"{\"\"env\"\":\"\"p,q\"\"}\",coexist,monitor,false,2222\n,c, env=prod ; tier=;,,,TRUE,\n");
	const struct machine *a = &fleet.machines[0], *b = &fleet.machines[1], *c = &fleet.machines[2];

	ck_assert_uint_eq(a->given, GIVEN_LABELS | GIVEN_MODE | GIVEN_ENFORCEMENT | GIVEN_ENABLED | GIVEN_SSH_PORT |
	                                    GIVEN_SSH_HOST);
	ck_assert(a->enabled && a->mode == MODE_EXCLUSIVE && a->enforcement == ENFORCEMENT_ENFORCE &&
	          a->ssh_port == 0 && a->label_count == 0);
	ck_assert(!b->enabled && b->mode == MODE_COEXIST && b->enforcement == ENFORCEMENT_MONITOR &&
	          b->ssh_port == 2222);
	same(b->ssh_host, "h");
	same(b->labels[0].value, "p,q");
	ck_assert_uint_eq(c->label_count, 2);
	same(c->labels[0].key, "env");
	same(c->labels[1].key, "tier");
	same(c->labels[1].value, "");
}
END_TEST

START_TEST(roles_and_their_selectors)
{
	struct fleet fleet =
		GOOD("roles", "name,description,owner,selector,egress\nnone,,,,\nall,\"a \"\"b\"\"\",me,{},closed\n"
	                      "prod,,,\"{\"\"env\"\": \"\"prod\"\"}\",open\n");
	const struct role *all = fleet_role(&fleet, STR("all")), *prod = fleet_role(&fleet, STR("prod"));

	ck_assert_uint_eq(all->given, GIVEN_DESCRIPTION | GIVEN_OWNER | GIVEN_SELECTOR | GIVEN_EGRESS);
	same(all->description, "a \"b\"");
	ck_assert(all->has_selector && all->selector_count == 0 && all->egress == EGRESS_CLOSED);
	ck_assert(prod->has_selector && prod->selector_count == 1);
	ck_assert(!fleet_role(&fleet, STR("none"))->has_selector);
}
END_TEST

START_TEST(rows_become_lists)
{
	struct fleet fleet = GOOD("machines", "name\nb\na\n", "roles", "name\nr\ns\n", "addresses",
	                          "machine,address,label\na,::2,\nA,10.0.0.1,Private\na,::2,\nb,::1,\n", "members",
	                          "role,machine\ns,a\nr,a\nS,a\n", "networks",
	                          "name,prefix\nn,10.0.0.0/8\nempty,\nn,::/0\nn,10.0.0.0/8\n", "services",
	                          "name,port\nx,53/udp\nx,\"53,54/tcp\"\nx,55/tcp\n");
	const struct machine *a = &fleet.machines[0];

	ck_assert_uint_eq(a->given, GIVEN_ADDRESSES | GIVEN_ROLES);
	ck_assert_uint_eq(a->address_count, 2);
	same(a->addresses[0].label, "private");
	ck_assert_uint_eq(a->role_count, 2);
	same(a->roles[0], "r");
	same(a->roles[1], "s");
	ck_assert_uint_eq(fleet.machines[1].given, GIVEN_ADDRESSES);
	ck_assert_uint_eq(fleet_role(&fleet, STR("r"))->given, GIVEN_MEMBERS);
	ck_assert_uint_eq(fleet_network(&fleet, STR("n"))->prefix_count, 2);
	ck_assert_uint_eq(fleet_network(&fleet, STR("empty"))->prefix_count, 0);
	ck_assert_uint_eq(fleet_network(&fleet, STR("empty"))->given, GIVEN_PREFIXES);
	ck_assert_uint_eq(fleet_service(&fleet, STR("x"))->count, 2);
	ck_assert_uint_eq(fleet_service(&fleet, STR("x"))->ports[0].port_count, 1);
}
END_TEST

START_TEST(rules_and_a_machines_own)
{
	struct fleet fleet = GOOD("rules", "rule,role,ticket,owner,enabled\n\"allow 80,443/tcp # "
	                                   "web\",r,T-1,me,false\nALLOW 22/TCP,Machine:M,,,\n"
	                                   "deny all,empty,,,\nallow 80/tcp,r,,,true\n,blank,,,\n");
	const struct role *r = fleet_role(&fleet, STR("r")), *own = fleet_role(&fleet, STR("machine:m"));

	ck_assert_uint_eq(r->rule_count, 2);
	same(r->rules[0].text, "allow 80,443/tcp");
	same(r->rules[0].rule.comment, "web");
	same(r->rules[0].ticket, "T-1");
	same(r->rules[0].owner, "me");
	ck_assert(!r->rules[0].enabled && r->rules[1].enabled);
	ck_assert_uint_eq(r->rules[0].place.line, 2);
	ck_assert_uint_eq(r->rules[0].place.column, 2);
	same(own->rules[0].text, "allow 22/tcp");
	ck_assert_uint_eq(own->given, GIVEN_RULES);
	ck_assert_uint_eq(fleet_role(&fleet, STR("empty"))->given, GIVEN_RULES);
	ck_assert_uint_eq(fleet_role(&fleet, STR("empty"))->rule_count, 0);
	ck_assert_uint_eq(fleet_role(&fleet, STR("blank"))->given, GIVEN_RULES);
	ck_assert_ptr_null(fleet_check(arena, &fleet, NULL));
}
END_TEST

/* Without roles.csv, a role is made by the first row that names it; with it, what it does not name must exist already.
 */
START_TEST(roles_that_are_only_named)
{
	struct fleet fleet = GOOD("members", "role,machine\nr,m\n"), known;
	struct error *error;

	ck_assert(!fleet.roles[0].referred);
	ck_assert_ptr_null(fleet_check(arena, &fleet, NULL));
	fleet = GOOD("roles", "name\nrot\n", "members", "role,machine\nroot,m\n");
	ck_assert(fleet_role(&fleet, STR("root"))->referred);
	error = fleet_check(arena, &fleet, NULL);
	ck_assert_uint_eq(error_count(error), 1);
	ck_assert_int_eq(error->kind, ERROR_UNKNOWN);
	ck_assert(str_is(error->message, "there is no role \"root\""));
	ck_assert(holds(error->hint, "\"rot\""));
	ck_assert(str_is(error->place.file, "d/members.csv"));
	ck_assert_uint_eq(error->place.line, 2);
	known = GOOD("roles", "name\nroot\n");
	ck_assert_ptr_null(fleet_check(arena, &fleet, &known));
}
END_TEST

START_TEST(machines_that_are_only_named)
{
	struct fleet fleet =
		GOOD("addresses", "machine,address\nn,::1\nm,::2\n", "rules", "role,rule\nmachine:x,allow all\n");
	struct error *error = fleet_check(arena, &fleet, NULL);

	ck_assert_uint_eq(error_count(error), 2);
	same(error->message, "there is no machine \"n\"");
	same(error->place.file, "d/addresses.csv");
	same(error->next->message, "role machine:x: there is no machine \"x\"");
	same(error->next->place.file, "d/rules.csv");
}
END_TEST

START_TEST(the_texts_ends_may_be_any)
{
	struct fleet fleet =
		GOOD("machines", "\xef\xbb\xbfname,mode\r\n\r\na,\r\n\"b\",\"coexist\"\r\n\n\"c\",exclusive");

	ck_assert_uint_eq(fleet.machine_count, 3);
	ck_assert_int_eq(fleet.machines[1].mode, MODE_COEXIST);
	ck_assert_uint_eq(fleet.machines[2].place.line, 6);
}
END_TEST

START_TEST(warnings_know_their_place)
{
	struct fleet fleet = GOOD("rules", "role,rule\nr,\"allow 80\"\n");

	ck_assert_uint_eq(fleet.role_count, 1);
	ck_assert_uint_eq(error_count(warnings), 1);
	same(warnings->place.file, "d/rules.csv");
	ck_assert_uint_eq(warnings->place.line, 2);
	ck_assert_uint_eq(warnings->place.column, 10);
}
END_TEST

/* --- faults --- */

static const struct fault {
	const char *file, *text;
	unsigned line, column;
	const char *message, *hint;
} faults[] = {
	{"machines", "", 1, 1, "the file is empty", "names the columns"},
	{"machines", "mode\n", 1, 1, "column \"name\" is missing", ""},
	{"machines", "name,mod\n", 1, 6, "unknown column \"mod\"", "did you mean \"mode\"?"},
	{"machines", "name,Mode\n", 1, 6, "unknown column \"Mode\"", "did you mean \"mode\"?"},
	{"machines", "name,mode,name\n", 1, 11, "column \"name\" stands twice", ""},
	{"machines", "name,\n", 1, 6, "unknown column \"\"", ""},
	{"machines", "name,mode\na\n", 2, 1, "a row of 1 cell", "the header has 2"},
	{"machines", "name\na,b\n", 2, 1, "a row of 2 cells", "must be quoted"},
	{"machines", "name,mode\na,\"co\n", 2, 3, "the quote that opens here is never closed", "twice"},
	{"machines", "name,mode\na,\"coexist\" \nb,\n", 2, 12, "text behind a closing quote", "twice"},
	{"machines", "name,mode\na,co\"exist\n", 2, 5, "a quote inside a cell", "put the whole cell in quotes"},
	{"machines", "name,mode\n,\n", 2, 1, "", ""},
	{"machines", "name\n-a\n", 2, 1, "", ""},
	{"machines", "name\n10.0.0.1\n", 2, 1, "", ""},
	{"machines", "name,mode\na,exlusive\n", 2, 3, "mode can't be \"exlusive\"", "exclusive, coexist"},
	{"machines", "name,mode\na,\"exclusive\nx\"\n", 2, 4, "mode can't be", ""},
	{"machines", "name,enforcement\na,off\n", 2, 3, "enforcement can't be \"off\"", "unmanaged"},
	{"machines", "name,enabled\na,yes\n", 2, 3, "enabled can't be \"yes\"", "true, false"},
	{"machines", "name,ssh_port\na,0\n", 2, 3, "ssh_port \"0\" is no port", "1 to 65535"},
	{"machines", "name,ssh_port\na,65536\n", 2, 3, "ssh_port \"65536\" is no port", ""},
	{"machines", "name,ssh_port\na,-1\n", 2, 3, "ssh_port \"-1\" is no port", ""},
	{"machines", "name,ssh_host\na,-oProxyCommand=x\n", 2, 3, "ssh_host", "does not begin"},
	{"machines", "name,labels\na,\"{\"\"env\"\":1}\"\n", 2, 4, "label \"env\" is no string", "quotes"},
	{"machines", "name,labels\na,\"[]\"\n", 2, 4, "labels are a JSON object", ""},
	{"machines", "name,labels\na,\"{\"\"env\"\":}\"\n", 2, 13, "no JSON object", ""},
	{"machines", "name,labels\na,\"{\"\"a\"\":\"\"1\"\",\"\"a\"\":\"\"2\"\"}\"\n", 2, 20,
         "no JSON object: duplicate", ""},
	{"machines", "name,labels\na,\"{\"\"a\"\":\"\"\\u0000\"\"}\"\n", 2, 0, "JSON", ""},
	{"roles", "name,selector\nr, \n", 2, 3, "\" \" is no label", ""},
	{"roles", "name,selector\nr,;\n", 2, 3, "\";\" is no label", ""},
	{"machines", "name,labels\na,env\n", 2, 3, "\"env\" is no label", "key=value"},
	{"machines", "name,labels\na,env=a;env=b\n", 2, 3, "label \"env\" is given twice", ""},
	{"machines", "name,mode\na,\nb,\na,coexist\n", 4, 1, "machine a is given twice, with different content",
         "line 2"},
	{"roles", "name,owner\nr,x\nR,y\n", 3, 1, "role r is given twice", "line 2"},
	{"roles", "name,egress\nr,close\n", 2, 3, "egress can't be \"close\"", "open, closed"},
	{"roles",
         "name,description\nr,a\x01"
         "b\n",
         2, 4, "description holds a control character (byte 0x01)", ""},
	{"roles", "name,description\nr,\"a\nb\"\n", 2, 5, "description holds a control character (byte 0x0a)",
         "one line"},
	{"roles", "name,owner\nr,a\xff\n", 2, 4, "owner is not valid UTF-8 (byte 0xff)", ""},
	{"roles", "name,selector\nmachine:m,{}\n", 2, 11, "has no selector", ""},
	{"addresses", "machine,address\nm,10.0.0.0/8\n", 2, 3, "is no IPv4 or IPv6 address", "not looked up"},
	{"addresses", "machine,address\nm,web1\n", 2, 3, "is no IPv4 or IPv6 address", ""},
	{"addresses", "machine,address,label\nm,::1,a b\n", 2, 7, "address label", ""},
	{"addresses", "machine,address,label\nm,::1,a\nm,::2,\nm,0::1,b\n", 4, 1,
         "address ::1 of machine m is given twice", "line 2"},
	{"addresses", "machine,address\n,::1\n", 2, 1, "", ""},
	{"members", "role,machine\nr,\n", 2, 3, "", ""},
	{"members", "role,machine\n,m\n", 2, 1, "", ""},
	{"members", "role,machine\nmachine:m,m\n", 2, 1, "the only member of machine:m", ""},
	{"members", "role,machine\nr,a b\n", 2, 0, "", ""},
	{"networks", "name,prefix\nn,10.0.0.1/8\n", 2, 3, "prefix \"10.0.0.1/8\" has host bits set", "10.0.0.0/8"},
	{"networks", "name,prefix\nn,x\n", 2, 3, "is no address or prefix", ""},
	{"networks", "name,prefix\n../n,::1\n", 2, 1, "", ""},
	{"services", "name,port\ntcp,80/tcp\n", 2, 1, "", ""},
	{"services", "name,port\ns,80\n", 2, 0, "", ""},
	{"rules", "role,rule\nr,allow 22/tcp from 10.0.0.1/8\n", 2, 21, "", "10.0.0.0/8"},
	{"rules", "role,rule\nr,\"allow 22/tcp from 10.0.0.1/8\"\n", 2, 22, "", "10.0.0.0/8"},
	{"rules", "role,rule\nr,\"allow 22/tcp\nallow all\"\n", 2, 16, "rule holds a control character (byte 0x0a)",
         ""},
	{"rules", "role,rule,ticket\nr,allow 22/tcp,a\nr,ALLOW 22/tcp,b\n", 3, 3,
         "rule \"allow 22/tcp\" is given twice", "d/rules.csv:2"},
	{"rules", "role,rule,ticket\nr,allow 22/tcp,\x7f\n", 2, 16, "ticket holds a control character", ""},
	{"rules", "role,rule,enabled\nr,allow 22/tcp,no\n", 2, 16, "enabled can't be \"no\"", ""},
	{"rules", "role,rule\nmachine:,allow 22/tcp\n", 2, 0, "", ""},
	{"rules", "role,rule\n-o,allow 22/tcp\n", 2, 1, "", ""},
	{"rule", "role,rule\n", 0, 0, "d/rule.csv is no file of a CSV folder", "did you mean \"rules.csv\"?"},
};

/* Column 0 in a row: any, where the place within the cell is another's decision. */
static void check_fault(size_t i)
{
	const struct fault *fault = &faults[i];
	struct fleet fleet;
	struct error *error = read_files(&fleet, (const char *const[]){fault->file, fault->text, NULL});

	ck_assert_msg(error != NULL, "accepted: %s", fault->text);
	ck_assert_msg(error->next == NULL, "more than one:\n%s", printed(error));
	ck_assert_msg(holds(error->message, fault->message), "not \"%s\":\n%s", fault->message, printed(error));
	ck_assert_msg(holds(error->hint, fault->hint), "no hint \"%s\":\n%s", fault->hint, printed(error));
	ck_assert_msg(error->place.line == fault->line, "%s", printed(error));
	ck_assert_msg(fault->column == 0 || error->place.column == fault->column, "not at %u:\n%s", fault->column,
	              printed(error));
	if (fault->line > 0)
		ck_assert(str_eq(error->place.file, str_format(arena, "d/%s.csv", fault->file)));
}

START_TEST(faults_have_places)
{
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		check_fault(i);
}
END_TEST

START_TEST(machines_csv_must_be_there)
{
	struct csv_file file = {STR("d/roles.csv"), STR("name\nr\n")},
			twice[] = {{STR("a/machines.csv"), STR("name\n")}, {STR("b/machines.csv"), STR("name\n")}};
	struct fleet fleet;
	struct error *error = csv_read(arena, &file, 1, &fleet, &warnings);

	ck_assert_uint_eq(error_count(error), 1);
	same(error->message, "machines.csv is missing");
	error = csv_read(arena, twice, 2, &fleet, &warnings);
	same(error->message, "machines.csv is given twice");
}
END_TEST

START_TEST(nul_bytes_are_refused_by_name)
{
	struct csv_file file = {STR("d/machines.csv"), STR("name,ssh_host\nm\0n,\nn,a\0\n")};
	struct fleet fleet;
	struct error *error = csv_read(arena, &file, 1, &fleet, &warnings);

	ck_assert_uint_eq(error_count(error), 2);
	ck_assert(holds(error->message, "machine"));
	ck_assert_uint_eq(error->place.line, 2);
	ck_assert(holds(error->next->message, "ssh_host"));
	ck_assert_uint_eq(error->next->place.line, 3);
}
END_TEST

START_TEST(all_faults_of_all_files_are_shown)
{
	struct fleet fleet;
	struct error *error =
		read_files(&fleet, (const char *const[]){"machines", "name,mode\na,x\na b,\nc,\nc,coexist\n", "roles",
	                                                 "nam\n", "rules", "role,rule\nr,allow\nr,deny 1/x\n",
	                                                 "addresses", "machine,address\na,1\nc,::1,\n", NULL});
	static const char *const places[] = {"addresses.csv:2", "addresses.csv:3", "machines.csv:2",
	                                     "machines.csv:3",  "machines.csv:5",  "roles.csv:1",
	                                     "roles.csv:1",     "rules.csv:2",     "rules.csv:3"};
	size_t i = 0;

	for (const struct error *e = error; e != NULL; e = e->next, i++) {
		struct str place = str_format(arena, "%.*s:%u", STR_ARG(e->place.file), e->place.line);

		ck_assert_msg(i < 9 && str_ends(place, str_of(places[i])), "%s", printed(error));
	}
	ck_assert_uint_eq(i, 9);
}
END_TEST

/* --- real fleets, and folders --- */

static void check_real(const char *name, size_t machines)
{
	char folder[200];
	struct csv_file *files;
	struct buf buf = buf_new(arena);
	struct fleet fleet, again;
	struct str difference;
	size_t count;

	snprintf(folder, sizeof folder, "../shared/fleets/%s", name);
	if (access(folder, R_OK) != 0) {
		fprintf(stderr, "SKIPPED: there is no %s to read\n", folder);
		return;
	}
	ck_assert_ptr_null(csv_folder_read(arena, str_of(folder), &files, &count, &warnings));
	ck_assert_uint_eq(count, 5);
	ck_assert_ptr_null(csv_read(arena, files, count, &fleet, &warnings));
	none(warnings);
	ck_assert_uint_eq(fleet.machine_count, machines);
	ck_assert_ptr_null(fleet_check(arena, &fleet, NULL));
	document_write(&buf, &fleet);
	ck_assert_ptr_null(document_read(arena, STR("written"), buf_str(&buf), &again, &warnings));
	difference = fleet_difference(arena, &fleet, &again);
	ck_assert_msg(difference.n == 0, "%.*s", STR_ARG(difference));
}

START_TEST(real_fleets_are_read)
{
	check_real("opendev", 159);
	check_real("fedora-infra", 443);
}
END_TEST

static void put(const char *folder, const char *name, const char *text)
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_folder_is_read_and_near_names_are_told)
{
	char folder[] = "/tmp/fleetwall-csv-XXXXXX";
	struct csv_file *files;
	size_t count;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	put(folder, "machines.csv", "name\n");
	put(folder, "roles.csv", "name\n");
	put(folder, "rule.csv", "");
	put(folder, "queries.csv", "");
	put(folder, "roles.csv~", "");
	ck_assert_ptr_null(csv_folder_read(arena, str_of(folder), &files, &count, &warnings));
	ck_assert_uint_eq(count, 2);
	ck_assert(str_ends(files[0].name, STR("/machines.csv")));
	same(files[1].text, "name\n");
	ck_assert_msg(error_count(warnings) == 1, "%s", printed(warnings));
	ck_assert(holds(warnings->hint, "rules.csv"));
	for (const char *const *name =
	             (const char *const[]){"machines.csv", "roles.csv", "rule.csv", "queries.csv", "roles.csv~", NULL};
	     *name != NULL; name++)
		ck_assert_int_eq(unlink(str_c(arena, str_format(arena, "%s/%s", folder, *name))), 0);
	ck_assert_int_eq(rmdir(folder), 0);
	ck_assert_int_eq(csv_folder_read(arena, str_of(folder), &files, &count, &warnings)->kind, ERROR_UNKNOWN);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("csv");
	TCase *meaning = tcase_create("meaning"), *bad = tcase_create("faults"), *folders = tcase_create("folders");

	tcase_add_checked_fixture(meaning, arena_setup, arena_teardown);
	tcase_add_checked_fixture(meaning, setup, NULL);
	tcase_add_test(meaning, machines_alone_are_enough);
	tcase_add_test(meaning, an_empty_cell_is_the_default);
	tcase_add_test(meaning, roles_and_their_selectors);
	tcase_add_test(meaning, rows_become_lists);
	tcase_add_test(meaning, rules_and_a_machines_own);
	tcase_add_test(meaning, roles_that_are_only_named);
	tcase_add_test(meaning, machines_that_are_only_named);
	tcase_add_test(meaning, the_texts_ends_may_be_any);
	tcase_add_test(meaning, warnings_know_their_place);
	tcase_add_checked_fixture(bad, arena_setup, arena_teardown);
	tcase_add_checked_fixture(bad, setup, NULL);
	tcase_add_test(bad, faults_have_places);
	tcase_add_test(bad, machines_csv_must_be_there);
	tcase_add_test(bad, nul_bytes_are_refused_by_name);
	tcase_add_test(bad, all_faults_of_all_files_are_shown);
	tcase_add_checked_fixture(folders, arena_setup, arena_teardown);
	tcase_add_checked_fixture(folders, setup, NULL);
	tcase_set_timeout(folders, 60);
	tcase_add_test(folders, real_fleets_are_read);
	tcase_add_test(folders, a_folder_is_read_and_near_names_are_told);
	suite_add_tcase(suite, meaning);
	suite_add_tcase(suite, bad);
	suite_add_tcase(suite, folders);
	return suite_main(suite);
}
