/* whole_file.c -- see whole_file.h. */
#include "core/server/whole_file.h"

#include "core/base/err.h"
#include "core/server/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096

int whole_file_read(const char *path, char *out_text, size_t size, size_t *out_size,
                    struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno == ENOENT ? E_NOTFOUND : E_IO, "cannot read %s: %s", path,
                       strerror(errno));
    ssize_t count = read(fd, out_text, size);
    int code = errno;
    close(fd);
    if (count < 0)
        return err_set(err, E_IO, "cannot read %s: %s", path, strerror(code));
    *out_size = (size_t)count;
    return 0;
}

int whole_file_write(const char *dir, const char *path, const void *data, size_t size,
                     struct err *err)
{
    char beside[PATH_BYTES + 8];
    snprintf(beside, sizeof beside, "%s.new", path);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool is_good = fd >= 0 && fchmod(fd, 0600) == 0 && write(fd, data, size) == (ssize_t)size &&
                   fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0)
        is_good = false;
    if (!is_good || rename(beside, path) != 0)
        return err_set(err, E_IO, "cannot write %s: %s", path, strerror(errno));
    return dir_flush(dir, err);
}
