/* whole_file.h -- small files of the data directory that are always whole.
 *
 * They are read in one piece, and written beside and renamed: whoever opens one finds what stood
 * there before or what was written, also after a crash.  Mode 0600.  Any thread.
 */
#ifndef CORE_SERVER_WHOLE_FILE_H
#define CORE_SERVER_WHOLE_FILE_H

#include <stddef.h>

struct err;

/* Read the first `size` bytes at most.  E_NOTFOUND; E_IO. */
int whole_file_read(const char *path, char *out_text, size_t size, size_t *out_size,
                    struct err *err);

/* Put `path`, which lies in `dir`; durable when this returns.  E_IO. */
int whole_file_write(const char *dir, const char *path, const void *data, size_t size,
                     struct err *err);

#endif
