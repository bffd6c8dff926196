/* arrival.c -- see arrival.h; the documents are written by arrival_event.c. */
#include "arrival.h"

#include "arrival_event.h"
#include "fault.h"
#include "feedback.h"
#include "header.h"
#include "mail.h"
#include "settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX 600
#define ADDRESS_BYTES_MAX (ADDRESS_LOCAL_MAX * 2 + ADDRESS_DOMAIN_MAX + 3) /* quoted */
#define IDENTITY_BYTES_MAX 254 /* of an address that Kith knows somebody by */
#define PATH_BYTES_MAX 2048
#define SHORT_TEXT_MAX 1024 /* when the operator allows only small events */

struct arrival {
    const struct arrival_context *context;
    const struct mail *mail;
    arrival_done_fn *done;
    void *arg;
    struct arrival **place; /* where the caller knows it by */
    const struct lmtp *envelope;
    unsigned index; /* of its recipients: whom this is about */
    const char *recipient;
    struct feedback feedback;
    enum feedback_kind kind; /* about the recipient of our message */
    char effect[64];
    char address[ADDRESS_BYTES_MAX + 1];   /* the sender's, "ann@example.com" */
    char customer[ADDRESS_BYTES_MAX + 24]; /* "42", of a stranger "email:ann@example.com" */
    struct address from;                   /* domain "": there is none */
    const char *proof;
    size_t text_max;
    bool is_shared;   /* others have the sender's address, too */
    bool is_stranger; /* nobody has it: the event makes her known */
};

/* -- The end ----------------------------------------------------------------------------------- */

void arrival_free(struct arrival *arrival)
{
    free(arrival);
}

static void finish(struct arrival *arrival, enum lmtp_answer answer, const char *text)
{
    arrival_done_fn *done = arrival->done;
    void *arg = arrival->arg;
    *arrival->place = NULL;
    free(arrival);
    done(arg, answer, text);
}

static void count(struct arrival *arrival, const char *name)
{
    arrival->context->host->count(arrival->context->kith, name, 1);
}

/* It was in the log before: the same mail has come again. */
static bool is_repeated(struct kith_doc appended)
{
    return kith_get_int(appended, "duplicate", 0) != 0;
}

static void tell(struct arrival *arrival, int32_t level, const char *what, const char *why)
{
    char line[LINE_MAX];
    snprintf(line, sizeof line, "mail to %.330s: %s%.200s", arrival->recipient, what, why);
    arrival->context->host->log(arrival->context->kith, level, line);
}

/* Taken, and nothing comes of it. */
static void drop(struct arrival *arrival, const char *counter, const char *what, const char *why)
{
    tell(arrival, KITH_WARNING, what, why);
    count(arrival, counter);
    finish(arrival, LMTP_ACCEPT, "Taken, and nothing comes of it");
}

static void ignore(struct arrival *arrival, const char *why)
{
    tell(arrival, KITH_INFO, "", why);
    count(arrival, "ignored");
    finish(arrival, LMTP_ACCEPT, "Taken, and nobody reads it");
}

static void come_again(struct arrival *arrival)
{
    count(arrival, "deferred");
    finish(arrival, LMTP_LATER, NULL);
}

/* -- email.received ---------------------------------------------------------------------------- */

static void append_received(struct arrival *arrival);

static void on_received(void *arg, int32_t status, struct kith_doc result)
{
    struct arrival *arrival = arg;
    char why[LINE_MAX];
    struct kith_text error = kith_get_text(result, "error");
    if (status == KITH_OK) {
        if (!is_repeated(result))
            count(arrival, "received");
        finish(arrival, LMTP_ACCEPT, NULL);
        return;
    }
    if (status == KITH_LIMIT && arrival->text_max > SHORT_TEXT_MAX) {
        arrival->text_max = SHORT_TEXT_MAX;
        append_received(arrival);
        return;
    }
    snprintf(why, sizeof why, "%.*s", (int)error.size, error.data);
    if (status == KITH_BUSY || status == KITH_IO || status == KITH_FAILED)
        come_again(arrival);
    else
        drop(arrival, "not_taken", "it was not taken: ", why);
}

/* All that there is of somebody new, beside her address. */
static struct kith_doc traits_of(const struct arrival *arrival, char *room, size_t size)
{
    struct kith_writer w;
    kith_begin(&w, room, size);
    if (arrival->from.name[0] != '\0')
        kith_put_string(&w, "name", arrival->from.name);
    return kith_end(&w);
}

static void append_received(struct arrival *arrival)
{
    const struct arrival_context *context = arrival->context;
    char room[sizeof arrival->from.name + 64];
    struct arrival_received received = {
        .mail = arrival->mail,
        .from = &arrival->from,
        .settings = context->settings,
        .envelope = arrival->envelope,
        .index = arrival->index,
        .effect = arrival->effect,
        .proof = arrival->proof,
        .text_max = arrival->text_max,
        .is_shared = arrival->is_shared,
        .is_list = arrival->feedback.is_list,
    };
    struct arrival_event event;
    if (!arrival_write_received(&received, &event)) {
        come_again(arrival);
        return;
    }
    event.event.customer = kith_text(arrival->customer);
    event.event.creates = arrival->is_stranger;
    if (arrival->is_stranger)
        event.event.traits = traits_of(arrival, room, sizeof room);
    int32_t code = context->host->append(context->kith, &event.event, on_received, arrival);
    arrival_event_deinit(&event);
    if (code != KITH_OK)
        come_again(arrival);
}

/* -- Who wrote --------------------------------------------------------------------------------- */

static void read_from(struct arrival *arrival)
{
    struct span value;
    struct address list[4];
    size_t found = 0;
    struct fault fault;
    bool is_there = header_find(arrival->mail->header, "From", &value);
    memset(&arrival->from, 0, sizeof arrival->from);
    if (is_there && address_list_parse(value, list, 4, &found, &fault) == 0 && found > 0)
        arrival->from = list[0];
}

static bool name_sender(struct arrival *arrival)
{
    struct bytes spec;
    bytes_init(&spec, ADDRESS_BYTES_MAX);
    address_spec(&arrival->from, &spec);
    bool is_named = spec.failed == 0 && arrival->from.domain[0] != '\0';
    if (is_named)
        snprintf(arrival->address, sizeof arrival->address, "%.*s", (int)spec.size, spec.data);
    bytes_deinit(&spec);
    return is_named;
}

static void refuse_stranger(struct arrival *arrival)
{
    count(arrival, "refused");
    finish(arrival, LMTP_REFUSE, "Nobody here knows the sender");
}

/* Who is made known by the mail itself has it, or nobody has come; and one that comes again brings
 * nobody back who has been erased since. */
static void take_in(struct arrival *arrival)
{
    if (strlen(arrival->address) > IDENTITY_BYTES_MAX) {
        refuse_stranger(arrival);
        return;
    }
    arrival->is_stranger = true;
    snprintf(arrival->customer, sizeof arrival->customer, "email:%s", arrival->address);
    append_received(arrival);
}

/* By the number, for the address may be somebody else's, too, when the event is applied. */
static void append_of(struct arrival *arrival, int64_t customer)
{
    snprintf(arrival->customer, sizeof arrival->customer, "%" PRId64, customer);
    append_received(arrival);
}

static void on_holders(void *arg, int32_t status, struct kith_doc result)
{
    struct arrival *arrival = arg;
    int64_t oldest = status == 200 ? arrival_oldest(result, arrival->address) : 0;
    arrival->is_shared = oldest != 0;
    if (oldest != 0)
        append_of(arrival, oldest);
    else if (status == 200 && arrival->context->settings->takes_strangers)
        take_in(arrival);
    else if (status == 200 || status == 400)
        refuse_stranger(arrival);
    else
        come_again(arrival);
}

/* Not one customer has the address: nobody, or several. */
static void ask_holders(struct arrival *arrival)
{
    const struct arrival_context *context = arrival->context;
    char path[PATH_BYTES_MAX];
    arrival_search_path(arrival->address, path, sizeof path);
    const struct kith_ask ask = { .size = sizeof ask, .method = "GET", .path = path };
    if (context->host->ask(context->kith, &ask, on_holders, arrival) != KITH_OK)
        come_again(arrival);
}

static void on_sender(void *arg, int32_t status, struct kith_doc result)
{
    struct arrival *arrival = arg;
    int64_t customer = kith_get_int(result, "id", 0);
    if (status == 200 && customer != 0)
        append_of(arrival, customer);
    else if (status == 404 || status == 400)
        ask_holders(arrival);
    else
        come_again(arrival);
}

static void ask_sender(struct arrival *arrival)
{
    const struct arrival_context *context = arrival->context;
    char path[PATH_BYTES_MAX], reference[sizeof arrival->customer];
    if (!name_sender(arrival)) {
        refuse_stranger(arrival);
        return;
    }
    arrival->proof = "sender";
    snprintf(reference, sizeof reference, "email:%s", arrival->address);
    arrival_customer_path(reference, path, sizeof path);
    const struct kith_ask ask = { .size = sizeof ask, .method = "GET", .path = path };
    if (context->host->ask(context->kith, &ask, on_sender, arrival) != KITH_OK)
        come_again(arrival);
}

/* -- What became of a message ------------------------------------------------------------------ */

static const struct {
    const char *type, *counter;
    bool is_hard;
} kinds[] = {
    [FEEDBACK_BOUNCED] = { "message.bounced", "bounced", true },
    [FEEDBACK_DEFERRED] = { "message.bounced", "bounced_soft", false },
    [FEEDBACK_DELIVERED] = { "message.delivered", "delivered", false },
    [FEEDBACK_COMPLAINED] = { "message.complained", "complained", false },
    [FEEDBACK_REPLIED] = { "message.replied", "replied", false },
};

static void on_feedback(void *arg, int32_t status, struct kith_doc result)
{
    struct arrival *arrival = arg;
    char why[LINE_MAX];
    struct kith_text error = kith_get_text(result, "error");
    snprintf(why, sizeof why, "%.*s", (int)error.size, error.data);
    if (status == KITH_OK && !is_repeated(result))
        count(arrival, kinds[arrival->kind].counter);
    if (status == KITH_BUSY || status == KITH_IO || status == KITH_FAILED)
        come_again(arrival);
    else if (status == KITH_OK && arrival->kind == FEEDBACK_REPLIED)
        append_received(arrival);
    else if (status == KITH_OK)
        finish(arrival, LMTP_ACCEPT, NULL);
    else
        drop(arrival, "not_taken", "it was not taken: ", why);
}

static void append_feedback(struct arrival *arrival, const char *diagnostic,
                            struct kith_text address)
{
    const struct arrival_context *context = arrival->context;
    char room[2048], id[128];
    struct kith_writer w;
    enum feedback_kind kind = arrival->kind;
    snprintf(id, sizeof id, "%s:%s", kinds[kind].counter, arrival->effect);
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "effect", arrival->effect);
    kith_put_text(&w, "address", address);
    if (kind == FEEDBACK_BOUNCED || kind == FEEDBACK_DEFERRED)
        kith_put_bool(&w, "hard", kinds[kind].is_hard);
    if (kind == FEEDBACK_COMPLAINED)
        kith_put_string(&w, "detail", arrival->feedback.complaint);
    else if (diagnostic[0] != '\0')
        kith_put_string(&w, "detail", diagnostic);
    const struct kith_event event = {
        .size = sizeof event,
        .type = kinds[kind].type,
        .id = kith_text(id),
        .data = kith_end(&w),
    };
    if (context->host->append(context->kith, &event, on_feedback, arrival) != KITH_OK)
        come_again(arrival);
}

/* Still on its way, or nothing that anybody can read: nobody is told. */
static bool is_told(enum feedback_kind kind)
{
    return kind != FEEDBACK_OTHER && kind != FEEDBACK_DELAYED && kind != FEEDBACK_AUTO_REPLY;
}

/* The effect is known: does the mail speak of whom it went to? */
static void judge(struct arrival *arrival, struct kith_doc effect)
{
    struct kith_text text = kith_get_text(kith_get_doc(effect, "message"), "address");
    struct feedback_effect known = { .sent_s = kith_get_int(effect, "expires", 0) / 1000 };
    struct fault fault;
    struct feedback_recipient recipient = { .kind = FEEDBACK_OTHER };
    enum feedback_verdict verdict = FEEDBACK_ANOTHER_RECIPIENT;
    if (address_parse((struct span){ text.data, text.size }, &known.recipient, &fault) == 0)
        verdict = feedback_judge(&arrival->feedback, &known, &recipient);
    if (verdict != FEEDBACK_BELIEVED) {
        drop(arrival, "not_believed", "not believed: ", feedback_verdict_text(verdict));
        return;
    }
    arrival->kind = recipient.kind;
    int64_t customer = kith_get_int(effect, "customer", 0);
    snprintf(arrival->customer, sizeof arrival->customer, "%" PRId64, customer);
    if (arrival->kind == FEEDBACK_REPLIED && customer == 0)
        ask_sender(arrival); /* it answers what went to a member of staff */
    else if (is_told(arrival->kind))
        append_feedback(arrival, recipient.diagnostic, text);
    else
        ignore(arrival, "a report that says nothing final");
}

static void on_effect(void *arg, int32_t status, struct kith_doc result)
{
    struct arrival *arrival = arg;
    if (status == 200)
        judge(arrival, result);
    else if (status == 404)
        drop(arrival, "not_believed", "not believed: ", "the message is not known any more");
    else
        come_again(arrival);
}

static void ask_effect(struct arrival *arrival)
{
    const struct arrival_context *context = arrival->context;
    const struct verp_effect *effect = &arrival->feedback.effect;
    char path[128];
    snprintf(arrival->effect, sizeof arrival->effect, "%" PRIu64 ".%" PRIu32, effect->seq,
             effect->n);
    snprintf(path, sizeof path, "/v1/effects/%s", arrival->effect);
    arrival->proof = arrival->feedback.proof == FEEDBACK_RETURN_PATH ? "return_path" : "message_id";
    const struct kith_ask ask = { .size = sizeof ask, .method = "GET", .path = path };
    if (context->host->ask(context->kith, &ask, on_effect, arrival) != KITH_OK)
        come_again(arrival);
}

/* -- The beginning ----------------------------------------------------------------------------- */

static bool is_inbox(const struct arrival_context *context, struct span recipient)
{
    struct address address;
    struct fault fault;
    return address_parse(recipient, &address, &fault) == 0 &&
           settings_is_inbox(context->settings, &address);
}

static enum verp_verdict read_return_path(const struct arrival_context *context,
                                          struct span recipient)
{
    struct verp_effect effect;
    return verp_read(context->settings->verp_key, context->settings->return_domain, recipient,
                     context->host->now(context->kith) / 1000, &effect);
}

enum lmtp_answer arrival_recipient(const struct arrival_context *context, struct span recipient,
                                   const char **out_text)
{
    enum verp_verdict verdict = read_return_path(context, recipient);
    if (verdict == VERP_VALID || verdict == VERP_STALE ||
        (verdict == VERP_NOT_OURS && is_inbox(context, recipient)))
        return LMTP_ACCEPT;
    context->host->count(context->kith, "refused", 1);
    *out_text = verdict == VERP_FORGED ? "No return path of ours" : "Nobody reads this address";
    return LMTP_REFUSE;
}

static void begin(struct arrival *arrival)
{
    const struct feedback *feedback = &arrival->feedback;
    bool is_report = feedback->kind != FEEDBACK_OTHER && feedback->kind != FEEDBACK_AUTO_REPLY;
    if (feedback->kind == FEEDBACK_AUTO_REPLY) {
        ignore(arrival, "an automatic answer");
    } else if (is_report && feedback->verdict == VERP_VALID) {
        ask_effect(arrival);
    } else if (is_report) {
        enum feedback_verdict verdict =
            feedback_judge(feedback, &(struct feedback_effect){ .sent_s = 0 }, NULL);
        drop(arrival, "not_believed", "not believed: ", feedback_verdict_text(verdict));
    } else if (is_inbox(arrival->context, span_of(arrival->recipient))) {
        ask_sender(arrival);
    } else {
        drop(arrival, "ignored", "", "no report, and nobody writes to a return path");
    }
}

void arrival_begin(const struct arrival_context *context, const struct mail *mail,
                   const struct lmtp *envelope, unsigned index, arrival_done_fn *done, void *arg,
                   struct arrival **io_arrival)
{
    struct arrival *arrival = calloc(1, sizeof *arrival);
    if (arrival == NULL) {
        done(arg, LMTP_LATER, NULL);
        return;
    }
    const struct feedback_context known = {
        .key = context->settings->verp_key,
        .domain = context->settings->return_domain,
        .sender = span_of(envelope->sender),
        .recipient = span_of(envelope->recipients[index]),
        .now_s = context->host->now(context->kith) / 1000,
        .report_s = context->settings->report_s,
    };
    arrival->context = context;
    arrival->mail = mail;
    arrival->done = done;
    arrival->arg = arg;
    arrival->place = io_arrival;
    *io_arrival = arrival;
    arrival->text_max = ARRIVAL_TEXT_MAX;
    arrival->proof = "none";
    arrival->envelope = envelope;
    arrival->index = index;
    arrival->recipient = envelope->recipients[index];
    feedback_read(mail, &known, &arrival->feedback);
    arrival->kind = arrival->feedback.kind;
    read_from(arrival);
    begin(arrival);
}
