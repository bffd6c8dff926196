/* good_ask.c -- events and requests, one after the other, as its job comes round: each is asked
 * when the one before it has been answered, and counted by what was answered.
 */
#include "kith.h"

#include <stdio.h>
#include <stdlib.h>

struct self {
    const struct kith_host *host;
    struct kith *kith;
    int step;
    int is_busy;
    char hash[80];
};

static void go_on(struct self *self);

static void count(struct self *self, const char *what, int32_t status)
{
    char name[32];
    snprintf(name, sizeof name, "%s_%s%d", what, status < 0 ? "minus_" : "",
             status < 0 ? -status : status);
    self->host->count(self->kith, name, 1);
}

static void on_done(void *arg, int32_t status, struct kith_doc result)
{
    static const char *const names[] = { "track",   "event",  "again",  "denied", "get",
                                         "missing", "remind", "behalf", "nobody", "stream",
                                         "write",   "read",   "health", "end" };
    struct self *self = arg;
    count(self, names[self->step], status);
    if (status >= 400) {
        char line[300];
        struct kith_text detail = kith_get_text(result, "detail");
        snprintf(line, sizeof line, "%s: %.*s", names[self->step], (int)detail.size, detail.data);
        self->host->log(self->kith, KITH_DEBUG, line);
    }
    if (self->step == 1 && kith_get_int(result, "customer", 0) != 0)
        self->host->count(self->kith, "event_customer", 1);
    if (self->step == 2 && kith_get_int(result, "duplicate", 0) != 0)
        self->host->count(self->kith, "again_duplicate", 1);
    if (self->step == 4 && kith_is(kith_get_text(kith_get_doc(result, "traits"), "name"), "Ann"))
        self->host->count(self->kith, "get_ann", 1);
    if (self->step == 10) {
        struct kith_text hash = kith_get_text(result, "hash");
        snprintf(self->hash, sizeof self->hash, "%.*s", (int)hash.size, hash.data);
    }
    if (self->step == 11) {
        struct kith_value data = kith_get(result, "data");
        if (data.type == KITH_BINARY && data.size == 5 && memcmp(data.as.bytes, "bytes", 5) == 0)
            self->host->count(self->kith, "read_bytes", 1);
    }
    self->step++;
    go_on(self);
}

static int32_t append(struct self *self, const char *type)
{
    const struct kith_event event = {
        .size = sizeof event,
        .type = type,
        .customer = kith_text("user_id:u1"),
        .id = kith_text("e-1"),
    };
    return self->host->append(self->kith, &event, on_done, self);
}

static int32_t ask(struct self *self, const char *method, const char *path, const char *staff)
{
    char room[300];
    struct kith_writer w;
    struct kith_doc body = { NULL, 0 };
    kith_begin(&w, room, sizeof room);
    if (strncmp(path, "/v1/identify", 12) == 0) {
        kith_put_string(&w, "userId", "u1");
        kith_open(&w, "traits");
        kith_put_string(&w, "name", "Ann");
        kith_close(&w);
        body = kith_end(&w);
    } else if (strcmp(method, "POST") == 0) {
        kith_put_string(&w, "customer", "user_id:u1");
        kith_put_string(&w, "title", "Call her");
        kith_put_string(&w, "to", "anna");
        kith_put_string(&w, "due", "3d");
        body = kith_end(&w);
    }
    const struct kith_ask asked = {
        .size = sizeof asked,
        .method = method,
        .path = path,
        .body = body,
        .staff = kith_text(staff),
    };
    return self->host->ask(self->kith, &asked, on_done, self);
}

static int32_t next(struct self *self)
{
    switch (self->step) {
    case 0:
        return ask(self, "POST", "/v1/identify?wait=applied", "");
    case 1:
    case 2:
        return append(self, "good_ask.happened");
    case 3:
        return append(self, "somebody.elses");
    case 4:
        return ask(self, "GET", "/v1/customers/user_id:u1", "");
    case 5:
        return ask(self, "GET", "/v1/nowhere", "");
    case 6:
        return ask(self, "POST", "/v1/reminders", "");
    case 7:
        return ask(self, "POST", "/v1/reminders", "anna");
    case 8:
        return ask(self, "POST", "/v1/reminders", "nobody");
    case 9:
        return ask(self, "GET", "/v1/stream", "");
    case 10:
        return self->host->file_write(self->kith, "text/plain", "bytes", 5, on_done, self);
    case 11:
        return self->host->file_read(self->kith, kith_text(self->hash), on_done, self);
    case 12:
        return ask(self, "GET", "/healthz", "");
    default:
        return KITH_OK;
    }
}

/* What is refused at once is counted like an answer. */
static void go_on(struct self *self)
{
    struct kith_doc none = { NULL, 0 };
    int32_t code = next(self);
    if (code != KITH_OK)
        on_done(self, code, none);
    else if (self->step == 13)
        self->host->count(self->kith, "end", 1);
}

static void job(void *arg)
{
    struct self *self = arg;
    if (!self->is_busy) {
        self->is_busy = 1;
        go_on(self);
    }
}

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    struct self *self = calloc(1, sizeof *self);
    (void)reason;
    if (self == NULL)
        return KITH_FAILED;
    self->host = host;
    self->kith = kith;
    *out_self = self;
    return KITH_OK;
}

static void stop(void *self)
{
    free(self);
}

static int32_t erased(void *arg, uint64_t customer)
{
    struct self *self = arg;
    (void)customer;
    self->host->count(self->kith, "erased", 1);
    return KITH_OK;
}

static const char *const needs[] = { "append", "staff", "on-behalf", "files", NULL };
static const struct kith_job ask_job = { sizeof ask_job, "ask", 1000, job };
static const struct kith_job *const jobs[] = { &ask_job, NULL };

static const struct kith_plugin description = {
    .size = sizeof description,
    .abi = KITH_ABI,
    .name = "good_ask",
    .version = "1",
    .about = "Asks for what there is to ask for",
    .needs = needs,
    .jobs = jobs,
    .start = start,
    .stop = stop,
    .erased = erased,
};

const struct kith_plugin *kith_describe(void)
{
    return &description;
}
