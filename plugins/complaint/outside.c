/* outside.c -- see outside.h. */
#include "outside.h"

#include "text.h"

#include <stdio.h>
#include <stdlib.h>

int32_t outside_start(const struct kith_host *host, struct kith *kith, void **out_self,
                      char *reason)
{
    if (!KITH_HAS(host, hmac)) {
        snprintf(reason, 256, "this Kith is too old for it");
        return KITH_FAILED;
    }
    struct outside *outside = calloc(1, sizeof *outside);
    if (outside == NULL) {
        snprintf(reason, 256, "no memory");
        return KITH_FAILED;
    }
    outside->host = host;
    outside->kith = kith;
    *out_self = outside;
    return KITH_OK;
}

void outside_stop(void *self)
{
    struct outside *outside = self;
    for (struct outside_task *task = outside->tasks, *next; task != NULL; task = next) {
        next = task->next;
        outside_end(task);
    }
    free(outside);
}

/* -- Requests ---------------------------------------------------------------------------------- */

void *outside_begin(struct outside *outside, const struct kith_request *request, size_t size)
{
    static const struct kith_reply busy = { .size = sizeof busy, .status = 503 };
    struct outside_task *task = calloc(1, size);
    if (task == NULL) {
        outside->host->reply(outside->kith, request->id, &busy);
        return NULL;
    }
    task->outside = outside;
    task->request = request->id;
    task->next = outside->tasks;
    task->place = &outside->tasks;
    if (task->next != NULL)
        task->next->place = &task->next;
    outside->tasks = task;
    return task;
}

void outside_end(struct outside_task *task)
{
    *task->place = task->next;
    if (task->next != NULL)
        task->next->place = task->place;
    free(task);
}

static void answer(struct outside_task *task, int32_t status, const char *type, struct kith_doc doc)
{
    const struct outside *outside = task->outside;
    const char *const headers[] = { type, NULL };
    struct kith_text body = { "", 0 };
    int is_written = doc.size != 0 && outside->host->to_json(outside->kith, doc, &body) == KITH_OK;
    struct kith_reply reply = {
        .size = sizeof reply,
        .status = is_written ? status : 503,
        .headers = headers,
        .body = body.data,
        .body_size = body.size,
    };
    outside->host->reply(outside->kith, task->request, &reply);
    outside_end(task);
}

void outside_answer(struct outside_task *task, int32_t status, struct kith_doc doc)
{
    answer(task, status, "Content-Type: application/json", doc);
}

void outside_refuse(struct outside_task *task, int32_t status, const char *title,
                    struct kith_text detail)
{
    char room[4096];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_int(&w, "status", status);
    kith_put_string(&w, "title", title);
    kith_put_text(&w, "detail", text_cut(detail, sizeof room / 2));
    answer(task, status, "Content-Type: application/problem+json", kith_end(&w));
}

void outside_ask(struct outside_task *task, const struct kith_ask *ask, kith_done_fn *done)
{
    if (task->outside->host->ask(task->outside->kith, ask, done, task) != KITH_OK)
        outside_refuse(task, 503, "Busy", kith_text("too much is under way: try again"));
}

void outside_pass_on(struct outside_task *task, int32_t status, struct kith_doc result,
                     const char *title)
{
    struct kith_text detail = kith_get_text(result, "detail");
    if (detail.size == 0)
        detail = kith_get_text(result, "error");
    outside_refuse(task, status >= 400 && status < 600 ? status : 503, title, detail);
}

/* -- Texts ------------------------------------------------------------------------------------- */

int outside_fields(struct outside *outside, const void *data, size_t size, struct kith_doc *out)
{
    const struct kith_text sent = { data, size };
    return outside->host->from_form(outside->kith, sent, out) == KITH_OK;
}

int outside_encode(struct kith_text text, char *out, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t used = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        int is_plain = (byte >= '0' && byte <= '9') || ((byte | 32) >= 'a' && (byte | 32) <= 'z') ||
                       (byte != 0 && strchr("-._~:@", byte) != NULL);
        if (used + 4 > size)
            return 0;
        if (!is_plain) {
            out[used++] = '%';
            out[used++] = digits[byte >> 4];
            byte = (unsigned char)digits[byte & 15];
        }
        out[used++] = (char)byte;
    }
    if (used == size)
        return 0;
    out[used] = '\0';
    return 1;
}
