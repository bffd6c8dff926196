/* report.c -- GET /v1/complaints/report?from=&to=: the review of a time, from the records of it.
 *
 * The list of records comes by pages, the newest first, over Kith's own route, so each page is a
 * look at one state and the loop is free in between; it ends with the first record that is older
 * than the time before.  Nothing is kept: the next report counts anew.
 */
#include "outside.h"

#include "review.h"

#include <stdio.h>
#include <stdlib.h>

#define DAY_MS 86400000LL
#define DAYS 30 /* unless it is said from when */

struct report {
    struct outside_task task;
    int64_t oldest; /* of what has been seen */
    struct review review;
};

static void ask(struct report *report, const char *after, size_t size);

static void finish(struct report *report)
{
    struct kith_writer w;
    void *room = malloc(REVIEW_BYTES_MAX);
    kith_begin(&w, room, room != NULL ? REVIEW_BYTES_MAX : 0);
    review_write(&report->review, &w);
    outside_answer(&report->task, 200, kith_end(&w));
    free(room);
}

static void on_page(void *arg, int32_t status, struct kith_doc result)
{
    struct report *report = arg;
    const struct review *review = &report->review;
    if (status != 200) {
        outside_pass_on(&report->task, status, result, "No records to be had");
        return;
    }
    for (struct kith_iter it = kith_iter(kith_get_doc(result, "items")); kith_next(&it);) {
        struct kith_doc record = kith_as_doc(&it.value);
        review_take(&report->review, record);
        report->oldest = kith_get_int(record, "created", 0);
    }
    struct kith_text next = kith_get_text(result, "next");
    if (next.size != 0 && report->oldest >= review->from - (review->to - review->from))
        ask(report, next.data, next.size);
    else
        finish(report);
}

static void ask(struct report *report, const char *after, size_t size)
{
    char path[200], cursor[100] = "";
    struct kith_text text = { after, size };
    if (!outside_encode(text, cursor, sizeof cursor))
        cursor[0] = '\0';
    snprintf(path, sizeof path, "/v1/records/complaint?limit=200%s%s",
             cursor[0] != '\0' ? "&after=" : "", cursor);
    const struct kith_ask asked = { .size = sizeof asked, .method = "GET", .path = path };
    outside_ask(&report->task, &asked, on_page);
}

/* A moment of the query; else what it is without. */
static int read_moment(struct kith_doc query, const char *name, int64_t otherwise, int64_t *out_ms)
{
    struct kith_text text = kith_get_text(query, name);
    *out_ms = otherwise;
    return text.size == 0 || review_time(text, out_ms);
}

static void handle(void *self, const struct kith_request *request)
{
    struct outside *outside = self;
    struct report *report = outside_begin(outside, request, sizeof *report);
    struct kith_doc query;
    int64_t from, to;
    if (report == NULL)
        return;
    if (!outside_fields(outside, request->query.data, request->query.size, &query) ||
        !read_moment(query, "to", outside->host->now(outside->kith), &to) ||
        !read_moment(query, "from", to - DAYS * DAY_MS, &from) || from >= to) {
        outside_refuse(&report->task, 422, "No report",
                       kith_text("`from` and `to` are days or moments, like \"2026-10-01\" or "
                                 "\"2026-10-01T08:00:00Z\", and `from` is earlier"));
        return;
    }
    report->oldest = INT64_MAX;
    report->review.from = from;
    report->review.to = to;
    ask(report, "", 0);
}

#define PARAMETER(name, words)                                         \
    "{\"name\":\"" name "\",\"in\":\"query\",\"description\":\"" words \
    "\",\"schema\":{\"type\":\"string\"}}"

const struct kith_route report_route = {
    .size = sizeof report_route,
    .method = "GET",
    .path = "/v1/complaints/report",
    .summary = "What ISO 10002 asks to be reviewed, of a time",
    .openapi = "{\"parameters\":[" PARAMETER(
        "from", "The first day or moment; else 30 days before "
                "to") "," PARAMETER("to", "The day or moment behind the last; else now") "]}",
    .auth = KITH_AUTH_READ,
    .handle = handle,
};
