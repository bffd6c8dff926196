/* home_append.c -- events of plugins, on their way into the log.
 *
 * They enter by a door of their own, the class of plugins, under the plugin's name as `source` and
 * `by`, which nobody but this file writes.  A plugin says what begins with its own name, and what
 * became of messages; anything else is refused here, and would be foreign in the engine.
 *
 * What comes a second time is not even written: its first copy may have been erased since.
 */
#include "core/server/home_inside.h"

#include "core/engine/event.h"
#include "core/engine/read.h"
#include "core/outside/asked.h"
#include "core/server/node.h"
#include "core/server/submission.h"

#include <stdlib.h>

struct append {
    struct home_guest *guest;
    uint64_t number;
    /* On its way over the engine: */
    struct job job;
    struct buf bytes; /* of the document */
    int64_t print;    /* of the effect that it is feedback of; 0: nobody knows it */
    bool is_known;    /* it came before: it is not written again */
};

static void append_free(struct append *append)
{
    buf_deinit(&append->bytes);
    free(append);
}

static int check(const struct home_guest *guest, struct doc doc, struct err *err)
{
    return asked_event(guest->plugin, doc_text(doc, "type"), doc_int(doc, "at", 0),
                       doc_child(doc, "data"), err);
}

static void put_data(struct doc_writer *w, struct doc data, int64_t print)
{
    if (data.data == NULL)
        return;
    doc_open(w, "data");
    for (struct doc_iter it = doc_iter(data); doc_next(&it);)
        if (!text_is(it.name, "print") || print == 0)
            doc_put_value_text(w, it.name, &it.value);
    if (print != 0)
        doc_put_int(w, "print", print);
    doc_close(w);
}

static int write_entry(struct submission *submission, const struct home_guest *guest,
                       struct doc doc, int64_t print, struct err *err)
{
    int64_t at = doc_int(doc, "at", 0);
    struct doc traits = doc_child(doc, "traits");
    struct doc_writer w;
    submission_begin(submission, &w);
    doc_put_present(&w, "id", doc_text(doc, "id"));
    doc_put_text(&w, "type", doc_text(doc, "type"));
    doc_put_present(&w, "ref", doc_text(doc, "customer"));
    if (doc_bool(doc, "creates", false))
        doc_put_bool(&w, "creates", true);
    if (traits.data != NULL)
        doc_put_doc(&w, "traits", traits);
    if (at != 0)
        doc_put_int(&w, "at", at);
    doc_put_string(&w, "source", guest->name);
    doc_put_string(&w, "by", guest->name);
    doc_put_present(&w, "about", doc_text(doc, "about"));
    put_data(&w, doc_child(doc, "data"), print);
    return submission_end_event(submission, &w, err);
}

/* -- The answer -------------------------------------------------------------------------------- */

static int32_t code_of_refusal(int code)
{
    return code == E_NOTFOUND ? KITH_MISSING
           : code == E_LIMIT  ? KITH_LIMIT
           : code == E_DENIED ? KITH_DENIED
                              : KITH_INVALID;
}

static void tell_known(struct append *append)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    doc_put_bool(&w, "duplicate", true);
    home_answer(append->guest, append->number, KITH_OK, doc_end(&w));
    buf_deinit(&bytes);
}

static void tell_applied(struct append *append, const struct submission *submission)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    const struct engine_result *result = &submission->result;
    doc_begin(&w, &bytes);
    doc_put_int(&w, "seq", (int64_t)submission->first_seq);
    if (result->customer != 0)
        doc_put_int(&w, "customer", (int64_t)result->customer);
    if (result->status == ENGINE_DUPLICATE)
        doc_put_bool(&w, "duplicate", true);
    home_answer(append->guest, append->number, KITH_OK, doc_end(&w));
    buf_deinit(&bytes);
}

static void on_applied(void *arg, const struct submission *submission)
{
    struct append *append = arg;
    struct home_guest *guest = append->guest;
    if (submission->code != 0)
        home_answer_error(guest, append->number, KITH_IO, submission->err.text);
    else if (submission->result.status == ENGINE_REFUSED)
        home_answer_error(guest, append->number, code_of_refusal(submission->result.code),
                          submission->result.reason);
    else
        tell_applied(append, submission);
    append_free(append);
    home_wish_end(guest);
}

static int post(struct append *append, struct submission *submission, struct err *err)
{
    struct node *node = append->guest->home->api->node;
    submission->starts_clock = true;
    submission->wants_applied = true;
    submission->done = on_applied;
    submission->arg = append;
    int rc = node_health(node, err);
    if (rc == 0)
        rc = sequencer_post(node_sequencer(node), submission, err);
    return rc;
}

static int write_and_post(struct append *append, struct doc doc, struct err *err)
{
    struct submission *submission = submission_new(LOG_PLUGIN);
    int rc = write_entry(submission, append->guest, doc, append->print, err);
    if (rc == 0)
        rc = post(append, submission, err);
    if (rc != 0)
        submission_unref(submission);
    return rc;
}

/* -- Did it come before?  Of feedback: which effect does it mean? ------------------------------ */

static struct doc doc_of(const struct append *append)
{
    return (struct doc){ append->bytes.data, (uint32_t)append->bytes.size };
}

static void look(struct engine *engine, void *arg)
{
    struct append *append = arg;
    struct doc doc = doc_of(append);
    struct text id = doc_text(doc_child(doc, "data"), "effect");
    append->is_known = read_plugin_said(engine, text_of(append->guest->name), doc_text(doc, "id"));
    if (!event_type_is_feedback(doc_text(doc, "type")) ||
        !engine_effect_print(engine, id, &append->print))
        append->print = 0;
}

static void on_looked(struct mail *mail, void *reader)
{
    struct append *append = ((struct job *)mail)->arg;
    struct home_guest *guest = append->guest;
    struct err err;
    (void)reader;
    int rc = append->is_known ? 0 : write_and_post(append, doc_of(append), &err);
    if (rc == 0 && !append->is_known)
        return;
    if (append->is_known)
        tell_known(append);
    else
        home_answer_error(guest, append->number, outside_code(rc), err.text);
    append_free(append);
    home_wish_end(guest);
}

static void ask_engine(struct append *append, struct doc doc)
{
    buf_append(&append->bytes, doc.data, doc.size);
    append->job = (struct job){ .mail = { .handle = on_looked }, .run = look, .arg = append };
    fold_ask(node_fold(append->guest->home->api->node), &append->job);
}

/* -- From the plugin --------------------------------------------------------------------------- */

int home_append(struct home_guest *guest, uint64_t number, struct doc doc, struct err *err)
{
    int rc = check(guest, doc, err);
    if (rc == 0)
        rc = home_wish_begin(guest, err);
    if (rc != 0)
        return rc;
    struct append *append = mem_zero(sizeof *append);
    append->guest = guest;
    append->number = number;
    if (doc_text(doc, "id").size != 0 || event_type_is_feedback(doc_text(doc, "type")))
        ask_engine(append, doc);
    else
        rc = write_and_post(append, doc, err);
    if (rc != 0) {
        append_free(append);
        home_wish_end(guest);
    }
    return rc;
}
