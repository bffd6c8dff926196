/* mailbox.c -- a linked list under a lock; see mailbox.h. */
#include "core/base/mailbox.h"

#include "core/base/mem.h"

#include <errno.h>
#include <time.h>

void mailbox_init(struct mailbox *box, size_t bytes_max)
{
    pthread_condattr_t attr;
    *box = (struct mailbox){ .bytes_max = bytes_max };
    box->last = &box->first;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* the wall clock may be set */
    pthread_mutex_init(&box->mutex, NULL);
    pthread_cond_init(&box->filled, &attr);
    pthread_condattr_destroy(&attr);
}

void mailbox_deinit(struct mailbox *box)
{
    ASSERT(box->first == NULL);
    pthread_cond_destroy(&box->filled);
    pthread_mutex_destroy(&box->mutex);
}

bool mailbox_put(struct mailbox *box, struct mail *mail)
{
    mail->next = NULL;
    pthread_mutex_lock(&box->mutex);
    bool was_empty = box->first == NULL;
    *box->last = mail;
    box->last = &mail->next;
    box->bytes += mail->bytes;
    pthread_mutex_unlock(&box->mutex);
    return was_empty;
}

/* Outside the lock: who is woken takes it at once, and would sleep again. */
void mailbox_wake(struct mailbox *box)
{
    pthread_cond_signal(&box->filled);
}

bool mailbox_post(struct mailbox *box, struct mail *mail)
{
    bool was_empty = mailbox_put(box, mail);
    if (was_empty)
        mailbox_wake(box);
    return was_empty;
}

bool mailbox_is_full(struct mailbox *box)
{
    pthread_mutex_lock(&box->mutex);
    bool is_full = box->bytes_max != 0 && box->bytes >= box->bytes_max;
    pthread_mutex_unlock(&box->mutex);
    return is_full;
}

void mailbox_limit(struct mailbox *box, size_t bytes_max)
{
    pthread_mutex_lock(&box->mutex);
    box->bytes_max = bytes_max;
    pthread_mutex_unlock(&box->mutex);
}

struct mail *mailbox_take(struct mailbox *box)
{
    pthread_mutex_lock(&box->mutex);
    struct mail *first = box->first;
    box->first = NULL;
    box->last = &box->first;
    box->bytes = 0;
    pthread_mutex_unlock(&box->mutex);
    return first;
}

struct mail *mailbox_take_one(struct mailbox *box)
{
    pthread_mutex_lock(&box->mutex);
    struct mail *first = box->first;
    if (first != NULL) {
        box->first = first->next;
        if (box->first == NULL)
            box->last = &box->first;
        box->bytes -= first->bytes;
    }
    pthread_mutex_unlock(&box->mutex);
    return first;
}

bool mailbox_is_empty(struct mailbox *box)
{
    pthread_mutex_lock(&box->mutex);
    bool is_empty = box->first == NULL;
    pthread_mutex_unlock(&box->mutex);
    return is_empty;
}

void mailbox_return(struct mailbox *box, struct mail *first)
{
    if (first == NULL)
        return;
    size_t bytes = first->bytes;
    struct mail *last = first;
    while (last->next != NULL) {
        last = last->next;
        bytes += last->bytes;
    }
    pthread_mutex_lock(&box->mutex);
    last->next = box->first;
    if (box->first == NULL)
        box->last = &last->next;
    box->first = first;
    box->bytes += bytes;
    pthread_mutex_unlock(&box->mutex);
}

static void deadline_in(int64_t timeout_ms, struct timespec *out)
{
    clock_gettime(CLOCK_MONOTONIC, out);
    out->tv_sec += (time_t)(timeout_ms / 1000);
    out->tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (out->tv_nsec >= 1000000000) {
        out->tv_sec++;
        out->tv_nsec -= 1000000000;
    }
}

static void wait(struct mailbox *box, int64_t timeout_ms, bool ends_with_mail)
{
    struct timespec deadline;
    int rc = 0;
    if (timeout_ms >= 0)
        deadline_in(timeout_ms, &deadline);
    pthread_mutex_lock(&box->mutex);
    while (!(ends_with_mail && box->first != NULL) && !box->is_nudged && !box->is_closed &&
           rc != ETIMEDOUT)
        rc = timeout_ms >= 0 ? pthread_cond_timedwait(&box->filled, &box->mutex, &deadline)
                             : pthread_cond_wait(&box->filled, &box->mutex);
    box->is_nudged = false;
    pthread_mutex_unlock(&box->mutex);
}

void mailbox_wait(struct mailbox *box, int64_t timeout_ms)
{
    wait(box, timeout_ms, true);
}

void mailbox_wait_nudge(struct mailbox *box, int64_t timeout_ms)
{
    wait(box, timeout_ms, false);
}

void mailbox_nudge(struct mailbox *box)
{
    pthread_mutex_lock(&box->mutex);
    box->is_nudged = true;
    pthread_mutex_unlock(&box->mutex);
    mailbox_wake(box);
}

void mailbox_close(struct mailbox *box)
{
    pthread_mutex_lock(&box->mutex);
    box->is_closed = true;
    pthread_cond_broadcast(&box->filled);
    pthread_mutex_unlock(&box->mutex);
}

bool mailbox_is_closed(struct mailbox *box)
{
    pthread_mutex_lock(&box->mutex);
    bool is_closed = box->is_closed;
    pthread_mutex_unlock(&box->mutex);
    return is_closed;
}
