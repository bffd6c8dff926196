/* settings_differ.c -- see settings_differ.h.
 *
 * Field by field, and not file by file: a comment that has changed changes nothing.  What is used
 * at once when it changes (rates, the files behind secrets and certificates) is left out, and so is
 * how a plugin is configured, for it can be reloaded.
 */
#include "core/server/settings_differ.h"

#include "core/script/settings.h"

#include <string.h>

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_same_webhooks(const struct settings *now, const struct settings *wanted)
{
    if (now->webhook_count != wanted->webhook_count)
        return false;
    for (size_t i = 0; i < now->webhook_count; i++) {
        const struct webhook_settings *a = &now->webhooks[i], *b = &wanted->webhooks[i];
        if (!is_same_text(a->name, b->name) || !is_same_text(a->url, b->url) ||
            !is_same_text(a->secret, b->secret) || !is_same_text(a->ca, b->ca) ||
            a->allow_private != b->allow_private || a->timeout_ms != b->timeout_ms ||
            a->rest_ms != b->rest_ms || a->parallel != b->parallel)
            return false;
    }
    return true;
}

static bool is_same_doc(struct doc now, struct doc wanted)
{
    return now.size == wanted.size &&
           (now.size == 0 || memcmp(now.data, wanted.data, now.size) == 0);
}

static bool is_same_plugins(const struct settings *now, const struct settings *wanted)
{
    bool is_same = now->plugin_count == wanted->plugin_count &&
                   is_same_text(now->plugin_dir, wanted->plugin_dir);
    for (size_t i = 0; is_same && i < now->plugin_count; i++)
        is_same = strcmp(now->plugins[i].name, wanted->plugins[i].name) == 0;
    return is_same;
}

bool settings_differ(const struct settings *now, const struct settings *wanted)
{
    return !is_same_doc(now->config, wanted->config) || !is_same_plugins(now, wanted) ||
           !is_same_text(now->host, wanted->host) || now->port != wanted->port ||
           (now->cert == NULL) != (wanted->cert == NULL) ||
           !is_same_text(now->data, wanted->data) || !is_same_text(now->url, wanted->url) ||
           !is_same_text(now->log_file, wanted->log_file) || !is_same_webhooks(now, wanted) ||
           now->log_quota_bytes != wanted->log_quota_bytes ||
           now->state_quota_bytes != wanted->state_quota_bytes;
}

bool settings_plugin_differs(const struct settings *now, const struct settings *wanted,
                             size_t index)
{
    const struct plugin_settings *a = &now->plugins[index], *b = &wanted->plugins[index];
    return a->is_isolated != b->is_isolated || !is_same_doc(a->grant, b->grant) ||
           !is_same_doc(a->config, b->config);
}
