/* outside.h -- what speaks HTTP: the web form, and the review.
 *
 *     POST /v1/complaints           a form: email or customer, name, subject, text, severity,
 *                                   product, order
 *     GET  /v1/complaints/report    ?from=&to=: what ISO 10002 asks to be looked at
 *
 * All runs on the loop.
 */
#ifndef PLUGINS_COMPLAINT_OUTSIDE_H
#define PLUGINS_COMPLAINT_OUTSIDE_H

#include "kith.h"

struct outside_task;

struct outside {
    const struct kith_host *host;
    struct kith *kith;
    struct outside_task *tasks; /* requests that are not answered yet */
};

/* What is known of a request until it is answered: the first member of a struct of one's own. */
struct outside_task {
    struct outside *outside;
    uint64_t request;
    struct outside_task *next, **place;
};

/* `size` zeroed bytes, with the task in front; NULL, and the request is answered: no memory.
 * Whatever is open at the end is freed with the rest, for nobody is told anything then. */
void *outside_begin(struct outside *outside, const struct kith_request *request, size_t size);
void outside_end(struct outside_task *task);

int32_t outside_start(const struct kith_host *host, struct kith *kith, void **out_self,
                      char *reason);
void outside_stop(void *self);

/* These end the task.  A document as JSON, with this status; without one there is no memory. */
void outside_answer(struct outside_task *task, int32_t status, struct kith_doc doc);
/* A problem (RFC 9457), in words for people. */
void outside_refuse(struct outside_task *task, int32_t status, const char *title,
                    struct kith_text detail);

/* A request of Kith's own interface; it ends the task where that cannot be asked. */
void outside_ask(struct outside_task *task, const struct kith_ask *ask, kith_done_fn *done);
/* What it refused, as it said it. */
void outside_pass_on(struct outside_task *task, int32_t status, struct kith_doc result,
                     const char *title);

/* A query or a form as it was sent; it lives until the next one.  0: it is none. */
int outside_fields(struct outside *outside, const void *data, size_t size, struct kith_doc *out);
/* A text for a path, in `out`; 0: it does not fit. */
int outside_encode(struct kith_text text, char *out, size_t size);

extern const struct kith_route form_route, report_route;

#endif
