/* courier.c -- see courier.h.
 *
 *     courier_send() --> out, under the mutex --wake--> sending, written by the loop --> socket
 *     socket --> in --> arrived()
 *
 * The descriptor is polled and not a stream of libuv's: what is sent in one turn of the loop goes
 * out in one call, without a request for each.
 */
#include "core/server/courier.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define READ_BYTES (64u << 10)
#define TURN_BYTES (512u << 10) /* read in one turn of the loop */
#define KEPT_BYTES (1u << 20)   /* of memory, when all has gone */

struct head {
    uint32_t size, kind;
    uint64_t number;
};

struct courier {
    struct courier_options options;
    uv_poll_t poll;
    uv_async_t wake;
    pthread_mutex_t mutex;
    struct buf out; /* with the mutex ... */
    size_t waiting; /* ... in it and in `sending` */
    bool is_ended;
    struct buf sending, in;
    size_t sent; /* of `sending` */
    int events;  /* that are polled for */
    int handles; /* not closed yet */
    bool is_closed;
};

static void look_for(struct courier *courier);

static void end(struct courier *courier, const char *why)
{
    pthread_mutex_lock(&courier->mutex);
    bool was_ended = courier->is_ended;
    courier->is_ended = true;
    pthread_mutex_unlock(&courier->mutex);
    uv_poll_stop(&courier->poll);
    if (!was_ended)
        courier->options.ended(courier->options.arg, why);
}

/* -- Out --------------------------------------------------------------------------------------- */

static void shrink(struct buf *buf)
{
    buf_clear(buf);
    if (buf->capacity > KEPT_BYTES)
        buf_deinit(buf);
}

/* The next batch, when the one before has gone. */
static void load(struct courier *courier)
{
    shrink(&courier->sending);
    courier->sent = 0;
    pthread_mutex_lock(&courier->mutex);
    struct buf empty = courier->sending;
    courier->sending = courier->out;
    courier->out = empty;
    pthread_mutex_unlock(&courier->mutex);
}

static void note_sent(struct courier *courier, size_t size)
{
    courier->sent += size;
    pthread_mutex_lock(&courier->mutex);
    courier->waiting -= size;
    pthread_mutex_unlock(&courier->mutex);
}

/* Nobody is there to take it.  That it is the end is found out by reading what is still there. */
static void drop(struct courier *courier)
{
    pthread_mutex_lock(&courier->mutex);
    courier->waiting = 0;
    buf_clear(&courier->out);
    pthread_mutex_unlock(&courier->mutex);
    buf_clear(&courier->sending);
    courier->sent = 0;
}

/* False: the socket takes no more for now, or never. */
static bool write_some(struct courier *courier)
{
    const struct buf *sending = &courier->sending;
    ssize_t put = send(courier->options.fd, sending->data + courier->sent,
                       sending->size - courier->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put > 0)
        note_sent(courier, (size_t)put);
    else if (errno != EAGAIN && errno != EINTR)
        drop(courier);
    return put > 0 || errno == EINTR;
}

static void write_out(struct courier *courier)
{
    bool is_open = true;
    while (is_open) {
        if (courier->sent == courier->sending.size)
            load(courier);
        if (courier->sending.size == 0)
            break;
        is_open = write_some(courier);
    }
}

static void on_wake(uv_async_t *async)
{
    struct courier *courier = async->data;
    if (courier->is_closed || courier->is_ended)
        return;
    write_out(courier);
    look_for(courier);
}

bool courier_send(struct courier *courier, uint32_t kind, uint64_t number, struct doc doc,
                  bool must)
{
    struct head head = { doc.size, kind, number };
    size_t size = sizeof head + doc.size;
    pthread_mutex_lock(&courier->mutex);
    bool is_taken = !courier->is_ended && doc.size <= COURIER_DOC_BYTES_MAX &&
                    (must || courier->waiting + size <= COURIER_QUEUE_BYTES_MAX);
    bool is_first = courier->out.size == 0;
    if (is_taken) {
        buf_append(&courier->out, &head, sizeof head);
        buf_append(&courier->out, doc.data, doc.size);
        courier->waiting += size;
        if (is_first)
            uv_async_send(&courier->wake);
    }
    pthread_mutex_unlock(&courier->mutex);
    return is_taken;
}

size_t courier_waiting(struct courier *courier)
{
    pthread_mutex_lock(&courier->mutex);
    size_t waiting = courier->waiting;
    pthread_mutex_unlock(&courier->mutex);
    return waiting;
}

/* -- In ---------------------------------------------------------------------------------------- */

/* What one hears who is not a plugin of ours. */
static const char *check(const struct head *head, const uint8_t *data)
{
    if (head->size == 0)
        return NULL;
    return doc_validate(data, head->size, DOC_DEPTH_MAX, NULL) == 0
               ? NULL
               : "it sends what is no document";
}

static bool is_size(uint32_t size)
{
    return size == 0 || (size >= 5 && size <= COURIER_DOC_BYTES_MAX);
}

/* Hand on the next one that is whole; false: there is none. */
static bool hand_on(struct courier *courier, size_t *at)
{
    struct head head;
    if (courier->in.size - *at < sizeof head)
        return false;
    memcpy(&head, courier->in.data + *at, sizeof head);
    if (!is_size(head.size)) {
        end(courier, "it sends no documents");
        return false;
    }
    if (courier->in.size - *at - sizeof head < head.size)
        return false;
    const uint8_t *data = courier->in.data + *at + sizeof head;
    const char *why = check(&head, data);
    if (why != NULL) {
        end(courier, why);
        return false;
    }
    struct doc doc = { head.size != 0 ? data : NULL, head.size };
    *at += sizeof head + head.size;
    courier->options.arrived(courier->options.arg, head.kind, head.number, doc);
    return !courier->is_closed && !courier->is_ended;
}

static void hand_on_all(struct courier *courier)
{
    size_t at = 0;
    while (hand_on(courier, &at))
        ;
    if (courier->is_closed || courier->is_ended)
        return;
    if (at != 0 && at < courier->in.size)
        memmove(courier->in.data, courier->in.data + at, courier->in.size - at);
    courier->in.size -= at;
    if (courier->in.size == 0)
        shrink(&courier->in);
}

/* Bytes that were read; 0: there are none now, or it is the end. */
static size_t read_some(struct courier *courier)
{
    uint8_t *room = buf_reserve(&courier->in, READ_BYTES);
    ssize_t got = recv(courier->options.fd, room, READ_BYTES, MSG_DONTWAIT);
    if (got > 0) {
        courier->in.size += (size_t)got;
        return (size_t)got;
    }
    if (got == 0)
        end(courier, "its process has ended");
    else if (errno != EAGAIN && errno != EINTR)
        end(courier, "its process cannot be read from");
    return 0;
}

static void read_in(struct courier *courier)
{
    size_t total = 0, got = READ_BYTES;
    while (got == READ_BYTES && total < TURN_BYTES && !courier->is_closed && !courier->is_ended) {
        got = read_some(courier);
        total += got;
        if (got != 0)
            hand_on_all(courier);
    }
}

/* -- The descriptor ---------------------------------------------------------------------------- */

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct courier *courier = poll->data;
    if (status < 0 || (events & UV_READABLE) != 0)
        read_in(courier);
    if (courier->is_closed || courier->is_ended)
        return;
    write_out(courier);
    look_for(courier);
}

static void look_for(struct courier *courier)
{
    size_t waiting = courier_waiting(courier);
    int events = waiting <= COURIER_FULL_BYTES ? UV_READABLE : 0;
    if (courier->sent != courier->sending.size)
        events |= UV_WRITABLE;
    if (events == courier->events)
        return;
    courier->events = events;
    uv_poll_start(&courier->poll, events, on_ready);
}

/* -- Life -------------------------------------------------------------------------------------- */

struct courier *courier_open(const struct courier_options *options)
{
    struct courier *courier = mem_zero(sizeof *courier);
    courier->options = *options;
    pthread_mutex_init(&courier->mutex, NULL);
    int rc = uv_poll_init(options->loop, &courier->poll, options->fd);
    if (rc == 0)
        rc = uv_async_init(options->loop, &courier->wake, on_wake);
    ASSERT(rc == 0);
    courier->poll.data = courier->wake.data = courier;
    courier->handles = 2;
    look_for(courier);
    return courier;
}

static void on_closed(uv_handle_t *handle)
{
    struct courier *courier = handle->data;
    if (--courier->handles != 0)
        return;
    close(courier->options.fd);
    pthread_mutex_destroy(&courier->mutex);
    buf_deinit(&courier->out);
    buf_deinit(&courier->sending);
    buf_deinit(&courier->in);
    free(courier);
}

void courier_close(struct courier *courier)
{
    if (courier == NULL || courier->is_closed)
        return;
    if (!courier->is_ended)
        write_out(courier);
    pthread_mutex_lock(&courier->mutex);
    courier->is_ended = courier->is_closed = true;
    pthread_mutex_unlock(&courier->mutex);
    uv_close((uv_handle_t *)&courier->poll, on_closed);
    uv_close((uv_handle_t *)&courier->wake, on_closed);
}
