/* outside.c -- see outside.h. */
#include "tests/sim/outside.h"

#include "core/base/doc.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/server/node.h"
#include "tests/sim/dice.h"
#include "tests/sim/feedback.h"
#include "tests/sim/outside_event.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS 60
#define ANSWERS_MAX 512
#define START_MS 1793145600000ll /* 2026-10-28: Berlin's clocks have just changed */

enum event_state { EVENT_WAITS, EVENT_SENT, EVENT_ACKED };

struct answer {
    int64_t due; /* boot ms */
    char id[48];
    int64_t attempt;
    enum outcome outcome;
};

struct outside {
    uint64_t seed;
    unsigned life;
    bool is_quiet, has_resumed;
    int journal;
    int64_t wall, boot;
    struct node *node;
    enum event_state events[EVENTS];
    struct answer answers[ANSWERS_MAX];
    size_t answer_count;
    uint64_t sent; /* attempts the provider saw in this life */
    size_t asked;  /* answers that clients wait for */
};

/* -- The journal ------------------------------------- */

__attribute__((format(printf, 2, 3))) static void note(struct outside *outside, const char *format,
                                                       ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    ASSERT(size > 0 && (size_t)size < sizeof line);
    ASSERT(write(outside->journal, line, (size_t)size) == size);
}

static void read_line(struct outside *outside, const char *line)
{
    long long wall, boot;
    int event;
    if (sscanf(line, "time %lld %lld", &wall, &boot) == 2) {
        outside->wall = wall;
        outside->boot = boot;
    } else if (sscanf(line, "ack e-%d", &event) == 1) {
        outside->events[event] = EVENT_ACKED;
    }
}

struct outside *outside_new(const char *journal, uint64_t seed, unsigned life, bool is_quiet)
{
    struct outside *outside = mem_zero(sizeof *outside);
    char line[512];
    outside->seed = seed;
    outside->life = life;
    outside->is_quiet = is_quiet;
    outside->wall = START_MS;
    outside->boot = 1000;
    FILE *file = fopen(journal, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        read_line(outside, line);
    if (file != NULL)
        fclose(file);
    outside->journal = open(journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ASSERT(outside->journal >= 0);
    return outside;
}

void outside_free(struct outside *outside)
{
    close(outside->journal);
    free(outside);
}

/* -- Time ------------------------------------- */

static int64_t wall_ms(void *arg)
{
    return ((struct outside *)arg)->wall;
}

static int64_t boot_ms(void *arg)
{
    return ((struct outside *)arg)->boot;
}

struct clock outside_clock(struct outside *outside)
{
    return (struct clock){ wall_ms, boot_ms, outside };
}

static void note_time(struct outside *outside)
{
    note(outside, "time %lld %lld\n", (long long)outside->wall, (long long)outside->boot);
}

void outside_pass(struct outside *outside, int64_t ms)
{
    outside->wall += ms;
    outside->boot += ms;
    note_time(outside);
}

void outside_skew(struct outside *outside, int64_t ms)
{
    outside->wall += ms;
    note_time(outside);
}

void outside_reboot(struct outside *outside)
{
    outside->boot = 1000;
    note_time(outside);
}

/* -- The provider ------------------------------------- */

#define TURN_MS \
    7000 /* the hook's receiver takes nothing in every fourth turn, then one at a time */

static void plan_answer(struct outside *outside, struct text id, int64_t attempt, int64_t wait,
                        enum outcome outcome)
{
    if (outside->answer_count == ANSWERS_MAX)
        return; /* it forgets: never is one of the things a provider may say */
    struct answer *answer = &outside->answers[outside->answer_count++];
    *answer =
        (struct answer){ .due = outside->boot + wait, .attempt = attempt, .outcome = outcome };
    memcpy(answer->id, id.data, id.size);
}

/* What only a receiver of hooks says: come back later, or never again.  True: it has. */
static bool turns_away(struct outside *outside, struct deliverer *deliverer, struct text id,
                       int64_t attempt, uint64_t dice)
{
    if (outside->is_quiet || dice % 16 < 12)
        return false;
    if (dice % 16 == 15 && (dice >> 8) % 4 == 0) {
        deliver_pause(deliverer, "hook", text_of("gone"));
        deliver_answer(deliverer, id, attempt, OUTCOME_FAILED, text_of("gone"));
        return true;
    }
    int64_t wait = (int64_t)(dice >> 8 & 0xffffff) % 2400000;
    deliver_answer_later(deliverer, id, attempt, text_of("later"), wait);
    return true;
}

static void note_message(struct outside *outside, const char *what, const char *channel,
                         struct text id, int64_t attempt, struct doc message)
{
    struct text body = doc_text(message, "body");
    while (body.size != 0 && body.data[body.size - 1] == '\n') /* of a template's file */
        body.size--;
    note(outside, "%s %.*s %lld %s %lld %.*s\n", what, (int)id.size, id.data, (long long)attempt,
         channel, (long long)doc_int(message, "customer", 0), (int)body.size, body.data);
}

/* -- What it says later of what it has, and of what nobody has ------------------------------ */

/* One that is forged would unsubscribe somebody, if anybody had sent that. */
static void tell_something(struct outside *outside, const char *channel, struct text id,
                           uint64_t dice)
{
    static const char *const types[] = { "message.delivered", "message.opened", "message.replied" };
    if (dice % 4 == 0)
        feedback_tell(outside->node, &outside->asked, types[(dice >> 8) % 3], id, NULL);
    if (dice % 16 == 1)
        feedback_tell(outside->node, &outside->asked, "message.unsubscribed", text_of("999999.7"),
                      NULL);
    if (dice % 32 == 2)
        feedback_tell(outside->node, &outside->asked, "message.unsubscribed", id, channel);
    if (dice % 16 == 3)
        feedback_tell(outside->node, &outside->asked, "message.resubscribed", id, channel);
}

static void provide(struct outside *outside, const char *channel, struct deliverer *deliverer,
                    struct text id, int64_t attempt, struct doc message)
{
    uint64_t dice = dice_roll(outside->seed ^ outside->life, ++outside->sent, 17);
    bool fails = !outside->is_quiet && dice % 16 == 0;
    note_message(outside, fails ? "fail" : "recv", channel, id, attempt, message);
    if (!fails)
        tell_something(outside, channel, id, dice_mix(dice));
    if (outside->is_quiet || dice % 16 < 8) {
        deliver_answer(deliverer, id, attempt, fails ? OUTCOME_FAILED : OUTCOME_SENT,
                       (struct text){ "", 0 });
        return;
    }
    switch (dice % 16) {
    case 8: /* never */
        break;
    case 9: /* twice */
        plan_answer(outside, id, attempt, 5, OUTCOME_SENT);
        plan_answer(outside, id, attempt, 700, OUTCOME_SENT);
        break;
    case 10: /* when nobody waits any more */
        plan_answer(outside, id, attempt, 90000, OUTCOME_SENT);
        break;
    case 11: /* takes it and says no: a liar is believed */
        plan_answer(outside, id, attempt, 20, OUTCOME_REJECTED);
        break;
    case 12: /* contradicts itself: the first counts */
        plan_answer(outside, id, attempt, 5, OUTCOME_SENT);
        plan_answer(outside, id, attempt, 6, OUTCOME_FAILED);
        break;
    default:
        plan_answer(outside, id, attempt, (int64_t)(dice >> 8) % 3000, OUTCOME_SENT);
    }
}

static void send_sms(void *self, struct deliverer *deliverer, struct text id, int64_t attempt,
                     struct doc message)
{
    provide(self, "sms", deliverer, id, attempt, message);
}

static void send_hook(void *self, struct deliverer *deliverer, struct text id, int64_t attempt,
                      struct doc message)
{
    struct outside *outside = self;
    uint64_t dice = dice_roll(outside->seed ^ outside->life, ++outside->sent, 18);
    if (turns_away(outside, deliverer, id, attempt, dice_mix(dice)))
        note_message(outside, "fail", "hook", id, attempt, message);
    else
        provide(self, "hook", deliverer, id, attempt, message);
}

static void hook_status(void *self, struct channel_status *out_status)
{
    const struct outside *outside = self;
    int64_t turn = outside->boot / TURN_MS % 4;
    out_status->window = outside->is_quiet || turn > 1 ? CHANNEL_WINDOW : (size_t)turn;
    out_status->wait_ms = turn == 0 ? TURN_MS - outside->boot % TURN_MS : -1;
}

size_t outside_channels(struct outside *outside, struct channel out_channels[2])
{
    out_channels[0] = (struct channel){ .name = "sms", .self = outside, .send = send_sms };
    out_channels[1] = (struct channel){
        .name = "hook",
        .is_idempotent = true,
        .self = outside,
        .send = send_hook,
        .status = hook_status,
    };
    return 2;
}

int64_t outside_provide(struct outside *outside)
{
    int64_t next = -1;
    for (size_t i = 0; i < outside->answer_count;) {
        struct answer answer = outside->answers[i];
        if (answer.due > outside->boot) {
            int64_t wait = answer.due - outside->boot;
            next = next < 0 || wait < next ? wait : next;
            i++;
            continue;
        }
        outside->answers[i] = outside->answers[--outside->answer_count];
        deliver_answer(node_deliverer(outside->node), text_of(answer.id), answer.attempt,
                       answer.outcome, (struct text){ "", 0 });
    }
    return next;
}

/* -- Clients ------------------------------------- */

struct errand { /* who waits for an answer */
    struct outside *outside;
    int first, count;  /* events; count 0: a decision of staff */
    char decision[80]; /* the line to note */
};

static void heard(void *arg, const struct submission *submission)
{
    struct errand *errand = arg;
    errand->outside->asked--;
    for (int i = errand->first; i < errand->first + errand->count; i++) {
        if (submission->code == 0) {
            note(errand->outside, "%s e-%d\n", submission->wants_applied ? "told" : "ack", i);
            note(errand->outside, "ack e-%d\n", i);
        }
        errand->outside->events[i] = submission->code == 0 ? EVENT_ACKED : EVENT_WAITS;
    }
    if (errand->count == 0 && submission->code == 0 && submission->result.status == ENGINE_DONE)
        note(errand->outside, "%s\n", errand->decision);
    free(errand);
}

static void post(struct outside *outside, struct submission *submission, struct errand *errand)
{
    submission->done = heard;
    submission->arg = errand;
    submission->starts_clock = true;
    outside->asked++;
    sequencer_post_own(node_sequencer(outside->node), submission);
}

/* The entry is written: whoever sends it hears when it has been applied. */
static void post_applied(struct outside *outside, struct submission *submission,
                         struct doc_writer *w, struct errand *errand)
{
    submission_end(submission, w);
    submission->wants_applied = true;
    post(outside, submission, errand);
}

static void send_events(struct outside *outside, int first, int count, bool wants_applied,
                        bool is_logged_in)
{
    struct submission *submission = submission_new(LOG_CLIENT);
    struct errand *errand = mem_zero(sizeof *errand);
    *errand = (struct errand){ .outside = outside, .first = first, .count = count };
    for (int i = first; i < first + count; i++) {
        outside_put_event(submission, outside->seed, i, outside->wall, is_logged_in);
        if (outside->events[i] != EVENT_ACKED)
            outside->events[i] = EVENT_SENT;
    }
    submission->wants_applied = wants_applied;
    post(outside, submission, errand);
}

static int next_event(const struct outside *outside)
{
    for (int i = 0; i < EVENTS; i++)
        if (outside->events[i] == EVENT_WAITS)
            return i;
    return EVENTS;
}

/* -- Staff ------------------------------------- */

static void change_consent(struct outside *outside, uint64_t dice)
{
    struct submission *submission = submission_new(LOG_STAFF);
    struct errand *errand = mem_zero(sizeof *errand);
    struct doc_writer w;
    errand->outside = outside;
    snprintf(errand->decision, sizeof errand->decision, "consent");
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "consent.changed");
    /* By number also of somebody who has been erased: the look before it came too early. */
    outside_put_text(&w, "ref", (dice >> 24 & 3) == 0 ? "%d" : "user_id:u-%d",
                     (int)(dice >> 8 & 0xffff) % 6 + 1);
    doc_put_string(&w, "source", "staff");
    doc_open(&w, "data");
    doc_put_string(&w, "purpose", dice & 64 ? "news" : "service");
    doc_put_string(&w, "channel", "sms");
    doc_put_string(&w, "state", dice & 128 ? "withdrawn" : "granted");
    doc_close(&w);
    post_applied(outside, submission, &w, errand);
}

/* {"channel": "hook"} is paused, or resumed. */
static void pause_or_resume(struct outside *outside, const char *type, const char *field,
                            const char *name)
{
    struct submission *submission = submission_new(LOG_STAFF);
    struct errand *errand = mem_zero(sizeof *errand);
    struct doc_writer w;
    errand->outside = outside;
    snprintf(errand->decision, sizeof errand->decision, "%s %s", type, name);
    submission_begin(submission, &w);
    doc_put_string(&w, "type", type);
    doc_put_string(&w, "source", "staff");
    doc_open(&w, "data");
    doc_put_string(&w, field, name);
    doc_close(&w);
    post_applied(outside, submission, &w, errand);
}

/* Rules that send and do nothing else; not each is in each bundle. */
static const char *const pausable[] = { "follow", "due", "daily" };
#define PAUSABLE_COUNT (sizeof pausable / sizeof *pausable)

static void resume_hook(struct outside *outside)
{
    pause_or_resume(outside, "channel.resumed", "channel", "hook");
}

static void resume_everything(struct outside *outside)
{
    resume_hook(outside);
    pause_or_resume(outside, "channel.resumed", "channel", "*");
    for (size_t i = 0; i < PAUSABLE_COUNT; i++)
        pause_or_resume(outside, "rule.resumed", "rule", pausable[i]);
}

static void pause_something(struct outside *outside, uint64_t dice)
{
    bool is_rule = (dice >> 8 & 3) != 0;
    const char *name = is_rule ? pausable[(dice >> 16 & 0xffff) % PAUSABLE_COUNT] : "*";
    bool is_pause = (dice >> 10 & 1) != 0;
    if (is_rule)
        pause_or_resume(outside, is_pause ? "rule.paused" : "rule.resumed", "rule", name);
    else
        pause_or_resume(outside, is_pause ? "channel.paused" : "channel.resumed", "channel", name);
}

/* Each is the other's deputy, now and then. */
static void put_absence(struct outside *outside, struct doc_writer *w, const char *deputy,
                        uint64_t dice)
{
    int64_t hour = 3600000, from = outside->wall + ((int64_t)(dice & 7) - 2) * hour;
    if ((dice >> 8 & 3) != 0)
        doc_put_string(w, "deputy", deputy);
    if ((dice >> 13 & 3) == 0)
        return;
    doc_open_array(w, "absences");
    doc_open(w, "");
    doc_put_int(w, "from", from);
    doc_put_int(w, "until", from + (int64_t)(12 + (dice >> 3 & 63)) * hour);
    doc_close(w);
    doc_close(w);
}

/* Staff come, get a key, and go; whoever has open tasks stays. */
static void change_staff(struct outside *outside, uint64_t dice)
{
    static const char *const types[] = { "staff.set", "key.set", "staff.removed", "staff.set" };
    struct submission *submission = submission_new(LOG_STAFF);
    struct errand *errand = mem_zero(sizeof *errand);
    struct doc_writer w;
    const char *name = dice & 64 ? "anna" : "ben";
    const char *type = types[dice >> 8 & 3];
    errand->outside = outside;
    snprintf(errand->decision, sizeof errand->decision, "staff");
    submission_begin(submission, &w);
    doc_put_string(&w, "type", type);
    doc_put_string(&w, "source", "staff");
    doc_open(&w, "data");
    doc_put_string(&w, "name", name);
    if (strcmp(type, "key.set") == 0) {
        doc_put_string(&w, "staff", name);
        outside_put_text(&w, "hash", "%08d", (int)(dice >> 32 & 0xffffff));
    } else if (outside->seed % 2 != 0 && strcmp(type, "staff.set") == 0) {
        /* not where customers are erased: how far that is the model does not know */
        put_absence(outside, &w, dice & 64 ? "ben" : "anna", dice >> 32);
    }
    doc_close(&w);
    post_applied(outside, submission, &w, errand);
}

/* Somebody is done with a reminder that may be there, and says what it was in the end. */
static void close_reminder(struct outside *outside, uint64_t dice)
{
    struct submission *submission = submission_new(LOG_STAFF);
    struct errand *errand = mem_zero(sizeof *errand);
    struct doc_writer w;
    errand->outside = outside;
    snprintf(errand->decision, sizeof errand->decision, "reminder");
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "reminder.done");
    doc_put_string(&w, "source", "staff");
    doc_open(&w, "data");
    doc_put_int(&w, "task", (int64_t)(dice & 0xff) % 6 + 1);
    if ((dice >> 8 & 1) != 0)
        doc_put_string(&w, "title", "called");
    if ((dice >> 9 & 1) != 0)
        doc_put_int(&w, "due", outside->wall + (int64_t)(dice >> 10 & 0xff) * 3600000);
    doc_close(&w);
    post_applied(outside, submission, &w, errand);
}

/* Codes are loaded, some of them again. */
static void load_codes(struct outside *outside, uint64_t dice)
{
    struct submission *submission = submission_new(LOG_STAFF);
    struct errand *errand = mem_zero(sizeof *errand);
    struct doc_writer w;
    int first = (int)(dice >> 8 & 0xffff) % 10;
    errand->outside = outside;
    snprintf(errand->decision, sizeof errand->decision, "load");
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "pool.load");
    doc_put_string(&w, "source", "staff");
    doc_open(&w, "data");
    doc_put_string(&w, "pool", "gift");
    doc_open_array(&w, "codes");
    for (int i = first; i < first + 3; i++)
        outside_put_text(&w, "", "c-%d", i);
    doc_close(&w);
    doc_close(&w);
    post_applied(outside, submission, &w, errand);
}

/* Cases are opened, wait, go on, are closed, turn out to be worse or better, or one another. */
static void change_case(struct outside *outside, uint64_t dice)
{
    static const char *const transitions[] = { "wait", "go", "close" };
    struct submission *submission = submission_new(LOG_STAFF);
    struct errand *errand = mem_zero(sizeof *errand);
    struct doc_writer w;
    uint64_t what = (dice & 0xff) % 6;
    errand->outside = outside;
    snprintf(errand->decision, sizeof errand->decision, "case");
    submission_begin(submission, &w);
    doc_put_string(&w, "type",
                   what < 2   ? "record.create"
                   : what < 5 ? "record.move"
                              : "record.change");
    if (what < 2)
        outside_put_text(&w, "ref", "user_id:u-%d", (int)(dice >> 8 & 0xffff) % 6 + 1);
    doc_put_string(&w, "source", "staff");
    doc_open(&w, "data");
    doc_put_string(&w, "kind", "case");
    if (what >= 2)
        doc_put_int(&w, "record", (int64_t)(dice >> 24 & 0xff) % 8 + 1);
    if (what >= 2 && what < 5)
        doc_put_string(&w, "transition", transitions[what - 2]);
    if (what >= 2 && (dice >> 40 & 3) == 0) /* as it was when somebody looked */
        doc_put_int(&w, "expect", (int64_t)(dice >> 42 & 3) + 1);
    doc_open(&w, "fields");
    if (what == 5 && (dice >> 33 & 1) != 0)
        doc_put_int(&w, "of", (int64_t)(dice >> 34 & 0x3f) % 8 + 1);
    else if (what < 2 || what == 5)
        doc_put_string(&w, "level", dice >> 32 & 1 ? "high" : "low");
    if (what < 2) {
        doc_put_string(&w, "wanted", "2d");
        doc_put_string(&w, "what", (dice >> 44 & 7) == 0 ? " \t\xe3\x80\x80" : "it");
    }
    doc_close(&w);
    doc_close(&w);
    post_applied(outside, submission, &w, errand);
}

/* Somebody wants to be forgotten. */
static void erase(struct outside *outside, uint64_t dice)
{
    struct submission *submission = submission_new(LOG_STAFF);
    struct errand *errand = mem_zero(sizeof *errand);
    struct doc_writer w;
    errand->outside = outside;
    snprintf(errand->decision, sizeof errand->decision, "erase");
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "erase.requested");
    outside_put_text(&w, "ref", "user_id:u-%d", (int)(dice >> 8 & 0xffff) % 6 + 1);
    doc_put_string(&w, "source", "staff");
    post_applied(outside, submission, &w, errand);
}

struct decision {
    struct job job;
    struct outside *outside;
    uint64_t dice;
    char id[48];
};

static void look_for_doubt(struct engine *engine, void *arg)
{
    struct decision *decision = arg;
    struct key prefix;
    struct cursor cursor;
    key_start(&prefix, 'y');
    key_text(&prefix, text_of(decision->dice & 1 ? "uncertain" : "held"));
    cursor_open(&cursor, engine_state(engine), &prefix);
    if (cursor_next(&cursor)) {
        struct key_reader reader = { cursor.key.data + prefix.size,
                                     cursor.key.data + cursor.key.size };
        uint64_t seq = 0, n = 0;
        if (key_read_number(&reader, &seq) && key_read_number(&reader, &n))
            event_id_text(seq, n, decision->id);
    }
    cursor_close(&cursor);
}

static void decide(struct mail *mail, void *reader)
{
    struct decision *decision = (struct decision *)mail;
    struct outside *outside = decision->outside;
    (void)reader;
    outside->asked--;
    if (decision->id[0] != '\0') {
        const char *what = decision->dice & 2 ? "release" : "drop";
        struct submission *submission = submission_new(LOG_STAFF);
        struct errand *errand = mem_zero(sizeof *errand);
        struct doc_writer w;
        char type[32];
        errand->outside = outside;
        snprintf(errand->decision, sizeof errand->decision, "%s %s", what, decision->id);
        snprintf(type, sizeof type, "effect.%s", what);
        submission_begin(submission, &w);
        doc_put_string(&w, "type", type);
        doc_put_string(&w, "source", "staff");
        doc_open(&w, "data");
        doc_put_string(&w, "id", decision->id);
        doc_close(&w);
        submission_end(submission, &w);
        submission->wants_applied = true;
        post(outside, submission, errand);
    }
    free(decision);
}

static void decide_something(struct outside *outside, uint64_t dice)
{
    struct decision *decision = mem_zero(sizeof *decision);
    decision->job.mail.handle = decide;
    decision->job.run = look_for_doubt;
    decision->job.arg = decision;
    decision->outside = outside;
    decision->dice = dice >> 8;
    outside->asked++;
    fold_ask(node_fold(outside->node), &decision->job);
}

/* -- Acting ------------------------------------- */

void outside_attach(struct outside *outside, struct node *node)
{
    outside->node = node;
}

void outside_act(struct outside *outside, uint64_t dice)
{
    int next = next_event(outside);
    switch (dice % 16) {
    case 0:
        if ((dice >> 57 & 3) == 0)
            load_codes(outside, dice >> 4);
        else if ((dice >> 57 & 3) == 1)
            change_consent(outside, dice >> 4);
        else if ((dice >> 55 & 3) == 0)
            close_reminder(outside, dice >> 4);
        else
            change_staff(outside, dice >> 4);
        return;
    case 1:
        if (dice >> 62 == 0)
            resume_hook(outside);
        else if (dice >> 4 & 1)
            decide_something(outside, dice >> 4);
        else if (outside->seed % 2 == 0 && (dice >> 5) % 3 == 0) /* in every other history */
            erase(outside, dice >> 8);
        else
            pause_something(outside, dice >> 8);
        return;
    case 2:
    case 3: /* again, although it was acknowledged, or while its first sending is under way */
        if (next != 0)
            send_events(outside, (int)((dice >> 8) % (uint64_t)next), 1, dice >> 63 != 0,
                        (dice >> 60 & 1) != 0);
        return;
    case 4: { /* a batch */
        int count = (int)(dice >> 8 & 0xffff) % 5 + 1;
        if (next + count <= EVENTS)
            send_events(outside, next, count, false, false);
        return;
    }
    default:
        if ((dice >> 56 & 7) == 0)
            change_case(outside, dice >> 8);
        else if ((dice >> 56 & 7) == 1) /* few calls, so that most have come before */
            feedback_call(outside->node, &outside->asked, (int)(dice >> 8 & 0xffff) % 12,
                          (int)(dice >> 24 & 0xffff) % 6 + 1);
        else if (next < EVENTS)
            send_events(outside, next, 1, dice >> 62 == 0, false);
    }
}

void outside_finish(struct outside *outside)
{
    int next = next_event(outside);
    if (!outside->has_resumed)
        resume_everything(outside);
    outside->has_resumed = true;
    if (next < EVENTS)
        send_events(outside, next, 1, false, false);
}

bool outside_is_done(const struct outside *outside)
{
    return next_event(outside) == EVENTS && outside->asked == 0 && outside->answer_count == 0;
}
