/* api_bundles.c -- /v1/bundles: what is deployed, deploying, and going back.
 *
 *     POST        worker: put in order, check --> engine: the config --> worker: load it
 *                 --> entry with the files, applied --> answer
 *     activate    worker: read the files --> the same way
 *     rollback    engine: the hash --> the same way
 *
 * A call with an Idempotency-Key first asks the log whether an activation carries its id: who lost
 * the answer and calls again must not go back twice, nor undo what others have deployed since.
 *
 * A bundle is loaded before its entry is written, under the config in force: what cannot
 * run never gets into the log.
 */
#include "core/base/hash.h"
#include "core/base/limits.h"
#include "core/engine/read.h"
#include "core/plugin/set.h"
#include "core/script/bundle.h"
#include "core/server/api_command.h"
#include "core/server/api_idempotency.h"
#include "core/server/deploy.h"
#include "core/server/node.h"

#include <stdlib.h>
#include <string.h>

#define BODY_MAX (2 * BUNDLE_BYTES_MAX) /* JSON escapes */

/* -- The list -------------------------------------------------------------------------- */

struct bundles {
    struct buf rows;
    int code;
    struct err err;
};

static void ask_bundles(struct engine *engine, struct call *call)
{
    struct bundles *bundles = call->data;
    bundles->code = read_bundles(engine, &bundles->rows, &bundles->err);
}

static int keep_logged(void *arg, const struct log_entry *entry)
{
    *(int64_t *)arg = entry->logged;
    return 0;
}

/* When entry `seq` was logged. */
static int put_at(struct doc_writer *w, struct log *log, int64_t seq, struct err *err)
{
    int64_t logged = 0;
    int rc = log_read(log, (uint64_t)seq, 1, keep_logged, &logged, NULL, err);
    if (rc == 0 && logged != 0) /* 0: before log time began */
        doc_put_datetime(w, "at", logged);
    return rc;
}

static void add_times(struct call *call)
{
    struct bundles *bundles = call->data;
    struct doc rows = { bundles->rows.data, (uint32_t)bundles->rows.size };
    struct doc_writer w;
    doc_begin(&w, &call->out);
    doc_open_array(&w, "items");
    for (struct doc_iter it = doc_iter(doc_child(rows, "items")); doc_next(&it);) {
        doc_open(&w, "");
        for (struct doc_iter field = doc_iter(it.value.doc); doc_next(&field);)
            doc_put_value_text(&w, field.name, &field.value);
        int64_t seq = doc_int(it.value.doc, "seq", 0);
        if (seq != 0 && bundles->code == 0)
            bundles->code = put_at(&w, node_log(call->api->node), seq, &bundles->err);
        doc_close(&w);
    }
    doc_close(&w);
    doc_put_null(&w, "next");
    doc_put_int(&w, "seq", doc_int(rows, "seq", 0));
    doc_end(&w);
}

static void answer_bundles(struct call *call)
{
    struct bundles *bundles = call->data;
    buf_deinit(&bundles->rows);
    if (bundles->code != 0)
        call_error(call, bundles->code, &bundles->err);
    else
        call_reply(call, 200, call_document(call));
}

static void have_bundles(struct call *call)
{
    struct bundles *bundles = call->data;
    if (bundles->code != 0)
        answer_bundles(call);
    else
        call_work(call, add_times, answer_bundles);
}

static void get_bundles(struct call *call)
{
    call->data = arena_zero(&call->arena, sizeof(struct bundles));
    call_ask(call, ask_bundles, have_bundles);
}

/* -- The way of a bundle --------------------------------------------------------------- */

struct deployment {
    struct buf bundle; /* in order, as it is stored */
    struct buf config;
    struct buf undeclared; /* kinds with open records, once it is in force */
    uint8_t hash[BUNDLE_HASH_BYTES];
    bool is_in_log; /* its files are */
    bool activates, is_rollback;
    struct text id;                   /* of the call, in its entry; empty: it does not come again */
    bool is_again;                    /* it has been done: only the answer is wanted */
    void (*begin)(struct call *call); /* what is done the first time */
    struct text from; /* the hash that a rollback leaves; empty: whatever is active */
    size_t files, rules;
    uint64_t seq;
    int64_t logged;
    int code;
    struct err err;
};

static struct deployment *deployment_new(struct call *call)
{
    struct deployment *deployment = arena_zero(&call->arena, sizeof *deployment);
    deployment->activates = true;
    call->data = deployment;
    return deployment;
}

static struct doc bundle_of(const struct deployment *deployment)
{
    return (struct doc){ deployment->bundle.data, (uint32_t)deployment->bundle.size };
}

static struct doc undeclared_of(const struct deployment *deployment)
{
    return (struct doc){ deployment->undeclared.data, (uint32_t)deployment->undeclared.size };
}

static void deployment_deinit(struct deployment *deployment)
{
    buf_deinit(&deployment->bundle);
    buf_deinit(&deployment->config);
    buf_deinit(&deployment->undeclared);
}

static void fail(struct call *call)
{
    struct deployment *deployment = call->data;
    deployment_deinit(deployment);
    if (deployment->code == E_INVALID)
        call_problem(call, 422, "%s", deployment->err.text);
    else
        call_error(call, deployment->code, &deployment->err);
}

static void answer_deployment(struct call *call)
{
    struct deployment *deployment = call->data;
    char hash[HEX_SIZE(BUNDLE_HASH_BYTES)];
    struct doc_writer w;
    if (deployment->code != 0) {
        fail(call);
        return;
    }
    struct doc undeclared = { NULL, 0 };
    if (deployment->undeclared.size != 0)
        undeclared = doc_child(arena_doc(&call->arena, undeclared_of(deployment)), "items");
    deployment_deinit(deployment);
    hex_encode(deployment->hash, sizeof deployment->hash, hash);
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    doc_put_string(&w, "hash", hash);
    doc_put_bool(&w, "active", deployment->activates);
    if (deployment->activates) {
        doc_put_int(&w, "seq", (int64_t)deployment->seq);
        if (deployment->logged != 0) /* 0: before log time began */
            doc_put_datetime(&w, "at", deployment->logged);
    }
    doc_put_int(&w, "files", (int64_t)deployment->files);
    doc_put_int(&w, "rules", (int64_t)deployment->rules);
    if (doc_count(undeclared) != 0)
        doc_put_array(&w, "undeclared", undeclared);
    call_reply(call, deployment->is_in_log ? 200 : 201, doc_end(&w));
}

static void read_logged(struct call *call)
{
    struct deployment *deployment = call->data;
    deployment->code = log_read(node_log(call->api->node), deployment->seq, 1, keep_logged,
                                &deployment->logged, NULL, &deployment->err);
}

static void ask_undeclared(struct engine *engine, struct call *call)
{
    struct deployment *deployment = call->data;
    read_undeclared(engine, &deployment->undeclared);
}

static void have_undeclared(struct call *call)
{
    call_work(call, read_logged, answer_deployment);
}

static void deployed(struct call *call, const struct submission *submission)
{
    struct deployment *deployment = call->data;
    deployment->seq = submission->first_seq;
    if (!deployment->activates) {
        answer_deployment(call);
        return;
    }
    buf_deinit(&deployment->bundle); /* call_applied() may end the call */
    buf_deinit(&deployment->config);
    if (call_applied(call, submission))
        call_ask(call, ask_undeclared, have_undeclared);
}

/* The files alone, for later. */
static struct submission *store_submission(const struct deployment *deployment)
{
    struct submission *submission = submission_new(LOG_SYSTEM);
    buf_append(&submission->blob, deployment->bundle.data, deployment->bundle.size);
    memcpy(submission->blob_hash, deployment->hash, sizeof deployment->hash);
    submission->mail.bytes += deployment->bundle.size;
    return submission;
}

static void loaded(struct call *call)
{
    struct deployment *deployment = call->data;
    if (deployment->code != 0) {
        fail(call);
        return;
    }
    if (deployment->is_again) {
        answer_deployment(call);
        return;
    }
    struct doc files = bundle_of(deployment);
    if (deployment->is_in_log)
        files = (struct doc){ NULL, 0 };
    struct submission *submission =
        deployment->is_rollback
            ? rollback_submission(deployment->hash, call_by(call), deployment->id)
        : deployment->activates
            ? deploy_submission(files, deployment->hash, call_by(call), deployment->id)
            : store_submission(deployment);
    submission->starts_clock = deployment->activates;
    submission->wants_applied = deployment->activates;
    deployment_deinit(deployment); /* the call may end inside */
    call_submit(call, submission, deployed);
}

static void load(struct call *call)
{
    struct deployment *deployment = call->data;
    deployment->files = doc_count(doc_child(bundle_of(deployment), "files"));
    struct doc config = { deployment->config.data, (uint32_t)deployment->config.size };
    deployment->code =
        deploy_check(bundle_of(deployment), config, plugin_set_engine(call->api->plugins),
                     &deployment->rules, &deployment->err);
}

static void ask_config(struct engine *engine, struct call *call)
{
    struct deployment *deployment = call->data;
    read_config(engine, &deployment->config);
}

static void have_config(struct call *call)
{
    call_work(call, load, loaded);
}

static void have_files(struct call *call)
{
    struct deployment *deployment = call->data;
    if (deployment->code != 0)
        fail(call);
    else
        call_ask(call, ask_config, have_config);
}

static void read_files(struct call *call)
{
    struct deployment *deployment = call->data;
    deployment->is_in_log = true;
    deployment->code = log_get_blob(node_log(call->api->node), deployment->hash,
                                    &deployment->bundle, &deployment->err);
    if (deployment->code == E_NOTFOUND)
        err_set(&deployment->err, E_NOTFOUND, "no bundle of that hash has been deployed");
}

/* -- Once ------------------------------------------------------------------------------ */

static void ask_activations(struct engine *engine, struct call *call)
{
    struct deployment *deployment = call->data;
    deployment->code = read_bundles(engine, &deployment->config, &deployment->err);
}

/* Is this the entry that the first call has written? */
static int compare_activation(void *arg, const struct log_entry *entry)
{
    struct deployment *deployment = arg;
    struct doc body = { entry->body, (uint32_t)entry->size };
    struct doc data = doc_child(body, "data");
    struct doc_value hash = doc_get(data, "hash");
    if (entry->is_tombstone || !text_is(doc_text(body, "type"), "bundle.activated") ||
        !text_equal(doc_text(data, "call"), deployment->id) || hash.type != DOC_BINARY ||
        hash.binary.size != sizeof deployment->hash)
        return 0;
    memcpy(deployment->hash, hash.binary.data, sizeof deployment->hash);
    deployment->seq = entry->seq;
    deployment->logged = entry->logged;
    deployment->is_again = true;
    return 0;
}

static void find_activation(struct call *call)
{
    struct deployment *deployment = call->data;
    struct doc rows = { deployment->config.data, (uint32_t)deployment->config.size };
    struct doc_iter it = doc_iter(doc_child(rows, "items"));
    while (deployment->code == 0 && !deployment->is_again && doc_next(&it)) {
        int64_t seq = doc_int(it.value.doc, "seq", 0);
        if (seq != 0)
            deployment->code = log_read(node_log(call->api->node), (uint64_t)seq, 1,
                                        compare_activation, deployment, NULL, &deployment->err);
    }
}

static void have_activation(struct call *call)
{
    struct deployment *deployment = call->data;
    buf_deinit(&deployment->config);
    if (deployment->code != 0)
        fail(call);
    else if (deployment->is_again)
        call_work(call, read_files, have_files);
    else
        deployment->begin(call);
}

static void have_activations(struct call *call)
{
    call_work(call, find_activation, have_activation);
}

static void once(struct call *call, void (*begin)(struct call *call))
{
    struct deployment *deployment = call->data;
    deployment->id = call_entry_id(call);
    deployment->begin = begin;
    if (deployment->id.size == 0)
        begin(call);
    else
        call_ask(call, ask_activations, have_activations);
}

/* -- POST ------------------------------------------------------------------------------ */

static int compare_names(const void *a, const void *b)
{
    const struct doc_iter *first = a, *second = b;
    return text_compare(first->name, second->name);
}

/* The files in the order of their paths, whatever order they came in. */
static void order_files(struct doc files, struct buf *out)
{
    size_t count = 0, capacity = doc_count(files);
    struct arena arena = ARENA_INIT;
    struct doc_iter *all = arena_alloc(&arena, (capacity + 1) * sizeof *all);
    for (struct doc_iter it = doc_iter(files); doc_next(&it);)
        all[count++] = it;
    qsort(all, count, sizeof *all, compare_names);
    struct doc_writer w;
    doc_begin(&w, out);
    doc_open(&w, "files");
    for (size_t i = 0; i < count; i++)
        doc_put_value_text(&w, all[i].name, &all[i].value);
    doc_close(&w);
    doc_end(&w);
    arena_deinit(&arena);
}

static void check_files(struct call *call)
{
    struct deployment *deployment = call->data;
    order_files(doc_child(call->body, "files"), &deployment->bundle);
    struct doc bundle = bundle_of(deployment);
    deployment->code = bundle_check(bundle, &deployment->err);
    if (deployment->code == 0 && bundle_scripts(bundle) == 0)
        deployment->code = err_set(&deployment->err, E_INVALID,
                                   "no .lua file among the files: all rules would be gone; to be "
                                   "without any, deploy a file that holds none");
    if (deployment->code == 0)
        bundle_hash(bundle, deployment->hash);
}

static const struct field bundle_fields[] = { { "files", FIELD_DOC, true }, FIELDS_END };

static void begin_deployment(struct call *call)
{
    call_work(call, check_files, have_files);
}

static void post_bundle(struct call *call)
{
    struct text activate = call_query(call, "activate");
    struct deployment *deployment = deployment_new(call);
    deployment->activates = activate.data == NULL || call_flag(call, "activate");
    once(call, begin_deployment);
}

/* -- Activate, roll back --------------------------------------------------------------- */

static void begin_activation(struct call *call)
{
    call_work(call, read_files, have_files);
}

static void post_activate(struct call *call)
{
    struct text hash = call_param(call, "hash");
    struct deployment *deployment = deployment_new(call);
    if (hex_decode(hash.data, hash.size, deployment->hash, sizeof deployment->hash))
        once(call, begin_activation);
    else
        call_problem(call, 404, "a bundle's hash has %d hexadecimal digits", 2 * BUNDLE_HASH_BYTES);
}

/* The last one that was active and is another than the active one; what was gone back from no
 * longer counts. */
static void find_before(struct engine *engine, struct call *call)
{
    struct deployment *deployment = call->data;
    uint8_t active[BUNDLE_HASH_BYTES];
    char text[HEX_SIZE(BUNDLE_HASH_BYTES)];
    bool is_there = read_bundle_hash(engine, 0, active);
    bool is_same = true;
    hex_encode(active, is_there ? sizeof active : 0, text);
    if (deployment->from.size != 0 && !text_is(deployment->from, text)) {
        deployment->code =
            err_set(&deployment->err, E_CONFLICT, "the bundle to be left is not in force: %s is",
                    is_there ? text : "none");
        return;
    }
    for (size_t back = read_bundle_back(engine); is_there && is_same; back++) {
        is_there = read_bundle_hash(engine, back, deployment->hash);
        is_same = memcmp(deployment->hash, active, sizeof active) == 0;
    }
    if (!is_there)
        deployment->code =
            err_set(&deployment->err, E_CONFLICT, "no other bundle was active before this one");
}

static void have_hash(struct call *call)
{
    struct deployment *deployment = call->data;
    if (deployment->code != 0)
        fail(call);
    else
        call_work(call, read_files, have_files);
}

static void begin_rollback(struct call *call)
{
    call_ask(call, find_before, have_hash);
}

static const struct field rollback_fields[] = { { "from", FIELD_NAME, false }, FIELDS_END };

static void post_rollback(struct call *call)
{
    struct deployment *deployment = deployment_new(call);
    deployment->is_rollback = true;
    deployment->from = doc_text(call->body, "from");
    once(call, begin_rollback);
}

const struct route routes_bundles[] = {
    { "GET", "/v1/bundles", SCOPE_READ, 0, false, get_bundles, "Bundles, the active one first",
      "limit after", NULL, "Bundle[]" },
    { "POST", "/v1/bundles", SCOPE_ADMIN, BODY_MAX, true, post_bundle,
      "Check, store and activate a bundle; ?activate=0 only stores", "activate", bundle_fields,
      "201 Deployment" },
    { "POST", "/v1/bundles/{hash}/activate", SCOPE_ADMIN, 1024, true, post_activate,
      "Activate a bundle that is stored", NULL, NULL, "Deployment" },
    { "POST", "/v1/bundles/rollback", SCOPE_ADMIN, 1024, true, post_rollback,
      "Back to the bundle that was active before; again: further back. With `from`, the hash that "
      "is to be left, a repeated call does not go back twice",
      NULL, rollback_fields, "Deployment" },
    ROUTES_END,
};
