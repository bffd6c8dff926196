/* form.c -- POST /v1/complaints: what somebody wrote into the form of a web page.
 *
 * The page's own server sends it on as it came, with a key that may write.  Whoever is unknown
 * becomes known by the address, then the record is made, by Kith's own routes; whatever those
 * refuse is answered as they said it.  An Idempotency-Key goes along with the record.
 *
 *     form -- /v1/customers/email:... -- known? -- no: /v1/identify -- /v1/records/complaint -- 201
 */
#include "outside.h"

#include "act.h"
#include "fields.h"
#include "text.h"

#include <stdio.h>

#define BODY_MAX 32768
#define CUSTOMER_MAX 400
#define KEY_MAX 200

struct form {
    struct outside_task task;
    struct kith_text body;
    char customer[CUSTOMER_MAX]; /* "email:ann@example.com" */
    char key[KEY_MAX + 16];      /* empty: none */
};

static void refuse(struct form *form, int32_t status, const char *detail)
{
    outside_refuse(&form->task, status, "Not taken in", kith_text(detail));
}

static void pass_on(struct form *form, int32_t status, struct kith_doc result)
{
    outside_pass_on(&form->task, status, result, "Not taken in");
}

static void ask(struct form *form, const char *method, const char *path, struct kith_doc body,
                const char *key, kith_done_fn *done)
{
    const struct kith_ask asked = {
        .size = sizeof asked,
        .method = method,
        .path = path,
        .body = body,
        .key = kith_text(key),
    };
    outside_ask(&form->task, &asked, done);
}

/* -- The record -------------------------------------------------------------------------------- */

static void on_made(void *arg, int32_t status, struct kith_doc result)
{
    struct form *form = arg;
    struct json json = { .data = NULL };
    if (status != 200 && status != 201) {
        pass_on(form, status, result);
        return;
    }
    struct act_id id = act_id(kith_get_int(result, "id", 0));
    json_open(&json, NULL, '{');
    json_text(&json, "record", kith_text(id.data));
    json_int(&json, "id", kith_get_int(result, "id", 0));
    json_text(&json, "state", kith_get_text(result, "state"));
    json_close(&json, '}');
    outside_answer(&form->task, 201, &json);
}

static void put_field(struct kith_writer *w, struct form *form, const char *name, size_t size_max)
{
    char room[ACT_TEXT_MAX + 1000];
    struct kith_text value = fields_get(form->body, name, room, sizeof room);
    if (value.size != 0)
        kith_put_text(w, name, text_cut(value, size_max));
}

static void make_record(struct form *form)
{
    char room[ACT_TEXT_MAX + 4096];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "customer", form->customer);
    kith_open(&w, "fields");
    put_field(&w, form, "subject", ACT_SUBJECT_MAX);
    put_field(&w, form, "text", ACT_TEXT_MAX);
    put_field(&w, form, "severity", ACT_WORD_MAX);
    put_field(&w, form, "product", ACT_WORD_MAX);
    put_field(&w, form, "order", ACT_WORD_MAX);
    kith_put_string(&w, "channel", "web");
    kith_close(&w);
    ask(form, "POST", "/v1/records/complaint", kith_end(&w), form->key, on_made);
}

/* -- Whose it is ------------------------------------------------------------------------------- */

static void on_known(void *arg, int32_t status, struct kith_doc result)
{
    struct form *form = arg;
    if (status == 200)
        make_record(form);
    else
        pass_on(form, status, result);
}

static void make_known(struct form *form)
{
    char room[1024], name[ACT_WORD_MAX];
    struct kith_writer w;
    const char *address = form->customer + strlen("email:");
    struct kith_text called = fields_get(form->body, "name", name, sizeof name);
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "anonymousId", form->customer);
    kith_open(&w, "traits");
    kith_put_string(&w, "email", address);
    if (called.size != 0)
        kith_put_text(&w, "name", called);
    kith_close(&w);
    ask(form, "POST", "/v1/identify?wait=applied", kith_end(&w), "", on_known);
}

static void on_looked_up(void *arg, int32_t status, struct kith_doc result)
{
    struct form *form = arg;
    if (status == 404 && strncmp(form->customer, "email:", 6) == 0)
        make_known(form);
    else
        on_known(form, status, result);
}

static void look_up(struct form *form)
{
    static const char above[] = "/v1/customers/";
    struct kith_doc nothing = { NULL, 0 };
    char path[sizeof above + CUSTOMER_MAX * 3];
    memcpy(path, above, sizeof above);
    if (!fields_encode(kith_text(form->customer), path + sizeof above - 1,
                       sizeof path - sizeof above + 1))
        refuse(form, 422, "`customer` is too long");
    else
        ask(form, "GET", path, nothing, "", on_looked_up);
}

/* -- The request ------------------------------------------------------------------------------- */

static int read_customer(struct form *form)
{
    char room[CUSTOMER_MAX - 8];
    struct kith_text customer = fields_get(form->body, "customer", room, sizeof room);
    const char *space = "";
    if (customer.size == 0) {
        customer = fields_get(form->body, "email", room, sizeof room);
        space = "email:";
    }
    snprintf(form->customer, sizeof form->customer, "%s%.*s", space, (int)customer.size,
             customer.data);
    return customer.size != 0;
}

/* Every field of ours is text, and not larger than can be kept. */
static const char *find_fault(struct form *form)
{
    static const char *const names[] = { "customer", "email", "name",    "subject",
                                         "text",     "order", "product", "severity" };
    char room[BODY_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!fields_is_text(fields_get(form->body, names[i], room, sizeof room)))
            return "a field is no text in UTF-8";
    if (!read_customer(form))
        return "`email` or `customer` is needed: whose complaint it is";
    if (fields_get(form->body, "subject", room, sizeof room).size == 0)
        return "`subject` is needed: what it is about";
    if (fields_get(form->body, "text", room, sizeof room).size > ACT_TEXT_MAX)
        return "`text` has more than 8000 bytes";
    return NULL;
}

static void read_key(struct form *form, const struct kith_request *request)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (text_is_same(request->headers[i].name, kith_text("Idempotency-Key")) &&
            request->headers[i].value.size <= KEY_MAX)
            snprintf(form->key, sizeof form->key, "%.*s", (int)request->headers[i].value.size,
                     request->headers[i].value.data);
}

static void handle(void *self, const struct kith_request *request)
{
    struct form *form = outside_begin(self, request, sizeof *form);
    if (form == NULL)
        return;
    form->body.data = request->body;
    form->body.size = request->body_size;
    read_key(form, request);
    const char *fault = find_fault(form);
    if (fault != NULL)
        refuse(form, 422, fault);
    else
        look_up(form);
}

const struct kith_route form_route = {
    .size = sizeof form_route,
    .method = "POST",
    .path = "/v1/complaints",
    .summary = "A complaint from the form of a web page",
    .openapi = "{\"requestBody\":{\"required\":true,\"content\":{"
               "\"application/x-www-form-urlencoded\":{\"schema\":{\"type\":\"object\","
               "\"properties\":{\"email\":{\"type\":\"string\"},\"customer\":{\"type\":\"string\"},"
               "\"name\":{\"type\":\"string\"},\"subject\":{\"type\":\"string\"},"
               "\"text\":{\"type\":\"string\"},\"severity\":{\"type\":\"string\"},"
               "\"product\":{\"type\":\"string\"},\"order\":{\"type\":\"string\"}},"
               "\"required\":[\"subject\"]}}}}}",
    .auth = KITH_AUTH_WRITE,
    .body_max = BODY_MAX,
    .handle = handle,
};
