/* The compiled form of a template, shared by the compiler and the renderer of Mustache and by nobody else: a flat list
 * of nodes, in which a section says where its body ends. Names are split already, so that rendering compares and
 * copies, and allocates nothing. */
#ifndef FLEETWALL_GEN_MUSTACHE_NODES_H
#define FLEETWALL_GEN_MUSTACHE_NODES_H

#include "fleetwall/mustache.h"

enum node_kind { NODE_TEXT, NODE_ESCAPED, NODE_RAW, NODE_SECTION, NODE_INVERTED, NODE_PARTIAL };

struct node {
	enum node_kind kind;
	bool line_start; /* NODE_TEXT: stands at the start of a line of the template, where a partial's indentation goes
	                  */
	bool standalone; /* NODE_PARTIAL: alone on its line, so that `text` indents each line of it */
	struct str text; /* NODE_TEXT: the text; NODE_PARTIAL: its indentation */
	struct str name; /* of the tag, as written */
	const struct str *parts; /* `a.b.c` split; none for `.`, the implicit iterator */
	size_t part_count;
	size_t end; /* sections: the index behind the last node of the body */
	struct place place;
};

struct template
{
	struct node *items;
	size_t count, capacity;
};

#endif
