/* form.c -- POST /v1/complaints: what somebody wrote into the form of a web page.
 *
 * The page's own server sends it on as it came, with a key that may write.  Whoever is unknown
 * becomes known, by the address and the name, with the event complaint.form, which says what for;
 * then the record is made, by Kith's own route, and whatever that refuses is answered as it said
 * it.  An Idempotency-Key goes along with both: as a print of it, of whose API key it came with and
 * of who is meant, since two sites may use the same.  The event's has in it what was complained of,
 * too: she is made known by another complaint, and not a second time by this one.
 *
 *     form -- /v1/customers/email:... -- one? -------------- /v1/records/complaint -- 201
 *                                         nobody, several? complaint.form
 *
 * A request that was answered for us, after a minute, is gone with all it points to: the record is
 * written down before anything is asked.
 */
#include "outside.h"

#include "act.h"
#include "intake.h"
#include "text.h"

#include <stdio.h>

#define BODY_MAX (256 * 1024) /* of which a character may take twelve bytes */
#define CUSTOMER_MAX 400
#define ID "form:"

struct form {
    struct outside_task task;
    char customer[CUSTOMER_MAX]; /* "email:ann@example.com" */
    struct kith_text address;    /* within it; empty: she is named otherwise */
    char key[KITH_HMAC_SIZE];    /* empty: none */
    char id[sizeof ID + KITH_HMAC_SIZE];
    struct kith_text name; /* size 0: none */
    char name_room[ACT_WORD_MAX];
    unsigned char room[TEXT_BYTES_MAX + 4096];
    struct kith_doc record; /* its fields: for POST /v1/records/complaint */
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
    char room[256];
    struct kith_writer w;
    if (status != 200 && status != 201) {
        pass_on(form, status, result);
        return;
    }
    struct act_id id = act_id(kith_get_int(result, "id", 0));
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "record", id.data);
    kith_put_int(&w, "id", kith_get_int(result, "id", 0));
    kith_put_text(&w, "state", kith_get_text(result, "state"));
    outside_answer(&form->task, 201, kith_end(&w));
}

/* By her number: what is sent again with the same key says the same, also of who was unknown. */
static void make_record(struct form *form, int64_t customer)
{
    unsigned char room[sizeof form->room + 64];
    char number[24];
    struct kith_writer w;
    snprintf(number, sizeof number, "%lld", (long long)customer);
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "customer", number);
    kith_put_doc(&w, "fields", form->record);
    ask(form, "POST", "/v1/records/complaint", kith_end(&w), form->key, on_made);
}

/* -- Whose it is ------------------------------------------------------------------------------- */

static void look_up(struct form *form, kith_done_fn *done)
{
    const struct kith_doc nothing = { NULL, 0 };
    char path[64 + CUSTOMER_MAX * 3] = "/v1/customers/";
    const size_t size = strlen(path);
    if (!outside_encode(kith_text(form->customer), path + size, sizeof path - size))
        refuse(form, 422, "`customer` is too long");
    else
        ask(form, "GET", path, nothing, "", done);
}

static void on_known(void *arg, int32_t status, struct kith_doc result)
{
    struct form *form = arg;
    if (status == 200)
        make_record(form, kith_get_int(result, "id", 0));
    else
        pass_on(form, status, result);
}

/* It has come before, the whole of it, so nothing is lost; whoever has been erased since is not
 * made known again. */
static void on_known_before(void *arg, int32_t status, struct kith_doc result)
{
    if (status == 404)
        refuse(
            arg, 404,
            "this complaint has come before, with this `Idempotency-Key`, and since then whoever "
            "sent it has been erased; who sends it anew takes another key");
    else
        on_known(arg, status, result);
}

static void on_introduced(void *arg, int32_t code, struct kith_doc result)
{
    struct form *form = arg;
    int64_t customer = kith_get_int(result, "customer", 0);
    if (code == KITH_OK && customer != 0)
        make_record(form, customer);
    else if (code == KITH_OK && kith_get_int(result, "duplicate", 0) != 0)
        look_up(form, on_known_before);
    else if (code == KITH_OK)
        refuse(form, 422, "nobody can be known by this `email`");
    else
        pass_on(form, code == KITH_BUSY || code == KITH_IO ? 503 : 422, result);
}

/* Of several who have the address it is the event of who is known longest. */
static void introduce(struct form *form)
{
    struct outside *outside = form->task.outside;
    char about[ACT_SUBJECT_MAX + 64], known[ACT_WORD_MAX + 64];
    struct kith_writer data, traits;
    kith_begin(&data, about, sizeof about);
    kith_put_text(&data, "subject", kith_get_text(form->record, "subject"));
    kith_begin(&traits, known, sizeof known);
    if (form->name.size != 0)
        kith_put_text(&traits, "name", form->name);
    const struct kith_event event = {
        .size = sizeof event,
        .type = "complaint.form",
        .customer = kith_text(form->customer),
        .id = kith_text(form->id),
        .data = kith_end(&data),
        .creates = 1,
        .traits = kith_end(&traits),
    };
    if (outside->host->append(outside->kith, &event, on_introduced, form) != KITH_OK)
        refuse(form, 503, "too much is under way: try again");
}

static void on_looked_up(void *arg, int32_t status, struct kith_doc result)
{
    struct form *form = arg;
    if (status == 404 && form->address.size != 0)
        introduce(form);
    else
        on_known(form, status, result);
}

/* -- The request ------------------------------------------------------------------------------- */

/* Without blanks around it. */
static struct kith_text read_text(struct kith_doc fields, const char *name)
{
    struct kith_text text = kith_get_text(fields, name);
    while (text.size != 0 && (unsigned char)text.data[text.size - 1] <= ' ')
        text.size--;
    while (text.size != 0 && (unsigned char)*text.data <= ' ') {
        text.data++;
        text.size--;
    }
    return text;
}

#define NO_ADDRESS "`email` is one address of at most 254 bytes, like ann@example.com"

#define NO_REFERENCE "`customer` has at most 393 bytes"
_Static_assert(CUSTOMER_MAX - sizeof "email:" == 393, "as it is said");

/* NULL, or what is wrong with it. */
static const char *read_customer(struct form *form, struct kith_doc fields)
{
    struct kith_text text = read_text(fields, "customer");
    int is_named = text.size != 0;
    if (!is_named)
        text = read_text(fields, "email");
    if (text.size == 0)
        return "`email` or `customer` is needed: whose complaint it is";
    if (text.size > CUSTOMER_MAX - sizeof "email:")
        return is_named ? NO_REFERENCE : NO_ADDRESS;
    snprintf(form->customer, sizeof form->customer, "%s%.*s",
             is_named ? "" : "email:", (int)text.size, text.data);
    if (strncmp(form->customer, "email:", 6) == 0)
        form->address = kith_text(form->customer + 6);
    return form->address.size == 0 || text_is_address(form->address) ? NULL : NO_ADDRESS;
}

/* The fields are the host's, and gone with its next answer. */
static void read_name(struct form *form, struct kith_doc fields)
{
    form->name = text_cut(read_text(fields, "name"), sizeof form->name_room);
    if (form->name.size != 0)
        form->name.data = memcpy(form->name_room, form->name.data, form->name.size);
}

/* No control characters but tab and ends of lines: what may be kept. */
static int is_text(struct kith_text text)
{
    for (int32_t c; (c = kith_next_character(&text)) >= 0;)
        if ((c < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
            return 0;
    return 1;
}

/* Every field of ours is text, and not larger than can be kept. */
static const char *read_fields(struct form *form, struct kith_doc fields)
{
    static const struct {
        const char *name;
        size_t size_max; /* in the record, which is cut; 0: it is none of its fields */
    } ours[] = { { "customer", 0 },
                 { "email", 0 },
                 { "name", 0 },
                 { "subject", ACT_SUBJECT_MAX },
                 { "text", TEXT_BYTES_MAX },
                 { "severity", ACT_WORD_MAX },
                 { "product", ACT_WORD_MAX },
                 { "order", ACT_WORD_MAX } };
    struct kith_writer w;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (!is_text(kith_get_text(fields, ours[i].name)))
            return "a field is no text in UTF-8";
    const char *fault = read_customer(form, fields);
    if (fault != NULL)
        return fault;
    if (text_is_blank(text_cut(kith_get_text(fields, "subject"), ACT_SUBJECT_MAX)))
        return "`subject` is needed: what it is about";
    struct kith_text severity = kith_get_text(fields, "severity");
    if (severity.size != 0 && !intake_is_severity(severity))
        return "`severity` is \"low\", \"normal\", \"high\" or \"critical\"";
    read_name(form, fields);
    kith_begin(&w, form->room, sizeof form->room);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        struct kith_text text = text_cut(kith_get_text(fields, ours[i].name), ours[i].size_max);
        if (ours[i].size_max == TEXT_BYTES_MAX)
            text = text_kept(text);
        if (text.size != 0)
            kith_put_text(&w, ours[i].name, text);
    }
    kith_put_string(&w, "channel", "web");
    form->record = kith_end(&w);
    return NULL;
}

#define NO_FORM                                                                                   \
    "a form is expected, application/x-www-form-urlencoded: email=ann@example.com&subject=Late; " \
    "JSON is for POST /v1/records/complaint"

static int is_form(const struct kith_request *request)
{
    static const char form[] = "application/x-www-form-urlencoded";
    struct kith_text type = kith_header(request, "Content-Type"), begin = type;
    const char *body = request->body;
    begin.size = type.size < sizeof form - 1 ? type.size : sizeof form - 1;
    return (type.size == 0 || text_is_same(begin, kith_text(form))) &&
           (request->body_size == 0 || body[0] != '{');
}

static void put_print(const struct form *form, struct kith_writer *w, char out[KITH_HMAC_SIZE])
{
    const struct outside *outside = form->task.outside;
    struct kith_doc doc = kith_end(w);
    struct kith_text data = { (const char *)doc.data, doc.size };
    out[0] = '\0';
    if (doc.size != 0)
        outside->host->hmac(outside->kith, "sha256-hex", kith_text("form"), data, out);
}

/* What it is known by when it comes again.  0: there is no room for that. */
static int read_key(struct form *form, const struct kith_request *request)
{
    struct kith_text key = kith_header(request, "Idempotency-Key");
    unsigned char room[sizeof form->room + 8192];
    char print[KITH_HMAC_SIZE];
    struct kith_writer w;
    if (key.size == 0)
        return 1;
    for (int has_record = 0; has_record < 2; has_record++) {
        kith_begin(&w, room, sizeof room);
        kith_put_text(&w, "api_key", request->key);
        kith_put_text(&w, "staff", request->staff);
        kith_put_text(&w, "key", key);
        kith_put_string(&w, "customer", form->customer);
        if (has_record)
            kith_put_doc(&w, "fields", form->record);
        put_print(form, &w, has_record ? print : form->key);
    }
    snprintf(form->id, sizeof form->id, ID "%s", print);
    return form->key[0] != '\0' && print[0] != '\0';
}

static void handle(void *self, const struct kith_request *request)
{
    struct form *form = outside_begin(self, request, sizeof *form);
    struct kith_doc fields;
    if (form == NULL)
        return;
    if (!is_form(request)) {
        refuse(form, 415, NO_FORM);
        return;
    }
    const char *fault = outside_fields(self, request->body, request->body_size, &fields)
                            ? read_fields(form, fields)
                            : "a field is no text in UTF-8";
    if (fault != NULL)
        refuse(form, 422, fault);
    else if (!read_key(form, request))
        refuse(form, 422, "`Idempotency-Key` is too long");
    else
        look_up(form, on_looked_up);
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
