/* The space of packets: the one file that knows BuDDy. It owns the library's nodes, the stack of what lives, the names
 * of conditions, and what is done with whole sets. Which bits a field has is elsewhere (packets_make.c), and so is what
 * a set says in words (packets_say.c). The library has one space in a process and no threads: so has this file. */
#include "fleetwall/packets.h"

#include <assert.h>
#include <bdd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fleetwall/arena.h"
#include "fleetwall/names.h"
#include "packets_nodes.h"

/* Small at first, so that a question that needs few nodes waits for nothing; then the table doubles, up to a step that
 * a big one can afford. A node has 20 bytes; each of six caches of results has an entry of 24 for every CACHE_RATIO.
 * With the most of them that is less than 1 GiB. */
#define FIRST_NODES (1 << 17)
#define FIRST_CACHE (1 << 14)
#define LARGEST_STEP (1 << 23)
#define MOST_NODES (1 << 25)
#define LEAST_FREE 50 /* per cent, after a garbage collection: else the table grows */
#define CACHE_RATIO 16
#define MORE_CONDITIONS 1024

static struct {
	struct arena *arena; /* NULL: not begun */
	struct names *names; /* of conditions, in the order of their variables */
	uint32_t above;      /* so many of them are above the addresses */
	int *stack;
	size_t count, capacity;
	uint32_t cube_conditions; /* how many of them the cubes have */
	int conditions;           /* the cube of all conditions, for quantifying */
	int fields[FIELD_COUNT];  /* of each field */
	int others[FIELD_COUNT];  /* of every other field, and the conditions */
	unsigned only_fields;     /* as bits: what was asked last */
	int only;                 /* of all other fields, and the conditions */
	uint64_t steps, bound;    /* 0: as many as it takes */
	int nodes;                /* there was room for, when it was last looked at */
	bool spent;
} space;

/* Whatever the library can't do is for want of memory; all else is a mistake of ours. Where there is a bound, so many
 * nodes are one: the library goes on with none. */
static void fail(int code)
{
	space.spent = space.spent || (code == BDD_NODENUM && space.bound > 0);
	if (space.spent)
		return;
	if (code == BDD_MEMORY || code == BDD_NODENUM)
		arena_exhausted();
	assert(!"the diagrams were misused");
	abort();
}

void packets_begin(void)
{
	if (space.arena != NULL)
		return;
	space.arena = arena_new();
	space.names = names_new(space.arena);
	space.above = CONDITIONS_ABOVE;
	bdd_error_hook(fail);
	bdd_init(FIRST_NODES, FIRST_CACHE);
	bdd_error_hook(fail); /* bdd_init() puts its own back, which ends the program with exit code 1 */
	bdd_gbc_hook(NULL);
	bdd_setmaxincrease(LARGEST_STEP);
	bdd_setmaxnodenum(MOST_NODES);
	bdd_setminfreenodes(LEAST_FREE);
	bdd_setvarnum(VARIABLE_CONDITION_BELOW);
	bdd_setcacheratio(CACHE_RATIO);
}

void packets_end(void)
{
	if (space.arena == NULL)
		return;
	bdd_done();
	bdd_clear_error();
	arena_free(space.arena);
	memset(&space, 0, sizeof space);
}

/* --- the bound ---
 *
 * Each step of the library's operations looks for a node. The program is linked so that it comes by here: what calls
 * bdd_makenode() gets __wrap_bdd_makenode() (ld's --wrap). The library has no counter of its own that tells work. */

int __real_bdd_makenode(unsigned level, int low, int high);
int __wrap_bdd_makenode(unsigned level, int low, int high);

int __wrap_bdd_makenode(unsigned level, int low, int high)
{
	packets_work(1);
	return space.spent ? NODE_NONE : __real_bdd_makenode(level, low, high);
}

void packets_work(uint64_t steps)
{
	space.steps += steps;
	space.spent = space.spent || (space.bound > 0 && space.steps > space.bound);
}

void packets_bound(uint64_t steps)
{
	space.steps = 0;
	space.bound = steps;
}

bool packets_spent(void)
{
	return space.spent;
}

/* --- large pages ---
 *
 * Each step looks for nodes all over the table. On pages of 4 KiB that is a fault of the processor's translations each
 * time: a quarter of all time where there are millions of nodes. The library lays its table out anew when it grows, and
 * tells nobody where, but that its name is not hidden. Where the kernel has no such pages, nothing changes. */

#define NODE_BYTES 20
#define LARGE_PAGE ((size_t)2 << 20)
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1: those that are in use already, too */
#endif

extern struct s_BddNode *bddnodes;

static void use_large_pages(void)
{
	uintptr_t start = (uintptr_t)bddnodes, end;
	int nodes = bdd_getallocnum();

	if (nodes == space.nodes)
		return;
	space.nodes = nodes;
	end = (start + (size_t)nodes * NODE_BYTES) & ~(LARGE_PAGE - 1);
	start = (start + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);
	if (nodes <= FIRST_NODES || start >= end)
		return;
	(void)madvise((void *)start, end - start, MADV_HUGEPAGE);
	(void)madvise((void *)start, end - start, MADV_COLLAPSE);
}

/* --- operations: none, once the bound is behind us --- */

static int apply(int a, int b, int operator)
{
	use_large_pages();
	return space.spent ? NODE_NONE : bdd_apply(a, b, operator);
}

static int if_then_else(int condition, int then, int otherwise)
{
	return space.spent ? NODE_NONE : bdd_ite(condition, then, otherwise);
}

static int some(int node, int cube)
{
	return space.spent ? NODE_NONE : bdd_exist(node, cube);
}

/* --- nodes --- */

int node_make(unsigned variable, int low, int high)
{
	return low == high ? low : if_then_else(bdd_ithvar((int)variable), high, low);
}

void node_hold(int node)
{
	bdd_addref(node);
}

void node_drop(int node)
{
	bdd_delref(node);
}

/* The library counts at most 1022 references to a node; one that had more is never given up, which costs its memory. */
struct packets node_packets(int node)
{
	space.stack = arena_grow(space.arena, space.stack, space.count, &space.capacity, sizeof *space.stack,
	                         _Alignof(int));
	space.stack[space.count++] = bdd_addref(node);
	return (struct packets){node};
}

unsigned node_variable(int node)
{
	return (unsigned)bdd_var(node);
}

int node_low(int node)
{
	return bdd_low(node);
}

int node_high(int node)
{
	return bdd_high(node);
}

/* --- the variables of a diagram --- */

struct visited {
	int *nodes; /* 0: free */
	size_t room; /* a power of two */
};

static bool visit_first(struct visited *visited, int node)
{
	size_t place = (uint32_t)node * UINT32_C(2654435769) & (visited->room - 1);

	while (visited->nodes[place] != 0 && visited->nodes[place] != node)
		place = (place + 1) & (visited->room - 1);
	if (visited->nodes[place] == node)
		return false;
	visited->nodes[place] = node;
	return true;
}

static void visit(struct visited *visited, int node, bool *variables)
{
	while (node > NODE_ALL && visit_first(visited, node)) {
		variables[bdd_var(node)] = true;
		visit(visited, bdd_low(node), variables);
		node = bdd_high(node);
	}
}

/* The library's bdd_support() would do, but it writes to memory that it gave back once it was ended and begun again. */
bool *node_variables(struct arena *arena, int node)
{
	bool *variables = ARENA_ARRAY(arena, bool, (size_t)bdd_varnum());
	struct visited visited = {.room = 16};

	while (visited.room < 2 * (size_t)bdd_nodecount(node))
		visited.room *= 2;
	visited.nodes = ARENA_ARRAY(arena, int, visited.room);
	visit(&visited, node, variables);
	return variables;
}

unsigned node_variable_count(void)
{
	return (unsigned)bdd_varnum();
}

/* --- the stack --- */

size_t packets_mark(void)
{
	return space.count;
}

void packets_release(size_t mark)
{
	assert(mark <= space.count);
	while (space.count > mark)
		bdd_delref(space.stack[--space.count]);
}

struct packets packets_keep(struct packets set)
{
	bdd_addref(set.node);
	return set;
}

void packets_hold(struct packets *slot, struct packets value)
{
	bdd_addref(value.node);
	bdd_delref(slot->node);
	*slot = value;
}

struct packets packets_release_but(size_t mark, struct packets set)
{
	bdd_addref(set.node);
	packets_release(mark);
	(void)node_packets(set.node);
	bdd_delref(set.node);
	return set;
}

/* --- what can be done with sets --- */

struct packets packets_none(void)
{
	return (struct packets){NODE_NONE};
}

struct packets packets_all(void)
{
	return (struct packets){NODE_ALL};
}

struct packets packets_and(struct packets a, struct packets b)
{
	return node_packets(apply(a.node, b.node, bddop_and));
}

struct packets packets_or(struct packets a, struct packets b)
{
	return node_packets(apply(a.node, b.node, bddop_or));
}

/* bddop_diff goes through all of `b` where nothing of `a` is left, and through all of `a` where nothing of `b` is: with
 * a large set that is most of the time. This one knows when it is done. */
struct packets packets_without(struct packets a, struct packets b)
{
	return node_packets(a.node == NODE_ALL ? apply(a.node, b.node, bddop_diff)
	                                       : if_then_else(b.node, NODE_NONE, a.node));
}

/* bdd_not() leaves a field of its cache unset, which others compare: to no harm, but valgrind says so. */
struct packets packets_not(struct packets a)
{
	return packets_without(packets_all(), a);
}

struct packets packets_if(struct packets condition, struct packets then, struct packets otherwise)
{
	if (then.node == NODE_ALL)
		return packets_or(condition, otherwise);
	if (otherwise.node == NODE_NONE)
		return packets_and(condition, then);
	return node_packets(if_then_else(condition.node, then.node, otherwise.node));
}

struct packets packets_simpler(struct packets set, struct packets cared)
{
	return packets_empty(cared) || space.spent ? packets_none() : node_packets(bdd_simplify(set.node, cared.node));
}

bool packets_empty(struct packets set)
{
	return set.node == NODE_NONE;
}

bool packets_within(struct packets inner, struct packets outer)
{
	return apply(inner.node, outer.node, bddop_imp) == NODE_ALL;
}

size_t packets_size(struct packets set)
{
	return (size_t)bdd_nodecount(set.node);
}

/* --- conditions --- */

static unsigned condition_variable(uint32_t number)
{
	return number < space.above ? VARIABLE_CONDITION + number : VARIABLE_CONDITION_BELOW + (number - space.above);
}

void packets_conditions_last(void)
{
	if (names_count(space.names) < space.above)
		space.above = names_count(space.names);
}

struct packets packets_condition(struct str name)
{
	unsigned variable = condition_variable(names_add(space.names, name));

	if (variable >= (unsigned)bdd_varnum())
		bdd_extvarnum(MORE_CONDITIONS);
	return (struct packets){bdd_ithvar((int)variable)};
}

struct str condition_name(unsigned variable)
{
	return names_get(space.names, variable < VARIABLE_CONDITION_BELOW
	                                      ? variable - VARIABLE_CONDITION
	                                      : variable - VARIABLE_CONDITION_BELOW + space.above);
}

struct packets packets_put(struct packets set, struct str condition, struct packets value)
{
	uint32_t number = names_find(space.names, condition);

	if (number == NAMES_NONE)
		return set;
	if (space.spent)
		return packets_none();
	return node_packets(bdd_compose(set.node, value.node, (int)condition_variable(number)));
}

/* --- quantifying --- */

/* The variables from `first` on, above those of `below`. */
static int cube(unsigned first, unsigned width, int below)
{
	for (unsigned i = width; i-- > 0;) {
		int node = if_then_else(bdd_ithvar((int)(first + i)), below, NODE_NONE);
		bdd_addref(node);
		bdd_delref(below);
		below = node;
	}
	return below;
}

/* Every condition that has a name, and the fields that `wanted` has. */
static int cube_of(const bool *wanted, bool conditions)
{
	uint32_t named = conditions ? names_count(space.names) : 0;
	uint32_t above = named < space.above ? named : space.above;
	int node = cube(VARIABLE_CONDITION_BELOW, named - above, NODE_ALL);

	for (enum packet_field field = FIELD_COUNT; field-- > 0;) {
		if (wanted[field])
			node = cube(field_places[field].variable, field_places[field].width, node);
		if (field == FIELD_SOURCE)
			node = cube(VARIABLE_CONDITION, above, node);
	}
	return node;
}

static void build_cubes(void)
{
	for (enum packet_field field = 0; field < FIELD_COUNT; field++) {
		bool one[FIELD_COUNT] = {0}, others[FIELD_COUNT];

		for (enum packet_field other = 0; other < FIELD_COUNT; other++)
			others[other] = other != field;
		one[field] = true;
		space.fields[field] = cube_of(one, false);
		space.others[field] = cube_of(others, true);
	}
	space.conditions = cube_of((const bool[FIELD_COUNT]){false}, true);
	space.cube_conditions = names_count(space.names);
}

/* Made when they are needed, and again when there are more conditions. */
static void need_cubes(void)
{
	if (space.conditions != 0 && space.cube_conditions == names_count(space.names))
		return;
	if (space.conditions != 0) {
		bdd_delref(space.conditions);
		bdd_delref(space.only);
		space.only = 0;
		for (enum packet_field field = 0; field < FIELD_COUNT; field++) {
			bdd_delref(space.fields[field]);
			bdd_delref(space.others[field]);
		}
	}
	build_cubes();
}

struct packets packets_surely(struct packets set)
{
	need_cubes();
	return node_packets(space.spent ? NODE_NONE : bdd_forall(set.node, space.conditions));
}

struct packets packets_perhaps(struct packets set)
{
	need_cubes();
	return node_packets(some(set.node, space.conditions));
}

struct packets packets_any(struct packets set, enum packet_field field)
{
	need_cubes();
	return node_packets(some(set.node, space.fields[field]));
}

struct packets packets_only(struct packets set, unsigned fields)
{
	bool others[FIELD_COUNT];

	need_cubes();
	if (space.only == 0 || space.only_fields != fields) {
		for (enum packet_field field = 0; field < FIELD_COUNT; field++)
			others[field] = (fields >> field & 1) == 0;
		bdd_delref(space.only);
		space.only = cube_of(others, true);
		space.only_fields = fields;
	}
	return node_packets(some(set.node, space.only));
}

int node_only(int node, enum packet_field field)
{
	need_cubes();
	return node_packets(some(node, space.others[field])).node;
}
