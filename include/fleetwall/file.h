/* Whole files that somebody named, into memory. */
#ifndef FLEETWALL_FILE_H
#define FLEETWALL_FILE_H

#include "fleetwall/error.h"

/* At most 1 GiB, NUL bytes and all. A regular file, by a symbolic link too; of /dev/stdin, /dev/fd/N and
 * /proc/self/fd/N (a shell's <(…)) whatever is open there, but a folder. ERROR_UNKNOWN where there is none; ERROR_INPUT
 * for a folder, device, socket or named pipe, which could keep us waiting for ever: nothing waits to open one. */
struct error *file_read(struct arena *arena, struct str path, struct str *text) MUST_CHECK;
/* The same of what people write, or a tool prints: ERROR_INPUT with its line for the first NUL byte, since it is no
 * text then, and whoever reads it would find a fault in each line. */
struct error *file_text(struct arena *arena, struct str path, struct str *text) MUST_CHECK;

#endif
