/* secret.c -- see secret.h. */
#include "core/server/secret.h"

#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/server/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int secret_make(const char *dir, const char *path, struct err *err)
{
    uint8_t secret[SECRET_BYTES];
    char text[HEX_SIZE(SECRET_BYTES) + 1], beside[4096];
    randombytes_buf(secret, sizeof secret);
    hex_encode(secret, sizeof secret, text);
    text[HEX_SIZE(SECRET_BYTES) - 1] = '\n';
    snprintf(beside, sizeof beside, "%s.new", path);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool is_good = fd >= 0 && fchmod(fd, 0600) == 0 &&
                   write(fd, text, HEX_SIZE(SECRET_BYTES)) == HEX_SIZE(SECRET_BYTES) &&
                   fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0)
        is_good = false;
    if (!is_good || rename(beside, path) != 0)
        return err_set(err, E_IO, "cannot write %s: %s", path, strerror(errno));
    return dir_flush(dir, err);
}

int secret_read(const char *path, char *out_text, size_t size, size_t *out_size, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? E_NOTFOUND
                               : err_set(err, E_IO, "cannot read %s: %s", path, strerror(errno));
    ssize_t count = read(fd, out_text, size);
    int code = errno;
    close(fd);
    if (count < 0)
        return err_set(err, E_IO, "cannot read %s: %s", path, strerror(code));
    *out_size = (size_t)count;
    return 0;
}
