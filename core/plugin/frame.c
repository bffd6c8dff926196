/* frame.c -- see frame.h. */
#include "core/plugin/frame.h"

#include "core/base/err.h"
#include "core/base/limits.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int frame_write(int fd, struct doc doc, struct err *err)
{
    size_t written = 0;
    while (written < doc.size) {
        ssize_t put = send(fd, doc.data + written, doc.size - written, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return err_set(err, E_IO, "a plugin's process cannot be written to: %s",
                           strerror(errno));
        written += (size_t)put;
    }
    return 0;
}

static int read_bytes(int fd, int64_t until, struct buf *out, size_t size, struct err *err)
{
    uint8_t *at = buf_reserve(out, size);
    for (size_t done = 0; done < size;) {
        struct pollfd ready = { .fd = fd, .events = POLLIN };
        int64_t left = until >= 0 ? until - now_ms() : -1;
        if (until >= 0 && left <= 0)
            return err_set(err, E_BUSY, "a plugin's process does not answer");
        int rc = poll(&ready, 1, (int)left);
        if (rc <= 0)
            continue; /* looked at again, with less time */
        ssize_t got = recv(fd, at + done, size - done, 0);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got < 0)
            return err_set(err, E_IO, "a plugin's process cannot be read from: %s",
                           strerror(errno));
        if (got == 0)
            return err_set(err, E_NOTFOUND, "a plugin's process has ended");
        done += (size_t)got;
    }
    out->size += size;
    return 0;
}

int frame_read(int fd, int timeout_ms, struct buf *out, struct err *err)
{
    int64_t until = timeout_ms >= 0 ? now_ms() + timeout_ms : -1;
    uint32_t size;
    buf_clear(out);
    int rc = read_bytes(fd, until, out, sizeof size, err);
    if (rc != 0)
        return rc;
    memcpy(&size, out->data, sizeof size);
    if (size < 5 || size > FRAME_BYTES_MAX)
        return err_set(err, E_INVALID, "a plugin's process sends no documents");
    rc = read_bytes(fd, until, out, size - sizeof size, err);
    if (rc == 0 && doc_validate(out->data, out->size, DOC_DEPTH_MAX, NULL) != 0)
        rc = err_set(err, E_INVALID, "a plugin's process sends what is no document");
    return rc;
}
