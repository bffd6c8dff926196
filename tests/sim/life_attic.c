/* life_attic.c -- see life_attic.h. */
#include "tests/sim/life_attic.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/server/refold.h"
#include "core/server/world_log.h"
#include "storage/state.h"
#include "tests/sim/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_BYTES ((size_t)1 << 30)
#define EXIT_FOUND 7

static struct attic attic;
static uint64_t folded_to; /* of the last purge that was looked at */

void attic_open(const struct attic *wanted)
{
    attic = *wanted;
}

_Noreturn static void found(const char *what, const char *why)
{
    fprintf(stderr, "life: %s: %s\n", what, why);
    _exit(EXIT_FOUND);
}

/* -- Keeping ------------------------------------------------------------------ */

struct keeping {
    struct log *log;
    struct buf lines;
};

static int keep(void *arg, const struct log_entry *entry)
{
    struct keeping *keeping = arg;
    if (!entry->is_tombstone)
        attic.print(&keeping->lines, keeping->log, entry);
    return 0;
}

static void keep_entries(struct log *log, const uint64_t *seqs, size_t count)
{
    struct keeping keeping = { .log = log, .lines = BUF_INIT };
    for (size_t i = 0; i < count; i++)
        if (log_read(log, seqs[i], 1, keep, &keeping, NULL, NULL) != 0)
            return; /* a disk that fails: then they are not erased either */
    int fd = open(attic.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ASSERT(fd >= 0);
    ASSERT(write(fd, keeping.lines.data, keeping.lines.size) == (ssize_t)keeping.lines.size);
    close(fd);
    buf_deinit(&keeping.lines);
}

/* -- Folding ------------------------------------------------------------------ */

struct bases { /* of the last world, and the one before it */
    struct base last, before;
};

static int see_world(void *arg, const struct log_entry *entry)
{
    struct bases *bases = arg;
    struct doc body = { entry->body, (uint32_t)entry->size };
    if (entry->is_tombstone || !text_is(doc_text(body, "type"), "world"))
        return 0;
    struct base base = base_of(doc_child(body, "data"), "base");
    if (base.seq != bases->last.seq) {
        bases->before = bases->last;
        bases->last = base;
    }
    return 0;
}

static int fold_between(struct log *log, struct state *state, const struct bases *bases,
                        struct err *err)
{
    struct refold_options options = {
        .log = log,
        .state = state,
        .seq = bases->last.seq,
        .plugins = attic.plugins,
        .load_rules = attic.load_rules,
        .load_arg = attic.load_arg,
    };
    int rc = base_load(attic.data, &bases->before, state, err);
    return rc == 0 ? refold(&options, err) : rc;
}

static void compare(struct state *state, const struct base *wanted)
{
    struct snapshot *snapshot = NULL;
    uint8_t hash[HASH128_BYTES];
    if (snapshot_open(state, &snapshot, NULL) != 0)
        return;
    snapshot_hash(snapshot, hash);
    snapshot_close(snapshot);
    if (memcmp(hash, wanted->hash, sizeof hash) != 0)
        found("before entries are erased", "the log folds to another state than was kept");
}

static void fold_anew(struct log *log)
{
    struct bases bases = { 0 };
    struct state *state = NULL;
    struct err err = { 0 };
    char dir[4096], command[8300];
    uint64_t end;
    int64_t logged;
    log_end(log, &end, &logged);
    if (log_read(log, 1, SIZE_MAX, see_world, &bases, NULL, NULL) != 0 ||
        bases.last.seq == folded_to)
        return;
    folded_to = bases.last.seq;
    snprintf(dir, sizeof dir, "%s.fold", attic.path);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ASSERT(system(command) == 0 && mkdir(dir, 0700) == 0);
    bool is_past = *attic.is_past;
    struct state_options options = { .dir = dir, .map_bytes = MAP_BYTES };
    if (state_open(&options, &state, &err) == 0 && fold_between(log, state, &bases, &err) == 0)
        compare(state, &bases.last);
    else
        found("before entries are erased", err.text);
    *attic.is_past = is_past;
    state_close(state);
    ASSERT(system(command) == 0);
}

int __wrap_log_erase(struct log *log, const uint64_t *seqs, size_t count, uint64_t customer,
                     struct err *err)
{
    if (attic.path != NULL) {
        fold_anew(log);
        keep_entries(log, seqs, count);
    }
    return __real_log_erase(log, seqs, count, customer, err);
}
