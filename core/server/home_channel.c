/* home_channel.c -- the channels of plugins, as the deliverer knows channels.
 *
 * What it claims goes down to the plugin, and what the plugin says of it comes up, once, of what it
 * was given and of nothing else; also when that is so late that the deliverer has given it up.  A
 * plugin that does not run takes nothing: its messages wait in the state, and cost no attempt.
 */
#include "core/server/home_inside.h"

#include "core/outside/asked.h"
#include "core/server/deliver.h"
#include "core/server/metrics.h"
#include "core/server/node.h"

#include <stdlib.h>
#include <string.h>

#define ABSENT_WAIT_MS 500
#define RELOAD_WAIT_MS 20
#define GIVEN_MAX 1000 /* attempts that are remembered, spoken of or not */

/* -- What a plugin was given ------------------------------------------------------------------- */

struct home_given {
    struct home_given *next;
    char id[EVENT_ID_TEXT_MAX];
    int64_t attempt;
};

static void take_out(struct home_guest *guest, struct home_given **link)
{
    struct home_given *given = *link;
    *link = given->next;
    guest->given_count--;
    free(given);
}

/* Of the oldest, which nobody has spoken of, is not known any more. */
static void note_given(struct home_guest *guest, struct text id, int64_t attempt)
{
    struct home_given *given = mem_zero(sizeof *given);
    ASSERT(id.size < sizeof given->id);
    memcpy(given->id, id.data, id.size);
    given->attempt = attempt;
    given->next = guest->given;
    guest->given = given;
    if (++guest->given_count <= GIVEN_MAX)
        return;
    struct home_given **last = &guest->given;
    while ((*last)->next != NULL)
        last = &(*last)->next;
    take_out(guest, last);
}

/* Whether it had this attempt, which it has no more. */
static bool take_given(struct home_guest *guest, struct text id, int64_t attempt)
{
    struct home_given **link = &guest->given;
    while (*link != NULL && ((*link)->attempt != attempt || !text_is(id, (*link)->id)))
        link = &(*link)->next;
    if (*link == NULL)
        return false;
    take_out(guest, link);
    return true;
}

/* An answer may claim what is next, which is not given to one that is away. */
void home_doubt_given(struct home_guest *guest, const char *why)
{
    struct deliverer *deliverer = node_deliverer(guest->home->api->node);
    while (guest->given != NULL) {
        struct home_given given = *guest->given;
        take_out(guest, &guest->given);
        metrics_delivery(guest->home->options.metrics, OUTCOME_UNCERTAIN);
        deliver_answer(deliverer, text_of(given.id), given.attempt, OUTCOME_UNCERTAIN,
                       text_of(why));
    }
}

void home_forget_given(struct home_guest *guest)
{
    while (guest->given != NULL)
        take_out(guest, &guest->given);
}

/* -- The channel ------------------------------------------------------------------------------- */

static void send_message(void *self, struct deliverer *deliverer, struct text id, int64_t attempt,
                         struct doc message)
{
    struct home_line *line = self;
    struct home_guest *guest = line->guest;
    struct home *home = guest->home;
    struct doc_writer w;
    if (guest->state != GUEST_SERVING && guest->state != GUEST_LEAVING) {
        deliver_answer(deliverer, id, attempt, OUTCOME_FAILED, text_of("its plugin does not run"));
        return;
    }
    note_given(guest, id, attempt);
    struct buf bytes = home->scratch; /* an answer from inside may want it */
    home->scratch = (struct buf)BUF_INIT;
    buf_clear(&bytes);
    doc_begin(&w, &bytes);
    doc_put_text(&w, "effect", id);
    doc_put_int(&w, "attempt", attempt);
    doc_put_doc(&w, "message", message);
    guest->face.down(guest->face.self, OUTSIDE_SEND, line->index, doc_end(&w));
    buf_deinit(&home->scratch);
    home->scratch = bytes;
}

static void status(void *self, struct channel_status *out_status)
{
    struct home_line *line = self;
    struct home_guest *guest = line->guest;
    bool is_back_soon = guest->state == GUEST_LEAVING || guest->state == GUEST_CHANGING;
    *out_status =
        (struct channel_status){ .wait_ms = is_back_soon ? RELOAD_WAIT_MS : ABSENT_WAIT_MS };
    if (guest->state == GUEST_SERVING && !guest->home->is_winding_down)
        guest->face.status(guest->face.self, line->index, out_status);
}

static struct home_line *find_line(const struct home *home, size_t index)
{
    for (size_t i = 0; i < home->guest_count; i++) {
        size_t count = home->guests[i].plugin->channel_count;
        if (index < count)
            return &home->guests[i].lines[index];
        index -= count;
    }
    return NULL;
}

bool home_channel(struct home *home, size_t index, struct channel *out_channel)
{
    struct home_line *line = home != NULL ? find_line(home, index) : NULL;
    if (line == NULL)
        return false;
    const struct kith_channel *channel = &line->guest->plugin->channels[line->index];
    *out_channel = (struct channel){
        .name = channel->name,
        .needs_address = (channel->flags & KITH_NEEDS_ADDRESS) != 0,
        .is_idempotent = (channel->flags & KITH_IDEMPOTENT) != 0,
        .timeout_ms = PLUGIN_DELIVERY_MS,
        .self = line,
        .send = send_message,
        .status = status,
    };
    return true;
}

size_t home_under_way(const struct home_guest *guest)
{
    const struct deliverer *deliverer = node_deliverer(guest->home->api->node);
    struct deliver_report report;
    size_t count = 0;
    for (size_t i = 0; deliver_report(deliverer, i, &report); i++)
        for (size_t j = 0; j < guest->plugin->channel_count; j++)
            if (strcmp(report.name, guest->plugin->channels[j].name) == 0)
                count += report.under_way;
    return count;
}

/* -- What became of it ------------------------------------------------------------------------- */

int home_deliver(struct home_guest *guest, struct doc doc, struct err *err)
{
    static const enum outcome outcomes[] = { OUTCOME_SENT, OUTCOME_REJECTED, OUTCOME_FAILED,
                                             OUTCOME_UNCERTAIN };
    int64_t outcome = doc_int(doc, "outcome", -1), wait_ms = doc_int(doc, "wait_ms", 0);
    int64_t attempt = doc_int(doc, "attempt", 0);
    struct text effect = doc_text(doc, "effect"), detail = doc_text(doc, "detail");
    struct deliverer *deliverer = node_deliverer(guest->home->api->node);
    if (outcome < KITH_SENT || outcome > KITH_UNCERTAIN || attempt < 1)
        return err_set(err, E_INVALID, "that is no outcome of an attempt");
    if (!take_given(guest, effect, attempt))
        return err_set(err, E_NOTFOUND, "it has no attempt %lld of a message %.*s to speak of",
                       (long long)attempt, (int)effect.size, effect.data);
    metrics_delivery(guest->home->options.metrics, (int)outcomes[outcome]);
    if (outcome == KITH_RETRY)
        deliver_answer_later(deliverer, effect, attempt, detail, wait_ms);
    else
        deliver_answer(deliverer, effect, attempt, outcomes[outcome], detail);
    return 0;
}

int home_pause(struct home_guest *guest, struct doc doc, struct err *err)
{
    int rc = asked_pause(guest->plugin, doc_text(doc, "channel"), err);
    if (rc != 0)
        return rc;
    deliver_pause(node_deliverer(guest->home->api->node), doc_text(doc, "channel").data,
                  doc_text(doc, "reason"));
    return 0;
}
