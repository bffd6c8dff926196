/* platter.c -- trails by inode, and the power cut over all of them.
 *
 * Trails are numbered in the order in which files were first changed, and never by
 * inode: the same run must give each file the same fate on another machine.
 *
 * An inode number can be given to another file once its own is gone.  While a removal is
 * uncertain names.c keeps the file alive; after that a new file below the directory
 * voids the trail, and a trail whose inode is nowhere below is ignored.
 */
#include "tests/sim/platter.h"

#include "core/base/mem.h"
#include "tests/sim/dice.h"
#include "tests/sim/real.h"

#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROLL_CONTENT = 1, ROLL_NAMES };

struct platter {
    char dir[PATH_MAX]; /* absolute, without links */
    size_t dir_size;
    int journal;
    struct names *names;
    struct trail *trails[PLATTER_FILES_MAX];
    unsigned count;
};

static struct platter *open_at(const char *dir, const char *journal, bool is_new)
{
    struct platter *platter = mem_zero(sizeof *platter);
    ASSERT(realpath(dir, platter->dir) != NULL);
    platter->dir_size = strlen(platter->dir);
    platter->journal = real()->openat(AT_FDCWD, journal, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT(platter->journal >= 0);

    platter->names = names_open(platter->journal, is_new);
    struct trail *trail = trail_open(platter->journal, 0);
    while (trail != NULL) {
        platter->trails[platter->count++] = trail;
        trail = platter->count < PLATTER_FILES_MAX ? trail_open(platter->journal, platter->count)
                                                   : NULL;
    }
    return platter;
}

struct platter *platter_open(const char *dir, const char *journal)
{
    return open_at(dir, journal, true);
}

void platter_close(struct platter *platter)
{
    if (platter == NULL)
        return;
    for (unsigned i = 0; i < platter->count; i++)
        trail_close(platter->trails[i]);
    names_close(platter->names);
    close(platter->journal);
    free(platter);
}

bool platter_has(const struct platter *platter, int fd)
{
    char link[40], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < (ssize_t)platter->dir_size)
        return false;
    path[size] = '\0';
    char after = path[platter->dir_size];
    return memcmp(path, platter->dir, platter->dir_size) == 0 && (after == '\0' || after == '/');
}

static struct trail *find(const struct platter *platter, uint64_t inode)
{
    for (unsigned i = 0; i < platter->count; i++) {
        if (trail_inode(platter->trails[i]) == inode)
            return platter->trails[i];
    }
    return NULL;
}

struct trail *platter_trail(struct platter *platter, int fd)
{
    struct stat stat;
    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode))
        return NULL;
    struct trail *trail = find(platter, (uint64_t)stat.st_ino);
    if (trail != NULL || !platter_has(platter, fd))
        return trail;

    ASSERT(platter->count < PLATTER_FILES_MAX);
    trail = trail_new(platter->journal, platter->count, (uint64_t)stat.st_ino);
    platter->trails[platter->count++] = trail;
    return trail;
}

struct names *platter_names(struct platter *platter)
{
    return platter->names;
}

void platter_created(struct platter *platter, int fd, struct name name)
{
    struct stat stat;
    ASSERT(fstat(fd, &stat) == 0);
    struct trail *trail = find(platter, (uint64_t)stat.st_ino);
    if (trail != NULL)
        trail_reset(trail);
    names_created(platter->names, name);
}

/* -- The power cut ------------------------------------- */

struct found {
    uint64_t inode;
    char *path;
};

struct catalog {
    struct found *files;
    size_t count;
};

/* Where every file stands now.  One that was removed stands in the journal directory. */
static struct catalog catalog_of(const char *dir, const char *journal)
{
    char *paths[] = { mem_string(dir), mem_string(journal), NULL };
    struct catalog catalog = { NULL, 0 };
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    ASSERT(tree != NULL);
    for (FTSENT *entry = fts_read(tree); entry != NULL; entry = fts_read(tree)) {
        if (entry->fts_info != FTS_F)
            continue;
        catalog.files = mem_resize(catalog.files, (catalog.count + 1) * sizeof *catalog.files);
        catalog.files[catalog.count++] =
            (struct found){ (uint64_t)entry->fts_statp->st_ino, mem_string(entry->fts_path) };
    }
    fts_close(tree);
    free(paths[0]);
    free(paths[1]);
    return catalog;
}

static void catalog_deinit(struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->count; i++)
        free(catalog->files[i].path);
    free(catalog->files);
}

static const char *catalog_path(const struct catalog *catalog, uint64_t inode)
{
    for (size_t i = 0; i < catalog->count; i++) {
        if (catalog->files[i].inode == inode)
            return catalog->files[i].path;
    }
    return NULL;
}

static void recover_contents(struct platter *platter, const struct catalog *catalog, uint64_t seed)
{
    for (unsigned i = 0; i < platter->count; i++) {
        const char *path = catalog_path(catalog, trail_inode(platter->trails[i]));
        if (path == NULL)
            continue;
        int fd = real()->openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC);
        ASSERT(fd >= 0);
        trail_recover(platter->trails[i], fd, dice_roll(seed, i, ROLL_CONTENT));
        close(fd);
    }
}

/* Contents first: undoing names may remove the last name by which a file is found. */
void platter_recover(const char *dir, const char *journal, uint64_t seed)
{
    struct platter *platter = open_at(dir, journal, false);
    struct catalog catalog = catalog_of(dir, journal);
    recover_contents(platter, &catalog, seed);
    if (platter->names != NULL)
        names_recover(platter->names, dir, dice_roll(seed, 0, ROLL_NAMES));
    catalog_deinit(&catalog);
    platter_close(platter);
}
