/* settings_differ.c -- see settings_differ.h.
 *
 * Field by field, and not file by file: a comment that has changed changes nothing.  What is used
 * at once when it changes (rates, the files behind secrets and certificates) is left out.
 */
#include "core/server/settings_differ.h"

#include "core/script/settings.h"

#include <string.h>

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_same_doc(struct doc now, struct doc wanted)
{
    return now.size == wanted.size &&
           (now.size == 0 || memcmp(now.data, wanted.data, now.size) == 0);
}

static bool is_same_plugins(const struct settings *now, const struct settings *wanted)
{
    if (now->plugin_count != wanted->plugin_count ||
        !is_same_text(now->plugin_dir, wanted->plugin_dir))
        return false;
    for (size_t i = 0; i < now->plugin_count; i++) {
        const struct plugin_settings *a = &now->plugins[i], *b = &wanted->plugins[i];
        if (strcmp(a->name, b->name) != 0 || a->is_isolated != b->is_isolated ||
            !is_same_doc(a->grant, b->grant) || !is_same_doc(a->config, b->config))
            return false;
    }
    return true;
}

bool settings_differ(const struct settings *now, const struct settings *wanted)
{
    return !is_same_doc(now->config, wanted->config) || !is_same_plugins(now, wanted) ||
           !is_same_text(now->host, wanted->host) || now->port != wanted->port ||
           (now->cert == NULL) != (wanted->cert == NULL) ||
           !is_same_text(now->data, wanted->data) || !is_same_text(now->url, wanted->url) ||
           !is_same_text(now->log_file, wanted->log_file) ||
           now->log_quota_bytes != wanted->log_quota_bytes ||
           now->state_quota_bytes != wanted->state_quota_bytes;
}
