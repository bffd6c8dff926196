/* files.h -- the files that go with a message, read before it is written.
 *
 * They come from Kith one after the other (docs/files.md).  One that is not there any more, or too
 * much of them, is a reason to reject the message: it says "attached" somewhere.  The loop's
 * thread, but for reading `items`, which do not change between `done` and files_deinit().
 */
#ifndef PLUGINS_EMAIL_FILES_H
#define PLUGINS_EMAIL_FILES_H

#include "compose.h"
#include "fault.h"
#include "kith.h"

#define FILES_MAX 20                /* of one message */
#define FILES_BYTES_MAX (10u << 20) /* of all files of one message */
#define FILES_HELD_MAX (64u << 20)  /* of all messages that are being written */

struct files {
    const struct kith_host *host;
    struct kith *kith;
    size_t *held; /* bytes, of all messages */
    /* `outcome` is KITH_SENT when all are there, else what becomes of the message, and why. */
    void (*done)(void *arg, int32_t outcome, const char *why);
    void *arg;
    struct kith_doc list; /* attach: [{hash, name}, ...]; must live as long */
    struct compose_attachment items[FILES_MAX];
    size_t count, bytes;
    struct fault fault;
};

/* `host` to `list` are the caller's to set.  `done` comes once, perhaps from inside. */
void files_read(struct files *files);
void files_deinit(struct files *files); /* of one that was never read, too */

#endif
