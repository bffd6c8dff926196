/* kit_outside.c -- the outside side of a plugin, tried out; see kit.h.
 *
 * There is no world here.  The host answers everything that is asked of it with what a plugin must
 * be able to bear: appended, not found, refused, broken off.  Time is made up and goes on when
 * nothing else is to be done, so that a timer of a day takes no time.  Sockets that a plugin opens
 * are its own and real; nobody connects to what it listens on.
 *
 * start(), a message to each channel, requests to each route, each job, an erasure, stop(): what
 * is left of it then, kit_rests.c looks for.
 */
#include "core/base/err.h"
#include "core/base/form.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/plugin/kit_cases.h"
#include "core/plugin/kit_inside.h"
#include "core/plugin/mac.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define TURNS_MAX 300
#define PENDING_MAX 1000 /* calls that nobody has been told the end of */
#define WATCHES_MAX 64
#define OPEN_MAX 256 /* messages and requests that wait for an answer */
#define BEGIN_MS 1767225600000

enum pending_kind { ANSWER, TIMER };

struct pending {
    enum pending_kind kind;
    uint64_t id;
    int64_t due_ms;
    kith_done_fn *done;
    void (*run)(void *arg);
    void *arg;
    int32_t status;
    struct buf result;
};

struct watch {
    int fd;
    short events;
    void (*ready)(void *arg, int fd, uint32_t events);
    void *arg;
};

/* A message or a request, until it has been answered. */
struct waiting {
    char who[80], effect[16]; /* effect empty: a request */
    uint64_t id;
    unsigned answers;
};

/* What a plugin knows as its place in the host. */
struct kith {
    struct probe *probe;
    int64_t now_ms;
    uint64_t last_id, fetches;
    struct pending pending[PENDING_MAX];
    size_t pending_count;
    struct watch watches[WATCHES_MAX];
    size_t watch_count;
    struct waiting waiting[OPEN_MAX];
    size_t waiting_count;
    uint32_t told; /* refusals, each told once, by the number of the need */
    bool is_stopped;
    struct { /* by the fetch that is being asked for */
        struct kith_text effect;
        int64_t attempt;
        struct kith_doc message;
    } carried;
    struct buf json, parsed, form; /* what came out of to_json(), from_json() and from_form() */
};

/* -- Needs ------------------------------------------------------------------------------------- */

static const char *const needs[] = { "append", "fetch",   "fetch-private", "sockets",  "work",
                                     "files",  "channel", "routes",        "on-behalf" };

static bool may(struct kith *kith, const char *call, const char *need)
{
    size_t at = 0;
    while (at < sizeof needs / sizeof *needs && strcmp(needs[at], need) != 0)
        at++;
    if (plugin_may(&kith->probe->plugin, need))
        return true;
    if ((kith->told & 1u << at) == 0)
        kit_find(kith->probe, NULL, KIT_DENIED, call,
                 "declare it, so that the operator can grant it",
                 "it calls %s(), and \"%s\" is not among its needs", call, need);
    kith->told |= 1u << at;
    return false;
}

/* -- What ends later --------------------------------------------------------------------------- */

static struct pending *add_pending(struct kith *kith, enum pending_kind kind, void *arg)
{
    struct pending *pending = &kith->pending[kith->pending_count++];
    *pending = (struct pending){ .kind = kind, .id = ++kith->last_id, .arg = arg };
    return pending;
}

static int32_t answer_later(struct kith *kith, kith_done_fn *done, void *arg, int32_t status,
                            const char *name, int64_t value)
{
    struct doc_writer w;
    if (kith->pending_count == PENDING_MAX)
        return KITH_BUSY;
    struct pending *pending = add_pending(kith, ANSWER, arg);
    pending->done = done;
    pending->status = status;
    doc_begin(&w, &pending->result);
    if (kith->carried.effect.size != 0) {
        doc_put_text(
            &w, "effect",
            (struct text){ kith->carried.effect.data, (uint32_t)kith->carried.effect.size });
        doc_put_int(&w, "attempt", kith->carried.attempt);
    }
    if (kith->carried.message.size != 0)
        doc_put_doc(
            &w, "message",
            (struct doc){ kith->carried.message.data, (uint32_t)kith->carried.message.size });
    if (name != NULL)
        doc_put_int(&w, name, value);
    if (name != NULL && strcmp(name, "status") == 0) {
        doc_open_array(&w, "headers");
        doc_close(&w);
        doc_put_string(&w, "body", "{\"title\": \"made up\"}");
    }
    doc_end(&w);
    return KITH_OK;
}

static void drop_pending(struct kith *kith, size_t at)
{
    buf_deinit(&kith->pending[at].result);
    memmove(&kith->pending[at], &kith->pending[at + 1],
            (--kith->pending_count - at) * sizeof *kith->pending);
}

/* -- The table --------------------------------------------------------------------------------- */

static int32_t on_config(struct kith *kith, struct kith_doc *out)
{
    const struct doc doc = kith->probe->plugin.secrets;
    *out = (struct kith_doc){ doc.data, doc.size };
    return KITH_OK;
}

static void on_log(struct kith *kith, int32_t level, const char *line)
{
    (void)kith;
    (void)level;
    (void)line;
}

/* What a daemon refuses; each once, whoever hears of it twice. */
static int32_t refused(struct kith *kith, const char *call, const char *todo, const struct err *err)
{
    kit_find(kith->probe, NULL, KIT_REFUSED, call, todo, "%s", err->text);
    return KITH_INVALID;
}

static void on_count(struct kith *kith, const char *name, int64_t by)
{
    struct err err;
    if (kith->probe->options->asked->count(name, by, &err) != 0)
        refused(kith, "count()",
                "its name is part of its metric; what goes up and down is no counter", &err);
}

static int64_t on_now(struct kith *kith)
{
    return kith->now_ms;
}

static void on_random(struct kith *kith, void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)data)[i] = (uint8_t)(i * 37 + (size_t)kith->now_ms);
}

static int32_t answer_request(struct kith *kith, uint64_t request, const char *call);

static bool is_doc(struct kith *kith, const char *about, const char *what, struct kith_doc doc)
{
    bool is_good = doc.size == 0 || doc_validate(doc.data, doc.size, DOC_DEPTH_MAX, NULL) == 0;
    if (!is_good)
        kit_find(kith->probe, NULL, KIT_REFUSED, about, "look at what was written into it",
                 "%s is no document", what);
    return is_good;
}

static int32_t on_append(struct kith *kith, const struct kith_event *event, kith_done_fn *done,
                         void *arg)
{
    if (!may(kith, "append", "append"))
        return KITH_DENIED;
    if (event == NULL || event->type == NULL || event->type[0] == '\0')
        return KITH_INVALID;
    struct err err;
    if (!is_doc(kith, event->type, "append(): the data of the event", event->data))
        return KITH_INVALID;
    if (KITH_HAS(event, traits) &&
        !is_doc(kith, event->type, "append(): the traits of the event", event->traits))
        return KITH_INVALID;
    if (kith->probe->options->asked->event(
            &kith->probe->plugin, text_of(event->type), event->at,
            (struct doc){ event->data.data, (uint32_t)event->data.size }, &err) != 0)
        return refused(kith, "append()", "events of others come in over ask()", &err);
    if (KITH_HAS(event, request) && event->request != 0)
        answer_request(kith, event->request, "append");
    return answer_later(kith, done, arg, KITH_OK, "seq", (int64_t)kith->last_id + 1);
}

static int32_t on_ask(struct kith *kith, const struct kith_ask *ask, kith_done_fn *done, void *arg)
{
    const struct plugin *plugin = &kith->probe->plugin;
    struct err err;
    if (ask == NULL || ask->method == NULL || ask->path == NULL)
        return KITH_INVALID;
    if (ask->staff.size != 0 && !may(kith, "ask", "on-behalf"))
        return KITH_DENIED;
    if (kith->probe->options->asked->request(
            plugin, text_of(ask->method), text_of(ask->path),
            (struct text){ ask->staff.data, (uint32_t)ask->staff.size }, &err) != 0)
        return refused(kith, "ask()", "\"GET\" and \"/v1/...\", without a host", &err);
    int32_t status = 404;
    if (kith->probe->options->asked->scope(plugin, text_of(ask->method), text_of(ask->path),
                                           &err) != 0) {
        refused(kith, "ask()", "declare it, so that the operator can grant it", &err);
        status = 403;
    }
    return answer_later(kith, done, arg, status, "status", status);
}

/* The world by turns: an answer, a broken line, a receiver that is ill. */
static int32_t fetch_by_turns(struct kith *kith, kith_done_fn *done, void *arg)
{
    switch (kith->fetches++ % 3) {
    case 0:
        return answer_later(kith, done, arg, KITH_OK, "status", 200);
    case 1:
        return answer_later(kith, done, arg, KITH_IO, NULL, 0);
    default:
        return answer_later(kith, done, arg, KITH_OK, "status", 500);
    }
}

static int32_t on_fetch(struct kith *kith, const struct kith_fetch *fetch, kith_done_fn *done,
                        void *arg)
{
    if (!may(kith, "fetch", "fetch"))
        return KITH_DENIED;
    if (fetch == NULL || fetch->url == NULL || fetch->method == NULL)
        return KITH_INVALID;
    if ((fetch->flags & KITH_FETCH_PRIVATE) != 0 && !may(kith, "fetch", "fetch-private"))
        return KITH_DENIED;
    bool has_message = KITH_HAS(fetch, message);
    if (has_message && !is_doc(kith, fetch->url, "fetch(): the message", fetch->message))
        return KITH_INVALID;
    if (KITH_HAS(fetch, attempt)) {
        kith->carried.effect = fetch->effect;
        kith->carried.attempt = fetch->attempt;
    }
    if (has_message)
        kith->carried.message = fetch->message;
    int32_t code = fetch_by_turns(kith, done, arg);
    kith->carried.effect.size = kith->carried.message.size = 0;
    return code;
}

static int32_t on_timer(struct kith *kith, int64_t ms, void (*run)(void *arg), void *arg,
                        uint64_t *out_timer)
{
    if (run == NULL || ms < 0)
        return KITH_INVALID;
    if (kith->pending_count == PENDING_MAX)
        return KITH_BUSY;
    struct pending *pending = add_pending(kith, TIMER, arg);
    pending->run = run;
    pending->due_ms = kith->now_ms + ms;
    if (out_timer != NULL)
        *out_timer = pending->id;
    return KITH_OK;
}

static void on_cancel(struct kith *kith, uint64_t timer)
{
    for (size_t i = 0; i < kith->pending_count; i++)
        if (kith->pending[i].kind == TIMER && kith->pending[i].id == timer) {
            drop_pending(kith, i);
            return;
        }
}

static int32_t on_watch(struct kith *kith, int fd, uint32_t events,
                        void (*ready)(void *arg, int fd, uint32_t events), void *arg)
{
    size_t at = 0;
    if (!may(kith, "watch", "sockets"))
        return KITH_DENIED;
    while (at < kith->watch_count && kith->watches[at].fd != fd)
        at++;
    if (events == 0) {
        if (at < kith->watch_count)
            kith->watches[at] = kith->watches[--kith->watch_count];
        return KITH_OK;
    }
    if (at == WATCHES_MAX || ready == NULL || fd < 0)
        return at == WATCHES_MAX ? KITH_LIMIT : KITH_INVALID;
    kith->watches[at].fd = fd;
    kith->watches[at].ready = ready;
    kith->watches[at].arg = arg;
    kith->watches[at].events = (short)(((events & KITH_READABLE) != 0 ? POLLIN : 0) |
                                       ((events & KITH_WRITABLE) != 0 ? POLLOUT : 0));
    kith->watch_count += at == kith->watch_count;
    return KITH_OK;
}

static int32_t on_listen(struct kith *kith, const char *address,
                         void (*accepted)(void *arg, int fd, const char *peer), void *arg,
                         uint16_t *out_port)
{
    (void)arg;
    if (!may(kith, "listen", "sockets"))
        return KITH_DENIED;
    if (address == NULL || accepted == NULL)
        return KITH_INVALID;
    if (out_port != NULL)
        *out_port = 40000;
    return KITH_OK;
}

struct job {
    void (*work)(void *arg);
    void *arg;
};

static void *run_job(void *arg)
{
    const struct job *job = arg;
    job->work(job->arg);
    return NULL;
}

static int32_t on_work(struct kith *kith, void (*work)(void *arg), void (*done)(void *arg),
                       void *arg)
{
    struct job job = { work, arg };
    pthread_t thread;
    if (!may(kith, "work", "work"))
        return KITH_DENIED;
    if (work == NULL)
        return KITH_INVALID;
    if (kith->pending_count == PENDING_MAX || pthread_create(&thread, NULL, run_job, &job) != 0)
        return KITH_BUSY;
    pthread_join(thread, NULL);
    struct pending *pending = add_pending(kith, TIMER, arg);
    pending->run = done;
    pending->due_ms = kith->now_ms;
    return KITH_OK;
}

static int32_t on_file_read(struct kith *kith, struct kith_text hash, kith_done_fn *done, void *arg)
{
    struct err err;
    if (!may(kith, "file_read", "files"))
        return KITH_DENIED;
    if (kith->probe->options->asked->file((struct text){ hash.data, (uint32_t)hash.size }, &err) !=
        0)
        return refused(kith, "file_read()", "the hash that file_write() answered", &err);
    return answer_later(kith, done, arg, KITH_MISSING, NULL, 0);
}

static int32_t on_file_write(struct kith *kith, const char *type, const void *data, size_t size,
                             kith_done_fn *done, void *arg)
{
    (void)type;
    (void)data;
    (void)size;
    if (!may(kith, "file_write", "files"))
        return KITH_DENIED;
    return answer_later(kith, done, arg, KITH_OK, "size", (int64_t)size);
}

/* One that waits for an answer has got it; one answer too many is a mistake. */
static int32_t answered(struct kith *kith, struct waiting *waiting, const char *call)
{
    if (waiting == NULL) {
        kit_find(kith->probe, NULL, KIT_REFUSED, call, "answer with the id that came with it",
                 "%s() answers what nobody asked", call);
        return KITH_MISSING;
    }
    if (waiting->answers++ != 0) {
        kit_find(kith->probe, NULL, KIT_REFUSED, waiting->who, "answer once, and then forget it",
                 "%s() is called twice for the same", call);
        return KITH_MISSING;
    }
    return KITH_OK;
}

static int32_t on_deliver(struct kith *kith, struct kith_text effect, int64_t attempt,
                          const struct kith_outcome *outcome)
{
    struct waiting *found = NULL;
    (void)attempt;
    for (size_t i = 0; i < kith->waiting_count; i++)
        if (kith->waiting[i].effect[0] != '\0' && kith_is(effect, kith->waiting[i].effect))
            found = &kith->waiting[i];
    if (outcome == NULL || outcome->outcome < KITH_SENT || outcome->outcome > KITH_UNCERTAIN)
        return KITH_INVALID;
    return answered(kith, found, "deliver");
}

static int32_t on_pause(struct kith *kith, const char *channel, const char *reason)
{
    struct err err;
    if (!may(kith, "pause", "channel"))
        return KITH_DENIED;
    if (channel == NULL || reason == NULL || reason[0] == '\0')
        return KITH_INVALID;
    if (kith->probe->options->asked->pause(&kith->probe->plugin, text_of(channel), &err) != 0)
        return refused(kith, "pause()", "the name of one of its own channels", &err);
    return KITH_OK;
}

static struct waiting *find_request(struct kith *kith, uint64_t request)
{
    for (size_t i = 0; i < kith->waiting_count; i++)
        if (kith->waiting[i].effect[0] == '\0' && kith->waiting[i].id == request)
            return &kith->waiting[i];
    return NULL;
}

static int32_t answer_request(struct kith *kith, uint64_t request, const char *call)
{
    return answered(kith, find_request(kith, request), call);
}

static int32_t on_reply(struct kith *kith, uint64_t request, const struct kith_reply *reply)
{
    const struct waiting *found = find_request(kith, request);
    const char *who = found != NULL ? found->who : "reply()";
    struct err err;
    if (!may(kith, "reply", "routes"))
        return KITH_DENIED;
    if (reply == NULL)
        return KITH_INVALID;
    if (kith->probe->options->asked->reply(reply, &err) != 0)
        return refused(kith, who, "a reply that is refused is none: the request waits on", &err);
    return answer_request(kith, request, "reply");
}

static int32_t on_to_json(struct kith *kith, struct kith_doc doc, struct kith_text *out)
{
    struct buf *json = &kith->json;
    if (doc.size != 0 && doc_validate(doc.data, doc.size, NESTING_MAX, NULL) != 0)
        return KITH_INVALID;
    buf_clear(json);
    json_write_doc(json, (struct doc){ doc.data, (uint32_t)doc.size });
    *out = (struct kith_text){ buf_string(json), json->size };
    return KITH_OK;
}

static int32_t on_from_json(struct kith *kith, struct kith_text json, struct kith_doc *out)
{
    static const struct json_limits limits = { .depth_max = NESTING_MAX };
    struct json_reader *reader = json_reader_new();
    struct doc doc;
    buf_clear(&kith->parsed);
    int rc = json_to_doc(reader, json.data, json.size, &limits, &kith->parsed, &doc, NULL);
    json_reader_free(reader);
    if (rc != 0)
        return KITH_INVALID;
    *out = (struct kith_doc){ doc.data, doc.size };
    return KITH_OK;
}

static int32_t on_from_form(struct kith *kith, struct kith_text form, struct kith_doc *out)
{
    struct doc doc;
    buf_clear(&kith->form);
    if (form_read(form.data, form.size, &kith->form, &doc, NULL) != 0)
        return KITH_INVALID;
    *out = (struct kith_doc){ doc.data, doc.size };
    return KITH_OK;
}

static int32_t on_hmac(struct kith *kith, const char *how, struct kith_text key,
                       struct kith_text data, char out[KITH_HMAC_SIZE])
{
    (void)kith;
    return how != NULL && mac_text(how, key, data, out) ? KITH_OK : KITH_INVALID;
}

static const struct kith_host table = {
    .size = sizeof table,
    .level = KITH_LEVEL,
    .config = on_config,
    .log = on_log,
    .count = on_count,
    .now = on_now,
    .random = on_random,
    .append = on_append,
    .ask = on_ask,
    .fetch = on_fetch,
    .timer = on_timer,
    .cancel = on_cancel,
    .watch = on_watch,
    .listen = on_listen,
    .work = on_work,
    .file_read = on_file_read,
    .file_write = on_file_write,
    .deliver = on_deliver,
    .pause = on_pause,
    .reply = on_reply,
    .to_json = on_to_json,
    .from_json = on_from_json,
    .from_form = on_from_form,
    .hmac = on_hmac,
};

/* -- Turns of the loop ------------------------------------------------------------------------- */

static bool look_at_sockets(struct kith *kith)
{
    struct pollfd polled[WATCHES_MAX];
    struct watch watches[WATCHES_MAX];
    size_t count = kith->watch_count;
    for (size_t i = 0; i < count; i++) {
        watches[i] = kith->watches[i];
        polled[i] = (struct pollfd){ .fd = watches[i].fd, .events = watches[i].events };
    }
    if (count == 0 || poll(polled, count, 0) <= 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        bool is_watched = false; /* still: one may have ended another */
        for (size_t j = 0; j < kith->watch_count; j++)
            is_watched = is_watched || kith->watches[j].fd == watches[i].fd;
        uint32_t events =
            ((polled[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0 ? KITH_READABLE : 0u) |
            ((polled[i].revents & POLLOUT) != 0 ? KITH_WRITABLE : 0u);
        if (is_watched && events != 0)
            watches[i].ready(watches[i].arg, watches[i].fd, events);
    }
    return true;
}

/* What is next: an answer, else the timer that is due first. */
static size_t next_pending(const struct kith *kith)
{
    size_t best = 0;
    for (size_t i = 0; i < kith->pending_count; i++) {
        if (kith->pending[i].kind == ANSWER)
            return i;
        if (kith->pending[i].due_ms < kith->pending[best].due_ms)
            best = i;
    }
    return best;
}

static void turn(struct kith *kith)
{
    size_t at = next_pending(kith);
    struct pending pending = kith->pending[at];
    kith->pending[at].result = (struct buf)BUF_INIT;
    drop_pending(kith, at);
    if (pending.due_ms > kith->now_ms)
        kith->now_ms = pending.due_ms;
    if (pending.kind == ANSWER && pending.done != NULL)
        pending.done(pending.arg, pending.status,
                     (struct kith_doc){ pending.result.data, pending.result.size });
    else if (pending.kind == TIMER && pending.run != NULL)
        pending.run(pending.arg);
    buf_deinit(&pending.result);
}

static void turns(struct kith *kith, const char *after)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        kit_say_at(kith->probe, "the loop", after);
        bool was_ready = look_at_sockets(kith);
        if (kith->pending_count != 0)
            turn(kith);
        else if (!was_ready)
            return;
    }
}

/* -- What it is asked -------------------------------------------------------------------------- */

static struct waiting *add_waiting(struct kith *kith, const char *what, const char *name)
{
    static struct waiting spare; /* beyond OPEN_MAX nobody counts */
    struct waiting *waiting =
        kith->waiting_count < OPEN_MAX ? &kith->waiting[kith->waiting_count++] : &spare;
    *waiting = (struct waiting){ .id = ++kith->last_id };
    snprintf(waiting->who, sizeof waiting->who, "%s %.60s", what, name);
    return waiting;
}

static void send_messages(struct kith *kith, void *self, size_t index)
{
    const struct kith_channel *channel = &kith->probe->plugin.channels[index];
    size_t left_out = 0;
    char who[80];
    snprintf(who, sizeof who, "channel %.60s", channel->name);
    for (size_t style = 0; style < kit_style_count(); style++) {
        static const char *const names[] = { "address", "subject", "body", "links", "customer" };
        if (!kit_step(kith->probe, KIT_CHANNEL, index, style)) {
            left_out++;
            continue;
        }
        struct waiting *waiting = add_waiting(kith, "channel", channel->name);
        arena_clear(&kith->probe->arena);
        struct doc doc = kit_doc(style, names, sizeof names / sizeof *names, &kith->probe->arena);
        snprintf(waiting->effect, sizeof waiting->effect, "%llu.1",
                 (unsigned long long)waiting->id);
        struct kith_message message = { .size = sizeof message,
                                        .effect = kith_text(waiting->effect),
                                        .attempt = 1,
                                        .message = { doc.data, doc.size } };
        kit_say_at(kith->probe, waiting->who, kit_style_words(style));
        channel->send(self, &message);
    }
    kit_tell_left_out(kith->probe, KIT_CHANNEL, index, who, left_out, kit_style_count(),
                      "messages");
    if (channel->status != NULL && kit_step(kith->probe, KIT_CHANNEL, index, KIT_STATUS)) {
        struct kith_channel_status status = { .size = sizeof status };
        kit_say_at(kith->probe, channel->name, "asked how it does");
        channel->status(self, &status);
    }
    if (kit_step(kith->probe, KIT_CHANNEL, index, KIT_LOOP))
        turns(kith, channel->name);
}

static void send_requests(struct kith *kith, void *self, size_t index)
{
    const struct kith_route *route = &kith->probe->plugin.routes[index];
    size_t left_out = 0, count;
    char who[80];
    static const struct {
        const char *about, *body;
    } bodies[] = { { "a request without a body", "" },
                   { "a request with JSON", "{\"type\":\"x\",\"amount\":1}" },
                   { "a request with a form", "a=1&b=%zz&=&&c" },
                   { "a request with half a document", "{\"a\":[1,2,{\"b\":" },
                   { "a request with bytes", "\xff\xfe\x01\x80" } };
    static const struct kith_param params[] = { { { "name", 4 }, { "..%2f", 5 } } };
    static const struct kith_param headers[] = { { { "content-type", 12 }, { "text/x", 6 } } };
    count = sizeof bodies / sizeof *bodies;
    snprintf(who, sizeof who, "route %.60s", route->path);
    for (size_t i = 0; i < count; i++) {
        if (!kit_step(kith->probe, KIT_ROUTE, index, i)) {
            left_out++;
            continue;
        }
        struct waiting *waiting = add_waiting(kith, "route", route->path);
        struct kith_request request = {
            .size = sizeof request,
            .id = waiting->id,
            .method = strcmp(route->method, "*") == 0 ? "POST" : route->method,
            .path = kith_text(route->path),
            .query = kith_text("a=1&&b"),
            .params = params,
            .param_count = 1,
            .headers = headers,
            .header_count = 1,
            .body = bodies[i].body,
            .body_size = strlen(bodies[i].body),
            .peer = kith_text("192.0.2.1"),
        };
        kit_say_at(kith->probe, waiting->who, bodies[i].about);
        route->handle(self, &request);
        turns(kith, route->path);
        if (waiting->answers == 0)
            kit_find(kith->probe, NULL, KIT_SILENT, waiting->who,
                     "call reply() on every way out, also when what it asked for has failed",
                     "%s has got no reply", bodies[i].about);
    }
    kit_tell_left_out(kith->probe, KIT_ROUTE, index, who, left_out, count, "requests");
}

static void do_job(struct kith *kith, void *self, size_t index)
{
    const struct kith_job *job = &kith->probe->plugin.jobs[index];
    if (!kit_step(kith->probe, KIT_JOB, index, 0))
        return;
    kit_say_at(kith->probe, "job", job->name);
    job->run(self);
    turns(kith, job->name);
}

static void erase(struct kith *kith, void *self)
{
    if (kith->probe->plugin.erased == NULL || !kit_step(kith->probe, KIT_ERASED, 0, 0))
        return;
    kit_say_at(kith->probe, "erased()", "customer 17");
    kith->probe->plugin.erased(self, 17);
}

/* All that it offers. */
static void ask_everything(struct kith *kith, void *self, bool is_first)
{
    const struct plugin *plugin = &kith->probe->plugin;
    for (size_t i = 0; is_first && i < plugin->channel_count; i++)
        send_messages(kith, self, i);
    for (size_t i = 0; is_first && i < plugin->route_count; i++)
        send_requests(kith, self, i);
    for (size_t i = 0; i < plugin->job_count; i++)
        do_job(kith, self, i);
    erase(kith, self);
    if (kit_step(kith->probe, KIT_START, 0, KIT_LOOP))
        turns(kith, "start()");
}

/* -- A life ------------------------------------------------------------------------------------ */

static void end(struct kith *kith, void *self, size_t turn)
{
    const struct plugin *plugin = &kith->probe->plugin;
    if (plugin->stop != NULL && kit_step(kith->probe, KIT_STOP, 0, turn)) {
        kit_say_at(kith->probe, "stop()", "at the end");
        plugin->stop(self);
    }
    while (kith->pending_count != 0)
        drop_pending(kith, kith->pending_count - 1);
}

static void tell_refusal(struct probe *probe, const char *reason)
{
    if (reason[0] != '\0')
        kit_find(probe, NULL, KIT_SILENT, "start()",
                 "give it what it needs with --config, a kith.lua", "it does not start: %s",
                 reason);
    else
        kit_find(probe, NULL, KIT_SILENT, "start()", "write into `reason` why it cannot work",
                 "it does not start, and does not say why");
}

bool kit_live(struct probe *probe, bool is_first)
{
    const struct plugin *plugin = &probe->plugin;
    struct kith *kith = mem_zero(sizeof *kith);
    char reason[256] = "";
    void *self = NULL;
    kith->probe = probe;
    kith->now_ms = BEGIN_MS;
    kit_say_at(probe, "start()", "its configuration");
    int32_t code = plugin->start(&table, kith, &self, reason);
    reason[sizeof reason - 1] = '\0';
    if (code != KITH_OK && is_first)
        tell_refusal(probe, reason);
    if (code == KITH_OK)
        ask_everything(kith, self, is_first);
    if (code == KITH_OK || self != NULL)
        end(kith, self, is_first ? KIT_FIRST : KIT_AGAIN);
    buf_deinit(&kith->json);
    buf_deinit(&kith->parsed);
    buf_deinit(&kith->form);
    free(kith);
    return code == KITH_OK;
}
