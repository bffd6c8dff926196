/* submission.c -- see submission.h. */
#include "core/server/submission.h"

#include "core/base/doc.h"
#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

struct submission *submission_new(enum log_class class)
{
    struct submission *submission = mem_zero(sizeof *submission);
    atomic_init(&submission->references, 1);
    submission->class = class;
    submission->replay_at = REPLAY_NONE;
    submission->mail.bytes = sizeof *submission;
    return submission;
}

void submission_unref(struct submission *submission)
{
    if (submission == NULL || atomic_fetch_sub(&submission->references, 1) != 1)
        return;
    buf_deinit(&submission->entries);
    buf_deinit(&submission->blob);
    free(submission->refusals);
    free(submission);
}

void submission_begin(struct submission *submission, struct doc_writer *w)
{
    const uint32_t none = 0;
    buf_append(&submission->entries, &none, sizeof none);
    doc_begin(w, &submission->entries);
}

void submission_end(struct submission *submission, struct doc_writer *w)
{
    struct doc body = doc_end(w);
    memcpy(submission->entries.data + submission->entries.size - body.size - sizeof body.size,
           &body.size, sizeof body.size);
    submission->count++;
    submission->mail.bytes += body.size + sizeof body.size;
}

int submission_end_event(struct submission *submission, struct doc_writer *w, struct err *err)
{
    size_t bytes_before = submission->mail.bytes;
    submission_end(submission, w);
    size_t size = submission->mail.bytes - bytes_before;
    if (size <= LOG_ENTRY_BYTES_MAX)
        return 0;
    submission->entries.size -= size;
    submission->mail.bytes = bytes_before;
    submission->count--;
    return err_set(err, E_LIMIT, "the event takes %zu KiB when stored, at most %u are allowed",
                   size >> 10, LOG_ENTRY_BYTES_MAX >> 10);
}

bool submission_next(const struct submission *submission, size_t *at, struct doc *out_body)
{
    if (*at >= submission->entries.size)
        return false;
    memcpy(&out_body->size, submission->entries.data + *at, sizeof out_body->size);
    *at += sizeof out_body->size;
    out_body->data = submission->entries.data + *at;
    *at += out_body->size;
    return true;
}

/* Few are, so the array grows one by one. */
void submission_note_refusal(struct submission *submission, size_t index,
                             const struct engine_result *result)
{
    size_t count = submission->refusal_count + 1;
    submission->refusals = mem_resize(submission->refusals, count * sizeof *submission->refusals);
    struct refusal *refusal = &submission->refusals[submission->refusal_count++];
    refusal->index = index;
    memcpy(refusal->reason, result->reason, sizeof refusal->reason);
}

static void answered(struct mail *mail, void *reader)
{
    struct submission *submission = (struct submission *)mail;
    (void)reader;
    if (submission->done != NULL)
        submission->done(submission->arg, submission);
    submission_unref(submission);
}

void submission_answer(struct mailbox *loop, struct submission *submission, void (*wake)(void *arg),
                       void *arg)
{
    submission->mail.handle = answered;
    if (mailbox_post(loop, &submission->mail))
        wake(arg);
}
