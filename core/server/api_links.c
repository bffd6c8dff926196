/* api_links.c -- signed links: made by staff, and followed by whoever has one.
 *
 *     GET   a page with a button.  Nothing changes, so whatever follows the links of a message
 *           before a person does (scanners of mail, previews) does no harm.
 *     POST  what the link says is appended, once: it is looked up first, so a link that is POSTed
 *           for ever does not fill the log.
 *
 * An event or a consent counts once and for ever, by the id that is made of the link: the link of
 * an old message must not grant anew what was withdrawn since.  A withdrawal is the other way
 * round: it holds whenever it is POSTed, as often as it is, and is only not written when it would
 * change nothing.
 *
 * A link has expired when the wall clock says so or the log does: a clock that is set back makes
 * none valid again.
 */
#include "core/base/limits.h"
#include "core/engine/link_terms.h"
#include "core/engine/read.h"
#include "core/http/http.h"
#include "core/script/settings.h"
#include "core/server/api_command.h"
#include "core/server/link.h"
#include "core/server/node.h"
#include "core/server/page.h"
#include "core/server/submission.h"

#include <sodium.h>
#include <stdio.h>

#define BODY_MAX (16u << 10)
#define NONCE_BYTES 12
#define SOURCE "link" /* of the entries */

/* -- Following: what it says ------------------------------------------------------------------- */

struct following {
    struct link link;
    char id[LINK_ID_SIZE];
    struct text number; /* of the customer, as text */
    bool is_known;      /* the customer */
    bool is_done;       /* what it says has been done */
};

static void answer(struct call *call, const char *heading, int status, struct text sentence)
{
    struct page_text text = { .heading = heading, .sentence = sentence };
    if (page_is_wanted(call) || status < 300)
        page_reply(call, status, &text);
    else
        call_problem(call, status, "%.*s", (int)sentence.size, sentence.data);
}

static void refuse(struct call *call, const char *heading, int status, const char *sentence)
{
    answer(call, heading, status, text_of(sentence));
}

static int64_t now_ms(const struct call *call)
{
    struct clock clock = call->api->clock;
    int64_t wall = clock.wall_ms(clock.arg), logged;
    uint64_t seq;
    log_end(node_log(call->api->node), &seq, &logged);
    return wall > logged ? wall : logged;
}

static void look(struct engine *engine, struct call *call)
{
    struct following *following = call->data;
    const struct link *link = &following->link;
    following->is_known = read_exists(engine, following->number, NULL) == 0;
    following->is_done =
        link->kind == LINK_WITHDRAW
            ? read_is_withdrawn(engine, link->customer, link->purpose, link->channel)
            : read_is_known(engine, link->customer, text_of(SOURCE), text_of(following->id));
}

/* Look whether anybody has the link of the path, if it is of this path's kind, and go on; it lies
 * in call->out.  Else it is answered. */
static void follow(struct call *call, bool is_withdrawal, void (*then)(struct call *call))
{
    struct following *following = arena_zero(&call->arena, sizeof *following);
    struct link *link = &following->link;
    struct err err;
    call->data = following;
    int rc = link_open(call->api->links, call_param(call, "token"), &call->out, link, &err);
    if (rc != 0) {
        refuse(call, "Not a link of ours", 404, err.text);
    } else if ((link->kind == LINK_WITHDRAW) != is_withdrawal) {
        refuse(call, "Not a link of ours", 404, "this link leads somewhere else: take it as it is");
    } else if (link->expires <= now_ms(call)) {
        refuse(call, "This link has expired", 410,
               "it was valid for a while only: please ask us for a new one, or tell us directly");
    } else {
        link_id(link, following->id);
        following->number = arena_printf(&call->arena, "%llu", (unsigned long long)link->customer);
        call_ask(call, look, then);
    }
}

/* She was erased: also the words of its page, which she may be named in, are nobody's to read. */
static void refuse_unknown(struct call *call)
{
    refuse(call, "This link is not valid any more", 410, "we do not have you in our files");
}

/* -- GET --------------------------------------------------------------------------------------- */

static void show(struct call *call)
{
    const struct following *following = call->data;
    const struct link *link = &following->link;
    struct page_text text = { .heading = "Please confirm", .button = "Confirm" };
    if (link->title.size != 0)
        text.sentence = link->title;
    else if (link->kind == LINK_EVENT)
        text.sentence = link->type;
    else
        text.sentence =
            arena_printf(&call->arena, "%.*s (%.*s)", (int)link->purpose.size, link->purpose.data,
                         (int)link->channel.size, link->channel.data);
    text.sentence = arena_text(&call->arena, text.sentence);
    if (link->kind == LINK_WITHDRAW) {
        text.heading = "Unsubscribe";
        text.button = "Unsubscribe";
        text.name = "List-Unsubscribe";
        text.value = "One-Click";
    }
    page_reply(call, 200, &text);
}

static void have_looked_at(struct call *call)
{
    const struct following *following = call->data;
    if (following->is_known)
        show(call);
    else
        refuse_unknown(call);
}

static void show_link(struct call *call)
{
    follow(call, false, have_looked_at);
}

static void show_unsubscribe(struct call *call)
{
    follow(call, true, have_looked_at);
}

/* -- POST -------------------------------------------------------------------------------------- */

static void answer_done(struct call *call)
{
    const struct following *following = call->data;
    bool is_withdrawal = following->link.kind == LINK_WITHDRAW;
    answer(call, is_withdrawal ? "You are unsubscribed" : "Thank you", 200,
           text_of(is_withdrawal ? "You will not get this any more." : "We have got it."));
}

static void written(struct call *call, const struct submission *submission)
{
    if (submission->result.status == ENGINE_REFUSED && submission->result.code == E_NOTFOUND)
        refuse_unknown(call); /* between the look and the entry */
    else if (submission->result.status == ENGINE_REFUSED)
        refuse(call, "That was not possible", 409, submission->result.reason);
    else
        answer_done(call);
}

static void put_consent(struct doc_writer *w, const struct following *following)
{
    const struct link *link = &following->link;
    char proof[sizeof SOURCE + 1 + NAME_BYTES_MAX];
    snprintf(proof, sizeof proof, SOURCE " %.*s", (int)link->nonce.size, link->nonce.data);
    doc_open(w, "data");
    doc_put_text(w, "purpose", link->purpose);
    doc_put_text(w, "channel", link->channel);
    doc_put_string(w, "state", link->kind == LINK_CONSENT ? "granted" : "withdrawn");
    doc_put_string(w, "proof", proof);
    doc_close(w);
}

static void append(struct call *call)
{
    struct following *following = call->data;
    const struct link *link = &following->link;
    struct submission *submission = submission_new(LOG_STAFF);
    struct doc_writer w;
    submission->starts_clock = true;
    submission->wants_applied = true;
    submission_begin(submission, &w);
    if (link->kind != LINK_WITHDRAW) {
        doc_put_string(&w, "id", following->id);
        doc_put_bool(&w, "forever", true);
    }
    if (link->kind == LINK_EVENT)
        doc_put_text(&w, "type", link->type);
    else
        doc_put_string(&w, "type", "consent.changed");
    doc_put_text(&w, "ref", following->number);
    doc_put_string(&w, "source", SOURCE);
    doc_put_string(&w, "by", SOURCE);
    if (link->kind != LINK_EVENT)
        put_consent(&w, following);
    else if (link->data.data != NULL)
        doc_put_doc(&w, "data", link->data);
    submission_end(submission, &w);
    call_submit(call, submission, written);
}

static void have_looked(struct call *call)
{
    const struct following *following = call->data;
    if (!following->is_known)
        refuse_unknown(call);
    else if (following->is_done)
        answer_done(call);
    else
        append(call);
}

static void post_link(struct call *call)
{
    follow(call, false, have_looked);
}

static void post_unsubscribe(struct call *call)
{
    follow(call, true, have_looked);
}

/* -- Making ------------------------------------------------------------------------------------ */

struct making {
    struct link link;
    struct text customer; /* as it is called */
    struct doc_value expires;
    int code, time_code, terms_code;
    struct err err;
};

static const struct field fields[] = {
    { "customer", FIELD_CUSTOMER, true },
    { "event", FIELD_NAME, false },
    { "data", FIELD_DOC, false },
    { "title", FIELD_NAME, false },
    { "purpose", FIELD_NAME, false },
    { "channel", FIELD_NAME, false },
    { "state", FIELD_NAME, false },
    { "expires", FIELD_TIME, false },
    FIELDS_END,
};

static void prepare(struct engine *engine, struct call *call)
{
    struct making *making = call->data;
    struct read_due due = { .customer = making->customer, .now = now_ms(call) };
    making->code = read_number(engine, making->customer, &making->link.customer, &making->err);
    if (making->code == 0 && making->link.kind == LINK_EVENT)
        making->terms_code = read_link_event(engine, making->link.type, &making->err);
    else if (making->code == 0)
        making->terms_code = read_consent_terms(engine, making->customer, making->link.purpose,
                                                making->link.channel, &making->err);
    if (making->terms_code != 0)
        return;
    if (making->code == 0 && making->expires.type != DOC_NONE)
        making->time_code =
            read_due(engine, &due, &making->expires, &making->link.expires, &making->err);
}

static void make(struct call *call)
{
    struct making *making = call->data;
    struct buf url = BUF_INIT;
    struct doc_writer w;
    bool is_past = making->link.expires <= now_ms(call);
    if (making->code != 0) {
        call_problem(call, 404, "%s", making->err.text);
        return;
    }
    if (making->terms_code != 0) {
        call_problem(call, 422, "%s", making->err.text);
        return;
    }
    if (making->time_code != 0 || is_past) {
        call_problem(call, 422, "\"expires\": %s",
                     making->time_code != 0 ? making->err.text : "it must lie ahead");
        return;
    }
    link_url(call->api->links, call->api->settings->url, &making->link, &url);
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    doc_put_string(&w, "url", buf_string(&url));
    doc_put_datetime(&w, "expires", making->link.expires);
    call_reply(call, 201, doc_end(&w));
    buf_deinit(&url);
}

static void post_links(struct call *call)
{
    uint8_t nonce[NONCE_BYTES];
    char text[HEX_SIZE(NONCE_BYTES)];
    struct making *making = arena_zero(&call->arena, sizeof *making);
    randombytes_buf(nonce, sizeof nonce);
    hex_encode(nonce, sizeof nonce, text);
    making->customer = field_customer(call, call->body, "customer");
    making->expires = doc_get(call->body, "expires");
    if (making->expires.type == DOC_NULL)
        making->expires.type = DOC_NONE;
    making->link = link_of_terms(call->body);
    making->link.nonce = arena_text(&call->arena, text_of(text));
    making->link.expires =
        now_ms(call) + (link_terms_are_withdrawal(call->body) ? LINK_WITHDRAW_MS : LINK_EXPIRES_MS);
    call->data = making;
    const char *problem = link_terms_wrong(call->body);
    if (problem != NULL)
        call_problem(call, 422, "%s", problem);
    else
        call_ask(call, prepare, make);
}

const struct route routes_links[] = {
    { "POST", "/v1/links", SCOPE_STAFF, BODY_MAX, true, post_links,
      "Make a signed link: for an event, or for a consent", NULL, fields, "201 Link" },
    { "GET", "/v1/l/{token}", SCOPE_NONE, 0, false, show_link, "What a link is for: a page", NULL,
      NULL, "page" },
    { "POST", "/v1/l/{token}", SCOPE_NONE, LINK_BODY_BYTES_MAX, false, post_link,
      "Do what a link says", NULL, NULL, "page" },
    { "GET", "/v1/u/{token}", SCOPE_NONE, 0, false, show_unsubscribe,
      "What a link unsubscribes from: a page", NULL, NULL, "page" },
    { "POST", "/v1/u/{token}", SCOPE_NONE, LINK_BODY_BYTES_MAX, false, post_unsubscribe,
      "Unsubscribe, with one click (RFC 8058)", NULL, NULL, "page" },
    ROUTES_END,
};
