/* idempotency.c -- see idempotency.h.
 *
 * Two files, `new` and `old`, appended to and never changed.  When `new` has been begun a day ago
 * it takes the place of `old`, whose last answer is then older than a day; so room is given back
 * a file at a time, and no answer is looked for that is not in one of the two.
 *
 * A record: checksum (8), size of what follows (4), status (4), time (8), key (16), request (16),
 * size of the content type (4), content type, body; native byte order, for no other machine
 * reads it.  A file ends where a record does not fit its checksum: a kill in the middle of a
 * write leaves such a tail, and it is cut off.
 *
 * The index is a table of open addressing in memory, 64 bytes an answer.  Nothing is ever taken
 * out of it alone: what was dropped stays as a place of state DROPPED until the table is made
 * anew, when it has grown or a file has gone.
 */
#include "core/server/idempotency.h"

#include "core/base/buf.h"
#include "core/base/doc.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/server/dir.h"
#include "core/server/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_MS (24ll * 3600 * 1000)
#define PLACES_LEAST 256u
#define PATH_BYTES 4200

enum place_state { PLACE_FREE, PLACE_DROPPED, PLACE_UNDER_WAY, PLACE_KEPT };

struct place {
    struct idempotency_id id;
    int64_t at; /* of the answer, wall clock */
    uint64_t offset;
    uint8_t state, file;
};

enum { FILE_NEW, FILE_OLD, FILES };

struct file {
    int fd; /* -1: there is none */
    uint64_t size;
    int64_t begun; /* time of its first record; 0: none */
};

struct idempotency {
    char dir[PATH_BYTES - 100];
    struct clock clock;
    struct file files[FILES];
    struct place *places;
    size_t capacity; /* a power of two */
    size_t used;     /* places not free, dropped ones too */
    size_t count;    /* kept and under way */
    struct buf record;
    bool is_failing; /* the operator has been told */
};

struct head {
    uint64_t checksum; /* of all that follows */
    uint32_t size;     /* of the record, head included */
    int32_t status;
    int64_t at;
    struct idempotency_id id;
    uint32_t type_size;
    uint32_t zero;
};

static int64_t now_ms(const struct idempotency *idempotency)
{
    return idempotency->clock.wall_ms(idempotency->clock.arg);
}

/* -- The index --------------------------------------------------------------------------------- */

/* The place of the key, or the free one where it would stand. */
static struct place *place_find(const struct idempotency *idempotency,
                                const struct idempotency_id *id)
{
    uint64_t start;
    memcpy(&start, id->key, sizeof start); /* a digest: any part of it is as good */
    for (size_t i = start & (idempotency->capacity - 1);;
         i = (i + 1) & (idempotency->capacity - 1)) {
        struct place *place = &idempotency->places[i];
        if (place->state == PLACE_FREE ||
            (place->state != PLACE_DROPPED && memcmp(place->id.key, id->key, sizeof id->key) == 0))
            return place;
    }
}

/* Keep what is worth it, in a table that is at most a third full. */
static void index_renew(struct idempotency *idempotency, bool (*is_kept)(const struct place *place))
{
    struct place *before = idempotency->places;
    size_t capacity = idempotency->capacity, count = 0;
    for (size_t i = 0; i < capacity; i++)
        count += is_kept(&before[i]);
    idempotency->capacity = PLACES_LEAST;
    while (idempotency->capacity < 3 * count)
        idempotency->capacity *= 2;
    idempotency->places = mem_zero(idempotency->capacity * sizeof *before);
    idempotency->used = idempotency->count = count;
    for (size_t i = 0; i < capacity; i++)
        if (is_kept(&before[i]))
            *place_find(idempotency, &before[i].id) = before[i];
    free(before);
}

static bool is_in_use(const struct place *place)
{
    return place->state >= PLACE_UNDER_WAY;
}

static bool is_under_way(const struct place *place)
{
    return place->state == PLACE_UNDER_WAY;
}

static bool is_not_old(const struct place *place)
{
    return is_under_way(place) || (place->state == PLACE_KEPT && place->file != FILE_OLD);
}

/* A place for the key, which has none. */
static struct place *place_add(struct idempotency *idempotency, const struct idempotency_id *id,
                               enum place_state state)
{
    if (2 * (idempotency->used + 1) > idempotency->capacity)
        index_renew(idempotency, is_in_use);
    struct place *place = place_find(idempotency, id);
    *place = (struct place){ .id = *id, .state = (uint8_t)state };
    idempotency->used++;
    idempotency->count++;
    return place;
}

static void place_drop(struct idempotency *idempotency, struct place *place)
{
    place->state = PLACE_DROPPED;
    idempotency->count--;
}

/* -- The files --------------------------------------------------------------------------------- */

static void path_of(const struct idempotency *idempotency, int file, char out_path[PATH_BYTES])
{
    snprintf(out_path, PATH_BYTES, "%s/%s", idempotency->dir, file == FILE_NEW ? "new" : "old");
}

static int file_open(struct idempotency *idempotency, int file, struct err *err)
{
    char path[PATH_BYTES];
    path_of(idempotency, file, path);
    struct file *opened = &idempotency->files[file];
    *opened = (struct file){ .fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) };
    return opened->fd >= 0 ? 0 : err_set(err, E_IO, "cannot open %s: %s", path, strerror(errno));
}

static void file_close(struct file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    *file = (struct file){ .fd = -1 };
}

static bool read_at(int fd, void *data, size_t size, uint64_t offset)
{
    uint8_t *at = data;
    while (size > 0) {
        ssize_t got = pread(fd, at, size, (off_t)offset);
        if (got <= 0)
            return false;
        at += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return true;
}

/* The record at `offset`, whole and sound, into `record`; false: there is none. */
static bool record_read(struct idempotency *idempotency, const struct file *file, uint64_t offset,
                        struct head *out_head)
{
    struct buf *record = &idempotency->record;
    buf_clear(record);
    if (!read_at(file->fd, out_head, sizeof *out_head, offset) ||
        out_head->size < sizeof *out_head || out_head->size > IDEMPOTENCY_BYTES_MAX ||
        out_head->type_size > out_head->size - sizeof *out_head)
        return false;
    buf_reserve(record, out_head->size);
    if (!read_at(file->fd, record->data, out_head->size, offset))
        return false;
    record->size = out_head->size;
    const size_t summed = sizeof out_head->checksum;
    return hash64(record->data + summed, record->size - summed) == out_head->checksum;
}

static void index_record(struct idempotency *idempotency, int file, const struct head *head)
{
    struct place *place = place_find(idempotency, &head->id);
    if (place->state == PLACE_FREE)
        place = place_add(idempotency, &head->id, PLACE_KEPT);
    place->id = head->id;
    place->at = head->at;
    place->offset = idempotency->files[file].size;
    place->file = (uint8_t)file;
}

static int file_load(struct idempotency *idempotency, int number, struct err *err)
{
    struct file *file = &idempotency->files[number];
    struct head head;
    int rc = file_open(idempotency, number, err);
    if (rc != 0)
        return rc;
    while (record_read(idempotency, file, file->size, &head)) {
        index_record(idempotency, number, &head);
        file->begun = file->begun == 0 ? head.at : file->begun;
        file->size += head.size;
    }
    if (ftruncate(file->fd, (off_t)file->size) != 0)
        return err_set(err, E_IO, "cannot write %s: %s", idempotency->dir, strerror(errno));
    return 0;
}

/* `new` becomes `old`, and an empty one takes its place. */
static int turn_over(struct idempotency *idempotency, struct err *err)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    path_of(idempotency, FILE_NEW, from);
    path_of(idempotency, FILE_OLD, to);
    if (rename(from, to) != 0)
        return err_set(err, E_IO, "cannot rename %s: %s", from, strerror(errno));
    index_renew(idempotency, is_not_old);
    for (size_t i = 0; i < idempotency->capacity; i++)
        idempotency->places[i].file = FILE_OLD; /* of one under way it has no meaning yet */
    file_close(&idempotency->files[FILE_OLD]);
    idempotency->files[FILE_OLD] = idempotency->files[FILE_NEW];
    return file_open(idempotency, FILE_NEW, err);
}

static bool is_full(const struct idempotency *idempotency, bool is_public)
{
    size_t share = is_public ? 2 : 1;
    return idempotency->count >= IDEMPOTENCY_KEYS_MAX / share ||
           idempotency->files[FILE_NEW].size >= IDEMPOTENCY_BYTES_MAX / share;
}

static void turn_over_if_due(struct idempotency *idempotency)
{
    const struct file *file = &idempotency->files[FILE_NEW];
    struct err err;
    int64_t now = now_ms(idempotency);
    /* A clock that was set back must not keep a file for ever. */
    bool is_due = file->begun != 0 && (now - file->begun >= DAY_MS || now < file->begun - DAY_MS);
    if (is_due && turn_over(idempotency, &err) != 0)
        say("answers of calls with an Idempotency-Key: %s", err.text);
}

/* -- Opening ----------------------------------------------------------------------------------- */

int idempotency_open(const char *dir, struct clock clock, struct idempotency **out_idempotency,
                     struct err *err)
{
    struct idempotency *idempotency = mem_zero(sizeof *idempotency);
    snprintf(idempotency->dir, sizeof idempotency->dir, "%s", dir);
    idempotency->clock = clock;
    idempotency->files[FILE_NEW].fd = idempotency->files[FILE_OLD].fd = -1;
    idempotency->capacity = PLACES_LEAST;
    idempotency->places = mem_zero(PLACES_LEAST * sizeof *idempotency->places);
    int rc = dir_make(dir, err);
    if (rc == 0)
        rc = file_load(idempotency, FILE_OLD, err);
    if (rc == 0)
        rc = file_load(idempotency, FILE_NEW, err);
    if (rc != 0) {
        idempotency_close(idempotency);
        return rc;
    }
    *out_idempotency = idempotency;
    return 0;
}

void idempotency_close(struct idempotency *idempotency)
{
    if (idempotency == NULL)
        return;
    for (int i = 0; i < FILES; i++)
        file_close(&idempotency->files[i]);
    buf_deinit(&idempotency->record);
    free(idempotency->places);
    free(idempotency);
}

/* -- A call ------------------------------------------------------------------------------------ */

static bool answer_read(struct idempotency *idempotency, const struct place *place,
                        struct arena *arena, struct idempotency_answer *out_answer)
{
    struct head head;
    if (!record_read(idempotency, &idempotency->files[place->file], place->offset, &head))
        return false;
    const char *type = (const char *)idempotency->record.data + sizeof head;
    *out_answer = (struct idempotency_answer){
        .status = head.status,
        .content_type = arena_text(arena, (struct text){ type, head.type_size }),
        .body = arena_text(arena,
                           (struct text){ type + head.type_size,
                                          (uint32_t)(head.size - sizeof head) - head.type_size }),
    };
    return true;
}

enum idempotency_state idempotency_begin(struct idempotency *idempotency,
                                         const struct idempotency_id *id, bool is_public,
                                         struct arena *arena, struct idempotency_answer *out_answer)
{
    turn_over_if_due(idempotency);
    struct place *place = place_find(idempotency, id);
    int64_t age = now_ms(idempotency) - place->at;
    if (place->state == PLACE_UNDER_WAY)
        return memcmp(place->id.request, id->request, sizeof id->request) == 0
                   ? IDEMPOTENCY_UNDER_WAY
                   : IDEMPOTENCY_OTHER;
    if (place->state == PLACE_KEPT && age < DAY_MS) {
        if (memcmp(place->id.request, id->request, sizeof id->request) != 0)
            return IDEMPOTENCY_OTHER;
        if (answer_read(idempotency, place, arena, out_answer))
            return IDEMPOTENCY_ANSWERED;
    }
    if (place->state != PLACE_FREE)
        place_drop(idempotency, place); /* too old, or damaged */
    if (is_full(idempotency, is_public))
        return IDEMPOTENCY_FULL;
    place_add(idempotency, id, PLACE_UNDER_WAY);
    return IDEMPOTENCY_NEW;
}

static void record_make(struct buf *record, const struct head *head,
                        const struct idempotency_answer *answer)
{
    const size_t summed = sizeof head->checksum;
    buf_clear(record);
    buf_append(record, head, sizeof *head);
    buf_append(record, answer->content_type.data, answer->content_type.size);
    buf_append(record, answer->body.data, answer->body.size);
    uint64_t checksum = hash64(record->data + summed, record->size - summed);
    memcpy(record->data, &checksum, sizeof checksum);
}

static bool record_write(struct file *file, const struct buf *record)
{
    size_t done = 0;
    while (done < record->size) {
        ssize_t written =
            pwrite(file->fd, record->data + done, record->size - done, (off_t)(file->size + done));
        if (written <= 0)
            return false; /* what is there of it does not fit its checksum */
        done += (size_t)written;
    }
    return true;
}

static void say_once(struct idempotency *idempotency, bool is_good)
{
    if (!is_good && !idempotency->is_failing)
        say("answers of calls with an Idempotency-Key cannot be kept in %s: %s", idempotency->dir,
            strerror(errno));
    idempotency->is_failing = !is_good;
}

void idempotency_keep(struct idempotency *idempotency, const struct idempotency_id *id,
                      const struct idempotency_answer *answer)
{
    struct file *file = &idempotency->files[FILE_NEW];
    struct place *place = place_find(idempotency, id);
    struct head head = {
        .size = (uint32_t)(sizeof head + answer->content_type.size + answer->body.size),
        .status = answer->status,
        .at = now_ms(idempotency),
        .id = *id,
        .type_size = answer->content_type.size,
    };
    ASSERT(place->state == PLACE_UNDER_WAY);
    record_make(&idempotency->record, &head, answer);
    bool is_good = file->fd >= 0 && record_write(file, &idempotency->record);
    say_once(idempotency, is_good);
    if (!is_good) {
        place_drop(idempotency, place);
        return;
    }
    place->state = PLACE_KEPT;
    place->at = head.at;
    place->offset = file->size;
    place->file = FILE_NEW;
    file->begun = file->begun == 0 ? head.at : file->begun;
    file->size += head.size;
}

void idempotency_drop(struct idempotency *idempotency, const struct idempotency_id *id)
{
    struct place *place = place_find(idempotency, id);
    ASSERT(place->state == PLACE_UNDER_WAY);
    place_drop(idempotency, place);
}

int idempotency_forget(struct idempotency *idempotency, struct err *err)
{
    int rc = 0;
    for (int i = 0; i < FILES; i++) {
        struct file *file = &idempotency->files[i];
        if (file->fd < 0)
            continue;
        bool is_empty = ftruncate(file->fd, 0) == 0;
        if (is_empty)
            *file = (struct file){ .fd = file->fd };
        if (!is_empty || fsync(file->fd) != 0)
            rc = err_set(err, E_IO, "cannot empty the files in %s: %s", idempotency->dir,
                         strerror(errno));
    }
    index_renew(idempotency, is_under_way);
    return rc;
}

size_t idempotency_count(const struct idempotency *idempotency)
{
    return idempotency->count;
}
