/* set_far.c -- calls on a plugin that lives in a process of its own.
 *
 * What the function may read is written down and sent, what it wants comes back; the two processes
 * share nothing else.  core/plugin/guest.c has the form.
 */
#include "core/plugin/lane.h"
#include "core/plugin/set_inside.h"
#include "core/plugin/writes.h"

#include <stdio.h>
#include <string.h>

/* What the call reads, and the states that it declares; core/plugin/guest.c has the form. */
static struct doc make_item(struct plugin_set *set, const struct plugin *plugin,
                            const struct plugin_reads *reads, int kind, size_t index,
                            struct step *step, struct doc arguments)
{
    struct step_source source = { step, plugin };
    char name[24];
    struct doc_writer w;
    buf_clear(&set->item);
    doc_begin(&w, &set->item);
    doc_put_int(&w, "f", kind);
    doc_put_int(&w, "i", (int64_t)index);
    doc_put_int(&w, "q", (int64_t)step_event(step)->seq);
    doc_put_int(&w, "n", (int64_t)step_event(step)->n);
    doc_put_int(&w, "now", step_now(step));
    doc_open(&w, "v");
    for (size_t i = 0; i < reads->count; i++) {
        struct doc_value value = step_source_read(&source, &reads->items[i]);
        snprintf(name, sizeof name, "%zu", i);
        doc_put_value(&w, name, &value);
    }
    doc_close(&w);
    doc_open(&w, "s");
    for (size_t i = 0; i < reads->count; i++) {
        int64_t version;
        if (reads->items[i].kind != PLUGIN_READ_STATE)
            continue;
        struct doc doc =
            step_source_state(&source, plugin_state_find(plugin, reads->items[i].name), &version);
        if (doc.data == NULL)
            continue;
        doc_open_text(&w, reads->items[i].name);
        doc_put_int(&w, "v", version);
        doc_put_doc(&w, "d", doc);
        doc_close(&w);
    }
    doc_close(&w);
    if (arguments.data != NULL)
        doc_put_doc(&w, "a", arguments);
    return doc_end(&w);
}

/* Whether a handler at an event comes before another one. */
static bool is_before(struct doc a, struct doc b)
{
    int64_t first = doc_int(a, "q", 0), second = doc_int(b, "q", 0);
    if (first != second)
        return first < second;
    return doc_int(a, "n", 0) == doc_int(b, "n", 0) ? doc_int(a, "i", 0) < doc_int(b, "i", 0)
                                                    : doc_int(a, "n", 0) < doc_int(b, "n", 0);
}

/* A batch holds what was foreseen, in order: what did not come to pass is passed over, and so is
 * what came to pass with other values. */
static bool was_foreseen(struct remote *remote, struct doc item)
{
    struct doc next;
    while ((next = remote_next(remote)).data != NULL) {
        if (next.size == item.size && memcmp(next.data, item.data, item.size) == 0)
            return true;
        if (is_before(item, next))
            return false;
        remote_skip(remote);
    }
    return false;
}

static enum plugin_outcome ask_remote(struct remote *remote, struct doc item, struct doc *out_reply)
{
    enum plugin_outcome outcome = PLUGIN_OK;
    if (was_foreseen(remote, item)) {
        outcome = remote_take(remote, out_reply);
        if (outcome != PLUGIN_OK || doc_int(*out_reply, "c", REPLY_FAILED) != REPLY_NO_ROOM)
            return outcome;
    }
    return remote_call(remote, item, out_reply);
}

/* The reply into `writes` and `answer`, as plugin_call() leaves them.  False: no guest.c of ours
 * wrote this. */
static bool read_reply(struct plugin_set *set, const struct plugin *plugin, struct doc reply,
                       enum plugin_outcome *out_outcome, struct err *err)
{
    struct doc_value writes = doc_get(reply, "w");
    struct doc answer = doc_child(reply, "a");
    struct text words = doc_text(reply, "e");
    int64_t code = doc_int(reply, "c", -1);
    buf_clear(&set->writes);
    buf_clear(&set->answer);
    *out_outcome = code == REPLY_OK ? PLUGIN_OK : PLUGIN_FAILED;
    if (code == REPLY_FAILED)
        err_set(err, E_INVALID, "%.*s", (int)words.size, words.data != NULL ? words.data : "");
    if (code != REPLY_OK)
        return code == REPLY_FAILED;
    if (writes.type == DOC_BINARY)
        buf_append(&set->writes, writes.binary.data, writes.binary.size);
    if (answer.data != NULL)
        buf_append(&set->answer, answer.data, answer.size);
    return plugin_check_writes(plugin, &set->writes, err) == 0;
}

static enum plugin_outcome ask(struct plugin_set *set, size_t place, struct doc item,
                               struct err *err)
{
    struct doc reply;
    struct remote *remote = set->remotes[place];
    enum plugin_outcome outcome = ask_remote(remote, item, &reply);
    bool is_read =
        outcome != PLUGIN_OK || read_reply(set, set->plugins[place], reply, &outcome, err);
    if (outcome == PLUGIN_OK || outcome == PLUGIN_FAILED)
        set_count_hooks(set->plugins[place], doc_int(reply, "h", 0));
    if (!is_read) {
        buf_clear(&set->writes);
        buf_clear(&set->answer);
        remote_distrust(remote);
        outcome = PLUGIN_CRASHED;
    }
    if (outcome == PLUGIN_CRASHED || outcome == PLUGIN_HUNG)
        err_set(err, E_BUSY, "%s", remote_loss(remote));
    return outcome;
}

enum plugin_outcome far_call(struct plugin_set *set, size_t place, int kind, size_t index,
                             struct step *step, struct doc arguments, struct err *err)
{
    const struct plugin *plugin = set->plugins[place];
    const struct plugin_reads *reads =
        kind == ITEM_HANDLER ? &plugin->handler_reads[index] : &plugin->function_reads[index];
    return ask(set, place, make_item(set, plugin, reads, kind, index, step, arguments), err);
}

static struct doc make_fold_item(struct plugin_set *set, size_t state, enum plugin_fold what,
                                 struct doc arguments)
{
    struct doc_writer w;
    buf_clear(&set->item);
    doc_begin(&w, &set->item);
    doc_put_int(&w, "f", ITEM_FOLD);
    doc_put_int(&w, "i", (int64_t)state);
    doc_put_int(&w, "x", what);
    doc_put_doc(&w, "a", arguments);
    return doc_end(&w);
}

enum plugin_outcome far_fold(struct plugin_set *set, size_t place, size_t state,
                             enum plugin_fold what, struct doc arguments, struct err *err)
{
    return ask(set, place, make_fold_item(set, state, what, arguments), err);
}

/* -- What is to come --------------------------------------------------------------------------- */

/* Whether what came before could change it. */
static bool reads_customer(const struct plugin_reads *reads)
{
    for (size_t i = 0; i < reads->count; i++)
        if (reads->items[i].kind != PLUGIN_READ_EVENT && reads->items[i].kind != PLUGIN_READ_FIELD)
            return true;
    return false;
}

void set_foresee(struct plugins *plugins, size_t index, struct step *step, bool is_first)
{
    struct plugin_set *set = (struct plugin_set *)plugins;
    struct place place = set->handler_places[index];
    const struct plugin *plugin = set->plugins[place.plugin];
    const struct plugin_reads *reads = &plugin->handler_reads[place.index];
    struct remote *remote = set->remotes[place.plugin];
    if (remote == NULL || (!is_first && reads_customer(reads)))
        return;
    remote_add(remote, make_item(set, plugin, reads, ITEM_HANDLER, place.index, step,
                                 (struct doc){ NULL, 0 }));
}

void set_post(struct plugins *plugins)
{
    struct plugin_set *set = (struct plugin_set *)plugins;
    for (size_t i = 0; i < set->count; i++)
        if (set->remotes[i] != NULL)
            remote_post(set->remotes[i]);
}
