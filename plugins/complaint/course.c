/* course.c -- see course.h. */
#include "course.h"

#include "act.h"
#include "known.h"
#include "message.h"
#include "text.h"

#include <stdio.h>

#define ROOM 2048
#define SURVEY_DUE "Complaint Survey Due" /* of our own timers, and believed of nobody else */
#define RECOVERY_DUE "Complaint Recovery Due"
#define PLANNER "complaint.closed"     /* the handler that sets them */
#define ANSWER_MS (90 * 86400000LL)    /* for how long after closing a survey is answered */
#define SAME_WORDS_MS (7 * 86400000LL) /* for how long the same words are the same complaint */

const struct kith_trait *const course_traits[] = {
    KITH_ITEM(trait, .name = "open_count", .type = "whole", .about = "Complaints that are open"),
    KITH_ITEM(trait, .name = "total", .type = "whole", .about = "Complaints, all that there were"),
    KITH_ITEM(trait, .name = "last", .type = "time", .about = "When the last complaint came"),
    NULL,
};

static int32_t publish_open(const struct kith_engine *engine, struct kith_call *call,
                            struct kith_doc records)
{
    struct kith_value count = kith_int(known_count(records));
    return engine->publish(call, "open_count", &count);
}

/* -- Two have become one, or two again --------------------------------------------------------- */

/* The entry "customer.unmerge" is of who was let go, "customer.unmerged" of the other. */
static int32_t on_merged(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_doc state;
    struct kith_value records, nothing = { KITH_NULL, 0, { 0 } };
    int32_t rc = engine->read(call, 0, &records);
    if (rc == KITH_OK)
        rc = engine->state(call, "complaints", &state);
    if (rc != KITH_OK)
        return rc;
    struct kith_value total = kith_int(known_total(state));
    struct kith_value open = kith_int(known_count(kith_as_doc(&records)));
    struct kith_value last = kith_time(known_last(state));
    int is_any = total.as.integer != 0 || open.as.integer != 0;
    rc = engine->publish(call, "total", is_any ? &total : &nothing);
    if (rc == KITH_OK)
        rc = engine->publish(call, "open_count", is_any ? &open : &nothing);
    if (rc == KITH_OK && (last.as.integer != 0 || !is_any))
        rc = engine->publish(call, "last", is_any ? &last : &nothing);
    return rc;
}

const struct kith_handler course_merged = {
    .size = sizeof course_merged,
    .name = "merged",
    .types = KITH_NAMES("customer.merged", "customer.unmerged", "customer.unmerge"),
    .reads = KITH_NAMES("records.complaint", "state.complaints"),
    .run = on_merged,
};

/* -- It has come in ---------------------------------------------------------------------------- */

enum { CREATED_ID, CREATED_NUMBER, CREATED_FIELDS, CREATED_RECORDS };

static int is_same(struct kith_doc a, struct kith_doc b, const char *field)
{
    struct kith_text its = kith_get_text(a, field);
    return its.size != 0 && text_is_same(its, kith_get_text(b, field));
}

static int names_others(struct kith_doc a, struct kith_doc b, const char *field)
{
    return kith_get_text(a, field).size != 0 && kith_get_text(b, field).size != 0 &&
           !is_same(a, b, field);
}

/* About the same order; or, where one of them names none, the same product; or by the same mail; or
 * in the same words soon after, unless they are about different things. */
static int is_duplicate(struct kith_doc a, struct kith_doc b, int is_soon)
{
    int has_orders = kith_get_text(a, "order").size != 0 && kith_get_text(b, "order").size != 0;
    if (is_same(a, b, "order") || is_same(a, b, "thread") ||
        (!has_orders && is_same(a, b, "product")))
        return 1;
    int has_subject = !kith_is(kith_get_text(a, "subject"), ACT_SUBJECT_NONE);
    return is_soon && !names_others(a, b, "order") && !names_others(a, b, "product") &&
           (is_same(a, b, "text") || (has_subject && is_same(a, b, "subject")));
}

/* The number of the oldest that is open and about the same; 0: there is none. */
static int64_t find_duplicate(struct kith_doc records, int64_t number, struct kith_doc fields,
                              int64_t now)
{
    for (struct kith_iter it = kith_iter(records); kith_next(&it);) {
        struct kith_doc other = kith_as_doc(&it.value);
        int64_t its = kith_get_int(other, "number", 0);
        int is_soon = kith_get_int(other, "created", 0) > now - SAME_WORDS_MS;
        if (its != 0 && its < number &&
            is_duplicate(kith_get_doc(other, "fields"), fields, is_soon))
            return its;
    }
    return 0;
}

/* Of what came in by hand, over HTTP or by the form; mail and events were looked at before. */
static int is_critical(struct kith_doc fields, struct kith_doc config)
{
    struct kith_doc words = kith_get_doc(config, "critical_words");
    return text_has_any(kith_get_text(fields, "subject"), words) ||
           text_has_any(kith_get_text(fields, "text"), words);
}

static int32_t complete(const struct kith_engine *engine, struct kith_call *call,
                        struct kith_text id, struct kith_doc fields, int64_t duplicate)
{
    char room[ROOM];
    struct kith_writer w;
    struct kith_doc config;
    int32_t rc = engine->config(call, &config);
    if (rc != KITH_OK)
        return rc;
    kith_begin(&w, room, sizeof room);
    kith_put_text(&w, "policy", text_cut(kith_get_text(config, "policy_version"), ACT_WORD_MAX));
    if (kith_get(fields, "severity").type == KITH_NONE)
        kith_put_string(&w, "severity", is_critical(fields, config) ? "critical" : "normal");
    if (kith_get(fields, "channel").type == KITH_NONE)
        kith_put_string(&w, "channel", "hand");
    if (duplicate != 0)
        kith_put_int(&w, "duplicate_of", duplicate);
    rc = act_change_all(engine, call, id, kith_end(&w));
    if (rc != KITH_OK || duplicate == 0)
        return rc;
    struct act_id other = act_id(duplicate);
    return act_link(engine, call, id, kith_text(other.data), "duplicate");
}

static int32_t on_created(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value value[4];
    struct known_change change = { .came = 1 };
    int32_t rc = KITH_OK;
    for (uint32_t i = 0; rc == KITH_OK && i < 4; i++)
        rc = engine->read(call, i, &value[i]);
    struct kith_text id = text_cut(kith_as_text(&value[CREATED_ID]), ACT_ID_MAX);
    if (rc != KITH_OK || id.size == 0)
        return rc; /* somebody else's: she only has a role in it */
    struct kith_doc fields = kith_as_doc(&value[CREATED_FIELDS]);
    struct kith_doc records = kith_as_doc(&value[CREATED_RECORDS]);
    int64_t number = kith_as_int(&value[CREATED_NUMBER], 0);
    rc = complete(engine, call, id, fields,
                  find_duplicate(records, number, fields, engine->now(call)));
    if (rc == KITH_OK)
        rc = message_acknowledge(engine, call, id, fields, &change.acknowledged);
    if (rc == KITH_OK)
        rc = known_keep(engine, call, &change);
    return rc == KITH_OK ? publish_open(engine, call, records) : rc;
}

const struct kith_handler course_created = {
    .size = sizeof course_created,
    .name = "created",
    .types = KITH_NAMES("complaint.created"),
    .reads = KITH_NAMES("record.id", "record.number", "event.fields", "records.complaint",
                        "state.complaints"),
    .run = on_created,
};

/* -- A deadline has ended ---------------------------------------------------------------------- */

enum { ENDED_ID, ENDED_TYPE, ENDED_DEADLINE, ENDED_ACKNOWLEDGED, ENDED_RESPONDED };

/* Once late is late: that a second response was in time does not mend the first. */
static int32_t note_end(const struct kith_engine *engine, struct kith_call *call,
                        struct kith_text id, const char *what, int is_in_time,
                        const struct kith_value *before)
{
    char room[128], name[40];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    snprintf(name, sizeof name, "%s_at", what);
    kith_put_time(&w, name, engine->now(call));
    snprintf(name, sizeof name, "%s_in_time", what);
    kith_put_bool(&w, name, is_in_time && kith_as_int(before, 1) != 0);
    return act_change_all(engine, call, id, kith_end(&w));
}

static int32_t on_ended(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value value[5];
    int32_t rc = KITH_OK;
    for (uint32_t i = 0; rc == KITH_OK && i < 5; i++)
        rc = engine->read(call, i, &value[i]);
    struct kith_text id = text_cut(kith_as_text(&value[ENDED_ID]), ACT_ID_MAX);
    struct kith_text deadline = kith_as_text(&value[ENDED_DEADLINE]);
    int is_in_time = kith_is(kith_as_text(&value[ENDED_TYPE]), "complaint.met");
    if (rc != KITH_OK || id.size == 0)
        return rc;
    if (kith_is(deadline, "acknowledge"))
        return note_end(engine, call, id, "acknowledged", is_in_time, &value[ENDED_ACKNOWLEDGED]);
    if (kith_is(deadline, "respond"))
        return note_end(engine, call, id, "responded", is_in_time, &value[ENDED_RESPONDED]);
    return KITH_OK;
}

const struct kith_handler course_ended = {
    .size = sizeof course_ended,
    .name = "ended",
    .types = KITH_NAMES("complaint.met", "complaint.missed"),
    .reads = KITH_NAMES("record.id", "event.type", "event.deadline", "record.acknowledged_in_time",
                        "record.responded_in_time"),
    .run = on_ended,
};

/* -- Closed, and opened again ------------------------------------------------------------------ */

enum { MOVED_ID, MOVED_NUMBER, MOVED_TRANSITION, MOVED_TIMES, MOVED_RECORDS };

static int32_t plan(const struct kith_engine *engine, struct kith_call *call, struct kith_text id)
{
    struct kith_doc config;
    int32_t rc = engine->config(call, &config);
    struct kith_text survey = kith_get_text(config, "survey_after");
    struct kith_text recovery = kith_get_text(config, "recovery_after");
    int is_written_to = kith_get_text(config, "channel").size != 0;
    if (rc == KITH_OK && survey.size != 0 && is_written_to)
        rc = act_later(engine, call, id, "survey", text_cut(survey, ACT_WORD_MAX), SURVEY_DUE);
    if (rc == KITH_OK && recovery.size != 0)
        rc =
            act_later(engine, call, id, "recovery", text_cut(recovery, ACT_WORD_MAX), RECOVERY_DUE);
    return rc;
}

static int32_t on_closed(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value value[5], now = kith_time(engine->now(call));
    int32_t rc = KITH_OK;
    for (uint32_t i = 0; rc == KITH_OK && i < 5; i++)
        rc = engine->read(call, i, &value[i]);
    struct kith_text id = text_cut(kith_as_text(&value[MOVED_ID]), ACT_ID_MAX);
    if (rc != KITH_OK || id.size == 0)
        return rc;
    rc = act_change(engine, call, id, "closed_at", &now);
    struct known_change change = {
        .number = kith_as_int(&value[MOVED_NUMBER], 0),
        .closed_at = now.as.integer,
    };
    if (rc == KITH_OK)
        rc = known_keep(engine, call, &change);
    if (rc == KITH_OK)
        rc = publish_open(engine, call, kith_as_doc(&value[MOVED_RECORDS]));
    if (rc == KITH_OK && kith_is(kith_as_text(&value[MOVED_TRANSITION]), "close"))
        rc = plan(engine, call, id); /* and not after a withdrawal, or for each duplicate */
    return rc;
}

static int32_t on_reopened(const struct kith_engine *engine, struct kith_call *call)
{
    char room[128];
    struct kith_writer w;
    struct kith_value value[5], nothing = { KITH_NULL, 0, { 0 } };
    int32_t rc = KITH_OK;
    for (uint32_t i = 0; rc == KITH_OK && i < 5; i++)
        rc = engine->read(call, i, &value[i]);
    struct kith_text id = text_cut(kith_as_text(&value[MOVED_ID]), ACT_ID_MAX);
    if (rc != KITH_OK || id.size == 0)
        return rc;
    int64_t times = kith_as_int(&value[MOVED_TIMES], 0);
    kith_begin(&w, room, sizeof room);
    kith_put_int(&w, "times_reopened", times < INT32_MAX ? times + 1 : times);
    kith_put(&w, "closed_at", &nothing);
    rc = act_change_all(engine, call, id, kith_end(&w));
    if (rc == KITH_OK)
        rc = act_not_later(engine, call, id, "survey");
    if (rc == KITH_OK)
        rc = act_not_later(engine, call, id, "recovery");
    struct known_change change = { .number = kith_as_int(&value[MOVED_NUMBER], 0) };
    if (rc == KITH_OK)
        rc = known_keep(engine, call, &change);
    return rc == KITH_OK ? publish_open(engine, call, kith_as_doc(&value[MOVED_RECORDS])) : rc;
}

static const char *const moved_reads[] = { "record.id",
                                           "record.number",
                                           "event.transition",
                                           "record.times_reopened",
                                           "records.complaint",
                                           "state.complaints",
                                           NULL };
const struct kith_handler course_closed = {
    .size = sizeof course_closed,
    .name = "closed",
    .types = KITH_NAMES("complaint.closed"),
    .reads = moved_reads,
    .run = on_closed,
};
const struct kith_handler course_reopened = {
    .size = sizeof course_reopened,
    .name = "reopened",
    .types = KITH_NAMES("complaint.reopened"),
    .reads = moved_reads,
    .run = on_reopened,
};

/* -- After closing ----------------------------------------------------------------------------- */

static int32_t record_of_event(const struct kith_engine *engine, struct kith_call *call,
                               struct kith_text *out_id)
{
    struct kith_value record;
    int32_t rc = engine->read(call, 0, &record);
    *out_id = text_cut(kith_as_text(&record), ACT_ID_MAX);
    if (rc == KITH_OK && out_id->size == 0)
        return engine->fail(call, "the event names no record: {record: \"complaint:17\"}");
    return rc;
}

enum { DUE_RECORD, DUE_OPEN, DUE_BY, DUE_SOURCE };

/* The same of one of our timers; size 0: nothing is to be asked.  What somebody sends in has a
 * source; and one that is open again may still be due, if that is told after its time. */
static int32_t closed_of_timer(const struct kith_engine *engine, struct kith_call *call,
                               struct kith_text *out_id)
{
    struct kith_value records, by, source;
    int32_t rc = record_of_event(engine, call, out_id);
    if (rc == KITH_OK)
        rc = engine->read(call, DUE_OPEN, &records);
    if (rc == KITH_OK)
        rc = engine->read(call, DUE_BY, &by);
    if (rc == KITH_OK)
        rc = engine->read(call, DUE_SOURCE, &source);
    if (rc != KITH_OK)
        return rc;
    int is_ours = kith_is(kith_as_text(&by), PLANNER) && kith_as_text(&source).size == 0;
    if (!is_ours)
        out_id->size = 0;
    for (struct kith_iter it = kith_iter(kith_as_doc(&records)); kith_next(&it);)
        if (kith_is(*out_id, act_id(kith_get_int(kith_as_doc(&it.value), "number", 0)).data))
            out_id->size = 0;
    if (out_id->size != 0)
        return KITH_OK;
    return act_note(engine, call,
                    is_ours ? "it is open again: nothing to ask"
                            : "not the plugin's own: nothing is asked because somebody says so");
}

static int32_t on_survey(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_text id;
    int32_t rc = closed_of_timer(engine, call, &id);
    return rc == KITH_OK && id.size != 0 ? message_survey(engine, call, id) : rc;
}

static int32_t on_recovery(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM], title[128], key[64];
    struct kith_writer w;
    struct kith_doc config;
    struct kith_text id;
    int32_t rc = closed_of_timer(engine, call, &id);
    if (rc == KITH_OK)
        rc = engine->config(call, &config);
    if (rc != KITH_OK || id.size == 0)
        return rc;
    struct kith_text team = kith_get_text(config, "team");
    struct kith_text within = kith_get_text(config, "recovery_within");
    snprintf(title, sizeof title, "Call: is all well again after %.*s?", (int)id.size, id.data);
    snprintf(key, sizeof key, "recovery %.*s", (int)id.size, id.data);
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "title", title);
    kith_put_string(&w, "key", key);
    kith_put_text(&w, "about", id);
    kith_put_text(&w, "to", team.size != 0 ? text_cut(team, ACT_WORD_MAX) : kith_text("owner"));
    kith_put_text(&w, "due", within.size != 0 ? text_cut(within, ACT_WORD_MAX) : kith_text("0d"));
    return engine->act(call, "remind", kith_end(&w));
}

enum { ANSWERED_RECORD, ANSWERED_SATISFACTION, ANSWERED_TEXT };

/* Anybody who may write can send an answer: it counts of her own complaints alone, and while they
 * are closed, for only then was she asked. */
static int32_t check_answer(const struct kith_engine *engine, struct kith_call *call,
                            int64_t number, const char **out_why)
{
    struct kith_doc state;
    int32_t rc = engine->state(call, "complaints", &state);
    int64_t closed_at = rc == KITH_OK ? known_closed_at(state, number) : 0;
    if (rc == KITH_OK && closed_at == 0)
        *out_why = "not taken: it is no complaint of hers that is closed";
    else if (rc == KITH_OK && closed_at < engine->now(call) - ANSWER_MS)
        *out_why = "not taken: the complaint was closed too long ago";
    return rc;
}

static int32_t on_answered(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM];
    struct kith_writer w;
    struct kith_value satisfaction, text;
    struct kith_text id;
    int32_t rc = record_of_event(engine, call, &id);
    if (rc == KITH_OK)
        rc = engine->read(call, ANSWERED_SATISFACTION, &satisfaction);
    if (rc == KITH_OK)
        rc = engine->read(call, ANSWERED_TEXT, &text);
    if (rc != KITH_OK)
        return rc;
    int64_t score = kith_as_int(&satisfaction, 0);
    const char *why =
        score < 1 || score > 5 ? "not taken: satisfaction is a number from 1 to 5" : NULL;
    if (why == NULL)
        rc = check_answer(engine, call, act_number(id), &why);
    if (rc != KITH_OK || why != NULL)
        return rc == KITH_OK ? act_note(engine, call, why) : rc;
    kith_begin(&w, room, sizeof room);
    kith_put_int(&w, "satisfaction", score);
    if (kith_as_text(&text).size != 0)
        kith_put_text(&w, "satisfaction_text", text_cut(kith_as_text(&text), 1000));
    return act_change_all(engine, call, id, kith_end(&w));
}

static const char *const due_reads[] = { "event.record", "records.complaint", "event.by",
                                         "event.source", NULL };
const struct kith_handler course_survey = {
    .size = sizeof course_survey,
    .name = "survey",
    .types = KITH_NAMES(SURVEY_DUE),
    .reads = due_reads,
    .run = on_survey,
};
const struct kith_handler course_recovery = {
    .size = sizeof course_recovery,
    .name = "recovery",
    .types = KITH_NAMES(RECOVERY_DUE),
    .reads = due_reads,
    .run = on_recovery,
};
const struct kith_handler course_answered = {
    .size = sizeof course_answered,
    .name = "answered",
    .types = KITH_NAMES("Complaint Survey Answered"),
    .reads = KITH_NAMES("event.record", "event.satisfaction", "event.text", "state.complaints"),
    .run = on_answered,
};
