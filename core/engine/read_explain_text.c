/* read_explain_text.c -- see read_explain.h. */
#include "core/engine/read_explain.h"

#include "core/base/civil.h"
#include "core/base/moment.h"

/* Before the first entry from outside there is no time: it is 0. */
static void say_time(struct buf *text, int64_t ms)
{
    char moment[MOMENT_TEXT_SIZE];
    if (ms == 0 || ms < CIVIL_MS_MIN || ms > CIVIL_MS_MAX)
        return;
    moment_format(ms, moment);
    buf_printf(text, " at %s", moment);
}

static void say_quoted(struct buf *text, const char *before, struct text name)
{
    buf_printf(text, "%s\"%.*s\"", before, (int)name.size, name.data);
}

static void say_reason(struct buf *text, const struct effect *effect)
{
    if (effect->reason.size != 0)
        buf_printf(text, " (%.*s)", (int)effect->reason.size, effect->reason.data);
}

static void say_state(struct buf *text, const struct effect *effect)
{
    static const struct {
        const char *state, *words;
    } states[] = {
        { "claimed", "is being sent" },
        { "sent", "was sent" },
        { "suppressed", "was suppressed and not sent" },
        { "rejected", "was rejected" },
        { "expired", "expired before it was sent" },
        { "failed", "failed for good" },
        { "uncertain", "may or may not have gone out and waits for a decision" },
        { "held", "is held: it was made while the past was repeated, and waits for a decision" },
        { "dropped", "was dropped" },
    };
    const char *words = effect->attempt == 0 ? "waits to be sent" : "waits for its next attempt";
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (text_is(effect->state, states[i].state))
            words = states[i].words;
    buf_text(text, words);
    say_reason(text, effect);
    if (effect->attempt > 1)
        buf_printf(text, ", after %lld attempts", (long long)effect->attempt);
}

void tell_effect(struct buf *text, const struct effect *effect)
{
    char id[EVENT_ID_TEXT_MAX];
    event_id_text(effect->seq, effect->n, id);
    buf_printf(text, "%s %s on channel %.*s", effect->is_notification ? "Notification" : "Message",
               id, (int)effect->channel.size, effect->channel.data);
    if (effect->purpose.size != 0)
        say_quoted(text, " for the purpose ", effect->purpose);
    if (effect->to.size != 0)
        say_quoted(text, " to ", effect->to);
    else if (effect->customer != 0)
        buf_printf(text, " to customer %llu", (unsigned long long)effect->customer);
    buf_byte(text, ' ');
    say_state(text, effect);
    buf_text(text, ". ");
}

void tell_cause(struct buf *text, const struct effect *effect, const struct link *cause)
{
    char id[EVENT_ID_TEXT_MAX];
    event_id_text(cause->seq, cause->n, id);
    if (effect->rule.size != 0)
        say_quoted(text, "The rule ", effect->rule);
    else
        buf_text(text, "Kith");
    buf_text(text, " made it");
    say_time(text, effect->created);
    buf_text(text, ", when it ran on ");
    if (cause->row.data != NULL)
        say_quoted(text, "", doc_text(cause->row, "type"));
    else
        buf_text(text, "event");
    buf_printf(text, " (%s). ", id);
}

static bool is_rule_of(struct doc row, struct text name)
{
    for (struct doc_iter it = doc_iter(doc_child(row, "rules")); doc_next(&it);)
        if (text_equal(it.value.text, name))
            return true;
    return false;
}

static void say_subject(struct buf *text, const struct link *link, struct text type)
{
    char id[EVENT_ID_TEXT_MAX];
    event_id_text(link->seq, link->n, id);
    if (type.size != 0)
        say_quoted(text, "", type);
    else
        buf_text(text, "The event");
    buf_printf(text, " (%s)", id);
}

/* Of a record's deadline: which, and why it is another moment. */
static void say_deadline(struct buf *text, const struct link *link)
{
    struct doc data = doc_child(link->row, "data");
    struct text name = doc_text(data, "deadline"), reason = doc_text(data, "reason");
    if (name.size == 0)
        return;
    say_quoted(text, ", of the deadline ", name);
    say_quoted(text, " of ", doc_text(link->row, "about"));
    if (reason.size != 0)
        buf_printf(text, ", because %.*s", (int)reason.size, reason.data);
}

void tell_derived(struct buf *text, const struct link *link, const struct link *maker)
{
    struct text by = doc_text(link->row, "by");
    char id[EVENT_ID_TEXT_MAX];
    event_id_text(maker->seq, maker->n, id);
    say_subject(text, link, doc_text(link->row, "type"));
    buf_text(text, " followed from ");
    say_quoted(text, "", doc_text(maker->row, "type"));
    buf_printf(text, " (%s)", id);
    if (by.size != 0)
        say_quoted(text, is_rule_of(maker->row, by) ? ", by the rule " : ", by ", by);
    say_deadline(text, link);
    buf_text(text, ". ");
}

void tell_timer(struct buf *text, const struct link *link)
{
    struct text by = doc_text(link->row, "by");
    say_subject(text, link, doc_text(link->row, "type"));
    if (text_is(doc_text(link->row, "type"), "schedule.due"))
        say_quoted(text, " came by the schedule of the rule ", by);
    else
        buf_text(text, " came from a timer");
    if (by.size != 0 && !text_is(doc_text(link->row, "type"), "schedule.due"))
        say_quoted(text, ", set by ", by);
    say_deadline(text, link);
    buf_text(text, ", which was due");
    say_time(text, doc_int(link->row, "at", 0));
    buf_printf(text, " (entry %llu of the log). ", (unsigned long long)link->seq);
}

static const char *door(enum log_class class)
{
    switch (class) {
    case LOG_CLIENT:
        return "a client";
    case LOG_STAFF:
        return "staff";
    case LOG_PLUGIN:
        return "a plugin";
    case LOG_SYSTEM:
        break;
    }
    return "Kith itself";
}

void tell_entry(struct buf *text, const struct event *event)
{
    say_quoted(text, "", event->type);
    buf_printf(text, " is entry %llu of the log", (unsigned long long)event->seq);
    if (event->call.size != 0)
        buf_printf(text, ", the call %.*s", (int)event->call.size, event->call.data);
    buf_printf(text, " from %s", door(event->class));
    if (event->source.size != 0 && event->class != LOG_SYSTEM)
        say_quoted(text, " with the key ", event->source);
    if (event->by.size != 0)
        say_quoted(text, ", by ", event->by);
    if (event->id.size != 0)
        say_quoted(text, ", with the id ", event->id);
    if (event->at != event->logged) {
        buf_text(text, "; it happened");
        say_time(text, event->at);
        buf_text(text, " and was logged");
    } else if (event->logged != 0) {
        buf_text(text, ", logged");
    }
    say_time(text, event->logged);
    buf_text(text, ". ");
}

void tell_consequences(struct buf *text, const struct link *link)
{
    struct doc effects = doc_child(link->row, "effects");
    const char *before = "The rules that acted on it: ";
    for (struct doc_iter it = doc_iter(doc_child(link->row, "rules")); doc_next(&it);) {
        say_quoted(text, before, it.value.text);
        before = ", ";
    }
    if (before[0] == ',')
        buf_text(text, ". ");
    before = "The plugins that acted on it, by their handlers: ";
    for (struct doc_iter it = doc_iter(doc_child(link->row, "handlers")); doc_next(&it);) {
        say_quoted(text, before, it.value.text);
        before = ", ";
    }
    if (before[0] == ',')
        buf_text(text, ". ");
    before = "It made the effects ";
    for (struct doc_iter it = doc_iter(effects); doc_next(&it);) {
        char id[EVENT_ID_TEXT_MAX];
        event_id_text(link->seq, (uint64_t)it.value.integer, id);
        buf_printf(text, "%s%s", before, id);
        before = ", ";
    }
    if (before[0] == ',')
        buf_text(text, ". ");
}

/* Who took no part in it, and what became of it for them: lines of the trace that are ours. */
void tell_parked(struct buf *text, const struct link *link)
{
    static const char plugin[] = "plugin ";
    for (struct doc_iter it = doc_iter(doc_child(link->row, "log")); doc_next(&it);) {
        struct text line = it.value.text;
        if (line.size > sizeof plugin && memcmp(line.data, plugin, sizeof plugin - 1) == 0)
            buf_printf(text, "P%.*s. ", (int)line.size - 1, line.data + 1);
    }
}

void tell_refused(struct buf *text, const struct link *link)
{
    struct text reason = doc_text(link->row, "refused");
    if (reason.size != 0)
        buf_printf(text, "It was refused and changed nothing: %.*s. ", (int)reason.size,
                   reason.data);
}

void tell_failed(struct buf *text, const struct link *link)
{
    struct doc data = doc_child(link->row, "data");
    struct text message = doc_text(data, "message");
    char id[EVENT_ID_TEXT_MAX];
    bool is_plugin = text_is(doc_text(link->row, "type"), "plugin.failed");
    if (link->n == 0 || !(is_plugin || text_is(doc_text(link->row, "type"), "rule.failed")))
        return;
    event_id_text(link->seq, link->n, id);
    say_quoted(text, is_plugin ? "The handler " : "The rule ",
               doc_text(data, is_plugin ? "handler" : "rule"));
    buf_printf(text, " failed (%s): %.*s. ", id, (int)message.size, message.data);
}

void tell_erased(struct buf *text, const struct link *link)
{
    say_subject(text, link, doc_text(link->row, "type"));
    buf_text(text, " has been erased from the log. ");
}

void tell_sender(struct buf *text, const struct link *sender)
{
    say_quoted(text, "A rule sent it while ", doc_text(sender->row, "type"));
    buf_text(text, " was applied. ");
}
