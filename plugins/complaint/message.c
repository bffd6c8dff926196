/* message.c -- see message.h. */
#include "message.h"

#include "act.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

#define ROOM 4096
#define LINE_MAX 900

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
                            struct kith_text id, struct kith_doc fields)
{
    char room[ROOM], body[LINE_MAX];
    struct kith_writer w;
    struct kith_doc config, nothing = { NULL, 0 };
    int32_t rc = engine->config(call, &config);
    struct kith_text subject =
        first_line(text_cut(kith_get_text(fields, "subject"), ACT_SUBJECT_MAX));
    struct kith_text thread = first_line(text_cut(kith_get_text(fields, "thread"), ACT_WORD_MAX));
    if (rc != KITH_OK || kith_get_text(config, "channel").size == 0)
        return rc;
    snprintf(body, sizeof body,
             "We have received your complaint and are looking into it. "
             "Its number is %.*s: please name it when you write or call.",
             (int)id.size, id.data);
    kith_begin(&w, room, sizeof room);
    put_message(&w, config, "acknowledge_template", body);
    put_data(&w, id, subject, thread);
    rc = engine->act(call, "send", kith_end(&w));
    if (rc == KITH_OK && kith_get_int(config, "auto_acknowledge", 1) != 0)
        rc = act_move(engine, call, id, "acknowledge", nothing);
    return rc;
}

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
