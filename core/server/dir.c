/* dir.c -- see dir.h. */
#include "core/server/dir.h"

#include "core/base/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int dir_flush(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd >= 0 && fsync(fd) == 0 ? 0 : errno;
    if (fd >= 0)
        close(fd);
    return rc == 0 ? 0
                   : err_set(err, E_IO, "cannot flush the directory %s: %s", path, strerror(rc));
}

int dir_make(const char *path, struct err *err)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_set(err, E_IO, "cannot make %s: %s", path, strerror(errno));
    return 0;
}

/* Files only: nobody makes folders in the data's. */
void dir_clear(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        closedir(dir);
}
