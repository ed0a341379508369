/* Files, folders and links of the output tree, for the store alone. Paths are relative to an open folder, so that
 * messages name what the administrator finds in it; the store adds where it lies. Every failure is ERROR_SURROUNDINGS.
 */
#ifndef FLEETWALL_GEN_STORE_DISK_H
#define FLEETWALL_GEN_STORE_DISK_H

#include "fleetwall/error.h"

/* Is the name fit to be a file's: not empty, no '/', no NUL, not "." or ".."? */
bool disk_name_ok(struct str name);

/* 0755 under the umask; one that is there is fine. */
struct error *disk_make_folder(int at, const char *path) MUST_CHECK;
/* Makes the folder and those above it. */
struct error *disk_make_path(const char *path) MUST_CHECK;
/* A new file, 0444 under the umask: nothing that is written is changed in place; one that is there is an error. */
struct error *disk_write(int at, const char *path, struct str bytes) MUST_CHECK;
/* The same, but one that is there is left alone, and *made is false. */
struct error *disk_write_new(int at, const char *path, struct str bytes, bool *made) MUST_CHECK;
/* As disk_write(), and the disk begins at once, so that whoever flushes later waits for less. */
struct error *disk_write_early(int at, const char *path, struct str bytes) MUST_CHECK;
struct error *disk_read(struct arena *arena, int at, const char *path, struct str *bytes) MUST_CHECK;
/* Is there a regular file with these bytes? What can't be read is not there. */
bool disk_has(int at, const char *path, struct str bytes);
/* Moves what `from` names to `to`, whatever stood there before: a reader sees the one or the other. A folder that stood
 * there may be left as `from`, for whoever is about to open a file in it. */
struct error *disk_replace(int at, const char *from, const char *to) MUST_CHECK;
/* The target of a link; false when there is no link of that name, or its target is longer than `size`. */
bool disk_link_target(int at, const char *path, char *target, size_t size, size_t *length);
/* A folder with all that is in it, or a file; what is not there is fine. Links are not followed. */
struct error *disk_remove(int at, const char *path) MUST_CHECK;
/* Calls `each` with every name in the folder but "." and "..", in no order; ends at the first error that it returns. */
struct error *disk_list(int at, const char *path, struct error *(*each)(void *context, struct str name),
                        void *context) MUST_CHECK;
/* A file or a folder. */
struct error *disk_sync(int at, const char *path) MUST_CHECK;

#endif
