/* dir.h -- the directories of the data.
 *
 * A name is on the disk only when its directory has been flushed.  Any thread.
 */
#ifndef CORE_SERVER_DIR_H
#define CORE_SERVER_DIR_H

struct err;

int dir_flush(const char *path, struct err *err); /* E_IO */

/* Make it, for its owner only, unless it is there.  Its parent is not flushed.  E_IO. */
int dir_make(const char *path, struct err *err);

/* Remove the files in it; of one that is not there, none. */
void dir_clear(const char *path);

#endif
