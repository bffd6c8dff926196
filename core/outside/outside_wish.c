/* outside_wish.c -- what a plugin asks of the daemon; see outside.h.
 *
 * The structs of the contract become documents here and go up.  Those that are answered leave a
 * wish behind, by the number that the answer comes with.  A wish without anybody to be told counts
 * as well: the limit is on what is under way, whoever waits for it.
 */
#include "core/base/utf8.h"
#include "core/outside/asked.h"
#include "core/outside/outside_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EFFECT_BYTES_LONG 64

struct wish {
    struct outside_item item; /* first */
    uint64_t number;
    kith_done_fn *done;
    void *arg;
    uint64_t request; /* that is answered with it; 0: none */
};

/* -- Texts ------------------------------------------------------------------------------------- */

static int32_t check_text(struct outside *outside, const char *what, struct kith_text text,
                          size_t most)
{
    if (text.size > most)
        return outside_refuse(outside, KITH_LIMIT, "%s has %zu bytes, at most %zu are taken", what,
                              text.size, most);
    if (text.size != 0 && !utf8_valid(text.data, text.size))
        return outside_refuse(outside, KITH_INVALID, "%s is not UTF-8", what);
    return KITH_OK;
}

static int32_t check_string(struct outside *outside, const char *what, const char *string,
                            size_t most)
{
    if (string == NULL || string[0] == '\0')
        return outside_refuse(outside, KITH_INVALID, "%s is missing", what);
    return check_text(outside, what, kith_text(string), most);
}

static void put_text(struct doc_writer *w, const char *name, struct kith_text text)
{
    doc_put_present(w, name, (struct text){ text.data, (uint32_t)text.size });
}

static void begin(struct outside *outside, struct doc_writer *w)
{
    buf_clear(&outside->scratch);
    doc_begin(w, &outside->scratch);
}

/* -- Wishes ------------------------------------------------------------------------------------ */

static void wish_free(struct outside *outside, struct wish *wish)
{
    outside_unlink(&wish->item);
    outside->wish_count--;
    free(wish);
}

/* Send it up; `done` hears of the answer. */
static int32_t wish_for_request(struct outside *outside, enum outside_up kind, struct doc doc,
                                kith_done_fn *done, void *arg, uint64_t request)
{
    if (outside->wish_count >= PLUGIN_WISHES_MAX)
        return outside_refuse(outside, KITH_BUSY, "%d calls are under way", PLUGIN_WISHES_MAX);
    struct wish *made = mem_zero(sizeof *made);
    made->number = ++outside->next_number;
    made->done = done;
    made->arg = arg;
    made->request = request;
    outside_link(&outside->wishes, &made->item, outside);
    outside->wish_count++;
    int32_t code = outside_up(outside, kind, made->number, doc);
    if (code != KITH_OK)
        wish_free(outside, made);
    return code;
}

static int32_t wish(struct outside *outside, enum outside_up kind, struct doc doc,
                    kith_done_fn *done, void *arg)
{
    return wish_for_request(outside, kind, doc, done, arg, 0);
}

static int32_t reply(struct outside *outside, uint64_t request, const struct kith_reply *theirs);

/* The request that an event was to answer. */
static void answer_request(struct outside *outside, uint64_t request, int32_t code)
{
    static const char *const later[] = { "Retry-After: 5", NULL };
    bool is_passing = code == KITH_BUSY || code == KITH_IO || code == KITH_FAILED;
    const struct kith_reply given = {
        .size = sizeof given,
        .status = code == KITH_OK ? 204
                  : is_passing    ? 503
                                  : 422,
        .headers = is_passing ? later : NULL,
    };
    if (request != 0)
        (void)reply(outside, request, &given); /* the minute is over, or the plugin was quicker */
}

void outside_answer(struct outside *outside, uint64_t number, struct doc doc)
{
    struct wish *found = NULL;
    for (struct outside_item *item = outside->wishes; item != NULL && found == NULL;
         item = item->next)
        if (((struct wish *)item)->number == number)
            found = (struct wish *)item;
    if (found == NULL)
        return;
    struct doc result = doc_child(doc, "result");
    struct kith_doc given = { result.data, result.size };
    kith_done_fn *done = found->done;
    void *arg = found->arg;
    uint64_t request = found->request;
    wish_free(outside, found);
    answer_request(outside, request, (int32_t)doc_int(doc, "status", KITH_FAILED));
    if (done == NULL)
        return;
    int64_t began = outside_enter(outside, CALL_DONE);
    done(arg, (int32_t)doc_int(doc, "status", KITH_FAILED), given);
    outside_leave(outside, CALL_DONE, began);
}

void outside_wishes_drop(struct outside *outside)
{
    for (struct outside_item *item = outside->wishes, *next; item != NULL; item = next) {
        next = item->next;
        wish_free(outside, (struct wish *)item);
    }
}

/* -- append, ask ------------------------------------------------------------------------------- */

static int32_t check_event(struct outside *outside, const struct kith_event *event,
                           struct doc *data, struct doc *traits)
{
    int32_t code = check_string(outside, "the event's type", event->type, TYPE_BYTES_MAX);
    if (code == KITH_OK)
        code = check_text(outside, "customer", event->customer, ID_BYTES_MAX);
    if (code == KITH_OK)
        code = check_text(outside, "id", event->id, ID_BYTES_MAX);
    if (code == KITH_OK)
        code = check_text(outside, "about", event->about, NAME_BYTES_MAX);
    if (code == KITH_OK)
        code = outside_check(outside, "data", event->data, data);
    if (code == KITH_OK)
        code = outside_check(outside, "traits", event->traits, traits);
    return code;
}

static int32_t append(struct outside *outside, const struct kith_event *theirs, kith_done_fn *done,
                      void *arg)
{
    struct kith_event event;
    struct doc_writer w;
    struct doc data, traits;
    OUTSIDE_READ(event, theirs);
    int32_t code = check_event(outside, &event, &data, &traits);
    if (code != KITH_OK) {
        answer_request(outside, event.request, code);
        return code;
    }
    begin(outside, &w);
    doc_put_string(&w, "type", event.type);
    put_text(&w, "customer", event.customer);
    put_text(&w, "id", event.id);
    if (event.at != 0)
        doc_put_int(&w, "at", event.at);
    if (data.data != NULL)
        doc_put_doc(&w, "data", data);
    put_text(&w, "about", event.about);
    if (event.creates != 0)
        doc_put_bool(&w, "creates", true);
    if (event.creates != 0 && traits.data != NULL)
        doc_put_doc(&w, "traits", traits);
    code = wish_for_request(outside, OUTSIDE_APPEND, doc_end(&w), done, arg, event.request);
    if (code != KITH_OK)
        answer_request(outside, event.request, code);
    return code;
}

static int32_t host_append(struct kith *kith, const struct kith_event *event, kith_done_fn *done,
                           void *arg)
{
    struct outside *outside = kith->outside;
    int32_t code = outside_allow(outside, "append");
    if (code == KITH_OK)
        code = append(outside, event, done, arg);
    return outside_end(outside, CALL_APPEND, code);
}

static int32_t ask(struct outside *outside, const struct kith_ask *theirs, kith_done_fn *done,
                   void *arg)
{
    struct kith_ask asked;
    struct doc_writer w;
    struct doc body = { NULL, 0 };
    OUTSIDE_READ(asked, theirs);
    int32_t code = check_string(outside, "the method", asked.method, NAME_BYTES_MAX);
    if (code == KITH_OK)
        code = check_string(outside, "the path", asked.path, 8192);
    if (code == KITH_OK)
        code = check_text(outside, "staff", asked.staff, NAME_BYTES_MAX);
    if (code == KITH_OK)
        code = check_text(outside, "key", asked.key, IDEMPOTENCY_KEY_BYTES_MAX);
    if (code == KITH_OK)
        code = check_text(outside, "match", asked.match, NAME_BYTES_MAX);
    if (code == KITH_OK)
        code = outside_check(outside, "the body", asked.body, &body);
    if (code == KITH_OK && asked.staff.size != 0)
        code = outside_allow(outside, "on-behalf");
    if (code != KITH_OK)
        return code;
    begin(outside, &w);
    doc_put_string(&w, "method", asked.method);
    doc_put_string(&w, "path", asked.path);
    if (body.data != NULL)
        doc_put_doc(&w, "body", body);
    put_text(&w, "staff", asked.staff);
    put_text(&w, "key", asked.key);
    put_text(&w, "match", asked.match);
    return wish(outside, OUTSIDE_ASK, doc_end(&w), done, arg);
}

static int32_t host_ask(struct kith *kith, const struct kith_ask *asked, kith_done_fn *done,
                        void *arg)
{
    struct outside *outside = kith->outside;
    int32_t code = outside_allow(outside, NULL);
    if (code == KITH_OK)
        code = ask(outside, asked, done, arg);
    return outside_end(outside, CALL_ASK, code);
}

/* -- Files ------------------------------------------------------------------------------------- */

static int32_t host_file_read(struct kith *kith, struct kith_text hash, kith_done_fn *done,
                              void *arg)
{
    struct outside *outside = kith->outside;
    struct doc_writer w;
    int32_t code = outside_allow(outside, "files");
    if (code == KITH_OK)
        code = check_text(outside, "the hash", hash, NAME_BYTES_MAX);
    if (code == KITH_OK) {
        begin(outside, &w);
        put_text(&w, "hash", hash);
        code = wish(outside, OUTSIDE_FILE_READ, doc_end(&w), done, arg);
    }
    return outside_end(outside, CALL_FILE_READ, code);
}

static int32_t host_file_write(struct kith *kith, const char *type, const void *data, size_t size,
                               kith_done_fn *done, void *arg)
{
    struct outside *outside = kith->outside;
    struct doc_writer w;
    int32_t code = outside_allow(outside, "files");
    if (code == KITH_OK && (size == 0 || size > FILE_BYTES_MAX))
        code = outside_refuse(outside, KITH_LIMIT, "a file has 1 to %u bytes", FILE_BYTES_MAX);
    if (code == KITH_OK && type != NULL)
        code = check_text(outside, "the type", kith_text(type), NAME_BYTES_MAX);
    if (code == KITH_OK) {
        begin(outside, &w);
        if (type != NULL)
            doc_put_string(&w, "type", type);
        doc_put_binary(&w, "data", data, size);
        code = wish(outside, OUTSIDE_FILE_WRITE, doc_end(&w), done, arg);
    }
    return outside_end(outside, CALL_FILE_WRITE, code);
}

/* -- Messages ---------------------------------------------------------------------------------- */

static int32_t host_deliver(struct kith *kith, struct kith_text effect, int64_t attempt,
                            const struct kith_outcome *theirs)
{
    struct outside *outside = kith->outside;
    struct kith_outcome outcome;
    struct doc_writer w;
    OUTSIDE_READ(outcome, theirs);
    int32_t code = outside_allow(outside, "channel");
    if (code == KITH_OK)
        code = check_text(outside, "the effect", effect, EFFECT_BYTES_LONG);
    if (code == KITH_OK && (outcome.outcome < KITH_SENT || outcome.outcome > KITH_UNCERTAIN))
        code = outside_refuse(outside, KITH_INVALID, "%d is no outcome", (int)outcome.outcome);
    if (code == KITH_OK) {
        struct kith_text detail = outcome.detail;
        detail.size = detail.size != 0 ? utf8_valid_prefix(detail.data, detail.size) : 0;
        begin(outside, &w);
        put_text(&w, "effect", effect);
        doc_put_int(&w, "attempt", attempt);
        doc_put_int(&w, "outcome", outcome.outcome);
        put_text(&w, "detail", detail);
        doc_put_int(&w, "wait_ms", outcome.wait_ms);
        code = outside_up(outside, OUTSIDE_DELIVER, 0, doc_end(&w));
    }
    return outside_end(outside, CALL_DELIVER, code);
}

static int32_t host_pause(struct kith *kith, const char *channel, const char *reason)
{
    struct outside *outside = kith->outside;
    struct doc_writer w;
    int32_t code = outside_allow(outside, "channel");
    if (code == KITH_OK)
        code = check_string(outside, "the channel", channel, NAME_BYTES_MAX);
    if (code == KITH_OK)
        code = check_string(outside, "the reason", reason, ERR_TEXT_MAX);
    if (code == KITH_OK) {
        begin(outside, &w);
        doc_put_string(&w, "channel", channel);
        doc_put_string(&w, "reason", reason);
        code = outside_up(outside, OUTSIDE_PAUSE, 0, doc_end(&w));
    }
    return outside_end(outside, CALL_PAUSE, code);
}

/* -- Answers to requests ----------------------------------------------------------------------- */

/* "Name: value" in two. */
static void put_header(struct doc_writer *w, const char *header)
{
    size_t size = strcspn(header, ":");
    const char *value = header + size + 1;
    doc_open_array(w, "");
    doc_put_text(w, "", (struct text){ header, (uint32_t)size });
    doc_put_string(w, "", value + strspn(value, " \t"));
    doc_close(w);
}

/* Whoever sends it checks it again, but cannot say so any more to a plugin that is far away. */
static int32_t reply(struct outside *outside, uint64_t request, const struct kith_reply *theirs)
{
    struct kith_reply given;
    struct doc_writer w;
    OUTSIDE_READ(given, theirs);
    if (!outside_request_is_open(outside, request))
        return outside_refuse(outside, KITH_MISSING, "request %llu has been answered, or never was",
                              (unsigned long long)request);
    int rc = asked_reply(&given, &outside->err);
    if (rc != 0)
        return outside_code(rc);
    begin(outside, &w);
    doc_put_int(&w, "status", given.status);
    doc_open_array(&w, "headers");
    for (const char *const *header = given.headers; header != NULL && *header != NULL; header++)
        put_header(&w, *header);
    doc_close(&w);
    doc_put_binary(&w, "body", given.body, given.body_size);
    return outside_up(outside, OUTSIDE_REPLY, request, doc_end(&w));
}

static int32_t host_reply(struct kith *kith, uint64_t request, const struct kith_reply *given)
{
    struct outside *outside = kith->outside;
    int32_t code = outside_allow(outside, "routes");
    if (code == KITH_OK)
        code = reply(outside, request, given);
    if (code == KITH_OK)
        outside_request_end(outside, request);
    return outside_end(outside, CALL_REPLY, code);
}

void outside_wishes_host(struct kith_host *host)
{
    host->append = host_append;
    host->ask = host_ask;
    host->file_read = host_file_read;
    host->file_write = host_file_write;
    host->deliver = host_deliver;
    host->pause = host_pause;
    host->reply = host_reply;
}
