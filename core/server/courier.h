/* courier.h -- documents between kithd and the process of an isolated plugin, without waiting.
 *
 * Each is sent with a kind and a number, under a head of sixteen bytes in the machine's own order.
 * What is sent waits in memory until the socket takes it, up to a bound; while too much waits,
 * nothing is read either, so that who does not hear is not heard.  What arrives is bounded by the
 * turn of the loop, so that one who talks does not keep the others from it.
 *
 * What comes in is believed only to be bytes: a size that cannot be, or what is no document, ends
 * the courier, and says why.
 *
 * The loop's thread, but for courier_send().
 */
#ifndef CORE_SERVER_COURIER_H
#define CORE_SERVER_COURIER_H

#include "core/base/doc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COURIER_DOC_BYTES_MAX (32u << 20)   /* of one */
#define COURIER_QUEUE_BYTES_MAX (64u << 20) /* waiting to be sent */
#define COURIER_FULL_BYTES (1u << 20)       /* waiting: then nothing is read */

struct courier;
struct uv_loop_s;

struct courier_options {
    struct uv_loop_s *loop;
    int fd; /* taken over */
    /* `doc` is borrowed for the call; no data: none was sent.  It may close the courier. */
    void (*arrived)(void *arg, uint32_t kind, uint64_t number, struct doc doc);
    /* The other side has closed, or sends rubbish; nothing more arrives.  Once. */
    void (*ended)(void *arg, const char *why);
    void *arg;
};

struct courier *courier_open(const struct courier_options *options);

/* False: too much waits already, or it has ended; nothing is sent.  `must` says that the sender
 * bounds this himself: only the end is a reason then.  Any thread. */
bool courier_send(struct courier *courier, uint32_t kind, uint64_t number, struct doc doc,
                  bool must);

size_t courier_waiting(struct courier *courier); /* bytes */

/* Nothing arrives any more; what waits is tried once more and then lost.  Its memory goes when the
 * loop has run again.  NULL is allowed. */
void courier_close(struct courier *courier);

#endif
