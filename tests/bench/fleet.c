/* Makes fleets of any size as a folder of CSV files, for benchmarks and for tests of determinism: the same arguments
 * give the same bytes, on any machine. Few roles are large and many small (Zipf); everybody is in `default`; a third of
 * the rules have roles as peers; dual stack. It makes nothing that the importer would refuse. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fleetwall/arena.h"
#include "fleetwall/buf.h"

struct arguments {
	uint64_t machines, roles, seed, shuffle;
	bool mixed, shuffled;
	const char *out;
};

/* One file: its header and its rows, each with its newline. */
struct table {
	const char *name, *header;
	struct str *items;
	size_t count, capacity;
};

struct making {
	struct arena *arena;
	const struct arguments *arguments;
	uint64_t state;        /* of the generator of random numbers */
	uint64_t *heights;     /* heights[i]: the weights of the roles 0 … i, summed */
	struct str *role_names;
	struct table machines, addresses, roles, members, networks, services, rules;
};

/* However many roles there are, few select their members: a label of most machines gives each of them to most. */
enum { NETWORKS = 24, SERVICES = 6, LITERALS = 40, SELECTING = 100 };

/* --- random numbers: splitmix64 (Steele, Lea, Flood 2014) --- */

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static uint64_t below(struct making *making, uint64_t limit)
{
	return next_random(&making->state) % limit;
}

static bool chance(struct making *making, unsigned percent)
{
	return below(making, 100) < percent;
}

/* --- rows --- */

static void row(struct making *making, struct table *table, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void row(struct making *making, struct table *table, const char *format, ...)
{
	char text[1024];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= sizeof text)
		abort();
	APPEND(making->arena, table, str_copy(making->arena, (struct str){text, (size_t)length}));
}

/* --- roles --- */

static struct str role_name(struct making *making, uint64_t number)
{
	static const char *const words[] = {"web",    "api",   "mysql",  "redis", "mail",  "dns",     "build",
	                                    "queue",  "cache", "search", "ldap",  "proxy", "metrics", "logs",
	                                    "backup", "git",   "wiki",   "vpn",   "auth",  "storage"};
	size_t count = sizeof words / sizeof *words;
	if (number == 0)
		return STR("default");
	return str_format(making->arena, "%s-%03llu", words[number % count], (unsigned long long)(number / count));
}

/* Role i is chosen with a weight of 1/i; the first is everybody's already. */
static void make_heights(struct making *making)
{
	uint64_t count = making->arguments->roles, height = 0;
	making->heights = ARENA_ARRAY(making->arena, uint64_t, count);
	making->role_names = ARENA_ARRAY(making->arena, struct str, count);
	for (uint64_t i = 0; i < count; i++) {
		height += i == 0 ? 0 : 1000000 / i + 1;
		making->heights[i] = height;
		making->role_names[i] = role_name(making, i);
	}
}

static uint64_t some_role(struct making *making)
{
	uint64_t low = 0, high = making->arguments->roles - 1;
	if (high == 0)
		return 0;
	uint64_t height = below(making, making->heights[high]);
	while (low < high) {
		uint64_t middle = (low + high) / 2;
		if (making->heights[middle] > height)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static bool closed_egress(uint64_t role)
{
	return role % 29 == 17;
}

static void make_roles(struct making *making)
{
	static const char *const selectors[] = {"\"{\"\"env\"\":\"\"prod\"\"}\"",
	                                        "\"{\"\"env\"\":\"\"stage\"\",\"\"site\"\":\"\"s1\"\"}\"",
	                                        "\"{\"\"tier\"\":\"\"front\"\"}\""};
	for (uint64_t i = 0; i < making->arguments->roles; i++) {
		const char *selector = i == 0 ? "{}" : i % 23 == 5 && i < SELECTING ? selectors[i % 3] : "";
		row(making, &making->roles, "%.*s,role number %llu,team-%llu,%s,%s\n", STR_ARG(making->role_names[i]),
		    (unsigned long long)i, (unsigned long long)(i % 7), selector, closed_egress(i) ? "closed" : "open");
	}
}

/* --- machines --- */

static struct str machine_name(struct making *making, uint64_t number)
{
	return str_format(making->arena, "m%06llu.s%llu.example.net", (unsigned long long)number,
	                  (unsigned long long)(number % 9));
}

/* Addresses lie scattered, as they do where machines come and go: neighbours seldom join to one prefix. */
static void make_addresses(struct making *making, struct str name, uint64_t number)
{
	unsigned long long n = number * 0x9e3779b1 & 0xffffff; /* odd, so that no two get the same */
	row(making, &making->addresses, "%.*s,10.%llu.%llu.%llu,private\n", STR_ARG(name), n >> 16 & 255, n >> 8 & 255,
	    n & 255);
	if (!chance(making, 4))
		row(making, &making->addresses, "%.*s,fd12:3456::%llx:%llx,private\n", STR_ARG(name), n >> 16,
		    n & 0xffff);
	if (chance(making, 10))
		row(making, &making->addresses, "%.*s,100.%llu.%llu.%llu,public\n", STR_ARG(name), 64 + (n >> 16 & 63),
		    n >> 8 & 255, n & 255);
}

/* A combination of 3 to 8 roles. Its numbers come from the seed `kind` alone, so that machines of one kind have the
 * same. */
static void make_members(struct making *making, struct str name, uint64_t kind)
{
	uint64_t chosen[8], count = 0, state = making->state;
	making->state = making->arguments->seed ^ (kind + 1) * 0xd1342543de82ef95;
	uint64_t wanted = 3 + below(making, 6);
	for (uint64_t attempts = 0; count < wanted && attempts < 64; attempts++) {
		uint64_t role = some_role(making), known = 0;
		while (known < count && chosen[known] != role)
			known++;
		if (known == count && role != 0)
			chosen[count++] = role;
	}
	making->state = state;
	for (uint64_t i = 0; i < count; i++)
		row(making, &making->members, "%.*s,%.*s\n", STR_ARG(making->role_names[chosen[i]]), STR_ARG(name));
}

/* What a kind has in common besides its roles: labels (selectors go by them), mode, enforcement, SSH port. From seed
 * and the kind alone, too. */
static void make_row(struct making *making, struct str name, uint64_t kind)
{
	static const char *const environments[] = {"prod", "prod", "prod", "stage", "dev"};
	uint64_t state = making->state;
	making->state = making->arguments->seed ^ (kind + 1) * 0xa0761d6478bd642f;
	uint64_t roll = below(making, 100), environment = below(making, 5);
	bool front = chance(making, 30), moved = chance(making, 3);
	making->state = state;
	row(making, &making->machines,
	    "%.*s,\"{\"\"env\"\":\"\"%s\"\",\"\"site\"\":\"\"s%llu\"\",\"\"tier\"\":\"\"%s\"\"}\",%s,%s,%s,%s,\n",
	    STR_ARG(name), environments[environment], (unsigned long long)(kind % 9), front ? "front" : "back",
	    roll < 5 ? "coexist" : "",
	    roll >= 97   ? "monitor"
	    : roll == 96 ? "unmanaged"
	                 : "",
	    chance(making, 1) ? "false" : "", moved ? "2222" : "");
}

static void make_machine(struct making *making, uint64_t number)
{
	struct str name = machine_name(making, number);
	uint64_t kind = making->arguments->mixed ? number : number % (making->arguments->machines / 20 + 1);
	make_row(making, name, kind);
	make_addresses(making, name, number);
	make_members(making, name, kind);
}

/* --- networks and services --- */

static void make_networks(struct making *making)
{
	for (unsigned i = 0; i < NETWORKS; i++) {
		for (unsigned prefix = 0; prefix < 1 + i % 5; prefix++) {
			row(making, &making->networks, "net-%02u,172.%u.%u.0/%u\n", i, 16 + i % 16, prefix * 16,
			    20 + prefix);
			row(making, &making->networks, "net-%02u,2001:db8:%x:%x::/64\n", i, i, prefix);
		}
		if (i == NETWORKS - 1)
			row(making, &making->networks, "net-empty,\n");
	}
}

static void make_services(struct making *making)
{
	for (unsigned i = 0; i < SERVICES; i++) {
		row(making, &making->services, "app-%u,%u/tcp\n", i, 8100 + i * 10);
		row(making, &making->services, "app-%u,%u-%u/udp\n", i, 9100 + i * 10, 9104 + i * 10);
	}
}

/* --- rules --- */

static struct str some_what(struct making *making)
{
	struct arena *arena = making->arena;
	unsigned port = 1024 + (unsigned)below(making, 20000);
	switch (below(making, 8)) {
	case 0: return str_format(arena, "app-%u", (unsigned)below(making, SERVICES));
	case 1: return str_format(arena, "%u-%u/udp", port, port + 10);
	case 2: return str_format(arena, "80,443,%u/tcp", port);
	case 3: return chance(making, 50) ? STR("icmp/echo-request") : STR("ssh");
	default: return str_format(arena, "%u/tcp", port);
	}
}

static struct str some_literals(struct making *making)
{
	struct buf buf = buf_new(making->arena);
	for (uint64_t i = below(making, 3) == 0 ? LITERALS : 1 + below(making, 3); i > 0; i--)
		buf_format(&buf, "192.0.%u.%u%s", (unsigned)below(making, 256), (unsigned)below(making, 256),
		           i > 1 ? ", " : "");
	return buf_str(&buf);
}

static struct str some_peer(struct making *making)
{
	struct arena *arena = making->arena;
	uint64_t roll = below(making, 12);
	struct str role = making->role_names[some_role(making)];
	if (roll < 4)
		return str_format(arena, "role:%.*s%s", STR_ARG(role), roll == 0 ? "/private" : "");
	if (roll < 6)
		return str_format(arena, "network:net-%02u", (unsigned)below(making, NETWORKS));
	if (roll == 6)
		return STR("self");
	if (roll == 7)
		return str_format(arena, "machine:%.*s",
		                  STR_ARG(machine_name(making, below(making, making->arguments->machines))));
	if (roll == 8)
		return str_format(arena, "10.%u.*.*", (unsigned)below(making, 256));
	return roll == 9 ? STR("any") : some_literals(making);
}

/* The same rule twice must say the same: ticket and owner are the role's. */
static void make_rule(struct making *making, uint64_t role)
{
	static const char *const clauses[] = {" log", " limit 30/minute", " on eth0", " until 2037-01-01",
	                                      " since 2020-01-01"};
	struct str what = some_what(making), peer = some_peer(making);
	const char *clause = chance(making, 12) ? clauses[below(making, 5)] : "";
	row(making, &making->rules, "%.*s,\"allow %.*s from %.*s%s\",OPS-%llu,team-%llu\n",
	    STR_ARG(making->role_names[role]), STR_ARG(what), STR_ARG(peer), clause, (unsigned long long)role,
	    (unsigned long long)(role % 7));
}

static void make_rules(struct making *making)
{
	for (uint64_t i = 0; i < making->arguments->roles; i++) {
		struct str name = making->role_names[i];
		for (uint64_t rule = 2 + below(making, 6); rule > 0; rule--)
			make_rule(making, i);
		if (i % 17 == 3)
			row(making, &making->rules, "%.*s,deny %u/tcp from network:net-%02u,,\n", STR_ARG(name),
			    5000 + (unsigned)below(making, 100), (unsigned)below(making, NETWORKS));
		if (i % 31 == 7)
			row(making, &making->rules, "%.*s,reject 25/tcp log,,\n", STR_ARG(name));
		if (closed_egress(i))
			row(making, &making->rules, "%.*s,\"allow 53/udp to role:default, 192.0.2.53\",,\n",
			    STR_ARG(name));
	}
}

/* --- files --- */

static void shuffle(struct table *table, uint64_t *state)
{
	for (size_t i = table->count; i > 1; i--) {
		size_t other = next_random(state) % i;
		struct str swapped = table->items[i - 1];
		table->items[i - 1] = table->items[other];
		table->items[other] = swapped;
	}
}

static void write_table(struct making *making, struct table *table, uint64_t *state)
{
	char *path = str_c(making->arena, str_format(making->arena, "%s/%s.csv", making->arguments->out, table->name));
	if (making->arguments->shuffled)
		shuffle(table, state);
	FILE *file = fopen(path, "w");
	if (file == NULL) {
		perror(path);
		exit(3);
	}
	fprintf(file, "%s\n", table->header);
	for (size_t i = 0; i < table->count; i++)
		fwrite(table->items[i].p, 1, table->items[i].n, file);
	bool bad = ferror(file) != 0;
	if (fclose(file) != 0 || bad) {
		perror(path);
		exit(3);
	}
}

static void make_fleet(struct arena *arena, const struct arguments *arguments)
{
	struct making making = {
		.arena = arena,
		.arguments = arguments,
		.state = arguments->seed,
		.machines = {.name = "machines", .header = "name,labels,mode,enforcement,enabled,ssh_port,ssh_host"},
		.addresses = {.name = "addresses", .header = "machine,address,label"},
		.roles = {.name = "roles", .header = "name,description,owner,selector,egress"},
		.members = {.name = "members", .header = "role,machine"},
		.networks = {.name = "networks", .header = "name,prefix"},
		.services = {.name = "services", .header = "name,port"},
		.rules = {.name = "rules", .header = "role,rule,ticket,owner"},
	};
	make_heights(&making);
	make_roles(&making);
	for (uint64_t i = 0; i < arguments->machines; i++)
		make_machine(&making, i);
	make_networks(&making);
	make_services(&making);
	make_rules(&making);
	uint64_t state = arguments->shuffle;
	struct table *tables[] = {&making.machines, &making.addresses, &making.roles, &making.members,
	                          &making.networks, &making.services,  &making.rules};
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		write_table(&making, tables[i], &state);
}

/* --- the command line --- */

static _Noreturn void usage(void)
{
	fputs("usage: fleet --machines N --roles R --shape kinds|mixed --seed S --out DIR [--shuffle S2]\n"
	      "  kinds: machines in N/20 combinations of roles; mixed: nearly every machine in its own\n"
	      "  --shuffle writes the same rows in another order\n", stderr);
	exit(2);
}

static uint64_t number_argument(const char *text, uint64_t least, uint64_t most)
{
	uint64_t number;
	if (!str_number(str_of(text), most, &number) || number < least)
		usage();
	return number;
}

static void read_option(struct arguments *arguments, const char *option, const char *value)
{
	if (strcmp(option, "--machines") == 0)
		arguments->machines = number_argument(value, 1, 10000000);
	else if (strcmp(option, "--roles") == 0)
		arguments->roles = number_argument(value, 1, 100000);
	else if (strcmp(option, "--seed") == 0)
		arguments->seed = number_argument(value, 0, UINT64_MAX);
	else if (strcmp(option, "--out") == 0)
		arguments->out = value;
	else if (strcmp(option, "--shape") == 0 && (strcmp(value, "kinds") == 0 || strcmp(value, "mixed") == 0))
		arguments->mixed = value[0] == 'm';
	else if (strcmp(option, "--shuffle") == 0) {
		arguments->shuffle = number_argument(value, 0, UINT64_MAX);
		arguments->shuffled = true;
	} else {
		usage();
	}
}

int main(int argc, char **argv)
{
	struct arguments arguments = {.machines = 1000, .roles = 50, .seed = 1};
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			usage();
		read_option(&arguments, argv[i], argv[i + 1]);
	}
	if (arguments.out == NULL)
		usage();
	if (mkdir(arguments.out, 0777) != 0 && errno != EEXIST) {
		perror(arguments.out);
		return 3;
	}
	struct arena *arena = arena_new();
	make_fleet(arena, &arguments);
	arena_free(arena);
	return 0;
}
