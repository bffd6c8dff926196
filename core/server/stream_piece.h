/* stream_piece.h -- a stretch of the stream as bytes for the wire, and how it is read.
 *
 * A piece is made once, whoever it is for; a subscriber is sent all of it, its tail, or the
 * events of some types.  A reader makes one piece at a time, over the engine and libuv's pool.
 * Loop thread.
 */
#ifndef CORE_SERVER_STREAM_PIECE_H
#define CORE_SERVER_STREAM_PIECE_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/engine/read.h"
#include "core/server/fold.h"

#include <uv.h>

struct api;

struct stream_item {
    struct read_place place;
    size_t end; /* of its bytes in `text`; they begin where those before it end */
    size_t type, type_size;
};

struct stream_piece {
    struct stream_piece *next;
    struct read_place from, to; /* it has all events behind `from` up to `to` */
    bool has_more;              /* and more were there */
    size_t count;
    struct buf items; /* of struct stream_item */
    struct buf text, types;
};

void stream_piece_free(struct stream_piece *piece); /* NULL is allowed */
size_t stream_piece_bytes(const struct stream_piece *piece);
/* Whether it goes on from this place. */
bool stream_piece_has(const struct stream_piece *piece, const struct read_place *place);
/* What is behind `place`, of `types` alone if there are any (each ends with NUL): borrowed from the
 * piece, or from `scratch`.  *out_last is the place of the last event of it, if there is any. */
struct text stream_piece_cut(const struct stream_piece *piece, const struct read_place *place,
                             const struct buf *types, struct buf *scratch,
                             struct read_place *out_last);

struct stream_reader {
    struct job job; /* first */
    struct api *api;
    void (*done)(void *arg, struct stream_piece *piece);
    void *arg;
    bool is_busy;
    uv_work_t work;
    struct buf rows;
    struct stream_piece *piece;
    int rc;
    struct err err;
};

/* Read the next piece behind `from`; done(arg, piece), which may be empty, is called later and owns
 * it.  One with piece->to equal to `from` and has_more: it could not be read now.  `is_old`: not to
 * trouble the engine, as the last checkpoint probably has it. */
void stream_read(struct stream_reader *reader, const struct read_place *from, bool is_old);

#endif
