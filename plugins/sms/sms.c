/* sms.c -- messages to telephones, over a gateway that speaks as Twilio does.
 *
 *     out     POST ACCOUNT/Messages.json: To, From, Body, StatusCallback
 *     back    POST /v1/sms/status?effect=ID    its receipts: message.delivered, message.bounced
 *     in      POST /v1/sms/inbound             what people write: sms.received, sms.stopped ...
 *
 * The gateway drops no repeated message, so that one without an answer is uncertain: a person
 * decides, and nobody gets two.  What comes back is believed by its signature alone, which covers
 * the URL and with it the effect.  STOP is a matter of the number, whoever has it and whatever it
 * was about: the number is put on the suppression list, and START takes it off.  A repeated STOP
 * counts again and a repeated START does not, so that the worst that a replay does is silence.
 */
#include "kith.h"
#include "parts.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define FORM_BYTES 16384 /* of 10 segments, every byte written as three */

struct self {
    const struct kith_host *host;
    struct kith *kith;
    struct kith_doc config;
    char url[512], from[64], credentials[400];
    char tokens[2][128]; /* the second, while the first is new, still signs */
    int64_t segments_max, parallel, under_way;
};

/* -- Out --------------------------------------------------------------------------------------- */

struct sending {
    struct self *self;
    int64_t attempt;
    char effect[64];
};

static void tell(struct self *self, struct kith_text effect, int64_t attempt, int32_t outcome,
                 const char *detail, int64_t wait_ms)
{
    struct kith_outcome told = { sizeof told, outcome, 0, kith_text(detail), wait_ms };
    self->host->deliver(self->kith, effect, attempt, &told);
}

static int64_t retry_after_ms(struct kith_doc result)
{
    struct kith_iter it = kith_iter(kith_get_doc(result, "headers"));
    while (kith_next(&it)) {
        struct kith_text name = kith_get_text(kith_as_doc(&it.value), "0");
        struct kith_text value = kith_get_text(kith_as_doc(&it.value), "1");
        if (name.size == 11 && strncasecmp(name.data, "Retry-After", 11) == 0 && value.size < 6)
            return 1000 * strtoll(value.data, NULL, 10);
    }
    return 0;
}

static void on_sent(void *arg, int32_t code, struct kith_doc result)
{
    struct sending *sending = arg;
    struct self *self = sending->self;
    int status = (int)kith_get_int(result, "status", 0);
    struct kith_value body = kith_get(result, "body");
    struct kith_text error = kith_get_text(result, "error");
    char detail[300];
    snprintf(detail, sizeof detail, "the gateway answered %d: %.*s", status,
             body.size < 200 ? (int)body.size : 200, body.size != 0 ? (char *)body.as.bytes : "");
    if (code != KITH_OK)
        snprintf(detail, sizeof detail, "%.*s", (int)error.size, error.data);
    for (char *at = detail; *at != '\0'; at++)
        *at = *at >= ' ' && *at < 0x7f ? *at : ' ';
    int32_t outcome = code == KITH_OK && status / 100 == 2     ? KITH_SENT
                      : kith_get_int(result, "unsent", 0) != 0 ? KITH_RETRY
                      : code != KITH_OK                        ? KITH_UNCERTAIN
                      : status == 429 || status == 503         ? KITH_RETRY
                      : status == 401 || status == 403         ? KITH_RETRY
                      : status / 100 == 4 || status / 100 == 3 ? KITH_REJECTED
                                                               : KITH_UNCERTAIN;
    if (status == 401 || status == 403)
        self->host->pause(self->kith, "sms", "the gateway does not take the account or its token");
    self->under_way--;
    tell(self, kith_text(sending->effect), sending->attempt, outcome,
         outcome == KITH_SENT ? "" : detail, retry_after_ms(result));
    free(sending);
}

static bool write_form(const struct self *self, const char *effect, struct kith_doc message,
                       char out[FORM_BYTES])
{
    struct kith_text to = kith_get_text(message, "address"), body = kith_get_text(message, "body");
    const char *sender = strncmp(self->from, "MG", 2) == 0 ? "MessagingServiceSid" : "From";
    char callback[640];
    int size = snprintf(callback, sizeof callback, "%s/v1/sms/status?effect=%s", self->url, effect);
    out[0] = '\0';
    return form_put(out, FORM_BYTES, "To", to.data, to.size) &&
           form_put(out, FORM_BYTES, sender, self->from, strlen(self->from)) &&
           form_put(out, FORM_BYTES, "Body", body.data, body.size) &&
           form_put(out, FORM_BYTES, "StatusCallback", callback, (size_t)size);
}

static void send(void *arg, const struct kith_message *given)
{
    struct self *self = arg;
    struct kith_text body = kith_get_text(given->message, "body");
    struct kith_text api = kith_get_text(self->config, "api");
    struct kith_text account = kith_get_text(self->config, "account");
    size_t count = segments(body.data, body.size);
    char url[640], form[FORM_BYTES];
    struct sending *sending = calloc(1, sizeof *sending);
    if (sending == NULL)
        return; /* nobody speaks of it: uncertain */
    *sending = (struct sending){ .self = self, .attempt = given->attempt };
    snprintf(sending->effect, sizeof sending->effect, "%.*s", (int)given->effect.size,
             given->effect.data);
    snprintf(url, sizeof url, "%.*s/2010-04-01/Accounts/%.*s/Messages.json", (int)api.size,
             api.data, (int)account.size, account.data);
    const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded",
                                    self->credentials, NULL };
    if (body.size == 0 || count > (size_t)self->segments_max ||
        !write_form(self, sending->effect, given->message, form)) {
        tell(self, given->effect, given->attempt, KITH_REJECTED,
             body.size == 0 ? "it has no body" : "it has more segments than segments_max", 0);
        free(sending);
        return;
    }
    struct kith_fetch fetch = { .size = sizeof fetch, .method = "POST", .url = url };
    fetch.headers = headers;
    fetch.body = form;
    fetch.body_size = strlen(form);
    fetch.flags = KITH_FETCH_ONCE;
    if (kith_get_int(self->config, "allow_private", 0) != 0)
        fetch.flags |= KITH_FETCH_PRIVATE;
    int32_t rc = self->host->fetch(self->kith, &fetch, on_sent, sending);
    self->under_way += rc == KITH_OK;
    self->host->count(self->kith, "segments", rc == KITH_OK ? (int64_t)count : 0);
    if (rc != KITH_OK) {
        tell(self, given->effect, given->attempt, KITH_RETRY, "it could not be sent now", 0);
        free(sending);
    }
}

static void status(void *arg, struct kith_channel_status *out)
{
    struct self *self = arg;
    out->window = (size_t)(self->parallel > self->under_way ? self->parallel - self->under_way : 0);
    out->wait_ms = 100;
    out->target = kith_get_text(self->config, "api").data;
}

/* -- In: what both routes have in common ------------------------------------------------------- */

struct visit { /* a request until it is answered */
    struct self *self;
    uint64_t request;
    char *form, *query;
    struct pair pairs[PAIRS_MAX];
    int count;
    char word[16]; /* of an inbound message: "stopped" ... */
    bool is_anonymous;
};

static void leave(struct visit *visit, int code, const char *body)
{
    static const char *const headers[] = { "Content-Type: text/xml", NULL };
    struct kith_reply reply = { .size = sizeof reply, .status = code, .headers = headers };
    reply.body = body;
    reply.body_size = strlen(body);
    visit->self->host->reply(visit->self->kith, visit->request, &reply);
    free(visit->form);
    free(visit->query);
    free(visit);
}

static char *copy(struct kith_text text)
{
    char *made = malloc(text.size + 1);
    if (made != NULL && text.size != 0)
        memcpy(made, text.data, text.size);
    if (made != NULL)
        made[text.size] = '\0';
    return made;
}

static bool is_from_gateway(struct visit *visit, const struct kith_request *request)
{
    struct self *self = visit->self;
    char url[2048], signature[64] = "";
    for (size_t i = 0; i < request->header_count; i++)
        if (request->headers[i].name.size == 18 &&
            strncasecmp(request->headers[i].name.data, "X-Twilio-Signature", 18) == 0)
            snprintf(signature, sizeof signature, "%.*s", (int)request->headers[i].value.size,
                     request->headers[i].value.data);
    int size = snprintf(url, sizeof url, "%s%.*s%s%.*s", self->url, (int)request->path.size,
                        request->path.data, request->query.size != 0 ? "?" : "",
                        (int)request->query.size, request->query.data);
    bool is_whole = (size_t)size < sizeof url && visit->count >= 0;
    for (size_t i = 0; is_whole && i < 2; i++)
        if (self->tokens[i][0] != '\0' &&
            is_signed(self->tokens[i], url, visit->pairs, visit->count, signature))
            return true;
    return false;
}

/* NULL: it has been answered, since it is not the gateway's. */
static struct visit *enter(struct self *self, const struct kith_request *request)
{
    struct visit *visit = calloc(1, sizeof *visit);
    if (visit == NULL)
        return NULL; /* the host answers in a minute */
    visit->self = self;
    visit->request = request->id;
    visit->form = copy((struct kith_text){ request->body, request->body_size });
    visit->query = copy(request->query);
    visit->count = -1;
    if (visit->form != NULL && strlen(visit->form) == request->body_size)
        visit->count = form_read(visit->form, visit->pairs);
    if (visit->query != NULL && is_from_gateway(visit, request))
        return visit;
    self->host->count(self->kith, "forged", 1);
    leave(visit, 403, "<error>the signature is not the gateway's</error>");
    return NULL;
}

static const char *value_of(const struct visit *visit, const char *name)
{
    return form_value(visit->pairs, visit->count, name);
}

static void append(struct visit *visit, const char *type, struct kith_doc data, const char *id,
                   kith_done_fn *done)
{
    char customer[80];
    struct kith_event event = { .size = sizeof event, .type = type, .id = kith_text(id) };
    snprintf(customer, sizeof customer, "phone:%.70s", value_of(visit, "From"));
    event.customer = kith_text(visit->word[0] == '\0' || visit->is_anonymous ? "" : customer);
    event.data = data;
    if (visit->self->host->append(visit->self->kith, &event, done, visit) != KITH_OK)
        leave(visit, 503, "");
}

static bool is_passing(int32_t code)
{
    return code == KITH_BUSY || code == KITH_IO || code == KITH_FAILED;
}

/* -- In: what became of a message -------------------------------------------------------------- */

static void on_told(void *arg, int32_t code, struct kith_doc result)
{
    struct visit *visit = arg;
    (void)result; /* what Kith refuses once it refuses always */
    visit->self->host->count(visit->self->kith, "refused", code != KITH_OK && !is_passing(code));
    leave(visit, is_passing(code) ? 503 : 200, "");
}

static void handle_status(void *arg, const struct kith_request *request)
{
    struct visit *visit = enter(arg, request);
    struct pair query[PAIRS_MAX];
    struct kith_writer w;
    char room[1024], id[160];
    if (visit == NULL)
        return;
    const char *state = value_of(visit, "MessageStatus"), *error = value_of(visit, "ErrorCode");
    bool is_there = strcmp(state, "delivered") == 0;
    if (!is_there && strcmp(state, "undelivered") != 0 && strcmp(state, "failed") != 0) {
        leave(visit, 200, "");
        return;
    }
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "effect", form_value(query, form_read(visit->query, query), "effect"));
    kith_put_string(&w, "address", value_of(visit, "To"));
    kith_put_bool(&w, "hard", strcmp(error, "30005") == 0 || strcmp(error, "30006") == 0);
    kith_put_string(&w, "detail", error);
    snprintf(id, sizeof id, "%.120s:%s", value_of(visit, "MessageSid"), state);
    append(visit, is_there ? "message.delivered" : "message.bounced", kith_end(&w), id, on_told);
}

/* -- In: what people write --------------------------------------------------------------------- */

static void write_down(struct visit *visit);

static void on_suppressed(void *arg, int32_t code, struct kith_doc result)
{
    struct visit *visit = arg;
    (void)result;
    if (code >= 500 || code < 0 || code == 429)
        leave(visit, 503, "");
    else if (strcmp(visit->word, "stopped") == 0)
        write_down(visit);
    else
        leave(visit, 200, "<Response/>");
}

static void suppress(struct visit *visit, const char *state)
{
    struct kith_writer w;
    char room[512];
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "channel", "sms");
    kith_put_string(&w, "value", value_of(visit, "From"));
    kith_put_string(&w, "state", state);
    kith_put_string(&w, "reason", "wrote STOP");
    struct kith_ask ask = { .size = sizeof ask, .method = "PUT", .path = "/v1/suppressions" };
    ask.body = kith_end(&w);
    if (visit->self->host->ask(visit->self->kith, &ask, on_suppressed, visit) != KITH_OK)
        leave(visit, 503, "");
}

static void on_written(void *arg, int32_t code, struct kith_doc result)
{
    struct visit *visit = arg;
    struct kith_text help = kith_get_text(visit->self->config, "help");
    char out[1200] = "<Response/>";
    if (is_passing(code)) {
        leave(visit, 503, "");
    } else if (code != KITH_OK && !visit->is_anonymous) {
        visit->is_anonymous = true; /* nobody, or several, are known by this number */
        write_down(visit);
    } else if (strcmp(visit->word, "started") == 0 && code == KITH_OK &&
               !kith_get_int(result, "duplicate", 0)) {
        suppress(visit, "removed");
    } else {
        if (strcmp(visit->word, "help") == 0 && help.size != 0)
            snprintf(out, sizeof out, "<Response><Message>%.*s</Message></Response>",
                     (int)help.size, help.data);
        leave(visit, 200, out);
    }
}

static void write_down(struct visit *visit)
{
    struct kith_writer w;
    char room[FORM_BYTES], type[32];
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "from", value_of(visit, "From"));
    kith_put_string(&w, "to", value_of(visit, "To"));
    kith_put_string(&w, "body", value_of(visit, "Body"));
    snprintf(type, sizeof type, "sms.%s", visit->word);
    append(visit, type, kith_end(&w), value_of(visit, "MessageSid"), on_written);
}

static const char *word_of(const char *body)
{
    static const char *const words[][2] = {
        { "STOP", "stopped" },   { "STOPALL", "stopped" }, { "UNSUBSCRIBE", "stopped" },
        { "CANCEL", "stopped" }, { "END", "stopped" },     { "QUIT", "stopped" },
        { "START", "started" },  { "YES", "started" },     { "UNSTOP", "started" },
        { "HELP", "help" },      { "INFO", "help" },
    };
    size_t before = strspn(body, " \t\r\n"), size = strcspn(body + before, " \t\r\n.!");
    bool is_alone = body[before + size + strspn(body + before + size, " \t\r\n.!")] == '\0';
    for (size_t i = 0; is_alone && i < sizeof words / sizeof *words; i++)
        if (strlen(words[i][0]) == size && strncasecmp(body + before, words[i][0], size) == 0)
            return words[i][1];
    return "received";
}

static void handle_inbound(void *arg, const struct kith_request *request)
{
    struct visit *visit = enter(arg, request);
    if (visit == NULL)
        return;
    snprintf(visit->word, sizeof visit->word, "%s", word_of(value_of(visit, "Body")));
    if (strcmp(visit->word, "stopped") == 0)
        suppress(visit, "active");
    else
        write_down(visit);
}

/* -- Beginning and end ------------------------------------------------------------------------- */

static void take_text(struct self *self, const char *name, char *out, size_t room)
{
    struct kith_text text = kith_get_text(self->config, name);
    snprintf(out, room, "%.*s", (int)text.size, text.data);
}

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    struct self *self = calloc(1, sizeof *self);
    char account[100], pair[260], tokens[300];
    if (self == NULL)
        return KITH_FAILED;
    *out_self = self;
    self->host = host;
    self->kith = kith;
    if (host->config(kith, &self->config) != KITH_OK)
        return KITH_FAILED;
    take_text(self, "from", self->from, sizeof self->from);
    take_text(self, "url", self->url, sizeof self->url);
    take_text(self, "account", account, sizeof account);
    take_text(self, "token", tokens, sizeof tokens);
    self->parallel = kith_get_int(self->config, "parallel", 16);
    self->segments_max = kith_get_int(self->config, "segments_max", 10);
    snprintf(self->tokens[0], sizeof *self->tokens, "%.*s", (int)strcspn(tokens, "\r\n"), tokens);
    const char *second = tokens + strcspn(tokens, "\r\n");
    second += strspn(second, "\r\n");
    snprintf(self->tokens[1], sizeof *self->tokens, "%.*s", (int)strcspn(second, "\r\n"), second);
    int size = snprintf(pair, sizeof pair, "%s:%s", account, self->tokens[0]);
    size_t used = (size_t)snprintf(self->credentials, 32, "Authorization: Basic ");
    EVP_EncodeBlock((unsigned char *)self->credentials + used, (unsigned char *)pair, size);
    struct kith_text help = kith_get_text(self->config, "help");
    if (help.size > 1000 || memchr(help.data, '&', help.size) || memchr(help.data, '<', help.size))
        return snprintf(reason, 256, "help is at most 1,000 bytes, without & and <"), KITH_INVALID;
    if (self->segments_max < 1 || self->segments_max > 10 || self->parallel < 1)
        return snprintf(reason, 256, "segments_max is 1 to 10, parallel from 1 on"), KITH_INVALID;
    return KITH_OK;
}

static void stop(void *self)
{
    if (self != NULL)
        OPENSSL_cleanse(self, sizeof(struct self));
    free(self);
}

#define FIELD(id, kind, otherwise, says, whether)                            \
    static const struct kith_field id##_field = { .size = sizeof id##_field, \
                                                  .name = #id,               \
                                                  .type = (kind),            \
                                                  .standard = (otherwise),   \
                                                  .about = (says),           \
                                                  .flags = (whether) }
FIELD(account, "text", NULL, "The account at the gateway, its user name",
      KITH_REQUIRED | KITH_OUTSIDE);
FIELD(token, "text", NULL, "The account's token; a second line: the one before it",
      KITH_REQUIRED | KITH_SECRET);
FIELD(from, "text", NULL, "The number that sends, or a messaging service, MG...",
      KITH_REQUIRED | KITH_OUTSIDE);
FIELD(url, "text", NULL, "Where the gateway reaches Kith: https://kith.example.com",
      KITH_REQUIRED | KITH_OUTSIDE);
FIELD(api, "text", "https://api.twilio.com", "The gateway", KITH_OUTSIDE);
FIELD(allow_private, "flag", "false", "Whether the gateway may be in a private network",
      KITH_OUTSIDE);
FIELD(help, "text", NULL, "What HELP is answered; nothing: the gateway does that", KITH_OUTSIDE);
FIELD(segments_max, "whole", "10", "Messages that are longer are rejected, 1 to 10", KITH_OUTSIDE);
FIELD(parallel, "whole", "16", "Messages under way at once", KITH_OUTSIDE);
static const struct kith_field *const fields[] = {
    &account_field, &token_field,         &from_field,         &url_field,      &api_field,
    &help_field,    &allow_private_field, &segments_max_field, &parallel_field, NULL
};

static const struct kith_channel sms = { sizeof sms, "sms", KITH_NEEDS_ADDRESS, 0, send, status };
static const struct kith_channel *const channels[] = { &sms, NULL };
static const char answers[] = "{\"responses\": {\"200\": {\"description\": \"Taken\"}, "
                              "\"403\": {\"description\": \"Not signed by the gateway\"}, "
                              "\"413\": {\"description\": \"Too large\"}, "
                              "\"503\": {\"description\": \"Try again\"}}}";
static const struct kith_route status_route = {
    .size = sizeof status_route,
    .method = "POST",
    .path = "/v1/sms/status",
    .summary = "What became of a message, by the gateway",
    .body_max = FORM_BYTES / 2,
    .openapi = answers,
    .handle = handle_status,
};
static const struct kith_route inbound_route = {
    .size = sizeof inbound_route,
    .method = "POST",
    .path = "/v1/sms/inbound",
    .summary = "A message from somebody, by the gateway",
    .body_max = FORM_BYTES / 2,
    .openapi = answers,
    .handle = handle_inbound,
};
static const struct kith_route *const routes[] = { &status_route, &inbound_route, NULL };
static const char *const needs[] = { "channel", "fetch", "fetch-private", "routes", "append",
                                     "admin",   NULL };
static const struct kith_plugin description = {
    .size = sizeof description,
    .abi = KITH_ABI,
    .name = "sms",
    .version = "1",
    .about = "Messages to telephones, over a gateway that speaks as Twilio does",
    .needs = needs,
    .config = fields,
    .channels = channels,
    .routes = routes,
    .start = start,
    .stop = stop,
};

const struct kith_plugin *kith_describe(void)
{
    return &description;
}
