/* secret.h -- a file of the data directory that holds a random secret.
 *
 * One line: 32 random bytes in hexadecimal digits; a whole file (whole_file.h).  Any thread.
 */
#ifndef CORE_SERVER_SECRET_H
#define CORE_SERVER_SECRET_H

struct err;

#define SECRET_BYTES 32

/* Make `path`, which lies in `dir`.  E_IO. */
int secret_make(const char *dir, const char *path, struct err *err);

#endif
