/* scripts.c -- see scripts.h. */
#include "core/server/scripts.h"

#include "core/base/err.h"
#include "core/plugin/set.h"
#include "core/server/deploy.h"
#include "core/server/node.h"
#include "core/server/say.h"

#include <string.h>

#define SHORT_HASH 12 /* digits of a bundle's name in messages */

int scripts_read(struct scripts *scripts, const char *dir, struct doc config,
                 struct plugin_set *plugins, struct err *err)
{
    int rc = bundle_read_dir(dir, &scripts->bytes, &scripts->bundle, err);
    if (rc != 0)
        return rc;
    bundle_hash(scripts->bundle, scripts->hash);
    hex_encode(scripts->hash, sizeof scripts->hash, scripts->name);
    return deploy_check(scripts->bundle, config, plugin_set_engine(plugins), NULL, err);
}

void scripts_deinit(struct scripts *scripts)
{
    buf_deinit(&scripts->bytes);
}

void scripts_compare(const char *dir, struct doc config, struct plugin_set *plugins,
                     const uint8_t *active)
{
    struct scripts scripts = { .bytes = BUF_INIT };
    char name[HEX_SIZE(BUNDLE_HASH_BYTES)] = "none";
    struct err err;
    int rc = scripts_read(&scripts, dir, config, plugins, &err);
    if (active != NULL)
        hex_encode(active, BUNDLE_HASH_BYTES, name);
    if (rc != 0)
        say("the scripts in %s would not load: %s", dir, err.text);
    else if (active != NULL && memcmp(active, scripts.hash, BUNDLE_HASH_BYTES) == 0)
        say("the scripts in %s are the active bundle, %.*s", dir, SHORT_HASH, name);
    else
        say("the scripts in %s (%.*s) differ from the active bundle (%.*s): activate them with: "
            "kith deploy %s",
            dir, SHORT_HASH, scripts.name, SHORT_HASH, name, dir);
    scripts_deinit(&scripts);
}

void scripts_activate(const struct scripts *scripts, struct node *node, submission_done_fn *done,
                      void *arg)
{
    struct submission *submission =
        deploy_submission(scripts->bundle, scripts->hash, text_of("kithd"), (struct text){ "", 0 });
    submission->wants_applied = true;
    submission->done = done;
    submission->arg = arg;
    sequencer_post_own(node_sequencer(node), submission);
}

bool scripts_were_activated(const struct submission *submission, struct err *err)
{
    if (submission->code != 0)
        err_set(err, submission->code, "the scripts were not activated: %s", submission->err.text);
    else if (submission->result.status == ENGINE_REFUSED)
        err_set(err, E_INVALID, "%s", submission->result.reason);
    else
        return true;
    return false;
}
