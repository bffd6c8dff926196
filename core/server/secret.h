/* secret.h -- a file of the data directory that holds a random secret.
 *
 * One line: 32 random bytes in hexadecimal digits.  Mode 0600, written beside and renamed, so that
 * a file of that name always holds a whole one, and durable before this returns.  Any thread.
 */
#ifndef CORE_SERVER_SECRET_H
#define CORE_SERVER_SECRET_H

#include <stddef.h>

struct err;

#define SECRET_BYTES 32

/* Make `path`, which lies in `dir`.  E_IO. */
int secret_make(const char *dir, const char *path, struct err *err);

/* Read the first `size` bytes of such a file at most.  E_NOTFOUND, without words; E_IO. */
int secret_read(const char *path, char *out_text, size_t size, size_t *out_size, struct err *err);

#endif
