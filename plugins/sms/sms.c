/* sms.c -- messages to telephones, over a gateway that speaks as Twilio does.
 *
 *     out     POST ACCOUNT/Messages.json          To, From, Body, StatusCallback
 *     back    POST /v1/sms/status/EFFECT          its receipts: message.delivered, message.bounced
 *     in      POST /v1/sms/inbound                STOP: message.unsubscribed
 *                                                 START: message.resubscribed
 *                                                 anything else: sms.received
 *
 * The gateway drops no repeated message, so one without an answer is uncertain: a person decides,
 * and nobody gets two.  What comes back is believed by its signature alone, which covers the URL
 * and with it the effect; it is answered when it is in the log, and comes again until then.
 */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>

#define FORM_BYTES 8192    /* of a message of 10 segments, and of a request with one */
#define UNSUBSCRIBED 21610 /* the gateway's own list has the number: somebody said STOP to it */

struct sms {
    const struct kith_host *host;
    struct kith *kith;
    struct kith_doc config;
};

static const char *setting(const struct sms *sms, const char *name)
{
    return kith_get_string(sms->config, name);
}

/* The event of whoever has the number. */
static void append(struct sms *sms, const char *number, struct kith_event event)
{
    char customer[80];
    snprintf(customer, sizeof customer, "phone:%.70s", number);
    event.size = sizeof event;
    event.customer = kith_text(customer);
    sms->host->append(sms->kith, &event, NULL, NULL);
}

/* -- Out --------------------------------------------------------------------------------------- */

static void note_unsubscribed(struct sms *sms, const char *address)
{
    char room[256];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "channel", "sms");
    kith_put_string(&w, "address", address);
    kith_put_int(&w, "detail", UNSUBSCRIBED);
    append(sms, address,
           (struct kith_event){ .type = "message.unsubscribed", .data = kith_end(&w) });
}

static void on_sent(void *self, int32_t code, struct kith_doc result)
{
    struct sms *sms = self;
    int64_t status = kith_get_int(result, "status", 0);
    struct kith_value body = kith_get(result, "body");
    struct kith_doc answer = { NULL, 0 };
    if (status == 401 || status == 403)
        sms->host->pause(sms->kith, "sms", "the gateway does not take the account or its token");
    kith_deliver_result(sms->host, sms->kith, code, result);
    if (status == 400 && body.type == KITH_BINARY)
        sms->host->from_json(sms->kith, (struct kith_text){ body.as.bytes, body.size }, &answer);
    if (kith_get_int(answer, "code", 0) == UNSUBSCRIBED)
        note_unsubscribed(sms, kith_get_string(kith_get_doc(result, "message"), "address"));
}

static int32_t post(struct sms *sms, const struct kith_message *given)
{
    char room[FORM_BYTES], url[640], callback[640], credentials[640];
    const char *account = setting(sms, "account"), *from = setting(sms, "from");
    bool is_private = kith_get_int(sms->config, "allow_private", 0) != 0;
    struct kith_writer w;
    snprintf(url, sizeof url, "%s/2010-04-01/Accounts/%s/Messages.json", setting(sms, "api"),
             account);
    snprintf(callback, sizeof callback, "%s/v1/sms/status/%.*s", setting(sms, "url"),
             (int)given->effect.size, given->effect.data);
    snprintf(credentials, sizeof credentials, "%s:%s", account,
             kith_get_string(kith_get_doc(sms->config, "token"), "0"));
    kith_begin(&w, room, sizeof room);
    kith_put_text(&w, "To", kith_get_text(given->message, "address"));
    kith_put_string(&w, strncmp(from, "MG", 2) == 0 ? "MessagingServiceSid" : "From", from);
    kith_put_text(&w, "Body", kith_get_text(given->message, "body"));
    kith_put_string(&w, "StatusCallback", callback);
    const struct kith_fetch fetch = {
        .size = sizeof fetch,
        .method = "POST",
        .url = url,
        .form = kith_end(&w),
        .flags = KITH_FETCH_ONCE | (is_private ? KITH_FETCH_PRIVATE : 0),
        .credentials = credentials,
        .effect = given->effect,
        .attempt = given->attempt,
        .message = given->message,
    };
    return sms->host->fetch(sms->kith, &fetch, on_sent, sms);
}

static void send(void *self, const struct kith_message *given)
{
    struct sms *sms = self;
    struct kith_text body = kith_get_text(given->message, "body");
    int64_t segments = text_segments(body);
    if (body.size == 0 || segments > kith_get_int(sms->config, "segments_max", 0))
        kith_deliver(sms->host, sms->kith, given->effect, given->attempt, KITH_REJECTED,
                     "it has no body, or more segments than segments_max", 0);
    else if (post(sms, given) != KITH_OK)
        kith_deliver(sms->host, sms->kith, given->effect, given->attempt, KITH_RETRY,
                     "it could not be sent now", 0);
    else
        sms->host->count(sms->kith, "segments", segments);
}

/* -- In ---------------------------------------------------------------------------------------- */

struct call {
    struct kith_doc form;
    const char *number;      /* the other side's */
    char id[KITH_HMAC_SIZE]; /* what it is known again by: a print of all that was signed */
};

/* With the token, over the URL and, sorted, each name and its value, with nothing between them:
 * the same text may be cut into other fields, and is the same request. */
static bool is_signed(struct sms *sms, const struct kith_request *request, struct call *call)
{
    char text[2 * FORM_BYTES];
    size_t used = (size_t)snprintf(text, sizeof text, "%s%.*s", setting(sms, "url"),
                                   (int)request->path.size, request->path.data);
    for (struct kith_iter it = kith_iter(call->form); used < sizeof text && kith_next(&it);)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", it.name.data,
                                 kith_as_text(&it.value).data);
    struct kith_text whole = { text, used };
    return used < sizeof text &&
           kith_is_signed(sms->host, sms->kith, "sha1-base64", kith_get_doc(sms->config, "token"),
                          whole, kith_header(request, "X-Twilio-Signature")) &&
           sms->host->hmac(sms->kith, "sha256-hex", kith_text("kith"), whole, call->id) == KITH_OK;
}

/* `number` is the field of it.  False: it is not the gateway's, and has been answered. */
static bool enter(struct sms *sms, const struct kith_request *request, const char *number,
                  struct call *call)
{
    struct kith_text body = { request->body, request->body_size };
    if (sms->host->from_form(sms->kith, body, &call->form) == KITH_OK &&
        is_signed(sms, request, call) && kith_get_text(call->form, number).size != 0 &&
        kith_get_text(call->form, "To").size != 0 &&
        kith_get_text(call->form, "MessageSid").size != 0) {
        call->number = kith_get_string(call->form, number);
        return true;
    }
    sms->host->count(sms->kith, "forged", 1);
    kith_answer(sms->host, sms->kith, request->id, 403, "text/plain", "not signed by the gateway");
    return false;
}

/* The event answers the request when it is in the log. */
static void leave(struct sms *sms, const struct kith_request *request, const struct call *call,
                  const char *type, struct kith_writer *w)
{
    kith_put_string(w, "address", call->number);
    kith_put_text(w, "sid", kith_get_text(call->form, "MessageSid"));
    append(
        sms, call->number,
        (struct kith_event){
            .type = type, .id = kith_text(call->id), .data = kith_end(w), .request = request->id });
}

static void handle_status(void *self, const struct kith_request *request)
{
    struct sms *sms = self;
    char room[2 * FORM_BYTES];
    struct call call;
    struct kith_writer w;
    if (!enter(sms, request, "To", &call))
        return;
    const char *state = kith_get_string(call.form, "MessageStatus");
    const char *error = kith_get_string(call.form, "ErrorCode");
    bool is_there = strcmp(state, "delivered") == 0;
    if (!is_there && strcmp(state, "undelivered") != 0 && strcmp(state, "failed") != 0) {
        kith_answer(sms->host, sms->kith, request->id, 200, "text/plain", "it is under way");
        return;
    }
    kith_begin(&w, room, sizeof room);
    kith_put_text(&w, "effect", kith_param(request, "effect"));
    kith_put_bool(&w, "hard", strcmp(error, "30005") == 0 || strcmp(error, "30006") == 0);
    kith_put_string(&w, "detail", error);
    leave(sms, request, &call, is_there ? "message.delivered" : "message.bounced", &w);
}

static const char *type_of(const struct sms *sms, struct kith_text body)
{
    if (text_is_among(body, kith_get_doc(sms->config, "stop_words")))
        return "message.unsubscribed";
    return text_is_among(body, kith_get_doc(sms->config, "start_words")) ? "message.resubscribed"
                                                                         : "sms.received";
}

/* Pictures: MediaUrl0 and so on. */
static void put_media(struct kith_writer *w, struct kith_doc form)
{
    kith_open_array(w, "media");
    for (struct kith_iter it = kith_iter(form); kith_next(&it);)
        if (strncmp(it.name.data, "MediaUrl", 8) == 0)
            kith_put(w, NULL, &it.value);
    kith_close(w);
}

static void handle_inbound(void *self, const struct kith_request *request)
{
    char room[2 * FORM_BYTES];
    struct call call;
    struct kith_writer w;
    if (!enter(self, request, "From", &call))
        return;
    struct kith_text body = kith_get_text(call.form, "Body");
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "channel", "sms");
    kith_put_text(&w, "to", kith_get_text(call.form, "To"));
    kith_put_text(&w, "body", body);
    if (kith_get_text(call.form, "MediaUrl0").size != 0)
        put_media(&w, call.form);
    leave(self, request, &call, type_of(self, body), &w);
}

/* -- What it is -------------------------------------------------------------------------------- */

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    struct sms *sms = *out_self = calloc(1, sizeof *sms);
    if (sms == NULL) {
        snprintf(reason, 256, "memory is short");
        return KITH_FAILED;
    }
    sms->host = host;
    sms->kith = kith;
    return host->config(kith, &sms->config);
}

static void reread(void *self)
{
    struct sms *sms = self;
    sms->host->config(sms->kith, &sms->config);
}

/* What carriers and gateways ask for, in English, German, Dutch, the languages of Scandinavia,
 * French, Spanish, Portuguese, Italian and Chinese. */
#define STOP_WORDS                                                                               \
    "{ \"STOP\", \"STOPALL\", \"UNSUBSCRIBE\", \"CANCEL\", \"END\", \"QUIT\", \"REVOKE\", "      \
    "\"OPTOUT\", \"STOPP\", \"AFMELDEN\", \"AVSLUTA\", \"ARRET\", \"ARRÊT\", \"ALTO\", "        \
    "\"BAJA\", \"PARAR\", \"SAIR\", \"ANNULLA\", \"T\", \"TD\", \"R\", \"退订\", \"退訂\", " \
    "\"拒收\", \"取消订阅\", \"取消訂閱\" }"

static const struct kith_field *const config[] = {
    KITH_ITEM(field, .name = "account", .type = "text", .flags = KITH_REQUIRED | KITH_OUTSIDE,
              .about = "The account at the gateway, its user name"),
    KITH_ITEM(field, .name = "token", .type = "list", .flags = KITH_REQUIRED | KITH_SECRET,
              .about = "The account's token; a second line: the one before it"),
    KITH_ITEM(field, .name = "from", .type = "text", .flags = KITH_REQUIRED | KITH_OUTSIDE,
              .about = "The number that sends, or a messaging service, MG..."),
    KITH_ITEM(field, .name = "url", .type = "text", .flags = KITH_REQUIRED | KITH_OUTSIDE,
              .about = "Where the gateway reaches Kith: https://kith.example.com"),
    KITH_ITEM(field, .name = "api", .type = "text", .flags = KITH_OUTSIDE,
              .standard = "https://api.twilio.com", .about = "The gateway"),
    KITH_ITEM(field, .name = "allow_private", .type = "flag", .flags = KITH_OUTSIDE,
              .standard = "false", .about = "Whether the gateway may be in a private network"),
    KITH_ITEM(field, .name = "segments_max", .type = "whole", .flags = KITH_OUTSIDE,
              .standard = "10", .least = 1, .most = 10, .about = "Longer ones are rejected"),
    KITH_ITEM(field, .name = "stop_words", .type = "list", .flags = KITH_OUTSIDE,
              .standard = STOP_WORDS, .about = "A message of one of these alone unsubscribes"),
    KITH_ITEM(field, .name = "start_words", .type = "list", .flags = KITH_OUTSIDE,
              .standard = "{ \"START\", \"UNSTOP\" }", .about = "One of these takes it back"),
    NULL,
};
static const struct kith_channel *const channels[] = {
    KITH_ITEM(channel, .name = "sms", .flags = KITH_NEEDS_ADDRESS, .send = send), NULL
};
static const struct kith_route *const routes[] = {
    KITH_ITEM(route, .method = "POST", .path = "/v1/sms/status/{effect}", .handle = handle_status,
              .body_max = FORM_BYTES, .summary = "What became of a message, by the gateway"),
    KITH_ITEM(route, .method = "POST", .path = "/v1/sms/inbound", .handle = handle_inbound,
              .body_max = FORM_BYTES, .summary = "A message from somebody, by the gateway"),
    NULL,
};

static const struct kith_plugin *const plugin = KITH_ITEM(
    plugin, .abi = KITH_ABI, .name = "sms", .version = "2",
    .about = "Messages to telephones, over a gateway that speaks as Twilio does",
    .needs = KITH_NAMES("append", "channel", "fetch", "fetch-private", "routes"), .config = config,
    .channels = channels, .routes = routes, .start = start, .stop = free, .reread = reread);

const struct kith_plugin *kith_describe(void)
{
    return plugin;
}
