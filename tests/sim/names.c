/* names.c -- directory changes in order, and undoing a tail of them.
 *
 * Directories are known by inode, because a directory may itself be renamed between
 * a change and its undoing.  Undoing goes from the newest change to the oldest, so
 * each step finds the names as it left them.  A step whose names are not as it left
 * them (the process was killed between announcing a change and making it) is skipped.
 *
 * Rejected: undoing any subset.  Two changes of one name can depend on each other
 * (create, then rename), no file system we know loses the first and keeps the
 * second, and code that had to survive it could not be written.
 */
#include "tests/sim/names.h"

#include "core/base/mem.h"
#include "tests/sim/dice.h"
#include "tests/sim/real.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHANGES_MAX 1024
#define NAME_BYTES 256

enum change_kind { CREATE = 1, UNLINK, RENAME };
enum { ROLL_MOOD = 1, ROLL_CHANGE };

struct place {
    uint64_t dir; /* its inode */
    char name[NAME_BYTES];
};

struct change {
    uint32_t kind;
    uint32_t kept;         /* number of the kept link to what was removed; 0: nothing was */
    uint64_t inode;        /* of what was created, removed or renamed */
    struct place from, to; /* the same place unless it is a rename */
};

struct list {
    uint32_t used;
    uint32_t kept; /* the last number given to a kept link */
    struct change changes[CHANGES_MAX];
};

struct names {
    struct list *list;
    int journal;
};

struct names *names_open(int journal, bool is_new)
{
    int fd = real()->openat(journal, "names", O_RDWR | O_CLOEXEC | (is_new ? O_CREAT : 0), 0600);
    if (fd < 0 && !is_new)
        return NULL;
    ASSERT(fd >= 0 && real()->ftruncate(fd, sizeof(struct list)) == 0);
    void *data = mmap(NULL, sizeof(struct list), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ASSERT(data != MAP_FAILED);
    close(fd);

    struct names *names = mem_alloc(sizeof *names);
    names->list = data;
    names->journal = journal;
    return names;
}

void names_close(struct names *names)
{
    if (names == NULL)
        return;
    munmap(names->list, sizeof(struct list));
    free(names);
}

/* -- Remembering ------------------------------------- */

static uint64_t inode_of(struct name name)
{
    struct stat stat;
    bool exists = fstatat(name.dir, name.text, &stat, AT_SYMLINK_NOFOLLOW) == 0;
    return exists ? (uint64_t)stat.st_ino : 0;
}

static struct place place_of(struct name name)
{
    struct stat stat;
    struct place place = { 0 };
    ASSERT(fstat(name.dir, &stat) == 0);
    place.dir = (uint64_t)stat.st_ino;
    int size = snprintf(place.name, sizeof place.name, "%s", name.text);
    ASSERT(size > 0 && size < (int)sizeof place.name);
    return place;
}

static void kept_name(char out_text[NAME_BYTES], uint32_t kept)
{
    snprintf(out_text, NAME_BYTES, "kept.%u", kept);
}

/* A second name keeps the file and its inode number until the change is certain. */
static uint32_t keep(struct names *names, struct name name)
{
    char text[NAME_BYTES];
    if (inode_of(name) == 0)
        return 0;
    kept_name(text, ++names->list->kept);
    if (linkat(name.dir, name.text, names->journal, text, 0) != 0) {
        fprintf(stderr,
                "names: cannot keep %s: %s (a directory, or the journal is on another "
                "file system)\n",
                name.text, strerror(errno));
        abort();
    }
    return names->list->kept;
}

static void drop_kept(const struct names *names, const struct change *change)
{
    char text[NAME_BYTES];
    kept_name(text, change->kept);
    if (change->kept != 0)
        real()->unlinkat(names->journal, text, 0);
}

static void add(struct names *names, struct change change)
{
    ASSERT(names->list->used < CHANGES_MAX);
    names->list->changes[names->list->used] = change;
    names->list->used++;
}

void names_created(struct names *names, struct name name)
{
    struct place place = place_of(name);
    add(names, (struct change){ CREATE, 0, inode_of(name), place, place });
}

void names_unlinking(struct names *names, struct name name)
{
    struct place place = place_of(name);
    add(names, (struct change){ UNLINK, keep(names, name), inode_of(name), place, place });
}

void names_renaming(struct names *names, struct name from, struct name to)
{
    uint64_t inode = inode_of(from);
    add(names, (struct change){ RENAME, keep(names, to), inode, place_of(from), place_of(to) });
}

void names_cancel(struct names *names)
{
    names->list->used--;
    drop_kept(names, &names->list->changes[names->list->used]);
}

/* -- Sets of directories ------------------------------------- */

struct dirs {
    uint64_t inodes[2 * CHANGES_MAX + 1];
    unsigned count;
};

static bool touches(const struct dirs *dirs, const struct change *change)
{
    for (unsigned i = 0; i < dirs->count; i++) {
        if (dirs->inodes[i] == change->from.dir || dirs->inodes[i] == change->to.dir)
            return true;
    }
    return false;
}

static void include(struct dirs *dirs, const struct change *change)
{
    dirs->inodes[dirs->count++] = change->from.dir;
    dirs->inodes[dirs->count++] = change->to.dir;
}

/* -- Flushing ------------------------------------- */

static void remove_certain(struct names *names, const bool certain[CHANGES_MAX])
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < names->list->used; i++) {
        if (certain[i])
            drop_kept(names, &names->list->changes[i]);
        else if (kept++ != i)
            names->list->changes[kept - 1] = names->list->changes[i];
    }
    names->list->used = kept;
}

void names_flush(struct names *names, int dir)
{
    bool certain[CHANGES_MAX] = { false };
    struct dirs dirs = { .count = 1 };
    struct stat stat;
    ASSERT(fstat(dir, &stat) == 0);
    dirs.inodes[0] = (uint64_t)stat.st_ino;

    for (uint32_t i = names->list->used; i-- > 0;) {
        certain[i] = touches(&dirs, &names->list->changes[i]);
        if (certain[i])
            include(&dirs, &names->list->changes[i]);
    }
    remove_certain(names, certain);
}

/* -- The power cut ------------------------------------- */

/* The directory of this inode, wherever it stands now; -1 if there is none. */
static int open_dir(const char *root, uint64_t inode)
{
    char *paths[] = { mem_string(root), NULL };
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    ASSERT(tree != NULL);
    int fd = -1;
    for (FTSENT *entry = fts_read(tree); entry != NULL && fd < 0; entry = fts_read(tree)) {
        if (entry->fts_info == FTS_D && (uint64_t)entry->fts_statp->st_ino == inode)
            fd = real()->openat(AT_FDCWD, entry->fts_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    fts_close(tree);
    free(paths[0]);
    return fd;
}

/* A lost directory may have flushed files in it: set it aside whole. */
static void undo_create(const struct names *names, struct name name)
{
    char aside[NAME_BYTES];
    if (real()->unlinkat(name.dir, name.text, 0) == 0)
        return;
    snprintf(aside, sizeof aside, "lost.%u", ++names->list->kept);
    ASSERT(real()->renameat(name.dir, name.text, names->journal, aside) == 0);
}

static void restore_kept(const struct names *names, const struct change *change, struct name name)
{
    char text[NAME_BYTES];
    kept_name(text, change->kept);
    if (change->kept != 0 && inode_of(name) == 0)
        ASSERT(linkat(names->journal, text, name.dir, name.text, 0) == 0);
}

static void undo(const struct names *names, const char *root, const struct change *change)
{
    struct name from = { open_dir(root, change->from.dir), change->from.name };
    struct name to = { open_dir(root, change->to.dir), change->to.name };
    if (from.dir >= 0 && to.dir >= 0) {
        bool is_done = inode_of(to) == change->inode;
        if (change->kind == CREATE && is_done)
            undo_create(names, to);
        if (change->kind == RENAME && is_done)
            ASSERT(real()->renameat(to.dir, to.text, from.dir, from.text) == 0);
        restore_kept(names, change, to);
    }
    if (from.dir >= 0)
        close(from.dir);
    if (to.dir >= 0)
        close(to.dir);
}

/* Which changes are undone: from the first loser of a directory on, all of it. */
static void choose_undone(const struct names *names, uint64_t seed, bool out_undone[CHANGES_MAX])
{
    struct dirs stopped = { .count = 0 };
    uint64_t mood = dice_roll(seed, 0, ROLL_MOOD) % 4; /* 0: none is lost, 1: all are */

    for (uint32_t i = 0; i < names->list->used; i++) {
        const struct change *change = &names->list->changes[i];
        bool is_lost = mood == 1 || (mood > 1 && dice_roll(seed, i, ROLL_CHANGE) % 3 == 0);
        out_undone[i] = is_lost || touches(&stopped, change);
        if (out_undone[i])
            include(&stopped, change);
    }
}

void names_recover(struct names *names, const char *root, uint64_t seed)
{
    bool undone[CHANGES_MAX] = { false };
    choose_undone(names, seed, undone);
    for (uint32_t i = names->list->used; i-- > 0;) {
        if (undone[i])
            undo(names, root, &names->list->changes[i]);
        drop_kept(names, &names->list->changes[i]);
    }
    names->list->used = 0;
}
