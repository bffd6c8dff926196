/* hook.c -- programs that call: POST /v1/hooks/NAME, verified, becomes the event webhook.NAME.
 *
 *     request -- which hook? -- is it signed? -- what stands in it? -- who is it about?
 *                  404            401              400                     |
 *                                             answer <-- append(webhook.NAME)
 *
 * The sender is answered 200 when the event is durable and applied, and not before: it tries again
 * until then, as senders of webhooks do.  That it has come before is known by what it signed
 * (verify.h), so that a repetition, of the sender or of a thief, has no effect; nor does it make
 * somebody known who has been erased since: the event itself does that, and it is known by then.
 *
 * An event is about a customer where the configuration says how to find her in the body; otherwise,
 * and where nobody is found, it is about nobody, and a rule sees to it.
 */
#include "verify.h"
#include "webhook.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define NAME_SIZE 32
#define ID_SIZE (NAME_SIZE + VERIFY_ID_SIZE)
#define REFERENCE_SIZE 300
#define SLACK 4096 /* of an event beside its body and headers */

struct hook {
    struct hook *next;
    const char *name;
    char type[sizeof "webhook." + NAME_SIZE];
    struct keys keys;
    struct verify verify;
    struct kith_doc headers, customer; /* lists of the configuration */
    bool creates;
};

/* A request that waits for Kith. */
struct visit {
    struct visit *next, **link;
    struct webhook *webhook;
    const struct hook *hook;
    uint64_t request;
    char id[ID_SIZE], customer[REFERENCE_SIZE];
    unsigned char *room;
    struct kith_doc data;
};

/* -- Answers ----------------------------------------------------------------------------------- */

static void answer(const struct webhook *webhook, uint64_t request, int status, const char *detail)
{
    static const char *const titles[] = { "Bad Request", "Unauthorized", "Not Found",
                                          "Unprocessable Content", "Service Unavailable" };
    static const int statuses[] = { 400, 401, 404, 422, 503 };
    static const char *const fine[] = { "Content-Type: application/json", NULL };
    static const char *const problem[] = { "Content-Type: application/problem+json", NULL };
    static const char *const later[] = { "Content-Type: application/problem+json", "Retry-After: 5",
                                         NULL };
    char room[1024];
    struct kith_writer w;
    struct kith_text body = { "{}", 2 };
    kith_begin(&w, room, sizeof room);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i] == status)
            kith_put_string(&w, "title", titles[i]);
    kith_put_int(&w, "status", status);
    kith_put_string(&w, "detail", detail);
    if (status >= 400)
        webhook->host->to_json(webhook->kith, kith_end(&w), &body);
    const struct kith_reply reply = {
        .size = sizeof reply,
        .status = status,
        .headers = status == 503   ? later
                   : status >= 400 ? problem
                                   : fine,
        .body = body.data,
        .body_size = body.size,
    };
    webhook->host->reply(webhook->kith, request, &reply);
}

static void visit_free(struct visit *visit)
{
    *visit->link = visit->next;
    if (visit->next != NULL)
        visit->next->link = visit->link;
    free(visit->room);
    free(visit);
}

static void leave(struct visit *visit, int status, const char *detail)
{
    answer(visit->webhook, visit->request, status, detail);
    visit_free(visit);
}

/* -- What stands in it ------------------------------------------------------------------------- */

static bool has_type(const struct kith_request *request, const char *type)
{
    struct kith_text given = kith_header(request, "Content-Type");
    size_t size = 0;
    while (size < given.size && strchr("; \t", given.data[size]) == NULL)
        size++;
    return size == strlen(type) && strncasecmp(given.data, type, size) == 0;
}

static bool is_json(const struct kith_request *request)
{
    struct kith_text given = kith_header(request, "Content-Type");
    const char *body = request->body;
    size_t i = 0;
    if (has_type(request, "application/json"))
        return true;
    for (i = 0; i + 5 <= given.size; i++)
        if (strncasecmp(given.data + i, "+json", 5) == 0)
            return true;
    for (i = 0; i < request->body_size && isspace((unsigned char)body[i]); i++)
        ;
    return given.size == 0 && i < request->body_size && body[i] == '{';
}

/* An array is the field `items` of an object: a document has names. */
static int32_t read_json(struct webhook *webhook, struct kith_text json, struct kith_doc *out)
{
    size_t i = 0;
    while (i < json.size && isspace((unsigned char)json.data[i]))
        i++;
    if (i == json.size || json.data[i] != '[')
        return webhook->host->from_json(webhook->kith, json, out);
    char *wrapped = malloc(json.size + 12);
    if (wrapped == NULL)
        return KITH_BUSY;
    int size = snprintf(wrapped, json.size + 12, "{\"items\":%.*s}", (int)json.size, json.data);
    int32_t code =
        webhook->host->from_json(webhook->kith, (struct kith_text){ wrapped, (size_t)size }, out);
    free(wrapped);
    struct kith_iter it = kith_iter(*out);
    bool is_alone = code == KITH_OK && kith_next(&it) && !kith_next(&it);
    return code == KITH_OK && !is_alone ? KITH_INVALID : code;
}

/* Of a name that is said with several texts, one. */
static bool put_form(struct kith_writer *w, struct webhook *webhook, struct kith_text text)
{
    struct kith_text last = { NULL, 0 };
    struct kith_doc form = { NULL, 0 };
    bool is_good = webhook->host->from_form(webhook->kith, text, &form) == KITH_OK;
    kith_open(w, "body");
    for (struct kith_iter it = kith_iter(form); kith_next(&it); last = it.name)
        if (last.data == NULL || !kith_is(last, it.name.data))
            kith_put(w, it.name.data, &it.value);
    kith_close(w);
    return is_good;
}

static void put_headers(struct kith_writer *w, const struct hook *hook,
                        const struct kith_request *request)
{
    struct kith_iter it = kith_iter(hook->headers);
    kith_open(w, "headers");
    while (kith_next(&it)) {
        const char *name = kith_as_text(&it.value).data;
        struct kith_text value = kith_header(request, name);
        if (value.size != 0)
            kith_put_text(w, name, value);
    }
    kith_close(w);
}

static size_t room_of(const struct kith_request *request, struct kith_doc body)
{
    size_t room = SLACK + body.size + 9 * request->body_size;
    for (size_t i = 0; i < request->header_count; i++)
        room += request->headers[i].value.size + 150;
    return room;
}

/* GitHub sends JSON as a form, too: `payload` is all of it.  Other forms are what they are. */
static int32_t read_payload(struct webhook *webhook, struct kith_text form, struct kith_doc *out)
{
    struct kith_doc fields = { NULL, 0 };
    if (webhook->host->from_form(webhook->kith, form, &fields) != KITH_OK)
        return KITH_OK;
    struct kith_text payload = kith_get_text(fields, "payload");
    if (payload.size == 0)
        return KITH_OK;
    char *json = malloc(payload.size); /* what is read next may take its place */
    if (json == NULL)
        return KITH_BUSY;
    memcpy(json, payload.data, payload.size);
    int32_t code = read_json(webhook, (struct kith_text){ json, payload.size }, out);
    free(json);
    return code;
}

static const char no_json[] = "the body is no JSON that can be kept: malformed, nested too deeply, "
                              "with too large a number or "
                              "half of a surrogate pair in it, or neither an object nor an array";

/* NULL, or why it cannot be read. */
static const char *read_data(struct visit *visit, const struct kith_request *request)
{
    struct kith_text sent = { request->body, request->body_size };
    struct kith_doc body = { NULL, 0 };
    struct kith_writer w;
    bool is_good = true, is_form = has_type(request, "application/x-www-form-urlencoded");
    int32_t code = KITH_OK;
    if (is_json(request))
        code = read_json(visit->webhook, sent, &body);
    else if (is_form && visit->hook->verify.scheme == SCHEME_GITHUB)
        code = read_payload(visit->webhook, sent, &body);
    if (code != KITH_OK)
        return code == KITH_BUSY ? "there is no memory" : no_json;
    size_t room = room_of(request, body);
    visit->room = malloc(room);
    if (visit->room == NULL)
        return "there is no memory";
    kith_begin(&w, visit->room, room);
    kith_put_string(&w, "hook", visit->hook->name);
    put_headers(&w, visit->hook, request);
    if (body.size != 0)
        kith_put_doc(&w, "body", body);
    else if (is_form)
        is_good = put_form(&w, visit->webhook, sent);
    else
        kith_put_text(&w, "text", sent);
    visit->data = kith_end(&w);
    return is_good && visit->data.size != 0 ? NULL : "the body is no form, or has too many fields";
}

/* -- Who it is about --------------------------------------------------------------------------- */

/* "buyer.email" of the body. */
static struct kith_value value_at(struct kith_doc doc, const char *path)
{
    char name[64];
    for (;;) {
        size_t size = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)size, path);
        struct kith_value value = kith_get(doc, name);
        if (path[size] == '\0')
            return value;
        doc = kith_as_doc(&value);
        path += size + 1;
    }
}

static bool take_reference(struct visit *visit, struct kith_text how)
{
    char words[128];
    snprintf(words, sizeof words, "%.*s", (int)how.size, how.data);
    char *path = strchr(words, ':');
    if (path == NULL)
        return false;
    *path++ = '\0';
    struct kith_value value = value_at(kith_get_doc(visit->data, "body"), path);
    struct kith_text text = kith_as_text(&value);
    if (value.type == KITH_INT)
        return snprintf(visit->customer, REFERENCE_SIZE, "%s:%lld", words,
                        (long long)value.as.integer) > 0;
    if (text.size == 0 || text.size > REFERENCE_SIZE - 40 ||
        memchr(text.data, '\0', text.size) != NULL)
        return false;
    return snprintf(visit->customer, REFERENCE_SIZE, "%s:%.*s", words, (int)text.size, text.data) >
           0;
}

static void find_customer(struct visit *visit)
{
    struct kith_iter it = kith_iter(visit->hook->customer);
    while (kith_next(&it))
        if (take_reference(visit, kith_as_text(&it.value)))
            return;
    visit->customer[0] = '\0';
}

/* -- Into the log ------------------------------------------------------------------------------ */

static void append(struct visit *visit);

static void on_appended(void *arg, int32_t code, struct kith_doc result)
{
    struct visit *visit = arg;
    struct webhook *webhook = visit->webhook;
    struct kith_text error = kith_get_text(result, "error");
    char detail[REASON_SIZE];
    if (code == KITH_OK) {
        webhook->host->count(
            webhook->kith, kith_get_int(result, "duplicate", 0) != 0 ? "repeated" : "received", 1);
        leave(visit, 200, "");
    } else if ((code == KITH_MISSING || code == KITH_INVALID) && visit->customer[0] != '\0') {
        visit->customer[0] = '\0'; /* nobody, or several, or no such reference */
        append(visit);
    } else if (code == KITH_BUSY || code == KITH_IO) {
        leave(visit, 503, "Kith cannot write now");
    } else {
        snprintf(detail, sizeof detail, "%.*s", (int)error.size, error.data);
        leave(visit, 422, detail);
    }
}

static void append(struct visit *visit)
{
    const struct kith_event event = {
        .size = sizeof event,
        .type = visit->hook->type,
        .customer = kith_text(visit->customer),
        .id = kith_text(visit->id),
        .data = visit->data,
        .creates = visit->hook->creates,
    };
    struct webhook *webhook = visit->webhook;
    int32_t code = webhook->host->append(webhook->kith, &event, on_appended, visit);
    if (code == KITH_BUSY || code == KITH_IO)
        leave(visit, 503, "too much is under way");
    else if (code != KITH_OK)
        leave(visit, 422, "Kith cannot keep what stands in the body");
}

/* -- Requests ---------------------------------------------------------------------------------- */

static const struct hook *find(const struct webhook *webhook, struct kith_text name)
{
    const struct hook *hook = webhook->hooks;
    while (hook != NULL && !kith_is(name, hook->name))
        hook = hook->next;
    return hook;
}

static struct visit *visit_new(struct webhook *webhook, const struct hook *hook, uint64_t request)
{
    struct visit *visit = calloc(1, sizeof *visit);
    if (visit == NULL)
        return NULL;
    visit->webhook = webhook;
    visit->hook = hook;
    visit->request = request;
    visit->next = webhook->visits;
    visit->link = &webhook->visits;
    if (visit->next != NULL)
        visit->next->link = &visit->next;
    webhook->visits = visit;
    return visit;
}

void hook_handle(void *self, const struct kith_request *request)
{
    struct webhook *webhook = self;
    const struct hook *hook = find(webhook, kith_param(request, "name"));
    char id[VERIFY_ID_SIZE];
    if (hook == NULL) {
        answer(webhook, request->id, 404, "there is no hook of this name");
        return;
    }
    const char *why = verify(&hook->verify, request, id);
    if (why != NULL) {
        webhook->host->count(webhook->kith, "refused", 1);
        answer(webhook, request->id, 401, why);
        return;
    }
    struct visit *visit = visit_new(webhook, hook, request->id);
    if (visit == NULL) {
        answer(webhook, request->id, 503, "there is no memory");
        return;
    }
    snprintf(visit->id, sizeof visit->id, "%s:%s", hook->name, id);
    why = read_data(visit, request);
    if (why != NULL) {
        leave(visit, 400, why);
        return;
    }
    find_customer(visit);
    append(visit);
}

/* -- Opening ----------------------------------------------------------------------------------- */

static int32_t read_secret(struct kith_doc table, const struct hook *hook, struct keys *out,
                           char *reason)
{
    bool is_standard = hook->verify.scheme == SCHEME_STANDARD;
    char room[160];
    const char *why = keys_parse(kith_get_text(table, "secret"), is_standard, out, room);
    return why == NULL ? KITH_OK : refuse(reason, "hooks.%s.secret: %s", hook->name, why);
}

/* "email:buyer.email" */
static int32_t check_customer(const struct hook *hook, char *reason)
{
    static const char *const spaces[] = { "email:", "phone:", "user_id:" };
    struct kith_iter it = kith_iter(hook->customer);
    while (kith_next(&it)) {
        struct kith_text how = kith_as_text(&it.value);
        bool is_good = false;
        for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
            is_good = is_good || (how.size > strlen(spaces[i]) && how.size < 100 &&
                                  memcmp(how.data, spaces[i], strlen(spaces[i])) == 0);
        if (!is_good)
            return refuse(reason,
                          "hooks.%s.customer: \"%.*s\" is not like \"email:buyer.email\": email, "
                          "phone or user_id, and where in the body it stands",
                          hook->name, (int)(how.size < 60 ? how.size : 60), how.data);
    }
    return KITH_OK;
}

static int32_t check_url(const struct hook *hook, char *reason)
{
    const char *url = hook->verify.url;
    bool is_web = strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;
    if (hook->verify.scheme != SCHEME_TWILIO || (is_web && strpbrk(url, " ?#") == NULL))
        return KITH_OK;
    return refuse(reason,
                  "hooks.%s.url is needed, as twilio was told, without a query: it is signed",
                  hook->name);
}

static int32_t hook_read(struct hook *hook, const struct webhook *webhook, const char *name,
                         struct kith_doc table, char *reason)
{
    hook->name = name;
    snprintf(hook->type, sizeof hook->type, "webhook.%s", name);
    hook->headers = kith_get_doc(table, "headers");
    hook->customer = kith_get_doc(table, "customer");
    hook->creates = kith_get_int(table, "create", 0) != 0;
    hook->verify = (struct verify){
        .host = webhook->host,
        .kith = webhook->kith,
        .scheme = scheme_of(kith_get_text(table, "scheme")),
        .keys = &hook->keys,
        .header = kith_get_string(table, "signature"),
        .url = kith_get_string(table, "url"),
        .tolerance_ms = kith_get_int(table, "tolerance", 0),
    };
    if (hook->verify.scheme == SCHEME_NONE)
        return refuse(reason, "hooks.%s.scheme is standard, github, stripe or twilio", name);
    int32_t code = check_url(hook, reason);
    if (code == KITH_OK)
        code = check_customer(hook, reason);
    return code == KITH_OK ? read_secret(table, hook, &hook->keys, reason) : code;
}

int32_t hooks_open(struct webhook *webhook, struct kith_doc tables, char *reason)
{
    struct kith_iter it = kith_iter(tables);
    int32_t code = KITH_OK;
    while (code == KITH_OK && kith_next(&it)) {
        struct hook *hook = calloc(1, sizeof *hook);
        if (hook == NULL)
            return KITH_FAILED;
        hook->next = webhook->hooks;
        webhook->hooks = hook;
        code = hook_read(hook, webhook, it.name.data, kith_as_doc(&it.value), reason);
    }
    return code;
}

void hooks_reread(struct webhook *webhook, struct kith_doc tables)
{
    for (struct hook *hook = webhook->hooks; hook != NULL; hook = hook->next) {
        char reason[REASON_SIZE], line[REASON_SIZE + 40];
        if (read_secret(kith_get_doc(tables, hook->name), hook, &hook->keys, reason) == KITH_OK)
            continue;
        snprintf(line, sizeof line, "the secrets in use are kept: %s", reason);
        webhook->host->log(webhook->kith, KITH_ERROR, line);
    }
}

void hooks_close(struct webhook *webhook)
{
    for (struct visit *visit = webhook->visits, *next; visit != NULL; visit = next) {
        next = visit->next;
        visit_free(visit);
    }
    for (struct hook *hook = webhook->hooks, *next; hook != NULL; hook = next) {
        next = hook->next;
        keys_wipe(&hook->keys);
        free(hook);
    }
}
