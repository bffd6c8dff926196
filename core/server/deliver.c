/* deliver.c -- see deliver.h for the life of an effect here. */
#include "core/server/deliver.h"

#include "core/base/err.h"
#include "core/base/histogram.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/engine/engine.h"
#include "core/server/fold.h"
#include "core/server/sequencer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNELS_MAX 32
#define RETRY_WRITE_MS 1000
#define STANDING_WAIT_MS 1000 /* until log time goes on: against a wrong clock all is history */
#define WATCH_MS 5000         /* between two looks at what waits for a channel that takes nothing */
#define COUNT_MS 1000         /* between two counts of more than a page */
#define WAITING_MAX 10000     /* counted of it */

enum place_state {
    PLACE_FREE,
    PLACE_CLAIMING,  /* the claim is on its way through log and engine */
    PLACE_SENDING,   /* the channel has it */
    PLACE_RECORDING, /* the outcome is on its way */
    PLACE_UNWRITTEN, /* the outcome could not be written: again at `deadline` */
};

struct place {
    enum place_state state;
    char id[EVENT_ID_TEXT_MAX];
    int64_t attempt, print;
    int64_t deadline; /* boot ms */
    int64_t sent_ns;  /* when the channel got it */
    enum outcome outcome;
    int64_t wait_ms; /* asked for before the next attempt */
    char detail[120];
};

struct line { /* one channel's */
    struct deliverer *deliverer;
    struct channel channel;
    struct place places[CHANNEL_WINDOW];
    bool is_wanted; /* there is something to claim, as far as we know */
    bool is_asking;
    bool is_pausing;  /* the pause is on its way through log and engine */
    int64_t ask_at;   /* boot ms: not before, after a claim could not be written */
    int64_t look_at;  /* the same of looking at what waits when nothing may be claimed */
    int64_t count_at; /* the same of counting it */
    struct job job;
    struct answer { /* the engine's, while it is asked: its thread's */
        struct ready_effect found[CHANNEL_WINDOW];
        size_t found_count, waiting;
        bool is_counting, is_paused;
    } answer;
    size_t waiting; /* as of the last answer */
    bool is_paused;
    uint64_t outcomes[4];
    struct histogram delivery;
};

struct deliverer {
    struct sequencer *sequencer;
    struct fold *fold;
    struct clock clock;
    uint64_t run;
    bool is_winding_down;
    deliver_link_fn *make_links; /* NULL: nobody does */
    void *links_arg;
    struct buf linked; /* the message with them */
    struct line *lines[CHANNELS_MAX];
    size_t line_count;
};

static const char *const outcome_names[] = { "sent", "rejected", "failed", "uncertain" };

const char *channel_circuit_name(enum channel_circuit circuit)
{
    static const char *const names[] = { "closed", "open", "half-open" };
    return names[circuit];
}

static int64_t now_ms(const struct deliverer *deliverer)
{
    return deliverer->clock.boot_ms(deliverer->clock.arg);
}

struct deliverer *deliver_new(struct sequencer *sequencer, struct fold *fold, struct clock clock)
{
    struct deliverer *deliverer = mem_zero(sizeof *deliverer);
    deliverer->sequencer = sequencer;
    deliverer->fold = fold;
    deliverer->clock = clock;
    return deliverer;
}

void deliver_free(struct deliverer *deliverer)
{
    if (deliverer == NULL)
        return;
    for (size_t i = 0; i < deliverer->line_count; i++)
        free(deliverer->lines[i]);
    buf_deinit(&deliverer->linked);
    free(deliverer);
}

void deliver_add_channel(struct deliverer *deliverer, const struct channel *channel)
{
    ASSERT(deliverer->line_count < CHANNELS_MAX);
    struct line *line = mem_zero(sizeof *line);
    line->deliverer = deliverer;
    line->channel = *channel;
    deliverer->lines[deliverer->line_count++] = line;
}

static struct line *find_line(struct deliverer *deliverer, struct text channel)
{
    for (size_t i = 0; i < deliverer->line_count; i++)
        if (text_is(channel, deliverer->lines[i]->channel.name))
            return deliverer->lines[i];
    return NULL;
}

static struct place *find_place(struct line *line, struct text id)
{
    for (size_t i = 0; i < CHANNEL_WINDOW; i++)
        if (line->places[i].state != PLACE_FREE && text_is(id, line->places[i].id))
            return &line->places[i];
    return NULL;
}

static size_t free_places(const struct line *line)
{
    size_t count = 0;
    for (size_t i = 0; i < CHANNEL_WINDOW; i++)
        count += line->places[i].state == PLACE_FREE;
    return count;
}

static struct channel_status status_of(const struct line *line)
{
    struct channel_status status = { .window = CHANNEL_WINDOW, .wait_ms = -1 };
    if (line->channel.status != NULL)
        line->channel.status(line->channel.self, &status);
    return status;
}

/* How many messages may be claimed now. */
static size_t room(const struct line *line)
{
    size_t window = status_of(line).window, free = free_places(line);
    size_t used = CHANNEL_WINDOW - free, allowed = window > used ? window - used : 0;
    return line->is_pausing ? 0 : allowed < free ? allowed : free;
}

/* -- Claims ------------------------------------- */

static void ask(struct line *line);

/* What a submission for a place refers to: the place may be reused before the answer. */
struct errand {
    struct line *line;
    char id[EVENT_ID_TEXT_MAX];
};

static struct errand *errand_new(struct line *line, const struct place *place)
{
    struct errand *errand = mem_alloc(sizeof *errand);
    errand->line = line;
    memcpy(errand->id, place->id, sizeof errand->id);
    return errand;
}

static void release(struct line *line, struct place *place)
{
    place->state = PLACE_FREE;
    ask(line);
}

static void claim_written(void *arg, const struct submission *submission)
{
    struct errand *errand = arg;
    struct line *line = errand->line;
    struct place *place = find_place(line, text_of(errand->id));
    if (submission->code != 0 && place != NULL && place->state == PLACE_CLAIMING) {
        place->state = PLACE_FREE;
        line->is_wanted = true;
        line->ask_at = now_ms(line->deliverer) + RETRY_WRITE_MS;
    }
    free(errand);
}

static void begin_entry(struct submission *submission, struct doc_writer *w, const char *type,
                        const struct place *place)
{
    submission_begin(submission, w);
    doc_put_string(w, "type", type);
    doc_open(w, "data");
    doc_put_string(w, "id", place->id);
    doc_put_int(w, "attempt", place->attempt);
    doc_put_int(w, "print", place->print);
}

static void post_claim(struct line *line, struct place *place)
{
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct doc_writer w;
    begin_entry(submission, &w, "effect.claim", place);
    doc_put_int(&w, "run", (int64_t)line->deliverer->run);
    doc_close(&w);
    submission_end(submission, &w);
    submission->done = claim_written;
    submission->arg = errand_new(line, place);
    sequencer_post_own(line->deliverer->sequencer, submission);
}

static struct place *take_place(struct line *line, const struct ready_effect *effect)
{
    for (size_t i = 0; i < CHANNEL_WINDOW; i++) {
        struct place *place = &line->places[i];
        if (place->state != PLACE_FREE)
            continue;
        *place = (struct place){ .state = PLACE_CLAIMING,
                                 .attempt = effect->attempt,
                                 .print = effect->print };
        memcpy(place->id, effect->id, sizeof place->id);
        return place;
    }
    return NULL;
}

static int64_t timeout_ms(const struct line *line)
{
    return line->channel.timeout_ms != 0 ? line->channel.timeout_ms : CHANNEL_TIMEOUT_MS;
}

static void look(struct engine *engine, void *arg)
{
    struct line *line = arg;
    struct answer *answer = &line->answer;
    struct text name = text_of(line->channel.name);
    answer->found_count = engine_ready(engine, name, answer->found, CHANNEL_WINDOW);
    answer->is_paused = engine_is_paused(engine, name);
    answer->is_counting = answer->is_counting || answer->is_paused;
    /* Less than a page is all there is. */
    if (answer->found_count < CHANNEL_WINDOW && !answer->is_paused)
        answer->waiting = answer->found_count;
    else if (answer->is_counting)
        answer->waiting = engine_waiting(engine, name, WAITING_MAX);
}

/* Claim of what was found as much as there is room for; how much of it is on its way then. */
static size_t claim(struct line *line)
{
    size_t left = room(line), taken = 0;
    for (size_t i = 0; i < line->answer.found_count; i++) {
        const struct ready_effect *effect = &line->answer.found[i];
        bool is_known = find_place(line, text_of(effect->id)) != NULL;
        if (!is_known && left == 0)
            continue;
        taken++;
        if (is_known)
            continue; /* its claim is under way and not applied yet */
        post_claim(line, take_place(line, effect));
        left--;
    }
    return taken;
}

static void looked(struct mail *mail, void *reader)
{
    struct line *line = ((struct job *)mail)->arg;
    const struct answer *answer = &line->answer;
    (void)reader;
    line->is_asking = false;
    line->is_paused = answer->is_paused;
    line->waiting = answer->waiting;
    if (line->deliverer->is_winding_down)
        return;
    size_t taken = claim(line);
    line->waiting -= taken < line->waiting ? taken : line->waiting;
    /* What was left, and what a full page may have behind it, is asked for again when there is
     * room. */
    line->is_wanted =
        line->is_wanted || taken < answer->found_count || answer->found_count == CHANNEL_WINDOW;
}

static void ask(struct line *line)
{
    struct deliverer *deliverer = line->deliverer;
    if (!line->is_wanted || line->is_asking || deliverer->run == 0 || deliverer->is_winding_down ||
        free_places(line) == 0 || now_ms(deliverer) < line->ask_at ||
        atomic_load(&deliverer->sequencer->is_standing))
        return;
    /* Without room it is looked at all the same, now and then: people see what waits. */
    if (room(line) == 0 && now_ms(deliverer) < line->look_at)
        return;
    line->look_at = now_ms(deliverer) + WATCH_MS;
    line->answer.is_counting = now_ms(deliverer) >= line->count_at;
    if (line->answer.is_counting)
        line->count_at = now_ms(deliverer) + COUNT_MS;
    line->is_wanted = false;
    line->is_asking = true;
    line->job = (struct job){ .mail = { .handle = looked }, .run = look, .arg = line };
    fold_ask(deliverer->fold, &line->job);
}

void deliver_start(struct deliverer *deliverer, uint64_t run)
{
    deliverer->run = run;
    for (size_t i = 0; i < deliverer->line_count; i++) {
        deliverer->lines[i]->is_wanted = true;
        ask(deliverer->lines[i]);
    }
}

void deliver_wind_down(struct deliverer *deliverer)
{
    deliverer->is_winding_down = true;
}

void deliver_ready(struct deliverer *deliverer, struct text channel)
{
    struct line *line = find_line(deliverer, channel);
    if (line == NULL)
        return;
    line->is_wanted = true;
    ask(line);
}

void deliver_set_links(struct deliverer *deliverer, deliver_link_fn *make, void *arg)
{
    deliverer->make_links = make;
    deliverer->links_arg = arg;
}

/* The engine has no secrets: what links it has declared become addresses here. */
static void dispatch(struct line *line, struct text id, int64_t attempt, struct doc message)
{
    struct deliverer *deliverer = line->deliverer;
    struct err err;
    int rc = 0;
    if (deliverer->make_links != NULL && doc_get(message, "links").type == DOC_DOC) {
        buf_clear(&deliverer->linked);
        rc = deliverer->make_links(deliverer->links_arg, id, message, &deliverer->linked, &err);
        message = (struct doc){ deliverer->linked.data, (uint32_t)deliverer->linked.size };
    }
    if (rc == 0)
        line->channel.send(line->channel.self, deliverer, id, attempt, message);
    else
        deliver_answer(deliverer, id, attempt, OUTCOME_FAILED, text_of(err.text));
}

void deliver_go(struct deliverer *deliverer, struct text id, int64_t attempt, struct text channel,
                struct doc message)
{
    struct line *line = find_line(deliverer, channel);
    struct place *place = line != NULL ? find_place(line, id) : NULL;
    if (place == NULL || place->state != PLACE_CLAIMING || place->attempt != attempt)
        return; /* not a claim of ours that is open: daemon.started will list it */
    place->state = PLACE_SENDING;
    place->deadline = now_ms(deliverer) + timeout_ms(line);
    place->sent_ns = clock_ns();
    dispatch(line, id, attempt, message);
}

void deliver_no_go(struct deliverer *deliverer, struct text id, struct text channel)
{
    struct line *line = find_line(deliverer, channel);
    struct place *place = line != NULL ? find_place(line, id) : NULL;
    if (place != NULL && place->state == PLACE_CLAIMING)
        release(line, place);
}

/* -- Outcomes ------------------------------------- */

static void outcome_written(void *arg, const struct submission *submission)
{
    struct errand *errand = arg;
    struct line *line = errand->line;
    struct place *place = find_place(line, text_of(errand->id));
    if (place != NULL && place->state == PLACE_RECORDING) {
        if (submission->code == 0) {
            release(line, place);
        } else {
            place->state = PLACE_UNWRITTEN;
            place->deadline = now_ms(line->deliverer) + RETRY_WRITE_MS;
        }
    }
    free(errand);
}

static void post_outcome(struct line *line, struct place *place)
{
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct doc_writer w;
    begin_entry(submission, &w, "effect.outcome", place);
    doc_put_string(&w, "outcome", outcome_names[place->outcome]);
    if (place->detail[0] != '\0')
        doc_put_string(&w, "detail", place->detail);
    if (place->wait_ms > 0)
        doc_put_int(&w, "wait_ms", place->wait_ms);
    doc_close(&w);
    submission_end(submission, &w);
    submission->done = outcome_written;
    submission->arg = errand_new(line, place);
    place->state = PLACE_RECORDING;
    sequencer_post_own(line->deliverer->sequencer, submission);
}

/* An answer after its time: the place is gone, but the log shall know. */
static void post_late_outcome(struct deliverer *deliverer, struct text id, int64_t attempt,
                              enum outcome outcome)
{
    struct place late = { .attempt = attempt, .outcome = outcome };
    memcpy(late.id, id.data, id.size);
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct doc_writer w;
    begin_entry(submission, &w, "effect.outcome", &late);
    doc_put_string(&w, "outcome", outcome_names[outcome]);
    doc_close(&w);
    submission_end(submission, &w);
    sequencer_post_own(deliverer->sequencer, submission);
}

static struct line *line_sending(struct deliverer *deliverer, struct text id,
                                 struct place **out_place)
{
    for (size_t i = 0; i < deliverer->line_count; i++) {
        *out_place = find_place(deliverer->lines[i], id);
        if (*out_place != NULL)
            return deliverer->lines[i];
    }
    return NULL;
}

static void note_answer(struct deliverer *deliverer, struct text id, int64_t attempt,
                        enum outcome outcome, struct text detail, int64_t wait_ms)
{
    struct place *place = NULL;
    struct line *line = line_sending(deliverer, id, &place);
    if (line == NULL || place->attempt != attempt) {
        bool is_certain = outcome == OUTCOME_SENT || outcome == OUTCOME_REJECTED;
        if (is_certain && id.size < EVENT_ID_TEXT_MAX && deliverer->line_count != 0)
            post_late_outcome(deliverer, id, attempt, outcome);
        return;
    }
    if (place->state != PLACE_SENDING)
        return; /* a second answer */
    histogram_add(&line->delivery, clock_ns() - place->sent_ns);
    place->outcome = outcome;
    place->wait_ms = wait_ms;
    snprintf(place->detail, sizeof place->detail, "%.*s", (int)detail.size, detail.data);
    line->outcomes[outcome]++;
    post_outcome(line, place);
}

void deliver_answer(struct deliverer *deliverer, struct text id, int64_t attempt,
                    enum outcome outcome, struct text detail)
{
    note_answer(deliverer, id, attempt, outcome, detail, 0);
}

void deliver_answer_later(struct deliverer *deliverer, struct text id, int64_t attempt,
                          struct text detail, int64_t wait_ms)
{
    note_answer(deliverer, id, attempt, OUTCOME_FAILED, detail, wait_ms);
}

/* -- Pauses ------------------------------------- */

static void pause_applied(void *arg, const struct submission *submission)
{
    struct line *line = arg;
    line->is_pausing = false;
    line->is_paused = submission->code == 0; /* else the next one that is turned away asks again */
    line->is_wanted = true;
    ask(line);
}

void deliver_pause(struct deliverer *deliverer, const char *channel, struct text reason)
{
    struct line *line = find_line(deliverer, text_of(channel));
    ASSERT(line != NULL);
    if (line->is_pausing || line->is_paused)
        return;
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct doc_writer w;
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "channel.paused");
    doc_put_string(&w, "by", "kithd");
    doc_open(&w, "data");
    doc_put_string(&w, "channel", channel);
    doc_put_text(&w, "reason", reason);
    doc_close(&w);
    submission_end(submission, &w);
    submission->wants_applied = true;
    submission->done = pause_applied;
    submission->arg = line;
    line->is_pausing = true;
    sequencer_post_own(deliverer->sequencer, submission);
}

/* -- Time ------------------------------------- */

static void earliest(int64_t *wait, int64_t ms)
{
    if (ms < 0)
        ms = 0;
    if (*wait < 0 || ms < *wait)
        *wait = ms;
}

static void tick_place(struct line *line, struct place *place, int64_t now, int64_t *wait)
{
    bool is_timed = place->state == PLACE_SENDING || place->state == PLACE_UNWRITTEN;
    if (!is_timed)
        return;
    if (now < place->deadline) {
        earliest(wait, place->deadline - now);
        return;
    }
    if (place->state == PLACE_SENDING) {
        place->outcome = line->channel.is_idempotent ? OUTCOME_FAILED : OUTCOME_UNCERTAIN;
        line->outcomes[place->outcome]++;
        snprintf(place->detail, sizeof place->detail, "no answer within %lld s",
                 (long long)timeout_ms(line) / 1000);
    }
    post_outcome(line, place);
}

/* Ask the engine for what waits, or be called again when that may be. */
static void tick_line(struct line *line, int64_t now, int64_t *wait)
{
    if (!line->is_wanted)
        return;
    if (now < line->ask_at) {
        earliest(wait, line->ask_at - now);
        return;
    }
    if (atomic_load(&line->deliverer->sequencer->is_standing)) {
        earliest(wait, STANDING_WAIT_MS);
        return;
    }
    ask(line);
    if (line->is_wanted && !line->is_asking && room(line) == 0 && free_places(line) != 0) {
        int64_t again = status_of(line).wait_ms;
        earliest(wait, line->look_at - now);
        if (again >= 0)
            earliest(wait, again);
    }
}

int64_t deliver_tick(struct deliverer *deliverer)
{
    int64_t now = now_ms(deliverer), wait = -1;
    for (size_t i = 0; i < deliverer->line_count; i++) {
        struct line *line = deliverer->lines[i];
        for (size_t j = 0; j < CHANNEL_WINDOW; j++)
            tick_place(line, &line->places[j], now, &wait);
        if (!deliverer->is_winding_down)
            tick_line(line, now, &wait);
    }
    return wait;
}

const struct histogram *deliver_channel(const struct deliverer *deliverer, size_t i,
                                        const char **out_name)
{
    if (i >= deliverer->line_count)
        return NULL;
    *out_name = deliverer->lines[i]->channel.name;
    return &deliverer->lines[i]->delivery;
}

size_t deliver_pending(const struct deliverer *deliverer)
{
    size_t count = 0;
    for (size_t i = 0; i < deliverer->line_count; i++)
        count += CHANNEL_WINDOW - free_places(deliverer->lines[i]);
    return count;
}

bool deliver_report(const struct deliverer *deliverer, size_t index,
                    struct deliver_report *out_report)
{
    if (index >= deliverer->line_count)
        return false;
    const struct line *line = deliverer->lines[index];
    *out_report = (struct deliver_report){
        .name = line->channel.name,
        .status = status_of(line),
        .is_paused = line->is_paused || line->is_pausing,
        .under_way = CHANNEL_WINDOW - free_places(line),
        .waiting = line->waiting,
    };
    memcpy(out_report->outcomes, line->outcomes, sizeof out_report->outcomes);
    return true;
}
