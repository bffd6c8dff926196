/* node_hooks.c -- what the engine asks of its surroundings, and what it tells them.
 *
 * All of it is called on the engine's thread, in the middle of an entry.  Questions are answered
 * from the log and from what stands in files; what is told goes to the loop as mail, and is done
 * there.
 */
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/engine/config.h"
#include "core/engine/plugins.h"
#include "core/server/applied.h"
#include "core/server/node_inside.h"
#include "core/server/purge.h"
#include "core/server/verdict.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PRESENT_MS 60000 /* log time that is no older is the present */

struct notice { /* from the engine to the deliverer */
    struct mail mail;
    char id[PLUGIN_REASON_BYTES]; /* of an effect; or why a plugin was lost */
    char channel[CONFIG_NAME_MAX];
    int64_t attempt;
    struct buf message;
};

static struct notice *notice_new(struct text id, struct text channel,
                                 void (*handle)(struct mail *mail, void *reader))
{
    struct notice *notice = mem_zero(sizeof *notice);
    notice->mail.handle = handle;
    if (id.size != 0)
        memcpy(notice->id, id.data, id.size);
    memcpy(notice->channel, channel.data, channel.size);
    return notice;
}

static void notice_post(struct node *node, struct notice *notice)
{
    if (mailbox_post(&node->loop, &notice->mail))
        node->options.wake(node->options.wake_arg);
}

static void on_ready(struct mail *mail, void *reader)
{
    struct notice *notice = (struct notice *)mail;
    deliver_ready(((struct node *)reader)->deliverer, text_of(notice->channel));
    free(notice);
}

static void on_go(struct mail *mail, void *reader)
{
    struct notice *notice = (struct notice *)mail;
    struct doc message = { notice->message.data, (uint32_t)notice->message.size };
    deliver_go(((struct node *)reader)->deliverer, text_of(notice->id), notice->attempt,
               text_of(notice->channel), message);
    buf_deinit(&notice->message);
    free(notice);
}

static void on_no_go(struct mail *mail, void *reader)
{
    struct notice *notice = (struct notice *)mail;
    deliver_no_go(((struct node *)reader)->deliverer, text_of(notice->id),
                  text_of(notice->channel));
    free(notice);
}

static void hook_ready(void *arg, struct text channel)
{
    notice_post(arg, notice_new((struct text){ "", 0 }, channel, on_ready));
}

static void hook_go(void *arg, struct text id, int64_t attempt, struct text channel,
                    struct doc message)
{
    struct notice *notice = notice_new(id, channel, on_go);
    notice->attempt = attempt;
    buf_append(&notice->message, message.data, message.size);
    notice_post(arg, notice);
}

static void hook_no_go(void *arg, struct text id, struct text channel)
{
    notice_post(arg, notice_new(id, channel, on_no_go));
}

static void hook_outgoing(void *arg, struct text id, struct doc envelope)
{
    struct node *node = arg;
    if (atomic_load(&node->sequencer.is_winding_down))
        return; /* its row is reported again by the next run */
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct doc_writer w;
    (void)id; /* the envelope has it */
    submission_begin(submission, &w);
    for (struct doc_iter it = doc_iter(envelope); doc_next(&it);)
        doc_put_value_text(&w, it.name, &it.value);
    submission_end(submission, &w);
    submission->must_not_fail = true;
    sequencer_post_own(&node->sequencer, submission);
}

/* By the wall clock, which goes on while the tick is written; but log time tells how late it was
 * in a replayed past, and while the clock is in doubt. */
static void hook_reminded(void *arg, int64_t due, int64_t now)
{
    struct node *node = arg;
    int64_t wall = node->options.clock.wall_ms(node->options.clock.arg);
    bool is_present = wall >= now && wall - now < PRESENT_MS;
    histogram_add(&node->fold.lateness, ((is_present ? wall : now) - due) * 1000000);
}

static void on_erased(struct mail *mail, void *reader)
{
    purge_wanted(((struct node *)reader)->purge);
    free(mail);
}

static void hook_erased(void *arg)
{
    notice_post(arg, notice_new((struct text){ "", 0 }, (struct text){ "", 0 }, on_erased));
}

static void on_plugin_lost(struct mail *mail, void *reader)
{
    const struct node_options *options = &((struct node *)reader)->options;
    struct notice *notice = (struct notice *)mail;
    if (options->plugin_lost != NULL)
        options->plugin_lost(options->plugin_arg, text_of(notice->channel), notice->id);
    free(notice);
}

static void hook_plugin_lost(void *arg, struct text name, const char *why)
{
    notice_post(arg, notice_new(text_of(why), name, on_plugin_lost));
}

static void hook_verdict_made(void *arg, uint64_t at_seq, struct doc verdict)
{
    struct node *node = arg;
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct doc_writer w;
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "verdict");
    doc_put_int(&w, "at_seq", (int64_t)at_seq);
    for (struct doc_iter it = doc_iter(verdict); doc_next(&it);)
        doc_put_value(&w, it.name.data, &it.value);
    submission_end(submission, &w);
    submission->index = INDEX_VERDICT;
    submission->index_seq = at_seq;
    submission->must_not_fail = true;
    atomic_fetch_add(&node->sequencer.verdicts_open, 1);
    sequencer_post_own(&node->sequencer, submission);
}

static int hook_verdict(void *arg, uint64_t at_seq, struct buf *out)
{
    struct node *node = arg;
    return log_has_verdicts(node->log) ? log_get_verdict(node->log, at_seq, out, NULL) : E_NOTFOUND;
}

static bool hook_was_applied(void *arg, uint64_t seq)
{
    struct node *node = arg;
    return seq <= node->applied || applied_is_proven(node->log, seq);
}

static int hook_blob(void *arg, const uint8_t hash[LOG_HASH_BYTES], struct buf *out,
                     struct err *err)
{
    return log_get_blob(((struct node *)arg)->log, hash, out, err);
}

static int hook_load_rules(void *arg, struct doc bundle, const struct config *config,
                           struct ruleset **out_rules, struct err *err)
{
    struct node *node = arg;
    return node->options.load_rules(node->options.load_arg, bundle, config, out_rules, err);
}

const struct engine_hooks node_hooks = {
    .verdict = hook_verdict,
    .blob = hook_blob,
    .load_rules = hook_load_rules,
    .ready = hook_ready,
    .go = hook_go,
    .no_go = hook_no_go,
    .outgoing = hook_outgoing,
    .reminded = hook_reminded,
    .erased = hook_erased,
    .plugin_lost = hook_plugin_lost,
    .was_applied = hook_was_applied,
    .verdict_made = hook_verdict_made,
};
