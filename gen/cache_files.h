/* The two files of the cache as bytes. */
#ifndef FLEETWALL_GEN_CACHE_FILES_H
#define FLEETWALL_GEN_CACHE_FILES_H

#include "fleetwall/cache.h"

/* False: these bytes are no head. What is given lies in `bytes`. */
bool head_parse(struct str bytes, struct cache_head *head);
struct str head_print(struct arena *arena, const struct cache_head *head);

/* The pieces of the file `model`, one behind the other. */
enum { MODEL_HEADER, MODEL_FLEET, MODEL_RULESETS, MODEL_SETS, MODEL_PIECES };

struct model_header {
	char magic[8];
	uint64_t fleet_size, ruleset_count, set_count;
	struct secret secret; /* of the knowledge */
};

void model_pieces(struct model_header *header, struct str fleet, const struct knowledge *knowledge,
                  struct str pieces[MODEL_PIECES]);
/* How large the whole file is; false: that is no header of one. */
bool model_size(const struct model_header *header, uint64_t *size);
/* False: these bytes are no model. What is given lies in `bytes`, the fleet aligned as they are. */
bool model_parse(char *bytes, uint64_t size, struct str *fleet, struct knowledge *knowledge);
/* The fleet of a model of which only the first `size` bytes are there; false: it is not among them. */
bool model_fleet(const char *bytes, uint64_t size, struct str *fleet);

#endif
