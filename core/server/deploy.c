/* deploy.c -- see deploy.h. */
#include "core/server/deploy.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/engine/config.h"
#include "core/engine/rules.h"
#include "core/script/host.h"
#include "core/script/lint.h"
#include "core/server/submission.h"

#include <stdlib.h>
#include <string.h>

int deploy_check(struct doc bundle, struct doc config, const struct plugins *plugins,
                 size_t *out_rules, struct err *err)
{
    struct script_surroundings around = { .plugins = plugins };
    struct config *read = mem_alloc(sizeof *read);
    struct ruleset *rules = NULL;
    int rc = config_read(read, config, err);
    if (rc == 0)
        rc = script_load(&around, bundle, read, &rules, err);
    if (rc == 0)
        rc = lint_calls(rules, plugins, err);
    if (rc == 0)
        rc = lint_kinds(rules, plugins, err);
    if (rc == 0 && out_rules != NULL)
        *out_rules = rules->count;
    if (rules != NULL)
        rules->free(rules);
    free(read);
    return rc;
}

static struct submission *activation(const uint8_t hash[BUNDLE_HASH_BYTES], struct text by,
                                     struct text call, bool is_back)
{
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct doc_writer w;
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "bundle.activated");
    doc_put_text(&w, "by", by);
    doc_open(&w, "data");
    doc_put_binary(&w, "hash", hash, BUNDLE_HASH_BYTES);
    if (is_back)
        doc_put_bool(&w, "back", true);
    if (call.size != 0)
        doc_put_text(&w, "call", call);
    doc_close(&w);
    submission_end(submission, &w);
    return submission;
}

struct submission *rollback_submission(const uint8_t hash[BUNDLE_HASH_BYTES], struct text by,
                                       struct text call)
{
    return activation(hash, by, call, true);
}

struct submission *deploy_submission(struct doc bundle, const uint8_t hash[BUNDLE_HASH_BYTES],
                                     struct text by, struct text call)
{
    struct submission *submission = activation(hash, by, call, false);
    if (bundle.data != NULL) {
        buf_append(&submission->blob, bundle.data, bundle.size);
        memcpy(submission->blob_hash, hash, BUNDLE_HASH_BYTES);
        submission->mail.bytes += bundle.size;
    }
    return submission;
}
