/* message.c -- see message.h. */
#include "message.h"

#include "act.h"
#include "known.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

#define ROOM 4096
#define LINE_MAX 900
#define ACKNOWLEDGE "acknowledge " /* the key of that message, before the record's id */
#define DAILY 3                    /* of them, unless it is configured */

/* {channel, purpose, template or body, data: {record, subject, email: {subject}}}; the caller adds
 * the rest. */
static void put_message(struct kith_writer *w, struct kith_doc config, const char *template,
                        const char *body)
{
    struct kith_text name = text_cut(kith_get_text(config, template), ACT_WORD_MAX);
    kith_put_text(w, "channel", text_cut(kith_get_text(config, "channel"), ACT_WORD_MAX));
    kith_put_string(w, "purpose", "service");
    if (name.size != 0)
        kith_put_text(w, "template", name);
    else
        kith_put_string(w, "body", body);
}

static void put_data(struct kith_writer *w, struct kith_text id, struct kith_text subject,
                     struct kith_text thread)
{
    char line[ACT_SUBJECT_MAX + ACT_ID_MAX + 8];
    snprintf(line, sizeof line, "[%.*s] %.*s", (int)id.size, id.data, (int)subject.size,
             subject.data);
    kith_open(w, "data");
    kith_put_text(w, "record", id);
    kith_put_text(w, "subject", subject);
    kith_open(w, "email");
    kith_put_string(w, "subject", line);
    if (thread.size != 0)
        kith_put_text(w, "in_reply_to", thread);
    kith_close(w);
    kith_close(w);
}

/* A subject is one line of a mail's header, whatever somebody wrote into it. */
static struct kith_text first_line(struct kith_text text)
{
    size_t size = 0;
    while (size < text.size && (unsigned char)text.data[size] >= ' ')
        size++;
    text.size = size;
    return text;
}

int32_t message_acknowledge(const struct kith_engine *engine, struct kith_call *call,
                            struct kith_text id, struct kith_doc fields, int *out_count)
{
    char room[ROOM], body[LINE_MAX], key[sizeof ACKNOWLEDGE + ACT_ID_MAX];
    struct kith_writer w;
    struct kith_doc config, state;
    int32_t rc = engine->config(call, &config);
    if (rc == KITH_OK)
        rc = engine->state(call, "complaints", &state);
    struct kith_text subject =
        first_line(text_cut(kith_get_text(fields, "subject"), ACT_SUBJECT_MAX));
    struct kith_text thread = first_line(text_cut(kith_get_text(fields, "thread"), ACT_THREAD_MAX));
    if (rc != KITH_OK || kith_get_text(config, "channel").size == 0)
        return rc;
    if (known_acknowledged(state, engine->now(call)) >=
        kith_get_int(config, "acknowledge_daily", DAILY))
        return act_note(engine, call, "not acknowledged by itself: enough of that for today");
    *out_count = 1;
    snprintf(body, sizeof body,
             "We have received your complaint and are looking into it. "
             "Its number is %.*s: please name it when you write or call.",
             (int)id.size, id.data);
    kith_begin(&w, room, sizeof room);
    put_message(&w, config, "acknowledge_template", body);
    put_data(&w, id, subject, thread);
    snprintf(key, sizeof key, ACKNOWLEDGE "%.*s", (int)id.size, id.data);
    kith_put_string(&w, "key", key);
    return engine->act(call, "send", kith_end(&w));
}

static int is_received(struct kith_doc records, struct kith_text id)
{
    for (struct kith_iter it = kith_iter(records); kith_next(&it);) {
        struct kith_doc record = kith_as_doc(&it.value);
        struct act_id its = act_id(kith_get_int(record, "number", 0));
        if (kith_is(id, its.data))
            return kith_is(kith_get_text(record, "state"), "received");
    }
    return 0;
}

enum { SENT_KEY, SENT_RECORDS };

/* Only what has gone out acknowledges: else a person has to see to it, and the deadline says so. */
static int32_t on_sent(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value key, records;
    struct kith_doc config, nothing = { NULL, 0 };
    int32_t rc = engine->read(call, SENT_KEY, &key);
    if (rc == KITH_OK)
        rc = engine->read(call, SENT_RECORDS, &records);
    if (rc == KITH_OK)
        rc = engine->config(call, &config);
    struct kith_text id = kith_as_text(&key);
    const size_t prefix = sizeof ACKNOWLEDGE - 1;
    if (rc != KITH_OK || id.size <= prefix || memcmp(id.data, ACKNOWLEDGE, prefix) != 0)
        return rc;
    id.data += prefix;
    id.size -= prefix;
    if (kith_get_int(config, "auto_acknowledge", 1) == 0 || !is_received(kith_as_doc(&records), id))
        return KITH_OK;
    return act_move(engine, call, id, "acknowledge", nothing);
}

const struct kith_handler message_sent = {
    .size = sizeof message_sent,
    .name = "sent",
    .types = KITH_NAMES("effect.sent"),
    .reads = KITH_NAMES("event.key", "records.complaint"),
    .run = on_sent,
};

#define SURVEY "Your complaint is closed. Are you satisfied with how we handled it?\n"
#define ANSWERS 5
#define ANSWER_LINE_MAX 64

static const struct {
    const char *name, *title;
} answers[ANSWERS] = { { "very_bad", "I am not satisfied at all" },
                       { "bad", "I am not satisfied" },
                       { "fair", "It was neither good nor bad" },
                       { "good", "I am satisfied" },
                       { "very_good", "I am very satisfied" } };

static void write_survey(char out[static sizeof SURVEY + ANSWERS * ANSWER_LINE_MAX])
{
    char *end = stpcpy(out, SURVEY);
    for (size_t i = ANSWERS; i-- > 0;)
        end += snprintf(end, ANSWER_LINE_MAX, "\n* %s: {{links.%s}}", answers[i].title,
                        answers[i].name);
}

static void put_links(struct kith_writer *w, struct kith_text id)
{
    kith_open(w, "links");
    for (size_t i = 0; i < ANSWERS; i++) {
        kith_open(w, answers[i].name);
        kith_put_string(w, "event", "Complaint Survey Answered");
        kith_put_string(w, "title", answers[i].title);
        kith_open(w, "data");
        kith_put_text(w, "record", id);
        kith_put_int(w, "satisfaction", (int64_t)i + 1);
        kith_close(w);
        kith_close(w);
    }
    kith_close(w);
}

int32_t message_survey(const struct kith_engine *engine, struct kith_call *call,
                       struct kith_text id)
{
    char room[ROOM], body[sizeof SURVEY + ANSWERS * ANSWER_LINE_MAX];
    struct kith_writer w;
    struct kith_doc config;
    struct kith_text nothing = { "", 0 };
    int32_t rc = engine->config(call, &config);
    if (rc != KITH_OK || kith_get_text(config, "channel").size == 0)
        return rc;
    kith_begin(&w, room, sizeof room);
    write_survey(body);
    put_message(&w, config, "survey_template", body);
    put_data(&w, id, kith_text("Are you satisfied?"), nothing);
    put_links(&w, id);
    return engine->act(call, "send", kith_end(&w));
}
