/* feedback.c -- see feedback.h.  It takes the way of the host: first the engine is asked for the
 * effect's print, then the entry is written with it.
 */
#include "tests/sim/feedback.h"

#include "core/base/mem.h"
#include "core/engine/engine.h"
#include "core/server/node.h"
#include "tests/sim/outside_event.h"

#include <stdlib.h>
#include <string.h>

struct feedback {
    struct job job; /* first */
    struct node *node;
    size_t *asked;
    char id[EVENT_ID_TEXT_MAX];
    const char *type, *channel;
    int64_t print;
};

static void look_for_print(struct engine *engine, void *arg)
{
    struct feedback *feedback = arg;
    if (!engine_effect_print(engine, text_of(feedback->id), &feedback->print))
        feedback->print = 0;
}

static void feedback_written(void *arg, const struct submission *submission)
{
    (void)submission;
    --*(size_t *)arg;
}

static void write_feedback(struct mail *mail, void *reader)
{
    struct feedback *feedback = (struct feedback *)mail;
    struct submission *submission = submission_new(LOG_PLUGIN);
    struct doc_writer w;
    (void)reader;
    submission_begin(submission, &w);
    doc_put_string(&w, "type", feedback->type);
    doc_put_string(&w, "source", "plugin:provider");
    doc_open(&w, "data");
    doc_put_string(&w, feedback->channel != NULL ? "channel" : "effect",
                   feedback->channel != NULL ? feedback->channel : feedback->id);
    if (feedback->channel != NULL)
        doc_put_string(&w, "address", "+49301234567");
    else if (feedback->print != 0)
        doc_put_int(&w, "print", feedback->print);
    doc_close(&w);
    submission_end(submission, &w);
    submission->done = feedback_written;
    submission->arg = feedback->asked;
    sequencer_post_own(node_sequencer(feedback->node), submission);
    free(feedback);
}

void feedback_tell(struct node *node, size_t *asked, const char *type, struct text id,
                   const char *channel)
{
    struct feedback *feedback = mem_zero(sizeof *feedback);
    feedback->job = (struct job){
        .mail = { .handle = write_feedback },
        .run = look_for_print,
        .arg = feedback,
    };
    feedback->node = node;
    feedback->asked = asked;
    feedback->type = type;
    feedback->channel = channel;
    memcpy(feedback->id, id.data, id.size);
    ++*asked;
    fold_ask(node_fold(node), &feedback->job);
}

void feedback_call(struct node *node, size_t *asked, int number, int user)
{
    struct submission *submission = submission_new(LOG_PLUGIN);
    struct doc_writer w;
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "provider.call");
    outside_put_text(&w, "id", "c-%d", number);
    doc_put_string(&w, "source", "plugin:provider");
    outside_put_text(&w, "ref", "user_id:u-%d", user);
    doc_put_bool(&w, "creates", true);
    doc_open(&w, "traits");
    doc_put_int(&w, "caller", number);
    doc_close(&w);
    doc_open(&w, "data");
    doc_put_int(&w, "number", number);
    doc_close(&w);
    submission_end(submission, &w);
    submission->starts_clock = true;
    submission->done = feedback_written;
    submission->arg = asked;
    ++*asked;
    sequencer_post_own(node_sequencer(node), submission);
}
