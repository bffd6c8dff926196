/* intake.c -- see intake.h.
 *
 * A mail belongs to a complaint that there is already when its subject names it, as answers to our
 * own messages do ("[complaint:17]"), or when it answers the mail that the complaint came by.  Then
 * it ends the waiting for the customer, or opens again what was responded to or closed; else it is
 * only noted when it came.  A mail that is not about one is a complaint if it went to one of the
 * configured addresses, or has one of the configured words in it.
 *
 * Anybody can write in her name, so what comes in by itself becomes a complaint only while fewer
 * than KNOWN_OPEN_MAX of hers are open.  What comes then stands on her timeline, and once a day
 * somebody is reminded to read it there; the same where the engine would not make the record.
 */
#include "intake.h"

#include "act.h"
#include "known.h"
#include "text.h"

#include <stdio.h>

#define ROOM (TEXT_BYTES_MAX + 8192)
#define DAY_MS 86400000LL

/* -- A new one --------------------------------------------------------------------------------- */

struct complaint {
    struct kith_text subject, text, severity, channel, product, order, thread;
};

static void put(struct kith_writer *w, const char *name, struct kith_text text, size_t size_max)
{
    if (text.size != 0)
        kith_put_text(w, name, text_cut(text, size_max));
}

static size_t line_size(struct kith_text text)
{
    size_t size = 0;
    while (size < text.size && text.data[size] != '\n' && text.data[size] != '\r')
        size++;
    return size;
}

/* The first line, where nobody said what it is about.  A record needs one that is not blank, and
 * a complaint without is one all the same. */
static struct kith_text subject_of(const struct complaint *complaint)
{
    struct kith_text line = text_cut(complaint->subject, ACT_SUBJECT_MAX), rest = complaint->text;
    while (text_is_blank(line) && rest.size != 0) {
        size_t size = line_size(rest);
        line = text_cut((struct kith_text){ rest.data, size }, ACT_SUBJECT_MAX);
        size += size < rest.size;
        rest = (struct kith_text){ rest.data + size, rest.size - size };
    }
    return text_is_blank(line) ? kith_text(ACT_SUBJECT_NONE) : line;
}

int intake_is_severity(struct kith_text text)
{
    return kith_is(text, "low") || kith_is(text, "normal") || kith_is(text, "high") ||
           kith_is(text, "critical");
}

static struct kith_text severity_of(const struct complaint *complaint, struct kith_doc config)
{
    struct kith_doc words = kith_get_doc(config, "critical_words");
    if (complaint->severity.size != 0) /* what makes no sense is refused by the engine, in words */
        return complaint->severity;
    if (text_has_any(complaint->subject, words) || text_has_any(complaint->text, words))
        return kith_text("critical");
    return kith_text("normal");
}

/* Of today's the first: whoever has complaints is to read her timeline. */
static int32_t remind_of_more(const struct kith_engine *engine, struct kith_call *call,
                              int64_t newest, const char *title)
{
    char room[1024], key[48];
    struct kith_writer w;
    struct kith_doc config, state;
    struct known_change change = { .crowded = 1 };
    int32_t rc = engine->config(call, &config);
    if (rc == KITH_OK)
        rc = engine->state(call, "complaints", &state);
    if (rc != KITH_OK)
        return rc;
    int is_first = known_crowded(state, engine->now(call)) == 0;
    struct kith_text team = text_cut(kith_get_text(config, "team"), ACT_WORD_MAX);
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "title", title);
    snprintf(key, sizeof key, "more complaints %lld", (long long)(engine->now(call) / DAY_MS));
    kith_put_string(&w, "key", key);
    if (newest != 0)
        kith_put_string(&w, "about", act_id(newest).data);
    kith_put_text(&w, "to", team.size != 0 ? team : kith_text("owner"));
    kith_put_text(&w, "due", text_cut(kith_get_text(config, "acknowledge"), ACT_WORD_MAX));
    if (is_first)
        rc = engine->act(call, "remind", kith_end(&w));
    return rc == KITH_OK ? known_keep(engine, call, &change) : rc;
}

/* `records`: those that are open, as many as are shown. */
static int32_t put_aside(const struct kith_engine *engine, struct kith_call *call,
                         struct kith_doc records)
{
    char title[120];
    int64_t newest = 0;
    for (struct kith_iter it = kith_iter(records); kith_next(&it);)
        newest = kith_get_int(kith_as_doc(&it.value), "number", 0);
    snprintf(title, sizeof title, "%d complaints are open, and more comes in: read the timeline",
             KNOWN_OPEN_MAX);
    int32_t rc = act_note(engine, call, "no complaint of its own: too many of hers are open");
    return rc == KITH_OK ? remind_of_more(engine, call, newest, title) : rc;
}

static int32_t create(const struct kith_engine *engine, struct kith_call *call,
                      const struct complaint *complaint, struct kith_doc records,
                      struct kith_doc config)
{
    char room[ROOM];
    struct kith_writer w;
    if (known_count(records) >= KNOWN_OPEN_MAX)
        return put_aside(engine, call, records);
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "kind", "complaint");
    kith_open(&w, "fields");
    put(&w, "subject", subject_of(complaint), ACT_SUBJECT_MAX);
    put(&w, "text", text_kept(complaint->text), TEXT_BYTES_MAX);
    put(&w, "severity", severity_of(complaint, config), ACT_WORD_MAX);
    put(&w, "channel", complaint->channel, ACT_WORD_MAX);
    put(&w, "product", complaint->product, ACT_WORD_MAX);
    put(&w, "order", complaint->order, ACT_WORD_MAX);
    put(&w, "thread", complaint->thread, ACT_THREAD_MAX);
    kith_close(&w);
    return engine->act(call, "create", kith_end(&w));
}

/* Whose it is nobody knows: no record of hers can be made, so somebody here is told. */
static int32_t tell_of(const struct kith_engine *engine, struct kith_call *call,
                       const struct complaint *complaint, struct kith_text from,
                       struct kith_doc config)
{
    char room[ROOM], line[ACT_SUBJECT_MAX + ACT_WORD_MAX + 80];
    struct kith_writer w;
    struct kith_text subject = text_cut(subject_of(complaint), ACT_SUBJECT_MAX);
    struct kith_text sender = text_cut(from.size != 0 ? from : kith_text("-"), ACT_WORD_MAX);
    struct kith_text team = text_cut(kith_get_text(config, "team"), ACT_WORD_MAX);
    snprintf(line, sizeof line, "A complaint of nobody who is known (%.*s): %.*s", (int)sender.size,
             sender.data, (int)subject.size, subject.data);
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "text", line);
    if (team.size != 0) /* else the fallback of kith.lua is told */
        kith_put_text(&w, "to", team);
    kith_open(&w, "data");
    put(&w, "from", from, ACT_WORD_MAX);
    put(&w, "text", text_kept(complaint->text), TEXT_BYTES_MAX);
    kith_close(&w);
    return engine->act(call, "notify", kith_end(&w));
}

static struct complaint read_complaint(struct kith_doc doc, const char *channel)
{
    struct complaint complaint = {
        .subject = kith_get_text(doc, "subject"),
        .text = kith_get_text(doc, "text"),
        .severity = kith_get_text(doc, "severity"),
        .channel = kith_get_text(doc, "channel"),
        .product = kith_get_text(doc, "product"),
        .order = kith_get_text(doc, "order"),
        .thread = kith_get_text(doc, "thread"),
    };
    if (complaint.channel.size == 0)
        complaint.channel = kith_text(channel);
    return complaint;
}

/* -- Mail -------------------------------------------------------------------------------------- */

enum { MAIL_EVENT, MAIL_OPEN, MAIL_CUSTOMER };

struct known { /* a complaint of hers that a mail is about */
    int64_t number;
    int is_open, is_waiting, is_responded;
};

/* Among those that are open, by its number or by the mail that it came by, of whose Message-ID as
 * much is kept as a header may have. */
static struct known find_open(struct kith_doc records, int64_t number, struct kith_text answered)
{
    struct known found = { .number = 0 };
    answered = text_cut(answered, ACT_THREAD_MAX);
    for (struct kith_iter it = kith_iter(records); kith_next(&it);) {
        struct kith_doc record = kith_as_doc(&it.value);
        struct kith_text thread = kith_get_text(kith_get_doc(record, "fields"), "thread");
        int64_t its = kith_get_int(record, "number", 0);
        if (number != 0 ? its == number : answered.size != 0 && text_is_same(thread, answered)) {
            found.number = its;
            found.is_open = 1;
            found.is_waiting = kith_is(kith_get_text(record, "state"), "waiting");
            found.is_responded = kith_is(kith_get_text(record, "state"), "responded");
        }
    }
    return found;
}

/* A blind copy of the mail by which an open one came. */
static int is_copy(struct kith_doc records, struct kith_doc mail)
{
    struct kith_text id = text_cut(kith_get_text(mail, "message_id"), ACT_THREAD_MAX);
    struct kith_text text = text_kept(kith_get_text(mail, "text"));
    for (struct kith_iter it = kith_iter(records); id.size != 0 && kith_next(&it);) {
        struct kith_doc fields = kith_get_doc(kith_as_doc(&it.value), "fields");
        if (text_is_same(kith_get_text(fields, "thread"), id) &&
            text_is_same(kith_get_text(fields, "text"), text))
            return 1;
    }
    return 0;
}

static int32_t go_on(const struct kith_engine *engine, struct kith_call *call,
                     const struct known *known)
{
    char room[64];
    struct kith_writer w;
    struct act_id id = act_id(known->number);
    kith_begin(&w, room, sizeof room);
    kith_put_time(&w, "last_heard", engine->now(call));
    struct kith_doc fields = kith_end(&w);
    if (!known->is_open || known->is_responded)
        return act_move(engine, call, kith_text(id.data), "reopen", fields);
    if (known->is_waiting)
        return act_move(engine, call, kith_text(id.data), "resume", fields);
    return act_change_all(engine, call, kith_text(id.data), fields);
}

/* By whichever of its recipients. */
static int is_to_us(struct kith_doc mail, struct kith_doc addresses)
{
    if (text_is_any(kith_get_text(mail, "to"), addresses))
        return 1;
    for (struct kith_iter it = kith_iter(kith_get_doc(mail, "recipients")); kith_next(&it);)
        if (text_is_any(kith_as_text(&it.value), addresses))
            return 1;
    return 0;
}

static int is_complaint(const struct complaint *complaint, struct kith_doc mail,
                        struct kith_doc config)
{
    struct kith_doc words = kith_get_doc(config, "words");
    return is_to_us(mail, kith_get_doc(config, "addresses")) ||
           text_has_any(complaint->subject, words) || text_has_any(complaint->text, words);
}

static int32_t on_mail(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value event, records, customer;
    struct kith_doc config, state;
    int32_t rc = engine->read(call, MAIL_EVENT, &event);
    if (rc == KITH_OK)
        rc = engine->read(call, MAIL_CUSTOMER, &customer);
    if (rc == KITH_OK)
        rc = engine->read(call, MAIL_OPEN, &records);
    if (rc == KITH_OK)
        rc = engine->config(call, &config);
    if (rc == KITH_OK)
        rc = engine->state(call, "complaints", &state);
    if (rc != KITH_OK)
        return rc;

    struct kith_doc mail = kith_as_doc(&event);
    struct complaint complaint = read_complaint(mail, "email");
    int64_t number = text_reference(complaint.subject);
    int64_t since = engine->now(call) - kith_get_int(config, "reopen_days", 60) * DAY_MS;
    struct known known =
        find_open(kith_as_doc(&records), number, kith_get_text(mail, "in_reply_to"));
    int64_t closed_at = known_closed_at(state, number);
    if (known.number == 0 && closed_at != 0 && closed_at >= since)
        known.number = number;
    if (known.number != 0)
        return go_on(engine, call, &known);
    if (!is_complaint(&complaint, mail, config) || is_copy(kith_as_doc(&records), mail))
        return KITH_OK;
    complaint.channel = kith_text("email");
    complaint.severity = kith_text("");
    complaint.thread = kith_get_text(mail, "message_id");
    if (customer.type == KITH_NONE)
        return tell_of(engine, call, &complaint, kith_get_text(mail, "from"), config);
    return create(engine, call, &complaint, kith_as_doc(&records), config);
}

const struct kith_handler intake_mail = {
    .size = sizeof intake_mail,
    .name = "mail",
    .types = KITH_NAMES("email.received"),
    .reads = KITH_NAMES("event", "records.complaint", "customer.id", "state.complaints"),
    .run = on_mail,
};

/* -- An event, and rules ----------------------------------------------------------------------- */

static int32_t on_event(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value event, customer, records;
    struct kith_doc config;
    int32_t rc = engine->read(call, 0, &event);
    if (rc == KITH_OK)
        rc = engine->read(call, 1, &customer);
    if (rc == KITH_OK)
        rc = engine->read(call, 2, &records);
    if (rc == KITH_OK)
        rc = engine->config(call, &config);
    if (rc != KITH_OK)
        return rc;
    struct complaint complaint = read_complaint(kith_as_doc(&event), "webhook");
    if (!intake_is_severity(
            complaint.severity)) /* somebody else's words: no reason to lose a complaint */
        complaint.severity = kith_text("");
    if (customer.type == KITH_NONE)
        return tell_of(engine, call, &complaint, kith_text(""), config);
    return create(engine, call, &complaint, kith_as_doc(&records), config);
}

const struct kith_handler intake_event = {
    .size = sizeof intake_event,
    .name = "submitted",
    .types = KITH_NAMES("Complaint Submitted"),
    .reads = KITH_NAMES("event", "customer.id", "records.complaint", "state.complaints"),
    .run = on_event,
};

/* It could not be taken in: she has too many open records of other kinds, for example. */
static int32_t on_failed(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value handler;
    int32_t rc = engine->read(call, 0, &handler);
    struct kith_text name = kith_as_text(&handler);
    if (rc != KITH_OK ||
        (!kith_is(name, "complaint.mail") && !kith_is(name, "complaint.submitted")))
        return rc;
    return remind_of_more(engine, call, 0, "A complaint could not be taken in: read the timeline");
}

const struct kith_handler intake_failed = {
    .size = sizeof intake_failed,
    .name = "not_taken",
    .types = KITH_NAMES("plugin.failed"),
    .reads = KITH_NAMES("event.handler", "state.complaints"),
    .run = on_failed,
};

static int32_t open_complaint(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value records;
    struct kith_doc arguments, config;
    int32_t rc = engine->arguments(call, &arguments);
    if (rc == KITH_OK)
        rc = engine->read(call, 0, &records);
    if (rc == KITH_OK)
        rc = engine->config(call, &config);
    if (rc != KITH_OK)
        return rc;
    struct complaint complaint = read_complaint(arguments, "rule");
    if (complaint.subject.size == 0 && complaint.text.size == 0)
        return engine->fail(call, "complaint.open { subject = ... } is about something");
    return create(engine, call, &complaint, kith_as_doc(&records), config);
}

const struct kith_function intake_function = {
    .size = sizeof intake_function,
    .name = "open",
    .usage = "complaint.open { subject = \"The box was empty\", severity = \"high\" }",
    .about = "A new complaint of the customer: subject, text, severity, channel, product, order",
    .reads = KITH_NAMES("records.complaint", "state.complaints"),
    .run = open_complaint,
    .takes = KITH_NAMES("subject", "text", "severity", "channel", "product", "order", "thread"),
};
