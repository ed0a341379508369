/* The files of OUT/cache on disk: opening what can be trusted, reading and writing whole files. For the cache alone. */
#ifndef FLEETWALL_GEN_CACHE_DISK_H
#define FLEETWALL_GEN_CACHE_DISK_H

#include "fleetwall/error.h"

#define CACHE_FOLDER "cache"

/* A regular file in the folder that is ours or root's, and that nobody else may write to; so is the folder. -1: there
 * is none. */
int cache_open(struct arena *arena, struct str output, const char *name, uint64_t *size);

/* The folder in the open folder `root`, for us alone; made if it is not there. */
struct error *cache_open_folder(int root, int *folder) MUST_CHECK;
/* A new, empty file in the folder, whatever had that name before. */
struct error *cache_new_file(int folder, const char *name, int *file) MUST_CHECK;

/* All of it, or false with errno. */
bool cache_pread(int file, void *bytes, size_t size, uint64_t at);
bool cache_pwrite(int file, struct str bytes, uint64_t at);

#endif
