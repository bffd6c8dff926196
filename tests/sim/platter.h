/* platter.h -- what is certainly on the disk below one directory: all trails and names.
 *
 * Finds the trail that belongs to a descriptor.  Files are known by inode, so neither
 * closing, duplicating nor renaming has to be followed.
 */
#ifndef TESTS_SIM_PLATTER_H
#define TESTS_SIM_PLATTER_H

#include "tests/sim/names.h"
#include "tests/sim/trail.h"

#include <stdbool.h>
#include <stdint.h>

#define PLATTER_FILES_MAX 256u

struct platter;

/* Both directories exist.  An earlier process's trails are found again. */
struct platter *platter_open(const char *dir, const char *journal);
void platter_close(struct platter *platter); /* NULL is allowed */

/* Is this open directory the watched one, or below it? */
bool platter_has(const struct platter *platter, int fd);

/* The trail of a regular file below the directory; NULL for every other descriptor. */
struct trail *platter_trail(struct platter *platter, int fd);
struct names *platter_names(struct platter *platter);

/* The file open as `fd` was created by this call: an old trail of its inode is void. */
void platter_created(struct platter *platter, int fd, struct name name);

/* The power cut; see disk_recover.  Nothing may be open. */
void platter_recover(const char *dir, const char *journal, uint64_t seed);

#endif
